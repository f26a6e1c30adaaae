#!/usr/bin/env python3
"""The peer of `gnomon bench softargmax`: integral regression (Sun et al. 2018) of 64^3 volumes in PyTorch.

    torch_softargmax.py --batch 4 --threads 2 --steps 5

Prints one JSON line: the median time of forward and backward together. Give it the malloc settings of
`tools/bench/step`: without them it takes up to five times as long.
"""
import argparse, json, statistics, time
import torch

p = argparse.ArgumentParser()
for name, value in (("batch", 4), ("threads", 2), ("steps", 5), ("warmup", 2)):
    p.add_argument("--" + name, type=int, default=value)
p.add_argument("--bf16", action="store_true")
a = p.parse_args()
torch.set_num_threads(a.threads)
logits = (4 * torch.rand(a.batch, 16, 64, 64, 64) - 2).to(torch.bfloat16 if a.bf16 else torch.float32).requires_grad_()
cell = torch.arange(64, dtype=torch.float32)
taken = []
for i in range(a.warmup + a.steps):
    logits.grad = None
    start = time.perf_counter()
    share = torch.softmax(logits.float().flatten(2), -1).view_as(logits)  # [N J W V U]
    point = torch.stack([(share.sum(axes) * cell).sum(-1) for axes in ((2, 3), (2, 4), (3, 4))], -1)
    point.sum().backward()
    if i >= a.warmup:
        taken.append(time.perf_counter() - start)
print(json.dumps({"torch": torch.__version__, **vars(a), "step_s": round(statistics.median(taken), 4)}))
