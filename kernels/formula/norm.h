/* norm.h - batch normalisation of one number.
 *
 *     xhat = (x - mean) / sqrt(variance + 1e-5)      y = scale xhat + shift
 *     dx = scale / std (dy - mean(dy) - xhat mean(dy xhat))      means over the batch, a channel */
#ifndef GN_NORM_FORMULA_H
#define GN_NORM_FORMULA_H
#include "gnomon/formula.h"

#define GN_NORM_EPSILON 1e-5
#define GN_NORM_MOMENTUM 0.1 /* of the running statistics; their variance is the unbiased one */

/* slope = scale/std */
GN_FN gn_real gn_norm_at(gn_real x, gn_real mean, gn_real slope, gn_real shift) {
    return (x - mean) * slope + shift;
}

GN_FN gn_real gn_norm_pull(gn_real dy, gn_real xhat, gn_real slope, gn_real mean_dy, gn_real mean_dy_xhat) {
    return slope * (dy - mean_dy - xhat * mean_dy_xhat);
}
#endif
