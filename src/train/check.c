/* check.c - losses meet labels and outputs before any device is opened.
 *
 * A loss may see only what a data set declares for training, so weak supervision is decided here and a
 * missing label is told with what the sets do have. */
#include "src/train/rows.h"
#include "gnomon/io.h"
#include <string.h>

static const gn_dataset *set_of(const gn_experiment *e, int i) { return gn_dataset_find(e->data.train.item[i]); }

/* Where the experiment names a loss; where its file begins when the tree does not. */
static const char *loss_place(const gn_experiment *e, const char *name, const char *below) {
    char path[120];
    snprintf(path, sizeof path, "losses.%s%s", name, below);
    const gn_yaml *y = gn_yaml_find(e->tree, path);
    if (!y && *below) return loss_place(e, name, "");
    return gn_yaml_place(y ? y : e->tree);
}

static gn_status bind_labels(const gn_experiment *e, const gn_loss *l) {
    uint32_t somewhere = 0;
    for (int i = 0; i < e->data.train.n; i++) {
        uint32_t has = set_of(e, i)->has;
        if ((has & l->needs) == l->needs) return GN_OK;
        somewhere |= has;
    }
    char sets[800];
    size_t used = 0;
    sets[0] = 0;
    for (int i = 0; i < e->data.train.n && used < sizeof sets; i++)
        used += (size_t)snprintf(sets + used, sizeof sets - used, "; data set '%s' has %s", set_of(e, i)->name,
                                 gn_fields_text(set_of(e, i)->has));
    for (int f = 0; f < GN_FIELD_COUNT; f++)
        if (l->needs & ~somewhere & (1u << f))
            GN_FAIL(BAD_CONFIG, "%s: losses.%s needs the label '%s'%s", loss_place(e, l->name, ""), l->name, gn_field_name(f), sets);
    GN_FAIL(BAD_CONFIG, "%s: losses.%s needs the labels %s in one data set%s", loss_place(e, l->name, ""), l->name,
            gn_fields_text(l->needs), sets);
}

static gn_status bind_outputs(const gn_experiment *e, const gn_loss_use *use, gn_graph *g) {
    const gn_loss *l = use->loss;
    const char *known[64];
    char all[400];
    size_t used = 0;
    int n = gn_graph_outputs(g);
    for (int i = 0; i < n && i < 64 && used < sizeof all; i++) {
        known[i] = gn_graph_output_name(g, i);
        used += (size_t)snprintf(all + used, sizeof all - used, " %s", known[i]);
    }
    for (int k = 0; k < use->reads.n; k++) {
        const char *name = use->reads.item[k], *at = loss_place(e, l->name, ".reads");
        int i = gn_graph_output_find(g, name), map = l->width[0] == 0;
        if (map ? k >= GN_READS : k >= 3 || !l->reads[k])
            GN_FAIL(BAD_CONFIG, "%s: losses.%s reads fewer outputs than the %d given", at, l->name, use->reads.n);
        if (i < 0)
            GN_FAIL(BAD_CONFIG, "%s: losses.%s reads the output '%s'; model '%s' has%s", at, l->name, gn_shown(name),
                    e->model.entry->name, n ? all : " none");
        gn_shape s = gn_graph_output_shape(g, i);
        if (map && s.n != 4)
            GN_FAIL(BAD_CONFIG, "%s: losses.%s wants maps [N C H W], output '%s' is %s", at, l->name, name, gn_shape_text(&s));
        if (!map && (s.n != 3 || s.d[2] != l->width[k]))
            GN_FAIL(BAD_CONFIG, "%s: losses.%s wants points [N P %d], output '%s' is %s", at, l->name, l->width[k], name,
                    gn_shape_text(&s));
    }
    return GN_OK;
}

gn_status gn_experiment_build(const gn_experiment *e, gn_arena *a, gn_graph **g) {
    const gn_model *model = e->model.entry->what;
    const gn_yaml *named = gn_yaml_find(e->tree, "model");
    GN_TRY(gn_graph_new(a, g));
    GN_TRY_AS(model->build(*g, e->model.options, e->data.input, gn_experiment_skeleton(e)->joints), "%s",
              gn_yaml_place(named && named->n ? named->child[0] : e->tree));
    return GN_OK;
}

static void say_bytes(FILE *say, const char *what, size_t bytes, const char *end) {
    double mib = (double)bytes / (1 << 20);
    if (mib >= 1024) fprintf(say, "%s %.2f GiB%s", what, mib / 1024, end);
    else fprintf(say, "%s %.1f MiB%s", what, mib, end);
}

static void say_size(const gn_experiment *e, const gn_graph *g, FILE *say) {
    gn_graph_size s = gn_graph_sizes(g);
    size_t states = (size_t)((const gn_optimizer *)e->train.optimizer.entry->what)->states * s.weights; /* laid out as the weights are */
    fprintf(say, "model %s, input %dx%d, batch %d in %d shard%s, norm over %s\n", e->model.entry->name, e->data.input,
            e->data.input, e->data.batch, e->train.shards, e->train.shards == 1 ? "" : "s", e->train.norm ? "each shard" : "the batch");
    fprintf(say, "parameters %lld\n", (long long)s.parameters);
    say_bytes(say, "memory", s.weights + s.gradients + s.activations + s.scratch + states, ":");
    say_bytes(say, " weights", s.weights, ",");
    say_bytes(say, " gradients", s.gradients, ",");
    say_bytes(say, " optimizer", states, ",");
    say_bytes(say, " activations", s.activations, ",");
    say_bytes(say, " scratch", s.scratch, "\n");
    fprintf(say, "FLOP an image %.4g forward, %.4g backward\n", s.flop_forward, s.flop_backward);
}

static void say_loss(const gn_experiment *e, const gn_loss_use *use, FILE *say) {
    static const char *const mean[] = { "terms", "samples", "batch" };
    fprintf(say, "  loss %s weight %g, mean over %s, reads", use->loss->name, use->weight, mean[use->mean]);
    for (int k = 0; k < use->reads.n; k++) fprintf(say, " %s", use->reads.item[k]);
    fprintf(say, ", binds %s in", gn_fields_text(use->loss->needs));
    for (int i = 0; i < e->data.train.n; i++)
        if ((set_of(e, i)->has & use->loss->needs) == use->loss->needs) fprintf(say, " %s", set_of(e, i)->name);
    fputc('\n', say);
}

static void say_stage(const gn_experiment *e, const char *name, FILE *say) {
    fprintf(say, "stage %s: %lld steps, %s, rate", name, (long long)e->train.steps, e->train.optimizer.entry->name);
    for (const gn_option *o = e->train.optimizer.entry->options; o && o->name; o++)
        if (!strcmp(o->name, "rate") && o->kind == GN_KIND_NUMBER)
            fprintf(say, " %g", *(const double *)((const char *)e->train.optimizer.options + o->offset));
    if (e->train.warmup) fprintf(say, ", warm-up %lld", (long long)e->train.warmup);
    if (e->train.schedule) fputs(", cosine", say);
    else if (e->train.drops.n) {
        fprintf(say, ", x%g at", e->train.drop);
        for (int i = 0; i < e->train.drops.n; i++) fprintf(say, " %lld", (long long)e->train.drops.item[i]);
    }
    fputs("\n  data", say);
    for (int i = 0; i < e->data.train.n; i++) {
        fprintf(say, " %s", e->data.train.item[i]);
        if (e->data.mix.n) fprintf(say, ":%lld", (long long)e->data.mix.item[i]);
    }
    fputc('\n', say);
    for (int i = 0; i < e->n_loss; i++) say_loss(e, &e->loss[i], say);
}

static void say_shards(const gn_experiment *e, const char *set, const char *shard, FILE *say) {
    char path[4096];
    const gn_dataset *d = gn_dataset_find(set);
    size_t n = strlen(e->data.root);
    snprintf(path, sizeof path, "%s%s%s", e->data.root, n && e->data.root[n - 1] == '/' ? "" : "/", shard);
    fprintf(say, "shards %s: %s\n", path, gn_io_exists(path) ? "there" : d->made ? "made on first use" : "missing");
}

static int named_before(const gn_experiment *e, int stage, int i, int valid) {
    const char *set = (valid ? e->stage[stage].data.valid : e->stage[stage].data.train).item[i];
    for (int s = 0; s <= stage; s++) {
        const gn_texts *t = valid ? &e->stage[s].data.valid : &e->stage[s].data.train;
        for (int k = 0; k < (s == stage ? i : t->n); k++)
            if (!strcmp(t->item[k], set)) return 1;
    }
    return 0;
}

static void say_all(const gn_experiment *e, const gn_graph *g, FILE *say) {
    fprintf(say, "experiment %s (%s), seed %lld\n", e->name, e->file, (long long)e->seed);
    say_size(e, g, say);
    for (int s = 0; s < e->n_stage; s++) say_stage(&e->stage[s], e->stage_name[s], say);
    for (int valid = 0; valid < 2; valid++)
        for (int s = 0; s < e->n_stage; s++) {
            const gn_texts *t = valid ? &e->stage[s].data.valid : &e->stage[s].data.train;
            for (int i = 0; i < t->n; i++) {
                const gn_dataset *d = gn_dataset_find(t->item[i]);
                if (!named_before(e, s, i, valid)) say_shards(e, d->name, valid ? d->valid : d->train, say);
            }
        }
}

gn_status gn_experiment_check(const gn_experiment *e, gn_arena *a, FILE *say) {
    gn_graph *g;
    GN_TRY(gn_experiment_build(e, a, &g));
    const gn_experiment *first = &e->stage[0];
    gn_plan plan = { .backend = GN_CPU, .impl = (gn_impl)e->device.impl, .type = (gn_type)e->device.type,
                     .batch = first->data.batch, .shards = first->train.shards, .norm_shard = first->train.norm, .backward = 1 };
    const gn_yaml *named = gn_yaml_find(e->tree, "model");
    GN_TRY_AS(gn_graph_measure(g, &plan), "%s", gn_yaml_place(named ? named->child[0] : e->tree));
    for (int s = 0; s < e->n_stage; s++)
        for (int i = 0; i < e->stage[s].n_loss; i++) {
            GN_TRY(bind_labels(&e->stage[s], e->stage[s].loss[i].loss));
            GN_TRY(bind_outputs(&e->stage[s], &e->stage[s].loss[i], g));
        }
    if (say) say_all(e, g, say);
    return GN_OK;
}
