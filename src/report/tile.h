/* tile.h - one sample of a shard as a tile of a sheet. */
#ifndef GN_TILE_H
#define GN_TILE_H
#include "draw.h"
#include "gnomon/dataset.h"

enum { GN_TILE = 224, GN_TILE_CAPTION = 16 }; /* pixels: of a side; below it */
extern const gn_colour gn_tile_ground, gn_tile_ink;

typedef struct {
    gn_shard *shard;
    const gn_skeleton *skeleton;
    int image, jpeg, jpeg_bytes, size, depth, parts;  /* fields; here and below -1: has none */
    int uv, seen, hidden, xyz, seen3d, pose, take, frame, group;
} gn_tiles;
gn_status gn_tiles_open(gn_arena *a, const char *path, gn_tiles *t);
int gn_tiles_across(const gn_tiles *t);               /* tiles that one sample takes: its picture, its depth, its parts */
const void *gn_tiles_at(const gn_tiles *t, int field, int64_t i);

/* With its caption below; `scratch` is the tile's. */
gn_status gn_tile_draw(gn_arena *scratch, gn_image *on, const gn_tiles *t, int64_t i, int x, int y);
/* What n views of one moment, from sample `first` on, say together: their 3D in the world, upright as the cameras are. */
void gn_tile_world(gn_image *on, const gn_tiles *t, int64_t first, int n, int x, int y);
#endif
