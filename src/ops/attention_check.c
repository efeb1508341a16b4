/* attention_check.c: the one place that says which attention exists: a table of rules, each with
 * the sentence that refuses what breaks it, and the shapes of every tensor of a call. */
#include <math.h>
#include <string.h>

#include "ops/attention_impl.h"

/* Beyond this nothing is counted: sums and products of sizes and distances stay within int64_t. */
#define MOST_KEYS (INT64_C(1) << 30)

typedef heed_attention_cfg Cfg;
typedef heed_attention_dims Dims;

static bool dot_like(const Cfg *c) {
    return c->score == HEED_SCORE_SCALED_DOT || c->score == HEED_SCORE_DOT;
}
static bool hard_choice(const Cfg *c) {
    return c->weights == HEED_WEIGHTS_HARD || c->weights == HEED_WEIGHTS_GUMBEL ||
           c->weights == HEED_WEIGHTS_REINFORCE;
}
static bool soft(const Cfg *c) {
    return c->weights == HEED_WEIGHTS_SOFTMAX;
}

/* Everything that the fused kernel knows; the rest is the general path's. */
static bool fits_fused(const Cfg *c, int64_t S) {
    const bool softmax = soft(c) || (c->weights == HEED_WEIGHTS_TOPK && c->topk >= S);
    return softmax && (dot_like(c) || c->score == HEED_SCORE_COSINE) && !c->score_std &&
           !c->block && c->dilation <= 1 && !c->stride && !c->local_center && !c->relative &&
           !c->span && !c->penalty && !(c->globals && c->window);
}

/* -- the combinations: broken(cfg) -> the sentence */
static bool bad_enum(const Cfg *c) {
    return (unsigned)c->score > HEED_SCORE_ADDITIVE ||
           (unsigned)c->weights > HEED_WEIGHTS_SIGMOID ||
           (unsigned)c->penalty > HEED_PENALTY_COVERAGE;
}
static bool bad_number(const Cfg *c) {
    const float least_zero[] = { c->softcap, c->gumbel_tau, c->span_ramp, c->local_width };
    bool bad = !isfinite(c->scale) || !(c->dropout >= 0 && c->dropout < 1);
    for (int i = 0; i < 4; i++) bad |= !(least_zero[i] >= 0) || !isfinite(least_zero[i]);
    return bad || (c->gumbel_tau > 0 && c->gumbel_tau < 1e-6f);
}
static bool negative(const Cfg *c) {
    return c->truncate < 0 || c->block < 0 || c->dilation < 0 || c->stride < 0 || c->globals < 0 ||
           c->query_start < 0 || c->t5_distance < 0 || c->topk < 0;
}
static bool far_start(const Cfg *c) {
    return c->query_start > HEED_ATTENTION_FARTHEST;
}
static bool topk_zero(const Cfg *c) {
    return c->weights == HEED_WEIGHTS_TOPK && c->topk < 1;
}
static bool bilinear_bare(const Cfg *c) {
    return (c->score == HEED_SCORE_BILINEAR) != (c->score_w != NULL);
}
static bool additive_bare(const Cfg *c) {
    return (c->score == HEED_SCORE_ADDITIVE) != (c->score_v != NULL);
}
static bool additive_spare(const Cfg *c) {
    return c->score != HEED_SCORE_ADDITIVE && (c->score_wq || c->score_wk);
}
static bool sinks_soft(const Cfg *c) {
    return c->sinks && !soft(c);
}
static bool softcap_with(const Cfg *c) {
    return c->softcap > 0 && (c->relative || c->span || c->local_center);
}
static bool dropout_hard(const Cfg *c) {
    return c->dropout > 0 && hard_choice(c);
}
static bool relative_with(const Cfg *c) {
    return c->relative && !(c->causal && dot_like(c));
}
static bool relative_spare(const Cfg *c) {
    return !c->relative && (c->relative_u || c->relative_v);
}
static bool span_soft(const Cfg *c) {
    return c->span && !soft(c);
}
static bool penalty_soft(const Cfg *c) {
    return c->penalty && !soft(c);
}
static bool local_soft(const Cfg *c) {
    return c->local_center && (!soft(c) || c->span || !(c->local_width > 0));
}
static bool std_soft(const Cfg *c) {
    return c->score_std && (!soft(c) || c->sinks || c->softcap > 0);
}
static bool more_missing(const Cfg *c) {
    return !c->more && (c->penalty || c->weights == HEED_WEIGHTS_REINFORCE);
}
static bool segments_half(const Cfg *c) {
    return c->k_segments && !c->q_segments;
}

static const struct {
    bool (*broken)(const Cfg *c);
    int code;
    const char *sentence;
} rules[] = {
    { bad_enum, HEED_EINVALID, "score, weights or penalty is none of those listed" },
    { bad_number, HEED_EINVALID,
      "scale must be finite, softcap, gumbel_tau, span_ramp and local_width finite and at least 0, "
      "gumbel_tau not below 1e-6, dropout in [0,1)" },
    { negative, HEED_EINVALID,
      "truncate, block, dilation, stride, globals, query_start, t5_distance and topk must not be "
      "negative" },
    { far_start, HEED_EINVALID, "query_start is farther than positions are counted" },
    { topk_zero, HEED_EINVALID, "top-k weights need topk of at least 1" },
    { bilinear_bare, HEED_EINVALID, "score_w belongs to the bilinear score, and it to score_w" },
    { additive_bare, HEED_EINVALID, "score_v belongs to the additive score, and it to score_v" },
    { additive_spare, HEED_EINVALID, "score_wq and score_wk belong to the additive score" },
    { sinks_soft, HEED_EUNSUPPORTED, "sinks exist with softmax weights only" },
    { softcap_with, HEED_EUNSUPPORTED,
      "softcap does not exist with relative positions, span or local_center" },
    { dropout_hard, HEED_EUNSUPPORTED, "dropout does not exist with weights that choose one key" },
    { relative_with, HEED_EUNSUPPORTED,
      "relative positions exist with causal and a dot or scaled dot score only" },
    { relative_spare, HEED_EINVALID, "relative_u and relative_v need relative" },
    { span_soft, HEED_EUNSUPPORTED, "span exists with softmax weights only" },
    { penalty_soft, HEED_EUNSUPPORTED, "a penalty exists with softmax weights only" },
    { local_soft, HEED_EUNSUPPORTED,
      "local_center exists with softmax weights, without span, and a local_width above 0" },
    { std_soft, HEED_EUNSUPPORTED,
      "score_std exists with softmax weights, without sinks and softcap" },
    { more_missing, HEED_EINVALID, "penalty and REINFORCE need cfg.more for what they give" },
    { segments_half, HEED_EINVALID, "k_segments need q_segments" },
};

/* -- shapes */

typedef struct Want {
    const char *name;
    const heed_tensor *t;
    heed_dtype dtype;
    int ndim;
    int64_t shape[4]; /* -1: any of at least 1 */
} Want;

static int check_want(heed_ctx *cx, const Dims *d, const Want *w) {
    if (!w->t) return 0;
    bool ok = w->t->dtype == w->dtype && w->t->ndim == w->ndim;
    for (int i = 0; ok && i < w->ndim; i++)
        ok = w->shape[i] < 0 ? w->t->shape[i] >= 1 : w->t->shape[i] == w->shape[i];
    if (ok) return 0;
    char have[96], want[96] = "";
    heed_tensor model = { .ndim = w->ndim };
    for (int i = 0; i < w->ndim; i++) model.shape[i] = w->shape[i];
    heed_fail(cx, HEED_ESHAPE, "%s: %s is %s %s where %s %s is needed%s", d->op, w->name,
              heed_dtype_name(w->t->dtype), heed_shape_text(w->t, have), heed_dtype_name(w->dtype),
              heed_shape_text(&model, want), strstr(want, "-1") ? " (-1: any)" : "");
    return HEED_ESHAPE;
}

static int check_extras(heed_ctx *cx, const Cfg *c, const Dims *d) {
    const int64_t A = c->score_v && c->score_v->ndim == 2 ? c->score_v->shape[1] : -1;
    const Want wants[] = {
        { "score_w", c->score_w, HEED_F32, 3, { d->H, d->D, d->Dk } },
        { "score_wq", c->score_wq, HEED_F32, 3, { d->H, A, d->D } },
        { "score_wk", c->score_wk, HEED_F32, 3, { d->H, A, d->Dk } },
        { "score_v", c->score_v, HEED_F32, 2, { d->H, -1 } },
        { "key_lengths", c->key_lengths, HEED_I32, 1, { d->B } },
        { "key_starts", c->key_starts, HEED_I32, 1, { d->B } },
        { "q_segments", c->q_segments, HEED_I32, 2, { d->B, d->T } },
        { "k_segments", c->k_segments, HEED_I32, 2, { d->B, d->S } },
        { "local_center", c->local_center, HEED_F32, 2, { d->B, d->T } },
        { "bias", c->bias, HEED_F32, 3, { d->H, d->T, d->S } },
        { "alibi", c->alibi, HEED_F32, 1, { d->H } },
        { "t5", c->t5, HEED_F32, 2, { -1, d->H } },
        { "relative", c->relative, HEED_F32, 2, { -1, d->H * d->D } },
        { "relative_u", c->relative_u, HEED_F32, 2, { d->H, d->D } },
        { "relative_v", c->relative_v, HEED_F32, 2, { d->H, d->D } },
        { "span", c->span, HEED_F32, 1, { d->H } },
        { "sinks", c->sinks, HEED_F32, 1, { d->H } },
    };
    for (size_t i = 0; i < sizeof wants / sizeof *wants; i++)
        if (check_want(cx, d, &wants[i])) return HEED_ESHAPE;
    const heed_tensor *tau = c->temperature, *mask = c->mask;
    const Want one = { "temperature", tau, HEED_F32, 1, { tau && tau->len == 1 ? 1 : d->H } };
    const Want two = { "mask", mask, HEED_U8, 2, { d->T, d->S } };
    const Want three = { "mask", mask, HEED_U8, 3, { d->B, d->T, d->S } };
    if (check_want(cx, d, &one)) return HEED_ESHAPE;
    if (check_want(cx, d, mask && mask->ndim == 3 ? &three : &two)) return HEED_ESHAPE;
    if (c->q_segments && !c->k_segments && d->T != d->S) {
        heed_fail(cx, HEED_ESHAPE, "%s: q_segments need k_segments where T is not S", d->op);
        return HEED_ESHAPE;
    }
    if (c->score_v && ((!c->score_wq && A != d->D) || (!c->score_wk && A != d->Dk))) {
        heed_fail(cx, HEED_ESHAPE,
                  "%s: additive score of width %lld over heads of %lld and %lld needs "
                  "score_wq and score_wk",
                  d->op, (long long)A, (long long)d->D, (long long)d->Dk);
        return HEED_ESHAPE;
    }
    if (c->t5 && c->t5->shape[0] < (c->t5_one_way ? 2 : 4)) {
        heed_fail(cx, HEED_ESHAPE, "%s: t5 has %lld buckets, at least %d are needed", d->op,
                  (long long)c->t5->shape[0], c->t5_one_way ? 2 : 4);
        return HEED_ESHAPE;
    }
    return 0;
}

static int check_qkv(heed_ctx *cx, const heed_tensor *q, const heed_tensor *k, const heed_tensor *v,
                     const Dims *d) {
    char a[96], b[96], c[96];
    const bool rank = q->ndim == 3 && k->ndim == 3 && v->ndim == 3;
    const bool type = q->dtype == HEED_F32 && k->dtype == HEED_F32 && v->dtype == HEED_F32;
    if (rank && type && q->shape[0] == k->shape[0] && k->shape[0] == v->shape[0] &&
        k->shape[1] == v->shape[1] && q->shape[1] <= MOST_KEYS && k->shape[1] <= MOST_KEYS)
        return 0;
    heed_fail(cx, HEED_ESHAPE,
              "%s: q %s, k %s, v %s are not f32 [B,T,..], [B,S,..], [B,S,..] with T and S of at "
              "most 2^30",
              d->op, heed_shape_text(q, a), heed_shape_text(k, b), heed_shape_text(v, c));
    return HEED_ESHAPE;
}

static int check_widths(heed_ctx *cx, const int64_t width[3], const Cfg *c, Dims *d) {
    enum { MAX_WIDTH = 1 << 16 };
    d->H = c->heads ? c->heads : 1;
    d->Hk = c->kv_heads ? c->kv_heads : d->H;
    if (d->H < 1 || d->Hk < 1 || d->H % d->Hk) {
        heed_fail(cx, HEED_EINVALID, "%s: %lld key heads do not divide %lld heads", d->op,
                  (long long)d->Hk, (long long)d->H);
        return HEED_EINVALID;
    }
    const int64_t heads[3] = { d->H, d->Hk, d->Hk };
    static const char *const name[3] = { "q", "k", "v" };
    for (int i = 0; i < 3; i++) {
        if (width[i] >= heads[i] && width[i] % heads[i] == 0) continue;
        heed_fail(cx, HEED_ESHAPE, "%s: %lld heads do not divide %s's width %lld", d->op,
                  (long long)heads[i], name[i], (long long)width[i]);
        return HEED_ESHAPE;
    }
    d->D = width[0] / d->H, d->Dk = width[1] / d->Hk, d->Dv = width[2] / d->Hk;
    const bool two = c->score == HEED_SCORE_BILINEAR || c->score == HEED_SCORE_ADDITIVE;
    if (d->D > MAX_WIDTH || d->Dk > MAX_WIDTH || d->Dv > MAX_WIDTH || (!two && d->D != d->Dk)) {
        heed_fail(cx, HEED_ESHAPE,
                  "%s: a query head is %lld wide, a key head %lld, a value head %lld", d->op,
                  (long long)d->D, (long long)d->Dk, (long long)d->Dv);
        return HEED_ESHAPE;
    }
    return 0;
}

/* A limit beyond every distance is the same as the largest that can be counted. */
static void tame(Cfg *c) {
    int64_t *const limits[] = { &c->left,     &c->right,  &c->truncate, &c->block,
                                &c->dilation, &c->stride, &c->globals,  &c->t5_distance };
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
        if (*limits[i] > 4 * HEED_ATTENTION_FARTHEST) *limits[i] = 4 * HEED_ATTENTION_FARTHEST;
}

static int check_temperature(heed_ctx *cx, const heed_tensor *tau, const Dims *d) {
    for (int64_t h = 0; tau && h < tau->len; h++) {
        const float value = HEED_F32_DATA(tau)[h];
        if (value > 0 && isfinite(value)) continue;
        heed_fail(cx, HEED_EINVALID, "%s: temperature %g of head %lld is not above 0", d->op,
                  (double)value, (long long)h);
        return HEED_EINVALID;
    }
    return 0;
}

static int check_values(heed_ctx *cx, const Cfg *c, const Dims *d) {
    for (int64_t b = 0; b < d->B; b++) {
        const int64_t start = c->key_starts ? HEED_I32_DATA(c->key_starts)[b] : 0;
        const int64_t n = c->key_lengths ? HEED_I32_DATA(c->key_lengths)[b] : 0;
        if (start >= 0 && start <= d->S && n >= 0 && n <= d->S - start) continue;
        heed_fail(cx, HEED_EINVALID,
                  "%s: row %lld: key start %lld and length %lld are outside of %lld keys", d->op,
                  (long long)b, (long long)start, (long long)n, (long long)d->S);
        return HEED_EINVALID;
    }
    const heed_attention_tap *tap = c->tap;
    bool ok = !tap || (tap->rows_len >= 0 && tap->top_k >= 0 && tap->top_k <= d->S &&
                       (tap->rows || !tap->rows_len));
    for (int64_t i = 0; ok && tap && i < tap->rows_len; i++)
        ok = tap->rows[i] >= 0 && tap->rows[i] < d->T;
    if (ok) return 0;
    heed_fail(cx, HEED_EINVALID, "%s: the tap asks for rows or a top_k that do not exist", d->op);
    return HEED_EINVALID;
}

int heed__attention_check(heed_ctx *cx, const heed_tensor *q, const heed_tensor *k,
                          const heed_tensor *v, heed_attention_cfg *cfg, heed_attention_dims *d) {
    const char *op = d->op ? d->op : "attention";
    *d = (Dims){ .op = op };
    int rc = check_qkv(cx, q, k, v, d);
    if (rc) return rc;
    *d = (Dims){ .op = op, .B = q->shape[0], .T = q->shape[1], .S = k->shape[1] };
    const int64_t width[3] = { q->shape[2], k->shape[2], v->shape[2] };
    if ((rc = check_widths(cx, width, cfg, d))) return rc;
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        if (!rules[i].broken(cfg)) continue;
        heed_fail(cx, rules[i].code, "%s: %s", d->op, rules[i].sentence);
        return rules[i].code;
    }
    if ((rc = check_extras(cx, cfg, d)) || (rc = check_values(cx, cfg, d)) ||
        (rc = check_temperature(cx, cfg->temperature, d)))
        return rc;
    tame(cfg);
    d->fused = fits_fused(cfg, d->S);
    return 0;
}
