/* heatmap.h - a map a joint: is the joint here?
 *
 * squared   (h - h*)^2 over all cells; the target h* is drawn from the label while it is compared, and
 *           never stored. An unlabelled joint's map has the target 0 (Zhou 2017 A2.1), or is left alone.
 * entropy   -sum t ln p, p the softmax over the map, t the target with sum 1: one term a joint that is
 *           labelled and in the picture.
 *
 * Given several outputs (stacks), each has the same target and the losses add up. */
#ifndef GN_LOSS_HEATMAP_H
#define GN_LOSS_HEATMAP_H
#include "formula/crop.h"
#include "formula/heatmap.h"
#include "gnomon/loss.h"

#define HEATMAP_OPTIONS(O, C)                                                                               \
    C(form, squared, "squared|entropy", "how a map differs from its target")                                \
    C(target, exact, GN_TARGETS, "exact: Gaussian about the point; paper: 7x7, sigma 1.75, floored centre") \
    O(sigma, 1.75, 0.25, 32, "of the exact target, cells of the map")                                       \
    C(unlabelled, masked, "masked|zero", "maps of unlabelled joints: left alone, or 0 as in the paper")
typedef struct { HEATMAP_OPTIONS(GN_MEMBER_O, GN_MEMBER_C) } heatmap_options;
enum { HEATMAP_SQUARED, HEATMAP_ENTROPY };
enum { HEATMAP_MASKED, HEATMAP_ZERO };

typedef struct { gn_target x, y; } heatmap_target;

/* What joint j draws on a map of w x h cells. */
GN_FN heatmap_target heatmap_draw(const heatmap_options *o, const gn_labels *y, int j, int w, int h) {
    gn_real side = GN_R(y->side);
    heatmap_target t;
    t.x = gn_target_make(o->target, o->sigma, gn_picture_to_cell(y->joints2d[2 * j], side, GN_R(w)), w);
    t.y = gn_target_make(o->target, o->sigma, gn_picture_to_cell(y->joints2d[2 * j + 1], side, GN_R(h)), h);
    return t;
}

/* 1 where the map of joint j is compared with anything. */
GN_FN int heatmap_offers(const heatmap_options *o, const gn_labels *y, int j) {
    if (o->form == HEATMAP_SQUARED) return o->unlabelled == HEATMAP_ZERO || y->labelled2d[j];
    gn_real side = GN_R(y->side), u = y->joints2d[2 * j] + GN_R(0.5), v = y->joints2d[2 * j + 1] + GN_R(0.5);
    return y->labelled2d[j] && u >= GN_R(0) && u < side && v >= GN_R(0) && v < side;
}
#endif
#define GN_T heatmap_options
GN_MAP_LOSS(heatmap, HEATMAP_OPTIONS, "2D joints as heatmaps", heatmap, GN_HAS_joints2d | GN_HAS_labelled2d)
#undef GN_T
