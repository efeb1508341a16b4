/* attn_run.c: who sees whom, for the drivers of fused attention. */
#include <math.h>
#include <string.h>

#include "kernels/attn_run.h"
#include "kernels/row.h"
#include "kernels/share.h"

bool heed__attn_next_run(const heed_attn *a, heed_attn_run *r, int64_t end) {
    const int64_t b = r->b;
    r->q0 = r->q1;
    if (r->q0 >= end) return false;
    const int64_t start = a->starts ? a->starts[b] : 0;
    const int64_t stop = a->lengths ? start + a->lengths[b] : a->S;
    r->q1 = end, r->k0 = start, r->k1 = r->stop = stop, r->mixed = false;
    if (!a->q_segment) return true;
    const int32_t *qs = a->q_segment + b * a->T, *ks = a->k_segment + b * a->S;
    const int32_t id = qs[r->q0];
    r->q1 = r->q0 + 1;
    while (r->q1 < end && qs[r->q1] == id) r->q1++;
    while (r->k0 < r->k1 && ks[r->k0] != id) r->k0++;
    while (r->k1 > r->k0 && ks[r->k1 - 1] != id) r->k1--;
    for (int64_t s = r->k0; s < r->k1; s++) r->mixed |= ks[s] != id;
    return true;
}

/* Keys lo..hi-1 of the run, counted from k0, are seen by query t as far as bounds say. */
static void bounds(const heed_attn *a, const heed_attn_run *run, int64_t t, int64_t *lo,
                   int64_t *hi) {
    const int64_t p = t + a->query_start - run->k0;
    const int64_t end = a->causal ? heed__min64(run->stop - run->k0, p + 1) : run->stop - run->k0;
    *lo = a->truncate ? heed__max64(0, end - a->truncate) : 0;
    *hi = heed__min64(run->k1 - run->k0, end);
    if (a->window && a->left >= 0) *lo = heed__max64(*lo, p - a->left);
    if (a->window && a->right >= 0) *hi = heed__min64(*hi, p + a->right + 1);
}

void heed__attn_reach(const heed_attn *a, const heed_attn_run *run, int64_t t, int64_t n,
                      int64_t *lo, int64_t *hi) {
    int64_t other; /* both ends grow with the query */
    bounds(a, run, t, lo, &other);
    bounds(a, run, t + n - 1, &other, hi);
    *lo = heed__max64(*lo, 0) / HEED_ATTN_BLOCK * HEED_ATTN_BLOCK;
}

static void fill_extras(const heed_attn *a, const heed_attn_run *run, int64_t h, int64_t t,
                        int64_t key, heed_attn_rows *r) {
    const int64_t s = run->k0 + key; /* the block's first key among all */
    for (int i = 0; i < r->rows; i++) {
        const int64_t row = t + i;
        const int64_t batch = a->mask_batch ? run->b : 0;
        if (a->mask) r->mask[i] = a->mask + (batch * a->T + row) * a->S + s;
        if (a->bias) r->bias[i] = a->bias + (h * a->T + row) * a->S + s;
        if (a->relative)
            r->relative[i] = a->relative + h * a->relative_len +
                             (s - (row + a->query_start) - a->relative_first);
        r->drop_first[i] = ((uint64_t)((run->b * a->H + h) * a->T + row)) *
                               (uint64_t)((a->S + 127) / 128 * 128) +
                           (uint64_t)key;
    }
    if (run->mixed) {
        r->key_segment = a->k_segment + run->b * a->S + s;
        r->segment = a->q_segment[run->b * a->T + t];
    }
    r->softcap = a->softcap * HEED_ATTN_LOG2E;
    r->drop_limit = (uint32_t)(a->dropout * 65536.0f + 0.5f);
    if (r->drop_limit > 65535) r->drop_limit = 65535;
    r->drop_scale = 1.0f / (1.0f - a->dropout);
    r->drop_seed = a->seed, r->drop_stream = a->stream;
}

bool heed__attn_rows(const heed_attn *a, const heed_attn_run *run, int64_t h, int64_t t,
                     int64_t key, int64_t n, heed_attn_rows *r) {
    const int rows = r->rows;
    int64_t from = n, to = 0, all_from = 0, all_to = n;
    for (int i = 0; i < rows; i++) {
        int64_t lo, hi;
        bounds(a, run, t + i, &lo, &hi);
        lo = heed__min64(heed__max64(lo - key, 0), n);
        hi = heed__min64(heed__max64(hi - key, 0), n);
        r->lo[i] = (int32_t)lo, r->hi[i] = (int32_t)hi;
        if (lo < hi) from = heed__min64(from, lo), to = heed__max64(to, hi);
        all_from = heed__max64(all_from, lo), all_to = heed__min64(all_to, hi);
    }
    if (from >= to) return false;
    r->from = from, r->to = to;
    r->mask[0] = NULL, r->bias[0] = NULL, r->relative[0] = NULL, r->key_segment = NULL;
    fill_extras(a, run, h, t, key, r);
    /* panels are whole: keys before `from` and past `to` in them are hidden too */
    r->edge = r->mask[0] || r->key_segment || all_from > from / 16 * 16 ||
              all_to < (to + 15) / 16 * 16;
    return true;
}

void heed__attn_unit(const heed_kernels *k, float *scale, const float *x, int64_t ld, int64_t n,
                     int64_t d) {
    for (int64_t i = 0; i < n; i++) {
        const float sum = k->row->sum_sq(x + i * ld, d);
        scale[i] = sum > 0 ? 1.0f / sqrtf(sum) : sum == 0 ? 0.0f : NAN;
    }
}

void heed__attn_leave_out(const heed_kernels *k, float *rows, int64_t ld, int64_t n, int64_t d,
                          float most) {
    for (int64_t i = 0; i < n; i++, rows += ld)
        if (!k->attn->within(rows, ld, 1, d, most)) memset(rows, 0, (size_t)d * sizeof *rows);
}

heed_attn_cut heed__attn_cut(const heed_attn *a, int threads) {
    enum { LEAST = 192 }; /* queries of a piece */
    heed_attn_cut cut = { .chunks = 1 };
    const int64_t heads = a->B * a->Hk;
    if (threads > 1 && heads > 0 && heads < 4 * threads)
        cut.chunks = heed__max64(1, heed__min64(4 * threads / heads + 1, a->T / LEAST));
    cut.chunk = (a->T + cut.chunks - 1) / cut.chunks;
    return cut;
}

void heed__attn_start_rows(const heed_attn *a, const heed_attn_step *s, int64_t n, int64_t h) {
    const float sink = a->sinks ? a->sinks[h] * HEED_ATTN_LOG2E : -INFINITY;
    memset(s->o, 0, (size_t)((n + HEED_ATTN_GROUP) * s->dv) * sizeof(float));
    memset(s->sum, 0, (size_t)(n * 16) * sizeof(float));
    for (int64_t i = 0; i < n; i++) {
        s->max[i] = sink == sink ? sink : NAN;
        s->sum[i * 16] = sink > -INFINITY ? 1.0f : 0.0f;
    }
}
