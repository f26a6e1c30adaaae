/* feed.c - what a batch puts into a graph: its inputs' names say it.
 *
 *   picture   [3 side side] in [0, 1]
 *   rays      [2J 1 1] where joints are seen, (u - cx)/fx and (v - cy)/fy; [3J 1 1]: and how sure that is
 *   screen    the same of half-picture units, [-1, 1] from edge to edge, which needs no camera
 *
 * A joint that is not labelled is at 0, with confidence 0. */
#include "formula/crop.h"
#include "session.h"
#include <string.h>

typedef struct {
    const gn_batch *batch;
    gn_graph *graph;
    int first, here, shards;          /* the graph's shards, first to first + here, of the batch's */
    int mirrored;                     /* joints as in the mirrored picture; pictures are mirrored by who asks */
} feeding;

/* [side side 3] to the input's blocked channels; lanes past the third stay 0. */
static void put_picture(const gn_tensor *in, int64_t n, const float *image, int side) {
    const int64_t block = in->block ? in->block : 3, pixels = (int64_t)side * side;
    gn_real *to = (gn_real *)in->data + n * ((3 + block - 1) / block) * block * pixels;
    if (!image) {
        memset(to, 0, sizeof *to * (size_t)(((3 + block - 1) / block) * block * pixels));
        return;
    }
    for (int64_t i = 0; i < pixels; i++, to += block, image += 3) {
        for (int c = 0; c < 3; c++) to[c] = image[c];
        for (int64_t c = 3; c < block; c++) to[c] = 0;
    }
}

static gn_status feed_pictures(const feeding *f, int k) {
    const gn_batch *b = f->batch;
    gn_tensor in = gn_graph_input(f->graph, "picture", k);
    if (in.type != GN_TYPE_REAL || in.block < 3 || in.shape.d[1] != 3 || in.shape.d[2] != b->side || in.shape.d[3] != b->side)
        GN_FAIL(BAD_SHAPE, "input %s, block %d: pictures of 3 channels and side %d expected", gn_shape_text(&in.shape), in.block, b->side);
    for (int64_t n = 0; n < in.shape.d[0]; n++) {
        const int64_t i = n * f->shards + f->first + k;
        put_picture(&in, n, i < b->n ? b->image + i * b->side * b->side * 3 : NULL, b->side);
    }
    return GN_OK;
}

static void place_of(const gn_labels *y, int rays, int j, gn_real at[2]) {
    for (int k = 0; k < 2; k++) {
        const gn_real u = y->joints2d[2 * j + k];
        at[k] = rays ? (u - y->camera[2 + k]) / y->camera[k] : gn_picture_to_half(u, GN_R(y->side));
    }
}

static void put_points(const gn_tensor *in, int64_t n, const gn_labels *y, int rays, int mirrored) {
    const gn_skeleton *s = y->skeleton;
    const int wide = in->shape.d[1] == 3 * s->joints ? 3 : 2;
    gn_real *to = in->data;
    for (int j = 0; j < s->joints; j++) {
        const int from = mirrored ? s->mirror[j] : j, seen = !(y->has & GN_HAS_labelled2d) || y->labelled2d[from];
        gn_real at[3] = { 0 };
        if (seen) place_of(y, rays, from, at);
        if (seen) at[2] = y->has & GN_HAS_confidence2d ? y->confidence2d[from] : GN_R(1);
        if (mirrored) at[0] = -at[0];
        for (int k = 0; k < wide; k++) to[gn_at(in, n, wide * j + k, 0, 0)] = at[k];
    }
}

static gn_status feed_points(const feeding *f, const char *name, int k) {
    const gn_batch *b = f->batch;
    const int rays = !strcmp(name, "rays");
    const uint32_t needs = GN_HAS_joints2d | (rays ? GN_HAS_camera : 0);
    gn_tensor in = gn_graph_input(f->graph, name, k);
    memset(in.data, 0, gn_tensor_bytes(&in));
    for (int64_t n = 0; n < in.shape.d[0]; n++) {
        const int64_t i = n * f->shards + f->first + k;
        if (i >= b->n) continue;
        const gn_labels *y = &b->label[i];
        if ((y->has & needs) != needs)
            GN_FAIL(BAD_CONFIG, "the model reads %s, data set %d of this run has not: it has %s", gn_fields_text(needs & ~y->has), b->set[i], gn_fields_text(y->has));
        if (in.type != GN_TYPE_REAL || (in.shape.d[1] != 2 * y->J && in.shape.d[1] != 3 * y->J))
            GN_FAIL(BAD_SHAPE, "input '%s' %s: points of %d joints expected", name, gn_shape_text(&in.shape), y->J);
        put_points(&in, n, y, rays, f->mirrored);
    }
    return GN_OK;
}

static gn_status feed(void *what, int worker, int workers) {
    const feeding *f = what;
    static const char *const points[] = { "rays", "screen" };
    for (int k = worker; k < f->here; k += workers) {
        if (gn_graph_has_input(f->graph, "picture")) GN_TRY(feed_pictures(f, k));
        for (int p = 0; p < 2; p++)
            if (gn_graph_has_input(f->graph, points[p])) GN_TRY(feed_points(f, points[p], k));
    }
    return GN_OK;
}

gn_status gn_batch_feed(const gn_batch *b, gn_graph *g, gn_pool *pool, int shards) {
    return gn_batch_feed_part(b, g, pool, 0, shards, shards);
}

gn_status gn_batch_feed_part(const gn_batch *b, gn_graph *g, gn_pool *pool, int first, int here, int shards) {
    feeding f = { b, g, first, here, shards, 0 };
    return gn_pool_run(pool, feed, &f);
}

gn_status gn_batch_feed_mirrored(const gn_batch *b, gn_graph *g, gn_pool *pool, int shards) {
    feeding f = { b, g, 0, shards, shards, 1 };
    return gn_pool_run(pool, feed, &f);
}
