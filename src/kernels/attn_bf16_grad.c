/* attn_bf16_grad.c: the bf16 form of fused attention, backward, and its table. dk and dv of a block
 * of keys gather as [D, keys] and [Dv, keys], so that weights and their gradients lie in rows of
 * keys as the second operand of each product that sums over queries. */
#include <math.h>

#include "kernels/attn_bf16.h"
#include "kernels/share.h"

enum {
    LD = HEED_ATTN_GRAD_LD,
    TILE = HEED_ATTN_TILE,
    GATHER = 4 * HEED_PANEL /* keys that gather dk and dv together */
};

static int64_t gather_keys(const heed_kernels *k) {
    (void)k;
    return GATHER;
}

static float dot(const heed_kernels *k, const float *x, const float *y, int64_t n) {
    return k->attn->dot(x, y, n);
}

static void grad_room(heed_attn_grad_place *c, char *base, int64_t *at) {
    const heed_kernels *k = c->k;
    const int64_t D = c->a->D, Dv = c->a->Dv, dp = heed__attn_round16(D);
    const int64_t dv = heed__attn_round16(Dv), n = HEED_ATTN_QUERIES, pad = HEED_ATTN_PAD;
    const int64_t groups = heed__ceil_div(n, heed__attn_group(k));
    c->bf16.q_step = heed__attn_round16(heed__bf16_a_len(k, pad, D));
    c->bf16.dy_step = heed__attn_round16(heed__bf16_a_len(k, pad, Dv));
    c->keys = heed__attn_carve(base, at, heed__bf16_b_len(k, TILE, D));
    c->values = heed__attn_carve(base, at, heed__bf16_b_len(k, TILE, Dv));
    c->bf16.key_cols = heed__attn_carve(base, at, heed__bf16_b_len(k, dp, TILE));
    c->bf16.packed_q = heed__attn_carve(base, at, groups * c->bf16.q_step);
    c->bf16.packed_dy = heed__attn_carve(base, at, groups * c->bf16.dy_step);
    c->bf16.q_across = heed__attn_carve(base, at, heed__bf16_a_len(k, D, n));
    c->bf16.dy_across = heed__attn_carve(base, at, heed__bf16_a_len(k, Dv, n));
    c->bf16.packed_p = heed__attn_carve(base, at, heed__bf16_b_len(k, GATHER, n));
    c->bf16.packed_ds = heed__attn_carve(base, at, heed__bf16_a_len(k, pad, TILE));
    c->bf16.panels = heed__attn_carve(base, at, TILE * heed__max64(dp, dv));
}

static void grad_keys(const heed_attn_grad_place *c, heed_attn_keys *keys) {
    const heed_attn *a = c->a;
    const heed_kernels *k = c->k;
    const int64_t n = keys->n, dp = heed__attn_round16(a->D), ld = a->Hk * a->Dv;
    const int64_t at = c->run->b * a->S + c->run->k0 + keys->first;
    const float *value = a->v + at * ld + c->hk * a->Dv;
    heed__bf16_pack_b(k, c->keys, &(heed_bf16_side){ c->key_rows, dp, n, a->D, false });
    heed__bf16_pack_b(k, c->bf16.key_cols, &(heed_bf16_side){ c->key_rows, dp, dp, n, true });
    heed__bf16_pack_b(k, c->values, &(heed_bf16_side){ value, ld, n, a->Dv, false });
    keys->least_key = heed__bf16_least(k, c->key_rows, dp, n, a->D);
    keys->least_value = heed__bf16_least(k, value, ld, n, a->Dv);
    keys->careful = !k->attn->within(c->key_rows, dp, n, a->D, HEED_ATTN_MOST_BF16);
}

static void grad_queries(const heed_attn_grad_place *c, heed_attn_queries *q) {
    const heed_attn *a = c->a;
    const heed_kernels *k = c->k;
    const int64_t dp = heed__attn_round16(a->D), n = q->n, group = heed__attn_group(k);
    const int64_t ld = a->H * a->Dv;
    const float *dy = a->dout + (c->run->b * a->T + q->t) * ld + c->h * a->Dv;
    for (int64_t i = 0; i < n; i += group) {
        const int64_t rows = heed__min64(n - i, group), g = i / group;
        heed__bf16_pack_a(k, c->bf16.packed_q + g * c->bf16.q_step,
                          &(heed_bf16_side){ c->q + i * dp, dp, rows, a->D, false });
        heed__bf16_pack_a(k, c->bf16.packed_dy + g * c->bf16.dy_step,
                          &(heed_bf16_side){ dy + i * ld, ld, rows, a->Dv, false });
    }
    heed__bf16_pack_a(k, c->bf16.q_across, &(heed_bf16_side){ c->q, dp, a->D, n, true });
    heed__bf16_pack_a(k, c->bf16.dy_across, &(heed_bf16_side){ dy, ld, a->Dv, n, true });
    q->least_q = heed__bf16_least(k, c->q, dp, n, a->D);
    q->least_dy = heed__bf16_least(k, dy, ld, n, a->Dv);
    q->least_ds = INFINITY;
}

/* Scores and dy·v of group g: q·k in p, dy·v in ds. */
static void make_scores(const heed_attn_grad_place *c, const heed_attn_keys *keys,
                        const heed_attn_queries *q, int64_t g, const heed_attn_rows *r,
                        const heed_attn_grad *grad) {
    const heed_kernels *k = c->k;
    const int64_t from = r->from / 16, D = c->a->D, Dv = c->a->Dv;
    const int64_t k_step = heed__bf16_depth(k, D) * HEED_PANEL;
    const int64_t v_step = heed__bf16_depth(k, Dv) * HEED_PANEL;
    heed_bf16_block b = { .a = c->bf16.packed_q + g * c->bf16.q_step,
                          .a_steps = D,
                          .b = c->keys + from * k_step,
                          .b_step = k_step,
                          .c = grad->p + from * 16,
                          .ldc = LD,
                          .rows = r->rows,
                          .panels = (r->to + 15) / 16 - from,
                          .steps = D,
                          .fresh = true,
                          .least_a = q->least_q,
                          .least_b = keys->least_key };
    heed__bf16_multiply(k, &b);
    b.a = c->bf16.packed_dy + g * c->bf16.dy_step, b.a_steps = b.steps = Dv;
    b.b = c->values + from * v_step, b.b_step = v_step;
    b.c = grad->ds + from * 16;
    b.least_a = q->least_dy, b.least_b = keys->least_value;
    heed__bf16_multiply(k, &b);
}

/* dq of a group += ds·k. */
static void add_dq(const heed_attn_grad_place *c, const heed_attn_keys *keys,
                   const heed_attn_rows *r, const heed_attn_grad *g, float least_ds) {
    const heed_kernels *k = c->k;
    const int64_t first = r->from / 32 * 32, steps = r->to - first;
    if (keys->careful) {
        k->attn->apply(g->dq, g->ldq, g->ds + first, LD, c->key_rows + first * g->ldq, g->ldq,
                       (const int64_t[3]){ r->rows, g->ldq, steps });
        return;
    }
    heed__bf16_pack_a(k, c->bf16.packed_ds,
                      &(heed_bf16_side){ g->ds + first, LD, r->rows, steps, false });
    heed__bf16_multiply(
        k, &(heed_bf16_block){ .a = c->bf16.packed_ds,
                               .a_steps = steps,
                               .b = c->bf16.key_cols + heed__bf16_depth(k, first) * HEED_PANEL,
                               .b_step = heed__bf16_depth(k, keys->n) * HEED_PANEL,
                               .c = g->dq,
                               .ldc = g->ldq,
                               .rows = r->rows,
                               .panels = g->ldq / 16,
                               .steps = steps,
                               .least_a = least_ds,
                               .least_b = keys->least_key });
}

static void grad_tile(const heed_attn_grad_place *c, const heed_attn_keys *keys,
                      heed_attn_queries *q, int64_t g, const heed_attn_rows *r,
                      const heed_attn_grad *grad) {
    make_scores(c, keys, q, g, r, grad);
    c->k->attn->score_grad(grad, r);
    const float least = heed__bf16_least(c->k, grad->ds + r->from, LD, r->rows, r->to - r->from);
    if (least < q->least_ds) q->least_ds = least;
    add_dq(c, keys, r, grad, least);
}

static void gather(const heed_attn_grad_place *c, const heed_attn_queries *q, int64_t j,
                   int64_t width, const int64_t rows[2]) {
    const heed_kernels *k = c->k;
    const int64_t at = rows[0] * LD + j, steps = rows[1] - rows[0];
    heed_bf16_block b = { .a = c->bf16.dy_across,
                          .a_first = rows[0],
                          .a_steps = q->n,
                          .b = c->bf16.packed_p,
                          .b_step = heed__bf16_depth(k, steps) * HEED_PANEL,
                          .c = c->dv + j,
                          .ldc = LD,
                          .rows = c->a->Dv,
                          .panels = (width + 15) / 16,
                          .steps = steps,
                          .least_a = q->least_dy,
                          .least_b = HEED_BF16_LEAST_WEIGHT };
    heed_bf16_side from = { c->p + at, LD, 16 * b.panels, steps, true };
    heed__bf16_pack_b(k, c->bf16.packed_p, &from);
    heed__bf16_multiply(k, &b);
    from.from = c->ds + at;
    heed__bf16_pack_b(k, c->bf16.packed_p, &from);
    b.a = c->bf16.q_across, b.rows = c->a->D, b.c = c->dk + j;
    b.least_a = q->least_q, b.least_b = q->least_ds;
    heed__bf16_multiply(k, &b);
}

const heed_attn_form heed__attn_bf16 = { .group = heed__attn_group,
                                         .begin = heed__bf16_begin,
                                         .end = heed__bf16_end,
                                         .room = heed__attn_bf16_room,
                                         .pack_keys = heed__attn_bf16_keys,
                                         .pack_values = heed__attn_bf16_values,
                                         .pack_queries = heed__attn_bf16_queries,
                                         .tile = heed__attn_bf16_tile,
                                         .weights = heed__attn_bf16_weights,
                                         .across = true,
                                         .gather_unit = 32,
                                         .gather_keys = gather_keys,
                                         .dot = dot,
                                         .grad_room = grad_room,
                                         .grad_keys = grad_keys,
                                         .grad_queries = grad_queries,
                                         .grad_tile = grad_tile,
                                         .gather = gather };
