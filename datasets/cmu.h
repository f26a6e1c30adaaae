/* cmu.h - CMU Graphics Lab motion capture as BVH: people who walk, jump, dance, before virtual cameras.
 *
 * In cgspeed's release for Daz all have one body; no spine, nose or head top of Human3.6M's is among its joints. */
GN_DATASET(cmu,
           .has = GN_HAS_joints2d | GN_HAS_labelled2d | GN_HAS_joints3d | GN_HAS_labelled3d | GN_HAS_depth | GN_HAS_camera | GN_HAS_pose_of_view,
           .holds = GN_HAS_joints2d | GN_HAS_labelled2d | GN_HAS_joints3d | GN_HAS_labelled3d | GN_HAS_camera | GN_HAS_pose_of_view,
           .skeleton = &gn_h36m17,
           .train = "cmu/train.h5",
           .valid = "cmu/valid.h5",
           .about = "mocap.cs.cmu.edu; data import bvh, from cgspeed's conversions",
           .licence = "free for all uses; may not be resold")
