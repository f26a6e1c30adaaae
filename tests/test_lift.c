/* test_lift.c - poses without pictures: what a lifter is fed, what it says, and that it learns. */
#include "gnomon/hash.h"
#include "gnomon/image.h"
#include "gnomon/report.h"
#include "school.h"
#include "src/train/session.h"

static gn_arena *arena;

/* One sample by hand: joints on a line, the third not labelled. */
enum { J = 16 };
static gn_real uv[J * 2], camera[4] = { 100, 110, 31, 33 };
static uint8_t labelled[J];
static gn_labels by_hand(void) {
    for (int j = 0; j < J; j++) uv[2 * j] = GN_R(2 * j), uv[2 * j + 1] = GN_R(60 - 3 * j), labelled[j] = j != 2;
    return (gn_labels){ .has = GN_HAS_joints2d | GN_HAS_labelled2d | GN_HAS_camera, .J = J, .side = 64, .skeleton = &gn_mpii16, .joints2d = uv,
                        .labelled2d = labelled, .camera = camera };
}

static gn_graph *lifter(const char *points, int confidence, gn_pool *pool) {
    char text[800];
    gn_experiment e;
    snprintf(text, sizeof text,
             "name: t\ndata: {train: [puppet_poses], valid: [puppet_poses], batch: 2}\nmodel: {lifter: {width: 8, blocks: 1, points: %s, confidence: %s}}\n"
             "losses: {position: {weight: 1}}\n",
             points, confidence ? "true" : "false");
    OK(gn_experiment_parse(arena, "t", text, &e));
    gn_plan p = { .batch = 2, .shards = 1, .pool = pool };
    gn_graph *g;
    OK(gn_experiment_build(&e, arena, &g));
    OK(gn_graph_plan(g, &p));
    return g;
}

static gn_real fed(const gn_tensor *x, int64_t n, int64_t c) { return ((gn_real *)x->data)[gn_at(x, n, c, 0, 0)]; }

static void test_feed(void **state) {
    (void)state;
    gn_pool *pool;
    OK(gn_pool_open(arena, 1, &pool));
    int set[2] = { 0 };
    gn_labels y[2] = { by_hand(), by_hand() };
    const gn_batch b = { .n = 1, .side = 64, .label = y, .set = set }; /* the second place is not filled */
    gn_graph *rays = lifter("rays", 0, pool), *screen = lifter("screen", 1, pool);
    OK(gn_batch_feed(&b, rays, pool, 1));
    OK(gn_batch_feed(&b, screen, pool, 1));
    gn_tensor x = gn_graph_input(rays, "rays", 0), s = gn_graph_input(screen, "screen", 0);
    for (int j = 0; j < J; j++) {
        const int seen = j != 2;
        NEAR(fed(&x, 0, 2 * j), seen ? (2 * j - 31) / 100.0 : 0, 1e-6);
        NEAR(fed(&x, 0, 2 * j + 1), seen ? (60 - 3 * j - 33) / 110.0 : 0, 1e-6);
        NEAR(fed(&s, 0, 3 * j), seen ? (2 * j + 0.5) / 32 - 1 : 0, 1e-6);
        NEAR(fed(&s, 0, 3 * j + 2), seen, 0);
        NEAR(fed(&x, 1, 2 * j), 0, 0);
    }
    OK(gn_batch_feed_mirrored(&b, rays, pool, 1));
    for (int j = 0; j < J; j++) {
        const int from = gn_mpii16.mirror[j], seen = from != 2;
        NEAR(fed(&x, 0, 2 * j), seen ? -(2 * from - 31) / 100.0 : 0, 1e-6);
        NEAR(fed(&x, 0, 2 * j + 1), seen ? (60 - 3 * from - 33) / 110.0 : 0, 1e-6);
    }
    y[0].has &= ~(uint32_t)GN_HAS_camera;
    OK(gn_batch_feed(&b, screen, pool, 1));
    FAILS(gn_batch_feed(&b, rays, pool, 1), BAD_CONFIG);
    assert_non_null(strstr(gn_reason(), "the model reads camera"));
    gn_trail_clear();
}

static const char *lift(const char *name, const char *more, const char *path) {
    static char text[512];
    char *word[24];
    int n = 0;
    gn_experiment e;
    snprintf(text, sizeof text,
             "data.root=%s/%s.data data.puppet.train=1500 data.puppet.valid=200 data.batch=64 model.lifter.width=64 train.steps=400 train.valid_every=400 "
             "train.save_every=400 train.warmup=10 train.ema=0.9 %s",
             school, name, more);
    for (char *w = strtok(text, " "); w && n < 24; w = strtok(NULL, " ")) word[n++] = w;
    OK(gn_experiment_read(arena, path, n, word, &e));
    OK(gn_train(&e, arena, school_path(name), 0));
    return name;
}

static double last(const char *name, const char *key) {
    void *text;
    size_t n;
    double x = NAN;
    char path[300], quoted[64];
    snprintf(path, sizeof path, "%s/%s/metrics.jsonl", school, name);
    snprintf(quoted, sizeof quoted, "\"%s\"", key);
    OK(gn_io_read(arena, path, 1 << 24, &text, &n));
    for (const char *at = text; (at = strstr(at, quoted)); at++) x = strtod(strstr(at, "\"value\":") + 8, NULL);
    return x;
}

static const char *experiment(void) { return gn_arena_text(arena, "%s/experiments/real/cmu_lift.yaml", GN_SOURCE); }

static void test_learns(void **state) {
    (void)state;
    lift("one", "device.workers=1", experiment());
    lift("two", "device.workers=2 data.threads=3", experiment());
    assert_true(school_weights("one"));
    assert_int_equal(school_weights("one"), school_weights("two"));
    const double error = last("one", "mpjpe_mm");
    if (!(error > 20 && error < 160)) fail_msg("MPJPE %g mm after 400 steps; the mean pose has about 240", error);
}

/* Real motion, one command: a folder of BVH files. */
static void test_real_motion(void **state) {
    (void)state;
    const char *motion = gn_arena_text(arena, "%s/../shared/data/cmu_mocap", GN_SOURCE);
    if (!gn_io_exists(motion)) skip();
    lift("real", gn_arena_text(arena, "data.motion=%s train.steps=40 train.valid_every=40 train.save_every=40", motion), experiment());
    assert_true(isfinite(last("real", "mpjpe_mm")));
}

/* Two joint orders in one run: the poses' own is mapped to Human3.6M's, what is missing is not labelled. */
static void test_other_joints(void **state) {
    (void)state;
    lift("other", "data.skeleton=h36m17 train.steps=40 train.valid_every=40 train.save_every=40 data.flip_test=true", experiment());
    assert_true(isfinite(last("other", "mpjpe_mm")));
}

/* Its page has poses in space and no picture; who shows it a picture is told. */
static void test_is_reported(void **state) {
    (void)state;
    const char *page, *picture = gn_arena_text(arena, "%s/grey.png", school);
    gn_image grey;
    void *text;
    size_t n;
    lift("told", "train.steps=10 train.valid_every=10 train.save_every=10", experiment());
    OK(gn_report(school_path("told"), arena, &page));
    OK(gn_io_read(arena, page, 1 << 24, &text, &n));
    assert_non_null(strstr(text, "Worst samples"));
    assert_null(strstr(text, "over the picture"));
    OK(gn_image_new(arena, 64, 64, &grey));
    OK(gn_png_write(picture, &grey));
    FAILS(gn_predict(school_path("told"), picture, NULL, school_path("said"), arena), BAD_USAGE);
    assert_non_null(strstr(gn_reason(), "reads joints and no pictures"));
    gn_trail_clear();
}

static int begin(void **state) {
    arena = gn_arena_new("test_lift");
    return !arena || school_open(state);
}
static int end(void **state) {
    gn_arena_free(arena);
    return school_close(state);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_feed), cmocka_unit_test(test_learns), cmocka_unit_test(test_real_motion),
                                        cmocka_unit_test(test_other_joints), cmocka_unit_test(test_is_reported) };
    return cmocka_run_group_tests(tests, begin, end);
}
