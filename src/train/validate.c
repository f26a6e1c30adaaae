/* validate.c - scores on the validation sets, by the averaged weights where there are any. */
#include "session.h"
#include <string.h>

/* `train.best` is "pckh", of the first set that scores it, or "pckh@puppet_wild". */
static double chosen(const gn_session *s, const gn_scores *scores) {
    const char *at = strchr(s->stage->train.best, '@');
    if (!s->best || (at && strcmp(at + 1, scores->set))) return (double)NAN;
    const gn_score *score = gn_score_find(scores, s->best->name);
    return score ? score->value : (double)NAN;
}

static gn_status swap(gn_session *s) {
    gn_real *w = gn_graph_weights(s->graph);
    if (!s->ema) return GN_OK;
    for (int64_t i = 0; i < s->elements; i++) {
        gn_real keep = w[i];
        w[i] = s->ema[i];
        s->ema[i] = keep;
    }
    return gn_graph_push(s->graph);
}

/* With several GPUs the first scores, whose graph has its part of the batch. */
static gn_status score(gn_session *s, gn_arena *a, double *value) {
    gn_experiment here = *s->stage;
    const int ranks = s->gpu ? here.device.gpus : 1;
    here.data.batch /= ranks;
    here.train.shards /= ranks;
    for (int i = 0; i < s->stage->data.valid.n; i++) {
        gn_scores scores;
        GN_TRY(gn_evaluate(&here, s->graph, s->pool, s->stage->data.valid.item[i], a, &scores));
        GN_TRY(gn_record_scores(s, &scores));
        if (!isfinite(*value)) *value = chosen(s, &scores);
    }
    return GN_OK;
}

gn_status gn_session_validate(gn_session *s, int *better) {
    double value = (double)NAN;
    GN_TRY(gn_gpu_pull(s));
    gn_arena *a = gn_arena_new("validation");
    gn_status status = swap(s);
    if (!status) status = score(s, a, &value);
    gn_status back = swap(s);
    gn_arena_free(a);
    if (!status) status = back;
    *better = 0;
    if (status) return gn_pass_as(status, __FILE__, __LINE__, "validation at step %lld", (long long)s->at.step);
    if (!isfinite(value)) return GN_OK;
    if (!isfinite(s->at.best) || (s->best->less_is_better ? value < s->at.best : value > s->at.best)) {
        s->at.best = value;
        s->at.best_step = s->at.step;
        *better = 1;
    }
    return GN_OK;
}
