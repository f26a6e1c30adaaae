/* attr.h - what each op is told by its builder; the same for every backend.
 *
 * An op that normalises (gn_op_shape.norm_channels > 0) runs forward in two phases when training: phase 0
 * leaves [sum x, sum x^2] of its shard in `sums`, phase 1 reads `total` and does the work, with [mean, 1/std]
 * into saved[0], which a forward-only plan has too. In evaluation it runs phase 1 alone, on the running statistics, which are the graph's to
 * move. Backward, phase 0: [sum dy, sum dy xhat] and all parameter gradients, scale and shift included, of
 * this shard; phase 1: the gradient of the input. `scratch` lasts through both phases of a backward. An op that does not
 * normalise runs once. Parameter gradients are written, never added. */
#ifndef GN_ATTR_H
#define GN_ATTR_H

typedef struct { int channels, height, width; } gn_input_attr;
typedef struct { int size; } gn_pool_attr;
typedef struct { int factor; } gn_upsample_attr; /* in: x, then what is added, if anything */

/* in: x, then the residual when `add`. param: weight, bias when `bias`, then scale, shift, mean, variance
 * when `norm`. Weights are [ceil(O/Bo)][ceil(I/Bi)][kh][kw][Bi][Bo], zeros in the padding; the rest [C]. */
typedef struct {
    int channels, kernel, stride; /* padding is kernel/2 */
    int norm, relu;               /* of the input, in this order, before the convolution */
    int bias, add;
} gn_conv_attr;

typedef struct { int relu; } gn_norm_attr; /* param: scale, shift, mean, variance */

/* in: [N C H W], flattened in C, H, W order, or [N C]; out: [N O]. param: weight, dense [O, C*H*W], bias when `bias`. */
typedef struct { int channels, bias; } gn_linear_attr;

typedef struct { double share; } gn_dropout_attr;              /* of elements set to 0 */
typedef struct { int joints, depth; } gn_softargmax_attr;      /* depth 0: maps [N J H W]; else [N J*D H W] */
/* gather has none */
#endif
