/* test_parity_losses.c - losses on a GPU: is the kernel the loop? Labels come to it as one block. */
#include "draw.h"
#include "on_gpu.h"
#include "gnomon/loss.h"
#include "near.h"

#ifdef GN_EMULATED
void gn_emulate_order(int backwards);
#endif

enum { SAMPLES = 24, SIDE = 96, LOSSES = 24, ROOM = 1 << 17 };
enum { JOINTS, POINTS, DEPTH, POSE, ROOT, HEATMAP, HEATMAP2, OUTPUTS };
static const char *const names[OUTPUTS] = { "joints", "points", "depth", "pose", "root", "heatmap", "heatmap2" };
static const int widths[OUTPUTS] = { 3, 2, 1, 3, 3, 0, 0 };

typedef struct { /* what a model says of a batch, on the host and on the device, and what losses say of it */
    gn_arena *a;
    gn_device *d;
    const gn_skeleton *s;
    int samples, views, map_w, map_h;
    int apart;                          /* 1: the pose is about the root, which is an output of its own */
    draw_store store[SAMPLES];
    gn_labels y[SAMPLES];
    void *packed, *labels;              /* pinned, there */
    gn_tensor x[OUTPUTS], x_there[OUTPUTS], slope[OUTPUTS], slope_there[OUTPUTS];
    gn_real *start[OUTPUTS], *got[OUTPUTS];
    float *told, *told_there;           /* [LOSSES] scales, then values */
    void *scratch;

    int n;                              /* losses */
    const gn_loss *loss[LOSSES];
    gn_loss_call here[LOSSES], there[LOSSES];
    double options[LOSSES][16], value[LOSSES];
    gn_tensor out[LOSSES][3], d_out[LOSSES][3], out_there[LOSSES][3], d_out_there[LOSSES][3];
} batch;

static void *reserve(batch *b, size_t bytes) {
    void *p;
    OK(gn_device_reserve(b->d, bytes, &p));
    return p;
}

static batch *batch_open(void) {
    gn_arena *a = gn_arena_new("batch");
    batch *b = gn_arena_take(a, sizeof *b);
    void *p;
    b->a = a;
    OK(gn_device_open(a, 0, &b->d));
    OK(gn_device_pinned(b->d, 2 * LOSSES * sizeof(float), &p));
    b->told = p, b->told_there = reserve(b, 2 * LOSSES * sizeof(float));
    for (int k = 0; k < OUTPUTS; k++) {
        const size_t bytes = ROOM * sizeof(gn_real);
        b->x[k].data = gn_arena_take(a, bytes), b->slope[k].data = gn_arena_take(a, bytes);
        b->start[k] = gn_arena_take(a, bytes), b->got[k] = gn_arena_take(a, bytes);
        b->x_there[k].data = reserve(b, bytes), b->slope_there[k].data = reserve(b, bytes);
    }
    b->map_w = 9, b->map_h = 7;
    return b;
}
static void batch_close(batch *b) { gn_arena_free(b->a); }

/* A label that is not there is NaN or a number like any other; of a third of the samples a field is not there, and
 * leads nowhere. */
static void take_away(batch *b, draws *d, int i) {
    draw_store *s = &b->store[i];
    gn_labels *y = &b->y[i];
    for (int j = 0; j < y->J; j++) {
        const gn_real wrong = (gn_real)(draw_below(d, 2) ? 40 : NAN);
        if (!s->labelled2d[j]) s->joints2d[2 * j] = s->joints2d[2 * j + 1] = wrong;
        if (s->labelled3d[j]) continue;
        s->joints3d[3 * j] = s->joints3d[3 * j + 1] = s->joints3d[3 * j + 2] = s->depth[j] = wrong;
    }
    const int field = draw_below(d, 3) ? -1 : draw_below(d, GN_FIELD_COUNT);
    if (draw_below(d, 3) == 0) y->has &= ~(uint32_t)GN_HAS_depth;
    if (field >= 0) y->has &= ~(1u << field);
#define GONE(name, type, count, carry, help) \
    if (!(y->has >> GN_PLACE_##name & 1)) y->name = NULL;
    GN_FIELDS(GONE)
#undef GONE
}

static double predicted(batch *b, draws *d, int k, int64_t i, const gn_real *truth) {
    const gn_shape *s = &b->x[k].shape;
    if (s->n == 4) return draw_normal(d, 2);
    if (k == POINTS) return draw_in(d, 0, 63);
    if (k == DEPTH) return draw_normal(d, 0.5);
    const int64_t e = i % 3;
    const double root = (double)truth[3 * b->s->root + e], joint = (double)truth[3 * (i / 3 % s->d[1]) + e];
    return draw_normal(d, 0.3) + (k == ROOT ? root : k == POSE && b->apart ? joint - root : joint);
}

static void fill(batch *b, draws *d, const gn_skeleton *s, int samples, int views) {
    b->s = s, b->samples = samples, b->views = views, b->n = 0;
    for (int i = 0; i < samples; i += views) draw_group(d, s, SIDE, views, 2, &b->store[i], &b->y[i]);
    for (int k = 0; k < OUTPUTS; k++) {
        const int points = k == ROOT ? 1 : s->joints;
        gn_tensor t = { GN_TYPE_REAL, 0, { 3, { samples, points, widths[k] } }, NULL };
        if (!widths[k]) t = (gn_tensor){ GN_TYPE_REAL, points, { 4, { samples, points, b->map_h, b->map_w } }, NULL };
        gn_tensor *all[4] = { &b->x[k], &b->x_there[k], &b->slope[k], &b->slope_there[k] };
        for (int i = 0; i < 4; i++) {
            void *data = all[i]->data;
            *all[i] = t;
            all[i]->data = data;
        }
        const int64_t n = gn_tensor_count(&t);
        assert_true(n <= ROOM);
        for (int64_t i = 0; i < n; i++) {
            ((gn_real *)b->x[k].data)[i] = (gn_real)predicted(b, d, k, i, b->store[i / (n / samples)].joints3d);
            b->start[k][i] = (gn_real)(1e-3 * (double)(i % 8));
        }
    }
    for (int i = 0; i < samples; i++) take_away(b, d, i);
}

/* One more loss, on the outputs of its default names; maps: one stack or two. */
static void add(batch *b, draws *d, const gn_loss *l, int pick, int outputs) {
    const int i = b->n++;
    assert_true(i < LOSSES && l->bytes <= sizeof b->options[i]);
    draw_options(d, l->options, pick, b->options[i]);
    b->loss[i] = l;
    for (int k = 0; k < outputs; k++) {
        int of = l->width[0] ? 0 : HEATMAP + k;
        while (l->width[0] && strcmp(names[of], l->reads[k])) of++;
        b->out[i][k] = b->x[of], b->d_out[i][k] = b->slope[of];
        b->out_there[i][k] = b->x_there[of], b->d_out_there[i][k] = b->slope_there[of];
    }
    b->told[i] = (float)draw_in(d, 0.1, 2);
    b->here[i] = (gn_loss_call){ .options = b->options[i], .samples = b->samples, .views = b->views, .labels = b->y,
                                 .outputs = outputs, .out = b->out[i], .d_out = b->d_out[i],
                                 .scale = (double)b->told[i], .value = &b->value[i] };
    b->there[i] = b->here[i];
    b->there[i].out = b->out_there[i], b->there[i].d_out = b->d_out_there[i];
    b->there[i].scale_at = b->told_there + i, b->there[i].value_at = b->told_there + LOSSES + i;
}

static void run_here(batch *b) {
    for (int k = 0; k < OUTPUTS; k++) memcpy(b->slope[k].data, b->start[k], gn_tensor_bytes(&b->slope[k]));
    for (int i = 0; i < b->n; i++) OK(b->loss[i]->run(&b->here[i]));
}

static void run_there(batch *b) {
    const size_t bytes = gn_labels_pack_bytes(b->s, b->samples, DRAW_PAIRS);
    OK(gn_device_pinned(b->d, bytes, &b->packed));
    b->labels = reserve(b, bytes);
    b->scratch = reserve(b, gn_losses_cuda_scratch(b->n, b->there));
    memset(b->packed, 0xff, bytes); /* what nobody fills is NaN, or leads to no good */
    gn_labels_pack(b->y, b->samples, DRAW_PAIRS, b->packed, b->labels);
    OK(gn_device_upload(b->d, b->labels, b->packed, bytes));
    OK(gn_device_upload(b->d, b->told_there, b->told, 2 * LOSSES * sizeof(float)));
    for (int k = 0; k < OUTPUTS; k++) {
        OK(gn_device_upload(b->d, b->x_there[k].data, b->x[k].data, gn_tensor_bytes(&b->x[k])));
        OK(gn_device_upload(b->d, b->slope_there[k].data, b->start[k], gn_tensor_bytes(&b->x[k])));
    }
    for (int i = 0; i < b->n; i++) b->there[i].labels = b->labels;
    OK(gn_losses_cuda(b->n, b->loss, b->there, b->scratch, gn_device_stream(b->d)));
    OK(gn_device_download(b->d, b->told, b->told_there, 2 * LOSSES * sizeof(float)));
    for (int k = 0; k < OUTPUTS; k++)
        OK(gn_device_download(b->d, b->got[k], b->slope_there[k].data, gn_tensor_bytes(&b->x[k])));
    OK(gn_device_wait(b->d));
}

/* NaN only where the loop has it, too. */
static int near_or_nan(double got, double host, double within) {
    return isnan(host) ? isnan(got) : fabs(got - host) <= within;
}

static void compare(batch *b, const char *what, int pick) {
    for (int i = 0; i < b->n; i++)
        if (!near_or_nan((double)b->told[LOSSES + i], b->value[i], 1e-5 * fabs(b->value[i])))
            fail_msg("%s, options %d, loss %d: value %.9g, the loop says %.9g", what, pick, i,
                     (double)b->told[LOSSES + i], b->value[i]);
    for (int k = 0; k < OUTPUTS; k++) {
        const gn_real *host = b->slope[k].data;
        const int64_t n = gn_tensor_count(&b->slope[k]);
        double most = 0.05; /* of maps they are differences of numbers of about the scale */
        for (int64_t i = 0; i < n; i++) most = fmax(most, fabs((double)(host[i] - b->start[k][i])));
        for (int64_t i = 0; i < n; i++)
            if (!near_or_nan((double)b->got[k][i], (double)host[i], 1e-5 * most))
                fail_msg("%s, options %d, %s: slope %lld is %.9g, the loop says %.9g, largest %.3g", what, pick,
                         names[k], (long long)i, (double)b->got[k][i], (double)host[i], most);
    }
}

static void check(batch *b, const char *what, int pick) {
    run_here(b);
#ifdef GN_EMULATED
    for (int backwards = 1; backwards >= 0; backwards--) {
        gn_emulate_order(backwards);
        run_there(b);
        compare(b, what, pick);
    }
#else
    run_there(b);
    compare(b, what, pick);
#endif
}

static int outputs_named(const gn_loss *l) {
    int n = 0;
    while (n < 3 && l->reads[n]) n++;
    return n;
}

/* Each by itself: every choice of its options, both skeletons, with and without the outputs it can do without. */
static void each(void **state) {
    (void)state;
    batch *b = batch_open();
    for (const gn_loss *const *l = gn_losses; *l; l++)
        for (int pick = 0; pick < cases(draw_option_sets((*l)->options), 1); pick++)
            for (int turn = 0; turn < cases(4, 2); turn++) {
                draws d = { 300 + (uint64_t)(4 * pick + turn), 0 };
                b->apart = turn % 2;
                fill(b, &d, turn % 2 ? &gn_h36m17 : &gn_mpii16, SAMPLES, turn < 2 ? 2 : 4);
                add(b, &d, *l, pick, b->apart ? (*l)->width[0] ? outputs_named(*l) : 2 : (*l)->least);
                check(b, (*l)->name, pick);
                assert_true(isfinite(b->value[0]) && b->value[0] > 0);
            }
    batch_close(b);
}

/* More than one launch takes, one after the other on the same slopes, in groups of one view and of several. */
static void together(void **state) {
    (void)state;
    batch *b = batch_open();
    for (int turn = 0; turn < cases(3, 2); turn++) {
        draws d = { 500 + (uint64_t)turn, 0 };
        fill(b, &d, turn % 2 ? &gn_h36m17 : &gn_mpii16, turn == 2 ? 7 : 12, turn == 2 ? 1 : 3 - turn);
        for (int i = 0; i < 2; i++)
            for (const gn_loss *const *l = gn_losses; *l; l++)
                if ((*l)->views <= b->views) {
                    const int pick = draw_below(&d, draw_option_sets((*l)->options));
                    add(b, &d, *l, pick, (*l)->width[0] ? outputs_named(*l) : 1 + i);
                }
        check(b, "together", turn);
    }
    batch_close(b);
}

/* Maps of one cell, of odd sides, and of more cells than a block keeps. */
static void map_sizes(void **state) {
    (void)state;
    static const struct { int w, h, samples; } size[] = { { 1, 1, 3 }, { 33, 5, 2 }, { 65, 64, 1 } };
    batch *b = batch_open();
    const gn_loss *l = gn_loss_find("heatmap");
    for (int k = 0; k < 3; k++)
        for (int pick = 0; pick < cases(draw_option_sets(l->options), 1); pick++) {
            draws d = { 600 + (uint64_t)pick, 0 };
            b->map_w = size[k].w, b->map_h = size[k].h;
            fill(b, &d, &gn_mpii16, size[k].samples, 1);
            for (int i = 0; i < b->samples; i++) { /* few: none goes without */
                gn_labels *y = &b->y[i];
                y->has |= GN_HAS_joints2d | GN_HAS_labelled2d;
                y->joints2d = b->store[i].joints2d, y->labelled2d = b->store[i].labelled2d;
            }
            add(b, &d, l, pick, 1);
            check(b, "maps", pick);
        }
    batch_close(b);
}

/* A prediction that is no number: the value is none, and so are the slopes that are none on the host. */
static void not_a_number(void **state) {
    (void)state;
    batch *b = batch_open();
    for (const gn_loss *const *l = gn_losses; *l; l++)
        for (int pick = 0; pick < cases(draw_option_sets((*l)->options), 1); pick++) {
            draws d = { 700 + (uint64_t)pick, 0 };
            fill(b, &d, &gn_mpii16, 12, 2);
            for (int k = 0; k < OUTPUTS; k++)
                for (int64_t i = 0; i < gn_tensor_count(&b->x[k]); i++) ((gn_real *)b->x[k].data)[i] = (gn_real)NAN;
            add(b, &d, *l, pick, (*l)->least);
            run_here(b);
            run_there(b);
            if (!isnan(b->told[LOSSES]))
                fail_msg("%s, options %d: NaN became %g", (*l)->name, pick, (double)b->told[LOSSES]);
            if ((*l)->width[0]) compare(b, (*l)->name, pick);
        }
    batch_close(b);
}

/* Values without slopes; what does not fit is refused before anything runs. */
static void calls(void **state) {
    (void)state;
    batch *b = batch_open();
    draws d = { 800, 0 };
    fill(b, &d, &gn_h36m17, 12, 2);
    for (const gn_loss *const *l = gn_losses; *l; l++) add(b, &d, *l, 0, (*l)->least);
    for (int i = 0; i < b->n; i++) b->d_out[i][0].data = b->d_out_there[i][0].data = NULL;
    check(b, "values alone", 0);

    void *stream = gn_device_stream(b->d);
    b->out_there[1][0].shape.d[2] = 4;
    FAILS(gn_losses_cuda(b->n, b->loss, b->there, b->scratch, stream), BAD_SHAPE);
    assert_non_null(strstr(gn_reason(), "position"));
    gn_trail_clear();
    b->out_there[1][0].shape.d[2] = 3;
    b->out_there[0][0].block = 16;
    FAILS(gn_losses_cuda(b->n, b->loss, b->there, b->scratch, stream), BAD_SHAPE);
    gn_trail_clear();
    fill(b, &d, &gn_h36m17, 12, 2);
    add(b, &d, gn_loss_find("agree"), 0, 1), add(b, &d, gn_loss_find("transform"), 0, 1);
    b->there[1].views = 3;
    FAILS(gn_losses_cuda(b->n, b->loss, b->there, b->scratch, stream), BAD_SHAPE);
    assert_non_null(strstr(gn_reason(), "3 views"));
    gn_trail_clear();
    batch_close(b);
}

int main(void) {
    if (no_gpu()) return SKIP_EXIT;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each),         cmocka_unit_test(together), cmocka_unit_test(map_sizes),
        cmocka_unit_test(not_a_number), cmocka_unit_test(calls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
