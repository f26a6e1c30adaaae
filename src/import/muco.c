/* muco.c - MuCo-3DHP (Mehta et al., 3DV 2018): people of MPI-INF-3DHP put into one picture; MuCo-3DHP.json of Moon et al. */
#include "src/import/spatial.h"

enum { SIDE = 2048 }; /* of every picture */
static const gn_spatial form = { .joints = 21, .valid = 0, .side = SIDE };

static gn_status run(gn_arena *a, const gn_import *from, gn_sink *to) {
    const char *path;
    GN_TRY(gn_source_file(a, from, "MuCo-3DHP.json", &path));
    if (!path) GN_FAIL(MISSING, "%s: no MuCo-3DHP.json there", from->source);
    return gn_spatial_read(from, to, path, &form);
}

const gn_importer gn_import_muco = {
    .name = "muco",
    .takes = "MuCo-3DHP.json, or its folder",
    .about = "MuCo-3DHP (Mehta et al. 2018), made from MPI-INF-3DHP; for research alone, no redistribution",
    .skeleton = &gn_muco21,
    .pixels = 3,
    .run = run,
};
