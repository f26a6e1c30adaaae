/* itop.c - ITOP (Haque et al., ECCV 2016): depth pictures of one person from the side or from above, 15 joints.
 *
 * The owner's HDF5 in pairs, ITOP_VIEW_SPLIT_labels.h5 and _depth_map.h5, or the keypoints A2J saved for MATLAB, which are
 * the labels of the valid frames alone. Metres, x right, y up, z away from the sensor; its camera is f = 1 / 0.0035 px. */
#include "gnomon/config.h"
#include "gnomon/import.h"
#include "gnomon/io.h"
#include "src/import/hdf5.h"
#include "src/import/layout.h"
#include "src/import/mat.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { JOINTS = 15, WIDE = 320, HIGH = 240, FILES = 8 };
static const gn_lens lens = { .f = { 1 / 0.0035, 1 / 0.0035 }, .c = { 160, 120 } };

/* The labels of one row; its 2D is the projection where the file has none. */
static void fill(double (*xyz)[3], double (*uv)[2], gn_import_sample *x) {
    x->group = -1;
    x->w = WIDE, x->h = HIGH;
    x->has |= GN_HAS_joints2d | GN_HAS_joints3d | GN_HAS_camera;
    x->lens = lens;
    for (int j = 0; j < JOINTS; j++) {
        x->joints3d[j][0] = xyz[j][0], x->joints3d[j][1] = -xyz[j][1], x->joints3d[j][2] = xyz[j][2];
        x->labelled2d[j] = x->labelled3d[j] = xyz[j][2] > 0;
        if (uv) memcpy(x->joints2d[j], uv[j], sizeof x->joints2d[j]);
        else if (x->labelled2d[j]) gn_lens_project(&lens, x->joints3d[j], x->joints2d[j]);
    }
}

/* --- HDF5 --- */

typedef struct {
    const gn_import *from;
    gn_sink *sink;
    gn_hdf *labels, *depth;            /* depth NULL: has none */
    const char *path, *view;
    const char **id;
    int64_t n, kept;
    int valid;
    float metres[HIGH * WIDE];
    uint16_t mm[HIGH * WIDE];
} reader;

static gn_status open_depth(gn_arena *a, reader *r, const char *path) {
    const int64_t d[] = { r->n, HIGH, WIDE };
    const char *both[2];
    gn_hdf_set s;
    if (r->from->keep == GN_KEEP_NONE) return GN_OK;
    if (!gn_io_exists(path)) {
        if (!r->from->skip_missing) GN_FAIL(MISSING, "%s: not beside the labels; --keep none imports labels alone", path);
        return GN_OK;
    }
    GN_TRY(gn_hdf_open(a, path, &r->depth));
    GN_TRY(gn_hdf_expect(a, r->depth, "data", 3, d, &s));
    GN_TRY(gn_hdf_look(r->depth, "id", &s));
    if (s.kind == GN_HDF_NONE || s.d[0] != r->n) return GN_OK;
    for (int64_t i = 0; i < r->n; i += r->n > 1 ? r->n - 1 : 1) { /* first and last: rows belong together */
        GN_TRY(gn_hdf_texts(a, r->depth, "id", i, 1, both));
        if (strcmp(both[0], r->id[i]))
            GN_FAIL(BAD_DATA, "%s: row %lld is frame '%s', in the labels '%s'", path, (long long)i, gn_shown(both[0]), gn_shown(r->id[i]));
    }
    return GN_OK;
}

static gn_status read_depth(reader *r, int64_t row, gn_import_sample *x) {
    GN_TRY(gn_hdf_floats(r->depth, "data", row, 1, r->metres));
    for (int i = 0; i < HIGH * WIDE; i++) {
        const float mm = 1000 * r->metres[i];
        r->mm[i] = mm > 0 && mm < UINT16_MAX ? (uint16_t)lrintf(mm) : 0;
    }
    x->depth = r->mm;
    return GN_OK;
}

/* "07_00123" is person and frame. */
static gn_status name_row(const reader *r, int64_t row, gn_import_sample *x) {
    char *end;
    const char *id = r->id[row];
    const long person = strtol(id, &end, 10);
    const char *frame = end + (*end == '_');
    x->frame = strtoll(frame, &end, 10);
    if (frame == id || end == frame || *end) GN_FAIL(BAD_DATA, "%s: id[%lld]: expected PP_FFFFF, found '%s'", r->path, (long long)row, gn_shown(id));
    snprintf(x->take, sizeof x->take, "%s %02ld", r->view, person);
    return GN_OK;
}

static gn_status read_row(reader *r, int64_t row) {
    double xyz[JOINTS][3], uv[JOINTS][2];
    int32_t seen[JOINTS];
    gn_import_sample x = { .valid = r->valid, .has = GN_HAS_occluded2d };
    GN_TRY(name_row(r, row, &x));
    if (x.frame % r->from->every) return GN_OK;
    GN_TRY(gn_hdf_doubles(r->labels, "real_world_coordinates", row, 1, *xyz));
    GN_TRY(gn_hdf_doubles(r->labels, "image_coordinates", row, 1, *uv));
    GN_TRY(gn_hdf_ints(r->labels, "visible_joints", row, 1, seen));
    fill(xyz, uv, &x);
    for (int j = 0; j < JOINTS; j++) x.occluded2d[j] = !seen[j];
    if (r->depth) GN_TRY(read_depth(r, row, &x));
    r->kept++;
    return gn_sink_put(r->sink, &x);
}

static gn_status read_h5(gn_arena *a, reader *r) {
    static const struct { const char *name; int rank; int64_t d[3]; } set[] = {
        { "is_valid", 1, { -1 } }, { "real_world_coordinates", 3, { -1, JOINTS, 3 } },
        { "image_coordinates", 3, { -1, JOINTS, 2 } }, { "visible_joints", 2, { -1, JOINTS } },
    };
    gn_hdf_set s;
    int32_t *sound;
    const char *depth, *labels = strstr(r->path, "_labels.h5");
    GN_TRY(gn_hdf_open(a, r->path, &r->labels));
    for (int k = 0; k < 4; k++) {
        GN_TRY(gn_hdf_expect(a, r->labels, set[k].name, set[k].rank, set[k].d, &s));
        if (k && s.d[0] != r->n) GN_FAIL(BAD_DATA, "%s: %s: %lld rows, 'is_valid' has %lld", r->path, set[k].name, (long long)s.d[0], (long long)r->n);
        r->n = s.d[0];
    }
    GN_TAKE(sound, a, r->n + 1);
    GN_TAKE(r->id, a, r->n + 1);
    GN_TRY(gn_hdf_ints(r->labels, "is_valid", 0, r->n, sound));
    GN_TRY(gn_hdf_texts(a, r->labels, "id", 0, r->n, r->id));
    GN_TAKE_TEXT(depth, a, "%.*s_depth_map.h5", (int)(labels - r->path), r->path);
    GN_TRY(open_depth(a, r, depth));
    for (int64_t i = 0; i < r->n; i++)
        if (sound[i] == 1) GN_TRY(read_row(r, i));
    return gn_sink_note(r->sink, "%s: %lld rows, %lld of them kept", r->path, (long long)r->n, (long long)r->kept);
}

/* --- MATLAB --- */

/* A2J saved boxes of the person too, counted from 1: how many joints project into them says whether axes are right. */
static gn_status check_boxes(gn_arena *a, reader *r, const gn_mat *points, const char *path) {
    const gn_mat *box;
    int64_t in = 0, n = points->d[0];
    if (!gn_io_exists(path)) return GN_OK;
    GN_TRY(gn_mat_read(a, path, "FRbndbox_test", &box));
    if (box->kind != GN_MAT_NUMBERS || box->d[0] != n || box->d[1] != 4)
        GN_FAIL(BAD_DATA, "%s: FRbndbox_test: expected %lld x 4 numbers, found %lld x %lld", path, (long long)n, (long long)box->d[0], (long long)box->d[1]);
    for (int64_t i = 0; i < n; i++)
        for (int j = 0; j < JOINTS; j++) {
            double xyz[3], uv[2];
            for (int k = 0; k < 3; k++) xyz[k] = points->number[i + n * (j + JOINTS * k)] * (k == 1 ? -1 : 1);
            gn_lens_project(&lens, xyz, uv);
            for (int k = 0; k < 2; k++) uv[k] += 1;
            in += uv[0] >= box->number[i] && uv[1] >= box->number[i + n] && uv[0] <= box->number[i + 2 * n] && uv[1] <= box->number[i + 3 * n];
        }
    return gn_sink_note(r->sink, "%s: %.1f %% of the joints project into it", path, 100 * (double)in / (double)(n * JOINTS));
}

static gn_status read_mat(gn_arena *a, reader *r) {
    const gn_mat *p;
    const char *box;
    GN_TRY(gn_mat_read(a, r->path, "keypoints3D", &p));
    if (p->kind != GN_MAT_NUMBERS || p->rank != 3 || p->d[1] != JOINTS || p->d[2] != 3)
        GN_FAIL(BAD_DATA, "%s: keypoints3D: expected any x %d x 3 numbers, found %lld x %lld x %lld", r->path, JOINTS, (long long)p->d[0], (long long)p->d[1], (long long)p->d[2]);
    for (int64_t i = 0; i < p->d[0]; i += r->from->every) {
        double xyz[JOINTS][3];
        gn_import_sample x = { .frame = i, .valid = r->valid };
        for (int j = 0; j < JOINTS; j++)
            for (int k = 0; k < 3; k++) xyz[j][k] = p->number[i + p->d[0] * (j + JOINTS * k)];
        fill(xyz, NULL, &x);
        snprintf(x.take, sizeof x.take, "%s", r->view);
        GN_TRY(gn_sink_put(r->sink, &x));
    }
    const char *slash = strrchr(r->path, '/');
    GN_TAKE_TEXT(box, a, "%.*sitop_%s_bndbox_test.mat", slash ? (int)(slash + 1 - r->path) : 0, r->path, r->view);
    GN_TRY(check_boxes(a, r, p, box));
    return gn_sink_note(r->sink, "%s: no depth pictures; 2D is the projection", r->path);
}

/* --- files --- */

static gn_status read_file(const gn_import *from, gn_sink *to, const char *path) {
    reader *r;
    gn_arena *a = gn_arena_new("ITOP's labels");
    if (!a) GN_FAIL(NO_MEMORY, "out of memory: %s", path);
    GN_TAKE(r, a, 1);
    r->from = from, r->sink = to, r->path = path;
    r->valid = gn_layout_valid(path);
    r->view = strstr(path, "_top_") ? "top" : "side";
    GN_TRY(strstr(path, "_labels.h5") ? read_h5(a, r) : read_mat(a, r));
    gn_arena_free(a);
    return GN_OK;
}

/* Views are sets of their own: in a folder of both, the file named says which, and its other split comes along. */
static gn_status find_files(gn_arena *a, const gn_import *from, int *n, const char *path[FILES]) {
    static const char *const form[] = { "%s/ITOP_%s_%s_labels.h5", "%s/itop_%s_keypoints3D_%s.mat" };
    static const char *const view[] = { "side", "top" }, *const part[] = { "train", "test" };
    const char *self = from->source, *slash = strrchr(self, '/'), *folder;
    GN_TRY(gn_source_file(a, from, ".", &path[0]));
    const int file = path[0] == self;
    if (file && slash) GN_TAKE_TEXT(folder, a, "%.*s", (int)(slash - self), self);
    else folder = file ? "." : self;
    int views[2] = { 0 };
    *n = 0;
    for (int f = 0; f < 2 && !*n; f++)
        for (int v = 0; v < 2; v++)
            for (int p = 0; p < 2; p++) {
                char each[1024];
                if (file && !strstr(slash ? slash : self, view[v])) continue;
                if (snprintf(each, sizeof each, f ? form[1] : form[0], folder, view[v], part[p]) >= (int)sizeof each || !gn_io_exists(each)) continue;
                GN_TAKE_TEXT(path[*n], a, "%s", each);
                ++*n, views[v] = 1;
            }
    if (views[0] && views[1]) GN_FAIL(BAD_USAGE, "%s: has both views; name a file of one, and its other split comes along", self);
    if (!*n) GN_FAIL(MISSING, "%s: no ITOP_side_test_labels.h5 or the like, no itop_side_keypoints3D_test.mat there", self);
    return GN_OK;
}

static gn_status run(gn_arena *a, const gn_import *from, gn_sink *to) {
    const char *path[FILES];
    int n = 0;
    GN_TRY(find_files(a, from, &n, path));
    for (int i = 0; i < n; i++) GN_TRY(read_file(from, to, path[i]));
    return GN_OK;
}

const gn_importer gn_import_itop = {
    .name = "itop",
    .takes = "ITOP_side_train_labels.h5 (or top, or test), or the folder of one view; or A2J's itop_side_keypoints3D_test.mat",
    .about = "ITOP (Haque et al. 2016), zenodo.org record 3932973; its licence stands there",
    .skeleton = &gn_itop15,
    .pixels = 2,
    .run = run,
};
