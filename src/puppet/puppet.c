/* puppet.c - one sample: cast, pose, camera, stage, picture, labels.
 *
 * A sequence has `frames` moments, a moment `views` pictures; sample = (sequence * frames + moment) *
 * views + view. What belongs to a sequence is drawn from its own dice, so its frames share people,
 * place and cameras. */
#include "src/puppet/world.h"
#include <string.h>

enum { DICE_CAST = 1, DICE_CAMERA, DICE_STAGE, DICE_CROP, DICE_SENSOR, MOST_VIEWS = 16 };
static const float FRAME_SECONDS = 0.04f;

struct gn_puppet {
    gn_puppet_options o;
    int lab, poses, valid;
    uint64_t seed;
    gn_motions *captured; /* NULL: the built-in acts */
    int photos;
    gn_image *photo;
};

const gn_option gn_puppet_options_rows[] = {
#define AT(member) offsetof(gn_puppet_options, member)
    { "train", GN_KIND_COUNT, AT(train), 20000, 1, 1e9, 0, "training pictures", 0, 0 },
    { "valid", GN_KIND_COUNT, AT(valid), 1000, 1, 1e9, 0, "validation pictures", 0, 0 },
    { "size", GN_KIND_INT, AT(size), 128, 32, 512, 0, "side of the square picture, pixels", 0, 0 },
    { "seed", GN_KIND_COUNT, AT(seed), 1, 0, 9e15, 0, "of every draw", 0, 0 },
    { "views", GN_KIND_INT, AT(views), 1, 1, MOST_VIEWS, 0,
      "calibrated cameras a moment; consecutive samples", 0, 0 },
    { "frames", GN_KIND_INT, AT(frames), 1, 1, 1000, 0, "moments of one motion, 0.04 s apart", 0, 0 },
    { "motion", GN_KIND_TEXT, AT(motion), 0, 0, 0, "", "folder of BVH files; empty: the built-in acts", 0,
      0 },
    { "backgrounds", GN_KIND_TEXT, AT(backgrounds), 0, 0, 0, "",
      "folder of photographs; empty: procedural places", 0, 0 },
    { "maps", GN_KIND_FLAG, AT(maps), 0, 0, 1, 0, "also depth_map (mm) and parts", 0, 0 },
#undef AT
    { 0 },
};

gn_status gn_puppet_open(gn_arena *a, const char *domain, int valid, const gn_puppet_options *o,
                         gn_puppet **p) {
    gn_puppet *n;
    GN_TAKE(n, a, 1);
    n->o = *o;
    n->valid = valid;
    n->lab = strcmp(domain, "puppet_lab") == 0;
    n->poses = strcmp(domain, "puppet_poses") == 0;
    if (!n->lab && !n->poses && strcmp(domain, "puppet_wild") != 0)
        GN_FAIL(BAD_USAGE, "domain '%s': expected puppet_lab, puppet_wild or puppet_poses", domain);
    if (o->size < 32 || o->size > 512) GN_FAIL(BAD_CONFIG, "size %d: expected 32 to 512", o->size);
    if (o->views < 1 || o->views > MOST_VIEWS)
        GN_FAIL(BAD_CONFIG, "views %d: expected 1 to %d", o->views, MOST_VIEWS);
    if (o->frames < 1) GN_FAIL(BAD_CONFIG, "frames %d: expected at least 1", o->frames);
    n->seed = (uint64_t)o->seed * 4 + (uint64_t)(n->lab * 2 + (valid != 0));
    if (n->poses) n->seed ^= UINT64_C(0x706f736573) << 16; /* its own draws */
    if (o->motion && o->motion[0]) GN_TRY(gn_motions_open(a, o->motion, valid, &n->captured));
    if (o->backgrounds && o->backgrounds[0] && !n->lab && !n->poses)
        GN_TRY(gn_photos_open(a, o->backgrounds, valid, &n->photos, &n->photo));
    *p = n;
    return GN_OK;
}

/* A stool under whoever sits, legs and all. */
static void seat(dice *d, scene *s, const figure *f) {
    vec at = f->at[6];
    float top = at.y - 0.13f;
    if (top < 0.1f) return;
    surface p = { happens(d, 0.5f) ? PLANKS : CLOTH,
                  scale(v3(0.5f, 0.35f, 0.22f), between(d, 0.1f, 1.4f)),
                  { 0.1f, 0.08f, 0.05f },
                  9,
                  0,
                  throw32(d) };
    int wood = gn_surface_add(s, p);
    frame to = frame_of(v3(0, 1, 0), f->pelvis.z);
    vec ahead = to.z;
    at = along(at, ahead, 0.08f);
    gn_solid_box(s, v3(at.x, top - 0.03f, at.z), to, v3(0.22f, 0.03f, 0.22f), wood);
    int full = happens(d, 0.3f);
    if (full) gn_solid_box(s, v3(at.x, 0.5f * top, at.z), to, v3(0.2f, 0.5f * top, 0.2f), wood);
    for (int k = 0; k < 4 && !full; k++) {
        vec leg = add(at, out_of(to, v3(k & 1 ? 0.19f : -0.19f, 0, k & 2 ? 0.19f : -0.19f)));
        gn_solid_round(s, v3(leg.x, 0, leg.z), v3(leg.x, top, leg.z), 0.02f, 0.02f, wood);
    }
    if (happens(d, 0.5f)) {
        vec back = along(at, ahead, -0.23f);
        gn_solid_box(s, v3(back.x, top + 0.25f, back.z), to, v3(0.2f, 0.25f, 0.02f), wood);
    }
}

/* A person of the cast at `by`; `seconds` into its motion. */
static void enter(dice *d, const gn_puppet *p, scene *s, int person, float yaw, vec by, float seconds) {
    body b;
    motion m;
    pose at;
    figure f;
    gn_body_make(d, s, &b, p->lab);
    gn_motion_pick(d, p->lab, p->captured, &m);
    gn_motion_at(&m, seconds, &at);
    gn_pose_move(&at, yaw, by);
    gn_body_pose(&b, &at, &f);
    gn_body_add(s, &b, &f, person);
    s->stand[person] = by;
    if (at.seat > 0) {
        int first = s->shapes;
        dice own = *d; /* how much it throws depends on the moment; what follows must not */
        seat(&own, s, &f);
        for (int k = first; k < s->shapes; k++) s->shape[k].person = NOBODY;
    }
}

/* Others: one near or overlapping the first person in a fifth of the pictures, passers-by further off. */
static void crowd(dice *d, const gn_puppet *p, scene *s, const view *v, float seconds) {
    vec centre = s->stand[0], right = v->axes.x, back = unit(v3(v->axes.z.x, 0, v->axes.z.z));
    if (happens(d, 0.22f)) {
        float side = happens(d, 0.5f) ? 1.f : -1.f, kind = chance(d);
        vec by = along(centre, right, side * between(d, 0.5f, 0.85f));
        if (kind < 0.35f)
            by = along(along(centre, right, side * between(d, 0.15f, 0.6f)), back, between(d, 0.5f, 1.3f));
        else if (kind < 0.55f)
            by = along(along(centre, right, side * between(d, 0.35f, 0.65f)), back, -between(d, 0.4f, 0.8f));
        by.y = 0;
        enter(d, p, s, s->people, between(d, 0, TURN), by, seconds);
    }
    for (int k = 0; k < 2; k++)
        if (happens(d, 0.13f)) {
            vec by = along(along(centre, back, between(d, 2.2f, 7)), right, around(d, 0, 1.8f));
            by.y = 0;
            enter(d, p, s, s->people, between(d, 0, TURN), by, seconds);
        }
}

static void hang_photo(dice *d, const gn_puppet *p, scene *s) {
    s->photo = &p->photo[pick(d, p->photos)];
    float w = (float)s->photo->w, h = (float)s->photo->h, side = fminf(w, h) * between(d, 0.4f, 1);
    s->photo_at[2] = side / (float)p->o.size;
    s->photo_at[0] = between(d, 0, w - side);
    s->photo_at[1] = between(d, 0, h - side);
}

typedef struct { scene s; view v; } shot;

/* Somebody about the middle of a ring of cameras, which see the whole place; nothing else is there. */
static void pose_alone(const gn_puppet *p, int64_t sample, shot *t) {
    const uint64_t views = (uint64_t)p->o.views, frames = (uint64_t)p->o.frames, moment = (uint64_t)sample / views;
    dice cast = dice_of(p->seed, DICE_CAST, moment / frames), stand = dice_of(p->seed, DICE_CAMERA, moment / frames);
    const float yaw = between(&cast, 0, TURN), reach = 1.2f;
    const vec by = v3(between(&cast, -reach, reach), 0, between(&cast, -reach, reach));
    enter(&cast, p, &t->s, 0, yaw, by, (float)(moment % frames) * FRAME_SECONDS);
    for (uint64_t k = 0; k <= (uint64_t)sample % views; k++) gn_camera_ring(&stand, (int)k, (int)views, GN_PUPPET_FRAME, &t->v);
}

static void compose(const gn_puppet *p, int64_t sample, shot *t) {
    scene *s = &t->s;
    uint64_t views = (uint64_t)p->o.views, frames = (uint64_t)p->o.frames, moment = (uint64_t)sample / views,
             sequence = moment / frames;
    int number = (int)((uint64_t)sample % views);
    float seconds = (float)(moment % frames) * FRAME_SECONDS;
    dice cast = dice_of(p->seed, DICE_CAST, sequence), place = dice_of(p->seed, DICE_STAGE, sequence);
    dice stand = dice_of(p->seed, DICE_CAMERA, sequence),
         crop = dice_of(p->seed, DICE_CROP, (uint64_t)sample);
    float yaw = between(&cast, 0, TURN);
    view all[MOST_VIEWS];
    /* twice: cameras and place are laid out for the first moment, and stay */
    dice again = cast;
    enter(&cast, p, s, 0, yaw, v3(0, 0, 0), 0);
    figure anchor = s->figure[0];
    for (int k = 0; k < p->o.views; k++) {
        dice own = stand;
        gn_camera_place(&own, &anchor, p->lab, k, p->o.views, &all[k]);
    }
    *s = (scene){ .anchor = anchor };
    enter(&again, p, s, 0, yaw, v3(0, 0, 0), seconds);
    if (!p->lab) {
        crowd(&place, p, s, &all[0], seconds);
        if (p->photos) hang_photo(&place, p, s);
        if (happens(&place, 0.2f)) gn_stage_hide(&place, s, &all[0]);
    }
    gn_stage_set(&place, s, p->lab, all, p->o.views);
    if (s->place == NOISE) s->photo_at[2] /= (float)p->o.size;
    gn_stage_light(&place, s, p->lab);
    t->v = all[number];
    gn_camera_crop(&crop, &s->figure[0], p->lab, p->o.size, &t->v);
}

/* A joint is hidden when the ray to it ends on another's surface, or on flesh nearer than its own can be. */
static int hidden(const scene *s, const view *v, int joint, vec at) {
    static const float flesh[16] = { 0.06f, 0.08f, 0.15f, 0.15f, 0.08f, 0.06f, 0.17f, 0.13f,
                                     0.12f, 0.08f, 0.05f, 0.06f, 0.09f, 0.09f, 0.06f, 0.05f };
    hit h = gn_trace_ray(
        s, v, along(v->axes.z, sub(at, along(v->eye, v->axes.z, view_of(v, at).z)), 1 / view_of(v, at).z));
    float gap = view_of(v, at).z - h.z;
    if (h.shape < 0 || gap <= 0) return 0;
    return s->shape[h.shape].person ? 1 : gap > flesh[joint] * 1.35f;
}

static void label(const shot *t, int size, gn_puppet_truth *y) {
    const view *v = &t->v;
    *y = (gn_puppet_truth){ .camera = { v->f, v->f, v->cx, v->cy } };
    for (int k = 0; k < 16; k++) {
        vec c = view_of(v, t->s.figure[0].at[k]);
        float at[2] = { v->f * c.x / c.z + v->cx, v->f * c.y / c.z + v->cy }, most = (float)size - 0.5f;
        memcpy(y->joints3d[k], &c, sizeof c);
        memcpy(y->joints2d[k], at, sizeof at);
        y->labelled[k] = at[0] >= -0.5f && at[0] < most && at[1] >= -0.5f && at[1] < most;
        y->occluded[k] = (uint8_t)(y->labelled[k] && hidden(&t->s, v, k, t->s.figure[0].at[k]));
    }
    const vec rows[3] = { v->axes.x, v->axes.y, v->axes.z };
    for (int k = 0; k < 3; k++) {
        memcpy(y->pose_of_view + 4 * k, &rows[k], sizeof rows[k]);
        y->pose_of_view[4 * k + 3] = -dot(rows[k], v->eye);
    }
    /* unshortened: seen from above, a head must not become a point */
    vec neck = t->s.figure[0].at[8], top = t->s.figure[0].at[9];
    y->head_size = v->f * length(sub(top, neck)) / view_of(v, mix(neck, top, 0.5f)).z;
}

gn_status gn_puppet_draw(const gn_puppet *p, int64_t sample, uint8_t *rgb, uint16_t *depth_mm, uint8_t *parts,
                         gn_puppet_truth *truth) {
    gn_arena *a = gn_arena_new("puppet");
    if (!a) GN_FAIL(NO_MEMORY, "out of memory: a puppet's arena");
    gn_status status = GN_OK;
    shot *t = gn_arena_take(a, sizeof *t);
    if (!t) status = gn_fail(GN_NO_MEMORY, __FILE__, __LINE__, "out of memory: a puppet's scene");
    else {
        if (p->poses) pose_alone(p, sample, t);
        else compose(p, sample, t);
        if (truth) label(t, p->poses ? GN_PUPPET_FRAME : p->o.size, truth);
        if (!rgb) goto done;
        canvas c;
        view fine = t->v; /* four samples a pixel */
        fine.f *= 2, fine.cx = 2 * fine.cx + 0.5f, fine.cy = 2 * fine.cy + 0.5f;
        dice sensor = dice_of(p->seed, DICE_SENSOR, (uint64_t)sample);
        GN_TRY_OR(gn_trace(a, &t->s, &fine, 2 * p->o.size, &c), done);
        GN_TRY_OR(gn_shade(a, &t->s, &t->v, p->o.size, &c, rgb, depth_mm, parts, &sensor), done);
    }
done:
    gn_arena_free(a);
    return status;
}
