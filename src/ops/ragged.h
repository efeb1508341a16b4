/* ragged.h: the forward of a few operations over texts of different lengths that lie one after
 * another without padding, for answers: no gradient, and the bits of the operations over [B,T]
 * that train (heed_embedding_bag, heed_affine_act over neighbours, heed_softmax, heed_matmul,
 * heed_max_pool).
 *
 *     x: zeros, units of text 0, zeros, units of text 1, zeros, ..   [R,D]
 *     h: a row for every three of x that follow each other            [R-2,O]
 *
 * so that a text's first unit has zeros before it, its last one zeros after it, and the rows of h
 * between two texts mean nothing. */
#ifndef HEED_OPS_RAGGED_H
#define HEED_OPS_RAGGED_H

#include "tensor/ctx.h"

/* Bags of the rows of a table, many of which begin alike. Bag i is id[begin[i] .. end[i]); where
 * head[i] is not -1 it begins with part head[i], which is id[part_begin[..] .. part_end[..]). */
typedef struct heed__bags {
    const int32_t *id; /* rows of the table, not checked */
    const int64_t *begin, *end;
    const int32_t *head;
    int64_t len;
    const int64_t *part_begin, *part_end;
    int64_t parts;
} heed__bags;

/* The mean of each bag, as heed_embedding_bag has it; the sum of a part is made once. table [V,D]
 * -> [len,D] */
heed_tensor *heed__ragged_bags(heed_ctx *cx, const heed_tensor *table, const heed__bags *bags);

/* y_r = gelu(W [x_r, x_r+1, x_r+2] + b) + x_r+1.   x [R,D], R > 2, w [D,3D], b [D] -> [R-2,D] */
heed_tensor *heed__ragged_near(heed_ctx *cx, heed_tensor *x, heed_tensor *w, heed_tensor *b);

/* Texts' rows: text i is rows begin[i] .. begin[i+1]-2 of h; begin [len+1], none empty. */
typedef struct heed__texts {
    const int64_t *begin;
    int64_t len;
} heed__texts;

/* For each text [p_1, .., p_H, max h], p_h = Σ softmax(score_h) h over its rows.
 * h [M,D], score [M,H] (NULL: H = 1, every row alike) -> [len,(H+1)·D] */
heed_tensor *heed__ragged_pool(heed_ctx *cx, const heed_tensor *h, const heed_tensor *score,
                               const heed__texts *texts);

#endif
