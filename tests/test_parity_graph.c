/* test_parity_graph.c - a whole network and whole runs on a GPU beside the CPU's. */
#include "on_gpu.h"
#include "gnomon/json.h"
#include "school.h"
#include "tiny.h"

enum { BATCH = 4, SIDE = 32, JOINTS = 5 };

typedef struct {
    gn_arena *a;
    gn_graph *g;
    int shards;
} net;

static net net_of(gn_backend on, int shards, gn_type type, const tiny_set *say) {
    net n = { .a = gn_arena_new("net"), .shards = shards };
    n.g = tiny_build(n.a, "hourglass", SIDE, JOINTS, say);
    OK(gn_graph_plan(n.g, &(gn_plan){ .backend = on, .impl = GN_IMPL_OWN, .type = type, .batch = BATCH, .shards = shards, .backward = 1 }));
    gn_graph_init(n.g, GN_INIT_HE, 5);
    OK(gn_graph_push(n.g));
    tiny_feed(n.g, shards);
    return n;
}

/* Slopes of the drawn loss into the graph. A GPU's are made on the host: its slopes are stood in for by host memory,
 * one for each place on the device, since outputs may share one. */
static double pull(net *n) {
    enum { MOST = 16 };
    gn_device *d = gn_graph_on_gpu(n->g).device;
    void *there[MOST], *here[MOST];
    int places = 0;
    double loss = 0;
    if (!d) return tiny_loss(n->g, n->shards, 1);
    OK(gn_graph_hear(n->g));
    for (int o = 0; o < gn_graph_outputs(n->g); o++)
        for (int s = 0; s < n->shards; s++) {
            gn_tensor y = gn_graph_output(n->g, o, s), slope = gn_graph_slope(n->g, o, s);
            int k = 0;
            while (k < places && there[k] != slope.data) k++;
            if (k == places) {
                assert_true(places < MOST);
                there[places] = slope.data;
                here[places++] = gn_arena_take(n->a, gn_tensor_bytes(&y));
            }
            slope.data = here[k];
            loss += tiny_loss_of(&y, &slope, o, s, n->shards, 1);
            OK(gn_device_upload(d, there[k], here[k], gn_tensor_bytes(&y)));
        }
    OK(gn_device_wait(d));
    return loss;
}

static void near(const char *what, const gn_real *got, const gn_real *expected, int64_t n, double tol) {
    double most = 0, off = 0;
    for (int64_t i = 0; i < n; i++) most = fmax(most, fabs((double)expected[i]));
    for (int64_t i = 0; i < n; i++) {
        const double d = fabs((double)got[i] - (double)expected[i]);
        if (!(d <= off)) off = d;
    }
    if (!(off <= tol * most)) fail_msg("%s: off by %g, largest %g", what, off, most);
}

static void outputs_agree(net *cpu, net *gpu, double tol) {
    for (int o = 0; o < gn_graph_outputs(cpu->g); o++)
        for (int s = 0; s < cpu->shards; s++) {
            gn_tensor a = gn_graph_output(cpu->g, o, s), b = gn_graph_output(gpu->g, o, s);
            assert_int_equal(gn_tensor_count(&a), gn_tensor_count(&b));
            near(gn_graph_output_name(cpu->g, o), b.data, a.data, gn_tensor_count(&a), tol);
        }
}

static const tiny_set small[] = { { "stacks", 1 }, { "width", 32 }, { "depth", 1 }, { "modules", 1 }, { "depth_modules", 1 }, { 0, 0 } };

static void both_agree(int shards, double tol) {
    net cpu = net_of(GN_CPU, shards, GN_TYPE_REAL, small), gpu = net_of(GN_CUDA, shards, GN_TYPE_REAL, small);
    gn_device *d = gn_graph_on_gpu(gpu.g).device;
    OK(gn_graph_forward(cpu.g, GN_TRAIN, 1));
    OK(gn_graph_forward(gpu.g, GN_TRAIN, 1));
    const double expected = pull(&cpu), got = pull(&gpu);
    NEAR_REL(got, expected, tol, 1);
    outputs_agree(&cpu, &gpu, tol);
    OK(gn_graph_backward(cpu.g));
    OK(gn_graph_backward(gpu.g));
    int64_t trained, n = gn_graph_weight_count(cpu.g, &trained);
    gn_real *gradient = gn_arena_take(cpu.a, sizeof *gradient * (size_t)trained);
    OK(gn_device_download(d, gradient, gn_graph_on_gpu(gpu.g).gradients, sizeof *gradient * (size_t)trained));
    OK(gn_device_wait(d));
    const gn_param *p;
    for (int k = 0, all = gn_graph_params(cpu.g, &p); k < all; k++)
        if (p[k].trained && p[k].role == GN_WEIGHT)
            near(p[k].name, gradient + p[k].at, gn_graph_gradients(cpu.g) + p[k].at, p[k].count, 10 * tol);
    OK(gn_graph_pull(gpu.g));
    near("running statistics", gn_graph_weights(gpu.g) + trained, gn_graph_weights(cpu.g) + trained, n - trained, tol);
    OK(gn_graph_forward(cpu.g, GN_EVAL, 1));
    OK(gn_graph_forward(gpu.g, GN_EVAL, 1));
    outputs_agree(&cpu, &gpu, tol);
    gn_arena_free(cpu.a);
    gn_arena_free(gpu.a);
}

static void a_network_agrees(void **state) {
    (void)state;
    for (int k = 0; k < cases(2, 1); k++) both_agree(2 - k, 1e-4);
}

/* The gradient of a step, on the host. */
static const gn_real *gradient_of(net *n, int64_t *trained) {
    gn_device *d = gn_graph_on_gpu(n->g).device;
    OK(gn_graph_forward(n->g, GN_TRAIN, 1));
    pull(n);
    OK(gn_graph_backward(n->g));
    gn_graph_weight_count(n->g, trained);
    if (!d) return gn_graph_gradients(n->g);
    gn_real *g = gn_arena_take(n->a, sizeof *g * (size_t)*trained);
    OK(gn_device_download(d, g, gn_graph_on_gpu(n->g).gradients, sizeof *g * (size_t)*trained));
    OK(gn_device_wait(d));
    return g;
}

/* Of the whole gradient, how far from the one in float: |a - b| / |b| */
static double off_by(const gn_real *a, const gn_real *b, int64_t n) {
    double d = 0, all = 0;
    for (int64_t i = 0; i < n; i++) {
        d += ((double)a[i] - (double)b[i]) * ((double)a[i] - (double)b[i]);
        all += (double)b[i] * (double)b[i];
    }
    return sqrt(d / all);
}

/* Where a drawn network rounds to bf16 after every op, two roundings are far apart; neither may be farther from float. */
static void a_network_in_bf16_is_as_near_to_float(void **state) {
    (void)state;
    int64_t n;
    net exact = net_of(GN_CPU, 1, GN_TYPE_REAL, small), cpu = net_of(GN_CPU, 1, GN_TYPE_BF16, small),
        gpu = net_of(GN_CUDA, 1, GN_TYPE_BF16, small);
    const gn_real *g = gradient_of(&exact, &n);
    const double rounded = off_by(gradient_of(&cpu, &n), g, n), kernels = off_by(gradient_of(&gpu, &n), g, n);
    if (!(rounded > 1e-4 && kernels > 1e-4 && kernels <= 1.25 * rounded))
        fail_msg("off from float by %.4f, the CPU's bf16 by %.4f", kernels, rounded);
    gn_arena_free(exact.a), gn_arena_free(cpu.a), gn_arena_free(gpu.a);
}

/* loss of each step of a run */
static int losses(const char *run, double *loss, int most) {
    gn_arena *a = gn_arena_new("records");
    void *text;
    size_t bytes;
    int n = 0;
    char path[256];
    snprintf(path, sizeof path, "%s/%s/metrics.jsonl", school, run);
    OK(gn_io_read(a, path, 1 << 22, &text, &bytes));
    for (char *line = strtok(text, "\n"); line && n < most; line = strtok(NULL, "\n")) {
        const gn_json *j;
        OK(gn_json_parse(a, path, line, strlen(line), &j));
        if (gn_json_find(j, "loss")) loss[n++] = gn_json_number(gn_json_find(j, "loss"), (double)NAN);
    }
    gn_arena_free(a);
    return n;
}

/* Plain steps: Adam's first make the last bits of a gradient near 0 as large as the rest. */
#define SGD " device.impl=own train.shards=2 train.optimizer.adam=null train.optimizer.sgd.rate=0.01"

static void a_run_agrees(void **state) {
    (void)state;
    double cpu[16], gpu[16];
    OK(school_train("cpu", "device.backend=cpu" SGD, 0));
    OK(school_train("gpu", "device.backend=cuda" SGD, 0));
    const int n = losses("cpu", cpu, 16);
    assert_int_equal(n, losses("gpu", gpu, 16));
    assert_int_equal(n, 10);
    for (int i = 0; i < n; i++) NEAR_REL(gpu[i], cpu[i], 1e-3, 1e-3);
}

/* The same bits, captured or not, stopped or not. */
static void a_run_repeats(void **state) {
    (void)state;
    if (smallest()) skip(); /* no other kernel */
    OK(school_train("once", "device.backend=cuda train.shards=2", 0));
    OK(school_train("twice", "device.backend=cuda train.shards=2", 0));
    assert_true(school_weights("once") == school_weights("twice") && school_weights("once"));
}

/* One hash for any number of GPUs; in NCCL's order nearly the same run. */
static void gpus_share_a_batch(void **state) {
    (void)state;
    static const struct { const char *name, *how; } run[] = {
        { "alone", "" }, { "two", " device.gpus=2" }, { "four", " device.gpus=4" }, { "fast", " device.gpus=2 train.numerics=fast" },
    };
    if (smallest() || gn_device_count(NULL) < 4) skip();
    double loss[4][16];
    for (int i = 0; i < 4; i++) {
        char words[256];
        snprintf(words, sizeof words, "device.backend=cuda device.impl=own train.optimizer.adam=null train.optimizer.sgd.rate=0.01%s", run[i].how);
        OK(school_train(run[i].name, words, 0));
        assert_int_equal(losses(run[i].name, loss[i], 16), 10);
    }
    assert_true(school_weights("alone") && school_weights("alone") == school_weights("two") && school_weights("alone") == school_weights("four"));
    for (int k = 0; k < 10; k++) NEAR_REL(loss[3][k], loss[0][k], 1e-3, 1e-3);
    FAILS(school_train("uneven", "device.backend=cuda device.gpus=3", 0), BAD_CONFIG);
    FAILS(school_train("many", "device.backend=cuda device.gpus=5", 0), NO_DEVICE);
}

/* What was sent is what the next pass reads, whatever the host writes meanwhile. */
static void inputs_travel_ahead(void **state) {
    (void)state;
    net plain = net_of(GN_CUDA, 2, GN_TYPE_REAL, small), ahead = net_of(GN_CUDA, 2, GN_TYPE_REAL, small);
    OK(gn_graph_send_open(ahead.g));
    OK(gn_graph_send(ahead.g));
    OK(gn_graph_hear(ahead.g));
    for (int step = 0; step < 3; step++) {
        OK(gn_graph_forward(plain.g, GN_TRAIN, 1));
        OK(gn_graph_hear(plain.g));
        for (int k = 0; k < 2; k++) { /* the next pictures, the one's before its pass has begun */
            gn_tensor x = gn_graph_input(plain.g, "picture", k), y = gn_graph_input(ahead.g, "picture", k);
            for (size_t i = 0; i < gn_tensor_bytes(&x) / sizeof(gn_real); i++) ((gn_real *)x.data)[i] *= GN_R(0.5);
            memcpy(y.data, x.data, gn_tensor_bytes(&x));
        }
        OK(gn_graph_sent(ahead.g));
        OK(gn_graph_forward(ahead.g, GN_TRAIN, 1));
        OK(gn_graph_send(ahead.g));
        OK(gn_graph_hear(ahead.g));
        outputs_agree(&plain, &ahead, 0);
    }
    gn_arena_free(plain.a);
    gn_arena_free(ahead.a);
}

/* One bit of a sample: a GPU's batch is fetched a step early, and refused when its turn comes. */
static void a_broken_sample_is_told_in_its_turn(void **state) {
    (void)state;
    if (smallest()) skip(); /* no other kernel */
    gn_arena *a = gn_arena_new("broken");
    gn_shard *s;
    int place;
    void *bytes;
    size_t n;
    double loss[2][16];
    char path[256];
    snprintf(path, sizeof path, "%s/data/puppet_wild/train.h5", school);
    OK(gn_shard_open(a, path, &s));
    assert_non_null(gn_shard_find(s, "image", &place));
    OK(gn_io_read(a, path, 1 << 28, &bytes, &n));
    char *at = memmem(bytes, n, gn_shard_at(s, place, 7), gn_shard_bytes(s, place));
    assert_non_null(at);
    at[100] ^= 1;
    OK(gn_io_write(path, bytes, n));
    FAILS(school_train("broken_cpu", "device.backend=cpu train.valid_every=100 train.save_every=100" SGD, 0), BAD_DATA);
    assert_non_null(strstr(gn_reason(), "image sample 7: hash differs"));
    FAILS(school_train("broken_gpu", "device.backend=cuda train.valid_every=100 train.save_every=100" SGD, 0), BAD_DATA);
    assert_non_null(strstr(gn_reason(), "image sample 7: hash differs"));
    const int steps = losses("broken_cpu", loss[0], 16);
    assert_true(steps > 0 && steps < 10);
    assert_int_equal(losses("broken_gpu", loss[1], 16), steps);
    at[100] ^= 1;
    OK(gn_io_write(path, bytes, n));
    gn_arena_free(a);
}

#ifdef GN_EMULATED
void gn_emulate_fail(int device, long launch, long replay); /* of it and from now on */

static void refused(const char *what, const char *value, const char *wanted) {
    setenv(what, value, 1);
    FAILS(school_train("refused", "device.backend=cuda", 0), NO_DEVICE);
    if (!strstr(gn_reason(), wanted)) fail_msg("'%s' does not say '%s'", gn_reason(), wanted);
    assert_int_equal(gn_exit_code(GN_NO_DEVICE), 69);
    OK(gn_io_remove(school_path("refused")));
    unsetenv(what);
}

static void a_gpu_that_will_not_do_is_one_line(void **state) {
    (void)state;
    refused("GN_EMULATED_DEVICES", "0", "device.backend is cuda, but no CUDA-capable device is detected");
    refused("GN_EMULATED_CAPABILITY", "70", "GPU 0 is too old: compute capability 7.0, at least 7.5 is needed");
    refused("GN_EMULATED_BYTES", "100000", "GPU 0 is full: ");
}

/* In its first step, which runs as it is, while it is captured, and later: nobody waits for it, and its reason is the run's. */
static void a_gpu_that_fails_ends_the_run(void **state) {
    (void)state;
    static const struct { int gpu; long launch, replay; int steps; const char *reason; } fault[] = {
        { 1, 3, 0, 0, "stem.conv: conv forward: unspecified launch failure" }, { 0, 200, 0, 0, ": unspecified launch failure" },
        { 1, 1500, 0, 1, ": unspecified launch failure" },                      { 1, 0, 2, 2, "GPU 1: replay: unspecified launch failure" },
        { 0, 0, 1, 1, "GPU 0: replay: unspecified launch failure" },
    };
    double loss[16];
    setenv("GN_EMULATED_DEVICES", "2", 1);
    alarm(200); /* a rank that waits for ever */
    for (int i = 0; i < 5; i++) {
        gn_emulate_fail(fault[i].gpu, fault[i].launch, fault[i].replay);
        FAILS(school_train("failed", "device.backend=cuda device.gpus=2", 0), NO_DEVICE);
        const char *said = gn_reason();
        if (!strstr(said, fault[i].reason) || strchr(said, '\n')) fail_msg("'%s' does not say '%s'", said, fault[i].reason);
        if (fault[i].steps) assert_int_equal(losses("failed", loss, 16), fault[i].steps);
        else assert_int_not_equal(access(school_path("failed/metrics.jsonl"), F_OK), 0);
        OK(gn_io_remove(school_path("failed")));
    }
    alarm(0);
    gn_emulate_fail(0, 0, 0);
}
#endif

int main(void) {
#ifdef GN_EMULATED
    setenv("GN_EMULATED_DEVICES", "4", 1);
#endif
    if (no_gpu()) return SKIP_EXIT;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_network_agrees),
        cmocka_unit_test(a_network_in_bf16_is_as_near_to_float),
        cmocka_unit_test(a_run_agrees),
        cmocka_unit_test(a_run_repeats),
        cmocka_unit_test(gpus_share_a_batch),
        cmocka_unit_test(inputs_travel_ahead),
        cmocka_unit_test(a_broken_sample_is_told_in_its_turn),
#ifdef GN_EMULATED
        cmocka_unit_test(a_gpu_that_will_not_do_is_one_line),
        cmocka_unit_test(a_gpu_that_fails_ends_the_run),
#endif
    };
    return cmocka_run_group_tests(tests, school_open, school_close);
}
