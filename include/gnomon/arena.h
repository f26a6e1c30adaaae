/* arena.h - memory with a lifetime instead of an owner.
 *
 * What belongs together is taken from one arena and ends with it. Memory comes zeroed and aligned
 * to 64 bytes. An arena belongs to one thread at a time. */
#ifndef GN_ARENA_H
#define GN_ARENA_H
#include "gnomon/status.h"
#include <stddef.h>
#include <stdint.h>

typedef struct gn_arena gn_arena;

gn_arena *gn_arena_new(const char *name); /* NULL when memory is out */
void gn_arena_free(gn_arena *a);          /* cleanups first, newest first; NULL is fine */
void gn_arena_rewind(gn_arena *a);        /* all taken memory back; cleanups run; blocks are kept */

void *gn_arena_take(gn_arena *a, size_t bytes); /* NULL when memory is out */
gn_status gn_arena_at_end(gn_arena *a, void (*undo)(void *), void *what);
size_t gn_arena_bytes(const gn_arena *a); /* taken so far */

const char *gn_arena_text(gn_arena *a, const char *fmt, ...) GN_PRINTF(2, 3); /* NULL: out of memory */

/* pointer = n zeroed elements, or fail */
#define GN_TAKE(pointer, arena, n)                                                                 \
    do {                                                                                           \
        (pointer) = (__typeof__(pointer))gn_arena_take((arena), sizeof *(pointer) * (size_t)(n)); /* C++ wants it said */ \
        if (!(pointer)) GN_FAIL(NO_MEMORY, "out of memory: %s", #pointer);                         \
    } while (0)
#define GN_TAKE_TEXT(pointer, arena, ...)                                                          \
    do {                                                                                           \
        (pointer) = gn_arena_text((arena), __VA_ARGS__);                                           \
        if (!(pointer)) GN_FAIL(NO_MEMORY, "out of memory: %s", #pointer);                         \
    } while (0)
#endif
