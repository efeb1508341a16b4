/* seq2seq.c: the whole Transformer of Vaswani et al. 2017. */
#include "models/parts.h"

int heed_seq2seq_init(heed_seq2seq *m, heed_params *ps, const heed_model_cfg *cfg) {
    *m = (heed_seq2seq){ .cfg = *cfg };
    heed_model_cfg *c = &m->cfg;
    c->kind = HEED_MODEL_SEQ2SEQ;
    if (heed__model_defaults(ps, c)) return HEED_EINVALID;
    const bool shared = c->source_vocab == 0;
    const heed_stack_cfg encoder = heed__model_stack(c, c->encoder_layers, false);
    const heed_stack_cfg decoder = heed__model_stack(c, c->layers, true);
    heed__model_embed(&m->source, ps, shared ? "embed" : "source", c,
                      shared ? c->vocab : c->source_vocab);
    if (shared)
        m->target = m->source;
    else
        heed__model_embed(&m->target, ps, "target", c, c->vocab);
    heed__model_position(&m->position, ps, c);
    heed_encoder_init(&m->encoder, ps, "encoder", &encoder);
    heed_decoder_init(&m->decoder, ps, "decoder", &decoder);
    heed__model_head(&m->head, ps, c, m->target.w);
    return heed_params_error(ps) ? heed_params_error(ps)->code : 0;
}

heed_tensor *heed_seq2seq_encode(heed_ctx *cx, const heed_seq2seq *m, heed_tensor *source,
                                 heed_tensor *source_lengths) {
    heed_tensor *x = heed__model_enter(cx, &m->source, &m->position, source, 0);
    x = heed_dropout(cx, x, (float)m->cfg.dropout);
    return heed_encoder_apply(cx, &m->encoder, x, source_lengths);
}

heed_tensor *heed_seq2seq_decode(heed_ctx *cx, const heed_seq2seq *m, heed_tensor *target,
                                 const heed_block_call *call) {
    heed_tensor *x = heed__model_enter(cx, &m->target, &m->position, target, 0);
    x = heed_dropout(cx, x, (float)m->cfg.dropout);
    return heed_linear_apply(cx, &m->head, heed_decoder_apply(cx, &m->decoder, x, call));
}

heed_tensor *heed_seq2seq_step(heed_ctx *cx, const heed_seq2seq *m, heed_decoder_cache *cache,
                               heed_tensor *target, const heed_block_call *call) {
    heed_tensor *x = heed__model_enter(cx, &m->target, &m->position, target,
                                       heed_decoder_cache_len(cache));
    return heed_linear_apply(cx, &m->head, heed_decoder_step(cx, &m->decoder, cache, x, call));
}
