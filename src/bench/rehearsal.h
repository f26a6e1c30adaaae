/* rehearsal.h - an experiment's first stage without data, run or records: the session that trains, on what is drawn. */
#ifndef BENCH_REHEARSAL_H
#define BENCH_REHEARSAL_H
#include "gnomon/bench.h"
#include "src/train/session.h"

typedef struct {
    gn_experiment stage; /* so slow to start that no weight moves: what is measured may not diverge */
    gn_session session;
    gn_batch batch;      /* drawn once */
} gn_rehearsal;

gn_status gn_rehearsal_open(gn_rehearsal *r, const gn_experiment *e, gn_arena *a);
gn_status gn_rehearsal_step(gn_rehearsal *r, double *seconds); /* by the clock, until all is done */
void gn_rehearsal_time(gn_rehearsal *r, int yes);              /* nodes and parts of a step */

/* The machine's ceiling in the type at hand, all of it; and the seconds that it leaves to nodes whose costs are those of one
 * worker's shards, or a GPU's: node by node, arithmetic or fewest bytes, whichever takes longer. */
gn_status gn_rehearsal_ceiling(gn_rehearsal *r, gn_arena *a, gn_ceiling *c);
double gn_rehearsal_floor(const gn_rehearsal *r, const gn_ceiling *c, const gn_node_cost *node, int nodes);
enum { GN_REHEARSAL_NODES = 2048 };

int gn_by_value(const void *a, const void *b); /* of doubles, for qsort */
#endif
