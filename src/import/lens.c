/* lens.c - what a glass does to a pinhole's picture.
 *
 * With x = X/Z, y = Y/Z, r2 = x x + y y, q = 1 + k1 r2 + k2 r2^2 + k3 r2^3 + t (p1 y + p2 x): the point is seen at
 * (q x + p2 r2, q y + p1 r2). t is 2 in OpenCV, whose form this is then, and 1 in Human3.6M. */
#include "gnomon/import.h"
#include <math.h>

enum { STEPS = 30 };

static void bend(const gn_lens *l, const double at[2], double to[2]) {
    double x = at[0], y = at[1], r2 = x * x + y * y, t = l->tangent > 0 ? l->tangent : 2;
    double q = 1 + r2 * (l->k[0] + r2 * (l->k[1] + r2 * l->k[2])) + t * (l->p[0] * y + l->p[1] * x);
    to[0] = q * x + l->p[1] * r2;
    to[1] = q * y + l->p[0] * r2;
}

static void onto(const gn_lens *l, const double at[2], double uv[2]) {
    for (int k = 0; k < 2; k++) uv[k] = l->f[k] * at[k] + l->c[k];
}
static void back(const gn_lens *l, const double uv[2], double at[2]) {
    for (int k = 0; k < 2; k++) at[k] = (uv[k] - l->c[k]) / l->f[k];
}

static int plain(const gn_lens *l) {
    return l->k[0] == 0 && l->k[1] == 0 && l->k[2] == 0 && l->p[0] == 0 && l->p[1] == 0;
}

void gn_lens_project(const gn_lens *l, const double xyz[3], double uv[2]) {
    const double at[2] = { xyz[0] / xyz[2], xyz[1] / xyz[2] };
    double bent[2];
    bend(l, at, bent);
    onto(l, bent, uv);
}

void gn_lens_bend(const gn_lens *l, const double uv[2], double to[2]) {
    double at[2], bent[2];
    back(l, uv, at);
    bend(l, at, bent);
    onto(l, bent, to);
}

/* By fixed point: what the bend adds at the guess is taken off the point seen. It converges where a picture can
 * be, and at a wide angle's far corners stays at the last guess. */
void gn_lens_straighten(const gn_lens *l, const double uv[2], double to[2]) {
    double seen[2], at[2], bent[2];
    back(l, uv, seen);
    at[0] = seen[0], at[1] = seen[1];
    for (int i = 0; i < STEPS && !plain(l); i++) {
        bend(l, at, bent);
        const double dx = seen[0] - bent[0], dy = seen[1] - bent[1];
        at[0] += dx, at[1] += dy;
        if (!(fabs(dx) + fabs(dy) > 1e-13)) break;
    }
    onto(l, at, to);
}
