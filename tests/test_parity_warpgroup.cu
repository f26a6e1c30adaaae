// test_parity_warpgroup.cu - small users of every function of warpgroup.cuh, for test_parity_warpgroup.c.
#include "kernels/cuda/store.cuh"
#include "kernels/cuda/warpgroup.cuh"
#include "test_parity_warpgroup.h"

enum { GROUP = 128, ROWS = 64, DEEP = 64, STAGES = 3 }; // threads of a warpgroup; rows of its product; numbers of a sum at a time

// Where piece `piece` of 16 bytes of a row lies in a tile of rows of 128 or 64 bytes.
GN_DEVICE int piece_at(int bytes, int row, int piece) {
    return row * bytes + 16 * (piece ^ (bytes == 128 ? row % 8 : row / 2 % 4));
}
GN_DEVICE void sums_write(const float *acc, int columns, float *y) { // rows as gn_product's d, those of this warp
    const int row = (int)threadIdx.x % GROUP / WARP * 16 + gn_lane() / 4, column = gn_lane() % 4 * 2;
    for (int j = 0; j < columns / 8; j++)
        for (int e = 0; e < 4; e++) y[(int64_t)(row + e / 2 * 8) * columns + 8 * j + column + e % 2] = acc[4 * j + e];
}

// --- a matrix [rows][columns] as panels of `wide` columns, one after another ---

template <int WIDE> GN_DEVICE void panels_copy(unsigned char *to, const bf16 *from, int rows, int columns) {
    for (int i = (int)threadIdx.x; i < rows * columns / 8; i += GROUP) {
        const int row = i / (columns / 8), piece = i % (columns / 8), panel = piece / (WIDE / 8);
        *(uint4 *)(to + panel * rows * WIDE * 2 + piece_at(2 * WIDE, row, piece % (WIDE / 8))) = gn_take8(from, 8 * (int64_t)i);
    }
}
GN_DEVICE void panels_load(unsigned char *to, const gn_map *m, int rows, int columns, int wide, gn_barrier *b) {
    for (int p = 0; p < columns / wide; p++) gn_tile_load(to + p * rows * wide * 2, m, p * wide, 0, b);
}

// y [64 x N] = a b over 64: every way in which operands may lie. LEFT registers: read from deep panels.
template <int HOW> constexpr int wide_of = HOW == DEEP_64 ? 32 : 64;
template <int HOW> GN_DEVICE gn_matrix slab_of(const unsigned char *s, int rows, int k) { // numbers 16k of the sum
    if (HOW == DEEP_64) return gn_matrix_deep(s + k / 2 * rows * 64 + k % 2 * 32, 64);
    if (HOW == WIDE) return gn_matrix_wide(s, DEEP * 128) + (gn_matrix)k * GN_NEXT_WIDE;
    return gn_matrix_deep(s, 128) + (gn_matrix)k * GN_NEXT_DEEP;
}
template <int N, int LEFT, int RIGHT>
static __global__ void __launch_bounds__(GROUP) product(const __grid_constant__ gn_map left, const __grid_constant__ gn_map right,
                                                        const bf16 *a, const bf16 *b, int by_threads, float *y) {
    GN_SHARED(unsigned char, shared);
    unsigned char *const sb = shared + ROWS * DEEP * 2;
    gn_barrier *const there = (gn_barrier *)(sb + N * DEEP * 2);
    const int rows_b = RIGHT == WIDE ? DEEP : N, columns_b = RIGHT == WIDE ? N : DEEP;
    if (by_threads) {
        panels_copy<wide_of<LEFT>>(shared, a, ROWS, DEEP);
        panels_copy<wide_of<RIGHT>>(sb, b, rows_b, columns_b);
        gn_shared_ready();
        __syncthreads();
    } else {
        if (threadIdx.x == 0) {
            gn_barrier_begin(there, 1);
            gn_barriers_ready();
            gn_barrier_expect(there, (ROWS + N) * DEEP * 2);
            panels_load(shared, &left, ROWS, DEEP, wide_of<LEFT>, there);
            panels_load(sb, &right, rows_b, columns_b, wide_of<RIGHT>, there);
        }
        __syncthreads();
        gn_barrier_wait(there, 0);
    }

    float acc[N / 8][4] = {};
    if constexpr (LEFT == REGISTERS) {
        unsigned r[DEEP / 16][4];
        const int row = (int)threadIdx.x / WARP * 16 + gn_lane() % 16;
        for (int k = 0; k < DEEP / 16; k++) gn_matrix_read(r[k], shared + piece_at(128, row, 2 * k + gn_lane() / 16));
        gn_products_begin(acc, r);
        GN_UNROLL for (int k = 0; k < DEEP / 16; k++) gn_product_wide<N, RIGHT == WIDE>(acc, r[k], slab_of<RIGHT>(sb, rows_b, k));
        gn_products_commit();
        gn_products_wait<0>(acc);
    } else {
        gn_products_begin(acc);
        GN_UNROLL for (int k = 0; k < DEEP / 16; k++)
            gn_product_shared<N, LEFT == WIDE, RIGHT == WIDE>(acc, slab_of<LEFT>(shared, ROWS, k), slab_of<RIGHT>(sb, rows_b, k));
        gn_products_commit();
        gn_products_wait<0>(acc);
    }
    sums_write(acc[0], N, y);
}

template <int N, int LEFT, int RIGHT>
static gn_status product_run(const void *a, const void *b, int by_threads, float *y, void *stream) {
    gn_map left, right;
    const size_t bytes = (ROWS + N) * DEEP * 2 + sizeof(gn_barrier);
    const int rows_b = RIGHT == WIDE ? DEEP : N, columns_b = RIGHT == WIDE ? N : DEEP;
    GN_TRY(gn_map_of(&left, a, ROWS, DEEP, DEEP, ROWS, wide_of<LEFT>));
    GN_TRY(gn_map_of(&right, b, rows_b, columns_b, columns_b, rows_b, wide_of<RIGHT>));
    GN_TRY(gn_wants_shared(product<N, LEFT, RIGHT>, bytes, "trial"));
    GN_LAUNCH((product<N, LEFT, RIGHT>), 1, GROUP, bytes, stream, left, right, (const bf16 *)a, (const bf16 *)b, by_threads, y);
    return gn_launched("trial", stream);
}
template <int N, int LEFT>
static gn_status product_right(int right, const void *a, const void *b, int by_threads, float *y, void *stream) {
    if (right == DEEP_128) return product_run<N, LEFT, DEEP_128>(a, b, by_threads, y, stream);
    if (right == DEEP_64) return product_run<N, LEFT, DEEP_64>(a, b, by_threads, y, stream);
    return product_run<N, LEFT, WIDE>(a, b, by_threads, y, stream);
}
template <int N>
static gn_status product_left(int left, int right, const void *a, const void *b, int by_threads, float *y, void *stream) {
    if (left == REGISTERS) return product_right<N, REGISTERS>(right, a, b, by_threads, y, stream);
    if (left == DEEP_128) return product_right<N, DEEP_128>(right, a, b, by_threads, y, stream);
    if (left == DEEP_64) return product_right<N, DEEP_64>(right, a, b, by_threads, y, stream);
    return product_right<N, WIDE>(right, a, b, by_threads, y, stream);
}
extern "C" gn_status trial_product(int n, int left, int right, const void *a, const void *b, int by_threads, float *y,
                                   void *stream) {
    if (n == 64) return product_left<64>(left, right, a, b, by_threads, y, stream);
    if (n == 128) return product_left<128>(left, right, a, b, by_threads, y, stream);
    return product_left<256>(left, right, a, b, by_threads, y, stream);
}

// --- a tile out of one matrix and into another ---

static __global__ void __launch_bounds__(GROUP)
tile_move(const __grid_constant__ gn_map from, const __grid_constant__ gn_map to, trial_tile t, bf16 *plain) {
    GN_SHARED(unsigned char, shared);
    gn_barrier *const there = (gn_barrier *)(shared + t.box_rows * t.box_columns * 2);
    if (threadIdx.x == 0) {
        gn_barrier_begin(there, 1);
        gn_barriers_ready();
        gn_barrier_expect(there, t.box_rows * t.box_columns * 2);
        gn_tile_load(shared, &from, t.column, t.row, there);
    }
    __syncthreads();
    gn_barrier_wait(there, 0);
    const int wide = t.box_columns / 8;
    for (int i = (int)threadIdx.x; i < t.box_rows * wide; i += GROUP) {
        uint4 *piece = (uint4 *)(shared + piece_at(2 * t.box_columns, i / wide, i % wide));
        float x[8];
        gn_load8((bf16 *)piece, 0, x);
        gn_store8(plain, 8 * (int64_t)i, x);
        for (int k = 0; k < 8; k++) x[k] *= 2;
        *piece = gn_narrow8(x);
    }
    gn_shared_ready();
    __syncthreads();
    if (threadIdx.x) return;
    gn_tile_store(&to, t.column, t.row, shared);
    gn_tile_commit();
    gn_tile_wait<0>();
}
extern "C" gn_status trial_tile_move(trial_tile t, const void *from, void *to, void *plain, void *stream) {
    gn_map read, write;
    const size_t bytes = (size_t)(t.box_rows * t.box_columns * 2) + sizeof(gn_barrier);
    GN_TRY(gn_map_of(&read, from, t.rows, t.columns, t.pitch, t.box_rows, t.box_columns));
    GN_TRY(gn_map_of(&write, to, t.rows, t.columns, t.pitch, t.box_rows, t.box_columns));
    GN_LAUNCH(tile_move, 1, GROUP, bytes, stream, read, write, t, (bf16 *)plain);
    return gn_launched("trial", stream);
}

// --- a ring: one warp brings slabs of 64 of the sum, two warpgroups multiply, tiles of 128 rows of y [rows][N] = a b ---

enum { SLAB_A = 2 * ROWS * DEEP * 2, RING_THREADS = 3 * GROUP };
template <int N> struct ring_shared {
    enum { SLAB = SLAB_A + N * DEEP * 2, OUT = STAGES * SLAB, HALF = ROWS * N * 2 };
    enum { BARRIERS = OUT + 2 * HALF, BYTES = BARRIERS + 2 * STAGES * 8 };
};
struct place { int stage; unsigned parity; }; // in the ring
GN_DEVICE void place_next(place &p) {
    if (++p.stage == STAGES) p.stage = 0, p.parity ^= 1;
}

template <int N> GN_DEVICE void ring_fill(unsigned char *shared, const gn_map *a, const gn_map *b, int tiles, int slabs) {
    gn_barrier *const full = (gn_barrier *)(shared + ring_shared<N>::BARRIERS), *const empty = full + STAGES;
    place p = { 0, 0 };
    for (int tile = (int)blockIdx.x; tile < tiles; tile += (int)gridDim.x)
        for (int k = 0; k < slabs; k++, place_next(p)) {
            unsigned char *const at = shared + p.stage * ring_shared<N>::SLAB;
            gn_barrier_wait(empty + p.stage, p.parity ^ 1);
            gn_barrier_expect(full + p.stage, ring_shared<N>::SLAB);
            gn_tile_load(at, a, k * DEEP, tile * 2 * ROWS, full + p.stage);
            for (int j = 0; j < N / 64; j++) gn_tile_load(at + SLAB_A + j * DEEP * 128, b, j * 64, k * DEEP, full + p.stage);
        }
}

// acc to bf16, into the warpgroup's panels of 64 columns
template <int N> GN_DEVICE void panels_write(unsigned char *panels, const float acc[][4]) {
    const int row = (int)threadIdx.x % GROUP / WARP * 16 + gn_lane() / 4;
    for (int j = 0; j < N / 8; j++)
        for (int half = 0; half < 2; half++)
            *(unsigned *)(panels + j / 8 * ROWS * 128 + piece_at(128, row + 8 * half, j % 8) + gn_lane() % 4 * 4) =
                gn_narrow2(acc[j][2 * half], acc[j][2 * half + 1]);
}

template <int N> GN_DEVICE void ring_multiply(unsigned char *shared, const gn_map *y, int tiles, int slabs) {
    gn_barrier *const full = (gn_barrier *)(shared + ring_shared<N>::BARRIERS), *const empty = full + STAGES;
    const int group = (int)threadIdx.x / GROUP - 1;
    const bool speaks = threadIdx.x % GROUP == 0;
    unsigned char *const out = shared + ring_shared<N>::OUT + group * ring_shared<N>::HALF;
    place p = { 0, 0 };
    for (int tile = (int)blockIdx.x; tile < tiles; tile += (int)gridDim.x) {
        float acc[N / 8][4] = {};
        int before = 0;
        for (int k = 0; k < slabs; k++, place_next(p)) {
            const unsigned char *const at = shared + p.stage * ring_shared<N>::SLAB;
            gn_barrier_wait(full + p.stage, p.parity);
            gn_products_begin(acc);
            GN_UNROLL for (int i = 0; i < DEEP / 16; i++)
                gn_product_shared<N, 0, 1>(acc, slab_of<DEEP_128>(at + group * ROWS * 128, ROWS, i),
                                           slab_of<WIDE>(at + SLAB_A, DEEP, i));
            gn_products_commit();
            gn_products_wait<1>(acc); // those of the slab before
            if (k && gn_lane() == 0) gn_barrier_arrive(empty + before);
            before = p.stage;
        }
        gn_products_wait<0>(acc);
        if (gn_lane() == 0) gn_barrier_arrive(empty + before);

        if (speaks) gn_tile_wait<0>(); // the last tile has left the panels
        gn_group_wait(1 + group, GROUP);
        panels_write<N>(out, acc);
        gn_shared_ready();
        gn_group_wait(1 + group, GROUP);
        if (!speaks) continue;
        for (int j = 0; j < N / 64; j++) gn_tile_store(y, j * 64, tile * 2 * ROWS + group * ROWS, out + j * ROWS * 128);
        gn_tile_commit();
    }
    if (speaks) gn_tile_wait<0>();
}

template <int N>
static __global__ void __launch_bounds__(RING_THREADS, 1) ring(const __grid_constant__ gn_map a, const __grid_constant__ gn_map b,
                                                               const __grid_constant__ gn_map y, int tiles, int slabs) {
    GN_SHARED(unsigned char, shared);
    if (threadIdx.x == 0) {
        gn_barrier *const full = (gn_barrier *)(shared + ring_shared<N>::BARRIERS), *const empty = full + STAGES;
        for (int i = 0; i < STAGES; i++) gn_barrier_begin(full + i, 1), gn_barrier_begin(empty + i, 2 * GROUP / WARP);
        gn_barriers_ready();
    }
    __syncthreads();
    if (threadIdx.x < GROUP) {
        gn_registers_fewer<40>();
        if (threadIdx.x == 0) ring_fill<N>(shared, &a, &b, tiles, slabs);
    } else {
        gn_registers_more<232>();
        ring_multiply<N>(shared, &y, tiles, slabs);
    }
}
template <int N> static gn_status ring_run(const void *a, const void *b, void *y, int rows, int deep, int blocks, void *stream) {
    gn_map from_a, from_b, to;
    const size_t bytes = ring_shared<N>::BYTES;
    GN_TRY(gn_map_of(&from_a, a, rows, deep, deep, 2 * ROWS, DEEP));
    GN_TRY(gn_map_of(&from_b, b, deep, N, N, DEEP, 64));
    GN_TRY(gn_map_of(&to, y, rows, N, N, ROWS, 64));
    GN_TRY(gn_wants_shared(ring<N>, bytes, "trial"));
    GN_LAUNCH(ring<N>, (unsigned)blocks, RING_THREADS, bytes, stream, from_a, from_b, to, (rows + 2 * ROWS - 1) / (2 * ROWS),
              (deep + DEEP - 1) / DEEP);
    return gn_launched("trial", stream);
}
extern "C" gn_status trial_ring(int n, const void *a, const void *b, void *y, int rows, int deep, int blocks, void *stream) {
    return n == 64 ? ring_run<64>(a, b, y, rows, deep, blocks, stream) : ring_run<128>(a, b, y, rows, deep, blocks, stream);
}

extern "C" gn_status trial_map(const void *base, int64_t rows, int64_t columns, int64_t pitch, int box_rows, int box_columns) {
    gn_map m;
    return gn_map_of(&m, base, rows, columns, pitch, box_rows, box_columns);
}
