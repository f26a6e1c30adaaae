/* loss.h - terms, pulls, and the record of a loss.
 *
 * A loss is a sum of terms over one group: a sample, or the views that belong together. Its header in
 * kernels/loss/ holds its options, the outputs of the model it reads, the label fields it needs, and
 * three functions: the most terms a group can have, whether the labels offer a certain one, and the
 * value of a term together with how it pulls on the points it touches. From that come a CPU loop, a
 * CUDA kernel, YAML keys, help, a gradient test and a parity test; the list of includes
 * kernels/loss/all.h is the registry.
 *
 * An output is [N points width] numbers ("joints" [N J 3], "depth" [N J 1]) or a map [N C H W]. */
#ifndef GN_LOSS_H
#define GN_LOSS_H
#include "gnomon/labels.h"
#include "gnomon/option.h"
#include "gnomon/tensor.h"
#include <assert.h>

#define GN_PULLS 8
#define GN_VIEWS 16 /* in a group, at most */
#define GN_READS 8  /* outputs that one loss may be given */
#define GN_MAP_SIDE 512 /* cells a side of a map that is compared, at most */

typedef struct {
    uint8_t view, output;  /* which sample of the group, which of the outputs that the loss reads */
    int16_t point;
    gn_real d[3];          /* d term / d coordinate */
} gn_tug;
typedef struct { int n; gn_tug at[GN_PULLS]; } gn_pull;

/* What the model says about one sample of the group. */
typedef struct { const gn_real *out[3]; } gn_points; /* out[k] is [points width], NULL when not read */

typedef struct {
    int views;             /* 1: a sample alone */
    const gn_labels *y;    /* [views] */
    const gn_points *x;    /* [views]; NULL while terms are counted */
} gn_group;

GN_FN void gn_pull_add(gn_pull *p, int view, int output, int point, gn_real x, gn_real y, gn_real z) {
    assert(p->n < GN_PULLS);
    gn_tug *tug = &p->at[p->n++];
    tug->view = (uint8_t)view;
    tug->output = (uint8_t)output;
    tug->point = (int16_t)point;
    tug->d[0] = x;
    tug->d[1] = y;
    tug->d[2] = z;
}

typedef enum { GN_MEAN_terms, GN_MEAN_samples, GN_MEAN_batch } gn_mean; /* what a sum is divided by */

typedef struct {                  /* one loss over one shard */
    const void *options;
    int samples, views;           /* samples in the shard; consecutive samples that make a group */
    const gn_labels *labels;      /* [samples] */
    int outputs;
    const gn_tensor *out, *d_out; /* as many as the loss reads; d_out is added to, data NULL: value alone */
    double scale;                 /* weight / normaliser: multiplies the pull */
    double *value;                /* unscaled sum of terms over this shard, written */

    /* On a GPU, where labels and data are device memory, a captured call is the same every step: */
    const float *scale_at;        /* `scale` is read here */
    float *value_at;              /* `value` is written here */
} gn_loss_call;

typedef struct {
    const char *name, *help;
    uint32_t needs;               /* GN_HAS_ bits */
    const char *reads[4];         /* default names of the outputs, NULL ends */
    int width[4];                 /* numbers a point; 0: a map */
    int least;                    /* of the outputs it cannot do without; the later ones may be left out */
    int views;                    /* 1: a group is a sample; 2: at least two views */
    size_t bytes;                 /* of its options */
    const gn_option *options;
    /* that a group offers, from its labels; 0 without the fields. `out`: shapes, for maps (elements of one map set) */
    int64_t (*terms)(const void *options, const gn_labels *y, int views, const gn_tensor *out);
    /* On the CPU. A loss on maps takes up to GN_READS outputs (stacks) and sums over them. */
    gn_status (*run)(const gn_loss_call *c);
} gn_loss;

extern const gn_loss *const gn_losses[]; /* NULL ends */
const gn_loss *gn_loss_find(const char *name);

/* What the sum over the whole batch is divided by: its terms, its groups that offer any, or all its
 * groups; at least 1. `samples`, `y`: of the batch. */
double gn_loss_normaliser(const gn_loss *l, const void *options, gn_mean mean, int samples, int views,
                          const gn_labels *y, const gn_tensor *out);

/* Does the call fit the loss? `y`: its labels where the host can read them, or NULL: they are not looked into. */
gn_status gn_loss_check(const gn_loss *l, const gn_loss_call *c, const gn_labels *y);

/* --- on a GPU ---
 *
 * The losses of a step over one shard, in their order: those on points in one launch, those on maps in one each an
 * output. Kernels do not look for labels that do not fit: gn_loss_check did. Sums in float, in a fixed order. */
gn_status gn_losses_cuda(int n, const gn_loss *const *loss, const gn_loss_call *call, void *scratch, void *stream);
size_t gn_losses_cuda_scratch(int n, const gn_loss_call *call); /* bytes */

/* Labels of one skeleton as one block: gn_labels[samples] first, then all that they and their skeleton lead to, with
 * pointers for a block that lies at `device`. Its layout depends on skeleton, samples and pairs alone, so an upload is
 * one copy, and the same one every step. A sample has at most `pairs` pairs. `host`: of so many bytes, like `device`
 * aligned to 16. */
size_t gn_labels_pack_bytes(const gn_skeleton *s, int samples, int pairs);
void gn_labels_pack(const gn_labels *y, int samples, int pairs, void *host, const void *device);
#endif
