// add.cu - see cpu/add.c for the contract.
#include "pass.cuh"

template <class A, class B, int V>
static __global__ void __launch_bounds__(PASS) forward(const A *a, const B *b, A *out, const float *centre, float *rows, pass p) {
    taken<V, A> left[4];
    taken<V, B> right[4];
    row_sums<V> s = row_begin<V>(p, rows, centre);
    pass_over<V, 4>(p, [&](int k, int, int64_t at) { left[k] = take<V>(a, at), right[k] = take<V>(b, at); },
                    [&](int k, int, int64_t at) {
                        float x[V], y[V];
                        spread<V>(left[k], x), spread<V>(right[k], y);
                        for (int v = 0; v < V; v++) x[v] += y[v];
                        put<V>(out, at, x);
                        if (rows) row_add<V>(s, x);
                    });
    if (rows) row_leave<V>(p, s, rows);
}

template <class A, class B, int V>
static __global__ void __launch_bounds__(PASS) copy_or_add(const A *from, B *to, int add, pass p) {
    taken<V, A> held[4];
    taken<V, B> old[4];
    pass_over<V, 4>(p,
                    [&](int k, int, int64_t at) {
                        held[k] = take<V>(from, at);
                        if (add) old[k] = take<V>(to, at);
                    },
                    [&](int k, int, int64_t at) {
                        float x[V], sum[V] = {};
                        spread<V>(held[k], x);
                        if (add) spread<V>(old[k], sum);
                        for (int v = 0; v < V; v++) sum[v] += x[v];
                        put<V>(to, at, sum);
                    });
}

extern "C" void gn_copy_or_add_cuda(const gn_tensor *from, const gn_tensor *to, int first, void *stream) {
    BY_WIDTH(from->shape.d[1], V, {
        const pass p = pass_of(from, V);
        GN_BY_TYPE(from->type, A, GN_BY_TYPE(to->type, B,
            GN_LAUNCH((copy_or_add<A, B, V>), pass_grid(p, V), PASS, 0, stream, (const A *)from->data, (B *)to->data, !first, p)));
    });
}

extern "C" gn_status gn_add_plan_cuda(const gn_call *c, gn_arena *a, gn_impl impl, void **state, size_t *scratch, size_t *shadow) {
    (void)c, (void)a, (void)impl, (void)state;
    *scratch = *shadow = 0;
    return GN_OK;
}

extern "C" gn_status gn_add_forward_cuda(const gn_call *c) {
    BY_WIDTH(c->out->shape.d[1], V, {
        const pass p = pass_of(c->out, V);
        GN_BY_TYPE(c->in[0].type, A, GN_BY_TYPE(c->in[1].type, B,
            GN_LAUNCH((forward<A, B, V>), pass_grid(p, V), PASS, 0, c->stream, (const A *)c->in[0].data, (const B *)c->in[1].data,
                      (A *)c->out->data, c->centre, c->rows, p)));
    });
    return gn_launched("add forward", c->stream);
}

extern "C" gn_status gn_add_backward_cuda(const gn_call *c) {
    for (int i = 0; i < 2; i++) {
        const int first = c->first >> i & 1, shared = c->d_in[i].data == c->d_out->data && first;
        if (c->d_in[i].data && !shared) gn_copy_or_add_cuda(c->d_out, &c->d_in[i], first, c->stream);
    }
    return gn_launched("add backward", c->stream);
}
