/* test_formula_f64.c - formulas in double: slopes against central differences, invariants, and label
 * conversions against values worked out independently (golden/labels.py). */
#include "draw.h"
#include "formula/heatmap.h"
#include "formula/penalty.h"
#include "gnomon/tensor.h"
#include "golden/labels.h"
#include "near.h"

#define GN_LOSS(name, OPTIONS, help, reads, least, views, needs)
#define GN_MAP_LOSS(name, OPTIONS, help, output, needs)
#include "loss/all.h"

#define N 1000
#define H 1e-6

/* --- formula.h, penalty.h --- */
static void smooth(void **state) {
    (void)state;
    draws d = { 1, 0 };
    int within = 0, beyond = 0;
    for (int i = 0; i < N; i++) {
        double x = draw_normal(&d, 3), knee = draw_in(&d, 0.1, 3), slope, unused;
        NEAR((gn_softplus(x + H) - gn_softplus(x - H)) / (2 * H), gn_sigmoid(x), 1e-8);
        NEAR((gn_huber(x + H, knee) - gn_huber(x - H, knee)) / (2 * H), gn_huber_slope(x, knee), 1e-6);
        NEAR(gn_sigmoid(x) + gn_sigmoid(-x), 1, 1e-15);
        NEAR(gn_softplus(x) - gn_softplus(-x), x, 1e-14);
        for (int form = GN_SQUARED; form <= GN_HUBER; form++) {
            gn_penalty(form, x, knee, &slope);
            NEAR((gn_penalty(form, x + H, knee, &unused) - gn_penalty(form, x - H, knee, &unused)) / (2 * H),
                 slope, 1e-6);
            NEAR(gn_penalty(form, x, knee, &unused), gn_penalty(form, -x, knee, &unused), 0);
        }
        double n = fabs(x);
        gn_square_kneed(n, knee, &slope);
        NEAR((gn_square_kneed(n + H, knee, &unused) - gn_square_kneed(n - H, knee, &unused)) / (2 * H),
             slope * n, 1e-5);
        *(n <= knee ? &within : &beyond) += 1;
    }
    assert_true(within > N / 20 && beyond > N / 20);
    assert_true(gn_softplus(800) == 800 && gn_softplus(-800) == 0 && gn_sigmoid(-800) == 0 &&
                gn_sigmoid(800) == 1);
    double slope;
    assert_true(isnan(gn_penalty(GN_HUBER, NAN, 1, &slope)) && isnan(gn_penalty(GN_L1, NAN, 1, &slope)));
    assert_true(isnan(gn_square_kneed(NAN, 1, &slope)) && isnan(gn_softplus(NAN)));
}

/* --- camera.h --- */
static void projection(void **state) {
    (void)state;
    draws d = { 2, 0 };
    int guarded = 0, open = 0;
    for (int i = 0; i < N; i++) {
        double camera[4] = { draw_in(&d, 100, 900), draw_in(&d, 100, 900), draw_in(&d, 0, 256),
                             draw_in(&d, 0, 256) };
        double p[3] = { draw_normal(&d, 1), draw_normal(&d, 1), draw_in(&d, -1, 4) }, gu = draw_normal(&d, 1),
               gv = draw_normal(&d, 1);
        const double least = 0.5;
        gn_pixel at = gn_project(camera, gn_vec3_make(p[0], p[1], p[2]), least);
        gn_vec3 pull = gn_project_pull(at, gu, gv);
        double slope[3] = { pull.x, pull.y, pull.z };
        *(p[2] <= least ? &guarded : &open) += 1;
        if (fabs(p[2] - least) < 2 * H) continue;
        for (int k = 0; k < 3; k++) {
            double q[3] = { p[0], p[1], p[2] };
            q[k] += H;
            gn_pixel up = gn_project(camera, gn_vec3_make(q[0], q[1], q[2]), least);
            q[k] -= 2 * H;
            gn_pixel down = gn_project(camera, gn_vec3_make(q[0], q[1], q[2]), least);
            NEAR_REL((gu * (up.u - down.u) + gv * (up.v - down.v)) / (2 * H), slope[k], 1e-6, camera[0]);
        }
        /* a ray is projected onto one pixel */
        gn_pixel farther = gn_project(camera, gn_vec3_make(2 * p[0], 2 * p[1], 2 * p[2]), least);
        if (p[2] > least) NEAR(farther.u, at.u, 1e-9);
    }
    assert_true(guarded > N / 10 && open > N / 2);
    double camera[4] = { 1, 1, 0, 0 };
    assert_true(isnan(gn_project(camera, gn_vec3_make(1, 1, NAN), 0.1).u));
}

/* There and back is nowhere; lengths stay; a slope carried back is the slope. Li's own way of writing a view,
 * by the camera's centre, composes to the same (B2, eq. 3 and 4). */
static void views(void **state) {
    (void)state;
    draws d = { 3, 0 };
    for (int i = 0; i < N; i++) {
        double a[12], b[12];
        draw_view(&d, a, draw_in(&d, 2, 6));
        draw_view(&d, b, draw_in(&d, 2, 6));
        gn_vec3 p = gn_vec3_make(draw_normal(&d, 1), draw_normal(&d, 1), draw_in(&d, 2, 5));
        gn_vec3 q = gn_to_view(a, b, p), back = gn_to_view(b, a, q), g = gn_vec3_make(1, -2, 0.5);
        NEAR(back.x, p.x, 1e-13);
        NEAR(back.y, p.y, 1e-13);
        NEAR(back.z, p.z, 1e-13);

        /* centre c = -R^T t; R_12 (p - t_12), R_12 = R_2 R_1^T, t_12 = R_1 (c_2 - c_1) */
        gn_vec3 ca = gn_rotate_back(a, gn_vec3_make(-a[3], -a[7], -a[11]));
        gn_vec3 cb = gn_rotate_back(b, gn_vec3_make(-b[3], -b[7], -b[11]));
        gn_vec3 t = gn_rotate(a, gn_vec3_make(cb.x - ca.x, cb.y - ca.y, cb.z - ca.z));
        gn_vec3 li = gn_rotate(b, gn_rotate_back(a, gn_vec3_make(p.x - t.x, p.y - t.y, p.z - t.z)));
        NEAR(li.x, q.x, 1e-12);
        NEAR(li.y, q.y, 1e-12);
        NEAR(li.z, q.z, 1e-12);

        gn_vec3 pull = gn_to_view_pull(a, b, g), up = gn_to_view(a, b, gn_vec3_make(p.x, p.y + H, p.z));
        NEAR((g.x * (up.x - q.x) + g.y * (up.y - q.y) + g.z * (up.z - q.z)) / H, pull.y, 1e-8);
    }
}

/* --- crop.h --- */
static void conversions(void **state) {
    (void)state;
    NEAR(gn_picture_to_cell(-0.5, 256, 64), -0.5, 1e-15); /* edges meet edges */
    NEAR(gn_picture_to_cell(255.5, 256, 64), 63.5, 1e-13);
    NEAR(gn_picture_to_cell(1.5, 256, 64), 0, 1e-15); /* the middle of the first four pixels */
    NEAR(gn_picture_to_half(-0.5, 256), -1, 1e-15);
    NEAR(gn_picture_to_half(255.5, 256), 1, 1e-15);
    draws d = { 4, 0 };
    for (int i = 0; i < N; i++) {
        double x = draw_in(&d, -20, 300), side = draw_in(&d, 32, 512), cells = draw_in(&d, 8, 128),
               k = draw_in(&d, 20, 300);
        NEAR(gn_cell_to_picture(gn_picture_to_cell(x, side, cells), side, cells), x, 1e-11);
        NEAR(gn_half_to_picture(gn_picture_to_half(x, side), side), x, 1e-11);
        NEAR(gn_picture_to_cell(side - 1 - x, side, cells), cells - 1 - gn_picture_to_cell(x, side, cells),
             1e-10); /* mirror */
        NEAR(gn_depth_to_metres(gn_depth_from_metres(x, 3, k, side, 0.01), k, side, 0.01), x - 3, 1e-10);
    }
    NEAR(GN_DEPTH_OFFSET_PAPER, 0.0223, 5e-5); /* A3.4 */
}

/* Three samples of 16 joints in a crop of 224, the paper's way and the plain way. */
static void golden_labels(void **state) {
    (void)state;
    const gn_skeleton *s = &gn_mpii16;
    const int thorax = gn_joint_find(s, "thorax"), left = gn_joint_find(s, "l_shoulder"),
              right = gn_joint_find(s, "r_shoulder");
    for (int i = 0; i < 3; i++) {
        const double *xyz = golden_world + 48 * i;
        double k = gn_weak_factor(s, golden_pixel + 32 * i, xyz, NULL), uv[32], z[16];
        NEAR_REL(k, golden_factor[i], 1e-13, 0);

        for (int j = 0; j < 16; j++)
            NEAR(gn_depth_from_metres(xyz[3 * j + 2], xyz[3 * s->root + 2], k, 224, 0),
                 golden_exact_depth[16 * i + j], 1e-13);

        memcpy(uv, golden_pixel + 32 * i, sizeof uv);
        gn_weak_points(16, thorax, k, xyz, uv);
        for (int j = 0; j < 16; j++)
            z[j] = gn_depth_from_metres(xyz[3 * j + 2], xyz[3 * thorax + 2], k, 224, GN_DEPTH_OFFSET_PAPER);
        gn_thorax_from_shoulders(thorax, left, right, 2, uv);
        gn_thorax_from_shoulders(thorax, left, right, 1, z);
        for (int j = 0; j < 32; j++) NEAR(uv[j], golden_paper_pixel[32 * i + j], 1e-11);
        for (int j = 0; j < 16; j++) NEAR(z[j], golden_paper_depth[16 * i + j], 1e-13);
    }
    uint8_t labelled[16] = { 0 };
    assert_true(gn_weak_factor(s, golden_pixel, golden_world, labelled) == 0);
}

/* --- heatmap.h --- */
static void golden_heat(void **state) {
    (void)state;
    for (int form = GN_TARGET_EXACT; form <= GN_TARGET_PAPER; form++)
        for (int m = 0; m < 48; m++) {
            gn_target x = gn_target_make(form, 1.75, gn_picture_to_cell(golden_pixel[2 * m], 224, 64), 64);
            gn_target y =
                gn_target_make(form, 1.75, gn_picture_to_cell(golden_pixel[2 * m + 1], 224, 64), 64);
            double got[4] = { 0 };
            for (int r = y.first; r <= y.last; r++)
                for (int q = x.first; q <= x.last; q++) {
                    double e = gn_target_value(x, q) * gn_target_value(y, r);
                    got[0] += e, got[1] += e * q, got[2] += e * r, got[3] = fmax(got[3], e);
                }
            const double *want = (form == GN_TARGET_PAPER ? golden_heat_paper : golden_heat_exact) + 4 * m;
            for (int k = 0; k < 4; k++)
                NEAR_REL(got[k], want[k], form == GN_TARGET_PAPER ? 1e-13 : 1e-7, 1); /* 6 sigma */
        }
    /* the constants of the authors' table (A3.5) */
    gn_target t = gn_target_make(GN_TARGET_PAPER, 1, 30.2, 64);
    assert_true(t.first == 27 && t.last == 33);
    NEAR(gn_target_value(t, 31), 0.8494, 5e-5);
    NEAR(gn_target_value(t, 32), 0.5205, 5e-5);
    NEAR(gn_target_value(t, 33), 0.2301, 5e-5);
    /* off the map, or no number at all: nothing is drawn */
    t = gn_target_make(GN_TARGET_PAPER, 1, -9, 64);
    assert_true(t.first > t.last);
    t = gn_target_make(GN_TARGET_EXACT, 2, NAN, 64);
    assert_true(t.first > t.last);
    t = gn_target_make(GN_TARGET_EXACT, 2, INFINITY, 64);
    assert_true(t.first > t.last);
}

static void decoding(void **state) {
    (void)state;
    draws d = { 6, 0 };
    int quarter[3] = { 0 };
    for (int i = 0; i < N; i++) {
        double at = draw_in(&d, 0.6, 62.4);
        int cell = (int)floor(at + 0.5);
        gn_target t = gn_target_make(GN_TARGET_EXACT, 1.5, at, 64);
        double a = gn_target_value(t, cell - 1), b = gn_target_value(t, cell),
               c = gn_target_value(t, cell + 1);
        NEAR(gn_decode_peak(cell, 64, log(a), log(b), log(c)), at, 1e-11); /* a Gaussian is given back */
        double q = gn_decode_quarter(cell, 64, a, c);
        NEAR(q, at, 0.2500001);
        quarter[(int)(4 * (q - cell)) + 1]++;
        NEAR(gn_decode_quarter(63 - cell, 64, c, a), 63 - q, 0); /* mirror */
        NEAR(gn_decode_peak(63 - cell, 64, c, b, a), 63 - gn_decode_peak(cell, 64, a, b, c), 1e-12);
    }
    assert_true(quarter[0] > N / 4 && quarter[2] > N / 4);
    NEAR(gn_decode_quarter(0, 64, 1, 2), 0, 0);
    NEAR(gn_decode_quarter(63, 64, 1, 2), 63, 0);
    NEAR(gn_decode_quarter(5, 64, 2, 2), 5, 0);
    NEAR(gn_decode_peak(5, 64, 2, 2, 2), 5, 0);
}

/* --- the bone loss, by the authors' own constants --- */
static void golden_bones(void **state) {
    (void)state;
    for (int i = 0; i < 3; i++) {
        uint8_t labelled[16];
        for (int j = 0; j < 16; j++) labelled[j] = (uint8_t)golden_visible[16 * i + j];
        gn_labels y = { GN_HAS_joints2d | GN_HAS_labelled2d,
                        16,
                        0,
                        224,
                        &gn_mpii16,
                        .joints2d = golden_pixel + 32 * i,
                        .labelled2d = labelled };
        gn_points x = { { golden_guess + 16 * i } };
        gn_group g = { 1, &y, &x };
        for (int scale = BONE_CODE; scale <= BONE_PAPER; scale++) {
            bone_options o = { .scale = scale };
            double sum = 0;
            for (int t = 0; t < bone_terms(&g); t++) {
                gn_pull p = { 0 };
                if (bone_offers(&o, &g, t)) sum += bone_term(&o, &g, t, &p);
            }
            NEAR_REL(sum, (scale == BONE_PAPER ? golden_bone_paper : golden_bone_code)[i], 1e-10,
                     0); /* means have 12 digits */
        }
    }
    bone_options o = { 0 };
    for (int e = 0; e < gn_mpii16.bones; e++) { /* the released weights */
        int b = gn_mpii16.bone[e].b, shin = b == 0 || b == 5, forearm = b == 10 || b == 15;
        if (gn_mpii16.bone[e].group < 0) continue;
        NEAR(bone_weight(&o, &gn_mpii16, e),
             shin      ? 1.0085885098415446
             : forearm ? 1.1375361376887123
                       : 1,
             1e-10);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(smooth),      cmocka_unit_test(projection),    cmocka_unit_test(views),
        cmocka_unit_test(conversions), cmocka_unit_test(golden_labels), cmocka_unit_test(golden_heat),
        cmocka_unit_test(decoding),    cmocka_unit_test(golden_bones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
