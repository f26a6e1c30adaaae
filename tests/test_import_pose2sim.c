/* test_import_pose2sim.c - points out of several cameras: made ones, a real session, TRC and calibrations. */
#include "gnomon/json.h"
#include "importing.h"
#include "source.h"
#include "src/import/rig.h"
#include "src/import/toml.h"
#include "src/import/trc.h"

#define TAKE "pose2sim/S00_P00_T01_BalancingTrial"
#define TOML "pose2sim/calibration/Calib_qualisys.toml"
static importing t;
static int set_up(void **state) {
    (void)state;
    importing_begin(&t, "pose2sim");
    return 0;
}
static int tear_down(void **state) {
    (void)state;
    importing_end(&t);
    return 0;
}

/* Four cameras on a circle of 4 m that look at its middle, y down. */
static void ring(gn_view v[4]) {
    for (int k = 0; k < 4; k++) {
        const double s = sin(0.3 + 1.4 * k), c = cos(0.3 + 1.4 * k);
        v[k] = (gn_view){ .lens = { .f = { 1500, 1510 }, .c = { 540, 960 }, .k = { -0.1, 0.02 }, .p = { 1e-3, -5e-4 } }, .pose = { c, 0, -s, 0, 0, 1, 0, 0, s, 0, c, 4 } };
    }
}
static double draw(uint32_t *seed) {
    *seed = *seed * 1664525 + 1013904223;
    return (*seed >> 8) / 8388608.0 - 1;
}

static void triangulated(void **state) {
    (void)state;
    gn_view v[4];
    uint32_t seed = 5;
    ring(v);
    for (int i = 0; i < 50; i++) {
        const double at[3] = { draw(&seed), draw(&seed), draw(&seed) };
        double found[3];
        gn_seen s[4];
        for (int k = 0; k < 4; k++) {
            s[k].sure = 0.7 + 0.2 * draw(&seed);
            assert_true(gn_view_project(&v[k], at, NULL, s[k].uv));
        }
        assert_true(gn_triangulate_linear(4, v, s, found));
        for (int d = 0; d < 3; d++) NEAR(found[d], at[d], 1e-9);
        s[i % 4].uv[1] += 80; /* one view is of another: it moves the plain answer, not the robust one */
        assert_true(gn_triangulate_linear(4, v, s, found));
        assert_true(fabs(found[0] - at[0]) + fabs(found[1] - at[1]) + fabs(found[2] - at[2]) > 5e-3);
        assert_true(gn_triangulate(4, v, s, 3, found));
        for (int d = 0; d < 3; d++) NEAR(found[d], at[d], 2e-3);
    }
    gn_seen none[4] = { { { 0 }, 0 } };
    double found[3];
    none[2].sure = 1;
    assert_false(gn_triangulate_linear(4, v, none, found));
    v[1] = v[0];
    const gn_seen twice[2] = { { { 600, 900 }, 1 }, { { 600, 900 }, 1 } }; /* from one place */
    assert_false(gn_triangulate(2, v, twice, 3, found));
}

static void nudged_cameras(void **state) {
    (void)state;
    enum { POINTS = 200 };
    static gn_seen s[POINTS][4];
    gn_view v[4], off[4];
    uint32_t seed = 9;
    double degrees[4], before, after;
    ring(v);
    ring(off);
    for (int i = 0; i < POINTS; i++) {
        const double at[3] = { draw(&seed), draw(&seed), draw(&seed) };
        for (int k = 0; k < 4; k++) {
            s[i][k].sure = 0.8;
            assert_true(gn_view_project(&v[k], at, NULL, s[i][k].uv));
        }
    }
    const double tilt = 0.015; /* about x: 0.86 degrees */
    for (int c = 0; c < 4; c++) {
        const double y = off[2].pose[4 + c], z = off[2].pose[8 + c];
        off[2].pose[4 + c] = cos(tilt) * y - sin(tilt) * z;
        off[2].pose[8 + c] = sin(tilt) * y + cos(tilt) * z;
    }
    OK(gn_views_turn(t.arena, 4, off, POINTS, &s[0][0], degrees, &before, &after));
    assert_true(before > 5);
    NEAR(after, 0, 1e-3);
    for (int k = 0; k < 4; k++) {
        NEAR(degrees[k], k == 2 ? tilt * 57.29578 : 0, 1e-3);
        for (int d = 0; d < 12; d++) NEAR(off[k].pose[d], v[k].pose[d], 1e-5);
    }
}

/* Two persons in other orders in each view; a third seen by two alone. */
static void who_is_who(void **state) {
    (void)state;
    static const int order[4][3] = { { 0, 1, 2 }, { 1, 0, 2 }, { 0, 1, -1 }, { 1, 0, -1 } };
    gn_view v[4];
    static gn_seen s[4][3][12];
    gn_crowd crowd[4];
    uint8_t taken[4 * 3] = { 0 };
    uint32_t seed = 3;
    int who[4];
    ring(v);
    double at[3][12][3];
    for (int p = 0; p < 3; p++)
        for (int j = 0; j < 12; j++) at[p][j][0] = 0.7 * (p - 1) + 0.2 * draw(&seed), at[p][j][1] = draw(&seed), at[p][j][2] = 0.5 * (p == 1) + 0.2 * draw(&seed);
    for (int k = 0; k < 4; k++) {
        crowd[k] = (gn_crowd){ order[k][2] < 0 ? 2 : 3, &s[k][0][0] };
        for (int i = 0; i < crowd[k].persons; i++)
            for (int j = 0; j < 12; j++) {
                s[k][i][j].sure = 1;
                assert_true(gn_view_project(&v[k], at[order[k][i]][j], NULL, s[k][i][j].uv));
            }
    }
    for (int p = 0; p < 2; p++) {
        assert_int_equal(gn_match(4, v, crowd, 12, 0.05, taken, 3, who), 4);
        for (int k = 0; k < 4; k++) {
            assert_int_equal(order[k][who[k]], order[0][who[0]]);
            taken[3 * k + who[k]] = 1;
        }
    }
    assert_int_equal(gn_match(4, v, crowd, 12, 0.05, taken, 3, who), 2);
    assert_true(who[0] == 2 && who[1] == 2 && who[2] == -1 && who[3] == -1);
}

/* The same session in TOML and in Qualisys' XML: Pose2Sim divided the lens by 64, all else is one. */
static void two_calibrations(void **state) {
    (void)state;
    static gn_rig toml, xml;
    OK(gn_rig_read(t.arena, source_real(t.arena, TOML), &toml));
    OK(gn_rig_read(t.arena, source_real(t.arena, "pose2sim/calibration/Calib.qca.txt"), &xml));
    assert_true(toml.n == 4 && xml.n == 4);
    assert_string_equal(toml.camera[2].name, "cam_03");
    NEAR(toml.view[0].lens.f[0], 1681.244873, 1e-6);
    for (int k = 0; k < 4; k++) {
        const gn_lens *a = &toml.view[k].lens, *b = &xml.view[k].lens;
        assert_string_equal(toml.camera[k].name, xml.camera[k].name);
        assert_true(toml.camera[k].w == 1088 && xml.camera[k].w == 1088 && toml.camera[k].h == 1920 && xml.camera[k].h == 1920);
        for (int d = 0; d < 12; d++) NEAR(toml.view[k].pose[d], xml.view[k].pose[d], 1e-9);
        for (int d = 0; d < 2; d++) {
            NEAR(a->f[d], b->f[d], 1e-9);
            NEAR(a->c[d], b->c[d], 1e-9);
            NEAR(64 * a->k[d], b->k[d], 1e-9);
            NEAR(64 * a->p[d], b->p[d], 1e-9);
        }
    }
}

static gn_status rig_of(const char *name, const char *text) {
    static gn_rig r;
    return gn_rig_read(t.arena, importing_write(&t, name, text), &r);
}
static void refused(gn_status status, const char *why) {
    assert_int_equal(status, GN_BAD_DATA);
    if (!strstr(gn_reason(), why)) fail_msg("'%s' should say '%s'", gn_reason(), why);
}

static void bad_calibrations(void **state) {
    (void)state;
    static const char *const cam = "# rig\n[a]\nsize = [ 10, 20.0]\nmatrix = [[5, 0, 1],\n [0, 5, 1], [0, 0, 1]]\n"
                                   "distortions = [0, 0, 0, %s]\nrotation = [0, 0, 1e-3]\ntranslation = [0, 0, 1]\n";
    OK(rig_of("a.toml", gn_arena_text(t.arena, cam, "0")));
    refused(rig_of("a.toml", gn_arena_text(t.arena, cam, "0, 0, 0")), "a.toml: [a]: distortions: expected 4 or 5 numbers");
    refused(rig_of("a.toml", gn_arena_text(t.arena, cam, "nan")), "a.toml:6: expected a number");
    refused(rig_of("a.toml", gn_arena_text(t.arena, "%s[a]\n", gn_arena_text(t.arena, cam, "0"))), "a.toml:9: expected each table once, found '[a]'");
    refused(rig_of("a.toml", "[a]\nx = 1\nx = 2\n"), "a.toml:3: expected each key once");
    refused(rig_of("a.toml", "[a]\nx = [1, [2, 3\n"), "expected ',' or ']' in an array");
    refused(rig_of("a.toml", "[a]\nx = [[[[[[[[[[1]]]]]]]]]]\n"), "a.toml:2: expected arrays at most 8 deep");
    refused(rig_of("a.toml", "x = \"a\n"), "a.toml:1: expected a string that ends on its line");
    refused(rig_of("a.toml", ""), "a.toml: holds no camera");
    refused(rig_of("a.qca.txt", "<c><camera serial=\"k\"/>\n<fov_video left=\"0\"/></c>"), "a.qca.txt:2: <fov_video>: no attribute 'right'");
    refused(rig_of("a.qca.txt", "<c><camera serial=\"k\"/></c>"), "lacks its fov_video, transform or intrinsic");
    const gn_json *tree;
    OK(gn_toml_parse(t.arena, "x", "a = 'q' # c\r\nb = \"1\\\"2\"\r\nc = [1_000, -2.5e1,\r\n]\r\n\r\n[ t-1 ]\r\nd=true", &tree));
    assert_string_equal(gn_json_text(gn_json_find(tree, "b"), ""), "1\"2");
    double x[2];
    assert_true(gn_json_numbers(gn_json_find(tree, "c"), 2, x));
    NEAR(x[0], 1000, 0);
    NEAR(x[1], -25, 0);
    NEAR(gn_json_find(gn_json_find(tree, "t-1"), "d")->number, 1, 0);
}

static void read_seen(const char *path, int person, gn_seen s[25]) {
    void *bytes;
    size_t n;
    const gn_json *tree;
    double v[75];
    OK(gn_io_read(t.arena, path, 1 << 20, &bytes, &n));
    OK(gn_json_parse(t.arena, path, bytes, n, &tree));
    assert_true(gn_json_numbers(gn_json_find(&gn_json_find(tree, "people")->item[person], "pose_keypoints_2d"), 75, v));
    for (int j = 0; j < 25; j++) s[j] = (gn_seen){ { v[3 * j], v[3 * j + 1] }, v[3 * j + 2] > 0.3 ? v[3 * j + 2] : 0 };
}

/* From a TRC's marker to the plain solution of all views, and of the views that come nearest. */
static void compare(const gn_rig *r, gn_seen view[4][25], int j, const double world[3], double *all, double *best) {
    *all = *best = INFINITY;
    for (int views = 3; views < 16; views++) {
        gn_seen s[4];
        double at[3];
        for (int k = 0; k < 4; k++) {
            s[k] = view[k][j];
            if (!(views >> k & 1)) s[k].sure = 0;
        }
        if (!gn_triangulate_linear(4, r->view, s, at)) continue;
        *all = sqrt(pow(at[0] - world[0], 2) + pow(at[1] - world[1], 2) + pow(at[2] - world[2], 2));
        *best = fmin(*best, *all);
    }
}

/* Pose2Sim's own triangulation of these detections is the plain one to a millimetre or two (it solves for the homogeneous
 * point): mostly of all views, else of those that it kept. */
static void agrees_with_pose2sim(void **state) {
    (void)state;
    static gn_rig r;
    gn_trc trc;
    OK(gn_rig_read(t.arena, source_real(t.arena, TOML), &r));
    OK(gn_trc_read(t.arena, source_real(t.arena, TAKE "/pose-3d/S00_P00_T01_BalancingTrial_0-100.trc"), &trc));
    assert_true(trc.frames == 100 && trc.markers == 21 && trc.frame[0] == 1);
    int compared = 0, by_all = 0, by_some = 0;
    for (int f = 0; f < 100; f += 7) {
        gn_seen view[4][25];
        for (int k = 0; k < 4; k++) read_seen(source_real(t.arena, gn_arena_text(t.arena, TAKE "/pose/cam0%d_json/cam0%d.%04d.json", k + 1, k + 1, f)), 0, view[k]);
        for (int m = 0; m < 21; m++) {
            const double *p = trc.at + (f * 21 + m) * 3, world[3] = { p[2], p[0], p[1] };
            double all, best;
            assert_true(trc.joint[m] >= 0);
            compare(&r, view, trc.joint[m], world, &all, &best);
            compared++;
            by_all += all < 3e-3;
            by_some += best < 3e-3;
        }
    }
    assert_int_equal(compared, 315);
    assert_true(by_all > 160);
    if (!(by_some > 300)) fail_msg("%d of %d", by_some, compared);
}

static void whole_session(void **state) {
    (void)state;
    source_real(t.arena, TOML);
    t.from.keep = GN_KEEP_NONE;
    OK(importing_run(&t, "pose2sim", source_real(t.arena, "pose2sim"), "out"));
    const gn_shard *s = importing_shard(&t, "out", "train");
    assert_int_equal(gn_shard_samples(s), 400);
    assert_ptr_equal(gn_shard_skeleton(s), &gn_body25b);
    double median, of;
    const char *said = strstr(t.said, "self-check: 3D projected lies ");
    assert_non_null(said);
    assert_int_equal(sscanf(said, "self-check: 3D projected lies %lf px from the 2D (median of %lf", &median, &of), 2);
    assert_true(median > 0.5 && median < 2 && of > 6000);
    assert_non_null(strstr(t.said, "calibration's cameras disagree by 12.2 px (median), turned by 1.18 0.29 0.70 0.25 degrees by 6.9"));
    static const int knees[2] = { 13, 14 }, ankles[2] = { 15, 16 };
    double shin = 0, known = 0;
    for (int i = 0; i < 400; i++) {
        const float *x = importing_at(s, "joints3d", i);
        const uint8_t *in3d = importing_at(s, "labelled3d", i);
        assert_int_equal(*(const int64_t *)importing_at(s, "group", i), i / 4);
        assert_int_equal(*(const int64_t *)importing_at(s, "frame", i), i / 4);
        for (int k = 0; k < 2; k++) {
            const int a = knees[k], b = ankles[k];
            if (!in3d[a] || !in3d[b]) continue;
            shin += sqrt(pow((double)(x[3 * a] - x[3 * b]), 2) + pow((double)(x[3 * a + 1] - x[3 * b + 1]), 2) + pow((double)(x[3 * a + 2] - x[3 * b + 2]), 2));
            known++;
        }
    }
    NEAR(shin / known, 0.405, 0.015); /* the TRC's: 0.399 */
    assert_string_equal(importing_at(s, "take", 1), "S00_P00_T01_BalancingTrial cam_02");
}

static void with_pictures(void **state) {
    (void)state;
    OK(importing_run(&t, "pose2sim", source_real(t.arena, "pose2sim"), "out"));
    const gn_shard *s = importing_shard(&t, "out", "train");
    assert_int_equal(gn_shard_samples(s), 20);
    assert_int_equal(*(const int64_t *)importing_at(s, "frame", 19), 99);
    t.from.pictures = importing_path(&t, "");
    FAILS(importing_run(&t, "pose2sim", t.from.source, "none"), MISSING);
    FAILS(importing_run(&t, "pose2sim", source_real(t.arena, TAKE), "none"), MISSING);
    assert_non_null(strstr(gn_reason(), "no Calib*.toml and no Calib*.qca.txt"));
}

/* --- TRC alone --- */

static const char *const head = "PathFileType\t4\t(X/Y/Z)\ta.trc\nDataRate\tCameraRate\tNumFrames\tNumMarkers\tUnits\n60\t60\t%d\t%d\t%s\n"
                                "Frame#\tTime\tRHip\t\t\tHat\t\t\tNeck\t\t\t\n\t\tX1\tY1\tZ1\tX2\tY2\tZ2\tX3\tY3\tZ3\t\n%s";
static const char *trc(int frames, int markers, const char *unit, const char *lines) {
    return importing_write(&t, "a.trc", gn_arena_text(t.arena, head, frames, markers, unit, lines));
}

static void trc_alone(void **state) {
    (void)state;
    OK(importing_run(&t, "trc", trc(2, 3, "mm", "\n1\t0.0\t100\t900\t-500\t1\t2\t3\t100\t1400\t-400\r\n2\t0.1\t110\t910\t-510\t1\t2\t3\tNaN\t\t\r\n"), "out"));
    const gn_shard *s = importing_shard(&t, "out", "train");
    assert_int_equal(gn_shard_samples(s), 2);
    assert_non_null(strstr(t.said, "1 markers have names of no joint of body25b"));
    const int hip = gn_joint_find(&gn_body25b, "r_hip"), neck = gn_joint_find(&gn_body25b, "upper_neck");
    const float *x = importing_at(s, "joints3d", 0);
    NEAR(x[3 * hip], 0.1, 1e-6);
    NEAR(x[3 * hip + 1], -0.9, 1e-6);
    NEAR(x[3 * neck + 2], 2, 1e-6); /* the nearest of the take */
    NEAR(x[3 * hip + 2], 2.1, 1e-6);
    assert_int_equal(importing_labelled(s, "labelled3d", 0), 2);
    assert_int_equal(importing_labelled(s, "labelled3d", 1), 1);
    assert_false(importing_has(s, "joints2d"));
}

static void trc_faults(void **state) {
    (void)state;
    static const char *const line = "1\t0\t1\t2\t3\t1\t2\t3\t1\t2\t3\n";
    refused(importing_run(&t, "trc", trc(2, 3, "m", line), "out"), "a.trc: NumFrames is 2, found 1");
    refused(importing_run(&t, "trc", trc(1, 3, "m", gn_arena_text(t.arena, "%s%s", line, line)), "out"), "a.trc:7: more frames than NumFrames, 1");
    refused(importing_run(&t, "trc", trc(1, 2, "m", line), "out"), "a.trc:4: more markers than NumMarkers, 2");
    refused(importing_run(&t, "trc", trc(1, 4, "m", line), "out"), "a.trc:4: NumMarkers is 4, found 3 names");
    refused(importing_run(&t, "trc", trc(1, 3, "ft", line), "out"), "a.trc:3: Units: expected m, cm, mm or in, found 'ft'");
    refused(importing_run(&t, "trc", trc(1, 3, "m", "1\t0\t1\tx\t3\t1\t2\t3\t1\t2\t3\n"), "out"), "a.trc:6: RHip: expected a number, found 'x'");
    refused(importing_run(&t, "trc", trc(1, 3, "m", "1\t0\t1\t2\n"), "out"), "a.trc:6: expected 11 columns, found 4");
    refused(importing_run(&t, "trc", trc(90000000, 500, "m", line), "out"), "NumFrames");
    refused(importing_run(&t, "trc", importing_write(&t, "b.trc", "Path"), "out"), "b.trc:1: expected 'PathFileType'");
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
        T(triangulated), T(nudged_cameras), T(who_is_who), T(two_calibrations), T(bad_calibrations), T(agrees_with_pose2sim), T(whole_session),
        T(with_pictures), T(trc_alone), T(trc_faults),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
