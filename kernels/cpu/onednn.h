/* onednn.h - convolutions and products by the library, for one shape, planned once.
 *
 * `can` says which passes the library computes fast; the others are for our own loop. Weights and their
 * gradients are in the slab's layout, activations in blocks; with `planar`, x is [N C H W]. Executions
 * are single-threaded and take their scratch from the caller. */
#ifndef GN_ONEDNN_H
#define GN_ONEDNN_H
#include "conv.h"

typedef struct gn_onednn_conv gn_onednn_conv;
typedef struct {
    unsigned can;
    int planar;
    size_t scratch, shadow; /* bytes */
    const char *how[3];     /* the library's names: forward, data, weights */
} gn_onednn_conv_facts;

gn_status gn_onednn_conv_plan(const gn_conv_shape *s, gn_arena *a, gn_onednn_conv **conv,
                              gn_onednn_conv_facts *facts);
gn_status gn_onednn_conv_prepare(const gn_onednn_conv *conv, const gn_real *weights, void *shadow,
                                 void *scratch);
gn_status gn_onednn_conv_forward(const gn_onednn_conv *conv, const void *x, const gn_real *weights,
                                 const void *shadow, const gn_real *bias, void *y, void *scratch);
gn_status gn_onednn_conv_data(const gn_onednn_conv *conv, const void *d_y, const gn_real *weights,
                              const void *shadow, void *d_x, void *scratch);
gn_status gn_onednn_conv_weights(const gn_onednn_conv *conv, const void *x, const void *d_y,
                                 gn_real *d_weights, gn_real *d_bias, void *scratch);
/* C [m n] = A [m k] B [k n], row-major, either transposed; + C when beta is 1 */
gn_status gn_onednn_product(int ta, int tb, int64_t m, int64_t n, int64_t k, const float *a, const float *b,
                            float beta, float *c);
#endif
