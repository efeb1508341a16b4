/* attn_weights.c: the weights of fused attention made visible, row by row, for taps: scores are
 * made again and turned into weights by the rows' log-sums. */
#include <string.h>

#include "kernels/attn_run.h"

enum { PAD = HEED_ATTN_GROUP };

typedef struct Walk {
    const heed_kernels *k;
    const heed_attn *a;
    int64_t b, h;
    heed_attn_visit visit;
    void *arg;
    float *packed, *unit, *q, *s, *p;
    const float *keys;
} Walk;

static float *carve(char *base, int64_t *at, int64_t floats) {
    float *p = base ? (float *)(void *)(base + *at) : NULL;
    *at += (floats * (int64_t)sizeof(float) + 63) / 64 * 64;
    return p;
}

static int64_t make_room(const heed_attn *a, char *base, Walk *w) {
    const int64_t keys = heed__attn_round16(a->S);
    int64_t at = 0;
    w->packed = carve(base, &at, a->panels ? 0 : keys * a->D);
    w->unit = carve(base, &at, keys);
    w->q = carve(base, &at, PAD * heed__attn_round16(a->D));
    w->s = carve(base, &at, PAD * (HEED_ATTN_BLOCK + 16));
    w->p = carve(base, &at, PAD * keys);
    return at;
}

int64_t heed__attn_weights_scratch(const heed_attn *a) {
    Walk w;
    return make_room(a, NULL, &w);
}

static void pack(Walk *w, const heed_attn_run *run) {
    const heed_attn *a = w->a;
    const int64_t hk = w->h / (a->H / a->Hk), ld = a->Hk * a->D, n = run->k1 - run->k0;
    if (a->panels) {
        w->keys = a->panels + ((w->b * a->Hk + hk) * a->room + run->k0) * a->D;
        return;
    }
    const float *key = a->key + (w->b * a->S + run->k0) * ld + hk * a->D;
    const bool scaled = a->cosine && !a->unit_keys;
    if (scaled) heed__attn_unit(w->k, w->unit, key, ld, n, a->D);
    w->k->attn->pack_panels(w->packed, key, ld, n, a->D, scaled ? w->unit : NULL);
    w->keys = w->packed;
}

static void visit_rows(const Walk *w, const heed_attn_run *run, int64_t t, int rows) {
    const heed_attn *a = w->a;
    const int64_t ld = a->H * a->D, dp = heed__attn_round16(a->D), keys = run->k1 - run->k0;
    const int64_t lds = heed__attn_round16(a->S);
    const float *q = a->q + (w->b * a->T + t) * ld + w->h * a->D;
    float unit[PAD];
    if (a->cosine) heed__attn_unit(w->k, unit, q, ld, rows, a->D);
    memset(w->q, 0, (size_t)(PAD * dp) * sizeof(float));
    w->k->attn->pack_rows(w->q, dp, q, ld, rows, a->D, a->scale[w->h] * HEED_ATTN_LOG2E,
                          a->cosine ? unit : NULL);
    memset(w->p, 0, (size_t)(rows * lds) * sizeof(float));
    int64_t lo, hi;
    heed__attn_reach(a, run, t, rows, &lo, &hi);
    for (int64_t key = lo; key < hi; key += HEED_ATTN_BLOCK) {
        const int64_t n = keys - key < HEED_ATTN_BLOCK ? keys - key : HEED_ATTN_BLOCK;
        heed_attn_rows r = { .rows = rows };
        if (!heed__attn_rows(a, run, w->h, t, key, n, &r)) continue;
        const heed_attn_step step = {
            .q = w->q, .ldq = dp, .d = a->D, .keys = w->keys + key * a->D, .s = w->s
        };
        w->k->attn->weights(&step, &r, a->lse + (w->b * a->H + w->h) * a->T + t,
                            w->p + run->k0 + key, lds);
    }
    for (int i = 0; i < rows; i++) w->visit(w->arg, t + i, w->p + i * lds);
}

void heed__attn_weights(const heed_kernels *k, const heed_attn *a, const int64_t bh[2],
                        const int64_t *rows, int64_t rows_len, heed_attn_visit visit, void *arg,
                        void *scratch) {
    Walk w = { .k = k, .a = a, .b = bh[0], .h = bh[1], .visit = visit, .arg = arg };
    make_room(a, scratch, &w);
    heed_attn_run run = { .b = w.b };
    while (heed__attn_next_run(a, &run, a->T)) {
        int64_t wanted = rows ? 0 : run.q1 - run.q0;
        for (int64_t i = 0; rows && i < rows_len; i++)
            wanted += rows[i] >= run.q0 && rows[i] < run.q1;
        if (!wanted) continue;
        pack(&w, &run);
        for (int64_t i = 0; rows && i < rows_len; i++)
            if (rows[i] >= run.q0 && rows[i] < run.q1) visit_rows(&w, &run, rows[i], 1);
        for (int64_t t = run.q0; !rows && t < run.q1; t += k->attn->rows)
            visit_rows(&w, &run, t, (int)(run.q1 - t < k->attn->rows ? run.q1 - t : k->attn->rows));
    }
}
