/* runs.c - runs as a table, and one run in lines. */
#include "gnomon/io.h"
#include "gnomon/json.h"
#include "gnomon/report.h"
#include <dirent.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct { const char *id, *experiment, *state, *step, *best, *weights; } row;
enum { MOST = 4096 };

static gn_status json_of(gn_arena *a, const char *folder, const char *name, const gn_json **j) {
    const char *path;
    void *bytes;
    size_t n;
    *j = NULL;
    GN_TAKE_TEXT(path, a, "%s/%s", folder, name);
    if (!gn_io_exists(path)) return GN_OK;
    GN_TRY(gn_io_read(a, path, 1 << 20, &bytes, &n));
    return gn_json_parse(a, path, bytes, n, j);
}

/* The last "weights <hash>" of the run's log: what it ended with. */
static gn_status weights_of(gn_arena *a, const char *folder, const char **hash) {
    const char *path;
    void *bytes;
    size_t n;
    *hash = "-";
    GN_TAKE_TEXT(path, a, "%s/log.txt", folder);
    if (!gn_io_exists(path)) return GN_OK;
    GN_TRY(gn_io_read(a, path, (size_t)1 << 30, &bytes, &n));
    for (const char *at = bytes; (at = strstr(at, "weights ")); at++)
        if (strspn(at + 8, "0123456789abcdef") == 16) GN_TAKE_TEXT(*hash, a, "%.16s", at + 8);
    return GN_OK;
}

/* The pointer RUN/checkpoint/best, and the metric as the checkpoint remembers it. */
static gn_status best_of(gn_arena *a, const char *folder, const char **best) {
    const char *path, *name;
    void *bytes;
    size_t n;
    const gn_json *state;
    gn_experiment *e;
    *best = "-";
    GN_TAKE_TEXT(path, a, "%s/checkpoint/best", folder);
    if (!gn_io_exists(path)) return GN_OK;
    GN_TRY(gn_io_read(a, path, 4096, &bytes, &n));
    GN_TAKE_TEXT(name, a, "checkpoint/%.*s/state.json", (int)strcspn(bytes, "\n"), (const char *)bytes);
    GN_TRY(json_of(a, folder, name, &state));
    double value = gn_json_number(gn_json_find(state, "best"), (double)NAN);
    if (!isfinite(value)) return GN_OK;
    GN_TAKE(e, a, 1);
    GN_TRY(gn_run_experiment(a, folder, e));
    int stage = (int)gn_json_number(gn_json_find(state, "stage"), 0); /* each chooses by its own metric */
    if (stage < 0 || stage >= e->n_stage) GN_FAIL(BAD_DATA, "%s/%s: stage %d of %d", folder, name, stage, e->n_stage);
    GN_TAKE_TEXT(*best, a, "%s %.4g", e->stage[stage].train.best, value);
    return GN_OK;
}

static gn_status read_row(gn_arena *a, const char *folder, const char *experiment, const char *id, row *r) {
    const gn_json *status;
    *r = (row){ id, experiment, "-", "-", "-", "-" };
    GN_TRY(json_of(a, folder, "status.json", &status));
    if (status) {
        r->state = gn_json_text(gn_json_find(status, "state"), "-");
        GN_TAKE_TEXT(r->step, a, "%.0f/%.0f", gn_json_number(gn_json_find(status, "step"), 0),
                     gn_json_number(gn_json_find(status, "steps"), 0));
    }
    GN_TRY(best_of(a, folder, &r->best));
    return weights_of(a, folder, &r->weights);
}

static int named(const struct dirent *d) { return d->d_name[0] != '.'; }

static void free_names(struct dirent **name, int n) {
    for (int i = 0; i < n; i++) free(name[i]);
    if (n >= 0) free(name);
}

static gn_status below(gn_arena *a, const char *runs, const char *experiment, row *list, int *n) {
    const char *folder, *run, *file;
    struct dirent **id = NULL;
    GN_TAKE_TEXT(folder, a, "%s/%s", runs, experiment);
    int ids = scandir(folder, &id, named, alphasort);
    gn_status status = GN_OK;
    for (int k = 0; k < ids && !status && *n < MOST; k++) {
        run = gn_arena_text(a, "%s/%s", folder, id[k]->d_name);
        file = gn_arena_text(a, "%s/%s/experiment.yaml", folder, id[k]->d_name);
        if (!run || !file) status = gn_fail(GN_NO_MEMORY, __FILE__, __LINE__, "out of memory: %s", folder);
        else if (gn_io_exists(file)) {
            row *r = &list[(*n)++];
            const char *name = strrchr(run, '/') + 1;
            if (read_row(a, run, experiment, name, r)) { /* one broken run does not hide the others */
                *r = (row){ name, experiment, "unreadable", "-", "-", "-" };
                gn_trail_clear();
            }
        }
    }
    free_names(id, ids);
    return status;
}

static int newest_first(const void *a, const void *b) { return strcmp(((const row *)b)->id, ((const row *)a)->id); }

static int wider(int so_far, const char *text) { return (int)strlen(text) > so_far ? (int)strlen(text) : so_far; }

gn_status gn_runs_list(FILE *to, const char *runs, gn_arena *a) {
    struct dirent **name = NULL;
    row *list;
    int n = 0, w[5] = { 3, 10, 5, 4, 4 };
    gn_status status = GN_OK;
    GN_TAKE(list, a, MOST);
    int names = scandir(runs, &name, named, alphasort);
    if (names < 0) GN_FAIL(MISSING, "%s: no folder of runs", runs);
    for (int i = 0; i < names && !status; i++) {
        const char *experiment = gn_arena_text(a, "%s", name[i]->d_name);
        status = experiment ? below(a, runs, experiment, list, &n) : GN_NO_MEMORY;
    }
    free_names(name, names);
    if (status) return gn_pass(status, __FILE__, __LINE__);
    qsort(list, (size_t)n, sizeof *list, newest_first);
    for (int i = 0; i < n; i++) {
        const char *cell[] = { list[i].id, list[i].experiment, list[i].state, list[i].step, list[i].best };
        for (int k = 0; k < 5; k++) w[k] = wider(w[k], cell[k]);
    }
    const row head = { "run", "experiment", "state", "step", "best", "weights" };
    for (int i = -1; i < n; i++) {
        const row *r = i < 0 ? &head : &list[i];
        fprintf(to, "%-*s  %-*s  %-*s  %*s  %-*s  %s\n", w[0], r->id, w[1], r->experiment, w[2], r->state, w[3], r->step, w[4],
                r->best, r->weights);
    }
    return GN_OK;
}

static gn_status print_file(gn_arena *a, FILE *to, const char *folder, const char *name) {
    const char *path;
    void *bytes;
    size_t n;
    GN_TAKE_TEXT(path, a, "%s/%s", folder, name);
    if (!gn_io_exists(path)) return GN_OK;
    GN_TRY(gn_io_read(a, path, 1 << 20, &bytes, &n));
    fprintf(to, "\n%s\n", name);
    for (const char *at = bytes; *at; at += *at == '\n') {
        int length = (int)strcspn(at, "\n");
        fprintf(to, "  %.*s\n", length, at);
        at += length;
    }
    return GN_OK;
}

static int is_scores(const struct dirent *d) {
    const char *end = strrchr(d->d_name, '.');
    return end && !strcmp(end, ".json");
}

static gn_status print_scores(gn_arena *a, FILE *to, const char *folder, const char *file) {
    const gn_json *j;
    GN_TRY(json_of(a, folder, file, &j));
    const gn_json *metrics = gn_json_find(j, "metrics");
    fprintf(to, "\n%s, %.0f samples\n", gn_json_text(gn_json_find(j, "set"), file), gn_json_number(gn_json_find(j, "samples"), 0));
    fprintf(to, "  %-18s %11s %11s  %5s\n", "metric", "value", "constant", "ratio");
    for (int i = 0; metrics && i < metrics->n; i++) {
        double value = gn_json_number(gn_json_find(&metrics->item[i], "value"), (double)NAN);
        double base = gn_json_number(gn_json_find(&metrics->item[i], "baseline"), (double)NAN);
        const char *unit = gn_json_text(gn_json_find(&metrics->item[i], "unit"), "");
        fprintf(to, "  %-18s %8.1f %-2s", metrics->key[i], value, unit);
        if (isfinite(base) && base > 0) fprintf(to, " %8.1f %-2s  %5.2f", base, unit, value / base);
        fputc('\n', to);
    }
    return GN_OK;
}

gn_status gn_runs_show(FILE *to, const char *run, gn_arena *a) {
    const char *folder, *name, *eval;
    row r;
    GN_TRY(gn_run_folder(a, run, &folder));
    GN_TRY(read_row(a, folder, "", folder, &r));
    fprintf(to, "run      %s\nstate    %s\nstep     %s\nbest     %s\nweights  %s\n", folder, r.state, r.step, r.best, r.weights);
    GN_TRY(print_file(a, to, folder, "shards.txt"));
    GN_TRY(print_file(a, to, folder, "build.txt"));
    GN_TAKE_TEXT(eval, a, "%s/eval", folder);
    struct dirent **file = NULL;
    int files = scandir(eval, &file, is_scores, alphasort);
    gn_status status = GN_OK;
    for (int i = 0; i < files && !status; i++) {
        name = gn_arena_text(a, "eval/%s", file[i]->d_name);
        status = name ? print_scores(a, to, folder, name) : GN_NO_MEMORY;
    }
    free_names(file, files);
    if (status) return gn_pass(status, __FILE__, __LINE__);
    return GN_OK;
}
