"""itop.py FOLDER - ITOP's HDF5, as its owners describe it: float16 metres, y up, int16 pixels, labels of some rows unchecked."""
from people import *

folder = sys.argv[1]


def rows(n, first):
    names, valid, xyz, uv, seen, depth = [], [], [], [], [], []
    for i in range(n):
        joints = person(first + i, (.1, -.1, 3))[[MPI28.index(j) for j in ITOP15]] * [1, -1, 1]
        joints = joints.astype("f2").astype("f8")
        at = np.stack([160 + joints[:, 0] / (.0035 * joints[:, 2]), 120 - joints[:, 1] / (.0035 * joints[:, 2])], -1)
        image = np.full((240, 320), 4.5)
        image[:20] = 0  # no reading
        for (u, v), z in zip(np.rint(at).astype(int), joints[:, 2]):
            image[max(v - 4, 0):v + 5, max(u - 4, 0):u + 5] = z
        names.append(b"%02d_%05d" % (first, 10 + i))
        valid.append(i != 1)
        xyz.append(joints), uv.append(np.rint(at)), seen.append((np.arange(15) + i) % 4 != 0), depth.append(image)
    return names, valid, xyz, uv, seen, depth


def write(view, split, n, first):
    names, valid, xyz, uv, seen, depth = rows(n, first)
    with h5py.File(f"{folder}/ITOP_{view}_{split}_labels.h5", "w") as f:
        f["id"], f["is_valid"], f["visible_joints"] = np.array(names), np.uint8(valid), np.int16(seen)
        f["image_coordinates"], f["real_world_coordinates"] = np.int16(uv), np.array(xyz, "f2")
        f["segmentation"] = np.full((n, 240, 320), -1, "i1")
    with h5py.File(f"{folder}/ITOP_{view}_{split}_depth_map.h5", "w") as f:
        f["id"] = np.array(names)
        f.create_dataset("data", data=np.array(depth, "f2"), compression="gzip", chunks=(1, 240, 320))


write("side", "train", 6, 7)
write("side", "test", 4, 2)
