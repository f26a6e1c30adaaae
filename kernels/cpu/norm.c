/* norm.c - batch norm, with its ReLU: the passes, and the op where no convolution can carry them.
 *
 * A pass goes channel run by channel run (up to 16 channels of a block), sample by sample. Each run's
 * body is inlined twice with constant types and 16 lanes, where it becomes vector code, and once as it is. */
#include "norm.h"
#include "formula/norm.h"
#include "gnomon/attr.h"
#include "lanes.h"
#include <assert.h>
#include <string.h>

/* Channels [c, c+lanes) of one sample: `places` groups of lanes, `step` elements apart, from element `at`. */
typedef struct {
    int64_t at, places, step, c;
    int lanes;
} run;

/* What a run needs of its channels. `least` is the ReLU: 0, or minus infinity where there is none; what is
 * not below it passes, so NaN does. */
typedef struct {
    gn_lanes mean, deviation, slope, shift, least;
} norms;

static void norms_read(gn_norm_by by, int64_t c, int64_t channels, norms *l) {
    *l = (norms){ 0 };
    for (int i = 0; i < GN_LANES; i++) {
        l->least[i] = by.relu ? 0 : -(gn_real)INFINITY;
        if (!by.stat) l->slope[i] = 1;
        if (!by.stat || c + i >= channels) continue;
        l->mean[i] = by.stat[c + i];
        l->deviation[i] = by.stat[channels + c + i];
        l->slope[i] = by.scale[c + i] * l->deviation[i];
        l->shift[i] = by.shift[c + i];
    }
}

/* The runs of an activation: for (walk w = ...; next(&w, &r);) all samples of a run come before the next run.
 */
typedef struct {
    gn_planes p;
    int64_t block, lane, n;
} walk;

static int next(walk *w, run *r) {
    const gn_planes *p = &w->p;
    if (w->n == p->n) {
        w->n = 0;
        w->lane += GN_LANES;
        if (w->lane >= p->block) w->lane = 0, w->block++;
    }
    if (w->block == p->blocks || p->n == 0) return 0;
    int64_t left = p->block - w->lane;
    *r = (run){ .at = (w->n * p->blocks + w->block) * p->places * p->block + w->lane,
                .places = p->places,
                .step = p->block,
                .c = w->block * p->block + w->lane,
                .lanes = left < GN_LANES ? (int)left : GN_LANES };
    w->n++;
    return 1;
}

/* body(types..., run with a constant number of lanes): vector code for the two cases that matter */
#define SPECIALISE(same, r, BODY)                                     \
    do {                                                              \
        if ((same) == GN_TYPE_REAL && (r).lanes == GN_LANES)          \
            BODY(GN_TYPE_REAL, GN_TYPE_REAL, GN_TYPE_REAL, GN_LANES); \
        else if ((same) == GN_TYPE_BF16 && (r).lanes == GN_LANES)     \
            BODY(GN_TYPE_BF16, GN_TYPE_BF16, GN_TYPE_BF16, GN_LANES); \
        else                                                          \
            BODY(x->type, g->type, y->type, (r).lanes);               \
    } while (0)

static int same_type(const gn_tensor *a, const gn_tensor *b, const gn_tensor *c) {
    return a->type == b->type && b->type == c->type ? (int)a->type : -1;
}

/* Sums of a run of channels, in double; in gn_real over the FEW places before. */
typedef struct {
    double first[GN_LANES], second[GN_LANES];
} pair;
enum { FEW = 16 };

static void sums_write(const pair *sum, const run *r, int64_t lanes, double *sums) {
    for (int i = 0; i < r->lanes; i++) {
        sums[r->c + i] = sum->first[i];
        sums[lanes + r->c + i] = sum->second[i];
    }
}

GN_INLINE void sum_body(const void *x, gn_type tx, run r, int lanes, pair *sum) {
    for (int64_t from = 0; from < r.places; from += FEW) {
        const int64_t end = from + FEW < r.places ? from + FEW : r.places;
        gn_lanes first = { 0 }, second = { 0 };
        for (int64_t p = from; p < end; p++) {
            gn_lanes v;
            gn_lanes_get(&v, x, tx, r.at + p * r.step, lanes);
            first += v;
            second += v * v;
        }
        gn_lanes_add(sum->first, &first);
        gn_lanes_add(sum->second, &second);
    }
}

void gn_norm_sums(const gn_tensor *x, double *sums) {
    const gn_tensor *g = x, *y = x;
    walk w = { .p = gn_planes_of(x) };
    pair sum = { 0 };
    for (run r; next(&w, &r);) {
        if (w.n == 1) sum = (pair){ 0 };
#define BODY(tx, tg, ty, n) sum_body(x->data, tx, r, n, &sum)
        SPECIALISE(same_type(x, g, y), r, BODY);
#undef BODY
        if (w.n == w.p.n) sums_write(&sum, &r, w.p.block * w.p.blocks, sums);
    }
}

void gn_norm_stat(const gn_call *c, const gn_real *mean, const gn_real *variance, gn_real *stat) {
    const int64_t channels = c->in[0].shape.d[1], lanes = gn_tensor_lanes(&c->in[0]);
    for (int64_t i = 0; i < channels; i++) {
        double m = (double)mean[i], v = (double)variance[i];
        if (c->mode == GN_TRAIN) {
            m = c->total[i] / (double)c->count;
            v = c->total[lanes + i] / (double)c->count - m * m;
            if (v < 0) v = 0; /* rounding alone; NaN stays */
        }
        stat[i] = (gn_real)m;
        stat[channels + i] = (gn_real)(1 / sqrt(v + GN_NORM_EPSILON));
    }
}

GN_INLINE void apply_body(const void *x, gn_type tx, void *y, gn_type ty, run r, int lanes, const norms *l) {
    const norms k = *l;
    for (int64_t p = 0; p < r.places; p++) {
        const int64_t at = r.at + p * r.step;
        gn_lanes v;
        gn_lanes_get(&v, x, tx, at, lanes);
        v = (v - k.mean) * k.slope + k.shift; /* gn_norm_at */
        gn_lanes_mask low = v < k.least;
        v = (gn_lanes)(((gn_lanes_mask)k.least & low) | ((gn_lanes_mask)v & ~low));
        gn_lanes_put(y, ty, at, lanes, &v);
    }
}

void gn_norm_apply(const gn_tensor *x, gn_norm_by by, const gn_tensor *y) {
    const gn_tensor *g = x;
    walk w = { .p = gn_planes_of(x) };
    for (run r; next(&w, &r);) {
        norms l;
        norms_read(by, r.c, w.p.c, &l);
#define BODY(tx, tg, ty, n) apply_body(x->data, tx, y->data, ty, r, n, &l)
        SPECIALISE(same_type(x, g, y), r, BODY);
#undef BODY
    }
}

/* dy is g where the ReLU let x through */
GN_INLINE void back_get(const void *x, gn_type tx, const void *g, gn_type tg, int64_t at, int lanes,
                        const norms *l, gn_lanes *dy, gn_lanes *xhat) {
    gn_lanes v;
    gn_lanes_get(&v, x, tx, at, lanes);
    gn_lanes_get(dy, g, tg, at, lanes);
    gn_lanes_mask through = ~((v - l->mean) * l->slope + l->shift <= l->least);
    gn_lanes_keep(dy, &through);
    *xhat = (v - l->mean) * l->deviation;
}

GN_INLINE void back_sum_body(const void *x, gn_type tx, const void *g, gn_type tg, run r, int lanes,
                             const norms *l, pair *sum) {
    const norms k = *l;
    for (int64_t from = 0; from < r.places; from += FEW) {
        const int64_t end = from + FEW < r.places ? from + FEW : r.places;
        gn_lanes first = { 0 }, second = { 0 };
        for (int64_t p = from; p < end; p++) {
            gn_lanes dy, xhat;
            back_get(x, tx, g, tg, r.at + p * r.step, lanes, &k, &dy, &xhat);
            first += dy;
            second += dy * xhat;
        }
        gn_lanes_add(sum->first, &first);
        gn_lanes_add(sum->second, &second);
    }
}

void gn_norm_back_sums(const gn_tensor *x, const gn_tensor *g, gn_norm_by by, double *sums) {
    const gn_tensor *y = x;
    walk w = { .p = gn_planes_of(x) };
    pair sum = { 0 };
    norms l;
    for (run r; next(&w, &r);) {
        if (w.n == 1) {
            sum = (pair){ 0 };
            norms_read(by, r.c, w.p.c, &l);
        }
#define BODY(tx, tg, ty, n) back_sum_body(x->data, tx, g->data, tg, r, n, &l, &sum)
        SPECIALISE(same_type(x, g, y), r, BODY);
#undef BODY
        if (w.n == w.p.n) sums_write(&sum, &r, w.p.block * w.p.blocks, sums);
    }
}

typedef struct {
    gn_lanes dy, dyx;
} means;

GN_INLINE void back_body(const void *x, gn_type tx, const void *g, gn_type tg, void *d, gn_type td, run r,
                         int lanes, const norms *l, const means *m, int first) {
    const norms k = *l;
    const means mean = *m;
    for (int64_t p = 0; p < r.places; p++) {
        const int64_t at = r.at + p * r.step;
        gn_lanes dy, xhat, dx = { 0 };
        back_get(x, tx, g, tg, at, lanes, &k, &dy, &xhat);
        if (!first) gn_lanes_get(&dx, d, td, at, lanes);
        dx += k.slope * (dy - mean.dy - xhat * mean.dyx); /* gn_norm_pull */
        gn_lanes_put(d, td, at, lanes, &dx);
    }
}

void gn_norm_back(const gn_tensor *x, const gn_tensor *g, gn_norm_by by, const double *total, int64_t count,
                  const gn_tensor *d_x, int first) {
    const gn_tensor *y = d_x;
    walk w = { .p = gn_planes_of(x) };
    for (run r; next(&w, &r);) {
        norms l;
        means m = { { 0 }, { 0 } };
        norms_read(by, r.c, w.p.c, &l);
        for (int i = 0; by.stat && i < r.lanes && r.c + i < w.p.c; i++) {
            m.dy[i] = (gn_real)(total[r.c + i] / (double)count);
            m.dyx[i] = (gn_real)(total[w.p.block * w.p.blocks + r.c + i] / (double)count);
        }
/* `first` is a constant in each branch too */
#define BODY(tx, tg, ty, n) back_body(x->data, tx, g->data, tg, y->data, ty, r, n, &l, &m, first)
        if (first)
            SPECIALISE(same_type(x, g, y), r, BODY);
        else
            SPECIALISE(same_type(x, g, y), r, BODY);
#undef BODY
    }
}

GN_INLINE void move_lanes(const void *from, gn_type tf, void *to, gn_type tt, int64_t at, int lanes,
                          int first) {
    gn_lanes v, old;
    gn_lanes_get(&v, from, tf, at, lanes);
    if (!first) gn_lanes_get(&old, to, tt, at, lanes), v += old;
    gn_lanes_put(to, tt, at, lanes, &v);
}

GN_INLINE void move_body(const void *from, gn_type tf, void *to, gn_type tt, int64_t n, int first) {
    for (int64_t i = 0; i + GN_LANES <= n; i += GN_LANES) move_lanes(from, tf, to, tt, i, GN_LANES, first);
    if (n % GN_LANES) move_lanes(from, tf, to, tt, n - n % GN_LANES, (int)(n % GN_LANES), first);
}

void gn_copy_or_add(const gn_tensor *from, const gn_tensor *to, int first) {
    int64_t n = gn_tensor_count(from);
    assert(n == gn_tensor_count(to) && from->block == to->block);
    if (from->data == to->data && first) return;
    if (from->type != to->type)
        move_body(from->data, from->type, to->data, to->type, n, first);
    else if (first)
        memcpy(to->data, from->data, gn_tensor_bytes(from));
    else if (from->type == GN_TYPE_BF16)
        move_body(from->data, GN_TYPE_BF16, to->data, GN_TYPE_BF16, n, 0);
    else
        move_body(from->data, GN_TYPE_REAL, to->data, GN_TYPE_REAL, n, 0);
}

void gn_norm_slopes(const gn_call *c, const gn_tensor *d_scale, const gn_tensor *d_shift) {
    const int64_t channels = c->in[0].shape.d[1], lanes = gn_tensor_lanes(&c->in[0]);
    gn_real *scale = d_scale->data, *shift = d_shift->data;
    for (int64_t i = 0; scale && i < channels; i++) scale[i] = (gn_real)c->sums[lanes + i];
    for (int64_t i = 0; shift && i < channels; i++) shift[i] = (gn_real)c->sums[i];
}

/* --- the op: [N C H W] or [N C] --- */

static gn_status shape(const void *attr, int n_in, const gn_shape *in, gn_op_shape *s) {
    (void)attr, (void)n_in;
    if (in->n != 4 && in->n != 2)
        GN_FAIL(BAD_SHAPE, "norm: expected [N C H W] or [N C], got %s", gn_shape_text(in));
    const gn_shape channel = { 1, { in->d[1] } };
    s->out = *in;
    s->saved[0] = (gn_shape){ 1, { 2 * in->d[1] } };
    s->saved_type[0] = GN_TYPE_REAL;
    s->n_param = 4;
    for (int i = 0; i < 4; i++) s->param[i] = channel;
    s->norm_channels = (int)in->d[1];
    return GN_OK;
}

static gn_norm_by by(const gn_call *c) {
    const gn_norm_attr *attr = c->attr;
    return (gn_norm_by){ c->saved[0].data, c->param[0].data, c->param[1].data, attr->relu };
}

static gn_status forward(const gn_call *c) {
    if (c->mode == GN_TRAIN && c->phase == 0) return gn_norm_sums(&c->in[0], c->sums), GN_OK;
    gn_norm_stat(c, c->param[2].data, c->param[3].data, c->saved[0].data);
    gn_norm_apply(&c->in[0], by(c), &c->out[0]);
    return GN_OK;
}

static gn_status backward(const gn_call *c) {
    if (c->phase == 0) {
        gn_norm_back_sums(&c->in[0], &c->d_out[0], by(c), c->sums);
        gn_norm_slopes(c, &c->d_param[0], &c->d_param[1]);
    } else if (c->d_in[0].data) {
        gn_norm_back(&c->in[0], &c->d_out[0], by(c), c->total, c->count, &c->d_in[0], c->first & 1);
    }
    return GN_OK;
}

const gn_op gn_op_norm = {
    .name = "norm",
    .shape = shape,
    .plan = { NULL, gn_norm_plan_cuda },
    .forward = { forward, gn_norm_forward_cuda },
    .backward = { backward, gn_norm_backward_cuda },
};
