/* status.h - how a failure travels: a code goes up, reasons pile up.
 *
 * GN_FAIL starts a trail where the failure is discovered; GN_TRY passes it on; GN_TRY_AS puts
 * what the caller knows ("step 120") before the reason. What a user sees is one line; the
 * places in the code follow only with --trace. The trail is thread-local, in fixed storage;
 * gn_trail_keep and gn_trail_restore carry it from a worker to the thread that waits for it. */
#ifndef GN_STATUS_H
#define GN_STATUS_H
#include <stdio.h>

/* name, exit code of the program, meaning */
#define GN_STATUSES(S)                                                                             \
    S(OK, 0, "done")                                                                               \
    S(FAILED, 1, "the run failed")                                                                 \
    S(DIVERGED, 1, "a number is not finite")                                                       \
    S(BAD_USAGE, 2, "bad command line")                                                            \
    S(UNMET, 3, "a claim was not met")                                                             \
    S(BAD_DATA, 65, "bad input data")                                                              \
    S(MISSING, 66, "input missing")                                                                \
    S(NO_DEVICE, 69, "device unavailable")                                                         \
    S(BAD_SHAPE, 70, "shapes do not fit")                                                          \
    S(NO_MEMORY, 70, "out of memory")                                                              \
    S(INTERNAL, 70, "internal error")                                                              \
    S(NO_CREATE, 73, "cannot create output")                                                       \
    S(LOCKED, 73, "another process holds it")                                                      \
    S(IO, 74, "input or output failed")                                                            \
    S(STOPPED, 75, "stopped early, can be resumed")                                                \
    S(BAD_CONFIG, 78, "bad configuration")

typedef enum {
#define GN_STATUS_NAME(name, exit, text) GN_##name,
    GN_STATUSES(GN_STATUS_NAME)
#undef GN_STATUS_NAME
} gn_status;

#ifdef __GNUC__
#define GN_PRINTF(fmt, first) __attribute__((format(printf, fmt, first)))
#else
#define GN_PRINTF(fmt, first)
#endif

gn_status gn_fail(gn_status code, const char *file, int line, const char *fmt, ...) GN_PRINTF(4, 5);
gn_status gn_pass(gn_status code, const char *file, int line);
gn_status gn_pass_as(gn_status code, const char *file, int line, const char *fmt, ...) GN_PRINTF(4, 5);

#define GN_FAIL(code, ...) return gn_fail(GN_##code, __FILE__, __LINE__, __VA_ARGS__)
#define GN_TRY(call)                                                                               \
    do {                                                                                           \
        gn_status try_ = (call);                                                                   \
        if (try_) return gn_pass(try_, __FILE__, __LINE__);                                        \
    } while (0)
#define GN_TRY_AS(call, ...)                                                                       \
    do {                                                                                           \
        gn_status try_ = (call);                                                                   \
        if (try_) return gn_pass_as(try_, __FILE__, __LINE__, __VA_ARGS__);                        \
    } while (0)
/* for functions that must undo something: needs `gn_status status` in scope */
#define GN_TRY_OR(call, label)                                                                     \
    do {                                                                                           \
        if ((status = (call))) {                                                                   \
            gn_pass(status, __FILE__, __LINE__);                                                   \
            goto label;                                                                            \
        }                                                                                          \
    } while (0)

const char *gn_reason(void);              /* what the user sees; "" when nothing failed */
void gn_trail_clear(void);
void gn_trail_print(FILE *to, int places); /* the reason, then the places in the code if asked */
int gn_exit_code(gn_status status);
const char *gn_status_text(gn_status status);

typedef struct {
    char reason[2048], place[1024];
} gn_trail;
void gn_trail_keep(gn_trail *into);
void gn_trail_restore(const gn_trail *from);
#endif
