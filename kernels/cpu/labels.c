/* labels.c - the names of label fields. */
#include "gnomon/labels.h"
#include <stdio.h>

static const char *const names[GN_FIELD_COUNT] = {
#define NAME(name, type, count, carry, help) #name,
    GN_FIELDS(NAME)
#undef NAME
};

const char *gn_field_name(int place) { return names[place]; }

const char *gn_fields_text(uint32_t fields) {
    static _Thread_local char text[2][512];
    static _Thread_local int turn;
    char *to = text[turn ^= 1];
    size_t at = 0;
    for (int f = 0; f < GN_FIELD_COUNT; f++)
        if (fields >> f & 1)
            at += (size_t)snprintf(to + at, sizeof *text - at, "%s%s", at ? " " : "", names[f]);
    return at ? to : "none";
}
