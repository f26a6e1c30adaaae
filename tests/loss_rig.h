/* loss_rig.h - one loss over one drawn group, with the outputs it reads: for the tests of losses. */
#ifndef LOSS_RIG_H
#define LOSS_RIG_H
#include "draw.h"
#include "gnomon/arena.h"
#include "gnomon/loss.h"
#include "near.h"

#define SIDE 96
#define VIEWS 3
#define MAP_W 9
#define MAP_H 7

typedef struct {
    const gn_loss *loss;
    double options[32]; /* room for any loss, aligned */
    draw_store store[VIEWS];
    gn_labels y[VIEWS];
    int views, outputs;
    gn_tensor out[3], d_out[3];
    gn_real x[3][4096], d[3][4096];
    double value;
    int64_t count[3];
} fixture;

static inline void bind(fixture *f, draws *d, const gn_loss *l, int pick, int outputs) {
    const gn_skeleton *s = f->y->skeleton;
    f->loss = l;
    assert_true(l->bytes <= sizeof f->options);
    draw_options(d, l->options, pick, f->options);
    f->outputs = outputs;
    for (int k = 0; k < outputs; k++) {
        int map = l->width[0] == 0, points = map ? 0 : !strcmp(l->reads[k], "root") ? 1 : s->joints;
        gn_tensor t = { GN_TYPE_REAL, 0, { 3, { f->views, points, map ? 0 : l->width[k] } }, f->x[k] };
        if (map)
            t = (gn_tensor){ GN_TYPE_REAL, s->joints, { 4, { f->views, s->joints, MAP_H, MAP_W } }, f->x[k] };
        f->count[k] = map ? (int64_t)f->views * s->joints * MAP_H * MAP_W : f->views * points * l->width[k];
        assert_true(f->count[k] <= 4096);
        f->out[k] = f->d_out[k] = t;
        f->d_out[k].data = f->d[k];
    }
}

/* Predictions near the truth, in whatever the output is measured in. */
static inline void predict(fixture *f, draws *d) {
    for (int k = 0; k < f->outputs; k++) {
        const gn_shape *s = &f->out[k].shape;
        for (int64_t i = 0; i < f->count[k]; i++) {
            double x = draw_normal(d, 0.5);
            if (s->n == 3 && s->d[2] == 2) x = draw_in(d, 0, 63);
            if (s->n == 3 && s->d[2] == 3) {
                int64_t v = i / (s->d[1] * 3), j = i / 3 % s->d[1];
                const gn_real *p = f->store[v].joints3d, *root = p + 3 * f->y->skeleton->root;
                x = draw_normal(d, 0.1);
                if (s->d[1] == 1)
                    x += root[i % 3];
                else
                    x += p[3 * j + i % 3] - (f->outputs > 1 ? root[i % 3] : 0);
            }
            f->x[k][i] = (gn_real)x;
        }
    }
}

static inline double run(fixture *f, double scale) {
    gn_loss_call c = { .options = f->options, .samples = f->views, .views = f->views, .labels = f->y, .outputs = f->outputs,
                       .out = f->out, .d_out = f->d_out, .scale = scale, .value = &f->value };
    OK(f->loss->run(&c));
    return f->value;
}
#endif
