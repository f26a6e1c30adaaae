// norm.cu - the passes of batch norm, and the op where no convolution can carry them; see cpu/norm.c for the contract.
#include "pass.cuh"
extern "C" {
#include "gnomon/attr.h"
}

// scaling_of the thread's channels, 16 bytes at a time
template <int V> GN_DEVICE void scalings_of(pass p, norm_by by, scaling k[V]) {
    const int c = pass_channel<V>(p);
    float mean[V] = {}, deviation[V] = {}, scale[V] = {}, shift[V] = {};
    if (c < by.channels) {
        get<V>(by.stat, c, mean), get<V>(by.stat, by.channels + c, deviation);
        get<V>(by.scale, c, scale), get<V>(by.shift, c, shift);
    }
    for (int v = 0; v < V; v++) k[v] = { mean[v], deviation[v], scale[v] * deviation[v], shift[v] };
}

template <class T, int V>
static __global__ void __launch_bounds__(PASS) rows_of(const T *x, const float *centre, float *rows, pass p) {
    taken<V, T> held[4];
    row_sums<V> s = row_begin<V>(p, rows, centre);
    pass_over<V, 4>(p, [&](int k, int, int64_t at) { held[k] = take<V>(x, at); },
                    [&](int k, int, int64_t) {
                        float v[V];
                        spread<V>(held[k], v);
                        row_add<V>(s, v);
                    });
    row_leave<V>(p, s, rows);
}

template <class X, class Y, int V>
static __global__ void __launch_bounds__(PASS) forward(const X *x, Y *y, norm_by by, pass p) {
    taken<V, X> held[4];
    scaling n[V];
    scalings_of<V>(p, by, n);
    pass_over<V, 4>(p, [&](int k, int, int64_t at) { held[k] = take<V>(x, at); },
                    [&](int k, int, int64_t at) {
                        float v[V];
                        spread<V>(held[k], v);
                        for (int i = 0; i < V; i++) v[i] = norm_apply(n[i], by.least, v[i]);
                        put<V>(y, at, v);
                    });
}

// Backward's phase 0: rows of dy and dy xhat.
template <class X, class Y, int V>
static __global__ void __launch_bounds__(PASS) back_rows(const X *x, const Y *g, float *rows, norm_by by, pass p) {
    taken<V, X> held[4];
    taken<V, Y> pull[4];
    scaling n[V];
    scalings_of<V>(p, by, n);
    row_sums<V> s = row_begin<V>(p, rows, NULL);
    pass_over<V, 4>(p, [&](int k, int, int64_t at) { held[k] = take<V>(x, at), pull[k] = take<V>(g, at); },
                    [&](int k, int, int64_t) {
                        float v[V], dy[V];
                        spread<V>(held[k], v), spread<V>(pull[k], dy);
                        for (int i = 0; i < V; i++) {
                            const float d = norm_back(n[i], by.least, v[i], dy[i]);
                            s.first[i] += d;
                            s.second[i] += d * norm_xhat(n[i], v[i]);
                        }
                    });
    row_leave<V>(p, s, rows);
}

// Phase 1: the slope of x; a place has this share of the total.
template <class X, class Y, int V>
static __global__ void __launch_bounds__(PASS)
back(const X *x, const Y *g, X *d_x, int add, norm_by by, const float *total, float share, pass p) {
    taken<V, X> held[2], old[2];
    taken<V, Y> pull[2];
    float mean[V] = {}, mean_x[V] = {};
    scaling n[V];
    scalings_of<V>(p, by, n);
    const int c = pass_channel<V>(p);
    if (c < p.channels) get<V>(total, c, mean), get<V>(total, p.channels + c, mean_x);
    for (int i = 0; i < V; i++) mean[i] *= share, mean_x[i] *= share;
    pass_over<V, 2>(p,
                    [&](int k, int, int64_t at) {
                        held[k] = take<V>(x, at), pull[k] = take<V>(g, at);
                        if (add) old[k] = take<V>(d_x, at);
                    },
                    [&](int k, int, int64_t at) {
                        float v[V], dy[V], d[V] = {};
                        spread<V>(held[k], v), spread<V>(pull[k], dy);
                        if (add) spread<V>(old[k], d);
                        for (int i = 0; i < V; i++) d[i] += norm_pull(n[i], by.least, v[i], dy[i], mean[i], mean_x[i]);
                        put<V>(d_x, at, d);
                    });
}

// --- rows to totals, totals to statistics ---

// What a channel's total is wanted for. Halves of the total: sums of x - centre and its square, or of dy and dy xhat.
GN_DEVICE void settle(const gn_finish &f, int c, float first, float second) {
    if (f.total) f.total[c] = first, f.total[f.channels + c] = second;
    if (f.first) f.first[c] = first;
    if (f.second) f.second[c] = second;
    if (!f.centre) return;
    const float n = (float)f.count, off = first / n, mean = f.centre[c] + off;
    float variance = second / n - off * off;
    if (variance < 0) variance = 0; // rounding alone; NaN stays
    const float deviation = 1 / sqrt(variance + GN_R(GN_NORM_EPSILON));
    const float unbiased = f.count > 1 ? variance * (n / (n - 1)) : variance, part = GN_R(GN_NORM_MOMENTUM);
    for (int k = 0; k < 2; k++) {
        if (f.stat[k]) f.stat[k][c] = mean, f.stat[k][f.channels + c] = deviation;
        if (f.mean[k]) f.mean[k][c] = (1 - part) * f.mean[k][c] + part * mean;
        if (f.variance[k]) f.variance[k][c] = (1 - part) * f.variance[k][c] + part * unbiased;
    }
}

enum { COLUMN = 8 /* channels a block: 32 bytes of a row's half */, MOST = 1024 /* threads */, EACH = 8 /* rows a thread, at least */ };

// A block adds the rows of COLUMN channels: V columns and every `chains`-th row to a thread, then a tree.
template <int V> static __global__ void __launch_bounds__(MOST) finish(gn_finish f) {
    __shared__ float part[MOST / WARP][2][COLUMN];
    const int side = 2 * COLUMN / V, chains = blockDim.x / side, parts = blockDim.x / WARP, t = threadIdx.x;
    const int half = t % side / (COLUMN / V), lane = t % (COLUMN / V) * V, first = blockIdx.x * COLUMN;
    float sum[V] = {};
    if (first + lane < f.channels)
        for (int64_t r = t / side; r < f.n; r += chains) {
            const float *row = f.rows + (r * 2 + half) * f.channels + first + lane;
            if constexpr (V == 4) {
                const float4 x = *(const float4 *)row;
                sum[0] += x.x, sum[1] += x.y, sum[2] += x.z, sum[3] += x.w;
            } else {
                sum[0] += *row;
            }
        }
    for (int v = 0; v < V; v++) {
        sum[v] = lanes_sum(sum[v], side);
        if (gn_lane() < side) part[t / WARP][half][lane + v] = sum[v];
    }
    __syncthreads();
    if (t >= COLUMN || first + t >= f.channels) return;
    float a = part[0][0][t], b = part[0][1][t];
    for (int k = 1; k < parts; k++) a += part[k][0][t], b += part[k][1][t];
    settle(f, first + t, a, b);
}

extern "C" gn_status gn_finish_cuda(const gn_finish *f, void *stream) {
    const int v = f->channels % 4 ? 1 : 4, side = 2 * COLUMN / v;
    int threads = side < WARP ? WARP : side;
    while (threads < MOST && (int64_t)threads / side * EACH < f->n) threads *= 2;
    const gn_finish by = *f;
    if (v == 4) GN_LAUNCH(finish<4>, gn_blocks(f->channels, COLUMN), threads, 0, stream, by);
    else GN_LAUNCH(finish<1>, gn_blocks(f->channels, COLUMN), threads, 0, stream, by);
    return gn_launched("sums of a batch norm", stream);
}

// A warp adds a channel's shards, one a lane: lanes_sum is the tree of graph.h, which halves at powers of two; zeros
// past the last change no bit.
GN_DEVICE float tree(const float *x, int64_t step, int n) {
    float all = 0;
    for (int k = 0; k * WARP < n; k++) {
        const int s = k * WARP + gn_lane();
        const float sum = lanes_sum(s < n ? x[s * step] : 0.0f, 1);
        if (gn_lane() == k) all = sum;
    }
    return lanes_sum(all, 1);
}

static __global__ void __launch_bounds__(PASS) totals_end(const float *totals, int shards, gn_finish f) {
    const int c = (int)(blockIdx.x * PASS + threadIdx.x) / WARP;
    if (c >= f.channels) return;
    const int64_t step = 2 * (int64_t)f.channels;
    const float first = tree(totals + c, step, shards), second = tree(totals + f.channels + c, step, shards);
    if (gn_lane() == 0) settle(f, c, first, second);
}

extern "C" gn_status gn_totals_cuda(const float *totals, int shards, const gn_finish *f, void *stream) {
    if (shards > WARP * WARP) GN_FAIL(BAD_CONFIG, "at most %d shards on a GPU, got %d", WARP * WARP, shards);
    const gn_finish by = *f;
    GN_LAUNCH(totals_end, gn_blocks(f->channels, PASS / WARP), PASS, 0, stream, totals, shards, by);
    return gn_launched("totals of a batch norm", stream);
}

static __global__ void __launch_bounds__(PASS)
stat_of(const float *mean, const float *variance, int channels, float *stat) {
    const int c = blockIdx.x * PASS + threadIdx.x;
    if (c >= channels) return;
    stat[c] = mean[c];
    stat[channels + c] = 1 / sqrt(variance[c] + GN_R(GN_NORM_EPSILON));
}

extern "C" gn_status gn_stat_cuda(const gn_real *mean, const gn_real *variance, int channels, gn_real *stat, void *stream) {
    GN_LAUNCH(stat_of, gn_blocks(channels, PASS), PASS, 0, stream, mean, variance, channels, stat);
    return gn_launched("statistics of a batch norm", stream);
}

extern "C" gn_status gn_rows_cuda(const gn_call *c) {
    const gn_tensor *x = &c->out[0];
    BY_WIDTH(x->shape.d[1], V, {
        const pass p = pass_of(x, V);
        GN_BY_TYPE(x->type, T, GN_LAUNCH((rows_of<T, V>), pass_grid(p, V), PASS, 0, c->stream, (const T *)x->data, c->centre, c->rows, p));
    });
    return gn_launched("rows of a batch norm", c->stream);
}

// --- the op ---

extern "C" gn_status gn_norm_plan_cuda(const gn_call *c, gn_arena *a, gn_impl impl, void **state, size_t *scratch,
                                       size_t *shadow) {
    (void)c, (void)a, (void)impl, (void)state;
    *scratch = *shadow = 0;
    return GN_OK;
}

static norm_by by_of(const gn_call *c) {
    return norm_by_of((const float *)c->saved[0].data, (const float *)c->param[0].data, (const float *)c->param[1].data,
                      (int)c->in[0].shape.d[1], ((const gn_norm_attr *)c->attr)->relu);
}

// statement with X of x and d_x, Y of y and d_y, V, and the pass p
#define EACH_CASE(c, x_type, y_type, ...)                                                                  \
    BY_WIDTH((c)->in[0].shape.d[1], V, {                                                                   \
        const pass p = pass_of(&(c)->in[0], V);                                                            \
        GN_BY_TYPE(x_type, X, GN_BY_TYPE(y_type, Y, __VA_ARGS__));                                         \
    })

extern "C" gn_status gn_norm_forward_cuda(const gn_call *c) {
    const norm_by by = by_of(c);
    EACH_CASE(c, c->in[0].type, c->out[0].type,
              GN_LAUNCH((forward<X, Y, V>), pass_grid(p, V), PASS, 0, c->stream, (const X *)c->in[0].data, (Y *)c->out[0].data, by, p));
    return gn_launched("norm forward", c->stream);
}

extern "C" gn_status gn_norm_backward_cuda(const gn_call *c) {
    const norm_by by = by_of(c);
    const void *x = c->in[0].data, *g = c->d_out[0].data;
    if (c->phase == 0) {
        if (!c->rows) return GN_OK;
        EACH_CASE(c, c->in[0].type, c->d_out[0].type,
                  GN_LAUNCH((back_rows<X, Y, V>), pass_grid(p, V), PASS, 0, c->stream, (const X *)x, (const Y *)g, c->rows, by, p));
        return gn_launched("norm backward, sums", c->stream);
    }
    if (!c->d_in[0].data) return GN_OK;
    EACH_CASE(c, c->in[0].type, c->d_out[0].type,
              GN_LAUNCH((back<X, Y, V>), pass_grid(p, V), PASS, 0, c->stream, (const X *)x, (const Y *)g, (X *)c->d_in[0].data,
                        !(c->first & 1), by, c->row_total, (float)(1 / (double)c->count), p));
    return gn_launched("norm backward", c->stream);
}
