/* optimizer.h - one parameter's step w -> w' from its gradient g.
 *
 *     sgd      b = momentum b + g;  w' = w - rate b, or with nesterov w - rate (g + momentum b)
 *     rmsprop  a = s a + (1 - s) g^2;  w' = w - rate g / (sqrt a + epsilon)        (Zhou 2017, A1.2: s = 0.99)
 *     adam     m, v as running means of g, g^2, corrected for their start at zero;
 *              w' = w - rate m^ / (sqrt v^ + epsilon)                              (Kingma and Ba 2015)
 *     adamw    adam on w (1 - rate decay)                                          (Loshchilov and Hutter 2019)
 *
 * In the others `decay` adds decay w to the gradient. What is the same for all parameters of a step is
 * worked out in double beforehand and handed over in gn_pace. */
#ifndef GN_FORMULA_OPTIMIZER_H
#define GN_FORMULA_OPTIMIZER_H
#include "gnomon/formula.h"

typedef enum { GN_STEP_SGD, GN_STEP_RMSPROP, GN_STEP_ADAM } gn_step; /* adamw is adam at another pace */

typedef struct {
    gn_real scale;            /* of the gradient */
    gn_real rate;
    gn_real decay;            /* added to the gradient */
    gn_real keep;             /* of the weight: 1, or 1 - rate decay */
    gn_real first, second;    /* momentum, or of the two running means */
    gn_real first_new, second_new; /* 1 - first, 1 - second: exact for 0.999 only in double */
    gn_real second_scale;     /* 1 / sqrt(1 - second^t) */
    gn_real epsilon;
    int nesterov;             /* sgd: look ahead by the momentum */
} gn_pace;

typedef struct { gn_real w, a, b; } gn_learnt; /* the weight and its states */

GN_FN gn_learnt gn_sgd_step(gn_pace p, gn_learnt x, gn_real g) {
    g = g * p.scale + p.decay * x.w;
    x.a = p.first * x.a + g;
    x.w -= p.rate * (p.nesterov ? g + p.first * x.a : x.a);
    return x;
}

GN_FN gn_learnt gn_rmsprop_step(gn_pace p, gn_learnt x, gn_real g) {
    g = g * p.scale + p.decay * x.w;
    x.a = p.second * x.a + p.second_new * (g * g);
    x.w -= p.rate * g / (sqrt(x.a) + p.epsilon);
    return x;
}

/* `rate` holds 1 / (1 - first^t) already. */
GN_FN gn_learnt gn_adam_step(gn_pace p, gn_learnt x, gn_real g) {
    g = g * p.scale + p.decay * x.w;
    x.a = p.first * x.a + p.first_new * g;
    x.b = p.second * x.b + p.second_new * (g * g);
    x.w = x.w * p.keep - p.rate * x.a / (sqrt(x.b) * p.second_scale + p.epsilon);
    return x;
}
#endif
