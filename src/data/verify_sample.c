/* verify_sample.c - a sample by itself: its hashes, its numbers, whether its picture decodes and its parts fit together. */
#include "src/data/verify.h"
#include <math.h>
#include <stdlib.h>

enum { WIDEST = 1 << 15, PIXELS = 1 << 28 };
static const double far = 2;      /* picture sides that a labelled point may lie outside */
static const double apart = 0.05; /* picture sides between a joint and its projection: lenses bend that much */
static const double steep = 4;    /* tangent of the angle off the axis at which a picture's middle may be seen */
static const double deep = 0.5;   /* metres between joints and what a depth map reads there, the median */
static const double occluder = 1.5; /* metres before a joint at which something may stand */
static const double surest = 1.2; /* confidence: detectors exceed 1 by a little */

static int labelled(const uint8_t *flags, int j) { return !flags || flags[j] == 1; }

static void check_numbers(gn_check *c, int64_t i) {
    for (int p = 0; p < gn_shard_fields(c->shard); p++) {
        const gn_shard_field *f = gn_shard_field_at(c->shard, p);
        if (gn_shard_verify(c->shard, p, i)) gn_check_found(c, GN_FAULT_HASH, i, f->name, NULL);
        if (f->kind != 'f' || f->element != 4) continue;
        const float *x = gn_shard_at(c->shard, p, i);
        const size_t n = gn_shard_bytes(c->shard, p) / sizeof *x;
        size_t k = 0;
        while (k < n && isfinite(x[k])) k++;
        if (k < n) gn_check_found(c, GN_FAULT_NOT_FINITE, i, f->name, NULL);
    }
}

static void check_flags(gn_check *c, int64_t i) {
    static const int flags[] = { GN_PLACE_labelled2d, GN_PLACE_occluded2d, GN_PLACE_labelled3d };
    const float *sure = gn_check_at(c, c->place[GN_PLACE_confidence2d], i), *head = gn_check_at(c, c->place[GN_PLACE_head_size], i);
    for (int k = 0; k < 3; k++) {
        const uint8_t *x = gn_check_at(c, c->place[flags[k]], i);
        for (int j = 0; x && j < c->skeleton->joints; j++)
            if (x[j] > 1) {
                gn_check_found(c, GN_FAULT_FLAG, i, gn_field_name(flags[k]), NULL);
                break;
            }
    }
    for (int j = 0; sure && j < c->skeleton->joints; j++)
        if (!(sure[j] >= 0 && sure[j] <= surest)) {
            gn_check_found(c, GN_FAULT_POINT, i, "confidence2d", "%s has %g", c->skeleton->joint[j], (double)sure[j]);
            break;
        }
    if (head && !(*head > 0)) gn_check_found(c, GN_FAULT_SIZE, i, "head_size", "%g pixels", (double)*head);
}

/* --- pictures --- */

static gn_status check_picture(gn_check *c, gn_arena *a, int64_t i, int *sized) {
    int w, h;
    gn_check_size(c, i, &w, &h);
    *sized = w >= 1 && h >= 1 && w <= WIDEST && h <= WIDEST;
    if (!*sized) gn_check_found(c, GN_FAULT_SIZE, i, "size", "%d x %d pixels", w, h);
    if (!*sized || c->jpeg < 0) return GN_OK;
    const uint32_t bytes = *(const uint32_t *)gn_check_at(c, c->jpeg_bytes, i);
    if (bytes > gn_shard_bytes(c->shard, c->jpeg) || (int64_t)w * h > PIXELS) {
        gn_check_found(c, GN_FAULT_PICTURE, i, "jpeg", "%u bytes of %zu, %d x %d pixels", bytes, gn_shard_bytes(c->shard, c->jpeg), w, h);
        return GN_OK;
    }
    if (c->room < (int64_t)w * h) {
        c->room = (int64_t)w * h;
        GN_TAKE(c->rgb, a, 3 * c->room);
    }
    if (gn_decoder_run(c->decoder, gn_check_at(c, c->jpeg, i), bytes, w, h, c->rgb)) gn_check_found(c, GN_FAULT_PICTURE, i, "jpeg", "%s", gn_reason());
    gn_trail_clear();
    return GN_OK;
}

static int ascending(const void *x, const void *y) {
    const double a = *(const double *)x, b = *(const double *)y;
    return (a > b) - (a < b);
}

/* A joint lies within the body whose surface is read, near behind it. Where nobody says which are hidden, it may lie
 * farther behind. */
static void check_depth_map(gn_check *c, int64_t i) {
    const uint16_t *mm = gn_check_at(c, c->depth_map, i);
    const float *uv = gn_check_at(c, c->place[GN_PLACE_joints2d], i), *xyz = gn_check_at(c, c->place[GN_PLACE_joints3d], i);
    const uint8_t *in2d = gn_check_at(c, c->place[GN_PLACE_labelled2d], i), *in3d = gn_check_at(c, c->place[GN_PLACE_labelled3d], i);
    const uint8_t *hidden = gn_check_at(c, c->place[GN_PLACE_occluded2d], i);
    double off[GN_JOINTS];
    int n = 0;
    if (!mm || !uv || !xyz) return;
    const gn_shard_field *f = gn_shard_field_at(c->shard, c->depth_map);
    for (int j = 0; j < c->skeleton->joints; j++) {
        if (!labelled(in2d, j) || !labelled(in3d, j) || (hidden && hidden[j])) continue;
        const double u = rint((double)uv[2 * j]), v = rint((double)uv[2 * j + 1]);
        if (!(u >= 0 && v >= 0 && u < (double)f->d[1] && v < (double)f->d[0])) continue;
        const int read = mm[(int64_t)v * f->d[1] + (int64_t)u];
        const double behind = (double)xyz[3 * j + 2] - 1e-3 * read;
        if (read) off[n++] = behind > 0 && !hidden ? fmax(0, behind - occluder) : fabs(behind);
    }
    if (n < 4) return;
    qsort(off, (size_t)n, sizeof *off, ascending);
    if (!(off[n / 2] <= deep)) gn_check_found(c, GN_FAULT_DEPTH_MAP, i, "depth_map", "joints lie %.2f m off what it reads, the median of %d", off[n / 2], n);
}

/* --- points --- */

/* Focal lengths alike, and the picture's middle seen ahead. */
static int camera_sound(const float *k, int w, int h) {
    return k[0] > 0 && k[1] > 0 && fabs(k[0] / k[1] - 1) < 0.5 && fabs(k[2] - w / 2.0) < steep * k[0] && fabs(k[3] - h / 2.0) < steep * k[1];
}

static void check_view(gn_check *c, int64_t i) {
    const float *r = gn_check_at(c, c->place[GN_PLACE_pose_of_view], i);
    double off = 0;
    if (!r) return;
    for (int p = 0; p < 3; p++)
        for (int q = 0; q < 3; q++) {
            double dot = -(p == q);
            for (int k = 0; k < 3; k++) dot += (double)r[4 * p + k] * (double)r[4 * q + k];
            off = fmax(off, fabs(dot));
        }
    if (!(off < 1e-2)) gn_check_found(c, GN_FAULT_CAMERA, i, "pose_of_view", "rows off unit length and right angles by %.3g", off);
}

static void check_pose(gn_check *c, int64_t i) {
    const float *uv = gn_check_at(c, c->place[GN_PLACE_joints2d], i), *xyz = gn_check_at(c, c->place[GN_PLACE_joints3d], i);
    const float *k = gn_check_at(c, c->place[GN_PLACE_camera], i);
    const uint8_t *in2d = gn_check_at(c, c->place[GN_PLACE_labelled2d], i), *in3d = gn_check_at(c, c->place[GN_PLACE_labelled3d], i);
    int w, h, outside = -1, impossible = -1, off = -1;
    double most = 0;
    gn_check_size(c, i, &w, &h);
    const double side = w > h ? w : h;
    const int camera = k && camera_sound(k, w, h);
    if (k && !camera)
        gn_check_found(c, GN_FAULT_CAMERA, i, "camera", "f %g %g, centre %g %g of %d x %d pixels", (double)k[0], (double)k[1], (double)k[2], (double)k[3], w, h);
    for (int j = 0; j < c->skeleton->joints; j++) {
        const float *u = uv && labelled(in2d, j) ? uv + 2 * j : NULL, *x = xyz && labelled(in3d, j) ? xyz + 3 * j : NULL;
        if (u && !(u[0] >= -far * side && u[0] <= (1 + far) * side && u[1] >= -far * side && u[1] <= (1 + far) * side)) outside = j;
        if (x && !(x[2] > 0 && fabs(x[0]) < 100 && fabs(x[1]) < 100 && x[2] < 100)) impossible = j;
        if (!u || !x || !camera || !(x[2] > 0)) continue;
        const double distance = hypot(k[0] * x[0] / x[2] + k[2] - u[0], k[1] * x[1] / x[2] + k[3] - u[1]);
        if (!(distance <= apart * side)) off = j, most = distance;
    }
    if (outside >= 0)
        gn_check_found(c, GN_FAULT_POINT, i, "joints2d", "%s at (%g, %g) of %d x %d pixels", c->skeleton->joint[outside], (double)uv[2 * outside], (double)uv[2 * outside + 1], w, h);
    if (impossible >= 0)
        gn_check_found(c, GN_FAULT_POSE, i, "joints3d", "%s at (%g, %g, %g) m", c->skeleton->joint[impossible], (double)xyz[3 * impossible],
                       (double)xyz[3 * impossible + 1], (double)xyz[3 * impossible + 2]);
    if (off >= 0) gn_check_found(c, GN_FAULT_PROJECTION, i, "joints2d", "%s lies %.1f pixels from where joints3d puts it", c->skeleton->joint[off], most);
}

gn_status gn_check_sample(gn_check *c, gn_arena *a, int64_t i) {
    int sized;
    check_numbers(c, i);
    check_flags(c, i);
    GN_TRY(check_picture(c, a, i, &sized));
    check_view(c, i);
    if (sized) check_pose(c, i);
    if (sized) check_depth_map(c, i);
    return GN_OK;
}
