/* config.h - reads YAML into structs by their rows.
 *
 * An experiment is one complete file plus section.key=value on the command line: no includes, no
 * inheritance, no anchors, no environment. YAML 1.2 core rules; a repeated or unknown key, a wrong
 * type, a value out of range are errors with file:line:col and the nearest known key, up to 20 in one
 * go. Limits: 1 MiB, 64 deep, 100,000 nodes, 1,000 keys a mapping. */
#ifndef GN_CONFIG_H
#define GN_CONFIG_H
#include "gnomon/arena.h"
#include "gnomon/option.h"

typedef struct gn_yaml gn_yaml;
struct gn_yaml {
    enum { GN_YAML_NULL, GN_YAML_SCALAR, GN_YAML_LIST, GN_YAML_MAP } kind;
    int quoted;               /* a quoted scalar is a string whatever it looks like */
    const char *text;         /* of a scalar */
    int n, room;
    gn_yaml **child;          /* of a list or a map */
    const char *key;          /* under which its map has it; NULL in a list and at the root */
    const char *file;         /* with line 0: the assignment on the command line */
    int line, col;            /* of the key where there is one, else of the value */
};

gn_status gn_yaml_read(gn_arena *a, const char *path, gn_yaml **tree);
gn_status gn_yaml_parse(gn_arena *a, const char *file, const char *text, size_t n, gn_yaml **tree);
/* "train.stages.depth=null", "data.batch=8", "losses.bone.weight=0": value in YAML flow style. Parts of the
 * path that do not exist are made; whether they are known is for the schema to say. */
gn_status gn_yaml_override(gn_arena *a, gn_yaml *tree, const char *assignment);
gn_yaml *gn_yaml_find(const gn_yaml *tree, const char *path); /* "train.steps"; NULL: not there */
gn_status gn_yaml_map(gn_arena *a, const gn_yaml *at, gn_yaml **map);           /* empty, with `at`'s place */
gn_status gn_yaml_copy(gn_arena *a, const gn_yaml *tree, gn_yaml **copy);       /* maps anew, the rest shared */
/* Maps by key, dotted keys reach down; null removes, or is kept for a later merge. */
gn_status gn_yaml_merge(gn_arena *a, gn_yaml *into, const gn_yaml *over, int keep_null);
void gn_yaml_remove(gn_yaml *map, const char *key);
void gn_yaml_write(FILE *to, const gn_yaml *tree, int indent);
const char *gn_yaml_place(const gn_yaml *node); /* "file:31:3"; four may be in use at once */
const char *gn_shown(const char *text);         /* fit for one line of a message; four may be in use at once */

/* Fills `into` by its rows, defaults first. Every complaint is collected, then GN_BAD_CONFIG. */
gn_status gn_config_bind(gn_arena *a, const gn_yaml *tree, const gn_option *rows, void *into);
void gn_config_default(const gn_option *rows, void *into); /* lists are empty, nothing is picked */
gn_status gn_config_check(const gn_option *rows, const void *values);  /* ranges of values set in code */
void gn_config_write(FILE *to, const gn_option *rows, const void *values, int indent); /* every default written out */
void gn_config_origins(FILE *to, const gn_yaml *tree, const gn_option *rows); /* key: default | file:line | 'assignment' */
void gn_config_describe(FILE *to, const gn_option *rows, int indent);
void gn_text_write(FILE *to, const char *text);      /* plain where every YAML reader sees a string, else quoted */
void gn_number_write(FILE *to, double x, int single); /* the fewest digits that read back to the same number */
const char *gn_nearest(const char *word, int n, const char *const *known); /* NULL: nothing near */
#endif
