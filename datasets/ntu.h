/* ntu.h - NTU RGB+D 60 and 120 (Shahroudy et al., CVPR 2016; Liu et al., TPAMI 2020): actions before a Kinect v2, depth pictures.
 *
 * Joints are the sensor's, those it tracks. The cross-subject split: 53 of the 106 performers train. */
GN_DATASET(ntu,
           .has = GN_HAS_joints2d | GN_HAS_labelled2d | GN_HAS_joints3d | GN_HAS_labelled3d | GN_HAS_depth | GN_HAS_camera,
           .holds = GN_HAS_joints2d | GN_HAS_labelled2d | GN_HAS_joints3d | GN_HAS_labelled3d | GN_HAS_camera,
           .skeleton = &gn_kinect25,
           .train = "ntu/train.h5",
           .valid = "ntu/valid.h5",
           .about = "rose1.ntu.edu.sg/dataset/actionRecognition; data import ntu",
           .licence = "academic use, no redistribution")
