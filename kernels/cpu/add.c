/* add.c - the sum of two activations of one shape. */
#include "gnomon/op.h"
#include "norm.h"
#include "store.h"

static gn_status shape(const void *attr, int n_in, const gn_shape *in, gn_op_shape *s) {
    (void)attr;
    (void)n_in;
    if (!gn_shape_same(&in[0], &in[1]))
        GN_FAIL(BAD_SHAPE, "add wants two of one shape, got %s and %s", gn_shape_text(&in[0]), gn_shape_text(&in[1]));
    s->out = in[0];
    return GN_OK;
}

GN_INLINE void sum(const gn_call *c, gn_type t0, gn_type t1, gn_type to) {
    int64_t n = gn_tensor_count(c->out);
    const void *a = c->in[0].data, *b = c->in[1].data;
    void *out = c->out->data;
    for (int64_t i = 0; i < n; i++) gn_put(out, to, i, gn_get(a, t0, i) + gn_get(b, t1, i));
}

static gn_status forward(const gn_call *c) {
    gn_type a = c->in[0].type, b = c->in[1].type, to = c->out->type;
    if (a == GN_TYPE_REAL && b == a && to == a) sum(c, GN_TYPE_REAL, GN_TYPE_REAL, GN_TYPE_REAL);
    else if (a == GN_TYPE_BF16 && b == a && to == a) sum(c, GN_TYPE_BF16, GN_TYPE_BF16, GN_TYPE_BF16);
    else sum(c, a, b, to);
    return GN_OK;
}

static gn_status backward(const gn_call *c) {
    for (int i = 0; i < 2; i++) {
        int shared = c->d_in[i].data == c->d_out->data && c->first >> i & 1;
        if (c->d_in[i].data && !shared) gn_copy_or_add(c->d_out, &c->d_in[i], c->first >> i & 1);
    }
    return GN_OK;
}

const gn_op gn_op_add = {
    .name = "add",
    .shape = shape,
    .plan = { NULL, gn_add_plan_cuda },
    .forward = { forward, gn_add_forward_cuda },
    .backward = { backward, gn_add_backward_cuda },
    .passes = 3,
    .forgets = 3,
    .leaves_rows = 1,
};
