#!/usr/bin/env python3
"""The peer of `gnomon bench step`: a training step of the two-stack network of Zhou 2017 in PyTorch.

    torch_step.py --batch 4 --side 256 --threads 2 [--bf16] [--nchw] [--mode eager|compile|graph] --steps 5
    torch_step.py --device cuda --batch 32 --bf16 --mode graph --warmup 10 --steps 20

Prints one JSON line: the median step, the process's CPU seconds a step, its peak memory (on a GPU: of tensors there).
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


def captured(step):
    """The whole step as one CUDA graph."""
    beside = torch.cuda.Stream()
    beside.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(beside):
        for _ in range(5):
            step()
    torch.cuda.current_stream().wait_stream(beside)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step()
    return graph.replay


def times_here(step, count):
    wall = []
    for _ in range(count):
        t = time.perf_counter()
        step()
        wall.append(time.perf_counter() - t)
    return wall


def times_there(step, count):
    """Between marks on the device, so that the next step's launches need not wait for this one."""
    mark = [torch.cuda.Event(enable_timing=True) for _ in range(count + 1)]
    mark[0].record()
    for m in mark[1:]:
        step()
        m.record()
    torch.cuda.synchronize()
    return [1e-3 * a.elapsed_time(b) for a, b in zip(mark, mark[1:])]


def main():
    p = argparse.ArgumentParser()
    for name, value in (("batch", 4), ("side", 256), ("threads", 2), ("steps", 5), ("warmup", 2)):
        p.add_argument("--" + name, type=int, default=value)
    p.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    p.add_argument("--mode", default="eager", choices=("eager", "compile", "graph"))
    for name in ("bf16", "nchw"):
        p.add_argument("--" + name, action="store_true")
    a = p.parse_args()
    torch.set_num_threads(a.threads)
    torch.manual_seed(1)
    there, graph = a.device == "cuda", a.mode == "graph"
    torch.backends.cudnn.benchmark = there

    net = Zhou(a.side).to(a.device).train()
    picture = torch.rand(a.batch, 3, a.side, a.side, device=a.device)
    if not a.nchw:
        net, picture = net.to(memory_format=torch.channels_last), picture.contiguous(memory_format=torch.channels_last)
    target = torch.rand(a.batch, 16, a.side // 4, a.side // 4, device=a.device)
    depth = torch.randn(a.batch, 16, device=a.device)
    optimizer = torch.optim.RMSprop(net.parameters(), lr=2.5e-4, **({"foreach": True, "capturable": graph} if there else {}))
    run = torch.compile(net) if a.mode == "compile" else net

    def step():
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast(a.device, dtype=torch.bfloat16, enabled=a.bf16):
            maps, z = run(picture)
        loss = sum(F.mse_loss(m.float(), target) for m in maps) + 0.1 * F.mse_loss(z.float(), depth)
        loss.backward()
        optimizer.step()

    timed = captured(step) if graph else step
    times = times_there if there else times_here
    times(timed, a.warmup)
    cpu = time.process_time()
    wall = times(timed, a.steps)
    cpu = time.process_time() - cpu
    print(json.dumps({
        "torch": torch.__version__, **vars(a), "parameters": sum(q.numel() for q in net.parameters()),
        "step_s": round(statistics.median(wall), 6), "cpu_s": round(cpu / a.steps, 4),
        "peak_mb": (torch.cuda.max_memory_allocated() if there else 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) // 2**20}))


main()
