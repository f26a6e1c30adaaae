/* test_optimizer_f64.c - the optimizers in double: by hand, against independent loops, and on a valley. */
#include "near.h"
#include "gnomon/optimizer.h"
#include <stdlib.h>
#include <string.h>

enum { N = 37, STEPS = 6 };

static void defaults(const gn_optimizer *o, void *options) {
    memset(options, 0, o->bytes);
    for (const gn_option *row = o->options; row->name; row++) {
        char *at = (char *)options + row->offset;
        if (row->kind == GN_KIND_FLAG) *(int *)(void *)at = (int)row->dflt;
        else *(double *)(void *)at = row->dflt;
    }
}
static void set(const gn_optimizer *o, void *options, const char *name, double value) {
    for (const gn_option *row = o->options; row->name; row++) {
        if (strcmp(row->name, name)) continue;
        char *at = (char *)options + row->offset;
        if (row->kind == GN_KIND_FLAG) *(int *)(void *)at = (int)value;
        else *(double *)(void *)at = value;
        return;
    }
    fail_msg("%s has no option %s", o->name, name);
}

static double noise(int i, int step) { return sin(12.9898 * i + 78.233 * step + 1); }

/* The same step written in another way: from unrolled sums over all gradients so far, with no state. */
static double expected(const char *name, double rate, double decay, int i, double w0) {
    double w[STEPS + 1], g[STEPS + 1];
    w[0] = w0;
    for (int t = 1; t <= STEPS; t++) {
        int within = strcmp(name, "adamw") != 0;
        g[t] = noise(i, t) * 0.5 + (within ? decay * w[t - 1] : 0);
        double m = 0, v = 0, step = 0;
        if (!strcmp(name, "rmsprop")) {
            for (int k = 1; k <= t; k++) v += 0.01 * pow(0.99, t - k) * g[k] * g[k];
            step = g[t] / (sqrt(v) + 1e-8);
        } else if (name[0] == 's') {
            for (int k = 1; k <= t; k++) m += pow(0.9, t - k) * g[k];
            step = strcmp(name, "sgd") ? g[t] + 0.9 * m : m;
        } else {
            double weight = 0, weight2 = 0;
            for (int k = 1; k <= t; k++) {
                m += pow(0.9, t - k) * g[k], weight += pow(0.9, t - k);
                v += pow(0.999, t - k) * g[k] * g[k], weight2 += pow(0.999, t - k);
            }
            step = m / weight / (sqrt(v / weight2) + 1e-8) + (within ? 0 : decay * w[t - 1]);
        }
        w[t] = w[t - 1] - rate * step;
    }
    return w[STEPS];
}

static void check(const char *name, const char *as, double decay) {
    const gn_optimizer *o = gn_optimizer_find(name);
    double options[16], w[N], g[N], a[N] = { 0 }, b[N] = { 0 };
    double *const state[2] = { a, b };
    defaults(o, options);
    set(o, options, "decay", decay);
    if (strcmp(name, as)) set(o, options, "nesterov", 1);
    for (int i = 0; i < N; i++) w[i] = noise(i, 0);
    for (int t = 1; t <= STEPS; t++) {
        for (int i = 0; i < N; i++) g[i] = noise(i, t);
        /* ranges in any order */
        gn_learn l = { .t = t, .rate = 0.01, .gradient_scale = 0.5, .from = 11, .to = N, .w = w, .g = g, .state = state };
        o->run(options, &l);
        l.from = 0, l.to = 11;
        o->run(options, &l);
    }
    for (int i = 0; i < N; i++) NEAR(w[i], expected(as, 0.01, decay, i, noise(i, 0)), 1e-12);
}

static void each_is_its_formula(void **state) {
    (void)state;
    static const double decay[] = { 0, 0.1 };
    for (int k = 0; k < 2; k++) {
        check("sgd", "sgd", decay[k]);
        check("sgd", "s-nesterov", decay[k]);
        check("rmsprop", "rmsprop", decay[k]);
        check("adam", "adam", decay[k]);
        check("adamw", "adamw", decay[k]);
    }
}

static void first_steps_by_hand(void **state) {
    (void)state;
    double options[16], w, g = -3, a, b;
    double *const slabs[2] = { &a, &b };
    gn_learn l = { .t = 1, .rate = 0.1, .gradient_scale = 1, .to = 1, .w = &w, .g = &g, .state = slabs };
    const struct { const char *name; double after; } hand[] = {
        { "sgd", 1.3 },      /* 1 + 0.1 * 3 */
        { "rmsprop", 2.0 },  /* 1 + 0.1 * 3 / sqrt(0.01 * 9) */
        { "adam", 1.1 },     /* 1 + 0.1 * 3 / 3 */
        { "adamw", 1.099 },  /* 1 - 0.1 * 0.01 + 0.1 */
    };
    for (int k = 0; k < 4; k++) {
        const gn_optimizer *o = gn_optimizer_find(hand[k].name);
        w = 1, a = 0, b = 0;
        defaults(o, options);
        o->run(options, &l);
        NEAR(w, hand[k].after, 1e-6);
    }
    assert_null(gn_optimizer_find("lbfgs"));
}

/* f = sum (i + 1) w^2 / 2: everybody finds the bottom */
static void all_go_down(void **state) {
    (void)state;
    for (int k = 0; gn_optimizers[k]; k++) {
        const gn_optimizer *o = gn_optimizers[k];
        double options[16], w[4] = { 1, -2, 3, -4 }, g[4], a[4] = { 0 }, b[4] = { 0 };
        double *const slabs[2] = { a, b };
        defaults(o, options);
        for (int t = 1; t <= 3000; t++) {
            for (int i = 0; i < 4; i++) g[i] = (i + 1) * w[i];
            gn_learn l = { .t = t, .rate = 0.01 * (1 - t / 3001.0), .gradient_scale = 1, .to = 4, .w = w, .g = g, .state = slabs };
            o->run(options, &l);
        }
        NEAR(sqrt(gn_sum_squares(w, 0, 4)), 0, 1e-2);
        assert_true(o->states >= 1 && o->states <= GN_OPTIMIZER_STATES);
        assert_string_equal(o->options[0].name, "rate");
        assert_int_equal(o->options[0].offset, 0);
    }
}

static void means_and_sums(void **state) {
    (void)state;
    double w[N], mean[N], sum = 0;
    for (int i = 0; i < N; i++) w[i] = noise(i, 1), mean[i] = noise(i, 2), sum += i >= 3 ? w[i] * w[i] : 0;
    NEAR(gn_sum_squares(w, 3, N), sum, 1e-13);
    gn_ema_run(0.9, 0, N, w, mean);
    for (int i = 0; i < N; i++) NEAR(mean[i], 0.9 * noise(i, 2) + 0.1 * w[i], 1e-15);
    for (int i = 0; i < N; i++) {
        double was = w[i];
        w[i] = i % 2 ? (double)NAN : (double)INFINITY;
        if (isfinite(gn_sum_squares(w, 0, N))) fail_msg("element %d is not seen", i);
        w[i] = was;
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_is_its_formula),
        cmocka_unit_test(first_steps_by_hand),
        cmocka_unit_test(all_go_down),
        cmocka_unit_test(means_and_sums),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
