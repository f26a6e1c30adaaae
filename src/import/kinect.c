/* kinect.c - Kinect v2 body tracking as CSV: a line a frame, no header.
 *
 * A time stamp of 100 ns, then 25 joints of x, y, z in metres and a state (0 not tracked, 1 inferred, 2 tracked), and a
 * last comma. Axes: x to the sensor's left, y up, z away from it. An inferred joint is the sensor's guess, so it is not a
 * label. No camera is published. */
#include "gnomon/config.h"
#include "gnomon/import.h"
#include "gnomon/io.h"
#include "src/import/layout.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { JOINTS = 25, TRACKED = 2, MOST = 1 << 28 };
enum { WIDE = 512, HIGH = 424 }; /* of the depth picture */

typedef struct { const char *path, *at; int line; } reader;

static gn_status number(reader *r, const char *what, double *x) {
    char *end;
    *x = strtod(r->at, &end);
    if (end == r->at || *end != ',' || isnan(*x))
        GN_FAIL(BAD_DATA, "%s:%d: %s: expected a number and a comma, found '%s'", r->path, r->line, what, gn_shown(r->at));
    r->at = end + 1;
    return GN_OK;
}

static gn_status read_line(reader *r, gn_import_sample *x) {
    double time, v[4];
    GN_TRY(number(r, "time stamp", &time));
    for (int j = 0; j < JOINTS; j++) {
        for (int k = 0; k < 4; k++) GN_TRY(number(r, "joint", &v[k]));
        if (v[3] != 0 && v[3] != 1 && v[3] != 2) GN_FAIL(BAD_DATA, "%s:%d: joint %d has state %g, expected 0, 1 or 2", r->path, r->line, j, v[3]);
        x->joints3d[j][0] = -v[0], x->joints3d[j][1] = -v[1], x->joints3d[j][2] = v[2];
        x->labelled3d[j] = v[3] == TRACKED && v[2] > 0; /* who stands too near is tracked behind the sensor */
    }
    r->at += strspn(r->at, " \t\r");
    if (*r->at && *r->at != '\n') GN_FAIL(BAD_DATA, "%s:%d: more than %d fields", r->path, r->line, 1 + 4 * JOINTS);
    r->at += *r->at == '\n';
    return GN_OK;
}

static gn_status read_take(gn_arena *a, const gn_import *from, const char *path, gn_sink *to) {
    void *bytes;
    size_t n;
    GN_TRY(gn_io_read(a, path, MOST, &bytes, &n));
    reader r = { path, bytes, 1 };
    const char *name = strrchr(path, '/');
    for (int64_t frame = 0; *r.at; frame++, r.line++) {
        gn_import_sample x = { .frame = frame, .group = -1, .w = WIDE, .h = HIGH, .has = GN_HAS_joints3d };
        GN_TRY(read_line(&r, &x));
        snprintf(x.take, sizeof x.take, "%s", name ? name + 1 : path);
        if (frame % from->every == 0) GN_TRY(gn_sink_put(to, &x));
    }
    if (r.at != (const char *)bytes + n) GN_FAIL(BAD_DATA, "%s:%d: a byte 0 in the text", r.path, r.line);
    return GN_OK;
}

static gn_status run(gn_arena *a, const gn_import *from, gn_sink *to) {
    const char **path;
    int n;
    gn_arena *take = gn_arena_new("a take");
    if (!take) GN_FAIL(NO_MEMORY, "out of memory: a take");
    GN_TRY(gn_layout_files(a, from, "", ".csv", &n, &path));
    for (int i = 0; i < n; i++) {
        gn_arena_rewind(take);
        GN_TRY(read_take(take, from, path[i], to));
    }
    gn_arena_free(take);
    return GN_OK;
}

const gn_importer gn_import_kinect = {
    .name = "kinect",
    .takes = "a .csv of Kinect v2 bodies, or a folder of them",
    .about = "Kinect v2 body tracking; the recording's owner says the licence",
    .skeleton = &gn_kinect25,
    .run = run,
};
