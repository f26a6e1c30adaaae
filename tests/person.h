/* person.h - a made sample whose labels are known to belong together. Include near.h first. */
#ifndef PERSON_H
#define PERSON_H
#include "gnomon/skeleton.h"
#include <string.h>

enum { J = 16, SIDE = 64, LEFT_WRIST = 15 };

typedef struct {
    uint8_t image[SIDE * SIDE * 3], labelled[J], occluded[J];
    float joints2d[J * 2], joints3d[J * 3], camera[4], pose[12], head[1];
} sample;

static double draw(uint64_t *s, double from, double to) {
    *s = *s * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return from + (to - from) * (double)(*s >> 11) * 0x1p-53;
}

/* A person about 4 m away whose joints2d are joints3d through the camera, a bright spot at the left wrist. */
static void make_sample(uint64_t seed, double fy_over_fx, sample *p) {
    uint64_t s = seed * 977 + 5;
    memset(p, 0, sizeof *p);
    double fx = draw(&s, 80, 120), fy = fx * fy_over_fx, cx = draw(&s, 28, 36), cy = draw(&s, 28, 36), z = draw(&s, 3.5, 5);
    p->camera[0] = (float)fx, p->camera[1] = (float)fy, p->camera[2] = (float)cx, p->camera[3] = (float)cy;
    for (int j = 0; j < J; j++) {
        double x[3] = { draw(&s, -0.8, 0.8), draw(&s, -0.8, 0.8), z + draw(&s, -0.5, 0.5) };
        for (int k = 0; k < 3; k++) p->joints3d[3 * j + k] = (float)x[k];
        p->joints2d[2 * j] = (float)(fx * x[0] / x[2] + cx);
        p->joints2d[2 * j + 1] = (float)(fy * x[1] / x[2] + cy);
        p->labelled[j] = 1;
    }
    for (int r = 0; r < 3; r++) p->pose[5 * r] = 1;
    p->head[0] = 9;
    int u = (int)lrintf(p->joints2d[2 * LEFT_WRIST]), v = (int)lrintf(p->joints2d[2 * LEFT_WRIST + 1]);
    for (int y = v - 2; y <= v + 2; y++)
        for (int x = u - 2; x <= u + 2; x++)
            if (x >= 0 && y >= 0 && x < SIDE && y < SIDE) memset(p->image + 3 * (y * SIDE + x), 255, 3);
}
#endif
