/* test_graph.c - the paper's network by its numbers; what a wrong graph is told. */
#include "gnomon/graph.h"
#include "near.h"
#include <string.h>

static const gn_model *model(const char *name) {
    for (int i = 0; gn_models[i]; i++)
        if (!strcmp(gn_models[i]->name, name)) return gn_models[i];
    fail_msg("no model %s", name);
    return NULL;
}

/* Options at their defaults, but for those named. */
typedef struct { const char *name; int value; } set;
static void options(const gn_model *m, void *into, const set *say) {
    for (const gn_option *o = m->options; o->name; o++) {
        int value = (int)o->dflt;
        for (const set *s = say; s && s->name; s++)
            if (!strcmp(s->name, o->name)) value = s->value;
        memcpy((char *)into + o->offset, &value, sizeof value);
    }
}

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
    gn_graph *g;
    char o[256];
    options(model("hourglass"), o, NULL);
    OK(gn_graph_new(a, &g));
    OK(model("hourglass")->build(g, o, 256, 16));
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
    gn_graph *g;
    char o[256];
    options(model("hourglass"), o, NULL);
    OK(gn_graph_new(a, &g));
    OK(model("hourglass")->build(g, o, 256, 16));
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

    char o[256];
    a = gn_arena_new("test");
    OK(gn_graph_new(a, &g));
    options(model("hourglass"), o, (set[]){ { "depth", 4 }, { 0 } });
    FAILS(model("hourglass")->build(g, o, 96, 16), BAD_CONFIG);
    assert_non_null(strstr(gn_reason(), "multiple of 64 pixels, got 96"));
    options(model("hourglass"), o, (set[]){ { "depth", 3 }, { "width", 32 }, { 0 } });
    OK(model("hourglass")->build(g, o, 96, 16));
    FAILS(gn_graph_measure(g, &(gn_plan){ .batch = 3, .shards = 2 }), BAD_CONFIG);
    FAILS(gn_graph_measure(g, &(gn_plan){ .batch = 2, .shards = 2, .frozen = (const char *[]){ "stam", NULL } }), BAD_CONFIG);
    gn_arena_free(a);
}

static void frozen_comes_last(void **state) {
    (void)state;
    gn_arena *a = gn_arena_new("test");
    gn_graph *g;
    char o[256];
    options(model("hourglass"), o, (set[]){ { "depth", 2 }, { "width", 32 }, { 0 } });
    OK(gn_graph_new(a, &g));
    OK(model("hourglass")->build(g, o, 64, 16));
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

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paper_has_its_parameters),
        cmocka_unit_test(forward_alone_is_smaller),
        cmocka_unit_test(failures_stick),
        cmocka_unit_test(frozen_comes_last),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
