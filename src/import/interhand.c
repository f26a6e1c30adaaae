/* interhand.c - InterHand2.6M (Moon et al., ECCV 2020): three files of JSON a split, one sample a hand and camera.
 *
 * *_data*.json is COCO's form without coordinates: `images` with capture, frame and camera, `annotations` with box and
 * `joint_valid`. *_joint_3d*.json has [capture][frame] 42 world points in mm, 0 to 20 of the right hand, a point that is not
 * valid being there as numbers too. *_camera*.json has [capture] campos, camrot, focal, princpt [camera]:
 * x_cam = R (X - campos). 2D is 3D projected; whether it fits is seen by the boxes. */
#include "gnomon/config.h"
#include "gnomon/io.h"
#include "gnomon/json.h"
#include "src/import/layout.h"
#include "src/import/places.h"
#include <stdlib.h>
#include <string.h>

enum { HAND = 21, BOTH = 42, VIEWS = 512 };

typedef struct {
    char picture[512], sequence[28], camera[12];
    int w, h, boxed;
    double box[4];
    uint8_t valid[BOTH];
} view;

typedef struct {
    gn_arena *arena, *item;            /* of the three files; of one item */
    const gn_import *from;
    gn_sink *sink;
    const char *path[3];               /* data, cameras, joints */
    gn_json_file *data, *joints;
    const gn_json *cameras;
    gn_places moments, notes, points;  /* images by moment, annotations by image, joints by moment */
    gn_layout layout;
    gn_import_sample *hand;            /* [VIEWS] of one moment and hand */
    view *view;                        /* [VIEWS] of one moment */
    int valid;
    int64_t group, *inside;            /* projected joints out of their box, in it */
} reader;

static int64_t moment_of(int64_t capture, int64_t frame) { return capture << 32 | (frame & 0xffffffff); }

static int whole_key(const char *text, int64_t *x) {
    char *end;
    if (!text || !*text) return 0;
    *x = strtoll(text, &end, 10);
    return !*end && *x >= 0 && *x < INT64_C(1) << 31;
}

static int whole_of(const gn_json *j, const char *key, int64_t *x) {
    const gn_json *v = gn_json_find(j, key);
    *x = v && v->is_whole ? v->whole : -1;
    return *x >= 0 && *x < INT64_C(1) << 31;
}

/* --- the index --- */

static gn_status index_data(reader *r) {
    gn_json_item i;
    int64_t id, capture, frame;
    for (;;) {
        GN_TRY(gn_json_next(r->data, &i));
        if (!i.value) return GN_OK;
        if (!strcmp(i.list, "annotations")) {
            if (!whole_of(i.value, "image_id", &id)) GN_FAIL(BAD_DATA, "%s: annotations[%lld]: no whole number 'image_id'", gn_json_where(r->data, i.at), (long long)i.place);
            GN_TRY(gn_places_add(&r->notes, id, i.at));
        }
        if (strcmp(i.list, "images")) continue;
        if (!whole_of(i.value, "id", &id) || !whole_of(i.value, "capture", &capture) || !whole_of(i.value, "frame_idx", &frame))
            GN_FAIL(BAD_DATA, "%s: images[%lld]: expected whole numbers 'id', 'capture' and 'frame_idx'", gn_json_where(r->data, i.at), (long long)i.place);
        if (frame % r->from->every == 0) GN_TRY(gn_places_add(&r->moments, moment_of(capture, frame), i.at));
    }
}

static gn_status index_joints(reader *r) {
    gn_json_item i;
    int64_t capture, frame;
    for (;;) {
        GN_TRY(gn_json_next(r->joints, &i));
        if (!i.value) return GN_OK;
        if (!whole_key(i.list, &capture) || !whole_key(i.key, &frame))
            GN_FAIL(BAD_DATA, "%s: expected numbers of a capture and a frame, found '%s' and '%s'", gn_json_where(r->joints, i.at), gn_shown(i.list), gn_shown(i.key ? i.key : ""));
        GN_TRY(gn_places_add(&r->points, moment_of(capture, frame), i.at));
    }
}

/* --- a moment --- */

/* [[1], [0], ...], or true and false, or without the inner brackets. */
static gn_status read_valid(const gn_json *list, uint8_t *valid) {
    if (!list || list->kind != GN_JSON_LIST || list->n != BOTH) GN_FAIL(BAD_DATA, "joint_valid: expected a list of %d", BOTH);
    for (int j = 0; j < BOTH; j++) {
        const gn_json *v = &list->item[j];
        if (v->kind == GN_JSON_LIST && v->n == 1) v = v->item;
        if (v->kind != GN_JSON_FLAG && v->kind != GN_JSON_NUMBER) GN_FAIL(BAD_DATA, "joint_valid[%d]: expected 0 or 1", j);
        valid[j] = v->number > 0;
    }
    return GN_OK;
}

static gn_status read_points(const gn_json *j, double world[BOTH][3], uint8_t *valid) {
    const gn_json *points = gn_json_find(j, "world_coord");
    if (!points || points->kind != GN_JSON_LIST || points->n != BOTH) GN_FAIL(BAD_DATA, "world_coord: expected a list of %d points", BOTH);
    for (int k = 0; k < BOTH; k++)
        if (!gn_json_numbers(&points->item[k], 3, world[k])) GN_FAIL(BAD_DATA, "world_coord[%d]: expected 3 numbers", k);
    return read_valid(gn_json_find(j, "joint_valid"), valid);
}

static gn_status read_view(reader *r, int64_t at, view *v) {
    const gn_json *image, *note;
    int64_t id;
    gn_arena_rewind(r->item);
    GN_TRY(gn_json_at(r->data, r->item, at, &image));
    *v = (view){ 0 };
    whole_of(image, "id", &id);
    const gn_place *p = gn_places_find(&r->notes, id);
    if (!p) GN_FAIL(BAD_DATA, "%s: image %lld has no annotation", gn_json_where(r->data, at), (long long)id);
    GN_TRY(gn_json_at(r->data, r->item, p->at, &note));
    GN_TRY_AS(read_valid(gn_json_find(note, "joint_valid"), v->valid), "%s", gn_json_where(r->data, p->at));
    v->boxed = gn_json_numbers(gn_json_find(note, "bbox"), 4, v->box);
    const gn_json *w = gn_json_find(image, "width"), *h = gn_json_find(image, "height");
    v->w = w && w->is_whole && w->whole > 0 && w->whole < 1 << 16 ? (int)w->whole : 0;
    v->h = h && h->is_whole && h->whole > 0 && h->whole < 1 << 16 ? (int)h->whole : 0;
    snprintf(v->sequence, sizeof v->sequence, "%s", gn_json_text(gn_json_find(image, "seq_name"), ""));
    snprintf(v->camera, sizeof v->camera, "%s", gn_json_text(gn_json_find(image, "camera"), ""));
    gn_layout_picture(&r->layout, gn_json_text(gn_json_find(image, "file_name"), "?"), v->picture);
    return GN_OK;
}

/* pose_of_view in metres: the rotation, and where the world's origin lies. */
static gn_status read_camera(const reader *r, int64_t capture, const char *name, gn_import_sample *x) {
    char key[24];
    snprintf(key, sizeof key, "%lld", (long long)capture);
    const gn_json *c = gn_json_find(r->cameras, key), *turn = gn_json_find(gn_json_find(c, "camrot"), name);
    double R[3][3], at[3];
    int known = turn && turn->kind == GN_JSON_LIST && turn->n == 3;
    for (int i = 0; i < 3 && known; i++) known = gn_json_numbers(&turn->item[i], 3, R[i]);
    known = known && gn_json_numbers(gn_json_find(gn_json_find(c, "campos"), name), 3, at);
    known = known && gn_json_numbers(gn_json_find(gn_json_find(c, "focal"), name), 2, x->lens.f);
    known = known && gn_json_numbers(gn_json_find(gn_json_find(c, "princpt"), name), 2, x->lens.c);
    if (!known) GN_FAIL(BAD_DATA, "%s: no whole camera '%s' of capture %s: expected campos, camrot, focal, princpt", r->path[1], gn_shown(name), key);
    for (int i = 0; i < 3; i++) {
        double *row = x->pose_of_view + 4 * i;
        for (int k = 0; k < 3; k++) row[k] = R[i][k], row[3] -= R[i][k] * at[k] / 1000;
    }
    return GN_OK;
}

static void place_joints(const reader *r, const view *v, int first, double (*world)[3], const uint8_t *valid, gn_import_sample *x) {
    for (int j = 0; j < HAND; j++) {
        const double *X = world[first + j], *p = x->pose_of_view;
        if (!valid[first + j] || !v->valid[first + j]) continue;
        for (int i = 0; i < 3; i++) x->joints3d[j][i] = (p[4 * i] * X[0] + p[4 * i + 1] * X[1] + p[4 * i + 2] * X[2]) / 1000 + p[4 * i + 3];
        x->labelled3d[j] = 1;
        if (!(x->joints3d[j][2] > 0)) continue;
        double *uv = x->joints2d[j];
        x->labelled2d[j] = 1;
        gn_lens_project(&x->lens, x->joints3d[j], uv);
        if (v->boxed) r->inside[uv[0] >= v->box[0] && uv[0] <= v->box[0] + v->box[2] && uv[1] >= v->box[1] && uv[1] <= v->box[1] + v->box[3]]++;
    }
}

static gn_status put_hand(reader *r, int64_t moment, int views, int left, double (*world)[3], const uint8_t *valid) {
    int n = 0;
    for (int k = 0; k < views; k++) {
        const view *v = &r->view[k];
        gn_import_sample *x = &r->hand[n];
        int labelled = 0;
        *x = (gn_import_sample){ .frame = moment & 0xffffffff, .valid = r->valid, .w = v->w, .h = v->h };
        x->has = GN_HAS_joints3d | GN_HAS_joints2d | GN_HAS_camera | GN_HAS_pose_of_view;
        snprintf(x->take, sizeof x->take, "%lld %s %s %s", (long long)(moment >> 32), v->sequence, v->camera, left ? "left" : "right");
        memcpy(x->picture, v->picture, sizeof x->picture);
        GN_TRY(read_camera(r, moment >> 32, v->camera, x));
        place_joints(r, v, left ? HAND : 0, world, valid, x);
        for (int j = 0; j < HAND; j++) labelled += x->labelled3d[j];
        n += labelled > 0;
    }
    for (int k = 0; k < n; k++) {
        r->hand[k].group = n > 1 ? r->group : -1;
        GN_TRY(gn_sink_put(r->sink, &r->hand[k]));
    }
    r->group += n > 1;
    return GN_OK;
}

/* Images `from` on are of one moment; *to is the first of another. */
static gn_status put_moment(reader *r, int64_t from, int64_t *to) {
    const gn_place *p = r->moments.place;
    const gn_json *j;
    double world[BOTH][3];
    uint8_t valid[BOTH];
    int views = 0;
    for (*to = from; *to < r->moments.n && p[*to].key == p[from].key; ++*to) {
        if (views == VIEWS) GN_FAIL(BAD_DATA, "%s: more than %d images of one moment", gn_json_where(r->data, p[*to].at), VIEWS);
        GN_TRY(read_view(r, p[*to].at, &r->view[views++]));
    }
    const gn_place *at = gn_places_find(&r->points, p[from].key);
    if (!at) {
        gn_sink_pass_over(r->sink, "capture %lld frame %lld: no joints in %s", (long long)(p[from].key >> 32), (long long)(p[from].key & 0xffffffff), r->path[2]);
        return GN_OK;
    }
    gn_arena_rewind(r->item);
    GN_TRY(gn_json_at(r->joints, r->item, at->at, &j));
    GN_TRY_AS(read_points(j, world, valid), "%s", gn_json_where(r->joints, at->at));
    for (int left = 0; left < 2; left++) GN_TRY(put_hand(r, p[from].key, views, left, world, valid));
    return GN_OK;
}

/* --- the three files --- */

static gn_status name_files(reader *r, const char *data) {
    const char *mark = NULL;
    for (const char *at = data; (at = strstr(at, "_data")); at++) mark = at;
    if (!mark || strchr(mark, '/')) GN_FAIL(BAD_DATA, "%s: expected a name with '_data', beside it those with '_camera' and '_joint_3d'", data);
    r->path[0] = data;
    GN_TAKE_TEXT(r->path[1], r->arena, "%.*s_camera%s", (int)(mark - data), data, mark + strlen("_data"));
    GN_TAKE_TEXT(r->path[2], r->arena, "%.*s_joint_3d%s", (int)(mark - data), data, mark + strlen("_data"));
    return GN_OK;
}

static gn_status read_split(reader *r, const char *data) {
    static const char *const below[4][5] = { { "", "images/", "train/", "images/train/", NULL }, { "", "images/", "val/", "images/val/", NULL },
                                             { "", "images/", "test/", "images/test/", NULL }, { "", "images/", NULL } };
    const char *name = strrchr(data, '/');
    void *bytes;
    size_t n;
    name = name ? name : data;
    r->valid = gn_layout_valid(data);
    GN_TRY(name_files(r, data));
    GN_TRY(gn_layout_open(r->arena, r->from, data, below[strstr(name, "train") ? 0 : strstr(name, "val") ? 1 : strstr(name, "test") ? 2 : 3], &r->layout));
    GN_TRY(gn_io_read(r->arena, r->path[1], GN_JSON_ITEM, &bytes, &n));
    GN_TRY(gn_json_parse(r->arena, r->path[1], bytes, n, &r->cameras));
    GN_TRY(gn_json_open(r->arena, r->path[0], &r->data));
    GN_TRY(gn_json_open(r->arena, r->path[2], &r->joints));
    r->moments.arena = r->notes.arena = r->points.arena = r->arena;
    GN_TRY(index_data(r));
    GN_TRY(index_joints(r));
    gn_places_sort(&r->moments), gn_places_sort(&r->notes), gn_places_sort(&r->points);
    for (int64_t i = 0; i < r->moments.n;) GN_TRY(put_moment(r, i, &i));
    return GN_OK;
}

static gn_status run(gn_arena *a, const gn_import *from, gn_sink *to) {
    const char **path;
    int64_t inside[2] = { 0 }, group = 0;
    int n;
    GN_TRY(gn_layout_files(a, from, "InterHand2.6M_", ".json", &n, &path));
    for (int i = 0; i < n; i++) {
        const char *name = strrchr(path[i], '/');
        if (path[i] != from->source && !strstr(name, "_data")) continue;
        reader r = { .arena = gn_arena_new("InterHand2.6M"), .item = gn_arena_new("an item"), .from = from, .sink = to, .group = group, .inside = inside };
        if (!r.arena || !r.item) GN_FAIL(NO_MEMORY, "out of memory: an import");
        GN_TAKE(r.hand, r.arena, VIEWS);
        GN_TAKE(r.view, r.arena, VIEWS);
        GN_TRY(read_split(&r, path[i]));
        group = r.group;
        gn_arena_free(r.arena), gn_arena_free(r.item);
    }
    const int64_t all = inside[0] + inside[1];
    if (!all) return GN_OK;
    if (2 * inside[1] < all)
        GN_FAIL(BAD_DATA, "%s: %.1f %% of the projected joints lie in the annotated boxes, expected nearly all: units or cameras are not InterHand2.6M's", from->source,
                100 * (double)inside[1] / (double)all);
    return gn_sink_note(to, "%.2f %% of %lld projected joints lie in the annotated boxes", 100 * (double)inside[1] / (double)all, (long long)all);
}

const gn_importer gn_import_interhand = {
    .name = "interhand",
    .takes = "an InterHand2.6M_*_data.json beside its _camera and _joint_3d, or a folder of them",
    .about = "InterHand2.6M (Moon et al. 2020), mks0601.github.io/InterHand2.6M; CC BY-NC 4.0",
    .skeleton = &gn_hand21,
    .run = run,
};
