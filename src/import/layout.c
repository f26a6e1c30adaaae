/* layout.c - files of a set by the names their owners gave them. */
#include "src/import/layout.h"
#include "gnomon/io.h"
#include <ctype.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum { FILES = 1 << 16 };

static const char *name_of(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* Whether a word begins so: "val2017", "coco_val", not "interval". */
static int says(const char *name, const char *word) {
    for (const char *at = name; (at = strstr(at, word)); at++)
        if (at == name || !isalpha((unsigned char)at[-1])) return 1;
    return 0;
}

/* What a name, its first n bytes, says: 0 train, 1 valid, -1 nothing. */
static int split_of(const char *name, size_t n) {
    char copy[256];
    snprintf(copy, sizeof copy, "%.*s", (int)n, name);
    if (says(copy, "train")) return 0;
    return says(copy, "val") || says(copy, "test") ? 1 : -1;
}

int gn_layout_valid(const char *path) {
    const char *name = name_of(path), *folder = name > path ? name - 1 : path;
    int split = split_of(name, strlen(name));
    while (folder > path && folder[-1] != '/') folder--;
    if (split < 0 && name > path) split = split_of(folder, (size_t)(name - 1 - folder));
    return split == 1;
}

/* Whether the list has the training part of a file of training and validation. */
static int part_there(const char *path, const char *const *all, int n) {
    const char *both = strstr(name_of(path), "trainval");
    if (!both) return 0;
    const size_t head = (size_t)(both - path) + strlen("train");
    for (int i = 0; i < n; i++)
        if (!strncmp(all[i], path, head) && !strcmp(all[i] + head, both + strlen("trainval"))) return 1;
    return 0;
}

gn_status gn_layout_files(gn_arena *a, const gn_import *from, const char *begins, const char *ends, int *n, const char ***path) {
    const char *itself, **all, **kept;
    int listed, fit = 0;
    GN_TRY(gn_source_file(a, from, ".", &itself));
    if (itself == from->source) {
        GN_TAKE(*path, a, 1);
        (*path)[0] = from->source;
        *n = 1;
        return GN_OK;
    }
    GN_TRY(gn_source_list(a, from->source, ends, FILES, &listed, &all));
    for (int i = 0; i < listed; i++)
        if (!strncmp(name_of(all[i]), begins, strlen(begins))) all[fit++] = all[i];
    if (!fit) GN_FAIL(MISSING, "%s: no %s*%s there", from->source, begins, ends);
    GN_TAKE(kept, a, fit);
    *n = 0;
    for (int i = 0; i < fit; i++)
        if (!part_there(all[i], all, fit)) kept[(*n)++] = all[i];
    *path = kept;
    return GN_OK;
}

gn_status gn_layout_open(gn_arena *a, const gn_import *from, const char *annotations, const char *const *folders, gn_layout *l) {
    char whole[PATH_MAX];
    *l = (gn_layout){ .any = from->keep != GN_KEEP_NONE };
    if (!realpath(from->pictures ? from->pictures : annotations, whole))
        GN_FAIL(MISSING, "%s: no such folder of pictures", from->pictures ? from->pictures : annotations);
    const size_t n = from->pictures ? strlen(whole) : (size_t)(strrchr(whole, '/') - whole);
    whole[n] = 0;
    for (l->bases = 0; l->bases < (from->pictures ? 1 : GN_LAYOUT_BASES); l->bases++) {
        GN_TAKE_TEXT(l->in[l->bases], a, "%s", whole);
        char *slash = strrchr(whole, '/');
        if (slash) *slash = 0;
    }
    for (; folders[l->folders] && l->folders < GN_LAYOUT_FOLDERS; l->folders++) l->below[l->folders] = folders[l->folders];
    return GN_OK;
}

static int there(const gn_layout *l, int base, int folder, const char *name, char path[512]) {
    return snprintf(path, 512, "%s/%s%s", l->in[base], l->below[folder], name) < 512 && gn_io_exists(path);
}

int gn_layout_picture(gn_layout *l, const char *name, char path[512]) {
    path[0] = 0;
    if (!l->any) return 1;
    if (there(l, l->base, l->folder, name, path)) return 1;
    for (int b = 0; b < l->bases; b++)
        for (int k = 0; k < l->folders; k++)
            if (there(l, b, k, name, path)) {
                l->base = b, l->folder = k;
                return 1;
            }
    there(l, 0, 0, name, path);
    return 0;
}
