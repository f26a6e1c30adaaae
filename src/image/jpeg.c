/* jpeg.c - the one file that knows libturbojpeg; and pictures read by what they are, not by their names. */
#include "gnomon/io.h"
#include "gnomon/version.h"
#include "src/image/decoder.h"
#include "src/image/picture.h"
#include <string.h>
#include <turbojpeg.h>

/* One line: the library's own words may hold several. `path` empty: the caller says where. */
static gn_status broken(tjhandle tj, const char *path) {
    char why[200];
    snprintf(why, sizeof why, "%s", tj ? tjGetErrorStr2(tj) : "no decoder");
    why[strcspn(why, "\r\n")] = 0;
    GN_FAIL(BAD_DATA, "%s%sbroken JPEG: %s", path, *path ? ": " : "", why);
}

static gn_status decode(gn_arena *a, tjhandle tj, const char *path, const void *bytes, size_t n, gn_image *image) {
    int w, h, sampling, space;
    if (tjDecompressHeader3(tj, bytes, n, &w, &h, &sampling, &space)) return broken(tj, path);
    if (w < 1 || h < 1 || w > GN_PICTURE_SIDE || h > GN_PICTURE_SIDE || (int64_t)w * h > GN_PICTURE_PIXELS)
        GN_FAIL(BAD_DATA, "%s: a JPEG of %d x %d pixels is larger than a picture may be", path, w, h);
    GN_TRY(gn_image_new(a, w, h, image));
    if (tjDecompress2(tj, bytes, n, image->rgb, w, 3 * w, h, TJPF_RGB, TJFLAG_STOPONWARNING | TJFLAG_LIMITSCANS))
        return broken(tj, path);
    return GN_OK;
}

static gn_status decode_named(gn_arena *a, const char *path, const void *bytes, size_t n, gn_image *image) {
    tjhandle tj = tjInitDecompress();
    gn_status status = tj ? decode(a, tj, path, bytes, n, image) : broken(NULL, path);
    if (tj) tjDestroy(tj);
    return status ? gn_pass(status, __FILE__, __LINE__) : GN_OK;
}

gn_status gn_jpeg_decode(gn_arena *a, const void *bytes, size_t n, gn_image *image) {
    return decode_named(a, "memory", bytes, n, image);
}

struct gn_decoder { tjhandle tj; };

static void close_decoder(void *what) { tjDestroy(((gn_decoder *)what)->tj); }

gn_status gn_decoder_open(gn_arena *a, gn_decoder **d) {
    GN_TAKE(*d, a, 1);
    (*d)->tj = tjInitDecompress();
    if (!(*d)->tj) return broken(NULL, "memory");
    return gn_arena_at_end(a, close_decoder, *d);
}

gn_status gn_decoder_run(gn_decoder *d, const void *bytes, size_t n, int w, int h, uint8_t *rgb) {
    int wide, high, sampling, space;
    if (tjDecompressHeader3(d->tj, bytes, n, &wide, &high, &sampling, &space)) return broken(d->tj, "");
    if (wide != w || high != h) GN_FAIL(BAD_DATA, "a JPEG of %d x %d pixels, expected %d x %d", wide, high, w, h);
    return gn_decoder_alone(d, bytes, n, w, h, rgb);
}

gn_status gn_decoder_alone(gn_decoder *d, const void *bytes, size_t n, int w, int h, uint8_t *rgb) {
    if (tjDecompress2(d->tj, bytes, n, rgb, w, 3 * w, h, TJPF_RGB, TJFLAG_STOPONWARNING | TJFLAG_LIMITSCANS)) return broken(d->tj, "");
    return GN_OK;
}

static gn_status encode(gn_arena *a, tjhandle tj, const gn_image *image, int quality, void **bytes, size_t *n) {
    unsigned long size = tjBufSize(image->w, image->h, TJSAMP_444);
    unsigned char *to;
    GN_TAKE(to, a, size);
    if (tjCompress2(tj, image->rgb, image->w, 3 * image->w, image->h, TJPF_RGB, &to, &size, TJSAMP_444, quality, TJFLAG_NOREALLOC))
        GN_FAIL(INTERNAL, "a picture of %d x %d pixels cannot be made a JPEG: %s", image->w, image->h, tjGetErrorStr2(tj));
    *bytes = to;
    *n = size;
    return GN_OK;
}

gn_status gn_jpeg_encode(gn_arena *a, const gn_image *image, int quality, void **bytes, size_t *n) {
    tjhandle tj = tjInitCompress();
    gn_status status = tj ? encode(a, tj, image, quality, bytes, n) : broken(NULL, "memory");
    if (tj) tjDestroy(tj);
    return status ? gn_pass(status, __FILE__, __LINE__) : GN_OK;
}

gn_status gn_image_read(gn_arena *a, const char *path, gn_image *image) {
    void *bytes;
    size_t n;
    GN_TRY(gn_io_read(a, path, GN_PICTURE_FILE, &bytes, &n));
    if (gn_png_is(bytes, n)) return gn_png_decode(a, path, bytes, n, image);
    if (n >= 3 && !memcmp(bytes, "\xff\xd8\xff", 3)) return decode_named(a, path, bytes, n, image);
    GN_FAIL(BAD_DATA, "%s: neither a PNG nor a JPEG", path);
}

gn_status gn_image_new(gn_arena *a, int w, int h, gn_image *image) {
    if (w < 1 || h < 1 || w > GN_PICTURE_SIDE || h > GN_PICTURE_SIDE) GN_FAIL(BAD_SHAPE, "a picture of %d x %d pixels", w, h);
    *image = (gn_image){ .w = w, .h = h };
    GN_TAKE(image->rgb, a, 3 * (size_t)w * (size_t)h);
    return GN_OK;
}

const char *gn_jpeg_version(void) { return GN_TURBOJPEG; } /* its interface does not tell: what it was built with */
