/* bench.h - this machine's numbers, beside its own ceilings.
 *
 * A step is the whole training step of the network of Zhou 2017 on synthetic pictures: forward, losses,
 * backward, sum of shards, optimizer. Its floor is, node by node, the longer of arithmetic at the
 * measured multiply-add rate of the activations' type and of its fewest bytes at the measured copy rate. */
#ifndef GN_BENCH_H
#define GN_BENCH_H
#include "gnomon/train.h"

typedef struct {
    int batch, side, width, depth, stacks, shards, workers, steps, warmup;
    int type, impl, norm; /* as in an experiment's device and train sections */
    int json;             /* one record for a script instead of a table */
} gn_bench_options;
extern const gn_option gn_bench_rows[];

typedef struct { double flop_s, bf16_s, bytes_s; } gn_ceiling; /* all workers together; multiply-adds in float, of pairs of bf16 */
gn_status gn_ceiling_measure(gn_pool *pool, gn_arena *a, gn_ceiling *c);

gn_status gn_bench_step(FILE *to, const gn_bench_options *o, gn_arena *a);
gn_status gn_bench_op(FILE *to, const gn_bench_options *o, gn_arena *a); /* the same step, node kind by node kind */
gn_status gn_bench_softargmax(FILE *to, const gn_bench_options *o, gn_arena *a); /* batch, workers, steps, warmup, type, json */
#endif
