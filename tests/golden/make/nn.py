"""Golden files of layers and models, by PyTorch in float64: tests/golden/<case>.safetensors.

    python tests/golden/make/nn.py            (PyTorch 2.x, safetensors)

Each file holds: param/<our name> (float32 first values), in/<name> inputs, out (activations),
grad/<our name> and grad_in/<name> of one step, losses [10] (float64) of ten steps of plain SGD with
learning rate `lr` [1]. Weights are drawn from fixed seeds, rounded to float32, then all is computed
in float64.
"""
import math
import os
import sys

import torch
from safetensors.torch import save_file
from torch import nn
import torch.nn.functional as F

OUT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
torch.set_default_dtype(torch.float64)


def ours_mha(ours, mha):
    """[(our name, tensor view)] of an nn.MultiheadAttention."""
    c = mha.embed_dim
    out = []
    if mha.in_proj_weight is not None:
        ws = [(mha.in_proj_weight, i * c, c) for i in range(3)]
    else:
        ws = [(mha.q_proj_weight, 0, c), (mha.k_proj_weight, 0, c), (mha.v_proj_weight, 0, c)]
    for i, part in enumerate("qkv"):
        out.append((f"{ours}.{part}.weight", *ws[i]))
        if mha.in_proj_bias is not None:
            out.append((f"{ours}.{part}.bias", mha.in_proj_bias, i * c, c))
    out.append((f"{ours}.out.weight", mha.out_proj.weight, 0, c))
    if mha.out_proj.bias is not None:
        out.append((f"{ours}.out.bias", mha.out_proj.bias, 0, c))
    return out


def whole(name, p):
    return (name, p, 0, p.shape[0])


def ours_layer(ours, layer, decoder):
    out = ours_mha(f"{ours}.self", layer.self_attn)
    names = [("ff.up", layer.linear1), ("ff.down", layer.linear2), ("norm1", layer.norm1)]
    if decoder:
        out += ours_mha(f"{ours}.cross", layer.multihead_attn)
        names += [("norm_cross", layer.norm2), ("norm2", layer.norm3)]
    else:
        names += [("norm2", layer.norm2)]
    for name, m in names:
        out += [whole(f"{ours}.{name}.weight", m.weight), whole(f"{ours}.{name}.bias", m.bias)]
    return out


def ours_rnn(ours, rnn):
    return [whole(f"{ours}.{n}", p) for n, p in rnn.named_parameters()]


def ours_stack(ours, stack, decoder):
    out = []
    for i, layer in enumerate(stack.layers):
        out += ours_layer(f"{ours}.layers.{i}", layer, decoder)
    if stack.norm is not None:
        out += [whole(f"{ours}.norm.weight", stack.norm.weight), whole(f"{ours}.norm.bias", stack.norm.bias)]
    return out


def round_params(names):
    """First values off the defaults (biases, gains) and representable as float32."""
    seen = set()
    with torch.no_grad():
        for name, p, _, _ in names:
            if id(p) in seen:
                continue
            seen.add(id(p))
            if p.dim() == 1:
                p.add_(0.1 * torch.randn(p.shape))
            p.copy_(p.float().double())


def save(case, names, inputs, forward, lr, want=()):
    """forward(inputs) -> (out, loss)."""
    round_params(names)
    tensors = {f"param/{n}": p[a:a + k].detach().float().contiguous().clone() for n, p, a, k in names}
    for n, t in inputs.items():
        tensors[f"in/{n}"] = (t.float() if t.is_floating_point() else t.to(torch.int32)).contiguous()
        if t.is_floating_point():
            inputs[n] = t.float().double()
    for n in want:
        inputs[n].requires_grad_(True)
    params = list({id(p): p for _, p, _, _ in names}.values())
    losses = []
    for step in range(10):
        for p in params:
            p.grad = None
        out, loss = forward(inputs)
        loss.backward()
        losses.append(loss.item())
        if step == 0:
            tensors["out"] = out.detach().float().contiguous()
            for n, p, a, k in names:
                tensors[f"grad/{n}"] = p.grad[a:a + k].float().contiguous().clone()
            for n in want:
                tensors[f"grad_in/{n}"] = inputs[n].grad.float().contiguous()
        with torch.no_grad():
            for p in params:
                p -= lr * p.grad
    tensors["losses"] = torch.tensor(losses)
    tensors["lr"] = torch.tensor([lr])
    path = os.path.join(OUT, f"{case}.safetensors")
    save_file(tensors, path)
    print(f"{case}: {len(tensors)} tensors, {os.path.getsize(path)} bytes, losses {losses[0]:.6f} .. {losses[-1]:.6f}")


def weighted(out, w):
    return (out * w).sum() / out.numel() + 0.5 * (out * out).mean()


def rnn_case(case, kind, layers, both):
    torch.manual_seed(11)
    rnn = kind(12, 20, layers, batch_first=True, bidirectional=both)
    lengths = torch.tensor([7, 3, 9, 1])
    x = torch.randn(4, 9, 12)
    w = torch.randn(4, 9, 40 if both else 20)

    def forward(i):
        packed = nn.utils.rnn.pack_padded_sequence(i["x"], lengths, True, False)
        out, _ = nn.utils.rnn.pad_packed_sequence(rnn(packed)[0], True, total_length=9)
        return out, weighted(out, i["w"])

    save(case, ours_rnn("rnn", rnn), {"x": x, "w": w, "lengths": lengths}, forward, 0.3, ["x"])


def mha_case(case, c, heads, kdim, vdim, bias, same):
    torch.manual_seed(12)
    mha = nn.MultiheadAttention(c, heads, bias=bias, kdim=kdim, vdim=vdim, batch_first=True)
    b, t, s = 3, 10, 10 if same else 13
    inputs = {"q": torch.randn(b, t, c), "w": torch.randn(b, t, c)}
    if not same:
        inputs |= {"k": torch.randn(b, s, kdim or c), "v": torch.randn(b, s, vdim or c)}

    def forward(i):
        out = mha(i["q"], i.get("k", i["q"]), i.get("v", i["q"]), need_weights=False)[0]
        return out, weighted(out, i["w"])

    save(case, ours_mha("mha", mha), inputs, forward, 0.3, ["q"] if same else ["q", "k", "v"])


def split_heads_case(case):
    """Head widths of their own: 4 heads with d_k 6, d_v 10 over d_model 16; no bias on q, k, v."""
    torch.manual_seed(13)
    h, dk, dv, c = 4, 6, 10, 16
    q, k, v = nn.Linear(c, h * dk, False), nn.Linear(c, h * dk, False), nn.Linear(c, h * dv, False)
    o = nn.Linear(h * dv, c)

    def forward(i):
        x = i["q"]
        b, t, _ = x.shape
        cut = lambda y, d: y.view(b, t, h, d).transpose(1, 2)
        a = torch.softmax(cut(q(x), dk) @ cut(k(x), dk).transpose(2, 3) / math.sqrt(dk), -1) @ cut(v(x), dv)
        out = o(a.transpose(1, 2).reshape(b, t, h * dv))
        return out, weighted(out, i["w"])

    names = [whole("mha.q.weight", q.weight), whole("mha.k.weight", k.weight), whole("mha.v.weight", v.weight),
             whole("mha.out.weight", o.weight), whole("mha.out.bias", o.bias)]
    save(case, names, {"q": torch.randn(2, 9, c), "w": torch.randn(2, 9, c)}, forward, 0.3, ["q"])


def pad_mask(lengths, t):
    return torch.arange(t)[None, :] >= lengths[:, None]


def encoder_case(case, pre, act):
    torch.manual_seed(14)
    layer = nn.TransformerEncoderLayer(32, 4, 56, 0.0, act, norm_first=pre, batch_first=True)
    enc = nn.TransformerEncoder(layer, 3, nn.LayerNorm(32) if pre else None, enable_nested_tensor=False)
    for p in enc.parameters():
        if p.dim() > 1:
            nn.init.xavier_uniform_(p)
    lengths = torch.tensor([11, 4, 7])
    keep = (~pad_mask(lengths, 11)).double()[:, :, None]

    def forward(i):
        out = enc(i["x"], src_key_padding_mask=pad_mask(lengths, 11)) * keep
        return out, weighted(out, i["w"])

    inputs = {"x": torch.randn(3, 11, 32), "w": torch.randn(3, 11, 32), "lengths": lengths, "keep": keep.expand(3, 11, 32)}
    save(case, ours_stack("enc", enc, False), inputs, forward, 0.1, ["x"])


def decoder_case(case, pre, act):
    torch.manual_seed(15)
    layer = nn.TransformerDecoderLayer(32, 4, 56, 0.0, act, norm_first=pre, batch_first=True)
    dec = nn.TransformerDecoder(layer, 2, nn.LayerNorm(32) if pre else None)
    for p in dec.parameters():
        if p.dim() > 1:
            nn.init.xavier_uniform_(p)
    lengths = torch.tensor([9, 5, 2])
    causal = torch.triu(torch.ones(7, 7, dtype=torch.bool), 1)

    def forward(i):
        out = dec(i["x"], i["memory"], tgt_mask=causal, memory_key_padding_mask=pad_mask(lengths, 9))
        return out, weighted(out, i["w"])

    inputs = {"x": torch.randn(3, 7, 32), "memory": torch.randn(3, 9, 32), "w": torch.randn(3, 7, 32), "lengths": lengths}
    save(case, ours_stack("dec", dec, True), inputs, forward, 0.1, ["x", "memory"])


def sinusoids(n, c):
    pos, i = torch.arange(n, dtype=torch.float64)[:, None], torch.arange(0, c, 2, dtype=torch.float64)[None, :]
    table = torch.zeros(n, c)
    table[:, 0::2] = torch.sin(pos / 10000 ** (i / c))
    table[:, 1::2] = torch.cos(pos / 10000 ** (i / c))[:, : c // 2]
    return table


def linear_names(ours, m):
    return [whole(f"{ours}.weight", m.weight)] + ([whole(f"{ours}.bias", m.bias)] if m.bias is not None else [])


def classic_case(case):
    torch.manual_seed(16)
    embed, rnn = nn.Embedding(40, 16), nn.LSTM(16, 16, batch_first=True)
    mha, head = nn.MultiheadAttention(16, 4, batch_first=True), nn.Linear(16, 5)
    lengths = torch.tensor([12, 5, 9, 1])

    def forward(i):
        packed = nn.utils.rnn.pack_padded_sequence(embed(i["ids"].long()), lengths, True, False)
        h, _ = nn.utils.rnn.pad_packed_sequence(rnn(packed)[0], True, total_length=12)
        a = mha(h, h, h, key_padding_mask=pad_mask(lengths, 12), need_weights=False)[0]
        keep = (~pad_mask(lengths, 12)).double()[:, :, None]
        out = head((a * keep).sum(1) / lengths[:, None])
        return out, F.cross_entropy(out, i["labels"].long())

    names = [whole("embed.weight", embed.weight)] + ours_rnn("rnn", rnn) + ours_mha("attention", mha) + linear_names("head", head)
    inputs = {"ids": torch.randint(0, 40, (4, 12)), "lengths": lengths, "labels": torch.randint(0, 5, (4,))}
    save(case, names, inputs, forward, 0.5)


def classifier_case(case):
    torch.manual_seed(17)
    embed, head = nn.Embedding(40, 24), nn.Linear(24, 5)
    layer = nn.TransformerEncoderLayer(24, 4, 48, 0.0, "relu", batch_first=True)
    enc = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
    lengths = torch.tensor([12, 5, 9, 1])

    def forward(i):
        x = embed(i["ids"].long()) + sinusoids(12, 24)
        h = enc(x, src_key_padding_mask=pad_mask(lengths, 12))
        keep = (~pad_mask(lengths, 12)).double()[:, :, None]
        out = head((h * keep).sum(1) / lengths[:, None])
        return out, F.cross_entropy(out, i["labels"].long())

    names = [whole("embed.weight", embed.weight)] + ours_stack("encoder", enc, False) + linear_names("head", head)
    inputs = {"ids": torch.randint(0, 40, (4, 12)), "lengths": lengths, "labels": torch.randint(0, 5, (4,))}
    save(case, names, inputs, forward, 0.1)


def lm_case(case):
    """GPT-2's form: learned positions, pre-norm, tanh GELU, tied output."""
    torch.manual_seed(18)
    embed, pos = nn.Embedding(40, 24), nn.Embedding(16, 24)
    layer = nn.TransformerEncoderLayer(24, 4, 96, 0.0, lambda x: F.gelu(x, approximate="tanh"), norm_first=True, batch_first=True)
    dec = nn.TransformerEncoder(layer, 2, nn.LayerNorm(24), enable_nested_tensor=False)
    for p in [embed.weight, pos.weight]:
        nn.init.normal_(p, std=0.3)
    causal = torch.triu(torch.ones(10, 10, dtype=torch.bool), 1)

    def forward(i):
        x = embed(i["ids"].long()) + pos.weight[:10]
        out = dec(x, mask=causal) @ embed.weight.T
        return out, F.cross_entropy(out.flatten(0, 1), i["labels"].long().flatten())

    names = [whole("embed.weight", embed.weight), whole("position.weight", pos.weight)] + ours_stack("decoder", dec, False)
    ids = torch.randint(0, 40, (3, 11))
    save(case, names, {"ids": ids[:, :-1], "labels": ids[:, 1:]}, forward, 0.1)


def seq2seq_case(case):
    torch.manual_seed(19)
    src, tgt = nn.Embedding(30, 24), nn.Embedding(40, 24)
    for e in (src, tgt):
        nn.init.normal_(e.weight, std=24 ** -0.5)
    model = nn.Transformer(24, 4, 2, 2, 48, 0.0, batch_first=True)
    model.encoder.norm = model.decoder.norm = None
    head = nn.Linear(24, 40)
    lengths = torch.tensor([9, 4, 6])
    causal = torch.triu(torch.ones(7, 7, dtype=torch.bool), 1)

    def forward(i):
        x = src(i["source"].long()) * math.sqrt(24) + sinusoids(9, 24)
        y = tgt(i["ids"].long()) * math.sqrt(24) + sinusoids(7, 24)
        memory = model.encoder(x, src_key_padding_mask=pad_mask(lengths, 9))
        h = model.decoder(y, memory, tgt_mask=causal, memory_key_padding_mask=pad_mask(lengths, 9))
        out = head(h)
        return out, F.cross_entropy(out.flatten(0, 1), i["labels"].long().flatten())

    names = [whole("source.weight", src.weight), whole("target.weight", tgt.weight)]
    names += ours_stack("encoder", model.encoder, False) + ours_stack("decoder", model.decoder, True) + linear_names("head", head)
    ids = torch.randint(0, 40, (3, 8))
    inputs = {"source": torch.randint(0, 30, (3, 9)), "lengths": lengths, "ids": ids[:, :-1], "labels": ids[:, 1:]}
    save(case, names, inputs, forward, 0.1)


def main():
    rnn_case("lstm", nn.LSTM, 2, True)
    rnn_case("gru", nn.GRU, 2, True)
    mha_case("mha_self", 64, 8, None, None, True, True)
    mha_case("mha_cross", 32, 4, 20, 28, True, False)
    split_heads_case("mha_widths")
    encoder_case("encoder_post", False, "relu")
    encoder_case("encoder_pre", True, "gelu")
    decoder_case("decoder_post", False, "relu")
    decoder_case("decoder_pre", True, "gelu")
    classic_case("classic")
    classifier_case("encoder_classifier")
    lm_case("lm")
    seq2seq_case("seq2seq")


if __name__ == "__main__":
    sys.exit(main())
