/* bench.c - how fast raw samples come: hashed at first touch, once touched, and beside a plain copy. */
#include "gnomon/io.h"
#include "gnomon/pool.h"
#include "src/data/sample.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MADE = 1024, SIDE = 256, BATCH = 8, PASSES = 4 };

typedef struct {
    gn_shard *shard;
    int image;
    int64_t n;
    size_t bytes;
    const unsigned char *plain;       /* as many samples in plain memory */
    unsigned char *batch;             /* [workers BATCH bytes] */
    enum { FIRST, AGAIN, COPY } what;
    double *seconds;                  /* [workers] */
} bench;

/* A worker touches its share in a random order, the same in all three runs. */
static gn_status run(void *what, int worker, int workers) {
    bench *b = what;
    gn_order o = { .seed = 1, .sets = 1, .shuffled = 1, .n = { b->n } };
    int64_t from = b->n * worker / workers, to = b->n * (worker + 1) / workers;
    unsigned char *slot = b->batch + (size_t)worker * BATCH * b->bytes;
    double start = gn_seconds();
    for (int pass = 0; pass < (b->what == FIRST ? 1 : PASSES); pass++)
        for (int64_t i = from; i < to; i++) {
            int64_t k = gn_order_at(&o, i).sample;
            if (b->what != COPY) GN_TRY(gn_shard_check(b->shard, k));
            const void *at = b->what == COPY ? b->plain + (size_t)k * b->bytes : gn_shard_at(b->shard, b->image, k);
            memcpy(slot + (size_t)(i % BATCH) * b->bytes, at, b->bytes);
            __asm__ volatile("" : : "r"(slot) : "memory");
        }
    b->seconds[worker] = gn_seconds() - start;
    return GN_OK;
}

/* Samples a second of one thread, all running. */
static gn_status rate(bench *b, gn_pool *pool, double *per_thread) {
    GN_TRY(gn_pool_run(pool, run, b));
    int workers = gn_pool_workers(pool);
    double seconds = 0, samples = (double)b->n * (b->what == FIRST ? 1 : PASSES);
    for (int i = 0; i < workers; i++) seconds += b->seconds[i];
    *per_thread = samples / seconds;
    return GN_OK;
}

static gn_status make(gn_arena *a, const char *path) {
    const gn_shard_field image = { "image", 1, 'u', 3, { SIDE, SIDE, 3 }, "0..255", "picture" };
    gn_shard_writer *w;
    uint32_t *noise;
    enum { WORDS = SIDE * SIDE * 3 / 4 };
    GN_TAKE(noise, a, WORDS);
    GN_TRY(gn_shard_create(a, path, MADE, &gn_mpii16, &image, 1, "noise, to measure the loader", &w));
    uint32_t x = 1;
    for (int64_t i = 0; i < MADE; i++) {
        for (int k = 0; k < WORDS; k++) noise[k] = x = x * UINT32_C(1664525) + UINT32_C(1013904223);
        GN_TRY(gn_shard_put(w, i, 0, noise));
    }
    return gn_shard_finish(w);
}

static gn_status measure(gn_arena *a, const char *path, int threads, gn_loader_rates *r) {
    bench b = { 0 };
    gn_pool *pool;
    GN_TRY(gn_pool_open(a, threads, &pool));
    GN_TRY(gn_shard_open(a, path, &b.shard));
    if (!gn_shard_find(b.shard, "image", &b.image)) GN_FAIL(BAD_DATA, "%s: holds no field 'image'", path);
    b.bytes = gn_shard_bytes(b.shard, b.image);
    b.n = gn_shard_samples(b.shard);
    b.n = b.n < 4 * MADE ? b.n : 4 * MADE;
    GN_TAKE(b.batch, a, (size_t)gn_pool_workers(pool) * BATCH * b.bytes);
    GN_TAKE(b.seconds, a, gn_pool_workers(pool));
    double copies = 0;
    b.what = FIRST;
    GN_TRY(rate(&b, pool, &r->first)); /* page faults included, so before anything else reads the map */
    unsigned char *plain;
    GN_TAKE(plain, a, (size_t)b.n * b.bytes);
    for (int64_t i = 0; i < b.n; i++) memcpy(plain + (size_t)i * b.bytes, gn_shard_at(b.shard, b.image, i), b.bytes);
    b.plain = plain;
    b.what = AGAIN;
    GN_TRY(rate(&b, pool, &r->again));
    b.what = COPY;
    GN_TRY(rate(&b, pool, &copies));
    r->samples = b.n;
    r->bytes = (double)b.bytes;
    r->copy = copies * r->bytes;
    return GN_OK;
}

gn_status gn_loader_bench(gn_arena *a, const char *shard, int threads, gn_loader_rates *rates) {
    if (shard) return measure(a, shard, threads, rates);
    char folder[] = "/tmp/gnomon_bench_XXXXXX";
    const char *path;
    if (!mkdtemp(folder)) GN_FAIL(NO_CREATE, "%s: cannot be created", folder);
    path = gn_arena_text(a, "%s/noise.h5", folder);
    gn_status status = path ? make(a, path) : gn_fail(GN_NO_MEMORY, __FILE__, __LINE__, "out of memory: path");
    if (!status) status = measure(a, path, threads, rates);
    gn_trail trail;
    gn_trail_keep(&trail);
    gn_io_remove(folder);
    gn_trail_restore(&trail);
    return status ? gn_pass(status, __FILE__, __LINE__) : GN_OK;
}
