/* sink.h - between an importer and the shards: what it said is spooled, checked, cropped, written. */
#ifndef GN_SINK_H
#define GN_SINK_H
#include "gnomon/dataset.h"
#include "gnomon/image.h"
#include "gnomon/import.h"

/* --- crop.c: a square of a picture as its pinhole would have shown it. `lens` NULL: as it is --- */
void gn_crop_picture(const gn_image *in, const gn_lens *lens, const double square[3], int size, uint8_t *out);
void gn_crop_depth(const uint16_t *in, int w, int h, const gn_lens *lens, const double square[3], int size, uint16_t *out);
/* 2D and camera of the straightened whole picture into pixels of the crop. */
void gn_crop_point(const double square[3], int size, double uv[2]);

/* --- check.c: does it fit? --- */
enum { GN_SHARES = 1 << 14 };
typedef struct {            /* numbers, thinned evenly once there are too many */
    int64_t seen, stride;
    int n;
    float value[GN_SHARES];
} gn_shares;
void gn_shares_add(gn_shares *t, double x);
double gn_shares_at(gn_shares *t, double share); /* the value below which this share lies; NaN: none */
typedef struct {
    const gn_skeleton *skeleton;
    gn_shares pixels, sides;         /* joints' projection errors; |left - right| of a bone, metres */
    gn_shares *bone;                 /* [bones] metres */
    int64_t before, behind;            /* labelled joints before the camera, and not */
} gn_fit;
gn_status gn_fit_new(gn_arena *a, const gn_skeleton *s, gn_fit **fit);
void gn_fit_add(gn_fit *f, const gn_import_sample *x);
/* What was found, for people; GN_BAD_DATA where the median error exceeds `pixels`, most joints lie behind the camera, or
 * bones cannot be a person's. */
gn_status gn_fit_say(gn_fit *f, FILE *to, const char *name, double pixels);

/* --- sink.c --- */
typedef struct { int fd; int64_t bytes; } gn_spool; /* a file without a name, gone with the process */
struct gn_sink {
    gn_arena *arena;
    const gn_import *from;
    const gn_importer *importer;
    FILE *to;
    gn_spool spool[2];                 /* gn_spooled, one after another; cropped depth */
    uint16_t *depth;                   /* [size size], while it is put */
    int64_t n[2];                      /* of train and valid */
    uint32_t any, all;                 /* fields that some samples have, that all have */
    int64_t pictured, ranged;          /* samples with a picture, with depth */
    int64_t passed, missing;           /* samples passed over; pictures not there */
    int64_t unsound, beyond;           /* labelled joints that were no numbers; that lie where no lens shows anything */
    char *notes;
    size_t noted;
    gn_fit *fit;
};
typedef struct {                       /* as it lies in the spool */
    gn_import_sample x;                /* straightened; depth NULL */
    int ranged;                        /* 1: its cropped depth lies in spool 1, from byte `blob` on */
    int64_t blob;
} gn_spooled;
gn_status gn_spool_open(gn_arena *a, const char *folder, gn_spool *s);
gn_status gn_spool_put(const gn_spool *s, const char *folder, const void *bytes, size_t n, int64_t at); /* `folder`: for a message */
gn_status gn_sink_open(gn_arena *a, FILE *to, const gn_import *from, const gn_importer *importer, gn_sink **s);
gn_status gn_sink_finish(gn_sink *s);  /* shards.c: checks, then writes <out>/train.h5 and valid.h5 */
#endif
