// conv.cu - see cpu/conv.c for the contract.
//
// Three families, chosen by shape, type and GPU: where bf16 is stored tensor cores, by warpgroups (conv_wgmma.cuh,
// conv_wgmma_weights.cuh, conv_both.cuh: sm_90a) or by warps (conv_mma.cuh, conv_mma_weights.cuh), and plain float arithmetic
// (conv_plain.cuh) for the rest. A product reads x through norm and ReLU and ends in memory with everything that belongs
// to it; norm's backward, phase 1, is the norm's own.
#include "conv_both.cuh"
#include "conv_plain.cuh"
#include "conv_wgmma.cuh"
#include "conv_wgmma_weights.cuh"
#include "library.cuh"
extern "C" {
#include "gnomon/attr.h"
}

enum { CHUNK_LEAST = 256 /* places */ };

struct plan {
    conv g;
    taps k;
    int mma;               // by tensor cores
    int normal;            // x is read through norm or ReLU
    int wide[2];           // channels of a block: forward, data
    tiling group[2];       // by warpgroups instead
    int wide_weights;      // of x and of dy
    int group_weights;     // they are a 3x3's, by warpgroups
    int chunks, chunk;     // of places, in the gradient of weights
    int64_t weights, step; // numbers: of the weights, of a chunk's gradients
    int both;              // backward is one kernel, a block of which has so many channels of x; 0: it is two
    size_t at_parts;       // in scratch: its parts, behind the slope of relu(norm(x))
    gn_cudnn *library;     // its products; NULL: ours
};

// --- plan ---

static conv conv_of(const gn_call *c) {
    const gn_conv_attr *a = (const gn_conv_attr *)c->attr;
    const int64_t *d = c->in[0].shape.d, *e = c->out[0].shape.d;
    const conv g = { (int)d[0], (int)d[1], (int)d[2], (int)d[3], (int)e[1], (int)e[2], (int)e[3],
                     a->kernel, a->stride, a->kernel / 2 };
    return g;
}

static int narrow(const gn_tensor *t) { return t->type == GN_TYPE_BF16; }
static int work_narrow(const gn_call *c) { return narrow(&c->in[0]) || narrow(&c->out[0]); }
static int64_t in_places(const conv &g) { return (int64_t)g.n * g.h * g.w; }
static int64_t out_places(const conv &g) { return (int64_t)g.n * g.oh * g.ow; }

// 128 channels a block read the other operand half as often; 64 waste fewer where channels are few, and make more blocks.
static int wide_for(int channels, int64_t blocks_of_64) {
    return (channels + 63) / 64 % 2 == 0 && blocks_of_64 >= 2 * gn_fill() ? 128 : 64;
}

static product product_of(const plan *p, int back) {
    product q = {};
    q.k = p->k;
    q.normal = !back && p->normal;
    q.depth = back ? p->g.o : p->g.c;
    q.places = (int)in_places(p->g);
    return q;
}

static gn_status shared_of_device(int *bytes) {
    int device = 0;
    if (cudaGetDevice(&device) != cudaSuccess ||
        cudaDeviceGetAttribute(bytes, cudaDevAttrMaxSharedMemoryPerBlockOptin, device) != cudaSuccess)
        GN_FAIL(NO_DEVICE, "conv: the GPU cannot be asked for its shared memory");
    return GN_OK;
}

static void plan_mma(plan *p) {
    const conv &g = p->g;
    const int64_t tiles = gn_blocks(in_places(g), TILE);
    p->wide[0] = wide_for(g.o, tiles * gn_blocks(g.o, 64));
    p->wide[1] = wide_for(g.c, tiles * gn_blocks(g.c, 64));
    const int both = (g.c + 63) / 64 % 2 == 0 && (g.o + 63) / 64 % 2 == 0;
    const int64_t chunks = gn_blocks(out_places(g), CHUNK_LEAST), quarters = chunks * gn_blocks(g.c, 64) * gn_blocks(g.o, 64);
    p->wide_weights = p->k.count == 1 && both && quarters >= 4 * gn_fill() ? 128 : 64;
}

static int has_warpgroups() { return gn_capability() >= 90 && gn_capability() < 100; }

// Forward and data by warpgroups, where what they read is bf16 and fits.
static gn_status plan_groups(plan *p, const gn_call *c, int shared) {
    gn_status s = GN_OK;
    for (int back = 0; back < 2; back++) {
        if (!has_warpgroups() || !narrow(back ? &c->out[0] : &c->in[0])) continue;
        const tiling t = p->group[back] = tiling_for(product_of(p, back), back ? p->g.c : p->g.o, shared);
        if (t.n) wgmma_kernel(t, back, p->k.count, [&](auto kernel) {
            const gn_status asked = gn_wants_shared(kernel, (size_t)shared, "conv");
            if (asked) s = asked;
        });
    }
    return s;
}

static size_t shared_most(const plan *p, int kernel) { // of forward, data, weights
    if (kernel < 2) return mma_shared(product_of(p, kernel), p->wide[kernel]);
    return mma_weights_shared(p->k, p->wide_weights, p->wide_weights);
}

// The gradient of weights has few tiles: chunks of places make blocks enough. The plain kernel wants more, being lighter.
static void plan_chunks(plan *p, int tiles, int bias) {
    const int64_t places = out_places(p->g), most = gn_blocks(places, CHUNK_LEAST);
    const int64_t want = gn_blocks(p->mma ? gn_fill() : 4 * gn_fill(), tiles);
    const int64_t chunks = want < most ? want : most;
    p->chunk = (int)(gn_blocks(places, chunks * STEP) * STEP);
    p->chunks = (int)gn_blocks(places, p->chunk);
    p->weights = (int64_t)p->g.kernel * p->g.kernel * p->g.c * p->g.o;
    p->step = p->weights + (bias ? p->g.o : 0);
}

static gn_status plan_group_weights(plan *p, const gn_call *c, int shared) {
    p->group_weights = has_warpgroups() && narrow(&c->in[0]) && narrow(&c->out[0]) && p->k.count == 9 && p->g.c % 64 == 0 &&
                       p->g.o % 64 == 0 && wgmma_weights_shared(p->k) <= (size_t)shared;
    return p->group_weights ? gn_wants_shared(wgmma_weights, (size_t)shared, "conv") : GN_OK;
}

// One kernel for both gradients makes them at once: its parts lie beside the slope.
static gn_status plan_both(plan *p, const gn_call *c, size_t slope, size_t *scratch) {
    if (!has_warpgroups() || !narrow(&c->in[0]) || !narrow(&c->out[0])) return GN_OK;
    p->both = both_wide(p->g);
    if (!p->both) return GN_OK;
    const size_t parts = sizeof(float) * (size_t)p->step * (size_t)both_blocks(p->g, p->both);
    p->at_parts = (slope + 255) / 256 * 256;
    if (p->at_parts + parts > *scratch) *scratch = p->at_parts + parts;
    return both_plan(p->g, p->both);
}

// The kernel of a product: run(kernel)
template <class Run> static void product_kernel(int n, int back, int taps, Run run) {
    if (taps == 1 && n == 64) back ? run(mma<64, 1, 1>) : run(mma<64, 0, 1>);
    else if (taps == 1) back ? run(mma<128, 1, 1>) : run(mma<128, 0, 1>);
    else if (n == 64) back ? run(mma<64, 1, 9>) : run(mma<64, 0, 9>);
    else back ? run(mma<128, 1, 9>) : run(mma<128, 0, 9>);
}
template <class Run> static void weights_kernel(int wide, int taps, Run run) {
    if (taps == 9) run(mma_weights<9, 1, 4>);
    else wide == 64 ? run(mma_weights<1, 1, 4>) : run(mma_weights<1, 2, 8>);
}

// All the shared memory there is: the next shape may want more than this one.
static gn_status want_shared(const plan *p, int most) {
    gn_status s = GN_OK;
    const auto ask = [&](auto kernel) {
        const gn_status t = gn_wants_shared(kernel, (size_t)most, "conv");
        if (t) s = t;
    };
    product_kernel(p->wide[0], 0, p->k.count, ask);
    product_kernel(p->wide[1], 1, p->k.count, ask);
    weights_kernel(p->wide_weights, p->k.count, ask);
    return s;
}

extern "C" gn_status gn_conv_plan_cuda(const gn_call *c, gn_arena *arena, gn_impl impl, void **state, size_t *scratch,
                                       size_t *shadow) {
    const gn_conv_attr *a = (const gn_conv_attr *)c->attr;
    plan *p;
    GN_TAKE(p, arena, 1);
    *state = p;
    *shadow = 0;
    const conv g = p->g = conv_of(c);
    if (in_places(g) > INT32_MAX - 2 * TILE || out_places(g) > INT32_MAX - 2 * TILE)
        GN_FAIL(BAD_SHAPE, "conv: %s has too many places for a GPU", gn_shape_text(&c->in[0].shape));
    const size_t slope = a->norm ? (size_t)gn_tensor_count(&c->in[0]) * (work_narrow(c) ? 2 : sizeof(float)) : 0;
    if (impl == GN_IMPL_LIBRARY) return gn_cudnn_plan(c, arena, g, slope, &p->library, scratch);
    int shared;
    GN_TRY(shared_of_device(&shared));
    p->k = { g.kernel * g.kernel, g.h, g.w };
    p->normal = a->norm || a->relu;
    p->mma = gn_capability() >= 80 && work_narrow(c) && g.c % 16 == 0 && g.o % 16 == 0 && (g.kernel == 1 || g.kernel == 3) &&
             g.stride == 1;
    if (p->mma) {
        plan_mma(p);
        for (int i = 0; i < 3; i++)
            if (shared_most(p, i) > (size_t)shared) p->mma = 0; // rows of a picture too long for a halo
    }
    if (p->mma) GN_TRY(want_shared(p, shared));
    if (p->mma) GN_TRY(plan_groups(p, c, shared));
    if (p->mma) GN_TRY(plan_group_weights(p, c, shared));
    plan_chunks(p, p->mma ? (int)(gn_blocks(g.c, p->wide_weights) * gn_blocks(g.o, p->wide_weights))
                          : (int)(gn_blocks(g.kernel * g.kernel * g.c, WIDE) * gn_blocks(g.o, WIDE)), a->bias);
    const size_t parts = p->chunks > 1 ? sizeof(float) * (size_t)(p->chunks * p->step) : 0;
    *scratch = slope > parts ? slope : parts; // one after the other
    return plan_both(p, c, slope, scratch);
}

// --- run ---

static numbers numbers_of(const gn_tensor *t) {
    const numbers x = { t->data, narrow(t) };
    return x;
}

static norm_by by_of(const gn_call *c) {
    const gn_conv_attr *a = (const gn_conv_attr *)c->attr;
    const int i = 1 + !!a->bias, channels = (int)c->in[0].shape.d[1];
    if (!a->norm) return norm_by_of(NULL, NULL, NULL, channels, a->relu);
    return norm_by_of((const float *)c->saved[0].data, (const float *)c->param[i].data, (const float *)c->param[i + 1].data,
                      channels, a->relu);
}

// The slope of relu(norm(x)), where a norm's phase 1 is to come
static gn_tensor slope_of(const gn_call *c) {
    gn_tensor g = c->in[0];
    g.type = work_narrow(c) ? GN_TYPE_BF16 : GN_TYPE_REAL;
    g.data = c->scratch;
    return g;
}

static gn_status product_run(const gn_call *c, int back, const ending &e) {
    const plan *p = (const plan *)c->state;
    const numbers in = numbers_of(back ? &c->d_out[0] : &c->in[0]);
    const norm_by by = back ? norm_by_of(NULL, NULL, NULL, p->g.o, 0) : by_of(c);
    if (p->library) return back ? gn_cudnn_data(p->library, c, e) : gn_cudnn_forward(p->library, c, by, e);
    const int n = p->mma ? p->wide[back] : (int)WIDE;
    const unsigned blocks = gn_blocks(e.places, TILE) * gn_blocks(e.channels, n);
    if (!p->mma) {
        const float *weight = (const float *)c->param[0].data;
        const conv g = p->g;
        if (back) GN_LAUNCH(plain<1>, blocks, THREADS, PLAIN_SHARED, c->stream, g, in, by, weight, e);
        else GN_LAUNCH(plain<0>, blocks, THREADS, PLAIN_SHARED, c->stream, g, in, by, weight, e);
    } else {
        product q = product_of(p, back);
        q.in = in;
        q.by = by;
        q.weight = (const bf16 *)c->shadow;
        const size_t shared = mma_shared(q, n);
        if (p->group[back].n) GN_TRY(wgmma_run(q, p->group[back], back, e, c->stream));
        else product_kernel(n, back, q.k.count, [&](auto kernel) { GN_LAUNCH(kernel, blocks, THREADS, shared, c->stream, q, e); });
    }
    return gn_launched(back ? "conv backward, data" : "conv forward", c->stream);
}

extern "C" gn_status gn_conv_forward_cuda(const gn_call *c) {
    const gn_conv_attr *a = (const gn_conv_attr *)c->attr;
    const conv &g = ((const plan *)c->state)->g;
    ending e = {};
    e.to = numbers_of(&c->out[0]);
    e.places = (int)out_places(g);
    e.channels = g.o;
    e.bias = a->bias ? (const float *)c->param[1].data : NULL;
    if (a->add) e.residual = numbers_of(&c->in[1]);
    e.rows = c->rows;
    e.centre = c->centre;
    return product_run(c, 0, e);
}

static ending data_ending(const gn_call *c) {
    const gn_conv_attr *a = (const gn_conv_attr *)c->attr;
    const conv &g = ((const plan *)c->state)->g;
    const gn_tensor slope = slope_of(c);
    ending e = {};
    e.to = numbers_of(a->norm ? &slope : &c->d_in[0]);
    e.places = (int)in_places(g);
    e.channels = g.c;
    e.add = !a->norm && !(c->first & 1);
    e.by = by_of(c);
    if (a->norm || a->relu) e.x = numbers_of(&c->in[0]);
    if (a->norm) e.rows = c->rows;
    return e;
}

static gn_status weights_back(const gn_call *c) {
    const plan *p = (const plan *)c->state;
    const gn_conv_attr *a = (const gn_conv_attr *)c->attr;
    const conv g = p->g;
    if (p->library) return gn_cudnn_weights(p->library, c, by_of(c));
    float *dw = (float *)c->d_param[0].data, *db = a->bias ? (float *)c->d_param[1].data : NULL, *part = (float *)c->scratch;
    float *to = p->chunks > 1 ? part : dw, *to_bias = p->chunks > 1 && db ? part + p->weights : db;
    const numbers x = numbers_of(&c->in[0]), dy = numbers_of(&c->d_out[0]);
    const int wide = p->mma ? p->wide_weights : (int)WIDE;
    const dim3 grid(gn_blocks(p->mma ? g.c : g.kernel * g.kernel * g.c, wide) * gn_blocks(g.o, wide), (unsigned)p->chunks);
    const norm_by by = by_of(c);
    const int chunk = p->chunk, chunks = p->chunks;
    const int64_t step = p->step, weights = p->weights;
    if (!p->mma) {
        GN_LAUNCH(plain_weights, grid, THREADS, PLAIN_WEIGHTS_SHARED, c->stream, g, x, by, dy, chunk, to, to_bias, step);
    } else {
        const gradient q = { x, dy, by, p->normal, p->k, g.c, g.o, (int)out_places(g), chunk, to, to_bias, step };
        const size_t shared = mma_weights_shared(p->k, wide, wide);
        if (p->group_weights) GN_TRY(wgmma_weights_run(q, grid, c->stream));
        else weights_kernel(wide, p->k.count, [&](auto kernel) { GN_LAUNCH(kernel, grid, THREADS, shared, c->stream, q); });
    }
    if (chunks > 1) GN_LAUNCH(chunks_add, gn_blocks(step, WARP), THREADS, 0, c->stream, part, chunks, step, dw, weights, db);
    return gn_launched("conv backward, weights", c->stream);
}

static gn_status both_back(const gn_call *c) {
    const plan *p = (const plan *)c->state;
    const gn_conv_attr *a = (const gn_conv_attr *)c->attr;
    const ending e = data_ending(c);
    const int blocks = both_blocks(p->g, p->both);
    float *dw = (float *)c->d_param[0].data, *db = a->bias ? (float *)c->d_param[1].data : NULL;
    float *part = (float *)((char *)c->scratch + p->at_parts), *to = blocks > 1 ? part : dw;
    const both_ends q = { e.by, p->normal, e.add, e.places, e.rows, to, db && blocks > 1 ? part + p->weights : db, p->step };
    GN_TRY(both_run(p->g, p->both, c->in[0].data, c->d_out[0].data, c->shadow, e.to.data, q, c->stream));
    if (blocks > 1)
        GN_LAUNCH(chunks_add, gn_blocks(p->step, WARP), THREADS, 0, c->stream, part, blocks, p->step, dw, p->weights, db);
    return gn_launched("conv backward", c->stream);
}

// From the slope of relu(norm(x)) to that of x: as `norm` makes it.
static gn_status norm_end(const gn_call *c) {
    const gn_conv_attr *a = (const gn_conv_attr *)c->attr;
    const gn_norm_attr attr = { 0 }; // the ReLU has been met
    const gn_tensor g = slope_of(c);
    gn_call norm = *c;
    norm.attr = &attr;
    norm.param = c->param + 1 + !!a->bias;
    norm.d_out = &g;
    return gn_norm_backward_cuda(&norm);
}

extern "C" gn_status gn_conv_backward_cuda(const gn_call *c) {
    const gn_conv_attr *a = (const gn_conv_attr *)c->attr;
    if (c->phase == 1) return norm_end(c);
    const plan *p = (const plan *)c->state;
    const int weights = c->d_param[0].data != NULL, data = c->d_in[0].data || (a->norm && c->rows);
    const int both = p->both && weights && data;
    if (weights && !both) GN_TRY(weights_back(c)); // frozen: all of a scope, or nothing
    if (a->add && c->d_in[1].data && c->d_in[1].data != c->d_out[0].data)
        gn_copy_or_add_cuda(&c->d_out[0], &c->d_in[1], !!(c->first & 2), c->stream);
    if (both) return both_back(c);
    return data ? product_run(c, 1, data_ending(c)) : gn_launched("conv backward", c->stream);
}
