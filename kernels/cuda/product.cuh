// product.cuh - products of matrices, in tiles: y(i, j) = sum over r of a(i, r) b(j, r).
//
// A block makes one tile of y. Where tiles are few the sum over r is cut, too: each cut leaves its part in scratch
// and `finish` adds the parts in their order. Two kernels: `product` takes any numbers at any strides and works in
// float; `tensor_product` takes bf16 in rows of whole 16 bytes to the tensor cores.
//
// One index may be a channel at one of `places` places, as those of an activation [places][C]: it is the sum's where
// b is DEEP, else y's column. Tiles and steps never mix places.
#ifndef GN_PRODUCT_CUH
#define GN_PRODUCT_CUH
#include "store.cuh"

enum { THREADS = 128, TILE = 64, SLIM = 16, DEPTH = 16, TENSOR_DEPTH = 32, GAP = 4, TENSOR_GAP = 8 };
enum { BLOCKS = 256, LEAST_STEPS = 4 }; // a product is cut until it has so many blocks, each of so many steps

// a(i, r) at a place lies at i across + r along + place `place`; i < n. DEEP: lanes walk along r, else across.
template <class T> struct operand {
    const T *x;
    int64_t across, along, place;
    int n;
};

// y(i, j) at a place lies at i row + j column + place `place`.
struct result {
    void *y;
    gn_type type;
    int add;
    const float *bias;  // [columns] or NULL
    int64_t row, column, place;
    int rows, columns, places; // this and below: result_of
    float *parts;              // [cuts][places][rows][columns], where the sum is cut
};

GN_DEVICE void put(const result &y, int place, int i, int j, float v) {
    const int64_t at = i * y.row + j * y.column + place * y.place;
    if (y.bias) v += y.bias[j];
    if (y.type == GN_TYPE_BF16) gn_store((bf16 *)y.y, at, y.add ? gn_load((bf16 *)y.y, at) + v : v);
    else gn_store((float *)y.y, at, y.add ? gn_load((float *)y.y, at) + v : v);
}

GN_DEVICE void keep(const result &y, int cut, int place, int i, int j, float v) {
    if (i >= y.rows || j >= y.columns) return;
    if (!y.parts) put(y, place, i, j, v);
    else y.parts[(((int64_t)cut * y.places + place) * y.rows + i) * y.columns + j] = v;
}

static __global__ void __launch_bounds__(THREADS) finish(result y, int cuts) {
    const int64_t count = (int64_t)y.places * y.rows * y.columns, e = (int64_t)blockIdx.x * THREADS + threadIdx.x;
    if (e >= count) return;
    float sum = 0;
    for (int k = 0; k < cuts; k++) sum += y.parts[k * count + e];
    const int64_t row = e / y.columns;
    put(y, (int)(row / y.rows), (int)(row % y.rows), (int)(e % y.columns), sum);
}

// --- in float ---
//
// A tile of an operand is [DEPTH][SIDE + GAP]. Lanes that walk along r do so 8 at a time, so that their stores go
// to 32 different banks.

template <int SIDE, bool DEEP> GN_DEVICE void whose(int e, int *i, int *r) {
    const int q = e * THREADS + threadIdx.x;
    *i = DEEP ? q / 8 % SIDE : q % SIDE;
    *r = DEEP ? q / 8 / SIDE * 8 + q % 8 : q / SIDE;
}

template <int SIDE, bool DEEP, class T>
GN_DEVICE void tile_read(float *v, const operand<T> &a, int i0, int r0, int place, int depth) {
    const T *x = a.x + i0 * a.across + r0 * a.along + place * a.place;
    GN_UNROLL
    for (int e = 0; e < SIDE * DEPTH / THREADS; e++) {
        int i, r;
        whose<SIDE, DEEP>(e, &i, &r);
        v[e] = i0 + i < a.n && r0 + r < depth ? gn_load(x, i * a.across + r * a.along) : 0;
    }
}

template <int SIDE, bool DEEP> GN_DEVICE void tile_write(float *tile, const float *v) {
    GN_UNROLL
    for (int e = 0; e < SIDE * DEPTH / THREADS; e++) {
        int i, r;
        whose<SIDE, DEEP>(e, &i, &r);
        tile[r * (SIDE + GAP) + i] = v[e];
    }
}

// Where a block is: its tile, its place, its steps.
struct seat { int i0, j0, place, first, last; };
GN_DEVICE seat seat_of(int rows, int columns, bool deep, int places, int steps, int each) {
    const int x = (int)blockIdx.x, first = (int)blockIdx.z * each;
    return { (int)blockIdx.y * rows, (deep ? x : x / places) * columns, deep ? 0 : x % places, first,
             first + each < steps ? first + each : steps };
}

// A thread makes TALL neighbouring rows of four columns, WIDE apart.
template <int ROWS, int COLUMNS, bool A_DEEP, bool B_DEEP, class A, class B>
static __global__ void __launch_bounds__(THREADS)
product(operand<A> a, operand<B> b, result y, int depth, int places, int steps, int each) {
    constexpr int WIDE = COLUMNS / 4, TALL = ROWS * WIDE / THREADS, LEFT = DEPTH * (ROWS + GAP), RIGHT = DEPTH * (COLUMNS + GAP);
    GN_SHARED(float, shared);
    const seat s = seat_of(ROWS, COLUMNS, B_DEEP, places, steps, each);
    const int row = threadIdx.x / WIDE * TALL, column = threadIdx.x % WIDE;
    float left[ROWS * DEPTH / THREADS], right[COLUMNS * DEPTH / THREADS], sum[TALL][4] = {};

    for (int k = s.first; k <= s.last; k++) { // step k is on its way while step k-1 is worked on
        const int place = B_DEEP ? k % places : s.place, r0 = (B_DEEP ? k / places : k) * DEPTH;
        float *to = shared + k % 2 * (LEFT + RIGHT);
        if (k < s.last) {
            tile_read<ROWS, A_DEEP>(left, a, s.i0, r0, place, depth);
            tile_read<COLUMNS, B_DEEP>(right, b, s.j0, r0, place, depth);
        }
        if (k > s.first) {
            const float *l = shared + (k + 1) % 2 * (LEFT + RIGHT) + row, *m = l - row + LEFT + column;
            GN_UNROLL
            for (int r = 0; r < DEPTH; r++, l += ROWS + GAP, m += COLUMNS + GAP) {
                GN_UNROLL
                for (int e = 0; e < TALL * 4; e++) sum[e / 4][e % 4] += l[e / 4] * m[e % 4 * WIDE];
            }
        }
        if (k < s.last) {
            tile_write<ROWS, A_DEEP>(to, left);
            tile_write<COLUMNS, B_DEEP>(to + LEFT, right);
        }
        __syncthreads();
    }
    GN_UNROLL
    for (int e = 0; e < TALL * 4; e++)
        keep(y, blockIdx.z, s.place, s.i0 + row + e / 4, s.j0 + column + e % 4 * WIDE, sum[e / 4][e % 4]);
}

// --- on tensor cores ---
//
// A tile of an operand is [TILE][TENSOR_DEPTH + 8] where it is DEEP, else [TENSOR_DEPTH][TILE + 8]: as it lies in
// memory, the gap so that eight rows of 16 bytes lie in 32 different banks. A warp makes a quarter of y's tile.

enum { LINES = TILE * TENSOR_DEPTH / 8 / THREADS }; // of 16 bytes, a thread's
enum { TENSOR_SIDE = TILE * (TENSOR_DEPTH + TENSOR_GAP) }; // the larger of the two forms

template <bool DEEP> GN_DEVICE void line_of(int e, int *i, int *r) {
    const int q = e * THREADS + threadIdx.x, wide = (DEEP ? TENSOR_DEPTH : TILE) / 8;
    *i = DEEP ? q / wide : q % wide * 8;
    *r = DEEP ? q % wide * 8 : q / wide;
}
template <bool DEEP> GN_DEVICE int tile_at(int i, int r) {
    return DEEP ? i * (TENSOR_DEPTH + TENSOR_GAP) + r : r * (TILE + TENSOR_GAP) + i;
}

template <bool DEEP> GN_DEVICE void lines_read(uint4 *v, const operand<bf16> &a, int i0, int r0, int depth) {
    GN_UNROLL
    for (int e = 0; e < LINES; e++) {
        int i, r;
        line_of<DEEP>(e, &i, &r);
        v[e] = uint4();
        if (i0 + i < a.n && r0 + r < depth) v[e] = *(const uint4 *)(a.x + (i0 + i) * a.across + (r0 + r) * a.along);
    }
}

template <bool DEEP> GN_DEVICE void lines_write(bf16 *tile, const uint4 *v) {
    GN_UNROLL
    for (int e = 0; e < LINES; e++) {
        int i, r;
        line_of<DEEP>(e, &i, &r);
        *(uint4 *)(tile + tile_at<DEEP>(i, r)) = v[e];
    }
}

// 16 x 16 of a tile from (i, r): the halves of i in q[0], q[1] for the first 8 of r, in q[2], q[3] for the rest.
template <bool DEEP> GN_DEVICE void corner_read(unsigned q[4], const bf16 *tile, int i, int r) {
    const int l = gn_lane();
    if (DEEP) gn_matrix_read(q, tile + tile_at<DEEP>(i + l % 16, r + l / 16 * 8));
    else gn_matrix_read_turned(q, tile + tile_at<DEEP>(i + l / 8 % 2 * 8, r + l / 16 * 8 + l % 8));
}

template <bool A_DEEP, bool B_DEEP>
static __global__ void __launch_bounds__(THREADS)
tensor_product(operand<bf16> a, operand<bf16> b, result y, int depth, int steps, int each) {
    GN_SHARED(bf16, shared);
    const seat s = seat_of(TILE, TILE, B_DEEP, 1, steps, each);
    const int warp = threadIdx.x / WARP, row = warp / 2 * 32, column = warp % 2 * 32;
    uint4 left[LINES], right[LINES];
    float sum[2][4][4] = {};

    for (int k = s.first; k <= s.last; k++) {
        const bf16 *l = shared + (k + 1) % 2 * 2 * TENSOR_SIDE, *m = l + TENSOR_SIDE;
        bf16 *to = shared + k % 2 * 2 * TENSOR_SIDE;
        if (k < s.last) {
            lines_read<A_DEEP>(left, a, s.i0, k * TENSOR_DEPTH, depth);
            lines_read<B_DEEP>(right, b, s.j0, k * TENSOR_DEPTH, depth);
        }
        for (int r = 0; r < TENSOR_DEPTH && k > s.first; r += 16) {
            unsigned p[2][4], q[2][4];
            for (int h = 0; h < 2; h++) {
                corner_read<A_DEEP>(p[h], l, row + 16 * h, r);
                corner_read<B_DEEP>(q[h], m, column + 16 * h, r);
            }
            for (int i = 0; i < 2; i++)
                for (int j = 0; j < 4; j++) {
                    const unsigned half[2] = { q[j / 2][j % 2], q[j / 2][j % 2 + 2] };
                    gn_product(sum[i][j], p[i], half);
                }
        }
        if (k < s.last) {
            lines_write<A_DEEP>(to, left);
            lines_write<B_DEEP>(to + TENSOR_SIDE, right);
        }
        __syncthreads();
    }
    const int g = gn_lane() / 4, t = gn_lane() % 4;
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 4; j++)
            for (int e = 0; e < 4; e++)
                keep(y, blockIdx.z, 0, s.i0 + row + 16 * i + g + e / 2 * 8, s.j0 + column + 8 * j + 2 * t + e % 2, sum[i][j][e]);
}

// --- how a product is cut, and started ---

struct cut {
    int tensor, slim;                  // which kernel; slim: a tile of SLIM columns where b is DEEP, else of SLIM rows
    int rows, columns, depth, places;
    int steps, each;                   // of the sum, and a block's
    dim3 grid;                         // tiles of columns, of rows, cuts
};

// By sizes alone, so that a result does not depend on the device.
static inline cut cut_of(int tensor, int b_deep, int rows, int columns, int depth, int places) {
    cut k = { tensor, !tensor && (b_deep ? columns : rows) <= 2 * SLIM, rows, columns, depth, places, 0, 0, dim3(1) };
    const int step = tensor ? TENSOR_DEPTH : DEPTH;
    k.steps = (depth + step - 1) / step * (b_deep ? places : 1);
    k.grid.x = gn_blocks(columns, k.slim && b_deep ? SLIM : TILE) * (unsigned)(b_deep ? 1 : places);
    k.grid.y = gn_blocks(rows, k.slim && !b_deep ? SLIM : TILE);
    const int64_t wanted = BLOCKS / ((int64_t)k.grid.x * k.grid.y), most = k.steps / LEAST_STEPS;
    const int64_t cuts = wanted < most ? wanted : most;
    k.each = cuts > 1 ? (int)((k.steps + cuts - 1) / cuts) : k.steps;
    k.grid.z = gn_blocks(k.steps, k.each);
    return k;
}

// Of scratch: the parts of a sum that is cut.
static inline size_t cut_bytes(const cut *k, int b_deep) {
    return k->grid.z > 1 ? sizeof(float) * k->grid.z * (size_t)k->rows * (size_t)k->columns * (size_t)(b_deep ? 1 : k->places) : 0;
}

static inline void cut_finish(const cut *k, const result &y, void *stream) {
    if (y.parts) GN_LAUNCH(finish, gn_blocks((int64_t)y.places * y.rows * y.columns, THREADS), THREADS, 0, stream, y, (int)k->grid.z);
}

static inline result result_of(const cut *k, int b_deep, result y, void *scratch) {
    y.rows = k->rows, y.columns = k->columns, y.places = b_deep ? 1 : k->places;
    y.parts = k->grid.z > 1 ? (float *)scratch : NULL;
    return y;
}

template <bool A_DEEP, bool B_DEEP, class A, class B>
static void product_run(const cut *k, operand<A> a, operand<B> b, result into, void *scratch, void *stream) {
    constexpr int ROWS = B_DEEP ? TILE : SLIM, COLUMNS = B_DEEP ? SLIM : TILE;
    const result y = result_of(k, B_DEEP, into, scratch);
    const int depth = k->depth, places = k->places, steps = k->steps, each = k->each;
    const size_t shared = sizeof(float) * 2 * DEPTH * ((k->slim ? SLIM : TILE) + TILE + 2 * GAP);
    if (k->slim)
        GN_LAUNCH((product<ROWS, COLUMNS, A_DEEP, B_DEEP, A, B>), k->grid, THREADS, shared, stream, a, b, y, depth, places, steps, each);
    else
        GN_LAUNCH((product<TILE, TILE, A_DEEP, B_DEEP, A, B>), k->grid, THREADS, shared, stream, a, b, y, depth, places, steps, each);
    cut_finish(k, y, stream);
}

template <bool A_DEEP, bool B_DEEP>
static void tensor_run(const cut *k, operand<bf16> a, operand<bf16> b, result into, void *scratch, void *stream) {
    const result y = result_of(k, B_DEEP, into, scratch);
    const int depth = k->depth, steps = k->steps, each = k->each;
    GN_LAUNCH((tensor_product<A_DEEP, B_DEEP>), k->grid, THREADS, sizeof(bf16) * 4 * TENSOR_SIDE, stream, a, b, y, depth, steps, each);
    cut_finish(k, y, stream);
}
#endif
