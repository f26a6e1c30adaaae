// ceiling.cu - what a GPU can do at most: multiply-adds from registers, in float and on tensor cores, and bytes copied.
#include "warp.cuh"
extern "C" {
#include "gnomon/device.h"
}

enum { THREADS = 256, BLOCKS = 4, CHAINS = 8, TRIES = 5, LINES = 4 }; // BLOCKS a multiprocessor: all are there at once
#ifdef GN_EMULATE
enum { ROUNDS = 2, COPY = 1 << 16 }; // nothing is learnt there
#else
enum { ROUNDS = 1 << 14, COPY = 256 << 20 };
#endif

// Independent chains cover the latency; the result is kept so that the work is.
static __global__ void __launch_bounds__(THREADS, BLOCKS) multiply_add(float a, float b, int rounds, float *sink) {
    float x[CHAINS], sum = 0;
    GN_UNROLL
    for (int i = 0; i < CHAINS; i++) x[i] = (float)(threadIdx.x + i);
    for (int r = 0; r < rounds; r++) {
        GN_UNROLL
        for (int i = 0; i < CHAINS; i++) x[i] = x[i] * a + b;
    }
    GN_UNROLL
    for (int i = 0; i < CHAINS; i++) sum += x[i];
    sink[blockIdx.x * THREADS + threadIdx.x] = sum;
}

static __global__ void __launch_bounds__(THREADS, BLOCKS) multiply_add_tiles(unsigned pair, int rounds, float *sink) {
    const unsigned a[4] = { pair, pair, pair, pair }, b[2] = { pair, pair };
    float x[CHAINS][4] = {}, sum = 0;
    for (int r = 0; r < rounds; r++) {
        GN_UNROLL
        for (int i = 0; i < CHAINS; i++) gn_product(x[i], a, b);
    }
    GN_UNROLL
    for (int i = 0; i < 4 * CHAINS; i++) sum += x[i / 4][i % 4];
    sink[blockIdx.x * THREADS + threadIdx.x] = sum;
}

// LINES of 16 bytes of a thread are under way at once.
static __global__ void __launch_bounds__(THREADS) copy(const uint4 *from, uint4 *to, int n) {
    const int apart = (int)gridDim.x * THREADS;
    for (int i = (int)blockIdx.x * THREADS + (int)threadIdx.x; i < n; i += LINES * apart) {
        uint4 v[LINES];
        GN_UNROLL
        for (int k = 0; k < LINES; k++)
            if (i + k * apart < n) v[k] = from[i + k * apart];
        GN_UNROLL
        for (int k = 0; k < LINES; k++)
            if (i + k * apart < n) to[i + k * apart] = v[k];
    }
}

// The best of a few: the first finds the clock low.
template <class F> static gn_status best(gn_device *d, double work, double *rate, F launch) {
    *rate = 0;
    for (int t = 0; t < TRIES; t++) {
        double s;
        GN_TRY(gn_device_mark(d, 0));
        launch();
        GN_TRY(gn_launched("ceiling", gn_device_stream(d)));
        GN_TRY(gn_device_mark(d, 1));
        GN_TRY(gn_device_between(d, 0, 1, &s));
        if (work / s > *rate) *rate = work / s;
    }
    return GN_OK;
}

extern "C" gn_status gn_device_ceiling(gn_device *d, double *flop_s, double *bf16_s, double *bytes_s) {
    gn_device_facts f;
    void *from, *to;
    GN_TRY(gn_device_look(d, &f));
    GN_TRY(gn_device_use(d));
    GN_TRY(gn_device_reserve(d, COPY, &from));
    GN_TRY(gn_device_reserve(d, COPY, &to));
    void *stream = gn_device_stream(d);
    const unsigned blocks = (unsigned)(f.multiprocessors * BLOCKS);
    const double chains = (double)blocks * CHAINS * ROUNDS;
    float *sink = (float *)to;
    GN_TRY(best(d, chains * THREADS * 2, flop_s,
                [=] { GN_LAUNCH(multiply_add, blocks, THREADS, 0, stream, 0.999f, 1e-3f, (int)ROUNDS, sink); }));
    *bf16_s = *flop_s;
    if (gn_capability() >= 80) /* below there are none: see gn_product */
        GN_TRY(best(d, chains * (THREADS / WARP) * 2 * 16 * 8 * 16, bf16_s,
                    [=] { GN_LAUNCH(multiply_add_tiles, blocks, THREADS, 0, stream, 0x3f003f00u, (int)ROUNDS, sink); }));
    return best(d, 2.0 * COPY, bytes_s, [=] {
        GN_LAUNCH(copy, 2 * blocks, THREADS, 0, stream, (const uint4 *)from, (uint4 *)to, (int)(COPY / sizeof(uint4)));
    });
}
