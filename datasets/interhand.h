/* interhand.h - InterHand2.6M (Moon et al., ECCV 2020): two hands in a dome of cameras, a sample a hand and view.
 *
 * Views of one hand at one moment are a group. Validation is its val and test files. */
GN_DATASET(interhand,
           .has = GN_HAS_joints2d | GN_HAS_labelled2d | GN_HAS_joints3d | GN_HAS_labelled3d | GN_HAS_depth | GN_HAS_camera | GN_HAS_pose_of_view,
           .holds = GN_HAS_joints2d | GN_HAS_labelled2d | GN_HAS_joints3d | GN_HAS_labelled3d | GN_HAS_camera | GN_HAS_pose_of_view,
           .skeleton = &gn_hand21,
           .train = "interhand/train.h5",
           .valid = "interhand/valid.h5",
           .about = "mks0601.github.io/InterHand2.6M; data import interhand",
           .licence = "CC BY-NC 4.0")
