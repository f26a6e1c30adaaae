/* importing.h - an import run as `gnomon data import` runs it, and what it left and said. */
#ifndef IMPORTING_H
#define IMPORTING_H
#include "gnomon/dataset.h"
#include "gnomon/image.h"
#include "gnomon/import.h"
#include "gnomon/io.h"
#include "near.h"
#include <string.h>
#include <unistd.h>

typedef struct {
    gn_arena *arena;
    char folder[64], said[8192]; /* for sources and shards, removed at the end; lines for people */
    gn_import from;              /* what a test changes before an import */
} importing;

static inline void importing_begin(importing *t, const char *name) {
    *t = (importing){ .arena = gn_arena_new("test") };
    assert_non_null(t->arena);
    snprintf(t->folder, sizeof t->folder, "/tmp/gn_%s_%d", name, (int)getpid());
    t->from = (gn_import){ .size = 64, .every = 1, .seconds = 60, .memory = INT64_C(4) << 30 };
    OK(gn_io_remove(t->folder));
    OK(gn_io_folder(t->folder));
}
static inline void importing_end(importing *t) {
    OK(gn_io_remove(t->folder));
    gn_arena_free(t->arena);
}

static inline const char *importing_path(importing *t, const char *name) { return gn_arena_text(t->arena, "%s/%s", t->folder, name); }

/* A file below the test's folder. */
static inline const char *importing_write(importing *t, const char *name, const char *text) {
    const char *path = importing_path(t, name);
    char folder[256];
    snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(path, '/') - path), path);
    OK(gn_io_folder(folder));
    OK(gn_io_write(path, text, strlen(text)));
    return path;
}
/* Another picture for each name: `data verify` knows twins. */
static inline void importing_picture(importing *t, const char *name, int w, int h) {
    gn_image image;
    size_t seed = 0;
    for (const char *c = name; *c; c++) seed = 31 * seed + (size_t)*c;
    OK(gn_image_new(t->arena, w, h, &image));
    for (size_t i = 0; i < 3 * (size_t)w * (size_t)h; i++) image.rgb[i] = (uint8_t)(i * 7 % 251 + seed % 101);
    OK(gn_png_write(importing_write(t, name, ""), &image));
}

/* To OUT below the test's folder. */
static inline gn_status importing_run(importing *t, const char *format, const char *source, const char *out) {
    FILE *to = tmpfile();
    assert_non_null(to);
    gn_trail_clear();
    t->from.format = format;
    t->from.source = source;
    t->from.out = importing_path(t, out);
    const gn_status status = gn_import_run(to, &t->from, t->arena);
    rewind(to);
    t->said[fread(t->said, 1, sizeof t->said - 1, to)] = 0;
    fclose(to);
    if (status) assert_null(strchr(gn_reason(), '\n'));
    return status;
}

static inline int importing_left(importing *t, const char *out, const char *part) {
    return gn_io_exists(gn_arena_text(t->arena, "%s/%s/%s.h5", t->folder, out, part));
}

/* The shard, which `data verify` finds sound. */
static inline gn_shard *importing_shard(importing *t, const char *out, const char *part) {
    const char *path = gn_arena_text(t->arena, "%s/%s/%s.h5", t->folder, out, part);
    FILE *to = tmpfile();
    gn_shard *s = NULL;
    assert_non_null(to);
    OK(gn_data_verify(to, ".", path, t->arena));
    fclose(to);
    OK(gn_shard_open(t->arena, path, &s));
    return s;
}
static inline const void *importing_at(const gn_shard *s, const char *field, int64_t sample) {
    int place;
    if (!gn_shard_find(s, field, &place)) fail_msg("no field %s", field);
    return gn_shard_at(s, place, sample);
}
static inline int importing_has(const gn_shard *s, const char *field) {
    int place;
    return gn_shard_find(s, field, &place) != NULL;
}
static inline int importing_labelled(const gn_shard *s, const char *field, int64_t sample) {
    const uint8_t *flag = importing_at(s, field, sample);
    int n = 0;
    for (int j = 0; j < gn_shard_skeleton(s)->joints; j++) n += flag[j];
    return n;
}
/* A point of the whole picture where the crop about a box has it: the box's middle is the crop's, its longer side 4/5 of it. */
static inline void importing_near(const gn_shard *s, int64_t sample, int joint, const double box[4], double x, double y, int size) {
    const float *uv = (const float *)importing_at(s, "joints2d", sample) + 2 * joint;
    const double side = 1.25 * fmax(box[2], box[3]);
    NEAR(uv[0], size * ((x - box[0] - box[2] / 2) / side + 0.5) - 0.5, 1e-3);
    NEAR(uv[1], size * ((y - box[1] - box[3] / 2) / side + 0.5) - 0.5, 1e-3);
}
#endif
