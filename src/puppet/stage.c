/* stage.c - what stands around people: a room, a street, a meadow, a photograph; and the light there. */
#include "src/puppet/world.h"

static vec tint(dice *d, float least, float most, float colourful) {
    float v = between(d, least, most);
    return mul(v3(v, v, v), v3(1 + around(d, 0, colourful), 1 + around(d, 0, 0.7f * colourful),
                               1 + around(d, 0, colourful)));
}
static vec paint_of(dice *d, float least, float most, float colourful) {
    vec c = tint(d, least, most, colourful);
    return v3(clampf(c.x, 0.01f, 0.95f), clampf(c.y, 0.01f, 0.95f), clampf(c.z, 0.01f, 0.95f));
}
static int paint(dice *d, scene *s, pattern kind, float per_metre, float least, float most, float colourful,
                 float contrast) {
    surface p = { kind, paint_of(d, least, most, colourful), { 0, 0, 0 }, per_metre, 0.02f, throw32(d) };
    p.b = mix(p.a, paint_of(d, 0.03f, 0.8f, colourful), contrast);
    return gn_surface_add(s, p);
}

/* Metres in plan from a point to what must stay free: the lines of sight to people. */
static float clearance(const scene *s, const view *v, int views, vec at) {
    float least = 1e9f;
    for (int p = 0; p < s->people; p++)
        for (int k = 0; k < (p ? 1 : views); k++) {
            vec who = s->stand[p], line = p ? v3(0, 0, 0) : sub(v[k].eye, who), off = sub(at, who);
            line.y = off.y = 0;
            float share = clampf(dot(off, line) / fmaxf(dot(line, line), 1e-6f), 0, 1);
            least = fminf(least, length(along(off, line, -share)));
        }
    return least;
}

static void furniture(dice *d, scene *s, vec at, float yaw) {
    frame f = about_y(yaw);
    int wood = paint(d, s, happens(d, 0.5f) ? PLANKS : CLOTH, between(d, 4, 12), 0.03f, 0.6f, 0.35f, 0.2f),
        other = paint(d, s, CLOTH, 8, 0.03f, 0.7f, 0.6f, 0.3f);
    float kind = chance(d), w = between(d, 0.3f, 0.8f), h = between(d, 0.35f, 0.5f);
    if (kind < 0.25f) { /* table and a thing on it */
        gn_solid_box(s, add(at, v3(0, 0.72f, 0)), f, v3(w, 0.025f, 0.4f), wood);
        for (int k = 0; k < 4; k++) {
            vec leg = add(at, out_of(f, v3(k & 1 ? w - 0.05f : 0.05f - w, 0, k & 2 ? 0.35f : -0.35f)));
            gn_solid_round(s, leg, add(leg, v3(0, 0.7f, 0)), 0.025f, 0.025f, wood);
        }
        gn_solid_box(s, add(at, v3(0.1f, 0.86f, 0)), f, v3(0.12f, 0.12f, 0.05f), other);
    } else if (kind < 0.45f) { /* sofa */
        gn_solid_box(s, add(at, v3(0, 0.22f, 0)), f, v3(w + 0.2f, 0.22f, 0.4f), other);
        gn_solid_box(s, add(at, out_of(f, v3(0, 0.55f, -0.35f))), f, v3(w + 0.2f, 0.35f, 0.1f), other);
        for (int k = -1; k <= 1; k += 2)
            gn_solid_box(s, add(at, out_of(f, v3((float)k * (w + 0.25f), 0.32f, 0))), f,
                         v3(0.09f, 0.32f, 0.42f), other);
    } else if (kind < 0.7f) { /* shelves with books */
        float high = between(d, 0.9f, 2.1f);
        gn_solid_box(s, add(at, v3(0, 0.5f * high, 0)), f, v3(w, 0.5f * high, 0.16f), wood);
        for (float y = 0.2f; y < high - 0.2f; y += 0.36f)
            gn_solid_box(s, add(at, out_of(f, v3(0, y + 0.1f, 0.14f))), f, v3(w - 0.05f, 0.12f, 0.04f),
                         paint(d, s, STRIPES_ALONG, between(d, 9, 20), 0.05f, 0.6f, 0.8f, 0.8f));
    } else if (kind < 0.85f) { /* lamp */
        gn_solid_round(s, at, add(at, v3(0, 1.5f, 0)), 0.02f, 0.02f, wood);
        gn_solid_round(s, add(at, v3(0, 1.45f, 0)), add(at, v3(0, 1.65f, 0)), 0.2f, 0.13f, other);
    } else if (kind < 0.93f) { /* pot plant */
        gn_solid_round(s, add(at, v3(0, 0.15f, 0)), add(at, v3(0, 0.4f, 0)), 0.13f, 0.18f, wood);
        int leaves = gn_surface_add(
            s, (surface){ LEAVES, { 0.02f, 0.06f, 0.015f }, { 0.12f, 0.28f, 0.06f }, 9, 0.05f, throw32(d) });
        for (int k = 0; k < 5; k++)
            gn_solid_blob(
                s, add(at, v3(between(d, -0.2f, 0.2f), between(d, 0.6f, 1.2f), between(d, -0.2f, 0.2f))), f,
                v3(0.22f, between(d, 0.15f, 0.35f), 0.2f), leaves);
    } else gn_solid_box(s, add(at, v3(0, h, 0)), f, v3(0.5f * w, h, 0.5f * w), other);
}

static void tree(dice *d, scene *s, vec at) {
    float h = between(d, 2.2f, 6), r = between(d, 0.08f, 0.22f);
    gn_solid_round(
        s, at, add(at, v3(0, h, 0)), r, 0.6f * r,
        gn_surface_add(
            s, (surface){ SPECKLE, { 0.09f, 0.06f, 0.04f }, { 0.03f, 0.02f, 0.015f }, 12, 0, throw32(d) }));
    vec green = mul(v3(0.10f, 0.22f, 0.05f), tint(d, 0.5f, 1.4f, 0.4f));
    int leaves =
        gn_surface_add(s, (surface){ LEAVES, scale(green, 0.3f), green, between(d, 2, 5), 0, throw32(d) });
    for (int k = 0; k < 6; k++)
        gn_solid_blob(
            s, add(at, v3(around(d, 0, 0.3f * h), h * between(d, 0.8f, 1.25f), around(d, 0, 0.3f * h))),
            upright(),
            v3(h * between(d, 0.14f, 0.3f), h * between(d, 0.12f, 0.25f), h * between(d, 0.14f, 0.3f)),
            leaves);
}

static void street_thing(dice *d, scene *s, vec at, float yaw) {
    frame f = about_y(yaw);
    float kind = chance(d);
    if (kind < 0.45f) tree(d, s, at);
    else if (kind < 0.6f) { /* car */
        int metal = paint(d, s, PLAIN, 1, 0.03f, 0.7f, 0.9f, 0),
            glass = paint(d, s, PLAIN, 1, 0.02f, 0.1f, 0.1f, 0);
        gn_solid_box(s, add(at, v3(0, 0.62f, 0)), f, v3(2.0f, 0.32f, 0.85f), metal);
        gn_solid_flat(s, add(at, out_of(f, v3(-0.8f, 1.05f, 0))), add(at, out_of(f, v3(0.6f, 1.05f, 0))),
                      0.38f, 0.36f, v3(0, 1, 0), 1, 1.9f, glass);
        for (int k = 0; k < 4; k++)
            gn_solid_blob(s, add(at, out_of(f, v3(k & 1 ? 1.25f : -1.25f, 0.32f, k & 2 ? 0.85f : -0.85f))), f,
                          v3(0.32f, 0.32f, 0.12f), glass);
    } else if (kind < 0.75f) { /* bush */
        int leaves = gn_surface_add(
            s,
            (surface){ LEAVES, { 0.02f, 0.05f, 0.01f }, paint_of(d, 0.1f, 0.25f, 0.5f), 6, 0, throw32(d) });
        for (int k = 0; k < 4; k++)
            gn_solid_blob(s, add(at, v3(around(d, 0, 0.5f), between(d, 0.2f, 0.6f), around(d, 0, 0.5f))),
                          upright(), v3(0.5f, between(d, 0.3f, 0.6f), 0.5f), leaves);
    } else if (kind < 0.85f) { /* pole */
        gn_solid_round(s, at, add(at, v3(0, between(d, 2.5f, 6), 0)), 0.06f, 0.05f,
                       paint(d, s, PLAIN, 1, 0.05f, 0.6f, 0.3f, 0));
    } else
        gn_solid_box(s, add(at, v3(0, 0.4f, 0)), f,
                     v3(between(d, 0.4f, 1.8f), between(d, 0.35f, 0.6f), between(d, 0.15f, 0.5f)),
                     paint(d, s, CLOTH, 5, 0.05f, 0.6f, 0.6f, 0.2f));
}

static void room(dice *d, scene *s, const view *v, int views, int lab) {
    static const pattern floors[] = { PLANKS, TILES, SPECKLE, CHECKS, PLANKS, CLOTH },
                         walls[] = { CLOTH, STRIPES_ALONG, BRICKS, SPAN, DOTS, CLOTH, TILES };
    s->place = lab ? STUDIO : ROOM;
    float w[4] = { 1e9f, -1e9f, 1e9f, -1e9f };
    for (int k = 0; k < views + s->people; k++) {
        vec p = k < views ? v[k].eye : s->stand[k - views];
        w[0] = fminf(w[0], p.x), w[1] = fmaxf(w[1], p.x), w[2] = fminf(w[2], p.z), w[3] = fmaxf(w[3], p.z);
        s->ceiling = fmaxf(s->ceiling, p.y + 0.5f);
    }
    for (int k = 0; k < 4; k++) s->room[k] = w[k] + (k & 1 ? 1.f : -1.f) * (lab ? 1.5f : between(d, 1, 3.5f));
    s->ceiling = lab ? 4.5f : fmaxf(s->ceiling, between(d, 2.4f, 3.6f));
    if (lab) {
        s->ground = gn_surface_add(s, (surface){ CLOTH, { 0.22f, 0.20f, 0.18f }, { 0, 0, 0 }, 30, 0, 5 });
        int wall =
            gn_surface_add(s, (surface){ SPAN, { 0.30f, 0.33f, 0.36f }, { 0.42f, 0.45f, 0.48f }, 1, 0, 5 });
        for (int k = 0; k < 4; k++) s->wall[k] = wall;
        s->ceiling_surface = wall;
        return;
    }
    pattern kind = floors[pick(d, 6)];
    s->ground = paint(d, s, kind,
                      kind == PLANKS    ? between(d, 5, 10)
                      : kind == SPECKLE ? 30
                      : kind == CLOTH   ? 12
                                        : between(d, 1.2f, 3),
                      0.08f, 0.6f, 0.25f, kind == SPECKLE ? 0.25f : between(d, 0.2f, 0.8f));
    kind = walls[pick(d, 7)];
    int paper =
        paint(d, s, kind, kind == CLOTH ? 3 : between(d, 2, 7), 0.12f, 0.85f, 0.3f, between(d, 0.1f, 0.6f));
    for (int k = 0; k < 4; k++)
        s->wall[k] = happens(d, 0.75f) ? paper : paint(d, s, CLOTH, 2, 0.15f, 0.85f, 0.35f, 0.2f);
    s->ceiling_surface = paint(d, s, PLAIN, 1, 0.6f, 0.9f, 0.05f, 0);
    for (int k = 0; k < 18; k++) { /* pictures, windows, doors, posters: thin boxes on walls */
        int wall = pick(d, 4), door = happens(d, 0.2f);
        float u = wall < 2 ? between(d, s->room[2], s->room[3]) : between(d, s->room[0], s->room[1]),
              y = door ? 1.03f : between(d, 1.1f, 2);
        vec at = wall < 2 ? v3(s->room[wall], y, u) : v3(u, y, s->room[wall]);
        float half = door ? 0.45f : between(d, 0.12f, 0.7f), high = door ? 1.03f : between(d, 0.12f, 0.6f);
        static const pattern hung[] = { LEAVES, WINDOWS, CHECKS, SPECKLE, STRIPES_ACROSS, GRASS };
        int what =
            paint(d, s, door ? PLANKS : hung[pick(d, 6)], between(d, 1.5f, 8), 0.03f, 0.9f, 0.6f, 0.9f);
        gn_solid_box(s, at, upright(), wall < 2 ? v3(0.03f, high, half) : v3(half, high, 0.03f), what);
    }
    for (int k = 0, n = 5 + pick(d, 9); k < n; k++) { /* along walls, and freely */
        vec at = v3(between(d, s->room[0], s->room[1]), 0, between(d, s->room[2], s->room[3]));
        int wall = pick(d, 6);
        float yaw = between(d, 0, TURN);
        static const float facing[4] = { 0.25f, 0.75f, 0, 0.5f };
        if (wall < 4)
            *(wall < 2 ? &at.x : &at.z) = s->room[wall] + (wall & 1 ? -0.3f : 0.3f),
                                 yaw = facing[wall] * TURN;
        if (clearance(s, v, views, at) > 1.25f) furniture(d, s, at, yaw);
    }
}

static void outdoors(dice *d, scene *s, const view *v, int views) {
    static const pattern floors[] = { GRASS, SPECKLE, GRASS, TILES, PLANKS, BRICKS };
    s->place = OUTDOORS;
    pattern kind = floors[pick(d, 6)];
    if (kind == GRASS) {
        vec c = mul(happens(d, 0.75f) ? v3(0.10f, 0.17f, 0.04f) : v3(0.35f, 0.28f, 0.17f),
                    tint(d, 0.6f, 1.3f, 0.2f));
        s->ground = gn_surface_add(
            s, (surface){ GRASS, scale(c, 0.5f), scale(c, 1.4f), between(d, 2, 9), 0, throw32(d) });
    } else
        s->ground = paint(d, s, kind, kind == SPECKLE ? between(d, 10, 40) : between(d, 0.8f, 4), 0.1f, 0.45f,
                          0.15f, kind == SPECKLE ? 0.3f : between(d, 0.15f, 0.6f));
    s->zenith = mul(v3(0.16f, 0.32f, 0.72f), tint(d, 0.5f, 1.2f, 0.15f));
    s->horizon = mul(v3(0.62f, 0.72f, 0.85f), tint(d, 0.7f, 1.1f, 0.1f));
    s->cloud = chance(d);
    s->hills = happens(d, 0.5f) ? between(d, 0.05f, 0.4f) : 0;
    s->haze = between(d, 0.0005f, 0.012f);
    vec centre = s->stand[0];
    if (happens(d, 0.6f)) /* houses */
        for (int k = 0, n = 3 + pick(d, 8); k < n; k++) {
            float yaw = between(d, 0, TURN), away = between(d, 14, 40);
            vec half = v3(between(d, 3, 8), between(d, 2.5f, 12), between(d, 3, 6));
            static const pattern fronts[] = { WINDOWS, WINDOWS, BRICKS };
            vec at = v3(centre.x + away * sinf(yaw), half.y, centre.z + away * cosf(yaw));
            if (clearance(s, v, views, at) > 10)
                gn_solid_box(
                    s, at, about_y(yaw + around(d, 0, 0.2f)), half,
                    paint(d, s, fronts[pick(d, 3)], between(d, 0.25f, 0.6f), 0.12f, 0.7f, 0.3f, 0.8f));
        }
    for (int k = 0, n = 4 + pick(d, 16); k < n; k++) {
        float yaw = between(d, 0, TURN), away = 2.5f + 20 * chance(d) * chance(d);
        vec at = v3(centre.x + away * sinf(yaw), 0, centre.z + away * cosf(yaw));
        if (clearance(s, v, views, at) > 2.4f) street_thing(d, s, at, between(d, 0, TURN));
    }
}

void gn_stage_set(dice *d, scene *s, int lab, const view *v, int views) {
    float kind = chance(d);
    s->seed = throw32(d);
    if (lab) room(d, s, v, views, 1);
    else if (s->photo) s->place = PHOTOGRAPH;
    else if (kind < 0.45f) room(d, s, v, views, 0);
    else if (kind < 0.9f) outdoors(d, s, v, views);
    else {
        s->place = NOISE;
        s->zenith = tint(d, 0.02f, 0.8f, 0.5f);
        s->horizon = tint(d, 0.02f, 0.8f, 0.5f);
        s->ground = paint(d, s, PLAIN, 1, 0.02f, 0.8f, 0.6f, 0);
        s->photo_at[2] = between(d, 2, 14);
    }
}

/* Furniture, a pole, or something thrown into the picture hides a part of the first person. */
void gn_stage_hide(dice *d, scene *s, const view *v) {
    static const int targets[] = { 0, 1, 2, 3, 4, 5, 6, 10, 11, 12, 13, 14, 15, 1, 4, 6 };
    vec joint = s->anchor.at[targets[pick(d, 16)]];
    float share = between(d, 0.55f, 0.85f), kind = chance(d);
    vec at = mix(v->eye, joint, share), line = sub(joint, v->eye);
    float span = (s->anchor.at[9].y + 0.2f) * share;
    vec right = v->axes.x;
    frame f = frame_of(v3(0, 1, 0), unit(v3(line.x, 0, line.z)));
    static const pattern kinds[] = { PLANKS, CLOTH, CHECKS, STRIPES_ALONG, SPECKLE, LEAVES, PLAIN };
    int what = paint(d, s, kinds[pick(d, 7)], between(d, 3, 14), 0.03f, 0.8f, 0.6f, between(d, 0.2f, 0.8f));
    /* from the floor up, as tables and hedges do; never higher than the hips, or nobody would be left */
    int low = at.y > 0.1f && joint.y < s->anchor.at[6].y + 0.06f;
    if (kind < 0.4f && !low) kind += 0.42f;
    if (kind < 0.4f) {
        float w = between(d, 0.10f, 0.40f);
        vec base = along(at, right, around(d, 0, 0.3f));
        gn_solid_box(s, v3(base.x, 0.5f * at.y, base.z), turn(f, about_y(around(d, 0, 0.3f))),
                     v3(w, 0.5f * at.y + 0.02f, between(d, 0.05f, 0.2f)), what);
    } else if (kind < 0.6f) {
        float r = between(d, 0.03f, 0.09f);
        vec base = along(at, right, around(d, 0, 0.05f));
        gn_solid_round(s, v3(base.x, 0, base.z), v3(base.x, fmaxf(2.6f, v->eye.y + 1), base.z), r, r, what);
    } else if (kind < 0.85f) {
        frame any = turn(turn(about_y(between(d, 0, TURN)), about_x(between(d, 0, TURN))),
                         about_z(between(d, 0, TURN)));
        float r = between(d, 0.06f, 0.16f) * span / 1.3f;
        if (happens(d, 0.5f)) gn_solid_box(s, at, any, v3(r, r * between(d, 0.4f, 1.6f), r * 0.6f), what);
        else gn_solid_blob(s, at, any, v3(r, r * between(d, 0.6f, 1.4f), r), what);
    } else { /* leaves before the lens */
        int leaves = gn_surface_add(
            s, (surface){
                   LEAVES, { 0.02f, 0.05f, 0.01f }, paint_of(d, 0.06f, 0.25f, 0.6f), 30, 0.1f, throw32(d) });
        for (int k = 0; k < 7; k++) {
            frame any = turn(about_y(between(d, 0, TURN)), about_x(between(d, 0, TURN)));
            vec off = add(scale(right, around(d, 0, 0.13f)), v3(0, around(d, 0, 0.13f), 0));
            gn_solid_blob(s, add(at, off), any, v3(0.03f, between(d, 0.06f, 0.12f), 0.012f), leaves);
        }
    }
}

void gn_stage_light(dice *d, scene *s, int lab) {
    light *l = &s->light;
    float rise = lab ? 62 * DEGREES : between(d, 22, 75) * DEGREES, round = lab ? 0.6f : between(d, 0, TURN);
    l->to = v3(sinf(round) * cosf(rise), sinf(rise), cosf(round) * cosf(rise));
    float warm = lab ? 0 : around(d, 0, 0.12f), hard = lab ? 0.45f : chance(d),
          power = lab ? 1 : between(d, 0.75f, 1.2f);
    if (s->place == ROOM) hard *= 0.8f, warm += 0.05f;
    float sun = power * lerp(0.12f, 1.25f, hard), sky = power * lerp(0.85f, 0.32f, hard);
    l->sun = scale(v3(1 + warm, 1, 1 - warm), sun);
    float cold = s->place == OUTDOORS ? 0.12f : 0.02f;
    l->sky = scale(v3(1 - cold, 1, 1 + cold), sky);
    vec below = s->surfaces ? s->surface[s->ground].a : v3(0.3f, 0.3f, 0.3f);
    l->bounce = scale(mix(below, v3(0.4f, 0.4f, 0.4f), 0.6f), sky * 0.9f);
    s->exposure = lab ? 1.25f : between(d, 0.85f, 1.7f);
    s->noise = lab ? 0.008f : 0.035f * chance(d) * chance(d) + 0.004f;
    s->blur = lab ? 0.06f : 0.2f * chance(d) * chance(d);
    s->warm = lab ? 0 : around(d, 0, 0.05f);
}
