/* evaluate.c - a model over the validation shards of a set, in order, once. */
#include "gnomon/io.h"
#include "gnomon/json.h"
#include "gnomon/train.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

gn_status gn_evaluate(const gn_experiment *e, gn_graph *g, gn_pool *pool, const char *set, gn_arena *a,
                      gn_scores *scores) {
    const gn_skeleton *joints = gn_experiment_skeleton(e);
    gn_arena *own = gn_arena_new("evaluation");
    if (!own) GN_FAIL(NO_MEMORY, "out of memory: evaluation");
    gn_status status = GN_OK;
    gn_texts sets = { 1, &set };
    gn_loader_spec spec = { .bare = !gn_graph_has_input(g, "picture"), .root = e->data.root, .sets = &sets, .batch = e->data.batch, .side = e->data.input,
                            .threads = e->data.threads, .seed = (uint64_t)e->seed, .rules = e->data.labels, .skeleton = joints };
    gn_loader *l;
    gn_meter *m;
    gn_prediction *said = gn_arena_take(own, sizeof *said * (size_t)e->data.batch);
    if (!said) {
        status = gn_fail(GN_NO_MEMORY, __FILE__, __LINE__, "out of memory: predictions");
        goto done;
    }
    GN_TRY_OR(gn_loader_open(own, &spec, &l), done);
    GN_TRY_OR(gn_meter_open(a, joints, gn_loader_samples(l), &m), done);
    for (;;) {
        gn_batch *b;
        GN_TRY_OR(gn_loader_next(l, &b), done);
        if (!b->n) break;
        GN_TRY_OR(gn_ask(e, g, pool, e->train.shards, joints, b), done);
        GN_TRY_OR(gn_decode(e, g, b->n, e->train.shards, b->truth, said), done);
        for (int i = 0; i < b->n; i++) GN_TRY_OR(gn_meter_add(m, &b->truth[i], &said[i]), done);
    }
    *scores = (gn_scores){ .set = set, .mirrored = e->data.flip_test };
    GN_TRY_OR(gn_meter_read(m, a, scores), done);
done:
    gn_arena_free(own);
    return status;
}

static void number(FILE *to, double x) {
    if (isfinite(x)) fprintf(to, "%.9g", x);
    else fputs("null", to);
}

static void numbers(FILE *to, const char *name, const gn_scores *s, const double *x) {
    fprintf(to, ",\n      \"%s\": {", name);
    for (int j = 0, n = 0; j < s->skeleton->joints; j++)
        if (isfinite(x[j])) fprintf(to, "%s\"%s\": %.6g", n++ ? ", " : "", s->skeleton->joint[j], x[j]);
    fputc('}', to);
}

static gn_status print(const gn_scores *s, gn_arena *a, FILE *to) {
    fprintf(to, "{\n  \"set\": %s,\n  \"protocol\": \"valid\",\n  \"samples\": %lld,\n  \"mirrored\": %s,\n  \"skeleton\": \"%s\",\n  \"root\": %s,\n  \"metrics\": {",
            gn_json_quote(a, s->set), (long long)s->samples, s->mirrored ? "true" : "false", s->skeleton->name,
            s->skeleton->root < 0 ? "null" : gn_json_quote(a, s->skeleton->joint[s->skeleton->root]));
    for (int i = 0; i < s->n; i++) {
        const gn_score *c = &s->score[i];
        fprintf(to, "%s\n    \"%s\": {\n      \"value\": ", i ? "," : "", c->metric->name);
        number(to, c->value);
        fprintf(to, ", \"unit\": \"%s\", \"terms\": %lld,\n      \"protocol\": %s", c->metric->unit, (long long)c->terms,
                gn_json_quote(a, c->metric->protocol));
        if (c->metric->baseline) {
            fputs(",\n      \"baseline\": ", to);
            number(to, c->baseline);
            fprintf(to, ", \"baseline_is\": %s", gn_json_quote(a, c->metric->baseline));
        }
        numbers(to, "joint", s, c->joint);
        if (c->metric->baseline) numbers(to, "joint_baseline", s, c->joint_baseline);
        fputs("\n    }", to);
    }
    fputs("\n  }\n}\n", to);
    return GN_OK;
}

gn_status gn_scores_write(const gn_scores *s, const char *run, gn_arena *a) {
    const char *folder, *path;
    GN_TAKE_TEXT(folder, a, "%s/eval", run);
    GN_TAKE_TEXT(path, a, "%s/%s@valid.json", folder, s->set);
    GN_TRY(gn_io_folder(folder));
    char *text = NULL;
    size_t n = 0;
    FILE *to = open_memstream(&text, &n);
    if (!to) GN_FAIL(NO_MEMORY, "out of memory: %s", path);
    gn_status status = print(s, a, to);
    if (fclose(to) && !status) status = gn_fail(GN_NO_MEMORY, __FILE__, __LINE__, "out of memory: %s", path);
    if (!status) status = gn_io_write(path, text, n);
    free(text);
    if (status) return gn_pass(status, __FILE__, __LINE__);
    return GN_OK;
}
