/* json.h - JSON as a tree, for reading; what is written is written by hand. */
#ifndef GN_JSON_H
#define GN_JSON_H
#include "gnomon/arena.h"

typedef struct gn_json {
    enum { GN_JSON_NULL, GN_JSON_FLAG, GN_JSON_NUMBER, GN_JSON_TEXT, GN_JSON_LIST, GN_JSON_MAP } kind;
    double number;           /* of a flag: 0 or 1 */
    int64_t whole;           /* of a number written without point and exponent, when `is_whole` */
    int is_whole;
    const char *text;
    int n;
    const char **key;        /* of a map, in the order of the file */
    const struct gn_json *item;
} gn_json;

/* One value and nothing after it. A repeated key, bad UTF-8 or any other fault is GN_BAD_DATA: "WHAT:line:col: reason". */
gn_status gn_json_parse(gn_arena *a, const char *what, const char *text, size_t n, const gn_json **tree);
const gn_json *gn_json_find(const gn_json *map, const char *key); /* NULL: no map, or no such key */
double gn_json_number(const gn_json *j, double otherwise);        /* j may be NULL */
const char *gn_json_text(const gn_json *j, const char *otherwise);
const char *gn_json_quote(gn_arena *a, const char *text);         /* "text" with quotes, escaped; NULL: out of memory */
#endif
