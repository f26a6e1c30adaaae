/* run.c - a pass over the network by the workers of a pool.
 *
 * Shard s belongs to worker s % workers. Workers go node by node, meet where a total over the batch is
 * needed, and each sums the shards' parts for itself, in one tree: no result depends on who computed it.
 * The sums of a tensor that will be normalised are taken by the normalising op's phase 0 as soon as the
 * tensor is written, while it is still in cache. */
#include "formula/norm.h"
#include "gnomon/hash.h"
#include "inside.h"
#include <assert.h>
#include <string.h>

enum { CHUNK = 1024 };

/* out = list[0] + ... + list[n-1], as a tree that halves at the largest power of two: ((0+1)+(2+3))+(4+5) */
#define TREE(name, type)                                                                           \
    static void name(const type *list, int64_t step, int n, int64_t count, type *out) {            \
        if (n == 1) {                                                                              \
            memcpy(out, list, (size_t)count * sizeof *out);                                        \
            return;                                                                                \
        }                                                                                          \
        int left = 1;                                                                              \
        while (2 * left < n) left *= 2;                                                            \
        type right[CHUNK];                                                                         \
        name(list, step, left, count, out);                                                        \
        name(list + left * step, step, n - left, count, right);                                    \
        for (int64_t i = 0; i < count; i++) out[i] += right[i];                                    \
    }
TREE(sum_double, double)
TREE(sum_real, gn_real)

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

static int64_t sums_of(const gn_graph *g, int i) { return 2 * gn_tensor_lanes(call_of(g, i, 0)->in); }

/* The total that a shard of node i normalises by. */
static const double *total_of(const gn_graph *g, int i, int shard, int worker) {
    int64_t n = sums_of(g, i);
    const double *parts = g->sums + g->node[i].sums_at;
    if (g->plan.norm_shard) return parts + shard * n;
    return g->total + worker * g->total_each;
}

static void total_sum(gn_graph *g, int i, int worker) {
    int64_t n = sums_of(g, i);
    if (g->plan.norm_shard) return;
    for (int64_t k = 0; k < n; k += CHUNK)
        sum_double(g->sums + g->node[i].sums_at + k, n, g->plan.shards, least(CHUNK, n - k),
                   g->total + worker * g->total_each + k);
}

/* Everybody comes, whether it failed or not; whoever failed keeps its own reason. */
static gn_status meet(const gn_graph *g, gn_status so_far) {
    gn_status all = g->plan.pool ? gn_pool_meet(g->plan.pool, so_far) : so_far;
    return so_far ? so_far : all;
}

/* --- poison: what is read before it is written shows as NaN --- */

static void poison(const gn_tensor *t) {
    if (t->data) memset(t->data, 0xff, gn_tensor_bytes(t));
}

static void poison_forward(const gn_call *c) {
    poison(c->out);
    for (int k = 0; k < SAVED && c->saved[k].shape.n; k++) poison(&c->saved[k]);
}

static void poison_backward(const gn_call *c) {
    for (int k = 0; k < c->n_in; k++)
        if (c->first >> k & 1 && c->d_in[k].data != c->d_out->data) poison(&c->d_in[k]);
}

/* --- forward --- */

/* `desk` is whose scratch is used: the worker's own, which stays in its cache, unless it must last
 * through a meeting while the worker's other shards go by. */
static gn_status call(const gn_graph *g, gn_run_fn *run, int i, int shard, int worker, int desk, int phase) {
    gn_call c = *call_of(g, i, shard);
    c.scratch = g->scratch + (size_t)desk * g->scratch_each;
    c.mode = g->mode;
    c.phase = phase;
    c.seed = gn_hash_more(g->seed, &i, sizeof i);
    if (phase && g->mode == GN_TRAIN) c.total = total_of(g, i, shard, worker);
    GN_TRY_AS(run(&c), "%s", g->node[i].name);
    return GN_OK;
}

static gn_status forward_shard(const gn_graph *g, int i, int shard, int worker) {
    const node *d = &g->node[i];
    gn_backend on = g->plan.backend;
    if (d->op->forward[on]) {
        if (g->poison) poison_forward(call_of(g, i, shard));
        GN_TRY(call(g, d->op->forward[on], i, shard, worker, worker, d->s.norm_channels != 0));
    }
    for (int k = 0; g->mode == GN_TRAIN && k < d->n_normaliser; k++) {
        int by = d->normaliser[k];
        GN_TRY(call(g, g->node[by].op->forward[on], by, shard, worker, worker, 0));
    }
    return GN_OK;
}

static gn_status prepare(gn_graph *g, int worker, int workers) {
    gn_status status = GN_OK;
    int busy = (int)least(workers, g->plan.shards); /* as many as have a scratch */
    for (int i = 1 + worker; worker < busy && i < g->n && !status; i += busy) {
        gn_run_fn *run = g->node[i].op->prepare[g->plan.backend];
        if (run) status = call(g, run, i, 0, worker, worker, 0);
    }
    return meet(g, status);
}

/* Running mean and variance after a step: of the batch, or the mean over the shards of each one's own. */
static void move_statistics(gn_graph *g, int i, int worker) {
    const gn_call *c = call_of(g, i, 0);
    int64_t lanes = gn_tensor_lanes(c->in), count = c->count;
    int sets = g->plan.norm_shard ? g->plan.shards : 1;
    int first = g->node[i].s.n_param - 2;
    gn_real *mean = c->param[first].data, *variance = c->param[first + 1].data;
    total_sum(g, i, worker);
    for (int64_t k = 0; k < c->in->shape.d[1]; k++) {
        double m = 0, v = 0;
        for (int s = 0; s < sets; s++) {
            const double *total = total_of(g, i, s, worker);
            double mu = total[k] / (double)count, square = total[lanes + k] / (double)count - mu * mu;
            m += mu / sets;
            v += fmax(square, 0) * (double)count / (count > 1 ? (double)(count - 1) : 1) / sets;
        }
        mean[k] = (gn_real)((1 - GN_NORM_MOMENTUM) * (double)mean[k] + GN_NORM_MOMENTUM * m);
        variance[k] = (gn_real)((1 - GN_NORM_MOMENTUM) * (double)variance[k] + GN_NORM_MOMENTUM * v);
    }
}

static gn_status forward(void *what, int worker, int workers) {
    gn_graph *g = what;
    int train = g->mode == GN_TRAIN, timed = g->timed && worker == 0;
    if (g->prepares) GN_TRY(prepare(g, worker, workers));

    gn_status status = GN_OK;
    for (int i = 1; i < g->n; i++) {
        node *d = &g->node[i];
        double start = timed ? gn_seconds() : 0;
        if (train && d->meets && (status = meet(g, status))) return status;
        if (train && d->s.norm_channels) total_sum(g, i, worker);
        for (int s = worker; s < g->plan.shards && !status; s += workers) status = forward_shard(g, i, s, worker);
        if (timed) d->seconds[0] = gn_seconds() - start;
    }
    for (int k = 0; k < g->n_output; k++)
        for (int s = worker; s < g->plan.shards; s += workers) {
            const gn_tensor *slope = slope_of(g, g->output[k].node, s);
            if (slope->data) memset(slope->data, 0, gn_tensor_bytes(slope));
        }
    if (!train) return status;
    GN_TRY(meet(g, status));
    for (int i = 1 + worker; i < g->n; i += workers)
        if (g->node[i].s.norm_channels) move_statistics(g, i, worker);
    return GN_OK;
}

/* --- backward --- */

static int together(const gn_graph *g, const node *d) { return d->s.norm_channels && !g->plan.norm_shard; }

static gn_status backward_shards(const gn_graph *g, int i, int phase, int worker, int workers) {
    const node *d = &g->node[i];
    gn_run_fn *run = d->op->backward[g->plan.backend];
    for (int s = worker; s < g->plan.shards; s += workers) {
        if (g->poison && !phase) poison_backward(call_of(g, i, s));
        int desk = together(g, d) ? s : worker;
        GN_TRY(call(g, run, i, s, worker, desk, phase));
        if (d->s.norm_channels && !together(g, d)) GN_TRY(call(g, run, i, s, worker, desk, 1));
    }
    return GN_OK;
}

/* The shards' gradients into the first slab; workers share the elements out, chunk by chunk. */
static void sum_gradients(gn_graph *g, int worker, int workers) {
    if (g->plan.shards == 1) return;
    for (int64_t at = (int64_t)worker * CHUNK; at < g->trained; at += (int64_t)workers * CHUNK) {
        gn_real sum[CHUNK];
        int64_t n = least(CHUNK, g->trained - at);
        sum_real(g->gradients + at, g->trained, g->plan.shards, n, sum);
        memcpy(g->gradients + at, sum, (size_t)n * sizeof *sum);
    }
}

static gn_status backward(void *what, int worker, int workers) {
    gn_graph *g = what;
    int timed = g->timed && worker == 0;
    gn_status status = GN_OK;
    for (int i = g->n - 1; i; i--) {
        node *d = &g->node[i];
        if (!d->wants || !d->op->backward[g->plan.backend]) continue;
        double start = timed ? gn_seconds() : 0;
        if (!status) status = backward_shards(g, i, 0, worker, workers);
        if (together(g, d)) { /* the others wait there, failed or not */
            GN_TRY(meet(g, status));
            total_sum(g, i, worker);
            status = backward_shards(g, i, 1, worker, workers);
        }
        if (timed) d->seconds[1] = gn_seconds() - start;
    }
    GN_TRY(meet(g, status));
    sum_gradients(g, worker, workers);
    return GN_OK;
}

static gn_status run(gn_graph *g, gn_work *work) {
    return g->plan.pool ? gn_pool_run(g->plan.pool, work, g) : work(g, 0, 1);
}

gn_status gn_graph_forward(gn_graph *g, gn_mode mode, uint64_t seed) {
    assert(g->planned);
    g->mode = mode;
    g->seed = seed;
    if (!g->device) return run(g, forward);
    gn_stream_seed(g, seed);
    return gn_stream_forward(g);
}

gn_status gn_graph_backward(gn_graph *g) {
    assert(g->planned && g->plan.backward && g->mode == GN_TRAIN);
    return g->device ? gn_stream_backward(g) : run(g, backward);
}

/* --- what the outside sees of a shard --- */

static gn_tensor at_host(const gn_graph *g, int i, int shard) {
    gn_tensor t = *call_of(g, i, shard)->out;
    if (g->device) t.data = g->node[i].mirror + (size_t)shard * gn_tensor_bytes(&t);
    return t;
}

gn_tensor gn_graph_input(gn_graph *g, const char *name, int shard) {
    for (int i = 1; i < g->n; i++)
        if (!g->node[i].n_in && !strcmp(g->node[i].name, name)) return at_host(g, i, shard);
    return (gn_tensor){ 0 };
}

int gn_graph_has_input(const gn_graph *g, const char *name) {
    for (int i = 1; i < g->n; i++)
        if (!g->node[i].n_in && !strcmp(g->node[i].name, name)) return 1;
    return 0;
}

static gn_tensor shown(const gn_graph *g, int i, gn_tensor t) {
    const int wide = g->output[i].wide;
    if (t.shape.n == 2) t.shape = (gn_shape){ 3, { t.shape.d[0], t.shape.d[1] / wide, wide } };
    return t;
}

gn_shape gn_graph_output_shape(const gn_graph *g, int i) {
    return shown(g, i, (gn_tensor){ .shape = g->node[g->output[i].node].s.out }).shape;
}
gn_tensor gn_graph_output(gn_graph *g, int i, int shard) { return shown(g, i, at_host(g, g->output[i].node, shard)); }
gn_tensor gn_graph_output_on_gpu(gn_graph *g, int i, int shard) { return shown(g, i, *call_of(g, g->output[i].node, shard)->out); }
gn_tensor gn_graph_slope(gn_graph *g, int i, int shard) { return shown(g, i, *slope_of(g, g->output[i].node, shard)); }

/* --- costs --- */

void gn_graph_time_nodes(gn_graph *g, int yes) { g->timed = yes; }

/* Shards whose work and time are told: worker 0's, or all of a GPU. */
static int shards_told(const gn_graph *g) {
    const int workers = g->device || !g->plan.pool ? 1 : gn_pool_workers(g->plan.pool);
    return (g->plan.shards + workers - 1) / workers;
}

gn_status gn_graph_costs(gn_graph *g, gn_node_cost *list, int most, int *n) {
    const int shards = shards_told(g);
    if (g->device && g->timed) GN_TRY(gn_stream_times(g));
    *n = 0;
    for (int i = 1; i < g->n && *n < most; i++, ++*n) {
        const node *d = &g->node[i];
        const gn_call *c = call_of(g, i, 0);
        double inputs = 0, kept = 0, products = 1, params = 0, read = 0;
        for (int k = 0; k < c->n_in; k++) {
            double size = (double)gn_tensor_bytes(&c->in[k]);
            inputs += size;
            if (!(d->op->forgets >> k & 1)) kept += size;
        }
        for (int k = 0; k < d->s.n_param; k++) {
            const gn_param *p = &g->param[d->param + k];
            params += (double)p->count * (double)sizeof(gn_real);
            read += (double)p->count * (double)(g->narrow && p->role == GN_WEIGHT ? sizeof *g->narrow : sizeof(gn_real));
        }
        const double values = inputs + (double)gn_tensor_bytes(c->out);
        double bytes = c->n_in ? values + read : 0; /* inputs come from outside */
        if (d->wants && g->plan.backward) { /* slopes in place of values, and what it reads again */
            bytes += values + params + kept;
            products += (c->n_in && c->d_in[0].data) + (d->s.n_param && c->d_param[0].data);
        }
        list[*n] = (gn_node_cost){ .name = d->name, .op = d->op->name, .flop = products * d->flop * shards, .bytes = bytes * shards,
                                   .forward_s = d->seconds[0], .backward_s = d->seconds[1] };
    }
    return GN_OK;
}
