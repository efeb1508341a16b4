/* attention_visible.c: who sees whom on the general path: the valid keys of a batch row, the range
 * of keys that a block of queries can reach, and each pair's verdict. */
#include "ops/attention_general.h"

#include <math.h>

static int64_t clamp(int64_t x, int64_t lo, int64_t hi) {
    return x < lo ? lo : x > hi ? hi : x;
}

void heed__general_valid(const heed__general *g, int64_t b, int64_t *begin, int64_t *end) {
    *begin = g->c.key_starts ? HEED_I32_DATA(g->c.key_starts)[b] : 0;
    *end = g->c.key_lengths ? *begin + HEED_I32_DATA(g->c.key_lengths)[b] : g->S;
}

/* What one query may see before masks and patterns: keys first..last-1. */
typedef struct reach {
    int64_t p;           /* position among the keys */
    int64_t begin, end;  /* valid keys */
    int64_t first, last; /* those in reach */
    bool everywhere;     /* one of the first `globals`: patterns do not bind it */
    float center;
} reach;

static bool patterned(const heed_attention_cfg *c) {
    return c->window || c->block || c->dilation > 1 || c->stride;
}

/* A window's own bounds, unless something beyond it may be seen too. */
static void reach_window(const heed_attention_cfg *c, reach *r) {
    if (c->globals || c->stride || r->everywhere) return;
    if (c->window && c->left >= 0 && c->left < r->p - r->first) r->first = r->p - c->left;
    if (c->window && c->right >= 0 && c->right < r->last - 1 - r->p) r->last = r->p + c->right + 1;
    if (!c->block) return;
    const int64_t at = r->p < r->begin ? r->begin : r->p, n = (at - r->begin) / c->block;
    if (n > (r->end - r->begin) / c->block) {
        r->first = r->last;
        return;
    }
    const int64_t from = r->begin + n * c->block;
    if (from > r->first) r->first = from;
    if (c->block < r->last - from) r->last = from + c->block;
}

/* The learned span of head h (Sukhbaatar et al.): nothing at distance ramp + span or more. */
static void reach_span(const heed__general *g, int64_t h, reach *r) {
    if (!g->c.span) return;
    const float ramp = g->c.span_ramp > 0 ? g->c.span_ramp : 32;
    const double far = ceil((double)(ramp + HEED_F32_DATA(g->c.span)[h]));
    if (!(far < (double)(g->T + g->S + g->c.query_start))) return;
    const int64_t most = far > 0 ? (int64_t)far - 1 : -1;
    if (r->p - most > r->first) r->first = r->p - most;
    if (r->p + most + 1 < r->last) r->last = r->p + most + 1;
}

static reach reach_of(const heed__general *g, int64_t b, int64_t h, int64_t t) {
    const heed_attention_cfg *c = &g->c;
    reach r = { .p = t + c->query_start };
    heed__general_valid(g, b, &r.begin, &r.end);
    r.first = r.begin, r.last = r.end;
    if (c->causal && r.p + 1 < r.last) r.last = r.p + 1;
    if (c->truncate && r.last - c->truncate > r.first) r.first = r.last - c->truncate;
    r.everywhere = c->globals && r.p >= r.begin && r.p - r.begin < c->globals;
    reach_window(c, &r);
    reach_span(g, h, &r);
    if (c->local_center) {
        r.center = HEED_F32_DATA(c->local_center)[b * g->T + t];
        const float from = r.center - c->local_width, to = r.center + c->local_width;
        if (from > (float)r.first && from < (float)r.last) r.first = (int64_t)from;
        if (to < (float)(r.last - 1) && to >= (float)r.first) r.last = (int64_t)to + 1;
    }
    r.last = clamp(r.last, r.begin, r.end);
    r.first = clamp(r.first, r.begin, r.last);
    return r;
}

/* Where row (b,t)'s sums begin: the first valid key of its segment. */
static int64_t origin_of(const heed__general *g, int64_t b, int64_t t, const reach *r) {
    if (!g->c.q_segments) return r->begin;
    const heed_tensor *keys = g->c.k_segments ? g->c.k_segments : g->c.q_segments;
    const int32_t mine = HEED_I32_DATA(g->c.q_segments)[b * g->T + t];
    const int32_t *seg = HEED_I32_DATA(keys) + b * g->S;
    int64_t s = r->begin;
    while (s < r->end && seg[s] != mine) s++;
    return s;
}

/* A multiple of GENERAL_ALIGN after the origin, at or before the first key in reach. */
static int64_t aligned(int64_t origin, int64_t first) {
    return first <= origin ? origin : first - (first - origin) % GENERAL_ALIGN;
}

void heed__general_range(const heed__general *g, heed__block *k) {
    k->lo = g->S, k->hi = 0;
    for (int64_t i = 0; i < k->n; i++) {
        const reach r = reach_of(g, k->b, k->h, k->t0 + i);
        const int64_t origin = origin_of(g, k->b, k->t0 + i, &r);
        k->from[i] = aligned(origin, r.first);
        k->end[i] = r.last < k->from[i] ? k->from[i] : r.last;
        if (k->end[i] == k->from[i]) continue;
        if (k->from[i] < k->lo) k->lo = k->from[i];
        if (k->end[i] > k->hi) k->hi = k->end[i];
    }
    if (k->hi < k->lo) k->lo = k->hi = 0;
    for (int64_t i = 0; i < k->n; i++) {
        const bool none = k->end[i] == k->from[i];
        k->from[i] = none ? 0 : k->from[i] - k->lo;
        k->end[i] = none ? 0 : k->end[i] - k->lo;
    }
    k->ld = (k->hi - k->lo + 15) / 16 * 16;
}

/* Local patterns, stride and globals for the key s of query position p. */
static bool in_pattern(const heed_attention_cfg *c, const reach *r, int64_t s) {
    if (r->everywhere || (c->globals && s - r->begin < c->globals)) return true;
    const int64_t away = r->p - s;
    if (c->stride && away % c->stride == 0) return true;
    if (c->stride && !c->window && !c->block) return false;
    if (c->window && ((c->left >= 0 && away > c->left) || (c->right >= 0 && -away > c->right)))
        return false;
    if (c->block && (r->p < r->begin || (r->p - r->begin) / c->block != (s - r->begin) / c->block))
        return false;
    return c->dilation <= 1 || away % c->dilation == 0;
}

void heed__general_hide(const heed__general *g, heed__block *k, int64_t i) {
    const heed_attention_cfg *c = &g->c;
    const int64_t t = k->t0 + i, b = k->b;
    const reach r = reach_of(g, b, k->h, t);
    const heed_tensor *keys = c->k_segments ? c->k_segments : c->q_segments;
    const int32_t *seg = c->q_segments ? HEED_I32_DATA(keys) + b * g->S : NULL;
    const int32_t mine = seg ? HEED_I32_DATA(c->q_segments)[b * g->T + t] : 0;
    const int64_t plane = c->mask && c->mask->ndim == 3 ? b : 0;
    const uint8_t *mask = c->mask ? HEED_U8_DATA(c->mask) + (plane * g->T + t) * g->S : NULL;
    const bool pattern = patterned(c);
    float *x = k->x + i * k->ld;
    int64_t end = k->from[i];
    for (int64_t j = 0; j < k->ld; j++) {
        const int64_t s = k->lo + j;
        const bool sees = j >= k->from[i] && j < k->end[i] && s >= r.first && s < r.last &&
                          (!seg || seg[s] == mine) && (!mask || mask[s]) &&
                          (!pattern || in_pattern(c, &r, s)) &&
                          (!c->local_center || !(fabsf((float)s - r.center) > c->local_width));
        if (sees)
            end = j + 1;
        else
            x[j] = -INFINITY;
    }
    k->end[i] = end;
}
