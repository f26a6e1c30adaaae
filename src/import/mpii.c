/* mpii.c - MPII Human Pose (Andriluka et al., CVPR 2014) in its three dialects.
 *
 * The owner's MATLAB struct RELEASE; JSON of HRNet; HDF5 of pose-hg-train, whose centre and scale are already moved and
 * enlarged (Zhou 2017, A3.2) and whose joints are cut to whole pixels. All count pixels from 1. PCKh's normaliser is 0.6
 * of the head box's diagonal; the scale was made of it, 8 heads in units of 200 pixels, and gives it back where there is no box. */
#include "gnomon/config.h"
#include "gnomon/import.h"
#include "gnomon/io.h"
#include "gnomon/json.h"
#include "src/import/hdf5.h"
#include "src/import/layout.h"
#include "src/import/mat.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { JOINTS = 16, FILES = 2 };
static const double down = 15, wider = 1.25, unit = 200, bias = 0.6, heads = 25; /* A3.2; pixels of scale 1; PCKh; 200 / 8 */
static const char *const below[] = { "", "images/", NULL };

typedef struct {
    gn_arena *arena;
    const gn_import *from;
    gn_sink *sink;
    const char *path;
    gn_layout layout;
    int valid;
} reader;

/* Joints and square come as the file has them, counted from 1. */
static gn_status put(reader *r, const char *picture, gn_import_sample *x) {
    x->group = -1;
    x->valid = r->valid;
    x->has |= GN_HAS_joints2d | GN_HAS_head_size;
    for (int j = 0; j < JOINTS; j++)
        for (int k = 0; k < 2; k++) x->joints2d[j][k] -= 1;
    for (int k = 0; k < 2; k++) x->square[k] -= 1;
    if (r->from->keep == GN_KEEP_NONE) { /* no dialect says how large a picture is: what holds the crop */
        x->w = (int)fmin(fmax(ceil(x->square[0] + x->square[2] / 2), 1), 1 << 14);
        x->h = (int)fmin(fmax(ceil(x->square[1] + x->square[2] / 2), 1), 1 << 14);
    }
    snprintf(x->take, sizeof x->take, "%s", picture);
    gn_layout_picture(&r->layout, picture, x->picture);
    return gn_sink_put(r->sink, x);
}

static void raw_square(gn_import_sample *x, double u, double v, double scale) {
    x->square[0] = u, x->square[1] = v + down * scale, x->square[2] = unit * wider * scale;
}

/* --- HDF5 --- */

static gn_status read_h5(reader *r) {
    static const struct { const char *name; int rank; int64_t d[3]; } set[] = {
        { "part", 3, { -1, JOINTS, 2 } }, { "visible", 2, { -1, JOINTS } }, { "center", 2, { -1, 2 } },
        { "scale", 1, { -1 } }, { "normalize", 1, { -1 } }, { "person", 1, { -1 } },
    };
    enum { PART, VISIBLE, CENTER, SCALE, NORMALIZE, PERSON, SETS };
    double *v[SETS];
    const char **name;
    gn_hdf *f;
    gn_hdf_set s;
    GN_TRY(gn_hdf_open(r->arena, r->path, &f));
    int64_t n = -1;
    for (int k = 0; k < SETS; k++) {
        GN_TRY(gn_hdf_expect(r->arena, f, set[k].name, set[k].rank, set[k].d, &s));
        if (n >= 0 && s.d[0] != n) GN_FAIL(BAD_DATA, "%s: %s: %lld rows, 'part' has %lld", r->path, set[k].name, (long long)s.d[0], (long long)n);
        n = s.d[0];
        GN_TAKE(v[k], r->arena, s.n + 1);
        GN_TRY(gn_hdf_doubles(f, set[k].name, 0, n, v[k]));
    }
    GN_TAKE(name, r->arena, n + 1);
    GN_TRY(gn_hdf_texts(r->arena, f, "imgname", 0, n, name));
    for (int64_t i = 0; i < n; i++) {
        if (!(v[PERSON][i] >= 0 && v[PERSON][i] < 1e9)) GN_FAIL(BAD_DATA, "%s: person: row %lld is %g, expected a number", r->path, (long long)i, v[PERSON][i]);
        gn_import_sample x = { .frame = (int64_t)v[PERSON][i], .has = GN_HAS_occluded2d, .head_size = v[NORMALIZE][i] };
        for (int j = 0; j < JOINTS; j++) {
            const double *at = v[PART] + (i * JOINTS + j) * 2;
            memcpy(x.joints2d[j], at, sizeof x.joints2d[j]);
            x.labelled2d[j] = at[0] != 0 || at[1] != 0;
            x.occluded2d[j] = v[VISIBLE][i * JOINTS + j] == 0;
        }
        x.square[0] = v[CENTER][2 * i], x.square[1] = v[CENTER][2 * i + 1], x.square[2] = unit * v[SCALE][i];
        GN_TRY(put(r, name[i], &x));
    }
    return gn_sink_note(r->sink, "%s: HDF5 of pose-hg-train, head size its normalize", r->path);
}

/* --- JSON --- */

static gn_status fill(const gn_json *p, const char **picture, gn_import_sample *x) {
    const gn_json *joints = gn_json_find(p, "joints"), *flags = gn_json_find(p, "joints_vis");
    const double scale = gn_json_number(gn_json_find(p, "scale"), NAN);
    double c[2], flag[JOINTS];
    *picture = gn_json_text(gn_json_find(p, "image"), NULL);
    if (!*picture) GN_FAIL(BAD_DATA, "image: expected a text");
    if (!gn_json_numbers(gn_json_find(p, "center"), 2, c)) GN_FAIL(BAD_DATA, "center: expected 2 numbers");
    if (!(scale > 0)) GN_FAIL(BAD_DATA, "scale: expected a number above 0");
    if (!joints || joints->kind != GN_JSON_LIST || joints->n != JOINTS) GN_FAIL(BAD_DATA, "joints: expected a list of %d", JOINTS);
    if (!gn_json_numbers(flags, JOINTS, flag)) GN_FAIL(BAD_DATA, "joints_vis: expected %d numbers", JOINTS);
    for (int j = 0; j < JOINTS; j++) {
        double *at = x->joints2d[j];
        if (!gn_json_numbers(&joints->item[j], 2, at)) GN_FAIL(BAD_DATA, "joints[%d]: expected 2 numbers", j);
        x->labelled2d[j] = flag[j] != 0 && (at[0] != -1 || at[1] != -1);
    }
    raw_square(x, c[0], c[1], scale);
    x->head_size = heads * scale;
    return GN_OK;
}

static gn_status read_json(reader *r) {
    gn_json_file *f;
    GN_TRY(gn_json_open(r->arena, r->path, &f));
    for (;;) {
        gn_json_item i;
        const char *picture;
        GN_TRY(gn_json_next(f, &i));
        if (!i.value) break;
        if (i.key || *i.list || i.value->kind != GN_JSON_MAP) GN_FAIL(BAD_DATA, "%s: expected a list of persons: image, center, scale, joints, joints_vis", gn_json_where(f, i.at));
        gn_import_sample x = { .frame = i.place };
        GN_TRY_AS(fill(i.value, &picture, &x), "%s", gn_json_where(f, i.at));
        GN_TRY(put(r, picture, &x));
    }
    return gn_sink_note(r->sink, "%s: JSON of HRNet, head size %g times the scale", r->path, heads);
}

/* --- MATLAB --- */

typedef struct { int64_t n; const char **name; } names; /* sorted */

static int by_name(const void *x, const void *y) { return strcmp(*(const char *const *)x, *(const char *const *)y); }

/* Which pictures validate is not in RELEASE: valid.h5 beside it says so. */
static gn_status read_names(reader *r, names *to) {
    const char *slash = strrchr(r->path, '/'), *path;
    gn_hdf *f;
    gn_hdf_set s;
    GN_TAKE_TEXT(path, r->arena, "%.*svalid.h5", slash ? (int)(slash + 1 - r->path) : 0, r->path);
    to->n = 0;
    if (!gn_io_exists(path)) return gn_sink_note(r->sink, "%s: RELEASE; no valid.h5 beside it, so all of it is for training", r->path);
    GN_TRY(gn_hdf_open(r->arena, path, &f));
    GN_TRY(gn_hdf_look(f, "imgname", &s));
    GN_TAKE(to->name, r->arena, s.d[0] + 1);
    GN_TRY(gn_hdf_texts(r->arena, f, "imgname", 0, s.d[0], to->name));
    to->n = s.d[0];
    qsort(to->name, (size_t)to->n, sizeof *to->name, by_name);
    return gn_sink_note(r->sink, "%s: RELEASE; the pictures of %s validate", r->path, path);
}

/* Empty, a number or a letter; heads have none and are seen. */
static int is_hidden(const gn_mat *visible) {
    if (visible && visible->kind == GN_MAT_TEXT) return visible->n > 0 && visible->text[0] == '0';
    return gn_mat_number(visible, 1) == 0;
}

static gn_status person(reader *r, const char *picture, const gn_mat *rect, int64_t p) {
    const gn_mat *point = gn_mat_field(gn_mat_field(rect, p, "annopoints"), 0, "point"), *middle = gn_mat_field(rect, p, "objpos");
    const double scale = gn_mat_number(gn_mat_field(rect, p, "scale"), NAN), u = gn_mat_number(gn_mat_field(middle, 0, "x"), NAN),
                 v = gn_mat_number(gn_mat_field(middle, 0, "y"), NAN);
    gn_import_sample x = { .frame = p, .has = GN_HAS_occluded2d };
    if (!point || !(scale > 0) || isnan(u + v)) return GN_OK; /* a person of the test set, or in the background */
    for (int64_t k = 0; k < point->n; k++) {
        const double id = gn_mat_number(gn_mat_field(point, k, "id"), NAN);
        if (!(id >= 0 && id < JOINTS && id == floor(id))) GN_FAIL(BAD_DATA, "%s: %s: person %lld: a point's id is %g, expected 0 to 15", r->path, gn_shown(picture), (long long)p, id);
        const int j = (int)id;
        x.joints2d[j][0] = gn_mat_number(gn_mat_field(point, k, "x"), NAN);
        x.joints2d[j][1] = gn_mat_number(gn_mat_field(point, k, "y"), NAN);
        x.labelled2d[j] = 1;
        x.occluded2d[j] = (uint8_t)is_hidden(gn_mat_field(point, k, "is_visible"));
    }
    static const char *const corner[] = { "x1", "y1", "x2", "y2" };
    double box[4];
    for (int k = 0; k < 4; k++) box[k] = gn_mat_number(gn_mat_field(rect, p, corner[k]), NAN);
    x.head_size = bias * hypot(box[2] - box[0], box[3] - box[1]);
    if (isnan(x.head_size)) GN_FAIL(BAD_DATA, "%s: %s: person %lld has no head box x1, y1, x2, y2", r->path, gn_shown(picture), (long long)p);
    raw_square(&x, u, v, scale);
    return put(r, picture, &x);
}

static gn_status read_mat(reader *r) {
    const gn_mat *release;
    names valid = { 0 };
    GN_TRY(gn_mat_read(r->arena, r->path, "RELEASE", &release));
    GN_TRY(read_names(r, &valid));
    const gn_mat *list = gn_mat_field(release, 0, "annolist"), *train = gn_mat_field(release, 0, "img_train");
    if (!list || list->kind != GN_MAT_STRUCTS) GN_FAIL(BAD_DATA, "%s: RELEASE: expected structs 'annolist'", r->path);
    if (!train || train->kind != GN_MAT_NUMBERS || train->n != list->n)
        GN_FAIL(BAD_DATA, "%s: RELEASE: img_train: expected %lld numbers, as many as annolist has pictures", r->path, (long long)list->n);
    for (int64_t i = 0; i < list->n; i++) {
        const gn_mat *name = gn_mat_field(gn_mat_field(list, i, "image"), 0, "name"), *rect = gn_mat_field(list, i, "annorect");
        if (train->number[i] == 0 || !rect || rect->kind != GN_MAT_STRUCTS) continue;
        if (!name || name->kind != GN_MAT_TEXT) GN_FAIL(BAD_DATA, "%s: RELEASE: annolist(%lld).image.name: expected a text", r->path, (long long)i + 1);
        r->valid = valid.n && bsearch(&name->text, valid.name, (size_t)valid.n, sizeof *valid.name, by_name);
        for (int64_t p = 0; p < rect->n; p++) GN_TRY(person(r, name->text, rect, p));
    }
    return GN_OK;
}

/* --- files --- */

static gn_status read_file(reader *r) {
    const size_t n = strlen(r->path);
    GN_TRY(gn_layout_open(r->arena, r->from, r->path, below, &r->layout));
    r->valid = gn_layout_valid(r->path);
    if (n > 5 && !strcmp(r->path + n - 5, ".json")) return read_json(r);
    if (n > 4 && !strcmp(r->path + n - 4, ".mat")) return read_mat(r);
    return read_h5(r);
}

/* Of a folder, the first dialect that is there, by its training part: two would say each person twice. */
static gn_status find_files(gn_arena *a, const gn_import *from, int *n, const char *path[FILES]) {
    static const char *const name[][FILES] = { { "train.h5", "valid.h5" }, { "train.json", "valid.json" }, { "mpii_human_pose_v1_u12_1.mat", "" },
                                               { "valid.h5", "" }, { "valid.json", "" } };
    static const char *const in[] = { "", "annot/" };
    GN_TRY(gn_source_file(a, from, ".", &path[0]));
    *n = path[0] == from->source;
    for (int d = 0; d < 5 && !*n; d++)
        for (int k = 0; k < 2 && !*n; k++)
            for (int f = 0; f < FILES && *name[d][f] && *n == f; f++) {
                GN_TAKE_TEXT(path[*n], a, "%s/%s%s", from->source, in[k], name[d][f]);
                *n += gn_io_exists(path[*n]);
            }
    if (!*n) GN_FAIL(MISSING, "%s: no train.h5 or valid.h5, no train.json or valid.json, no mpii_human_pose_v1_u12_1.mat there", from->source);
    return GN_OK;
}

static gn_status run(gn_arena *a, const gn_import *from, gn_sink *to) {
    const char *path[FILES];
    int n = 0;
    GN_TRY(find_files(a, from, &n, path));
    for (int i = 0; i < n; i++) {
        reader r = { .arena = gn_arena_new("MPII's annotations"), .from = from, .sink = to, .path = path[i] };
        if (!r.arena) GN_FAIL(NO_MEMORY, "out of memory: %s", path[i]);
        GN_TRY(read_file(&r));
        gn_arena_free(r.arena);
    }
    return GN_OK;
}

const gn_importer gn_import_mpii = {
    .name = "mpii",
    .takes = "train.h5 and valid.h5 (pose-hg-train), or .json (HRNet), or mpii_human_pose_v1_u12_1.mat, or their folder",
    .about = "MPII Human Pose (Andriluka et al. 2014), human-pose.mpi-inf.mpg.de; annotations simplified BSD, pictures their owners'",
    .skeleton = &gn_mpii16,
    .run = run,
};
