/* broadcast.h: two operands, of which the second may be a tail of the first's shape ([C] beside
 * [B,T,C]) or one number, so that its len numbers repeat along the first. */
#ifndef HEED_OPS_BROADCAST_H
#define HEED_OPS_BROADCAST_H

#include "ops/op.h"

/* The whole operation: y = f(a, b). */
heed_tensor *heed__binary(heed_ctx *cx, const heed_op *op, heed_tensor *a, heed_tensor *b,
                          heed_map2 f);
/* y = f(x, b), or y += where beta is 1; x and y of len numbers, b of `period`, repeated. */
typedef struct heed_repeat {
    heed_map2 f;
    float *y, beta;
    const float *x, *b;
    int64_t len, period;
} heed_repeat;
bool heed__repeat(heed_ctx *cx, const heed_repeat *r);
/* out[j] = or += sign · sum over i of x[i·period + j]·y[i·period + j]; y NULL: of x alone. One
 * number: blocks of 4096 and a tree; else the shard rule. */
typedef struct heed_fold {
    float *out, beta, sign;
    const float *x, *y;
    int64_t len, period;
} heed_fold;
bool heed__fold(heed_ctx *cx, const heed_fold *f);
/* True when n floats from a and n from b share memory: gradients that must not be written at once.
 */
bool heed__overlap(const float *a, const float *b, int64_t n);

#endif
