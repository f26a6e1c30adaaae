/* run_folder.c - where runs live: RUNS/<experiment>/20261121-010203-7f3a; names sort by time. */
#include "gnomon/hash.h"
#include "gnomon/io.h"
#include "gnomon/json.h"
#include "gnomon/train.h"
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

gn_status gn_run_new(gn_arena *a, const gn_experiment *e, const char *runs, const char **folder) {
    char at[32];
    unsigned short draw;
    struct tm t;
    const time_t now = time(NULL);
    gmtime_r(&now, &t);
    strftime(at, sizeof at, "%Y%m%d-%H%M%S", &t);
    do {
        if (getentropy(&draw, sizeof draw)) draw = (unsigned short)(1e6 * gn_seconds());
        GN_TAKE_TEXT(*folder, a, "%s/%s/%s-%04x", runs, e->name, at, draw);
    } while (gn_io_exists(*folder));
    return gn_io_folder(*folder);
}

static int newest_first(const struct dirent **x, const struct dirent **y) { return strcmp((*y)->d_name, (*x)->d_name); }
static int shown(const struct dirent *d) { return d->d_name[0] != '.'; }

/* The newest of RUNS/<each>/ that is wanted. */
typedef int wanted(const char *folder, const char *id, const void *what);
static gn_status find(gn_arena *a, const char *runs, wanted *want, const void *what, const char **folder) {
    struct dirent **name = NULL, **id = NULL;
    const char *newest = "", *path;
    *folder = NULL;
    int names = scandir(runs, &name, shown, newest_first);
    for (int i = 0; i < names; i++) {
        path = gn_arena_text(a, "%s/%s", runs, name[i]->d_name);
        int ids = path ? scandir(path, &id, shown, newest_first) : 0, found = 0;
        for (int k = 0; k < ids; k++) {
            const char *run = gn_arena_text(a, "%s/%s", path, id[k]->d_name);
            if (run && !found && strcmp(id[k]->d_name, newest) > 0 && want(run, id[k]->d_name, what)) {
                *folder = run;
                newest = strrchr(run, '/') + 1;
                found = 1;
            }
            free(id[k]);
        }
        if (ids >= 0) free(id);
        free(name[i]);
    }
    if (names >= 0) free(name);
    return GN_OK;
}

static int holds_run(const char *folder) {
    char path[4096];
    snprintf(path, sizeof path, "%s/experiment.yaml", folder);
    return gn_io_exists(path);
}

static int named(const char *folder, const char *id, const void *what) {
    return (!strcmp(what, "latest") || !strcmp(what, id)) && holds_run(folder);
}

static int unfinished(const char *folder, const char *id, const void *what) {
    (void)id;
    char path[4096], hash[20];
    snprintf(path, sizeof path, "%s/status.json", folder);
    snprintf(hash, sizeof hash, "%016llx", (unsigned long long)*(const uint64_t *)what);
    gn_arena *a = gn_arena_new("status");
    void *text;
    size_t n;
    const gn_json *j;
    int yes = gn_io_read(a, path, 1 << 16, &text, &n) == GN_OK && gn_json_parse(a, path, text, n, &j) == GN_OK
              && !strcmp(gn_json_text(gn_json_find(j, "experiment"), ""), hash)
              && strcmp(gn_json_text(gn_json_find(j, "state"), ""), "done");
    gn_trail_clear();
    gn_arena_free(a);
    return yes;
}

gn_status gn_run_unfinished(gn_arena *a, const gn_experiment *e, const char *runs, const char **folder) {
    const uint64_t hash = gn_experiment_hash(e);
    return find(a, runs, unfinished, &hash, folder);
}

gn_status gn_run_folder(gn_arena *a, const char *run, const char **folder) {
    if (holds_run(run)) {
        GN_TAKE_TEXT(*folder, a, "%s", run);
        return GN_OK;
    }
    GN_TRY(find(a, "runs", named, run, folder));
    if (!*folder) GN_FAIL(MISSING, "%s: no run: neither a folder with an experiment.yaml, nor an id below runs/", run);
    return GN_OK;
}

gn_status gn_run_experiment(gn_arena *a, const char *folder, gn_experiment *e) {
    const char *path;
    GN_TAKE_TEXT(path, a, "%s/experiment.yaml", folder);
    return gn_experiment_read(a, path, 0, NULL, e);
}

gn_status gn_run_checkpoint(gn_arena *a, const char *what, const char **folder) {
    const char *path;
    GN_TAKE_TEXT(path, a, "%s/MANIFEST", what);
    if (gn_io_exists(path)) {
        GN_TAKE_TEXT(*folder, a, "%s", what);
        return gn_checkpoint_verify(what);
    }
    GN_TRY(gn_run_folder(a, what, &path));
    return gn_checkpoint_best(a, path, folder);
}
