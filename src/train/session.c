/* session.c - a run: its stages in turn, records, checkpoints, and how it ends. */
#include "session.h"
#include "gnomon/hash.h"
#include "gnomon/log.h"
#include <string.h>

/* --- a stage --- */

gn_status gn_session_plan(gn_session *s) {
    const gn_experiment *e = s->stage;
    const char **frozen;
    GN_TAKE(frozen, s->of_stage, e->train.frozen.n + 1);
    for (int i = 0; i < e->train.frozen.n; i++) frozen[i] = e->train.frozen.item[i];
    s->shards = e->train.shards;
    s->each = e->data.batch / s->shards;
    if (s->each * s->shards != e->data.batch)
        GN_FAIL(BAD_CONFIG, "stage %s: train.shards %d does not divide data.batch %d", s->name, s->shards, e->data.batch);
    GN_TAKE(s->labels, s->of_stage, e->data.batch);
    gn_plan p;
    GN_TRY(gn_experiment_plan(e, s->pool, 1, &p));
    p.frozen = frozen;
    GN_TRY(gn_gpu_plan(s, &p));
    GN_TRY(gn_experiment_build(e, s->of_stage, &s->graph));
    GN_TRY(gn_graph_plan(s->graph, &p));
    gn_graph_init(s->graph, (gn_init)e->train.init, (uint64_t)s->e->seed);
    return gn_plan_describe(&p, s->graph, s->where, sizeof s->where);
}

static gn_status load(gn_session *s, int k) {
    const gn_experiment *e = s->stage;
    uint64_t seed = gn_hash_more((uint64_t)s->e->seed, &k, sizeof k); /* another order of samples every stage */
    const int bare = !gn_graph_has_input(s->graph, "picture");
    const gn_loader_spec spec = { .bare = bare, .root = e->data.root, .sets = &e->data.train, .mix = &e->data.mix, .train = 1, .batch = e->data.batch,
                                  .side = e->data.input, .threads = e->data.threads, .seed = seed, .augment = e->data.augment,
                                  .rules = e->data.labels, .skeleton = gn_experiment_skeleton(s->e),
                                  .together = e->data.together, .in_row = e->data.pick, .shards = e->train.shards };
    GN_TRY(gn_loader_open(s->of_stage, &spec, &s->loader));
    s->skeleton = gn_loader_skeleton(s->loader);
    s->pairs = gn_loader_pairs(s->loader);
    s->at.data = gn_loader_hash(s->loader);
    return GN_OK;
}

/* Parameters that both have, by name and shape; what is new keeps its initial values. */
static gn_status carry(gn_arena *a, gn_graph *from, gn_graph *to) {
    const gn_param *old, *now;
    const int n_old = gn_graph_params(from, &old), n = gn_graph_params(to, &now);
    int64_t most = 1;
    gn_real *dense;
    for (int i = 0; i < n; i++)
        if (gn_shape_count(&now[i].shape) > most) most = gn_shape_count(&now[i].shape);
    GN_TAKE(dense, a, most);
    GN_TRY(gn_graph_pull(from));
    for (int i = 0; i < n; i++)
        for (int k = 0; k < n_old; k++) {
            if (strcmp(old[k].name, now[i].name)) continue;
            if (memcmp(&old[k].shape, &now[i].shape, sizeof now[i].shape)) break;
            gn_param_read(from, k, gn_graph_weights(from), dense);
            gn_param_write(to, i, dense, gn_graph_weights(to));
            break;
        }
    return GN_OK;
}

static gn_status start_from(gn_session *s) {
    const char *checkpoint;
    GN_TRY_AS(gn_run_checkpoint(s->of_stage, s->stage->train.start, &checkpoint), "train.start");
    GN_TRY_AS(gn_checkpoint_weights(checkpoint, s->graph, &s->stage->train.only, 1), "train.start");
    gn_log("weights from %s", checkpoint);
    return GN_OK;
}

static gn_status open_stage(gn_session *s, int k, gn_graph *before) {
    GN_TRY(gn_session_plan(s));
    gn_log("stage %s on %s", s->name, s->where);
    if (before) GN_TRY(carry(s->of_stage, before, s->graph));
    else if (s->stage->train.start[0]) GN_TRY(start_from(s));
    GN_TRY(load(s, k));
    GN_TRY(gn_losses_bind(s));
    GN_TRY(gn_learn_open(s));
    return gn_gpu_open(s);
}

gn_status gn_session_stage(gn_session *s, int k) {
    gn_arena *old = s->of_stage;
    gn_graph *before = s->graph;
    s->stage = &s->e->stage[k];
    s->ahead = NULL;
    s->name = s->e->stage_name[k];
    s->at.stage = k;
    s->at.stage_step = 0;
    s->at.best = (double)NAN; /* what an earlier stage reached, it reached with another model or on other data */
    s->at.best_step = 0;
    char name[64]; /* "pckh@set" */
    snprintf(name, sizeof name, "%.*s", (int)strcspn(s->stage->train.best, "@"), s->stage->train.best);
    s->best = gn_metric_find(name);
    s->of_stage = gn_arena_new("stage");
    gn_status status = open_stage(s, k, before);
    gn_arena_free(old);
    if (status) return gn_pass_as(status, __FILE__, __LINE__, "stage %s", s->name);
    const gn_graph_size size = gn_graph_sizes(s->graph);
    gn_log("stage %s: %lld steps, batch %d, %lld parameters, %d workers, %lld samples", s->name, (long long)s->stage->train.steps,
           s->stage->data.batch, (long long)size.parameters, gn_pool_workers(s->pool), (long long)gn_loader_samples(s->loader));
    return GN_OK;
}

/* --- data --- */

/* Puppet sets are made on first use. */
static gn_status ensure_data(gn_session *s, const gn_experiment *e, const gn_texts *sets) {
    for (int i = 0; i < sets->n; i++) {
        const gn_dataset *d = gn_dataset_find(sets->item[i]);
        if (!d || !d->made) continue;
        gn_puppet_options o = e->data.puppet;
        if (!o.motion || !o.motion[0]) o.motion = e->data.motion;
        GN_TRY(gn_puppet_make(e->data.root, d->name, &o, s->pool));
    }
    return GN_OK;
}

/* --- the run --- */

static gn_range in_checkpoint = { "checkpoint", NULL }, in_eval = { "eval", NULL };

static gn_status save(gn_session *s, int is_best) {
    if (s->saved == s->at.step && !is_best) return GN_OK;
    char path[4096];
    snprintf(path, sizeof path, "%s/metrics.jsonl", s->folder);
    GN_TRY(gn_gpu_pull(s));
    if (gn_io_exists(path)) GN_TRY(gn_io_sync(path)); /* no record of a checkpoint's steps may be younger than it */
    GN_TRY(GN_RANGE(&in_checkpoint, gn_checkpoint_write(s->folder, s->graph, s->optimizer->states, s->state, s->ema, &s->at,
                                                        s->stage->train.keep, is_best)));
    s->saved = s->at.step;
    return gn_record_status(s, "running", "");
}

static gn_status resume(gn_session *s, const char *folder) {
    gn_progress_state at;
    GN_TRY(gn_checkpoint_progress(folder, &at));
    if (at.experiment != s->at.experiment) GN_FAIL(BAD_CONFIG, "%s: made by another experiment; resume with the run's own experiment.yaml", folder);
    if (at.stage < 0 || at.stage >= s->e->n_stage) GN_FAIL(BAD_DATA, "%s: stage %lld of %d", folder, (long long)at.stage, s->e->n_stage);
    GN_TRY(gn_session_stage(s, (int)at.stage));
    if (at.data != s->at.data) GN_FAIL(BAD_DATA, "%s: the data of stage %s are not those it was trained on", folder, s->name);
    GN_TRY(gn_checkpoint_read(folder, s->graph, s->optimizer->states, s->state, s->ema, &s->at));
    GN_TRY(gn_gpu_push(s));
    GN_TRY(gn_loader_seek(s->loader, s->at.stage_step));
    s->saved = s->at.step;
    gn_log("resumed from %s", folder);
    return GN_OK;
}

/* Everything that is due after a step, in an order in which a checkpoint finds all records of its step written. */
static gn_status after_step(gn_session *s) {
    const int ends = s->at.stage_step == s->stage->train.steps;
    int better = 0;
    GN_TRY(gn_record_step(s));
    if (ends || s->at.stage_step % s->stage->train.valid_every == 0) GN_TRY(GN_RANGE(&in_eval, gn_session_validate(s, &better)));
    if (better || ends || s->at.stage_step % s->stage->train.save_every == 0) GN_TRY(save(s, better));
    const char *why = gn_signal_caught();
    if (!why) return GN_OK;
    GN_TRY(save(s, 0));
    GN_FAIL(STOPPED, "%s at step %lld of %lld: stopped, goes on with --resume", why, (long long)s->at.step, (long long)s->steps);
}

static gn_status stages(gn_session *s) {
    for (;;) {
        while (s->at.stage_step < s->stage->train.steps) {
            GN_TRY(gn_session_step(s));
            GN_TRY(after_step(s));
        }
        if (s->at.stage + 1 == s->e->n_stage) return GN_OK;
        GN_TRY(gn_session_stage(s, (int)s->at.stage + 1));
        GN_TRY(gn_loader_seek(s->loader, 0));
    }
}

static gn_status train(gn_session *s, int again) {
    GN_TRY(gn_pool_open(s->run, s->e->device.workers, &s->pool));
    for (int k = 0; k < s->e->n_stage; k++) {
        const gn_experiment *stage = &s->e->stage[k];
        gn_plan where; /* a GPU that is missing is told before data are made */
        GN_TRY(gn_experiment_plan(stage, s->pool, 1, &where));
        s->steps += stage->train.steps;
        GN_TRY(ensure_data(s, stage, &stage->data.train));
        GN_TRY(ensure_data(s, stage, &stage->data.valid));
    }
    gn_signals_catch(); /* not before: making data may end at once */
    const char *from = NULL;
    gn_status found = again ? gn_checkpoint_newest(s->run, s->folder, &from) : GN_MISSING;
    if (found && found != GN_MISSING) return gn_pass(found, __FILE__, __LINE__);
    if (from) {
        GN_TRY(resume(s, from));
    } else { /* also a run that ended before its first checkpoint */
        char path[4096];
        snprintf(path, sizeof path, "%s/metrics.jsonl", s->folder);
        GN_TRY(gn_io_remove(path));
        GN_TRY(gn_record_origin(s));
        GN_TRY(gn_session_stage(s, 0));
        GN_TRY(gn_loader_seek(s->loader, 0));
    }
    GN_TRY(gn_records_open(s, from != NULL));
    GN_TRY(gn_record_status(s, "running", ""));
    return stages(s);
}

gn_status gn_train(const gn_experiment *e, gn_arena *run, const char *folder, int again) {
    char path[4096];
    gn_session *s;
    GN_TAKE(s, run, 1);
    *s = (gn_session){ .e = e, .folder = folder, .run = run, .saved = -1, .started = gn_seconds(),
                       .at = { .best = (double)NAN, .experiment = gn_experiment_hash(e) } };
    GN_TRY(gn_io_folder(folder));
    GN_TRY(gn_io_lock(run, folder));
    snprintf(path, sizeof path, "%s/checkpoint", folder);
    if (!again && gn_io_exists(path)) GN_FAIL(NO_CREATE, "%s: holds a run already; --resume goes on with it", folder);
    snprintf(path, sizeof path, "%s/log.txt", folder);
    GN_TRY(gn_log_open(path));
    gn_status status = train(s, again);
    gn_signals_leave();
    gn_progress_end();
    gn_trail why;
    gn_trail_keep(&why);
    if (!status || status == GN_STOPPED) gn_record_end(s, status ? gn_reason() : "done");
    gn_record_status(s, !status ? "done" : status == GN_STOPPED ? "stopped" : "failed", status ? why.reason : "");
    gn_arena_free(s->of_stage);
    gn_log_open(NULL);
    gn_trail_restore(&why);
    return status;
}
