/* stream.c - a pass over the network by a GPU: run.c's order, queued on one stream.
 *
 * Nothing here waits but an evaluation, whose outputs are wanted at once. Sums for batch norm go from rows, left
 * where a tensor is written, to statistics without the host (op.h). What a pass is told from step to step, pictures
 * and seeds, lies in pinned memory and is copied as part of the pass, so that a captured pass can be replayed. */
#include "gnomon/hash.h"
#include "inside.h"
#include <assert.h>

static int shards_of(const gn_graph *g) { return g->plan.shards; }
static void *stream(const gn_graph *g) { return gn_device_stream(g->device); }
static int64_t channels_of(const gn_graph *g, int i) { return call_of(g, i, 0)->in->shape.d[1]; }

static gn_status call(const gn_graph *g, gn_run_fn *run, int i, int shard, int phase, float *rows) {
    gn_call c = *call_of(g, i, shard);
    c.scratch = g->scratch + (size_t)shard * g->scratch_each;
    c.mode = g->mode;
    c.phase = phase;
    c.rows = rows;
    if (phase && g->node[i].s.norm_channels)
        c.row_total = g->plan.norm_shard ? g->row_totals + shard * 2 * channels_of(g, i) : g->row_total;
    GN_TRY_AS(run(&c), "%s", g->node[i].name);
    return GN_OK;
}

static gn_status poison(const gn_graph *g, const gn_tensor *t) {
    return g->poison && t->data ? gn_device_fill(g->device, t->data, 0xff, gn_tensor_bytes(t)) : GN_OK;
}

static int mark_of(int i, int pass, int end) { return GN_GRAPH_MARKS + (i * 2 + pass) * 2 + end; }
static gn_status mark(const gn_graph *g, int i, int pass, int end) {
    return g->timed ? gn_device_mark(g->device, mark_of(i, pass, end)) : GN_OK;
}

/* --- statistics --- */

/* Where a tensor's sums lead: the statistics of each op that normalises it. */
static gn_finish finish_of(const gn_graph *g, int i) {
    const node *d = &g->node[i];
    gn_finish f = { .channels = (int)d->s.out.d[1], .count = call_of(g, d->normaliser[0], 0)->count };
    for (int k = 0; k < d->n_normaliser; k++) {
        const gn_call *by = call_of(g, d->normaliser[k], 0);
        const int last = g->node[d->normaliser[k]].s.n_param;
        f.stat[k] = by->saved[0].data;
        f.mean[k] = by->param[last - 2].data;
        f.variance[k] = by->param[last - 1].data;
    }
    f.centre = f.mean[0];
    return f;
}

static gn_status rows_of_out(const gn_graph *g, int i, int shard) {
    gn_call c = *call_of(g, i, shard);
    c.rows = g->rows;
    GN_TRY_AS(gn_rows_cuda(&c), "%s", g->node[i].name);
    return GN_OK;
}

/* The shards' totals, of this GPU and of all, to one; then as `f` says. */
static gn_status totals(const gn_graph *g, const gn_finish *f) {
    if (!g->plan.comm) return gn_totals_cuda(g->row_totals, shards_of(g), f, stream(g));
    const int64_t each = 2 * f->channels;
    const gn_finish mine = { .channels = f->channels, .total = g->ranks_totals + g->plan.rank * each };
    GN_TRY(gn_totals_cuda(g->row_totals, shards_of(g), &mine, stream(g)));
    GN_TRY(gn_comm_gather(g->plan.comm, g->plan.rank, 0, g->ranks_totals, each, stream(g)));
    return gn_totals_cuda(g->ranks_totals, g->plan.ranks, f, stream(g));
}

static int many(const gn_graph *g) { return shards_of(g) > 1 || g->plan.comm; }

static gn_status forward_node(const gn_graph *g, int i) {
    const node *d = &g->node[i];
    gn_run_fn *run = d->op->forward[GN_CUDA];
    const int sums = g->mode == GN_TRAIN && d->n_normaliser;
    gn_finish f = { 0 };
    if (sums) f = finish_of(g, i);
    for (int s = 0; s < shards_of(g); s++) {
        if (run) GN_TRY(poison(g, call_of(g, i, s)->out));
        if (run) GN_TRY(call(g, run, i, s, d->s.norm_channels != 0, sums && d->op->leaves_rows ? g->rows : NULL));
        if (!sums) continue;
        if (!run || !d->op->leaves_rows) GN_TRY(rows_of_out(g, i, s));
        gn_finish part = { .channels = f.channels, .total = g->row_totals + s * 2 * f.channels };
        if (!many(g)) part = f;
        part.rows = g->rows;
        part.n = gn_rows(call_of(g, i, s)->out);
        GN_TRY_AS(gn_finish_cuda(&part, stream(g)), "%s", d->name);
    }
    if (sums && many(g)) GN_TRY_AS(totals(g, &f), "%s", d->name);
    return GN_OK;
}

/* Statistics of an evaluation: the running ones, which stay as they are until weights are pushed or learn. */
static gn_status evaluate_by(gn_graph *g) {
    for (int i = 1; i < g->n && !g->running; i++) {
        const gn_call *c = call_of(g, i, 0);
        const int last = g->node[i].s.n_param;
        if (!g->node[i].s.norm_channels) continue;
        GN_TRY_AS(gn_stat_cuda(c->param[last - 2].data, c->param[last - 1].data, (int)channels_of(g, i), c->saved[0].data, stream(g)),
                  "%s", g->node[i].name);
    }
    g->running = 1;
    return GN_OK;
}

/* --- what the host says, and hears --- */

void gn_stream_seed(gn_graph *g, uint64_t seed) {
    for (int i = 1; i < g->n; i++) g->seeds_host[i] = gn_hash_more(seed, &i, sizeof i);
}

static gn_status copy(gn_graph *g, int i, int up) {
    for (int s = 0; s < shards_of(g); s++) {
        const gn_tensor *t = call_of(g, i, s)->out;
        const size_t bytes = gn_tensor_bytes(t);
        void *host = g->node[i].mirror + (size_t)s * bytes;
        if (up) GN_TRY(gn_device_upload(g->device, t->data, host, bytes));
        else GN_TRY(gn_device_download(g->device, host, t->data, bytes));
    }
    return GN_OK;
}

/* Who waits for the pass waits for this, too: then the host's copies may be written anew. */
gn_status gn_graph_send(gn_graph *g) {
    for (int i = 1; i < g->n; i++)
        if (g->node[i].sent) GN_TRY(gn_device_upload_beside(g->device, g->node[i].sent, g->node[i].mirror, gn_tensor_bytes(call_of(g, i, 0)->out) * (size_t)shards_of(g)));
    return gn_device_join(g->device);
}

gn_status gn_graph_sent(gn_graph *g) {
    for (int i = 1; i < g->n; i++)
        for (int s = 0; g->node[i].sent && s < shards_of(g); s++) {
            const gn_tensor *t = call_of(g, i, s)->out;
            const size_t bytes = gn_tensor_bytes(t);
            GN_TRY(gn_device_copy(g->device, t->data, g->node[i].sent + (size_t)s * bytes, bytes));
        }
    return gn_device_fork(g->device); /* what is sent from now on must not come before this */
}

gn_status gn_stream_hear(gn_graph *g) {
    for (int i = 1; i < g->n; i++)
        if (g->node[i].output) GN_TRY(copy(g, i, 0));
    return gn_device_wait(g->device);
}

/* --- passes --- */

gn_status gn_stream_forward(gn_graph *g) {
    const int train = g->mode == GN_TRAIN;
    GN_TRY(gn_device_use(g->device));
    GN_TRY(gn_device_upload(g->device, g->seeds, g->seeds_host, sizeof *g->seeds * (size_t)g->n));
    if (!train) GN_TRY(evaluate_by(g));
    for (int i = 1; i < g->n; i++) {
        GN_TRY(mark(g, i, 0, 0));
        if (!g->node[i].n_in && !(train && g->node[i].sent)) GN_TRY(copy(g, i, 1));
        GN_TRY(GN_RANGE(&g->node[i].range, forward_node(g, i)));
        GN_TRY(mark(g, i, 0, 1));
    }
    if (!train) return gn_stream_hear(g);
    g->running = 0;
    for (int k = 0; k < g->n_output; k++)
        for (int s = 0; s < shards_of(g); s++) {
            const gn_tensor *slope = slope_of(g, g->output[k].node, s);
            if (slope->data) GN_TRY(gn_device_fill(g->device, slope->data, 0, gn_tensor_bytes(slope)));
        }
    return GN_OK;
}

static gn_status backward_node(const gn_graph *g, int i) {
    const node *d = &g->node[i];
    gn_run_fn *run = d->op->backward[GN_CUDA];
    const int norm = d->s.norm_channels != 0, last = d->s.n_param, together = many(g) && !g->plan.norm_shard;
    for (int s = 0; s < shards_of(g); s++) {
        const gn_call *c = call_of(g, i, s);
        for (int k = 0; k < c->n_in; k++)
            if (c->first >> k & 1 && c->d_in[k].data != c->d_out->data) GN_TRY(poison(g, &c->d_in[k]));
        GN_TRY(call(g, run, i, s, 0, norm ? g->rows : NULL));
        if (!norm) continue;
        const gn_finish f = { .rows = g->rows, .n = gn_rows(c->in), .channels = d->s.norm_channels,
                              .total = together || g->plan.norm_shard ? g->row_totals + s * 2 * d->s.norm_channels : g->row_total,
                              .first = c->d_param[last - 3].data, .second = c->d_param[last - 4].data };
        GN_TRY_AS(gn_finish_cuda(&f, stream(g)), "%s", d->name);
    }
    if (!norm) return GN_OK;
    const gn_finish f = { .channels = d->s.norm_channels, .total = g->row_total };
    if (together) GN_TRY_AS(totals(g, &f), "%s", d->name);
    for (int s = 0; s < shards_of(g); s++) GN_TRY(call(g, run, i, s, 1, NULL));
    return GN_OK;
}

/* --- gradients: of this GPU's shards, then of all GPUs, bucket by bucket beside the rest of backward --- */

static gn_range in_sum = { "sum", NULL };

static gn_status add_up(const gn_graph *g, int64_t from, int64_t to) {
    gn_real *mine = g->gradients + from;
    GN_TRY(gn_shards_sum_cuda(mine, g->trained, to - from, shards_of(g), mine, stream(g)));
    if (!g->plan.comm) return GN_OK;
    GN_TRY(gn_device_fork(g->device));
    void *side = gn_device_side(g->device);
    for (int64_t n; from < to; from += n) { /* one parameter may be larger than a bucket */
        n = to - from < BUCKET ? to - from : BUCKET;
        mine = g->gradients + from;
        if (!g->plan.ordered) {
            GN_TRY(gn_comm_sum(g->plan.comm, g->plan.rank, 1, mine, n, side));
            continue;
        }
        GN_TRY(gn_shards_sum_cuda(mine, n, n, 1, g->ranks_gradients + g->plan.rank * n, side));
        GN_TRY(gn_comm_gather(g->plan.comm, g->plan.rank, 1, g->ranks_gradients, n, side));
        GN_TRY(gn_shards_sum_cuda(g->ranks_gradients, n, n, g->plan.ranks, mine, side));
    }
    return GN_OK;
}

/* Where the gradients begin that nodes i and later have written: parameters lie in the order of the nodes. */
static int64_t written_from(const gn_graph *g, int i, int64_t so_far) {
    const node *d = &g->node[i];
    for (int k = 0; k < d->s.n_param; k++) {
        const gn_param *p = &g->param[d->param + k];
        if (p->trained && p->at < so_far) so_far = p->at;
    }
    return so_far;
}

gn_status gn_stream_backward(gn_graph *g) {
    int64_t to = g->trained, from = to;
    GN_TRY(gn_device_use(g->device));
    for (int i = g->n - 1; i; i--) {
        const node *d = &g->node[i];
        if (!d->wants || !d->op->backward[GN_CUDA]) continue;
        GN_TRY(mark(g, i, 1, 0));
        GN_TRY(GN_RANGE(&g->node[i].range, backward_node(g, i)));
        GN_TRY(mark(g, i, 1, 1));
        from = written_from(g, i, from);
        if (to - from < BUCKET) continue;
        GN_TRY(GN_RANGE(&in_sum, add_up(g, from, to)));
        to = from;
    }
    GN_TRY(GN_RANGE(&in_sum, add_up(g, 0, to)));
    return g->plan.comm ? gn_device_join(g->device) : GN_OK;
}

gn_status gn_stream_times(gn_graph *g) {
    for (int i = 1; i < g->n; i++) {
        node *d = &g->node[i];
        for (int pass = 0; pass < (d->wants && d->op->backward[GN_CUDA] ? 2 : 1); pass++)
            GN_TRY(gn_device_between(g->device, mark_of(i, pass, 0), mark_of(i, pass, 1), &d->seconds[pass]));
    }
    return GN_OK;
}
