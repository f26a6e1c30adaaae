/* trace.c - which surface a ray meets first: analytic, shape by shape, over the shape's own rows.
 *
 * Rays of a row differ by a constant step, in a perspective view in direction, in a parallel one in
 * origin. Directions have forward component 1, so the ray's parameter is depth. */
#include "src/puppet/world.h"
#include <string.h>

enum { RUN = 64 };
static const float FAR = 1e9f, NEAR = 0.05f;

typedef struct { vec o, d, o_step, d_step; } rays; /* local */

/* The body is convex: of the first meetings with side and both ends, those that lie on it, the nearest is the
 * entry. */
static void meet_round(const shape *p, rays r, int n, float *restrict t) {
    float s = p->s, u = p->u, h = p->h, ra2 = p->ra * p->ra, rb2 = p->rb * p->rb;
    float least = p->b * p->ra, most = h + p->b * p->rb;
    for (int i = 0; i < n; i++) {
        float k = (float)i;
        float x = r.d.x + k * r.d_step.x, y = r.d.y + k * r.d_step.y, z = r.d.z + k * r.d_step.z;
        float ox = r.o.x + k * r.o_step.x, oy = r.o.y + k * r.o_step.y, oz = r.o.z + k * r.o_step.z;
        float xz = x * x + z * z, across = ox * x + oz * z, round = ox * ox + oz * oz;
        float slope = u - s * oy;
        float A = xz - s * s * y * y, B = across + s * y * slope, C = round - slope * slope;
        float D = B * B - A * C, side = (-B - sqrtf(D > 0 ? D : 0)) / A, at = oy + side * y;
        float whole = xz + y * y, over = 1 / whole;
        float Ba = across + oy * y, Da = Ba * Ba - whole * (round + oy * oy - ra2);
        float first = (-Ba - sqrtf(Da > 0 ? Da : 0)) * over, oh = oy - h;
        float Bb = across + oh * y, Db = Bb * Bb - whole * (round + oh * oh - rb2);
        float second = (-Bb - sqrtf(Db > 0 ? Db : 0)) * over;
        side = D > 0 ? side : FAR;
        side = at >= least ? side : FAR;
        side = at <= most ? side : FAR;
        first = Da > 0 ? first : FAR;
        second = Db > 0 ? second : FAR;
        first = first < second ? first : second;
        first = side < first ? side : first;
        t[i] = first > NEAR ? first : FAR;
    }
}

static void meet_box(const shape *p, rays r, int n, float *restrict t) {
    for (int i = 0; i < n; i++) {
        float k = (float)i;
        float x = 1 / (r.d.x + k * r.d_step.x + 1e-12f), y = 1 / (r.d.y + k * r.d_step.y + 1e-12f),
              z = 1 / (r.d.z + k * r.d_step.z + 1e-12f);
        float ox = -(r.o.x + k * r.o_step.x) * x, oy = -(r.o.y + k * r.o_step.y) * y,
              oz = -(r.o.z + k * r.o_step.z) * z;
        float wx = fabsf(x) * p->ra, wy = fabsf(y) * p->h, wz = fabsf(z) * p->rb;
        float in = ox - wx, out = ox + wx;
        in = oy - wy > in ? oy - wy : in;
        in = oz - wz > in ? oz - wz : in;
        out = oy + wy < out ? oy + wy : out;
        out = oz + wz < out ? oz + wz : out;
        in = in < out ? in : FAR;
        t[i] = in > NEAR ? in : FAR;
    }
}

/* Where a sphere's outline ends on one axis of a perspective picture: x/z of both tangents. */
static void tangents(float x, float z, float r, float *least, float *most) {
    float d2 = x * x + z * z, leg2 = d2 - r * r, leg = sqrtf(leg2 > 0 ? leg2 : 0);
    float za = z * leg - x * r, zb = z * leg + x * r;
    *most = za > 1e-4f ? (x * leg + z * r) / za : FAR;
    *least = zb > 1e-4f ? (x * leg - z * r) / zb : -FAR;
}

typedef struct { int x0, x1, y0, y1; } box;

static void cover(const view *v, int parallel, vec at, float r, float w[4]) {
    vec c = view_of(v, at);
    float e[4] = { c.x - r, c.x + r, c.y - r, c.y + r };
    if (!parallel) {
        if (c.z + r < NEAR) return;
        if (c.z - r < NEAR) e[0] = e[2] = -FAR, e[1] = e[3] = FAR;
        else tangents(c.x, c.z, r, &e[0], &e[1]), tangents(c.y, c.z, r, &e[2], &e[3]);
    }
    for (int k = 0; k < 4; k += 2) w[k] = fminf(w[k], e[k]), w[k + 1] = fmaxf(w[k + 1], e[k + 1]);
}

static box bounds(const shape *p, const view *v, int parallel, int side) {
    float w[4] = { FAR, -FAR, FAR, -FAR };
    if (p->box)
        for (int k = 0; k < 8; k++) {
            vec q = v3(k & 1 ? p->ra : -p->ra, k & 2 ? p->h : -p->h, k & 4 ? p->rb : -p->rb);
            vec c = add(p->at, out_of(p->row, q));
            if (!parallel && view_of(v, c).z < NEAR) w[0] = w[2] = -FAR, w[1] = w[3] = FAR;
            else cover(v, parallel, c, 0, w);
        }
    else {
        cover(v, parallel, p->at, p->ra * p->reach, w);
        if (p->h > 0) cover(v, parallel, along(p->at, p->row.y, p->h), p->rb * p->reach, w);
    }
    float most = (float)side;
    return (box){ (int)clampf(ceilf(w[0] * v->f + v->cx), 0, most),
                  (int)clampf(floorf(w[1] * v->f + v->cx), -1, most - 1),
                  (int)clampf(ceilf(w[2] * v->f + v->cy), 0, most),
                  (int)clampf(floorf(w[3] * v->f + v->cy), -1, most - 1) };
}

static vec into_local(const shape *p, vec d) {
    return v3(dot(p->row.x, d), dot(p->row.y, d), dot(p->row.z, d));
}

static rays rays_of(const shape *p, const view *v, int parallel, int x, int y) {
    vec across = scale(v->axes.x, 1 / v->f), eye = v->eye, d = v->axes.z;
    vec off = along(scale(across, (float)x - v->cx), v->axes.y, ((float)y - v->cy) / v->f);
    if (parallel) eye = add(eye, off);
    else d = add(d, off);
    rays r = { local_of(p, eye), into_local(p, d), { 0, 0, 0 }, { 0, 0, 0 } };
    *(parallel ? &r.o_step : &r.d_step) = into_local(p, across);
    return r;
}

static void draw(const shape *p, int number, const view *v, int parallel, canvas *c) {
    box w = bounds(p, v, parallel, c->side);
    float t[RUN];
    for (int y = w.y0; y <= w.y1; y++)
        for (int x = w.x0; x <= w.x1; x += RUN) {
            int n = w.x1 - x + 1 < RUN ? w.x1 - x + 1 : RUN;
            (p->box ? meet_box : meet_round)(p, rays_of(p, v, parallel, x, y), n, t);
            float *z0 = c->z[0] + y * c->side + x, *z1 = c->z[1] + y * c->side + x;
            uint16_t *i0 = c->id[0] + y * c->side + x, *i1 = c->id[1] + y * c->side + x;
            for (int i = 0; i < n; i++) {
                if (t[i] < z0[i]) {
                    z1[i] = z0[i], i1[i] = i0[i];
                    z0[i] = t[i], i0[i] = (uint16_t)number;
                } else if (t[i] < z1[i]) z1[i] = t[i], i1[i] = (uint16_t)number;
            }
        }
}

static gn_status canvas_new(gn_arena *a, int side, canvas *c) {
    c->side = side;
    for (int k = 0; k < 2; k++) {
        GN_TAKE(c->z[k], a, side * side);
        GN_TAKE(c->id[k], a, side * side);
        for (int i = 0; i < side * side; i++) c->z[k][i] = FAR;
        memset(c->id[k], 0xff, sizeof *c->id[k] * (size_t)(side * side));
    }
    return GN_OK;
}

gn_status gn_trace(gn_arena *a, const scene *s, const view *v, int side, canvas *c) {
    GN_TRY(canvas_new(a, side, c));
    for (int k = 0; k < s->shapes; k++) draw(&s->shape[k], k, v, 0, c);
    return GN_OK;
}

/* What the sun sees of the surroundings of the first person, 3 cm a cell. */
gn_status gn_trace_shadow(gn_arena *a, const scene *s, canvas *c, view *sun) {
    enum { SIDE = 160 };
    frame f = frame_of(s->light.to, v3(0.3f, 0, 1));
    *sun = (view){ .eye = along(s->figure[0].at[6], f.y, 12),
                   .axes = { f.x, f.z, scale(f.y, -1) },
                   .f = 33,
                   .cx = SIDE / 2,
                   .cy = SIDE / 2 };
    GN_TRY(canvas_new(a, SIDE, c));
    for (int k = 0; k < s->shapes; k++) draw(&s->shape[k], k, sun, 1, c);
    return GN_OK;
}

hit gn_trace_ray(const scene *s, const view *v, vec direction) {
    hit best = { FAR, -1 };
    for (int k = 0; k < s->shapes; k++) {
        const shape *p = &s->shape[k];
        rays r = { local_of(p, v->eye), into_local(p, direction), { 0, 0, 0 }, { 0, 0, 0 } };
        float t;
        (p->box ? meet_box : meet_round)(p, r, 1, &t);
        if (t < best.z) best = (hit){ t, k };
    }
    return best;
}
