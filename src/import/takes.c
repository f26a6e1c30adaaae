/* takes.c - BVH as a pose set: every take before a camera that we set, since a BVH has none.
 *
 * The camera stands still, DISTANCE before the take's nearest frame, at the height and in the middle of the pelvis's range, looks
 * against the world's z, into the face of who stands as the files' first frames do, and has Human3.6M's focal length. 2D is
 * 3D projected. Joints that a dialect has no point for are absent. */
#include "gnomon/import.h"
#include "gnomon/puppet.h"
#include <float.h>
#include <math.h>
#include <string.h>

enum { FILES = 1 << 14, JOINTS = 256, EVERY_FIFTH = 5, NAMES = 4096 };
static const double DISTANCE = 5, FOCAL = 1145; /* metres, pixels */

/* Two joints: their middle. The dialect's own names stand where a role would say something else. */
static const struct { const char *joint; gn_bvh_role role; int side, both; } roles[] = {
    { "pelvis", GN_BVH_HIP, 0, 1 },       { "r_hip", GN_BVH_HIP, 0, 0 },     { "r_knee", GN_BVH_KNEE, 0, 0 },     { "r_ankle", GN_BVH_ANKLE, 0, 0 },
    { "l_hip", GN_BVH_HIP, 1, 0 },        { "l_knee", GN_BVH_KNEE, 1, 0 },   { "l_ankle", GN_BVH_ANKLE, 1, 0 },   { "thorax", GN_BVH_NECK, 0, 0 },
    { "l_shoulder", GN_BVH_SHOULDER, 1, 0 }, { "l_elbow", GN_BVH_ELBOW, 1, 0 }, { "l_wrist", GN_BVH_WRIST, 1, 0 }, { "r_shoulder", GN_BVH_SHOULDER, 0, 0 },
    { "r_elbow", GN_BVH_ELBOW, 0, 0 },    { "r_wrist", GN_BVH_WRIST, 0, 0 },
};
static const struct { const char *dialect, *joint, *name; } own[] = {
    { "3dsmax", "spine", "Chest2" }, { "3dsmax", "head_top", "Head." }, { "bandai", "spine", "Chest" },
};

typedef struct { int of[GN_JOINTS][2]; } points; /* -1: the dialect has none */

static void find_points(const gn_bvh *b, points *p) {
    for (int j = 0; j < GN_JOINTS; j++) p->of[j][0] = p->of[j][1] = -1;
    for (size_t k = 0; k < sizeof roles / sizeof *roles; k++) {
        int *of = p->of[gn_joint_find(&gn_h36m17, roles[k].joint)];
        of[0] = gn_bvh_of(b, roles[k].role, roles[k].side);
        of[1] = gn_bvh_of(b, roles[k].role, roles[k].both ? 1 - roles[k].side : roles[k].side);
    }
    for (size_t k = 0; k < sizeof own / sizeof *own; k++)
        if (!strcmp(own[k].dialect, gn_bvh_dialect(b))) {
            int *of = p->of[gn_joint_find(&gn_h36m17, own[k].joint)];
            of[0] = of[1] = gn_bvh_joint(b, own[k].name);
        }
}

static void world_of(const points *p, double (*at)[3], int j, double world[3]) {
    for (int k = 0; k < 3; k++) world[k] = (at[p->of[j][0]][k] + at[p->of[j][1]][k]) / 2;
}

/* From the world, y up, to the camera: turned about x by half a circle, then moved. */
static void set_camera(const gn_bvh *b, const points *p, double pose[12]) {
    const int pelvis = gn_joint_find(&gn_h36m17, "pelvis");
    double at[JOINTS][3], x[3], least[3] = { DBL_MAX, DBL_MAX, DBL_MAX }, most[3] = { -DBL_MAX, -DBL_MAX, -DBL_MAX };
    for (int64_t frame = gn_bvh_first(b); frame < gn_bvh_frames(b); frame++) {
        gn_bvh_pose(b, frame, at, NULL);
        world_of(p, at, pelvis, x);
        for (int k = 0; k < 3; k++) least[k] = fmin(least[k], x[k]), most[k] = fmax(most[k], x[k]);
    }
    const double set[12] = { 1, 0, 0, -(least[0] + most[0]) / 2, 0, -1, 0, (least[1] + most[1]) / 2, 0, 0, -1, most[2] + DISTANCE };
    memcpy(pose, set, sizeof set);
}

static void fill(const points *p, double (*at)[3], gn_import_sample *x) {
    for (int j = 0; j < gn_h36m17.joints; j++) {
        const double *m = x->pose_of_view;
        double w[3];
        if (p->of[j][0] < 0 || p->of[j][1] < 0) continue;
        world_of(p, at, j, w);
        for (int i = 0; i < 3; i++) x->joints3d[j][i] = m[4 * i] * w[0] + m[4 * i + 1] * w[1] + m[4 * i + 2] * w[2] + m[4 * i + 3];
        x->labelled3d[j] = 1;
        x->labelled2d[j] = x->joints3d[j][2] > 0;
        if (x->labelled2d[j]) gn_lens_project(&x->lens, x->joints3d[j], x->joints2d[j]);
    }
}

static gn_status put_take(const gn_import *from, gn_sink *to, const gn_bvh *b, const char *name, int valid, int64_t *leaps) {
    double at[JOINTS][3], pose[12];
    points p;
    find_points(b, &p);
    set_camera(b, &p, pose);
    for (int64_t frame = gn_bvh_first(b); frame < gn_bvh_frames(b); frame++) {
        if ((frame - gn_bvh_first(b)) % from->every) continue;
        if (gn_bvh_leaps(b, frame)) {
            ++*leaps;
            continue;
        }
        gn_import_sample x = { .frame = frame, .group = -1, .valid = valid, .w = GN_PUPPET_FRAME, .h = GN_PUPPET_FRAME };
        x.has = GN_HAS_joints2d | GN_HAS_joints3d | GN_HAS_camera | GN_HAS_pose_of_view;
        for (int k = 0; k < 2; k++) x.lens.f[k] = FOCAL, x.lens.c[k] = (GN_PUPPET_FRAME - 1) / 2.0;
        memcpy(x.pose_of_view, pose, sizeof pose);
        snprintf(x.take, sizeof x.take, "%s", name);
        gn_bvh_pose(b, frame, at, NULL);
        fill(&p, at, &x);
        GN_TRY(gn_sink_put(to, &x));
    }
    return GN_OK;
}

/* --- a folder of takes --- */

static const char *name_of(const char *path) { return strrchr(path, '/') ? strrchr(path, '/') + 1 : path; }

/* Letters of a name that say whose take it is: "02" of "02_01.bvh", all where it is named otherwise. */
static size_t subject_of(const char *name) {
    const size_t n = strspn(name, "0123456789"), trial = name[n] == '_' ? strspn(name + n + 1, "0123456789") : 0;
    return n && trial && !strcmp(name + n + 1 + trial, ".bvh") ? n : strlen(name);
}

static int same_subject(const char *a, const char *b) {
    const size_t n = subject_of(a);
    return n == subject_of(b) && !strncmp(a, b, n);
}

/* Every fifth subject, by name, is for validation; of one subject every fifth take. */
static void share_out(int n, const char *const *path, uint8_t *valid) {
    int subjects = 0, number = -1;
    for (int i = 0; i < n; i++) subjects += !i || !same_subject(name_of(path[i - 1]), name_of(path[i]));
    for (int i = 0; i < n; i++) {
        number += subjects == 1 || !i || !same_subject(name_of(path[i - 1]), name_of(path[i]));
        valid[i] = number % EVERY_FIFTH == EVERY_FIFTH - 1;
    }
}

typedef struct { int64_t leaps, refused; size_t named; char names[NAMES]; } account;

/* A take that moves as nobody does is left out and named; a file that is no BVH ends the import. */
static gn_status read_take(const gn_import *from, gn_sink *to, const char *path, int alone, int valid, account *c) {
    gn_arena *a = gn_arena_new("a take");
    gn_bvh *b;
    if (!a) GN_FAIL(NO_MEMORY, "out of memory: %s", path);
    GN_TRY(gn_bvh_read(a, path, &b));
    const gn_status broken = gn_bvh_check(b);
    if (broken && alone) return gn_pass(broken, __FILE__, __LINE__);
    if (broken) {
        gn_sink_pass_over(to, "%s", gn_reason());
        gn_trail_clear();
        const int n = snprintf(c->names + c->named, NAMES - c->named, "%s%s", c->refused++ ? ", " : "", name_of(path));
        c->named += n > 0 && (size_t)n < NAMES - c->named ? (size_t)n : 0;
        c->names[c->named] = 0;
    } else GN_TRY(put_take(from, to, b, name_of(path), valid, &c->leaps));
    gn_arena_free(a);
    return GN_OK;
}

static gn_status run(gn_arena *a, const gn_import *from, gn_sink *to) {
    const char *const *path = &from->source, **listed, *itself;
    int n = 1;
    uint8_t *valid;
    account *c;
    GN_TRY(gn_source_file(a, from, ".", &itself));
    if (itself != from->source) {
        GN_TRY(gn_source_list(a, from->source, ".bvh", FILES, &n, &listed));
        path = listed;
    }
    if (!n) GN_FAIL(MISSING, "%s: no .bvh there", from->source);
    GN_TAKE(valid, a, n);
    GN_TAKE(c, a, 1);
    share_out(n, path, valid);
    for (int i = 0; i < n; i++) GN_TRY(read_take(from, to, path[i], n == 1, valid[i], c));
    GN_TRY(gn_sink_note(to, "%d takes, %lld refused%s%s; %lld frames with leaps left out", n, (long long)c->refused, c->refused ? ": " : "", c->names, (long long)c->leaps));
    return gn_sink_note(to, "virtual camera of each take: still, %g m before its nearest frame, f %g of %d pixels; every fifth subject for validation", DISTANCE, FOCAL,
                        GN_PUPPET_FRAME);
}

const gn_importer gn_import_bvh = {
    .name = "bvh",
    .takes = "a .bvh of the dialects daz, 3dsmax or bandai, or a folder of them",
    .about = "BVH motion before virtual cameras; the recording's owner says the licence",
    .skeleton = &gn_h36m17,
    .run = run,
};
