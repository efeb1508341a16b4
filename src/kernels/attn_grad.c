/* attn_grad.c: the driver of fused attention, backward. One piece of work is a row of the batch and
 * a key head: blocks of keys in the outer loop own their dk and dv, and dq of the whole head
 * gathers in the worker's room, so that scores are made once and no two workers add to one number.
 * Where a bias wants its gradient a piece is a key head in all rows of the batch. */
#include <float.h>
#include <string.h>

#include "kernels/attn_pass.h"
#include "kernels/row.h"
#include "kernels/share.h"

enum { PAD = HEED_ATTN_PAD, LD = HEED_ATTN_GRAD_LD };

typedef struct Backward {
    const heed_kernels *k;
    const heed_attn *a;
    const heed_attn_form *form;
    char *scratch;
    int64_t size; /* bytes of one worker's scratch */
} Backward;

/* The largest number that is finite in the products. */
static float most_of(const heed_attn *a) {
    return a->bf16 ? HEED_ATTN_MOST_BF16 : FLT_MAX;
}

/* Carves one worker's room from base, NULL: only measures. Returns its size in bytes. */
static int64_t make_room(const heed_kernels *k, const heed_attn *a, char *base,
                         heed_attn_grad_place *c) {
    const int64_t dp = heed__attn_round16(a->D), dv = heed__attn_round16(a->Dv);
    const int64_t n = HEED_ATTN_QUERIES + PAD;
    int64_t at = 0;
    *c = (heed_attn_grad_place){ .k = k, .a = a };
    heed__attn_form(a)->grad_room(c, base, &at);
    c->key_rows = heed__attn_carve(base, &at, LD * dp);
    c->unit = heed__attn_carve(base, &at, LD);
    c->dk = heed__attn_carve(base, &at, LD * dp);
    c->dv = heed__attn_carve(base, &at, LD * dv);
    c->q = heed__attn_carve(base, &at, n * dp);
    c->q_unit = heed__attn_carve(base, &at, n);
    c->p = heed__attn_carve(base, &at, n * LD);
    c->ds = heed__attn_carve(base, &at, n * LD);
    c->cap = heed__attn_carve(base, &at, PAD * LD);
    c->dq = heed__attn_carve(base, &at, (a->T + PAD) * dp);
    c->delta = heed__attn_carve(base, &at, a->T + PAD);
    c->work = heed__attn_carve(base, &at, a->T + PAD);
    return at;
}

static void pack_keys(const heed_attn_grad_place *c, heed_attn_keys *keys) {
    const heed_attn *a = c->a;
    const heed_attn_form *form = heed__attn_form(a);
    const int64_t dp = heed__attn_round16(a->D), dv = heed__attn_round16(a->Dv);
    const int64_t ld = a->Hk * a->D, at = c->run->b * a->S + c->run->k0 + keys->first;
    const float *rows = a->key + at * ld + c->hk * a->D;
    const size_t height = (size_t)(form->across ? LD : keys->n + PAD);
    if (a->cosine) heed__attn_unit(c->k, c->unit, rows, ld, keys->n, a->D);
    keys->careful = !c->k->attn->pack_rows(c->key_rows, dp, rows, ld, keys->n, a->D, 1.0f,
                                           a->cosine ? c->unit : NULL);
    keys->steep = !c->k->attn->within(a->v + at * a->Hk * a->Dv + c->hk * a->Dv, a->Hk * a->Dv,
                                      keys->n, a->Dv, HEED_ATTN_MODEST);
    form->grad_keys(c, keys);
    memset(c->dk, 0, height * (size_t)dp * sizeof(float));
    memset(c->dv, 0, height * (size_t)dv * sizeof(float));
}

static void pack_queries(const heed_attn_grad_place *c, heed_attn_queries *q) {
    const heed_attn *a = c->a;
    const int64_t dp = heed__attn_round16(a->D), ld = a->H * a->D;
    const float *rows = a->q + (c->run->b * a->T + q->t) * ld + c->h * a->D;
    if (a->cosine) heed__attn_unit(c->k, c->q_unit, rows, ld, q->n, a->D);
    const bool finite = c->k->attn->pack_rows(c->q, dp, rows, ld, q->n, a->D,
                                              a->scale[c->h] * HEED_ATTN_LOG2E,
                                              a->cosine ? c->q_unit : NULL);
    q->careful = !finite || (a->bf16 && !c->k->attn->within(c->q, dp, q->n, a->D, most_of(a)));
    memset(c->q + q->n * dp, 0, (size_t)(PAD * dp) * sizeof(float));
    heed__attn_form(a)->grad_queries(c, q);
}

/* Group g of the queries, which sees something of the keys. */
static void group_step(const heed_attn_grad_place *c, const heed_attn_keys *keys,
                       heed_attn_queries *q, int64_t g, const heed_attn_rows *r) {
    const heed_attn *a = c->a;
    const heed_attn_form *form = heed__attn_form(a);
    const int64_t dp = heed__attn_round16(a->D), i = g * form->group(c->k), t = q->t + i;
    const int64_t head = c->run->b * a->H + c->h;
    float *dbias[PAD], *drelative[PAD];
    for (int j = 0; j < r->rows; j++) {
        if (a->dbias) dbias[j] = a->dbias + (r->bias[j] - a->bias);
        if (a->drelative)
            drelative[j] = a->drelative + head * a->relative_len +
                           (r->relative[j] - (a->relative + c->h * a->relative_len));
    }
    const heed_attn_grad grad = { .ldq = dp,
                                  .lse = a->lse + head * a->T + t,
                                  .delta = c->delta + (t - c->run->q0),
                                  .p = c->p + i * LD,
                                  .ds = c->ds + i * LD,
                                  .cap = c->cap,
                                  .dq = c->dq + (t - c->run->q0) * dp,
                                  .dbias = a->dbias ? dbias : NULL,
                                  .drelative = a->drelative ? drelative : NULL };
    q->from[g] = r->from, q->to[g] = r->to;
    form->grad_tile(c, keys, q, g, r, &grad);
}

/* dk and dv of the block from the queries' p and ds: for some keys at a time over the groups that
 * see them. Groups differ by ISA, so where products of 0 matter all rows take part. */
static void gather_keys(const heed_attn_grad_place *c, const heed_attn_queries *q, int64_t keys) {
    const heed_attn_form *form = heed__attn_form(c->a);
    const int64_t group = form->group(c->k), step = form->gather_keys(c->k);
    for (int64_t j = 0; j < keys; j += step) {
        const int64_t width = heed__min64(keys - j, step);
        int64_t first = 0, last = q->groups;
        while (!c->whole && first < last && !(q->from[first] < j + width && q->to[first] > j))
            first++;
        while (!c->whole && last > first && !(q->from[last - 1] < j + width && q->to[last - 1] > j))
            last--;
        if (first == last) continue;
        const int64_t row = first * group / form->gather_unit * form->gather_unit;
        form->gather(c, q, j, width, (const int64_t[2]){ row, heed__min64(last * group, q->n) });
    }
}

/* -- what a block of keys gathered goes to the caller's gradients */

/* Row i of a block's dk or dv: 16 numbers and again 16, `step` apart. */
typedef struct Rows {
    const float *at;
    int64_t ld, step;
} Rows;

static Rows rows_of(const heed_attn_grad_place *c, const float *x, int64_t width) {
    if (!heed__attn_form(c->a)->across) return (Rows){ x, heed__attn_round16(width), 16 };
    c->k->attn->pack_panels(c->bf16.panels, x, LD, width, HEED_ATTN_TILE, NULL);
    return (Rows){ c->bf16.panels, 16, 16 * HEED_ATTN_TILE };
}

/* y of n += factor · row i */
static void add_row(const heed_kernels *k, float *y, const Rows *rows, int64_t i, int64_t n,
                    float factor) {
    const float *x = rows->at + i * rows->ld;
    if (rows->step == 16) {
        k->attn->add_scaled(y, x, factor, n);
        return;
    }
    for (int64_t j = 0; j < n; j += 16, x += rows->step)
        k->attn->add_scaled(y + j, x, factor, heed__min64(n - j, 16));
}

/* dk of key i that is divided by its length: u (row i - (key·row i) key), key of unit length. What
 * nobody sees gets nothing, whatever its length is, NaN too. The row lies in the room of queries,
 * whose block is done. */
static void add_unit_row(const heed_attn_grad_place *c, float *dk, const Rows *rows, int64_t i) {
    const int64_t dp = heed__attn_round16(c->a->D);
    const float *key = c->key_rows + i * dp, u = c->unit[i] * HEED_ATTN_LN2;
    float *row = c->q;
    bool seen = false;
    for (int64_t j = 0; j < dp; j += 16)
        memcpy(row + j, rows->at + i * rows->ld + j / 16 * rows->step, 16 * sizeof *row);
    for (int64_t j = 0; j < c->a->D && !seen; j++) seen = row[j] != 0;
    if (!seen) return;
    c->k->attn->add_scaled(dk, row, u, c->a->D);
    c->k->attn->add_scaled(dk, key, -u * c->k->row->dot(key, row, c->a->D), c->a->D);
}

static void store_keys(const heed_attn_grad_place *c, const heed_attn_keys *keys) {
    const heed_attn *a = c->a;
    const int64_t at = (c->run->b * a->S + c->run->k0 + keys->first) * a->Hk + c->hk;
    if (a->dv) {
        const Rows rows = rows_of(c, c->dv, a->Dv);
        const int64_t ld = a->Hk * a->Dv;
        float *dv = a->dv + at * a->Dv;
        for (int64_t i = 0; i < keys->n; i++, dv += ld) {
            if (i + HEED_ATTN_AHEAD < keys->n) heed__attn_expect(dv + HEED_ATTN_AHEAD * ld, a->Dv);
            add_row(c->k, dv, &rows, i, a->Dv, 1.0f);
        }
    }
    if (!a->dk) return;
    const Rows rows = rows_of(c, c->dk, a->D);
    const int64_t ld = a->Hk * a->D;
    float *dk = a->dk + at * a->D;
    for (int64_t i = 0; i < keys->n; i++, dk += ld) {
        if (i + HEED_ATTN_AHEAD < keys->n) heed__attn_expect(dk + HEED_ATTN_AHEAD * ld, a->D);
        if (a->cosine)
            add_unit_row(c, dk, &rows, i);
        else
            add_row(c->k, dk, &rows, i, a->D, HEED_ATTN_LN2);
    }
}

/* Keys are hidden from queries that are not finite, too. */
static void leave_out(const heed_attn_grad_place *c, heed_attn_queries *q) {
    const float least_ds = q->least_ds;
    heed__attn_leave_out(c->k, c->q, heed__attn_round16(c->a->D), q->n, c->a->D, most_of(c->a));
    heed__attn_form(c->a)->grad_queries(c, q);
    q->least_ds = least_ds;
}

/* -- blocks, heads, pieces */

/* A block of queries against a block of keys; p and ds are 0 where a group sees nothing. */
static void query_block(const heed_attn_grad_place *c, const heed_attn_keys *keys,
                        heed_attn_queries *q) {
    const int64_t group = heed__attn_form(c->a)->group(c->k);
    bool packed = false;
    q->groups = heed__ceil_div(q->n, group);
    for (int64_t g = 0, i = 0; g < q->groups; g++, i += group) {
        heed_attn_rows r = { .rows = (int)heed__min64(q->n - i, group) };
        if (!heed__attn_rows(c->a, c->run, c->h, q->t + i, keys->first, keys->n, &r)) {
            q->from[g] = q->to[g] = 0;
            memset(c->p + i * LD, 0, sizeof(float) * (size_t)(r.rows * LD));
            memset(c->ds + i * LD, 0, sizeof(float) * (size_t)(r.rows * LD));
            continue;
        }
        if (c->steep || keys->steep)
            r.edge = true; /* what weighs 0 has no gradient: 0·NaN is one */
        if (!packed) pack_queries(c, q);
        packed = true;
        group_step(c, keys, q, g, &r);
    }
    if (packed && q->careful) leave_out(c, q);
    if (packed) gather_keys(c, q, keys->n);
}

static void key_block(const heed_attn_grad_place *c, heed_attn_keys *keys) {
    const heed_attn_run *run = c->run;
    pack_keys(c, keys);
    for (int64_t t = run->q0; t < run->q1; t += HEED_ATTN_QUERIES) {
        heed_attn_queries q = { .t = t, .n = heed__min64(run->q1 - t, HEED_ATTN_QUERIES) };
        int64_t lo, hi;
        heed__attn_reach(c->a, run, t, q.n, &lo, &hi);
        if (hi > keys->first && lo < keys->first + keys->n) query_block(c, keys, &q);
    }
    store_keys(c, keys);
}

static void backward_head(heed_attn_grad_place *c, int64_t b, int64_t hk) {
    const heed_attn *a = c->a;
    const int64_t group = a->H / a->Hk;
    heed_attn_run run = { .b = b };
    c->run = &run, c->hk = hk;
    while (heed__attn_next_run(a, &run, a->T))
        for (c->h = hk * group; c->h < (hk + 1) * group; c->h++) {
            const int64_t n = run.k1 - run.k0;
            heed__attn_head_start(c);
            for (int64_t key = 0; key < n; key += HEED_ATTN_TILE)
                key_block(c, &(heed_attn_keys){ .first = key,
                                                .n = heed__min64(n - key, HEED_ATTN_TILE) });
            heed__attn_head_store(c);
        }
}

static void backward_pieces(void *arg, int64_t begin, int64_t end, int worker) {
    const Backward *f = arg;
    const heed_attn *a = f->a;
    heed_attn_grad_place place;
    make_room(f->k, a, f->scratch + worker * f->size, &place);
    if (f->form->begin) f->form->begin(f->k);
    for (int64_t piece = begin; piece < end; piece++) {
        if (!a->dbias) {
            backward_head(&place, piece / a->Hk, piece % a->Hk);
            continue;
        }
        for (int64_t b = 0; b < a->B; b++) backward_head(&place, b, piece);
    }
    if (f->form->end) f->form->end(f->k);
}

int64_t heed__attn_backward_scratch(const heed_kernels *k, const heed_attn *a, int threads) {
    heed_attn_grad_place place;
    return make_room(k, a, NULL, &place) * threads;
}

void heed__attn_backward(const heed_kernels *k, heed_pool *pool, const heed_attn *a,
                         void *scratch) {
    const size_t heads = (size_t)(a->B * a->H) * sizeof(float);
    Backward f = { .k = k, .a = a, .form = heed__attn_form(a), .scratch = scratch };
    f.size = heed__attn_backward_scratch(k, a, 1);
    if (a->dscale) memset(a->dscale, 0, heads);
    if (a->dsinks) memset(a->dsinks, 0, heads);
    heed_pool_run(pool, a->dbias ? a->Hk : a->B * a->Hk, 1, backward_pieces, &f);
}
