/* panoptic.c - CMU Panoptic, colour: bodies of hdPose3d_stage1_coco19 in the HD cameras.
 *
 * Centimetres, world y down, x_cam = R x + t, lens in OpenCV's terms. A joint whose confidence is 0.1 or less, or that lies at 0, 0, 0
 * with confidence -1, is absent. There is no 2D of its own: it is the 3D projected, so the self-check says nothing of the
 * cameras; that the glass takes a joint to the pixel from which straightening brings it back is checked joint by joint. */
#include "src/import/panoptic.h"
#include "gnomon/config.h"
#include "gnomon/io.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 16 << 20, FILES = 1 << 20, CAMERAS = GN_VIEWS };
static const double known = 0.1;

/* --- a sequence's files --- */

gn_status gn_panoptic_file(gn_arena *a, const gn_import *from, const char *begins, const char **path, const char **sequence) {
    const char **listed;
    int n;
    *path = NULL;
    GN_TRY(gn_source_list(a, from->source, ".json", FILES, &n, &listed));
    for (int i = 0; i < n; i++) {
        const char *slash = strrchr(listed[i], '/'), *name = slash ? slash + 1 : listed[i];
        if (strncmp(name, begins, strlen(begins))) continue;
        if (*path) GN_FAIL(BAD_DATA, "%s: two sequences, %s and %s; import them one by one", from->source, *path, listed[i]);
        *path = listed[i];
        GN_TAKE_TEXT(*sequence, a, "%.*s", (int)(strlen(name) - strlen(begins) - 5), name + strlen(begins));
    }
    if (!*path) GN_FAIL(MISSING, "%s: no %s*.json there", from->source, begins);
    return GN_OK;
}

gn_status gn_panoptic_json(gn_arena *a, const char *path, const gn_json **tree) {
    void *bytes;
    size_t n;
    GN_TRY(gn_io_read(a, path, MOST, &bytes, &n));
    return gn_json_parse(a, path, bytes, n, tree);
}

int64_t gn_panoptic_frame(const char *path) {
    const char *digits = strrchr(path, '_');
    return digits ? strtoll(digits + 1, NULL, 10) : -1;
}

gn_status gn_panoptic_frames(gn_arena *a, const gn_import *from, int *n, const char ***path) {
    int all;
    GN_TRY(gn_source_list(a, from->source, ".json", FILES, &all, path));
    *n = 0;
    for (int i = 0; i < all; i++)
        if (strstr((*path)[i], "/hdPose3d_stage1_coco19/body3DScene_")) (*path)[(*n)++] = (*path)[i];
    if (!*n) GN_FAIL(MISSING, "%s: no hdPose3d_stage1_coco19/body3DScene_*.json there", from->source);
    return GN_OK;
}

/* --- cameras --- */

static gn_status rows(const gn_json *c, const char *key, int n, int wide, double *x) {
    const gn_json *m = gn_json_find(c, key);
    int fine = m && m->kind == GN_JSON_LIST && m->n == n;
    for (int i = 0; fine && i < n; i++) fine = gn_json_numbers(&m->item[i], wide, x + i * wide);
    if (!fine) GN_FAIL(BAD_DATA, "%s: expected %d x %d numbers", key, n, wide);
    return GN_OK;
}

static gn_status camera(const gn_json *j, gn_panoptic_camera *c) {
    double size[2], k[9], r[9], t[3], d[5];
    if (!gn_json_numbers(gn_json_find(j, "resolution"), 2, size) || !(size[0] >= 1 && size[0] <= 1 << 15 && size[1] >= 1 && size[1] <= 1 << 15))
        GN_FAIL(BAD_DATA, "resolution: expected width and height in pixels");
    if (!gn_json_numbers(gn_json_find(j, "distCoef"), 5, d)) GN_FAIL(BAD_DATA, "distCoef: expected 5 numbers, k1 k2 p1 p2 k3");
    GN_TRY(rows(j, "K", 3, 3, k));
    GN_TRY(rows(j, "R", 3, 3, r));
    GN_TRY(rows(j, "t", 3, 1, t));
    if (!(k[0] > 0 && k[4] > 0 && fabs(k[1]) + fabs(k[3]) < 1e-6)) GN_FAIL(BAD_DATA, "K: expected focal lengths and no skew");
    c->w = (int)size[0], c->h = (int)size[1];
    c->view.lens = (gn_lens){ .f = { k[0], k[4] }, .c = { k[2], k[5] }, .k = { d[0], d[1], d[4] }, .p = { d[2], d[3] } };
    for (int i = 0; i < 3; i++) {
        memcpy(c->view.pose + 4 * i, r + 3 * i, 3 * sizeof *r);
        c->view.pose[4 * i + 3] = t[i] / 100;
    }
    return GN_OK;
}

gn_status gn_panoptic_cameras(gn_arena *a, const char *path, const char *type, int most, int *n, gn_panoptic_camera *c) {
    const gn_json *tree;
    GN_TRY(gn_panoptic_json(a, path, &tree));
    const gn_json *list = gn_json_find(tree, "cameras");
    if (!list || list->kind != GN_JSON_LIST) GN_FAIL(BAD_DATA, "%s: expected a map with a list 'cameras'", path);
    *n = 0;
    for (int i = 0; i < list->n; i++) {
        if (strcmp(gn_json_text(gn_json_find(&list->item[i], "type"), ""), type)) continue;
        const char *name = gn_json_text(gn_json_find(&list->item[i], "name"), "");
        if (*n == most) GN_FAIL(BAD_DATA, "%s: more than %d cameras of type %s", path, most, type);
        snprintf(c[*n].name, sizeof c->name, "%s", name);
        GN_TRY_AS(camera(&list->item[i], &c[*n]), "%s: cameras[%d] '%s'", path, i, gn_shown(name));
        ++*n;
    }
    if (!*n) GN_FAIL(BAD_DATA, "%s: no camera of type %s", path, type);
    return GN_OK;
}

/* --- bodies --- */

static gn_status read_body(const gn_json *j, gn_body *b) {
    double x[4 * GN_PANOPTIC_JOINTS];
    const gn_json *id = gn_json_find(j, "id");
    if (!id || !id->is_whole) GN_FAIL(BAD_DATA, "id: expected a whole number");
    if (!gn_json_numbers(gn_json_find(j, "joints19"), 4 * GN_PANOPTIC_JOINTS, x)) GN_FAIL(BAD_DATA, "joints19: expected 19 x (x, y, z, confidence)");
    b->id = (int)id->whole;
    for (int k = 0; k < GN_PANOPTIC_JOINTS; k++) {
        for (int d = 0; d < 3; d++) b->at[k][d] = x[4 * k + d] / 100;
        b->sure[k] = x[4 * k + 3] > known ? x[4 * k + 3] : 0;
    }
    return GN_OK;
}

gn_status gn_panoptic_bodies(gn_arena *a, const char *path, int *n, gn_body *body) {
    const gn_json *tree;
    GN_TRY(gn_panoptic_json(a, path, &tree));
    const gn_json *list = gn_json_find(tree, "bodies");
    if (!list || list->kind != GN_JSON_LIST) GN_FAIL(BAD_DATA, "%s: expected a map with a list 'bodies'", path);
    if (list->n > GN_PANOPTIC_BODIES) GN_FAIL(BAD_DATA, "%s: %d bodies, expected at most %d", path, list->n, GN_PANOPTIC_BODIES);
    *n = list->n;
    for (int i = 0; i < list->n; i++) GN_TRY_AS(read_body(&list->item[i], &body[i]), "%s: bodies[%d]", path, i);
    return GN_OK;
}

/* Far outside the picture a barrel lens folds: its polynomial takes such a point back into the picture. */
static int within(const gn_view *v, int w, int h, const double camera[3], const double uv[2]) {
    double back[2];
    if (!(uv[0] > -0.5 && uv[0] < w - 0.5 && uv[1] > -0.5 && uv[1] < h - 0.5)) return 0;
    gn_lens_straighten(&v->lens, uv, back);
    for (int k = 0; k < 2; k++) back[k] -= v->lens.f[k] * camera[k] / camera[2] + v->lens.c[k];
    return hypot(back[0], back[1]) < 0.01;
}

int gn_panoptic_label(const gn_body *b, const gn_view *v, int w, int h, gn_import_sample *x) {
    int seen = 0;
    for (int j = 0; j < GN_PANOPTIC_JOINTS; j++) {
        x->confidence2d[j] = b->sure[j];
        x->labelled3d[j] = b->sure[j] > 0 && gn_view_project(v, b->at[j], x->joints3d[j], x->joints2d[j]);
        x->labelled2d[j] = x->labelled3d[j] && within(v, w, h, x->joints3d[j], x->joints2d[j]);
        seen += x->labelled2d[j];
    }
    x->w = w, x->h = h;
    x->lens = v->lens;
    memcpy(x->pose_of_view, v->pose, sizeof x->pose_of_view);
    return seen;
}

/* VoxelPose's test sequences, and C3P's of the Kinects. */
int gn_panoptic_valid(const char *sequence) {
    static const char *const test[] = { "160906_pizza1", "160422_haggling1", "160906_ian5", "160906_band4", "171026_pose3", "171204_pose6" };
    for (size_t i = 0; i < sizeof test / sizeof *test; i++)
        if (!strcmp(sequence, test[i])) return 1;
    return 0;
}

/* --- the importer --- */

typedef struct {
    gn_arena *arena;      /* a frame's */
    const gn_import *from;
    gn_sink *sink;
    const char *below, *sequence;      /* folder of pictures, below SOURCE */
    int cameras;
    gn_panoptic_camera camera[CAMERAS];
    gn_body body[GN_PANOPTIC_BODIES];
    int64_t groups, views, unseen, empty;
} reader;

/* Below --pictures, or hdImgs beside the calibration. */
static int find_picture(const reader *r, const char *name, int64_t frame, char picture[512]) {
    char path[1024];
    const char *base = r->from->pictures ? r->from->pictures : r->from->source, *below = r->from->pictures ? "" : r->below;
    const int n = snprintf(picture, 512, "%s%s/%s_%08lld.jpg", below, name, name, (long long)frame);
    const int all = snprintf(path, sizeof path, "%s/%s", base, picture);
    return n < 512 && all < (int)sizeof path && gn_io_exists(path);
}

static gn_status put_body(reader *r, const gn_body *b, int64_t frame) {
    for (int c = 0; c < r->cameras; c++) {
        const gn_panoptic_camera *k = &r->camera[c];
        gn_import_sample x = { .frame = frame, .group = r->groups, .valid = gn_panoptic_valid(r->sequence),
                               .has = GN_HAS_joints2d | GN_HAS_confidence2d | GN_HAS_joints3d | GN_HAS_camera | GN_HAS_pose_of_view };
        if (r->from->keep != GN_KEEP_NONE && !find_picture(r, k->name, frame, x.picture)) continue;
        r->views++;
        snprintf(x.take, sizeof x.take, "%s %s %d", r->sequence, k->name, b->id);
        if (!gn_panoptic_label(b, &k->view, k->w, k->h, &x)) r->unseen++;
        else GN_TRY(gn_sink_put(r->sink, &x));
    }
    r->groups++;
    return GN_OK;
}

static gn_status run(gn_arena *a, const gn_import *from, gn_sink *to) {
    const char *path, **frame;
    int n, bodies, put = 0;
    reader *r;
    GN_TAKE(r, a, 1);
    *r = (reader){ .arena = gn_arena_new("a frame"), .from = from, .sink = to };
    if (!r->arena) GN_FAIL(NO_MEMORY, "out of memory: an import");
    GN_TRY(gn_panoptic_file(a, from, "calibration_", &path, &r->sequence));
    const char *root = path + strlen(from->source) + strspn(path + strlen(from->source), "/");
    GN_TAKE_TEXT(r->below, a, "%.*shdImgs/", strrchr(path, '/') > root ? (int)(strrchr(path, '/') + 1 - root) : 0, root);
    GN_TRY(gn_panoptic_cameras(a, path, "hd", CAMERAS, &r->cameras, r->camera));
    GN_TRY(gn_panoptic_frames(a, from, &n, &frame));
    for (int i = 0; i < n; i++) {
        const int64_t number = gn_panoptic_frame(frame[i]);
        if (number % from->every) continue;
        gn_arena_rewind(r->arena);
        GN_TRY(gn_panoptic_bodies(r->arena, frame[i], &bodies, r->body));
        r->empty += !bodies;
        for (int b = 0; b < bodies; b++, put++) GN_TRY(put_body(r, &r->body[b], number));
    }
    gn_arena_free(r->arena);
    if (!put) GN_FAIL(BAD_DATA, "%s: no body in %d frames", from->source, n);
    if (!r->views)
        GN_FAIL(MISSING, "%s: no %s00_00/00_00_FRAME.jpg or the like; --pictures DIR says where they are, --keep none imports labels alone",
                from->pictures ? from->pictures : from->source, from->pictures ? "" : r->below);
    return gn_sink_note(to, "2D is the 3D projected; %d cameras, %lld frames without a body, %lld views that see nothing of theirs", r->cameras, (long long)r->empty,
                        (long long)r->unseen);
}

const gn_importer gn_import_panoptic = {
    .name = "panoptic",
    .takes = "a sequence's folder: calibration_*.json, hdPose3d_stage1_coco19, and hdImgs where pictures are wanted",
    .about = "CMU Panoptic Studio, domedb.perception.cs.cmu.edu; non-commercial research only",
    .skeleton = &gn_panoptic19,
    .pixels = 1,
    .run = run,
};
