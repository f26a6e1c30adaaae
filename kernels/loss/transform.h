/* transform.h - the pose of one view, moved into another and projected, meets the 2D joints there
 * (Li 2020 eq. 3-5). A term is an ordered pair of views and a joint.
 *
 * Eq. 5 weighs by the source view's confidence, although the error is measured in the target view. */
#ifndef GN_LOSS_TRANSFORM_H
#define GN_LOSS_TRANSFORM_H
#include "loss/absolute.h"

#define TRANSFORM_OPTIONS(O, C)                                                               \
    O(least_depth, 0.1, 1e-3, 10, "metres: points nearer than this are projected from there") \
    O(knee, 0, 0, 1e4, "pixels beyond which the error grows linearly; 0: never")              \
    C(confidence, source, "source|target|both|none", "whose 2D confidence weighs; both: the product")
typedef struct { TRANSFORM_OPTIONS(GN_MEMBER_O, GN_MEMBER_C) } transform_options;
enum { TRANSFORM_SOURCE, TRANSFORM_TARGET, TRANSFORM_BOTH, TRANSFORM_NONE };

GN_FN int transform_terms(const gn_group *g) { return absolute_pairs(g); }

GN_FN int transform_offers(const transform_options *o, const gn_group *g, int t) {
    (void)o;
    absolute_pair at = absolute_pair_of(g, t);
    return g->y[at.to].labelled2d[at.joint];
}

GN_FN gn_real transform_term(const transform_options *o, const gn_group *g, int t, gn_pull *p) {
    absolute_pair at = absolute_pair_of(g, t);
    const gn_labels *from = &g->y[at.from], *to = &g->y[at.to];
    gn_real w = GN_R(1);
    if (o->confidence == TRANSFORM_SOURCE || o->confidence == TRANSFORM_BOTH)
        w *= absolute_confidence(from, at.joint);
    if (o->confidence == TRANSFORM_TARGET || o->confidence == TRANSFORM_BOTH)
        w *= absolute_confidence(to, at.joint);

    gn_vec3 q = gn_to_view(from->pose_of_view, to->pose_of_view, absolute_read(&g->x[at.from], at.joint)), d;
    gn_real value = absolute_miss(to, at.joint, q, o->least_depth, o->knee, &d);
    d = gn_to_view_pull(from->pose_of_view, to->pose_of_view, d);
    absolute_pull(p, &g->x[at.from], at.from, at.joint, gn_vec3_make(w * d.x, w * d.y, w * d.z));
    return w * value;
}
#endif
#define GN_T transform_options
GN_LOSS(transform, TRANSFORM_OPTIONS, "a view's 3D joints meet the 2D joints of the others (Li 2020)",
        GN_READ2(pose, 3, root, 3), 1, 2,
        GN_HAS_joints2d | GN_HAS_labelled2d | GN_HAS_camera | GN_HAS_pose_of_view)
#undef GN_T
