/* test_checkpoint.c - flipped bits, cut files, full disks and kills: what was good stays good, what is bad is named. */
#include "near.h"
#include "gnomon/hash.h"
#include "gnomon/io.h"
#include "gnomon/log.h"
#include "gnomon/train.h"
#include "src/train/safetensors.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static gn_arena *arena;
static char folder[64];
static gn_graph *graph;
static gn_real *state[2], *ema;
static int64_t trained, elements;

static const char *in(const char *name) { return gn_arena_text(arena, "%s/%s", folder, name); }

static int open_all(void **unused) {
    (void)unused;
    arena = gn_arena_new("test");
    strcpy(folder, access("/dev/shm", W_OK) ? "/tmp/gnomon-point-XXXXXX" : "/dev/shm/gnomon-point-XXXXXX");
    if (!mkdtemp(folder)) return 1;
    gn_log_quiet(1);
    gn_pool *pool;
    OK(gn_pool_open(arena, 1, &pool));
    OK(gn_graph_new(arena, &graph));
    gn_node x = gn_input(graph, "picture", 3, 8, 8);
    gn_scope_in(graph, "first");
    x = gn_conv(graph, x, (gn_conv_spec){ .channels = 10, .kernel = 3 });
    gn_scope_out(graph);
    gn_scope_in(graph, "second");
    x = gn_conv(graph, x, (gn_conv_spec){ .channels = 5, .kernel = 1, .norm = 1, .relu = 1 });
    gn_scope_out(graph);
    gn_output(graph, "heatmap", x);
    OK(gn_graph_plan(graph, &(gn_plan){ .batch = 2, .shards = 1, .backward = 1, .pool = pool }));
    gn_graph_init(graph, GN_INIT_TORCH, 1);
    elements = gn_graph_weight_count(graph, &trained);
    for (int k = 0; k < 2; k++) state[k] = gn_arena_take(arena, sizeof(gn_real) * (size_t)elements);
    ema = gn_arena_take(arena, sizeof(gn_real) * (size_t)elements);
    return 0;
}
static int close_all(void **unused) {
    (void)unused;
    gn_status status = gn_io_remove(folder);
    gn_arena_free(arena);
    return status != GN_OK;
}

/* Weights, states and averages that are a function of the step; parameter by parameter, so that padding stays 0. */
static void become(int64_t step) {
    const gn_param *p;
    int n = gn_graph_params(graph, &p);
    for (int i = 0; i < n; i++) {
        gn_real dense[512];
        gn_real *const slab[] = { gn_graph_weights(graph), ema, state[0], state[1] };
        for (int s = 0; s < (p[i].trained ? 4 : 2); s++) {
            for (int64_t k = 0; k < gn_shape_count(&p[i].shape); k++) dense[k] = (gn_real)sin((double)(step * 7919 + i * 131 + k * 17 + s));
            gn_param_write(graph, i, dense, slab[s]);
        }
    }
}
static gn_status save(const char *run, int64_t step, int keep, int best) {
    become(step);
    const gn_progress_state at = { .step = step, .stage = 1, .stage_step = step / 2, .experiment = 0xfeedfacecafebeefu, .data = 3, .best = 0.5, .best_step = 2 };
    return gn_checkpoint_write(run, graph, 2, state, ema, &at, keep, best);
}
/* The step of the newest that verifies, after checking that it is that step's in every number. */
static int64_t newest(const char *run) {
    const char *at;
    gn_progress_state was;
    OK(gn_checkpoint_newest(arena, run, &at));
    become(-1);
    OK(gn_checkpoint_read(at, graph, 2, state, ema, &was));
    const size_t bytes = sizeof(gn_real) * (size_t)elements, few = sizeof(gn_real) * (size_t)trained;
    uint64_t read = gn_hash(gn_graph_weights(graph), bytes) ^ gn_hash(ema, bytes) * 3 ^ gn_hash(state[0], few) * 5 ^ gn_hash(state[1], few) * 7;
    become(was.step);
    assert_true(read == (gn_hash(gn_graph_weights(graph), bytes) ^ gn_hash(ema, bytes) * 3 ^ gn_hash(state[0], few) * 5 ^ gn_hash(state[1], few) * 7));
    assert_true(was.experiment == 0xfeedfacecafebeefu && was.data == 3 && was.stage == 1 && was.stage_step == was.step / 2);
    NEAR(was.best, 0.5, 0);
    return was.step;
}

static void written_and_read(void **unused) {
    (void)unused;
    const char *run = in("plain"), *at;
    for (int64_t step = 1; step <= 6; step++) OK(save(run, step, 2, step == 2));
    assert_int_equal(newest(run), 6);
    for (int step = 1; step <= 6; step++) /* the newest two and the best */
        assert_int_equal(gn_io_exists(gn_arena_text(arena, "%s/checkpoint/step_%08d", run, step)), step == 2 || step >= 5);
    OK(gn_checkpoint_best(arena, run, &at));
    assert_non_null(strstr(at, "step_00000002"));
    assert_false(gn_io_exists(in("plain/checkpoint/new.tmp")));
    /* some of its weights */
    become(6);
    uint64_t six = gn_weights_hash(graph);
    const char *second[] = { "second" }, *none[] = { "secon" };
    become(5);
    OK(gn_checkpoint_weights(in("plain/checkpoint/step_00000006"), graph, &(gn_texts){ 1, second }, 0));
    assert_true(gn_weights_hash(graph) != six);
    OK(gn_checkpoint_weights(in("plain/checkpoint/step_00000006"), graph, NULL, 0));
    assert_true(gn_weights_hash(graph) == six);
    OK(gn_checkpoint_weights(in("plain/checkpoint/step_00000006"), graph, NULL, 1));
    const uint64_t averaged = gn_hash(gn_graph_weights(graph), sizeof(gn_real) * (size_t)elements);
    become(6);
    assert_true(averaged == gn_hash(ema, sizeof(gn_real) * (size_t)elements));
    FAILS(gn_checkpoint_weights(in("plain/checkpoint/step_00000006"), graph, &(gn_texts){ 1, none }, 0), BAD_CONFIG);
}

static void copy(const char *from, const char *to) {
    void *bytes;
    size_t n;
    OK(gn_io_read(arena, from, 1 << 20, &bytes, &n));
    OK(gn_io_write(to, bytes, n));
}

static const char *const files[] = { "model.safetensors", "optimizer.safetensors", "state.json", "MANIFEST" };

static void every_flipped_bit_is_found(void **unused) {
    (void)unused;
    const char *run = in("flip");
    OK(save(run, 1, 3, 0));
    OK(save(run, 2, 3, 0));
    uint64_t draw = 99;
    int named = 0;
    for (int k = 0; k < 800; k++) {
        const char *file = files[k % 4], *path = gn_arena_text(arena, "%s/checkpoint/step_00000002/%s", run, file);
        void *bytes;
        size_t n;
        OK(gn_io_read(arena, path, 1 << 20, &bytes, &n));
        draw = draw * 6364136223846793005u + 1442695040888963407u;
        size_t bit = (size_t)(draw >> 20) % (8 * n);
        if (k < 160) bit = (size_t)k / 4 * 13 % (8 * n); /* headers */
        FILE *f = fopen(path, "r+b");
        const unsigned char flipped = (unsigned char)(((unsigned char *)bytes)[bit / 8] ^ 1u << bit % 8);
        fseek(f, (long)(bit / 8), SEEK_SET);
        fwrite(&flipped, 1, 1, f);
        fclose(f);
        gn_status status = gn_checkpoint_verify(gn_arena_text(arena, "%s/checkpoint/step_00000002", run));
        if (status != GN_BAD_DATA) fail_msg("bit %zu of %s: %s", bit, file, gn_status_text(status));
        if (!strstr(gn_reason(), file)) fail_msg("bit %zu of %s: %s", bit, file, gn_reason());
        named += k % 4 < 2 && strstr(gn_reason(), "first.") != NULL;
        if (k % 160 == 0) assert_int_equal(newest(run), 1); /* the one before it */
        f = fopen(path, "r+b");
        fwrite(bytes, 1, n, f);
        fclose(f);
    }
    assert_true(named > 50);
    assert_int_equal(newest(run), 2);
}

static void every_cut_is_found(void **unused) {
    (void)unused;
    const char *run = in("cut");
    OK(save(run, 1, 3, 0));
    OK(save(run, 2, 3, 0));
    for (int k = 0; k < 200; k++) {
        const char *file = files[k % 4], *path = gn_arena_text(arena, "%s/checkpoint/step_00000002/%s", run, file), *kept = in("kept");
        void *bytes;
        size_t n;
        copy(path, kept);
        OK(gn_io_read(arena, path, 1 << 20, &bytes, &n));
        size_t length = k < 40 ? (size_t)k / 4 : n - 1 - (size_t)(k * k) % n;
        if (k == 199) unlink(path);
        else assert_int_equal(truncate(path, (off_t)length), 0);
        assert_int_not_equal(gn_checkpoint_verify(gn_arena_text(arena, "%s/checkpoint/step_00000002", run)), GN_OK);
        if (!strstr(gn_reason(), file)) fail_msg("%s cut to %zu: %s", file, length, gn_reason());
        if (k % 160 == 0) assert_int_equal(newest(run), 1);
        copy(kept, path);
    }
    assert_int_equal(newest(run), 2);
}

static int calls, fail_at, fail_with;
static int fail_nth(const char *call, const char *path) {
    (void)call, (void)path;
    if (++calls != fail_at) return 0;
    if (!fail_with) _exit(9);
    return fail_with;
}

/* Full disk and broken disk at every call in turn: the run keeps a checkpoint, and nothing is in the way of the next one. */
static void every_failing_call_leaves_one(void **unused) {
    (void)unused;
    static const int errors[] = { ENOSPC, EIO };
    const char *run = in("fail");
    int64_t step = 1;
    OK(save(run, step, 1, 0));
    for (int e = 0; e < 2; e++)
        for (int at = 1;; at++) {
            calls = 0, fail_at = at, fail_with = errors[e];
            gn_io_fault = fail_nth;
            gn_status status = save(run, step + 1, 1, 0);
            gn_io_fault = NULL;
            int64_t now = newest(run);
            if (status) {
                assert_int_equal(status, GN_IO);
                assert_true(now == step || now == step + 1);
                OK(save(run, step + 1, 1, 0));
                assert_int_equal(newest(run), step + 1);
            }
            step++;
            if (calls < at) {
                OK(status);
                assert_true(at > 30);
                break;
            }
        }
}

static void a_kill_at_every_call_leaves_one(void **unused) {
    (void)unused;
    const char *run = in("kill");
    int64_t step = 1;
    int kills = 0;
    OK(save(run, step, 1, 1));
    for (int at = 1;; at++) {
        pid_t child = fork();
        if (!child) {
            calls = 0, fail_at = at, fail_with = 0;
            gn_io_fault = fail_nth;
            _exit(save(run, step + 1, 1, 1) != GN_OK);
        }
        int how;
        waitpid(child, &how, 0);
        int64_t now = newest(run);
        assert_true(now == step || now == step + 1);
        if (WEXITSTATUS(how) == 0) break;
        assert_int_equal(WEXITSTATUS(how), 9);
        kills++;
        const char *best;
        OK(gn_checkpoint_best(arena, run, &best));
        step = now;
    }
    assert_true(kills > 30);
    assert_int_equal(newest(run), step + 1);
}

/* --- the format itself --- */

static void refuse(const char *header, size_t data, const char *reason) {
    size_t n = strlen(header), size = 8 + n + data;
    char *bytes = gn_arena_take(arena, size);
    uint64_t length = n;
    memcpy(bytes, &length, 8);
    memcpy(bytes + 8, header, n);
    int count;
    gn_named *list;
    uint64_t head;
    gn_status status = gn_safetensors_parse(arena, "x.safetensors", bytes, size, &count, &list, &head);
    if (!reason) {
        OK(status);
        return;
    }
    assert_int_equal(status, GN_BAD_DATA);
    if (!strstr(gn_reason(), reason)) fail_msg("'%s' expected, found: %s", reason, gn_reason());
    assert_null(strchr(gn_reason(), '\n'));
}

static void hostile_headers_are_refused(void **unused) {
    (void)unused;
    refuse("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 8, NULL);
    refuse("{\"a\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4]},\"b\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[4,4]}}", 4, NULL);
    refuse("{}", 0, NULL);
    refuse("", 0, "'{'");
    refuse("[]", 0, "'{'");
    refuse("{\"a\":3}", 0, "expected");
    refuse("{\"a\":{\"dtype\":\"F31\",\"shape\":[2],\"data_offsets\":[0,8]}}", 8, "unknown type 'F31'");
    refuse("{\"a\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,8]}}", 8, "12 expected");
    refuse("{\"a\":{\"dtype\":\"F32\",\"shape\":[-2],\"data_offsets\":[0,8]}}", 8, "not a count");
    refuse("{\"a\":{\"dtype\":\"F32\",\"shape\":[2.0],\"data_offsets\":[0,8]}}", 8, "not a count");
    refuse("{\"a\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,8]}}", 8, "too large");
    refuse("{\"a\":{\"dtype\":\"F32\",\"shape\":[1,1,1,1,1,2],\"data_offsets\":[0,8]}}", 8, "dimensions");
    refuse("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,0]}}", 8, "outside");
    refuse("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,9223372036854775807]}}", 8, "outside");
    refuse("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}", 8, "gap");
    refuse("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 8, "no tensor");
    refuse("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}", 8, "overlaps");
    refuse("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 8, "a");
    refuse("{\"a\\u0000b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 8, "x.safetensors");
    int count;
    gn_named *list;
    uint64_t head, most = 100000001;
    char bytes[16] = { 0 };
    memcpy(bytes, &most, 8);
    FAILS(gn_safetensors_parse(arena, "x", bytes, 16, &count, &list, &head), BAD_DATA);
    assert_non_null(strstr(gn_reason(), "at most 100000000"));
    most = 9;
    memcpy(bytes, &most, 8);
    FAILS(gn_safetensors_parse(arena, "x", bytes, 16, &count, &list, &head), BAD_DATA);
    FAILS(gn_safetensors_parse(arena, "x", bytes, 7, &count, &list, &head), BAD_DATA);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(written_and_read),
        cmocka_unit_test(every_flipped_bit_is_found),
        cmocka_unit_test(every_cut_is_found),
        cmocka_unit_test(every_failing_call_leaves_one),
        cmocka_unit_test(a_kill_at_every_call_leaves_one),
        cmocka_unit_test(hostile_headers_are_refused),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
