/* shade.c - the picture: every pixel's surfaces lit, seen through a lens and a sensor.
 *
 * Visibility has four samples a pixel; a surface that owns several of them is lit once. */
#include "src/puppet/world.h"
#include <string.h>

enum { NEVER_MM = 65535 };

typedef struct {
    const scene *s;
    const view *v, *sun;
    const canvas *shadow;
    float pixel; /* metres a pixel at depth 1 */
} studio;

/* Share of the sun that arrives: four cells of what it sees. */
static float lit(const studio *t, vec at, vec n) {
    vec c = view_of(t->sun, along(at, n, 0.02f));
    float x = c.x * t->sun->f + t->sun->cx, y = c.y * t->sun->f + t->sun->cy;
    float fx = floorf(x), fy = floorf(y);
    int i = (int)fx, j = (int)fy, side = t->shadow->side;
    if (!(fx >= 0 && fy >= 0 && fx < (float)(side - 1) && fy < (float)(side - 1))) return 1;
    float z = c.z - 0.03f, w[2] = { y - fy, x - fx }, sum = 0;
    for (int k = 0; k < 4; k++) {
        int dx = k & 1, dy = k >> 1;
        float share = (dx ? w[1] : 1 - w[1]) * (dy ? w[0] : 1 - w[0]);
        sum += t->shadow->z[0][(j + dy) * side + i + dx] > z ? share : 0;
    }
    return sum;
}

/* What bodies near a floor take from the sky above it. */
static float open_sky(const scene *s, vec at) {
    static const int balls[] = { 0, 5, 6, 7 };
    float open = 1;
    for (int p = 0; p < s->people; p++)
        for (int k = 0; k < 4; k++) {
            vec d = sub(s->figure[p].at[balls[k]], at);
            float r = k < 2 ? 0.09f : 0.2f, d2 = dot(d, d) + 1e-4f;
            open *= 1 - 0.9f * clampf(r * r / d2 * fmaxf(0, d.y) / sqrtf(d2), 0, 1);
        }
    return open;
}

static vec illuminate(const studio *t, vec at, vec n, vec toward, vec paint, float shine, float open) {
    const light *l = &t->s->light;
    float face = dot(n, l->to), sun = face > 0 ? face * lit(t, at, n) : 0;
    vec e = add(scale(l->sun, sun), scale(mix(l->bounce, l->sky, 0.5f + 0.5f * n.y), open));
    vec c = mul(paint, e);
    if (shine > 0 && sun > 0) {
        float h = fmaxf(0, dot(n, unit(add(l->to, toward))));
        h *= h, h *= h, h *= h, h *= h;
        c = along(c, l->sun, shine * h * sun);
    }
    return c;
}

static vec shape_colour(const studio *t, const canvas *c, int sample, vec ray) {
    const scene *s = t->s;
    const shape *p = &s->shape[c->id[0][sample]];
    const surface *paint = &s->surface[p->surface];
    float z = c->z[0][sample], open = 1;
    vec at = along(t->v->eye, ray, z), q = local_of(p, at), n = gn_solid_normal(p, q), own = into(p->row, n);
    /* where two parts of one body meet, their normals flow into each other */
    if (p->person != NOBODY && c->id[1][sample] != EMPTY) {
        const shape *o = &s->shape[c->id[1][sample]];
        float gap = c->z[1][sample] - z;
        if (o->person == p->person && gap < 0.025f) {
            vec m = gn_solid_normal(o, local_of(o, along(t->v->eye, ray, z + gap)));
            n = unit(mix(n, m, 0.5f * (1 - gap / 0.025f)));
        }
    }
    if (p->person != NOBODY) open = 0.55f + 0.45f * smooth(-0.1f, 0.9f, at.y);
    if (!p->box && paint->kind != FACE)
        q = v3(q.x / length(p->row.x), q.y / length(p->row.y), q.z / length(p->row.z));
    return illuminate(t, at, n, scale(unit(ray), -1), gn_paint(paint, q, own, z * t->pixel), paint->shine,
                      open);
}

/* The place itself: floor, walls, ceiling, sky or photograph. */
static vec place_colour(const studio *t, float u, float v, vec ray, float *depth) {
    const scene *s = t->s;
    vec eye = t->v->eye, toward = scale(unit(ray), -1);
    float z = ray.y < -1e-4f ? -eye.y / ray.y : 1e9f;
    vec n = v3(0, 1, 0), q = v3(0, 0, 0);
    int paint = s->ground, wall = -1;
    if (s->place == ROOM || s->place == STUDIO) {
        float bound[5] = { s->room[0] - eye.x, s->room[1] - eye.x, s->room[2] - eye.z, s->room[3] - eye.z,
                           s->ceiling - eye.y };
        float step[5] = { ray.x, ray.x, ray.z, ray.z, ray.y };
        for (int k = 0; k < 5; k++) {
            float at = bound[k] / step[k];
            if (step[k] * bound[k] > 0 && at < z) z = at, wall = k;
        }
        if (wall == 4) n = v3(0, -1, 0), paint = s->ceiling_surface;
        else if (wall >= 0)
            n = wall < 2 ? v3(wall ? -1 : 1, 0, 0) : v3(0, 0, wall == 3 ? -1 : 1), paint = s->wall[wall];
    }
    *depth = z;
    vec at = along(eye, ray, fminf(z, 1e4f));
    q = at;
    float open = wall < 0 ? open_sky(s, at) : 1;
    if (s->place == PHOTOGRAPH) { /* a photograph is the place; only shadows fall on its floor */
        float x = clampf(u * s->photo_at[2] + s->photo_at[0], 0, (float)s->photo->w - 1),
              y = clampf(v * s->photo_at[2] + s->photo_at[1], 0, (float)s->photo->h - 1);
        const uint8_t *c = s->photo->rgb + 3 * ((size_t)y * (size_t)s->photo->w + (size_t)x);
        vec p = v3((float)c[0] / 255, (float)c[1] / 255, (float)c[2] / 255);
        *depth = 1e9f;
        return scale(mul(p, p), z < 1e8f ? (0.45f + 0.55f * lit(t, at, n)) * open : 1);
    }
    if (s->place == NOISE) {
        float k = s->photo_at[2], m = gn_clouds(u * k, v * k, 0, 5, s->seed),
              h = gn_clouds(u * k * 0.7f, v * k, 5, 4, s->seed + 50);
        *depth = 1e9f;
        return scale(mix(mix(s->zenith, s->horizon, smooth(0.25f, 0.75f, m)), s->surface[s->ground].a,
                         smooth(0.4f, 0.75f, h)),
                     0.9f);
    }
    if (z > 1e8f) return gn_paint_sky(s, unit(ray));
    if (wall == 4) return mul(gn_paint(&s->surface[paint], q, n, 1), s->light.sky);
    float grazing = fmaxf(0.05f, fabsf(dot(n, toward)));
    vec c = illuminate(t, at, n, toward, gn_paint(&s->surface[paint], q, n, z * t->pixel / sqrtf(grazing)),
                       s->surface[paint].shine, open);
    if (s->place == OUTDOORS) c = mix(c, s->horizon, 1 - expf(-z * s->haze));
    return c;
}

static vec pixel_colour(const studio *t, const canvas *c, int x, int y, float *nearest, uint8_t *part) {
    float u = (float)x, v = (float)y, z;
    vec centre = add(t->v->axes.z, add(scale(t->v->axes.x, (u - t->v->cx) / t->v->f),
                                       scale(t->v->axes.y, (v - t->v->cy) / t->v->f)));
    int at[4], rest = 4, mine[16] = { 0 };
    vec sum = v3(0, 0, 0), behind = place_colour(t, u, v, centre, &z);
    for (int k = 0; k < 4; k++) at[k] = (2 * y + (k >> 1)) * c->side + 2 * x + (k & 1);
    *nearest = z;
    for (int k = 0; k < 4; k++) {
        int id = c->id[0][at[k]], many = 1, before = 0;
        if (id == EMPTY || c->z[0][at[k]] > z) continue;
        *nearest = fminf(*nearest, c->z[0][at[k]]);
        mine[t->s->shape[id].part]++;
        for (int j = 0; j < 4; j++)
            if (c->id[0][at[j]] == id && c->z[0][at[j]] <= z && j != k) j < k ? before++ : many++;
        if (before) continue;
        float du = (k & 1 ? 0.25f : -0.25f) / t->v->f, dv = (k >> 1 ? 0.25f : -0.25f) / t->v->f;
        vec ray = along(along(centre, t->v->axes.x, du), t->v->axes.y, dv);
        sum = along(sum, shape_colour(t, c, at[k], ray), 0.25f * (float)many);
        rest -= many;
    }
    *part = 0;
    for (int k = 1; k < 16; k++)
        if (mine[k] >= 2 && mine[k] > mine[*part] * (*part > 0)) *part = (uint8_t)k;
    return along(sum, behind, 0.25f * (float)rest);
}

/* A small symmetric lens blur, rows then columns. */
static void soften(float *picture, float *row, int size, float b) {
    for (int pass = 0; pass < 2; pass++)
        for (int y = 0; y < size; y++) {
            size_t step = pass ? (size_t)size * 3 : 3,
                   start = pass ? (size_t)y * 3 : (size_t)y * (size_t)size * 3;
            for (int c = 0; c < 3; c++) {
                float *p = picture + start + c;
                for (int x = 0; x < size; x++) {
                    float left = p[(size_t)(x ? x - 1 : 0) * step],
                          right = p[(size_t)(x < size - 1 ? x + 1 : x) * step];
                    row[x] = (1 - 2 * b) * p[(size_t)x * step] + b * (left + right);
                }
                for (int x = 0; x < size; x++) p[(size_t)x * step] = row[x];
            }
        }
}

/* Exposure, white balance, a shoulder for highlights, gamma 2, noise that grows with light. */
static void develop(const scene *s, const float *linear, int size, const dice *sensor, uint8_t *rgb) {
    float gain[3] = { s->exposure * (1 + s->warm), s->exposure, s->exposure * (1 - s->warm) };
    for (int i = 0; i < size * size; i++) {
        gn_draw grain = gn_draw_at(sensor->seed, sensor->number, (uint64_t)sensor->what << 32 | (uint64_t)i);
        for (int c = 0; c < 3; c++) {
            float x = fmaxf(0, linear[3 * i + c]) * gain[c];
            x = sqrtf(x * (1 + x * 0.2f) / (1 + 0.55f * x));
            uint32_t h = grain.word[c];
            float normal = (float)((h & 255) + (h >> 8 & 255) + (h >> 16 & 255) + (h >> 24)) / 255 -
                           2; /* deviation 0.58 */
            x += s->noise * (0.4f + x) * normal;
            rgb[3 * i + c] = (uint8_t)clampf(x * 255 + 0.5f, 0, 255);
        }
    }
}

gn_status gn_shade(gn_arena *a, const scene *s, const view *v, int size, const canvas *c, uint8_t *rgb,
                   uint16_t *depth_mm, uint8_t *parts, const dice *sensor) {
    canvas shadow;
    view sun;
    float *linear, *row;
    GN_TRY(gn_trace_shadow(a, s, &shadow, &sun));
    GN_TAKE(linear, a, size * size * 3);
    GN_TAKE(row, a, size);
    studio t = { s, v, &sun, &shadow, 1 / v->f };
    for (int y = 0; y < size; y++)
        for (int x = 0; x < size; x++) {
            float nearest;
            uint8_t part;
            vec colour = pixel_colour(&t, c, x, y, &nearest, &part);
            size_t i = (size_t)y * (size_t)size + (size_t)x;
            memcpy(linear + 3 * i, &colour, sizeof colour);
            if (depth_mm)
                depth_mm[i] = nearest * 1000 < (float)NEVER_MM ? (uint16_t)(nearest * 1000 + 0.5f) : 0;
            if (parts) parts[i] = part;
        }
    if (s->blur > 0) soften(linear, row, size, s->blur);
    develop(s, linear, size, sensor, rgb);
    return GN_OK;
}
