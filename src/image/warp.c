/* warp.c - affine maps of pictures, in runs of pixels.
 *
 * Positions and weights of a run first; then the pixels there, fetched as 64-bit numbers that hold a pixel of 3 bytes and
 * its right neighbour; then the arithmetic. The first and the last vectorise, and the middle is two loads a pixel: faster
 * than the processors' own gathers. */
#include "src/image/warp.h"
#include "gnomon/image.h"
#include <math.h>
#include <string.h>

enum { RUN = 64, TAPS = 4, LINE = 64, CACHED = 1 << 19 /* bytes of a picture that stays in a core's own cache */ };

typedef struct {
    int32_t at[RUN];               /* byte offset of the upper left tap */
    float fx[RUN], fy[RUN];        /* from there; a pixel at the far edge is the end of the step before it */
    float inside[RUN];             /* 1, or 0 where it is mid-grey */
} run;

static void put(run *r, int i, float u, float v, int32_t iu, int32_t iv, int w) {
    r->at[i] = 3 * (iv * w + iu);
    r->fx[i] = u - (float)iu;
    r->fy[i] = v - (float)iv;
}

/* Both ends of a line, and so all between: by a hundredth, more than rounding moves them. */
static int within(float first, float last, float most) { return first >= 0 && last >= 0 && first < most - 0.01f && last < most - 0.01f; }

/* Positions of n pixels from (x, y) on; 1 when all have their four taps in the picture: these need no cutting. */
static int locate(run *r, int n, const double A[6], double x, double y, int w, int h) {
    const float x0 = (float)(A[0] * x + A[1] * y + A[2]), y0 = (float)(A[3] * x + A[4] * y + A[5]);
    const float dx = (float)A[0], dy = (float)A[3], wide = (float)(w - 1), high = (float)(h - 1);
    if (within(x0, x0 + dx * (float)(n - 1), wide) && within(y0, y0 + dy * (float)(n - 1), high)) {
        for (int i = 0; i < n; i++) {
            const float u = x0 + dx * (float)i, v = y0 + dy * (float)i;
            r->inside[i] = 1;
            put(r, i, u, v, (int32_t)u, (int32_t)v, w);
        }
        return 1;
    }
    const int32_t right = w > 1 ? w - 2 : 0, low = h > 1 ? h - 2 : 0;
    for (int i = 0; i < n; i++) {
        float u = x0 + dx * (float)i, v = y0 + dy * (float)i;
        r->inside[i] = u >= -0.5f && u <= wide + 0.5f && v >= -0.5f && v <= high + 0.5f ? 1.0f : 0.0f;
        u = u > 0 ? u : 0;
        v = v > 0 ? v : 0;
        u = u < wide ? u : wide;
        v = v < high ? v : high;
        const int32_t iu = (int32_t)u, iv = (int32_t)v;
        put(r, i, u, v, iu < right ? iu : right, iv < low ? iv : low, w);
    }
    return 0;
}

/* A pixel and its right neighbour, in the low 6 bytes. */
typedef struct { uint64_t top[RUN], low[RUN]; } pairs;

static uint64_t load(const uint8_t *p) {
    uint64_t x;
    memcpy(&x, p, sizeof x);
#ifdef __x86_64__
    __asm__("" : "+r"(x)); /* lest the compiler gathers, at a third of the speed */
#endif
    return x;
}

/* Where 8 bytes would pass the picture's end they begin earlier. */
static uint64_t load_before(const uint8_t *in, int64_t at, int64_t last) {
    const int64_t from = at < last ? at : last;
    return load(in + from) >> 8 * (at - from);
}

static void fetch(const run *r, int n, const uint8_t *in, int w, int h, pairs *p) {
    const int64_t down = h > 1 ? 3 * (int64_t)w : 0, last = 3 * (int64_t)w * h - 8;
    int32_t most = 0;
    uint8_t few[8] = { 0 };
    if (last < 0) { /* a picture of one or two pixels */
        memcpy(few, in, (size_t)(last + 8));
        for (int i = 0; i < n; i++) p->top[i] = load(few) >> 8 * r->at[i], p->low[i] = load(few) >> 8 * (r->at[i] + down);
        return;
    }
    for (int i = 0; i < n; i++) most = r->at[i] > most ? r->at[i] : most;
    if (most + down <= last)
        for (int i = 0; i < n; i++) p->top[i] = load(in + r->at[i]), p->low[i] = load(in + r->at[i] + down);
    else
        for (int i = 0; i < n; i++) p->top[i] = load_before(in, r->at[i], last), p->low[i] = load_before(in, r->at[i] + down, last);
}

/* Channel c between four pixels, in 0..255. */
static float mix(uint64_t top, uint64_t low, int c, float fx, float fy) {
    const uint32_t t = (uint32_t)(top >> 8 * c), l = (uint32_t)(low >> 8 * c); /* byte 3 is the neighbour's */
    const float a = (float)(int32_t)(t & 255), b = (float)(int32_t)(t >> 24), d = (float)(int32_t)(l & 255), e = (float)(int32_t)(l >> 24);
    const float above = a + fx * (b - a), below = d + fx * (e - d);
    return above + fy * (below - above);
}

/* Adds the samples to sum[3][n]. */
static void blend(const run *r, int n, const pairs *p, float sum[3][RUN]) {
    for (int c = 0; c < 3; c++)
        for (int i = 0; i < n; i++)
            sum[c][i] += r->inside[i] * mix(p->top[i], p->low[i], c, r->fx[i], r->fy[i]) + 127.5f * (1 - r->inside[i]);
}

static float cut(float x) { return x < 1 ? x : 1; }

static void finish(int n, float sum[3][RUN], const float gain[3], float *out) {
    for (int i = 0; i < n; i++)
        for (int c = 0; c < 3; c++) out[3 * i + c] = cut(sum[c][i] * gain[c]);
}

/* Both at once, of one tap a pixel, all inside. */
static void write(const run *r, int n, const pairs *p, const float gain[3], float *restrict out) {
    const float by[3] = { gain[0], gain[1], gain[2] };
    for (int i = 0; i < n; i++)
        for (int c = 0; c < 3; c++) out[3 * i + c] = cut(mix(p->top[i], p->low[i], c, r->fx[i], r->fy[i]) * by[c]);
}

static int is_identity(const double A[6]) {
    return A[0] == 1 && A[1] == 0 && A[2] == 0 && A[3] == 0 && A[4] == 1 && A[5] == 0;
}

/* Asks for lines [first, last) of `of` of a picture: a turned one is read along many rows at once, which no prefetcher
 * foresees. */
static void ask_for(const uint8_t *in, int w, int h, int first, int last, int of) {
    const int64_t bytes = 3 * (int64_t)w * h;
    for (int64_t at = bytes * first / of / LINE * LINE; in && bytes <= CACHED && at < bytes * last / of; at += LINE)
        __builtin_prefetch(in + at, 0, 2);
}

typedef struct {
    const uint8_t *in;
    int w, h, taps;                /* taps a side */
    const double *A;
    float gain[3];                 /* to [0, 1], of the sum of all taps */
} view;

static void see(const view *v, int n, int x, int y, float *out) {
    float sum[3][RUN] = { { 0 } };
    run r;
    pairs p;
    for (int k = 0; k < v->taps * v->taps; k++) {
        const double dx = (k % v->taps + 0.5) / v->taps - 0.5, dy = (k / v->taps + 0.5) / v->taps - 0.5;
        const int whole = locate(&r, n, v->A, x + dx, y + dy, v->w, v->h);
        fetch(&r, n, v->in, v->w, v->h, &p);
        if (whole && v->taps == 1) {
            write(&r, n, &p, v->gain, out);
            return;
        }
        blend(&r, n, &p, sum);
    }
    finish(n, sum, v->gain, out);
}

void gn_warp_input(const uint8_t *in, int w, int h, const double A[6], const float gain[3], int side, const uint8_t *next, float *out) {
    const double step = sqrt(fabs(A[0] * A[4] - A[1] * A[3]));
    view v = { .in = in, .w = w, .h = h, .taps = step > TAPS ? TAPS : step > 1.5 ? (int)lrint(step) : 1, .A = A };
    for (int c = 0; c < 3; c++) v.gain[c] = gain[c] / (255.0f * (float)(v.taps * v.taps));
    const int same = w == side && h == side && is_identity(A);
    ask_for(in, w, h, 0, 1, 1);
    for (int y = 0; y < side; y++) {
        ask_for(next, w, h, y, y + 1, side);
        for (int x = 0; x < side && same; x++)
            for (int c = 0; c < 3; c++) out[3 * (y * side + x) + c] = cut(in[3 * (y * side + x) + c] * v.gain[c]);
        for (int x = 0; x < side && !same; x += RUN) see(&v, side - x < RUN ? side - x : RUN, x, y, out + 3 * (y * side + x));
    }
}

void gn_image_warp(const gn_image *in, const double A[6], gn_colour edge, gn_image *out) {
    const float rim[3] = { edge.r, edge.g, edge.b };
    run r;
    pairs p;
    for (int y = 0; y < out->h; y++)
        for (int x = 0; x < out->w; x += RUN) {
            int n = out->w - x < RUN ? out->w - x : RUN;
            float sum[3][RUN] = { { 0 } };
            locate(&r, n, A, x, y, in->w, in->h);
            fetch(&r, n, in->rgb, in->w, in->h, &p);
            blend(&r, n, &p, sum);
            uint8_t *to = out->rgb + 3 * ((size_t)y * (size_t)out->w + (size_t)x);
            for (int i = 0; i < n; i++)
                for (int c = 0; c < 3; c++) to[3 * i + c] = (uint8_t)((r.inside[i] > 0 ? sum[c][i] : rim[c]) + 0.5f);
        }
}
