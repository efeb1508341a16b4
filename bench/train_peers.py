"""train_peers.py: the steps of train.c with PyTorch, for comparison in the same run.

    python bench/train_peers.py CASE [THREADS] [SECONDS] [eager|compile]

Prints one line as train.c does: case, units a second (median), peak memory in MB, last loss. One thread is measured by
the process's own CPU time, more by the wall. FUSED=0: AdamW goes over tensors one by one.
"""
import os
import resource
import statistics
import sys
import time

import torch
from torch import nn
import torch.nn.functional as F

CASES = {  # kind, dim, heads, T, dropout
    "encoder256": ("encoder", 256, 8, 128, 0.0), "encoder256d": ("encoder", 256, 8, 128, 0.1),
    "encoder384": ("encoder", 384, 6, 128, 0.0), "encoder384d": ("encoder", 384, 6, 128, 0.1),
    "lstm128": ("lstm", 64, 4, 128, 0.0), "lstm200": ("lstm", 64, 4, 200, 0.0), "gpt2": ("gpt2", 768, 12, 64, 0.0)}


def sinusoids(n, c):
    pos, i = torch.arange(n)[:, None], torch.arange(0, c, 2)[None, :]
    table = torch.zeros(n, c)
    table[:, 0::2], table[:, 1::2] = torch.sin(pos / 10000 ** (i / c)), torch.cos(pos / 10000 ** (i / c))
    return table


class Encoder(nn.Module):
    def __init__(self, dim, heads, p):
        super().__init__()
        layer = nn.TransformerEncoderLayer(dim, heads, 4 * dim, p, batch_first=True)
        self.embed, self.out = nn.Embedding(10000, dim), nn.Linear(dim, 10000)
        self.encoder, self.drop = nn.TransformerEncoder(layer, 6, enable_nested_tensor=False), nn.Dropout(p)
        self.register_buffer("pos", sinusoids(512, dim))

    def forward(self, ids):
        return self.out(self.encoder(self.drop(self.embed(ids) + self.pos[: ids.shape[1]])))


class Classic(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed, self.lstm = nn.Embedding(10000, 64), nn.LSTM(64, 64, batch_first=True)
        self.mha, self.out = nn.MultiheadAttention(64, 4, batch_first=True), nn.Linear(64, 10)

    def forward(self, ids):
        h = self.lstm(self.embed(ids))[0]
        return self.out(self.mha(h, h, h, need_weights=False)[0].mean(1))


def make(case):
    kind, dim, heads, steps, p = CASES[case]
    if kind == "encoder":
        return Encoder(dim, heads, p), 10000, 8, steps, False
    if kind == "lstm":
        return Classic(), 10000, 64, steps, True
    from transformers import GPT2Config, GPT2LMHeadModel
    model = GPT2LMHeadModel(GPT2Config(resid_pdrop=0, embd_pdrop=0, attn_pdrop=0, use_cache=False))
    return model, 50257, 4, steps, False


def main():
    case, threads = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 1
    seconds, how = float(sys.argv[3]) if len(sys.argv) > 3 else 5, sys.argv[4] if len(sys.argv) > 4 else "eager"
    torch.set_num_threads(threads)
    torch.manual_seed(1)
    model, vocab, batch, steps, classes = make(case)
    model.train()
    run = torch.compile(model) if how == "compile" else model
    opt = torch.optim.AdamW(model.parameters(), lr=1e-4, weight_decay=0.01, fused=os.environ.get("FUSED", "1") == "1")
    clock = time.process_time if threads == 1 else time.perf_counter
    took = []
    step, begin = 0, clock()
    while step < 4 or clock() - begin < seconds:
        ids = torch.randint(0, vocab, (batch, steps))
        labels = torch.randint(0, 10, (batch,)) if classes else torch.randint(0, vocab, (batch, steps))
        t = clock()
        z = run(ids)
        z = getattr(z, "logits", z)
        loss = F.cross_entropy(z.flatten(0, -2), labels.flatten())
        loss.backward()
        opt.step()
        opt.zero_grad(set_to_none=True)
        last = loss.item()
        step += 1
        if step == 2:
            begin = clock()
        if step > 2:
            took.append(clock() - t)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    units = batch if classes else batch * steps
    print(f"{case} {units / statistics.median(took):.1f} {peak:.0f} {last:.5f}")


main()
