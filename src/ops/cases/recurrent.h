/* recurrent.h: for the cases of LSTM and GRU: plain steps in double, and the sizes that both are
 * tried with. */
#ifndef HEED_OPS_CASES_RECURRENT_H
#define HEED_OPS_CASES_RECURRENT_H

#include <math.h>
#include <stdint.h>

#include "ops/cases/cases.h"

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

/* size: B, T, H */
typedef void (*recurrent_add)(heed_case_list *l, const int64_t size[3], bool state,
                              const int32_t *lengths, bool reverse);

static inline void recurrent_sizes(heed_case_list *l, recurrent_add add) {
    static const int32_t some[3] = { 4, 0, 2 },
                         many[35] = { 3, 1, 5, 0, 5, 2, 2, 4, 1, 5, 3, 3, 0, 5, 1, 4, 2, 2,
                                      5, 5, 1, 0, 3, 4, 5, 2, 1, 1, 3, 5, 4, 4, 2, 0, 5 };
    add(l, (int64_t[]){ 1, 1, 1 }, false, NULL, false);
    add(l, (int64_t[]){ 2, 3, 5 }, true, NULL, false);
    add(l, (int64_t[]){ 3, 4, 17 }, true, some, false);
    add(l, (int64_t[]){ 3, 4, 16 }, true, some, true);
    add(l, (int64_t[]){ 35, 5, 9 }, false, many, true);
    add(l, (int64_t[]){ 35, 5, 33 }, false, NULL, false);
    add(l, (int64_t[]){ 0, 3, 4 }, false, NULL, false);
    add(l, (int64_t[]){ 2, 0, 4 }, true, NULL, false);
}

#endif
