/* h36m_json.c - Moon's files (Moon et al., ICCV 2019), three a subject.
 *
 * Human36M_subjectN_data.json: COCO's `images` with action_idx, subaction_idx, cam_idx, frame_idx, and `annotations` with bbox.
 * _camera.json: R, t, f, c by cam_idx. _joint_3d.json: [action][subaction][frame] 17 points of the world in mm. 2D is 3D projected. */
#include "gnomon/config.h"
#include "gnomon/io.h"
#include "gnomon/json.h"
#include "src/import/h36m.h"
#include "src/import/layout.h"
#include "src/import/places.h"
#include <stdlib.h>
#include <string.h>

enum { TRIALS = 6, VIEWS = 16 };

typedef struct {
    gn_arena *arena, *item, *take;   /* of the three files; of one item; of the joints of one take */
    const gn_import *from;
    gn_sink *to;
    const char *path[3];
    int subject;
    gn_json_file *data, *joints;
    gn_places moments, notes, takes; /* images by moment, annotations by image, joints by take */
    int64_t loaded, group, broken;
    const gn_json *points;           /* of the loaded take */
    gn_h36m_cameras *cameras;
    gn_layout layout;
} reader;

static int whole_of(const gn_json *j, const char *key, int64_t most, int64_t *x) {
    const gn_json *v = gn_json_find(j, key);
    *x = v && v->is_whole ? v->whole : -1;
    return *x >= 0 && *x <= most;
}

static int whole_key(const char *text, int64_t most, int64_t *x) {
    char *end;
    *x = text && *text ? strtoll(text, &end, 10) : -1;
    return *x >= 0 && *x <= most && !*end;
}

static int64_t take_key(int64_t action, int64_t part) { return action << 8 | part; }

static gn_status index_data(reader *r) {
    gn_json_item i;
    int64_t id, action, part, frame;
    for (;;) {
        GN_TRY(gn_json_next(r->data, &i));
        if (!i.value) return GN_OK;
        if (!strcmp(i.list, "annotations")) {
            if (!whole_of(i.value, "image_id", INT64_MAX, &id)) GN_FAIL(BAD_DATA, "%s: annotations[%lld]: no whole number 'image_id'", gn_json_where(r->data, i.at), (long long)i.place);
            GN_TRY(gn_places_add(&r->notes, id, i.at));
        }
        if (strcmp(i.list, "images")) continue;
        if (!whole_of(i.value, "action_idx", 255, &action) || !whole_of(i.value, "subaction_idx", 255, &part) || !whole_of(i.value, "frame_idx", INT32_MAX, &frame))
            GN_FAIL(BAD_DATA, "%s: images[%lld]: expected whole numbers 'action_idx', 'subaction_idx' and 'frame_idx'", gn_json_where(r->data, i.at), (long long)i.place);
        if (frame % r->from->every == 0) GN_TRY(gn_places_add(&r->moments, take_key(action, part) << 32 | frame, i.at));
    }
}

static gn_status index_joints(reader *r) {
    gn_json_item i;
    int64_t action, part;
    for (;;) {
        GN_TRY(gn_json_next(r->joints, &i));
        if (!i.value) return GN_OK;
        if (!whole_key(i.list, 255, &action) || !whole_key(i.key, 255, &part))
            GN_FAIL(BAD_DATA, "%s: expected numbers of an action and a subaction, found '%s' and '%s'", gn_json_where(r->joints, i.at), gn_shown(i.list), gn_shown(i.key ? i.key : ""));
        GN_TRY(gn_places_add(&r->takes, take_key(action, part), i.at));
    }
}

static gn_status load_take(reader *r, int64_t take) {
    if (take == r->loaded) return GN_OK;
    gn_arena_rewind(r->take);
    r->loaded = take;
    r->points = NULL;
    const gn_place *p = gn_places_find(&r->takes, take);
    return p ? gn_json_at(r->joints, r->take, p->at, &r->points) : GN_OK;
}

/* Metres; 0: the file has no such moment. */
static gn_status world_at(reader *r, int64_t moment, double world[GN_H36M_JOINTS][3], int *there) {
    char key[24];
    GN_TRY(load_take(r, moment >> 32));
    snprintf(key, sizeof key, "%lld", (long long)(moment & 0xffffffff));
    const gn_json *p = gn_json_find(r->points, key);
    *there = p != NULL;
    if (!p) return GN_OK;
    int known = p->kind == GN_JSON_LIST && p->n == GN_H36M_JOINTS;
    for (int j = 0; j < GN_H36M_JOINTS && known; j++) known = gn_json_numbers(&p->item[j], 3, world[j]);
    if (!known) GN_FAIL(BAD_DATA, "%s: action %d, subaction %d, frame %s: expected %d points of 3 numbers", r->path[2], (int)(moment >> 40), (int)(moment >> 32 & 255), key, GN_H36M_JOINTS);
    for (int j = 0; j < GN_H36M_JOINTS; j++)
        for (int k = 0; k < 3; k++) world[j][k] /= 1000;
    return GN_OK;
}

/* A picture: its camera, size, box and name. */
static gn_status read_image(reader *r, int64_t at, gn_import_sample *x, int *view) {
    const gn_json *image, *note;
    int64_t id, camera, w, h;
    gn_arena_rewind(r->item);
    GN_TRY(gn_json_at(r->data, r->item, at, &image));
    if (!whole_of(image, "id", INT64_MAX, &id) || !whole_of(image, "cam_idx", GN_H36M_VIEWS, &camera) || !camera || !whole_of(image, "width", 1 << 15, &w) ||
        !whole_of(image, "height", 1 << 15, &h))
        GN_FAIL(BAD_DATA, "%s: expected whole numbers 'id', 'width', 'height' and a 'cam_idx' of 1 to %d", gn_json_where(r->data, at), GN_H36M_VIEWS);
    *view = (int)camera - 1;
    x->w = (int)w, x->h = (int)h;
    gn_layout_picture(&r->layout, gn_json_text(gn_json_find(image, "file_name"), "?"), x->picture);
    const gn_place *p = gn_places_find(&r->notes, id);
    if (!p) GN_FAIL(BAD_DATA, "%s: image %lld has no annotation", gn_json_where(r->data, at), (long long)id);
    GN_TRY(gn_json_at(r->data, r->item, p->at, &note));
    if (!gn_json_numbers(gn_json_find(note, "bbox"), 4, x->box)) GN_FAIL(BAD_DATA, "%s: bbox: expected 4 numbers", gn_json_where(r->data, p->at));
    return GN_OK;
}

static gn_status settle(reader *r) {
    gn_h36m_trial t = { 0 };
    double world[GN_H36M_JOINTS][3];
    int view, there;
    for (int k = 0; k < TRIALS && r->moments.n; k++) {
        const gn_place *p = &r->moments.place[k * (r->moments.n - 1) / TRIALS];
        gn_import_sample x = { 0 };
        GN_TRY(read_image(r, p->at, &x, &view));
        GN_TRY(world_at(r, p->key, world, &there));
        if (there) gn_h36m_try(r->cameras, r->subject, view, world, NULL, x.box, &t);
    }
    return t.n ? gn_h36m_settle(r->cameras, &t, r->to) : GN_OK;
}

static gn_status put_moment(reader *r, int64_t from, int64_t end) {
    const int64_t moment = r->moments.place[from].key;
    const int action = (int)(moment >> 40), part = (int)(moment >> 32 & 255);
    double world[GN_H36M_JOINTS][3], pose[12];
    int there, view;
    if (gn_h36m_broken(r->subject, action == 2 && part == 2 ? "Directions" : "")) {
        r->broken += end - from;
        return GN_OK;
    }
    GN_TRY(world_at(r, moment, world, &there));
    if (!there) {
        gn_sink_pass_over(r->to, "S%d action %d.%d frame %lld: no joints in %s", r->subject, action, part, (long long)(moment & 0xffffffff), r->path[2]);
        return GN_OK;
    }
    for (int64_t k = from; k < end; k++) {
        gn_import_sample x = { .frame = moment & 0xffffffff, .group = end - from > 1 ? r->group : -1, .valid = gn_h36m_valid(r->subject) };
        GN_TRY(read_image(r, r->moments.place[k].at, &x, &view));
        if (!gn_h36m_pose(r->cameras, r->cameras->reading, r->subject, view, pose)) GN_FAIL(BAD_DATA, "%s: has no camera %d", r->path[1], view + 1);
        snprintf(x.take, sizeof x.take, "S%d action %d.%d %s", r->subject, action, part, gn_h36m_eyes[view].name);
        gn_h36m_place(pose, &r->cameras->view[r->subject][view].lens, world, &x);
        gn_h36m_project(&x);
        GN_TRY(gn_sink_put(r->to, &x));
    }
    r->group += end - from > 1;
    return GN_OK;
}

static gn_status name_files(reader *r, const char *data) {
    const char *name = strrchr(data, '/') ? strrchr(data, '/') + 1 : data, *tail = "_data.json";
    const size_t n = strlen(data) - strlen(tail);
    if (sscanf(name, "Human36M_subject%d", &r->subject) != 1 || r->subject < 1 || r->subject > GN_H36M_PEOPLE)
        GN_FAIL(BAD_DATA, "%s: expected a name Human36M_subjectN_data.json, N of 1 to %d", data, GN_H36M_PEOPLE);
    r->path[0] = data;
    GN_TAKE_TEXT(r->path[1], r->arena, "%.*s_camera.json", (int)n, data);
    GN_TAKE_TEXT(r->path[2], r->arena, "%.*s_joint_3d.json", (int)n, data);
    return GN_OK;
}

static gn_status read_subject(reader *r, const char *data) {
    static const char *const below[] = { "", "images/", NULL };
    GN_TRY(name_files(r, data));
    GN_TRY(gn_layout_open(r->arena, r->from, data, below, &r->layout));
    GN_TAKE(r->cameras, r->arena, 1);
    GN_TRY(gn_h36m_cameras_json(r->arena, r->path[1], r->subject, r->cameras));
    GN_TRY(gn_json_open(r->arena, r->path[0], &r->data));
    GN_TRY(gn_json_open(r->arena, r->path[2], &r->joints));
    r->moments.arena = r->notes.arena = r->takes.arena = r->arena;
    r->loaded = -1;
    GN_TRY(index_data(r));
    GN_TRY(index_joints(r));
    gn_places_sort(&r->moments), gn_places_sort(&r->notes), gn_places_sort(&r->takes);
    GN_TRY(settle(r));
    for (int64_t i = 0, end; i < r->moments.n; i = end) {
        for (end = i + 1; end < r->moments.n && r->moments.place[end].key == r->moments.place[i].key; end++) continue;
        if (end - i > VIEWS) GN_FAIL(BAD_DATA, "%s: %lld images of one moment", gn_json_where(r->data, r->moments.place[i].at), (long long)(end - i));
        GN_TRY(put_moment(r, i, end));
    }
    return GN_OK;
}

gn_status gn_h36m_json(gn_arena *a, const gn_import *from, int n, const char **path, gn_sink *to) {
    int64_t group = 0, broken = 0;
    (void)a;
    for (int i = 0; i < n; i++) {
        reader r = { .arena = gn_arena_new("Human3.6M"), .item = gn_arena_new("an item"), .take = gn_arena_new("a take"), .from = from, .to = to, .group = group };
        if (!r.arena || !r.item || !r.take) GN_FAIL(NO_MEMORY, "out of memory: %s", path[i]);
        GN_TRY(read_subject(&r, path[i]));
        group = r.group;
        broken += r.broken;
        gn_arena_free(r.arena), gn_arena_free(r.item), gn_arena_free(r.take);
    }
    if (broken) gn_sink_pass_over(to, "S11 Directions, action 2.2, %lld pictures: its video and its poses are not of one take", (long long)broken);
    return GN_OK;
}
