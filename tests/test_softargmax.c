/* test_softargmax.c - in float: how good is our exponential, and what it makes of a volume? */
#include "formula/softargmax.h"
#include "rig.h"

static void test_exp(void **state) {
    (void)state;
    double worst = 0;
    for (int i = 0; i <= 870000; i++) {
        float x = -(float)i * 1e-4f;
        worst = fmax(worst, fabs((double)gn_exp_below_0(x) / exp((double)x) - 1));
    }
    NEAR(worst, 0, 3e-7);
    NEAR(gn_exp_below_0(0), 1, 0);
    assert_true(gn_exp_below_0(-1e30f) < 1e-37f && gn_exp_below_0(-INFINITY) >= 0);
    assert_true(isnan(gn_exp_below_0(NAN)));
}

/* Against the definition, in double. */
static void test_volume(void **state) {
    (void)state;
    enum { J = 2, D = 24, H = 9, W = 17 };
    gn_softargmax_attr a = { J, D };
    rig r = { .op = &gn_op_softargmax,
              .attr = &a,
              .n_in = 1,
              .first = 1,
              .seed = 6,
              .in_shape = { { 4, { 1, J * D, H, W } } },
              .in_block = { 16 },
              .scale = { 9 } };
    rig_open(&r);
    rig_forward(&r), rig_backward(&r);
    const gn_tensor *x = &r.in[0][0];
    for (int j = 0; j < J; j++) {
        double s = 0, sum[3] = { 0 };
        for (int k = 0; k < D * H * W; k++) {
            int at[3] = { k % W, k / W % H, k / (W * H) };
            double e = exp(rig_get(x, gn_at(x, 0, j * D + at[2], at[1], at[0])));
            s += e;
            for (int i = 0; i < 3; i++) sum[i] += e * at[i];
        }
        for (int i = 0; i < 3; i++) NEAR(rig_get(&r.out[0], j * 3 + i), sum[i] / s, 2e-5);
        for (int k = 0; k < D * H * W; k++) {
            int at[3] = { k % W, k / W % H, k / (W * H) };
            int64_t place = gn_at(x, 0, j * D + at[2], at[1], at[0]);
            double d = 0, p = exp(rig_get(x, place)) / s;
            for (int i = 0; i < 3; i++) d += p * rig_get(&r.d_out[0], j * 3 + i) * (at[i] - sum[i] / s);
            NEAR(rig_get(&r.d_in[0][0], place), d, 2e-6 * p * 30 + 1e-9);
        }
    }
    rig_close(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_exp), cmocka_unit_test(test_volume) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
