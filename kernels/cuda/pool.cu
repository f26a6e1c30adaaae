// pool.cu - see cpu/pool.c for the contract. A thread takes whole windows: no output has two writers.
#include "pass.cuh"
extern "C" {
#include "gnomon/attr.h"
}

GN_DEVICE void bytes_get8(const uint8_t *from, uint8_t to[8]) {
    const uint2 a = *(const uint2 *)from;
    for (int v = 0; v < 4; v++) to[v] = (uint8_t)(a.x >> 8 * v), to[v + 4] = (uint8_t)(a.y >> 8 * v);
}
GN_DEVICE void bytes_put8(uint8_t *to, const uint8_t from[8]) {
    uint2 a = { 0, 0 };
    for (int v = 0; v < 4; v++) a.x |= (unsigned)from[v] << 8 * v, a.y |= (unsigned)from[v + 4] << 8 * v;
    *(uint2 *)to = a;
}

// S: the size where it is known, so that a window's loads are under way together; else 0
template <class T, int V, int S>
static __global__ void __launch_bounds__(PASS)
forward(const T *x, T *out, uint8_t *saved, int w, int given, const float *centre, float *rows, pass p) {
    const int size = S ? S : given, c = pass_channel<V>(p);
    const lines l = lines_of(w);
    row_sums<V> s = row_begin<V>(p, rows, centre);
    pass_over<V, 1>(p, [](int, int, int64_t) {},
                    [&](int, int i, int64_t at) {
                        float best[V], one[V];
                        uint8_t where[V] = {};
                        const T *from = x + window_of(spot_of(l, i), w, size) * p.channels + c;
                        get<V>(from, 0, best);
                        for (int y = 0; y < size; y++)
                            for (int q = !y; q < size; q++) {
                                get<V>(from, ((int64_t)y * w * size + q) * p.channels, one);
                                for (int v = 0; v < V; v++)
                                    if (one[v] > best[v] || one[v] != one[v])
                                        best[v] = one[v], where[v] = (uint8_t)(y * size + q);
                            }
                        put<V>(out, at, best);
                        if constexpr (V == 8) bytes_put8(saved + at, where);
                        else saved[at] = where[0];
                        if (rows) row_add<V>(s, best);
                    });
    if (rows) row_leave<V>(p, s, rows);
}

template <class T, int V, int S>
static __global__ void __launch_bounds__(PASS)
backward(const T *d_out, const uint8_t *saved, T *d_x, int add, int w, int given, pass p) {
    const int size = S ? S : given, c = pass_channel<V>(p);
    const lines l = lines_of(w);
    pass_over<V, 1>(p, [](int, int, int64_t) {},
                    [&](int, int i, int64_t at) {
                        float dy[V], d[V];
                        uint8_t where[V];
                        get<V>(d_out, at, dy);
                        if constexpr (V == 8) bytes_get8(saved + at, where);
                        else where[0] = saved[at];
                        T *to = d_x + window_of(spot_of(l, i), w, size) * p.channels + c;
                        for (int y = 0; y < size; y++)
                            for (int q = 0; q < size; q++) {
                                const int64_t here = ((int64_t)y * w * size + q) * p.channels;
                                for (int v = 0; v < V; v++) d[v] = 0;
                                if (add) get<V>(to, here, d);
                                for (int v = 0; v < V; v++) d[v] += where[v] == y * size + q ? dy[v] : 0.0f;
                                put<V>(to, here, d);
                            }
                    });
}

extern "C" gn_status gn_pool_plan_cuda(const gn_call *c, gn_arena *a, gn_impl impl, void **state, size_t *scratch, size_t *shadow) {
    (void)c, (void)a, (void)impl, (void)state;
    *scratch = *shadow = 0;
    return GN_OK;
}

template <class T, int V, int S> static void run_forward(const gn_call *c, int size) {
    const pass p = pass_of(c->out, V);
    GN_LAUNCH((forward<T, V, S>), pass_grid(p, V), PASS, 0, c->stream, (const T *)c->in->data, (T *)c->out->data,
              (uint8_t *)c->saved[0].data, (int)c->out->shape.d[3], size, c->centre, c->rows, p);
}
template <class T, int V, int S> static void run_backward(const gn_call *c, int size) {
    const pass p = pass_of(c->d_out, V);
    GN_LAUNCH((backward<T, V, S>), pass_grid(p, V), PASS, 0, c->stream, (const T *)c->d_out->data, (const uint8_t *)c->saved[0].data,
              (T *)c->d_in->data, !(c->first & 1), (int)c->d_out->shape.d[3], size, p);
}

extern "C" gn_status gn_pool_forward_cuda(const gn_call *c) {
    const int size = ((const gn_pool_attr *)c->attr)->size;
    BY_WIDTH(c->out->shape.d[1], V,
             GN_BY_TYPE(c->out->type, T, if (size == 2) run_forward<T, V, 2>(c, size); else run_forward<T, V, 0>(c, size)));
    return gn_launched("pool forward", c->stream);
}

extern "C" gn_status gn_pool_backward_cuda(const gn_call *c) {
    const int size = ((const gn_pool_attr *)c->attr)->size;
    if (!c->d_in->data) return GN_OK;
    BY_WIDTH(c->d_out->shape.d[1], V,
             GN_BY_TYPE(c->d_out->type, T, if (size == 2) run_backward<T, V, 2>(c, size); else run_backward<T, V, 0>(c, size)));
    return gn_launched("pool backward", c->stream);
}
