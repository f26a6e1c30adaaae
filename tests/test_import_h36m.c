/* test_import_h36m.c - Human3.6M in the forms that circulate. No file may lie here: tests/import/h36m.py writes small ones after
 * their owners' descriptions, with people and cameras of its own, projected by NumPy; h36m_bad.py what must be refused. */
#include "importing.h"
#include "source.h"
#include "src/import/array.h"
#include "src/import/zip.h"

static importing t;
static const char *made; /* by h36m_bad.py, once: it takes a second */
static int set_up(void **state) {
    (void)state;
    importing_begin(&t, "h36m");
    t.from.keep = GN_KEEP_NONE;
    return 0;
}
static int tear_down(void **state) {
    (void)state;
    importing_end(&t);
    return 0;
}

static const char *source(const char *name) {
    static gn_arena *own;
    if (!own) own = gn_arena_new("made");
    if (!made) made = source_made(own, "h36m_bad");
    return gn_arena_text(t.arena, "%s/%s", made, name);
}

static const char *take_of(const gn_shard *s, int64_t i) { return importing_at(s, "take", i); }
static int64_t whole(const gn_shard *s, const char *field, int64_t i) { return *(const int64_t *)importing_at(s, field, i); }
static int64_t sample_of(const gn_shard *s, const char *take, int64_t frame) {
    for (int64_t i = 0; i < gn_shard_samples(s); i++)
        if (!strcmp(take_of(s, i), take) && whole(s, "frame", i) == frame) return i;
    fail_msg("no %s frame %lld", take, (long long)frame);
    return -1;
}

/* Joints as truth.txt has them under KEY: "KEY joint x y z u v", the pinhole's u and v. */
static void like_truth(const gn_shard *s, int64_t i, const char *key, double pixels) {
    char line[256], name[128];
    FILE *f = fopen(source("truth.txt"), "r");
    int joint, found = 0;
    double x[5];
    assert_non_null(f);
    while (fgets(line, sizeof line, f)) {
        if (sscanf(line, "%127s %d %lf %lf %lf %lf %lf", name, &joint, x, x + 1, x + 2, x + 3, x + 4) != 7 || strcmp(name, key)) continue;
        const float *xyz = (const float *)importing_at(s, "joints3d", i) + 3 * joint, *uv = (const float *)importing_at(s, "joints2d", i) + 2 * joint;
        for (int k = 0; k < 3; k++) NEAR(xyz[k], x[k], 2e-5);
        for (int k = 0; k < 2 && pixels > 0; k++) NEAR(uv[k], x[3 + k], pixels);
        found++;
    }
    fclose(f);
    assert_int_equal(found, 3);
}

/* What pose_of_view says of the world's origin, and of a point a metre up: both are in the studio, the camera looks at them. */
static void stands(const gn_shard *s, int64_t i, double away) {
    const float *m = importing_at(s, "pose_of_view", i);
    double centre = 0;
    for (int k = 0; k < 3; k++) centre += (double)m[4 * k + 3] * (double)m[4 * k + 3];
    NEAR(sqrt(centre), away, 0.05);
    assert_true(m[6] < -0.9f);                      /* z of the world is up */
    NEAR(m[3] + (double)m[2], 0, 0.12);             /* the middle of the studio is ahead */
}

/* --- VideoPose3D --- */

static void check_video(const char *out, double pixels) {
    static const struct { const char *part; int64_t n; } parts[] = { { "train", (7 + 3 + 4) * 4 }, { "valid", (5 + 4) * 4 } };
    for (int valid = 0; valid < 2; valid++) {
        gn_shard *s = importing_shard(&t, out, parts[valid].part);
        assert_ptr_equal(gn_shard_skeleton(s), &gn_h36m17);
        assert_int_equal(gn_shard_samples(s), parts[valid].n);
        for (int64_t i = 0; i < gn_shard_samples(s); i += 4) /* a moment's four cameras in a row */
            for (int k = 1; k < 4; k++) {
                assert_true(whole(s, "group", i + k) == whole(s, "group", i) && whole(s, "frame", i + k) == whole(s, "frame", i));
                assert_string_not_equal(take_of(s, i + k), take_of(s, i));
            }
        assert_int_equal(importing_labelled(s, "labelled3d", 0), 17);
        assert_int_equal(importing_labelled(s, "labelled2d", 0), 17);
    }
    gn_shard *s = importing_shard(&t, out, "train");
    like_truth(s, sample_of(s, "S1 Walking 54138969", 2), "vp/S1/Walking/0/2", pixels);
    like_truth(s, sample_of(s, "S1 Eating 1 60457274", 2), "vp/S1/Eating_1/3/2", pixels);
    like_truth(s, sample_of(s, "S5 Posing 54138969", 2), "vp/S5/Posing/0/2", pixels);
    const int64_t i = sample_of(s, "S1 Walking 54138969", 2);
    const float *camera = importing_at(s, "camera", i);
    const int32_t *size = importing_at(s, "size", i);
    NEAR(camera[0], 1145.0494, 1e-3);
    NEAR(camera[3], 515.4515, 1e-3);
    assert_true(size[0] == 1000 && size[1] == 1002);
    stands(s, i, sqrt(1.92 * 1.92 + 4.88 * 4.88 + 1.51 * 1.51));
    s = importing_shard(&t, out, "valid");
    like_truth(s, sample_of(s, "S11 Directions 1 60457274", 2), "vp/S11/Directions_1/3/2", pixels);
}

static void video_pose(void **state) {
    (void)state;
    OK(importing_run(&t, "h36m", source("vp"), "out"));
    assert_non_null(strstr(t.said, "cameras.h5: R from world to camera, t is the camera's place, by projecting"));
    assert_non_null(strstr(t.said, "data_2d_h36m_gt.npz, projected with the tangential numbers of the glass exchanged"));
    assert_non_null(strstr(t.said, "passed over: S11 Directions: its video and its poses are not of one take"));
    assert_non_null(strstr(t.said, "3D projected lies 0.000 px from the 2D"));
    check_video("out", 2e-3);
    assert_non_null(strstr(gn_shard_provenance(importing_shard(&t, "out", "train")), "academic use"));
}

/* A detector's 2D, two pixels of noise and twice as many frames as poses, is asked for by its file. */
static void detections(void **state) {
    (void)state;
    OK(importing_run(&t, "h36m", source("vp/data_2d_h36m_cpn_ft_h36m_dbb.npz"), "out"));
    assert_null(strstr(t.said, "exchanged"));
    check_video("out", 12);
}

static void cameras_of_any_file(void **state) {
    (void)state;
    static const char *const from[] = { "vp_xml", "vp_py", "vp_two", "vp_four", "vp_new" };
    for (int k = 0; k < 5; k++) {
        OK(importing_run(&t, "h36m", source(from[k]), from[k]));
        assert_non_null(strstr(t.said, "2D is 3D projected"));
        check_video(from[k], 2e-3);
    }
    FAILS(importing_run(&t, "h36m", source("vp_none"), "none"), MISSING);
    assert_non_null(strstr(gn_reason(), "no file that says where the cameras stand: cameras.h5, metadata.xml"));
}

/* Doubles, the most significant byte first, the first index fastest. */
static void turned(void **state) {
    (void)state;
    OK(importing_run(&t, "h36m", source("vp_turned/data_3d_h36m.npz"), "out"));
    gn_shard *s = importing_shard(&t, "out", "train");
    assert_int_equal(gn_shard_samples(s), 28);
    like_truth(s, sample_of(s, "S1 Walking 60457274", 2), "vp/S1/Walking/3/2", 2e-3);
    assert_false(importing_left(&t, "out", "valid"));
}

static void thinned(void **state) {
    (void)state;
    t.from.every = 5;
    OK(importing_run(&t, "h36m", source("vp"), "out"));
    gn_shard *s = importing_shard(&t, "out", "train");
    assert_int_equal(gn_shard_samples(s), (2 + 1 + 1) * 4);
    assert_int_equal(whole(s, "frame", 4), 5);
}

/* --- h36m-fetch --- */

static void fetched(void **state) {
    (void)state;
    OK(importing_run(&t, "h36m", source("fetch"), "out"));
    assert_non_null(strstr(t.said, "8 takes of a camera through the published lens, 4 through the file's pinhole"));
    assert_non_null(strstr(t.said, "S11 Directions, 3 moments"));
    assert_non_null(strstr(t.said, "universal skeleton"));
    gn_shard *s = importing_shard(&t, "out", "train");
    assert_int_equal(gn_shard_samples(s), 24);
    assert_false(importing_has(s, "pose_of_view"));
    for (int v = 0; v < 4; v++) {
        assert_int_equal(whole(s, "group", v), whole(s, "group", 0));
        assert_int_equal(whole(s, "frame", v), 1);
    }
    like_truth(s, sample_of(s, "S1 Walking-1 55011271", 11), "fetch/S1/1/2", 2e-2);
    s = importing_shard(&t, "out", "valid");
    assert_int_equal(gn_shard_samples(s), 16);
    like_truth(s, sample_of(s, "S9 Eating 60457274", 11), "fetch/S9/3/2", 2e-2);
}

static void fetched_pictures(void **state) {
    (void)state;
    static const char *const name[] = { "54138969", "55011271", "58860488", "60457274" };
    t.from.keep = GN_KEEP_RAW;
    t.from.every = 4;
    FAILS(importing_run(&t, "h36m", source("fetch/S9"), "out"), MISSING);
    assert_non_null(strstr(gn_reason(), "S9/Eating/imageSequence/54138969/img_000001.jpg: no such picture"));
    for (int v = 0; v < 4; v++) importing_picture(&t, gn_arena_text(t.arena, "pictures/S9/Eating/imageSequence/%s/img_000001.jpg", name[v]), 1000, v % 3 ? 1000 : 1002);
    t.from.pictures = importing_path(&t, "pictures");
    OK(importing_run(&t, "h36m", source("fetch/S9"), "out"));
    gn_shard *s = importing_shard(&t, "out", "valid");
    assert_int_equal(gn_shard_samples(s), 4);
    const float *camera = importing_at(s, "camera", 0), *uv = importing_at(s, "joints2d", 0), *xyz = importing_at(s, "joints3d", 0);
    for (int j = 0; j < 17; j++) { /* of the crop now */
        NEAR(uv[2 * j], camera[0] * xyz[3 * j] / xyz[3 * j + 2] + camera[2], 0.02);
        assert_true(uv[2 * j] > 0 && uv[2 * j] < 64);
    }
}

/* --- Moon --- */

static void moon(void **state) {
    (void)state;
    OK(importing_run(&t, "h36m", source("moon"), "out"));
    assert_non_null(strstr(t.said, "Human36M_subject9_camera.json: R from world to camera, t is the world's origin (-R C)"));
    assert_non_null(strstr(t.said, "S11 Directions, action 2.2, 16 pictures"));
    gn_shard *s = importing_shard(&t, "out", "train");
    assert_int_equal(gn_shard_samples(s), 44);
    like_truth(s, sample_of(s, "S1 action 2.1 54138969", 2), "moon/S1/2.1/0/2", 2e-3);
    like_truth(s, sample_of(s, "S1 action 3.2 60457274", 2), "moon/S1/3.2/3/2", 2e-3);
    s = importing_shard(&t, "out", "valid");
    assert_int_equal(gn_shard_samples(s), 28);
    for (int64_t i = 0; i < 28; i++) assert_null(strstr(take_of(s, i), "S11 action 2.2"));
    stands(s, sample_of(s, "S9 action 5.1 54138969", 0), sqrt(2.08 * 2.08 + 4.72 * 4.72 + 1.59 * 1.59));
}

static void moon_of_the_other_kind(void **state) {
    (void)state;
    OK(importing_run(&t, "h36m", source("moon_place"), "out"));
    assert_non_null(strstr(t.said, "t is the camera's place, by projecting"));
    gn_shard *s = importing_shard(&t, "out", "valid");
    like_truth(s, sample_of(s, "S9 action 5.1 58860488", 2), "moon_place/S9/5.1/2/2", 2e-3);
}

/* --- arrays --- */

static const gn_array *member(const char *archive, const char *name) {
    gn_zip *z = NULL;
    const unsigned char *bytes = NULL;
    size_t n = 0;
    const gn_py *tree = NULL;
    OK(gn_zip_open(t.arena, source(archive), &z));
    const gn_zip_member *m = gn_zip_find(z, gn_arena_text(t.arena, "%s.npy", name));
    if (!m) fail_msg("no member %s", name);
    OK(gn_zip_read(t.arena, z, m, &bytes, &n));
    OK(gn_npy_read(t.arena, name, bytes, n, &tree));
    return &tree->array;
}

static void arrays(void **state) {
    (void)state;
    static const char *const kind[] = { "f2", "f4", "f8", "big_f2", "big_f4", "big_f8", "turned", "i1", "i2", "i4", "i8", "big_i2", "big_i8", "u1", "u2", "u4", "u8" };
    for (int k = 0; k < 17; k++) {
        const gn_array *x = member("kinds.npz", kind[k]);
        assert_true(x->rank == 3 && x->n == 24 && x->d[0] == 4 && x->d[1] == 3 && x->d[2] == 2);
        for (int i = 0; i < 24; i++) NEAR(gn_array_number(x, i), k < 7 ? i / 4.0 - 1 : k < 13 ? i - 12 : i, 0);
        assert_true(isnan(gn_array_number(x, 24)));
    }
    const gn_array *odd = member("kinds.npz", "odd"), *one = member("kinds.npz", "one"), *wide = member("wide.npz", "x");
    assert_true(isinf(gn_array_number(odd, 0)) && gn_array_number(odd, 1) < 0 && isnan(gn_array_number(odd, 2)));
    NEAR(gn_array_number(odd, 3), 1.0 / (1 << 24), 1e-12);
    NEAR(gn_array_number(odd, 4), 65504, 0);
    NEAR(gn_array_number(member("kinds.npz", "b1"), 23), 1, 0);
    NEAR(gn_array_number(one, 0), 2.5, 0);
    assert_int_equal(one->rank, 0);
    NEAR(gn_array_number(wide, 23), 4.75, 0);
}

/* --- what is refused --- */

static void refused(void **state) {
    (void)state;
    char line[512], reason[2048];
    int n = 0;
    FILE *f = fopen(source("bad/why.txt"), "r");
    assert_non_null(f);
    while (fgets(line, sizeof line, f)) {
        char *words = strchr(line, '\t');
        assert_non_null(words);
        *words++ = 0;
        words[strcspn(words, "\n")] = 0;
        const gn_status status = importing_run(&t, "h36m", gn_arena_text(t.arena, "%s/%s", source("bad"), line), "out");
        snprintf(reason, sizeof reason, "%s", gn_reason());
        if (gn_exit_code(status) != 65 || !strstr(reason, words)) fail_msg("%s: exit %d, '%s' should say '%s'", line, gn_exit_code(status), reason, words);
        assert_false(importing_left(&t, "out", "train") || importing_left(&t, "out", "valid"));
        n++;
    }
    fclose(f);
    assert_true(n > 100);
    assert_false(gn_io_exists(source("bad/ran"))); /* nothing was run */
    FAILS(importing_run(&t, "h36m", t.folder, "out"), MISSING);
    assert_non_null(strstr(gn_reason(), "no data_3d_h36m.npz, no annot.h5, no Human36M_subjectN_data.json there"));
    FAILS(importing_run(&t, "h36m", importing_write(&t, "Walking.cdf", "x"), "out"), BAD_DATA);
    assert_non_null(strstr(gn_reason(), "the owners' CDF is not read"));
}

int main(void) {
#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = { T(video_pose), T(detections), T(cameras_of_any_file), T(turned), T(thinned), T(fetched), T(fetched_pictures), T(moon),
                                        T(moon_of_the_other_kind), T(arrays), T(refused) };
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    if (made) gn_io_remove(made);
    return failed;
}
