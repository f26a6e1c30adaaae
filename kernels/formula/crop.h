/* crop.h - conversions between the label spaces of one square picture, each written once.
 *
 *   picture   pixels of the input, centres at integers: it spans [-0.5, side - 0.5]
 *   cells     of a map with `cells` cells a side, centres at integers: the same square
 *   half      half-picture units: -1 left or top edge, +1 right or bottom edge
 *
 * Depth is in half-picture units too, so that a bone's x, y and z are lengths of one kind (Zhou 2017
 * A3.4): a weak-perspective factor takes metres to pixels, half the side takes pixels to 1. */
#ifndef GN_CROP_H
#define GN_CROP_H
#include "gnomon/formula.h"
#include "gnomon/skeleton.h"

GN_FN gn_real gn_picture_to_cell(gn_real x, gn_real side, gn_real cells) {
    return (x + GN_R(0.5)) * (cells / side) - GN_R(0.5);
}
GN_FN gn_real gn_cell_to_picture(gn_real x, gn_real side, gn_real cells) {
    return (x + GN_R(0.5)) * (side / cells) - GN_R(0.5);
}
GN_FN gn_real gn_picture_to_half(gn_real x, gn_real side) {
    return (x + GN_R(0.5)) * (GN_R(2) / side) - GN_R(1);
}
GN_FN gn_real gn_half_to_picture(gn_real x, gn_real side) {
    return (x + GN_R(1)) * (side / GN_R(2)) - GN_R(0.5);
}

/* What Torch's 1-based pixels, 224 to the crop and 64 to the map, add to the authors' depths. */
#define GN_DEPTH_OFFSET_PAPER (1.0 / 32 - 1.0 / 112)

/* Weak-perspective factor, pixels a metre: the bones' summed lengths in the picture over their summed
 * lengths in space seen along z. Bones with an unlabelled end do not count; `labelled` NULL: all are.
 * 0 when no bone has an extent. uv [J 2] pixels, xyz [J 3] metres. */
GN_FN gn_real gn_weak_factor(const gn_skeleton *s, const gn_real *uv, const gn_real *xyz,
                             const uint8_t *labelled) {
    gn_real pixels = GN_R(0), metres = GN_R(0);
    for (int e = 0; e < s->bones; e++) {
        int a = s->bone[e].a, b = s->bone[e].b;
        if (labelled && !(labelled[a] && labelled[b])) continue;
        pixels += sqrt(gn_sq(uv[2 * a] - uv[2 * b]) + gn_sq(uv[2 * a + 1] - uv[2 * b + 1]));
        metres += sqrt(gn_sq(xyz[3 * a] - xyz[3 * b]) + gn_sq(xyz[3 * a + 1] - xyz[3 * b + 1]));
    }
    return metres > GN_R(0) ? pixels / metres : GN_R(0);
}

/* The 2D points the authors train on: the 3D pose seen along z, hung up at the root's own pixel. */
GN_FN void gn_weak_points(int joints, int root, gn_real factor, const gn_real *xyz, gn_real *uv) {
    gn_real u = uv[2 * root], v = uv[2 * root + 1];
    for (int j = 0; j < joints; j++) {
        uv[2 * j] = u + factor * (xyz[3 * j] - xyz[3 * root]);
        uv[2 * j + 1] = v + factor * (xyz[3 * j + 1] - xyz[3 * root + 1]);
    }
}

/* Depth target of a point z metres from the camera; offset 0, or GN_DEPTH_OFFSET_PAPER. */
GN_FN gn_real gn_depth_from_metres(gn_real z, gn_real z_root, gn_real factor, gn_real side, gn_real offset) {
    return factor * (z - z_root) * (GN_R(2) / side) + offset;
}
GN_FN gn_real gn_depth_to_metres(gn_real depth, gn_real factor, gn_real side, gn_real offset) {
    return (depth - offset) * (side / GN_R(2)) / factor; /* below the root */
}

/* MPII's thorax lies between the shoulders, H36M's joint of that place does not: point `thorax` of
 * [J width] becomes the middle of the shoulders. Depths: width 1. */
GN_FN void gn_thorax_from_shoulders(int thorax, int left, int right, int width, gn_real *x) {
    for (int k = 0; k < width; k++)
        x[width * thorax + k] = GN_R(0.5) * (x[width * left + k] + x[width * right + k]);
}
#endif
