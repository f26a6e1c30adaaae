/* pinhole.h - the pinhole that shows given points where they are seen, for sets that keep their cameras to themselves. */
#ifndef GN_PINHOLE_H
#define GN_PINHOLE_H
#include "gnomon/import.h"

/* Least squares of u Z = f X + c Z, each axis by itself: sums, then the solution. */
typedef struct { double n, xx[2], xz[2], zz, xu[2], zu[2]; } gn_pinhole;
void gn_pinhole_add(gn_pinhole *p, const double xyz[3], const double uv[2]);
/* Fewer than three points, or all in one direction: 0, and nothing is fitted. */
int gn_pinhole_solve(const gn_pinhole *p, gn_lens *l);
#endif
