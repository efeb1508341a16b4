/* lstm.c: a whole LSTM layer in one direction (Hochreiter and Schmidhuber 1997; gates as PyTorch).
 *   lstm        xw [B,T,4H], wh [4H,H], h0, c0 [B,H] -> [2,B,T,H]: h and c of every step
 *   lstm_layer  x [B,T,I], wi [4H,I], b [4H] instead of xw = x·Wiᵀ + b
 *
 *   forward    a_t = xw_t + h_t-1·Whᵀ;   i, f, o = σ(a), g = tanh(a)   (order i, f, g, o)
 *              c_t = f·c_t-1 + i·g;      h_t = o·tanh(c_t)
 *   backward   dh_t = dy_t + da_t+1·Wh;  da_t from dh_t and dc_t by the kernel;  dxw_t += da_t
 *              dWh += Σ_t da_tᵀ·h_t-1, one product over all rows and steps at the end
 *              layer: dx_t += da_t·Wi;  dWi += Σ_t da_tᵀ·x_t in the same product;  db += Σ_t da_t,
 *              a chain over the steps and rows of each group, then a tree over groups
 *
 * da takes the place of the gates. A layer of its own keeps [x_t | h_t-1] of each step together and
 * makes xw_t while the step is at hand, so that nothing of [B,T,4H] exists besides the gates.
 */
#include "ops/lstm.h"
#include "ops/op.h"
#include "ops/sequence.h"
#include "kernels/gemm.h"
#include "kernels/rnn.h"
#include "kernels/math.h"
#include "kernels/row.h"

#include <string.h>

typedef struct lstm_saved {
    heed__seq seq;
    float *gates; /* [total,4H] activated */
    float *tc;    /* [total,H] tanh of the cell */
    float *from;  /* [total,wide]: x_t, if it is a layer, and the state that the step began with */
    int64_t wide; /* I + H, or H */
    float *cells; /* [total,H] of a layer; else they are y's second plane */
} lstm_saved;

typedef struct lstm_job {
    const heed_ctx *cx;
    const lstm_saved *s;
    int64_t units;
    const float *xw, *h0, *c0;
    const float *x, *bias; /* of a layer; else NULL */
    float *y;              /* [2,B,T,H]; of a layer [B,T,H] */
    float *room;           /* where panels that are not the weight's own and scratch lie */
    float *scratch;        /* of each worker */
    const float *panels;   /* the recurrent weight */
    const float *wi;       /* the input's, in panels */
    int64_t scratch_len;
    const float *zeros; /* [H] */
    /* backward */
    const float *dy;
    float *dxw, *dx, *dh0, *dc0; /* NULL: not wanted */
    float *dbias;                /* [groups,4H]: each group's part; likewise */
    bool add_x, add_h0, add_c0;  /* else overwritten */
} lstm_job;

/* I, and where in a kept row the state lies. */
static int64_t inputs(const lstm_job *j) {
    return j->s->wide - j->units;
}

static float *kept_state(const lstm_job *j, int64_t at) {
    return j->s->from + at * j->s->wide + inputs(j);
}

/* Rows of a batch lie T steps apart, too far for the machine to see what the next step reads. */
static void ask(const float *x, int64_t n) {
    for (int64_t i = 0; i < n; i += 16) __builtin_prefetch(x + i);
}

/* The cell of sorted row r at its step s, kept at `at`: of the batch's row b at time t. */
static float *cell_of(const lstm_job *j, const int64_t bt, int64_t at) {
    const heed__seq *q = &j->s->seq;
    return j->s->cells ? j->s->cells + at * j->units : j->y + (q->batch * q->steps + bt) * j->units;
}

/* Where the rows of the step before s of r0's group are kept. */
static int64_t kept_before(const lstm_job *j, int64_t r0, int64_t s, int64_t at) {
    const heed__seq *q = &j->s->seq;
    const int64_t rows = q->batch - r0 < HEED_SEQ_GROUP ? q->batch - r0 : HEED_SEQ_GROUP;
    return s > 0 ? at - heed__seq_active(q, r0, rows, s - 1) : at;
}

/* The row of [B,T,..] that sorted row r reads at its step s. */
static int64_t step_at(const heed__seq *q, int64_t r, int64_t s) {
    return q->row[r] * q->steps + heed__seq_time(q, r, s);
}

/* One step of the rows that run: gates hold xw on entry. */
static void step_rows(const lstm_job *j, int64_t r0, int64_t active, int64_t s, int64_t at) {
    const heed__seq *q = &j->s->seq;
    const int64_t H = j->units, T = q->steps, I = inputs(j), last = kept_before(j, r0, s, at);
    const int64_t next = heed__seq_active(q, r0, active, s + 1);
    for (int64_t r = 0; r < active; r++) {
        const int64_t b = q->row[r0 + r], t = heed__seq_time(q, r0 + r, s);
        float *h = j->y + (b * T + t) * H;
        const int64_t before = q->reverse ? t + 1 : t - 1;
        const float *c0 = s > 0   ? cell_of(j, b * T + before, last + r)
                          : j->c0 ? j->c0 + b * H
                                  : j->zeros;
        const int64_t after = b * T + (q->reverse ? t - 1 : t + 1);
        if (r < next && j->x) ask(j->x + after * I, I);
        if (r < next && j->xw) ask(j->xw + after * 4 * H, 4 * H);
        j->cx->k->rnn->lstm(h, cell_of(j, b * T + t, at + r), j->s->tc + (at + r) * H,
                            j->s->gates + (at + r) * 4 * H, c0, H);
        if (r < next) memcpy(kept_state(j, at + active + r), h, (size_t)H * sizeof(float));
    }
}

/* gates = xw of the step's rows, made here if it is a layer. */
static void step_inputs(const lstm_job *j, int64_t r0, int64_t active, int64_t s, int64_t at,
                        float *scratch) {
    const heed__seq *q = &j->s->seq;
    const int64_t n = 4 * j->units, I = inputs(j);
    float *gates = j->s->gates + at * n;
    for (int64_t r = 0; r < active; r++) {
        const int64_t from = step_at(q, r0 + r, s);
        if (j->xw)
            memcpy(gates + r * n, j->xw + from * n, (size_t)n * sizeof(float));
        else
            memcpy(j->s->from + (at + r) * j->s->wide, j->x + from * I, (size_t)I * sizeof(float));
    }
    const heed__seq_product product = { j->cx->k, j->wi, scratch, n, I, j->s->wide };
    if (!j->xw)
        heed__seq_multiply(&product, gates, j->s->from + at * j->s->wide, active, j->bias, false);
}

static void forward_group(const lstm_job *j, int64_t g, float *scratch) {
    const heed__seq *q = &j->s->seq;
    const int64_t H = j->units, r0 = g * HEED_SEQ_GROUP;
    int64_t active = q->batch - r0 < HEED_SEQ_GROUP ? q->batch - r0 : HEED_SEQ_GROUP;
    const heed__seq_product product = { j->cx->k, j->panels, scratch, 4 * H, H, j->s->wide };
    int64_t at = q->first[g];
    const int64_t started = heed__seq_active(q, r0, active, 0);
    for (int64_t r = 0; r < started; r++) {
        float *h = kept_state(j, at + r);
        if (j->h0)
            memcpy(h, j->h0 + q->row[r0 + r] * H, (size_t)H * sizeof *h);
        else
            memset(h, 0, (size_t)H * sizeof *h);
    }
    active = started;
    for (int64_t s = 0; (active = heed__seq_active(q, r0, active, s)) > 0; s++) {
        step_inputs(j, r0, active, s, at, scratch);
        if (s > 0 || j->h0)
            heed__seq_multiply(&product, j->s->gates + at * 4 * H, kept_state(j, at), active, NULL,
                               true);
        step_rows(j, r0, active, s, at);
        at += active;
    }
}

static void forward_groups(void *arg, int64_t begin, int64_t end, int worker) {
    const lstm_job *j = arg;
    const heed__seq *q = &j->s->seq;
    for (int64_t g = begin; g < end; g++) {
        heed__seq_clear_tails(q, j->y, g, j->units);
        if (!j->s->cells)
            heed__seq_clear_tails(q, j->y + q->batch * q->steps * j->units, g, j->units);
        forward_group(j, g, j->scratch + worker * j->scratch_len);
    }
}

typedef struct row_to {
    float *at;
    int64_t n;
    bool add; /* else overwritten */
} row_to;

static void put_row(const lstm_job *j, row_to to, const float *from) {
    if (to.add)
        j->cx->k->math->add(to.at, to.at, from, to.n);
    else
        memcpy(to.at, from, (size_t)to.n * sizeof *to.at);
}

/* Gradients of one step's rows; dh and dc [group,H] hold what comes from the step after. */
static void step_grad(const lstm_job *j, int64_t r0, int64_t active, int64_t s, int64_t at,
                      float *dh) {
    const heed__seq *q = &j->s->seq;
    const int64_t H = j->units, T = q->steps, last = kept_before(j, r0, s, at);
    const float *dcells = j->s->cells ? NULL : j->dy + q->batch * T * H; /* dL/dc from outside */
    float *dc = dh + HEED_SEQ_GROUP * H;
    const heed_math_kernels *m = j->cx->k->math;
    for (int64_t r = 0; r < active; r++) {
        const int64_t b = q->row[r0 + r], t = heed__seq_time(q, r0 + r, s);
        const int64_t before = q->reverse ? t + 1 : t - 1;
        const float *dy = j->dy + (b * T + t) * H;
        const float *c0 = s > 0   ? cell_of(j, b * T + before, last + r)
                          : j->c0 ? j->c0 + b * H
                                  : j->zeros;
        float *da = j->s->gates + (at + r) * 4 * H;
        if (s > 0) {
            ask(j->dy + (b * T + before) * H, H);
            if (dcells) ask(dcells + (b * T + before) * H, H);
            if (s > 1 && dcells) ask(c0 + (q->reverse ? H : -H), H);
            if (j->dxw) ask(j->dxw + (b * T + before) * 4 * H, 4 * H);
        }
        m->add(dh + r * H, dh + r * H, dy, H);
        if (dcells) m->add(dc + r * H, dc + r * H, dcells + (b * T + t) * H, H);
        j->cx->k->rnn->lstm_grad(da, dc + r * H, dh + r * H, da, c0, j->s->tc + (at + r) * H, H);
        if (j->dxw) put_row(j, (row_to){ j->dxw + (b * T + t) * 4 * H, 4 * H, j->add_x }, da);
    }
}

/* dx of one step's rows; rows [active,I] is scratch. Chains go on from what a row holds already, as
 * heed_affine's do. */
static void step_dx(const lstm_job *j, const int64_t at[4], float *rows, float *scratch) {
    const heed__seq *q = &j->s->seq;
    const int64_t r0 = at[0], active = at[1], s = at[2], I = inputs(j), n = 4 * j->units;
    const heed__seq_product product = { j->cx->k, j->wi, scratch, I, n, n };
    const size_t size = (size_t)I * sizeof *rows;
    for (int64_t r = 0; j->add_x && r < active; r++)
        memcpy(rows + r * I, j->dx + step_at(q, r0 + r, s) * I, size);
    heed__seq_multiply(&product, rows, j->s->gates + at[3] * n, active, NULL, j->add_x);
    for (int64_t r = 0; r < active; r++)
        memcpy(j->dx + step_at(q, r0 + r, s) * I, rows + r * I, size);
}

static void backward_group(const lstm_job *j, int64_t g, float *scratch) {
    const heed__seq *q = &j->s->seq;
    const int64_t H = j->units, r0 = g * HEED_SEQ_GROUP;
    const int64_t rows = q->batch - r0 < HEED_SEQ_GROUP ? q->batch - r0 : HEED_SEQ_GROUP;
    float *dh = scratch, *dc = dh + HEED_SEQ_GROUP * H, *dx = dc + HEED_SEQ_GROUP * H;
    scratch = dx + HEED_SEQ_GROUP * inputs(j);
    const heed__seq_product product = { j->cx->k, j->panels, scratch, H, 4 * H, 4 * H };
    memset(dh, 0, (size_t)(2 * HEED_SEQ_GROUP * H) * sizeof *dh);
    int64_t at = q->first[g + 1];
    for (int64_t s = rows > 0 ? q->length[r0] - 1 : -1; s >= 0; s--) {
        const int64_t active = heed__seq_active(q, r0, rows, s);
        at -= active;
        step_grad(j, r0, active, s, at, dh);
        if (j->dbias)
            j->cx->k->row->add_rows(j->dbias + g * 4 * H, j->s->gates + at * 4 * H, 4 * H, active,
                                    4 * H);
        if (s > 0 || j->dh0)
            heed__seq_multiply(&product, dh, j->s->gates + at * 4 * H, active, NULL, false);
        if (j->dx) step_dx(j, (int64_t[4]){ r0, active, s, at }, dx, scratch);
    }
    for (int64_t r = 0; r < rows; r++) {
        const int64_t b = q->row[r0 + r];
        if (j->dh0) put_row(j, (row_to){ j->dh0 + b * H, H, j->add_h0 }, dh + r * H);
        if (j->dc0) put_row(j, (row_to){ j->dc0 + b * H, H, j->add_c0 }, dc + r * H);
    }
}

static void backward_groups(void *arg, int64_t begin, int64_t end, int worker) {
    const lstm_job *j = arg;
    for (int64_t g = begin; g < end; g++) {
        if (j->dxw && !j->add_x) heed__seq_clear_tails(&j->s->seq, j->dxw, g, 4 * j->units);
        if (j->dx && !j->add_x) heed__seq_clear_tails(&j->s->seq, j->dx, g, inputs(j));
        backward_group(j, g, j->scratch + worker * j->scratch_len);
    }
}

/* A weight [4H,k] in panels, its own or packed to *room, which goes on by what they take. */
static const float *panels_of(const lstm_job *j, const heed_tensor *w, bool backward,
                              float **room) {
    const int64_t in = w->shape[1], n = backward ? in : 4 * j->units,
                  k = backward ? 4 * j->units : in;
    if (!backward && w->packed) return w->packed; /* frozen */
    float *to = *room;
    heed__pack_b(j->cx->k, to, w->data, in, !backward, n, k);
    *room += (heed__packed_len(n, k) + 15) / 16 * 16;
    return to;
}

/* The weights in panels, scratch for every worker, and a row of zeros. */
static bool prepare(heed_ctx *cx, lstm_job *j, const heed_tensor *wh, const heed_tensor *wi,
                    bool backward) {
    const int64_t H = j->units, I = wi ? wi->shape[1] : 0;
    const int64_t states = backward ? HEED_SEQ_GROUP * (2 * H + I) : 0, row = (H + 15) / 16 * 16;
    const int64_t hidden = heed__seq_scratch(cx->k, backward ? H : 4 * H, backward ? 4 * H : H);
    const int64_t input = heed__seq_scratch(cx->k, backward ? I : 4 * H, backward ? 4 * H : I);
    j->cx = cx;
    j->scratch_len = ((input > hidden ? input : hidden) + states + 31) / 16 * 16;
    int64_t packed = 0; /* at most */
    for (int i = 0; i < 2; i++) {
        const int64_t in = i ? I : H;
        packed += heed__packed_len(backward ? in : 4 * H, backward ? 4 * H : in) + 16;
    }
    packed = (packed + 15) / 16 * 16;
    j->room = heed__temp(cx, packed + row + j->scratch_len * heed_pool_threads(cx->pool),
                         sizeof(float));
    if (!j->room) return false;
    float *at = j->room, *zeros = j->room + packed;
    memset(zeros, 0, (size_t)row * sizeof *zeros);
    j->zeros = zeros;
    j->scratch = zeros + row;
    j->panels = panels_of(j, wh, backward, &at);
    j->wi = wi ? panels_of(j, wi, backward, &at) : NULL;
    return true;
}

/* dWh, and dWi of a layer, from one product [4H,wide] of da and what the steps began with. */
static bool weight_grads(heed_ctx *cx, const lstm_job *j, heed_tensor *wi, heed_tensor *wh) {
    const lstm_saved *s = j->s;
    const int64_t n = 4 * j->units, wide = s->wide, H = j->units;
    if (!wi) return heed__seq_weight_grad(cx, wh, s->gates, s->from, s->seq.total);
    if (!wi->needs_grad && !wh->needs_grad) return true;
    const heed_gemm g = { .m = n,
                          .n = wide,
                          .k = s->seq.total,
                          .a = s->gates,
                          .lda = n,
                          .ta = true,
                          .b = s->from,
                          .ldb = wide,
                          .c = heed__temp(cx, n * wide, sizeof(float)),
                          .ldc = wide,
                          .shard = HEED_GEMM_SHARD };
    float *scratch = heed__temp(cx, heed__gemm_scratch(cx->k, &g, heed_pool_threads(cx->pool)) + 16,
                                sizeof(float));
    if (!g.c || !scratch) return false;
    heed__gemm(cx->k, cx->pool, &g, scratch);
    float beta_i, beta_h, *di = heed__grad_beta(cx, wi, &beta_i);
    float *dh = heed__grad_beta(cx, wh, &beta_h);
    for (int64_t r = 0; r < n; r++) {
        const float *row = g.c + r * wide;
        if (di) put_row(j, (row_to){ di + r * (wide - H), wide - H, beta_i != 0 }, row);
        if (dh) put_row(j, (row_to){ dh + r * H, H, beta_h != 0 }, row + wide - H);
    }
    heed__temp_end(cx, scratch);
    heed__temp_end(cx, g.c);
    return true;
}

/* Room for the groups' parts of the bias's gradient, where it is wanted. */
static bool bias_begin(heed_ctx *cx, lstm_job *j, const heed_tensor *bias) {
    const int64_t n = j->s->seq.groups * 4 * j->units;
    if (!bias || !bias->needs_grad) return true;
    j->dbias = heed__alloc(cx, n, sizeof(float));
    if (j->dbias) memset(j->dbias, 0, (size_t)n * sizeof(float));
    return j->dbias;
}

/* db += the parts, added as a balanced tree. */
static void bias_end(heed_ctx *cx, const lstm_job *j, heed_tensor *bias) {
    const int64_t n = 4 * j->units, groups = j->s->seq.groups;
    float beta, *db = j->dbias ? heed__grad_beta(cx, bias, &beta) : NULL;
    if (!db) return;
    for (int64_t w = 1; w < groups; w *= 2)
        for (int64_t g = 0; g + w < groups; g += 2 * w)
            cx->k->math->add(j->dbias + g * n, j->dbias + g * n, j->dbias + (g + w) * n, n);
    put_row(j, (row_to){ db, n, beta != 0 }, j->dbias);
}

void heed__lstm_backward(heed_ctx *cx, const heed_node *n) {
    const lstm_saved *s = n->saved;
    if (!s) return; /* no step at all */
    heed_tensor *x = n->src[0], *wh = n->src[1], *h0 = n->src[2], *c0 = n->src[3];
    heed_tensor *wi = n->src[5], *bias = n->src[6]; /* of a layer */
    float bx = 1, bh = 1, bc = 1;
    lstm_job j = { .s = s,
                   .units = wh->shape[1],
                   .y = n->out->data,
                   .dy = n->out->grad,
                   .h0 = h0 ? h0->data : NULL,
                   .c0 = c0 ? c0->data : NULL };
    if (!bias_begin(cx, &j, bias) || !prepare(cx, &j, wh, wi, true)) return;
    *(wi ? &j.dx : &j.dxw) = heed__grad_beta(cx, x, &bx);
    if (h0) j.dh0 = heed__grad_beta(cx, h0, &bh);
    if (c0) j.dc0 = heed__grad_beta(cx, c0, &bc);
    j.add_x = bx != 0;
    j.add_h0 = bh != 0;
    j.add_c0 = bc != 0;
    heed_pool_run(cx->pool, s->seq.groups, 1, backward_groups, &j);
    heed__temp_end(cx, j.room);
    if (weight_grads(cx, &j, wi, wh)) bias_end(cx, &j, bias);
}

static const heed_op op = { .name = "lstm", .backward = heed__lstm_backward };

bool heed__lstm_fits(heed_ctx *cx, const heed__lstm_call *c) {
    char a[96], b[96];
    const heed_tensor *x = c->src[0], *wh = c->src[1];
    const bool f32 = x->dtype == HEED_F32 && wh->dtype == HEED_F32;
    if (!f32 || x->ndim != 3 || wh->ndim != 2 || wh->shape[0] != 4 * wh->shape[1] ||
        (!c->src[5] && x->shape[2] != wh->shape[0])) {
        heed_fail(cx, HEED_ESHAPE, "%s: %s %s and wh %s are not f32 %s and [4H,H]", c->op->name,
                  c->src[5] ? "x" : "xw", heed_shape_text(x, a), heed_shape_text(wh, b),
                  c->src[5] ? "[B,T,I]" : "[B,T,4H]");
        return false;
    }
    for (int i = 2; i < 4; i++) {
        const heed_tensor *state = c->src[i];
        if (!state || (state->dtype == HEED_F32 && state->ndim == 2 &&
                       state->shape[0] == x->shape[0] && state->shape[1] == wh->shape[1]))
            continue;
        heed_fail(cx, HEED_ESHAPE, "%s: state %s is not f32 [%lld,%lld]", c->op->name,
                  heed_shape_text(state, a), (long long)x->shape[0], (long long)wh->shape[1]);
        return false;
    }
    return true;
}

/* Floats that backward needs kept. Few rows take more each where the product of their inputs stands
 * by itself (lstm_layer.c): this, the product, its gradient, and both states; so more rows keep at
 * least as much, that a step of fewer rows than one before it needs no more memory. */
static int64_t kept_len(const lstm_saved *s, int64_t H, bool layer) {
    const int64_t len = s->seq.total * ((layer ? 6 : 5) * H + s->wide);
    const int64_t few = HEED_SEQ_GROUP * s->seq.steps * (6 + 4 + 4 + 2) * H;
    return layer && len < few ? few : len;
}

/* Room for what backward needs, or for this pass alone. */
static float *make_room(heed_ctx *cx, const heed__lstm_call *c, lstm_saved *s, int64_t H,
                        bool *keep) {
    heed_tensor *src[7];
    memcpy(src, c->src, sizeof src);
    const bool layer = c->src[5];
    *keep = heed__wants_grad(cx, 7, src);
    const int64_t len = kept_len(s, H, layer);
    float *room = *keep ? heed__alloc(cx, len, sizeof(float)) : heed__temp(cx, len, sizeof(float));
    s->gates = room;
    s->tc = room ? room + s->seq.total * 4 * H : NULL;
    s->from = room ? s->tc + s->seq.total * H : NULL;
    s->cells = room && layer ? s->from + s->seq.total * s->wide : NULL;
    return room;
}

/* After the checks. */
heed_tensor *heed__lstm_run(heed_ctx *cx, const heed__lstm_call *c) {
    heed_tensor *x = c->src[0], *wh = c->src[1], *h0 = c->src[2], *c0 = c->src[3];
    heed_tensor *lengths = c->src[4], *wi = c->src[5];
    const int64_t B = x->shape[0], T = x->shape[1], H = wh->shape[1], I = wi ? wi->shape[1] : 0;
    if (!heed__lengths_ok(cx, c->op->name, lengths, B, T)) return NULL;
    heed_tensor *y = heed__out(cx, c->op, wi ? 3 : 4, (int64_t[]){ 2, B, T, H } + (wi ? 1 : 0));
    lstm_saved *s = heed_scratch(cx, sizeof *s);
    if (!y || !s) return NULL;
    heed_tensor *src[7];
    memcpy(src, c->src, sizeof src);
    if (y->len == 0) return heed_record(cx, c->op, y, 7, src, NULL);
    *s = (lstm_saved){ .seq.reverse = c->reverse, .wide = I + H };
    if (!heed__seq_plan(cx, &s->seq, x->shape, lengths)) return NULL;
    bool keep;
    float *room = make_room(cx, c, s, H, &keep);
    heed__count(cx, wh, "lstm", 8.0 * (double)s->seq.total * (double)H * (double)(I + H));
    lstm_job j = { .s = s,
                   .units = H,
                   .xw = wi ? NULL : x->data,
                   .x = wi ? x->data : NULL,
                   .bias = c->src[6] ? c->src[6]->data : NULL,
                   .y = y->data,
                   .h0 = h0 ? h0->data : NULL,
                   .c0 = c0 ? c0->data : NULL };
    if (!room || !prepare(cx, &j, wh, wi, false)) return NULL;
    heed_pool_run(cx->pool, s->seq.groups, 1, forward_groups, &j);
    heed__temp_end(cx, j.room);
    if (!keep) heed__temp_end(cx, room);
    return heed_record(cx, c->op, y, 7, src, s);
}

heed_tensor *heed_lstm(heed_ctx *cx, heed_tensor *xw, heed_tensor *wh, heed_tensor *const state[2],
                       heed_tensor *lengths, bool reverse) {
    if (!xw || !wh) return NULL;
    const heed__lstm_call c = { .op = &op,
                                .src = { xw, wh, state ? state[0] : NULL, state ? state[1] : NULL,
                                         lengths },
                                .reverse = reverse };
    return heed__lstm_fits(cx, &c) ? heed__lstm_run(cx, &c) : NULL;
}
