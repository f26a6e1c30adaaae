/* test_losses_f64.c - every loss there is, in double: its slope, its silence where labels are absent, its
 * counting, and what it refuses. */
#include "loss_rig.h"

#define SAMPLES 200

static double value_at(fixture *f, int k, int64_t i, double x) {
    gn_tensor quiet[3];
    double was = f->x[k][i], value;
    for (int o = 0; o < 3; o++) quiet[o] = (gn_tensor){ .data = NULL };
    f->x[k][i] = x;
    gn_loss_call c = { .options = f->options, .samples = f->views, .views = f->views, .labels = f->y, .outputs = f->outputs,
                       .out = f->out, .d_out = quiet, .scale = 1, .value = &value };
    OK(f->loss->run(&c));
    f->x[k][i] = was;
    return value;
}

/* Slope of the whole loss against central differences; kinks (both one-sided slopes differ) are counted.
 * Returns the largest slope. */
static double check_slope(fixture *f, draws *d, int *kinks, int *checked) {
    const double h = 1e-6, scale = 0.7;
    double most = 0;
    for (int k = 0; k < f->outputs; k++)
        for (int64_t i = 0; i < f->count[k]; i++) f->d[k][i] = (double)(i % 64) * 0.25;
    run(f, scale);
    for (int k = 0; k < f->outputs; k++)
        for (int64_t i = 0; i < f->count[k]; i++) {
            f->d[k][i] = (f->d[k][i] - (double)(i % 64) * 0.25) / scale; /* was added to, times scale */
            most = fmax(most, fabs(f->d[k][i]));
        }
    double here = f->value;
    for (int k = 0; k < f->outputs; k++) {
        int some = f->count[k] > 200;
        for (int64_t n = 0; n < (some ? 24 : f->count[k]); n++) {
            int64_t i = some ? draw_below(d, (int)f->count[k]) : n;
            double x = f->x[k][i], up = value_at(f, k, i, x + h), down = value_at(f, k, i, x - h);
            ++*checked;
            if (fabs(up - 2 * here + down) / h > 1e-3 * most) {
                ++*kinks;
                continue;
            }
            double slope = (up - down) / (2 * h), unit = fmax(most, fabs(here) * 1e-3);
            if (!(fabs(slope - f->d[k][i]) <= 1e-6 * unit))
                fail_msg("%s, output %d, element %d: slope %.12g, differences say %.12g (largest %.3g)",
                         f->loss->name, k, (int)i, f->d[k][i], slope, most);
        }
    }
    return most;
}

static void slopes(void **state) {
    (void)state;
    static fixture f;
    for (const gn_loss *const *l = gn_losses; *l; l++) {
        int sets = draw_option_sets((*l)->options);
        for (int pick = 0; pick < sets; pick++) {
            draws d = { 7 + (uint64_t)pick, 0 };
            int pulled = 0, kinks = 0, checked = 0, named = 0;
            while (named < 3 && (*l)->reads[named]) named++;
            for (int i = 0; i < SAMPLES; i++) {
                int map = (*l)->width[0] == 0,
                    outputs = map ? 1 + i % 2 : (*l)->least + i % (named - (*l)->least + 1);
                f.views = (*l)->views > 1 ? 2 + i % 2 : 1 + i % 2;
                draw_group(&d, i % 3 ? &gn_mpii16 : &gn_h36m17, SIDE, f.views, 2, f.store, f.y);
                for (int v = 0; v < f.views; v++)
                    if (i % 4 == 0) f.y[v].has &= ~(uint32_t)(GN_HAS_depth & ~(*l)->needs);
                bind(&f, &d, *l, pick, outputs);
                predict(&f, &d);
                pulled += check_slope(&f, &d, &kinks, &checked) > 0;
            }
            if (kinks * 100 > checked)
                fail_msg("%s, options %d: %d kinks in %d", (*l)->name, pick, kinks, checked);
            if (pulled < SAMPLES / 5)
                fail_msg("%s, options %d: only %d of %d samples pull", (*l)->name, pick, pulled, SAMPLES);
        }
    }
}

/* A sample without a needed field, with its pointer gone, offers nothing and moves nothing. */
static void absent(void **state) {
    (void)state;
    static fixture f;
    for (const gn_loss *const *l = gn_losses; *l; l++)
        for (int field = 0; field < GN_FIELD_COUNT; field++) {
            draws d = { 21, 0 };
            f.views = 2;
            draw_group(&d, &gn_mpii16, SIDE, 2, 2, f.store, f.y);
            if (!((*l)->needs >> field & 1)) continue;
            for (int v = 0; v < 2; v++) {
                f.y[v].has &= ~(1u << field);
#define GONE(name, type, count, carry, help) \
    if (field == GN_PLACE_##name) f.y[v].name = NULL;
                GN_FIELDS(GONE)
#undef GONE
            }
            bind(&f, NULL, *l, 0, (*l)->least);
            predict(&f, &d);
            memset(f.d, 0, sizeof f.d);
            assert_true(run(&f, 1) == 0);
            for (int k = 0; k < f.outputs; k++)
                for (int64_t i = 0; i < f.count[k]; i++) assert_true(f.d[k][i] == 0);
            assert_int_equal((*l)->terms(f.options, f.y, (*l)->views > 1 ? 2 : 1, f.out), 0);
        }
}

/* A mixed batch: the sum is the sum over groups, counts are over groups. */
static void counts(void **state) {
    (void)state;
    static fixture f;
    draws d = { 5, 0 };
    draw_group(&d, &gn_mpii16, SIDE, 2, 2, f.store, f.y);
    f.views = 2;
    f.y[1].has &= ~(uint32_t)GN_HAS_depth;
    int labelled = 0;
    for (int j = 0; j < 16; j++) labelled += f.store[0].labelled3d[j];
    const gn_loss *l = gn_loss_find("depth");
    bind(&f, NULL, l, 0, 1);
    NEAR(gn_loss_normaliser(l, f.options, GN_MEAN_terms, 2, 1, f.y, f.out), labelled, 0);
    NEAR(gn_loss_normaliser(l, f.options, GN_MEAN_samples, 2, 1, f.y, f.out), 1, 0);
    NEAR(gn_loss_normaliser(l, f.options, GN_MEAN_batch, 2, 1, f.y, f.out), 2, 0);

    l = gn_loss_find("heatmap");
    bind(&f, NULL, l, 4, 1); /* squared, exact, zero: every element, as in the paper */
    NEAR(gn_loss_normaliser(l, f.options, GN_MEAN_terms, 2, 1, f.y, f.out), 2 * 16 * MAP_W * MAP_H, 0);
    bind(&f, NULL, l, 0, 1); /* masked */
    labelled = 0;
    for (int v = 0; v < 2; v++)
        for (int j = 0; j < 16; j++) labelled += f.store[v].labelled2d[j];
    NEAR(gn_loss_normaliser(l, f.options, GN_MEAN_terms, 2, 1, f.y, f.out), labelled * MAP_W * MAP_H, 0);

    l = gn_loss_find("bone"); /* only the sample without depth labels */
    bind(&f, NULL, l, 0, 1);
    assert_int_equal(l->terms(f.options, &f.y[0], 1, f.out), 0);
    assert_true(l->terms(f.options, &f.y[1], 1, f.out) > 0);
    memset(f.store[0].labelled3d, 0,
           sizeof f.store[0].labelled3d); /* none of its joints has depth: weak too */
    assert_true(l->terms(f.options, &f.y[0], 1, f.out) > 0);
    NEAR(gn_loss_normaliser(l, f.options, GN_MEAN_samples, 1, 1, f.y, f.out), 1, 0); /* never 0 */
    assert_null(gn_loss_find("bones"));
}

/* What does not fit is refused, by name. */
static void refused(void **state) {
    (void)state;
    static fixture f;
    draws d = { 3, 0 };
    f.views = 1;
    draw_group(&d, &gn_h36m17, SIDE, 1, 2, f.store, f.y);
    bind(&f, NULL, gn_loss_find("ranking"), 0, 1);
    double value;
    gn_loss_call c = { .options = f.options, .samples = 1, .views = 1, .labels = f.y, .outputs = 1, .out = f.out,
                       .d_out = f.d_out, .scale = 1, .value = &value };
    OK(f.loss->run(&c));
    f.store[0].order[4] = 17;
    FAILS(f.loss->run(&c), BAD_DATA);
    assert_non_null(strstr(gn_reason(), "joint 17 of 17"));
    gn_trail_clear();
    f.store[0].order[4] = 0;
    f.out[0].shape.d[1] = 16;
    FAILS(f.loss->run(&c), BAD_SHAPE);
    assert_non_null(strstr(gn_reason(), "17 joints"));
    gn_trail_clear();
    f.out[0].shape.d[2] = 3;
    FAILS(f.loss->run(&c), BAD_SHAPE);
    gn_trail_clear();
    bind(&f, NULL, gn_loss_find("agree"), 0, 2);
    c.outputs = 2;
    FAILS(f.loss->run(&c), BAD_SHAPE); /* one view */
    gn_trail_clear();
    bind(&f, NULL, gn_loss_find("heatmap"), 0, 1);
    f.out[0].shape.d[1] = 16;
    c.outputs = 1;
    FAILS(f.loss->run(&c), BAD_SHAPE);
    gn_trail_clear();
}

/* Maps in blocks of 8, 16 or J joints, with padding, are the same maps. */
static void blocks(void **state) {
    (void)state;
    static fixture f;
    static double x[8192], slope[8192];
    const gn_loss *l = gn_loss_find("heatmap");
    for (int pick = 0; pick < draw_option_sets(l->options); pick++) {
        draws d = { 11, 0 };
        f.views = 2;
        draw_group(&d, &gn_h36m17, SIDE, 2, 2, f.store, f.y);
        bind(&f, NULL, l, pick, 1);
        predict(&f, &d);
        memset(f.d, 0, sizeof f.d);
        double value = run(&f, 0.3);
        for (int b = 8; b <= 16; b += 8) {
            gn_tensor t = f.out[0], g;
            t.block = b;
            t.data = x;
            g = t;
            g.data = slope;
            memset(x, 0, sizeof x);
            memset(slope, 0, sizeof slope);
            for (int64_t n = 0; n < 2; n++)
                for (int64_t j = 0; j < 17; j++)
                    for (int64_t p = 0; p < MAP_H * MAP_W; p++)
                        x[gn_at(&t, n, j, p / MAP_W, p % MAP_W)] =
                            f.x[0][gn_at(&f.out[0], n, j, p / MAP_W, p % MAP_W)];
            double again;
            gn_loss_call c = { .options = f.options, .samples = 2, .views = 1, .labels = f.y, .outputs = 1, .out = &t, .d_out = &g,
                               .scale = 0.3, .value = &again };
            OK(l->run(&c));
            NEAR_REL(again, value, 1e-12, 1);
            double sum = 0, expected = 0;
            for (int i = 0; i < 8192; i++) sum += fabs(slope[i]);
            for (int64_t n = 0; n < 2; n++)
                for (int64_t j = 0; j < 17; j++)
                    for (int64_t p = 0; p < MAP_H * MAP_W; p++) {
                        double s = f.d[0][gn_at(&f.out[0], n, j, p / MAP_W, p % MAP_W)];
                        NEAR(slope[gn_at(&t, n, j, p / MAP_W, p % MAP_W)], s, 1e-13);
                        expected += fabs(s);
                    }
            NEAR_REL(sum, expected, 1e-12, 1); /* nothing in the padding */
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slopes),  cmocka_unit_test(absent), cmocka_unit_test(counts),
        cmocka_unit_test(refused), cmocka_unit_test(blocks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
