/* ops.h: the differentiable operations, about forty; attention has its own header,
 * heed/attention.h.
 *
 *     heed_tensor *h    = heed_relu(cx, heed_affine(cx, x, w1, b1));
 *     heed_tensor *z    = heed_affine(cx, h, w2, b2);      // a NULL on the way stays NULL
 *     heed_tensor *loss = heed_cross_entropy(cx, z, labels, NULL);
 *     if (!loss) puts(heed_ctx_error(cx)->msg);           // checked once a step
 *
 * Every function: computes at once; returns a new tensor of the step (until heed_ctx_reset) or
 * NULL; takes NULL for a tensor it needs and then returns NULL without touching the first error;
 * reports wrong shapes and types as HEED_ESHAPE, other arguments as HEED_EINVALID, in one sentence
 * that names the operation and the shapes. [..,N] means any leading shape. All are f32 unless a
 * type is named. A gradient flows to every f32 tensor argument unless said otherwise.
 * Gradients are summed in the order of the calls: where bits matter across compilers, no two of
 * them are arguments of one call, since C leaves open which of those comes first.
 */
#ifndef HEED_OPS_H
#define HEED_OPS_H

#include <heed/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif

/* -- arithmetic: b has a's shape, or a shape that is a tail of a's ([C] with [B,T,C]), or one
 * element --------------- */
HEED_API heed_tensor *heed_add(heed_ctx *cx, heed_tensor *a, heed_tensor *b);
HEED_API heed_tensor *heed_sub(heed_ctx *cx, heed_tensor *a, heed_tensor *b);
HEED_API heed_tensor *heed_mul(heed_ctx *cx, heed_tensor *a, heed_tensor *b);
HEED_API heed_tensor *heed_div(heed_ctx *cx, heed_tensor *a, heed_tensor *b);
HEED_API heed_tensor *heed_scale(heed_ctx *cx, heed_tensor *x, float a, float b); /* a·x + b */

/* -- functions of each element: [..] -> [..] -------------------------------------------------- */
HEED_API heed_tensor *heed_exp(heed_ctx *cx, heed_tensor *x);
HEED_API heed_tensor *heed_log(heed_ctx *cx, heed_tensor *x);
HEED_API heed_tensor *heed_tanh(heed_ctx *cx, heed_tensor *x);
HEED_API heed_tensor *heed_sigmoid(heed_ctx *cx, heed_tensor *x);
HEED_API heed_tensor *heed_relu(heed_ctx *cx, heed_tensor *x);
HEED_API heed_tensor *heed_gelu(heed_ctx *cx,
                                heed_tensor *x); /* exact, with erf (Hendrycks and Gimpel 2016) */
HEED_API heed_tensor *heed_gelu_tanh(heed_ctx *cx,
                                     heed_tensor *x); /* its tanh approximation, as GPT-2 has it */
HEED_API heed_tensor *heed_silu(heed_ctx *cx, heed_tensor *x); /* x·sigmoid(x) */
/* gate [..,F], up [..,F] -> silu(gate)·up [..,F]  (Shazeer 2020, "GLU variants improve
 * Transformer") */
HEED_API heed_tensor *heed_swiglu(heed_ctx *cx, heed_tensor *gate, heed_tensor *up);
/* Inverted dropout: each element is 0 with probability p, else scaled by 1/(1-p). x itself when not
 * training or p = 0. The mask depends on (seed, step, position of the call in the step, element)
 * and is made again in backward. */
HEED_API heed_tensor *heed_dropout(heed_ctx *cx, heed_tensor *x, float p);

/* -- products --------------------------------------------------------------------------------- */

typedef enum heed_act {
    HEED_ACT_NONE,
    HEED_ACT_RELU,
    HEED_ACT_GELU,
    HEED_ACT_GELU_TANH,
    HEED_ACT_SILU
} heed_act;

/* x·Wᵀ + b.  x [..,I], w [O,I], b [O] or NULL -> [..,O] */
HEED_API heed_tensor *heed_affine(heed_ctx *cx, heed_tensor *x, heed_tensor *w, heed_tensor *b);
/* act(x·Wᵀ + b) + residual, in one pass.  residual [..,O] or NULL */
HEED_API heed_tensor *heed_affine_act(heed_ctx *cx, heed_tensor *x, heed_tensor *w, heed_tensor *b,
                                      heed_act act, heed_tensor *residual);
/* dropout(x·Wᵀ + b) + residual in one pass, the mask as heed_dropout's.  residual [..,O], NULL */
HEED_API heed_tensor *heed_affine_drop(heed_ctx *cx, heed_tensor *x, heed_tensor *w, heed_tensor *b,
                                       float p, heed_tensor *residual);
/* Two linear layers and all that lies around them (Vaswani et al. 2017, "Position-wise Feed-Forward
 * Networks"): dropout(h·Dᵀ + b) + residual, h = dropout(act(x·Uᵀ + b)).
 * x [..,C], up_w [F,C], up_b [F] or NULL, down_w [O,F], down_b [O] or NULL, residual [..,O] or NULL
 * -> [..,O] */
typedef struct heed_feed_forward_cfg {
    heed_tensor *up_w, *up_b, *down_w, *down_b, *residual;
    heed_act act;
    float dropout, out_dropout; /* of h, of the result */
} heed_feed_forward_cfg;
HEED_API heed_tensor *heed_feed_forward(heed_ctx *cx, heed_tensor *x,
                                        const heed_feed_forward_cfg *cfg);
/* op(a)·op(b), op transposing the last two axes where asked.  a [..,M,K] (ta: [..,K,M]), b [..,K,N]
 * (tb: [..,N,K])
 * -> [..,M,N]; the leading axes are equal, or b has none of them and serves them all. */
HEED_API heed_tensor *heed_matmul(heed_ctx *cx, heed_tensor *a, heed_tensor *b, bool ta, bool tb);

/* -- shape ------------------------------------------------------------------------------------ */
/* The same numbers in another shape (no copy); one dimension may be -1. */
HEED_API heed_tensor *heed_reshape(heed_ctx *cx, heed_tensor *x, int ndim, const int64_t *shape);
HEED_API heed_tensor *heed_transpose(heed_ctx *cx, heed_tensor *x, int axis_a,
                                     int axis_b); /* copies */
HEED_API heed_tensor *heed_concat(heed_ctx *cx, heed_tensor *const *parts, int count, int axis);
HEED_API heed_tensor *heed_slice(heed_ctx *cx, heed_tensor *x, int axis, int64_t begin,
                                 int64_t end);

/* -- sums and pooling; lengths I32 [B] with values in 0..T, or NULL: T for all ---------------- */
HEED_API heed_tensor *heed_sum(heed_ctx *cx, heed_tensor *x);  /* [..] -> [] */
HEED_API heed_tensor *heed_mean(heed_ctx *cx, heed_tensor *x); /* [..] -> []; 0 of nothing */
HEED_API heed_tensor *heed_sum_axis(heed_ctx *cx, heed_tensor *x, int axis); /* that axis goes */
HEED_API heed_tensor *heed_max(heed_ctx *cx,
                               heed_tensor *x); /* [..,N] -> [..]; gradient to the first largest;
                                                   NaN is passed over, here and in max_pool */
HEED_API heed_tensor *heed_mean_pool(heed_ctx *cx, heed_tensor *x,
                                     heed_tensor *lengths); /* [B,T,C] -> [B,C]; empty: 0 */
HEED_API heed_tensor *heed_max_pool(heed_ctx *cx, heed_tensor *x,
                                    heed_tensor *lengths); /* [B,T,C] -> [B,C]; empty: 0 */

/* -- rows: over the last axis ----------------------------------------------------------------- */
HEED_API heed_tensor *heed_softmax(heed_ctx *cx, heed_tensor *x);     /* [..,N] -> [..,N] */
HEED_API heed_tensor *heed_log_softmax(heed_ctx *cx, heed_tensor *x); /* [..,N] -> [..,N] */
/* (x - mean) / sqrt(var + eps) · gain + bias.  gain, bias [N] or NULL  (Ba et al. 2016) */
HEED_API heed_tensor *heed_layer_norm(heed_ctx *cx, heed_tensor *x, heed_tensor *gain,
                                      heed_tensor *bias, float eps);
/* x / sqrt(mean x² + eps) · gain  (Zhang and Sennrich 2019) */
HEED_API heed_tensor *heed_rms_norm(heed_ctx *cx, heed_tensor *x, heed_tensor *gain, float eps);
/* x / max(|x|, eps)  of each row */
HEED_API heed_tensor *heed_l2_norm(heed_ctx *cx, heed_tensor *x, float eps);

/* -- tables and positions --------------------------------------------------------------------- */
/* Rows of table [V,C] by ids I32 [..] -> [..,C]. An id outside [0,V) is an error, but `padding`
 * (give -1 for none), which yields zeros and no gradient. Accumulates row-sparse gradients when the
 * table says so. */
HEED_API heed_tensor *heed_embedding(heed_ctx *cx, heed_tensor *table, heed_tensor *ids,
                                     int32_t padding);
/* Sum (mean = false) or mean of each bag of rows.  ids I32 [N], offsets I32 [B+1] increasing from 0
 * to N -> [B,C] */
HEED_API heed_tensor *heed_embedding_bag(heed_ctx *cx, heed_tensor *table, heed_tensor *ids,
                                         heed_tensor *offsets, bool mean);

typedef struct heed_rotary_cfg {
    int heads;        /* of x */
    int dims;         /* how many of each head's D turn; 0: all; even */
    float base;       /* 0: 10000 */
    float scale;      /* positions are divided by it (linear scaling); 0: 1 */
    bool interleaved; /* pairs (2i, 2i+1) as in the paper; false: (i, i + dims/2) as in Llama */
    int64_t start;    /* position of the first time step; for a cache */
} heed_rotary_cfg;
/* Rotary positions (Su et al. 2021).  x [B,T,H*D] -> the same; starts I32 [B] or NULL: per-row
 * position of step 0. */
HEED_API heed_tensor *heed_rotary(heed_ctx *cx, heed_tensor *x, heed_tensor *starts,
                                  const heed_rotary_cfg *cfg);

/* -- recurrent; gate order i, f, g, o and r, z, n as in PyTorch ------------------------------- */
/* A whole LSTM layer in one direction.  xw [B,T,4H]: x·Wᵢₕᵀ + bᵢₕ + bₕₕ, made with heed_affine; wh
 * [4H,H]; h0, c0 [B,H] or NULL: zeros; lengths I32 [B] or NULL -> [2,B,T,H]: h and c of every step,
 * zeros past each length. reverse reads each row from its own last step to its first. heed_slice
 * takes h or c out. */
HEED_API heed_tensor *heed_lstm(heed_ctx *cx, heed_tensor *xw, heed_tensor *wh,
                                heed_tensor *const state[2], heed_tensor *lengths,
                                bool reverse); /* state: {h0, c0} or NULL */
/* h alone, [B,T,H], from x [B,T,I] with weights {wi [4H,I], wh [4H,H], bias [4H] or NULL}: the bits
 * of heed_lstm after heed_affine(x, wi, bias), without [B,T,4H] but for the gates themselves:
 * inputs meet their weight while their step is at hand, forward and backward. */
HEED_API heed_tensor *heed_lstm_layer(heed_ctx *cx, heed_tensor *x, heed_tensor *const weights[3],
                                      heed_tensor *const state[2], heed_tensor *lengths,
                                      bool reverse);
/* One step.  gates [B,4H], c [B,H] -> [2,B,H]: h, c */
HEED_API heed_tensor *heed_lstm_cell(heed_ctx *cx, heed_tensor *gates, heed_tensor *c);
/* A whole GRU layer.  xw [B,T,3H]: x·Wᵢₕᵀ + bᵢₕ; wh [3H,H], bh [3H] (inside the reset gate, as
 * PyTorch) -> [B,T,H] */
HEED_API heed_tensor *heed_gru(heed_ctx *cx, heed_tensor *xw, heed_tensor *wh, heed_tensor *bh,
                               heed_tensor *h0, heed_tensor *lengths, bool reverse);
HEED_API heed_tensor *heed_gru_cell(heed_ctx *cx, heed_tensor *xg, heed_tensor *hg,
                                    heed_tensor *h); /* [B,3H],[B,3H],[B,H] -> [B,H] */

/* -- convolution ------------------------------------------------------------------------------ */
typedef struct heed_conv_cfg {
    int stride[2], padding[2],
        dilation[2]; /* height, width; 0 in stride and dilation means 1; 1d uses the second */
    int groups;      /* 0: 1 */
} heed_conv_cfg;
HEED_API heed_tensor *
heed_conv1d(heed_ctx *cx, heed_tensor *x, heed_tensor *w, heed_tensor *b,
            const heed_conv_cfg *cfg); /* x [B,I,T], w [O,I/g,K], b [O] or NULL -> [B,O,T'] */
HEED_API heed_tensor *
heed_conv2d(heed_ctx *cx, heed_tensor *x, heed_tensor *w, heed_tensor *b,
            const heed_conv_cfg *cfg); /* x [B,I,Y,X], w [O,I/g,Ky,Kx] -> [B,O,Y',X'] */
HEED_API heed_tensor *heed_max_pool2d(heed_ctx *cx, heed_tensor *x, int size,
                                      int stride); /* [B,C,Y,X] -> [B,C,Y',X'] */

/* -- losses: a mean over what counts, [] ------------------------------------------------------ */
typedef struct heed_cross_entropy_cfg {
    float smoothing; /* label smoothing (Szegedy et al. 2016) */
    int32_t ignore;  /* a label that does not count, where use_ignore */
    bool use_ignore;
    const float *class_weight; /* [K] or NULL; the mean is weighted, as in PyTorch */
    float focal_gamma; /* (1-p)^gamma (Lin et al. 2017); 0: plain. Not together with smoothing. */
} heed_cross_entropy_cfg;
/* logits [..,K], labels I32 [..] -> []; 0 where nothing counts.  cfg NULL: plain */
HEED_API heed_tensor *heed_cross_entropy(heed_ctx *cx, heed_tensor *logits, heed_tensor *labels,
                                         const heed_cross_entropy_cfg *cfg);
/* heed_cross_entropy of the logits x·Wᵀ + b, which are held once: their gradient takes their place.
 * x [..,I], w [K,I], b [K] or NULL, labels I32 [..] -> [] */
HEED_API heed_tensor *heed_affine_cross_entropy(heed_ctx *cx, heed_tensor *x, heed_tensor *w,
                                                heed_tensor *b, heed_tensor *labels,
                                                const heed_cross_entropy_cfg *cfg);
typedef struct heed_bce_cfg {
    const float *weight; /* [K] or NULL: what a target of 1 weighs, as PyTorch's pos_weight */
} heed_bce_cfg;
/* logits [..,K], targets [..,K] f32 in 0..1 -> [], the mean over all.  cfg NULL: plain */
HEED_API heed_tensor *heed_bce_logits(heed_ctx *cx, heed_tensor *logits, heed_tensor *targets,
                                      const heed_bce_cfg *cfg);
HEED_API heed_tensor *heed_mse(heed_ctx *cx, heed_tensor *x,
                               heed_tensor *target); /* [..],[..] -> [] */
/* KL(target || softmax(logits)), mean over rows; target [..,K] probabilities, no gradient to it */
HEED_API heed_tensor *heed_kl_div(heed_ctx *cx, heed_tensor *logits, heed_tensor *target);
/* Linear-chain conditional random field (Lafferty et al. 2001): -log p(tags | x) of each row.
 * x [B,T,K] scores of every tag at every step; transitions [K,K] (from, to); edges [2,K] scores of
 * a first and of a last tag, or NULL: zeros; tags I32 [B,T]; lengths I32 [B] or NULL -> [B], 0 for
 * an empty row. Tags past a length are not read. */
HEED_API heed_tensor *heed_crf(heed_ctx *cx, heed_tensor *x, heed_tensor *transitions,
                               heed_tensor *edges, heed_tensor *tags, heed_tensor *lengths);
/* a [N,C], b [N,C] of unit rows: cross-entropy of a·bᵀ/temperature with the diagonal right, both
 * ways (van den Oord et al. 2018) */
HEED_API heed_tensor *heed_info_nce(heed_ctx *cx, heed_tensor *a, heed_tensor *b,
                                    float temperature);
/* mean of max(0, |anchor-positive| - |anchor-negative| + margin), Euclidean; all [N,C] */
HEED_API heed_tensor *heed_triplet(heed_ctx *cx, heed_tensor *anchor, heed_tensor *positive,
                                   heed_tensor *negative, float margin);

/* -- an operation of your own ----------------------------------------------------------------- */
typedef struct heed_node heed_node;
/* Adds the gradient of each source: for source i, gradient numbers are at heed_grad(cx,
 * heed_node_src(n,i)) (zeroed at first touch, to be added to; NULL when that source wants none),
 * the output's are heed_node_out(n)->grad. */
typedef struct heed_op {
    const char *name;
    void (*backward)(heed_ctx *cx, const heed_node *n);
} heed_op;
/* Says that out, a new f32 tensor that no other operation made, was made from src by op; `saved` is
 * anything that backward needs and lives in the step (heed_scratch). Records nothing when no source
 * wants a gradient. Returns out, or NULL. A backward may compute with operations, but not call
 * heed_backward or heed_ctx_reset, and says what went wrong by heed_fail. */
HEED_API heed_tensor *heed_record(heed_ctx *cx, const heed_op *op, heed_tensor *out, int count,
                                  heed_tensor *const *src, void *saved);
HEED_API heed_tensor *heed_node_out(const heed_node *n);
HEED_API heed_tensor *heed_node_src(const heed_node *n, int i);
HEED_API void *heed_node_saved(const heed_node *n);
HEED_API float *heed_grad(heed_ctx *cx, heed_tensor *t);
HEED_API void *
heed_scratch(heed_ctx *cx,
             size_t size); /* until heed_ctx_reset, aligned to 64; NULL: out of memory */
/* Puts an error into the context if it has none yet; returns NULL, so `return heed_fail(...)`
 * works. */
HEED_API heed_tensor *heed_fail(heed_ctx *cx, int code, const char *format, ...) HEED_PRINTF(3, 4);

#ifdef __cplusplus
}
#endif
#endif
