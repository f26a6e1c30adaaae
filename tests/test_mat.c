/* test_mat.c - MATLAB's variables, of both versions, are one tree; what a program without matio says. */
#include "src/import/mat.h"
#include "source.h"

/* The same file, built without the library. */
#undef GN_MATIO
#define gn_mat_read absent_read
#define gn_mat_field absent_field
#define gn_mat_cell absent_cell
#define gn_mat_number absent_number
#include "src/import/mat.c"
#undef gn_mat_read
#undef gn_mat_field
#undef gn_mat_cell
#undef gn_mat_number

static gn_arena *arena;
static const char *made;

static const char *of(const char *name) {
    if (!made) made = source_made(arena, "mat");
    return gn_arena_text(arena, "%s/%s.mat", made, name);
}

static void check_people(const gn_mat *p) {
    assert_non_null(p);
    assert_true(p->kind == GN_MAT_STRUCTS && p->n == 2 && p->fields == 3 && p->d[0] == 1 && p->d[1] == 2);
    for (int i = 0; i < 2; i++) {
        const gn_mat *name = gn_mat_field(p, i, "name"), *annot = gn_mat_field(p, i, "annot2");
        assert_true(name && name->kind == GN_MAT_TEXT);
        assert_string_equal(name->text, i ? "second" : "first");
        assert_true(annot && annot->n == 6 && annot->d[0] == 2 && annot->d[1] == 3);
        for (int k = 0; k < 6; k++) NEAR(annot->number[k], 10 * i + k / 2 + k % 2 * 3, 0); /* first index fastest */
        NEAR(gn_mat_number(gn_mat_field(p, i, "valid"), -1), i, 0);
    }
    assert_null(gn_mat_field(p, 2, "name"));
    assert_null(gn_mat_field(p, 0, "nome"));
}

static void check_tree(const char *path) {
    const gn_mat *v = NULL;
    OK(gn_mat_read(arena, path, "grid", &v));
    assert_true(v->kind == GN_MAT_NUMBERS && v->rank == 3 && v->d[0] == 2 && v->d[1] == 3 && v->d[2] == 4 && v->n == 24);
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 3; j++)
            for (int k = 0; k < 4; k++) NEAR(v->number[i + 2 * (j + 3 * k)], i * 12 + j * 4 + k, 0);
    OK(gn_mat_read(arena, path, "small", &v));
    assert_true(v->n == 2 && v->number[0] == -3 && v->number[1] == 7);
    OK(gn_mat_read(arena, path, "people", &v));
    check_people(v);
    OK(gn_mat_read(arena, path, "cells", &v));
    assert_true(v->kind == GN_MAT_CELLS && v->n == 4 && v->d[0] == 2);
    const gn_mat *number = gn_mat_cell(v, 0), *text = gn_mat_cell(v, 2), *empty = gn_mat_cell(v, 3);
    assert_true(number && number->n == 2 && number->number[1] == 2.5);
    assert_true(text && text->kind == GN_MAT_TEXT);
    assert_string_equal(text->text, "text");
    check_people(gn_mat_cell(v, 1));
    assert_true(empty && empty->kind == GN_MAT_NUMBERS && empty->n == 0);
    assert_null(gn_mat_cell(v, 4));
    OK(gn_mat_read(arena, path, "one", &v));
    NEAR(gn_mat_number(v, -1), 2.5, 0);
    OK(gn_mat_read(arena, path, "word", &v));
    assert_string_equal(v->text, "hello");
    OK(gn_mat_read(arena, path, "nothing", &v));
    assert_int_equal(v->n, 0);
    gn_trail_clear();
    FAILS(gn_mat_read(arena, path, "peple", &v), BAD_DATA);
    assert_non_null(strstr(gn_reason(), "has no variable 'peple'; did you mean 'people'?"));
}

static void need_matio(void) {
    const gn_mat *v = NULL;
    if (gn_mat_read(arena, GN_SOURCE "/README.md", "grid", &v) == GN_MISSING) skip();
}

static void test_plain(void **state) {
    (void)state;
    need_matio();
    check_tree(of("plain"));
}
static void test_packed(void **state) {
    (void)state;
    need_matio();
    check_tree(of("packed"));
}
static void test_new(void **state) {
    (void)state;
    check_tree(of("new"));
}

static void test_refused(void **state) {
    (void)state;
    need_matio();
    const gn_mat *v = NULL;
    FAILS(gn_mat_read(arena, of("torn"), "people", &v), BAD_DATA);
    gn_trail_clear();
    FAILS(gn_mat_read(arena, of("vast"), "grid", &v), BAD_DATA);
    assert_non_null(strstr(gn_reason(), "cannot come out of this file"));
    FAILS(gn_mat_read(arena, "/nowhere.mat", "grid", &v), MISSING);
    FAILS(gn_mat_read(arena, GN_SOURCE "/README.md", "grid", &v), BAD_DATA);
}

static void test_real(void **state) {
    (void)state;
    need_matio();
    const gn_mat *v = NULL;
    OK(gn_mat_read(arena, source_real(arena, "itop/itop_side_keypoints3D_test.mat"), "keypoints3D", &v));
    assert_true(v->rank == 3 && v->d[0] == 4863 && v->d[1] == 15 && v->d[2] == 3);
    OK(gn_mat_read(arena, source_real(arena, "itop/itop_side_bndbox_test.mat"), "FRbndbox_test", &v));
    assert_true(v->rank == 2 && v->d[0] == 4863 && v->d[1] == 4);
}

static void test_absent(void **state) {
    (void)state;
    const gn_mat *v = NULL;
    gn_trail_clear();
    FAILS(absent_read(arena, GN_SOURCE "/README.md", "grid", &v), MISSING);
    assert_non_null(strstr(gn_reason(), "built without matio"));
    OK(absent_read(arena, of("new"), "one", &v));
    NEAR(absent_number(v, -1), 2.5, 0);
    assert_true(!absent_field(v, 0, "x") && !absent_cell(v, 0));
}

int main(void) {
    arena = gn_arena_new("test");
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_plain), cmocka_unit_test(test_packed), cmocka_unit_test(test_new),
                                        cmocka_unit_test(test_refused), cmocka_unit_test(test_real), cmocka_unit_test(test_absent) };
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    gn_arena_free(arena);
    if (made) gn_io_remove(made);
    return failed;
}
