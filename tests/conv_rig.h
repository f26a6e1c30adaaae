/* conv_rig.h - convolutions to try: a size, and a kind of what comes before and after. */
#ifndef CONV_RIG_H
#define CONV_RIG_H
#include "twin.h"

typedef struct { int c, o, k, stride, n, h, w; } size;
static const gn_type real = GN_TYPE_REAL, bf16 = GN_TYPE_BF16;
enum { BARE, RELU, NORM, NORM_RELU, ADD, ALL, KINDS };

static inline gn_conv_attr attr_of(size z, int kind) {
    return (gn_conv_attr){ .channels = z.o,
                           .kernel = z.k,
                           .stride = z.stride,
                           .norm = kind == NORM || kind == NORM_RELU || kind == ALL,
                           .relu = kind == RELU || kind == NORM_RELU || kind == ALL,
                           .bias = kind != RELU && kind != NORM,
                           .add = kind == ADD || kind == ALL };
}

static inline rig rig_of(const gn_conv_attr *a, size z, gn_type x, gn_type y) {
    const int pad = z.k / 2;
    rig r = { .op = &gn_op_conv, .attr = a, .n_in = 1 + a->add, .in_type = { x, y }, .out_type = y, .in_block = { z.c, z.o },
              .out_block = z.o, .scale = { 1.5 }, .shift = { 0.25 } };
    r.in_shape[0] = (gn_shape){ 4, { z.n, z.c, z.h, z.w } };
    r.in_shape[1] = (gn_shape){ 4, { z.n, z.o, (z.h + 2 * pad - z.k) / z.stride + 1, (z.w + 2 * pad - z.k) / z.stride + 1 } };
    return r;
}

/* Half the places for half the blocks (on_gpu.h): the same kernels. */
static inline size smaller(size z) { return z.h = cases(z.h, (z.h + 1) / 2), z; }

static inline void check(size z, int kind, gn_type x, gn_type y, int first) {
    z = smaller(z);
    const gn_conv_attr a = attr_of(z, kind);
    rig r = rig_of(&a, z, x, y);
    r.first = first, r.shards = 1 + kind % 3 / 2;
    twin_check(r);
}
#endif
