/* lstm.c: a whole LSTM layer in one direction (Hochreiter and Schmidhuber 1997; gates as PyTorch).
 *   xw [B,T,4H], wh [4H,H], h0, c0 [B,H] -> [2,B,T,H]: h and c of every step
 *
 *   forward    a_t = xw_t + h_t-1·Whᵀ;   i, f, o = σ(a), g = tanh(a)   (order i, f, g, o)
 *              c_t = f·c_t-1 + i·g;      h_t = o·tanh(c_t)
 *   backward   dh_t = dy_t + da_t+1·Wh;  da_t from dh_t and dc_t by the kernel;  dxw_t += da_t
 *              dWh += Σ_t da_tᵀ·h_t-1, one product over all rows and steps at the end
 */
#include "ops/op.h"
#include "ops/sequence.h"
#include "kernels/gemm.h"
#include "kernels/rnn.h"
#include "kernels/math.h"

#include <string.h>

typedef struct lstm_saved {
    heed__seq seq;
    float *gates; /* [total,4H] activated */
    float *tc;    /* [total,H] tanh of the cell */
    float *hprev; /* [total,H] the state that each step began with */
} lstm_saved;

typedef struct lstm_job {
    const heed_ctx *cx;
    const lstm_saved *s;
    int64_t units;
    const float *xw, *h0, *c0;
    float *y;            /* [2,B,T,H] */
    float *room;         /* where `panels` that are not the weight's own and scratch lie */
    float *scratch;      /* of each worker */
    const float *panels; /* the recurrent weight */
    int64_t scratch_len;
    const float *zeros; /* [H] */
    /* backward */
    const float *dy;
    float *dgates;               /* [total,4H] */
    float *dxw, *dh0, *dc0;      /* NULL: not wanted */
    bool add_xw, add_h0, add_c0; /* else overwritten */
} lstm_job;

/* Rows of a batch lie T steps apart, too far for the machine to see what the next step reads. */
static void ask(const float *x, int64_t n) {
    for (int64_t i = 0; i < n; i += 16) __builtin_prefetch(x + i);
}

/* One step of the rows that run: gates hold xw on entry. */
static void step_rows(const lstm_job *j, int64_t r0, int64_t active, int64_t s, int64_t at) {
    const heed__seq *q = &j->s->seq;
    const int64_t H = j->units, T = q->steps, plane = q->batch * T * H;
    const int64_t next = heed__seq_active(q, r0, active, s + 1);
    for (int64_t r = 0; r < active; r++) {
        const int64_t b = q->row[r0 + r], t = heed__seq_time(q, r0 + r, s);
        float *h = j->y + (b * T + t) * H;
        const int64_t before = q->reverse ? t + 1 : t - 1;
        const float *c0 = s > 0   ? j->y + plane + (b * T + before) * H
                          : j->c0 ? j->c0 + b * H
                                  : j->zeros;
        if (r < next) ask(j->xw + (b * T + (q->reverse ? t - 1 : t + 1)) * 4 * H, 4 * H);
        j->cx->k->rnn->lstm(h, h + plane, j->s->tc + (at + r) * H, j->s->gates + (at + r) * 4 * H,
                            c0, H);
        if (r < next) memcpy(j->s->hprev + (at + active + r) * H, h, (size_t)H * sizeof(float));
    }
}

static void forward_group(const lstm_job *j, int64_t g, float *scratch) {
    const heed__seq *q = &j->s->seq;
    const int64_t H = j->units, T = q->steps, r0 = g * HEED_SEQ_GROUP;
    int64_t active = q->batch - r0 < HEED_SEQ_GROUP ? q->batch - r0 : HEED_SEQ_GROUP;
    const heed__seq_product product = { j->cx->k, j->panels, scratch, 4 * H, H };
    int64_t at = q->first[g];
    const int64_t started = heed__seq_active(q, r0, active, 0);
    for (int64_t r = 0; r < started; r++) {
        float *h = j->s->hprev + (at + r) * H;
        if (j->h0)
            memcpy(h, j->h0 + q->row[r0 + r] * H, (size_t)H * sizeof *h);
        else
            memset(h, 0, (size_t)H * sizeof *h);
    }
    active = started;
    for (int64_t s = 0; (active = heed__seq_active(q, r0, active, s)) > 0; s++) {
        float *gates = j->s->gates + at * 4 * H;
        for (int64_t r = 0; r < active; r++)
            memcpy(gates + r * 4 * H,
                   j->xw + (q->row[r0 + r] * T + heed__seq_time(q, r0 + r, s)) * 4 * H,
                   (size_t)(4 * H) * sizeof(float));
        if (s > 0 || j->h0)
            heed__seq_multiply(&product, gates, j->s->hprev + at * H, active, NULL, true);
        step_rows(j, r0, active, s, at);
        at += active;
    }
}

static void forward_groups(void *arg, int64_t begin, int64_t end, int worker) {
    const lstm_job *j = arg;
    const heed__seq *q = &j->s->seq;
    for (int64_t g = begin; g < end; g++) {
        heed__seq_clear_tails(q, j->y, g, j->units);
        heed__seq_clear_tails(q, j->y + q->batch * q->steps * j->units, g, j->units);
        forward_group(j, g, j->scratch + worker * j->scratch_len);
    }
}

/* Gradients of one step's rows; dh and dc [group,H] hold what comes from the step after. */
static void step_grad(const lstm_job *j, int64_t r0, int64_t active, int64_t s, int64_t at,
                      float *dh) {
    const heed__seq *q = &j->s->seq;
    const int64_t H = j->units, T = q->steps, plane = q->batch * T * H;
    float *dc = dh + HEED_SEQ_GROUP * H;
    const heed_math_kernels *m = j->cx->k->math;
    for (int64_t r = 0; r < active; r++) {
        const int64_t b = q->row[r0 + r], t = heed__seq_time(q, r0 + r, s);
        const int64_t before = q->reverse ? t + 1 : t - 1;
        const float *dy = j->dy + (b * T + t) * H;
        const float *c0 = s > 0   ? j->y + plane + (b * T + before) * H
                          : j->c0 ? j->c0 + b * H
                                  : j->zeros;
        float *da = j->dgates + (at + r) * 4 * H;
        if (s > 0) {
            ask(j->dy + (b * T + before) * H, H);
            ask(j->dy + plane + (b * T + before) * H, H);
            if (s > 1) ask(c0 + (q->reverse ? H : -H), H);
            if (j->dxw) ask(j->dxw + (b * T + before) * 4 * H, 4 * H);
        }
        m->add(dh + r * H, dh + r * H, dy, H);
        m->add(dc + r * H, dc + r * H, dy + plane, H);
        j->cx->k->rnn->lstm_grad(da, dc + r * H, dh + r * H, j->s->gates + (at + r) * 4 * H, c0,
                                 j->s->tc + (at + r) * H, H);
        if (!j->dxw) continue;
        float *dx = j->dxw + (b * T + t) * 4 * H;
        if (j->add_xw)
            m->add(dx, dx, da, 4 * H);
        else
            memcpy(dx, da, (size_t)(4 * H) * sizeof *dx);
    }
}

static void add_state(const lstm_job *j, float *to, const float *from, bool add) {
    if (add)
        j->cx->k->math->add(to, to, from, j->units);
    else
        memcpy(to, from, (size_t)j->units * sizeof *to);
}

static void backward_group(const lstm_job *j, int64_t g, float *scratch) {
    const heed__seq *q = &j->s->seq;
    const int64_t H = j->units, r0 = g * HEED_SEQ_GROUP;
    const int64_t rows = q->batch - r0 < HEED_SEQ_GROUP ? q->batch - r0 : HEED_SEQ_GROUP;
    float *dh = scratch, *dc = dh + HEED_SEQ_GROUP * H;
    const heed__seq_product product = { j->cx->k, j->panels, dc + HEED_SEQ_GROUP * H, H, 4 * H };
    memset(dh, 0, (size_t)(2 * HEED_SEQ_GROUP * H) * sizeof *dh);
    int64_t at = q->first[g + 1];
    for (int64_t s = rows > 0 ? q->length[r0] - 1 : -1; s >= 0; s--) {
        const int64_t active = heed__seq_active(q, r0, rows, s);
        at -= active;
        step_grad(j, r0, active, s, at, dh);
        if (s > 0 || j->dh0)
            heed__seq_multiply(&product, dh, j->dgates + at * 4 * H, active, NULL, false);
    }
    for (int64_t r = 0; r < rows; r++) {
        const int64_t b = q->row[r0 + r];
        if (j->dh0) add_state(j, j->dh0 + b * H, dh + r * H, j->add_h0);
        if (j->dc0) add_state(j, j->dc0 + b * H, dc + r * H, j->add_c0);
    }
}

static void backward_groups(void *arg, int64_t begin, int64_t end, int worker) {
    const lstm_job *j = arg;
    for (int64_t g = begin; g < end; g++) {
        if (j->dxw && !j->add_xw) heed__seq_clear_tails(&j->s->seq, j->dxw, g, 4 * j->units);
        backward_group(j, g, j->scratch + worker * j->scratch_len);
    }
}

/* The recurrent weight in panels, scratch for every worker, and a row of zeros. */
static bool prepare(heed_ctx *cx, lstm_job *j, const heed_tensor *wh, bool backward) {
    const int64_t H = j->units, n = backward ? H : 4 * H, k = backward ? 4 * H : H;
    const int64_t states = backward ? 2 * HEED_SEQ_GROUP * H : 0;
    j->cx = cx;
    j->scratch_len = (heed__seq_scratch(cx->k, n, k) + states + 31) / 16 * 16;
    const bool own = !backward && wh->packed; /* frozen */
    const int64_t packed = own ? 0 : (heed__packed_len(n, k) + 15) / 16 * 16,
                  row = (H + 15) / 16 * 16;
    j->room = heed__temp(cx, packed + row + j->scratch_len * heed_pool_threads(cx->pool),
                         sizeof(float));
    if (!j->room) return false;
    float *zeros = j->room + packed;
    memset(zeros, 0, (size_t)row * sizeof *zeros);
    j->zeros = zeros;
    j->scratch = zeros + row;
    if (!own) heed__pack_b(cx->k, j->room, wh->data, H, !backward, n, k);
    j->panels = own ? wh->packed : j->room;
    return true;
}

static void lstm_backward(heed_ctx *cx, const heed_node *n) {
    const lstm_saved *s = n->saved;
    if (!s) return; /* no step at all */
    heed_tensor *xw = n->src[0], *wh = n->src[1], *h0 = n->src[2], *c0 = n->src[3];
    const int64_t H = wh->shape[1];
    float bx = 1, bh = 1, bc = 1;
    lstm_job j = { .s = s,
                   .units = H,
                   .y = n->out->data,
                   .dy = n->out->grad,
                   .h0 = h0 ? h0->data : NULL,
                   .c0 = c0 ? c0->data : NULL };
    j.dgates = heed__alloc(cx, s->seq.total * 4 * H, sizeof(float));
    if (!j.dgates || !prepare(cx, &j, wh, true)) return;
    j.dxw = heed__grad_beta(cx, xw, &bx);
    if (h0) j.dh0 = heed__grad_beta(cx, h0, &bh);
    if (c0) j.dc0 = heed__grad_beta(cx, c0, &bc);
    j.add_xw = bx != 0;
    j.add_h0 = bh != 0;
    j.add_c0 = bc != 0;
    heed_pool_run(cx->pool, s->seq.groups, 1, backward_groups, &j);
    heed__temp_end(cx, j.room);
    heed__seq_weight_grad(cx, wh, j.dgates, s->hprev, s->seq.total);
}

static const heed_op op = { .name = "lstm", .backward = lstm_backward };

static bool shapes_ok(heed_ctx *cx, const heed_tensor *xw, const heed_tensor *wh,
                      heed_tensor *const state[2]) {
    char a[96], b[96];
    const bool f32 = xw->dtype == HEED_F32 && wh->dtype == HEED_F32;
    if (!f32 || xw->ndim != 3 || wh->ndim != 2 || wh->shape[0] != 4 * wh->shape[1] ||
        xw->shape[2] != wh->shape[0]) {
        heed_fail(cx, HEED_ESHAPE, "lstm: xw %s and wh %s are not f32 [B,T,4H] and [4H,H]",
                  heed_shape_text(xw, a), heed_shape_text(wh, b));
        return false;
    }
    for (int i = 0; state && i < 2; i++) {
        const heed_tensor *x = state[i];
        if (!x || (x->dtype == HEED_F32 && x->ndim == 2 && x->shape[0] == xw->shape[0] &&
                   x->shape[1] == wh->shape[1]))
            continue;
        heed_fail(cx, HEED_ESHAPE, "lstm: state %s is not f32 [%lld,%lld]", heed_shape_text(x, a),
                  (long long)xw->shape[0], (long long)wh->shape[1]);
        return false;
    }
    return true;
}

heed_tensor *heed_lstm(heed_ctx *cx, heed_tensor *xw, heed_tensor *wh, heed_tensor *const state[2],
                       heed_tensor *lengths, bool reverse) {
    if (!xw || !wh || !shapes_ok(cx, xw, wh, state)) return NULL;
    const int64_t B = xw->shape[0], T = xw->shape[1], H = wh->shape[1];
    heed_tensor *h0 = state ? state[0] : NULL, *c0 = state ? state[1] : NULL;
    if (!heed__lengths_ok(cx, "lstm", lengths, B, T)) return NULL;
    heed_tensor *y = heed__out(cx, &op, 4, (int64_t[]){ 2, B, T, H });
    lstm_saved *s = heed_scratch(cx, sizeof *s);
    if (!y || !s) return NULL;
    if (y->len == 0) return heed_record(cx, &op, y, 2, (heed_tensor *[]){ xw, wh }, NULL);
    *s = (lstm_saved){ .seq.reverse = reverse };
    if (!heed__seq_plan(cx, &s->seq, xw->shape, lengths)) return NULL;
    heed_tensor *src[5] = { xw, wh, h0, c0, lengths };
    const bool keep = heed__wants_grad(cx, 4, src);
    float *room = keep ? heed__alloc(cx, s->seq.total * 6 * H, sizeof(float))
                       : heed__temp(cx, s->seq.total * 6 * H, sizeof(float));
    heed__count(cx, wh, "lstm", 8.0 * (double)s->seq.total * (double)H * (double)H);
    lstm_job j = { .s = s,
                   .units = H,
                   .xw = xw->data,
                   .y = y->data,
                   .h0 = h0 ? h0->data : NULL,
                   .c0 = c0 ? c0->data : NULL };
    if (!room || !prepare(cx, &j, wh, false)) return NULL;
    s->gates = room;
    s->tc = room + s->seq.total * 4 * H;
    s->hprev = s->tc + s->seq.total * H;
    heed_pool_run(cx->pool, s->seq.groups, 1, forward_groups, &j);
    heed__temp_end(cx, j.room);
    if (!keep) heed__temp_end(cx, room);
    return heed_record(cx, &op, y, 5, src, s);
}
