/* crowdpose.c - CrowdPose (Li et al., CVPR 2019): COCO's form with 14 joints.
 *
 * Its flags 1 and 2 are not to be told apart (heads and necks always have 1, seen or not; issue 13 of its owner's
 * repository), so no joint is said to be hidden. */
#include "src/import/keypoints.h"

static const char *const word[] = { "left_shoulder", "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist", "left_hip",
                                    "right_hip", "left_knee", "right_knee", "left_ankle", "right_ankle", "head|top_head", "neck" };
static const gn_keypoints form = { .begins = "crowdpose_", .joints = 14, .word = word };

static gn_status run(gn_arena *a, const gn_import *from, gn_sink *to) { return gn_keypoints_run(a, from, to, &form); }

const gn_importer gn_import_crowdpose = {
    .name = "crowdpose",
    .takes = "a crowdpose_*.json, or a folder of them",
    .about = "CrowdPose (Li et al. 2019), github.com/jeffffffli/CrowdPose; no licence stated",
    .skeleton = &gn_crowdpose14,
    .run = run,
};
