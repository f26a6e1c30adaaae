/* optimizer.h - how parameters follow their gradients.
 *
 * An optimizer works on ranges of slabs: elements do not know of each other, so ranges may run
 * anywhere at once and nothing changes. Every optimizer's options begin with `double rate`, the
 * learning rate that the schedule multiplies. */
#ifndef GN_OPTIMIZER_H
#define GN_OPTIMIZER_H
#include "gnomon/option.h"

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
    void (*run)(const void *options, const gn_learn *l);
} gn_optimizer;
extern const gn_optimizer *const gn_optimizers[]; /* NULL ends */
const gn_optimizer *gn_optimizer_find(const char *name); /* NULL: none of that name */

/* mean = decay mean + (1 - decay) w */
void gn_ema_run(double decay, int64_t from, int64_t to, const gn_real *w, gn_real *mean);
/* In double, lanes added in a fixed order; not finite when any element is not. */
double gn_sum_squares(const gn_real *x, int64_t from, int64_t to);
#endif
