/* test_parity_profile.c - a rehearsed stage on a GPU: timed or replayed it is the same step, and its table is whole. */
#include "on_gpu.h"
#include "school.h"
#include "src/bench/rehearsal.h"

static gn_experiment experiment_of(gn_arena *a, const char *backend) {
    gn_experiment e;
    char *word[] = { (char *)(uintptr_t)backend, (char *)(uintptr_t)"data.batch=4", (char *)(uintptr_t)"train.shards=2",
                     (char *)(uintptr_t)"train.stages.heatmap.losses.depth.weight=1" };
    OK(gn_experiment_read(a, school_path("tiny.yaml"), 4, word, &e));
    return e;
}

static double loss_of(gn_rehearsal *r) {
    double s;
    OK(gn_rehearsal_step(r, &s));
    return r->session.note.loss;
}

static void a_timed_step_is_the_same_step(void **state) {
    (void)state;
    gn_arena *a = gn_arena_new("rehearsal");
    gn_rehearsal cpu, gpu;
    gn_node_cost node[64];
    int n;
    gn_experiment e = experiment_of(a, "device.backend=cpu"), f = experiment_of(a, "device.backend=cuda");
    OK(gn_rehearsal_open(&cpu, &e, a));
    OK(gn_rehearsal_open(&gpu, &f, a));
    gn_rehearsal_time(&gpu, 1); /* two steps that are queued, as a step that is captured is not timed */
    const double expected = loss_of(&cpu), queued = loss_of(&gpu);
    NEAR_REL(queued, expected, 1e-4, 1e-4);
    NEAR_REL(loss_of(&gpu), queued, 1e-6, 1e-6); /* no weight moves, but what sums are taken about */
    for (int k = 0; k < 4; k++) {                /* captured and replayed, or queued again */
        gn_rehearsal_time(&gpu, k % 2);
        NEAR_REL(loss_of(&gpu), queued, 1e-6, 1e-6);
    }
    OK(gn_graph_costs(gpu.session.graph, node, 64, &n));
    assert_int_equal(n, gn_graph_sizes(gpu.session.graph).nodes);
    for (int i = 1; i < n; i++) /* the device came by all marks */
        if (!(node[i].forward_s > 0 && node[i].backward_s > 0)) fail_msg("%s: %g, %g", node[i].name, node[i].forward_s, node[i].backward_s);
    for (int i = 0; i < GN_STEP_PARTS; i++) assert_true(gpu.session.note.part_s[i] > 0);
    gn_arena_free(a);
}

static void the_table_is_whole(void **state) {
    (void)state;
    gn_arena *a = gn_arena_new("profile");
    gn_experiment e = experiment_of(a, "device.backend=cuda");
    char *text;
    size_t bytes;
    int nodes = 0, of_kinds = 0, n, end;
    FILE *f = open_memstream(&text, &bytes);
    OK(gn_profile(f, &e, 2, 2, a));
    fclose(f);
    assert_non_null(strstr(text, "on GPU 0, "));
    assert_non_null(strstr(text, "captured and replayed"));
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        if (strlen(line) > 100) fail_msg("%zu columns: %s", strlen(line), line);
        if (strstr(line, " picture")) continue; /* of the head and the foot */
        if (sscanf(line, "all %d %*s%n", &n, &end) == 1) of_kinds += n;
        else nodes += sscanf(line, "%*s %*s %*f %*f %*f %*f %*f %d", &n) == 1;
        if (strstr(line, "nan") || strstr(line, "inf")) fail_msg("%s", line);
    }
    assert_true(nodes > 40 && of_kinds == nodes);
    free(text);
    gn_arena_free(a);
}

/* One sample, there and back: the record says a time and a rate. */
static void volumes_are_benched(void **state) {
    (void)state;
    gn_arena *a = gn_arena_new("bench");
    const gn_bench_options o = { .batch = 1, .steps = 1, .warmup = 1, .backend = GN_BENCH_cuda, .json = 1 };
    char *text;
    size_t bytes;
    double s, rate;
    FILE *f = open_memstream(&text, &bytes);
    OK(gn_bench_softargmax(f, &o, a));
    fclose(f);
    assert_int_equal(sscanf(text, "{\"step_s\": %lf, \"gb_s\": %lf}", &s, &rate), 2);
    assert_true(s > 0 && rate > 0);
    free(text);
    gn_arena_free(a);
}

int main(void) {
    if (no_gpu()) return SKIP_EXIT;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_timed_step_is_the_same_step),
        cmocka_unit_test(the_table_is_whole),
        cmocka_unit_test(volumes_are_benched),
    };
    return cmocka_run_group_tests(tests, school_open, school_close);
}
