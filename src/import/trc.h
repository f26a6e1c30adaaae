/* trc.h - a TRC file: markers by name, their places frame by frame. */
#ifndef GN_TRC_H
#define GN_TRC_H
#include "gnomon/arena.h"

typedef struct {
    int markers;
    int64_t frames;
    const char **name;   /* [markers] */
    int *joint;          /* [markers] of body25b; -1: has none of that name */
    int64_t *frame;      /* [frames] as the file numbers them */
    double *at;          /* [frames markers 3] metres, axes as in the file; NaN: absent */
} gn_trc;
gn_status gn_trc_read(gn_arena *a, const char *path, gn_trc *t);
#endif
