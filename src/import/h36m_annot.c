/* h36m_annot.c - h36m-fetch's files, one annot.h5 a take: rows of all cameras, every fifth frame, in the camera's millimetres.
 *
 * pose/2d [N 32 2], pose/3d or pose/3d-univ [N 32 3], frame (from 1), camera, subject, intrinsics/CAMERA: the pinhole fx cx fy cy
 * fitted to them. Where the published glass fits the 2D better it is taken; where a camera stands is not said. The pictures are
 * imageSequence/CAMERA/img_%06d.jpg beside the file. */
#include "gnomon/config.h"
#include "gnomon/io.h"
#include "src/import/h36m.h"
#include "src/import/hdf5.h"
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 1 << 20, TRIALS = 64 };

typedef struct { int32_t part, frame, camera, subject; int64_t at; } row;
typedef struct {
    gn_arena *arena;             /* of a file */
    const gn_import *from;
    gn_sink *to;
    const char *path, *action, *folder;
    const gn_hdf *file;
    int universal;
    int64_t n, group, takes[2], broken;  /* rows; takes of a camera by the published glass, by the file's pinhole */
    row *row;
    double *seen, *pose;
    gn_lens lens[GN_H36M_VIEWS];
} reader;

static int in_order(const void *x, const void *y) {
    const row *a = x, *b = y;
    if (a->part != b->part) return a->part < b->part ? -1 : 1;
    if (a->frame != b->frame) return a->frame < b->frame ? -1 : 1;
    return a->camera != b->camera ? (a->camera < b->camera ? -1 : 1) : (a->at > b->at) - (a->at < b->at);
}

static gn_status column(reader *r, const char *name, int32_t **x) {
    gn_hdf_set s;
    GN_TAKE(*x, r->arena, r->n);
    GN_TRY(gn_hdf_expect(r->arena, r->file, name, 1, (const int64_t[]){ r->n }, &s));
    return gn_hdf_ints(r->file, name, 0, r->n, *x);
}

static int view_of(int32_t camera) {
    for (int v = 0; v < GN_H36M_VIEWS; v++)
        if (atoi(gn_h36m_eyes[v].name) == camera) return v;
    return -1;
}

static gn_status read_rows(reader *r) {
    int32_t *frame, *camera, *subject, *part = NULL;
    gn_hdf_set s;
    GN_TRY(column(r, "frame", &frame));
    GN_TRY(column(r, "camera", &camera));
    GN_TRY(column(r, "subject", &subject));
    GN_TRY(gn_hdf_look(r->file, "subaction", &s));
    if (s.kind == GN_HDF_NUMBERS) GN_TRY(column(r, "subaction", &part));
    GN_TAKE(r->row, r->arena, r->n);
    for (int64_t i = 0; i < r->n; i++) {
        r->row[i] = (row){ part ? part[i] : 0, frame[i], view_of(camera[i]), subject[i], i };
        if (r->row[i].camera < 0) GN_FAIL(BAD_DATA, "%s: camera[%lld] is %d, none of Human3.6M's four", r->path, (long long)i, (int)camera[i]);
        if (subject[i] < 1 || subject[i] > GN_H36M_PEOPLE) GN_FAIL(BAD_DATA, "%s: subject[%lld] is %d, expected 1 to %d", r->path, (long long)i, (int)subject[i], GN_H36M_PEOPLE);
    }
    qsort(r->row, (size_t)r->n, sizeof *r->row, in_order);
    return GN_OK;
}

static gn_status read_file(reader *r) {
    const int64_t d2[] = { -1, GN_H36M_RAW, 2 };
    gn_hdf_set s;
    GN_TRY(gn_hdf_expect(r->arena, r->file, "pose/2d", 3, d2, &s));
    r->n = s.d[0];
    if (r->n < 1 || r->n > ROWS) GN_FAIL(BAD_DATA, "%s: pose/2d: %lld rows, expected 1 to %d", r->path, (long long)r->n, ROWS);
    GN_TAKE(r->seen, r->arena, s.n);
    GN_TRY(gn_hdf_doubles(r->file, "pose/2d", 0, r->n, r->seen));
    GN_TRY(gn_hdf_look(r->file, "pose/3d", &s));
    r->universal = s.kind == GN_HDF_NONE;
    const char *place = r->universal ? "pose/3d-univ" : "pose/3d";
    GN_TRY(gn_hdf_expect(r->arena, r->file, place, 3, (const int64_t[]){ r->n, GN_H36M_RAW, 3 }, &s));
    GN_TAKE(r->pose, r->arena, s.n);
    GN_TRY(gn_hdf_doubles(r->file, place, 0, r->n, r->pose));
    return read_rows(r);
}

static void fill(const reader *r, const row *at, gn_import_sample *x) {
    for (int j = 0; j < GN_H36M_JOINTS; j++) {
        const double *uv = r->seen + 2 * (at->at * GN_H36M_RAW + gn_h36m_of_raw[j]), *xyz = r->pose + 3 * (at->at * GN_H36M_RAW + gn_h36m_of_raw[j]);
        for (int k = 0; k < 2; k++) x->joints2d[j][k] = uv[k];
        for (int k = 0; k < 3; k++) x->joints3d[j][k] = xyz[k] / 1000;
        x->labelled2d[j] = x->labelled3d[j] = 1;
    }
    x->has = GN_HAS_joints2d | GN_HAS_joints3d | GN_HAS_camera;
}

static double misses(const reader *r, int v, const gn_lens *l) {
    double sum = 0, at[2];
    for (int64_t i = 0, step = r->n / TRIALS + 1; i < r->n; i += step) {
        gn_import_sample x = { 0 };
        if (r->row[i].camera != v) continue;
        fill(r, &r->row[i], &x);
        for (int j = 0; j < GN_H36M_JOINTS; j++) {
            gn_lens_project(l, x.joints3d[j], at);
            sum += fmin(1000, hypot(at[0] - x.joints2d[j][0], at[1] - x.joints2d[j][1]));
        }
    }
    return sum;
}

static gn_status choose_lens(reader *r, int v) {
    char place[64];
    double own[4];
    gn_hdf_set s;
    r->lens[v] = gn_h36m_eyes[v].lens;
    snprintf(place, sizeof place, "intrinsics/%s", gn_h36m_eyes[v].name);
    GN_TRY(gn_hdf_look(r->file, place, &s));
    if (s.kind == GN_HDF_NONE) return GN_OK;
    if (s.kind != GN_HDF_NUMBERS || s.n != 4) GN_FAIL(BAD_DATA, "%s: %s: expected 4 numbers, fx cx fy cy", r->path, place);
    GN_TRY(gn_hdf_doubles(r->file, place, 0, s.d[0], own));
    const gn_lens pinhole = { .f = { own[0], own[2] }, .c = { own[1], own[3] } };
    const int better = misses(r, v, &pinhole) < misses(r, v, &r->lens[v]);
    if (better) r->lens[v] = pinhole;
    r->takes[better]++;
    return GN_OK;
}

static gn_status put_row(reader *r, const row *at, int alone) {
    const int v = at->camera;
    gn_import_sample x = { .frame = at->frame, .group = alone ? -1 : r->group, .valid = gn_h36m_valid(at->subject), .w = gn_h36m_eyes[v].w, .h = gn_h36m_eyes[v].h };
    snprintf(x.take, sizeof x.take, "S%d %s %s", (int)at->subject, r->action, gn_h36m_eyes[v].name);
    if (r->from->keep != GN_KEEP_NONE &&
        snprintf(x.picture, sizeof x.picture, "%s/imageSequence/%s/img_%06d.jpg", r->folder, gn_h36m_eyes[v].name, (int)at->frame) >= (int)sizeof x.picture)
        GN_FAIL(BAD_DATA, "%s: its pictures' paths are too long", r->folder);
    x.lens = r->lens[v];
    fill(r, at, &x);
    return gn_sink_put(r->to, &x);
}

static gn_status put_rows(reader *r) {
    int64_t moment = 0;
    for (int64_t i = 0, end; i < r->n; i = end, moment++) {
        for (end = i + 1; end < r->n && r->row[end].part == r->row[i].part && r->row[end].frame == r->row[i].frame; end++) continue;
        if (moment % r->from->every) continue;
        const int broken = gn_h36m_broken(r->row[i].subject, r->action);
        r->broken += broken;
        for (int64_t k = i; k < end && !broken; k++) GN_TRY(put_row(r, &r->row[k], end - i == 1));
        r->group += end - i > 1;
    }
    return GN_OK;
}

/* DIR/S1/Directions-1/annot.h5; the pictures' folder has the same tree below --pictures. */
static gn_status name_take(reader *r) {
    char whole[PATH_MAX];
    if (!realpath(r->path, whole)) GN_FAIL(MISSING, "%s: no such file", r->path);
    char *slash = strrchr(whole, '/');
    *slash = 0;
    GN_TAKE_TEXT(r->folder, r->arena, "%s", whole);
    slash = strrchr(whole, '/');
    GN_TAKE_TEXT(r->action, r->arena, "%s", slash ? slash + 1 : whole);
    if (!r->from->pictures || !slash) return GN_OK;
    *slash = 0;
    char root[PATH_MAX], *person = strrchr(whole, '/');
    if (!realpath(r->from->pictures, root)) GN_FAIL(MISSING, "%s: no such folder of pictures", r->from->pictures);
    GN_TAKE_TEXT(r->folder, r->arena, "%s/%s/%s", root, person ? person + 1 : whole, r->action);
    return GN_OK;
}

static gn_status take_of(reader *r) {
    gn_hdf *f;
    GN_TRY(name_take(r));
    GN_TRY(gn_hdf_open(r->arena, r->path, &f));
    r->file = f;
    GN_TRY(read_file(r));
    for (int v = 0; v < GN_H36M_VIEWS; v++) GN_TRY(choose_lens(r, v));
    return put_rows(r);
}

gn_status gn_h36m_annot(gn_arena *a, const gn_import *from, int n, const char **path, gn_sink *to) {
    reader *r;
    int universal = 0;
    GN_TAKE(r, a, 1);
    *r = (reader){ .from = from, .to = to };
    for (int i = 0; i < n; i++) {
        r->arena = gn_arena_new("annot.h5");
        if (!r->arena) GN_FAIL(NO_MEMORY, "out of memory: %s", path[i]);
        r->path = path[i];
        GN_TRY(take_of(r));
        universal |= r->universal;
        gn_arena_free(r->arena);
    }
    if (r->broken) gn_sink_pass_over(to, "S11 Directions, %lld moments: its video and its poses are not of one take", (long long)r->broken);
    if (universal) GN_TRY(gn_sink_note(to, "3D is of the universal skeleton (pose/3d-univ)"));
    return gn_sink_note(to, "h36m-fetch: %lld takes of a camera through the published lens, %lld through the file's pinhole", (long long)r->takes[0], (long long)r->takes[1]);
}
