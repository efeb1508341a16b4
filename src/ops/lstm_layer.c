/* lstm_layer.c: a whole LSTM layer in one direction with the product of its inputs.
 * x [B,T,I], wi [4H,I], wh [4H,H], bias [4H] or NULL, h0, c0 [B,H] or NULL -> h [B,T,H]
 *
 *   forward    xw_t = x_t·Wiᵀ + b;  the rest as in lstm.c
 *   backward   dx_t += da_t·Wi,  dWi += Σ_t da_tᵀ·x_t,  db += Σ_t da_t
 *
 * lstm.c has both. Where nothing is recorded, and for few rows, whose groups leave threads idle,
 * the inputs of all steps are one product; which way it goes is for sizes to say, not for threads.
 */
#include "ops/affine.h"
#include "ops/lstm.h"
#include "ops/sequence.h"

static const heed_op op = { .name = "lstm_layer", .backward = heed__lstm_backward };

heed_tensor *heed_lstm_layer(heed_ctx *cx, heed_tensor *x, heed_tensor *const weights[3],
                             heed_tensor *const state[2], heed_tensor *lengths, bool reverse) {
    if (!cx || !x || !weights || !weights[0] || !weights[1]) return NULL;
    heed_tensor *wi = weights[0], *wh = weights[1], *bias = weights[2];
    heed__lstm_call c = { .op = &op,
                          .src = { x, wh, state ? state[0] : NULL, state ? state[1] : NULL, lengths,
                                   wi, bias },
                          .reverse = reverse };
    char ti[96], th[96];
    if (!heed__lstm_fits(cx, &c) || !heed__affine_fits(cx, &op, x, wi, bias)) return NULL;
    if (wi->shape[0] != wh->shape[0])
        return heed_fail(cx, HEED_ESHAPE, "lstm_layer: wi %s and wh %s differ in their gates",
                         heed_shape_text(wi, ti), heed_shape_text(wh, th));
    if (!heed__lengths_ok(cx, op.name, lengths, x->shape[0], x->shape[1])) return NULL;
    const bool few = x->shape[0] <= HEED_SEQ_GROUP;
    if (!few && cx->precision == HEED_PRECISION_F32 && heed__wants_grad(cx, 7, c.src))
        return heed__lstm_run(cx, &c);
    heed_tensor *y = heed_lstm(cx, heed_affine(cx, x, wi, bias), wh, state, lengths, reverse);
    return y ? heed__view(cx, y, 0, 3, y->shape + 1) : NULL;
}
