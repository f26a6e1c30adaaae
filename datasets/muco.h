/* muco.h - MuCo-3DHP (Mehta et al., 3DV 2018): up to four people of MPI-INF-3DHP put into one picture, a sample a person. */
GN_DATASET(muco,
           .has = GN_HAS_joints2d | GN_HAS_labelled2d | GN_HAS_occluded2d | GN_HAS_joints3d | GN_HAS_labelled3d | GN_HAS_depth | GN_HAS_camera,
           .holds = GN_HAS_joints2d | GN_HAS_labelled2d | GN_HAS_occluded2d | GN_HAS_joints3d | GN_HAS_labelled3d | GN_HAS_camera,
           .skeleton = &gn_muco21,
           .train = "muco/train.h5",
           .valid = "muco/valid.h5",
           .about = "vcai.mpi-inf.mpg.de/projects/SingleShotMultiPerson; data import muco, from MuCo-3DHP.json: train alone",
           .licence = "research alone, no redistribution")
