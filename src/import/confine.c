/* confine.c - a child with limits, and a pipe for what it has to say.
 *
 * Decoders crash on hostile bytes, HDF5 and MATLAB files above all. Here that costs a process nobody needs: the
 * parent holds nothing of the file but the child's last words. */
#include "src/import/confine.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#define GN_ASAN
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define GN_ASAN
#endif
#endif

typedef struct { gn_status status; gn_trail trail; } words;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void limit(int what, uint64_t most) {
    const struct rlimit r = { most, most };
    setrlimit((__rlimit_resource_t)what, &r);
}

static void confine(gn_limits l) {
    static const int deadly[] = { SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL };
    for (size_t k = 0; k < sizeof deadly / sizeof *deadly; k++) signal(deadly[k], SIG_DFL); /* a parent's handler would speak for it */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    limit(RLIMIT_CORE, 0);
#ifndef GN_ASAN
    limit(RLIMIT_AS, (uint64_t)l.memory);
#endif
    (void)l;
}

static void child(int pipe, gn_limits l, gn_status (*work)(void *), void *what) {
    static words w;
    confine(l);
    gn_trail_clear();
    w.status = work(what);
    gn_trail_keep(&w.trail);
    for (size_t done = 0; done < sizeof w;) {
        ssize_t n = write(pipe, (const char *)&w + done, sizeof w - done);
        if (n < 0 && errno != EINTR) break;
        if (n > 0) done += (size_t)n;
    }
    _exit(0); /* the parent's buffers and clean-ups are not this process's */
}

/* All of the words, or as many as came before the end. */
static size_t listen(int pipe, double until, words *w) {
    size_t have = 0;
    for (double left; have < sizeof *w && (left = until - now()) > 0;) {
        struct pollfd p = { .fd = pipe, .events = POLLIN };
        int ready = poll(&p, 1, left > 3600 ? 3600 * 1000 : (int)(1000 * left) + 1);
        if (ready < 0 && errno != EINTR) break;
        if (ready <= 0) continue;
        ssize_t n = read(pipe, (char *)w + have, sizeof *w - have);
        if (n == 0 || (n < 0 && errno != EINTR)) break;
        if (n > 0) have += (size_t)n;
    }
    return have;
}

gn_status gn_confined(const char *name, gn_limits l, gn_status (*work)(void *), void (*clean)(void *, int), void *what) {
    static const words none;
    words w = none;
    int ends[2], state = 0;
    fflush(NULL); /* lest the child says it again */
    if (pipe(ends)) GN_FAIL(IO, "%s: no pipe to a child: %s", name, strerror(errno));
    const double until = now() + l.seconds;
    const pid_t pid = fork();
    if (pid == 0) {
        close(ends[0]);
        child(ends[1], l, work, what);
    }
    close(ends[1]);
    if (pid < 0) {
        close(ends[0]);
        GN_FAIL(NO_MEMORY, "%s: no child to read it: %s", name, strerror(errno));
    }
    const size_t heard = listen(ends[0], until, &w);
    const int late = heard < sizeof w && now() >= until;
    if (late) kill(pid, SIGKILL);
    close(ends[0]);
    while (waitpid(pid, &state, 0) < 0 && errno == EINTR) continue;
    if (heard == sizeof w && w.status == GN_OK) return GN_OK;
    if (clean) clean(what, (int)pid);
    if (late) GN_FAIL(BAD_DATA, "%s: not read within %g seconds", name, l.seconds);
    if (heard < sizeof w && WIFSIGNALED(state))
        GN_FAIL(BAD_DATA, "%s: whoever reads it dies: %s", name, strsignal(WTERMSIG(state)));
    if (heard < sizeof w) GN_FAIL(BAD_DATA, "%s: whoever reads it ends without a word, status %d", name, WEXITSTATUS(state));
    w.trail.reason[sizeof w.trail.reason - 1] = w.trail.place[sizeof w.trail.place - 1] = 0;
    gn_trail_restore(&w.trail);
    return gn_pass(w.status, __FILE__, __LINE__);
}
