/* twin.h - an op run once more as a GPU runs it, beside the CPU's loop: is the kernel the loop?
 *
 * Every tensor of a rig has a twin on the device, with the same numbers. The twin is run as a graph on a GPU runs
 * it (op.h, "sums on a GPU"), in both thread orders where the device is emulated, and compared with the rig:
 * float to 1e-5, bf16 to 1e-2 of a tensor's largest magnitude. */
#ifndef TWIN_H
#define TWIN_H
#include "on_gpu.h"
#include "rig.h"

#ifdef GN_EMULATED
void gn_emulate_order(int backwards);
#endif

typedef struct {
    rig *r;
    gn_device *d;
    gn_arena *a;
    gn_tensor in[RIG_SHARDS][GN_OP_IN], d_in[RIG_SHARDS][GN_OP_IN], out[RIG_SHARDS], d_out[RIG_SHARDS];
    gn_tensor saved[RIG_SHARDS][2], param[GN_OP_PARAM], d_param[RIG_SHARDS][GN_OP_PARAM];
    gn_call call[RIG_SHARDS];
    float *rows_in, *rows_out[RIG_SHARDS], *totals, *total;
    uint64_t *seed;
} twin;

static inline void *twin_bytes(twin *t, size_t bytes, int byte) {
    void *p;
    OK(gn_device_reserve(t->d, bytes, &p));
    OK(gn_device_fill(t->d, p, byte, bytes));
    return p;
}
static inline void twin_up(twin *t, const gn_tensor *to, const gn_tensor *from) {
    OK(gn_device_upload(t->d, to->data, from->data, gn_tensor_bytes(from)));
}
/* A device tensor like `like`, with its numbers, or with NaN. */
static inline gn_tensor twin_of(twin *t, const gn_tensor *like, int numbers) {
    gn_tensor x = *like;
    if (!like->data) return x;
    x.data = twin_bytes(t, gn_tensor_bytes(like), 0xff);
    if (numbers) twin_up(t, &x, like);
    return x;
}

static inline void twin_open(twin *t, rig *r) {
    *t = (twin){ .r = r, .a = gn_arena_new("twin") };
    OK(gn_device_open(t->a, 0, &t->d));
    const int64_t channels = r->in_shape[0].d[1];
    for (int k = 0; k < r->s.n_param; k++) t->param[k] = twin_of(t, &r->param[k], 1);
    void *shadow = NULL; /* bf16 weights in the place and layout of param[0] */
    if (r->s.n_param && r->s.param[0].n > 1) {
        int64_t n = r->param[0].shape.d[0];
        uint16_t *narrow = gn_arena_take(t->a, sizeof(uint16_t) * (size_t)n);
        gn_tensor view = { GN_TYPE_BF16, 0, { 1, { n } }, narrow };
        for (int64_t i = 0; i < n; i++) rig_put(&view, i, rig_get(&r->param[0], i));
        shadow = twin_bytes(t, sizeof(uint16_t) * (size_t)n, 0xff);
        OK(gn_device_upload(t->d, shadow, narrow, sizeof(uint16_t) * (size_t)n));
        OK(gn_device_wait(t->d));
    }
    t->seed = twin_bytes(t, sizeof r->seed, 0);
    OK(gn_device_upload(t->d, t->seed, &r->seed, sizeof r->seed));
    t->rows_in = twin_bytes(t, sizeof(float) * (size_t)(2 * channels * gn_rows(&r->in[0][0])), 0xff);
    t->totals = twin_bytes(t, sizeof(float) * (size_t)(2 * channels * r->shards), 0xff);
    t->total = twin_bytes(t, sizeof(float) * (size_t)(2 * channels), 0xff);
    for (int s = 0; s < r->shards; s++) {
        gn_call *c = &t->call[s];
        size_t scratch = 0, bytes = 0;
        for (int i = 0; i < r->n_in; i++) {
            t->in[s][i] = twin_of(t, &r->in[s][i], 1);
            t->d_in[s][i] = twin_of(t, &r->d_in[s][i], 0);
        }
        t->out[s] = twin_of(t, &r->out[s], 0);
        t->d_out[s] = twin_of(t, &r->d_out[s], 1);
        for (int k = 0; k < 2; k++) t->saved[s][k] = twin_of(t, &r->saved[s][k], 0);
        for (int k = 0; k < r->s.n_param; k++) { /* the padding of a gradient is 0 from the start, and nobody writes it */
            for (int64_t i = 0; r->d_param[s][k].data && i < gn_tensor_count(&r->d_param[s][k]); i++)
                rig_put(&r->d_param[s][k], i, r->live[k][i] ? (double)NAN : 0);
            t->d_param[s][k] = twin_of(t, &r->d_param[s][k], 1);
        }
        *c = r->call[s];
        c->in = t->in[s], c->param = t->param, c->out = &t->out[s], c->saved = t->saved[s], c->d_out = &t->d_out[s];
        c->d_in = t->d_in[s], c->d_param = t->d_param[s];
        c->state = c->scratch = NULL, c->shadow = shadow, c->total = NULL, c->sums = NULL;
        c->stream = gn_device_stream(t->d);
        c->seed_at = t->seed;
        if (r->op->plan[GN_CUDA]) OK(r->op->plan[GN_CUDA](c, t->a, r->impl, &c->state, &scratch, &bytes));
        assert_int_equal(bytes, 0); /* the shadow is the graph's: bf16 weights */
        c->scratch = twin_bytes(t, scratch, 0xff);
        if (r->s.out.n == 4) { /* wanted of every activation here; centre: whatever numbers are at hand */
            t->rows_out[s] = twin_bytes(t, sizeof(float) * (size_t)(2 * r->s.out.d[1] * gn_rows(&r->out[s])), 0xff);
            c->centre = twin_bytes(t, sizeof(gn_real) * (size_t)r->s.out.d[1], 0x3e); /* 0.186 each */
        }
    }
}
static inline void twin_close(twin *t) { gn_arena_free(t->a); }

/* The rows of shard s to t->totals, and its gradients of shift and scale where those are meant. */
static inline void twin_finish(twin *t, int s, gn_real *first, gn_real *second) {
    const int channels = (int)t->r->in_shape[0].d[1];
    gn_finish f = { .rows = t->rows_in, .n = gn_rows(&t->r->in[0][0]), .channels = channels,
                    .total = t->totals + (int64_t)s * 2 * channels, .first = first, .second = second };
    OK(gn_finish_cuda(&f, gn_device_stream(t->d)));
}

static inline void twin_stat(twin *t) {
    const rig *r = t->r;
    const int channels = (int)r->in_shape[0].d[1];
    gn_real *mean = t->param[r->s.n_param - 2].data, *variance = t->param[r->s.n_param - 1].data;
    if (r->mode == GN_EVAL) {
        for (int s = 0; s < r->shards; s++)
            OK(gn_stat_cuda(mean, variance, channels, t->saved[s][0].data, gn_device_stream(t->d)));
        return;
    }
    gn_real *moved[2] = { twin_bytes(t, sizeof(gn_real) * (size_t)channels, 0), twin_bytes(t, sizeof(gn_real) * (size_t)channels, 0) };
    for (int s = 0; s < r->shards; s++) {
        gn_call c = { .out = &t->in[s][0], .rows = t->rows_in, .centre = mean, .stream = gn_device_stream(t->d) };
        OK(gn_rows_cuda(&c));
        twin_finish(t, s, NULL, NULL);
    }
    for (int s = 0; s < r->shards; s++) { /* centred on the same numbers each time; what moves is thrown away */
        gn_finish f = { .channels = channels, .total = t->total, .count = r->call[0].count, .centre = mean,
                        .stat = { t->saved[s][0].data }, .mean = { moved[0] }, .variance = { moved[1] } };
        OK(gn_totals_cuda(t->totals, r->shards, &f, gn_device_stream(t->d)));
    }
}

static inline void twin_forward(twin *t) {
    rig *r = t->r;
    if (r->s.norm_channels) twin_stat(t);
    for (int s = 0; s < r->shards; s++) {
        t->call[s].phase = r->s.norm_channels != 0;
        t->call[s].rows = r->op->leaves_rows ? t->rows_out[s] : NULL;
        OK(r->op->forward[GN_CUDA](&t->call[s]));
    }
    OK(gn_device_wait(t->d));
}

static inline void twin_backward(twin *t) {
    rig *r = t->r;
    const int norm = r->s.norm_channels != 0, channels = (int)r->in_shape[0].d[1];
    for (int s = 0; s < r->shards; s++) {
        gn_call *c = &t->call[s];
        c->phase = 0;
        c->rows = norm ? t->rows_in : NULL;
        OK(r->op->backward[GN_CUDA](c));
        if (norm) twin_finish(t, s, t->d_param[s][r->s.n_param - 3].data, t->d_param[s][r->s.n_param - 4].data);
    }
    if (norm) {
        gn_finish f = { .channels = channels, .total = t->total };
        OK(gn_totals_cuda(t->totals, r->shards, &f, gn_device_stream(t->d)));
    }
    for (int s = 0; s < r->shards && norm; s++) {
        t->call[s].phase = 1;
        t->call[s].row_total = t->total;
        OK(r->op->backward[GN_CUDA](&t->call[s]));
    }
    OK(gn_device_wait(t->d));
}

/* Largest difference over the largest magnitude; not below `tol` fails, and so does NaN. */
static inline void twin_near(twin *t, const char *what, const gn_tensor *device, const gn_tensor *host, double tol) {
    gn_tensor got = *host;
    double most = 0, off = 0;
    got.data = gn_arena_take(t->a, gn_tensor_bytes(host) + 64);
    OK(gn_device_download(t->d, got.data, device->data, gn_tensor_bytes(host)));
    OK(gn_device_wait(t->d));
    const int64_t n = gn_tensor_count(host);
    for (int64_t i = 0; i < n; i++) most = fmax(most, fabs(rig_get(host, i)));
    for (int64_t i = 0; i < n; i++) {
        double d = fabs(rig_get(&got, i) - rig_get(host, i));
        if (!(d <= off)) off = d;
    }
    if (!(off <= tol * fmax(most, 1e-3))) {
        fprintf(stderr, "%s: off by %g, largest %g, %s\n", what, off, most, gn_shape_text(&host->shape));
        fail();
    }
}

/* Forward and backward of the rig and its twin; `bf16` looser. */
static inline void twin_check_once(rig *r, double tol) {
    twin t;
    twin_open(&t, r);
    for (int s = 0; s < r->shards; s++) /* what lies in d_in when it is added to */
        for (int i = 0; i < r->n_in; i++) {
            for (int64_t k = 0; k < gn_tensor_count(&r->d_in[s][i]); k++)
                rig_put(&r->d_in[s][i], k, r->first ? (double)NAN : 0.25);
            twin_up(&t, &t.d_in[s][i], &r->d_in[s][i]);
        }
    OK(gn_device_wait(t.d));
    rig_forward(r), twin_forward(&t);
    for (int s = 0; s < r->shards; s++) twin_near(&t, "out", &t.out[s], &r->out[s], tol);
    if (r->mode == GN_TRAIN) {
        rig_backward(r), twin_backward(&t);
        for (int s = 0; s < r->shards; s++) {
            for (int i = 0; i < r->n_in; i++) twin_near(&t, i ? "d_in[1]" : "d_in[0]", &t.d_in[s][i], &r->d_in[s][i], tol);
            for (int k = 0; k < r->s.n_param - (r->s.norm_channels ? 2 : 0); k++) {
                char what[32];
                snprintf(what, sizeof what, "d_param[%d]", k);
                if (r->d_param[s][k].data) twin_near(&t, what, &t.d_param[s][k], &r->d_param[s][k], tol); /* else frozen */
            }
        }
    }
    if (r->op->leaves_rows && r->s.out.n == 4) { /* what it left is what a pass of its own would leave */
        for (int s = 0; s < r->shards; s++) {
            const int64_t n = 2 * r->s.out.d[1] * gn_rows(&r->out[s]);
            gn_tensor mine = { GN_TYPE_REAL, 0, { 1, { n } }, t.rows_out[s] }, host = mine;
            host.data = gn_arena_take(t.a, sizeof(float) * (size_t)n);
            gn_call c = { .out = &t.out[s], .rows = twin_bytes(&t, sizeof(float) * (size_t)n, 0xff), .centre = t.call[s].centre,
                          .stream = gn_device_stream(t.d) };
            OK(gn_rows_cuda(&c));
            OK(gn_device_download(t.d, host.data, c.rows, sizeof(float) * (size_t)n));
            OK(gn_device_wait(t.d));
            twin_near(&t, "rows", &mine, &host, fmax(tol, 1e-5));
        }
    }
    twin_close(&t);
}

static inline void twin_check_open(rig *r) { /* of a rig that is open, and whose numbers a test may have changed */
    double tol = 1e-5;
    for (int i = 0; i < r->n_in; i++)
        if (r->in_type[i] == GN_TYPE_BF16) tol = 1e-2;
    if (r->out_type == GN_TYPE_BF16) tol = 1e-2;
#ifdef GN_EMULATED
    for (int backwards = 0; backwards < 2; backwards++) {
        gn_emulate_order(backwards);
        twin_check_once(r, tol);
    }
    gn_emulate_order(0);
#else
    twin_check_once(r, tol);
#endif
}

static inline void twin_check(rig r) {
    r.seed = r.seed ? r.seed : 7;
    rig_open(&r);
    twin_check_open(&r);
    rig_close(&r);
}

/* By the library of this name instead of our kernel. Where it is absent the plan must say so; 0: not compared. */
static inline int twin_check_library(rig r, const char *name, const char *version) {
    const int there = strcmp(version, "absent") != 0;
    size_t scratch, shadow;
    void *state;
    r.seed = r.seed ? r.seed : 7;
    rig_open(&r);
    r.impl = GN_IMPL_LIBRARY;
    if (there) {
        twin_check_open(&r);
    } else {
        FAILS(r.op->plan[GN_CUDA](&r.call[0], r.a, GN_IMPL_LIBRARY, &state, &scratch, &shadow), NO_DEVICE);
        assert_non_null(strstr(gn_reason(), name));
    }
    rig_close(&r);
    return there;
}
#endif
