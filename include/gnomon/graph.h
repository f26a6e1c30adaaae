/* graph.h - a network as a list of calls, and its builders.
 *
 * A model is written with builders and reads as its figure. Builders do not return a status: the
 * first failure sticks to the graph and gn_graph_plan reports it. The plan fixes shapes, layouts and
 * memory; after the first step nothing allocates.
 *
 * A step is S shards summed in a fixed tree, whoever computes them. Workers go node by node and meet
 * at batch norms, so results do not depend on how many workers there are, to the bit. */
#ifndef GN_GRAPH_H
#define GN_GRAPH_H
#include "gnomon/attr.h"
#include "gnomon/op.h"
#include "gnomon/option.h"
#include "gnomon/pool.h"

typedef struct gn_graph gn_graph;
typedef struct { int id; } gn_node;

gn_status gn_graph_new(gn_arena *a, gn_graph **g);

/* Scopes name parameters: "stack1.hourglass.up1.conv2.weight". */
void gn_scope_in(gn_graph *g, const char *fmt, ...) GN_PRINTF(2, 3);
void gn_scope_out(gn_graph *g);

typedef struct {
    int channels, kernel, stride; /* stride 0 means 1; padding is kernel/2 */
    int norm, relu;               /* of the input, before the convolution: BN, then ReLU */
    int no_bias;
    gn_node add;                  /* added to the result, when its id is not 0 */
    int real;                     /* result is stored in float whatever the storage type: heads */
    int zero;                     /* of gn_linear: weights and biases start at 0, whatever the initialisation */
} gn_conv_spec;

gn_node gn_input(gn_graph *g, const char *name, int channels, int height, int width);
gn_node gn_conv(gn_graph *g, gn_node x, gn_conv_spec spec);
gn_node gn_norm(gn_graph *g, gn_node x, int relu);           /* where no single convolution can carry it */
gn_node gn_add(gn_graph *g, gn_node a, gn_node b);
gn_node gn_pool_max(gn_graph *g, gn_node x, int size);       /* windows do not overlap */
gn_node gn_upsample(gn_graph *g, gn_node x, int factor, gn_node add); /* nearest; + add, when its id is not 0 */
gn_node gn_linear(gn_graph *g, gn_node x, gn_conv_spec spec); /* [N C H W], flattened in C, H, W order -> [N channels] */
gn_node gn_dropout(gn_graph *g, gn_node x, double share);
gn_node gn_softargmax(gn_graph *g, gn_node x, int joints, int depth); /* [N J*D H W] -> [N J 2|3], (u, v[, w]) in cells; depth 0: maps */
gn_node gn_gather(gn_graph *g, gn_node map, gn_node at);     /* values of [N C H W] at points [N C 2] or [N P 2], bilinear */
void gn_output(gn_graph *g, const char *name, gn_node x);    /* losses bind to this name */
void gn_output_points(gn_graph *g, const char *name, gn_node x, int wide); /* [N P*wide], shown as [N P wide] */

typedef struct {
    gn_backend backend;
    gn_impl impl;
    gn_type type;                 /* of stored activations: GN_TYPE_REAL or GN_TYPE_BF16 */
    int batch, shards;            /* samples a step, of this graph; shards divide it */
    int norm_shard;               /* 0: statistics over the batch; 1: each shard its own */
    int block;                    /* channels a block; 0: the fastest for backend and impl; a GPU has one of all */
    int device;                   /* which GPU */
    struct gn_comm *comm;         /* of several GPUs that share a batch; NULL: one alone. This graph has shards */
    int rank, ranks;              /* [rank, rank + 1) * shards of the ranks' */
    int ordered;                  /* their sums are in the fixed tree; else in NCCL's order */
    int backward;                 /* 0: forward alone, a smaller plan */
    gn_pool *pool;
    const char *const *frozen;    /* scopes whose parameters get no gradient; NULL ends */
} gn_plan;
gn_status gn_graph_plan(gn_graph *g, const gn_plan *plan);
/* Shapes and sizes alone: what `gnomon check` prints; no slab is reserved. */
gn_status gn_graph_measure(gn_graph *g, const gn_plan *plan);

typedef struct {
    int64_t parameters;           /* trained numbers */
    size_t weights, gradients, activations, scratch; /* bytes, all shards */
    int nodes;
    double flop_forward, flop_backward;  /* a sample */
} gn_graph_size;
gn_graph_size gn_graph_sizes(const gn_graph *g);

gn_status gn_graph_forward(gn_graph *g, gn_mode mode, uint64_t seed);
gn_status gn_graph_backward(gn_graph *g); /* from the slopes below to one gradient slab, shards summed */

/* Tensors of one shard. Sample i of the batch is sample i/S of shard i%S. */
gn_tensor gn_graph_input(gn_graph *g, const char *name, int shard);
int gn_graph_has_input(const gn_graph *g, const char *name);
int gn_graph_outputs(const gn_graph *g);      /* one of rank 2, [N P], is shown as points of one number: [N P 1] */
const char *gn_graph_output_name(const gn_graph *g, int i);
int gn_graph_output_find(const gn_graph *g, const char *name); /* -1: none of that name */
gn_shape gn_graph_output_shape(const gn_graph *g, int i);        /* of a shard; of a sample before any plan or measure */
gn_tensor gn_graph_output(gn_graph *g, int i, int shard);
gn_tensor gn_graph_slope(gn_graph *g, int i, int shard);       /* zeroed by forward; losses add */

/* --- on a GPU ---
 *
 * Inputs and outputs above are then the host's copies, in pinned memory: forward takes the inputs along, an evaluation
 * brings the outputs, and after training gn_graph_hear does. Slopes and the tensors below are the device's. The weights'
 * slab is the host's copy, too: pushed after it was written, pulled before it is read. On a CPU all of this does nothing.
 * A pass is queued; a pass that was captured is replayed after gn_graph_seed. */
typedef struct { struct gn_device *device; gn_real *weights, *gradients; uint16_t *narrow; } gn_graph_gpu;
gn_graph_gpu gn_graph_on_gpu(const gn_graph *g);               /* device NULL: the graph is a CPU's */
gn_tensor gn_graph_output_on_gpu(gn_graph *g, int i, int shard);
void gn_graph_seed(gn_graph *g, uint64_t seed);
gn_status gn_graph_hear(gn_graph *g);                          /* outputs; waits */
/* Inputs may travel while the pass before them runs. Once this is opened a training pass takes none along: `send` queues the
 * host's copies beside what runs, and `sent`, queued before their pass, puts them where it reads. */
gn_status gn_graph_send_open(gn_graph *g), gn_graph_send(gn_graph *g), gn_graph_sent(gn_graph *g);
gn_status gn_graph_push(gn_graph *g), gn_graph_pull(gn_graph *g); /* weights; wait */

/* Parameters: one slab, one gradient slab. */
typedef enum { GN_WEIGHT, GN_BIAS, GN_SCALE, GN_SHIFT, GN_MEAN, GN_VARIANCE } gn_role;
typedef struct {
    const char *name;
    gn_shape shape;               /* as the user sees it: [O I kh kw], [C] */
    int64_t at, count;            /* place in the slab; elements there, padding included */
    int trained;                  /* 0: running statistics, and what the plan froze */
    int fan_in;                   /* of weights and biases, for initialisation; 0: norm */
    gn_role role;
    int zero;                     /* starts at 0 */
} gn_param;
int gn_graph_params(const gn_graph *g, const gn_param **list);
gn_real *gn_graph_weights(const gn_graph *g);    /* slab; trained parameters first, then frozen, then statistics */
gn_real *gn_graph_gradients(const gn_graph *g);
int64_t gn_graph_weight_count(const gn_graph *g, int64_t *trained); /* slab elements; the first *trained learn */
/* One parameter between a slab laid out as the weights are (they, gradients, an optimizer's state) and dense `shape` order. */
void gn_param_read(const gn_graph *g, int i, const gn_real *slab, gn_real *plain);
void gn_param_write(const gn_graph *g, int i, const gn_real *plain, gn_real *slab); /* padding becomes 0 */

/* "torch": weights and biases uniform in +-1/sqrt(fan-in), norm scale uniform in [0,1] (Zhou 2017 A1.2);
 * "he": weights normal, variance 2/fan-in, biases 0, scale 1. Draws are functions of (seed, parameter, element). */
typedef enum { GN_INIT_TORCH, GN_INIT_HE } gn_init;
void gn_graph_init(gn_graph *g, gn_init how, uint64_t seed);

/* Per node: products and fewest bytes of a step, and of the last forward and backward that nodes were timed in, seconds:
 * of worker 0's shards, or of all on a GPU, between two marks there, so that such passes cannot be captured. */
typedef struct { const char *name, *op; double flop, bytes, forward_s, backward_s; } gn_node_cost;
void gn_graph_time_nodes(gn_graph *g, int yes);
gn_status gn_graph_costs(gn_graph *g, gn_node_cost *list, int most, int *n); /* after a step where nodes are timed; waits for it */
#define GN_GRAPH_MARKS 8      /* the first marks of a device are not the graph's */

/* A model: options and a builder. */
typedef struct {
    const char *name, *help;
    size_t bytes;
    const gn_option *options;
    gn_status (*build)(gn_graph *g, const void *options, int side, int joints);
} gn_model;
extern const gn_model *const gn_models[]; /* NULL ends; kernels of the list: src/model/models.def */
#endif
