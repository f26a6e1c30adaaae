/* solid.c - shapes: round cones, blobs and boxes, each with its map into local coordinates. */
#include "src/puppet/world.h"

int gn_surface_add(scene *s, surface what) {
    if (s->surfaces == SURFACES) return SURFACES - 1; /* paint runs out before shapes do: share the last */
    s->surface[s->surfaces] = what;
    return s->surfaces++;
}

/* A full scene drops what comes last, which is clutter: people are added first. */
static shape *shape_add(scene *s, int paint) {
    static _Thread_local shape spill;
    shape *p = s->shapes < SHAPES ? &s->shape[s->shapes++] : &spill;
    *p = (shape){ .surface = (uint16_t)paint, .person = NOBODY };
    return p;
}

shape *gn_solid_flat(scene *s, vec from, vec to, float ra, float rb, vec side, float wide, float deep,
                     int paint) {
    shape *p = shape_add(s, paint);
    vec axis = sub(to, from);
    frame f = frame_of(axis, cross(side, axis));
    p->row = (frame){ scale(f.x, 1 / wide), f.y, scale(f.z, 1 / deep) };
    p->at = from;
    p->reach = fmaxf(1, fmaxf(wide, deep));
    p->h = length(axis);
    if (!(fabsf(ra - rb) < p->h)) { /* one end swallows the other */
        if (rb > ra) p->at = to;
        ra = rb = fmaxf(ra, rb);
        p->h = 0;
    }
    p->ra = ra;
    p->rb = rb;
    p->b = p->h > 0 ? (ra - rb) / p->h : 0;
    p->a = sqrtf(1 - p->b * p->b);
    p->s = p->b / p->a;
    p->u = ra / p->a;
    return p;
}

shape *gn_solid_round(scene *s, vec from, vec to, float ra, float rb, int paint) {
    return gn_solid_flat(s, from, to, ra, rb, v3(1, 0, 0), 1, 1, paint);
}

shape *gn_solid_blob(scene *s, vec at, frame f, vec radii, int paint) {
    shape *p = shape_add(s, paint);
    p->row = (frame){ scale(f.x, 1 / radii.x), scale(f.y, 1 / radii.y), scale(f.z, 1 / radii.z) };
    p->at = at;
    p->ra = p->rb = p->a = p->u = 1;
    p->reach = fmaxf(radii.x, fmaxf(radii.y, radii.z));
    return p;
}

shape *gn_solid_box(scene *s, vec at, frame f, vec half, int paint) {
    shape *p = shape_add(s, paint);
    p->row = f;
    p->at = at;
    p->box = 1;
    p->ra = half.x;
    p->h = half.y;
    p->rb = half.z;
    p->reach = 1;
    return p;
}

/* Outward, in the world, at a local point on the surface. */
vec gn_solid_normal(const shape *p, vec q) {
    vec n;
    if (p->box) {
        float x = fabsf(q.x) - p->ra, y = fabsf(q.y) - p->h, z = fabsf(q.z) - p->rb;
        if (x > y && x > z) n = v3(q.x < 0 ? -1.f : 1.f, 0, 0);
        else if (y > z) n = v3(0, q.y < 0 ? -1.f : 1.f, 0);
        else n = v3(0, 0, q.z < 0 ? -1.f : 1.f);
    } else {
        float rho = sqrtf(q.x * q.x + q.z * q.z), foot = p->a * q.y - p->b * rho;
        if (foot < 0) n = q;
        else if (foot > p->a * p->h) n = v3(q.x, q.y - p->h, q.z);
        else n = v3(p->a * q.x / fmaxf(rho, 1e-9f), p->b, p->a * q.z / fmaxf(rho, 1e-9f));
    }
    return unit(out_of(p->row, n));
}
