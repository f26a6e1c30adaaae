/* bench.h - this machine's numbers, beside its own ceilings.
 *
 * A step is a whole training step on drawn pictures, by the code that trains: forward, losses, backward, sum of shards,
 * optimizer. Its floor is, node by node, the longer of arithmetic at the measured multiply-add rate of the
 * activations' type and of its fewest bytes at the measured copy rate. */
#ifndef GN_BENCH_H
#define GN_BENCH_H
#include "gnomon/device.h"
#include "gnomon/train.h"

enum { GN_BENCH_auto, GN_BENCH_cpu, GN_BENCH_cuda };
typedef struct { /* of the network of Zhou 2017 */
    int batch, side, width, depth, stacks, shards, workers, steps, warmup;
    int backend, type, impl, norm; /* as in an experiment's device and train sections */
    int json;                      /* one record for a script instead of a table */
} gn_bench_options;
extern const gn_option gn_bench_rows[];

typedef struct { double flop_s, bf16_s, bytes_s; } gn_ceiling; /* multiply-adds in float, of pairs of bf16; bytes read and written */
/* Of all workers together, or of a GPU where there is one. */
gn_status gn_ceiling_measure(gn_pool *pool, gn_device *d, gn_arena *a, gn_ceiling *c);

gn_status gn_bench_step(FILE *to, const gn_bench_options *o, gn_arena *a);
gn_status gn_bench_op(FILE *to, const gn_bench_options *o, gn_arena *a); /* the same step, node by node */
gn_status gn_bench_softargmax(FILE *to, const gn_bench_options *o, gn_arena *a); /* batch, workers, steps, warmup, backend, type, json */

/* The first stage of an experiment, a row a node, a row a kind, and the step as it runs. A profiler that was told to wait
 * for gn_device_watch sees the `steps` in which nodes are timed. */
gn_status gn_profile(FILE *to, const gn_experiment *e, int warmup, int steps, gn_arena *a);
#endif
