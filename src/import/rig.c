/* rig.c - a camera out of TOML, and out of Qualisys' XML.
 *
 * Qualisys: position in millimetres, the rotation's rows are the camera's axes with y up and z backward, intrinsics in 1/64
 * pixel, lens in OpenCV's terms. Pose2Sim's TOML made from it has the lens, too, divided by 64, so it hardly bends. Each file is
 * read as it stands. */
#include "src/import/rig.h"
#include "gnomon/config.h"
#include "gnomon/io.h"
#include "src/import/toml.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 4 << 20, WIDEST = 1 << 15 };

static void rodrigues(const double w[3], double pose[12]) {
    const double t = sqrt(w[0] * w[0] + w[1] * w[1] + w[2] * w[2]), s = t > 1e-12 ? sin(t) / t : 1, c = t > 1e-12 ? (1 - cos(t)) / (t * t) : 0.5;
    for (int i = 0; i < 3; i++) {
        const int m = (i + 1) % 3, q = (i + 2) % 3;
        for (int k = 0; k < 3; k++) pose[4 * i + k] = c * w[i] * w[k] + (i == k ? cos(t) : 0);
        pose[4 * i + m] -= s * w[q];
        pose[4 * i + q] += s * w[m];
    }
}

/* --- TOML --- */

static gn_status numbers(const gn_json *table, const char *key, int n, double *x) {
    const gn_json *list = gn_json_find(table, key);
    if (!list) GN_FAIL(BAD_DATA, "no '%s'", key);
    if (!gn_json_numbers(list, n, x)) GN_FAIL(BAD_DATA, "%s: expected %d numbers", key, n);
    return GN_OK;
}

static gn_status from_matrix(const gn_json *matrix, gn_lens *l) {
    double row[3];
    if (!matrix || matrix->kind != GN_JSON_LIST || matrix->n != 3) GN_FAIL(BAD_DATA, "matrix: expected 3 rows");
    for (int i = 0; i < 2; i++) {
        if (!gn_json_numbers(&matrix->item[i], 3, row)) GN_FAIL(BAD_DATA, "matrix: row %d: expected 3 numbers", i);
        l->f[i] = row[i], l->c[i] = row[2];
        if (!(row[i] > 0) || !(fabs(row[1 - i]) < 1e-6)) GN_FAIL(BAD_DATA, "matrix: row %d: expected a focal length and no skew", i);
    }
    return GN_OK;
}

static gn_status from_table(const gn_json *t, gn_rig *r) {
    gn_view *v = &r->view[r->n];
    double size[2], d[5] = { 0 }, turn[3], move[3];
    const gn_json *lens = gn_json_find(t, "distortions"), *fish = gn_json_find(t, "fisheye");
    GN_TRY(numbers(t, "size", 2, size));
    GN_TRY(numbers(t, "rotation", 3, turn));
    GN_TRY(numbers(t, "translation", 3, move));
    GN_TRY(from_matrix(gn_json_find(t, "matrix"), &v->lens));
    if (!lens || lens->n < 4 || lens->n > 5 || !gn_json_numbers(lens, lens->n, d)) GN_FAIL(BAD_DATA, "distortions: expected 4 or 5 numbers");
    if (fish && fish->number != 0) GN_FAIL(BAD_DATA, "fisheye: such a lens is not known");
    if (!(size[0] >= 1 && size[0] <= WIDEST && size[1] >= 1 && size[1] <= WIDEST)) GN_FAIL(BAD_DATA, "size: %g x %g pixels", size[0], size[1]);
    v->lens.k[0] = d[0], v->lens.k[1] = d[1], v->lens.k[2] = d[4], v->lens.p[0] = d[2], v->lens.p[1] = d[3];
    rodrigues(turn, v->pose);
    for (int i = 0; i < 3; i++) v->pose[4 * i + 3] = move[i];
    r->camera[r->n].w = (int)size[0], r->camera[r->n].h = (int)size[1];
    return GN_OK;
}

static gn_status from_toml(gn_arena *a, const char *path, const char *text, gn_rig *r) {
    const gn_json *tree;
    GN_TRY(gn_toml_parse(a, path, text, &tree));
    for (int i = 0; i < tree->n; i++) {
        const gn_json *t = &tree->item[i];
        if (t->kind != GN_JSON_MAP || !strcmp(tree->key[i], "metadata")) continue;
        if (r->n == GN_VIEWS) GN_FAIL(BAD_DATA, "%s: more than %d cameras", path, GN_VIEWS);
        snprintf(r->camera[r->n].name, sizeof r->camera[0].name, "%s", gn_json_text(gn_json_find(t, "name"), tree->key[i]));
        GN_TRY_AS(from_table(t, r), "%s: [%s]", path, gn_shown(tree->key[i]));
        r->n++;
    }
    return GN_OK;
}

/* --- Qualisys' XML: one element after another; an element is its attributes --- */

typedef struct { const char *path, *at, *end; int line; char name[32]; } element;

/* The next one; its attributes lie from `at` to `end`. 0: no more. */
static int next(element *e) {
    for (; *e->at; e->at++) {
        e->line += *e->at == '\n';
        if (*e->at != '<') continue;
        const size_t n = strspn(e->at + 1, "abcdefghijklmnopqrstuvwxyz_");
        snprintf(e->name, sizeof e->name, "%.*s", (int)(n < 31 ? n : 31), e->at + 1);
        e->end = e->at + strcspn(e->at, ">");
        e->at++;
        return 1;
    }
    return 0;
}

static gn_status attribute(const element *e, const char *name, char to[64]) {
    const size_t n = strlen(name);
    for (const char *p = e->at; p + n + 2 < e->end; p++) {
        if (!strchr(" \n\t", p[-1]) || strncmp(p, name, n) || p[n] != '=' || !strchr("\"'", p[n + 1])) continue;
        const char *from = p + n + 2;
        const size_t wide = strcspn(from, "\"'");
        if (wide >= 64 || from + wide > e->end) break;
        memcpy(to, from, wide);
        to[wide] = 0;
        return GN_OK;
    }
    GN_FAIL(BAD_DATA, "%s:%d: <%s>: no attribute '%s'", e->path, e->line, e->name, name);
}

static gn_status measure(const element *e, const char *name, double *x) {
    char text[64], *stop;
    GN_TRY(attribute(e, name, text));
    *x = strtod(text, &stop);
    if (stop == text || *stop || !isfinite(*x)) GN_FAIL(BAD_DATA, "%s:%d: %s: expected a number, found '%s'", e->path, e->line, name, gn_shown(text));
    return GN_OK;
}

static gn_status from_transform(const element *e, double pose[12]) {
    double at[3];
    for (int k = 0; k < 3; k++) {
        const char name[2] = { "xyz"[k], 0 };
        GN_TRY(measure(e, name, &at[k]));
    }
    for (int i = 0; i < 3; i++) {
        double *row = pose + 4 * i;
        for (int k = 0; k < 3; k++) {
            const char name[4] = { 'r', (char)('1' + i), (char)('1' + k), 0 };
            GN_TRY(measure(e, name, &row[k]));
            if (i) row[k] = -row[k];
        }
        row[3] = -(row[0] * at[0] + row[1] * at[1] + row[2] * at[2]) / 1000;
    }
    return GN_OK;
}

static gn_status from_intrinsic(const element *e, gn_lens *l) {
    static const char *const name[] = { "focalLengthU", "focalLengthV", "centerPointU", "centerPointV", "radialDistortion1", "radialDistortion2",
                                        "radialDistortion3", "tangentalDistortion1", "tangentalDistortion2" };
    double x[9];
    for (int i = 0; i < 9; i++) GN_TRY(measure(e, name[i], &x[i]));
    for (int k = 0; k < 2; k++) l->f[k] = x[k] / 64, l->c[k] = x[2 + k] / 64, l->p[k] = x[7 + k];
    for (int k = 0; k < 3; k++) l->k[k] = x[4 + k];
    if (!(x[0] > 0 && x[1] > 0)) GN_FAIL(BAD_DATA, "%s:%d: focal lengths %g and %g", e->path, e->line, l->f[0], l->f[1]);
    return GN_OK;
}

static gn_status from_size(const element *e, int *w, int *h) {
    static const char *const name[] = { "left", "right", "top", "bottom" };
    double x[4];
    for (int k = 0; k < 4; k++) GN_TRY(measure(e, name[k], &x[k]));
    if (!(x[1] >= x[0] && x[1] - x[0] < WIDEST && x[3] >= x[2] && x[3] - x[2] < WIDEST))
        GN_FAIL(BAD_DATA, "%s:%d: a picture from %g, %g to %g, %g", e->path, e->line, x[0], x[2], x[1], x[3]);
    *w = (int)(x[1] - x[0]) + 1, *h = (int)(x[3] - x[2]) + 1;
    return GN_OK;
}

static gn_status from_xml(const char *path, const char *text, gn_rig *r) {
    static const char *const part[] = { "fov_video", "transform", "intrinsic" };
    element e = { path, text, NULL, 1, "" };
    int parts = 7; /* of the last camera */
    while (next(&e)) {
        const int i = r->n - 1;
        if (!strcmp(e.name, "camera")) {
            if (parts != 7) GN_FAIL(BAD_DATA, "%s:%d: the camera before lacks its fov_video, transform or intrinsic", path, e.line);
            if (r->n == GN_VIEWS) GN_FAIL(BAD_DATA, "%s:%d: more than %d cameras", path, e.line, GN_VIEWS);
            GN_TRY(attribute(&e, "serial", r->camera[r->n++].name));
            parts = 0;
        } else if (i >= 0) {
            if (!strcmp(e.name, "fov_video")) GN_TRY(from_size(&e, &r->camera[i].w, &r->camera[i].h));
            if (!strcmp(e.name, "transform")) GN_TRY(from_transform(&e, r->view[i].pose));
            if (!strcmp(e.name, "intrinsic")) GN_TRY(from_intrinsic(&e, &r->view[i].lens));
            for (int k = 0; k < 3; k++) parts |= !strcmp(e.name, part[k]) << k;
        }
    }
    if (parts != 7) GN_FAIL(BAD_DATA, "%s:%d: the last camera lacks its fov_video, transform or intrinsic", path, e.line);
    return GN_OK;
}

gn_status gn_rig_read(gn_arena *a, const char *path, gn_rig *r) {
    void *bytes;
    size_t n;
    memset(r, 0, sizeof *r);
    GN_TRY(gn_io_read(a, path, MOST, &bytes, &n));
    if (memchr(bytes, 0, n)) GN_FAIL(BAD_DATA, "%s: a byte 0 in text", path);
    const size_t e = strlen(path);
    if (e > 5 && !strcmp(path + e - 5, ".toml")) GN_TRY(from_toml(a, path, bytes, r));
    else GN_TRY(from_xml(path, bytes, r));
    if (!r->n) GN_FAIL(BAD_DATA, "%s: holds no camera", path);
    return GN_OK;
}
