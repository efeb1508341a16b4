/* attention.h: attention of every kind as one operation, where what differs is data.
 *
 *     heed_attention_cfg cfg = { .heads = 8, .causal = true };           // zeros: the plain choice
 *     heed_tensor *y = heed_attention(cx, q, k, v, &cfg);                // [B,T,8*D]
 *
 * Each query t of each head scores every key s that it sees, the scores become weights, and the
 * output is the weighted sum of the values:
 *
 *     score_ts = sim(q_t, k_s) + positions_ts
 *     a_ts     = weights(score_t)_s
 *     y_t      = Σ_s a_ts v_s
 *
 * A row that sees no key gives zeros and no gradient. What is hidden never touches a result.
 *
 * The position of query t among the keys is p_t = t + query_start. The valid keys of row b of the
 * batch are those from key_starts[b] on, key_lengths[b] of them; the first one is the origin from
 * which blocks of keys are counted, so padding on either side changes no bit of a result.
 *
 * Which combinations exist (every other one is refused in one sentence, HEED_EUNSUPPORTED):
 *
 *     fused kernel, no [T,S] buffer: weights softmax with score scaled dot, dot or cosine; who sees
 *         whom by causal, lengths, starts, window, truncate, segments, mask; bias, alibi, t5;
 *         softcap, sinks, dropout; kv_heads; heads 1..65536 wide.
 *     general path, 32 rows of weights at a time, forward and backward: every score, every
 *         weights, every way to say who sees whom, every kind of positions, with these exceptions:
 *           sinks           with softmax only
 *           softcap         not with relative, span or local_center
 *           dropout         not with hard, gumbel, reinforce
 *           relative        with causal, and scaled dot or dot
 *           span, penalty   with softmax
 *           local_center    with softmax; not with span
 *           score_std       not with sinks, softcap; softmax only
 *     heed_linear_attention: its own algorithm and config.
 *     cache: what the fused kernel does, but segments, mask and bias.
 *
 * In a context of precision bf16 the fused kernel, cached decode and tap included, rounds queries,
 * keys, values, weights and their gradients to bf16 for its products and sums in f32; softmax is
 * f32, and weights below 2^-40 of the row's largest are 0 (kernels/attn.h tells the order). The
 * general path, heed_attention_mean and heed_linear_attention compute in f32 whatever the
 * precision.
 */
#ifndef HEED_ATTENTION_H
#define HEED_ATTENTION_H

#include <heed/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum heed_score_kind {
    HEED_SCORE_SCALED_DOT, /* q·k / sqrt(D)  (Vaswani et al. 2017) */
    HEED_SCORE_DOT,        /* q·k  (Luong et al. 2015) */
    HEED_SCORE_COSINE,     /* q·k / (|q| |k|); give a scale or a temperature */
    HEED_SCORE_BILINEAR,   /* qᵀ W k, "general"  (Luong et al. 2015) */
    HEED_SCORE_ADDITIVE    /* vᵀ tanh(Wq q + Wk k)  (Bahdanau et al. 2015) */
} heed_score_kind;

typedef enum heed_weights_kind {
    HEED_WEIGHTS_SOFTMAX,
    HEED_WEIGHTS_SPARSEMAX, /* Martins and Astudillo 2016 */
    HEED_WEIGHTS_ENTMAX15,  /* Peters et al. 2019, alpha 1.5 */
    HEED_WEIGHTS_TOPK,      /* softmax over the topk largest scores; ties go to the earlier key */
    HEED_WEIGHTS_HARD,      /* 1 for the largest score; gradient of softmax (straight-through) */
    HEED_WEIGHTS_GUMBEL,    /* softmax((score + Gumbel noise) / gumbel_tau); gumbel_hard: 1 for the
                               largest, straight-through  (Jang et al. 2017). Noise when the context
                               trains, none otherwise */
    HEED_WEIGHTS_REINFORCE, /* one key drawn from softmax (the largest score when the context does
                               not train); no gradient to the scores but through more.log_prob, see
                               heed_reinforce  (Xu et al. 2015) */
    HEED_WEIGHTS_SIGMOID    /* each key for itself: 1 / (1 + exp(-score)) */
} heed_weights_kind;

typedef enum heed_penalty_kind {
    HEED_PENALTY_NONE,
    HEED_PENALTY_ENTROPY, /* mean over rows that see a key of -Σ_s a log a */
    HEED_PENALTY_DIVERSITY, /* mean over b, t of |A Aᵀ - I|² (Frobenius), A [H,S] the heads' weights
                               (Lin et al. 2017) */
    HEED_PENALTY_COVERAGE /* mean over b, h, t of Σ_s min(a_ts, Σ_{u<t} a_us)  (See et al. 2017) */
} heed_penalty_kind;

/* What a caller wants to see of the weights (before dropout), and where it finds it. The operation
 * fills the lower half with tensors of the step that carry no gradient; what was not asked for is
 * NULL. The output has the same bits with or without a tap. Chosen rows cost one more pass over
 * their scores; top_k, entropy and column_mass together one more Q·Kᵀ. Memory grows by what is
 * delivered. */
typedef struct heed_attention_tap {
    const int64_t *rows; /* [rows_len] query rows, each in 0..T-1 */
    int64_t rows_len;
    int64_t top_k;    /* the largest weights of each row; 0: none; at most S */
    bool column_mass; /* what each key receives in all: Σ_t a_ts */
    bool entropy;     /* -Σ_s a log a of each row, in nats; 0 for a row that sees nothing */
    /* delivered */
    heed_tensor *row_weights; /* [B,H,rows_len,S] */
    heed_tensor
        *top_weights;      /* [B,H,T,top_k] descending, ties by the earlier key; 0 past the end */
    heed_tensor *top_keys; /* I32 [B,H,T,top_k]; -1 past the end */
    heed_tensor *column;   /* [B,H,S] */
    heed_tensor *row_entropy; /* [B,H,T] */
} heed_attention_tap;

/* What the operation gives besides its output; tensors of the step, through which gradients flow.
 * NULL where it was not asked for. */
typedef struct heed_attention_more {
    heed_tensor *penalty;  /* [], with cfg.penalty; add it to the loss with a weight of your own */
    heed_tensor *log_prob; /* [B], with REINFORCE: Σ over heads and rows of the drawn keys' log a */
} heed_attention_more;

/* Every field's zero is the plain choice. Tensors are optional (NULL: without) and f32 unless a
 * type is named; "gradient" says that one flows to it. Pointers are read during the call, tensors
 * until heed_ctx_reset. */
typedef struct heed_attention_cfg {
    int64_t heads;    /* H; 0: 1 */
    int64_t kv_heads; /* Hk, a divisor of H: head h reads key head h / (H/Hk); 0: H */

    /* score */
    heed_score_kind score;
    float scale; /* the score is multiplied by it; 0: 1/sqrt(D) for scaled dot, else 1 */
    heed_tensor *temperature; /* [1] or [H], positive: the score is divided by it; gradient */
    bool score_std;        /* the row's visible scores are divided by their own standard deviation
                              (n-1 in its denominator, as torch.std; temperature sqrt(n/(n-1)) makes
                              it the population's), before temperature and positions. A row of equal
                              scores gives equal weights and no gradient */
    heed_tensor *score_w;  /* bilinear: W [H,D,Dk], gradient; Dk is the width of a key head */
    heed_tensor *score_wq; /* additive: [H,A,D], gradient; NULL: q comes projected, A = D */
    heed_tensor *score_wk; /* additive: [H,A,Dk], gradient; NULL: k comes projected, A = Dk */
    heed_tensor *score_v;  /* additive: [H,A], gradient */

    /* weights */
    heed_weights_kind weights;
    int64_t topk;     /* keys kept by HEED_WEIGHTS_TOPK, at least 1; S or more is softmax */
    float gumbel_tau; /* 0: 1 */
    bool gumbel_hard;

    /* who sees whom: a key must pass all that is set */
    bool causal;              /* s <= p_t */
    int64_t query_start;      /* p_t = t + query_start; the keys so far, for a cached decode */
    heed_tensor *key_lengths; /* I32 [B], 0..S - start */
    heed_tensor *key_starts;  /* I32 [B], 0..S */
    bool window;              /* p_t - left <= s <= p_t + right; a negative one: no limit there.
                                 left = right = m is Luong's local-m */
    int64_t left, right;
    int64_t truncate;        /* the last n keys of those that causal and lengths leave; 0: all */
    int64_t block;           /* block-local: p_t / block = s / block, both counted from the row's
                                first valid key; 0: without */
    int64_t dilation;        /* (p_t - s) is a multiple; 0: 1 */
    int64_t stride;          /* besides what window or block leave (nothing, without both), every
                                key with (p_t - s) a multiple  (Child et al. 2019); 0: without */
    int64_t globals;         /* the first n valid keys are seen by all, and queries at the first n
                                valid positions see all, whatever window, block and dilation say;
                                causal holds for them too  (Beltagy et al. 2020) */
    heed_tensor *q_segments; /* I32 [B,T] with k_segments I32 [B,S]: where equal (packed documents);
                                both or none, or q_segments alone when S = T. Blocks of keys are
                                counted from the segment's first key */
    heed_tensor *k_segments;
    heed_tensor *mask;         /* U8 [T,S] or [B,T,S], nonzero: visible */
    heed_tensor *local_center; /* local-p (Luong et al. 2015): c [B,T] in keys, gradient; sees
                                  |s - c| <= local_width, a is multiplied by
                                  exp(-(s-c)² / (2 (local_width/2)²)) */
    float local_width;

    /* positions, added to the score (after softcap's bound, before weights); rotary is
     * heed_rotary */
    heed_tensor *bias;     /* [H,T,S], gradient */
    heed_tensor *alibi;    /* [H] slopes m > 0: -m |p_t - s|  (Press et al. 2022); no gradient */
    heed_tensor *t5;       /* [buckets,H], gradient; bucket of s - p_t  (Raffel et al. 2020) */
    int64_t t5_distance;   /* distances from it on share a bucket; 0: 128 */
    bool t5_one_way;       /* decoder: every later key is in bucket 0 */
    heed_tensor *relative; /* Transformer-XL (Dai et al. 2019): r [L,H*D], projected encodings of
                              the distances 0..L-1, L > the longest p_t - s seen; gradient. Score:
                              (q+u)·k_s + (q+v)·r_{p_t-s} */
    heed_tensor *relative_u, *relative_v; /* [H,D], gradient; NULL: 0 */

    /* reach and distribution */
    heed_tensor *span; /* [H] in keys, gradient: adaptive span (Sukhbaatar et al. 2019). a is
                          multiplied by clamp((span_ramp + span - |p_t - s|) / span_ramp, 0, 1) and
                          divided by its sum; a factor of 0 hides the key */
    float span_ramp;   /* R; 0: 32 */
    heed_penalty_kind penalty;

    /* extras */
    float dropout;      /* of the weights, when the context trains; never stored */
    float softcap;      /* c·tanh(score/c); 0: without */
    heed_tensor *sinks; /* [H] logits that join each row's sum and take weight from it, gradient */

    heed_attention_tap *tap;   /* NULL: nothing is asked */
    heed_attention_more *more; /* where penalty and log_prob are put; needed by those two */
} heed_attention_cfg;

/* Attention.  q [B,T,H*D], k [B,S,Hk*D], v [B,S,Hk*Dv], Hk divides H -> [B,T,H*Dv]; D of k differs
 * from q's only for bilinear and additive. cfg NULL: one head, all defaults. Keeps only the rows'
 * log-sums for backward on the fused path. Gradients to q, k, v and to cfg's tensors that say so.
 */
HEED_API heed_tensor *heed_attention(heed_ctx *cx, heed_tensor *q, heed_tensor *k, heed_tensor *v,
                                     const heed_attention_cfg *cfg);

/* The weights averaged over the queries: what each key receives of all of them.
 *     q [B,T,H*D], k [B,S,Hk*D], query_lengths I32 [B] in 0..T or NULL: T -> m [B,H,S]
 * m_bhs is the mean of a_ts over the queries t < query_lengths[b], zeros where there are none. A
 * mean of attention's outputs is linear in the values, Σ_s m_s v_s: who pools them by their mean
 * needs neither outputs nor a product of all weights with values (heed_mha_mean). Exists for what
 * the fused kernel does with a dot or scaled dot score and no temperature, positions, softcap or
 * sinks; dropout draws what heed_attention would draw in its place. cfg.tap sees the queries that
 * count. Gradients to q and k; only rows' log-sums are kept. Any other cfg: HEED_EUNSUPPORTED. */
HEED_API heed_tensor *heed_attention_mean(heed_ctx *cx, heed_tensor *q, heed_tensor *k,
                                          heed_tensor *query_lengths,
                                          const heed_attention_cfg *cfg);

/* The loss of a drawn attention: mean over b of -(reward_b - baseline_b)·log_prob_b.
 * log_prob [B], reward [B], baseline [B] or NULL -> []; gradient to log_prob alone. */
HEED_API heed_tensor *heed_reinforce(heed_ctx *cx, heed_tensor *log_prob, heed_tensor *reward,
                                     heed_tensor *baseline);

/* Writes ALiBi's slopes for `heads` heads as the paper has them. */
HEED_API void heed_alibi_slopes(int64_t heads, float *slopes);

/* -- a cache of keys and values, for decoding step by step
 *
 *     heed_kv_cache *c = heed_kv_cache_new(&(heed_kv_cache_cfg){ .batch = 1, .kv_heads = 8,
 *                                                                .dim = 64 }, &err);
 *     heed_kv_cache_append(cx, c, k, v);                 // [1,n,8*64]: the keys of n new steps
 *     heed_tensor *y = heed_attention_cached(cx, q, c, &(heed_attention_cfg){ .heads = 8,
 *                                                                             .causal = true });
 *
 * Every step's output has the bits that the full forward pass gives at that position. Keys are kept
 * in panels [S/16,D,16], values in rows. No gradient. One thread at a time; lives until freed. */
typedef struct heed_kv_cache heed_kv_cache;

typedef struct heed_kv_cache_cfg {
    int64_t batch;     /* B; 0: 1 */
    int64_t kv_heads;  /* Hk; 0: 1 */
    int64_t dim;       /* D */
    int64_t value_dim; /* Dv; 0: D */
    int64_t capacity;  /* steps to make room for at once; grows by doubling; 0: 64 */
    int64_t keep;      /* for windowed attention: whole blocks of keys older than the last
                          `keep` are forgotten; a call that would see one is refused; 0: never */
    bool unit_keys;    /* keys are divided by their length, for cosine */
    const heed_hooks *hooks;
} heed_kv_cache_cfg;

HEED_API heed_kv_cache *heed_kv_cache_new(const heed_kv_cache_cfg *cfg, heed_error *err);
HEED_API void heed_kv_cache_free(heed_kv_cache *cache);  /* NULL is fine */
HEED_API void heed_kv_cache_reset(heed_kv_cache *cache); /* empty again; memory is kept */
/* Adds n steps.  k [B,n,Hk*D], v [B,n,Hk*Dv]. 0 or a status, with the sentence in cx. */
HEED_API int heed_kv_cache_append(heed_ctx *cx, heed_kv_cache *cache, heed_tensor *k,
                                  heed_tensor *v);
/* Steps appended since the reset, those forgotten included. */
HEED_API int64_t heed_kv_cache_len(const heed_kv_cache *cache);
/* Row b becomes a copy of what row rows[b] was, for beam search.  rows [B], each in 0..B-1. 0 or
 * HEED_EINVALID, HEED_ENOMEM. */
HEED_API int heed_kv_cache_reorder(heed_kv_cache *cache, const int32_t *rows);
/* Forgets the newest steps: len becomes `len`, at most what it is and not among those forgotten. 0
 * or HEED_EINVALID. */
HEED_API int heed_kv_cache_truncate(heed_kv_cache *cache, int64_t len);
/* q [B,T,H*D]: queries of the T newest steps, unless cfg.query_start is not 0 -> [B,T,H*Dv].
 * cfg.key_starts and key_lengths hold for the steps of the cache; a row that starts after them sees
 * nothing yet. */
HEED_API heed_tensor *heed_attention_cached(heed_ctx *cx, heed_tensor *q, heed_kv_cache *cache,
                                            const heed_attention_cfg *cfg);

/* -- linear attention: a second algorithm, time linear in T  (Katharopoulos et al. 2020)
 *    y_t = Σ_s f(q_t)·f(k_s) v_s / (Σ_s f(q_t)·f(k_s) + eps), sums over all valid s, or s <= t when
 *    causal, in chunks of 64 keys counted from the first valid one. */
typedef enum heed_feature_kind {
    HEED_FEATURE_ELU, /* elu(x) + 1 */
    HEED_FEATURE_RELU /* max(x, 0) */
} heed_feature_kind;

typedef struct heed_linear_attention_cfg {
    int64_t heads, kv_heads; /* as above */
    heed_feature_kind feature;
    bool causal;
    float eps;                /* 0: 1e-6 */
    heed_tensor *key_lengths; /* I32 [B] */
    heed_tensor *key_starts;  /* I32 [B] */
} heed_linear_attention_cfg;

/* q [B,T,H*D], k [B,S,Hk*D], v [B,S,Hk*Dv] -> [B,T,H*Dv]; causal needs S = T. Gradients to q, k, v.
 */
HEED_API heed_tensor *heed_linear_attention(heed_ctx *cx, heed_tensor *q, heed_tensor *k,
                                            heed_tensor *v, const heed_linear_attention_cfg *cfg);

#ifdef __cplusplus
}
#endif
#endif
