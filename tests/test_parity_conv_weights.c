/* test_parity_conv_weights.c - the gradient of a 3x3's weights by warpgroups: is it the loop's? */
#include "conv_rig.h"

/* Pictures within a step and across its border, of one line and of one column, chunks that end within a step, a ring that
 * turns, channels of several blocks. */
static void test_sizes(void **state) {
    (void)state;
    static const size s[] = { { 64, 64, 3, 1, 2, 9, 11 },  { 64, 128, 3, 1, 1, 3, 33 },  { 128, 64, 3, 1, 1, 13, 19 },
                              { 64, 64, 3, 1, 70, 1, 1 },  { 64, 64, 3, 1, 2, 33, 1 },   { 64, 64, 3, 1, 2, 18, 18 },
                              { 128, 128, 3, 1, 1, 35, 15 } };
    for (int i = 0; i < 7; i++) check(s[i], i % 2 ? ALL : BARE, bf16, bf16, i % 3 == 0);
}

static void test_kinds(void **state) {
    (void)state;
    static const size z = { 64, 64, 3, 1, 1, 7, 11 };
    for (int kind = smallest() ? ALL : RELU; kind < KINDS; kind++) check(z, kind, bf16, bf16, kind % 2);
}

int main(void) {
    if (no_gpu()) return SKIP_EXIT;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_kinds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
