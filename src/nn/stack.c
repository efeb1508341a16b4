/* stack.c: encoder and decoder as stacks of blocks, and the decoder's cache for generation. */
#include "nn/part.h"
#include "base/alloc.h"

static int stack_init(heed_encoder *e, heed_params *ps, const char *name,
                      const heed_stack_cfg *cfg) {
    char part[HEED_PART_SIZE];
    *e = (heed_encoder){ .cfg = *cfg };
    if (cfg->layers < 1)
        return heed_params_fail(ps, HEED_EINVALID, "%s: a stack of %d layers is none", name,
                                cfg->layers);
    e->blocks = heed_params_alloc(ps, cfg->layers, sizeof *e->blocks);
    if (!e->blocks) return heed__part_status(ps);
    for (int i = 0; i < cfg->layers; i++) {
        if (cfg->share_layers && i > 0) {
            e->blocks[i] = e->blocks[0];
            continue;
        }
        const int status = heed_block_init(&e->blocks[i], ps,
                                           heed__part(ps, part, name, "layers.%d", i), &cfg->block);
        if (status != 0) return status;
    }
    const heed_norm_cfg norm = { .dim = cfg->block.dim,
                                 .rms = cfg->block.rms,
                                 .eps = cfg->block.norm_eps };
    if (cfg->final_norm) heed_norm_init(&e->norm, ps, heed__part(ps, part, name, "norm"), &norm);
    return heed__part_status(ps);
}

int heed_encoder_init(heed_encoder *e, heed_params *ps, const char *name,
                      const heed_encoder_cfg *cfg) {
    return stack_init(e, ps, name, cfg);
}

int heed_decoder_init(heed_decoder *d, heed_params *ps, const char *name,
                      const heed_decoder_cfg *cfg) {
    return stack_init(d, ps, name, cfg);
}

/* All blocks, with caches [layers] or none, and the last norm. */
static heed_tensor *run(heed_ctx *cx, const heed_encoder *e, heed__block_cache *caches,
                        heed_tensor *x, const heed_block_call *call) {
    for (int i = 0; i < e->cfg.layers && x; i++) {
        heed_block_call one = *call;
        if (one.tap) one.tap += i;
        if (one.cross_tap) one.cross_tap += i;
        if (one.more) one.more += i;
        x = heed__block_step(cx, &e->blocks[i], caches ? &caches[i] : NULL, x, &one);
    }
    return e->cfg.final_norm ? heed_norm_apply(cx, &e->norm, x) : x;
}

heed_tensor *heed_encoder_apply(heed_ctx *cx, const heed_encoder *e, heed_tensor *x,
                                heed_tensor *lengths) {
    const heed_block_call call = { .lengths = lengths };
    return run(cx, e, NULL, x, &call);
}

heed_tensor *heed_encoder_apply_call(heed_ctx *cx, const heed_encoder *e, heed_tensor *x,
                                     const heed_block_call *call) {
    const heed_block_call everything = { 0 };
    return run(cx, e, NULL, x, call ? call : &everything);
}

heed_tensor *heed_decoder_apply(heed_ctx *cx, const heed_decoder *d, heed_tensor *x,
                                const heed_block_call *call) {
    heed_block_call causal = { 0 };
    if (call) causal = *call;
    causal.causal = true;
    return run(cx, d, NULL, x, &causal);
}

struct heed_decoder_cache {
    heed_hooks hooks;
    int layers;
    heed__block_cache *caches; /* [layers] */
};

void heed_decoder_cache_free(heed_decoder_cache *cache) {
    if (!cache) return;
    for (int i = 0; cache->caches && i < cache->layers; i++) {
        heed_kv_cache_free(cache->caches[i].self);
        heed_kv_cache_free(cache->caches[i].cross);
    }
    const heed_hooks hooks = cache->hooks;
    heed__free(&hooks, cache->caches);
    heed__free(&hooks, cache);
}

static heed_kv_cache *cache_of(const heed_mha *m, int64_t batch, const heed_hooks *hooks,
                               heed_error *err) {
    const heed_kv_cache_cfg cfg = { .batch = batch,
                                    .kv_heads = m->cfg.kv_heads,
                                    .dim = m->cfg.key,
                                    .value_dim = m->cfg.value,
                                    .unit_keys = m->cfg.kind.score == HEED_SCORE_COSINE,
                                    .hooks = hooks };
    return heed_kv_cache_new(&cfg, err);
}

heed_decoder_cache *heed_decoder_cache_new(const heed_decoder *d, int64_t batch,
                                           const heed_hooks *hooks, heed_error *err) {
    if (err) *err = (heed_error){ 0 };
    if (!d || d->cfg.layers < 1 || !d->blocks) {
        heed__error(err, HEED_EINVALID, "decoder: a cache of a stack without layers");
        return NULL;
    }
    heed_decoder_cache *c = heed__calloc(hooks, 1, sizeof *c);
    if (c) {
        if (hooks) c->hooks = *hooks;
        c->layers = d->cfg.layers;
        c->caches = heed__calloc(hooks, (size_t)c->layers, sizeof *c->caches);
    }
    if (!c || !c->caches) {
        heed_decoder_cache_free(c);
        heed__error(err, HEED_ENOMEM, "decoder: no memory for a cache of %d layers", d->cfg.layers);
        return NULL;
    }
    for (int i = 0; i < c->layers; i++) {
        const heed_block *b = &d->blocks[i];
        c->caches[i].self = cache_of(&b->self, batch, hooks, err);
        if (b->cfg.cross && c->caches[i].self)
            c->caches[i].cross = cache_of(&b->cross, batch, hooks, err);
        if (c->caches[i].self && (!b->cfg.cross || c->caches[i].cross)) continue;
        heed_decoder_cache_free(c);
        return NULL;
    }
    return c;
}

void heed_decoder_cache_reset(heed_decoder_cache *cache) {
    for (int i = 0; cache && i < cache->layers; i++) {
        heed_kv_cache_reset(cache->caches[i].self);
        if (cache->caches[i].cross) heed_kv_cache_reset(cache->caches[i].cross);
    }
}

int64_t heed_decoder_cache_len(const heed_decoder_cache *cache) {
    return cache ? heed_kv_cache_len(cache->caches[0].self) : 0;
}

int heed_decoder_cache_reorder(heed_decoder_cache *cache, const int32_t *rows) {
    if (!cache) return HEED_EINVALID;
    for (int i = 0; i < cache->layers; i++) {
        int status = heed_kv_cache_reorder(cache->caches[i].self, rows);
        if (status == 0 && cache->caches[i].cross)
            status = heed_kv_cache_reorder(cache->caches[i].cross, rows);
        if (status != 0) return status;
    }
    return 0;
}

heed_tensor *heed_decoder_step(heed_ctx *cx, const heed_decoder *d, heed_decoder_cache *cache,
                               heed_tensor *x, const heed_block_call *call) {
    heed_block_call causal = { 0 };
    if (!cache || cache->layers != d->cfg.layers ||
        (cache->caches[0].cross != NULL) != d->cfg.block.cross)
        return heed_fail(cx, HEED_EINVALID, "decoder: %s",
                         !cache ? "there is no cache" : "the cache is another decoder's");
    if (call) causal = *call;
    causal.causal = true;
    return run(cx, d, cache->caches, x, &causal);
}
