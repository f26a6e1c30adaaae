/* loss.h - terms, pulls, and the record of a loss.
 *
 * A loss is a sum of terms over one group: a sample, or the views or frames that belong together.
 * Its header in kernels/loss/ holds its options, the outputs of the model it reads, the label fields
 * it needs, and two functions: how many terms a group offers, and the value of a term together with
 * how it pulls on the points it touches. From that come a CPU loop, a CUDA kernel, YAML keys, help, a
 * gradient test and a parity test; the list of includes kernels/loss/all.h is the registry.
 *
 * An output is [N points width] numbers ("joints" [N J 3], "depth" [N J 1]) or a map [N C H W]. */
#ifndef GN_LOSS_H
#define GN_LOSS_H
#include "gnomon/labels.h"
#include "gnomon/option.h"
#ifndef __CUDACC__
#include "gnomon/tensor.h"
#endif

#define GN_PULLS 8
typedef struct {
    uint8_t view, output;  /* which sample of the group, which of the outputs that the loss reads */
    int16_t point;
    gn_real d[3];          /* d term / d coordinate */
} gn_tug;
typedef struct { int n; gn_tug at[GN_PULLS]; } gn_pull;

/* What the model says about one sample of the group. */
typedef struct { const gn_real *out[3]; } gn_points; /* out[k] is [points width] */

#ifndef __CUDACC__
typedef enum { GN_MEAN_terms, GN_MEAN_samples, GN_MEAN_batch } gn_mean; /* what a sum is divided by */

typedef struct {                  /* one loss over one shard */
    const void *options;
    int samples, views;           /* samples in the shard; consecutive samples that make a group */
    const gn_labels *labels;      /* [samples] */
    int outputs;
    const gn_tensor *out, *d_out; /* as many as the loss reads; d_out is added to */
    double scale;                 /* weight / normaliser: multiplies the pull */
    double *value;                /* unscaled sum of terms over this shard, written */
} gn_loss_call;

typedef struct {
    const char *name, *help;
    uint32_t needs;               /* GN_HAS_ bits */
    const char *reads[3];         /* default names of the outputs, NULL ends */
    int width[3];                 /* numbers a point; 0: a map */
    size_t bytes;                 /* of its options */
    const gn_option *options;
    int (*terms)(const void *options, const gn_labels *y);  /* that a group offers; 0 without the fields */
    gn_status (*run)(const gn_loss_call *c);                /* CPU; CUDA comes beside it */
} gn_loss;

extern const gn_loss *const gn_losses[]; /* NULL ends */
const gn_loss *gn_loss_find(const char *name);
#endif
#endif
