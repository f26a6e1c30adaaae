/* test_import_itop.c - ITOP: the owner's HDF5 as tests/import/itop.py writes it after its description, and the real keypoints
 * that A2J saved for MATLAB. */
#include "importing.h"
#include "source.h"

static importing t;
static const char *made;
static int set_up(void **state) {
    (void)state;
    importing_begin(&t, "itop");
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

/* The self-check's median, in pixels of the whole picture. */
static double median_said(void) {
    const char *at = strstr(t.said, "self-check: 3D projected lies ");
    assert_non_null(at);
    return strtod(at + strlen("self-check: 3D projected lies "), NULL);
}

static void depth_and_labels(void **state) {
    (void)state;
    made = source_made(t.arena, "itop");
    t.from.size = 128;
    OK(importing_run(&t, "itop", made, "out"));
    assert_non_null(strstr(t.said, "6 rows, 5 of them kept"));
    assert_true(median_said() <= 0.71); /* pixels are rounded: half a diagonal */
    gn_shard *train = importing_shard(&t, "out", "train"), *valid = importing_shard(&t, "out", "valid");
    assert_ptr_equal(gn_shard_skeleton(train), &gn_itop15);
    assert_int_equal(gn_shard_samples(train), 5);
    assert_int_equal(gn_shard_samples(valid), 3);
    assert_false(importing_has(train, "image"));
    static const int frame[] = { 10, 12, 13, 14, 15 }; /* 11 is not valid */
    int spots = 0;
    for (int64_t i = 0; i < 5; i++) {
        const float *k = importing_at(train, "camera", i), *xyz = importing_at(train, "joints3d", i), *uv = importing_at(train, "joints2d", i);
        const uint16_t *mm = importing_at(train, "depth_map", i);
        const double zoom = k[0] * 0.0035;
        assert_int_equal(*(const int64_t *)importing_at(train, "frame", i), frame[i]);
        assert_string_equal(importing_at(train, "take", i), "side 07");
        assert_int_equal(importing_labelled(train, "labelled3d", i), 15);
        for (int j = 0; j < 15; j++) {
            NEAR(k[0] * xyz[3 * j] / xyz[3 * j + 2] + k[2], uv[2 * j], 0.51 * zoom);
            NEAR(k[1] * xyz[3 * j + 1] / xyz[3 * j + 2] + k[3], uv[2 * j + 1], 0.51 * zoom);
            assert_int_equal(((const uint8_t *)importing_at(train, "occluded2d", i))[j], (j + frame[i] - 10) % 4 == 0);
            const long x = lrintf(uv[2 * j]), y = lrintf(uv[2 * j + 1]);
            spots += abs(mm[128 * y + x] - (int)lrintf(1000 * xyz[3 * j + 2])) <= 1; /* another joint's spot may hide it */
        }
        assert_true(xyz[1] < xyz[3 * 8 + 1] && xyz[3 * 8 + 1] < xyz[3 * 13 + 1]); /* head, torso, foot: y is down */
    }
    assert_true(spots > 60); /* of 75 */
    assert_string_equal(importing_at(valid, "take", 0), "side 02");
}

static void labels_alone(void **state) {
    (void)state;
    made = source_made(t.arena, "itop");
    t.from.keep = GN_KEEP_NONE;
    t.from.every = 2;
    OK(importing_run(&t, "itop", below("ITOP_side_train_labels.h5"), "out")); /* the test file beside it comes along */
    gn_shard *s = importing_shard(&t, "out", "train");
    assert_int_equal(gn_shard_samples(s), 3); /* 10, 12, 14 */
    assert_true(importing_left(&t, "out", "valid"));
    assert_false(importing_has(s, "depth_map"));
    const int32_t *size = importing_at(s, "size", 0);
    assert_true(size[0] == 320 && size[1] == 240);
    const float *k = importing_at(s, "camera", 0);
    NEAR(k[0], 285.714286, 1e-4);
    assert_true(k[2] == 160 && k[3] == 120);
}

static void real(void **state) {
    (void)state;
    const char *source = source_real(t.arena, "itop");
    t.from.pictures = NULL;
    const gn_status read = importing_run(&t, "itop", source, "out");
    if (read == GN_MISSING && strstr(gn_reason(), "without matio")) skip();
    OK(read);
    assert_non_null(strstr(t.said, "98.6 % of the joints project into it"));
    gn_shard *s = NULL;
    OK(gn_shard_open(t.arena, gn_arena_text(t.arena, "%s/out/valid.h5", t.folder), &s)); /* not importing_shard: bones of 14 are so odd that `verify` suspects an exchange */
    assert_int_equal(gn_shard_samples(s), 4863);
    double thigh = 0, least = 9, most = 0;
    for (int64_t i = 0; i < 4863; i++) {
        const float *x = importing_at(s, "joints3d", i);
        thigh += hypot(hypot(x[27] - x[33], x[28] - x[34]), x[29] - x[35]) / 4863;
        for (int j = 0; j < 15; j++) least = fmin(least, x[3 * j + 2]), most = fmax(most, x[3 * j + 2]);
    }
    NEAR(thigh, 0.504, 0.01);
    NEAR(least, 1.91, 0.01);
    NEAR(most, 3.67, 0.01);
}

static void refused(void **state) {
    (void)state;
    made = source_made(t.arena, "itop");
    const char *labels = below("ITOP_side_test_labels.h5"), *depth = below("ITOP_side_test_depth_map.h5");
    OK(gn_io_remove(below("ITOP_side_train_labels.h5")));
    OK(gn_io_rename(below("ITOP_side_train_depth_map.h5"), depth)); /* another file's rows */
    FAILS(importing_run(&t, "itop", made, "out"), BAD_DATA);
    assert_non_null(strstr(gn_reason(), "ITOP_side_test_depth_map.h5: data: expected extents [ 4 240 320 ], found [ 6 240 320 ]"));
    OK(gn_io_remove(depth));
    FAILS(importing_run(&t, "itop", made, "out"), MISSING);
    assert_non_null(strstr(gn_reason(), "not beside the labels"));
    void *bytes = NULL;
    size_t n = 0;
    OK(gn_io_read(t.arena, labels, 1 << 24, &bytes, &n));
    OK(gn_io_write(labels, bytes, n / 2));
    FAILS(importing_run(&t, "itop", made, "out"), BAD_DATA);
    FAILS(importing_run(&t, "itop", importing_write(&t, "a/itop_side_keypoints3D_test.mat", "no MATLAB"), "out"), BAD_DATA);
    OK(gn_io_write(below("ITOP_top_test_labels.h5"), "x", 1));
    FAILS(importing_run(&t, "itop", made, "out"), BAD_USAGE);
    FAILS(importing_run(&t, "itop", t.folder, "out"), MISSING);
    assert_false(importing_left(&t, "out", "valid"));
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = { TEST(depth_and_labels), TEST(labels_alone), TEST(real), TEST(refused) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
