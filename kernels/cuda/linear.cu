// linear.cu - see cpu/linear.c for the contract.
//
// Three products: y = x W', dW = dy' x, dx = dy W, with x [N][places][C] and W [O][C places]. So a k of the flattened
// input is a channel at a place, which lies at place C + channel in x and at channel places + place in W.
// bf16 in rows of whole 16 bytes goes to the tensor cores, with W's bf16 copy; all else is multiplied in float.
#include "product.cuh"
#include "library.cuh"
extern "C" {
#include "gnomon/attr.h"
}

typedef struct {
    cut forward, d_weight, d_in;
    gn_cublas *library; // its products; NULL: ours
} plan_of;

enum { STRANDS = 16 }; // of a channel's sum over the samples

extern "C" gn_status gn_linear_plan_cuda(const gn_call *c, gn_arena *arena, gn_impl impl, void **state, size_t *scratch, size_t *shadow) {
    const places x = places_of(&c->in[0]);
    const int n = (int)x.n, at = (int)x.places, o = (int)c->out[0].shape.d[1];
    const int forward = c->in[0].type == GN_TYPE_BF16 && at == 1 && x.c % 8 == 0 && gn_capability() >= 80;
    const int backward = forward && c->out[0].type == GN_TYPE_BF16 && o % 8 == 0;
    plan_of *p;
    GN_TAKE(p, arena, 1);
    *state = p;
    *shadow = 0;
    if (impl == GN_IMPL_LIBRARY) return gn_cublas_plan(c, arena, &p->library, scratch);
    p->forward = cut_of(forward, 1, n, o, x.c, at);
    p->d_weight = cut_of(backward, 0, o, x.c, n, at);
    p->d_in = cut_of(backward, 0, n, x.c, o, at);
    *scratch = cut_bytes(&p->forward, 1);
    if (cut_bytes(&p->d_weight, 0) > *scratch) *scratch = cut_bytes(&p->d_weight, 0);
    if (cut_bytes(&p->d_in, 0) > *scratch) *scratch = cut_bytes(&p->d_in, 0);
    return GN_OK;
}

// The operands: their own index first, the sum's second. `turned`: the sum is over the batch; `over_o`: over o.
template <class T> static operand<T> x_of(const gn_call *c, const places &x, bool turned) {
    const int64_t k = x.places * x.c;
    return { (const T *)c->in[0].data, turned ? 1 : k, turned ? k : 1, x.c, turned ? x.c : (int)x.n };
}
template <class T> static operand<T> dy_of(const gn_call *c, int o, bool turned) {
    return { (const T *)c->d_out[0].data, turned ? 1 : o, turned ? o : 1, 0, turned ? o : (int)c->d_out[0].shape.d[0] };
}
template <class T> static operand<T> w_of(const void *w, const places &x, int o, bool over_o) {
    const int64_t k = x.places * x.c;
    return { (const T *)w, over_o ? x.places : k, over_o ? k : x.places, 1, over_o ? x.c : o };
}

extern "C" gn_status gn_linear_forward_cuda(const gn_call *c) {
    const gn_linear_attr *a = (const gn_linear_attr *)c->attr;
    const plan_of *p = (const plan_of *)c->state;
    const places x = places_of(&c->in[0]);
    const int o = a->channels;
    const result y = { c->out[0].data, c->out[0].type, 0, a->bias ? (const float *)c->param[1].data : NULL, o, 1, 0, 0, 0, 0, NULL };
    if (p->library) return gn_cublas_forward(p->library, c);
    if (p->forward.tensor)
        tensor_run<true, true>(&p->forward, x_of<bf16>(c, x, false), w_of<bf16>(c->shadow, x, o, false), y, c->scratch, c->stream);
    else
        GN_BY_TYPE(c->in[0].type, T,
            (product_run<true, true>(&p->forward, x_of<T>(c, x, false), w_of<float>(c->param[0].data, x, o, false), y, c->scratch,
                                     c->stream)));
    return gn_launched("linear forward", c->stream);
}

// Lanes are channels; strand s has samples s, s + STRANDS, ...
template <class O> static __global__ void __launch_bounds__(WARP *STRANDS) bias(const O *dy, float *d_bias, int64_t n, int o) {
    __shared__ float part[STRANDS][WARP];
    const int lane = threadIdx.x % WARP, strand = threadIdx.x / WARP, j = blockIdx.x * WARP + lane;
    float sum = 0;
    for (int64_t i = strand; i < n && j < o; i += STRANDS) sum += gn_load(dy, i * o + j);
    part[strand][lane] = sum;
    __syncthreads();
    if (strand || j >= o) return;
    for (int s = 1; s < STRANDS; s++) sum += part[s][lane];
    d_bias[j] = sum;
}

static void d_weight(const gn_call *c, const places &x, int o) {
    const cut *k = &((const plan_of *)c->state)->d_weight;
    const result dw = { c->d_param[0].data, GN_TYPE_REAL, 0, NULL, x.places * x.c, x.places, 1, 0, 0, 0, NULL };
    if (k->tensor) tensor_run<false, false>(k, dy_of<bf16>(c, o, true), x_of<bf16>(c, x, true), dw, c->scratch, c->stream);
    else
        GN_BY_TYPE(c->d_out[0].type, O, GN_BY_TYPE(c->in[0].type, T,
            (product_run<false, false>(k, dy_of<O>(c, o, true), x_of<T>(c, x, true), dw, c->scratch, c->stream))));
}

static void d_in(const gn_call *c, const places &x, int o) {
    const cut *k = &((const plan_of *)c->state)->d_in;
    const result dx = { c->d_in[0].data, c->in[0].type, !(c->first & 1), NULL, x.places * x.c, 1, x.c, 0, 0, 0, NULL };
    if (k->tensor) tensor_run<true, false>(k, dy_of<bf16>(c, o, false), w_of<bf16>(c->shadow, x, o, true), dx, c->scratch, c->stream);
    else
        GN_BY_TYPE(c->d_out[0].type, O,
            (product_run<true, false>(k, dy_of<O>(c, o, false), w_of<float>(c->param[0].data, x, o, true), dx, c->scratch, c->stream)));
}

extern "C" gn_status gn_linear_backward_cuda(const gn_call *c) {
    const gn_linear_attr *a = (const gn_linear_attr *)c->attr;
    const places x = places_of(&c->in[0]);
    const int o = a->channels;
    const gn_cublas *library = ((const plan_of *)c->state)->library;
    if (c->d_param[0].data && library) GN_TRY(gn_cublas_weights(library, c));
    else if (c->d_param[0].data) d_weight(c, x, o);
    if (a->bias && c->d_param[1].data)
        GN_BY_TYPE(c->d_out[0].type, O,
            GN_LAUNCH((bias<O>), gn_blocks(o, WARP), WARP *STRANDS, 0, c->stream, (const O *)c->d_out[0].data, (float *)c->d_param[1].data,
                      x.n, o));
    if (c->d_in[0].data && library) GN_TRY(gn_cublas_data(library, c));
    else if (c->d_in[0].data) d_in(c, x, o);
    return gn_launched("linear backward", c->stream);
}
