/* mpii.h - MPII Human Pose (Andriluka et al., CVPR 2014): everyday activities, 16 joints labelled in 2D.
 *
 * The crop of Zhou 2017 A3.2 is made at import: centre 15 down, 1.25 times the given scale of 200 pixels.
 * Validation is the list of 2,958 of Tompson et al. */
GN_DATASET(mpii,
           .has = GN_HAS_joints2d | GN_HAS_labelled2d | GN_HAS_occluded2d | GN_HAS_head_size,
           .holds = GN_HAS_joints2d | GN_HAS_labelled2d | GN_HAS_occluded2d | GN_HAS_head_size,
           .skeleton = &gn_mpii16,
           .train = "mpii/train.h5",
           .valid = "mpii/valid.h5",
           .about = "human-pose.mpi-inf.mpg.de; data import mpii, from train.h5 and valid.h5 of pose-hg-train; HRNet's JSON lacks occluded2d",
           .licence = "simplified BSD for the annotations; pictures remain their owners'")
