/* persons.c - people matched, and scored as MuPoTS-3D, Panoptic and RootNet do.
 *
 * As in metric.c a metric is a mean of terms of joints, here kept a sequence. NaN matches nobody and hits nothing. */
#include "gnomon/persons.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define STRETCHED ", predicted bones stretched to the true lengths; mean of the sequences"
#define FOUND ", of people matched (found)"

/* name, title, unit, less is better, over: sequences or people, protocol */
#define METRICS(M)                                                                                                       \
    M(found, "people found", "%", 0, PEOPLE,                                                                             \
      "MuPoTS-3D: annotated people, in turn, who get the free prediction with most joints (neck, limbs) less than 40 "   \
      "pixels off in x and in y")                                                                                        \
    M(pck_rel, "3DPCK@150 mm, root-aligned", "%", 0, SEQUENCES,                                                          \
      "MuPoTS-3D: 14 joints (no pelvis, no spine) less than 150 mm off, pelvis aligned" STRETCHED)                       \
    M(auc_rel, "AUC of 3DPCK, root-aligned", "%", 0, SEQUENCES, "mean of pck_rel over the thresholds 0, 5, ... 150 mm")  \
    M(pck_abs, "3DPCK@150 mm, absolute", "%", 0, SEQUENCES,                                                              \
      "MuPoTS-3D: 14 joints less than 150 mm off in camera coordinates, nothing aligned" STRETCHED)                      \
    M(auc_abs, "AUC of 3DPCK, absolute", "%", 0, SEQUENCES, "mean of pck_abs over the thresholds 0, 5, ... 150 mm")      \
    M(pck_root, "root within 150 mm", "%", 0, PEOPLE, "MuPoTS-3D: pelvis at most 150 mm off in camera coordinates")      \
    M(pcod, "depth order of people right", "%", 0, SEQUENCES,                                                            \
      "MuPoTS-3D: pairs of people in a picture whose pelvis depths differ with the right sign, or by less than 300 mm "  \
      "in truth and prediction both; who is not found stands 100 m away; mean of the sequences with pairs")              \
    M(ap_root25, "AP of roots within 250 mm", "%", 0, PEOPLE,                                                            \
      "RootNet: predictions by falling score, right if the nearest true root is less than 250 mm off and still free; "   \
      "sum of precision n + 1 times the recall gained from n to n + 1; pictures without people left out")                \
    M(mpjpe_rel_mm, "MPJPE, root-aligned", "mm", 1, SEQUENCES,                                                           \
      "Panoptic as SMAP does: 14 joints and pelvis, pelvis aligned, bones as predicted; mean of the activities" FOUND)   \
    M(mrpe_mm, "root position error", "mm", 1, PEOPLE, "pelvis, camera coordinates, nothing aligned" FOUND)              \
    M(mrpe_x_mm, "root position error, x", "mm", 1, PEOPLE, "as mrpe_mm, absolute error along x (right)")                \
    M(mrpe_y_mm, "root position error, y", "mm", 1, PEOPLE, "as mrpe_mm, absolute error along y (down)")                 \
    M(mrpe_z_mm, "root position error, z", "mm", 1, PEOPLE, "as mrpe_mm, absolute error along z (away)")

enum { SEQUENCES, PEOPLE };
enum {
#define PLACE(name, title, unit, less, over, protocol) name,
    METRICS(PLACE)
#undef PLACE
    COUNT
};
#define RECORD(name, title, unit, less, over, protocol) \
    static const gn_metric metric_##name = { #name, "people", title, unit, protocol, NULL, less };
METRICS(RECORD)
#undef RECORD
const gn_metric *const gn_person_metrics[] = {
#define ENTRY(name, title, unit, less, over, protocol) &metric_##name,
    METRICS(ENTRY)
#undef ENTRY
    NULL
};
static const int over[] = {
#define OVER(name, title, unit, less, over, protocol) over,
    METRICS(OVER)
#undef OVER
};

static const double NOWHERE_MM = 1e5, LEVEL_MM = 300, ROOT_MM = 250, MATCH_PIXELS = 40;

typedef struct { double sum[GN_JOINTS]; int64_t n[GN_JOINTS]; } tally;
typedef double pose[GN_JOINTS][3];

typedef struct {
    const gn_skeleton *skeleton;
    int J, root, whom, sequence;             /* the one being scored */
    uint8_t in_pck3d[GN_JOINTS];
    tally *tally[COUNT];                     /* [sequences] */
} sheet;

static void put(sheet *s, int metric, int joint, double term) {
    tally *t = &s->tally[metric][over[metric] == SEQUENCES ? s->sequence : 0];
    t->sum[joint] += term;
    t->n[joint]++;
}

/* --- who is who --- */

static int joints_near(const gn_skeleton *k, const gn_person *y, const gn_person *x) {
    int n = 0;
    for (int j = 0; j < k->joints; j++)
        n += (gn_joint_is_limb(k, j) || j == gn_joint_neck(k)) && y->known[j] && x->known[j] &&
             fabs(x->uv[j][0] - y->uv[j][0]) < MATCH_PIXELS && fabs(x->uv[j][1] - y->uv[j][1]) < MATCH_PIXELS;
    return n;
}

void gn_persons_match(const gn_skeleton *k, const gn_people *p, int *match) {
    for (int t = 0; t < p->truths; t++) {
        int most = 0;
        match[t] = -1;
        for (int i = 0; i < p->saids; i++) {
            int taken = 0;
            for (int before = 0; before < t; before++) taken |= match[before] == i;
            int near = taken ? 0 : joints_near(k, &p->truth[t], &p->said[i]);
            if (near > most) most = near, match[t] = i;
        }
    }
}

/* The nearest joint inward that 3DPCK has, or the root; -1: none. */
static int inward(const gn_skeleton *k, int joint) {
    do joint = gn_joint_parent(k, joint);
    while (joint >= 0 && joint != k->root && !gn_pck3d_joint(k, joint));
    return joint;
}

void gn_persons_stretch(const gn_skeleton *k, const gn_person *y, const double (*x)[3], double (*to)[3]) {
    uint8_t placed[GN_JOINTS] = { 0 };
    memcpy(to, x, sizeof(pose));
    placed[k->root] = 1;
    for (int more = 1; more;) {
        more = 0;
        for (int j = 0; j < k->joints; j++) {
            int in = gn_pck3d_joint(k, j) && !placed[j] ? inward(k, j) : -1;
            if (in < 0 || !placed[in]) continue;
            int known = y->known[j] && y->known[in];
            double scale = known ? gn_distance(y->xyz[j], y->xyz[in]) / gn_distance(x[j], x[in]) : 1;
            for (int c = 0; c < 3; c++) to[j][c] = to[in][c] + scale * (x[j][c] - x[in][c]);
            placed[j] = 1, more = 1;
        }
    }
}

/* --- one person, one picture --- */

static void put_shares(sheet *s, int pck, int auc, int joint, double e) {
    put(s, pck, joint, e < 150 ? 100 : 0);
    put(s, auc, joint, gn_auc3d(e));
}

static void score_found(sheet *s, const gn_person *y, const gn_person *x) {
    const double *from = x->xyz[s->root], *to = y->xyz[s->root];
    for (int j = 0; j < s->J; j++) {
        if (!y->known[j] || !(s->in_pck3d[j] || j == s->root)) continue;
        double moved[3];
        for (int c = 0; c < 3; c++) moved[c] = x->xyz[j][c] - from[c] + to[c];
        put(s, mpjpe_rel_mm, j, gn_distance(moved, y->xyz[j]));
    }
    put(s, mrpe_mm, s->root, gn_distance(from, to));
    for (int c = 0; c < 3; c++) put(s, mrpe_x_mm + c, s->root, fabs(from[c] - to[c]));
}

/* x NULL: nobody found this person, whose joints are nowhere. */
static void score_person(sheet *s, const gn_person *y, const gn_person *x) {
    pose at;
    const double *root = y->xyz[s->root];
    for (int j = 0; j < GN_JOINTS; j++) at[j][0] = at[j][1] = at[j][2] = NAN;
    if (x) gn_persons_stretch(s->skeleton, y, x->xyz, at);
    for (int j = 0; j < s->J; j++) {
        if (!s->in_pck3d[j] || !y->known[j]) continue;
        double moved[3];
        for (int c = 0; c < 3; c++) moved[c] = at[j][c] - at[s->root][c] + root[c];
        put_shares(s, pck_rel, auc_rel, j, gn_distance(moved, y->xyz[j]));
        put_shares(s, pck_abs, auc_abs, j, gn_distance(at[j], y->xyz[j]));
    }
    put(s, pck_root, s->root, gn_distance(at[s->root], root) <= 150 ? 100 : 0);
    if (x) score_found(s, y, x);
}

static int counts(const sheet *s, const gn_people *p, const int *match, int t) {
    return p->truth[t].known[s->root] && (match[t] >= 0 || s->whom == GN_EVERYBODY);
}

static void score_order(sheet *s, const gn_people *p, const int *match) {
    for (int b = 1; b < p->truths; b++)
        for (int a = 0; a < b && counts(s, p, match, b); a++) {
            if (!counts(s, p, match, a)) continue;
            double said_a = match[a] < 0 ? NOWHERE_MM : p->said[match[a]].xyz[s->root][2];
            double said_b = match[b] < 0 ? NOWHERE_MM : p->said[match[b]].xyz[s->root][2];
            double said = said_b - said_a, truth = p->truth[b].xyz[s->root][2] - p->truth[a].xyz[s->root][2];
            int right = said * truth > 0 || (fabs(said) < LEVEL_MM && fabs(truth) < LEVEL_MM);
            put(s, pcod, s->root, right ? 100 : 0);
        }
}

/* --- average precision of roots, over all pictures --- */

typedef struct {
    double score;
    int64_t order;           /* as given: equal scores keep it */
    const gn_person *said;
    const gn_people *picture;
    uint8_t *taken;          /* of that picture's people */
} claim;

static int falling(const void *a, const void *b) {
    const claim *x = a, *y = b;
    double p = isnan(x->score) ? -INFINITY : x->score, q = isnan(y->score) ? -INFINITY : y->score;
    if (p != q) return p < q ? 1 : -1;
    return (x->order > y->order) - (x->order < y->order);
}

/* 1: the nearest root, free or not, is near enough, and was free. */
static int claims_root(const claim *c, int root) {
    double least = ROOT_MM;
    int nearest = -1;
    for (int t = 0; t < c->picture->truths; t++) {
        if (!c->picture->truth[t].known[root]) continue;
        double d = gn_distance(c->said->xyz[root], c->picture->truth[t].xyz[root]);
        if (d < least) least = d, nearest = t;
    }
    if (nearest < 0 || c->taken[nearest]) return 0;
    return c->taken[nearest] = 1;
}

static int roots_of(const gn_people *p, int root) {
    int n = 0;
    for (int t = 0; t < p->truths; t++) n += p->truth[t].known[root];
    return n;
}

static gn_status score_roots(const gn_people *picture, int64_t n, int root, gn_arena *a, gn_score *to) {
    int64_t roots = 0, claims = 0, hits = 0, most = 1, people = 1;
    claim *c;
    uint8_t *taken;
    for (int64_t i = 0; i < n; i++) most += picture[i].saids, people += picture[i].truths;
    GN_TAKE(c, a, most);
    GN_TAKE(taken, a, people);
    for (int64_t i = 0; i < n; i++) {
        const gn_people *p = &picture[i];
        int here = roots_of(p, root);
        for (int k = 0; k < p->saids && here; k++, claims++)
            c[claims] = (claim){ p->said[k].score, claims, &p->said[k], p, taken };
        roots += here, taken += p->truths;
    }
    qsort(c, (size_t)claims, sizeof *c, falling);
    double sum = 0;
    for (int64_t i = 0; i < claims; i++) {
        int hit = claims_root(&c[i], root);
        hits += hit;
        if (hit && i) sum += (double)hits / (double)(i + 1); /* the first claim's recall is not counted: RootNet's sum */
    }
    to->value = roots ? 100 * sum / (double)roots : (double)NAN;
    to->terms = roots;
    return GN_OK;
}

/* --- all --- */

static gn_status score_picture(sheet *s, const gn_people *p, gn_arena *a) {
    int *match;
    GN_TAKE(match, a, p->truths + 1);
    s->sequence = p->sequence;
    gn_persons_match(s->skeleton, p, match);
    for (int t = 0; t < p->truths; t++) {
        put(s, found, s->root, match[t] < 0 ? 0 : 100);
        if (counts(s, p, match, t)) score_person(s, &p->truth[t], match[t] < 0 ? NULL : &p->said[match[t]]);
    }
    score_order(s, p, match);
    return GN_OK;
}

/* Means of the sequences that have terms; a joint's are its own. */
static void mean_of(const tally *t, int sequences, int J, gn_score *to) {
    double sums = 0, joints[GN_JOINTS] = { 0 };
    int having = 0, with[GN_JOINTS] = { 0 };
    for (int q = 0; q < sequences; q++) {
        double sum = 0;
        int64_t n = 0;
        for (int j = 0; j < J; j++) {
            if (!t[q].n[j]) continue;
            sum += t[q].sum[j], n += t[q].n[j];
            joints[j] += t[q].sum[j] / (double)t[q].n[j], with[j]++;
        }
        if (n) sums += sum / (double)n, having++;
        to->terms += n;
    }
    to->value = having ? sums / having : (double)NAN;
    for (int j = 0; j < J; j++) to->joint[j] = with[j] ? joints[j] / with[j] : (double)NAN;
}

gn_status gn_persons_score(const gn_skeleton *k, const gn_people *picture, int64_t n, int whom, gn_arena *a, gn_scores *scores) {
    sheet *s;
    int sequences = 1;
    if (k->root < 0) GN_FAIL(BAD_DATA, "skeleton %s has no root, expected one: people are aligned at it", k->name);
    for (int64_t i = 0; i < n; i++) {
        if (picture[i].sequence < 0) GN_FAIL(BAD_DATA, "picture %lld: sequence %d, expected 0 or more", (long long)i, picture[i].sequence);
        if (picture[i].sequence >= sequences) sequences = picture[i].sequence + 1;
    }
    GN_TAKE(s, a, 1);
    *s = (sheet){ .skeleton = k, .J = k->joints, .root = k->root, .whom = whom };
    for (int j = 0; j < k->joints; j++) s->in_pck3d[j] = (uint8_t)gn_pck3d_joint(k, j);
    for (int m = 0; m < COUNT; m++) GN_TAKE(s->tally[m], a, sequences);
    for (int64_t i = 0; i < n; i++) GN_TRY(score_picture(s, &picture[i], a));

    const char *set = scores->set;
    *scores = (gn_scores){ .set = set, .samples = n, .skeleton = k };
    GN_TAKE(scores->score, a, COUNT);
    for (int m = 0; m < COUNT; m++) {
        gn_score *to = &scores->score[scores->n];
        *to = (gn_score){ .metric = gn_person_metrics[m], .baseline = NAN };
        for (int j = 0; j < GN_JOINTS; j++) to->joint[j] = to->joint_baseline[j] = NAN;
        if (m == ap_root25) GN_TRY(score_roots(picture, n, s->root, a, to));
        else mean_of(s->tally[m], sequences, s->J, to);
        if (to->terms) scores->n++;
    }
    return GN_OK;
}
