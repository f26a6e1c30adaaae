/* crowdpose.h - CrowdPose (Li et al., CVPR 2019): crowds, 14 joints labelled in 2D; which are hidden is not known.
 *
 * Validation is its val and test files. */
GN_DATASET(crowdpose,
           .has = GN_HAS_joints2d | GN_HAS_labelled2d,
           .holds = GN_HAS_joints2d | GN_HAS_labelled2d,
           .skeleton = &gn_crowdpose14,
           .train = "crowdpose/train.h5",
           .valid = "crowdpose/valid.h5",
           .about = "github.com/jeffffffli/CrowdPose; data import crowdpose",
           .licence = "none stated")
