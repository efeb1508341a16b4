/* attn_weights.c: the weights of fused attention made visible, row by row, for taps: scores are
 * made again and turned into weights by the rows' log-sums. */
#include <string.h>

#include "kernels/attn_bf16.h"
#include "kernels/attn_run.h"

enum { PAD = HEED_ATTN_GROUP };

typedef struct Walk {
    const heed_kernels *k;
    const heed_attn *a;
    int64_t b, h;
    heed_attn_visit visit;
    void *arg;
    float *packed, *unit, *q, *s, *p;
    float *rows, *packed_q; /* for bf16: 16 keys divided by their length; queries */
    float least;            /* and the least magnitude of keys */
    const float *keys;
} Walk;

static int64_t make_room(const heed_kernels *k, const heed_attn *a, char *base, Walk *w) {
    const int64_t keys = heed__attn_round16(a->S), dp = heed__attn_round16(a->D);
    int64_t at = 0;
    if (a->bf16)
        w->packed = heed__attn_carve(base, &at, heed__bf16_b_len(k, a->S, a->D));
    else
        w->packed = heed__attn_carve(base, &at, a->panels ? 0 : keys * a->D);
    w->unit = heed__attn_carve(base, &at, keys);
    w->rows = heed__attn_carve(base, &at, a->bf16 ? PAD * dp : 0);
    w->packed_q = heed__attn_carve(base, &at, a->bf16 ? heed__bf16_a_len(k, PAD, a->D) : 0);
    w->q = heed__attn_carve(base, &at, PAD * dp);
    w->s = heed__attn_carve(base, &at, PAD * (HEED_ATTN_BLOCK + 16));
    w->p = heed__attn_carve(base, &at, PAD * keys);
    return at;
}

int64_t heed__attn_weights_scratch(const heed_kernels *k, const heed_attn *a) {
    Walk w;
    return make_room(k, a, NULL, &w);
}

/* Scores of a step into its s, in bf16. */
static void score(const Walk *w, const heed_attn_step *s, const heed_attn_rows *r, int64_t key) {
    const int64_t d = w->a->D, from = r->from / 16;
    const int64_t step = heed__bf16_depth(w->k, d) * HEED_PANEL;
    heed__bf16_pack_a(w->k, w->packed_q, &(heed_bf16_side){ s->q, s->ldq, r->rows, d, false });
    heed__bf16_multiply(
        w->k, &(heed_bf16_block){ .a = w->packed_q,
                                  .a_steps = d,
                                  .b = w->packed + (key / 16 + from) * step,
                                  .b_step = step,
                                  .c = s->s + from * 16,
                                  .ldc = HEED_ATTN_BLOCK + 16,
                                  .rows = r->rows,
                                  .panels = (r->to + 15) / 16 - from,
                                  .steps = d,
                                  .fresh = true,
                                  .least_a = heed__bf16_least(w->k, s->q, s->ldq, r->rows, d),
                                  .least_b = w->least });
}

static void pack(Walk *w, const heed_attn_run *run) {
    const heed_attn *a = w->a;
    const int64_t hk = w->h / (a->H / a->Hk), ld = a->Hk * a->D, n = run->k1 - run->k0;
    if (a->bf16) {
        w->least = heed__attn_bf16_pack_keys(w->k, a, run, hk,
                                             (float *const[3]){ w->packed, w->unit, w->rows });
        return;
    }
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
        heed_attn_step step = { .q = w->q, .ldq = dp, .d = a->D, .s = w->s };
        const float *lse = a->lse + (w->b * a->H + w->h) * a->T + t;
        if (a->bf16) {
            score(w, &step, &r, key);
            w->k->attn->reveal(&step, &r, lse, w->p + run->k0 + key, lds);
            continue;
        }
        step.keys = w->keys + key * a->D;
        w->k->attn->weights(&step, &r, lse, w->p + run->k0 + key, lds);
    }
    for (int i = 0; i < rows; i++) w->visit(w->arg, t + i, w->p + i * lds);
}

void heed__attn_weights(const heed_kernels *k, const heed_attn *a, const int64_t bh[2],
                        const int64_t *rows, int64_t rows_len, heed_attn_visit visit, void *arg,
                        void *scratch) {
    Walk w = { .k = k, .a = a, .b = bh[0], .h = bh[1], .visit = visit, .arg = arg };
    make_room(k, a, scratch, &w);
    if (a->bf16) heed__bf16_begin(k);
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
    if (a->bf16) heed__bf16_end(k);
}
