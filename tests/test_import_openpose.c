/* test_import_openpose.c - OpenPose's JSON: real BODY_25B, BODY_25 written after its owner's description, and which is which. */
#include "importing.h"
#include "source.h"

#define TRIAL "pose2sim/S00_P00_T01_BalancingTrial"
static importing t;
static int set_up(void **state) {
    (void)state;
    importing_begin(&t, "openpose");
    return 0;
}
static int tear_down(void **state) {
    (void)state;
    importing_end(&t);
    return 0;
}

static void body25b_as_it_is(void **state) {
    (void)state;
    OK(importing_run(&t, "openpose25b", source_real(t.arena, TRIAL "/pose/cam01_json"), "out"));
    assert_non_null(strstr(t.said, "bones of 199 of 199 persons fit"));
    assert_non_null(strstr(t.said, "1005 x 1315 holds all points"));
    int place;
    gn_shard *s = NULL;
    OK(gn_shard_open(t.arena, importing_path(&t, "out/train.h5"), &s));
    assert_int_equal(gn_shard_samples(s), 201);
    assert_ptr_equal(gn_shard_skeleton(s), &gn_body25b);
    assert_null(gn_shard_find(s, "image", &place));
    assert_string_equal(importing_at(s, "take", 0), "cam01_json");
    assert_int_equal(*(const int64_t *)importing_at(s, "frame", 200), 99);
    const int32_t *size = importing_at(s, "size", 7);
    assert_true(size[0] == 1005 && size[1] == 1315);
    const float *uv = importing_at(s, "joints2d", 0), *sure = importing_at(s, "confidence2d", 0);
    const uint8_t *labelled = importing_at(s, "labelled2d", 0);
    for (int j = 0; j < 25; j++) assert_true(labelled[j] ? sure[j] > 0 && uv[2 * j] > 0 : sure[j] <= 0 && uv[2 * j] <= 0);
    FAILS(importing_run(&t, "openpose", source_real(t.arena, TRIAL "/pose/cam01_json"), "wrong"), BAD_DATA);
    assert_non_null(strstr(gn_reason(), "bones of 199 of 199 persons fit the order of BODY_25B, not BODY_25: the format is openpose25b"));
}

static void with_pictures(void **state) {
    (void)state;
    t.from.pictures = source_real(t.arena, TRIAL "/frames/cam03");
    t.from.skip_missing = 1;
    OK(importing_run(&t, "openpose25b", source_real(t.arena, TRIAL "/pose/cam03_json"), "out"));
    gn_shard *s = importing_shard(&t, "out", "train");
    static const int frame[] = { 0, 25, 50, 75, 99 };
    assert_int_equal(gn_shard_samples(s), 5);
    for (int i = 0; i < 5; i++) assert_int_equal(*(const int64_t *)importing_at(s, "frame", i), frame[i]);
    assert_non_null(strstr(t.said, "95 samples lack their picture"));
}

/* A standing person in BODY_25's order, moved by (x, y); the toes are not found. */
static const char *stands(int x, int y) {
    static const int at[25][2] = { { 50, 20 }, { 50, 40 }, { 35, 41 }, { 30, 65 }, { 28, 88 },  { 65, 41 },  { 70, 65 }, { 72, 88 }, { 50, 90 },
                                   { 41, 90 }, { 40, 125 }, { 39, 160 }, { 59, 90 }, { 60, 125 }, { 61, 160 }, { 46, 16 }, { 54, 16 }, { 41, 18 }, { 59, 18 } };
    char text[1024] = "", *to = text;
    for (int k = 0; k < 25; k++)
        to += k < 19 ? sprintf(to, "%s%d.5,%d,0.%d", k ? "," : "", at[k][0] + x, at[k][1] + y, 9 - k % 3) : sprintf(to, ",0,0,0");
    return gn_arena_text(t.arena, "{\"person_id\":[-1],\"pose_keypoints_2d\":[%s],\"face_keypoints_2d\":[]}", text);
}
static const char *frame_of(const char *people) { return gn_arena_text(t.arena, "{\"version\":1.3,\"people\":[%s]}", people); }

static void body25(void **state) {
    (void)state;
    importing_write(&t, "take_1/walk_000000000010_keypoints.json", frame_of(stands(0, 0)));
    importing_write(&t, "take_1/walk_000000000011_keypoints.json", frame_of(""));
    importing_write(&t, "take_1/walk_000000000012_keypoints.json", frame_of(gn_arena_text(t.arena, "%s,%s", stands(1, 1), stands(200, 5))));
    const char *source = importing_path(&t, "take_1");
    OK(importing_run(&t, "openpose", source, "out"));
    gn_shard *s = NULL;
    OK(gn_shard_open(t.arena, importing_path(&t, "out/train.h5"), &s));
    assert_int_equal(gn_shard_samples(s), 3);
    assert_ptr_equal(gn_shard_skeleton(s), &gn_body25);
    assert_string_equal(importing_at(s, "take", 2), "take_1");
    assert_int_equal(*(const int64_t *)importing_at(s, "frame", 2), 12);
    const float *uv = importing_at(s, "joints2d", 2), *sure = importing_at(s, "confidence2d", 2);
    const uint8_t *labelled = importing_at(s, "labelled2d", 2);
    NEAR(uv[2 * 4], 228.5, 0);
    NEAR(uv[2 * 4 + 1], 93, 0);
    NEAR(sure[4], 0.8, 1e-6);
    assert_true(labelled[18] && !labelled[19] && !labelled[24]);
    NEAR(sure[24], 0, 0);
    const int32_t *size = importing_at(s, "size", 0);
    assert_true(size[0] == 273 && size[1] == 166);
    FAILS(importing_run(&t, "openpose25b", source, "wrong"), BAD_DATA);
    assert_non_null(strstr(gn_reason(), "the format is openpose"));
    t.from.every = 4;
    OK(importing_run(&t, "openpose", source, "fourth"));
    OK(gn_shard_open(t.arena, importing_path(&t, "fourth/train.h5"), &s));
    assert_int_equal(gn_shard_samples(s), 2);
}

static void faults(void **state) {
    (void)state;
    const struct { const char *text, *why; } bad[] = {
        { "{\"version\":1.3}", "expected a map with a list 'people'" },
        { "[1]", "expected a map with a list 'people'" },
        { "{\"people\":[", ":1:11: " },
        { frame_of(""), "BODY_25 or BODY_25B? Of 0 persons" },
        { frame_of("{\"pose_keypoints_2d\":[1,2,3]}"), "people[0]: pose_keypoints_2d: expected 75 numbers, x, y and confidence of BODY_25 or BODY_25B, found 3" },
        { frame_of("{\"pose_keypoints\":[]}"), "found 0" },
        { frame_of(gn_arena_text(t.arena, "%s,{\"pose_keypoints_2d\":7}", stands(0, 0))), "people[1]: pose_keypoints_2d" },
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const char *source = importing_write(&t, "bad.json", bad[i].text);
        FAILS(importing_run(&t, "openpose", source, "out"), BAD_DATA);
        if (!strstr(gn_reason(), source) || !strstr(gn_reason(), bad[i].why)) fail_msg("%s: said '%s', expected '%s'", bad[i].text, gn_reason(), bad[i].why);
    }
    OK(gn_io_folder(importing_path(&t, "empty")));
    FAILS(importing_run(&t, "openpose", importing_path(&t, "empty"), "out"), MISSING);
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(body25b_as_it_is), TEST(with_pictures), TEST(body25), TEST(faults),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
