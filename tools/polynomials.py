#!/usr/bin/env python3
"""polynomials.py: derives the coefficients of src/kernels/vec_math.h and prints them.

Each function is approached by a polynomial of least largest error (Remez's exchange, in 60 digits),
weighted so that the error is the relative error of the function that is wanted. Coefficients are then
rounded to binary32 one after the other, lowest power first; after each, the rest is fitted again, so
that the rounding of one is made good by those that follow.

    python3 tools/polynomials.py [name ...]        needs mpmath
"""
import struct
import sys

import mpmath as mp

mp.mp.dps = 60


def f32(x):
    return mp.mpf(struct.unpack("f", struct.pack("f", float(x)))[0])


def chebyshev(count, lo, hi):
    return [(lo + hi) / 2 - (hi - lo) / 2 * mp.cos(mp.pi * (2 * i + 1) / (2 * count)) for i in range(count)]


def remez(target, weight, powers, lo, hi):
    """Coefficients c of sum c[i] x^powers[i] with least max |weight(x) (sum - target(x))| on [lo,hi]."""
    n = len(powers)
    grid = chebyshev(40 * (n + 2), lo, hi)
    goal = [target(x) for x in grid]
    scale = [weight(x) for x in grid]
    power = [[x**p for p in powers] for x in grid]
    points = [round((i + 0.5) * (len(grid) - 1) / (n + 1)) for i in range(n + 1)]
    coef, worst = None, None
    for _ in range(60):
        a = mp.matrix(n + 1, n + 1)
        b = mp.matrix(n + 1, 1)
        for row, k in enumerate(points):
            for col in range(n):
                a[row, col] = power[k][col]
            a[row, n] = (-1) ** row / scale[k]
            b[row] = goal[k]
        solved = mp.lu_solve(a, b)
        coef = [solved[i] for i in range(n)]
        error = [s * (sum(c * p for c, p in zip(coef, row)) - g) for s, row, g in zip(scale, power, goal)]
        runs = [[0]]
        for k in range(1, len(grid)):
            if (error[k] < 0) == (error[runs[-1][0]] < 0):
                runs[-1].append(k)
            else:
                runs.append([k])
        peaks = [max(run, key=lambda k: abs(error[k])) for run in runs]
        while len(peaks) > n + 1:
            peaks.pop(0 if abs(error[peaks[0]]) < abs(error[peaks[-1]]) else -1)
        worst = max(abs(e) for e in error)
        if len(peaks) < n + 1 or worst <= abs(solved[n]) * mp.mpf("1.0001"):
            break
        points = peaks
    return coef, worst


def fit(target, weight, powers, lo, hi):
    """Binary32 coefficients for `powers`, and the largest weighted error before and after rounding."""
    exact, first = remez(target, weight, powers, lo, hi)
    xs = chebyshev(2000, lo, hi)
    goal = [(x, target(x), weight(x)) for x in xs]

    def worst(coef):
        return max(abs(w * (sum(c * x**p for c, p in zip(coef, powers)) - y)) for x, y, w in goal)

    plain = [f32(c) for c in exact]
    fixed, rest = [], list(powers)
    while rest:
        left = lambda x: target(x) - sum(c * x**p for c, p in fixed)
        coef, _ = remez(left, weight, rest, lo, hi)
        fixed.append((f32(coef[0]), rest.pop(0)))
    # where 0 lies inside, powers above the first span no Haar space and the exchange may not converge
    best = min(plain, [c for c, _ in fixed], key=worst)
    return best, first, worst(best)


def smooth(f, limit):
    """f, and its given limit at 0."""
    return lambda x: limit if x == 0 else f(x)


def show(name, result, start):
    coef, exact, rounded = result
    print(f"{name}: largest error {mp.nstr(exact, 3)} before, {mp.nstr(rounded, 3)} after rounding"
          f" (2^{mp.nstr(mp.log(rounded, 2), 4)})")
    for i, c in enumerate(coef):
        print(f"    [{start + i}] {float(c).hex()}f  {mp.nstr(c, 9)}")


def split(name, value, parts):
    print(name)
    for _ in range(parts):
        c = f32(value)
        print(f"    {float(c).hex()}f  {mp.nstr(c, 10)}")
        value -= c


def make_exp():
    # exp(r) = 1 + r + r^2 q(r), relative error
    bound = mp.log(2) / 2 + mp.mpf("2e-5")
    f = smooth(lambda r: (mp.exp(r) - 1 - r) / r**2, mp.mpf(1) / 2)
    show("exp q", fit(f, lambda r: r**2 / mp.exp(r), range(5), -bound, bound), 2)
    split("log 2", mp.log(2), 2)


def make_exp2():
    # 2^f = 1 + f p(f), relative error; attention's weights (src/kernels/body_attn.inc)
    bound = mp.mpf("0.5001")
    f = smooth(lambda r: (mp.power(2, r) - 1) / r, mp.log(2))
    show("exp2 p", fit(f, lambda r: abs(r) / mp.power(2, r) + mp.mpf("1e-30"), range(5), -bound, bound), 1)


def make_log():
    # log(1+f) = f - f^2/2 + f^3 p(f), relative error
    lo, hi = mp.sqrt(mp.mpf(1) / 2) - 1, mp.sqrt(2) - 1
    p = lambda f: (mp.log(1 + f) - f + f * f / 2) / f**3 if abs(f) > 1e-12 else mp.mpf(1) / 3
    w = lambda f: abs(f**3 / mp.log(1 + f)) if f != 0 else mp.mpf(0)
    show("log p", fit(p, lambda f: w(f) + mp.mpf("1e-30"), range(8), lo, hi), 3)


def make_erf():
    # erf(a) = a + a p(a^2), a up to ERF_SPLIT; 1 - exp(q(a)) above
    edge = mp.mpf("0.9375")
    p = smooth(lambda s: mp.erf(mp.sqrt(s)) / mp.sqrt(s) - 1, 2 / mp.sqrt(mp.pi) - 1)
    w = smooth(lambda s: mp.sqrt(s) / mp.erf(mp.sqrt(s)), mp.sqrt(mp.pi) / 2)
    show("erf p", fit(p, w, range(6), mp.mpf(0), edge**2), 0)
    q = lambda a: mp.log(mp.erfc(a))
    show("erf q", fit(q, lambda a: mp.erfc(a), range(8), edge - mp.mpf("0.01"), mp.mpf("3.95")), 0)


def make_tail():
    # the normal law's upper tail: Q(a) = exp(-a^2/2) t p(s), t = 1/(a + 4), s = (a - 4) t, a in 0.99..13.5; relative
    def a_of(s):
        return 8 / (1 - s) - 4

    def g(s):  # Q(a) exp(a^2/2) (a + 4)
        a = a_of(s)
        return mp.erfc(a / mp.sqrt(2)) * mp.exp(a * a / 2) / 2 * (a + 4)

    lo, hi = 1 - 8 / mp.mpf("4.99"), 1 - 8 / mp.mpf("17.5")
    show("tail p", fit(g, lambda s: 1 / g(s), range(9), lo, hi), 0)


def make_cdf():
    # the normal law: Phi(x) = 1/2 + x p(x^2), |x| < 1
    p = smooth(lambda z: (mp.erf(mp.sqrt(z / 2)) / 2) / mp.sqrt(z), 1 / mp.sqrt(2 * mp.pi))
    show("cdf p", fit(p, lambda z: mp.sqrt(z) * 2, range(5), mp.mpf(0), mp.mpf(1)), 0)


def make_tanh():
    # tanh(x) = x + x z p(z), z = x^2, |x| < 0.5625; relative error
    p = smooth(lambda z: (mp.tanh(mp.sqrt(z)) / mp.sqrt(z) - 1) / z, -mp.mpf(1) / 3)
    w = smooth(lambda z: z * mp.sqrt(z) / mp.tanh(mp.sqrt(z)), mp.mpf("1e-30"))
    show("tanh p", fit(p, w, range(5), mp.mpf("1e-9"), mp.mpf("0.5625") ** 2), 0)


def make_trig():
    bound = mp.pi / 4 + mp.mpf("0.01")
    s = smooth(lambda z: (mp.sin(mp.sqrt(z)) / mp.sqrt(z) - 1) / z, -mp.mpf(1) / 6)
    ws = smooth(lambda z: z * mp.sqrt(z) / mp.sin(mp.sqrt(z)), mp.mpf("1e-30"))
    show("sin: r + r^3 s(r^2)", fit(s, ws, range(3), mp.mpf("1e-9"), bound**2), 0)
    c = smooth(lambda z: (mp.cos(mp.sqrt(z)) - 1 + z / 2) / z**2, mp.mpf(1) / 24)
    wc = smooth(lambda z: z**2 / mp.cos(mp.sqrt(z)), mp.mpf("1e-30"))
    show("cos: 1 - z/2 + z^2 c(z)", fit(c, wc, range(3), mp.mpf("1e-6"), bound**2), 0)
    split("pi/2", mp.pi / 2, 3)
    print("2/pi", float(f32(2 / mp.pi)).hex())


MAKERS = {"exp": make_exp, "exp2": make_exp2, "log": make_log, "erf": make_erf, "tail": make_tail,
          "cdf": make_cdf, "tanh": make_tanh, "trig": make_trig}

if __name__ == "__main__":
    for wanted in sys.argv[1:] or MAKERS:
        MAKERS[wanted]()
