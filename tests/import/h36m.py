"""h36m.py FOLDER - Human3.6M in the three forms that circulate, small, after their owners' descriptions: made-up people before
made-up cameras, projected with the published glass. truth.txt has what must come out; h36m_bad.py
makes what must be refused."""
import json
import os
import pickle
import struct
import sys
import zipfile
import zlib

try:
    import h5py
    import numpy as np
except ImportError:
    sys.exit(77)

root = sys.argv[1]
rng = np.random.default_rng(3)
NAMES = ["54138969", "55011271", "58860488", "60457274"]
SIZE = [(1000, 1002), (1000, 1000), (1000, 1000), (1000, 1002)]
F = [(1145.0494, 1143.7811), (1149.6756, 1147.5917), (1149.1407, 1148.7990), (1145.5114, 1144.7739)]
C = [(512.5415, 515.4515), (508.8486, 508.0649), (519.8158, 501.4026), (514.9682, 501.8820)]
K = [(-0.207099, 0.247775, -0.003075), (-0.194214, 0.240409, 0.006820), (-0.208338, 0.255488, -0.002460), (-0.198384, 0.218324, -0.008948)]
P = [(-0.000976, -0.001424), (-0.001619, -0.002741), (0.001484, -0.000760), (-0.000587, -0.001813)]
KEPT = [0, 1, 2, 3, 6, 7, 8, 12, 13, 14, 15, 17, 18, 19, 25, 26, 27]


def folder(name):
    os.makedirs(os.path.join(root, name), exist_ok=True)
    return os.path.join(root, name)


def look(subject, view):
    """A camera in a corner of the studio, z up, that looks at its middle: angles of Rx Ry Rz, and where it stands, metres."""
    at = np.array([(1.9, 4.9), (1.8, -5.1), (-1.8, 5.2), (-1.7, -3.8)][view] + (1.5,)) + 0.02 * subject * np.array([1, -1, 0.5])
    ahead = np.array([0.1, 0, 1.0]) - at
    ahead /= np.linalg.norm(ahead)
    right = np.cross(ahead, [0, 0, 1])
    right /= np.linalg.norm(right)
    down, roll = np.cross(ahead, right), 0.08 * (view - 1.4)
    R = np.stack([np.cos(roll) * right + np.sin(roll) * down, np.cos(roll) * down - np.sin(roll) * right, ahead])
    y = np.arcsin(R[0, 2])
    angles = np.array([np.arctan2(-R[1, 2], R[2, 2]), y, np.arctan2(-R[0, 1], R[0, 0])])
    return R, at, angles


def seen(X, view, swapped=False, glass=True):
    f, c, k, p = np.array(F[view]), np.array(C[view]), K[view], P[view]
    x = X[..., :2] / X[..., 2:]
    if not glass:
        return f * x + c
    r2 = (x**2).sum(-1, keepdims=True)
    order = np.array(p) if swapped else np.array(p)[::-1]
    q = 1 + k[0] * r2 + k[1] * r2**2 + k[2] * r2**3 + (x * order).sum(-1, keepdims=True)
    return f * (x * q + order * r2) + c


def person(frames, seed):
    """[frames 32 3] metres, z up: a stick figure that walks a little and turns."""
    rest = np.zeros((32, 3))
    body = {0: (0, 0, .95), 1: (-.13, 0, .94), 2: (-.13, .02, .5), 3: (-.13, 0, .08), 6: (.13, 0, .94), 7: (.13, .05, .5), 8: (.13, 0, .08), 12: (0, -.02, 1.2),
            13: (0, 0, 1.45), 14: (0, .07, 1.53), 15: (0, .02, 1.66), 17: (.16, 0, 1.43), 18: (.3, .02, 1.2), 19: (.35, .15, 1.0), 25: (-.16, 0, 1.43),
            26: (-.3, .05, 1.2), 27: (-.33, .2, 1.05)}
    for j, at in body.items():
        rest[j] = at
    t = np.arange(frames)[:, None]
    turn = seed + 0.03 * t[:, 0]
    R = np.zeros((frames, 3, 3))
    R[:, 0, 0] = R[:, 1, 1] = np.cos(turn)
    R[:, 1, 0], R[:, 0, 1], R[:, 2, 2] = np.sin(turn), -np.sin(turn), 1
    X = np.einsum("fij,kj->fki", R, rest)
    X[:, KEPT] += 0.004 * rng.standard_normal((frames, 17, 3))
    X[..., 0] += 0.3 * np.sin(seed + 0.1 * t)
    return X.astype("float32")


truth = open(os.path.join(root, "truth.txt"), "w")


def note(key, X, view):
    for j in (0, 3, 16):
        uv = seen(X[KEPT[j]] if len(X) == 32 else X[j], view, glass=False)
        x = X[KEPT[j]] if len(X) == 32 else X[j]
        print(key, j, *("%.6f" % v for v in (*x, *uv)), file=truth)


# --- VideoPose3D ---
takes = {"S1": {"Walking": 7, "Eating 1": 3}, "S5": {"Posing": 4}, "S9": {"Walking": 5}, "S11": {"Directions": 6, "Directions 1": 4}}
poses = {s: {a: person(n, 7 * i + k) for k, (a, n) in enumerate(v.items())} for i, (s, v) in enumerate(takes.items())}
gt, cpn = {}, {}
for s, actions in poses.items():
    gt[s], cpn[s] = {}, {}
    for a, X in actions.items():
        views = []
        for v in range(4):
            R, at, _ = look(int(s[1:]), v)
            views.append((X - at) @ R.T)
        gt[s][a] = [seen(x[:, KEPT], v, swapped=True).astype("float32") for v, x in enumerate(views)]
        cpn[s][a] = [np.concatenate([seen(x[:, KEPT], v) + 2 * rng.standard_normal((len(x), 17, 2))] * 2).astype("float32") for v, x in enumerate(views)]
        for v in (0, 3):
            note("vp/%s/%s/%d/2" % (s, a.replace(" ", "_"), v), views[v][2], v)
meta = {"num_joints": 17, "keypoints_symmetry": [[4, 5, 6, 11, 12, 13], [1, 2, 3, 14, 15, 16]]}


def cameras_h5(path):
    with h5py.File(path, "w") as f:
        for s in (1, 5, 6, 7, 8, 9, 11):
            for v in range(4):
                R, at, _ = look(s, v)
                g = f.create_group("subject%d/camera%d" % (s, v + 1))
                g["R"], g["T"] = R.T, 1000 * at[:, None]  # as MATLAB wrote it
                g["f"], g["c"], g["k"], g["p"] = np.array(F[v])[:, None], np.array(C[v])[:, None], np.array(K[v])[:, None], np.array(P[v])[:, None]
                g["Name"] = np.array([[ord(x)] for x in NAMES[v]], "u2")


def metadata_xml(path, values=300):
    w = np.zeros(300)
    for s in range(1, 12):
        for v in range(4):
            R, at, angles = look(s, v)
            w[6 * (v * 11 + s - 1):][:6] = [*angles, *(1000 * at)]
    for v in range(4):
        w[264 + 9 * v:][:9] = [*F[v], *C[v], *K[v], *P[v]]
    with open(path, "w") as f:
        f.write("<?xml version=\"1.0\"?>\n<db><frames>3</frames><w0>[%s]</w0></db>\n" % " ".join("%.12g" % x for x in w[:values]))


def source_py(path):
    with open(path, "w") as f:
        f.write("h36m_cameras_intrinsic_params = [{'id': '54138969'}]\n\nh36m_cameras_extrinsic_params = {\n")
        for s in range(1, 12):
            f.write("    'S%d': [\n" % s)
            for v in range(4):
                R, at, _ = look(s, v)
                w = np.sqrt(max(0, 1 + np.trace(R.T))) / 2  # the quaternion turns the other way
                q = [w, *((R.T[[2, 0, 1], [1, 2, 0]] - R.T[[1, 2, 0], [2, 0, 1]]) / (4 * w))]
                both = "\n            'orientation': [%s],\n            'translation': [%s],\n        " % (", ".join("%.15g" % x for x in q), ", ".join("%.12g" % x for x in 1000 * at))
                f.write("        {%s},\n" % (both if s in (1, 5, 9, 11) else ""))
            f.write("    ],\n")
        f.write("}\n\nclass Human36mDataset(MocapDataset):\n    def __init__(self, path):\n        self.x = 'center'\n")


def npz_of(path, name, pickled, packed=zipfile.ZIP_DEFLATED):
    head = b"{'descr': '|O', 'fortran_order': False, 'shape': (), }"
    head += b" " * (63 - (10 + len(head)) % 64) + b"\n"
    with zipfile.ZipFile(path, "w", packed) as z:
        with z.open(name + ".npy", "w", force_zip64=True) as f:
            f.write(b"\x93NUMPY\x01\0" + struct.pack("<H", len(head)) + head + pickled)


def boxed(x):
    a = np.empty((), object)
    a[()] = x
    return a


vp = folder("vp")
np.savez_compressed(vp + "/data_3d_h36m", positions_3d=poses)
np.savez_compressed(vp + "/data_2d_h36m_gt", positions_2d=gt, metadata=meta)
np.savez(vp + "/data_2d_h36m_cpn_ft_h36m_dbb", positions_2d=cpn, metadata=meta)
cameras_h5(vp + "/cameras.h5")
for kind, make in (("xml", lambda d: metadata_xml(d + "/metadata.xml")), ("py", lambda d: source_py(d + "/h36m_dataset.py")), ("none", lambda d: None)):
    d = folder("vp_" + kind)
    np.savez_compressed(d + "/data_3d_h36m", positions_3d=poses)
    make(d)
for kind, bytes_ in (("two", pickle.dumps(boxed(poses), 2)), ("four", pickle.dumps(boxed(poses), 4)), ("new", pickle.dumps(boxed(poses), 3).replace(b"numpy.core", b"numpy._core"))):
    d = folder("vp_" + kind)
    npz_of(d + "/data_3d_h36m.npz", "positions_3d", bytes_, zipfile.ZIP_STORED if kind == "two" else zipfile.ZIP_DEFLATED)
    cameras_h5(d + "/cameras.h5")
turned = {"S1": {"Walking": np.asfortranarray(poses["S1"]["Walking"].astype(">f8"))}}
np.savez(folder("vp_turned") + "/data_3d_h36m", positions_3d=turned)
cameras_h5(root + "/vp_turned/cameras.h5")


# --- arrays of every kind; an archive whose sizes are all in ZIP64's fields ---
x = np.arange(24).reshape(4, 3, 2) / 4 - 1
whole = np.arange(-12, 12).reshape(4, 3, 2)
np.savez(root + "/kinds", **{k.replace(">", "big_"): x.astype(k) for k in ("f2", "f4", "f8", ">f2", ">f4", ">f8")},
         **{k.replace(">", "big_"): whole.astype(k) for k in ("i1", "i2", "i4", "i8", ">i2", ">i8")}, **{k: (whole + 12).astype(k) for k in ("u1", "u2", "u4", "u8")},
         b1=x > 0, turned=np.asfortranarray(x), one=np.float32(2.5), odd=np.array([np.inf, -np.inf, np.nan, 6e-8, 65504], "f2"))


def zip64(path, name, data):
    name, crc = name.encode(), zlib.crc32(data)
    local = struct.pack("<IHHHHHIIIHH", 0x04034b50, 45, 0, 0, 0, 0, crc, 0xffffffff, 0xffffffff, len(name), 20) + name + struct.pack("<HHQQ", 1, 16, len(data), len(data))
    entry = struct.pack("<IHHHHHHIIIHHHHHII", 0x02014b50, 45, 45, 0, 0, 0, 0, crc, 0xffffffff, 0xffffffff, len(name), 28, 0, 0, 0, 0, 0xffffffff) + name
    entry += struct.pack("<HHQQQ", 1, 24, len(data), len(data), 0)
    at = len(local) + len(data)
    end = struct.pack("<IQHHIIQQQQ", 0x06064b50, 44, 45, 45, 0, 0, 1, 1, len(entry), at) + struct.pack("<IIQI", 0x07064b50, 0, at + len(entry), 1)
    with open(path, "wb") as f:
        f.write(local + data + entry + end + struct.pack("<IHHHHIIH", 0x06054b50, 0, 0, 0xffff, 0xffff, 0xffffffff, 0xffffffff, 4) + b"note")


zip64(root + "/wide.npz", "x.npy", zipfile.ZipFile(root + "/kinds.npz").read("f4.npy"))


# --- h36m-fetch ---
def annot(path, s, X, frames, universal=False, part=None):
    cols = {k: [] for k in ("pose/2d", "pose/3d", "pose/3d-univ", "frame", "camera", "subject", "action", "subaction")}
    with h5py.File(path, "w") as f:
        for v in range(4):
            R, at, _ = look(s, v)
            x = (X - at) @ R.T
            cols["pose/2d"].append(seen(x, v, glass=not universal))
            cols["pose/3d"].append(1000 * x)
            cols["pose/3d-univ"].append(1000 * x * (1 if universal else 0.93))
            cols["frame"].append(1 + 5 * np.arange(frames))
            for k, value in (("camera", int(NAMES[v])), ("subject", s), ("action", 2), ("subaction", part or 1)):
                cols[k].append(np.full(frames, value))
            f["intrinsics/" + NAMES[v]] = np.array([F[v][0], C[v][0], F[v][1], C[v][1]])
            note("fetch/S%d/%d/2" % (s, v), x[2], v)
        for k, v in cols.items():
            if not (k == "subaction" and part is None) and not (k == "pose/3d" and universal):
                f[k] = np.concatenate(v)


annot(folder("fetch/S1/Walking-1") + "/annot.h5", 1, person(6, 2), 6)
annot(folder("fetch/S9/Eating") + "/annot.h5", 9, person(4, 3), 4, universal=True)
annot(folder("fetch/S11/Directions-2") + "/annot.h5", 11, person(3, 4), 3, part=2)


# --- Moon ---
def moon(name, s, parts, origin=True):
    images, notes, joints, cameras = [], [], {}, {}
    for v in range(4):
        R, at, _ = look(s, v)
        cameras[str(v + 1)] = {"R": R.tolist(), "t": (1000 * (-R @ at if origin else at)).tolist(), "f": F[v], "c": C[v]}
    for (action, part), n in parts.items():
        X = person(n, action + part)[:, KEPT]
        for frame in range(n):
            joints.setdefault(str(action), {}).setdefault(str(part), {})[str(frame)] = (1000 * X[frame]).tolist()
        for v in range(4):
            R, at, _ = look(s, v)
            x = (X - at) @ R.T
            for frame in range(n):
                uv = seen(x[frame], v)
                low, high = uv.min(0) - 20, uv.max(0) + 20
                images.append({"id": len(images), "file_name": "s_%02d_act_%02d_subact_%02d_ca_%02d/x_%06d.jpg" % (s, action, part, v + 1, frame + 1), "width": SIZE[v][0], "height": SIZE[v][1],
                               "subject": s, "action_name": "x", "action_idx": action, "subaction_idx": part, "cam_idx": v + 1, "frame_idx": frame})
                notes.append({"id": len(notes), "image_id": len(images) - 1, "bbox": [*low, *(high - low)]})
            note("%s/S%d/%d.%d/%d/2" % (name, s, action, part, v), x[2], v)
    base = folder(name) + "/Human36M_subject%d" % s
    for end, what in (("data", {"images": images, "annotations": notes}), ("camera", cameras), ("joint_3d", joints)):
        json.dump(what, open("%s_%s.json" % (base, end), "w"))


moon("moon", 1, {(2, 1): 6, (3, 2): 5})
moon("moon", 9, {(5, 1): 4})
moon("moon", 11, {(2, 1): 3, (2, 2): 4})
moon("moon_place", 9, {(5, 1): 4}, origin=False)
truth.close()
truth = open(os.devnull, "w")  # for h36m_bad.py
