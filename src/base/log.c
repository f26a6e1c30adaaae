/* log.c - one write(2) a line, so that lines of several threads do not mix. */
#include "gnomon/log.h"
#include "gnomon/pool.h"
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum { LINE = 1024, BAR = 24 };

static struct {
    atomic_flag busy;
    int quiet, file;          /* file: descriptor + 1 of the run's log */
    int drawn;                /* a bar is on the last line */
    double drawn_at, line_at; /* seconds; 0: never */
} state = { .busy = ATOMIC_FLAG_INIT };

static void enter(void) {
    while (atomic_flag_test_and_set(&state.busy)) {}
}
static void leave(void) { atomic_flag_clear(&state.busy); }

int gn_log_live(void) {
    const char *term = getenv("TERM");
    return !state.quiet && isatty(2) && term && strcmp(term, "dumb");
}

static int colour(void) {
    const char *no = getenv("NO_COLOR");
    return gn_log_live() && !(no && no[0]);
}

/* A log that cannot be written stops nothing: what must not be lost goes through io.h. */
static void put(int fd, const char *text, size_t n) {
    while (n) {
        ssize_t done = write(fd, text, n);
        if (done < 0 && errno == EINTR) continue;
        if (done <= 0) return;
        text += done;
        n -= (size_t)done;
    }
}

static void wipe(void) {
    if (state.drawn) put(2, "\r\033[K", 4);
    state.drawn = 0;
}

static void put_line(const char *before, const char *text, const char *after) {
    char line[LINE + 32];
    int n = snprintf(line, sizeof line, "%s%s%s\n", before, text, after);
    put(2, line, (size_t)n < sizeof line ? (size_t)n : sizeof line - 1);
}

static void keep_line(const char *text) {
    if (!state.file) return;
    char line[LINE + 64];
    struct tm t;
    time_t now = time(NULL);
    gmtime_r(&now, &t);
    size_t n = strftime(line, sizeof line, "%Y-%m-%dT%H:%M:%SZ ", &t);
    int more = snprintf(line + n, sizeof line - n, "%s\n", text);
    put(state.file - 1, line, n + (size_t)more);
}

void gn_log(const char *fmt, ...) {
    char text[LINE];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    enter();
    keep_line(text);
    if (!state.quiet) {
        wipe();
        put_line("", text, "");
    }
    leave();
}

void gn_warn(const char *fmt, ...) {
    char text[LINE];
    int n = snprintf(text, sizeof text, "warning: ");
    va_list args;
    va_start(args, fmt);
    vsnprintf(text + n, sizeof text - (size_t)n, fmt, args);
    va_end(args);
    enter();
    keep_line(text);
    wipe();
    put_line(colour() ? "\033[33m" : "", text, colour() ? "\033[0m" : "");
    leave();
}

/* "[=========>              ] text", cut to the width of the terminal: a wrapped bar cannot be redrawn. */
static void draw(double share, const char *text) {
    struct winsize w;
    int width = ioctl(2, TIOCGWINSZ, &w) == 0 && w.ws_col > 0 ? w.ws_col : 80;
    int bars = width < 120 ? BAR / 3 : BAR, full = (int)(share * bars);
    char line[LINE + BAR + 16], bar[BAR + 1];
    for (int i = 0; i < bars; i++) bar[i] = i < full ? '=' : i == full ? '>' : ' ';
    bar[bars] = 0;
    int n = snprintf(line, sizeof line, "\r[%s] %.*s\033[K", bar, width > bars + 4 ? width - bars - 4 : 0, text);
    put(2, line, (size_t)n);
    state.drawn = 1;
}

void gn_progress(double share, const char *fmt, ...) {
    char text[LINE];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    if (!(share >= 0)) share = 0;
    if (share > 1) share = 1;
    double now = gn_seconds();
    int live = gn_log_live();
    enter();
    if (live && (!state.drawn || now - state.drawn_at >= 0.1 || share >= 1)) {
        draw(share, text);
        state.drawn_at = now;
    }
    if (state.line_at <= 0 || now - state.line_at >= 1 || share >= 1) {
        keep_line(text);
        if (!live && !state.quiet) put_line("", text, "");
        state.line_at = now;
    }
    leave();
}

void gn_progress_end(void) {
    enter();
    wipe();
    state.line_at = 0;
    leave();
}

void gn_log_quiet(int quiet) { state.quiet = quiet; }

gn_status gn_log_open(const char *path) {
    int fd = path ? open(path, O_CREAT | O_APPEND | O_WRONLY | O_CLOEXEC, 0666) : -1;
    if (path && fd < 0) GN_FAIL(NO_CREATE, "%s: cannot be created: %s", path, strerror(errno));
    enter();
    if (state.file) close(state.file - 1);
    state.file = fd + 1;
    leave();
    return GN_OK;
}
