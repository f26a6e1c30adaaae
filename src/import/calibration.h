/* calibration.h - Skeletool's text file of cameras, as MPI-INF-3DHP and its kin have it. */
#ifndef GN_CALIBRATION_H
#define GN_CALIBRATION_H
#include "gnomon/import.h"

enum { GN_CALIBRATED = 64 };
typedef struct {
    int number, w, h;
    gn_lens lens;
    double pose[12];   /* [3 4] from the world, metres */
} gn_calibrated;
typedef struct { int n; gn_calibrated camera[GN_CALIBRATED]; } gn_calibration;

gn_status gn_calibration_read(gn_arena *a, const char *path, gn_calibration *c);
const gn_calibrated *gn_calibration_find(const gn_calibration *c, int number); /* NULL: none */
#endif
