#!/usr/bin/env python3
"""nsight.py - tools/profile_nsight with an nsys and an ncu that only say what the real ones say; run as a test."""
import os
import pathlib
import re
import subprocess
import sys
import tempfile

TOOL = pathlib.Path(__file__).resolve().parent.parent / "tools/profile_nsight"
NSYS = """#!/bin/sh
[ $1 = stats ] || exit 0
echo 'Processing [step.sqlite]...'
echo 'Time (%),Total Time (ns),Instances,Avg (ns),Name'
echo '75.0,6000000,20,300000.0,"void conv<float, (bool)1>(const float *, int)"'
echo '25.0,2000000,4,500000.0,"(anonymous namespace)::pool(float *)"'
"""
NCU = """#!/bin/sh
for w; do case $w in --log-file=*) log=${w#--log-file=};; esac; done
m1=gpu__time_duration.sum m2=sm__throughput.avg.pct_of_peak_sustained_elapsed m3=gpu__dram_throughput.avg.pct_of_peak_sustained_elapsed
m4=sm__warps_active.avg.pct_of_peak_sustained_active m5=launch__registers_per_thread
cat > $log <<END
==PROF== Connected to process 1
"ID","Kernel Name","$m1","$m2","$m3","$m4","$m5"
"","","ns","%","%","%","register/thread"
"0","void conv<float, (bool)1>(const float *, int)","1,000","80","10","50","64"
"1","void conv<float, (bool)1>(const float *, int)","3,000","40","30","50","64"
END
"""


def run(folder, *tools):
    for name, text in tools:
        path = pathlib.Path(folder, name)
        path.write_text(text)
        path.chmod(0o755)
    env = dict(os.environ, PATH=f"{folder}:/usr/bin:/bin")
    return subprocess.run([sys.executable, str(TOOL), "a.yaml", "--steps", "2"], env=env, capture_output=True, text=True)


wrong = []
with tempfile.TemporaryDirectory() as folder:
    both = run(folder, ("nsys", NSYS), ("ncu", NCU))
    if both.returncode or not re.search(r"^conv<float, \(bool\)1> +10 +3\.000 +75 +50 +25 +50 +64$", both.stdout, re.M):
        wrong.append(f"conv: {both.stdout}{both.stderr}")
    if not re.search(r"^\(anonymous namespace\)::pool +2 +1\.000 +25$", both.stdout, re.M) or max(map(len, both.stdout.splitlines())) > 100:
        wrong.append(f"pool: {both.stdout}")
with tempfile.TemporaryDirectory() as folder:
    none = run(folder)
    if none.returncode == 69 and (none.stderr.count("\n") != 1 or "neither nsys nor ncu" not in none.stderr):
        wrong.append(f"neither: {none.stderr}")
    if none.returncode == 0:  # it may find real ones, which have no such experiment
        wrong.append(f"nobody: {none.stdout}")
print("\n".join(wrong) or "one table from both")
sys.exit(1 if wrong else 0)
