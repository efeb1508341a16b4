/* attn.c: the driver of fused attention, forward. The work is cut over (row of the batch, key head,
 * stretch of queries); each piece packs the keys and values that it needs and goes over its queries
 * in blocks, each over all blocks of keys. */
#include <math.h>
#include <string.h>

#include "kernels/attn_bf16.h"
#include "kernels/attn_run.h"

enum {
    QUERY_BLOCK = 96, /* queries that share one pass over the keys */
    PAD = HEED_ATTN_GROUP
};

typedef struct Forward {
    const heed_kernels *k;
    const heed_attn *a;
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

/* One worker's room, carved from its scratch. */
typedef struct Room {
    float *keys, *values, *unit; /* packed; unit: 1/length of the run's keys */
    float *q, *q_unit, *o, *max, *sum, *s;
    Ahead ahead;
} Room;

/* Carves one worker's room from base, NULL: only measures. Returns its size in bytes. */
static int64_t make_room(const heed_attn *a, char *base, Room *r) {
    const int64_t keys = a->panels ? 0 : heed__attn_round16(a->S), n = QUERY_BLOCK + PAD;
    const int64_t dp = heed__attn_round16(a->D), dv = heed__attn_round16(a->Dv);
    int64_t at = 0;
    r->keys = heed__attn_carve(base, &at, keys * a->D);
    r->values = heed__attn_carve(base, &at, keys * dv);
    r->unit = heed__attn_carve(base, &at, keys);
    r->q = heed__attn_carve(base, &at, n * dp);
    r->q_unit = heed__attn_carve(base, &at, n);
    r->o = heed__attn_carve(base, &at, n * dv);
    r->max = heed__attn_carve(base, &at, n);
    r->sum = heed__attn_carve(base, &at, n * 16);
    r->s = heed__attn_carve(base, &at, PAD * (HEED_ATTN_BLOCK + 16));
    return at;
}

/* Keys and values of one run and key head, in the form that tiles read. */
typedef struct Packed {
    const float *keys, *values;
    bool careful;
} Packed;

static Packed pack(const Forward *f, const heed_attn_run *run, int64_t hk, const Room *room) {
    const heed_attn *a = f->a;
    const int64_t n = run->k1 - run->k0, dv = heed__attn_round16(a->Dv);
    if (a->panels) {
        const int64_t head = (run->b * a->Hk + hk) * a->room + run->k0;
        return (Packed){ a->panels + head * a->D, a->rows + head * dv, !a->cached_finite };
    }
    const int64_t ldk = a->Hk * a->D, ldv = a->Hk * a->Dv;
    const float *key = a->key + (run->b * a->S + run->k0) * ldk + hk * a->D;
    const float *value = a->v + (run->b * a->S + run->k0) * ldv + hk * a->Dv;
    const bool scaled = a->cosine && !a->unit_keys;
    if (scaled) heed__attn_unit(f->k, room->unit, key, ldk, n, a->D);
    f->k->attn->pack_panels(room->keys, key, ldk, n, a->D, scaled ? room->unit : NULL);
    const bool finite = f->k->attn->pack_rows(room->values, dv, value, ldv, n, a->Dv, 1.0f, NULL);
    return (Packed){ room->keys, room->values, !finite };
}

/* -- what comes next */

static int64_t last_query(const Forward *f, int64_t c) {
    return (c + 1) * f->cut.chunk < f->a->T ? (c + 1) * f->cut.chunk : f->a->T;
}

static void look_ahead(const Forward *f, int64_t piece, Ahead *next) {
    enum { MOST = 1 << 17 }; /* bytes: a part of the second cache, beside what is in use */
    const heed_attn *a = f->a;
    const int64_t c = piece % f->cut.chunks, hk = piece / f->cut.chunks % a->Hk;
    const int64_t b = piece / f->cut.chunks / a->Hk, t = c * f->cut.chunk,
                  queries = last_query(f, c) - t;
    const int64_t group = a->H / a->Hk, tile = f->k->attn->rows;
    *next = (Ahead){ .now = 3 };
    if (a->panels || b >= a->B || queries <= 0 ||
        (a->S * (a->D + a->Dv) + queries * a->D) * (int64_t)sizeof(float) > MOST)
        return;
    *next = (Ahead){ { { a->key + (b * a->S * a->Hk + hk) * a->D, a->S, a->Hk * a->D, a->D },
                       { a->v + (b * a->S * a->Hk + hk) * a->Dv, a->S, a->Hk * a->Dv, a->Dv },
                       { a->q + ((b * a->T + t) * a->H + hk * group) * a->D, queries, a->H * a->D,
                         a->D } },
                     .quota = (2 * a->S + queries) / (group * ((queries + tile - 1) / tile)) + 1 };
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

/* A tile of queries against the block of keys from `key` on, `left` of them. */
static void tile(const Forward *f, const Packed *p, const heed_attn_rows *rows, int64_t i,
                 int64_t key, const Room *room) {
    const int64_t d = f->a->D, dp = heed__attn_round16(d), dv = heed__attn_round16(f->a->Dv);
    const heed_attn_step step = { .q = room->q + i * dp,
                                  .ldq = dp,
                                  .d = d,
                                  .keys = p->keys + key * d,
                                  .values = p->values + key * dv,
                                  .dv = dv,
                                  .careful = p->careful,
                                  .s = room->s,
                                  .o = room->o + i * dv,
                                  .max = room->max + i,
                                  .sum = room->sum + i * 16 };
    f->k->attn->forward(&step, rows);
}

/* Queries t..t+n-1 of head h against all keys of the run. */
static void query_block(const Forward *f, const heed_attn_run *run, const Packed *p, int64_t h,
                        int64_t t, int64_t n, Room *room) {
    const heed_attn *a = f->a;
    const heed_attn_kernels *k = f->k->attn;
    const int64_t ld = a->H * a->D, dp = heed__attn_round16(a->D), keys = run->k1 - run->k0;
    int64_t lo, hi;
    heed__attn_reach(a, run, t, n, &lo, &hi);
    const float *q = a->q + (run->b * a->T + t) * ld + h * a->D;
    if (a->cosine) heed__attn_unit(f->k, room->q_unit, q, ld, n, a->D);
    k->pack_rows(room->q, dp, q, ld, n, a->D, a->scale[h] * HEED_ATTN_LOG2E,
                 a->cosine ? room->q_unit : NULL);
    memset(room->q + n * dp, 0, (size_t)(PAD * dp) * sizeof(float));
    const heed_attn_step all = {
        .o = room->o, .dv = heed__attn_round16(a->Dv), .max = room->max, .sum = room->sum
    };
    heed__attn_start_rows(a, &all, n, h);
    for (int64_t key = lo; key < hi; key += HEED_ATTN_BLOCK) {
        const int64_t left = keys - key < HEED_ATTN_BLOCK ? keys - key : HEED_ATTN_BLOCK;
        for (int64_t i = 0; i < n; i += k->rows) {
            heed_attn_rows rows = { .rows = (int)(n - i < k->rows ? n - i : k->rows) };
            if (!heed__attn_rows(a, run, h, t + i, key, left, &rows)) continue;
            tile(f, p, &rows, i, key, room);
            fetch(&room->ahead);
            if (key + HEED_ATTN_BLOCK >= hi) fetch_out(a, run->b, h, t + i, rows.rows);
        }
    }
    k->finish(a->out + ((run->b * a->T + t) * a->H + h) * a->Dv, a->H * a->Dv, a->Dv, &all, n,
              a->lse + (run->b * a->H + h) * a->T + t);
}

static void forward_pieces(void *arg, int64_t begin, int64_t end, int worker) {
    const Forward *f = arg;
    const heed_attn *a = f->a;
    Room room;
    make_room(a, f->scratch + worker * f->size, &room);
    const int64_t group = a->H / a->Hk;
    for (int64_t piece = begin; piece < end; piece++) {
        const int64_t c = piece % f->cut.chunks, hk = piece / f->cut.chunks % a->Hk;
        const int64_t last = last_query(f, c);
        look_ahead(f, piece + 1, &room.ahead);
        heed_attn_run run = { .b = piece / f->cut.chunks / a->Hk, .q1 = c * f->cut.chunk };
        while (heed__attn_next_run(a, &run, last)) {
            const Packed p = pack(f, &run, hk, &room);
            for (int64_t h = hk * group; h < (hk + 1) * group; h++)
                for (int64_t t = run.q0; t < run.q1; t += QUERY_BLOCK) {
                    const int64_t n = run.q1 - t < QUERY_BLOCK ? run.q1 - t : QUERY_BLOCK;
                    query_block(f, &run, &p, h, t, n, &room);
                }
        }
    }
}

int64_t heed__attn_forward_scratch(const heed_kernels *k, const heed_attn *a, int threads) {
    Room room;
    if (a->bf16) return heed__attn_bf16_scratch(k, a) * threads;
    return make_room(a, NULL, &room) * threads;
}

void heed__attn_forward(const heed_kernels *k, heed_pool *pool, const heed_attn *a, void *scratch) {
    const int threads = pool ? heed_pool_threads(pool) : 1;
    Forward f = { .k = k, .a = a, .scratch = scratch };
    Room room;
    if (a->bf16) {
        heed__attn_bf16_forward(k, pool, a, scratch);
        return;
    }
    f.size = make_room(a, NULL, &room);
    f.cut = heed__attn_cut(a, threads);
    heed_pool_run(pool, a->B * a->Hk * f.cut.chunks, 1, forward_pieces, &f);
}
