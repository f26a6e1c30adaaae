/* penalty.h - how far off becomes how bad: squared, absolute, Huber. */
#ifndef GN_PENALTY_H
#define GN_PENALTY_H
#include "gnomon/formula.h"

#define GN_PENALTIES "squared|l1|huber"
enum { GN_SQUARED, GN_L1, GN_HUBER };

/* Value of one coordinate's error and its slope. */
GN_FN gn_real gn_penalty(int form, gn_real x, gn_real knee, gn_real *slope) {
    if (form == GN_L1) {
        *slope = x > GN_R(0) ? GN_R(1) : x < GN_R(0) ? GN_R(-1) : GN_R(0);
        return fabs(x);
    }
    if (form == GN_HUBER) {
        *slope = gn_huber_slope(x, knee);
        return gn_huber(x, knee);
    }
    *slope = GN_R(2) * x;
    return x * x;
}

/* Of a vector of length n: n^2 up to the knee, then a line; knee 0: always n^2. The slope along the
 * vector is *factor times the vector. */
GN_FN gn_real gn_square_kneed(gn_real n, gn_real knee, gn_real *factor) {
    if (!(knee > GN_R(0)) || n <= knee) {
        *factor = GN_R(2);
        return n * n;
    }
    *factor = GN_R(2) * knee / n;
    return knee * (GN_R(2) * n - knee);
}
#endif
