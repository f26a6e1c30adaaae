/* gpu.c - what a graph has on a GPU besides its slabs: statistics, rows, seeds, bf16 weights, and the host's copies. */
#include "inside.h"
#include <string.h>

static gn_status take(gn_graph *g, size_t bytes, void *to) {
    void *p;
    GN_TRY(gn_device_reserve(g->device, bytes, &p));
    memcpy(to, &p, sizeof p);
    return GN_OK;
}

static gn_status pinned(gn_graph *g, size_t bytes, void *to) {
    void *p;
    GN_TRY(gn_device_pinned(g->device, bytes, &p));
    memcpy(to, &p, sizeof p);
    return GN_OK;
}

/* Before calls are bound: sizes follow from shapes. Statistics of node i lie at its sums_at, in gn_real. */
gn_status gn_graph_gpu_plan(gn_graph *g) {
    int64_t stats = 0, rows = 0, channels = 0;
    for (int i = 1; i < g->n; i++) {
        node *d = &g->node[i];
        const gn_tensor in = { .shape = d->n_in ? g->node[d->in[0]].s.out : d->s.out };
        const int64_t c = d->s.norm_channels, mine = c ? gn_rows(&in) * 2 * c : 0;
        if (!c) continue;
        d->sums_at = stats;
        stats += (2 * c + 15) / 16 * 16;
        if (mine > rows) rows = mine;
        if (c > channels) channels = c;
    }
    const size_t each = 2 * sizeof(float) * (size_t)channels;
    GN_TRY(take(g, sizeof *g->stats * (size_t)stats, &g->stats));
    GN_TRY(take(g, sizeof *g->rows * (size_t)rows, &g->rows));
    GN_TRY(take(g, each * (size_t)g->plan.shards, &g->row_totals));
    GN_TRY(take(g, each, &g->row_total));
    if (g->plan.comm) GN_TRY(take(g, each * (size_t)g->plan.ranks, &g->ranks_totals));
    if (g->plan.comm && g->plan.ordered && g->plan.backward)
        GN_TRY(take(g, sizeof(gn_real) * BUCKET * (size_t)g->plan.ranks, &g->ranks_gradients));
    GN_TRY(take(g, sizeof *g->seeds * (size_t)g->n, &g->seeds));
    GN_TRY(pinned(g, sizeof *g->seeds * (size_t)g->n, &g->seeds_host));
    if (g->plan.type == GN_TYPE_BF16) GN_TRY(take(g, sizeof *g->narrow * (size_t)g->elements, &g->narrow));
    return GN_OK;
}

/* What the calls of node i read besides their tensors. */
static void bind(gn_graph *g, int i) {
    const node *d = &g->node[i];
    for (int s = 0; s < g->plan.shards; s++) {
        gn_call *c = call_of(g, i, s);
        c->stream = gn_device_stream(g->device);
        c->seed_at = g->seeds + i;
        c->shadow = g->narrow && d->s.n_param ? g->narrow + g->param[d->param].at : NULL;
        if (d->n_normaliser) {
            const node *by = &g->node[d->normaliser[0]];
            c->centre = g->weights + g->param[by->param + by->s.n_param - 2].at;
        }
    }
}

gn_status gn_graph_gpu_bind(gn_graph *g) {
    GN_TRY(pinned(g, g->size.weights, &g->weights_host));
    for (int i = 1; i < g->n; i++) {
        node *d = &g->node[i];
        bind(g, i);
        d->range.name = d->name;
        if (d->n_in && !d->output) continue;
        GN_TRY(pinned(g, gn_tensor_bytes(call_of(g, i, 0)->out) * (size_t)g->plan.shards, &d->mirror));
    }
    return gn_device_wait(g->device);
}

gn_status gn_graph_send_open(gn_graph *g) {
    for (int i = 1; i < g->n; i++)
        if (!g->node[i].n_in) GN_TRY(take(g, gn_tensor_bytes(call_of(g, i, 0)->out) * (size_t)g->plan.shards, &g->node[i].sent));
    return GN_OK;
}

/* --- weights: the host's copy and the device's --- */

gn_status gn_graph_push(gn_graph *g) {
    if (!g->device) return GN_OK;
    GN_TRY(gn_device_use(g->device));
    GN_TRY(gn_device_upload(g->device, g->weights, g->weights_host, g->size.weights));
    if (g->narrow) GN_TRY(gn_narrow_cuda(g->weights, g->elements, g->narrow, gn_device_stream(g->device)));
    g->running = 0;
    return gn_device_wait(g->device);
}

gn_status gn_graph_pull(gn_graph *g) {
    if (!g->device) return GN_OK;
    GN_TRY(gn_device_download(g->device, g->weights_host, g->weights, g->size.weights));
    return gn_device_wait(g->device);
}

gn_graph_gpu gn_graph_on_gpu(const gn_graph *g) { return (gn_graph_gpu){ g->device, g->weights, g->gradients, g->narrow }; }
void gn_graph_seed(gn_graph *g, uint64_t seed) {
    if (!g->device) return;
    g->running = 0; /* the pass that is to be replayed moves the statistics */
    gn_stream_seed(g, seed);
}
gn_status gn_graph_hear(gn_graph *g) { return g->device ? gn_stream_hear(g) : GN_OK; }
