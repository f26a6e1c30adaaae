/* norm.h - the passes of batch norm and ReLU over one shard, shared by the ops that normalise.
 *
 * x, g, y, d_x are activations of one shape and layout; each may be gn_real or bf16. `stat` is
 * [mean, 1/std], [2 C]; sums are [2 lanes], double, image by image, place by place: always in this order. */
#ifndef GN_CPU_NORM_H
#define GN_CPU_NORM_H
#include "gnomon/op.h"

typedef struct {
    const gn_real *stat, *scale, *shift; /* NULL: only the ReLU */
    int relu;
} gn_norm_by;

/* sums = [sum x, sum x^2] */
void gn_norm_sums(const gn_tensor *x, double *sums);
/* stat from the call's total when training, from running mean and variance in evaluation */
void gn_norm_stat(const gn_call *c, const gn_real *mean, const gn_real *variance, gn_real *stat);
/* y = relu(norm(x)) */
void gn_norm_apply(const gn_tensor *x, gn_norm_by by, const gn_tensor *y);
/* g is the slope of y: sums = [sum dy, sum dy xhat] with dy = g where the ReLU lets it through */
void gn_norm_back_sums(const gn_tensor *x, const gn_tensor *g, gn_norm_by by, double *sums);
/* d_x = or += the slope of x; total of the sums above over `count` places */
void gn_norm_back(const gn_tensor *x, const gn_tensor *g, gn_norm_by by, const double *total, int64_t count,
                  const gn_tensor *d_x, int first);
/* Gradients of scale and shift are the sums of this shard, as gn_norm_back_sums left them in the call's
 * `sums`. */
void gn_norm_slopes(const gn_call *c, const gn_tensor *d_scale, const gn_tensor *d_shift);
/* to = or += from, of one layout; the types may differ */
void gn_copy_or_add(const gn_tensor *from, const gn_tensor *to, int first);
#endif
