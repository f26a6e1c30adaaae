/* wgrad.h - the gradient of a bf16 convolution's weights, by our own loops.
 *
 * For processors that multiply pairs of bf16; x and dy in blocks of 16 channels, stride 1, kernel 1 or 3. */
#ifndef GN_CPU_WGRAD_H
#define GN_CPU_WGRAD_H
#include "conv.h"

/* Bytes of scratch; 0: not for this shape or processor. */
size_t gn_wgrad_scratch(const gn_conv_shape *s);
/* dw in the slab's [O/16][I/16][kh][kw][16][16]; db may be NULL */
void gn_wgrad(const gn_conv_shape *s, const uint16_t *x, const uint16_t *dy, gn_real *dw, gn_real *db, void *scratch);
#endif
