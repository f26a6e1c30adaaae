/* The gradient of weights by pairs of bf16, against the sum as it is written. */
#include "cpu/wgrad.h"
#include "formula/bf16.h"
#include "formula/random.h"
#include "near.h"
#include <stdlib.h>
#include <string.h>

static gn_conv_shape shape_of(int n, int c, int o, int side, int wide, int kernel) {
    return (gn_conv_shape){ .n = n, .c = c, .h = side, .w = wide, .o = o, .oh = side, .ow = wide, .kernel = kernel,
                            .stride = 1, .pad = kernel / 2, .bias = 1, .in_block = 16, .out_block = 16,
                            .work = GN_TYPE_BF16, .out = GN_TYPE_BF16 };
}

static uint16_t *numbers(int64_t n, uint64_t stream) {
    uint16_t *v = malloc((size_t)n * sizeof *v);
    for (int64_t i = 0; i < n; i++) v[i] = gn_bf16_write((gn_real)(gn_uniform(7, stream, (uint64_t)i) - 0.5));
    return v;
}

static double at(const uint16_t *v, const gn_conv_shape *s, int64_t channels, int64_t n, int64_t ch, int64_t y, int64_t x) {
    if (y < 0 || y >= s->h || x < 0 || x >= s->w) return 0;
    return (double)gn_bf16_read(v[(((n * channels + ch) / 16 * s->h + y) * s->w + x) * 16 + ch % 16]);
}

static double sum_at(const gn_conv_shape *s, const uint16_t *x, const uint16_t *dy, int64_t o, int64_t i, int ky, int kx) {
    double sum = 0;
    for (int64_t n = 0; n < s->n; n++)
        for (int64_t y = 0; y < s->h; y++)
            for (int64_t p = 0; p < s->w; p++)
                sum += at(dy, s, s->o, n, o, y, p) * at(x, s, s->c, n, i, y + ky - s->pad, p + kx - s->pad);
    return sum;
}

static void check(gn_conv_shape s) {
    const size_t bytes = gn_wgrad_scratch(&s);
    if (!bytes) skip(); /* this processor does not multiply bf16 */
    const int64_t taps = s.kernel * s.kernel;
    uint16_t *x = numbers(s.n * s.c * s.h * s.w, 1), *dy = numbers(s.n * s.o * s.h * s.w, 2);
    gn_real *dw = malloc((size_t)(s.c * s.o * taps) * sizeof *dw), *db = malloc((size_t)s.o * sizeof *db);
    void *scratch = malloc(bytes); /* exactly: a sanitizer sees what goes beyond */
    memset(dw, 0xff, (size_t)(s.c * s.o * taps) * sizeof *dw);
    gn_wgrad(&s, x, dy, dw, db, scratch);
    for (int64_t o = 0; o < s.o; o += 5) {
        for (int64_t i = 0; i < s.c; i += 3)
            for (int t = 0; t < taps; t++) {
                gn_real got = dw[(((o / 16 * (s.c / 16) + i / 16) * taps + t) * 16 + i % 16) * 16 + o % 16];
                NEAR_REL(got, sum_at(&s, x, dy, o, i, t / s.kernel, t % s.kernel), 1e-5, 1);
            }
        double sum = 0;
        for (int64_t n = 0; n < s.n; n++)
            for (int64_t k = 0; k < s.h * s.w; k++) sum += at(dy, &s, s.o, n, o, k / s.w, k % s.w);
        NEAR_REL(db[o], sum, 1e-5, 1);
    }
    free(x), free(dy), free(dw), free(db), free(scratch);
}

/* rows of one image, a whole one, many in a chunk; tiles of four blocks and of one; a last chunk that is short */
static void test_sums(void **state) {
    (void)state;
    for (int kernel = 1; kernel <= 3; kernel += 2) {
        check(shape_of(1, 16, 16, 1, 2, kernel));
        check(shape_of(5, 32, 16, 4, 4, kernel));
        check(shape_of(3, 16, 80, 16, 16, kernel));
        check(shape_of(2, 32, 64, 21, 22, kernel));
        check(shape_of(1, 16, 64, 3, 300, kernel));
        check(shape_of(40, 16, 16, 3, 6, kernel));
    }
}

/* shapes that are not its own are refused */
static void test_shapes(void **state) {
    (void)state;
    gn_conv_shape s[] = { shape_of(1, 16, 16, 4, 5, 1), shape_of(1, 16, 16, 4, 4, 5), shape_of(1, 8, 16, 4, 4, 1),
                          shape_of(1, 16, 16, 4, 4, 1), shape_of(1, 16, 16, 4, 4, 3) };
    s[3].work = GN_TYPE_REAL;
    s[4].stride = 2;
    for (size_t i = 0; i < sizeof s / sizeof *s; i++) assert_int_equal(gn_wgrad_scratch(&s[i]), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_sums), cmocka_unit_test(test_shapes) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
