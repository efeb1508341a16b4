/* bce_logits.c: binary cross-entropy from logits, a mean.   x [..,K], target [..,K] in 0..1 -> []
 *
 *   forward    L  = (1/n) Σ max(x,0) − x·t + log(1 + exp(−|x|))
 *   backward   dx += dL/n · (σ(x) − t),  σ(x) = 1 / (1 + exp(−x))
 *              dt −= dL/n · x
 *   with a weight wₖ of what is so of class k (as PyTorch's pos_weight):   l = 1 + (wₖ − 1)·t
 *              L  = (1/n) Σ (1−t)·x + l·s,   s = max(−x,0) + log(1 + exp(−|x|))
 *              dx += dL/n · (l·(σ(x) − 1) + 1 − t)
 *              dt += dL/n · ((wₖ − 1)·s − x)
 */
#include "ops/fill.h"

#include <math.h>
#include <string.h>

enum { BLOCK = 1024 };

typedef struct bce {
    const heed_math_kernels *k;
    const float *x, *t;
    float *out, g; /* forward: each element's loss; backward: a gradient */
    float beta;
    const float *weight; /* [K] or NULL */
    int64_t classes;     /* K */
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
        for (int64_t j = 0; !b->weight && j < n; j++) out[j] += (x[j] > 0 ? x[j] : 0) - x[j] * t[j];
        for (int64_t j = 0; b->weight && j < n; j++) {
            const float l = 1 + (b->weight[(i + j) % b->classes] - 1) * t[j];
            out[j] = (1 - t[j]) * x[j] + l * (out[j] + (x[j] < 0 ? -x[j] : 0));
        }
    }
}

static void grad_range(void *arg, int64_t begin, int64_t end, int worker) {
    const bce *b = arg;
    float part[BLOCK];
    (void)worker;
    for (int64_t i = begin; i < end; i += BLOCK) {
        const int64_t n = end - i < BLOCK ? end - i : BLOCK;
        b->k->sigmoid(part, b->x + i, n);
        if (b->weight)
            for (int64_t j = 0; j < n; j++) {
                const float t = b->t[i + j], l = 1 + (b->weight[(i + j) % b->classes] - 1) * t;
                part[j] = l * (part[j] - 1) + (1 - t);
            }
        else
            b->k->sub(part, part, b->t + i, n);
        if (b->beta != 0)
            b->k->axpy(b->out + i, b->g, part, n);
        else
            b->k->axpby(b->out + i, b->g, part, 0, n);
    }
}

/* dt of a weighted loss. */
static void target_range(void *arg, int64_t begin, int64_t end, int worker) {
    const bce *b = arg;
    float part[BLOCK];
    (void)worker;
    for (int64_t i = begin; i < end; i += BLOCK) {
        const int64_t n = end - i < BLOCK ? end - i : BLOCK;
        const float *x = b->x + i;
        softplus_block(b, part, x, n);
        for (int64_t j = 0; j < n; j++)
            part[j] = (b->weight[(i + j) % b->classes] - 1) * (part[j] + (x[j] < 0 ? -x[j] : 0)) -
                      x[j];
        if (b->beta != 0)
            b->k->axpy(b->out + i, b->g, part, n);
        else
            b->k->axpby(b->out + i, b->g, part, 0, n);
    }
}

static void bce_logits_backward(heed_ctx *cx, const heed_node *n) {
    heed_tensor *x = n->src[0], *t = n->src[1];
    bce b = { .k = cx->k->math, .x = x->data, .t = t->data, .weight = n->saved };
    b.classes = b.weight ? heed__cols(x) : 1;
    b.g = x->len ? *n->out->grad / (float)x->len : 0;
    b.out = heed__grad_beta(cx, x, &b.beta);
    if (b.out) heed__parallel(cx, x->len, 8, grad_range, &b);
    b.out = heed__grad_beta(cx, t, &b.beta);
    if (b.out && b.weight)
        heed__parallel(cx, x->len, 16, target_range, &b);
    else if (b.out)
        heed__axpy_grad(cx, b.out, b.beta, -b.g, x->data, x->len);
}

static const heed_op bce_logits_op = { .name = "bce_logits", .backward = bce_logits_backward };

/* A copy of the weights for logits' last axis into *copy. False: an error is set. */
static bool copy_weights(heed_ctx *cx, const heed_tensor *logits, const float *weight,
                         float **copy) {
    char text[96];
    if (logits->ndim < 1) {
        heed_fail(cx, HEED_ESHAPE, "bce_logits: logits %s have no classes to weigh",
                  heed_shape_text(logits, text));
        return false;
    }
    const int64_t K = heed__cols(logits);
    *copy = heed__alloc(cx, K, sizeof **copy);
    if (!*copy) return false;
    if (K) memcpy(*copy, weight, (size_t)K * sizeof **copy);
    for (int64_t k = 0; k < K; k++)
        if (!(weight[k] >= 0 && weight[k] < 1e30F)) {
            heed_fail(cx, HEED_EINVALID, "bce_logits: weight %g of class %lld is no weight",
                      (double)weight[k], (long long)k);
            return false;
        }
    return true;
}

heed_tensor *heed_bce_logits(heed_ctx *cx, heed_tensor *logits, heed_tensor *targets,
                             const heed_bce_cfg *cfg) {
    if (!cx || !logits || !targets || !heed__are_alike(cx, &bce_logits_op, logits, targets))
        return NULL;
    float *weight = NULL;
    if (cfg && cfg->weight && !copy_weights(cx, logits, cfg->weight, &weight)) return NULL;
    heed_tensor *y = heed_new(cx, HEED_F32, 0, NULL);
    bce b = { .k = cx->k->math, .x = logits->data, .t = targets->data, .weight = weight };
    b.classes = weight ? heed__cols(logits) : 1;
    b.out = y ? heed__temp(cx, logits->len, sizeof(float)) : NULL;
    if (!b.out) return NULL;
    heed__parallel(cx, logits->len, 16, forward_range, &b);
    if (!heed__total(cx, y->data, b.out, logits->len)) return NULL;
    heed__temp_end(cx, b.out);
    if (logits->len) HEED_F32_DATA(y)[0] /= (float)logits->len;
    return heed__record2(cx, &bce_logits_op, y, logits, targets, weight);
}
