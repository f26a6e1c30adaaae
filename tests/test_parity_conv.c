/* test_parity_conv.c - is the kernel the loop? Every kind of input and of end, the families of sm_80 and older; on a device its own, too.
 * (test_parity_conv_*.c: those of sm_90a) */
#include "conv_rig.h"
#include "gnomon/version.h"

static void test_plain(void **state) {
    (void)state;
    static const size one = { 1, 7, 1, 1, 1, 1, 1 },
                      s[] = { { 7, 33, 1, 1, 1, 33, 7 }, { 33, 7, 3, 1, 2, 7, 5 }, { 3, 66, 7, 2, 1, 17, 9 },
                              { 65, 5, 1, 2, 2, 9, 11 }, { 5, 17, 3, 2, 3, 8, 9 } };
    check(one, BARE, real, real, 0), check(one, RELU, real, real, 1), check(one, ADD, real, real, 0);
    for (int i = 0; i < cases(5, 2); i++)
        for (int kind = 0; kind < KINDS; kind++) check(s[i], kind, real, real, (i + kind) % 2);
}

static void test_plain_bf16(void **state) {
    (void)state;
    static const size s[] = { { 3, 17, 7, 2, 2, 9, 13 }, { 24, 17, 3, 1, 1, 9, 15 }, { 16, 32, 3, 2, 1, 9, 9 } };
    for (int i = 0; i < cases(3, 2); i++)
        for (int types = 1; types < 4; types++)
            check(s[i], types == 3 ? ALL : RELU, types & 1 ? bf16 : real, types & 2 ? bf16 : real, (i + types) % 2);
}

/* Tiles and slabs that end early, pictures within a tile and across its border, wide blocks and narrow. */
static void test_tensor_cores(void **state) {
    (void)state;
    static const size s[] = { { 16, 16, 1, 1, 1, 13, 10 }, { 48, 80, 1, 1, 2, 7, 11 },   { 16, 256, 1, 1, 1, 15, 20 },
                              { 256, 16, 1, 1, 1, 9, 33 },  { 128, 128, 1, 1, 1, 31, 33 } };
    for (int i = 0; i < 5; i++)
        for (int kind = i; kind < KINDS; kind += smallest() ? KINDS : 1 + i) check(s[i], kind, bf16, bf16, (i + kind) % 2);
}

static void test_tensor_cores_3x3(void **state) {
    (void)state;
    static const size s[] = { { 16, 48, 3, 1, 1, 9, 15 }, { 80, 16, 3, 1, 2, 3, 33 },   { 16, 16, 3, 1, 40, 1, 1 },
                              { 32, 16, 3, 1, 2, 33, 1 }, { 16, 128, 3, 1, 1, 12, 33 }, { 128, 16, 3, 1, 3, 7, 19 } };
    for (int i = 0; i < 6; i++)
        for (int kind = i; kind < KINDS; kind += smallest() ? KINDS : 1 + i) check(s[i], kind, bf16, bf16, (i + kind) % 2);
}

/* Heads are stored in float, and what reads one. */
static void test_heads(void **state) {
    (void)state;
    static const size s[] = { { 48, 16, 1, 1, 1, 13, 10 }, { 16, 48, 1, 1, 2, 9, 11 }, { 16, 16, 3, 1, 1, 7, 21 } };
    for (int i = 0; i < cases(3, 1); i++)
        for (int kind = NORM_RELU; kind < KINDS; kind++)
            check(s[i], kind, (i + kind) % 2 ? bf16 : real, (i + kind) % 2 ? real : bf16, kind % 2);
}

static void test_eval(void **state) {
    (void)state;
    static const size s[] = { { 7, 33, 3, 1, 1, 7, 9 }, { 32, 16, 3, 1, 1, 13, 11 } };
    for (int i = 0; i < 2; i++) {
        const gn_conv_attr a = attr_of(s[i], ALL);
        rig r = rig_of(&a, s[i], i ? bf16 : real, i ? bf16 : real);
        r.mode = GN_EVAL;
        twin_check(r);
    }
}

/* Frozen weights, an input without a slope, a residual whose slope lies where y's does, rows nobody wants: the gradients of
 * scale and shift are there all the same, and nothing else is touched. */
static void test_unwanted(void **state) {
    (void)state;
    static const size s[] = { { 7, 33, 3, 1, 1, 7, 9 }, { 32, 16, 3, 1, 1, 13, 11 } };
    for (int i = 0; i < 2; i++) {
        const gn_conv_attr a = attr_of(s[i], ALL);
        rig r = rig_of(&a, s[i], i ? bf16 : real, i ? bf16 : real);
        twin t;
        r.first = r.shards = 1, r.seed = 5;
        rig_open(&r), twin_open(&t, &r);
        rig_forward(&r), rig_backward(&r);
        twin_stat(&t);
        t.call[0].phase = 1, t.call[0].rows = NULL;
        OK(r.op->forward[GN_CUDA](&t.call[0]));
        twin_near(&t, "out", &t.out[0], &r.out[0], i ? 1e-2 : 1e-5);
        t.d_param[0][0].data = t.d_param[0][1].data = t.d_in[0][0].data = NULL;
        t.d_in[0][1].data = t.d_out[0].data;
        twin_backward(&t);
        twin_near(&t, "d_out", &t.d_out[0], &r.d_out[0], 0);
        for (int k = 2; k < 4; k++)
            twin_near(&t, k == 2 ? "d_scale" : "d_shift", &t.d_param[0][k], &r.d_param[0][k], i ? 1e-2 : 1e-5);
        twin_close(&t), rig_close(&r);
    }
}

/* What cuDNN may be given: every kind of begin and end, pictures, strides, odd sizes, either type and both. */
static void test_library(void **state) {
    (void)state;
    static const size s[] = { { 64, 64, 3, 1, 2, 9, 11 }, { 32, 128, 1, 1, 2, 13, 10 }, { 3, 64, 7, 2, 2, 17, 19 },
                              { 7, 33, 3, 1, 2, 7, 9 },   { 5, 17, 3, 2, 3, 8, 9 },     { 16, 24, 1, 2, 2, 9, 11 } };
    if (smallest()) skip(); /* no kernel of ours */
    for (int i = 0; i < 6; i++)
        for (int kind = 0; kind < KINDS; kind++)
            for (int types = 0; types < 4; types++) {
                const gn_conv_attr a = attr_of(s[i], kind);
                rig r = rig_of(&a, s[i], types & 1 ? bf16 : real, types & 2 ? bf16 : real);
                r.first = (i + kind) % 2, r.shards = 1 + (i + kind) % 2;
                if (!twin_check_library(r, "cuDNN", gn_cudnn_version())) skip();
            }
}

int gn_capability(void);

/* What is asked for may be older than the device, never newer. */
static void test_capability(void **state) {
    (void)state;
    const char *asked = getenv("GN_CAPABILITY");
    unsetenv("GN_CAPABILITY");
    const int have = gn_capability();
    setenv("GN_CAPABILITY", "75", 1);
    assert_int_equal(gn_capability(), 75);
    setenv("GN_CAPABILITY", "990", 1);
    assert_int_equal(gn_capability(), have);
    asked ? setenv("GN_CAPABILITY", asked, 1) : unsetenv("GN_CAPABILITY");
}

/* A device runs its own family and the older one; the emulated one's own has tests enough. */
int main(void) {
    if (no_gpu()) return SKIP_EXIT;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain),            cmocka_unit_test(test_plain_bf16), cmocka_unit_test(test_tensor_cores),
        cmocka_unit_test(test_tensor_cores_3x3), cmocka_unit_test(test_heads),      cmocka_unit_test(test_eval),
        cmocka_unit_test(test_unwanted),         cmocka_unit_test(test_library),    cmocka_unit_test(test_capability),
    };
    int failed = 0;
#ifndef GN_EMULATED
    failed = cmocka_run_group_tests(tests, NULL, NULL);
#endif
    setenv("GN_CAPABILITY", "80", 1);
    return failed + cmocka_run_group_tests(tests, NULL, NULL);
}
