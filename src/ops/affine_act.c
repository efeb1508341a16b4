/* affine_act.c: a linear layer, its activation and a residual in one pass.
 * x [..,I], w [O,I], b [O] or NULL, residual [..,O] or NULL -> y [..,O]
 *
 *   forward    z  = x·Wᵀ + b;   y = act(z) + r
 *   backward   dr += dy
 *              dz  = dy · act'(z);   dx += dz·W,  dW += dzᵀ·x,  db += Σ dz
 *
 * z is kept by the product's epilogue where backward will want it, and dz takes its place. A
 * rectifier without residual keeps nothing: y says where z was above 0, and dz takes dy's place.
 */
#include "ops/affine.h"

#include <string.h>

typedef struct keep {
    heed_act act;
    float *z; /* [M,O] or NULL: y stands for it, or nothing is needed */
} keep;

heed_map1_grad heed__act_grad(const heed_math_kernels *k, heed_act act) {
    switch (act) {
    case HEED_ACT_RELU:
        return k->relu_grad;
    case HEED_ACT_GELU:
        return k->gelu_grad;
    case HEED_ACT_GELU_TANH:
        return k->gelu_tanh_grad;
    case HEED_ACT_SILU:
        return k->silu_grad;
    case HEED_ACT_NONE:
        break;
    }
    return NULL;
}

typedef struct turn {
    heed_map1_grad f;
    float *dz; /* may be z */
    const float *z, *dy;
    int64_t cols;
} turn;

/* dz = dy·act'(z) over some rows and columns; where sum is given they are added to it. */
static void turn_rows(heed_ctx *cx, const void *arg, float *sum, const int64_t range[4]) {
    enum { BLOCK = 512 };
    const turn *t = arg;
    float part[BLOCK];
    for (int64_t i = range[HEED_ROW]; i < range[HEED_ROW] + range[HEED_ROWS]; i++)
        for (int64_t j = 0; j < range[HEED_COLS]; j += BLOCK) {
            const int64_t n = range[HEED_COLS] - j < BLOCK ? range[HEED_COLS] - j : BLOCK;
            const int64_t at = i * t->cols + range[HEED_COL] + j;
            memset(part, 0, (size_t)n * sizeof *part);
            t->f(part, t->z + at, t->dy + at, n);
            memcpy(t->dz + at, part, (size_t)n * sizeof *part);
            if (sum) cx->k->math->add(sum + j, sum + j, part, n);
        }
}

typedef struct turn_all {
    heed_ctx *cx;
    const turn *t;
} turn_all;

static void turn_range(void *arg, int64_t begin, int64_t end, int worker) {
    const turn_all *a = arg;
    (void)worker;
    turn_rows(a->cx, a->t, NULL, (int64_t[4]){ begin, end - begin, 0, a->t->cols });
}

/* dz, and the bias's gradient in the same pass. */
static bool turn_back(heed_ctx *cx, const turn *t, heed_tensor *bias, int64_t rows) {
    float beta, *db = heed__grad_beta(cx, bias, &beta);
    if (db)
        return heed__col_sums(cx, &(heed_col_sums){ .out = db,
                                                    .beta = beta,
                                                    .rows = rows,
                                                    .cols = t->cols,
                                                    .piece = heed__col_piece(cx, t->cols),
                                                    .fn = turn_rows,
                                                    .arg = t });
    heed__parallel(cx, rows, 8 * t->cols, turn_range, &(turn_all){ cx, t });
    return true;
}

static void product_backward(heed_ctx *cx, const heed_node *n) {
    const keep *kept = n->saved;
    const float *dy = n->out->grad;
    const int64_t rows = heed__rows(n->out), cols = heed__cols(n->out);
    if (kept->act == HEED_ACT_NONE) {
        if (heed__bias_grad(cx, n->src[2], dy, rows, cols))
            heed__affine_grads(cx, n->src[0], n->src[1], dy);
        return;
    }
    if (!heed__wanted(n->src, 3)) return;
    turn t = { .f = heed__act_grad(cx->k->math, kept->act), .dz = kept->z, .z = kept->z, .dy = dy };
    t.cols = cols;
    if (!kept->z) {
        /* nothing reads dy after this, so that dz may take its place, unless it was asked for */
        const heed_tensor *y = n->out;
        const bool own = !y->keep_grad && !y->view_of;
        t.z = y->data;
        t.dz = own ? y->grad : heed__alloc(cx, y->len, sizeof(float));
    }
    if (!t.dz || !turn_back(cx, &t, n->src[2], rows)) return;
    heed__affine_grads(cx, n->src[0], n->src[1], t.dz);
}

static void affine_act_backward(heed_ctx *cx, const heed_node *n) {
    product_backward(cx, n);
    heed__pass_grad(cx, n->src[3], n->out);
}

static const heed_op affine_act_op = { .name = "affine_act", .backward = affine_act_backward };

bool heed__act_fits(heed_ctx *cx, const heed_op *op, heed_act act) {
    if ((unsigned)act <= HEED_ACT_SILU) return true;
    heed_fail(cx, HEED_EINVALID, "%s: there is no activation %d", op->name, (int)act);
    return false;
}

heed_tensor *heed_affine_act(heed_ctx *cx, heed_tensor *x, heed_tensor *w, heed_tensor *b,
                             heed_act act, heed_tensor *residual) {
    if (!x || !w || !heed__affine_fits(cx, &affine_act_op, x, w, b)) return NULL;
    heed_tensor *y = heed__affine_out(cx, &affine_act_op, x, w);
    if (!y || !heed__act_fits(cx, &affine_act_op, act) ||
        !heed__residual_fits(cx, &affine_act_op, y, residual))
        return NULL;
    heed_tensor *const src[] = { x, w, b, residual };
    const bool record = heed__wants_grad(cx, 4, src);
    keep *kept = record ? heed__alloc(cx, 1, sizeof *kept) : NULL;
    if (record && !kept) return NULL;
    heed_gemm g = heed__affine_product(x, w);
    if (record) {
        *kept = (keep){ .act = act };
        const bool needs_z = act != HEED_ACT_NONE && (act != HEED_ACT_RELU || residual);
        if (needs_z) kept->z = heed__alloc(cx, y->len, sizeof(float));
        if (needs_z && !kept->z) return NULL;
        g.pre = kept->z;
    }
    g.c = y->data;
    g.bias = b ? b->data : NULL;
    g.act = act;
    g.residual = residual ? residual->data : NULL;
    g.ldr = g.ldc;
    heed__count(cx, w, "matmul", 2.0 * (double)y->len * (double)g.k);
    if (!heed__product(cx, &g)) return NULL;
    return heed_record(cx, &affine_act_op, y, 4, src, kept);
}
