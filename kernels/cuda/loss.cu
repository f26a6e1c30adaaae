// loss.cu - all losses on points in one launch; see cpu/loss.c for the contract.
//
// A block owns a group of samples, of as many views as any of the losses wants, and with it all slopes there. It goes
// through the losses in their order. Of a loss, threads first own terms, and leave what they pull in shared memory;
// then they own points, and add up what pulls on theirs in the order of the terms. So a slope has one writer and the
// CPU's order. The list kernels/loss/all.h is read three times: for formulas, in the kernel, for the losses on maps.
#include "loss.cuh"

enum { THREADS = 128, MOST = 16, OPTIONS = 64, OUTPUTS = 3 }; // of a block; losses a launch; bytes; that a loss reads

struct loss { // as the kernel sees it; all data are the shard's
    alignas(8) unsigned char options[OPTIONS];
    const gn_labels *labels;
    const float *out[OUTPUTS];
    float *d_out[OUTPUTS];
    const float *scale;
    float *value; // [blocks]
    int points[OUTPUTS], width[OUTPUTS];
    int outputs, samples, views; // views: of its own groups
    int place;                   // in the registry
};
struct losses { loss of[MOST]; int n, views; };

struct common { // to the threads of a block
    gn_pull pull[THREADS];
    gn_points x[GN_VIEWS];
    float part[THREADS / WARP];
};

// --- formulas ---
#define GN_LOSS(name_, OPTIONS_, help_, reads_, least_, views_, needs_)                                    \
    struct name_##_loss {                                                                                  \
        typedef GN_T options;                                                                              \
        static const uint32_t needs = (needs_);                                                            \
        GN_DEVICE int terms(const gn_group *g) { return name_##_terms(g); }                                \
        GN_DEVICE int offers(const options *o, const gn_group *g, int t) { return name_##_offers(o, g, t); } \
        GN_DEVICE float term(const options *o, const gn_group *g, int t, gn_pull *p) {                     \
            return name_##_term(o, g, t, p);                                                               \
        }                                                                                                  \
    };
#define GN_MAP_LOSS(name, ...) extern "C" map_loss gn_##name##_cuda;
#include "loss/all.h"

GN_DEVICE int has_all(const gn_group *g, uint32_t needs) {
    for (int v = 0; v < g->views; v++)
        if ((g->y[v].has & needs) != needs || g->y[v].J != g->y->J) return 0;
    return 1;
}

// Adds the pulls of n terms to the slopes of the group that begins with sample `first`; a thread owns a point.
GN_DEVICE void gather(const loss &l, int first, const gn_pull *pull, int n) {
    const float scale = *l.scale;
    for (int k = 0; k < l.outputs; k++) {
        const int points = l.points[k], width = l.width[k];
        for (int i = threadIdx.x; i < l.views * points && l.d_out[k]; i += THREADS) {
            float *at = l.d_out[k] + ((int64_t)first * points + i) * width, d[3];
            for (int e = 0; e < 3; e++) d[e] = e < width ? at[e] : 0;
            for (int t = 0; t < n; t++)
                for (int q = 0; q < pull[t].n; q++) {
                    const gn_tug *tug = &pull[t].at[q];
                    if (tug->output != k || tug->view * points + tug->point != i) continue;
                    for (int e = 0; e < 3; e++) d[e] += scale * tug->d[e];
                }
            for (int e = 0; e < 3; e++)
                if (e < width) at[e] = d[e];
        }
    }
}

// One group of one loss: the thread's part of its value.
template <class L>
GN_DEVICE float group(const loss &l, const typename L::options *o, int first, common &s) {
    const gn_group g = { l.views, l.labels + first, s.x };
    const int t = threadIdx.x;
    float value = 0;
    if (!has_all(&g, L::needs)) return 0;
    for (int k = 0; k < OUTPUTS && t < l.views; k++)
        s.x[t].out[k] = k < l.outputs ? l.out[k] + (int64_t)(first + t) * l.points[k] * l.width[k] : NULL;
    __syncthreads();
    for (int from = 0, most = L::terms(&g); from < most; from += THREADS) {
        s.pull[t].n = 0;
        if (from + t < most && L::offers(o, &g, from + t)) value += L::term(o, &g, from + t, &s.pull[t]);
        __syncthreads();
        gather(l, first, s.pull, most - from < THREADS ? most - from : THREADS);
        __syncthreads();
    }
    return value;
}

// One loss over the block's samples. The barriers of the sum also keep the slopes of a loss before the next one's.
template <class L> GN_DEVICE void run(const loss &l, int samples, common &s) {
    static_assert(sizeof(typename L::options) <= OPTIONS, "room for the options");
    const typename L::options o = *(const typename L::options *)l.options;
    const int first = blockIdx.x * samples, end = first + samples < l.samples ? first + samples : l.samples;
    float value = 0;
    for (int at = first; at < end; at += l.views) value += group<L>(l, &o, at, s);
    value = block_sum(value, 1, s.part);
    if (threadIdx.x == 0) l.value[blockIdx.x] = value;
}

static __global__ void __launch_bounds__(THREADS, 1) all_points(const losses all) {
    __shared__ common s;
    for (int i = 0; i < all.n; i++) {
        int place = 0;
#define GN_LOSS(name, ...)                                                                                 \
    if (all.of[i].place == place++) run<name##_loss>(all.of[i], all.views, s);
#define GN_MAP_LOSS(...) place++;
#include "loss/all.h"
    }
}

// --- values: what blocks left, added in their order ---
struct sum { const float *part; int64_t n; float *value; };
struct sums { sum of[MOST]; int n; };

static __global__ void __launch_bounds__(THREADS) all_sums(const sums all) {
    __shared__ float part[THREADS / WARP];
    const sum s = all.of[blockIdx.x];
    float x = 0;
    for (int64_t i = threadIdx.x; i < s.n; i += THREADS) x += s.part[i];
    x = block_sum(x, 1, part);
    if (threadIdx.x == 0) *s.value = x;
}

// --- calls ---
static map_loss *const map_losses[] = { // in the order of the registry
#define GN_LOSS(...) NULL,
#define GN_MAP_LOSS(name, ...) gn_##name##_cuda,
#include "loss/all.h"
};

static int place_of(const gn_loss *l) {
    int place = 0;
    while (gn_losses[place] != l) place++;
    return place;
}

static int group_of(const gn_loss *l, const gn_loss_call *c) { return l->views > 1 ? c->views : 1; }

static loss loss_of(const gn_loss *l, const gn_loss_call *c, int place, float *value) {
    loss to = {};
    memcpy(to.options, c->options, l->bytes);
    to.labels = c->labels, to.scale = c->scale_at, to.value = value;
    to.outputs = c->outputs, to.samples = c->samples, to.views = group_of(l, c), to.place = place;
    for (int k = 0; k < c->outputs; k++) {
        const int64_t *d = c->out[k].shape.d;
        to.out[k] = (const float *)c->out[k].data, to.d_out[k] = (float *)c->d_out[k].data;
        to.points[k] = (int)d[1], to.width[k] = (int)d[2];
    }
    return to;
}

static int most_samples(int n, const gn_loss_call *call) {
    int most = 0;
    for (int i = 0; i < n; i++) most = call[i].samples > most ? call[i].samples : most;
    return most;
}

// Floats that a call leaves: one a map, or one a block.
static int64_t parts(const gn_loss_call *c, int blocks) {
    const gn_shape *s = &c->out->shape;
    return s->n == 4 ? c->outputs * s->d[0] * s->d[1] : blocks;
}

extern "C" size_t gn_losses_cuda_scratch(int n, const gn_loss_call *call) {
    int64_t floats = 0;
    for (int i = 0; i < n; i++) floats += parts(&call[i], most_samples(n, call)); // a block has at least one sample
    return sizeof(float) * (size_t)floats;
}

extern "C" gn_status gn_losses_cuda(int n, const gn_loss *const *loss, const gn_loss_call *call, void *scratch,
                                    void *stream) {
    float *part = (float *)scratch;
    int views = 1;
    for (int i = 0; i < n; i++) {
        const int own = group_of(loss[i], &call[i]);
        GN_TRY(gn_loss_check(loss[i], &call[i], NULL));
        if (own > 1 && views > 1 && own != views)
            GN_FAIL(BAD_SHAPE, "loss %s wants groups of %d views, another of %d", loss[i]->name, own, views);
        views = own > views ? own : views;
    }
    const unsigned blocks = gn_blocks(most_samples(n, call), views);
    for (int i = 0; i < n;) {
        losses all = {};
        sums values = {};
        all.views = views;
        for (; i < n && values.n < MOST; i++) {
            const int place = place_of(loss[i]);
            const sum s = { part, parts(&call[i], (int)blocks), call[i].value_at };
            if (map_losses[place]) GN_TRY(map_losses[place](&call[i], part, stream));
            else all.of[all.n++] = loss_of(loss[i], &call[i], place, part);
            values.of[values.n++] = s;
            part += s.n;
        }
        if (all.n) GN_LAUNCH(all_points, blocks, THREADS, 0, stream, all);
        GN_LAUNCH(all_sums, (unsigned)values.n, THREADS, 0, stream, values);
        GN_TRY(gn_launched("losses", stream));
    }
    return GN_OK;
}
