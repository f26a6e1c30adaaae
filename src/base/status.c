/* status.c - the trail of reasons, one a thread, in fixed storage: it must work when memory is out. */
#include "gnomon/status.h"
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

static _Thread_local gn_trail trail;

static void note_place(const char *file, int line) {
    size_t at = strlen(trail.place), room = sizeof trail.place - at;
    snprintf(trail.place + at, room, "  at %s:%d\n", file, line);
}

gn_status gn_fail(gn_status code, const char *file, int line, const char *fmt, ...) {
    trail.place[0] = 0;
    va_list args;
    va_start(args, fmt);
    vsnprintf(trail.reason, sizeof trail.reason, fmt, args);
    va_end(args);
    note_place(file, line);
    return code;
}

gn_status gn_pass(gn_status code, const char *file, int line) {
    note_place(file, line);
    return code;
}

gn_status gn_pass_as(gn_status code, const char *file, int line, const char *fmt, ...) {
    char was[sizeof trail.reason];
    memcpy(was, trail.reason, sizeof was);
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(trail.reason, sizeof trail.reason, fmt, args);
    va_end(args);
    if (n >= 0 && (size_t)n < sizeof trail.reason) {
        int room = (int)sizeof trail.reason - n;
        snprintf(trail.reason + n, (size_t)room, ": %.*s", room, was); /* what does not fit is cut */
    }
    return gn_pass(code, file, line);
}

const char *gn_reason(void) { return trail.reason; }

void gn_trail_clear(void) { trail.reason[0] = trail.place[0] = 0; }

void gn_trail_print(FILE *to, int places) {
    fprintf(to, "%s\n", trail.reason);
    if (places) fputs(trail.place, to);
}

void gn_trail_keep(gn_trail *into) { *into = trail; }
void gn_trail_restore(const gn_trail *from) { trail = *from; }

static const struct {
    int exit;
    const char *text;
} statuses[] = {
#define GN_STATUS_ROW(name, exit, text) { exit, text },
    GN_STATUSES(GN_STATUS_ROW)
#undef GN_STATUS_ROW
};

int gn_exit_code(gn_status status) { return statuses[status].exit; }
const char *gn_status_text(gn_status status) { return statuses[status].text; }
