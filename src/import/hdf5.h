/* hdf5.h - foreign HDF5, for reading: what is there, and numbers of any type as one's own.
 *
 * A place is a path from the root, "pose/3d-univ"; "annotations[5]/annot2" follows the sixth object reference of
 * a dataset of them, which is how MATLAB keeps cells. Everything must lie in this file, behind hard links, in filters
 * that HDF5 itself has; sizes are held against the file's before memory is taken. */
#ifndef GN_HDF5_H
#define GN_HDF5_H
#include "gnomon/arena.h"

enum { GN_HDF_RANK = 6 };
typedef struct gn_hdf gn_hdf;
typedef enum { GN_HDF_NONE, GN_HDF_GROUP, GN_HDF_NUMBERS, GN_HDF_TEXTS, GN_HDF_REFERENCES, GN_HDF_OTHER } gn_hdf_kind;
typedef struct {
    gn_hdf_kind kind;
    int rank;                /* 0: one value */
    int64_t d[GN_HDF_RANK];  /* rest are 1 */
    int64_t n, row;          /* elements; of one row, the first axis apart */
    int element;             /* bytes in the file */
} gn_hdf_set;

int gn_hdf_is(const char *path);                                     /* by its first bytes, or MATLAB's 512 later */
gn_status gn_hdf_open(gn_arena *a, const char *path, gn_hdf **f);    /* until the arena ends */
const char *gn_hdf_path(const gn_hdf *f);
gn_status gn_hdf_list(gn_arena *a, const gn_hdf *f, const char *group, int *n, const char ***name); /* sorted; "": the root */
gn_status gn_hdf_look(const gn_hdf *f, const char *place, gn_hdf_set *s); /* kind GN_HDF_NONE: nothing there */
/* As above, but it must be numbers of these extents; -1: any. The names beside it help where it is not there. */
gn_status gn_hdf_expect(gn_arena *a, const gn_hdf *f, const char *place, int rank, const int64_t *d, gn_hdf_set *s);

/* Rows `first` to `first + n` of the first axis: n * row numbers. A half, an integer or a big-endian number becomes
 * what is asked for. */
gn_status gn_hdf_doubles(const gn_hdf *f, const char *place, int64_t first, int64_t n, double *to);
gn_status gn_hdf_floats(const gn_hdf *f, const char *place, int64_t first, int64_t n, float *to);
gn_status gn_hdf_ints(const gn_hdf *f, const char *place, int64_t first, int64_t n, int32_t *to);
/* Strings, of fixed or any length, or rows of character codes as old MPII files have them. */
gn_status gn_hdf_texts(gn_arena *a, const gn_hdf *f, const char *place, int64_t first, int64_t n, const char **to);
/* A text attribute; "": has none of that name. A number attribute; NaN: none. */
gn_status gn_hdf_attribute(gn_arena *a, const gn_hdf *f, const char *place, const char *name, const char **text);
gn_status gn_hdf_number(const gn_hdf *f, const char *place, const char *name, double *x);
#endif
