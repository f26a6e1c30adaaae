/* step.c - one step: the next batch, forward, losses, backward, the optimizer. */
#include "gnomon/hash.h"
#include "session.h"
#include <string.h>

double gn_schedule(const gn_experiment *stage, int64_t at) {
    const int64_t warmup = stage->train.warmup, steps = stage->train.steps;
    if (at < warmup) return (double)(at + 1) / (double)warmup;
    if (stage->train.schedule) /* cosine */
        return steps > warmup ? 0.5 * (1 + cos(GN_PI * (double)(at - warmup) / (double)(steps - warmup))) : 1;
    double share = 1;
    for (int i = 0; i < stage->train.drops.n; i++)
        if (at >= stage->train.drops.item[i]) share *= stage->train.drop;
    return share;
}

static void place_labels(gn_session *s, const gn_batch *b) {
    for (int i = 0; i < b->n; i++) s->labels[i % s->shards * s->each + i / s->shards] = b->label[i];
}

uint64_t gn_session_seed(const gn_session *s) {
    const int64_t at[3] = { s->e->seed, s->at.stage, s->at.stage_step };
    return gn_hash(at, sizeof at);
}

gn_range gn_step_range[GN_STEP_PARTS] = { { "forward", NULL }, { "loss", NULL }, { "backward", NULL }, { "optimizer", NULL } };

static gn_status step(gn_session *s, const gn_batch *b) {
    double at[GN_STEP_PARTS + 1];
    GN_TRY(gn_batch_feed(b, s->graph, s->pool, s->shards));
    at[0] = gn_seconds();
    GN_TRY(GN_RANGE(&gn_step_range[GN_STEP_forward], gn_graph_forward(s->graph, GN_TRAIN, gn_session_seed(s))));
    at[1] = gn_seconds();
    GN_TRY(GN_RANGE(&gn_step_range[GN_STEP_loss], gn_losses_run(s)));
    at[2] = gn_seconds();
    GN_TRY(GN_RANGE(&gn_step_range[GN_STEP_backward], gn_graph_backward(s->graph)));
    at[3] = gn_seconds();
    GN_TRY(GN_RANGE(&gn_step_range[GN_STEP_optimizer], gn_learn_step(s)));
    at[4] = gn_seconds();
    for (int k = 0; k < GN_STEP_PARTS; k++) s->note.part_s[k] = at[k + 1] - at[k];
    return GN_OK;
}

gn_status gn_session_learn(gn_session *s, const gn_batch *b) {
    if (b->n != s->shards * s->each) GN_FAIL(INTERNAL, "batch of %d samples, %d expected", b->n, s->shards * s->each);
    place_labels(s, b);
    GN_TRY(s->gpu ? gn_gpu_step(s, b) : step(s, b));
    s->at.step++;
    s->at.stage_step++;
    return GN_OK;
}

static gn_status next(gn_session *s) {
    static gn_range in_data = { "data", NULL };
    const double began = gn_seconds();
    gn_batch *b = s->ahead;
    s->ahead = NULL;
    if (!b) GN_TRY(GN_RANGE(&in_data, gn_loader_next(s->loader, &b)));
    s->note.data_ms = 1e3 * (gn_seconds() - began);
    GN_TRY(gn_session_learn(s, b));
    s->fresh++;
    s->note.ms = 1e3 * (gn_seconds() - began);
    s->pace = s->pace > 0 ? 0.95 * s->pace + 0.05 * 1e-3 * s->note.ms : 1e-3 * s->note.ms;
    return GN_OK;
}

gn_status gn_session_step(gn_session *s) {
    static gn_range in_step = { "step", NULL };
    return GN_RANGE(&in_step, next(s));
}
