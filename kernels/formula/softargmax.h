/* softargmax.h - the expected position under a softmax over a map or a volume.
 *
 *     p_i = exp(l_i - m) / s        u = sum p_i u_i,  v and w alike
 *
 * gn_soft is a reading that may stop anywhere: m the largest logit met, s, u, v, w the sums relative to
 * it. Readings of disjoint cells merge, so a lane, a warp and a block use the same functions. Positions
 * are cell centres: column 0 is u = 0, the last is u = W-1; v counts rows, w slices. */
#ifndef GN_SOFTARGMAX_FORMULA_H
#define GN_SOFTARGMAX_FORMULA_H
#include "gnomon/formula.h"

typedef struct {
    gn_real m, s, u, v, w;
} gn_soft;

typedef union {
    float value;
    int32_t bits;
} gn_exp_bits;

/* e^x for x <= 0, within 3e-7 of itself; e^-87 below -87. In float, 2^n times a Taylor polynomial of the
 * rest, |r| <= ln(2)/2, free of calls and branches so that loops over it become vectors; in double, exp. */
GN_FN gn_real gn_exp_below_0(gn_real x) {
    if (sizeof(gn_real) > sizeof(float)) return exp(x);
    float t = (float)x < -87.0f ? -87.0f : (float)x;
    gn_exp_bits n, scale;
    n.value = t * 1.44269504f + 12582912.0f; /* 1.5 2^23: the sum's low bits are the nearest integer */
    float k = n.value - 12582912.0f;
    float r = (t - k * 0.693145752f) - k * 1.42860677e-6f; /* ln 2 in two parts */
    float p = 1.0f / 720.0f;
    p = p * r + 1.0f / 120.0f;
    p = p * r + 1.0f / 24.0f;
    p = p * r + 1.0f / 6.0f;
    p = p * r + 0.5f;
    p = p * r + 1.0f;
    p = p * r + 1.0f;
    scale.bits =
        (int32_t)((uint32_t)(n.bits - 0x4b400000 + 127) << 23); /* a NaN may shift out what it likes */
    return GN_R(p * scale.value);
}

GN_FN gn_soft gn_soft_none(void) {
    gn_soft a = { GN_R(-INFINITY), GN_R(0), GN_R(0), GN_R(0), GN_R(0) };
    return a;
}

GN_FN gn_soft gn_soft_merge(gn_soft a, gn_soft b) {
    if (b.s == GN_R(0)) return a;
    if (a.s == GN_R(0)) return b;
    gn_real m = fmax(a.m, b.m), x = gn_exp_below_0(a.m - m), y = gn_exp_below_0(b.m - m);
    gn_soft c = { m, a.s * x + b.s * y, a.u * x + b.u * y, a.v * x + b.v * y, a.w * x + b.w * y };
    return c;
}

/* A finished reading: s as it is, u, v, w the expected position. */
GN_FN gn_soft gn_soft_end(gn_soft a) {
    gn_soft c = { a.m, a.s, a.u / a.s, a.v / a.s, a.w / a.s };
    return c;
}

/* d (gu u + gv v + gw w) / d logit = p (gu (u_i - u) + gv (v_i - v) + gw (w_i - w)) */
GN_FN gn_real gn_soft_pull(gn_real logit, gn_real m, gn_real one_over_s, gn_real lever) {
    return gn_exp_below_0(logit - m) * one_over_s * lever;
}
#endif
