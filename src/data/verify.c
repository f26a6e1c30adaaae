/* verify.c - is a shard sound? Every hash, then whether its labels can be what they say.
 *
 * Left and right are compared by bones: where a pair of mirrored joints fits the set's own bone lengths
 * far better once exchanged, the sample is suspected. A person mirrored as a whole cannot be told so. */
#include "gnomon/hash.h"
#include "gnomon/io.h"
#include "src/data/sample.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { HASHES, NOT_FINITE, FLAGS, POINTS, CAMERA, DEPTH, PROJECTION, DUPLICATE, SIDES, FAULTS };
static const char *const fault_name[FAULTS] = { "hash",   "not finite", "flag not 0 or 1", "point far outside", "camera",
                                                "3D pose", "projection", "duplicate picture", "left and right" };
enum { SHOWN = 5 };                  /* samples named a fault */
static const double far = 2;         /* picture sides that a labelled point may lie outside */
static const double apart = 0.05;    /* picture sides between a joint and its projection: lenses bend that much */

typedef struct {
    FILE *to;
    gn_shard *shard;
    const char *path;
    const gn_skeleton *skeleton;
    int64_t n, count[FAULTS];
    int image, place[GN_FIELD_COUNT]; /* -1: has none */
    double side;
    double usual[GN_JOINTS];          /* median of each bone's share of all bones' length, both sides pooled */
    double spread[GN_JOINTS];         /* median distance from it */
} check;

static void found(check *c, int fault, int64_t sample, const char *field) {
    if (c->count[fault]++ < SHOWN) fprintf(c->to, "%s: %s sample %lld: %s\n", c->path, field, (long long)sample, fault_name[fault]);
}

static const void *field_of(const check *c, int f, int64_t i) { return c->place[f] < 0 ? NULL : gn_shard_at(c->shard, c->place[f], i); }

static int labelled(const uint8_t *flags, int j) { return !flags || flags[j] == 1; }

static int64_t elements(const gn_shard_field *f) {
    int64_t n = 1;
    for (int k = 0; k < f->rank; k++) n *= f->d[k];
    return n;
}

static void check_numbers(check *c, int64_t i) {
    for (int p = 0; p < gn_shard_fields(c->shard); p++) {
        const gn_shard_field *f = gn_shard_field_at(c->shard, p);
        if (gn_shard_verify(c->shard, p, i)) found(c, HASHES, i, f->name);
        if (f->kind != 'f' || f->element != 4) continue;
        const float *x = gn_shard_at(c->shard, p, i);
        int64_t n = elements(f), k = 0;
        while (k < n && isfinite(x[k])) k++;
        if (k < n) found(c, NOT_FINITE, i, f->name);
    }
    static const int flags[] = { GN_PLACE_labelled2d, GN_PLACE_occluded2d, GN_PLACE_labelled3d };
    for (int k = 0; k < 3; k++) {
        const uint8_t *x = field_of(c, flags[k], i);
        for (int j = 0; x && j < c->skeleton->joints; j++)
            if (x[j] > 1) {
                found(c, FLAGS, i, gn_field_name(flags[k]));
                break;
            }
    }
}

static void check_pose(check *c, int64_t i) {
    const float *uv = field_of(c, GN_PLACE_joints2d, i), *xyz = field_of(c, GN_PLACE_joints3d, i), *k = field_of(c, GN_PLACE_camera, i);
    const uint8_t *in2d = field_of(c, GN_PLACE_labelled2d, i), *in3d = field_of(c, GN_PLACE_labelled3d, i);
    int outside = 0, impossible = 0, off = 0;
    int camera = k && k[0] > 0 && k[1] > 0 && fabs(k[0] / k[1] - 1) < 0.5 && fabs(k[2] - c->side / 2) < 10 * c->side && fabs(k[3] - c->side / 2) < 10 * c->side;
    if (k && !camera) found(c, CAMERA, i, "camera");
    for (int j = 0; j < c->skeleton->joints; j++) {
        int two = uv && labelled(in2d, j), three = xyz && labelled(in3d, j);
        const float *x = three ? xyz + 3 * j : NULL, *u = two ? uv + 2 * j : NULL;
        for (int d = 0; u && d < 2; d++) outside += !(u[d] >= -far * c->side && u[d] <= (1 + far) * c->side);
        impossible += three && !(x[2] > 0 && fabs(x[0]) < 100 && fabs(x[1]) < 100 && x[2] < 100);
        if (two && three && camera && x[2] > 0)
            off += !(hypot(k[0] * x[0] / x[2] + k[2] - u[0], k[1] * x[1] / x[2] + k[3] - u[1]) <= apart * c->side);
    }
    if (outside) found(c, POINTS, i, "joints2d");
    if (impossible) found(c, DEPTH, i, "joints3d");
    if (off) found(c, PROJECTION, i, "joints2d");
}

static int ascending(const void *x, const void *y) {
    double a = *(const double *)x, b = *(const double *)y;
    return (a > b) - (a < b);
}

static double distance(const float *xyz, int a, int b) {
    return sqrt(pow(xyz[3 * a] - xyz[3 * b], 2) + pow(xyz[3 * a + 1] - xyz[3 * b + 1], 2) + pow(xyz[3 * a + 2] - xyz[3 * b + 2], 2));
}

static double length_of_all(const gn_skeleton *s, const float *xyz) {
    double sum = 0;
    for (int e = 0; e < s->bones; e++) sum += distance(xyz, s->bone[e].a, s->bone[e].b);
    return sum;
}

static double median(double *x, int64_t n) {
    qsort(x, (size_t)n, sizeof *x, ascending);
    return x[n / 2];
}

/* Over up to 1,024 samples from all of the set. */
static gn_status measure_bones(check *c, gn_arena *a) {
    enum { MOST = 1024 };
    const gn_skeleton *s = c->skeleton;
    int64_t n = c->n < MOST ? c->n : MOST;
    double *share;
    GN_TAKE(share, a, 2 * n);
    for (int e = 0; e < s->bones; e++) {
        const gn_bone *bone = &s->bone[e], *other = &s->bone[bone->mirror];
        for (int64_t i = 0; i < n; i++) {
            const float *xyz = field_of(c, GN_PLACE_joints3d, i * c->n / n);
            double all = length_of_all(s, xyz);
            share[2 * i] = distance(xyz, bone->a, bone->b) / all;
            share[2 * i + 1] = distance(xyz, other->a, other->b) / all;
        }
        c->usual[e] = median(share, 2 * n);
        for (int64_t i = 0; i < 2 * n; i++) share[i] = fabs(share[i] - c->usual[e]);
        c->spread[e] = median(share, 2 * n);
    }
    return GN_OK;
}

/* A person's size as the median bone says it: an exchanged joint spoils the sum. */
static double size_of(const check *c, const float *xyz) {
    const gn_skeleton *s = c->skeleton;
    double size[GN_JOINTS];
    for (int e = 0; e < s->bones; e++) size[e] = distance(xyz, s->bone[e].a, s->bone[e].b) / c->usual[e];
    return median(size, s->bones);
}

/* What the exchange of the far ends of a bone and its mirror would make of their lengths. */
static void check_sides(check *c, int64_t i) {
    const gn_skeleton *s = c->skeleton;
    const float *xyz = field_of(c, GN_PLACE_joints3d, i);
    const uint8_t *known = field_of(c, GN_PLACE_labelled3d, i);
    double all = size_of(c, xyz);
    for (int e = 0; e < s->bones; e++) {
        const gn_bone *l = &s->bone[e], *r = &s->bone[l->mirror];
        if (l->mirror <= e || l->a == r->a || !(labelled(known, l->a) && labelled(known, l->b) && labelled(known, r->a) && labelled(known, r->b))) continue;
        double usual = c->usual[e] * all, odd = fmax(0.2 * usual, 8 * c->spread[e] * all);
        double now = fabs(distance(xyz, l->a, l->b) - usual) + fabs(distance(xyz, r->a, r->b) - usual);
        double exchanged = fabs(distance(xyz, l->a, r->b) - usual) + fabs(distance(xyz, r->a, l->b) - usual);
        if (now > odd && exchanged < 0.3 * now) {
            found(c, SIDES, i, "joints3d");
            return;
        }
    }
}

typedef struct { uint64_t hash; int64_t sample; } mark;
static int by_hash(const void *x, const void *y) {
    const mark *a = x, *b = y;
    if (a->hash != b->hash) return a->hash < b->hash ? -1 : 1;
    return (a->sample > b->sample) - (a->sample < b->sample);
}

static gn_status check_duplicates(check *c, gn_arena *a) {
    mark *m;
    GN_TAKE(m, a, c->n);
    size_t bytes = gn_shard_bytes(c->shard, c->image);
    for (int64_t i = 0; i < c->n; i++) m[i] = (mark){ gn_hash(gn_shard_at(c->shard, c->image, i), bytes), i };
    qsort(m, (size_t)c->n, sizeof *m, by_hash);
    for (int64_t i = 1; i < c->n; i++)
        if (m[i].hash == m[i - 1].hash) found(c, DUPLICATE, m[i].sample, "image");
    return GN_OK;
}

static gn_status verify_shard(FILE *to, const char *path, gn_arena *a) {
    check *c;
    GN_TAKE(c, a, 1);
    c->to = to;
    c->path = path;
    c->side = 1;
    GN_TRY(gn_shard_open(a, path, &c->shard));
    c->n = gn_shard_samples(c->shard);
    c->skeleton = gn_shard_skeleton(c->shard);
    for (int f = 0; f < GN_FIELD_COUNT; f++) {
        c->place[f] = -1;
        gn_shard_find(c->shard, gn_field_name(f), &c->place[f]);
    }
    const gn_shard_field *image = gn_shard_find(c->shard, "image", &c->image);
    if (image) c->side = (double)(image->d[0] > image->d[1] ? image->d[0] : image->d[1]);
    int bones = c->place[GN_PLACE_joints3d] >= 0 && c->skeleton->bones > 0 && c->skeleton->bones <= GN_JOINTS;
    if (bones) GN_TRY(measure_bones(c, a));
    for (int64_t i = 0; i < c->n; i++) {
        check_numbers(c, i);
        check_pose(c, i);
        if (bones) check_sides(c, i);
    }
    if (image) GN_TRY(check_duplicates(c, a));
    int64_t bad = 0;
    fprintf(to, "%s: %lld samples, %d fields, hash %016llx", path, (long long)c->n, gn_shard_fields(c->shard), (unsigned long long)gn_shard_hash(c->shard));
    for (int f = 0; f < FAULTS; f++) {
        if (c->count[f]) fprintf(to, "%s %s %lld", bad ? "," : ":", fault_name[f], (long long)c->count[f]);
        bad += c->count[f];
    }
    fprintf(to, bad ? "\n" : ": sound\n");
    gn_trail_clear();
    if (bad) GN_FAIL(BAD_DATA, "%s: %lld faults in %lld samples", path, (long long)bad, (long long)c->n);
    return GN_OK;
}

gn_status gn_data_verify(FILE *to, const char *root, const char *what, gn_arena *a) {
    const gn_dataset *set = gn_dataset_find(what);
    if (!set) return verify_shard(to, what, a);
    const char *part[2] = { set->train, set->valid }, *path;
    gn_status status = GN_OK;
    gn_trail trail = { 0 };
    for (int k = 0; k < 2; k++) { /* both are looked at, whatever the first is like */
        GN_TAKE_TEXT(path, a, "%s/%s", root, part[k]);
        gn_status one = verify_shard(to, path, a);
        if (one && !status) {
            status = one;
            gn_trail_keep(&trail);
        }
    }
    if (!status) return GN_OK;
    gn_trail_restore(&trail);
    return gn_pass(status, __FILE__, __LINE__);
}
