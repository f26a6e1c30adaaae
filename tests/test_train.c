/* test_train.c - a tiny run of two stages: its folder, one hash for any workers, killed and resumed, no allocation. */
#include "school.h"
#include "gnomon/json.h"

static const char *file_of(gn_arena *a, const char *run, const char *name) {
    void *text;
    size_t n;
    const char *path = gn_arena_text(a, "%s/%s/%s", school, run, name);
    OK(gn_io_read(a, path, 1 << 22, &text, &n));
    return text;
}

static void a_run_writes_its_folder(void **state) {
    (void)state;
    OK(school_train("plain", "device.workers=2", 0));
    static const char *const files[] = { "experiment.yaml", "origin.txt", "build.txt", "shards.txt", "status.json", "log.txt", "metrics.jsonl",
                                         "checkpoint/latest", "checkpoint/step_00000010/MANIFEST" };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char path[256];
        snprintf(path, sizeof path, "%s/plain/%s", school, files[i]);
        if (!gn_io_exists(path)) fail_msg("no %s", path);
    }
    gn_arena *a = gn_arena_new("test");
    const gn_json *j;
    const char *text = file_of(a, "plain", "status.json");
    OK(gn_json_parse(a, "status.json", text, strlen(text), &j));
    assert_string_equal(gn_json_text(gn_json_find(j, "state"), ""), "done");
    text = file_of(a, "plain", "log.txt");
    printf("%s", text);
    gn_arena_free(a);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_writes_its_folder),
    };
    return cmocka_run_group_tests(tests, school_open, school_close);
}
