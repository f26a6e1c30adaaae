/* heatmap.h - the target a label draws on a map, and points read off maps.
 *
 * Cells have their centres at integers. The paper's kernel is 7x7 with sigma 1.75 cells about the cell
 * that holds the point, peak 1 (Zhou 2017 A3.5); the exact one is a Gaussian about the point itself. */
#ifndef GN_HEATMAP_H
#define GN_HEATMAP_H
#include "gnomon/formula.h"

#define GN_TARGETS "exact|paper"
enum { GN_TARGET_EXACT, GN_TARGET_PAPER };
#define GN_TARGET_PAPER_SIGMA GN_R(1.75)
#define GN_TARGET_PAPER_REACH 3

/* A target along one axis: the kernel is a product of two. Cells [first, last] hold all of it that is
 * not 0 in float: 6 sigma, e^-18. */
typedef struct {
    gn_real centre, fall; /* value is e^(-fall (cell - centre)^2) */
    int first, last;
} gn_target;

GN_FN gn_target gn_target_make(int form, gn_real sigma, gn_real at, int cells) {
    gn_target t;
    at = at > GN_R(-1e6) ? fmin(at, GN_R(1e6)) : GN_R(-1e6); /* a wild label stays within int */
    t.centre = form == GN_TARGET_PAPER ? floor(at + GN_R(0.5)) : at;
    if (form == GN_TARGET_PAPER) sigma = GN_TARGET_PAPER_SIGMA;
    t.fall = GN_R(0.5) / (sigma * sigma);
    gn_real reach = form == GN_TARGET_PAPER ? GN_R(GN_TARGET_PAPER_REACH) : GN_R(6) * sigma;
    t.first = (int)ceil(t.centre - reach);
    t.last = (int)floor(t.centre + reach);
    if (t.first < 0) t.first = 0;
    if (t.last > cells - 1) t.last = cells - 1;
    return t;
}
GN_FN gn_real gn_target_value(gn_target t, int cell) { return exp(-t.fall * gn_sq(GN_R(cell) - t.centre)); }

/* The authors' decoding along one axis: the highest cell, moved a quarter towards the higher neighbour
 * unless it lies on the border (A3.6; their +0.5 is our centres at integers). */
GN_FN gn_real gn_decode_quarter(int cell, int cells, gn_real before, gn_real after) {
    gn_real step = after > before ? GN_R(0.25) : after < before ? GN_R(-0.25) : GN_R(0);
    return GN_R(cell) + (cell > 0 && cell < cells - 1 ? step : GN_R(0));
}

/* Sub-pixel along one axis: the top of the parabola through three values. Of logits, or of logarithms
 * where heat is positive, this is exact for a Gaussian. The cell itself where the three are no peak. */
GN_FN gn_real gn_decode_peak(int cell, int cells, gn_real before, gn_real at, gn_real after) {
    gn_real bend = before - GN_R(2) * at + after;
    if (!(cell > 0 && cell < cells - 1 && bend < GN_R(0))) return GN_R(cell);
    return GN_R(cell) + gn_clamp(GN_R(0.5) * (before - after) / bend, GN_R(-0.5), GN_R(0.5));
}
#endif
