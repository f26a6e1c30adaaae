/* conv.c - convolution with what belongs to it: norm and ReLU of its input before, a residual after.
 *
 * The CPU goes in passes over the shard: relu(norm(x)) into scratch, convolve, add. Nothing is kept for
 * backward but the statistics; it makes relu(norm(x)) again from x. Each of the three convolutions
 * (forward, data, weights) is the library's where that is fast, else the loop below, which is the
 * reference: any blocks, any kernel, gn_real or bf16 storage, sums in gn_real. */
#include "conv.h"
#include "gnomon/attr.h"
#include "norm.h"
#include "onednn.h"
#include "store.h"
#include "wgrad.h"
#include <assert.h>
#include <string.h>

typedef struct {
    gn_conv_shape s;
    gn_onednn_conv *lib;
    unsigned can;                          /* by the library */
    int planar;                            /* the library reads x as [N C H W] */
    int indirect;                          /* x is not read where it lies, nor its slope written there */
    int wgrad;                             /* the gradient of weights is by our fast loop, whoever else could */
    int widen;                             /* the slope of y comes in another type than `work` */
    size_t at_x, at_dy, at_planes, at_lib, at_wgrad; /* in scratch; the slope of x replaces x */
    size_t at_turned;                      /* in the shadow, behind the library's part */
} plan_of;

/* --- the reference loops --- */

/* acc += sum over b of src[b] w[b], w[b] being `step` apart */
GN_INLINE void lanes_add(gn_real *restrict acc, int lanes, const void *src, gn_type type, int64_t at,
                         int64_t n, const gn_real *restrict w, int64_t step) {
    for (int64_t b = 0; b < n; b++) {
        gn_real x = gn_get(src, type, at + b);
        for (int i = 0; i < lanes; i++) acc[i] += x * w[b * step + i];
    }
}

static void lanes_add_any(gn_real *acc, int lanes, const void *src, gn_type type, int64_t at, int64_t n,
                          const gn_real *w, int64_t step) {
    if (lanes == GN_LANES && type == GN_TYPE_REAL)
        lanes_add(acc, GN_LANES, src, GN_TYPE_REAL, at, n, w, step);
    else
        lanes_add(acc, lanes, src, type, at, n, w, step);
}

static int lanes_from(int64_t at, int64_t block) {
    return block - at < GN_LANES ? (int)(block - at) : GN_LANES;
}

typedef struct {
    int64_t channels, blocks, block, h, w;
} side; /* x's or y's */

static side x_side(const gn_conv_shape *s) {
    return (side){ s->c, (s->c + s->in_block - 1) / s->in_block, s->in_block, s->h, s->w };
}
static side y_side(const gn_conv_shape *s) {
    return (side){ s->o, (s->o + s->out_block - 1) / s->out_block, s->out_block, s->oh, s->ow };
}
static int64_t place(const side *a, int64_t n, int64_t block, int64_t y, int64_t x) {
    return (((n * a->blocks + block) * a->h + y) * a->w + x) * a->block;
}
/* [ceil(O/Bo)][ceil(I/Bi)][kh][kw][Bi][Bo] */
static int64_t tap(const gn_conv_shape *s, const side *in, const side *out, int64_t ob, int64_t ib,
                   int64_t ky, int64_t kx) {
    return (((ob * in->blocks + ib) * s->kernel + ky) * s->kernel + kx) * in->block * out->block;
}

static void y_at(const gn_conv_shape *s, const void *x, const gn_real *w, const gn_real *bias, void *y,
                 int64_t n, int64_t ob, int64_t oy, int64_t ox) {
    const side in = x_side(s), out = y_side(s);
    for (int64_t l = 0; l < out.block; l += GN_LANES) {
        int lanes = lanes_from(l, out.block);
        gn_real acc[GN_LANES] = { 0 };
        for (int i = 0; bias && i < lanes; i++) acc[i] = bias[ob * out.block + l + i];
        for (int64_t ib = 0; ib < in.blocks; ib++)
            for (int64_t ky = 0; ky < s->kernel; ky++)
                for (int64_t kx = 0; kx < s->kernel; kx++) {
                    int64_t iy = oy * s->stride + ky - s->pad, ix = ox * s->stride + kx - s->pad;
                    if (iy < 0 || iy >= s->h || ix < 0 || ix >= s->w) continue;
                    lanes_add_any(acc, lanes, x, s->work, place(&in, n, ib, iy, ix), in.block,
                                  w + tap(s, &in, &out, ob, ib, ky, kx) + l, out.block);
                }
        for (int i = 0; i < lanes; i++) gn_put(y, s->out, place(&out, n, ob, oy, ox) + l + i, acc[i]);
    }
}

static void loop_forward(const gn_conv_shape *s, const void *x, const gn_real *w, const gn_real *bias,
                         void *y) {
    const side out = y_side(s);
    for (int64_t n = 0; n < s->n; n++)
        for (int64_t ob = 0; ob < out.blocks; ob++)
            for (int64_t oy = 0; oy < s->oh; oy++)
                for (int64_t ox = 0; ox < s->ow; ox++) y_at(s, x, w, bias, y, n, ob, oy, ox);
}

/* Weights with each tap's [Bi][Bo] turned to [Bo][Bi], so that the slope of x is made in lanes too. */
static void loop_prepare(const gn_conv_shape *s, const gn_real *w, gn_real *turned) {
    const side in = x_side(s), out = y_side(s);
    const int64_t taps = out.blocks * in.blocks * s->kernel * s->kernel, size = in.block * out.block;
    for (int64_t t = 0; t < taps; t++)
        for (int64_t i = 0; i < in.block; i++)
            for (int64_t o = 0; o < out.block; o++)
                turned[t * size + o * in.block + i] = w[t * size + i * out.block + o];
}

static void dx_at(const gn_conv_shape *s, const void *dy, const gn_real *turned, void *dx, int64_t n,
                  int64_t ib, int64_t iy, int64_t ix) {
    const side in = x_side(s), out = y_side(s);
    for (int64_t l = 0; l < in.block; l += GN_LANES) {
        int lanes = lanes_from(l, in.block);
        gn_real acc[GN_LANES] = { 0 };
        for (int64_t ob = 0; ob < out.blocks; ob++)
            for (int64_t ky = 0; ky < s->kernel; ky++)
                for (int64_t kx = 0; kx < s->kernel; kx++) {
                    int64_t ty = iy + s->pad - ky, tx = ix + s->pad - kx; /* = stride times y's place */
                    if (ty < 0 || tx < 0 || ty % s->stride || tx % s->stride) continue;
                    int64_t oy = ty / s->stride, ox = tx / s->stride;
                    if (oy >= s->oh || ox >= s->ow) continue;
                    lanes_add_any(acc, lanes, dy, s->work, place(&out, n, ob, oy, ox), out.block,
                                  turned + tap(s, &in, &out, ob, ib, ky, kx) + l, in.block);
                }
        for (int i = 0; i < lanes; i++) gn_put(dx, s->work, place(&in, n, ib, iy, ix) + l + i, acc[i]);
    }
}

static void loop_data(const gn_conv_shape *s, const void *dy, const gn_real *turned, void *dx) {
    const side in = x_side(s);
    for (int64_t n = 0; n < s->n; n++)
        for (int64_t ib = 0; ib < in.blocks; ib++)
            for (int64_t iy = 0; iy < s->h; iy++)
                for (int64_t ix = 0; ix < s->w; ix++) dx_at(s, dy, turned, dx, n, ib, iy, ix);
}

/* dw += the outer product of x and dy at one place */
static void outer_add(const gn_conv_shape *s, const void *x, int64_t at_x, int64_t bi, const void *dy,
                      int64_t at_y, int64_t bo, gn_real *restrict dw) {
    for (int64_t l = 0; l < bo; l += GN_LANES) {
        int lanes = lanes_from(l, bo);
        gn_real g[GN_LANES];
        for (int i = 0; i < lanes; i++) g[i] = gn_get(dy, s->work, at_y + l + i);
        for (int64_t i = 0; i < bi; i++) {
            gn_real v = gn_get(x, s->work, at_x + i);
            for (int k = 0; k < lanes; k++) dw[i * bo + l + k] += v * g[k];
        }
    }
}

static void dw_tap(const gn_conv_shape *s, const void *x, const void *dy, int64_t ob, int64_t ib, int64_t ky,
                   int64_t kx, gn_real *dw) {
    const side in = x_side(s), out = y_side(s);
    memset(dw, 0, sizeof *dw * (size_t)(in.block * out.block));
    for (int64_t n = 0; n < s->n; n++)
        for (int64_t oy = 0; oy < s->oh; oy++)
            for (int64_t ox = 0; ox < s->ow; ox++) {
                int64_t iy = oy * s->stride + ky - s->pad, ix = ox * s->stride + kx - s->pad;
                if (iy < 0 || iy >= s->h || ix < 0 || ix >= s->w) continue;
                outer_add(s, x, place(&in, n, ib, iy, ix), in.block, dy, place(&out, n, ob, oy, ox),
                          out.block, dw);
            }
}

static void loop_weights(const gn_conv_shape *s, const void *x, const void *dy, gn_real *dw) {
    const side in = x_side(s), out = y_side(s);
    for (int64_t ob = 0; ob < out.blocks; ob++)
        for (int64_t ib = 0; ib < in.blocks; ib++)
            for (int64_t ky = 0; ky < s->kernel; ky++)
                for (int64_t kx = 0; kx < s->kernel; kx++)
                    dw_tap(s, x, dy, ob, ib, ky, kx, dw + tap(s, &in, &out, ob, ib, ky, kx));
}

static void loop_bias(const gn_conv_shape *s, const void *dy, gn_real *db) {
    const side out = y_side(s);
    for (int64_t o = 0; o < s->o; o++) {
        double sum = 0;
        for (int64_t n = 0; n < s->n; n++)
            for (int64_t i = 0; i < s->oh * s->ow; i++)
                sum += (double)gn_get(dy, s->work, place(&out, n, o / out.block, 0, i) + o % out.block);
        db[o] = (gn_real)sum;
    }
}

/* --- the op --- */

static gn_status shape(const void *attr, int n_in, const gn_shape *in, gn_op_shape *s) {
    const gn_conv_attr *a = attr;
    const int64_t *d = in->d, k = a->kernel, stride = a->stride, pad = k / 2;
    if (in->n != 4) GN_FAIL(BAD_SHAPE, "conv: expected [N C H W], got %s", gn_shape_text(in));
    if (k < 1 || stride < 1 || a->channels < 1)
        GN_FAIL(BAD_SHAPE, "conv: expected kernel, stride and channels of at least 1, got %d, %d, %d",
                a->kernel, a->stride, a->channels);
    if (d[2] + 2 * pad < k || d[3] + 2 * pad < k)
        GN_FAIL(BAD_SHAPE, "conv: a kernel of %d does not fit %s", a->kernel, gn_shape_text(in));
    s->out = (gn_shape){
        4, { d[0], a->channels, (d[2] + 2 * pad - k) / stride + 1, (d[3] + 2 * pad - k) / stride + 1 }
    };
    if (n_in != 1 + !!a->add) GN_FAIL(BAD_SHAPE, "conv: expected %d inputs, got %d", 1 + !!a->add, n_in);
    if (a->add && !gn_shape_same(&in[1], &s->out))
        GN_FAIL(BAD_SHAPE, "conv: the residual is %s, the result %s", gn_shape_text(&in[1]),
                gn_shape_text(&s->out));
    s->param[s->n_param++] = (gn_shape){ 4, { a->channels, d[1], k, k } };
    if (a->bias) s->param[s->n_param++] = (gn_shape){ 1, { a->channels } };
    if (!a->norm) return GN_OK;
    for (int i = 0; i < 4; i++) s->param[s->n_param++] = (gn_shape){ 1, { d[1] } };
    s->saved[0] = (gn_shape){ 1, { 2 * d[1] } };
    s->saved_type[0] = GN_TYPE_REAL;
    s->norm_channels = (int)d[1];
    return GN_OK;
}

static size_t reserve(size_t *total, size_t bytes) {
    size_t at = *total;
    *total += (bytes + 63) / 64 * 64;
    return at;
}

static gn_status plan(const gn_call *c, gn_arena *arena, gn_impl impl, void **state, size_t *scratch,
                      size_t *shadow) {
    const gn_conv_attr *a = c->attr;
    const gn_tensor *x = &c->in[0], *y = &c->out[0];
    const int64_t *d = x->shape.d, *e = y->shape.d;
    const int bf16 = x->type == GN_TYPE_BF16 || y->type == GN_TYPE_BF16;
    plan_of *p;
    GN_TAKE(p, arena, 1);
    p->s = (gn_conv_shape){
        d[0],      d[1],      d[2],          d[3],    e[1],     e[2],     e[3],
        a->kernel, a->stride, a->kernel / 2, a->bias, x->block, y->block, bf16 ? GN_TYPE_BF16 : GN_TYPE_REAL,
        y->type
    };
    size_t lib_scratch = 0, lib_shadow = 0, elements = (size_t)(gn_tensor_count(x));
#ifdef GN_ONEDNN
    if (impl != GN_IMPL_OWN) {
        gn_onednn_conv_facts facts;
        GN_TRY(gn_onednn_conv_plan(&p->s, arena, &p->lib, &facts));
        p->can = facts.can;
        p->planar = facts.planar;
        lib_scratch = facts.scratch;
        lib_shadow = facts.shadow;
    }
#endif
    p->indirect = a->norm || a->relu || x->type != p->s.work;
    p->widen = y->type != p->s.work;
    *scratch = 0;
    p->at_x = reserve(scratch, elements * gn_type_bytes(p->s.work));
    p->at_dy = reserve(scratch, p->widen ? (size_t)gn_tensor_count(y) * gn_type_bytes(p->s.work) : 0);
    p->at_planes = reserve(scratch, p->planar ? elements * gn_type_bytes(p->s.work) : 0);
    p->at_lib = reserve(scratch, lib_scratch);
    const size_t fast = impl == GN_IMPL_FASTEST ? gn_wgrad_scratch(&p->s) : 0;
    p->wgrad = fast > 0;
    p->at_wgrad = reserve(scratch, fast);
    const side in = x_side(&p->s), out = y_side(&p->s);
    size_t turned =
        sizeof(gn_real) * (size_t)(in.blocks * in.block * out.blocks * out.block * a->kernel * a->kernel);
    *shadow = 0;
    reserve(shadow, lib_shadow);
    p->at_turned = reserve(shadow, p->can & GN_CONV_DATA ? 0 : turned);
    *state = p;
    return GN_OK;
}

static void *in_scratch(const gn_call *c, size_t at) { return (char *)c->scratch + at; }

static gn_norm_by by(const gn_call *c) {
    const gn_conv_attr *a = c->attr;
    const int i = 1 + !!a->bias;
    if (!a->norm) return (gn_norm_by){ .relu = a->relu };
    return (gn_norm_by){ c->saved[0].data, c->param[i].data, c->param[i + 1].data, a->relu };
}

/* [N H W C] to [N C H W], for libraries that want a picture's planes */
static void planes_from(const gn_conv_shape *s, const void *x, void *planes) {
    for (int64_t n = 0; n < s->n; n++)
        for (int64_t i = 0; i < s->h * s->w; i++)
            for (int64_t ch = 0; ch < s->c; ch++)
                gn_put(planes, s->work, (n * s->c + ch) * s->h * s->w + i,
                       gn_get(x, s->work, (n * s->h * s->w + i) * s->c + ch));
}

/* x as the convolution reads it: where it lies, or made in scratch. */
static const void *x_ready(const gn_call *c, const plan_of *p, int by_library) {
    const void *x = c->in[0].data;
    gn_tensor made = c->in[0];
    made.type = p->s.work;
    made.data = in_scratch(c, p->at_x);
    if (p->indirect) gn_norm_apply(&c->in[0], by(c), &made), x = made.data;
    if (!by_library || !p->planar) return x;
    planes_from(&p->s, x, in_scratch(c, p->at_planes));
    return in_scratch(c, p->at_planes);
}

static gn_status prepare(const gn_call *c) {
    const plan_of *p = c->state;
    char *shadow = (char *)(uintptr_t)c->shadow;
    if (!(p->can & GN_CONV_DATA))
        loop_prepare(&p->s, c->param[0].data, (gn_real *)(void *)(shadow + p->at_turned));
#ifdef GN_ONEDNN
    if (p->can) GN_TRY(gn_onednn_conv_prepare(p->lib, c->param[0].data, shadow, in_scratch(c, p->at_lib)));
#endif
    return GN_OK;
}

static gn_status forward(const gn_call *c) {
    const gn_conv_attr *a = c->attr;
    const plan_of *p = c->state;
    const int i = 1 + !!a->bias;
    if (a->norm && c->mode == GN_TRAIN && c->phase == 0) return gn_norm_sums(&c->in[0], c->sums), GN_OK;
    if (a->norm) gn_norm_stat(c, c->param[i + 2].data, c->param[i + 3].data, c->saved[0].data);

    const gn_real *bias = a->bias ? c->param[1].data : NULL;
    const void *x = x_ready(c, p, !!(p->can & GN_CONV_FORWARD));
    if (!(p->can & GN_CONV_FORWARD)) loop_forward(&p->s, x, c->param[0].data, bias, c->out[0].data);
#ifdef GN_ONEDNN
    else
        GN_TRY(gn_onednn_conv_forward(p->lib, x, c->param[0].data, c->shadow, bias, c->out[0].data,
                                      in_scratch(c, p->at_lib)));
#endif
    if (a->add) gn_copy_or_add(&c->in[1], &c->out[0], 0);
    return GN_OK;
}

static gn_status weights_back(const gn_call *c, const plan_of *p, const void *dy) {
    const gn_conv_attr *a = c->attr;
    gn_real *dw = c->d_param[0].data, *db = a->bias ? c->d_param[1].data : NULL;
    if (!dw) return GN_OK; /* frozen: all of a scope, or nothing */
    const void *x = x_ready(c, p, !p->wgrad && (p->can & GN_CONV_WEIGHTS));
    if (p->wgrad) return gn_wgrad(&p->s, x, dy, dw, db, in_scratch(c, p->at_wgrad)), GN_OK;
#ifdef GN_ONEDNN
    if (p->can & GN_CONV_WEIGHTS)
        return gn_onednn_conv_weights(p->lib, x, dy, dw, db, in_scratch(c, p->at_lib));
#endif
    loop_weights(&p->s, x, dy, dw);
    if (db) loop_bias(&p->s, dy, db);
    return GN_OK;
}

static gn_status data_back(const gn_call *c, const plan_of *p, const void *dy, void *dx) {
#ifdef GN_ONEDNN
    if (p->can & GN_CONV_DATA)
        return gn_onednn_conv_data(p->lib, dy, c->param[0].data, c->shadow, dx, in_scratch(c, p->at_lib));
#endif
    loop_data(&p->s, dy, (const gn_real *)(const void *)((const char *)c->shadow + p->at_turned), dx);
    return GN_OK;
}

static gn_status backward(const gn_call *c) {
    const gn_conv_attr *a = c->attr;
    const plan_of *p = c->state;
    const int i = 1 + !!a->bias;
    gn_tensor g = c->in[0], dy = c->d_out[0]; /* slope of what the convolution read */
    g.type = p->s.work;
    g.data = in_scratch(c, p->at_x);
    if (c->phase == 1) {
        if (c->d_in[0].data)
            gn_norm_back(&c->in[0], &g, by(c), c->total, c->count, &c->d_in[0], c->first & 1);
        return GN_OK;
    }
    if (p->widen) {
        dy.type = p->s.work;
        dy.data = in_scratch(c, p->at_dy);
        gn_copy_or_add(&c->d_out[0], &dy, 1);
    }
    GN_TRY(weights_back(c, p, dy.data));
    if (a->add && c->d_in[1].data && c->d_in[1].data != c->d_out[0].data)
        gn_copy_or_add(&c->d_out[0], &c->d_in[1], !!(c->first & 2));

    const int direct = !p->indirect && (c->first & 1);
    if (!a->norm && !c->d_in[0].data) return GN_OK;
    GN_TRY(data_back(c, p, dy.data, direct ? c->d_in[0].data : g.data));
    if (a->norm) {
        gn_norm_back_sums(&c->in[0], &g, by(c), c->sums);
        gn_norm_slopes(c, &c->d_param[i], &c->d_param[i + 1]);
    } else if (a->relu) {
        gn_norm_back(&c->in[0], &g, by(c), NULL, 1, &c->d_in[0], c->first & 1);
    } else if (!direct) {
        gn_copy_or_add(&g, &c->d_in[0], c->first & 1);
    }
    return GN_OK;
}

const gn_op gn_op_conv = {
    .name = "conv",
    .shape = shape,
    .plan = { plan, gn_conv_plan_cuda },
    .prepare = { prepare },
    .forward = { forward, gn_conv_forward_cuda },
    .backward = { backward, gn_conv_backward_cuda },
    .passes = 2,
    .forgets = 2,
    .leaves_rows = 1,
};
