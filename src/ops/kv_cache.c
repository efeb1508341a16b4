/* kv_cache.c: keys and values of past steps in the form that the fused kernel reads, and attention
 * over them. Keys lie in panels [B,Hk,room/16,D,16], values in rows [B,Hk,room,Dvp], so that a step
 * packs nothing but what is new. The first step kept is `base`, a multiple of the kernel's block,
 * so that blocks are where the full forward pass has them. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "kernels/attn_run.h"
#include "ops/attention_impl.h"

struct heed_kv_cache {
    heed_kv_cache_cfg cfg;
    heed_hooks hooks;
    int64_t B, Hk, D, Dv, Dvp;
    int64_t room;      /* steps there is room for; a multiple of 16 */
    int64_t base, len; /* steps base..len-1 are held */
    bool finite;       /* every value so far is */
    float *panels, *rows;
};

static float *room_for(const heed_kv_cache *c, int64_t room, int64_t width) {
    const int64_t heads = c->B * c->Hk;
    if (room > INT64_MAX / 64 / heads / width) return NULL;
    const size_t size = (size_t)(heads * room * width) * sizeof(float);
    float *p = heed__aligned(&c->hooks, size);
    if (p) memset(p, 0, size);
    return p;
}

/* Moves what is held into new room, dropping the first `drop` steps. 0 or HEED_ENOMEM. */
static int move_into(heed_kv_cache *c, int64_t room, int64_t drop) {
    float *panels = room_for(c, room, c->D), *rows = room_for(c, room, c->Dvp);
    if (!panels || !rows) {
        heed__aligned_free(&c->hooks, panels);
        heed__aligned_free(&c->hooks, rows);
        return HEED_ENOMEM;
    }
    const int64_t keep = heed__attn_round16(c->len - c->base - drop);
    for (int64_t i = 0; c->panels && i < c->B * c->Hk; i++) {
        memcpy(panels + i * room * c->D, c->panels + (i * c->room + drop) * c->D,
               (size_t)(keep * c->D) * sizeof(float));
        memcpy(rows + i * room * c->Dvp, c->rows + (i * c->room + drop) * c->Dvp,
               (size_t)(keep * c->Dvp) * sizeof(float));
    }
    heed__aligned_free(&c->hooks, c->panels);
    heed__aligned_free(&c->hooks, c->rows);
    c->panels = panels, c->rows = rows, c->room = room, c->base += drop;
    return 0;
}

heed_kv_cache *heed_kv_cache_new(const heed_kv_cache_cfg *cfg, heed_error *err) {
    enum { MOST = 1 << 24 };
    const heed_kv_cache_cfg g = cfg ? *cfg : (heed_kv_cache_cfg){ 0 };
    const int64_t B = g.batch ? g.batch : 1, Hk = g.kv_heads ? g.kv_heads : 1;
    const int64_t Dv = g.value_dim ? g.value_dim : g.dim, room = g.capacity ? g.capacity : 64;
    if (B < 1 || B > MOST || Hk < 1 || Hk > MOST || g.dim < 1 || g.dim > MOST || Dv < 1 ||
        Dv > MOST || room < 1 || room > INT64_MAX / 2 || g.keep < 0 || g.keep > INT64_MAX / 4) {
        heed__error(err, HEED_EINVALID,
                    "kv cache: batch %lld, kv_heads %lld, dim %lld, value_dim %lld, capacity %lld, "
                    "keep %lld are not all within bounds",
                    (long long)B, (long long)Hk, (long long)g.dim, (long long)Dv, (long long)room,
                    (long long)g.keep);
        return NULL;
    }
    heed_kv_cache *c = heed__calloc(g.hooks, 1, sizeof *c);
    if (c) {
        *c = (heed_kv_cache){ .cfg = g, .B = B, .Hk = Hk, .D = g.dim, .Dv = Dv, .finite = true };
        if (g.hooks) c->hooks = *g.hooks;
        c->Dvp = heed__attn_round16(Dv);
        if (!move_into(c, heed__attn_round16(room), 0)) return c;
        heed__free(g.hooks, c);
    }
    heed__error(err, HEED_ENOMEM, "kv cache: out of memory");
    return NULL;
}

void heed_kv_cache_free(heed_kv_cache *c) {
    if (!c) return;
    const heed_hooks hooks = c->hooks;
    heed__aligned_free(&hooks, c->panels);
    heed__aligned_free(&hooks, c->rows);
    heed__free(&hooks, c);
}

void heed_kv_cache_reset(heed_kv_cache *c) {
    if (!c) return;
    c->base = c->len = 0;
    c->finite = true;
}

int64_t heed_kv_cache_len(const heed_kv_cache *c) {
    return c ? c->len : 0;
}

int heed_kv_cache_truncate(heed_kv_cache *c, int64_t len) {
    if (!c || len < c->base || len > c->len) return HEED_EINVALID;
    c->len = len;
    return 0;
}

/* -- rows change places, for beam search */

/* Where the heads of one row lie, `room` steps each. */
typedef struct place {
    float *panels, *rows;
    int64_t room;
} place;

static place row_of(const heed_kv_cache *c, int64_t b) {
    const int64_t at = b * c->Hk * c->room;
    return (place){ c->panels + at * c->D, c->rows + at * c->Dvp, c->room };
}

static void copy_row(const heed_kv_cache *c, place to, place from) {
    const int64_t held = heed__attn_round16(c->len - c->base);
    for (int64_t h = 0; h < c->Hk; h++) {
        memcpy(to.panels + h * to.room * c->D, from.panels + h * from.room * c->D,
               (size_t)(held * c->D) * sizeof(float));
        memcpy(to.rows + h * to.room * c->Dvp, from.rows + h * from.room * c->Dvp,
               (size_t)(held * c->Dvp) * sizeof(float));
    }
}

/* Row b becomes what row from[b] was, without room for all: first the rows that no other waits for,
 * each freeing its source in turn; what is left are circles, each turned with one row aside. from
 * ends as 0, 1, 2, …; waiting [B] counts, for each row, the others that still need it. */
static void reorder(const heed_kv_cache *c, int32_t *from, int32_t *waiting, place aside) {
    memset(waiting, 0, (size_t)c->B * sizeof *waiting);
    for (int32_t b = 0; b < c->B; b++) waiting[from[b]] += from[b] != b;
    for (int32_t b = 0; b < c->B; b++)
        for (int32_t to = b; from[to] != to && waiting[to] == 0;) {
            const int32_t source = from[to];
            copy_row(c, row_of(c, to), row_of(c, source));
            from[to] = to;
            waiting[source]--;
            to = source;
        }
    for (int32_t b = 0; b < c->B; b++) {
        if (from[b] == b) continue;
        copy_row(c, aside, row_of(c, b));
        int32_t to = b;
        for (; from[to] != b;) {
            const int32_t source = from[to];
            copy_row(c, row_of(c, to), row_of(c, source));
            from[to] = to;
            to = source;
        }
        copy_row(c, row_of(c, to), aside);
        from[to] = to;
    }
}

int heed_kv_cache_reorder(heed_kv_cache *c, const int32_t *rows) {
    if (!c || !rows) return HEED_EINVALID;
    bool same = true;
    for (int64_t b = 0; b < c->B; b++) {
        if (rows[b] < 0 || rows[b] >= c->B) return HEED_EINVALID;
        same &= rows[b] == b;
    }
    const int64_t held = heed__attn_round16(c->len - c->base);
    if (same || !held) return 0;
    const size_t one = (size_t)(c->Hk * held) * sizeof(float);
    int32_t *lists = heed__calloc(&c->hooks, (size_t)c->B, 2 * sizeof *lists);
    const place aside = { heed__aligned(&c->hooks, one * (size_t)c->D),
                          heed__aligned(&c->hooks, one * (size_t)c->Dvp), held };
    const bool ok = lists && aside.panels && aside.rows;
    if (ok) {
        memcpy(lists, rows, (size_t)c->B * sizeof *lists);
        reorder(c, lists, lists + c->B, aside);
    }
    heed__aligned_free(&c->hooks, aside.panels);
    heed__aligned_free(&c->hooks, aside.rows);
    heed__free(&c->hooks, lists);
    return ok ? 0 : HEED_ENOMEM;
}

/* Room for n more steps: forgets old blocks first where that is wanted. */
static int make_way(heed_kv_cache *c, int64_t n) {
    if (n > INT64_MAX / 4 - c->len) return HEED_ENOMEM;
    const int64_t held = c->len - c->base, block = HEED_ATTN_BLOCK;
    int64_t drop = 0;
    /* one block more than `keep`: rows whose first key is no multiple of it count from another */
    if (c->cfg.keep && held > c->cfg.keep + block)
        drop = (held - c->cfg.keep - block) / block * block;
    if (held + n <= c->room) return 0;
    int64_t room = c->room;
    while (room < held - drop + n) room *= 2;
    return move_into(c, room, drop);
}

static void append_head(const heed_ctx *cx, heed_kv_cache *c, const float *k, const float *v,
                        int64_t head) {
    const int64_t at = c->len - c->base;
    float unit = 1;
    if (c->cfg.unit_keys) heed__attn_unit(cx->k, &unit, k, c->D, 1, c->D);
    float *panel = c->panels + (head * c->room + at / 16 * 16) * c->D + at % 16;
    for (int64_t i = 0; i < c->D; i++) {
        const float x = c->cfg.unit_keys ? k[i] * unit : k[i];
        panel[i * 16] = x == x ? x : NAN;
    }
    float *row = c->rows + (head * c->room + at) * c->Dvp;
    for (int64_t i = 0; i < c->Dv; i++) {
        row[i] = v[i];
        c->finite &= isfinite(v[i]) != 0;
    }
}

int heed_kv_cache_append(heed_ctx *cx, heed_kv_cache *c, heed_tensor *k, heed_tensor *v) {
    char a[96], b[96];
    if (!cx || !c || !k || !v) return heed_ctx_error(cx) ? heed_ctx_error(cx)->code : HEED_EINVALID;
    const bool ok = k->ndim == 3 && v->ndim == 3 && k->dtype == HEED_F32 && v->dtype == HEED_F32 &&
                    k->shape[0] == c->B && v->shape[0] == c->B && k->shape[1] == v->shape[1] &&
                    k->shape[2] == c->Hk * c->D && v->shape[2] == c->Hk * c->Dv;
    if (!ok) {
        heed_fail(
            cx, HEED_ESHAPE,
            "kv cache: k %s and v %s do not fit a cache of [%lld,n,%lld*%lld] and values of %lld",
            heed_shape_text(k, a), heed_shape_text(v, b), (long long)c->B, (long long)c->Hk,
            (long long)c->D, (long long)c->Dv);
        return HEED_ESHAPE;
    }
    const int64_t n = k->shape[1];
    if (make_way(c, n)) {
        heed_fail(cx, HEED_ENOMEM, "kv cache: out of memory");
        return HEED_ENOMEM;
    }
    for (int64_t i = 0; i < n; i++, c->len++)
        for (int64_t head = 0; head < c->B * c->Hk; head++) {
            const int64_t at = (head / c->Hk * n + i) * c->Hk + head % c->Hk;
            append_head(cx, c, HEED_F32_DATA(k) + at * c->D, HEED_F32_DATA(v) + at * c->Dv, head);
        }
    return 0;
}

/* -- attention over a cache */

/* Starts and lengths counted from the first step held. A row that starts before it starts at the
 * first of its own blocks that is held. */
static bool shift_lists(heed_ctx *cx, const heed_kv_cache *c, heed_attn *a, bool *aligned) {
    *aligned = true;
    if (!a->starts && (!a->lengths || c->base == 0)) return true;
    int32_t *starts = heed__alloc(cx, c->B, sizeof *starts);
    int32_t *lengths = heed__alloc(cx, c->B, sizeof *lengths);
    if (!starts || !lengths) return false;
    for (int64_t b = 0; b < c->B; b++) {
        const int64_t start = a->starts ? a->starts[b] : 0;
        const int64_t end = a->lengths ? start + a->lengths[b] : c->len;
        int64_t at = start >= c->base ? start - c->base : start % HEED_ATTN_BLOCK;
        if (at > c->len - c->base) at = c->len - c->base;
        starts[b] = (int32_t)at;
        lengths[b] = (int32_t)(end - c->base > at ? end - c->base - at : 0);
        *aligned &= at % 16 == 0;
    }
    a->starts = starts, a->lengths = lengths;
    return true;
}

/* The cache as plain tensors [B,S,Hk,D], for rows that start within a panel. */
static bool unpack(heed_ctx *cx, const heed_kv_cache *c, heed_attn *a) {
    const int64_t S = c->len - c->base;
    float *k = heed__alloc(cx, c->B * c->Hk, (size_t)(S * c->D) * sizeof(float));
    float *v = heed__alloc(cx, c->B * c->Hk, (size_t)(S * c->Dv) * sizeof(float));
    if (!k || !v) return false;
    for (int64_t head = 0; head < c->B * c->Hk; head++)
        for (int64_t s = 0; s < S; s++) {
            const int64_t at = (head / c->Hk * S + s) * c->Hk + head % c->Hk;
            const float *panel = c->panels + (head * c->room + s / 16 * 16) * c->D + s % 16;
            for (int64_t i = 0; i < c->D; i++) k[at * c->D + i] = panel[i * 16];
            memcpy(v + at * c->Dv, c->rows + (head * c->room + s) * c->Dvp,
                   (size_t)c->Dv * sizeof(float));
        }
    a->panels = NULL, a->rows = NULL, a->key = k, a->v = v;
    a->unit_keys = c->cfg.unit_keys;
    return true;
}

static const char *refusal(const heed_kv_cache *c, const heed_attention_cfg *g,
                           const heed_attention_dims *d) {
    /* Top-k is softmax while the cache holds k keys, and nothing that decodes after: never. */
    if (!d->fused || g->weights != HEED_WEIGHTS_SOFTMAX || g->q_segments || g->mask || g->bias)
        return "this combination does not exist with a cache";
    if ((g->score == HEED_SCORE_COSINE) != c->cfg.unit_keys)
        return "a cosine score needs a cache of unit_keys, and it a cosine score";
    return NULL;
}

/* True when a query of the call would see, in some row, a step that is forgotten; the first query
 * sees the oldest. */
static bool sees_forgotten(const heed_kv_cache *c, const heed_attention_cfg *g) {
    const int64_t p = g->query_start;
    for (int64_t b = 0; b < c->B; b++) {
        int64_t from = g->key_starts ? HEED_I32_DATA(g->key_starts)[b] : 0;
        int64_t end = g->key_lengths ? from + HEED_I32_DATA(g->key_lengths)[b] : c->len;
        if (g->causal && p + 1 < end) end = p + 1;
        if (g->truncate && end - g->truncate > from) from = end - g->truncate;
        if (g->window && g->left >= 0 && p - g->left > from) from = p - g->left;
        if (from < c->base && from < end) return true;
    }
    return false;
}

/* Starts of which none lies after the steps so far: a row that begins later sees nothing yet. */
static bool clamp_starts(heed_ctx *cx, const heed_kv_cache *c, heed_attention_cfg *g) {
    const heed_tensor *starts = g->key_starts;
    if (!starts || starts->dtype != HEED_I32 || g->key_lengths) return true;
    heed_tensor *clamped = heed_new(cx, HEED_I32, starts->ndim, starts->shape);
    if (!clamped) return false;
    for (int64_t i = 0; i < starts->len; i++) {
        const int32_t start = HEED_I32_DATA(starts)[i];
        HEED_I32_DATA(clamped)[i] = start > c->len ? (int32_t)c->len : start;
    }
    g->key_starts = clamped;
    return true;
}

heed_tensor *heed_attention_cached(heed_ctx *cx, heed_tensor *q, heed_kv_cache *c,
                                   const heed_attention_cfg *cfg) {
    if (!cx || !q || !c) return NULL;
    heed_tensor key = { .ndim = 3, .dtype = HEED_F32, .shape = { c->B, c->len, c->Hk * c->D } };
    heed_tensor value = { .ndim = 3, .dtype = HEED_F32, .shape = { c->B, c->len, c->Hk * c->Dv } };
    heed_attention_call call = { .q = q, .k = &key, .v = &value };
    if (cfg) call.cfg = *cfg;
    heed_attention_cfg *g = &call.cfg;
    if (!g->kv_heads) g->kv_heads = c->Hk;
    g->dropout = 0;
    if (q->ndim == 3 && !g->query_start && c->len > q->shape[1])
        g->query_start = c->len - q->shape[1];
    if (!clamp_starts(cx, c, g)) return NULL;
    if (heed__attention_check(cx, q, &key, &value, g, &call.d)) return NULL;
    const char *why = call.d.Hk == c->Hk ? refusal(c, g, &call.d) : "kv_heads is not the cache's";
    if (why) return heed_fail(cx, HEED_EUNSUPPORTED, "attention cached: %s", why);
    if (g->query_start < c->base || (g->tap && c->base > 0) || sees_forgotten(c, g))
        return heed_fail(cx, HEED_EINVALID, "attention cached: the first %lld steps are forgotten",
                         (long long)c->base);
    heed__attention_count(cx, &call);
    g->query_start -= c->base;
    call.d.S = c->len - c->base;
    if (g->tap && !heed__attention_tap_make(cx, g->tap, &call.d)) return NULL;
    heed_tensor *out = heed_new(cx, HEED_F32, 3, (int64_t[]){ c->B, call.d.T, call.d.H * c->Dv });
    heed_attn a;
    bool aligned;
    if (!out || !heed__attention_problem(cx, &call, &a)) return NULL;
    a.out = HEED_F32_DATA(out);
    a.panels = c->panels, a.rows = c->rows, a.room = c->room, a.cached_finite = c->finite;
    if (!shift_lists(cx, c, &a, &aligned) || (!aligned && !unpack(cx, c, &a))) return NULL;
    if (!heed__attention_run(cx, &a)) return NULL;
    if (g->tap && !heed__attention_run_tap(cx, &a, g->tap)) return NULL;
    return out;
}
