"""articles.py: what examples/self_attention.c, multi_head.c and additive.c must print, by numpy in float64 from the
same random numbers -> articles.txt. Each program's lines follow a line "== NAME"; numbers have four decimals.
"""
import os

import numpy as np

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
MASK = 0xFFFFFFFF


def philox(seed, counter, stream=0):
    """Philox4x32-10 (Salmon et al. 2011)."""
    c, k = [counter & MASK, counter >> 32, stream & MASK, stream >> 32], [seed & MASK, seed >> 32]
    for _ in range(10):
        a, b = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [(b >> 32) ^ c[1] ^ k[0], b & MASK, (a >> 32) ^ c[3] ^ k[1], a & MASK]
        k = [(k[0] + 0x9E3779B9) & MASK, (k[1] + 0xBB67AE85) & MASK]
    return c


class Rng:
    """heed_rng_normal's sequence: Box and Muller's cosine of each pair of numbers."""

    def __init__(self, seed):
        self.seed, self.drawn = seed, 0

    def normal(self, *shape):
        out = np.empty(int(np.prod(shape)))
        for i in range(out.size):
            words = philox(self.seed, self.drawn // 4)
            a, b = words[self.drawn % 4], words[self.drawn % 4 + 1]
            self.drawn += 2
            out[i] = np.float32(np.sqrt(-2 * np.log((a + 1) / 2**32)) * np.cos(2 * np.pi * b / 2**32))
        return out.reshape(shape)


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def self_attention():
    rng = Rng(4)
    x, wq, wk, wv = rng.normal(3, 5), rng.normal(5, 3), rng.normal(5, 3), rng.normal(5, 3)
    s = (x @ wq) @ (x @ wk).T
    z = softmax(s / s.std(-1, ddof=1, keepdims=True)) @ (x @ wv)
    return ["".join(f"{v:9.4f}" for v in row) for row in z]


def multi_head(what, heads, key, bias, residual):
    rng = Rng(10)
    x = rng.normal(2, 10, 256)
    inner, count, made = heads * key, 0, []
    for out, inp, with_bias in [(inner, 256, bias)] * 3 + [(256, inner, True)]:
        w = 0.05 * rng.normal(out, inp)
        b = 0.05 * rng.normal(out) if with_bias else np.zeros(out)
        count += w.size + (out if with_bias else 0)
        made.append((w, b))
    q, k, v = ((x @ w.T + b).reshape(2, 10, heads, key).transpose(0, 2, 1, 3) for w, b in made[:3])
    a = softmax(q @ k.transpose(0, 1, 3, 2) / np.sqrt(key)) @ v
    y = a.transpose(0, 2, 1, 3).reshape(2, 10, inner) @ made[3][0].T + made[3][1] + (x if residual else 0)
    picks = " ".join(f"{y.reshape(-1)[i * 1000]:.4f}" for i in range(5))
    return f"{what}: [2,10,256], {count} parameters: {picks}"


def additive():
    rng = Rng(2)
    h, e = rng.normal(2, 1, 8), rng.normal(2, 5, 8)
    wq, wk, bias, v = rng.normal(8, 8), rng.normal(8, 8), rng.normal(8), rng.normal(8)
    a = softmax(np.tanh(h @ wq.T + bias + e @ wk.T) @ v)
    context = np.einsum("bt,bth->bh", a, e)
    row = lambda name, values: name + " " + " ".join(f"{x:.4f}" for x in values)
    return [row("context", r) for r in context] + [row("weights", r) for r in a]


if __name__ == "__main__":
    lines = ["== self_attention"] + self_attention() + ["== multi_head"]
    lines += [multi_head("8 heads", 8, 32, True, False), "7 heads: refused"]
    lines += [multi_head("8 heads of 32 and x", 8, 32, False, True)]
    lines += [multi_head("8 heads of 64 and x", 8, 64, False, True)]
    lines += ["== additive"] + additive()
    with open(os.path.join(HERE, "articles.txt"), "w") as f:
        f.write("\n".join(lines) + "\n")
