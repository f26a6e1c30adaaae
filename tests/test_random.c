/* test_random.c - draws by counting. */
#include "near.h"
#include "formula/random.h"
#include <Random123/philox.h>

/* "kat_vectors" of the Random123 distribution */
static void known_answers(void **state) {
    (void)state;
    gn_draw zero = gn_draw_at(0, 0, 0), ones = gn_draw_at(UINT64_MAX, UINT64_MAX, UINT64_MAX);
    const uint32_t of_zero[] = { 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8 };
    const uint32_t of_ones[] = { 0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd };
    for (int i = 0; i < 4; i++) {
        assert_int_equal(zero.word[i], of_zero[i]);
        assert_int_equal(ones.word[i], of_ones[i]);
    }
}

/* The authors' own code, where every word of the counter and of the key counts. */
static void as_its_authors(void **state) {
    (void)state;
    uint64_t x = 1, from[3];
    for (int i = 0; i < 100000; i++) {
        for (int k = 0; k < 3; k++) from[k] = x = x * 6364136223846793005u + 1442695040888963407u;
        for (int k = 0; k < 3; k++) from[k] ^= from[k] >> 33;
        philox4x32_key_t key = { { (uint32_t)from[0], (uint32_t)(from[0] >> 32) } };
        philox4x32_ctr_t at = { { (uint32_t)from[2], (uint32_t)(from[2] >> 32), (uint32_t)from[1], (uint32_t)(from[1] >> 32) } };
        philox4x32_ctr_t want = philox4x32_R(10, at, key);
        gn_draw got = gn_draw_at(from[0], from[1], from[2]);
        assert_memory_equal(got.word, want.v, sizeof got.word);
    }
}

static void moments(void **state) {
    (void)state;
    enum { N = 100000 };
    double u1 = 0, u2 = 0, n1 = 0, n2 = 0, n4 = 0;
    for (uint64_t i = 0; i < N; i++) {
        double u = gn_uniform(7, 3, i), n = gn_normal(7, 4, i);
        assert_true(u >= 0 && u < 1);
        u1 += u / N, u2 += u * u / N;
        n1 += n / N, n2 += n * n / N, n4 += n * n * n * n / N;
    }
    NEAR(u1, 1.0 / 2, 5e-3);
    NEAR(u2, 1.0 / 3, 5e-3);
    NEAR(n1, 0, 2e-2);
    NEAR(n2, 1, 2e-2);
    NEAR(n4, 3, 2e-1);
}

static void each_part_counts(void **state) {
    (void)state;
    double x = gn_uniform(1, 2, 3);
    assert_true(x == gn_uniform(1, 2, 3));
    assert_true(x != gn_uniform(2, 2, 3) && x != gn_uniform(1, 3, 3) && x != gn_uniform(1, 2, 4));
    assert_true(x != gn_uniform(1, 2, 3 + (UINT64_C(1) << 32)));
    int seen[5] = { 0 };
    for (uint64_t i = 0; i < 100; i++) seen[gn_below(1, 2, i, 5)]++;
    for (int i = 0; i < 5; i++) assert_true(seen[i] > 5);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(known_answers), cmocka_unit_test(as_its_authors), cmocka_unit_test(moments),
                                        cmocka_unit_test(each_part_counts) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
