/* ray.h - a joint lies on the ray through its 2D joint (C3P's L_2d, 2.2.1).
 *
 * With v = ((u - cx)/fx, (v - cy)/fy, 1) the ray and p the joint in the camera's frame,
 *
 *     paper           |p_z v - p| / |v| / |p|        offset at the joint's own depth
 *     perpendicular   |p - (p.n) n| / |p|            n = v/|v|: the sine of the angle between them
 *
 * No unit, no focal length, and sliding along the ray changes nothing. */
#ifndef GN_LOSS_RAY_H
#define GN_LOSS_RAY_H
#include "loss/absolute.h"

#define RAY_OPTIONS(O, C)                                                              \
    C(form, paper, "paper|perpendicular", "how the distance from the ray is measured") \
    C(confidence, none, "none|own", "weight of a joint; the authors' code has none")
typedef struct { RAY_OPTIONS(GN_MEMBER_O, GN_MEMBER_C) } ray_options;
enum { RAY_PAPER, RAY_PERPENDICULAR };
enum { RAY_NONE, RAY_OWN };

GN_FN int ray_terms(const gn_group *g) { return g->y->J; }

GN_FN int ray_offers(const ray_options *o, const gn_group *g, int t) {
    (void)o;
    return g->y->labelled2d[t];
}

GN_FN gn_real ray_term(const ray_options *o, const gn_group *g, int t, gn_pull *pull) {
    const gn_labels *y = g->y;
    const gn_real *c = y->camera;
    gn_vec3 p = absolute_read(g->x, t), d, slope;
    gn_real vx = (y->joints2d[2 * t] - c[2]) / c[0], vy = (y->joints2d[2 * t + 1] - c[3]) / c[1];
    gn_real size = sqrt(vx * vx + vy * vy + GN_R(1)), far = sqrt(p.x * p.x + p.y * p.y + p.z * p.z);
    gn_real w = o->confidence == RAY_OWN ? absolute_confidence(y, t) : GN_R(1);

    gn_real along = (p.x * vx + p.y * vy + p.z) / (size * size);
    if (o->form == RAY_PAPER)
        d = gn_vec3_make(p.x - p.z * vx, p.y - p.z * vy, GN_R(0));
    else
        d = gn_vec3_make(p.x - along * vx, p.y - along * vy, p.z - along);
    gn_real n = sqrt(d.x * d.x + d.y * d.y + d.z * d.z);
    if (n == GN_R(0) || far == GN_R(0)) return GN_R(0);

    gn_real unit = o->form == RAY_PAPER ? size : GN_R(1), value = n / (unit * far);
    gn_real k = w / (n * unit * far), back = w * value / (far * far);
    slope = gn_vec3_make(k * d.x - back * p.x, k * d.y - back * p.y, k * d.z - back * p.z);
    if (o->form == RAY_PAPER) slope.z -= k * (d.x * vx + d.y * vy);
    absolute_pull(pull, g->x, 0, t, slope);
    return w * value;
}
#endif
#define GN_T ray_options
GN_LOSS(ray, RAY_OPTIONS, "3D joints lie on the rays through the 2D joints (C3P 2022)",
        GN_READ2(pose, 3, root, 3), 1, 1, GN_HAS_joints2d | GN_HAS_labelled2d | GN_HAS_camera)
#undef GN_T
