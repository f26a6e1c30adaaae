#!/usr/bin/env python3
"""ptx.py - what must not be in the code that our kernels become: doubles, atomic additions of floats, serialized products.

    ptx.py NVCC FOLDER... -- FILE.cu...        the folders hold headers; the files are compiled to PTX and read

A double is a formula's stray literal: sixty times slower, and another result than the CPU's. A floating-point
atomic adds in the order in which blocks happen to end, so a run would not repeat. Where registers of a warpgroup's products
are touched at the wrong place, ptxas makes them wait for each other, and says so.
"""
import concurrent.futures, pathlib, re, subprocess, sys, tempfile

RULES = [
    (re.compile(r"\.f64\b"), "a double"),
    (re.compile(r"\b(?:atom|red)\.\S*\.(?:f16|f32|f64|bf16|f16x2|bf16x2)\b"), "an atomic of floats"),
]


def check(nvcc, folders, file, arch):
    with tempfile.TemporaryDirectory() as at:
        out = pathlib.Path(at) / "out.ptx"
        include = [f"-I{f}" for f in folders]
        run = subprocess.run([nvcc, "-std=c++17", "-O3", "--ptx", f"-arch={arch}", *include, file, "-o", str(out)],
                             capture_output=True, text=True)
        if run.returncode:
            return 0, [f"{file}: {run.stderr.strip()}"]
        text = out.read_text()
        wrong, entry = [], "?"
        if "wgmma.mma_async" in text:
            run = subprocess.run([nvcc, "-cubin", f"-arch={arch.replace('compute', 'sm')}", str(out), "-o", f"{at}/out.cubin"],
                                 capture_output=True, text=True)
            wrong += [f"{file}: {line}" for line in (run.stdout + run.stderr).splitlines() if run.returncode or "(C75" in line]
    for line in text.splitlines():
        if ".entry" in line:
            entry = line.split(".entry")[1].strip(" (")
        wrong += [f"{file}: {what} in {entry}: {line.strip()}" for rule, what in RULES if rule.search(line)]
    return text.count(".entry"), wrong


def main():
    nvcc, rest = sys.argv[1], sys.argv[2:]
    folders, files = rest[: rest.index("--")], rest[rest.index("--") + 1 :]
    jobs = [(nvcc, folders, f, arch) for f in files for arch in ("compute_80", "compute_90a")]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda job: check(*job), jobs))
    kernels, wrong = sum(n for n, _ in found), [w for _, ws in found for w in ws]
    print("\n".join(wrong[:40]) if wrong else f"{kernels} kernels without doubles, floating-point atomics or serialized products")
    return 1 if wrong or not kernels else 0


sys.exit(main())
