"""gemm_peers.py: our f32 product beside torch.mm and nn.Linear, in one process, taking turns.

    ATEN_CPU_CAPABILITY=avx512 taskset -c 1 python bench/gemm_peers.py build/bench/bench_gemm_shim.so

Prints GFLOP/s (best of turns) and the ratio ours / theirs. One thread each.
With CPU_TIME in the environment the thread's own processor time counts, for a machine that is busy."""
import ctypes
import os
import sys
import time

import torch

torch.set_num_threads(1)
clock = time.thread_time if "CPU_TIME" in os.environ else time.perf_counter
lib = ctypes.CDLL(sys.argv[1])
lib.shim_peak.restype = ctypes.c_double
lib.shim_scratch.restype = ctypes.c_int64
i64, ptr = ctypes.c_int64, lambda t: ctypes.c_void_p(t.data_ptr())


def best(run, flop, seconds=0.04):
    run()
    top = 0.0
    start = clock()
    while clock() - start < seconds:
        t = clock()
        run()
        top = max(top, flop / (clock() - t) * 1e-9)
    return top


def compare(m, n, k):
    a, w, b = torch.randn(m, k), torch.randn(n, k), torch.randn(k, n)
    out, c = torch.empty(m, n), torch.empty(m, n)
    at, flop = a.t().contiguous(), 2.0 * m * n * k
    scratch = torch.empty(lib.shim_scratch(i64(m), i64(n), i64(k)) + 16)
    base = ctypes.c_void_p((scratch.data_ptr() + 63) // 64 * 64)

    def ours(left, right, forms):
        args = (i64(m), i64(n), i64(k), ptr(left), ptr(right), ptr(c), i64(forms), base)
        return lambda: lib.shim_gemm(*args)

    pairs = {
        "mm NN": (ours(a, b, 0), lambda: torch.mm(a, b, out=out)),
        "linear NT": (ours(a, w, 2), lambda: torch.nn.functional.linear(a, w)),
        "mm TN": (ours(at, b, 1), lambda: torch.mm(at.t(), b, out=out)),
    }
    for name, (we, they) in pairs.items():
        us = them = 0.0
        for _ in range(4):
            us, them = max(us, best(we, flop)), max(them, best(they, flop))
        print(f"{m:5} {n:5} {k:5}  {name:10} ours {us:7.1f}  torch {them:7.1f}  "
              f"ratio {us / them:5.2f}", flush=True)


print(f"torch {torch.__version__} {torch.backends.cpu.get_cpu_capability()}, "
      f"FMA peak {lib.shim_peak():.1f} GFLOP/s")
with torch.no_grad():
    shapes = [tuple(map(int, s.split("x"))) for s in sys.argv[2:]] or [
        (1024, 1024, 1024), (512, 768, 768), (128, 768, 768), (32, 768, 768), (8, 768, 768),
        (1, 768, 768), (1024, 256, 1024), (1024, 1024, 256)]
    for shape in shapes:
        compare(*shape)
