/* test_losses_f64.c - every loss there is, in double: its slope, its silence where labels are absent, its
 * counting; and the invariants of the papers' own losses. */
#include "draw.h"
#include "gnomon/arena.h"
#include "gnomon/loss.h"
#include "near.h"

#define GN_LOSS(name, OPTIONS, help, reads, least, views, needs)
#define GN_MAP_LOSS(name, OPTIONS, help, output, needs)
#include "loss/all.h"

#define SAMPLES 200
#define SIDE 96
#define VIEWS 3
#define MAP_W 9
#define MAP_H 7

/* One loss over one group, with the outputs it reads. */
typedef struct {
    const gn_loss *loss;
    double options[32];
    draw_store store[VIEWS];
    gn_labels y[VIEWS];
    int views, outputs;
    gn_tensor out[3], d_out[3];
    double x[3][4096], d[3][4096], value;
    int64_t count[3];
} fixture;

static void bind(fixture *f, draws *d, const gn_loss *l, int pick, int outputs) {
    const gn_skeleton *s = f->y->skeleton;
    f->loss = l;
    assert_true(l->bytes <= sizeof f->options);
    draw_options(d, l->options, pick, f->options);
    f->outputs = outputs;
    for (int k = 0; k < outputs; k++) {
        int map = l->width[0] == 0, points = map ? 0 : !strcmp(l->reads[k], "root") ? 1 : s->joints;
        gn_tensor t = { GN_TYPE_REAL, 0, { 3, { f->views, points, map ? 0 : l->width[k] } }, f->x[k] };
        if (map) t = (gn_tensor){ GN_TYPE_REAL, s->joints, { 4, { f->views, s->joints, MAP_H, MAP_W } }, f->x[k] };
        f->count[k] = map ? (int64_t)f->views * s->joints * MAP_H * MAP_W : f->views * points * l->width[k];
        assert_true(f->count[k] <= 4096);
        f->out[k] = f->d_out[k] = t;
        f->d_out[k].data = f->d[k];
    }
}

/* Predictions near the truth, in whatever the output is measured in. */
static void predict(fixture *f, draws *d) {
    for (int k = 0; k < f->outputs; k++) {
        const gn_shape *s = &f->out[k].shape;
        for (int64_t i = 0; i < f->count[k]; i++) {
            double x = draw_normal(d, 0.5);
            if (s->n == 3 && s->d[2] == 2) x = draw_in(d, 0, 63);
            if (s->n == 3 && s->d[2] == 3) {
                int64_t v = i / (s->d[1] * 3), j = i / 3 % s->d[1];
                const double *p = f->store[v].joints3d, *root = p + 3 * f->y->skeleton->root;
                x = draw_normal(d, 0.1);
                if (s->d[1] == 1) x += root[i % 3];
                else x += p[3 * j + i % 3] - (f->outputs > 1 ? root[i % 3] : 0);
            }
            f->x[k][i] = x;
        }
    }
}

static double run(fixture *f, double scale) {
    gn_loss_call c = { f->options, f->views, f->views, f->y, f->outputs, f->out, f->d_out, scale, &f->value };
    OK(f->loss->run(&c));
    return f->value;
}

static double value_at(fixture *f, int k, int64_t i, double x) {
    gn_tensor quiet[3];
    double was = f->x[k][i], value;
    for (int o = 0; o < 3; o++) quiet[o] = (gn_tensor){ .data = NULL };
    f->x[k][i] = x;
    gn_loss_call c = { f->options, f->views, f->views, f->y, f->outputs, f->out, quiet, 1, &value };
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
                fail_msg("%s, output %d, element %d: slope %.12g, differences say %.12g (largest %.3g)", f->loss->name, k,
                         (int)i, f->d[k][i], slope, most);
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
                int map = (*l)->width[0] == 0, outputs = map ? 1 + i % 2 : (*l)->least + i % (named - (*l)->least + 1);
                f.views = (*l)->views > 1 ? 2 + i % 2 : 1 + i % 2;
                draw_group(&d, i % 3 ? &gn_mpii16 : &gn_h36m17, SIDE, f.views, 2, f.store, f.y);
                for (int v = 0; v < f.views; v++)
                    if (i % 4 == 0) f.y[v].has &= ~(uint32_t)(GN_HAS_depth & ~(*l)->needs);
                bind(&f, &d, *l, pick, outputs);
                predict(&f, &d);
                pulled += check_slope(&f, &d, &kinks, &checked) > 0;
            }
            if (kinks * 100 > checked) fail_msg("%s, options %d: %d kinks in %d", (*l)->name, pick, kinks, checked);
            if (pulled < SAMPLES / 5) fail_msg("%s, options %d: only %d of %d samples pull", (*l)->name, pick, pulled, SAMPLES);
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
#define GONE(name, type, count, carry, help)                                                       \
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
    gn_loss_call c = { f.options, 1, 1, f.y, 1, f.out, f.d_out, 1, &value };
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
    bind(&f, NULL, gn_loss_find("heatmap"), 0, 1);
    f.out[0].shape.d[1] = 16;
    FAILS(f.loss->run(&(gn_loss_call){ f.options, 1, 1, f.y, 1, f.out, f.d_out, 1, &value }), BAD_SHAPE);
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
                        x[gn_at(&t, n, j, p / MAP_W, p % MAP_W)] = f.x[0][gn_at(&f.out[0], n, j, p / MAP_W, p % MAP_W)];
            double again;
            gn_loss_call c = { f.options, 2, 1, f.y, 1, &t, &g, 0.3, &again };
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

/* A map equal to its target costs nothing; the softmax of ln(target) cannot be bettered. */
static void heatmap_minimum(void **state) {
    (void)state;
    static fixture f;
    draws d = { 13, 0 };
    f.views = 1;
    draw_group(&d, &gn_mpii16, SIDE, 1, 0, f.store, f.y);
    const gn_loss *l = gn_loss_find("heatmap");
    for (int pick = 0; pick < draw_option_sets(l->options); pick++) {
        int entropy = pick % 2, form = pick / 2 % 2;
        if (entropy && form == GN_TARGET_PAPER) continue; /* no logarithm of a 0 */
        bind(&f, NULL, l, pick, 1);
        for (int j = 0; j < 16; j++)
            for (int64_t p = 0; p < MAP_H * MAP_W; p++) {
                double at[2] = { (f.store[0].joints2d[2 * j] + 0.5) * MAP_W / SIDE - 0.5,
                                 (f.store[0].joints2d[2 * j + 1] + 0.5) * MAP_H / SIDE - 0.5 };
                if (form == GN_TARGET_PAPER) at[0] = floor(at[0] + 0.5), at[1] = floor(at[1] + 0.5);
                double u = (double)(p % MAP_W) - at[0], v = (double)(p / MAP_W) - at[1];
                double far = (u * u + v * v) / (2 * 1.75 * 1.75);
                int inside = form != GN_TARGET_PAPER || (fabs(u) <= 3 && fabs(v) <= 3);
                f.x[0][gn_at(f.out, 0, j, p / MAP_W, p % MAP_W)] =
                    entropy ? 5 - far : inside && f.store[0].labelled2d[j] ? exp(-far) : 0;
            }
        memset(f.d, 0, sizeof f.d);
        run(&f, 1);
        if (!entropy) NEAR(f.value, 0, 1e-12);
        for (int64_t i = 0; i < f.count[0]; i++) NEAR(f.d[0][i], 0, 1e-7);
    }
}

/* Li 2020 B9: exact poses, cameras and pixels cost nothing. */
static void geometry(void **state) {
    (void)state;
    static fixture f;
    const char *const names[] = { "reproject", "transform", "agree", "ray" };
    for (int i = 0; i < 20; i++) {
        draws d = { 100 + (uint64_t)i, 0 };
        f.views = VIEWS;
        draw_group(&d, &gn_h36m17, SIDE, VIEWS, 0, f.store, f.y);
        for (int n = 0; n < 4; n++)
            for (int pick = 0; pick < draw_option_sets(gn_loss_find(names[n])->options); pick++) {
                bind(&f, NULL, gn_loss_find(names[n]), pick, 2);
                for (int v = 0; v < VIEWS; v++)
                    for (int k = 0; k < 51; k++) {
                        f.x[1][3 * v + k % 3] = 3 + v;
                        f.x[0][51 * v + k] = f.store[v].joints3d[k] - f.x[1][3 * v + k % 3];
                    }
                NEAR(run(&f, 1), 0, 1e-10);
                f.x[0][4] += 0.05; /* and any error costs */
                f.store[0].labelled2d[1] = 1;
                assert_true(run(&f, 1) > 1e-9);
            }
    }
}

/* Swapping views, or making the whole world larger, leaves the transform loss as it is. */
static void transform_invariants(void **state) {
    (void)state;
    static fixture f;
    draws d = { 31, 0 };
    f.views = 2;
    draw_group(&d, &gn_h36m17, SIDE, 2, 2, f.store, f.y);
    bind(&f, NULL, gn_loss_find("transform"), 0, 1);
    for (int i = 0; i < 102; i++) f.x[0][i] = f.store[i / 51].joints3d[i % 51] + draw_normal(&d, 0.1);
    double value = run(&f, 1);

    static fixture g;
    g = f;
    bind(&g, NULL, f.loss, 0, 1);
    for (int v = 0; v < 2; v++) {
        g.y[v] = f.y[1 - v];
        memcpy(g.x[0] + 51 * v, f.x[0] + 51 * (1 - v), 51 * sizeof(double));
    }
    NEAR_REL(run(&g, 1), value, 1e-12, 1);

    for (int i = 0; i < 102; i++) f.x[0][i] *= 1.7;
    for (int v = 0; v < 2; v++)
        for (int r = 0; r < 3; r++) f.store[v].pose_of_view[4 * r + 3] *= 1.7;
    NEAR_REL(run(&f, 1), value, 1e-10, 1);
    for (int i = 0; i < 102; i++) f.x[0][i] *= 1.1; /* the baseline fixes the scale */
    assert_true(fabs(run(&f, 1) - value) > 1e-3 * value);
}

/* Whose confidence weighs: eq. 5 says the source's. */
static void transform_confidence(void **state) {
    (void)state;
    static fixture f;
    draws d = { 33, 0 };
    f.views = 2;
    draw_group(&d, &gn_mpii16, SIDE, 2, 2, f.store, f.y);
    double value[4], plain[2];
    for (int from = 0; from < 2; from++) { /* only joints2d of one view count: one direction */
        for (int pick = 0; pick < 4; pick++) {
            for (int j = 0; j < 16; j++) {
                f.store[from].confidence2d[j] = 0.5;
                f.store[1 - from].confidence2d[j] = 0.25;
                f.store[from].labelled2d[j] = 0;
                f.store[1 - from].labelled2d[j] = 1;
            }
            bind(&f, NULL, gn_loss_find("transform"), pick, 1);
            for (int i = 0; i < 96; i++) f.x[0][i] = f.store[i / 48].joints3d[i % 48] + 0.1;
            value[pick] = run(&f, 1);
        }
        plain[from] = value[3];
        NEAR_REL(value[0], 0.5 * plain[from], 1e-12, 0);
        NEAR_REL(value[1], 0.25 * plain[from], 1e-12, 0);
        NEAR_REL(value[2], 0.125 * plain[from], 1e-12, 0);
    }
}

/* Zhou 2017: depth alone is pulled, a group's pulls add up to 0, and so does the whole (A2.2). */
static void bone_balance(void **state) {
    (void)state;
    static fixture f;
    for (int i = 0; i < 20; i++) {
        draws d = { 40 + (uint64_t)i, 0 };
        f.views = 1;
        draw_group(&d, i % 2 ? &gn_mpii16 : &gn_h36m17, SIDE, 1, 2, f.store, f.y);
        bind(&f, NULL, gn_loss_find("bone"), 2 + i / 2 % 2, 1); /* where: all */
        predict(&f, &d);
        memset(f.d, 0, sizeof f.d);
        run(&f, 1);
        double sum = 0, size = 0;
        for (int j = 0; j < f.y->J; j++) sum += f.d[0][j], size += fabs(f.d[0][j]);
        NEAR(sum, 0, 1e-12 * size);
        for (int j = 0; j < f.y->J; j++) f.x[0][j] = 0.3; /* flat: stationary */
        memset(f.d, 0, sizeof f.d);
        run(&f, 1);
        for (int j = 0; j < f.y->J; j++) assert_true(f.d[0][j] == 0);
    }
}

/* r = +1 pushes a away from the camera, whatever the form. */
static void ranking_sign(void **state) {
    (void)state;
    static fixture f;
    draws d = { 50, 0 };
    f.views = 1;
    draw_group(&d, &gn_mpii16, SIDE, 1, 2, f.store, f.y);
    f.y->P = 1;
    for (int form = 0; form < 2; form++)
        for (int r = -1; r <= 1; r++) {
            bind(&f, NULL, gn_loss_find("ranking"), form, 1);
            f.store[0].order[0] = 2, f.store[0].order[1] = 9, f.store[0].order[2] = (int16_t)r;
            memset(f.d, 0, sizeof f.d);
            f.x[0][2] = -0.2 * r + (r ? 0 : 0.4); /* the wrong way round; or a is too far */
            f.x[0][9] = 0.2 * r;
            run(&f, 1);
            double step = -f.d[0][2]; /* what descent does to z of a */
            assert_true(r > 0 ? step > 0 : step < 0);
            NEAR(f.d[0][2] + f.d[0][9], 0, 1e-15);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slopes),        cmocka_unit_test(absent),   cmocka_unit_test(counts),
        cmocka_unit_test(refused),       cmocka_unit_test(blocks),   cmocka_unit_test(heatmap_minimum),
        cmocka_unit_test(geometry),      cmocka_unit_test(transform_invariants),
        cmocka_unit_test(transform_confidence), cmocka_unit_test(bone_balance), cmocka_unit_test(ranking_sign),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
