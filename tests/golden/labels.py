"""labels.py > labels.h - three samples through Zhou 2017's label conversions, worked out on their own.

Written from the paper's and the released code's description (millimetres, a 224-pixel crop, 1-based
pixels), not from kernels/: what agrees here agrees by different roads."""
from math import cos, exp, floor, hypot, sin, sqrt
from statistics import pvariance

SIDE, CELLS = 224, 64
EDGES = [(0, 1), (1, 2), (2, 6), (6, 3), (3, 4), (4, 5), (10, 11), (11, 12), (12, 8), (8, 13),
         (13, 14), (14, 15), (6, 8), (8, 9)]
GROUPS = [([(0, 1), (1, 2), (3, 4), (4, 5)], {(0, 1): 1.0085885098415446, (4, 5): 1.0085885098415446}),
          ([(10, 11), (11, 12), (13, 14), (14, 15)], {(10, 11): 1.1375361376887123, (14, 15): 1.1375361376887123}),
          ([(2, 6), (3, 6)], {}), ([(12, 8), (13, 8)], {})]
UPPER = [0.456008604234, 0.284125346475, 0.134201602044, 0.180776851782]  # metres, of a group's upper bone
STANDING = [(-150, 820, 30), (-140, 410, -20), (-110, 0, 0), (110, 0, 10), (150, 400, -90), (160, 810, 60),
            (0, -10, 0), (0, -260, -30), (0, -520, -10), (10, -740, -40), (-300, 10, -120),
            (-240, -230, 20), (-170, -480, 0), (170, -480, -10), (260, -260, -90), (340, -420, -260)]


def sample(i):
    """A standing person, turned about the vertical and leant: mm, and pixels with centres at integers."""
    a, b = [0.3, -1.1, 2.2][i], [0.1, -0.25, 0.4][i]
    place, focal = [(60, -40, 3400), (-120, 30, 4100), (200, 90, 2900)][i], [420, 530, 350][i]
    world, pixel = [], []
    for x, y, z in STANDING:
        x, z = cos(a) * x + sin(a) * z, cos(a) * z - sin(a) * x
        y, z = cos(b) * y - sin(b) * z, sin(b) * y + cos(b) * z
        p = (x + place[0], y + place[1], z + place[2])
        world.append(p)
        pixel.append((focal * p[0] / p[2] + 111.5, focal * p[1] / p[2] + 111.5))
    hidden = [[], [0, 14], [3, 8]][i]
    return world, pixel, [int(j not in hidden) for j in range(16)]


def factor(world, pixel):
    def seen(p):
        return sum(hypot(p[a][0] - p[b][0], p[a][1] - p[b][1]) for a, b in EDGES)
    return seen(pixel) / seen(world)


def paper(world, pixel):
    """A3.4 step by step, in Torch's 1-based pixels."""
    k, root = factor(world, pixel), 7
    add = (pixel[root][0] + 1, pixel[root][1] + 1, SIDE / 2)
    x = [[k * (p[c] - world[root][c]) + add[c] for c in range(3)] for p in world]
    x[7] = [(x[12][c] + x[13][c]) / 2 for c in range(3)]
    depth = [((p[2] - 1) * CELLS / SIDE + 1) / CELLS * 2 - 1 for p in x]
    return [(p[0] - 1, p[1] - 1) for p in x], depth


def exact_depth(world, pixel):
    return [factor(world, pixel) * (p[2] - world[6][2]) / (SIDE / 2) for p in world]


def heat(point, form):
    """Of a whole map: the sum, the sums weighted by column and by row, the highest cell."""
    corner = [(c + 0.5) * CELLS / SIDE for c in point]
    centre = [floor(c) if form == 'paper' else c - 0.5 for c in corner]
    total = across = down = top = 0
    for r in range(CELLS):
        for q in range(CELLS):
            x, y = q - centre[0], r - centre[1]
            value = exp(-(x * x + y * y) / (2 * 1.75 ** 2))
            if form == 'paper' and (abs(x) > 3 or abs(y) > 3):
                value = 0
            total, across, down, top = total + value, across + q * value, down + r * value, max(top, value)
    return total, across, down, top


def bone(pixel, depth, visible, form):
    at = [((p[0] + 0.5) * 2 / SIDE - 1, (p[1] + 0.5) * 2 / SIDE - 1, z) for p, z in zip(pixel, depth)]
    total = 0
    for g, (edges, weight) in enumerate(GROUPS):
        length = [weight.get((a, b), 1) * sqrt(sum((s - t) ** 2 for s, t in zip(at[a], at[b])))
                  / (UPPER[g] if form == 'paper' else 1) for a, b in edges if visible[a] and visible[b]]
        total += pvariance(length) if length else 0
    return total


def flat(x):
    return [v for e in x for v in flat(e)] if isinstance(x, (list, tuple)) else [x]


def write(name, values):
    values = flat(values)
    rows = [', '.join('%.15g' % v for v in values[i:i + 6]) for i in range(0, len(values), 6)]
    print('static const double golden_%s[%d] = {\n    %s,\n};' % (name, len(values), ',\n    '.join(rows)))


samples = [sample(i) for i in range(3)]
guess = [[0.2 * sin(1.7 * j + i) for j in range(16)] for i in range(3)]  # depths that a model might say
print('/* made by labels.py; do not edit */')
write('world', [[[c / 1000 for c in p] for p in s[0]] for s in samples])
write('pixel', [s[1] for s in samples])
write('visible', [s[2] for s in samples])
write('factor', [1000 * factor(*s[:2]) for s in samples])
write('paper_pixel', [paper(*s[:2])[0] for s in samples])
write('paper_depth', [paper(*s[:2])[1] for s in samples])
write('exact_depth', [exact_depth(*s[:2]) for s in samples])
for form in ('paper', 'exact'):
    write('heat_' + form, [[heat(p, form) for p in s[1]] for s in samples])
write('guess', guess)
for form in ('code', 'paper'):
    write('bone_' + form, [bone(s[1], z, s[2], form) for s, z in zip(samples, guess)])
