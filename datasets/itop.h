/* itop.h - ITOP (Haque et al., ECCV 2016): depth pictures of one person, twenty people, from the side or from above.
 *
 * One view a folder: what is imported there says which. Joints that the sensor does not see are hidden, not missing; its
 * skeleton has a torso for a pelvis, hands and feet for wrists and ankles. */
GN_DATASET(itop,
           .has = GN_HAS_joints2d | GN_HAS_labelled2d | GN_HAS_occluded2d | GN_HAS_joints3d | GN_HAS_labelled3d | GN_HAS_depth | GN_HAS_camera,
           .holds = GN_HAS_joints2d | GN_HAS_labelled2d | GN_HAS_occluded2d | GN_HAS_joints3d | GN_HAS_labelled3d | GN_HAS_camera,
           .skeleton = &gn_itop15,
           .train = "itop/train.h5",
           .valid = "itop/valid.h5",
           .about = "zenodo.org record 3932973; data import itop, from ITOP_side_train_labels.h5 and what lies beside it",
           .licence = "as the record says")
