/* option.h - one option as a row: kind, place, default, range, help.
 *
 * A struct that a user may fill has a table of rows. The same rows read YAML, check ranges, write
 * the resolved file, and print `gnomon describe`. A row ends the table with name NULL.
 *
 * Losses state their options as two macros, O for numbers and C for choices (the first choice is
 * the default), so that the struct and the table cannot differ:
 *
 *     #define RANKING_OPTIONS(O, C) O(margin, 0.0, 0.0, 1.0, "metres to win by")  \
 *                                   C(form, soft, "soft|hinge", "how a pair pulls") */
#ifndef GN_OPTION_H
#define GN_OPTION_H
#include "gnomon/formula.h"
#include <stddef.h>

typedef enum {
    GN_KIND_INT,     /* int */
    GN_KIND_COUNT,   /* int64_t */
    GN_KIND_NUMBER,  /* double */
    GN_KIND_REAL,    /* gn_real */
    GN_KIND_FLAG,    /* int: true | false */
    GN_KIND_CHOICE,  /* int: place in `choices`, "a|b|c" */
    GN_KIND_TEXT,    /* const char *; text_dflt */
    GN_KIND_TEXTS,   /* gn_texts; empty by default */
    GN_KIND_COUNTS,  /* gn_counts; empty by default; the range is of each */
    GN_KIND_SECTION, /* a struct with rows of its own, `section` */
    GN_KIND_PICK,    /* gn_pick: one name out of `registry`, with its options */
    GN_KIND_PICKS,   /* gn_picks: several names out of `registry` */
    GN_KIND_TREE,    /* const struct gn_yaml *: left as it is for the owner to read */
} gn_kind;

typedef struct gn_option {
    const char *name;
    gn_kind kind;
    size_t offset;
    double dflt, least, most;    /* numbers; dflt is also a flag's or a choice's default */
    const char *text;            /* default of a text or a pick, NULL: must be picked; choices of a choice */
    const char *help;            /* with the unit */
    const struct gn_option *section;
    const struct gn_registry *registry;
} gn_option;

typedef struct { int n; const char **item; } gn_texts;
typedef struct { int n; int64_t *item; } gn_counts;

typedef struct {              /* what may be picked by name: a model, a loss, an optimizer */
    const char *name, *help;
    size_t bytes;             /* of the options struct */
    const gn_option *options;
    const void *what;         /* the thing itself */
} gn_entry;
typedef struct gn_registry { const char *word; int n; const gn_entry *entry; } gn_registry;
typedef struct { const gn_entry *entry; void *options; } gn_pick;      /* entry NULL: nothing picked */
typedef struct { int n; gn_pick *item; } gn_picks;

/* Members and rows from the O and C macros of a loss; GN_T names the struct while rows are made. */
#define GN_MEMBER_O(name, dflt, least, most, help) gn_real name;
#define GN_MEMBER_C(name, dflt, choices, help) int name;
#define GN_ROW_O(name, dflt, least, most, help)                                                    \
    { #name, GN_KIND_REAL, offsetof(GN_T, name), (double)(dflt), (double)(least), (double)(most), 0, help, 0, 0 },
#define GN_ROW_C(name, dflt, choices, help)                                                        \
    { #name, GN_KIND_CHOICE, offsetof(GN_T, name), 0, 0, 0, choices, help, 0, 0 },
#endif
