/* camera.h - pinhole projection, rays, and the way from one view to another.
 *
 * Camera frame x right, y down, z forward, metres. A view is the rigid transform [3 4] from the world:
 * p = R w + t. Li 2020's t is the camera's place in the world, -R^T t here (B2). */
#ifndef GN_CAMERA_H
#define GN_CAMERA_H
#include "gnomon/formula.h"

typedef struct { gn_real x, y, z; } gn_vec3;

GN_FN gn_vec3 gn_vec3_make(gn_real x, gn_real y, gn_real z) {
    gn_vec3 v;
    v.x = x;
    v.y = y;
    v.z = z;
    return v;
}

typedef struct {
    gn_real u, v;           /* pixels */
    gn_real ux, uz, vy, vz; /* d u / d x and so on; d u / d y = d v / d x = 0 */
} gn_pixel;

/* A depth below `least` is taken for `least`, and then does not move the pixel: near the camera's plane
 * the slope would have no bound. camera [4] fx fy cx cy. */
GN_FN gn_pixel gn_project(const gn_real *camera, gn_vec3 p, gn_real least) {
    gn_pixel at;
    int guarded = p.z <= least;
    gn_real z = guarded ? least : p.z;
    gn_real x = p.x / z, y = p.y / z;
    at.u = camera[0] * x + camera[2];
    at.v = camera[1] * y + camera[3];
    at.ux = camera[0] / z;
    at.vy = camera[1] / z;
    at.uz = guarded ? GN_R(0) : -at.ux * x;
    at.vz = guarded ? GN_R(0) : -at.vy * y;
    return at;
}

/* Slope of a function of the pixel, carried back to the point. */
GN_FN gn_vec3 gn_project_pull(gn_pixel at, gn_real gu, gn_real gv) {
    return gn_vec3_make(gu * at.ux, gv * at.vy, gu * at.uz + gv * at.vz);
}

GN_FN gn_vec3 gn_rotate(const gn_real *m, gn_vec3 p) { /* R p of [3 4] */
    return gn_vec3_make(m[0] * p.x + m[1] * p.y + m[2] * p.z, m[4] * p.x + m[5] * p.y + m[6] * p.z,
                        m[8] * p.x + m[9] * p.y + m[10] * p.z);
}
GN_FN gn_vec3 gn_rotate_back(const gn_real *m, gn_vec3 p) { /* R^T p */
    return gn_vec3_make(m[0] * p.x + m[4] * p.y + m[8] * p.z, m[1] * p.x + m[5] * p.y + m[9] * p.z,
                        m[2] * p.x + m[6] * p.y + m[10] * p.z);
}

/* The same point seen from another view, and a slope there carried back to here (eq. 3, 4). */
GN_FN gn_vec3 gn_to_view(const gn_real *from, const gn_real *to, gn_vec3 p) {
    gn_vec3 q =
        gn_rotate(to, gn_rotate_back(from, gn_vec3_make(p.x - from[3], p.y - from[7], p.z - from[11])));
    return gn_vec3_make(q.x + to[3], q.y + to[7], q.z + to[11]);
}
GN_FN gn_vec3 gn_to_view_pull(const gn_real *from, const gn_real *to, gn_vec3 slope) {
    return gn_rotate(from, gn_rotate_back(to, slope));
}
#endif
