/* step.c - the whole training step on drawn pictures, timed against its floor. */
#include "rehearsal.h"
#include <stdlib.h>
#include <sys/resource.h>

#define GN_T gn_bench_options
const gn_option gn_bench_rows[] = {
    { "batch", GN_KIND_INT, offsetof(GN_T, batch), 4, 1, 4096, 0, "samples a step", 0, 0 },
    { "side", GN_KIND_INT, offsetof(GN_T, side), 256, 32, 1024, 0, "pixels of the square picture", 0, 0 },
    { "width", GN_KIND_INT, offsetof(GN_T, width), 256, 16, 1024, 0, "channels of the network", 0, 0 },
    { "depth", GN_KIND_INT, offsetof(GN_T, depth), 4, 1, 6, 0, "halvings of an hourglass", 0, 0 },
    { "stacks", GN_KIND_INT, offsetof(GN_T, stacks), 2, 1, GN_READS, 0, "hourglasses", 0, 0 },
    { "shards", GN_KIND_INT, offsetof(GN_T, shards), 0, 0, 256, 0, "slices of the batch; 0: one a worker, or one on a GPU", 0, 0 },
    { "workers", GN_KIND_INT, offsetof(GN_T, workers), 0, 0, 256, 0, "threads; 0: one a core", 0, 0 },
    { "steps", GN_KIND_INT, offsetof(GN_T, steps), 5, 1, 1000, 0, "timed steps", 0, 0 },
    { "warmup", GN_KIND_INT, offsetof(GN_T, warmup), 2, 1, 1000, 0, "steps before; on a GPU the second is captured", 0, 0 },
    { "backend", GN_KIND_CHOICE, offsetof(GN_T, backend), 0, 0, 0, "auto|cpu|cuda", "where it runs", 0, 0 },
    { "type", GN_KIND_CHOICE, offsetof(GN_T, type), 0, 0, 0, "float|bf16", "stored activations", 0, 0 },
    { "impl", GN_KIND_CHOICE, offsetof(GN_T, impl), 2, 0, 0, "own|library|fastest", "whose kernels", 0, 0 },
    { "norm", GN_KIND_CHOICE, offsetof(GN_T, norm), 0, 0, 0, "batch|shard", "statistics over", 0, 0 },
    { "json", GN_KIND_FLAG, offsetof(GN_T, json), 0, 0, 0, 0, "one record for a script", 0, 0 },
    { 0 },
};
#undef GN_T

/* The network of Zhou 2017 as an experiment: a heatmap a stack, and depth. */
static gn_status experiment(const gn_bench_options *o, gn_arena *a, gn_experiment *e) {
    const char *text, *maps = "";
    const int workers = o->workers ? o->workers : gn_cores();
    const int gpu = o->backend == GN_BENCH_cuda || (o->backend == GN_BENCH_auto && gn_device_count(NULL));
    const int shards = o->shards ? o->shards : gpu ? 1 : workers;
    if (o->batch % shards) GN_FAIL(BAD_USAGE, "%d shards do not divide a batch of %d", shards, o->batch);
    for (int i = 1; i <= o->stacks; i++) GN_TAKE_TEXT(maps, a, "%s%sheatmap%d", maps, i > 1 ? ", " : "", i);
    GN_TAKE_TEXT(text, a,
                 "name: bench\n"
                 "data: {train: [puppet_lab], batch: %d, input: %d}\n"
                 "model: {hourglass: {stacks: %d, width: %d, depth: %d}}\n"
                 "losses: {heatmap: {reads: [%s]}, depth: {weight: 0.1}}\n"
                 "train: {shards: %d}\n",
                 o->batch, o->side, o->stacks, o->width, o->depth, maps, shards);
    GN_TRY(gn_experiment_parse(a, "bench", text, e));
    gn_experiment *stage = &e->stage[0];
    stage->train.norm = o->norm;
    stage->device.backend = o->backend;
    stage->device.workers = workers;
    stage->device.impl = o->impl;
    stage->device.type = o->type;
    return GN_OK;
}

typedef struct { double step, cpu, part[GN_STEP_PARTS]; } times; /* sorted by what comes first */

static double cpu_seconds(void) {
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + 1e-6 * (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

static gn_status run(gn_rehearsal *r, times *t) {
    const double cpu = cpu_seconds();
    GN_TRY(gn_rehearsal_step(r, &t->step));
    t->cpu = cpu_seconds() - cpu;
    for (int i = 0; i < GN_STEP_PARTS; i++) t->part[i] = r->session.note.part_s[i];
    return GN_OK;
}

/* The median step; of a GPU's, parts from one more that is queued anew. */
static gn_status time_steps(gn_rehearsal *r, const gn_bench_options *o, gn_arena *a, times *median) {
    times *t, parts = { 0 };
    GN_TAKE(t, a, o->steps);
    for (int i = 0; i < o->warmup + o->steps; i++) GN_TRY(run(r, &t[i < o->warmup ? 0 : i - o->warmup]));
    qsort(t, (size_t)o->steps, sizeof *t, gn_by_value);
    *median = t[o->steps / 2];
    if (!r->session.gpu) return GN_OK;
    r->session.timed = 1;
    GN_TRY(run(r, &parts));
    r->session.timed = 0;
    for (int i = 0; i < GN_STEP_PARTS; i++) median->part[i] = parts.part[i];
    return GN_OK;
}

static gn_status say(FILE *to, gn_rehearsal *r, const times *t, double flop, long peak_mb, gn_arena *a) {
    const gn_session *s = &r->session;
    const gn_graph_size size = gn_graph_sizes(s->graph);
    gn_ceiling c;
    gn_node_cost *node;
    int n;
    GN_TRY(gn_rehearsal_ceiling(r, a, &c));
    GN_TAKE(node, a, GN_REHEARSAL_NODES);
    GN_TRY(gn_graph_costs(s->graph, node, GN_REHEARSAL_NODES, &n));
    const double least = gn_rehearsal_floor(r, &c, node, n);
    fprintf(to, "step        %8.2f ms   %d pictures of %d pixels in %d shard%s, %.1f pictures a second\n", 1e3 * t->step, r->batch.n,
            r->batch.side, s->shards, s->shards == 1 ? "" : "s", r->batch.n / t->step);
    fprintf(to, "  forward   %8.2f ms   on %.70s\n  losses    %8.2f ms\n  backward  %8.2f ms\n  optimizer %8.2f ms\n",
            1e3 * t->part[GN_STEP_forward], s->where, 1e3 * t->part[GN_STEP_loss], 1e3 * t->part[GN_STEP_backward],
            1e3 * t->part[GN_STEP_optimizer]);
    fprintf(to, "arithmetic  %8.1f GFLOP  %.0f GFLOP/s of %.0f\n", flop / 1e9, flop / t->step / 1e9, c.flop_s / 1e9);
    fprintf(to, "floor       %8.2f ms   %.0f %% reached (%s multiply-adds %.0f GFLOP/s, copies %.0f GB/s)\n", 1e3 * least,
            100 * least / t->step, r->stage.device.type ? "bf16" : "float", c.flop_s / 1e9, c.bytes_s / 1e9);
    const size_t planned = (size.weights + size.gradients + size.activations + size.scratch) >> 20;
    fprintf(to, "memory      %8ld MB   weights %zu, gradients %zu, activations %zu, scratch %zu\n", s->gpu ? (long)planned : peak_mb,
            size.weights >> 20, size.gradients >> 20, size.activations >> 20, size.scratch >> 20);
    return GN_OK;
}

gn_status gn_bench_step(FILE *to, const gn_bench_options *o, gn_arena *a) {
    gn_experiment e;
    gn_rehearsal *r;
    times t = { 0 };
    GN_TAKE(r, a, 1);
    GN_TRY(experiment(o, a, &e));
    GN_TRY(gn_rehearsal_open(r, &e, a));
    GN_TRY(time_steps(r, o, a, &t));
    struct rusage use;
    getrusage(RUSAGE_SELF, &use);
    const gn_graph_size size = gn_graph_sizes(r->session.graph);
    const double flop = (size.flop_forward + size.flop_backward) * o->batch;
    if (!o->json) return say(to, r, &t, flop, use.ru_maxrss / 1024, a);
    fprintf(to, "{\"step_s\": %.6f, \"cpu_s\": %.6f, \"peak_mb\": %ld, \"gflop_s\": %.1f, \"backend\": \"%s\", \"img_s\": %.2f}\n", t.step, t.cpu,
            use.ru_maxrss / 1024, flop / t.step / 1e9, r->session.gpu ? "cuda" : "cpu", o->batch / t.step);
    return GN_OK;
}

gn_status gn_bench_op(FILE *to, const gn_bench_options *o, gn_arena *a) {
    gn_experiment e;
    GN_TRY(experiment(o, a, &e));
    return gn_profile(to, &e, o->warmup, o->steps, a);
}
