/* motion.c - how puppets move when no captured motion is given: acts over joint angles.
 *
 * An act is a function of time whose parameters are drawn once. Angles are clamped to the ranges of
 * a healthy adult's joints. Which side leads is drawn, so left and right are used alike. */
#include "src/puppet/world.h"

enum { YAW, PITCH, ROLL, BEND, TWIST, SIDE, NOD, LOOK, TILT, ARM };
/* of a limb: forward, outward, about itself, elbow or knee, wrist or ankle */
enum { FLEX, AWAY, SPIN, HINGE, END, LIMB };
enum { LEG = ARM + 2 * LIMB, ANGLES = LEG + 2 * LIMB };
#define ARM_OF(side, what) (ARM + (side) * LIMB + (what))
#define LEG_OF(side, what) (LEG + (side) * LIMB + (what))

static const float range[ANGLES][2] = { /* degrees */
    [YAW] = { -720, 720 }, [PITCH] = { -100, 100 }, [ROLL] = { -100, 100 },
    [BEND] = { -25, 70 }, [TWIST] = { -40, 40 }, [SIDE] = { -30, 30 },
    [NOD] = { -45, 50 }, [LOOK] = { -70, 70 }, [TILT] = { -30, 30 },
#define ARM_RANGE(k)                                                                                     \
    [ARM_OF(k, FLEX)] = { -50, 175 }, [ARM_OF(k, AWAY)] = { -20, 165 }, [ARM_OF(k, SPIN)] = { -85, 85 }, \
               [ARM_OF(k, HINGE)] = { 2, 145 }, [ARM_OF(k, END)] = { -60, 60 }
#define LEG_RANGE(k)                                                                                    \
    [LEG_OF(k, FLEX)] = { -25, 120 }, [LEG_OF(k, AWAY)] = { -15, 45 }, [LEG_OF(k, SPIN)] = { -30, 35 }, \
               [LEG_OF(k, HINGE)] = { 2, 140 }, [LEG_OF(k, END)] = { -45, 22 }
    ARM_RANGE(RIGHT), ARM_RANGE(LEFT), LEG_RANGE(RIGHT), LEG_RANGE(LEFT),
};

typedef struct { float a[ANGLES], lift, seat; vec drift; } stance;

static void arms_hang(dice *d, stance *s) {
    for (int k = 0; k < 2; k++) {
        s->a[ARM_OF(k, FLEX)] = around(d, 5, 10);
        s->a[ARM_OF(k, AWAY)] = around(d, 9, 5);
        s->a[ARM_OF(k, SPIN)] = around(d, 15, 15);
        s->a[ARM_OF(k, HINGE)] = fabsf(around(d, 15, 12));
    }
}

static void arm_anyhow(dice *d, stance *s, int k) {
    s->a[ARM_OF(k, FLEX)] = between(d, -35, 150);
    s->a[ARM_OF(k, AWAY)] = between(d, -10, 110);
    s->a[ARM_OF(k, SPIN)] = between(d, -70, 75);
    s->a[ARM_OF(k, HINGE)] = between(d, 3, 130);
}

static void gesture(dice *d, stance *s) {
    arms_hang(d, s);
    float kind = chance(d);
    if (kind < 0.2f) /* hands on hips */
        for (int k = 0; k < 2; k++) {
            s->a[ARM_OF(k, FLEX)] = -15;
            s->a[ARM_OF(k, AWAY)] = 48;
            s->a[ARM_OF(k, SPIN)] = 75;
            s->a[ARM_OF(k, HINGE)] = 95;
        }
    else if (kind < 0.35f) /* arms crossed or hands together */
        for (int k = 0; k < 2; k++) {
            s->a[ARM_OF(k, FLEX)] = between(d, 20, 45);
            s->a[ARM_OF(k, SPIN)] = between(d, 40, 75);
            s->a[ARM_OF(k, HINGE)] = between(d, 80, 120);
        }
    else if (kind < 0.75f) {
        int k = pick(d, 2);
        arm_anyhow(d, s, k);
        if (happens(d, 0.5f)) arm_anyhow(d, s, 1 - k);
    }
}

static void stand(dice *d, stance *s, float t) {
    int k = pick(d, 2);
    gesture(d, s);
    float weight = between(d, 0, 1);
    s->a[ROLL] = (k ? 5.f : -5.f) * weight;
    s->a[SIDE] = (k ? -6.f : 6.f) * weight;
    s->a[LEG_OF(k, FLEX)] = 12 * weight;
    s->a[LEG_OF(k, HINGE)] = 6 + 20 * weight;
    for (int j = 0; j < 2; j++) {
        s->a[LEG_OF(j, AWAY)] += between(d, 0, 14);
        s->a[LEG_OF(j, SPIN)] = between(d, 0, 20);
    }
    s->a[BEND] = around(d, 3, 5) + sinf(t);
}

/* A stride: thighs swing against each other, the knee folds while its thigh comes forward. */
static void stride(dice *d, stance *s, float t, int runs) {
    float rate = runs ? between(d, 1.2f, 1.6f) : between(d, 0.75f, 1.05f), size = between(d, 0.7f, 1.25f),
          start = between(d, 0, TURN);
    float swing = runs ? 42 : 25, fold = runs ? 95 : 55, bent = runs ? 85 : around(d, 22, 8),
          arms = runs ? 38 : between(d, 12, 28);
    arms_hang(d, s);
    for (int k = 0; k < 2; k++) {
        float at = TURN * rate * t + start + (k ? TURN / 2 : 0);
        float c = cosf(at), lifted = fmaxf(0, cosf(at - 0.78f * TURN));
        s->a[LEG_OF(k, FLEX)] = (runs ? 14.f : 6.f) + size * swing * c;
        s->a[LEG_OF(k, HINGE)] = (runs ? 22.f : 7.f) + size * fold * lifted * sqrtf(lifted);
        s->a[LEG_OF(k, END)] = -12 * size * fmaxf(0, -c) + 4;
        s->a[ARM_OF(k, FLEX)] = (runs ? -5.f : 2.f) - arms * size * c;
        s->a[ARM_OF(k, HINGE)] = bent - 12 * c;
        s->a[ARM_OF(k, SPIN)] = runs ? 22 : 12;
        if (!k) {
            s->a[TWIST] = 7 * size * c;
            s->a[ROLL] = 3 * sinf(at);
        }
    }
    s->a[BEND] = runs ? between(d, 6, 16) : around(d, 3, 4);
    s->a[PITCH] = runs ? 8.f : 2.f;
    s->drift.z = size * (runs ? 3.2f : 1.35f);
    if (runs) s->lift = 0.09f * size * fabsf(sinf(TURN * rate * t + start));
    else if (happens(d, 0.25f)) arm_anyhow(d, s, pick(d, 2));
}

static void sit(dice *d, stance *s, float t) {
    gesture(d, s);
    s->seat = 1;
    s->a[PITCH] = -between(d, 0, 14);
    s->a[BEND] = between(d, 0, 35) + sinf(t * 0.8f);
    float open = between(d, 0, 18), crossed = chance(d);
    int top = pick(d, 2);
    for (int k = 0; k < 2; k++) {
        s->a[LEG_OF(k, FLEX)] = between(d, 72, 92) + s->a[PITCH];
        s->a[LEG_OF(k, AWAY)] = open * between(d, 0.4f, 1);
        s->a[LEG_OF(k, HINGE)] = between(d, 62, 108);
        if (crossed < 0.2f && k == top) {
            s->a[LEG_OF(k, FLEX)] += 16;
            s->a[LEG_OF(k, AWAY)] = -13;
            s->a[LEG_OF(k, HINGE)] = between(d, 60, 90);
        }
        if (crossed > 0.5f) {
            s->a[ARM_OF(k, FLEX)] = between(d, 10, 45);
            s->a[ARM_OF(k, HINGE)] = between(d, 40, 85);
            s->a[ARM_OF(k, SPIN)] = between(d, 10, 50);
        }
    }
}

static void crouch(dice *d, stance *s, float t) {
    gesture(d, s);
    float depth = between(d, 0.45f, 1) + 0.05f * sinf(t);
    int kneel = happens(d, 0.3f), front = pick(d, 2);
    for (int k = 0; k < 2; k++) {
        s->a[LEG_OF(k, FLEX)] = 105 * depth;
        s->a[LEG_OF(k, HINGE)] = 125 * depth;
        s->a[LEG_OF(k, END)] = 18 * depth;
        s->a[LEG_OF(k, AWAY)] = between(d, 3, 26);
        if (kneel) {
            s->a[LEG_OF(k, FLEX)] = k == front ? 88.f : 8.f;
            s->a[LEG_OF(k, HINGE)] = k == front ? 88.f : 95.f;
            s->a[LEG_OF(k, END)] = k == front ? 0.f : -40.f;
        }
        if (happens(d, 0.5f)) {
            s->a[ARM_OF(k, FLEX)] = between(d, 20, 80);
            s->a[ARM_OF(k, HINGE)] = between(d, 10, 80);
        }
    }
    s->a[PITCH] = kneel ? 0 : 22 * depth;
    s->a[BEND] = between(d, 5, 40);
    s->a[NOD] = -between(d, 0, 30);
}

static void reach(dice *d, stance *s, float t) {
    stand(d, s, t);
    int k = pick(d, 2), both = happens(d, 0.35f);
    float up = between(d, 35, 170), out = between(d, -10, 70), bent = between(d, 3, 40), low = chance(d);
    for (int j = 0; j < 2; j++)
        if (j == k || both) {
            s->a[ARM_OF(j, FLEX)] = up + 6 * sinf(1.3f * t);
            s->a[ARM_OF(j, AWAY)] = out;
            s->a[ARM_OF(j, HINGE)] = bent;
        }
    s->a[TWIST] = (k ? -1.f : 1.f) * between(d, 0, 25);
    s->a[NOD] = up > 90 ? -20.f : 10.f;
    if (low < 0.35f) { /* for the ground */
        s->a[PITCH] = between(d, 15, 75);
        s->a[BEND] = between(d, 20, 60);
        float knees = between(d, 0, 60);
        for (int j = 0; j < 2; j++) {
            s->a[LEG_OF(j, FLEX)] = s->a[PITCH] + 0.5f * knees;
            s->a[LEG_OF(j, HINGE)] = 5 + knees;
        }
    }
}

static void wave(dice *d, stance *s, float t) {
    stand(d, s, t);
    int k = pick(d, 2);
    float fast = between(d, 5, 11);
    s->a[ARM_OF(k, FLEX)] = between(d, 20, 90);
    s->a[ARM_OF(k, AWAY)] = between(d, 60, 130);
    s->a[ARM_OF(k, SPIN)] = -between(d, 40, 80);
    s->a[ARM_OF(k, HINGE)] = between(d, 40, 100) + 18 * sinf(fast * t);
    s->a[ARM_OF(k, END)] = 25 * sinf(fast * t + 1);
}

static void kick(dice *d, stance *s, float t) {
    arms_hang(d, s);
    int k = pick(d, 2);
    float at = fmodf(t * 1.1f + chance(d), 1), high = between(d, 40, 110), out = between(d, -5, 40);
    float back = smooth(0, 0.3f, at) * (1 - smooth(0.3f, 0.5f, at)),
          forth = smooth(0.3f, 0.55f, at) * (1 - smooth(0.6f, 1, at));
    s->a[LEG_OF(k, FLEX)] = -20 * back + high * forth;
    s->a[LEG_OF(k, AWAY)] = out * forth;
    s->a[LEG_OF(k, HINGE)] = 5 + 85 * back + 40 * forth * (1 - forth);
    s->a[LEG_OF(1 - k, HINGE)] = 12;
    s->a[LEG_OF(1 - k, FLEX)] = 6;
    s->a[PITCH] = -12 * forth + 8 * back;
    for (int j = 0; j < 2; j++) {
        s->a[ARM_OF(j, AWAY)] = between(d, 20, 80);
        s->a[ARM_OF(j, HINGE)] = between(d, 10, 90);
        s->a[ARM_OF(j, FLEX)] = (j == k ? -1.f : 1.f) * 35 * forth;
    }
}

static void dance(dice *d, stance *s, float t) {
    float beat = TURN * between(d, 0.8f, 1.3f);
    for (int k = 0; k < 2; k++) {
        for (int j = 0; j < LIMB - 1; j++) {
            float lo[] = { 0, 5, -50, 10 }, hi[] = { 130, 110, 60, 110 };
            float mid = between(d, lo[j], hi[j]), size = between(d, 5, 40);
            s->a[ARM_OF(k, j)] =
                mid + size * sinf(beat * t * (float)(1 + pick(d, 2)) * 0.5f + between(d, 0, TURN));
        }
        float bob = sinf(beat * t + between(d, 0, TURN));
        s->a[LEG_OF(k, FLEX)] = between(d, 5, 40) + 15 * bob;
        s->a[LEG_OF(k, HINGE)] = between(d, 10, 70) + 25 * bob;
        s->a[LEG_OF(k, AWAY)] = between(d, 0, 30);
        s->a[LEG_OF(k, SPIN)] = between(d, -10, 30);
    }
    s->a[TWIST] = 25 * sinf(beat * t * 0.5f + between(d, 0, TURN));
    s->a[SIDE] = 18 * sinf(beat * t * 0.5f + between(d, 0, TURN));
    s->a[BEND] = between(d, -10, 25);
    s->a[YAW] = 40 * sinf(t);
}

static void jump(dice *d, stance *s, float t) {
    float at = fmodf(t * 0.9f + chance(d), 1), air = smooth(0.35f, 0.6f, at) * (1 - smooth(0.65f, 0.9f, at));
    float crouched = smooth(0, 0.25f, at) * (1 - smooth(0.3f, 0.5f, at)), star = chance(d),
          high = between(d, 0.1f, 0.45f), up = between(d, 40, 170);
    arms_hang(d, s);
    for (int k = 0; k < 2; k++) {
        s->a[LEG_OF(k, FLEX)] = 55 * crouched + 20 * air * (1 - star);
        s->a[LEG_OF(k, HINGE)] = 5 + 80 * crouched + 40 * air * (1 - star);
        s->a[LEG_OF(k, AWAY)] = 4 + 34 * air * star;
        s->a[LEG_OF(k, END)] = -30 * air;
        s->a[ARM_OF(k, FLEX)] = -40 * crouched + (1 - star) * up * air;
        s->a[ARM_OF(k, AWAY)] = 10 + up * air * star;
    }
    s->a[PITCH] = 25 * crouched;
    s->a[BEND] = 20 * crouched;
    s->lift = high * air;
}

static void lie(dice *d, stance *s, float t) {
    gesture(d, s);
    float side = chance(d);
    s->a[PITCH] = side < 0.5f ? -88.f : side < 0.8f ? 86.f : 0;
    s->a[ROLL] = side < 0.8f ? 0.f : side < 0.9f ? 86.f : -86.f;
    for (int k = 0; k < 2; k++) {
        float knee = happens(d, 0.4f) ? between(d, 20, 110) : 5;
        s->a[LEG_OF(k, HINGE)] = side < 0.5f || side > 0.8f ? knee : 0.4f * knee;
        s->a[LEG_OF(k, FLEX)] = side < 0.5f ? 0.5f * knee : side < 0.8f ? -3 : 0.6f * knee;
        s->a[LEG_OF(k, END)] = -25;
        s->a[LEG_OF(k, AWAY)] = between(d, 0, 20);
    }
    s->a[NOD] = side < 0.5f ? 10.f : -10.f;
    s->a[BEND] = sinf(t) + (side < 0.5f ? 4.f : -6.f);
}

/* Anything the joints allow, upright more or less: what nobody thought of. */
static void anyhow(dice *d, stance *s, float t) {
    for (int k = 0; k < 2; k++) {
        arm_anyhow(d, s, k);
        s->a[LEG_OF(k, FLEX)] = around(d, 25, 28);
        s->a[LEG_OF(k, AWAY)] = around(d, 12, 12);
        s->a[LEG_OF(k, SPIN)] = around(d, 5, 12);
        s->a[LEG_OF(k, HINGE)] = fabsf(around(d, 25, 35));
        s->a[LEG_OF(k, END)] = around(d, 0, 12);
    }
    s->a[PITCH] = around(d, 5, 14);
    s->a[ROLL] = around(d, 0, 8);
    s->a[BEND] = around(d, 10, 16);
    s->a[TWIST] = around(d, 0, 15) + 4 * sinf(t);
    s->a[SIDE] = around(d, 0, 9);
}

static void walk(dice *d, stance *s, float t) { stride(d, s, t, 0); }
static void run(dice *d, stance *s, float t) { stride(d, s, t, 1); }

static const struct {
    void (*act)(dice *, stance *, float);
    float wild, lab; /* shares */
} acts[] = {
    { stand, 0.19f, 0.20f }, { walk, 0.15f, 0.22f }, { run, 0.10f, 0.04f },    { reach, 0.11f, 0.13f },
    { wave, 0.07f, 0.10f },  { sit, 0.10f, 0.10f },  { crouch, 0.07f, 0.07f }, { kick, 0.05f, 0.03f },
    { dance, 0.06f, 0.03f }, { jump, 0.03f, 0.01f }, { lie, 0.02f, 0.01f },    { anyhow, 0.05f, 0.06f },
};
enum { ACTS = sizeof acts / sizeof *acts };

static vec limb_start(frame f, const float *a, float side, frame *out) {
    *out = turn(turn(turn(f, about_x(-a[FLEX] * DEGREES)), about_z(side * a[AWAY] * DEGREES)),
                about_y(-side * a[SPIN] * DEGREES));
    return scale(out->y, -1);
}

static void hold(const stance *s, pose *p) {
    const float *a = s->a;
    float d = DEGREES;
    *p = (pose){ .grounded = 1, .lift = s->lift, .seat = s->seat, .root = { 0, 1, 0 } };
    p->pelvis = turn(turn(about_y(a[YAW] * d), about_x(a[PITCH] * d)), about_z(a[ROLL] * d));
    p->chest = turn(turn(turn(p->pelvis, about_y(a[TWIST] * d)), about_x(a[BEND] * d)), about_z(a[SIDE] * d));
    p->head = turn(turn(turn(p->chest, about_y(a[LOOK] * d)), about_x(a[NOD] * d)), about_z(a[TILT] * d));
    for (int k = 0; k < 2; k++) {
        float side = k == RIGHT ? -1.f : 1.f;
        frame f;
        const float *limb = a + ARM_OF(k, 0);
        p->arm[k][0] = limb_start(p->chest, limb, side, &f);
        f = turn(f, about_x(-limb[HINGE] * d));
        p->arm[k][1] = scale(f.y, -1);
        f = turn(f, about_z(side * limb[END] * d));
        p->arm[k][2] = scale(f.y, -1);
        limb = a + LEG_OF(k, 0);
        p->leg[k][0] = limb_start(p->pelvis, limb, side, &f);
        f = turn(f, about_x(limb[HINGE] * d));
        p->leg[k][1] = scale(f.y, -1);
        p->leg[k][2] = turn(f, about_x(-limb[END] * d)).z;
    }
}

void gn_motion_pick(dice *d, int lab, const gn_motions *captured, motion *m) {
    *m = (motion){ .seed = d->seed, .number = ((uint64_t)throw32(d) << 32) | throw32(d) };
    m->start = between(d, 0, 20);
    float share = chance(d), sum = 0;
    for (m->act = 0; m->act < ACTS - 1; m->act++)
        if (share < (sum += lab ? acts[m->act].lab : acts[m->act].wild)) break;
    if (captured) gn_take_pick(d, captured, m);
}

void gn_motion_at(const motion *m, float seconds, pose *p) {
    if (m->take) {
        gn_take_at(m, seconds, p);
        return;
    }
    dice d = dice_of(m->seed, 5, m->number);
    stance s = { 0 };
    float t = m->start + seconds;
    s.a[LOOK] = around(&d, 0, 22);
    s.a[NOD] = around(&d, 5, 10);
    s.a[TILT] = around(&d, 0, 6);
    acts[m->act].act(&d, &s, t);
    for (int k = 0; k < ANGLES; k++) { /* nobody holds still, and nobody moves like another */
        float size = k == YAW ? 0.f : k < ARM ? 2.5f : k < LEG ? 6.f : 2.5f;
        s.a[k] +=
            size * (between(&d, -1, 1) + 0.4f * sinf(between(&d, 0.5f, 2.5f) * t + between(&d, 0, TURN)));
        s.a[k] = clampf(s.a[k], range[k][0], range[k][1]);
    }
    hold(&s, p);
    p->root.x = s.drift.x * seconds;
    p->root.z = s.drift.z * seconds;
}

void gn_pose_move(pose *p, float yaw, vec by) {
    frame r = about_y(yaw);
    vec root = out_of(r, v3(p->root.x, 0, p->root.z));
    p->root = v3(root.x + by.x, p->root.y, root.z + by.z);
    p->pelvis = turn(r, p->pelvis);
    p->chest = turn(r, p->chest);
    p->head = turn(r, p->head);
    for (int k = 0; k < 2; k++)
        for (int j = 0; j < 3; j++)
            p->arm[k][j] = out_of(r, p->arm[k][j]), p->leg[k][j] = out_of(r, p->leg[k][j]);
}
