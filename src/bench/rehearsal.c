/* rehearsal.c - a session whose pictures and labels are drawn: what they are does not change the work. */
#include "rehearsal.h"
#include "formula/random.h"
#include <stdlib.h>
#include <string.h>

static gn_status draw(gn_arena *a, const gn_session *s, uint32_t has, uint64_t sample, gn_labels *y) {
    const int J = s->skeleton->joints, P = s->pairs, side = s->stage->data.input;
#define TAKE(name, type, count, carry, help)                                                       \
    type *name;                                                                                    \
    GN_TAKE(name, a, count);
    GN_FIELDS(TAKE)
#undef TAKE
    for (int j = 0; j < J; j++) {
        gn_real u[3];
        for (int k = 0; k < 3; k++) u[k] = (gn_real)gn_uniform(1, sample, (uint64_t)(3 * j + k)) - GN_R(0.5);
        for (int k = 0; k < 2; k++) joints2d[2 * j + k] = (gn_real)side * (GN_R(0.5) + GN_R(0.6) * u[k]);
        for (int k = 0; k < 3; k++) joints3d[3 * j + k] = u[k] + (k == 2 ? GN_R(4) : GN_R(0));
        labelled2d[j] = labelled3d[j] = 1;
        confidence2d[j] = 1;
        depth[j] = u[2];
    }
    for (int p = 0; p < P; p++) order[3 * p] = (int16_t)(p % J), order[3 * p + 1] = (int16_t)((p + 1) % J), order[3 * p + 2] = 1;
    for (int k = 0; k < 4; k++) camera[k] = (gn_real)(k < 2 ? side : side / 2);
    for (int k = 0; k < 3; k++) pose_of_view[5 * k] = 1;
    *head_size = (gn_real)side / 8;
    *y = (gn_labels){ .has = has, .J = J, .P = P, .side = side, .skeleton = s->skeleton };
#define GIVE(name, type, count, carry, help) y->name = name;
    GN_FIELDS(GIVE)
#undef GIVE
    return GN_OK;
}

/* Samples of each training set in turn, with the labels it has. */
static gn_status draw_batch(gn_rehearsal *r, gn_arena *a) {
    const gn_texts *sets = &r->stage.data.train;
    gn_batch *b = &r->batch;
    b->n = r->stage.data.batch;
    b->side = r->stage.data.input;
    const int64_t n = (int64_t)b->n * b->side * b->side * 3;
    GN_TAKE(b->image, a, n);
    GN_TAKE(b->label, a, b->n);
    for (int64_t i = 0; i < n; i++) b->image[i] = (float)((uint64_t)i * 2654435761u >> 8 & 255) / 255.0f;
    for (int i = 0; i < b->n; i++)
        GN_TRY(draw(a, &r->session, gn_dataset_find(sets->item[i % sets->n])->has, (uint64_t)i, &b->label[i]));
    return GN_OK;
}

gn_status gn_rehearsal_open(gn_rehearsal *r, const gn_experiment *e, gn_arena *a) {
    gn_session *s = &r->session;
    r->stage = e->stage[0];
    r->stage.train.warmup = INT64_MAX;
    *s = (gn_session){ .e = e, .stage = &r->stage, .name = e->stage_name[0], .run = a, .of_stage = a,
                       .skeleton = gn_dataset_find(r->stage.data.train.item[0])->skeleton };
    s->pairs = s->skeleton->joints;
    GN_TRY(gn_pool_open(a, r->stage.device.workers, &s->pool));
    GN_TRY(gn_session_plan(s));
    GN_TRY(draw_batch(r, a));
    GN_TRY(gn_losses_bind(s));
    GN_TRY(gn_learn_open(s));
    return gn_gpu_open(s);
}

gn_status gn_rehearsal_step(gn_rehearsal *r, double *seconds) {
    static gn_range in_step = { "step", NULL };
    const double began = gn_seconds();
    GN_TRY(GN_RANGE(&in_step, gn_session_learn(&r->session, &r->batch)));
    *seconds = gn_seconds() - began;
    return GN_OK;
}

void gn_rehearsal_time(gn_rehearsal *r, int yes) {
    r->session.timed = yes;
    gn_graph_time_nodes(r->session.graph, yes);
}

gn_status gn_rehearsal_ceiling(gn_rehearsal *r, gn_arena *a, gn_ceiling *c) {
    GN_TRY(gn_ceiling_measure(r->session.pool, gn_graph_on_gpu(r->session.graph).device, a, c));
    if (r->stage.device.type) c->flop_s = c->bf16_s;
    return GN_OK;
}

double gn_rehearsal_floor(const gn_rehearsal *r, const gn_ceiling *c, const gn_node_cost *node, int nodes) {
    const double workers = r->session.gpu ? 1 : gn_pool_workers(r->session.pool);
    double sum = 0;
    for (int i = 0; i < nodes; i++) sum += workers * fmax(node[i].flop / c->flop_s, node[i].bytes / c->bytes_s);
    return sum;
}

int gn_by_value(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}
