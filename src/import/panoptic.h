/* panoptic.h - what Panoptic's colour and depth importers share: a sequence's bodies, cameras and times. */
#ifndef GN_PANOPTIC_H
#define GN_PANOPTIC_H
#include "gnomon/json.h"
#include "src/import/triangulate.h"

enum { GN_PANOPTIC_JOINTS = 19, GN_PANOPTIC_BODIES = 64 };
typedef struct {
    int id;
    double at[GN_PANOPTIC_JOINTS][3]; /* metres, world: y down */
    double sure[GN_PANOPTIC_JOINTS];  /* 0: absent */
} gn_body;
typedef struct { char name[16]; int w, h; gn_view view; } gn_panoptic_camera;

/* The one file of SOURCE (or of a folder right below it) whose name begins so and ends in .json; with its sequence's name. */
gn_status gn_panoptic_file(gn_arena *a, const gn_import *from, const char *begins, const char **path, const char **sequence);
gn_status gn_panoptic_json(gn_arena *a, const char *path, const gn_json **tree);
/* Cameras of this type ("hd", "kinect-color"), at most `most`. */
gn_status gn_panoptic_cameras(gn_arena *a, const char *path, const char *type, int most, int *n, gn_panoptic_camera *c);
/* Paths of SOURCE's hdPose3d_stage1_coco19, in the order of frames. */
gn_status gn_panoptic_frames(gn_arena *a, const gn_import *from, int *n, const char ***path);
int64_t gn_panoptic_frame(const char *path);                  /* the number in its name */
gn_status gn_panoptic_bodies(gn_arena *a, const char *path, int *n, gn_body *body); /* body [GN_PANOPTIC_BODIES] */

/* Labels of a body in one view: 3D where present and before the camera, 2D where that lies within the picture. Returns the latter's number. */
int gn_panoptic_label(const gn_body *b, const gn_view *v, int w, int h, gn_import_sample *x);
int gn_panoptic_valid(const char *sequence);                  /* 1: a test sequence of the published protocols */
#endif
