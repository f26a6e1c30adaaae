/* arena.c - a chain of blocks, each twice the last, filled from the front. */
#include "gnomon/arena.h"
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGN = 64, FIRST_BLOCK = 1 << 16 };

typedef struct block {
    struct block *next;
    size_t size, used;
    unsigned char *bytes;
} block;

typedef struct cleanup {
    struct cleanup *next;
    void (*undo)(void *);
    void *what;
} cleanup;

struct gn_arena {
    const char *name;
    block *first, *at;
    cleanup *cleanups;
    size_t taken;
};

gn_arena *gn_arena_new(const char *name) {
    gn_arena *a = calloc(1, sizeof *a);
    if (a) a->name = name;
    return a;
}

static block *block_new(size_t size) {
    block *b = malloc(sizeof *b);
    if (!b) return NULL;
    *b = (block){ .size = size, .bytes = aligned_alloc(ALIGN, size) };
    if (b->bytes) return b;
    free(b);
    return NULL;
}

/* The next block that holds `bytes`; blocks kept by a rewind are used before a new one is made. */
static block *room(gn_arena *a, size_t bytes) {
    for (; a->at; a->at = a->at->next) {
        if (a->at->size - a->at->used >= bytes) return a->at;
        if (!a->at->next) break;
    }
    size_t size = a->at ? 2 * a->at->size : FIRST_BLOCK;
    while (size < bytes) size *= 2;
    block *b = block_new(size);
    if (!b) return NULL;
    if (a->at) a->at->next = b;
    else a->first = b;
    return a->at = b;
}

void *gn_arena_take(gn_arena *a, size_t bytes) {
    if (!a || bytes > SIZE_MAX / 4) return NULL;
    bytes = (bytes + ALIGN - 1) / ALIGN * ALIGN;
    if (!bytes) bytes = ALIGN;
    block *b = room(a, bytes);
    if (!b) return NULL;
    void *p = b->bytes + b->used;
    b->used += bytes;
    a->taken += bytes;
    return memset(p, 0, bytes);
}

gn_status gn_arena_at_end(gn_arena *a, void (*undo)(void *), void *what) {
    cleanup *c;
    GN_TAKE(c, a, 1);
    *c = (cleanup){ a->cleanups, undo, what };
    a->cleanups = c;
    return GN_OK;
}

static void clean(gn_arena *a) {
    while (a->cleanups) {
        cleanup *c = a->cleanups;
        a->cleanups = c->next;
        c->undo(c->what);
    }
}

void gn_arena_rewind(gn_arena *a) {
    clean(a);
    for (block *b = a->first; b; b = b->next) b->used = 0;
    a->at = a->first;
    a->taken = 0;
}

void gn_arena_free(gn_arena *a) {
    if (!a) return;
    clean(a);
    for (block *b = a->first, *next; b; b = next) {
        next = b->next;
        free(b->bytes);
        free(b);
    }
    free(a);
}

size_t gn_arena_bytes(const gn_arena *a) { return a->taken; }

const char *gn_arena_text(gn_arena *a, const char *fmt, ...) {
    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    char *text = n < 0 ? NULL : gn_arena_take(a, (size_t)n + 1);
    if (text) vsnprintf(text, (size_t)n + 1, fmt, again);
    va_end(again);
    return text;
}
