/* test_import_interhand.c - InterHand2.6M: the real triple of one camera a capture, and a written one of two cameras. */
#include "importing.h"
#include "source.h"

static importing t;
static int set_up(void **state) {
    (void)state;
    importing_begin(&t, "interhand");
    return 0;
}
static int tear_down(void **state) {
    (void)state;
    importing_end(&t);
    return 0;
}

static double norm(const float *a, const float *b) { return sqrt(pow(a[0] - b[0], 2) + pow(a[1] - b[1], 2) + pow(a[2] - b[2], 2)); }

static void as_it_is(void **state) {
    (void)state;
    static const char *const take[] = { "3 0390_dh_touchROM 400026 right", "3 0390_dh_touchROM 400026 left", "7 0115_rocker_backside 410053 left" };
    OK(importing_run(&t, "interhand", source_real(t.arena, "interhand26m"), "out"));
    assert_non_null(strstr(t.said, "100.00 % of 63 projected joints lie in the annotated boxes"));
    assert_non_null(strstr(t.said, "3D projected lies 0.000 px from the 2D"));
    assert_false(importing_left(&t, "out", "valid"));
    gn_shard *s = importing_shard(&t, "out", "train");
    assert_int_equal(gn_shard_samples(s), 3);
    assert_ptr_equal(gn_shard_skeleton(s), &gn_hand21);
    assert_non_null(strstr(gn_shard_provenance(s), "CC BY-NC"));
    for (int i = 0; i < 3; i++) {
        assert_string_equal(importing_at(s, "take", i), take[i]);
        assert_int_equal(*(const int64_t *)importing_at(s, "frame", i), i < 2 ? 69148 : 29590);
        assert_int_equal(*(const int64_t *)importing_at(s, "group", i), -1);
        assert_int_equal(importing_labelled(s, "labelled3d", i), 21);
    }
    /* the right hand's thumb tip, (43.035, -82.295, 1090.740) mm in the world, by hand: R (X - campos) */
    const double R[3][3] = { { 0.9201921224594116, -0.012140202336013317, -0.39127883315086365 },
                             { 0.06150508299469948, 0.9915890097618103, 0.11387889832258224 },
                             { 0.38660526275634766, -0.1288560926914215, 0.9131990671157837 } };
    const double X[3] = { 43.03519821166992 + 415.1940002441406, -82.2948989868164 - 132.24954223632812, 1090.739990234375 - 59.5650749206543 };
    const float *xyz = importing_at(s, "joints3d", 0), *uv = importing_at(s, "joints2d", 0), *k = importing_at(s, "camera", 0);
    for (int i = 0; i < 3; i++) NEAR(xyz[i], (R[i][0] * X[0] + R[i][1] * X[1] + R[i][2] * X[2]) / 1000, 1e-6);
    NEAR(xyz[2], 1.1465, 1e-3);
    for (int j = 0; j < 21; j++)
        for (int d = 0; d < 2; d++) NEAR(k[d] * xyz[3 * j + d] / xyz[3 * j + 2] + k[2 + d], uv[2 * j + d], 1e-3);
    NEAR(k[0] / k[1], 1261.5291748046875 / 1261.6845703125, 1e-6);
    /* pose_of_view brings the same world point there */
    const float *p = importing_at(s, "pose_of_view", 0);
    for (int i = 0; i < 3; i++) NEAR(p[4 * i] * 0.04303519821 + p[4 * i + 1] * -0.08229489899 + p[4 * i + 2] * 1.09073999 + p[4 * i + 3], xyz[i], 1e-6);
    NEAR(norm(xyz + 3 * gn_joint_find(&gn_hand21, "wrist"), xyz + 3 * gn_joint_find(&gn_hand21, "index1")), 0.082, 0.012);
}

/* Two cameras that look along z from (0, 0, 0) and (100, 0, 0) mm; hands 1 m away, 5 mm a joint; `unit` of the points. */
static const char *joints(int right, int left) {
    char points[4096] = "", valid[512] = "", *p = points, *v = valid;
    for (int j = 0; j < 42; j++) {
        p += sprintf(p, "%s[%d.0, %d, 1000]", j ? ", " : "", 5 * (j % 21) - 50, j < 21 ? -20 + j % 3 : 30 - j % 3);
        v += sprintf(v, "%s[%s]", j ? ", " : "", (j < 21 ? right : left) && j != 4 ? "true" : "false");
    }
    return gn_arena_text(t.arena, "{\"world_coord\": [%s], \"joint_valid\": [%s], \"hand_type\": \"interacting\", \"hand_type_valid\": true}", points, valid);
}
static const char *valid_but(int joint) {
    char text[512] = "", *to = text;
    for (int j = 0; j < 42; j++) to += sprintf(to, "%s[%d]", j ? ", " : "", j != joint);
    return gn_arena_text(t.arena, "[%s]", text);
}
static const char *image(int id, int frame, const char *camera) {
    importing_picture(&t, gn_arena_text(t.arena, "images/test/Capture0/cam%s/image%d.png", camera, frame), 200, 160);
    return gn_arena_text(t.arena, "{\"id\": %d, \"file_name\": \"Capture0/cam%s/image%d.png\", \"width\": 200, \"height\": 160, \"capture\": 0, \"subject\": 1,"
                         "\"seq_name\": \"ROM01\", \"camera\": \"%s\", \"frame_idx\": %d}", id, camera, frame, camera, frame);
}
static const char *note(int id, int out) {
    return gn_arena_text(t.arena, "{\"id\": %d, \"image_id\": %d, \"bbox\": [0, 0, 200, 160], \"joint_valid\": %s, \"hand_type\": \"interacting\", \"hand_type_valid\": 1}", id, id,
                         valid_but(out));
}
static const char *cameras(double turn) {
    const char *R = gn_arena_text(t.arena, "[[1, 0, 0], [0, %g, 0], [0, 0, 1]]", turn);
    return gn_arena_text(t.arena, "{\"0\": {\"campos\": {\"400001\": [0, 0, 0], \"400002\": [100, 0, 0]}, \"camrot\": {\"400001\": %s, \"400002\": %s},"
                         "\"focal\": {\"400001\": [500, 500], \"400002\": [500, 500]}, \"princpt\": {\"400001\": [100, 80], \"400002\": [120, 80]}}}", R, R);
}
static const char *write_three(const char *joint_3d, const char *camera) {
    importing_write(&t, "annotations/test/InterHand2.6M_test_camera.json", camera);
    importing_write(&t, "annotations/test/InterHand2.6M_test_joint_3d.json", joint_3d);
    importing_write(&t, "annotations/test/InterHand2.6M_test_MANO_NeuralAnnot.json", "{}");
    return importing_write(&t, "annotations/test/InterHand2.6M_test_data.json",
                           gn_arena_text(t.arena, "{\"images\": [%s, %s, %s, %s], \"annotations\": [%s, %s, %s, %s]}", image(11, 9, "400001"), image(12, 6, "400001"),
                                         image(13, 6, "400002"), image(14, 12, "400001"), note(14, -1), note(13, 7), note(12, -1), note(11, -1)));
}

static void views_and_hands(void **state) {
    (void)state;
    const char *source = write_three(gn_arena_text(t.arena, "{\"0\": {\"6\": %s, \"9\": %s}}", joints(1, 1), joints(0, 1)), cameras(1));
    OK(importing_run(&t, "interhand", source, "out"));
    assert_non_null(strstr(t.said, "capture 0 frame 12: no joints"));
    gn_shard *s = importing_shard(&t, "out", "valid");
    static const struct { const char *take; int frame, group, labelled; } expected[] = {
        { "0 ROM01 400001 right", 6, 0, 20 }, { "0 ROM01 400002 right", 6, 0, 19 }, { "0 ROM01 400001 left", 6, 1, 21 },
        { "0 ROM01 400002 left", 6, 1, 21 },  { "0 ROM01 400001 left", 9, -1, 21 },
    };
    assert_int_equal(gn_shard_samples(s), 5);
    for (int i = 0; i < 5; i++) {
        assert_string_equal(importing_at(s, "take", i), expected[i].take);
        assert_int_equal(*(const int64_t *)importing_at(s, "frame", i), expected[i].frame);
        assert_int_equal(*(const int64_t *)importing_at(s, "group", i), expected[i].group);
        assert_int_equal(importing_labelled(s, "labelled3d", i), expected[i].labelled);
    }
    const uint8_t *labelled = importing_at(s, "labelled3d", 1);
    const float *one = importing_at(s, "joints3d", 0), *two = importing_at(s, "joints3d", 1);
    assert_true(!labelled[4] && !labelled[7]); /* of the frame, of the view */
    NEAR(two[3 * 4] + two[3 * 7], 0, 0);
    NEAR(one[3 * 20], 0.05, 1e-6);
    NEAR(two[3 * 20], -0.05, 1e-6);
    t.from.every = 9;
    OK(importing_run(&t, "interhand", importing_path(&t, "annotations"), "ninth"));
    assert_int_equal(gn_shard_samples(importing_shard(&t, "ninth", "valid")), 1);
}

static void faults(void **state) {
    (void)state;
    const char *good = gn_arena_text(t.arena, "{\"0\": {\"6\": %s, \"9\": %s}}", joints(1, 1), joints(0, 1)), *far = "{\"0\": {\"6\": {\"world_coord\": [[1, 2, 3]]}}}";
    const struct { const char *joints, *cameras, *why; } bad[] = {
        { far, cameras(1), "_joint_3d.json:1:13: world_coord: expected a list of 42 points" },
        { "{\"0\": {\"six\": 1}}", cameras(1), "_joint_3d.json:1:15: expected numbers of a capture and a frame, found '0' and 'six'" },
        { good, "{\"0\": {}}", "_camera.json: no whole camera '400001' of capture 0" },
        { good, "{\"0\": ", "_camera.json:1:6: " },
        { good, cameras(-1), "rotation mirrors" },
        { gn_arena_text(t.arena, "{\"0\": {\"6\": %s, \"6\": %s}}", joints(1, 1), joints(1, 1)), cameras(1), "the key '6' is there twice" },
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        FAILS(importing_run(&t, "interhand", write_three(bad[i].joints, bad[i].cameras), "out"), BAD_DATA);
        if (!strstr(gn_reason(), bad[i].why)) fail_msg("said '%s', expected '%s'", gn_reason(), bad[i].why);
    }
    char moved[8192]; /* the camera's place taken for 10 m away: nothing is in its box */
    const char *at = cameras(1), *zero = strstr(at, "[0, 0, 0]");
    snprintf(moved, sizeof moved, "%.*s[9000, 0, 0]%s", (int)(zero - at), at, zero + strlen("[0, 0, 0]"));
    FAILS(importing_run(&t, "interhand", write_three(good, moved), "out"), BAD_DATA);
    assert_non_null(strstr(gn_reason(), "of the projected joints lie in the annotated boxes"));
    FAILS(importing_run(&t, "interhand", importing_write(&t, "x.json", "{}"), "out"), BAD_DATA);
    assert_non_null(strstr(gn_reason(), "expected a name with '_data'"));
    FAILS(importing_run(&t, "interhand", importing_write(&t, "x_data.json", "{}"), "out"), MISSING);
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(as_it_is), TEST(views_and_hands), TEST(faults),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
