// optimizer.cu - a step of all parameters, and what goes before it: see gnomon/optimizer.h.
//
// The gradient's squares are summed by blocks, then by one block, in an order that the count alone decides. Then one
// pass over the slabs, eight neighbours a thread; all are read before any is written, so that the reads overlap.
#include "store.cuh"
#include "formula/optimizer.h"
extern "C" {
#include "gnomon/optimizer.h"
}

enum { THREADS = 256, EACH = 8, PARTS = 1024 };

GN_DEVICE int64_t thread_of_all() { return (int64_t)blockIdx.x * THREADS + threadIdx.x; }

// --- the norm ---

// The block's sum, to every thread.
GN_DEVICE float block_sum(float x, float *warps) {
    for (int k = WARP / 2; k; k /= 2) x += gn_from_lane_xor(x, k);
    if (gn_lane() == 0) warps[threadIdx.x / WARP] = x;
    __syncthreads();
    float sum = 0;
    for (int k = 0; k < THREADS / WARP; k++) sum += warps[k];
    return sum;
}

static __global__ void __launch_bounds__(THREADS) squares(const float *g, int64_t n, float *parts) {
    __shared__ float warps[THREADS / WARP];
    float sum = 0, v[EACH];
    for (int64_t i = EACH * thread_of_all(); i < n; i += (int64_t)EACH * THREADS * gridDim.x) {
        if (i + EACH <= n) gn_load8(g, i, v);
        else
            for (int k = 0; k < EACH; k++) v[k] = i + k < n ? g[i + k] : 0.0f;
        for (int k = 0; k < EACH; k++) sum += v[k] * v[k];
    }
    sum = block_sum(sum, warps);
    if (threadIdx.x == 0) parts[blockIdx.x] = sum;
}

static __global__ void __launch_bounds__(THREADS) root(const float *parts, int n, float *norm) {
    __shared__ float warps[THREADS / WARP];
    float sum = 0;
    for (int i = threadIdx.x; i < n; i += THREADS) sum += parts[i];
    sum = block_sum(sum, warps);
    if (threadIdx.x == 0) *norm = sqrt(sum);
}

// --- the step ---

struct slabs {
    float *w;
    const float *g;
    float *a, *b, *ema;
    bf16 *narrow;
    int64_t trained, n; // n: that the pass goes over
};

template <int N> GN_DEVICE void take(const float *x, int64_t i, float *v) {
    if constexpr (N == EACH) gn_load8(x, i, v);
    else v[0] = x[i];
}
template <int N, class T> GN_DEVICE void put(T *x, int64_t i, const float *v) {
    if constexpr (N == EACH) gn_store8(x, i, v);
    else gn_store(x, i, v[0]);
}

template <gn_step STEP> GN_DEVICE gn_learnt learn(const gn_pace &p, gn_learnt x, float g) {
    if constexpr (STEP == GN_STEP_SGD) return gn_sgd_step(p, x, g);
    else if constexpr (STEP == GN_STEP_RMSPROP) return gn_rmsprop_step(p, x, g);
    else return gn_adam_step(p, x, g);
}

// N parameters from i on, of which all learn or none does.
template <gn_step STEP, int N> GN_DEVICE void move(const slabs &l, const gn_pace &p, float fresh, int64_t i) {
    float w[N], g[N] = {}, a[N] = {}, b[N] = {}, mean[N] = {};
    take<N>(l.w, i, w);
    if (l.ema) take<N>(l.ema, i, mean);
    if (i < l.trained) {
        take<N>(l.g, i, g);
        take<N>(l.a, i, a);
        if (STEP == GN_STEP_ADAM) take<N>(l.b, i, b);
        for (int k = 0; k < N; k++) {
            gn_learnt x = { w[k], a[k], b[k] };
            x = learn<STEP>(p, x, g[k]);
            w[k] = x.w, a[k] = x.a, b[k] = x.b;
        }
        put<N>(l.w, i, w);
        put<N>(l.a, i, a);
        if (STEP == GN_STEP_ADAM) put<N>(l.b, i, b);
    }
    if (l.ema) {
        for (int k = 0; k < N; k++) mean[k] += fresh * (w[k] - mean[k]);
        put<N>(l.ema, i, mean);
    }
    if (l.narrow) put<N>(l.narrow, i, w);
}

template <gn_step STEP>
static __global__ void __launch_bounds__(THREADS)
step(slabs l, const gn_pace *pace, const float *norm, float clip, float fresh) {
    const int64_t first = EACH * thread_of_all(), end = first + EACH;
    if (!(*norm < INFINITY)) return; // the host refuses the step: nobody has moved
    gn_pace p = *pace;
    if (clip > 0.0f && *norm > clip) p.scale *= clip / *norm;
    if (end <= l.trained || (first >= l.trained && end <= l.n)) move<STEP, EACH>(l, p, fresh, first);
    else
        for (int64_t i = first; i < end && i < l.n; i++) move<STEP, 1>(l, p, fresh, i);
}

static unsigned parts_of(int64_t trained) {
    const unsigned blocks = gn_blocks(trained, THREADS * EACH), most = PARTS;
    return blocks < 1 ? 1 : blocks < most ? blocks : most;
}
extern "C" size_t gn_learn_gpu_parts(int64_t trained) { return parts_of(trained) * sizeof(float); }

// A launch keeps copies of its arguments, so none is read through `l`.
extern "C" gn_status gn_learn_cuda(const gn_optimizer *o, const gn_learn_gpu *l, void *stream) {
    const slabs s = { l->w, l->g, l->state[0], l->state[1], l->ema, (bf16 *)l->narrow, l->trained,
                      l->ema || l->narrow ? l->elements : l->trained };
    const gn_pace *pace = l->pace;
    const float clip = (float)l->clip, fresh = (float)(1 - l->ema_decay);
    const unsigned parts = parts_of(s.trained), blocks = gn_blocks(s.n, THREADS * EACH);
    float *part = l->parts, *norm = l->norm;
    GN_LAUNCH(squares, parts, THREADS, 0, stream, s.g, s.trained, part);
    GN_LAUNCH(root, 1, THREADS, 0, stream, part, (int)parts, norm);
    if (!blocks) return gn_launched(o->name, stream);
    switch (o->step) {
    case GN_STEP_SGD: GN_LAUNCH((step<GN_STEP_SGD>), blocks, THREADS, 0, stream, s, pace, norm, clip, fresh); break;
    case GN_STEP_RMSPROP: GN_LAUNCH((step<GN_STEP_RMSPROP>), blocks, THREADS, 0, stream, s, pace, norm, clip, fresh); break;
    case GN_STEP_ADAM: GN_LAUNCH((step<GN_STEP_ADAM>), blocks, THREADS, 0, stream, s, pace, norm, clip, fresh); break;
    }
    return gn_launched(o->name, stream);
}

// --- before a step ---

static __global__ void __launch_bounds__(THREADS) narrow(const float *w, int64_t n, bf16 *to) {
    const int64_t first = EACH * thread_of_all();
    if (first + EACH <= n) {
        float v[EACH];
        gn_load8(w, first, v);
        gn_store8(to, first, v);
    } else
        for (int64_t i = first; i < n; i++) gn_store(to, i, w[i]);
}

extern "C" gn_status gn_narrow_cuda(const gn_real *w, int64_t n, uint16_t *to, void *stream) {
    GN_LAUNCH(narrow, gn_blocks(n, THREADS * EACH), THREADS, 0, stream, w, n, (bf16 *)to);
    return gn_launched("weights to bf16", stream);
}

// Eight shards at once, a tree in registers. A binary counter makes the tree of the eights: where the number n of those
// before has bit k, part k is a sum of 2^k of them that waits for its like. (Places above the lowest free one are
// filled, too, but nobody reads them before they are the lowest.) The last, which may be fewer, adds all that waits.
enum { LEVELS = 5, MOST = EACH << LEVELS };

static __global__ void __launch_bounds__(THREADS) shards_sum(const float *x, int64_t stride, int64_t count, int shards, float *sum) {
    const int64_t i = thread_of_all();
    if (i >= count) return;
    const int last = (shards - 1) / EACH;
    float part[LEVELS] = {}, v[EACH];
    for (int n = 0; n <= last; n++) {
        const int here = shards - n * EACH;
        for (int k = 0; k < EACH; k++) v[k] = k < here ? x[(n * EACH + k) * stride + i] : 0.0f;
        for (int step = 1; step < EACH; step *= 2)
            for (int k = 0; k + step < EACH; k += 2 * step)
                if (k + step < here) v[k] += v[k + step];
        for (int k = 0; k < LEVELS; k++)
            if (n >> k & 1) v[0] = part[k] + v[0];
            else part[k] = v[0];
    }
    sum[i] = v[0];
}

extern "C" gn_status gn_shards_sum_cuda(const gn_real *x, int64_t stride, int64_t count, int shards, gn_real *sum, void *stream) {
    if (shards > MOST) GN_FAIL(INTERNAL, "%d shards; the sum has room for %d", shards, MOST);
    if ((shards == 1 && x == sum) || !count) return GN_OK;
    GN_LAUNCH(shards_sum, gn_blocks(count, THREADS), THREADS, 0, stream, x, stride, count, shards, sum);
    return gn_launched("sum of the shards' gradients", stream);
}
