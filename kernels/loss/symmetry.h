/* symmetry.h - a bone and its mirror are equally long (C3P's L_sym, 2.2.2).
 *
 * A term is a pair of bones with lengths l, r:
 *
 *     difference   (l - r)^2                       metres
 *     ratio        (l/r - 1)^2 + (r/l - 1)^2       no unit */
#ifndef GN_LOSS_SYMMETRY_H
#define GN_LOSS_SYMMETRY_H
#include "gnomon/loss.h"

#define SYMMETRY_OPTIONS(O, C) C(form, difference, "difference|ratio", "how two lengths are compared")
typedef struct { SYMMETRY_OPTIONS(GN_MEMBER_O, GN_MEMBER_C) } symmetry_options;
enum { SYMMETRY_DIFFERENCE, SYMMETRY_RATIO };

GN_FN gn_real symmetry_length(const gn_real *x, const gn_bone *e, gn_real d[3]) { /* d: unit vector b to a */
    gn_real l = GN_R(0);
    for (int k = 0; k < 3; k++) {
        d[k] = x[3 * e->a + k] - x[3 * e->b + k];
        l += d[k] * d[k];
    }
    l = sqrt(l);
    for (int k = 0; k < 3; k++) d[k] = l > GN_R(0) ? d[k] / l : GN_R(0);
    return l;
}

GN_FN int symmetry_terms(const gn_group *g) { return g->y->skeleton ? g->y->skeleton->bones : 0; }

GN_FN int symmetry_offers(const symmetry_options *o, const gn_group *g, int t) { /* a pair counts once */
    (void)o;
    return g->y->skeleton->bone[t].mirror > t;
}

GN_FN gn_real symmetry_term(const symmetry_options *o, const gn_group *g, int t, gn_pull *p) {
    const gn_bone *one = &g->y->skeleton->bone[t], *two = &g->y->skeleton->bone[one->mirror];
    gn_real d[3], e[3], value, gl, gr;
    gn_real l = symmetry_length(g->x->out[0], one, d), r = symmetry_length(g->x->out[0], two, e);
    if (o->form == SYMMETRY_DIFFERENCE) {
        value = gn_sq(l - r);
        gl = GN_R(2) * (l - r);
        gr = -gl;
    } else {
        if (l == GN_R(0) || r == GN_R(0)) return GN_R(0);
        gn_real a = l / r - GN_R(1), b = r / l - GN_R(1);
        value = a * a + b * b;
        gl = GN_R(2) * (a / r - b * r / (l * l));
        gr = GN_R(2) * (b / l - a * l / (r * r));
    }
    gn_pull_add(p, 0, 0, one->a, gl * d[0], gl * d[1], gl * d[2]);
    gn_pull_add(p, 0, 0, one->b, -gl * d[0], -gl * d[1], -gl * d[2]);
    gn_pull_add(p, 0, 0, two->a, gr * e[0], gr * e[1], gr * e[2]);
    gn_pull_add(p, 0, 0, two->b, -gr * e[0], -gr * e[1], -gr * e[2]);
    return value;
}
#endif
#define GN_T symmetry_options
GN_LOSS(symmetry, SYMMETRY_OPTIONS, "left and right bones are equally long", GN_READ1(joints, 3), 1, 1, 0)
#undef GN_T
