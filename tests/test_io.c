/* test_io.c - durable writes under failing disks, locks, and what a log line looks like. */
#include "near.h"
#include "gnomon/io.h"
#include "gnomon/log.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static gn_arena *arena;
static char folder[64];

static const char *in(const char *name) { return gn_arena_text(arena, "%s/%s", folder, name); }

static int open_folder(void **state) {
    (void)state;
    arena = gn_arena_new("test");
    strcpy(folder, "/tmp/gnomon-io-XXXXXX");
    return !mkdtemp(folder);
}
static int close_folder(void **state) {
    (void)state;
    gn_status status = gn_io_remove(folder);
    gn_arena_free(arena);
    return status != GN_OK;
}

static const char *content(const char *path) {
    void *bytes;
    size_t n;
    OK(gn_io_read(arena, path, 1 << 20, &bytes, &n));
    return bytes;
}

/* the `fail_at`-th disk call fails with `fail_with`, or ends the process when that is 0 */
static int calls, fail_at, fail_with;
static int fail_nth(const char *call, const char *path) {
    (void)call, (void)path;
    if (++calls != fail_at) return 0;
    if (!fail_with) _exit(9);
    return fail_with;
}

static void every_failure_keeps_the_old(void **state) {
    (void)state;
    const char *path = in("file");
    static const int errors[] = { ENOSPC, EIO, EDQUOT };
    for (int e = 0; e < 3; e++) {
        OK(gn_io_write(path, "old", 3));
        int at = 0;
        for (;;) {
            calls = 0, fail_at = ++at, fail_with = errors[e];
            gn_io_fault = fail_nth;
            gn_status status = gn_io_write(path, "new!", 4);
            gn_io_fault = NULL;
            if (calls < at) {
                assert_int_equal(status, GN_OK);
                break;
            }
            assert_int_equal(status, GN_IO);
            assert_non_null(strstr(gn_reason(), strerror(errors[e])));
            const char *now = content(path);
            assert_true(!strcmp(now, "old") || !strcmp(now, "new!"));
            if (at <= 4) assert_string_equal(now, "old"); /* open, write, sync, rename */
            assert_false(gn_io_exists(in("file.tmp")));
        }
        assert_true(at > 5);
        assert_string_equal(content(path), "new!");
    }
}

static void an_interrupted_call_goes_on(void **state) {
    (void)state;
    for (int at = 2; at <= 3; at++) { /* write, sync */
        calls = 0, fail_at = at, fail_with = EINTR;
        gn_io_fault = fail_nth;
        gn_status status = gn_io_write(in("interrupted"), "whole", 5);
        gn_io_fault = NULL;
        OK(status);
        assert_string_equal(content(in("interrupted")), "whole");
    }
}

static void a_kill_leaves_old_or_new(void **state) {
    (void)state;
    const char *path = in("killed");
    for (int at = 1;; at++) {
        OK(gn_io_write(path, "old", 3));
        pid_t child = fork();
        if (!child) {
            calls = 0, fail_at = at, fail_with = 0;
            gn_io_fault = fail_nth;
            _exit(gn_io_write(path, "new!", 4) != GN_OK);
        }
        int how;
        waitpid(child, &how, 0);
        const char *now = content(path);
        assert_true(!strcmp(now, "old") || !strcmp(now, "new!"));
        if (WEXITSTATUS(how) == 0) break;
        assert_int_equal(WEXITSTATUS(how), 9);
    }
    assert_string_equal(content(path), "new!");
}

static void reasons_name_the_path(void **state) {
    (void)state;
    void *bytes;
    size_t n;
    FAILS(gn_io_read(arena, in("absent"), 10, &bytes, &n), MISSING);
    assert_non_null(strstr(gn_reason(), "absent"));
    FAILS(gn_io_read(arena, folder, 1 << 20, &bytes, &n), BAD_DATA);
    OK(gn_io_write(in("long"), "0123456789", 10));
    FAILS(gn_io_read(arena, in("long"), 9, &bytes, &n), BAD_DATA);
    FAILS(gn_io_write(in("no/such/folder"), "x", 1), NO_CREATE);
    FAILS(gn_io_folder(in("long/below")), NO_CREATE);
    FAILS(gn_io_folder(in("long")), NO_CREATE);
    OK(gn_io_folder(in("a/b/c")));
    OK(gn_io_folder(in("a/b/c")));
    OK(gn_io_write(in("a/b/c/d"), "", 0));
    assert_string_equal(content(in("a/b/c/d")), "");
    OK(gn_io_remove(in("a")));
    assert_false(gn_io_exists(in("a")));
    OK(gn_io_remove(in("a")));
}

static void a_full_disk_is_said(void **state) {
    (void)state;
    if (access("/dev/full", W_OK)) skip();
    FAILS(gn_io_append("/dev/full", "line"), IO);
    assert_non_null(strstr(gn_reason(), "/dev/full"));
}

static void appended_lines_are_whole(void **state) {
    (void)state;
    const char *path = in("lines");
    OK(gn_io_append(path, "one"));
    calls = 0, fail_at = 2, fail_with = ENOSPC;
    gn_io_fault = fail_nth;
    gn_status status = gn_io_append(path, "lost");
    gn_io_fault = NULL;
    assert_int_equal(status, GN_IO);
    OK(gn_io_append(path, "two"));
    assert_string_equal(content(path), "one\ntwo\n");
}

static void one_process_a_folder(void **state) {
    (void)state;
    gn_arena *mine = gn_arena_new("lock");
    OK(gn_io_lock(mine, folder));
    char pid[32];
    snprintf(pid, sizeof pid, "process %d", (int)getpid());
    pid_t child = fork();
    if (!child) _exit(gn_io_lock(arena, folder) == GN_LOCKED && strstr(gn_reason(), pid) ? 0 : 1);
    int how;
    waitpid(child, &how, 0);
    assert_int_equal(how, 0);
    assert_int_equal(gn_exit_code(GN_LOCKED), 73);
    gn_arena_free(mine);
    mine = gn_arena_new("lock again");
    OK(gn_io_lock(mine, folder));
    gn_arena_free(mine);
}

static void a_log_is_lines(void **state) {
    (void)state;
    gn_log_quiet(1);
    OK(gn_log_open(in("log.txt")));
    gn_log("first %d", 1);
    for (int i = 1; i < 1000; i++) gn_progress(i / 1000.0, "step=%d/1000", i);
    OK(gn_log_open(NULL));
    gn_log("unheard");
    gn_log_quiet(0);
    const char *text = content(in("log.txt"));
    assert_non_null(strstr(text, "Z first 1\n"));
    assert_non_null(strstr(text, "Z step=1/1000\n")); /* the first is said at once */
    int lines = 0;
    for (const char *c = text; *c; c++) lines += *c == '\n';
    assert_in_range(lines, 2, 4); /* then one a second */
    assert_null(strstr(text, "unheard"));
    assert_null(strchr(text, '\r'));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_failure_keeps_the_old), cmocka_unit_test(an_interrupted_call_goes_on),
        cmocka_unit_test(a_kill_leaves_old_or_new),    cmocka_unit_test(reasons_name_the_path),
        cmocka_unit_test(a_full_disk_is_said),         cmocka_unit_test(appended_lines_are_whole),
        cmocka_unit_test(one_process_a_folder),        cmocka_unit_test(a_log_is_lines),
    };
    return cmocka_run_group_tests(tests, open_folder, close_folder);
}
