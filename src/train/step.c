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

typedef struct {
    const gn_batch *batch;
    gn_graph *graph;
    int first, here, shards; /* the graph's shards, first to first + here, of the batch's */
} feeding;

/* [side side 3] to the input's blocked channels; lanes past the third stay 0. */
static void put_picture(const gn_tensor *in, int64_t n, const float *image, int side) {
    const int64_t block = in->block ? in->block : 3, pixels = (int64_t)side * side;
    gn_real *to = (gn_real *)in->data + n * ((3 + block - 1) / block) * block * pixels;
    if (!image) {
        memset(to, 0, sizeof *to * (size_t)(((3 + block - 1) / block) * block * pixels));
        return;
    }
    for (int64_t i = 0; i < pixels; i++, to += block, image += 3) {
        for (int c = 0; c < 3; c++) to[c] = image[c];
        for (int64_t c = 3; c < block; c++) to[c] = 0;
    }
}

static gn_status feed(void *what, int worker, int workers) {
    const feeding *f = what;
    const gn_batch *b = f->batch;
    for (int k = worker; k < f->here; k += workers) {
        gn_tensor in = gn_graph_input(f->graph, "picture", k);
        if (in.type != GN_TYPE_REAL || in.block < 3 || in.shape.d[1] != 3 || in.shape.d[2] != b->side || in.shape.d[3] != b->side)
            GN_FAIL(BAD_SHAPE, "input %s, block %d: pictures of 3 channels and side %d expected", gn_shape_text(&in.shape), in.block, b->side);
        for (int64_t n = 0; n < in.shape.d[0]; n++) {
            int64_t i = n * f->shards + f->first + k;
            put_picture(&in, n, i < b->n ? b->image + i * b->side * b->side * 3 : NULL, b->side);
        }
    }
    return GN_OK;
}

gn_status gn_batch_feed(const gn_batch *b, gn_graph *g, gn_pool *pool, int shards) {
    return gn_batch_feed_part(b, g, pool, 0, shards, shards);
}

gn_status gn_batch_feed_part(const gn_batch *b, gn_graph *g, gn_pool *pool, int first, int here, int shards) {
    feeding f = { b, g, first, here, shards };
    return gn_pool_run(pool, feed, &f);
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
    gn_batch *b;
    GN_TRY(GN_RANGE(&in_data, gn_loader_next(s->loader, &b)));
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
