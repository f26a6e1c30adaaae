/* h36m.h - Human3.6M (Ionescu et al., TPAMI 2014): eleven people in a studio, four cameras, motion capture.
 *
 * Its joints are put into MPII's order at import (Zhou 2017 A3.1), so that one network learns from both; place
 * 7, MPII's thorax, is then H36M's spine. Subjects 1, 5, 6, 7, 8 train; 9 and 11 are for validation. */
GN_DATASET(h36m,
           .has = GN_HAS_joints2d | GN_HAS_labelled2d | GN_HAS_joints3d | GN_HAS_labelled3d | GN_HAS_depth | GN_HAS_camera,
           .holds = GN_HAS_joints2d | GN_HAS_labelled2d | GN_HAS_joints3d | GN_HAS_labelled3d | GN_HAS_camera,
           .skeleton = &gn_mpii16,
           .train = "h36m/train.h5",
           .valid = "h36m/valid.h5",
           .about = "vision.imar.ro/human3.6m; needs its pictures and poses",
           .licence = "academic use, no redistribution")
