"""mpii.py FOLDER - three people of MPII in the owner's MATLAB struct RELEASE, with the empty and textual is_visible it has, and
the same people as HRNet's JSON and as pose-hg-train's HDF5 with character codes for names."""
import json
import os
from people import *

folder = sys.argv[1]
for name in ("mat", "json", "h5/images"):
    os.makedirs(f"{folder}/{name}")


def struct_of(**fields):
    s = np.zeros((1, 1), [(name, object) for name in fields])
    s[0, 0] = tuple(fields.values())
    return s


def many(rows):
    s = np.zeros((1, len(rows)), rows[0].dtype)
    for i, row in enumerate(rows):
        s[0, i] = row[0, 0]
    return s


names = ["000000101.jpg", "000000102.jpg", "000000103.jpg", "000000104.jpg"]
xy = [project(person(20 + i, (0, 0, 3 + .5 * i))[[MPI28.index(j) for j in MPII16]], (900, 900), (640, 360)) + 1 for i in range(3)]  # counted from 1
middle = [p.mean(0) for p in xy]
boxes = [np.array([p[9, 0] - 20, p[9, 1], p[9, 0] + 30, p[9, 1] + 60 + 5 * i]) for i, p in enumerate(xy)]
head = [.6 * np.hypot(b[2] - b[0], b[3] - b[1]) for b in boxes]
scale = [h / 25 for h in head]
picture(folder + "/h5/images/" + names[0], 1280, 720, [xy[0] - 1])


def rect(i):
    points = []
    for j in range(16):
        if i == 1 and j in (0, 5):
            continue  # not annotated
        visible = np.zeros((0, 0)) if j in (8, 9) else ("0" if j == 10 else "1") if i == 0 else np.array(float(j != 10))
        points.append(struct_of(x=xy[i][j, 0], y=xy[i][j, 1], id=float(j), is_visible=visible))
    b = boxes[i]
    return struct_of(x1=b[0], y1=b[1], x2=b[2], y2=b[3], annopoints=struct_of(point=many(points)), scale=scale[i], objpos=struct_of(x=middle[i][0], y=middle[i][1]))


bare = struct_of(x1=1., y1=2., x2=3., y2=4., annopoints=np.zeros((0, 0)), scale=np.zeros((0, 0)), objpos=np.zeros((0, 0)))
annolist = many([struct_of(image=struct_of(name=names[0]), annorect=many([rect(0), bare, rect(1)]), vididx=1.),
                 struct_of(image=struct_of(name=names[1]), annorect=rect(2), vididx=1.),
                 struct_of(image=struct_of(name=names[2]), annorect=np.zeros((0, 0)), vididx=1.),
                 struct_of(image=struct_of(name=names[3]), annorect=rect(2), vididx=1.)])
release = struct_of(annolist=annolist, img_train=np.array([[1., 1., 1., 0.]]), version="12")
scipy.io.savemat(folder + "/mat/mpii_human_pose_v1_u12_1.mat", {"RELEASE": release}, do_compression=True)

whose = [names[0], names[0], names[1]]
present = [[not (i == 1 and j in (0, 5)) for j in range(16)] for i in range(3)]
json.dump([{"image": whose[i], "center": middle[i].tolist(), "scale": scale[i], "joints_vis": [int(k or j == 5) for j, k in enumerate(present[i])],
            "joints": [p.tolist() if k else [-1., -1.] for p, k in zip(xy[i], present[i])]} for i in range(3)], open(folder + "/json/train.json", "w"))


def write_h5(path, rows):
    with h5py.File(path, "w") as f:
        codes = np.zeros((len(rows), 16))
        for k, i in enumerate(rows):
            codes[k, : len(whose[i])] = [ord(c) for c in whose[i]]
        f["imgname"], f["center"] = codes, np.array([middle[i] + [0, 15 * scale[i]] for i in rows])
        f["scale"], f["normalize"] = np.array([1.25 * scale[i] for i in rows]), np.array([head[i] for i in rows])
        f["part"] = np.array([xy[i] * np.array(present[i])[:, None] for i in rows])
        f["visible"] = np.array([[float(k and j != 10) for j, k in enumerate(present[i])] for i in rows])
        f["person"], f["index"] = np.array([0., 2., 0.])[rows], np.zeros(len(rows))


write_h5(folder + "/h5/train.h5", [0, 1])
write_h5(folder + "/h5/valid.h5", [2])
write_h5(folder + "/mat/valid.h5", [2])
json.dump([{"image": "x.jpg", "center": [1, 2], "scale": 1, "joints": [[0, 0]] * 15, "joints_vis": [1] * 16}], open(folder + "/json/bad.json", "w"))
