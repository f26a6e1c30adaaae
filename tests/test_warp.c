/* test_warp.c - a picture seen through an affine map, against a plain loop in double; every picture in memory of exactly its
 * size, so that a sanitizer sees what is read beside it. */
#include "near.h"
#include "formula/random.h"
#include "gnomon/image.h"
#include "src/image/warp.h"
#include <stdlib.h>
#include <string.h>

static const float gain[3] = { 1, 0.75f, 1.25f };

static uint8_t *noise(int w, int h) {
    uint8_t *rgb = malloc((size_t)(3 * w * h));
    for (int i = 0; i < 3 * w * h; i++) rgb[i] = (uint8_t)(256 * gn_uniform(7, (uint64_t)(100 * w + h), (uint64_t)i));
    return rgb;
}

static double clamp(double x, double most) { return x < 0 ? 0 : x > most ? most : x; }

/* In 0..255; *near: so close to the edge that rounding decides between picture and grey. */
static double tap(const uint8_t *in, int w, int h, double u, double v, int c, int *near) {
    const double edge[4] = { u + 0.5, v + 0.5, w - 0.5 - u, h - 0.5 - v };
    int inside = 1;
    for (int k = 0; k < 4; k++) *near |= fabs(edge[k]) < 1e-4, inside &= edge[k] >= 0;
    if (!inside) return 127.5;
    u = clamp(u, w - 1);
    v = clamp(v, h - 1);
    const int x = (int)u, y = (int)v, right = x + 1 < w ? x + 1 : x, low = y + 1 < h ? y + 1 : y;
    const double fx = u - x, fy = v - y;
#define AT(x, y) in[3 * ((y) * w + (x)) + c]
    return (1 - fy) * ((1 - fx) * AT(x, y) + fx * AT(right, y)) + fy * ((1 - fx) * AT(x, low) + fx * AT(right, low));
#undef AT
}

static double plain(const uint8_t *in, int w, int h, const double A[6], int x, int y, int c, int *near) {
    const double step = sqrt(fabs(A[0] * A[4] - A[1] * A[3]));
    const int taps = step > 4 ? 4 : step > 1.5 ? (int)lrint(step) : 1;
    double sum = 0;
    for (int k = 0; k < taps * taps; k++) {
        const double px = x + (k % taps + 0.5) / taps - 0.5, py = y + (k / taps + 0.5) / taps - 0.5;
        sum += tap(in, w, h, A[0] * px + A[1] * py + A[2], A[3] * px + A[4] * py + A[5], c, near);
    }
    return sum / (taps * taps);
}

/* Turns, zooms and mirrors about the middles, moved by (dx, dy) stored pixels. */
static void about(int w, int h, int side, double angle, double zoom, int mirror, double dx, double dy, double A[6]) {
    const double c = zoom * cos(angle), s = zoom * sin(angle), m = (side - 1) / 2.0, f = mirror ? -1 : 1;
    const double made[6] = { f * c, -s, (w - 1) / 2.0 - f * c * m + s * m + dx, f * s, c, (h - 1) / 2.0 - f * s * m - c * m + dy };
    memcpy(A, made, sizeof made);
}

static int compare(int w, int h, int side, const double A[6], double within) {
    uint8_t *in = noise(w, h), *next = noise(w, h);
    float *out = malloc(sizeof *out * (size_t)(3 * side * side));
    int compared = 0;
    gn_warp_input(in, w, h, A, gain, side, next, out);
    for (int y = 0; y < side; y++)
        for (int x = 0; x < side; x++)
            for (int c = 0; c < 3; c++) {
                int near = 0;
                const double expected = fmin(1, gain[c] * plain(in, w, h, A, x, y, c, &near) / 255), got = out[3 * (y * side + x) + c];
                if (!near && !(fabs(got - expected) <= within))
                    fail_msg("%d x %d to %d by %g %g %g %g %g %g: (%d, %d, %d) is %.7g, expected %.7g", w, h, side, A[0], A[1], A[2], A[3], A[4], A[5], x, y, c, got, expected);
                compared += !near;
            }
    free(in);
    free(next);
    free(out);
    return compared;
}

static void tiny(void **state) {
    (void)state;
    static const int sides[] = { 1, 5, 9, 70 };
    static const double zooms[] = { 0.05, 0.3, 1, 1.7, 2.6, 5 };
    for (int w = 1; w <= 9; w++)
        for (int h = 1; h <= 9; h++)
            for (int k = 0; k < 4; k++)
                for (int z = 0; z < 6; z++)
                    for (int turn = 0; turn < 3; turn++) {
                        double A[6];
                        about(w, h, sides[k], 0.7 * turn, zooms[z], turn == 1, 0.013 * z, -0.017 * turn, A);
                        compare(w, h, sides[k], A, 1e-5);
                    }
}

/* Pixels at the far edges themselves, to the bit of a position and half a pixel on: the last of memory. */
static void edges(void **state) {
    (void)state;
    static const double beyond[] = { -0.4995, -0.25, 0, 1e-6, 0.25, 0.4995 };
    for (int w = 1; w <= 9; w++)
        for (int h = 1; h <= 9; h++)
            for (int i = 0; i < 6; i++)
                for (int j = 0; j < 6; j++) {
                    const double last[6] = { 0, 0, w - 1 + beyond[i], 0, 0, h - 1 + beyond[j] }, up[6] = { 1, 0, w - 8 + beyond[i], 0, 1, h - 8 + beyond[j] };
                    assert_int_equal(compare(w, h, 3, last, 1e-5), 27);
                    assert_int_equal(compare(w, h, 8, up, 1e-5), 192);
                }
}

static void whole(void **state) {
    (void)state;
    static const int sizes[][3] = { { 64, 64, 64 }, { 100, 60, 70 }, { 60, 100, 130 }, { 130, 130, 64 } };
    for (int k = 0; k < 4; k++)
        for (int turn = 0; turn < 8; turn++) {
            const int w = sizes[k][0], h = sizes[k][1], side = sizes[k][2];
            double A[6];
            about(w, h, side, 0.8 * turn, (turn % 2 ? 0.8 : 1.1) * w / side, turn % 3 == 0, 0.3, 0.2, A);
            assert_true(compare(w, h, side, A, 4e-5) > 3 * side * side * 9 / 10); /* positions are floats: 1e-5 of a pixel here */
        }
    const double same[6] = { 1, 0, 0, 0, 1, 0 }, far[6] = { 1, 0, 1e6, 0, 1, -1e6 };
    assert_int_equal(compare(65, 65, 65, same, 1e-6), 3 * 65 * 65);
    assert_int_equal(compare(65, 65, 65, far, 1e-6), 3 * 65 * 65);
}

/* The other warp, of bytes with a rim. */
static void bytes(void **state) {
    (void)state;
    for (int w = 1; w <= 9; w++)
        for (int h = 1; h <= 9; h++)
            for (int turn = 0; turn < 4; turn++) {
                enum { SIDE = 11 };
                gn_image in = { w, h, noise(w, h) }, out = { SIDE, SIDE, malloc(3 * SIDE * SIDE) };
                double A[6];
                about(w, h, SIDE, 0.9 * turn, 0.6, 0, 0.01, 0.02, A);
                gn_image_warp(&in, A, (gn_colour){ 1, 2, 3 }, &out);
                for (int y = 0; y < SIDE; y++)
                    for (int x = 0; x < SIDE; x++)
                        for (int c = 0; c < 3; c++) {
                            int near = 0;
                            const double u = A[0] * x + A[1] * y + A[2], v = A[3] * x + A[4] * y + A[5];
                            const int inside = u >= -0.5 && v >= -0.5 && u <= w - 0.5 && v <= h - 0.5;
                            const double value = tap(in.rgb, w, h, u, v, c, &near);
                            if (!near) NEAR(out.rgb[3 * (y * SIDE + x) + c], inside ? value : c + 1, 0.5 + 1e-3);
                        }
                free(in.rgb);
                free(out.rgb);
            }
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(tiny), cmocka_unit_test(edges), cmocka_unit_test(whole), cmocka_unit_test(bytes) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
