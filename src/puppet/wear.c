/* wear.c - flesh, hair and clothes over a posed body's points: about sixty shapes a person. */
#include "src/puppet/world.h"

typedef struct {
    scene *s;
    const body *b;
    const figure *f;
    int person;
    float k;
} tailor; /* k: metres a unit of a 1.75 m body */

static void mark(const tailor *t, shape *p, int part) {
    p->person = (uint8_t)t->person;
    p->part = (uint8_t)(t->person ? GN_PART_OTHER : part);
}
static void cone(const tailor *t, int part, vec from, vec to, float ra, float rb, int paint) {
    mark(t, gn_solid_round(t->s, from, to, ra * t->k, rb * t->k, paint), part);
}
static void flat(const tailor *t, int part, vec from, vec to, float ra, float rb, vec side, float wide,
                 float deep, int paint) {
    mark(t, gn_solid_flat(t->s, from, to, ra * t->k, rb * t->k, side, wide, deep, paint), part);
}
static void blob(const tailor *t, int part, vec at, frame f, float x, float y, float z, int paint) {
    mark(t, gn_solid_blob(t->s, at, f, scale(v3(x, y, z), t->k), paint), part);
}
static vec step(frame f, vec from, float x, float y, float z, float k) {
    return add(from, out_of(f, scale(v3(x, y, z), k)));
}

static void trunk(const tailor *t) {
    const body *b = t->b;
    const figure *f = t->f;
    float k = t->k, g = sqrtf(b->girth), off = b->loose;
    frame P = f->pelvis, C = f->chest;
    vec pelvis = f->at[6], thorax = f->at[7], waist = along(pelvis, P.y, b->waist);
    float hips = (b->hip / k + 0.070f) * g * (b->female ? 1.04f : 1) + off;
    float middle = (b->female ? 0.112f : 0.128f) * (0.4f + 0.6f * b->girth) * g + off,
          ribs = (b->shoulder / k) * (b->female ? 0.76f : 0.80f) * g + off;
    if (b->child) middle *= 1.08f;
    vec breast = step(C, thorax, 0, -0.12f, 0, k);
    flat(t, GN_PART_TORSO, step(P, pelvis, 0, -0.015f, -0.005f, k), step(P, pelvis, 0, 0.085f, 0, k), hips,
         lerp(hips, middle, 0.75f), P.x, 1, 0.66f, b->trousers);
    for (int side = -1; side <= 1; side += 2)
        blob(t, GN_PART_TORSO, step(P, pelvis, (float)side * b->hip / k * 0.75f, -0.03f, -0.05f, k), P,
             0.082f * g, 0.10f, 0.088f * g, b->trousers);
    flat(t, GN_PART_TORSO, step(P, pelvis, 0, 0.08f, 0, k), step(C, waist, 0, 0.04f, 0, k),
         lerp(hips, middle, 0.7f) + 0.004f, middle, P.x, 1, 0.70f, b->front);
    flat(t, GN_PART_TORSO, step(C, waist, 0, 0.0f, 0, k), breast, middle, ribs, C.x, 1, 0.68f, b->front);
    flat(t, GN_PART_TORSO, breast, step(C, thorax, 0, -0.03f, -0.005f, k), ribs, ribs * 0.72f, C.x, 1, 0.60f,
         b->front);
    if (b->belly > 0)
        blob(t, GN_PART_TORSO, step(P, pelvis, 0, 0.13f, 0.03f, k), P, middle * 0.95f, 0.13f,
             middle * 0.66f + b->belly, b->front);
    if (b->female && !b->child)
        for (int side = -1; side <= 1; side += 2)
            blob(t, GN_PART_TORSO, step(C, breast, (float)side * 0.065f, -0.025f, ribs * 0.44f, k), C, 0.062f,
                 0.062f, 0.05f * g, b->front);
    /* shoulder girdle and neck */
    vec nape = along(f->at[8], C.z, 0.005f);
    for (int side = 0; side < 2; side++) {
        vec shoulder = f->at[side ? 13 : 12];
        flat(t, GN_PART_TORSO, shoulder, step(C, thorax, 0, -0.03f, -0.01f, k), 0.054f * g + off,
             0.066f * g + off, C.y, 1, 1, b->shirt);
        cone(t, GN_PART_TORSO, step(C, shoulder, side ? -0.03f : 0.03f, 0.022f, -0.01f, k),
             step(C, thorax, 0, 0.028f, -0.01f, k), 0.030f * g, 0.045f, b->shirt);
    }
    float throat = b->female || b->child ? 0.047f : 0.057f;
    cone(t, GN_PART_HEAD, step(C, thorax, 0, 0.0f, 0, k), step(f->head, nape, 0, 0.05f, 0, k), throat * 1.06f,
         throat, b->skin);
    if (b->pack) {
        shape *p = gn_solid_box(t->s, step(C, thorax, 0, -0.22f, -ribs * 0.6f - 0.09f, k), C,
                                scale(v3(0.14f, 0.21f, 0.075f), k), b->extra);
        mark(t, p, GN_PART_TORSO);
    }
}

static void head(const tailor *t) {
    const body *b = t->b;
    frame H = t->f->head;
    tailor u = *t;
    float k = u.k = b->head / 0.236f; /* heads keep their own scale */
    vec at = step(H, t->f->at[8], 0, 0.128f, 0.022f, k);
    blob(&u, GN_PART_HEAD, at, H, 0.076f, 0.108f, 0.094f, b->face);
    blob(&u, GN_PART_HEAD, step(H, at, 0, -0.062f, 0.022f, k), H, 0.053f, 0.062f, 0.062f,
         b->beard ? b->hair : b->skin);
    if (b->beard)
        blob(&u, GN_PART_HEAD, step(H, at, 0, -0.045f, 0.04f, k), H, 0.046f, 0.036f, 0.052f, b->skin);
    cone(&u, GN_PART_HEAD, step(H, at, 0, 0.0f, 0.09f, k), step(H, at, 0, -0.027f, 0.103f, k), 0.009f, 0.014f,
         b->skin);
    for (int side = -1; side <= 1; side += 2)
        blob(&u, GN_PART_HEAD, step(H, at, (float)side * 0.077f, -0.008f, -0.008f, k), H, 0.012f, 0.030f,
             0.018f, b->skin);
    if (b->style != BALD) {
        blob(&u, GN_PART_HEAD, step(H, at, 0, 0.022f, -0.022f, k), H, 0.084f, 0.100f, 0.090f, b->hair);
        blob(&u, GN_PART_HEAD, step(H, at, 0, 0.074f, 0.022f, k), H, 0.062f, 0.040f, 0.066f, b->hair);
    }
    if (b->style == LONG_HAIR) {
        frame C = t->f->chest;
        vec end = along(along(step(H, at, 0, -0.12f, -0.05f, k), C.y, -0.06f * k), C.z, -0.05f * k);
        flat(&u, GN_PART_HEAD, step(H, at, 0, 0.0f, -0.035f, k), end, 0.082f, 0.075f, H.x, 1.08f, 0.62f,
             b->hair);
    }
    if (b->style == PONYTAIL)
        cone(&u, GN_PART_HEAD, step(H, at, 0, 0.05f, -0.115f, k), step(H, at, 0, -0.14f, -0.15f, k), 0.034f,
             0.014f, b->hair);
    if (b->style == BUN)
        blob(&u, GN_PART_HEAD, step(H, at, 0, 0.075f, -0.095f, k), H, 0.042f, 0.042f, 0.042f, b->hair);
    if (b->hat) {
        blob(&u, GN_PART_HEAD, step(H, at, 0, 0.055f, -0.008f, k), H, 0.088f, 0.068f, 0.104f, b->extra);
        if (b->hat == 1)
            blob(&u, GN_PART_HEAD, step(H, at, 0, 0.048f, 0.105f, k), H, 0.068f, 0.012f, 0.065f, b->extra);
        else blob(&u, GN_PART_HEAD, step(H, at, 0, 0.045f, 0, k), H, 0.15f, 0.012f, 0.165f, b->extra);
    }
}

/* Cloth over share [0, most] of a cone, standing off by `off`. */
static void tube(const tailor *t, int part, vec from, vec to, float ra, float rb, float share, float off,
                 int paint) {
    if (share <= 0.02f) return;
    float most = fminf(share, 1);
    cone(t, part, from, mix(from, to, most), ra + off, lerp(ra, rb, most) + off, paint);
}

static void arm(const tailor *t, int side) {
    const body *b = t->b;
    const figure *f = t->f;
    vec shoulder = f->at[side ? 13 : 12], elbow = f->at[side ? 14 : 11], wrist = f->at[side ? 15 : 10],
        tip = f->tip[side];
    int upper = side ? GN_PART_L_UPPER_ARM : GN_PART_R_UPPER_ARM,
        fore = side ? GN_PART_L_FOREARM : GN_PART_R_FOREARM, hand = side ? GN_PART_L_HAND : GN_PART_R_HAND;
    float g = (0.35f + 0.65f * sqrtf(b->girth)) * (b->female ? 0.9f : 1), off = 0.005f + b->loose;
    float r[3] = { 0.051f * g, 0.040f * g, 0.027f * (0.5f + 0.5f * g) };
    cone(t, upper, shoulder, elbow, r[0], r[1], b->sleeve > 0.95f ? b->shirt : b->skin);
    vec thick = mix(elbow, wrist, 0.28f);
    int bare = b->sleeve > 1.9f ? b->shirt : b->skin;
    cone(t, fore, elbow, thick, r[1], r[1] * 1.08f, bare);
    cone(t, fore, thick, wrist, r[1] * 1.08f, r[2], bare);
    tube(t, upper, shoulder, elbow, r[0], r[1], b->sleeve, off, b->shirt);
    tube(t, fore, elbow, wrist, r[1] * 1.05f, r[2] * 1.05f, b->sleeve - 1, off, b->shirt);
    /* palm flat across the elbow's hinge; thumb forward of it */
    vec along_hand = unit(sub(tip, wrist)),
        hinge = cross(unit(sub(elbow, shoulder)), unit(sub(wrist, elbow)));
    if (!(dot(hinge, hinge) > 0.01f)) hinge = scale(f->chest.x, -1);
    frame h = frame_of(along_hand, cross(unit(hinge), along_hand));
    float k = b->hand / 0.172f / t->k;
    vec palm = mix(wrist, tip, 0.48f);
    flat(t, hand, mix(wrist, tip, 0.08f), palm, 0.026f * k, 0.036f * k, h.z, 1.05f, 0.55f, b->skin);
    flat(t, hand, palm, mix(wrist, tip, 0.93f), 0.034f * k, 0.022f * k, h.z, 1, 0.5f, b->skin);
    cone(t, hand, mix(wrist, tip, 0.2f), along(mix(wrist, tip, 0.55f), h.z, 0.045f * t->k * k), 0.016f * k,
         0.011f * k, b->skin);
}

static void leg(const tailor *t, int side) {
    const body *b = t->b;
    const figure *f = t->f;
    vec hip = f->at[side ? 3 : 2], knee = f->at[side ? 4 : 1], ankle = f->at[side ? 5 : 0],
        toe = f->toe[side];
    int thigh = side ? GN_PART_L_THIGH : GN_PART_R_THIGH, shin = side ? GN_PART_L_SHIN : GN_PART_R_SHIN,
        foot = side ? GN_PART_L_FOOT : GN_PART_R_FOOT;
    float g = 0.3f + 0.7f * sqrtf(b->girth), off = 0.005f + b->loose * 1.3f, k = t->k;
    float r[3] = { 0.086f * g * (b->female ? 1.04f : 1), 0.056f * g, 0.037f * (0.5f + 0.5f * g) };
    cone(t, thigh, hip, knee, r[0], r[1], b->leg > 0.95f ? b->trousers : b->skin);
    vec ahead = unit(sub(toe, ankle)), down = unit(sub(ankle, knee));
    int bare = b->leg > 1.9f ? b->trousers : b->skin;
    cone(t, shin, knee, ankle, r[1] * 0.95f, r[2], bare);
    vec back = scale(cross(down, unit(cross(ahead, down))), -1);
    if (dot(back, ahead) > 0) back = scale(back, -1);
    cone(t, shin, along(mix(knee, ankle, 0.2f), back, 0.012f * k),
         along(mix(knee, ankle, 0.45f), back, 0.012f * k), r[1] * 0.93f, r[1] * 0.88f, bare);
    tube(t, thigh, hip, knee, r[0], r[1], b->leg, off, b->trousers);
    tube(t, shin, knee, ankle, r[1] * 1.05f, r[2] * 1.35f, b->leg - 1, off, b->trousers);
    if (b->skirt) {
        vec hem = along(mix(hip, knee, 0.85f), f->pelvis.x, side ? 0.02f : -0.02f);
        cone(t, thigh, along(hip, f->pelvis.x, side ? -0.02f : 0.02f), hem, r[0] * 1.12f, r[0] * 1.35f,
             b->trousers);
    }
    /* shoe: heel, ball, ankle; the sole is a flat slab under both */
    float z = b->foot / 0.196f / k;
    vec sole = unit(along(down, ahead, -dot(down, ahead)));
    vec heel = along(along(ankle, ahead, -0.038f * k * z), sole, b->ankle * 0.42f),
        ball = along(along(ankle, ahead, 0.66f * b->foot), sole, b->ankle * 0.50f);
    vec across = cross(ahead, sole);
    cone(t, foot, ankle, heel, 0.040f * z, 0.040f * z, b->shoes);
    flat(t, foot, heel, ball, 0.041f * z, 0.034f * z, across, 1, 0.95f, b->shoes);
    flat(t, foot, ball, along(toe, sole, -0.1f * b->ankle), 0.037f * z, 0.027f * z, across, 1.15f, 0.8f,
         b->shoes);
    cone(t, foot, ankle, along(ball, ahead, -0.05f * k), 0.042f * z, 0.032f * z, b->shoes);
    flat(t, foot, along(heel, sole, 0.030f * k * z), along(along(toe, sole, 0.012f * k * z), ahead, -0.01f),
         0.036f * z, 0.034f * z, across, 1, 0.33f, b->sole);
}

void gn_body_add(scene *s, const body *b, const figure *f, int person) {
    tailor t = { s, b, f, person, b->height / 1.75f };
    trunk(&t);
    head(&t);
    for (int side = 0; side < 2; side++) arm(&t, side), leg(&t, side);
    s->figure[person] = *f;
    s->people = person + 1;
}
