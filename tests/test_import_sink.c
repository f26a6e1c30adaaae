/* test_import_sink.c - what becomes of samples that are not all alike, or not quite sound. The test plays the importer. */
#include "importing.h"
#include "src/import/sink.h"

static importing t;
static char said[1 << 14];

static int begin(void **state) {
    (void)state;
    importing_begin(&t, "import_sink");
    t.from.source = t.from.out = t.folder;
    return 0;
}
static int end(void **state) {
    (void)state;
    importing_end(&t);
    return 0;
}

static void expect(const char *part) {
    if (!strstr(gn_reason(), part)) fail_msg("'%s' does not say '%s'", gn_reason(), part);
    gn_trail_clear();
}

/* Everything known, through a plain lens. */
static gn_import_sample whole(void) {
    gn_import_sample x = { .take = "t", .group = -1, .w = 64, .h = 48, .has = GN_HAS_joints2d | GN_HAS_joints3d | GN_HAS_camera, .lens = { .f = { 50, 50 }, .c = { 32, 24 } } };
    for (int j = 0; j < gn_kinect25.joints; j++) {
        const double at[3] = { 0.02 * j - 0.2, 0.03 * j - 0.3, 3 };
        memcpy(x.joints3d[j], at, sizeof at);
        gn_lens_project(&x.lens, at, x.joints2d[j]);
        x.labelled2d[j] = x.labelled3d[j] = 1;
    }
    return x;
}

static gn_sink *sink(const char *out, int keep) {
    static gn_importer as;
    gn_sink *s;
    as = (gn_importer){ .name = "test", .about = "a test", .skeleton = &gn_kinect25, .pixels = 2 };
    t.from.out = importing_path(&t, out);
    t.from.keep = keep;
    memset(said, 0, sizeof said);
    OK(gn_sink_open(t.arena, fmemopen(said, sizeof said, "w"), &t.from, &as, &s));
    return s;
}
static const gn_shard *done(gn_sink *s, const char *out) {
    OK(gn_sink_finish(s));
    fflush(s->to);
    return importing_shard(&t, out, "train");
}

static void test_some_know_more(void **state) {
    (void)state;
    gn_sink *s = sink("more", GN_KEEP_NONE);
    gn_import_sample x = whole();
    OK(gn_sink_put(s, &x));
    x.has = GN_HAS_joints2d | GN_HAS_confidence2d;
    for (int j = 0; j < gn_kinect25.joints; j++) x.confidence2d[j] = 0.25;
    OK(gn_sink_put(s, &x));
    const gn_shard *d = done(s, "more");
    const float *truth = importing_at(d, "confidence2d", 0), *guess = importing_at(d, "confidence2d", 1);
    assert_true(truth[3] == 1 && guess[3] == 0.25f);
    assert_int_equal(importing_labelled(d, "labelled3d", 1), 0);
    assert_false(importing_has(d, "camera"));
    assert_non_null(strstr(said, "left out, since some samples have none: camera"));
    assert_non_null(strstr(gn_shard_provenance(d), "labels alone"));
}

/* k1 of -0.5 lets no ray be seen farther than 0.544 from the middle. */
static void test_beyond_the_lens(void **state) {
    (void)state;
    gn_sink *s = sink("beyond", GN_KEEP_NONE);
    gn_import_sample x = whole();
    x.has = GN_HAS_joints2d | GN_HAS_camera;
    x.lens.k[0] = -0.5;
    for (int j = 0; j < gn_kinect25.joints; j++) x.joints2d[j][0] = 32, x.joints2d[j][1] = 24 + j * 0.5;
    x.joints2d[7][0] = 32 + 50 * 0.6;
    OK(gn_sink_put(s, &x));
    const gn_shard *d = done(s, "beyond");
    const uint8_t *there = importing_at(d, "labelled2d", 0);
    for (int j = 0; j < gn_kinect25.joints; j++) assert_int_equal(there[j], j != 7);
    assert_non_null(strstr(said, "1 labelled joints lie beyond"));
}

static void test_depth_alone_is_a_crop_with_a_size(void **state) {
    (void)state;
    static uint16_t depth[64 * 48];
    gn_sink *s = sink("depth", GN_KEEP_RAW);
    gn_import_sample x = whole();
    x.depth = depth;
    for (int i = 0; i < 64 * 48; i++) depth[i] = 3000;
    OK(gn_sink_put(s, &x));
    const gn_shard *d = done(s, "depth");
    const int32_t *size = importing_at(d, "size", 0);
    assert_true(size[0] == 64 && size[1] == 64);
    assert_true(importing_has(d, "depth_map"));
    x.depth = NULL;
    s = sink("depth2", GN_KEEP_RAW);
    OK(gn_sink_put(s, &x));
    x.depth = depth;
    OK(gn_sink_put(s, &x));
    FAILS(gn_sink_finish(s), BAD_DATA);
    expect("1 samples have no depth map, others have");
}

static void test_pictures(void **state) {
    (void)state;
    importing_picture(&t, "a.png", 64, 48);
    importing_picture(&t, "half.png", 32, 24);
    importing_write(&t, "broken.png", "no picture");
    gn_import_sample x = whole();
    gn_sink *s = sink("pictures", GN_KEEP_RAW);
    OK(gn_sink_put(s, &x));
    snprintf(x.picture, sizeof x.picture, "a.png");
    OK(gn_sink_put(s, &x));
    FAILS(gn_sink_finish(s), BAD_DATA);
    expect("1 samples have no picture, others have");

    t.from.skip_missing = 1;
    s = sink("pictures", GN_KEEP_RAW);
    snprintf(x.picture, sizeof x.picture, "gone.png");
    OK(gn_sink_put(s, &x));
    FAILS(gn_sink_finish(s), MISSING);
    expect("no sample's picture is there");

    s = sink("pictures", GN_KEEP_JPEG); /* a copy made smaller: labels would lie elsewhere */
    snprintf(x.picture, sizeof x.picture, "half.png");
    OK(gn_sink_put(s, &x));
    FAILS(gn_sink_finish(s), BAD_DATA);
    expect("half.png: 32 x 24 pixels, its labels are of 64 x 48");

    for (int keep = GN_KEEP_RAW; keep <= GN_KEEP_JPEG; keep++) { /* a fault of the second part leaves no first */
        s = sink("pictures", keep);
        x.valid = 0;
        snprintf(x.picture, sizeof x.picture, "a.png");
        for (int i = 0; i < 3; i++) OK(gn_sink_put(s, &x));
        x.valid = 1;
        snprintf(x.picture, sizeof x.picture, "broken.png");
        OK(gn_sink_put(s, &x));
        FAILS(gn_sink_finish(s), BAD_DATA);
        expect("broken.png: neither a PNG nor a JPEG");
        assert_false(importing_left(&t, "pictures", "train"));
    }
}

static void test_notes_end_where_their_room_ends(void **state) {
    (void)state;
    enum { ROOM = 16 << 10 };
    static char text[ROOM];
    gn_sink *s = sink("notes", GN_KEEP_NONE);
    memset(text, 'x', ROOM - 3);
    OK(gn_sink_note(s, "%s", text));
    s = sink("notes", GN_KEEP_NONE);
    text[ROOM - 3] = 'x';
    FAILS(gn_sink_note(s, "%s", text), INTERNAL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_some_know_more), cmocka_unit_test(test_beyond_the_lens), cmocka_unit_test(test_depth_alone_is_a_crop_with_a_size),
        cmocka_unit_test(test_pictures), cmocka_unit_test(test_notes_end_where_their_room_ends),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
