/* position.h - supervised 3D joints, metres. */
#ifndef GN_LOSS_POSITION_H
#define GN_LOSS_POSITION_H
#include "formula/penalty.h"
#include "gnomon/loss.h"

#define POSITION_OPTIONS(O, C)                                                    \
    C(form, squared, GN_PENALTIES, "of each coordinate's error")                  \
    O(knee, 0.05, 1e-6, 10, "huber: metres at which the parabola becomes a line") \
    C(about, root, "root|camera", "what the model's joints are relative to")
typedef struct { POSITION_OPTIONS(GN_MEMBER_O, GN_MEMBER_C) } position_options;
enum { POSITION_ROOT, POSITION_CAMERA };

GN_FN int position_terms(const gn_group *g) { return g->y->J; }

GN_FN int position_offers(const position_options *o, const gn_group *g, int t) {
    const gn_labels *y = g->y;
    const int root = y->skeleton->root;
    return y->labelled3d[t] && (o->about == POSITION_CAMERA || (root >= 0 && y->labelled3d[root]));
}

GN_FN gn_real position_term(const position_options *o, const gn_group *g, int t, gn_pull *p) {
    const gn_labels *y = g->y;
    const gn_real *x = g->x->out[0] + 3 * t, *truth = y->joints3d + 3 * t;
    gn_real value = GN_R(0), slope[3];
    for (int k = 0; k < 3; k++) {
        gn_real target = o->about == POSITION_ROOT ? truth[k] - y->joints3d[3 * y->skeleton->root + k] : truth[k];
        value += gn_penalty(o->form, x[k] - target, o->knee, &slope[k]);
    }
    gn_pull_add(p, 0, 0, t, slope[0], slope[1], slope[2]);
    return value;
}
#endif
#define GN_T position_options
GN_LOSS(position, POSITION_OPTIONS, "supervised 3D joints", GN_READ1(joints, 3), 1, 1,
        GN_HAS_joints3d | GN_HAS_labelled3d)
#undef GN_T
