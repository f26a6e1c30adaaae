/* test_golden.c - do our ops make PyTorch's numbers? Values of golden/ops.txt, in dense and in blocked
 * layout, by our loops and by the library. */
#include "rig.h"
#include <stdlib.h>

typedef struct {
    char name[32];
    gn_shape shape;
    double *v;
} record;
static record records[160];
static int n_records;

static int read_all(void **state) {
    (void)state;
    FILE *f = fopen(GN_SOURCE "/tests/golden/ops.txt", "r");
    static char line[1 << 16];
    if (!f) return -1;
    while (fgets(line, sizeof line, f) && n_records < 160) {
        record *r = &records[n_records++];
        char *at = line + strcspn(line, " \n");
        memcpy(r->name, line,
               (size_t)(at - line) < sizeof r->name - 1 ? (size_t)(at - line) : sizeof r->name - 1);
        while (*at == ' ' && r->shape.n < 5) r->shape.d[r->shape.n++] = strtoll(at, &at, 10);
        int64_t n = gn_shape_count(&r->shape);
        r->v = malloc(sizeof *r->v * (size_t)n);
        if (!r->v) break;
        for (int64_t i = 0; i < n; i++)
            if (fscanf(f, "%lf", &r->v[i]) != 1) return fclose(f), -1;
        if (!fgets(line, sizeof line, f)) break;
    }
    return fclose(f);
}
static int free_all(void **state) {
    (void)state;
    for (int i = 0; i < n_records; i++) free(records[i].v);
    return 0;
}

static const record *find(const char *op, const char *name) {
    char whole[128];
    snprintf(whole, sizeof whole, "%s.%s", op, name);
    for (int i = 0; i < n_records; i++)
        if (!strcmp(records[i].name, whole)) return &records[i];
    fail_msg("golden/ops.txt has no %s", whole);
    return NULL;
}

/* Where logical element i of parameter k lies in the slab: weights of a convolution are blocked. */
static int64_t param_at(const rig *r, int k, int64_t i) {
    const gn_shape *s = &r->s.param[k];
    if (s->n != 4) return i;
    const int64_t *d = s->d;
    return rig_weight(r, i / (d[1] * d[2] * d[3]), i / (d[2] * d[3]) % d[1], i / d[3] % d[2], i % d[3]);
}

static void fill(gn_tensor *t, const record *from) {
    for (int64_t i = 0; i < gn_shape_count(&from->shape); i++) rig_put(t, rig_at(t, i), from->v[i]);
}
static void same(const gn_tensor *t, const record *as) {
    for (int64_t i = 0; i < gn_shape_count(&as->shape); i++) {
        double got = rig_get(t, rig_at(t, i));
        if (!(fabs(got - as->v[i]) <= 2e-5 * fmax(1, fabs(as->v[i]))))
            fail_msg("%s[%d] = %.9g, PyTorch has %.9g", as->name, (int)i, got, as->v[i]);
    }
}

/* in and param name the records; d_NAME are the slopes */
static void check(const char *op, rig r, const char *const *in, const char *const *param) {
    for (int i = 0; i < r.n_in; i++) r.in_shape[i] = find(op, in[i])->shape;
    r.first = 1;
    rig_open(&r);
    for (int i = 0; i < r.n_in; i++) fill(&r.in[0][i], find(op, in[i]));
    for (int k = 0; param[k]; k++)
        for (int64_t i = 0; i < gn_shape_count(&r.s.param[k]); i++)
            rig_put(&r.param[k], param_at(&r, k, i), find(op, param[k])->v[i]);
    rig_forward(&r);
    same(&r.out[0], find(op, "out"));
    if (r.mode == GN_TRAIN) {
        char name[64];
        fill(&r.d_out[0], find(op, "slope"));
        rig_backward(&r);
        for (int i = 0; i < r.n_in; i++) {
            snprintf(name, sizeof name, "d_%s", in[i]);
            if (r.d_in[0][i].data) same(&r.d_in[0][i], find(op, name));
        }
        for (int k = 0; param[k]; k++) {
            snprintf(name, sizeof name, "d_%s", param[k]);
            const record *d = find(op, name);
            for (int64_t i = 0; i < gn_shape_count(&d->shape); i++)
                NEAR_REL(rig_get(&r.d_param[0][k], param_at(&r, k, i)), d->v[i], 2e-5, 10);
        }
    }
    rig_close(&r);
}

/* Both layouts, ours and the library's loops. A picture of three channels is never blocked. */
static void check_all(const char *op, rig r, const char *const *in, const char *const *param) {
    int c = (int)find(op, "x")->shape.d[1], o = (int)find(op, "out")->shape.d[1];
    for (int way = 0; way < 3; way++) {
        int block = way ? 16 : 0;
        r.impl = way == 2 ? GN_IMPL_LIBRARY : GN_IMPL_OWN;
        r.in_block[0] = block && c > 3 ? block : c;
        r.in_block[1] = r.out_block = block ? block : o;
        check(op, r, in, param);
    }
}

static void test_conv(void **state) {
    (void)state;
    static const struct {
        const char *op;
        gn_conv_attr a;
    } conv[] = {
        { "conv1", { 8, 1, 1, 0, 0, 1, 0 } },
        { "conv3", { 6, 3, 1, 0, 0, 1, 0 } },
        { "conv3s2", { 5, 3, 2, 0, 0, 1, 0 } },
        { "conv7s2", { 10, 7, 2, 0, 0, 1, 0 } },
    };
    for (size_t i = 0; i < sizeof conv / sizeof *conv; i++) {
        rig r = { .op = &gn_op_conv, .attr = &conv[i].a, .n_in = 1 };
        check_all(conv[i].op, r, (const char *[]){ "x" }, (const char *[]){ "weight", "bias", NULL });
    }
}

static void test_unit(void **state) {
    (void)state;
    gn_conv_attr a = { 7, 3, 1, 1, 1, 1, 1 };
    rig r = { .op = &gn_op_conv, .attr = &a, .n_in = 2 };
    check_all("unit", r, (const char *[]){ "x", "add" },
              (const char *[]){ "weight", "bias", "scale", "shift", NULL });
}

static void test_norm(void **state) {
    (void)state;
    gn_norm_attr a = { 0 };
    rig r = { .op = &gn_op_norm, .attr = &a, .n_in = 1 };
    check_all("norm", r, (const char *[]){ "x" }, (const char *[]){ "scale", "shift", NULL });
    r.mode = GN_EVAL;
    check_all("norm_eval", r, (const char *[]){ "x" },
              (const char *[]){ "scale", "shift", "mean", "variance", NULL });
}

static void test_resample(void **state) {
    (void)state;
    gn_pool_attr pool = { 2 };
    gn_upsample_attr up = { 2 };
    rig r = { .op = &gn_op_pool, .attr = &pool, .n_in = 1 },
        u = { .op = &gn_op_upsample, .attr = &up, .n_in = 2 };
    check_all("pool", r, (const char *[]){ "x" }, (const char *[]){ NULL });
    check_all("upsample", u, (const char *[]){ "x", "add" }, (const char *[]){ NULL });
}

static void test_linear(void **state) {
    (void)state;
    gn_linear_attr a = { 4, 1 };
    rig r = { .op = &gn_op_linear, .attr = &a, .n_in = 1 };
    check_all("linear", r, (const char *[]){ "x" }, (const char *[]){ "weight", "bias", NULL });
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_conv),     cmocka_unit_test(test_unit),   cmocka_unit_test(test_norm),
        cmocka_unit_test(test_resample), cmocka_unit_test(test_linear),
    };
    return cmocka_run_group_tests(tests, read_all, free_all);
}
