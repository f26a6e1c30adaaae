/* camera.c - where cameras stand, and the square that is cut around the first person.
 *
 * A crop of a larger picture is a camera whose principal point lies off centre: joints, rays and
 * depth stay exact. */
#include "src/puppet/world.h"

/* The studio's fourteen cameras, as such studios have them: a ring at the chest, some above, some near the floor.
 * Four at one height would teach a network nothing of being looked down upon. Degrees, degrees, metres. */
static const struct { float azimuth, rise, away; } studio[] = {
    { 0, 8, 4.6f },    { 45, 2, 3.6f },   { 90, 8, 4.6f },  { 135, 2, 5.6f },  { 180, 8, 4.6f },
    { 225, 2, 3.6f },  { 270, 8, 4.6f },  { 315, 2, 5.6f }, { 30, 24, 4.2f },  { 150, 36, 3.8f },
    { 255, 30, 4.6f }, { 75, 16, 3.0f },  { 195, -5, 3.8f }, { 330, -5, 4.4f },
};
enum { STUDIO_CAMERAS = sizeof studio / sizeof *studio };

void gn_camera_place(dice *d, const figure *f, int lab, int number, int views, view *v) {
    vec at = f->at[6];
    at.y = 0.5f * at.y + 0.25f * (f->at[9].y + fminf(f->at[0].y, f->at[5].y));
    float azimuth, away, rise, roll = 0, off_x = 0, off_y = 0;
    if (lab) {
        int k = views == 1 ? pick(d, STUDIO_CAMERAS) : number * STUDIO_CAMERAS / views % STUDIO_CAMERAS;
        azimuth = (studio[k].azimuth + around(d, 0, 2)) * DEGREES;
        away = around(d, studio[k].away, 0.1f);
        rise = (studio[k].rise + around(d, 0, 1)) * DEGREES;
        at = v3(around(d, 0, 0.03f), 0.9f, around(d, 0, 0.03f));
    } else {
        azimuth = (float)number / (float)views * TURN + between(d, 0, views > 1 ? TURN / (float)views : TURN);
        away = 2.3f * expf(between(d, 0, 1.4f));
        rise = (happens(d, 0.7f) ? around(d, 5, 5) : between(d, -8, 42)) * DEGREES;
        roll = around(d, 0, 3) * DEGREES;
        off_x = around(d, 0, 6) * DEGREES;
        off_y = around(d, 0, 4) * DEGREES;
    }
    vec to = v3(sinf(azimuth) * cosf(rise), sinf(rise), cosf(azimuth) * cosf(rise));
    v->eye = along(at, to, away);
    v->eye.y = fmaxf(v->eye.y, 0.3f);
    vec forward = unit(sub(at, v->eye)), right = unit(cross(forward, v3(0, 1, 0)));
    v->axes = (frame){ right, cross(forward, right), forward };
    v->axes = turn(v->axes, turn(turn(about_y(off_x), about_x(off_y)), about_z(roll)));
}

/* Four metres to five and a half away at the height of eyes, as Human3.6M's stand, looking at the middle of the place. */
void gn_camera_ring(dice *d, int number, int views, int size, view *v) {
    const float azimuth = ((float)number + 0.5f) / (float)views * TURN + (views > 1 ? around(d, 0, 8 * DEGREES) : between(d, 0, TURN));
    const float away = between(d, 4, 5.5f), high = between(d, 1.2f, 1.8f);
    const vec at = v3(around(d, 0, 0.1f), 0.9f, around(d, 0, 0.1f));
    v->eye = v3(at.x + away * sinf(azimuth), high, at.z + away * cosf(azimuth));
    const vec forward = unit(sub(at, v->eye)), right = unit(cross(forward, v3(0, 1, 0)));
    v->axes = turn((frame){ right, cross(forward, right), forward }, about_z(around(d, 0, 1) * DEGREES));
    v->f = 1.145f * (float)size;
    v->cx = 0.5f * (float)(size - 1) + around(d, 0, 0.01f) * (float)size;
    v->cy = 0.5f * (float)(size - 1) + around(d, 0, 0.01f) * (float)size;
}

void gn_camera_crop(dice *d, const figure *f, int lab, int size, view *v) {
    float w[4] = { 1e9f, -1e9f, 1e9f, -1e9f };
    for (int k = 0; k < 20; k++) {
        vec p = view_of(v, k < 16 ? f->at[k] : k < 18 ? f->toe[k - 16] : f->tip[k - 18]);
        float r = 0.045f / p.z, x = p.x / p.z, y = p.y / p.z;
        w[0] = fminf(w[0], x - r), w[1] = fmaxf(w[1], x + r), w[2] = fminf(w[2], y - r),
        w[3] = fmaxf(w[3], y + r);
    }
    float fill = lab ? between(d, 0.76f, 0.84f) : between(d, 0.70f, 0.86f),
          side = fmaxf(w[1] - w[0], w[3] - w[2]) / fill;
    float jitter = lab ? 0.015f : 0.04f, half = 0.5f * (float)size;
    v->f = (float)size / side;
    v->cx = half - 0.5f - 0.5f * (w[0] + w[1]) * v->f + around(d, 0, jitter) * (float)size;
    v->cy = half - 0.5f - 0.5f * (w[2] + w[3]) * v->f + around(d, 0, jitter) * (float)size;
}
