/* test_cli.c - the program itself: words in any order, the nearest word, one line and the right exit code. */
#include "gnomon/io.h"
#include "mutate.h"
#include "near.h"
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static char out[1 << 16], err[1 << 16], file[64];
static long most_kib; /* of memory, of the last program */

static void slurp(const char *path, char *into) {
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    into[fread(into, 1, (1 << 16) - 1, f)] = 0;
    fclose(f);
}

/* Exit code; words are separated by single spaces. */
static int run(const char *words) {
    char line[1000], said[100], cried[100], *argv[32] = { (char *)(uintptr_t)GN_PROGRAM };
    int n = 1, status = 0;
    struct rusage use;
    snprintf(line, sizeof line, "%s", words);
    snprintf(said, sizeof said, "%s.out", file);
    snprintf(cried, sizeof cried, "%s.err", file);
    for (char *p = strtok(line, " "); p && n < 31; p = strtok(NULL, " ")) argv[n++] = p;
    pid_t child = fork();
    if (!child) {
        int a = open(said, O_WRONLY | O_CREAT | O_TRUNC, 0600), b = open(cried, O_WRONLY | O_CREAT | O_TRUNC, 0600);
        if (a < 0 || b < 0 || dup2(a, 1) < 0 || dup2(b, 2) < 0) _exit(126);
        execv(GN_PROGRAM, argv);
        _exit(127);
    }
    assert_true(child > 0 && wait4(child, &status, 0, &use) == child && WIFEXITED(status));
    most_kib = use.ru_maxrss;
    slurp(said, out);
    slurp(cried, err);
    unlink(said);
    unlink(cried);
    return WEXITSTATUS(status);
}

static int lines_of(const char *text) {
    int n = 0;
    for (; *text; text++) n += *text == '\n';
    return n;
}

#define SAYS(text, wanted)                                                                          \
    do {                                                                                           \
        if (!strstr(text, wanted)) fail_msg("'%s' does not say '%s'", text, wanted);               \
    } while (0)

static void test_a_gpu_that_is_not_there(void **s) {
    (void)s;
    if (!access("/dev/nvidia0", F_OK)) skip();
    assert_int_equal(run("train --quiet " GN_SOURCE "/experiments/zhou2017/smoke.yaml device.backend=cuda --run /tmp/gnomon-no-gpu"), 69);
    assert_int_equal(lines_of(err), 1);
    SAYS(err, "device.backend is cuda, but ");
    assert_int_equal(gn_io_remove("/tmp/gnomon-no-gpu"), GN_OK);
}

static void test_help(void **s) {
    (void)s;
    assert_int_equal(run(""), 2);
    SAYS(err, "gnomon check EXPERIMENT [key=value ...]");
    SAYS(err, "gnomon: no verb");
    assert_int_equal(run("--help"), 0);
    SAYS(out, "gnomon doctor");
    assert_int_equal(run("train --help"), 0);
    SAYS(out, "--resume");
    SAYS(out, "--run DIR");
    assert_null(strstr(out, "doctor"));
    assert_int_equal(run("--version"), 0);
    SAYS(out, "gnomon ");
}

static void test_wrong_words(void **s) {
    (void)s;
    static const struct { const char *words, *wanted; } row[] = {
        { "trian x.yaml", "gnomon: unknown verb 'trian'; did you mean 'train'?\n" },
        { "data mkae puppet", "gnomon: unknown data 'mkae'; did you mean 'make'?\n" },
        { "data", "gnomon: data wants one of make" },
        { "check", "gnomon: check wants EXPERIMENT [key=value ...]\n" },
        { "check a.yaml b.yaml", "gnomon: check: one argument too many: 'b.yaml'\n" },
        { "train --resmue a.yaml", "gnomon: unknown option 'resmue'; did you mean 'resume'?\n" },
        { "check --resume a.yaml", "gnomon: check takes no --resume" },
        { "train a.yaml --run", "gnomon: --run wants DIR\n" },
        { "train a.yaml --resume=3", "gnomon: --resume takes no value\n" },
        { "check -x", "gnomon: unknown option '-x'; see --help\n" },
        { "describe hetmap", "gnomon: 'hetmap': no key, model, loss, optimizer, data set, skeleton or metric; did you mean 'heatmap'?\n" },
        { "profile", "gnomon: profile wants EXPERIMENT [key=value ...]\n" },
        { "profile a.yaml --steps 0", "gnomon: --steps: expected 1 to 1000, found '0'\n" },
        { "bench step batch=4 shards=3", "gnomon: 3 shards do not divide a batch of 4\n" },
        { "bench loader --threads 0", "gnomon: --threads: expected 1 to 256, found '0'\n" },
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        if (run(row[i].words) != 2) fail_msg("gnomon %s: %s", row[i].words, err);
        SAYS(err, row[i].wanted);
        assert_int_equal(lines_of(err), 1);
    }
}

static void test_any_order(void **s) {
    (void)s;
    static const char *const order[] = {
        "check " GN_SOURCE "/experiments/zhou2017/smoke.yaml data.batch=16 --quiet",
        "--quiet data.batch=16 check " GN_SOURCE "/experiments/zhou2017/smoke.yaml",
        "data.batch=16 check --quiet -- " GN_SOURCE "/experiments/zhou2017/smoke.yaml",
    };
    for (int i = 0; i < 3; i++) {
        if (run(order[i])) fail_msg("gnomon %s: %s", order[i], err);
        SAYS(out, "batch 16 in 4 shards");
    }
}

static void test_exit_codes(void **s) {
    (void)s;
    assert_int_equal(run("check nowhere.yaml"), 66);
    SAYS(err, "nowhere.yaml");
    assert_int_equal(lines_of(err), 1);
    assert_int_equal(run("check " GN_SOURCE "/tests/bad/label-missing.yaml"), 78);
    SAYS(err, "label-missing.yaml:6:3: losses.depth needs the label 'labelled3d'; data set 'mpii' has joints2d");
    assert_int_equal(run("check --trace " GN_SOURCE "/tests/bad/label-missing.yaml"), 78);
    SAYS(err, "\n  at ");
    assert_int_equal(run("check " GN_SOURCE "/experiments/zhou2017/paper.yaml"), 0);
    SAYS(out, "\nparameters 14429104\n");
    SAYS(out, "\nmemory ");
    assert_int_equal(run("doctor"), 0);
    SAYS(out, "libyaml ");
    SAYS(out, "HDF5 ");
    SAYS(out, "cores ");
}

static void test_profile(void **s) {
    (void)s;
    static const char *const step[] = { "profile " GN_SOURCE "/experiments/zhou2017/smoke.yaml --steps 1 device.backend=cpu",
                                        "bench op batch=2 shards=2 side=64 width=16 depth=2 steps=1 backend=cpu" };
    static const struct { const char *words, *wanted; } wrong[] = {
        { "profile " GN_SOURCE "/experiments/zhou2017/smoke.yaml device.bakend=cpu", "device.bakend: unknown key; did you mean 'backend'?" },
        { "profile " GN_SOURCE "/tests/bad/label-missing.yaml", "label-missing.yaml:6:3: losses.depth needs the label" },
        { "bench step bakend=cpu", "bakend: unknown key; did you mean 'backend'?" },
        { "bench op batch=2 shards=2 side=96 depth=3 width=18", "width 18 is not a multiple of 4" },
    };
    for (int i = 0; i < 2; i++) {
        if (run(step[i])) fail_msg("gnomon %s: %s", step[i], err);
        SAYS(out, "\non CPU, ");
        SAYS(out, "\nstem.unit3.conv3 ");
        SAYS(out, "\nall 1 ");
        SAYS(out, "pictures a second");
        for (char *line = strtok(out, "\n"); line; line = strtok(NULL, "\n"))
            if (strlen(line) > 100) fail_msg("%zu columns: %s", strlen(line), line);
    }
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        if (run(wrong[i].words) != 78) fail_msg("gnomon %s: %s", wrong[i].words, err);
        SAYS(err, wrong[i].wanted);
        assert_int_equal(lines_of(err), 1);
    }
    assert_int_equal(run("bench step batch=2 shards=2 side=64 width=16 depth=2 steps=1 backend=cpu json=true"), 0);
    SAYS(out, "\"step_s\": ");
    SAYS(out, "\"backend\": \"cpu\", \"img_s\": ");
}

/* One mutant of each kind through the program; test_experiment reads all 200. */
static void test_mutants(void **s) {
    (void)s;
    char *source = malloc(MUTATE_ROOM), words[200];
    FILE *f = fopen(GN_SOURCE "/experiments/zhou2017/small.yaml", "rb");
    assert_non_null(f);
    size_t n = fread(source, 1, 1 << 15, f);
    fclose(f);
    mutant m = { .text = malloc(MUTATE_ROOM + n) };
    for (int seed = 0; seed < 10; seed++) {
        mutate(&m, source, n, seed);
        f = fopen(file, "wb");
        assert_true(f && fwrite(m.text, 1, m.n, f) == m.n && !fclose(f));
        snprintf(words, sizeof words, "check %s", file);
        if (run(words) != 78) fail_msg("mutant %d: %s", seed, err);
        SAYS(err, m.say);
        assert_int_equal(lines_of(err), 1);
#ifndef SANITIZED
        assert_true(most_kib < 64 << 10);
#endif
    }
    unlink(file);
    free(m.text);
    free(source);
}

/* The whole way, as a newcomer walks it. */
static void test_smoke(void **s) {
    (void)s;
    static const char *const step[] = {
        "data make " GN_SOURCE "/experiments/zhou2017/smoke.yaml --root %s.d/data --quiet",
        "data verify puppet_lab puppet_wild --root %s.d/data",
        "train " GN_SOURCE "/experiments/zhou2017/smoke.yaml data.root=%s.d/data --run %s.d/run --quiet",
        "eval %s.d/run",
        "predict %s.d/run puppet_wild --count 1 --root %s.d/data",
        "runs show %s.d/run",
        "report %s.d/run",
    };
    static const char *const says[] = { "", "sound", "", "pckh", "/run/predictions", "weights", "/run/report.html" };
    for (size_t i = 0; i < sizeof step / sizeof *step; i++) {
        char words[600];
        snprintf(words, sizeof words, step[i], file, file);
        if (run(words)) fail_msg("gnomon %s: %s", words, err);
        SAYS(out, says[i]);
    }
    char folder[80];
    snprintf(folder, sizeof folder, "%s.d", file);
    assert_int_equal(gn_io_remove(folder), GN_OK);
}

int main(void) {
    snprintf(file, sizeof file, "/tmp/test_cli.%d.yaml", (int)getpid());
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_help),       cmocka_unit_test(test_wrong_words), cmocka_unit_test(test_any_order),
        cmocka_unit_test(test_exit_codes), cmocka_unit_test(test_mutants),   cmocka_unit_test(test_a_gpu_that_is_not_there),
        cmocka_unit_test(test_profile),
        cmocka_unit_test(test_smoke),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
