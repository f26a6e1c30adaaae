/* softargmax.c - volumes of 64 x 64 x 64 logits a joint to points and back, beside a copy of as many bytes.
 *
 * A worker takes whole samples, as a shard would. The peer is tools/bench/torch_softargmax.py. */
#include "rehearsal.h"
#include "formula/random.h"
#include "gnomon/attr.h"
#include "gnomon/op.h"
#include <stdlib.h>
#include <string.h>

enum { JOINTS = 16, SIDE = 64 };

typedef struct { /* of one worker, or of a GPU */
    gn_tensor x, y, saved, d_y, d_x;
    gn_call call;
} work;

typedef struct {
    work *of;
    gn_device *device; /* NULL: the workers of a pool compute */
    gn_backend on;
    gn_softargmax_attr attr;
} bench;

static gn_status reserve(const bench *b, gn_arena *a, size_t bytes, void **at) {
    return b->device ? gn_device_reserve(b->device, bytes, at) : gn_slab_reserve(a, bytes, at);
}

static gn_status tensor(const bench *b, gn_arena *a, gn_type type, int block, gn_shape shape, gn_tensor *t) {
    *t = (gn_tensor){ type, block, shape, NULL };
    return reserve(b, a, gn_tensor_bytes(t), &t->data);
}

/* Logits between -2 and 2, or ones. */
static void put(const gn_tensor *t, int64_t i, int drawn) {
    const float v = drawn ? (float)gn_uniform(1, 1, (uint64_t)i) * 4 - 2 : 1;
    uint32_t bits;
    memcpy(&bits, &v, sizeof bits);
    if (t->type == GN_TYPE_BF16) ((uint16_t *)t->data)[i] = (uint16_t)(bits >> 16);
    else ((gn_real *)t->data)[i] = (gn_real)v;
}

static gn_status fill(const bench *b, gn_arena *a, const gn_tensor *t, int drawn) {
    const int64_t n = gn_tensor_count(t);
    gn_tensor here = *t;
    if (b->device) GN_TRY(gn_slab_reserve(a, gn_tensor_bytes(t), &here.data));
    for (int64_t i = 0; i < n; i++) put(&here, i, drawn);
    if (!b->device) return GN_OK;
    GN_TRY(gn_device_upload(b->device, t->data, here.data, gn_tensor_bytes(t)));
    return gn_device_wait(b->device);
}

static gn_status set_up(bench *b, const gn_bench_options *o, int samples, work *w, gn_arena *a) {
    const int block = b->device ? 0 : gn_block_fastest(GN_IMPL_FASTEST);
    const gn_type type = o->type ? GN_TYPE_BF16 : GN_TYPE_REAL;
    const gn_shape volume = { 4, { samples, JOINTS * SIDE, SIDE, SIDE } };
    gn_op_shape s = { 0 };
    size_t scratch = 0, shadow = 0;
    GN_TRY(gn_op_softargmax.shape(&b->attr, 1, &volume, &s));
    GN_TRY(tensor(b, a, type, block ? block : JOINTS * SIDE, volume, &w->x));
    GN_TRY(tensor(b, a, type, w->x.block, volume, &w->d_x));
    GN_TRY(tensor(b, a, GN_TYPE_REAL, 0, s.out, &w->y));
    GN_TRY(tensor(b, a, GN_TYPE_REAL, 0, s.out, &w->d_y));
    GN_TRY(tensor(b, a, s.saved_type[0], 0, s.saved[0], &w->saved));
    w->call = (gn_call){ .attr = &b->attr, .n_in = 1, .in = &w->x, .out = &w->y, .saved = &w->saved, .d_out = &w->d_y,
                         .d_in = &w->d_x, .first = 1, .stream = b->device ? gn_device_stream(b->device) : NULL };
    GN_TRY(gn_op_softargmax.plan[b->on](&w->call, a, GN_IMPL_FASTEST, &w->call.state, &scratch, &shadow));
    GN_TRY(reserve(b, a, scratch, &w->call.scratch));
    GN_TRY(fill(b, a, &w->x, 1));
    return fill(b, a, &w->d_y, 0);
}

static gn_status run(void *what, int worker, int workers) {
    (void)workers;
    const bench *b = what;
    const gn_call *c = &b->of[worker].call;
    GN_TRY(gn_op_softargmax.forward[b->on](c));
    GN_TRY(gn_op_softargmax.backward[b->on](c));
    return b->device ? gn_device_wait(b->device) : GN_OK;
}

static gn_status pick(bench *b, const gn_bench_options *o, gn_arena *a) {
    b->on = GN_CPU;
    if (o->backend == GN_BENCH_cpu || (o->backend == GN_BENCH_auto && !gn_device_count(NULL))) return GN_OK;
    b->on = GN_CUDA;
    return gn_device_open(a, 0, &b->device);
}

gn_status gn_bench_softargmax(FILE *to, const gn_bench_options *o, gn_arena *a) {
    bench b = { .attr = { JOINTS, SIDE } };
    gn_pool *pool;
    gn_ceiling c;
    double *t;
    GN_TRY(pick(&b, o, a));
    GN_TRY(gn_pool_open(a, b.device ? 1 : o->workers, &pool)); /* the caller is worker 0: it opened the device */
    const int workers = gn_pool_workers(pool);
    if (o->batch % workers) GN_FAIL(BAD_USAGE, "%d workers do not divide a batch of %d", workers, o->batch);
    GN_TAKE(b.of, a, workers);
    GN_TAKE(t, a, o->steps);
    for (int i = 0; i < workers; i++) GN_TRY(set_up(&b, o, o->batch / workers, &b.of[i], a));
    for (int i = 0; i < o->warmup + o->steps; i++) {
        const double start = gn_seconds();
        GN_TRY(gn_pool_run(pool, run, &b));
        if (i >= o->warmup) t[i - o->warmup] = gn_seconds() - start;
    }
    qsort(t, (size_t)o->steps, sizeof *t, gn_by_value);
    const double step = t[o->steps / 2], bytes = 3.0 * (double)gn_tensor_bytes(&b.of[0].x) * workers; /* read, read, written */
    if (o->json) {
        fprintf(to, "{\"step_s\": %.6f, \"gb_s\": %.2f}\n", step, bytes / step / 1e9);
        return GN_OK;
    }
    GN_TRY(gn_ceiling_measure(pool, b.device, a, &c));
    char where[32];
    if (b.device) snprintf(where, sizeof where, "a GPU");
    else snprintf(where, sizeof where, "%d workers", workers);
    fprintf(to, "softargmax  %8.2f ms   %d samples of %d joints of %d^3, forward and backward, %s, %s\n", 1e3 * step, o->batch,
            JOINTS, SIDE, o->type ? "bf16" : "float", where);
    fprintf(to, "floor       %8.2f ms   %.0f %% reached (%.1f GB/s, copies %.1f)\n", 1e3 * bytes / c.bytes_s,
            100 * bytes / c.bytes_s / step, bytes / step / 1e9, c.bytes_s / 1e9);
    return GN_OK;
}
