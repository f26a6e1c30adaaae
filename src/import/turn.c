/* turn.c - cameras turned about their own places until their pictures agree: bundle adjustment with fixed centres.
 *
 * Unknown are a small rotation w of each camera, x_cam <- exp(w) x_cam, and every point. A point touches only its own three
 * numbers and the cameras that see it, so it is eliminated (Schur complement): what is left is 3 equations a camera. Centres
 * are fixed, so nothing of the world can turn or grow along. Weights 1/sqrt(1 + (miss/knee)^2): soft L1. */
#include "src/import/triangulate.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { STEPS = 30, MOST = 3 * GN_VIEWS };
static const double knee = 3, damping = 1e-6; /* pixels; of the diagonal */

typedef struct { int n; gn_view *view; double h[MOST][MOST], g[MOST]; } normal;
typedef struct { double cam[2][3], point[2][3], off[2], weight; int on; } row; /* a point in one view */

/* d uv / d x_cam, by differences. */
static int slope(const gn_lens *l, const double at[3], double d[2][3]) {
    static const double step = 1e-4;
    if (!(at[2] > 10 * step)) return 0;
    for (int k = 0; k < 3; k++) {
        double low[3] = { at[0], at[1], at[2] }, high[3] = { at[0], at[1], at[2] }, a[2], b[2];
        low[k] -= step, high[k] += step;
        gn_lens_project(l, low, a);
        gn_lens_project(l, high, b);
        for (int i = 0; i < 2; i++) d[i][k] = (b[i] - a[i]) / (2 * step);
    }
    return 1;
}

static int make_row(const gn_view *v, const gn_seen *s, const double world[3], row *r) {
    double at[3], uv[2], d[2][3];
    if (!(s->sure > 0) || !gn_view_project(v, world, at, uv) || !slope(&v->lens, at, d)) return 0;
    for (int i = 0; i < 2; i++) {
        r->off[i] = s->uv[i] - uv[i];
        for (int k = 0; k < 3; k++) {
            const int m = (k + 1) % 3, q = (k + 2) % 3;
            r->cam[i][k] = d[i][q] * at[m] - d[i][m] * at[q]; /* d(w x at)/dw_k */
            r->point[i][k] = d[i][0] * v->pose[k] + d[i][1] * v->pose[4 + k] + d[i][2] * v->pose[8 + k];
        }
    }
    r->weight = s->sure / sqrt(1 + (r->off[0] * r->off[0] + r->off[1] * r->off[1]) / (knee * knee));
    return 1;
}

static int invert(double m[3][3], double to[3][3]) {
    double cof[3][3];
    for (int i = 0; i < 3; i++)
        for (int k = 0; k < 3; k++) {
            const int a = (i + 1) % 3, b = (i + 2) % 3, c = (k + 1) % 3, d = (k + 2) % 3;
            cof[i][k] = m[a][c] * m[b][d] - m[a][d] * m[b][c];
        }
    const double det = m[0][0] * cof[0][0] + m[0][1] * cof[0][1] + m[0][2] * cof[0][2];
    if (!(det > 1e-9 * m[0][0] * m[1][1] * m[2][2])) return 0;
    for (int i = 0; i < 3; i++)
        for (int k = 0; k < 3; k++) to[i][k] = cof[k][i] / det;
    return 1;
}

/* A point's equations, itself eliminated: h += cc - cp pp^-1 pc, g likewise. */
static void add_point(normal *e, const row *r) {
    double pp[3][3] = { { 0 } }, pg[3] = { 0 }, inv[3][3], cp[GN_VIEWS][3][3] = { { { 0 } } };
    for (int v = 0; v < e->n; v++)
        for (int i = 0; i < 2 && r[v].on; i++)
            for (int a = 0; a < 3; a++) {
                pg[a] += r[v].weight * r[v].point[i][a] * r[v].off[i];
                for (int b = 0; b < 3; b++) {
                    pp[a][b] += r[v].weight * r[v].point[i][a] * r[v].point[i][b];
                    cp[v][a][b] += r[v].weight * r[v].cam[i][a] * r[v].point[i][b];
                }
            }
    if (!invert(pp, inv)) return;
    for (int v = 0; v < e->n; v++)
        for (int a = 0; a < 3 && r[v].on; a++) {
            double via[3];
            for (int b = 0; b < 3; b++) via[b] = cp[v][a][0] * inv[0][b] + cp[v][a][1] * inv[1][b] + cp[v][a][2] * inv[2][b];
            for (int i = 0; i < 2; i++) {
                e->g[3 * v + a] += r[v].weight * r[v].cam[i][a] * r[v].off[i];
                for (int b = 0; b < 3; b++) e->h[3 * v + a][3 * v + b] += r[v].weight * r[v].cam[i][a] * r[v].cam[i][b];
            }
            for (int b = 0; b < 3; b++) e->g[3 * v + a] -= via[b] * pg[b];
            for (int w = 0; w < e->n; w++)
                for (int b = 0; b < 3 && r[w].on; b++)
                    e->h[3 * v + a][3 * w + b] -= via[0] * cp[w][b][0] + via[1] * cp[w][b][1] + via[2] * cp[w][b][2];
        }
}

/* Cholesky in place; a camera that sees nothing stays where it is. */
static void solve(normal *e, double *x) {
    const int n = 3 * e->n;
    for (int i = 0; i < n; i++)
        for (int j = 0; j <= i; j++) {
            double sum = e->h[i][j] + (i == j ? damping * e->h[i][i] + 1e-12 : 0);
            for (int k = 0; k < j; k++) sum -= e->h[i][k] * e->h[j][k];
            e->h[i][j] = i == j ? sqrt(fmax(sum, 1e-12)) : sum / e->h[j][j];
        }
    for (int i = 0; i < n; i++) {
        x[i] = e->g[i];
        for (int k = 0; k < i; k++) x[i] -= e->h[i][k] * x[k];
        x[i] /= e->h[i][i];
    }
    for (int i = n - 1; i >= 0; i--) {
        for (int k = i + 1; k < n; k++) x[i] -= e->h[k][i] * x[k];
        x[i] /= e->h[i][i];
    }
}

/* pose <- exp(w) pose (Rodrigues) */
static void turn(gn_view *v, const double w[3]) {
    const double t = sqrt(w[0] * w[0] + w[1] * w[1] + w[2] * w[2]), s = t > 1e-12 ? sin(t) / t : 1, c = t > 1e-12 ? (1 - cos(t)) / (t * t) : 0.5;
    for (int k = 0; k < 4; k++) {
        const double a[3] = { v->pose[k], v->pose[4 + k], v->pose[8 + k] }, dot = w[0] * a[0] + w[1] * a[1] + w[2] * a[2];
        for (int i = 0; i < 3; i++) {
            const int m = (i + 1) % 3, q = (i + 2) % 3;
            v->pose[4 * i + k] = cos(t) * a[i] + s * (w[m] * a[q] - w[q] * a[m]) + c * w[i] * dot;
        }
    }
}

static int ascending(const void *x, const void *y) {
    const double a = *(const double *)x, b = *(const double *)y;
    return (a > b) - (a < b);
}

/* Median miss of all points, placed by all who see them. */
static double median(int n, const gn_view *view, int points, const gn_seen *seen, double *miss) {
    size_t m = 0;
    for (int p = 0; p < points; p++) {
        double world[3];
        if (!gn_triangulate_linear(n, view, seen + (size_t)p * (size_t)n, world)) continue;
        for (int v = 0; v < n; v++)
            if (seen[(size_t)p * (size_t)n + (size_t)v].sure > 0) miss[m++] = gn_view_miss(&view[v], &seen[(size_t)p * (size_t)n + (size_t)v], world);
    }
    if (!m) return NAN;
    qsort(miss, m, sizeof *miss, ascending);
    return miss[m / 2];
}

static void go(normal *e, int points, const gn_seen *seen) {
    double by[MOST];
    row r[GN_VIEWS];
    memset(e->h, 0, sizeof e->h);
    memset(e->g, 0, sizeof e->g);
    for (int p = 0; p < points; p++) {
        const gn_seen *s = seen + (size_t)p * (size_t)e->n;
        double world[3];
        if (!gn_triangulate(e->n, e->view, s, 10 * knee, world)) continue;
        for (int v = 0; v < e->n; v++) r[v].on = make_row(&e->view[v], &s[v], world, &r[v]);
        add_point(e, r);
    }
    solve(e, by);
    for (int v = 0; v < e->n; v++) turn(&e->view[v], by + 3 * v);
}

gn_status gn_views_turn(gn_arena *a, int n, gn_view *view, int points, const gn_seen *seen, double *degrees, double *before, double *after) {
    normal *e;
    double *miss, was[GN_VIEWS][12];
    GN_TAKE(e, a, 1);
    GN_TAKE(miss, a, (int64_t)points * n + 1);
    e->n = n;
    e->view = view;
    for (int v = 0; v < n; v++) memcpy(was[v], view[v].pose, sizeof was[v]);
    *before = median(n, view, points, seen, miss);
    for (int i = 0; i < STEPS; i++) go(e, points, seen);
    *after = median(n, view, points, seen, miss);
    for (int v = 0; v < n; v++) {
        double trace = 0;
        for (int i = 0; i < 3; i++)
            for (int k = 0; k < 3; k++) trace += was[v][4 * i + k] * view[v].pose[4 * i + k];
        degrees[v] = acos(fmin(1, fmax(-1, (trace - 1) / 2))) * 57.29577951308232;
    }
    return GN_OK;
}
