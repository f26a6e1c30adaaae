/* picture.h - how large a stranger's picture may be, and what the decoders share. */
#ifndef GN_PICTURE_H
#define GN_PICTURE_H
#include "gnomon/image.h"

enum {
    GN_PICTURE_SIDE = 1 << 15,      /* pixels */
    GN_PICTURE_PIXELS = 1 << 27,    /* in all: 400 MB once decoded */
    GN_PICTURE_FILE = 1 << 28,      /* bytes */
};

int gn_png_is(const void *bytes, size_t n);
gn_status gn_png_decode(gn_arena *a, const char *path, const void *bytes, size_t n, gn_image *image);
#endif
