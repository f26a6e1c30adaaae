/* gpu.c - a stage on GPUs: each has a replica of the network and its part of the batch, and a thread that speaks to it.
 *
 * A replica's whole step is captured once and replayed. What changes from step to step is written into pinned memory
 * before the replay, whose first work is to copy it: labels, seeds, the losses' scales, the optimizer's pace. Pictures are
 * more: the next batch's are fetched, laid out and copied while the GPUs compute.
 * What comes back, the losses' values and the gradient's norm, is awaited once, at the end of the step. Replica 0 is
 * the session's graph; all hold the same weights, for all have added up the same gradients. */
#include "gnomon/comm.h"
#include "session.h"
#include <string.h>

typedef struct { /* what the host tells, in one copy; the labels follow */
    gn_pace pace;
    float scale[];
} told;

typedef struct {
    gn_graph *graph;
    gn_device *device;
    gn_arena *arena;              /* its own: arenas belong to one thread at a time */
    size_t told_bytes, labels_at, heard_bytes;
    told *told, *told_there;
    float *heard, *heard_there;   /* [shards][losses] values, then the norm */
    gn_loss_call *call;           /* [shards][losses] */
    void **scratch;               /* [shards], of the losses */
    gn_learn_gpu learn;
    gn_replay *replay;            /* NULL: the step was not captured yet */
} replica;

struct gn_gpu {
    int ranks, shards, samples;   /* shards and samples of a replica */
    int losses;
    const gn_loss **loss;         /* [losses] */
    gn_pool *pool;                /* a thread a GPU */
    gn_comm *comm;
    replica *of;                  /* [ranks] */
    int64_t steps;                /* taken: the first runs as it is, and makes whatever is made at first use */
    const gn_batch *sent;         /* whose pictures are on the GPUs already; NULL: none */
    int early;                    /* the batch at hand is that */
};

static gn_status reserve(gn_device *d, size_t bytes, void *to) {
    void *p;
    GN_TRY(gn_device_reserve(d, bytes, &p));
    memcpy(to, &p, sizeof p);
    return GN_OK;
}

static gn_status pinned(gn_device *d, size_t bytes, void *to) {
    void *p;
    GN_TRY(gn_device_pinned(d, bytes, &p));
    memcpy(to, &p, sizeof p);
    return GN_OK;
}

static gn_status open_copies(const gn_session *s, replica *r) {
    const struct gn_gpu *u = s->gpu;
    r->labels_at = (sizeof(told) + sizeof(float) * (size_t)u->losses + 255) / 256 * 256;
    r->told_bytes = r->labels_at + gn_labels_pack_bytes(s->skeleton, u->samples, s->pairs);
    r->heard_bytes = sizeof(float) * (size_t)(u->losses * u->shards + 1);
    GN_TRY(pinned(r->device, r->told_bytes, &r->told));
    GN_TRY(reserve(r->device, r->told_bytes, &r->told_there));
    GN_TRY(pinned(r->device, r->heard_bytes, &r->heard));
    return reserve(r->device, r->heard_bytes, &r->heard_there);
}

static gn_status open_losses(const gn_session *s, replica *r) {
    const struct gn_gpu *u = s->gpu;
    GN_TAKE(r->call, r->arena, u->shards * u->losses);
    GN_TAKE(r->scratch, r->arena, u->shards);
    const gn_labels *labels = (const gn_labels *)(const void *)((const char *)r->told_there + r->labels_at);
    for (int k = 0; k < u->shards; k++) {
        gn_loss_call *call = &r->call[k * u->losses];
        for (int i = 0; i < u->losses; i++) {
            const gn_loss_line *line = &s->loss[i];
            gn_tensor *out;
            GN_TAKE(out, r->arena, 2 * line->outputs);
            for (int o = 0; o < line->outputs; o++) {
                out[o] = gn_graph_output_on_gpu(r->graph, line->output[o], k);
                out[line->outputs + o] = gn_graph_slope(r->graph, line->output[o], k);
            }
            call[i] = line->call[k];
            call[i].labels = labels + k * s->each;
            call[i].out = out;
            call[i].d_out = out + line->outputs;
            call[i].scale_at = r->told_there->scale + i;
            call[i].value_at = r->heard_there + k * u->losses + i;
            GN_TRY(gn_loss_check(u->loss[i], &call[i], NULL));
        }
        GN_TRY(reserve(r->device, gn_losses_cuda_scratch(u->losses, call), &r->scratch[k]));
    }
    return GN_OK;
}

static gn_status open_learn(const gn_session *s, replica *r) {
    const gn_graph_gpu g = gn_graph_on_gpu(r->graph);
    gn_learn_gpu *l = &r->learn;
    *l = (gn_learn_gpu){ .w = g.weights, .g = g.gradients, .narrow = g.narrow, .trained = s->trained, .elements = s->elements,
                         .pace = &r->told_there->pace, .clip = s->stage->train.clip, .ema_decay = s->stage->train.ema,
                         .norm = r->heard_there + s->gpu->shards * s->gpu->losses };
    for (int k = 0; k < s->optimizer->states; k++) GN_TRY(reserve(r->device, sizeof(gn_real) * (size_t)s->trained, &l->state[k]));
    if (s->ema) GN_TRY(reserve(r->device, sizeof(gn_real) * (size_t)s->elements, &l->ema));
    return reserve(r->device, gn_learn_gpu_parts(s->trained), &r->learn.parts);
}

static gn_status open_replica(void *what, int rank, int ranks) {
    gn_session *s = what;
    replica *r = &s->gpu->of[rank];
    (void)ranks;
    r->device = gn_graph_on_gpu(r->graph).device;
    const gn_status mine = gn_device_use(r->device), all = gn_pool_meet(s->gpu->pool, mine); /* joining waits for all */
    if (mine || all) return mine ? mine : all;
    if (s->gpu->comm) GN_TRY(gn_comm_join(s->gpu->comm, rank, r->device));
    GN_TRY(gn_graph_send_open(r->graph));
    GN_TRY(open_copies(s, r));
    GN_TRY(open_losses(s, r));
    return open_learn(s, r);
}

gn_status gn_gpu_plan(gn_session *s, gn_plan *p) {
    const gn_experiment *e = s->stage;
    s->gpu = NULL;
    if (p->backend != GN_CUDA) return GN_OK;
    struct gn_gpu *u;
    GN_TAKE(u, s->of_stage, 1);
    u->ranks = e->device.gpus;
    u->shards = s->shards / u->ranks;
    u->samples = u->shards * s->each;
    if (u->shards * u->ranks != s->shards)
        GN_FAIL(BAD_CONFIG, "stage %s: device.gpus %d does not divide train.shards %d", s->name, u->ranks, s->shards);
    if (u->ranks > 1 && !e->train.numerics && (u->shards & (u->shards - 1)))
        GN_FAIL(BAD_CONFIG, "stage %s: exact sums over %d GPUs: expected a power of two of shards a GPU, got %d", s->name, u->ranks, u->shards);
    GN_TAKE(u->of, s->of_stage, u->ranks);
    if (u->ranks > 1) GN_TRY(gn_comm_open(s->of_stage, u->ranks, &u->comm));
    p->batch = u->samples;
    p->shards = u->shards;
    p->comm = u->comm;
    p->ranks = u->ranks;
    p->ordered = !e->train.numerics;
    s->gpu = u;
    for (int k = 1; k < u->ranks; k++) {
        gn_plan other = *p;
        other.rank = other.device = k;
        GN_TRY(gn_experiment_build(e, s->of_stage, &u->of[k].graph));
        GN_TRY(gn_graph_plan(u->of[k].graph, &other));
    }
    return GN_OK;
}

static void free_arena(void *a) { gn_arena_free(a); }

gn_status gn_gpu_open(gn_session *s) {
    struct gn_gpu *u = s->gpu;
    if (!u) return GN_OK;
    u->losses = s->n_loss;
    u->of[0].graph = s->graph;
    GN_TAKE(u->loss, s->of_stage, u->losses);
    for (int i = 0; i < u->losses; i++) u->loss[i] = s->loss[i].use->loss;
    for (int k = 0; k < u->ranks; k++) {
        u->of[k].arena = gn_arena_new("replica");
        if (!u->of[k].arena) GN_FAIL(NO_MEMORY, "out of memory: a replica");
        GN_TRY(gn_arena_at_end(s->of_stage, free_arena, u->of[k].arena));
    }
    GN_TRY(gn_pool_open(s->of_stage, u->ranks, &u->pool));
    GN_TRY(gn_pool_run(u->pool, open_replica, s));
    return gn_gpu_push(s);
}

/* --- weights, states, averages --- */

gn_status gn_gpu_push(gn_session *s) {
    const struct gn_gpu *u = s->gpu;
    for (int r = 0; u && r < u->ranks; r++) {
        const replica *to = &u->of[r];
        for (int k = 0; k < s->optimizer->states; k++)
            GN_TRY(gn_device_upload(to->device, to->learn.state[k], s->state[k], sizeof(gn_real) * (size_t)s->trained));
        if (s->ema) GN_TRY(gn_device_upload(to->device, to->learn.ema, s->ema, sizeof(gn_real) * (size_t)s->elements));
        if (r) memcpy(gn_graph_weights(to->graph), gn_graph_weights(s->graph), sizeof(gn_real) * (size_t)s->elements);
        GN_TRY(gn_graph_push(to->graph));
    }
    return GN_OK;
}

gn_status gn_gpu_pull(gn_session *s) {
    if (!s->gpu) return GN_OK;
    const replica *r = &s->gpu->of[0];
    for (int k = 0; k < s->optimizer->states; k++)
        GN_TRY(gn_device_download(r->device, s->state[k], r->learn.state[k], sizeof(gn_real) * (size_t)s->trained));
    if (s->ema) GN_TRY(gn_device_download(r->device, s->ema, r->learn.ema, sizeof(gn_real) * (size_t)s->elements));
    return gn_graph_pull(s->graph);
}

/* --- the step --- */

static gn_status tell(gn_session *s) {
    struct gn_gpu *u = s->gpu;
    gn_pace pace;
    gn_losses_scale(s);
    gn_learn_pace(s, &pace);
    for (int i = 0; i < u->losses; i++)
        for (int k = 0; k < s->shards; k++) GN_TRY(gn_loss_check(u->loss[i], &s->loss[i].call[k], s->loss[i].call[k].labels));
    for (int k = 0; k < u->ranks; k++) {
        replica *r = &u->of[k];
        r->told->pace = pace;
        for (int i = 0; i < u->losses; i++) r->told->scale[i] = (float)s->loss[i].call[0].scale;
        gn_labels_pack(s->labels + k * u->samples, u->samples, s->pairs, (char *)r->told + r->labels_at,
                       (const char *)r->told_there + r->labels_at);
        gn_graph_seed(r->graph, gn_session_seed(s));
    }
    return GN_OK;
}

static gn_status feed(gn_session *s, const gn_batch *b) {
    const struct gn_gpu *u = s->gpu;
    for (int k = 0; k < u->ranks; k++) GN_TRY(gn_batch_feed_part(b, u->of[k].graph, s->pool, k * u->shards, u->shards, s->shards));
    return GN_OK;
}

/* What is wrong with the next batch is asked for again, and told, when its turn comes. */
static void feed_next(gn_session *s) {
    const double began = gn_seconds();
    s->gpu->sent = NULL;
    if (!s->loader || s->at.stage_step + 1 == s->stage->train.steps) return;
    if (gn_loader_next(s->loader, &s->ahead)) s->ahead = NULL;
    s->note.data_ms += 1e3 * (gn_seconds() - began);
    if (s->ahead && !feed(s, s->ahead)) s->gpu->sent = s->ahead;
    else gn_trail_clear();
}

/* Between marks k and k + 1 lies part k. */
static gn_status mark(const gn_session *s, const replica *r, int k) { return s->timed ? gn_device_mark(r->device, k) : GN_OK; }

static gn_status lose(const gn_session *s, const replica *r) {
    const struct gn_gpu *u = s->gpu;
    for (int k = 0; k < u->shards; k++)
        GN_TRY(gn_losses_cuda(u->losses, u->loss, &r->call[k * u->losses], r->scratch[k], gn_device_stream(r->device)));
    return GN_OK;
}

static gn_status queue(const gn_session *s, const replica *r) {
    gn_range *in = gn_step_range;
    GN_TRY(gn_device_upload(r->device, r->told_there, r->told, r->told_bytes));
    GN_TRY(mark(s, r, 0));
    GN_TRY(GN_RANGE(&in[GN_STEP_forward], gn_graph_forward(r->graph, GN_TRAIN, gn_session_seed(s))));
    GN_TRY(mark(s, r, 1));
    GN_TRY(GN_RANGE(&in[GN_STEP_loss], lose(s, r)));
    GN_TRY(mark(s, r, 2));
    GN_TRY(GN_RANGE(&in[GN_STEP_backward], gn_graph_backward(r->graph)));
    GN_TRY(mark(s, r, 3));
    GN_TRY(GN_RANGE(&in[GN_STEP_optimizer], gn_learn_cuda(s->optimizer, &r->learn, gn_device_stream(r->device))));
    GN_TRY(mark(s, r, 4));
    return gn_device_download(r->device, r->heard, r->heard_there, r->heard_bytes);
}

/* A stretch that fails is ended all the same: what comes next on the stream shall run. */
static gn_status capture(const gn_session *s, replica *r) {
    gn_replay *half;
    gn_trail why;
    GN_TRY(gn_device_capture(r->device));
    const gn_status status = queue(s, r);
    if (!status) return gn_device_captured(r->device, &r->replay);
    gn_trail_keep(&why);
    if (!gn_device_captured(r->device, &half)) gn_device_forget(half);
    gn_trail_restore(&why);
    return gn_pass(status, __FILE__, __LINE__);
}

static gn_status begin(void *what, int rank, int ranks) {
    gn_session *s = what;
    replica *r = &s->gpu->of[rank];
    (void)ranks;
    GN_TRY(gn_device_use(r->device));
    if (!s->gpu->early) GN_TRY(gn_graph_send(r->graph));
    GN_TRY(gn_graph_sent(r->graph));
    if (!r->replay && s->gpu->steps && !s->timed) GN_TRY(capture(s, r));
    return r->replay && !s->timed ? gn_device_replay(r->device, r->replay) : queue(s, r);
}

static gn_status end(void *what, int rank, int ranks) {
    gn_session *s = what;
    const replica *r = &s->gpu->of[rank];
    (void)ranks;
    GN_TRY(gn_device_use(r->device));
    if (s->gpu->sent) GN_TRY(gn_graph_send(r->graph));
    return s->gpu->comm ? gn_comm_wait(s->gpu->comm, r->device) : gn_device_wait(r->device);
}

/* --- one for all --- */

typedef struct { gn_session *s; gn_work *work; } turn;

static gn_status take(void *what, int rank, int ranks) {
    const turn *t = what;
    gn_comm *c = t->s->gpu->comm;
    const gn_status status = t->work(t->s, rank, ranks);
    if (!status || !c || gn_comm_fail(c, rank)) return status;
    gn_trail_clear(); /* it failed because another did, whose reason counts */
    return GN_FAILED;
}

/* A captured stretch keeps NCCL from ending what it uses. */
static gn_status leave(void *what, int rank, int ranks) {
    const gn_session *s = what;
    replica *r = &s->gpu->of[rank];
    (void)ranks;
    GN_TRY(gn_device_use(r->device));
    gn_device_forget(r->replay);
    r->replay = NULL;
    gn_comm_leave(s->gpu->comm, rank);
    return GN_OK;
}

/* If one GPU fails, none waits for it: all leave what they share, and the run ends with that one's reason. */
static gn_status together(gn_session *s, gn_work *work) {
    turn t = { s, work };
    gn_trail why;
    const gn_status status = gn_pool_run(s->gpu->pool, take, &t);
    if (!status || !s->gpu->comm) return status;
    gn_trail_keep(&why);
    gn_pool_run(s->gpu->pool, leave, s);
    gn_trail_restore(&why);
    return gn_pass(status, __FILE__, __LINE__);
}

static gn_status hear(gn_session *s) {
    const struct gn_gpu *u = s->gpu;
    for (int i = 0; i < u->losses; i++)
        for (int k = 0; k < s->shards; k++)
            s->loss[i].value[k] = (double)u->of[k / u->shards].heard[k % u->shards * u->losses + i];
    for (int k = 0; s->timed && k < GN_STEP_PARTS; k++) GN_TRY(gn_device_between(u->of[0].device, k, k + 1, &s->note.part_s[k]));
    GN_TRY(gn_losses_sum(s));
    s->note.norm = (double)u->of[0].heard[u->losses * u->shards];
    if (!isfinite(s->note.norm)) return gn_diverged(s, "the norm of the gradient", s->note.norm);
    return GN_OK;
}

gn_status gn_gpu_step(gn_session *s, const gn_batch *b) {
    struct gn_gpu *u = s->gpu;
    GN_TRY(tell(s));
    u->early = u->sent == b;
    if (!u->early) GN_TRY(feed(s, b));
    GN_TRY(together(s, begin));
    feed_next(s);
    GN_TRY(together(s, end));
    u->steps++;
    return hear(s);
}
