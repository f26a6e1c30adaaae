/* puppet.h - the made world: two domains with one generator, so that what is learnt in one can be asked in the other. */
#define PUPPET_2D (GN_HAS_joints2d | GN_HAS_labelled2d | GN_HAS_occluded2d | GN_HAS_head_size)
#define PUPPET_3D (GN_HAS_joints3d | GN_HAS_labelled3d | GN_HAS_camera | GN_HAS_pose_of_view)

GN_DATASET(puppet_lab,
           .has = PUPPET_2D | PUPPET_3D | GN_HAS_depth,
           .holds = PUPPET_2D | PUPPET_3D,
           .skeleton = &gn_mpii16,
           .train = "puppet_lab/train.h5",
           .valid = "puppet_lab/valid.h5",
           .about = "made by this program: few people, a plain studio, 3D labels",
           .licence = "free of any: `gnomon data make` draws it from a seed",
           .made = 1)

/* 3D is in the shards for evaluation; no loss sees it. */
GN_DATASET(puppet_wild,
           .has = PUPPET_2D,
           .holds = PUPPET_2D | PUPPET_3D,
           .skeleton = &gn_mpii16,
           .train = "puppet_wild/train.h5",
           .valid = "puppet_wild/valid.h5",
           .about = "made by this program: many people, clutter, changing light; 2D labels, 3D for evaluation alone",
           .licence = "free of any: `gnomon data make` draws it from a seed",
           .made = 1)

GN_DATASET(puppet_poses,
           .has = PUPPET_2D | PUPPET_3D,
           .holds = PUPPET_2D | PUPPET_3D,
           .skeleton = &gn_mpii16,
           .train = "puppet_poses/train.h5",
           .valid = "puppet_poses/valid.h5",
           .about = "made by this program: poses before calibrated cameras, no pictures; any body, moved by data.motion",
           .licence = "free of any: `gnomon data make` draws it from a seed; motion is under its owner's",
           .made = 1)

#undef PUPPET_2D
#undef PUPPET_3D
