/* loss.c - the loop of every loss on points, and the table of all losses.
 *
 * The list kernels/loss/all.h is read twice: for formulas, loops and records, then for the table. */
#include "gnomon/loss.h"
#include <assert.h>
#include <string.h>

/* --- what the loop below needs to know of a loss --- */
typedef struct {
    const gn_loss *loss;
    int (*terms)(const gn_group *g);
    int (*offers)(const void *o, const gn_group *g, int t);
    gn_real (*term)(const void *o, const gn_group *g, int t, gn_pull *p);
} loop;

static int has_all(const gn_group *g, const gn_loss *l) {
    for (int v = 0; v < g->views; v++)
        if ((g->y[v].has & l->needs) != l->needs || g->y[v].J != g->y->J) return 0;
    return g->views >= l->views;
}

static inline int64_t count(loop k, const void *options, const gn_labels *y, int views) {
    gn_group g = { views, y, NULL };
    int64_t n = 0;
    if (!has_all(&g, k.loss)) return 0;
    for (int t = 0, most = k.terms(&g); t < most; t++) n += k.offers(options, &g, t);
    return n;
}

static gn_status check_maps(const gn_loss *l, const gn_loss_call *c, const gn_labels *y) {
    for (int k = 0; k < c->outputs; k++) {
        const gn_tensor *t = &c->out[k];
        const int64_t *d = t->shape.d;
        if (t->type != GN_TYPE_REAL || t->shape.n != 4 || t->block < 1 || d[0] != c->samples || d[2] > GN_MAP_SIDE ||
            d[3] > GN_MAP_SIDE)
            GN_FAIL(BAD_SHAPE, "loss %s wants maps [%d J H W], sides at most %d, got %s in blocks of %d", l->name,
                    c->samples, GN_MAP_SIDE, gn_shape_text(&t->shape), t->block);
        for (int i = 0; y && i < c->samples; i++)
            if (y[i].J != d[1])
                GN_FAIL(BAD_SHAPE, "loss %s: labels have %d joints, maps are %s", l->name, y[i].J,
                        gn_shape_text(&t->shape));
    }
    return GN_OK;
}

static gn_status check_pairs(const gn_labels *y) {
    for (int t = 0; t < y->P && y->has & GN_HAS_order; t++)
        for (int e = 0; e < 2; e++)
            if (y->order[3 * t + e] < 0 || y->order[3 * t + e] >= y->J)
                GN_FAIL(BAD_DATA, "order names joint %d of %d", y->order[3 * t + e], y->J);
    return GN_OK;
}

gn_status gn_loss_check(const gn_loss *l, const gn_loss_call *c, const gn_labels *y) {
    if (c->outputs < l->least)
        GN_FAIL(BAD_SHAPE, "loss %s reads %d outputs, was given %d", l->name, l->least, c->outputs);
    if (!l->width[0]) return check_maps(l, c, y);
    if (c->views < l->views || c->views > GN_VIEWS || c->samples % c->views)
        GN_FAIL(BAD_SHAPE, "loss %s wants groups of %d to %d views, got %d samples in groups of %d", l->name,
                l->views, GN_VIEWS, c->samples, c->views);
    for (int k = 0; k < c->outputs; k++) {
        const gn_shape *s = &c->out[k].shape;
        if (k >= 3 || !l->reads[k])
            GN_FAIL(BAD_SHAPE, "loss %s was given too many outputs: %d", l->name, c->outputs);
        if (c->out[k].type != GN_TYPE_REAL || s->n != 3 || s->d[0] != c->samples || s->d[2] != l->width[k])
            GN_FAIL(BAD_SHAPE, "loss %s wants %s [%d points %d], got %s", l->name, l->reads[k], c->samples,
                    l->width[k], gn_shape_text(s));
        for (int i = 0; y && i < c->samples; i++)
            if (y[i].J > s->d[1] && (k == 0 || s->d[1] != 1))
                GN_FAIL(BAD_SHAPE, "loss %s: labels have %d joints, %s is %s", l->name, y[i].J, l->reads[k],
                        gn_shape_text(s));
    }
    for (int i = 0; y && i < c->samples && l->needs & GN_HAS_order; i++) GN_TRY(check_pairs(&y[i]));
    return GN_OK;
}

/* One writer: this call's shard belongs to one thread. Terms add up in the order of the labels. */
static inline gn_status run(loop k, const gn_loss_call *c) {
    const gn_loss *l = k.loss;
    const int views = l->views > 1 ? c->views : 1;
    double value = 0;
    GN_TRY(gn_loss_check(l, c, c->labels));

    for (int first = 0; first < c->samples; first += views) {
        gn_points x[GN_VIEWS] = { 0 };
        gn_group g = { views, &c->labels[first], x };
        if (!has_all(&g, l)) continue;
        for (int v = 0; v < views; v++)
            for (int i = 0; i < c->outputs; i++) {
                const int64_t *d = c->out[i].shape.d;
                x[v].out[i] = (const gn_real *)c->out[i].data + (first + v) * d[1] * d[2];
            }

        for (int t = 0, most = k.terms(&g); t < most; t++) {
            if (!k.offers(c->options, &g, t)) continue;
            gn_pull p = { 0 };
            value += (double)k.term(c->options, &g, t, &p);
            for (int i = 0; i < p.n; i++) {
                const gn_tug *tug = &p.at[i];
                assert(tug->view < views && tug->output < c->outputs);
                const gn_tensor *to = &c->d_out[tug->output];
                const int64_t *d = to->shape.d;
                if (!to->data) continue;
                assert(tug->point >= 0 && tug->point < d[1]); /* a joint looked for by name may be -1 */
                gn_real *at = (gn_real *)to->data + ((first + tug->view) * d[1] + tug->point) * d[2];
                for (int e = 0; e < d[2]; e++) at[e] += (gn_real)c->scale * tug->d[e];
            }
        }
    }
    *c->value = value;
    return GN_OK;
}

/* --- formulas, loops, records --- */
#define ROWS(name, OPTIONS) static const gn_option name##_rows[] = { OPTIONS(GN_ROW_O, GN_ROW_C){ 0 } }

#define GN_LOSS(name_, OPTIONS, help_, reads_, least_, views_, needs_)                             \
    ROWS(name_, OPTIONS);                                                                          \
    static int name_##_offers_any(const void *o, const gn_group *g, int t) { return name_##_offers(o, g, t); } \
    static gn_real name_##_term_any(const void *o, const gn_group *g, int t, gn_pull *p) {         \
        return name_##_term(o, g, t, p);                                                           \
    }                                                                                              \
    static const gn_loss name_##_loss;                                                             \
    static const loop name_##_loop = { &name_##_loss, name_##_terms, name_##_offers_any, name_##_term_any }; \
    static int64_t name_##_tally(const void *o, const gn_labels *y, int views, const gn_tensor *out) { \
        (void)out;                                                                                 \
        return count(name_##_loop, o, y, views);                                                   \
    }                                                                                              \
    static gn_status name_##_run(const gn_loss_call *c) { return run(name_##_loop, c); }           \
    static const gn_loss name_##_loss = { #name_, help_, needs_, reads_, least_, views_, sizeof(GN_T), \
                                          name_##_rows, name_##_tally, name_##_run };

/* A loss on maps is a loop of its own, kernels/cpu/<name>.c. */
#define GN_MAP_LOSS(name_, OPTIONS, help_, output_, needs_)                                        \
    ROWS(name_, OPTIONS);                                                                          \
    int64_t gn_##name_##_terms(const void *o, const gn_labels *y, int views, const gn_tensor *out); \
    gn_status gn_##name_##_run(const gn_loss_call *c);                                             \
    static gn_status name_##_run(const gn_loss_call *c);                                           \
    static const gn_loss name_##_loss = { #name_, help_, needs_, { #output_ }, { 0 }, 1, 1, sizeof(GN_T), \
                                          name_##_rows, gn_##name_##_terms, name_##_run };         \
    static gn_status name_##_run(const gn_loss_call *c) {                                          \
        GN_TRY(gn_loss_check(&name_##_loss, c, c->labels));                                        \
        return gn_##name_##_run(c);                                                                \
    }
#include "loss/all.h"

/* --- the table --- */
#define GN_LOSS(name, OPTIONS, help, reads, least, views, needs) &name##_loss,
#define GN_MAP_LOSS(name, OPTIONS, help, output, needs) &name##_loss,
const gn_loss *const gn_losses[] = {
#include "loss/all.h"
    NULL
};

const gn_loss *gn_loss_find(const char *name) {
    for (const gn_loss *const *l = gn_losses; *l; l++)
        if (!strcmp((*l)->name, name)) return *l;
    return NULL;
}

double gn_loss_normaliser(const gn_loss *l, const void *options, gn_mean mean, int samples, int views,
                          const gn_labels *y, const gn_tensor *out) {
    const int group = l->views > 1 ? views : 1;
    int64_t terms = 0, offering = 0, groups = 0;
    for (int i = 0; i + group <= samples; i += group) {
        int64_t n = l->terms(options, &y[i], group, out);
        terms += n;
        offering += n > 0;
        groups++;
    }
    int64_t n = mean == GN_MEAN_terms ? terms : mean == GN_MEAN_samples ? offering : groups;
    return n > 0 ? (double)n : 1;
}
