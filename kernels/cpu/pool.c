/* pool.c - the largest of each window of size x size; windows do not overlap.
 *
 * Of equal values the first wins, row by row; NaN beats all. saved[0] keeps the winner's place in
 * its window, so backward needs neither input nor output. */
#include "gnomon/attr.h"
#include "gnomon/op.h"
#include "lanes.h"

static gn_status shape(const void *attr, int n_in, const gn_shape *in, gn_op_shape *s) {
    int size = ((const gn_pool_attr *)attr)->size;
    (void)n_in;
    if (in->n != 4) GN_FAIL(BAD_SHAPE, "pool wants [N C H W], got %s", gn_shape_text(in));
    if (size < 1 || size > 15 || in->d[2] % size || in->d[3] % size)
        GN_FAIL(BAD_SHAPE, "pool of %s wants sides that are multiples of %d (1 to 15)", gn_shape_text(in), size);
    s->out = (gn_shape){ 4, { in->d[0], in->d[1], in->d[2] / size, in->d[3] / size } };
    s->saved[0] = s->out;
    s->saved_type[0] = GN_TYPE_U8;
    return GN_OK;
}

/* One row of windows: `lanes` channels from `lane` on; in and out rows are [places][step]. */
typedef struct { int64_t in, out, windows, row, step; int size, lanes; } rows;

typedef uint8_t bytes __attribute__((vector_size(GN_LANES)));

GN_INLINE void largest(const void *x, void *y, uint8_t *at, gn_type type, rows r, int lanes) {
    for (int64_t w = 0; w < r.windows; w++) {
        int64_t from = r.in + w * r.size * r.step, to = r.out + w * r.step;
        gn_lanes best, v;
        gn_lanes_mask where = { 0 };
        gn_lanes_get(&best, x, type, from, lanes);
        for (int k = 1; k < r.size * r.size; k++) {
            gn_lanes_get(&v, x, type, from + k / r.size * r.row + k % r.size * r.step, lanes);
            gn_lanes_mask wins = (v > best) | (v != v);
            best = (gn_lanes)(((gn_lanes_mask)v & wins) | ((gn_lanes_mask)best & ~wins));
            where = (k & wins) | (where & ~wins);
        }
        gn_lanes_put(y, type, to, lanes, &best);
        const bytes place = __builtin_convertvector(where, bytes);
        memcpy(at + to, &place, (size_t)lanes);
    }
}

GN_INLINE void spread(const void *d_y, const uint8_t *at, void *d_x, gn_type type, int first, rows r, int lanes) {
    for (int64_t w = 0; w < r.windows; w++) {
        int64_t from = r.out + w * r.step;
        gn_lanes dy, d, old;
        bytes place = { 0 };
        gn_lanes_get(&dy, d_y, type, from, lanes);
        memcpy(&place, at + from, (size_t)lanes);
        const gn_lanes_mask where = __builtin_convertvector(place, gn_lanes_mask);
        for (int k = 0; k < r.size * r.size; k++) {
            int64_t to = r.in + w * r.size * r.step + k / r.size * r.row + k % r.size * r.step;
            gn_lanes_mask won = where == k;
            d = dy;
            gn_lanes_keep(&d, &won);
            if (!first) gn_lanes_get(&old, d_x, type, to, lanes), d += old;
            gn_lanes_put(d_x, type, to, lanes, &d);
        }
    }
}

/* The rows of windows of an activation, one after the other; i counts them from 0. */
static int rows_at(const gn_tensor *in, const gn_tensor *out, int size, int64_t i, rows *r) {
    gn_planes p = gn_planes_of(out);
    int64_t high = out->shape.d[2], wide = out->shape.d[3], parts = (p.block + GN_LANES - 1) / GN_LANES;
    if (i >= p.n * p.blocks * high * parts) return 0;
    int64_t lane = i % parts * GN_LANES, row = i / parts % high, plane = i / parts / high;
    int64_t left = p.block - lane, row_in = in->shape.d[3] * p.block;
    *r = (rows){ .in = (plane * high * size + row * size) * row_in + lane,
                 .out = (plane * high + row) * wide * p.block + lane,
                 .windows = wide, .row = row_in, .step = p.block, .size = size,
                 .lanes = left < GN_LANES ? (int)left : GN_LANES };
    return 1;
}

static gn_status forward(const gn_call *c) {
    int size = ((const gn_pool_attr *)c->attr)->size;
    const void *x = c->in->data;
    void *y = c->out->data;
    uint8_t *at = c->saved[0].data;
    rows r;
    for (int64_t i = 0; rows_at(c->in, c->out, size, i, &r); i++) {
        if (r.lanes == GN_LANES && c->in->type == GN_TYPE_REAL) largest(x, y, at, GN_TYPE_REAL, r, GN_LANES);
        else if (r.lanes == GN_LANES) largest(x, y, at, GN_TYPE_BF16, r, GN_LANES);
        else largest(x, y, at, c->in->type, r, r.lanes);
    }
    return GN_OK;
}

static gn_status backward(const gn_call *c) {
    int size = ((const gn_pool_attr *)c->attr)->size, first = c->first & 1;
    const void *d_y = c->d_out->data;
    void *d_x = c->d_in->data;
    const uint8_t *at = c->saved[0].data;
    rows r;
    if (!d_x) return GN_OK;
    for (int64_t i = 0; rows_at(c->d_in, c->d_out, size, i, &r); i++) {
        if (r.lanes == GN_LANES && c->d_in->type == GN_TYPE_REAL)
            spread(d_y, at, d_x, GN_TYPE_REAL, first, r, GN_LANES);
        else if (r.lanes == GN_LANES) spread(d_y, at, d_x, GN_TYPE_BF16, first, r, GN_LANES);
        else spread(d_y, at, d_x, c->d_in->type, first, r, r.lanes);
    }
    return GN_OK;
}

const gn_op gn_op_pool = {
    .name = "pool",
    .shape = shape,
    .plan = { NULL, gn_pool_plan_cuda },
    .forward = { forward, gn_pool_forward_cuda },
    .backward = { backward, gn_pool_backward_cuda },
    .forgets = 1,
    .leaves_rows = 1,
};
