/* test_onednn.c - is the library's convolution our loop's? Output, every gradient, fp32 and bf16; Winograd
 * too, whose rounding has a bound of its own. */
#include "cpu/onednn.h"
#include "rig.h"

#ifdef GN_ONEDNN

typedef struct {
    int c, o, k, stride, n, h, w;
} size;

static rig library_rig(const gn_conv_attr *a, size z, gn_type type, gn_type out, gn_impl impl) {
    rig r = {
        .op = &gn_op_conv, .attr = a, .impl = impl, .n_in = 1 + a->add, .shards = 2, .first = 1, .seed = 11
    };
    int pad = a->kernel / 2, blocked = z.c > 3;
    r.in_shape[0] = (gn_shape){ 4, { z.n, z.c, z.h, z.w } };
    r.in_shape[1] = (gn_shape){
        4, { z.n, z.o, (z.h + 2 * pad - z.k) / z.stride + 1, (z.w + 2 * pad - z.k) / z.stride + 1 }
    };
    r.in_block[0] = blocked ? 16 : z.c;
    r.in_block[1] = r.out_block = 16;
    r.in_type[0] = blocked ? type : GN_TYPE_REAL;
    r.in_type[1] = type;
    r.out_type = out;
    return r;
}

/* Largest difference, as a share of the largest magnitude. */
static double apart(const gn_tensor *a, const gn_tensor *b) {
    double most = 1e-30, worst = 0;
    for (int64_t i = 0; i < gn_tensor_count(a); i++) {
        double x = rig_get(a, i), y = rig_get(b, i), d = fabs(x - y);
        most = fmax(most, fabs(y));
        if (!(d <= worst)) worst = d;
    }
    return worst / most;
}

/* Both rigs draw the same numbers; bf16 rounds them on the way in, so float reads back what bf16 holds. */
static void same_inputs(rig *to, const rig *from) {
    for (int s = 0; s < to->shards; s++) {
        for (int i = 0; i < to->n_in; i++)
            for (int64_t k = 0; k < gn_tensor_count(&to->in[s][i]); k++)
                rig_put(&to->in[s][i], k, rig_get(&from->in[s][i], k));
        for (int64_t k = 0; k < gn_tensor_count(&to->d_out[s]); k++)
            rig_put(&to->d_out[s], k, rig_get(&from->d_out[s], k));
    }
}

static void compare(const gn_conv_attr *a, size z, gn_type type, gn_type out, double within) {
    rig lib = library_rig(a, z, type, out, GN_IMPL_LIBRARY),
        own = library_rig(a, z, GN_TYPE_REAL, GN_TYPE_REAL, GN_IMPL_OWN);
    rig_open(&lib), rig_open(&own);
    same_inputs(&own, &lib);
    rig_forward(&lib), rig_forward(&own);
    rig_backward(&lib), rig_backward(&own);
    for (int s = 0; s < lib.shards; s++) {
        double y = apart(&lib.out[s], &own.out[s]), dx = apart(&lib.d_in[s][0], &own.d_in[s][0]);
        double dw = apart(&lib.d_param[s][0], &own.d_param[s][0]);
        if (!(y <= within && dx <= within && dw <= within))
            fail_msg(
                "conv %dx%d/%d %d-%d @%dx%d norm %d: y %.2e, dx %.2e, dw %.2e apart, expected within %.1e",
                z.k, z.k, z.stride, z.c, z.o, z.h, z.w, a->norm, y, dx, dw, within);
        for (int k = 1; k < lib.s.n_param - 2 * a->norm; k++)
            if (!(apart(&lib.d_param[s][k], &own.d_param[s][k]) <= within))
                fail_msg("conv %dx%d/%d %d-%d @%dx%d norm %d: gradient of parameter %d %.2e apart", z.k, z.k,
                         z.stride, z.c, z.o, z.h, z.w, a->norm, k,
                         apart(&lib.d_param[s][k], &own.d_param[s][k]));
        if (a->add) NEAR(apart(&lib.d_in[s][1], &own.d_in[s][1]), 0, within);
    }
    rig_close(&lib), rig_close(&own);
}

static const size sizes[] = {
    { 32, 16, 1, 1, 2, 9, 7 },  { 32, 48, 3, 1, 1, 8, 8 },   { 24, 17, 3, 1, 1, 7, 5 },
    { 3, 64, 7, 2, 1, 32, 24 }, { 16, 32, 3, 2, 2, 9, 9 },   { 64, 16, 1, 2, 1, 8, 8 },
    { 16, 33, 1, 1, 1, 1, 1 },  { 128, 128, 1, 1, 1, 8, 8 },
};

static void over_sizes(gn_type type, gn_type out, double within) {
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (int kind = 0; kind < 3; kind++) { /* plain; relu; norm, relu, add */
            if (kind && sizes[i].h == 1) continue;
            if (kind == 2 && sizes[i].c == 3 && type == GN_TYPE_BF16)
                continue; /* sums that cancel: bf16 leaves no digits */
            gn_conv_attr a = { sizes[i].o, sizes[i].k, sizes[i].stride, kind == 2, kind > 0, 1, kind == 2 };
            compare(&a, sizes[i], type, out, within);
        }
}

static void test_fp32(void **state) {
    (void)state;
    over_sizes(GN_TYPE_REAL, GN_TYPE_REAL, 3e-6);
}
static void test_bf16(void **state) {
    (void)state;
    over_sizes(GN_TYPE_BF16, GN_TYPE_BF16, 2e-2);
}
static void test_bf16_to_float_head(void **state) {
    (void)state;
    over_sizes(GN_TYPE_BF16, GN_TYPE_REAL, 2e-2);
}

static void test_winograd(void **state) {
    (void)state;
    static const size big[] = { { 32, 32, 3, 1, 1, 16, 16 },
                                { 64, 32, 3, 1, 2, 32, 32 },
                                { 128, 128, 3, 1, 1, 18, 22 } };
    for (size_t i = 0; i < sizeof big / sizeof *big; i++)
        for (int kind = 0; kind < 2; kind++) {
            gn_conv_attr a = { big[i].o, 3, 1, kind, kind, 1, 0 };
            compare(&a, big[i], GN_TYPE_REAL, GN_TYPE_REAL, 1e-4);
        }
}

/* What the library promises to do fast, it does: a shape of the network must not fall to the loop unseen. */
static void test_what_is_fast(void **state) {
    (void)state;
    gn_arena *a = gn_arena_new("test");
    static const size z[] = { { 256, 128, 1, 1, 1, 64, 64 },
                              { 128, 128, 3, 1, 1, 64, 64 },
                              { 128, 128, 3, 1, 1, 4, 4 },
                              { 3, 64, 7, 2, 1, 64, 64 },
                              { 256, 16, 1, 1, 1, 64, 64 } };
    for (size_t i = 0; i < 2 * sizeof z / sizeof *z; i++) {
        size q = z[i / 2];
        int p = q.k / 2;
        gn_type type = i % 2 ? GN_TYPE_BF16 : GN_TYPE_REAL;
        gn_conv_shape s = { q.n,
                            q.c,
                            q.h,
                            q.w,
                            q.o,
                            (q.h + 2 * p - q.k) / q.stride + 1,
                            (q.w + 2 * p - q.k) / q.stride + 1,
                            q.k,
                            q.stride,
                            p,
                            1,
                            q.c == 3 ? 3 : 16,
                            16,
                            type,
                            type };
        gn_onednn_conv *conv;
        gn_onednn_conv_facts f;
        OK(gn_onednn_conv_plan(&s, a, &conv, &f));
        print_message("%dx%d/%d %d-%d @%d %s: %s | %s | %s, scratch %zu, shadow %zu\n", q.k, q.k, q.stride,
                      q.c, q.o, q.h, type ? "bf16" : "fp32", f.how[0], f.how[1], f.how[2], f.scratch,
                      f.shadow);
        assert_true((f.can & 5) == 5 && (q.c == 3 || f.can == 7));
    }
    gn_arena_free(a);
}

static void test_linear(void **state) {
    (void)state;
    gn_linear_attr a = { 33, 1 };
    rig lib = { .op = &gn_op_linear,
                .attr = &a,
                .impl = GN_IMPL_LIBRARY,
                .n_in = 1,
                .first = 1,
                .seed = 4,
                .in_shape = { { 4, { 5, 17, 3, 2 } } },
                .in_block = { 16 } };
    rig own = lib;
    own.impl = GN_IMPL_OWN;
    rig_open(&lib), rig_open(&own);
    rig_forward(&lib), rig_forward(&own), rig_backward(&lib), rig_backward(&own);
    NEAR(apart(&lib.out[0], &own.out[0]), 0, 1e-6);
    NEAR(apart(&lib.d_in[0][0], &own.d_in[0][0]), 0, 1e-6);
    for (int k = 0; k < 2; k++) NEAR(apart(&lib.d_param[0][k], &own.d_param[0][k]), 0, 1e-6);
    rig_close(&lib), rig_close(&own);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_fast),       cmocka_unit_test(test_fp32),
        cmocka_unit_test(test_winograd),           cmocka_unit_test(test_bf16),
        cmocka_unit_test(test_bf16_to_float_head), cmocka_unit_test(test_linear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
#else
int main(void) { return SKIP_EXIT; }
#endif
