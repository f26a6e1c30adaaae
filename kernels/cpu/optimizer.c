/* optimizer.c - the step of every parameter: one pass over weight, gradient and states. */
#include "formula/optimizer.h"
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

static void run_sgd(const void *options, const gn_learn *l) {
    const sgd *o = options;
    const gn_pace p = { .scale = (gn_real)l->gradient_scale, .rate = (gn_real)l->rate, .decay = (gn_real)o->decay, .first = (gn_real)o->momentum };
    gn_real *restrict w = l->w, *restrict a = l->state[0];
    const gn_real *restrict g = l->g;
    const int nesterov = o->nesterov;
    for (int64_t i = l->from; i < l->to; i++) {
        gn_learnt x = gn_sgd_step(p, nesterov, (gn_learnt){ w[i], a[i], 0 }, g[i]);
        w[i] = x.w;
        a[i] = x.a;
    }
}

static void run_rmsprop(const void *options, const gn_learn *l) {
    const rmsprop *o = options;
    const gn_pace p = { .scale = (gn_real)l->gradient_scale, .rate = (gn_real)l->rate, .decay = (gn_real)o->decay,
                        .second = (gn_real)o->smoothing, .second_new = (gn_real)(1 - o->smoothing), .epsilon = (gn_real)o->epsilon };
    gn_real *restrict w = l->w, *restrict a = l->state[0];
    const gn_real *restrict g = l->g;
    for (int64_t i = l->from; i < l->to; i++) {
        gn_learnt x = gn_rmsprop_step(p, (gn_learnt){ w[i], a[i], 0 }, g[i]);
        w[i] = x.w;
        a[i] = x.a;
    }
}

static void adam_any(const adam *o, const gn_learn *l, double decay, double keep) {
    const double t = (double)l->t;
    const gn_pace p = { .scale = (gn_real)l->gradient_scale, .rate = (gn_real)(l->rate / (1 - pow(o->beta1, t))),
                        .decay = (gn_real)decay, .keep = (gn_real)keep,
                        .first = (gn_real)o->beta1, .first_new = (gn_real)(1 - o->beta1),
                        .second = (gn_real)o->beta2, .second_new = (gn_real)(1 - o->beta2),
                        .second_scale = (gn_real)(1 / sqrt(1 - pow(o->beta2, t))), .epsilon = (gn_real)o->epsilon };
    gn_real *restrict w = l->w, *restrict a = l->state[0], *restrict b = l->state[1];
    const gn_real *restrict g = l->g;
    for (int64_t i = l->from; i < l->to; i++) {
        gn_learnt x = gn_adam_step(p, (gn_learnt){ w[i], a[i], b[i] }, g[i]);
        w[i] = x.w;
        a[i] = x.a;
        b[i] = x.b;
    }
}

static void run_adam(const void *options, const gn_learn *l) {
    const adam *o = options;
    adam_any(o, l, o->decay, 1);
}
static void run_adamw(const void *options, const gn_learn *l) {
    const adam *o = options;
    adam_any(o, l, 0, 1 - l->rate * o->decay);
}

static const gn_optimizer all[] = {
    { "sgd", "stochastic gradient descent with momentum", sizeof(sgd), sgd_options, 1, run_sgd },
    { "rmsprop", "gradients over the root of their running mean square (Zhou 2017)", sizeof(rmsprop), rmsprop_options, 1, run_rmsprop },
    { "adam", "running means of gradients and their squares", sizeof(adam), adam_options, 2, run_adam },
    { "adamw", "adam with weight decay apart from the gradient", sizeof(adam), adamw_options, 2, run_adamw },
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
