/* any_model.h: a model of whichever kind its config says, for tests that go through all of them. */
#ifndef HEED_TESTS_ANY_MODEL_H
#define HEED_TESTS_ANY_MODEL_H

#include "heed/models.h"

typedef union any_model {
    heed_classic classic;
    heed_encoder_classifier encoder;
    heed_lm lm;
    heed_seq2seq seq2seq;
} any_model;

static inline int any_model_init(any_model *m, heed_params *ps, const heed_model_cfg *cfg) {
    switch (cfg->kind) {
    case HEED_MODEL_CLASSIC:
        return heed_classic_init(&m->classic, ps, cfg);
    case HEED_MODEL_ENCODER:
        return heed_encoder_classifier_init(&m->encoder, ps, cfg);
    case HEED_MODEL_LM:
        return heed_lm_init(&m->lm, ps, cfg);
    default:
        return heed_seq2seq_init(&m->seq2seq, ps, cfg);
    }
}

/* Whether it gives one row of logits for each text, not for each place. */
static inline bool any_model_classifies(const heed_model_cfg *cfg) {
    return cfg->kind == HEED_MODEL_CLASSIC || cfg->kind == HEED_MODEL_ENCODER;
}

/* Logits. source is read by SEQ2SEQ alone; lengths, of ids there or else of source, may be NULL. */
static inline heed_tensor *any_model_apply(heed_ctx *cx, const any_model *m,
                                           const heed_model_cfg *cfg, heed_tensor *ids,
                                           heed_tensor *source, heed_tensor *lengths) {
    if (cfg->kind == HEED_MODEL_CLASSIC)
        return heed_classic_apply(cx, &m->classic, ids, lengths, NULL);
    if (cfg->kind == HEED_MODEL_ENCODER)
        return heed_encoder_classifier_apply(cx, &m->encoder, ids, lengths, NULL);
    if (cfg->kind == HEED_MODEL_LM) return heed_lm_apply(cx, &m->lm, ids);
    const heed_block_call call = { .memory = heed_seq2seq_encode(cx, &m->seq2seq, source, lengths),
                                   .memory_lengths = lengths };
    return heed_seq2seq_decode(cx, &m->seq2seq, ids, &call);
}

#endif
