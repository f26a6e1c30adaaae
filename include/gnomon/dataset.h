/* dataset.h - what a set of samples is, the shards that hold it, and the batch made of it.
 *
 * A shard is an HDF5 file with one contiguous dataset a field, each [N ...], and describes itself:
 * field, shape, unit, frame, skeleton by joint names, provenance, and an XXH3 of every sample and
 * field. The loader reads at the dataset's byte offset; a sample's hash is checked when a process
 * first touches it. Randomness is a function of (seed, epoch, sample). */
#ifndef GN_DATASET_H
#define GN_DATASET_H
#include "gnomon/arena.h"
#include "gnomon/labels.h"
#include "gnomon/option.h"

typedef struct {
    const char *name;
    uint32_t has;                  /* fields that losses may see in training */
    uint32_t holds;                /* fields in the shards; the rest is for evaluation */
    const gn_skeleton *skeleton;
    const char *train, *valid;     /* shard files below the data root: "puppet_lab/train.h5" */
    const char *about, *licence;   /* origin, how the shards are made */
    int made;                      /* 1: a puppet set, made on first use */
} gn_dataset;
extern const gn_dataset *const gn_datasets[]; /* NULL ends; the list is datasets/all.h */
const gn_dataset *gn_dataset_find(const char *name);

/* What augmentation may do; every range is of a uniform or clamped normal draw. */
typedef struct {
    double rotate;      /* degrees: normal(0, rotate), clamped to twice that */
    double rotate_share;/* probability that a sample is rotated at all */
    double scale;       /* 2^normal(0, scale), clamped to twice that */
    double shift;       /* share of the side, uniform in +- */
    double flip;        /* probability */
    double colour;      /* each channel times uniform(1 - colour, 1 + colour) */
    double occlude;     /* probability that a random box is painted over */
    double backdrop;    /* probability that all but the people of a sample with `parts` is replaced by another sample's picture */
    gn_texts sets;      /* augmented: these data sets alone (Zhou 2017 augments MPII, not H36M); none named: all */
} gn_augment;
extern const gn_option gn_augment_options[];

/* How labels are made into what Zhou 2017 trains on; each with the corrected form beside it. */
typedef struct {
    int points;         /* projected | weak: 2D of samples with 3D are re-projected weakly (A3.4) */
    int thorax;         /* own | shoulders: joint "thorax" of samples with 3D is replaced by the shoulders' middle */
    int root;           /* pelvis | thorax: whose depth is 0; "thorax" is H36M's spine in the paper's joint 7 */
    int unit;           /* picture | paper: depth 1 is half the picture; paper adds Torch's 1-based offset 0.0223 */
} gn_label_rules;
extern const gn_option gn_label_rule_options[];

/* --- shards --- */
typedef struct gn_shard gn_shard;
typedef struct {
    const char *name;              /* "image", "depth_map", "parts", or a label field */
    int element;                   /* bytes */
    char kind;                     /* 'u' unsigned, 'i' signed, 'f' float */
    int rank; int64_t d[3];        /* of one sample */
    const char *unit, *frame;
} gn_shard_field;

typedef struct gn_shard_writer gn_shard_writer;
gn_status gn_shard_create(gn_arena *a, const char *path, int64_t n, const gn_skeleton *skeleton,
                          const gn_shard_field *field, int fields, const char *provenance, gn_shard_writer **w);
gn_status gn_shard_put(gn_shard_writer *w, int64_t sample, int field, const void *bytes); /* any order, from several threads */
gn_status gn_shard_seal(gn_shard_writer *w);      /* hashes, sync: what takes time and may fail; nothing is put after it */
gn_status gn_shard_finish(gn_shard_writer *w);    /* seal, rename: before this nothing is at `path` */

gn_status gn_shard_open(gn_arena *a, const char *path, gn_shard **s);
int64_t gn_shard_samples(const gn_shard *s);
const gn_shard_field *gn_shard_find(const gn_shard *s, const char *field, int *place); /* NULL: has none */
int gn_shard_fields(const gn_shard *s);
const gn_shard_field *gn_shard_field_at(const gn_shard *s, int place);
size_t gn_shard_bytes(const gn_shard *s, int place);                                  /* of one sample */
const void *gn_shard_at(const gn_shard *s, int place, int64_t sample);                /* mapped; not checked */
gn_status gn_shard_verify(const gn_shard *s, int place, int64_t sample);              /* the hash of one field */
gn_status gn_shard_check(gn_shard *s, int64_t sample);        /* hashes of a sample's fields, on first touch */
const gn_skeleton *gn_shard_skeleton(const gn_shard *s);
const char *gn_shard_provenance(const gn_shard *s);
const char *gn_shard_path(const gn_shard *s);
uint64_t gn_shard_hash(const gn_shard *s);                    /* of all hashes */

/* --- batches --- */
typedef struct {
    int n, side;
    float *image;                  /* [n side side 3] in [0, 1]; NULL: labels alone */
    gn_labels *label;              /* [n] what losses may see, after augmentation and label rules */
    gn_labels *truth;              /* [n] all that the shard holds, in the same frame: for metrics alone */
    int *set;                      /* [n] place in the list of sets */
    int64_t *sample;               /* [n] in that set */
    double (*crop)[6];             /* [n] from input pixels to stored-picture pixels, [2 3] */
} gn_batch;

typedef struct {
    const char *root;
    const gn_texts *sets;
    const gn_counts *mix;          /* samples of each set in turn, Zhou's 1:1 is [1, 1]; n 0: by size */
    const gn_skeleton *skeleton;   /* the run's: each set's joints are mapped to it by name; NULL: the first set's */
    int bare;                      /* 1: labels alone, no pictures */
    int together;                  /* samples of one `group` that come together; 0, 1: each alone */
    int in_row;                    /* they are neighbours (frames); 0: any of the group, in any order (views) */
    int shards;                    /* of a batch: sample i is of shard i mod this, and what comes together is of one */
    int train;                     /* 1: train shards, shuffled, augmented; 0: valid shards, in order, once */
    int batch, side, threads;      /* threads 0: one */
    uint64_t seed;
    gn_augment augment;
    gn_label_rules rules;
} gn_loader_spec;
typedef struct gn_loader gn_loader;
gn_status gn_loader_open(gn_arena *a, const gn_loader_spec *spec, gn_loader **l);
int64_t gn_loader_samples(const gn_loader *l);                /* in all sets */
const gn_skeleton *gn_loader_skeleton(const gn_loader *l);    /* the same in all sets */
int gn_loader_pairs(const gn_loader *l);                      /* of a sample's `order`, at most */
gn_status gn_loader_seek(gn_loader *l, int64_t step);         /* O(1): resume costs nothing */
/* Valid until the next call but one. With train 0 the last batch has fewer samples, then n is 0. */
gn_status gn_loader_next(gn_loader *l, gn_batch **b);
double gn_loader_waited(const gn_loader *l);                  /* seconds spent waiting for data */
uint64_t gn_loader_hash(const gn_loader *l);                  /* of the shards' hashes */

/* --- what is here, and is it sound --- */
/* A shard's path or a set's name: every hash, pictures, ranges, bones, left against right, twins, views of one moment,
 * takes known to be damaged. What is wrong goes to `to`, with its sample, take and frame, and is GN_BAD_DATA; warnings are not. */
gn_status gn_data_verify(FILE *to, const char *root, const char *what, gn_arena *a);
/* Samples, fields, losses they feed, licence: of every set, and of what else lies below `root`. */
gn_status gn_data_list(FILE *to, const char *root, gn_arena *a);
gn_status gn_data_list_one(FILE *to, const char *root, const char *what, gn_arena *a); /* a set, a shard, a folder of them */

enum { GN_LOADER_RAW, GN_LOADER_AFFINE, GN_LOADER_JPEG };
typedef struct {
    int64_t samples;               /* measured on */
    double bytes;                  /* of one, image alone; jpeg: as stored */
    double first, again;           /* raw: samples/s a thread from page cache, hashed at first touch, and once touched */
    double copy;                   /* raw: bytes/s of memcpy out of plain memory, the same samples in the same order */
    double affine;                 /* samples/s of all threads, turned, scaled and coloured into batches of floats */
    double decoded, alone;         /* jpeg: pictures/s a thread by the loader's decoder, and by the library's call alone */
} gn_loader_rates;
/* Random samples into a batch. `shard` NULL: one of 256x256x3 is made below /tmp and removed. Affine reads what is a
 * data set's training shard by its path; jpeg compresses what is stored raw first. */
gn_status gn_loader_bench(gn_arena *a, const char *shard, int threads, int mode, gn_loader_rates *rates);
#endif
