// cublas.cu - a linear's products by cuBLAS; see library.cuh.
//
// cuBLAS takes matrices by columns: ours, by rows, are theirs turned, so C = A B is asked for as C' = B' A'. Both operands
// are of one type: bf16 where both are stored so, else float, to which the other is copied. Float is exact, without TF32.
#include "rival.cuh"
extern "C" {
#include "gnomon/attr.h"
#include "gnomon/version.h"
}

#ifdef GN_CUBLAS
#include <cublas_v2.h>

#define FUNCTIONS(F)                                                                                       \
    F(cublasCreate_v2) F(cublasDestroy_v2) F(cublasSetStream_v2) F(cublasSetWorkspace_v2)                  \
    F(cublasSetMathMode) F(cublasSetAtomicsMode) F(cublasGetStatusString) F(cublasGetProperty)

// cublasGemmEx is overloaded in C++, so its pointer says which.
typedef cublasStatus_t gemm_fn(cublasHandle_t, cublasOperation_t, cublasOperation_t, int, int, int, const void *, const void *,
                               cudaDataType, int, const void *, cudaDataType, int, const void *, void *, cudaDataType, int,
                               cublasComputeType_t, cublasGemmAlgo_t);

namespace {
struct {
#define F(name) decltype(&::name) name;
    FUNCTIONS(F)
#undef F
    gemm_fn *cublasGemmEx;
} lib;
}

static const char *look_up(void) {
    static const char *const names[] = { "libcublas.so.13", "libcublas.so.12", NULL };
    static const symbol symbols[] = {
#define F(name) { #name, &lib.name },
        FUNCTIONS(F)
#undef F
        { "cublasGemmEx", &lib.cublasGemmEx },
    };
    return load(names, symbols, (int)(sizeof symbols / sizeof *symbols));
}
static const char *missing(void) {
    static const char *const what = look_up();
    return what;
}

#define ASK(call)                                                                                          \
    do {                                                                                                   \
        const cublasStatus_t s_ = lib.call;                                                                \
        if (s_ != CUBLAS_STATUS_SUCCESS) GN_FAIL(NO_DEVICE, "cuBLAS: %s: %s", #call, lib.cublasGetStatusString(s_)); \
    } while (0)

// --- plan ---

struct gn_cublas {
    cublasHandle_t handle;
    places x;
    int o;
    size_t room;                  // workspace bytes
    size_t workspace, at_x, at_y; // in scratch: cuBLAS's own, then x or dx and y or dy in another type or order
};

static gn_status open(cublasHandle_t *h) {
    ASK(cublasCreate_v2(h));
    ASK(cublasSetMathMode(*h, (cublasMath_t)(CUBLAS_DEFAULT_MATH | CUBLAS_MATH_DISALLOW_REDUCED_PRECISION_REDUCTION)));
    ASK(cublasSetAtomicsMode(*h, CUBLAS_ATOMICS_NOT_ALLOWED)); // results repeat
    return GN_OK;
}
static void close(cublasHandle_t h) { lib.cublasDestroy_v2(h); }

gn_status gn_cublas_plan(const gn_call *c, gn_arena *a, gn_cublas **l, size_t *scratch) {
    if (missing()) GN_FAIL(NO_DEVICE, "device.impl: library: cuBLAS is missing: %s", missing());
    gn_cublas *p;
    GN_TAKE(p, a, 1);
    GN_TRY(handle_of(a, open, close, &p->handle));
    p->x = places_of(&c->in[0]);
    p->o = (int)c->out[0].shape.d[1];
    if (p->x.places * p->x.c > INT32_MAX || p->x.n > INT32_MAX)
        GN_FAIL(BAD_SHAPE, "linear: %s is too large for cuBLAS", gn_shape_text(&c->in[0].shape));
    p->room = (size_t)(gn_capability() >= 90 ? 32 : 4) << 20; // what its manual asks for
    size_t end = 0;
    p->workspace = piece(&end, p->room);
    p->at_x = piece(&end, sizeof(float) * (size_t)(p->x.n * p->x.places * p->x.c));
    p->at_y = piece(&end, sizeof(float) * (size_t)(p->x.n * p->o));
    *scratch = end;
    *l = p;
    return GN_OK;
}

// --- run ---

struct matrix { // by rows; turned: it lies as its transpose
    const void *data;
    gn_type type;
    int turned;
};

static cudaDataType type_of(gn_type t) { return t == GN_TYPE_BF16 ? CUDA_R_16BF : CUDA_R_32F; }

// to [m][n] = or += a [m][k] b [k][n]
static gn_status multiply(const gn_cublas *l, const gn_call *c, int m, int n, int k, matrix a, matrix b, void *to, gn_type type, int add) {
    const float one = 1, old = add ? 1 : 0;
    const cublasComputeType_t how = a.type == GN_TYPE_BF16 ? CUBLAS_COMPUTE_32F : CUBLAS_COMPUTE_32F_PEDANTIC;
    ASK(cublasSetStream_v2(l->handle, (cudaStream_t)c->stream));
    ASK(cublasSetWorkspace_v2(l->handle, (char *)c->scratch + l->workspace, l->room)); // the stream forgot it
    ASK(cublasGemmEx(l->handle, b.turned ? CUBLAS_OP_T : CUBLAS_OP_N, a.turned ? CUBLAS_OP_T : CUBLAS_OP_N, n, m, k, &one, b.data,
                     type_of(b.type), b.turned ? k : n, a.data, type_of(a.type), a.turned ? m : k, &old, to, type_of(type), n, how,
                     CUBLAS_GEMM_DEFAULT));
    return GN_OK;
}

static gn_type work_of(gn_type a, gn_type b) { return a == GN_TYPE_BF16 && b == GN_TYPE_BF16 ? GN_TYPE_BF16 : GN_TYPE_REAL; }
static int width(const gn_cublas *l) { return (int)(l->x.places * l->x.c); }

// x as [n][c places] of this type: where it lies, or in scratch
static matrix x_of(const gn_cublas *l, const gn_call *c, gn_type type) {
    const gn_tensor *x = &c->in[0];
    if (l->x.places == 1 && x->type == type) return { x->data, type, 0 };
    gn_tensor to = *x;
    to.type = type;
    to.data = (char *)c->scratch + l->at_x;
    if (l->x.places == 1) gn_copy_or_add_cuda(x, &to, 1, c->stream);
    else turn_run(x->data, x->type, to.data, type, l->x.n, (int)l->x.places, l->x.c, 0, c->stream);
    return { to.data, type, 0 };
}
static matrix dy_of(const gn_cublas *l, const gn_call *c, gn_type type, int turned) {
    if (c->d_out[0].type == type) return { c->d_out[0].data, type, turned };
    gn_tensor to = c->d_out[0];
    to.type = type;
    to.data = (char *)c->scratch + l->at_y;
    gn_copy_or_add_cuda(&c->d_out[0], &to, 1, c->stream);
    return { to.data, type, turned };
}
static matrix w_of(const gn_call *c, gn_type type, int turned) {
    return { type == GN_TYPE_BF16 ? c->shadow : c->param[0].data, type, turned };
}

template <class A, class B> static __global__ void __launch_bounds__(TURNERS) end(const A *sum, B *y, const float *bias, int64_t n, int o) {
    const int64_t i = (int64_t)blockIdx.x * TURNERS + threadIdx.x;
    if (i < n) gn_store(y, i, gn_load(sum, i) + (bias ? bias[i % o] : 0.0f));
}

gn_status gn_cublas_forward(const gn_cublas *l, const gn_call *c) {
    const gn_type work = c->in[0].type, type = work == GN_TYPE_BF16 ? c->out[0].type : GN_TYPE_REAL;
    const float *bias = ((const gn_linear_attr *)c->attr)->bias ? (const float *)c->param[1].data : NULL;
    const int apart = type != c->out[0].type;
    void *sum = apart ? (char *)c->scratch + l->at_y : c->out[0].data;
    const int64_t count = l->x.n * l->o;
    GN_TRY(multiply(l, c, (int)l->x.n, l->o, width(l), x_of(l, c, work), w_of(c, work, 1), sum, type, 0));
    if (apart || bias)
        GN_BY_TYPE(type, A, GN_BY_TYPE(c->out[0].type, B,
            GN_LAUNCH((end<A, B>), gn_blocks(count, TURNERS), TURNERS, 0, c->stream, (const A *)sum, (B *)c->out[0].data, bias, count,
                      l->o)));
    return gn_launched("linear forward, cuBLAS", c->stream);
}

gn_status gn_cublas_weights(const gn_cublas *l, const gn_call *c) {
    const gn_type work = work_of(c->in[0].type, c->d_out[0].type);
    GN_TRY(multiply(l, c, l->o, width(l), (int)l->x.n, dy_of(l, c, work, 1), x_of(l, c, work), c->d_param[0].data, GN_TYPE_REAL, 0));
    return gn_launched("linear backward, weights, cuBLAS", c->stream);
}

gn_status gn_cublas_data(const gn_cublas *l, const gn_call *c) {
    const gn_type work = c->d_out[0].type, type = work == GN_TYPE_BF16 ? c->in[0].type : GN_TYPE_REAL;
    const int add = !(c->first & 1), apart = l->x.places > 1 || type != c->in[0].type;
    gn_tensor sum = c->d_in[0];
    sum.type = type;
    if (apart) sum.data = (char *)c->scratch + l->at_x;
    GN_TRY(multiply(l, c, (int)l->x.n, width(l), l->o, dy_of(l, c, work, 0), w_of(c, work, 0), sum.data, type, apart ? 0 : add));
    if (l->x.places > 1) turn_run(sum.data, type, c->d_in[0].data, c->in[0].type, l->x.n, l->x.c, (int)l->x.places, add, c->stream);
    else if (apart) gn_copy_or_add_cuda(&sum, &c->d_in[0], !add, c->stream);
    return gn_launched("linear backward, data, cuBLAS", c->stream);
}

extern "C" const char *gn_cublas_version(void) {
    static char text[32];
    int v[3] = { 0, 0, 0 };
    if (missing()) return "absent";
    for (int i = 0; i < 3; i++)
        if (lib.cublasGetProperty((libraryPropertyType)i, &v[i]) != CUBLAS_STATUS_SUCCESS) return "of an unknown version";
    snprintf(text, sizeof text, "%d.%d.%d", v[0], v[1], v[2]);
    return text;
}

#else // nothing to compile against

static gn_status absent(void) { GN_FAIL(NO_DEVICE, "device.impl: library: this build has no cuBLAS"); }
gn_status gn_cublas_plan(const gn_call *, gn_arena *, gn_cublas **, size_t *) { return absent(); }
gn_status gn_cublas_forward(const gn_cublas *, const gn_call *) { return absent(); }
gn_status gn_cublas_weights(const gn_cublas *, const gn_call *) { return absent(); }
gn_status gn_cublas_data(const gn_cublas *, const gn_call *) { return absent(); }
extern "C" const char *gn_cublas_version(void) { return "absent"; }
#endif
