// conv_panel.cuh - a rectangle of a matrix, as bf16 in shared memory, laid so that ldmatrix meets no bank conflict.
//
// A row of a panel is CHUNKS pieces of 16 bytes (8 numbers). Eight neighbouring rows keep the same piece in eight different
// bank groups, and rows a multiple of 8 apart keep it in the same: a thread's pieces are a constant apart. A thread always
// has the same pieces of a panel: it may look at its own as soon as its own copies are done.
#ifndef GN_CONV_PANEL_CUH
#define GN_CONV_PANEL_CUH
#include "conv_tile.cuh"

template <int CHUNKS> GN_DEVICE int panel_at(unsigned row, unsigned chunk) { // in bytes
    return (int)((row * CHUNKS + (chunk ^ (CHUNKS == 4 ? row / 2 % 4 : row % 8))) * 16);
}

// What a panel shows: rows first.. and columns column.. of a matrix [..][wide]; zeros outside rows [0, end) and past the last
// column. norm: what is applied to its columns, from `column` on, or NULL.
struct view {
    const void *m;
    int narrow, wide;
    int first, end, column;
    const scaling *norm;
    float least;
};

// The thread's pieces: rows row, row + APART, .., of the same columns.
template <int CHUNKS> struct pieces {
    static constexpr int APART = THREADS / CHUNKS, BYTES = APART * CHUNKS * 16;
    int chunk, at;
    int first, end; // of the first, in the matrix; none is there when first >= end, as unsigned
    int64_t from;   // the number it begins with
};
template <int CHUNKS> GN_DEVICE pieces<CHUNKS> pieces_of(const view &v) {
    const int row = (int)(threadIdx.x / CHUNKS), chunk = (int)(threadIdx.x % CHUNKS), column = v.column + 8 * chunk;
    const pieces<CHUNKS> k = { chunk, panel_at<CHUNKS>(threadIdx.x / CHUNKS, threadIdx.x % CHUNKS), v.first + row,
                               column < v.wide ? v.end : 0, (int64_t)(v.first + row) * v.wide + column };
    return k;
}
// body(k) for each; where all threads have the same number of pieces, and know it, without a question
template <int CHUNKS, class Body> GN_DEVICE void pieces_each(pieces<CHUNKS> k, int wide, int rows, Body body) {
    constexpr int APART = THREADS / CHUNKS;
    for (int i = 0; i < rows / APART; i++, k.at += k.BYTES, k.first += APART, k.from += (int64_t)APART * wide) body(k);
    if (threadIdx.x / CHUNKS < (unsigned)(rows % APART)) body(k);
}
template <int CHUNKS> GN_DEVICE int is_there(const pieces<CHUNKS> &k) { return (unsigned)k.first < (unsigned)k.end; }
GN_DEVICE void piece_norm(const scaling n[8], float least, float x[8]) {
    for (int i = 0; i < 8; i++) x[i] = norm_apply(n[i], least, x[i]);
}

// Asks for `rows` rows of bf16, which arrive later.
template <int CHUNKS> GN_DEVICE void panel_copy(unsigned char *panel, const view &v, int rows) {
    const bf16 *m = (const bf16 *)v.m;
    pieces_each(pieces_of<CHUNKS>(v), v.wide, rows,
                [&](const pieces<CHUNKS> &k) { gn_copy_16(panel + k.at, m + k.from, is_there(k)); });
}

// The same of floats, at once, normalised before they are rounded.
template <int CHUNKS> GN_DEVICE void panel_narrow(unsigned char *panel, const view &v, int rows) {
    pieces_each(pieces_of<CHUNKS>(v), v.wide, rows, [&](const pieces<CHUNKS> &k) {
        float x[8] = {};
        if (is_there(k)) {
            gn_load8((const float *)v.m, k.from, x);
            if (v.norm) piece_norm(v.norm + 8 * k.chunk, v.least, x);
        }
        *(uint4 *)(panel + k.at) = gn_narrow8(x);
    });
}
template <int CHUNKS> GN_DEVICE void panel_fetch(unsigned char *panel, const view &v, int rows) {
    if (v.narrow) panel_copy<CHUNKS>(panel, v, rows);
    else panel_narrow<CHUNKS>(panel, v, rows);
}

// Once the thread's copies are done: norm and ReLU in place. What is not there stays 0, as it is after the ReLU.
template <int CHUNKS> GN_DEVICE void panel_norm(unsigned char *panel, const view &v, int rows) {
    if (!v.norm || !v.narrow) return;
    const pieces<CHUNKS> mine = pieces_of<CHUNKS>(v);
    scaling n[8];
    for (int i = 0; i < 8; i++) n[i] = v.norm[8 * mine.chunk + i];
    pieces_each(mine, v.wide, rows, [&](const pieces<CHUNKS> &k) {
        if (!is_there(k)) return;
        bf16 *piece = (bf16 *)(panel + k.at);
        float x[8];
        gn_load8(piece, 0, x);
        piece_norm(n, v.least, x);
        gn_store8(piece, 0, x);
    });
}

// The thread's part of the sums of a panel's columns
template <int CHUNKS> GN_DEVICE void panel_add(const unsigned char *panel, const view &v, int rows, float sum[8]) {
    pieces_each(pieces_of<CHUNKS>(v), v.wide, rows, [&](const pieces<CHUNKS> &k) {
        float x[8];
        gn_load8((const bf16 *)(panel + k.at), 0, x);
        for (int i = 0; i < 8; i++) sum[i] += x[i];
    });
}

GN_DEVICE void scalings_fill(scaling *to, norm_by by, int first, int channels) {
    for (int c = threadIdx.x; c < channels; c += THREADS) to[c] = scaling_of(by, first + c);
}

// Places are counted through the batch, rows of pictures one after another: a tap of place p reads place p + its shift.
// A 3x3 panel of places therefore begins `halo` before the first and ends `halo` after the last.
struct taps { int count, h, w; }; // 1 or 9, of pictures h x w
static inline __host__ __device__ int halo_of(taps k) { return k.count == 1 ? 0 : k.w + 1; }
GN_DEVICE unsigned shift_of(taps k, unsigned tap) { return tap / 3 * (unsigned)k.w + tap % 3; } // from the panel's first row

// Bit t: tap t of place p lies in its picture; what lies outside is read as 0.
GN_DEVICE unsigned taps_inside(taps k, int p, int end) {
    if (p >= end) return 0;
    if (k.count == 1) return 1;
    const int x = p % k.w, y = p / k.w % k.h;
    const unsigned row = (unsigned)(x > 0) | 2u | (unsigned)(x + 1 < k.w) << 2;
    return (y > 0 ? row : 0u) | row << 3 | (y + 1 < k.h ? row << 6 : 0u);
}
#endif
