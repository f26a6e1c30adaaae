/* trained.c - a run's network with its best weights. */
#include "trained.h"
#include <string.h>

gn_status gn_trained_open(gn_arena *a, const char *run, int batch, gn_trained *t) {
    *t = (gn_trained){ 0 };
    GN_TRY(gn_run_checkpoint(a, run, &t->checkpoint));
    const char *at = strstr(t->checkpoint, "/checkpoint/");
    if (!at) GN_FAIL(MISSING, "%s: expected RUN/checkpoint/STEP", t->checkpoint);
    GN_TAKE_TEXT(t->folder, a, "%.*s", (int)(at - t->checkpoint), t->checkpoint);
    GN_TAKE(t->whole, a, 1);
    GN_TRY(gn_run_experiment(a, t->folder, t->whole));
    GN_TRY(gn_checkpoint_progress(t->checkpoint, &t->at));
    if (t->at.stage < 0 || t->at.stage >= t->whole->n_stage)
        GN_FAIL(BAD_DATA, "%s: stage %lld of %d", t->checkpoint, (long long)t->at.stage, t->whole->n_stage);
    gn_experiment *e = t->last = &t->whole->stage[t->at.stage];
    if (batch) e->data.batch = batch, e->train.shards = 1;
    GN_TRY(gn_pool_open(a, e->device.workers, &t->pool));
    GN_TRY(gn_experiment_build(e, a, &t->graph));
    gn_plan plan;
    GN_TRY(gn_experiment_plan(e, t->pool, 0, &plan));
    GN_TRY(gn_graph_plan(t->graph, &plan));
    GN_TRY(gn_checkpoint_weights(t->checkpoint, t->graph, NULL, e->train.ema > 0));
    t->weights = gn_weights_hash(t->graph);
    return GN_OK;
}
