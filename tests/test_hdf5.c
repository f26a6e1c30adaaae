/* test_hdf5.c - foreign HDF5: numbers and texts of every kind, and what is not read at all. */
#include "src/import/hdf5.h"
#include "source.h"

static gn_arena *arena;
static const char *made;

static gn_hdf *open_made(const char *name) {
    gn_hdf *f = NULL;
    if (!made) made = source_made(arena, "hdf5");
    OK(gn_hdf_open(arena, gn_arena_text(arena, "%s/%s", made, name), &f));
    return f;
}

static void test_numbers(void **state) {
    (void)state;
    gn_hdf *f = open_made("kinds.h5");
    static const char *const real[] = { "as_f2", "as_f4", "as_f8", "as_big_f4", "as_big_f8" };
    static const char *const whole[] = { "as_i1", "as_u1", "as_i2", "as_u2", "as_i4", "as_u8", "as_big_i2" };
    for (int i = 0; i < 5; i++) {
        gn_hdf_set s;
        double x[12];
        float y[6];
        OK(gn_hdf_look(f, real[i], &s));
        assert_int_equal(s.kind, GN_HDF_NUMBERS);
        assert_true(s.rank == 3 && s.d[0] == 4 && s.d[1] == 3 && s.d[2] == 2 && s.n == 24 && s.row == 6);
        OK(gn_hdf_doubles(f, real[i], 1, 2, x));
        for (int k = 0; k < 12; k++) NEAR(x[k], (k + 6) / 4.0 - 1, 0);
        OK(gn_hdf_floats(f, real[i], 3, 1, y));
        for (int k = 0; k < 6; k++) NEAR(y[k], (k + 18) / 4.0 - 1, 0);
        FAILS(gn_hdf_doubles(f, real[i], 3, 2, x), BAD_DATA);
        FAILS(gn_hdf_doubles(f, real[i], -1, 2, x), BAD_DATA);
    }
    for (int i = 0; i < 7; i++) {
        int32_t x[12];
        OK(gn_hdf_ints(f, whole[i], 0, 6, x));
        for (int k = 0; k < 12; k++) assert_int_equal(x[k], k);
    }
    double one = 0, packed[10];
    int32_t flag[3];
    OK(gn_hdf_doubles(f, "one", 0, 1, &one));
    NEAR(one, 7.25, 0);
    OK(gn_hdf_ints(f, "flag", 0, 3, flag));
    assert_true(flag[0] == 1 && flag[1] == 0 && flag[2] == 1);
    OK(gn_hdf_doubles(f, "packed", 998, 2, packed));
    for (int k = 0; k < 10; k++) NEAR(packed[k], 4990 + k, 0);
    OK(gn_hdf_doubles(f, "empty", 0, 0, packed));
}

static void test_texts(void **state) {
    (void)state;
    gn_hdf *f = open_made("kinds.h5");
    const char *t[3] = { "", "", "" }, *attribute = "";
    OK(gn_hdf_texts(arena, f, "names", 0, 3, t));
    assert_string_equal(t[0], "a.jpg");
    assert_string_equal(t[2], "ccccc.jpg");
    OK(gn_hdf_texts(arena, f, "loose", 0, 3, t));
    assert_string_equal(t[0], "first");
    assert_string_equal(t[1], "");
    assert_string_equal(t[2], "third one");
    OK(gn_hdf_texts(arena, f, "codes", 0, 2, t));
    assert_string_equal(t[0], "015601864.jpg");
    assert_string_equal(t[1], "x.png");
    OK(gn_hdf_attribute(arena, f, "", "name", &attribute));
    assert_string_equal(attribute, "mpii");
    OK(gn_hdf_attribute(arena, f, "", "fixed", &attribute));
    assert_string_equal(attribute, "plain");
    OK(gn_hdf_attribute(arena, f, "names", "name", &attribute));
    assert_string_equal(attribute, "");
    double x = 0;
    OK(gn_hdf_number(f, "", "number", &x));
    NEAR(x, 2.5, 0);
    OK(gn_hdf_number(f, "", "none", &x));
    assert_true(isnan(x));
}

static void test_places(void **state) {
    (void)state;
    gn_hdf *f = open_made("kinds.h5");
    double x[6];
    int n = 0;
    const char **name = NULL;
    gn_hdf_set s;
    OK(gn_hdf_doubles(f, "/group/below/deep", 1, 1, x));
    assert_true(x[0] == 3 && x[1] == 4);
    OK(gn_hdf_look(f, "cells", &s));
    assert_int_equal(s.kind, GN_HDF_REFERENCES);
    OK(gn_hdf_doubles(f, "cells[2]", 0, 2, x));
    assert_true(x[0] == 2 && x[5] == 2);
    OK(gn_hdf_doubles(f, "cells[3]/annot2", 2, 1, x));
    assert_true(x[0] == 4 && x[1] == 5);
    FAILS(gn_hdf_look(f, "cells[6]", &s), BAD_DATA);
    OK(gn_hdf_list(arena, f, "hidden", &n, &name));
    assert_int_equal(n, 4);
    assert_string_equal(name[3], "p");
    OK(gn_hdf_look(f, "nowhere/deep", &s));
    assert_int_equal(s.kind, GN_HDF_NONE);
    OK(gn_hdf_look(f, "hidden", &s));
    assert_int_equal(s.kind, GN_HDF_GROUP);
    const int64_t right[] = { -1, 5 }, wrong[] = { -1, 6 };
    OK(gn_hdf_expect(arena, f, "packed", 2, right, &s));
    gn_trail_clear();
    FAILS(gn_hdf_expect(arena, f, "packed", 2, wrong, &s), BAD_DATA);
    assert_non_null(strstr(gn_reason(), "kinds.h5: packed: expected extents [ any 6 ], found [ 1000 5 ]"));
    gn_trail_clear();
    FAILS(gn_hdf_expect(arena, f, "pcked", 2, right, &s), BAD_DATA);
    assert_non_null(strstr(gn_reason(), "has no dataset 'pcked'; did you mean 'packed'?"));
}

static void test_refused(void **state) {
    (void)state;
    gn_hdf *f = open_made("links.h5");
    static const struct { const char *place, *says; } bad[] = {
        { "soft", "is a link" }, { "away", "is a link" }, { "outside", "in other files" }, { "virtual", "in other files" },
        { "vast", "cannot come out of a file" }, { "lzf", "packed by filter 32000" },
    };
    gn_hdf_set s;
    double x[8];
    for (int i = 0; i < 6; i++) {
        gn_trail_clear();
        FAILS(gn_hdf_look(f, bad[i].place, &s), BAD_DATA);
        if (!strstr(gn_reason(), bad[i].says)) fail_msg("'%s' does not say '%s'", gn_reason(), bad[i].says);
        FAILS(gn_hdf_doubles(f, bad[i].place, 0, 1, x), BAD_DATA);
    }
    FAILS(gn_hdf_doubles(f, "compound", 0, 1, x), BAD_DATA);
    FAILS(gn_hdf_doubles(f, "nothing", 0, 1, x), BAD_DATA);
    const char *torn = gn_arena_text(arena, "%s/torn.h5", made), *bin = gn_arena_text(arena, "%s/raw.bin", made);
    assert_true(gn_hdf_is(torn) && !gn_hdf_is(bin) && !gn_hdf_is("/nowhere"));
    FAILS(gn_hdf_open(arena, torn, &f), BAD_DATA);
    FAILS(gn_hdf_open(arena, bin, &f), BAD_DATA);
    FAILS(gn_hdf_open(arena, "/nowhere", &f), MISSING);
}

static void test_real(void **state) {
    (void)state;
    gn_hdf *f = NULL;
    OK(gn_hdf_open(arena, source_real(arena, "mpii/valid.h5"), &f));
    const int64_t d[] = { 2958, 16, 2 };
    gn_hdf_set s;
    double part[32];
    const char *name = "", *set = "";
    OK(gn_hdf_expect(arena, f, "part", 3, d, &s));
    OK(gn_hdf_doubles(f, "part", 0, 1, part));
    OK(gn_hdf_texts(arena, f, "imgname", 0, 1, &name));
    assert_string_equal(name, "005808361.jpg");
    OK(gn_hdf_attribute(arena, f, "", "name", &set));
    assert_string_equal(set, "mpii");
}

int main(void) {
    arena = gn_arena_new("test");
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_numbers), cmocka_unit_test(test_texts), cmocka_unit_test(test_places),
                                        cmocka_unit_test(test_refused), cmocka_unit_test(test_real) };
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    gn_arena_free(arena);
    if (made) gn_io_remove(made);
    return failed;
}
