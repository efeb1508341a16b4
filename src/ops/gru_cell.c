/* gru_cell.c: one step of a GRU.   xg, hg [B,3H] before activation, h [B,H] -> [B,H]
 *
 *   forward    r, z = σ(xg + hg);   n = tanh(xg + r·hg);   h' = (1-z)·n + z·h
 *   backward   dxg, dhg and dh from dh' by the kernel
 */
#include "kernels/math.h"
#include "kernels/rnn.h"
#include "ops/broadcast.h"

#include <string.h>

typedef struct cell_job {
    const heed_ctx *cx;
    int64_t units;
    const float *xg, *hg, *h0;
    float *act, *y;
    const float *dy;
    float *dxg, *dhg, *dh0, *tmp; /* tmp [workers,7H] */
} cell_job;

static void cell_forward(void *arg, int64_t begin, int64_t end, int worker) {
    const cell_job *j = arg;
    const int64_t H = j->units;
    (void)worker;
    for (int64_t b = begin; b < end; b++)
        j->cx->k->rnn->gru(j->y + b * H, j->act + b * 3 * H, j->xg + b * 3 * H, j->hg + b * 3 * H,
                           j->h0 + b * H, H);
}

static void cell_grad(void *arg, int64_t begin, int64_t end, int worker) {
    const cell_job *j = arg;
    const int64_t H = j->units;
    const heed_math_kernels *m = j->cx->k->math;
    float *dx = j->tmp + worker * 7 * H, *dh = dx + 3 * H, *d0 = dh + 3 * H;
    for (int64_t b = begin; b < end; b++) {
        memset(d0, 0, (size_t)H * sizeof *d0);
        j->cx->k->rnn->gru_grad(dx, dh, d0, j->dy + b * H, j->act + b * 3 * H, j->hg + b * 3 * H,
                                j->h0 + b * H, H);
        if (j->dxg) m->add(j->dxg + b * 3 * H, j->dxg + b * 3 * H, dx, 3 * H);
        if (j->dhg) m->add(j->dhg + b * 3 * H, j->dhg + b * 3 * H, dh, 3 * H);
        if (j->dh0) m->add(j->dh0 + b * H, j->dh0 + b * H, d0, H);
    }
}

static void gru_cell_backward(heed_ctx *cx, const heed_node *n) {
    heed_tensor *xg = n->src[0], *hg = n->src[1], *h = n->src[2];
    const int64_t B = h->shape[0], H = h->shape[1];
    cell_job j = { .cx = cx,
                   .units = H,
                   .hg = hg->data,
                   .h0 = h->data,
                   .act = n->saved,
                   .dy = n->out->grad,
                   .dxg = heed_grad(cx, xg),
                   .dhg = heed_grad(cx, hg),
                   .dh0 = heed_grad(cx, h) };
    j.tmp = heed__alloc(cx, heed_pool_threads(cx->pool) * 7 * H, sizeof(float));
    if (!j.tmp) return;
    if (j.dxg != j.dhg && heed__overlap(j.dxg, j.dhg, 3 * B * H))
        cell_grad(&j, 0, B, 0); /* views that share rows: one worker, in order */
    else
        heed__parallel(cx, B, 16 * H, cell_grad, &j);
}

static const heed_op op = { .name = "gru_cell", .backward = gru_cell_backward };

heed_tensor *heed_gru_cell(heed_ctx *cx, heed_tensor *xg, heed_tensor *hg, heed_tensor *h) {
    char a[96], b[96], c[96];
    if (!xg || !hg || !h) return NULL;
    if (xg->dtype != HEED_F32 || h->dtype != HEED_F32 || hg->dtype != HEED_F32 || xg->ndim != 2 ||
        h->ndim != 2 || !heed__same_shape(xg, hg) || xg->shape[0] != h->shape[0] ||
        xg->shape[1] != 3 * h->shape[1])
        return heed_fail(cx, HEED_ESHAPE,
                         "gru_cell: xg %s, hg %s and h %s are not f32 [B,3H], [B,3H] and [B,H]",
                         heed_shape_text(xg, a), heed_shape_text(hg, b), heed_shape_text(h, c));
    const int64_t B = h->shape[0], H = h->shape[1];
    heed_tensor *y = heed__out(cx, &op, 2, h->shape);
    float *act = heed__alloc(cx, B * 3 * H, sizeof(float));
    if (!y || !act) return NULL;
    cell_job j = { .cx = cx,
                   .units = H,
                   .xg = xg->data,
                   .hg = hg->data,
                   .h0 = h->data,
                   .act = act,
                   .y = y->data };
    heed__parallel(cx, B, 16 * H, cell_forward, &j);
    return heed__record3(cx, &op, y, xg, hg, h, act);
}
