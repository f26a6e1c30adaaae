/* pinhole.c - focal length and centre of each axis, from points and where they are seen. */
#include "src/import/pinhole.h"
#include <math.h>

void gn_pinhole_add(gn_pinhole *p, const double xyz[3], const double uv[2]) {
    const double z = xyz[2];
    if (!(z > 0 && isfinite(xyz[0] + xyz[1] + z + uv[0] + uv[1]))) return;
    p->n++;
    p->zz += z * z;
    for (int k = 0; k < 2; k++) {
        p->xx[k] += xyz[k] * xyz[k], p->xz[k] += xyz[k] * z;
        p->xu[k] += xyz[k] * z * uv[k], p->zu[k] += z * z * uv[k];
    }
}

int gn_pinhole_solve(const gn_pinhole *p, gn_lens *l) {
    *l = (gn_lens){ 0 };
    for (int k = 0; k < 2; k++) {
        const double det = p->xx[k] * p->zz - p->xz[k] * p->xz[k];
        if (!(p->n >= 3 && det > 1e-9 * p->xx[k] * p->zz)) return 0;
        l->f[k] = (p->xu[k] * p->zz - p->zu[k] * p->xz[k]) / det;
        l->c[k] = (p->zu[k] * p->xx[k] - p->xu[k] * p->xz[k]) / det;
        if (!(l->f[k] > 0)) return 0;
    }
    return 1;
}
