/* mpi_inf_3dhp.h - MPI-INF-3DHP (Mehta et al., 3DV 2017): eight people before a green screen, eight cameras used; six test
 * sequences, two of them outdoors.
 *
 * Views of one moment are a group. The test set has 17 of the 28 joints and is a set of its own, for validation. */
#define MPI_3D (GN_HAS_joints2d | GN_HAS_labelled2d | GN_HAS_joints3d | GN_HAS_labelled3d | GN_HAS_camera)
GN_DATASET(mpi_inf_3dhp,
           .has = MPI_3D | GN_HAS_pose_of_view | GN_HAS_depth,
           .holds = MPI_3D | GN_HAS_pose_of_view,
           .skeleton = &gn_mpi28,
           .train = "mpi_inf_3dhp/train.h5",
           .valid = "mpi_inf_3dhp/valid.h5",
           .about = "vcai.mpi-inf.mpg.de/3dhp-dataset; data import mpi_inf_3dhp, from S1 to S8: train alone",
           .licence = "research alone, no redistribution")

GN_DATASET(mpi_inf_3dhp_test,
           .has = MPI_3D | GN_HAS_depth,
           .holds = MPI_3D,
           .skeleton = &gn_mpi17,
           .train = "mpi_inf_3dhp_test/train.h5",
           .valid = "mpi_inf_3dhp_test/valid.h5",
           .about = "vcai.mpi-inf.mpg.de/3dhp-dataset; data import mpi_inf_3dhp_test, from TS1 to TS6: valid alone",
           .licence = "research alone, no redistribution")
#undef MPI_3D
