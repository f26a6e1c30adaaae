/* dropout.c - in training an element is 0 with probability `share`, else 1/(1 - share) times itself.
 *
 * Element e of sample i is kept or not by draw (seed of step and node, i, e), e counting in C, H, W order:
 * the same for every layout, shard and thread. Backward draws again; nothing is kept. */
#include "formula/random.h"
#include "gnomon/attr.h"
#include "gnomon/op.h"
#include "store.h"
#include <string.h>

static gn_status shape(const void *attr, int n_in, const gn_shape *in, gn_op_shape *s) {
    const gn_dropout_attr *a = attr;
    (void)n_in;
    if (in->n < 2) GN_FAIL(BAD_SHAPE, "dropout: expected [N C ...], got %s", gn_shape_text(in));
    if (!(a->share >= 0 && a->share < 1))
        GN_FAIL(BAD_SHAPE, "dropout: expected a share in [0, 1), got %g", a->share);
    s->out = *in;
    return GN_OK;
}

/* to = or += from, where the draw keeps it */
static void pass(const gn_call *c, const gn_tensor *from, const gn_tensor *to, int first) {
    const double share = ((const gn_dropout_attr *)c->attr)->share;
    const uint32_t below = c->mode == GN_TRAIN ? (uint32_t)(share * 0x1p32) : 0;
    const gn_real gain = c->mode == GN_TRAIN ? (gn_real)(1 / (1 - share)) : 1;
    const gn_planes q = gn_planes_of(from);
    if (first) memset(to->data, 0, gn_tensor_bytes(to)); /* padded lanes too */
    for (int64_t n = 0; n < q.n; n++) {
        const uint64_t sample = (uint64_t)(c->first_sample + n * c->sample_stride);
        gn_draw draw = { { 0 } };
        for (int64_t e = 0; e < q.c * q.places; e++) {
            int64_t ch = e / q.places, p = e % q.places;
            int64_t at = ((n * q.blocks + ch / q.block) * q.places + p) * q.block + ch % q.block;
            if (e % 4 == 0 && below) draw = gn_draw_at(c->seed, sample, (uint64_t)e / 4);
            gn_real x = draw.word[e % 4] < below ? 0 : gain * gn_get(from->data, from->type, at);
            gn_put(to->data, to->type, at, first ? x : gn_get(to->data, to->type, at) + x);
        }
    }
}

static gn_status forward(const gn_call *c) { return pass(c, &c->in[0], &c->out[0], 1), GN_OK; }

static gn_status backward(const gn_call *c) {
    if (c->d_in[0].data) pass(c, &c->d_out[0], &c->d_in[0], c->first & 1);
    return GN_OK;
}

const gn_op gn_op_dropout = {
    .name = "dropout",
    .shape = shape,
    .plan = { NULL, gn_dropout_plan_cuda },
    .forward = { forward, gn_dropout_forward_cuda },
    .backward = { backward, gn_dropout_backward_cuda },
    .forgets = 1,
};
