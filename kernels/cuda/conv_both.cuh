// conv_both.cuh - backward of a 1x1 convolution in one pass over x and dy (sm_90a): dx = dy W^T and dW = relu(norm(x))^T dy.
//
// Blocks stay: one takes every gridDim.x-th row of sums (128 places, a step is half of them), C channels of x and all O of dy.
// One or two warpgroups, the adders, keep dW [C x O] in registers for all steps, and leave it at the end, as this block's part.
// The last makes dx [64 x C] of a step, and asks for the tiles of x and dy of coming ones, which are read this once. No
// warpgroup only asks: beside a fourth a thread could not have an adder's 128 sums and all else.
#ifndef GN_CONV_BOTH_CUH
#define GN_CONV_BOTH_CUH
#include "conv_wgmma.cuh"

enum { GROUP = 128 /* threads of a warpgroup */, HALF = TILE / 2, MOST_SHARED = 227 << 10 };

struct both_ends {
    norm_by by;
    int normal;  // x is read through norm or ReLU
    int add;     // to the dx that is there
    int places;
    float *rows; // NULL: not wanted, as is db
    float *dw, *db;
    int64_t step; // to the next block's part
};

typedef unsigned char panel[HALF * LINE]; // 64 channels of a step
template <int C, int O> struct room {   // shared memory of a block
    static constexpr int ADDERS = C == 64 ? 1 : 2, M = C / 64 / ADDERS; // an adder has 64 M channels of x
    static constexpr int THREADS_ALL = (1 + ADDERS) * GROUP;
    static constexpr int FIT = (MOST_SHARED - 2 * C * O - 176 * C - 3072) / (128 * (C + O)), KEPT = FIT < 4 ? FIT : 4;
    alignas(1024) unsigned char weight[O / 64][C][128];
    panel dx[C / 64];
    struct { panel x[C / 64], dy[O / 64]; } stage[KEPT];
    scaling norm[C];
    float part[4][2][C]; // of a row of sums, by warps
    float bias[GROUP][2];
    gn_barrier weights, old, full[KEPT], empty[KEPT]; // old: the dx that was there
};
enum { DATA = 1, ADDER = 2 }; // barriers of warpgroups; ADDER and on

GN_DEVICE int both_place(int step) { return ((int)blockIdx.x + step / 2 * (int)gridDim.x) * TILE + step % 2 * HALF; }

// One thread: a step's tiles, into its stage
template <int C, int O> GN_DEVICE void step_ask(room<C, O> *r, const gn_map *x, const gn_map *dy, int step) {
    const int k = step % r->KEPT, place = both_place(step);
    gn_barrier_expect(&r->full[k], sizeof r->stage[k]);
    for (int p = 0; p < O / 64; p++) gn_tile_load(r->stage[k].dy[p], dy, 64 * p, place, &r->full[k]);
    for (int p = 0; p < C / 64; p++) gn_tile_load(r->stage[k].x[p], x, (int)blockIdx.y * C + 64 * p, place, &r->full[k]);
}

// Sums over the eight lanes that are 4 apart, in a tree: of v[g] to lane g of them.
GN_DEVICE float eight_sums(float v[8]) {
    const int g = gn_lane() / 4;
    GN_UNROLL for (int n = 4; n; n /= 2)
        GN_UNROLL for (int i = 0; i < n; i++) {
            const float kept = g & n ? v[i + n] : v[i], given = g & n ? v[i] : v[i + n];
            v[i] = kept + gn_from_lane_xor(given, 4 * n);
        }
    return v[0];
}

// What becomes of a step's sums of N channels of dx, from `first`: as number_end of conv_tile.cuh, two neighbours at a time.
template <int N, int C, int O>
GN_DEVICE void slopes_end(room<C, O> *r, const float acc[N / 8][4], const panel *x, const both_ends &q, int first, int step) {
    const int g = gn_lane() / 4, t = gn_lane() % 4, warp = (int)(threadIdx.x / WARP % 4);
    GN_UNROLL for (int j = 0; j < N / 8; j += 2) {
        float sum[8] = {}; // of channels 8j, 8(j + 1): dx, dx xhat
        GN_UNROLL for (int i = 0; i < 2; i++) {
            const int c = first + 8 * (j + i), at = panel_at<8>(16 * warp + g, (j + i) % 8) + 4 * t;
            const scaling n[2] = { r->norm[c + 2 * t], r->norm[c + 2 * t + 1] };
            GN_UNROLL for (int half = 0; half < 2; half++) {
                unsigned *to = (unsigned *)(r->dx[c / 64] + 8 * half * LINE + at);
                float v[2] = { acc[j + i][2 * half], acc[j + i][2 * half + 1] }, in[2] = {}, old[2] = {};
                if (q.normal) gn_spread2(*(const unsigned *)(x[c / 64] + 8 * half * LINE + at), in);
                if (q.add) gn_spread2(*to, old);
                GN_UNROLL for (int k = 0; k < 2; k++) {
                    if (q.normal) v[k] = norm_back(n[k], q.by.least, in[k], v[k]);
                    if (q.add) v[k] += old[k];
                }
                gn_spread2(*to = gn_narrow2(v[0], v[1]), v);
                GN_UNROLL for (int k = 0; k < 2; k++) sum[4 * i + k] += v[k], sum[4 * i + 2 + k] += v[k] * norm_xhat(n[k], in[k]);
            }
        }
        if (!q.rows) continue;
        float *to = &r->part[warp][g / 2 % 2][first + 8 * (j + g / 4) + 2 * t + g % 2];
        const float all = eight_sums(sum);
        *to = step % 2 ? *to + all : all;
    }
}

// dx of this block's channels
template <int C, int O>
GN_DEVICE void data_make(room<C, O> *r, const gn_map *x, const gn_map *dy, const gn_map *weight, const gn_map *dx, const both_ends &q, int steps) {
    constexpr int N = C == 64 ? 64 : 128;
    const int at = (int)blockIdx.y * C, mine = (int)(threadIdx.x % GROUP), leads = mine == 0;
    if (leads) {
        gn_barrier_expect(&r->weights, sizeof r->weight);
        for (int p = 0; p < O / 64; p++) gn_tile_load(r->weight[p], weight, 64 * p, at, &r->weights);
        for (int step = 0; step < r->KEPT && step < steps; step++) step_ask(r, x, dy, step);
    }
    gn_barrier_wait(&r->weights, 0);
    for (int step = 0; step < steps; step++) {
        const int k = step % r->KEPT, place = both_place(step);
        if (leads) gn_tile_wait<0>();
        if (leads && q.add) {
            gn_barrier_expect(&r->old, sizeof r->dx);
            for (int p = 0; p < C / 64; p++) gn_tile_load(r->dx[p], dx, at + 64 * p, place, &r->old);
        }
        gn_barrier_wait(&r->full[k], step / r->KEPT & 1);
        gn_group_wait(DATA, GROUP); // the last dx has left, and the last row
        if (q.add) gn_barrier_wait(&r->old, step & 1);
        for (int first = 0; first < C; first += N) {
            float acc[N / 8][4] = {};
            gn_products_begin(acc);
            GN_UNROLL for (int o = 0; o < O; o += 16)
                gn_product_shared<N, 0, 0>(acc, gn_matrix_deep(r->stage[k].dy[o / 64], 128) + o % 64 / 16 * GN_NEXT_DEEP,
                                           gn_matrix_deep(r->weight[o / 64][first], 128) + o % 64 / 16 * GN_NEXT_DEEP);
            gn_products_commit();
            gn_products_wait<0>(acc);
            slopes_end<N>(r, acc, r->stage[k].x, q, first, step);
        }
        gn_shared_ready();
        gn_group_wait(DATA, GROUP);
        if (leads) {
            for (int p = 0; p < C / 64; p++) gn_tile_store(dx, at + 64 * p, place, r->dx[p]);
            gn_tile_commit();
            gn_barrier_wait(&r->empty[k], step / r->KEPT & 1);
            if (step + r->KEPT < steps) step_ask(r, x, dy, step + r->KEPT);
        }
        if (!q.rows || step % 2 == 0) continue;
        for (int i = mine; i < 2 * C; i += GROUP) {
            const int half = i / C, c = i % C;
            float sum = r->part[0][half][c];
            for (int w = 1; w < 4; w++) sum += r->part[w][half][c];
            q.rows[((int64_t)(place / TILE) * 2 + half) * q.by.channels + at + c] = sum;
        }
    }
    if (leads) gn_tile_wait<0>();
}

// Two neighbouring places of one channel
GN_DEVICE unsigned places_norm(unsigned pair, scaling n, float least) {
    float x[2];
    gn_spread2(pair, x);
    return gn_narrow2(norm_apply(n, least, x[0]), norm_apply(n, least, x[1]));
}

// The thread's part of dy's sums: two channels, of every strands_of(O)-th place
static inline __host__ __device__ constexpr int strands_of(int o) { return GROUP / (o / 2); }
template <int O> GN_DEVICE void bias_add(float sum[2], const panel *dy, int from, int to) {
    const int mine = (int)(threadIdx.x % GROUP), c = mine % (O / 2) * 2;
    for (int p = from + mine / (O / 2); p < to; p += strands_of(O)) {
        float v[2];
        gn_spread2(*(const unsigned *)(dy[c / 64] + panel_at<8>(p, c % 64 / 8) + c % 8 * 2), v);
        sum[0] += v[0], sum[1] += v[1];
    }
}

// All of the warpgroup's parts, to db; `barrier` is its own.
template <int O> GN_DEVICE void bias_end(float (*part)[2], float sum[2], float *db, int barrier) {
    const int mine = (int)(threadIdx.x % GROUP);
    part[mine][0] = sum[0], part[mine][1] = sum[1];
    gn_group_wait(barrier, GROUP);
    if (mine >= O / 2) return;
    for (int s = 1; s < strands_of(O); s++)
        for (int e = 0; e < 2; e++) sum[e] += part[mine + s * (O / 2)][e];
    for (int e = 0; e < 2; e++) db[2 * mine + e] = sum[e];
}

// dW of the adder's channels, and db
template <int C, int O> GN_DEVICE void weights_make(room<C, O> *r, const both_ends &q, int steps, int adder) {
    constexpr int M = room<C, O>::M, PIECES = 2 / M; // 16 places each, at once
    const int lane = gn_lane(), warp = (int)(threadIdx.x / WARP % 4), bias = q.db && adder == 0 && blockIdx.y == 0;
    float acc[M][O / 8][4] = {}, sum[2] = {};
    for (int step = 0; step < steps; step++) {
        const int k = step % r->KEPT;
        const panel *x = r->stage[k].x + adder * M, *dy = r->stage[k].dy;
        gn_barrier_wait(&r->full[k], step / r->KEPT & 1);
        GN_UNROLL for (int p = 0; p < HALF; p += 16 * PIECES) {
            unsigned a[PIECES][M][4];
            GN_UNROLL for (int m = 0; m < M; m++) {
                const scaling *n = r->norm + 64 * (adder * M + m) + 16 * warp + lane / 4;
                GN_UNROLL for (int i = 0; i < PIECES; i++) {
                    gn_matrix_read_turned(a[i][m], x[m] + (p + 16 * i) * LINE + panel_at<8>(lane % 8 + lane / 16 * 8, 2 * warp + lane / 8 % 2));
                    if (!q.normal) continue;
                    GN_UNROLL for (int e = 0; e < 4; e++) a[i][m][e] = places_norm(a[i][m][e], n[e % 2 * 8], q.by.least);
                }
            }
            gn_products_begin(acc, a);
            GN_UNROLL for (int i = 0; i < PIECES; i++)
                GN_UNROLL for (int m = 0; m < M; m++)
                    gn_product_wide<O, 1>(acc[m], a[i][m], gn_matrix_wide(dy[0], sizeof(panel)) + (p / 16 + i) * GN_NEXT_WIDE);
            gn_products_commit();
            if (bias) bias_add<O>(sum, dy, p, p + 16 * PIECES);
            gn_products_wait<0>(acc);
        }
        gn_group_wait(ADDER + adder, GROUP);
        if (threadIdx.x % GROUP == 0) gn_barrier_arrive(&r->empty[k]);
    }
    float *dw = q.dw + blockIdx.x * q.step + ((int64_t)blockIdx.y * C + 64 * adder * M) * O;
    GN_UNROLL for (int m = 0; m < M; m++)
        GN_UNROLL for (int j = 0; j < O / 8; j++)
            GN_UNROLL for (int half = 0; half < 2; half++) {
                float2 pair;
                pair.x = acc[m][j][2 * half], pair.y = acc[m][j][2 * half + 1];
                *(float2 *)(dw + (64 * m + 16 * warp + lane / 4 + 8 * half) * O + 8 * j + 2 * (lane % 4)) = pair;
            }
    if (bias) bias_end<O>(r->bias, sum, q.db + blockIdx.x * q.step, ADDER + adder);
}

template <int C, int O>
static __global__ void __launch_bounds__(room<C, O>::THREADS_ALL, 1)
both(const __grid_constant__ gn_map x, const __grid_constant__ gn_map dy, const __grid_constant__ gn_map weight,
     const __grid_constant__ gn_map dx, both_ends q) {
    typedef room<C, O> rooms;
    GN_SHARED(rooms, r);
    const int rows = (q.places + TILE - 1) / TILE, group = (int)(threadIdx.x / GROUP);
    const int steps = 2 * ((rows - (int)blockIdx.x + (int)gridDim.x - 1) / (int)gridDim.x);
    if (threadIdx.x < C) r->norm[threadIdx.x] = scaling_of(q.by, (int)(blockIdx.y * C + threadIdx.x));
    if (threadIdx.x == 0) {
        gn_barrier_begin(&r->weights, 1), gn_barrier_begin(&r->old, 1);
        for (int k = 0; k < rooms::KEPT; k++) gn_barrier_begin(&r->full[k], 1), gn_barrier_begin(&r->empty[k], rooms::ADDERS);
        gn_barriers_ready();
    }
    __syncthreads();
    if (group < rooms::ADDERS) weights_make(r, q, steps, group);
    else data_make(r, &x, &dy, &weight, &dx, q, steps);
}

// --- choice ---

// The kernel of C channels of x a block: run(kernel, its shared memory, its threads)
template <int C, int O, class Run> static void both_kernel_of(Run run) {
    run(both<C, O>, sizeof(room<C, O>), (int)room<C, O>::THREADS_ALL);
}
template <int C, class Run> static void both_kernel_for(int o, Run run) {
    if (o == 64) both_kernel_of<C, 64>(run);
    else if (o == 128) both_kernel_of<C, 128>(run);
    else if constexpr (C < 256) both_kernel_of<C, 256>(run);
}
template <class Run> static void both_kernel(int c, int o, Run run) {
    if (c == 64) both_kernel_for<64>(o, run);
    else if (c == 128) both_kernel_for<128>(o, run);
    else both_kernel_for<256>(o, run);
}

// Channels of x a block: as many as its registers hold the gradients of, but fewer where few places would make few blocks.
// 0: no such kernel.
static int both_wide(const conv &g) {
    const int64_t rows = gn_blocks((int64_t)g.n * g.h * g.w, TILE);
    if (g.kernel != 1 || g.stride != 1 || g.c % 64 || (g.o != 64 && g.o != 128 && g.o != 256)) return 0;
    for (int wide = 256; wide > 64; wide /= 2)
        if (g.c % wide == 0 && wide * g.o <= 256 * 128 && rows * (g.c / wide) >= gn_fill()) return wide;
    return 64;
}
static int both_blocks(const conv &g, int wide) { // that share the places, and make as many parts
    const int rows = (int)gn_blocks((int64_t)g.n * g.h * g.w, TILE), most = gn_fill() / (g.c / wide);
    return rows < most ? rows : most > 1 ? most : 1;
}
static gn_status both_plan(const conv &g, int wide) {
    gn_status s = GN_OK;
    both_kernel(wide, g.o, [&](auto kernel, size_t shared, int) { s = gn_wants_shared(kernel, shared, "conv"); });
    return s;
}
static gn_status both_run(const conv &g, int wide, const void *x, const void *dy, const void *weight, void *dx, const both_ends &q,
                          void *stream) {
    gn_map maps[4];
    GN_TRY(gn_map_of(&maps[0], x, q.places, g.c, g.c, HALF, 64));
    GN_TRY(gn_map_of(&maps[1], dy, q.places, g.o, g.o, HALF, 64));
    GN_TRY(gn_map_of(&maps[2], weight, g.c, g.o, g.o, wide, 64));
    GN_TRY(gn_map_of(&maps[3], dx, q.places, g.c, g.c, HALF, 64));
    const dim3 grid((unsigned)both_blocks(g, wide), (unsigned)(g.c / wide));
    both_kernel(wide, g.o, [&](auto kernel, size_t shared, int threads) {
        GN_LAUNCH(kernel, grid, threads, shared, stream, maps[0], maps[1], maps[2], maps[3], q);
    });
    return gn_launched("conv backward", stream);
}
#endif
