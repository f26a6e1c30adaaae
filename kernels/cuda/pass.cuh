// pass.cuh - how a kernel goes over an activation [places][C], and leaves the row of what it stored (op.h).
//
// A block takes the 128 places of a row and `wide` groups of V channels, side by side in a warp; V is 8 where C
// allows, so that a thread moves 16 bytes of bf16 at a time. A thread takes every PASS/wide-th place, `few` at
// once, so that as many loads are under way.
#ifndef GN_PASS_CUH
#define GN_PASS_CUH
#include "norm.cuh"

enum { PASS = 256 /* threads */, SIDE = 64 /* channels a block, at most */ };

struct pass {
    int64_t places; // of all samples
    int channels, wide;
};
static inline pass pass_of(const gn_tensor *t, int v) {
    const places p = places_of(t);
    pass q = { p.n * p.places, p.c, 1 };
    while (q.wide < (v == 8 ? SIDE / 8 : WARP) && q.wide * v < p.c) q.wide *= 2;
    return q;
}
static inline dim3 pass_grid(pass p, int v) { return dim3(gn_blocks(p.places, GN_ROW_PLACES), gn_blocks(p.channels, p.wide * v)); }

// BY_WIDTH(channels, V, statement with V)
#define BY_WIDTH(channels, V, ...)                                                                         \
    do {                                                                                                   \
        if ((channels) % 8 == 0) {                                                                         \
            constexpr int V = 8;                                                                           \
            __VA_ARGS__;                                                                                   \
        } else {                                                                                           \
            constexpr int V = 1;                                                                           \
            __VA_ARGS__;                                                                                   \
        }                                                                                                  \
    } while (0)

// V neighbours, as they lie in memory and as numbers.
template <int V, class T> GN_DEVICE auto take(const T *x, int64_t at) {
    if constexpr (V == 8) return gn_take8(x, at);
    else return x[at];
}
template <int V, class T> using taken = decltype(take<V>((const T *)nullptr, 0));
template <int V, class H> GN_DEVICE void spread(const H &held, float *v) {
    if constexpr (V == 8) gn_spread8(held, v);
    else v[0] = gn_load(&held, 0);
}
template <int V, class T> GN_DEVICE void get(const T *x, int64_t at, float *v) { spread<V>(take<V>(x, at), v); }
// v becomes what was stored, rounded.
template <int V> GN_DEVICE void put(float *x, int64_t at, float *v) {
    if constexpr (V == 8) gn_store8(x, at, v);
    else gn_store(x, at, v[0]);
}
template <int V> GN_DEVICE void put(bf16 *x, int64_t at, float *v) {
    if constexpr (V == 8) {
        const uint4 a = gn_narrow8(v);
        *(uint4 *)(x + at) = a;
        gn_spread8(a, v);
    } else {
        gn_store(x, at, v[0]);
        v[0] = gn_load(x, at);
    }
}

template <int V> GN_DEVICE int pass_channel(pass p) { return (int)(blockIdx.y * p.wide + threadIdx.x % p.wide) * V; }
GN_DEVICE int64_t pass_first() { return (int64_t)blockIdx.x * GN_ROW_PLACES; }

// load(k, i, at) of `few` places, which takes and does not yet spread, then use(k, i, at) of each: the block's i-th
// place, whose first element of the thread is `at`.
template <int V, int few, class Load, class Use> GN_DEVICE void pass_over(pass p, Load load, Use use) {
    const int deep = PASS / p.wide, c = pass_channel<V>(p);
    const int64_t left = p.places - pass_first(), at = pass_first() * p.channels + c;
    const int end = c >= p.channels ? 0 : left < GN_ROW_PLACES ? (int)left : GN_ROW_PLACES;
    for (int from = threadIdx.x / p.wide; from < end; from += few * deep) {
        for (int k = 0; k < few; k++)
            if (from + k * deep < end) load(k, from + k * deep, at + (int64_t)(from + k * deep) * p.channels);
        for (int k = 0; k < few; k++)
            if (from + k * deep < end) use(k, from + k * deep, at + (int64_t)(from + k * deep) * p.channels);
    }
}

// Places in lines of w, a map's or all of a sample: the block's i-th is place x of line `line`. Lines, of all samples,
// are counted in 32 bits, and only the first division is of 64.
struct spot { unsigned line, x; };
struct lines { spot first; unsigned w; };
GN_DEVICE lines lines_of(int w) {
    const int64_t line = pass_first() / w;
    const lines l = { { (unsigned)line, (unsigned)(pass_first() - line * w) }, (unsigned)w };
    return l;
}
GN_DEVICE spot spot_of(lines l, int i) {
    const unsigned x = l.first.x + (unsigned)i;
    const spot s = { l.first.line + x / l.w, x % l.w };
    return s;
}
// Where in the map `size` times as large, in places, the window of this place begins.
GN_DEVICE int64_t window_of(spot s, int w, int size) { return (int64_t)s.line * (w * size * size) + s.x * size; }

// Sums of what a thread stored, about the centre of its channels; then all threads leave the block's part of the row.
template <int V> struct row_sums { float centre[V], first[V], second[V]; };
template <int V> GN_DEVICE row_sums<V> row_begin(pass p, const float *rows, const float *centre) {
    const int c = pass_channel<V>(p);
    row_sums<V> s;
    for (int v = 0; v < V; v++) s.centre[v] = s.first[v] = s.second[v] = 0;
    if (rows && centre && c < p.channels) get<V>(centre, c, s.centre);
    return s;
}
template <int V> GN_DEVICE void row_add(row_sums<V> &s, const float *x) {
    for (int v = 0; v < V; v++) {
        const float d = x[v] - s.centre[v];
        s.first[v] += d;
        s.second[v] += d * d;
    }
}
template <int V> GN_DEVICE void row_leave(pass p, row_sums<V> s, float *rows) {
    __shared__ float part[PASS / WARP * 2 * SIDE];
    const int wide = p.wide * V, lane = gn_lane();
    float *mine = part + threadIdx.x / WARP * 2 * wide + lane * V;
    for (int k = p.wide; k < WARP; k *= 2) // the lanes of the same channels, in a tree
        for (int v = 0; v < V; v++) s.first[v] += gn_from_lane_xor(s.first[v], k), s.second[v] += gn_from_lane_xor(s.second[v], k);
    for (int v = 0; v < V && lane < p.wide; v++) mine[v] = s.first[v], mine[wide + v] = s.second[v];
    __syncthreads();
    row_write(part, PASS / WARP, wide, rows + (int64_t)blockIdx.x * 2 * p.channels, (int)blockIdx.y * wide, p.channels);
}
#endif
