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

typedef struct { /* of one worker */
    gn_tensor x, y, saved, d_y, d_x;
    gn_call call;
} work;

typedef struct {
    work *of;
    gn_softargmax_attr attr;
} bench;

static gn_status tensor(gn_arena *a, gn_type type, int block, gn_shape shape, gn_tensor *t) {
    *t = (gn_tensor){ type, block, shape, NULL };
    return gn_slab_reserve(a, gn_tensor_bytes(t), &t->data);
}

static gn_status set_up(bench *b, const gn_bench_options *o, int samples, work *w, gn_arena *a) {
    const int block = gn_block_fastest(GN_IMPL_FASTEST);
    const gn_type type = o->type ? GN_TYPE_BF16 : GN_TYPE_REAL;
    const gn_shape volume = { 4, { samples, JOINTS * SIDE, SIDE, SIDE } };
    gn_op_shape s = { 0 };
    size_t scratch = 0, shadow = 0;
    GN_TRY(gn_op_softargmax.shape(&b->attr, 1, &volume, &s));
    GN_TRY(tensor(a, type, block ? block : JOINTS * SIDE, volume, &w->x));
    GN_TRY(tensor(a, type, w->x.block, volume, &w->d_x));
    GN_TRY(tensor(a, GN_TYPE_REAL, 0, s.out, &w->y));
    GN_TRY(tensor(a, GN_TYPE_REAL, 0, s.out, &w->d_y));
    GN_TRY(tensor(a, s.saved_type[0], 0, s.saved[0], &w->saved));
    w->call = (gn_call){ .attr = &b->attr, .n_in = 1, .in = &w->x, .out = &w->y, .saved = &w->saved, .d_out = &w->d_y,
                         .d_in = &w->d_x, .first = 1 };
    GN_TRY(gn_op_softargmax.plan[GN_CPU](&w->call, a, GN_IMPL_FASTEST, &w->call.state, &scratch, &shadow));
    GN_TRY(gn_slab_reserve(a, scratch, &w->call.scratch));

    const int64_t n = gn_tensor_count(&w->x), points = gn_tensor_count(&w->y);
    for (int64_t i = 0; i < n; i++) {
        const float v = (float)gn_uniform(1, 1, (uint64_t)i) * 4 - 2;
        uint32_t bits;
        memcpy(&bits, &v, sizeof bits);
        if (type == GN_TYPE_BF16) ((uint16_t *)w->x.data)[i] = (uint16_t)(bits >> 16);
        else ((gn_real *)w->x.data)[i] = (gn_real)v;
    }
    for (int64_t i = 0; i < points; i++) ((gn_real *)w->d_y.data)[i] = 1;
    return GN_OK;
}

static gn_status run(void *what, int worker, int workers) {
    (void)workers;
    const gn_call *c = &((bench *)what)->of[worker].call;
    GN_TRY(gn_op_softargmax.forward[GN_CPU](c));
    return gn_op_softargmax.backward[GN_CPU](c);
}

gn_status gn_bench_softargmax(FILE *to, const gn_bench_options *o, gn_arena *a) {
    bench b = { .attr = { JOINTS, SIDE } };
    gn_pool *pool;
    gn_ceiling c;
    double *t;
    if (o->backend == GN_BENCH_cuda) GN_FAIL(BAD_USAGE, "backend: softargmax is benched on the CPU alone");
    GN_TRY(gn_pool_open(a, o->workers, &pool));
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
        fprintf(to, "{\"step_s\": %.4f, \"gb_s\": %.2f}\n", step, bytes / step / 1e9);
        return GN_OK;
    }
    GN_TRY(gn_ceiling_measure(pool, NULL, a, &c));
    fprintf(to, "softargmax  %8.2f ms   %d samples of %d joints of %d^3, forward and backward, %s, %d workers\n", 1e3 * step, o->batch,
            JOINTS, SIDE, o->type ? "bf16" : "float", workers);
    fprintf(to, "floor       %8.2f ms   %.0f %% reached (%.1f GB/s, copies %.1f)\n", 1e3 * bytes / c.bytes_s,
            100 * bytes / c.bytes_s / step, bytes / step / 1e9, c.bytes_s / 1e9);
    return GN_OK;
}
