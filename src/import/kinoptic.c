/* kinoptic.c - CMU Panoptic, depth: bodies of hdPose3d_stage1_coco19 in the ten Kinects' depth pictures.
 *
 * kinect_shared_depth/KINECTNODEi/depthdata.dat: pictures of 512 x 424 uint16, little-endian, millimetres, mirrored left to right,
 * nothing between them. The body of HD frame h is of time hd.univ_time[h + 2] as MATLAB counts, [h + 1] here; the depth picture is the
 * nearest in time, and is used where the rule of the owner's toolbox would: colour nearest to its time less 6.25 ms within 30 ms,
 * depth within 17 ms, both within 6.5 ms of each other.
 *
 * M_color and M_depth take a Kinect's own metres to its cameras; the dome's centimetres reach the colour camera by R and t of
 * "50_0i" in the dome's calibration. So x_depth = M_depth M_color^-1 (R x + t) / 100. There is no 2D of its own. */
#include "gnomon/config.h"
#include "gnomon/io.h"
#include "src/import/panoptic.h"
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SENSORS = 10, WIDE = 512, HIGH = 424, PIXELS = WIDE * HIGH };
static const double colour_late = 6.25, colour_off = 30, depth_off = 17, pair_off = 6.5; /* ms */

typedef struct {
    int on, fd;
    int64_t pictures;
    const char *path;
    gn_view view;                     /* the depth camera */
    const gn_json *colour, *depth;    /* times */
} sensor;

typedef struct {
    gn_arena *arena;                  /* a frame's */
    const gn_import *from;
    gn_sink *sink;
    const char *sequence;
    const gn_json *hd;                /* times */
    sensor sensor[SENSORS];
    gn_body body[GN_PANOPTIC_BODIES];
    uint16_t raw[PIXELS], depth[PIXELS];
    int64_t groups, untimely, unseen;
} reader;

/* --- calibration --- */

static gn_status matrix(const gn_json *s, const char *key, int n, double *x) {
    const gn_json *m = gn_json_find(s, key);
    int fine = m && m->kind == GN_JSON_LIST && m->n == n;
    for (int i = 0; fine && i < n; i++) fine = gn_json_numbers(&m->item[i], n, x + i * n);
    if (!fine) GN_FAIL(BAD_DATA, "%s: expected %d x %d numbers", key, n, n);
    return GN_OK;
}

/* to = a b, and the inverse, of rigid [3 4] transforms */
static void compose(const double a[12], const double b[12], double to[12]) {
    for (int i = 0; i < 3; i++)
        for (int k = 0; k < 4; k++) to[4 * i + k] = a[4 * i] * b[k] + a[4 * i + 1] * b[4 + k] + a[4 * i + 2] * b[8 + k] + (k == 3 ? a[4 * i + 3] : 0);
}
static void invert(const double a[12], double to[12]) {
    for (int i = 0; i < 3; i++) {
        for (int k = 0; k < 3; k++) to[4 * i + k] = a[4 * k + i];
        to[4 * i + 3] = -(a[i] * a[3] + a[4 + i] * a[7] + a[8 + i] * a[11]);
    }
}

static gn_status read_sensor(const gn_json *s, const double dome[12], gn_view *v) {
    double k[9], colour[16], depth[16], d[5], back[12], local[12];
    GN_TRY(matrix(s, "K_depth", 3, k));
    GN_TRY(matrix(s, "M_color", 4, colour));
    GN_TRY(matrix(s, "M_depth", 4, depth));
    if (!gn_json_numbers(gn_json_find(s, "distCoeffs_depth"), 5, d)) GN_FAIL(BAD_DATA, "distCoeffs_depth: expected 5 numbers, k1 k2 p1 p2 k3");
    v->lens = (gn_lens){ .f = { k[0], k[4] }, .c = { k[2], k[5] }, .k = { d[0], d[1], d[4] }, .p = { d[2], d[3] } };
    invert(colour, back);
    compose(back, dome, local);
    compose(depth, local, v->pose);
    return GN_OK;
}

/* A list of times, [i] of "kinect.depth.KINECTNODEi.univ_time" or the like. */
static gn_status times(const char *path, const gn_json *at, const char *const *key, const gn_json **list) {
    for (; *key; key++) {
        const gn_json *next = gn_json_find(at, *key);
        if (!next) GN_FAIL(BAD_DATA, "%s: no '%s'", path, *key);
        at = next;
    }
    if (at->kind != GN_JSON_LIST || !at->n) GN_FAIL(BAD_DATA, "%s: univ_time: expected a list of numbers", path);
    *list = at;
    return GN_OK;
}

static void shut(void *what) { close(((sensor *)what)->fd); }

static gn_status open_depth(gn_arena *a, sensor *s) {
    struct stat st;
    s->fd = open(s->path, O_RDONLY | O_CLOEXEC);
    if (s->fd < 0 || fstat(s->fd, &st)) GN_FAIL(IO, "%s: cannot be read: %s", s->path, strerror(errno));
    GN_TRY(gn_arena_at_end(a, shut, s));
    s->pictures = st.st_size / (2 * PIXELS);
    if (st.st_size % (2 * PIXELS) || !s->pictures)
        GN_FAIL(BAD_DATA, "%s: %lld bytes are no whole number of %d x %d x 2", s->path, (long long)st.st_size, WIDE, HIGH);
    s->on = 1;
    return GN_OK;
}

static gn_status open_sensors(gn_arena *a, reader *r) {
    const char *dome, *kinects, *sync, *hd;
    const gn_json *tree, *table, *list;
    gn_panoptic_camera colour[SENSORS];
    int n, found = 0;
    GN_TRY(gn_panoptic_file(a, r->from, "calibration_", &dome, &r->sequence));
    GN_TRY(gn_panoptic_file(a, r->from, "kcalibration_", &kinects, &r->sequence));
    GN_TRY(gn_panoptic_file(a, r->from, "ksynctables_", &sync, &r->sequence));
    GN_TRY(gn_panoptic_file(a, r->from, "synctables_", &hd, &r->sequence));
    GN_TRY(gn_panoptic_cameras(a, dome, "kinect-color", SENSORS, &n, colour));
    GN_TRY(gn_panoptic_json(a, hd, &tree));
    GN_TRY(times(hd, tree, (const char *const[]){ "hd", "univ_time", NULL }, &r->hd));
    GN_TRY(gn_panoptic_json(a, sync, &table));
    GN_TRY(gn_panoptic_json(a, kinects, &tree));
    list = gn_json_find(tree, "sensors");
    if (!list || list->kind != GN_JSON_LIST) GN_FAIL(BAD_DATA, "%s: expected a map with a list 'sensors'", kinects);
    for (int i = 0; i < list->n && i < SENSORS; i++) {
        sensor *s = &r->sensor[i];
        char name[16], node[24];
        int c = 0;
        snprintf(node, sizeof node, "KINECTNODE%d", i + 1);
        snprintf(name, sizeof name, "50_%02d", i + 1);
        GN_TAKE_TEXT(s->path, a, "%.*s/kinect_shared_depth/%s/depthdata.dat", (int)(strrchr(kinects, '/') - kinects), kinects, node);
        if (!gn_io_exists(s->path)) continue;
        while (c < n && strcmp(colour[c].name, name)) c++;
        if (c == n) GN_FAIL(BAD_DATA, "%s: no camera '%s'", dome, name);
        GN_TRY_AS(read_sensor(&list->item[i], colour[c].view.pose, &s->view), "%s: sensors[%d]", kinects, i);
        GN_TRY(times(sync, table, (const char *const[]){ "kinect", "color", node, "univ_time", NULL }, &s->colour));
        GN_TRY(times(sync, table, (const char *const[]){ "kinect", "depth", node, "univ_time", NULL }, &s->depth));
        GN_TRY(open_depth(a, s));
        found++;
    }
    if (!found) GN_FAIL(MISSING, "%s: no kinect_shared_depth/KINECTNODE1/depthdata.dat or the like", r->from->source);
    return GN_OK;
}

/* --- which picture --- */

/* The nearest time, later ones of two alike left out; its distance. */
static int nearest(const gn_json *list, double t, double late, double *off) {
    int best = -1;
    *off = INFINITY;
    for (int i = 0; i < list->n; i++) {
        const double d = fabs(gn_json_number(&list->item[i], NAN) - late - t);
        if (d < *off) *off = d, best = i;
    }
    return best;
}

static int picture_at(const reader *r, const sensor *s, int64_t frame) {
    double late, off;
    if (frame < 0 || frame + 1 >= r->hd->n) return -1;
    const double t = gn_json_number(&r->hd->item[frame + 1], NAN);
    const int colour = nearest(s->colour, t, colour_late, &late), depth = nearest(s->depth, t, 0, &off);
    if (colour < 0 || depth < 0 || !(late <= colour_off) || !(off <= depth_off)) return -1;
    return fabs(s->depth->item[depth].number - s->colour->item[colour].number) <= pair_off ? depth : -1;
}

static gn_status read_depth(reader *r, const sensor *s, int64_t i) {
    if (i >= s->pictures) GN_FAIL(BAD_DATA, "%s: holds %lld pictures, the sync table has picture %lld", s->path, (long long)s->pictures, (long long)i);
    for (size_t done = 0; done < sizeof r->raw;) {
        const ssize_t n = pread(s->fd, (char *)r->raw + done, sizeof r->raw - done, (off_t)((size_t)i * sizeof r->raw + done));
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) GN_FAIL(IO, "%s: picture %lld cannot be read: %s", s->path, (long long)i, n ? strerror(errno) : "the file ends");
        done += (size_t)n;
    }
    for (int k = 0; k < PIXELS; k++) r->depth[k] = r->raw[k / WIDE * WIDE + WIDE - 1 - k % WIDE];
    return GN_OK;
}

static gn_status put_sensor(reader *r, int k, int bodies, int64_t frame) {
    const sensor *s = &r->sensor[k];
    const int picture = picture_at(r, s, frame);
    r->untimely += picture < 0;
    if (picture < 0) return GN_OK;
    GN_TRY(read_depth(r, s, picture));
    for (int b = 0; b < bodies; b++) {
        gn_import_sample x = { .frame = frame, .group = r->groups + b, .valid = gn_panoptic_valid(r->sequence), .depth = r->depth,
                               .has = GN_HAS_joints2d | GN_HAS_confidence2d | GN_HAS_joints3d | GN_HAS_camera | GN_HAS_pose_of_view };
        snprintf(x.take, sizeof x.take, "%s KINECTNODE%d %d", r->sequence, k + 1, r->body[b].id);
        if (!gn_panoptic_label(&r->body[b], &s->view, WIDE, HIGH, &x)) r->unseen++;
        else GN_TRY(gn_sink_put(r->sink, &x));
    }
    return GN_OK;
}

static gn_status run(gn_arena *a, const gn_import *from, gn_sink *to) {
    const char **frame;
    int n, bodies;
    reader *r;
    GN_TAKE(r, a, 1);
    r->arena = gn_arena_new("a frame");
    r->from = from;
    r->sink = to;
    if (!r->arena) GN_FAIL(NO_MEMORY, "out of memory: an import");
    GN_TRY(open_sensors(a, r));
    GN_TRY(gn_panoptic_frames(a, from, &n, &frame));
    for (int i = 0; i < n; i++) {
        const int64_t number = gn_panoptic_frame(frame[i]);
        if (number % from->every) continue;
        gn_arena_rewind(r->arena);
        GN_TRY(gn_panoptic_bodies(r->arena, frame[i], &bodies, r->body));
        for (int k = 0; k < SENSORS && bodies; k++)
            if (r->sensor[k].on) GN_TRY(put_sensor(r, k, bodies, number));
        r->groups += bodies;
    }
    gn_arena_free(r->arena);
    return gn_sink_note(to, "2D is the 3D projected; %lld pictures have no other near enough in time; %lld views see nothing of a body", (long long)r->untimely,
                        (long long)r->unseen);
}

const gn_importer gn_import_kinoptic = {
    .name = "kinoptic",
    .takes = "a sequence's folder: calibration_, kcalibration_, ksynctables_, synctables_*.json, hdPose3d_stage1_coco19, kinect_shared_depth",
    .about = "CMU Panoptic Studio, domedb.perception.cs.cmu.edu; non-commercial research only",
    .skeleton = &gn_panoptic19,
    .pixels = 1,
    .run = run,
};
