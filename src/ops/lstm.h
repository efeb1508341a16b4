/* lstm.h: what heed_lstm and heed_lstm_layer share: lstm.c computes both. */
#ifndef HEED_OPS_LSTM_H
#define HEED_OPS_LSTM_H

#include "tensor/ctx.h"

typedef struct heed__lstm_call {
    const heed_op *op;   /* whose backward is heed__lstm_backward */
    heed_tensor *src[7]; /* xw or x, wh, h0, c0, lengths; wi and bias (or NULL) of a layer */
    bool reverse;
} heed__lstm_call;

/* Whether wh and the states fit [batch,..]; else the error is set. */
bool heed__lstm_fits(heed_ctx *cx, const heed__lstm_call *c);
/* After the checks. */
heed_tensor *heed__lstm_run(heed_ctx *cx, const heed__lstm_call *c);
void heed__lstm_backward(heed_ctx *cx, const heed_node *n);

#endif
