// conv_pass.cuh - what comes before and after a convolution whose product is a library's: passes over memory.
#ifndef GN_CONV_PASS_CUH
#define GN_CONV_PASS_CUH
#include "conv_tile.cuh"

// y = relu(norm(x)), or x in another type
template <int V> static __global__ void __launch_bounds__(PASS) begin(numbers x, numbers y, norm_by by, pass p) {
    float held[4][V];
    scaling n[V];
    for (int i = 0; i < V; i++) n[i] = scaling_of(by, pass_channel<V>(p) + i);
    pass_over<V, 4>(p, [&](int k, int, int64_t at) { get<V>(x, at, held[k]); },
                    [&](int k, int, int64_t at) {
                        for (int i = 0; i < V; i++) held[k][i] = norm_apply(n[i], by.least, held[k][i]);
                        put<V>(y, at, held[k]);
                    });
}

// What becomes of the sums, as conv_tile.cuh has it; they may lie where the result goes.
template <int V, int BACK> static __global__ void __launch_bounds__(PASS) end(numbers sums, ending e, pass p) {
    const numbers other = BACK ? e.x : e.residual;
    float held[2][V], loaded[2][V], bias[V] = {};
    scaling n[V];
    const int c = pass_channel<V>(p);
    row_sums<V> row = row_begin<V>(p, e.rows, e.centre);
    for (int i = 0; BACK && i < V; i++) n[i] = scaling_of(e.by, c + i);
    if (!BACK && e.bias && c < p.channels) get<V>(e.bias, c, bias);
    pass_over<V, 2>(p,
                    [&](int k, int, int64_t at) {
                        get<V>(sums, at, held[k]);
                        if (other.data) get<V>(other, at, loaded[k]);
                    },
                    [&](int k, int, int64_t at) {
                        for (int i = 0; i < V; i++) held[k][i] += bias[i];
                        number_end<V, BACK>(e, n, at, held[k], loaded[k], row);
                    });
    if (e.rows) row_leave<V>(p, row, e.rows);
}

static void begin_run(const gn_tensor *x, numbers y, const norm_by &by, void *stream) {
    const numbers from = { x->data, x->type == GN_TYPE_BF16 };
    BY_WIDTH(x->shape.d[1], V, {
        const pass p = pass_of(x, V);
        GN_LAUNCH(begin<V>, pass_grid(p, V), PASS, 0, stream, from, y, by, p);
    });
}

template <int BACK> static void end_run(const gn_tensor *like, numbers sums, const ending &e, void *stream) {
    BY_WIDTH(like->shape.d[1], V, {
        const pass p = pass_of(like, V);
        GN_LAUNCH((end<V, BACK>), pass_grid(p, V), PASS, 0, stream, sums, e, p);
    });
}
#endif
