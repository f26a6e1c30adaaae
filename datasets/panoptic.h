/* panoptic.h - CMU Panoptic Studio (Joo et al., TPAMI 2017): bodies in a dome, triangulated from 480 VGA and 31 HD cameras.
 *
 * 2D is the 3D projected, so nothing is known of what is hidden. */
GN_DATASET(panoptic,
           .has = GN_HAS_joints2d | GN_HAS_labelled2d | GN_HAS_confidence2d | GN_HAS_joints3d | GN_HAS_labelled3d | GN_HAS_depth | GN_HAS_camera | GN_HAS_pose_of_view,
           .holds = GN_HAS_joints2d | GN_HAS_labelled2d | GN_HAS_confidence2d | GN_HAS_joints3d | GN_HAS_labelled3d | GN_HAS_camera | GN_HAS_pose_of_view,
           .skeleton = &gn_panoptic19,
           .train = "panoptic/train.h5",
           .valid = "panoptic/valid.h5",
           .about = "domedb.perception.cs.cmu.edu; data import panoptic, a sequence at a time",
           .licence = "non-commercial research only")

/* Depth pictures of the ten Kinects in the dome, each with its own camera. */
GN_DATASET(kinoptic,
           .has = GN_HAS_joints2d | GN_HAS_labelled2d | GN_HAS_confidence2d | GN_HAS_joints3d | GN_HAS_labelled3d | GN_HAS_depth | GN_HAS_camera | GN_HAS_pose_of_view,
           .holds = GN_HAS_joints2d | GN_HAS_labelled2d | GN_HAS_confidence2d | GN_HAS_joints3d | GN_HAS_labelled3d | GN_HAS_camera | GN_HAS_pose_of_view,
           .skeleton = &gn_panoptic19,
           .train = "kinoptic/train.h5",
           .valid = "kinoptic/valid.h5",
           .about = "domedb.perception.cs.cmu.edu; data import kinoptic, a sequence at a time",
           .licence = "non-commercial research only")
