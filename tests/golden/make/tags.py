"""tags.py: scores of entities by seqeval -> tags.json, and a linear-chain CRF in float64 -> crf.safetensors.

tags.json: a list of cases {"name", "scheme", "gold", "found": lists of sentences of tags, "precision", "recall", "f1",
"accuracy", "types": {TYPE: [precision, recall, f1, gold]}}. Tags of the cases named "broken" follow no scheme.
crf.safetensors: x [B,T,K], transitions [K,K], edges [2,K], tags, lengths; out, dy, d.* as in ops.py; marginals [B,T,K];
best [B,T] the likeliest sequence (-1 past a length), part [B] the probability of the tags of steps 1 and 2.
"""
import itertools
import json
import random
import torch
from common import f32, formula, i32, save
from seqeval.metrics import accuracy_score, classification_report, f1_score, precision_score, recall_score

TYPES = ["LOC", "ORG", "PER"]


def write(chunks, n, scheme):
    tags = ["O"] * n
    before = None
    for b, e, t in chunks:
        for i in range(b, e):
            tags[i] = "I-" + t
        if scheme != "IOB1" or before == (b, t):
            tags[b] = "B-" + t
        if scheme == "BIOES":
            tags[e - 1] = ("S-" if e - b == 1 else "E-") + t
        before = (e, t)
    return tags


def draw(rng, n):
    chunks, at = [], 0
    while at < n:
        at += rng.choice([0, 0, 1, 2])
        e = min(n, at + rng.choice([1, 1, 2, 3]))
        if at < e:
            chunks.append((at, e, rng.choice(TYPES)))
        at = e
    return chunks


def disturb(rng, chunks, n):
    out = []
    for b, e, t in chunks:
        r = rng.random()
        if r < 0.6:
            out.append((b, e, t))
        elif r < 0.75:
            out.append((b, e, rng.choice(TYPES)))
        elif r < 0.9 and e - b > 1:
            out.append((b, e - 1, t))
    return out


def score(name, scheme, gold, found):
    report = classification_report(gold, found, output_dict=True, zero_division=0)
    types = {t: [float(report[t][k]) for k in ("precision", "recall", "f1-score")] + [int(report[t]["support"])]
             for t in TYPES if t in report}
    return {"name": name, "scheme": scheme, "gold": gold, "found": found,
            "precision": float(precision_score(gold, found, zero_division=0)),
            "recall": float(recall_score(gold, found, zero_division=0)),
            "f1": float(f1_score(gold, found, zero_division=0)), "accuracy": float(accuracy_score(gold, found)),
            "types": types}


def scores():
    rng, cases = random.Random(1), []
    for scheme in ("BIO", "IOB1", "BIOES"):
        for k in range(3):
            lengths = [rng.randint(1, 12) for _ in range(12)]
            chunks = [draw(rng, n) for n in lengths]
            cases.append(score(f"{scheme} {k}", scheme, [write(c, n, scheme) for c, n in zip(chunks, lengths)],
                               [write(disturb(rng, c, n), n, scheme) for c, n in zip(chunks, lengths)]))
    for letters in ("BI", "BIES", "IE", "BIE"):
        tags = ["O"] + [f"{p}-{t}" for p in letters for t in TYPES]
        lengths = [rng.randint(1, 10) for _ in range(15)]
        cases.append(score("broken " + letters, "", [[rng.choice(tags) for _ in range(n)] for n in lengths],
                           [[rng.choice(tags) for _ in range(n)] for n in lengths]))
    cases.append(score("nothing found", "BIO", [["B-PER", "O"]], [["O", "O"]]))
    with open("tests/golden/tags.json", "w") as f:
        f.write("[\n" + ",\n".join(json.dumps(c) for c in cases) + "\n]\n")


def crf():
    B, T, K, D = 4, 5, 4, torch.float64
    lengths = [5, 3, 1, 4]
    leaf = lambda name, shape: formula("crf/" + name, shape, 2.0).to(torch.float32).to(D).requires_grad_()
    x, trans, edges = leaf("x", (B, T, K)), leaf("transitions", (K, K)), leaf("edges", (2, K))
    rng = random.Random(2)
    tags = torch.tensor([[rng.randrange(K) for _ in range(T)] for _ in range(B)])

    def total(b, y):
        s = edges[0, y[0]] + edges[1, y[-1]]
        for t, k in enumerate(y):
            s = s + x[b, t, k] + (trans[y[t - 1], k] if t else 0)
        return s

    loss, best, part, z = [], torch.full((B, T), -1), torch.zeros(B, dtype=D), 0
    for b, n in enumerate(lengths):
        paths = list(itertools.product(range(K), repeat=n))
        s = torch.stack([total(b, y) for y in paths])
        log_z = torch.logsumexp(s, 0)
        z = z + log_z
        loss.append(log_z - total(b, tags[b, :n].tolist()))
        best[b, :n] = torch.tensor(paths[int(s.argmax())])
        want = tags[b].tolist()
        part[b] = sum(float(torch.exp(v - log_z).detach()) for v, y in zip(s, paths)
                      if all(y[t] == want[t] for t in (1, 2) if t < n))
    marginals = torch.autograd.grad(z, x, retain_graph=True)[0]
    out = torch.stack(loss)
    dy = formula("crf/dy", (B,), 1.0)
    (out * dy).sum().backward()
    save("crf.safetensors", {"x": f32(x.detach()), "transitions": f32(trans.detach()), "edges": f32(edges.detach()),
                 "tags": i32(tags), "lengths": i32(torch.tensor(lengths)), "out": f32(out.detach()), "dy": f32(dy),
                 "d.x": f32(x.grad), "d.transitions": f32(trans.grad), "d.edges": f32(edges.grad),
                 "marginals": f32(marginals), "best": i32(best), "part": f32(part)})


if __name__ == "__main__":
    scores()
    crf()
