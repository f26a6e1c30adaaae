/* wgrad.c - dw[o][i][ky][kx] = sum over places of dy[o][y][x] x[i][y+ky-pad][x+kx-pad], bf16 in, float out.
 *
 * The instruction adds two products a lane, so places go in pairs: a few rows at a time are packed as
 * [pair][16 channels][2 places] into the second cache. A tap left or right of the middle pairs places the
 * other way round; x is packed both ways for it. A tile of 16 vectors of dw stays in registers over those
 * rows, and dw itself lies in the slab's layout all along. */
#include "wgrad.h"
#include "lanes.h"

enum { B = 16, PLACES = 256, TILE = 16, WIDE = 4 }; /* PLACES of a chunk, unless one row has more: half or half again cost backward 3 % */

#ifdef __AVX512BF16__
typedef struct { uint16_t of[2 * B]; } pair; /* [16 channels][2 places] */

typedef struct { /* rows of dy, and those of x that they meet; whole images, or rows of one */
    int64_t image, y, rows;      /* first row, how many */
    int64_t pairs, step, taps;   /* pairs in a row of dy; in a packed row of x; taps in a row */
    int64_t x_rows;              /* packed */
    int64_t x_row[PLACES / 2];   /* where the first tap of row r reads */
    pair *x, *dy;                /* [I/16][x_rows][step], [O/16/wide][rows pairs][wide] */
} chunk;

static int64_t chunk_rows(const gn_conv_shape *s) {
    int64_t rows = PLACES / s->ow > 0 ? PLACES / s->ow : 1;
    if (rows < s->oh) return rows;
    int64_t images = rows / s->oh;
    return s->oh * (images < s->n ? images : s->n);
}

static int64_t x_step(const gn_conv_shape *s) { return s->kernel == 1 ? s->w / 2 : s->w + 1; }

static int64_t x_rows_most(const gn_conv_shape *s) {
    int64_t rows = chunk_rows(s);
    return rows + (rows + s->oh - 1) / s->oh * 2 * s->pad;
}

size_t gn_wgrad_scratch(const gn_conv_shape *s) {
    const int fits = s->work == GN_TYPE_BF16 && s->in_block == B && s->out_block == B && s->c % B == 0 && s->o % B == 0 &&
                     s->stride == 1 && (s->kernel == 1 || s->kernel == 3) && s->w % 2 == 0 && s->w == s->ow && s->h == s->oh;
    if (!fits || sizeof(gn_real) != sizeof(float)) return 0;
    return sizeof(double) * (size_t)s->o +
           sizeof(pair) * (size_t)(s->c / B * x_rows_most(s) * x_step(s) + s->o / B * chunk_rows(s) * (s->ow / 2));
}

/* Two places of 16 channels as they lie, to 16 channels of two. */
GN_INLINE __m512i braid(__m512i v) {
    const __m512i order = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22, 6, 21, 5, 20,
                                           4, 19, 3, 18, 2, 17, 1, 16, 0);
    return _mm512_permutexvar_epi16(order, v);
}

static void braid_row(const uint16_t *from, int64_t pairs, pair *to) {
    for (int64_t p = 0; p < pairs; p++) _mm512_storeu_si512(&to[p], braid(_mm512_loadu_si512(from + p * 2 * B)));
}

/* Pairs (-1, 0), (1, 2) .. (w-1, w); beyond the row are zeros. */
static void braid_row_odd(const uint16_t *from, int64_t w, pair *to) {
    const __m512i none = _mm512_setzero_si512();
    const __m256i first = _mm256_loadu_si256((const __m256i *)(const void *)from);
    const __m256i last = _mm256_loadu_si256((const __m256i *)(const void *)(from + (w - 1) * B));
    _mm512_storeu_si512(&to[0], braid(_mm512_inserti64x4(none, first, 1)));
    braid_row(from + B, w / 2 - 1, to + 1);
    _mm512_storeu_si512(&to[w / 2], braid(_mm512_inserti64x4(none, last, 0)));
}

static void pack_x_row(const gn_conv_shape *s, const uint16_t *from, pair *to) {
    braid_row(from, s->w / 2, to);
    if (s->kernel == 3) braid_row_odd(from, s->w, to + s->w / 2);
}

static void pack_x(const gn_conv_shape *s, const uint16_t *x, chunk *k) {
    const int64_t blocks = s->c / B;
    int64_t at = 0;
    for (int64_t r = 0; r < k->rows;) {
        const int64_t image = k->image + (k->y + r) / s->h, y = (k->y + r) % s->h;
        const int64_t here = s->h - y < k->rows - r ? s->h - y : k->rows - r;
        for (int64_t i = 0; i < here; i++) k->x_row[r + i] = at + i;
        for (int64_t i = -s->pad; i < here + s->pad; i++, at++)
            for (int64_t b = 0; b < blocks; b++) {
                pair *to = k->x + (b * k->x_rows + at) * k->step;
                if (y + i < 0 || y + i >= s->h) memset(to, 0, sizeof *to * (size_t)k->step);
                else pack_x_row(s, x + ((image * blocks + b) * s->h + y + i) * s->w * B, to);
            }
        r += here;
    }
}

/* Blocks of O that a tile beginning at block o takes. */
static int wide_at(int64_t o, int64_t blocks) { return o < blocks / WIDE * WIDE ? WIDE : 1; }

/* and adds dy up over the chunk, for the bias */
static void pack_dy(const gn_conv_shape *s, const uint16_t *dy, const chunk *k, double *sum) {
    const int64_t blocks = s->o / B;
    const __m512bh ones = (__m512bh)_mm512_set1_epi16(0x3f80);
    for (int64_t b = 0; b < blocks; b++) {
        const int wide = wide_at(b, blocks);
        pair *to = k->dy + b / wide * wide * k->rows * k->pairs + b % wide;
        __m512 few = _mm512_setzero_ps();
        for (int64_t r = 0; r < k->rows; r++) {
            const int64_t image = k->image + (k->y + r) / s->oh, y = (k->y + r) % s->oh;
            const uint16_t *from = dy + ((image * blocks + b) * s->oh + y) * s->ow * B;
            for (int64_t p = 0; p < k->pairs; p++, to += wide) {
                const __m512i v = braid(_mm512_loadu_si512(from + p * 2 * B));
                _mm512_storeu_si512(to, v);
                few = _mm512_dpbf16_ps(few, (__m512bh)v, ones);
            }
        }
        const gn_lanes_f32 f = (gn_lanes_f32)few;
        for (int i = 0; i < B; i++) sum[b * B + i] += (double)f[i];
    }
}

/* dw of `wide` blocks of O, `apart` elements apart, and TILE/wide channels of I; x points at their first pair. */
GN_INLINE void tile(const chunk *k, const uint16_t *x, const pair *dy, int wide, float *dw, int64_t apart, int first) {
    const int high = TILE / wide;
    __m512 acc[TILE];
    for (int a = 0; a < TILE; a++)
        acc[a] = first ? _mm512_setzero_ps() : _mm512_loadu_ps(dw + a / high * apart + a % high * B);
    for (int64_t r = 0; r < k->rows; r++) {
        const uint16_t *at = x + k->x_row[r] * k->step * 2 * B;
        for (const pair *end = dy + k->pairs * wide; dy != end; dy += wide, at += 2 * B) {
            __m512bh d[WIDE];
            for (int o = 0; o < wide; o++) {
                __m512i v = _mm512_loadu_si512(&dy[o]);
                __asm__("" : "+v"(v)); /* stay in a register: gcc would load it again for each use */
                d[o] = (__m512bh)v;
            }
            for (int i = 0; i < high; i++) {
                int32_t two;
                memcpy(&two, at + 2 * i, sizeof two);
                const __m512bh v = (__m512bh)_mm512_set1_epi32(two);
                for (int o = 0; o < wide; o++) acc[o * high + i] = _mm512_dpbf16_ps(acc[o * high + i], d[o], v);
            }
        }
    }
    for (int a = 0; a < TILE; a++) _mm512_storeu_ps(dw + a / high * apart + a % high * B, acc[a]);
}

/* One tap of `wide` blocks of O and one of I. */
GN_INLINE void tap(const chunk *k, const pair *x, const pair *dy, int wide, float *dw, int64_t apart, int first) {
    for (int i = 0; i < B; i += TILE / wide)
        tile(k, x->of + 2 * i, dy, wide, dw + i * B, apart, first);
}

static void multiply(const gn_conv_shape *s, const chunk *k, float *dw, int first) {
    const int64_t in = s->c / B, out = s->o / B, taps = s->kernel * s->kernel, apart = in * taps * B * B;
    const int64_t shift[3] = { s->kernel == 1 ? 0 : s->w / 2, 0, s->w / 2 + 1 }; /* of taps left, middle, right */
    for (int64_t o = 0; o < out;) {
        const int wide = wide_at(o, out);
        const pair *dy = k->dy + o * k->rows * k->pairs;
        for (int64_t i = 0; i < in; i++)
            for (int64_t t = 0; t < taps; t++) {
                const pair *x = k->x + (i * k->x_rows + t / s->kernel) * k->step + shift[t % s->kernel];
                float *to = dw + ((o * in + i) * taps + t) * B * B;
                if (wide == WIDE) tap(k, x, dy, WIDE, to, apart, first);
                else tap(k, x, dy, 1, to, apart, first);
            }
        o += wide;
    }
}

void gn_wgrad(const gn_conv_shape *s, const uint16_t *x, const uint16_t *dy, gn_real *dw, gn_real *db, void *scratch) {
    const int64_t most = chunk_rows(s), all = s->n * s->oh;
    chunk k = { .pairs = s->ow / 2, .step = x_step(s), .x_rows = x_rows_most(s) };
    double *sum = scratch; /* of dy */
    memset(sum, 0, (size_t)s->o * sizeof *sum);
    k.x = (pair *)(void *)(sum + s->o);
    k.dy = k.x + s->c / B * k.x_rows * k.step;
    for (int64_t at = 0; at < all; at += k.rows) {
        const int64_t y = at % s->oh, left = most < s->oh ? s->oh - y : all - at;
        k.image = at / s->oh, k.y = y, k.rows = left < most ? left : most;
        pack_x(s, x, &k);
        pack_dy(s, dy, &k, sum);
        multiply(s, &k, (float *)dw, !at);
    }
    for (int64_t o = 0; db && o < s->o; o++) db[o] = (gn_real)sum[o];
}
#else
size_t gn_wgrad_scratch(const gn_conv_shape *s) { return (void)s, (size_t)0; }
void gn_wgrad(const gn_conv_shape *s, const uint16_t *x, const uint16_t *dy, gn_real *dw, gn_real *db, void *scratch) {
    (void)s, (void)x, (void)dy, (void)dw, (void)db, (void)scratch;
}
#endif
