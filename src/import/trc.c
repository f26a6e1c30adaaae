/* trc.c - TRC: a table of markers, as OpenSim and Pose2Sim write it. Tabs between cells.
 *
 * Line 2 names the values of line 3 (NumFrames, NumMarkers, Units ...), line 4 the markers, every third column from the
 * third on, line 5 the columns; then a line a frame: number, time, x y z of each marker. A blank cell or NaN is absent.
 * Y points up and no camera is published: the world, turned until y points down and moved forward, is the camera's frame. */
#include "src/import/trc.h"
#include "gnomon/config.h"
#include "gnomon/import.h"
#include "gnomon/io.h"
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 1 << 28, MARKERS = 512, CELL = 64, FILES = 1 << 16 };
static const double ahead = 2; /* metres from the camera to the nearest joint of a take */

typedef struct { const char *path, *at; int line; } reader;

/* The next cell of this line, without the blanks about it; 0: the line has no more. */
static int cell(reader *r, char to[CELL]) {
    if (!*r->at || *r->at == '\n') return 0;
    size_t n = strcspn(r->at, "\t\n"), from = 0, end = n;
    while (from < end && isspace((unsigned char)r->at[from])) from++;
    while (end > from && isspace((unsigned char)r->at[end - 1])) end--;
    const size_t keep = end - from < CELL - 1 ? end - from : CELL - 1;
    memcpy(to, r->at + from, keep);
    to[keep] = 0;
    r->at += n + (r->at[n] == '\t');
    return 1;
}

static void next_line(reader *r) {
    r->at += strcspn(r->at, "\n");
    if (*r->at) r->at++, r->line++;
}

static gn_status number(const reader *r, const char *what, const char *text, double *x) {
    char *end;
    *x = strtod(text, &end);
    if (!*text) *x = NAN;
    if (*end) GN_FAIL(BAD_DATA, "%s:%d: %s: expected a number, found '%s'", r->path, r->line, gn_shown(what), gn_shown(text));
    return GN_OK;
}

/* Line 2's words and line 3's values go in step. */
static gn_status header(reader *r, double *frames, double *markers, double *unit) {
    static const struct { const char *name; double metres; } units[] = { { "m", 1 }, { "mm", 1e-3 }, { "cm", 1e-2 }, { "in", 0.0254 }, { NULL, 0 } };
    reader names = *r, values = *r;
    char name[CELL], value[CELL];
    *frames = *markers = *unit = NAN;
    next_line(&values);
    while (cell(&names, name) && cell(&values, value)) {
        if (!strcmp(name, "NumFrames")) GN_TRY(number(&values, name, value, frames));
        if (!strcmp(name, "NumMarkers")) GN_TRY(number(&values, name, value, markers));
        if (strcmp(name, "Units")) continue;
        for (int k = 0; units[k].name; k++)
            if (!strcmp(value, units[k].name)) *unit = units[k].metres;
        if (isnan(*unit)) GN_FAIL(BAD_DATA, "%s:%d: Units: expected m, cm, mm or in, found '%s'", r->path, values.line, gn_shown(value));
    }
    if (!(*frames >= 1 && *frames <= MOST / 8)) GN_FAIL(BAD_DATA, "%s:%d: NumFrames: expected 1 or more, found %g", r->path, values.line, *frames);
    if (!(*markers >= 1 && *markers <= MARKERS)) GN_FAIL(BAD_DATA, "%s:%d: NumMarkers: expected 1 to %d, found %g", r->path, values.line, MARKERS, *markers);
    if (isnan(*unit)) GN_FAIL(BAD_DATA, "%s:%d: no Units", r->path, values.line);
    next_line(&values);
    *r = values;
    return GN_OK;
}

/* "RBigToe", "r_big_toe" and "right big toe" are one name. */
static int joint_of(const char *marker) {
    char plain[2][CELL];
    for (int j = -1; j < gn_body25b.joints; j++) {
        const char *from = j < 0 ? marker : gn_body25b.joint[j];
        char *to = plain[j >= 0];
        for (; *from; from++)
            if (isalnum((unsigned char)*from)) *to++ = (char)tolower((unsigned char)*from);
        *to = 0;
        if (j >= 0 && !strcmp(plain[0], plain[1])) return j;
    }
    if (!strcmp(plain[0], "neck")) return gn_joint_find(&gn_body25b, "upper_neck"); /* BODY_25B's */
    if (!strcmp(plain[0], "head")) return gn_joint_find(&gn_body25b, "head_top");
    return -1;
}

static gn_status name_markers(gn_arena *a, reader *r, gn_trc *t) {
    char text[CELL];
    int column = 0, named = 0;
    uint8_t taken[GN_JOINTS] = { 0 };
    for (; cell(r, text); column++) {
        if (column < 2 || (column - 2) % 3) continue;
        if (!*text) continue; /* trailing tabs */
        if (named == t->markers) GN_FAIL(BAD_DATA, "%s:%d: more markers than NumMarkers, %d", r->path, r->line, t->markers);
        t->joint[named] = joint_of(text);
        if (t->joint[named] >= 0 && taken[t->joint[named]]++) GN_FAIL(BAD_DATA, "%s:%d: marker '%s' is there twice", r->path, r->line, gn_shown(text));
        GN_TAKE_TEXT(t->name[named], a, "%s", text);
        named++;
    }
    if (named < t->markers) GN_FAIL(BAD_DATA, "%s:%d: NumMarkers is %d, found %d names", r->path, r->line, t->markers, named);
    next_line(r);
    return GN_OK;
}

static gn_status read_frame(reader *r, gn_trc *t, double unit) {
    char text[CELL];
    double x;
    cell(r, text); /* the line is not blank */
    GN_TRY(number(r, "Frame#", text, &x));
    if (!(fabs(x) < 1e15)) GN_FAIL(BAD_DATA, "%s:%d: Frame#: expected a number, found '%s'", r->path, r->line, gn_shown(text));
    t->frame[t->frames] = (int64_t)x;
    if (!cell(r, text)) GN_FAIL(BAD_DATA, "%s:%d: the line ends after the frame's number", r->path, r->line);
    for (int k = 0; k < 3 * t->markers; k++) {
        const int last = k == 3 * t->markers - 1; /* no tab follows it */
        if (!cell(r, text)) {
            if (!last) GN_FAIL(BAD_DATA, "%s:%d: expected %d columns, found %d", r->path, r->line, 2 + 3 * t->markers, 2 + k);
            *text = 0;
        }
        GN_TRY(number(r, t->name[k / 3], text, &x));
        t->at[t->frames * 3 * t->markers + k] = x * unit;
    }
    while (cell(r, text))
        if (*text) GN_FAIL(BAD_DATA, "%s:%d: more than %d columns", r->path, r->line, 2 + 3 * t->markers);
    t->frames++;
    return GN_OK;
}

static int blank(const reader *r) { return r->at[strspn(r->at, " \t\r")] == '\n' || !r->at[strspn(r->at, " \t\r")]; }

gn_status gn_trc_read(gn_arena *a, const char *path, gn_trc *t) {
    void *bytes;
    size_t n;
    double frames, markers, unit;
    GN_TRY(gn_io_read(a, path, MOST, &bytes, &n));
    reader r = { path, bytes, 1 };
    if (strncmp(r.at, "PathFileType", 12)) GN_FAIL(BAD_DATA, "%s:1: expected 'PathFileType', found '%.*s'", path, 12, gn_shown(n ? r.at : ""));
    next_line(&r);
    GN_TRY(header(&r, &frames, &markers, &unit));
    if (frames * markers * 3 > (double)n) GN_FAIL(BAD_DATA, "%s: %g frames of %g markers are more than %zu bytes hold", path, frames, markers, n);
    memset(t, 0, sizeof *t);
    t->markers = (int)markers;
    GN_TAKE(t->name, a, t->markers);
    GN_TAKE(t->joint, a, t->markers);
    GN_TAKE(t->frame, a, (int64_t)frames);
    GN_TAKE(t->at, a, (int64_t)frames * t->markers * 3);
    GN_TRY(name_markers(a, &r, t));
    next_line(&r); /* X1 Y1 Z1 ... */
    for (; *r.at; next_line(&r)) {
        if (blank(&r)) continue;
        if (t->frames == (int64_t)frames) GN_FAIL(BAD_DATA, "%s:%d: more frames than NumFrames, %g", path, r.line, frames);
        GN_TRY(read_frame(&r, t, unit));
    }
    if (t->frames < (int64_t)frames) GN_FAIL(BAD_DATA, "%s: NumFrames is %g, found %lld", path, frames, (long long)t->frames);
    return GN_OK;
}

/* --- the importer --- */

static gn_status put_take(const gn_trc *t, const char *path, const gn_import *from, gn_sink *to) {
    const char *name = strrchr(path, '/');
    double nearest = INFINITY;
    for (int64_t k = 0; k < t->frames * t->markers; k++)
        if (t->joint[k % t->markers] >= 0) nearest = fmin(nearest, -t->at[3 * k + 2]); /* fmin passes NaN over */
    for (int64_t f = 0; f < t->frames; f++) {
        gn_import_sample x = { .frame = t->frame[f], .group = -1, .w = 1, .h = 1, .has = GN_HAS_joints3d };
        if (f % from->every) continue;
        snprintf(x.take, sizeof x.take, "%s", name ? name + 1 : path);
        for (int m = 0; m < t->markers; m++) {
            const double *p = t->at + (f * t->markers + m) * 3;
            const int j = t->joint[m];
            if (j < 0 || isnan(p[0] + p[1] + p[2])) continue;
            x.joints3d[j][0] = p[0], x.joints3d[j][1] = -p[1], x.joints3d[j][2] = ahead - nearest - p[2];
            x.labelled3d[j] = 1;
        }
        GN_TRY(gn_sink_put(to, &x));
    }
    return GN_OK;
}

static gn_status run(gn_arena *a, const gn_import *from, gn_sink *to) {
    const char *const *path = &from->source, **listed;
    int n = 1, strange = 0;
    const size_t e = strlen(from->source);
    if (e < 4 || strcmp(from->source + e - 4, ".trc")) {
        GN_TRY(gn_source_list(a, from->source, ".trc", FILES, &n, &listed));
        path = listed;
    }
    if (!n) GN_FAIL(MISSING, "%s: no .trc there", from->source);
    for (int i = 0; i < n; i++) {
        gn_trc t;
        GN_TRY(gn_trc_read(a, path[i], &t));
        for (int m = 0; m < t.markers; m++) strange += t.joint[m] < 0;
        GN_TRY(put_take(&t, path[i], from, to));
    }
    if (strange) GN_TRY(gn_sink_note(to, "%d markers have names of no joint of %s", strange, gn_body25b.name));
    return gn_sink_note(to, "no camera: the world turned until y points down, %g m before it", ahead);
}

const gn_importer gn_import_trc = {
    .name = "trc",
    .takes = "a .trc of markers, or a folder of them",
    .about = "markers of a TRC file; the recording's owner says the licence",
    .skeleton = &gn_body25b,
    .run = run,
};
