/* mat.h - a MATLAB file's variable as a tree: numbers, text, cells, structs.
 *
 * Version 5, packed or not, is read by matio; version 7.3 is HDF5. Extents are MATLAB's, and so is the order of
 * elements: the first index runs fastest. */
#ifndef GN_MAT_H
#define GN_MAT_H
#include "gnomon/arena.h"

enum { GN_MAT_RANK = 6 };
typedef struct gn_mat {
    enum { GN_MAT_NUMBERS, GN_MAT_TEXT, GN_MAT_CELLS, GN_MAT_STRUCTS, GN_MAT_OTHER } kind;
    int rank;
    int64_t d[GN_MAT_RANK], n;  /* beyond the rank 1; elements */
    const double *number;       /* [n] whatever the type in the file */
    const char *text;
    int fields;                 /* of structs */
    const char **field;
    const struct gn_mat *item;  /* [n] cells; [n fields] of structs */
} gn_mat;

gn_status gn_mat_read(gn_arena *a, const char *path, const char *variable, const gn_mat **v);
/* Of element `at` of structs; NULL: no structs, no such element, no such field. */
const gn_mat *gn_mat_field(const gn_mat *s, int64_t at, const char *field);
/* Cell `at`; NULL: no cells, no such cell. */
const gn_mat *gn_mat_cell(const gn_mat *c, int64_t at);
/* Its only number; `other` where it is none, or not one. */
double gn_mat_number(const gn_mat *v, double other);
#endif
