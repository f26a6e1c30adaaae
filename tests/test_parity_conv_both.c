/* test_parity_conv_both.c - both gradients of a 1x1 in one kernel: are they those of the loop? */
#include "conv_rig.h"

/* Every shape of a block. Rows of sums that end early, more rows than blocks and fewer, more stages than a ring has, channels
 * split among blocks, so many that one block has all places. */
static void test_shapes(void **state) {
    (void)state;
    static const size s[] = { { 64, 64, 1, 1, 1, 27, 37 },  { 64, 128, 1, 1, 2, 9, 11 },  { 64, 256, 1, 1, 1, 7, 13 },
                              { 128, 64, 1, 1, 1, 13, 20 }, { 128, 128, 1, 1, 3, 9, 15 }, { 128, 256, 1, 1, 1, 15, 17 },
                              { 256, 64, 1, 1, 1, 14, 28 }, { 256, 128, 1, 1, 2, 13, 15 }, { 256, 256, 1, 1, 1, 13, 20 },
                              { 192, 64, 1, 1, 1, 9, 15 },  { 320, 64, 1, 1, 1, 11, 13 } };
    for (int i = 0; i < 11; i++) check(s[i], i % 2 ? ALL : NORM, bf16, bf16, i % 3 == 0);
}

/* Everything that may come before and after, one place and one more than a row. */
static void test_kinds(void **state) {
    (void)state;
    static const size s[] = { { 64, 64, 1, 1, 1, 1, 1 }, { 128, 64, 1, 1, 1, 3, 43 } };
    for (int i = 0; i < cases(2, 1); i++)
        for (int kind = 0; kind < KINDS; kind++) {
            check(s[i], kind, bf16, bf16, (i + kind) % 2);
            if (i == 0) check(s[i], kind, bf16, bf16, !(kind % 2));
        }
}

/* NaN in x or dy reaches what it should, and nothing else. */
static void test_nan(void **state) {
    (void)state;
    static const size z = { 64, 64, 1, 1, 1, 13, 10 };
    const gn_conv_attr a = attr_of(z, RELU);
    rig r = rig_of(&a, z, bf16, bf16);
    twin t;
    r.first = r.shards = 1, r.seed = 5;
    rig_open(&r), rig_put(&r.d_out[0], 129 * 64 + 7, (double)NAN), rig_put(&r.in[0][0], 3 * 64 + 5, (double)NAN);
    twin_open(&t, &r);
    twin_forward(&t), twin_backward(&t);
    uint16_t dx[130 * 64];
    float dw[64 * 64];
    OK(gn_device_download(t.d, dx, t.d_in[0][0].data, sizeof dx));
    OK(gn_device_download(t.d, dw, t.d_param[0][0].data, sizeof dw));
    OK(gn_device_wait(t.d));
    for (int c = 0; c < 64; c++)
        for (int o = 0; o < 64; o++) assert_int_equal(isnan(dw[c * 64 + o]) != 0, c == 5 || o == 7);
    for (int p = 0; p < 129; p++)
        for (int c = 0; c < 64; c++) assert_false((dx[p * 64 + c] & 0x7fff) > 0x7f80);
    twin_close(&t), rig_close(&r);
}

/* Frozen weights, or an input without a slope and rows nobody wants: the other gradient is there all the same. */
static void test_unwanted(void **state) {
    (void)state;
    static const size z = { 64, 128, 1, 1, 1, 13, 11 };
    for (int frozen = 0; frozen < 2; frozen++) {
        const gn_conv_attr a = attr_of(z, RELU);
        rig r = rig_of(&a, z, bf16, bf16);
        twin t;
        r.first = r.shards = 1, r.seed = 5;
        rig_open(&r), twin_open(&t, &r);
        rig_forward(&r), rig_backward(&r);
        if (frozen) t.d_param[0][0].data = t.d_param[0][1].data = NULL;
        else t.d_in[0][0].data = NULL;
        twin_backward(&t);
        if (frozen) twin_near(&t, "d_in", &t.d_in[0][0], &r.d_in[0][0], 1e-2);
        else twin_near(&t, "d_param", &t.d_param[0][0], &r.d_param[0][0], 1e-2);
        twin_close(&t), rig_close(&r);
    }
}

int main(void) {
    if (no_gpu()) return SKIP_EXIT;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shapes),
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_nan),
        cmocka_unit_test(test_unwanted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
