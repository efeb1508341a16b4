/* attn_f32.c: the f32 form of fused attention: products are the kernels' own, over panels of keys
 * and rows of values, and in backward over rows of queries. */
#include <string.h>

#include "kernels/attn_pass.h"
#include "kernels/row.h"

static int64_t group(const heed_kernels *k) {
    return k->attn->rows;
}

static void room(heed_attn_place *c, char *base, int64_t *at, bool values) {
    const int64_t keys = c->a->panels ? 0 : heed__attn_round16(c->a->S);
    c->key_room = heed__attn_carve(base, at, keys * c->a->D);
    if (values) c->value_room = heed__attn_carve(base, at, keys * heed__attn_round16(c->a->Dv));
}

static void pack_keys(heed_attn_place *c) {
    const heed_attn *a = c->a;
    const heed_attn_run *run = c->run;
    const int64_t n = run->k1 - run->k0, ld = a->Hk * a->D;
    if (a->panels) {
        c->keys = a->panels + ((run->b * a->Hk + c->hk) * a->room + run->k0) * a->D;
        return;
    }
    const float *key = a->key + (run->b * a->S + run->k0) * ld + c->hk * a->D;
    const bool scaled = a->cosine && !a->unit_keys;
    if (scaled) heed__attn_unit(c->k, c->unit, key, ld, n, a->D);
    c->k->attn->pack_panels(c->key_room, key, ld, n, a->D, scaled ? c->unit : NULL);
    c->keys = c->key_room;
}

static void pack_values(heed_attn_place *c) {
    const heed_attn *a = c->a;
    const heed_attn_run *run = c->run;
    const int64_t n = run->k1 - run->k0, ld = a->Hk * a->Dv, dv = heed__attn_round16(a->Dv);
    if (a->panels) {
        c->values = a->rows + ((run->b * a->Hk + c->hk) * a->room + run->k0) * dv;
        c->careful = !a->cached_finite;
        return;
    }
    const float *value = a->v + (run->b * a->S + run->k0) * ld + c->hk * a->Dv;
    c->careful = !c->k->attn->pack_rows(c->value_room, dv, value, ld, n, a->Dv, 1.0f, NULL);
    c->values = c->value_room;
}

/* The block's rows from the i-th on beside the keys from `key` on. */
static heed_attn_step step_of(const heed_attn_place *c, int64_t i, int64_t key) {
    const int64_t d = c->a->D, dp = heed__attn_round16(d), dv = heed__attn_round16(c->a->Dv);
    return (heed_attn_step){ .q = c->q + i * dp,
                             .ldq = dp,
                             .d = d,
                             .keys = c->keys + key * d,
                             .values = c->values ? c->values + key * dv : NULL,
                             .dv = dv,
                             .careful = c->careful,
                             .s = c->s,
                             .o = c->o + i * dv,
                             .max = c->max + i,
                             .sum = c->sum + i * 16 };
}

static void tile(const heed_attn_place *c, const heed_attn_rows *r, int64_t i, int64_t key) {
    const heed_attn_step step = step_of(c, i, key);
    c->k->attn->forward(&step, r);
}

static void weights(const heed_attn_place *c, const heed_attn_rows *r, int64_t key,
                    const float *lse, float *p) {
    const heed_attn_step step = { .q = c->q,
                                  .ldq = heed__attn_round16(c->a->D),
                                  .d = c->a->D,
                                  .keys = c->keys + key * c->a->D,
                                  .s = c->s };
    c->k->attn->weights(&step, r, lse, p, heed__attn_round16(c->a->S));
}

/* -- backward */

static float dot(const heed_kernels *k, const float *x, const float *y, int64_t n) {
    return k->row->dot(x, y, n);
}

static void grad_room(heed_attn_grad_place *c, char *base, int64_t *at) {
    const int64_t n = HEED_ATTN_QUERIES + HEED_ATTN_PAD;
    c->keys = heed__attn_carve(base, at, HEED_ATTN_TILE * c->a->D);
    c->values = heed__attn_carve(base, at, HEED_ATTN_TILE * c->a->Dv);
    c->dy = heed__attn_carve(base, at, n * heed__attn_round16(c->a->Dv));
}

static void grad_keys(const heed_attn_grad_place *c, heed_attn_keys *keys) {
    const heed_attn *a = c->a;
    const int64_t at = c->run->b * a->S + c->run->k0 + keys->first;
    const int64_t ldk = a->Hk * a->D, ldv = a->Hk * a->Dv;
    c->k->attn->pack_panels(c->keys, a->key + at * ldk + c->hk * a->D, ldk, keys->n, a->D,
                            a->cosine ? c->unit : NULL);
    c->k->attn->pack_panels(c->values, a->v + at * ldv + c->hk * a->Dv, ldv, keys->n, a->Dv, NULL);
}

static void grad_queries(const heed_attn_grad_place *c, heed_attn_queries *q) {
    const heed_attn *a = c->a;
    const int64_t dv = heed__attn_round16(a->Dv), ld = a->H * a->Dv;
    const float *dy = a->dout + (c->run->b * a->T + q->t) * ld + c->h * a->Dv;
    c->k->attn->pack_rows(c->dy, dv, dy, ld, q->n, a->Dv, 1.0f, NULL);
    memset(c->dy + q->n * dv, 0, (size_t)(HEED_ATTN_PAD * dv) * sizeof(float));
}

static void grad_tile(const heed_attn_grad_place *c, const heed_attn_keys *keys,
                      heed_attn_queries *q, int64_t g, const heed_attn_rows *r,
                      const heed_attn_grad *grad) {
    const int64_t i = g * c->k->attn->rows;
    heed_attn_grad all = *grad;
    (void)q;
    all.dv = heed__attn_round16(c->a->Dv), all.width = c->a->Dv, all.d = c->a->D;
    all.q = c->q + i * grad->ldq, all.dy = c->dy + i * all.dv;
    all.keys = c->keys, all.values = c->values, all.key_rows = c->key_rows;
    all.careful = keys->careful;
    c->k->attn->backward(&all, r);
}

static void gather(const heed_attn_grad_place *c, const heed_attn_queries *q, int64_t j,
                   int64_t width, const int64_t rows[2]) {
    const int64_t dp = heed__attn_round16(c->a->D), dv = heed__attn_round16(c->a->Dv);
    const int64_t n = rows[1] - rows[0], at = rows[0] * HEED_ATTN_GRAD_LD + j;
    (void)q;
    c->k->attn->transposed(c->dv + j * dv, c->p + at, HEED_ATTN_GRAD_LD, c->dy + rows[0] * dv, dv,
                           n, width);
    c->k->attn->transposed(c->dk + j * dp, c->ds + at, HEED_ATTN_GRAD_LD, c->q + rows[0] * dp, dp,
                           n, width);
}

const heed_attn_form heed__attn_f32 = { .group = group,
                                        .room = room,
                                        .pack_keys = pack_keys,
                                        .pack_values = pack_values,
                                        .tile = tile,
                                        .weights = weights,
                                        .gather_unit = 1,
                                        .gather_keys = group,
                                        .dot = dot,
                                        .grad_room = grad_room,
                                        .grad_keys = grad_keys,
                                        .grad_queries = grad_queries,
                                        .grad_tile = grad_tile,
                                        .gather = gather };
