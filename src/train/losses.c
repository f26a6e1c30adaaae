/* losses.c - the losses of a stage, a call a shard: bound once, run every step. */
#include "session.h"
#include <string.h>

static gn_status bind_outputs(gn_session *s, gn_loss_line *line) {
    const gn_loss *loss = line->use->loss;
    const gn_texts *reads = &line->use->reads;
    for (int k = 0; reads->n ? k < reads->n : k < 4 && loss->reads[k]; k++) {
        const char *name = reads->n ? reads->item[k] : loss->reads[k];
        int i = gn_graph_output_find(s->graph, name);
        if (i < 0 && !reads->n && k >= loss->least) break; /* may be left out */
        if (i < 0) GN_FAIL(BAD_CONFIG, "losses.%s: the model has no output '%s'", loss->name, name);
        if (line->outputs == GN_READS) GN_FAIL(BAD_CONFIG, "losses.%s: reads more than %d outputs", loss->name, GN_READS);
        line->output[line->outputs++] = i;
    }
    return GN_OK;
}

static gn_status bind(gn_session *s, gn_loss_line *line, const gn_loss_use *use) {
    line->use = use;
    if (use->loss->views > 1) GN_FAIL(BAD_CONFIG, "losses.%s: needs groups of %d views, training feeds single pictures", use->loss->name, use->loss->views);
    GN_TRY(bind_outputs(s, line));
    GN_TAKE(line->call, s->of_stage, s->shards);
    GN_TAKE(line->value, s->of_stage, s->shards);
    const int here = s->shards / (s->gpu ? s->stage->device.gpus : 1); /* shards of the graph: other GPUs' look alike */
    for (int k = 0; k < s->shards; k++) {
        gn_tensor *out, *slope;
        GN_TAKE(out, s->of_stage, line->outputs);
        GN_TAKE(slope, s->of_stage, line->outputs);
        for (int i = 0; i < line->outputs; i++) {
            out[i] = gn_graph_output(s->graph, line->output[i], k % here);
            slope[i] = gn_graph_slope(s->graph, line->output[i], k % here);
        }
        line->call[k] = (gn_loss_call){ .options = use->options, .samples = s->each, .views = 1, .labels = s->labels + k * s->each,
                                        .outputs = line->outputs, .out = out, .d_out = slope, .value = &line->value[k] };
    }
    return GN_OK;
}

gn_status gn_losses_bind(gn_session *s) {
    GN_TAKE(s->loss, s->of_stage, s->stage->n_loss);
    s->n_loss = 0;
    for (int i = 0; i < s->stage->n_loss; i++) {
        const gn_loss_use *use = &s->stage->loss[i];
        if (use->weight > 0) GN_TRY(bind(s, &s->loss[s->n_loss++], use));
    }
    if (!s->n_loss) GN_FAIL(BAD_CONFIG, "stage %s: no loss has a weight", s->name);
    return GN_OK;
}

static gn_status run(void *what, int worker, int workers) {
    gn_session *s = what;
    for (int k = worker; k < s->shards; k += workers)
        for (int i = 0; i < s->n_loss; i++) GN_TRY_AS(s->loss[i].use->loss->run(&s->loss[i].call[k]), "loss %s", s->loss[i].use->loss->name);
    return GN_OK;
}

void gn_losses_scale(gn_session *s) {
    for (int i = 0; i < s->n_loss; i++) {
        gn_loss_line *line = &s->loss[i];
        const gn_loss_use *use = line->use;
        line->normaliser = gn_loss_normaliser(use->loss, use->options, (gn_mean)use->mean, s->shards * s->each, 1, s->labels, line->call[0].out);
        for (int k = 0; k < s->shards; k++) line->call[k].scale = use->weight / line->normaliser;
    }
}

gn_status gn_losses_sum(gn_session *s) {
    s->note.loss = 0;
    for (int i = 0; i < s->n_loss; i++) {
        gn_loss_line *line = &s->loss[i];
        double sum = 0;
        for (int k = 0; k < s->shards; k++) sum += line->value[k];
        line->mean = sum / line->normaliser;
        s->note.loss += line->use->weight * line->mean;
        if (!isfinite(line->mean)) return gn_diverged(s, line->use->loss->name, line->mean);
    }
    return GN_OK;
}

gn_status gn_losses_run(gn_session *s) {
    gn_losses_scale(s);
    GN_TRY(gn_pool_run(s->pool, run, s));
    return gn_losses_sum(s);
}

static int all_finite(const gn_tensor *t) {
    const int64_t n = gn_tensor_count(t);
    const gn_real *x = t->data;
    for (int64_t i = 0; t->type == GN_TYPE_REAL && i < n; i++)
        if (!isfinite(x[i])) return 0;
    return 1;
}

gn_status gn_diverged(gn_session *s, const char *what, double value) {
    const char *first = "none of the outputs";
    GN_TRY(gn_graph_hear(s->graph));
    for (int i = gn_graph_outputs(s->graph) - 1; i >= 0; i--)
        for (int k = 0; k < s->shards; k++) {
            gn_tensor t = gn_graph_output(s->graph, i, k);
            if (!all_finite(&t)) first = gn_graph_output_name(s->graph, i);
        }
    GN_FAIL(DIVERGED, "step %lld of stage %s: %s is %g; first output that is not finite: %s", (long long)s->at.step + 1, s->name,
            what, value, first);
}
