/* params.c - parameters: their places in the slab, dense copies, initial values.
 *
 * Each begins at a multiple of 16 elements and is padded with zeros to one, so that loops over lanes
 * may read past its end. What learns comes first: an optimizer's pass is one range. */
#include "formula/random.h"
#include "gnomon/hash.h"
#include "inside.h"
#include <string.h>

enum { UNIT = 16 };

static int within(const char *name, const char *scope) {
    size_t n = strlen(scope);
    return !strncmp(name, scope, n) && (name[n] == '.' || name[n] == 0);
}

static gn_status freeze(gn_graph *g) {
    for (int i = 0; i < g->n_param; i++) g->param[i].trained = g->param[i].role < GN_MEAN;
    for (const char *const *scope = g->plan.frozen; scope && *scope; scope++) {
        int found = 0;
        for (int i = 0; i < g->n_param; i++)
            if (within(g->param[i].name, *scope)) found = 1, g->param[i].trained = 0;
        if (!found) GN_FAIL(BAD_CONFIG, "no parameter is in the scope '%s' that shall not learn", *scope);
    }
    return GN_OK;
}

static int64_t blocks_up(int64_t n, int block) { return (n + block - 1) / block; }

static int64_t room(const gn_param *p, blocks b) {
    const int64_t *d = p->shape.d;
    int64_t n = gn_shape_count(&p->shape);
    if (p->shape.n == 4) n = blocks_up(d[0], b.out) * b.out * blocks_up(d[1], b.in) * b.in * d[2] * d[3];
    return blocks_up(n, UNIT) * UNIT;
}

gn_status gn_params_plan(gn_graph *g) {
    GN_TRY(freeze(g));
    GN_TAKE(g->blocks, g->arena, g->n_param);
    for (int i = 1; i < g->n; i++)
        for (int k = 0; k < g->node[i].s.n_param; k++)
            g->blocks[g->node[i].param + k] = (blocks){ g->node[g->node[i].in[0]].block, g->node[i].block };
    int64_t at = 0;
    g->size.parameters = 0;
    for (int pass = 0; pass < 3; pass++) { /* learning, frozen, statistics */
        for (int i = 0; i < g->n_param; i++) {
            gn_param *p = &g->param[i];
            if ((p->trained ? 0 : p->role < GN_MEAN ? 1 : 2) != pass) continue;
            p->at = at;
            p->count = room(p, g->blocks[i]);
            at += p->count;
            if (pass < 2) g->size.parameters += gn_shape_count(&p->shape);
        }
        if (pass == 0) g->trained = at;
    }
    g->elements = at;
    return GN_OK;
}

int gn_graph_params(const gn_graph *g, const gn_param **list) {
    *list = g->param;
    return g->n_param;
}

gn_real *gn_graph_weights(const gn_graph *g) { return g->weights_host; }
gn_real *gn_graph_gradients(const gn_graph *g) { return g->gradients; }

int64_t gn_graph_weight_count(const gn_graph *g, int64_t *trained) {
    if (trained) *trained = g->trained;
    return g->elements;
}

/* Place of dense element k: [O I kh kw] is kept as [O/Bo][I/Bi][kh][kw][Bi][Bo], all else as it is. */
static int64_t place(const gn_param *p, blocks b, int64_t k) {
    if (p->shape.n != 4) return k;
    const int64_t *d = p->shape.d, taps = d[2] * d[3];
    int64_t tap = k % taps, i = k / taps % d[1], o = k / taps / d[1];
    return (((o / b.out * blocks_up(d[1], b.in) + i / b.in) * taps + tap) * b.in + i % b.in) * b.out + o % b.out;
}

void gn_param_read(const gn_graph *g, int i, const gn_real *slab, gn_real *plain) {
    const gn_param *p = &g->param[i];
    int64_t n = gn_shape_count(&p->shape);
    for (int64_t k = 0; k < n; k++) plain[k] = slab[p->at + place(p, g->blocks[i], k)];
}

void gn_param_write(const gn_graph *g, int i, const gn_real *plain, gn_real *slab) {
    const gn_param *p = &g->param[i];
    int64_t n = gn_shape_count(&p->shape);
    memset(slab + p->at, 0, (size_t)p->count * sizeof *slab);
    for (int64_t k = 0; k < n; k++) slab[p->at + place(p, g->blocks[i], k)] = plain[k];
}

/* Initial value of dense element k; the stream is the parameter's name, so that a part of a network
 * starts alike whatever stands around it. */
static double initial(const gn_param *p, gn_init how, uint64_t seed, uint64_t stream, int64_t k) {
    double draw = 2 * gn_uniform(seed, stream, (uint64_t)k) - 1;
    switch (p->role) {
    case GN_WEIGHT:
        if (how == GN_INIT_HE) return sqrt(2.0 / p->fan_in) * gn_normal(seed, stream, (uint64_t)k);
        return draw / sqrt((double)p->fan_in);
    case GN_BIAS: return how == GN_INIT_HE ? 0 : draw / sqrt((double)p->fan_in);
    case GN_SCALE: return how == GN_INIT_HE ? 1 : gn_uniform(seed, stream, (uint64_t)k);
    case GN_VARIANCE: return 1;
    case GN_SHIFT:
    case GN_MEAN: break;
    }
    return 0;
}

void gn_graph_init(gn_graph *g, gn_init how, uint64_t seed) {
    for (int i = 0; i < g->n_param; i++) {
        const gn_param *p = &g->param[i];
        uint64_t stream = gn_hash(p->name, strlen(p->name));
        int64_t n = gn_shape_count(&p->shape);
        memset(g->weights_host + p->at, 0, (size_t)p->count * sizeof *g->weights_host);
        for (int64_t k = 0; k < n && !p->zero; k++)
            g->weights_host[p->at + place(p, g->blocks[i], k)] = (gn_real)initial(p, how, seed, stream, k);
    }
}
