/* test_parity_linear.c - is the kernel the loop? Products of every form, cut and whole, in float and on tensor cores. */
#include "gnomon/version.h"
#include "twin.h"

typedef struct { int n, c, h, w, o, bias; } size; /* h 0: [N C] */

static rig rig_of(const gn_linear_attr *a, const size *s, gn_type in, gn_type out, int first) {
    rig r = { .op = &gn_op_linear, .attr = a, .n_in = 1, .in_block = { s->c }, .in_type = { in }, .out_type = out, .shards = 2,
              .first = first };
    r.in_shape[0] = s->h ? (gn_shape){ 4, { s->n, s->c, s->h, s->w } } : (gn_shape){ 2, { s->n, s->c } };
    return r;
}

static void check(const size *s, gn_type in, gn_type out, int first) {
    const gn_linear_attr a = { s->o, s->bias };
    twin_check(rig_of(&a, s, in, out, first));
}

static void check_all(const size *s, size_t sizes) {
    for (int i = 0; i < cases((int)sizes, 4); i++)
        for (int types = 0; types < 4; types++)
            for (int first = 0; first < 2; first++)
                check(&s[i], types & 1 ? GN_TYPE_BF16 : GN_TYPE_REAL, types & 2 ? GN_TYPE_BF16 : GN_TYPE_REAL, first);
}

/* An activation is flattened in another order than it lies in memory. */
static void test_activation(void **state) {
    (void)state;
    static const size s[] = { { 1, 1, 1, 1, 1, 0 }, { 7, 3, 7, 1, 5, 1 }, { 2, 33, 2, 3, 16, 1 }, { 8, 40, 3, 3, 16, 1 },
                              { 33, 17, 1, 5, 35, 0 }, { 3, 65, 1, 2, 70, 1 }, { 130, 3, 1, 2, 5, 1 } };
    check_all(s, sizeof s / sizeof *s);
}

static void test_rows(void **state) {
    (void)state;
    static const size s[] = { { 1, 7, 0, 0, 1, 1 },   { 33, 33, 0, 0, 7, 0 },  { 66, 131, 0, 0, 68, 1 }, { 35, 8, 0, 0, 8, 1 },
                              { 1, 16, 0, 0, 72, 1 }, { 70, 72, 0, 0, 51, 1 }, { 68, 136, 0, 0, 80, 0 } };
    check_all(s, sizeof s / sizeof *s);
}

/* Long sums, one at a time: over k, over o, over the batch. */
static void test_long(void **state) {
    (void)state;
    static const size s[] = { { 5, 300, 0, 0, 9, 1 }, { 5, 9, 0, 0, 300, 1 }, { 300, 9, 0, 0, 5, 1 },
                              { 5, 264, 0, 0, 8, 1 }, { 5, 8, 0, 0, 264, 1 }, { 264, 8, 0, 0, 8, 1 } };
    check_all(s, sizeof s / sizeof *s);
}

static void test_library(void **state) {
    (void)state;
    static const size s[] = { { 7, 3, 7, 1, 5, 1 },    { 33, 17, 2, 5, 35, 0 }, { 16, 64, 4, 4, 48, 1 }, { 66, 131, 0, 0, 68, 1 },
                              { 128, 256, 0, 0, 64, 1 }, { 5, 300, 0, 0, 9, 0 } };
    if (smallest()) skip(); /* no kernel of ours */
    for (int i = 0; i < 6; i++)
        for (int k = 0; k < 8; k++) {
            const gn_linear_attr a = { s[i].o, s[i].bias };
            const rig r = rig_of(&a, &s[i], k & 1 ? GN_TYPE_BF16 : GN_TYPE_REAL, k & 2 ? GN_TYPE_BF16 : GN_TYPE_REAL, k >> 2);
            if (!twin_check_library(r, "cuBLAS", gn_cublas_version())) skip();
        }
}

int main(void) {
    if (no_gpu()) return SKIP_EXIT;
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_activation), cmocka_unit_test(test_rows), cmocka_unit_test(test_long),
                                        cmocka_unit_test(test_library) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
