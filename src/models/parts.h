/* parts.h: what the models share: embedding, positions and blocks from one config. */
#ifndef HEED_MODELS_PARTS_H
#define HEED_MODELS_PARTS_H

#include "heed/models.h"

/* Fills the zero fields that have defaults; 0, or HEED_EINVALID kept in ps for a size outside of
 * 0..2^31-1, a temperature that is no use as a float, or no number of keys for top-k weights. */
int heed__model_defaults(heed_params *ps, heed_model_cfg *c);
/* Whether a temperature that is not 0 is of use as a float: 1e-6 to 1e6. */
#define HEED_LEAST_TEMPERATURE 1e-6
#define HEED_MOST_TEMPERATURE  1e6
bool heed__temperature_is_sound(double temperature);
int heed__model_embed(heed_embed *e, heed_params *ps, const char *name, const heed_model_cfg *c,
                      int64_t vocab);
int heed__model_position(heed_position *p, heed_params *ps, const heed_model_cfg *c);
/* What c->attention says, put into a layer's kind. */
void heed__model_attention(const heed_model_cfg *c, heed_attention_cfg *kind);
/* A stack of `layers` blocks; cross: with cross-attention. */
heed_stack_cfg heed__model_stack(const heed_model_cfg *c, int64_t layers, bool cross);
/* The output layer of LM and SEQ2SEQ; tied to table where the config says so. */
int heed__model_head(heed_linear *head, heed_params *ps, const heed_model_cfg *c,
                     heed_tensor *table);
/* Embedding, positions from `start` on, dropout. */
heed_tensor *heed__model_enter(heed_ctx *cx, const heed_embed *e, const heed_position *p,
                               heed_tensor *ids, int64_t start);
/* The models without their heads: what a body of a task is made of. cfg->classes and dense are not
 * read. 0 or a status that ps keeps. */
int heed__classic_body(heed_classic *m, heed_params *ps, const heed_model_cfg *cfg);
/* -> [B,T,W], W the LSTM's width in all its directions. Of call lengths, tap and more count. */
heed_tensor *heed__classic_states(heed_ctx *cx, const heed_classic *m, heed_tensor *ids,
                                  const heed_block_call *call);
/* The states pooled -> [B,W]; by their mean they are not made one by one, see heed_mha_mean. */
heed_tensor *heed__classic_pooled(heed_ctx *cx, const heed_classic *m, heed_tensor *ids,
                                  const heed_block_call *call);
int heed__encoder_body(heed_encoder_classifier *m, heed_params *ps, const heed_model_cfg *cfg);
/* heed_encoder_classifier_encode with all that a call can say. */
heed_tensor *heed__encoder_states(heed_ctx *cx, const heed_encoder_classifier *m, heed_tensor *ids,
                                  const heed_block_call *call);

/* Names of the values of heed_score_kind and heed_weights_kind, as configs and options have them;
 * NULL ends them. */
extern const char *const heed__score_names[], *const heed__weights_names[];

#endif
