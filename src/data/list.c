/* list.c - which sets and shards are here, what they hold, and which losses they can feed. */
#include "gnomon/config.h"
#include "gnomon/dataset.h"
#include "gnomon/import.h"
#include "gnomon/io.h"
#include "gnomon/loss.h"
#include <string.h>

enum { ACROSS = 100, SHARDS = 1 << 12 };

static void list_losses(FILE *to, uint32_t has) {
    fprintf(to, "  %-8s", "feeds");
    for (int k = 0; gn_losses[k]; k++)
        if (!(gn_losses[k]->needs & ~has)) fprintf(to, " %s", gn_losses[k]->name);
    fputc('\n', to);
}

static void list_fields(FILE *to, const gn_shard *s) {
    for (int f = 0, at = ACROSS; f < gn_shard_fields(s); f++) {
        const gn_shard_field *field = gn_shard_field_at(s, f);
        char one[96];
        int n = snprintf(one, sizeof one, "%s", field->name);
        for (int k = 0; k < field->rank && n < 60; k++)
            n += snprintf(one + n, sizeof one - (size_t)n, "%s%lld%s", k ? "x" : "[", (long long)field->d[k], k + 1 < field->rank ? "" : "]");
        if (at + 1 + n > ACROSS) at = fprintf(to, "%s  %-8s", f ? "\n" : "", "") - !!f;
        at += fprintf(to, " %s", one);
    }
    fputc('\n', to);
}

/* --- a declared set --- */

static gn_status list_part(FILE *to, const char *root, const char *part, const char *file, gn_arena *a) {
    const char *path;
    gn_shard *s;
    GN_TAKE_TEXT(path, a, "%s/%s", root, file);
    if (!gn_io_exists(path)) {
        fprintf(to, "  %-8s not here: %s\n", part, path);
        return GN_OK;
    }
    if (gn_shard_open(a, path, &s)) {
        fprintf(to, "  %-8s %s\n", part, gn_reason());
        gn_trail_clear();
        return GN_OK;
    }
    fprintf(to, "  %-8s %s: %lld samples, hash %016llx\n", part, path, (long long)gn_shard_samples(s), (unsigned long long)gn_shard_hash(s));
    list_fields(to, s);
    return GN_OK;
}

static gn_status list_set(FILE *to, const char *root, const gn_dataset *d, gn_arena *a) {
    fprintf(to, "%s: %s\n", d->name, d->about);
    GN_TRY(list_part(to, root, "train", d->train, a));
    GN_TRY(list_part(to, root, "valid", d->valid, a));
    fprintf(to, "  %-8s %s\n", "learns", gn_fields_text(d->has));
    if (d->holds & ~d->has) fprintf(to, "  %-8s %s\n", "judges", gn_fields_text(d->holds & ~d->has));
    list_losses(to, d->has);
    fprintf(to, "  %-8s %s\n  %-8s %s\n", "skeleton", d->skeleton->name, "licence", d->licence);
    return GN_OK;
}

/* --- a shard, whose provenance says whose it is --- */

static uint32_t labels_of(const gn_shard *s) {
    uint32_t has = 0;
    for (int f = 0; f < GN_FIELD_COUNT; f++)
        if (gn_shard_find(s, gn_field_name(f), NULL)) has |= UINT32_C(1) << f;
    if (has & GN_HAS_joints2d && has & GN_HAS_joints3d && gn_shard_skeleton(s)->root >= 0) has |= GN_HAS_depth; /* made by the loader */
    return has;
}

/* "format: coco; from: whose and under which licence; ...": in lines of some width. */
static void list_provenance(FILE *to, const char *text) {
    int at = ACROSS;
    fprintf(to, "  %-8s", "from");
    for (const char *word = text + strspn(text, " "), *first = word; *word; word += strspn(word, " ")) {
        const int n = (int)strcspn(word, " ");
        if (word == first) at = 10;
        else if (at + 1 + n > ACROSS) at = fprintf(to, "\n  %-8s", "") - 1;
        fputc(' ', to);
        for (int k = 0; k < n; k++) fputc((unsigned char)word[k] < ' ' || word[k] == 127 ? '?' : word[k], to);
        at += 1 + n;
        word += n;
    }
    fputc('\n', to);
}

static gn_status list_shard(FILE *to, const char *path, gn_arena *a) {
    gn_shard *s;
    const gn_status status = gn_shard_open(a, path, &s);
    if (status == GN_MISSING) return gn_pass(status, __FILE__, __LINE__);
    if (status) {
        fprintf(to, "%s\n", gn_reason());
        gn_trail_clear();
        return GN_OK;
    }
    const uint32_t has = labels_of(s);
    fprintf(to, "%s: %lld samples, hash %016llx\n", path, (long long)gn_shard_samples(s), (unsigned long long)gn_shard_hash(s));
    list_fields(to, s);
    fprintf(to, "  %-8s %s\n", "holds", gn_fields_text(has));
    list_losses(to, has);
    fprintf(to, "  %-8s %s\n", "skeleton", gn_shard_skeleton(s)->name);
    list_provenance(to, gn_shard_provenance(s));
    return GN_OK;
}

static int is_declared(const char *root, const char *path) {
    const size_t n = strlen(root);
    if (strncmp(path, root, n) || path[n] != '/') return 0;
    for (int i = 0; gn_datasets[i]; i++)
        if (!strcmp(path + n + 1, gn_datasets[i]->train) || !strcmp(path + n + 1, gn_datasets[i]->valid)) return 1;
    return 0;
}

static gn_status list_folder(FILE *to, const char *folder, const char *root, gn_arena *a) {
    const char **path;
    int n, others = 0;
    GN_TRY(gn_source_list(a, folder, ".h5", SHARDS, &n, &path));
    for (int i = 0; i < n; i++) {
        if (root && is_declared(root, path[i])) continue;
        GN_TRY(list_shard(to, path[i], a));
        others++;
    }
    if (!root && !others) GN_FAIL(MISSING, "%s: no .h5 there", folder);
    return GN_OK;
}

gn_status gn_data_list(FILE *to, const char *root, gn_arena *a) {
    for (int i = 0; gn_datasets[i]; i++) GN_TRY(list_set(to, root, gn_datasets[i], a));
    return gn_io_exists(root) ? list_folder(to, root, root, a) : GN_OK;
}

gn_status gn_data_list_one(FILE *to, const char *root, const char *what, gn_arena *a) {
    const gn_dataset *d = gn_dataset_find(what);
    const size_t n = strlen(what);
    if (d) return list_set(to, root, d, a);
    if (n > 3 && !strcmp(what + n - 3, ".h5")) return list_shard(to, what, a);
    if (!gn_io_exists(what)) GN_FAIL(MISSING, "%s: neither a set, nor a shard, nor a folder of shards", gn_shown(what));
    return list_folder(to, what, NULL, a);
}
