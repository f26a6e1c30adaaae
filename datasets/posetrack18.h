/* posetrack18.h - PoseTrack18 (Andriluka et al., CVPR 2018): people in videos, 15 joints labelled in 2D. */
GN_DATASET(posetrack18,
           .has = GN_HAS_joints2d | GN_HAS_labelled2d,
           .holds = GN_HAS_joints2d | GN_HAS_labelled2d,
           .skeleton = &gn_posetrack17,
           .train = "posetrack18/train.h5",
           .valid = "posetrack18/valid.h5",
           .about = "posetrack.net; data import posetrack18",
           .licence = "not found")
