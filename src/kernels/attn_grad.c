/* attn_grad.c: the driver of fused attention, backward. One piece of work is a row of the batch and
 * a key head: blocks of keys in the outer loop own their dk and dv, and dq of the whole head
 * gathers in the worker's room, so that scores are made once and no two workers add to one number.
 * Where a bias wants its gradient a piece is a key head in all rows of the batch. */
#include <math.h>
#include <string.h>

#include "kernels/attn_bf16.h"
#include "kernels/attn_run.h"
#include "kernels/math.h"
#include "kernels/row.h"

enum { QUERY_BLOCK = 96, PAD = HEED_ATTN_GROUP, LD = HEED_ATTN_TILE + 16 };

typedef struct Backward {
    const heed_kernels *k;
    const heed_attn *a;
    char *scratch;
    int64_t size; /* bytes of one worker's scratch */
} Backward;

typedef struct Room {
    float *keys, *values, *key_rows, *unit; /* one block of keys */
    float *dk, *dv;                         /* of it */
    float *q, *q_unit, *dy, *p, *ds, *cap;  /* one block of queries */
    float *dq, *delta, *work;               /* the whole head */
} Room;

/* Carves one worker's room from base, NULL: only measures. Returns its size in bytes. */
static int64_t make_room(const heed_attn *a, char *base, Room *r) {
    const int64_t dp = heed__attn_round16(a->D), dv = heed__attn_round16(a->Dv);
    const int64_t n = QUERY_BLOCK + PAD, m = HEED_ATTN_TILE + PAD;
    int64_t at = 0;
    r->keys = heed__attn_carve(base, &at, m * dp);
    r->values = heed__attn_carve(base, &at, m * dv);
    r->key_rows = heed__attn_carve(base, &at, m * dp);
    r->unit = heed__attn_carve(base, &at, m);
    r->dk = heed__attn_carve(base, &at, m * dp);
    r->dv = heed__attn_carve(base, &at, m * dv);
    r->q = heed__attn_carve(base, &at, n * dp);
    r->q_unit = heed__attn_carve(base, &at, n);
    r->dy = heed__attn_carve(base, &at, n * dv);
    r->p = heed__attn_carve(base, &at, n * LD);
    r->ds = heed__attn_carve(base, &at, n * LD);
    r->cap = heed__attn_carve(base, &at, PAD * LD);
    r->dq = heed__attn_carve(base, &at, (a->T + PAD) * dp);
    r->delta = heed__attn_carve(base, &at, a->T + PAD);
    r->work = heed__attn_carve(base, &at, a->T + PAD);
    return at;
}

/* Which keys of the block the groups of one block of queries see. */
typedef struct Seen {
    int64_t groups, first, last; /* first..last-1 see something */
    int64_t from[QUERY_BLOCK], to[QUERY_BLOCK];
} Seen;

typedef struct Head {
    const Backward *f;
    const heed_attn_run *run;
    const Room *room;
    int64_t h, hk;
} Head;

static bool pack_keys(const Head *c, int64_t key, int64_t n) {
    const heed_attn *a = c->f->a;
    const heed_attn_kernels *k = c->f->k->attn;
    const Room *r = c->room;
    const int64_t ldk = a->Hk * a->D, ldv = a->Hk * a->Dv, at = c->run->b * a->S + c->run->k0 + key;
    const float *key_rows = a->key + at * ldk + c->hk * a->D;
    const float *unit = a->cosine ? r->unit : NULL;
    if (unit) heed__attn_unit(c->f->k, r->unit, key_rows, ldk, n, a->D);
    k->pack_panels(r->keys, key_rows, ldk, n, a->D, unit);
    k->pack_panels(r->values, a->v + at * ldv + c->hk * a->Dv, ldv, n, a->Dv, NULL);
    memset(r->dk, 0, (size_t)((n + PAD) * heed__attn_round16(a->D)) * sizeof(float));
    memset(r->dv, 0, (size_t)((n + PAD) * heed__attn_round16(a->Dv)) * sizeof(float));
    return k->pack_rows(r->key_rows, heed__attn_round16(a->D), key_rows, ldk, n, a->D, 1.0f, unit);
}

static void pack_queries(const Head *c, int64_t t, int64_t n) {
    const heed_attn *a = c->f->a;
    const heed_attn_kernels *k = c->f->k->attn;
    const Room *r = c->room;
    const int64_t dp = heed__attn_round16(a->D), dv = heed__attn_round16(a->Dv);
    const int64_t row = c->run->b * a->T + t, ld = a->H * a->D, ldy = a->H * a->Dv;
    const float *q = a->q + row * ld + c->h * a->D;
    if (a->cosine) heed__attn_unit(c->f->k, r->q_unit, q, ld, n, a->D);
    k->pack_rows(r->q, dp, q, ld, n, a->D, a->scale[c->h] * HEED_ATTN_LOG2E,
                 a->cosine ? r->q_unit : NULL);
    k->pack_rows(r->dy, dv, a->dout + row * ldy + c->h * a->Dv, ldy, n, a->Dv, 1.0f, NULL);
    memset(r->q + n * dp, 0, (size_t)(PAD * dp) * sizeof(float));
    memset(r->dy + n * dv, 0, (size_t)(PAD * dv) * sizeof(float));
}

/* One group of rows against one block of keys. False where nothing is seen. */
static bool group_step(const Head *c, int64_t t, int64_t i, int64_t n, const int64_t keys[2],
                       bool careful, Seen *seen) {
    const heed_attn *a = c->f->a;
    const Room *m = c->room;
    const int64_t dp = heed__attn_round16(a->D), dv = heed__attn_round16(a->Dv);
    const int rows = c->f->k->attn->rows;
    heed_attn_rows r = { .rows = (int)(n - i < rows ? n - i : rows) };
    if (!heed__attn_rows(a, c->run, c->h, t + i, keys[0], keys[1], &r)) return false;
    const int64_t g = i / rows;
    seen->from[g] = r.from, seen->to[g] = r.to;
    float *dbias[PAD], *drelative[PAD];
    const int64_t head = c->run->b * a->H + c->h;
    for (int j = 0; j < r.rows; j++) {
        if (a->dbias) dbias[j] = a->dbias + (r.bias[j] - a->bias);
        if (a->drelative)
            drelative[j] = a->drelative + head * a->relative_len +
                           (r.relative[j] - (a->relative + c->h * a->relative_len));
    }
    const heed_attn_grad grad = { .q = m->q + i * dp,
                                  .dy = m->dy + i * dv,
                                  .ldq = dp,
                                  .d = a->D,
                                  .dv = dv,
                                  .width = a->Dv,
                                  .keys = m->keys,
                                  .values = m->values,
                                  .key_rows = m->key_rows,
                                  .lse = a->lse + head * a->T + t + i,
                                  .delta = m->delta + (t + i - c->run->q0),
                                  .p = m->p + i * LD,
                                  .ds = m->ds + i * LD,
                                  .cap = m->cap,
                                  .dq = m->dq + (t + i - c->run->q0) * dp,
                                  .dbias = a->dbias ? dbias : NULL,
                                  .drelative = a->drelative ? drelative : NULL,
                                  .careful = careful };
    c->f->k->attn->backward(&grad, &r);
    return true;
}

/* dk and dv of the block from n queries' p and ds: for each tile of keys over the groups that see
 * it. */
static void gather_keys(const Head *c, const Seen *seen, int64_t n, int64_t keys) {
    const heed_attn_kernels *k = c->f->k->attn;
    const Room *m = c->room;
    const int64_t dp = heed__attn_round16(c->f->a->D), dv = heed__attn_round16(c->f->a->Dv);
    for (int64_t j = 0; j < keys; j += k->rows) {
        const int64_t width = keys - j < k->rows ? keys - j : k->rows;
        int64_t first = seen->first, last = seen->last;
        while (first < last && !(seen->from[first] < j + width && seen->to[first] > j)) first++;
        while (last > first && !(seen->from[last - 1] < j + width && seen->to[last - 1] > j))
            last--;
        const int64_t row = first * k->rows, stop = last * k->rows < n ? last * k->rows : n;
        if (row >= stop) continue;
        k->transposed(m->dv + j * dv, m->p + row * LD + j, LD, m->dy + row * dv, dv, stop - row,
                      width);
        k->transposed(m->dk + j * dp, m->ds + row * LD + j, LD, m->q + row * dp, dp, stop - row,
                      width);
    }
}

static void store_keys(const Head *c, int64_t key, int64_t n) {
    const heed_attn *a = c->f->a;
    const heed_attn_kernels *k = c->f->k->attn;
    const Room *m = c->room;
    const int64_t dp = heed__attn_round16(a->D), dv = heed__attn_round16(a->Dv);
    for (int64_t i = 0; i < n; i++) {
        const int64_t at = (c->run->b * a->S + c->run->k0 + key + i) * a->Hk + c->hk;
        if (i + HEED_ATTN_AHEAD < n) {
            if (a->dv) heed__attn_expect(a->dv + (at + HEED_ATTN_AHEAD * a->Hk) * a->Dv, a->Dv);
            if (a->dk) heed__attn_expect(a->dk + (at + HEED_ATTN_AHEAD * a->Hk) * a->D, a->D);
        }
        if (a->dv) k->add_scaled(a->dv + at * a->Dv, m->dv + i * dv, 1.0f, a->Dv);
        if (!a->dk) continue;
        const float u = a->cosine ? m->unit[i] * HEED_ATTN_LN2 : HEED_ATTN_LN2;
        const float *unit_key = m->key_rows + i * dp, *dk = m->dk + i * dp;
        k->add_scaled(a->dk + at * a->D, dk, u, a->D);
        if (a->cosine)
            k->add_scaled(a->dk + at * a->D, unit_key, -u * c->f->k->row->dot(unit_key, dk, a->D),
                          a->D);
    }
}

static void key_block(const Head *c, int64_t key, int64_t n) {
    const bool careful = !pack_keys(c, key, n);
    const int rows = c->f->k->attn->rows;
    for (int64_t t = c->run->q0; t < c->run->q1; t += QUERY_BLOCK) {
        const int64_t m = c->run->q1 - t < QUERY_BLOCK ? c->run->q1 - t : QUERY_BLOCK;
        int64_t lo, hi;
        heed__attn_reach(c->f->a, c->run, t, m, &lo, &hi);
        if (hi <= key || lo >= key + n) continue;
        heed_attn_rows any = { .rows = 1 };
        Seen seen = { .first = -1 };
        bool packed = false;
        for (int64_t i = 0; i < m; i += rows) {
            any.rows = (int)(m - i < rows ? m - i : rows);
            if (!packed && !heed__attn_rows(c->f->a, c->run, c->h, t + i, key, n, &any)) continue;
            if (!packed) pack_queries(c, t, m);
            packed = true;
            if (!group_step(c, t, i, m, (const int64_t[2]){ key, n }, careful, &seen)) {
                memset(c->room->p + i * LD, 0, sizeof(float) * (size_t)(any.rows * LD));
                memset(c->room->ds + i * LD, 0, sizeof(float) * (size_t)(any.rows * LD));
                continue;
            }
            if (seen.first < 0) seen.first = i / rows;
            seen.last = i / rows + 1;
        }
        if (packed) gather_keys(c, &seen, m, n);
    }
    store_keys(c, key, n);
}

static void backward_head(const Backward *f, int64_t b, int64_t hk, const Room *room) {
    const heed_attn *a = f->a;
    const int64_t group = a->H / a->Hk;
    heed_attn_run run = { .b = b };
    while (heed__attn_next_run(a, &run, a->T))
        for (int64_t h = hk * group; h < (hk + 1) * group; h++) {
            const Head c = { .f = f, .run = &run, .room = room, .h = h, .hk = hk };
            const int64_t keys = run.k1 - run.k0;
            const heed_attn_head head = { f->k, a, &run, h, room->dq, room->delta, room->work };
            heed__attn_head_start(&head, f->k->row->dot);
            for (int64_t key = 0; key < keys; key += HEED_ATTN_TILE)
                key_block(&c, key, keys - key < HEED_ATTN_TILE ? keys - key : HEED_ATTN_TILE);
            heed__attn_head_store(&head);
        }
}

static void backward_pieces(void *arg, int64_t begin, int64_t end, int worker) {
    const Backward *f = arg;
    const heed_attn *a = f->a;
    Room room;
    make_room(a, f->scratch + worker * f->size, &room);
    for (int64_t piece = begin; piece < end; piece++) {
        if (!a->dbias) {
            backward_head(f, piece / a->Hk, piece % a->Hk, &room);
            continue;
        }
        for (int64_t b = 0; b < a->B; b++) backward_head(f, b, piece, &room);
    }
}

int64_t heed__attn_backward_scratch(const heed_kernels *k, const heed_attn *a, int threads) {
    Room room;
    if (a->bf16) return heed__attn_bf16_grad_scratch(k, a) * threads;
    return make_room(a, NULL, &room) * threads;
}

void heed__attn_backward(const heed_kernels *k, heed_pool *pool, const heed_attn *a,
                         void *scratch) {
    Room room;
    Backward f = { .k = k, .a = a, .scratch = scratch };
    if (a->bf16) {
        heed__attn_bf16_backward(k, pool, a, scratch);
        return;
    }
    f.size = make_room(a, scratch, &room);
    heed_pool_run(pool, heed__attn_backward_start(a), 1, backward_pieces, &f);
}
