// conv_mma.cuh - forward and the data's gradient on tensor cores: bf16 in, float sums; kernel 1 or 3, stride 1.
//
// A block makes TILE places by N channels; its 8 warps are 4 x 2, each 32 places by N/2. The sum goes over slabs of 32 channels,
// and in a slab over the taps: the places a slab needs, with the halo of a 3x3, lie in shared memory once, normalised
// once, and a tap is another first row. Rows of a tap that lie outside the picture are read from a line of zeros.
// Weights of STAGES steps (a tap of a slab) are under way.
#ifndef GN_CONV_MMA_CUH
#define GN_CONV_MMA_CUH
#include "conv_panel.cuh"

enum { SLAB = 32, STAGES = 4, ZEROS = 256 /* bytes: a row of the widest panel, for its alignment */ };

// out[p][j] = sum over taps t and channels k of in[p + shift of t][k] weight[t][k][j]; BACK: weight[last - t][j][k]
struct product {
    numbers in;         // [places][depth]
    norm_by by;
    int normal;         // 0: nothing to apply
    const bf16 *weight; // [taps][c][o]
    taps k;
    int depth, places;
};

// Shared memory: zeros, steps of weights, slabs of `in`, scalings; then the tile of sums instead.
static inline __host__ __device__ int slab_rows(taps k) { return TILE + 2 * halo_of(k); }
static inline __host__ __device__ int slabs_kept(taps k) { return k.count == 1 ? STAGES : 2; }
static inline size_t mma_shared(const product &p, int n) {
    const size_t norm = p.normal ? sizeof(scaling) * ((size_t)p.depth + SLAB) : 0; // and of channels past the last, unused
    const size_t loop = ZEROS + 2 * SLAB * ((size_t)STAGES * n + (size_t)slabs_kept(p.k) * slab_rows(p.k)) + norm;
    const size_t tile = sizeof(float) * TILE * (n + 8);
    return loop > tile ? loop : tile;
}

// Weights of a step: forward [32 of depth][N channels], BACK [N channels][32 of depth]
template <int N, int BACK, int TAPS>
GN_DEVICE void weights_copy(unsigned char *to, const product &p, int channels, int first, int slab, int tap) {
    const bf16 *m = p.weight + (int64_t)(BACK ? TAPS - 1 - tap : tap) * p.depth * channels;
    if (BACK) {
        const view v = { m, 1, p.depth, first, channels, slab * SLAB, NULL, 0 };
        panel_copy<SLAB / 8>(to, v, N);
    } else {
        const view v = { m, 1, channels, slab * SLAB, p.depth, first, NULL, 0 };
        panel_copy<N / 8>(to, v, SLAB);
    }
}

// Where a lane reads the weights of a step; 16 of depth on, and 16 channels on, are a constant away.
template <int N, int BACK> GN_DEVICE int weights_lane(int column) {
    const int lane = gn_lane();
    return BACK ? panel_at<SLAB / 8>(column + lane % 8 + lane / 16 * 8, lane / 8 % 2)
                : panel_at<N / 8>(lane % 16, column / 8 + lane / 16);
}
template <int N, int BACK> GN_DEVICE void weights_read(unsigned r[4], const unsigned char *step, int lane_at, int k, int j) {
    if (BACK) gn_matrix_read(r, step + (lane_at ^ 32 * k) + 16 * j * 2 * SLAB);
    else gn_matrix_read_turned(r, step + (lane_at ^ 32 * j) + 16 * k * 2 * N);
}

// acc += a step. left: where the lane reads its two rows of `in`, in bytes of shared memory
template <int N, int BACK>
GN_DEVICE void step_add(float acc[2][N / 16][4], const unsigned char *shared, const int left[2], const unsigned char *weights,
                        int lane_at, int depth) {
    GN_UNROLL for (int k = 0; k < SLAB / 16; k++) {
        if (16 * k >= depth) break;
        unsigned a[2][4];
        GN_UNROLL for (int i = 0; i < 2; i++) gn_matrix_read(a[i], shared + (left[i] ^ 32 * k));
        GN_UNROLL for (int j = 0; j < N / 32; j++) {
            unsigned b[4];
            weights_read<N, BACK>(b, weights, lane_at, k, j);
            GN_UNROLL for (int i = 0; i < 2; i++) {
                gn_product(acc[i][2 * j], a[i], b);
                gn_product(acc[i][2 * j + 1], a[i], b + 2);
            }
        }
    }
}

// A warp's sums [16][8 J] into the tile [TILE][N + 8]: its eight rows begin in other banks.
template <int N, int J> GN_DEVICE void tile_fill(float *tile, const float (&acc)[J][4], int row, int column) {
    tile += (row + gn_lane() / 4) * (N + 8) + column + 2 * (gn_lane() % 4);
    GN_UNROLL for (int j = 0; j < J; j++)
        GN_UNROLL for (int half = 0; half < 2; half++) {
            float2 pair;
            pair.x = acc[j][2 * half], pair.y = acc[j][2 * half + 1];
            *(float2 *)(tile + 8 * half * (N + 8) + 8 * j) = pair;
        }
}

template <int N, int BACK, int TAPS> static __global__ void __launch_bounds__(THREADS, 2) mma(product p, ending e) {
    GN_SHARED(unsigned char, shared);
    const taps k = { TAPS, p.k.h, p.k.w };
    const int rows = slab_rows(k), kept = slabs_kept(k), slabs = (p.depth + SLAB - 1) / SLAB;
    unsigned char *weights = shared + ZEROS, *in = weights + STAGES * SLAB * N * 2;
    scaling *norm = (scaling *)(in + kept * rows * SLAB * 2);
    const int blocks = (e.channels + N - 1) / N, number = blockIdx.x / blocks, first = (int)(blockIdx.x % blocks) * N;
    const int row = (int)(threadIdx.x / 64 * 32), column = (int)(threadIdx.x / WARP % 2 * (N / 2)), lane = gn_lane();
    const int from = number * TILE - halo_of(k), mine = number * TILE + row + lane % 16;
    const int lane_at = weights_lane<N, BACK>(column);
    const unsigned inside = taps_inside(k, mine, p.places) | taps_inside(k, mine + 16, p.places) << 16;
    if (threadIdx.x < ZEROS / 4) ((unsigned *)shared)[threadIdx.x] = 0;
    if (!BACK && p.normal) scalings_fill(norm, p.by, 0, p.depth);
    __syncthreads();

    const auto slab_at = [&](int slab) { return in + slab % kept * rows * SLAB * 2; };
    const auto view_of = [&](int slab) {
        const scaling *n = BACK || !p.normal ? NULL : norm + slab * SLAB;
        const view v = { p.in.data, p.in.narrow, p.depth, from, p.places, slab * SLAB, n, p.by.least };
        return v;
    };
    int next_slab = 0, next_tap = 0;
    const auto fetch = [&](unsigned step) { // one after another
        if (next_slab < slabs) {
            if (next_tap == 0) panel_fetch<SLAB / 8>(slab_at(next_slab), view_of(next_slab), rows);
            weights_copy<N, BACK, TAPS>(weights + step % STAGES * SLAB * N * 2, p, e.channels, first, next_slab, next_tap);
            if (++next_tap == TAPS) next_tap = 0, next_slab++;
        }
        gn_copy_commit();
    };
    float acc[2][N / 16][4] = {};
    unsigned step = 0;
    for (; step < STAGES - 1; step++) fetch(step);
    for (int slab = 0; slab < slabs; slab++)
        for (int tap = 0; tap < TAPS; tap++, step++) { // step: the one to fetch; STAGES - 1 before it is at hand
            gn_copy_wait<STAGES - 2>();
            if (tap == 0) panel_norm<SLAB / 8>(slab_at(slab), view_of(slab), rows);
            __syncthreads(); // this step is there, and the last one's place is free
            fetch(step);
            const int at = (int)(slab_at(slab) - shared) + panel_at<SLAB / 8>(row + lane % 16 + shift_of(k, tap), lane / 16);
            const int left[2] = { inside >> tap & 1 ? at : 0, inside >> tap & 1 << 16 ? at + 16 * SLAB * 2 : 0 };
            step_add<N, BACK>(acc, shared, left, weights + (step + 1) % STAGES * SLAB * N * 2, lane_at, p.depth - slab * SLAB);
        }
    __syncthreads();
    GN_UNROLL for (int i = 0; i < 2; i++) tile_fill<N>((float *)shared, acc[i], row + 16 * i, column);
    __syncthreads();
    tile_end<8, N, BACK>(e, (float *)shared, N + 8, number, first);
}
#endif
