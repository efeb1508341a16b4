/* affine_cross_entropy.c: an output layer and its loss as one operation.
 * x [..,I], w [K,I], b [K] or NULL, labels I32 [..] -> []
 *
 *   forward    z  = x·Wᵀ + b;   loss = cross_entropy(z, labels)      as in cross_entropy.c
 *   backward   dz = dloss/dz;   dx += dz·W,  dW += dzᵀ·x,  db += Σ dz
 *
 * Bits are those of affine and cross_entropy in a row. Nobody else sees z, so dz takes its place:
 * over a large vocabulary logits are the most that a step holds, and here it holds them once.
 */
#include "ops/affine.h"
#include "ops/entropy.h"

enum { PIECE = 512 }; /* columns of one unit of work */

typedef struct turn {
    const heed__entropy *e;
    float *z; /* [rows,K], becomes dz */
} turn;

/* dz of some rows and columns; where sum is given they are added to it. */
static void turn_rows(heed_ctx *cx, const void *arg, float *sum, const int64_t range[4]) {
    const turn *t = arg;
    const int64_t K = t->e->cols, n = range[HEED_COLS];
    for (int64_t i = range[HEED_ROW]; i < range[HEED_ROW] + range[HEED_ROWS]; i++) {
        float *z = t->z + i * K + range[HEED_COL];
        if (i + 1 < t->e->rows)
            for (int64_t j = 0; j < n; j += 16) __builtin_prefetch(z + K + j, 1);
        heed__entropy_back(t->e, z, i, range[HEED_COL], n);
        if (sum) cx->k->math->add(sum, sum, z, n);
    }
}

typedef struct turn_all {
    heed_ctx *cx;
    const turn *t;
} turn_all;

static void turn_range(void *arg, int64_t begin, int64_t end, int worker) {
    const turn_all *a = arg;
    (void)worker;
    turn_rows(a->cx, a->t, NULL, (int64_t[4]){ begin, end - begin, 0, a->t->e->cols });
}

/* dz, and the bias's gradient in the same pass. */
static bool turn_back(heed_ctx *cx, const turn *t, heed_tensor *bias) {
    float beta, *db = heed__grad_beta(cx, bias, &beta);
    if (!db) {
        heed__parallel(cx, t->e->rows, 8 * t->e->cols, turn_range, &(turn_all){ cx, t });
        return true;
    }
    heed_col_sums s = { .out = db, .beta = beta, .rows = t->e->rows, .cols = t->e->cols };
    s.piece = PIECE;
    s.fn = turn_rows;
    s.arg = t;
    return heed__col_sums(cx, &s);
}

typedef struct keep {
    heed__entropy *e;
    float *z;
} keep;

static void affine_cross_entropy_backward(heed_ctx *cx, const heed_node *n) {
    const keep *kept = n->saved;
    heed__entropy e = *kept->e;
    if (!heed__wanted(n->src, 3)) return;
    e.d = e.norm > 0 ? *n->out->grad / e.norm : 0;
    if (turn_back(cx, &(turn){ &e, kept->z }, n->src[2]))
        heed__affine_grads(cx, n->src[0], n->src[1], kept->z);
}

static const heed_op affine_cross_entropy_op = { .name = "affine_cross_entropy",
                                                 .backward = affine_cross_entropy_backward };

heed_tensor *heed_affine_cross_entropy(heed_ctx *cx, heed_tensor *x, heed_tensor *w, heed_tensor *b,
                                       heed_tensor *labels, const heed_cross_entropy_cfg *cfg) {
    const heed_op *op = &affine_cross_entropy_op;
    if (!x || !w || !labels || !heed__affine_fits(cx, op, x, w, b)) return NULL;
    heed_tensor *z = heed__affine_out(cx, op, x, w);
    keep *kept = z ? heed__alloc(cx, 1, sizeof *kept) : NULL;
    heed_tensor *y = kept ? heed_new(cx, HEED_F32, 0, NULL) : NULL;
    if (!y) return NULL;
    kept->z = z->data;
    kept->e = heed__entropy_new(cx, op, z, labels, cfg);
    if (!kept->e) return NULL;
    heed_gemm g = heed__affine_product(x, w);
    g.c = kept->z;
    g.bias = b ? b->data : NULL;
    heed__count(cx, w, "matmul", 2.0 * (double)z->len * (double)g.k);
    if (!heed__product(cx, &g) || !heed__entropy_loss(cx, kept->e, y->data)) return NULL;
    return heed_record(cx, op, y, 4, (heed_tensor *[]){ x, w, b, labels }, kept);
}
