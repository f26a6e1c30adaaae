/* openpose.c - what OpenPose found in a take: a folder of JSON, a file a frame, 25 points of x, y, confidence a person.
 *
 * The files do not say in which order the points are. BODY_25 and BODY_25B are told apart by their bones: taken in the wrong
 * order, they run across the body. A format asks for one order, and is refused where most persons fit the other. Neither do
 * the files name pictures: that of NAME_keypoints.json or CAM.NAME.json is NAME.jpg or NAME.png below --pictures. Without
 * pictures, their size is the least that holds every point of the folder. Who is who from frame to frame is not known. */
#include "gnomon/io.h"
#include "gnomon/json.h"
#include "src/import/layout.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { POINTS = 25, MOST = 4 << 20, PERSONS = 4096 };

typedef struct { double at[POINTS][2], sure[POINTS]; } person;
typedef struct {
    gn_arena *arena;                   /* a file's */
    const gn_import *from;
    gn_sink *sink;
    const gn_skeleton *skeleton;
    gn_layout layout;
    person *persons;                   /* [PERSONS] of a frame */
    int n;
    int64_t for_it, against;           /* persons whose bones speak for the order asked for, for the other */
    double most[2];                    /* x, y of all points */
} reader;

static gn_status read_person(const gn_json *j, person *p) {
    const gn_json *list = gn_json_find(j, "pose_keypoints_2d");
    double v[3 * POINTS];
    if (!gn_json_numbers(list, 3 * POINTS, v))
        GN_FAIL(BAD_DATA, "pose_keypoints_2d: expected %d numbers, x, y and confidence of BODY_25 or BODY_25B, found %d", 3 * POINTS, list && list->kind == GN_JSON_LIST ? list->n : 0);
    for (int k = 0; k < POINTS; k++) {
        p->at[k][0] = v[3 * k], p->at[k][1] = v[3 * k + 1], p->sure[k] = v[3 * k + 2];
        if (!(p->sure[k] >= 0 && p->sure[k] <= 2)) GN_FAIL(BAD_DATA, "pose_keypoints_2d: confidence %g of point %d", p->sure[k], k); /* slightly above 1 occurs */
    }
    return GN_OK;
}

static gn_status read_frame(reader *r, const char *path) {
    const gn_json *tree;
    void *bytes;
    size_t n;
    gn_arena_rewind(r->arena);
    GN_TRY(gn_io_read(r->arena, path, MOST, &bytes, &n));
    GN_TRY(gn_json_parse(r->arena, path, bytes, n, &tree));
    const gn_json *people = gn_json_find(tree, "people");
    if (!people || people->kind != GN_JSON_LIST) GN_FAIL(BAD_DATA, "%s: expected a map with a list 'people'", path);
    if (people->n > PERSONS) GN_FAIL(BAD_DATA, "%s: %d people, expected at most %d", path, people->n, PERSONS);
    for (r->n = 0; r->n < people->n; r->n++) GN_TRY_AS(read_person(&people->item[r->n], &r->persons[r->n]), "%s: people[%d]", path, r->n);
    return GN_OK;
}

/* Mean length of the bones whose ends were found; NaN: none. */
static double bones(const gn_skeleton *s, const person *p) {
    double sum = 0;
    int n = 0;
    for (int e = 0; e < s->bones; e++) {
        const int a = s->bone[e].a, b = s->bone[e].b;
        if (!(p->sure[a] > 0 && p->sure[b] > 0)) continue;
        sum += hypot(p->at[a][0] - p->at[b][0], p->at[a][1] - p->at[b][1]);
        n++;
    }
    return n ? sum / n : NAN;
}

/* Whose order, and how large a picture. */
static void survey(reader *r) {
    const gn_skeleton *other = r->skeleton == &gn_body25 ? &gn_body25b : &gn_body25;
    for (int i = 0; i < r->n; i++) {
        const person *p = &r->persons[i];
        int found = 0;
        for (int k = 0; k < POINTS; k++) {
            if (!(p->sure[k] > 0)) continue;
            found++;
            for (int d = 0; d < 2; d++) r->most[d] = fmax(r->most[d], p->at[k][d]);
        }
        if (found < 15) continue; /* of few points, any bones are short */
        const double mine = bones(r->skeleton, p), its = bones(other, p);
        r->for_it += mine < its;
        r->against += mine > its;
    }
}

static gn_status check_order(const reader *r) {
    const int is_b = r->skeleton == &gn_body25b;
    const int64_t all = r->for_it + r->against;
    if (10 * r->for_it >= 9 * all && all) return GN_OK;
    if (10 * r->against >= 9 * all && all)
        GN_FAIL(BAD_DATA, "%s: bones of %lld of %lld persons fit the order of BODY_25%s, not BODY_25%s: the format is %s", r->from->source, (long long)r->against,
                (long long)all, is_b ? "" : "B", is_b ? "B" : "", is_b ? "openpose" : "openpose25b");
    GN_FAIL(BAD_DATA, "%s: BODY_25 or BODY_25B? Of %lld persons with 15 points and more, bones of %lld fit the order asked for", r->from->source, (long long)all,
            (long long)r->for_it);
}

/* --- a frame's name: its number, its folder, its picture --- */

static const char *stem_of(gn_arena *a, const char *path) {
    const char *name = strrchr(path, '/'), *end;
    name = name ? name + 1 : path;
    end = strstr(name, "_keypoints.json");
    if (!end) end = name + strlen(name) - strlen(".json");
    return gn_arena_text(a, "%.*s", (int)(end - name), name);
}

/* The last digits of a name. */
static int64_t number_in(const char *stem) {
    const char *end = stem + strlen(stem), *from;
    while (end > stem && !(end[-1] >= '0' && end[-1] <= '9')) end--;
    for (from = end; from > stem && from[-1] >= '0' && from[-1] <= '9' && end - from < 18;) from--;
    return strtoll(from, NULL, 10);
}

static gn_status find_picture(reader *r, const char *stem, char picture[512]) {
    static const char *const ending[] = { ".jpg", ".png", ".jpeg" };
    const char *dot = strrchr(stem, '.'), *name;
    if (!r->from->pictures) {
        picture[0] = 0;
        return GN_OK;
    }
    for (int last = 0; last <= (dot != NULL); last++)
        for (int k = 0; k < 3; k++) {
            GN_TAKE_TEXT(name, r->arena, "%s%s", last ? dot + 1 : stem, ending[k]);
            if (gn_layout_picture(&r->layout, name, picture)) return GN_OK;
        }
    GN_TAKE_TEXT(name, r->arena, "%s.jpg", stem);
    gn_layout_picture(&r->layout, name, picture);
    return GN_OK;
}

static gn_status put_frame(reader *r, const char *path, int64_t frame_in_take, const char *stem) {
    gn_import_sample x = { .frame = frame_in_take, .group = -1, .valid = gn_layout_valid(path), .has = GN_HAS_joints2d | GN_HAS_confidence2d };
    const char *name = strrchr(path, '/'), *folder = name ? name : path;
    while (folder > path && folder[-1] != '/') folder--;
    snprintf(x.take, sizeof x.take, "%.*s", name ? (int)(name - folder) : 0, folder);
    GN_TRY(find_picture(r, stem, x.picture));
    if (!x.picture[0]) x.w = (int)fmin(r->most[0] + 1, 1 << 16), x.h = (int)fmin(r->most[1] + 1, 1 << 16);
    for (int i = 0; i < r->n; i++) {
        const person *p = &r->persons[i];
        for (int k = 0; k < POINTS; k++) {
            memcpy(x.joints2d[k], p->at[k], sizeof p->at[k]);
            x.labelled2d[k] = p->sure[k] > 0;
            x.confidence2d[k] = p->sure[k];
        }
        memset(x.box, 0, sizeof x.box);
        GN_TRY(gn_sink_put(r->sink, &x));
    }
    return GN_OK;
}

static gn_status run_as(gn_arena *a, const gn_import *from, gn_sink *to, const gn_skeleton *skeleton) {
    static const char *const here[] = { "", NULL };
    const char **path;
    int n;
    reader r = { .arena = gn_arena_new("a frame"), .from = from, .sink = to, .skeleton = skeleton };
    if (!r.arena) GN_FAIL(NO_MEMORY, "out of memory: an import");
    GN_TAKE(r.persons, a, PERSONS);
    GN_TRY(gn_layout_files(a, from, "", ".json", &n, &path));
    for (int i = 0; i < n; i++) {
        GN_TRY(read_frame(&r, path[i]));
        survey(&r);
    }
    GN_TRY(check_order(&r));
    GN_TRY(gn_layout_open(a, from, path[0], here, &r.layout));
    for (int i = 0; i < n; i++) {
        GN_TRY(read_frame(&r, path[i]));
        const char *stem = stem_of(r.arena, path[i]);
        if (!stem) GN_FAIL(NO_MEMORY, "out of memory: %s", path[i]);
        const int64_t frame = number_in(stem);
        if (frame % from->every == 0) GN_TRY(put_frame(&r, path[i], frame, stem));
    }
    gn_arena_free(r.arena);
    GN_TRY(gn_sink_note(to, "bones of %lld of %lld persons fit this order of points", (long long)r.for_it, (long long)(r.for_it + r.against)));
    if (from->pictures && from->keep != GN_KEEP_NONE) return GN_OK;
    return gn_sink_note(to, "the pictures' size is not known: %.0f x %.0f holds all points", floor(r.most[0]) + 1, floor(r.most[1]) + 1);
}

static gn_status run_25(gn_arena *a, const gn_import *from, gn_sink *to) { return run_as(a, from, to, &gn_body25); }
static gn_status run_25b(gn_arena *a, const gn_import *from, gn_sink *to) { return run_as(a, from, to, &gn_body25b); }

const gn_importer gn_import_openpose = {
    .name = "openpose",
    .takes = "a folder of OpenPose's JSON, BODY_25",
    .about = "detections of OpenPose, BODY_25; the recording's owner says the licence",
    .skeleton = &gn_body25,
    .run = run_25,
};
const gn_importer gn_import_openpose25b = {
    .name = "openpose25b",
    .takes = "a folder of OpenPose's JSON, BODY_25B",
    .about = "detections of OpenPose, BODY_25B; the recording's owner says the licence",
    .skeleton = &gn_body25b,
    .run = run_25b,
};
