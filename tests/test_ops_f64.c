/* test_ops_f64.c - is every op's backward the slope of its own forward? In double, by central differences,
 * at odd sizes, in both layouts, over one shard and several, written and added. */
#include "formula/norm.h"
#include "rig.h"

enum { MOST = 24 }; /* elements tried a tensor */
static const double STEP = 1e-5, WITHIN = 1e-6;

static double difference(rig *r, gn_tensor *t, int64_t at) {
    double keep = rig_get(t, at);
    rig_put(t, at, keep + STEP);
    double more = rig_loss(r);
    rig_put(t, at, keep - STEP);
    double less = rig_loss(r);
    rig_put(t, at, keep);
    return (more - less) / (2 * STEP);
}

static void lanes_are_zero(const gn_tensor *t) {
    if (!t->block) return;
    const int64_t *d = t->shape.d;
    gn_tensor whole = *t;
    whole.shape.d[1] = gn_tensor_lanes(t);
    for (int64_t n = 0; n < d[0]; n++)
        for (int64_t c = d[1]; c < whole.shape.d[1]; c++)
            for (int64_t i = 0; i < d[2] * d[3]; i++)
                NEAR(rig_get(t, gn_at(&whole, n, c, i / d[3], i % d[3])), 0, 0);
}

static void check(rig r) {
    r.seed = r.seed ? r.seed : 7;
    rig_open(&r);
    rig_forward(&r);
    const double before = 0.25; /* what lies in d_in when it is added to */
    for (int s = 0; s < r.shards; s++)
        for (int i = 0; i < r.n_in; i++)
            for (int64_t k = 0; k < gn_shape_count(&r.in_shape[i]); k++)
                rig_put(&r.d_in[s][i], rig_at(&r.d_in[s][i], k), r.first ? (double)NAN : before);
    rig_backward(&r);
    for (int s = 0; s < r.shards; s++) {
        lanes_are_zero(&r.out[s]);
        for (int i = 0; i < r.n_in; i++) {
            int64_t n = gn_shape_count(&r.in_shape[i]), stride = n / MOST + 1;
            lanes_are_zero(&r.d_in[s][i]);
            for (int64_t k = (int64_t)(r.seed % (uint64_t)stride); k < n; k += stride) {
                int64_t at = rig_at(&r.in[s][i], k);
                double expected = difference(&r, &r.in[s][i], at) + (r.first ? 0 : before);
                NEAR_REL(rig_get(&r.d_in[s][i], at), expected, WITHIN, 1);
            }
        }
    }
    for (int k = 0; k < r.s.n_param; k++) {
        int is_statistic = r.s.norm_channels && k >= r.s.n_param - 2;
        int64_t n = r.param[k].shape.d[0], stride = n / MOST + 1;
        for (int64_t at = 0; at < n && !is_statistic; at += r.live[k][at] ? stride : 1) {
            double got = 0;
            for (int s = 0; s < r.shards; s++) got += rig_get(&r.d_param[s][k], at);
            NEAR_REL(got, r.live[k][at] ? difference(&r, &r.param[k], at) : 0, WITHIN, 1);
        }
    }
    rig_close(&r);
}

static rig conv_rig(const gn_conv_attr *a, int n, int c, int h, int w, int block, int shards, int first) {
    rig r = { .op = &gn_op_conv, .attr = a, .n_in = 1 + a->add, .shards = shards, .first = first };
    int pad = a->kernel / 2;
    r.in_shape[0] = (gn_shape){ 4, { n, c, h, w } };
    r.in_shape[1] = (gn_shape){ 4,
                                { n, a->channels, (h + 2 * pad - a->kernel) / a->stride + 1,
                                  (w + 2 * pad - a->kernel) / a->stride + 1 } };
    r.in_block[0] = block && c > 3 ? block : c;
    r.in_block[1] = r.out_block = block ? block : a->channels;
    return r;
}

static void test_conv(void **state) {
    (void)state;
    static const struct {
        int c, o, k, stride, n, h, w;
    } size[] = {
        { 1, 1, 1, 1, 1, 1, 1 },   { 7, 5, 1, 1, 2, 7, 5 },  { 5, 7, 3, 1, 1, 7, 6 },
        { 3, 17, 7, 2, 1, 15, 9 }, { 17, 3, 3, 2, 2, 7, 8 }, { 33, 18, 3, 1, 1, 3, 7 },
        { 4, 6, 1, 2, 1, 5, 7 },   { 2, 2, 3, 1, 1, 1, 33 },
    };
    static const int block[] = { 0, 4, 8, 16 };
    for (size_t i = 0; i < sizeof size / sizeof *size; i++)
        for (int b = 0; b < 4; b++)
            for (int kind = 0; kind < 4; kind++) { /* plain; relu; norm; norm, relu, add */
                gn_conv_attr a = { size[i].o, size[i].k, size[i].stride, kind >= 2, kind == 1 || kind == 3,
                                   kind != 1, kind == 3 };
                int few = a.norm &&
                          size[i].n * size[i].h * size[i].w < 4; /* one value has no variance to speak of */
                check(conv_rig(&a, few ? 5 : size[i].n, size[i].c, size[i].h, size[i].w, block[b],
                               1 + kind % 2 * 2, (kind + b) % 2));
            }
}

static void test_norm(void **state) {
    (void)state;
    for (int relu = 0; relu < 2; relu++)
        for (int b = 0; b < 2; b++)
            for (int shards = 1; shards < 4; shards++) {
                gn_norm_attr a = { relu };
                rig r = { .op = &gn_op_norm, .attr = &a, .n_in = 1, .shards = shards, .first = b };
                r.in_shape[0] = (gn_shape){ 4, { 2, 33, 7, 1 } };
                r.in_block[0] = r.out_block = b ? 16 : 33;
                check(r);
                r.in_shape[0] = (gn_shape){ 2, { 9, 7 } };
                check(r);
            }
}

/* One shard of two samples is two shards of one, to the last digits. */
static void test_norm_over_shards(void **state) {
    (void)state;
    gn_norm_attr a = { 1 };
    rig one = { .op = &gn_op_norm,
                .attr = &a,
                .n_in = 1,
                .first = 1,
                .seed = 3,
                .in_shape = { { 4, { 2, 5, 3, 3 } } },
                .in_block = { 5 },
                .out_block = 5 };
    rig two = one;
    two.shards = 2;
    two.in_shape[0].d[0] = 1;
    rig_open(&one), rig_open(&two);
    memcpy(two.in[0][0].data, one.in[0][0].data, 45 * sizeof(double));
    memcpy(two.in[1][0].data, (double *)one.in[0][0].data + 45, 45 * sizeof(double));
    for (int k = 0; k < 2; k++) memcpy(two.param[k].data, one.param[k].data, 16 * sizeof(double));
    rig_forward(&one), rig_forward(&two);
    for (int i = 0; i < 90; i++) NEAR(rig_get(&two.out[i / 45], i % 45), rig_get(&one.out[0], i), 1e-13);
    rig_close(&one), rig_close(&two);
}

/* Evaluation uses the running statistics, which here say: subtract 2, divide by 3. */
static void test_norm_eval(void **state) {
    (void)state;
    gn_norm_attr a = { 0 };
    rig r = { .op = &gn_op_norm,
              .attr = &a,
              .n_in = 1,
              .mode = GN_EVAL,
              .seed = 5,
              .in_shape = { { 4, { 1, 2, 3, 3 } } },
              .in_block = { 2 },
              .out_block = 2 };
    rig_open(&r);
    for (int c = 0; c < 2; c++) rig_put(&r.param[2], c, 2), rig_put(&r.param[3], c, 9 - 1e-5);
    rig_forward(&r);
    for (int i = 0; i < 18; i++) {
        double x = rig_get(&r.in[0][0], i), scale = rig_get(&r.param[0], i % 2),
               shift = rig_get(&r.param[1], i % 2);
        NEAR(rig_get(&r.out[0], i), (x - 2) / 3 * scale + shift, 1e-12);
        NEAR(rig_get(&r.out[0], i), gn_norm_at(x, 2, scale / 3, shift), 1e-12);
    }
    rig_close(&r);
}

/* The vector code is the formula, element by element. */
static void test_norm_is_the_formula(void **state) {
    (void)state;
    enum { C = 18, HW = 6, COUNT = 2 * HW };
    gn_norm_attr a = { 0 };
    rig r = { .op = &gn_op_norm,
              .attr = &a,
              .n_in = 1,
              .first = 1,
              .seed = 8,
              .in_shape = { { 4, { 2, C, 3, 2 } } },
              .in_block = { 16 },
              .out_block = 16 };
    rig_open(&r);
    rig_forward(&r), rig_backward(&r);
    const gn_tensor *x = &r.in[0][0];
    for (int64_t c = 0; c < C; c++) {
        double mean = 0, square = 0, dy = 0, dyx = 0, scale = rig_get(&r.param[0], c),
               shift = rig_get(&r.param[1], c);
        for (int64_t i = 0; i < COUNT; i++) {
            double v = rig_get(x, gn_at(x, i / HW, c, i % HW / 2, i % 2));
            mean += v / COUNT, square += v * v / COUNT;
        }
        double std = sqrt(square - mean * mean + GN_NORM_EPSILON);
        for (int64_t i = 0; i < COUNT; i++) {
            int64_t at = gn_at(x, i / HW, c, i % HW / 2, i % 2);
            double g = rig_get(&r.d_out[0], at), v = rig_get(x, at);
            NEAR(rig_get(&r.out[0], at), gn_norm_at(v, mean, scale / std, shift), 1e-12);
            dy += g / COUNT, dyx += g * (v - mean) / std / COUNT;
        }
        for (int64_t i = 0; i < COUNT; i++) {
            int64_t at = gn_at(x, i / HW, c, i % HW / 2, i % 2);
            double pull =
                gn_norm_pull(rig_get(&r.d_out[0], at), (rig_get(x, at) - mean) / std, scale / std, dy, dyx);
            NEAR(rig_get(&r.d_in[0][0], at), pull, 1e-12);
        }
    }
    rig_close(&r);
}

static void test_linear(void **state) {
    (void)state;
    for (int b = 0; b < 2; b++)
        for (int bias = 0; bias < 2; bias++) {
            gn_linear_attr a = { 7, bias };
            rig r = { .op = &gn_op_linear, .attr = &a, .n_in = 1, .shards = 2, .first = b };
            r.in_shape[0] = (gn_shape){ 4, { 3, 33, 2, 1 } };
            r.in_block[0] = b ? 16 : 33;
            check(r);
            r.in_shape[0] = (gn_shape){ 2, { 1, 33 } };
            check(r);
        }
}

static void test_softargmax(void **state) {
    (void)state;
    for (int b = 0; b < 2; b++)
        for (int depth = 0; depth < 8; depth += 7) {
            gn_softargmax_attr a = { 5, depth };
            rig r = {
                .op = &gn_op_softargmax, .attr = &a, .n_in = 1, .shards = 2, .first = b, .scale = { 4 }
            };
            r.in_shape[0] = (gn_shape){ 4, { 2, 5 * (depth ? depth : 1), 7, 3 } };
            r.in_block[0] = b ? 16 : (int)r.in_shape[0].d[1];
            check(r);
            r.in_shape[0] = (gn_shape){ 4, { 1, 5 * (depth ? depth : 1), 1, 1 } };
            check(r);
        }
}

/* A single high logit is where the position is, also when every other one is far below what e^x can hold. */
static void test_softargmax_finds_the_peak(void **state) {
    (void)state;
    gn_softargmax_attr a = { 2, 3 };
    rig r = { .op = &gn_op_softargmax,
              .attr = &a,
              .n_in = 1,
              .seed = 2,
              .in_shape = { { 4, { 1, 6, 5, 4 } } },
              .in_block = { 4 },
              .scale = { 1 },
              .shift = { -5000 } };
    rig_open(&r);
    rig_put(&r.in[0][0], gn_at(&r.in[0][0], 0, 1 * 3 + 2, 3, 1), 4000);
    rig_forward(&r);
    const double place[3] = { 1, 3, 2 };
    for (int k = 0; k < 3; k++) NEAR(rig_get(&r.out[0], 3 + k), place[k], 1e-12);
    for (int64_t k = 0; k < 120; k++) rig_put(&r.in[0][0], k, 7); /* level: the centre */
    rig_forward(&r);
    const double centre[3] = { 1.5, 2, 1 };
    for (int k = 0; k < 3; k++) NEAR(rig_get(&r.out[0], k), centre[k], 1e-12);
    rig_close(&r);
}

static void test_gather(void **state) {
    (void)state;
    for (int one = 0; one < 2; one++)
        for (int b = 0; b < 2; b++) { /* points lie inside and beyond every border */
            rig r = {
                .op = &gn_op_gather, .n_in = 2, .shards = 2, .first = b, .scale = { 1, 5 }, .shift = { 0, 3 }
            };
            r.in_shape[0] = (gn_shape){ 4, { 3, one ? 1 : 17, 7, 5 } };
            r.in_shape[1] = (gn_shape){ 3, { 3, 17, 2 } };
            r.in_block[0] = b ? 16 : one ? 1 : 17;
            check(r);
            r.in_shape[0].d[2] = r.in_shape[0].d[3] = 1;
            check(r);
        }
}

static void test_dropout(void **state) {
    (void)state;
    gn_dropout_attr a = { 0.3 };
    for (int b = 0; b < 2; b++) {
        rig r = { .op = &gn_op_dropout,
                  .attr = &a,
                  .n_in = 1,
                  .shards = 2,
                  .first = b,
                  .in_shape = { { 4, { 2, 33, 7, 1 } } } };
        r.in_block[0] = r.out_block = b ? 16 : 33;
        check(r);
        r.in_shape[0] = (gn_shape){ 2, { 3, 7 } };
        check(r);
    }
}

/* What is kept depends on the sample and the element, not on layout or shards; the share and the mean are as
 * asked. */
static void test_dropout_draws(void **state) {
    (void)state;
    gn_dropout_attr a = { 0.3 };
    rig one = { .op = &gn_op_dropout,
                .attr = &a,
                .n_in = 1,
                .seed = 9,
                .in_shape = { { 4, { 2, 20, 10, 10 } } },
                .in_block = { 20 },
                .out_block = 20,
                .scale = { 1e-9 },
                .shift = { 1 } };
    rig two = one;
    two.shards = 2, two.in_shape[0].d[0] = 1, two.in_block[0] = two.out_block = 16;
    rig_open(&one), rig_open(&two);
    rig_forward(&one), rig_forward(&two);
    double kept = 0, sum = 0;
    for (int64_t i = 0; i < 4000; i++) {
        double x = rig_get(&one.out[0], rig_at(&one.out[0], i)),
               y = rig_get(&two.out[i / 2000], rig_at(&two.out[0], i % 2000));
        NEAR(x, y, 1e-8);
        kept += x > 0, sum += x;
    }
    NEAR(kept / 4000, 0.7, 0.03);
    NEAR(sum / 4000, 1, 0.045);
    rig_close(&one);
    one.mode = GN_EVAL;
    rig_open(&one);
    rig_forward(&one);
    for (int64_t i = 0; i < 4000; i++) NEAR(rig_get(&one.out[0], i), rig_get(&one.in[0][0], i), 0);
    rig_close(&one), rig_close(&two);
}

static void test_shapes_are_refused(void **state) {
    (void)state;
    gn_op_shape s = { 0 };
    gn_conv_attr conv = { .channels = 4, .kernel = 3, .stride = 1, .add = 1 };
    gn_shape in[2] = { { 4, { 1, 2, 5, 5 } }, { 4, { 1, 4, 5, 4 } } }, flat = { 3, { 1, 2, 3 } };
    FAILS(gn_op_conv.shape(&conv, 2, in, &s), BAD_SHAPE);
    assert_string_equal(gn_reason(), "conv: the residual is [1 4 5 4], the result [1 4 5 5]");
    FAILS(gn_op_conv.shape(&conv, 1, &flat, &s), BAD_SHAPE);
    gn_trail_clear();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_conv),
        cmocka_unit_test(test_norm),
        cmocka_unit_test(test_norm_over_shards),
        cmocka_unit_test(test_norm_eval),
        cmocka_unit_test(test_norm_is_the_formula),
        cmocka_unit_test(test_linear),
        cmocka_unit_test(test_softargmax),
        cmocka_unit_test(test_softargmax_finds_the_peak),
        cmocka_unit_test(test_gather),
        cmocka_unit_test(test_dropout),
        cmocka_unit_test(test_dropout_draws),
        cmocka_unit_test(test_shapes_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
