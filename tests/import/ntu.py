"""ntu.py FOLDER - NTU RGB+D's .skeleton text and depth pictures, small, after the owners' read_skeleton_file.m and the sensor's
documentation: x to the sensor's left, y up, z away. truth.txt has joints and camera; bad/ what must be refused, and why."""
import math
import os
import random
import struct
import sys
import zlib

root = sys.argv[1]
random.seed(5)
CAMERAS = {"S001C001": (366.0, 366.5, 257.0, 205.0, 1), "S001C002": (365.0, 364.5, 259.5, 204.0, -1)}  # fx fy cx cy, 1: as a mirror shows it
REST = [(0, 0, 0), (0, .3, 0), (0, .58, .02), (0, .7, .02), (-.17, .48, 0), (-.25, .22, 0), (-.27, 0, -.1), (-.28, -.06, -.12), (.17, .48, 0), (.25, .22, 0),
        (.27, 0, -.1), (.28, -.06, -.12), (-.08, 0, 0), (-.09, -.4, 0), (-.1, -.8, .03), (-.1, -.85, -.1), (.08, 0, 0), (.09, -.4, 0), (.1, -.8, .03), (.1, -.85, -.1),
        (0, .5, 0), (-.29, -.12, -.13), (-.24, -.07, -.14), (.29, -.12, -.13), (.24, -.07, -.14)]
truth = open(root + "/truth.txt", "w")


def folder(name):
    os.makedirs(root + "/" + name, exist_ok=True)
    return root + "/" + name


def body(name, frame, at, state, broken=()):
    fx, fy, cx, cy, way = CAMERAS[name[:8]]
    lines = ["72057594037944%03d 0 1 1 0 0 0 -0.05 0.1 2" % frame, "25"]
    for j, (x, y, z) in enumerate(REST):
        a = 0.4 + 0.1 * frame
        x, z = x * math.cos(a) - z * math.sin(a), x * math.sin(a) + z * math.cos(a)
        x, y, z = x + at[0] + random.gauss(0, .003), y + at[1] + random.gauss(0, .003), z + at[2] + random.gauss(0, .003)
        u, v = cx + way * fx * x / z, cy - fy * y / z
        if j in (0, 3, 7):
            print(name, frame, at[2], j, "%.6f %.6f %.6f %.5f %.5f" % (-x, -y, z, 511 - u if way > 0 else u, v), file=truth)
        xyz = "NaN -Infinity 2.5" if j in broken else "%.7g %.7g %.7g" % (x, y, z)
        lines.append("%s %.7g %.7g %.6f %.6f -0.2 0.03 0.97 0.06 %d" % (xyz, u, v, 960 + 2 * (u - cx), 540 + 2 * (v - cy), state(j)))
    return lines


def tracked(j):
    return 2


def png(path, value, w=512, h=424):
    rows = b"".join(b"\0" + b"".join(struct.pack(">H", value(x, y)) for x in range(w)) for y in range(h))

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    with open(path, "wb") as f:
        f.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", w, h, 16, 0, 0, 0, 0)) + chunk(b"IDAT", zlib.compress(rows, 1)) + chunk(b"IEND", b""))


def write(name, frames, where="nturgb+d_skeletons"):
    lines = [str(len(frames))]
    for bodies in frames:
        lines += [str(len(bodies)), *(x for b in bodies for x in b)]
    with open(folder(where) + "/" + name + ".skeleton", "w", newline="") as f:
        f.write("\r\n".join(lines) + "\r\n")
    return lines


name = "S001C001P001R001A001"
frames = [[body(name, k, (.3 - .1 * k, .1, 2.5 + .1 * k), tracked)] for k in range(6)]
frames[2] = []
frames[3] = [body(name, 3, (-.4, .1, 2.75), lambda j: 1 if j in (7, 21, 22) else 2), body(name, 3, (.5, 0, 3.5), lambda j: 0 if j > 15 else 2)]
frames[4] = [body(name, 4, (0, .1, 3), tracked, broken=(5, 6))]
good = write(name, frames)
write("S001C002P003R001A001", [[body("S001C002P003R001A001", k, (.1 * k - .3, .15, 3 + .1 * k), tracked)] for k in range(5)])
write("S001C001P008R001A050", [[]] * 4)
write(name, frames, "seen/nturgb+d_skeletons")
for k in range(6):  # a wall that goes away with the stored column, before it a disc at each joint, at its depth
    seen = {}
    for line in (x for b in frames[k] for x in b if x.count(" ") == 11):
        v = [float(x) for x in line.split()]
        for dx in range(-6, 7):
            for dy in range(-6, 7):
                if math.isfinite(v[0]) and dx * dx + dy * dy < 40:
                    seen.setdefault((round(v[3]) + dx, round(v[4]) + dy), round(1000 * v[2]))
    png(folder("seen/nturgb+d_depth_masked/" + name) + "/MDepth-%08d.png" % (k + 1), lambda x, y: seen.get((x, y), 5000 + x))
truth.close()

# --- what must be refused: a folder, a tab, words of the answer ---
bad = folder("bad")
why = open(bad + "/why.txt", "w")
count = 0


def refuse(words, text, name="S001C001P001R001A001.skeleton"):
    global count
    count += 1
    where = "%02d" % count
    print(where, words, sep="\t", file=why)
    with open(folder("bad/" + where) + "/" + name, "w") as f:
        f.write(text)


def changed(line, text):
    lines = list(good)
    lines[line] = text
    return "\n".join(lines) + "\n"


refuse("expected a name SsssCcccPpppRrrrAaaa.skeleton", "1\n0\n", "walk.skeleton")
refuse("expected a name SsssCcccPpppRrrrAaaa.skeleton", "1\n0\n", "S001C001P001R001A001x.skeleton")
refuse("expected a name SsssCcccPpppRrrrAaaa.skeleton", "1\n0\n", "S001C999P001R001A001.skeleton")
refuse("the file ends where the number of frames should be", "")
refuse("the file ends where the number of frames should be", " \n \n")
refuse("the number of frames: expected a number, found 'abc", "abc\n")
refuse("the number of frames: expected 0 to", "99999999999\n0\n")
refuse("the number of frames: expected 0 to", "-3\n0\n")
refuse("the number of frames: expected 0 to", "nan\n0\n")
refuse("the number of frames: expected 0 to", "2.5\n0\n")
refuse("the file ends where the number of bodies should be", "2\n0\n")
refuse(":2: the number of bodies: expected 0 to 6, found 7", changed(1, "7"))
refuse(":2: the number of bodies: expected 0 to 6, found 1e+30", changed(1, "1e30"))
refuse(":3: a body's value: expected a number, found", changed(2, "72057594037944000 0 1 x 0 0 0 -0.05 0.1 2"))
refuse(":4: the number of joints: expected 25 to 25, found 24", changed(3, "24"))
refuse(":5: a joint's value: expected a number, found '0.1.2", changed(4, "0.1.2 " + good[4].split(" ", 1)[1]))
refuse(":5: a joint's value: expected a number, found '1,5", changed(4, "1,5 " + good[4].split(" ", 1)[1]))
refuse("joint 0 has state 7", changed(4, good[4][:-1] + "7"))
refuse("joint 0 has state nan", changed(4, good[4][:-1] + "nan"))
refuse("after the last of 6 frames", "\n".join(good) + "\n0\n")
refuse("the file ends where a joint's value should be", "\n".join(good[:40]))
refuse("the file ends where a body's value should be", "\n".join(good[:2]) + "\n5 0")
refuse("joints against their depth pixels say focal lengths", "\n".join(" ".join([*x.split()[:3], "100", *x.split()[4:]]) if x.count(" ") == 11 else x for x in good))
refuse("joints against their depth pixels say focal lengths", "\n".join(" ".join([*x.split()[:4], str(400 - float(x.split()[4])), *x.split()[5:]]) if x.count(" ") == 11 else x for x in good))
refuse("holds no labelled sample", "3\n0\n0\n0\n")
refuse("holds no labelled sample", "\n".join(x[:-1] + "1" if x.count(" ") == 11 else x for x in good))
why.close()
