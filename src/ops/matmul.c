/* matmul.c: products of matrices, one for each place of the leading axes.
 * a [..,M,K] (ta: [..,K,M]), b [..,K,N] (tb: [..,N,K]), or b without leading axes -> c [..,M,N]
 *
 *   forward    C  = A·B
 *   backward   dA += dC·Bᵀ   (ta: dAᵀ += B·dCᵀ)
 *              dB += Aᵀ·dC   (tb: dBᵀ += dCᵀ·A); one b for all: summed over the leading axes
 */
#include "ops/op.h"
#include "ops/product.h"

typedef struct dims {
    int64_t batch, m, n, k;
    bool ta, tb, shared; /* shared: b has no leading axes */
} dims;

static void *refuse(heed_ctx *cx, const heed_tensor *a, const heed_tensor *b, const dims *d) {
    char ta[96], tb[96];
    return heed_fail(cx, HEED_ESHAPE, "matmul: %s%s x %s%s do not chain", heed_shape_text(a, ta),
                     d->ta ? "ᵀ" : "", heed_shape_text(b, tb), d->tb ? "ᵀ" : "");
}

static bool measure(heed_ctx *cx, const heed_tensor *a, const heed_tensor *b, dims *d) {
    const int na = a->ndim, nb = b->ndim;
    if (na < 2 || nb < 2) return refuse(cx, a, b, d) != NULL;
    d->shared = nb == 2;
    bool fits = d->shared || na == nb;
    d->batch = 1;
    for (int i = 0; fits && i < na - 2; i++) {
        fits = d->shared || a->shape[i] == b->shape[i];
        d->batch *= a->shape[i];
    }
    d->m = a->shape[d->ta ? na - 1 : na - 2];
    d->k = a->shape[d->ta ? na - 2 : na - 1];
    d->n = b->shape[d->tb ? nb - 2 : nb - 1];
    fits = fits && b->shape[d->tb ? nb - 1 : nb - 2] == d->k;
    if (!fits) refuse(cx, a, b, d);
    return fits;
}

/* Rows of all products follow each other where b serves them all: one product. */
static dims folded(dims d) {
    if (d.shared && !d.ta) {
        d.m *= d.batch;
        d.batch = 1;
    }
    return d;
}

/* op(a) [m,k] times op(b) [k,n], batch of them. */
static heed_gemm product_of(const dims *d, const float *a, const float *b) {
    return (heed_gemm){ .m = d->m,
                        .n = d->n,
                        .k = d->k,
                        .a = a,
                        .lda = d->ta ? d->m : d->k,
                        .ta = d->ta,
                        .b = b,
                        .ldb = d->tb ? d->k : d->n,
                        .tb = d->tb,
                        .ldc = d->n,
                        .batch = d->batch,
                        .step_a = d->m * d->k,
                        .step_b = d->shared ? 0 : d->k * d->n,
                        .step_c = d->m * d->n };
}

static bool grad_a(heed_ctx *cx, heed_tensor *a, const float *b, const float *dc, const dims *d) {
    float beta, *da = heed__grad_beta(cx, a, &beta);
    if (!da) return true;
    /* not ta: dA [m,k] = dC [m,n]·op(B)ᵀ [n,k];  ta: dA [k,m] = op(B) [k,n]·dCᵀ [n,m] */
    const dims plain = { .batch = d->batch, .m = d->m, .n = d->k, .k = d->n, .tb = !d->tb };
    const dims turned = {
        .batch = d->batch, .m = d->k, .n = d->m, .k = d->n, .ta = d->tb, .tb = true
    };
    heed_gemm g = d->ta ? product_of(&turned, b, dc) : product_of(&plain, dc, b);
    g.c = da;
    g.accumulate = beta != 0;
    if (d->shared && d->ta) g.step_a = 0;
    if (d->shared && !d->ta) g.step_b = 0;
    return heed__product(cx, &g);
}

static bool grad_b(heed_ctx *cx, heed_tensor *b, const float *a, const float *dc, const dims *d) {
    float beta, *db = heed__grad_beta(cx, b, &beta);
    if (!db) return true;
    /* not tb: dB [k,n] = op(A)ᵀ [k,m]·dC [m,n];  tb: dB [n,k] = dCᵀ [n,m]·op(A) [m,k] */
    const dims plain = { .batch = d->batch, .m = d->k, .n = d->n, .k = d->m, .ta = !d->ta };
    const dims turned = {
        .batch = d->batch, .m = d->n, .n = d->k, .k = d->m, .ta = true, .tb = d->ta
    };
    heed_gemm g = d->tb ? product_of(&turned, dc, a) : product_of(&plain, a, dc);
    g.c = db;
    g.accumulate = beta != 0;
    if (!d->shared) return heed__product(cx, &g);
    g.shard = HEED_GEMM_SHARD;
    g.batch = 1;
    for (int64_t i = 0; i < d->batch; i++) { /* more than one only for ta: a sum in this order */
        if (!heed__product(cx, &g)) return false;
        g.accumulate = true;
        g.a += g.step_a;
        g.b += g.step_b;
    }
    return true;
}

static void matmul_backward(heed_ctx *cx, const heed_node *n) {
    const dims *d = n->saved;
    const float *a = n->src[0]->data, *b = n->src[1]->data;
    if (!d->batch) { /* no product at all; a shared b's gradient is 0 */
        heed_grad(cx, n->src[1]);
        return;
    }
    if (grad_a(cx, n->src[0], b, n->out->grad, d)) grad_b(cx, n->src[1], a, n->out->grad, d);
}

static const heed_op matmul_op = { .name = "matmul", .backward = matmul_backward };

heed_tensor *heed_matmul(heed_ctx *cx, heed_tensor *a, heed_tensor *b, bool ta, bool tb) {
    if (!a || !b) return NULL;
    dims d = { .ta = ta, .tb = tb };
    if (!heed__is_f32(cx, &matmul_op, "a", a) || !heed__is_f32(cx, &matmul_op, "b", b) ||
        !measure(cx, a, b, &d))
        return NULL;
    d = folded(d);
    int64_t shape[HEED_MAX_NDIM];
    for (int i = 0; i < a->ndim; i++) shape[i] = a->shape[i];
    shape[a->ndim - 2] = a->shape[ta ? a->ndim - 1 : a->ndim - 2];
    shape[a->ndim - 1] = d.n;
    heed_tensor *c = heed__out(cx, &matmul_op, a->ndim, shape);
    dims *saved = c ? heed__alloc(cx, 1, sizeof *saved) : NULL;
    if (!saved) return NULL;
    *saved = d;
    heed_gemm g = product_of(&d, a->data, b->data);
    g.c = c->data;
    heed__count(cx, b, "matmul", 2.0 * (double)c->len * (double)d.k);
    if (d.batch && !heed__product(cx, &g)) return NULL;
    return heed__record2(cx, &matmul_op, c, a, b, saved);
}
