// heatmap.cu - see cpu/heatmap.c for the contract. Maps are [N][H W][J].
//
// A block compares the maps of four joints of a sample: a thread owns every so-many-th cell of one of them. Targets are
// products of two rows of numbers, drawn in shared memory. A thread reads its cells once and keeps them in registers,
// if they are no more than KEPT (64 x 64 cells, 1024 threads); of larger maps it reads them again for each pass.
#include "loss.cuh"
#include "formula/softargmax.h"
#define GN_MAP_LOSS(...) // its record is made in cpu/loss.c
#include "loss/heatmap.h"

enum { JOINTS = 4, FEW = 8, KEPT = 2 * FEW, LEAST = 64, MOST = 1024 }; // a block; cells a thread; threads a block

struct maps { // of one output
    const float *h;
    float *d;
    const gn_labels *labels;
    const float *scale;
    float *value; // [N][J]
    int joints, width, height;
};

// What a thread owns: n cells of one map, `stride` numbers apart.
struct own {
    const float *h;
    float *d;
    const float *target; // [width + height] of both axes, JOINTS apart
    int n, stride, width;
    int row, column;     // of its first cell
    int rows, columns;   // from one cell to the next
};

struct place { int row, column; };
GN_DEVICE void go_on(const own &s, place &p) {
    p.row += s.rows, p.column += s.columns;
    if (p.column >= s.width) p.column -= s.width, p.row++;
}
GN_DEVICE float target(const own &s, place p) {
    return s.target[p.column * JOINTS] * s.target[(s.width + p.row) * JOINTS];
}

// Its cells `from`, from + 1, ...
template <int few> GN_DEVICE void read(const own &s, int from, float none, float h[few]) {
    const float *at = s.h + (int64_t)from * s.stride;
    for (int k = 0; k < few; k++, at += s.stride) h[k] = from + k < s.n ? *at : none;
}
// All reads first: a write holds up those behind it.
GN_DEVICE void pull(const own &s, int from, const float g[FEW]) {
    if (!s.d) return;
    float d[FEW], *at = s.d + (int64_t)from * s.stride, *to = at;
    for (int k = 0; k < FEW; k++, at += s.stride) d[k] = from + k < s.n ? *at : 0;
    for (int k = 0; k < FEW; k++, to += s.stride)
        if (from + k < s.n) *to = d[k] + g[k];
}

// The thread's part of the value.
GN_DEVICE float squared(const own &s, float scale) {
    float sum = 0;
    place p = { s.row, s.column };
    for (int from = 0; from < s.n; from += FEW) {
        float h[FEW], few = 0;
        read<FEW>(s, from, 0, h);
        for (int k = 0; k < FEW; k++, go_on(s, p)) {
            if (from + k >= s.n) continue;
            const float e = h[k] - target(s, p);
            few += e * e;
            h[k] = 2 * scale * e;
        }
        sum += few;
        pull(s, from, h);
    }
    return sum;
}

// The value. With l the logits below their highest, e the target: ln sum exp(l) - sum(e l) / sum e.
GN_DEVICE float entropy(const own &s, float scale, float *part) {
    float h[KEPT], top = -INFINITY, sum = 0, mass = 0, cross = 0;
    for (int from = 0; from < s.n; from += KEPT) {
        read<KEPT>(s, from, -INFINITY, h);
        for (int k = 0; k < KEPT; k++) top = h[k] > top ? h[k] : top;
    }
    top = block_join(top, JOINTS, part, [](float a, float b) { return a > b ? a : b; });

    place p = { s.row, s.column };
    for (int from = 0; from < s.n; from += KEPT) {
        float few = 0;
        if (s.n > KEPT) read<KEPT>(s, from, -INFINITY, h);
        for (int k = 0; k < KEPT; k++, go_on(s, p)) {
            if (from + k >= s.n) continue;
            const float e = target(s, p), l = h[k] - top;
            few += gn_exp_below_0(l);
            mass += e;
            if (e > 0) cross += e * l;
        }
        sum += few;
    }
    sum = block_sum(sum, JOINTS, part);
    mass = block_sum(mass, JOINTS, part);
    cross = block_sum(cross, JOINTS, part);

    const float up = scale / sum, down = scale / mass;
    p = { s.row, s.column };
    for (int from = 0; from < s.n; from += KEPT) {
        if (s.n > KEPT) read<KEPT>(s, from, -INFINITY, h);
        for (int k = 0; k < KEPT; k++, go_on(s, p))
            if (from + k < s.n) h[k] = up * gn_exp_below_0(h[k] - top) - down * target(s, p);
        for (int k = 0; k < KEPT; k += FEW) pull(s, from + k, h + k);
    }
    return log(sum) - cross / mass;
}

// Is joint j compared with anything?
GN_DEVICE int offers(const maps &m, const heatmap_options *o, const gn_labels *y, int j) {
    const uint32_t needs = GN_HAS_joints2d | GN_HAS_labelled2d;
    return j < m.joints && (y->has & needs) == needs && heatmap_offers(o, y, j);
}

// Targets of the block's joints, [width + height][JOINTS]; zeros where nothing is drawn.
GN_DEVICE void draw(const maps &m, const heatmap_options *o, const gn_labels *y, float *to) {
    for (int i = threadIdx.x; i < (m.width + m.height) * JOINTS; i += blockDim.x) {
        const int j = blockIdx.x * JOINTS + i % JOINTS, across = i / JOINTS < m.width;
        const int cell = across ? i / JOINTS : i / JOINTS - m.width;
        to[i] = 0;
        if (!offers(m, o, y, j) || !y->labelled2d[j]) continue;
        const heatmap_target both = heatmap_draw(o, y, j, m.width, m.height);
        const gn_target t = across ? both.x : both.y;
        if (cell >= t.first && cell <= t.last) to[i] = gn_target_value(t, cell);
    }
}

template <int form> static __global__ void __launch_bounds__(MOST, 1) compare(const maps m, const heatmap_options o) {
    GN_SHARED(float, table);
    float *part = table + (m.width + m.height) * JOINTS; // [warps][JOINTS]
    const int j = blockIdx.x * JOINTS + threadIdx.x % JOINTS, first = threadIdx.x / JOINTS, step = blockDim.x / JOINTS;
    const gn_labels *y = &m.labels[blockIdx.y];
    const int there = offers(m, &o, y, j), cells = there ? m.width * m.height : 0;
    const int64_t at = ((int64_t)blockIdx.y * m.width * m.height + first) * m.joints + j;
    draw(m, &o, y, table);
    __syncthreads();

    const own s = { m.h + at, m.d ? m.d + at : NULL, table + threadIdx.x % JOINTS,
                    (cells - first + step - 1) / step, step * m.joints, m.width,
                    first / m.width, first % m.width, step / m.width, step % m.width };
    const float value = form == HEATMAP_SQUARED ? block_sum(squared(s, *m.scale), JOINTS, part)
                                                : entropy(s, *m.scale, part);
    if (threadIdx.x < JOINTS && j < m.joints) m.value[(int64_t)blockIdx.y * m.joints + j] = there ? value : 0;
}

extern "C" gn_status gn_heatmap_cuda(const gn_loss_call *c, float *value, void *stream) {
    const heatmap_options o = *(const heatmap_options *)c->options;
    for (int k = 0; k < c->outputs; k++) { // a launch each: two may be the same
        const gn_tensor *t = &c->out[k];
        const int64_t *d = t->shape.d;
        const maps m = { (const float *)t->data, (float *)c->d_out[k].data, c->labels, c->scale_at, value,
                         (int)d[1], (int)d[3], (int)d[2] };
        unsigned threads = gn_blocks(d[2] * d[3] * JOINTS, KEPT * WARP) * WARP;
        threads = threads < LEAST ? +LEAST : threads > MOST ? +MOST : threads;
        const size_t shared = sizeof(float) * (size_t)(m.width + m.height + threads / WARP) * JOINTS;
        if (t->block != d[1]) GN_FAIL(BAD_SHAPE, "loss heatmap: on a GPU maps are one block, not blocks of %d", t->block);
        const dim3 grid(gn_blocks(d[1], JOINTS), (unsigned)d[0]);
        if (o.form == HEATMAP_SQUARED) GN_LAUNCH(compare<HEATMAP_SQUARED>, grid, threads, shared, stream, m, o);
        else GN_LAUNCH(compare<HEATMAP_ENTROPY>, grid, threads, shared, stream, m, o);
        value += d[0] * d[1];
    }
    return gn_launched("heatmap loss", stream);
}
