/* test_import_panoptic.c - CMU Panoptic: real bodies and pictures, and a sequence with Kinects that tests/import/panoptic.py writes
 * after the owner's description: no depth of his may be passed on.
 *
 * Panoptic has no 2D of its own, so golden pixels come from a projection written apart, in Python. */
#include "importing.h"
#include "source.h"
#include "src/import/panoptic.h"

static importing t;
static int set_up(void **state) {
    (void)state;
    importing_begin(&t, "panoptic");
    return 0;
}
static int tear_down(void **state) {
    (void)state;
    importing_end(&t);
    return 0;
}

static const char *joint(int j) { return gn_panoptic19.joint[j]; }

/* Camera, joint, place in the camera (metres), pixel through the lens, pixel of the pinhole alone. */
static const struct { const char *camera; int joint; double at[3], uv[2], straight[2]; } golden[] = {
    { "00_00", 0, { 0.188555, -0.110025, 2.272615 }, { 1078.4886, 478.7074 }, { 1078.732, 478.5584 } },
    { "00_00", 5, { 0.47479, -0.212338, 2.031695 }, { 1319.9352, 389.4355 }, { 1324.8941, 387.1824 } },
    { "00_00", 18, { 0.120764, -0.257433, 2.191755 }, { 1032.9166, 366.7838 }, { 1033.2158, 366.1017 } },
    { "00_24", 0, { 0.188599, -0.097504, 2.370296 }, { 1066.6197, 488.2281 }, { 1066.867, 488.0987 } },
    { "00_24", 5, { 0.562003, -0.191546, 2.323756 }, { 1287.8887, 432.5261 }, { 1293.8855, 430.4767 } },
    { "00_24", 18, { 0.178338, -0.258848, 2.288283 }, { 1064.0121, 388.4893 }, { 1064.5837, 387.6516 } },
};

static void lens_as_another_has_it(void **state) {
    (void)state;
    const char *root = source_real(t.arena, "panoptic/171026_pose1"), *path;
    static gn_panoptic_camera c[GN_VIEWS];
    static gn_body body[GN_PANOPTIC_BODIES];
    int n, bodies;
    path = gn_arena_text(t.arena, "%s/calibration_171026_pose1.json", root);
    OK(gn_panoptic_cameras(t.arena, path, "hd", GN_VIEWS, &n, c));
    assert_int_equal(n, 31);
    OK(gn_panoptic_bodies(t.arena, gn_arena_text(t.arena, "%s/hdPose3d_stage1_coco19/body3DScene_00012200.json", root), &bodies, body));
    assert_int_equal(bodies, 1);
    assert_int_equal(body[0].id, 1);
    for (size_t i = 0; i < sizeof golden / sizeof *golden; i++) {
        gn_import_sample x = { .frame = 0 };
        int k = 0;
        while (strcmp(c[k].name, golden[i].camera)) k++;
        gn_panoptic_label(&body[0], &c[k].view, c[k].w, c[k].h, &x);
        const int j = golden[i].joint;
        for (int d = 0; d < 3; d++) NEAR(x.joints3d[j][d], golden[i].at[d], 1e-6);
        for (int d = 0; d < 2; d++) NEAR(x.joints2d[j][d], golden[i].uv[d], 1e-4);
        assert_true(x.labelled2d[j] && x.labelled3d[j]);
    }
    FAILS(gn_panoptic_cameras(t.arena, path, "hd", 30, &n, c), BAD_DATA);
}

static void labels_alone(void **state) {
    (void)state;
    t.from.keep = GN_KEEP_NONE;
    OK(importing_run(&t, "panoptic", source_real(t.arena, "panoptic/171026_pose1"), "out"));
    const gn_shard *s = importing_shard(&t, "out", "train");
    assert_int_equal(gn_shard_samples(s), 31);
    assert_ptr_equal(gn_shard_skeleton(s), &gn_panoptic19);
    assert_true(!importing_left(&t, "out", "valid") && !importing_has(s, "image"));
    const int64_t group = *(const int64_t *)importing_at(s, "group", 0);
    for (int i = 0; i < 31; i++) {
        const char *take = importing_at(s, "take", i);
        assert_true(group >= 0 && *(const int64_t *)importing_at(s, "group", i) == group);
        for (size_t g = 0; g < sizeof golden / sizeof *golden; g++) {
            if (strncmp(take, gn_arena_text(t.arena, "171026_pose1 %s 1", golden[g].camera), 20)) continue;
            const float *xyz = (const float *)importing_at(s, "joints3d", i) + 3 * golden[g].joint, *uv = (const float *)importing_at(s, "joints2d", i) + 2 * golden[g].joint;
            for (int d = 0; d < 3; d++) NEAR(xyz[d], golden[g].at[d], 1e-6);
            for (int d = 0; d < 2; d++) NEAR(uv[d], golden[g].straight[d], 1e-3);
        }
    }
    assert_int_equal(*(const int64_t *)importing_at(s, "frame", 30), 12200);
}

static void with_pictures(void **state) {
    (void)state;
    OK(importing_run(&t, "panoptic", source_real(t.arena, "panoptic/171026_pose1"), "out"));
    const gn_shard *s = importing_shard(&t, "out", "train");
    assert_int_equal(gn_shard_samples(s), 2);
    assert_string_equal(importing_at(s, "take", 0), "171026_pose1 00_00 1");
    assert_int_equal(importing_labelled(s, "labelled3d", 0), 19); /* knees and ankles are below the picture, and known in 3D */
    const uint8_t *in2d = importing_at(s, "labelled2d", 0);
    for (int j = 0; j < 19; j++) assert_int_equal(in2d[j], !strstr(joint(j), "knee") && !strstr(joint(j), "ankle"));
    const float *camera = importing_at(s, "camera", 0), *xyz = importing_at(s, "joints3d", 0), *uv = importing_at(s, "joints2d", 0);
    for (int j = 0; j < 19; j++)
        for (int d = 0; d < 2 && in2d[j]; d++) NEAR(uv[2 * j + d], camera[d] * xyz[3 * j + d] / xyz[3 * j + 2] + camera[2 + d], 1e-3);
    FAILS(importing_run(&t, "panoptic", source_real(t.arena, "panoptic/160906_band1"), "none"), MISSING);
    assert_non_null(strstr(gn_reason(), "--keep none imports labels alone"));
    FAILS(importing_run(&t, "panoptic", source_real(t.arena, "panoptic"), "none"), BAD_DATA);
    assert_non_null(strstr(gn_reason(), "two sequences"));
}

/* Three bodies, two frames; joints at 0, 0, 0 with confidence -1 are absent. */
static void absent_joints(void **state) {
    (void)state;
    t.from.keep = GN_KEEP_NONE;
    OK(importing_run(&t, "panoptic", source_real(t.arena, "panoptic/160906_band1"), "out"));
    const gn_shard *s = importing_shard(&t, "out", "train");
    assert_int_equal(gn_shard_samples(s), 184); /* of 2 x 3 x 31, two see nothing */
    const uint8_t *in3d = importing_at(s, "labelled3d", 0);
    assert_string_equal(joint(8), "l_ankle");
    assert_int_equal(in3d[8], 0);
    assert_int_equal(importing_labelled(s, "labelled3d", 0), 18);
    const float *xyz = importing_at(s, "joints3d", 0);
    for (int d = 0; d < 3; d++) NEAR(xyz[3 * 8 + d], 0, 0);
    int64_t group = -1, groups = 0;
    for (int i = 0; i < 184; i++) {
        const int64_t g = *(const int64_t *)importing_at(s, "group", i);
        groups += g != group;
        group = g;
    }
    assert_int_equal(groups, 6);
    t.from.every = 2;
    OK(importing_run(&t, "panoptic", t.from.source, "half"));
    assert_int_equal(gn_shard_samples(importing_shard(&t, "half", "train")), 92);
}

/* A line of expected.txt. */
static void expected(const char *source, const char *camera, int j, double at[3], double uv[2]) {
    char name[16];
    int k;
    FILE *f = fopen(gn_arena_text(t.arena, "%s/expected.txt", source), "r");
    assert_non_null(f);
    while (fscanf(f, "%15s %d %lf %lf %lf %lf %lf", name, &k, at, at + 1, at + 2, uv, uv + 1) == 7)
        if (!strcmp(name, camera) && k == j) break;
    fclose(f);
    assert_true(!strcmp(name, camera) && k == j);
}

static void made_colour(void **state) {
    (void)state;
    const char *folder = source_made(t.arena, "panoptic"), *source = gn_arena_text(t.arena, "%s/171026_pose3", folder);
    static gn_panoptic_camera c[GN_VIEWS];
    double at[3], uv[2], bent[2];
    int n;
    t.from.keep = GN_KEEP_NONE;
    OK(importing_run(&t, "panoptic", source, "out"));
    const gn_shard *s = importing_shard(&t, "out", "valid"); /* a test sequence */
    assert_int_equal(gn_shard_samples(s), 2);
    assert_non_null(strstr(t.said, "1 frames without a body, 1 views that see nothing of theirs"));
    OK(gn_panoptic_cameras(t.arena, gn_arena_text(t.arena, "%s/calibration_171026_pose3.json", source), "hd", GN_VIEWS, &n, c));
    const uint8_t *in2d = importing_at(s, "labelled2d", 0);
    for (int j = 0; j < 19; j++) {
        const float *x = (const float *)importing_at(s, "joints3d", 0) + 3 * j, *u = (const float *)importing_at(s, "joints2d", 0) + 2 * j;
        assert_int_equal(in2d[j], j != 8 && j != 17); /* confidence -1 and 0.08 */
        if (!in2d[j]) continue;
        expected(source, "hd", j, at, uv);
        gn_lens_bend(&c[0].view.lens, (const double[]){ (double)u[0], (double)u[1] }, bent);
        for (int d = 0; d < 3; d++) NEAR(x[d], at[d], 1e-6);
        for (int d = 0; d < 2; d++) NEAR(bent[d], uv[d], 1e-3);
    }
    OK(gn_io_remove(folder));
}

static void made_depth(void **state) {
    (void)state;
    const char *folder = source_made(t.arena, "panoptic"), *source = gn_arena_text(t.arena, "%s/171026_pose3", folder);
    double at[3], uv[2];
    t.from.size = 256;
    OK(importing_run(&t, "kinoptic", source, "out"));
    const gn_shard *s = importing_shard(&t, "out", "valid");
    assert_int_equal(gn_shard_samples(s), 1); /* frame 12 has no picture near enough in time */
    assert_int_equal(*(const int64_t *)importing_at(s, "frame", 0), 10);
    assert_string_equal(importing_at(s, "take", 0), "171026_pose3 KINECTNODE2 4");
    assert_non_null(strstr(t.said, "1 pictures have no other near enough in time"));
    const uint16_t *depth = importing_at(s, "depth_map", 0);
    const float *xyz = importing_at(s, "joints3d", 0), *u = importing_at(s, "joints2d", 0);
    for (int j = 0; j < 19; j++) {
        if (j == 8 || j == 17) continue;
        expected(source, "depth", j, at, uv);
        for (int d = 0; d < 3; d++) NEAR(xyz[3 * j + d], at[d], 1e-6);
        if (j == 15 || j == 16 || j == 1 || j == 18) continue; /* where other joints' marks are over theirs */
        NEAR(depth[lrintf(u[2 * j + 1]) * 256 + lrintf(u[2 * j])], 1000 * at[2], 1); /* mirrored back, through the lens */
    }
    OK(gn_io_remove(folder));
}

static void faults(void **state) {
    (void)state;
    const char *folder = source_made(t.arena, "panoptic"), *source = gn_arena_text(t.arena, "%s/171026_pose3", folder);
    const char *dat = gn_arena_text(t.arena, "%s/kinect_shared_depth/KINECTNODE2/depthdata.dat", source);
    const char *scene = gn_arena_text(t.arena, "%s/hdPose3d_stage1_coco19/body3DScene_00000010.json", source);
    OK(gn_io_write(dat, "abc", 3));
    FAILS(importing_run(&t, "kinoptic", source, "out"), BAD_DATA);
    assert_non_null(strstr(gn_reason(), "depthdata.dat: 3 bytes are no whole number of 512 x 424 x 2"));
    OK(gn_io_remove(dat));
    FAILS(importing_run(&t, "kinoptic", source, "out"), MISSING);
    t.from.keep = GN_KEEP_NONE;
    static const char two[] = "{\"bodies\": [{\"id\": 1, \"joints19\": [1, 2]}]}";
    OK(gn_io_write(scene, two, strlen(two)));
    FAILS(importing_run(&t, "panoptic", source, "out"), BAD_DATA);
    assert_non_null(strstr(gn_reason(), "body3DScene_00000010.json: bodies[0]: joints19: expected 19 x (x, y, z, confidence)"));
    OK(gn_io_write(scene, "{\"bodies\": [{\"id\"", 16));
    FAILS(importing_run(&t, "panoptic", source, "out"), BAD_DATA);
    assert_non_null(strstr(gn_reason(), "body3DScene_00000010.json:1:"));
    assert_false(importing_left(&t, "out", "valid"));
    OK(gn_io_remove(folder));
}

/* A point far to the side is folded into the picture by its barrel's polynomial: it is not seen. */
static void folded(void **state) {
    (void)state;
    const gn_view v = { .lens = { .f = { 1600, 1600 }, .c = { 960, 540 }, .k = { -0.35 } }, .pose = { 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0 } };
    gn_body b = { .at = { { 0.3, 0.1, 1 }, { 1.5, 0, 1 }, { 0, 0, -1 } }, .sure = { 1, 1, 1 } };
    gn_import_sample x = { .frame = 0 };
    double uv[2];
    assert_true(gn_view_project(&v, b.at[1], NULL, uv) && uv[0] < 1920);
    assert_int_equal(gn_panoptic_label(&b, &v, 1920, 1080, &x), 1);
    assert_true(x.labelled2d[0] && !x.labelled2d[1] && x.labelled3d[1] && !x.labelled3d[2] && !x.labelled3d[3]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
        T(lens_as_another_has_it), T(labels_alone), T(with_pictures), T(absent_joints), T(made_colour), T(made_depth), T(faults), T(folded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
