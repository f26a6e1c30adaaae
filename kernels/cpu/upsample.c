/* upsample.c - each place repeated factor x factor times (nearest), plus another activation, if given. */
#include "gnomon/attr.h"
#include "gnomon/op.h"
#include "lanes.h"
#include "norm.h"

static gn_status shape(const void *attr, int n_in, const gn_shape *in, gn_op_shape *s) {
    int factor = ((const gn_upsample_attr *)attr)->factor;
    if (in->n != 4) GN_FAIL(BAD_SHAPE, "upsample wants [N C H W], got %s", gn_shape_text(in));
    if (factor < 1) GN_FAIL(BAD_SHAPE, "upsample by %d", factor);
    s->out = (gn_shape){ 4, { in->d[0], in->d[1], in->d[2] * factor, in->d[3] * factor } };
    if (n_in > 1 && !gn_shape_same(&in[1], &s->out))
        GN_FAIL(BAD_SHAPE, "upsample by %d makes %s, cannot add %s", factor, gn_shape_text(&s->out), gn_shape_text(&in[1]));
    return GN_OK;
}

/* A row of the small map and its `factor` rows of the large one; elements of a row are [places][step]. */
GN_INLINE void repeat(const void *x, const void *add, void *y, gn_type type, int64_t places, int64_t factor, int64_t step,
                      int64_t lane, int lanes) {
    for (int64_t p = 0; p < places; p++) {
        gn_lanes v, sum;
        gn_lanes_get(&v, x, type, p * step + lane, lanes);
        for (int64_t f = 0; f < factor; f++)
            for (int64_t k = 0; k < factor; k++) {
                int64_t to = ((f * places + p) * factor + k) * step + lane;
                if (!add) sum = v;
                else gn_lanes_get(&sum, add, type, to, lanes), sum += v;
                gn_lanes_put(y, type, to, lanes, &sum);
            }
    }
}

GN_INLINE void gather(const void *d_y, void *d_x, gn_type type, int first, int64_t places, int64_t factor, int64_t step,
                      int64_t lane, int lanes) {
    for (int64_t p = 0; p < places; p++) {
        gn_lanes d = { 0 }, one;
        if (!first) gn_lanes_get(&d, d_x, type, p * step + lane, lanes);
        for (int64_t f = 0; f < factor; f++)
            for (int64_t k = 0; k < factor; k++) {
                gn_lanes_get(&one, d_y, type, ((f * places + p) * factor + k) * step + lane, lanes);
                d += one;
            }
        gn_lanes_put(d_x, type, p * step + lane, lanes, &d);
    }
}

/* body(type, first lane, how many of them): vector code for full lanes of either type */
#define EACH(type, step, BODY)                                                                 \
    for (int64_t l = 0; l < (step); l += GN_LANES) {                                           \
        const int64_t left = (step) - l;                                                       \
        if (left >= GN_LANES && (type) == GN_TYPE_REAL) BODY(GN_TYPE_REAL, l, GN_LANES);       \
        else if (left >= GN_LANES) BODY(GN_TYPE_BF16, l, GN_LANES);                            \
        else BODY(type, l, (int)left);                                                         \
    }

typedef struct { int64_t rows, places, factor, step; size_t bytes; } walk; /* over the small map */

static walk walk_of(const gn_call *c, const gn_tensor *small) {
    gn_planes p = gn_planes_of(small);
    return (walk){ p.n * p.blocks * small->shape.d[2], small->shape.d[3],
                   ((const gn_upsample_attr *)c->attr)->factor, p.block, gn_type_bytes(small->type) };
}

static gn_status forward(const gn_call *c) {
    walk w = walk_of(c, c->in);
    int64_t row = w.places * w.step;
    for (int64_t r = 0; r < w.rows; r++) {
        size_t large = (size_t)(r * row * w.factor * w.factor) * w.bytes;
        const char *x = (const char *)c->in->data + (size_t)(r * row) * w.bytes;
        const char *add = c->n_in > 1 ? (const char *)c->in[1].data + large : NULL;
        char *y = (char *)c->out->data + large;
#define BODY(type, lane, lanes) repeat(x, add, y, type, w.places, w.factor, w.step, lane, lanes)
        EACH(c->out->type, w.step, BODY)
#undef BODY
    }
    return GN_OK;
}

static gn_status backward(const gn_call *c) {
    if (c->d_in[0].data) {
        walk w = walk_of(c, &c->d_in[0]);
        int64_t row = w.places * w.step;
        int first = c->first & 1;
        for (int64_t r = 0; r < w.rows; r++) {
            const char *d_y = (const char *)c->d_out->data + (size_t)(r * row * w.factor * w.factor) * w.bytes;
            char *d_x = (char *)c->d_in[0].data + (size_t)(r * row) * w.bytes;
#define BODY(type, lane, lanes) gather(d_y, d_x, type, first, w.places, w.factor, w.step, lane, lanes)
            EACH(c->d_out->type, w.step, BODY)
#undef BODY
        }
    }
    if (c->n_in > 1 && c->d_in[1].data && c->d_in[1].data != c->d_out->data)
        gn_copy_or_add(c->d_out, &c->d_in[1], c->first >> 1 & 1);
    return GN_OK;
}

const gn_op gn_op_upsample = {
    .name = "upsample",
    .shape = shape,
    .plan = { NULL, gn_upsample_plan_cuda },
    .forward = { forward, gn_upsample_forward_cuda },
    .backward = { backward, gn_upsample_backward_cuda },
    .passes = 2,
    .forgets = 3,
    .leaves_rows = 1,
};
