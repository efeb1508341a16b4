/* attention_general_tap.c: what a caller wants to see of the weights, on the general path: the
 * blocks are made once more, without dropout, and read. */
#include "ops/attention_general.h"

#include <string.h>

#include "kernels/math.h"
#include "ops/attention_weights.h"

typedef struct tap_job {
    heed__general g; /* without dropout */
    heed_attention_tap *tap;
    float *room;
    int64_t room_len;
} tap_job;

static void chosen_rows(const tap_job *j, heed__block *k, int64_t row) {
    const heed__general *g = &j->g;
    for (int64_t r = 0; r < j->tap->rows_len; r++) {
        k->b = row / g->H, k->h = row % g->H, k->t0 = j->tap->rows[r], k->n = 1;
        heed__general_fill(g, k);
        float *to = HEED_F32_DATA(j->tap->row_weights) + (row * j->tap->rows_len + r) * g->S;
        if (k->hi > k->lo) memcpy(to + k->lo, k->a, (size_t)(k->hi - k->lo) * sizeof *to);
    }
}

/* The largest weights one by one: each the first that comes after the one before it. */
static void top_of_row(const tap_job *j, const heed__block *k, int64_t i) {
    const heed__general *g = &j->g;
    const int64_t at = ((k->b * g->H + k->h) * g->T + k->t0 + i) * j->tap->top_k;
    const float *a = k->a + i * k->ld;
    int64_t last = -1;
    for (int64_t e = 0; e < j->tap->top_k; e++) {
        int64_t best = -1;
        for (int64_t s = k->from[i]; s < k->end[i]; s++) {
            const bool after = last < 0 || a[s] < a[last] || (a[s] <= a[last] && s > last);
            if (a[s] > 0 && after && (best < 0 || a[s] > a[best])) best = s;
        }
        if (best < 0) return;
        HEED_F32_DATA(j->tap->top_weights)[at + e] = a[best];
        HEED_I32_DATA(j->tap->top_keys)[at + e] = (int32_t)(k->lo + best);
        last = best;
    }
}

static void read_block(const tap_job *j, heed__block *k) {
    const heed__general *g = &j->g;
    const int64_t row = k->b * g->H + k->h;
    for (int64_t i = 0; i < k->n; i++) {
        const float *a = k->a + i * k->ld;
        const int64_t from = k->from[i], n = k->end[i] - from;
        if (j->tap->top_k) top_of_row(j, k, i);
        if (j->tap->entropy) HEED_F32_DATA(j->tap->row_entropy)
        [row * g->T + k->t0 + i] = heed__weights_entropy(g->k, a + from, n, k->row);
        if (j->tap->column_mass)
            g->k->math->axpy(HEED_F32_DATA(j->tap->column) + row * g->S + k->lo + from, 1, a + from,
                             n);
    }
}

static void tap_range(void *arg, int64_t begin, int64_t end, int worker) {
    const tap_job *j = arg;
    const heed__general *g = &j->g;
    const bool all = j->tap->top_k || j->tap->entropy || j->tap->column_mass;
    heed__block k = heed__general_block(g, j->room + worker * j->room_len);
    for (int64_t row = begin; row < end; row++) {
        chosen_rows(j, &k, row);
        for (int64_t t = 0; all && t < g->T; t += GENERAL_BLOCK) {
            heed__general_make(g, &k, row / g->H, row % g->H, t);
            read_block(j, &k);
        }
    }
}

bool heed__general_tap(heed_ctx *cx, const heed__general *g) {
    tap_job j = { .g = *g, .tap = g->c.tap };
    j.g.c.dropout = 0;
    j.room_len = heed__general_room(&j.g);
    j.room = heed__temp(cx, j.room_len * heed_pool_threads(cx->pool), sizeof(float));
    if (!j.room) return false;
    heed__parallel(cx, g->B * g->H, heed__general_cost(g, g->T), tap_range, &j);
    heed__temp_end(cx, j.room);
    return true;
}
