/* gather.c - values of a map [N C H W] at points [N P 2], (u, v) in cells, bilinear: [N P].
 *
 * Point p reads channel p where there is a map a point (C = P), or the one channel of a map for all (C = 1).
 */
#include "formula/bilinear.h"
#include "gnomon/op.h"
#include "store.h"
#include <string.h>

static gn_status shape(const void *attr, int n_in, const gn_shape *in, gn_op_shape *s) {
    (void)attr;
    if (n_in != 2 || in[0].n != 4 || in[1].n != 3 || in[1].d[2] != 2 || in[0].d[0] != in[1].d[0])
        GN_FAIL(BAD_SHAPE, "gather: expected a map [N C H W] and points [N P 2], got %s and %s",
                gn_shape_text(&in[0]), n_in > 1 ? gn_shape_text(&in[1]) : "none");
    if (in[0].d[1] != 1 && in[0].d[1] != in[1].d[1])
        GN_FAIL(BAD_SHAPE, "gather: expected a map with 1 channel or one a point, got %s for %s",
                gn_shape_text(&in[0]), gn_shape_text(&in[1]));
    s->out = (gn_shape){ 2, { in[1].d[0], in[1].d[1] } };
    return GN_OK;
}

typedef struct {
    gn_between u, v;
    int64_t at[4];
    gn_real f[4];
} cell; /* the four neighbours, row by row */

static cell cell_of(const gn_call *c, int64_t n, int64_t p) {
    const gn_tensor *map = &c->in[0], *point = &c->in[1];
    const int64_t points = point->shape.d[1], channel = map->shape.d[1] == 1 ? 0 : p;
    cell k;
    k.u = gn_between_at(gn_get(point->data, point->type, (n * points + p) * 2), (int32_t)map->shape.d[3]);
    k.v = gn_between_at(gn_get(point->data, point->type, (n * points + p) * 2 + 1), (int32_t)map->shape.d[2]);
    for (int i = 0; i < 4; i++) {
        k.at[i] = gn_at(map, n, channel, i < 2 ? k.v.low : k.v.high, i % 2 ? k.u.high : k.u.low);
        k.f[i] = gn_get(map->data, map->type, k.at[i]);
    }
    return k;
}

static gn_status forward(const gn_call *c) {
    const int64_t *d = c->in[1].shape.d;
    for (int64_t n = 0; n < d[0]; n++)
        for (int64_t p = 0; p < d[1]; p++) {
            cell k = cell_of(c, n, p);
            gn_put(c->out[0].data, c->out[0].type, n * d[1] + p,
                   gn_bilinear(k.f[0], k.f[1], k.f[2], k.f[3], k.u.share, k.v.share));
        }
    return GN_OK;
}

static void add(const gn_tensor *t, int64_t at, gn_real x) {
    gn_put(t->data, t->type, at, gn_get(t->data, t->type, at) + x);
}

static gn_status backward(const gn_call *c) {
    const gn_tensor *d_map = &c->d_in[0], *d_point = &c->d_in[1];
    const int64_t *d = c->in[1].shape.d;
    for (int i = 0; i < 2; i++) /* points may share cells, so slopes are added */
        if (c->d_in[i].data && (c->first >> i & 1)) memset(c->d_in[i].data, 0, gn_tensor_bytes(&c->d_in[i]));
    for (int64_t n = 0; n < d[0]; n++)
        for (int64_t p = 0; p < d[1]; p++) {
            cell k = cell_of(c, n, p);
            gn_real g = gn_get(c->d_out[0].data, c->d_out[0].type, n * d[1] + p), su = k.u.share,
                    sv = k.v.share;
            const gn_real weight[4] = { (1 - su) * (1 - sv), su * (1 - sv), (1 - su) * sv, su * sv };
            for (int i = 0; i < 4 && d_map->data; i++) add(d_map, k.at[i], g * weight[i]);
            if (!d_point->data) continue;
            add(d_point, (n * d[1] + p) * 2,
                g * k.u.moves * ((k.f[1] - k.f[0]) * (1 - sv) + (k.f[3] - k.f[2]) * sv));
            add(d_point, (n * d[1] + p) * 2 + 1,
                g * k.v.moves * ((k.f[2] - k.f[0]) * (1 - su) + (k.f[3] - k.f[1]) * su));
        }
    return GN_OK;
}

const gn_op gn_op_gather = {
    .name = "gather",
    .shape = shape,
    .plan = { NULL, gn_gather_plan_cuda },
    .forward = { forward, gn_gather_forward_cuda },
    .backward = { backward, gn_gather_backward_cuda },
};
