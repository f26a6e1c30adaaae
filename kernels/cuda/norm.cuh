// norm.cuh - batch norm and ReLU of a number on its way from or to memory, and the rows of sums (op.h).
#ifndef GN_NORM_CUH
#define GN_NORM_CUH
#include "store.cuh"
#include "formula/norm.h"

// Where a norm's numbers lie. `least` is the ReLU: 0, or minus infinity where there is none.
struct norm_by {
    const float *stat, *scale, *shift; // [2 C] mean, 1/std; [C]; [C]. stat NULL: only the ReLU
    int channels;
    float least;
};
static inline norm_by norm_by_of(const float *stat, const float *scale, const float *shift, int channels, int relu) {
    norm_by by = { stat, scale, shift, channels, relu ? 0.0f : -INFINITY };
    return by;
}

// Of one channel; zeros past the last. slope = scale/std
struct scaling { float mean, deviation, slope, shift; };
GN_DEVICE scaling scaling_of(norm_by by, int c) {
    scaling k = { 0, 0, 0, 0 };
    if (c >= by.channels) return k;
    k.slope = 1;
    if (!by.stat) return k;
    k.mean = by.stat[c];
    k.deviation = by.stat[by.channels + c]; // 1/std
    k.slope = by.scale[c] * k.deviation;
    k.shift = by.shift[c];
    return k;
}

// relu(norm(x)): what is not below `least` passes, so NaN does
GN_DEVICE float norm_apply(scaling k, float least, float x) {
    const float y = gn_norm_at(x, k.mean, k.slope, k.shift);
    return y < least ? least : y;
}

// dy is g, the slope of relu(norm(x)), where the ReLU let x through
GN_DEVICE float norm_back(scaling k, float least, float x, float g) {
    return gn_norm_at(x, k.mean, k.slope, k.shift) <= least ? 0.0f : g;
}
GN_DEVICE float norm_xhat(scaling k, float x) { return (x - k.mean) * k.deviation; }

// The slope of x, where dy and dy xhat have these means over the batch
GN_DEVICE float norm_pull(scaling k, float least, float x, float g, float mean_dy, float mean_dyx) {
    return gn_norm_pull(norm_back(k, least, x, g), norm_xhat(k, x), k.slope, mean_dy, mean_dyx);
}

// The sum over those lanes of the warp that are a multiple of `apart` away, a power of two; a fixed tree, all get it.
GN_DEVICE float lanes_sum(float x, int apart) {
    for (int k = apart; k < WARP; k *= 2) x += gn_from_lane_xor(x, k);
    return x;
}

// The block's part of a row: `parts` partial sums [parts][2][wide] in shared memory, added in their order, to channels
// first.. of row [2][C]. All threads have written theirs: call after __syncthreads().
GN_DEVICE void row_write(const float *part, int parts, int wide, float *row, int first, int channels) {
    for (int i = threadIdx.x; i < 2 * wide; i += blockDim.x) {
        const int half = i / wide, c = first + i % wide;
        float sum = part[i];
        for (int k = 1; k < parts; k++) sum += part[k * 2 * wide + i];
        if (c < channels) row[(int64_t)half * channels + c] = sum;
    }
}

// to = or += from, of one layout; the types may differ, and the memory may be the same. (add.cu)
extern "C" void gn_copy_or_add_cuda(const gn_tensor *from, const gn_tensor *to, int first, void *stream);
#endif
