/* import.c - a source, confined and turned into shards. */
#include "src/import/confine.h"
#include "src/import/sink.h"
#include "gnomon/config.h"
#include "gnomon/io.h"
#include <errno.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>

static const char *const part[] = { "train", "valid" };
typedef struct { FILE *to; const gn_import *from; const gn_importer *importer; } job;
typedef struct { const char *path; int64_t samples; ino_t file; } old; /* a shard that lay there before; samples 0: none */

static gn_status read_and_write(const job *j, gn_arena *a) {
    gn_sink *s;
    GN_TRY(gn_sink_open(a, j->to, j->from, j->importer, &s));
    GN_TRY(j->importer->run(a, j->from, s));
    return gn_sink_finish(s);
}

static gn_status work(void *what) {
    const job *j = what;
    gn_arena *a = gn_arena_new("import");
    if (!a) GN_FAIL(NO_MEMORY, "out of memory: an import");
    const gn_status status = read_and_write(j, a);
    gn_arena_free(a);
    if (fflush(j->to) && !status) GN_FAIL(IO, "%s is written, but standard output is not: %s", j->from->out, strerror(errno));
    return status ? gn_pass(status, __FILE__, __LINE__) : GN_OK;
}

/* A child that was killed leaves its unfinished shards. */
static void clean(void *what, int child) {
    const job *j = what;
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

/* --- shards that lie there already --- */

/* A set may come split by split, so one of the same format may stay or be replaced; any other is not this set's, and
 * would be taken for it. Known before hours of reading. */
static gn_status look_at_old(const job *j, gn_arena *a, int k, old *o) {
    const char *begin, *says;
    gn_shard *s;
    struct stat st;
    GN_TAKE_TEXT(o->path, a, "%s/%s.h5", j->from->out, part[k]);
    if (stat(o->path, &st)) return GN_OK;
    o->file = st.st_ino;
    if (gn_shard_open(a, o->path, &s)) {
        GN_TAKE_TEXT(says, a, "%s", gn_reason());
        GN_FAIL(NO_CREATE, "%s; it is in the way: remove it, or give another --out", says);
    }
    o->samples = gn_shard_samples(s);
    GN_TAKE_TEXT(begin, a, "format: %s", j->from->format);
    says = gn_shard_provenance(s);
    if (!strncmp(says, begin, strlen(begin)) && says[strlen(begin)] == ';') return GN_OK;
    GN_TAKE_TEXT(says, a, "%.*s", (int)strcspn(says, ";"), says);
    GN_FAIL(NO_CREATE, "%s is another's: expected '%s', found '%s': remove it, or give another --out", o->path, begin, gn_shown(says));
}

/* What the child says it wrote is read before it is believed. */
static gn_status look_at_new(const job *j, gn_arena *a, const old *o) {
    gn_shard *s;
    struct stat st;
    if (stat(o->path, &st)) return GN_OK;
    GN_TRY(gn_shard_open(a, o->path, &s));
    if (o->samples && st.st_ino == o->file) fprintf(j->to, "  %s: kept from an import before, %lld samples\n", o->path, (long long)o->samples);
    else if (o->samples) fprintf(j->to, "  %s: replaced, it had %lld samples\n", o->path, (long long)o->samples);
    return GN_OK;
}

gn_status gn_import_run(FILE *to, const gn_import *from, gn_arena *a) {
    old there[2] = { 0 };
    job j = { to, from, NULL };
    GN_TRY(find(from->format, &j.importer));
    if (!gn_io_exists(from->source)) GN_FAIL(MISSING, "%s: no such file or folder; %s takes %s", from->source, from->format, j.importer->takes);
    fprintf(to, "%s: %s from %s\n", from->out, from->format, from->source);
    for (int k = 0; k < 2; k++) GN_TRY(look_at_old(&j, a, k, &there[k]));
    const gn_limits l = { from->seconds, from->memory };
    GN_TRY(gn_confined(from->source, l, work, clean, &j));
    for (int k = 0; k < 2; k++) GN_TRY(look_at_new(&j, a, &there[k]));
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

enum { TOO_MANY = 1, NO_ROOM, UNREAD };
static struct { gn_arena *arena; const char *ending, **path, *at; int n, most; } found; /* nftw takes no more */

static int look(const char *path, const struct stat *st, int kind, struct FTW *where) {
    (void)st, (void)where;
    const size_t n = strlen(path), e = strlen(found.ending);
    const int wanted = n >= e && !strcmp(path + n - e, found.ending);
    if (kind == FTW_DNR || (wanted && (kind == FTW_SLN || kind == FTW_NS))) {
        found.at = gn_arena_text(found.arena, "%s", path);
        return found.at ? UNREAD : NO_ROOM;
    }
    if (kind != FTW_F || !wanted) return 0;
    if (found.n == found.most) return TOO_MANY;
    found.path[found.n] = gn_arena_text(found.arena, "%s", path);
    return found.path[found.n++] ? 0 : NO_ROOM;
}

static int by_name(const void *x, const void *y) { return strcmp(*(const char *const *)x, *(const char *const *)y); }

gn_status gn_source_list(gn_arena *a, const char *folder, const char *ending, int most, int *n, const char ***path) {
    GN_TAKE(found.path, a, most);
    found.arena = a;
    found.ending = ending;
    found.n = 0;
    found.most = most;
    const int ended = nftw(folder, look, 16, 0); /* links are followed: sets lie on other disks */
    if (ended == TOO_MANY) GN_FAIL(BAD_DATA, "%s: more than %d files that end in %s", folder, most, ending);
    if (ended == NO_ROOM) GN_FAIL(NO_MEMORY, "out of memory: the files of %s", folder);
    if (ended == UNREAD) GN_FAIL(MISSING, "%s: is there, but cannot be read, or links to nothing", found.at);
    if (ended) GN_FAIL(MISSING, "%s: cannot be walked: %s", folder, strerror(errno));
    qsort(found.path, (size_t)found.n, sizeof *found.path, by_name);
    *n = found.n;
    *path = found.path;
    return GN_OK;
}
