/* describe.c - what there is to name and to set: the only document of options. */
#include "src/train/rows.h"
#include "gnomon/persons.h"
#include <string.h>

static void fields(FILE *to, const char *word, uint32_t set) {
    if (set) fprintf(to, "  %s %s\n", word, gn_fields_text(set));
}

static gn_status loss(FILE *to, gn_arena *a, const gn_loss *l) {
    const gn_option *rows;
    GN_TRY(gn_loss_rows(a, l, &rows));
    fprintf(to, "loss %s: %s\n", l->name, l->help);
    fields(to, "needs", l->needs);
    fputs("  reads", to);
    for (int k = 0; k < 4 && l->reads[k]; k++) {
        fprintf(to, " %s ", l->reads[k]);
        if (l->width[k]) fprintf(to, "[N P %d]", l->width[k]);
        else fputs("[N C H W]", to);
    }
    fputc('\n', to);
    gn_config_describe(to, rows, 2);
    return GN_OK;
}

static void dataset(FILE *to, const gn_dataset *d) {
    fprintf(to, "data set %s: %s\n", d->name, d->about);
    fields(to, "has", d->has);
    fields(to, "for evaluation alone", d->holds & ~d->has);
    fprintf(to, "  skeleton %s, %d joints\n  shards %s %s\n  licence %s\n", d->skeleton->name, d->skeleton->joints, d->train,
            d->valid, d->licence);
}

static void skeleton(FILE *to, const gn_skeleton *s) {
    fprintf(to, "skeleton %s: %d joints, root %s\n ", s->name, s->joints, s->root < 0 ? "none" : s->joint[s->root]);
    for (int j = 0; j < s->joints; j++) fprintf(to, " %s", s->joint[j]);
    fputc('\n', to);
}

static void plain(FILE *to, const char *kind, const char *name, const char *help, const gn_option *rows) {
    fprintf(to, "%s %s: %s\n", kind, name, help);
    gn_config_describe(to, rows, 2);
}

static void metric(FILE *to, const gn_metric *m) {
    fprintf(to, "metric %s (%s), %s: %s\n", m->name, m->title, m->unit, m->protocol);
    if (m->baseline) fprintf(to, "  constant answer: %s\n", m->baseline);
}

static gn_status describe(FILE *to, gn_arena *a, const char *name) {
    const gn_option *rows;
    const char *known[256];
    int n = 0, found = 0;
#define EACH(list) for (int i = 0; list[i] && n < 256; i++) if (known[n++] = list[i]->name, !name || !strcmp(name, list[i]->name))
    GN_TRY(gn_experiment_rows(a, &rows));
    if (!name) fputs("experiment: the keys of its file\n", to), gn_config_describe(to, rows, 2);
    for (const gn_option *r = rows; r->name; r++) {
        known[n++] = r->name;
        if (!name || strcmp(name, r->name)) continue;
        found = 1;
        gn_option one[2] = { *r, { 0, GN_KIND_INT, 0, 0, 0, 0, 0, 0, 0, 0 } };
        gn_config_describe(to, one, 0);
    }
    EACH(gn_models) found = 1, plain(to, "model", gn_models[i]->name, gn_models[i]->help, gn_models[i]->options);
    EACH(gn_losses) {
        found = 1;
        GN_TRY(loss(to, a, gn_losses[i]));
    }
    EACH(gn_optimizers) found = 1, plain(to, "optimizer", gn_optimizers[i]->name, gn_optimizers[i]->help, gn_optimizers[i]->options);
    EACH(gn_datasets) found = 1, dataset(to, gn_datasets[i]);
    EACH(gn_skeletons) found = 1, skeleton(to, gn_skeletons[i]);
    EACH(gn_metrics) found = 1, metric(to, gn_metrics[i]);
    EACH(gn_person_metrics) found = 1, metric(to, gn_person_metrics[i]);
#undef EACH
    if (found) return GN_OK;
    const char *near = gn_nearest(name, n, known);
    GN_FAIL(BAD_USAGE, "'%s': no key, model, loss, optimizer, data set, skeleton or metric%s%s%s", gn_shown(name),
            near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

gn_status gn_describe(FILE *to, const char *name) {
    gn_arena *a = gn_arena_new("describe");
    gn_status status = describe(to, a, name);
    gn_arena_free(a);
    if (status) return gn_pass(status, __FILE__, __LINE__);
    return GN_OK;
}
