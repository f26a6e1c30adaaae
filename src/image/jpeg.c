/* jpeg.c - the one file that knows libturbojpeg; and pictures read by what they are, not by their names. */
#include "gnomon/io.h"
#include "gnomon/version.h"
#include "src/image/picture.h"
#include <string.h>
#include <turbojpeg.h>

/* One line: the library's own words may hold several. */
static gn_status broken(tjhandle tj, const char *path) {
    char why[200];
    snprintf(why, sizeof why, "%s", tj ? tjGetErrorStr2(tj) : "no decoder");
    why[strcspn(why, "\r\n")] = 0;
    GN_FAIL(BAD_DATA, "%s: broken JPEG: %s", path, why);
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
