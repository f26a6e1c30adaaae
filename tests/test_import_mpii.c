/* test_import_mpii.c - MPII's three dialects: the real HDF5 and JSON against each other and against the owner's numbers, and
 * the MATLAB struct of three people that tests/import/mpii.py writes after its description. */
#include "importing.h"
#include "source.h"

static importing t;
static const char *made;
static int set_up(void **state) {
    (void)state;
    importing_begin(&t, "mpii");
    return 0;
}
static int tear_down(void **state) {
    (void)state;
    importing_end(&t);
    if (made) gn_io_remove(made);
    made = NULL;
    return 0;
}

/* A joint of the whole picture, counted from 1 as the file has it, in a crop of 64 pixels about a square so counted. */
static void joint_is(const gn_shard *s, int64_t i, int j, const double square[3], double x, double y, double tolerance) {
    const float *uv = (const float *)importing_at(s, "joints2d", i) + 2 * j;
    NEAR(uv[0], 64 * ((x - square[0]) / square[2] + 0.5) - 0.5, tolerance);
    NEAR(uv[1], 64 * ((y - square[1]) / square[2] + 0.5) - 0.5, tolerance);
}

/* Rows 0 to 2 of valid.h5: centre and scale as they are there; two joints; how many are known and hidden. */
static const struct { const char *name; double c[2], scale, normalize; int j[2]; double at[2][2]; int labelled, hidden; } row[] = {
    { "005808361.jpg", { 966, 410.7773184 }, 5.898109866728492, 117.96219733456985, { 0, 15 }, { { 804, 711 }, { 1142, 478 } }, 16, 0 },
    { "052475643.jpg", { 316, 246.4275311 }, 2.2022942582679548, 44.04588516535909, { 5, 7 }, { { 394, 409 }, { 327, 172 } }, 16, 0 },
    { "051423444.jpg", { 1030, 443.08849541 }, 3.9240412841864956, 78.48082568372992, { 1, 12 }, { { 1033, 649 }, { 1070, 290 } }, 14, 2 },
};

static void check_rows(const gn_shard *s, int hidden, double tolerance) {
    assert_ptr_equal(gn_shard_skeleton(s), &gn_mpii16);
    assert_int_equal(gn_shard_samples(s), 3);
    for (int i = 0; i < 3; i++) {
        const double square[3] = { row[i].c[0], row[i].c[1], 200 * row[i].scale };
        assert_string_equal(importing_at(s, "take", i), row[i].name);
        assert_int_equal(importing_labelled(s, "labelled2d", i), row[i].labelled);
        if (hidden) assert_int_equal(importing_labelled(s, "occluded2d", i), row[i].hidden);
        for (int k = 0; k < 2; k++) joint_is(s, i, row[i].j[k], square, row[i].at[k][0], row[i].at[k][1], tolerance);
        NEAR_REL(*(const float *)importing_at(s, "head_size", i) * square[2] / 64, row[i].normalize, 1e-6, 1);
    }
    assert_int_equal(((const uint8_t *)importing_at(s, "labelled2d", 2))[0], 0); /* both ankles, (0, 0) or (-1, -1) */
    assert_int_equal(((const uint8_t *)importing_at(s, "labelled2d", 2))[5], 0);
}

static void the_dialects_agree(void **state) {
    (void)state;
    t.from.pictures = source_real(t.arena, "mpii/images");
    t.from.skip_missing = 1;
    OK(importing_run(&t, "mpii", source_real(t.arena, "mpii/valid.h5"), "h5"));
    assert_non_null(strstr(t.said, "2955 samples lack their picture"));
    OK(importing_run(&t, "mpii", source_real(t.arena, "mpii/mpii_hrnet_sample.json"), "json"));
    gn_shard *h5 = importing_shard(&t, "h5", "valid"), *json = importing_shard(&t, "json", "train");
    check_rows(h5, 1, 1e-4);
    check_rows(json, 0, 1e-4);
    assert_false(importing_has(json, "occluded2d")); /* joints_vis says annotated, not seen */
    for (int64_t i = 0; i < 3; i++) {
        const float *a = importing_at(h5, "joints2d", i), *b = importing_at(json, "joints2d", i);
        const double one = 64 / (200 * row[i].scale); /* a pixel: HDF5 cut heads to whole ones */
        for (int k = 0; k < 32; k++)
            if (!(b[k] - a[k] >= -1e-4 && b[k] - a[k] < one)) fail_msg("row %d, number %d: %g in JSON, %g in HDF5", (int)i, k, (double)b[k], (double)a[k]);
        const uint8_t *p = importing_at(h5, "image", i), *q = importing_at(json, "image", i);
        double off = 0;
        for (int k = 0; k < 64 * 64 * 3; k++) off += abs(p[k] - q[k]);
        NEAR(off / (64 * 64 * 3), 0, 0.01); /* scales of 6 digits in JSON */
    }
}

static void all_of_it(void **state) {
    (void)state;
    t.from.keep = GN_KEEP_NONE;
    OK(importing_run(&t, "mpii", source_real(t.arena, "mpii"), "out"));
    gn_shard *s = importing_shard(&t, "out", "valid");
    int known = 0, hidden = 0;
    assert_int_equal(gn_shard_samples(s), 2958);
    for (int64_t i = 0; i < 2958; i++) {
        known += importing_labelled(s, "labelled2d", i);
        hidden += importing_labelled(s, "occluded2d", i);
    }
    assert_int_equal(known, 47328 - 3088);
    assert_int_equal(hidden, 10243);
    for (int i = 0; i < 3; i++) { /* without pictures labels are of the whole one, from 0 */
        const float *uv = importing_at(s, "joints2d", i);
        for (int k = 0; k < 4; k++) NEAR(uv[2 * row[i].j[k / 2] + k % 2], row[i].at[k / 2][k % 2] - 1, 0);
        NEAR_REL(*(const float *)importing_at(s, "head_size", i), row[i].normalize, 1e-7, 1);
    }
}

static void same(const gn_shard *a, int64_t i, const gn_shard *b, int64_t k, int occluded) {
    const char *const field[] = { "joints2d", "head_size" };
    const int n[] = { 32, 1 };
    for (int f = 0; f < 2; f++) {
        const float *x = importing_at(a, field[f], i), *y = importing_at(b, field[f], k);
        for (int c = 0; c < n[f]; c++) NEAR(x[c], y[c], 1e-3);
    }
    assert_memory_equal(importing_at(a, "labelled2d", i), importing_at(b, "labelled2d", k), 16);
    assert_string_equal(importing_at(a, "take", i), importing_at(b, "take", k));
    if (occluded) assert_memory_equal(importing_at(a, "occluded2d", i), importing_at(b, "occluded2d", k), 16);
}

static void release(void **state) {
    (void)state;
    made = source_made(t.arena, "mpii");
    t.from.keep = GN_KEEP_NONE;
    const gn_status read = importing_run(&t, "mpii", gn_arena_text(t.arena, "%s/mat", made), "mat");
    if (read == GN_MISSING && strstr(gn_reason(), "without matio")) skip();
    OK(read);
    OK(importing_run(&t, "mpii", gn_arena_text(t.arena, "%s/h5", made), "h5"));
    OK(importing_run(&t, "mpii", gn_arena_text(t.arena, "%s/json", made), "json"));
    gn_shard *mat = importing_shard(&t, "mat", "train"), *mat_valid = importing_shard(&t, "mat", "valid");
    gn_shard *h5 = importing_shard(&t, "h5", "train"), *h5_valid = importing_shard(&t, "h5", "valid"), *json = importing_shard(&t, "json", "train");
    assert_int_equal(gn_shard_samples(mat), 2); /* one person is not annotated, one picture is of the test set */
    assert_int_equal(gn_shard_samples(mat_valid), 1);
    assert_int_equal(gn_shard_samples(json), 3);
    for (int64_t i = 0; i < 2; i++) {
        same(mat, i, h5, i, 1);
        same(mat, i, json, i, 0);
        assert_int_equal(*(const int64_t *)importing_at(mat, "frame", i), 2 * i); /* the person's place in the picture */
        assert_int_equal(importing_labelled(mat, "labelled2d", i), i ? 14 : 16);
        assert_int_equal(importing_labelled(mat, "occluded2d", i), 1);
    }
    same(mat_valid, 0, h5_valid, 0, 1);
    same(mat_valid, 0, json, 2, 0);
}

static void crop_of_the_raw_scale(void **state) {
    (void)state;
    made = source_made(t.arena, "mpii");
    t.from.pictures = gn_arena_text(t.arena, "%s/h5/images", made);
    t.from.skip_missing = 1;
    t.from.size = 256;
    OK(importing_run(&t, "mpii", gn_arena_text(t.arena, "%s/h5", made), "h5"));
    OK(importing_run(&t, "mpii", gn_arena_text(t.arena, "%s/json/train.json", made), "json"));
    gn_shard *h5 = importing_shard(&t, "h5", "train"), *json = importing_shard(&t, "json", "train");
    for (int64_t i = 0; i < 2; i++) same(h5, i, json, i, 0);
    const uint8_t *p = importing_at(h5, "image", 0);
    const float *uv = importing_at(h5, "joints2d", 0);
    for (int j = 0; j < 16; j++) { /* white on grey, where they are in the crop */
        const long x = lrintf(uv[2 * j]), y = lrintf(uv[2 * j + 1]);
        if (x >= 0 && y >= 0 && x < 256 && y < 256 && !(p[3 * (256 * y + x)] > 150)) fail_msg("joint %d: %d at %ld %ld", j, p[3 * (256 * y + x)], x, y);
    }
}

static void refused(void **state) {
    (void)state;
    made = source_made(t.arena, "mpii");
    t.from.keep = GN_KEEP_NONE;
    FAILS(importing_run(&t, "mpii", gn_arena_text(t.arena, "%s/json/bad.json", made), "out"), BAD_DATA);
    assert_non_null(strstr(gn_reason(), "bad.json:1:2: joints: expected a list of 16"));
    FAILS(importing_run(&t, "mpii", importing_write(&t, "train.json", "{\"images\": [{}]}"), "out"), BAD_DATA);
    assert_non_null(strstr(gn_reason(), "expected a list of persons"));
    FAILS(importing_run(&t, "mpii", importing_write(&t, "train.h5", "no HDF5"), "out"), BAD_DATA);
    FAILS(importing_run(&t, "mpii", importing_write(&t, "some.mat", "no MATLAB"), "out"), BAD_DATA);
    FAILS(importing_run(&t, "mpii", gn_arena_text(t.arena, "%s/h5/images", made), "out"), MISSING);
    t.from.keep = GN_KEEP_RAW;
    FAILS(importing_run(&t, "mpii", gn_arena_text(t.arena, "%s/json/train.json", made), "out"), MISSING);
    assert_false(importing_left(&t, "out", "train"));
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = { TEST(the_dialects_agree), TEST(all_of_it), TEST(release), TEST(crop_of_the_raw_scale), TEST(refused) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
