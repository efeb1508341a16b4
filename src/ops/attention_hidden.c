/* attention_hidden.c: queries and keys of the general path where a hidden one may be huge or not
 * finite. Scores that are learnt or of unit length put each row through operations of its own,
 * whose gradients would multiply it with zero; so a key that nobody sees, and a query that sees
 * nothing, is read as zeros.
 */
#include "ops/attention_general.h"

#include <math.h>
#include <string.h>

#include "ops/op.h"

typedef struct hidden {
    int64_t width; /* of a head */
    uint8_t *seen; /* [rows, heads] */
} hidden;

/* Marks the queries that see something and the keys that somebody sees. */
static void mark(const heed__general *g, heed__block *k, uint8_t *queries, uint8_t *keys) {
    heed__general_range(g, k);
    memset(k->x, 0, (size_t)k->ld * sizeof *k->x);
    heed__general_hide(g, k, 0);
    for (int64_t j = 0; j < k->hi - k->lo; j++) {
        if (k->x[j] != 0) continue; /* -inf */
        queries[(k->b * g->T + k->t0) * g->H + k->h] = 1;
        keys[(k->b * g->S + k->lo + j) * g->Hk + k->h / (g->H / g->Hk)] = 1;
    }
}

static void hidden_backward(heed_ctx *cx, const heed_node *n) {
    const hidden *h = n->saved;
    float *dx = heed_grad(cx, n->src[0]);
    const float *dy = n->out->grad;
    for (int64_t i = 0; dx && i < n->out->len; i++)
        if (h->seen[i / h->width]) dx[i] += dy[i];
}

static const heed_op hidden_op = { .name = "attention", .backward = hidden_backward };

static heed_tensor *cleared(heed_ctx *cx, heed_tensor *x, int64_t heads, uint8_t *seen) {
    heed_tensor *y = heed__like(cx, x);
    hidden *h = y ? heed__alloc(cx, 1, sizeof *h) : NULL;
    if (!h) return NULL;
    *h = (hidden){ .width = x->shape[2] / heads, .seen = seen };
    for (int64_t i = 0; i < x->len; i++)
        HEED_F32_DATA(y)[i] = seen[i / h->width] ? HEED_F32_DATA(x)[i] : 0;
    return heed__record1(cx, &hidden_op, y, x, h);
}

/* Whether no product with what is learnt can come out infinite. */
static bool modest(const heed_tensor *x) {
    int64_t i = 0;
    while (i < x->len && fabsf(HEED_F32_DATA(x)[i]) < 0x1p60f) i++;
    return i == x->len;
}

bool heed__general_clear(heed_ctx *cx, const heed__general *g, heed_tensor *qk[2]) {
    if (modest(qk[0]) && modest(qk[1])) return true;
    uint8_t *queries = heed__alloc(cx, g->B * g->T * g->H + 1, 1);
    uint8_t *keys = queries ? heed__alloc(cx, g->B * g->S * g->Hk + 1, 1) : NULL;
    float *x = keys ? heed__alloc(cx, g->S + 16, sizeof *x) : NULL;
    if (!x) return false;
    memset(queries, 0, (size_t)(g->B * g->T * g->H));
    memset(keys, 0, (size_t)(g->B * g->S * g->Hk));
    heed__block k = { .x = x, .n = 1 };
    for (int64_t row = 0; row < g->B * g->H; row++)
        for (k.t0 = 0; k.t0 < g->T; k.t0++) {
            k.b = row / g->H, k.h = row % g->H;
            mark(g, &k, queries, keys);
        }
    qk[0] = cleared(cx, qk[0], g->H, queries);
    qk[1] = cleared(cx, qk[1], g->Hk, keys);
    return qk[0] && qk[1];
}
