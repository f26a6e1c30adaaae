#!/usr/bin/env python3
"""real.py - every real file we have imports, verifies and shows, or is refused with its reason.

    real.py GNOMON [--sheets FOLDER]

The data lie at $GN_DATA, or beside the repository; without them: exit 77, a visible skip. A file that no row
names and that is no licence, index or table of constants fails the test, so that a new sample is not forgotten.
"""
import fnmatch, os, pathlib, re, subprocess, sys, tempfile

GNOMON = sys.argv[1]
DATA = pathlib.Path(os.environ.get("GN_DATA") or pathlib.Path(__file__).resolve().parent.parent.parent / "shared/data")
SHEETS = pathlib.Path(sys.argv[3]) if sys.argv[2:3] == ["--sheets"] else None
if not (DATA / "SHA256SUMS").is_file():
    print(f"SKIP: no real data at {DATA}")
    sys.exit(77)

# format, source, more arguments, what the import must say; the files it stands for
TAKES = [
    ("coco", "coco/person_keypoints_val2017_sample.json", ["--pictures", "coco/images"], r"5 samples",
     ["coco/person_keypoints*", "coco/images/*"]),
    ("wholebody", "coco/coco_wholebody_val_sample.json", ["--pictures", "coco/images", "--keep", "jpeg"], r"5 samples", ["coco/coco_wholebody*"]),
    ("mpii", "mpii/valid.h5", ["--keep", "none"], r"2958 samples", ["mpii/valid.h5"]),
    ("mpii", "mpii/mpii_hrnet_sample.json", ["--pictures", "mpii/images"], r"3 samples", ["mpii/mpii_hrnet*", "mpii/images/*"]),
    ("panoptic", "panoptic/171026_pose1", [], r"2 samples", ["panoptic/171026_pose1/*"]),
    ("panoptic", "panoptic/160906_band1", ["--keep", "none"], r"184 samples", ["panoptic/160906_band1/*"]),
    ("pose2sim", "pose2sim", [], r"lies 1\.\d+ px from the 2D", ["pose2sim/calibration/*", "pose2sim/*/frames/*", "pose2sim/*/pose/*"]),
    ("openpose25b", "pose2sim/S00_P00_T01_BalancingTrial/pose/cam03_json", ["--keep", "none"], r"100 samples", []),
    ("trc", "pose2sim/S00_P00_T01_BalancingTrial/pose-3d", [], r"200 samples", ["pose2sim/*/pose-3d/*"]),
    ("itop", "itop", ["--keep", "none"], r"lies 0\.000 px", ["itop/*.mat"]),
    ("kinect", "kinect_v2_csv", [], r"928 samples", ["kinect_v2_csv/*.csv"]),
    ("interhand", "interhand26m", [], r"3 samples", ["interhand26m/*"]),
    ("bvh", "cmu_mocap/daz", ["--every", "40"], r"(?s)(?=.*07_12\.bvh)(?=.*09_10\.bvh)", ["cmu_mocap/daz/*.bvh"]),
    ("bvh", "cmu_mocap/max", ["--every", "40"], r"samples", ["cmu_mocap/max/*.bvh"]),
    ("bvh", "bandai_namco_1", ["--every", "10"], r"samples", ["bandai_namco_1/*.bvh"]),
]
REFUSED = [  # what is no set of poses, or is broken: exit 65 and the reason
    ("coco", "coco/person_detection_results_sample.json", r"detector's results", ["coco/person_detection*"]),
    ("bvh", "cmu_mocap/daz/07_12.bvh", r"floor", []),
    ("bvh", "cmu_mocap/daz/09_10.bvh", r"floor", []),
    ("openpose", "pose2sim/S00_P00_T01_BalancingTrial/pose/cam03_json", r"openpose25b", []),
]
BESIDE = ["README.md", "SHA256SUMS", "*LICENSE*", "*/index.csv", "*_label.txt", "*/CGSPEED.md", "*/itop_side_mean.npy", "*/itop_side_std.npy",
          "bandai_namco_1/*.json", "pose2sim/*/videos/*.mp4"]  # films are cut into pictures by who has a decoder
ODD = {"itop": r": impossible bone 7, odd bone 56, left and right 15, held pose 4\n"}  # the owner's labels have such: verify names them, exit 65


def run(*words):
    return subprocess.run([GNOMON, *map(str, words)], capture_output=True, text=True, timeout=600)


def fail(*what):
    print("FAIL:", *what)
    failed.append(what)


def take(at, format, source, more, says):
    out = at / f"{format}_{source.replace('/', '_')}"
    more = [DATA / w if "/" in w else w for w in more]
    r = run("data", "import", format, DATA / source, "--out", out, *more)
    if r.returncode or not re.search(says, r.stdout + r.stderr):
        return fail(format, source, r.returncode, r.stdout[-600:], r.stderr[-300:])
    for shard in sorted(out.glob("*.h5")):
        v = run("data", "verify", shard)
        if v.returncode and not (format in ODD and v.returncode == 65 and re.search(ODD[format], v.stdout)):
            fail("verify", shard.name, format, source, v.stdout[-500:], v.stderr[-200:])
        png = (SHEETS or at) / f"{out.name}_{shard.stem}.png"
        s = run("data", "show", shard, "--out", png, "--columns", 4, "--rows", 3)
        if s.returncode or not png.read_bytes().startswith(b"\x89PNG"):
            fail("show", format, source, s.stderr[-300:])
    check = next((line.strip() for line in r.stdout.splitlines() if "self-check" in line), "no 2D of its own to check against")
    print(f"{format:12} {source:58.58} {check}")


failed = []
with tempfile.TemporaryDirectory() as folder:
    for format, source, more, says, _ in TAKES:
        take(pathlib.Path(folder), format, source, more, says)
    for format, source, why, _ in REFUSED:
        r = run("data", "import", format, DATA / source, "--out", folder + "/refused")
        if r.returncode != 65 or not re.search(why, r.stderr) or len(r.stderr.strip().splitlines()) != 1:
            fail("not refused", format, source, r.returncode, r.stderr)
        else:
            print(f"{format:12} {source:58.58} refused: {r.stderr.strip()[-90:]}")
named = [p for row in TAKES + REFUSED for p in row[-1]] + BESIDE
for file in sorted(str(p.relative_to(DATA)) for p in DATA.rglob("*") if p.is_file()):
    if not any(fnmatch.fnmatch(file, p) for p in named):
        fail("nobody reads", file)
sys.exit(1 if failed else 0)
