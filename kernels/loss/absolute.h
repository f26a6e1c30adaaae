/* absolute.h - a joint in the camera's frame: the pose about the root, plus the root where it is an
 * output of its own (Li 2020 B1). Losses that use it read pose [J 3] and, unless left out, root [1 3]. */
#ifndef GN_LOSS_ABSOLUTE_H
#define GN_LOSS_ABSOLUTE_H
#include "formula/camera.h"
#include "formula/penalty.h"
#include "gnomon/loss.h"

GN_FN gn_vec3 absolute_read(const gn_points *x, int j) {
    const gn_real *p = x->out[0] + 3 * j, *r = x->out[1];
    return r ? gn_vec3_make(p[0] + r[0], p[1] + r[1], p[2] + r[2]) : gn_vec3_make(p[0], p[1], p[2]);
}

GN_FN void absolute_pull(gn_pull *p, const gn_points *x, int view, int j, gn_vec3 d) {
    gn_pull_add(p, view, 0, j, d.x, d.y, d.z);
    if (x->out[1]) gn_pull_add(p, view, 1, 0, d.x, d.y, d.z);
}

GN_FN gn_real absolute_confidence(const gn_labels *y, int j) {
    return y->has & GN_HAS_confidence2d ? y->confidence2d[j] : GN_R(1);
}

/* How far the projection of q misses joint j of a view, squared up to the knee; *pull is its slope in q. */
GN_FN gn_real absolute_miss(const gn_labels *y, int j, gn_vec3 q, gn_real least, gn_real knee,
                            gn_vec3 *pull) {
    gn_pixel at = gn_project(y->camera, q, least);
    gn_real du = at.u - y->joints2d[2 * j], dv = at.v - y->joints2d[2 * j + 1], factor;
    gn_real value = gn_square_kneed(sqrt(du * du + dv * dv), knee, &factor);
    *pull = gn_project_pull(at, factor * du, factor * dv);
    return value;
}

/* Term t of the ordered pairs of views, joint by joint. */
typedef struct { int from, to, joint; } absolute_pair;
GN_FN absolute_pair absolute_pair_of(const gn_group *g, int t) {
    absolute_pair p;
    int k = t / g->y->J;
    p.joint = t % g->y->J;
    p.from = k / (g->views - 1);
    p.to = k % (g->views - 1);
    p.to += p.to >= p.from;
    return p;
}
GN_FN int absolute_pairs(const gn_group *g) { return g->views * (g->views - 1) * g->y->J; }
#endif
