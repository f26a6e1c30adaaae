/* h36m.h - Human3.6M (Ionescu et al., TPAMI 2014): eleven people in a studio, four cameras, motion capture.
 *
 * The 17 of its 32 joints that move. Subjects 1, 5, 6, 7, 8 train; 9 and 11 are for validation. The cameras of one moment are a group;
 * where they stand is known of VideoPose3D's and Moon's files, not of h36m-fetch's. */
GN_DATASET(h36m,
           .has = GN_HAS_joints2d | GN_HAS_labelled2d | GN_HAS_joints3d | GN_HAS_labelled3d | GN_HAS_depth | GN_HAS_camera,
           .holds = GN_HAS_joints2d | GN_HAS_labelled2d | GN_HAS_joints3d | GN_HAS_labelled3d | GN_HAS_camera,
           .skeleton = &gn_h36m17,
           .train = "h36m/train.h5",
           .valid = "h36m/valid.h5",
           .about = "vision.imar.ro/human3.6m; data import h36m, from the files of VideoPose3D, h36m-fetch or Moon",
           .licence = "academic use, no redistribution")
