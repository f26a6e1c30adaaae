/* verify.h - what the files that look for faults in a shard share. */
#ifndef GN_VERIFY_H
#define GN_VERIFY_H
#include "gnomon/dataset.h"
#include "src/image/decoder.h"

/* name, 1: the shard is not sound; 0: a warning, what is said of it */
#define GN_FAULTS(F)                                                                                                       \
    F(HASH, 1, "hash") F(NOT_FINITE, 1, "not finite") F(FLAG, 1, "flag not 0 or 1") F(SIZE, 1, "size")                     \
    F(PICTURE, 1, "broken picture") F(POINT, 1, "point far outside") F(CAMERA, 1, "camera") F(POSE, 1, "3D pose")          \
    F(PROJECTION, 1, "projection") F(DEPTH_MAP, 1, "depth map") F(BONE, 1, "impossible bone") F(ODD, 0, "odd bone")        \
    F(SIDES, 1, "left and right") F(DUPLICATE, 1, "duplicate picture") F(TWIN, 1, "duplicate labels") F(HELD, 0, "held pose")   \
    F(GROUP, 1, "group") F(VIEWS, 1, "views of one moment disagree") F(TAKE, 1, "damaged take") F(FLIPS, 0, "flipping joints")
enum {
#define GN_FAULT_NAME(name, bad, text) GN_FAULT_##name,
    GN_FAULTS(GN_FAULT_NAME)
#undef GN_FAULT_NAME
    GN_FAULT_COUNT
};

typedef struct {
    FILE *to;
    gn_shard *shard;
    const char *path;
    const gn_skeleton *skeleton;
    int64_t n, count[GN_FAULT_COUNT];
    int place[GN_FIELD_COUNT];                    /* here and below -1: has none */
    int image, jpeg, jpeg_bytes, depth_map, size, take, frame, group;
    int w, h;                                     /* of every picture; 0: as `size` says */
    gn_decoder *decoder;                          /* of JPEGs */
    uint8_t *rgb;
    int64_t room;                                 /* pixels in it */
    double usual[GN_JOINTS];                      /* a bone's median length, both sides pooled, metres; 0: not known */
    double spread[GN_JOINTS];                     /* median distance from it, as a share of it, the person's size taken out */
} gn_check;

/* One line: sample, take and frame; counted, the first few of a kind said. `fmt` NULL: no more than the fault. */
void gn_check_found(gn_check *c, int fault, int64_t sample, const char *field, const char *fmt, ...) GN_PRINTF(5, 6);
const void *gn_check_at(const gn_check *c, int place, int64_t sample); /* NULL where place is -1 */
void gn_check_size(const gn_check *c, int64_t sample, int *w, int *h); /* of what labels are pixels of */

/* --- verify_sample.c: one sample by itself --- */
gn_status gn_check_sample(gn_check *c, gn_arena *a, int64_t sample);
/* --- verify_bones.c --- */
gn_status gn_check_bones(gn_check *c, gn_arena *a); /* all samples */
/* --- verify_set.c: samples beside each other --- */
gn_status gn_check_set(gn_check *c, gn_arena *a);
#endif
