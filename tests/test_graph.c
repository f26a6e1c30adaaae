/* test_graph.c - the paper's network by its numbers; what a wrong graph is told. */
#include "src/graph/inside.h"
#include "tiny.h"
#include <malloc.h>
#include <stdlib.h>

static int64_t learning(const gn_graph *g, const char *scope) {
    const gn_param *p;
    int64_t sum = 0;
    for (int i = 0, n = gn_graph_params(g, &p); i < n; i++)
        if (p[i].role < GN_MEAN && !strncmp(p[i].name, scope, strlen(scope))) sum += gn_shape_count(&p[i].shape);
    return sum;
}

static void paper_has_its_parameters(void **state) {
    (void)state;
    gn_arena *a = gn_arena_new("test");
    gn_graph *g = tiny_build(a, "hourglass", 256, 16, NULL);
    gn_plan plan = { .batch = 4, .shards = 2, .backward = 1 };
    OK(gn_graph_measure(g, &plan));
    gn_graph_size size = gn_graph_sizes(g);
    assert_int_equal(size.parameters, 14429104);
    assert_int_equal(learning(g, "depth."), 1781776);
    assert_int_equal(size.parameters - learning(g, "depth."), 12647328);
    assert_int_equal(learning(g, "stack1.out.unit1."), 214528);
    /* 96.7 GFLOP a picture, forward and backward */
    NEAR(size.flop_forward + size.flop_backward, 96.7e9, 0.4e9);
    assert_int_equal(gn_graph_outputs(g), 4);
    assert_true(gn_graph_output_find(g, "heatmap2") >= 0 && gn_graph_output_find(g, "depth") >= 0);
    gn_arena_free(a);
}

static void forward_alone_is_smaller(void **state) {
    (void)state;
    gn_arena *a = gn_arena_new("test");
    gn_graph *g = tiny_build(a, "hourglass", 256, 16, NULL);
    OK(gn_graph_measure(g, &(gn_plan){ .batch = 2, .shards = 1, .backward = 1 }));
    gn_graph_size both = gn_graph_sizes(g);
    OK(gn_graph_measure(g, &(gn_plan){ .batch = 2, .shards = 1 }));
    gn_graph_size one = gn_graph_sizes(g);
    assert_true(one.activations * 5 < both.activations);
    assert_int_equal(one.gradients, 0);
    gn_arena_free(a);
}

static void failures_stick(void **state) {
    (void)state;
    gn_arena *a = gn_arena_new("test");
    gn_graph *g;
    OK(gn_graph_new(a, &g));
    gn_scope_in(g, "low");
    gn_node x = gn_input(g, "picture", 3, 15, 16);
    gn_output(g, "small", gn_pool_max(g, x, 2));
    gn_scope_out(g);
    FAILS(gn_graph_plan(g, &(gn_plan){ .batch = 2, .shards = 1 }), BAD_SHAPE);
    assert_string_equal(gn_reason(), "low: pool: pool of [1 3 15 16] wants sides that are multiples of 2 (1 to 15)");
    gn_arena_free(a);

    const gn_model *m = tiny_model("hourglass");
    char options[256];
    a = gn_arena_new("test");
    tiny_options(m, NULL, options);
    OK(gn_graph_new(a, &g));
    FAILS(m->build(g, options, 96, 16), BAD_CONFIG);
    assert_non_null(strstr(gn_reason(), "multiple of 64 pixels, got 96"));
    g = tiny_build(a, "hourglass", 96, 16, (tiny_set[]){ { "depth", 3 }, { "width", 32 }, { 0 } });
    FAILS(gn_graph_measure(g, &(gn_plan){ .batch = 3, .shards = 2 }), BAD_CONFIG);
    FAILS(gn_graph_measure(g, &(gn_plan){ .batch = 2, .shards = 2, .frozen = (const char *[]){ "stam", NULL } }), BAD_CONFIG);
    gn_arena_free(a);
}

static void frozen_comes_last(void **state) {
    (void)state;
    gn_arena *a = gn_arena_new("test");
    gn_graph *g = tiny_build(a, "hourglass", 64, 16, (tiny_set[]){ { "depth", 2 }, { "width", 32 }, { 0 } });
    OK(gn_graph_measure(g, &(gn_plan){ .batch = 2, .shards = 1, .backward = 1 }));
    size_t whole = gn_graph_sizes(g).activations;
    OK(gn_graph_measure(g, &(gn_plan){ .batch = 2, .shards = 1, .backward = 1, .frozen = (const char *[]){ "stem", "stack1", "stack2", NULL } }));
    assert_true(gn_graph_sizes(g).activations * 2 < whole);
    const gn_param *p;
    int64_t trained;
    gn_graph_weight_count(g, &trained);
    for (int i = 0, n = gn_graph_params(g, &p); i < n; i++)
        assert_int_equal(p[i].trained, p[i].at < trained);
    gn_arena_free(a);
}

/* --- the same bits, whoever computes; nothing allocated --- */

#ifndef SANITIZED
void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t), *__libc_memalign(size_t, size_t);
static atomic_int allocations;
void *malloc(size_t n) { return atomic_fetch_add(&allocations, 1), __libc_malloc(n); }
void *calloc(size_t n, size_t each) { return atomic_fetch_add(&allocations, 1), __libc_calloc(n, each); }
void *realloc(void *p, size_t n) { return atomic_fetch_add(&allocations, 1), __libc_realloc(p, n); }
void *aligned_alloc(size_t to, size_t n) { return atomic_fetch_add(&allocations, 1), __libc_memalign(to, n); }
int posix_memalign(void **p, size_t to, size_t n) {
    atomic_fetch_add(&allocations, 1);
    return (*p = __libc_memalign(to, n)) ? 0 : 12; /* ENOMEM */
}
#else
static int allocations;
#endif

enum { SHARDS = 8, BATCH = 16, STEPS = 3 };

/* Three steps of plain descent; the weights after them. */
static gn_real *descend(int workers, int norm_shard, gn_impl impl, gn_type type, int64_t *elements) {
    gn_arena *a = gn_arena_new("test");
    gn_graph *g = tiny_build(a, "hourglass", 32, 5, (tiny_set[]){ { "stacks", 2 }, { "width", 32 }, { "depth", 2 }, { "modules", 1 }, { 0 } });
    gn_pool *pool;
    int64_t trained;
    OK(gn_pool_open(a, workers, &pool));
    OK(gn_graph_plan(g, &(gn_plan){ .batch = BATCH, .shards = SHARDS, .backward = 1, .norm_shard = norm_shard,
                                    .impl = impl, .type = type, .pool = pool }));
    gn_graph_init(g, GN_INIT_TORCH, 5);
    tiny_feed(g, SHARDS);
    *elements = gn_graph_weight_count(g, &trained);
    int before = 0;
    size_t in_use = 0;
    for (int step = 0; step < STEPS; step++) {
        if (step == 1) before = allocations, in_use = mallinfo2().uordblks;
        OK(gn_graph_forward(g, GN_TRAIN, (uint64_t)step));
        tiny_loss(g, SHARDS, 1);
        OK(gn_graph_backward(g));
        gn_real *w = gn_graph_weights(g), *d = gn_graph_gradients(g);
        for (int64_t i = 0; i < trained; i++) w[i] -= (gn_real)1e-6 * d[i];
    }
    /* nothing is allocated; oneDNN does so within a call, but keeps nothing (beyond a thread's own cache of free pieces) */
    if (impl == GN_IMPL_OWN) assert_int_equal(allocations, before);
    assert_true(mallinfo2().uordblks < in_use + (1 << 16));
    gn_real *copy = malloc((size_t)*elements * sizeof *copy);
    memcpy(copy, gn_graph_weights(g), (size_t)*elements * sizeof *copy);
    gn_arena_free(a);
    return copy;
}

static void same_bits(gn_impl impl, gn_type type) {
    for (int norm_shard = 0; norm_shard < 2; norm_shard++) {
        int64_t n, m;
        gn_real *one = descend(1, norm_shard, impl, type, &n);
        for (int64_t i = 0; i < n; i++) assert_true(one[i] == one[i]);
        for (const int *workers = (const int[]){ 2, 3, 8, 0 }; *workers; workers++) {
            gn_real *many = descend(*workers, norm_shard, impl, type, &m);
            assert_int_equal(n, m);
            assert_memory_equal(one, many, (size_t)n * sizeof *one);
            free(many);
        }
        free(one);
    }
}

static void same_bits_own(void **state) {
    (void)state;
    same_bits(GN_IMPL_OWN, GN_TYPE_REAL);
}
static void same_bits_bf16(void **state) {
    (void)state;
    same_bits(GN_IMPL_FASTEST, GN_TYPE_BF16);
}
static void same_bits_library(void **state) {
    (void)state;
    same_bits(GN_IMPL_FASTEST, GN_TYPE_REAL);
}

/* Loss and gradient length of one pass. */
static void one_pass(gn_impl impl, gn_type type, double *loss, double *length) {
    gn_arena *a = gn_arena_new("test");
    gn_graph *g = tiny_build(a, "plain", 32, 5, (tiny_set[]){ { "width", 32 }, { "units", 2 }, { 0 } });
    int64_t trained;
    OK(gn_graph_plan(g, &(gn_plan){ .batch = 8, .shards = 2, .backward = 1, .impl = impl, .type = type }));
    gn_graph_init(g, GN_INIT_HE, 5);
    tiny_feed(g, 2);
    OK(gn_graph_forward(g, GN_TRAIN, 0));
    *loss = tiny_loss(g, 2, 1);
    OK(gn_graph_backward(g));
    gn_graph_weight_count(g, &trained);
    double sum = 0;
    for (int64_t i = 0; i < trained; i++) sum += (double)gn_graph_gradients(g)[i] * (double)gn_graph_gradients(g)[i];
    *length = sqrt(sum);
    gn_arena_free(a);
}

static void layouts_and_types_agree(void **state) {
    (void)state;
    double loss[3], length[3];
    one_pass(GN_IMPL_OWN, GN_TYPE_REAL, &loss[0], &length[0]);
    one_pass(GN_IMPL_FASTEST, GN_TYPE_REAL, &loss[1], &length[1]);
    one_pass(GN_IMPL_FASTEST, GN_TYPE_BF16, &loss[2], &length[2]);
    NEAR(loss[1] / loss[0], 1, 1e-4);
    NEAR(length[1] / length[0], 1, 1e-3);
    NEAR(loss[2] / loss[0], 1, 2e-2);
    NEAR(length[2] / length[0], 1, 5e-2);
}

/* --- a worker that fails: nobody waits for ever, its own reason arrives, the next pass works --- */

static int fail_phase, fail_shard, fail_times;
static gn_run_fn *real_run;
static gn_status failing(const gn_call *c) {
    if (c->phase == fail_phase && c->first_sample == fail_shard && fail_times) GN_FAIL(DIVERGED, "shard %d is ill", fail_shard);
    return real_run(c);
}

static void failures_arrive(void **state) {
    (void)state;
    for (const int *workers = (const int[]){ 1, 2, 3, 8, 0 }; *workers; workers++) {
        gn_arena *a = gn_arena_new("test");
        gn_graph *g = tiny_build(a, "plain", 16, 5, (tiny_set[]){ { "width", 8 }, { "units", 2 }, { 0 } });
        gn_pool *pool;
        OK(gn_pool_open(a, *workers, &pool));
        OK(gn_graph_plan(g, &(gn_plan){ .batch = 8, .shards = 8, .backward = 1, .pool = pool }));
        gn_graph_init(g, GN_INIT_HE, 5);
        tiny_feed(g, 8);
        int ill = g->n / 2;
        while (!g->node[ill].s.norm_channels) ill++;
        gn_op op = *g->node[ill].op;
        g->node[ill].op = &op;
        for (int way = 0; way < 4; way++) /* forward or backward, before or after the meeting */
            for (int shard = 0; shard < 8; shard++) {
                gn_run_fn **run = way < 2 ? &op.forward[GN_CPU] : &op.backward[GN_CPU];
                real_run = *run;
                *run = failing;
                fail_phase = way & 1, fail_shard = shard, fail_times = 1;
                if (way >= 2) OK(gn_graph_forward(g, GN_TRAIN, 0));
                gn_status status = way < 2 ? gn_graph_forward(g, GN_TRAIN, 0) : gn_graph_backward(g);
                assert_int_equal(status, GN_DIVERGED);
                assert_non_null(strstr(gn_reason(), "is ill"));
                assert_non_null(strstr(gn_reason(), g->node[ill].name));
                fail_times = 0;
                OK(gn_graph_forward(g, GN_TRAIN, 0));
                OK(gn_graph_backward(g));
                *run = real_run;
            }
        gn_arena_free(a);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paper_has_its_parameters),
        cmocka_unit_test(forward_alone_is_smaller),
        cmocka_unit_test(failures_stick),
        cmocka_unit_test(frozen_comes_last),
        cmocka_unit_test(same_bits_own),
        cmocka_unit_test(same_bits_library),
        cmocka_unit_test(same_bits_bf16),
        cmocka_unit_test(layouts_and_types_agree),
        cmocka_unit_test(failures_arrive),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
