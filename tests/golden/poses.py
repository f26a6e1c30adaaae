#!/usr/bin/env python3
"""Nine real poses for the metrics' tests: python3 tests/golden/poses.py > tests/golden/poses.h

Reads the files itself, with Python alone, so that an error of our importers cannot hide. They are looked for in GN_DATA,
or beside the repository in shared/data. Every script here takes --check: compare with what is committed instead of writing
it; 77: what it needs is not here.
Joints go into MPII's order where the sensors have them; camera frame, x right, y down, z forward, metres."""
import csv
import os
import pathlib
import re
import struct
import sys

HERE = pathlib.Path(__file__).resolve().parent
DATA = pathlib.Path(os.environ.get("GN_DATA") or HERE.parents[2] / "shared/data")
KINECT = "kinect_v2_csv/Ges0%s.csv"
ITOP = "itop/itop_side_keypoints3D_test.mat"
TRC = "pose2sim/S00_P00_T01_BalancingTrial/pose-3d/S00_P00_T01_BalancingTrial_0-100_filt_butterworth.trc"
HEAD = """/* Made by poses.py: nine poses of 16 joints in MPII's order; camera frame, metres. From
 * Kinect v2 body tracking, microsoft/LabanotationSuite, Copyright (c) Microsoft Corporation, MIT licence;
 * ITOP side view, test labels, zhangboshen/A2J, Copyright (c) 2019 Boshen Zhang, MIT licence;
 * Pose2Sim's balancing trial, perfanalytics/pose2sim, Copyright (c) 2022 perfanalytics, BSD 3-Clause. */"""


def middle(a, b):
    return [(x + y) / 2 for x, y in zip(a, b)]


def kinect(name, row):
    """100 ns, then 25 x (x to the sensor's left, y up, z away, state)."""
    line = list(csv.reader(open(DATA / (KINECT % name))))[row]
    at = [[float(v) for v in line[1 + 4 * j : 4 + 4 * j]] for j in range(25)]
    joints = [at[j] for j in (18, 17, 16, 12, 13, 14, 0, 20, 2, 3, 10, 9, 8, 4, 5, 6)]
    return [(-x, -y, z) for x, y, z in joints]


def itop(row):
    """MATLAB v5: the one element is a matrix [N 15 3] of float32, columns first; x right, y up, z away."""
    raw = (DATA / ITOP).read_bytes()
    at, shape = 128 + 8, None
    while True:
        kind, size = struct.unpack_from("<II", raw, at)
        if kind >> 16:  # four bytes or fewer lie in the tag
            kind, size, skip = kind & 0xFFFF, kind >> 16, 8
        else:
            skip = 8 + (size + 7) // 8 * 8
        if kind == 5:
            shape = struct.unpack_from("<3i", raw, at + 8)
        if kind == 7:
            break
        at += skip
    n = shape[0]
    p = [[struct.unpack_from("<f", raw, at + 8 + 4 * (row + n * (j + 15 * k)))[0] for k in range(3)] for j in range(15)]
    joints = [p[13], p[11], p[9], p[10], p[12], p[14], middle(p[9], p[10]), middle(p[2], p[3]), p[1], p[0], p[6], p[4],
              p[2], p[3], p[5], p[7]]
    return [(x, -y, z) for x, y, z in joints]


def trc(frame):
    """y up, metres; a camera is put where it sees the person from 4 m before the origin, 1 m high."""
    lines = open(DATA / TRC).read().split("\n")
    names = [n for n in lines[3].split("\t")[2:] if n.strip()]
    row = [float(v) for v in lines[5 + frame].split("\t")[2:] if v.strip()]
    p = {n: row[3 * i : 3 * i + 3] for i, n in enumerate(names)}
    p["pelvis"], p["thorax"] = middle(p["RHip"], p["LHip"]), middle(p["RShoulder"], p["LShoulder"])
    order = "RAnkle RKnee RHip LHip LKnee LAnkle pelvis thorax Neck Head RWrist RElbow RShoulder LShoulder LElbow LWrist"
    return [(x, 1 - y, 4 - z) for x, y, z in (p[n] for n in order.split())]


def text():
    poses = [(f"Kinect v2, Ges0{n}, row {r}", kinect(n, r)) for n, r in (("1_wavehand", 60), ("3_drawlines", 120), ("5_demopoint", 100))]
    poses += [(f"ITOP, row {r}", itop(r)) for r in (300, 2100, 4000)]
    poses += [(f"Pose2Sim, row {r}", trc(r)) for r in (10, 50, 90)]
    out = [HEAD]
    for name, pose in poses:
        numbers = [f"{v:.4f}" for joint in pose for v in joint]
        rows = [", ".join(numbers[i : i + 12]) for i in range(0, 48, 12)]
        out.append("{ /* " + name + " */\n    " + ",\n    ".join(rows) + " },")
    return "\n".join(out) + "\n"


def committed():
    """Numbers of poses.h, 9 x 16 x 3 in a row."""
    return [float(v) for v in re.findall(r"-?\d+\.\d{4}", re.sub(r"/\*.*?\*/", "", (HERE / "poses.h").read_text(), flags=re.S))]


def give(name, text):
    """Write the text, or compare it: words must be the same, numbers to 1e-9, as LAPACKs differ in the last digits."""
    if "--check" not in sys.argv:
        sys.stdout.write(text)
        return
    number = re.compile(r"-?\d+\.?\d*(?:e-?\d+)?")
    have = (HERE / name).read_text()
    a, b = [[float(v) for v in number.findall(t)] for t in (have, text)]
    if number.sub("", have) != number.sub("", text) or any(not abs(x - y) <= 1e-9 * max(1, abs(y)) for x, y in zip(a, b)):
        sys.exit(f"tests/golden/{name} is not what its script makes")


def skip(why):
    print("skipped:", why)
    sys.exit(77)


if __name__ == "__main__":
    if not all((DATA / f).exists() for f in (KINECT % "1_wavehand", ITOP, TRC)):
        skip(f"{DATA} has not the files the poses are taken from")
    give("poses.h", text())
