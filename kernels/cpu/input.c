/* input.c - where a batch is put before forward: pictures [N C H W], one block of C channels. */
#include "gnomon/attr.h"
#include "gnomon/op.h"

static gn_status shape(const void *attr, int n_in, const gn_shape *in, gn_op_shape *s) {
    const gn_input_attr *a = attr;
    (void)n_in;
    (void)in;
    if (a->channels < 1 || a->height < 1 || a->width < 1)
        GN_FAIL(BAD_SHAPE, "an input of %d channels, %d x %d", a->channels, a->height, a->width);
    s->out = (gn_shape){ 4, { 1, a->channels, a->height, a->width } };
    return GN_OK;
}

const gn_op gn_op_input = { .name = "input", .shape = shape };
