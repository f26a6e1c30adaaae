/* metric.c - the metrics there are, and the meter that computes them all.
 *
 * Every metric is a mean of terms; a term belongs to a joint. So one tally serves values, tables a
 * joint, and baselines. Poses are in mm about the pelvis here. */
#include "gnomon/metric.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MEAN_POSE "mean of the true poses of the same samples"
#define AT_ROOT MEAN_POSE ", put at the true root"
#define UNEVEN "mean absolute difference of left and right length"

/* name, group, title, unit, less is better, protocol, baseline; in the order of tables */
#define METRICS(M)                                                                                                     \
    M(pckh, "2D", "PCKh@0.5", "%", 0,                                                                                  \
      "labelled joints (no pelvis, no thorax) off by less than half the head segment", "mean position of each joint")  \
    M(pck, "2D", "PCK@0.05 of the picture", "%", 0,                                                                    \
      "Zhou 2017: ankles, knees, hips, wrists, elbows off by at most 1/20 of the picture",                             \
      "mean position of each joint")                                                                                   \
    M(mpjpe_mm, "3D", "MPJPE, root-aligned", "mm", 1,                                                                  \
      "mean joint error, root aligned, no scale or rotation; metres from pixels by the true camera and root depth",    \
      MEAN_POSE)                                                                                                       \
    M(canonical_mpjpe_mm, "3D", "MPJPE, canonical scale", "mm", 1,                                                     \
      "Zhou 2017: weak perspective, bones scaled to sum to 4296.99 mm for everybody, root aligned; the joint "         \
      "between pelvis and neck is their middle",                                                                       \
      MEAN_POSE ", not rescaled")                                                                                      \
    M(n_mpjpe_mm, "3D", "N-MPJPE", "mm", 1, "root aligned, then the best scale a pose", MEAN_POSE ", scaled alike")    \
    M(pa_mpjpe_mm, "3D", "PA-MPJPE", "mm", 1, "best similarity a pose: scale, rotation without reflection, shift",     \
      MEAN_POSE ", aligned alike")                                                                                     \
    M(own2d_mpjpe_mm, "3D", "MPJPE, own 2D with mean depth", "mm", 1,                                                  \
      "as mpjpe_mm, of the model's own 2D with the mean true depth of each joint", MEAN_POSE)                          \
    M(pck3d, "3D", "3DPCK@150 mm", "%", 0,                                                                             \
      "share of 14 joints (no pelvis, no thorax) less than 150 mm off, root aligned", MEAN_POSE)                       \
    M(auc3d, "3D", "AUC of 3DPCK", "%", 0, "mean of pck3d over the thresholds 0, 5, ... 150 mm", MEAN_POSE)            \
    M(mpjpe_abs_mm, "3D", "MPJPE, absolute", "mm", 1,                                                                  \
      "mean joint error in camera coordinates, nothing aligned; root depth: as mpjpe_mm", AT_ROOT)                     \
    M(map10, "3D", "mAP@10 cm", "%", 0,                                                                                \
      "ITOP: joints less than 100 mm off in camera coordinates, nothing aligned, all joints alike; root depth: as "    \
      "mpjpe_mm",                                                                                                      \
      AT_ROOT)                                                                                                         \
    M(depth_mm, "depth", "depth error, root-relative", "mm", 1,                                                        \
      "mean absolute error of the depth below the root, root left out", "best constant depth of each joint")           \
    M(depth_order, "depth", "depth order right", "%", 0,                                                               \
      "limb ends on the right side of their parent, of those more than 100 mm apart in depth",                         \
      "each limb's more frequent order")                                                                               \
    M(upper_arm_mm, "symmetry", "upper arm, left against right", "mm", 1, UNEVEN, NULL)                                \
    M(lower_arm_mm, "symmetry", "lower arm, left against right", "mm", 1, UNEVEN, NULL)                                \
    M(upper_leg_mm, "symmetry", "upper leg, left against right", "mm", 1, UNEVEN, NULL)                                \
    M(lower_leg_mm, "symmetry", "lower leg, left against right", "mm", 1, UNEVEN, NULL)

enum {
#define PLACE(name, group, title, unit, less, protocol, baseline) name,
    METRICS(PLACE)
#undef PLACE
    COUNT
};
#define RECORD(name, group, title, unit, less, protocol, baseline)                                                                   \
    static const gn_metric metric_##name = { #name, group, title, unit, protocol, baseline, less };
METRICS(RECORD)
#undef RECORD
const gn_metric *const gn_metrics[] = {
#define ENTRY(name, group, title, unit, less, protocol, baseline) &metric_##name,
    METRICS(ENTRY)
#undef ENTRY
    NULL
};

const gn_metric *gn_metric_find(const char *name) {
    for (int i = 0; i < COUNT; i++)
        if (!strcmp(gn_metrics[i]->name, name)) return gn_metrics[i];
    return NULL;
}

struct gn_meter {
    const gn_skeleton *skeleton;
    int64_t n, most;
    gn_judged *judged;
};

typedef struct { double sum[GN_JOINTS]; int64_t n[GN_JOINTS]; } tally;
typedef enum { MODEL, BASELINE } who;
typedef double pose[GN_JOINTS][3];

typedef struct {
    const gn_skeleton *skeleton;
    int J, pelvis, neck, spine;              /* spine: the joint between pelvis and neck; -1: not in this skeleton */
    uint8_t in_pck3d[GN_JOINTS], in_pckh[GN_JOINTS], in_pck[GN_JOINTS];
    struct { int a, b; } limb[4][2];         /* left, right; a -1: not in this skeleton */
    pose mean;                               /* of the truth */
    double mean_uv[GN_JOINTS][2], depth[GN_JOINTS]; /* means; median */
    tally tally[COUNT][2];
} sheet;

static void put(sheet *s, int metric, who w, int joint, double term) {
    s->tally[metric][w].sum[joint] += term;
    s->tally[metric][w].n[joint]++;
}

/* --- the meter --- */

gn_status gn_meter_open(gn_arena *a, const gn_skeleton *skeleton, int64_t most, gn_meter **m) {
    GN_TAKE(*m, a, 1);
    **m = (gn_meter){ .skeleton = skeleton, .most = most };
    GN_TAKE((*m)->judged, a, most > 0 ? most : 1);
    return GN_OK;
}

gn_status gn_meter_add(gn_meter *m, const gn_labels *y, const gn_prediction *said) {
    const int root = m->skeleton->root;
    if (m->n >= m->most) GN_FAIL(INTERNAL, "meter holds %lld samples, one more came", (long long)m->most);
    if (y->J != m->skeleton->joints)
        GN_FAIL(BAD_DATA, "sample %lld has %d joints, skeleton %s has %d", (long long)m->n, y->J, m->skeleton->name,
                m->skeleton->joints);
    gn_judged *t = &m->judged[m->n++];
    *t = (gn_judged){ .said = *said, .side = y->side };
    for (int j = 0; j < y->J; j++) {
        if (y->has & GN_HAS_joints2d) {
            t->labelled2d[j] = !(y->has & GN_HAS_labelled2d) || y->labelled2d[j];
            t->occluded[j] = (y->has & GN_HAS_occluded2d) && y->occluded2d[j];
            for (int k = 0; k < 2; k++) t->uv[j][k] = (double)y->joints2d[2 * j + k];
        }
        if (y->has & GN_HAS_joints3d) {
            t->labelled3d[j] = !(y->has & GN_HAS_labelled3d) || y->labelled3d[j];
            for (int k = 0; k < 3; k++) t->xyz[j][k] = (double)y->joints3d[3 * j + k] - (root < 0 ? 0 : (double)y->joints3d[3 * root + k]);
        }
    }
    if (y->has & GN_HAS_head_size) t->head_size = (double)*y->head_size;
    if (y->has & GN_HAS_camera)
        for (int k = 0; k < 4; k++) t->camera[k] = (double)y->camera[k];
    t->has3d = root >= 0 && t->labelled3d[root]; /* without its root a pose cannot be aligned */
    for (int k = 0; k < 3 && t->has3d; k++) t->root[k] = (double)y->joints3d[3 * root + k];
    return GN_OK;
}

int64_t gn_meter_samples(const gn_meter *m) { return m->n; }
const gn_judged *gn_meter_at(const gn_meter *m, int64_t sample) { return &m->judged[sample]; }

/* --- one pose --- */

static void to_mm(int J, const double (*metres)[3], double (*mm)[3]) {
    for (int j = 0; j < J; j++)
        for (int k = 0; k < 3; k++) mm[j][k] = 1000 * metres[j][k];
}

static void mean_errors(sheet *s, int metric, who w, const uint8_t *labelled, const double (*x)[3], const double (*y)[3]) {
    for (int j = 0; j < s->J; j++)
        if (labelled[j]) put(s, metric, w, j, gn_distance(x[j], y[j]));
}

/* Errors after aligning nothing, a scale, a similarity; shares within 150 mm. */
static void score_pose(sheet *s, who w, const uint8_t *labelled, const double (*x)[3], const double (*y)[3]) {
    double xy = 0, xx = 0;
    int n = 0, place[GN_JOINTS];
    pose scaled, from, to, fitted;
    mean_errors(s, mpjpe_mm, w, labelled, x, y);
    for (int j = 0; j < s->J; j++) {
        if (!labelled[j]) continue;
        for (int k = 0; k < 3; k++) xy += x[j][k] * y[j][k], xx += x[j][k] * x[j][k];
        memcpy(from[n], x[j], sizeof from[n]), memcpy(to[n], y[j], sizeof to[n]);
        place[n++] = j;
        if (!s->in_pck3d[j]) continue;
        double e = gn_distance(x[j], y[j]);
        put(s, pck3d, w, j, e < 150 ? 100 : 0);
        put(s, auc3d, w, j, gn_auc3d(e));
    }
    for (int j = 0; j < s->J; j++)
        for (int k = 0; k < 3; k++) scaled[j][k] = xx == 0 ? 0 : xy / xx * x[j][k]; /* NaN stays NaN */
    mean_errors(s, n_mpjpe_mm, w, labelled, (const double (*)[3])scaled, y);
    gn_similarity_fit(n, (const double (*)[3])from, (const double (*)[3])to, fitted);
    for (int i = 0; i < n; i++) put(s, pa_mpjpe_mm, w, place[i], gn_distance(fitted[i], to[i]));
}

static void spine_between(const sheet *s, double (*x)[3]) {
    if (s->spine >= 0 && s->neck >= 0)
        for (int k = 0; k < 3; k++) x[s->spine][k] = (x[s->pelvis][k] + x[s->neck][k]) / 2;
}

static void score_canonical(sheet *s, const gn_judged *t, const double (*truth)[3]) {
    pose x, y, mean;
    uint8_t there[GN_JOINTS];
    memcpy(there, t->labelled3d, sizeof there);
    if (s->spine >= 0 && s->neck >= 0) there[s->spine] = there[s->neck];
    gn_canonical_pose(s->skeleton, t->side, &t->said, GN_ZHOU_BONES_MM, x);
    memcpy(y, truth, sizeof y), memcpy(mean, s->mean, sizeof mean);
    spine_between(s, x), spine_between(s, y), spine_between(s, mean);
    mean_errors(s, canonical_mpjpe_mm, MODEL, there, (const double (*)[3])x, (const double (*)[3])y);
    mean_errors(s, canonical_mpjpe_mm, BASELINE, there, (const double (*)[3])mean, (const double (*)[3])y);
}

/* `offset`, mm: from the true root to the root that is said. */
static void score_absolute(sheet *s, who w, const uint8_t *labelled, const double *offset, const double (*x)[3], const double (*y)[3]) {
    for (int j = 0; j < s->J; j++) {
        if (!labelled[j]) continue;
        double at[3] = { x[j][0] + offset[0], x[j][1] + offset[1], x[j][2] + offset[2] }, e = gn_distance(at, y[j]);
        put(s, mpjpe_abs_mm, w, j, e);
        put(s, map10, w, j, e < 100 ? 100 : 0);
    }
}

/* The model's pixels at the mean depths. */
static void score_own2d(sheet *s, const gn_judged *t, const double (*truth)[3]) {
    pose x;
    const double *c = t->camera;
    for (int j = 0; j < s->J; j++) {
        x[j][2] = 1000 * t->root[2] + s->mean[j][2];
        for (int k = 0; k < 2; k++) x[j][k] = (t->said.uv[j][k] - c[2 + k]) / c[k] * x[j][2];
    }
    double root[3] = { x[s->pelvis][0], x[s->pelvis][1], x[s->pelvis][2] };
    for (int j = 0; j < s->J; j++)
        for (int k = 0; k < 3; k++) x[j][k] -= root[k];
    mean_errors(s, own2d_mpjpe_mm, MODEL, t->labelled3d, (const double (*)[3])x, truth);
    mean_errors(s, own2d_mpjpe_mm, BASELINE, t->labelled3d, (const double (*)[3])s->mean, truth);
}

static void score_depth(sheet *s, const gn_judged *t, const double (*x)[3], const double (*y)[3]) {
    for (int j = 0; j < s->J; j++)
        if (t->labelled3d[j] && j != s->pelvis) {
            put(s, depth_mm, MODEL, j, fabs(x[j][2] - y[j][2]));
            put(s, depth_mm, BASELINE, j, fabs(s->depth[j] - y[j][2]));
        }
    for (const int8_t *end = s->skeleton->limb_end; end && *end >= 0; end++)
        for (int e = 0; e < s->skeleton->bones; e++) {
            int b = *end, a = s->skeleton->bone[e].a;
            if (s->skeleton->bone[e].b != b || !t->labelled3d[a] || !t->labelled3d[b]) continue;
            double truth = y[b][2] - y[a][2];
            if (!(fabs(truth) > 100)) continue;
            put(s, depth_order, MODEL, b, (x[b][2] - x[a][2]) * truth > 0 ? 100 : 0);
            put(s, depth_order, BASELINE, b, truth > 0 ? 100 : 0); /* the rarer side is turned over at the end */
        }
}

static void score_symmetry(sheet *s, const double (*x)[3]) {
    for (int l = 0; l < 4; l++)
        if (s->limb[l][0].a >= 0 && s->limb[l][1].a >= 0) {
            double left = gn_distance(x[s->limb[l][0].a], x[s->limb[l][0].b]);
            double right = gn_distance(x[s->limb[l][1].a], x[s->limb[l][1].b]);
            put(s, upper_arm_mm + l, MODEL, s->limb[l][0].b, fabs(left - right));
        }
}

static void score_2d(sheet *s, const gn_judged *t, who w, const double (*uv)[2]) {
    for (int j = 0; j < s->J; j++) {
        if (!t->labelled2d[j]) continue;
        double e = hypot(uv[j][0] - t->uv[j][0], uv[j][1] - t->uv[j][1]);
        if (s->in_pckh[j] && t->head_size > 0) put(s, pckh, w, j, e < 0.5 * t->head_size ? 100 : 0);
        if (s->in_pck[j]) put(s, pck, w, j, e <= t->side / 20.0 ? 100 : 0);
    }
}

/* --- constant answers --- */

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static gn_status constants(const gn_meter *m, gn_arena *a, sheet *s) {
    double *z;
    GN_TAKE(z, a, m->n > 0 ? m->n : 1);
    for (int j = 0; j < s->J; j++) {
        int64_t n2 = 0, n3 = 0;
        for (int64_t i = 0; i < m->n; i++) {
            const gn_judged *t = &m->judged[i];
            if (t->labelled2d[j]) {
                for (int k = 0; k < 2; k++) s->mean_uv[j][k] += t->uv[j][k];
                n2++;
            }
            if (t->has3d && t->labelled3d[j]) {
                for (int k = 0; k < 3; k++) s->mean[j][k] += 1000 * t->xyz[j][k];
                z[n3++] = 1000 * t->xyz[j][2];
            }
        }
        for (int k = 0; k < 2 && n2; k++) s->mean_uv[j][k] /= (double)n2;
        for (int k = 0; k < 3 && n3; k++) s->mean[j][k] /= (double)n3;
        qsort(z, (size_t)n3, sizeof *z, ascending);
        if (n3) s->depth[j] = (z[(n3 - 1) / 2] + z[n3 / 2]) / 2;
    }
    return GN_OK;
}

static void name_joints(const gn_skeleton *k, sheet *s) {
    static const char *const limb[4][2] = { { "shoulder", "elbow" }, { "elbow", "wrist" }, { "hip", "knee" }, { "knee", "ankle" } };
    *s = (sheet){ .skeleton = k, .J = k->joints, .pelvis = k->root, .neck = gn_joint_neck(k) };
    s->spine = gn_joint_find(k, gn_joint_find(k, "upper_neck") < 0 ? "spine" : "thorax");
    for (int j = 0; j < s->J; j++) {
        s->in_pck3d[j] = (uint8_t)gn_pck3d_joint(k, j);
        s->in_pckh[j] = (uint8_t)(j != s->pelvis && j != s->spine);
        s->in_pck[j] = (uint8_t)(gn_joint_is_limb(k, j) && strcmp(k->joint[j] + 2, "shoulder"));
    }
    for (int l = 0; l < 4; l++)
        for (int side = 0; side < 2; side++) {
            char a[16], b[16];
            snprintf(a, sizeof a, "%c_%s", side ? 'r' : 'l', limb[l][0]);
            snprintf(b, sizeof b, "%c_%s", side ? 'r' : 'l', limb[l][1]);
            s->limb[l][side].a = gn_joint_find(k, a), s->limb[l][side].b = gn_joint_find(k, b);
            if (s->limb[l][side].b < 0) s->limb[l][side].a = -1;
        }
}

static void score_sample(sheet *s, const gn_judged *t) {
    pose x, y;
    if (t->said.has_uv) {
        score_2d(s, t, MODEL, t->said.uv);
        score_2d(s, t, BASELINE, (const double (*)[2])s->mean_uv);
    }
    if (t->has3d) to_mm(s->J, t->xyz, y);
    if (t->has3d && t->said.has_z) score_canonical(s, t, (const double (*)[3])y);
    if (!t->said.has_xyz) return;
    to_mm(s->J, t->said.xyz, x);
    score_symmetry(s, (const double (*)[3])x);
    if (!t->has3d) return;
    score_pose(s, MODEL, t->labelled3d, (const double (*)[3])x, (const double (*)[3])y);
    score_pose(s, BASELINE, t->labelled3d, (const double (*)[3])s->mean, (const double (*)[3])y);
    double offset[3];
    for (int k = 0; k < 3; k++) offset[k] = 1000 * (t->said.root[k] - t->root[k]);
    score_absolute(s, MODEL, t->labelled3d, offset, (const double (*)[3])x, (const double (*)[3])y);
    score_absolute(s, BASELINE, t->labelled3d, (const double[3]){ 0, 0, 0 }, (const double (*)[3])s->mean, (const double (*)[3])y);
    if (t->said.has_uv) score_own2d(s, t, (const double (*)[3])y);
    score_depth(s, t, (const double (*)[3])x, (const double (*)[3])y);
}

static double mean_of(const tally *t, int J, double *joint, int64_t *terms) {
    double sum = 0;
    *terms = 0;
    for (int j = 0; j < J; j++) {
        joint[j] = t->n[j] ? t->sum[j] / (double)t->n[j] : (double)NAN;
        sum += t->sum[j];
        *terms += t->n[j];
    }
    return *terms ? sum / (double)*terms : (double)NAN;
}

gn_status gn_meter_read(const gn_meter *m, gn_arena *a, gn_scores *scores) {
    sheet *s;
    GN_TAKE(s, a, 1);
    name_joints(m->skeleton, s);
    GN_TRY(constants(m, a, s));
    for (int64_t i = 0; i < m->n; i++) score_sample(s, &m->judged[i]);

    tally *order = &s->tally[depth_order][BASELINE];
    for (int j = 0; j < s->J; j++) order->sum[j] = fmax(order->sum[j], 100 * (double)order->n[j] - order->sum[j]);

    *scores = (gn_scores){ .set = scores->set, .mirrored = scores->mirrored, .samples = m->n, .skeleton = m->skeleton, .meter = m };
    GN_TAKE(scores->score, a, COUNT);
    for (int i = 0; i < COUNT; i++) {
        gn_score *to = &scores->score[scores->n];
        int64_t ignore;
        *to = (gn_score){ .metric = gn_metrics[i] };
        to->value = mean_of(&s->tally[i][MODEL], s->J, to->joint, &to->terms);
        to->baseline = mean_of(&s->tally[i][BASELINE], s->J, to->joint_baseline, &ignore);
        if (to->terms) scores->n++;
    }
    return GN_OK;
}

double gn_judged_error(const gn_judged *t, const gn_skeleton *skeleton) {
    double sum = 0;
    int n = 0, in_space = t->has3d && t->said.has_xyz;
    for (int j = 0; j < skeleton->joints; j++)
        if (in_space ? t->labelled3d[j] : t->said.has_uv && t->labelled2d[j]) {
            sum += in_space ? 1000 * gn_distance(t->said.xyz[j], t->xyz[j])
                            : hypot(t->said.uv[j][0] - t->uv[j][0], t->said.uv[j][1] - t->uv[j][1]);
            n++;
        }
    return n ? sum / n : (double)NAN;
}
