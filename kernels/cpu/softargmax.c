/* softargmax.c - logits to expected positions in cells: [N J H W] to [N J 2], [N J*D H W] to [N J 3].
 *
 * Every channel is read by itself, 16 at a time, in one pass over memory: a row's largest logit first, then
 * its exponentials while the row is still in the nearest cache. A volume is its D channels merged. */
#include "formula/softargmax.h"
#include "gnomon/attr.h"
#include "gnomon/op.h"
#include "lanes.h"

enum { CACHE = 16 << 20 }; /* bytes: what is larger leaves the caches before anybody reads it */

typedef struct {
    gn_real m[GN_LANES], s[GN_LANES], u[GN_LANES], v[GN_LANES];
} readings;

GN_INLINE gn_real larger(gn_real a, gn_real b) { return a > b ? a : b; }

/* One row, `w` groups of lanes, `step` elements apart. */
GN_INLINE void row_read(const void *x, gn_type type, int64_t at, int64_t step, int64_t w, int lanes,
                        gn_real row, readings *restrict a) {
    gn_real top[GN_LANES], s[GN_LANES] = { 0 }, u[GN_LANES] = { 0 };
    for (int i = 0; i < lanes; i++) top[i] = a->m[i];
    int64_t q = 0;
    for (; q + 3 < w; q += 4) /* by fours: the compiler keeps `top` in memory, where a chain is slow */
        for (int i = 0; i < lanes; i++) {
            const int64_t k = at + q * step + i;
            gn_real l = larger(larger(gn_get(x, type, k), gn_get(x, type, k + step)),
                               larger(gn_get(x, type, k + 2 * step), gn_get(x, type, k + 3 * step)));
            top[i] = larger(l, top[i]);
        }
    for (; q < w; q++)
        for (int i = 0; i < lanes; i++) top[i] = larger(gn_get(x, type, at + q * step + i), top[i]);
    for (int64_t p = 0; p < w; p++)
        for (int i = 0; i < lanes; i++) {
            gn_real e = gn_exp_below_0(gn_get(x, type, at + p * step + i) - top[i]);
            s[i] += e;
            u[i] += e * (gn_real)p;
        }
    for (int i = 0; i < lanes; i++) {
        gn_real keep = gn_exp_below_0(a->m[i] - top[i]);
        a->m[i] = top[i];
        a->s[i] = a->s[i] * keep + s[i];
        a->u[i] = a->u[i] * keep + u[i];
        a->v[i] = a->v[i] * keep + s[i] * row;
    }
}

static void map_read(const gn_tensor *x, int64_t at, int64_t step, int lanes, readings *a) {
    const int64_t h = x->shape.d[2], w = x->shape.d[3];
    for (int i = 0; i < GN_LANES; i++) a->m[i] = -(gn_real)INFINITY, a->s[i] = a->u[i] = a->v[i] = 0;
    for (int64_t y = 0; y < h; y++, at += w * step) {
        if (lanes == GN_LANES && x->type == GN_TYPE_REAL)
            row_read(x->data, GN_TYPE_REAL, at, step, w, GN_LANES, (gn_real)y, a);
        else if (lanes == GN_LANES)
            row_read(x->data, GN_TYPE_BF16, at, step, w, GN_LANES, (gn_real)y, a);
        else
            row_read(x->data, x->type, at, step, w, lanes, (gn_real)y, a);
    }
}

typedef struct {
    gn_real m[GN_LANES], one_over_s[GN_LANES], gu[GN_LANES], lever[GN_LANES];
} pulls;
typedef enum { ADD, WRITE, STREAM } how;

GN_INLINE void row_pull(const void *x, void *d, gn_type type, int64_t at, int64_t step, int64_t w, int lanes,
                        const pulls *restrict q, how put) {
    for (int64_t p = 0; p < w; p++) {
        const int64_t k = at + p * step;
        gn_lanes g = { 0 };
        for (int i = 0; i < lanes; i++)
            g[i] = gn_soft_pull(gn_get(x, type, k + i), q->m[i], q->one_over_s[i],
                                q->gu[i] * (gn_real)p + q->lever[i]);
        if (put == ADD) {
            gn_lanes old;
            gn_lanes_get(&old, d, type, k, lanes);
            g += old;
        }
        if (put == STREAM) gn_lanes_stream(d, type, k, &g);
        else gn_lanes_put(d, type, k, lanes, &g);
    }
}

static gn_status shape(const void *attr, int n_in, const gn_shape *in, gn_op_shape *s) {
    const gn_softargmax_attr *a = attr;
    const int slices = a->depth ? a->depth : 1;
    (void)n_in;
    if (in->n != 4) GN_FAIL(BAD_SHAPE, "softargmax: expected [N J*D H W], got %s", gn_shape_text(in));
    if (a->joints < 1 || a->depth < 0 || in->d[1] != (int64_t)a->joints * slices)
        GN_FAIL(BAD_SHAPE, "softargmax: expected %d joints times %d slices as channels, got %s", a->joints,
                slices, gn_shape_text(in));
    s->out = (gn_shape){ 3, { in->d[0], a->joints, a->depth ? 3 : 2 } };
    s->saved[0] = (gn_shape){ 3, { in->d[0], a->joints, 5 } }; /* a finished gn_soft a joint */
    s->saved_type[0] = GN_TYPE_REAL;
    return GN_OK;
}

static gn_status plan(const gn_call *c, gn_arena *arena, gn_impl impl, void **state, size_t *scratch,
                      size_t *shadow) {
    (void)arena, (void)impl, (void)state;
    *scratch =
        sizeof(gn_soft) * (size_t)gn_tensor_lanes(&c->in[0]); /* a reading of every channel of a sample */
    *shadow = 0;
    return GN_OK;
}

/* Up to 16 channels of a block: the first, its place in memory, how many. From { 0 }, next walks a sample. */
typedef struct { int64_t c, at; int lanes; } run;

static int next(const gn_planes *q, int64_t n, run *r) {
    r->c += r->lanes;
    if (r->c >= q->blocks * q->block) return 0;
    const int64_t left = q->block - r->c % q->block;
    r->at = (n * q->blocks + r->c / q->block) * q->places * q->block + r->c % q->block;
    r->lanes = left < GN_LANES ? (int)left : GN_LANES;
    return 1;
}

static gn_status forward(const gn_call *c) {
    const gn_softargmax_attr *a = c->attr;
    const gn_planes q = gn_planes_of(&c->in[0]);
    const int slices = a->depth ? a->depth : 1, axes = a->depth ? 3 : 2;
    gn_soft *channel = c->scratch, *saved = c->saved[0].data;
    for (int64_t n = 0; n < q.n; n++) {
        for (run r = { 0 }; next(&q, n, &r);) {
            readings map;
            map_read(&c->in[0], r.at, q.block, r.lanes, &map);
            for (int i = 0; i < r.lanes; i++)
                channel[r.c + i] =
                    (gn_soft){ map.m[i], map.s[i], map.u[i], map.v[i], map.s[i] * (gn_real)((r.c + i) % slices) };
        }
        for (int j = 0; j < a->joints; j++) {
            gn_soft all = gn_soft_none();
            for (int d = 0; d < slices; d++) all = gn_soft_merge(all, channel[j * slices + d]);
            all = gn_soft_end(all);
            if (saved) saved[n * a->joints + j] = all;
            const gn_real place[3] = { all.u, all.v, all.w };
            for (int k = 0; k < axes; k++)
                gn_put(c->out[0].data, c->out[0].type, (n * a->joints + j) * axes + k, place[k]);
        }
    }
    return GN_OK;
}

/* What a run of channels needs of its joints; channels past the last get no pull. */
static pulls pulls_of(const gn_call *c, int64_t n, int64_t ch, gn_real v_pull[GN_LANES],
                      gn_real v_mean[GN_LANES]) {
    const gn_softargmax_attr *a = c->attr;
    const int slices = a->depth ? a->depth : 1, axes = a->depth ? 3 : 2;
    pulls q = { { 0 }, { 0 }, { 0 }, { 0 } };
    for (int i = 0; i < GN_LANES; i++) {
        int64_t j = n * a->joints + (ch + i) / slices;
        v_pull[i] = v_mean[i] = 0;
        if (ch + i >= (int64_t)a->joints * slices) continue;
        gn_soft s = ((const gn_soft *)c->saved[0].data)[j];
        gn_real g[3] = { 0 };
        for (int k = 0; k < axes; k++) g[k] = gn_get(c->d_out[0].data, c->d_out[0].type, j * axes + k);
        q.m[i] = s.m;
        q.one_over_s[i] = 1 / s.s;
        q.gu[i] = g[0];
        q.lever[i] = g[2] * ((gn_real)((ch + i) % slices) - s.w) - g[0] * s.u;
        v_pull[i] = g[1];
        v_mean[i] = s.v;
    }
    return q;
}

static gn_status backward(const gn_call *c) {
    const gn_tensor *x = &c->in[0], *d = &c->d_in[0];
    const gn_planes q = gn_planes_of(x);
    const int64_t h = x->shape.d[2], w = x->shape.d[3];
    const how put = !(c->first & 1) ? ADD : d->type == GN_TYPE_REAL && gn_tensor_bytes(d) > CACHE ? STREAM : WRITE;
    for (int64_t n = 0; n < q.n && d->data; n++)
        for (run r = { 0 }; next(&q, n, &r);) {
            gn_real v_pull[GN_LANES], v_mean[GN_LANES];
            const pulls whole = pulls_of(c, n, r.c, v_pull, v_mean);
            for (int64_t y = 0; y < h; y++) {
                pulls row = whole;
                int64_t at = r.at + y * w * q.block;
                for (int i = 0; i < GN_LANES; i++) row.lever[i] += v_pull[i] * ((gn_real)y - v_mean[i]);
                if (put == STREAM && r.lanes == GN_LANES && q.block % GN_LANES == 0)
                    row_pull(x->data, d->data, GN_TYPE_REAL, at, q.block, w, GN_LANES, &row, STREAM);
                else if (put == WRITE && r.lanes == GN_LANES && x->type == GN_TYPE_REAL)
                    row_pull(x->data, d->data, GN_TYPE_REAL, at, q.block, w, GN_LANES, &row, WRITE);
                else if (put == WRITE && r.lanes == GN_LANES)
                    row_pull(x->data, d->data, GN_TYPE_BF16, at, q.block, w, GN_LANES, &row, WRITE);
                else row_pull(x->data, d->data, x->type, at, q.block, w, r.lanes, &row, put ? WRITE : ADD);
            }
        }
    gn_stream_fence();
    return GN_OK;
}

const gn_op gn_op_softargmax = {
    .name = "softargmax",
    .shape = shape,
    .plan = { plan, gn_softargmax_plan_cuda },
    .forward = { forward, gn_softargmax_forward_cuda },
    .backward = { backward, gn_softargmax_backward_cuda },
};
