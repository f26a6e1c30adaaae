/* test_import_mpi.c - MPI-INF-3DHP, MuPoTS-3D and MuCo-3DHP, which may not be passed on: small ones that tests/import writes
 * after their owners' descriptions, with SciPy (MATLAB 5), h5py (7.3) and json. */
#include "importing.h"
#include "source.h"
#include "src/import/calibration.h"
#include "src/import/pinhole.h"

static importing t;
static const char *made;
static int set_up(void **state) {
    (void)state;
    importing_begin(&t, "mpi");
    return 0;
}
static int tear_down(void **state) {
    (void)state;
    importing_end(&t);
    if (made) gn_io_remove(made);
    made = NULL;
    return 0;
}
static const char *below(const char *name) { return gn_arena_text(t.arena, "%s/%s", made, name); }
static void import(const char *format, const char *source, const char *out) {
    const gn_status status = importing_run(&t, format, source, out);
    if (status == GN_MISSING && strstr(gn_reason(), "without matio")) skip();
    OK(status);
}

static double bone(const gn_shard *s, int64_t i, const char *from, const char *to) {
    const float *x = importing_at(s, "joints3d", i);
    const int a = gn_joint_find(gn_shard_skeleton(s), from), b = gn_joint_find(gn_shard_skeleton(s), to);
    assert_true(a >= 0 && b >= 0);
    double sum = 0;
    for (int k = 0; k < 3; k++) sum += pow(x[3 * a + k] - x[3 * b + k], 2);
    return sqrt(sum);
}

/* Names are of the right points: the drawn person's lengths. */
static void check_bones(const gn_shard *s, int64_t i) {
    NEAR(bone(s, i, "l_hip", "l_knee"), 0.45, 1e-4);
    NEAR(bone(s, i, "r_knee", "r_ankle"), 0.44, 1e-4);
    NEAR(bone(s, i, "r_shoulder", "r_elbow"), 0.29, 1e-4);
    NEAR(bone(s, i, "l_elbow", "l_wrist"), 0.25, 1e-4);
    NEAR(bone(s, i, "l_shoulder", "r_shoulder"), 0.36, 1e-4);
    NEAR(bone(s, i, "pelvis", "neck"), 0.54, 1e-4);
}

/* 3D through the camera is the 2D, and there the crop is white. */
static void check_picture(const gn_shard *s, int64_t i, int size) {
    const float *k = importing_at(s, "camera", i), *xyz = importing_at(s, "joints3d", i), *uv = importing_at(s, "joints2d", i);
    const uint8_t *p = importing_at(s, "image", i);
    for (int j = 0; j < gn_shard_skeleton(s)->joints; j++, xyz += 3, uv += 2) {
        NEAR(k[0] * xyz[0] / xyz[2] + k[2], uv[0], 2e-3);
        NEAR(k[1] * xyz[1] / xyz[2] + k[3], uv[1], 2e-3);
        const long x = lrintf(uv[0]), y = lrintf(uv[1]);
        if (!(p[3 * (size * y + x)] > 150)) fail_msg("sample %d, joint %d: %d at %ld %ld", (int)i, j, p[3 * (size * y + x)], x, y);
    }
}

static void training(void **state) {
    (void)state;
    static const int camera[] = { 0, 1, 2, 4, 5, 6, 7, 8 };
    made = source_made(t.arena, "mpi_inf_3dhp");
    t.from.size = 256;
    t.from.skip_missing = 1;
    import("mpi_inf_3dhp", made, "out");
    assert_non_null(strstr(t.said, "S1 Seq1: 5 of 5 rows from 8 cameras"));
    assert_non_null(strstr(t.said, "16 samples lack their picture")); /* rows 3 and 4 */
    assert_non_null(strstr(t.said, "self-check: 3D projected lies 0.000 px"));
    assert_false(importing_left(&t, "out", "valid"));
    gn_shard *s = importing_shard(&t, "out", "train");
    assert_ptr_equal(gn_shard_skeleton(s), &gn_mpi28);
    assert_int_equal(gn_shard_samples(s), 3 * 8);
    for (int64_t i = 0; i < 24; i++) {
        assert_string_equal(importing_at(s, "take", i), gn_arena_text(t.arena, "S1 Seq1 camera %d", camera[i % 8]));
        assert_int_equal(*(const int64_t *)importing_at(s, "frame", i), i / 8);
        assert_int_equal(*(const int64_t *)importing_at(s, "group", i), i / 8);
        assert_int_equal(importing_labelled(s, "labelled3d", i), 28);
        check_bones(s, i);
        check_picture(s, i, 256);
        /* back into the world every view says the same: R' (x - t) */
        const float *x = importing_at(s, "joints3d", i), *m = importing_at(s, "pose_of_view", i), *y = importing_at(s, "joints3d", i / 8 * 8),
                    *n = importing_at(s, "pose_of_view", i / 8 * 8);
        for (int j = 0; j < 28; j++)
            for (int k = 0; k < 3; k++) {
                double here = 0, there = 0;
                for (int c = 0; c < 3; c++) here += m[4 * c + k] * (x[3 * j + c] - m[4 * c + 3]), there += n[4 * c + k] * (y[3 * j + c] - n[4 * c + 3]);
                NEAR(here, there, 1e-5);
            }
    }
}

static void training_labels(void **state) {
    (void)state;
    made = source_made(t.arena, "mpi_inf_3dhp");
    t.from.keep = GN_KEEP_NONE;
    t.from.every = 2;
    import("mpi_inf_3dhp", below("S1/Seq1/annot.mat"), "out");
    gn_shard *s = importing_shard(&t, "out", "train");
    assert_int_equal(gn_shard_samples(s), 3 * 8); /* rows 0, 2, 4 */
    assert_int_equal(*(const int64_t *)importing_at(s, "frame", 23), 4);
    const float *k = importing_at(s, "camera", 3), *m = importing_at(s, "pose_of_view", 3); /* camera 4 faces the person */
    assert_true(k[0] == 154 && k[1] == 155 && k[2] == 104.5f && k[3] == 95);
    NEAR(m[0], 1, 1e-6);
    NEAR(m[3], 0.1, 1e-6); /* metres */
    NEAR(m[11], 4.4, 1e-6);
    const int32_t *size = importing_at(s, "size", 0);
    assert_true(size[0] == 200 && size[1] == 200);
}

static void tests_of_3dhp(void **state) {
    (void)state;
    made = source_made(t.arena, "mpi_inf_3dhp");
    t.from.size = 1024;
    import("mpi_inf_3dhp_test", made, "out"); /* HDF5 alone: no matio */
    assert_non_null(strstr(t.said, "TS1: 3 of 4 frames; fitted camera f 1500.00 1502.00 c 1020.00 1030.00"));
    assert_non_null(strstr(t.said, "TS5: 3 of 4 frames; fitted camera f 1700.00 1699.00 c 950.00 530.00"));
    assert_false(importing_left(&t, "out", "train"));
    gn_shard *s = importing_shard(&t, "out", "valid");
    assert_ptr_equal(gn_shard_skeleton(s), &gn_mpi17);
    assert_int_equal(gn_shard_samples(s), 6);
    static const int frame[] = { 0, 2, 3 }; /* 1 is not valid */
    for (int64_t i = 0; i < 6; i++) {
        assert_string_equal(importing_at(s, "take", i), i < 3 ? "TS1" : "TS5");
        assert_int_equal(*(const int64_t *)importing_at(s, "frame", i), frame[i % 3]);
        check_bones(s, i);
        check_picture(s, i, 1024);
    }
    assert_non_null(strstr(gn_shard_provenance(s), "fitted camera"));
}

static void several_people(void **state) {
    (void)state;
    made = source_made(t.arena, "mupots");
    t.from.size = 1024;
    import("mupots", below("mat"), "mat");
    assert_non_null(strstr(t.said, "TS1: 5 persons in 3 frames; fitted camera f 1500.00 1501.00 c 1024.00 1020.00"));
    t.from.pictures = below("mat");
    OK(importing_run(&t, "mupots", below("json"), "json"));
    assert_non_null(strstr(t.said, "6 pictures, 12 persons, 2 of them not valid"));
    gn_shard *mat = importing_shard(&t, "mat", "valid"), *json = importing_shard(&t, "json", "valid");
    assert_int_equal(gn_shard_samples(mat), 10);
    assert_int_equal(gn_shard_samples(json), 10);
    int twins[10];
    for (int64_t i = 0; i < 10; i++) { /* within a picture JSON has its own order */
        const float *x = importing_at(mat, "joints3d", i);
        twins[i] = -1;
        for (int64_t k = 0; k < 10; k++) {
            const float *y = importing_at(json, "joints3d", k);
            if (fabsf(x[0] - y[0]) + fabsf(x[5] - y[5]) < 1e-5f) twins[i] = (int)k;
        }
        assert_true(twins[i] >= 0);
        static const int frame[] = { 0, 0, 1, 2, 2 };
        for (int k = 0; k < 2; k++) {
            const gn_shard *s = k ? json : mat;
            const int64_t at = k ? twins[i] : i;
            assert_string_equal(importing_at(s, "take", at), i < 5 ? "TS1" : "TS6");
            assert_int_equal(*(const int64_t *)importing_at(s, "frame", at), frame[i % 5]);
            assert_int_equal(importing_labelled(s, "labelled3d", at), 17);
            check_bones(s, at);
            check_picture(s, at, 1024);
        }
        assert_memory_equal(importing_at(mat, "occluded2d", i), importing_at(json, "occluded2d", twins[i]), 17);
    }
    const uint8_t *hidden = importing_at(mat, "occluded2d", 1); /* the second person: joints 4, 9, 14 */
    for (int j = 0; j < 17; j++) assert_int_equal(hidden[j], (j + 1) % 5 == 0);
}

static void made_pictures(void **state) {
    (void)state;
    made = source_made(t.arena, "mupots");
    t.from.size = 1024;
    OK(importing_run(&t, "muco", below("muco"), "out"));
    gn_shard *s = importing_shard(&t, "out", "train");
    assert_ptr_equal(gn_shard_skeleton(s), &gn_muco21);
    assert_int_equal(gn_shard_samples(s), 2);
    for (int64_t i = 0; i < 2; i++) {
        assert_string_equal(importing_at(s, "take", i), "augmented_set");
        assert_int_equal(*(const int64_t *)importing_at(s, "frame", i), 4);
        assert_int_equal(importing_labelled(s, "occluded2d", i), 1);
        check_bones(s, i);
        check_picture(s, i, 1024);
        NEAR(bone(s, i, "l_wrist", "l_hand"), 0.08, 1e-4);
    }
}

static void cameras(void **state) {
    (void)state;
    gn_pinhole p = { 0 };
    gn_lens l;
    const double f[2] = { 1000, 1100 }, c[2] = { 500, 300 };
    for (int i = 0; i < 20; i++) {
        const double xyz[3] = { sin(i), cos(2 * i), 3 + sin(3 * i) }, uv[2] = { f[0] * xyz[0] / xyz[2] + c[0], f[1] * xyz[1] / xyz[2] + c[1] };
        if (i == 2) assert_false(gn_pinhole_solve(&p, &l));
        gn_pinhole_add(&p, xyz, uv);
    }
    const double behind[3] = { 1, 1, -1 }, nowhere[3] = { NAN, 1, 1 }, at[2] = { 0, 0 };
    gn_pinhole_add(&p, behind, at);
    gn_pinhole_add(&p, nowhere, at);
    assert_true(gn_pinhole_solve(&p, &l));
    for (int k = 0; k < 2; k++) {
        NEAR(l.f[k], f[k], 1e-8);
        NEAR(l.c[k], c[k], 1e-8);
    }
}

#define HEAD "Skeletool Camera Calibration File V1.0\n"
static void refused(void **state) {
    (void)state;
    static const struct { const char *text, *says; } bad[] = {
        { "cameras\n", "cameras.txt:1: expected 'Skeletool Camera Calibration File', found 'cameras" },
        { HEAD "size 20 20\n", "cameras.txt:2: size before the first camera's name" },
        { HEAD "name 0\n size 20\n", "cameras.txt:3: size: expected 2 numbers, found '' after 1" },
        { HEAD "name 0\n size 20 nan\n", "cameras.txt:3: size: expected 2 numbers" },
        { HEAD "name 0\n size 20 99999999\n", "cameras.txt:3: a picture of 20 x 1e+08 pixels" },
        { HEAD "name 0\n radial 1\n", "cameras.txt:3: radial is 1" },
        { HEAD "name 3\n size 20 20\n", "cameras.txt: camera 3 lacks size or intrinsic" },
    };
    gn_calibration *c;
    c = calloc(1, sizeof *c);
    assert_non_null(c);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        gn_trail_clear();
        FAILS(gn_calibration_read(t.arena, importing_write(&t, "cameras.txt", bad[i].text), c), BAD_DATA);
        if (!strstr(gn_reason(), bad[i].says)) fail_msg("'%s' does not say '%s'", gn_reason(), bad[i].says);
    }
    free(c);
    FAILS(importing_run(&t, "mpi_inf_3dhp", t.folder, "out"), MISSING);
    FAILS(importing_run(&t, "mpi_inf_3dhp_test", t.folder, "out"), MISSING);
    FAILS(importing_run(&t, "mupots", t.folder, "out"), MISSING);
    FAILS(importing_run(&t, "muco", t.folder, "out"), MISSING);
    importing_write(&t, "x/annot_data.mat", "no MATLAB");
    FAILS(importing_run(&t, "mpi_inf_3dhp_test", importing_path(&t, "x"), "out"), BAD_DATA);
    assert_non_null(strstr(gn_reason(), "x/annot_data.mat: its folder is not TS<1-6>"));
    static const struct { const char *text, *says; } json[] = {
        { "{\"images\": [], \"annotations\": []}", "found 0 and 0" },
        { "{\"images\": [{\"id\": 1, \"file_name\": \"a/1.jpg\"}], \"annotations\": [{\"image_id\": 2}]}", "image 2, which is not in 'images'" },
        { "{\"images\": [{\"id\": 1, \"file_name\": \"a/1.jpg\"}], \"annotations\": [{\"image_id\": 1}]}", "expected a camera" },
        { "{\"images\": [{\"id\": 1, \"file_name\": \"a/1.jpg\", \"f\": [1, 1], \"c\": [1, 1]}], \"annotations\": [{\"image_id\": 1, \"keypoints_img\": [[1, 2]]}]}",
          "keypoints_img: expected a list of 21 joints, found 1" },
    };
    for (size_t i = 0; i < sizeof json / sizeof *json; i++) {
        FAILS(importing_run(&t, "muco", importing_write(&t, "muco.json", json[i].text), "out"), BAD_DATA);
        if (!strstr(gn_reason(), json[i].says)) fail_msg("'%s' does not say '%s'", gn_reason(), json[i].says);
    }
    assert_false(importing_left(&t, "out", "train"));
}

/* Units or axes that are wrong are found out, and nothing is written. */
static void damaged(void **state) {
    (void)state;
    made = source_made(t.arena, "mpi_inf_3dhp");
    t.from.keep = GN_KEEP_NONE;
    void *bytes = NULL;
    size_t n = 0;
    const char *calibration = below("S1/Seq1/camera.calibration");
    OK(gn_io_read(t.arena, calibration, 1 << 20, &bytes, &n));
    assert_non_null(strstr(bytes, "intrinsic   150 "));
    for (char *p = bytes; (p = strstr(p, "intrinsic   1")); p++) p[12] = '9'; /* f 150 is now 950 */
    OK(gn_io_write(calibration, bytes, n));
    const gn_status status = importing_run(&t, "mpi_inf_3dhp", made, "out");
    if (status == GN_MISSING) skip();
    assert_int_equal(status, GN_BAD_DATA);
    assert_non_null(strstr(gn_reason(), "expected at most 3"));
    OK(gn_io_write(below("S1/Seq1/annot.mat"), "MATLAB 5.0", 10));
    FAILS(importing_run(&t, "mpi_inf_3dhp", made, "out"), BAD_DATA);
    assert_false(importing_left(&t, "out", "train"));
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = { TEST(training), TEST(training_labels), TEST(tests_of_3dhp), TEST(several_people), TEST(made_pictures),
                                        TEST(cameras), TEST(refused), TEST(damaged) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
