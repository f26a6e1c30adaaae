/* test_parity_conv_wgmma.c - forward and the data's gradient by warpgroups: are they the loop's? Weights are frozen: their
 * gradient is another kernel's, or of a kernel for both. */
#include "conv_rig.h"

static void check_frozen(size z, int kind, gn_type x, gn_type y, int first) {
    z = smaller(z);
    const gn_conv_attr a = attr_of(z, kind);
    rig r = rig_of(&a, z, x, y);
    r.first = first, r.shards = 1 + kind % 3 / 2, r.seed = 7;
    rig_open(&r);
    for (int s = 0; s < r.shards; s++)
        for (int k = 0; k < 1 + a.bias; k++) r.d_param[s][k].data = NULL;
    twin_check_open(&r);
    rig_close(&r);
}

/* Rings that turn and rings that do not, blocks with several tiles, channels side by side, more of them than blocks, tiles,
 * slices and depths that end early. */
static void test_1x1(void **state) {
    (void)state;
    static const size s[] = { { 16, 16, 1, 1, 1, 31, 35 },  { 48, 80, 1, 1, 2, 7, 11 },    { 80, 16, 1, 1, 1, 31, 33 },
                              { 336, 16, 1, 1, 1, 9, 15 },  { 16, 336, 1, 1, 1, 9, 15 },   { 64, 192, 1, 1, 2, 19, 23 },
                              { 160, 128, 1, 1, 1, 31, 33 }, { 16, 16, 1, 1, 1, 13, 10 } };
    for (int i = 0; i < cases(8, 6); i++)
        for (int kind = i % 3; kind < KINDS; kind += smallest() ? KINDS : 1 + i) check_frozen(s[i], kind, bf16, bf16, (i + kind) % 2);
}

/* Pictures within a tile and across its border, lines of one place, halos of one, two and three loads. */
static void test_3x3(void **state) {
    (void)state;
    static const size s[] = { { 16, 48, 3, 1, 1, 9, 15 }, { 80, 16, 3, 1, 2, 3, 33 },   { 16, 16, 3, 1, 40, 1, 1 },
                              { 32, 16, 3, 1, 2, 33, 1 }, { 16, 16, 3, 1, 1, 7, 130 }, { 16, 16, 3, 1, 1, 2, 300 } };
    for (int i = 0; i < 6; i++)
        for (int kind = i % 4; kind < KINDS; kind += smallest() ? KINDS : 1 + i) check_frozen(s[i], kind, bf16, bf16, (i + kind) % 2);
}

/* The largest tiles: of two rows of sums, the last of one, and more than one a block. */
static void test_3x3_large(void **state) {
    (void)state;
    static const size s[] = { { 16, 128, 3, 1, 1, 27, 31 }, { 128, 16, 3, 1, 3, 14, 19 }, { 80, 16, 3, 1, 1, 45, 45 } };
    static const int kind[] = { ALL, NORM_RELU, NORM };
    for (int i = 0; i < 3; i++) check_frozen(s[i], kind[i], bf16, bf16, i % 2);
}

/* Of a head, stored in float, one of the two; what reads one has the other. */
static void test_heads(void **state) {
    (void)state;
    static const size s[] = { { 48, 16, 1, 1, 1, 13, 10 }, { 16, 48, 1, 1, 2, 9, 11 }, { 16, 16, 3, 1, 1, 7, 21 } };
    for (int i = 0; i < cases(3, 1); i++)
        for (int kind = NORM_RELU; kind < KINDS; kind++)
            check_frozen(s[i], kind, (i + kind) % 2 ? bf16 : real, (i + kind) % 2 ? real : bf16, kind % 2);
}

static void test_eval(void **state) {
    (void)state;
    static const size s[] = { { 64, 32, 1, 1, 1, 13, 11 }, { 32, 16, 3, 1, 1, 13, 11 } };
    for (int i = 0; i < 2; i++) {
        const gn_conv_attr a = attr_of(s[i], ALL);
        rig r = rig_of(&a, s[i], bf16, bf16);
        r.mode = GN_EVAL;
        twin_check(r);
    }
}

int main(void) {
    if (no_gpu()) return SKIP_EXIT;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_1x1),   cmocka_unit_test(test_3x3),  cmocka_unit_test(test_3x3_large),
        cmocka_unit_test(test_heads), cmocka_unit_test(test_eval),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
