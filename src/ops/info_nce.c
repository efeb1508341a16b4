/* info_nce.c: contrast of pairs within a batch (van den Oord et al. 2018).   a [N,C], b [N,C] -> []
 *
 *   forward    S  = a·bᵀ / τ
 *              L  = (1/2N) Σᵢ (rᵢ − Sᵢᵢ) + (cᵢ − Sᵢᵢ),  r, c: log Σ exp of rows and columns of S,
 *                   each kept in two parts, top = max S and log Σ exp(S − top)
 *   backward   dS = dL/2N · (exp(S − r) + exp(S − c) − 2·I)
 *              da += dS·b / τ,   db += dSᵀ·a / τ
 *
 * S and its transpose are two products (equal bits: a product's order of terms does not change), so
 * that both softmaxes run along rows.
 */
#include "ops/fill.h"
#include "ops/product.h"

#include <math.h>

typedef struct nce {
    const heed_kernels *k;
    int64_t n, c;
    float inv, *s, *loss;       /* 1/τ; S [N,N]; [N] */
    float *top[2], *log_sum[2]; /* r and c [N] in two parts */
    float *ds, *scratch, g;     /* scratch [threads,N] */
} nce;

static heed_gemm similarity(const nce *q, const float *a, const float *b, float *s) {
    return (heed_gemm){ .m = q->n,
                        .n = q->n,
                        .k = q->c,
                        .a = a,
                        .lda = q->c,
                        .b = b,
                        .ldb = q->c,
                        .tb = true,
                        .c = s,
                        .ldc = q->n,
                        .scale = q->inv };
}

typedef struct pass {
    const nce *q;
    const float *s; /* S or its transpose */
    float *top, *log_sum;
} pass;

static void lse_range(void *arg, int64_t begin, int64_t end, int worker) {
    const pass *p = arg;
    const heed_row_kernels *k = p->q->k->row;
    const int64_t n = p->q->n;
    (void)worker;
    for (int64_t i = begin; i < end; i++) {
        p->top[i] = k->max(p->s + i * n, n);
        p->log_sum[i] = p->top[i] > -INFINITY ? k->log_sum(p->s + i * n, p->top[i], n) : 0;
    }
}

static void grad_range(void *arg, int64_t begin, int64_t end, int worker) {
    const nce *q = arg;
    float *part = q->scratch + worker * q->n;
    for (int64_t i = begin; i < end; i++) {
        const float *s = q->s + i * q->n;
        float *ds = q->ds + i * q->n;
        q->k->row->exp_sub_scale(ds, s, q->top[0][i], q->log_sum[0][i], q->g, q->n);
        q->k->math->sub(part, s, q->top[1], q->n);
        q->k->math->sub(part, part, q->log_sum[1], q->n);
        q->k->math->exp(part, part, q->n);
        q->k->math->axpy(ds, q->g, part, q->n);
        ds[i] -= 2 * q->g;
    }
}

static void info_nce_backward(heed_ctx *cx, const heed_node *node) {
    nce q = *(const nce *)node->saved;
    if (!q.n) return;
    q.g = *node->out->grad / (2 * (float)q.n);
    q.ds = heed__alloc(cx, q.n * q.n, sizeof(float));
    q.scratch = heed__alloc(cx, heed_pool_threads(cx->pool) * q.n, sizeof(float));
    if (!q.ds || !q.scratch) return;
    heed__parallel(cx, q.n, 20 * q.n, grad_range, &q);
    heed__axpy_grad(cx, q.ds, 0, q.inv, q.ds, q.n * q.n);
    for (int i = 0; i < 2; i++) {
        float beta, *to = heed__grad_beta(cx, node->src[i], &beta);
        const heed_gemm g = { .m = q.n,
                              .n = q.c,
                              .k = q.n,
                              .a = q.ds,
                              .lda = q.n,
                              .ta = i == 1,
                              .b = node->src[1 - i]->data,
                              .ldb = q.c,
                              .c = to,
                              .ldc = q.c,
                              .accumulate = beta != 0 };
        if (to && !heed__product(cx, &g)) return;
    }
}

static const heed_op info_nce_op = { .name = "info_nce", .backward = info_nce_backward };

static bool forward(heed_ctx *cx, nce *q, const heed_tensor *a, const heed_tensor *b) {
    float *turned = heed__temp(cx, q->n * q->n, sizeof *turned);
    if (!turned) return false;
    const heed_gemm rows = similarity(q, a->data, b->data, q->s);
    const heed_gemm columns = similarity(q, b->data, a->data, turned);
    if (!heed__product(cx, &rows) || !heed__product(cx, &columns)) return false;
    heed__parallel(cx, q->n, 8 * q->n, lse_range, &(pass){ q, q->s, q->top[0], q->log_sum[0] });
    heed__parallel(cx, q->n, 8 * q->n, lse_range, &(pass){ q, turned, q->top[1], q->log_sum[1] });
    for (int64_t i = 0; i < q->n; i++) {
        const float right = q->s[i * q->n + i];
        q->loss[i] = (q->log_sum[0][i] - (right - q->top[0][i])) +
                     (q->log_sum[1][i] - (right - q->top[1][i]));
    }
    heed__temp_end(cx, turned);
    return true;
}

heed_tensor *heed_info_nce(heed_ctx *cx, heed_tensor *a, heed_tensor *b, float temperature) {
    char text[96];
    if (!a || !b || !heed__are_alike(cx, &info_nce_op, a, b)) return NULL;
    if (a->ndim != 2)
        return heed_fail(cx, HEED_ESHAPE, "info_nce: %s is not [N,C]", heed_shape_text(a, text));
    if (!(temperature > 0) || temperature > 1e30F || temperature < 1e-30F)
        return heed_fail(cx, HEED_EINVALID, "info_nce: temperature = %g is not above 0",
                         (double)temperature);
    heed_tensor *y = heed_new(cx, HEED_F32, 0, NULL);
    nce *q = y ? heed__alloc(cx, 1, sizeof *q) : NULL;
    if (!q) return NULL;
    *q = (nce){ .k = cx->k, .n = a->shape[0], .c = a->shape[1], .inv = 1 / temperature };
    HEED_F32_DATA(y)[0] = 0;
    if (!q->n) return heed__record2(cx, &info_nce_op, y, a, b, q);
    if (q->n > INT32_MAX)
        return heed_fail(cx, HEED_ESHAPE, "info_nce: %s has too many rows",
                         heed_shape_text(a, text));
    q->s = heed__alloc(cx, q->n * q->n, sizeof(float));
    q->loss = heed__alloc(cx, q->n, 5 * sizeof(float));
    if (!q->s || !q->loss) return NULL;
    for (int i = 0; i < 2; i++) {
        q->top[i] = q->loss + (1 + i) * q->n;
        q->log_sum[i] = q->loss + (3 + i) * q->n;
    }
    if (!forward(cx, q, a, b) || !heed__total(cx, y->data, q->loss, q->n)) return NULL;
    HEED_F32_DATA(y)[0] /= 2 * (float)q->n;
    return heed__record2(cx, &info_nce_op, y, a, b, q);
}
