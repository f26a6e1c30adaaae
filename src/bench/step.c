/* step.c - the whole training step on synthetic pictures, timed against its floor. */
#include "gnomon/bench.h"
#include "gnomon/optimizer.h"
#include "formula/random.h"
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define GN_T gn_bench_options
const gn_option gn_bench_rows[] = {
    { "batch", GN_KIND_INT, offsetof(GN_T, batch), 4, 1, 4096, 0, "samples a step", 0, 0 },
    { "side", GN_KIND_INT, offsetof(GN_T, side), 256, 32, 1024, 0, "pixels of the square picture", 0, 0 },
    { "width", GN_KIND_INT, offsetof(GN_T, width), 256, 16, 1024, 0, "channels of the network", 0, 0 },
    { "depth", GN_KIND_INT, offsetof(GN_T, depth), 4, 1, 8, 0, "halvings of an hourglass", 0, 0 },
    { "stacks", GN_KIND_INT, offsetof(GN_T, stacks), 2, 1, 16, 0, "hourglasses", 0, 0 },
    { "shards", GN_KIND_INT, offsetof(GN_T, shards), 0, 0, 256, 0, "slices of the batch; 0: one a worker", 0, 0 },
    { "workers", GN_KIND_INT, offsetof(GN_T, workers), 0, 0, 256, 0, "threads; 0: one a core", 0, 0 },
    { "steps", GN_KIND_INT, offsetof(GN_T, steps), 5, 1, 1000, 0, "timed steps", 0, 0 },
    { "warmup", GN_KIND_INT, offsetof(GN_T, warmup), 2, 1, 1000, 0, "steps before", 0, 0 },
    { "type", GN_KIND_CHOICE, offsetof(GN_T, type), 0, 0, 0, "float|bf16", "stored activations", 0, 0 },
    { "impl", GN_KIND_CHOICE, offsetof(GN_T, impl), 2, 0, 0, "own|library|fastest", "whose kernels", 0, 0 },
    { "norm", GN_KIND_CHOICE, offsetof(GN_T, norm), 0, 0, 0, "batch|shard", "statistics over", 0, 0 },
    { "json", GN_KIND_FLAG, offsetof(GN_T, json), 0, 0, 0, 0, "one record for a script", 0, 0 },
    { 0 },
};
#undef GN_T

enum { J = 16, STACKS = 16 };

typedef struct {
    gn_graph *g;
    gn_pool *pool;
    int shards, here; /* samples in a shard */
    gn_labels *label; /* [shards here] */
    const gn_loss *heatmap, *depth;
    void *heatmap_options, *depth_options;
    const gn_optimizer *optimizer;
    void *optimizer_options;
    gn_real **state;
    int64_t t, trained;
} bench;

/* Labels in the middle of the picture; what they are does not change the work. */
static gn_status label(bench *b, int batch, int side, gn_arena *a) {
    gn_real *uv, *z;
    uint8_t *one;
    GN_TAKE(b->label, a, batch);
    GN_TAKE(uv, a, batch * J * 2);
    GN_TAKE(z, a, batch * J);
    GN_TAKE(one, a, J);
    memset(one, 1, J);
    for (int i = 0; i < batch * J * 2; i++) uv[i] = (gn_real)(side * (0.2 + 0.6 * gn_uniform(1, 1, (uint64_t)i)));
    for (int i = 0; i < batch; i++)
        b->label[i] = (gn_labels){ .has = GN_HAS_joints2d | GN_HAS_labelled2d | GN_HAS_depth | GN_HAS_labelled3d,
                                   .J = J, .side = side, .skeleton = &gn_mpii16, .joints2d = uv + i * J * 2,
                                   .labelled2d = one, .depth = z + i * J, .labelled3d = one };
    return GN_OK;
}

static gn_status options(gn_arena *a, size_t bytes, const gn_option *rows, void **into) {
    *into = gn_arena_take(a, bytes);
    if (!*into) GN_FAIL(NO_MEMORY, "out of memory: options");
    gn_config_default(rows, *into);
    return GN_OK;
}

static gn_status set_up(bench *b, const gn_bench_options *o, gn_arena *a) {
    GN_TRY(gn_pool_open(a, o->workers, &b->pool));
    b->shards = o->shards ? o->shards : gn_pool_workers(b->pool);
    if (o->batch % b->shards) GN_FAIL(BAD_USAGE, "%d shards do not divide a batch of %d", b->shards, o->batch);
    b->here = o->batch / b->shards;

    const gn_model *m = gn_models[0];
    while (m && strcmp(m->name, "hourglass")) m++;
    void *model;
    GN_TRY(options(a, m->bytes, m->options, &model));
    for (const gn_option *row = m->options; row->name; row++) {
        if (!strcmp(row->name, "width")) *(int *)((char *)model + row->offset) = o->width;
        if (!strcmp(row->name, "depth")) *(int *)((char *)model + row->offset) = o->depth;
        if (!strcmp(row->name, "stacks")) *(int *)((char *)model + row->offset) = o->stacks;
    }
    GN_TRY(gn_graph_new(a, &b->g));
    GN_TRY(m->build(b->g, model, o->side, J));
    const gn_plan plan = { .backend = GN_CPU, .impl = (gn_impl)o->impl, .type = o->type ? GN_TYPE_BF16 : GN_TYPE_REAL,
                           .batch = o->batch, .shards = b->shards, .norm_shard = o->norm, .backward = 1,
                           .pool = b->pool };
    GN_TRY(gn_graph_plan(b->g, &plan));
    gn_graph_init(b->g, GN_INIT_TORCH, 1);

    b->heatmap = gn_loss_find("heatmap");
    b->depth = gn_loss_find("depth");
    b->optimizer = gn_optimizer_find("rmsprop");
    GN_TRY(options(a, b->heatmap->bytes, b->heatmap->options, &b->heatmap_options));
    GN_TRY(options(a, b->depth->bytes, b->depth->options, &b->depth_options));
    GN_TRY(options(a, b->optimizer->bytes, b->optimizer->options, &b->optimizer_options));
    int64_t n = gn_graph_weight_count(b->g, &b->trained);
    GN_TAKE(b->state, a, b->optimizer->states);
    for (int i = 0; i < b->optimizer->states; i++) GN_TAKE(b->state[i], a, n);
    return label(b, o->batch, o->side, a);
}

static void picture(bench *b, int step) {
    for (int s = 0; s < b->shards; s++) {
        gn_tensor x = gn_graph_input(b->g, "picture", s);
        int64_t n = gn_tensor_count(&x);
        for (int64_t i = 0; i < n; i++) {
            float v = (float)((i * 2654435761u + (unsigned)step * 40503u) >> 8 & 255) / 255.0f;
            if (x.type == GN_TYPE_BF16) {
                uint32_t bits;
                memcpy(&bits, &v, sizeof bits);
                ((uint16_t *)x.data)[i] = (uint16_t)(bits >> 16);
            } else
                ((gn_real *)x.data)[i] = v;
        }
    }
}

static gn_status lose(void *what, int worker, int workers) {
    bench *b = what;
    for (int s = worker; s < b->shards; s += workers) {
        gn_tensor map[STACKS], d_map[STACKS];
        int maps = 0;
        for (int i = 0; i < gn_graph_outputs(b->g) && maps < STACKS; i++) {
            const char *name = gn_graph_output_name(b->g, i);
            if (strncmp(name, "heatmap", 7) || !name[7]) continue;
            map[maps] = gn_graph_output(b->g, i, s);
            d_map[maps++] = gn_graph_slope(b->g, i, s);
        }
        int z = gn_graph_output_find(b->g, "depth");
        gn_tensor depth = gn_graph_output(b->g, z, s), d_depth = gn_graph_slope(b->g, z, s);
        double value;
        gn_loss_call c = { .options = b->heatmap_options, .samples = b->here, .views = 1,
                           .labels = b->label + (int64_t)s * b->here, .value = &value };
        for (int i = 0; i < maps; i++) { /* a stack at a time: their order is part of no sum */
            c.outputs = 1, c.out = &map[i], c.d_out = &d_map[i], c.scale = 1.0 / (double)gn_tensor_count(&map[i]);
            GN_TRY(b->heatmap->run(&c));
        }
        c.options = b->depth_options, c.out = &depth, c.d_out = &d_depth, c.scale = 0.1 / (J * b->here);
        GN_TRY(b->depth->run(&c));
    }
    return GN_OK;
}

static gn_status learn(void *what, int worker, int workers) {
    bench *b = what;
    const gn_learn l = { .t = b->t, .rate = 1e-5, .gradient_scale = 1, .from = b->trained * worker / workers / 16 * 16,
                         .to = worker + 1 == workers ? b->trained : b->trained * (worker + 1) / workers / 16 * 16,
                         .w = gn_graph_weights(b->g), .g = gn_graph_gradients(b->g), .state = b->state };
    b->optimizer->run(b->optimizer_options, &l);
    return GN_OK;
}

typedef struct { double step, cpu, forward, loss, backward, optimizer; } times;

static double cpu_seconds(void) {
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + 1e-6 * (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

static gn_status run(bench *b, times *t) {
    double cpu = cpu_seconds(), at[5] = { gn_seconds() };
    b->t++;
    GN_TRY(gn_graph_forward(b->g, GN_TRAIN, (uint64_t)b->t));
    at[1] = gn_seconds();
    GN_TRY(gn_pool_run(b->pool, lose, b));
    at[2] = gn_seconds();
    GN_TRY(gn_graph_backward(b->g));
    at[3] = gn_seconds();
    GN_TRY(gn_pool_run(b->pool, learn, b));
    at[4] = gn_seconds();
    *t = (times){ at[4] - at[0], cpu_seconds() - cpu, at[1] - at[0], at[2] - at[1], at[3] - at[2], at[4] - at[3] };
    return GN_OK;
}

static int by_step(const void *a, const void *b) {
    double x = ((const times *)a)->step, y = ((const times *)b)->step;
    return (x > y) - (x < y);
}

/* Floor of worker 0's nodes: arithmetic or fewest bytes, whichever takes longer; `c` is one worker's. */
static double floor_seconds(const gn_node_cost *n, int nodes, gn_ceiling c) {
    double sum = 0;
    for (int i = 0; i < nodes; i++) sum += fmax(n[i].flop / c.flop_s, n[i].bytes / c.bytes_s);
    return sum;
}

/* What one worker can do in the type at hand, while the others do the same. */
static gn_status ceiling(bench *b, const gn_bench_options *o, gn_arena *a, gn_ceiling *c) {
    const int workers = gn_pool_workers(b->pool);
    GN_TRY(gn_ceiling_measure(b->pool, a, c));
    c->flop_s = (o->type ? c->bf16_s : c->flop_s) / workers;
    c->bytes_s /= workers;
    return GN_OK;
}

enum { NODES = 2048 };

static gn_status time_steps(bench *b, const gn_bench_options *o, gn_arena *a, times *median) {
    times *t;
    GN_TAKE(t, a, o->steps);
    for (int i = 0; i < o->warmup + o->steps; i++) {
        picture(b, i);
        GN_TRY(run(b, &t[i < o->warmup ? 0 : i - o->warmup]));
    }
    qsort(t, (size_t)o->steps, sizeof *t, by_step);
    *median = t[o->steps / 2];
    return GN_OK;
}

gn_status gn_bench_step(FILE *to, const gn_bench_options *o, gn_arena *a) {
    bench b = { 0 };
    times t;
    GN_TRY(set_up(&b, o, a));
    GN_TRY(time_steps(&b, o, a, &t));
    struct rusage use;
    getrusage(RUSAGE_SELF, &use);
    gn_graph_size size = gn_graph_sizes(b.g);
    double flop = (size.flop_forward + size.flop_backward) * o->batch;
    if (o->json) {
        fprintf(to, "{\"step_s\": %.4f, \"cpu_s\": %.4f, \"peak_mb\": %ld, \"gflop_s\": %.1f}\n", t.step, t.cpu,
                use.ru_maxrss / 1024, flop / t.step / 1e9);
        return GN_OK;
    }
    gn_ceiling c;
    gn_node_cost *node;
    GN_TRY(ceiling(&b, o, a, &c));
    GN_TAKE(node, a, NODES);
    const int workers = gn_pool_workers(b.pool);
    const double least = floor_seconds(node, gn_graph_costs(b.g, node, NODES), c), peak = c.flop_s * workers / 1e9;
    fprintf(to, "step        %8.1f ms   %d pictures of %d pixels, %d shards on %d workers, %s\n", 1e3 * t.step, o->batch,
            o->side, b.shards, workers, o->type ? "bf16" : "float");
    fprintf(to, "  forward   %8.1f ms\n  losses    %8.1f ms\n  backward  %8.1f ms\n  optimizer %8.1f ms\n", 1e3 * t.forward,
            1e3 * t.loss, 1e3 * t.backward, 1e3 * t.optimizer);
    fprintf(to, "arithmetic  %8.1f GFLOP  %.0f GFLOP/s of %.0f\n", flop / 1e9, flop / t.step / 1e9, peak);
    fprintf(to, "floor       %8.1f ms   %.0f %% reached (%s multiply-adds %.0f GFLOP/s, copies %.0f GB/s)\n", 1e3 * least,
            100 * least / t.step, o->type ? "bf16" : "float", peak, c.bytes_s * workers / 1e9);
    fprintf(to, "memory      %8ld MB   weights %zu, gradients %zu, activations %zu, scratch %zu\n", use.ru_maxrss / 1024,
            size.weights >> 20, size.gradients >> 20, size.activations >> 20, size.scratch >> 20);
    return GN_OK;
}

static void row(FILE *to, const gn_node_cost *n, double least) {
    const double s = n->forward_s + n->backward_s;
    fprintf(to, "%-48s %-10s %9.3f %9.3f %9.3f %9.2f %9.3f %6.0f\n", n->name, n->op, 1e3 * n->forward_s, 1e3 * n->backward_s,
            n->flop / 1e9, n->bytes / 1e6, 1e3 * least, s > 0 ? 100 * least / s : 0.0);
}

/* One row an op, in the order in which they first come. */
static void rows_by_op(FILE *to, const gn_node_cost *node, int n, gn_ceiling c) {
    for (int i = 0; i < n; i++) {
        gn_node_cost all = { .name = "all", .op = node[i].op };
        double least = 0;
        int seen = 0;
        for (int k = 0; k < i; k++) seen |= !strcmp(node[k].op, all.op);
        for (int k = i; k < n && !seen; k++) {
            if (strcmp(node[k].op, all.op)) continue;
            all.flop += node[k].flop, all.bytes += node[k].bytes;
            all.forward_s += node[k].forward_s, all.backward_s += node[k].backward_s;
            least += floor_seconds(&node[k], 1, c);
        }
        if (!seen) row(to, &all, least);
    }
}

gn_status gn_bench_op(FILE *to, const gn_bench_options *o, gn_arena *a) {
    bench b = { 0 };
    times t;
    gn_ceiling c;
    gn_node_cost *node;
    GN_TRY(set_up(&b, o, a));
    gn_graph_time_nodes(b.g, 1);
    GN_TRY(time_steps(&b, o, a, &t));
    GN_TRY(ceiling(&b, o, a, &c));
    GN_TAKE(node, a, NODES);
    int n = gn_graph_costs(b.g, node, NODES);
    fprintf(to, "%-48s %-10s %9s %9s %9s %9s %9s %6s\n", "node", "op", "forward", "backward", "GFLOP", "MB", "floor", "floor");
    fprintf(to, "%-48s %-10s %9s %9s %9s %9s %9s %6s\n", "", "", "ms", "ms", "", "", "ms", "%");
    for (int i = 0; i < n; i++) row(to, &node[i], floor_seconds(&node[i], 1, c));
    rows_by_op(to, node, n, c);
    return GN_OK;
}
