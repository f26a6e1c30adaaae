/* mupots.c - MuPoTS-3D (Mehta et al., 3DV 2018): twenty sequences of several people, for tests alone.
 *
 * The owner's TSn/annot.mat has a cell a frame and a person, a struct of annot2, annot3 (millimetres, camera axes) and
 * isValidFrame, and occlusion.mat the joints that are hidden; the camera is fitted. Moon et al. pass on the same as JSON. */
#include "gnomon/config.h"
#include "gnomon/io.h"
#include "src/import/mat.h"
#include "src/import/pinhole.h"
#include "src/import/spatial.h"
#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum { JOINTS = 17, FILES = 64 };
static const gn_spatial form = { .joints = JOINTS, .valid = 1 };

typedef struct {
    gn_arena *arena;
    const gn_import *from;
    gn_sink *sink;
    const char *path;
    char folder[PATH_MAX];         /* that TS1 is in */
    const gn_mat *cells, *hidden;  /* [frames persons]; NULL: not known */
    gn_lens lens;
    int number;
} reader;

/* [wide 17] of the person in a cell; NULL: not there. */
static const double *points(const gn_mat *person, const char *field, int wide) {
    const gn_mat *m = gn_mat_field(person, 0, field);
    return m && m->kind == GN_MAT_NUMBERS && m->d[0] == wide && m->d[1] == JOINTS && m->n == wide * JOINTS ? m->number : NULL;
}

static gn_status person_of(const reader *r, int64_t f, int64_t p, const double **uv, const double **xyz) {
    const gn_mat *cell = gn_mat_cell(r->cells, f + r->cells->d[0] * p);
    *uv = *xyz = NULL;
    if (cell->kind != GN_MAT_STRUCTS || gn_mat_number(gn_mat_field(cell, 0, "isValidFrame"), 0) != 1) return GN_OK;
    *uv = points(cell, "annot2", 2), *xyz = points(cell, "annot3", 3);
    if (!*uv || !*xyz) GN_FAIL(BAD_DATA, "%s: annotations{%lld,%lld}: expected annot2 of 2 x %d and annot3 of 3 x %d numbers", r->path, (long long)f + 1, (long long)p + 1, JOINTS, JOINTS);
    return GN_OK;
}

static gn_status fit(reader *r) {
    gn_pinhole pinhole = { 0 };
    for (int64_t i = 0; i < r->cells->n; i++) {
        const double *uv, *xyz;
        GN_TRY(person_of(r, i % r->cells->d[0], i / r->cells->d[0], &uv, &xyz));
        for (int j = 0; j < JOINTS && uv; j++) {
            const double metres[3] = { xyz[3 * j] / 1000, xyz[3 * j + 1] / 1000, xyz[3 * j + 2] / 1000 };
            gn_pinhole_add(&pinhole, metres, uv + 2 * j);
        }
    }
    if (!gn_pinhole_solve(&pinhole, &r->lens)) GN_FAIL(BAD_DATA, "%s: no camera shows annot3 where annot2 is", r->path);
    return GN_OK;
}

static gn_status put(reader *r, int64_t f, int64_t p, const double *uv, const double *xyz) {
    const int large = r->number > 5;
    gn_import_sample x = { .frame = f, .group = -1, .valid = 1, .w = large ? 1920 : 2048, .h = large ? 1080 : 2048, .lens = r->lens,
                           .has = GN_HAS_joints2d | GN_HAS_joints3d | GN_HAS_camera | (r->hidden ? GN_HAS_occluded2d : 0) };
    const gn_mat *hidden = gn_mat_cell(r->hidden, f + r->cells->d[0] * p);
    if (hidden && (hidden->kind != GN_MAT_NUMBERS || hidden->n != JOINTS)) GN_FAIL(BAD_DATA, "%s: occlusion.mat: occlusion_labels{%lld,%lld}: expected %d numbers", r->path, (long long)f + 1, (long long)p + 1, JOINTS);
    for (int j = 0; j < JOINTS; j++) {
        for (int k = 0; k < 2; k++) x.joints2d[j][k] = uv[2 * j + k];
        for (int k = 0; k < 3; k++) x.joints3d[j][k] = xyz[3 * j + k] / 1000;
        x.labelled2d[j] = x.labelled3d[j] = 1;
        x.occluded2d[j] = hidden && hidden->number[j] != 0;
    }
    snprintf(x.take, sizeof x.take, "TS%d", r->number);
    if (snprintf(x.picture, sizeof x.picture, "%s/TS%d/img_%06lld.jpg", r->folder, r->number, (long long)f) >= (int)sizeof x.picture) x.picture[0] = 0;
    return gn_sink_put(r->sink, &x);
}

static gn_status read_hidden(reader *r) {
    const char *path;
    GN_TAKE_TEXT(path, r->arena, "%.*s/occlusion.mat", (int)(strrchr(r->path, '/') - r->path), r->path);
    if (!gn_io_exists(path)) return gn_sink_note(r->sink, "TS%d: no occlusion.mat, so which joints are hidden is not known", r->number);
    GN_TRY(gn_mat_read(r->arena, path, "occlusion_labels", &r->hidden));
    if (r->hidden->kind != GN_MAT_CELLS || r->hidden->d[0] != r->cells->d[0] || r->hidden->n != r->cells->n)
        GN_FAIL(BAD_DATA, "%s: occlusion_labels: expected %lld x %lld cells, found %lld x %lld", path, (long long)r->cells->d[0], (long long)r->cells->d[1],
                (long long)r->hidden->d[0], (long long)r->hidden->d[1]);
    return GN_OK;
}

static gn_status read_sequence(reader *r) {
    const char *name = strrchr(r->path, '/');
    int64_t persons = 0;
    do name--; while (name > r->path && name[-1] != '/');
    if (sscanf(name, "TS%d/", &r->number) != 1) GN_FAIL(BAD_DATA, "%s: its folder is not TS<1-20>", r->path);
    if (!realpath(r->from->pictures ? r->from->pictures : r->path, r->folder)) GN_FAIL(MISSING, "%s: no such folder of pictures", r->from->pictures);
    for (int k = 0; !r->from->pictures && k < 2; k++) {
        char *slash = strrchr(r->folder, '/');
        if (slash) *slash = 0;
    }
    GN_TRY(gn_mat_read(r->arena, r->path, "annotations", &r->cells));
    if (r->cells->kind != GN_MAT_CELLS || r->cells->rank != 2) GN_FAIL(BAD_DATA, "%s: annotations: expected frames x persons cells", r->path);
    GN_TRY(read_hidden(r));
    GN_TRY(fit(r));
    for (int64_t f = 0; f < r->cells->d[0]; f += r->from->every)
        for (int64_t p = 0; p < r->cells->d[1]; p++) {
            const double *uv, *xyz;
            GN_TRY(person_of(r, f, p, &uv, &xyz));
            if (uv) GN_TRY(put(r, f, p, uv, xyz));
            persons += uv != NULL;
        }
    return gn_sink_note(r->sink, "TS%d: %lld persons in %lld frames; fitted camera f %.2f %.2f c %.2f %.2f", r->number, (long long)persons, (long long)r->cells->d[0],
                        r->lens.f[0], r->lens.f[1], r->lens.c[0], r->lens.c[1]);
}

static gn_status run(gn_arena *a, const gn_import *from, gn_sink *to) {
    const char **path, *json;
    int n = 0;
    const size_t length = strlen(from->source);
    const int named = length > 5 && !strcmp(from->source + length - 5, ".json");
    if (!named) GN_TRY(gn_source_list(a, from->source, "/annot.mat", FILES, &n, &path));
    for (int i = 0; i < n; i++) {
        reader r = { .arena = gn_arena_new("a sequence"), .from = from, .sink = to, .path = path[i] };
        if (!r.arena) GN_FAIL(NO_MEMORY, "out of memory: %s", path[i]);
        GN_TRY(read_sequence(&r));
        gn_arena_free(r.arena);
    }
    if (n) return GN_OK;
    GN_TRY(gn_source_file(a, from, "MuPoTS-3D.json", &json));
    if (!json) GN_FAIL(MISSING, "%s: no TS1/annot.mat and no MuPoTS-3D.json there", from->source);
    return gn_spatial_read(from, to, json, &form);
}

const gn_importer gn_import_mupots = {
    .name = "mupots",
    .takes = "the folder of TS1 to TS20, or MuPoTS-3D.json",
    .about = "MuPoTS-3D (Mehta et al. 2018), vcai.mpi-inf.mpg.de/projects/SingleShotMultiPerson; for research alone, no redistribution",
    .skeleton = &gn_mpi17,
    .pixels = 3,
    .run = run,
};
