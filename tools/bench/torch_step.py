#!/usr/bin/env python3
"""The peer of `gnomon bench step`: a training step of the two-stack network of Zhou 2017 in PyTorch.

    torch_step.py --batch 4 --side 256 --threads 2 [--bf16] [--nchw] [--compile] --steps 5

Prints one JSON line: the median step, the process's CPU seconds a step, its peak memory.
"""
import argparse, json, resource, statistics, time
import torch
from torch import nn
import torch.nn.functional as F


def conv(x, y, kernel=1, stride=1):
    return nn.Conv2d(x, y, kernel, stride, kernel // 2)


class Residual(nn.Module):
    def __init__(self, x, y):
        super().__init__()
        h = y // 2
        self.norm = nn.ModuleList(nn.BatchNorm2d(c) for c in (x, h, h))
        self.conv = nn.ModuleList((conv(x, h), conv(h, h, 3), conv(h, y)))
        self.skip = conv(x, y) if x != y else nn.Identity()

    def forward(self, x):
        y = x
        for n, c in zip(self.norm, self.conv):
            y = c(F.relu(n(y), inplace=True))
        return y + self.skip(x)


def two(c):
    return nn.Sequential(Residual(c, c), Residual(c, c))


class Hourglass(nn.Module):
    def __init__(self, c, depth=4):
        super().__init__()
        self.up, self.down, self.last = two(c), two(c), two(c)
        self.inner = Hourglass(c, depth - 1) if depth > 1 else two(c)

    def forward(self, x):
        low = self.last(self.inner(self.down(F.max_pool2d(x, 2))))
        return self.up(x) + F.interpolate(low, scale_factor=2.0, mode="nearest")


class Zhou(nn.Module):
    def __init__(self, side, c=256, joints=16, stacks=2):
        super().__init__()
        self.stem = nn.Sequential(conv(3, 64, 7, 2), nn.BatchNorm2d(64), nn.ReLU(inplace=True), Residual(64, 128),
                                  nn.MaxPool2d(2), Residual(128, 128), Residual(128, c))
        self.glass = nn.ModuleList(Hourglass(c) for _ in range(stacks))
        self.feature = nn.ModuleList(nn.Sequential(two(c), conv(c, c), nn.BatchNorm2d(c), nn.ReLU(inplace=True))
                                     for _ in range(stacks))
        self.heat = nn.ModuleList(conv(c, joints) for _ in range(stacks))
        self.back = nn.ModuleList(nn.ModuleList((conv(c, c), conv(joints, c))) for _ in range(stacks))
        stages, s = [], side // 4
        for _ in range(4):
            stages += [two(c), nn.MaxPool2d(2)]
            s //= 2
        self.depth = nn.Sequential(*stages, nn.Flatten(), nn.Linear(c * s * s, joints))

    def forward(self, picture):
        x, maps = self.stem(picture), []
        for glass, feature, heat, (f, h) in zip(self.glass, self.feature, self.heat, self.back):
            y = feature(glass(x))
            maps.append(heat(y))
            x = x + f(y) + h(maps[-1])
        return maps, self.depth(x)


def main():
    p = argparse.ArgumentParser()
    for name, value in (("batch", 4), ("side", 256), ("threads", 2), ("steps", 5), ("warmup", 2)):
        p.add_argument("--" + name, type=int, default=value)
    for name in ("bf16", "nchw", "compile"):
        p.add_argument("--" + name, action="store_true")
    a = p.parse_args()
    torch.set_num_threads(a.threads)
    torch.manual_seed(1)

    net = Zhou(a.side).train()
    picture = torch.rand(a.batch, 3, a.side, a.side)
    if not a.nchw:
        net, picture = net.to(memory_format=torch.channels_last), picture.contiguous(memory_format=torch.channels_last)
    target, depth = torch.rand(a.batch, 16, a.side // 4, a.side // 4), torch.randn(a.batch, 16)
    optimizer = torch.optim.RMSprop(net.parameters(), lr=2.5e-4)
    run = torch.compile(net) if a.compile else net

    def step():
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=a.bf16):
            maps, z = run(picture)
        loss = sum(F.mse_loss(m.float(), target) for m in maps) + 0.1 * F.mse_loss(z.float(), depth)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    wall, cpu = [], []
    for i in range(a.warmup + a.steps):
        t, c = time.perf_counter(), time.process_time()
        step()
        if i >= a.warmup:
            wall.append(time.perf_counter() - t)
            cpu.append(time.process_time() - c)
    print(json.dumps({
        "torch": torch.__version__, **vars(a), "parameters": sum(q.numel() for q in net.parameters()),
        "step_s": round(statistics.median(wall), 4), "cpu_s": round(statistics.median(cpu), 4),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024}))


main()
