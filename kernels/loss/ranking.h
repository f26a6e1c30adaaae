/* ranking.h - pairwise depth ranking (Chen 2016; WSP 2.1.1).
 *
 * A pair says which of two joints is farther: r = +1 when a is, -1 when b is, 0 when they are level.
 * Depth z grows away from the camera. With d = z_a - z_b a term is
 *
 *     r != 0   soft    softplus(slope (margin - r d))     never stops pulling, has no kink
 *              hinge   max(0, margin - r d)
 *     r == 0   soft    level d^2
 *              hinge   level |d| */
#ifndef GN_LOSS_RANKING_H
#define GN_LOSS_RANKING_H
#include "gnomon/loss.h"

#define RANKING_OPTIONS(O, C)                                                  \
    C(form, soft, "soft|hinge", "how a pair in the wrong order is charged")    \
    O(margin, 0, 0, 10, "by which the farther joint must win, units of depth") \
    O(slope, 1, 1e-3, 1e3, "soft: sharpness, 1 / units of depth")              \
    O(level, 1, 0, 1e3, "weight of pairs that are level")
typedef struct { RANKING_OPTIONS(GN_MEMBER_O, GN_MEMBER_C) } ranking_options;
enum { RANKING_SOFT, RANKING_HINGE };

GN_FN int ranking_terms(const gn_group *g) { return g->y->P; }

GN_FN int ranking_offers(const ranking_options *o, const gn_group *g, int t) {
    (void)o;
    return g->y->order[3 * t] != g->y->order[3 * t + 1];
}

GN_FN gn_real ranking_term(const ranking_options *o, const gn_group *g, int t, gn_pull *p) {
    int a = g->y->order[3 * t], b = g->y->order[3 * t + 1], r = g->y->order[3 * t + 2];
    gn_real d = g->x->out[0][a] - g->x->out[0][b], value, slope;
    if (r == 0) {
        value = o->form == RANKING_SOFT ? d * d : fabs(d);
        slope = o->form == RANKING_SOFT ? GN_R(2) * d
                : d > GN_R(0)           ? GN_R(1)
                : d < GN_R(0)           ? GN_R(-1)
                                        : GN_R(0);
        value *= o->level;
        slope *= o->level;
    } else if (o->form == RANKING_SOFT) {
        gn_real s = o->slope * (o->margin - GN_R(r) * d);
        value = gn_softplus(s);
        slope = -GN_R(r) * o->slope * gn_sigmoid(s);
    } else {
        gn_real s = o->margin - GN_R(r) * d;
        value = s <= GN_R(0) ? GN_R(0) : s; /* NaN stays */
        slope = s > GN_R(0) ? -GN_R(r) : GN_R(0);
    }
    gn_pull_add(p, 0, 0, a, slope, GN_R(0), GN_R(0));
    gn_pull_add(p, 0, 0, b, -slope, GN_R(0), GN_R(0));
    return value;
}
#endif
#define GN_T ranking_options
GN_LOSS(ranking, RANKING_OPTIONS, "depth order of pairs of joints", GN_READ1(depth, 1), 1, 1, GN_HAS_order)
#undef GN_T
