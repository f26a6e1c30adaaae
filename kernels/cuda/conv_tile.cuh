// conv_tile.cuh - what every product of a convolution shares: the shape, numbers of either type, and what becomes of a
// tile of sums.
//
// A block makes the 128 places of one row of sums (op.h), so that it can leave that row itself.
#ifndef GN_CONV_TILE_CUH
#define GN_CONV_TILE_CUH
#include "pass.cuh"
#include "warpgroup.cuh"

enum { THREADS = 256, TILE = GN_ROW_PLACES };

struct conv { // x is [n h w][c], y is [n oh ow][o], weights are [kernel kernel][c][o]
    int n, c, h, w, o, oh, ow;
    int kernel, stride, pad;
};

// An activation whose type is known when the program runs: a branch that all threads take alike.
struct numbers {
    void *data;
    int narrow; // bf16
};
template <int V> GN_DEVICE void get(numbers x, int64_t at, float *v) {
    if (x.narrow) get<V>((const bf16 *)x.data, at, v);
    else get<V>((const float *)x.data, at, v);
}
template <int V> GN_DEVICE void put(numbers x, int64_t at, float *v) {
    if (x.narrow) put<V>((bf16 *)x.data, at, v);
    else put<V>((float *)x.data, at, v);
}

// What becomes of a sum: forward adds bias and residual; backward lets it back through relu(norm()). Then it is stored.
struct ending {
    numbers to;          // [places][channels]
    int places, channels;
    int add;             // to what is there
    const float *bias;   // NULL: none, as all below
    numbers residual;
    numbers x;           // what relu(norm()) read
    norm_by by;
    float *rows;
    const float *centre; // of forward's rows
};

// sum[0..V) at `at`, with what was loaded of the residual or of x, into memory and into the row of sums.
template <int V, int BACK>
GN_DEVICE void number_end(const ending &e, const scaling *n, int64_t at, float *sum, const float *loaded, row_sums<V> &row) {
    if (BACK && e.x.data)
        for (int i = 0; i < V; i++) sum[i] = norm_back(n[i], e.by.least, loaded[i], sum[i]);
    if (!BACK && e.residual.data)
        for (int i = 0; i < V; i++) sum[i] += loaded[i];
    if (e.add) {
        float old[V];
        get<V>(e.to, at, old);
        for (int i = 0; i < V; i++) sum[i] += old[i];
    }
    put<V>(e.to, at, sum);
    if (!e.rows) return;
    if (!BACK) row_add<V>(row, sum);
    for (int i = 0; BACK && i < V; i++) {
        row.first[i] += sum[i];
        row.second[i] += sum[i] * norm_xhat(n[i], loaded[i]);
    }
}

// The THREADS threads that make a tile wait for each other: all of the block, or the first of more.
template <int SOME> GN_DEVICE void tile_wait() {
    if constexpr (SOME) gn_group_wait(1, THREADS);
    else __syncthreads();
}

// The end of tile [TILE][pitch] in shared memory: places from TILE `number` on, WIDE channels from `first`. All threads have
// written their part: call after tile_wait().
// FEW places at once, for loads under way.
template <int V, int WIDE, int BACK, int SOME = 0, int FEW = 4>
GN_DEVICE void tile_end(const ending &e, float *tile, int pitch, int64_t number, int first) {
    constexpr int ACROSS = WIDE / V, DEEP = THREADS / ACROSS;
    static_assert(2 * WIDE <= THREADS, "a number of a row of sums a thread");
    const int ch = threadIdx.x % ACROSS * V, c = first + ch, left = (int)(e.places - number * TILE);
    const int end = c >= e.channels ? 0 : left < TILE ? left : (int)TILE;
    const int64_t from = number * TILE * e.channels + c;
    const numbers other = BACK ? e.x : e.residual;
    float bias[V] = {};
    scaling n[V];
    row_sums<V> row = {};
    for (int i = 0; BACK && i < V; i++) n[i] = scaling_of(e.by, c + i);
    if (!BACK && end && e.rows) get<V>(e.centre, c, row.centre);
    if (!BACK && end && e.bias) get<V>(e.bias, c, bias);

    for (int r = threadIdx.x / ACROSS; r < end; r += FEW * DEEP) {
        float loaded[FEW][V];
        for (int k = 0; k < FEW; k++)
            if (other.data && r + k * DEEP < end) get<V>(other, from + (int64_t)(r + k * DEEP) * e.channels, loaded[k]);
        for (int k = 0; k < FEW; k++) {
            const int at = r + k * DEEP;
            if (at >= end) break;
            float sum[V];
            get<V>(tile, (int64_t)at * pitch + ch, sum);
            for (int i = 0; i < V; i++) sum[i] += bias[i];
            number_end<V, BACK>(e, n, from + (int64_t)at * e.channels, sum, loaded[k], row);
        }
    }
    if (!e.rows) return;
    tile_wait<SOME>(); // all have read the tile
    float *mine = tile + threadIdx.x / ACROSS * 2 * WIDE + ch;
    for (int i = 0; i < V; i++) mine[i] = row.first[i], mine[WIDE + i] = row.second[i];
    tile_wait<SOME>();
    row_write(tile, DEEP, WIDE, e.rows + number * 2 * e.channels, first, e.channels);
}

// Sums of columns kept by the threads, thread t those of group t % ACROSS: in the order of the threads, to out[0..WIDE) as far
// as `there`.
template <int V, int WIDE> GN_DEVICE void columns_end(const float *sum, float *part, float *out, int there) {
    constexpr int ACROSS = WIDE / V, DEEP = THREADS / ACROSS;
    __syncthreads(); // what lay in `part` has been read
    for (int i = 0; i < V; i++) part[threadIdx.x / ACROSS * WIDE + threadIdx.x % ACROSS * V + i] = sum[i];
    __syncthreads();
    const int c = threadIdx.x;
    if (c >= WIDE || c >= there) return;
    float all = part[c];
    for (int k = 1; k < DEEP; k++) all += part[k * WIDE + c];
    out[c] = all;
}

// A gradient of weights and bias is summed over chunks of places. part: [chunks][step], the weights', then the bias's.
static __global__ void __launch_bounds__(THREADS)
chunks_add(const float *part, int chunks, int64_t step, float *dw, int64_t weights, float *db) {
    constexpr int PARTS = THREADS / WARP;
    __shared__ float sum[PARTS][WARP];
    const int lane = threadIdx.x % WARP, mine = threadIdx.x / WARP;
    const int64_t i = (int64_t)blockIdx.x * WARP + lane;
    float all = 0;
    for (int k = mine; k < chunks && i < step; k += PARTS) all += part[k * step + i];
    sum[mine][lane] = all;
    __syncthreads();
    if (mine || i >= step) return;
    for (int k = 1; k < PARTS; k++) all += sum[k][lane];
    (i < weights ? dw[i] : db[i - weights]) = all;
}
#endif
