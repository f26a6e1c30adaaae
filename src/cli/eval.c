/* eval.c - a run's best checkpoint over its validation sets. */
#include "src/cli/verbs.h"
#include "gnomon/io.h"
#include "gnomon/log.h"
#include "gnomon/metric.h"
#include <string.h>

/* A run, or a checkpoint RUN/checkpoint/step_x: the run is two folders up. */
static gn_status run_of(const cli_command *c, const char **run, const char **checkpoint) {
    GN_TRY(gn_run_checkpoint(c->arena, c->arg[0], checkpoint));
    const char *at = strstr(*checkpoint, "/checkpoint/");
    if (!at) GN_FAIL(MISSING, "%s: not a checkpoint of a run", *checkpoint);
    GN_TAKE_TEXT(*run, c->arena, "%.*s", (int)(at - *checkpoint), *checkpoint);
    return GN_OK;
}

gn_status cli_eval(const cli_command *c) {
    const char *run, *checkpoint, *file;
    gn_experiment e;
    gn_graph *g;
    gn_pool *pool;
    gn_progress_state at;
    gn_scores s;
    GN_TRY(run_of(c, &run, &checkpoint));
    GN_TAKE_TEXT(file, c->arena, "%s/experiment.yaml", run);
    GN_TRY(gn_experiment_read(c->arena, file, c->n_assign, c->assign, &e));
    GN_TRY(gn_checkpoint_progress(checkpoint, &at));
    if (at.stage < 0 || at.stage >= e.n_stage) GN_FAIL(BAD_DATA, "%s: stage %lld of %d", checkpoint, (long long)at.stage, e.n_stage);
    const gn_experiment *last = &e.stage[at.stage];
    if (!last->data.valid.n) GN_FAIL(BAD_CONFIG, "%s: data.valid: names no data set", file);
    GN_TRY(gn_pool_open(c->arena, e.device.workers, &pool));
    GN_TRY(gn_experiment_build(&e, c->arena, &g));
    gn_plan plan;
    GN_TRY(gn_experiment_plan(last, pool, 0, &plan));
    GN_TRY(gn_graph_plan(g, &plan));
    GN_TRY(gn_checkpoint_weights(checkpoint, g, NULL, last->train.ema > 0));
    gn_log("%s", checkpoint);
    for (int i = 0; i < last->data.valid.n; i++) {
        GN_TRY(gn_evaluate(last, g, pool, last->data.valid.item[i], c->arena, &s));
        printf("%s%s, %lld samples of its validation shard%s\n", i ? "\n" : "", s.set, (long long)s.samples,
               s.mirrored ? ", each with its mirror image" : "");
        gn_scores_print(&s, 1, stdout);
        GN_TRY(gn_scores_write(&s, run, c->arena));
    }
    putchar('\n');
    gn_protocols_print(&s, stdout);
    return GN_OK;
}
