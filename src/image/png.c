/* png.c - the one file that knows libpng.
 *
 * Pictures come from strangers: size is capped before memory is taken, and libpng's errors, which are
 * jumps, end in one line. Nothing that a jump could lose is kept in locals. */
#include "gnomon/image.h"
#include "gnomon/io.h"
#include "src/image/picture.h"
#include "gnomon/version.h"
#include <png.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const char *path;
    gn_arena *arena;
    const unsigned char *bytes; /* read from here */
    size_t size, at;
    unsigned char *out;         /* or written here */
    size_t used, room;
    int bits, channels;         /* what rows are: 8 and 3, or 16 and 1 */
    int w, h;
    size_t row;
    unsigned char *pixel;
    char why[256];
    jmp_buf back;
} work;

_Noreturn static void fail(png_structp png, png_const_charp why) {
    work *k = png_get_error_ptr(png);
    snprintf(k->why, sizeof k->why, "%s", why);
    longjmp(k->back, 1);
}

static void ignore(png_structp png, png_const_charp why) { (void)png, (void)why; }

/* --- reading --- */

static void take(png_structp png, png_bytep to, png_size_t n) {
    work *k = png_get_io_ptr(png);
    if (n > k->size - k->at) png_error(png, "ends too early");
    memcpy(to, k->bytes + k->at, n);
    k->at += n;
}

static void read_header(work *k, png_structp png, png_infop info) {
    png_set_user_limits(png, GN_PICTURE_SIDE, GN_PICTURE_SIDE);
    png_set_chunk_malloc_max(png, 1 << 24);
    png_set_read_fn(png, k, take);
    png_read_info(png, info);
    k->w = (int)png_get_image_width(png, info);
    k->h = (int)png_get_image_height(png, info);
    if ((int64_t)k->w * k->h > GN_PICTURE_PIXELS) png_error(png, "more pixels than a picture may have");
    int type = png_get_color_type(png, info), bits = png_get_bit_depth(png, info);
    if (k->bits == 16) {
        if (bits != 16 || type != PNG_COLOR_TYPE_GRAY) png_error(png, "not 16-bit grey");
        png_set_swap(png);
    } else {
        if (bits == 16) png_set_scale_16(png);
        png_set_expand(png);
        if (!(type & PNG_COLOR_MASK_COLOR)) png_set_gray_to_rgb(png);
        if (type & PNG_COLOR_MASK_ALPHA || png_get_valid(png, info, PNG_INFO_tRNS)) {
            png_color_16 white = { .red = 255, .green = 255, .blue = 255, .gray = 255 };
            png_set_background(png, &white, PNG_BACKGROUND_GAMMA_SCREEN, 0, 1.0);
        }
    }
    png_set_interlace_handling(png);
    png_read_update_info(png, info);
    k->row = (size_t)k->w * (size_t)(k->channels * k->bits / 8);
    if (png_get_rowbytes(png, info) != k->row) png_error(png, "rows of an unexpected length");
}

static gn_status decode(work *k) {
    png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, k, fail, ignore);
    png_infop info = png ? png_create_info_struct(png) : NULL;
    if (!info) {
        png_destroy_read_struct(&png, NULL, NULL);
        GN_FAIL(NO_MEMORY, "out of memory: png reader");
    }
    if (setjmp(k->back)) {
        png_destroy_read_struct(&png, &info, NULL);
        GN_FAIL(BAD_DATA, "%s: broken PNG: %s", k->path, k->why);
    }
    read_header(k, png, info);
    k->pixel = gn_arena_take(k->arena, k->row * (size_t)k->h);
    if (!k->pixel) png_error(png, "no memory for the pixels");
    int passes = png_get_interlace_type(png, info) == PNG_INTERLACE_NONE ? 1 : 7;
    for (int pass = 0; pass < passes; pass++)
        for (int y = 0; y < k->h; y++) png_read_row(png, k->pixel + (size_t)y * k->row, NULL);
    png_read_end(png, NULL);
    png_destroy_read_struct(&png, &info, NULL);
    return GN_OK;
}

gn_status gn_png_decode(gn_arena *a, const char *path, const void *bytes, size_t n, gn_image *image) {
    work k = { .path = path, .arena = a, .bytes = bytes, .size = n, .bits = 8, .channels = 3 };
    GN_TRY(decode(&k));
    *image = (gn_image){ k.w, k.h, k.pixel };
    return GN_OK;
}

gn_status gn_png_read_grey16(gn_arena *a, const char *path, int *w, int *h, uint16_t **grey) {
    void *bytes;
    size_t n;
    GN_TRY(gn_io_read(a, path, GN_PICTURE_FILE, &bytes, &n));
    if (!gn_png_is(bytes, n)) GN_FAIL(BAD_DATA, "%s: not a PNG", path);
    work k = { .path = path, .arena = a, .bytes = bytes, .size = n, .bits = 16, .channels = 1 };
    GN_TRY(decode(&k));
    *w = k.w;
    *h = k.h;
    *grey = (uint16_t *)(void *)k.pixel;
    return GN_OK;
}

int gn_png_is(const void *bytes, size_t n) { return n >= 8 && !png_sig_cmp(bytes, 0, 8); }

/* --- writing --- */

static void give(png_structp png, png_bytep from, png_size_t n) {
    work *k = png_get_io_ptr(png);
    if (n > k->room - k->used) {
        size_t room = 2 * k->room + n + (1 << 16);
        unsigned char *more = realloc(k->out, room);
        if (!more) png_error(png, "out of memory");
        k->out = more;
        k->room = room;
    }
    memcpy(k->out + k->used, from, n);
    k->used += n;
}

static void flush(png_structp png) { (void)png; }

/* Leaves the file's bytes in k->out, to be freed by the caller. */
static gn_status encode(work *k) {
    if (k->w < 1 || k->h < 1 || k->w > GN_PICTURE_SIDE || k->h > GN_PICTURE_SIDE)
        GN_FAIL(BAD_SHAPE, "a picture of %d x %d cannot be a PNG", k->w, k->h);
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, k, fail, ignore);
    png_infop info = png ? png_create_info_struct(png) : NULL;
    if (!info) {
        png_destroy_write_struct(&png, NULL);
        GN_FAIL(NO_MEMORY, "out of memory: png writer");
    }
    if (setjmp(k->back)) {
        png_destroy_write_struct(&png, &info);
        free(k->out);
        GN_FAIL(NO_MEMORY, "a PNG cannot be made: %s", k->why);
    }
    png_set_write_fn(png, k, give, flush);
    png_set_IHDR(png, info, (png_uint_32)k->w, (png_uint_32)k->h, k->bits, k->channels == 3 ? PNG_COLOR_TYPE_RGB : PNG_COLOR_TYPE_GRAY,
                 PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_write_info(png, info);
    if (k->bits == 16) png_set_swap(png);
    for (int y = 0; y < k->h; y++) png_write_row(png, k->pixel + (size_t)y * k->row);
    png_write_end(png, info);
    png_destroy_write_struct(&png, &info);
    return GN_OK;
}

static gn_status save(work *k, const char *path) {
    GN_TRY_AS(encode(k), "%s", path);
    gn_status status = gn_io_write(path, k->out, k->used);
    free(k->out);
    GN_TRY(status);
    return GN_OK;
}

gn_status gn_png_write(const char *path, const gn_image *image) {
    work k = { .bits = 8, .channels = 3, .w = image->w, .h = image->h, .row = 3 * (size_t)image->w, .pixel = image->rgb };
    return save(&k, path);
}

gn_status gn_png_write_grey16(const char *path, int w, int h, const uint16_t *grey) {
    work k = { .bits = 16, .channels = 1, .w = w, .h = h, .row = 2 * (size_t)w, .pixel = (unsigned char *)(uintptr_t)grey };
    return save(&k, path);
}

gn_status gn_png_encode(gn_arena *a, const gn_image *image, void **bytes, size_t *n) {
    work k = { .bits = 8, .channels = 3, .w = image->w, .h = image->h, .row = 3 * (size_t)image->w, .pixel = image->rgb };
    GN_TRY(encode(&k));
    *bytes = gn_arena_take(a, k.used);
    *n = k.used;
    if (*bytes) memcpy(*bytes, k.out, k.used);
    free(k.out);
    if (!*bytes) GN_FAIL(NO_MEMORY, "out of memory: a PNG of %zu bytes", k.used);
    return GN_OK;
}

const char *gn_png_version(void) { return PNG_LIBPNG_VER_STRING; }
