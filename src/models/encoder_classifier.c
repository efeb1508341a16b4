/* encoder_classifier.c: embedding, positions, Transformer encoder, pooling, classes. */
#include "models/parts.h"

int heed__encoder_body(heed_encoder_classifier *m, heed_params *ps, const heed_model_cfg *cfg) {
    *m = (heed_encoder_classifier){ .cfg = *cfg };
    heed_model_cfg *c = &m->cfg;
    if (heed__model_defaults(ps, c)) return HEED_EINVALID;
    const heed_stack_cfg stack = heed__model_stack(c, c->layers, false);
    heed__model_embed(&m->embed, ps, "embed", c, c->vocab);
    heed__model_position(&m->position, ps, c);
    heed_encoder_init(&m->encoder, ps, "encoder", &stack);
    return heed_pooling_init(&m->pooling, ps, "pooling", c->pooling, c->dim);
}

int heed_encoder_classifier_init(heed_encoder_classifier *m, heed_params *ps,
                                 const heed_model_cfg *cfg) {
    if (heed__encoder_body(m, ps, cfg)) return HEED_EINVALID;
    return heed_linear_init(&m->head, ps, "head", m->cfg.dim, m->cfg.classes);
}

heed_tensor *heed__encoder_states(heed_ctx *cx, const heed_encoder_classifier *m, heed_tensor *ids,
                                  const heed_block_call *call) {
    heed_tensor *x = heed__model_enter(cx, &m->embed, &m->position, ids, 0);
    x = heed_dropout(cx, x, (float)m->cfg.dropout);
    return heed_encoder_apply_call(cx, &m->encoder, x, call);
}

heed_tensor *heed_encoder_classifier_encode(heed_ctx *cx, const heed_encoder_classifier *m,
                                            heed_tensor *ids, heed_tensor *lengths,
                                            heed_attention_tap *taps) {
    return heed__encoder_states(cx, m, ids, &(heed_block_call){ .lengths = lengths, .tap = taps });
}

heed_tensor *heed_encoder_classifier_apply(heed_ctx *cx, const heed_encoder_classifier *m,
                                           heed_tensor *ids, heed_tensor *lengths,
                                           heed_attention_tap *taps) {
    heed_tensor *h = heed_encoder_classifier_encode(cx, m, ids, lengths, taps);
    return heed_linear_apply(cx, &m->head, heed_pooling_apply(cx, &m->pooling, h, lengths, NULL));
}
