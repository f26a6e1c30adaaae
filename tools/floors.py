#!/usr/bin/env python3
"""floors.py - the rules of the house that a script can check; run as a test.

A file includes its own floor and those below; floors 3 (network) and 4 (world) do not know each other. A
foreign library has one home. A file fits a reading. Nothing below the door prints or exits.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent.parent)
MOST_LINES = 400

FLOOR = {"ground": 0, "mathematics": 1, "machine": 2, "network": 3, "world": 4, "school": 5, "door": 6}

HEADERS = {  # include/gnomon/NAME.h
    "ground": "arena formula hash io log option pool status version",
    "mathematics": "labels skeleton loss tensor",
    "machine": "attr comm device op optimizer",
    "network": "graph",
    "world": "config dataset image import json puppet",
    "school": "bench metric persons report train",
}
ROOMS = [  # the first that fits
    ("src/base/", "ground"),
    ("kernels/formula/", "mathematics"), ("kernels/loss/", "mathematics"),
    ("kernels/", "machine"),
    ("src/graph/", "network"), ("src/model/", "network"),
    ("src/data/", "world"), ("src/image/", "world"), ("src/import/", "world"), ("src/puppet/", "world"),
    ("src/config/", "world"), ("datasets/", "world"),
    ("src/train/", "school"), ("src/report/", "school"), ("src/claims/", "school"), ("src/bench/", "school"),
    ("src/cli/", "door"), ("src/main.c", "door"), ("tools/", "door"), ("tests/", "door"),
]
FOREIGN = {  # what an include begins with: its homes
    "yaml.h": ["src/config/yaml.c"],
    "hdf5.h": ["src/data/h5.c", "src/import/hdf5.c"], # our own files, foreign ones
    "matio.h": ["src/import/mat.c"],
    "oneapi/": ["kernels/cpu/onednn.c"], "dnnl": ["kernels/cpu/onednn.c"],
    "cuda_runtime": ["kernels/cuda/launch.cuh"],
    "cublas": ["kernels/cuda/cublas.cu"],
    "cudnn": ["kernels/cuda/cudnn.cu"],
    "nccl.h": ["kernels/cuda/nccl.cu"],
    "cuda.h": ["kernels/cuda/warpgroup.cuh"],
    "emulate_warp.h": ["kernels/cuda/warp.cuh"], "emulate_warpgroup.h": ["kernels/cuda/warpgroup.cuh"], "emulate_nccl.h": ["kernels/cuda/nccl.cu"],  # tests/: our words, emulated
    "png.h": ["src/image/png.c"],
    "turbojpeg.h": ["src/image/jpeg.c"],
    "jansson.h": ["src/import/json.c"],
    "zlib.h": ["src/import/zip.c"],
    "xxhash.h": ["src/base/hash.c"],
    "Random123/": ["tests/test_random.c"],
    "pthread.h": ["src/base/pool.c"],
    "cmocka.h": ["tests/near.h"],
    "nvtx3/": ["kernels/cuda/nvtx.cu"], "cuda_profiler_api.h": ["kernels/cuda/nvtx.cu"],
}
STANDARD = set("""assert cmath complex ctype dirent dlfcn errno fcntl fenv float fnmatch ftw glob immintrin inttypes libgen limits locale malloc math
poll sched setjmp signal stdalign stdarg stdatomic stdbool stddef stdint stdio stdlib string strings tgmath threads time unistd
sys/file sys/mman sys/random sys/resource sys/stat sys/statvfs sys/sysinfo sys/time sys/types sys/uio sys/utsname sys/wait sys/ioctl sys/sysmacros
sys/syscall linux/perf_event spawn sys/prctl termios ucontext sanitizer/common_interface_defs""".split())
STANDARD_CXX = set("condition_variable cstddef cstdint cstdio cstdlib cstring functional map memory mutex vector".split())
CXX = re.compile(r".*\.(cu|cuh|cc)|tests/emulate.*")  # what is read as C++

HEADER_FLOOR = {name: floor for floor, names in HEADERS.items() for name in names.split()}
INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]', re.M)
COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\\n])*\"", re.S)
FORBIDDEN = re.compile(r"(?<![\w.>])(printf|puts|putchar|exit|_exit|abort|system)\s*\(|\b(stdout|stderr)\b")
MAY_SPEAK = ("src/cli/", "src/main.c", "src/base/log.c", "src/import/confine.c", "tests/", "tools/")


def floor_of(path):
    if path.startswith("include/gnomon/"):
        return HEADER_FLOOR.get(pathlib.Path(path).stem)
    return next((floor for room, floor in ROOMS if path.startswith(room)), None)


def target(name, source):
    """The file of the house that an include means, or None."""
    for base in ("include", "kernels", ".", str(pathlib.Path(source).parent)):
        found = (ROOT / base / name).resolve()
        if found.is_file() and ROOT.resolve() in found.parents:
            return str(found.relative_to(ROOT.resolve()))
    return None


def check_include(path, floor, quote, name):
    home = target(name, path) if quote == '"' else None
    if home:
        other = floor_of(home)
        if other is None:
            return f"includes {name}, which has no floor: name it in tools/floors.py"
        if FLOOR[other] > FLOOR[floor]:
            return f"({floor}) includes {name} ({other}), a floor above"
        if {floor, other} == {"network", "world"}:
            return f"({floor}) includes {name} ({other}): these floors do not know each other"
        return None
    for start, homes in FOREIGN.items():
        if name.startswith(start):
            if path in homes or (start == "pthread.h" and path.startswith("tests/")):
                return None
            return f"includes <{name}>, whose home is {' '.join(homes)}"
    if name.removesuffix(".h") not in STANDARD and not (name in STANDARD_CXX and CXX.fullmatch(path)):
        return f"includes <{name}>, which has no home: name it in tools/floors.py"
    return None


def check(path):
    text = (ROOT / path).read_text(encoding="utf-8")
    lines = text.count("\n")
    floor = floor_of(path)
    if lines > MOST_LINES:
        yield 1, f"{lines} lines; at most {MOST_LINES}"
    if floor is None:
        yield 1, "has no floor: name it in tools/floors.py"
        return
    for m in INCLUDE.finditer(text):
        said = check_include(path, floor, m.group(1), m.group(2))
        if said:
            yield text.count("\n", 0, m.start(2)) + 1, said
    if not path.startswith(MAY_SPEAK):
        bare = COMMENT.sub(lambda m: re.sub(r"[^\n]", " ", m.group()), text)
        for m in FORBIDDEN.finditer(bare):
            yield bare.count("\n", 0, m.start()) + 1, f"says {m.group().strip('( ')}: below the door nothing prints or exits"


def main():
    files = sorted(
        str(p.relative_to(ROOT))
        for folder in ("include", "kernels", "src", "datasets", "tests")
        for p in (ROOT / folder).rglob("*")
        if p.suffix in (".c", ".h", ".cu", ".cuh", ".cc")
    )
    wrong = [f"{path}:{line}: {said}" for path in files for line, said in check(path)]
    print("\n".join(wrong) if wrong else f"{len(files)} files keep the rules")
    return 1 if wrong or not files else 0


sys.exit(main())
