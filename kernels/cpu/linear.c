/* linear.c - y = W x + bias over [N C H W], flattened in C, H, W order, or [N C].
 *
 * An activation is copied into rows first (blocks undone, bf16 widened), so that the weights keep the
 * dense [O, C*H*W] of every checkpoint; products are the library's, or the loop below. */
#include "gnomon/attr.h"
#include "gnomon/op.h"
#include "onednn.h"
#include "store.h"
#include <string.h>

typedef struct {
    int library;
    size_t at_dy, at_dx;
} plan_of; /* places in scratch; rows of x come first */

static int64_t row_of(const gn_tensor *x) { return gn_shape_count(&x->shape) / x->shape.d[0]; }

static gn_status shape(const void *attr, int n_in, const gn_shape *in, gn_op_shape *s) {
    const gn_linear_attr *a = attr;
    (void)n_in;
    if (in->n != 4 && in->n != 2)
        GN_FAIL(BAD_SHAPE, "linear: expected [N C H W] or [N C], got %s", gn_shape_text(in));
    if (a->channels < 1) GN_FAIL(BAD_SHAPE, "linear: expected at least 1 channel, got %d", a->channels);
    s->out = (gn_shape){ 2, { in->d[0], a->channels } };
    s->param[s->n_param++] = (gn_shape){ 2, { a->channels, gn_shape_count(in) / in->d[0] } };
    if (a->bias) s->param[s->n_param++] = (gn_shape){ 1, { a->channels } };
    return GN_OK;
}

static gn_status plan(const gn_call *c, gn_arena *arena, gn_impl impl, void **state, size_t *scratch,
                      size_t *shadow) {
    plan_of *p;
    GN_TAKE(p, arena, 1);
    size_t rows = sizeof(gn_real) * (size_t)gn_shape_count(&c->in[0].shape);
    size_t out = sizeof(gn_real) * (size_t)gn_shape_count(&c->out[0].shape);
    p->library = impl != GN_IMPL_OWN;
    p->at_dy = (rows + 63) / 64 * 64;
    p->at_dx = p->at_dy + (out + 63) / 64 * 64;
    *scratch = p->at_dx + rows;
    *shadow = 0;
    *state = p;
    return GN_OK;
}

/* visit(place in memory, place in the rows) for each element */
#define EACH(t, at, row)                                                                                  \
    const gn_planes q = gn_planes_of(t);                                                                  \
    int64_t row = 0;                                                                                      \
    for (int64_t n = 0; n < q.n; n++)                                                                     \
        for (int64_t ch = 0; ch < q.c; ch++)                                                              \
            for (int64_t p = 0, at = ((n * q.blocks + ch / q.block) * q.places) * q.block + ch % q.block; \
                 p < q.places; p++, at += q.block, row++)

static void rows_from(const gn_tensor *x, gn_real *rows) {
    EACH(x, at, row) rows[row] = gn_get(x->data, x->type, at);
}

static void rows_into(const gn_real *rows, const gn_tensor *x, int first) {
    if (first) memset(x->data, 0, gn_tensor_bytes(x)); /* padded lanes too */
    EACH(x, at, row)
    gn_put(x->data, x->type, at, first ? rows[row] : gn_get(x->data, x->type, at) + rows[row]);
}

/* C [m n] = A [m k] B [k n], row-major, either transposed; + C when `add` */
static gn_status product(const plan_of *p, int ta, int tb, int64_t m, int64_t n, int64_t k, const gn_real *a,
                         const gn_real *b, int add, gn_real *c) {
#ifdef GN_ONEDNN
    if (p->library) return gn_onednn_product(ta, tb, m, n, k, a, b, (float)add, c);
#else
    (void)p;
#endif
    if (!add) memset(c, 0, sizeof *c * (size_t)(m * n));
    for (int64_t i = 0; i < m; i++)
        for (int64_t l = 0; l < k; l++) {
            gn_real x = ta ? a[l * m + i] : a[i * k + l];
            if (tb)
                for (int64_t j = 0; j < n; j++) c[i * n + j] += x * b[j * k + l];
            else
                for (int64_t j = 0; j < n; j++) c[i * n + j] += x * b[l * n + j];
        }
    return GN_OK;
}

static gn_status forward(const gn_call *c) {
    const gn_linear_attr *a = c->attr;
    const plan_of *p = c->state;
    const int64_t n = c->in[0].shape.d[0], k = row_of(&c->in[0]), o = a->channels;
    gn_real *rows = c->scratch, *y = (gn_real *)(void *)((char *)c->scratch + p->at_dy);
    rows_from(&c->in[0], rows);
    for (int64_t i = 0; a->bias && i < n; i++) memcpy(y + i * o, c->param[1].data, sizeof *y * (size_t)o);
    GN_TRY(product(p, 0, 1, n, o, k, rows, c->param[0].data, a->bias, y));
    rows_into(y, &c->out[0], 1);
    return GN_OK;
}

static gn_status backward(const gn_call *c) {
    const gn_linear_attr *a = c->attr;
    const plan_of *p = c->state;
    const int64_t n = c->in[0].shape.d[0], k = row_of(&c->in[0]), o = a->channels;
    gn_real *rows = c->scratch, *dy = (gn_real *)(void *)((char *)c->scratch + p->at_dy);
    gn_real *dx = (gn_real *)(void *)((char *)c->scratch + p->at_dx),
            *db = a->bias ? c->d_param[1].data : NULL;
    rows_from(&c->d_out[0], dy);
    if (c->d_param[0].data) {
        rows_from(&c->in[0], rows);
        GN_TRY(product(p, 1, 0, o, k, n, dy, rows, 0, c->d_param[0].data));
    }
    for (int64_t j = 0; db && j < o; j++) {
        double sum = 0;
        for (int64_t i = 0; i < n; i++) sum += (double)dy[i * o + j];
        db[j] = (gn_real)sum;
    }
    if (!c->d_in[0].data) return GN_OK;
    GN_TRY(product(p, 0, 0, n, k, o, dy, c->param[0].data, 0, dx));
    rows_into(dx, &c->d_in[0], c->first & 1);
    return GN_OK;
}

const gn_op gn_op_linear = {
    .name = "linear",
    .shape = shape,
    .plan = { plan, gn_linear_plan_cuda },
    .forward = { forward, gn_linear_forward_cuda },
    .backward = { backward, gn_linear_backward_cuda },
};
