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
#include <assert.h>
#ifndef __CUDACC__
#include "gnomon/tensor.h"
#endif

#define GN_PULLS 8
#define GN_VIEWS 16 /* in a group, at most */
#define GN_READS 8  /* outputs that one loss may be given */

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

#ifndef __CUDACC__
typedef enum { GN_MEAN_terms, GN_MEAN_samples, GN_MEAN_batch } gn_mean; /* what a sum is divided by */

typedef struct {                  /* one loss over one shard */
    const void *options;
    int samples, views;           /* samples in the shard; consecutive samples that make a group */
    const gn_labels *labels;      /* [samples] */
    int outputs;
    const gn_tensor *out, *d_out; /* as many as the loss reads; d_out is added to, data NULL: value alone */
    double scale;                 /* weight / normaliser: multiplies the pull */
    double *value;                /* unscaled sum of terms over this shard, written */
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
    /* CPU; CUDA comes beside it. A loss on maps takes up to GN_READS outputs (stacks) and sums over them. */
    gn_status (*run)(const gn_loss_call *c);
} gn_loss;

extern const gn_loss *const gn_losses[]; /* NULL ends */
const gn_loss *gn_loss_find(const char *name);

/* What the sum over the whole batch is divided by: its terms, its groups that offer any, or all its
 * groups; at least 1. `samples`, `y`: of the batch. */
double gn_loss_normaliser(const gn_loss *l, const void *options, gn_mean mean, int samples, int views,
                          const gn_labels *y, const gn_tensor *out);
#endif
#endif
