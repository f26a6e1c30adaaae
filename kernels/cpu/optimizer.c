/* optimizer.c - the step of every parameter: one pass over weight, gradient and states. */
#include "gnomon/optimizer.h"
#include <string.h>

typedef struct {
    double rate, momentum, decay;
    int nesterov;
} sgd;
typedef struct { double rate, smoothing, epsilon, decay; } rmsprop;
typedef struct { double rate, beta1, beta2, epsilon, decay; } adam;

#define NUMBER(type, name, dflt, least, most, help) { #name, GN_KIND_NUMBER, offsetof(type, name), dflt, least, most, 0, help, 0, 0 }
#define RATE(type, dflt) NUMBER(type, rate, dflt, 0, 1e3, "learning rate before the schedule")
#define DECAY(type, dflt) NUMBER(type, decay, dflt, 0, 1, "weight decay")
#define END { 0, GN_KIND_INT, 0, 0, 0, 0, 0, 0, 0, 0 }

static const gn_option sgd_options[] = {
    RATE(sgd, 0.01),
    NUMBER(sgd, momentum, 0.9, 0, 0.9999, "share of the last step that is kept"),
    DECAY(sgd, 0),
    { "nesterov", GN_KIND_FLAG, offsetof(sgd, nesterov), 0, 0, 1, 0, "look ahead by the momentum", 0, 0 },
    END,
};
static const gn_option rmsprop_options[] = {
    RATE(rmsprop, 2.5e-4),
    NUMBER(rmsprop, smoothing, 0.99, 0, 0.999999, "of the running mean of squared gradients"),
    NUMBER(rmsprop, epsilon, 1e-8, 0, 1, "added to its root"),
    DECAY(rmsprop, 0),
    END,
};
#define ADAM_ROWS(decay)                                                                           \
    RATE(adam, 1e-3), NUMBER(adam, beta1, 0.9, 0, 0.999999, "of the running mean of gradients"),   \
        NUMBER(adam, beta2, 0.999, 0, 0.9999999, "of the running mean of squared gradients"),      \
        NUMBER(adam, epsilon, 1e-8, 0, 1, "added to its root"), DECAY(adam, decay), END
static const gn_option adam_options[] = { ADAM_ROWS(0) }, adamw_options[] = { ADAM_ROWS(0.01) };

/* --- what is the same for all parameters --- */

static void pace_sgd(const void *options, int64_t t, double rate, gn_pace *p) {
    const sgd *o = options;
    (void)t;
    *p = (gn_pace){ .scale = 1, .rate = (gn_real)rate, .decay = (gn_real)o->decay,
                    .first = (gn_real)o->momentum, .nesterov = o->nesterov };
}

static void pace_rmsprop(const void *options, int64_t t, double rate, gn_pace *p) {
    const rmsprop *o = options;
    (void)t;
    *p = (gn_pace){ .scale = 1, .rate = (gn_real)rate, .decay = (gn_real)o->decay, .second = (gn_real)o->smoothing,
                    .second_new = (gn_real)(1 - o->smoothing), .epsilon = (gn_real)o->epsilon };
}

static void pace_adam(const void *options, int64_t t, double rate, gn_pace *p) {
    const adam *o = options;
    const double n = (double)t;
    *p = (gn_pace){ .scale = 1, .rate = (gn_real)(rate / (1 - pow(o->beta1, n))), .decay = (gn_real)o->decay, .keep = 1,
                    .first = (gn_real)o->beta1, .first_new = (gn_real)(1 - o->beta1),
                    .second = (gn_real)o->beta2, .second_new = (gn_real)(1 - o->beta2),
                    .second_scale = (gn_real)(1 / sqrt(1 - pow(o->beta2, n))), .epsilon = (gn_real)o->epsilon };
}

static void pace_adamw(const void *options, int64_t t, double rate, gn_pace *p) {
    const adam *o = options;
    pace_adam(options, t, rate, p);
    p->decay = 0;
    p->keep = (gn_real)(1 - rate * o->decay);
}

typedef void pace_fn(const void *options, int64_t t, double rate, gn_pace *p);

static gn_pace clipped(pace_fn *pace, const void *options, const gn_learn *l) {
    gn_pace p;
    pace(options, l->t, l->rate, &p);
    p.scale = (gn_real)l->gradient_scale;
    return p;
}

/* --- the loops --- */

static void run_sgd(const void *options, const gn_learn *l) {
    const gn_pace p = clipped(pace_sgd, options, l);
    gn_real *restrict w = l->w, *restrict a = l->state[0];
    const gn_real *restrict g = l->g;
    for (int64_t i = l->from; i < l->to; i++) {
        gn_learnt x = gn_sgd_step(p, (gn_learnt){ w[i], a[i], 0 }, g[i]);
        w[i] = x.w;
        a[i] = x.a;
    }
}

static void run_rmsprop(const void *options, const gn_learn *l) {
    const gn_pace p = clipped(pace_rmsprop, options, l);
    gn_real *restrict w = l->w, *restrict a = l->state[0];
    const gn_real *restrict g = l->g;
    for (int64_t i = l->from; i < l->to; i++) {
        gn_learnt x = gn_rmsprop_step(p, (gn_learnt){ w[i], a[i], 0 }, g[i]);
        w[i] = x.w;
        a[i] = x.a;
    }
}

static void adam_any(gn_pace p, const gn_learn *l) {
    gn_real *restrict w = l->w, *restrict a = l->state[0], *restrict b = l->state[1];
    const gn_real *restrict g = l->g;
    for (int64_t i = l->from; i < l->to; i++) {
        gn_learnt x = gn_adam_step(p, (gn_learnt){ w[i], a[i], b[i] }, g[i]);
        w[i] = x.w;
        a[i] = x.a;
        b[i] = x.b;
    }
}
static void run_adam(const void *options, const gn_learn *l) { adam_any(clipped(pace_adam, options, l), l); }
static void run_adamw(const void *options, const gn_learn *l) { adam_any(clipped(pace_adamw, options, l), l); }

static const gn_optimizer all[] = {
    { "sgd", "stochastic gradient descent with momentum", sizeof(sgd), sgd_options, 1, GN_STEP_SGD, pace_sgd, run_sgd },
    { "rmsprop", "gradients over the root of their running mean square (Zhou 2017)", sizeof(rmsprop), rmsprop_options, 1,
      GN_STEP_RMSPROP, pace_rmsprop, run_rmsprop },
    { "adam", "running means of gradients and their squares", sizeof(adam), adam_options, 2, GN_STEP_ADAM, pace_adam, run_adam },
    { "adamw", "adam with weight decay apart from the gradient", sizeof(adam), adamw_options, 2, GN_STEP_ADAM, pace_adamw,
      run_adamw },
};
const gn_optimizer *const gn_optimizers[] = { &all[0], &all[1], &all[2], &all[3], NULL };

const gn_optimizer *gn_optimizer_find(const char *name) {
    for (int i = 0; gn_optimizers[i]; i++)
        if (!strcmp(gn_optimizers[i]->name, name)) return gn_optimizers[i];
    return NULL;
}

void gn_ema_run(double decay, int64_t from, int64_t to, const gn_real *restrict w, gn_real *restrict mean) {
    const gn_real fresh = (gn_real)(1 - decay);
    for (int64_t i = from; i < to; i++) mean[i] += fresh * (w[i] - mean[i]);
}

double gn_sum_squares(const gn_real *x, int64_t from, int64_t to) {
    enum { LANES = 16 };
    double lane[LANES] = { 0 };
    int64_t i = from;
    for (; i + LANES <= to; i += LANES)
        for (int k = 0; k < LANES; k++) lane[k] += (double)x[i + k] * (double)x[i + k];
    for (int k = 0; i < to; i++, k++) lane[k] += (double)x[i] * (double)x[i];
    for (int n = LANES / 2; n; n /= 2)
        for (int k = 0; k < n; k++) lane[k] += lane[k + n];
    return lane[0];
}
