/* block.c: one block of a Transformer, encoder or decoder.
 *
 *   post norm   x = norm1(x + attn(x));        x = norm2(x + ff(x))          Vaswani et al. 2017
 *   pre norm    x = x + attn(norm1(x));        x = x + ff(norm2(x))          Xiong et al. 2020
 *   a decoder with cross-attention has the same part with norm_cross between the two
 * Dropout comes after each part, before its residual is added.
 */
#include "nn/part.h"

/* What every linear and every width of the block share. */
static void fill_mha(const heed_block_cfg *c, float dropout, heed_mha_cfg *m) {
    m->dim = c->dim;
    m->no_bias |= c->no_bias;
    m->no_out_bias |= c->no_bias;
    m->kind.dropout = dropout;
}

static int check(heed_params *ps, const char *name, const heed_block_cfg *c) {
    if (c->self.dim != 0 && c->self.dim != c->dim)
        return heed_params_fail(ps, HEED_EINVALID,
                                "%s: self-attention of width %lld in a block of width %lld", name,
                                (long long)c->self.dim, (long long)c->dim);
    if (c->self.kdim != 0 || c->self.vdim != 0)
        return heed_params_fail(ps, HEED_EINVALID,
                                "%s: self-attention has no kdim and no vdim of its own", name);
    const bool parts = c->dropout >= 0 && c->dropout < 1;
    if (parts && c->attention_dropout < 1) return 0;
    return heed_params_fail(ps, HEED_EINVALID, "%s: dropout %g is outside 0..1", name,
                            (double)(parts ? c->attention_dropout : c->dropout));
}

int heed_block_init(heed_block *b, heed_params *ps, const char *name, const heed_block_cfg *cfg) {
    char part[HEED_PART_SIZE];
    *b = (heed_block){ .cfg = *cfg };
    heed_block_cfg *c = &b->cfg;
    if (!heed__width_ok(c->dim))
        return heed_params_fail(ps, HEED_EINVALID, "%s: a block of width %lld is none", name,
                                (long long)c->dim);
    if (c->ff == 0) c->ff = 4 * c->dim;
    if (check(ps, name, c) != 0) return HEED_EINVALID;
    const float weights = c->attention_dropout == 0  ? c->dropout
                          : c->attention_dropout < 0 ? 0
                                                     : c->attention_dropout;
    const heed_norm_cfg norm = { .dim = c->dim, .rms = c->rms, .eps = c->norm_eps };
    heed_mha_cfg m = c->self;
    fill_mha(c, weights, &m);
    heed_mha_init(&b->self, ps, heed__part(ps, part, name, "self"), &m);
    heed_norm_init(&b->norm1, ps, heed__part(ps, part, name, "norm1"), &norm);
    if (c->cross) {
        m = (heed_mha_cfg){ .heads = c->self.heads,
                            .kv_heads = c->self.kv_heads,
                            .key = c->self.key,
                            .value = c->self.value,
                            .kdim = c->memory_dim > 0 ? c->memory_dim : c->dim };
        fill_mha(c, weights, &m);
        heed_mha_init(&b->cross, ps, heed__part(ps, part, name, "cross"), &m);
        heed_norm_init(&b->norm_cross, ps, heed__part(ps, part, name, "norm_cross"), &norm);
    }
    const heed_ff_cfg ff = { .dim = c->dim,
                             .hidden = c->ff,
                             .act = c->act,
                             .gated = c->gated,
                             .no_bias = c->no_bias,
                             .dropout = c->dropout };
    heed_ff_init(&b->ff, ps, heed__part(ps, part, name, "ff"), &ff);
    heed_norm_init(&b->norm2, ps, heed__part(ps, part, name, "norm2"), &norm);
    return heed__part_status(ps);
}

typedef struct part_call {
    const heed_block *b;
    heed__block_cache *cache; /* or NULL */
    const heed_block_call *call;
} part_call;

/* Self-attention's heads, before the output projection. */
static heed_tensor *self_heads(heed_ctx *cx, const part_call *p, heed_tensor *x) {
    heed_attention_cfg cfg = p->b->self.cfg.kind;
    cfg.causal |= p->call->causal;
    cfg.key_lengths = p->call->lengths;
    cfg.tap = p->call->tap;
    cfg.more = p->call->more;
    if (!cfg.more) cfg.penalty = HEED_PENALTY_NONE;
    if (p->cache) return heed__mha_step_heads(cx, &p->b->self, x, p->cache->self, &cfg);
    heed_tensor *const qkv[3] = { x, x, x };
    return heed__mha_heads(cx, &p->b->self, qkv, &cfg);
}

static heed_tensor *cross_heads(heed_ctx *cx, const part_call *p, heed_tensor *x) {
    heed_attention_cfg cfg = p->b->cross.cfg.kind;
    cfg.key_lengths = p->call->memory_lengths;
    cfg.tap = p->call->cross_tap;
    heed_tensor *mem = p->call->memory;
    if (!p->cache) {
        heed_tensor *const qkv[3] = { x, mem, mem };
        return heed__mha_heads(cx, &p->b->cross, qkv, &cfg);
    }
    if (heed_kv_cache_len(p->cache->cross) == 0 &&
        heed_mha_remember(cx, &p->b->cross, mem, mem, p->cache->cross) != 0)
        return NULL;
    return heed__mha_recall_heads(cx, &p->b->cross, x, p->cache->cross, &cfg);
}

/* residual + dropout(part of x), each with its last product */
typedef heed_tensor *(*joined)(heed_ctx *cx, const part_call *p, heed_tensor *x,
                               heed_tensor *residual);

static heed_tensor *self_part(heed_ctx *cx, const part_call *p, heed_tensor *x,
                              heed_tensor *residual) {
    const heed_linear *o = &p->b->self.o;
    heed_tensor *h = self_heads(cx, p, x);
    return heed_affine_drop(cx, h, o->w, o->b, p->b->cfg.dropout, residual);
}

static heed_tensor *cross_part(heed_ctx *cx, const part_call *p, heed_tensor *x,
                               heed_tensor *residual) {
    const heed_linear *o = &p->b->cross.o;
    heed_tensor *h = cross_heads(cx, p, x);
    return heed_affine_drop(cx, h, o->w, o->b, p->b->cfg.dropout, residual);
}

static heed_tensor *feed_part(heed_ctx *cx, const part_call *p, heed_tensor *x,
                              heed_tensor *residual) {
    return heed__ff_join(cx, &p->b->ff, x, residual, p->b->cfg.dropout);
}

/* One part with its residual and norm. */
static heed_tensor *around(heed_ctx *cx, const part_call *p, heed_tensor *x, joined part,
                           const heed_norm *norm) {
    if (!x) return NULL;
    if (p->b->cfg.pre_norm) return part(cx, p, heed_norm_apply(cx, norm, x), x);
    return heed_norm_apply(cx, norm, part(cx, p, x, x));
}

heed_tensor *heed__block_step(heed_ctx *cx, const heed_block *b, heed__block_cache *cache,
                              heed_tensor *x, const heed_block_call *call) {
    static const heed_block_call everything;
    const part_call p = { b, cache, call ? call : &everything };
    if (!x) return NULL;
    if (b->cfg.cross && !p.call->memory && (!cache || heed_kv_cache_len(cache->cross) == 0))
        return heed_ctx_error(cx)
                   ? NULL
                   : heed_fail(cx, HEED_EINVALID, "block: cross-attention was given no memory");
    x = around(cx, &p, x, self_part, &b->norm1);
    if (b->cfg.cross) x = around(cx, &p, x, cross_part, &b->norm_cross);
    return around(cx, &p, x, feed_part, &b->norm2);
}

heed_tensor *heed_block_apply(heed_ctx *cx, const heed_block *b, heed_tensor *x,
                              const heed_block_call *call) {
    return heed__block_step(cx, b, NULL, x, call);
}
