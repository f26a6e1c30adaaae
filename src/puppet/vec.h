/* vec.h - three floats, frames of three axes, and dice: what every file of the puppet world counts with. */
#ifndef GN_PUPPET_VEC_H
#define GN_PUPPET_VEC_H
#include <math.h>
#include <stdint.h>

typedef struct { float x, y, z; } vec;
typedef struct { vec x, y, z; } frame; /* where its axes point; a person's are left, up, forward */

#define DEGREES 0.01745329252f
#define TURN 6.283185307f

static inline vec v3(float x, float y, float z) { return (vec){ x, y, z }; }
static inline vec add(vec a, vec b) { return v3(a.x + b.x, a.y + b.y, a.z + b.z); }
static inline vec sub(vec a, vec b) { return v3(a.x - b.x, a.y - b.y, a.z - b.z); }
static inline vec mul(vec a, vec b) { return v3(a.x * b.x, a.y * b.y, a.z * b.z); }
static inline vec scale(vec a, float s) { return v3(a.x * s, a.y * s, a.z * s); }
static inline vec along(vec a, vec d, float s) { return v3(a.x + d.x * s, a.y + d.y * s, a.z + d.z * s); }
static inline vec mix(vec a, vec b, float s) { return along(scale(a, 1 - s), b, s); }
static inline float dot(vec a, vec b) { return a.x * b.x + a.y * b.y + a.z * b.z; }
static inline vec cross(vec a, vec b) {
    return v3(a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x);
}
static inline float length(vec a) { return sqrtf(dot(a, a)); }
/* a zero vector points up: BVH skeletons have joints on top of each other */
static inline vec unit(vec a) {
    float n = length(a);
    return n > 1e-9f ? scale(a, 1 / n) : v3(0, 1, 0);
}
static inline float clampf(float x, float least, float most) {
    return x < least ? least : x > most ? most : x;
}
static inline float lerp(float a, float b, float s) { return a + (b - a) * s; }
static inline float smooth(float from, float to, float x) {
    float s = clampf((x - from) / (to - from), 0, 1);
    return s * s * (3 - 2 * s);
}

static inline vec out_of(frame f, vec v) { return along(along(scale(f.x, v.x), f.y, v.y), f.z, v.z); }
static inline vec into(frame f, vec v) { return v3(dot(f.x, v), dot(f.y, v), dot(f.z, v)); }
static inline frame turn(frame a, frame b) {
    return (frame){ out_of(a, b.x), out_of(a, b.y), out_of(a, b.z) };
}
static inline frame upright(void) { return (frame){ v3(1, 0, 0), v3(0, 1, 0), v3(0, 0, 1) }; }
static inline frame about_x(float r) {
    float c = cosf(r), s = sinf(r);
    return (frame){ v3(1, 0, 0), v3(0, c, s), v3(0, -s, c) };
}
static inline frame about_y(float r) {
    float c = cosf(r), s = sinf(r);
    return (frame){ v3(c, 0, -s), v3(0, 1, 0), v3(s, 0, c) };
}
static inline frame about_z(float r) {
    float c = cosf(r), s = sinf(r);
    return (frame){ v3(c, s, 0), v3(-s, c, 0), v3(0, 0, 1) };
}
/* exactly along `y`, its z as near to `ahead` as that allows */
static inline frame frame_of(vec y, vec ahead) {
    vec up = unit(y), side = cross(up, ahead);
    if (!(dot(side, side) > 1e-8f)) side = cross(up, fabsf(up.z) < 0.7f ? v3(0, 0, 1) : v3(1, 0, 0));
    side = unit(side);
    return (frame){ side, up, cross(side, up) };
}
#endif
