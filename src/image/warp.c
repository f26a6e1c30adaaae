/* warp.c - affine maps of pictures: positions and weights of a run of pixels first, which vectorises, then taps. */
#include "src/image/warp.h"
#include "gnomon/image.h"
#include <math.h>
#include <string.h>

enum { RUN = 64, TAPS = 4 };

typedef struct {
    int32_t at[RUN];               /* byte offset of the upper left tap */
    int32_t right[RUN], down[RUN]; /* to its neighbours, bytes; 0 at the far edges */
    float fx[RUN], fy[RUN];
    float inside[RUN];             /* 1, or 0 where it is mid-grey */
} run;

/* Positions of n pixels from (x, y) on, shifted by (ox, oy). */
static void locate(run *r, int n, const double A[6], double x, double y, int w, int h) {
    float x0 = (float)(A[0] * x + A[1] * y + A[2]), y0 = (float)(A[3] * x + A[4] * y + A[5]);
    float dx = (float)A[0], dy = (float)A[3], wide = (float)(w - 1), high = (float)(h - 1);
    for (int i = 0; i < n; i++) {
        float u = x0 + dx * (float)i, v = y0 + dy * (float)i;
        r->inside[i] = u >= -0.5f && u <= wide + 0.5f && v >= -0.5f && v <= high + 0.5f ? 1.0f : 0.0f;
        u = u > 0 ? u : 0;
        v = v > 0 ? v : 0;
        u = u < wide ? u : wide;
        v = v < high ? v : high;
        int32_t iu = (int32_t)u, iv = (int32_t)v;
        r->at[i] = 3 * (iv * w + iu);
        r->right[i] = iu < w - 1 ? 3 : 0;
        r->down[i] = iv < h - 1 ? 3 * w : 0;
        r->fx[i] = u - (float)iu;
        r->fy[i] = v - (float)iv;
    }
}

static inline float tap(const uint8_t *p, int right, int down, float fx, float fy) {
    float a = p[0], b = p[right], c = p[down], d = p[right + down];
    float top = a + fx * (b - a), low = c + fx * (d - c);
    return top + fy * (low - top);
}

/* Adds the samples at the run's positions, in 0..255, to sum[3 n]. */
static void gather(const run *r, int n, const uint8_t *in, float *sum) {
    for (int i = 0; i < n; i++) {
        const uint8_t *p = in + r->at[i];
        float k = r->inside[i], grey = 127.5f * (1 - k);
        for (int c = 0; c < 3; c++) sum[3 * i + c] += k * tap(p + c, r->right[i], r->down[i], r->fx[i], r->fy[i]) + grey;
    }
}

static void finish(int n, const float *sum, const float gain[3], float *out) {
    float g[3 * RUN];
    for (int i = 0; i < n; i++)
        for (int c = 0; c < 3; c++) g[3 * i + c] = gain[c];
    for (int i = 0; i < 3 * n; i++) {
        float x = sum[i] * g[i];
        out[i] = x < 1 ? x : 1;
    }
}

static int is_identity(const double A[6]) {
    return A[0] == 1 && A[1] == 0 && A[2] == 0 && A[3] == 0 && A[4] == 1 && A[5] == 0;
}

void gn_warp_input(const uint8_t *in, int w, int h, const double A[6], const float gain[3], int side, float *out) {
    double step = sqrt(fabs(A[0] * A[4] - A[1] * A[3]));
    int taps = step > TAPS ? TAPS : step > 1.5 ? (int)lrint(step) : 1;
    float scale = 1.0f / (255.0f * (float)(taps * taps)), each[3] = { gain[0] * scale, gain[1] * scale, gain[2] * scale };
    int same = w == side && h == side && is_identity(A);
    run r;
    for (int y = 0; y < side; y++)
        for (int x = 0; x < side; x += RUN) {
            int n = side - x < RUN ? side - x : RUN;
            float sum[3 * RUN] = { 0 };
            if (same)
                for (int i = 0; i < 3 * n; i++) sum[i] = in[3 * (y * w + x) + i];
            else
                for (int k = 0; k < taps * taps; k++) {
                    double ox = (k % taps + 0.5) / taps - 0.5, oy = (k / taps + 0.5) / taps - 0.5;
                    locate(&r, n, A, x + ox, y + oy, w, h);
                    gather(&r, n, in, sum);
                }
            finish(n, sum, each, out + 3 * (y * side + x));
        }
}

void gn_image_warp(const gn_image *in, const double A[6], gn_colour edge, gn_image *out) {
    const float rim[3] = { edge.r, edge.g, edge.b };
    run r;
    for (int y = 0; y < out->h; y++)
        for (int x = 0; x < out->w; x += RUN) {
            int n = out->w - x < RUN ? out->w - x : RUN;
            locate(&r, n, A, x, y, in->w, in->h);
            uint8_t *to = out->rgb + 3 * ((size_t)y * (size_t)out->w + (size_t)x);
            for (int i = 0; i < n; i++)
                for (int c = 0; c < 3; c++) {
                    float v = r.inside[i] > 0 ? tap(in->rgb + r.at[i] + c, r.right[i], r.down[i], r.fx[i], r.fy[i]) : rim[c];
                    to[3 * i + c] = (uint8_t)(v + 0.5f);
                }
        }
}
