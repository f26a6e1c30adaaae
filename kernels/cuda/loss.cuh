// loss.cuh - what the kernels of losses share.
#ifndef GN_LOSS_CUH
#define GN_LOSS_CUH
#include "warp.cuh"
extern "C" {
#include "gnomon/loss.h"
}

// A loss on maps leaves the value of each, [outputs][N][J], in `value`; see GN_MAP_LOSS.
typedef gn_status map_loss(const gn_loss_call *c, float *value, void *stream);

// Joins what threads whose places in the block are equal modulo `apart`, a power of two up to 32, have: in a fixed
// tree, and all get it. `part`: [warps][apart] in shared memory. Every thread of the block must call.
template <class F> GN_DEVICE float block_join(float x, int apart, float *part, F join) {
    const int lane = gn_lane() % apart;
    for (int k = apart; k < WARP; k *= 2) x = join(x, gn_from_lane_xor(x, k));
    if (gn_lane() < apart) part[threadIdx.x / WARP * apart + lane] = x;
    __syncthreads();
    x = part[lane];
    for (unsigned w = 1; w < blockDim.x / WARP; w++) x = join(x, part[w * apart + lane]);
    __syncthreads();
    return x;
}
GN_DEVICE float block_sum(float x, int apart, float *part) {
    return block_join(x, apart, part, [](float a, float b) { return a + b; });
}
#endif
