#!/usr/bin/env python3
"""Golden values of the metrics, by NumPy: python3 tests/golden/metrics.py > tests/golden/metrics.h

Written from the papers' definitions, not from src/train. The truth is nine real poses (poses.h), what is said differs from it
by sines of the indices (test_metric.c says the same), so only results are kept. Similarity alignment goes by SVD here
and by quaternions there. --check compares with what is committed; 77: there is no NumPy."""
import poses

try:
    import numpy as np
except ImportError:
    poses.skip("no NumPy")

N, J, SIDE, PELVIS, THORAX, NECK = 9, 16, 96, 6, 7, 8
EDGES = [(0, 1), (1, 2), (2, 6), (6, 3), (3, 4), (4, 5), (10, 11), (11, 12), (12, 8), (8, 13), (13, 14), (14, 15), (6, 8), (8, 9)]
PARENT = {0: 1, 1: 2, 4: 3, 5: 4, 10: 11, 11: 12, 14: 13, 15: 14}
i, j, k = np.meshgrid(np.arange(N), np.arange(J), np.arange(3), indexing="ij")
camera = [120.0, 125.0, 47.5, 46.5]  # fx fy cx cy

xyz = np.reshape(poses.committed(), (N, J, 3)).astype(np.float32).astype(float)  # labels are floats
uv = np.stack([camera[a] * xyz[..., a] / xyz[..., 2] + camera[2 + a] for a in (0, 1)], -1).astype(np.float32).astype(float)
flag = np.arange(N)[:, None] * 5 + np.arange(J)[None, :]
seen2d = flag % 7 != 2
seen3d = (flag % 7 != 3) | (np.arange(J)[None, :] == PELVIS)
head = (7 + np.arange(N)).astype(float)

true = 1000 * (xyz - xyz[:, PELVIS : PELVIS + 1])
said = 1000 * ((xyz - xyz[:, PELVIS : PELVIS + 1]) + np.where(k == 2, 0.2, 0.08) * np.sin(3.1 * i + 1.9 * j + 2.7 * k))
said_root = 1000 * (xyz[:, PELVIS] + 0.03 * np.sin(1.7 * i[:, 0] + 2.3 * k[:, 0]))
said_uv = uv + 6 * np.sin(2.1 * i + 1.7 * j + 0.6 * k)[..., :2]
said_z = 2 / SIDE * camera[0] / xyz[:, PELVIS, 2][:, None] * said[..., 2] / 1000  # half pictures, at the root's scale

named = [x not in (PELVIS, THORAX) for x in range(J)]
accurate = [x in (0, 1, 2, 3, 4, 5, 10, 11, 14, 15) for x in range(J)]


def mean(values, keep):
    return float(np.mean(np.asarray(values)[keep]))


def norm(x):
    return np.sqrt((x * x).sum(-1))


def scaled(x, y, m):
    return x * (x[m] * y[m]).sum() / (x[m] ** 2).sum()


def similar(x, y, m):
    a, b = x[m], y[m]
    a0, b0 = a.mean(0), b.mean(0)
    u, s, vt = np.linalg.svd((a - a0).T @ (b - b0))
    d = np.diag([1, 1, np.sign(np.linalg.det(u @ vt))])
    r = vt.T @ d @ u.T
    scale = np.trace(np.diag(s) @ d) / ((a - a0) ** 2).sum()
    return (x - a0) @ r.T * scale + b0


mean_pose = np.array([true[seen3d[:, q], q].mean(0) for q in range(J)])
mean_uv = np.array([uv[seen2d[:, q], q].mean(0) for q in range(J)])
median = np.array([np.median(true[seen3d[:, q], q, 2]) for q in range(J)])
constant = np.broadcast_to(mean_pose, true.shape)


def aligned(x):
    e = norm(x - true)
    pck = seen3d & named
    yield "mpjpe_mm", mean(e, seen3d)
    yield "n_mpjpe_mm", mean([norm(scaled(x[q], true[q], seen3d[q]) - true[q]) for q in range(N)], seen3d)
    yield "pa_mpjpe_mm", mean([norm(similar(x[q], true[q], seen3d[q]) - true[q]) for q in range(N)], seen3d)
    yield "pck3d", 100 * mean(e < 150, pck)
    yield "auc3d", 100 * float(np.mean([mean(e < t, pck) for t in range(0, 151, 5)]))


def absolute(x, root):
    """Camera coordinates, nothing aligned: ITOP's mAP counts all joints alike, strictly below 10 cm."""
    e = norm(x + root[:, None] - 1000 * xyz)
    yield "mpjpe_abs_mm", mean(e, seen3d)
    yield "map10", 100 * mean(e < 100, seen3d)


def middle(x):
    x = x.copy()
    x[:, THORAX] = (x[:, PELVIS] + x[:, NECK]) / 2
    return x


def canonical():
    x = np.concatenate([said_uv, said_z[..., None] * SIDE / 2], -1)
    total = sum(norm(x[:, a] - x[:, b]) for a, b in EDGES)
    return (x - x[:, PELVIS : PELVIS + 1]) * (4296.99233013 / total)[:, None, None]


def own2d():
    z = 1000 * xyz[:, PELVIS, 2][:, None] + mean_pose[None, :, 2]
    x = np.stack([(said_uv[..., 0] - camera[2]) / camera[0] * z, (said_uv[..., 1] - camera[3]) / camera[1] * z, z], -1)
    return x - x[:, PELVIS : PELVIS + 1]


def flat(x):
    e = norm(x - uv)
    return 100 * mean(e < head[:, None] / 2, seen2d & named), 100 * mean(e <= SIDE / 20, seen2d & accurate)


def order():
    right, count, more = 0, 0, 0
    for b, a in PARENT.items():
        t = true[:, b, 2] - true[:, a, 2]
        m = seen3d[:, a] & seen3d[:, b] & (abs(t) > 100)
        p = said[:, b, 2] - said[:, a, 2]
        right, count = right + ((p * t > 0) & m).sum(), count + m.sum()
        more += max((m & (t > 0)).sum(), (m & (t < 0)).sum())
    return 100 * right / count, 100 * more / count


def limb(a, b, c, d):
    return float(np.mean(abs(norm(said[:, a] - said[:, b]) - norm(said[:, c] - said[:, d]))))


value, base = dict(aligned(said)), dict(aligned(constant))
value.update(absolute(said, said_root))
base.update(absolute(constant, 1000 * xyz[:, PELVIS]))
there = seen3d.copy()
there[:, THORAX] = seen3d[:, NECK]  # the middle is there where its ends are
value["canonical_mpjpe_mm"] = mean(norm(middle(canonical()) - middle(true)), there)
base["canonical_mpjpe_mm"] = mean(norm(middle(constant) - middle(true)), there)
value["own2d_mpjpe_mm"], base["own2d_mpjpe_mm"] = mean(norm(own2d() - true), seen3d), base["mpjpe_mm"]
value["pckh"], value["pck"] = flat(said_uv)
base["pckh"], base["pck"] = flat(np.broadcast_to(mean_uv, uv.shape))
below = seen3d & (np.arange(J) != PELVIS)
value["depth_mm"] = mean(abs(said - true)[..., 2], below)
base["depth_mm"] = mean(abs(median - true[..., 2]), below)
value["depth_order"], base["depth_order"] = order()
value["upper_arm_mm"], value["lower_arm_mm"] = limb(13, 14, 12, 11), limb(14, 15, 11, 10)
value["upper_leg_mm"], value["lower_leg_mm"] = limb(3, 4, 2, 1), limb(4, 5, 1, 0)

lines = ["/* Made by metrics.py: name, value, value of the baseline. */"]
for name, v in value.items():
    lines.append(f'{{ "{name}", {v:.12g}, {format(base[name], ".12g") if name in base else "NAN"} }},')
poses.give("metrics.h", "\n".join(lines) + "\n")
