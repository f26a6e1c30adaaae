/* test_parity_warpgroup.c - are the functions of warpgroup.cuh what they say? On a device and emulated, against plain loops:
 * where descriptors, swizzles and barriers are read alike by both, kernels that were tested emulated are tested. */
#include "gnomon/op.h"
#include "on_gpu.h"
#include "test_parity_warpgroup.h"
#include "formula/bf16.h"
#include <string.h>

#ifdef GN_EMULATED
void gn_emulate_order(int backwards);
enum { ORDERS = 2 };
static void order(int backwards) { gn_emulate_order(backwards); }
#else
enum { ORDERS = 1 };
static void order(int backwards) { (void)backwards; }
#endif

static gn_arena *arena;
static gn_device *gpu;

/* n drawn numbers of bf16, on the host and on the device: eighths, at most 2, so that sums are exact in any order */
typedef struct { uint16_t *host, *device; size_t bytes; } numbers;
static numbers numbers_drawn(int64_t n, uint64_t seed) {
    numbers x = { .bytes = sizeof(uint16_t) * (size_t)n };
    void *p;
    x.host = gn_arena_take(arena, x.bytes);
    for (int64_t i = 0; i < n; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        x.host[i] = gn_bf16_write((float)((int)(seed >> 40 & 31) - 16) / 8);
    }
    OK(gn_device_reserve(gpu, x.bytes, &p));
    OK(gn_device_upload(gpu, p, x.host, x.bytes));
    x.device = p;
    return x;
}
static void *space(size_t bytes) {
    void *p;
    OK(gn_device_reserve(gpu, bytes, &p));
    OK(gn_device_fill(gpu, p, 0xff, bytes));
    return p;
}
static void *fetched(const void *device, size_t bytes) {
    void *host = gn_arena_take(arena, bytes);
    OK(gn_device_download(gpu, host, device, bytes));
    OK(gn_device_wait(gpu));
    return host;
}
static double at(const numbers *x, int64_t i) { return (double)gn_bf16_read(x->host[i]); }

static void same(double got, double expected, const char *what, int64_t row, int64_t column) {
    if (got == expected) return;
    fprintf(stderr, "%s: row %lld, column %lld: %g, off by %g\n", what, (long long)row, (long long)column, got, got - expected);
    fail();
}

static void test_product(void **state) {
    (void)state;
    enum { DEEP = 64, ROWS = 64 };
    for (int n = 64; n <= 256; n *= 2)
        for (int left = 0; left <= REGISTERS; left++)
            for (int right = 0; right <= WIDE; right++)
                for (int way = 0; way < 2 * ORDERS; way++) {
                    const numbers a = numbers_drawn(ROWS * DEEP, 1), b = numbers_drawn(n * DEEP, 2);
                    const size_t bytes = sizeof(float) * (size_t)(ROWS * n);
                    char what[80];
                    float *y = space(bytes);
                    snprintf(what, sizeof what, "N %d, left %d, right %d, %s", n, left, right,
                             way % 2 ? "by threads" : "by tiles");
                    order(way / 2);
                    OK(trial_product(n, left, right, a.device, b.device, way % 2, y, gn_device_stream(gpu)));
                    const float *got = fetched(y, bytes);
                    for (int i = 0; i < ROWS; i++)
                        for (int j = 0; j < n; j++) {
                            double sum = 0;
                            for (int k = 0; k < DEEP; k++)
                                sum += at(&a, left == WIDE ? k * ROWS + i : i * DEEP + k) *
                                       at(&b, right == WIDE ? k * n + j : j * DEEP + k);
                            same((double)got[i * n + j], sum, what, i, j);
                        }
                }
    order(0);
}

static void tile_check(trial_tile t) {
    const numbers x = numbers_drawn((int64_t)t.rows * t.pitch, 3);
    const int64_t box = (int64_t)t.box_rows * t.box_columns;
    uint16_t *to = space(x.bytes), *plain = space(2 * (size_t)box);
    OK(trial_tile_move(t, x.device, to, plain, gn_device_stream(gpu)));
    const uint16_t *came = fetched(plain, 2 * (size_t)box), *left = fetched(to, x.bytes);
    for (int64_t r = 0; r < t.box_rows; r++)
        for (int64_t c = 0; c < t.box_columns; c++) {
            const int64_t row = t.row + r, column = t.column + c;
            const int inside = row >= 0 && row < t.rows && column >= 0 && column < t.columns;
            same((double)gn_bf16_read(came[r * t.box_columns + c]), inside ? at(&x, row * t.pitch + column) : 0,
                 "a tile that came", r, c);
        }
    for (int64_t row = 0; row < t.rows; row++)
        for (int64_t column = 0; column < t.pitch; column++) {
            const int64_t r = row - t.row, c = column - t.column;
            const int inside = r >= 0 && r < t.box_rows && c >= 0 && c < t.box_columns && column < t.columns;
            const uint16_t is = left[row * t.pitch + column];
            if (inside) same((double)gn_bf16_read(is), 2 * at(&x, row * t.pitch + column), "a tile that went", row, column);
            else assert_int_equal(is, 0xffff); /* untouched */
        }
}
static void test_tile(void **state) {
    (void)state;
    static const trial_tile tile[] = {
        { 20, 64, 64, 16, 64, 0, 0 },        { 20, 64, 64, 64, 64, 0, 0 },    { 20, 64, 72, 16, 64, -3, 0 },
        { 200, 192, 192, 256, 64, -28, 64 }, { 33, 96, 104, 7, 64, 30, 64 },  { 20, 64, 64, 16, 32, 5, 32 },
        { 20, 40, 48, 40, 32, -9, 16 },      { 20, 40, 40, 32, 64, 11, 0 },   { 7, 33, 40, 8, 64, 7, 0 },
        { 7, 33, 40, 8, 32, -1, -8 },        { 1, 1, 8, 1, 32, 0, 0 },
    };
    for (int backwards = 0; backwards < ORDERS; backwards++) {
        order(backwards);
        for (size_t i = 0; i < sizeof tile / sizeof *tile; i++) tile_check(tile[i]);
    }
    order(0);
}

static void ring_check(int n, int rows, int deep, int blocks) {
    const numbers a = numbers_drawn((int64_t)rows * deep, 4), b = numbers_drawn((int64_t)deep * n, 5);
    const size_t bytes = sizeof(uint16_t) * (size_t)(rows * n);
    uint16_t *y = space(bytes);
    OK(trial_ring(n, a.device, b.device, y, rows, deep, blocks, gn_device_stream(gpu)));
    const uint16_t *got = fetched(y, bytes);
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < n; j++) {
            double sum = 0;
            for (int64_t k = 0; k < deep; k++) sum += at(&a, i * deep + k) * at(&b, k * n + j);
            same((double)gn_bf16_read(got[i * n + j]), (double)gn_bf16_read(gn_bf16_write((float)sum)), "ring", i, j);
        }
}
static void test_ring(void **state) {
    (void)state;
    for (int backwards = 0; backwards < ORDERS; backwards++) {
        order(backwards);
        ring_check(64, 20, 64, 1);   /* rows outside, one slab */
        ring_check(128, 128, 72, 1); /* a slab that ends outside */
        ring_check(64, 300, 512, 2); /* the ring turns, a block has several tiles */
        ring_check(128, 300, 200, 1);
    }
    order(0);
}

static void test_map(void **state) {
    (void)state;
    char *x = space(1 << 16);
    OK(trial_map(x, 20, 64, 64, 16, 64));
    FAILS(trial_map(x + 8, 20, 64, 64, 16, 64), BAD_SHAPE); /* base */
    assert_non_null(strstr(gn_reason(), "multiple of 16"));
    FAILS(trial_map(x, 20, 33, 33, 16, 64), BAD_SHAPE); /* pitch */
    assert_non_null(strstr(gn_reason(), "row of 66 bytes"));
    FAILS(trial_map(x, 20, 64, 64, 257, 64), BAD_SHAPE); /* the driver */
    assert_non_null(strstr(gn_reason(), "the driver says"));
    FAILS(trial_map(x, 0, 64, 64, 16, 64), BAD_SHAPE);
    FAILS(trial_map(x, 20, 64, 64, 16, 48), BAD_SHAPE);
}

int main(void) {
    gn_device_facts facts;
    if (no_gpu()) return SKIP_EXIT;
    arena = gn_arena_new("test");
    OK(gn_device_open(arena, 0, &gpu));
    OK(gn_device_look(gpu, &facts));
    if (facts.major != 9 || facts.minor) return printf("skipped: warpgroups' products are of 9.0 alone\n"), SKIP_EXIT;
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_map), cmocka_unit_test(test_tile), cmocka_unit_test(test_product),
                                        cmocka_unit_test(test_ring) };
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    gn_arena_free(arena);
    return failed;
}
