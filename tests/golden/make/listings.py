"""listings.py: the models of examples/transformer.c and reviews.c, by PyTorch in float64 -> listings.safetensors.

The first steps of both programs' training, from weights by the formula (NAME: CASE/<heed's name>) instead of drawn
ones and without dropout: CASE/losses (float64, before each step) and, of the first step, CASE/d.<heed's name>: the
gradients before they are clipped, stats and sample.

    transformer  as the program has it: 6 encoder and 6 decoder layers of 256, 8 heads, 2048, ReLU, pre norm with a
                 last norm each; one table of 11 for source and target, times 16, plus sinusoids; linear to 11. Data:
                 the program's own batches 0 to 2, from its random numbers, and how many answers of each were right
                 (transformer/right). Adam 0.001 times min((n+1)/48, sqrt(48/(n+1))), gradients clipped to a norm of 1
    reviews      embedding [10000,64] -> LSTM 64 -> self-attention of one head -> mean over each row's length ->
                 linear 64, ReLU -> linear to 2 -> cross-entropy. Id 0 is padding, which is not trained. Data (common.py's
                 integers): lengths [64] 1 + reviews/lengths below 128, ids [64,128] 1 + reviews/ids below 9999 as far
                 as the lengths go, labels [64] reviews/labels below 2. Adam 0.001. reviews/out: the first step's output
"""
import math

import torch
import torch.nn.functional as F
from torch import nn
from articles import philox
from common import f32, integers, save, summary
from layers import attention_names, fill, part, plain_names, stack_names
from training import sinusoids

OUT = {}


def steps(case, model, names, batches, optim, rate, clip):
    """batches: functions of the model and of the step's number -> loss."""
    params = fill(f"{case}/", model.double(), names)
    opt, losses = optim(model.parameters()), []
    for n, batch in enumerate(batches):
        opt.zero_grad()
        loss = batch(model, n)
        loss.backward()
        losses.append(loss.item())
        if n == 0:
            for heed, t, rows in names:
                summary(f"{case}/d.{heed}", part(params[t].grad, rows), OUT)
        if clip:
            nn.utils.clip_grad_norm_(model.parameters(), clip)
        for group in opt.param_groups:
            group["lr"] = rate(n)
        opt.step()
    OUT[f"{case}/losses"] = torch.tensor(losses, dtype=torch.float64).numpy()
    print(case, losses)


def digits(stream, count):
    """heed_rng_below(10) of seed 7: 64 bits, high word first; the rejected part of 2^64 mod 10 never came up."""
    words = [w for i in range(count // 2) for w in philox(7, i, stream)]
    values = [(words[2 * i] << 32) | words[2 * i + 1] for i in range(count)]
    assert min(values) >= 2**64 % 10
    return torch.tensor([v % 10 for v in values])


class Transformer(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(11, 256)
        encoder = nn.TransformerEncoderLayer(256, 8, 2048, 0.0, norm_first=True, batch_first=True)
        decoder = nn.TransformerDecoderLayer(256, 8, 2048, 0.0, norm_first=True, batch_first=True)
        self.encoder = nn.TransformerEncoder(encoder, 6, nn.LayerNorm(256), enable_nested_tensor=False)
        self.decoder = nn.TransformerDecoder(decoder, 6, nn.LayerNorm(256))
        self.head = nn.Linear(256, 11)

    def names(self):
        rows = [("embed.weight", "embed.weight", None), *stack_names("encoder", "encoder.", self.encoder)]
        for h, t, r in stack_names("decoder", "decoder.", self.decoder):
            rows.append((h.replace(".norm2.", ".norm_cross."), t, r))
        for i, layer in enumerate(self.decoder.layers):
            h, t = f"decoder.layers.{i}", f"decoder.layers.{i}."
            rows += attention_names(f"{h}.cross", f"{t}multihead_attn.", layer.multihead_attn)
            rows += [(f"{h}.norm2.{p}", f"{t}norm3.{p}", None) for p in ("weight", "bias")]
        return rows + [(f"head.{p}", f"head.{p}", None) for p in ("weight", "bias")]

    def enter(self, ids):
        return self.embed(ids) * math.sqrt(256) + sinusoids(ids.shape[1], 256)

    def forward(self, source, seen):
        hidden = torch.ones(seen.shape[1], seen.shape[1]).triu(1).bool()
        return self.head(self.decoder(self.enter(seen), self.encoder(self.enter(source)), tgt_mask=hidden))


def transformer():
    right = []

    def batch(stream):
        source = digits(stream, 320).reshape(32, 10)
        said = source.flip(1)
        seen = torch.cat([torch.full((32, 1), 10), said[:, :-1]], 1)

        def run(m, n):
            z = m(source, seen)
            right.append((z.argmax(-1) == said).sum().item())
            return F.cross_entropy(z.flatten(0, 1), said.flatten())
        return run

    m = Transformer()
    steps("transformer", m, m.names(), [batch(i) for i in range(3)], lambda p: torch.optim.Adam(p, 1e-3),
          lambda n: 1e-3 * min((n + 1) / 48, math.sqrt(48 / (n + 1))), 1)
    OUT["transformer/right"] = torch.tensor(right, dtype=torch.int32).numpy()


class Reviews(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed, self.rnn = nn.Embedding(10000, 64, padding_idx=0), nn.LSTM(64, 64, batch_first=True)
        self.attention = nn.MultiheadAttention(64, 1, batch_first=True)
        self.dense, self.head = nn.Linear(64, 64), nn.Linear(64, 2)

    def names(self):
        return [("embed.weight", "embed.weight", None), *plain_names("rnn", self.rnn, "rnn."),
                *attention_names("attention", "attention.", self.attention),
                *plain_names("dense", self.dense, "dense."), *plain_names("head", self.head, "head.")]

    def forward(self, ids, lengths):
        packed = nn.utils.rnn.pack_padded_sequence(self.embed(ids), lengths, True, False)
        h, _ = nn.utils.rnn.pad_packed_sequence(self.rnn(packed)[0], True, total_length=ids.shape[1])
        after = torch.arange(ids.shape[1]) >= lengths[:, None]
        a = self.attention(h, h, h, key_padding_mask=after, need_weights=False)[0]
        mean = a.masked_fill(after[:, :, None], 0).sum(1) / lengths[:, None]
        return self.head(self.dense(mean).relu())


def reviews():
    lengths, labels = 1 + integers("reviews/lengths", (64,), 128), integers("reviews/labels", (64,), 2)
    ids = (1 + integers("reviews/ids", (64, 128), 9999)) * (torch.arange(128) < lengths[:, None])

    def run(m, n):
        z = m(ids, lengths)
        if n == 0:
            OUT["reviews/out"] = f32(z)
        return F.cross_entropy(z, labels)

    m = Reviews()
    steps("reviews", m, m.names(), [run] * 10, lambda p: torch.optim.Adam(p, 1e-3), lambda n: 1e-3, 0)


if __name__ == "__main__":
    torch.manual_seed(0)
    torch.set_default_dtype(torch.float64)
    transformer()
    reviews()
    save("listings.safetensors", OUT)
