/* Metrics against NumPy's values, and what must hold for any pose. */
#include "near.h"
#include "gnomon/metric.h"
#include <stdlib.h>
#include <string.h>

enum { N = 9, J = 16 };
static const double poses[N][J * 3] = {
#include "golden/poses.h"
};
static const struct { const char *name; double value, baseline; } golden[] = {
#include "golden/metrics.h"
};

typedef struct {
    gn_real uv[J * 2], xyz[J * 3], camera[4], head;
    uint8_t in2d[J], in3d[J];
    gn_labels label;
    gn_prediction said;
} sample;

/* The samples of golden/metrics.py: real poses, and sines of the indices between them and what is said. */
static void make(int i, sample *s) {
    const int root = gn_mpii16.root;
    *s = (sample){ .head = (gn_real)(7 + i), .camera = { 120, 125, 47.5f, 46.5f } };
    s->said.has_uv = s->said.has_z = s->said.has_xyz = 1;
    for (int j = 0; j < J; j++) {
        s->in2d[j] = (i * 5 + j) % 7 != 2;
        s->in3d[j] = (i * 5 + j) % 7 != 3 || j == root;
        for (int k = 0; k < 3; k++) s->xyz[3 * j + k] = (gn_real)poses[i][3 * j + k];
        for (int k = 0; k < 2; k++) {
            s->uv[2 * j + k] = (gn_real)((double)s->camera[k] * (double)s->xyz[3 * j + k] / (double)s->xyz[3 * j + 2] +
                                         (double)s->camera[2 + k]);
            s->said.uv[j][k] = (double)s->uv[2 * j + k] + 6 * sin(2.1 * i + 1.7 * j + 0.6 * k);
        }
    }
    for (int k = 0; k < 3; k++) s->said.root[k] = (double)s->xyz[3 * root + k] + 0.03 * sin(1.7 * i + 2.3 * k);
    for (int j = 0; j < J; j++) {
        for (int k = 0; k < 3; k++)
            s->said.xyz[j][k] = (double)s->xyz[3 * j + k] - (double)s->xyz[3 * root + k] +
                                (k == 2 ? 0.2 : 0.08) * sin(3.1 * i + 1.9 * j + 2.7 * k);
        s->said.z[j] = 2.0 / 96 * (double)s->camera[0] / (double)s->xyz[3 * root + 2] * s->said.xyz[j][2];
    }
    s->label = (gn_labels){ .has = GN_HAS_joints2d | GN_HAS_labelled2d | GN_HAS_joints3d | GN_HAS_labelled3d |
                                   GN_HAS_camera | GN_HAS_head_size,
                            .J = J, .side = 96, .skeleton = &gn_mpii16, .joints2d = s->uv, .labelled2d = s->in2d,
                            .joints3d = s->xyz, .labelled3d = s->in3d, .camera = s->camera, .head_size = &s->head };
}

static void read_all(gn_arena *a, gn_scores *scores, void (*change)(sample *)) {
    gn_meter *m;
    OK(gn_meter_open(a, &gn_mpii16, N, &m));
    for (int i = 0; i < N; i++) {
        sample s;
        make(i, &s);
        if (change) change(&s);
        OK(gn_meter_add(m, &s.label, &s.said));
    }
    *scores = (gn_scores){ .set = "nine", .mirrored = 1 };
    OK(gn_meter_read(m, a, scores));
    assert_true(scores->mirrored && !strcmp(scores->set, "nine"));
}

static void test_golden(void **state) {
    (void)state;
    gn_arena *a = gn_arena_new("test");
    gn_scores scores;
    read_all(a, &scores, NULL);
    assert_int_equal(scores.n, sizeof golden / sizeof *golden);
    for (int i = 0; i < scores.n; i++) {
        const gn_score *s = gn_score_find(&scores, golden[i].name);
        if (!s) fail_msg("no score %s", golden[i].name);
        if (!(fabs(s->value - golden[i].value) <= 1e-6 * golden[i].value))
            fail_msg("%s = %.12g, NumPy says %.12g", golden[i].name, s->value, golden[i].value);
        if (isnan(golden[i].baseline)) assert_true(isnan(s->baseline));
        else if (!(fabs(s->baseline - golden[i].baseline) <= 1e-6 * golden[i].baseline))
            fail_msg("baseline of %s = %.12g, NumPy says %.12g", golden[i].name, s->baseline, golden[i].baseline);
    }
    gn_arena_free(a);
}

static void perfect(sample *s) {
    for (int k = 0; k < 3; k++) s->said.root[k] = (double)s->xyz[3 * gn_mpii16.root + k];
    for (int j = 0; j < J; j++) {
        for (int k = 0; k < 2; k++) s->said.uv[j][k] = (double)s->uv[2 * j + k];
        for (int k = 0; k < 3; k++)
            s->said.xyz[j][k] = (double)s->xyz[3 * j + k] - (double)s->xyz[3 * gn_mpii16.root + k];
    }
}
static void test_perfect(void **state) {
    (void)state;
    static const char *const none[] = { "mpjpe_mm", "n_mpjpe_mm", "pa_mpjpe_mm", "depth_mm", "mpjpe_abs_mm" };
    static const char *const all[] = { "pck3d", "pckh", "pck", "depth_order", "map10" };
    gn_arena *a = gn_arena_new("test");
    gn_scores scores;
    read_all(a, &scores, perfect);
    for (int i = 0; i < 5; i++) {
        NEAR(gn_score_find(&scores, none[i])->value, 0, 1e-9);
        NEAR(gn_score_find(&scores, all[i])->value, 100, 0);
    }
    NEAR(gn_score_find(&scores, "auc3d")->value, 100.0 * 30 / 31, 1e-9); /* nothing is less than 0 mm off */
    gn_arena_free(a);
}

static void blank_3d(sample *s) { s->label.has &= ~(uint32_t)GN_HAS_joints3d; }
static void test_weak_set(void **state) {
    (void)state;
    gn_arena *a = gn_arena_new("test");
    gn_scores scores;
    read_all(a, &scores, blank_3d);
    assert_non_null(gn_score_find(&scores, "pckh"));
    assert_non_null(gn_score_find(&scores, "upper_arm_mm")); /* symmetry needs no truth */
    assert_null(gn_score_find(&scores, "mpjpe_mm"));
    assert_null(gn_score_find(&scores, "depth_order"));
    gn_arena_free(a);
}

/* Who says nothing of pixels, a lifter, is not judged by them. */
static void blank_2d(sample *s) { s->said.has_uv = s->said.has_z = 0, memset(s->said.uv, 0, sizeof s->said.uv); }
static void test_lifted(void **state) {
    (void)state;
    static const char *const of_pixels[] = { "pckh", "pck", "own2d_mpjpe_mm", "canonical_mpjpe_mm" };
    gn_arena *a = gn_arena_new("test");
    gn_scores plain, scores;
    read_all(a, &plain, NULL);
    read_all(a, &scores, blank_2d);
    for (int i = 0; i < 4; i++) {
        assert_non_null(gn_score_find(&plain, of_pixels[i]));
        assert_null(gn_score_find(&scores, of_pixels[i]));
    }
    assert_int_equal(scores.n, plain.n - 4);
    assert_true(gn_score_find(&scores, "mpjpe_mm")->value == gn_score_find(&plain, "mpjpe_mm")->value);
    gn_judged t = *gn_meter_at(scores.meter, 0);
    t.has3d = 0;
    assert_true(isnan(gn_judged_error(&t, &gn_mpii16)));
    gn_arena_free(a);
}

static void one_nan(sample *s) { s->said.xyz[3][1] = NAN, s->said.uv[3][0] = NAN; }
static void all_nan(sample *s) {
    for (int j = 0; j < J; j++) {
        for (int k = 0; k < 3; k++) s->said.xyz[j][k] = s->said.root[k] = NAN;
        s->said.uv[j][0] = s->said.uv[j][1] = s->said.z[j] = NAN;
    }
}
static void test_nan_never_wins(void **state) {
    (void)state;
    gn_arena *a = gn_arena_new("test");
    gn_scores plain, hurt, lost;
    read_all(a, &plain, perfect);
    read_all(a, &hurt, one_nan);
    read_all(a, &lost, all_nan);
    assert_true(isnan(gn_score_find(&hurt, "mpjpe_mm")->value));
    assert_true(gn_score_find(&hurt, "pckh")->value < gn_score_find(&plain, "pckh")->value);
    assert_true(gn_score_find(&hurt, "pck3d")->joint[3] == 0);
    assert_int_equal(lost.n, plain.n);
    for (int i = 0; i < lost.n; i++) { /* a pose of NaN has an error of NaN, and hits nothing */
        const gn_score *s = &lost.score[i];
        if (s->metric->less_is_better ? !isnan(s->value) : s->value != 0) fail_msg("%s = %g", s->metric->name, s->value);
        assert_false(gn_score_beats(s));
    }
    gn_arena_free(a);
}

/* Errors on a threshold: two points apart along x alone, so that the error is exact. */
static double edge_mm, edge_px;
static void on_edge(sample *s) {
    perfect(s);
    s->head = 16;
    for (int j = 0; j < J; j++) {
        for (int k = 0; k < 3; k++) s->xyz[3 * j + k] = (gn_real)(k == 2 ? 2 : 0), s->said.xyz[j][k] = s->said.root[k] = 0;
        s->said.root[2] = 2, s->said.xyz[j][0] = edge_mm / 1000;
        s->uv[2 * j] = s->uv[2 * j + 1] = 0;
        s->said.uv[j][0] = edge_px, s->said.uv[j][1] = 0;
    }
}
static void test_thresholds(void **state) {
    (void)state;
    static const struct { double mm, px; const char *name; double value; } at[] = {
        { 150, 0, "pck3d", 0 },  { 149.999, 0, "pck3d", 100 }, { 100, 0, "map10", 0 }, { 99.999, 0, "map10", 100 },
        { 0, 8, "pckh", 0 },     { 0, 7.999, "pckh", 100 },    { 0, 4.8, "pck", 100 }, { 0, 4.801, "pck", 0 },
        { 145, 0, "auc3d", 100.0 / 31 }, { 144.999, 0, "auc3d", 200.0 / 31 },
    };
    for (size_t i = 0; i < sizeof at / sizeof *at; i++) {
        gn_arena *a = gn_arena_new("test");
        gn_scores s;
        edge_mm = at[i].mm, edge_px = at[i].px;
        read_all(a, &s, on_edge);
        double value = gn_score_find(&s, at[i].name)->value;
        if (!(fabs(value - at[i].value) <= 1e-9)) fail_msg("%s at %g mm, %g px: %g", at[i].name, at[i].mm, at[i].px, value);
        gn_arena_free(a);
    }
}

static void hide(sample *s) {
    for (int j = 0; j < J; j++)
        if (!s->in3d[j] || !s->in2d[j]) { /* what is not labelled may be anything */
            for (int k = 0; k < 3; k++) s->xyz[3 * j + k] = s->in3d[j] ? s->xyz[3 * j + k] : (gn_real)NAN;
            s->uv[2 * j] = s->in2d[j] ? s->uv[2 * j] : (gn_real)NAN;
        }
}
static void nothing(sample *s) { memset(s->in2d, 0, sizeof s->in2d), memset(s->in3d, 0, sizeof s->in3d); }
static void test_absent(void **state) {
    (void)state;
    gn_arena *a = gn_arena_new("test");
    gn_scores plain, hidden, none;
    read_all(a, &plain, NULL);
    read_all(a, &hidden, hide);
    assert_int_equal(plain.n, hidden.n);
    for (int i = 0; i < plain.n; i++)
        if (!(plain.score[i].value == hidden.score[i].value)) fail_msg("%s reads what is absent", plain.score[i].metric->name);
    read_all(a, &none, nothing); /* symmetry alone needs no label */
    assert_int_equal(none.n, 4);
    gn_meter *m;
    OK(gn_meter_open(a, &gn_mpii16, 0, &m));
    OK(gn_meter_read(m, a, &none));
    assert_int_equal(none.n, 0);
    gn_arena_free(a);
}

static void test_too_many(void **state) {
    (void)state;
    gn_arena *a = gn_arena_new("test");
    gn_meter *m;
    sample s;
    make(0, &s);
    OK(gn_meter_open(a, &gn_mpii16, 1, &m));
    OK(gn_meter_add(m, &s.label, &s.said));
    FAILS(gn_meter_add(m, &s.label, &s.said), INTERNAL);
    s.label.J = 17;
    OK(gn_meter_open(a, &gn_mpii16, 1, &m));
    FAILS(gn_meter_add(m, &s.label, &s.said), BAD_DATA);
    gn_arena_free(a);
}

/* --- the similarity --- */

static double draw(unsigned *seed) { return (double)(*seed = *seed * 1664525u + 1013904223u) / 4294967296.0 - 0.5; }

static double residual(int n, double (*x)[3], double (*y)[3]) {
    double fitted[J][3], sum = 0;
    gn_similarity_fit(n, (const double (*)[3])x, (const double (*)[3])y, fitted);
    for (int j = 0; j < n; j++)
        for (int k = 0; k < 3; k++) sum += (fitted[j][k] - y[j][k]) * (fitted[j][k] - y[j][k]);
    return sum;
}

/* y = s R x + t, R turns by `angle` about (1, 2, 3) / |.| */
static void move(double (*x)[3], double (*y)[3], double s, double angle) {
    double n = sqrt(14), e[3] = { 1 / n, 2 / n, 3 / n }, c = cos(angle), d = sin(angle);
    for (int j = 0; j < J; j++) {
        double dot = e[0] * x[j][0] + e[1] * x[j][1] + e[2] * x[j][2];
        double cross[3] = { e[1] * x[j][2] - e[2] * x[j][1], e[2] * x[j][0] - e[0] * x[j][2], e[0] * x[j][1] - e[1] * x[j][0] };
        for (int k = 0; k < 3; k++) y[j][k] = s * (c * x[j][k] + d * cross[k] + (1 - c) * dot * e[k]) + 10 * k - 7;
    }
}

static void test_similarity_recovers(void **state) {
    (void)state;
    unsigned seed = 1;
    for (int i = 0; i < 200; i++) {
        double x[J][3], y[J][3];
        for (int j = 0; j < J; j++)
            for (int k = 0; k < 3; k++) x[j][k] = draw(&seed);
        move(x, y, 0.1 + 50 * (draw(&seed) + 0.5), 6.3 * draw(&seed));
        NEAR(residual(J, x, y), 0, 1e-18 * 50 * 50 * J);
        for (int j = 0; j < J; j++) x[j][1] = -x[j][1]; /* a mirror image is not a rotation away */
        assert_true(residual(J, x, y) > 1e-3);
    }
}

static void test_similarity_degenerate(void **state) {
    (void)state;
    unsigned seed = 2;
    for (int kind = 0; kind < 6; kind++) {
        double x[J][3], y[J][3], line[J][3];
        for (int j = 0; j < J; j++)
            for (int k = 0; k < 3; k++) {
                x[j][k] = y[j][k] = draw(&seed);
                line[j][k] = x[j][0] * (k + 1);
                if (kind == 0) x[j][k] = 3;                 /* one place */
                if (kind == 1) x[j][k] = x[j][0] * (k + 1); /* a line */
                if (kind == 2 && k == 2) x[j][k] = 0;       /* a plane */
                if (kind == 3) y[j][k] = -1;                /* onto one place */
                if (kind == 4) x[j][k] *= 1e-160;
                if (kind == 5) x[j][k] *= 1e120;
            }
        double r = residual(J, x, y), spread = 0, mean[3] = { 0 };
        for (int j = 0; j < J; j++)
            for (int k = 0; k < 3; k++) mean[k] += y[j][k] / J;
        for (int j = 0; j < J; j++)
            for (int k = 0; k < 3; k++) spread += (y[j][k] - mean[k]) * (y[j][k] - mean[k]);
        if (!(r <= spread * (1 + 1e-9) + 1e-12)) fail_msg("kind %d: residual %g, %g without any fit", kind, r, spread);
        if (kind == 1) NEAR(residual(J, x, line), residual(J, line, x), 1); /* finite both ways */
        if (kind >= 4) NEAR(r, 0, 1e-9);
    }
}

static void test_similarity_is_best(void **state) {
    (void)state;
    unsigned seed = 3;
    for (int i = 0; i < 20; i++) {
        double x[J][3], y[J][3], moved[J][3];
        for (int j = 0; j < J; j++)
            for (int k = 0; k < 3; k++) x[j][k] = draw(&seed), y[j][k] = x[j][k] + draw(&seed);
        double best = residual(J, x, y), fitted[J][3];
        gn_similarity_fit(J, (const double (*)[3])x, (const double (*)[3])y, fitted);
        for (int t = 0; t < 50; t++) { /* any small turn away from it is worse */
            move(fitted, moved, 1 + 0.02 * draw(&seed), 0.05 * draw(&seed));
            double sum = 0;
            for (int j = 0; j < J; j++)
                for (int k = 0; k < 3; k++) sum += pow(moved[j][k] - 10 * k + 7 - y[j][k], 2);
            assert_true(sum >= best - 1e-12);
        }
    }
}

static void test_canonical_scale(void **state) {
    (void)state;
    sample s;
    double x[J][3], sum = 0;
    make(2, &s);
    gn_canonical_pose(&gn_mpii16, 96, &s.said, GN_ZHOU_BONES_MM, x);
    for (int e = 0; e < gn_mpii16.bones; e++) {
        const double *a = x[gn_mpii16.bone[e].a], *b = x[gn_mpii16.bone[e].b];
        sum += sqrt(pow(a[0] - b[0], 2) + pow(a[1] - b[1], 2) + pow(a[2] - b[2], 2));
    }
    NEAR(sum, GN_ZHOU_BONES_MM, 1e-8);
    memset(s.said.uv, 0, sizeof s.said.uv), memset(s.said.z, 0, sizeof s.said.z);
    gn_canonical_pose(&gn_mpii16, 96, &s.said, GN_ZHOU_BONES_MM, x); /* a collapsed pose has no scale */
    for (int j = 0; j < J; j++) NEAR(x[j][0] + x[j][1] + x[j][2], 0, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden),
        cmocka_unit_test(test_perfect),
        cmocka_unit_test(test_weak_set), cmocka_unit_test(test_lifted),
        cmocka_unit_test(test_nan_never_wins),
        cmocka_unit_test(test_thresholds),
        cmocka_unit_test(test_absent),
        cmocka_unit_test(test_too_many),
        cmocka_unit_test(test_similarity_recovers),
        cmocka_unit_test(test_similarity_degenerate),
        cmocka_unit_test(test_similarity_is_best),
        cmocka_unit_test(test_canonical_scale),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
