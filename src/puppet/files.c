/* files.c - what a user's folder holds: takes to move by, photographs to stand before. */
#include "src/puppet/world.h"
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { MOST_FILES = 20000, DEEPEST = 6 };

static int ends_in(const char *name, const char *const *endings) {
    size_t n = strlen(name);
    for (; *endings; endings++)
        if (n > strlen(*endings) && !strcmp(name + n - strlen(*endings), *endings)) return 1;
    return 0;
}

static gn_status collect(gn_arena *a, const char *folder, const char *const *endings, int depth, files *l) {
    DIR *d = opendir(folder);
    if (!d) GN_FAIL(MISSING, "'%s': no such folder", folder);
    gn_status status = GN_OK;
    for (struct dirent *e; !status && (e = readdir(d));) {
        struct stat st;
        if (e->d_name[0] == '.') continue;
        const char *path = gn_arena_text(a, "%s/%s", folder, e->d_name);
        if (!path) status = gn_fail(GN_NO_MEMORY, __FILE__, __LINE__, "out of memory: names of files");
        else if (stat(path, &st)) continue;
        else if (S_ISDIR(st.st_mode) && depth < DEEPEST) status = collect(a, path, endings, depth + 1, l);
        else if (S_ISREG(st.st_mode) && ends_in(e->d_name, endings)) {
            if (l->n == MOST_FILES)
                status =
                    gn_fail(GN_BAD_DATA, __FILE__, __LINE__, "'%s': more than %d files", folder, MOST_FILES);
            else l->path[l->n++] = path;
        }
    }
    closedir(d);
    return status;
}

static int by_name(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

gn_status gn_files_below(gn_arena *a, const char *folder, const char *const *endings, files *l) {
    *l = (files){ 0 };
    GN_TAKE(l->path, a, MOST_FILES);
    GN_TRY(collect(a, folder, endings, 0, l));
    if (!l->n) GN_FAIL(MISSING, "'%s': no %s file in it", folder, endings[0]);
    qsort(l->path, (size_t)l->n, sizeof *l->path, by_name);
    return GN_OK;
}

enum { PHOTO_SIDE = 400 }; /* pixels of the shorter side, at least: more is never seen */

/* Halved until it is small: a photograph of 12 megapixels must not fill memory. */
static gn_status shrink(gn_arena *a, const gn_image *in, gn_image *out) {
    int by = (in->w < in->h ? in->w : in->h) / PHOTO_SIDE;
    if (by < 1) by = 1;
    GN_TRY(gn_image_new(a, in->w / by, in->h / by, out));
    for (int y = 0; y < out->h; y++)
        for (int x = 0; x < out->w; x++)
            for (int c = 0; c < 3; c++) {
                int sum = 0;
                for (int k = 0; k < by * by; k++)
                    sum +=
                        in->rgb[3 * ((size_t)(y * by + k / by) * (size_t)in->w + (size_t)(x * by + k % by)) +
                                (size_t)c];
                out->rgb[3 * ((size_t)y * (size_t)out->w + (size_t)x) + (size_t)c] =
                    (uint8_t)(sum / (by * by));
            }
    return GN_OK;
}

/* Every fifth photograph is for validation; fewer than five serve both. */
gn_status gn_photos_open(gn_arena *a, const char *folder, int valid, int *n, gn_image **photo) {
    static const char *const endings[] = { ".jpg", ".jpeg", ".png", NULL };
    files l;
    GN_TRY_AS(gn_files_below(a, folder, endings, &l), "backgrounds");
    GN_TAKE(*photo, a, l.n);
    *n = 0;
    for (int k = 0; k < l.n; k++) {
        if (l.n >= 5 && (k % 5 == 0) != valid) continue;
        gn_arena *own = gn_arena_new("photograph");
        if (!own) GN_FAIL(NO_MEMORY, "out of memory: %s", l.path[k]);
        gn_image whole;
        gn_status status = gn_image_read(own, l.path[k], &whole);
        if (!status) status = shrink(a, &whole, &(*photo)[(*n)++]);
        gn_arena_free(own);
        GN_TRY(status);
    }
    return GN_OK;
}
