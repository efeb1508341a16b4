/* attn.c: the driver of fused attention, forward. The work is cut over (row of the batch, key head,
 * stretch of queries); each piece packs the keys and values that it needs and goes over its queries
 * in blocks, each over all blocks of keys. */
#include <string.h>

#include "kernels/attn_pass.h"
#include "kernels/share.h"

typedef struct Forward {
    const heed_kernels *k;
    const heed_attn *a;
    const heed_attn_form *form;
    char *scratch;
    int64_t size; /* bytes of one worker's scratch */
    heed_attn_cut cut;
} Forward;

/* Rows of the next piece that are asked for while this one is computed: they lie far apart, which
 * no machine foresees. */
typedef struct Ahead {
    struct {
        const float *at;
        int64_t rows, ld, width;
    } part[3]; /* keys, values, queries */
    int now;
    int64_t row, quota; /* quota: rows for each tile of this piece */
} Ahead;

/* Carves one worker's room from base, NULL: only measures. Returns its size in bytes. */
static int64_t make_room(const heed_kernels *k, const heed_attn *a, char *base,
                         heed_attn_place *c) {
    const int64_t n = HEED_ATTN_QUERIES + HEED_ATTN_PAD;
    int64_t at = 0;
    *c = (heed_attn_place){ .k = k, .a = a };
    heed__attn_form(a)->room(c, base, &at, true);
    c->unit = heed__attn_carve(base, &at, heed__attn_round16(a->S));
    c->q = heed__attn_carve(base, &at, n * heed__attn_round16(a->D));
    c->q_unit = heed__attn_carve(base, &at, n);
    c->o = heed__attn_carve(base, &at, n * heed__attn_round16(a->Dv));
    c->max = heed__attn_carve(base, &at, n);
    c->sum = heed__attn_carve(base, &at, n * 16);
    c->s = heed__attn_carve(base, &at, HEED_ATTN_PAD * HEED_ATTN_LD);
    return at;
}

/* -- what comes next */

static int64_t last_query(const Forward *f, int64_t c) {
    return heed__min64((c + 1) * f->cut.chunk, f->a->T);
}

static void look_ahead(const Forward *f, int64_t piece, Ahead *next) {
    enum { MOST = 1 << 19 }; /* bytes: a part of the second cache, beside what is in use */
    const heed_attn *a = f->a;
    const int64_t c = piece % f->cut.chunks, hk = piece / f->cut.chunks % a->Hk;
    const int64_t b = piece / f->cut.chunks / a->Hk, t = c * f->cut.chunk,
                  queries = last_query(f, c) - t;
    const int64_t group = a->H / a->Hk;
    const int64_t blocks = a->causal ? 1 : heed__max64(1, heed__ceil_div(a->S, HEED_ATTN_BLOCK));
    const int64_t tiles = group * blocks * heed__ceil_div(queries, f->form->group(f->k));
    *next = (Ahead){ .now = 3 };
    if (a->panels || b >= a->B || queries <= 0 ||
        (a->S * (a->D + a->Dv) + queries * a->D) * (int64_t)sizeof(float) > MOST)
        return;
    *next = (Ahead){ { { a->key + (b * a->S * a->Hk + hk) * a->D, a->S, a->Hk * a->D, a->D },
                       { a->v + (b * a->S * a->Hk + hk) * a->Dv, a->S, a->Hk * a->Dv, a->Dv },
                       { a->q + ((b * a->T + t) * a->H + hk * group) * a->D, queries, a->H * a->D,
                         a->D } },
                     .quota = (2 * a->S + queries) / tiles + 1 };
}

static void fetch(Ahead *next) {
    for (int64_t n = next->quota; n > 0 && next->now < 3; n--) {
        const float *row = next->part[next->now].at + next->row * next->part[next->now].ld;
        for (int64_t j = 0; j < next->part[next->now].width; j += 16)
            __builtin_prefetch(row + j, 0, 2);
        if (++next->row >= next->part[next->now].rows) next->now++, next->row = 0;
    }
}

/* The rows that are about to be written. */
static void fetch_out(const heed_attn *a, int64_t b, int64_t h, int64_t t, int64_t n) {
    const float *out = a->out + ((b * a->T + t) * a->H + h) * a->Dv;
    for (int64_t i = 0; i < n; i++, out += a->H * a->Dv)
        for (int64_t j = 0; j < a->Dv; j += 16) __builtin_prefetch(out + j, 1, 2);
}

/* -- blocks of queries */

void heed__attn_pack_queries(const heed_attn_place *c, int64_t h, int64_t t, int64_t n) {
    const heed_attn *a = c->a;
    const int64_t ld = a->H * a->D, dp = heed__attn_round16(a->D);
    const float *q = a->q + (c->run->b * a->T + t) * ld + h * a->D;
    if (a->cosine) heed__attn_unit(c->k, c->q_unit, q, ld, n, a->D);
    c->k->attn->pack_rows(c->q, dp, q, ld, n, a->D, a->scale[h] * HEED_ATTN_LOG2E,
                          a->cosine ? c->q_unit : NULL);
    memset(c->q + n * dp, 0, (size_t)(HEED_ATTN_PAD * dp) * sizeof(float));
}

/* Queries t..t+n-1 of head h against all keys of the run. */
static void query_block(const Forward *f, heed_attn_place *c, int64_t h, int64_t t, int64_t n,
                        Ahead *ahead) {
    const heed_attn *a = f->a;
    const heed_attn_run *run = c->run;
    const int64_t keys = run->k1 - run->k0, group = f->form->group(f->k);
    int64_t lo, hi;
    heed__attn_reach(a, run, t, n, &lo, &hi);
    heed__attn_pack_queries(c, h, t, n);
    if (f->form->pack_queries) f->form->pack_queries(c, n);
    const heed_attn_step all = {
        .o = c->o, .dv = heed__attn_round16(a->Dv), .max = c->max, .sum = c->sum
    };
    heed__attn_start_rows(a, &all, n, h);
    for (int64_t key = lo; key < hi; key += HEED_ATTN_BLOCK) {
        const int64_t left = heed__min64(keys - key, HEED_ATTN_BLOCK);
        for (int64_t i = 0; i < n; i += group) {
            heed_attn_rows rows = { .rows = (int)heed__min64(n - i, group) };
            if (!heed__attn_rows(a, run, h, t + i, key, left, &rows)) continue;
            f->form->tile(c, &rows, i, key);
            fetch(ahead);
            if (key + HEED_ATTN_BLOCK >= hi) fetch_out(a, run->b, h, t + i, rows.rows);
        }
    }
    f->k->attn->finish(a->out + ((run->b * a->T + t) * a->H + h) * a->Dv, a->H * a->Dv, a->Dv, &all,
                       n, a->lse + (run->b * a->H + h) * a->T + t);
}

static void forward_piece(const Forward *f, heed_attn_place *c, int64_t piece) {
    const heed_attn *a = f->a;
    const int64_t chunk = piece % f->cut.chunks, group = a->H / a->Hk;
    heed_attn_run run = { .b = piece / f->cut.chunks / a->Hk, .q1 = chunk * f->cut.chunk };
    Ahead ahead;
    look_ahead(f, piece + 1, &ahead);
    c->run = &run, c->hk = piece / f->cut.chunks % a->Hk;
    while (heed__attn_next_run(a, &run, last_query(f, chunk))) {
        f->form->pack_keys(c);
        f->form->pack_values(c);
        for (int64_t h = c->hk * group; h < (c->hk + 1) * group; h++)
            for (int64_t t = run.q0; t < run.q1; t += HEED_ATTN_QUERIES)
                query_block(f, c, h, t, heed__min64(run.q1 - t, HEED_ATTN_QUERIES), &ahead);
    }
}

static void forward_pieces(void *arg, int64_t begin, int64_t end, int worker) {
    const Forward *f = arg;
    heed_attn_place place;
    make_room(f->k, f->a, f->scratch + worker * f->size, &place);
    if (f->form->begin) f->form->begin(f->k);
    for (int64_t piece = begin; piece < end; piece++) forward_piece(f, &place, piece);
    if (f->form->end) f->form->end(f->k);
}

int64_t heed__attn_forward_scratch(const heed_kernels *k, const heed_attn *a, int threads) {
    heed_attn_place place;
    return make_room(k, a, NULL, &place) * threads;
}

void heed__attn_forward(const heed_kernels *k, heed_pool *pool, const heed_attn *a, void *scratch) {
    const int threads = pool ? heed_pool_threads(pool) : 1;
    Forward f = { .k = k, .a = a, .form = heed__attn_form(a), .scratch = scratch };
    f.size = heed__attn_forward_scratch(k, a, 1);
    f.cut = heed__attn_cut(a, threads);
    heed_pool_run(pool, a->B * a->Hk * f.cut.chunks, 1, forward_pieces, &f);
}
