/* draw.h - plausible labels and predictions, drawn at random: a person somewhere before cameras.
 *
 * A group is the same person seen by several cameras. Every field is there; a test takes away what it
 * wants absent. A new field needs a line in draw_group, or its pointer leads to NaN. */
#ifndef DRAW_H
#define DRAW_H
#include "formula/camera.h"
#include "formula/crop.h"
#include "formula/random.h"
#include "gnomon/labels.h"
#include "gnomon/option.h"
#include <string.h>

typedef struct { uint64_t seed, at; } draws;
static inline double draw_in(draws *d, double least, double most) {
    return least + (most - least) * gn_uniform(d->seed, 0, d->at++);
}
static inline double draw_normal(draws *d, double sigma) { return sigma * gn_normal(d->seed, 0, d->at++); }
static inline int draw_below(draws *d, int n) { return (int)gn_below(d->seed, 0, d->at++, n); }

#define DRAW_PAIRS 24
typedef struct {
#define J GN_JOINTS
#define P DRAW_PAIRS
#define DRAW_STORE(name, type, count, carry, help) type name[count];
    GN_FIELDS(DRAW_STORE)
#undef DRAW_STORE
#undef J
#undef P
} draw_store;

/* Joints of one person about a root at the world's origin, metres, y down. */
static inline void draw_pose(draws *d, const gn_skeleton *s, gn_vec3 *w) {
    for (int j = 0; j < s->joints; j++)
        w[j] = gn_vec3_make((gn_real)draw_normal(d, 0.1), (gn_real)draw_normal(d, 0.2), 0);
    w[s->root] = gn_vec3_make(0, 0, 0);
    int placed[GN_JOINTS] = { 0 };
    placed[s->root] = 1;
    for (int again = 1; again;) { /* parents first, whatever the order of the table */
        again = 0;
        for (int e = 0; e < s->bones; e++) {
            int a = s->bone[e].a, b = s->bone[e].b;
            if (!placed[a] || placed[b]) continue;
            double x = draw_normal(d, 1), y = draw_normal(d, 1), z = draw_normal(d, 1);
            double l = (s->bone[e].mean_mm > 0 ? (double)s->bone[e].mean_mm : 150) / 1000 * draw_in(d, 0.85, 1.15) /
                       sqrt(x * x + y * y + z * z);
            w[b] =
                gn_vec3_make(w[a].x + (gn_real)(l * x), w[a].y + (gn_real)(l * y), w[a].z + (gn_real)(l * z));
            placed[b] = again = 1;
        }
    }
}

/* World to a camera that looks at the origin from `far` metres, turned at random. */
static inline void draw_view(draws *d, gn_real *m, double far) {
    double a = draw_in(d, -GN_PI, GN_PI), b = draw_in(d, -0.6, 0.6), c = draw_in(d, -0.2, 0.2);
    double turn[9] = { cos(a), 0, sin(a), 0, 1, 0, -sin(a), 0, cos(a) };
    double lean[9] = { 1, 0, 0, 0, cos(b), -sin(b), 0, sin(b), cos(b) };
    double roll[9] = { cos(c), -sin(c), 0, sin(c), cos(c), 0, 0, 0, 1 };
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++) {
            double sum = 0;
            for (int k = 0; k < 3; k++)
                for (int l = 0; l < 3; l++) sum += roll[3 * i + k] * lean[3 * k + l] * turn[3 * l + j];
            m[4 * i + j] = (gn_real)sum;
        }
    m[3] = (gn_real)draw_normal(d, 0.1);
    m[7] = (gn_real)draw_normal(d, 0.1);
    m[11] = (gn_real)far;
}

/* `views` samples of one person; noise: of joints2d, pixels. */
static inline void draw_group(draws *d, const gn_skeleton *s, int side, int views, double noise,
                              draw_store *store, gn_labels *y) {
    gn_vec3 w[GN_JOINTS];
    draw_pose(d, s, w);
    for (int v = 0; v < views; v++, store++, y++) {
        memset(store, 0xff, sizeof *store); /* NaN, -1: who reads what is not there shall notice */
        y->J = s->joints;
        y->P = DRAW_PAIRS;
        y->side = side;
        y->skeleton = s;
        y->has = (1u << GN_FIELD_COUNT) - 1;
#define DRAW_POINT(name, type, count, carry, help) y->name = store->name;
        GN_FIELDS(DRAW_POINT)
#undef DRAW_POINT
        double far = draw_in(d, 2.5, 5), focal = side * far / draw_in(d, 2.4, 3.2);
        draw_view(d, store->pose_of_view, far);
        store->camera[0] = (gn_real)(focal * draw_in(d, 0.95, 1.05));
        store->camera[1] = (gn_real)focal;
        store->camera[2] = store->camera[3] = (gn_real)(side / 2.0 - 0.5 + draw_normal(d, 3));
        store->head_size[0] = (gn_real)(0.2 * focal / far);
        for (int j = 0; j < s->joints; j++) {
            gn_vec3 p = gn_rotate(store->pose_of_view, w[j]);
            p = gn_vec3_make(p.x + store->pose_of_view[3], p.y + store->pose_of_view[7],
                             p.z + store->pose_of_view[11]);
            gn_pixel at = gn_project(store->camera, p, GN_R(0.1));
            store->joints3d[3 * j] = p.x;
            store->joints3d[3 * j + 1] = p.y;
            store->joints3d[3 * j + 2] = p.z;
            store->joints2d[2 * j] = at.u + (gn_real)draw_normal(d, noise);
            store->joints2d[2 * j + 1] = at.v + (gn_real)draw_normal(d, noise);
            store->labelled2d[j] = draw_in(d, 0, 1) < 0.85;
            store->labelled3d[j] = draw_in(d, 0, 1) < 0.85;
            store->occluded2d[j] = store->labelled2d[j] && draw_in(d, 0, 1) < 0.2;
            store->confidence2d[j] = (gn_real)draw_in(d, 0.1, 1);
        }
        gn_real k = gn_weak_factor(s, store->joints2d, store->joints3d, NULL);
        for (int j = 0; j < s->joints; j++)
            store->depth[j] = gn_depth_from_metres(store->joints3d[3 * j + 2],
                                                   store->joints3d[3 * s->root + 2], k, (gn_real)side, 0);
        for (int t = 0; t < DRAW_PAIRS; t++) {
            int a = draw_below(d, s->joints), b = draw_below(d, s->joints);
            gn_real dz = store->joints3d[3 * a + 2] - store->joints3d[3 * b + 2];
            store->order[3 * t] = (int16_t)a;
            store->order[3 * t + 1] = (int16_t)b;
            store->order[3 * t + 2] = (int16_t)(dz > GN_R(0.1) ? 1 : dz < GN_R(-0.1) ? -1 : 0);
        }
    }
}

/* Options of a loss: choices are the digits of `pick`; numbers are defaults, or, with d, half the time
 * drawn about them. */
static inline void draw_options(draws *d, const gn_option *rows, int pick, void *into) {
    for (const gn_option *r = rows; r->name; r++) {
        char *at = (char *)into + r->offset;
        if (r->kind == GN_KIND_REAL) {
            int vary = d && draw_below(d, 2);
            *(gn_real *)(void *)at =
                (gn_real)(vary ? draw_in(d, fmax(r->least, r->dflt / 2), fmin(r->most, 2 * r->dflt + 0.5))
                               : r->dflt);
        }
        if (r->kind != GN_KIND_CHOICE) continue;
        int n = 1;
        for (const char *c = r->text; *c; c++) n += *c == '|';
        *(int *)(void *)at = pick % n;
        pick /= n;
    }
}
static inline int draw_option_sets(const gn_option *rows) {
    int sets = 1;
    for (const gn_option *r = rows; r->name; r++) {
        if (r->kind != GN_KIND_CHOICE) continue;
        int n = 1;
        for (const char *c = r->text; *c; c++) n += *c == '|';
        sets *= n;
    }
    return sets;
}
#endif
