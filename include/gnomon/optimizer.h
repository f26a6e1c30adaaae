/* optimizer.h - how parameters follow their gradients.
 *
 * An optimizer works on ranges of slabs: elements do not know of each other, so ranges may run
 * anywhere at once and nothing changes. Every optimizer's options begin with `double rate`, the
 * learning rate that the schedule multiplies. */
#ifndef GN_OPTIMIZER_H
#define GN_OPTIMIZER_H
#include "formula/optimizer.h"
#include "gnomon/option.h"
#include "gnomon/status.h"

#define GN_OPTIMIZER_STATES 2

typedef struct {                 /* one step of one range */
    int64_t t;                   /* counts from 1 */
    double rate;                 /* the schedule's */
    double gradient_scale;       /* below 1 when the gradient is clipped */
    int64_t from, to;
    gn_real *w;
    const gn_real *g;
    gn_real *const *state;       /* as many slabs as the optimizer keeps, zero before the first step */
} gn_learn;

typedef struct {
    const char *name, *help;
    size_t bytes;
    const gn_option *options;
    int states;
    gn_step step;                /* its formula */
    /* What of step t, which counts from 1, is the same for all parameters, at the schedule's rate; p->scale is 1. */
    void (*pace)(const void *options, int64_t t, double rate, gn_pace *p);
    void (*run)(const void *options, const gn_learn *l);
} gn_optimizer;
extern const gn_optimizer *const gn_optimizers[]; /* NULL ends */
const gn_optimizer *gn_optimizer_find(const char *name); /* NULL: none of that name */

/* mean = decay mean + (1 - decay) w */
void gn_ema_run(double decay, int64_t from, int64_t to, const gn_real *w, gn_real *mean);
/* In double, lanes added in a fixed order; not finite when any element is not. */
double gn_sum_squares(const gn_real *x, int64_t from, int64_t to);

/* --- on a GPU ---
 *
 * All parameters at once, in three launches that are the same every step: a captured step reads pace anew. A norm
 * that is not finite leaves everything else as it was. All is device memory; slabs begin at multiples of 16 bytes. */
typedef struct {
    gn_real *w;                  /* [elements] the first `trained` learn */
    const gn_real *g;            /* [trained] */
    gn_real *state[GN_OPTIMIZER_STATES]; /* [trained] each */
    gn_real *ema;                /* [elements] running mean of w; NULL: none */
    uint16_t *narrow;            /* [elements] bf16 copy of w, rewritten; NULL: none */
    int64_t trained, elements;
    const gn_pace *pace;         /* this step's; clipping multiplies its scale */
    double clip, ema_decay;      /* largest norm of the gradient, 0: any; of gn_ema_run */
    float *parts;                /* scratch, gn_learn_gpu_parts bytes */
    float *norm;                 /* [1] the gradient's, before clipping, written; summed in float */
} gn_learn_gpu;
size_t gn_learn_gpu_parts(int64_t trained);
gn_status gn_learn_cuda(const gn_optimizer *o, const gn_learn_gpu *l, void *stream);
/* narrow = w in bf16 */
gn_status gn_narrow_cuda(const gn_real *w, int64_t n, uint16_t *narrow, void *stream);
/* sum [count] = the sum of the shards' numbers, which lie `stride` apart at x, in the fixed tree of graph.h: the CPU's
 * bits. `sum` may be x. */
gn_status gn_shards_sum_cuda(const gn_real *x, int64_t stride, int64_t count, int shards, gn_real *sum, void *stream);
#endif
