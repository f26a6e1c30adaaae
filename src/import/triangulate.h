/* triangulate.h - points of the world from their pictures in calibrated cameras.
 *
 * Pixels are of the picture as it lies in its file; every residual is taken through the lens. Whose pictures belong
 * together is told by geometry: detectors number persons as they find them. */
#ifndef GN_TRIANGULATE_H
#define GN_TRIANGULATE_H
#include "gnomon/import.h"

enum { GN_VIEWS = 32 };          /* cameras at most */
typedef struct {
    gn_lens lens;
    double pose[12];             /* [3 4] from the world, metres */
} gn_view;
typedef struct { double uv[2], sure; } gn_seen; /* sure 0: not seen */

/* The pixel of a world point; its place in the camera's frame, too, unless NULL. 0: it is not before the camera. */
int gn_view_project(const gn_view *v, const double world[3], double camera[3], double uv[2]);
double gn_view_miss(const gn_view *v, const gn_seen *s, const double world[3]); /* pixels; infinite behind the camera */

/* Least squares over rays, weighted by confidence; `view` and `seen` are [n]. 0: fewer than two views see it, or from one place. */
int gn_triangulate_linear(int n, const gn_view *view, const gn_seen *seen, double world[3]);
/* From there to the least of sum sure knee^2 log(1 + (miss/knee)^2), which a view that is far off hardly moves (Cauchy). */
int gn_triangulate(int n, const gn_view *view, const gn_seen *seen, double knee, double world[3]);

/* --- match.c --- */
/* Who is who: persons[v] of view v, each [joints]. Finds the person on whom most views agree: who[v] is its number there, -1
 * where it is none of them; `taken` [n][most] are out. Returns the number of views, 0 where not two agree. Views agree where the
 * median joint of two, triangulated, lies within `share` of the person's height of the third's. */
typedef struct { int persons; const gn_seen *seen; } gn_crowd; /* seen [persons][joints] */
int gn_match(int n, const gn_view *view, const gn_crowd *crowd, int joints, double share, const uint8_t *taken, int most, int *who);

/* --- turn.c --- */
/* Turns each camera about its own place until pictures of one point agree best: a nudged camera is turned far more than
 * moved. seen [points][n]. degrees [n] says by how much; `before` and `after` are median misses in pixels. Points whose
 * views cannot be triangulated have no say. */
gn_status gn_views_turn(gn_arena *a, int n, gn_view *view, int points, const gn_seen *seen, double *degrees, double *before, double *after);
#endif
