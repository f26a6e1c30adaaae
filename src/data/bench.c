/* bench.c - how fast samples come: raw, hashed at first touch, once touched, and beside a plain copy; augmented, by the
 * loader; out of JPEGs, beside the library's call alone. */
#include "gnomon/io.h"
#include "gnomon/pool.h"
#include "gnomon/image.h"
#include "src/data/sample.h"
#include "src/image/decoder.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MADE = 1024, SIDE = 256, BATCH = 8, PASSES = 4, TOUCHES = 32, DECODED = 256, QUALITY = 95 };

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
    for (int pass = 0; pass < (b->what == FIRST ? 1 : TOUCHES); pass++)
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
    double seconds = 0, samples = (double)b->n * (b->what == FIRST ? 1 : TOUCHES);
    for (int i = 0; i < workers; i++) seconds += b->seconds[i];
    *per_thread = samples / seconds;
    return GN_OK;
}

/* The training shard of mpii: noise before labels that are 0. */
static gn_status make(gn_arena *a, const char *path) {
    const int64_t J = gn_mpii16.joints;
    const gn_shard_field field[] = {
        { "image", 1, 'u', 3, { SIDE, SIDE, 3 }, "0..255", "picture" }, { "joints2d", 4, 'f', 2, { J, 2 }, "pixels", "picture" },
        { "labelled2d", 1, 'u', 1, { J }, "", "" },                     { "occluded2d", 1, 'u', 1, { J }, "", "" },
        { "head_size", 4, 'f', 1, { 1 }, "pixels", "" },
    };
    enum { WORDS = SIDE * SIDE * 3 / 4, FIELDS = sizeof field / sizeof *field };
    static const float zero[2 * GN_JOINTS];
    gn_shard_writer *w;
    uint32_t *noise;
    GN_TAKE(noise, a, WORDS);
    GN_TRY(gn_shard_create(a, path, MADE, &gn_mpii16, field, FIELDS, "noise, to measure the loader", &w));
    uint32_t x = 1;
    for (int64_t i = 0; i < MADE; i++) {
        for (int k = 0; k < WORDS; k++) noise[k] = x = x * UINT32_C(1664525) + UINT32_C(1013904223);
        for (int f = 0; f < FIELDS; f++) GN_TRY(gn_shard_put(w, i, f, f ? (const void *)zero : noise));
    }
    return gn_shard_finish(w);
}

static gn_status measure_raw(gn_arena *a, const char *path, int threads, gn_loader_rates *r) {
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

/* --- affine: the loader itself --- */

/* The set whose training shard ends the path, and the folder before that. */
static gn_status set_of(gn_arena *a, const char *path, const char **root, const char **name) {
    for (int k = 0; gn_datasets[k]; k++) {
        const size_t all = strlen(path), tail = strlen(gn_datasets[k]->train);
        if (all <= tail || path[all - tail - 1] != '/' || strcmp(path + all - tail, gn_datasets[k]->train)) continue;
        GN_TAKE_TEXT(*root, a, "%.*s", (int)(all - tail), path);
        *name = gn_datasets[k]->name;
        return GN_OK;
    }
    GN_FAIL(BAD_USAGE, "%s: is no data set's training shard by its path: expected ROOT/mpii/train.h5 or another of `gnomon data ls`", path);
}

static gn_status measure_affine(gn_arena *a, const char *path, int threads, gn_loader_rates *r) {
    const char *name;
    gn_texts sets = { 1, &name };
    gn_loader *l;
    gn_batch *b;
    gn_loader_spec spec = { .sets = &sets, .train = 1, .batch = 4 * BATCH, .side = SIDE, .threads = threads, .seed = 1,
                            .augment = { .rotate = 30, .rotate_share = 1, .scale = 0.25, .flip = 0.5, .colour = 0.4 } };
    GN_TRY(set_of(a, path, &spec.root, &name));
    GN_TRY(gn_loader_open(a, &spec, &l));
    r->samples = gn_loader_samples(l);
    r->bytes = 3 * SIDE * SIDE;
    const int64_t batches = (r->samples + spec.batch - 1) / spec.batch;
    double start = 0;
    for (int pass = 0; pass <= PASSES; pass++) { /* the first hashes what it touches */
        if (pass == 1) start = gn_seconds();
        for (int64_t k = 0; k < batches; k++) GN_TRY(gn_loader_next(l, &b));
    }
    r->affine = (double)(PASSES * batches * spec.batch) / (gn_seconds() - start);
    return GN_OK;
}

/* --- jpeg: the loader's decoder --- */

typedef struct { const void *bytes; size_t n; } packed;
typedef struct {
    const packed *jpeg;
    int n, w, h, alone;
    gn_decoder **decoder;             /* [workers], as below */
    uint8_t **rgb;
    double *seconds;
} decoding;

static gn_status decode(void *what, int worker, int workers) {
    decoding *d = what;
    const double start = gn_seconds();
    for (int i = worker; i < d->n; i += workers)
        GN_TRY((d->alone ? gn_decoder_alone : gn_decoder_run)(d->decoder[worker], d->jpeg[i].bytes, d->jpeg[i].n, d->w, d->h, d->rgb[worker]));
    d->seconds[worker] = gn_seconds() - start;
    return GN_OK;
}

/* Stored so, or compressed now. */
static gn_status collect(gn_arena *a, gn_shard *s, decoding *d) {
    int image, jpeg, bytes, size;
    packed *to;
    d->n = gn_shard_samples(s) < DECODED ? (int)gn_shard_samples(s) : DECODED;
    GN_TAKE(to, a, d->n);
    d->jpeg = to;
    const gn_shard_field *raw = gn_shard_find(s, "image", &image);
    if (!raw && !(gn_shard_find(s, "jpeg", &jpeg) && gn_shard_find(s, "jpeg_bytes", &bytes) && gn_shard_find(s, "size", &size)))
        GN_FAIL(BAD_DATA, "%s: holds neither 'image' nor 'jpeg', 'jpeg_bytes' and 'size'", gn_shard_path(s));
    const int32_t *stored = raw ? NULL : gn_shard_at(s, size, 0);
    d->w = raw ? (int)raw->d[1] : stored[0];
    d->h = raw ? (int)raw->d[0] : stored[1];
    for (int i = 0; i < d->n; i++) {
        GN_TRY(gn_shard_check(s, i));
        if (raw) {
            gn_image in;
            void *made;
            GN_TRY(gn_image_new(a, d->w, d->h, &in));
            memcpy(in.rgb, gn_shard_at(s, image, i), gn_shard_bytes(s, image));
            GN_TRY(gn_jpeg_encode(a, &in, QUALITY, &made, &to[i].n));
            to[i].bytes = made;
        } else {
            to[i] = (packed){ gn_shard_at(s, jpeg, i), *(const uint32_t *)gn_shard_at(s, bytes, i) };
            if (to[i].n > gn_shard_bytes(s, jpeg)) GN_FAIL(BAD_DATA, "%s: sample %d: a JPEG of %zu bytes in %zu", gn_shard_path(s), i, to[i].n, gn_shard_bytes(s, jpeg));
        }
    }
    return GN_OK;
}

static gn_status measure_jpeg(gn_arena *a, const char *path, int threads, gn_loader_rates *r) {
    decoding d = { 0 };
    gn_shard *s;
    gn_pool *pool;
    GN_TRY(gn_shard_open(a, path, &s));
    GN_TRY(collect(a, s, &d));
    GN_TRY(gn_pool_open(a, threads, &pool));
    const int workers = gn_pool_workers(pool);
    GN_TAKE(d.decoder, a, workers);
    GN_TAKE(d.rgb, a, workers);
    GN_TAKE(d.seconds, a, workers);
    for (int k = 0; k < workers; k++) {
        GN_TRY(gn_decoder_open(a, &d.decoder[k]));
        GN_TAKE(d.rgb[k], a, 3 * (size_t)d.w * (size_t)d.h);
    }
    double took[2] = { 0 };
    for (int pass = 0; pass < 2 * (PASSES + 1); pass++) { /* in turn; the first of each warms */
        d.alone = pass % 2;
        GN_TRY(gn_pool_run(pool, decode, &d));
        for (int k = 0; k < workers && pass > 1; k++) took[d.alone] += d.seconds[k];
    }
    r->samples = d.n;
    for (int i = 0; i < d.n; i++) r->bytes += (double)d.jpeg[i].n / d.n;
    r->decoded = PASSES * d.n / took[0];
    r->alone = PASSES * d.n / took[1];
    return GN_OK;
}

/* --- all --- */

static gn_status measure(gn_arena *a, const char *path, int threads, int mode, gn_loader_rates *r) {
    *r = (gn_loader_rates){ 0 };
    return (mode == GN_LOADER_JPEG ? measure_jpeg : mode == GN_LOADER_AFFINE ? measure_affine : measure_raw)(a, path, threads, r);
}

gn_status gn_loader_bench(gn_arena *a, const char *shard, int threads, int mode, gn_loader_rates *rates) {
    if (shard) return measure(a, shard, threads, mode, rates);
    char folder[] = "/tmp/gnomon_bench_XXXXXX";
    if (!mkdtemp(folder)) GN_FAIL(NO_CREATE, "%s: cannot be created", folder);
    const char *path = gn_arena_text(a, "%s/mpii/train.h5", folder), *below = gn_arena_text(a, "%s/mpii", folder);
    gn_status status = path && below ? gn_io_folder(below) : gn_fail(GN_NO_MEMORY, __FILE__, __LINE__, "out of memory: path");
    if (!status) status = make(a, path);
    if (!status) status = measure(a, path, threads, mode, rates);
    gn_trail trail;
    gn_trail_keep(&trail);
    gn_io_remove(folder);
    gn_trail_restore(&trail);
    return status ? gn_pass(status, __FILE__, __LINE__) : GN_OK;
}
