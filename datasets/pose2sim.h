/* pose2sim.h - the demonstration session of Pose2Sim (Pagnon et al., JOSS 2022): four calibrated cameras, OpenPose BODY_25B.
 *
 * 2D are a detector's answers, 3D is triangulated from them at import. */
GN_DATASET(pose2sim,
           .has = GN_HAS_joints2d | GN_HAS_labelled2d | GN_HAS_confidence2d | GN_HAS_joints3d | GN_HAS_labelled3d | GN_HAS_camera | GN_HAS_pose_of_view,
           .holds = GN_HAS_joints2d | GN_HAS_labelled2d | GN_HAS_confidence2d | GN_HAS_joints3d | GN_HAS_labelled3d | GN_HAS_camera | GN_HAS_pose_of_view,
           .skeleton = &gn_body25b,
           .train = "pose2sim/train.h5",
           .valid = "pose2sim/valid.h5",
           .about = "github.com/perfanalytics/pose2sim; data import pose2sim",
           .licence = "BSD 3-clause")
