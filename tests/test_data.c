/* test_data.c - shards: what is written is read; what is cut or flipped is found. */
#include "near.h"
#include "gnomon/dataset.h"
#include "gnomon/io.h"
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static char folder[] = "/tmp/gnomon_data_XXXXXX";

enum { N = 5, SIDE = 6, J = 16 };
static const gn_shard_field fields[] = {
    { "image", 1, 'u', 3, { SIDE, SIDE, 3 }, "0..255", "picture" },
    { "joints2d", 4, 'f', 2, { J, 2 }, "pixels", "picture" },
    { "labelled2d", 1, 'u', 1, { J }, "", "" },
    { "head_size", 4, 'f', 1, { 1 }, "pixels", "picture" },
};
enum { FIELDS = sizeof fields / sizeof *fields };

static const char *path_of(gn_arena *a, const char *name) { return gn_arena_text(a, "%s/%s", folder, name); }

static size_t bytes_of(int f) {
    size_t n = (size_t)fields[f].element;
    for (int k = 0; k < fields[f].rank; k++) n *= (size_t)fields[f].d[k];
    return n;
}

static void fill(int f, int64_t i, unsigned char *to) {
    if (fields[f].kind == 'f') {
        float *x = (float *)(void *)to;
        for (size_t k = 0; k < bytes_of(f) / 4; k++) x[k] = (float)(1 + (k + (size_t)i) % SIDE);
    } else
        for (size_t k = 0; k < bytes_of(f); k++) to[k] = f == 2 ? 1 : (unsigned char)(7 * k + 31 * (size_t)i);
}

static void write_shard(const char *path) {
    gn_arena *a = gn_arena_new("write");
    gn_shard_writer *w;
    _Alignas(8) unsigned char buffer[4096];
    OK(gn_shard_create(a, path, N, &gn_mpii16, fields, FIELDS, "made by test_data", &w));
    for (int64_t i = N - 1; i >= 0; i--)
        for (int f = 0; f < FIELDS; f++) {
            fill(f, i, buffer);
            OK(gn_shard_put(w, i, f, buffer));
        }
    assert_false(gn_io_exists(path));
    OK(gn_shard_finish(w));
    gn_arena_free(a);
}

static void round_trip(void **state) {
    (void)state;
    gn_arena *a = gn_arena_new("test");
    const char *path = path_of(a, "round.h5");
    _Alignas(8) unsigned char buffer[4096];
    gn_shard *s;
    write_shard(path);
    OK(gn_shard_open(a, path, &s));
    assert_int_equal(gn_shard_samples(s), N);
    assert_int_equal(gn_shard_fields(s), FIELDS);
    assert_ptr_equal(gn_shard_skeleton(s), &gn_mpii16);
    assert_string_equal(gn_shard_provenance(s), "made by test_data");
    for (int f = 0; f < FIELDS; f++) {
        int place;
        const gn_shard_field *is = gn_shard_find(s, fields[f].name, &place);
        assert_non_null(is);
        assert_string_equal(is->unit, fields[f].unit);
        assert_string_equal(is->frame, fields[f].frame);
        assert_int_equal(is->rank, fields[f].rank);
        for (int64_t i = 0; i < N; i++) {
            fill(f, i, buffer);
            assert_memory_equal(gn_shard_at(s, place, i), buffer, bytes_of(f));
        }
    }
    for (int64_t i = 0; i < N; i++) OK(gn_shard_check(s, i));
    uint64_t hash = gn_shard_hash(s);
    const char *again = path_of(a, "again.h5");
    write_shard(again);
    OK(gn_shard_open(a, again, &s));
    assert_true(gn_shard_hash(s) == hash);
    void *x, *y;
    size_t n, m;
    OK(gn_io_read(a, path, 1 << 24, &x, &n));
    OK(gn_io_read(a, again, 1 << 24, &y, &m));
    assert_int_equal(n, m);
    assert_memory_equal(x, y, n);
    gn_arena_free(a);
}

static void unfinished(void **state) {
    (void)state;
    gn_arena *a = gn_arena_new("test");
    const char *path = path_of(a, "unfinished.h5");
    gn_shard_writer *w;
    _Alignas(8) unsigned char buffer[4096] = { 0 };
    OK(gn_shard_create(a, path, N, &gn_mpii16, fields, FIELDS, "", &w));
    OK(gn_shard_put(w, 0, 0, buffer));
    FAILS(gn_shard_finish(w), FAILED);
    assert_non_null(strstr(gn_reason(), "image of sample 1 was never written"));
    gn_arena *b = gn_arena_new("list");
    const char *pattern = gn_arena_text(b, "ls %s | grep -q unfinished", folder);
    gn_arena_free(a);
    assert_int_not_equal(system(pattern), 0);
    gn_arena_free(b);
}

/* Opening and checking everything; the reason must be one line. */
static gn_status read_all(const char *path) {
    gn_arena *a = gn_arena_new("read");
    gn_shard *s;
    gn_status status = gn_shard_open(a, path, &s);
    for (int64_t i = 0; !status && i < N; i++) status = gn_shard_check(s, i);
    gn_arena_free(a);
    return status;
}

static void damaged(void **state) {
    (void)state;
    gn_arena *a = gn_arena_new("test");
    const char *good = path_of(a, "good.h5"), *bad = path_of(a, "bad.h5");
    write_shard(good);
    unsigned char *bytes;
    size_t n;
    void *read;
    OK(gn_io_read(a, good, 1 << 24, &read, &n));
    bytes = read;
    uint64_t draw = 1;
    for (int t = 0; t < 1500; t++) {
        draw = draw * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        size_t at = (size_t)(draw >> 20) % n;
        FILE *f = fopen(bad, "wb");
        assert_non_null(f);
        unsigned char was = bytes[at];
        if (t % 3) bytes[at] ^= (unsigned char)(1 << (draw >> 61));
        assert_int_equal(fwrite(bytes, 1, t % 3 ? n : at, f), t % 3 ? n : at);
        fclose(f);
        bytes[at] = was;
        FAILS(read_all(bad), BAD_DATA);
        assert_null(strchr(gn_reason(), '\n'));
        assert_non_null(strstr(gn_reason(), "bad.h5"));
    }
    FAILS(read_all(path_of(a, "none.h5")), MISSING);
    FAILS(read_all(folder), BAD_DATA);
    gn_arena_free(a);
}

static void disk_full(void **state) {
    (void)state;
    if (access("/dev/full", W_OK)) skip();
    gn_arena *a = gn_arena_new("test");
    gn_shard_writer *w;
    FAILS(gn_shard_create(a, "/dev/full/x.h5", N, &gn_mpii16, fields, FIELDS, "", &w), NO_CREATE);
    gn_shard_field huge = { "image", 1, 'u', 3, { 4096, 4096, 3 }, "", "" };
    FAILS(gn_shard_create(a, path_of(a, "huge.h5"), INT64_C(1) << 22, &gn_mpii16, &huge, 1, "", &w), IO);
    assert_null(strchr(gn_reason(), '\n'));

    /* What the reservation cannot promise, a write still reports. */
    _Alignas(8) unsigned char buffer[4096] = { 0 };
    const char *path = path_of(a, "late.h5");
    struct rlimit was, none = { 0, RLIM_INFINITY };
    OK(gn_shard_create(a, path, N, &gn_mpii16, fields, FIELDS, "", &w));
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
    signal(SIGXFSZ, SIG_IGN);
    none.rlim_max = was.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
    gn_status put = gn_shard_put(w, 0, 0, buffer);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
    FAILS(put, IO);
    assert_non_null(strstr(gn_reason(), "late.h5: cannot be written"));
    gn_arena_free(a);
    a = gn_arena_new("after");
    assert_false(gn_io_exists(path_of(a, "late.h5")));
    gn_arena_free(a);
}

static int make_folder(void **state) {
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}
static int remove_folder(void **state) {
    (void)state;
    return gn_io_remove(folder) != GN_OK;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trip),
        cmocka_unit_test(unfinished),
        cmocka_unit_test(damaged),
        cmocka_unit_test(disk_full),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
