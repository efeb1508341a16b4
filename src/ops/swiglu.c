/* swiglu.c: a gated unit.   gate [..,F], up [..,F] -> y [..,F]      (Shazeer 2020)
 *
 *   forward    y     = gate · s · up,  s = 1 / (1 + exp(−gate))
 *   backward   dup   += dy · gate · s
 *              dgate += dy · up · s · (1 + gate · (1 − s))
 */
#include "ops/broadcast.h"

#include <string.h>

typedef struct glu {
    const heed_math_kernels *k;
    float *y;
    const float *gate, *up, *dy;
    float *dgate, *dup, beta_gate, beta_up; /* NULL: not wanted */
} glu;

static void swiglu_range(void *arg, int64_t begin, int64_t end, int worker) {
    const glu *g = arg;
    (void)worker;
    g->k->swiglu(g->y + begin, g->gate + begin, g->up + begin, end - begin);
}

static void swiglu_grad_range(void *arg, int64_t begin, int64_t end, int worker) {
    enum { BLOCK = 1024 };
    const glu *g = arg;
    float unwanted[BLOCK];
    (void)worker;
    for (int64_t i = begin; i < end; i += BLOCK) {
        const int64_t n = end - i < BLOCK ? end - i : BLOCK;
        const size_t size = (size_t)n * sizeof(float);
        float *dgate = g->dgate ? g->dgate + i : unwanted;
        float *dup = g->dup ? g->dup + i : unwanted;
        if (!g->dgate || !g->dup) memset(unwanted, 0, size);
        if (g->dgate && g->beta_gate == 0) memset(dgate, 0, size);
        if (g->dup && g->beta_up == 0) memset(dup, 0, size);
        g->k->swiglu_grad(dgate, dup, g->gate + i, g->up + i, g->dy + i, n);
    }
}

static void swiglu_backward(heed_ctx *cx, const heed_node *n) {
    glu g = { .k = cx->k->math, .dy = n->out->grad };
    g.gate = n->src[0]->data;
    g.up = n->src[1]->data;
    g.dgate = heed__grad_beta(cx, n->src[0], &g.beta_gate);
    g.dup = heed__grad_beta(cx, n->src[1], &g.beta_up);
    if (!heed__overlap(g.dgate, g.dup, n->out->len)) {
        heed__parallel(cx, n->out->len, 8, swiglu_grad_range, &g);
        return;
    }
    glu first = g; /* one tensor is both, or they are views that overlap: one after the other */
    first.dup = g.dgate = NULL;
    heed__parallel(cx, n->out->len, 8, swiglu_grad_range, &first);
    heed__parallel(cx, n->out->len, 8, swiglu_grad_range, &g);
}

static const heed_op swiglu_op = { .name = "swiglu", .backward = swiglu_backward };

heed_tensor *heed_swiglu(heed_ctx *cx, heed_tensor *gate, heed_tensor *up) {
    if (!gate || !up || !heed__are_alike(cx, &swiglu_op, gate, up)) return NULL;
    heed_tensor *y = heed__like(cx, gate);
    if (!y) return NULL;
    glu g = { .k = cx->k->math, .y = y->data, .gate = gate->data, .up = up->data };
    heed__parallel(cx, y->len, 8, swiglu_range, &g);
    return heed__record2(cx, &swiglu_op, y, gate, up, NULL);
}
