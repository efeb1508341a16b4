/* attn_bf16_grad.c: the driver of fused attention in bf16, backward. Pieces of work, blocks of keys
 * and blocks of queries are those of attn_grad.c; dk and dv of a block of keys gather as [D, keys]
 * and [Dv, keys], so that weights and their gradients lie in rows of keys as the second operand of
 * each product that sums over queries. */
#include <math.h>
#include <string.h>

#include "kernels/attn_bf16.h"
#include "kernels/attn_run.h"
#include "kernels/math.h"
#include "kernels/row.h"

enum {
    QUERY_BLOCK = 96, /* a multiple of the units of 32 */
    TILE = HEED_ATTN_TILE,
    PAD = HEED_ATTN_GROUP,
    LD = TILE + 16,
    GROUPS = QUERY_BLOCK / 8, /* at most */
    PANELS = 4                /* of keys that gather dk and dv together */
};

typedef struct Backward {
    const heed_kernels *k;
    const heed_attn *a;
    char *scratch;
    int64_t size; /* bytes of one worker's scratch */
} Backward;

typedef struct Room {
    float *key_rows, *unit;           /* one block of keys, in f32 */
    float *keys, *values, *key_cols;  /* packed: [D, keys], [Dv, keys], [keys, D] */
    float *dk, *dv;                   /* of it: [D, LD], [Dv, LD] */
    float *q, *q_unit, *p, *ds, *cap; /* one block of queries */
    float *packed_q, *packed_dy;      /* groups of queries, q_step and dy_step apart */
    float *q_across, *dy_across;      /* [D, queries], [Dv, queries], packed */
    float *packed_p, *packed_ds;      /* [queries, keys] and one group's, packed */
    float *panels;                    /* dk or dv as panels [width/16][keys][16] */
    float *dq, *delta, *work;         /* the whole head */
    int64_t q_step, dy_step;
} Room;

static int64_t max64(int64_t a, int64_t b) {
    return a > b ? a : b;
}

/* Carves one worker's room from base, NULL: only measures. Returns its size in bytes. */
static int64_t make_room(const heed_kernels *k, const heed_attn *a, char *base, Room *r) {
    const int64_t dp = heed__attn_round16(a->D), dv = heed__attn_round16(a->Dv);
    const int64_t n = QUERY_BLOCK + PAD;
    int64_t at = 0;
    r->q_step = heed__attn_round16(heed__bf16_a_len(k, PAD, a->D));
    r->dy_step = heed__attn_round16(heed__bf16_a_len(k, PAD, a->Dv));
    r->key_rows = heed__attn_carve(base, &at, TILE * dp);
    r->unit = heed__attn_carve(base, &at, TILE);
    r->keys = heed__attn_carve(base, &at, heed__bf16_b_len(k, TILE, a->D));
    r->values = heed__attn_carve(base, &at, heed__bf16_b_len(k, TILE, a->Dv));
    r->key_cols = heed__attn_carve(base, &at, heed__bf16_b_len(k, dp, TILE));
    r->dk = heed__attn_carve(base, &at, dp * LD);
    r->dv = heed__attn_carve(base, &at, dv * LD);
    r->q = heed__attn_carve(base, &at, n * dp);
    r->q_unit = heed__attn_carve(base, &at, n);
    r->p = heed__attn_carve(base, &at, n * LD);
    r->ds = heed__attn_carve(base, &at, n * LD);
    r->cap = heed__attn_carve(base, &at, PAD * LD);
    r->packed_q = heed__attn_carve(base, &at, GROUPS * r->q_step);
    r->packed_dy = heed__attn_carve(base, &at, GROUPS * r->dy_step);
    r->q_across = heed__attn_carve(base, &at, heed__bf16_a_len(k, a->D, QUERY_BLOCK));
    r->dy_across = heed__attn_carve(base, &at, heed__bf16_a_len(k, a->Dv, QUERY_BLOCK));
    r->packed_p = heed__attn_carve(base, &at,
                                   heed__bf16_b_len(k, PANELS * HEED_PANEL, QUERY_BLOCK));
    r->packed_ds = heed__attn_carve(base, &at, heed__bf16_a_len(k, PAD, TILE));
    r->panels = heed__attn_carve(base, &at, TILE * max64(dp, dv));
    r->dq = heed__attn_carve(base, &at, (a->T + PAD) * dp);
    r->delta = heed__attn_carve(base, &at, a->T + PAD);
    r->work = heed__attn_carve(base, &at, a->T + PAD);
    return at;
}

typedef struct Head {
    const Backward *f;
    const heed_attn_run *run;
    const Room *room;
    int64_t h, hk;
} Head;

/* A block of keys. */
typedef struct Keys {
    int64_t first, n; /* counted from the run's first one */
    float least_key, least_value;
    bool careful; /* a key is not finite */
} Keys;

/* A block of queries. */
typedef struct Queries {
    int64_t t, n;
    float least_q, least_dy, least_ds;
    int64_t groups;                   /* 0: not packed yet */
    int64_t from[GROUPS], to[GROUPS]; /* keys of the block that each group sees */
} Queries;

static void pack_keys(const Head *c, Keys *keys) {
    const heed_attn *a = c->f->a;
    const heed_kernels *k = c->f->k;
    const Room *r = c->room;
    const int64_t n = keys->n, dp = heed__attn_round16(a->D), dv = heed__attn_round16(a->Dv);
    const int64_t ldk = a->Hk * a->D, ldv = a->Hk * a->Dv;
    const int64_t at = c->run->b * a->S + c->run->k0 + keys->first;
    const float *key = a->key + at * ldk + c->hk * a->D, *value = a->v + at * ldv + c->hk * a->Dv;
    if (a->cosine) heed__attn_unit(k, r->unit, key, ldk, n, a->D);
    k->attn->pack_rows(r->key_rows, dp, key, ldk, n, a->D, 1.0f, a->cosine ? r->unit : NULL);
    heed__bf16_pack_b(k, r->keys, &(heed_bf16_side){ r->key_rows, dp, n, a->D, false });
    heed__bf16_pack_b(k, r->key_cols, &(heed_bf16_side){ r->key_rows, dp, dp, n, true });
    heed__bf16_pack_b(k, r->values, &(heed_bf16_side){ value, ldv, n, a->Dv, false });
    keys->least_key = heed__bf16_least(k, r->key_rows, dp, n, a->D);
    keys->least_value = heed__bf16_least(k, value, ldv, n, a->Dv);
    keys->careful = !k->attn->finite(r->key_rows, dp, n, a->D);
    memset(r->dk, 0, (size_t)(dp * LD) * sizeof(float));
    memset(r->dv, 0, (size_t)(dv * LD) * sizeof(float));
}

static void pack_queries(const Head *c, Queries *m) {
    const heed_attn *a = c->f->a;
    const heed_kernels *k = c->f->k;
    const Room *r = c->room;
    const int64_t dp = heed__attn_round16(a->D), row = c->run->b * a->T + m->t, n = m->n;
    const int64_t ld = a->H * a->D, ldy = a->H * a->Dv, group = heed__attn_group(k);
    const float *q = a->q + row * ld + c->h * a->D, *dy = a->dout + row * ldy + c->h * a->Dv;
    if (a->cosine) heed__attn_unit(k, r->q_unit, q, ld, n, a->D);
    k->attn->pack_rows(r->q, dp, q, ld, n, a->D, a->scale[c->h] * HEED_ATTN_LOG2E,
                       a->cosine ? r->q_unit : NULL);
    for (int64_t i = 0; i < n; i += group) {
        const int64_t rows = n - i < group ? n - i : group, g = i / group;
        heed__bf16_pack_a(k, r->packed_q + g * r->q_step,
                          &(heed_bf16_side){ r->q + i * dp, dp, rows, a->D, false });
        heed__bf16_pack_a(k, r->packed_dy + g * r->dy_step,
                          &(heed_bf16_side){ dy + i * ldy, ldy, rows, a->Dv, false });
    }
    heed__bf16_pack_a(k, r->q_across, &(heed_bf16_side){ r->q, dp, a->D, n, true });
    heed__bf16_pack_a(k, r->dy_across, &(heed_bf16_side){ dy, ldy, a->Dv, n, true });
    m->least_q = heed__bf16_least(k, r->q, dp, n, a->D);
    m->least_dy = heed__bf16_least(k, dy, ldy, n, a->Dv);
    m->least_ds = INFINITY;
    m->groups = (n + group - 1) / group;
}

/* dq of a group += ds·k. */
static void add_dq(const Head *c, const Keys *keys, const heed_attn_rows *r,
                   const heed_attn_grad *g, float least_ds) {
    const heed_kernels *k = c->f->k;
    const Room *m = c->room;
    const int64_t first = r->from / 32 * 32, steps = r->to - first;
    if (keys->careful) {
        k->attn->apply(g->dq, g->ldq, g->ds + first, LD, m->key_rows + first * g->ldq, g->ldq,
                       (const int64_t[3]){ r->rows, g->ldq, steps });
        return;
    }
    heed__bf16_pack_a(k, m->packed_ds,
                      &(heed_bf16_side){ g->ds + first, LD, r->rows, steps, false });
    heed__bf16_multiply(
        k, &(heed_bf16_block){ .a = m->packed_ds,
                               .a_steps = steps,
                               .b = m->key_cols + heed__bf16_depth(k, first) * HEED_PANEL,
                               .b_step = heed__bf16_depth(k, keys->n) * HEED_PANEL,
                               .c = g->dq,
                               .ldc = g->ldq,
                               .rows = r->rows,
                               .panels = g->ldq / 16,
                               .steps = steps,
                               .least_a = least_ds,
                               .least_b = keys->least_key });
}

/* Scores and dy·v of a group: q·k in p, dy·v in ds. */
static void group_products(const Head *c, const Keys *keys, const Queries *q, int64_t g,
                           const heed_attn_rows *r, const heed_attn_grad *grad) {
    const heed_kernels *k = c->f->k;
    const Room *m = c->room;
    const int64_t from = r->from / 16, panels = (r->to + 15) / 16 - from;
    const int64_t D = c->f->a->D, Dv = c->f->a->Dv;
    const int64_t k_step = heed__bf16_depth(k, D) * HEED_PANEL;
    const int64_t v_step = heed__bf16_depth(k, Dv) * HEED_PANEL;
    heed_bf16_block b = { .a = m->packed_q + g * m->q_step,
                          .a_steps = D,
                          .b = m->keys + from * k_step,
                          .b_step = k_step,
                          .c = grad->p + from * 16,
                          .ldc = LD,
                          .rows = r->rows,
                          .panels = panels,
                          .steps = D,
                          .fresh = true,
                          .least_a = q->least_q,
                          .least_b = keys->least_key };
    heed__bf16_multiply(k, &b);
    b.a = m->packed_dy + g * m->dy_step, b.a_steps = b.steps = Dv;
    b.b = m->values + from * v_step, b.b_step = v_step;
    b.c = grad->ds + from * 16;
    b.least_a = q->least_dy, b.least_b = keys->least_value;
    heed__bf16_multiply(k, &b);
}

/* One group of rows against one block of keys; p and ds are 0 where nothing is seen. */
static void group_step(const Head *c, const Keys *keys, Queries *q, int64_t g) {
    const heed_attn *a = c->f->a;
    const heed_kernels *k = c->f->k;
    const Room *m = c->room;
    const int64_t dp = heed__attn_round16(a->D), group = heed__attn_group(k), i = g * group;
    const int64_t t = q->t + i, head = c->run->b * a->H + c->h;
    heed_attn_rows r = { .rows = (int)(q->n - i < group ? q->n - i : group) };
    q->from[g] = q->to[g] = 0;
    if (!heed__attn_rows(a, c->run, c->h, t, keys->first, keys->n, &r)) {
        memset(m->p + i * LD, 0, sizeof(float) * (size_t)(r.rows * LD));
        memset(m->ds + i * LD, 0, sizeof(float) * (size_t)(r.rows * LD));
        return;
    }
    q->from[g] = r.from, q->to[g] = r.to;
    float *dbias[PAD], *drelative[PAD];
    for (int j = 0; j < r.rows; j++) {
        if (a->dbias) dbias[j] = a->dbias + (r.bias[j] - a->bias);
        if (a->drelative)
            drelative[j] = a->drelative + head * a->relative_len +
                           (r.relative[j] - (a->relative + c->h * a->relative_len));
    }
    const heed_attn_grad grad = { .ldq = dp,
                                  .lse = a->lse + head * a->T + t,
                                  .delta = m->delta + (t - c->run->q0),
                                  .p = m->p + i * LD,
                                  .ds = m->ds + i * LD,
                                  .cap = m->cap,
                                  .dq = m->dq + (t - c->run->q0) * dp,
                                  .dbias = a->dbias ? dbias : NULL,
                                  .drelative = a->drelative ? drelative : NULL };
    group_products(c, keys, q, g, &r, &grad);
    k->attn->score_grad(&grad, &r);
    const float least = heed__bf16_least(k, grad.ds + r.from, LD, r.rows, r.to - r.from);
    if (least < q->least_ds) q->least_ds = least;
    add_dq(c, keys, &r, &grad, least);
}

/* dk and dv of the block from the queries' p and ds. */
static void gather_keys(const Head *c, const Keys *keys, const Queries *q) {
    const heed_kernels *k = c->f->k;
    const heed_attn *a = c->f->a;
    const Room *m = c->room;
    const int64_t group = heed__attn_group(k);
    for (int64_t j = 0; j < keys->n; j += PANELS * HEED_PANEL) {
        const int64_t width = keys->n - j < PANELS * HEED_PANEL ? keys->n - j : PANELS * HEED_PANEL;
        int64_t first = 0, last = q->groups;
        while (first < last && !(q->from[first] < j + width && q->to[first] > j)) first++;
        while (last > first && !(q->from[last - 1] < j + width && q->to[last - 1] > j)) last--;
        const int64_t row = first * group / 32 * 32;
        const int64_t stop = last * group < q->n ? last * group : q->n;
        if (first == last) continue;
        heed_bf16_block b = { .a = m->dy_across,
                              .a_first = row,
                              .a_steps = q->n,
                              .b = m->packed_p,
                              .b_step = heed__bf16_depth(k, stop - row) * HEED_PANEL,
                              .c = m->dv + j,
                              .ldc = LD,
                              .rows = a->Dv,
                              .panels = (width + 15) / 16,
                              .steps = stop - row,
                              .least_a = q->least_dy,
                              .least_b = HEED_BF16_LEAST_WEIGHT };
        heed_bf16_side from = { m->p + row * LD + j, LD, 16 * b.panels, stop - row, true };
        heed__bf16_pack_b(k, m->packed_p, &from);
        heed__bf16_multiply(k, &b);
        from.from = m->ds + row * LD + j;
        heed__bf16_pack_b(k, m->packed_p, &from);
        b.a = m->q_across, b.rows = a->D, b.c = m->dk + j;
        b.least_a = q->least_q, b.least_b = q->least_ds;
        heed__bf16_multiply(k, &b);
    }
}

/* y of n += factor · row i of panels [n/16][keys][16]. */
static void add_row(const heed_kernels *k, float *y, const float *panels, int64_t i, int64_t n,
                    float factor) {
    for (int64_t j = 0; j < n; j += 16)
        k->attn->add_scaled(y + j, panels + j * TILE + i * 16, factor, n - j < 16 ? n - j : 16);
}

static void store_keys(const Head *c, const Keys *keys) {
    const heed_attn *a = c->f->a;
    const heed_kernels *k = c->f->k;
    const Room *m = c->room;
    const int64_t at = (c->run->b * a->S + c->run->k0 + keys->first) * a->Hk + c->hk;
    const int64_t dp = heed__attn_round16(a->D);
    if (a->dv) {
        k->attn->pack_panels(m->panels, m->dv, LD, a->Dv, TILE, NULL);
        for (int64_t i = 0; i < keys->n; i++) {
            float *dv = a->dv + (at + i * a->Hk) * a->Dv;
            if (i + HEED_ATTN_AHEAD < keys->n)
                heed__attn_expect(dv + HEED_ATTN_AHEAD * a->Hk * a->Dv, a->Dv);
            add_row(k, dv, m->panels, i, a->Dv, 1.0f);
        }
    }
    if (!a->dk) return;
    k->attn->pack_panels(m->panels, m->dk, LD, a->D, TILE, NULL);
    for (int64_t i = 0; i < keys->n; i++) {
        const float u = a->cosine ? m->unit[i] * HEED_ATTN_LN2 : HEED_ATTN_LN2;
        float *dk = a->dk + (at + i * a->Hk) * a->D;
        if (i + HEED_ATTN_AHEAD < keys->n)
            heed__attn_expect(dk + HEED_ATTN_AHEAD * a->Hk * a->D, a->D);
        add_row(k, dk, m->panels, i, a->D, u);
        if (!a->cosine) continue;
        float row[256 + 16];
        for (int64_t j = 0; j < dp; j += 16)
            memcpy(row + j, m->panels + j * TILE + i * 16, 16 * sizeof *row);
        const float *unit_key = m->key_rows + i * dp;
        k->attn->add_scaled(dk, unit_key, -u * k->row->dot(unit_key, row, a->D), a->D);
    }
}

static void key_block(const Head *c, Keys *keys) {
    pack_keys(c, keys);
    const int64_t group = heed__attn_group(c->f->k);
    for (int64_t t = c->run->q0; t < c->run->q1; t += QUERY_BLOCK) {
        const int64_t m = c->run->q1 - t < QUERY_BLOCK ? c->run->q1 - t : QUERY_BLOCK;
        int64_t lo, hi;
        heed__attn_reach(c->f->a, c->run, t, m, &lo, &hi);
        if (hi <= keys->first || lo >= keys->first + keys->n) continue;
        Queries q = { .t = t, .n = m };
        pack_queries(c, &q);
        for (int64_t g = 0; g * group < m; g++) group_step(c, keys, &q, g);
        gather_keys(c, keys, &q);
    }
    store_keys(c, keys);
}

static void backward_head(const Backward *f, int64_t b, int64_t hk, const Room *room) {
    const heed_attn *a = f->a;
    const int64_t group = a->H / a->Hk;
    heed_attn_run run = { .b = b };
    while (heed__attn_next_run(a, &run, a->T))
        for (int64_t h = hk * group; h < (hk + 1) * group; h++) {
            const Head c = { .f = f, .run = &run, .room = room, .h = h, .hk = hk };
            const int64_t n = run.k1 - run.k0;
            const heed_attn_head head = { f->k, a, &run, h, room->dq, room->delta, room->work };
            heed__attn_head_start(&head, f->k->attn->dot);
            for (int64_t key = 0; key < n; key += TILE)
                key_block(&c, &(Keys){ .first = key, .n = n - key < TILE ? n - key : TILE });
            heed__attn_head_store(&head);
        }
}

static void backward_pieces(void *arg, int64_t begin, int64_t end, int worker) {
    const Backward *f = arg;
    const heed_attn *a = f->a;
    Room room;
    make_room(f->k, a, f->scratch + worker * f->size, &room);
    heed__bf16_begin(f->k);
    for (int64_t piece = begin; piece < end; piece++) {
        if (!a->dbias) {
            backward_head(f, piece / a->Hk, piece % a->Hk, &room);
            continue;
        }
        for (int64_t b = 0; b < a->B; b++) backward_head(f, b, piece, &room);
    }
    heed__bf16_end(f->k);
}

int64_t heed__attn_bf16_grad_scratch(const heed_kernels *k, const heed_attn *a) {
    Room room;
    return make_room(k, a, NULL, &room);
}

void heed__attn_bf16_backward(const heed_kernels *k, heed_pool *pool, const heed_attn *a,
                              void *scratch) {
    Backward f = { .k = k, .a = a, .scratch = scratch };
    f.size = heed__attn_bf16_grad_scratch(k, a);
    heed_pool_run(pool, heed__attn_backward_start(a), 1, backward_pieces, &f);
}
