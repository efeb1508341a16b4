"""attention_peers.py: our attention beside PyTorch, ONNX Runtime and OpenVINO, in one process, taking turns.

    ATEN_CPU_CAPABILITY=avx512 taskset -c 1 python bench/attention_peers.py build/bench/bench_attention_shim.so

f32, 8 heads of 64, one thread each. Prints the best time of each and the ratio best peer / ours; a peer that is not
installed is named and left out. --cpu takes the thread's CPU time instead of the clock, for a machine that is busy.
"""
import ctypes
import os
import sys
import time

import numpy as np
import torch
import torch.nn.functional as F

torch.set_num_threads(1)
lib = ctypes.CDLL(sys.argv[1])
lib.shim_open.restype = ctypes.c_void_p
lib.shim_peak.restype = ctypes.c_double
i64 = ctypes.c_int64
clock = time.thread_time if "--cpu" in sys.argv else time.perf_counter
H, D = 8, 64


def onnx_session(B, T, causal):
    import onnx
    import onnxruntime as ort
    from onnx import TensorProto, helper

    io = [helper.make_tensor_value_info(n, TensorProto.FLOAT, [B, T, H * D]) for n in "qkvy"]
    node = helper.make_node("MultiHeadAttention", ["q", "k", "v"], ["y"], domain="com.microsoft", num_heads=H,
                            unidirectional=int(causal))
    graph = helper.make_graph([node], "mha", io[:3], io[3:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)])
    model.ir_version = 8
    opts = ort.SessionOptions()
    opts.intra_op_num_threads = 1
    session = ort.InferenceSession(model.SerializeToString(), opts, providers=["CPUExecutionProvider"])
    x = {n: np.random.randn(B, T, H * D).astype(np.float32) for n in "qkv"}
    return lambda: session.run(None, x)


def openvino_request(B, T, causal):
    import openvino as ov
    import openvino.opset13 as ops

    p = [ops.parameter([B, H, T, D], np.float32) for _ in range(3)]
    y = ops.scaled_dot_product_attention(*p, causal=causal)
    core = ov.Core()
    model = core.compile_model(ov.Model([y], p), "CPU", {"INFERENCE_NUM_THREADS": 1, "INFERENCE_PRECISION_HINT": "f32",
                                                         "ENABLE_CPU_PINNING": False})
    request = model.create_infer_request()
    x = [np.random.randn(B, H, T, D).astype(np.float32) for _ in range(3)]
    return lambda: request.infer(x)


def best_of_turns(runs, seconds):
    """Each in turn, so that all see the same machine."""
    best = {name: 1e9 for name in runs}
    for run in runs.values():
        run()
    start = time.perf_counter()
    while time.perf_counter() - start < seconds:
        for name, run in runs.items():
            t = clock()
            run()
            best[name] = min(best[name], (clock() - t) * 1e3)
    return best


def show(what, best):
    peer = min(v for k, v in best.items() if k != "heed")
    print(f"{what:34s}" + "".join(f"{k} {v:8.2f} ms   " for k, v in best.items()) + f"ratio {peer / best['heed']:.2f}",
          flush=True)


def compare(B, T, causal):
    heed = lib.shim_open(i64(B), i64(T), i64(H), i64(D))
    ours = lambda back: lib.shim_step(ctypes.c_void_p(heed), int(causal), ctypes.c_float(0), back)
    q, k, v = (torch.randn(B, H, T, D, requires_grad=True) for _ in range(3))
    dy = torch.ones(B, H, T, D)

    def torch_forward():
        with torch.no_grad():
            F.scaled_dot_product_attention(q, k, v, is_causal=causal)

    def torch_both():
        F.scaled_dot_product_attention(q, k, v, is_causal=causal).backward(dy)
        q.grad = k.grad = v.grad = None

    runs = {"heed": lambda: ours(0), "torch": torch_forward}
    for name, make in (("onnxruntime", onnx_session), ("openvino", openvino_request)):
        try:
            runs[name] = make(B, T, causal)
            runs[name]()
        except Exception as e:  # not installed, or it lacks the operation
            runs.pop(name, None)
            print(f"({name} left out: {type(e).__name__} {str(e)[:80]})")
    what = f"B{B} H{H} T{T} D{D} " + ("causal" if causal else "full")
    seconds = 4 if T >= 2048 else 2
    show(what + " forward", best_of_turns(runs, seconds))
    show(what + " forward+backward", best_of_turns({"heed": lambda: ours(1), "torch": torch_both}, seconds))
    lib.shim_close(ctypes.c_void_p(heed))


os.environ.setdefault("OMP_NUM_THREADS", "1")
print(f"FMA peak of this core: {lib.shim_peak(b'avx512') or lib.shim_peak(b'avx2'):.1f} GFLOP/s")
for B, T in ((1, 2048), (8, 512), (8, 128)):
    for causal in (False, True):
        compare(B, T, causal)
