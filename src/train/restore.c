/* restore.c - what a checkpoint holds, back into a graph: all of it to go on, or some weights to start from. */
#include "bundle.h"
#include "gnomon/hash.h"
#include "gnomon/train.h"
#include <stdlib.h>
#include <string.h>

static int same_shape(const gn_shape *a, const gn_shape *b) {
    return a->n == b->n && !memcmp(a->d, b->d, sizeof *a->d * (size_t)a->n);
}

static gn_status take(const char *folder, const gn_bundle_file *f, const char *before, gn_graph *g, int i, gn_real *slab) {
    const gn_param *p;
    gn_graph_params(g, &p);
    char name[512];
    snprintf(name, sizeof name, "%s%s", before, p[i].name);
    const gn_named *t = gn_named_find(f->n, f->list, name);
    if (!t) GN_FAIL(BAD_DATA, "%s: no tensor '%s', which the model has", folder, name);
    if (strcmp(t->type, "F32")) GN_FAIL(BAD_DATA, "%s: tensor '%s' is %s, F32 expected", folder, name, t->type);
    if (!same_shape(&t->shape, &p[i].shape))
        GN_FAIL(BAD_DATA, "%s: tensor '%s' is %s, %s expected", folder, name, gn_shape_text(&t->shape), gn_shape_text(&p[i].shape));
    gn_param_write(g, i, t->data, slab);
    return GN_OK;
}

static gn_status number(const char *folder, const gn_json *state, const char *key, int64_t *value) {
    const gn_json *j = gn_json_find(state, key);
    if (!j || !j->is_whole) GN_FAIL(BAD_DATA, "%s/state.json: no whole number '%s'", folder, key);
    *value = j->whole;
    return GN_OK;
}

static gn_status progress(const char *folder, const gn_json *state, gn_progress_state *at) {
    GN_TRY(number(folder, state, "step", &at->step));
    GN_TRY(number(folder, state, "stage", &at->stage));
    GN_TRY(number(folder, state, "stage_step", &at->stage_step));
    GN_TRY(number(folder, state, "best_step", &at->best_step));
    at->experiment = strtoull(gn_json_text(gn_json_find(state, "experiment"), "0"), NULL, 16);
    at->data = strtoull(gn_json_text(gn_json_find(state, "data"), "0"), NULL, 16);
    at->best = gn_json_number(gn_json_find(state, "best"), (double)NAN);
    return GN_OK;
}

static gn_status read_in(gn_arena *a, const char *folder, gn_graph *g, int states, gn_real *const *state, gn_real *ema,
                         gn_progress_state *at) {
    gn_bundle b;
    GN_TRY(gn_bundle_open(a, folder, &b));
    const gn_bundle_file *model = &b.file[GN_MODEL_FILE], *optimizer = &b.file[GN_OPTIMIZER_FILE];
    const gn_param *p;
    int n = gn_graph_params(g, &p);
    if (model->n != n) GN_FAIL(BAD_DATA, "%s: %d tensors, the model has %d", folder, model->n, n);
    for (int i = 0; i < n; i++) {
        GN_TRY(take(folder, model, "", g, i, gn_graph_weights(g)));
        for (int k = 0; k < states && p[i].trained; k++) {
            char before[24];
            snprintf(before, sizeof before, "state%d.", k);
            GN_TRY(take(folder, optimizer, before, g, i, state[k]));
        }
        if (ema) GN_TRY(take(folder, optimizer, "ema.", g, i, ema));
    }
    GN_TRY(gn_graph_push(g));
    return progress(folder, b.state, at);
}

gn_status gn_checkpoint_read(const char *folder, gn_graph *g, int states, gn_real *const *state, gn_real *ema, gn_progress_state *at) {
    gn_arena *a = gn_arena_new("restore");
    gn_status status = read_in(a, folder, g, states, state, ema, at);
    gn_arena_free(a);
    return status;
}

gn_status gn_checkpoint_progress(const char *folder, gn_progress_state *at) {
    gn_arena *a = gn_arena_new("progress");
    gn_bundle b;
    gn_status status = gn_bundle_open(a, folder, &b);
    if (!status) status = progress(folder, b.state, at);
    gn_arena_free(a);
    return status;
}

/* "stack1" holds "stack1.head.weight" but not "stack10.weight". */
static int within(const char *name, const char *scope) {
    size_t n = strlen(scope);
    return !strncmp(name, scope, n) && (name[n] == '.' || !name[n]);
}

static gn_status weights_in(gn_arena *a, const char *folder, gn_graph *g, const gn_texts *only, int averaged) {
    gn_bundle b;
    GN_TRY(gn_bundle_open(a, folder, &b));
    const gn_param *p;
    const int n = gn_graph_params(g, &p), scopes = only ? only->n : 0;
    const gn_bundle_file *from = &b.file[GN_MODEL_FILE];
    const char *before = "";
    if (averaged && n && gn_named_find(b.file[GN_OPTIMIZER_FILE].n, b.file[GN_OPTIMIZER_FILE].list,
                                       gn_arena_text(a, "ema.%s", p[0].name))) {
        from = &b.file[GN_OPTIMIZER_FILE];
        before = "ema.";
    }
    for (int k = 0; k < (scopes ? scopes : 1); k++) {
        int found = 0;
        for (int i = 0; i < n; i++) {
            if (scopes && !within(p[i].name, only->item[k])) continue;
            GN_TRY(take(folder, from, before, g, i, gn_graph_weights(g)));
            found++;
        }
        if (!found) GN_FAIL(BAD_CONFIG, "train.only: the model has no scope '%s'", scopes ? only->item[k] : "");
    }
    return gn_graph_push(g);
}

gn_status gn_checkpoint_weights(const char *folder, gn_graph *g, const gn_texts *only, int averaged) {
    gn_arena *a = gn_arena_new("weights");
    gn_status status = weights_in(a, folder, g, only, averaged);
    gn_arena_free(a);
    return status;
}

typedef struct { const char *name; int i; } place;
static int by_name(const void *x, const void *y) { return strcmp(((const place *)x)->name, ((const place *)y)->name); }

/* By name: a plan may lay the slab out anew, and freezing does. 0: out of memory. */
uint64_t gn_weights_hash(const gn_graph *g) {
    const gn_param *p;
    const int n = gn_graph_params(g, &p);
    int64_t most = 1;
    for (int i = 0; i < n; i++)
        if (gn_shape_count(&p[i].shape) > most) most = gn_shape_count(&p[i].shape);
    gn_arena *a = gn_arena_new("hash");
    place *order = gn_arena_take(a, sizeof *order * (size_t)(n + 1));
    gn_real *dense = gn_arena_take(a, sizeof *dense * (size_t)most);
    uint64_t hash = 0;
    if (order && dense) {
        for (int i = 0; i < n; i++) order[i] = (place){ p[i].name, i };
        qsort(order, (size_t)n, sizeof *order, by_name);
        for (int k = 0; k < n; k++) {
            const gn_param *q = &p[order[k].i];
            gn_param_read(g, order[k].i, gn_graph_weights(g), dense);
            hash = gn_hash_more(hash, q->name, strlen(q->name));
            hash = gn_hash_more(hash, dense, sizeof *dense * (size_t)gn_shape_count(&q->shape));
        }
    }
    gn_arena_free(a);
    return hash;
}
