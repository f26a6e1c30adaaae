/* confine.h - work on foreign bytes in a process of its own. */
#ifndef GN_CONFINE_H
#define GN_CONFINE_H
#include "gnomon/status.h"
#include <stdint.h>

typedef struct {
    double seconds;     /* of wall clock */
    int64_t memory;     /* bytes of its own; files mapped to be read are not counted. Not enforced under the address sanitizer */
} gn_limits;

/* Runs work(what) in a child. Its status and trail come back; a child that crashes, hangs or takes too much is
 * GN_BAD_DATA with `name` and what became of it. INT, TERM or HUP end the child first: GN_STOPPED. What it wrote below
 * other names than its final ones is `clean`'s to remove, told the child's number. */
gn_status gn_confined(const char *name, gn_limits limits, gn_status (*work)(void *what), void (*clean)(void *what, int child), void *what);

/* Foreign text among our words: what a terminal would obey, or would break the line, becomes spaces. */
void gn_one_line(char *text);
#endif
