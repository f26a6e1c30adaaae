// conv_wgmma.cuh - forward and the data's gradient by warpgroups (sm_90a): bf16 in, float sums; kernel 1 or 3, stride 1.
//
// Blocks stay: one makes every gridDim.x-th tile, M rows of sums (TILE places each) by N channels. Two warpgroups multiply, each
// 64 places of a row: places go through registers, weights are read where they lie. Of the third, a thread loads, as far ahead
// as shared memory allows, into the next tile while this one's sums are stored.
// The sum goes over slices of 64 channels, and in a slice over the taps.
// 1x1, bound by memory: norm and ReLU in registers, the weights stay, and one of two blocks stores while the other multiplies.
// 3x3: a slice lies there once with its halo, a tap is another first row, and what lies outside the picture is read from a
// line of zeros; the other warps of the third normalise it in place; weights of a tap and slice, a step, come in a ring.
#ifndef GN_CONV_WGMMA_CUH
#define GN_CONV_WGMMA_CUH
#include "conv_mma.cuh"
#include "warpgroup.cuh"

enum {
    SLICE = 64, LINE = 2 * SLICE,          // channels; bytes of a place's
    LOADERS = 128, NORMS = LOADERS - WARP, // threads: the third warpgroup, and those of it that normalise
    SLICES_MOST = 32, KEPT_MOST = 4, STEPS_BYTES = 48 << 10, BOX_MOST = 256 /* rows */,
    HALF_SHARED = 113 << 10                // bytes: of a block that leaves room for another
};
struct tiling { int n, m; }; // n 0: none fits

// Shared memory of a block: a row's sums, barriers, a line of zeros, weights, norm as a x + b, slices of places.
struct layout {
    int box, boxes; // rows of a load, and loads, that a slice of places takes
    int slices, slices_kept, steps_kept;
    int slice, step; // bytes
    int gates, zeros, weights, norm, places, all; // where they begin; the sums at 0
};
// By place in their rings: what has come, is normalised, may be overwritten.
struct gates { gn_barrier slice[KEPT_MOST], normal[KEPT_MOST], slice_free[KEPT_MOST], step[SLICES_MOST], step_free[8]; };

static inline __host__ __device__ int tile_rows(taps k, int m) { return m * TILE + 2 * halo_of(k); }
static inline __host__ __device__ layout layout_of(const product &p, tiling t) {
    layout l;
    const int rows = tile_rows(p.k, t.m);
    l.boxes = (rows + BOX_MOST - 1) / BOX_MOST;
    l.box = ((rows + l.boxes - 1) / l.boxes + 7) / 8 * 8; // whole patterns of the swizzle
    l.slices = (p.depth + SLICE - 1) / SLICE;
    l.slice = l.boxes * l.box * LINE;
    l.step = t.n * LINE;
    l.steps_kept = p.k.count == 1 ? l.slices : STEPS_BYTES / l.step;
    l.gates = (int)sizeof(float) * TILE * (t.n + 8);
    l.zeros = l.gates + ((int)sizeof(gates) + LINE - 1) / LINE * LINE;
    l.weights = (l.zeros + LINE + 1023) / 1024 * 1024;
    l.norm = l.weights + l.steps_kept * l.step;
    l.places = (l.norm + (p.normal ? (int)sizeof(float2) * SLICE * l.slices : 0) + 1023) / 1024 * 1024;
    const int fit = (HALF_SHARED - l.places) / l.slice;
    l.slices_kept = p.k.count > 1 || fit < 2 ? 2 : fit < KEPT_MOST ? fit : (int)KEPT_MOST;
    l.all = l.places + l.slices_kept * l.slice;
    return l;
}

struct ring { int at; unsigned turn; };
GN_DEVICE void ring_next(ring &r, int kept) {
    if (++r.at == kept) r.at = 0, r.turn ^= 1;
}

// What all threads of a block know.
struct site {
    unsigned char *shared;
    gates *gate;
    layout l;
    int across, tiles; // tiles side by side; all of them
};

// --- the third warpgroup ---

// One thread: all that the block reads, in the order in which it is read.
template <int N, int BACK, int TAPS, int M>
GN_DEVICE void tiles_load(const site &s, const product &p, int channels, const gn_map *in, const gn_map *weights) {
    const layout &l = s.l;
    ring slice = { 0, 0 }, step = { 0, 0 };
    const auto slice_load = [&](int tile, int k) {
        const int row = tile / s.across * M * TILE - halo_of(p.k);
        gn_barrier *b = &s.gate->slice[slice.at];
        gn_barrier_wait(&s.gate->slice_free[slice.at], slice.turn ^ 1);
        gn_barrier_expect(b, l.slice);
        for (int i = 0; i < l.boxes; i++)
            gn_tile_load(s.shared + l.places + slice.at * l.slice + i * l.box * LINE, in, k * SLICE, row + i * l.box, b);
        ring_next(slice, l.slices_kept);
    };
    const auto step_load = [&](int tile, int k, int tap) {
        const int first = tile % s.across * N;
        unsigned char *to = s.shared + l.weights + step.at * l.step;
        gn_barrier *b = &s.gate->step[step.at];
        if (TAPS > 1) gn_barrier_wait(&s.gate->step_free[step.at], step.turn ^ 1);
        gn_barrier_expect(b, l.step);
        if (BACK) gn_tile_load(to, weights, k * SLICE, (TAPS - 1 - tap) * channels + first, b);
        for (int i = 0; !BACK && i < N / 64; i++)
            gn_tile_load(to + i * SLICE * LINE, weights, first + 64 * i, tap * p.depth + k * SLICE, b);
        ring_next(step, l.steps_kept);
    };
    if (TAPS == 1) {
        for (int tile = (int)blockIdx.x; tile < s.tiles; tile += (int)gridDim.x)
            for (int k = 0; k < l.slices; k++) {
                if (tile == (int)blockIdx.x) step_load(tile, k, 0); // the next tiles are of the same channels
                slice_load(tile, k);
            }
        return;
    }
    int tile_ahead = (int)blockIdx.x, k_ahead = 0;
    const auto ahead = [&] {
        if (tile_ahead >= s.tiles) return;
        slice_load(tile_ahead, k_ahead);
        if (++k_ahead == l.slices) k_ahead = 0, tile_ahead += (int)gridDim.x;
    };
    ahead();
    for (int tile = (int)blockIdx.x; tile < s.tiles; tile += (int)gridDim.x)
        for (int k = 0; k < l.slices; k++)
            for (int tap = 0; tap < TAPS; tap++) {
                step_load(tile, k, tap);
                if (tap == l.steps_kept - 1) ahead(); // the slice before is left when this step's place is
            }
}

GN_DEVICE float normal_of(float2 n, float least, float x) {
    const float y = n.x * x + n.y;
    return y < least ? least : y;
}

// 3x3: NORMS threads, each slice in place. Places that are in no picture change, too, but are not read.
GN_DEVICE void slices_norm(const site &s, const product &p, int rows) {
    constexpr int APART = NORMS / 8, FEW = 3;
    const int t = (int)threadIdx.x - THREADS - WARP, chunk = t % 8;
    ring slice = { 0, 0 };
    for (int tile = (int)blockIdx.x; tile < s.tiles; tile += (int)gridDim.x)
        for (int k = 0; k < s.l.slices; k++) {
            float2 n[8];
            for (int i = 0; i < 8; i++) n[i] = ((const float2 *)(s.shared + s.l.norm))[k * SLICE + 8 * chunk + i];
            gn_barrier_wait(&s.gate->slice[slice.at], slice.turn);
            unsigned char *places = s.shared + s.l.places + slice.at * s.l.slice;
            const auto piece = [&](int row) { return (uint4 *)(places + panel_at<8>(row, chunk)); };
            for (int row = t / 8; row < rows; row += FEW * APART) {
                uint4 x[FEW];
                GN_UNROLL for (int i = 0; i < FEW; i++)
                    if (row + i * APART < rows) x[i] = *piece(row + i * APART);
                GN_UNROLL for (int i = 0; i < FEW; i++) {
                    if (row + i * APART >= rows) break;
                    float v[8];
                    gn_spread8(x[i], v);
                    for (int j = 0; j < 8; j++) v[j] = normal_of(n[j], p.by.least, v[j]);
                    *piece(row + i * APART) = gn_narrow8(v);
                }
            }
            gn_shared_ready(); // before the copy engine writes there again
            gn_barrier_arrive(&s.gate->normal[slice.at]);
            ring_next(slice, s.l.slices_kept);
        }
}

// --- the two that multiply ---

// Norm and ReLU of a fragment; n: of the channels of its first columns
GN_DEVICE void fragment_norm(unsigned a[4], const float2 *n, float least) {
    GN_UNROLL for (int half = 0; half < 2; half++) {
        const float4 two = *(const float4 *)(n + 2 * (gn_lane() % 4) + 8 * half);
        const float2 low = { two.x, two.y }, high = { two.z, two.w };
        GN_UNROLL for (int i = 2 * half; i < 2 * half + 2; i++) {
            float v[2];
            gn_spread2(a[i], v);
            a[i] = gn_narrow2(normal_of(low, least, v[0]), normal_of(high, least, v[1]));
        }
    }
}

struct rings { ring slice, step; };

// acc = the sums of a tile
template <int N, int BACK, int TAPS, int M>
GN_DEVICE void tile_multiply(const site &s, const product &p, int number, rings &r, float (&acc)[M][N / 8][4]) {
    const layout &l = s.l;
    const taps picture = { TAPS, p.k.h, p.k.w };
    const int lane = gn_lane(), row = (int)threadIdx.x / WARP * 16 + lane % 16, place = number * M * TILE + row;
    const int normal = !BACK && p.normal;
    gn_barrier *there = normal && TAPS > 1 ? s.gate->normal : s.gate->slice;
    unsigned inside = taps_inside(picture, place, p.places);
    if (M > 1) inside |= taps_inside(picture, place + TILE, p.places) << 16;
    const auto step_leave = [&] { // the step before: nothing reads its weights any more
        if (TAPS > 1 && lane == 0) gn_barrier_arrive(&s.gate->step_free[(r.step.at ? r.step.at : l.steps_kept) - 1]);
    };
    unsigned a[2][2][M][4]; // of half a step; of 16 channels. Past the last channel they are 0
    GN_UNROLL for (int i = 0; i < M; i++)
        GN_UNROLL for (int j = 0; j < N / 8; j++)
            GN_UNROLL for (int e = 0; e < 4; e++) acc[i][j][e] = 0;
    for (int k = 0; k < l.slices; k++) {
        gn_barrier_wait(&there[r.slice.at], r.slice.turn);
        for (int tap = 0; tap < TAPS; tap++) {
            const int step = TAPS > 1 ? r.step.at : k;
            const unsigned char *weights = s.shared + l.weights + step * l.step;
            const gn_matrix b = BACK ? gn_matrix_deep(weights, LINE) : gn_matrix_wide(weights, SLICE * LINE);
            const int at = l.places + r.slice.at * l.slice + panel_at<8>(row + (TAPS > 1 ? shift_of(picture, tap) : 0), lane / 16);
            int from[M];
            GN_UNROLL for (int i = 0; i < M; i++)
                from[i] = TAPS == 1 || inside >> (tap + 16 * i) & 1 ? at + i * TILE * LINE : l.zeros;
            gn_barrier_wait(&s.gate->step[step], TAPS > 1 ? r.step.turn : 0);
            GN_UNROLL for (int half = 0; half < 2; half++) { // the other half's products are under way
                GN_UNROLL for (int q = 0; q < 2; q++)
                    GN_UNROLL for (int i = 0; i < M; i++) {
                        const int first = 32 * half + 16 * q;
                        gn_matrix_read(a[half][q][i], s.shared + (from[i] ^ 2 * first));
                        if (TAPS == 1 && normal)
                            fragment_norm(a[half][q][i], (const float2 *)(s.shared + l.norm) + k * SLICE + first, p.by.least);
                    }
                gn_products_wait<0>(acc);
                if (half == 0 && (k || tap)) step_leave();
                gn_products_begin(acc, a[half]);
                GN_UNROLL for (int q = 0; q < 2; q++)
                    GN_UNROLL for (int i = 0; i < M; i++)
                        gn_product_wide<N, !BACK>(acc[i], a[half][q][i], b + (2 * half + q) * (BACK ? GN_NEXT_DEEP : GN_NEXT_WIDE));
                gn_products_commit();
            }
            if (TAPS > 1) ring_next(r.step, l.steps_kept);
        }
        if (lane == 0) gn_barrier_arrive(&s.gate->slice_free[r.slice.at]); // it is in registers
        ring_next(r.slice, l.slices_kept);
    }
    gn_products_wait<0>(acc);
    step_leave();
}

template <int N, int BACK, int TAPS, int M>
static __global__ void __launch_bounds__(THREADS + LOADERS, TAPS == 1 ? 2 : 1)
wgmma(const __grid_constant__ gn_map in, const __grid_constant__ gn_map weights, product p, ending e) {
    GN_SHARED(unsigned char, shared);
    const tiling size = { N, M };
    site s = { shared, NULL, layout_of(p, size), (e.channels + N - 1) / N, 0 };
    s.gate = (gates *)(shared + s.l.gates);
    s.tiles = (p.places + M * TILE - 1) / (M * TILE) * s.across;
    if (threadIdx.x == 0) {
        for (int i = 0; i < s.l.slices_kept; i++) {
            gn_barrier_begin(&s.gate->slice[i], 1);
            gn_barrier_begin(&s.gate->normal[i], NORMS);
            gn_barrier_begin(&s.gate->slice_free[i], THREADS / WARP);
        }
        for (int i = 0; i < s.l.steps_kept; i++) gn_barrier_begin(&s.gate->step[i], 1);
        for (int i = 0; TAPS > 1 && i < s.l.steps_kept; i++) gn_barrier_begin(&s.gate->step_free[i], THREADS / WARP);
        gn_barriers_ready();
    }
    if (threadIdx.x < LINE / 4) ((unsigned *)(shared + s.l.zeros))[threadIdx.x] = 0;
    for (int c = threadIdx.x; p.normal && c < SLICE * s.l.slices; c += THREADS + LOADERS) {
        const scaling n = scaling_of(p.by, c);
        const float2 line = { n.slope, n.shift - n.mean * n.slope };
        ((float2 *)(shared + s.l.norm))[c] = line;
    }
    __syncthreads();
    if (threadIdx.x >= THREADS) {
        gn_registers_fewer<TAPS == 1 ? 32 : 56>();
        if (threadIdx.x == THREADS) tiles_load<N, BACK, TAPS, M>(s, p, e.channels, &in, &weights);
        if (TAPS > 1 && !BACK && p.normal && threadIdx.x >= THREADS + WARP) slices_norm(s, p, tile_rows(p.k, M));
        return;
    }
    gn_registers_more<TAPS == 1 ? 104 : 224>();
    constexpr int FEW = TAPS > 1 ? 4 : BACK ? 1 : 3; // as these allow
    rings r = {};
    for (int tile = (int)blockIdx.x; tile < s.tiles; tile += (int)gridDim.x) {
        float acc[M][N / 8][4], *sums = (float *)shared;
        tile_multiply<N, BACK, TAPS, M>(s, p, tile / s.across, r, acc);
        GN_UNROLL for (int i = 0; i < M; i++) {
            const int row = tile / s.across * M + i;
            if (i > 0 && row * TILE >= p.places) break;
            tile_wait<1>(); // all have read the sums that lie there
            tile_fill<N>(sums, acc[i], (int)threadIdx.x / WARP * 16, 0);
            tile_wait<1>();
            tile_end<8, N, BACK, 1, FEW>(e, sums, N + 8, row, tile % s.across * N);
        }
    }
}

// --- its launch ---

// The kernel of a tiling: run(kernel)
template <int BACK, class Run> static void wgmma_sized(tiling t, int taps, Run run) {
    if (taps == 1) run(wgmma<64, BACK, 1, 1>);
    else if (t.n == 64) t.m == 1 ? run(wgmma<64, BACK, 9, 1>) : run(wgmma<64, BACK, 9, 2>);
    else t.m == 1 ? run(wgmma<128, BACK, 9, 1>) : run(wgmma<128, BACK, 9, 2>);
}
template <class Run> static void wgmma_kernel(tiling t, int back, int taps, Run run) {
    back ? wgmma_sized<1>(t, taps, run) : wgmma_sized<0>(t, taps, run);
}

// A tile's time is its size, and a GPU makes gn_fill() at once: the least time; then the largest, which reads least. A 1x1 has
// the smallest, so that two blocks fit.
static tiling tiling_for(const product &p, int channels, int shared) {
    static const tiling all[] = { { 128, 2 }, { 128, 1 }, { 64, 2 }, { 64, 1 } };
    tiling best = { 0, 0 };
    int64_t least = 0;
    for (const tiling &t : all) {
        const int64_t tiles = (int64_t)gn_blocks(p.places, t.m * TILE) * gn_blocks(channels, t.n);
        const int64_t time = (int64_t)gn_blocks(tiles, gn_fill()) * t.m * t.n;
        const layout l = layout_of(p, t);
        if ((p.k.count == 1 && t.n * t.m > 64) || l.all > shared || l.slices > SLICES_MOST) continue;
        if (!best.n || time < least) best = t, least = time;
    }
    if (p.places > INT32_MAX - 2 * tile_rows(p.k, 2)) best.n = 0; // rows of loads are counted in int
    return best;
}

static gn_status wgmma_run(const product &p, tiling t, int back, const ending &e, void *stream) {
    const layout l = layout_of(p, t);
    const int c = back ? e.channels : p.depth, o = back ? p.depth : e.channels;
    gn_map in, weights;
    GN_TRY(gn_map_of(&in, p.in.data, p.places, p.depth, p.depth, l.box, SLICE));
    GN_TRY(gn_map_of(&weights, p.weight, (int64_t)p.k.count * c, o, o, back ? t.n : (int)SLICE, 64));
    const unsigned across = gn_blocks(e.channels, t.n), tiles = gn_blocks(p.places, t.m * TILE) * across;
    const unsigned most = p.k.count == 1 ? 2 * gn_fill() : gn_fill(); // at once; a block's tiles are of the same channels
    const unsigned fill = most < across ? across : most / across * across;
    wgmma_kernel(t, back, p.k.count, [&](auto kernel) {
        GN_LAUNCH(kernel, tiles < fill ? tiles : fill, THREADS + LOADERS, (size_t)l.all, stream, in, weights, p, e);
    });
    return GN_OK;
}
#endif
