/* spatial.h - COCO's lists with joints in space, as MuPoTS-3D and MuCo-3DHP are passed on (Moon et al., ICCV 2019).
 *
 * An annotation has `keypoints_img` and `keypoints_cam`, pixels and millimetres of the camera, a list a joint; `keypoints_vis`
 * and `is_valid` where known; an image its camera, `f` and `c` or `intrinsic`. */
#ifndef GN_SPATIAL_H
#define GN_SPATIAL_H
#include "gnomon/import.h"

typedef struct { int joints, valid, side; } gn_spatial; /* joints; split; pixels of a picture whose size is not said */
gn_status gn_spatial_read(const gn_import *from, gn_sink *to, const char *path, const gn_spatial *form);
#endif
