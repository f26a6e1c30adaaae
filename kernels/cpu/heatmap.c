/* heatmap.c - the loop of the loss on maps: [N J H W] in channel blocks.
 *
 * One pass over the map treats every target as 0, at the speed of memory; then the few cells that a
 * label reaches are put right. Lanes (joints) of a block each keep their own sums, so the compiler can
 * use vectors without changing the order of any sum. */
#include "formula/softargmax.h"
#define GN_MAP_LOSS(...) /* its record is made in loss.c */
#include "loss/heatmap.h"

#define LANES 64 /* of a block, at most */

int64_t gn_heatmap_terms(const void *options, const gn_labels *y, int views, const gn_tensor *out) {
    const heatmap_options *o = (const heatmap_options *)options;
    const uint32_t needs = GN_HAS_joints2d | GN_HAS_labelled2d;
    int64_t n = 0;
    (void)views;
    if ((y->has & needs) != needs) return 0;
    for (int j = 0; j < y->J; j++) n += heatmap_offers(o, y, j);
    return o->form == HEATMAP_ENTROPY ? n : n * out->shape.d[2] * out->shape.d[3];
}

/* Of one block of one sample: cells x lanes numbers, of which lane l belongs to joint `first` + l. */
typedef struct {
    const heatmap_options *o;
    const gn_labels *y;
    const gn_real *h;
    gn_real *d; /* NULL: value alone */
    gn_real scale;
    int first, lanes, width, height;
    gn_real use[LANES]; /* 1: the lane's map is compared */
} block;

static int joint_of(const block *b, int lane) { /* -1: nothing is compared there */
    int j = b->first + lane;
    return j < b->y->J && heatmap_offers(b->o, b->y, j) ? j : -1;
}

/* The usual widths as constants, so that loops over lanes become vectors. */
#define BY_LANES(f, ...)                                                                                     \
    (b->lanes == 16 ? f(16, __VA_ARGS__) : b->lanes == 8 ? f(8, __VA_ARGS__) : f(b->lanes, __VA_ARGS__))

/* --- squared --- */
static inline double square_all(const int lanes, const block *b) {
    double sum[LANES] = { 0 }, total = 0;
    const gn_real twice = 2 * b->scale;
    for (int r = 0; r < b->height; r++) {
        const gn_real *h = b->h + (int64_t)r * b->width * lanes;
        gn_real row[LANES] = { 0 };
        for (int i = 0; i < b->width; i++)
            for (int l = 0; l < lanes; l++) row[l] += h[i * lanes + l] * h[i * lanes + l] * b->use[l];
        for (int l = 0; l < lanes; l++) sum[l] += (double)row[l];
        if (!b->d) continue;
        gn_real *d = b->d + (int64_t)r * b->width * lanes;
        for (int i = 0; i < b->width; i++)
            for (int l = 0; l < lanes; l++) d[i * lanes + l] += twice * h[i * lanes + l] * b->use[l];
    }
    for (int l = 0; l < lanes; l++) total += sum[l];
    return total;
}

/* Target values of one axis. */
static void axis(gn_target t, gn_real *value) {
    for (int i = t.first; i <= t.last; i++) value[i] = gn_target_value(t, i);
}

static double square_target(const block *b, int lane, int joint) {
    heatmap_target t = heatmap_draw(b->o, b->y, joint, b->width, b->height);
    gn_real ex[GN_MAP_SIDE], ey[GN_MAP_SIDE];
    double sum = 0;
    axis(t.x, ex);
    axis(t.y, ey);
    for (int r = t.y.first; r <= t.y.last; r++)
        for (int q = t.x.first; q <= t.x.last; q++) {
            int64_t at = ((int64_t)r * b->width + q) * b->lanes + lane;
            gn_real e = ey[r] * ex[q];
            sum += (double)(e * (e - 2 * b->h[at])); /* (h - e)^2 - h^2 */
            if (b->d) b->d[at] -= 2 * b->scale * e;
        }
    return sum;
}

static double squared(const block *b) {
    double sum = BY_LANES(square_all, b);
    for (int l = 0; l < b->lanes; l++) {
        int j = joint_of(b, l);
        if (j >= 0 && b->y->labelled2d[j]) sum += square_target(b, l, j);
    }
    return sum;
}

/* --- entropy --- */
typedef struct { gn_real top[LANES]; double sum[LANES]; } softmax;

static inline void softmax_read(const int lanes, const block *b, softmax *s) {
    const int64_t cells = (int64_t)b->width * b->height;
    for (int l = 0; l < lanes; l++) s->top[l] = b->h[l], s->sum[l] = 0;
    for (int64_t i = 1; i < cells; i++)
        for (int l = 0; l < lanes; l++)
            s->top[l] = b->h[i * lanes + l] > s->top[l] ? b->h[i * lanes + l] : s->top[l];
    for (int r = 0; r < b->height; r++) {
        const gn_real *h = b->h + (int64_t)r * b->width * lanes;
        gn_real row[LANES] = { 0 };
        for (int i = 0; i < b->width; i++)
            for (int l = 0; l < lanes; l++) row[l] += gn_exp_below_0(h[i * lanes + l] - s->top[l]);
        for (int l = 0; l < lanes; l++) s->sum[l] += (double)row[l];
    }
}

static inline void softmax_pull(const int lanes, const block *b, const softmax *s) { /* d += scale p */
    gn_real by[LANES];
    const int64_t cells = (int64_t)b->width * b->height;
    for (int l = 0; l < lanes; l++) by[l] = b->use[l] * b->scale / (gn_real)s->sum[l];
    for (int64_t i = 0; i < cells; i++)
        for (int l = 0; l < lanes; l++)
            b->d[i * lanes + l] += by[l] * gn_exp_below_0(b->h[i * lanes + l] - s->top[l]);
}

static double entropy_target(const block *b, int lane, int joint, const softmax *s) {
    heatmap_target t = heatmap_draw(b->o, b->y, joint, b->width, b->height);
    gn_real ex[GN_MAP_SIDE], ey[GN_MAP_SIDE];
    double mass_x = 0, mass_y = 0, sum = 0;
    axis(t.x, ex);
    axis(t.y, ey);
    for (int q = t.x.first; q <= t.x.last; q++) mass_x += (double)ex[q];
    for (int r = t.y.first; r <= t.y.last; r++) mass_y += (double)ey[r];
    const gn_real share = (gn_real)(1 / (mass_x * mass_y));
    for (int r = t.y.first; r <= t.y.last; r++)
        for (int q = t.x.first; q <= t.x.last; q++) {
            int64_t at = ((int64_t)r * b->width + q) * b->lanes + lane;
            gn_real e = share * ey[r] * ex[q];
            sum -= (double)(e * (b->h[at] - s->top[lane]));
            if (b->d) b->d[at] -= b->scale * e;
        }
    return sum + log(s->sum[lane]);
}

static double entropy(const block *b) {
    softmax s;
    double sum = 0;
    BY_LANES(softmax_read, b, &s);
    if (b->d) BY_LANES(softmax_pull, b, &s);
    for (int l = 0; l < b->lanes; l++) {
        int j = joint_of(b, l);
        if (j >= 0) sum += entropy_target(b, l, j, &s);
    }
    return sum;
}

gn_status gn_heatmap_run(const gn_loss_call *c) {
    const heatmap_options *o = (const heatmap_options *)c->options;
    const uint32_t needs = GN_HAS_joints2d | GN_HAS_labelled2d;
    double value = 0;
    for (int k = 0; k < c->outputs; k++) {
        const gn_tensor *t = &c->out[k];
        const int64_t *shape = t->shape.d;
        if (t->block > LANES) GN_FAIL(BAD_SHAPE, "loss heatmap: blocks of %d channels, at most %d", t->block, LANES);
        for (int i = 0; i < c->samples; i++) {
            if ((c->labels[i].has & needs) != needs) continue;
            for (int first = 0; first < shape[1]; first += t->block) {
                const int64_t at = gn_at(t, i, first, 0, 0);
                gn_real *d = (gn_real *)c->d_out[k].data;
                block b = { .o = o, .y = &c->labels[i], .d = d ? d + at : NULL };
                b.h = (const gn_real *)t->data + at;
                b.scale = (gn_real)c->scale;
                b.first = first;
                b.lanes = t->block;
                b.width = (int)shape[3];
                b.height = (int)shape[2];
                for (int l = 0; l < b.lanes; l++) b.use[l] = joint_of(&b, l) >= 0;
                value += o->form == HEATMAP_SQUARED ? squared(&b) : entropy(&b);
            }
        }
    }
    *c->value = value;
    return GN_OK;
}
