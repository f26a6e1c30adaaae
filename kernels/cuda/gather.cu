// gather.cu - see cpu/gather.c for the contract.
//
// Points may share cells of a map, so its gradient is made by the cells: a thread owns a number of it and adds
// what the points pull there, in their order. A channel that is one point's has one to ask; a map for all asks all.
#include "store.cuh"
#include "formula/bilinear.h"

enum { THREADS = 256 };

struct cell { // the four neighbours of a point, row by row
    gn_between u, v;
    int at[4];
    float weight[4];
};

template <class U> GN_DEVICE cell cell_of(const U *point, int64_t i, int h, int w) {
    cell k;
    k.u = gn_between_at(gn_load(point, i * 2), w);
    k.v = gn_between_at(gn_load(point, i * 2 + 1), h);
    for (int q = 0; q < 4; q++) {
        k.at[q] = (q < 2 ? k.v.low : k.v.high) * w + (q % 2 ? k.u.high : k.u.low);
        k.weight[q] = (q % 2 ? k.u.share : 1 - k.u.share) * (q < 2 ? 1 - k.v.share : k.v.share);
    }
    return k;
}

// The map at the neighbours of point i = n points + p.
template <class T> GN_DEVICE void neighbours(const T *map, const cell &k, int64_t i, int points, places m, float f[4]) {
    const int64_t n = i / points;
    const int channel = m.c == 1 ? 0 : (int)(i % points);
    for (int q = 0; q < 4; q++) f[q] = gn_load(map, (n * m.places + k.at[q]) * m.c + channel);
}

template <class T, class U, class O>
static __global__ void __launch_bounds__(THREADS) forward(const T *map, const U *point, O *out, int points, places m) {
    const int64_t i = (int64_t)blockIdx.x * THREADS + threadIdx.x;
    if (i >= m.n * points) return;
    const cell k = cell_of(point, i, m.h, m.w);
    float f[4];
    neighbours(map, k, i, points, m, f);
    gn_store(out, i, gn_bilinear(f[0], f[1], f[2], f[3], k.u.share, k.v.share));
}

template <class U> GN_DEVICE void leave(U *d, int64_t i, float g, int add) { gn_store(d, i, add ? gn_load(d, i) + g : g); }

template <class T, class U, class O>
static __global__ void __launch_bounds__(THREADS)
pull_points(const T *map, const U *point, const O *d_out, U *d_point, int add, int points, places m) {
    const int64_t i = (int64_t)blockIdx.x * THREADS + threadIdx.x;
    if (i >= m.n * points) return;
    const cell k = cell_of(point, i, m.h, m.w);
    const float g = gn_load(d_out, i), su = k.u.share, sv = k.v.share;
    float f[4];
    neighbours(map, k, i, points, m, f);
    leave(d_point, i * 2, g * k.u.moves * ((f[1] - f[0]) * (1 - sv) + (f[3] - f[2]) * sv), add);
    leave(d_point, i * 2 + 1, g * k.v.moves * ((f[2] - f[0]) * (1 - su) + (f[3] - f[1]) * su), add);
}

template <class T, class U, class O>
static __global__ void __launch_bounds__(THREADS)
pull_map(const U *point, const O *d_out, T *d_map, int add, int points, places m) {
    const int64_t e = (int64_t)blockIdx.x * THREADS + threadIdx.x;
    if (e >= m.places * m.c) return;
    const int place = (int)(e / m.c), channel = (int)(e % m.c);
    const int first = m.c == 1 ? 0 : channel, end = m.c == 1 ? points : channel + 1;
    const int64_t n = blockIdx.y;
    float sum = 0;
    int touched = 0;
    for (int p = first; p < end; p++) {
        const cell k = cell_of(point, n * points + p, m.h, m.w);
        for (int q = 0; q < 4; q++)
            if (k.at[q] == place) {
                sum += gn_load(d_out, n * points + p) * k.weight[q];
                touched = 1;
            }
    }
    if (touched || !add) leave(d_map, n * m.places * m.c + e, sum, add);
}

extern "C" gn_status gn_gather_plan_cuda(const gn_call *c, gn_arena *a, gn_impl impl, void **state, size_t *scratch, size_t *shadow) {
    (void)c, (void)a, (void)impl, (void)state;
    *scratch = *shadow = 0;
    return GN_OK;
}

// Statement with T of the map, U of the points, O of what was read.
#define BY_TYPES(c, out, ...)                                                                              \
    GN_BY_TYPE((c)->in[0].type, T, GN_BY_TYPE((c)->in[1].type, U, GN_BY_TYPE((out)[0].type, O, __VA_ARGS__)))

extern "C" gn_status gn_gather_forward_cuda(const gn_call *c) {
    const places m = places_of(&c->in[0]);
    const int points = (int)c->in[1].shape.d[1];
    BY_TYPES(c, c->out,
        GN_LAUNCH((forward<T, U, O>), gn_blocks(m.n * points, THREADS), THREADS, 0, c->stream, (const T *)c->in[0].data,
                  (const U *)c->in[1].data, (O *)c->out[0].data, points, m));
    return gn_launched("gather forward", c->stream);
}

extern "C" gn_status gn_gather_backward_cuda(const gn_call *c) {
    const places m = places_of(&c->in[0]);
    const int points = (int)c->in[1].shape.d[1], add_map = !(c->first & 1), add_point = !(c->first >> 1 & 1);
    void *d_map = c->d_in[0].data, *d_point = c->d_in[1].data;
    if (d_map)
        BY_TYPES(c, c->d_out,
            GN_LAUNCH((pull_map<T, U, O>), dim3(gn_blocks(m.places * m.c, THREADS), (unsigned)m.n), THREADS, 0, c->stream,
                      (const U *)c->in[1].data, (const O *)c->d_out[0].data, (T *)d_map, add_map, points, m));
    if (d_point)
        BY_TYPES(c, c->d_out,
            GN_LAUNCH((pull_points<T, U, O>), gn_blocks(m.n * points, THREADS), THREADS, 0, c->stream, (const T *)c->in[0].data,
                      (const U *)c->in[1].data, (const O *)c->d_out[0].data, (U *)d_point, add_point, points, m));
    return gn_launched("gather backward", c->stream);
}
