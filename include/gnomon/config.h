/* config.h - reads YAML into structs by their rows.
 *
 * An experiment is one complete file plus section.key=value on the command line: no includes, no
 * inheritance, no environment. YAML 1.2 core rules; a repeated or unknown key, a wrong type, a value
 * out of range are errors with file:line:col and the nearest known key, up to 20 in one go. Limits:
 * 1 MiB, 64 deep, 100,000 nodes. */
#ifndef GN_CONFIG_H
#define GN_CONFIG_H
#include "gnomon/arena.h"
#include "gnomon/option.h"

typedef struct gn_yaml gn_yaml;
struct gn_yaml {
    enum { GN_YAML_NULL, GN_YAML_SCALAR, GN_YAML_LIST, GN_YAML_MAP } kind;
    const char *text;         /* of a scalar */
    int quoted;               /* a quoted scalar is a string whatever it looks like */
    int n;                    /* children */
    const char **key;         /* of a map */
    gn_yaml **child;
    const char *file;         /* or "override" */
    int line, col;            /* of the value; of the key in key_line, key_col for map children */
    int *key_line, *key_col;
};

gn_status gn_yaml_read(gn_arena *a, const char *path, gn_yaml **tree);
gn_status gn_yaml_parse(gn_arena *a, const char *file, const char *text, size_t n, gn_yaml **tree);
/* "train.stages.depth=null", "data.batch=8", "losses.bone.weight=0": value in YAML flow style. Parts of the
 * path that do not exist are made; whether they are known is for the schema to say. */
gn_status gn_yaml_override(gn_arena *a, gn_yaml *tree, const char *assignment);
gn_yaml *gn_yaml_find(const gn_yaml *tree, const char *path); /* "train.steps"; NULL: not there */
gn_status gn_yaml_copy(gn_arena *a, const gn_yaml *tree, gn_yaml **copy);
gn_status gn_yaml_merge(gn_arena *a, gn_yaml *into, const gn_yaml *over); /* maps by key, dotted keys reach down; null removes */

/* Fills `into` by its rows, defaults first. Every complaint is collected, then GN_BAD_CONFIG. */
gn_status gn_config_bind(gn_arena *a, const gn_yaml *tree, const gn_option *rows, void *into);
void gn_config_default(const gn_option *rows, void *into);
gn_status gn_config_check(const gn_option *rows, const void *values);  /* ranges of values set in code */
gn_status gn_config_write(FILE *to, const gn_option *rows, const void *values, int indent); /* every default written out */
gn_status gn_config_origins(FILE *to, const gn_yaml *tree, const gn_option *rows);          /* key: default | file:line | override */
void gn_config_describe(FILE *to, const gn_option *rows, int indent);
const char *gn_nearest(const char *word, int n, const char *const *known); /* NULL: nothing near */
#endif
