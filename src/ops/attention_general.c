/* attention_general.c: every kind of attention that the fused kernel does not compute.
 *
 *   y_t = Σ_s w_ts v_s        dv_s += Σ_t w_ts dy_t        dw_ts = dy_t·v_s
 *
 * Cosine, bilinear and projected additive scores become dots (or plain additive scores) of queries
 * and keys made by other operations first. Forward works on blocks of queries of one (batch, head);
 * backward makes each block again and takes one (batch, value head) at a time, so that everything
 * which adds to the same keys is one worker's, in order.
 */
#include "ops/attention_general.h"

#include <math.h>
#include <string.h>

#include "kernels/math.h"
#include "ops/attention_product.h"

/* -- cosine, bilinear, additive: queries and keys as the block code wants them */

/* Each head's columns times its own matrix.  x [B,T,heads*I], w [heads,O,I] -> [B,T,heads*O]; with
 * as_is w is [heads,I,O]. */
static heed_tensor *project(heed_ctx *cx, heed_tensor *x, heed_tensor *w, bool as_is) {
    if (!x || !w) return NULL;
    const int64_t B = x->shape[0], T = x->shape[1], heads = w->shape[0];
    const int64_t in = w->shape[as_is ? 1 : 2], out = w->shape[as_is ? 2 : 1];
    heed_tensor *y = heed_reshape(cx, x, 3, (int64_t[]){ B * T, heads, in });
    y = heed_matmul(cx, heed_transpose(cx, y, 0, 1), w, false, !as_is); /* [heads,B*T,out] */
    y = heed_transpose(cx, y, 0, 1);
    return heed_reshape(cx, y, 3, (int64_t[]){ B, T, heads * out });
}

static heed_tensor *unit(heed_ctx *cx, heed_tensor *x, int64_t heads, int64_t width) {
    const int64_t B = x->shape[0], T = x->shape[1];
    heed_tensor *y = heed_reshape(cx, x, 4, (int64_t[]){ B, T, heads, width });
    return heed_reshape(cx, heed_l2_norm(cx, y, 1e-12f), 3, (int64_t[]){ B, T, heads * width });
}

/* Sets q, k, sizes and the score's kind of g; false: an error is set. */
static bool prepare(heed_ctx *cx, heed__general *g, const heed_attention_call *call) {
    const heed_attention_dims *d = &call->d;
    heed_attention_cfg *c = &g->c;
    heed_tensor *qk[2] = { call->q, call->k };
    g->D = d->D, g->Hk = d->Hk;
    if (!heed__general_clear(cx, g, qk)) return false;
    heed_tensor *q = qk[0], *k = qk[1];
    if (c->score == HEED_SCORE_COSINE) {
        q = unit(cx, q, d->H, d->D), k = unit(cx, k, d->Hk, d->D);
    } else if (c->score == HEED_SCORE_BILINEAR) {
        q = project(cx, q, c->score_w, true);
        g->D = d->Dk;
    } else if (c->score == HEED_SCORE_ADDITIVE) {
        g->D = c->score_v->shape[1];
        if (c->score_wq) q = project(cx, q, c->score_wq, false);
        if (c->score_wk) { /* the heads of one group read the same key by matrices of their own */
            const int64_t rows[] = { d->Hk, d->H / d->Hk * g->D, d->Dk };
            k = project(cx, k, heed_reshape(cx, c->score_wk, 3, rows), false);
            g->Hk = d->H;
        }
    }
    g->scale = c->scale;
    if (g->scale == 0) g->scale = c->score == HEED_SCORE_SCALED_DOT ? 1 / sqrtf((float)d->D) : 1;
    if (c->score != HEED_SCORE_ADDITIVE) c->score = HEED_SCORE_DOT;
    g->src[GENERAL_Q] = q, g->src[GENERAL_K] = k, g->src[GENERAL_V] = call->v;
    return q && k;
}

/* Transformer-XL's encodings must reach as far as the farthest key seen by any head: only a span
 * makes heads differ. */
static bool far_enough(heed_ctx *cx, const heed__general *g) {
    if (!g->c.relative) return true;
    const int64_t heads = g->c.span ? g->H : 1;
    heed__block k = { .n = 1 };
    int64_t far = -1;
    for (int64_t row = 0; row < g->B * heads; row++)
        for (k.t0 = 0; k.t0 < g->T; k.t0++) {
            k.b = row / heads, k.h = row % heads;
            heed__general_range(g, &k);
            const int64_t away = k.t0 + g->c.query_start - k.lo;
            if (k.end[0] > k.from[0] && away > far) far = away;
        }
    if (far < g->c.relative->shape[0]) return true;
    heed_fail(cx, HEED_ESHAPE, "attention: relative has %lld distances where %lld are seen",
              (long long)g->c.relative->shape[0], (long long)far + 1);
    return false;
}

/* What alibi and t5 add at each distance, once for all blocks. */
static bool make_positions(heed_ctx *cx, heed__general *g) {
    const heed_attention_cfg *c = &g->c;
    const int64_t len = g->T + g->S, first = 1 - g->T - c->query_start;
    if (!c->alibi && !c->t5) return true;
    g->positions = heed__alloc(cx, g->H * len, sizeof(float));
    if (!g->positions) return false;
    for (int64_t h = 0; h < g->H; h++)
        heed__attention_relative(c, h, first, len, g->positions + h * len);
    if (!c->t5) return true;
    const heed_t5 t5 = heed__t5_buckets(c);
    g->bucket = heed__alloc(cx, len, sizeof(int32_t));
    for (int64_t i = 0; g->bucket && i < len; i++)
        g->bucket[i] = (int32_t)heed__t5_bucket(&t5, first + i);
    return g->bucket != NULL;
}

static bool random_kind(const heed_attention_cfg *c) {
    return c->dropout > 0 || c->weights == HEED_WEIGHTS_GUMBEL ||
           c->weights == HEED_WEIGHTS_REINFORCE;
}

static heed__general *make(heed_ctx *cx, const heed_attention_call *call) {
    heed__general *g = heed_scratch(cx, sizeof *g);
    if (!g) return NULL;
    const heed_attention_dims *d = &call->d;
    *g = (heed__general){ .k = cx->k, .c = call->cfg };
    g->B = d->B, g->T = d->T, g->S = d->S, g->H = d->H, g->Hv = d->Hk, g->Dv = d->Dv;
    g->train = cx->train, g->seed = cx->seed;
    if (cx->train && random_kind(&g->c)) g->stream = heed__stream(cx);
    if (!cx->train) g->c.dropout = 0;
    if (!prepare(cx, g, call)) return NULL;
    heed_attention_cfg *c = &g->c;
    g->src[GENERAL_BIAS] = c->bias, g->src[GENERAL_RELATIVE] = c->relative;
    g->src[GENERAL_TEMPERATURE] = c->temperature, g->src[GENERAL_SCORE_V] = c->score_v;
    g->src[GENERAL_T5] = c->t5, g->src[GENERAL_U] = c->relative_u;
    g->src[GENERAL_W] = c->relative_v, g->src[GENERAL_SPAN] = c->span;
    g->src[GENERAL_CENTER] = c->local_center, g->src[GENERAL_SINKS] = c->sinks;
    g->keep_plain = c->temperature || c->score_std || c->softcap > 0;
    return far_enough(cx, g) && make_positions(cx, g) ? g : NULL;
}

/* -- blocks */

static bool one_hot(const heed_attention_cfg *c) {
    return c->weights == HEED_WEIGHTS_HARD || c->weights == HEED_WEIGHTS_REINFORCE ||
           (c->weights == HEED_WEIGHTS_GUMBEL && c->gumbel_hard);
}

static int64_t block_ld(const heed__general *g) {
    return (g->S + 15) / 16 * 16;
}

/* The parts of a worker's room: floats of each. */
enum {
    ROOM_X,
    ROOM_P,
    ROOM_DX,
    ROOM_PLAIN,
    ROOM_A,
    ROOM_W,
    ROOM_ROW,
    ROOM_HEAD,
    ROOM_FAR,
    ROOM_PRODUCT,
    ROOMS
};

static void room_parts(const heed__general *g, int64_t len[ROOMS]) {
    const int64_t rows = GENERAL_BLOCK * block_ld(g), far = g->S + GENERAL_BLOCK + 15;
    const int64_t wide = far > g->D + g->Dv ? far : g->D + g->Dv;
    len[ROOM_X] = len[ROOM_P] = len[ROOM_DX] = rows;
    len[ROOM_PLAIN] = g->keep_plain ? rows : 0;
    len[ROOM_A] = one_hot(&g->c) || g->c.local_center ? rows : 0;
    len[ROOM_W] = g->c.dropout > 0 ? rows : 0;
    len[ROOM_ROW] = 2 * (block_ld(g) + GENERAL_ALIGN);
    len[ROOM_HEAD] = heed__general_head_room(g);
    len[ROOM_FAR] = g->c.relative ? GENERAL_BLOCK * far : 0;
    len[ROOM_PRODUCT] = heed__product_scratch(g->k, GENERAL_BLOCK, wide, wide);
    const int64_t across = heed__product_scratch(g->k, wide, wide, GENERAL_BLOCK);
    if (across > len[ROOM_PRODUCT]) len[ROOM_PRODUCT] = across;
    for (int i = 0; i < ROOMS; i++) len[i] = (len[i] + 15) / 16 * 16;
}

int64_t heed__general_room(const heed__general *g) {
    int64_t len[ROOMS], sum = 0;
    room_parts(g, len);
    for (int i = 0; i < ROOMS; i++) sum += len[i];
    return sum;
}

heed__block heed__general_block(const heed__general *g, float *room) {
    int64_t len[ROOMS];
    float *at[ROOMS];
    room_parts(g, len);
    for (int i = 0; i < ROOMS; i++) at[i] = room, room += len[i];
    heed__block k = { .x = at[ROOM_X],
                      .p = at[ROOM_P],
                      .dx = at[ROOM_DX],
                      .row = at[ROOM_ROW],
                      .plain = at[ROOM_PLAIN],
                      .head = at[ROOM_HEAD],
                      .far = at[ROOM_FAR],
                      .product = at[ROOM_PRODUCT] };
    k.a = len[ROOM_A] ? at[ROOM_A] : k.p;
    k.w = len[ROOM_W] ? at[ROOM_W] : k.a;
    return k;
}

void heed__general_fill(const heed__general *g, heed__block *k) {
    heed__general_range(g, k);
    heed__general_scores(g, k);
    heed__general_rows(g, k);
}

void heed__general_make(const heed__general *g, heed__block *k, int64_t b, int64_t h, int64_t t0) {
    k->b = b, k->h = h, k->t0 = t0;
    k->n = g->T - t0 < GENERAL_BLOCK ? g->T - t0 : GENERAL_BLOCK;
    heed__general_fill(g, k);
}

/* -- gradients' buffers */

static int64_t small_width(const heed__general *g, int which) {
    switch (which) {
    case GENERAL_TEMPERATURE:
    case GENERAL_SPAN:
    case GENERAL_SINKS:
        return 1;
    case GENERAL_SCORE_V:
    case GENERAL_U:
    case GENERAL_W:
        return g->D;
    case GENERAL_T5:
        return g->src[GENERAL_T5]->shape[0];
    case GENERAL_CENTER:
        return g->T;
    default:
        return 0;
    }
}

bool heed__general_grads_make(heed_ctx *cx, const heed__general *g, heed__general_grads *to) {
    *to = (heed__general_grads){ 0 };
    for (int i = 0; i < GENERAL_SOURCES; i++) {
        if (!g->src[i] || !g->src[i]->needs_grad) continue;
        to->to[i] = heed_grad(cx, g->src[i]);
        if (!to->to[i]) continue;
        to->at[i] = to->small_len;
        to->small_len += small_width(g, i);
    }
    to->by_head = to->to[GENERAL_BIAS] || to->to[GENERAL_RELATIVE];
    if (cx->error.code || !to->small_len) return !cx->error.code;
    to->small = heed__alloc(cx, g->B * g->H * to->small_len, sizeof(float));
    if (!to->small) return false;
    memset(to->small, 0, (size_t)(g->B * g->H * to->small_len) * sizeof(float));
    return true;
}

/* Where number i of head h's (and row b's) small gradient belongs in its tensor. */
static int64_t small_at(const heed__general *g, int which, int64_t b, int64_t h, int64_t i) {
    switch (which) {
    case GENERAL_TEMPERATURE:
        return g->src[which]->len == 1 ? 0 : h;
    case GENERAL_T5:
        return i * g->H + h;
    case GENERAL_CENTER:
        return b * g->T + i;
    default:
        return h * small_width(g, which) + i;
    }
}

void heed__general_grads_end(const heed__general *g, const heed__general_grads *to) {
    for (int which = GENERAL_TEMPERATURE; which < GENERAL_SOURCES; which++) {
        if (!to->to[which]) continue;
        const int64_t n = small_width(g, which);
        for (int64_t row = 0; row < g->B * g->H; row++) {
            const float *from = to->small + row * to->small_len + to->at[which];
            for (int64_t i = 0; i < n; i++)
                to->to[which][small_at(g, which, row / g->H, row % g->H, i)] += from[i];
        }
        heed__canon(g->k, to->to[which], g->src[which]->len);
    }
}

/* -- the operation: weights times values */

typedef struct job {
    const heed__general *g;
    float *room, *out;
    int64_t room_len;
    const float *dout;
    heed__general_grads to;
} job;

static const float *values(const heed__general *g, const heed__block *k) {
    return HEED_F32_DATA(g->src[GENERAL_V]) +
           ((k->b * g->S + k->lo) * g->Hv + k->h / (g->H / g->Hv)) * g->Dv;
}

static int64_t out_at(const heed__general *g, const heed__block *k) {
    return ((k->b * g->T + k->t0) * g->H + k->h) * g->Dv;
}

static void forward_range(void *arg, int64_t begin, int64_t end, int worker) {
    const job *j = arg;
    const heed__general *g = j->g;
    const int64_t blocks = (g->T + GENERAL_BLOCK - 1) / GENERAL_BLOCK;
    heed__block k = heed__general_block(g, j->room + worker * j->room_len);
    for (int64_t i = begin; i < end; i++) {
        const int64_t row = i / blocks;
        heed__general_make(g, &k, row / g->H, row % g->H, i % blocks * GENERAL_BLOCK);
        heed__general_mix(g, &k,
                          &(heed__mix){ .weights = k.w,
                                        .rows = values(g, &k),
                                        .c = j->out + out_at(g, &k),
                                        .len = k.hi - k.lo,
                                        .ldw = k.ld,
                                        .ld = g->Hv * g->Dv,
                                        .ldc = g->H * g->Dv,
                                        .width = g->Dv });
    }
}

static void backward_block(const job *j, heed__block *k) {
    const heed__general *g = j->g;
    const float *dout = j->dout + out_at(g, k);
    float *dv = j->to.to[GENERAL_V];
    if (dv)
        heed__gemm(g->k, NULL,
                   &(heed_gemm){ .m = k->hi - k->lo,
                                 .n = g->Dv,
                                 .k = k->n,
                                 .a = k->w,
                                 .lda = k->ld,
                                 .ta = true,
                                 .b = dout,
                                 .ldb = g->H * g->Dv,
                                 .c = dv + (values(g, k) - HEED_F32_DATA(g->src[GENERAL_V])),
                                 .ldc = g->Hv * g->Dv,
                                 .accumulate = true },
                   k->product);
    if (g->c.weights == HEED_WEIGHTS_REINFORCE) return; /* the scores learn by log_prob */
    heed__gemm(g->k, NULL,
               &(heed_gemm){ .m = k->n,
                             .n = k->hi - k->lo,
                             .k = g->Dv,
                             .a = dout,
                             .lda = g->H * g->Dv,
                             .b = values(g, k),
                             .ldb = g->Hv * g->Dv,
                             .tb = true,
                             .c = k->dx,
                             .ldc = k->ld },
               k->product);
    heed__general_rows_grad(g, k, &j->to, GENERAL_FROM_W);
    heed__general_scores_grad(g, k, &j->to);
}

static void backward_range(void *arg, int64_t begin, int64_t end, int worker) {
    const job *j = arg;
    const heed__general *g = j->g;
    const int64_t group = g->H / g->Hv, batch = j->to.by_head ? g->B : 1;
    heed__block k = heed__general_block(g, j->room + worker * j->room_len);
    for (int64_t i = begin; i < end; i++)
        for (int64_t e = 0; e < batch * group; e++) {
            const int64_t b = j->to.by_head ? e / group : i / g->Hv;
            const int64_t h = (j->to.by_head ? i : i % g->Hv) * group + e % group;
            for (int64_t t = 0; t < g->T; t += GENERAL_BLOCK) {
                heed__general_make(g, &k, b, h, t);
                if (k.hi > k.lo) backward_block(j, &k);
            }
        }
}

int64_t heed__general_cost(const heed__general *g, int64_t rows) {
    return rows * (g->S + 1) * (g->D + g->Dv + 16);
}

static void general_backward(heed_ctx *cx, const heed_node *n) {
    const heed__general *g = n->saved;
    job j = { .g = g, .room_len = heed__general_room(g), .dout = n->out->grad };
    j.room = heed__alloc(cx, j.room_len * heed_pool_threads(cx->pool), sizeof(float));
    if (!j.room || !heed__general_grads_make(cx, g, &j.to)) return;
    const int64_t count = j.to.by_head ? g->Hv : g->B * g->Hv;
    heed__parallel(cx, count, 3 * heed__general_cost(g, g->T * g->H / g->Hv), backward_range, &j);
    heed__general_grads_end(g, &j.to);
}

static const heed_op op_general = { "attention", general_backward };

heed_tensor *heed__attention_general(heed_ctx *cx, const heed_attention_call *c) {
    heed__general *g = make(cx, c);
    if (!g) return NULL;
    heed_tensor *y = heed_new(cx, HEED_F32, 3, (int64_t[]){ g->B, g->T, g->H * g->Dv });
    if (!y) return NULL;
    job j = { .g = g, .room_len = heed__general_room(g), .out = y->data };
    j.room = heed__temp(cx, j.room_len * heed_pool_threads(cx->pool), sizeof(float));
    if (!j.room) return NULL;
    const int64_t blocks = (g->T + GENERAL_BLOCK - 1) / GENERAL_BLOCK;
    heed__parallel(cx, g->B * g->H * blocks, heed__general_cost(g, GENERAL_BLOCK), forward_range,
                   &j);
    heed__temp_end(cx, j.room);
    if (g->c.tap && !heed__general_tap(cx, g)) return NULL;
    if (g->c.penalty && !(g->c.more->penalty = heed__general_penalty(cx, g))) return NULL;
    if (g->c.weights == HEED_WEIGHTS_REINFORCE &&
        !(g->c.more->log_prob = heed__general_log_prob(cx, g)))
        return NULL;
    return heed_record(cx, &op_general, y, GENERAL_SOURCES, g->src, g);
}
