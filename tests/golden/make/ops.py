"""ops.py: every operation of heed/ops.h with all its gradients, by PyTorch in float64 -> ops.safetensors.

Tensors OP/CASE/NAME: the inputs (formula OP/CASE/NAME, scale given here, stored all the same), "out",
"dy" (the gradient that comes in: the loss is sum(out·dy)), and "d.NAME" for each input that has a gradient.
"cfg" holds the numbers that the operation takes besides, in the order of its C arguments. README has the list.
"""
import torch
import torch.nn.functional as F
from common import f32, formula, i32, integers, save

OUT = {}
D = torch.float64


def case(op, name, inputs, run, cfg=None, fixed=None):
    """inputs {name: (shape, scale) or tensor}; fixed {name: tensor without gradient}."""
    key = f"{op}/{name}/"
    leaves = {}
    for n, v in inputs.items():
        t = v if torch.is_tensor(v) else formula(key + n, v[0], v[1])
        t = t.to(torch.float32).to(D)
        leaves[n] = t.clone().requires_grad_()
        OUT[key + n] = f32(t)
    for n, t in (fixed or {}).items():
        OUT[key + n] = f32(t) if t.is_floating_point() else i32(t)
    out = run(**leaves, **(fixed or {}))
    dy = formula(key + "dy", tuple(out.shape), 1.0)
    (out * dy).sum().backward()
    OUT[key + "out"], OUT[key + "dy"] = f32(out), f32(dy)
    for n, t in leaves.items():
        OUT[key + "d." + n] = f32(t.grad if t.grad is not None else torch.zeros_like(t))
    if cfg is not None:
        OUT[key + "cfg"] = f32(torch.tensor(cfg, dtype=D))


def arithmetic():
    for op, f in {"add": torch.add, "sub": torch.sub, "mul": torch.mul, "div": torch.div}.items():
        for name, a, b in [("same", (3, 7), (3, 7)), ("tail", (2, 3, 5), (5,)), ("one", (4, 9), (1,))]:
            key = f"{op}/{name}/"
            shift = 3.0 if op == "div" else 0.0
            case(op, name, {"a": (a, 1.0), "b": formula(key + "b", b) + shift}, lambda a, b, f=f: f(a, b))
    case("scale", "plain", {"x": ((3, 5), 1.0)}, lambda x: 1.5 * x - 0.25, cfg=[1.5, -0.25])


def functions():
    silu = F.silu
    table = {"exp": torch.exp, "tanh": torch.tanh, "sigmoid": torch.sigmoid, "relu": torch.relu, "gelu": F.gelu,
             "gelu_tanh": lambda x: F.gelu(x, approximate="tanh"), "silu": silu}
    for op, f in table.items():
        case(op, "plain", {"x": ((3, 17), 8.0)}, lambda x, f=f: f(x))
    case("log", "plain", {"x": formula("log/plain/x", (3, 17), 2.0) + 2.0625}, lambda x: torch.log(x))
    case("swiglu", "plain", {"gate": ((3, 17), 4.0), "up": ((3, 17), 2.0)}, lambda gate, up: silu(gate) * up)


def products():
    for name, x, o in [("row", (1, 5), 3), ("batch", (2, 3, 17), 9), ("wide", (4, 33), 40)]:
        i = x[-1]
        case("affine", name, {"x": (x, 1.0), "w": ((o, i), 0.5), "b": ((o,), 1.0)},
             lambda x, w, b: F.linear(x, w, b))
    acts = {"none": lambda y: y, "relu": torch.relu, "gelu": F.gelu, "silu": F.silu,
            "gelu_tanh": lambda y: F.gelu(y, approximate="tanh")}
    for act, f in acts.items():
        case("affine_act", act, {"x": ((2, 3, 7), 1.0), "w": ((5, 7), 0.5), "b": ((5,), 1.0), "residual": ((2, 3, 5), 1.0)},
             lambda x, w, b, residual, f=f: f(F.linear(x, w, b)) + residual)
    for name, a, b, ta, tb in [("nn", (2, 3, 5), (2, 5, 4), 0, 0), ("nt", (2, 3, 5), (2, 4, 5), 0, 1),
                               ("tn", (2, 5, 3), (2, 5, 4), 1, 0), ("tt", (5, 3), (4, 5), 1, 1),
                               ("shared", (2, 3, 5), (5, 4), 0, 0)]:
        case("matmul", name, {"a": (a, 1.0), "b": (b, 1.0)}, cfg=[ta, tb],
             run=lambda a, b, ta=ta, tb=tb: (a.mT if ta else a) @ (b.mT if tb else b))


def shapes():
    case("transpose", "inner", {"x": ((2, 3, 5), 1.0)}, lambda x: x.transpose(1, 2).contiguous(), cfg=[1, 2])
    case("transpose", "outer", {"x": ((2, 3, 5), 1.0)}, lambda x: x.transpose(0, 2).contiguous(), cfg=[0, 2])
    case("concat", "middle", {"a": ((2, 3, 5), 1.0), "b": ((2, 1, 5), 1.0)}, lambda a, b: torch.cat([a, b], 1), cfg=[1])
    case("slice", "middle", {"x": ((2, 7, 3), 1.0)}, lambda x: x[:, 2:5], cfg=[1, 2, 5])
    case("sum", "plain", {"x": ((3, 5), 1.0)}, lambda x: torch.sum(x))
    case("mean", "plain", {"x": ((3, 5), 1.0)}, lambda x: torch.mean(x))
    case("sum_axis", "middle", {"x": ((2, 4, 3), 1.0)}, lambda x: x.sum(1), cfg=[1])
    case("max", "plain", {"x": ((4, 9), 1.0)}, lambda x: x.max(-1).values)
    lengths = torch.tensor([5, 0, 2])
    mask = (torch.arange(5) < lengths[:, None]).double()[:, :, None]

    def mean_pool(x, lengths):
        return (x * mask).sum(1) / lengths.clamp(min=1)[:, None]

    def max_pool(x, lengths):
        y = x.masked_fill(mask == 0, float("-inf")).max(1).values
        return torch.where(lengths[:, None] > 0, y, torch.zeros_like(y))

    case("mean_pool", "lengths", {"x": ((3, 5, 7), 1.0)}, mean_pool, fixed={"lengths": lengths})
    case("max_pool", "lengths", {"x": ((3, 5, 7), 1.0)}, max_pool, fixed={"lengths": lengths})


def rows():
    for name, shape in [("short", (3, 5)), ("long", (2, 77))]:
        case("softmax", name, {"x": (shape, 4.0)}, lambda x: x.softmax(-1))
        case("log_softmax", name, {"x": (shape, 4.0)}, lambda x: x.log_softmax(-1))
        n = shape[-1]
        norm = {"x": (shape, 2.0), "gain": ((n,), 1.0)}
        case("layer_norm", name, {**norm, "bias": ((n,), 1.0)}, cfg=[1e-5],
             run=lambda x, gain, bias, n=n: F.layer_norm(x, (n,), gain, bias, 1e-5))
        case("rms_norm", name, norm, lambda x, gain: x / (x.square().mean(-1, keepdim=True) + 1e-5).sqrt() * gain, cfg=[1e-5])
        case("l2_norm", name, {"x": (shape, 2.0)}, lambda x: F.normalize(x, dim=-1, eps=1e-12), cfg=[1e-12])


def rotate(x, heads, dims, base, scale, interleaved, start):
    b, t, c = x.shape
    y = x.reshape(b, t, heads, c // heads)
    half = dims // 2
    angle = (torch.arange(start, start + t, dtype=D) / scale)[:, None] * base ** (-2 * torch.arange(half, dtype=D) / dims)
    cos, sin = angle.cos()[None, :, None], angle.sin()[None, :, None]
    turn, rest = y[..., :dims], y[..., dims:]
    p, q = (turn[..., 0::2], turn[..., 1::2]) if interleaved else (turn[..., :half], turn[..., half:])
    r, s = p * cos - q * sin, p * sin + q * cos
    turned = torch.stack([r, s], -1).flatten(-2) if interleaved else torch.cat([r, s], -1)
    return torch.cat([turned, rest], -1).reshape(b, t, c)


def tables():
    ids = torch.tensor([[1, 3, 3], [0, 6, 1]])
    case("embedding", "plain", {"table": ((7, 5), 1.0)}, lambda table, ids: table[ids], fixed={"ids": ids}, cfg=[-1])
    case("embedding", "padding", {"table": ((7, 5), 1.0)}, cfg=[3], fixed={"ids": ids},
         run=lambda table, ids: table[ids] * (ids != 3)[..., None])
    flat, offsets = torch.tensor([1, 3, 3, 0, 6]), torch.tensor([0, 3, 3, 5])
    for mode in ("sum", "mean"):
        case("embedding_bag", mode, {"table": ((7, 5), 1.0)}, cfg=[mode == "mean"], fixed={"ids": flat, "offsets": offsets},
             run=lambda table, ids, offsets, mode=mode: F.embedding_bag(ids, table, offsets, mode=mode, include_last_offset=True))
    # cfg: heads, dims, base, scale, interleaved, start
    for name, cfg in [("halves", (2, 6, 1e4, 1.0, 0, 0)), ("pairs", (2, 6, 1e4, 1.0, 1, 3)), ("part", (1, 4, 500.0, 2.0, 0, 4990))]:
        case("rotary", name, {"x": ((2, 4, 12), 1.0)}, lambda x, cfg=cfg: rotate(x, *cfg), cfg=list(cfg))


def losses():
    labels = integers("cross_entropy/labels", (6,), 5)
    labels[2] = 4
    weight = formula("cross_entropy/class_weight", (5,), 0.5) + 1
    # cfg: smoothing, ignore (-1: none), focal_gamma
    z = {"logits": ((6, 5), 4.0)}
    case("cross_entropy", "plain", z, lambda logits, labels: F.cross_entropy(logits, labels), fixed={"labels": labels}, cfg=[0, -1, 0])
    case("cross_entropy", "smooth", z, lambda logits, labels: F.cross_entropy(logits, labels, label_smoothing=0.1),
         fixed={"labels": labels}, cfg=[0.1, -1, 0])
    case("cross_entropy", "ignore", z, lambda logits, labels: F.cross_entropy(logits, labels, ignore_index=4),
         fixed={"labels": labels}, cfg=[0, 4, 0])
    case("cross_entropy", "weight", z, lambda logits, labels, class_weight: F.cross_entropy(logits, labels, class_weight),
         fixed={"labels": labels, "class_weight": weight}, cfg=[0, -1, 0])

    def focal(logits, labels):
        lp = logits.log_softmax(-1).gather(1, labels[:, None])[:, 0]
        return (-(1 - lp.exp()) ** 2 * lp).mean()

    case("cross_entropy", "focal", z, focal, fixed={"labels": labels}, cfg=[0, -1, 2])
    case("bce_logits", "plain", {"logits": ((4, 3), 8.0)}, lambda logits, target: F.binary_cross_entropy_with_logits(logits, target),
         fixed={"target": formula("bce/target", (4, 3), 0.5) + 0.5})
    case("mse", "plain", {"x": ((4, 3), 1.0), "target": ((4, 3), 1.0)},
         lambda x, target: F.mse_loss(x, target))
    p = formula("kl_div/plain/p", (4, 5), 2.0).softmax(-1).float().double()
    case("kl_div", "plain", {"logits": ((4, 5), 2.0)}, lambda logits, target: F.kl_div(logits.log_softmax(-1), target, reduction="batchmean"),
         fixed={"target": p})

    def nce(a, b):
        s = a @ b.T / 0.25
        y = torch.arange(len(s))
        return (F.cross_entropy(s, y) + F.cross_entropy(s.T, y)) / 2

    a, b = (F.normalize(formula(f"info_nce/plain/{n}", (5, 7)), dim=-1) for n in "ab")
    case("info_nce", "plain", {"a": a, "b": b}, nce, cfg=[0.25])

    def triplet(anchor, positive, negative):
        return ((anchor - positive).norm(dim=-1) - (anchor - negative).norm(dim=-1) + 0.5).clamp(min=0).mean()

    case("triplet", "plain", {n: ((5, 4), 1.0) for n in ("anchor", "positive", "negative")}, triplet, cfg=[0.5])


def convolutions():
    # cfg: stride, padding, dilation, groups
    for name, s, p, d, g in [("plain", 1, 0, 1, 1), ("all", 2, 2, 2, 2)]:
        case("conv1d", name, {"x": ((2, 4, 9), 1.0), "w": ((6, 4 // g, 3), 0.5), "b": ((6,), 1.0)}, cfg=[s, p, d, g],
             run=lambda x, w, b, s=s, p=p, d=d, g=g: F.conv1d(x, w, b, s, p, d, g))
        case("conv2d", name, {"x": ((2, 4, 7, 6), 1.0), "w": ((6, 4 // g, 3, 2), 0.5), "b": ((6,), 1.0)}, cfg=[s, p, d, g],
             run=lambda x, w, b, s=s, p=p, d=d, g=g: F.conv2d(x, w, b, s, p, d, g))
    case("max_pool2d", "plain", {"x": ((2, 3, 7, 6), 1.0)}, lambda x: F.max_pool2d(x, 3, 2), cfg=[3, 2])


def recurrent():
    cell = {"gates": ((3, 20), 2.0), "c": ((3, 5), 1.0)}

    def lstm_cell(gates, c):
        i, f, g, o = gates.chunk(4, -1)
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        return torch.stack([o.sigmoid() * c.tanh(), c])

    case("lstm_cell", "plain", cell, lstm_cell)

    def gru_cell(xg, hg, h):
        (xr, xz, xn), (hr, hz, hn) = xg.chunk(3, -1), hg.chunk(3, -1)
        r, z = (xr + hr).sigmoid(), (xz + hz).sigmoid()
        return (1 - z) * (xn + r * hn).tanh() + z * h

    case("gru_cell", "plain", {"xg": ((3, 15), 2.0), "hg": ((3, 15), 2.0), "h": ((3, 5), 1.0)}, gru_cell)


if __name__ == "__main__":
    for make in (arithmetic, functions, products, shapes, rows, tables, losses, convolutions, recurrent):
        make()
    save("ops.safetensors", OUT)
