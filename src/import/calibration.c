/* calibration.c - lines of a key and numbers, seven a camera; millimetres become metres. */
#include "src/import/calibration.h"
#include "gnomon/config.h"
#include "gnomon/io.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 1 << 20, WIDEST = 1 << 15 };
#define FIRST "Skeletool Camera Calibration File"

typedef struct { const char *path; int line; } place;

static gn_status numbers(const place *at, const char *key, const char *text, int n, double *x) {
    for (int k = 0; k < n; k++) {
        char *end;
        x[k] = strtod(text, &end);
        if (end == text || !isfinite(x[k])) GN_FAIL(BAD_DATA, "%s:%d: %s: expected %d numbers, found '%s' after %d", at->path, at->line, key, n, gn_shown(text), k);
        text = end;
    }
    return GN_OK;
}

static gn_status read_line(const place *at, const char *key, const char *text, gn_calibration *c) {
    double x[16];
    if (!strcmp(key, "name")) {
        if (c->n == GN_CALIBRATED) GN_FAIL(BAD_DATA, "%s:%d: more than %d cameras", at->path, at->line, GN_CALIBRATED);
        GN_TRY(numbers(at, key, text, 1, x));
        c->camera[c->n++] = (gn_calibrated){ .number = x[0] >= 0 && x[0] < 1000 ? (int)x[0] : -1 };
        return GN_OK;
    }
    const int size = !strcmp(key, "size"), inside = !strcmp(key, "intrinsic"), outside = !strcmp(key, "extrinsic"), radial = !strcmp(key, "radial");
    if (!size && !inside && !outside && !radial) return GN_OK; /* sensor, animated */
    if (!c->n) GN_FAIL(BAD_DATA, "%s:%d: %s before the first camera's name", at->path, at->line, key);
    gn_calibrated *g = &c->camera[c->n - 1];
    GN_TRY(numbers(at, key, text, size ? 2 : radial ? 1 : 16, x));
    if (size && !(x[0] >= 1 && x[1] >= 1 && x[0] <= WIDEST && x[1] <= WIDEST)) GN_FAIL(BAD_DATA, "%s:%d: a picture of %g x %g pixels", at->path, at->line, x[0], x[1]);
    if (radial && x[0] != 0) GN_FAIL(BAD_DATA, "%s:%d: radial is %g; a bent picture is not expected here", at->path, at->line, x[0]);
    if (size) g->w = (int)x[0], g->h = (int)x[1];
    if (inside) g->lens = (gn_lens){ .f = { x[0], x[5] }, .c = { x[2], x[6] } };
    for (int k = 0; k < 12 && outside; k++) g->pose[k] = k % 4 == 3 ? x[k] / 1000 : x[k];
    return GN_OK;
}

gn_status gn_calibration_read(gn_arena *a, const char *path, gn_calibration *c) {
    void *bytes;
    size_t n;
    GN_TRY(gn_io_read(a, path, MOST, &bytes, &n));
    place at = { path, 1 };
    *c = (gn_calibration){ 0 };
    if (strncmp(bytes, FIRST, strlen(FIRST))) GN_FAIL(BAD_DATA, "%s:1: expected '%s', found '%s'", path, FIRST, gn_shown(bytes));
    for (char *line = bytes; line; at.line++) {
        char *next = strchr(line, '\n'), key[32] = "";
        int used = 0;
        if (next) *next++ = 0;
        if (at.line > 1 && sscanf(line, "%31s%n", key, &used) == 1) GN_TRY(read_line(&at, key, line + used, c));
        line = next;
    }
    for (int i = 0; i < c->n; i++)
        if (!(c->camera[i].w && c->camera[i].lens.f[0] > 0 && c->camera[i].lens.f[1] > 0))
            GN_FAIL(BAD_DATA, "%s: camera %d lacks size or intrinsic", path, c->camera[i].number);
    return GN_OK;
}

const gn_calibrated *gn_calibration_find(const gn_calibration *c, int number) {
    for (int i = 0; i < c->n; i++)
        if (c->camera[i].number == number) return &c->camera[i];
    return NULL;
}
