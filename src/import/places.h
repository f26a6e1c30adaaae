/* places.h - where in a file of JSON an item lies, by a number: 16 bytes each, however large the items. */
#ifndef GN_PLACES_H
#define GN_PLACES_H
#include "gnomon/arena.h"

typedef struct { int64_t key, at; } gn_place;
typedef struct {
    gn_arena *arena;
    int64_t n, room;
    gn_place *place;
} gn_places;
gn_status gn_places_add(gn_places *p, int64_t key, int64_t at);
void gn_places_sort(gn_places *p);                                /* by key, then by place in the file */
const gn_place *gn_places_find(const gn_places *p, int64_t key);  /* sorted; the first of that key, NULL: none */
const gn_place *gn_places_twice(const gn_places *p);              /* sorted; the second of an equal pair, NULL: none */
#endif
