/* attention_general.h: inside of the general path: blocks of rows of weights, made the same way in
 * forward and backward, and given to whoever uses them: the values, a penalty, a tap.
 *
 *   scores     attention_scores.c    q·k, additive, relative, for a block of queries and its keys
 *   who sees   attention_visible.c   the keys of each row (attention_hidden.c: nobody does)
 *   rows       attention_rows.c      positions, reach, noise, weights of one row; and back
 *   users      attention_general.c (values), attention_penalty.c, attention_draw.c,
 *              attention_general_tap.c
 *
 * A block holds up to GENERAL_BLOCK queries of one head over the keys lo..hi-1 that any of them
 * sees; memory is GENERAL_BLOCK·S for each worker. Every sum over keys starts at the row's origin,
 * the first valid key of its segment, or a multiple of 128 after it: neither padding nor what a
 * window leaves out changes a bit.
 */
#ifndef HEED_OPS_ATTENTION_GENERAL_H
#define HEED_OPS_ATTENTION_GENERAL_H

#include "ops/attention_impl.h"

enum { GENERAL_BLOCK = 32, GENERAL_ALIGN = 128 };

/* What a gradient may flow to, in the order of a node's sources. */
enum {
    GENERAL_Q,
    GENERAL_K,
    GENERAL_V,
    GENERAL_BIAS,
    GENERAL_RELATIVE,
    GENERAL_TEMPERATURE,
    GENERAL_SCORE_V,
    GENERAL_T5,
    GENERAL_U,
    GENERAL_W,
    GENERAL_SPAN,
    GENERAL_CENTER,
    GENERAL_SINKS,
    GENERAL_SOURCES
};

/* One call: sizes, kinds, tensors; made once, kept on the tape, read by all workers. */
typedef struct heed__general {
    const heed_kernels *k;
    heed_attention_cfg c; /* score is DOT (with scale) or ADDITIVE (projected) here */
    heed_tensor *src[GENERAL_SOURCES];
    int64_t B, T, S, H, Hk, Hv, D, Dv; /* Hk key heads, Hv value heads; Hv divides Hk divides H */
    float scale;
    bool train; /* noise, draws and dropout happen */
    uint64_t seed, stream;
    bool keep_plain;  /* rows keep the score before softcap and positions */
    float *positions; /* [H, T+S]: what alibi and t5 add at distance s - p_t, from the least on */
    int32_t *bucket;  /* [T+S]: t5's buckets of the same distances */
} heed__general;

/* Where gradients go in one backward; a NULL one is not wanted. Those of small tensors are summed
 * for each (batch, head) by itself, then over batch and heads in their order. */
typedef struct heed__general_grads {
    float *to[GENERAL_SOURCES];
    float *small; /* [B,H,small_len] */
    int64_t small_len, at[GENERAL_SOURCES];
    bool by_head; /* bias or relative want one: a worker takes a head through the whole batch */
} heed__general_grads;

/* A worker's block. Rows are ld apart; column j is key lo + j. */
typedef struct heed__block {
    int64_t b, h, t0, n;         /* queries t0..t0+n-1 of (batch, head) */
    int64_t lo, hi;              /* keys */
    int64_t ld;                  /* of all [n,ld] below */
    int64_t from[GENERAL_BLOCK]; /* the column where each row's sums begin */
    int64_t end[GENERAL_BLOCK];  /* and the one after its last visible key; from: sees nothing */
    float dev[GENERAL_BLOCK];    /* deviation, with score_std */
    float sunk[GENERAL_BLOCK];   /* weight that the sink took */
    float *x;                    /* final scores, -inf: hidden */
    float *plain;                /* scores before softcap and positions, where keep_plain */
    float *p;                    /* weights as the scores' gradient needs them */
    float *a;    /* weights as one sees them: p, or one-hot, or times the Gaussian */
    float *w;    /* a after dropout: what values are multiplied with */
    float *dx;   /* gradients: of w, then of a, p, x in turn */
    float *row;  /* [2,S + GENERAL_ALIGN] scratch of one row */
    float *head; /* [GENERAL_BLOCK + 16, wide] scratch of the scores */
    float *far;  /* [GENERAL_BLOCK, S + GENERAL_BLOCK] relative's products */
    float *product;
} heed__block;

/* -- attention_visible.c */
/* The valid keys of batch b. */
void heed__general_valid(const heed__general *g, int64_t b, int64_t *begin, int64_t *end);
/* Sets lo, hi, ld, from[] and end[] of a block whose b, h, t0, n are set. */
void heed__general_range(const heed__general *g, heed__block *k);
/* Hides (-inf) what row i does not see and shrinks end[i] to the last visible one. */
void heed__general_hide(const heed__general *g, heed__block *k, int64_t i);

/* -- attention_hidden.c */
/* Queries and keys of a call: where a number is huge or not finite, copies in which those that see
 * nothing and that nobody sees are zeros. False: out of memory. */
bool heed__general_clear(heed_ctx *cx, const heed__general *g, heed_tensor *qk[2]);

/* -- attention_scores.c */
int64_t heed__general_head_room(const heed__general *g); /* floats of block.head */
/* x = scale · score of the block. */
void heed__general_scores(const heed__general *g, heed__block *k);
/* c [n,width] = weights [n,len] · rows [len,width], their rows ldc, ldw and ld apart: of the
 * block's keys, or of their distances. A weight of 0 hides its row whatever it holds, NaN too. */
typedef struct heed__mix {
    const float *weights, *rows;
    float *c;
    int64_t len, ldw, ld, ldc, width;
} heed__mix;
void heed__general_mix(const heed__general *g, heed__block *k, const heed__mix *m);
/* Gradients of q, k and the score's own parameters from dx. */
void heed__general_scores_grad(const heed__general *g, heed__block *k,
                               const heed__general_grads *to);

/* -- attention_rows.c */
void heed__general_rows(const heed__general *g, heed__block *k);
/* On entry dx holds dL/dw, dL/da or dL/dx of the final scores, as `from` says; on return dL/dx of
 * what heed__general_scores gave. */
typedef enum heed__general_from {
    GENERAL_FROM_W,
    GENERAL_FROM_A,
    GENERAL_FROM_X
} heed__general_from;
void heed__general_rows_grad(const heed__general *g, heed__block *k, const heed__general_grads *to,
                             heed__general_from from);

/* -- attention_general.c */
/* Floats of one worker's block, and the block in that room. */
int64_t heed__general_room(const heed__general *g);
heed__block heed__general_block(const heed__general *g, float *room);
/* Makes the block whose b, h, t0 and n are set, up to the weights. */
void heed__general_fill(const heed__general *g, heed__block *k);
/* The same for the queries from t0 on of (b, h), as many as a block holds. */
void heed__general_make(const heed__general *g, heed__block *k, int64_t b, int64_t h, int64_t t0);
/* Units of work of that many rows, for heed__parallel. */
int64_t heed__general_cost(const heed__general *g, int64_t rows);
/* Everything for one backward: buffers for src's gradients. False: out of memory. */
bool heed__general_grads_make(heed_ctx *cx, const heed__general *g, heed__general_grads *to);
/* Adds the small gradients to their tensors. */
void heed__general_grads_end(const heed__general *g, const heed__general_grads *to);
static inline float *heed__general_small(const heed__general *g, const heed__general_grads *to,
                                         const heed__block *k, int which) {
    return to->to[which] ? to->small + (k->b * g->H + k->h) * to->small_len + to->at[which] : NULL;
}

/* -- the users of weights; false or NULL with the error set on failure */
bool heed__general_tap(heed_ctx *cx, const heed__general *g);
heed_tensor *heed__general_penalty(heed_ctx *cx, const heed__general *g);
heed_tensor *heed__general_log_prob(heed_ctx *cx, const heed__general *g);

#endif
