/* shard.h - the layout of a shard file, between h5.c, which knows HDF5, and shard.c, which does not. */
#ifndef GN_SHARD_H
#define GN_SHARD_H
#include "gnomon/dataset.h"

enum {
    GN_SHARD_VERSION = 1,
    GN_SHARD_FIELDS = 24,       /* at most */
    GN_SHARD_SEAL = 4096,       /* bytes before the HDF5 file proper: its user block, a power of two */
    GN_SHARD_TEXT = 1 << 15,    /* longest provenance, bytes */
};

typedef struct {
    gn_shard_field field;
    uint64_t bytes;             /* of one sample */
    uint64_t at, hash_at;       /* places in the file: [n bytes] and [n] uint64 */
} gn_shard_place;

typedef struct {
    int64_t n;
    int fields;
    gn_shard_place place[GN_SHARD_FIELDS];
    const gn_skeleton *skeleton;
    const char *provenance;
} gn_shard_layout;

/* Makes the file with space for everything and fills in at and hash_at. */
gn_status gn_h5_create(const char *path, gn_shard_layout *l);
/* Reads and checks what the file says of itself; `size` is the file's. */
gn_status gn_h5_read(gn_arena *a, const char *path, uint64_t size, gn_shard_layout *l);
#endif
