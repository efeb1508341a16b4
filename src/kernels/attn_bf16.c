/* attn_bf16.c: the driver of fused attention in bf16, forward. The work is cut as in attn.c; keys
 * and values of a piece are packed for the tiles of bf16.h, and a group of queries goes through a
 * block of keys as product, softmax, product. */
#include <math.h>
#include <string.h>

#include "kernels/attn_bf16.h"
#include "kernels/attn_run.h"

enum {
    QUERY_BLOCK = 96, /* queries that share one pass over the keys */
    PAD = HEED_ATTN_GROUP,
    LD = HEED_ATTN_BLOCK + 16,
    GROUPS = QUERY_BLOCK / 8 /* at most */
};

typedef struct Forward {
    const heed_kernels *k;
    const heed_attn *a;
    char *scratch;
    int64_t size; /* bytes of one worker's scratch */
    heed_attn_cut cut;
} Forward;

/* One worker's room, carved from its scratch. */
typedef struct Room {
    float *keys, *values, *unit;  /* packed; unit: 1/length of the run's keys */
    float *key_rows;              /* 16 keys divided by their length */
    float *q, *q_unit, *packed_q; /* groups of packed_q are q_step apart */
    float *o, *max, *sum, *s, *packed_p;
    int64_t q_step;
} Room;

/* Carves one worker's room from base, NULL: only measures. Returns its size in bytes. */
static int64_t make_room(const heed_kernels *k, const heed_attn *a, char *base, Room *r) {
    const int64_t n = QUERY_BLOCK + PAD, dp = heed__attn_round16(a->D);
    const int64_t dv = heed__attn_round16(a->Dv);
    int64_t at = 0;
    r->q_step = heed__attn_round16(heed__bf16_a_len(k, PAD, a->D));
    r->keys = heed__attn_carve(base, &at, heed__bf16_b_len(k, a->S, a->D));
    r->values = heed__attn_carve(base, &at, heed__bf16_b_len(k, dv, a->S));
    r->unit = heed__attn_carve(base, &at, heed__attn_round16(a->S));
    r->key_rows = heed__attn_carve(base, &at, 16 * dp);
    r->q = heed__attn_carve(base, &at, n * dp);
    r->q_unit = heed__attn_carve(base, &at, n);
    r->packed_q = heed__attn_carve(base, &at, GROUPS * r->q_step);
    r->o = heed__attn_carve(base, &at, n * dv);
    r->max = heed__attn_carve(base, &at, n);
    r->sum = heed__attn_carve(base, &at, n * 16);
    r->s = heed__attn_carve(base, &at, PAD * LD);
    r->packed_p = heed__attn_carve(base, &at, heed__bf16_a_len(k, PAD, HEED_ATTN_BLOCK));
    return at;
}

/* Keys and values of one run and key head. */
typedef struct Packed {
    int64_t n;
    const float *value_rows; /* as they came, ldv apart */
    int64_t ldv;
    float least_key, least_value;
    bool careful; /* a value is not finite: weights of 0 must not touch it */
} Packed;

/* Panels of keys divided by their length. */
static void pack_unit_keys(const heed_kernels *k, const heed_bf16_side *key, float *packed,
                           float *unit, float *rows) {
    const int64_t d = key->steps, dp = heed__attn_round16(d), step = heed__bf16_depth(k, d);
    heed__attn_unit(k, unit, key->from, key->ld, key->n, d);
    for (int64_t i = 0; i < key->n; i += 16) {
        const int64_t n = key->n - i < 16 ? key->n - i : 16;
        k->attn->pack_rows(rows, dp, key->from + i * key->ld, key->ld, n, d, 1.0f, unit + i);
        heed__bf16_pack_b(k, packed + i * step, &(heed_bf16_side){ rows, dp, n, d, false });
    }
}

/* Keys of a cache, in panels of f32. */
static float pack_panels(const heed_kernels *k, const float *panels, int64_t n, int64_t d,
                         float *packed) {
    float all = INFINITY;
    for (int64_t i = 0; i < n; i += 16, panels += 16 * d) {
        const int64_t cols = n - i < 16 ? n - i : 16;
        heed__bf16_pack_b(k, packed + i * heed__bf16_depth(k, d),
                          &(heed_bf16_side){ panels, 16, cols, d, true });
        const float least = heed__bf16_least(k, panels, 16, d, cols);
        if (least < all) all = least;
    }
    return all;
}

float heed__attn_bf16_pack_keys(const heed_kernels *k, const heed_attn *a, const heed_attn_run *run,
                                int64_t hk, float *const room[3]) {
    const int64_t n = run->k1 - run->k0, ld = a->Hk * a->D;
    if (a->panels) {
        const int64_t head = (run->b * a->Hk + hk) * a->room + run->k0;
        return pack_panels(k, a->panels + head * a->D, n, a->D, room[0]);
    }
    const float *key = a->key + (run->b * a->S + run->k0) * ld + hk * a->D;
    const heed_bf16_side side = { key, ld, n, a->D, false };
    if (a->cosine && !a->unit_keys) {
        pack_unit_keys(k, &side, room[0], room[1], room[2]);
        return 0;
    }
    heed__bf16_pack_b(k, room[0], &side);
    return heed__bf16_least(k, key, ld, n, a->D);
}

static Packed pack(const Forward *f, const heed_attn_run *run, int64_t hk, const Room *room) {
    const heed_attn *a = f->a;
    const int64_t n = run->k1 - run->k0;
    Packed p = { .n = n, .ldv = a->Hk * a->Dv };
    p.least_key = heed__attn_bf16_pack_keys(
        f->k, a, run, hk, (float *const[3]){ room->keys, room->unit, room->key_rows });
    if (a->panels) {
        p.ldv = heed__attn_round16(a->Dv);
        p.value_rows = a->rows + ((run->b * a->Hk + hk) * a->room + run->k0) * p.ldv;
    } else {
        p.value_rows = a->v + (run->b * a->S + run->k0) * p.ldv + hk * a->Dv;
    }
    p.careful = !f->k->attn->finite(p.value_rows, p.ldv, n, a->Dv);
    p.least_value = heed__bf16_least(f->k, p.value_rows, p.ldv, n, a->Dv);
    heed__bf16_pack_b(f->k, room->values, &(heed_bf16_side){ p.value_rows, p.ldv, a->Dv, n, true });
    return p;
}

/* Queries n from t on of head h: scaled, and packed by groups. Returns their least magnitude. */
static float pack_queries(const Forward *f, const heed_attn_run *run, int64_t h, int64_t t,
                          int64_t n, const Room *room) {
    const heed_attn *a = f->a;
    const int64_t ld = a->H * a->D, dp = heed__attn_round16(a->D), group = heed__attn_group(f->k);
    const float *q = a->q + (run->b * a->T + t) * ld + h * a->D;
    if (a->cosine) heed__attn_unit(f->k, room->q_unit, q, ld, n, a->D);
    f->k->attn->pack_rows(room->q, dp, q, ld, n, a->D, a->scale[h] * HEED_ATTN_LOG2E,
                          a->cosine ? room->q_unit : NULL);
    float *to = room->packed_q;
    for (int64_t i = 0; i < n; i += group, to += room->q_step) {
        const int64_t rows = n - i < group ? n - i : group;
        heed__bf16_pack_a(f->k, to, &(heed_bf16_side){ room->q + i * dp, dp, rows, a->D, false });
    }
    return heed__bf16_least(f->k, room->q, dp, n, a->D);
}

/* A group of queries, packed in q, against the block of keys from `key` on. */
static void group_step(const Forward *f, const Packed *p, const heed_attn_rows *r, int64_t i,
                       int64_t key, const Room *room, const heed_bf16_block *q) {
    const int64_t d = f->a->D, dv = heed__attn_round16(f->a->Dv);
    const int64_t from = r->from / 16 * 16, to = (r->to + 15) / 16 * 16;
    const int64_t step = heed__bf16_depth(f->k, d) * HEED_PANEL;
    heed_bf16_block scores = *q;
    scores.b = room->keys + (key + from) / 16 * step;
    scores.b_step = step;
    scores.c = room->s + from;
    scores.panels = (to - from) / 16;
    heed__bf16_multiply(f->k, &scores);
    const heed_attn_step soft = { .s = room->s,
                                  .o = room->o + i * dv,
                                  .dv = dv,
                                  .max = room->max + i,
                                  .sum = room->sum + i * 16 };
    f->k->attn->soften(&soft, r);
    const int64_t first = r->from / 32 * 32, steps = r->to - first;
    if (p->careful) {
        f->k->attn->apply(soft.o, dv, room->s + first, LD, p->value_rows + (key + first) * p->ldv,
                          p->ldv, (const int64_t[3]){ r->rows, f->a->Dv, steps });
        return;
    }
    heed__bf16_pack_a(f->k, room->packed_p,
                      &(heed_bf16_side){ room->s + first, LD, r->rows, steps, false });
    heed__bf16_multiply(
        f->k,
        &(heed_bf16_block){ .a = room->packed_p,
                            .a_steps = steps,
                            .b = room->values + heed__bf16_depth(f->k, key + first) * HEED_PANEL,
                            .b_step = heed__bf16_depth(f->k, p->n) * HEED_PANEL,
                            .c = soft.o,
                            .ldc = dv,
                            .rows = r->rows,
                            .panels = dv / 16,
                            .steps = steps,
                            .least_a = HEED_BF16_LEAST_WEIGHT,
                            .least_b = p->least_value });
}

/* Queries t..t+n-1 of head h against all keys of the run. */
static void query_block(const Forward *f, const heed_attn_run *run, const Packed *p, int64_t h,
                        int64_t t, int64_t n, const Room *room) {
    const heed_attn *a = f->a;
    const int64_t keys = run->k1 - run->k0, group = heed__attn_group(f->k);
    int64_t lo, hi;
    heed__attn_reach(a, run, t, n, &lo, &hi);
    heed_bf16_block q = { .a_steps = a->D, .ldc = LD, .steps = a->D, .fresh = true };
    q.least_a = pack_queries(f, run, h, t, n, room), q.least_b = p->least_key;
    const heed_attn_step all = {
        .o = room->o, .dv = heed__attn_round16(a->Dv), .max = room->max, .sum = room->sum
    };
    heed__attn_start_rows(a, &all, n, h);
    for (int64_t key = lo; key < hi; key += HEED_ATTN_BLOCK) {
        const int64_t left = keys - key < HEED_ATTN_BLOCK ? keys - key : HEED_ATTN_BLOCK;
        for (int64_t i = 0; i < n; i += group) {
            heed_attn_rows rows = { .rows = (int)(n - i < group ? n - i : group) };
            if (!heed__attn_rows(a, run, h, t + i, key, left, &rows)) continue;
            q.a = room->packed_q + i / group * room->q_step;
            q.rows = rows.rows;
            group_step(f, p, &rows, i, key, room, &q);
        }
    }
    f->k->attn->finish(a->out + ((run->b * a->T + t) * a->H + h) * a->Dv, a->H * a->Dv, a->Dv, &all,
                       n, a->lse + (run->b * a->H + h) * a->T + t);
}

static void forward_pieces(void *arg, int64_t begin, int64_t end, int worker) {
    const Forward *f = arg;
    const heed_attn *a = f->a;
    Room room;
    make_room(f->k, a, f->scratch + worker * f->size, &room);
    const int64_t group = a->H / a->Hk;
    heed__bf16_begin(f->k);
    for (int64_t piece = begin; piece < end; piece++) {
        const int64_t c = piece % f->cut.chunks, hk = piece / f->cut.chunks % a->Hk;
        const int64_t last = (c + 1) * f->cut.chunk < a->T ? (c + 1) * f->cut.chunk : a->T;
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
    heed__bf16_end(f->k);
}

int64_t heed__attn_bf16_scratch(const heed_kernels *k, const heed_attn *a) {
    Room room;
    return make_room(k, a, NULL, &room);
}

void heed__attn_bf16_forward(const heed_kernels *k, heed_pool *pool, const heed_attn *a,
                             void *scratch) {
    const int threads = pool ? heed_pool_threads(pool) : 1;
    Forward f = { .k = k, .a = a, .scratch = scratch };
    f.size = heed__attn_bf16_scratch(k, a);
    f.cut = heed__attn_cut(a, threads);
    heed_pool_run(pool, a->B * a->Hk * f.cut.chunks, 1, forward_pieces, &f);
}
