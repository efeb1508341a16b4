/* lm.c: a decoder that predicts the next token (Radford et al. 2019): learned positions, pre-norm,
 * GELU's tanh form, output tied to the table where asked. */
#include "models/parts.h"

int heed_lm_init(heed_lm *m, heed_params *ps, const heed_model_cfg *cfg) {
    *m = (heed_lm){ .cfg = *cfg };
    heed_model_cfg *c = &m->cfg;
    c->kind = HEED_MODEL_LM;
    if (heed__model_defaults(ps, c)) return HEED_EINVALID;
    const heed_stack_cfg stack = heed__model_stack(c, c->layers, false);
    heed__model_embed(&m->embed, ps, "embed", c, c->vocab);
    heed__model_position(&m->position, ps, c);
    heed_decoder_init(&m->decoder, ps, "decoder", &stack);
    heed__model_head(&m->head, ps, c, m->embed.w);
    return heed_params_error(ps) ? heed_params_error(ps)->code : 0;
}

heed_tensor *heed_lm_apply(heed_ctx *cx, const heed_lm *m, heed_tensor *ids) {
    heed_tensor *x = heed__model_enter(cx, &m->embed, &m->position, ids, 0);
    x = heed_dropout(cx, x, (float)m->cfg.dropout);
    return heed_linear_apply(cx, &m->head, heed_decoder_apply(cx, &m->decoder, x, NULL));
}

heed_tensor *heed_lm_step(heed_ctx *cx, const heed_lm *m, heed_decoder_cache *cache,
                          heed_tensor *ids) {
    heed_tensor *x = heed__model_enter(cx, &m->embed, &m->position, ids,
                                       heed_decoder_cache_len(cache));
    return heed_linear_apply(cx, &m->head, heed_decoder_step(cx, &m->decoder, cache, x, NULL));
}
