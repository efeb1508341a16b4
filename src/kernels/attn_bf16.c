/* attn_bf16.c: the bf16 form of fused attention, forward: keys and values of a piece and queries of
 * a block are packed for the tiles of bf16.h, and a group of queries goes through a block of keys
 * as product, softmax, product. attn_bf16_grad.c has what it does in backward. */
#include <math.h>

#include "kernels/attn_bf16.h"
#include "kernels/share.h"

enum { LD = HEED_ATTN_LD };

void heed__attn_bf16_room(heed_attn_place *c, char *base, int64_t *at, bool values) {
    const heed_attn *a = c->a;
    const int64_t groups = heed__ceil_div(HEED_ATTN_QUERIES, heed__attn_group(c->k));
    c->bf16.q_step = heed__attn_round16(heed__bf16_a_len(c->k, HEED_ATTN_PAD, a->D));
    c->key_room = heed__attn_carve(base, at, heed__bf16_b_len(c->k, a->S, a->D));
    c->bf16.key_rows = heed__attn_carve(base, at, 16 * heed__attn_round16(a->D));
    c->bf16.packed_q = heed__attn_carve(base, at, (values ? groups : 1) * c->bf16.q_step);
    if (!values) return;
    c->value_room = heed__attn_carve(base, at,
                                     heed__bf16_b_len(c->k, heed__attn_round16(a->Dv), a->S));
    c->bf16.packed_p = heed__attn_carve(base, at,
                                        heed__bf16_a_len(c->k, HEED_ATTN_PAD, HEED_ATTN_BLOCK));
}

/* Keys divided by their length. */
static float pack_unit_keys(const heed_attn_place *c, const heed_bf16_side *key) {
    const heed_kernels *k = c->k;
    const int64_t d = key->steps, dp = heed__attn_round16(d), step = heed__bf16_depth(k, d);
    float *rows = c->bf16.key_rows;
    heed__attn_unit(k, c->unit, key->from, key->ld, key->n, d);
    for (int64_t i = 0; i < key->n; i += 16) {
        const int64_t n = heed__min64(key->n - i, 16);
        k->attn->pack_rows(rows, dp, key->from + i * key->ld, key->ld, n, d, 1.0f, c->unit + i);
        heed__bf16_pack_b(k, c->key_room + i * step, &(heed_bf16_side){ rows, dp, n, d, false });
    }
    return 0;
}

/* Keys of a cache, in panels of f32. */
static float pack_panels(const heed_kernels *k, const float *panels, int64_t n, int64_t d,
                         float *packed) {
    float all = INFINITY;
    for (int64_t i = 0; i < n; i += 16, panels += 16 * d) {
        const int64_t cols = heed__min64(n - i, 16);
        heed__bf16_pack_b(k, packed + i * heed__bf16_depth(k, d),
                          &(heed_bf16_side){ panels, 16, cols, d, true });
        all = fminf(all, heed__bf16_least(k, panels, 16, d, cols));
    }
    return all;
}

void heed__attn_bf16_keys(heed_attn_place *c) {
    const heed_attn *a = c->a;
    const heed_attn_run *run = c->run;
    const int64_t n = run->k1 - run->k0, ld = a->Hk * a->D;
    c->keys = c->key_room;
    if (a->panels) {
        const int64_t head = (run->b * a->Hk + c->hk) * a->room + run->k0;
        c->bf16.least_key = pack_panels(c->k, a->panels + head * a->D, n, a->D, c->key_room);
        return;
    }
    const float *key = a->key + (run->b * a->S + run->k0) * ld + c->hk * a->D;
    const heed_bf16_side side = { key, ld, n, a->D, false };
    if (a->cosine && !a->unit_keys) {
        c->bf16.least_key = pack_unit_keys(c, &side);
        return;
    }
    heed__bf16_pack_b(c->k, c->key_room, &side);
    c->bf16.least_key = heed__bf16_least(c->k, key, ld, n, a->D);
}

void heed__attn_bf16_values(heed_attn_place *c) {
    const heed_attn *a = c->a;
    const heed_attn_run *run = c->run;
    const int64_t n = run->k1 - run->k0;
    const int64_t ld = a->panels ? heed__attn_round16(a->Dv) : a->Hk * a->Dv;
    const float *rows = a->panels ? a->rows + ((run->b * a->Hk + c->hk) * a->room + run->k0) * ld
                                  : a->v + (run->b * a->S + run->k0) * ld + c->hk * a->Dv;
    c->values = c->value_room;
    c->careful = !c->k->attn->within(rows, ld, n, a->Dv, HEED_ATTN_MOST_BF16);
    c->bf16.value_rows = rows, c->bf16.ldv = ld;
    c->bf16.least_value = heed__bf16_least(c->k, rows, ld, n, a->Dv);
    heed__bf16_pack_b(c->k, c->value_room, &(heed_bf16_side){ rows, ld, a->Dv, n, true });
}

void heed__attn_bf16_queries(heed_attn_place *c, int64_t n) {
    const int64_t d = c->a->D, dp = heed__attn_round16(d), group = heed__attn_group(c->k);
    float *to = c->bf16.packed_q;
    for (int64_t i = 0; i < n; i += group, to += c->bf16.q_step)
        heed__bf16_pack_a(
            c->k, to, &(heed_bf16_side){ c->q + i * dp, dp, heed__min64(n - i, group), d, false });
    c->bf16.least_q = heed__bf16_least(c->k, c->q, dp, n, d);
}

/* Scores of the block's rows from the i-th on into s. */
static void score(const heed_attn_place *c, const heed_attn_rows *r, int64_t i, int64_t key) {
    const int64_t d = c->a->D, from = r->from / 16 * 16, to = (r->to + 15) / 16 * 16;
    const int64_t step = heed__bf16_depth(c->k, d) * HEED_PANEL;
    heed__bf16_multiply(c->k, &(heed_bf16_block){ .a = c->bf16.packed_q +
                                                       i / heed__attn_group(c->k) * c->bf16.q_step,
                                                  .a_steps = d,
                                                  .b = c->keys + (key + from) / 16 * step,
                                                  .b_step = step,
                                                  .c = c->s + from,
                                                  .ldc = LD,
                                                  .rows = r->rows,
                                                  .panels = (to - from) / 16,
                                                  .steps = d,
                                                  .fresh = true,
                                                  .least_a = c->bf16.least_q,
                                                  .least_b = c->bf16.least_key });
}

void heed__attn_bf16_tile(const heed_attn_place *c, const heed_attn_rows *r, int64_t i,
                          int64_t key) {
    const heed_kernels *k = c->k;
    const int64_t dv = heed__attn_round16(c->a->Dv), n = c->run->k1 - c->run->k0;
    const heed_attn_step soft = {
        .s = c->s, .o = c->o + i * dv, .dv = dv, .max = c->max + i, .sum = c->sum + i * 16
    };
    score(c, r, i, key);
    k->attn->soften(&soft, r);
    const int64_t first = r->from / 32 * 32, steps = r->to - first;
    if (c->careful) {
        k->attn->apply(soft.o, dv, c->s + first, LD,
                       c->bf16.value_rows + (key + first) * c->bf16.ldv, c->bf16.ldv,
                       (const int64_t[3]){ r->rows, c->a->Dv, steps });
        return;
    }
    heed__bf16_pack_a(k, c->bf16.packed_p,
                      &(heed_bf16_side){ c->s + first, LD, r->rows, steps, false });
    heed__bf16_multiply(
        k, &(heed_bf16_block){ .a = c->bf16.packed_p,
                               .a_steps = steps,
                               .b = c->values + heed__bf16_depth(k, key + first) * HEED_PANEL,
                               .b_step = heed__bf16_depth(k, n) * HEED_PANEL,
                               .c = soft.o,
                               .ldc = dv,
                               .rows = r->rows,
                               .panels = dv / 16,
                               .steps = steps,
                               .least_a = HEED_BF16_LEAST_WEIGHT,
                               .least_b = c->bf16.least_value });
}

void heed__attn_bf16_weights(const heed_attn_place *c, const heed_attn_rows *r, int64_t key,
                             const float *lse, float *p) {
    const heed_attn_step step = { .s = c->s };
    score(c, r, 0, key);
    c->k->attn->reveal(&step, r, lse, p, heed__attn_round16(c->a->S));
}
