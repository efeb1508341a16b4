/* attn_weights.c: the weights of fused attention made visible, row by row, for taps: scores are
 * made again and turned into weights by the rows' log-sums. */
#include <string.h>

#include "kernels/attn_pass.h"
#include "kernels/share.h"

enum { PAD = HEED_ATTN_PAD };

typedef struct Walk {
    heed_attn_place place;
    const heed_attn_form *form;
    int64_t h;
    heed_attn_visit visit;
    void *arg;
    float *p; /* [PAD, S rounded up to 16] */
} Walk;

static int64_t make_room(const heed_kernels *k, const heed_attn *a, char *base, Walk *w) {
    const int64_t keys = heed__attn_round16(a->S);
    int64_t at = 0;
    heed_attn_place *c = &w->place;
    w->form = heed__attn_form(a);
    *c = (heed_attn_place){ .k = k, .a = a };
    w->form->room(c, base, &at, false);
    c->unit = heed__attn_carve(base, &at, keys);
    c->q = heed__attn_carve(base, &at, 2 * PAD * heed__attn_round16(a->D));
    c->q_unit = heed__attn_carve(base, &at, PAD);
    c->s = heed__attn_carve(base, &at, PAD * HEED_ATTN_LD);
    w->p = heed__attn_carve(base, &at, PAD * keys);
    return at;
}

int64_t heed__attn_weights_scratch(const heed_kernels *k, const heed_attn *a) {
    Walk w;
    return make_room(k, a, NULL, &w);
}

static void visit_rows(Walk *w, int64_t t, int rows) {
    heed_attn_place *c = &w->place;
    const heed_attn *a = c->a;
    const heed_attn_run *run = c->run;
    const int64_t keys = run->k1 - run->k0, ld = heed__attn_round16(a->S);
    const float *lse = a->lse + (run->b * a->H + w->h) * a->T + t;
    heed__attn_pack_queries(c, w->h, t, rows);
    if (w->form->pack_queries) w->form->pack_queries(c, rows);
    memset(w->p, 0, (size_t)(rows * ld) * sizeof(float));
    int64_t lo, hi;
    heed__attn_reach(a, run, t, rows, &lo, &hi);
    for (int64_t key = lo; key < hi; key += HEED_ATTN_BLOCK) {
        heed_attn_rows r = { .rows = rows };
        if (heed__attn_rows(a, run, w->h, t, key, heed__min64(keys - key, HEED_ATTN_BLOCK), &r))
            w->form->weights(c, &r, key, lse, w->p + run->k0 + key);
    }
    for (int i = 0; i < rows; i++) w->visit(w->arg, t + i, w->p + i * ld);
}

void heed__attn_weights(const heed_kernels *k, const heed_attn *a, const int64_t bh[2],
                        const int64_t *rows, int64_t rows_len, heed_attn_visit visit, void *arg,
                        void *scratch) {
    Walk w = { .h = bh[1], .visit = visit, .arg = arg };
    heed_attn_run run = { .b = bh[0] };
    make_room(k, a, scratch, &w);
    w.place.run = &run, w.place.hk = w.h / (a->H / a->Hk);
    const int64_t most = w.form->group(k);
    if (w.form->begin) w.form->begin(k);
    while (heed__attn_next_run(a, &run, a->T)) {
        int64_t wanted = rows ? 0 : run.q1 - run.q0;
        for (int64_t i = 0; rows && i < rows_len; i++)
            wanted += rows[i] >= run.q0 && rows[i] < run.q1;
        if (!wanted) continue;
        w.form->pack_keys(&w.place);
        for (int64_t i = 0; rows && i < rows_len; i++)
            if (rows[i] >= run.q0 && rows[i] < run.q1) visit_rows(&w, rows[i], 1);
        for (int64_t t = run.q0; !rows && t < run.q1; t += most)
            visit_rows(&w, t, (int)heed__min64(run.q1 - t, most));
    }
    if (w.form->end) w.form->end(k);
}
