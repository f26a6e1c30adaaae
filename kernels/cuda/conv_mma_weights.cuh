// conv_mma_weights.cuh - the gradient of weights and bias on tensor cores, over one chunk of places.
//
// dw[tap][c][o] = sum over places p of x[p + shift of the tap][c] dy[p][o]. A block has 64 MI channels of x and 16 NJ of dy, its
// 8 warps 4 x 2, and all taps: x runs through a ring in shared memory, where each place is loaded and normalised once.
// A step is 32 places; STAGES steps are under way.
#ifndef GN_CONV_MMA_WEIGHTS_CUH
#define GN_CONV_MMA_WEIGHTS_CUH
#include "conv_mma.cuh"

enum { STEP = 32 };

struct gradient {
    numbers x, dy;      // [places][c], [places][o]
    norm_by by;
    int normal;
    taps k;
    int c, o, places;
    int chunk;          // places, a multiple of STEP
    float *dw, *db;     // of chunk 0; db NULL: not wanted
    int64_t step;       // to the next chunk's
};

// Rows of the ring before the first step's own: the halo before and after, in whole steps. Its rows are a power of two.
static inline __host__ __device__ int ring_lead(taps k) { return (2 * halo_of(k) + STEP - 1) / STEP * STEP; }
static inline __host__ __device__ int ring_rows(taps k) {
    int rows = STAGES * STEP;
    while (rows < ring_lead(k) + STAGES * STEP) rows *= 2;
    return rows;
}
static inline size_t mma_weights_shared(taps k, int m, int n) {
    return ZEROS + 2 * ((size_t)ring_rows(k) * m + STAGES * STEP * (size_t)n) + sizeof(scaling) * m + STAGES * STEP * 2;
}

// acc += 16 places. row, chunk: of the lane, of x; dy: where it reads dy. inside: of its place
template <int TAPS, int MI, int NJ>
GN_DEVICE void places_add(float acc[TAPS][MI][NJ][4], const unsigned char *shared, int ring, int row, int mask, int chunk,
                          unsigned inside, taps k, const unsigned char *dy, int dy_at) {
    unsigned b[NJ / 2][4];
    GN_UNROLL for (int j = 0; j < NJ / 2; j++) gn_matrix_read_turned(b[j], dy + (dy_at ^ 32 * j));
    GN_UNROLL for (int t = 0; t < TAPS; t++) {
        const int at = ring + panel_at<8 * MI>((row + (TAPS > 1 ? shift_of(k, t) : 0)) & mask, chunk);
        GN_UNROLL for (int i = 0; i < MI; i++) {
            unsigned a[4];
            gn_matrix_read_turned(a, shared + (TAPS == 1 || inside >> t & 1 ? at ^ 32 * i : 0));
            GN_UNROLL for (int j = 0; j < NJ; j++) gn_product(acc[t][i][j], a, b[j / 2] + j % 2 * 2);
        }
    }
}

template <int TAPS, int MI, int NJ>
static __global__ void __launch_bounds__(THREADS, TAPS == 1 ? 2 : 1) mma_weights(gradient q) {
    constexpr int M = 64 * MI, N = 16 * NJ;
    GN_SHARED(unsigned char, shared);
    const int rows = ring_rows(q.k), lead = ring_lead(q.k), halo = halo_of(q.k);
    unsigned char *dy = shared + ZEROS, *ring = dy + STAGES * STEP * N * 2;
    scaling *norm = (scaling *)(ring + rows * M * 2);
    uint16_t(*inside)[STEP] = (uint16_t(*)[STEP])(norm + M);
    const int blocks = (q.o + N - 1) / N, c0 = (int)(blockIdx.x / blocks) * M, o0 = (int)(blockIdx.x % blocks) * N;
    const int p0 = (int)blockIdx.y * q.chunk, p1 = q.places - p0 < q.chunk ? q.places : p0 + q.chunk;
    const unsigned steps = (unsigned)(p1 - p0 + STEP - 1) / STEP;
    const int lane = gn_lane(), warp_c = threadIdx.x / 64 * 16 * MI, warp_o = threadIdx.x / WARP % 2 * 8 * NJ;
    const int dy_at = panel_at<2 * NJ>(lane % 16, warp_o / 8 + lane / 16);
    if (threadIdx.x < ZEROS / 4) ((unsigned *)shared)[threadIdx.x] = 0;
    if (q.normal) scalings_fill(norm, q.by, c0, M);
    __syncthreads();

    // x's places from the at-th on of all that run through the ring
    const auto x_view = [&](int at) {
        const view v = { q.x.data, q.x.narrow, q.c, p0 - halo + at, q.places, c0, q.normal ? norm : NULL, q.by.least };
        return v;
    };
    const auto ring_at = [&](int at) { return ring + (at & (rows - 1)) * M * 2; };
    const auto dy_view = [&](int p) {
        const view v = { q.dy.data, q.dy.narrow, q.o, p, p1, o0, NULL, 0 };
        return v;
    };
    const auto fetch = [&](unsigned step) {
        if (step < steps) {
            const int p = p0 + (int)step * STEP, at = lead + (int)step * STEP;
            if (step == 0) panel_fetch<8 * MI>(ring, x_view(0), lead);
            panel_fetch<8 * MI>(ring_at(at), x_view(at), STEP);
            panel_fetch<2 * NJ>(dy + step % STAGES * STEP * N * 2, dy_view(p), STEP);
            if (TAPS > 1 && threadIdx.x < STEP)
                inside[step % STAGES][threadIdx.x] = (uint16_t)taps_inside(q.k, p + (int)threadIdx.x, p1);
        }
        gn_copy_commit();
    };
    float acc[TAPS][MI][NJ][4] = {}, bias[8] = {};
    for (unsigned step = 0; step < STAGES - 1; step++) fetch(step);
    for (unsigned step = 0; step < steps; step++) {
        const int at = lead + (int)step * STEP;
        const unsigned char *dy_now = dy + step % STAGES * STEP * N * 2;
        gn_copy_wait<STAGES - 2>();
        if (step == 0) panel_norm<8 * MI>(ring, x_view(0), lead);
        panel_norm<8 * MI>(ring_at(at), x_view(at), STEP);
        if (q.db && c0 == 0) panel_add<2 * NJ>(dy_now, dy_view(p0), STEP, bias);
        __syncthreads(); // this step is there, and the last one's place is free
        fetch(step + STAGES - 1);
        GN_UNROLL for (int k = 0; k < STEP; k += 16) {
            const int p = k + lane % 8 + lane / 16 * 8; // the lane's place of x, which is read turned
            places_add<TAPS, MI, NJ>(acc, shared, (int)(ring - shared), (int)step * STEP + p, rows - 1, warp_c / 8 + lane / 8 % 2,
                                     TAPS > 1 ? inside[step % STAGES][p] : 0, q.k, dy_now, dy_at + k * N * 2);
        }
    }
    float *dw = q.dw + blockIdx.y * q.step;
    GN_UNROLL for (int t = 0; t < TAPS; t++)
        GN_UNROLL for (int i = 0; i < MI; i++)
            GN_UNROLL for (int j = 0; j < NJ; j++)
                GN_UNROLL for (int half = 0; half < 2; half++) {
                    const int c = c0 + warp_c + 16 * i + lane / 4 + 8 * half, o = o0 + warp_o + 8 * j + 2 * (lane % 4);
                    if (c >= q.c || o >= q.o) continue;
                    float2 pair;
                    pair.x = acc[t][i][j][2 * half], pair.y = acc[t][i][j][2 * half + 1];
                    *(float2 *)(dw + ((int64_t)t * q.c + c) * q.o + o) = pair;
                }
    if (q.db && c0 == 0) columns_end<8, N>(bias, (float *)ring, q.db + blockIdx.y * q.step + o0, q.o - o0);
}
#endif
