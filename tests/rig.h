/* rig.h - one op run by itself over a few shards, as a graph would run it: plan, prepare, phases, meetings.
 *
 * The batch's tensors are drawn once from a seed; a loss sum(out * pull) makes slopes that differences can
 * check. */
#ifndef RIG_H
#define RIG_H
#include "gnomon/arena.h"
#include "gnomon/attr.h"
#include "gnomon/op.h"
#include "near.h"
#include <string.h>

enum { RIG_SHARDS = 3 };

typedef struct {
    const gn_op *op;
    const void *attr;
    gn_impl impl;
    int n_in, shards, in_block[GN_OP_IN], out_block;
    gn_shape in_shape[GN_OP_IN]; /* of one shard */
    gn_type in_type[GN_OP_IN], out_type;
    double scale[GN_OP_IN], shift[GN_OP_IN]; /* of the inputs' draws; scale 0 means 1 */
    int first;                               /* 1: d_in is written; 0: it is added to */
    gn_mode mode;
    uint64_t seed;

    gn_arena *a;
    gn_op_shape s;
    gn_tensor in[RIG_SHARDS][GN_OP_IN], d_in[RIG_SHARDS][GN_OP_IN], out[RIG_SHARDS], d_out[RIG_SHARDS];
    gn_tensor saved[RIG_SHARDS][2], param[GN_OP_PARAM], d_param[RIG_SHARDS][GN_OP_PARAM];
    uint8_t *live[GN_OP_PARAM]; /* 0 in padding */
    gn_call call[RIG_SHARDS];
    double *total;
    void *shadow;
    int64_t lanes;
} rig;

static uint64_t rig_state = 1;
static double rig_draw(void) { /* uniform in [-1, 1] */
    rig_state = rig_state * 6364136223846793005u + 1442695040888963407u;
    return (double)(int64_t)(rig_state >> 11) / (double)(1ll << 52) - 1;
}

static inline double rig_get(const gn_tensor *t, int64_t i) {
    if (t->type == GN_TYPE_REAL) return (double)((gn_real *)t->data)[i];
    uint32_t bits = (uint32_t)((uint16_t *)t->data)[i] << 16;
    float f;
    memcpy(&f, &bits, sizeof f);
    return (double)f;
}
static inline void rig_put(gn_tensor *t, int64_t i, double v) {
    if (t->type == GN_TYPE_REAL) {
        ((gn_real *)t->data)[i] = (gn_real)v;
        return;
    }
    float f = (float)v;
    uint32_t bits;
    memcpy(&bits, &f, sizeof bits);
    ((uint16_t *)t->data)[i] = (uint16_t)((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}

static inline gn_tensor rig_tensor(rig *r, gn_type type, int block, gn_shape shape) {
    gn_tensor t = { type, shape.n == 4 ? block : 0, shape, NULL };
    t.data = gn_arena_take(r->a, gn_tensor_bytes(&t) + 64);
    assert_non_null(t.data);
    return t;
}

/* Place in memory of logical element i. */
static inline int64_t rig_at(const gn_tensor *t, int64_t i) {
    const int64_t *d = t->shape.d;
    if (!t->block) return i;
    return gn_at(t, i / (d[1] * d[2] * d[3]), i / (d[2] * d[3]) % d[1], i / d[3] % d[2], i % d[3]);
}
static inline void rig_fill(gn_tensor *t) {
    for (int64_t i = 0; i < gn_shape_count(&t->shape); i++) rig_put(t, rig_at(t, i), rig_draw());
}

/* Weights of a convolution are blocked; every other parameter is dense, rank 1 padded to 16. */
static inline void rig_param(rig *r, int k) {
    gn_shape shape = r->s.param[k];
    int64_t count = shape.n == 1 ? (shape.d[0] + 15) / 16 * 16 : gn_shape_count(&shape);
    int64_t bi = 1, bo = 1, kk = 1, ibs = 1;
    if (shape.n == 4) {
        bi = r->in_block[0], bo = r->out_block, kk = shape.d[2] * shape.d[3];
        ibs = (shape.d[1] + bi - 1) / bi;
        count = (shape.d[0] + bo - 1) / bo * ibs * kk * bi * bo;
    }
    r->param[k] = (gn_tensor){
        GN_TYPE_REAL, 0, { 1, { count } }, gn_arena_take(r->a, sizeof(gn_real) * (size_t)count)
    };
    r->live[k] = gn_arena_take(r->a, (size_t)count);
    for (int64_t i = 0; i < count; i++) {
        int64_t o = i % bo + i / (bo * bi * kk * ibs) * bo, c = i / bo % bi + i / (bo * bi * kk) % ibs * bi;
        r->live[k][i] = shape.n == 4 ? o < shape.d[0] && c < shape.d[1] : shape.n == 1 ? i < shape.d[0] : 1;
        double v = rig_draw();
        if (shape.n == 4) v /= sqrt((double)(shape.d[1] * kk));
        rig_put(&r->param[k], i, r->live[k][i] ? v : 0);
    }
    for (int s = 0; s < r->shards; s++) {
        r->d_param[s][k] = r->param[k];
        r->d_param[s][k].data = gn_arena_take(r->a, sizeof(gn_real) * (size_t)count);
    }
}

/* The place in param of weight [o][i][ky][kx]. */
static inline int64_t rig_weight(const rig *r, int64_t o, int64_t i, int64_t ky, int64_t kx) {
    const gn_shape *w = &r->s.param[0];
    int64_t bi = r->in_block[0], bo = r->out_block, ibs = (w->d[1] + bi - 1) / bi;
    return ((((o / bo * ibs + i / bi) * w->d[2] + ky) * w->d[3] + kx) * bi + i % bi) * bo + o % bo;
}

static inline void rig_open(rig *r) {
    rig_state = r->seed * 2654435761u + 12345;
    r->a = gn_arena_new("rig");
    if (!r->shards) r->shards = 1;
    OK(r->op->shape(r->attr, r->n_in, r->in_shape, &r->s));
    for (int k = 0; k < r->s.n_param; k++) rig_param(r, k);
    for (int64_t i = 0, last = r->s.n_param - 1; i < r->s.norm_channels; i++) /* a variance */
        rig_put(&r->param[last], i, fabs(rig_get(&r->param[last], i)));
    for (int s = 0; s < r->shards; s++) {
        for (int i = 0; i < r->n_in; i++) {
            r->in[s][i] = rig_tensor(r, r->in_type[i], r->in_block[i], r->in_shape[i]);
            r->d_in[s][i] = rig_tensor(r, r->in_type[i], r->in_block[i], r->in_shape[i]);
            rig_fill(&r->in[s][i]);
            for (int64_t k = 0; r->scale[i] != 0 && k < gn_tensor_count(&r->in[s][i]); k++)
                rig_put(&r->in[s][i], k, rig_get(&r->in[s][i], k) * r->scale[i] + r->shift[i]);
        }
        r->out[s] = rig_tensor(r, r->out_type, r->out_block, r->s.out);
        r->d_out[s] = rig_tensor(r, r->out_type, r->out_block, r->s.out);
        rig_fill(&r->d_out[s]);
        for (int k = 0; k < 2; k++)
            if (r->s.saved[k].n)
                r->saved[s][k] = rig_tensor(r, r->s.saved_type[k], r->out_block, r->s.saved[k]);
    }
    r->lanes = gn_tensor_lanes(&r->in[0][0]);
    r->total = gn_arena_take(r->a, sizeof(double) * (size_t)(2 * r->lanes));
    for (int s = 0; s < r->shards; s++) {
        gn_call *c = &r->call[s];
        size_t scratch = 0, shadow = 0;
        *c = (gn_call){ .attr = r->attr,
                        .mode = r->mode,
                        .n_in = r->n_in,
                        .in = r->in[s],
                        .param = r->param,
                        .out = &r->out[s],
                        .saved = r->saved[s],
                        .d_out = &r->d_out[s],
                        .d_in = r->d_in[s],
                        .d_param = r->d_param[s],
                        .first = r->first ? ~0u : 0u,
                        .total = r->total,
                        .seed = r->seed,
                        .first_sample = s,
                        .sample_stride = r->shards };
        c->count = r->in_shape[0].d[0] * r->shards;
        for (int i = 2; i < r->in_shape[0].n; i++) c->count *= r->in_shape[0].d[i];
        c->sums = gn_arena_take(r->a, sizeof(double) * (size_t)(2 * r->lanes));
        if (r->op->plan[GN_CPU]) OK(r->op->plan[GN_CPU](c, r->a, r->impl, &c->state, &scratch, &shadow));
        c->scratch = gn_arena_take(r->a, scratch + 64);
        if (s == 0) r->shadow = gn_arena_take(r->a, shadow + 64);
        c->shadow = r->shadow;
    }
}
static inline void rig_close(rig *r) { gn_arena_free(r->a); }

static inline void rig_phases(rig *r, gn_run_fn *run, int phases) {
    for (int p = 0; p < phases; p++) {
        for (int s = 0; s < r->shards; s++) {
            r->call[s].phase = p;
            OK(run(&r->call[s]));
        }
        if (p + 1 == phases) break;
        for (int64_t i = 0; i < 2 * r->lanes; i++) {
            r->total[i] = 0;
            for (int s = 0; s < r->shards; s++) r->total[i] += r->call[s].sums[i];
        }
    }
}

static inline void rig_forward(rig *r) {
    if (r->op->prepare[GN_CPU]) OK(r->op->prepare[GN_CPU](&r->call[0]));
    if (r->mode == GN_EVAL) {
        for (int s = 0; s < r->shards; s++) {
            r->call[s].phase = 1;
            OK(r->op->forward[GN_CPU](&r->call[s]));
        }
        return;
    }
    rig_phases(r, r->op->forward[GN_CPU], r->s.norm_channels ? 2 : 1);
}
static inline void rig_backward(rig *r) {
    rig_phases(r, r->op->backward[GN_CPU], r->s.norm_channels ? 2 : 1);
}

static inline double rig_loss(rig *r) {
    double sum = 0;
    rig_forward(r);
    for (int s = 0; s < r->shards; s++)
        for (int64_t i = 0; i < gn_tensor_count(&r->out[s]); i++)
            sum += rig_get(&r->out[s], i) * rig_get(&r->d_out[s], i);
    return sum;
}
#endif
