/* models.h: whole models, each a struct of layers that shows its parts.
 *
 *     heed_model_cfg cfg = { .kind = HEED_MODEL_CLASSIC, .vocab = 8000, .dim = 64, .classes = 77 };
 *     heed_classic m;
 *     if (heed_classic_init(&m, ps, &cfg)) puts(heed_params_error(ps)->msg);
 *     heed_tensor *logits = heed_classic_apply(cx, &m, ids, lengths, NULL);      // [B,77]
 *     heed_tensor *loss = heed_cross_entropy(cx, logits, labels, NULL);
 *
 * One config struct serves all of them, each field's zero its default, and goes to JSON and back.
 * init and apply follow the rules of nn.h. ids I32 [B,T]; lengths I32 [B] or NULL: T for all.
 */
#ifndef HEED_MODELS_H
#define HEED_MODELS_H

#include <heed/nn.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum heed_model_kind {
    HEED_MODEL_CLASSIC, /* embedding, LSTM, self-attention, pooling, classes */
    HEED_MODEL_ENCODER, /* embedding, positions, encoder, pooling, classes */
    HEED_MODEL_LM,      /* embedding, positions, decoder, next token (as GPT-2) */
    HEED_MODEL_SEQ2SEQ  /* encoder and decoder (Vaswani et al. 2017) */
} heed_model_kind;

/* The kind of self-attention as data that a model's folder holds; zeros: scaled dot, softmax, all
 * see all. */
typedef struct heed_attention_choice {
    heed_score_kind score;
    heed_weights_kind weights; /* REINFORCE needs a loss of its own, which no model here has */
    int64_t topk;              /* of HEED_WEIGHTS_TOPK */
    double temperature;        /* the score is divided by it; 1e-6 to 1e6; 0: 1 */
    bool learn_temperature;    /* each head's own, from there on */
    bool score_std;            /* the score is divided by its row's deviation */
    int64_t window;            /* each sees as many on either side of it; 0: all */
    int64_t truncate;          /* the last ones of those; 0: all */
    heed_penalty_kind penalty; /* a part of the loss: CLASSIC, ENCODER */
    double penalty_weight;
} heed_attention_choice;

typedef struct heed_model_cfg {
    heed_model_kind kind;
    int64_t vocab;        /* of the ids; SEQ2SEQ: of the target */
    int64_t source_vocab; /* SEQ2SEQ; 0: vocab, with one table for both */
    int64_t dim;          /* C; CLASSIC: of embedding and LSTM; 0: 64 (CLASSIC), 256 */
    int64_t hidden;       /* CLASSIC: of the LSTM; 0: dim */
    int64_t heads, kv_heads;
    int64_t layers;              /* SEQ2SEQ: of the decoder; 0: 1 (CLASSIC's LSTM), 6 */
    int64_t encoder_layers;      /* SEQ2SEQ; 0: layers */
    int64_t ff;                  /* F; 0: 4·dim */
    int64_t classes;             /* CLASSIC, ENCODER */
    int64_t dense;               /* CLASSIC: units of a ReLU layer before the last; 0: none */
    int64_t max_len;             /* of positions; 0: 5000, LM: 1024 */
    heed_act act;                /* NONE: ReLU; LM: GELU_TANH */
    heed_position_kind position; /* NONE: sinusoidal; LM: learned */
    heed_pooling_kind pooling;   /* CLASSIC, ENCODER */
    heed_rnn_kind rnn;           /* CLASSIC */
    bool bidirectional;          /* CLASSIC; each direction has hidden numbers */
    bool gated, rms;             /* SwiGLU; RMS norm instead of layer norm */
    bool pre_norm;               /* ENCODER, SEQ2SEQ; LM has it always */
    bool share_layers;
    bool tied;        /* LM, SEQ2SEQ: the output layer is the embedding table */
    bool use_padding; /* `padding` is an id without meaning */
    int64_t padding;
    bool sparse; /* embedding tables take row-sparse gradients; not with tied */
    double dropout;
    double norm_eps;                 /* 0: 1e-5 */
    heed_attention_choice attention; /* of self-attention */
    bool no_attention;               /* CLASSIC: the states are pooled as the RNN leaves them */
    double deviation; /* of the embedding's first values; 0: 1, LM 0.02, SEQ2SEQ 1/sqrt(dim) */
    bool remember;    /* CLASSIC: an LSTM's forget gates begin with a bias of 1 (Jozefowicz et al.
                         2015) */
} heed_model_cfg;

/* The config as one JSON object, every field that is not zero; free with heed_text_free. NULL:
 * HEED_EINVALID (a number that is not finite, a choice that there is not), HEED_ENOMEM. */
HEED_API char *heed_model_cfg_to_json(const heed_model_cfg *cfg, heed_error *err);
HEED_API void heed_text_free(char *text); /* NULL is fine */
/* Strict: unknown keys, wrong types and values out of range are HEED_EFORMAT, with the place. name
 * stands before it: a path. 0 or a status. */
HEED_API int heed_model_cfg_from_json(heed_model_cfg *cfg, const char *text, size_t len,
                                      const char *name, heed_error *err);

/* -- recurrent and attention ------------------------------------------------------------------ */

typedef struct heed_classic {
    heed_embed embed;
    heed_rnn rnn;
    heed_mha attention;
    heed_pooling pooling;
    heed_linear dense, head; /* dense.w is NULL without that layer */
    heed_model_cfg cfg;
} heed_classic;
HEED_API int heed_classic_init(heed_classic *m, heed_params *ps, const heed_model_cfg *cfg);
/* -> logits [B,classes]; tap (or NULL) sees the attention's weights. */
HEED_API heed_tensor *heed_classic_apply(heed_ctx *cx, const heed_classic *m, heed_tensor *ids,
                                         heed_tensor *lengths, heed_attention_tap *tap);

/* -- Transformer encoder with a classification head -------------------------------------------- */

typedef struct heed_encoder_classifier {
    heed_embed embed;
    heed_position position;
    heed_encoder encoder;
    heed_pooling pooling;
    heed_linear head;
    heed_model_cfg cfg;
} heed_encoder_classifier;
HEED_API int heed_encoder_classifier_init(heed_encoder_classifier *m, heed_params *ps,
                                          const heed_model_cfg *cfg);
/* -> the encoder's output [B,T,C] */
HEED_API heed_tensor *heed_encoder_classifier_encode(heed_ctx *cx, const heed_encoder_classifier *m,
                                                     heed_tensor *ids, heed_tensor *lengths,
                                                     heed_attention_tap *taps);
/* -> logits [B,classes]; taps: NULL or one for each layer */
HEED_API heed_tensor *heed_encoder_classifier_apply(heed_ctx *cx, const heed_encoder_classifier *m,
                                                    heed_tensor *ids, heed_tensor *lengths,
                                                    heed_attention_tap *taps);

/* -- decoder language model -------------------------------------------------------------------- */

typedef struct heed_lm {
    heed_embed embed;
    heed_position position;
    heed_decoder decoder;
    heed_linear head; /* without bias; its weight is the table's where tied */
    heed_model_cfg cfg;
} heed_lm;
HEED_API int heed_lm_init(heed_lm *m, heed_params *ps, const heed_model_cfg *cfg);
HEED_API heed_tensor *heed_lm_apply(heed_ctx *cx, const heed_lm *m,
                                    heed_tensor *ids); /* -> logits [B,T,vocab] */
/* The n newest ids [B,n] after what cache has seen -> logits [B,n,vocab]; a cache of m->decoder. */
HEED_API heed_tensor *heed_lm_step(heed_ctx *cx, const heed_lm *m, heed_decoder_cache *cache,
                                   heed_tensor *ids);

/* -- encoder-decoder --------------------------------------------------------------------------- */

typedef struct heed_seq2seq {
    heed_embed source, target; /* the same table where source_vocab is 0 */
    heed_position position;
    heed_encoder encoder;
    heed_decoder decoder;
    heed_linear head;
    heed_model_cfg cfg;
} heed_seq2seq;
HEED_API int heed_seq2seq_init(heed_seq2seq *m, heed_params *ps, const heed_model_cfg *cfg);
/* source [B,S] -> memory [B,S,C] */
HEED_API heed_tensor *heed_seq2seq_encode(heed_ctx *cx, const heed_seq2seq *m, heed_tensor *source,
                                          heed_tensor *source_lengths);
/* target [B,T], memory [B,S,C] -> logits [B,T,vocab]; call gives memory and its lengths */
HEED_API heed_tensor *heed_seq2seq_decode(heed_ctx *cx, const heed_seq2seq *m, heed_tensor *target,
                                          const heed_block_call *call);
/* The n newest target ids after what cache has seen -> logits [B,n,vocab]. */
HEED_API heed_tensor *heed_seq2seq_step(heed_ctx *cx, const heed_seq2seq *m,
                                        heed_decoder_cache *cache, heed_tensor *target,
                                        const heed_block_call *call);

/* Parameters by part, the first word of their names: calls fn for each part in order of
 * declaration, with how many numbers it has. Returns the sum. */
HEED_API int64_t heed_params_parts(const heed_params *ps,
                                   void (*fn)(void *arg, const char *part, int64_t len), void *arg);

#ifdef __cplusplus
}
#endif
#endif
