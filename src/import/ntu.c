/* ntu.c - NTU RGB+D (Shahroudy et al., CVPR 2016; Liu et al., TPAMI 2020): .skeleton text of Kinect v2, depth pictures beside it.
 *
 * Frames; of each its bodies; of each 10 values, the number of joints and 12 values a joint: x y z in metres (x to the sensor's
 * left, y up, z away), its place in the depth and the colour picture, a quaternion, a state (2 tracked). No camera is published: the
 * depth camera of a setup is fitted to where it shows the joints. The pictures are stored as a mirror shows them where x grows
 * with the column; they are turned back, so that left stays left. What is not tracked is the sensor's guess and no label. */
#include "gnomon/config.h"
#include "gnomon/image.h"
#include "gnomon/import.h"
#include "gnomon/io.h"
#include <ctype.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { JOINTS = 25, TRACKED = 2, WIDE = 512, HIGH = 424, MOST = 1 << 28, FILES = 1 << 17, BODIES = 6, SETUPS = 100, CAMERAS = 10 };
enum { ENOUGH = 100000, LEAST = 50 }; /* points of a fit: more say nothing new, fewer too little */

/* Of the 106 performers, those of the cross-subject protocol's training; up to 40 they are NTU RGB+D 60's. */
static const unsigned char training[] = { 1,  2,  4,  5,  8,  9,  13, 14, 15, 16, 17, 18, 19, 25, 27, 28, 31, 34, 35, 38, 45, 46, 47, 49, 50, 52, 53,
                                          54, 55, 56, 57, 58, 59, 70, 74, 78, 80, 81, 82, 83, 84, 85, 86, 89, 91, 92, 93, 94, 95, 97, 98, 100, 103 };

typedef struct { double n, a, aa, b, ab; } line;     /* b = slope a + rest, by sums */
typedef struct { line axis[2]; int known, mirrored; gn_lens lens; } eye;
typedef struct { double v[JOINTS][12]; } body;
typedef struct { const char *path, *at; int line; } reader;
typedef struct {
    const gn_import *from;
    gn_sink *to;
    gn_arena *file;                                  /* of a file, and its pictures */
    eye (*eye)[CAMERAS];
    const char *path;
    char name[24], depth[PATH_MAX];                  /* S001C001P001R001A001; its folder of depth pictures, "": none */
    int setup, camera, performer, fitting;
    int64_t frames, empty, bodies;
} job;

static gn_status number(reader *r, const char *what, double *x) {
    char *end;
    for (; isspace((unsigned char)*r->at); r->at++) r->line += *r->at == '\n';
    *x = strtod(r->at, &end);
    if (!*r->at) GN_FAIL(BAD_DATA, "%s:%d: the file ends where %s should be", r->path, r->line, what);
    if (end == r->at || (*end && !isspace((unsigned char)*end))) GN_FAIL(BAD_DATA, "%s:%d: %s: expected a number, found '%s'", r->path, r->line, what, gn_shown(r->at));
    r->at = end;
    return GN_OK;
}

static gn_status count(reader *r, const char *what, double least, double most, int64_t *n) {
    double x;
    GN_TRY(number(r, what, &x));
    if (!(x >= least && x <= most && x == floor(x))) GN_FAIL(BAD_DATA, "%s:%d: %s: expected %g to %g, found %g", r->path, r->line, what, least, most, x);
    *n = (int64_t)x;
    return GN_OK;
}

static gn_status read_body(reader *r, body *b) {
    double skip;
    int64_t n;
    for (int k = 0; k < 10; k++) GN_TRY(number(r, "a body's value", &skip));
    GN_TRY(count(r, "the number of joints", JOINTS, JOINTS, &n));
    for (int j = 0; j < JOINTS; j++)
        for (int k = 0; k < 12; k++) GN_TRY(number(r, "a joint's value", &b->v[j][k]));
    for (int j = 0; j < JOINTS; j++)
        if (!(b->v[j][11] >= 0 && b->v[j][11] <= TRACKED)) GN_FAIL(BAD_DATA, "%s:%d: joint %d has state %g, expected 0, 1 or 2", r->path, r->line, j, b->v[j][11]);
    return GN_OK;
}

static int tracked(const double *v) { return v[11] == TRACKED && !(v[2] <= 0); } /* what is NaN is the sink's to count */

/* --- the depth camera --- */

static void add(line *l, double a, double b) {
    l->n++, l->a += a, l->aa += a * a, l->b += b, l->ab += a * b;
}

static void fit_body(eye *e, const body *b) {
    for (int j = 0; j < JOINTS; j++) {
        const double *v = b->v[j];
        int sound = tracked(v);
        for (int k = 0; k < 5; k++) sound &= isfinite(v[k]) != 0;
        for (int k = 0; k < 2 && sound; k++) add(&e->axis[k], v[k] / v[2], v[3 + k]);
    }
}

/* Slope and rest; 0: too few points, or all in one place. */
static int solve(const line *l, double *slope, double *rest) {
    const double spread = l->aa - l->a * l->a / l->n;
    if (!(l->n >= LEAST && spread > 1e-4 * l->n)) return 0;
    *slope = (l->ab - l->a * l->b / l->n) / spread;
    *rest = (l->b - *slope * l->a) / l->n;
    return 1;
}

static gn_status settle(job *w, int setup, int camera) {
    eye *e = &w->eye[setup][camera];
    double slope[2], rest[2];
    if (!(e->axis[0].n > 0)) return GN_OK;
    if (!solve(&e->axis[0], &slope[0], &rest[0]) || !solve(&e->axis[1], &slope[1], &rest[1])) return GN_OK;
    if (!(slope[1] < -50 && fabs(slope[0] / slope[1]) > 0.8 && fabs(slope[0] / slope[1]) < 1.25))
        GN_FAIL(BAD_DATA, "S%03dC%03d: joints against their depth pixels say focal lengths of %.1f and %.1f: not a Kinect's", setup, camera, slope[0], -slope[1]);
    e->mirrored = slope[0] > 0;
    e->lens = (gn_lens){ { fabs(slope[0]), -slope[1] }, { e->mirrored ? WIDE - 1 - rest[0] : rest[0], rest[1] }, { 0 }, { 0 }, 0 };
    e->known = 1;
    return gn_sink_note(w->to, "S%03dC%03d fitted fx %.1f fy %.1f cx %.1f cy %.1f%s", setup, camera, e->lens.f[0], e->lens.f[1], e->lens.c[0], e->lens.c[1],
                        e->mirrored ? ", mirrored pictures turned back" : "");
}

/* --- depth pictures --- */

static int try_folder(job *w, const char *base, const char *below) {
    return snprintf(w->depth, sizeof w->depth, "%s/%s%s", base, below, w->name) < (int)sizeof w->depth - 32 && gn_io_exists(w->depth);
}

/* Where the owner's archives unpack to, beside the skeletons or below --pictures. */
static gn_status find_depth(job *w) {
    static const char *const below[] = { "", "nturgb+d_depth/", "nturgb+d_depth_masked/" };
    char whole[PATH_MAX];
    const int given = w->from->pictures != NULL;
    w->depth[0] = 0;
    if (w->from->keep == GN_KEEP_NONE) return GN_OK;
    if (!realpath(given ? w->from->pictures : w->path, whole)) GN_FAIL(MISSING, "%s: no such folder of pictures", w->from->pictures);
    for (int up = given ? 0 : 1; up < 3; up++) {
        char *slash = strrchr(whole, '/');
        if (!given && slash) *slash = 0;
        for (int k = !given; k < 3; k++)
            if (try_folder(w, whole, below[k])) return GN_OK;
        if (given) break;
    }
    w->depth[0] = 0;
    if (given) GN_FAIL(MISSING, "%s: no folder %s of depth pictures there; --keep none imports labels alone", w->from->pictures, w->name);
    return GN_OK;
}

static gn_status read_depth(job *w, int64_t frame, int mirrored, uint16_t **depth) {
    char path[PATH_MAX + 32];
    int wide, high;
    snprintf(path, sizeof path, "%s/Depth-%08lld.png", w->depth, (long long)frame + 1);
    if (!gn_io_exists(path)) snprintf(path, sizeof path, "%s/MDepth-%08lld.png", w->depth, (long long)frame + 1);
    *depth = NULL;
    if (!gn_io_exists(path)) {
        if (!w->from->skip_missing) GN_FAIL(MISSING, "%s/Depth-%08lld.png: no such picture; --keep none imports labels alone, --skip-missing what is there", w->depth, (long long)frame + 1);
        gn_sink_pass_over(w->to, "%s frame %lld: no depth picture", w->name, (long long)frame);
        return GN_OK;
    }
    GN_TRY(gn_png_read_grey16(w->file, path, &wide, &high, depth));
    if (wide != WIDE || high != HIGH) GN_FAIL(BAD_DATA, "%s: %d x %d pixels, expected %d x %d", path, wide, high, WIDE, HIGH);
    for (uint16_t *row = *depth; mirrored && row < *depth + WIDE * HIGH; row += WIDE)
        for (int x = 0; x < WIDE / 2; x++) {
            const uint16_t d = row[x];
            row[x] = row[WIDE - 1 - x], row[WIDE - 1 - x] = d;
        }
    return GN_OK;
}

/* --- bodies into samples --- */

static gn_status put_body(job *w, int64_t frame, int which, const body *b, const uint16_t *depth) {
    const eye *e = &w->eye[w->setup][w->camera];
    gn_import_sample x = { .frame = frame, .group = -1, .w = WIDE, .h = HIGH, .depth = depth, .lens = e->lens, .valid = 1 };
    x.has = GN_HAS_joints2d | GN_HAS_joints3d | GN_HAS_camera;
    for (size_t k = 0; k < sizeof training; k++) x.valid &= training[k] != w->performer;
    snprintf(x.take, sizeof x.take, "%s body %d", w->name, which);
    for (int j = 0; j < JOINTS; j++) {
        const double *v = b->v[j];
        x.joints3d[j][0] = -v[0], x.joints3d[j][1] = -v[1], x.joints3d[j][2] = v[2];
        x.joints2d[j][0] = e->mirrored ? WIDE - 1 - v[3] : v[3], x.joints2d[j][1] = v[4];
        x.labelled3d[j] = x.labelled2d[j] = (uint8_t)tracked(v);
    }
    w->bodies++;
    return gn_sink_put(w->to, &x);
}

static gn_status read_frame(job *w, reader *r, int64_t frame, body *b) {
    int64_t bodies;
    uint16_t *depth = NULL;
    eye *e = &w->eye[w->setup][w->camera];
    GN_TRY(count(r, "the number of bodies", 0, BODIES, &bodies));
    for (int k = 0; k < bodies; k++) GN_TRY(read_body(r, &b[k]));
    for (int k = 0; k < bodies && w->fitting; k++) fit_body(e, &b[k]);
    if (w->fitting) return GN_OK;
    w->frames++;
    w->empty += !bodies;
    if (frame % w->from->every || !bodies) return GN_OK;
    gn_arena *kept = w->file;
    w->file = gn_arena_new("a depth picture");
    gn_status status = w->file ? GN_OK : GN_NO_MEMORY;
    if (!status && w->depth[0]) status = read_depth(w, frame, e->mirrored, &depth);
    for (int k = 0; k < bodies && !status && (depth || !w->depth[0]); k++) status = put_body(w, frame, k, &b[k], depth);
    gn_arena_free(w->file);
    w->file = kept;
    return status;
}

/* SsssCcccPpppRrrrAaaa.skeleton */
static gn_status name_file(job *w) {
    const char *name = strrchr(w->path, '/') ? strrchr(w->path, '/') + 1 : w->path;
    int replication, action, used = 0;
    if (sscanf(name, "S%3dC%3dP%3dR%3dA%3d%n", &w->setup, &w->camera, &w->performer, &replication, &action, &used) != 5 || used != 20 ||
        strcmp(name + used, ".skeleton") || w->setup < 0 || w->setup >= SETUPS || w->camera < 0 || w->camera >= CAMERAS)
        GN_FAIL(BAD_DATA, "%s: expected a name SsssCcccPpppRrrrAaaa.skeleton", w->path);
    snprintf(w->name, sizeof w->name, "%.20s", name);
    return GN_OK;
}

static gn_status read_take(job *w) {
    void *bytes;
    size_t n;
    int64_t frames, before = w->bodies;
    body *b;
    GN_TAKE(b, w->file, BODIES);
    GN_TRY(gn_io_read(w->file, w->path, MOST, &bytes, &n));
    reader r = { w->path, bytes, 1 };
    GN_TRY(count(&r, "the number of frames", 0, (double)n, &frames));
    if (!w->fitting && !w->eye[w->setup][w->camera].known) {
        gn_sink_pass_over(w->to, "%s: too few tracked joints in all of S%03dC%03d to fit its camera", w->name, w->setup, w->camera);
        return GN_OK;
    }
    if (!w->fitting) GN_TRY(find_depth(w));
    for (int64_t frame = 0; frame < frames; frame++) GN_TRY(read_frame(w, &r, frame, b));
    r.at += strspn(r.at, " \t\r\n");
    if (*r.at) GN_FAIL(BAD_DATA, "%s:%d: '%s' after the last of %lld frames", r.path, r.line, gn_shown(r.at), (long long)frames);
    if (!w->fitting && w->bodies == before) gn_sink_pass_over(w->to, "%s: no body in any frame", w->name);
    return GN_OK;
}

/* Twice: to fit the cameras, as far as they need it, then for the samples. */
static gn_status pass(job *w, int n, const char *const *path) {
    for (int i = 0; i < n; i++) {
        w->path = path[i];
        GN_TRY(name_file(w));
        if (w->fitting && w->eye[w->setup][w->camera].axis[0].n >= ENOUGH) continue;
        w->file = gn_arena_new("a .skeleton file");
        if (!w->file) GN_FAIL(NO_MEMORY, "out of memory: %s", path[i]);
        GN_TRY(read_take(w));
        gn_arena_free(w->file);
    }
    return GN_OK;
}

static gn_status run(gn_arena *a, const gn_import *from, gn_sink *to) {
    job *w;
    const char *const *path = &from->source, **listed, *itself;
    int n = 1;
    GN_TAKE(w, a, 1);
    *w = (job){ .from = from, .to = to, .fitting = 1 };
    GN_TAKE(w->eye, a, SETUPS);
    GN_TRY(gn_source_file(a, from, ".", &itself));
    if (itself != from->source) {
        GN_TRY(gn_source_list(a, from->source, ".skeleton", FILES, &n, &listed));
        path = listed;
    }
    if (!n) GN_FAIL(MISSING, "%s: no .skeleton there", from->source);
    GN_TRY(pass(w, n, path));
    for (int s = 0; s < SETUPS; s++)
        for (int c = 0; c < CAMERAS; c++) GN_TRY(settle(w, s, c));
    w->fitting = 0;
    GN_TRY(pass(w, n, path));
    return gn_sink_note(to, "%d files, %lld frames, %lld of them without a body; cross-subject split of performers", n, (long long)w->frames, (long long)w->empty);
}

const gn_importer gn_import_ntu = {
    .name = "ntu",
    .takes = "an NTU RGB+D .skeleton file, or a folder of them (nturgb+d_skeletons)",
    .about = "NTU RGB+D (Shahroudy et al. 2016; Liu et al. 2020), rose1.ntu.edu.sg/dataset/actionRecognition; academic use, no redistribution",
    .skeleton = &gn_kinect25,
    .pixels = 4,
    .run = run,
};
