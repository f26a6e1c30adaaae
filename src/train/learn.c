/* learn.c - gradient norm, clipping, the optimizer's step and the averaged weights.
 *
 * Slabs are cut in chunks of one size whatever the number of workers; norms of chunks are added in their
 * order. So neither sums nor the tails of vector loops move with the workers. */
#include "session.h"

enum { CHUNK = 1 << 15 };

typedef struct {
    gn_session *s;
    gn_learn learn;
} job;

gn_status gn_learn_open(gn_session *s) {
    s->optimizer = s->stage->train.optimizer.entry->what;
    s->elements = gn_graph_weight_count(s->graph, &s->trained);
    s->chunks = (s->elements + CHUNK - 1) / CHUNK;
    GN_TAKE(s->squares, s->of_stage, s->chunks);
    for (int k = 0; k < s->optimizer->states; k++) GN_TAKE(s->state[k], s->of_stage, s->trained);
    s->ema = NULL;
    if (s->stage->train.ema > 0) {
        GN_TAKE(s->ema, s->of_stage, s->elements);
        const gn_real *w = gn_graph_weights(s->graph);
        for (int64_t i = 0; i < s->elements; i++) s->ema[i] = w[i];
    }
    return GN_OK;
}

static int64_t end_of(int64_t chunk, int64_t most) { return (chunk + 1) * CHUNK < most ? (chunk + 1) * CHUNK : most; }

static gn_status measure(void *what, int worker, int workers) {
    gn_session *s = what;
    const gn_real *g = gn_graph_gradients(s->graph);
    for (int64_t c = worker; c < s->chunks; c += workers)
        s->squares[c] = c * CHUNK < s->trained ? gn_sum_squares(g, c * CHUNK, end_of(c, s->trained)) : 0;
    return GN_OK;
}

static gn_status move(void *what, int worker, int workers) {
    job *j = what;
    gn_session *s = j->s;
    gn_learn learn = j->learn;
    for (int64_t c = worker; c < s->chunks; c += workers) {
        learn.from = c * CHUNK;
        learn.to = end_of(c, s->trained);
        if (learn.from < learn.to) s->optimizer->run(s->stage->train.optimizer.options, &learn);
        if (s->ema) gn_ema_run(s->stage->train.ema, learn.from, end_of(c, s->elements), learn.w, s->ema);
    }
    return GN_OK;
}

/* The rate that the schedule has come to, noted for the record. */
static double rate(gn_session *s) {
    const double first = *(const double *)s->stage->train.optimizer.options;
    return s->note.rate = first * gn_schedule(s->stage, s->at.stage_step);
}

void gn_learn_pace(gn_session *s, gn_pace *p) {
    s->optimizer->pace(s->stage->train.optimizer.options, s->at.stage_step + 1, rate(s), p);
}

gn_status gn_learn_step(gn_session *s) {
    GN_TRY(gn_pool_run(s->pool, measure, s));
    double sum = 0, clip = s->stage->train.clip;
    for (int64_t c = 0; c < s->chunks; c++) sum += s->squares[c];
    s->note.norm = sqrt(sum);
    if (!isfinite(s->note.norm)) return gn_diverged(s, "the norm of the gradient", s->note.norm);

    job j = { s, { .t = s->at.stage_step + 1, .rate = rate(s), .w = gn_graph_weights(s->graph), .g = gn_graph_gradients(s->graph),
                   .gradient_scale = clip > 0 && s->note.norm > clip ? clip / s->note.norm : 1, .state = s->state } };
    return gn_pool_run(s->pool, move, &j);
}
