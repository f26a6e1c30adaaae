/* rig.h - calibrated cameras of a session, as Pose2Sim and Qualisys write them. */
#ifndef GN_RIG_H
#define GN_RIG_H
#include "src/import/triangulate.h"

typedef struct {
    int n;
    struct { char name[64]; int w, h; } camera[GN_VIEWS];
    gn_view view[GN_VIEWS];
} gn_rig;

/* By the file's ending: .toml, a table a camera of size, matrix, distortions (k1 k2 p1 p2), rotation (Rodrigues), translation
 * (metres, world to camera); else Qualisys' XML. */
gn_status gn_rig_read(gn_arena *a, const char *path, gn_rig *r);
#endif
