/* array.h - NumPy's arrays and what Python pickles of them: an npy file, or a tree of plain values and arrays.
 *
 * Nothing in a file is run or evaluated: a header is taken apart letter by letter, and a pickle may name no function but
 * those by which NumPy itself says "array" (gn_pickle_read). */
#ifndef GN_ARRAY_H
#define GN_ARRAY_H
#include "gnomon/arena.h"

enum { GN_ARRAY_RANK = 6 };
typedef struct {
    char kind;                     /* f, i, u, b; O: objects */
    int element, big, fortran;     /* bytes; 1: most significant first; 1: the first index runs fastest */
    int rank;                      /* 0: one value */
    int64_t d[GN_ARRAY_RANK], n;   /* elements */
    const unsigned char *data;     /* of the file's, not aligned; NULL: objects */
} gn_array;
double gn_array_number(const gn_array *x, int64_t i); /* i counts with the last index fastest, whatever the file's order */
gn_status gn_array_type(const char *what, const char *descr, gn_array *x);   /* "<f4" */
gn_status gn_array_size(const char *what, gn_array *x, size_t bytes);        /* counts n by d; they must be so many bytes */

typedef struct gn_py {
    enum { GN_PY_NONE, GN_PY_NUMBER, GN_PY_TEXT, GN_PY_BYTES, GN_PY_LIST, GN_PY_MAP, GN_PY_ARRAY, GN_PY_TYPE, GN_PY_NAME, GN_PY_MARK } kind;
    double number;
    const char *text;              /* of a text or bytes, of a function's name; a 0 follows a text alone */
    size_t bytes;
    int n, room;
    const struct gn_py **item, **key; /* of a list, a tuple, a map (both); of an array of objects */
    gn_array array;                /* of a type: kind, element, big */
} gn_py;

/* An npy of objects is a pickle, of numbers an array. */
gn_status gn_npy_read(gn_arena *a, const char *what, const unsigned char *bytes, size_t n, const gn_py **tree);
/* Protocols 2 to 4. WHAT is said in complaints. */
gn_status gn_pickle_read(gn_arena *a, const char *what, const unsigned char *bytes, size_t n, const gn_py **tree);
const gn_py *gn_py_find(const gn_py *map, const char *key); /* NULL: no map, or no such key; py may be NULL */
const gn_py *gn_py_at(const gn_py *list, int i);            /* of a list, a tuple, an array of objects; NULL: none */
#endif
