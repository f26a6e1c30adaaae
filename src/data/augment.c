/* augment.c - one view of a sample: where its pixels go, and what its labels become on the way.
 *
 * A view is zoom, turn and mirror in the picture plane. Turning about any point of the picture is turning
 * the camera about its axis and moving the principal point, so 3D and 2D stay exact together where fx = fy;
 * else the projection is off by at most |fx - fy| |sin| r, r the distance from the axis at depth 1. */
#include "formula/random.h"
#include "gnomon/hash.h"
#include "src/image/warp.h"
#include "src/data/sample.h"
#include <string.h>

const gn_option gn_augment_options[] = {
    { "rotate", GN_KIND_NUMBER, offsetof(gn_augment, rotate), 0, 0, 180, 0, "degrees: normal of this deviation, clamped to twice it", 0, 0 },
    { "rotate_share", GN_KIND_NUMBER, offsetof(gn_augment, rotate_share), 1, 0, 1, 0, "probability that a sample is rotated", 0, 0 },
    { "scale", GN_KIND_NUMBER, offsetof(gn_augment, scale), 0, 0, 2, 0, "power of two: normal of this deviation, clamped to twice it", 0, 0 },
    { "shift", GN_KIND_NUMBER, offsetof(gn_augment, shift), 0, 0, 1, 0, "share of the side, uniform either way", 0, 0 },
    { "flip", GN_KIND_NUMBER, offsetof(gn_augment, flip), 0, 0, 1, 0, "probability of mirroring", 0, 0 },
    { "colour", GN_KIND_NUMBER, offsetof(gn_augment, colour), 0, 0, 1, 0, "each channel times uniform(1 - colour, 1 + colour)", 0, 0 },
    { "occlude", GN_KIND_NUMBER, offsetof(gn_augment, occlude), 0, 0, 1, 0, "probability that a box is painted over", 0, 0 },
    { "backdrop", GN_KIND_NUMBER, offsetof(gn_augment, backdrop), 0, 0, 1, 0,
      "probability that people are cut out by their `parts` and put before another sample's picture", 0, 0 },
    { "sets", GN_KIND_TEXTS, offsetof(gn_augment, sets), 0, 0, 0, "", "augmented: these data sets alone; none named: all", 0, 0 },
    { 0 },
};

/* --- the draw --- */

enum { ROTATED, ANGLE, SCALE, SHIFT_X, SHIFT_Y, FLIPPED, RED, OCCLUDED = RED + 3, BOX_X, BOX_Y, BOX_W, BOX_H, PAINT, PLACED = PAINT + 3, DONOR_SET, DONOR, DRAWS };

typedef struct { uint64_t seed, stream, sample; } source;
static double uniform(source s, int draw) { return gn_uniform(s.seed, s.stream, s.sample * DRAWS + (uint64_t)draw); }
static double normal(source s, int draw, double deviation) {
    double x = gn_normal(s.seed, s.stream, s.sample * DRAWS + (uint64_t)draw);
    return deviation * (x < -2 ? -2 : x > 2 ? 2 : x);
}

static void draw_box(source s, int side, gn_view *v) {
    double w = (0.1 + 0.3 * uniform(s, BOX_W)) * side, h = (0.1 + 0.3 * uniform(s, BOX_H)) * side;
    double x = uniform(s, BOX_X) * side - w / 2, y = uniform(s, BOX_Y) * side - h / 2;
    double corner[4] = { x, y, x + w, y + h };
    for (int k = 0; k < 4; k++) v->box[k] = corner[k] < 0 ? 0 : corner[k] > side ? side : (int)corner[k];
    for (int c = 0; c < 3; c++) v->paint[c] = (float)uniform(s, PAINT + c);
}

static void aim(gn_view *v, double angle, double dx, double dy) {
    double c = cos(angle), s = sin(angle), mirror = v->flip ? -1 : 1;
    double turn[4] = { mirror * c, -s, mirror * s, c };
    memcpy(v->turn, turn, sizeof turn);
    double from_x = (v->w - 1) / 2.0, from_y = (v->h - 1) / 2.0;
    double to_x = (v->side - 1) / 2.0 + dx, to_y = (v->side - 1) / 2.0 + dy;
    double z = v->zoom;
    double *m = v->to_input, *i = v->to_stored;
    for (int r = 0; r < 2; r++) {
        m[3 * r] = z * turn[2 * r];
        m[3 * r + 1] = z * turn[2 * r + 1];
        m[3 * r + 2] = (r ? to_y : to_x) - m[3 * r] * from_x - m[3 * r + 1] * from_y;
        i[3 * r] = turn[r] / z; /* the inverse of a turn is its transpose */
        i[3 * r + 1] = turn[2 + r] / z;
        i[3 * r + 2] = (r ? from_y : from_x) - i[3 * r] * to_x - i[3 * r + 1] * to_y;
    }
}

void gn_view_draw(const gn_augment *g, uint64_t seed, gn_turn t, int w, int h, int side, gn_view *v) {
    *v = (gn_view){ .w = w, .h = h, .side = side, .zoom = (double)side / (w > h ? w : h), .gain = { 1, 1, 1 } };
    if (!g) {
        aim(v, 0, 0, 0);
        return;
    }
    source s = { gn_hash_more(seed, "augment", 7), (uint64_t)t.epoch * GN_SETS + (uint64_t)t.set, (uint64_t)t.sample };
    double angle = uniform(s, ROTATED) < g->rotate_share ? normal(s, ANGLE, g->rotate) * (GN_PI / 180) : 0;
    v->zoom *= exp2(normal(s, SCALE, g->scale));
    v->flip = uniform((source){ s.seed, s.stream, (uint64_t)t.unit }, FLIPPED) < g->flip;
    for (int c = 0; c < 3; c++) v->gain[c] = (float)(1 + g->colour * (2 * uniform(s, RED + c) - 1));
    if (uniform(s, OCCLUDED) < g->occlude) draw_box(s, side, v);
    v->placed = uniform(s, PLACED) < g->backdrop;
    v->donor_set = uniform(s, DONOR_SET);
    v->donor = uniform(s, DONOR);
    aim(v, angle, g->shift * side * (2 * uniform(s, SHIFT_X) - 1), g->shift * side * (2 * uniform(s, SHIFT_Y) - 1));
}

/* --- labels --- */

gn_status gn_label_store_take(gn_arena *a, int J, int P, gn_label_store *s) {
#define TAKE(name, type, count, carry, help) GN_TAKE(s->name, a, (count));
    GN_FIELDS(TAKE)
#undef TAKE
    return GN_OK;
}

gn_labels gn_label_store_labels(const gn_label_store *s, const gn_skeleton *skeleton, uint32_t has, int P, int side) {
    gn_labels y = { .has = has, .J = skeleton->joints, .P = P, .side = side, .skeleton = skeleton };
#define LEND(name, type, count, carry, help) y.name = s->name;
    GN_FIELDS(LEND)
#undef LEND
    return y;
}

static void swap(void *x, size_t bytes, const int8_t *mirror, int joints) {
    unsigned char *at = x, was[16];
    for (int j = 0; j < joints; j++) {
        int m = mirror[j];
        if (m <= j) continue;
        memcpy(was, at + (size_t)j * bytes, bytes);
        memcpy(at + (size_t)j * bytes, at + (size_t)m * bytes, bytes);
        memcpy(at + (size_t)m * bytes, was, bytes);
    }
}

static void map_point(const double m[6], gn_real *p) {
    double x = p[0], y = p[1];
    p[0] = (gn_real)(m[0] * x + m[1] * y + m[2]);
    p[1] = (gn_real)(m[3] * x + m[4] * y + m[5]);
}

static void turn_point(const double m[4], gn_real *x, gn_real *y) {
    double u = *x, v = *y;
    *x = (gn_real)(m[0] * u + m[1] * v);
    *y = (gn_real)(m[2] * u + m[3] * v);
}

static void carry_POINTS(const gn_view *v, const gn_skeleton *s, int n, gn_real *x) {
    for (int k = 0; k < n / 2; k++) map_point(v->to_input, x + 2 * k);
    if (v->flip) swap(x, 2 * sizeof *x, s->mirror, s->joints);
}
static void carry_POINTS3(const gn_view *v, const gn_skeleton *s, int n, gn_real *x) {
    for (int k = 0; k < n / 3; k++) turn_point(v->turn, x + 3 * k, x + 3 * k + 1);
    if (v->flip) swap(x, 3 * sizeof *x, s->mirror, s->joints);
}
static void carry_flags(const gn_view *v, const gn_skeleton *s, size_t bytes, void *x) {
    if (v->flip) swap(x, bytes, s->mirror, s->joints);
}
#define carry_FLAGS(v, s, n, x) carry_flags(v, s, sizeof *(x), x)
static void carry_PAIRS(const gn_view *v, const gn_skeleton *s, int n, int16_t *x) {
    for (int k = 0; v->flip && k < n; k += 3) {
        if (x[k] >= 0 && x[k] < s->joints) x[k] = s->mirror[x[k]];
        if (x[k + 1] >= 0 && x[k + 1] < s->joints) x[k + 1] = s->mirror[x[k + 1]];
    }
}
static void carry_CAMERA(const gn_view *v, const gn_skeleton *s, int n, gn_real *x) {
    (void)s, (void)n;
    x[0] *= (gn_real)v->zoom;
    x[1] *= (gn_real)v->zoom;
    map_point(v->to_input, x + 2);
}
/* A mirrored picture is of the world mirrored in its x, so that the transform stays rigid. */
static void carry_POSE(const gn_view *v, const gn_skeleton *s, int n, gn_real *x) {
    (void)s, (void)n;
    for (int c = 0; c < 4; c++) turn_point(v->turn, x + c, x + 4 + c);
    for (int r = 0; v->flip && r < 3; r++) x[4 * r] = -x[4 * r];
}
static void carry_SIZE(const gn_view *v, const gn_skeleton *s, int n, gn_real *x) {
    (void)s;
    for (int k = 0; k < n; k++) x[k] *= (gn_real)v->zoom;
}

/* A joint under the painted box is hidden. */
static void hide(const gn_view *v, int joints, uint32_t has, gn_label_store *y) {
    const uint32_t both = GN_HAS_joints2d | GN_HAS_occluded2d;
    if (v->box[2] <= v->box[0] || (has & both) != both) return;
    for (int j = 0; j < joints; j++) {
        double u = y->joints2d[2 * j] + 0.5, w = y->joints2d[2 * j + 1] + 0.5;
        if (u >= v->box[0] && u < v->box[2] && w >= v->box[1] && w < v->box[3]) y->occluded2d[j] = 1;
    }
}

void gn_view_carry(const gn_view *v, const gn_skeleton *s, uint32_t has, int P, gn_label_store *y) {
    const int J = s->joints;
#define CARRY(name, type, count, kind, help) if (has & GN_HAS_##name) carry_##kind(v, s, (count), y->name);
    GN_FIELDS(CARRY)
#undef CARRY
    if (has & GN_HAS_depth) { /* half-picture units, of the stored picture until now */
        double grown = v->zoom * (v->w > v->h ? v->w : v->h) / v->side;
        for (int j = 0; j < J; j++) y->depth[j] *= (gn_real)grown;
    }
    hide(v, J, has, y);
}

void gn_view_picture(const gn_view *v, const uint8_t *stored, const uint8_t *next, float *input) {
    gn_warp_input(stored, v->w, v->h, v->to_stored, v->gain, v->side, next, input);
    for (int y = v->box[1]; y < v->box[3]; y++)
        for (int x = v->box[0]; x < v->box[2]; x++)
            for (int c = 0; c < 3; c++) input[3 * (y * v->side + x) + c] = v->paint[c];
}
