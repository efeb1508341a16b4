/* rnn.h: the elementwise part of recurrent cells for one row of H units; gate order i, f, g, o and
 * r, z, n. */
#ifndef HEED_KERNELS_RNN_H
#define HEED_KERNELS_RNN_H

#include "kernels/kernels.h"

struct heed_rnn_kernels {
    /* gates [4H] become their activated values; c = f·c0 + i·g; h = o·tanh(c); tc = tanh(c) is kept
     * for backward */
    void (*lstm)(float *h, float *c, float *tc, float *gates, const float *c0, int64_t units);
    /* from activated gates: dc [H] holds dL/dc on entry and dL/dc0 on return; dgates [4H] =
     * dL/d(pre-activation) */
    void (*lstm_grad)(float *dgates, float *dc, const float *dh, const float *gates,
                      const float *c0, const float *tc, int64_t units);
    /* xg = x·Wᵢₕᵀ + bᵢₕ and hg = h0·Wₕₕᵀ + bₕₕ, [3H] each; act [3H] gets r, z, n; h = (1-z)·n +
     * z·h0 */
    void (*gru)(float *h, float *act, const float *xg, const float *hg, const float *h0,
                int64_t units);
    /* dxg, dhg [3H] are written; dh0 += z·dh */
    void (*gru_grad)(float *dxg, float *dhg, float *dh0, const float *dh, const float *act,
                     const float *hg, const float *h0, int64_t units);
};

#endif
