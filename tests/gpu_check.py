#!/usr/bin/env python3
"""gpu_check.py - tools/gpu_check sanitize with a compute-sanitizer that only says what the real one says; run as a test."""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

TOOLS = pathlib.Path(__file__).resolve().parent.parent / "tools"
SANITIZER = """#!/bin/sh
way=$2 test=$(basename $5)
[ "$GN_SMALLEST" = 1 ] || echo 'not the smallest'
echo "$way $test" >> $CALLS
case $way-$test in
racecheck-test_parity_found) echo '========= RACECHECK SUMMARY: 2 hazards displayed (2 errors, 0 warnings)'; exit 9;;
memcheck-test_parity_mute) exit 0;;
initcheck-*) echo '========= Error: Target application terminated. Device not supported'; exit 1;;
*-test_parity_slow) sleep 30;;
esac
case $way in racecheck) echo '========= RACECHECK SUMMARY: 0 hazards displayed (0 errors, 0 warnings)';;
*) echo '========= ERROR SUMMARY: 0 errors';; esac
"""
TESTS = ("found", "mute", "points", "slow")


def write(path, text):
    path.write_text(text)
    path.chmod(0o755)


def check(root, *more):
    env = dict(os.environ, SANITIZER=f"{root}/sanitizer", CALLS=f"{root}/calls", PYTHON=sys.executable)
    return subprocess.run([f"{root}/tools/gpu_check", "sanitize", *more], env=env, capture_output=True, text=True)


def verdicts(root):
    return {r["unit"]: r["verdict"] for r in map(json.loads, open(root / "build/gpu_check/none/sanitize.jsonl"))}


wrong = []
with tempfile.TemporaryDirectory() as folder:
    root = pathlib.Path(folder)
    for name in ("tools", "build", "kernels"):
        (root / name).mkdir()
    for name in ("gpu_check", "gpu_report.py"):
        shutil.copy(TOOLS / name, root / "tools" / name)
    write(root / "sanitizer", SANITIZER)
    write(root / "build/gnomon", "#!/bin/sh\necho gnomon\n")
    (root / "build/commit").write_text("none\n")
    for name in TESTS:
        write(root / f"build/test_parity_{name}", "#!/bin/sh\n")
    first = check(root, "--each", "2", "--budget", "1")  # no time: nothing is said of anybody
    if (root / "calls").exists():
        wrong.append(f"begun without time: {first.stdout}")
    done = check(root, "--each", "1", "--budget", "60")
    found = verdicts(root)
    for way, mute in (("memcheck", "refused"), ("racecheck", "clean"), ("initcheck", "refused"), ("synccheck", "clean")):
        usual = "refused" if way == "initcheck" else "clean"
        expected = {"found": "found" if way == "racecheck" else usual, "mute": mute, "points": usual,
                    "slow": "refused" if way == "initcheck" else "cut"}
        for name, verdict in expected.items():
            if found.get(f"{way} test_parity_{name}") != verdict:
                wrong.append(f"{way} {name}: {found.get(f'{way} test_parity_{name}')}, not {verdict}")
    if done.returncode != 1 or "sanitize: 16 results, 1 failed" not in done.stdout:
        wrong.append(f"exit {done.returncode}: {done.stdout}{done.stderr}")
    report = (root / "kernels/REPORT.md").read_text()
    for line in ("| racecheck | test_parity_found | **REPORTS**", "| memcheck | test_parity_slow | skipped: cut",
                 "| memcheck | test_parity_mute | skipped: the tool refused", "| racecheck | test_parity_points | 0 reports"):
        if line not in report:
            wrong.append(f"the report lacks {line!r}")
    if "not the smallest" in "".join(p.read_text() for p in root.glob("build/gpu_check/none/*.log")):
        wrong.append("GN_SMALLEST is not set")
    calls = (root / "calls").read_text()
    check(root, "--each", "1", "--budget", "60")
    if calls.count("\n") != 16 or (root / "calls").read_text() != calls:
        wrong.append(f"what was done was done again: {calls}")
print("\n".join(wrong) or "found, clean, refused and cut are told apart")
sys.exit(1 if wrong else 0)
