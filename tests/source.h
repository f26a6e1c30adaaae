/* source.h - what importers are tested on: real files where they lie, and files that tests/import/NAME.py writes
 * after their owner's description, with libraries that are not ours. */
#ifndef SOURCE_H
#define SOURCE_H
#include "gnomon/arena.h"
#include "gnomon/io.h"
#include "near.h"
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Below GN_DATA, or shared/data beside the repository; the test is skipped where it is not. */
static inline const char *source_real(gn_arena *a, const char *name) {
    const char *root = getenv("GN_DATA"), *path = gn_arena_text(a, "%s/%s", root ? root : GN_SOURCE "/../shared/data", name);
    assert_non_null(path);
    if (!gn_io_exists(path)) skip();
    return path;
}

static inline int source_run(const char *python, const char *program, const char *folder) {
    int status = 0;
    const pid_t child = fork();
    if (!child) {
        execlp(python, python, "-B", program, folder, (char *)NULL);
        _exit(SKIP_EXIT);
    }
    assert_true(child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status));
    return WEXITSTATUS(status);
}

/* A new folder that `python3 tests/import/SCRIPT.py FOLDER` filled; skipped where python3 or its modules are not.
 * Modules may be the distribution's while the first python3 is another. */
static inline const char *source_made(gn_arena *a, const char *script) {
    static int made;
    const char *folder = gn_arena_text(a, "/tmp/gnomon_%s_%d_%d", script, (int)getpid(), made++);
    const char *program = gn_arena_text(a, "%s/tests/import/%s.py", GN_SOURCE, script);
    assert_true(folder && program);
    if (gn_io_folder(folder)) fail_msg("%s: cannot be made", folder);
    int code = source_run("python3", program, folder);
    if (code == SKIP_EXIT) code = source_run("/usr/bin/python3", program, folder);
    if (code) gn_io_remove(folder);
    if (code == SKIP_EXIT) skip();
    assert_int_equal(code, 0);
    return folder;
}
#endif
