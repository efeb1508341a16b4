"""metrics_kinds.py: values of tests/unit/test_metrics_kinds.c by scikit-learn and SciPy, and the
ends of their bootstrapped intervals by NumPy. Prints them."""
import numpy as np
from scipy.stats import pearsonr
from sklearn import metrics as sk

N, K = 200, 5
i = np.arange(N)[:, None]
k = np.arange(K)[None, :]
probs = (((i * 37 + k * 61) % 101) / 100.0).astype(np.float32).astype(np.float64)
right = ((i * 13 + k * 7 + (probs > 0.35) * 40) % 53 > 30).astype(int)
said = (probs >= 0.5).astype(int)


def labels(at):
    y, s, p = right[at], said[at], probs[at]
    bins = np.minimum((p * 15).astype(int), 14)
    ece = sum(abs(p[bins == b].sum() - y[bins == b].sum()) for b in range(15)) / y.size
    q = np.maximum(np.where(y == 1, p, 1 - p), 1e-30)
    return [-np.log(q).mean(), sk.accuracy_score(y, s),
            sk.precision_score(y, s, average="micro"), sk.recall_score(y, s, average="micro"),
            sk.f1_score(y, s, average="micro"), sk.f1_score(y, s, average="macro"), ece]


a = (np.arange(N) * 29 % 71) / 10.0
b = (a + ((np.arange(N) * 17 % 31) - 15) / 8.0).astype(np.float32).astype(np.float64)


def score(at):
    x, y = a[at], b[at]
    return [sk.mean_squared_error(x, y), sk.mean_absolute_error(x, y), sk.r2_score(x, y),
            pearsonr(x, y)[0]]


rng = np.random.default_rng(0)
for f in labels, score:
    whole = f(np.arange(N))
    drawn = np.array([f(rng.integers(0, N, N)) for _ in range(1000)])
    low, high = np.percentile(drawn, [2.5, 97.5], axis=0)
    if f is labels:  # a resample's calibration error is higher: moved by how much
        shift = drawn[:, -1].mean() - whole[-1]
        low[-1], high[-1] = low[-1] - shift, high[-1] - shift
    for w, l, h in zip(whole, low, high):
        print("{ %.9f, %.5f, %.5f }," % (w, l, h))
