/* gru.c: a whole GRU layer in one direction (Cho et al. 2014; gates as PyTorch).
 *   xw [B,T,3H], wh [3H,H], bh [3H], h0 [B,H] -> h [B,T,H]
 *
 *   forward    u_t = h_t-1·Whᵀ + bh;   r, z = σ(xw_t + u_t);   n = tanh(xw_t + r·u_t)
 *              h_t = (1-z)·n + z·h_t-1                            (order r, z, n)
 *   backward   dh_t = dy_t + z·dh_t+1 + du_t+1·Wh;   dxw_t and du_t from dh_t by the kernel
 *              dWh += Σ_t du_tᵀ·h_t-1, one product over all rows and steps;   dbh += Σ_t du_t
 */
#include "ops/op.h"
#include "ops/sequence.h"
#include "kernels/gemm.h"
#include "kernels/math.h"
#include "kernels/rnn.h"

#include <string.h>

typedef struct gru_saved {
    heed__seq seq;
    float *act;   /* [total,3H] r, z, n */
    float *hg;    /* [total,3H] u */
    float *hprev; /* [total,H] the state that each step began with */
} gru_saved;

typedef struct gru_job {
    const heed_ctx *cx;
    const gru_saved *s;
    int64_t units;
    const float *xw, *h0, *bias;
    float *y;            /* [B,T,H] */
    float *room;         /* where `panels` that are not the weight's own and scratch lie */
    float *scratch;      /* of each worker */
    const float *panels; /* the recurrent weight */
    int64_t scratch_len;
    /* backward */
    const float *dy;
    float *dhg;       /* [total,3H] */
    float *dxw, *dh0; /* NULL: not wanted */
    bool add_xw, add_h0;
} gru_job;

static void forward_group(const gru_job *j, int64_t g, float *scratch) {
    const heed__seq *q = &j->s->seq;
    const int64_t H = j->units, T = q->steps, r0 = g * HEED_SEQ_GROUP;
    const heed__seq_product product = { j->cx->k, j->panels, scratch, 3 * H, H, H };
    int64_t active = q->batch - r0 < HEED_SEQ_GROUP ? q->batch - r0 : HEED_SEQ_GROUP;
    int64_t at = q->first[g];
    active = heed__seq_active(q, r0, active, 0);
    for (int64_t r = 0; r < active; r++) {
        float *h = j->s->hprev + (at + r) * H;
        if (j->h0)
            memcpy(h, j->h0 + q->row[r0 + r] * H, (size_t)H * sizeof *h);
        else
            memset(h, 0, (size_t)H * sizeof *h);
    }
    for (int64_t s = 0; active > 0; s++) {
        const int64_t next = heed__seq_active(q, r0, active, s + 1);
        heed__seq_multiply(&product, j->s->hg + at * 3 * H, j->s->hprev + at * H, active, j->bias,
                           false);
        for (int64_t r = 0; r < active; r++) {
            const int64_t t = q->row[r0 + r] * T + heed__seq_time(q, r0 + r, s);
            float *h = j->y + t * H, *h_prev = j->s->hprev + (at + r) * H;
            j->cx->k->rnn->gru(h, j->s->act + (at + r) * 3 * H, j->xw + t * 3 * H,
                               j->s->hg + (at + r) * 3 * H, h_prev, H);
            if (r < next) memcpy(h_prev + active * H, h, (size_t)H * sizeof *h);
        }
        at += active;
        active = next;
    }
}

static void forward_groups(void *arg, int64_t begin, int64_t end, int worker) {
    const gru_job *j = arg;
    for (int64_t g = begin; g < end; g++) {
        heed__seq_clear_tails(&j->s->seq, j->y, g, j->units);
        forward_group(j, g, j->scratch + worker * j->scratch_len);
    }
}

/* Gradients of one step's rows. dh [group,H] holds what comes from the step after, and on return
 * what goes to the step before but for the product with Wh; tmp holds 4H floats. */
static void step_grad(const gru_job *j, int64_t r0, int64_t active, int64_t s, int64_t at,
                      float *dh) {
    const heed__seq *q = &j->s->seq;
    const int64_t H = j->units, T = q->steps;
    const heed_math_kernels *m = j->cx->k->math;
    float *total = dh + HEED_SEQ_GROUP * H, *tmp = total + H;
    for (int64_t r = 0; r < active; r++) {
        const int64_t t = q->row[r0 + r] * T + heed__seq_time(q, r0 + r, s);
        float *from = dh + r * H, *dx = j->dxw ? j->dxw + t * 3 * H : NULL;
        m->add(total, from, j->dy + t * H, H);
        memset(from, 0, (size_t)H * sizeof *from);
        j->cx->k->rnn->gru_grad(dx && !j->add_xw ? dx : tmp, j->dhg + (at + r) * 3 * H, from, total,
                                j->s->act + (at + r) * 3 * H, j->s->hg + (at + r) * 3 * H,
                                j->s->hprev + (at + r) * H, H);
        if (dx && j->add_xw) m->add(dx, dx, tmp, 3 * H);
    }
}

static void backward_group(const gru_job *j, int64_t g, float *scratch) {
    const heed__seq *q = &j->s->seq;
    const int64_t H = j->units, r0 = g * HEED_SEQ_GROUP;
    const int64_t rows = q->batch - r0 < HEED_SEQ_GROUP ? q->batch - r0 : HEED_SEQ_GROUP;
    float *dh = scratch, *work = dh + (HEED_SEQ_GROUP + 4) * H;
    const heed__seq_product product = { j->cx->k, j->panels, work, H, 3 * H, 3 * H };
    memset(dh, 0, (size_t)(HEED_SEQ_GROUP * H) * sizeof *dh);
    int64_t at = q->first[g + 1];
    for (int64_t s = q->length[r0] - 1; s >= 0; s--) {
        const int64_t active = heed__seq_active(q, r0, rows, s);
        at -= active;
        step_grad(j, r0, active, s, at, dh);
        if (s > 0 || j->dh0)
            heed__seq_multiply(&product, dh, j->dhg + at * 3 * H, active, NULL, true);
    }
    for (int64_t r = 0; j->dh0 && r < rows; r++) {
        float *to = j->dh0 + q->row[r0 + r] * H;
        if (j->add_h0)
            j->cx->k->math->add(to, to, dh + r * H, H);
        else
            memcpy(to, dh + r * H, (size_t)H * sizeof *to);
    }
}

static void backward_groups(void *arg, int64_t begin, int64_t end, int worker) {
    const gru_job *j = arg;
    for (int64_t g = begin; g < end; g++) {
        if (j->dxw && !j->add_xw) heed__seq_clear_tails(&j->s->seq, j->dxw, g, 3 * j->units);
        backward_group(j, g, j->scratch + worker * j->scratch_len);
    }
}

static bool prepare(heed_ctx *cx, gru_job *j, const heed_tensor *wh, bool backward) {
    const int64_t H = j->units, n = backward ? H : 3 * H, k = backward ? 3 * H : H;
    const int64_t states = backward ? (HEED_SEQ_GROUP + 4) * H : 0;
    const bool own = !backward && wh->packed; /* frozen */
    const int64_t packed = own ? 0 : (heed__packed_len(n, k) + 15) / 16 * 16;
    j->cx = cx;
    j->scratch_len = (heed__seq_scratch(cx->k, n, k) + states + 31) / 16 * 16;
    j->room = heed__temp(cx, packed + j->scratch_len * heed_pool_threads(cx->pool), sizeof(float));
    if (!j->room) return false;
    j->scratch = j->room + packed;
    if (!own) heed__pack_b(cx->k, j->room, wh->data, H, !backward, n, k);
    j->panels = own ? wh->packed : j->room;
    return true;
}

static void gru_backward(heed_ctx *cx, const heed_node *n) {
    const gru_saved *s = n->saved;
    if (!s) return; /* no step at all */
    heed_tensor *xw = n->src[0], *wh = n->src[1], *bh = n->src[2], *h0 = n->src[3];
    const int64_t H = wh->shape[1];
    float bx = 1, b0 = 1;
    gru_job j = { .s = s, .units = H, .y = n->out->data, .dy = n->out->grad };
    j.dhg = heed__alloc(cx, s->seq.total * 3 * H, sizeof(float));
    if (!j.dhg || !prepare(cx, &j, wh, true)) return;
    j.dxw = heed__grad_beta(cx, xw, &bx);
    if (h0) j.dh0 = heed__grad_beta(cx, h0, &b0);
    j.add_xw = bx != 0;
    j.add_h0 = b0 != 0;
    heed_pool_run(cx->pool, s->seq.groups, 1, backward_groups, &j);
    heed__temp_end(cx, j.room);
    heed__seq_weight_grad(cx, wh, j.dhg, s->hprev, s->seq.total);
    heed__bias_grad(cx, bh, j.dhg, s->seq.total, 3 * H);
}

static const heed_op op = { .name = "gru", .backward = gru_backward };

static bool is_f32(const heed_tensor *x, int ndim, int64_t a, int64_t b) {
    return x->dtype == HEED_F32 && x->ndim == ndim && x->shape[0] == a &&
           (ndim < 2 || x->shape[1] == b);
}

heed_tensor *heed_gru(heed_ctx *cx, heed_tensor *xw, heed_tensor *wh, heed_tensor *bh,
                      heed_tensor *h0, heed_tensor *lengths, bool reverse) {
    char a[96], b[96], c[96];
    if (!xw || !wh || !bh) return NULL;
    if (wh->ndim != 2 || !is_f32(wh, 2, 3 * wh->shape[1], wh->shape[1]) || xw->ndim != 3 ||
        xw->dtype != HEED_F32 || xw->shape[2] != wh->shape[0] || !is_f32(bh, 1, wh->shape[0], 0))
        return heed_fail(cx, HEED_ESHAPE,
                         "gru: xw %s, wh %s and bh %s are not f32 [B,T,3H], [3H,H] and [3H]",
                         heed_shape_text(xw, a), heed_shape_text(wh, b), heed_shape_text(bh, c));
    const int64_t B = xw->shape[0], T = xw->shape[1], H = wh->shape[1];
    if (h0 && !is_f32(h0, 2, B, H))
        return heed_fail(cx, HEED_ESHAPE, "gru: state %s is not f32 [%lld,%lld]",
                         heed_shape_text(h0, a), (long long)B, (long long)H);
    if (!heed__lengths_ok(cx, "gru", lengths, B, T)) return NULL;
    heed_tensor *y = heed__out(cx, &op, 3, (int64_t[]){ B, T, H });
    gru_saved *s = heed_scratch(cx, sizeof *s);
    if (!y || !s) return NULL;
    if (y->len == 0) return heed_record(cx, &op, y, 2, (heed_tensor *[]){ xw, wh }, NULL);
    *s = (gru_saved){ .seq.reverse = reverse };
    if (!heed__seq_plan(cx, &s->seq, xw->shape, lengths)) return NULL;
    heed_tensor *src[5] = { xw, wh, bh, h0, lengths };
    const bool keep = heed__wants_grad(cx, 4, src);
    const int64_t room_len = s->seq.total * 7 * H;
    float *room = keep ? heed__alloc(cx, room_len, sizeof(float))
                       : heed__temp(cx, room_len, sizeof(float));
    heed__count(cx, wh, "gru", 6.0 * (double)s->seq.total * (double)H * (double)H);
    gru_job j = { .s = s,
                  .units = H,
                  .xw = xw->data,
                  .y = y->data,
                  .bias = bh->data,
                  .h0 = h0 ? h0->data : NULL };
    if (!room || !prepare(cx, &j, wh, false)) return NULL;
    s->act = room;
    s->hg = room + s->seq.total * 3 * H;
    s->hprev = s->hg + s->seq.total * 3 * H;
    heed_pool_run(cx->pool, s->seq.groups, 1, forward_groups, &j);
    heed__temp_end(cx, j.room);
    if (!keep) heed__temp_end(cx, room);
    return heed_record(cx, &op, y, 5, src, s);
}
