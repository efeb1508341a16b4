/* recurrent.h: plain LSTM and GRU steps in double, for the references of their cases. */
#ifndef HEED_OPS_CASES_RECURRENT_H
#define HEED_OPS_CASES_RECURRENT_H

#include <math.h>
#include <stdint.h>

static inline double recurrent_sigmoid(double x) {
    return 1 / (1 + exp(-x));
}

/* a [4H] = gates before activation -> h, c [H] from c0 [H] (NULL: zeros) */
static inline void recurrent_lstm(int64_t H, const double *a, const double *c0, double *h,
                                  double *c) {
    for (int64_t u = 0; u < H; u++) {
        const double i = recurrent_sigmoid(a[u]), f = recurrent_sigmoid(a[H + u]);
        const double g = tanh(a[2 * H + u]), o = recurrent_sigmoid(a[3 * H + u]);
        c[u] = f * (c0 ? c0[u] : 0) + i * g;
        h[u] = o * tanh(c[u]);
    }
}

/* xg, hg [3H] -> h [H] from h0 [H] (NULL: zeros) */
static inline void recurrent_gru(int64_t H, const double *xg, const double *hg, const double *h0,
                                 double *h) {
    for (int64_t u = 0; u < H; u++) {
        const double r = recurrent_sigmoid(xg[u] + hg[u]);
        const double z = recurrent_sigmoid(xg[H + u] + hg[H + u]);
        const double n = tanh(xg[2 * H + u] + r * hg[2 * H + u]);
        h[u] = (1 - z) * n + z * (h0 ? h0[u] : 0);
    }
}

#endif
