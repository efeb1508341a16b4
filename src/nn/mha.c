/* mha.c: multi-head attention: projections, rotary positions, heed_attention, output projection. */
#include "nn/part.h"
#include "ops/attention_impl.h"
#include "tensor/ctx.h"

#include <math.h>

/* A fixed temperature is a matter of the scale. */
static int temper(heed_params *ps, const char *name, heed_mha_cfg *c) {
    if (c->temperature == 0) c->temperature = 1;
    if (!(c->temperature > 0) || !isfinite(c->temperature))
        return heed_params_fail(ps, HEED_EINVALID, "%s: temperature %g is not above 0", name,
                                (double)c->temperature);
    if (c->learn_temperature && c->kind.temperature)
        return heed_params_fail(ps, HEED_EINVALID, "%s: the temperature is given and learnt", name);
    if (c->learn_temperature || c->temperature == 1) return 0;
    heed_attention_cfg *k = &c->kind;
    if (k->scale == 0) k->scale = k->score == HEED_SCORE_SCALED_DOT ? heed__bound(c->key) : 1;
    k->scale /= c->temperature;
    return 0;
}

/* Fills in the defaults of *c; refuses what does not fit. */
static int complete(heed_params *ps, const char *name, heed_mha_cfg *c) {
    if (c->heads == 0) c->heads = 1;
    if (c->kv_heads == 0) c->kv_heads = c->heads;
    if (!heed__width_ok(c->dim) || c->heads < 1 || c->kv_heads < 1)
        return heed_params_fail(ps, HEED_EINVALID, "%s: %d heads (%d for keys) of d_model %lld",
                                name, c->heads, c->kv_heads, (long long)c->dim);
    if (c->heads % c->kv_heads != 0)
        return heed_params_fail(ps, HEED_EINVALID, "%s: %d heads are no multiple of %d key heads",
                                name, c->heads, c->kv_heads);
    if (c->key == 0 && c->dim % c->heads != 0)
        return heed_params_fail(ps, HEED_EINVALID, "%s: d_model %lld does not divide into %d heads",
                                name, (long long)c->dim, c->heads);
    if (c->key == 0) c->key = c->dim / c->heads;
    if (c->value == 0) c->value = c->key;
    if (c->kdim == 0) c->kdim = c->dim;
    if (c->vdim == 0) c->vdim = c->kdim;
    if (!heed__width_ok(c->key) || !heed__width_ok(c->value) || !heed__width_ok(c->kdim) ||
        !heed__width_ok(c->vdim))
        return heed_params_fail(
            ps, HEED_EINVALID, "%s: heads of %lld and %lld numbers over inputs of %lld and %lld",
            name, (long long)c->key, (long long)c->value, (long long)c->kdim, (long long)c->vdim);
    const int64_t wide = c->heads * c->key != c->dim ? c->key : c->value;
    if (c->square && c->heads * wide != c->dim)
        return heed_params_fail(ps, HEED_EINVALID, "%s: %d heads x %lld is %lld, not d_model %lld",
                                name, c->heads, (long long)wide, (long long)(c->heads * wide),
                                (long long)c->dim);
    if (c->use_rotary && (c->rotary.dims > c->key || (c->rotary.dims == 0 && c->key % 2 != 0)))
        return heed_params_fail(ps, HEED_EINVALID, "%s: rotary over %d of %lld numbers of a head",
                                name, c->rotary.dims, (long long)c->key);
    c->kind.heads = c->heads;
    c->kind.kv_heads = c->kv_heads;
    const int status = heed__mha_kind_check(ps, name, c);
    return status ? status : temper(ps, name, c);
}

int heed_mha_init(heed_mha *m, heed_params *ps, const char *name, const heed_mha_cfg *cfg) {
    char part[HEED_PART_SIZE];
    *m = (heed_mha){ .cfg = *cfg };
    heed_mha_cfg *c = &m->cfg;
    const int status = complete(ps, name, c);
    if (status != 0) return status;
    const int64_t q = c->heads * c->key, k = c->kv_heads * c->key, v = c->kv_heads * c->value;
    /* PyTorch draws q, k and v of equal widths as one matrix [q+k+v,C] */
    const bool joint = c->kdim == c->dim && c->vdim == c->dim;
    const heed_init zeros = { HEED_INIT_ZEROS, 0 };
    const heed_init one = { HEED_INIT_UNIFORM, (float)sqrt(6.0 / (double)(q + k + v + c->dim)) };
    const heed_init each = { HEED_INIT_XAVIER_UNIFORM, 0 };
    heed_linear_cfg l = { .no_bias = c->no_bias, .weight = joint ? &one : &each, .bias = &zeros };
    l.in = c->dim, l.out = q;
    heed_linear_init_cfg(&m->q, ps, heed__part(ps, part, name, "q"), &l);
    l.in = c->kdim, l.out = k;
    heed_linear_init_cfg(&m->k, ps, heed__part(ps, part, name, "k"), &l);
    l.in = c->vdim, l.out = v;
    heed_linear_init_cfg(&m->v, ps, heed__part(ps, part, name, "v"), &l);
    l = (heed_linear_cfg){
        .in = c->heads * c->value, .out = c->dim, .no_bias = c->no_out_bias, .bias = &zeros
    };
    heed_linear_init_cfg(&m->o, ps, heed__part(ps, part, name, "out"), &l);
    heed__mha_kind_params(m, ps, name);
    return heed__part_status(ps);
}

static heed_tensor *turn(heed_ctx *cx, const heed_mha *m, heed_tensor *x, int heads,
                         int64_t start) {
    if (!m->cfg.use_rotary) return x;
    heed_rotary_cfg r = m->cfg.rotary;
    r.heads = heads;
    /* what overflows is refused there, as what is too far is */
    if (__builtin_add_overflow(r.start, start, &r.start)) r.start = INT64_MAX;
    return heed_rotary(cx, x, NULL, &r);
}

heed_tensor *heed__mha_heads(heed_ctx *cx, const heed_mha *m, heed_tensor *const qkv[3],
                             const heed_attention_cfg *cfg) {
    const int64_t keys = qkv[1] && qkv[1]->ndim == 3 ? qkv[1]->shape[1] : 0;
    heed_attention_cfg kind;
    if (!heed__mha_kind(cx, m, cfg, qkv[0], keys, &kind)) return NULL;
    heed_tensor *q = turn(cx, m, heed_linear_apply(cx, &m->q, qkv[0]), m->cfg.heads,
                          kind.query_start);
    heed_tensor *k = turn(cx, m, heed_linear_apply(cx, &m->k, qkv[1]), m->cfg.kv_heads, 0);
    heed_tensor *v = heed_linear_apply(cx, &m->v, qkv[2]);
    return heed_attention(cx, q, k, v, &kind);
}

heed_tensor *heed_mha_apply(heed_ctx *cx, const heed_mha *m, heed_tensor *q, heed_tensor *k,
                            heed_tensor *v, const heed_attention_cfg *cfg) {
    heed_tensor *const qkv[3] = { q, k, v };
    return heed_linear_apply(cx, &m->o, heed__mha_heads(cx, m, qkv, cfg));
}

static bool mean_fits(const heed_mha *m, const heed_attention_cfg *cfg) {
    const heed_mha_cfg *c = &m->cfg;
    return heed__attention_mean_exists(cfg) && !m->log_temperature && !m->relative_w &&
           !m->center_w && !m->score_bias && !c->use_rotary && c->kv_heads == c->heads &&
           c->kdim == c->dim && c->vdim == c->dim;
}

/* Values of the sources z [B,H,C], head h by its own rows of the projection; bias times the sum of
 * the weights, mass [B,H,T] -> [B,H·Dv]. */
static heed_tensor *head_values(heed_ctx *cx, const heed_mha *m, heed_tensor *z,
                                heed_tensor *mass) {
    const int64_t H = m->cfg.heads, Dv = m->cfg.value, C = m->cfg.vdim;
    if (!z || !mass) return NULL;
    const int64_t B = z->shape[0];
    heed_tensor *w = heed_reshape(cx, m->v.w, 3, (int64_t[]){ H, Dv, C });
    heed_tensor *y = heed_matmul(cx, heed_transpose(cx, z, 0, 1), w, false, true);
    if (m->v.b) {
        heed_tensor *sum = heed_transpose(cx, heed_sum_axis(cx, mass, 2), 0, 1);
        sum = heed_reshape(cx, sum, 3, (int64_t[]){ H, B, 1 });
        heed_tensor *bias = heed_reshape(cx, m->v.b, 3, (int64_t[]){ H, 1, Dv });
        y = heed_add(cx, y, heed_matmul(cx, sum, bias, false, false));
    }
    return heed_reshape(cx, heed_transpose(cx, y, 0, 1), 2, (int64_t[]){ B, H * Dv });
}

/* y [B,C] with zeros where the length is 0. */
static heed_tensor *without_empty(heed_ctx *cx, heed_tensor *y, const heed_tensor *lengths) {
    bool empty = false;
    if (!y) return NULL; /* lengths may be what was refused */
    for (int64_t b = 0; lengths && b < lengths->len; b++) empty |= HEED_I32_DATA(lengths)[b] == 0;
    if (!empty) return y;
    heed_tensor *keep = heed_new(cx, HEED_F32, 2, y->shape);
    const int64_t C = y->shape[1];
    for (int64_t i = 0; keep && i < keep->len; i++)
        HEED_F32_DATA(keep)[i] = HEED_I32_DATA(lengths)[i / C] ? 1.0f : 0.0f;
    return heed_mul(cx, y, keep);
}

heed_tensor *heed_mha_mean(heed_ctx *cx, const heed_mha *m, heed_tensor *x, heed_tensor *lengths,
                           const heed_attention_cfg *cfg) {
    if (!cfg) cfg = &m->cfg.kind;
    if (!mean_fits(m, cfg)) return heed_mean_pool(cx, heed_mha_apply(cx, m, x, x, x, cfg), lengths);
    heed_tensor *q = heed_linear_apply(cx, &m->q, x);
    heed_tensor *k = heed_linear_apply(cx, &m->k, x);
    heed_tensor *mass = heed_attention_mean(cx, q, k, lengths, cfg); /* [B,H,T] */
    heed_tensor *z = heed_matmul(cx, mass, x, false, false);         /* [B,H,C] */
    heed_tensor *y = heed_linear_apply(cx, &m->o, head_values(cx, m, z, mass));
    return without_empty(cx, y, lengths);
}

heed_tensor *heed__mha_step_heads(heed_ctx *cx, const heed_mha *m, heed_tensor *x,
                                  heed_kv_cache *cache, const heed_attention_cfg *cfg) {
    const int64_t start = heed_kv_cache_len(cache);
    heed_tensor *q = turn(cx, m, heed_linear_apply(cx, &m->q, x), m->cfg.heads, start);
    heed_tensor *k = turn(cx, m, heed_linear_apply(cx, &m->k, x), m->cfg.kv_heads, start);
    heed_tensor *v = heed_linear_apply(cx, &m->v, x);
    heed_attention_cfg kind;
    if (!q || !k || !v || !heed__mha_kind(cx, m, cfg, x, start + x->shape[1], &kind) ||
        heed_kv_cache_append(cx, cache, k, v) != 0)
        return NULL;
    heed_tensor *y = heed_attention_cached(cx, q, cache, &kind);
    if (!y) heed_kv_cache_truncate(cache, start);
    return y;
}

heed_tensor *heed_mha_step(heed_ctx *cx, const heed_mha *m, heed_tensor *x, heed_kv_cache *cache,
                           const heed_attention_cfg *cfg) {
    return heed_linear_apply(cx, &m->o, heed__mha_step_heads(cx, m, x, cache, cfg));
}

int heed_mha_remember(heed_ctx *cx, const heed_mha *m, heed_tensor *k, heed_tensor *v,
                      heed_kv_cache *cache) {
    heed_tensor *pk = turn(cx, m, heed_linear_apply(cx, &m->k, k), m->cfg.kv_heads, 0);
    heed_tensor *pv = heed_linear_apply(cx, &m->v, v);
    if (pk && pv) return heed_kv_cache_append(cx, cache, pk, pv);
    return heed_ctx_error(cx) ? heed_ctx_error(cx)->code : HEED_EINVALID;
}

heed_tensor *heed__mha_recall_heads(heed_ctx *cx, const heed_mha *m, heed_tensor *x,
                                    heed_kv_cache *cache, const heed_attention_cfg *cfg) {
    heed_tensor *q = turn(cx, m, heed_linear_apply(cx, &m->q, x), m->cfg.heads, 0);
    heed_attention_cfg kind;
    if (!heed__mha_kind(cx, m, cfg, x, heed_kv_cache_len(cache), &kind)) return NULL;
    return heed_attention_cached(cx, q, cache, &kind);
}

heed_tensor *heed_mha_recall(heed_ctx *cx, const heed_mha *m, heed_tensor *x, heed_kv_cache *cache,
                             const heed_attention_cfg *cfg) {
    return heed_linear_apply(cx, &m->o, heed__mha_recall_heads(cx, m, x, cache, cfg));
}
