/* agree.h - the poses of two views are one pose (Li 2020 eq. 6): |moved(pose of a) - pose of b|^2, metres.
 *
 * All joints on one point near where the cameras' axes meet is a minimum too: this is for pre-training. */
#ifndef GN_LOSS_AGREE_H
#define GN_LOSS_AGREE_H
#include "loss/absolute.h"

#define AGREE_OPTIONS(O, C) O(knee, 0, 0, 100, "metres beyond which the error grows linearly; 0: never")
typedef struct { AGREE_OPTIONS(GN_MEMBER_O, GN_MEMBER_C) } agree_options;

GN_FN int agree_terms(const gn_group *g) { return absolute_pairs(g); }

GN_FN int agree_offers(const agree_options *o, const gn_group *g, int t) {
    (void)o, (void)g, (void)t;
    return 1;
}

GN_FN gn_real agree_term(const agree_options *o, const gn_group *g, int t, gn_pull *p) {
    absolute_pair at = absolute_pair_of(g, t);
    const gn_real *from = g->y[at.from].pose_of_view, *to = g->y[at.to].pose_of_view;
    gn_vec3 a = gn_to_view(from, to, absolute_read(&g->x[at.from], at.joint));
    gn_vec3 b = absolute_read(&g->x[at.to], at.joint), d = gn_vec3_make(a.x - b.x, a.y - b.y, a.z - b.z);
    gn_real factor, value = gn_square_kneed(sqrt(d.x * d.x + d.y * d.y + d.z * d.z), o->knee, &factor);
    d = gn_vec3_make(factor * d.x, factor * d.y, factor * d.z);
    absolute_pull(p, &g->x[at.from], at.from, at.joint, gn_to_view_pull(from, to, d));
    absolute_pull(p, &g->x[at.to], at.to, at.joint, gn_vec3_make(-d.x, -d.y, -d.z));
    return value;
}
#endif
#define GN_T agree_options
GN_LOSS(agree, AGREE_OPTIONS, "the 3D joints of several views are one pose (Li 2020)",
        GN_READ2(pose, 3, root, 3), 1, 2, GN_HAS_pose_of_view)
#undef GN_T
