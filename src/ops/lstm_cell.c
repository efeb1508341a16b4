/* lstm_cell.c: one step of an LSTM.   gates [B,4H] before activation, c [B,H] -> [2,B,H]: h, c'
 *
 *   forward    i, f, o = σ(a), g = tanh(a);   c' = f·c + i·g;   h = o·tanh(c')
 *   backward   da and dc from dh and dc' by the kernel
 */
#include "kernels/math.h"
#include "kernels/rnn.h"
#include "ops/op.h"

#include <string.h>

typedef struct cell_job {
    const heed_ctx *cx;
    int64_t units, plane;
    const float *gates, *c0;
    float *act, *tc, *y; /* activated gates [B,4H], tanh of the cell [B,H] */
    const float *dy;
    float *dgates, *dc0, *tmp; /* tmp [workers,6H] */
} cell_job;

static void cell_forward(void *arg, int64_t begin, int64_t end, int worker) {
    const cell_job *j = arg;
    const int64_t H = j->units;
    (void)worker;
    for (int64_t b = begin; b < end; b++) {
        float *h = j->y + b * H;
        memcpy(j->act + b * 4 * H, j->gates + b * 4 * H, (size_t)(4 * H) * sizeof(float));
        j->cx->k->rnn->lstm(h, h + j->plane, j->tc + b * H, j->act + b * 4 * H, j->c0 + b * H, H);
    }
}

static void cell_grad(void *arg, int64_t begin, int64_t end, int worker) {
    const cell_job *j = arg;
    const int64_t H = j->units;
    float *da = j->tmp + worker * 6 * H, *dc = da + 4 * H;
    for (int64_t b = begin; b < end; b++) {
        const float *dy = j->dy + b * H;
        memcpy(dc, dy + j->plane, (size_t)H * sizeof(float));
        j->cx->k->rnn->lstm_grad(da, dc, dy, j->act + b * 4 * H, j->c0 + b * H, j->tc + b * H, H);
        if (j->dgates) {
            float *to = j->dgates + b * 4 * H;
            j->cx->k->math->add(to, to, da, 4 * H);
        }
        if (j->dc0) j->cx->k->math->add(j->dc0 + b * H, j->dc0 + b * H, dc, H);
    }
}

static void lstm_cell_backward(heed_ctx *cx, const heed_node *n) {
    heed_tensor *gates = n->src[0], *c = n->src[1];
    const int64_t B = c->shape[0], H = c->shape[1];
    cell_job j = { .cx = cx,
                   .units = H,
                   .plane = B * H,
                   .c0 = c->data,
                   .act = n->saved,
                   .dy = n->out->grad,
                   .dgates = heed_grad(cx, gates),
                   .dc0 = heed_grad(cx, c) };
    j.tc = j.act + B * 4 * H;
    j.tmp = heed__alloc(cx, heed_pool_threads(cx->pool) * 6 * H, sizeof(float));
    if (j.tmp) heed__parallel(cx, B, 16 * H, cell_grad, &j);
}

static const heed_op op = { .name = "lstm_cell", .backward = lstm_cell_backward };

heed_tensor *heed_lstm_cell(heed_ctx *cx, heed_tensor *gates, heed_tensor *c) {
    char a[96], b[96];
    if (!gates || !c) return NULL;
    if (gates->dtype != HEED_F32 || c->dtype != HEED_F32 || gates->ndim != 2 || c->ndim != 2 ||
        gates->shape[0] != c->shape[0] || gates->shape[1] != 4 * c->shape[1])
        return heed_fail(cx, HEED_ESHAPE, "lstm_cell: gates %s and c %s are not f32 [B,4H], [B,H]",
                         heed_shape_text(gates, a), heed_shape_text(c, b));
    const int64_t B = c->shape[0], H = c->shape[1];
    heed_tensor *y = heed__out(cx, &op, 3, (int64_t[]){ 2, B, H });
    float *act = heed__alloc(cx, B * 5 * H, sizeof(float));
    if (!y || !act) return NULL;
    cell_job j = { .cx = cx,
                   .units = H,
                   .plane = B * H,
                   .gates = gates->data,
                   .c0 = c->data,
                   .act = act,
                   .tc = act + B * 4 * H,
                   .y = y->data };
    heed__parallel(cx, B, 16 * H, cell_forward, &j);
    return heed__record2(cx, &op, y, gates, c, act);
}
