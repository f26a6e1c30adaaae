/* depth.h - supervised depth of each joint below the root, half-picture units (Zhou 2017 A2.1). */
#ifndef GN_LOSS_DEPTH_H
#define GN_LOSS_DEPTH_H
#include "formula/penalty.h"
#include "gnomon/loss.h"

#define DEPTH_OPTIONS(O, C)                                                             \
    C(form, squared, GN_PENALTIES, "of a joint's error")                                \
    O(knee, 0.1, 1e-6, 10, "huber: half pictures at which the parabola becomes a line") \
    C(share, sample, "sample|joint",                                                    \
      "sample: a sample's joints are averaged, as in the paper; joint: each counts 1")
typedef struct { DEPTH_OPTIONS(GN_MEMBER_O, GN_MEMBER_C) } depth_options;
enum { DEPTH_SAMPLE, DEPTH_JOINT };

GN_FN int depth_terms(const gn_group *g) { return g->y->J; }

GN_FN int depth_offers(const depth_options *o, const gn_group *g, int t) {
    (void)o;
    return g->y->labelled3d[t];
}

GN_FN gn_real depth_term(const depth_options *o, const gn_group *g, int t, gn_pull *p) {
    const gn_labels *y = g->y;
    int n = 0;
    for (int j = 0; j < y->J; j++) n += y->labelled3d[j] != 0;
    gn_real share = o->share == DEPTH_SAMPLE ? GN_R(1) / GN_R(n) : GN_R(1), slope;
    gn_real value = gn_penalty(o->form, g->x->out[0][t] - y->depth[t], o->knee, &slope);
    gn_pull_add(p, 0, 0, t, share * slope, GN_R(0), GN_R(0));
    return share * value;
}
#endif
#define GN_T depth_options
GN_LOSS(depth, DEPTH_OPTIONS, "supervised depth of the joints", GN_READ1(depth, 1), 1, 1,
        GN_HAS_depth | GN_HAS_labelled3d)
#undef GN_T
