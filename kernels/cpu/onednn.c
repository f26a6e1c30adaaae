/* onednn.c - the fast convolutions and products: oneDNN 2.6 and 3.x, behind onednn.h.
 *
 * Primitives are made at plan time, on channel-blocked activations that are never reordered. Weights go
 * in as the slab has them where the library reads them so, else `prepare` reorders them once a step.
 * The algorithm is a function of shape and instruction set, never of a clock, so that runs repeat. */
#include "onednn.h"
#include "gnomon/version.h"
#include <dlfcn.h>
#include <oneapi/dnnl/dnnl.h>
#include <string.h>
#include <threads.h>

static const char *text_of(dnnl_status_t s) {
    switch (s) {
    case dnnl_success: return "success";
    case dnnl_out_of_memory: return "out of memory";
    case dnnl_invalid_arguments: return "invalid arguments";
    case dnnl_unimplemented: return "unimplemented";
    default: return "runtime error";
    }
}

#define CALL(call)                                                                                            \
    do {                                                                                                      \
        dnnl_status_t s_ = (call);                                                                            \
        if (s_ != dnnl_success) GN_FAIL(FAILED, "oneDNN: %s: %s", #call, text_of(s_));                        \
    } while (0)

/* --- what differs between 2.6 and 3.x --- */

#if DNNL_VERSION_MAJOR >= 3
typedef const_dnnl_memory_desc_t md_ref;
typedef dnnl_memory_desc_t md; /* owned */
static md_ref ref(const md *d) { return *d; }
static dnnl_status_t md_make(md *d, int n, const dnnl_dims_t dims, dnnl_data_type_t type, dnnl_format_tag_t tag) {
    return dnnl_memory_desc_create_with_tag(d, n, dims, type, tag);
}
static void md_drop(md *d) { if (*d) dnnl_memory_desc_destroy(*d); }
static dnnl_status_t handle_set(dnnl_memory_t m, void *data) { return dnnl_memory_set_data_handle(m, data); }
#else
typedef const dnnl_memory_desc_t *md_ref;
typedef dnnl_memory_desc_t md;
static md_ref ref(const md *d) { return d; }
static dnnl_status_t md_make(md *d, int n, const dnnl_dims_t dims, dnnl_data_type_t type, dnnl_format_tag_t tag) {
    return dnnl_memory_desc_init_by_tag(d, n, dims, type, tag);
}
static void md_drop(md *d) { (void)d; }
/* The older call writes zeros into padded lanes; they are zero already, and may be another thread's. */
static dnnl_status_t handle_set(dnnl_memory_t m, void *data) { return dnnl_memory_set_data_handle_v2(m, data, NULL); }
#endif

typedef struct { /* descriptors of one convolution */
    md x, w, d_w, b, y;
    dnnl_dims_t stride, dilate, before, after;
} shape_of;

static dnnl_status_t forward_make(const shape_of *s, dnnl_alg_kind_t alg, int bias, dnnl_primitive_attr_t attr,
                                  dnnl_engine_t e, dnnl_primitive_desc_t *pd) {
#if DNNL_VERSION_MAJOR >= 3
    return dnnl_convolution_forward_primitive_desc_create(pd, e, dnnl_forward_training, alg, ref(&s->x), ref(&s->w),
                                                          bias ? ref(&s->b) : NULL, ref(&s->y), s->stride, s->dilate,
                                                          s->before, s->after, attr);
#else
    dnnl_convolution_desc_t d;
    dnnl_status_t status = dnnl_convolution_forward_desc_init(&d, dnnl_forward_training, alg, ref(&s->x), ref(&s->w), bias ? ref(&s->b) : NULL,
                                                              ref(&s->y), s->stride, s->before, s->after);
    return status ? status : dnnl_primitive_desc_create(pd, &d, attr, e, NULL);
#endif
}

static dnnl_status_t data_make(const shape_of *s, dnnl_alg_kind_t alg, dnnl_primitive_desc_t hint,
                               dnnl_primitive_attr_t attr, dnnl_engine_t e, dnnl_primitive_desc_t *pd) {
#if DNNL_VERSION_MAJOR >= 3
    return dnnl_convolution_backward_data_primitive_desc_create(pd, e, alg, ref(&s->x), ref(&s->w), ref(&s->y), s->stride,
                                                                s->dilate, s->before, s->after, hint, attr);
#else
    dnnl_convolution_desc_t d;
    dnnl_status_t status = dnnl_convolution_backward_data_desc_init(&d, alg, ref(&s->x), ref(&s->w), ref(&s->y), s->stride,
                                                                    s->before, s->after);
    return status ? status : dnnl_primitive_desc_create(pd, &d, attr, e, hint);
#endif
}

static dnnl_status_t weights_make(const shape_of *s, dnnl_alg_kind_t alg, int bias, dnnl_primitive_desc_t hint,
                                  dnnl_primitive_attr_t attr, dnnl_engine_t e, dnnl_primitive_desc_t *pd) {
#if DNNL_VERSION_MAJOR >= 3
    return dnnl_convolution_backward_weights_primitive_desc_create(pd, e, alg, ref(&s->x), ref(&s->d_w), bias ? ref(&s->b) : NULL,
                                                                   ref(&s->y), s->stride, s->dilate, s->before, s->after, hint, attr);
#else
    dnnl_convolution_desc_t d;
    dnnl_status_t status = dnnl_convolution_backward_weights_desc_init(&d, alg, ref(&s->x), ref(&s->d_w), bias ? ref(&s->b) : NULL,
                                                                       ref(&s->y), s->stride, s->before, s->after);
    return status ? status : dnnl_primitive_desc_create(pd, &d, attr, e, hint);
#endif
}

/* --- threads and the engine --- */

static dnnl_engine_t engine;
static once_flag engine_once = ONCE_FLAG_INIT;
static void engine_open(void) {
    if (dnnl_engine_create(&engine, dnnl_cpu, 0) != dnnl_success) engine = NULL;
}

/* The library's OpenMP would start a team inside each of our workers. Its runtime is whichever the library
 * was linked with, so the call is looked up instead of linked. Once a thread, planning ones too:
 * primitives are made for as many threads as their maker has. */
static void thread_enter(void) {
    static _Thread_local int done;
    if (done) return;
    union { void *found; void (*set)(int); } omp = { dlsym(RTLD_DEFAULT, "omp_set_num_threads") };
    if (omp.found) omp.set(1);
    done = 1;
}

/* --- one primitive with its memories --- */

enum { SRC, WEIGHTS, BIAS, DST, SCRATCH, ROLES };

typedef struct {
    dnnl_primitive_t run;
    dnnl_memory_t memory[ROLES];
    int arg[ROLES];
    size_t scratch;
} primitive;

typedef struct { /* weights from one layout to another */
    primitive p;
    size_t at, bytes; /* where the result lies: in the shadow, or in scratch */
    int needed;
} turn;

struct gn_onednn_conv {
    dnnl_stream_t stream;
    primitive forward, data, weights;
    turn in_forward, in_data, out_weights; /* slab to forward's and data's layout; weights' layout to slab */
    size_t at_lib;                         /* scratch behind the weights' gradient in the library's layout */
};

static void primitive_drop(primitive *p) {
    if (p->run) dnnl_primitive_destroy(p->run);
    for (int i = 0; i < ROLES; i++)
        if (p->memory[i]) dnnl_memory_destroy(p->memory[i]);
}

static void undo(void *what) {
    gn_onednn_conv *c = what;
    primitive *all[] = { &c->forward, &c->data, &c->weights, &c->in_forward.p, &c->in_data.p, &c->out_weights.p };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) primitive_drop(all[i]);
    if (c->stream) dnnl_stream_destroy(c->stream);
}

static dnnl_status_t memory_add(primitive *p, int role, int arg, md_ref d) {
    p->arg[role] = arg;
    return dnnl_memory_create(&p->memory[role], d, engine, DNNL_MEMORY_NONE);
}

static md_ref query(dnnl_primitive_desc_t pd, dnnl_query_t what) { return dnnl_primitive_desc_query_md(pd, what, 0); }

static gn_status scratch_add(primitive *p, dnnl_primitive_desc_t pd) {
    md_ref d = query(pd, dnnl_query_scratchpad_md);
    p->scratch = d ? dnnl_memory_desc_get_size(d) : 0;
    if (p->scratch) CALL(memory_add(p, SCRATCH, DNNL_ARG_SCRATCHPAD, d));
    CALL(dnnl_primitive_create(&p->run, pd));
    return GN_OK;
}

/* data[r] for each role the primitive has */
static gn_status execute(const primitive *p, dnnl_stream_t stream, void *const data[ROLES]) {
    dnnl_exec_arg_t args[ROLES];
    int n = 0;
    thread_enter();
    for (int i = 0; i < ROLES; i++) {
        if (!p->memory[i]) continue;
        CALL(handle_set(p->memory[i], data[i]));
        args[n++] = (dnnl_exec_arg_t){ p->arg[i], p->memory[i] };
    }
    CALL(dnnl_primitive_execute(p->run, stream, n, args));
    CALL(dnnl_stream_wait(stream));
    return GN_OK;
}

/* --- planning a convolution --- */

static dnnl_format_tag_t activation_tag(int block, int64_t channels) {
    return block == 16 ? dnnl_nChw16c : block == 8 ? dnnl_nChw8c : block == channels ? dnnl_nhwc : dnnl_format_tag_undef;
}

/* The slab's [ceil(O/Bo)][ceil(I/Bi)][kh][kw][Bi][Bo] as the library calls it. */
static dnnl_format_tag_t slab_tag(const gn_conv_shape *s) {
    if (s->in_block == 16 && s->out_block == 16) return dnnl_OIhw16i16o;
    if (s->in_block == 8 && s->out_block == 8) return dnnl_OIhw8i8o;
    if (s->in_block == s->c && s->out_block == 16) return dnnl_Ohwi16o;
    if (s->in_block == s->c && s->out_block == 8) return dnnl_Ohwi8o;
    if (s->in_block == s->c && s->out_block == s->o) return dnnl_hwio;
    return dnnl_format_tag_undef;
}

static gn_status describe(const gn_conv_shape *s, int planar, shape_of *d, md *slab) {
    const dnnl_data_type_t work = s->work == GN_TYPE_BF16 ? dnnl_bf16 : dnnl_f32;
    const dnnl_dims_t x = { s->n, s->c, s->h, s->w }, w = { s->o, s->c, s->kernel, s->kernel }, b = { s->o };
    const dnnl_dims_t y = { s->n, s->o, s->oh, s->ow };
    *d = (shape_of){ .stride = { s->stride, s->stride }, .before = { s->pad, s->pad } };
    d->after[0] = (s->oh - 1) * s->stride + s->kernel - s->h - s->pad;
    d->after[1] = (s->ow - 1) * s->stride + s->kernel - s->w - s->pad;
    CALL(md_make(&d->x, 4, x, work, planar ? dnnl_nchw : activation_tag(s->in_block, s->c)));
    CALL(md_make(&d->w, 4, w, work, dnnl_format_tag_any));
    CALL(md_make(&d->d_w, 4, w, dnnl_f32, dnnl_format_tag_any)); /* gradients are never bf16 */
    CALL(md_make(&d->b, 1, b, dnnl_f32, dnnl_a));
    CALL(md_make(&d->y, 4, y, work, activation_tag(s->out_block, s->o)));
    CALL(md_make(slab, 4, w, dnnl_f32, slab_tag(s)));
    return GN_OK;
}

static const char *how(dnnl_primitive_desc_t pd) {
    const char *name = "";
    dnnl_primitive_desc_query(pd, dnnl_query_impl_info_str, 0, &name);
    return name;
}
static int is_fast(dnnl_primitive_desc_t pd) { return !strstr(how(pd), "ref"); }

/* Keeps *pd only when it is fast. */
static int keep(dnnl_status_t status, dnnl_primitive_desc_t *pd) {
    if (status != dnnl_success) return *pd = NULL, 0;
    if (is_fast(*pd)) return 1;
    dnnl_primitive_desc_destroy(*pd);
    *pd = NULL;
    return 0;
}

/* F(4x4, 3x3): a third of the products, but all 36 weight planes are made anew in every run, so it pays from
 * some number of tiles on. Measured on AVX-512, 16 to 128 channels at 4x4 to 128x128, shards of 1 to 4; the
 * library offers it nowhere else. */
static int winograd(const gn_conv_shape *s, unsigned pass) {
    const int64_t tiles = s->n * ((s->oh + 3) / 4) * ((s->ow + 3) / 4), channels = s->c < s->o ? s->c : s->o;
    if (s->kernel != 3 || s->stride != 1 || s->work != GN_TYPE_REAL || s->in_block != 16 || s->out_block != 16 || channels < 32) return 0;
    return pass == GN_CONV_WEIGHTS ? tiles * channels >= 1024 : tiles >= 32;
}

static gn_status turn_make(turn *t, md_ref from, md_ref to, size_t *at) {
    dnnl_primitive_desc_t pd;
    t->needed = !dnnl_memory_desc_equal(from, to);
    if (!t->needed) return GN_OK;
    t->bytes = dnnl_memory_desc_get_size(to);
    if (at) t->at = *at, *at += (t->bytes + 63) / 64 * 64;
    dnnl_primitive_attr_t attr = NULL;
    CALL(dnnl_primitive_attr_create(&attr));
    dnnl_primitive_attr_set_scratchpad_mode(attr, dnnl_scratchpad_mode_user);
    dnnl_status_t made = dnnl_reorder_primitive_desc_create(&pd, from, engine, to, engine, attr);
    dnnl_primitive_attr_destroy(attr);
    CALL(made);
    gn_status status = GN_OK;
    dnnl_status_t s = memory_add(&t->p, SRC, DNNL_ARG_FROM, from);
    if (!s) s = memory_add(&t->p, DST, DNNL_ARG_TO, to);
    if (!s) status = scratch_add(&t->p, pd);
    dnnl_primitive_desc_destroy(pd);
    CALL(s);
    return status;
}

typedef struct { /* what planning one convolution passes around */
    const gn_conv_shape *s;
    shape_of d;
    md slab;
    dnnl_primitive_attr_t attr;
    gn_onednn_conv *c;
    gn_onednn_conv_facts *facts;
} planning;

/* Descriptor of one pass by one algorithm; only a fast one counts. */
static int found(const planning *p, unsigned pass, dnnl_alg_kind_t alg, dnnl_primitive_desc_t *pd) {
    dnnl_primitive_desc_t forward = NULL;
    if (pass == GN_CONV_FORWARD) return keep(forward_make(&p->d, alg, p->s->bias, p->attr, engine, pd), pd);
    if (forward_make(&p->d, alg, p->s->bias, p->attr, engine, &forward) != dnnl_success) return 0;
    int fast = keep(pass == GN_CONV_DATA ? data_make(&p->d, alg, forward, p->attr, engine, pd)
                                         : weights_make(&p->d, alg, p->s->bias, forward, p->attr, engine, pd), pd);
    dnnl_primitive_desc_destroy(forward);
    return fast;
}

static gn_status pass_build(planning *p, unsigned pass, dnnl_primitive_desc_t pd) {
    const int weights = pass == GN_CONV_WEIGHTS, data = pass == GN_CONV_DATA;
    primitive *q = weights ? &p->c->weights : data ? &p->c->data : &p->c->forward;
    md_ref w = query(pd, weights ? dnnl_query_diff_weights_md : dnnl_query_weights_md);
    CALL(memory_add(q, SRC, data ? DNNL_ARG_DIFF_SRC : DNNL_ARG_SRC, query(pd, data ? dnnl_query_diff_src_md : dnnl_query_src_md)));
    CALL(memory_add(q, WEIGHTS, weights ? DNNL_ARG_DIFF_WEIGHTS : DNNL_ARG_WEIGHTS, w));
    if (p->s->bias && !data) CALL(memory_add(q, BIAS, weights ? DNNL_ARG_DIFF_BIAS : DNNL_ARG_BIAS, ref(&p->d.b)));
    CALL(memory_add(q, DST, weights || data ? DNNL_ARG_DIFF_DST : DNNL_ARG_DST,
                    query(pd, weights || data ? dnnl_query_diff_dst_md : dnnl_query_dst_md)));
    GN_TRY(scratch_add(q, pd));
    if (!weights) return turn_make(data ? &p->c->in_data : &p->c->in_forward, ref(&p->slab), w, &p->facts->shadow);
    GN_TRY(turn_make(&p->c->out_weights, w, ref(&p->slab), NULL));
    if (p->c->out_weights.needed) p->c->at_lib = (dnnl_memory_desc_get_size(w) + 63) / 64 * 64;
    return GN_OK;
}

/* One pass, by the algorithm its shape deserves; left to our own loop where the library has nothing fast. */
static gn_status pass_plan(planning *p, unsigned pass, int place) {
    const gn_conv_shape *s = p->s;
    const dnnl_data_type_t y = pass == GN_CONV_FORWARD && s->out == GN_TYPE_REAL ? dnnl_f32 : s->work == GN_TYPE_BF16 ? dnnl_bf16 : dnnl_f32;
    const dnnl_dims_t dims = { s->n, s->o, s->oh, s->ow };
    dnnl_primitive_desc_t pd = NULL;
    md_drop(&p->d.y);
    CALL(md_make(&p->d.y, 4, dims, y, activation_tag(s->out_block, s->o)));
    if (!(winograd(s, pass) && found(p, pass, dnnl_convolution_winograd, &pd)) && !found(p, pass, dnnl_convolution_direct, &pd))
        return GN_OK;
    p->facts->how[place] = how(pd); /* a text of the library's own */
    p->facts->can |= pass;
    gn_status status = pass_build(p, pass, pd);
    dnnl_primitive_desc_destroy(pd);
    return status;
}

static size_t most(size_t a, size_t b) { return a > b ? a : b; }

gn_status gn_onednn_conv_plan(const gn_conv_shape *s, gn_arena *a, gn_onednn_conv **conv, gn_onednn_conv_facts *facts) {
    *facts = (gn_onednn_conv_facts){ .how = { "", "", "" } };
    *conv = NULL;
    thread_enter();
    call_once(&engine_once, engine_open);
    if (!engine) GN_FAIL(NO_DEVICE, "oneDNN: no CPU engine");
    if (!activation_tag(s->in_block, s->c) || !activation_tag(s->out_block, s->o) || !slab_tag(s)) return GN_OK;

    gn_onednn_conv *c;
    GN_TAKE(c, a, 1);
    GN_TRY(gn_arena_at_end(a, undo, c));
    CALL(dnnl_stream_create(&c->stream, engine, dnnl_stream_default_flags));
    planning p = { .s = s, .c = c, .facts = facts };
    facts->planar = s->in_block == s->c && s->c <= 4; /* first layers: the library reads a picture's planes */
    GN_TRY(describe(s, facts->planar, &p.d, &p.slab));
    CALL(dnnl_primitive_attr_create(&p.attr));
    gn_status status = GN_OK;
    dnnl_primitive_attr_set_scratchpad_mode(p.attr, dnnl_scratchpad_mode_user);
    for (int i = 0; i < 3 && !status; i++) status = pass_plan(&p, 1u << i, i);
    dnnl_primitive_attr_destroy(p.attr);
    md_drop(&p.d.x), md_drop(&p.d.w), md_drop(&p.d.d_w), md_drop(&p.d.b), md_drop(&p.d.y), md_drop(&p.slab);
    facts->scratch = c->at_lib + most(most(c->forward.scratch, c->data.scratch), most(c->weights.scratch,
                     most(c->out_weights.p.scratch, most(c->in_forward.p.scratch, c->in_data.p.scratch))));
    *conv = c;
    GN_TRY(status);
    return GN_OK;
}

/* --- running it; the library's arguments are not const, its reading is --- */

static void *reads(const void *x) { return (void *)(uintptr_t)x; }

gn_status gn_onednn_conv_prepare(const gn_onednn_conv *c, const gn_real *weights, void *shadow, void *scratch) {
    const turn *all[] = { &c->in_forward, &c->in_data };
    for (int i = 0; i < 2; i++)
        if (all[i]->needed) {
            void *data[ROLES] = { [SRC] = reads(weights), [DST] = (char *)shadow + all[i]->at, [SCRATCH] = scratch };
            GN_TRY(execute(&all[i]->p, c->stream, data));
        }
    return GN_OK;
}

static void *turned(const turn *t, const gn_real *weights, const void *shadow) {
    return reads(t->needed ? (const char *)shadow + t->at : (const void *)weights);
}

gn_status gn_onednn_conv_forward(const gn_onednn_conv *c, const void *x, const gn_real *weights, const void *shadow,
                                 const gn_real *bias, void *y, void *scratch) {
    void *data[ROLES] = { reads(x), turned(&c->in_forward, weights, shadow), reads(bias), y, scratch };
    return execute(&c->forward, c->stream, data);
}

gn_status gn_onednn_conv_data(const gn_onednn_conv *c, const void *d_y, const gn_real *weights, const void *shadow,
                              void *d_x, void *scratch) {
    void *data[ROLES] = { d_x, turned(&c->in_data, weights, shadow), NULL, reads(d_y), scratch };
    return execute(&c->data, c->stream, data);
}

gn_status gn_onednn_conv_weights(const gn_onednn_conv *c, const void *x, const void *d_y, gn_real *d_weights,
                                 gn_real *d_bias, void *scratch) {
    void *rest = (char *)scratch + c->at_lib;
    void *data[ROLES] = { reads(x), c->out_weights.needed ? scratch : (void *)d_weights, d_bias, reads(d_y), rest };
    GN_TRY(execute(&c->weights, c->stream, data));
    if (!c->out_weights.needed) return GN_OK;
    void *back[ROLES] = { [SRC] = scratch, [DST] = d_weights, [SCRATCH] = rest };
    return execute(&c->out_weights.p, c->stream, back);
}

gn_status gn_onednn_product(int ta, int tb, int64_t m, int64_t n, int64_t k, const float *a, const float *b, float beta, float *c) {
    thread_enter();
    CALL(dnnl_sgemm(ta ? 'T' : 'N', tb ? 'T' : 'N', m, n, k, 1, a, ta ? m : k, b, tb ? k : n, beta, c, n));
    return GN_OK;
}

const char *gn_onednn_version(void) {
    static char text[32];
    const dnnl_version_t *v = dnnl_version();
    snprintf(text, sizeof text, "%d.%d.%d", v->major, v->minor, v->patch);
    return text;
}
