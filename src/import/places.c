/* places.c - an index of items: added as a file is read, then sorted and searched. */
#include "src/import/places.h"
#include <stdlib.h>
#include <string.h>

gn_status gn_places_add(gn_places *p, int64_t key, int64_t at) {
    if (p->n == p->room) {
        gn_place *more;
        p->room = p->room ? 2 * p->room : 256;
        GN_TAKE(more, p->arena, p->room);
        if (p->n) memcpy(more, p->place, sizeof *more * (size_t)p->n);
        p->place = more;
    }
    p->place[p->n++] = (gn_place){ key, at };
    return GN_OK;
}

static int ascending(const void *x, const void *y) {
    const gn_place *a = x, *b = y;
    if (a->key != b->key) return a->key < b->key ? -1 : 1;
    return (a->at > b->at) - (a->at < b->at);
}

void gn_places_sort(gn_places *p) {
    if (p->n) qsort(p->place, (size_t)p->n, sizeof *p->place, ascending);
}

const gn_place *gn_places_find(const gn_places *p, int64_t key) {
    int64_t low = 0, high = p->n;
    while (low < high) {
        const int64_t middle = low + (high - low) / 2;
        if (p->place[middle].key < key) low = middle + 1;
        else high = middle;
    }
    return low < p->n && p->place[low].key == key ? &p->place[low] : NULL;
}

const gn_place *gn_places_twice(const gn_places *p) {
    for (int64_t i = 1; i < p->n; i++)
        if (p->place[i].key == p->place[i - 1].key) return &p->place[i];
    return NULL;
}
