/* trained.h - a run's network with its best weights, ready to be asked. */
#ifndef GN_TRAINED_H
#define GN_TRAINED_H
#include "gnomon/image.h"
#include "gnomon/train.h"

typedef struct {
    gn_experiment *whole, *last;  /* the experiment; the stage that wrote the checkpoint */
    gn_graph *graph;
    gn_pool *pool;
    const char *folder, *checkpoint;
    gn_progress_state at;
    uint64_t weights;
} gn_trained;
/* `run`: a run or a checkpoint. batch 0: the experiment's, in its shards; else in one shard. */
gn_status gn_trained_open(gn_arena *a, const char *run, int batch, gn_trained *t);
/* One picture, of a network opened with batch 1; square: left, top, side, pixels. uv are pixels of the network's input. */
gn_status gn_trained_ask(gn_arena *a, const gn_trained *t, const gn_skeleton *k, const gn_image *picture,
                         const double square[3], gn_prediction *said);
#endif
