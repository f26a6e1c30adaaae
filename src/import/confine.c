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

/* --- who is asked to end ends the child, and cleans up after it --- */

static const struct { int signal; const char *name; } asks[] = { { SIGINT, "SIGINT" }, { SIGTERM, "SIGTERM" }, { SIGHUP, "SIGHUP" } };
enum { ASKS = sizeof asks / sizeof *asks };
static volatile sig_atomic_t asked;       /* its place in `asks`, from 1 */
static struct sigaction before[ASKS];

static void note(int signal_) {
    for (int k = 0; k < ASKS; k++)
        if (asks[k].signal == signal_) asked = k + 1;
}

static void heed(void) {
    struct sigaction a = { .sa_handler = note };
    sigemptyset(&a.sa_mask);
    asked = 0;
    for (int k = 0; k < ASKS; k++) {
        sigaction(asks[k].signal, NULL, &before[k]);
        if (before[k].sa_handler != SIG_IGN) sigaction(asks[k].signal, &a, NULL); /* nohup's wish stands */
    }
}

static void unheed(void) {
    for (int k = 0; k < ASKS; k++) sigaction(asks[k].signal, &before[k], NULL);
}

/* --- the child --- */

static void limit(int what, uint64_t most) {
    const struct rlimit r = { most, most };
    setrlimit((__rlimit_resource_t)what, &r);
}

static void confine(gn_limits l, pid_t parent) {
    static const int deadly[] = { SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL };
    for (size_t k = 0; k < sizeof deadly / sizeof *deadly; k++) signal(deadly[k], SIG_DFL); /* a parent's handler would speak for it */
    signal(SIGXFSZ, SIG_IGN); /* a write that fails says more than a death */
    signal(SIGPIPE, SIG_IGN);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(1); /* it died before it could be asked to tell */
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    limit(RLIMIT_CORE, 0);
#ifndef GN_ASAN
    limit(RLIMIT_DATA, (uint64_t)l.memory); /* not AS: a shard of 200 GB is mapped, and is honest */
#endif
    (void)l;
}

static void child(int pipe, pid_t parent, gn_limits l, gn_status (*work)(void *), void *what) {
    static words w;
    unheed();
    confine(l, parent);
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

/* --- the parent --- */

enum { STATUSES = 0
#define COUNT(name, exit, text) +1
    GN_STATUSES(COUNT)
#undef COUNT
};

/* All of the words, or as many as came before the end. Looks up often: a signal may come just before the wait. */
static size_t listen(int pipe, double until, words *w) {
    size_t have = 0;
    for (double left; have < sizeof *w && !asked && (left = until - now()) > 0;) {
        struct pollfd p = { .fd = pipe, .events = POLLIN };
        int ready = poll(&p, 1, left > 0.2 ? 200 : (int)(1000 * left) + 1);
        if (ready < 0 && errno != EINTR) break;
        if (ready <= 0) continue;
        ssize_t n = read(pipe, (char *)w + have, sizeof *w - have);
        if (n == 0 || (n < 0 && errno != EINTR)) break;
        if (n > 0) have += (size_t)n;
    }
    return have;
}

void gn_one_line(char *text) {
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f) *text = ' ';
}

static gn_status said(const char *name, gn_limits l, const words *w, size_t heard, int late, int state) {
    if (asked) GN_FAIL(STOPPED, "%s: stopped by %s", name, asks[asked - 1].name);
    if (late) GN_FAIL(BAD_DATA, "%s: not read within %g seconds", name, l.seconds);
    if (heard < sizeof *w && WIFSIGNALED(state)) GN_FAIL(BAD_DATA, "%s: whoever reads it dies: %s", name, strsignal(WTERMSIG(state)));
    if (heard < sizeof *w) GN_FAIL(BAD_DATA, "%s: whoever reads it ends without a word, status %d", name, WEXITSTATUS(state));
    if ((int)w->status < 0 || (int)w->status >= STATUSES) GN_FAIL(BAD_DATA, "%s: whoever reads it has lost its mind", name);
    gn_trail_restore(&w->trail);
    return gn_pass(w->status, __FILE__, __LINE__);
}

gn_status gn_confined(const char *name, gn_limits l, gn_status (*work)(void *), void (*clean)(void *, int), void *what) {
    static const words none;
    words w = none;
    int ends[2], state = 0;
    fflush(NULL); /* lest the child says it again */
    if (pipe(ends)) GN_FAIL(IO, "%s: no pipe to a child: %s", name, strerror(errno));
    const double until = now() + l.seconds;
    const pid_t parent = getpid();
    heed();
    const pid_t pid = fork();
    if (pid == 0) {
        close(ends[0]);
        child(ends[1], parent, l, work, what);
    }
    const int no_child = errno;
    close(ends[1]);
    const size_t heard = pid < 0 ? 0 : listen(ends[0], until, &w);
    close(ends[0]);
    const int late = heard < sizeof w && now() >= until;
    if (pid > 0 && heard < sizeof w) kill(pid, SIGKILL); /* also one that only closed its pipe; who is dead stays as it died */
    while (pid > 0 && waitpid(pid, &state, 0) < 0 && errno == EINTR) continue;
    unheed();
    if (pid < 0) GN_FAIL(NO_MEMORY, "%s: no child to read it: %s", name, strerror(no_child));
    if (heard == sizeof w && w.status == GN_OK) return GN_OK;
    if (clean) clean(what, (int)pid);
    w.trail.reason[sizeof w.trail.reason - 1] = w.trail.place[sizeof w.trail.place - 1] = 0;
    gn_one_line(w.trail.reason);
    return said(name, l, &w, heard, late, state);
}
