/* h36m_npz.c - VideoPose3D's files (Pavllo et al., CVPR 2019).
 *
 * data_3d_h36m.npz: positions_3d, subject to action to [F 32 3], metres of the world. data_2d_h36m_*.npz: positions_2d,
 * subject to action to four cameras' [F 17 2], pixels: the projected truth, or a detector's. The cameras are in neither. Their
 * projection takes the glass's two tangential numbers the other way round than the owners': what was projected so is read so. */
#include "gnomon/config.h"
#include "gnomon/io.h"
#include "src/import/array.h"
#include "src/import/h36m.h"
#include "src/import/zip.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { TRIALS = 8 }; /* moments of a take that say how cameras are meant */

typedef struct {
    gn_arena *arena;
    const gn_import *from;
    gn_sink *to;
    const char *path, *path2d;     /* of the poses, of their 2D; NULL: none, it is projected */
    const gn_py *poses, *seen;
    gn_h36m_cameras cameras;
    int swapped;                   /* 1: the 2D was projected with the glass as VideoPose3D has it */
    int64_t group, broken;
} reader;

typedef struct {
    int subject;
    const char *action;
    const gn_array *world, *seen[GN_H36M_VIEWS];
} take;

static gn_status open_npz(gn_arena *a, const char *path, const char *name, const gn_py **tree) {
    gn_zip *z;
    const unsigned char *bytes;
    size_t n;
    const char *member, *what;
    GN_TAKE_TEXT(member, a, "%s.npy", name);
    GN_TRY(gn_zip_open(a, path, &z));
    const gn_zip_member *m = gn_zip_find(z, member);
    if (!m) GN_FAIL(BAD_DATA, "%s: expected a member %s, found%s%s", path, member, z->n ? " " : " none", z->n ? gn_shown(z->member[0].name) : "");
    GN_TRY(gn_zip_read(a, z, m, &bytes, &n));
    GN_TAKE_TEXT(what, a, "%s: %s", path, name);
    GN_TRY(gn_npy_read(a, what, bytes, n, tree));
    if ((*tree)->kind == GN_PY_ARRAY) *tree = gn_py_at(*tree, 0); /* a single object */
    if (!*tree || (*tree)->kind != GN_PY_MAP) GN_FAIL(BAD_DATA, "%s: expected a dict of subjects", what);
    return GN_OK;
}

static gn_status extents(const reader *r, const char *path, const take *t, const gn_py *py, int joints, int wide, const gn_array **x) {
    *x = py ? &py->array : NULL;
    if (!py || py->kind != GN_PY_ARRAY || (*x)->rank != 3 || (*x)->d[1] != joints || (*x)->d[2] != wide || !(*x)->data)
        GN_FAIL(BAD_DATA, "%s: S%d %s: expected numbers [frames %d %d]", path ? path : r->path, t->subject, gn_shown(t->action), joints, wide);
    return GN_OK;
}

static gn_status name_take(const reader *r, int s, int k, take *t) {
    const gn_py *subject = r->poses->key[s], *action = r->poses->item[s]->key[k];
    char *end = NULL;
    const long number = subject->kind == GN_PY_TEXT && subject->text[0] == 'S' ? strtol(subject->text + 1, &end, 10) : 0;
    if (!end || *end || number < 1 || number > GN_H36M_PEOPLE || action->kind != GN_PY_TEXT)
        GN_FAIL(BAD_DATA, "%s: expected S1 to S%d, each with actions by name", r->path, GN_H36M_PEOPLE);
    *t = (take){ .subject = (int)number, .action = action->text };
    return GN_OK;
}

static gn_status find_take(const reader *r, int s, int k, take *t) {
    GN_TRY(name_take(r, s, k, t));
    GN_TRY(extents(r, NULL, t, r->poses->item[s]->item[k], GN_H36M_RAW, 3, &t->world));
    const gn_py *seen = gn_py_find(gn_py_find(r->seen, r->poses->key[s]->text), t->action);
    for (int v = 0; v < GN_H36M_VIEWS && r->seen; v++) {
        GN_TRY(extents(r, r->path2d, t, gn_py_at(seen, v), GN_H36M_JOINTS, 2, &t->seen[v]));
        if (t->seen[v]->d[0] < t->world->d[0])
            GN_FAIL(BAD_DATA, "%s: S%d %s, camera %d: %lld frames of 2D for %lld of 3D", r->path2d, t->subject, gn_shown(t->action), v + 1, (long long)t->seen[v]->d[0],
                    (long long)t->world->d[0]);
    }
    return GN_OK;
}

static void world_at(const take *t, int64_t frame, double world[GN_H36M_JOINTS][3]) {
    for (int j = 0; j < GN_H36M_JOINTS; j++)
        for (int k = 0; k < 3; k++) world[j][k] = gn_array_number(t->world, (frame * GN_H36M_RAW + gn_h36m_of_raw[j]) * 3 + k);
}

static void seen_at(const take *t, int v, int64_t frame, double uv[GN_H36M_JOINTS][2]) {
    for (int j = 0; j < GN_H36M_JOINTS; j++)
        for (int k = 0; k < 2; k++) uv[j][k] = gn_array_number(t->seen[v], (frame * GN_H36M_JOINTS + j) * 2 + k);
}

static gn_lens lens_of(const reader *r, int subject, int v) {
    gn_lens l = r->cameras.view[subject][v].lens;
    if (!r->swapped) return l;
    const double p = l.p[0];
    l.p[0] = l.p[1], l.p[1] = p;
    return l;
}

/* --- how the cameras and the glass are meant --- */

typedef struct { double off[2]; gn_h36m_trial reading; } trial;

static void try_take(reader *r, const take *t, trial *e) {
    double world[GN_H36M_JOINTS][3], uv[GN_H36M_JOINTS][2];
    for (int i = 0; i < TRIALS; i++) {
        const int64_t frame = i * (t->world->d[0] - 1) / TRIALS;
        world_at(t, frame, world);
        for (int v = 0; v < GN_H36M_VIEWS; v++) {
            const double box[4] = { 0, 0, gn_h36m_eyes[v].w, gn_h36m_eyes[v].h };
            if (r->seen) seen_at(t, v, frame, uv);
            gn_h36m_try(&r->cameras, t->subject, v, world, r->seen ? uv : NULL, box, &e->reading);
        }
    }
}

static void try_glass(reader *r, const take *t, trial *e) {
    double world[GN_H36M_JOINTS][3], uv[GN_H36M_JOINTS][2], pose[12], at[2];
    world_at(t, 0, world);
    for (int v = 0; v < GN_H36M_VIEWS; v++) {
        if (!gn_h36m_pose(&r->cameras, r->cameras.reading, t->subject, v, pose)) continue;
        seen_at(t, v, 0, uv);
        for (r->swapped = 0; r->swapped < 2; r->swapped++) {
            gn_import_sample x = { 0 };
            const gn_lens lens = lens_of(r, t->subject, v);
            gn_h36m_place(pose, &lens, world, &x);
            for (int j = 0; j < GN_H36M_JOINTS; j++) {
                gn_lens_project(&lens, x.joints3d[j], at);
                e->off[r->swapped] += hypot(at[0] - uv[j][0], at[1] - uv[j][1]);
            }
        }
    }
    r->swapped = 0;
}

static gn_status each(reader *r, gn_status (*of)(reader *r, const take *t, void *what), void *what) {
    take t;
    for (int s = 0; s < r->poses->n; s++) {
        const gn_py *actions = r->poses->item[s];
        if (actions->kind != GN_PY_MAP) GN_FAIL(BAD_DATA, "%s: expected S1 to S%d, each with actions by name", r->path, GN_H36M_PEOPLE);
        for (int k = 0; k < actions->n; k++) {
            GN_TRY(name_take(r, s, k, &t));
            if (gn_h36m_broken(t.subject, t.action)) {
                r->broken++;
                continue;
            }
            GN_TRY(find_take(r, s, k, &t));
            if (t.world->d[0]) GN_TRY(of(r, &t, what));
        }
    }
    return GN_OK;
}

static gn_status try_one(reader *r, const take *t, void *what) {
    try_take(r, t, what);
    return GN_OK;
}
static gn_status try_lens(reader *r, const take *t, void *what) {
    try_glass(r, t, what);
    return GN_OK;
}

static gn_status settle(reader *r) {
    trial e = { 0 };
    GN_TRY(each(r, try_one, &e));
    if (!e.reading.n) GN_FAIL(BAD_DATA, "%s: no pose of a subject whose cameras %s knows", r->path, r->cameras.path);
    GN_TRY(gn_h36m_settle(&r->cameras, &e.reading, r->to));
    if (!r->seen) return gn_sink_note(r->to, "2D is 3D projected");
    GN_TRY(each(r, try_lens, &e));
    r->swapped = e.off[1] < e.off[0];
    r->broken = 0;
    return gn_sink_note(r->to, "2D of %s%s", strrchr(r->path2d, '/') ? strrchr(r->path2d, '/') + 1 : r->path2d,
                        r->swapped ? ", projected with the tangential numbers of the glass exchanged" : "");
}

/* --- samples --- */

static gn_status put_moment(reader *r, const take *t, int64_t frame) {
    double world[GN_H36M_JOINTS][3], pose[12];
    world_at(t, frame, world);
    for (int v = 0; v < GN_H36M_VIEWS; v++) {
        gn_import_sample x = { .frame = frame, .group = r->group, .valid = gn_h36m_valid(t->subject), .w = gn_h36m_eyes[v].w, .h = gn_h36m_eyes[v].h };
        if (!gn_h36m_pose(&r->cameras, r->cameras.reading, t->subject, v, pose)) continue;
        const gn_lens lens = lens_of(r, t->subject, v);
        snprintf(x.take, sizeof x.take, "S%d %s %s", t->subject, t->action, gn_h36m_eyes[v].name);
        gn_h36m_place(pose, &lens, world, &x);
        gn_h36m_project(&x);
        if (r->seen) seen_at(t, v, frame, x.joints2d);
        for (int j = 0; j < GN_H36M_JOINTS && r->seen; j++) x.labelled2d[j] = 1;
        GN_TRY(gn_sink_put(r->to, &x));
    }
    r->group++;
    return GN_OK;
}

static gn_status put_take(reader *r, const take *t, void *what) {
    int known = 0;
    (void)what;
    for (int v = 0; v < GN_H36M_VIEWS; v++) known += r->cameras.view[t->subject][v].known;
    if (!known) {
        gn_sink_pass_over(r->to, "S%d %s: %s does not know this subject's cameras", t->subject, t->action, r->cameras.path);
        return GN_OK;
    }
    for (int64_t frame = 0; frame < t->world->d[0]; frame += r->from->every) GN_TRY(put_moment(r, t, frame));
    return GN_OK;
}

/* Named itself, a file of 2D is asked for: the poses lie beside it. */
static gn_status name_files(reader *r, const char *folder, const char *path) {
    const char *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
    r->path = path;
    if (!strncmp(name, "data_2d", 7)) {
        r->path2d = path;
        GN_TAKE_TEXT(r->path, r->arena, "%s/data_3d_h36m.npz", folder);
        return GN_OK;
    }
    GN_TAKE_TEXT(r->path2d, r->arena, "%s/data_2d_h36m_gt.npz", folder);
    if (!gn_io_exists(r->path2d)) r->path2d = NULL;
    return GN_OK;
}

gn_status gn_h36m_npz(gn_arena *a, const gn_import *from, const char *path, gn_sink *to) {
    reader *r;
    const char *folder, *slash = strrchr(path, '/');
    GN_TAKE(r, a, 1);
    *r = (reader){ .arena = a, .from = from, .to = to };
    GN_TAKE_TEXT(folder, a, "%.*s", slash ? (int)(slash - path) : 1, slash ? path : ".");
    GN_TRY(name_files(r, folder, path));
    GN_TRY(open_npz(a, r->path, "positions_3d", &r->poses));
    if (r->path2d) GN_TRY(open_npz(a, r->path2d, "positions_2d", &r->seen));
    GN_TRY(gn_h36m_cameras_find(a, folder, &r->cameras));
    GN_TRY(settle(r));
    r->broken = 0;
    GN_TRY(each(r, put_take, NULL));
    for (; r->broken > 0; r->broken--) gn_sink_pass_over(to, "S11 Directions: its video and its poses are not of one take");
    return GN_OK;
}
