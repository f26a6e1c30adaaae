/* mupots.h - MuPoTS-3D (Mehta et al., 3DV 2018): twenty sequences of up to three people, indoors and out; for tests alone.
 *
 * A sample a person; those of one picture follow each other and have its take and frame. */
GN_DATASET(mupots,
           .has = GN_HAS_joints2d | GN_HAS_labelled2d | GN_HAS_occluded2d | GN_HAS_joints3d | GN_HAS_labelled3d | GN_HAS_depth | GN_HAS_camera,
           .holds = GN_HAS_joints2d | GN_HAS_labelled2d | GN_HAS_occluded2d | GN_HAS_joints3d | GN_HAS_labelled3d | GN_HAS_camera,
           .skeleton = &gn_mpi17,
           .train = "mupots/train.h5",
           .valid = "mupots/valid.h5",
           .about = "vcai.mpi-inf.mpg.de/projects/SingleShotMultiPerson; data import mupots, from TS1 to TS20 or MuPoTS-3D.json: valid alone",
           .licence = "research alone, no redistribution")
