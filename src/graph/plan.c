/* plan.c - shapes for the batch, who writes a gradient first, how long each buffer lives, where it lies.
 *
 * A residual sum hands its gradient on unchanged, so where it is the first to write its operand's
 * gradient, the two share memory: a chain of residual units has one gradient buffer, never copied. */
#include "inside.h"
#include <stdlib.h>
#include <string.h>

/* --- shapes, types, layouts --- */

static gn_status check(const gn_graph *g, const gn_plan *p) {
    if (p->batch < 1 || p->shards < 1 || p->batch % p->shards)
        GN_FAIL(BAD_CONFIG, "a batch of %d cannot be cut into %d equal shards", p->batch, p->shards);
    if (p->type != GN_TYPE_REAL && p->type != GN_TYPE_BF16) GN_FAIL(BAD_CONFIG, "activations are stored as float or bf16");
    if (p->backend == GN_CUDA && p->norm_shard && (p->shards > 1 || p->comm))
        GN_FAIL(BAD_CONFIG, "norm: shard on a GPU: expected one GPU and one shard, got %d of %d", p->comm ? p->ranks : 1, p->shards);
    for (int i = 1; i < g->n; i++)
        if (!g->node[i].op->forward[p->backend] && g->node[i].n_in)
            GN_FAIL(NO_DEVICE, "%s: op %s is not there on this backend", g->node[i].name, g->node[i].op->name);
    return GN_OK;
}

static gn_status shape_nodes(gn_graph *g) {
    int block = g->plan.backend == GN_CUDA ? 0 : g->plan.block ? g->plan.block : gn_block_fastest(g->plan.impl);
    for (int i = 1; i < g->n; i++) {
        node *d = &g->node[i];
        gn_shape in[GN_OP_IN];
        for (int k = 0; k < d->n_in; k++) in[k] = g->node[d->in[k]].s.out;
        d->s = (gn_op_shape){ 0 };
        GN_TRY_AS(d->op->shape(d->attr, d->n_in, in, &d->s), "%s", d->name);
        if (!d->n_in) d->s.out.d[0] = g->plan.batch / g->plan.shards;
        int map = d->s.out.n == 4;
        d->type = !map || d->real ? GN_TYPE_REAL : d->s.n_param ? g->plan.type : g->node[d->in[0]].type;
        d->block = !map ? 0 : block && d->n_in ? block : (int)d->s.out.d[1];
        d->output = 0;
        double weights = d->s.n_param && d->s.param[0].n > 1 ? (double)gn_shape_count(&d->s.param[0]) : 0;
        d->flop = 2 * weights * (double)places_of(&d->s.out);
    }
    for (int k = 0; k < g->n_output; k++) g->node[g->output[k].node].output = 1;
    return GN_OK;
}

/* --- who normalises what, and where workers meet --- */

static gn_status plan_norms(gn_graph *g) {
    int64_t at = 0;
    int last = 0; /* the last node before which they meet */
    g->total_each = 0;
    for (int i = 1; i < g->n; i++) g->node[i].n_normaliser = 0;
    for (int i = 1; i < g->n; i++) {
        node *d = &g->node[i];
        d->meets = 0;
        if (!d->s.norm_channels) continue;
        node *from = &g->node[d->in[0]];
        if (from->n_normaliser == 2) GN_FAIL(INTERNAL, "%s: %s is normalised by more than two", d->name, from->name);
        from->normaliser[from->n_normaliser++] = i;
        d->meets = !g->plan.norm_shard && last <= d->in[0];
        if (d->meets) last = i;
        int64_t lanes = gn_tensor_lanes(&(gn_tensor){ .block = from->block, .shape = from->s.out });
        if (2 * lanes > g->total_each) g->total_each = 2 * lanes;
        d->sums_at = at;
        at += 2 * lanes * g->plan.shards;
    }
    GN_TAKE(g->sums, g->arena, at);
    GN_TAKE(g->total, g->arena, g->total_each * (g->plan.pool ? gn_pool_workers(g->plan.pool) : 1));
    return GN_OK;
}

/* --- gradients: wanted where something below learns and something above pulls --- */

static void plan_gradients(gn_graph *g) {
    for (int i = 1; i < g->n; i++) {
        node *d = &g->node[i];
        d->wants = 0;
        for (int k = 0; g->plan.backward && k < d->s.n_param; k++) d->wants |= g->param[d->param + k].trained;
        for (int k = 0; k < d->n_in; k++) d->wants |= g->node[d->in[k]].wants;
        d->first = 0;
        d->written = d->output;
    }
    for (int i = g->n - 1; i; i--) {
        node *d = &g->node[i];
        d->wants &= d->written; /* what no output depends on is never pulled */
        for (int k = 0; d->wants && k < d->n_in; k++) {
            node *from = &g->node[d->in[k]];
            if (!from->written) d->first |= 1u << k;
            from->written = 1;
        }
    }
}

/* --- buffers --- */

typedef struct { int out, saved[SAVED], slope; } places; /* buffers of a node; -1: none */
typedef struct { places *of; buffer *list; int n; } buffers;

static int buffer_add(buffers *b, size_t bytes, int from, int to) {
    b->list[b->n] = (buffer){ .bytes = bytes, .from = from, .to = to };
    return b->n++;
}

static gn_tensor out_tensor(const node *d) { return (gn_tensor){ d->type, d->block, d->s.out, NULL }; }
static gn_tensor saved_tensor(const node *d, int k) {
    return (gn_tensor){ d->s.saved_type[k], d->s.saved[k].n == 4 ? d->block : 0, d->s.saved[k], NULL };
}

static void live_until(buffer *b, int time) {
    if (b->to < time) b->to = time;
}

static void plan_values(gn_graph *g, buffers *b) {
    int end = 2 * g->n;
    for (int i = 1; i < g->n; i++) {
        const node *d = &g->node[i];
        gn_tensor out = out_tensor(d);
        int outside = d->output || !d->n_in; /* written or read between steps */
        b->of[i].out = buffer_add(b, gn_tensor_bytes(&out), d->n_in ? i : 0, outside ? end : i);
        for (int k = 0; k < SAVED && d->s.saved[k].n; k++) {
            gn_tensor saved = saved_tensor(d, k);
            b->of[i].saved[k] = buffer_add(b, gn_tensor_bytes(&saved), i, d->wants ? end - i : i);
        }
        for (int k = 0; k < d->n_in; k++)
            live_until(&b->list[b->of[d->in[k]].out], d->wants && !(d->op->forgets >> k & 1) ? end - i : i);
    }
}

static int may_share(const node *d, int k, const node *from) {
    gn_tensor a = out_tensor(d), b = out_tensor(from);
    return d->op->passes >> k & 1 && a.type == b.type && a.block == b.block && gn_shape_same(&a.shape, &b.shape);
}

static void plan_slopes(gn_graph *g, buffers *b) {
    int end = 2 * g->n;
    for (int i = g->n - 1; i; i--) {
        const node *d = &g->node[i];
        if (!d->wants) continue;
        gn_tensor out = out_tensor(d);
        if (d->output) b->of[i].slope = buffer_add(b, gn_tensor_bytes(&out), g->n, end);
        live_until(&b->list[b->of[i].slope], end - i);
        int shared = 0;
        for (int k = 0; k < d->n_in; k++) {
            const node *from = &g->node[d->in[k]];
            places *p = &b->of[d->in[k]];
            if (!from->wants || !(d->first >> k & 1)) continue;
            gn_tensor in = out_tensor(from);
            if (!shared && may_share(d, k, from)) p->slope = b->of[i].slope, shared = 1;
            else p->slope = buffer_add(b, gn_tensor_bytes(&in), end - i, end - i);
        }
    }
}

/* --- calls --- */

static void *at(const gn_graph *g, const buffers *b, int which, int shard) {
    return which < 0 ? NULL : g->activations + (size_t)shard * g->slab + b->list[which].at;
}

static void bind_params(const gn_graph *g, const node *d, int shard, gn_tensor *param, gn_tensor *d_param) {
    for (int k = 0; k < d->s.n_param; k++) {
        const gn_param *p = &g->param[d->param + k];
        param[k] = (gn_tensor){ GN_TYPE_REAL, 0, p->shape, g->weights + p->at };
        d_param[k] = param[k];
        d_param[k].data = p->trained && d->wants ? g->gradients + shard * g->trained + p->at : NULL;
    }
}

static gn_status bind(gn_graph *g, const buffers *b, int i, int shard) {
    const node *d = &g->node[i];
    gn_tensor *t; /* in, d_in, out, saved, param, d_param */
    GN_TAKE(t, g->arena, 2 * d->n_in + 1 + SAVED + 2 * d->s.n_param);
    gn_tensor *in = t, *d_in = in + d->n_in, *out = d_in + d->n_in, *saved = out + 1, *param = saved + SAVED,
              *d_param = param + d->s.n_param;
    for (int k = 0; k < d->n_in; k++) {
        in[k] = *call_of(g, d->in[k], shard)->out;
        d_in[k] = *slope_of(g, d->in[k], shard);
        if (!d->wants) d_in[k].data = NULL;
    }
    *out = out_tensor(d);
    out->data = at(g, b, b->of[i].out, shard);
    *slope_of(g, i, shard) = *out;
    slope_of(g, i, shard)->data = d->wants ? at(g, b, b->of[i].slope, shard) : NULL;
    for (int k = 0; k < SAVED && d->s.saved[k].n; k++) {
        saved[k] = saved_tensor(d, k);
        saved[k].data = at(g, b, b->of[i].saved[k], shard);
    }
    if (g->device && d->s.norm_channels) saved[0].data = g->stats + d->sums_at; /* of the batch: the shards' own is one shard's */
    bind_params(g, d, shard, param, d_param);
    int64_t seen = d->n_in ? places_of(&in->shape) : 0;
    double *sums = g->device ? NULL : g->sums + d->sums_at + (d->s.norm_channels ? shard * 2 * gn_tensor_lanes(in) : 0);
    *call_of(g, i, shard) = (gn_call){
        .attr = d->attr, .n_in = d->n_in, .in = in, .param = param, .out = out, .saved = saved,
        .d_out = slope_of(g, i, shard), .d_in = d_in, .d_param = d_param, .first = d->first, .sums = sums,
        .count = g->plan.norm_shard ? seen : seen * g->plan.shards * ranks_of(g),
        .first_sample = g->plan.rank * g->plan.shards + shard, .sample_stride = (int64_t)g->plan.shards * ranks_of(g),
    };
    return GN_OK;
}

static gn_status plan_ops(gn_graph *g) {
    size_t shadow = 0;
    int shards = g->measuring ? 1 : g->plan.shards; /* they are alike */
    g->scratch_each = 0;
    g->prepares = 0;
    for (int i = 1; i < g->n; i++) {
        node *d = &g->node[i];
        d->shadow_at = shadow;
        if (d->op->prepare[g->plan.backend]) g->prepares = 1;
        if (!d->op->plan[g->plan.backend]) continue;
        size_t scratch = 0, bytes = 0;
        for (int s = 0; s < shards; s++) {
            gn_call *c = call_of(g, i, s);
            GN_TRY_AS(d->op->plan[g->plan.backend](c, g->arena, g->plan.impl, &c->state, &scratch, &bytes), "%s", d->name);
        }
        if (scratch > g->scratch_each) g->scratch_each = (scratch + PAGE - 1) / PAGE * PAGE;
        shadow += (bytes + ALIGN - 1) / ALIGN * ALIGN;
    }
    g->size.scratch = g->scratch_each * (size_t)g->plan.shards + shadow;
    return GN_OK;
}

/* When only sizes are asked for, a slab is any address: nothing is read or written. */
static gn_status reserve(gn_graph *g, size_t bytes, void *slab) {
    void *p = g;
    if (!g->measuring) GN_TRY(g->device ? gn_device_reserve(g->device, bytes, &p) : gn_slab_reserve(g->arena, bytes, &p));
    memcpy(slab, &p, sizeof p);
    return GN_OK;
}

static gn_status plan_memory(gn_graph *g) {
    int shards = g->plan.shards;
    buffers b = { 0 };
    GN_TAKE(b.of, g->arena, g->n);
    GN_TAKE(b.list, g->arena, g->n * (2 + SAVED));
    for (int i = 0; i < g->n; i++) b.of[i] = (places){ -1, { -1, -1 }, -1 };
    plan_values(g, &b);
    plan_slopes(g, &b);
    GN_TRY(gn_buffers_place(g->arena, b.list, b.n, &g->slab));
    g->slab = (g->slab + PAGE - 1) / PAGE * PAGE;

    gn_graph_size *size = &g->size;
    size->weights = (size_t)g->elements * sizeof(gn_real);
    size->gradients = g->plan.backward ? (size_t)(g->trained * shards) * sizeof(gn_real) : 0;
    size->activations = g->slab * (size_t)shards;
    GN_TRY(reserve(g, size->weights, &g->weights));
    GN_TRY(reserve(g, size->gradients, &g->gradients));
    GN_TRY(reserve(g, size->activations, &g->activations));

    GN_TAKE(g->call, g->arena, g->n * shards);
    GN_TAKE(g->slope, g->arena, g->n * shards);
    for (int i = 1; i < g->n; i++)
        for (int s = 0; s < shards; s++) GN_TRY(bind(g, &b, i, s));
    GN_TRY(plan_ops(g));
    GN_TRY(reserve(g, g->scratch_each * (size_t)shards, &g->scratch));
    GN_TRY(reserve(g, size->scratch - g->scratch_each * (size_t)shards, &g->shadow));
    for (int i = 1; i < g->n; i++)
        for (int s = 0; s < shards; s++) call_of(g, i, s)->shadow = g->shadow + g->node[i].shadow_at;
    g->weights_host = g->weights;
    return g->device ? gn_graph_gpu_bind(g) : GN_OK;
}

static void count_flop(gn_graph *g) {
    double samples = g->plan.batch / g->plan.shards;
    g->size.nodes = g->n - 1;
    g->size.flop_forward = g->size.flop_backward = 0;
    for (int i = 1; i < g->n; i++) {
        const node *d = &g->node[i];
        g->size.flop_forward += d->flop / samples;
        if (!d->wants) continue;
        const gn_call *c = call_of(g, i, 0);
        int products = (c->d_in[0].data != NULL) + (c->d_param && d->s.n_param && c->d_param[0].data);
        g->size.flop_backward += products * d->flop / samples;
    }
}

static gn_status plan(gn_graph *g, const gn_plan *p) {
    if (g->failed) {
        gn_trail_restore(&g->trail);
        return gn_pass(g->failed, __FILE__, __LINE__);
    }
    if (g->planned) GN_FAIL(INTERNAL, "the graph is planned already");
    GN_TRY(check(g, p));
    g->plan = *p;
    if (p->backend == GN_CUDA && !g->measuring) GN_TRY(gn_device_open(g->arena, p->device, &g->device));
    g->poison = getenv("GN_POISON") && strcmp(getenv("GN_POISON"), "0");
    GN_TRY(shape_nodes(g));
    GN_TRY(gn_params_plan(g));
    GN_TRY(plan_norms(g));
    plan_gradients(g);
    if (g->device) GN_TRY(gn_graph_gpu_plan(g));
    GN_TRY(plan_memory(g));
    count_flop(g);
    return GN_OK;
}

gn_status gn_graph_plan(gn_graph *g, const gn_plan *p) {
    GN_TRY(plan(g, p));
    g->planned = 1;
    return GN_OK;
}

gn_status gn_graph_measure(gn_graph *g, const gn_plan *p) {
    gn_arena *mine = g->arena, *passing = gn_arena_new("measure");
    if (!passing) GN_FAIL(NO_MEMORY, "out of memory: measure");
    g->arena = passing;
    g->measuring = 1;
    gn_status status = plan(g, p);
    g->measuring = 0;
    g->arena = mine;
    gn_arena_free(passing);
    return status;
}

gn_graph_size gn_graph_sizes(const gn_graph *g) { return g->size; }
