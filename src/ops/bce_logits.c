/* bce_logits.c: binary cross-entropy from logits, a mean.   x [..], target [..] in 0..1 -> []
 *
 *   forward    L  = (1/n) Σ max(x,0) − x·t + log(1 + exp(−|x|))
 *   backward   dx += dL/n · (σ(x) − t),  σ(x) = 1 / (1 + exp(−x))
 *              dt −= dL/n · x
 */
#include "ops/fill.h"

#include <math.h>

enum { BLOCK = 1024 };

typedef struct bce {
    const heed_math_kernels *k;
    const float *x, *t;
    float *out, g; /* forward: each element's loss; backward: a gradient */
    float beta;
} bce;

/* log(1 + e) without loss for small e: log(u)·e/(u−1) with u = 1 + e rounded (Kahan). */
static void softplus_block(const bce *b, float *to, const float *x, int64_t n) {
    float e[BLOCK];
    for (int64_t i = 0; i < n; i++) e[i] = -fabsf(x[i]);
    b->k->exp(e, e, n);
    for (int64_t i = 0; i < n; i++) to[i] = 1 + e[i];
    b->k->log(to, to, n);
    for (int64_t i = 0; i < n; i++) {
        const float u = 1 + e[i];
        to[i] = u == 1 ? e[i] : to[i] * (e[i] / (u - 1));
    }
}

static void forward_range(void *arg, int64_t begin, int64_t end, int worker) {
    const bce *b = arg;
    (void)worker;
    for (int64_t i = begin; i < end; i += BLOCK) {
        const int64_t n = end - i < BLOCK ? end - i : BLOCK;
        const float *x = b->x + i, *t = b->t + i;
        float *out = b->out + i;
        softplus_block(b, out, x, n);
        for (int64_t j = 0; j < n; j++) out[j] += (x[j] > 0 ? x[j] : 0) - x[j] * t[j];
    }
}

static void grad_range(void *arg, int64_t begin, int64_t end, int worker) {
    const bce *b = arg;
    float part[BLOCK];
    (void)worker;
    for (int64_t i = begin; i < end; i += BLOCK) {
        const int64_t n = end - i < BLOCK ? end - i : BLOCK;
        b->k->sigmoid(part, b->x + i, n);
        b->k->sub(part, part, b->t + i, n);
        if (b->beta != 0)
            b->k->axpy(b->out + i, b->g, part, n);
        else
            b->k->axpby(b->out + i, b->g, part, 0, n);
    }
}

static void bce_logits_backward(heed_ctx *cx, const heed_node *n) {
    heed_tensor *x = n->src[0], *t = n->src[1];
    bce b = { .k = cx->k->math, .x = x->data, .t = t->data };
    b.g = x->len ? *n->out->grad / (float)x->len : 0;
    b.out = heed__grad_beta(cx, x, &b.beta);
    if (b.out) heed__parallel(cx, x->len, 8, grad_range, &b);
    float beta, *dt = heed__grad_beta(cx, t, &beta);
    if (dt) heed__axpy_grad(cx, dt, beta, -b.g, x->data, x->len);
}

static const heed_op bce_logits_op = { .name = "bce_logits", .backward = bce_logits_backward };

heed_tensor *heed_bce_logits(heed_ctx *cx, heed_tensor *logits, heed_tensor *targets) {
    if (!logits || !targets || !heed__are_alike(cx, &bce_logits_op, logits, targets)) return NULL;
    heed_tensor *y = heed_new(cx, HEED_F32, 0, NULL);
    bce b = { .k = cx->k->math, .x = logits->data, .t = targets->data };
    b.out = y ? heed__temp(cx, logits->len, sizeof(float)) : NULL;
    if (!b.out) return NULL;
    heed__parallel(cx, logits->len, 16, forward_range, &b);
    if (!heed__total(cx, y->data, b.out, logits->len)) return NULL;
    heed__temp_end(cx, b.out);
    if (logits->len) HEED_F32_DATA(y)[0] /= (float)logits->len;
    return heed__record2(cx, &bce_logits_op, y, logits, targets, NULL);
}
