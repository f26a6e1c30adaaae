/* op.h - what an op promises on every backend.
 *
 * An op never allocates, waits or prints: shapes are fixed and memory is planned before the first
 * step. A call is one op over one shard of the batch. Where an op needs sums over the whole batch
 * (batch norm) it works in phases: it leaves its shard's sums, the workers meet, and the next phase
 * reads the total, summed over the shards in a fixed tree. */
#ifndef GN_OP_H
#define GN_OP_H
#include "gnomon/arena.h"
#include "gnomon/tensor.h"

typedef enum { GN_CPU, GN_CUDA, GN_BACKENDS } gn_backend;
typedef enum { GN_TRAIN, GN_EVAL } gn_mode;
typedef enum { GN_IMPL_OWN, GN_IMPL_LIBRARY, GN_IMPL_FASTEST } gn_impl;

#define GN_OP_IN 4
#define GN_OP_PARAM 6

typedef struct { /* what an op says of itself once its inputs are known */
    gn_shape out, saved[2], param[GN_OP_PARAM]; /* saved of rank 4 is blocked as out is */
    gn_type saved_type[2];
    int n_param;
    int norm_channels;                /* C of in[0] when it is normalised over the batch, else 0: see attr.h */
} gn_op_shape;

typedef struct gn_call {
    const void *attr;
    gn_mode mode;
    int n_in;
    const gn_tensor *in, *param;      /* read; a param of rank 1 is padded with zeros to a multiple of 16 */
    const gn_tensor *out, *saved;     /* written by forward; backward reads saved, but not out */
    const gn_tensor *d_out;           /* backward reads */
    const gn_tensor *d_in, *d_param;  /* backward writes or adds here, as `first` says; data NULL: not wanted.
                                         d_in[i].data == d_out->data: they share memory, see gn_op.passes */
    uint32_t first;                   /* bit i: this call is the first writer of d_in[i] (set by the plan) */
    int phase;
    double *sums;                     /* [2 C], C with padded lanes: this shard's sums for the whole batch, written before a meeting */
    const double *total;              /* [2 C] the batch's, read after it */
    int64_t count;                    /* positions that the total sums over, a channel */
    const void *shadow;               /* weights as `prepare` left them, shared by the shards */
    void *state;                      /* made by plan for this node and shard: primitives and the like */
    void *scratch;                    /* as many bytes as plan asked for; of this shard, for this node's run */
    uint64_t seed;                    /* of this step and node, for dropout: draws are (seed, sample, element) */
    int64_t first_sample, sample_stride; /* sample n of the shard is sample first + n*stride of the batch */

    /* On a GPU, where all data are device memory. A captured call is the same every step: what changes lies in memory. */
    void *stream;                     /* work is queued there */
    const uint64_t *seed_at;          /* `seed` is read here */
    float *rows;                      /* left by forward, and by backward's phase 0: see "sums on a GPU"; NULL: not wanted */
    const gn_real *centre;            /* [C] that forward's rows are sums about */
    const float *row_total;           /* [2 C] backward's phase 1 reads it in place of `total` */
} gn_call;
typedef gn_status gn_run_fn(const gn_call *c);
typedef gn_status gn_plan_fn(const gn_call *c, gn_arena *a, gn_impl impl, void **state, size_t *scratch, size_t *shadow);

typedef struct gn_op {
    const char *name;
    gn_status (*shape)(const void *attr, int n_in, const gn_shape *in, gn_op_shape *s);
    /* once a node and shard; may be NULL. *scratch and *shadow: bytes wanted */
    gn_plan_fn *plan[GN_BACKENDS];
    gn_run_fn *prepare[GN_BACKENDS];  /* once a step and node: weights into the shadow; may be NULL */
    gn_run_fn *forward[GN_BACKENDS], *backward[GN_BACKENDS];
    uint32_t passes;                  /* bit i: d_in[i] is d_out unchanged. The plan may let them share memory, where
                                         d_in[i] is first written; then backward leaves it alone */
    uint32_t forgets;                 /* bit i: backward does not read in[i] again */
    int leaves_rows;                  /* on a GPU, forward leaves the rows of its result itself */
} gn_op;

/* Channels a block that suit the machine and its library; 0: one block of all channels. */
int gn_block_fastest(gn_impl impl);

#define GN_OP(name)                                                                                \
    extern const gn_op gn_op_##name;                                                               \
    gn_plan_fn gn_##name##_plan_cuda;                                                              \
    gn_run_fn gn_##name##_forward_cuda, gn_##name##_backward_cuda;
#define GN_PLACE(name) extern const gn_op gn_op_##name;
#include "ops.def" /* kernels/ops.def: every op, once */
#undef GN_OP
#undef GN_PLACE

/* --- sums on a GPU ---
 *
 * Batch norm's sums are made where the numbers are at hand. Row r of a tensor [places][C] holds [2][C] floats,
 * sums over its places 128 r to 128 r + 127, in the order of the places or a fixed tree: of forward, x - centre
 * and (x - centre)^2, centre being the running mean, so that nothing cancels; of a normalising op's backward, dy
 * (where the ReLU let x through) and dy xhat. gn_finish adds rows in their order, so no result depends on how
 * blocks were run. Float throughout: the kernels have no double. */
#define GN_ROW_PLACES 128
typedef struct {
    const float *rows;             /* [n][2][C] */
    int64_t n;
    int channels;
    float *total;                  /* [2][C]; NULL: not wanted, as all below */
    gn_real *first, *second;       /* [C] the halves of the total once more: gradients of shift and scale */
    int64_t count;                 /* places */
    const gn_real *centre;         /* [C] */
    gn_real *stat[2];              /* [2 C] mean, 1/std, for each op that normalises the tensor */
    gn_real *mean[2], *variance[2]; /* [C] their running statistics, moved; centre may be mean[0] */
} gn_finish;

int64_t gn_rows(const gn_tensor *t);                                          /* ceil(N H W / 128) */
gn_status gn_rows_cuda(const gn_call *c);                                     /* rows of c->out about c->centre */
gn_status gn_finish_cuda(const gn_finish *f, void *stream);
/* total = the shards' totals in the fixed tree of graph.h, [shards][2][C] to [2][C]; then as gn_finish of one row. */
gn_status gn_totals_cuda(const float *totals, int shards, const gn_finish *f, void *stream);
/* [mean, 1/std] of running statistics: before an evaluation. */
gn_status gn_stat_cuda(const gn_real *mean, const gn_real *variance, int channels, gn_real *stat, void *stream);
#endif
