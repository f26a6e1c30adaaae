// conv_wgmma_weights.cuh - the gradient of a 3x3's weights and bias by warpgroups (sm_90a), over one chunk of places.
//
// As conv_mma_weights.cuh, whose ring of places this is: a block has 64 channels of x and 64 of dy. Each of its three
// warpgroups has the three taps of a line, [64 x 64] each; what it reads of x, shifted, goes through registers, so that a place
// outside the picture is another address. A step is 64 places, multiplied 16 at a time: one warpgroup reads while others multiply.
#ifndef GN_CONV_WGMMA_WEIGHTS_CUH
#define GN_CONV_WGMMA_WEIGHTS_CUH
#include "conv_both.cuh"
#include "conv_mma_weights.cuh"

enum { LINES = 3, AHEAD = 4 /* steps in shared memory */ };

struct weights_room { // of shared memory, before the ring
    alignas(1024) panel dy[AHEAD];
    unsigned char zeros[128];
    scaling norm[64];
    float bias[GROUP][2];
    uint16_t inside[2][HALF];
    gn_barrier full[AHEAD];
};
static inline __host__ __device__ int lines_lead(taps k) { return (2 * halo_of(k) + HALF - 1) / HALF * HALF; } // as ring_lead
static inline __host__ __device__ int lines_rows(taps k) {                                                     // and ring_rows
    int rows = AHEAD * HALF;
    while (rows < lines_lead(k) + AHEAD * HALF) rows *= 2;
    return rows;
}
static inline size_t wgmma_weights_shared(taps k) { return sizeof(weights_room) + 128 * (size_t)lines_rows(k); }

static __global__ void __launch_bounds__(LINES * GROUP, 1)
wgmma_weights(const __grid_constant__ gn_map x, const __grid_constant__ gn_map dy, gradient q) {
    GN_SHARED(weights_room, r);
    unsigned char *ring = (unsigned char *)(r + 1);
    const int rows = lines_rows(q.k), lead = lines_lead(q.k), halo = halo_of(q.k), thread = (int)threadIdx.x;
    const int blocks = q.o / 64, c0 = (int)(blockIdx.x / blocks) * 64, o0 = (int)(blockIdx.x % blocks) * 64;
    const int p0 = (int)blockIdx.y * q.chunk, p1 = q.places - p0 < q.chunk ? q.places : p0 + q.chunk;
    const int steps = (p1 - p0 + HALF - 1) / HALF, lane = gn_lane(), line = thread / GROUP, warp = thread / WARP % 4;
    const int bias = q.db && c0 == 0 && line == 0;
    if (thread < 64) r->norm[thread] = scaling_of(q.by, c0 + thread);
    if (thread < 32) ((unsigned *)r->zeros)[thread] = 0;
    if (thread == 0) {
        for (int k = 0; k < AHEAD; k++) gn_barrier_begin(&r->full[k], 1);
        gn_barriers_ready();
    }
    __syncthreads();

    const auto ask = [&](int step) { // one thread
        gn_barrier *full = &r->full[step % AHEAD];
        const int end = lead + (step + 1) * HALF;
        int at = step ? end - HALF : 0;
        gn_barrier_expect(full, (int)sizeof(panel) + 128 * (end - at));
        gn_tile_load(r->dy[step % AHEAD], &dy, o0, p0 + step * HALF, full);
        for (; at < end; at += HALF) gn_tile_load(ring + (at & (rows - 1)) * 128, &x, c0, p0 - halo + at, full);
    };
    const auto normalise = [&](int at, int end) { // rows of the ring, a thread 8 channels; outside the batch they stay 0
        const int chunk = thread % 8;
        for (at += thread / 8; at < end; at += LINES * GROUP / 8) {
            bf16 *piece = (bf16 *)(ring + panel_at<8>(at & (rows - 1), chunk));
            float v[8];
            if ((unsigned)(p0 - halo + at) >= (unsigned)q.places) continue;
            gn_load8(piece, 0, v);
            piece_norm(r->norm + 8 * chunk, q.by.least, v);
            gn_store8(piece, 0, v);
        }
    };
    unsigned a[LINES][4];
    float acc[LINES][8][4] = {}, sum[2] = {};
    const auto read = [&](int step, int from) { // 16 places of x, by the taps of the line
        const int p = from + lane % 8 + lane / 16 * 8, inside = r->inside[step % 2][p] >> 3 * line;
        GN_UNROLL for (int t = 0; t < LINES; t++) {
            const int row = (step * HALF + p + line * q.k.w + t) & (rows - 1);
            gn_matrix_read_turned(a[t], inside >> t & 1 ? ring + panel_at<8>(row, 2 * warp + lane / 8 % 2) : r->zeros);
        }
    };
    const auto multiply = [&](int step, int from) {
        const gn_matrix b = gn_matrix_wide(r->dy[step % AHEAD], sizeof(panel)) + from / 16 * GN_NEXT_WIDE;
        gn_products_begin(acc, a);
        GN_UNROLL for (int t = 0; t < LINES; t++) gn_product_wide<64, 1>(acc[t], a[t], b);
        gn_products_commit();
    };

    for (int step = 0; thread == 0 && step < AHEAD - 1 && step < steps; step++) ask(step);
    for (int step = 0; step < steps; step++) {
        const int end = lead + (step + 1) * HALF;
        gn_barrier_wait(&r->full[step % AHEAD], step / AHEAD & 1);
        if (q.normal) normalise(step ? end - HALF : 0, end);
        if (thread >= LINES * GROUP - HALF) {
            const int p = thread - (LINES * GROUP - HALF);
            r->inside[step % 2][p] = (uint16_t)taps_inside(q.k, p0 + step * HALF + p, p1);
        }
        gn_shared_ready(); // before the copy engine writes there again
        __syncthreads(); // this step is there, and the last one's place is free
        if (thread == 0 && step + AHEAD - 1 < steps) ask(step + AHEAD - 1);
        const int left = p1 - p0 - step * HALF; // the rest is another chunk's
        GN_UNROLL for (int from = 0; from < HALF; from += 16) {
            read(step, from);
            multiply(step, from);
            if (bias) bias_add<64>(sum, &r->dy[step % AHEAD], from, left < from + 16 ? left : from + 16);
            gn_products_wait<0>(acc);
        }
    }
    float *dw = q.dw + blockIdx.y * q.step;
    GN_UNROLL for (int t = 0; t < LINES; t++)
        GN_UNROLL for (int j = 0; j < 8; j++)
            GN_UNROLL for (int half = 0; half < 2; half++) {
                const int c = c0 + 16 * warp + lane / 4 + 8 * half, o = o0 + 8 * j + 2 * (lane % 4);
                float2 pair;
                pair.x = acc[t][j][2 * half], pair.y = acc[t][j][2 * half + 1];
                *(float2 *)(dw + ((int64_t)(LINES * line + t) * q.c + c) * q.o + o) = pair;
            }
    if (bias) bias_end<64>(r->bias, sum, q.db + blockIdx.y * q.step + o0, 1);
}

static gn_status wgmma_weights_run(const gradient &q, dim3 grid, void *stream) {
    gn_map x, dy;
    GN_TRY(gn_map_of(&x, q.x.data, q.places, q.c, q.c, HALF, 64));
    GN_TRY(gn_map_of(&dy, q.dy.data, q.places, q.o, q.o, HALF, 64));
    GN_LAUNCH(wgmma_weights, grid, LINES * GROUP, wgmma_weights_shared(q.k), stream, x, dy, q);
    return GN_OK;
}
#endif
