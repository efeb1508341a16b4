"""metrics.py: what scikit-learn and SciPy say of made-up answers, for test_metrics.c: tests/golden/metrics.txt.

Each case: `case NAME n K`, then a line for each answer: right label, then K probabilities (floats, hexadecimal), then
`want NAME VALUE` lines. Accuracy, macro-F1 (labels of data or answers), loss, AUC (two labels); ECE by 15 equal bins.
Pairs of cases with one size are compared by McNemar's exact test (scipy.stats.binomtest): `pair A B only_a only_b p`.
"""
import numpy as np
from pathlib import Path
from scipy.stats import binomtest
from sklearn.metrics import accuracy_score, f1_score, log_loss, roc_auc_score

rng = np.random.default_rng(7)
out, said = [], {}


def ece(confidence, ok):
    total = 0.0
    bins = np.minimum((confidence * np.float32(15)).astype(int), 14)
    for b in range(15):
        inside = bins == b
        if inside.any():
            total += abs(confidence[inside].sum() - ok[inside].sum())
    return total / len(ok)


def case(name, n, k, sharpness, rounded=False):
    logits = rng.normal(size=(n, k)) * sharpness
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    if rounded:
        p = np.maximum(np.round(p, 1), 0.05)
        p /= p.sum(1, keepdims=True)
    p = p.astype(np.float32)
    right = np.array([rng.choice(k, p=row / row.sum()) for row in p.astype(np.float64)])
    best = p.argmax(1)
    d = p.astype(np.float64)
    want = {
        "accuracy": accuracy_score(right, best),
        "macro_f1": f1_score(right, best, average="macro", labels=np.union1d(right, best)),
        "loss": -np.log(d[np.arange(n), right]).mean(),
        "ece": ece(p.max(1).astype(np.float64), right == best),
    }
    if k == 2:
        want["auc"] = roc_auc_score(right, d[:, 1])
    else:
        assert abs(log_loss(right, d / d.sum(1, keepdims=True), labels=range(k)) - want["loss"]) < 1e-6
    out.append(f"case {name} {n} {k}")
    out.extend(f"{r} " + " ".join(float(x).hex() for x in row) for r, row in zip(right, p))
    out.extend(f"want {key} {value:.12g}" for key, value in want.items())
    said[name] = best == right


case("two", 90, 2, 1.5)
case("ties", 60, 2, 1.0, rounded=True)
case("five", 80, 5, 1.2)
case("sparse", 40, 30, 2.5)
case("other", 80, 5, 0.7)
a, b = said["five"], said["other"]
x, y = int((a & ~b).sum()), int((b & ~a).sum())
out.append(f"pair five other {x} {y} {binomtest(x, x + y).pvalue:.12g}")
Path(__file__).parent.parent.joinpath("metrics.txt").write_text("\n".join(out) + "\n")
