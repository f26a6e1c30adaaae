/* reproject.h - the pose, projected, meets the 2D joints of its own view (Li 2020 eq. 2).
 *
 *     w |projection(pose + root) - joint|^2,   pixels, w the detector's confidence */
#ifndef GN_LOSS_REPROJECT_H
#define GN_LOSS_REPROJECT_H
#include "loss/absolute.h"

#define REPROJECT_OPTIONS(O, C)                                                               \
    O(least_depth, 0.1, 1e-3, 10, "metres: points nearer than this are projected from there") \
    O(knee, 0, 0, 1e4, "pixels beyond which the error grows linearly; 0: never")              \
    C(confidence, own, "own|none", "weight of a joint")
typedef struct { REPROJECT_OPTIONS(GN_MEMBER_O, GN_MEMBER_C) } reproject_options;
enum { REPROJECT_OWN, REPROJECT_NONE };

GN_FN int reproject_terms(const gn_group *g) { return g->y->J; }

GN_FN int reproject_offers(const reproject_options *o, const gn_group *g, int t) {
    (void)o;
    return g->y->labelled2d[t];
}

GN_FN gn_real reproject_term(const reproject_options *o, const gn_group *g, int t, gn_pull *p) {
    gn_real w = o->confidence == REPROJECT_OWN ? absolute_confidence(g->y, t) : GN_R(1);
    gn_vec3 d;
    gn_real value = absolute_miss(g->y, t, absolute_read(g->x, t), o->least_depth, o->knee, &d);
    absolute_pull(p, g->x, 0, t, gn_vec3_make(w * d.x, w * d.y, w * d.z));
    return w * value;
}
#endif
#define GN_T reproject_options
GN_LOSS(reproject, REPROJECT_OPTIONS, "projected 3D joints meet the 2D joints (Li 2020)",
        GN_READ2(pose, 3, root, 3), 1, 1, GN_HAS_joints2d | GN_HAS_labelled2d | GN_HAS_camera)
#undef GN_T
