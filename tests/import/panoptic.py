"""panoptic.py FOLDER - a sequence with colour and depth cameras, as the owner's toolbox describes it, and what is to come of it.

No module but Python's own. expected.txt: a line a joint of body 4 in frame 10: camera, joint, x y z (metres, camera), u v (through the lens).
The owner's Python helper overwrites x before it computes y's tangential part; here, as in his MATLAB, it does not."""
import json
import math
import os
import struct
import sys

folder = sys.argv[1]
SEQ = "171026_pose3"


def mul(a, b):
    return [[sum(x * y for x, y in zip(row, col)) for col in zip(*b)] for row in a]


def turn(x, y, z):
    c, s = math.cos, math.sin
    rx = [[1, 0, 0], [0, c(x), -s(x)], [0, s(x), c(x)]]
    ry = [[c(y), 0, s(y)], [0, 1, 0], [-s(y), 0, c(y)]]
    rz = [[c(z), -s(z), 0], [s(z), c(z), 0], [0, 0, 1]]
    return mul(rz, mul(ry, rx))


def rigid(r, t):
    return [row + [d] for row, d in zip(r, t)] + [[0, 0, 0, 1]]


def inverse(m):
    r = [[m[k][i] for k in range(3)] for i in range(3)]
    return rigid(r, [-sum(r[i][k] * m[k][3] for k in range(3)) for i in range(3)])


def apply(m, p):
    return [sum(m[i][k] * p[k] for k in range(3)) + m[i][3] for i in range(3)]


def project(K, d, p):
    k1, k2, p1, p2, k3 = d
    x, y = p[0] / p[2], p[1] / p[2]
    r = x * x + y * y
    q = 1 + k1 * r + k2 * r ** 2 + k3 * r ** 3
    u, v = x * q + 2 * p1 * x * y + p2 * (r + 2 * x * x), y * q + 2 * p2 * x * y + p1 * (r + 2 * y * y)
    return K[0][0] * u + K[0][2], K[1][1] * v + K[1][2]


def camera(name, kind, size, f, d, r, t):
    K = [[f, 0, size[0] / 2 - 3.5], [0, f + 2, size[1] / 2 + 4.25], [0, 0, 1]]
    return {"name": name, "type": kind, "resolution": size, "panel": 0, "node": 1, "K": K, "distCoef": d, "R": r, "t": [[x] for x in t]}


barrel = [-0.28, 0.15, -0.0008, 0.0011, 0.02]
cameras = [camera("01_01", "vga", [640, 480], 745, barrel, turn(0, 0, 0), [0, 100, 300]),
           camera("00_03", "hd", [1920, 1080], 1630, barrel, turn(0.1, 2.5, 0.05), [12.5, 110, 380]),
           camera("50_01", "kinect-color", [1920, 1080], 1050, [0.04, -0.05, 0, 0, 0], turn(0, 1, 0), [0, 100, 300]),
           camera("50_02", "kinect-color", [1920, 1080], 1055, [0.04, -0.05, 0, 0, 0], turn(0.05, -0.4, 0.02), [-8, 95, 310])]

# cm, y down, floor at 0: neck nose pelvis; left shoulder elbow wrist hip knee ankle; right; eyes and ears
body = [(2, -145, 3), (0, -158, -8), (1, -90, 4), (-15, -144, 5), (-24, -118, 9), (-28, -95, 2), (-9, -90, 6), (-11, -47, 3), (-12, -6, 8),
        (19, -146, 1), (30, -120, -4), (33, -98, -14), (11, -90, 2), (13, -46, -6), (14, -5, 1), (-3, -161, -6), (-6, -160, 2), (4, -161, -7), (9, -160, 0)]
sure = [0.7 - 0.01 * j for j in range(19)]
sure[8], sure[17] = -1, 0.08  # absent; too unsure
body[8] = (0, 0, 0)


def scene(bodies):
    return {"version": 0.7, "univTime": 1.0, "fpsType": "hd_29_97",
            "bodies": [{"id": i, "joints19": [x for p, c in zip(b, sure) for x in (*p, c)]} for i, b in bodies]}


def write(name, data):
    path = f"{folder}/{SEQ}/{name}"
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb" if isinstance(data, bytes) else "w") as f:
        f.write(data if isinstance(data, (bytes, str)) else json.dumps(data))


far = [(x + 5000, y, z) for x, y, z in body]  # outside every picture
poses = "hdPose3d_stage1_coco19/body3DScene_%08d.json"
write(poses % 10, scene([(4, body), (7, far)]))
write(poses % 11, scene([]))
write(poses % 12, scene([(4, body)]))
write(f"calibration_{SEQ}.json", {"calibDataSource": "made", "cameras": cameras})

# Kinect 2: its own metres, from which M takes to its cameras
M_color, M_depth = rigid(turn(0.01, 0.02, -0.01), [0.052, -0.001, 0.003]), rigid(turn(-0.02, 0.01, 0.015), [0.001, 0.002, -0.001])
K_depth, d_depth = [[365.5, 0, 256.2], [0, 366.1, 205.7], [0, 0, 1]], [0.09, -0.27, 0.001, -0.0005, 0.09]
sensors = [{"K_depth": K_depth, "M_depth": M_depth, "distCoeffs_depth": d_depth, "K_color": cameras[3]["K"], "M_color": M_color,
            "distCoeffs_color": cameras[3]["distCoef"], "domeCenter": [0, 0, 2.5]} for _ in range(10)]
write(f"kcalibration_{SEQ}.json", {"sensors": sensors})

# HD frame h is of time hd[h + 1], counted from 0. Frame 10: depth 4 and colour 3, 2 ms apart. Frame 12: 9 ms apart, so none.
hd = [1000 + 33.3667 * i for i in range(20)]
depth_time = [hd[11] - 4 * 33.3667 + 3 + 33.3667 * i for i in range(6)] + [hd[13] + 8]
colour_time = [hd[11] - 3 * 33.3667 + 5 + 33.3667 * i for i in range(5)] + [hd[13] - 1]
node = {f"KINECTNODE{i + 1}": {"univ_time": depth_time} for i in range(10)}
ncol = {f"KINECTNODE{i + 1}": {"univ_time": colour_time} for i in range(10)}
write(f"synctables_{SEQ}.json", {"hd": {"univ_time": hd}})
write(f"ksynctables_{SEQ}.json", {"kinect": {"color": ncol, "depth": node}})

dome = rigid(cameras[3]["R"], [t[0] / 100 for t in cameras[3]["t"]])
to_depth = mul(M_depth, mul(inverse(M_color), dome))
hd_cm = rigid(cameras[1]["R"], [t[0] for t in cameras[1]["t"]])
picture = [[4500] * 512 for _ in range(424)]
lines = []
for j, p in enumerate(body):
    q = [x / 100 for x in apply(hd_cm, p)]
    lines.append("hd %d %.12g %.12g %.12g %.12g %.12g" % (j, *q, *project(cameras[1]["K"], barrel, q)))
for j, p in enumerate(body):
    q = apply(to_depth, [x / 100 for x in p])
    u, v = project(K_depth, d_depth, q)
    lines.append("depth %d %.12g %.12g %.12g %.12g %.12g" % (j, *q, u, v))
    if sure[j] > 0.1:
        for y in range(round(v) - 1, round(v) + 2):
            for x in range(round(u) - 1, round(u) + 2):
                picture[y][x] = round(1000 * q[2])
blank = struct.pack("<217088H", *[777] * 217088)
marked = b"".join(struct.pack("<512H", *row[::-1]) for row in picture)  # mirrored
write("kinect_shared_depth/KINECTNODE2/depthdata.dat", b"".join(marked if i == 4 else blank for i in range(6)) + blank)
write("expected.txt", "\n".join(lines) + "\n")
