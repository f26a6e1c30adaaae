/* test_import_ntu.c - NTU RGB+D, of which no file may lie here: tests/import/ntu.py writes small ones after the owners' reader, with a
 * sensor of its own; one camera's pictures are as a mirror shows them, the other's are not. */
#include "importing.h"
#include "source.h"

static importing t;
static const char *made;
static int set_up(void **state) {
    (void)state;
    importing_begin(&t, "ntu");
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
    if (!made) made = source_made(own, "ntu");
    return gn_arena_text(t.arena, "%s/%s", made, name);
}

static int64_t frame_of(const gn_shard *s, int64_t i) { return *(const int64_t *)importing_at(s, "frame", i); }

/* Joints 0, 3 and 7 of a body as truth.txt has them: "NAME frame z joint x y z u v"; those that are labelled are checked. */
static void like_truth(const gn_shard *s, int64_t i, const char *name, double z) {
    char line[256], whose[64];
    FILE *f = fopen(source("truth.txt"), "r");
    long long frame;
    int joint, found = 0;
    double at, x[5];
    const uint8_t *labelled = importing_at(s, "labelled3d", i);
    assert_non_null(f);
    while (fgets(line, sizeof line, f)) {
        if (sscanf(line, "%63s %lld %lf %d %lf %lf %lf %lf %lf", whose, &frame, &at, &joint, x, x + 1, x + 2, x + 3, x + 4) != 9) continue;
        if (strcmp(whose, name) || frame != frame_of(s, i) || fabs(at - z) > 1e-6) continue;
        found++;
        if (!labelled[joint]) continue;
        const float *xyz = (const float *)importing_at(s, "joints3d", i) + 3 * joint, *uv = (const float *)importing_at(s, "joints2d", i) + 2 * joint;
        for (int k = 0; k < 3; k++) NEAR(xyz[k], x[k], 1e-5);
        for (int k = 0; k < 2 && importing_has(s, "size") && !importing_has(s, "depth_map"); k++) NEAR(uv[k], x[3 + k], 1e-3);
    }
    fclose(f);
    assert_int_equal(found, 3);
}

static void check_camera(const gn_shard *s, double fx, double fy, double cx, double cy) {
    const float *c = importing_at(s, "camera", 0);
    NEAR(c[0], fx, 0.02);
    NEAR(c[1], fy, 0.02);
    NEAR(c[2], cx, 0.02);
    NEAR(c[3], cy, 0.02);
}

static void skeletons(void **state) {
    (void)state;
    OK(importing_run(&t, "ntu", source("nturgb+d_skeletons"), "out"));
    assert_non_null(strstr(t.said, "S001C001 fitted fx 366.0 fy 366.5 cx 254.0 cy 205.0, mirrored pictures turned back\n"));
    assert_non_null(strstr(t.said, "S001C002 fitted fx 365.0 fy 364.5 cx 259.5 cy 204.0\n"));
    assert_non_null(strstr(t.said, "passed over: S001C001P008R001A050: no body in any frame"));
    assert_non_null(strstr(t.said, "3 files, 15 frames, 5 of them without a body; cross-subject split of performers"));
    assert_non_null(strstr(t.said, "2 labelled joints are no numbers"));
    gn_shard *s = importing_shard(&t, "out", "train"); /* performer 1 */
    assert_ptr_equal(gn_shard_skeleton(s), &gn_kinect25);
    assert_int_equal(gn_shard_samples(s), 6);
    check_camera(s, 366, 366.5, 511 - 257, 205);
    static const struct { int64_t frame; double z; int labelled; const char *take; } body[] = {
        { 0, 2.5, 25, "S001C001P001R001A001 body 0" }, { 1, 2.6, 25, "S001C001P001R001A001 body 0" }, { 3, 2.75, 22, "S001C001P001R001A001 body 0" },
        { 3, 3.5, 16, "S001C001P001R001A001 body 1" }, { 4, 3, 23, "S001C001P001R001A001 body 0" },   { 5, 3, 25, "S001C001P001R001A001 body 0" },
    };
    for (int i = 0; i < 6; i++) {
        assert_int_equal(frame_of(s, i), body[i].frame);
        assert_string_equal(importing_at(s, "take", i), body[i].take);
        assert_int_equal(importing_labelled(s, "labelled3d", i), body[i].labelled);
        like_truth(s, i, "S001C001P001R001A001", body[i].z);
    }
    const uint8_t *guessed = importing_at(s, "labelled3d", 2);
    assert_true(!guessed[7] && !guessed[21] && !guessed[22] && guessed[6]);
    const float *xyz = importing_at(s, "joints3d", 0); /* whoever faces the sensor has the left hand on the picture's right */
    assert_true(xyz[3 * gn_joint_find(&gn_kinect25, "l_shoulder")] > xyz[3 * gn_joint_find(&gn_kinect25, "r_shoulder")]);
    assert_true(xyz[3 * gn_joint_find(&gn_kinect25, "head") + 1] < xyz[3 * gn_joint_find(&gn_kinect25, "spine_base") + 1]);
    s = importing_shard(&t, "out", "valid"); /* performer 3 */
    assert_int_equal(gn_shard_samples(s), 5);
    check_camera(s, 365, 364.5, 259.5, 204);
    for (int i = 0; i < 5; i++) like_truth(s, i, "S001C002P003R001A001", 3 + 0.1 * i);
}

/* A disc at each joint has its depth: so it lies where the joint does, in a picture that is turned back. */
static void depth(void **state) {
    (void)state;
    t.from.size = 256;
    OK(importing_run(&t, "ntu", source("seen"), "out"));
    gn_shard *s = importing_shard(&t, "out", "train");
    assert_int_equal(gn_shard_samples(s), 6);
    for (int i = 0; i < 6; i++) {
        const uint16_t *mm = importing_at(s, "depth_map", i);
        const float *uv = importing_at(s, "joints2d", i), *xyz = importing_at(s, "joints3d", i);
        if (i != 3) NEAR(mm[256 * (int)lrintf(uv[2 * 3 + 1]) + (int)lrintf(uv[2 * 3])], 1000 * (double)xyz[3 * 3 + 2], 1.5);
        if (i != 3) assert_true(mm[0] > mm[255]); /* the wall goes away with the stored column */
    }
}

static void depth_where_it_is(void **state) {
    (void)state;
    t.from.pictures = importing_path(&t, "elsewhere");
    FAILS(importing_run(&t, "ntu", source("seen"), "out"), MISSING);
    OK(gn_io_folder(t.from.pictures));
    FAILS(importing_run(&t, "ntu", source("seen"), "out"), MISSING);
    assert_non_null(strstr(gn_reason(), "no folder S001C001P001R001A001 of depth pictures there"));
    t.from.pictures = source("seen");
    OK(importing_run(&t, "ntu", source("nturgb+d_skeletons/S001C001P001R001A001.skeleton"), "out"));
    assert_true(importing_has(importing_shard(&t, "out", "train"), "depth_map"));
    OK(gn_io_folder(importing_path(&t, "some/S001C001P001R001A001")));
    uint16_t *grey;
    int w, h;
    OK(gn_png_read_grey16(t.arena, source("seen/nturgb+d_depth_masked/S001C001P001R001A001/MDepth-00000002.png"), &w, &h, &grey));
    OK(gn_png_write_grey16(importing_path(&t, "some/S001C001P001R001A001/Depth-00000002.png"), w, h, grey));
    t.from.pictures = importing_path(&t, "some");
    FAILS(importing_run(&t, "ntu", source("seen"), "out"), MISSING);
    assert_non_null(strstr(gn_reason(), "Depth-00000001.png: no such picture"));
    t.from.skip_missing = 1;
    OK(importing_run(&t, "ntu", source("seen"), "out"));
    assert_int_equal(gn_shard_samples(importing_shard(&t, "out", "train")), 1);
    OK(gn_png_write_grey16(importing_path(&t, "some/S001C001P001R001A001/Depth-00000001.png"), 8, 8, grey));
    FAILS(importing_run(&t, "ntu", source("seen"), "out"), BAD_DATA);
    assert_non_null(strstr(gn_reason(), "8 x 8 pixels, expected 512 x 424"));
    t.from.keep = GN_KEEP_NONE;
    OK(importing_run(&t, "ntu", source("seen"), "labels"));
    assert_false(importing_has(importing_shard(&t, "labels", "train"), "depth_map"));
}

static void refused(void **state) {
    (void)state;
    char line[512];
    int n = 0;
    FILE *f = fopen(source("bad/why.txt"), "r");
    assert_non_null(f);
    while (fgets(line, sizeof line, f)) {
        char *words = strchr(line, '\t');
        assert_non_null(words);
        *words++ = 0;
        words[strcspn(words, "\n")] = 0;
        FAILS(importing_run(&t, "ntu", gn_arena_text(t.arena, "%s/%s", source("bad"), line), "out"), BAD_DATA);
        if (!strstr(gn_reason(), words)) fail_msg("%s: '%s' should say '%s'", line, gn_reason(), words);
        n++;
    }
    fclose(f);
    assert_true(n >= 20);
    FAILS(importing_run(&t, "ntu", t.folder, "out"), MISSING);
}

int main(void) {
#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = { T(skeletons), T(depth), T(depth_where_it_is), T(refused) };
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    if (made) gn_io_remove(made);
    return failed;
}
