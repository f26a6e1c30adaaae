/* place.c - buffers with a lifetime, laid into one slab.
 *
 * Largest first, each at the lowest place that is free for as long as it lives: near the optimum for
 * networks, whose big buffers come in few sizes. */
#include "inside.h"
#include <stdlib.h>

static int larger_first(const void *x, const void *y) {
    const buffer *a = *(buffer *const *)x, *b = *(buffer *const *)y;
    if (a->bytes != b->bytes) return a->bytes < b->bytes ? 1 : -1;
    return a < b ? -1 : 1;
}

static int meet(const buffer *a, const buffer *b) { return a->from <= b->to && b->from <= a->to; }

gn_status gn_buffers_place(gn_arena *a, buffer *list, int n, size_t *slab) {
    buffer **order, **placed; /* placed: by place */
    GN_TAKE(order, a, n);
    GN_TAKE(placed, a, n);
    for (int i = 0; i < n; i++) order[i] = &list[i];
    qsort(order, (size_t)n, sizeof *order, larger_first);
    *slab = 0;
    for (int i = 0; i < n; i++) {
        buffer *b = order[i];
        b->bytes = (b->bytes + ALIGN - 1) / ALIGN * ALIGN;
        b->at = 0;
        for (int k = 0; k < i; k++) {
            if (!meet(b, placed[k])) continue;
            if (placed[k]->at >= b->at + b->bytes) break;
            size_t end = placed[k]->at + placed[k]->bytes;
            if (end > b->at) b->at = end;
        }
        int k = i;
        for (; k && placed[k - 1]->at > b->at; k--) placed[k] = placed[k - 1];
        placed[k] = b;
        if (b->at + b->bytes > *slab) *slab = b->at + b->bytes;
    }
    return GN_OK;
}
