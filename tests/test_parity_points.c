/* test_parity_points.c - soft-argmax and gather: is the kernel the loop? */
#include "twin.h"

static rig maps(const gn_softargmax_attr *a, int n, int h, int w, gn_type type) {
    int c = a->joints * (a->depth ? a->depth : 1);
    return (rig){ .op = &gn_op_softargmax, .attr = a, .n_in = 1, .in_shape = { { 4, { n, c, h, w } } }, .in_block = { c },
                  .in_type = { type }, .scale = { 6 }, .shards = 2, .first = n % 2 };
}

static void test_softargmax(void **state) {
    (void)state;
    static const struct { int joints, depth, n, h, w; } size[] = {
        { 1, 0, 1, 1, 1 },  { 16, 0, 2, 7, 5 },  { 17, 0, 1, 9, 33 }, { 3, 1, 2, 4, 4 },
        { 2, 33, 1, 7, 3 }, { 4, 16, 3, 5, 11 }, { 1, 300, 2, 3, 2 },
    };
    for (int i = 0; i < cases(sizeof size / sizeof *size, 3); i++)
        for (int bf16 = 0; bf16 < 2; bf16++) {
            gn_softargmax_attr a = { size[i].joints, size[i].depth };
            twin_check(maps(&a, size[i].n, size[i].h, size[i].w, bf16 ? GN_TYPE_BF16 : GN_TYPE_REAL));
        }
}

/* A few points where something is different, before the drawn ones. */
static void put_points(gn_tensor *t, double w, double h) {
    const double at[][2] = {
        { NAN, 1 }, { 0.5, NAN }, { -3, 0.25 }, { w + 2, -1 },    { 0, 0 },      { w - 1, h - 1 },
        { 1, 1.5 }, { 1, 1.5 },   { 1.25, 1 },  { INFINITY, 0.5 }, { 0.5, h - 1 }, { -INFINITY, h + 4 },
    };
    const int64_t points = t->shape.d[1], known = sizeof at / sizeof *at;
    for (int64_t i = 0; i < t->shape.d[0] * points; i++)
        for (int k = 0; k < 2 && i % points < known && points > 2; k++)
            rig_put(t, 2 * i + k, at[(i % points + i / points) % known][k]);
}

static void test_gather(void **state) {
    (void)state;
    static const struct { int n, points, own, h, w; } size[] = {
        { 1, 1, 1, 1, 1 },  { 2, 7, 1, 1, 5 },   { 1, 33, 0, 3, 1 }, { 3, 13, 0, 4, 4 }, { 2, 13, 1, 4, 4 },
        { 1, 33, 1, 7, 9 }, { 2, 300, 0, 3, 2 }, { 1, 16, 0, 17, 33 }, { 1, 16, 1, 17, 33 },
    };
    for (int i = 0; i < cases(sizeof size / sizeof *size, 3); i++)
        for (int types = 0; types < 8; types++)
            for (unsigned first = 0; first < 4; first++) { /* of the map, of the points */
                const int n = size[i].n, p = size[i].points, h = size[i].h, w = size[i].w, c = size[i].own ? p : 1;
                const gn_type type[2] = { GN_TYPE_REAL, GN_TYPE_BF16 };
                if (p > 100 && types & 1) continue; /* the loop rounds after each of a cell's many points */
                rig r = { .op = &gn_op_gather, .n_in = 2, .in_shape = { { 4, { n, c, h, w } }, { 3, { n, p, 2 } } },
                          .in_block = { c }, .in_type = { type[types & 1], type[types >> 1 & 1] }, .out_type = type[types >> 2],
                          .scale = { 1, 0.6 * w + 1 }, .shift = { 0, 0.4 * w }, .shards = 2, .first = first == 3, .seed = 7 + (uint64_t)i };
                rig_open(&r);
                for (int s = 0; s < r.shards; s++) {
                    put_points(&r.in[s][1], w, h);
                    r.call[s].first = first;
                }
                twin_check_open(&r);
                rig_close(&r);
            }
}

int main(void) {
    if (no_gpu()) return SKIP_EXIT;
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_softargmax), cmocka_unit_test(test_gather) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
