#!/usr/bin/env python3
"""Samples a second of PyTorch's DataLoader over one of our shards: what `gnomon bench loader` measures, done its way.

  torch_loader.py SHARD [--workers 0|1|2] [--mode raw|affine] [--batch 32] [--passes 3]

raw: bytes as stored. affine: turned, scaled, mirrored and coloured at random, to 3 x 256 x 256 floats. One thread a process:
of several, on pictures this small, each mostly waits for the others. Prints one line of JSON.
"""
import argparse
import json
import math
import time

import h5py
import torch
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset

SIDE = 256


def affine(stored):
    """As gnomon's: angle and scale are normal, clamped to twice their deviation; colour is a gain a channel."""
    angle, power = (torch.randn(2).clamp(-2, 2) * torch.tensor([math.radians(30), 0.25])).tolist()
    zoom, mirror = 2.0**-power, -1.0 if torch.rand(()) < 0.5 else 1.0
    c, s = zoom * math.cos(angle), zoom * math.sin(angle)
    grid = F.affine_grid(torch.tensor([[[mirror * c, s, 0.0], [-mirror * s, c, 0.0]]]), (1, 3, SIDE, SIDE), align_corners=False)
    picture = stored.permute(2, 0, 1)[None].float()
    seen = F.grid_sample(picture, grid, mode="bilinear", padding_mode="border", align_corners=False)[0]
    return seen.mul_((1 + 0.4 * (2 * torch.rand(3, 1, 1) - 1)) / 255).clamp_(max=1)


class Shard(Dataset):
    def __init__(self, path, mode):
        self.path, self.change, self.file = path, affine if mode == "affine" else None, None
        with h5py.File(path, "r") as f:
            self.samples = len(f["image"])

    def __len__(self):
        return self.samples

    def __getitem__(self, i):
        if self.file is None:  # a handle must not cross a fork
            self.file = h5py.File(self.path, "r")
            self.image, self.joints = self.file["image"], self.file["joints2d"]
        picture, joints = torch.from_numpy(self.image[i]), torch.from_numpy(self.joints[i])
        return (self.change(picture) if self.change else picture), joints


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("shard")
    p.add_argument("--workers", type=int, default=2)
    p.add_argument("--mode", choices=["raw", "affine"], default="raw")
    p.add_argument("--batch", type=int, default=32)
    p.add_argument("--passes", type=int, default=3)
    a = p.parse_args()
    torch.set_num_threads(1)
    loader = DataLoader(Shard(a.shard, a.mode), a.batch, shuffle=True, drop_last=True, num_workers=a.workers,
                        persistent_workers=a.workers > 0)
    samples, seconds = 0, 0.0
    for k in range(a.passes + 1):  # the first starts the workers and opens the files
        since = time.perf_counter()
        for picture, joints in loader:
            samples += len(picture) if k else 0
        seconds += time.perf_counter() - since if k else 0
    print(json.dumps({"torch": torch.__version__, "workers": a.workers, "mode": a.mode, "rate": samples / seconds}))


if __name__ == "__main__":
    main()
