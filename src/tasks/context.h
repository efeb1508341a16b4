/* context.h: a passage that a text attends to, read by the same body: cross-attention from the
 * units of the text to those of the passage, and what the two have to do with each other beside the
 * body's vector of the text.
 *
 *     h [T,C], m [S,C]      states of the text, of its passage
 *     r_t = Σ_s a_ts m_s    a = softmax_s(cos(W_q h_t, W_k m_s) / τ), H heads, τ learnt
 *     g_t = gelu(V [h_t · r_t, h_t - r_t] + b)      compared   (Parikh et al. 2016)
 *     o_h = Σ_t h_t · r_t / Σ_t h_t · h_t           over head h's part of C: how much of the text
 *                                                   is found in the passage
 *     y   = [mean_t g_t, max_t g_t, o]              [2D+H]
 *
 * The projections begin as the identity, so that from the first step a word finds itself. Keys past
 * the passage's true length, and units past the text's, count for nothing. Parameters are the
 * head's: "head.context.*". */
#ifndef HEED_TASKS_CONTEXT_H
#define HEED_TASKS_CONTEXT_H

#include <jansson.h>

#include "heed/nn.h"
#include "tasks/body.h"

typedef struct heed_context {
    int64_t in;           /* C; 0: there is none */
    int64_t heads, width; /* H, D */
    double dropout;       /* of what is compared, when training */
    heed_mha cross;
    heed_linear compare;
    heed_tensor *scale; /* [H] of o */
} heed_context;

/* Declares the parameters over body's states; heads and width 0: 4 or what divides C, 64. 0 or a
 * status. */
int heed__context_init(heed_context *k, heed_params *ps, const heed_body *body, heed_error *err);
/* The width of its vectors; 0 where there is none. */
int64_t heed__context_dim(const heed_context *k);

/* Texts of rows and their passages, a span each. */
typedef struct heed_context_call {
    const heed_rows *rows, *rows2;
    const heed_span *span, *span2; /* [n] */
    int64_t n;
} heed_context_call;
/* y [n,B] -> [n,B + dim]; y itself where there is none. */
heed_tensor *heed__context_join(heed_ctx *cx, const heed_context *k, const heed_body *body,
                                const heed_context_call *x, heed_tensor *y);

json_t *heed__context_config(const heed_context *k); /* NULL: out of memory, or none */
/* object NULL: none. 0 or a status. */
int heed__context_read(heed_context *k, const json_t *object, const char *path, heed_error *err);

#endif
