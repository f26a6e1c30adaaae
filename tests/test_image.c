/* test_image.c - pictures come back as they went out; broken ones are one line; drawing stays inside. */
#include "near.h"
#include "golden/gradient_jpeg.h"
#include "gnomon/image.h"
#include "gnomon/io.h"
#include "src/image/warp.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[] = "/tmp/gnomon_image_XXXXXX";
static const double PI = 3.14159265358979;
static const gn_colour white = { 255, 255, 255 }, red = { 255, 0, 0 };

static const char *path_of(gn_arena *a, const char *name) { return gn_arena_text(a, "%s/%s", folder, name); }

static gn_image gradient(gn_arena *a, int w, int h) {
    gn_image image;
    OK(gn_image_new(a, w, h, &image));
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
            uint8_t *p = image.rgb + 3 * (y * w + x);
            p[0] = (uint8_t)(4 * x), p[1] = (uint8_t)(4 * y), p[2] = (uint8_t)(2 * (x + y));
        }
    return image;
}

static void png_round_trip(void **state) {
    (void)state;
    gn_arena *a = gn_arena_new("test");
    gn_image image = gradient(a, 37, 21), back;
    const char *path = path_of(a, "a.png");
    OK(gn_png_write(path, &image));
    OK(gn_image_read(a, path, &back));
    assert_int_equal(back.w, 37);
    assert_int_equal(back.h, 21);
    assert_memory_equal(back.rgb, image.rgb, 37 * 21 * 3);
    void *bytes, *file;
    size_t n, m;
    OK(gn_png_encode(a, &image, &bytes, &n));
    OK(gn_io_read(a, path, 1 << 20, &file, &m));
    assert_int_equal(n, m);
    assert_memory_equal(bytes, file, n);
    uint16_t grey[6] = { 0, 1, 255, 256, 40000, 65535 }, *again;
    int w, h;
    const char *deep = path_of(a, "deep.png");
    OK(gn_png_write_grey16(deep, 3, 2, grey));
    OK(gn_png_read_grey16(a, deep, &w, &h, &again));
    assert_true(w == 3 && h == 2);
    assert_memory_equal(again, grey, sizeof grey);
    FAILS(gn_png_read_grey16(a, path, &w, &h, &again), BAD_DATA);
    OK(gn_image_read(a, deep, &back));
    assert_int_equal(back.rgb[3 * 5], 255);
    gn_arena_free(a);
}

static void jpeg_by_content(void **state) {
    (void)state;
    gn_arena *a = gn_arena_new("test");
    const char *path = path_of(a, "really_a_jpeg.png");
    OK(gn_io_write(path, gradient_jpeg, sizeof gradient_jpeg));
    gn_image is = gradient(a, 24, 16), back;
    OK(gn_image_read(a, path, &back));
    assert_true(back.w == 24 && back.h == 16);
    for (int k = 0; k < 24 * 16 * 3; k++) NEAR(back.rgb[k], is.rgb[k], 8);
    FAILS(gn_image_read(a, path_of(a, "none.jpg"), &back), MISSING);
    gn_arena_free(a);
}

/* Cut and flipped files either read or fail in one line that names the file; nothing worse. */
static void broken_files(void **state) {
    (void)state;
    gn_arena *a = gn_arena_new("test");
    gn_image image = gradient(a, 30, 30), back;
    void *png;
    size_t sizes[2] = { 0, sizeof gradient_jpeg };
    OK(gn_png_encode(a, &image, &png, &sizes[0]));
    const void *files[2] = { png, gradient_jpeg };
    uint64_t draw = 7;
    int refused = 0;
    for (int t = 0; t < 1200; t++) {
        gn_arena *b = gn_arena_new("one");
        size_t size = sizes[t % 2];
        unsigned char *bytes = gn_arena_take(b, size);
        memcpy(bytes, files[t % 2], size);
        draw = draw * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        size_t at = (size_t)(draw >> 24) % size;
        if (t % 3) bytes[at] ^= (unsigned char)(1 << (draw >> 61));
        else size = at;
        const char *path = path_of(b, "broken");
        FILE *f = fopen(path, "wb");
        assert_non_null(f);
        fwrite(bytes, 1, size, f);
        fclose(f);
        if (gn_image_read(b, path, &back)) {
            refused++;
            assert_non_null(strstr(gn_reason(), "broken: "));
            assert_null(strchr(gn_reason(), '\n'));
        }
        gn_arena_free(b);
    }
    assert_true(refused > 400);
    gn_arena_free(a);
}

/* A header that promises 30,000 x 30,000 pixels takes no memory. */
static void too_large(void **state) {
    (void)state;
    gn_arena *a = gn_arena_new("test");
    gn_image image = gradient(a, 16, 16), back;
    unsigned char jpeg[sizeof gradient_jpeg];
    memcpy(jpeg, gradient_jpeg, sizeof jpeg);
    for (size_t k = 0; k + 9 < sizeof jpeg; k++)
        if (jpeg[k] == 0xff && jpeg[k + 1] == 0xc0) {
            memcpy(jpeg + k + 5, "\x75\x30\x75\x30", 4);
            break;
        }
    size_t before = gn_arena_bytes(a);
    FAILS(gn_jpeg_decode(a, jpeg, sizeof jpeg, &back), BAD_DATA);
    assert_non_null(strstr(gn_reason(), "30000 x 30000"));
    assert_true(gn_arena_bytes(a) - before < 1 << 20);
    image.w = 1 << 20;
    FAILS(gn_png_write(path_of(a, "wide.png"), &image), BAD_SHAPE);
    assert_false(gn_io_exists(path_of(a, "wide.png")));
    gn_arena_free(a);
}

static double ink(const gn_image *on) {
    double sum = 0;
    for (int k = 0; k < on->w * on->h; k++) sum += on->rgb[3 * k] / 255.0;
    return sum;
}

static void drawing(void **state) {
    (void)state;
    gn_arena *a = gn_arena_new("test");
    gn_image on;
    OK(gn_image_new(a, 64, 64, &on));
    gn_draw_line(&on, 10.3, 12.8, 50.1, 40.2, 3, white);
    NEAR(ink(&on), 3 * hypot(50.1 - 10.3, 40.2 - 12.8) + PI * 1.5 * 1.5, 3);
    memset(on.rgb, 0, 64 * 64 * 3);
    gn_draw_dot(&on, 30.4, 31.7, 6, white);
    NEAR(ink(&on), PI * 36, 2);
    double at[] = { -1e300, -1e9, -3, 0, 63, 70, 1e9, 1e300, NAN, INFINITY };
    for (int i = 0; i < 10; i++)
        for (int k = 0; k < 10; k++) {
            gn_draw_line(&on, at[i], at[k], at[k], at[(i + 3) % 10], 2, red);
            gn_draw_dot(&on, at[i], at[k], 3, red);
            gn_draw_text(&on, at[i], at[k], 2, red, "all\nAround\xff");
        }
    memset(on.rgb, 0, 64 * 64 * 3);
    gn_draw_text(&on, 2, 3, 1, white, "I");
    assert_int_equal((int)ink(&on), 11);
    gn_image big = gradient(a, 100, 100);
    gn_draw_image(&on, -20, -30, &big);
    assert_memory_equal(on.rgb, big.rgb + 3 * (30 * 100 + 20), 3 * 64);
    gn_draw_image(&on, 63, 63, &big);
    gn_draw_image(&on, 1 << 30, -(1 << 30), &big);
    assert_int_equal(on.rgb[3 * 64 * 64 - 3], 0);
    gn_arena_free(a);
}

/* A warp by whole pixels copies, by half pixels means, outside is the edge colour. */
static void warping(void **state) {
    (void)state;
    gn_arena *a = gn_arena_new("test");
    gn_image in = gradient(a, 40, 40), out;
    OK(gn_image_new(a, 40, 40, &out));
    const double shift[6] = { 1, 0, 5, 0, 1, -3 }, half[6] = { 1, 0, 0.5, 0, 1, 0 }, quarter[6] = { 0, 1, 0, -1, 0, 39 };
    gn_image_warp(&in, shift, red, &out);
    assert_memory_equal(out.rgb + 3 * (10 * 40 + 2), in.rgb + 3 * (7 * 40 + 7), 3 * 30);
    assert_memory_equal(out.rgb + 3 * (10 * 40 + 38), "\xff\x00\x00", 3);
    gn_image_warp(&in, half, red, &out);
    assert_int_equal(out.rgb[3 * (5 * 40 + 5)], 22);
    gn_image_warp(&in, quarter, red, &out);
    for (int y = 0; y < 40; y++)
        for (int x = 0; x < 40; x++) assert_memory_equal(out.rgb + 3 * (y * 40 + x), in.rgb + 3 * ((39 - x) * 40 + y), 3);

    float *input = gn_arena_take(a, sizeof *input * 40 * 40 * 3);
    const float gain[3] = { 1, 0.5f, 2 };
    const double none[6] = { 1, 0, 0, 0, 1, 0 }, twice[6] = { 2, 0, 0.5, 0, 2, 0.5 };
    gn_warp_input(in.rgb, 40, 40, none, gain, 40, NULL, input);
    for (int k = 0; k < 40 * 40; k++)
        for (int c = 0; c < 3; c++) NEAR(input[3 * k + c], fmin(1, gain[c] * in.rgb[3 * k + c] / 255.0), 1e-6);
    gn_warp_input(in.rgb, 40, 40, twice, gain, 20, NULL, input); /* shrinking means over four pixels */
    for (int y = 0; y < 20; y++)
        for (int x = 0; x < 20; x++) NEAR(input[3 * (y * 20 + x)], (4 * (2 * x + 0.5)) / 255, 1e-5);
    gn_warp_input(in.rgb, 40, 40, shift, gain, 40, NULL, input);
    NEAR(input[3 * 39], 0.5, 1e-6);
    gn_arena_free(a);
}

static int make_folder(void **state) {
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}
static int remove_folder(void **state) {
    (void)state;
    return gn_io_remove(folder) != GN_OK;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(png_round_trip), cmocka_unit_test(jpeg_by_content), cmocka_unit_test(broken_files),
        cmocka_unit_test(too_large),      cmocka_unit_test(drawing),         cmocka_unit_test(warping),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
