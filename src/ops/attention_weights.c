/* attention_weights.c: the functions that make weights out of one row of scores: softmax,
 * sparsemax, entmax, gates, argmax, draws; and what may be done to the scores before.
 *
 * Plain C in double on purpose: each is read beside its formula, and gives equal bits on every
 * machine since a double addition is one rounding everywhere. Only exp and log are kernels.
 */
#include "ops/attention_weights.h"

#include <math.h>
#include <string.h>

#include "kernels/math.h"
#include "kernels/row.h"

static float row_max(const float *x, int64_t n) {
    float m = -INFINITY;
    for (int64_t i = 0; i < n; i++)
        if (x[i] > m) m = x[i];
    return m;
}

static void fill_zero(float *x, int64_t n) {
    memset(x, 0, (size_t)n * sizeof *x);
}

/* Whether a number of x is NaN. A choice that never looks at it does not hide it: p is NaN then,
 * but where x is `hidden`. */
static bool spoiled(float *p, const float *x, int64_t n, float hidden) {
    bool bad = false;
    for (int64_t i = 0; i < n; i++) bad |= isnan(x[i]) != 0;
    for (int64_t i = 0; bad && i < n; i++) p[i] = x[i] == hidden ? 0 : NAN;
    return bad;
}

/* dx = g·(dp - sum g·dp / sum g), the gradient of every map onto the simplex here; g is p for
 * softmax, 1 on the support for sparsemax, sqrt(p) for entmax-1.5. NaN where p is. */
static inline __attribute__((always_inline)) void
simplex_grad(float *dx, const float *p, const float *dp, int64_t n, float (*weight)(float)) {
    double sum = 0, mass = 0;
    for (int64_t i = 0; i < n; i++) {
        if (!(p[i] > 0)) continue;
        const double g = weight(p[i]);
        sum += g * dp[i];
        mass += g;
    }
    const double mean = mass > 0 ? sum / mass : 0;
    for (int64_t i = 0; i < n; i++)
        dx[i] = p[i] > 0 ? (float)((double)weight(p[i]) * ((double)dp[i] - mean)) : p[i];
}

static float weight_p(float p) {
    return p;
}

static float weight_one(float p) {
    (void)p;
    return 1;
}

void heed__weights_softmax(const heed_kernels *k, float *p, const float *x, int64_t n) {
    k->row->softmax(p, x, n);
}

void heed__weights_softmax_grad(float *dx, const float *p, const float *dp, int64_t n) {
    simplex_grad(dx, p, dp, n, weight_p);
}

/* The tau for which the sum of max(z - tau, 0)^power over z [n] is 1; the largest z is 0. The sum
 * is convex and falls with tau, so Newton's steps from tau = -1 (where the largest alone gives 1)
 * rise to the root and never pass it; for power 1 they end after finitely many. */
static double threshold(const float *z, int64_t n, int power) {
    double tau = -1;
    for (int step = 0; step < 100; step++) {
        double f = -1, slope = 0;
        for (int64_t i = 0; i < n; i++) {
            const double d = (double)z[i] - tau;
            if (!(d > 0)) continue;
            f += power == 1 ? d : d * d;
            slope += power == 1 ? 1 : 2 * d;
        }
        const double next = tau + f / slope;
        if (!(next > tau)) break;
        tau = next;
    }
    return tau;
}

/* Only z = (x - max)·scale above -1 can take part; the few are gathered in p first. */
static void threshold_weights(float *p, const float *x, int64_t n, float scale, int power) {
    const float max = row_max(x, n);
    int64_t few = 0;
    if (spoiled(p, x, n, -INFINITY)) return;
    if (!(max > -INFINITY) || !(max < INFINITY)) {
        fill_zero(p, n);
        return;
    }
    for (int64_t i = 0; i < n; i++) {
        const float z = (x[i] - max) * scale;
        if (z > -1) p[few++] = z;
    }
    const double tau = threshold(p, few, power);
    for (int64_t i = 0; i < n; i++) {
        const double d = (double)((x[i] - max) * scale) - tau;
        p[i] = d > 0 ? (float)(power == 1 ? d : d * d) : 0;
    }
}

void heed__weights_sparsemax(float *p, const float *x, int64_t n) {
    threshold_weights(p, x, n, 1, 1);
}

void heed__weights_sparsemax_grad(float *dx, const float *p, const float *dp, int64_t n) {
    simplex_grad(dx, p, dp, n, weight_one);
}

void heed__weights_entmax15(float *p, const float *x, int64_t n) {
    threshold_weights(p, x, n, 0.5f, 2);
}

void heed__weights_entmax15_grad(float *dx, const float *p, const float *dp, int64_t n) {
    simplex_grad(dx, p, dp, n, sqrtf);
}

void heed__weights_sigmoid(const heed_kernels *k, float *p, const float *x, int64_t n) {
    k->math->sigmoid(p, x, n);
    /* sigmoid(-inf) is 0 already: hidden keys need nothing more */
}

void heed__weights_sigmoid_grad(float *dx, const float *p, const float *dp, int64_t n) {
    for (int64_t i = 0; i < n; i++) dx[i] = p[i] > 0 ? dp[i] * (p[i] * (1 - p[i])) : p[i];
}

int64_t heed__weights_argmax(float *p, const float *x, int64_t n) {
    int64_t best = -1;
    float max = -INFINITY;
    if (spoiled(p, x, n, -INFINITY)) return best;
    for (int64_t i = 0; i < n; i++)
        if (x[i] > max) max = x[best = i];
    fill_zero(p, n);
    if (best >= 0) p[best] = 1;
    return best;
}

int64_t heed__weights_draw(float *p, const float *p0, int64_t n, float u) {
    int64_t at = -1;
    double sum = 0;
    if (spoiled(p, p0, n, 0)) return at;
    for (int64_t i = 0; i < n; i++) {
        if (!(p0[i] > 0)) continue;
        at = i; /* the last possible one, should rounding leave sum below u */
        sum += p0[i];
        if (sum > u) break;
    }
    fill_zero(p, n);
    if (at >= 0) p[at] = 1;
    return at;
}

/* An integer that is ordered as the floats are (both zeros the same, the canonical NaN largest). */
static uint32_t ordered(float x) {
    uint32_t bits;
    x += 0.0f;
    memcpy(&bits, &x, sizeof bits);
    return bits & 0x80000000u ? ~bits : bits | 0x80000000u;
}

static int64_t count_at_least(const float *x, int64_t n, uint32_t key) {
    int64_t count = 0;
    for (int64_t i = 0; i < n; i++) count += ordered(x[i]) >= key;
    return count;
}

/* The keep-th largest, bit by bit: the largest key that at least `keep` scores reach. */
static uint32_t key_by_bits(const float *x, int64_t n, int64_t keep) {
    uint32_t key = 0;
    for (uint32_t bit = 0x80000000u; bit; bit >>= 1)
        if (count_at_least(x, n, key | bit) >= keep) key |= bit;
    return key;
}

enum { SHORT_LIST = 32 };

/* The same for a short list, kept in order while the scores go by. */
static uint32_t key_by_list(const float *x, int64_t n, int64_t keep) {
    float top[SHORT_LIST];
    for (int64_t i = 0; i < keep; i++) top[i] = -INFINITY;
    for (int64_t i = 0; i < n; i++) {
        if (!(x[i] > top[keep - 1])) continue;
        int64_t at = keep - 1;
        for (; at > 0 && x[i] > top[at - 1]; at--) top[at] = top[at - 1];
        top[at] = x[i];
    }
    return ordered(top[keep - 1]);
}

void heed__scores_keep_top(float *x, int64_t n, int64_t keep) {
    if (keep >= n) return;
    const uint32_t key = keep <= SHORT_LIST ? key_by_list(x, n, keep) : key_by_bits(x, n, keep);
    int64_t equals = keep; /* how many of those equal to it may stay */
    for (int64_t i = 0; i < n; i++) equals -= ordered(x[i]) > key;
    for (int64_t i = 0; i < n; i++) {
        const uint32_t o = ordered(x[i]);
        if (o < key || (o == key && equals-- <= 0)) x[i] = -INFINITY;
    }
}

/* Mean of the visible numbers; *count of them. One that is NaN is among them. */
static double visible_mean(const float *x, int64_t n, int64_t *count) {
    double sum = 0;
    *count = 0;
    for (int64_t i = 0; i < n; i++) {
        if (x[i] == -INFINITY) continue;
        sum += (double)x[i];
        ++*count;
    }
    return *count ? sum / (double)*count : 0;
}

float heed__scores_by_std(float *x, int64_t n) {
    int64_t count;
    const double mean = visible_mean(x, n, &count);
    double var = 0;
    for (int64_t i = 0; i < n; i++) {
        const double d = (double)x[i] - mean;
        if (x[i] != -INFINITY) var += d * d;
    }
    const double std = count > 1 ? sqrt(var / (double)(count - 1)) : 0;
    for (int64_t i = 0; i < n; i++) {
        if (x[i] == -INFINITY) continue;
        const double d = (double)x[i] - mean;
        x[i] = isnan(d) || isnan(std) ? NAN : std > 0 ? (float)(d / std) : 0;
    }
    return (float)std;
}

/* y = (x - m)/s, s² = sum (x-m)²/(n-1):  dx = (dy - mean dy - y/(n-1) · sum y·dy) / s */
void heed__scores_by_std_grad(float *dx, const float *y, const float *dy, int64_t n, float std) {
    double sum = 0, along = 0;
    int64_t count = 0;
    for (int64_t i = 0; i < n; i++) {
        if (y[i] == -INFINITY) continue;
        sum += (double)dy[i];
        along += (double)y[i] * (double)dy[i];
        count++;
    }
    for (int64_t i = 0; i < n; i++) {
        if (isnan(y[i]) || y[i] == -INFINITY || !(std > 0)) {
            dx[i] = isnan(y[i]) ? y[i] : 0;
            continue;
        }
        const double by_mean = sum / (double)count;
        const double by_std = (double)y[i] * along / (double)(count - 1);
        dx[i] = (float)(((double)dy[i] - by_mean - by_std) / (double)std);
    }
}

void heed__scores_add_gumbel(const heed_kernels *k, float *x, int64_t n, const uint64_t where[3],
                             float *scratch) {
    for (int64_t i = 0; i < n; i += 4) {
        uint32_t bits[4];
        heed_philox(where[0], where[1], where[2] / 4 + (uint64_t)i / 4, bits);
        for (int64_t j = 0; j < 4 && i + j < n; j++) /* (0,1), never an end of it */
            scratch[i + j] = ((float)(bits[j] >> 9) + 0.5f) * 0x1p-23f;
    }
    k->math->log(scratch, scratch, n);
    for (int64_t i = 0; i < n; i++) scratch[i] = -scratch[i];
    k->math->log(scratch, scratch, n);
    for (int64_t i = 0; i < n; i++) x[i] -= scratch[i];
}

float heed__weights_entropy(const heed_kernels *k, const float *p, int64_t n, float *scratch) {
    double sum = 0;
    k->math->log(scratch, p, n);
    for (int64_t i = 0; i < n; i++)
        if (p[i] > 0) sum -= (double)p[i] * scratch[i];
    return (float)sum;
}

void heed__weights_entropy_grad(const heed_kernels *k, float *dp, const float *p, int64_t n,
                                float scale, float *scratch) {
    k->math->log(scratch, p, n);
    for (int64_t i = 0; i < n; i++)
        if (p[i] > 0) dp[i] += scale * (-scratch[i] - 1);
}
