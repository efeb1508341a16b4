/* attn_mean.c: the driver of attention's mean weights; attn_mean.h has the formulas. One piece of
 * work is a row of the batch and a key head, whose keys are packed once. */
#include "kernels/attn_mean.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "kernels/attn_run.h"
#include "kernels/math.h"

enum {
    PAD = HEED_ATTN_GROUP,
    QUERIES = 96,     /* whose scores' gradients lie together in backward, where keys are few */
    FLOATS = 96 << 9, /* and how many numbers at most */
};

typedef struct Job {
    const heed_kernels *k;
    const heed_attn_mean *m;
    char *scratch;
    int64_t size;      /* bytes of one worker's scratch */
    int64_t block, ld; /* queries at a time, and floats from one's row of scores to the next */
} Job;

/* One worker's room; what begins with d is for backward. */
typedef struct Room {
    float *keys, *key_rows, *q, *s, *sum, *u, *work, *dq, *dk;
} Room;

typedef struct Head {
    const Job *j;
    const heed_attn_run *run;
    const Room *room;
    int64_t h, hk;
    bool careful, spoilt; /* a key is not finite; a number of u is none or huge */
    bool alike;           /* all rows see the same keys, as `every` says */
    heed_attn_rows every;
} Head;

static int64_t make_room(const Job *j, char *base, Room *r) {
    const heed_attn *a = j->m->a;
    const int64_t keys = heed__attn_round16(a->S) + PAD, dp = heed__attn_round16(a->D);
    int64_t at = 0;
    r->keys = heed__attn_carve(base, &at, keys * dp);
    r->key_rows = heed__attn_carve(base, &at, keys * dp);
    r->q = heed__attn_carve(base, &at, (j->block + PAD) * dp);
    r->s = heed__attn_carve(base, &at, (j->block + PAD) * j->ld);
    r->sum = heed__attn_carve(base, &at, keys);
    r->u = heed__attn_carve(base, &at, keys);
    r->work = heed__attn_carve(base, &at, keys);
    r->dq = heed__attn_carve(base, &at, (j->block + PAD) * dp);
    r->dk = heed__attn_carve(base, &at, keys * dp);
    return at;
}

static Job make_job(const heed_kernels *k, const heed_attn_mean *m, char *scratch) {
    Job j = { .k = k, .m = m, .scratch = scratch };
    Room room;
    j.ld = heed__attn_round16(m->a->S) + PAD;
    j.block = QUERIES;
    while (j.block > k->attn->rows && j.block * j.ld > FLOATS) j.block /= 2;
    j.block = (j.block + k->attn->rows - 1) / k->attn->rows * k->attn->rows;
    j.size = make_room(&j, NULL, &room);
    return j;
}

static int64_t row_queries(const heed_attn_mean *m, int64_t b) {
    return m->queries ? m->queries[b] : m->a->T;
}

/* Queries t..t+n-1, scaled, with rows of zeros after them; true where all are finite. */
static bool pack_queries(const Head *c, int64_t t, int64_t n) {
    const heed_attn *a = c->j->m->a;
    const int64_t dp = heed__attn_round16(a->D), ld = a->H * a->D;
    const float *q = a->q + (c->run->b * a->T + t) * ld + c->h * a->D;
    memset(c->room->q + n * dp, 0, (size_t)(PAD * dp) * sizeof(float));
    return c->j->k->attn->pack_rows(c->room->q, dp, q, ld, n, a->D,
                                    a->scale[c->h] * HEED_ATTN_LOG2E, NULL);
}

/* The tile of n queries from the block's i-th on; the block begins at query t. */
static heed_attn_mean_step step_of(const Head *c, int64_t t, int64_t i) {
    const heed_attn *a = c->j->m->a;
    const int64_t dp = heed__attn_round16(a->D);
    return (heed_attn_mean_step){ .q = c->room->q + i * dp,
                                  .ldq = dp,
                                  .d = a->D,
                                  .keys = c->room->keys,
                                  .s = c->room->s + i * c->j->ld,
                                  .ld = c->j->ld,
                                  .lse = a->lse + (c->run->b * a->H + c->h) * a->T + t + i,
                                  .sum = c->room->sum,
                                  .u = c->room->u,
                                  .work = c->room->work,
                                  .key_rows = c->room->key_rows,
                                  .dq = a->dq ? c->room->dq + i * dp : NULL,
                                  .careful = c->careful,
                                  .spoilt = c->spoilt };
}

/* Nothing hides a key from some queries only, nor has a row numbers of its own. */
static bool rows_alike(const Head *c) {
    const heed_attn *a = c->j->m->a;
    return !a->causal && !a->window && !a->truncate && !a->mask && !c->run->mixed &&
           !(a->dropout > 0);
}

/* What `n` rows from query t on see of the run's keys; false: nothing. */
static bool rows_of(const Head *c, int64_t t, int64_t n, heed_attn_rows *r) {
    const int64_t keys = c->run->k1 - c->run->k0;
    const int rows = (int)(n < c->j->k->attn->rows ? n : c->j->k->attn->rows);
    if (c->alike) {
        *r = c->every;
        r->rows = rows;
        return keys > 0;
    }
    *r = (heed_attn_rows){ .rows = rows };
    return heed__attn_rows(c->j->m->a, c->run, c->h, t, 0, keys, r);
}

static const float *run_keys(const Head *c, int64_t *ld) {
    const heed_attn *a = c->j->m->a;
    *ld = a->Hk * a->D;
    return a->key + (c->run->b * a->S + c->run->k0) * *ld + c->hk * a->D;
}

/* -- forward */

static void head_forward(const Head *c) {
    const heed_attn *a = c->j->m->a;
    const heed_attn_kernels *k = c->j->k->attn;
    const int64_t keys = c->run->k1 - c->run->k0;
    memset(c->room->sum, 0, (size_t)heed__attn_round16(keys) * sizeof(float));
    for (int64_t t = c->run->q0; t < c->run->q1; t += c->j->block) {
        const int64_t n = c->run->q1 - t < c->j->block ? c->run->q1 - t : c->j->block;
        pack_queries(c, t, n);
        for (int64_t i = 0; i < n; i += k->rows) {
            heed_attn_rows rows;
            heed_attn_mean_step step = step_of(c, t, i);
            step.s = c->room->s;
            if (rows_of(c, t + i, n - i, &rows)) k->mean_forward(&step, &rows);
        }
    }
    float *mean = c->j->m->mean + (c->run->b * a->H + c->h) * a->S + c->run->k0;
    k->add_scaled(mean, c->room->sum, 1.0f / (float)row_queries(c->j->m, c->run->b), keys);
}

/* -- backward */

/* dk of the head from n queries, whose rows of ds lie in s. */
static void gather_keys(const Head *c, int64_t n, int64_t keys) {
    const int64_t dp = heed__attn_round16(c->j->m->a->D);
    c->j->k->attn->transposed(c->room->dk, c->room->s, c->j->ld, c->room->q, dp, n, keys);
}

static void store_queries(const Head *c, int64_t t, int64_t n) {
    const heed_attn *a = c->j->m->a;
    const int64_t dp = heed__attn_round16(a->D), ld = a->H * a->D;
    float *dq = a->dq ? a->dq + (c->run->b * a->T + t) * ld + c->h * a->D : NULL;
    for (int64_t i = 0; dq && i < n; i++, dq += ld) {
        for (int64_t j = 0; i + HEED_ATTN_AHEAD < n && j < a->D; j += 16)
            __builtin_prefetch(dq + HEED_ATTN_AHEAD * ld + j, 1);
        c->j->k->attn->add_scaled(dq, c->room->dq + i * dp, a->scale[c->h], a->D);
    }
}

static void store_keys(const Head *c, int64_t keys) {
    const heed_attn *a = c->j->m->a;
    const int64_t dp = heed__attn_round16(a->D), ld = a->Hk * a->D;
    float *dk = a->dk + (c->run->b * a->S + c->run->k0) * ld + c->hk * a->D;
    for (int64_t i = 0; i < keys; i++, dk += ld) {
        for (int64_t j = 0; i + HEED_ATTN_AHEAD < keys && j < a->D; j += 16)
            __builtin_prefetch(dk + HEED_ATTN_AHEAD * ld + j, 1);
        c->j->k->attn->add_scaled(dk, c->room->dk + i * dp, HEED_ATTN_LN2, a->D);
    }
}

/* The rows of ds of queries t..t+n-1, zeros where nothing is seen, and what dq gets of them. */
static void block_grad(const Head *c, int64_t t, int64_t n, int64_t keys) {
    const heed_attn *a = c->j->m->a;
    const heed_attn_kernels *k = c->j->k->attn;
    const size_t row = (size_t)heed__attn_round16(keys) * sizeof(float);
    const bool finite = pack_queries(c, t, n);
    memset(c->room->dq, 0, (size_t)((n + PAD) * heed__attn_round16(a->D)) * sizeof(float));
    for (int64_t i = 0; i < n; i += k->rows) {
        heed_attn_rows rows;
        const heed_attn_mean_step step = step_of(c, t, i);
        const bool any = rows_of(c, t + i, n - i, &rows);
        const int64_t from = any ? rows.from / 16 * 16 : 0, to = (rows.to + 15) / 16 * 16;
        if (any) k->mean_backward(&step, &rows);
        for (int j = 0; j < rows.rows; j++) {
            float *ds = step.s + j * c->j->ld;
            if (!any) memset(ds, 0, row);
            if (any && from) memset(ds, 0, (size_t)from * sizeof(float));
            if (any) memset(ds + to, 0, row - (size_t)to * sizeof(float));
        }
    }
    if (!finite)
        heed__attn_leave_out(c->j->k, c->room->q, heed__attn_round16(a->D), n, a->D, FLT_MAX);
}

static void head_backward(Head *c) {
    const heed_attn *a = c->j->m->a;
    const int64_t keys = c->run->k1 - c->run->k0, dp = heed__attn_round16(a->D);
    const float *dmean = c->j->m->dmean + (c->run->b * a->H + c->h) * a->S + c->run->k0;
    memset(c->room->u, 0, (size_t)heed__attn_round16(keys) * sizeof(float));
    c->j->k->attn->add_scaled(c->room->u, dmean, 1.0f / (float)row_queries(c->j->m, c->run->b),
                              keys);
    c->spoilt = !c->j->k->attn->within(c->room->u, keys, 1, keys, HEED_ATTN_MODEST);
    if (a->dk) memset(c->room->dk, 0, (size_t)((keys + PAD) * dp) * sizeof(float));
    for (int64_t t = c->run->q0; t < c->run->q1; t += c->j->block) {
        const int64_t n = c->run->q1 - t < c->j->block ? c->run->q1 - t : c->j->block;
        block_grad(c, t, n, keys);
        if (a->dk) gather_keys(c, n, keys);
        store_queries(c, t, n);
    }
    if (a->dk) store_keys(c, keys);
}

/* -- both */

static void run_pieces(const Job *j, int64_t begin, int64_t end, const Room *room) {
    const heed_attn *a = j->m->a;
    const heed_attn_kernels *k = j->k->attn;
    const int64_t group = a->H / a->Hk;
    for (int64_t piece = begin; piece < end; piece++) {
        const int64_t hk = piece % a->Hk;
        heed_attn_run run = { .b = piece / a->Hk };
        while (heed__attn_next_run(a, &run, row_queries(j->m, run.b))) {
            Head c = { .j = j, .run = &run, .room = room, .hk = hk };
            int64_t ld;
            const float *keys = run_keys(&c, &ld);
            k->pack_panels(room->keys, keys, ld, run.k1 - run.k0, a->D, NULL);
            if (j->m->dmean)
                c.careful = !k->pack_rows(room->key_rows, heed__attn_round16(a->D), keys, ld,
                                          run.k1 - run.k0, a->D, 1.0f, NULL);
            c.alike = false;
            c.every = (heed_attn_rows){ .rows = 0 };
            if (rows_alike(&c)) {
                rows_of(&c, run.q0, k->rows, &c.every);
                c.alike = true;
            }
            for (c.h = hk * group; c.h < (hk + 1) * group; c.h++)
                j->m->dmean ? head_backward(&c) : head_forward(&c);
        }
    }
}

static void pieces(void *arg, int64_t begin, int64_t end, int worker) {
    const Job *j = arg;
    Room room;
    make_room(j, j->scratch + worker * j->size, &room);
    run_pieces(j, begin, end, &room);
}

int64_t heed__attn_mean_scratch(const heed_kernels *k, const heed_attn_mean *m, int threads) {
    return make_job(k, m, NULL).size * threads;
}

void heed__attn_mean_forward(const heed_kernels *k, heed_pool *pool, const heed_attn_mean *m,
                             void *scratch) {
    const heed_attn *a = m->a;
    Job j = make_job(k, m, scratch);
    memset(m->mean, 0, (size_t)(a->B * a->H * a->S) * sizeof(float));
    for (int64_t i = 0; i < a->B * a->H * a->T; i++) a->lse[i] = INFINITY;
    heed_pool_run(pool, a->B * a->Hk, 1, pieces, &j);
}

void heed__attn_mean_backward(const heed_kernels *k, heed_pool *pool, const heed_attn_mean *m,
                              void *scratch) {
    Job j = make_job(k, m, scratch);
    heed_pool_run(pool, m->a->B * m->a->Hk, 1, pieces, &j);
}
