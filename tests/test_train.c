/* test_train.c - a tiny run of two stages: its folder, one hash for any workers, killed and resumed, no allocation. */
#include "school.h"
#include "gnomon/hash.h"
#include "gnomon/json.h"
#include <signal.h>
#include <sys/wait.h>

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
    gn_arena_free(a);
    assert_true(school_weights("plain") != 0);
    FAILS(school_train("plain", "device.workers=2", 0), NO_CREATE);
    FAILS(school_train("plain", "seed=4", 1), BAD_CONFIG);
}

static void one_hash_for_any_workers(void **state) {
    (void)state;
    static const char *const norm[] = { "batch", "shard" };
    static const int workers[] = { 1, 2, 3, 8 };
    for (int k = 0; k < 2; k++) {
        uint64_t hash[4];
        for (int i = 0; i < 4; i++) {
            char name[32], words[128];
            snprintf(name, sizeof name, "workers-%s-%d", norm[k], workers[i]);
            snprintf(words, sizeof words, "train.norm=%s device.workers=%d data.threads=%d", norm[k], workers[i], i + 1);
            OK(school_train(name, words, 0));
            hash[i] = school_weights(name);
            if (hash[i] != hash[0]) fail_msg("norm %s: %016llx with 1 worker, %016llx with %d", norm[k], (unsigned long long)hash[0], (unsigned long long)hash[i], workers[i]);
        }
    }
    assert_true(school_weights("workers-batch-1") != school_weights("workers-shard-1"));
    assert_true(school_weights("workers-batch-1") == school_weights("plain"));
}

/* metrics.jsonl without the times at the end of a record */
static uint64_t records(const char *run) {
    gn_arena *a = gn_arena_new("records");
    const char *text = file_of(a, run, "metrics.jsonl");
    uint64_t h = 0;
    for (const char *end; *text; text = end + 1) {
        end = strchr(text, '\n');
        assert_non_null(end);
        const char *ms = strstr(text, ",\"ms\":");
        size_t n = (size_t)((ms && ms < end ? ms : end) - text);
        h = gn_hash_more(h, text, n);
    }
    gn_arena_free(a);
    return h;
}

/* A run in a child that is sent `how` after `ms`; its exit status, or minus the signal. */
static int disturbed(const char *run, int resume, int how, int ms) {
    pid_t child = fork();
    if (!child) _exit(gn_exit_code(school_train(run, "device.workers=1", resume)));
    int status;
    for (int t = 0; t < ms; t++) {
        if (waitpid(child, &status, WNOHANG) == child) return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
        usleep(1000);
    }
    kill(child, how);
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void interrupted_and_resumed(void **state) {
    (void)state;
    static const int how[] = { SIGTERM, SIGKILL, SIGINT, SIGKILL, SIGUSR1, SIGKILL };
    unsigned draw = 12345;
    int stops = 0, kills = 0;
    for (int k = 0; k < 20; k++) {
        char name[32];
        snprintf(name, sizeof name, "disturbed-%d", k);
        int code = -1;
        for (int tries = 0; code != 0 && tries < 40; tries++) {
            draw = draw * 1103515245u + 12345u;
            code = disturbed(name, tries > 0, how[k % 6], 20 + (int)(draw >> 16) % 200);
            stops += code == 75;
            kills += code == -SIGKILL;
            if (code != 0 && code != 75 && code != -SIGKILL && code != -how[k % 6]) fail_msg("run %d ended with %d", k, code);
        }
        if (code) OK(school_train(name, "device.workers=2", 1));
        if (school_weights(name) != school_weights("plain")) fail_msg("run %d: another hash", k);
        assert_true(records(name) == records("plain"));
    }
    assert_true(stops > 0 && kills > 0);
}

static void two_on_one_folder(void **state) {
    (void)state;
    gn_arena *a = gn_arena_new("holder");
    OK(gn_io_lock(a, school_path("plain")));
    FAILS(school_train("plain", "", 1), LOCKED);
    gn_arena_free(a);
    OK(school_train("plain", "", 1)); /* done already: nothing is taken again */
    assert_true(records("plain") == records("workers-batch-1"));
}

static void divergence_is_named(void **state) {
    (void)state;
    FAILS(school_train("wild", "train.optimizer.adam=null train.optimizer.sgd.rate=1000 train.clip=0 train.stages.heatmap.train.steps=200", 0), DIVERGED);
    const char *reason = gn_reason();
    if (!strstr(reason, "step ") || !strstr(reason, "stage ") || !strstr(reason, "not finite")) fail_msg("%s", reason);
    gn_arena *a = gn_arena_new("test");
    assert_non_null(strstr(file_of(a, "wild", "status.json"), "\"failed\""));
    gn_arena_free(a);
}

static void weights_are_taken_over(void **state) {
    (void)state;
    char words[256];
    snprintf(words, sizeof words, "train.start=%s/plain train.steps=1 train.stages=null", school);
    OK(school_train("started", words, 0));
    snprintf(words, sizeof words, "train.start=%s/plain train.only=[nowhere]", school);
    FAILS(school_train("nowhere", words, 0), BAD_CONFIG);
    assert_non_null(strstr(gn_reason(), "nowhere"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_writes_its_folder), cmocka_unit_test(one_hash_for_any_workers),
        cmocka_unit_test(two_on_one_folder),       cmocka_unit_test(interrupted_and_resumed),
        cmocka_unit_test(divergence_is_named),     cmocka_unit_test(weights_are_taken_over),
    };
    return cmocka_run_group_tests(tests, school_open, school_close);
}
