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

/* What starts at 0 lets nothing back. */
static void draw_zeros(gn_graph *g) {
    const gn_param *param;
    const int n = gn_graph_params(g, &param);
    for (int p = 0; p < n; p++) {
        const int64_t count = gn_shape_count(&param[p].shape);
        gn_real *plain = malloc((size_t)count * sizeof *plain);
        for (int64_t i = 0; i < count; i++) plain[i] = (gn_real)(0.3 * gn_normal(17, (uint64_t)p, (uint64_t)i));
        if (param[p].zero) gn_param_write(g, p, plain, gn_graph_weights(g));
        free(plain);
    }
}

static void check_graph(gn_graph *g, const char *name, int norm_shard, int block) {
    OK(gn_graph_plan(g, &(gn_plan){ .batch = BATCH, .shards = SHARDS, .backward = 1, .norm_shard = norm_shard, .block = block }));
    gn_graph_init(g, GN_INIT_TORCH, 5);
    draw_zeros(g);
    tiny_feed(g, SHARDS);
    const gn_param *param;
    int64_t trained;
    int n = gn_graph_params(g, &param), pulled = 0, sharp = 0;
    double loss = 0;
    gn_graph_weight_count(g, &trained);
    gn_real *gradient = malloc((size_t)trained * sizeof *gradient);
    for (int twice = 0; twice < 2; twice++) { /* nothing of the first pass may show in the second */
        OK(gn_graph_forward(g, GN_TRAIN, 1));
        loss = tiny_loss(g, SHARDS, 1);
        OK(gn_graph_backward(g));
        if (twice) assert_memory_equal(gradient, gn_graph_gradients(g), (size_t)trained * sizeof *gradient);
        memcpy(gradient, gn_graph_gradients(g), (size_t)trained * sizeof *gradient);
    }
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
}

static void check_gradients(const char *name, const tiny_set *say, int side, int norm_shard, int block) {
    gn_arena *a = gn_arena_new("test");
    check_graph(tiny_build(a, name, side, 3, say), name, norm_shard, block);
    gn_arena_free(a);
}

/* Every way in which gradients meet: an operand used before and after, a sum with itself, an output that
 * others read, a residual that is no first writer. */
static void tangle(void **state) {
    (void)state;
    gn_arena *arena = gn_arena_new("test");
    gn_graph *g;
    OK(gn_graph_new(arena, &g));
    gn_scope_in(g, "first");
    gn_node x = gn_conv(g, gn_input(g, "picture", 3, 8, 8), (gn_conv_spec){ .channels = 5, .kernel = 3 });
    gn_scope_out(g);
    gn_node u = gn_upsample(g, gn_pool_max(g, x, 2), 2, x);
    gn_node v = gn_add(g, u, x);
    gn_output(g, "v", v);
    gn_scope_in(g, "second");
    gn_node y = gn_conv(g, gn_add(g, v, v), (gn_conv_spec){ .channels = 5, .kernel = 1, .norm = 1, .relu = 1, .add = u });
    gn_scope_out(g);
    gn_scope_in(g, "side");
    gn_node q = gn_conv(g, y, (gn_conv_spec){ .channels = 5, .kernel = 1 });
    gn_scope_out(g);
    gn_scope_in(g, "branch");
    gn_output(g, "q", gn_conv(g, q, (gn_conv_spec){ .channels = 2, .kernel = 3 }));
    gn_scope_out(g);
    gn_node w = gn_add(g, y, q); /* first to pull both, and both are pulled again */
    gn_scope_in(g, "third");
    gn_output(g, "z", gn_conv(g, w, (gn_conv_spec){ .channels = 5, .kernel = 3, .relu = 1, .no_bias = 1, .add = u }));
    gn_scope_out(g);
    gn_scope_in(g, "unread"); /* no output depends on it: it gets no gradient and disturbs none */
    gn_conv(g, y, (gn_conv_spec){ .channels = 2, .kernel = 1 });
    gn_scope_out(g);
    check_graph(g, "tangle", 0, 2);
    gn_arena_free(arena);
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

static void lifter_too(void **state) {
    (void)state;
    check_gradients("lifter", (tiny_set[]){ { "width", 10 }, { "blocks", 2 }, { "dropout", 0 }, { 0 } }, 16, 0, 0);
    check_gradients("lifter", (tiny_set[]){ { "width", 16 }, { "blocks", 1 }, { "dropout", 0 }, { "confidence", 1 }, { 0 } }, 16, 1, 16);
}

/* Mean and unbiased variance of a channel of the input over shards [from, to). */
static void moments(gn_graph *g, int c, int from, int to, double *mean, double *variance) {
    double n = 0, sum = 0, squares = 0;
    for (int s = from; s < to; s++) {
        gn_tensor x = gn_graph_input(g, "picture", s);
        for (int64_t i = c; i < gn_tensor_count(&x); i += x.block, n++) {
            sum += ((gn_real *)x.data)[i];
            squares += ((gn_real *)x.data)[i] * ((gn_real *)x.data)[i];
        }
    }
    *mean = sum / n;
    *variance = (squares - sum * sum / n) / (n - 1);
}

/* One 1x1 convolution of relu(norm(x)): statistics move by the batch or by the shards' mean, and serve in evaluation. */
static void statistics(void **state) {
    (void)state;
    for (int norm_shard = 0; norm_shard < 2; norm_shard++) {
        enum { SIDE = 3, C = 3 };
        gn_arena *a = gn_arena_new("test");
        gn_graph *g;
        OK(gn_graph_new(a, &g));
        gn_output(g, "y", gn_conv(g, gn_input(g, "picture", C, SIDE, SIDE), (gn_conv_spec){ .channels = 2, .kernel = 1, .norm = 1, .relu = 1 }));
        OK(gn_graph_plan(g, &(gn_plan){ .batch = BATCH, .shards = SHARDS, .norm_shard = norm_shard }));
        gn_graph_init(g, GN_INIT_TORCH, 5);
        tiny_feed(g, SHARDS);
        OK(gn_graph_forward(g, GN_TRAIN, 1));

        double mean[3] = { 0 }, variance[3] = { 0 };
        int sets = norm_shard ? SHARDS : 1;
        for (int c = 0; c < C; c++)
            for (int set = 0; set < sets; set++) {
                double m, v;
                moments(g, c, set, norm_shard ? set + 1 : SHARDS, &m, &v);
                mean[c] += 0.1 * m / sets;
                variance[c] += 0.1 * v / sets;
            }
        const gn_param *p;
        const gn_real *w = gn_graph_weights(g), *of[6];
        assert_int_equal(gn_graph_params(g, &p), 6);
        for (int k = 0; k < 6; k++) of[p[k].role] = w + p[k].at;
        for (int c = 0; c < C; c++) {
            NEAR(of[GN_MEAN][c], mean[c], 1e-12);
            NEAR(of[GN_VARIANCE][c], 0.9 + variance[c], 1e-12);
        }

        OK(gn_graph_forward(g, GN_EVAL, 1));
        gn_tensor x = gn_graph_input(g, "picture", 1), y = gn_graph_output(g, 0, 1);
        double sum = of[GN_BIAS][1];
        for (int c = 0; c < C; c++) {
            double xhat = (((gn_real *)x.data)[gn_at(&x, 1, c, 2, 1)] - of[GN_MEAN][c]) / sqrt(of[GN_VARIANCE][c] + 1e-5);
            sum += of[GN_WEIGHT][c * 2 + 1] * fmax(0, xhat * of[GN_SCALE][c] + of[GN_SHIFT][c]); /* [kh kw I O] */
        }
        NEAR(((gn_real *)y.data)[gn_at(&y, 1, 1, 2, 1)], sum, 1e-12);
        NEAR(of[GN_MEAN][0], mean[0], 1e-12); /* evaluation moves nothing */
        gn_arena_free(a);
    }
}

int main(void) {
    setenv("GN_POISON", "1", 1);
    const struct CMUnitTest tests[] = { cmocka_unit_test(over_the_batch), cmocka_unit_test(over_a_shard),
                                        cmocka_unit_test(in_small_blocks), cmocka_unit_test(in_wide_blocks),
                                        cmocka_unit_test(plain_too), cmocka_unit_test(lifter_too), cmocka_unit_test(tangle), cmocka_unit_test(statistics) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
