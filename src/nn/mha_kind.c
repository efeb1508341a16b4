/* mha_kind.c: what a layer of attention declares for its kind and hands to each call: temperature,
 * scores, sinks, span, and positions of several kinds. */
#include "base/elementary.h"
#include "nn/part.h"
#include "ops/attention_impl.h"
#include "tensor/ctx.h"

#include <math.h>

int heed__mha_kind_check(heed_params *ps, const char *name, const heed_mha_cfg *c) {
    const heed_attention_cfg *k = &c->kind;
    const int64_t sizes[] = { c->relative, c->t5_buckets, c->bias_queries, c->bias_keys };
    for (int i = 0; i < 4; i++)
        if (sizes[i] < 0 || sizes[i] > INT64_C(1) << 31)
            return heed_params_fail(ps, HEED_EINVALID,
                                    "%s: relative, t5_buckets, bias_queries and bias_keys are from "
                                    "0 to 2^31, not %lld",
                                    name, (long long)sizes[i]);
    if ((c->bias_queries > 0) != (c->bias_keys > 0))
        return heed_params_fail(ps, HEED_EINVALID,
                                "%s: a bias has queries and keys, not %lld and %lld", name,
                                (long long)c->bias_queries, (long long)c->bias_keys);
    if (!(c->learn_span >= 0) || !isfinite(c->learn_span))
        return heed_params_fail(ps, HEED_EINVALID, "%s: a span of %g keys is none", name,
                                (double)c->learn_span);
    if ((c->relative && (k->relative || k->relative_u || k->relative_v)) ||
        (c->local_p && k->local_center) || (c->bias_queries && k->bias))
        return heed_params_fail(ps, HEED_EINVALID,
                                "%s: positions are given and learnt by the layer", name);
    if (c->relative && k->score != HEED_SCORE_SCALED_DOT && k->score != HEED_SCORE_DOT)
        return heed_params_fail(ps, HEED_EUNSUPPORTED,
                                "%s: relative positions exist with a dot or scaled dot score only",
                                name);
    const bool span = c->learn_span > 0 || k->span;
    if (c->local_p && (k->weights != HEED_WEIGHTS_SOFTMAX || span || !(k->local_width > 0)))
        return heed_params_fail(ps, HEED_EUNSUPPORTED,
                                "%s: local-p exists with softmax weights, without span, and a "
                                "local_width above 0",
                                name);
    if ((c->relative || c->local_p || span) && k->softcap > 0)
        return heed_params_fail(ps, HEED_EUNSUPPORTED,
                                "%s: softcap does not exist with relative positions, span or "
                                "local-p",
                                name);
    if (k->weights != HEED_WEIGHTS_SOFTMAX && (c->learn_sinks || span))
        return heed_params_fail(ps, HEED_EUNSUPPORTED,
                                "%s: sinks and span exist with softmax weights only", name);
    return 0;
}

/* A tensor of the paper's slopes that lives with ps. */
static heed_tensor *alibi(heed_params *ps, int64_t heads) {
    heed_tensor *t = heed_params_alloc(ps, 1, sizeof *t);
    float *slopes = heed_params_alloc(ps, heads, sizeof *slopes);
    if (!t || !slopes) return NULL;
    heed_alibi_slopes(heads, slopes);
    *t = (heed_tensor){
        .shape = { heads }, .ndim = 1, .dtype = HEED_F32, .len = heads, .data = slopes
    };
    return t;
}

/* Transformer-XL's: sinusoids of the distances, their projection, and what joins the queries. */
static void relative_params(heed_mha *m, heed_params *ps, const char *name) {
    const heed_mha_cfg *c = &m->cfg;
    const int64_t H = c->heads, head[] = { H, c->key };
    const heed_init normal = { HEED_INIT_NORMAL, 0.02f };
    m->relative_w = heed__part_param(ps, name, "relative.weight",
                                     (heed_init){ HEED_INIT_XAVIER_UNIFORM, 0 }, 2,
                                     (int64_t[]){ H * c->key, c->dim });
    m->relative_u = heed__part_param(ps, name, "relative_u", normal, 2, head);
    m->relative_v = heed__part_param(ps, name, "relative_v", normal, 2, head);
    heed_tensor *t = heed_params_alloc(ps, 1, sizeof *t);
    float *table = heed_params_alloc(ps, c->relative * c->dim, sizeof *table);
    if (!t || !table) return;
    heed_sinusoids(table, c->relative, c->dim, 10000);
    *t = (heed_tensor){ .shape = { c->relative, c->dim },
                        .ndim = 2,
                        .dtype = HEED_F32,
                        .len = c->relative * c->dim,
                        .data = table };
    m->sinusoids = t;
}

void heed__mha_kind_params(heed_mha *m, heed_params *ps, const char *name) {
    heed_mha_cfg *c = &m->cfg;
    const int64_t H = c->heads;
    const heed_init near = { HEED_INIT_UNIFORM, heed__bound(c->key) };
    heed_attention_cfg *k = &c->kind;
    if (k->score == HEED_SCORE_BILINEAR && !k->score_w)
        k->score_w = heed__part_param(ps, name, "score_w", near, 3,
                                      (int64_t[]){ H, c->key, c->key });
    if (k->score == HEED_SCORE_ADDITIVE && !k->score_v)
        k->score_v = heed__part_param(ps, name, "score_v", near, 2, (int64_t[]){ H, c->key });
    if (c->learn_temperature) {
        const float log = (float)heed__ln((double)c->temperature);
        m->log_temperature = heed__part_param(ps, name, "log_temperature",
                                              (heed_init){ HEED_INIT_CONSTANT, log }, 1, &H);
    }
    if (c->learn_sinks)
        k->sinks = heed__part_param(ps, name, "sinks", (heed_init){ HEED_INIT_ZEROS, 0 }, 1, &H);
    if (c->learn_span > 0)
        k->span = heed__part_param(ps, name, "span",
                                   (heed_init){ HEED_INIT_CONSTANT, c->learn_span }, 1, &H);
    if (c->t5_buckets > 0)
        k->t5 = heed__part_param(ps, name, "t5", (heed_init){ HEED_INIT_NORMAL, 0.02f }, 2,
                                 (int64_t[]){ c->t5_buckets, H });
    if (c->alibi) k->alibi = alibi(ps, H);
    if (c->relative > 0) relative_params(m, ps, name);
    if (c->local_p) {
        const heed_init by_width = { HEED_INIT_UNIFORM, heed__bound(c->dim) };
        m->center_w = heed__part_param(ps, name, "center.weight", by_width, 2,
                                       (int64_t[]){ c->dim, c->dim });
        m->center_v = heed__part_param(ps, name, "center_v", by_width, 2, (int64_t[]){ 1, c->dim });
    }
    if (c->bias_queries > 0)
        m->score_bias = heed__part_param(ps, name, "score_bias", (heed_init){ HEED_INIT_ZEROS, 0 },
                                         3, (int64_t[]){ H, c->bias_queries, c->bias_keys });
}

/* The projected encodings of the distances that the call can see, at most those that there are. */
static heed_tensor *distances(heed_ctx *cx, const heed_mha *m, int64_t seen) {
    const int64_t all = m->cfg.relative;
    heed_tensor *r = m->sinusoids;
    if (seen < all) r = heed_slice(cx, r, 0, 0, seen > 0 ? seen : 1);
    return heed_affine(cx, r, m->relative_w, NULL);
}

/* Whether t, if it is given, has an I32 for each row of the batch. */
static bool one_each(const heed_tensor *t, int64_t B) {
    return !t || (t->dtype == HEED_I32 && t->ndim == 1 && t->len == B);
}

/* start + length·sigmoid(v·tanh(W q)) of each query -> [B,T] */
static heed_tensor *centers(heed_ctx *cx, const heed_mha *m, const heed_attention_cfg *kind,
                            heed_tensor *q, int64_t keys) {
    heed_tensor *z = heed_tanh(cx, heed_affine(cx, q, m->center_w, NULL));
    z = heed_sigmoid(cx, heed_affine(cx, z, m->center_v, NULL));
    if (!z) return NULL;
    const int64_t B = z->shape[0], T = z->shape[1];
    const heed_tensor *len = kind->key_lengths, *from = kind->key_starts;
    if (!one_each(len, B) || !one_each(from, B))
        return heed_fail(cx, HEED_ESHAPE,
                         "attention: key_lengths and key_starts of a batch of %lld are i32 [%lld]",
                         (long long)B, (long long)B);
    heed_tensor *length = heed_new(cx, HEED_F32, 2, z->shape);
    heed_tensor *start = heed_zeros(cx, HEED_F32, 2, z->shape);
    for (int64_t i = 0; length && start && i < B * T; i++) {
        if (from) HEED_F32_DATA(start)[i] = (float)HEED_I32_DATA(from)[i / T];
        HEED_F32_DATA(length)
        [i] = len ? (float)HEED_I32_DATA(len)[i / T] : (float)keys - HEED_F32_DATA(start)[i];
    }
    z = heed_reshape(cx, z, 2, (int64_t[]){ B, T });
    return heed_add(cx, heed_mul(cx, z, length), start);
}

/* The part of the bias that the call's queries and keys have. */
static heed_tensor *bias_part(heed_ctx *cx, const heed_mha *m, int64_t first, int64_t queries,
                              int64_t keys) {
    const int64_t T = m->cfg.bias_queries, S = m->cfg.bias_keys;
    heed_tensor *bias = m->score_bias;
    if (first < 0 || first > T - queries || keys > S)
        return heed_fail(cx, HEED_ESHAPE,
                         "attention: the layer's bias has %lld queries and %lld keys, not "
                         "%lld and %lld",
                         (long long)T, (long long)S, (long long)(first + queries), (long long)keys);
    if (queries < T) bias = heed_slice(cx, bias, 1, first, first + queries);
    return keys < S ? heed_slice(cx, bias, 2, 0, keys) : bias;
}

bool heed__mha_kind(heed_ctx *cx, const heed_mha *m, const heed_attention_cfg *cfg, heed_tensor *q,
                    int64_t keys, heed_attention_cfg *kind) {
    *kind = cfg ? *cfg : m->cfg.kind;
    if (!q || q->ndim != 3) return true; /* refused by the projection */
    if (kind->query_start < 0 || kind->query_start > HEED_ATTENTION_FARTHEST)
        return true; /* refused by attention */
    const int64_t T = q->shape[1];
    if (m->log_temperature && !(kind->temperature = heed_exp(cx, m->log_temperature))) return false;
    if (m->relative_w) {
        kind->relative = distances(cx, m, kind->query_start + T);
        kind->relative_u = m->relative_u, kind->relative_v = m->relative_v;
        if (!kind->relative) return false;
    }
    if (m->center_w && !(kind->local_center = centers(cx, m, kind, q, keys))) return false;
    return !m->score_bias || (kind->bias = bias_part(cx, m, kind->query_start, T, keys));
}
