#!/usr/bin/env python3
"""ops.py - values made by PyTorch for test_golden.c: python3 ops.py > ops.txt

Each record is a line "name extent extent ..." and a line of numbers, row-major. In and outgoing slopes are drawn in
double from a fixed seed; so are parameters. Every case is what one of our ops does in one call, batch norm in training mode."""
import torch
import torch.nn.functional as F

torch.manual_seed(2017)
torch.set_default_dtype(torch.float64)


def say(case, **tensors):
    for name, t in tensors.items():
        print(f"{case}.{name}", *t.shape)
        print(*(f"{v:.8g}" for v in t.detach().reshape(-1).tolist()))


def slopes(y, **leaves):
    g = torch.randn_like(y)
    d = torch.autograd.grad(y, list(leaves.values()), g)
    return {"out": y, "slope": g, **{f"d_{k}": v for k, v in zip(leaves, d)}}


def leaf(*shape):
    return torch.randn(*shape).requires_grad_()


for case, n, c, h, w, o, kernel, stride in (("conv1", 2, 5, 6, 7, 8, 1, 1), ("conv3", 1, 17, 6, 5, 6, 3, 1), ("conv3s2", 1, 16, 7, 6, 5, 3, 2),
                                            ("conv7s2", 1, 3, 10, 9, 10, 7, 2)):
    x, weight, bias = leaf(n, c, h, w), leaf(o, c, kernel, kernel), leaf(o)
    y = F.conv2d(x, weight, bias, stride, kernel // 2)
    say(case, x=x, weight=weight, bias=bias, **slopes(y, x=x, weight=weight, bias=bias))

# norm, ReLU, 3x3, + residual: the middle of a bottleneck as one op
x, weight, bias, scale, shift, add = leaf(2, 6, 5, 4), leaf(7, 6, 3, 3), leaf(7), leaf(6), leaf(6), leaf(2, 7, 5, 4)
y = F.conv2d(F.relu(F.batch_norm(x, None, None, scale, shift, True, 0.1, 1e-5)), weight, bias, 1, 1) + add
say("unit", x=x, weight=weight, bias=bias, scale=scale, shift=shift, add=add,
    **slopes(y, x=x, weight=weight, bias=bias, scale=scale, shift=shift, add=add))

x, scale, shift = leaf(3, 7, 4, 5), leaf(7), leaf(7)
y = F.batch_norm(x, None, None, scale, shift, True, 0.1, 1e-5)
say("norm", x=x, scale=scale, shift=shift, **slopes(y, x=x, scale=scale, shift=shift))
mean, variance = torch.randn(7), torch.rand(7) + 0.1
say("norm_eval", x=x, scale=scale, shift=shift, mean=mean, variance=variance, out=F.batch_norm(x, mean, variance, scale, shift, False, 0.1, 1e-5))

x = leaf(2, 5, 6, 8)
say("pool", x=x, **slopes(F.max_pool2d(x, 2), x=x))
x, add = leaf(2, 5, 3, 4), leaf(2, 5, 6, 8)
say("upsample", x=x, add=add, **slopes(F.interpolate(x, scale_factor=2, mode="nearest") + add, x=x, add=add))
x, weight, bias = leaf(3, 5, 2, 3), leaf(4, 30), leaf(4)
say("linear", x=x, weight=weight, bias=bias, **slopes(F.linear(x.flatten(1), weight, bias), x=x, weight=weight, bias=bias))
