/* position2d.h - supervised 2D joints, in cells: for points that a soft-argmax reads off maps. */
#ifndef GN_LOSS_POSITION2D_H
#define GN_LOSS_POSITION2D_H
#include "formula/crop.h"
#include "formula/penalty.h"
#include "gnomon/loss.h"

#define POSITION2D_OPTIONS(O, C)                                                  \
    C(form, l1, "l1|squared|huber", "of each coordinate's error")                 \
    O(knee, 1.0, 1e-6, 1000, "huber: cells at which the parabola becomes a line") \
    O(cells, 64, 1, 4096, "cells a side of the maps that the points are read from")
typedef struct { POSITION2D_OPTIONS(GN_MEMBER_O, GN_MEMBER_C) } position2d_options;

GN_FN int position2d_terms(const gn_group *g) { return g->y->J; }

GN_FN int position2d_offers(const position2d_options *o, const gn_group *g, int t) {
    (void)o;
    return g->y->labelled2d[t];
}

GN_FN gn_real position2d_term(const position2d_options *o, const gn_group *g, int t, gn_pull *p) {
    const gn_labels *y = g->y;
    const gn_real *x = g->x->out[0] + 2 * t;
    const int form = o->form == 0 ? GN_L1 : o->form == 1 ? GN_SQUARED : GN_HUBER;
    gn_real value = GN_R(0), slope[2];
    for (int k = 0; k < 2; k++) {
        gn_real target = gn_picture_to_cell(y->joints2d[2 * t + k], GN_R(y->side), o->cells);
        value += gn_penalty(form, x[k] - target, o->knee, &slope[k]);
    }
    gn_pull_add(p, 0, 0, t, slope[0], slope[1], GN_R(0));
    return value;
}
#endif
#define GN_T position2d_options
GN_LOSS(position2d, POSITION2D_OPTIONS, "supervised 2D joints", GN_READ1(points, 2), 1, 1,
        GN_HAS_joints2d | GN_HAS_labelled2d)
#undef GN_T
