/* ragged.h: local context and attention pooling over texts of different lengths that lie one after
 * another without padding, for answers: no gradient, and rows of 8 bits. */
#ifndef HEED_OPS_RAGGED_H
#define HEED_OPS_RAGGED_H

#include <stddef.h>

#include "tensor/ctx.h"

/* An item, [4D] in 8 bits: what it is, x, and what it adds to the unit after it, to itself and to
 * the unit before it, c. Where they are added up, up to 15 bytes past its end are read. */
typedef struct heed__item {
    float scale[2]; /* of x, of c: x_i = scale · number */
    int8_t number[];
} heed__item;

static inline size_t heed__item_size(int64_t D) {
    return sizeof(heed__item) + 4 * (size_t)D;
}
/* number [n] nearest to x, and their scale; NaN where x holds what is not finite. */
float heed__to_i8(const heed_ctx *cx, int8_t *number, const float *x, int64_t n);

/* Texts one after another: text i is units begin[i] .. begin[i+1]; begin [len+1], none empty. Unit
 * u is the sum of items item[first[u]] .. item[first[u+1]]. part[u]: what each counts. */
typedef struct heed__texts {
    const int64_t *begin;
    int64_t len;
    const int64_t *first;
    const heed__item *const *item;
    const float *part;
} heed__texts;

/* What reads them: near [D] of the local context, queries [H,D] of attention (NULL: H = 1, every
 * unit alike). */
typedef struct heed__reader {
    const heed_tensor *near, *query;
} heed__reader;

/* For each text [p_1, .., p_H, max h], p_k = Σ softmax(q_k · h) h over its units,
 *   h_u = x_u + gelu(near + c0_u-1 + c1_u + c2_u+1)
 * where x, c0, c1, c2 are the parts of the units' sums, and there is nothing before a text's first
 * unit and after its last one. -> [len,(H+1)·D]. Where weight is not NULL the softmaxes are left
 * there: a text's [H,T] after another, a scratch of the step. */
heed_tensor *heed__ragged_apply(heed_ctx *cx, const heed__texts *texts, const heed__reader *reader,
                                const float **weight);

#endif
