// cudnn.cu - a convolution's products by cuDNN 9; see library.cuh.
//
// One operation a graph, [N][H W][C] throughout. The engine is the first of cuDNN's own guesses that gives the same bits in
// every run and does not round on the way, never one that won a race; in float that leaves out tensor cores.
#include "rival.cuh"
extern "C" {
#include "gnomon/attr.h"
#include "gnomon/version.h"
}

#ifdef GN_CUDNN
#include "conv_pass.cuh"
#include <cudnn_backend.h>

#define FUNCTIONS(F)                                                                                       \
    F(cudnnGetVersion) F(cudnnGetErrorString) F(cudnnCreate) F(cudnnDestroy) F(cudnnSetStream)             \
    F(cudnnBackendCreateDescriptor) F(cudnnBackendDestroyDescriptor) F(cudnnBackendSetAttribute)           \
    F(cudnnBackendGetAttribute) F(cudnnBackendFinalize) F(cudnnBackendExecute)

namespace {
struct {
#define F(name) decltype(&::name) name;
    FUNCTIONS(F)
#undef F
} lib;
}

static const char *look_up(void) {
    static const char *const names[] = { "libcudnn.so.9", NULL };
    static const symbol symbols[] = {
#define F(name) { #name, &lib.name },
        FUNCTIONS(F)
#undef F
    };
    return load(names, symbols, (int)(sizeof symbols / sizeof *symbols));
}
static const char *missing(void) {
    static const char *const what = look_up();
    return what;
}

#define ASK(call)                                                                                          \
    do {                                                                                                   \
        const cudnnStatus_t s_ = lib.call;                                                                 \
        if (s_ != CUDNN_STATUS_SUCCESS) GN_FAIL(NO_DEVICE, "cuDNN: %s: %s", #call, lib.cudnnGetErrorString(s_)); \
    } while (0)

// --- descriptors: they end with an arena ---

typedef cudnnBackendDescriptor_t thing;

static void drop(void *d) { lib.cudnnBackendDestroyDescriptor(d); }

static gn_status keep(gn_arena *a, thing d) {
    const gn_status s = gn_arena_at_end(a, drop, d);
    if (s) drop(d);
    return s;
}

static gn_status make(gn_arena *a, cudnnBackendDescriptorType_t type, thing *d) {
    ASK(cudnnBackendCreateDescriptor(type, d));
    return keep(a, *d);
}

static gn_status set(thing d, cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, int64_t n, const void *x) {
    ASK(cudnnBackendSetAttribute(d, name, type, n, x));
    return GN_OK;
}
static gn_status set_thing(thing d, cudnnBackendAttributeName_t name, thing x) { return set(d, name, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &x); }
static gn_status set_number(thing d, cudnnBackendAttributeName_t name, int64_t x) { return set(d, name, CUDNN_TYPE_INT64, 1, &x); }

static gn_status finalize(thing d) {
    ASK(cudnnBackendFinalize(d));
    return GN_OK;
}

// --- plan ---

enum { FORWARD, DATA, WEIGHTS, PRODUCTS };
enum { X, W, Y, OPERANDS, ROOM = OPERANDS, ROWS, PIECES };
enum { GUESSES = 64, NOTES = 32 };
static const int64_t ROOM_MOST = (int64_t)4 << 30; // bytes of workspace
static const size_t NOWHERE = SIZE_MAX;
static const char *const product_name[] = { "forward", "data", "weights" };

struct made { // one product
    thing plan;
    gn_type type[OPERANDS]; // as cuDNN reads and writes them
    size_t at[PIECES];      // where each lies in scratch, if not where the call has it; then workspace and rows of dy
    int64_t room;           // workspace bytes
};

struct gn_cudnn {
    cudnnHandle_t handle;
    conv g;
    made of[PRODUCTS];
};

static gn_status open(cudnnHandle_t *h) {
    ASK(cudnnCreate(h));
    return GN_OK;
}
static void close(cudnnHandle_t h) { lib.cudnnDestroy(h); }

static cudnnDataType_t data_type(gn_type t) { return t == GN_TYPE_BF16 ? CUDNN_DATA_BFLOAT16 : CUDNN_DATA_FLOAT; }

// [n][h w][c] of c channels, as cuDNN counts: n c h w
static gn_status tensor(gn_arena *a, int64_t name, gn_type type, int64_t n, int64_t c, int64_t h, int64_t w, thing *d) {
    const int64_t size[] = { n, c, h, w }, step[] = { h * w * c, 1, w * c, c };
    const cudnnDataType_t t = data_type(type);
    GN_TRY(make(a, CUDNN_BACKEND_TENSOR_DESCRIPTOR, d));
    GN_TRY(set(*d, CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_TYPE_DATA_TYPE, 1, &t));
    GN_TRY(set(*d, CUDNN_ATTR_TENSOR_DIMENSIONS, CUDNN_TYPE_INT64, 4, size));
    GN_TRY(set(*d, CUDNN_ATTR_TENSOR_STRIDES, CUDNN_TYPE_INT64, 4, step));
    GN_TRY(set_number(*d, CUDNN_ATTR_TENSOR_UNIQUE_ID, name + 1)); // 0 may mean none
    GN_TRY(set_number(*d, CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, 16));
    return finalize(*d);
}

static gn_status convolution(gn_arena *a, const conv &g, thing *d) {
    const int64_t stride[] = { g.stride, g.stride }, pad[] = { g.pad, g.pad }, one[] = { 1, 1 };
    const cudnnDataType_t sum = CUDNN_DATA_FLOAT;
    const cudnnConvolutionMode_t mode = CUDNN_CROSS_CORRELATION;
    GN_TRY(make(a, CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR, d));
    GN_TRY(set_number(*d, CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, 2));
    GN_TRY(set(*d, CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_TYPE_DATA_TYPE, 1, &sum));
    GN_TRY(set(*d, CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_TYPE_CONVOLUTION_MODE, 1, &mode));
    GN_TRY(set(*d, CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, CUDNN_TYPE_INT64, 2, stride));
    GN_TRY(set(*d, CUDNN_ATTR_CONVOLUTION_DILATIONS, CUDNN_TYPE_INT64, 2, one));
    GN_TRY(set(*d, CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, CUDNN_TYPE_INT64, 2, pad));
    GN_TRY(set(*d, CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, CUDNN_TYPE_INT64, 2, pad));
    return finalize(*d);
}

#define WORDS(product, part, x, w, y)                                                                      \
    { CUDNN_BACKEND_OPERATION_CONVOLUTION_##product##_DESCRIPTOR,                                          \
      { CUDNN_ATTR_OPERATION_CONVOLUTION_##part##_##x, CUDNN_ATTR_OPERATION_CONVOLUTION_##part##_##w,      \
        CUDNN_ATTR_OPERATION_CONVOLUTION_##part##_##y },                                                   \
      CUDNN_ATTR_OPERATION_CONVOLUTION_##part##_CONV_DESC, CUDNN_ATTR_OPERATION_CONVOLUTION_##part##_ALPHA, \
      CUDNN_ATTR_OPERATION_CONVOLUTION_##part##_BETA }

static const struct { // how cuDNN calls a product and its parts
    cudnnBackendDescriptorType_t type;
    cudnnBackendAttributeName_t operand[OPERANDS], conv, alpha, beta;
} operation_words[PRODUCTS] = { WORDS(FORWARD, FORWARD, X, W, Y), WORDS(BACKWARD_DATA, BWD_DATA, DX, W, DY),
                                WORDS(BACKWARD_FILTER, BWD_FILTER, X, DW, DY) };

static gn_status graph(gn_arena *a, const gn_cudnn *l, int product, const gn_type *type, thing *d) {
    const conv &g = l->g;
    const auto &words = operation_words[product];
    const float one = 1, zero = 0;
    thing operand[OPERANDS], how, op;
    GN_TRY(tensor(a, X, type[X], g.n, g.c, g.h, g.w, &operand[X]));
    GN_TRY(tensor(a, W, type[W], g.o, g.c, g.kernel, g.kernel, &operand[W]));
    GN_TRY(tensor(a, Y, type[Y], g.n, g.o, g.oh, g.ow, &operand[Y]));
    GN_TRY(convolution(a, g, &how));
    GN_TRY(make(a, words.type, &op));
    for (int i = 0; i < OPERANDS; i++) GN_TRY(set_thing(op, words.operand[i], operand[i]));
    GN_TRY(set_thing(op, words.conv, how));
    GN_TRY(set(op, words.alpha, CUDNN_TYPE_FLOAT, 1, &one));
    GN_TRY(set(op, words.beta, CUDNN_TYPE_FLOAT, 1, &zero));
    GN_TRY(finalize(op));
    GN_TRY(make(a, CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR, d));
    GN_TRY(set(*d, CUDNN_ATTR_OPERATIONGRAPH_HANDLE, CUDNN_TYPE_HANDLE, 1, &l->handle));
    GN_TRY(set_thing(*d, CUDNN_ATTR_OPERATIONGRAPH_OPS, op));
    return finalize(*d);
}

// Does this engine repeat to the bit, and keep what it is given?
static gn_status engine_fits(gn_arena *a, thing config, int narrow, int *fits) {
    cudnnBackendNumericalNote_t note[NOTES];
    thing engine;
    int64_t n = 0;
    GN_TRY(make(a, CUDNN_BACKEND_ENGINE_DESCRIPTOR, &engine));
    ASK(cudnnBackendGetAttribute(config, CUDNN_ATTR_ENGINECFG_ENGINE, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &n, &engine));
    ASK(cudnnBackendGetAttribute(engine, CUDNN_ATTR_ENGINE_NUMERICAL_NOTE, CUDNN_TYPE_NUMERICAL_NOTE, NOTES, &n, note));
    *fits = 1;
    for (int64_t i = 0; i < n && i < NOTES; i++) switch (note[i]) {
        case CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC:
        case CUDNN_NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION:
        case CUDNN_NUMERICAL_NOTE_FFT:
        case CUDNN_NUMERICAL_NOTE_WINOGRAD: *fits = 0; break;
        case CUDNN_NUMERICAL_NOTE_TENSOR_CORE:
        case CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS: *fits &= narrow; break;
        default: break;
        }
    return GN_OK;
}

// An engine that the library refuses after all, or that wants too much room, is passed over: m->plan stays NULL.
static gn_status plan_of(gn_arena *a, const gn_cudnn *l, thing config, made *m) {
    thing p;
    int64_t n = 0;
    GN_TRY(make(a, CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR, &p));
    GN_TRY(set(p, CUDNN_ATTR_EXECUTION_PLAN_HANDLE, CUDNN_TYPE_HANDLE, 1, &l->handle));
    GN_TRY(set_thing(p, CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, config));
    if (lib.cudnnBackendFinalize(p) != CUDNN_STATUS_SUCCESS) return GN_OK;
    ASK(cudnnBackendGetAttribute(p, CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE, CUDNN_TYPE_INT64, 1, &n, &m->room));
    if (m->room <= ROOM_MOST) m->plan = p;
    return GN_OK;
}

struct guesses { thing of[GUESSES]; };
static void drop_guesses(void *what) {
    for (thing d : ((guesses *)what)->of)
        if (d) drop(d);
}

// The first of cuDNN's guesses, best first, that fits; the others pass with their arena.
static gn_status choose_in(gn_arena *passing, gn_arena *a, const gn_cudnn *l, thing of, cudnnBackendHeurMode_t mode, made *m) {
    const int narrow = m->type[X] == GN_TYPE_BF16 || m->type[Y] == GN_TYPE_BF16;
    guesses *g;
    thing guesser;
    int64_t n = 0;
    GN_TRY(make(a, CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR, &guesser));
    GN_TRY(set_thing(guesser, CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, of));
    GN_TRY(set(guesser, CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE, 1, &mode));
    if (lib.cudnnBackendFinalize(guesser) != CUDNN_STATUS_SUCCESS) return GN_OK; // it knows nothing for these types
    GN_TAKE(g, passing, 1);
    GN_TRY(gn_arena_at_end(passing, drop_guesses, g));
    for (thing &d : g->of) ASK(cudnnBackendCreateDescriptor(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR, &d));
    ASK(cudnnBackendGetAttribute(guesser, CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_TYPE_BACKEND_DESCRIPTOR, GUESSES, &n, g->of));
    for (int64_t i = 0; i < n && i < GUESSES && !m->plan; i++) {
        int fits = 0;
        GN_TRY(engine_fits(passing, g->of[i], narrow, &fits));
        if (fits) GN_TRY(plan_of(a, l, g->of[i], m));
        if (!m->plan) continue;
        thing chosen = g->of[i];
        g->of[i] = NULL;
        GN_TRY(keep(a, chosen));
    }
    return GN_OK;
}

static gn_status choose(gn_arena *a, const gn_cudnn *l, thing of, made *m) {
    gn_arena *passing = gn_arena_new("cuDNN's guesses");
    if (!passing) GN_FAIL(NO_MEMORY, "out of memory: cuDNN's guesses");
    gn_status s = choose_in(passing, a, l, of, CUDNN_HEUR_MODE_A, m);
    if (!s && !m->plan) s = choose_in(passing, a, l, of, CUDNN_HEUR_MODE_FALLBACK, m);
    gn_arena_free(passing);
    return s;
}

static int result_of(int product) { return product == FORWARD ? Y : product == DATA ? X : W; }

// Operands in bf16, where activations are, and the result as it is wanted, or a gradient in bf16, too; else all in float.
static gn_status plan_product(gn_arena *a, gn_cudnn *l, int product, gn_type work, gn_type wanted) {
    const gn_type way[][2] = { { work, wanted }, { work, work }, { GN_TYPE_REAL, GN_TYPE_REAL } };
    made *m = &l->of[product];
    for (int i = 0; i < 3 && !m->plan; i++) {
        thing of;
        if (i == 1 && product == FORWARD) continue; // a head stays in float
        for (int k = 0; k < OPERANDS; k++) m->type[k] = k == result_of(product) ? way[i][1] : way[i][0];
        if (graph(a, l, product, m->type, &of)) gn_trail_clear(); // such types are not for it
        else GN_TRY(choose(a, l, of, m));
    }
    const conv &g = l->g;
    if (!m->plan)
        GN_FAIL(NO_DEVICE, "cuDNN %s has no repeatable convolution (%s) of %d %dx%d pictures, %d to %d channels, kernel %d, stride %d",
                gn_cudnn_version(), product_name[product], g.n, g.h, g.w, g.c, g.o, g.kernel, g.stride);
    return GN_OK;
}

static gn_type work_of(const gn_call *c) {
    return c->in[0].type == GN_TYPE_BF16 || c->out[0].type == GN_TYPE_BF16 ? GN_TYPE_BF16 : GN_TYPE_REAL;
}
// The data's gradient ends in d_in, or, before a norm's own, in a slope of the work's type.
static gn_type wanted_of(const gn_call *c, int product) {
    if (product == WEIGHTS) return GN_TYPE_REAL;
    if (product == FORWARD) return c->out[0].type;
    return ((const gn_conv_attr *)c->attr)->norm ? work_of(c) : c->in[0].type;
}

// What does not lie as cuDNN wants it lies in scratch. Returns where that ends.
static size_t place(gn_cudnn *l, const gn_call *c, int product, size_t from) {
    const gn_conv_attr *a = (const gn_conv_attr *)c->attr;
    const conv &g = l->g;
    made *m = &l->of[product];
    const gn_type have[] = { product == DATA ? wanted_of(c, DATA) : c->in[0].type, GN_TYPE_REAL, c->out[0].type };
    const int64_t count[] = { gn_tensor_count(&c->in[0]), (int64_t)g.kernel * g.kernel * g.c * g.o, gn_tensor_count(&c->out[0]) };
    const int other = product == DATA ? !a->norm && !(c->first & 1) : a->norm || a->relu; // an x that is no tensor of the call's
    const int apart[] = { other || have[X] != m->type[X], 1, have[Y] != m->type[Y] };
    for (int i = 0; i < OPERANDS; i++) m->at[i] = apart[i] ? piece(&from, gn_type_bytes(m->type[i]) * (size_t)count[i]) : NOWHERE;
    m->at[ROOM] = piece(&from, (size_t)m->room);
    m->at[ROWS] = product == WEIGHTS && a->bias ? piece(&from, sizeof(float) * (size_t)(2 * g.o * gn_rows(&c->out[0]))) : NOWHERE;
    return from;
}

gn_status gn_cudnn_plan(const gn_call *c, gn_arena *a, const conv &g, size_t from, gn_cudnn **l, size_t *scratch) {
    if (missing()) GN_FAIL(NO_DEVICE, "device.impl: library: cuDNN is missing: %s", missing());
    const int wanted[] = { 1, c->d_in[0].data || (((const gn_conv_attr *)c->attr)->norm && c->d_out[0].data), c->d_param[0].data != NULL };
    gn_cudnn *p;
    GN_TAKE(p, a, 1);
    GN_TRY(handle_of(a, open, close, &p->handle));
    p->g = g;
    *scratch = from;
    for (int i = 0; i < PRODUCTS; i++) {
        if (!wanted[i]) continue;
        GN_TRY(plan_product(a, p, i, work_of(c), wanted_of(c, i)));
        const size_t end = place(p, c, i, from);
        if (end > *scratch) *scratch = end;
    }
    *l = p;
    return GN_OK;
}

// --- run ---

// Where cuDNN finds or leaves an operand
static numbers operand_of(const made *m, const gn_call *c, int which, void *own) {
    const numbers x = { m->at[which] == NOWHERE ? own : (char *)c->scratch + m->at[which], m->type[which] == GN_TYPE_BF16 };
    return x;
}

static gn_status run_in(const gn_cudnn *l, const made *m, const gn_call *c, thing pack, const numbers *operand) {
    const int64_t name[OPERANDS] = { X + 1, W + 1, Y + 1 };
    void *data[OPERANDS] = { operand[X].data, operand[W].data, operand[Y].data }, *room = (char *)c->scratch + m->at[ROOM];
    GN_TRY(set(pack, CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, CUDNN_TYPE_INT64, OPERANDS, name));
    GN_TRY(set(pack, CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, CUDNN_TYPE_VOID_PTR, OPERANDS, data));
    GN_TRY(set(pack, CUDNN_ATTR_VARIANT_PACK_WORKSPACE, CUDNN_TYPE_VOID_PTR, 1, &room));
    GN_TRY(finalize(pack));
    ASK(cudnnSetStream(l->handle, (cudaStream_t)c->stream));
    ASK(cudnnBackendExecute(l->handle, m->plan, pack));
    return GN_OK;
}

static gn_status run(const gn_cudnn *l, const made *m, const gn_call *c, const numbers *operand) {
    thing pack;
    ASK(cudnnBackendCreateDescriptor(CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR, &pack));
    const gn_status s = run_in(l, m, c, pack, operand);
    drop(pack);
    return s;
}

static int taps_of(const conv &g) { return g.kernel * g.kernel * g.c; } // rows of our weights [kh kw c][o]

static void weights_turned(const gn_cudnn *l, const made *m, const gn_call *c, numbers to) {
    turn_run(c->param[0].data, GN_TYPE_REAL, to.data, m->type[W], 1, taps_of(l->g), l->g.o, 0, c->stream);
}
static norm_by as_it_is(int channels) { return norm_by_of(NULL, NULL, NULL, channels, 0); }

gn_status gn_cudnn_forward(const gn_cudnn *l, const gn_call *c, const norm_by &by, const ending &e) {
    const made *m = &l->of[FORWARD];
    const numbers operand[] = { operand_of(m, c, X, c->in[0].data), operand_of(m, c, W, NULL), operand_of(m, c, Y, e.to.data) };
    if (m->at[X] != NOWHERE) begin_run(&c->in[0], operand[X], by, c->stream);
    weights_turned(l, m, c, operand[W]);
    GN_TRY(run(l, m, c, operand));
    if (m->at[Y] != NOWHERE || e.bias || e.residual.data || e.rows) end_run<0>(&c->out[0], operand[Y], e, c->stream);
    return gn_launched("conv forward, cuDNN", c->stream);
}

gn_status gn_cudnn_data(const gn_cudnn *l, const gn_call *c, const ending &e) {
    const made *m = &l->of[DATA];
    const numbers operand[] = { operand_of(m, c, X, e.to.data), operand_of(m, c, W, NULL), operand_of(m, c, Y, c->d_out[0].data) };
    if (m->at[Y] != NOWHERE) begin_run(&c->d_out[0], operand[Y], as_it_is(l->g.o), c->stream);
    weights_turned(l, m, c, operand[W]);
    GN_TRY(run(l, m, c, operand));
    if (m->at[X] != NOWHERE || e.x.data || e.rows) end_run<1>(&c->in[0], operand[X], e, c->stream);
    return gn_launched("conv backward, data, cuDNN", c->stream);
}

gn_status gn_cudnn_weights(const gn_cudnn *l, const gn_call *c, const norm_by &by) {
    const made *m = &l->of[WEIGHTS];
    const numbers operand[] = { operand_of(m, c, X, c->in[0].data), operand_of(m, c, W, NULL), operand_of(m, c, Y, c->d_out[0].data) };
    if (m->at[X] != NOWHERE) begin_run(&c->in[0], operand[X], by, c->stream);
    if (m->at[Y] != NOWHERE) begin_run(&c->d_out[0], operand[Y], as_it_is(l->g.o), c->stream);
    GN_TRY(run(l, m, c, operand));
    turn_run(operand[W].data, m->type[W], c->d_param[0].data, GN_TYPE_REAL, 1, l->g.o, taps_of(l->g), 0, c->stream);
    if (m->at[ROWS] == NOWHERE) return gn_launched("conv backward, weights, cuDNN", c->stream);
    gn_call sums = *c; // the bias's gradient is the sum of dy
    sums.out = c->d_out;
    sums.centre = NULL;
    sums.rows = (float *)((char *)c->scratch + m->at[ROWS]);
    GN_TRY(gn_rows_cuda(&sums));
    gn_finish f = {};
    f.rows = sums.rows;
    f.n = gn_rows(&c->d_out[0]);
    f.channels = l->g.o;
    f.first = (float *)c->d_param[1].data;
    return gn_finish_cuda(&f, c->stream);
}

extern "C" const char *gn_cudnn_version(void) {
    static char text[32];
    if (missing()) return "absent";
    const size_t v = lib.cudnnGetVersion(); // 10000 major + 100 minor + patch
    snprintf(text, sizeof text, "%zu.%zu.%zu", v / 10000, v / 100 % 100, v % 100);
    return text;
}

#else // nothing to compile against

static gn_status absent(void) { GN_FAIL(NO_DEVICE, "device.impl: library: this build has no cuDNN"); }
gn_status gn_cudnn_plan(const gn_call *, gn_arena *, const conv &, size_t, gn_cudnn **, size_t *) { return absent(); }
gn_status gn_cudnn_forward(const gn_cudnn *, const gn_call *, const norm_by &, const ending &) { return absent(); }
gn_status gn_cudnn_data(const gn_cudnn *, const gn_call *, const ending &) { return absent(); }
gn_status gn_cudnn_weights(const gn_cudnn *, const gn_call *, const norm_by &) { return absent(); }
extern "C" const char *gn_cudnn_version(void) { return "absent"; }
#endif
