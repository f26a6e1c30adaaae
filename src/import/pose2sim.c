/* pose2sim.c - a Pose2Sim session: calibrated cameras and what OpenPose found in each of their pictures.
 *
 * SOURCE holds a Calib*.toml (or a Qualisys *.qca.txt) and takes: TAKE/pose/CAMERA_json/NAME.FRAME.json, BODY_25B, and, where
 * pictures are wanted, TAKE/frames/CAMERA/FRAME.jpg. Who is who in the cameras is told by geometry; who is seen by two of
 * three and more cameras alone is a bystander. Cameras are turned where detections say that they were nudged. A joint's place is
 * triangulated by all who see it, so that a view that is off hardly moves it; its 2D is a label where it is then near.
 *
 * Why not the TRC beside it: that is the plain least squares of the same detections and cameras (to a millimetre, by all views
 * or those that Pose2Sim kept), and lies as far from the detections as these, in cameras so turned, from each other. */
#include "gnomon/config.h"
#include "gnomon/io.h"
#include "gnomon/json.h"
#include "src/import/rig.h"
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { POINTS = 25, PERSONS = 32, MOST = 4 << 20, FILES = 1 << 20, TURNED_BY = 4000 };
static const double sure = 0.3;   /* confidence below which a point was not found */
static const double share = 0.05; /* of a person's height that views may be apart and mean one person */
static const double knee = 3;     /* pixels: OpenPose's answers lie 5.3 apart in these pictures, so half of that is none of its own */
static const double gate = 10.5;  /* pixels that a detection may lie from the joint and be its label: two of those steps */

typedef struct { const char *path; int take, camera; int64_t frame; } file;
typedef struct { int take; int64_t frame; gn_seen *seen; } moment; /* of one person: seen [POINTS][cameras] */

typedef struct {
    gn_arena *arena, *brief;       /* the session's; a moment's */
    const gn_import *from;
    gn_sink *sink;
    gn_rig *c;
    int files, takes;
    file *file;
    const char **take;             /* [takes] folders */
    int64_t moments, room, alone;  /* `alone`: persons whom too few cameras see */
    moment *moment;
} session;

/* --- what is there --- */

static gn_status find_calibration(gn_arena *a, const gn_import *from, const char **path) {
    static const char *const ending[] = { ".toml", ".qca.txt" };
    *path = NULL;
    for (int k = 0; k < 2 && !*path; k++) {
        const char **listed;
        int n;
        GN_TRY(gn_source_list(a, from->source, ending[k], FILES, &n, &listed));
        for (int i = 0; i < n; i++) {
            const char *slash = strrchr(listed[i], '/');
            if (strncasecmp(slash ? slash + 1 : listed[i], "calib", 5)) continue;
            if (*path) GN_FAIL(BAD_DATA, "%s: two calibrations, %s and %s", from->source, *path, listed[i]);
            *path = listed[i];
        }
    }
    if (!*path) GN_FAIL(MISSING, "%s: no Calib*.toml and no Calib*.qca.txt", from->source);
    return GN_OK;
}

/* "cam_01" is the camera of "cam01_json". */
static int is_of(const char *camera, const char *folder) {
    for (;; camera++, folder++) {
        while (*camera && !isalnum((unsigned char)*camera)) camera++;
        while (*folder && !isalnum((unsigned char)*folder)) folder++;
        if (!*camera) return !isdigit((unsigned char)*folder);
        if (tolower((unsigned char)*camera) != tolower((unsigned char)*folder)) return 0;
    }
}

/* The last digits of a name. */
static int64_t number_in(const char *name) {
    const char *end = strrchr(name, '.');
    while (end > name && !isdigit((unsigned char)end[-1])) end--;
    const char *from = end;
    while (from > name && isdigit((unsigned char)from[-1]) && end - from < 18) from--;
    return strtoll(from, NULL, 10);
}

static int by_moment(const void *x, const void *y) {
    const file *a = x, *b = y;
    if (a->take != b->take) return a->take - b->take;
    if (a->frame != b->frame) return a->frame < b->frame ? -1 : 1;
    return a->camera - b->camera;
}

/* TAKE/pose/CAMERA_json/NAME: 0 where the path is none. */
static gn_status place(session *s, const char *path, file *f, int *ours) {
    const char *name = strrchr(path, '/'), *folder = name, *pose;
    const size_t root = strlen(s->from->source);
    while (folder > path && folder[-1] != '/') folder--;
    pose = folder - strlen("/pose/");
    *ours = folder - path >= (int)root + 6 && !strncmp(pose, "/pose/", 6);
    if (!*ours) return GN_OK;
    *f = (file){ .path = path, .camera = -1, .frame = number_in(name) };
    for (int k = 0; k < s->c->n && f->camera < 0; k++)
        if (is_of(s->c->camera[k].name, folder)) f->camera = k;
    if (f->camera < 0) GN_FAIL(BAD_DATA, "%s: the calibration has no camera of that name", path);
    const int n = (int)(pose - path);
    for (f->take = 0; f->take < s->takes; f->take++)
        if (!strncmp(s->take[f->take], path, (size_t)n) && !s->take[f->take][n]) return GN_OK;
    if (s->takes == PERSONS * PERSONS) GN_FAIL(BAD_DATA, "%s: more than %d takes", s->from->source, PERSONS * PERSONS);
    GN_TAKE_TEXT(s->take[s->takes], s->arena, "%.*s", n, path);
    s->takes++;
    return GN_OK;
}

static gn_status list_files(session *s) {
    const char **path;
    int n, ours;
    GN_TRY(gn_source_list(s->arena, s->from->source, ".json", FILES, &n, &path));
    GN_TAKE(s->file, s->arena, n + 1);
    GN_TAKE(s->take, s->arena, PERSONS * PERSONS);
    for (int i = 0; i < n; i++) {
        GN_TRY(place(s, path[i], &s->file[s->files], &ours));
        s->files += ours;
    }
    if (!s->files) GN_FAIL(MISSING, "%s: no TAKE/pose/CAMERA_json/*.json there", s->from->source);
    qsort(s->file, (size_t)s->files, sizeof *s->file, by_moment);
    for (int i = 1; i < s->files; i++)
        if (!by_moment(&s->file[i - 1], &s->file[i]))
            GN_FAIL(BAD_DATA, "%s: frame %lld of this camera is in %s, too", s->file[i].path, (long long)s->file[i].frame, s->file[i - 1].path);
    return GN_OK;
}

/* --- who is who --- */

/* OpenPose says 0.5 for the first pixel's middle. */
static gn_status read_crowd(session *s, const char *path, gn_crowd *c) {
    const gn_json *tree;
    void *bytes;
    size_t n;
    gn_seen *to;
    double v[3 * POINTS];
    GN_TRY(gn_io_read(s->brief, path, MOST, &bytes, &n));
    GN_TRY(gn_json_parse(s->brief, path, bytes, n, &tree));
    const gn_json *people = gn_json_find(tree, "people");
    if (!people || people->kind != GN_JSON_LIST) GN_FAIL(BAD_DATA, "%s: expected a map with a list 'people'", path);
    if (people->n > PERSONS) GN_FAIL(BAD_DATA, "%s: %d people, expected at most %d", path, people->n, PERSONS);
    GN_TAKE(to, s->brief, PERSONS * POINTS);
    *c = (gn_crowd){ people->n, to };
    for (int i = 0; i < people->n; i++) {
        if (!gn_json_numbers(gn_json_find(&people->item[i], "pose_keypoints_2d"), 3 * POINTS, v))
            GN_FAIL(BAD_DATA, "%s: people[%d]: pose_keypoints_2d: expected %d numbers, x, y and confidence of BODY_25B", path, i, 3 * POINTS);
        for (int k = 0; k < POINTS; k++, to++)
            *to = (gn_seen){ { v[3 * k] - 0.5, v[3 * k + 1] - 0.5 }, v[3 * k + 2] > sure ? v[3 * k + 2] : 0 };
    }
    return GN_OK;
}

static gn_status keep(session *s, const file *f, const gn_crowd *crowd, const int *who) {
    const int n = s->c->n;
    if (s->moments == s->room) {
        const moment *old = s->moment;
        s->room = s->room ? 2 * s->room : 256;
        GN_TAKE(s->moment, s->arena, s->room);
        if (old) memcpy(s->moment, old, sizeof *old * (size_t)s->moments);
    }
    moment *m = &s->moment[s->moments++];
    *m = (moment){ f->take, f->frame, NULL };
    GN_TAKE(m->seen, s->arena, POINTS * n);
    for (int v = 0; v < n; v++)
        for (int j = 0; j < POINTS && who[v] >= 0; j++) m->seen[j * n + v] = crowd[v].seen[who[v] * POINTS + j];
    return GN_OK;
}

static gn_status read_moment(session *s, const file *f, int files) {
    gn_crowd crowd[GN_VIEWS] = { { 0 } };
    uint8_t taken[GN_VIEWS * PERSONS] = { 0 };
    const int n = s->c->n, least = n < 3 ? 2 : 3;
    int who[GN_VIEWS], views;
    gn_arena_rewind(s->brief);
    for (int i = 0; i < files; i++) GN_TRY(read_crowd(s, f[i].path, &crowd[f[i].camera]));
    while ((views = gn_match(n, s->c->view, crowd, POINTS, share, taken, PERSONS, who)) >= 2) {
        for (int v = 0; v < n; v++)
            if (who[v] >= 0) taken[v * PERSONS + who[v]] = 1;
        if (views >= least) GN_TRY(keep(s, f, crowd, who));
        else s->alone++;
    }
    for (int v = 0; v < n; v++)
        for (int i = 0; i < crowd[v].persons; i++) s->alone += !taken[v * PERSONS + i];
    return GN_OK;
}

/* --- cameras that were nudged --- */

static gn_status turn(session *s) {
    const int n = s->c->n;
    const int64_t all = s->moments * POINTS, step = all / TURNED_BY + 1;
    double degrees[GN_VIEWS], before, after;
    gn_rig *turned;
    gn_seen *seen;
    int points = 0;
    GN_TAKE(turned, s->arena, 1);
    GN_TAKE(seen, s->arena, (all / step + 1) * n);
    *turned = *s->c;
    for (int64_t i = 0; i < all; i += step, points++) memcpy(seen + (int64_t)points * n, s->moment[i / POINTS].seen + i % POINTS * n, sizeof *seen * (size_t)n);
    GN_TRY(gn_views_turn(s->arena, n, turned->view, points, seen, degrees, &before, &after));
    if (!(after < 0.9 * before)) return gn_sink_note(s->sink, "calibration as it is: its cameras agree to %.1f px (median; turned, to %.1f)", before, after);
    *s->c = *turned;
    char list[GN_VIEWS * 24] = "";
    for (int v = 0; v < n; v++) snprintf(list + strlen(list), sizeof list - strlen(list), " %.2f", degrees[v]);
    return gn_sink_note(s->sink, "the calibration's cameras disagree by %.1f px (median), turned by%s degrees by %.1f", before, list, after);
}

/* --- out --- */

/* Below --pictures, or TAKE/frames. */
static int find_picture(const session *s, const file *f, char picture[512]) {
    char path[1024];
    const char *folder = strrchr(f->path, '/'), *base = s->from->pictures ? s->from->pictures : s->from->source, *below = "";
    while (folder[-1] != '/') folder--;
    const char *end = strstr(folder, "_json/");
    const int n = end ? (int)(end - folder) : (int)strcspn(folder, "/");
    if (!s->from->pictures) {
        below = s->take[f->take] + strlen(base);
        below += strspn(below, "/");
    }
    const int k = snprintf(picture, 512, "%s%s%.*s/%04lld.jpg", below, !s->from->pictures ? *below ? "/frames/" : "frames/" : "", n, folder, (long long)f->frame);
    const int all = snprintf(path, sizeof path, "%s/%s", base, picture);
    return k < 512 && all < (int)sizeof path && gn_io_exists(path);
}

/* The file of a moment's camera; NULL: the camera has none then. */
static const file *file_of(const session *s, const moment *m, int camera) {
    const file key = { NULL, m->take, camera, m->frame };
    return bsearch(&key, s->file, (size_t)s->files, sizeof *s->file, by_moment);
}

static void label(const session *s, const moment *m, int camera, double world[][3], const uint8_t *known, gn_import_sample *x) {
    double low[2] = { INFINITY, INFINITY }, high[2] = { -INFINITY, -INFINITY }, uv[2];
    const int n = s->c->n;
    for (int j = 0; j < POINTS; j++) {
        const gn_seen *seen = &m->seen[j * n + camera];
        if (!known[j] || !gn_view_project(&s->c->view[camera], world[j], x->joints3d[j], uv)) continue;
        x->labelled3d[j] = 1;
        for (int k = 0; k < 2; k++) {
            low[k] = fmin(low[k], uv[k]), high[k] = fmax(high[k], uv[k]);
            x->joints2d[j][k] = seen->uv[k];
        }
        x->labelled2d[j] = seen->sure > 0 && gn_view_miss(&s->c->view[camera], seen, world[j]) <= gate;
        x->confidence2d[j] = seen->sure;
    }
    for (int k = 0; k < 2; k++) x->box[k] = low[k], x->box[2 + k] = high[k] - low[k];
}

static gn_status put_view(session *s, const moment *m, int64_t group, int camera, double world[][3], const uint8_t *known, int64_t *put) {
    gn_import_sample x = { .frame = m->frame, .group = group, .w = s->c->camera[camera].w, .h = s->c->camera[camera].h,
                           .has = GN_HAS_joints2d | GN_HAS_confidence2d | GN_HAS_joints3d | GN_HAS_camera | GN_HAS_pose_of_view };
    const file *f = file_of(s, m, camera);
    int seen = 0;
    for (int j = 0; j < POINTS; j++) seen += m->seen[j * s->c->n + camera].sure > 0;
    if (!seen || !f || (s->from->keep != GN_KEEP_NONE && !find_picture(s, f, x.picture))) return GN_OK;
    snprintf(x.take, sizeof x.take, "%s %s", strrchr(s->take[m->take], '/') + 1, s->c->camera[camera].name);
    x.lens = s->c->view[camera].lens;
    memcpy(x.pose_of_view, s->c->view[camera].pose, sizeof x.pose_of_view);
    label(s, m, camera, world, known, &x);
    ++*put;
    return gn_sink_put(s->sink, &x);
}

/* A joint is known where two views, at least, are near. */
static gn_status put_moment(session *s, const moment *m, int64_t group, int64_t *put, int64_t *near, int64_t *all) {
    const int n = s->c->n;
    double world[POINTS][3];
    uint8_t known[POINTS];
    for (int j = 0; j < POINTS; j++) {
        const gn_seen *seen = m->seen + j * n;
        int agree = 0;
        known[j] = (uint8_t)gn_triangulate(n, s->c->view, seen, knee, world[j]);
        for (int v = 0; v < n; v++) {
            *all += seen[v].sure > 0;
            agree += known[j] && seen[v].sure > 0 && gn_view_miss(&s->c->view[v], &seen[v], world[j]) <= gate;
        }
        known[j] = agree >= 2;
        *near += known[j] ? agree : 0;
    }
    for (int v = 0; v < n; v++) GN_TRY(put_view(s, m, group, v, world, known, put));
    return GN_OK;
}

static gn_status run(gn_arena *a, const gn_import *from, gn_sink *to) {
    session s = { .arena = a, .brief = gn_arena_new("a moment"), .from = from, .sink = to };
    const char *path;
    int64_t put = 0, near = 0, all = 0;
    if (!s.brief) GN_FAIL(NO_MEMORY, "out of memory: an import");
    GN_TAKE(s.c, a, 1);
    GN_TRY(find_calibration(a, from, &path));
    GN_TRY(gn_rig_read(a, path, s.c));
    if (s.c->n < 2) GN_FAIL(BAD_DATA, "%s: one camera, expected 2 and more", path);
    GN_TRY(list_files(&s));
    for (int i = 0, n; i < s.files; i += n) {
        for (n = 1; i + n < s.files && s.file[i + n].take == s.file[i].take && s.file[i + n].frame == s.file[i].frame;) n++;
        if (s.file[i].frame % from->every == 0) GN_TRY(read_moment(&s, &s.file[i], n));
    }
    gn_arena_free(s.brief);
    if (!s.moments) GN_FAIL(BAD_DATA, "%s: in no frame do cameras agree on a person", from->source);
    GN_TRY(turn(&s));
    for (int64_t i = 0; i < s.moments; i++) GN_TRY(put_moment(&s, &s.moment[i], i, &put, &near, &all));
    if (!put) GN_FAIL(MISSING, "%s: no TAKE/frames/CAMERA/FRAME.jpg there; --pictures DIR says where they are, --keep none imports labels alone", from->source);
    return gn_sink_note(to, "%lld persons seen by too few cameras; %.0f %% of detections lie within %g px of the joint and are labels", (long long)s.alone,
                        100 * (double)near / (double)all, gate);
}

const gn_importer gn_import_pose2sim = {
    .name = "pose2sim",
    .takes = "a Pose2Sim session: Calib*.toml or *.qca.txt, and TAKE/pose/CAMERA_json",
    .about = "OpenPose BODY_25B of calibrated cameras, triangulated here; the recording's owner says the licence",
    .skeleton = &gn_body25b,
    .pixels = 5,
    .run = run,
};
