// dropout.cu - see cpu/dropout.c for the contract: the same draws, whatever the layout.
#include "pass.cuh"
#include "formula/random.h"
extern "C" {
#include "gnomon/attr.h"
}

// What is drawn by: elements whose word is below `below` are 0, the others `gain` times themselves.
struct odds {
    uint32_t below;
    float gain;
    int64_t first, stride; // sample n of the shard is sample first + n stride of the batch
};

// Words of the draws of elements e to e + V - 1; V > 1: e is a multiple of it.
template <int V> GN_DEVICE void words_of(uint64_t seed, uint64_t sample, uint64_t e, uint32_t *word) {
    const gn_draw a = gn_draw_at(seed, sample, e / 4);
    if constexpr (V == 8) {
        const gn_draw b = gn_draw_at(seed, sample, e / 4 + 1);
        for (int v = 0; v < 4; v++) word[v] = a.word[v], word[v + 4] = b.word[v];
    } else {
        const uint32_t low = e & 1 ? a.word[1] : a.word[0], high = e & 1 ? a.word[3] : a.word[2];
        word[0] = e & 2 ? high : low;
    }
}

// to = or += from, where the draw keeps it
template <class T, int V>
static __global__ void __launch_bounds__(PASS)
keep(const T *from, T *to, int add, const uint64_t *seed_at, odds o, int places_each, pass p) {
    const int c = pass_channel<V>(p);
    const lines samples = lines_of(places_each);
    const uint64_t seed = o.below ? *seed_at : 0;
    pass_over<V, 1>(p, [](int, int, int64_t) {},
                    [&](int, int i, int64_t at) {
                        float x[V], old[V];
                        uint32_t word[V] = {};
                        const spot s = spot_of(samples, i);
                        get<V>(from, at, x);
                        if (add) get<V>(to, at, old);
                        if (o.below) // elements in C, H, W order
                            words_of<V>(seed, (uint64_t)(o.first + s.line * o.stride), (uint64_t)c * (unsigned)places_each + s.x, word);
                        for (int v = 0; v < V; v++) {
                            x[v] = word[v] < o.below ? 0 : o.gain * x[v];
                            if (add) x[v] += old[v];
                        }
                        put<V>(to, at, x);
                    });
}

static gn_status run(const gn_call *c, const gn_tensor *from, const gn_tensor *to, int first, const char *what) {
    const double share = ((const gn_dropout_attr *)c->attr)->share;
    const int train = c->mode == GN_TRAIN;
    const odds o = { train ? (uint32_t)(share * 0x1p32) : 0, train ? (float)(1 / (1 - share)) : 1, c->first_sample, c->sample_stride };
    const int places_each = (int)places_of(from).places;
    BY_WIDTH(places_each == 1 ? from->shape.d[1] : 1, V, { // of a map, neighbours in memory are not in the order of draws
        const pass p = pass_of(from, V);
        GN_BY_TYPE(from->type, T, GN_LAUNCH((keep<T, V>), pass_grid(p, V), PASS, 0, c->stream, (const T *)from->data, (T *)to->data,
                                            !first, c->seed_at, o, places_each, p));
    });
    return gn_launched(what, c->stream);
}

extern "C" gn_status gn_dropout_plan_cuda(const gn_call *c, gn_arena *a, gn_impl impl, void **state, size_t *scratch,
                                          size_t *shadow) {
    (void)c, (void)a, (void)impl, (void)state;
    *scratch = *shadow = 0;
    return GN_OK;
}

extern "C" gn_status gn_dropout_forward_cuda(const gn_call *c) { return run(c, &c->in[0], &c->out[0], 1, "dropout forward"); }

extern "C" gn_status gn_dropout_backward_cuda(const gn_call *c) {
    if (!c->d_in[0].data) return GN_OK;
    return run(c, &c->d_out[0], &c->d_in[0], c->first & 1, "dropout backward");
}
