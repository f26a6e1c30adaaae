/* test_json.c - JSON as a tree, and files of any size item by item: order, places, faults, memory. */
#include "gnomon/io.h"
#include "gnomon/json.h"
#include "near.h"
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static gn_arena *arena;
static char path[64];

static gn_json_file *file_of(const char *text) {
    gn_json_file *f = NULL;
    OK(gn_io_write(path, text, strlen(text)));
    OK(gn_json_open(arena, path, &f));
    return f;
}

/* The reason of the first failure, behind the path. */
static const char *fault_of(const char *text) {
    gn_json_file *f;
    gn_json_item item;
    OK(gn_io_write(path, text, strlen(text)));
    gn_trail_clear();
    gn_status status = gn_json_open(arena, path, &f);
    while (!status && !(status = gn_json_next(f, &item)) && item.value) continue;
    assert_int_equal(status, GN_BAD_DATA);
    assert_null(strchr(gn_reason(), '\n'));
    const char *at = strstr(gn_reason(), path);
    assert_non_null(at);
    return at + strlen(path);
}

static void items_in_order(void **state) {
    (void)state;
    gn_json_file *f = file_of("{\"version\": 1.5,\n \"images\": [{\"id\": 7}, {\"id\": 8} ],\n\t\"none\": [], \"empty\" : {},"
                              "\"\\u0063ameras\": {\"a\": [1, 2], \"b\": \"}]\"}, \"last\": null}\n");
    static const struct { const char *list, *key; int64_t place; int kind; } expected[] = {
        { "", "version", 0, GN_JSON_NUMBER }, { "images", NULL, 0, GN_JSON_MAP }, { "images", NULL, 1, GN_JSON_MAP },
        { "cameras", "a", 0, GN_JSON_LIST }, { "cameras", "b", 1, GN_JSON_TEXT }, { "", "last", 5, GN_JSON_NULL },
    };
    gn_json_item item;
    int64_t second = 0;
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        OK(gn_json_next(f, &item));
        assert_non_null(item.value);
        assert_string_equal(item.list, expected[i].list);
        if (expected[i].key) assert_string_equal(item.key, expected[i].key);
        else assert_null(item.key);
        assert_int_equal(item.place, expected[i].place);
        assert_int_equal((int)item.value->kind, expected[i].kind);
        if (i == 2) second = item.at;
    }
    for (int again = 0; again < 2; again++) {
        OK(gn_json_next(f, &item));
        assert_null(item.value);
    }
    const gn_json *value;
    OK(gn_json_at(f, arena, second, &value));
    assert_int_equal(gn_json_find(value, "id")->whole, 8);
    assert_string_equal(gn_json_where(f, second) + strlen(path), ":2:24");
}

static void a_list_at_the_top(void **state) {
    (void)state;
    gn_json_file *f = file_of(" [ 12 ,-3.5,\"x\" , [ [1], 2 ] ] ");
    gn_json_item item;
    const int kind[] = { GN_JSON_NUMBER, GN_JSON_NUMBER, GN_JSON_TEXT, GN_JSON_LIST };
    for (int i = 0; i < 4; i++) {
        OK(gn_json_next(f, &item));
        assert_string_equal(item.list, "");
        assert_null(item.key);
        assert_int_equal(item.place, i);
        assert_int_equal((int)item.value->kind, kind[i]);
        if (!i) assert_int_equal(item.value->whole, 12);
        if (i == 1) NEAR(item.value->number, -3.5, 0);
    }
    OK(gn_json_next(f, &item));
    assert_null(item.value);
}

static void faults(void **state) {
    (void)state;
    static const struct { const char *text, *place, *why; } bad[] = {
        { "", ":1:1: ", "expected JSON" },
        { "x", ":1:1: ", "expected JSON" },
        { "7", ":1:1: ", "expected JSON" },
        { "{\"a\": [1,\n 2", ":2:3: ", "expected ',', found the end of the file" },
        { "{\"a\": [1,]}", ":1:11: ", "unexpected token" },
        { "[1 2]", ":1:4: ", "expected ',', found 2" },
        { "{\"a\" 1}", ":1:6: ", "expected ':', found 1" },
        { "{a: 1}", ":1:2: ", "expected a key in quotes" },
        { "{\"a\": 1} []", ":1:10: ", "something after the end" },
        { "{\"a\": 1,\n\"b\": [],\n\"a\": 2}", ":3:1: ", "the key 'a' is there twice" },
        { "{\"a\": {\"k\": 1,\n  \"\\u006b\": 2}}", ":2:3: ", "the key 'k' is there twice" },
        { "{\"a\": [{\"k\": 1,\n\"k\": 2}]}", ":2:4: ", "duplicate object key" },
        { "[\"\xc3\xa4\xc3\xb6\", nul]", ":1:", "nul" },
        { "[\"\xff\"]", ":1:3: ", "unable to decode byte 0xff" },
        { "[NaN]", ":1:", "NaN" },
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const char *said = fault_of(bad[i].text);
        if (strncmp(said, bad[i].place, strlen(bad[i].place)) || !strstr(said, bad[i].why))
            fail_msg("%s: said '%s', expected '%s%s'", bad[i].text, said, bad[i].place, bad[i].why);
    }
    gn_json_file *f;
    FAILS(gn_json_open(arena, "/nowhere/x.json", &f), MISSING);
    FAILS(gn_json_open(arena, "/tmp", &f), BAD_DATA);
}

static void deep(void **state) {
    (void)state;
    char text[4 * GN_JSON_DEEPEST] = "";
    for (int more = 0; more < 2; more++) {
        const int n = GN_JSON_DEEPEST + more;
        const gn_json *tree;
        memset(text, '[', (size_t)n);
        memset(text + n, ']', (size_t)n);
        assert_int_equal(gn_json_parse(arena, "deep", text, (size_t)(2 * n), &tree), more ? GN_BAD_DATA : GN_OK);
    }
    assert_non_null(strstr(gn_reason(), "deep: nested more than 64 deep"));
    text[2 * GN_JSON_DEEPEST + 2] = ']'; /* in a file, below the list that is walked */
    memmove(text + 1, text, 2 * GN_JSON_DEEPEST + 3);
    text[0] = '[';
    text[2 * GN_JSON_DEEPEST + 4] = 0;
    assert_non_null(strstr(fault_of(text), "nested more than 64 deep"));
}

static void one_item_too_large(void **state) {
    (void)state;
    const size_t n = GN_JSON_ITEM + 10;
    char *text;
    text = gn_arena_take(arena, n + 8);
    memset(text, 'x', n);
    memcpy(text, "[1,\n\"", 5);
    memcpy(text + n, "\"]", 3);
    const char *said = fault_of(text);
    assert_non_null(strstr(said, ":2:1: one item of more than 16 MiB"));
    text[5 + 1000] = '"', text[5 + 1001] = ']', text[5 + 1002] = 0;
    gn_json_file *f = file_of(text);
    gn_json_item item;
    OK(gn_json_next(f, &item));
    OK(gn_json_next(f, &item));
    assert_int_equal(strlen(item.value->text), 1000);
}

static void same_keys_among_many(void **state) {
    (void)state;
    const int n = 5000;
    char *text = gn_arena_take(arena, 32 * (size_t)n), *to = text;
    to += sprintf(to, "{\"m\": {");
    for (int i = 0; i < n; i++) to += sprintf(to, "%s\"%d\": 0", i ? ", " : "", i);
    strcpy(to, "}}");
    gn_json_file *f = file_of(text);
    gn_json_item item;
    for (int i = 0; i < n; i++) OK(gn_json_next(f, &item));
    OK(gn_json_next(f, &item));
    assert_null(item.value);
    strcpy(to, ", \"4321\": 1}}");
    assert_non_null(strstr(fault_of(text), "the key '4321' is there twice"));
}

static double resident(void) {
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)u.ru_maxrss / 1024;
}

/* COCO's form: 240,000 persons of about 400 bytes are 100 MB; as one tree they would take ten times that. */
static void large(void **state) {
    (void)state;
    enum { PERSONS = 240000 };
    FILE *to = fopen(path, "w");
    assert_non_null(to);
    fputs("{\"annotations\": [", to);
    for (int i = 0; i < PERSONS; i++) {
        fprintf(to, "%s{\"id\": %d, \"bbox\": [1.5, 2.25, 100.75, 200.5], \"keypoints\": [", i ? ",\n" : "", i);
        for (int k = 0; k < 51; k++) fprintf(to, "%s%d", k ? ", " : "", 1000 + k + i % 7);
        fputs("]}", to);
    }
    fputs("]}", to);
    const double megabytes = (double)ftell(to) / 1e6;
    fclose(to);
    const double before = resident();
    gn_json_file *f;
    gn_json_item item;
    int64_t n = 0, middle = 0;
    OK(gn_json_open(arena, path, &f));
    for (;; n++) {
        OK(gn_json_next(f, &item));
        if (!item.value) break;
        if (gn_json_find(item.value, "id")->whole != n || gn_json_find(item.value, "keypoints")->n != 51) fail_msg("item %lld", (long long)n);
        if (n == PERSONS / 2) middle = item.at;
    }
    assert_int_equal(n, PERSONS);
    const double more = resident() - before;
    print_message("%.0f MB of JSON, %.0f MB of memory\n", megabytes, more);
    assert_true(megabytes > 60);
#ifndef SANITIZED
    assert_true(more < 48); /* the window is 32 MiB */
#endif
    const gn_json *value;
    OK(gn_json_at(f, arena, middle, &value)); /* backwards */
    assert_int_equal(gn_json_find(value, "id")->whole, PERSONS / 2);
}

static int set_up(void **state) {
    (void)state;
    arena = gn_arena_new("test");
    snprintf(path, sizeof path, "/tmp/gn_json_%d.json", (int)getpid());
    return !arena;
}
static int tear_down(void **state) {
    (void)state;
    gn_arena_free(arena);
    return gn_io_remove(path) != GN_OK;
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(large), TEST(items_in_order), TEST(a_list_at_the_top), TEST(faults), TEST(deep), TEST(one_item_too_large), TEST(same_keys_among_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
