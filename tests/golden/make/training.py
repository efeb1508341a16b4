"""training.py: ten losses of training from the same weights, by PyTorch in float64 -> training.safetensors.

A RUN has RUN/losses [10] (before each step), RUN/ids and RUN/labels (I32), RUN/lengths where there are any, and
of the first step every gradient, RUN/d.<heed's name>; weights start from the formula (RUN/<name>), embeddings
at scale 1/2. RUN/last.<name> are stats and samples (`summary`) of the weights after the tenth step.

    encoder   embedding [50,16] + sinusoids -> 2 encoder layers (16, 4 heads, ff 32, ReLU, post norm) with lengths
              -> mean over each row's length -> linear to 5 -> cross-entropy.     AdamW lr 1e-2, decay 0.01
    lstm      embedding [60,12] -> LSTM 12 -> self-attention (12, 3 heads) added to it -> mean over T -> linear 12,
              ReLU -> linear to 4 -> cross-entropy.                                    Adam lr 1e-2
    decoder   embedding [40,16] + learned positions [12,16] -> 2 pre-norm layers, causal (16, 2 heads, ff 64, GELU
              tanh) -> norm -> linear to 40 without bias -> cross-entropy of the next id.  AdamW lr 1e-2, decay 0.1
"""
import torch
import torch.nn.functional as F
from torch import nn
from common import f32, formula, i32, integers, save, scale_of, summary
from layers import attention_names, fill, part, plain_names, stack_names

OUT = {}


def sinusoids(t, c):
    angle = torch.arange(t)[:, None] / 10000 ** (torch.arange(0, c, 2) / c)
    return torch.stack([angle.sin(), angle.cos()], -1).flatten(-2)


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(50, 16)
        block = nn.TransformerEncoderLayer(16, 4, 32, dropout=0.0, batch_first=True)
        self.enc = nn.TransformerEncoder(block, 2, enable_nested_tensor=False)
        self.head = nn.Linear(16, 5)

    def names(self):
        return [("embed.weight", "embed.weight", None), *stack_names("enc", "enc.", self.enc),
                ("head.weight", "head.weight", None), ("head.bias", "head.bias", None)]

    def forward(self, ids, lengths):
        hidden = torch.arange(ids.shape[1]) >= lengths[:, None]
        h = self.enc(self.embed(ids) + sinusoids(ids.shape[1], 16), src_key_padding_mask=hidden)
        pooled = (h * ~hidden[:, :, None]).sum(1) / lengths[:, None]
        return self.head(pooled)


class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed, self.rnn = nn.Embedding(60, 12), nn.LSTM(12, 12, batch_first=True)
        self.mha = nn.MultiheadAttention(12, 3, batch_first=True)
        self.dense, self.head = nn.Linear(12, 12), nn.Linear(12, 4)

    def names(self):
        rest = [n for n, _ in self.named_parameters() if not n.startswith("mha.")]
        return [(n, n, None) for n in rest] + attention_names("mha", "mha.", self.mha)

    def forward(self, ids, lengths):
        h = self.rnn(self.embed(ids))[0]
        h = h + self.mha(h, h, h, need_weights=False)[0]
        return self.head(self.dense(h.mean(1)).relu())


class Decoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed, self.position = nn.Embedding(40, 16), nn.Embedding(12, 16)
        block = nn.TransformerEncoderLayer(16, 2, 64, dropout=0.0, batch_first=True, norm_first=True,
                                           activation=lambda x: F.gelu(x, approximate="tanh"))
        self.dec = nn.TransformerEncoder(block, 2, norm=nn.LayerNorm(16), enable_nested_tensor=False)
        self.head = nn.Linear(16, 40, bias=False)

    def names(self):
        return [("embed.weight", "embed.weight", None), ("position.weight", "position.weight", None),
                *stack_names("dec", "dec.", self.dec), ("head.weight", "head.weight", None)]

    def forward(self, ids, lengths):
        t = ids.shape[1]
        h = self.dec(self.embed(ids) + self.position.weight[:t], mask=torch.ones(t, t).triu(1).bool())
        return self.head(h).flatten(0, 1)


def run(name, model, optim, ids, labels, lengths=None):
    key = name + "/"
    names = model.names()
    params = fill(key, model, names)
    with torch.no_grad():
        for n in ("embed.weight", "position.weight"):
            if n in params:
                params[n].copy_(formula(key + n, tuple(params[n].shape), 0.5))
    opt = optim(model.parameters())
    losses = []
    for step in range(10):
        opt.zero_grad()
        loss = F.cross_entropy(model(ids, lengths), labels.flatten())
        loss.backward()
        losses.append(loss.detach())
        if step == 0:
            for heed, t, rows in names:
                OUT[f"{key}d.{heed}"] = f32(part(params[t].grad, rows))
        opt.step()
    OUT[key + "losses"], OUT[key + "ids"], OUT[key + "labels"] = f32(torch.stack(losses)), i32(ids), i32(labels)
    if lengths is not None:
        OUT[key + "lengths"] = i32(lengths)
    for heed, t, rows in names:
        summary(f"{key}last.{heed}", part(params[t], rows), OUT)
    print(name, [round(x.item(), 6) for x in losses])


if __name__ == "__main__":
    adamw = lambda decay: lambda p: torch.optim.AdamW(p, lr=1e-2, betas=(0.9, 0.999), eps=1e-8, weight_decay=decay)
    run("encoder", Encoder(), adamw(0.01), integers("encoder/ids", (4, 7), 50), integers("encoder/labels", (4,), 5),
        torch.tensor([7, 3, 5, 1]))
    run("lstm", Recurrent(), lambda p: torch.optim.Adam(p, lr=1e-2), integers("lstm/ids", (6, 9), 60), integers("lstm/labels", (6,), 4))
    text = integers("decoder/text", (3, 11), 40)
    run("decoder", Decoder(), adamw(0.1), text[:, :-1], text[:, 1:])
    save("training.safetensors", OUT)
