/* sequence.h: how the recurrent operations walk over a batch of sequences of unequal length.
 *
 * Rows are sorted by length, longest first (equal lengths stay in order), and cut into groups of
 * HEED_SEQ_GROUP. At step s of a group the rows that are still running are its first `active`, so a
 * step is one product over that many rows and no work is spent on padding. What is kept for
 * backward lies without gaps: group after group, step after step, row after row; `total` = Σ
 * lengths. Groups do not depend on the number of threads, so neither do results.
 */
#ifndef HEED_OPS_SEQUENCE_H
#define HEED_OPS_SEQUENCE_H

#include "tensor/ctx.h"

enum { HEED_SEQ_GROUP = 16 };

typedef struct heed__seq {
    int64_t batch, steps, groups, total;
    bool reverse;
    int64_t *row;    /* [B] the batch row at each sorted place */
    int64_t *length; /* [B] of each sorted place */
    int64_t *first;  /* [groups+1] where a group's kept rows begin */
} heed__seq;

/* Fills s for [batch,steps] and lengths that heed__lengths_ok found right; lives in the step. False
 * and the error set when memory is short. */
bool heed__seq_plan(heed_ctx *cx, heed__seq *s, const int64_t shape[2], const heed_tensor *lengths);

/* The time at which sorted row r does its step s. */
static inline int64_t heed__seq_time(const heed__seq *q, int64_t r, int64_t s) {
    return q->reverse ? q->length[r] - 1 - s : s;
}

/* Rows of the group beginning at sorted row r0 that run at step s, of `rows` at most. */
static inline int64_t heed__seq_active(const heed__seq *q, int64_t r0, int64_t rows, int64_t s) {
    while (rows > 0 && q->length[r0 + rows - 1] <= s) rows--;
    return rows;
}

/* Zeroes the steps past each length of group g's rows in x [B,T,width]. */
void heed__seq_clear_tails(const heed__seq *s, float *x, int64_t g, int64_t width);

/* True when lengths is NULL or I32 [batch] within 0..steps; else the error is set. */
bool heed__lengths_ok(heed_ctx *cx, const char *op, const heed_tensor *lengths, int64_t batch,
                      int64_t steps);

/* One product of the recurrence in the caller alone. */
typedef struct heed__seq_product {
    const heed_kernels *k;
    const float *packed;   /* weight in panels */
    float *scratch;        /* of heed__seq_scratch floats */
    int64_t n, k_len, lda; /* lda: from one row of a to the next */
} heed__seq_product;
int64_t heed__seq_scratch(const heed_kernels *k, int64_t n, int64_t k_len);
void heed__seq_multiply(const heed__seq_product *p, float *c, const float *a, int64_t rows,
                        const float *bias, bool accumulate);

/* The gradient of w [n,m] gets dgᵀ·h over all kept rows, dg [total,n], h [total,m], as one sharded
 * product; nothing where w wants none. False and the error set when memory is short. */
bool heed__seq_weight_grad(heed_ctx *cx, heed_tensor *w, const float *dg, const float *h,
                           int64_t total);

#endif
