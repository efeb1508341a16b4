/* nn.h: layers. Each is a plain struct that shows its parameters, an init that declares them, and
 * an apply that computes; there is no base class, and a layer of yours looks just the same.
 *
 *     heed_encoder enc;
 *     heed_linear  head;
 *     heed_encoder_init(&enc, ps, "enc", &(heed_encoder_cfg){
 *         .layers = 6, .block = { .dim = 256, .self.heads = 8, .ff = 1024, .dropout = 0.1f } });
 *     heed_linear_init(&head, ps, "head", 256, 77);
 *     if (heed_params_error(ps)) puts(heed_params_error(ps)->msg);     // checked once
 *     heed_tensor *h = heed_encoder_apply(cx, &enc, x, lengths);       // [B,T,C]
 *     heed_tensor *z = heed_linear_apply(cx, &head, heed_mean_pool(cx, h, lengths));
 *
 * init declares parameters named "<name>.<part>" in ps (a name used before shares them), returns 0
 * or a status, and leaves the sentence in heed_params_error(ps); sizes that do not fit together are
 * refused there. A layer holds no memory of its own but in ps: it may be copied, ends with ps, and
 * once initialised may be used by many contexts in many threads. apply follows the rule of ops.h:
 * NULL in, NULL out, and the context keeps the first error. In a *_cfg the zero value of a field is
 * its default. First values are those of PyTorch's layer of the same name unless said otherwise.
 * lengths is I32 [B] with values in 0..T, or NULL: T for all. Dropout is heed_dropout of ops.h.
 */
#ifndef HEED_NN_H
#define HEED_NN_H

#include <heed/attention.h>
#include <heed/ops.h>

#ifdef __cplusplus
extern "C" {
#endif

/* -- linear: x·Wᵀ + b ------------------------------------------------------------------------- */

typedef struct heed_linear {
    heed_tensor *w; /* [O,I] "<name>.weight" */
    heed_tensor *b; /* [O] "<name>.bias", or NULL */
} heed_linear;

typedef struct heed_linear_cfg {
    int64_t in, out;
    bool no_bias;
    const heed_init *weight, *bias; /* first values; NULL: uniform within 1/sqrt(in), both */
} heed_linear_cfg;

HEED_API int heed_linear_init(heed_linear *l, heed_params *ps, const char *name, int64_t in,
                              int64_t out);
HEED_API int heed_linear_init_cfg(heed_linear *l, heed_params *ps, const char *name,
                                  const heed_linear_cfg *cfg);
HEED_API heed_tensor *heed_linear_apply(heed_ctx *cx, const heed_linear *l,
                                        heed_tensor *x); /* [..,I] -> [..,O] */

/* -- embedding: rows of a table, N(0,1) as nn.Embedding --------------------------------------- */

typedef struct heed_embed {
    heed_tensor *w; /* [V,C] "<name>.weight" */
    int32_t padding;
    float scale;
} heed_embed;

typedef struct heed_embed_cfg {
    int64_t vocab, dim;
    bool use_padding;
    int32_t padding; /* where use_padding: this id gives zeros and takes no gradient */
    bool sparse;     /* row-sparse gradients: a step costs what its ids touch */
    float deviation; /* of the first values; 0: 1 */
    float scale;     /* rows are multiplied by it (sqrt(C) in Vaswani et al. 2017); 0: 1 */
} heed_embed_cfg;

HEED_API int heed_embed_init(heed_embed *e, heed_params *ps, const char *name,
                             const heed_embed_cfg *cfg);
HEED_API heed_tensor *heed_embed_apply(heed_ctx *cx, const heed_embed *e,
                                       heed_tensor *ids); /* I32 [..] -> [..,C] */

/* -- norms: gain 1, bias 0 -------------------------------------------------------------------- */

typedef struct heed_norm_cfg {
    int64_t dim;
    bool rms;     /* RMS norm, which has no bias; else layer norm */
    bool no_bias; /* layer norm with a gain only */
    float eps;    /* 0: 1e-5 */
} heed_norm_cfg;

typedef struct heed_norm {
    heed_tensor *gain, *bias; /* [C] "<name>.weight", "<name>.bias"; bias may be NULL */
    bool rms;
    float eps;
} heed_norm;

HEED_API int heed_norm_init(heed_norm *n, heed_params *ps, const char *name,
                            const heed_norm_cfg *cfg);
HEED_API heed_tensor *heed_norm_apply(heed_ctx *cx, const heed_norm *n, heed_tensor *x);

/* -- positions -------------------------------------------------------------------------------- */

typedef enum heed_position_kind {
    HEED_POSITION_NONE,
    HEED_POSITION_SINUSOIDAL, /* Vaswani et al. 2017: sin in even columns, cos in odd ones */
    HEED_POSITION_LEARNED,    /* a table [max_len,C] of N(0,deviation) */
    HEED_POSITION_ROTARY,     /* Su et al. 2021; this and the next two stand inside attention:
                                 nothing is added to x */
    HEED_POSITION_ALIBI,      /* Press et al. 2022 */
    HEED_POSITION_T5,         /* Raffel et al. 2020, 32 buckets */
    HEED_POSITION_OFF         /* none, where NONE lets a model choose */
} heed_position_kind;

typedef struct heed_position_cfg {
    heed_position_kind kind;
    int64_t dim;
    int64_t max_len; /* 0: 5000 */
    double base;     /* of the sinusoids; 0: 10000 */
    float deviation; /* of learned first values; 0: 0.02 */
} heed_position_cfg;

typedef struct heed_position {
    heed_position_kind kind;
    heed_tensor *w; /* learned: [max_len,C] "<name>.weight", else NULL */
    float *table;   /* sinusoidal: [max_len,C], lives as long as ps */
    int64_t max_len, dim;
} heed_position;

HEED_API int heed_position_init(heed_position *p, heed_params *ps, const char *name,
                                const heed_position_cfg *cfg);
/* x [B,T,C] plus the rows start .. start+T-1; refused past max_len. */
HEED_API heed_tensor *heed_position_apply(heed_ctx *cx, const heed_position *p, heed_tensor *x,
                                          int64_t start);
/* table [max_len,dim]: (p, 2i) = sin(p / base^(2i/dim)), (p, 2i+1) = cos of the same; dim odd too.
 */
HEED_API void heed_sinusoids(float *table, int64_t max_len, int64_t dim, double base);

/* -- multi-head attention --------------------------------------------------------------------- */

typedef struct heed_mha_cfg {
    int64_t dim;         /* C: width of the queries' source and of the output */
    int heads, kv_heads; /* kv_heads divides heads; 0: heads */
    int64_t key, value;  /* d_k and d_v of each head; 0: dim/heads, key */
    int64_t kdim, vdim;  /* widths of the sources of keys and values; 0: dim, kdim */
    bool no_bias;        /* none on the projections of queries, keys and values */
    bool no_out_bias;    /* none on the output's */
    bool square;         /* refuse heads x d_k and heads x d_v that are not dim */
    bool use_rotary;     /* queries and keys are turned by `rotary` (its heads are set here) */
    heed_rotary_cfg rotary;
    /* The kind of attention. Its heads are set here; parameters that it needs and that are NULL are
     * declared: bilinear "<name>.score_w" and additive "<name>.score_v", uniform within
     * 1/sqrt(d_k). Tensors given here must live as long as the layer is used. */
    heed_attention_cfg kind;
    float temperature;      /* the score is divided by it, besides kind.temperature; 0: 1 */
    bool learn_temperature; /* each head's own: exp of "<name>.log_temperature" [H], which begins
                               at the logarithm of `temperature` */
    bool learn_sinks;       /* "<name>.sinks" [H], from 0 */
    float learn_span;       /* "<name>.span" [H], from this many keys; 0: none */
    int64_t t5_buckets;     /* "<name>.t5" [buckets,H], N(0, 0.02); 0: none */
    bool alibi;             /* the paper's slopes; not learned */
    int64_t relative;       /* Transformer-XL's relative positions, for distances below this:
                               "<name>.relative.weight" [H*d_k,C], Xavier uniform, projects the
                               distances' sinusoids (heed_sinusoids), "<name>.relative_u" and
                               "<name>.relative_v" [H,d_k], N(0, 0.02), join the queries. Calls are
                               causal; not with a cache; 0: none */
    bool local_p;           /* Luong's local-p, kind.local_width keys on either side: query h is
                               centred at start + length·sigmoid(v·tanh(W h)) of its row's valid
                               keys, "<name>.center.weight" [C,C] and "<name>.center_v" [1,C],
                               uniform within 1/sqrt(C); not with a cache */
    int64_t bias_queries;   /* "<name>.score_bias" [H,bias_queries,bias_keys], from 0, is added */
    int64_t bias_keys;      /* to the scores; a call takes the part of its queries (from
                               query_start) and keys, and has no more; not with a cache; 0: none */
} heed_mha_cfg;

typedef struct heed_mha {
    heed_linear q, k, v, o;       /* "<name>.q", "<name>.k", "<name>.v", "<name>.out" */
    heed_mha_cfg cfg;             /* with the defaults filled in */
    heed_tensor *log_temperature; /* where it is learnt, else NULL; so the next lines */
    heed_tensor *relative_w, *relative_u, *relative_v;
    heed_tensor *sinusoids; /* [relative,C], lives as long as ps */
    heed_tensor *center_w, *center_v;
    heed_tensor *score_bias;
} heed_mha;

/* "8 heads x 64 is 512, not d_model 256": sizes that do not fit are refused here. First values are
 * those of nn.MultiheadAttention: q, k, v Xavier uniform (as one [3C,C] matrix where their widths
 * are equal), biases 0. */
HEED_API int heed_mha_init(heed_mha *m, heed_params *ps, const char *name, const heed_mha_cfg *cfg);
/* q [B,T,dim], k [B,S,kdim], v [B,S,vdim] -> [B,T,dim]; self-attention passes x three times. cfg
 * NULL: m->cfg.kind as it is; else a copy of it with masks, lengths, dropout or a tap set. */
HEED_API heed_tensor *heed_mha_apply(heed_ctx *cx, const heed_mha *m, heed_tensor *q,
                                     heed_tensor *k, heed_tensor *v, const heed_attention_cfg *cfg);
/* The mean of self-attention's output over the first lengths[b] steps (NULL: all) of x [B,T,dim]
 * -> [B,dim], zeros for a length of 0: heed_mean_pool of heed_mha_apply but for rounding. Where the
 * kind allows it (heed_attention_mean; as many key heads as heads, no rotary) neither values nor
 * outputs of steps are made: the mean weights meet x itself, and B rows are projected, not B*T. */
HEED_API heed_tensor *heed_mha_mean(heed_ctx *cx, const heed_mha *m, heed_tensor *x,
                                    heed_tensor *lengths, const heed_attention_cfg *cfg);
/* Self-attention of the n newest steps x [B,n,dim] over all that cache has seen and these. */
HEED_API heed_tensor *heed_mha_step(heed_ctx *cx, const heed_mha *m, heed_tensor *x,
                                    heed_kv_cache *cache, const heed_attention_cfg *cfg);
/* Projects a memory into an empty cache, once; then heed_mha_recall attends to it with x [B,n,dim].
 */
HEED_API int heed_mha_remember(heed_ctx *cx, const heed_mha *m, heed_tensor *k, heed_tensor *v,
                               heed_kv_cache *cache);
HEED_API heed_tensor *heed_mha_recall(heed_ctx *cx, const heed_mha *m, heed_tensor *x,
                                      heed_kv_cache *cache, const heed_attention_cfg *cfg);

/* -- feed-forward ----------------------------------------------------------------------------- */

typedef struct heed_ff_cfg {
    int64_t dim, hidden; /* C, F */
    heed_act act;        /* HEED_ACT_NONE: ReLU; SILU with gated is SwiGLU */
    bool gated;          /* act must be SILU (or NONE): silu(x·Gᵀ)·(x·Uᵀ), Shazeer 2020 */
    bool no_bias;
    float dropout; /* after the activation */
} heed_ff_cfg;

typedef struct heed_ff {
    heed_linear up, gate, down; /* "<name>.up", "<name>.gate" (gated only), "<name>.down" */
    heed_act act;
    bool gated;
    float dropout;
} heed_ff;

HEED_API int heed_ff_init(heed_ff *f, heed_params *ps, const char *name, const heed_ff_cfg *cfg);
HEED_API heed_tensor *heed_ff_apply(heed_ctx *cx, const heed_ff *f, heed_tensor *x);

/* -- Transformer blocks and stacks ------------------------------------------------------------ */

typedef struct heed_block_cfg {
    int64_t dim;       /* C */
    heed_mha_cfg self; /* self-attention. Its dim is 0 or C, which are one; kdim and vdim are
                          refused beside it; kind.dropout is set here, causal and lengths at
                          apply. Cross-attention has its heads, kv_heads, key and value, and
                          nothing else of it */
    int64_t ff;        /* F; 0: 4·dim */
    heed_act act;      /* NONE: ReLU */
    bool gated;
    bool pre_norm; /* norm before each part instead of after its residual */
    bool rms;
    float norm_eps;          /* 0: 1e-5 */
    float dropout;           /* after each part and inside the feed-forward */
    float attention_dropout; /* of attention weights; 0: as dropout, negative: none */
    bool no_bias;            /* in every linear of the block */
    int64_t memory_dim;      /* decoder: width of the memory attended to; 0: dim */
    bool cross;              /* decoder: attend to a memory too */
} heed_block_cfg;

typedef struct heed_block {
    heed_mha self, cross;               /* "<name>.self", "<name>.cross" */
    heed_ff ff;                         /* "<name>.ff" */
    heed_norm norm1, norm_cross, norm2; /* "<name>.norm1", "<name>.norm_cross", "<name>.norm2" */
    heed_block_cfg cfg;
} heed_block;

/* What one call of a block or a stack sees; NULL or zeroed: everything. */
typedef struct heed_block_call {
    heed_tensor *lengths;        /* I32 [B] of x, or NULL */
    bool causal;                 /* a decoder is causal always */
    heed_tensor *memory;         /* decoder with cross: [B,S,memory_dim] */
    heed_tensor *memory_lengths; /* I32 [B] or NULL */
    heed_attention_tap *tap;     /* of self-attention, NULL or one (a stack: one for each layer) */
    heed_attention_tap *cross_tap; /* the same of cross-attention */
    heed_attention_more *more; /* as tap, of self-attention; NULL: kind.penalty is not counted */
} heed_block_call;

HEED_API int heed_block_init(heed_block *b, heed_params *ps, const char *name,
                             const heed_block_cfg *cfg);
HEED_API heed_tensor *heed_block_apply(heed_ctx *cx, const heed_block *b, heed_tensor *x,
                                       const heed_block_call *call); /* [B,T,C] -> the same */

typedef struct heed_stack_cfg {
    int layers;
    bool share_layers; /* one block's parameters serve all layers (Lan et al. 2020) */
    bool final_norm;   /* a norm after the last block */
    heed_block_cfg block;
} heed_stack_cfg;
typedef heed_stack_cfg heed_encoder_cfg;
typedef heed_stack_cfg heed_decoder_cfg; /* block.cross set: with cross-attention */

typedef struct heed_encoder {
    heed_block *blocks; /* "<name>.layers.<i>"; as long as ps */
    heed_norm norm;     /* "<name>.norm", where cfg.final_norm */
    heed_stack_cfg cfg;
} heed_encoder;
typedef heed_encoder heed_decoder;

HEED_API int heed_encoder_init(heed_encoder *e, heed_params *ps, const char *name,
                               const heed_encoder_cfg *cfg);
HEED_API heed_tensor *heed_encoder_apply(heed_ctx *cx, const heed_encoder *e, heed_tensor *x,
                                         heed_tensor *lengths); /* [B,T,C] -> the same */
/* The same with everything a call can say. */
HEED_API heed_tensor *heed_encoder_apply_call(heed_ctx *cx, const heed_encoder *e, heed_tensor *x,
                                              const heed_block_call *call);

HEED_API int heed_decoder_init(heed_decoder *d, heed_params *ps, const char *name,
                               const heed_decoder_cfg *cfg);
/* x [B,T,C] with causal self-attention; call NULL for a decoder without cross-attention. */
HEED_API heed_tensor *heed_decoder_apply(heed_ctx *cx, const heed_decoder *d, heed_tensor *x,
                                         const heed_block_call *call);

/* What a decoder has seen, for generation step by step; each step has the bits of the full forward.
 * One thread at a time; lives until freed. */
typedef struct heed_decoder_cache heed_decoder_cache;
HEED_API heed_decoder_cache *heed_decoder_cache_new(const heed_decoder *d, int64_t batch,
                                                    const heed_hooks *hooks, heed_error *err);
HEED_API void heed_decoder_cache_free(heed_decoder_cache *cache);
HEED_API void heed_decoder_cache_reset(heed_decoder_cache *cache);
HEED_API int64_t heed_decoder_cache_len(const heed_decoder_cache *cache); /* steps so far */
/* Row b becomes a copy of row rows[b], for beam search. 0 or a status. */
HEED_API int heed_decoder_cache_reorder(heed_decoder_cache *cache, const int32_t *rows);
/* x [B,n,C], the n newest steps -> [B,n,C]. call->memory is read at the first step after new or
 * reset. */
HEED_API heed_tensor *heed_decoder_step(heed_ctx *cx, const heed_decoder *d,
                                        heed_decoder_cache *cache, heed_tensor *x,
                                        const heed_block_call *call);

/* -- recurrent -------------------------------------------------------------------------------- */

typedef enum heed_rnn_kind { HEED_RNN_LSTM, HEED_RNN_GRU } heed_rnn_kind;

enum { HEED_RNN_MAX = 16 }; /* layers × directions at most */

typedef struct heed_rnn_cfg {
    heed_rnn_kind kind;
    int64_t in, hidden;
    int layers; /* 0: 1 */
    bool bidirectional;
    float dropout; /* between layers */
} heed_rnn_cfg;

typedef struct heed_rnn {
    struct {
        heed_tensor *wi, *wh, *bi, *bh; /* [4H or 3H,I], [..,H], [..], [..] */
    } cell[HEED_RNN_MAX]; /* layer·directions + direction: "<name>.weight_ih_l0_reverse", ... */
    heed_rnn_cfg cfg;
} heed_rnn;

/* State of every layer and direction, in the order of cell: [B,H] each; NULL: zeros. */
typedef struct heed_rnn_state {
    heed_tensor *h[HEED_RNN_MAX], *c[HEED_RNN_MAX]; /* c: LSTM only */
} heed_rnn_state;

HEED_API int heed_rnn_init(heed_rnn *r, heed_params *ps, const char *name, const heed_rnn_cfg *cfg);
/* x [B,T,I] -> [B,T,H·directions], zeros past each length. state (or NULL) gives the first states
 * and receives the last ones, of each row's own last step. */
HEED_API heed_tensor *heed_rnn_apply(heed_ctx *cx, const heed_rnn *r, heed_tensor *x,
                                     heed_tensor *lengths, heed_rnn_state *state);

/* -- convolution ------------------------------------------------------------------------------ */

typedef struct heed_conv_layer_cfg {
    int64_t in, out;
    int dims;          /* 1 or 2 */
    int64_t kernel[2]; /* height, width; 1d uses the second */
    bool no_bias;
    heed_conv_cfg conv;
} heed_conv_layer_cfg;

typedef struct heed_conv {
    heed_tensor *w, *b; /* [O,I/g,K] or [O,I/g,Ky,Kx]; [O] or NULL */
    heed_conv_layer_cfg cfg;
} heed_conv;

HEED_API int heed_conv_init(heed_conv *c, heed_params *ps, const char *name,
                            const heed_conv_layer_cfg *cfg);
HEED_API heed_tensor *heed_conv_apply(heed_ctx *cx, const heed_conv *c, heed_tensor *x);

/* -- pooling: [B,T,C] -> [B,C] ---------------------------------------------------------------- */

typedef enum heed_pooling_kind {
    HEED_POOLING_MEAN,
    HEED_POOLING_MAX,
    HEED_POOLING_CLS,      /* the first step */
    HEED_POOLING_ATTENTION /* softmax over steps of x·w, then the weighted sum (Lin et al. 2017) */
} heed_pooling_kind;

typedef struct heed_pooling {
    heed_pooling_kind kind;
    heed_tensor *w; /* attention: [1,C] "<name>.weight", else NULL */
} heed_pooling;

HEED_API int heed_pooling_init(heed_pooling *p, heed_params *ps, const char *name,
                               heed_pooling_kind kind, int64_t dim);
/* weights (or NULL) receives [B,T] of attention pooling, NULL for the other kinds. A row of length
 * 0 gives zeros. */
HEED_API heed_tensor *heed_pooling_apply(heed_ctx *cx, const heed_pooling *p, heed_tensor *x,
                                         heed_tensor *lengths, heed_tensor **weights);

#ifdef __cplusplus
}
#endif
#endif
