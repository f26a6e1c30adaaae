#!/usr/bin/env python3
"""Golden values of several people's metrics, by NumPy: python3 tests/golden/persons.py > tests/golden/persons.h

Written from the protocols of MuPoTS-3D (SMAP's and the owner's scripts), RootNet's AP and Panoptic as SMAP scores it, not
from src/train. The people are the poses of poses.h in MuPoTS' 17 joints, put beside each other; what is said
differs by sines of the indices, is in another order, lacks people and has people that are not there (test_persons.c
says the same). Rows are all people's values, then those of matched people. --check compares; 77: there is no NumPy."""
import poses

try:
    import numpy as np
except ImportError:
    poses.skip("no NumPy")

FX, FY, CX, CY = 1100.0, 1100.0, 960.0, 540.0
# head top, neck, right shoulder, elbow, wrist, left, right hip, knee, ankle, left, pelvis, spine, head; places in MPII's 16
MPI = [9, 8, 12, 11, 10, 13, 14, 15, 2, 1, 0, 3, 4, 5, 6, 7, 9]
PARENT = [1, 14, 1, 2, 3, 1, 5, 6, 14, 8, 9, 14, 11, 12]  # the neck hangs on the pelvis
WALK = [1, 0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13]
PELVIS, SEQUENCES, PICTURES, PEOPLE = 14, 2, 8, 3
pose = np.reshape(poses.committed(), (9, 16, 3))


def pixels(x):
    return np.stack([FX * x[..., 0] / x[..., 2] + CX, FY * x[..., 1] / x[..., 2] + CY], -1)


def true_person(q, f, t):
    """Sequence q, picture f, place t: 17 x 3 mm, 17 x 2 pixels, which joints are annotated."""
    p = pose[(3 * f + 2 * t + 4 * q) % 9]
    x = 1000 * (p - p[6])[MPI]
    x += [900 * t - 900 + 200 * np.sin(1.1 * f), 150 * np.cos(0.7 * f + q), 4200 + 500 * np.sin(2.3 * t + 0.9 * f + 1.3 * q)]
    j = np.arange(17)
    return x, pixels(x), (5 * f + 3 * t + j) % 17 != 4 if q == 1 else np.ones(17, bool)


def said_person(q, f, t):
    x, uv, _ = true_person(q, f, t)
    j, k = np.meshgrid(np.arange(17), np.arange(3), indexing="ij")
    root = np.array([60, 50, 260]) * np.sin(1.9 * f + 2.7 * t + 0.8 * q + np.arange(3))
    off = np.where(k == 2, 110, 60) * np.sin(2.1 * j + 1.3 * k + 0.7 * f + 1.7 * t)
    x = x[PELVIS] + root + (0.9 + 0.05 * t) * (x - x[PELVIS]) + np.where(j == PELVIS, 0, off)
    uv = uv + 26 * np.sin(1.3 * j + 2.1 * f + t)[:, :1] * [1, -1] + (60 if (f + t) % 7 == 3 else 0)
    return x, uv, (j[:, 0] + f) % 11 != 5, 0.5 + 0.5 * np.sin(3.7 * f + 1.9 * t + q)


def picture(q, f):
    here = [true_person(q, f, t) for t in range(f % (PEOPLE + 1))]
    said = [said_person(q, f, t) for t in reversed(range(PEOPLE)) if (f + 2 * t + q) % 5]
    return here, said


def match(here, said):
    free, to = set(range(len(said))), []
    for _, uv, known in here:
        best = {}
        for i in sorted(free):
            near = (np.abs(said[i][1] - uv) < 40).all(-1) & known & said[i][2]
            best[i] = int(near[1:14].sum())
        i = max(best, key=lambda i: (best[i], -i)) if best else None
        to.append(i if i is not None and best[i] > 0 else None)
        free.discard(to[-1])
    return to


def stretched(x, y, known):
    out = x.copy()
    for j in WALK:
        p = PARENT[j]
        bone = x[j] - x[p]
        if known[j] and known[p]:
            bone = bone * np.linalg.norm(y[j] - y[p]) / np.linalg.norm(bone)
        out[j] = out[p] + bone
    return out


def pck_auc(errors):
    e = np.concatenate(errors)
    return 100 * np.mean(e < 150), 100 * np.mean([np.mean(e < t) for t in range(0, 151, 5)])


def people(everybody):
    rows = {name: [] for name in "pck_rel auc_rel pck_abs auc_abs pcod mpjpe_rel_mm".split()}
    found, roots, off = [], [], []
    for q in range(SEQUENCES):
        rel, absolute, order, mpjpe = [], [], [], []
        for f in range(PICTURES):
            here, said = picture(q, f)
            to, z = match(here, said), []
            found += [m is not None for m in to]
            for (y, _, known), m in zip(here, to):
                has, joints = known[PELVIS], known[:14]
                if not has or (m is None and not everybody):
                    continue
                x = np.full((17, 3), 1e5) if m is None else stretched(said[m][0], y, known)
                absolute.append(np.linalg.norm(x - y, axis=-1)[:14][joints])
                rel.append(np.full(joints.sum(), 1e5) if m is None else np.linalg.norm((x - x[PELVIS]) - (y - y[PELVIS]), axis=-1)[:14][joints])
                roots.append(np.linalg.norm(x[PELVIS] - y[PELVIS]))
                z.append((x[PELVIS, 2], y[PELVIS, 2]))
                if m is not None:
                    r = said[m][0]
                    mpjpe.append(np.linalg.norm((r - r[PELVIS]) - (y - y[PELVIS]), axis=-1)[:15][known[:15]])
                    off.append(r[PELVIS] - y[PELVIS])
            for b in range(len(z)):
                for a in range(b):
                    p, g = z[b][0] - z[a][0], z[b][1] - z[a][1]
                    order.append(p * g > 0 or (abs(p) < 300 and abs(g) < 300))
        for name, v in zip(rows, [*pck_auc(rel), *pck_auc(absolute), 100 * np.mean(order), np.mean(np.concatenate(mpjpe))]):
            rows[name].append(v)
    value = {name: np.mean(v) for name, v in rows.items()}
    off = np.abs(off)
    value.update(found=100 * np.mean(found), pck_root=100 * np.mean(np.array(roots) <= 150), mrpe_mm=np.mean(np.linalg.norm(off, axis=1)))
    value.update({f"mrpe_{c}_mm": v for c, v in zip("xyz", off.mean(0))}, ap_root25=ap_root())
    return value


def ap_root():
    claims, roots, free = [], 0, {}
    for q in range(SEQUENCES):
        for f in range(PICTURES):
            here, said = picture(q, f)
            valid = [y[PELVIS] for y, _, known in here if known[PELVIS]]
            roots += len(valid)
            free[q, f] = [True] * len(valid)
            claims += [(s[3], q, f, s[0][PELVIS], valid) for s in said if valid]
    precision, recall, hits = [], [], 0
    for n, (_, q, f, root, valid) in enumerate(sorted(claims, key=lambda c: -c[0])):
        d = [np.linalg.norm(root - v) for v in valid]
        i = int(np.argmin(d))
        if d[i] < 250 and free[q, f][i]:
            free[q, f][i] = False
            hits += 1
        precision.append(hits / (n + 1))
        recall.append(hits / roots)
    return 100 * sum(precision[n + 1] * (recall[n + 1] - recall[n]) for n in range(len(recall) - 1))


everybody, matched = people(True), people(False)
lines = ["/* Made by persons.py: name, value of everybody, value of matched people. */"]
lines += [f'{{ "{name}", {v:.12g}, {matched[name]:.12g} }},' for name, v in everybody.items()]
poses.give("persons.h", "\n".join(lines) + "\n")
