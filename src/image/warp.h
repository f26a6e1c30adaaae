/* warp.h - a stored picture as the network's input, in one pass. */
#ifndef GN_WARP_H
#define GN_WARP_H
#include <stdint.h>

/* out(x, y) = gain * in(A (x, y, 1)) / 255, cut to [0, 1]; A is [2 3] from out to in, out is [side side 3].
 * Bilinear; where a step spans more than one and a half stored pixels, the mean of several taps, lest small
 * pictures shimmer. More than half a pixel outside is mid-grey. `next`: a picture of the same size that will be
 * wanted next, fetched on the way; NULL: not known. */
void gn_warp_input(const uint8_t *in, int w, int h, const double A[6], const float gain[3], int side, const uint8_t *next,
                   float *out);
#endif
