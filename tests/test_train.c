/* test_train.c - a tiny run of two stages: its folder, one hash for any workers, killed and resumed, no allocation. */
#include "school.h"
#include "gnomon/hash.h"
#include "gnomon/json.h"
#include "src/train/session.h"
#include <dirent.h>
#include <errno.h>
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
        for (int tries = 0; code != 0 && tries < 4; tries++) {
            draw = draw * 1103515245u + 12345u;
            code = disturbed(name, tries > 0, how[k % 6], 20 + (int)(draw >> 16) % (200 * (1 + tries)));
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

/* Records of an event file: each with its two checksums; `starts` counts the session starts. */
static int events_of(const char *path, int *starts) {
    gn_arena *a = gn_arena_new("events");
    void *text;
    size_t n;
    int count = 0;
    OK(gn_io_read(a, path, 1 << 22, &text, &n));
    for (size_t at = 0; at < n; count++) {
        const unsigned char *r = (const unsigned char *)text + at;
        uint64_t length;
        uint32_t crc[2];
        memcpy(&length, r, 8);
        assert_true(at + 16 + length <= n);
        memcpy(&crc[0], r + 8, 4);
        memcpy(&crc[1], r + 12 + length, 4);
        const uint32_t sum[2] = { gn_crc32c(r, 8), gn_crc32c(r + 12, length) };
        for (int k = 0; k < 2; k++) assert_int_equal(crc[k], ((sum[k] >> 15 | sum[k] << 17) + 0xa282ead8u) & 0xffffffffu);
        *starts += length > 2 && !memcmp(r + 12 + length - 4, "\x3a\x02\x08\x01", 4);
        at += 16 + length;
    }
    gn_arena_free(a);
    return count;
}

static void events_can_be_read(void **state) {
    (void)state;
    assert_int_equal(gn_crc32c("123456789", 9), 0xe3069283u); /* the checksum's own test value */
    int files = 0, starts = 0, records_ = 0;
    DIR *d = opendir(school_path("disturbed-0"));
    for (struct dirent *e; (e = readdir(d));) {
        if (strncmp(e->d_name, "events.out.tfevents.", 20)) continue;
        char path[512];
        snprintf(path, sizeof path, "%s/disturbed-0/%s", school, e->d_name);
        records_ += events_of(path, &starts);
        files++;
    }
    closedir(d);
    assert_true(files > 1 && starts > 0 && starts <= files);
    assert_true(records_ >= files + starts + 10);
}

/* Every taking of memory in the process, counted while `counting`; a sanitizer has its own allocator. */
#ifndef SANITIZED
extern void *__libc_malloc(size_t n), *__libc_calloc(size_t n, size_t size), *__libc_realloc(void *p, size_t n), *__libc_memalign(size_t align, size_t n);
static atomic_int counting, taken;
static void *count(void *p) {
    if (atomic_load(&counting)) atomic_fetch_add(&taken, 1);
    return p;
}
void *malloc(size_t n) { return count(__libc_malloc(n)); }
void *calloc(size_t n, size_t size) { return count(__libc_calloc(n, size)); }
void *realloc(void *p, size_t n) { return count(__libc_realloc(p, n)); }
void *aligned_alloc(size_t align, size_t n) { return count(__libc_memalign(align, n)); }

static void steps_take_no_memory(void **state) {
    (void)state;
    gn_arena *a = gn_arena_new("run");
    gn_experiment e = { 0 };
    char *own = (char[]){ "device.impl=own" }; /* oneDNN takes a few small objects a call */
    OK(gn_experiment_read(a, school_path("tiny.yaml"), 1, &own, &e));
    gn_session s = { .e = &e, .run = a, .folder = school, .steps = 10 };
    OK(gn_pool_open(a, 2, &s.pool));
    OK(gn_session_stage(&s, 1));
    OK(gn_loader_seek(s.loader, 0));
    OK(gn_session_step(&s));
    const size_t held = gn_arena_bytes(s.of_stage) + gn_arena_bytes(a);
    atomic_store(&counting, 1);
    for (int k = 0; k < 6; k++) OK(gn_session_step(&s));
    atomic_store(&counting, 0);
    assert_int_equal(gn_arena_bytes(s.of_stage) + gn_arena_bytes(a), held);
    assert_int_equal(atomic_load(&taken), 0);
    gn_arena_free(s.of_stage);
    gn_arena_free(a);
}
#else
static void steps_take_no_memory(void **state) {
    (void)state;
    skip();
}
#endif

/* The next stage begins with the weights of the last, whatever it freezes, and with a fresh optimizer. */
static void stages_keep_weights(void **state) {
    (void)state;
    gn_arena *a = gn_arena_new("run");
    gn_experiment e = { 0 };
    char *frozen = (char[]){ "train.stages.depth.train.frozen=[stack1]" };
    OK(gn_experiment_read(a, school_path("tiny.yaml"), 1, &frozen, &e));
    gn_session s = { .e = &e, .run = a, .folder = school, .steps = 10 };
    OK(gn_pool_open(a, 2, &s.pool));
    OK(gn_session_stage(&s, 0));
    OK(gn_loader_seek(s.loader, 0));
    const uint64_t fresh = gn_weights_hash(s.graph);
    OK(gn_session_step(&s));
    const uint64_t trained = gn_weights_hash(s.graph);
    OK(gn_session_stage(&s, 1));
    assert_true(trained != fresh && gn_weights_hash(s.graph) == trained);
    for (int64_t i = 0; i < s.trained; i++) assert_true(s.state[0][i] == 0);
    gn_arena_free(s.of_stage);
    gn_arena_free(a);
}

static void rates_follow_their_schedule(void **state) {
    (void)state;
    gn_experiment e = { 0 };
    int64_t drops[] = { 60, 80 };
    e.train.steps = 100;
    e.train.warmup = 10;
    e.train.drops = (gn_counts){ 2, drops };
    e.train.drop = 0.1;
    NEAR(gn_schedule(&e, 0), 0.1, 1e-15);
    NEAR(gn_schedule(&e, 9), 1, 1e-15);
    NEAR(gn_schedule(&e, 59), 1, 1e-15);
    NEAR(gn_schedule(&e, 60), 0.1, 1e-15);
    NEAR(gn_schedule(&e, 80), 0.01, 1e-15);
    e.train.schedule = 1;
    NEAR(gn_schedule(&e, 10), 1, 1e-15);
    NEAR(gn_schedule(&e, 55), 0.5, 1e-15);
    assert_true(gn_schedule(&e, 99) > 0 && gn_schedule(&e, 99) < 1e-3);
}

/* A disk that fails under a run ends it with GN_IO, and the checkpoint before stays good. */
static int writes_left;
static int fail_later(const char *call, const char *path) {
    (void)path;
    return !strcmp(call, "write") && --writes_left < 0 ? ENOSPC : 0;
}
static void a_full_disk_ends_a_run(void **state) {
    (void)state;
    gn_io_fault = fail_later;
    writes_left = 120;
    gn_status status = school_train("full", "device.workers=1", 0);
    gn_io_fault = NULL;
    assert_int_equal(status, GN_IO);
    assert_non_null(strstr(gn_reason(), "No space left"));
    OK(school_train("full", "device.workers=1", 1));
    assert_true(school_weights("full") == school_weights("plain"));
    assert_true(records("full") == records("plain"));
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
        cmocka_unit_test(events_can_be_read),      cmocka_unit_test(steps_take_no_memory),
        cmocka_unit_test(a_full_disk_ends_a_run),  cmocka_unit_test(rates_follow_their_schedule),
        cmocka_unit_test(stages_keep_weights),     cmocka_unit_test(divergence_is_named),     cmocka_unit_test(weights_are_taken_over),
    };
    return cmocka_run_group_tests(tests, school_open, school_close);
}
