/* sink.c - what an importer says, sample by sample: checked, straightened, spooled. */
#include "src/import/sink.h"
#include "src/import/confine.h"
#include "gnomon/io.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SHOWN = 5, NOTES = 16 << 10, WIDEST = 1 << 15 };
static const double margin = 1.25; /* of a crop about a box */

static void close_spool(void *what) { close(((gn_spool *)what)->fd); }

gn_status gn_spool_open(gn_arena *a, const char *folder, gn_spool *s) {
    char path[PATH_MAX];
    s->fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (s->fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == ENOENT || errno == EINVAL) &&
        snprintf(path, sizeof path, "%s/spool.XXXXXX", folder) < (int)sizeof path) { /* NFS, overlays: it has a name for a moment */
        s->fd = mkostemp(path, O_CLOEXEC);
        if (s->fd >= 0) unlink(path);
    }
    if (s->fd < 0) GN_FAIL(NO_CREATE, "%s: no temporary file there: %s", folder, strerror(errno));
    return gn_arena_at_end(a, close_spool, s);
}

gn_status gn_spool_put(const gn_spool *s, const char *folder, const void *bytes, size_t n, int64_t at) {
    for (const char *from = bytes; n;) {
        const ssize_t done = pwrite(s->fd, from, n, at);
        if (done < 0 && errno == EINTR) continue;
        if (done < 0) GN_FAIL(IO, "%s: cannot be written: %s", folder, strerror(errno));
        from += done, n -= (size_t)done, at += done;
    }
    return GN_OK;
}

gn_status gn_sink_open(gn_arena *a, FILE *to, const gn_import *from, const gn_importer *importer, gn_sink **sink) {
    gn_sink *s;
    GN_TAKE(s, a, 1);
    GN_TAKE(s->notes, a, NOTES);
    GN_TRY(gn_fit_new(a, importer->skeleton, &s->fit));
    s->arena = a;
    s->to = to;
    s->from = from;
    s->importer = importer;
    s->all = ~UINT32_C(0);
    GN_TRY(gn_io_folder(from->out));
    for (int k = 0; k < 2; k++) GN_TRY(gn_spool_open(a, from->out, &s->spool[k]));
    *sink = s;
    return GN_OK;
}

void gn_sink_pass_over(gn_sink *s, const char *fmt, ...) {
    char why[400];
    va_list args;
    if (s->passed++ >= SHOWN) return;
    va_start(args, fmt);
    vsnprintf(why, sizeof why, fmt, args);
    va_end(args);
    gn_one_line(why);
    fprintf(s->to, "  passed over: %s\n", why);
}

gn_status gn_sink_note(gn_sink *s, const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    const int n = vsnprintf(s->notes + s->noted, NOTES - s->noted, fmt, args);
    va_end(args);
    if (n < 0 || (size_t)n + 3 > NOTES - s->noted) GN_FAIL(INTERNAL, "import: more notes than a provenance holds");
    gn_one_line(s->notes + s->noted);
    fprintf(s->to, "  %s\n", s->notes + s->noted);
    s->noted += (size_t)n;
    memcpy(s->notes + s->noted, "; ", 3);
    s->noted += 2;
    return GN_OK;
}

static gn_status spool(const gn_sink *s, gn_spool *to, const void *bytes, size_t n) {
    GN_TRY(gn_spool_put(to, s->from->out, bytes, n, to->bytes));
    to->bytes += (int64_t)n;
    return GN_OK;
}

/* --- what is no number is not known --- */

static int sound(const double *x, int n) {
    int all = 1;
    for (int k = 0; k < n; k++) all &= isfinite(x[k]) && fabs(x[k]) < 1e7;
    return all;
}

/* Joints that are not labelled are 0, so that nobody takes them for a place. */
static void settle(gn_sink *s, double *x, int wide, uint8_t *labelled, int known) {
    if (*labelled && known && sound(x, wide)) return;
    s->unsound += *labelled && known;
    *labelled = 0;
    for (int k = 0; k < wide; k++) x[k] = 0;
}

static void settle_joints(gn_sink *s, gn_import_sample *x) {
    for (int j = 0; j < GN_JOINTS; j++) {
        const int there = j < s->importer->skeleton->joints;
        settle(s, x->joints2d[j], 2, &x->labelled2d[j], there && x->has & GN_HAS_joints2d);
        settle(s, x->joints3d[j], 3, &x->labelled3d[j], there && x->has & GN_HAS_joints3d);
        if (!(x->has & GN_HAS_confidence2d)) x->confidence2d[j] = 1; /* beside samples that have it, it is the truth */
        if (!x->labelled2d[j] || !isfinite(x->confidence2d[j])) x->confidence2d[j] = 0;
        if (!x->labelled2d[j]) x->occluded2d[j] = 0;
    }
    if (x->has & GN_HAS_joints2d) x->has |= GN_HAS_labelled2d;
    if (x->has & GN_HAS_joints3d) x->has |= GN_HAS_labelled3d;
}

static gn_status check_numbers(const gn_import_sample *x) {
    const gn_lens *l = &x->lens;
    if (x->has & GN_HAS_camera && !(sound(l->f, 2) && sound(l->c, 2) && sound(l->k, 3) && sound(l->p, 2) && l->f[0] > 0 && l->f[1] > 0))
        GN_FAIL(BAD_DATA, "%s frame %lld: camera with focal lengths %g, %g, centre %g, %g, distortion %g %g %g, %g %g", x->take,
                (long long)x->frame, l->f[0], l->f[1], l->c[0], l->c[1], l->k[0], l->k[1], l->k[2], l->p[0], l->p[1]);
    if (x->has & GN_HAS_head_size && !(x->head_size > 0 && sound(&x->head_size, 1)))
        GN_FAIL(BAD_DATA, "%s frame %lld: a head of %g pixels", x->take, (long long)x->frame, x->head_size);
    if (!(x->has & GN_HAS_pose_of_view)) return GN_OK;
    const double *r = x->pose_of_view;
    double off = 0;
    if (!sound(r, 12)) GN_FAIL(BAD_DATA, "%s frame %lld: the camera's pose holds what is no number", x->take, (long long)x->frame);
    for (int i = 0; i < 3; i++)
        for (int k = 0; k < 3; k++)
            off = fmax(off, fabs(r[4 * i] * r[4 * k] + r[4 * i + 1] * r[4 * k + 1] + r[4 * i + 2] * r[4 * k + 2] - (i == k)));
    const double turn = r[0] * (r[5] * r[10] - r[6] * r[9]) - r[1] * (r[4] * r[10] - r[6] * r[8]) + r[2] * (r[4] * r[9] - r[5] * r[8]);
    if (!(off < 1e-2)) GN_FAIL(BAD_DATA, "%s: the camera's rotation is none: its rows are off unit length and right angles by %g", x->take, off);
    if (!(turn > 0)) GN_FAIL(BAD_DATA, "%s: the camera's rotation mirrors", x->take);
    return GN_OK;
}

/* --- the crop --- */

static void box_of_joints(const gn_import_sample *x, double box[4]) {
    double least[2] = { INFINITY, INFINITY }, most[2] = { -INFINITY, -INFINITY };
    for (int j = 0; j < GN_JOINTS; j++)
        for (int k = 0; k < 2 && x->labelled2d[j]; k++) {
            least[k] = fmin(least[k], x->joints2d[j][k]);
            most[k] = fmax(most[k], x->joints2d[j][k]);
        }
    for (int k = 0; k < 2; k++) box[k] = least[k], box[2 + k] = most[k] - least[k];
}

static void square_of(gn_import_sample *x) {
    double middle[2];
    if (x->square[2] > 0) return;
    if (!(x->box[2] > 0)) box_of_joints(x, x->box);
    for (int k = 0; k < 2; k++) middle[k] = x->box[k] + x->box[2 + k] / 2;
    if (x->has & GN_HAS_camera) gn_lens_straighten(&x->lens, middle, middle);
    x->square[0] = middle[0], x->square[1] = middle[1];
    x->square[2] = margin * fmax(x->box[2], x->box[3]);
}

/* The picture's path; 0: not there. */
static int find_picture(const gn_sink *s, gn_import_sample *x) {
    char whole[sizeof x->picture];
    if (x->picture[0] == '/') return gn_io_exists(x->picture);
    const char *folder = s->from->pictures ? s->from->pictures : s->from->source;
    if (snprintf(whole, sizeof whole, "%s/%s", folder, x->picture) >= (int)sizeof whole) return 0;
    memcpy(x->picture, whole, sizeof whole);
    return gn_io_exists(whole);
}

static gn_status settle_picture(gn_sink *s, gn_import_sample *x, int *skip) {
    *skip = 0;
    if (s->from->keep == GN_KEEP_NONE) x->picture[0] = 0, x->depth = NULL;
    if (x->picture[0] && !find_picture(s, x)) {
        if (!s->from->skip_missing)
            GN_FAIL(MISSING, "%s: no such picture (%s); --pictures DIR says where they are, --keep none imports labels alone, --skip-missing what is there",
                    x->picture, x->take);
        s->missing++;
        *skip = 1;
        return GN_OK;
    }
    const int shown = x->picture[0] || x->depth;
    if (!shown && (x->w < 1 || x->h < 1 || x->w > WIDEST || x->h > WIDEST))
        GN_FAIL(BAD_DATA, "%s frame %lld: a picture of %d x %d pixels", x->take, (long long)x->frame, x->w, x->h);
    if (shown) square_of(x);
    if (shown && !(sound(x->square, 3) && x->square[2] >= 1)) {
        gn_sink_pass_over(s, "%s frame %lld: no box and no joints to crop about", x->take, (long long)x->frame);
        *skip = 1;
    }
    s->pictured += !*skip && x->picture[0];
    s->ranged += !*skip && x->depth;
    return GN_OK;
}

/* Far outside of the picture a lens' polynomial cannot be undone: such a joint's place is not known. */
static void straighten(gn_sink *s, gn_import_sample *x) {
    for (int j = 0; j < GN_JOINTS && x->has & GN_HAS_camera; j++) {
        double straight[2], again[2];
        if (!x->labelled2d[j]) continue;
        gn_lens_straighten(&x->lens, x->joints2d[j], straight);
        gn_lens_bend(&x->lens, straight, again);
        const int undone = hypot(again[0] - x->joints2d[j][0], again[1] - x->joints2d[j][1]) < 0.1;
        if (undone) memcpy(x->joints2d[j], straight, sizeof straight);
        s->beyond += !undone;
        settle(s, x->joints2d[j], 2, &x->labelled2d[j], undone);
        if (!x->labelled2d[j]) x->confidence2d[j] = 0, x->occluded2d[j] = 0;
    }
}

/* Depth is cropped at once: the importer's memory is its own again. */
static gn_status spool_depth(gn_sink *s, gn_spooled *r) {
    gn_import_sample *x = &r->x;
    const int size = s->from->size;
    if (!s->depth) GN_TAKE(s->depth, s->arena, (size_t)size * (size_t)size);
    gn_crop_depth(x->depth, x->w, x->h, x->has & GN_HAS_camera ? &x->lens : NULL, x->square, size, s->depth);
    r->ranged = 1;
    r->blob = s->spool[1].bytes;
    x->depth = NULL;
    return spool(s, &s->spool[1], s->depth, sizeof *s->depth * (size_t)size * (size_t)size);
}

gn_status gn_sink_put(gn_sink *s, const gn_import_sample *given) {
    gn_spooled r = { .x = *given };
    gn_import_sample *x = &r.x;
    int skip, labels = 0;
    x->take[sizeof x->take - 1] = x->picture[sizeof x->picture - 1] = 0;
    settle_joints(s, x);
    for (int j = 0; j < GN_JOINTS; j++) labels += x->labelled2d[j] | x->labelled3d[j];
    if (!labels) {
        gn_sink_pass_over(s, "%s frame %lld: no joint is labelled", x->take, (long long)x->frame);
        return GN_OK;
    }
    GN_TRY(check_numbers(x));
    GN_TRY(settle_picture(s, x, &skip));
    if (skip) return GN_OK;
    gn_fit_add(s->fit, x);
    straighten(s, x);
    if (x->depth) GN_TRY(spool_depth(s, &r));
    s->any |= x->has;
    s->all &= x->has;
    s->n[x->valid != 0]++;
    return spool(s, &s->spool[0], &r, sizeof r);
}
