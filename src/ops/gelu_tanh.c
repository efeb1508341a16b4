/* gelu_tanh.c: the tanh approximation of gelu, as GPT-2 has it.   x [..] -> y [..]
 *
 *   forward    y  = x/2 · (1 + tanh u),  u = √(2/π) · (x + 0.044715 x³)
 *   backward   dx += dy · ((1 + tanh u)/2 + x/2 · (1 − tanh² u) · u')
 *              u' = √(2/π) · (1 + 0.134145 x²)
 */
#include "ops/op.h"

static void gelu_tanh_backward(heed_ctx *cx, const heed_node *n) {
    heed__unary_backward(cx, n, cx->k->math->gelu_tanh_grad, n->src[0]->data);
}

static const heed_op gelu_tanh_op = { .name = "gelu_tanh", .backward = gelu_tanh_backward };

heed_tensor *heed_gelu_tanh(heed_ctx *cx, heed_tensor *x) {
    return cx && x ? heed__unary(cx, &gelu_tanh_op, x, cx->k->math->gelu_tanh, 8) : NULL;
}
