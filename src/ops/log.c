/* log.c: the natural logarithm.   x [..] -> y [..]
 *
 *   forward    y  = log(x)
 *   backward   dx += dy / x
 */
#include "ops/op.h"

typedef struct log_arg {
    const heed_math_kernels *k;
    float *dx, beta;
    const float *x, *dy;
} log_arg;

static void log_range(void *arg, int64_t begin, int64_t end, int worker) {
    enum { BLOCK = 1024 };
    const log_arg *g = arg;
    float part[BLOCK];
    (void)worker;
    if (g->beta == 0) {
        g->k->div(g->dx + begin, g->dy + begin, g->x + begin, end - begin);
        return;
    }
    for (int64_t i = begin; i < end; i += BLOCK) {
        const int64_t n = end - i < BLOCK ? end - i : BLOCK;
        g->k->div(part, g->dy + i, g->x + i, n);
        g->k->add(g->dx + i, g->dx + i, part, n);
    }
}

static void log_backward(heed_ctx *cx, const heed_node *n) {
    log_arg g = { .k = cx->k->math, .x = n->src[0]->data, .dy = n->out->grad };
    g.dx = heed__grad_beta(cx, n->src[0], &g.beta);
    if (g.dx) heed__parallel(cx, n->out->len, 2, log_range, &g);
}

static const heed_op log_op = { .name = "log", .backward = log_backward };

heed_tensor *heed_log(heed_ctx *cx, heed_tensor *x) {
    return cx && x ? heed__unary(cx, &log_op, x, cx->k->math->log, 8) : NULL;
}
