/* test_view.c - what augmentation and label rules promise: picture, 2D, 3D and camera move together. */
#include "near.h"
#include "person.h"
#include "src/data/sample.h"

static void store(gn_arena *a, const sample *p, gn_label_store *s) {
    OK(gn_label_store_take(a, J, 2, s));
    memcpy(s->joints2d, p->joints2d, sizeof p->joints2d);
    memcpy(s->joints3d, p->joints3d, sizeof p->joints3d);
    memcpy(s->camera, p->camera, sizeof p->camera);
    memcpy(s->pose_of_view, p->pose, sizeof p->pose);
    memcpy(s->head_size, p->head, sizeof p->head);
    for (int j = 0; j < J; j++) s->labelled2d[j] = s->labelled3d[j] = (uint8_t)(j % 3 > 0);
    const int16_t pairs[] = { 0, 15, 1, 9, 3, -1 };
    memcpy(s->order, pairs, sizeof pairs);
}

enum { ALL = (1 << GN_FIELD_COUNT) - 1 - GN_HAS_depth };

static void flip_twice(void **state) {
    (void)state;
    gn_arena *a = gn_arena_new("test");
    sample p;
    gn_label_store s, once;
    make_sample(4, 1, &p);
    store(a, &p, &s);
    store(a, &p, &once);
    gn_augment g = { .flip = 1 };
    gn_view v;
    gn_view_draw(&g, 1, (gn_turn){ 0 }, SIDE, SIDE, SIDE, &v);
    assert_true(v.flip);
    gn_view_carry(&v, &gn_mpii16, ALL, 2, &once);
    assert_int_equal(once.order[0], 5);
    assert_int_equal(once.order[1], 10);
    NEAR(once.joints2d[2 * 10], SIDE - 1 - p.joints2d[2 * 15], 1e-4);
    NEAR(once.joints3d[3 * 10], -p.joints3d[3 * 15], 1e-6);
    assert_int_equal(once.labelled2d[5], s.labelled2d[0]);
    gn_view_carry(&v, &gn_mpii16, ALL, 2, &once);
    for (int k = 0; k < 2 * J; k++) NEAR(once.joints2d[k], s.joints2d[k], 1e-4);
    for (int k = 0; k < 3 * J; k++) NEAR(once.joints3d[k], s.joints3d[k], 0);
    for (int k = 0; k < 4; k++) NEAR(once.camera[k], s.camera[k], 1e-4);
    for (int k = 0; k < 12; k++) NEAR(once.pose_of_view[k], s.pose_of_view[k], 0);
    assert_memory_equal(once.labelled2d, s.labelled2d, J);
    assert_memory_equal(once.order, s.order, 6 * sizeof *s.order);
    gn_arena_free(a);
}

/* After any view, joints3d through camera is joints2d, and the transform from the world stays rigid. */
static void projection_holds(void **state) {
    (void)state;
    gn_arena *a = gn_arena_new("test");
    gn_augment g = { .rotate = 30, .rotate_share = 0.7, .scale = 0.25, .shift = 0.1, .flip = 0.5 };
    int turned = 0, flipped = 0;
    for (int t = 0; t < 300; t++) {
        double ratio = t % 3 ? 1 : 1.002; /* H36M's focal lengths differ by a thousandth */
        sample p;
        gn_label_store s;
        gn_view v;
        make_sample((uint64_t)t, ratio, &p);
        store(a, &p, &s);
        gn_view_draw(&g, 5, (gn_turn){ 0, t, 0, t }, SIDE, SIDE, 96, &v);
        gn_view_carry(&v, &gn_mpii16, ALL, 2, &s);
        turned += fabs(v.turn[1]) > 0.1, flipped += v.flip;
        for (int j = 0; j < J; j++) {
            const float *x = s.joints3d + 3 * j;
            double bound = 1e-3 + fabs(s.camera[0] - s.camera[1]) * fabs(v.turn[1]) * hypot(x[0], x[1]) / x[2];
            NEAR(hypot(s.camera[0] * x[0] / x[2] + s.camera[2] - s.joints2d[2 * j],
                       s.camera[1] * x[1] / x[2] + s.camera[3] - s.joints2d[2 * j + 1]), 0, bound);
        }
        const float *m = s.pose_of_view;
        double det = m[0] * (m[5] * m[10] - m[6] * m[9]) - m[1] * (m[4] * m[10] - m[6] * m[8]) + m[2] * (m[4] * m[9] - m[5] * m[8]);
        NEAR(det, 1, 1e-6);
        NEAR(s.head_size[0], 9 * v.zoom, 1e-4);
        gn_arena_rewind(a);
    }
    assert_true(turned > 50 && turned < 250 && flipped > 100 && flipped < 200);
    gn_arena_free(a);
}

/* The bright spot at the left wrist is where the label says it is, whatever the view. */
static void picture_follows(void **state) {
    (void)state;
    gn_arena *a = gn_arena_new("test");
    gn_augment g = { .rotate = 30, .rotate_share = 0.7, .scale = 0.25, .shift = 0.05, .flip = 0.5 };
    enum { S = 48 };
    float *input = gn_arena_take(a, sizeof *input * S * S * 3);
    int seen = 0;
    for (int t = 0; t < 100; t++) {
        sample p;
        gn_label_store s;
        gn_view v;
        gn_arena *b = gn_arena_new("sample");
        make_sample((uint64_t)t, 1, &p);
        store(b, &p, &s);
        gn_view_draw(t % 4 ? &g : NULL, 5, (gn_turn){ 0, t, 0, t }, SIDE, SIDE, S, &v);
        gn_view_carry(&v, &gn_mpii16, ALL, 2, &s);
        gn_view_picture(&v, p.image, NULL, input);
        int wrist = v.flip ? gn_mpii16.mirror[LEFT_WRIST] : LEFT_WRIST;
        double u = s.joints2d[2 * wrist], w = s.joints2d[2 * wrist + 1], mass = 0, mu = 0, mw = 0;
        gn_arena_free(b);
        if (!(u > 6 && w > 6 && u < S - 6 && w < S - 6)) continue;
        for (int y = (int)w - 5; y <= (int)w + 6; y++)
            for (int x = (int)u - 5; x <= (int)u + 6; x++) {
                double k = input[3 * (y * S + x)] > 0.505f || input[3 * (y * S + x)] < 0.495f ? input[3 * (y * S + x)] : 0; /* not the grey outside */
                mass += k, mu += k * x, mw += k * y;
            }
        if (mass < 2) continue;
        NEAR(mu / mass, u, 1.2);
        NEAR(mw / mass, w, 1.2);
        seen++;
    }
    assert_true(seen > 40);
    gn_arena_free(a);
}

static void label_rules(void **state) {
    (void)state;
    gn_arena *a = gn_arena_new("test");
    sample p;
    gn_label_store y;
    make_sample(8, 1, &p);
    store(a, &p, &y);
    memset(y.labelled3d, 1, J);
    const uint32_t has = GN_HAS_joints2d | GN_HAS_joints3d | GN_HAS_labelled3d;
    assert_int_equal(gn_rules_apply(NULL, &gn_mpii16, GN_HAS_joints2d, SIDE, &y), GN_HAS_joints2d);
    assert_int_equal(gn_rules_apply(NULL, &gn_mpii16, has, SIDE, &y), has | GN_HAS_depth);
    double pixels = 0, metres = 0;
    for (int e = 0; e < gn_mpii16.bones; e++) {
        int i = gn_mpii16.bone[e].a, k = gn_mpii16.bone[e].b;
        pixels += hypot(p.joints2d[2 * i] - p.joints2d[2 * k], p.joints2d[2 * i + 1] - p.joints2d[2 * k + 1]);
        metres += hypot(p.joints3d[3 * i] - p.joints3d[3 * k], p.joints3d[3 * i + 1] - p.joints3d[3 * k + 1]);
    }
    double scale = pixels / metres;
    for (int j = 0; j < J; j++) {
        NEAR(y.depth[j], scale * (p.joints3d[3 * j + 2] - p.joints3d[3 * 6 + 2]) / (SIDE / 2), 1e-5);
        NEAR(y.joints2d[2 * j], p.joints2d[2 * j], 0);
    }
    gn_label_rules paper = { 1, 1, 1, 1 };
    gn_rules_apply(&paper, &gn_mpii16, has, SIDE, &y);
    for (int j = 0; j < J; j++) {
        if (j == 7) continue;
        NEAR(y.depth[j], scale * (p.joints3d[3 * j + 2] - p.joints3d[3 * 7 + 2]) / (SIDE / 2) + 0.0223, 1e-4);
        NEAR(y.joints2d[2 * j], p.joints2d[2 * 7] + scale * (p.joints3d[3 * j] - p.joints3d[3 * 7]), 1e-3);
    }
    NEAR(y.joints2d[2 * 7], (y.joints2d[2 * 12] + y.joints2d[2 * 13]) / 2, 1e-4);
    NEAR(y.depth[7], (y.depth[12] + y.depth[13]) / 2, 1e-6);
    y.labelled3d[13] = 0;
    assert_int_equal(gn_rules_apply(&paper, &gn_mpii16, has, SIDE, &y), has | GN_HAS_depth);
    assert_int_equal(y.labelled3d[7], 0);
    assert_int_equal(gn_rules_apply(&paper, &gn_mpii16, has | GN_HAS_depth, SIDE, &y), has);
    gn_arena_free(a);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flip_twice),
        cmocka_unit_test(projection_holds),
        cmocka_unit_test(picture_follows),
        cmocka_unit_test(label_rules),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
