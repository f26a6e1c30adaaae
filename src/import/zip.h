/* zip.h - a ZIP archive's members, as NumPy's npz has them: stored or deflated, of any size (ZIP64). */
#ifndef GN_ZIP_H
#define GN_ZIP_H
#include "gnomon/arena.h"

typedef struct {
    const char *name;
    int method;                 /* 0 stored, 8 deflated */
    uint32_t crc;
    uint64_t packed, bytes, at; /* sizes; where its own header lies */
} gn_zip_member;
typedef struct {
    const char *path;
    const unsigned char *map;
    uint64_t bytes;
    int n;
    gn_zip_member *member;
} gn_zip;

gn_status gn_zip_open(gn_arena *a, const char *path, gn_zip **z);                    /* until the arena ends */
const gn_zip_member *gn_zip_find(const gn_zip *z, const char *name);                 /* NULL: none of that name */
gn_status gn_zip_read(gn_arena *a, const gn_zip *z, const gn_zip_member *m, const unsigned char **bytes, size_t *n);
#endif
