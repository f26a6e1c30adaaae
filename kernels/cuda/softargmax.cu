// softargmax.cu - see cpu/softargmax.c for the contract.
//
// A block reads the channels of one joint's volume, or of up to 16 joints' maps, once: a thread keeps one
// channel and takes every K-th place of it, FEW at a time, so that an exponential a number suffices. Readings
// merge in shared memory in a fixed tree. Backward is one pass, a thread a number.
#include "store.cuh"
#include "formula/softargmax.h"
extern "C" {
#include "gnomon/attr.h"
}

enum { THREADS = 256, FEW = 8, MAPS = 16 };

// How channels fall to blocks: a block has `channels` of them from blockIdx.x * channels on, which belong to
// `owners` joints.
struct cut { int channels, owners; };

static cut cut_of(const gn_softargmax_attr *a) {
    if (a->depth) return { a->depth, 1 };
    return { a->joints < MAPS ? a->joints : MAPS, a->joints < MAPS ? a->joints : MAPS };
}

// A reading of places first, first + step, ... of one channel.
template <class T>
GN_DEVICE gn_soft channel_read(const T *x, int c, int w, int64_t places, int first, int step) {
    gn_soft all = gn_soft_none();
    for (int64_t p = first; p < places; p += (int64_t)FEW * step) {
        float v[FEW], top = -INFINITY;
        for (int k = 0; k < FEW; k++) {
            const int64_t at = p + (int64_t)k * step;
            v[k] = at < places ? gn_load(x, at * c) : -INFINITY;
            top = v[k] > top ? v[k] : top;
        }
        gn_soft few = { top, 0, 0, 0, 0 };
        for (int k = 0; k < FEW; k++) {
            const int64_t at = p + (int64_t)k * step;
            if (at >= places) break;
            const float e = gn_exp_below_0(v[k] - top);
            few.s += e;
            few.u += e * (float)(at % w);
            few.v += e * (float)(at / w);
        }
        all = gn_soft_merge(all, few);
    }
    return all;
}

template <class T, class O>
static __global__ void __launch_bounds__(THREADS)
forward(const T *x, gn_soft *saved, O *out, cut k, int joints, int depth, int c, int w, int64_t places) {
    __shared__ gn_soft part[THREADS];
    const int first = blockIdx.x * k.channels, t = threadIdx.x;
    const int wide = k.channels < THREADS ? k.channels : THREADS; // channels read side by side
    const int deep = THREADS / wide;                              // threads a channel
    const T *sample = x + blockIdx.y * places * c;

    gn_soft mine = gn_soft_none();
    for (int ch = t % wide; ch < k.channels && t < wide * deep; ch += wide)
        if (first + ch < c) {
            gn_soft a = channel_read(sample + first + ch, c, w, places, t / wide, deep);
            a.w = a.s * (float)ch; // its slice, where the channels are a joint's
            mine = gn_soft_merge(mine, a);
        }
    part[t] = mine;
    __syncthreads();

    const int owner = k.owners == 1 ? 0 : t % wide, parts = k.owners == 1 ? wide * deep : deep;
    const int rank = k.owners == 1 ? t : t / wide;
    for (int half = THREADS / 2; half; half /= 2) {
        if (rank < half && rank + half < parts && t < wide * deep)
            part[t] = gn_soft_merge(part[t], part[t + half * (k.owners == 1 ? 1 : wide)]);
        __syncthreads();
    }
    const int j = blockIdx.x * k.owners + owner;
    if (rank || t >= wide * deep || j >= joints) return;
    gn_soft a = gn_soft_end(part[t]);
    const int64_t at = (int64_t)blockIdx.y * joints + j;
    if (saved) saved[at] = a;
    const int axes = depth ? 3 : 2;
    gn_store(out, at * axes, a.u);
    gn_store(out, at * axes + 1, a.v);
    if (depth) gn_store(out, at * axes + 2, a.w);
}

template <class T, class O>
static __global__ void __launch_bounds__(THREADS)
backward(const T *x, const gn_soft *saved, const O *d_out, T *d_x, int add, int joints, int depth, int c, int w,
         int64_t places, int64_t count) {
    const int64_t i = (int64_t)blockIdx.x * THREADS + threadIdx.x;
    if (i >= count) return;
    const int slices = depth ? depth : 1, axes = depth ? 3 : 2;
    const int ch = (int)(i % c);
    const int64_t p = i / c % places, j = i / c / places * joints + ch / slices;
    const gn_soft s = saved[j];
    float lever = gn_load(d_out, j * axes) * ((float)(p % w) - s.u) + gn_load(d_out, j * axes + 1) * ((float)(p / w) - s.v);
    if (depth) lever += gn_load(d_out, j * axes + 2) * ((float)(ch % slices) - s.w);
    const float g = gn_soft_pull(gn_load(x, i), s.m, 1.0f / s.s, lever);
    gn_store(d_x, i, add ? gn_load(d_x, i) + g : g);
}

extern "C" gn_status gn_softargmax_plan_cuda(const gn_call *c, gn_arena *a, gn_impl impl, void **state, size_t *scratch,
                                             size_t *shadow) {
    (void)c, (void)a, (void)impl, (void)state;
    *scratch = *shadow = 0;
    return GN_OK;
}

extern "C" gn_status gn_softargmax_forward_cuda(const gn_call *c) {
    const gn_softargmax_attr *a = (const gn_softargmax_attr *)c->attr;
    const places p = places_of(&c->in[0]);
    const cut k = cut_of(a);
    const dim3 grid(gn_blocks(p.c, k.channels), (unsigned)p.n);
    GN_BY_TYPE(c->in[0].type, T, GN_BY_TYPE(c->out[0].type, O,
        GN_LAUNCH((forward<T, O>), grid, THREADS, 0, c->stream, (const T *)c->in[0].data, (gn_soft *)c->saved[0].data,
                  (O *)c->out[0].data, k, a->joints, a->depth, p.c, p.w, p.places)));
    return gn_launched("softargmax forward", c->stream);
}

extern "C" gn_status gn_softargmax_backward_cuda(const gn_call *c) {
    const gn_softargmax_attr *a = (const gn_softargmax_attr *)c->attr;
    const places p = places_of(&c->in[0]);
    const int64_t count = p.n * p.places * p.c;
    if (!c->d_in[0].data) return GN_OK;
    GN_BY_TYPE(c->in[0].type, T, GN_BY_TYPE(c->d_out[0].type, O,
        GN_LAUNCH((backward<T, O>), gn_blocks(count, THREADS), THREADS, 0, c->stream, (const T *)c->in[0].data,
                  (const gn_soft *)c->saved[0].data, (const O *)c->d_out[0].data, (T *)c->d_in[0].data, !(c->first & 1), a->joints,
                  a->depth, p.c, p.w, p.places, count)));
    return gn_launched("softargmax backward", c->stream);
}
