/* verify_bones.c - bones that no person can have, and left taken for right.
 *
 * A bone is measured against the set's own median of it, after the person's size, which is the median bone's. It is odd, which
 * is a warning, where it is longer than 1.75 or shorter than 0.5 times that, by more than a tenth of the longest bone and by more
 * than 8 times its usual spread: sensors guess so. It is impossible where it is longer than 2.5 or shorter than 0.25 times that and
 * by a third of the longest, where it measures over a metre, or where all of a person's bones are 2.5 times the set's or 0.4.
 *
 * Left and right are compared by bones, too: where a pair of mirrored joints fits the set's lengths far better once
 * exchanged, the sample is suspected. A person mirrored as a whole cannot be told so. */
#include "src/data/verify.h"
#include <math.h>
#include <stdlib.h>

enum { MEASURED = 2048, LEAST = 8 };            /* samples, from all of the set; lengths without which a median is none */
static const double longest = 1.0;              /* metres */

typedef struct { const float *xyz; const uint8_t *known; } pose;

static int has(pose p, int a, int b) { return !p.known || (p.known[a] == 1 && p.known[b] == 1); }

static double distance(pose p, int a, int b) {
    double sum = 0;
    for (int k = 0; k < 3; k++) sum += pow((double)p.xyz[3 * a + k] - (double)p.xyz[3 * b + k], 2);
    return sqrt(sum);
}

/* Not known: an end is not labelled, or the skeleton has both in one place. */
static double length(pose p, const gn_bone *b) {
    const double l = has(p, b->a, b->b) ? distance(p, b->a, b->b) : 0;
    return isfinite(l) && l > 1e-6 ? l : 0;
}

static int ascending(const void *x, const void *y) {
    const double a = *(const double *)x, b = *(const double *)y;
    return (a > b) - (a < b);
}

static double median(double *x, int64_t n) {
    qsort(x, (size_t)n, sizeof *x, ascending);
    return x[n / 2];
}

static pose pose_of(const gn_check *c, int64_t i) {
    return (pose){ gn_check_at(c, c->place[GN_PLACE_joints3d], i), gn_check_at(c, c->place[GN_PLACE_labelled3d], i) };
}

/* An exchanged joint spoils few bones, so not the median one. */
static double size_of(const gn_check *c, pose p) {
    const gn_skeleton *s = c->skeleton;
    double size[GN_JOINTS];
    int n = 0;
    for (int e = 0; e < s->bones; e++) {
        const double l = length(p, &s->bone[e]);
        if (l > 0 && c->usual[e] > 0) size[n++] = l / c->usual[e];
    }
    return n >= 3 ? median(size, n) : 1;
}

static gn_status measure(gn_check *c, gn_arena *a) {
    const gn_skeleton *s = c->skeleton;
    const int64_t n = c->n < MEASURED ? c->n : MEASURED;
    double *at, *size;
    GN_TAKE(at, a, 2 * n);
    GN_TAKE(size, a, n);
    for (int pass = 0; pass < 2; pass++) {
        for (int e = 0; e < s->bones; e++) {
            const gn_bone *pair[2] = { &s->bone[e], &s->bone[s->bone[e].mirror] };
            int64_t lengths = 0;
            for (int64_t i = 0; i < 2 * n; i++) {
                const double l = length(pose_of(c, i / 2 * c->n / n), pair[i % 2]);
                if (l > 0) at[lengths++] = pass ? fabs(l / (size[i / 2] * c->usual[e]) - 1) : l;
            }
            if (lengths < LEAST) continue;
            if (pass) c->spread[e] = median(at, lengths);
            else c->usual[e] = median(at, lengths);
        }
        for (int64_t i = 0; i < n && !pass; i++) size[i] = size_of(c, pose_of(c, i * c->n / n));
    }
    return GN_OK;
}

static void check_lengths(gn_check *c, int64_t i, pose p, double size, double floor) {
    const gn_skeleton *s = c->skeleton;
    int worst = -1, fault = GN_FAULT_ODD;
    if (!(size > 0.4 && size < 2.5)) {
        gn_check_found(c, GN_FAULT_BONE, i, "joints3d", "all bones are %.3g times the set's", size);
        return;
    }
    for (int e = 0; e < s->bones && fault != GN_FAULT_BONE; e++) {
        const double l = length(p, &s->bone[e]), usual = c->usual[e] * size, off = fabs(l - usual);
        const int apart = usual > 0 && l > 0 && off > floor && off > 8 * c->spread[e] * usual;
        if (l > longest || (apart && off > 3.3 * floor && (l > 2.5 * usual || l < 0.25 * usual))) worst = e, fault = GN_FAULT_BONE;
        else if (apart && (l > 1.75 * usual || l < 0.5 * usual)) worst = e;
    }
    if (worst >= 0)
        gn_check_found(c, fault, i, "joints3d", "%s-%s measures %.0f mm, usual %.0f", s->joint[s->bone[worst].a], s->joint[s->bone[worst].b],
                       1000 * length(p, &s->bone[worst]), 1000 * c->usual[worst] * size);
}

/* What the exchange of the far ends of a bone and its mirror would make of their lengths. */
static int check_sides(gn_check *c, int64_t i, pose p, double size) {
    const gn_skeleton *s = c->skeleton;
    for (int e = 0; e < s->bones; e++) {
        const gn_bone *l = &s->bone[e], *r = &s->bone[l->mirror];
        if (l->mirror <= e || l->a == r->a || !(c->usual[e] > 0) || !has(p, l->a, l->b) || !has(p, r->a, r->b)) continue;
        const double usual = c->usual[e] * size, odd = fmax(0.2, 8 * c->spread[e]) * usual;
        const double now = fabs(distance(p, l->a, l->b) - usual) + fabs(distance(p, r->a, r->b) - usual);
        const double exchanged = fabs(distance(p, l->a, r->b) - usual) + fabs(distance(p, r->a, l->b) - usual);
        if (!(now > odd && exchanged < 0.3 * now)) continue;
        gn_check_found(c, GN_FAULT_SIDES, i, "joints3d", "%s and %s fit once exchanged", s->joint[l->b], s->joint[r->b]);
        return 0;
    }
    return 1;
}

gn_status gn_check_bones(gn_check *c, gn_arena *a) {
    const gn_skeleton *s = c->skeleton;
    double floor = 0;
    if (c->place[GN_PLACE_joints3d] < 0 || s->bones < 1 || s->bones > GN_JOINTS) return GN_OK;
    GN_TRY(measure(c, a));
    for (int e = 0; e < s->bones; e++) floor = fmax(floor, 0.1 * c->usual[e]);
    for (int64_t i = 0; i < c->n; i++) {
        const pose p = pose_of(c, i);
        const double size = size_of(c, p);
        if (check_sides(c, i, p, size)) check_lengths(c, i, p, size, floor); /* exchanged joints make odd bones: said once */
    }
    return GN_OK;
}
