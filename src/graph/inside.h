/* inside.h - what a graph is made of: shared by build.c, plan.c, run.c and params.c, by nobody else.
 *
 * Nodes are in the order in which they run; node 0 is no node. Time, for the plan of memory: node i
 * runs forward at i and backward at 2n - i; losses read outputs and write slopes at n. */
#ifndef GN_GRAPH_INSIDE_H
#define GN_GRAPH_INSIDE_H
#include "gnomon/comm.h"
#include "gnomon/device.h"
#include "gnomon/graph.h"
#include "gnomon/optimizer.h"

enum { BUCKET = 4 << 20 }; /* gradients that the GPUs add up at once, about */
enum { SCOPES = 32, NAME = 256, SAVED = 2, ALIGN = 64, PAGE = 4096 };

typedef struct {
    const gn_op *op;
    const void *attr;
    const char *name;             /* of its scope, or of scope and op */
    int n_in, in[GN_OP_IN];       /* nodes */
    int real;                     /* result stays float */
    gn_op_shape s;                /* for a sample when built, for a shard when planned */
    int param;                    /* first of its s.n_param parameters */

    /* the plan */
    gn_type type;                 /* of out */
    int block;
    int output;                   /* somebody outside reads it */
    int wants;                    /* its out has a gradient: backward runs */
    int written;                  /* while planning: somebody writes that gradient */
    int normaliser[2], n_normaliser; /* nodes that normalise its out; their phase 0 runs while it is hot */
    int meets;                    /* workers meet before it, so that its sums are complete */
    uint32_t first;
    int64_t sums_at;              /* of a normalising node: [shards][2 C] */
    size_t shadow_at, shadow;
    double flop, seconds[2];      /* of a shard, forward; of worker 0's shards, forward and backward */
    char *mirror;                 /* on a GPU, of inputs and outputs: the host's copy, shard by shard */
    char *sent;                   /* on a GPU, of inputs: the next pass's, where they come early */
    gn_range range;               /* on a GPU: its own, within forward and backward */
} node;

typedef struct { const char *name; int node, wide; } output; /* wide: numbers a point, of one of rank 2 */
typedef struct { int in, out; } blocks; /* of the tensors on both sides of a weight */

struct gn_graph {
    gn_arena *arena;
    gn_status failed;             /* the first failure of a builder */
    gn_trail trail;
    char scope[NAME];
    size_t scope_end[SCOPES];     /* lengths of the scopes around */
    int depth;

    node *node;
    int n, room;
    gn_param *param;
    int n_param, param_room;
    output *output;
    int n_output, output_room;

    gn_plan plan;
    int planned, measuring, poison, timed, prepares;
    gn_graph_size size;
    blocks *blocks;               /* [n_param] */
    int64_t trained, elements;    /* of the slab: learning, all */
    gn_call *call;                /* [n][shards] */
    gn_tensor *slope;             /* [n][shards], gradient of out */
    gn_real *weights, *gradients; /* [elements], [shards][trained]: where the ops run */
    gn_real *weights_host;        /* the same as `weights`, or the host's copy */
    char *activations, *scratch, *shadow;
    size_t slab, scratch_each;    /* bytes a shard */
    double *sums;                 /* of the normalising nodes, one after the other */
    double *total;                /* [workers][total_each], of the node at hand */
    int64_t total_each;
    gn_mode mode;                 /* of the pass at hand */
    uint64_t seed;

    gn_device *device;            /* NULL: the workers of a pool compute */
    uint16_t *narrow;             /* bf16 copy of the weights, where activations are bf16 */
    gn_real *stats;               /* saved[0] of the normalising nodes, one after the other */
    float *rows, *row_totals, *row_total; /* of the tensor at hand: a shard's rows; [shards][2 C]; [2 C] */
    float *ranks_totals;          /* [ranks][2 C], where several GPUs share the batch */
    gn_real *ranks_gradients;     /* [ranks][BUCKET], the same, where sums are ordered */
    uint64_t *seeds, *seeds_host; /* [n] */
    int running;                  /* statistics are the running ones */
};

static inline gn_call *call_of(const gn_graph *g, int i, int shard) { return &g->call[i * g->plan.shards + shard]; }
static inline gn_tensor *slope_of(const gn_graph *g, int i, int shard) { return &g->slope[i * g->plan.shards + shard]; }
static inline int ranks_of(const gn_graph *g) { return g->plan.comm ? g->plan.ranks : 1; }
static inline int64_t places_of(const gn_shape *s) { return s->d[0] * (s->n == 4 ? s->d[2] * s->d[3] : 1); }

gn_status gn_params_plan(gn_graph *g); /* params.c: places in the slab, once blocks are known */

/* stream.c */
gn_status gn_stream_forward(gn_graph *g), gn_stream_backward(gn_graph *g), gn_stream_times(gn_graph *g);
gn_status gn_stream_hear(gn_graph *g);  /* outputs to the host */
void gn_stream_seed(gn_graph *g, uint64_t seed);
/* gpu.c: what a graph has on a GPU besides its slabs */
gn_status gn_graph_gpu_plan(gn_graph *g), gn_graph_gpu_bind(gn_graph *g);

/* place.c: buffers with a lifetime, laid into one slab, first fit, largest first */
typedef struct { size_t bytes, at; int from, to; } buffer;
gn_status gn_buffers_place(gn_arena *a, buffer *list, int n, size_t *slab);
#endif
