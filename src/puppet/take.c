/* take.c - captured motion for puppets: directions of a take's bones, hung on bodies of our own.
 *
 * Takes of one subject are all for training or all for validation. Half of the draws are mirrored. */
#include "gnomon/hash.h"
#include "gnomon/log.h"
#include "src/puppet/world.h"
#include <stdlib.h>
#include <string.h>

static const double KEPT_RATE = 30; /* poses a second: cameras see no more */

struct gn_take {
    const char *path;
    uint64_t subject;
    double unit; /* metres a file unit */
    int n;
    float rate;
    pose *at;
    uint8_t *leaps;
};

struct gn_motions {
    int takes, subjects;
    gn_take *take;        /* ordered by subject */
    int *first;           /* [subjects + 1] */
};

/* "..SS_TT.bvh": the digits before the last "_TT"; any other name is its own subject. */
static uint64_t subject_of(const char *path) {
    const char *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path, *end = name + strlen(name) - 4,
               *p = end;
    while (p > name && p[-1] >= '0' && p[-1] <= '9') p--;
    if (p < end && p > name && p[-1] == '_') {
        const char *q = --p;
        while (q > name && q[-1] >= '0' && q[-1] <= '9') q--;
        if (q < p) {
            while (q < p - 1 && *q == '0') q++;
            return gn_hash(q, (size_t)(p - q));
        }
    }
    return gn_hash(name, strlen(name));
}

static vec point(double (*at)[3], int k) { return v3((float)at[k][0], (float)at[k][1], (float)at[k][2]); }

static frame axes_of(const gn_bvh *b, const double *m) {
    vec c[3];
    for (int k = 0; k < 3; k++) c[k] = v3((float)m[3 * k], (float)m[3 * k + 1], (float)m[3 * k + 2]);
    /* at rest Bandai's bones lie along x, left is z; the others' axes are the world's, and they face z */
    return strcmp(gn_bvh_dialect(b), "bandai") == 0 ? (frame){ c[2], c[0], c[1] }
                                                    : (frame){ c[0], c[1], c[2] };
}

static void hang(const gn_bvh *b, double (*at)[3], double (*axes)[9], vec start, pose *p) {
    *p = (pose){ .grounded = 0 };
    p->pelvis = axes_of(b, axes[gn_bvh_of(b, GN_BVH_ROOT, 0)]);
    p->chest = axes_of(b, axes[gn_bvh_of(b, GN_BVH_CHEST, 0)]);
    p->head = axes_of(b, axes[gn_bvh_of(b, GN_BVH_HEAD, 0)]);
    float leg = 0;
    for (int k = 0; k < 2; k++) {
        vec hip = point(at, gn_bvh_of(b, GN_BVH_HIP, k)), knee = point(at, gn_bvh_of(b, GN_BVH_KNEE, k)),
            ankle = point(at, gn_bvh_of(b, GN_BVH_ANKLE, k));
        vec shoulder = point(at, gn_bvh_of(b, GN_BVH_SHOULDER, k)),
            elbow = point(at, gn_bvh_of(b, GN_BVH_ELBOW, k)),
            wrist = point(at, gn_bvh_of(b, GN_BVH_WRIST, k));
        int hand = gn_bvh_of(b, GN_BVH_HAND, k);
        vec toe = sub(point(at, gn_bvh_of(b, GN_BVH_TOE, k)), ankle);
        p->root = along(p->root, hip, 0.5f);
        leg += 0.5f * (length(sub(knee, hip)) + length(sub(ankle, knee)));
        p->leg[k][0] = unit(sub(knee, hip));
        p->leg[k][1] = unit(sub(ankle, knee));
        p->arm[k][0] = unit(sub(elbow, shoulder));
        p->arm[k][1] = unit(sub(wrist, elbow));
        p->arm[k][2] = hand < 0 ? p->arm[k][1] : unit(sub(point(at, hand), wrist));
        /* a toe joint lies at the sole, ours at the ankle's height: 20 degrees up */
        vec shin = p->leg[k][1], flat = unit(toe), hinge = unit(cross(flat, shin));
        p->leg[k][2] = unit(along(scale(flat, cosf(20 * DEGREES)), cross(flat, hinge), sinf(20 * DEGREES)));
    }
    p->root = v3(p->root.x - start.x, p->root.y / (leg * 1.09f),
                 p->root.z - start.z); /* hip height over leg, as in body.c */
}

/* Keeps every so many frames; the bones' lengths are let go. */
static gn_status take_of(gn_arena *a, const gn_bvh *b, gn_take *t) {
    int64_t step = (int64_t)(gn_bvh_rate(b) / KEPT_RATE + 0.5), first = gn_bvh_first(b);
    if (step < 1) step = 1;
    t->n = (int)((gn_bvh_frames(b) - first + step - 1) / step);
    t->rate = (float)(gn_bvh_rate(b) / (double)step);
    GN_TAKE(t->at, a, t->n);
    GN_TAKE(t->leaps, a, t->n);
    double(*at)[3], (*axes)[9];
    GN_TAKE(at, a, gn_bvh_joints(b));
    GN_TAKE(axes, a, gn_bvh_joints(b));
    vec start = v3(0, 0, 0);
    for (int k = 0; k < t->n; k++) {
        int64_t now = first + k * step;
        gn_bvh_pose(b, now, at, axes);
        if (!k)
            start = mix(point(at, gn_bvh_of(b, GN_BVH_HIP, 0)), point(at, gn_bvh_of(b, GN_BVH_HIP, 1)), 0.5f);
        hang(b, at, axes, start, &t->at[k]);
        for (int64_t j = now; j < now + step && j < gn_bvh_frames(b); j++)
            t->leaps[k] |= (uint8_t)gn_bvh_leaps(b, j);
    }
    return GN_OK;
}

static gn_status load(gn_arena *a, const char *path, gn_take *t) {
    gn_arena *own = gn_arena_new("take");
    if (!own) GN_FAIL(NO_MEMORY, "out of memory: a take");
    gn_bvh *b;
    gn_status status = gn_bvh_read(own, path, &b);
    if (!status) status = gn_bvh_check(b);
    if (!status) t->unit = gn_bvh_unit(b), status = take_of(a, b, t);
    gn_arena_free(own);
    return status;
}

static int by_subject(const void *a, const void *b) {
    const gn_take *s = a, *t = b;
    return s->subject != t->subject ? (s->subject < t->subject ? -1 : 1) : strcmp(s->path, t->path);
}

/* Subjects in the order of their hashes: every fifth is for validation. With one subject its takes are
 * shared out the same way; a single take serves both. */
static void share_out(gn_take *t, int n, int valid, int *kept) {
    int subjects = 0;
    for (int k = 0; k < n; k++) subjects += !k || t[k].subject != t[k - 1].subject;
    int number = -1, out = 0;
    for (int k = 0; k < n; k++) {
        number += subjects == 1 || !k || t[k].subject != t[k - 1].subject;
        if (n == 1 || (number % 5 == 0) == valid) t[out++] = t[k];
    }
    *kept = out;
}

/* "0.01 m (75 takes), 1 m (1 take)" */
static const char *units_text(gn_arena *a, const gn_motions *m) {
    const char *text = "";
    for (int k = 0; k < m->takes && text; k++) {
        int before = 0, same = 0;
        for (int j = 0; j < m->takes; j++)
            if (m->take[j].unit == m->take[k].unit) j < k ? before++ : same++;
        if (!before)
            text = gn_arena_text(a, "%s%s%.4g m (%d take%s)", text, *text ? ", " : "", m->take[k].unit, same,
                                 same == 1 ? "" : "s");
    }
    return text ? text : "";
}

gn_status gn_motions_open(gn_arena *a, const char *folder, int valid, gn_motions **out) {
    gn_motions *m;
    static const char *const endings[] = { ".bvh", NULL };
    files l;
    GN_TAKE(m, a, 1);
    GN_TRY_AS(gn_files_below(a, folder, endings, &l), "motion");
    GN_TAKE(m->take, a, l.n);
    for (int k = 0; k < l.n; k++) m->take[k].path = l.path[k], m->take[k].subject = subject_of(l.path[k]);
    qsort(m->take, (size_t)l.n, sizeof *m->take, by_subject);
    int mine, refused = 0;
    share_out(m->take, l.n, valid, &mine);
    for (int k = 0; k < mine; k++) {
        gn_take t = m->take[k];
        gn_status status = load(a, t.path, &t);
        if (status == GN_NO_MEMORY) return status;
        if (status) {
            gn_warn("%s", gn_reason());
            gn_trail_clear();
            refused++;
        } else m->take[m->takes++] = t;
    }
    if (!m->takes)
        GN_FAIL(BAD_DATA, "motion '%s': none of %d takes for %s can be used", folder, mine,
                valid ? "validation" : "training");
    GN_TAKE(m->first, a, m->takes + 1);
    for (int k = 0; k < m->takes; k++)
        if (!k || m->take[k].subject != m->take[k - 1].subject) m->first[m->subjects++] = k;
    m->first[m->subjects] = m->takes;
    gn_log("motion '%s': %d of %d takes for %s, %d subjects, %d takes refused; file units %s", folder, m->takes,
           l.n, valid ? "validation" : "training", m->subjects, refused, units_text(a, m));
    *out = m;
    return GN_OK;
}

/* Subject, take, moment: who was captured at length is not seen more often. */
void gn_take_pick(dice *d, const gn_motions *c, motion *m) {
    int subject = pick(d, c->subjects), from = c->first[subject];
    const gn_take *t = m->take = &c->take[from + pick(d, c->first[subject + 1] - from)];
    m->mirrored = pick(d, 2);
    int at = pick(d, t->n);
    for (int tries = 0; t->leaps[at] && tries < t->n; tries++) at = (at + 1) % t->n;
    m->start = (float)at / t->rate;
}

static vec flipped(vec a) { return v3(-a.x, a.y, a.z); }
static frame mirrored(frame f) { return (frame){ scale(flipped(f.x), -1), flipped(f.y), flipped(f.z) }; }

void gn_take_at(const motion *m, float seconds, pose *p) {
    const gn_take *t = m->take;
    int start = (int)(m->start * t->rate + 0.5f), k = (int)((m->start + seconds) * t->rate + 0.5f);
    const pose *from = &t->at[start], *at = &t->at[k < t->n ? k : t->n - 1];
    *p = *at;
    p->root.x -= from->root.x; /* every draw begins where it stands */
    p->root.z -= from->root.z;
    if (!m->mirrored) return;
    p->root = flipped(p->root);
    p->pelvis = mirrored(p->pelvis);
    p->chest = mirrored(p->chest);
    p->head = mirrored(p->head);
    for (int j = 0; j < 3; j++)
        for (int side = 0; side < 2; side++) {
            p->arm[side][j] = flipped(at->arm[1 - side][j]);
            p->leg[side][j] = flipped(at->leg[1 - side][j]);
        }
}
