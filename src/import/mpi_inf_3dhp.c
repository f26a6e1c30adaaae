/* mpi_inf_3dhp.c - MPI-INF-3DHP (Mehta et al., 3DV 2017): eight people before fourteen cameras; six test sequences.
 *
 * Sn/Seqn/annot.mat has, a camera, rows of 28 joints in pixels and in its axes, millimetres, and lies beside
 * camera.calibration. TSn/annot_data.mat has 17 of the 28, and no camera: it is fitted. Kept is annot3, which projects onto
 * annot2; univ_annot3, scaled to one skeleton, does not. */
#include "gnomon/config.h"
#include "gnomon/import.h"
#include "gnomon/io.h"
#include "src/import/calibration.h"
#include "src/import/mat.h"
#include "src/import/pinhole.h"
#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum { JOINTS = 28, TESTED = 17, FILES = 64, CELLS = 14, USED = 8 };
static const int used[USED] = { 0, 1, 2, 4, 5, 6, 7, 8 }; /* the others look down from the ceiling */
static const int pictures[8][2] = { /* of a subject's sequence: rows of annotation may be more */
    { 6416, 12430 }, { 6502, 6081 }, { 12488, 12283 }, { 6171, 6675 }, { 12820, 12312 }, { 6188, 6145 }, { 6239, 6320 }, { 6468, 6054 },
};

typedef struct {
    gn_arena *arena;
    const gn_import *from;
    gn_sink *sink;
    const char *path;
    int64_t group;                 /* of the next moment */
    char folder[PATH_MAX];         /* that S1 or TS1 is in, or the pictures are below */
    int form;                      /* of the pictures' names */
} reader;

/* "S4/Seq2" or "TS3" at the end of the file's folder. */
static int numbers_of(const char *path, int *s, int *q) {
    const char *end = strrchr(path, '/');
    for (const char *p = end; p && p >= path; p--)
        if (p == path || p[-1] == '/') {
            int n = 0;
            if (sscanf(p, "S%d/Seq%d/%n", s, q, &n) == 2 && n && !strchr(p + n, '/')) return 1;
            if (sscanf(p, "TS%d/%n", s, &n) == 1 && n && !strchr(p + n, '/')) return 2;
        }
    return 0;
}

/* --- pictures --- */

enum { FORMS = 3 };

/* Owners ship films; those who cut them into pictures count from 1. */
static void picture_of(int form, int s, int q, int camera, int64_t frame, char name[512]) {
    const long long n = (long long)frame + 1;
    if (form == 0) snprintf(name, 512, "S%d/Seq%d/imageFrames/video_%d/frame_%06lld.jpg", s, q, camera, n);
    if (form == 1) snprintf(name, 512, "S%d/Seq%d/imageSequence/video_%d/img_%06lld.jpg", s, q, camera, n);
    if (form == 2) snprintf(name, 512, "S%d_Seq%d_Cam%d_%06lld.jpg", s, q, camera, n);
}

static void place_picture(const reader *r, const char *name, gn_import_sample *x) {
    if (snprintf(x->picture, sizeof x->picture, "%s/%s", r->folder, name) >= (int)sizeof x->picture) x->picture[0] = 0;
}

static void find_form(reader *r, int s, int q) {
    r->form = 0;
    for (int form = FORMS - 1; form > 0; form--) {
        char name[512];
        gn_import_sample x;
        picture_of(form, s, q, 0, 0, name);
        place_picture(r, name, &x);
        if (gn_io_exists(x.picture)) r->form = form;
    }
}

/* --- one row --- */

static gn_status read_cells(reader *r, const char *name, const gn_mat **cells) {
    GN_TRY(gn_mat_read(r->arena, r->path, name, cells));
    if ((*cells)->kind != GN_MAT_CELLS || (*cells)->n != CELLS) GN_FAIL(BAD_DATA, "%s: %s: expected %d cells, found %lld", r->path, name, CELLS, (long long)(*cells)->n);
    return GN_OK;
}

/* [rows 28 wide] as MATLAB keeps it: a column is a coordinate of a joint. */
static gn_status check_cell(const reader *r, const char *name, const gn_mat *m, int camera, int wide, int64_t *rows) {
    if (m->kind != GN_MAT_NUMBERS || m->rank != 2 || m->d[1] != JOINTS * wide)
        GN_FAIL(BAD_DATA, "%s: %s{%d}: expected any x %d numbers, found %lld x %lld", r->path, name, camera + 1, JOINTS * wide, (long long)m->d[0], (long long)m->d[1]);
    if (m->d[0] < *rows) *rows = m->d[0];
    return GN_OK;
}

static void fill(const gn_mat *uv, const gn_mat *xyz, int64_t row, gn_import_sample *x) {
    x->has = GN_HAS_joints2d | GN_HAS_joints3d | GN_HAS_camera;
    for (int j = 0; j < JOINTS; j++) {
        for (int k = 0; k < 2; k++) x->joints2d[j][k] = uv->number[row + uv->d[0] * (2 * j + k)];
        for (int k = 0; k < 3; k++) x->joints3d[j][k] = xyz->number[row + xyz->d[0] * (3 * j + k)] / 1000;
        x->labelled2d[j] = x->labelled3d[j] = 1;
    }
}

/* --- training --- */

static gn_status put_moments(reader *r, int s, int q, int64_t rows, const gn_mat *annot2, const gn_mat *annot3, const gn_calibration *c) {
    for (int64_t f = 0; f < rows; f += r->from->every, r->group++)
        for (int k = 0; k < USED; k++) {
            char name[512];
            const int camera = used[k];
            const gn_calibrated *g = gn_calibration_find(c, camera);
            gn_import_sample x = { .frame = f, .group = r->group, .w = g->w, .h = g->h };
            fill(gn_mat_cell(annot2, camera), gn_mat_cell(annot3, camera), f, &x);
            x.lens = g->lens;
            memcpy(x.pose_of_view, g->pose, sizeof x.pose_of_view);
            x.has |= GN_HAS_pose_of_view;
            snprintf(x.take, sizeof x.take, "S%d Seq%d camera %d", s, q, camera);
            picture_of(r->form, s, q, camera, f, name);
            place_picture(r, name, &x);
            GN_TRY(gn_sink_put(r->sink, &x));
        }
    return GN_OK;
}

static gn_status read_training(reader *r, int s, int q) {
    const gn_mat *annot2, *annot3;
    const char *calibration, *slash = strrchr(r->path, '/');
    gn_calibration c;
    int64_t rows = s >= 1 && s <= 8 && q >= 1 && q <= 2 ? pictures[s - 1][q - 1] : INT64_MAX, all = 0;
    GN_TRY(read_cells(r, "annot2", &annot2));
    GN_TRY(read_cells(r, "annot3", &annot3));
    GN_TAKE_TEXT(calibration, r->arena, "%.*s/camera.calibration", (int)(slash - r->path), r->path);
    GN_TRY(gn_calibration_read(r->arena, calibration, &c));
    for (int k = 0; k < USED; k++) {
        const gn_mat *uv = gn_mat_cell(annot2, used[k]), *xyz = gn_mat_cell(annot3, used[k]);
        all = uv->d[0];
        GN_TRY(check_cell(r, "annot2", uv, used[k], 2, &rows));
        GN_TRY(check_cell(r, "annot3", xyz, used[k], 3, &rows));
        if (!gn_calibration_find(&c, used[k])) GN_FAIL(BAD_DATA, "%s: has no camera %d", calibration, used[k]);
    }
    find_form(r, s, q);
    GN_TRY(put_moments(r, s, q, rows, annot2, annot3, &c));
    return gn_sink_note(r->sink, "S%d Seq%d: %lld of %lld rows from %d cameras", s, q, (long long)rows, (long long)all, USED);
}

/* --- test: [wide 17 1 frames] as MATLAB has it --- */

static gn_status read_rows(reader *r, const char *name, int wide, int64_t *frames, const gn_mat **m) {
    GN_TRY(gn_mat_read(r->arena, r->path, name, m));
    const int64_t *d = (*m)->d, n = (*m)->n / (TESTED * wide);
    const int fits = wide == 1 ? (*m)->n == *frames : d[0] == wide && d[1] == TESTED && (*m)->n == n * TESTED * wide && (*frames < 0 || n == *frames);
    if ((*m)->kind != GN_MAT_NUMBERS || !fits)
        GN_FAIL(BAD_DATA, "%s: %s: expected %d x %d x 1 x frames numbers, found %lld x %lld x %lld x %lld", r->path, name, wide, wide == 1 ? 1 : TESTED, (long long)d[0],
                (long long)d[1], (long long)d[2], (long long)d[3]);
    if (wide > 1) *frames = n;
    return GN_OK;
}

static void test_joint(const gn_mat *uv, const gn_mat *xyz, int64_t f, int j, double at[2], double to[3]) {
    for (int k = 0; k < 2; k++) at[k] = uv->number[(f * TESTED + j) * 2 + k];
    for (int k = 0; k < 3; k++) to[k] = xyz->number[(f * TESTED + j) * 3 + k] / 1000;
}

static gn_status read_test(reader *r, int s) {
    const gn_mat *uv, *xyz, *sound;
    gn_pinhole p = { 0 };
    gn_lens lens;
    int64_t n = -1, kept = 0;
    double at[2], to[3];
    GN_TRY(read_rows(r, "annot2", 2, &n, &uv));
    GN_TRY(read_rows(r, "annot3", 3, &n, &xyz));
    GN_TRY(read_rows(r, "valid_frame", 1, &n, &sound));
    for (int64_t f = 0; f < n; f++)
        for (int j = 0; j < TESTED && sound->number[f] == 1; j++) {
            test_joint(uv, xyz, f, j, at, to);
            gn_pinhole_add(&p, to, at);
        }
    if (!gn_pinhole_solve(&p, &lens)) GN_FAIL(BAD_DATA, "%s: no camera shows annot3 where annot2 is, in %lld frames", r->path, (long long)n);
    for (int64_t f = 0; f < n; f += r->from->every) {
        gn_import_sample x = { .frame = f, .group = -1, .valid = 1, .w = s <= 4 ? 2048 : 1920, .h = s <= 4 ? 2048 : 1080, .lens = lens,
                               .has = GN_HAS_joints2d | GN_HAS_joints3d | GN_HAS_camera };
        char name[512];
        if (sound->number[f] != 1) continue;
        for (int j = 0; j < TESTED; j++) {
            test_joint(uv, xyz, f, j, x.joints2d[j], x.joints3d[j]);
            x.labelled2d[j] = x.labelled3d[j] = 1;
        }
        snprintf(x.take, sizeof x.take, "TS%d", s);
        snprintf(name, sizeof name, "TS%d/imageSequence/img_%06lld.jpg", s, (long long)f + 1);
        place_picture(r, name, &x);
        kept++;
        GN_TRY(gn_sink_put(r->sink, &x));
    }
    return gn_sink_note(r->sink, "TS%d: %lld of %lld frames; fitted camera f %.2f %.2f c %.2f %.2f", s, (long long)kept, (long long)n, lens.f[0], lens.f[1], lens.c[0], lens.c[1]);
}

/* --- files --- */

static gn_status read_file(reader *r, int test) {
    int s = 0, q = 0;
    const int kind = numbers_of(r->path, &s, &q);
    if (kind != (test ? 2 : 1)) GN_FAIL(BAD_DATA, "%s: its folder is not %s", r->path, test ? "TS<1-6>" : "S<1-8>/Seq<1-2>");
    if (!realpath(r->from->pictures ? r->from->pictures : r->path, r->folder)) GN_FAIL(MISSING, "%s: no such folder of pictures", r->from->pictures);
    for (int k = 0; !r->from->pictures && k < (test ? 2 : 3); k++) {
        char *slash = strrchr(r->folder, '/');
        if (slash) *slash = 0;
    }
    return test ? read_test(r, s) : read_training(r, s, q);
}

static gn_status run(gn_arena *a, const gn_import *from, gn_sink *to, int test) {
    const char **path;
    int64_t group = 0;
    int n;
    GN_TRY(gn_source_list(a, from->source, test ? "/annot_data.mat" : "/annot.mat", FILES, &n, &path));
    if (!n) GN_FAIL(MISSING, "%s: no %s there, or below", from->source, test ? "TS1/annot_data.mat" : "S1/Seq1/annot.mat");
    for (int i = 0; i < n; i++) {
        reader r = { .arena = gn_arena_new("a sequence"), .from = from, .sink = to, .path = path[i], .group = group };
        if (!r.arena) GN_FAIL(NO_MEMORY, "out of memory: %s", path[i]);
        GN_TRY(read_file(&r, test));
        gn_arena_free(r.arena);
        group = r.group;
    }
    return GN_OK;
}
static gn_status run_training(gn_arena *a, const gn_import *from, gn_sink *to) { return run(a, from, to, 0); }
static gn_status run_test(gn_arena *a, const gn_import *from, gn_sink *to) { return run(a, from, to, 1); }

#define ABOUT "MPI-INF-3DHP (Mehta et al. 2017), vcai.mpi-inf.mpg.de/3dhp-dataset; for research alone, no redistribution"

const gn_importer gn_import_mpi_inf_3dhp = {
    .name = "mpi_inf_3dhp",
    .takes = "the folder of S1 to S8, whose films were cut into pictures",
    .about = ABOUT,
    .skeleton = &gn_mpi28,
    .pixels = 3,
    .run = run_training,
};

const gn_importer gn_import_mpi_inf_3dhp_test = {
    .name = "mpi_inf_3dhp_test",
    .takes = "the folder of TS1 to TS6",
    .about = ABOUT,
    .skeleton = &gn_mpi17,
    .pixels = 3,
    .run = run_test,
};
