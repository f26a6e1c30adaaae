/* import.c - a source, confined and turned into shards. */
#include "src/import/confine.h"
#include "src/import/sink.h"
#include "gnomon/config.h"
#include "gnomon/io.h"
#include <ftw.h>
#include <stdlib.h>
#include <string.h>

typedef struct { FILE *to; const gn_import *from; const gn_importer *importer; } job;

static gn_status work(void *what) {
    const job *j = what;
    gn_sink *s;
    gn_arena *a = gn_arena_new("import");
    if (!a) GN_FAIL(NO_MEMORY, "out of memory: an import");
    GN_TRY(gn_sink_open(a, j->to, j->from, j->importer, &s));
    GN_TRY(j->importer->run(a, j->from, s));
    GN_TRY(gn_sink_finish(s));
    fflush(j->to);
    gn_arena_free(a);
    return GN_OK;
}

/* A child that was killed leaves its unfinished shards. */
static void clean(void *what, int child) {
    const job *j = what;
    static const char *const part[] = { "train", "valid" };
    for (int k = 0; k < 2; k++) {
        char path[4096];
        if (snprintf(path, sizeof path, "%s/%s.h5.%d.tmp", j->from->out, part[k], child) < (int)sizeof path) gn_io_remove(path);
    }
}

static gn_status find(const char *format, const gn_importer **importer) {
    const char *known[64];
    int n = 0;
    for (; gn_importers[n] && n < 64; n++) {
        known[n] = gn_importers[n]->name;
        if (!strcmp(known[n], format)) {
            *importer = gn_importers[n];
            return GN_OK;
        }
    }
    char all[600] = "";
    for (int i = 0; i < n; i++) snprintf(all + strlen(all), sizeof all - strlen(all), " %s", known[i]);
    const char *near = gn_nearest(format, n, known);
    if (near) GN_FAIL(BAD_USAGE, "no format is called '%s'; did you mean '%s'?", gn_shown(format), near);
    GN_FAIL(BAD_USAGE, "no format is called '%s'; there are%s", gn_shown(format), all);
}

gn_status gn_import_run(FILE *to, const gn_import *from, gn_arena *a) {
    job j = { to, from, NULL };
    GN_TRY(find(from->format, &j.importer));
    if (!gn_io_exists(from->source)) GN_FAIL(MISSING, "%s: no such file or folder; %s takes %s", from->source, from->format, j.importer->takes);
    fprintf(to, "%s: %s from %s\n", from->out, from->format, from->source);
    const gn_limits l = { from->seconds, from->memory };
    GN_TRY(gn_confined(from->source, l, work, clean, &j));
    for (int valid = 0; valid < 2; valid++) { /* what the child says it wrote is read before it is believed */
        gn_shard *s;
        const char *path;
        GN_TAKE_TEXT(path, a, "%s/%s.h5", from->out, valid ? "valid" : "train");
        if (gn_io_exists(path)) GN_TRY(gn_shard_open(a, path, &s));
    }
    return GN_OK;
}

/* --- files of a source --- */

static int is_folder(const char *path) {
    struct stat st;
    return !stat(path, &st) && S_ISDIR(st.st_mode);
}

gn_status gn_source_file(gn_arena *a, const gn_import *from, const char *name, const char **path) {
    *path = from->source;
    if (!is_folder(from->source)) return GN_OK;
    GN_TAKE_TEXT(*path, a, "%s/%s", from->source, name);
    if (!gn_io_exists(*path)) *path = NULL;
    return GN_OK;
}

static struct { gn_arena *arena; const char *ending; int n, most; const char **path; gn_status status; } found; /* nftw takes no more */

static int look(const char *path, const struct stat *st, int kind, struct FTW *where) {
    (void)st, (void)where;
    const size_t n = strlen(path), e = strlen(found.ending);
    if (kind != FTW_F || n < e || strcmp(path + n - e, found.ending)) return 0;
    if (found.n == found.most) return 1;
    found.path[found.n] = gn_arena_text(found.arena, "%s", path);
    return found.path[found.n++] ? 0 : 2;
}

static int by_name(const void *x, const void *y) { return strcmp(*(const char *const *)x, *(const char *const *)y); }

gn_status gn_source_list(gn_arena *a, const char *folder, const char *ending, int most, int *n, const char ***path) {
    GN_TAKE(found.path, a, most);
    found.arena = a;
    found.ending = ending;
    found.n = 0;
    found.most = most;
    const int ended = nftw(folder, look, 16, FTW_PHYS);
    if (ended == 1) GN_FAIL(BAD_DATA, "%s: more than %d files that end in %s", folder, most, ending);
    if (ended == 2) GN_FAIL(NO_MEMORY, "out of memory: the files of %s", folder);
    if (ended) GN_FAIL(MISSING, "%s: cannot be walked", folder);
    qsort(found.path, (size_t)found.n, sizeof *found.path, by_name);
    *n = found.n;
    *path = found.path;
    return GN_OK;
}
