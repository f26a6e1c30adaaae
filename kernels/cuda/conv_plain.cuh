// conv_plain.cuh - the three products of a convolution in float arithmetic, for every shape and type.
//
// Implicit matrix products: a block gathers what a tile reads into shared memory, DEEP numbers of the sum at a time, with
// norm and ReLU on the way, and a thread keeps a part of the tile in registers. Taps and channels are one index
// k = tap * depth + channel, so that the 3 channels of a picture fill a step.
#ifndef GN_CONV_PLAIN_CUH
#define GN_CONV_PLAIN_CUH
#include "conv_tile.cuh"

enum { DEEP = 16, WIDE = 64, PITCH = WIDE + 4 }; // pitches: rows begin in other banks, and stay aligned for float4
enum { PLAIN_SHARED = TILE * PITCH * sizeof(float), PLAIN_WEIGHTS_SHARED = 2 * DEEP * PITCH * sizeof(float) };

// Which place of the picture tap (ky, kx) of place (y, x) reads; -1: none. Forward a place is y's and reads x, BACK the reverse.
template <int BACK> GN_DEVICE int read_at(const conv &g, int y, int x, int ky, int kx) {
    if (!BACK) {
        const int iy = y * g.stride + ky - g.pad, ix = x * g.stride + kx - g.pad;
        return iy < 0 || ix < 0 || iy >= g.h || ix >= g.w ? -1 : iy * g.w + ix;
    }
    const int ty = y + g.pad - ky, tx = x + g.pad - kx;
    if (ty < 0 || tx < 0 || ty % g.stride || tx % g.stride) return -1;
    const int oy = ty / g.stride, ox = tx / g.stride;
    return oy >= g.oh || ox >= g.ow ? -1 : oy * g.ow + ox;
}

struct place { int n, y, x; };
GN_DEVICE place place_of(int p, int h, int w) {
    place at = { p / (h * w), p / w % h, p % w };
    return at;
}

// acc[i][j] += sum over k of a[k][row + i] b[k][column + j]
template <int ROWS, int PITCH_A>
GN_DEVICE void multiply(float acc[ROWS][4], const float *a, const float *b, int row, int column) {
    for (int k = 0; k < DEEP; k++) {
        float left[ROWS];
        const float4 right = *(const float4 *)(b + k * PITCH + column);
        for (int i = 0; i < ROWS; i += 4) {
            const float4 l = *(const float4 *)(a + k * PITCH_A + row + i);
            left[i] = l.x, left[i + 1] = l.y, left[i + 2] = l.z, left[i + 3] = l.w;
        }
        for (int i = 0; i < ROWS; i++) {
            acc[i][0] += left[i] * right.x, acc[i][1] += left[i] * right.y;
            acc[i][2] += left[i] * right.z, acc[i][3] += left[i] * right.w;
        }
    }
}

// Forward, or BACK the data's gradient: TILE places and WIDE channels of what `e` ends.
template <int BACK>
static __global__ void __launch_bounds__(THREADS) plain(conv g, numbers from, norm_by by, const float *weight, ending e) {
    constexpr int EACH = TILE / (THREADS / DEEP), PITCH_A = TILE + 4;
    GN_SHARED(float, tile);
    float *a = tile, *b = tile + DEEP * PITCH_A;
    const int t = threadIdx.x, deep = t % DEEP, side = t / DEEP; // loads: number `deep` of the sum, rows side, side + 16, ..
    const int depth = BACK ? g.o : g.c, all = g.kernel * g.kernel * depth, size = BACK ? g.oh * g.ow : g.h * g.w;
    const int blocks = (e.channels + WIDE - 1) / WIDE, number = blockIdx.x / blocks, first = (int)(blockIdx.x % blocks) * WIDE;
    place at[EACH];
    for (int i = 0; i < EACH; i++) {
        const int64_t p = (int64_t)number * TILE + side + i * (THREADS / DEEP);
        at[i] = place_of((int)(p < e.places ? p : 0), BACK ? g.h : g.oh, BACK ? g.w : g.ow);
        if (p >= e.places) at[i].n = -1;
    }
    float acc[8][4] = {};
    for (int k0 = 0; k0 < all; k0 += DEEP) {
        const int k = k0 + deep, tap = k / depth, ch = k - tap * depth, ky = tap / g.kernel, kx = tap - ky * g.kernel;
        const scaling s = scaling_of(by, ch);
        for (int i = 0; i < EACH; i++) {
            const int p = k < all && at[i].n >= 0 ? read_at<BACK>(g, at[i].y, at[i].x, ky, kx) : -1;
            float v = 0;
            if (p >= 0) get<1>(from, ((int64_t)at[i].n * size + p) * depth + ch, &v), v = BACK ? v : norm_apply(s, by.least, v);
            a[deep * PITCH_A + side + i * (THREADS / DEEP)] = v;
        }
        for (int i = 0; i < WIDE * DEEP / THREADS; i++) {
            if (BACK) {
                const int j = side + i * (THREADS / DEEP), c = first + j;
                b[deep * PITCH + j] = k < all && c < g.c ? weight[((int64_t)tap * g.c + c) * g.o + ch] : 0;
            } else {
                const int row = t / WIDE + i * (THREADS / WIDE), o = first + t % WIDE;
                b[row * PITCH + t % WIDE] = k0 + row < all && o < g.o ? weight[(int64_t)(k0 + row) * g.o + o] : 0;
            }
        }
        __syncthreads();
        multiply<8, PITCH_A>(acc, a, b, t / 16 * 8, t % 16 * 4);
        __syncthreads();
    }
    for (int i = 0; i < 8; i++)
        for (int j = 0; j < 4; j++) tile[(t / 16 * 8 + i) * PITCH + t % 16 * 4 + j] = acc[i][j];
    __syncthreads();
    tile_end<1, WIDE, BACK>(e, tile, PITCH, number, first);
}

// The gradient of WIDE weights (tap, channel) of WIDE outputs over one chunk of y's places, and of the bias.
static __global__ void __launch_bounds__(THREADS)
plain_weights(conv g, numbers x, norm_by by, numbers dy, int chunk, float *dw, float *db, int64_t step) {
    constexpr int APART = THREADS / WIDE;
    __shared__ __align__(16) float a[DEEP * PITCH], b[DEEP * PITCH]; // read four at a time
    const int t = threadIdx.x, all = g.kernel * g.kernel * g.c, places = g.n * g.oh * g.ow;
    const int blocks = (g.o + WIDE - 1) / WIDE, m0 = (int)(blockIdx.x / blocks) * WIDE, o0 = (int)(blockIdx.x % blocks) * WIDE;
    const int m = m0 + t % WIDE, tap = m / g.c, ch = m - tap * g.c, ky = tap / g.kernel, kx = tap - ky * g.kernel;
    const int o = o0 + t % WIDE, end = places - (int)blockIdx.y * chunk < chunk ? places : (int)(blockIdx.y + 1) * chunk;
    const scaling s = scaling_of(by, ch);
    float acc[4][4] = {}, bias = 0;
    for (int p0 = (int)blockIdx.y * chunk; p0 < end; p0 += DEEP) {
        for (int i = 0; i < DEEP; i += APART) {
            const int row = i + t / WIDE, p = p0 + row;
            float u = 0, v = 0;
            if (p < end) {
                const place at = place_of(p, g.oh, g.ow);
                const int from = m < all ? read_at<0>(g, at.y, at.x, ky, kx) : -1;
                if (from >= 0) get<1>(x, ((int64_t)at.n * g.h * g.w + from) * g.c + ch, &u), u = norm_apply(s, by.least, u);
                if (o < g.o) get<1>(dy, (int64_t)p * g.o + o, &v);
            }
            a[row * PITCH + t % WIDE] = u;
            b[row * PITCH + t % WIDE] = v;
            bias += v;
        }
        __syncthreads();
        multiply<4, PITCH>(acc, a, b, t / 16 * 4, t % 16 * 4);
        __syncthreads();
    }
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < 4; j++) {
            const int row = m0 + t / 16 * 4 + i, column = o0 + t % 16 * 4 + j;
            if (row < all && column < g.o) dw[blockIdx.y * step + (int64_t)row * g.o + column] = acc[i][j];
        }
    if (db && m0 == 0) columns_end<1, WIDE>(&bias, a, db + blockIdx.y * step + o0, g.o - o0);
}
#endif
