"""common.py: how golden files are made: numbers from a formula, gradients in float64, safetensors out.

The formula, which the C side computes too (so large weights need not be stored): element i (row-major) of
the tensor called NAME is

    x  = fnv1a32(NAME) + i · 0x9E3779B9                         (mod 2^32)
    x ^= x >> 16;  x *= 0x7feb352d;  x ^= x >> 15;  x *= 0x846ca68b;  x ^= x >> 16
    value = ((x >> 8) · 2^-24 - 0.5) · 2 · scale                (exact in binary32: scale is a power of two)

fnv1a32: h = 2166136261; for each byte: h = (h ^ byte) · 16777619 (mod 2^32).

scale by `scale_of`: a matrix or higher [out, in, ..]: the largest power of two <= 1/sqrt(size/out); a
vector: 1/16, and 1 is added where NAME says it is a norm's gain ("norm" in NAME and ends in "weight").
Inputs and the like say their scale where they are made.
"""
import math
import os

import numpy as np
import torch
from safetensors.numpy import save_file

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
torch.set_num_threads(1)


def fnv1a(name):
    h = 2166136261
    for byte in name.encode():
        h = ((h ^ byte) * 16777619) & 0xFFFFFFFF
    return h


def bits(name, count):
    x = (np.uint64(fnv1a(name)) + np.arange(count, dtype=np.uint64) * np.uint64(0x9E3779B9)) & np.uint64(0xFFFFFFFF)
    x ^= x >> np.uint64(16)
    x = (x * np.uint64(0x7FEB352D)) & np.uint64(0xFFFFFFFF)
    x ^= x >> np.uint64(15)
    x = (x * np.uint64(0x846CA68B)) & np.uint64(0xFFFFFFFF)
    return x ^ (x >> np.uint64(16))


def formula(name, shape, scale=1.0):
    """A float64 tensor of the formula's values, each exact in binary32."""
    values = ((bits(name, math.prod(shape)) >> np.uint64(8)).astype(np.float64) * 2.0**-24 - 0.5) * 2 * scale
    return torch.from_numpy(values.reshape(shape))


def integers(name, shape, below):
    """(x >> 8) mod below, x as above."""
    return torch.from_numpy(((bits(name, math.prod(shape)) >> np.uint64(8)) % np.uint64(below)).astype(np.int64).reshape(shape))


def scale_of(name, shape):
    if len(shape) < 2:
        return 1 / 16
    return 2.0 ** math.floor(math.log2(1 / math.sqrt(math.prod(shape) / shape[0])))


def fill(module, prefix=""):
    """Sets every parameter of a module by the formula, NAME = prefix + PyTorch's name."""
    module.double()
    with torch.no_grad():
        for name, p in module.named_parameters():
            v = formula(prefix + name, tuple(p.shape), scale_of(name, p.shape))
            p.copy_(v + 1 if "norm" in name and name.endswith("weight") and p.dim() == 1 else v)
    return module


def f32(t):
    return np.ascontiguousarray(t.detach().numpy().astype(np.float32))


def i32(t):
    return np.ascontiguousarray(t.detach().numpy().astype(np.int32))


def summary(name, tensor, out):
    """A large tensor in few numbers. NAME.stats: sum, sum of squares, largest magnitude, dot with the formula
    of NAME ".probe" at scale 1. NAME.sample: element floor(k·size/n) for k < n = min(64, size)."""
    t = tensor.detach().reshape(-1)
    probe = formula(name + ".probe", (t.numel(),))
    out[name + ".stats"] = f32(torch.stack([t.sum(), (t * t).sum(), t.abs().max(), (t * probe).sum()]))
    n = min(64, t.numel())
    out[name + ".sample"] = f32(t[[k * t.numel() // n for k in range(n)]])


def save(file, tensors):
    path = os.path.join(HERE, file)
    save_file({k: np.ascontiguousarray(tensors[k]) for k in sorted(tensors)}, path)
    print(f"{file}: {len(tensors)} tensors, {os.path.getsize(path) / 1000:.0f} kB")
