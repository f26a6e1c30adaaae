/* triangulate.c - where rays nearly meet. */
#include "src/import/triangulate.h"
#include <math.h>
#include <string.h>

enum { STEPS = 24 };
static const double wide = 64; /* knees at the start: first the crowd of views, then the few that agree */

int gn_view_project(const gn_view *v, const double world[3], double camera[3], double uv[2]) {
    double at[3];
    for (int k = 0; k < 3; k++) {
        const double *r = v->pose + 4 * k;
        at[k] = r[0] * world[0] + r[1] * world[1] + r[2] * world[2] + r[3];
    }
    if (camera) memcpy(camera, at, sizeof at);
    if (!(at[2] > 0)) return 0;
    gn_lens_project(&v->lens, at, uv);
    return 1;
}

double gn_view_miss(const gn_view *v, const gn_seen *s, const double world[3]) {
    double uv[2];
    return gn_view_project(v, world, NULL, uv) ? hypot(uv[0] - s->uv[0], uv[1] - s->uv[1]) : INFINITY;
}

/* h x = g, h symmetric and positive, its upper triangle read; 0: it is not, or hardly. */
static int solve(double h[3][3], const double g[3], double x[3]) {
    double l[3][3] = { { 0 } }, y[3];
    for (int i = 0; i < 3; i++)
        for (int j = 0; j <= i; j++) {
            double sum = h[j][i];
            for (int k = 0; k < j; k++) sum -= l[i][k] * l[j][k];
            if (i == j && !(sum > 1e-9 * h[i][i])) return 0;
            l[i][j] = i == j ? sqrt(sum) : sum / l[j][j];
        }
    for (int i = 0; i < 3; i++) {
        y[i] = g[i];
        for (int k = 0; k < i; k++) y[i] -= l[i][k] * y[k];
        y[i] /= l[i][i];
    }
    for (int i = 2; i >= 0; i--) {
        x[i] = y[i];
        for (int k = i + 1; k < 3; k++) x[i] -= l[k][i] * x[k];
        x[i] /= l[i][i];
    }
    return 1;
}

/* One row of least squares: (row . x - value)^2 * weight. */
static void add_row(double h[3][3], double g[3], const double row[3], double value, double weight) {
    for (int i = 0; i < 3; i++) {
        g[i] += weight * row[i] * value;
        for (int k = i; k < 3; k++) h[i][k] += weight * row[i] * row[k];
    }
}

int gn_triangulate_linear(int n, const gn_view *view, const gn_seen *seen, double world[3]) {
    double h[3][3] = { { 0 } }, g[3] = { 0 };
    int views = 0;
    for (int v = 0; v < n; v++) {
        const gn_lens *l = &view[v].lens;
        const double *p = view[v].pose;
        double uv[2];
        if (!(seen[v].sure > 0)) continue;
        views++;
        gn_lens_straighten(l, seen[v].uv, uv);
        for (int k = 0; k < 2; k++) { /* u (z row) = (x row), both of the straightened picture */
            const double u = (uv[k] - l->c[k]) / l->f[k], *q = p + 4 * k;
            const double row[3] = { u * p[8] - q[0], u * p[9] - q[1], u * p[10] - q[2] };
            add_row(h, g, row, q[3] - u * p[11], seen[v].sure * seen[v].sure);
        }
    }
    return views > 1 && solve(h, g, world);
}

/* How the pixel moves with the point, by differences of 0.1 mm. */
static int slope(const gn_view *v, const double at[3], double d[2][3]) {
    static const double step = 1e-4;
    for (int k = 0; k < 3; k++) {
        double low[3], high[3], a[2], b[2];
        memcpy(low, at, sizeof low);
        memcpy(high, at, sizeof high);
        low[k] -= step, high[k] += step;
        if (!gn_view_project(v, low, NULL, a) || !gn_view_project(v, high, NULL, b)) return 0;
        for (int i = 0; i < 2; i++) d[i][k] = (b[i] - a[i]) / (2 * step);
    }
    return 1;
}

/* Reweighted Gauss-Newton. */
static int step(int n, const gn_view *view, const gn_seen *seen, double knee, double world[3]) {
    double h[3][3] = { { 0 } }, g[3] = { 0 }, by[3];
    for (int v = 0; v < n; v++) {
        double uv[2], d[2][3];
        if (!(seen[v].sure > 0) || !gn_view_project(&view[v], world, NULL, uv) || !slope(&view[v], world, d)) continue;
        const double off[2] = { seen[v].uv[0] - uv[0], seen[v].uv[1] - uv[1] };
        const double weight = seen[v].sure / (1 + (off[0] * off[0] + off[1] * off[1]) / (knee * knee));
        for (int k = 0; k < 2; k++) add_row(h, g, d[k], off[k], weight);
    }
    if (!solve(h, g, by)) return 0;
    for (int k = 0; k < 3; k++) world[k] += by[k];
    return 1;
}

int gn_triangulate(int n, const gn_view *view, const gn_seen *seen, double knee, double world[3]) {
    if (!gn_triangulate_linear(n, view, seen, world)) return 0;
    for (int i = 0; i < STEPS; i++)
        if (!step(n, view, seen, knee * fmax(1, wide * pow(0.5, i / 2)), world)) return 0;
    return isfinite(world[0] + world[1] + world[2]);
}
