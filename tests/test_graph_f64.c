/* test_graph_f64.c - a small hourglass end to end: is every parameter's gradient the slope of the loss? */
#include "tiny.h"
#include <stdlib.h>

enum { SHARDS = 2, BATCH = 4, DRAWS = 2 };

static double loss_at(gn_graph *g) {
    OK(gn_graph_forward(g, GN_TRAIN, 1));
    return tiny_loss(g, SHARDS, 0);
}

/* Central differences leave an error of h^2; with those of twice the step it is h^4. */
static double slope_at(gn_graph *g, gn_real *w, double h) {
    const double was = *w;
    double d[2];
    for (int k = 0; k < 2; k++) {
        *w = was + h * (k + 1);
        double up = loss_at(g);
        *w = was - h * (k + 1);
        d[k] = (up - loss_at(g)) / (2 * h * (k + 1));
    }
    *w = was;
    return (4 * d[0] - d[1]) / 3;
}

/* A step that crosses a kink (ReLU, pool) measures another slope, so shorter ones are tried: what is
 * wrong is wrong at all of them. Rounding, amplified by norms of channels that hardly vary, leaves `noise`
 * on the slope; it decides few of the draws. */
static int is_slope(gn_graph *g, gn_real *w, double loss, double mine, double *slope) {
    static const double step[] = { 1e-5, 1e-6, 1e-7 };
    for (int k = 0; k < 3; k++) {
        double noise = 1e-14 * loss / step[k];
        *slope = slope_at(g, w, step[k]);
        if (fabs(*slope - mine) <= noise + 1e-6 * fmax(fabs(mine), fabs(*slope))) return 1;
    }
    return 0;
}

/* A place of parameter p that is not padding. */
static int64_t drawn_place(gn_graph *g, int p, const gn_param *param, uint64_t draw) {
    int64_t n = gn_shape_count(&param->shape), elements = gn_graph_weight_count(g, NULL);
    gn_real *plain = calloc((size_t)n, sizeof *plain), *slab = calloc((size_t)elements, sizeof *slab);
    plain[gn_below(3, (uint64_t)p, draw, n)] = 1;
    gn_param_write(g, p, plain, slab);
    int64_t at = param->at;
    while (slab[at] == 0) at++;
    free(plain);
    free(slab);
    return at;
}

static void check_gradients(const char *name, const tiny_set *say, int side, int norm_shard, int block) {
    gn_arena *a = gn_arena_new("test");
    gn_graph *g = tiny_build(a, name, side, 3, say);
    OK(gn_graph_plan(g, &(gn_plan){ .batch = BATCH, .shards = SHARDS, .backward = 1, .norm_shard = norm_shard, .block = block }));
    gn_graph_init(g, GN_INIT_TORCH, 5);
    tiny_feed(g, SHARDS);
    OK(gn_graph_forward(g, GN_TRAIN, 1));
    double loss = tiny_loss(g, SHARDS, 1);
    OK(gn_graph_backward(g));

    const gn_param *param;
    int n = gn_graph_params(g, &param), pulled = 0, sharp = 0;
    gn_real *gradient = malloc((size_t)gn_graph_weight_count(g, NULL) * sizeof *gradient);
    int64_t trained;
    gn_graph_weight_count(g, &trained);
    memcpy(gradient, gn_graph_gradients(g), (size_t)trained * sizeof *gradient);
    for (int p = 0; p < n; p++)
        for (int k = 0; param[p].trained && k < DRAWS; k++) {
            int64_t at = drawn_place(g, p, &param[p], (uint64_t)k);
            double mine = gradient[at], slope;
            if (!is_slope(g, gn_graph_weights(g) + at, loss, mine, &slope))
                fail_msg("%s block %d: %s at %lld: gradient %.12g, slope %.12g", name, block, param[p].name,
                         (long long)(at - param[p].at), mine, slope);
            pulled += fabs(slope) > 1e-3;
            sharp += fabs(slope) > 1e-3 && fabs(slope - mine) <= 1e-6 * fabs(slope);
        }
    assert_true(pulled > n / 2); /* of 2 n draws; statistics do not learn, and a batch norm forgets the biases before it */
    assert_true(sharp > pulled * 9 / 10);
    free(gradient);
    gn_arena_free(a);
}

static const tiny_set two[] = { { "stacks", 2 }, { "width", 8 }, { "depth", 1 }, { "modules", 1 }, { "depth_modules", 1 }, { 0 } };
static const tiny_set one[] = { { "stacks", 1 }, { "width", 8 }, { "depth", 1 }, { "modules", 1 }, { "depth_modules", 1 }, { 0 } };
static const tiny_set wide[] = { { "stacks", 1 }, { "width", 12 }, { "depth", 2 }, { "modules", 1 }, { "depth_modules", 1 }, { 0 } };

static void over_the_batch(void **state) {
    (void)state;
    check_gradients("hourglass", two, 32, 0, 0);
}
static void over_a_shard(void **state) {
    (void)state;
    check_gradients("hourglass", one, 32, 1, 0);
}
static void in_small_blocks(void **state) {
    (void)state;
    check_gradients("hourglass", one, 32, 0, 3);
}
static void in_wide_blocks(void **state) {
    (void)state;
    check_gradients("hourglass", wide, 32, 0, 16);
}
static void plain_too(void **state) {
    (void)state;
    check_gradients("plain", (tiny_set[]){ { "width", 8 }, { "units", 1 }, { 0 } }, 16, 0, 5);
}

int main(void) {
    setenv("GN_POISON", "1", 1);
    const struct CMUnitTest tests[] = { cmocka_unit_test(over_the_batch), cmocka_unit_test(over_a_shard),
                                        cmocka_unit_test(in_small_blocks), cmocka_unit_test(in_wide_blocks),
                                        cmocka_unit_test(plain_too) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
