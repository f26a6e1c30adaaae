/* bilinear.h - a map's value between its cell centres.
 *
 * Points outside the centres of the border cells read the border, and pull no more in that direction. */
#ifndef GN_BILINEAR_H
#define GN_BILINEAR_H
#include "gnomon/formula.h"

typedef struct {
    int32_t low, high; /* neighbours on one axis; equal where the axis has one cell */
    gn_real share;     /* of `high` */
    gn_real moves;     /* d share / d coordinate: 1, or 0 outside */
} gn_between;

GN_FN gn_between gn_between_at(gn_real x, int32_t cells) {
    gn_between b = { 0, 0, GN_R(0), GN_R(0) };
    gn_real last = (gn_real)(cells - 1);
    if (!(x >= GN_R(0))) return b; /* NaN too: it has no place */
    b.low = cells > 1 && x < last ? (int32_t)x : cells > 1 ? cells - 2 : 0;
    b.high = cells > 1 ? b.low + 1 : 0;
    b.share = cells > 1 ? gn_clamp(x - (gn_real)b.low, GN_R(0), GN_R(1)) : GN_R(0);
    b.moves = cells > 1 && x <= last ? GN_R(1) : GN_R(0);
    return b;
}

/* f[row][column] of the four neighbours */
GN_FN gn_real gn_bilinear(gn_real f00, gn_real f01, gn_real f10, gn_real f11, gn_real share_u,
                          gn_real share_v) {
    gn_real top = f00 + (f01 - f00) * share_u, bottom = f10 + (f11 - f10) * share_u;
    return top + (bottom - top) * share_v;
}
#endif
