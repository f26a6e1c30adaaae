/* test_experiment.c - experiments read, refused, resolved and told apart. */
#include "gnomon/io.h"
#include "gnomon/train.h"
#include "mutate.h"
#include "near.h"
#include <dirent.h>
#include <time.h>
#include <unistd.h>

static gn_arena *arena;
static char temporary[64];
static int set_up(void **s) {
    (void)s;
    snprintf(temporary, sizeof temporary, "/tmp/test_experiment.%d.yaml", (int)getpid());
    return !(arena = gn_arena_new("test"));
}
static int tear_down(void **s) { (void)s; return unlink(temporary), gn_arena_free(arena), 0; }

#define SMALL GN_SOURCE "/experiments/zhou2017/small.yaml"
#define PAPER GN_SOURCE "/experiments/zhou2017/paper.yaml"

static gn_status read_with(const char *path, const char *override, gn_experiment *e) {
    char *one[1] = { (char *)(uintptr_t)override };
    return gn_experiment_read(arena, path, override != NULL, one, e);
}

static const gn_loss_use *use_of(const gn_experiment *e, const char *name) {
    for (int i = 0; i < e->n_loss; i++)
        if (!strcmp(e->loss[i].loss->name, name)) return &e->loss[i];
    return NULL;
}

static void test_paper(void **s) {
    (void)s;
    gn_experiment e;
    OK(read_with(PAPER, NULL, &e));
    assert_int_equal(e.n_stage, 3);
    assert_string_equal(e.stage_name[2], "geometry");
    assert_int_equal(e.stage[0].train.steps + e.stage[1].train.steps + e.stage[2].train.steps, 480000);
    assert_null(use_of(&e.stage[0], "depth"));
    assert_int_equal(e.stage[0].depth_untrained, 1); /* nothing has shaped that output yet */
    assert_int_equal(e.stage[1].depth_untrained | e.stage[2].depth_untrained, 0);
    assert_null(use_of(&e.stage[1], "bone"));
    NEAR(use_of(&e.stage[1], "depth")->weight, 0.1, 0);
    NEAR(use_of(&e.stage[2], "bone")->weight, 0.01, 0);
    assert_int_equal(use_of(&e.stage[2], "bone")->mean, GN_MEAN_batch);
    NEAR(*(const double *)e.stage[2].train.optimizer.options, 2.5e-5, 0);
    NEAR(*(const double *)e.stage[1].train.optimizer.options, 2.5e-4, 0);
    assert_int_equal(e.stage[1].train.drops.item[0], 160000);
    assert_int_equal(e.data.augment.sets.n, 1);
    char *said = NULL;
    size_t n;
    FILE *f = open_memstream(&said, &n);
    OK(gn_experiment_check(&e, arena, f));
    fclose(f);
    assert_non_null(strstr(said, "\nparameters 14429104\n"));
    assert_non_null(strstr(said, "  loss depth weight 0.1, mean over batch, reads depth, binds labelled3d depth in h36m\n"));
    free(said);
}

/* Overrides of the command line reach into dotted keys of a stage, and a stage can be removed. */
static void test_stages(void **s) {
    (void)s;
    gn_experiment e;
    OK(read_with(SMALL, NULL, &e));
    double common = use_of(&e.stage[2], "bone")->weight;
    OK(read_with(SMALL, "train.stages.depth.losses.bone.weight=0.5", &e));
    NEAR(use_of(&e.stage[1], "bone")->weight, 0.5, 0);
    NEAR(use_of(&e.stage[2], "bone")->weight, common, 0);
    OK(read_with(SMALL, "train.stages.depth=null", &e));
    assert_int_equal(e.n_stage, 2);
    assert_string_equal(e.stage_name[1], "geometry");
    OK(read_with(SMALL, "train.stages=null", &e));
    assert_int_equal(e.n_stage, 1);
    assert_string_equal(e.stage_name[0], "main");
    assert_non_null(use_of(&e.stage[0], "bone"));
    OK(read_with(SMALL, "losses.bone=null", &e));
    assert_null(use_of(&e.stage[2], "bone"));
    OK(read_with(SMALL, "train.stages.more.train.steps=7", &e));
    assert_int_equal(e.n_stage, 4);
    assert_int_equal(e.stage[3].train.steps, 7);
    FAILS(read_with(SMALL, "train.stages.depth.model.plain.width=8", &e), BAD_CONFIG);
    FAILS(read_with(SMALL, "train.stages.dpeth=null", &e), BAD_CONFIG);
}

static char *printed(const gn_experiment *e) {
    char *text = NULL;
    size_t n;
    FILE *f = open_memstream(&text, &n);
    gn_experiment_print(e, f);
    fclose(f);
    return text;
}

static void test_round_trip(void **s) {
    (void)s;
    static const char *const file[] = { "paper", "small", "smoke" };
    for (int i = 0; i < 3; i++) {
        char path[600];
        snprintf(path, sizeof path, GN_SOURCE "/experiments/zhou2017/%s.yaml", file[i]);
        gn_experiment e, again;
        OK(read_with(path, "losses.heatmap.sigma=1.3", &e));
        OK(gn_experiment_write(&e, temporary));
        OK(read_with(temporary, NULL, &again));
        char *first = printed(&e), *second = printed(&again);
        assert_string_equal(first, second);
        assert_true(gn_experiment_hash(&e) == gn_experiment_hash(&again));
        for (int k = 0; k < e.n_stage; k++) assert_true(gn_experiment_hash(&e.stage[k]) == gn_experiment_hash(&again.stage[k]));
        free(first);
        free(second);
    }
}

static void test_hash(void **s) {
    (void)s;
    static const struct { const char *override; int same; } row[] = {
        { "device.workers=7", 1 }, { "data.threads=3", 1 },           { "data.root=elsewhere", 1 }, { "train.keep=9", 1 },
        { "seed=2", 0 },           { "losses.bone.weight=0.99", 0 },  { "train.shards=16", 0 },
        { "device.type=bf16", 0 }, { "train.stages.depth.train.steps=9", 0 },
    };
    gn_experiment e, other;
    OK(read_with(SMALL, NULL, &e));
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        OK(read_with(SMALL, row[i].override, &other));
        if ((gn_experiment_hash(&e) == gn_experiment_hash(&other)) != row[i].same) fail_msg("hash with %s", row[i].override);
    }
}

static void test_origins(void **s) {
    (void)s;
    gn_experiment e;
    void *text;
    size_t n;
    OK(read_with(SMALL, "data.batch=32", &e));
    OK(gn_experiment_origins(&e, temporary));
    OK(gn_io_read(arena, temporary, 1 << 20, &text, &n));
    assert_non_null(strstr(text, "data.batch: 'data.batch=32'\n"));
    assert_non_null(strstr(text, "train.numerics: default\n"));
    assert_non_null(strstr(text, "seed: " SMALL ":"));
    assert_non_null(strstr(text, "train.stages.depth.losses.bone.weight: " SMALL ":"));
}

/* Each file of tests/bad says on its first lines, after "#= ", what must be said of it. */
static void test_bad(void **s) {
    (void)s;
    DIR *folder = opendir(GN_SOURCE "/tests/bad");
    assert_non_null(folder);
    int files = 0;
    for (struct dirent *d; (d = readdir(folder));) {
        if (!strstr(d->d_name, ".yaml")) continue;
        char path[800], wanted[2100] = "";
        void *bytes;
        size_t n, at = 0;
        snprintf(path, sizeof path, GN_SOURCE "/tests/bad/%s", d->d_name);
        OK(gn_io_read(arena, path, 1 << 20, &bytes, &n));
        for (const char *p = bytes; !strncmp(p, "#= ", 3); p = strchr(p, '\n') + 1)
            at += (size_t)snprintf(wanted + at, sizeof wanted - at, "%s%s:%.*s", at ? "\n" : "", path, (int)strcspn(p + 3, "\n"), p + 3);
        gn_experiment e;
        gn_status status = read_with(path, NULL, &e);
        if (!status) status = gn_experiment_check(&e, arena, NULL);
        if (status != GN_BAD_CONFIG) fail_msg("%s: %s", d->d_name, gn_status_text(status));
        assert_string_equal(gn_reason(), wanted);
        files++;
    }
    closedir(folder);
    assert_true(files >= 30);
}

static void test_mutants(void **s) {
    (void)s;
    void *source;
    size_t n;
    OK(gn_io_read(arena, SMALL, 1 << 20, &source, &n));
    mutant m = { .text = malloc(MUTATE_ROOM + n) };
    for (int seed = 0; seed < 200; seed++) {
        mutate(&m, source, n, seed);
        FILE *f = fopen(temporary, "wb");
        assert_true(f && fwrite(m.text, 1, m.n, f) == m.n && !fclose(f));
        gn_arena *a = gn_arena_new("mutant");
        gn_experiment e;
        clock_t from = clock();
        gn_status status = gn_experiment_read(a, temporary, 0, NULL, &e);
        if (!(clock() - from < CLOCKS_PER_SEC)) fail_msg("mutant %d took a second", seed);
        if (status != GN_BAD_CONFIG) fail_msg("mutant %d (%s): %s", seed, m.say, gn_status_text(status));
        int line = 0, col = 0;
        const char *after = strstr(gn_reason(), temporary) == gn_reason() ? gn_reason() + strlen(temporary) : "";
        if (sscanf(after, ":%d:%d: ", &line, &col) != 2 || line < 1 || col < 1 || strchr(gn_reason(), '\n') || !strstr(after, m.say))
            fail_msg("mutant %d should say '%s' on one line: %s", seed, m.say, gn_reason());
        assert_true(gn_arena_bytes(a) < 64u << 20);
        gn_arena_free(a);
    }
    free(m.text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_paper), cmocka_unit_test(test_stages),  cmocka_unit_test(test_round_trip), cmocka_unit_test(test_hash),
        cmocka_unit_test(test_origins), cmocka_unit_test(test_bad), cmocka_unit_test(test_mutants),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
