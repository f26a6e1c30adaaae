/* paint.c - procedural reflectance. Patterns finer than a pixel fade into their mean. */
#include "src/puppet/world.h"

static float lattice(int x, int y, int z, uint32_t seed) {
    uint32_t h = (uint32_t)x * 0x8da6b343u ^ (uint32_t)y * 0xd8163841u ^ (uint32_t)z * 0xcb1ab31fu ^
                 seed * 0x9e3779b1u;
    h = (h ^ h >> 15) * 0x2c1b3c6du;
    h = (h ^ h >> 12) * 0x297a2d39u;
    return (float)((h ^ h >> 15) >> 8) * 0x1p-24f;
}

float gn_noise(float x, float y, float z, uint32_t seed) {
    float fx = floorf(x), fy = floorf(y), fz = floorf(z);
    int i = (int)fx, j = (int)fy, k = (int)fz;
    x -= fx, y -= fy, z -= fz;
    x *= x * (3 - 2 * x), y *= y * (3 - 2 * y), z *= z * (3 - 2 * z);
    float plane[2];
    for (int n = 0; n < 2; n++)
        plane[n] = lerp(lerp(lattice(i, j, k + n, seed), lattice(i + 1, j, k + n, seed), x),
                        lerp(lattice(i, j + 1, k + n, seed), lattice(i + 1, j + 1, k + n, seed), x), y);
    return lerp(plane[0], plane[1], z);
}

float gn_clouds(float x, float y, float z, int octaves, uint32_t seed) {
    float sum = 0, size = 0.5f;
    for (int k = 0; k < octaves; k++, size *= 0.5f, x *= 2.03f, y *= 2.03f, z *= 2.03f)
        sum += size * gn_noise(x, y, z, seed + (uint32_t)k);
    return sum / (1 - size * 2);
}

static float wave_of(float x, float soft) { return smooth(-soft, soft, sinf(x * TURN)); }
static float fraction(float x) { return x - floorf(x); }

static vec face(const surface *s, vec q) {
    if (q.z < 0.2f) return s->a;
    float x = fabsf(q.x), eye = (x - 0.37f) * (x - 0.37f) * 40 + (q.y - 0.02f) * (q.y - 0.02f) * 110;
    if (eye < 0.22f) return scale(s->b, 0.3f);
    if (eye < 1) return mix(v3(0.75f, 0.75f, 0.75f), s->a, 0.3f);
    if (fabsf(x - 0.38f) < 0.20f && fabsf(q.y - 0.20f) < 0.045f) return mix(s->b, s->a, 0.25f);
    if (x < 0.26f && fabsf(q.y + 0.55f) < 0.055f) return mul(s->a, v3(0.62f, 0.30f, 0.32f));
    float cheek = (x - 0.5f) * (x - 0.5f) * 9 + (q.y + 0.28f) * (q.y + 0.28f) * 12;
    return mul(s->a, mix(v3(1.05f, 0.86f, 0.84f), v3(1, 1, 1), clampf(cheek, 0, 1)));
}

/* On a plane the pattern lies in (u, v); round a limb u goes across, v along. */
vec gn_paint(const surface *s, vec q, vec n, float blur) {
    float u = q.x, v = q.y, k = s->per_metre;
    if (fabsf(n.y) > 0.8f && s->kind >= PLANKS) v = q.z;
    else if (fabsf(n.x) > fabsf(n.z)) u = q.z;
    float keep = 1 / (1 + 4 * blur * blur * k * k), m = 0.5f;
    switch (s->kind) {
    case PLAIN: return s->a;
    case FACE: return face(s, q);
    case STRIPES_ACROSS: m = wave_of(v * k, 0.3f); break;
    case STRIPES_ALONG: m = wave_of(u * k, 0.3f); break;
    case CHECKS: m = 0.5f * (wave_of(u * k, 0.3f) + wave_of(v * k, 0.3f)); break;
    case DOTS: {
        float x = fraction(u * k) - 0.5f, y = fraction(v * k) - 0.5f;
        m = x * x + y * y < 0.08f ? 1 : 0;
        break;
    }
    case CLOTH: case SHIRT: case PRINT: {
        vec c = scale(s->a, 0.82f + 0.36f * gn_noise(q.x * k, q.y * k * 0.6f, q.z * k, s->seed));
        if (q.z < 0 || s->kind == CLOTH) return c;
        if (s->kind == SHIRT)
            return fabsf(q.x) < 0.009f                              ? s->b
                   : fabsf(q.x) < 0.016f && fraction(v * 11) < 0.2f ? v3(0.8f, 0.8f, 0.8f)
                                                                    : c;
        return fabsf(q.x) < 0.085f && gn_noise(q.x * 28, q.y * 28, 3, s->seed) > 0.46f ? s->b : c;
    }
    case SPECKLE: m = gn_noise(q.x * k, q.y * k, q.z * k, s->seed); break;
    case LEAVES: m = gn_clouds(q.x * k, q.y * k, q.z * k, 3, s->seed); m = smooth(0.3f, 0.7f, m); break;
    case GRASS: m = gn_clouds(u * k, v * k, 0, 4, s->seed); break;
    case PLANKS: {
        float row = floorf(u * k), seam = fraction(u * k);
        m = 0.25f + 0.5f * lattice((int)row, (int)floorf(v * k * 0.15f + row * 0.37f), 0, s->seed) +
            0.25f * gn_noise(u * k * 9, v * k * 0.8f, 0, s->seed);
        if (seam < 0.05f) m = 0;
        break;
    }
    case TILES: case BRICKS: {
        float y = v * k * (s->kind == BRICKS ? 2.5f : 1),
              x = u * k + (s->kind == BRICKS && (int)floorf(y) & 1 ? 0.5f : 0);
        m = fraction(x) < 0.04f || fraction(y) < (s->kind == BRICKS ? 0.1f : 0.04f)
                ? 1
                : 0.35f * lattice((int)floorf(x), (int)floorf(y), 1, s->seed);
        break;
    }
    case WINDOWS: {
        float x = fraction(u * k), y = fraction(v * k * 0.8f);
        m = x > 0.25f && x < 0.75f && y > 0.3f && y < 0.8f
                ? 0.6f + 0.4f * lattice((int)floorf(u * k), (int)floorf(v * k * 0.8f), 2, s->seed)
                : 0;
        break;
    }
    case SPAN: m = smooth(0, 3, q.y); break;
    }
    return mix(s->a, s->b, 0.5f + (m - 0.5f) * keep);
}

vec gn_paint_sky(const scene *s, vec d) {
    float up = fmaxf(d.y, 0);
    vec c = mix(s->horizon, s->zenith, sqrtf(up));
    if (s->hills > 0) {
        float x = d.x * 4, z = d.z * 4, ridge = s->hills * (gn_clouds(x, 0, z, 4, s->seed) - 0.15f);
        if (d.y < ridge)
            return mix(mul(s->horizon, v3(0.25f, 0.33f, 0.22f)), s->horizon,
                       0.25f + 0.35f * gn_noise(x * 6, d.y * 60, z * 6, s->seed));
    }
    float over = 0.6f / (up + 0.12f), cloud = gn_clouds(d.x * over * 2, 0.7f, d.z * over * 2, 4, s->seed + 9);
    return mix(c, v3(0.95f, 0.95f, 0.95f), smooth(0.75f - 0.45f * s->cloud, 0.95f - 0.3f * s->cloud, cloud));
}
