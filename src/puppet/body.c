/* body.c - a body's proportions, and the points of a posed one.
 *
 * Lengths are shares of stature after Drillis and Contini's segment tables, scattered a few percent;
 * heads of children are larger, their legs shorter. */
#include "src/puppet/world.h"

static void lengths(dice *d, body *b) {
    float kind = chance(d);
    b->female = happens(d, 0.5f);
    b->child = kind < 0.15f;
    b->old = kind > 0.86f;
    b->height = around(d, b->female ? 1.64f : 1.76f, 0.07f);
    if (b->child) b->height = between(d, 1.05f, 1.5f);
    float h = b->height, legs = around(d, b->child ? 0.96f : 1, 0.03f), arms = around(d, legs, 0.03f);
    b->thigh = h * 0.242f * legs * around(d, 1, 0.015f);
    b->shin = h * 0.243f * legs * around(d, 1, 0.015f);
    b->ankle = h * 0.043f;
    b->foot = h * 0.112f;
    b->hip = h * around(d, 0.050f, 0.003f);
    b->waist = h * 0.088f;
    b->chest = h * around(d, 0.188f, 0.006f);
    b->neck = h * around(d, 0.052f, 0.004f);
    b->head = h * 0.135f;
    if (b->child) b->head = lerp(0.225f, 0.232f, chance(d)); /* nearly grown by five */
    b->shoulder = h * around(d, b->female ? 0.099f : 0.108f, 0.004f);
    b->upper = h * 0.170f * arms;
    b->fore = h * 0.148f * arms;
    b->hand = h * 0.098f;
    b->girth = clampf(around(d, b->child ? 0.95f : 1.02f, 0.13f), 0.78f, 1.45f);
    b->belly = fmaxf(0, b->girth - 1.05f) * 0.22f;
}

static vec hue(float h, float saturation, float value) { /* linear light */
    float c[3];
    for (int k = 0; k < 3; k++) {
        float t = fabsf(fmodf(h * 6 + (k == 0 ? 0.f : k == 1 ? 4.f : 2.f), 6) - 3) - 1;
        float v = value * (1 - saturation + saturation * clampf(t, 0, 1));
        c[k] = v * v;
    }
    return v3(c[0], c[1], c[2]);
}

static vec dye(dice *d) {
    float kind = chance(d), h = chance(d);
    if (kind < 0.22f) return hue(h, 0.1f, between(d, 0.13f, 0.38f)); /* dark */
    if (kind < 0.40f) return hue(h, 0.06f, between(d, 0.72f, 0.96f)); /* white */
    if (kind < 0.55f) return hue(h, 0.08f, between(d, 0.4f, 0.7f));
    return hue(h, between(d, 0.25f, 0.85f), between(d, 0.35f, 0.9f));
}

static vec jeans(dice *d) {
    float kind = chance(d);
    if (kind < 0.4f) return hue(between(d, 0.58f, 0.66f), between(d, 0.3f, 0.6f), between(d, 0.22f, 0.6f));
    if (kind < 0.75f) return hue(0.6f, 0.08f, between(d, 0.12f, 0.4f));
    if (kind < 0.9f) return hue(0.1f, between(d, 0.15f, 0.4f), between(d, 0.4f, 0.75f));
    return dye(d);
}

static surface cloth(dice *d, vec colour, float patterned) {
    static const pattern kinds[] = { STRIPES_ACROSS, STRIPES_ALONG, CHECKS, DOTS, SPECKLE };
    surface p = { CLOTH, colour, colour, between(d, 9, 20), 0.02f, throw32(d) };
    if (happens(d, patterned)) {
        p.kind = kinds[pick(d, 5)];
        p.per_metre = between(d, 5, 22);
        p.b = dye(d);
    }
    return p;
}

static void dress(dice *d, scene *s, body *b) {
    static const vec tones[] = { { 0.78f, 0.53f, 0.41f },
                                 { 0.66f, 0.42f, 0.30f },
                                 { 0.48f, 0.29f, 0.19f },
                                 { 0.27f, 0.15f, 0.10f },
                                 { 0.11f, 0.062f, 0.043f } };
    static const vec hairs[] = { { 0.012f, 0.011f, 0.01f },
                                 { 0.035f, 0.022f, 0.015f },
                                 { 0.10f, 0.05f, 0.025f },
                                 { 0.38f, 0.25f, 0.11f },
                                 { 0.22f, 0.06f, 0.02f } };
    float tone = between(d, 0, 3.999f);
    vec skin = mix(tones[(int)tone], tones[(int)tone + 1], tone - floorf(tone));
    vec hair = b->old ? hue(0.1f, 0.05f, between(d, 0.5f, 0.9f))
                      : scale(hairs[tone > 2.5f ? 0 : pick(d, 5)], between(d, 0.7f, 1.4f));
    vec top = dye(d), bottom = jeans(d);
    surface shirt = cloth(d, top, 0.42f), front = shirt;
    if (shirt.kind == CLOTH && happens(d, 0.7f)) {
        front.kind = happens(d, 0.5f) ? SHIRT : PRINT;
        front.b = front.kind == PRINT ? dye(d) : scale(top, between(d, 0.3f, 0.7f));
    }
    b->skin = gn_surface_add(s, (surface){ SPECKLE, skin, scale(skin, 0.9f), 30, 0.12f, throw32(d) });
    b->face = gn_surface_add(s, (surface){ FACE, skin, scale(hair, 0.8f), 1, 0.12f, 0 });
    b->hair = gn_surface_add(s, (surface){ SPECKLE, hair, scale(hair, 0.5f), 60, 0.15f, throw32(d) });
    b->shirt = gn_surface_add(s, shirt);
    b->front = gn_surface_add(s, front);
    b->trousers = gn_surface_add(s, cloth(d, bottom, 0.1f));
    b->shoes = gn_surface_add(s, (surface){ PLAIN, dye(d), skin, 1, 0.1f, 0 });
    b->sole = gn_surface_add(
        s, (surface){ PLAIN, hue(0.1f, 0.05f, happens(d, 0.5f) ? 0.9f : 0.15f), skin, 1, 0, 0 });
    b->extra = gn_surface_add(s, cloth(d, dye(d), 0.3f));
    float sleeves = chance(d), legs = chance(d);
    b->sleeve = sleeves < 0.45f  ? between(d, 0.35f, 0.8f)
                : sleeves < 0.6f ? 0
                : sleeves < 0.7f ? between(d, 1.1f, 1.6f)
                                 : 1.97f;
    b->leg = legs < 0.25f ? between(d, 0.35f, 0.95f) : legs < 0.33f ? between(d, 1.2f, 1.6f) : 1.95f;
    b->skirt = b->female && !b->old && happens(d, 0.18f) ? 1 : 0;
    if (b->skirt) b->leg = 0.2f;
    b->loose = between(d, 0.002f, 0.014f);
    float cut = chance(d);
    if (b->female) b->style = cut < 0.4f ? LONG_HAIR : cut < 0.6f ? PONYTAIL : cut < 0.72f ? BUN : SHORT_HAIR;
    else b->style = cut < (b->old ? 0.4f : 0.1f) ? BALD : cut < 0.16f ? LONG_HAIR : SHORT_HAIR;
    b->hat = happens(d, 0.12f) ? 1 + pick(d, 2) : 0;
    b->pack = happens(d, 0.06f);
    b->beard = !b->female && !b->child && happens(d, 0.25f);
}

/* Lab people are few: a small number chosen by the caller's dice names one of them wholly. */
void gn_body_make(dice *d, scene *s, body *b, int lab) {
    dice own = lab ? dice_of(d->seed, 77, (uint64_t)pick(d, 6)) : *d;
    *b = (body){ 0 };
    lengths(&own, b);
    dress(&own, s, b);
    if (lab) b->pack = b->hat = 0;
    else *d = own;
}

/* The lowest point of a posed body, with flesh. */
static float lowest(const body *b, const figure *f) {
    static const float flesh[16] = { 0,     0.05f, 0.10f, 0.10f, 0.05f, 0,     0.11f, 0.07f,
                                     0.08f, 0.02f, 0.03f, 0.04f, 0.05f, 0.05f, 0.04f, 0.03f };
    float low = 1e9f;
    for (int k = 0; k < 16; k++)
        if (k != 0 && k != 5) low = fminf(low, f->at[k].y - flesh[k] * b->height / 1.75f);
    for (int side = 0; side < 2; side++) {
        vec ankle = f->at[side == RIGHT ? 0 : 5], toe = f->toe[side];
        vec shin = unit(sub(ankle, f->at[side == RIGHT ? 1 : 4]));
        vec heel = along(along(ankle, unit(sub(toe, ankle)), -0.3f * b->foot), shin, b->ankle);
        low = fminf(low, fminf(heel.y, fminf(toe.y - 0.02f, ankle.y - 0.035f)));
        low = fminf(low, f->tip[side].y - 0.015f);
    }
    return low;
}

void gn_body_pose(const body *b, const pose *p, figure *f) {
    f->pelvis = p->pelvis;
    f->chest = p->chest;
    f->head = p->head;
    vec pelvis = v3(p->root.x, p->root.y * (b->thigh + b->shin + b->ankle), p->root.z);
    vec waist = along(pelvis, p->pelvis.y, b->waist);
    vec thorax = along(waist, p->chest.y, b->chest);
    f->at[6] = pelvis;
    f->at[7] = thorax;
    vec neck = unit(along(along(p->chest.y, p->head.y, 0.6f), p->chest.z, 0.25f + (b->old ? 0.2f : 0)));
    f->at[8] = along(thorax, neck, b->neck);
    f->at[9] = along(f->at[8], p->head.y, b->head);
    static const int hip[2] = { 2, 3 }, knee[2] = { 1, 4 }, ankle[2] = { 0, 5 }, shoulder[2] = { 12, 13 },
                     elbow[2] = { 11, 14 }, wrist[2] = { 10, 15 };
    for (int k = 0; k < 2; k++) {
        float side = k == RIGHT ? -1.f : 1.f;
        f->at[hip[k]] = along(pelvis, p->pelvis.x, side * b->hip);
        f->at[knee[k]] = along(f->at[hip[k]], p->leg[k][0], b->thigh);
        f->at[ankle[k]] = along(f->at[knee[k]], p->leg[k][1], b->shin);
        f->toe[k] = along(along(f->at[ankle[k]], p->leg[k][2], b->foot), p->leg[k][1], b->ankle * 0.6f);
        /* the collar bone follows a raised arm */
        float raised = dot(p->arm[k][0], p->chest.y);
        vec root = along(along(thorax, p->chest.x, side * b->shoulder), p->chest.y,
                         b->height * (-0.012f + 0.016f * fmaxf(0, raised + 0.2f)));
        f->at[shoulder[k]] = root;
        f->at[elbow[k]] = along(root, p->arm[k][0], b->upper);
        f->at[wrist[k]] = along(f->at[elbow[k]], p->arm[k][1], b->fore);
        f->tip[k] = along(f->at[wrist[k]], p->arm[k][2], b->hand);
    }
    float low = lowest(b, f), up = p->grounded ? p->lift - low : fmaxf(0, -low);
    for (int k = 0; k < 16; k++) f->at[k].y += up;
    for (int k = 0; k < 2; k++) f->toe[k].y += up, f->tip[k].y += up;
}
