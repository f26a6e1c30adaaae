"""mpi_inf_3dhp.py FOLDER - S1/Seq1 before 14 cameras (MATLAB 5), TS1 and TS5 (7.3, which is HDF5), pictures of some of it.

Pictures are small, and the cameras too: their size stands in camera.calibration. Two rows have no picture."""
import os
from people import *

folder = sys.argv[1]
ROWS, SIDE = 5, 200


def row(m):
    return " ".join("%.7g" % x for x in np.asarray(m).reshape(-1))


cameras = []
for i in range(14):
    a = .3 * (i - 4)
    R = np.array([[np.cos(a), 0, np.sin(a)], [0, 1, 0], [-np.sin(a), 0, np.cos(a)]])
    cameras.append((R, np.array([.1 * i - .3, .05, 4 + .1 * i]), 150. + i, 151. + i, 100.5 + i, 99. - i))
os.makedirs(folder + "/S1/Seq1")
with open(folder + "/S1/Seq1/camera.calibration", "w") as f:
    f.write("Skeletool Camera Calibration File V1.0\n")
    for i, (R, t, fx, fy, cx, cy) in enumerate(cameras):
        K, M = np.eye(4), np.eye(4)
        K[0, 0], K[1, 1], K[0, 2], K[1, 2] = fx, fy, cx, cy
        M[:3, :3], M[:3, 3] = R, 1000 * t
        f.write(f"name          {i}\n  sensor      10 10\n  size        {SIDE} {SIDE}\n  animated    0\n  intrinsic   {row(K)} \n  extrinsic   {row(M)} \n  radial      0\n")
world = np.array([person(i, (0, 0, 0)) for i in range(ROWS)])
annot2, annot3 = np.empty((14, 1), object), np.empty((14, 1), object)
for i, (R, t, fx, fy, cx, cy) in enumerate(cameras):
    xyz = world @ R.T + t
    uv = project(xyz, (fx, fy), (cx, cy))
    annot2[i, 0], annot3[i, 0] = uv.reshape(ROWS, 56), 1000 * xyz.reshape(ROWS, 84)
    os.makedirs(f"{folder}/S1/Seq1/imageFrames/video_{i}")
    for k in range(ROWS - 2):
        picture(f"{folder}/S1/Seq1/imageFrames/video_{i}/frame_{k + 1:06d}.jpg", SIDE, SIDE, [uv[k]])
scipy.io.savemat(folder + "/S1/Seq1/annot.mat", {"annot2": annot2, "annot3": annot3, "univ_annot3": annot3, "frames": np.arange(ROWS)[:, None], "cameras": np.arange(14)})

for ts, (f, c) in {1: ((1500., 1502.), (1020., 1030.)), 5: ((1700., 1699.), (950., 530.))}.items():
    os.makedirs(f"{folder}/TS{ts}/imageSequence")
    xyz = np.array([person(100 * ts + i, (.1 * i, 0, 4 + .3 * i)) for i in range(4)])[:, MPI17]
    uv = project(xyz, f, c)
    for i in range(4):
        picture(f"{folder}/TS{ts}/imageSequence/img_{i + 1:06d}.jpg", 2048 if ts == 1 else 1920, 2048 if ts == 1 else 1080, [uv[i]])
    with h5py.File(f"{folder}/TS{ts}/annot_data.mat", "w", userblock_size=512) as h:
        for name, value in {"annot2": uv[:, None], "annot3": 1000 * xyz[:, None], "univ_annot3": 900 * xyz[:, None], "valid_frame": np.array([[1.], [0.], [1.], [1.]]),
                            "activity_annotation": np.ones((4, 1)), "bb_crop": np.zeros((4, 34))}.items():
            h[name] = value
            h[name].attrs["MATLAB_class"] = np.bytes_("double")
