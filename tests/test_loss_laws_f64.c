/* test_loss_laws_f64.c - what the papers' losses promise: where they are 0, what leaves them as they are,
 * which way they pull. */
#include "formula/heatmap.h"
#include "loss_rig.h"

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
                f.x[0][gn_at(f.out, 0, j, p / MAP_W, p % MAP_W)] = entropy ? 5 - far
                                                                   : inside && f.store[0].labelled2d[j]
                                                                       ? exp(-far)
                                                                       : 0;
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
        cmocka_unit_test(heatmap_minimum),      cmocka_unit_test(geometry),
        cmocka_unit_test(transform_invariants), cmocka_unit_test(transform_confidence),
        cmocka_unit_test(bone_balance),         cmocka_unit_test(ranking_sign),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
