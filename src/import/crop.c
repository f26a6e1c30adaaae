/* crop.c - pixels of a crop, each the mean of a few taps where the picture shrinks. */
#include "src/import/sink.h"
#include <math.h>

enum { TAPS = 8, GREY = 127 };

static void place(const gn_lens *lens, const double square[3], int size, double x, double y, double at[2]) {
    const double straight[2] = { square[0] + ((x + 0.5) / size - 0.5) * square[2], square[1] + ((y + 0.5) / size - 0.5) * square[2] };
    if (lens) gn_lens_bend(lens, straight, at);
    else at[0] = straight[0], at[1] = straight[1];
}

static int within(const double at[2], int w, int h) { return at[0] > -0.5 && at[0] < w - 0.5 && at[1] > -0.5 && at[1] < h - 0.5; }

/* Bilinear; half a pixel beyond the edge is the edge. */
static void tap(const gn_image *in, const double at[2], double sum[3]) {
    if (!within(at, in->w, in->h)) {
        for (int c = 0; c < 3; c++) sum[c] += GREY;
        return;
    }
    const double u = fmin(fmax(at[0], 0), in->w - 1), v = fmin(fmax(at[1], 0), in->h - 1);
    const int x = (int)u, y = (int)v, right = x + 1 < in->w ? 3 : 0, down = y + 1 < in->h ? 3 * in->w : 0;
    const double fx = u - x, fy = v - y;
    const uint8_t *p = in->rgb + 3 * ((size_t)y * (size_t)in->w + (size_t)x);
    for (int c = 0; c < 3; c++) {
        const double top = p[c] + fx * (p[c + right] - p[c]), low = p[c + down] + fx * (p[c + right + down] - p[c + down]);
        sum[c] += top + fy * (low - top);
    }
}

void gn_crop_picture(const gn_image *in, const gn_lens *lens, const double square[3], int size, uint8_t *out) {
    const double step = square[2] / size;
    const int taps = step > TAPS ? TAPS : step > 1 ? (int)ceil(step) : 1;
    for (int y = 0; y < size; y++)
        for (int x = 0; x < size; x++, out += 3) {
            double sum[3] = { 0 }, at[2];
            for (int k = 0; k < taps * taps; k++) {
                place(lens, square, size, x + (k % taps + 0.5) / taps - 0.5, y + (k / taps + 0.5) / taps - 0.5, at);
                tap(in, at, sum);
            }
            for (int c = 0; c < 3; c++) out[c] = (uint8_t)(sum[c] / (taps * taps) + 0.5);
        }
}

/* The nearest reading: between two of them there is none. */
void gn_crop_depth(const uint16_t *in, int w, int h, const gn_lens *lens, const double square[3], int size, uint16_t *out) {
    for (int y = 0; y < size; y++)
        for (int x = 0; x < size; x++) {
            double at[2];
            place(lens, square, size, x, y, at);
            *out++ = within(at, w, h) ? in[(size_t)lrint(at[1]) * (size_t)w + (size_t)lrint(at[0])] : 0;
        }
}

void gn_crop_point(const double square[3], int size, double uv[2]) {
    for (int k = 0; k < 2; k++) uv[k] = ((uv[k] - square[k]) / square[2] + 0.5) * size - 0.5;
}
