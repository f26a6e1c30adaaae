/* match.c - who is who in several views, by geometry: two views say where every joint is, the others are asked. */
#include "src/import/triangulate.h"
#include <math.h>
#include <stdlib.h>

typedef struct {
    int n, joints, most;
    const gn_view *view;
    const gn_crowd *crowd;
    double share;
    const uint8_t *taken;
} matcher;

static const gn_seen *person(const matcher *m, int v, int i) { return m->crowd[v].seen + (size_t)i * (size_t)m->joints; }

static double height(const matcher *m, const gn_seen *p) {
    double low = INFINITY, high = -INFINITY;
    for (int j = 0; j < m->joints; j++)
        if (p[j].sure > 0) low = fmin(low, p[j].uv[1]), high = fmax(high, p[j].uv[1]);
    return high - low;
}

static int ascending(const void *x, const void *y) {
    const double a = *(const double *)x, b = *(const double *)y;
    return (a > b) - (a < b);
}

/* A person's median miss as a share of its height; infinite where fewer than a third of the joints can be compared. */
static double apart(const matcher *m, int v, const gn_seen *p, double world[][3], const uint8_t *known) {
    double miss[GN_JOINTS];
    int n = 0;
    for (int j = 0; j < m->joints; j++)
        if (known[j] && p[j].sure > 0) miss[n++] = gn_view_miss(&m->view[v], &p[j], world[j]);
    if (3 * n < m->joints) return INFINITY;
    qsort(miss, (size_t)n, sizeof *miss, ascending);
    return miss[n / 2] / height(m, p);
}

static void place(const matcher *m, int v, int i, int w, int k, double world[][3], uint8_t *known) {
    const gn_view pair[2] = { m->view[v], m->view[w] };
    for (int j = 0; j < m->joints; j++) {
        const gn_seen seen[2] = { person(m, v, i)[j], person(m, w, k)[j] };
        known[j] = seen[0].sure > 0 && seen[1].sure > 0 && gn_triangulate_linear(2, pair, seen, world[j]);
    }
}

/* What a pair finds: in each view the nearest person, if near enough. Returns views; *sum is their shares. */
static int ask(const matcher *m, double world[][3], const uint8_t *known, int *who, double *sum) {
    int views = 0;
    *sum = 0;
    for (int v = 0; v < m->n; v++) {
        double least = m->share;
        who[v] = -1;
        for (int i = 0; i < m->crowd[v].persons; i++) {
            const double d = m->taken[v * m->most + i] ? INFINITY : apart(m, v, person(m, v, i), world, known);
            if (d < least) least = d, who[v] = i;
        }
        if (who[v] < 0) continue;
        views++;
        *sum += least;
    }
    return views;
}

static void try_pair(const matcher *m, int v, int i, int w, int k, int *best, double *least, int *who) {
    double world[GN_JOINTS][3], sum;
    uint8_t known[GN_JOINTS];
    int here[GN_VIEWS];
    place(m, v, i, w, k, world, known);
    const int views = ask(m, world, known, here, &sum);
    if (here[v] != i || here[w] != k || views < *best || (views == *best && sum >= *least)) return;
    *best = views;
    *least = sum;
    for (int u = 0; u < m->n; u++) who[u] = here[u];
}

int gn_match(int n, const gn_view *view, const gn_crowd *crowd, int joints, double share, const uint8_t *taken, int most, int *who) {
    const matcher m = { n, joints, most, view, crowd, share, taken };
    int best = 0;
    double least = INFINITY;
    for (int v = 0; v < n; v++)
        for (int w = v + 1; w < n; w++)
            for (int i = 0; i < crowd[v].persons; i++)
                for (int k = 0; k < crowd[w].persons && !taken[v * most + i]; k++)
                    if (!taken[w * most + k]) try_pair(&m, v, i, w, k, &best, &least, who);
    return best;
}
