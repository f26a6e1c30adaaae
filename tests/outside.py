#!/usr/bin/env python3
"""outside.py - no tracked file outside tests/ and .ci/ names a path outside the repository.

Raw data are arguments of `gnomon data import` and `data.motion`; an experiment that names somebody's folder runs
nowhere else.
"""
import pathlib, re, subprocess, sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
UP = re.compile(r"(?<![\w./])(?:\.\./)+[\w./*-]*")
PLACES = re.compile(r"(?<![\w./$}>])/(?:home|root|work|mnt|media|data|scratch|Users)/[\w./-]+")


def outside(file, path):
    """Unless it is there, inside: seen from the file or from the root."""
    for base in (file.parent, ROOT):
        at = (base / path).resolve()
        if (at == ROOT or ROOT in at.parents) and at.exists():
            return False
    return True


def wrong(name):
    file = ROOT / name
    try:
        text = file.read_text(encoding="utf-8")
    except (UnicodeDecodeError, FileNotFoundError):
        return
    for n, line in enumerate(text.splitlines(), 1):
        for m in UP.finditer(line):
            if outside(file, m[0].split("*")[0]):
                yield f"{name}:{n}: {m[0]}"
        for m in PLACES.finditer(line):
            yield f"{name}:{n}: {m[0]}"


listed = subprocess.run(["git", "-C", ROOT, "ls-files"], capture_output=True, text=True)
if listed.returncode:
    print("SKIP: not a git repository")
    sys.exit(77)
names = [n for n in listed.stdout.splitlines() if not n.startswith(("tests/", ".ci/"))]
found = [w for n in names for w in wrong(n)]
print("\n".join(found) if found else f"{len(names)} files name no path outside the repository")
sys.exit(1 if found or not names else 0)
