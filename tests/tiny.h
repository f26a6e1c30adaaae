/* tiny.h - a model small enough for a test, fed and pulled by drawn numbers. */
#ifndef TINY_H
#define TINY_H
#include "formula/random.h"
#include "gnomon/graph.h"
#include "near.h"
#include <string.h>

typedef struct { const char *name; int value; } tiny_set;

static inline const gn_model *tiny_model(const char *name) {
    for (int i = 0; gn_models[i]; i++)
        if (!strcmp(gn_models[i]->name, name)) return gn_models[i];
    fail_msg("no model %s", name);
    return NULL;
}

/* A model's defaults, but for the options named in `say`; a row without a name ends. */
static inline void tiny_options(const gn_model *m, const tiny_set *say, char *into) {
    for (const gn_option *o = m->options; o->name; o++) {
        int value = (int)o->dflt;
        double number = o->dflt;
        for (const tiny_set *s = say; s && s->name; s++)
            if (!strcmp(s->name, o->name)) number = value = s->value;
        if (o->kind == GN_KIND_NUMBER) memcpy(into + o->offset, &number, sizeof number);
        else memcpy(into + o->offset, &value, sizeof value);
    }
}

static inline gn_graph *tiny_build(gn_arena *a, const char *name, int side, int joints, const tiny_set *say) {
    const gn_model *m = tiny_model(name);
    gn_graph *g;
    char options[256];
    tiny_options(m, say, options);
    OK(gn_graph_new(a, &g));
    OK(m->build(g, options, side, joints));
    return g;
}

static inline void tiny_feed(gn_graph *g, int shards) {
    for (int s = 0; s < shards; s++) {
        gn_tensor x = gn_graph_input(g, gn_graph_has_input(g, "picture") ? "picture" : "rays", s);
        assert_non_null(x.data);
        int64_t n = x.shape.d[0], each = gn_tensor_count(&x) / n;
        for (int64_t i = 0; i < n; i++) /* sample i of the shard is sample i S + s of the batch */
            for (int64_t k = 0; k < each; k++)
                ((gn_real *)x.data)[i * each + k] = (gn_real)gn_uniform(11, (uint64_t)(i * shards + s), (uint64_t)k);
    }
}

/* |out - target|^2 / 2 of one output of one shard, targets drawn; its slope is added where `pull`. */
static inline double tiny_loss_of(const gn_tensor *y, const gn_tensor *d, int o, int s, int shards, int pull) {
    double loss = 0;
    const int map = y->block != 0;
    const int64_t n = y->shape.d[0], c = y->shape.d[1], h = map ? y->shape.d[2] : 1, w = map ? y->shape.d[3] : y->shape.d[2];
    for (int64_t k = 0; k < n * c * h * w; k++) {
        int64_t i = k / (c * h * w), rest = k % (c * h * w);
        int64_t at = map ? gn_at(y, i, rest / (h * w), rest / w % h, rest % w) : k;
        double target = gn_normal(13, (uint64_t)((i * shards + s) * 16 + o), (uint64_t)rest);
        double off = (double)((gn_real *)y->data)[at] - target;
        loss += off * off / 2;
        if (pull) ((gn_real *)d->data)[at] += (gn_real)off;
    }
    return loss;
}

/* The sum over all outputs and shards. */
static inline double tiny_loss(gn_graph *g, int shards, int pull) {
    double loss = 0;
    for (int o = 0; o < gn_graph_outputs(g); o++)
        for (int s = 0; s < shards; s++) {
            gn_tensor y = gn_graph_output(g, o, s), d = gn_graph_slope(g, o, s);
            loss += tiny_loss_of(&y, &d, o, s, shards, pull);
        }
    return loss;
}
#endif
