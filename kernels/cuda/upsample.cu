// upsample.cu - see cpu/upsample.c for the contract.
//
// Forward goes over the large map, whose rows of sums it leaves; the neighbours that repeat a place read it from
// cache. Backward goes over the small one.
#include "pass.cuh"
extern "C" {
#include "gnomon/attr.h"
}

template <class T, class A, int V>
static __global__ void __launch_bounds__(PASS)
forward(const T *x, const A *add, T *out, int w, unsigned factor, const float *centre, float *rows, pass p) {
    taken<V, T> held[4];
    taken<V, A> more[4];
    const int c = pass_channel<V>(p);
    const lines l = lines_of(w);
    row_sums<V> s = row_begin<V>(p, rows, centre);
    pass_over<V, 4>(p,
                    [&](int k, int i, int64_t at) {
                        const spot to = spot_of(l, i);
                        const int64_t from = (int64_t)(to.line / factor) * (w / factor) + to.x / factor;
                        held[k] = take<V>(x, from * p.channels + c);
                        if (add) more[k] = take<V>(add, at);
                    },
                    [&](int k, int, int64_t at) {
                        float v[V], sum[V] = {};
                        spread<V>(held[k], v);
                        if (add) spread<V>(more[k], sum);
                        for (int q = 0; q < V; q++) sum[q] += v[q];
                        put<V>(out, at, sum);
                        if (rows) row_add<V>(s, sum);
                    });
    if (rows) row_leave<V>(p, s, rows);
}

// S: the factor where it is known, so that a window's loads are under way together; else 0
template <class T, int V, int S>
static __global__ void __launch_bounds__(PASS) backward(const T *d_out, T *d_x, int add, int w, int given, pass p) {
    const int factor = S ? S : given, c = pass_channel<V>(p);
    const lines l = lines_of(w);
    pass_over<V, 1>(p, [](int, int, int64_t) {},
                    [&](int, int i, int64_t at) {
                        float sum[V] = {}, one[V];
                        if (add) get<V>(d_x, at, sum);
                        const T *from = d_out + window_of(spot_of(l, i), w, factor) * p.channels + c;
                        for (int y = 0; y < factor; y++)
                            for (int x = 0; x < factor; x++) {
                                get<V>(from, ((int64_t)y * w * factor + x) * p.channels, one);
                                for (int v = 0; v < V; v++) sum[v] += one[v];
                            }
                        put<V>(d_x, at, sum);
                    });
}

extern "C" gn_status gn_upsample_plan_cuda(const gn_call *c, gn_arena *a, gn_impl impl, void **state, size_t *scratch,
                                           size_t *shadow) {
    (void)c, (void)a, (void)impl, (void)state;
    *scratch = *shadow = 0;
    return GN_OK;
}

extern "C" gn_status gn_upsample_forward_cuda(const gn_call *c) {
    const int factor = ((const gn_upsample_attr *)c->attr)->factor, w = (int)c->out->shape.d[3];
    const gn_tensor *add = &c->in[c->n_in > 1];
    BY_WIDTH(c->out->shape.d[1], V, {
        const pass p = pass_of(c->out, V);
        GN_BY_TYPE(c->out->type, T, GN_BY_TYPE(add->type, A,
            GN_LAUNCH((forward<T, A, V>), pass_grid(p, V), PASS, 0, c->stream, (const T *)c->in[0].data,
                      c->n_in > 1 ? (const A *)add->data : NULL, (T *)c->out->data, w, factor, c->centre, c->rows, p)));
    });
    return gn_launched("upsample forward", c->stream);
}

template <class T, int V, int S> static void run_backward(const gn_call *c, int factor) {
    const gn_tensor *d_x = &c->d_in[0];
    const pass p = pass_of(d_x, V);
    GN_LAUNCH((backward<T, V, S>), pass_grid(p, V), PASS, 0, c->stream, (const T *)c->d_out->data, (T *)d_x->data, !(c->first & 1),
              (int)d_x->shape.d[3], factor, p);
}

extern "C" gn_status gn_upsample_backward_cuda(const gn_call *c) {
    const int factor = ((const gn_upsample_attr *)c->attr)->factor;
    if (c->d_in[0].data)
        BY_WIDTH(c->d_out->shape.d[1], V,
                 GN_BY_TYPE(c->d_out->type, T, if (factor == 2) run_backward<T, V, 2>(c, factor); else run_backward<T, V, 0>(c, factor)));
    if (c->n_in > 1 && c->d_in[1].data && c->d_in[1].data != c->d_out->data)
        gn_copy_or_add_cuda(c->d_out, &c->d_in[1], c->first >> 1 & 1, c->stream);
    return gn_launched("upsample backward", c->stream);
}
