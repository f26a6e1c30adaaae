/* test_parity_passes.c - norm, add, pool, upsample, dropout and the sums of batch norm: are the kernels the loops? */
#include "formula/norm.h"
#include "twin.h"

static const gn_type types[] = { GN_TYPE_REAL, GN_TYPE_BF16 };

/* One input x of [n c h w], or [n c] when h is 0; out as the op makes it. */
static rig rig_of(const gn_op *op, const void *attr, int n, int c, int h, int w, gn_type type) {
    rig r = { .op = op, .attr = attr, .n_in = 1, .in_shape = { { h ? 4 : 2, { n, c, h, w } } }, .in_block = { c }, .out_block = c,
              .in_type = { type }, .out_type = type, .shards = 2, .first = (n + c) % 2 };
    return r;
}

static void test_norm(void **state) {
    (void)state;
    static const struct { int n, c, h, w; } size[] = { { 2, 1, 1, 1 }, { 3, 7, 3, 5 },  { 2, 33, 7, 9 }, { 1, 8, 16, 17 },
                                                       { 2, 72, 7, 7 }, { 130, 16, 0, 0 }, { 33, 7, 0, 0 }, { 1, 40, 1, 300 } };
    for (int i = 0; i < cases(sizeof size / sizeof *size, 5); i++)
        for (int k = 0; k < 4; k++) {
            gn_norm_attr a = { (i + k) % 2 };
            rig r = rig_of(&gn_op_norm, &a, size[i].n, size[i].c, size[i].h, size[i].w, types[k & 1]);
            r.out_type = types[k >> 1], r.first = k % 3 != 1, r.shards = 1 + k % 3;
            twin_check(r);
            r.mode = GN_EVAL;
            twin_check(r);
        }
}

/* NaN goes through the ReLU, and nothing else becomes NaN. */
static void test_norm_nan(void **state) {
    (void)state;
    for (int k = 0; k < 4; k++) {
        gn_norm_attr a = { 1 };
        rig r = rig_of(&gn_op_norm, &a, 3, k & 1 ? 7 : 8, 3, 5, types[k >> 1]);
        r.mode = GN_EVAL, r.seed = 3, r.shards = 1;
        rig_open(&r);
        for (int64_t i = 0; i < gn_tensor_count(&r.in[0][0]); i += 11) rig_put(&r.in[0][0], i, (double)NAN);
        twin t;
        twin_open(&t, &r);
        rig_forward(&r), twin_forward(&t);
        gn_tensor got = r.out[0];
        got.data = gn_arena_take(t.a, gn_tensor_bytes(&got));
        OK(gn_device_download(t.d, got.data, t.out[0].data, gn_tensor_bytes(&got)));
        OK(gn_device_wait(t.d));
        for (int64_t i = 0; i < gn_tensor_count(&got); i++) {
            assert_int_equal(isnan(rig_get(&got, i)), i % 11 == 0);
            assert_int_equal(isnan(rig_get(&r.out[0], i)), i % 11 == 0);
        }
        twin_close(&t);
        rig_close(&r);
    }
}

static void test_add(void **state) {
    (void)state;
    static const struct { int n, c, h, w; } size[] = { { 1, 1, 1, 1 }, { 2, 33, 7, 9 }, { 1, 72, 8, 17 } };
    for (int i = 0; i < cases(sizeof size / sizeof *size, 5); i++)
        for (int k = 0; k < 8; k++) {
            rig r = rig_of(&gn_op_add, NULL, size[i].n, size[i].c, size[i].h, size[i].w, types[k & 1]);
            r.n_in = 2, r.in_shape[1] = r.in_shape[0], r.in_block[1] = r.in_block[0], r.in_type[1] = types[k >> 1 & 1];
            r.first = k >> 2;
            twin_check(r);
        }
}

static void test_pool(void **state) {
    (void)state;
    static const struct { int n, c, h, w, size; } size[] = { { 1, 1, 7, 7, 1 }, { 2, 33, 6, 10, 2 }, { 1, 72, 24, 26, 2 },
                                                             { 2, 7, 9, 33, 3 }, { 1, 16, 15, 30, 15 } };
    for (int i = 0; i < cases(sizeof size / sizeof *size, 5); i++)
        for (int k = 0; k < 4; k++) {
            gn_pool_attr a = { size[i].size };
            rig r = rig_of(&gn_op_pool, &a, size[i].n, size[i].c, size[i].h, size[i].w, types[k & 1]);
            r.first = k >> 1;
            twin_check(r);
        }
}

static void test_upsample(void **state) {
    (void)state;
    static const struct { int n, c, h, w, factor; } size[] = { { 1, 1, 1, 1, 2 }, { 2, 33, 3, 5, 2 }, { 1, 72, 7, 9, 2 },
                                                               { 2, 8, 7, 1, 3 }, { 1, 7, 5, 4, 1 } };
    for (int i = 0; i < cases(sizeof size / sizeof *size, 5); i++)
        for (int k = 0; k < 8; k++) {
            gn_upsample_attr a = { size[i].factor };
            rig r = rig_of(&gn_op_upsample, &a, size[i].n, size[i].c, size[i].h, size[i].w, types[k & 1]);
            if (k & 2) {
                OK(gn_op_upsample.shape(&a, 1, r.in_shape, &r.s));
                r.n_in = 2, r.in_shape[1] = r.s.out, r.in_block[1] = r.in_block[0], r.in_type[1] = r.in_type[0];
            }
            r.first = k >> 2;
            twin_check(r);
        }
}

static void test_dropout(void **state) {
    (void)state;
    static const struct { int n, c, h, w; } size[] = { { 1, 1, 0, 0 }, { 131, 72, 0, 0 }, { 3, 7, 0, 0 },
                                                       { 2, 33, 7, 5 }, { 3, 16, 3, 3 } };
    for (int i = 0; i < cases(sizeof size / sizeof *size, 5); i++)
        for (int k = 0; k < 4; k++) {
            gn_dropout_attr a = { i ? 0.3 * (double)i - 0.25 : 0 };
            rig r = rig_of(&gn_op_dropout, &a, size[i].n, size[i].c, size[i].h, size[i].w, types[k & 1]);
            r.first = k >> 1, r.shards = 3, r.seed = 0x123456789abcdef0u + (uint64_t)k;
            twin_check(r);
            r.mode = GN_EVAL;
            twin_check(r);
        }
}

/* Where a window holds equals and NaN, its place says who won. */
static void test_pool_winner(void **state) {
    (void)state;
    for (int k = 0; k < 4; k++) {
        gn_pool_attr a = { 2 + (k >> 1) };
        rig r = rig_of(&gn_op_pool, &a, 2, k & 1 ? 7 : 8, 6, 12, types[k & 1]);
        r.seed = 3;
        rig_open(&r);
        for (int s = 0; s < r.shards; s++)
            for (int64_t i = 0; i < gn_tensor_count(&r.in[s][0]); i++)
                rig_put(&r.in[s][0], i, i % 11 == 3 ? (double)NAN : round(rig_get(&r.in[s][0], i)));
        twin t;
        twin_open(&t, &r);
        rig_forward(&r), twin_forward(&t);
        for (int s = 0; s < r.shards; s++) {
            const size_t n = (size_t)gn_tensor_count(&r.out[s]);
            uint8_t *won = gn_arena_take(t.a, n);
            gn_tensor out = r.out[s];
            out.data = gn_arena_take(t.a, gn_tensor_bytes(&out));
            OK(gn_device_download(t.d, won, t.saved[s][0].data, n));
            OK(gn_device_download(t.d, out.data, t.out[s].data, gn_tensor_bytes(&out)));
            OK(gn_device_wait(t.d));
            assert_memory_equal(won, r.saved[s][0].data, n);
            int nans = 0;
            for (int64_t i = 0; i < (int64_t)n; i++) {
                double got = rig_get(&out, i), want = rig_get(&r.out[s], i);
                assert_true(got == want || (isnan(got) && isnan(want)));
                nans += isnan(got);
            }
            assert_true(nans && nans < (int)n);
        }
        twin_close(&t);
        rig_close(&r);
    }
}

/* An operand whose slope shares the memory of the result's is left alone; and x + x doubles it. */
static void test_shared(void **state) {
    (void)state;
    gn_upsample_attr two = { 2 };
    for (int k = 0; k < 3; k++) {
        rig r = k < 2 ? rig_of(&gn_op_add, NULL, 1, 8 - k, 3, 5, GN_TYPE_REAL) : rig_of(&gn_op_upsample, &two, 1, 8, 3, 5, GN_TYPE_REAL);
        r.n_in = 2, r.in_shape[1] = r.in_shape[0], r.in_block[1] = r.in_block[0], r.first = 1, r.shards = 1;
        if (k == 2) r.in_shape[1].d[2] *= 2, r.in_shape[1].d[3] *= 2;
        r.seed = 5;
        rig_open(&r);
        twin t;
        twin_open(&t, &r);
        gn_call *c = &t.call[0];
        t.d_in[0][1].data = t.d_out[0].data;
        if (k == 1) t.d_in[0][0].data = t.d_out[0].data, c->first = 1; /* x + x: the first writer finds its slope there */
        if (k == 0) t.d_in[0][0].data = NULL;
        OK(r.op->backward[GN_CUDA](c));
        for (int64_t i = 0; k == 1 && i < gn_tensor_count(&r.d_out[0]); i++) rig_put(&r.d_out[0], i, 2 * rig_get(&r.d_out[0], i));
        twin_near(&t, "shared", &t.d_out[0], &r.d_out[0], 1e-9);
        twin_close(&t);
        rig_close(&r);
    }
}

/* --- sums --- */

typedef struct { gn_arena *a; gn_device *d; } bench;

static float *up(bench *b, const float *from, int64_t n) {
    void *p;
    OK(gn_device_reserve(b->d, sizeof(float) * (size_t)n, &p));
    if (from) OK(gn_device_upload(b->d, p, from, sizeof(float) * (size_t)n));
    else OK(gn_device_fill(b->d, p, 0xff, sizeof(float) * (size_t)n));
    OK(gn_device_wait(b->d));
    return p;
}
static float *down(bench *b, const float *from, int64_t n) {
    float *p = gn_arena_take(b->a, sizeof(float) * (size_t)n);
    OK(gn_device_download(b->d, p, from, sizeof(float) * (size_t)n));
    OK(gn_device_wait(b->d));
    return p;
}
static float *drawn(bench *b, int64_t n, double about, double size) {
    float *p = gn_arena_take(b->a, sizeof(float) * (size_t)n);
    for (int64_t i = 0; i < n; i++) p[i] = (float)(about + size * rig_draw());
    return p;
}
static bench bench_open(void) {
    bench b = { .a = gn_arena_new("sums") };
    OK(gn_device_open(b.a, 0, &b.d));
    return b;
}
static void same(const float *got, const double *want, int64_t n, double tol) {
    double most = 0;
    for (int64_t i = 0; i < n; i++) most = fmax(most, fabs(want[i]));
    for (int64_t i = 0; i < n; i++)
        if (!(fabs((double)got[i] - want[i]) <= tol * most)) fail_msg("element %ld: %g, not %g", (long)i, (double)got[i], want[i]);
}

/* What a finish of these totals about `centre` should say. */
typedef struct { double *total, *stat, *mean[2], *variance[2]; } facts;
static facts facts_of(bench *b, const double *total, int64_t count, int c, const float *centre, float *const mean[2],
                      float *const variance[2]) {
    facts f = { .total = gn_arena_take(b->a, sizeof(double) * 2 * (size_t)c), .stat = gn_arena_take(b->a, sizeof(double) * 2 * (size_t)c) };
    for (int k = 0; k < 2; k++) {
        f.mean[k] = gn_arena_take(b->a, sizeof(double) * (size_t)c), f.variance[k] = gn_arena_take(b->a, sizeof(double) * (size_t)c);
        for (int i = 0; i < c; i++) {
            const double n = (double)count, off = total[i] / n, v = total[c + i] / n - off * off, m = (double)centre[i] + off;
            f.total[i] = total[i], f.total[c + i] = total[c + i];
            f.stat[i] = m, f.stat[c + i] = 1 / sqrt(v + GN_NORM_EPSILON);
            f.mean[k][i] = 0.9 * (double)mean[k][i] + 0.1 * m;
            f.variance[k][i] = 0.9 * (double)variance[k][i] + 0.1 * v * (count > 1 ? n / (n - 1) : 1);
        }
    }
    return f;
}

/* Of rows, or of the shards' totals, with everything wanted; the centre is mean[0], which moves. */
static void check_finish(bench *b, gn_finish f, int64_t count, const double *total, const float *totals, int shards) {
    const int c = f.channels;
    float *mean[2], *variance[2];
    for (int k = 0; k < 2; k++) mean[k] = drawn(b, c, 0.1, 0.3), variance[k] = drawn(b, c, 1, 0.5);
    const facts want = facts_of(b, total, count, c, mean[0], mean, variance);
    float *out[5];
    for (int k = 0; k < 5; k++) out[k] = up(b, NULL, 2 * c);
    f.total = out[0], f.first = out[1], f.second = out[2], f.stat[0] = out[3], f.stat[1] = out[4], f.count = count;
    for (int k = 0; k < 2; k++) f.mean[k] = up(b, mean[k], c), f.variance[k] = up(b, variance[k], c);
    f.centre = f.mean[0];
    void *stream = gn_device_stream(b->d);
    if (totals) OK(gn_totals_cuda(totals, shards, &f, stream));
    else OK(gn_finish_cuda(&f, stream));
    same(down(b, f.total, 2 * c), want.total, 2 * c, 1e-6);
    same(down(b, f.first, c), want.total, c, 1e-6), same(down(b, f.second, c), want.total + c, c, 1e-6);
    for (int k = 0; k < 2; k++) {
        same(down(b, f.stat[k], c), want.stat, c, 1e-5), same(down(b, f.stat[k] + c, c), want.stat + c, c, 1e-5);
        same(down(b, f.mean[k], c), want.mean[k], c, 1e-5), same(down(b, f.variance[k], c), want.variance[k], c, 1e-5);
    }
}

static void test_finish(void **state) {
    (void)state;
    static const struct { int n, c; } size[] = { { 1, 1 }, { 7, 33 }, { 33, 12 }, { 300, 7 }, { 700, 64 }, { 2100, 8 } };
    for (int i = 0; i < cases(sizeof size / sizeof *size, 5); i++) {
        bench b = bench_open();
        const int n = size[i].n, c = size[i].c;
        const int64_t count = (int64_t)n * GN_ROW_PLACES - 5;
        float *rows = drawn(&b, (int64_t)n * 2 * c, 30, 40);
        double *total = gn_arena_take(b.a, sizeof(double) * 2 * (size_t)c);
        for (int r = 0; r < n; r++)
            for (int k = 0; k < 2 * c; k++) {
                float *at = &rows[(int64_t)r * 2 * c + k];
                if (k >= c) *at = *at + 200; /* squares: no variance is negative */
                total[k] += (double)*at;
            }
        check_finish(&b, (gn_finish){ .rows = up(&b, rows, (int64_t)n * 2 * c), .n = n, .channels = c }, count, total, NULL, 0);
        gn_arena_free(b.a);
    }
}

/* ((0+1)+(2+3))+(4+5): graph.h's tree, to the bit */
static float tree(const float *x, int64_t step, int n) {
    int left = 1;
    while (2 * left < n) left *= 2;
    return n == 1 ? *x : tree(x, step, left) + tree(x + left * step, step, n - left);
}
static void test_totals(void **state) {
    (void)state;
    static const int shards[] = { 1, 2, 3, 5, 6, 7, 16, 31, 33, 100, 1000 };
    for (int i = 0; i < cases(sizeof shards / sizeof *shards, 4); i++) {
        bench b = bench_open();
        const int n = shards[i], c = i % 2 ? 7 : 16;
        float *parts = drawn(&b, (int64_t)n * 2 * c, 3, 4);
        double *total = gn_arena_take(b.a, sizeof(double) * 2 * (size_t)c);
        float *want = gn_arena_take(b.a, sizeof(float) * 2 * (size_t)c);
        for (int k = 0; k < 2 * c; k++) {
            for (int s = 0; k >= c && s < n; s++) parts[s * 2 * c + k] += 30;
            want[k] = tree(parts + k, 2 * c, n), total[k] = (double)want[k];
        }
        float *device = up(&b, parts, (int64_t)n * 2 * c), *out = up(&b, NULL, 2 * c);
        gn_finish only = { .channels = c, .total = out };
        OK(gn_totals_cuda(device, n, &only, gn_device_stream(b.d)));
        assert_memory_equal(down(&b, out, 2 * c), want, sizeof(float) * 2 * (size_t)c);
        check_finish(&b, (gn_finish){ .channels = c }, 9 * n, total, device, n);
        gn_arena_free(b.a);
    }
    gn_finish f = { .channels = 1 };
    assert_int_equal(gn_totals_cuda(NULL, 1025, &f, NULL), GN_BAD_CONFIG);
    gn_trail_clear();
}

/* A variance that rounding made negative is 0; NaN stays, in its channel. */
static void test_odd_statistics(void **state) {
    (void)state;
    bench b = bench_open();
    const float rows[] = { 10, NAN, 10, /* squares */ 9.9999f, 20, 20 }, zero[] = { 0, 0, 0 };
    gn_finish f = { .rows = up(&b, rows, 6), .n = 1, .channels = 3, .count = 10, .centre = up(&b, zero, 3), .stat = { up(&b, NULL, 6) } };
    OK(gn_finish_cuda(&f, gn_device_stream(b.d)));
    const float *stat = down(&b, f.stat[0], 6);
    const double want[] = { 1, 1, 1 / sqrt(GN_NORM_EPSILON), 1 / sqrt(1 + GN_NORM_EPSILON) };
    const float got[] = { stat[0], stat[2], stat[3], stat[5] };
    same(got, want, 4, 1e-6);
    assert_true(isnan(stat[1]) && isnan(stat[4]));
    const float mean[] = { 1, -2, 3 }, variance[] = { 4, 0, 0.25f };
    OK(gn_stat_cuda(up(&b, mean, 3), up(&b, variance, 3), 3, f.stat[0], gn_device_stream(b.d)));
    const double stats[] = { 1, -2, 3, 1 / sqrt(4 + GN_NORM_EPSILON), 1 / sqrt(GN_NORM_EPSILON), 1 / sqrt(0.25 + GN_NORM_EPSILON) };
    same(down(&b, f.stat[0], 3), stats, 3, 1e-6), same(down(&b, f.stat[0] + 3, 3), stats + 3, 3, 1e-6);
    gn_arena_free(b.a);
}

static void test_rows(void **state) {
    (void)state;
    static const struct { int n, c, h, w; } size[] = { { 1, 1, 1, 1 }, { 2, 33, 7, 11 }, { 1, 72, 16, 24 },
                                                       { 3, 24, 9, 5 }, { 300, 16, 0, 0 } };
    for (int i = 0; i < cases(sizeof size / sizeof *size, 5); i++)
        for (int k = 0; k < 2; k++) {
            bench b = bench_open();
            const int c = size[i].c, map = size[i].h > 0;
            gn_tensor x = { types[k], map ? c : 0, { map ? 4 : 2, { size[i].n, c, size[i].h, size[i].w } }, NULL };
            const int64_t n = gn_tensor_count(&x), rows = gn_rows(&x);
            x.data = gn_arena_take(b.a, gn_tensor_bytes(&x));
            float *centre = drawn(&b, c, 0.5, 0.5);
            double *want = gn_arena_take(b.a, sizeof(double) * (size_t)(rows * 2 * c));
            for (int64_t e = 0; e < n; e++) {
                rig_put(&x, e, 0.5 + 2 * rig_draw());
                const double d = rig_get(&x, e) - (double)centre[e % c];
                double *row = want + e / c / GN_ROW_PLACES * 2 * c + e % c;
                row[0] += d, row[c] += d * d;
            }
            gn_tensor on = x;
            OK(gn_device_reserve(b.d, gn_tensor_bytes(&x), &on.data));
            OK(gn_device_upload(b.d, on.data, x.data, gn_tensor_bytes(&x)));
            gn_call call = { .out = &on, .centre = up(&b, centre, c), .rows = up(&b, NULL, rows * 2 * c), .stream = gn_device_stream(b.d) };
            OK(gn_rows_cuda(&call));
            same(down(&b, call.rows, rows * 2 * c), want, rows * 2 * c, 2e-6);
            gn_arena_free(b.a);
        }
}

int main(void) {
    if (no_gpu()) return SKIP_EXIT;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),     cmocka_unit_test(test_finish),  cmocka_unit_test(test_totals), cmocka_unit_test(test_odd_statistics),
        cmocka_unit_test(test_norm),     cmocka_unit_test(test_norm_nan), cmocka_unit_test(test_add),     cmocka_unit_test(test_pool),   cmocka_unit_test(test_pool_winner),
        cmocka_unit_test(test_upsample), cmocka_unit_test(test_dropout), cmocka_unit_test(test_shared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
