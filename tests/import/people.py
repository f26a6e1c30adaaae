"""people.py - a person of 28 joints before a camera, and pictures of such, for the scripts beside it."""
import struct
import sys
import zlib

try:
    import h5py
    import numpy as np
    import scipy.io
except ImportError:
    sys.exit(77)

MPI28 = """spine3 spine4 spine2 spine pelvis neck head head_top l_clavicle l_shoulder l_elbow l_wrist l_hand r_clavicle r_shoulder r_elbow
r_wrist r_hand l_hip l_knee l_ankle l_foot l_toe r_hip r_knee r_ankle r_foot r_toe""".split()
MPI17 = [7, 5, 14, 15, 16, 9, 10, 11, 23, 24, 25, 18, 19, 20, 4, 3, 6]  # of the 28, by the owner
MUCO21 = MPI17 + [17, 12, 27, 22]
ITOP15 = ["head", "neck", "r_shoulder", "l_shoulder", "r_elbow", "l_elbow", "r_hand", "l_hand", "spine2", "r_hip", "l_hip", "r_knee", "l_knee", "r_foot", "l_foot"]
MPII16 = ["r_ankle", "r_knee", "r_hip", "l_hip", "l_knee", "l_ankle", "pelvis", "spine4", "neck", "head_top", "r_wrist", "r_elbow", "r_shoulder", "l_shoulder", "l_elbow", "l_wrist"]


def direction(down, out, forth):
    v = np.array([out, down, -forth])
    return v / np.linalg.norm(v)


def person(seed, place=(0, 0, 4)):
    """[28 3] metres, camera axes; the person looks at the camera, so left is at greater x."""
    r = np.random.default_rng(seed)
    p = {"pelvis": np.zeros(3), "spine": np.array([0, -.12, 0]), "spine2": np.array([0, -.24, 0]), "spine3": np.array([0, -.36, 0]),
         "spine4": np.array([0, -.46, 0]), "neck": np.array([0, -.54, 0]), "head": np.array([0, -.62, -.03]), "head_top": np.array([0, -.80, -.02])}
    for side, s in (("l_", 1), ("r_", -1)):
        p[side + "hip"] = np.array([s * .11, .02, 0])
        thigh = direction(1, s * r.uniform(0, .4), r.uniform(-.3, .6))
        p[side + "knee"] = p[side + "hip"] + .45 * thigh
        p[side + "ankle"] = p[side + "knee"] + .44 * direction(1, s * .05, r.uniform(-.5, 0))
        p[side + "foot"] = p[side + "ankle"] + np.array([0, .06, -.10])
        p[side + "toe"] = p[side + "foot"] + np.array([s * .01, .02, -.07])
        p[side + "clavicle"] = np.array([s * .03, -.50, 0])
        p[side + "shoulder"] = np.array([s * .18, -.50, 0])
        p[side + "elbow"] = p[side + "shoulder"] + .29 * direction(r.uniform(-.2, 1), s * r.uniform(.2, 1), r.uniform(-.3, .5))
        fore = direction(r.uniform(-1, 1), s * r.uniform(-.2, .8), r.uniform(0, 1))
        p[side + "wrist"] = p[side + "elbow"] + .25 * fore
        p[side + "hand"] = p[side + "wrist"] + .08 * fore
    turn = r.uniform(-.8, .8)
    c, s = np.cos(turn), np.sin(turn)
    return np.array([p[name] for name in MPI28]) @ np.array([[c, 0, -s], [0, 1, 0], [s, 0, c]]) + place


def project(xyz, f, c):
    return np.asarray(f) * xyz[..., :2] / xyz[..., 2:] + np.asarray(c)


def picture(path, w, h, people):
    """A PNG, whatever its name: grey, each joint a white spot of 3 x 3 pixels."""
    rgb = np.full((h, w, 3), 90, np.uint8)
    for uv in people:
        for u, v in np.rint(uv).astype(int):
            rgb[max(v - 1, 0):max(v + 2, 0), max(u - 1, 0):max(u + 2, 0)] = 255
    rows = b"".join(b"\0" + row.tobytes() for row in rgb)
    def part(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    with open(path, "wb") as f:
        f.write(b"\x89PNG\r\n\x1a\n" + part(b"IHDR", struct.pack(">IIBBBBB", w, h, 8, 2, 0, 0, 0)) + part(b"IDAT", zlib.compress(rows, 1)) + part(b"IEND", b""))


def cells(rows, columns, of):
    to = np.empty((rows, columns), object)
    for i in range(rows):
        for k in range(columns):
            to[i, k] = of(i, k)
    return to
