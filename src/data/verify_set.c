/* verify_set.c - samples beside each other: twins, groups, views of one moment; and takes that are known to be damaged. */
#include "gnomon/hash.h"
#include "src/data/verify.h"
#include <fnmatch.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- twins --- */

typedef struct { uint64_t hash, labels; int64_t sample; } mark;
static int by_hash(const void *x, const void *y) {
    const mark *a = x, *b = y;
    if (a->hash != b->hash) return a->hash < b->hash ? -1 : 1;
    return (a->sample > b->sample) - (a->sample < b->sample);
}

static uint64_t field_hash(const gn_check *c, int place, int64_t i, uint64_t before) {
    return place < 0 ? before : gn_hash_more(before, gn_check_at(c, place, i), gn_shard_bytes(c->shard, place));
}

static uint64_t labels_hash(const gn_check *c, int64_t i) {
    uint64_t h = 0;
    for (int f = 0; f < GN_FIELD_COUNT; f++) h = field_hash(c, c->place[f], i, h);
    return field_hash(c, c->take, i, h);
}

/* Who stands still has equal labels in frames beside each other. */
static int held(const gn_check *c, const mark *a, const mark *b) {
    return c->frame >= 0 && *(const int64_t *)gn_check_at(c, c->frame, a->sample) != *(const int64_t *)gn_check_at(c, c->frame, b->sample);
}

/* Nothing read is nobody's picture. */
static int is_blank(const gn_check *c, int64_t i) {
    const uint16_t *mm = gn_check_at(c, c->depth_map, i);
    const size_t n = gn_shard_bytes(c->shard, c->depth_map) / sizeof *mm;
    for (size_t k = 0; k < n; k++)
        if (mm[k]) return 0;
    return 1;
}

/* Two persons of one picture may have one crop. */
static int may_share(const gn_check *c, const mark *a, const mark *b) {
    return c->take >= 0 && c->frame >= 0 && a->labels != b->labels && !memcmp(gn_check_at(c, c->take, a->sample), gn_check_at(c, c->take, b->sample), 64) &&
           !memcmp(gn_check_at(c, c->frame, a->sample), gn_check_at(c, c->frame, b->sample), sizeof(int64_t));
}

static gn_status check_twins(gn_check *c, gn_arena *a) {
    const int place = c->image >= 0 ? c->image : c->jpeg >= 0 ? c->jpeg : c->depth_map;
    const char *field = place < 0 ? "labels" : gn_shard_field_at(c->shard, place)->name;
    mark *m;
    int64_t n = 0;
    GN_TAKE(m, a, c->n);
    for (int64_t i = 0; i < c->n; i++) {
        if (place >= 0 && place == c->depth_map && is_blank(c, i)) continue;
        const uint64_t labels = labels_hash(c, i);
        m[n++] = (mark){ place < 0 ? labels : field_hash(c, place, i, 0), labels, i };
    }
    qsort(m, (size_t)n, sizeof *m, by_hash);
    for (int64_t i = 1; i < n; i++)
        if (m[i].hash == m[i - 1].hash && !may_share(c, &m[i], &m[i - 1]))
            gn_check_found(c, place >= 0 ? GN_FAULT_DUPLICATE : held(c, &m[i], &m[i - 1]) ? GN_FAULT_HELD : GN_FAULT_TWIN, m[i].sample, field, "as sample %lld", (long long)m[i - 1].sample);
    return GN_OK;
}

/* --- groups --- */

static int64_t group_of(const gn_check *c, int64_t i) { return *(const int64_t *)gn_check_at(c, c->group, i); }

static int ascending(const void *x, const void *y) {
    const int64_t *a = x, *b = y;
    if (a[0] != b[0]) return a[0] < b[0] ? -1 : 1;
    return (a[1] > b[1]) - (a[1] < b[1]);
}

/* A number that comes back after another would be two groups to the loader. */
static gn_status check_rows(gn_check *c, gn_arena *a) {
    int64_t (*begin)[2], n = 0; /* number, first sample */
    GN_TAKE(begin, a, c->n);
    for (int64_t i = 0; i < c->n; i++)
        if (group_of(c, i) >= 0 && (!i || group_of(c, i - 1) != group_of(c, i))) begin[n][0] = group_of(c, i), begin[n++][1] = i;
    qsort(begin, (size_t)n, sizeof *begin, ascending);
    for (int64_t i = 1; i < n; i++)
        if (begin[i][0] == begin[i - 1][0])
            gn_check_found(c, GN_FAULT_GROUP, begin[i][1], "group", "%lld began at sample %lld, and others lie between", (long long)begin[i][0], (long long)begin[i - 1][1]);
    return GN_OK;
}

/* Other cameras at one time; frames of a block have another time or, where it is not known, the same camera. */
static int is_view(const gn_check *c, int64_t i, int64_t other) {
    const float *p = gn_check_at(c, c->place[GN_PLACE_pose_of_view], i), *q = gn_check_at(c, c->place[GN_PLACE_pose_of_view], other);
    const int64_t *f = gn_check_at(c, c->frame, i), *g = gn_check_at(c, c->frame, other);
    if (f && *f != *g) return 0;
    for (int k = 0; k < 12; k++)
        if (fabsf(p[k] - q[k]) > 1e-6f) return 1;
    return 0;
}

/* X = R^T (x - t) */
static void to_world(const float *r, const float *x, double to[3]) {
    for (int k = 0; k < 3; k++) {
        to[k] = 0;
        for (int m = 0; m < 3; m++) to[k] += (double)r[4 * m + k] * ((double)x[m] - (double)r[4 * m + 3]);
    }
}

static void check_views(gn_check *c, int64_t i, int64_t other) {
    static const double same = 0.02; /* metres */
    const float *p = gn_check_at(c, c->place[GN_PLACE_pose_of_view], i), *q = gn_check_at(c, c->place[GN_PLACE_pose_of_view], other);
    const float *x = gn_check_at(c, c->place[GN_PLACE_joints3d], i), *y = gn_check_at(c, c->place[GN_PLACE_joints3d], other);
    const uint8_t *known = gn_check_at(c, c->place[GN_PLACE_labelled3d], i), *too = gn_check_at(c, c->place[GN_PLACE_labelled3d], other);
    double most = 0;
    int at = 0;
    for (int j = 0; j < c->skeleton->joints; j++) {
        double here[3], there[3];
        if (known && !(known[j] && too[j])) continue;
        to_world(p, x + 3 * j, here), to_world(q, y + 3 * j, there);
        const double off = sqrt(pow(here[0] - there[0], 2) + pow(here[1] - there[1], 2) + pow(here[2] - there[2], 2));
        if (!(off <= most)) most = off, at = j;
    }
    if (!(most <= same))
        gn_check_found(c, GN_FAULT_VIEWS, i, "joints3d", "%s lies %.0f mm in the world from where sample %lld has it", c->skeleton->joint[at], 1000 * most, (long long)other);
}

/* --- takes known to be damaged --- */

static const struct { const char *format, *take; int fault; const char *what; } damaged[] = {
    /* h36m-fetch and mmpose leave it out: its video is corrupt. The take "S11 Directions 1" is not. */
    { "h36m", "S11 Directions ????????", GN_FAULT_TAKE, "a corrupt video" },
    { "h36m", "S11 Directions", GN_FAULT_TAKE, "a corrupt video" },
    /* CMU motion capture as cgspeed converted it; measured on its files. */
    { "bvh", "07_12*", GN_FAULT_TAKE, "the whole body flips below the floor" },
    { "bvh", "09_10*", GN_FAULT_TAKE, "the whole body flips below the floor" },
    { "bvh", "05_05*", GN_FAULT_FLIPS, "faster than 12 m/s in some frames" },
    { "bvh", "05_06*", GN_FAULT_FLIPS, "faster than 12 m/s in some frames" },
    { "bvh", "05_16*", GN_FAULT_FLIPS, "faster than 12 m/s in some frames" },
    { "bvh", "01_08*", GN_FAULT_FLIPS, "faster than 12 m/s in some frames" },
};
enum { DAMAGED = sizeof damaged / sizeof *damaged };

static void check_takes(gn_check *c) {
    const char *from = gn_shard_provenance(c->shard);
    for (int k = 0; k < DAMAGED; k++) {
        const size_t n = strlen(damaged[k].format);
        if (strncmp(from, "format: ", 8) || strncmp(from + 8, damaged[k].format, n) || from[8 + n] != ';') continue;
        for (int64_t i = 0; i < c->n; i++) {
            char take[65] = "";
            const char *before = i ? gn_check_at(c, c->take, i - 1) : "";
            memcpy(take, gn_check_at(c, c->take, i), 64);
            if (fnmatch(damaged[k].take, take, 0)) continue;
            if (damaged[k].fault == GN_FAULT_FLIPS && !strncmp(take, before, 64)) continue; /* said once a take */
            gn_check_found(c, damaged[k].fault, i, "take", "%s", damaged[k].what);
        }
    }
}

gn_status gn_check_set(gn_check *c, gn_arena *a) {
    const int placed = c->place[GN_PLACE_pose_of_view] >= 0 && c->place[GN_PLACE_joints3d] >= 0;
    GN_TRY(check_twins(c, a));
    if (c->take >= 0) check_takes(c);
    if (c->group < 0) return GN_OK;
    GN_TRY(check_rows(c, a));
    for (int64_t i = 1, first = 0; placed && i < c->n; i++) {
        if (group_of(c, i) != group_of(c, first)) first = i;
        else if (group_of(c, i) >= 0 && is_view(c, i, first)) check_views(c, i, first);
    }
    return GN_OK;
}
