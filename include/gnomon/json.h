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

/* One value and nothing after it. A repeated key, bad UTF-8, nesting beyond GN_JSON_DEEPEST or any other fault is
 * GN_BAD_DATA: "WHAT:line:col: reason". */
enum { GN_JSON_DEEPEST = 64 };
gn_status gn_json_parse(gn_arena *a, const char *what, const char *text, size_t n, const gn_json **tree);
const gn_json *gn_json_find(const gn_json *map, const char *key); /* NULL: no map, or no such key */
double gn_json_number(const gn_json *j, double otherwise);        /* j may be NULL */
const char *gn_json_text(const gn_json *j, const char *otherwise);
int gn_json_numbers(const gn_json *list, int n, double *x);       /* 1: a list of exactly n numbers, now in x */
const char *gn_json_quote(gn_arena *a, const char *text);         /* "text" with quotes, escaped; NULL: out of memory */

/* --- a file of any size, item by item --- */
/* A list or a map at the top, and the lists and maps right below a map, are walked; what lies in them are the items.
 * {"info": {"year": 2017}, "images": [{..}, {..}]} has three. Memory is that of one item of at most GN_JSON_ITEM bytes, a
 * window on the file, and up to 64 bytes a key of the map at hand. */
enum { GN_JSON_ITEM = 16 << 20 };
typedef struct gn_json_file gn_json_file;
typedef struct {
    const char *list;        /* key of the list or map it lies in; "": it lies at the top */
    const char *key;         /* its own; NULL in a list */
    int64_t place;           /* in that list or map, from 0 */
    int64_t at;              /* byte of the file */
    const gn_json *value;    /* NULL: there is no more */
} gn_json_item;
gn_status gn_json_open(gn_arena *a, const char *path, gn_json_file **f);
gn_status gn_json_next(gn_json_file *f, gn_json_item *item);                            /* valid until the next */
gn_status gn_json_at(gn_json_file *f, gn_arena *a, int64_t at, const gn_json **value);  /* the item at that byte, again */
const char *gn_json_where(gn_json_file *f, int64_t at);                                 /* "PATH:line:col", until the next */
#endif
