/* checkpoint.c - written beside, read back, verified, renamed; only then pointed to, and only then do older ones go. */
#include "bundle.h"
#include "gnomon/hash.h"
#include "gnomon/io.h"
#include "gnomon/log.h"
#include "gnomon/train.h"
#include <dirent.h>
#include <stdlib.h>
#include <string.h>

static const char *join(gn_arena *a, const char *folder, const char *name) { return gn_arena_text(a, "%s/%s", folder, name); }

typedef struct {
    const gn_graph *g;
    const gn_param *param;
    gn_named *list;
    const gn_real **slab;     /* tensor i is parameter index[i] of slab[i] */
    int *index, n;
} tensors;

static void dense(const void *what, int i, float *to) {
    const tensors *t = what;
    gn_param_read(t->g, t->index[i], t->slab[i], to);
}

static gn_status add(gn_arena *a, tensors *t, const char *before, int i, const gn_real *slab) {
    GN_TAKE_TEXT(t->list[t->n].name, a, "%s%s", before, t->param[i].name);
    t->list[t->n].shape = t->param[i].shape;
    t->slab[t->n] = slab;
    t->index[t->n++] = i;
    return GN_OK;
}

static gn_status tensors_of(gn_arena *a, const gn_graph *g, int most, tensors *t) {
    *t = (tensors){ .g = g };
    int n = gn_graph_params(g, &t->param) * most;
    GN_TAKE(t->list, a, n);
    GN_TAKE(t->slab, a, n);
    GN_TAKE(t->index, a, n);
    return GN_OK;
}

static gn_status write_model(gn_arena *a, const char *folder, const gn_graph *g, gn_bundle_file *p) {
    tensors t;
    GN_TRY(tensors_of(a, g, 1, &t));
    int n = gn_graph_params(g, &t.param);
    for (int i = 0; i < n; i++) GN_TRY(add(a, &t, "", i, gn_graph_weights(g)));
    p->n = t.n;
    p->list = t.list;
    return gn_safetensors_write(a, join(a, folder, gn_bundle_name[GN_MODEL_FILE]), t.n, t.list, dense, &t, &p->hash, &p->bytes);
}

static gn_status write_optimizer(gn_arena *a, const char *folder, const gn_graph *g, int states, gn_real *const *state,
                                 const gn_real *ema, gn_bundle_file *p) {
    tensors t;
    GN_TRY(tensors_of(a, g, states + 1, &t));
    int n = gn_graph_params(g, &t.param);
    for (int k = 0; k < states; k++)
        for (int i = 0; i < n; i++) {
            char before[24];
            snprintf(before, sizeof before, "state%d.", k);
            if (t.param[i].trained) GN_TRY(add(a, &t, before, i, state[k]));
        }
    for (int i = 0; i < n && ema; i++) GN_TRY(add(a, &t, "ema.", i, ema));
    p->n = t.n;
    p->list = t.list;
    return gn_safetensors_write(a, join(a, folder, gn_bundle_name[GN_OPTIMIZER_FILE]), t.n, t.list, dense, &t, &p->hash, &p->bytes);
}

static gn_status write_state(gn_arena *a, const char *folder, const gn_progress_state *at, gn_bundle_file *p) {
    char best[40] = "null";
    if (isfinite(at->best)) snprintf(best, sizeof best, "%.17g", at->best);
    const char *text;
    GN_TAKE_TEXT(text, a, "{\"step\": %lld, \"stage\": %lld, \"stage_step\": %lld, \"experiment\": \"%016llx\", \"data\": \"%016llx\", \"best\": %s, \"best_step\": %lld}\n",
                 (long long)at->step, (long long)at->stage, (long long)at->stage_step, (unsigned long long)at->experiment,
                 (unsigned long long)at->data, best, (long long)at->best_step);
    p->bytes = strlen(text);
    p->hash = gn_hash(text, p->bytes);
    gn_io_file f;
    gn_status status = gn_io_create(&f, join(a, folder, gn_bundle_name[GN_STATE_FILE]));
    if (!status) status = gn_io_put(&f, text, p->bytes);
    gn_status closed = gn_io_close(&f, 1);
    return status ? status : closed;
}

static gn_status write_all(gn_arena *a, const char *temp, const gn_graph *g, int states, gn_real *const *state,
                           const gn_real *ema, const gn_progress_state *at) {
    gn_bundle b = { 0 };
    char *text;
    size_t n;
    GN_TRY(gn_io_remove(temp));
    GN_TRY(gn_io_folder(temp));
    GN_TRY(write_model(a, temp, g, &b.file[GN_MODEL_FILE]));
    GN_TRY(write_optimizer(a, temp, g, states, state, ema, &b.file[GN_OPTIMIZER_FILE]));
    GN_TRY(write_state(a, temp, at, &b.file[GN_STATE_FILE]));
    GN_TRY(gn_bundle_manifest(a, &b, &text, &n));
    GN_TRY(gn_io_write(join(a, temp, "MANIFEST"), text, n));
    return gn_bundle_open(a, temp, &b);
}

/* --- the folder of checkpoints --- */

static int by_step(const void *x, const void *y) {
    int64_t a = *(const int64_t *)x, b = *(const int64_t *)y;
    return a > b ? -1 : a < b;
}

/* Steps that have a folder, newest first. */
static gn_status steps_in(gn_arena *a, const char *folder, int *count, int64_t **list) {
    int n = 0, room = 0;
    int64_t *found = NULL;
    DIR *d = opendir(folder);
    gn_status status = GN_OK;
    for (struct dirent *e; d && (e = readdir(d));) {
        char *end;
        if (strncmp(e->d_name, "step_", 5)) continue;
        long long step = strtoll(e->d_name + 5, &end, 10);
        if (*end || end == e->d_name + 5) continue;
        if (n == room) {
            int64_t *more = gn_arena_take(a, sizeof *more * (size_t)(room = 2 * room + 16));
            if (!more) GN_TRY_OR(gn_fail(GN_NO_MEMORY, __FILE__, __LINE__, "out of memory: %s", folder), end);
            if (n) memcpy(more, found, sizeof *more * (size_t)n);
            found = more;
        }
        found[n++] = step;
    }
    if (n) qsort(found, (size_t)n, sizeof *found, by_step);
    *count = n;
    *list = found;
end:
    if (d) closedir(d);
    return status;
}

/* What a pointer file says: the step of "step_00001200", or -1. */
static int64_t pointed(gn_arena *a, const char *folder, const char *name) {
    void *text;
    size_t n;
    const char *path = join(a, folder, name);
    if (!path || gn_io_read(a, path, 256, &text, &n) || strncmp(text, "step_", 5)) return -1;
    return strtoll((char *)text + 5, NULL, 10);
}

static gn_status point(gn_arena *a, const char *folder, const char *name, int64_t step) {
    const char *text;
    GN_TAKE_TEXT(text, a, "step_%08lld\n", (long long)step);
    return gn_io_write(join(a, folder, name), text, strlen(text));
}

/* Older ones go under another name first: half a checkpoint never bears a checkpoint's name. */
static gn_status prune(gn_arena *a, const char *folder, int keep) {
    int n;
    int64_t *step;
    GN_TRY(steps_in(a, folder, &n, &step));
    const int64_t best = pointed(a, folder, "best");
    for (int i = keep > 0 ? keep : 1; i < n; i++) {
        if (step[i] == best) continue;
        const char *path, *gone;
        GN_TAKE_TEXT(path, a, "%s/step_%08lld", folder, (long long)step[i]);
        GN_TAKE_TEXT(gone, a, "%s/gone.tmp", folder);
        GN_TRY(gn_io_remove(gone));
        GN_TRY(gn_io_rename(path, gone));
        GN_TRY(gn_io_remove(gone));
    }
    return GN_OK;
}

static gn_status write_in(gn_arena *a, const char *run, const gn_graph *g, int states, gn_real *const *state,
                          const gn_real *ema, const gn_progress_state *at, int keep, int is_best) {
    const char *folder, *temp, *path;
    GN_TAKE_TEXT(folder, a, "%s/checkpoint", run);
    GN_TAKE_TEXT(temp, a, "%s/new.tmp", folder);
    GN_TAKE_TEXT(path, a, "%s/step_%08lld", folder, (long long)at->step);
    GN_TRY(gn_io_folder(folder));
    gn_status status = write_all(a, temp, g, states, state, ema, at);
    if (status) { /* a full disk wants its room back */
        gn_trail why;
        gn_trail_keep(&why);
        gn_io_remove(temp);
        gn_trail_restore(&why);
        return status;
    }
    /* One of this step is there after a resume from before it: the same when it verifies, of no use when not. */
    if (!gn_io_exists(path)) {
        GN_TRY(gn_io_rename(temp, path));
    } else if (gn_checkpoint_verify(path)) {
        GN_TRY(gn_io_remove(path));
        GN_TRY(gn_io_rename(temp, path));
    } else {
        GN_TRY(gn_io_remove(temp));
    }
    GN_TRY(point(a, folder, "latest", at->step));
    if (is_best) GN_TRY(point(a, folder, "best", at->step));
    return prune(a, folder, keep);
}

gn_status gn_checkpoint_write(const char *run, const gn_graph *g, int states, gn_real *const *state, const gn_real *ema,
                              const gn_progress_state *at, int keep, int is_best) {
    gn_arena *a = gn_arena_new("checkpoint");
    gn_status status = write_in(a, run, g, states, state, ema, at, keep, is_best);
    gn_arena_free(a);
    if (status) return gn_pass_as(status, __FILE__, __LINE__, "checkpoint of step %lld", (long long)at->step);
    return GN_OK;
}

gn_status gn_checkpoint_newest(gn_arena *a, const char *run, const char **newest) {
    const char *folder, *path;
    int n;
    int64_t *step;
    GN_TAKE_TEXT(folder, a, "%s/checkpoint", run);
    GN_TRY(steps_in(a, folder, &n, &step));
    for (int i = 0; i < n; i++) {
        GN_TAKE_TEXT(path, a, "%s/step_%08lld", folder, (long long)step[i]);
        if (!gn_checkpoint_verify(path)) {
            *newest = path;
            return GN_OK;
        }
        gn_warn("%s; the checkpoint before it is used", gn_reason());
        gn_trail_clear();
    }
    if (!n) GN_FAIL(MISSING, "%s: no checkpoint", folder);
    GN_FAIL(BAD_DATA, "%s: none of %d checkpoints verifies", folder, n);
}

gn_status gn_checkpoint_best(gn_arena *a, const char *run, const char **best) {
    const char *folder;
    GN_TAKE_TEXT(folder, a, "%s/checkpoint", run);
    const int64_t step = pointed(a, folder, "best");
    gn_trail_clear();
    if (step < 0) return gn_checkpoint_newest(a, run, best);
    GN_TAKE_TEXT(*best, a, "%s/step_%08lld", folder, (long long)step);
    if (!gn_checkpoint_verify(*best)) return GN_OK;
    gn_warn("%s; the newest that verifies is used", gn_reason());
    gn_trail_clear();
    return gn_checkpoint_newest(a, run, best);
}
