/* conv.h - a bare convolution over one shard, and who may compute it. */
#ifndef GN_CPU_CONV_H
#define GN_CPU_CONV_H
#include "gnomon/op.h"

enum { GN_CONV_FORWARD = 1, GN_CONV_DATA = 2, GN_CONV_WEIGHTS = 4 };

typedef struct {
    int64_t n, c, h, w, o, oh, ow;
    int kernel, stride, pad, bias;
    int in_block, out_block;
    gn_type work, out; /* of what it reads, x and the slope of y; of y as forward writes it */
} gn_conv_shape;
#endif
