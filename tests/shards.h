/* shards.h - shards for the loader's tests: any skeleton, pictures as bytes, as JPEGs or none, any groups. Every number is a
 * formula of (set, sample, joint). Include near.h first. */
#ifndef SHARDS_H
#define SHARDS_H
#include "formula/random.h"
#include "gnomon/hash.h"
#include "gnomon/image.h"
#include "gnomon/io.h"
#include "src/data/sample.h"
#include <string.h>

enum { RAW, JPEG, NONE, EDGE = 48, ROOM = 16384 };

typedef struct {
    const char *set;
    int pictures;
    int64_t n;
    const int64_t *group;     /* [n] or NULL */
    int64_t spoilt, empty;    /* samples, from 1: its JPEG is broken; its picture has no pixel */
} made;

static inline double number(const char *set, int what, int64_t sample, int64_t k) {
    return gn_uniform((uint64_t)strlen(set) + 100 * (uint64_t)set[0], (uint64_t)what, (uint64_t)sample * 1024 + (uint64_t)k);
}
static inline float at2d(const char *set, int64_t sample, int j, int k) { return (float)(6 + 36 * number(set, 2, sample, 2 * j + k)); }
static inline float at3d(const char *set, int64_t sample, int j, int k) {
    return (float)(number(set, 3, sample, 3 * j + k) - 0.5 + (k == 2 ? 4 : 0));
}
static inline uint8_t labelled_at(const char *set, int64_t sample, int j) { return number(set, 4, sample, j) < 0.8; }
static inline uint8_t occluded_at(const char *set, int64_t sample, int j) { return number(set, 5, sample, j) < 0.3; }

/* A picture without one a sample has its own size. */
static inline void size_of_picture(const made *m, int64_t sample, int32_t size[2]) {
    const int own = m->pictures == NONE;
    size[0] = m->empty == sample + 1 ? 0 : own ? 40 + (int32_t)(sample * 7 % 31) : EDGE;
    size[1] = own ? 40 + (int32_t)(sample * 11 % 29) : EDGE;
}

/* Smooth: a JPEG keeps it. */
static inline void paint(const char *set, int64_t sample, uint8_t *rgb) {
    double phase = 6 * number(set, 6, sample, 0);
    for (int y = 0; y < EDGE; y++)
        for (int x = 0; x < EDGE; x++)
            for (int c = 0; c < 3; c++) rgb[3 * (y * EDGE + x) + c] = (uint8_t)(128 + 90 * sin(phase + 0.11 * x + 0.07 * (c + 1) * y));
}

typedef struct {
    uint8_t image[3 * EDGE * EDGE], jpeg[ROOM], labelled2d[GN_JOINTS], occluded2d[GN_JOINTS], labelled3d[GN_JOINTS];
    uint32_t jpeg_bytes;
    int32_t size[2];
    int64_t group;
    float joints2d[2 * GN_JOINTS], joints3d[3 * GN_JOINTS], camera[4], pose_of_view[12], head_size[1];
} made_sample;

static inline void fill_made(gn_arena *a, const made *m, const gn_skeleton *s, int64_t i, made_sample *p) {
    *p = (made_sample){ .group = m->group ? m->group[i] : i, .camera = { 60, 60, 24, 24 }, .pose_of_view = { [0] = 1, [5] = 1, [10] = 1 }, .head_size = { 9 } };
    size_of_picture(m, i, p->size);
    for (int j = 0; j < s->joints; j++) {
        for (int k = 0; k < 2; k++) p->joints2d[2 * j + k] = at2d(m->set, i, j, k);
        for (int k = 0; k < 3; k++) p->joints3d[3 * j + k] = at3d(m->set, i, j, k);
        p->labelled2d[j] = labelled_at(m->set, i, j);
        p->labelled3d[j] = 1;
        p->occluded2d[j] = occluded_at(m->set, i, j);
    }
    if (m->pictures == NONE) return;
    paint(m->set, i, p->image);
    if (m->pictures != JPEG) return;
    const gn_image image = { EDGE, EDGE, p->image };
    void *bytes;
    size_t n;
    OK(gn_jpeg_encode(a, &image, 95, &bytes, &n));
    assert_true(n < ROOM);
    memcpy(p->jpeg, bytes, n);
    p->jpeg_bytes = (uint32_t)n;
    if (m->spoilt == i + 1) memset(p->jpeg + n / 2, 0x55, n / 4);
}

/* ROOT/SET/train.h5, or valid.h5, with what the set declares to hold. */
static inline void make_shard(const char *root, int train, const made *m) {
    const gn_dataset *set = gn_dataset_find(m->set);
    const int64_t J = set->skeleton->joints;
    made_sample *p;
    gn_arena *a = gn_arena_new("shard");
    assert_non_null(p = gn_arena_take(a, sizeof *p));
    const struct { gn_shard_field field; const void *value; int there; } all[] = {
        { { "image", 1, 'u', 3, { EDGE, EDGE, 3 }, "", "" }, p->image, m->pictures == RAW },
        { { "jpeg", 1, 'u', 1, { ROOM }, "", "" }, p->jpeg, m->pictures == JPEG },
        { { "jpeg_bytes", 4, 'u', 0, { 0 }, "", "" }, &p->jpeg_bytes, m->pictures == JPEG },
        { { "size", 4, 'i', 1, { 2 }, "", "" }, p->size, m->pictures != RAW },
        { { "group", 8, 'i', 0, { 0 }, "", "" }, &p->group, m->group != NULL },
#define HOLDS(name) (set->holds & GN_HAS_##name) != 0
        { { "joints2d", 4, 'f', 2, { J, 2 }, "pixels", "" }, p->joints2d, HOLDS(joints2d) },
        { { "labelled2d", 1, 'u', 1, { J }, "", "" }, p->labelled2d, HOLDS(labelled2d) },
        { { "occluded2d", 1, 'u', 1, { J }, "", "" }, p->occluded2d, HOLDS(occluded2d) },
        { { "joints3d", 4, 'f', 2, { J, 3 }, "metres", "" }, p->joints3d, HOLDS(joints3d) },
        { { "labelled3d", 1, 'u', 1, { J }, "", "" }, p->labelled3d, HOLDS(labelled3d) },
        { { "camera", 4, 'f', 1, { 4 }, "pixels", "" }, p->camera, HOLDS(camera) },
        { { "pose_of_view", 4, 'f', 2, { 3, 4 }, "metres", "" }, p->pose_of_view, HOLDS(pose_of_view) },
        { { "head_size", 4, 'f', 1, { 1 }, "pixels", "" }, p->head_size, HOLDS(head_size) },
#undef HOLDS
    };
    gn_shard_field field[sizeof all / sizeof *all];
    const void *value[sizeof all / sizeof *all];
    int fields = 0;
    for (size_t k = 0; k < sizeof all / sizeof *all; k++)
        if (all[k].there) field[fields] = all[k].field, value[fields++] = all[k].value;
    char path[256];
    gn_shard_writer *w;
    snprintf(path, sizeof path, "%s/%s", root, m->set);
    OK(gn_io_folder(path));
    snprintf(path, sizeof path, "%s/%s", root, train ? set->train : set->valid);
    OK(gn_shard_create(a, path, m->n, set->skeleton, field, fields, "tests/shards.h", &w));
    for (int64_t i = 0; i < m->n; i++) {
        fill_made(a, m, set->skeleton, i, p);
        for (int f = 0; f < fields; f++) OK(gn_shard_put(w, i, f, value[f]));
    }
    OK(gn_shard_finish(w));
    gn_arena_free(a);
}

static inline uint64_t hash_of(const gn_batch *b) {
    uint64_t h = gn_hash(b->crop, sizeof *b->crop * (size_t)b->n);
    if (b->image) h = gn_hash_more(h, b->image, sizeof *b->image * (size_t)(b->n * b->side * b->side * 3));
    for (int i = 0; i < b->n; i++) {
        const gn_labels *y = &b->label[i];
        h = gn_hash_more(h, y->joints2d, sizeof(float) * 2 * (size_t)y->J);
        h = gn_hash_more(h, y->labelled2d, (size_t)y->J);
        h = gn_hash_more(h, &y->has, sizeof y->has);
        h = gn_hash_more(h, &b->set[i], sizeof b->set[i]);
        h = gn_hash_more(h, &b->sample[i], sizeof b->sample[i]);
    }
    return h;
}
#endif
