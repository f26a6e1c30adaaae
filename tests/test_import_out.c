/* test_import_out.c - what an import leaves and what it says, however it ends. */
#include "importing.h"
#include "src/import/confine.h"
#include "src/import/sink.h"
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static importing t;
static const gn_limits limits = { 60, INT64_C(64) << 20 };

static void expect(const char *part) {
    if (!strstr(gn_reason(), part)) fail_msg("'%s' does not say '%s'", gn_reason(), part);
    gn_trail_clear();
}

static int begin(void **state) {
    (void)state;
    importing_begin(&t, "import_out");
    return 0;
}
static int end(void **state) {
    (void)state;
    importing_end(&t);
    return 0;
}

/* Frames of one person whose 25 joints stand in a column, so many metres high. */
static const char *csv(const char *name, int frames, double high) {
    static char text[1 << 16];
    char *at = text;
    for (int f = 0; f < frames; f++) {
        at += sprintf(at, "%d,", f);
        for (int j = 0; j < 25; j++) at += sprintf(at, "%g,%g,2,2,", high * 0.01 * j, high * (0.5 - 0.02 * j));
        at += sprintf(at, "\n");
    }
    return importing_write(&t, name, text);
}

/* --- the child --- */

#ifndef SANITIZED
static gn_status map_much(void *what) { /* a shard larger than the memory allowed */
    FILE *f = tmpfile();
    (void)what;
    if (!f || ftruncate(fileno(f), INT64_C(1) << 30)) GN_FAIL(IO, "no file");
    if (mmap(NULL, (size_t)1 << 30, PROT_READ, MAP_SHARED, fileno(f), 0) == MAP_FAILED) GN_FAIL(NO_MEMORY, "a file cannot be mapped");
    return GN_OK;
}
static gn_status take_much(void *what) {
    gn_arena *a = gn_arena_new("test");
    char *p;
    (void)what;
    GN_TAKE(p, a, (size_t)1 << 28);
    return GN_OK;
}
static void test_memory_is_the_childs_own(void **state) {
    (void)state;
    OK(gn_confined("F", limits, map_much, NULL, NULL));
    FAILS(gn_confined("F", limits, take_much, NULL, NULL), NO_MEMORY);
}
#endif

static gn_status fall_silent(void *what) {
    (void)what;
    for (int fd = 3; fd < 64; fd++) close(fd);
    while (pause()) continue;
    return GN_OK;
}
static gn_status rave(void *what) {
    (void)what;
    return (gn_status)1000;
}
static gn_status quote(void *what) { GN_FAIL(BAD_DATA, "%s: no picture", (const char *)what); }
static void test_foreign_words_stay_on_the_line(void **state) {
    (void)state;
    FAILS(gn_confined("F", limits, quote, NULL, (void *)(uintptr_t)"a\nb\x1b[2J.jpg"), BAD_DATA);
    expect("a b [2J.jpg: no picture");
}

static void test_a_child_that_lost_its_mind(void **state) {
    (void)state;
    const time_t from = time(NULL);
    FAILS(gn_confined("F", limits, fall_silent, NULL, NULL), BAD_DATA);
    expect("F: whoever reads it dies");
    assert_true(time(NULL) - from < 20);
    FAILS(gn_confined("F", limits, rave, NULL, NULL), BAD_DATA);
    expect("F: whoever reads it has lost its mind");
}

static int cleaned;
static void count(void *what, int child) {
    (void)what;
    cleaned += child > 0;
}
static gn_status hang(void *what) {
    (void)what;
    while (pause()) continue;
    return GN_OK;
}
static void test_who_is_asked_to_stop(void **state) {
    (void)state;
    static const struct { int signal; const char *says; } asks[] = { { SIGINT, "F: stopped by SIGINT" }, { SIGTERM, "F: stopped by SIGTERM" } };
    for (int k = 0; k < 2; k++) {
        struct sigaction after;
        cleaned = 0;
        const pid_t asker = fork();
        if (!asker) {
            nanosleep(&(struct timespec){ .tv_nsec = 300000000 }, NULL);
            kill(getppid(), asks[k].signal);
            _exit(0);
        }
        FAILS(gn_confined("F", limits, hang, count, NULL), STOPPED);
        expect(asks[k].says);
        assert_int_equal(cleaned, 1);
        assert_int_equal(waitpid(asker, NULL, 0), asker);
        assert_false(sigaction(asks[k].signal, NULL, &after));
        assert_true(after.sa_handler == SIG_DFL);
    }
}

/* --- the folder --- */

static void write_shard(const char *path, const char *provenance) {
    const gn_shard_field f = { "frame", 8, 'i', 0, { 0 }, "", "" };
    gn_shard_writer *w;
    int64_t frame[3] = { 0 };
    OK(gn_shard_create(t.arena, path, 3, &gn_kinect25, &f, 1, provenance, &w));
    for (int i = 0; i < 3; i++) OK(gn_shard_put(w, i, 0, &frame[i]));
    OK(gn_shard_finish(w));
}

static int64_t samples_of(const char *path) {
    gn_shard *s;
    OK(gn_shard_open(t.arena, path, &s));
    return gn_shard_samples(s);
}

static void test_what_lies_there(void **state) {
    (void)state;
    const char *source = csv("source/two.csv", 2, 1), *train, *valid;
    OK(importing_run(&t, "kinect", source, "there"));
    assert_null(strstr(t.said, "replaced"));
    train = importing_path(&t, "there/train.h5"), valid = importing_path(&t, "there/valid.h5");
    write_shard(valid, "format: kinect; from: another day");
    csv("source/two.csv", 5, 1);
    OK(importing_run(&t, "kinect", source, "there"));
    assert_non_null(strstr(t.said, "there/train.h5: replaced, it had 2 samples"));
    assert_non_null(strstr(t.said, "there/valid.h5: kept from an import before, 3 samples"));
    assert_int_equal(samples_of(train), 5);
    write_shard(valid, "format: kinect2; from: another set"); /* begins alike */
    FAILS(importing_run(&t, "kinect", source, "there"), NO_CREATE);
    expect("there/valid.h5 is another's: expected 'format: kinect', found 'format: kinect2'");
    write_shard(valid, "made by gnomon's puppet world 5: domain=puppet_lab");
    FAILS(importing_run(&t, "kinect", source, "there"), NO_CREATE);
    importing_write(&t, "there/valid.h5", "a diary");
    FAILS(importing_run(&t, "kinect", source, "there"), NO_CREATE);
    expect("it is in the way");
    assert_int_equal(samples_of(train), 5);
}

static int files_in(const char *folder) {
    const char **path;
    int n;
    OK(gn_source_list(t.arena, importing_path(&t, folder), "", 100, &n, &path));
    return n;
}

static void test_a_full_disk(void **state) {
    (void)state;
    const char *source = csv("source/one.csv", 30, 1);
    struct rlimit was, small;
    assert_false(getrlimit(RLIMIT_FSIZE, &was));
    for (int k = 0; k < 2; k++) { /* the spool; the shard */
        small = was;
        small.rlim_cur = k ? 30 * sizeof(gn_spooled) + 100 : 4096;
        assert_false(setrlimit(RLIMIT_FSIZE, &small));
        const gn_status status = importing_run(&t, "kinect", source, "full");
        assert_false(setrlimit(RLIMIT_FSIZE, &was));
        FAILS(status, IO);
        expect(k ? "full/train.h5" : "full: cannot be written: File too large");
        assert_int_equal(files_in("full"), 0);
    }
}

/* Also where standard output is no terminal. */
static void test_a_refusal_says_what_was_found(void **state) {
    (void)state;
    FAILS(importing_run(&t, "kinect", csv("source/high.csv", 2, 500), "high"), BAD_DATA);
    expect("not a person in metres");
    assert_non_null(strstr(t.said, "left against right"));
    FAILS(importing_run(&t, "kinect", csv("source/low.csv", 2, 0.001), "high"), BAD_DATA);
    expect("the longest, measures 0.00");
    assert_int_equal(files_in("high"), 0);
}

static void test_nobody_listens(void **state) {
    (void)state;
    int ends[2];
    assert_false(pipe(ends));
    close(ends[0]);
    FILE *to = fdopen(ends[1], "w");
    void (*was)(int) = signal(SIGPIPE, SIG_IGN); /* this process'; a program's default would be a death */
    t.from.format = "kinect", t.from.source = csv("source/two.csv", 2, 1), t.from.out = importing_path(&t, "unheard");
    FAILS(gn_import_run(to, &t.from, t.arena), IO);
    expect("unheard is written, but standard output is not");
    fclose(to);
    signal(SIGPIPE, was);
    assert_int_equal(files_in("unheard"), 1);
}

static void test_links(void **state) {
    (void)state;
    int n;
    const char **path;
    csv("disk/a.csv", 2, 1);
    OK(gn_io_folder(importing_path(&t, "set")));
    assert_false(symlink("../disk", importing_path(&t, "set/far")));
    OK(gn_source_list(t.arena, importing_path(&t, "set"), ".csv", 10, &n, &path));
    assert_int_equal(n, 1);
    assert_non_null(strstr(path[0], "set/far/a.csv"));
    FAILS(gn_source_list(t.arena, importing_path(&t, "set"), ".csv", 0, &n, &path), BAD_DATA);
    assert_false(symlink("nowhere", importing_path(&t, "set/gone.csv")));
    FAILS(gn_source_list(t.arena, importing_path(&t, "set"), ".csv", 10, &n, &path), MISSING);
    expect("set/gone.csv");
    OK(gn_source_list(t.arena, importing_path(&t, "set"), ".json", 10, &n, &path)); /* not asked for */
}

static void test_a_byte_0(void **state) {
    (void)state;
    const char *path = csv("source/zero.csv", 2, 1);
    void *bytes;
    size_t n;
    OK(gn_io_read(t.arena, path, 1 << 20, &bytes, &n));
    *(strchr(bytes, '\n') + 1) = 0;
    OK(gn_io_write(path, bytes, n));
    FAILS(importing_run(&t, "kinect", path, "zero"), BAD_DATA);
    expect("zero.csv:2: a byte 0");
}

int main(void) {
    const struct CMUnitTest tests[] = {
#ifndef SANITIZED
        cmocka_unit_test(test_memory_is_the_childs_own),
#endif
        cmocka_unit_test(test_foreign_words_stay_on_the_line), cmocka_unit_test(test_a_child_that_lost_its_mind), cmocka_unit_test(test_who_is_asked_to_stop), cmocka_unit_test(test_what_lies_there),
        cmocka_unit_test(test_a_full_disk), cmocka_unit_test(test_a_refusal_says_what_was_found), cmocka_unit_test(test_nobody_listens),
        cmocka_unit_test(test_links),
        cmocka_unit_test(test_a_byte_0),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
