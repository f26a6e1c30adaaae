/* source.h - a set as the loader reads it: its shard, where the fields lie, its joints as the run's. */
#ifndef GN_SOURCE_H
#define GN_SOURCE_H
#include "src/data/sample.h"
#include "src/image/decoder.h"

typedef struct {
    const gn_dataset *set;
    gn_shard *shard;
    const gn_augment *augment;        /* NULL: none */
    const gn_joint_map *map;          /* from the shard's joints to the run's; NULL: the same */
    int image, jpeg, jpeg_bytes, size, parts, place[GN_FIELD_COUNT]; /* in the shard, -1: has none */
    uint32_t holds;                   /* label fields in the shard */
    int w, h, P;                      /* of the stored picture; 0: without one each sample says its own */
    int64_t units, *unit;             /* [units 2] each group's first sample and how many; NULL: every sample alone */
} gn_source;

/* What a worker needs beside a sample's own memory. */
typedef struct {
    gn_decoder *decoder;
    uint8_t *picture, *canvas;        /* decoded; people before another's backdrop */
    gn_label_store raw;               /* in the shard's joints */
} gn_desk;

gn_status gn_source_open(gn_arena *a, const gn_loader_spec *spec, const char *name, gn_source *s);
gn_status gn_source_join(gn_arena *a, const gn_skeleton *joints, gn_source *s); /* the run's skeleton is known */
gn_status gn_source_frame(const gn_source *s, int64_t sample, int *w, int *h);
/* The stored picture, in the shard or decoded onto the desk. */
gn_status gn_source_picture(const gn_source *s, int64_t sample, gn_desk *d, const uint8_t **rgb);
/* On the run's skeleton; returns the fields there are now, and how many pairs. */
uint32_t gn_source_labels(const gn_source *s, int64_t sample, gn_desk *d, gn_label_store *y, int *P);
#endif
