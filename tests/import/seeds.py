"""seeds.py FOLDER - one small valid source a text format, FOLDER/FORMAT, each of the same person before the same two cameras.

For tests/test_fuzz.c, which damages them. No module but the standard library's."""
import json
import math
import os
import struct
import sys
import zlib

folder = sys.argv[1]
W, H, F = 320, 240, 300.0


def person(k):
    """Metres about the pelvis, y down, facing the camera: the left side is at greater x."""
    p = {"pelvis": (0, 0, 0), "spine": (0, -.2, 0), "neck": (0, -.45, 0), "upper_neck": (0, -.5, 0), "head": (0, -.6, -.02), "head_top": (0, -.72, 0), "nose": (0, -.6, -.1)}
    for side, s in (("l_", 1), ("r_", -1)):
        lift = .05 * k * s
        p.update({side + name: at for name, at in {
            "eye": (.03 * s, -.63, -.08), "ear": (.07 * s, -.62, 0), "shoulder": (.18 * s, -.44, 0), "elbow": (.25 * s, -.2 - lift, .03), "wrist": (.28 * s, .02 - lift, -.06),
            "hand": (.28 * s, .08 - lift, -.08), "hand_tip": (.28 * s, .15 - lift, -.1), "thumb": (.24 * s, .08 - lift, -.12), "hip": (.11 * s, .02, 0),
            "knee": (.12 * s, .46, -.04 + lift), "ankle": (.12 * s, .88, .02 + lift), "foot": (.13 * s, .93, -.1 + lift), "heel": (.12 * s, .93, .06 + lift),
            "big_toe": (.1 * s, .95, -.14 + lift), "small_toe": (.17 * s, .95, -.12 + lift)}.items()})
    return p


def turned(at, k):
    """From the world, whose origin is the first person's pelvis, into camera k's frame."""
    a = .6 * k
    return (math.cos(a) * at[0] + math.sin(a) * at[2], at[1], -math.sin(a) * at[0] + math.cos(a) * at[2] + 3)


def rotation(k):
    a = .6 * k
    return [[math.cos(a), 0, math.sin(a)], [0, 1, 0], [-math.sin(a), 0, math.cos(a)]]


def seen(at, k=0):
    x, y, z = turned(at, k)
    return F * x / z + W / 2, F * y / z + H / 2


def words(text):
    return [{"L": "l_", "R": "r_"}.get(w[0], "") + w[1:] if w[0] in "LR" else w for w in text.split()]


COCO = words("nose Leye Reye Lear Rear Lshoulder Rshoulder Lelbow Relbow Lwrist Rwrist Lhip Rhip Lknee Rknee Lankle Rankle")
CROWD = words("Lshoulder Rshoulder Lelbow Relbow Lwrist Rwrist Lhip Rhip Lknee Rknee Lankle Rankle head_top neck")
TRACK = words("nose upper_neck head_top Lear Rear Lshoulder Rshoulder Lelbow Relbow Lwrist Rwrist Lhip Rhip Lknee Rknee Lankle Rankle")
FEET = words("Lbig_toe Lsmall_toe Lheel Rbig_toe Rsmall_toe Rheel")
BODY25 = words("nose neck Rshoulder Relbow Rwrist Lshoulder Lelbow Lwrist pelvis Rhip Rknee Rankle Lhip Lknee Lankle Reye Leye Rear Lear") + FEET
BODY25B = COCO + ["upper_neck", "head_top"] + FEET
PANOPTIC = words("neck nose pelvis Lshoulder Lelbow Lwrist Lhip Lknee Lankle Rshoulder Relbow Rwrist Rhip Rknee Rankle Leye Lear Reye Rear")
KINECT = words("pelvis spine neck head Lshoulder Lelbow Lwrist Lhand Rshoulder Relbow Rwrist Rhand Lhip Lknee Lankle Lfoot Rhip Rknee Rankle Rfoot upper_neck Lhand_tip Lthumb Rhand_tip Rthumb")
TRC = words("Rhip Rknee Rankle Rbig_toe Rsmall_toe Rheel Lhip Lknee Lankle Lbig_toe Lsmall_toe Lheel upper_neck head_top nose Rshoulder Relbow Rwrist Lshoulder Lelbow Lwrist")


def write(name, text):
    path = f"{folder}/{name}"
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb" if isinstance(text, bytes) else "w") as f:
        f.write(text if isinstance(text, (bytes, str)) else json.dumps(text))


def picture(name, k):
    rows = b"".join(b"\0" + bytes((x * y + 7 * k) % 251 for x in range(3 * W)) for y in range(H))
    part = lambda kind, body: struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    write(name, b"\x89PNG\r\n\x1a\n" + part(b"IHDR", struct.pack(">IIBBBBB", W, H, 8, 2, 0, 0, 0)) + part(b"IDAT", zlib.compress(rows, 1)) + part(b"IEND", b""))


def flat(joints, k, flag=2, camera=0):
    return [x for j in joints for x in (*(round(v, 2) for v in seen(person(k)[j], camera)), flag)]


def box(k):
    at = [seen(p) for p in person(k).values()]
    low, high = [min(p[d] for p in at) for d in (0, 1)], [max(p[d] for p in at) for d in (0, 1)]
    return [*low, high[0] - low[0], high[1] - low[1]]


def coco(format, file, joints, **more):
    images = [{"id": 7 + k, "file_name": f"{k + 1:012d}.{'jpg' if k else 'png'}", "width": W, "height": H} for k in range(2)]
    people = [{"id": 40 + k, "image_id": 7 + k % 2, "iscrowd": 0, "num_keypoints": len(joints), "bbox": box(k), "keypoints": flat(joints, k),
               "segmentation": [[1, 2, 3.5, 4, 5, 6]], **{key: of(k) for key, of in more.items()}} for k in range(3)]
    write(f"{format}/{file}", {"info": {"year": 2017}, "images": images, "annotations": people, "categories": [{"id": 1, "name": "person"}]})
    picture(f"{format}/000000000001.png", 1)  # the other is a JPEG, which this cannot write


coco("coco", "person_keypoints_val2017.json", COCO)
coco("wholebody", "coco_wholebody_val_v1.0.json", COCO, foot_kpts=lambda k: flat(FEET, k), foot_valid=lambda k: True)
coco("crowdpose", "crowdpose_val.json", CROWD)
coco("posetrack18", "000001_mpii_test.json", TRACK, track_id=lambda k: k, bbox_head=lambda k: [140, 40, 30, 40])

write("kinect/wave.csv", "".join(f"{333333 * k}," + "".join("%.5f,%.5f,%.5f,%d," % (-x, -y, z, 1 if n == 24 else 2)
      for n, (x, y, z) in enumerate(turned(person(k)[j], 0) for j in KINECT)) + "\n" for k in range(4)))

for name, joints in (("openpose", BODY25), ("openpose25b", BODY25B)):
    for k in range(3):
        write(f"{name}/a_{k:012d}_keypoints.json", {"version": 1.3, "people": [{"person_id": [-1], "pose_keypoints_2d": flat(joints, k, .9), "face_keypoints_2d": []}]})

head = lambda n: f"PathFileType\t4\t(X/Y/Z)\ta.trc\nDataRate\tCameraRate\tNumFrames\tNumMarkers\tUnits\tOrigDataRate\tOrigDataStartFrame\tOrigNumFrames\n60\t60\t{n}\t{len(TRC)}\tm\t60\t0\t{n}\n"
title = {"upper_neck": "Neck", "head_top": "Head", "nose": "Nose"}
trc = head(4) + "Frame#\tTime\t" + "\t\t\t".join(title.get(j, "".join(w.capitalize() for w in j.split("_"))) for j in TRC) + "\t\t\n\t\t"
trc += "\t".join(f"X{n}\tY{n}\tZ{n}" for n in range(1, len(TRC) + 1)) + "\n"
trc += "".join(f"{k + 1}\t{k / 60}\t" + "\t".join("%.6f\t%.6f\t%.6f" % (x, 1 - y, -z) for x, y, z in (person(k)[j] for j in TRC)) + "\n" for k in range(4))
write("trc/a.trc", trc)

calibration = ""
for c in range(3):
    calibration += f'[cam_0{c + 1}]\nname = "cam_0{c + 1}"\nsize = [ {W}.0, {H}.0]\nmatrix = [ [ {F}, 0.0, {W / 2}], [ 0.0, {F}, {H / 2}], [ 0.0, 0.0, 1.0]]\n'
    calibration += f"distortions = [ -0.0007, 0.002, 1e-05, 1e-05]\nrotation = [ 0.0, {.6 * c}, 0.0]\ntranslation = [ 0.0, 0.0, 3.0]\nfisheye = false\n\n"
    for k in range(2):
        write(f"pose2sim/T01/pose/cam0{c + 1}_json/cam0{c + 1}.{k:04d}.json", {"version": 1.3, "people": [{"person_id": [-1], "pose_keypoints_2d": flat(BODY25B, k, .9, c)}]})
write("pose2sim/calibration/Calib.toml", calibration)

dome = [{"name": f"00_0{c}", "type": "hd", "resolution": [W, H], "panel": 0, "node": c, "K": [[F, 0, W / 2], [0, F, H / 2], [0, 0, 1]], "distCoef": [.01, -.02, 1e-4, 1e-4, .01],
         "R": rotation(c), "t": [[0], [0], [300]]} for c in range(2)]
write("panoptic/170000_seed/calibration_170000_seed.json", {"calibDataSource": "", "cameras": dome})
for k in range(2):
    bodies = [{"id": n, "joints19": [x for j in PANOPTIC for x in (*(100 * v for v in person(k + n)[j]), .9 if n else -1 if j == "nose" else .8)]} for n in range(2)]
    write(f"panoptic/170000_seed/hdPose3d_stage1_coco19/body3DScene_{k:08d}.json", {"version": .7, "univTime": 1.5, "fpsType": "hd_29_97", "bodies": bodies})

hand = [[20 * f - 40 + 2 * n, 10 * n, 1000 + 5 * f] for f in range(5) for n in (4, 3, 2, 1)] + [[0, -40, 1000]]
both = [[x + 60 * s, y, z] for s in (0, 1) for x, y, z in hand]
write("interhand/InterHand2.6M_val_data.json", {"images": [{"id": 1 + c, "file_name": f"image{c}.png", "width": W, "height": H, "capture": 3, "subject": 3, "seq_name": "a", "camera": f"40000{c}",
      "frame_idx": 9} for c in range(2)], "annotations": [{"id": 1 + c, "image_id": 1 + c, "bbox": [100, 60, 90, 90], "joint_valid": [[1]] * 42, "hand_type": "interacting", "hand_type_valid": 1} for c in range(2)]})
write("interhand/InterHand2.6M_val_camera.json", {"3": {"campos": {f"40000{c}": [50 * c, 0, 0] for c in range(2)}, "camrot": {f"40000{c}": rotation(0) for c in range(2)},
      "focal": {f"40000{c}": [F, F] for c in range(2)}, "princpt": {f"40000{c}": [W / 2, H / 2] for c in range(2)}}})
write("interhand/InterHand2.6M_val_joint_3d.json", {"3": {"9": {"world_coord": both, "joint_valid": [[1]] * 42, "hand_type": "interacting", "hand_type_valid": True}}})

body = "72057594037944738 0 1 1 0 0 0 0.1 0.2 2\n25\n"
ntu = "4\n"
for k in range(4):
    ntu += "1\n" + body
    for j in KINECT:
        x, y, z = turned(person(k)[j], 0)
        ntu += "%.6f %.6f %.6f %.3f %.3f %.3f %.3f 0.1 0.2 0.3 0.4 2\n" % (x, -y, z, 365 * x / z + 256, 365 * y / z + 212, 1060 * x / z + 960, 1060 * y / z + 540)
write("ntu/S001C001P001R001A001.skeleton", ntu)


def bvh(name, children, depth=0):
    pad, at = "\t" * depth, children[0]
    kind = "ROOT" if depth == 0 else "JOINT"
    text = f"{pad}{kind} {name}\n{pad}{{\n{pad}\tOFFSET {at[0]} {at[1]} {at[2]}\n{pad}\tCHANNELS " + ("6 Xposition Yposition Zposition " if depth == 0 else "3 ") + "Zrotation Xrotation Yrotation\n"
    for child, below in children[1].items():
        text += bvh(child, below, depth + 1)
    if not children[1]:
        text += f"{pad}\tEnd Site\n{pad}\t{{\n{pad}\t\tOFFSET 0 -5 0\n{pad}\t}}\n"
    return text + f"{pad}}}\n"


leg = lambda s, x: {f"{s}Hip": ((x, -2, 0), {f"{s}Knee": ((0, -44, 0), {f"{s}Ankle": ((0, -42, 0), {f"{s}Toe": ((0, -6, 12), {})})})})}
arm = lambda s, x: {f"{s}Collar": ((.2 * x, 0, 0), {f"{s}Shoulder": ((.8 * x, 0, 0), {f"{s}Elbow": ((1.5 * x, 0, 0), {f"{s}Wrist": ((1.4 * x, 0, 0), {f"{s[0]}Fingers": ((.4 * x, 0, 0), {})})})})})}
tree = ((0, 0, 0), {**leg("Left", 11), **leg("Right", -11), "Chest2": ((0, 25, 0), {"Neck": ((0, 22, 0), {"Head": ((0, 12, 0), {})}), **arm("Left", 18), **arm("Right", -18)})})
text = bvh("Hips", tree)
channels = 3 + 3 * text.count("CHANNELS")
write("bvh/07_01.bvh", "HIERARCHY\n" + text + "MOTION\nFrames: 12\nFrame Time: 0.0083333\n" +
      "".join(" ".join(["%.2f" % (.1 * k), "92.0", "0.0"] + ["%.3f" % (3 * math.sin(k / 3 + n)) for n in range(channels - 3)]) + "\n" for k in range(12)))
