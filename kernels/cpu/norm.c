/* norm.c - batch norm, with its ReLU: the passes, and the op where no convolution can carry them.
 *
 * A pass goes channel run by channel run (up to 16 channels of a block), sample by sample. Each run's
 * body is inlined twice with constant types and 16 lanes, where it becomes vector code, and once as it is. */
#include "norm.h"
#include "formula/norm.h"
#include "gnomon/attr.h"
#include "store.h"
#include <assert.h>
#include <string.h>

/* Channels [c, c+lanes) of one sample: `places` groups of lanes, `step` elements apart, from element `at`. */
typedef struct { int64_t at, places, step, c; int lanes; } run;

/* `least` is the ReLU: 0, or minus infinity where there is none. A number below it is refused, NaN is not. */
typedef struct { gn_real mean[GN_LANES], deviation[GN_LANES], slope[GN_LANES], shift[GN_LANES], least; } lanes_of;

static lanes_of lanes_read(gn_norm_by by, int64_t c, int64_t channels) {
    lanes_of l = { .least = by.relu ? 0 : -(gn_real)INFINITY };
    for (int i = 0; i < GN_LANES; i++) {
        int there = c + i < channels;
        if (by.stat) {
            l.mean[i] = there ? by.stat[c + i] : 0;
            l.deviation[i] = there ? by.stat[channels + c + i] : 0;
            l.slope[i] = there ? by.scale[c + i] * l.deviation[i] : 0;
            l.shift[i] = there ? by.shift[c + i] : 0;
        } else {
            l.slope[i] = 1;
        }
    }
    return l;
}

/* The runs of an activation: for (walk w = ...; next(&w, &r);) all samples of a run come before the next run. */
typedef struct { gn_planes p; int64_t block, lane, n; } walk;

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
                .places = p->places, .step = p->block, .c = w->block * p->block + w->lane,
                .lanes = left < GN_LANES ? (int)left : GN_LANES };
    w->n++;
    return 1;
}

/* body(types..., run with a constant number of lanes): vector code for the two cases that matter */
#define SPECIALISE(same, r, BODY)                                                                             \
    do {                                                                                                      \
        if ((same) == GN_TYPE_REAL && (r).lanes == GN_LANES) BODY(GN_TYPE_REAL, GN_TYPE_REAL, GN_TYPE_REAL, GN_LANES);      \
        else if ((same) == GN_TYPE_BF16 && (r).lanes == GN_LANES) BODY(GN_TYPE_BF16, GN_TYPE_BF16, GN_TYPE_BF16, GN_LANES); \
        else BODY(x->type, g->type, y->type, (r).lanes);                                                      \
    } while (0)

static int same_type(const gn_tensor *a, const gn_tensor *b, const gn_tensor *c) {
    return a->type == b->type && b->type == c->type ? (int)a->type : -1;
}

static void sums_write(const double *sum, const double *sum2, const run *r, int64_t lanes, double *sums) {
    for (int i = 0; i < r->lanes; i++) {
        sums[r->c + i] = sum[i];
        sums[lanes + r->c + i] = sum2[i];
    }
}

GN_INLINE void sum_body(const void *x, gn_type tx, run r, int lanes, double *restrict sum, double *restrict sum2) {
    for (int64_t p = 0; p < r.places; p++)
        for (int i = 0; i < lanes; i++) {
            double v = (double)gn_get(x, tx, r.at + p * r.step + i);
            sum[i] += v;
            sum2[i] += v * v;
        }
}

void gn_norm_sums(const gn_tensor *x, double *sums) {
    const gn_tensor *g = x, *y = x;
    walk w = { .p = gn_planes_of(x) };
    double sum[GN_LANES], sum2[GN_LANES];
    for (run r; next(&w, &r);) {
        if (w.n == 1) memset(sum, 0, sizeof sum), memset(sum2, 0, sizeof sum2);
#define BODY(tx, tg, ty, n) sum_body(x->data, tx, r, n, sum, sum2)
        SPECIALISE(same_type(x, g, y), r, BODY);
#undef BODY
        if (w.n == w.p.n) sums_write(sum, sum2, &r, w.p.block * w.p.blocks, sums);
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

GN_INLINE void apply_body(const void *x, gn_type tx, void *y, gn_type ty, run r, int lanes, const lanes_of *restrict l) {
    for (int64_t p = 0; p < r.places; p++)
        for (int i = 0; i < lanes; i++) {
            int64_t at = r.at + p * r.step + i;
            gn_real v = gn_norm_at(gn_get(x, tx, at), l->mean[i], l->slope[i], l->shift[i]);
            gn_put(y, ty, at, v < l->least ? l->least : v);
        }
}

void gn_norm_apply(const gn_tensor *x, gn_norm_by by, const gn_tensor *y) {
    const gn_tensor *g = x;
    walk w = { .p = gn_planes_of(x) };
    for (run r; next(&w, &r);) {
        lanes_of l = lanes_read(by, r.c, w.p.c);
#define BODY(tx, tg, ty, n) apply_body(x->data, tx, y->data, ty, r, n, &l)
        SPECIALISE(same_type(x, g, y), r, BODY);
#undef BODY
    }
}

/* The slope that passes the ReLU, at one element. */
GN_INLINE gn_real through(gn_real x, gn_real g, const lanes_of *l, int i) {
    return gn_norm_at(x, l->mean[i], l->slope[i], l->shift[i]) <= l->least ? 0 : g;
}

GN_INLINE void back_sum_body(const void *x, gn_type tx, const void *g, gn_type tg, run r, int lanes,
                             const lanes_of *restrict l, double *restrict sum, double *restrict sum2) {
    for (int64_t p = 0; p < r.places; p++) {
        gn_real dy[GN_LANES], dyx[GN_LANES]; /* apart from the sums: as one loop it would branch at the ReLU */
        for (int i = 0; i < lanes; i++) {
            int64_t at = r.at + p * r.step + i;
            gn_real v = gn_get(x, tx, at);
            dy[i] = through(v, gn_get(g, tg, at), l, i);
            dyx[i] = dy[i] * ((v - l->mean[i]) * l->deviation[i]);
        }
        for (int i = 0; i < lanes; i++) {
            sum[i] += (double)dy[i];
            sum2[i] += (double)dyx[i];
        }
    }
}

void gn_norm_back_sums(const gn_tensor *x, const gn_tensor *g, gn_norm_by by, double *sums) {
    const gn_tensor *y = x;
    walk w = { .p = gn_planes_of(x) };
    double sum[GN_LANES], sum2[GN_LANES];
    for (run r; next(&w, &r);) {
        if (w.n == 1) memset(sum, 0, sizeof sum), memset(sum2, 0, sizeof sum2);
        lanes_of l = lanes_read(by, r.c, w.p.c);
#define BODY(tx, tg, ty, n) back_sum_body(x->data, tx, g->data, tg, r, n, &l, sum, sum2)
        SPECIALISE(same_type(x, g, y), r, BODY);
#undef BODY
        if (w.n == w.p.n) sums_write(sum, sum2, &r, w.p.block * w.p.blocks, sums);
    }
}

GN_INLINE void back_body(const void *x, gn_type tx, const void *g, gn_type tg, void *d, gn_type td, run r, int lanes,
                         const lanes_of *restrict l, const gn_real *restrict mean_dy,
                         const gn_real *restrict mean_dyx, int first) {
    for (int64_t p = 0; p < r.places; p++)
        for (int i = 0; i < lanes; i++) {
            int64_t at = r.at + p * r.step + i;
            gn_real v = gn_get(x, tx, at), dy = through(v, gn_get(g, tg, at), l, i);
            gn_real dx = gn_norm_pull(dy, (v - l->mean[i]) * l->deviation[i], l->slope[i], mean_dy[i], mean_dyx[i]);
            gn_put(d, td, at, first ? dx : gn_get(d, td, at) + dx);
        }
}

void gn_norm_back(const gn_tensor *x, const gn_tensor *g, gn_norm_by by, const double *total, int64_t count,
                  const gn_tensor *d_x, int first) {
    const gn_tensor *y = d_x;
    walk w = { .p = gn_planes_of(x) };
    for (run r; next(&w, &r);) {
        lanes_of l = lanes_read(by, r.c, w.p.c);
        gn_real mean_dy[GN_LANES] = { 0 }, mean_dyx[GN_LANES] = { 0 };
        for (int i = 0; by.stat && i < r.lanes && r.c + i < w.p.c; i++) {
            mean_dy[i] = (gn_real)(total[r.c + i] / (double)count);
            mean_dyx[i] = (gn_real)(total[w.p.block * w.p.blocks + r.c + i] / (double)count);
        }
/* `first` is a constant in each branch too */
#define BODY(tx, tg, ty, n) back_body(x->data, tx, g->data, tg, y->data, ty, r, n, &l, mean_dy, mean_dyx, first)
        if (first) SPECIALISE(same_type(x, g, y), r, BODY);
        else SPECIALISE(same_type(x, g, y), r, BODY);
#undef BODY
    }
}

GN_INLINE void move_body(const void *from, gn_type tf, void *to, gn_type tt, int64_t n, int first) {
    for (int64_t i = 0; i < n; i++) gn_put(to, tt, i, first ? gn_get(from, tf, i) : gn_get(to, tt, i) + gn_get(from, tf, i));
}

void gn_copy_or_add(const gn_tensor *from, const gn_tensor *to, int first) {
    int64_t n = gn_tensor_count(from);
    assert(n == gn_tensor_count(to) && from->block == to->block);
    if (from->data == to->data && first) return;
    if (from->type != to->type) move_body(from->data, from->type, to->data, to->type, n, first);
    else if (first) memcpy(to->data, from->data, gn_tensor_bytes(from));
    else if (from->type == GN_TYPE_BF16) move_body(from->data, GN_TYPE_BF16, to->data, GN_TYPE_BF16, n, 0);
    else move_body(from->data, GN_TYPE_REAL, to->data, GN_TYPE_REAL, n, 0);
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
    if (in->n != 4 && in->n != 2) GN_FAIL(BAD_SHAPE, "norm: expected [N C H W] or [N C], got %s", gn_shape_text(in));
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
    .name = "norm", .shape = shape, .forward = { forward }, .backward = { backward }, .phases_backward = 2,
};
