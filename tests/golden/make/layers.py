"""layers.py: layers with all gradients, by PyTorch in float64 -> layers.safetensors.

A CASE has inputs CASE/x (and others), parameters CASE/<heed's name>, CASE/out, the incoming gradient CASE/dy
(formula, scale 1) and CASE/d.<name> for every input and parameter. Parameters follow the formula by their
full name (common.py), so a case whose name is in LARGE stores of its tensors only `summary`s.
"""
import math

import torch
import torch.nn.functional as F
from torch import nn
from common import f32, formula, i32, save, scale_of, summary

OUT = {}
LARGE = {"listing000", "listing001", "encoder6"}
torch.set_default_dtype(torch.float64)


def attention_names(heed, torch_name, m):
    """[(heed's name, parameter, rows)] of an nn.MultiheadAttention; rows None: all."""
    c = m.embed_dim
    rows = []
    for i, n in enumerate("qkv"):
        part = slice(i * c, (i + 1) * c)
        if m.in_proj_weight is not None:
            rows.append((f"{heed}.{n}.weight", f"{torch_name}in_proj_weight", part))
        else:
            rows.append((f"{heed}.{n}.weight", f"{torch_name}{n}_proj_weight", None))
        if m.in_proj_bias is not None:
            rows.append((f"{heed}.{n}.bias", f"{torch_name}in_proj_bias", part))
    rows.append((f"{heed}.out.weight", f"{torch_name}out_proj.weight", None))
    if m.out_proj.bias is not None:
        rows.append((f"{heed}.out.bias", f"{torch_name}out_proj.bias", None))
    return rows


def stack_names(heed, torch_name, stack):
    rows = []
    for i, layer in enumerate(stack.layers):
        h, t = f"{heed}.layers.{i}", f"{torch_name}layers.{i}."
        rows += attention_names(h + ".self", t + "self_attn.", layer.self_attn)
        pairs = [("ff.up", "linear1"), ("ff.down", "linear2"), ("norm1", "norm1"), ("norm2", "norm2")]
        rows += [(f"{h}.{a}.{p}", f"{t}{b}.{p}", None) for a, b in pairs for p in ("weight", "bias")]
    if stack.norm is not None:
        rows += [(f"{heed}.norm.{p}", f"{torch_name}norm.{p}", None) for p in ("weight", "bias")]
    return rows


def plain_names(heed, module, prefix=""):
    """Modules whose PyTorch names are heed's."""
    return [(f"{heed}.{n}" if heed else n, prefix + n, None) for n, _ in module.named_parameters()]


def part(p, rows):
    return p if rows is None else p[rows]


def fill(key, module, names):
    params = dict(module.named_parameters())
    assert {t for _, t, _ in names} == set(params), set(params) ^ {t for _, t, _ in names}
    with torch.no_grad():
        for heed, t, rows in names:
            v = formula(key + heed, tuple(part(params[t], rows).shape), scale_of(heed, part(params[t], rows).shape))
            gain = "norm" in heed and heed.endswith("weight") and v.dim() == 1
            part(params[t], rows).copy_(v + 1 if gain else v)
    return params


def put(case, name, tensor):
    if case in LARGE:
        summary(f"{case}/{name}", tensor, OUT)
    else:
        OUT[f"{case}/{name}"] = f32(tensor)


def layer(case, module, names, inputs, run, fixed=None):
    """inputs {name: (shape, scale)}; run(module, inputs) -> out."""
    key = case + "/"
    params = fill(key, module, names)
    leaves = {n: formula(key + n, *v).requires_grad_() for n, v in inputs.items()}
    out = run(module, *leaves.values())
    dy = formula(key + "dy", tuple(out.shape))
    (out * dy).sum().backward()
    for n, t in (fixed or {}).items():
        OUT[key + n] = i32(t)
    put(case, "out", out)
    OUT[key + "count"] = i32(torch.tensor([sum(p.numel() for p in params.values())]))
    for n, t in leaves.items():
        if case not in LARGE:
            OUT[key + n] = f32(t)
        put(case, "d." + n, t.grad)
    for heed, t, rows in names:
        if case not in LARGE:
            OUT[key + heed] = f32(part(params[t], rows))
        put(case, "d." + heed, part(params[t].grad, rows))
    if case not in LARGE:
        OUT[key + "dy"] = f32(dy)


class MultiHead(nn.Module):
    """The articles' attention: Linear q, k, v, out; softmax(q kᵀ / sqrt(d_k)) v; `residual` as 001 has it."""

    def __init__(self, dim, heads, d_k, bias, residual=False):
        super().__init__()
        self.heads, self.d_k, self.residual = heads, d_k, residual
        self.q, self.k, self.v = (nn.Linear(dim, heads * d_k, bias=bias) for _ in range(3))
        self.out = nn.Linear(heads * d_k, dim)

    def forward(self, x):
        b, t, _ = x.shape
        q, k, v = (f(x).view(b, t, self.heads, self.d_k).transpose(1, 2) for f in (self.q, self.k, self.v))
        a = (q @ k.mT / math.sqrt(self.d_k)).softmax(-1)
        y = self.out((a @ v).transpose(1, 2).reshape(b, t, -1))
        return y + x if self.residual else y


def attention():
    m = MultiHead(256, 8, 32, True)
    layer("listing000", m, plain_names("mha", m), {"x": ((2, 10, 256), 1.0)}, lambda m, x: m(x))
    m = MultiHead(256, 8, 32, False, residual=True)
    layer("listing001", m, plain_names("mha", m), {"x": ((2, 10, 256), 1.0)}, lambda m, x: m(x))
    m = nn.MultiheadAttention(12, 3, batch_first=True)
    lengths = torch.tensor([6, 2])
    hidden = torch.arange(6) >= lengths[:, None]
    layer("mha_causal_lengths", m, attention_names("mha", "", m), {"x": ((2, 6, 12), 1.0)},
          lambda m, x: m(x, x, x, key_padding_mask=hidden, attn_mask=torch.ones(6, 6).triu(1).bool(), need_weights=False)[0],
          fixed={"lengths": lengths})


def stack():
    block = nn.TransformerEncoderLayer(256, 8, 2048, dropout=0.0, batch_first=True)
    m = nn.TransformerEncoder(block, 6, enable_nested_tensor=False)
    layer("encoder6", m, stack_names("enc", "", m), {"x": ((2, 10, 256), 1.0)}, lambda m, x: m(x))


class Additive(nn.Module):
    """002 put right (E13): score_t = v · tanh(W [h; e_t]), softmax over T, context = sum a_t e_t.
    W is kept as its two halves, w_q for h and w_k for e. The output is [context, weights]."""

    def __init__(self, hidden):
        super().__init__()
        self.w_q, self.w_k = nn.Linear(hidden, hidden), nn.Linear(hidden, hidden, bias=False)
        self.score_v = nn.Parameter(torch.zeros(hidden))

    def forward(self, h, e):
        a = ((self.w_q(h)[:, None] + self.w_k(e)).tanh() @ self.score_v).softmax(-1)
        return torch.cat([(a[:, :, None] * e).sum(1), a], -1)


class SelfStd(nn.Module):
    """004's listing: scores divided by their row's standard deviation (n-1), softmax, times V; W [5,3] as there."""

    def __init__(self):
        super().__init__()
        self.w_q, self.w_k, self.w_v = (nn.Parameter(torch.zeros(5, 3)) for _ in range(3))

    def forward(self, x):
        s = (x @ self.w_q) @ (x @ self.w_k).T
        return (s / s.std(-1, keepdim=True)).softmax(-1) @ (x @ self.w_v)


def articles():
    m = Additive(8)
    layer("additive002", m, plain_names("", m), {"h": ((2, 8), 1.0), "e": ((2, 5, 8), 1.0)}, lambda m, h, e: m(h, e))
    m = SelfStd()
    layer("self_std004", m, plain_names("", m), {"x": ((3, 5), 1.0)}, lambda m, x: m(x))


if __name__ == "__main__":
    for make in (attention, stack, articles):
        make()
    save("layers.safetensors", OUT)
