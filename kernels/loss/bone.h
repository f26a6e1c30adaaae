/* bone.h - the geometric loss of Zhou 2017 (eq. 3; A2.2): bones of one group keep their ratios.
 *
 * A term is a group (legs, arms, hips, shoulders). With l the lengths of its n bones of known mean whose ends
 * are both annotated, each brought to one scale by the reference skeleton, a term is their variance,
 *
 *     1/n sum (l - mean)^2
 *
 * x and y are labels, so only depth is pulled. The mean pulls too, but its share is 0 as the l - mean
 * add up to 0. A flat bone stays flat: the loss wants a warm start. */
#ifndef GN_LOSS_BONE_H
#define GN_LOSS_BONE_H
#include "formula/crop.h"
#include "gnomon/loss.h"

#define BONE_OPTIONS(O, C)                                                              \
    C(scale, code, "code|paper",                                                        \
      "code: lower limbs as upper ones; paper: over the reference length, metres")      \
    C(where, weak, "weak|all", "weak: samples without depth labels")                    \
    C(points, exact, "exact|cells",                                                     \
      "2D labels as they are, or at the middle of their cell as the authors read them") \
    O(cells, 64, 1, 4096, "cells a side, for points: cells")
typedef struct { BONE_OPTIONS(GN_MEMBER_O, GN_MEMBER_C) } bone_options;
enum { BONE_CODE, BONE_PAPER };
enum { BONE_WEAK, BONE_ALL };
enum { BONE_EXACT, BONE_CELLS };
#define BONE_MOST (GN_PULLS / 2) /* bones of a group */

typedef struct { int a, b; gn_real weight, length, dz; } bone_length;

/* 1 / reference length, up to the group's own scale. */
GN_FN gn_real bone_weight(const bone_options *o, const gn_skeleton *s, int e) {
    const gn_bone *bone = &s->bone[e];
    if (o->scale == BONE_PAPER) return GN_R(1000) / bone->mean_mm;
    for (int k = 0; k < s->bones; k++)
        if (s->bone[k].b == bone->a && s->bone[k].group == bone->group)
            return s->bone[k].mean_mm / bone->mean_mm;
    return GN_R(1);
}

GN_FN gn_real bone_point(const bone_options *o, const gn_labels *y, int j, int k) {
    gn_real x = y->joints2d[2 * j + k], side = GN_R(y->side);
    if (o->points == BONE_CELLS)
        x = gn_cell_to_picture(floor(gn_picture_to_cell(x, side, o->cells) + GN_R(0.5)), side, o->cells);
    return gn_picture_to_half(x, side);
}

/* Of group t, of known length, its ends annotated. */
GN_FN int bone_counts(const gn_labels *y, int t, int e) {
    const gn_bone *bone = &y->skeleton->bone[e];
    return bone->group == t && bone->mean_mm > GN_R(0) && y->labelled2d[bone->a] && y->labelled2d[bone->b];
}

GN_FN int bone_terms(const gn_group *g) { return g->y->skeleton ? GN_BONE_GROUPS : 0; }

GN_FN int bone_offers(const bone_options *o, const gn_group *g, int t) {
    const gn_labels *y = g->y;
    const uint32_t depth = GN_HAS_depth | GN_HAS_labelled3d;
    if (o->where == BONE_WEAK && (y->has & depth) == depth)
        for (int j = 0; j < y->J; j++)
            if (y->labelled3d[j]) return 0;
    int n = 0;
    for (int e = 0; e < y->skeleton->bones; e++) n += bone_counts(y, t, e);
    return n >= 2;
}

GN_FN gn_real bone_term(const bone_options *o, const gn_group *g, int t, gn_pull *p) {
    const gn_labels *y = g->y;
    const gn_skeleton *s = y->skeleton;
    const gn_real *z = g->x->out[0];
    bone_length of[BONE_MOST];
    gn_real mean = GN_R(0), value = GN_R(0);
    int n = 0;

    for (int e = 0; e < s->bones && n < BONE_MOST; e++) {
        int a = s->bone[e].a, b = s->bone[e].b;
        if (!bone_counts(y, t, e)) continue;
        bone_length *l = &of[n++];
        l->a = a;
        l->b = b;
        l->dz = z[a] - z[b];
        l->weight = bone_weight(o, s, e);
        l->length = l->weight * sqrt(gn_sq(bone_point(o, y, a, 0) - bone_point(o, y, b, 0)) +
                                     gn_sq(bone_point(o, y, a, 1) - bone_point(o, y, b, 1)) + gn_sq(l->dz));
        mean += l->length;
    }
    if (n < 2) return GN_R(0);
    mean /= GN_R(n);

    for (int k = 0; k < n; k++) {
        gn_real off = of[k].length - mean;
        value += off * off;
        if (!(of[k].length > GN_R(0))) continue; /* no direction to pull in */
        gn_real pull = GN_R(2) * gn_sq(of[k].weight) / GN_R(n) * (off / of[k].length) * of[k].dz;
        gn_pull_add(p, 0, 0, of[k].a, pull, GN_R(0), GN_R(0));
        gn_pull_add(p, 0, 0, of[k].b, -pull, GN_R(0), GN_R(0));
    }
    return value / GN_R(n);
}
#endif
#define GN_T bone_options
GN_LOSS(bone, BONE_OPTIONS, "bone-length ratios of 2D-labelled samples (Zhou 2017)", GN_READ1(depth, 1), 1, 1,
        GN_HAS_joints2d | GN_HAS_labelled2d)
#undef GN_T
