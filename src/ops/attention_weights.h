/* attention_weights.h: from the scores of one query to its weights over the keys, and back.
 *
 * A row is x [n], -inf where the key is not visible; weights there are exactly 0, and a row with
 * nothing visible has only zeros and passes no gradient. Sums run over the visible keys in their
 * order, in double, so that hidden keys on either side change no bit. Every `_grad` function writes
 * dx [n], 0 where the key is not visible; dx may be dp.
 */
#ifndef HEED_OPS_ATTENTION_WEIGHTS_H
#define HEED_OPS_ATTENTION_WEIGHTS_H

#include "kernels/kernels.h"

/* exp(x) / sum exp(x).  p may be x. */
void heed__weights_softmax(const heed_kernels *k, float *p, const float *x, int64_t n);
void heed__weights_softmax_grad(float *dx, const float *p, const float *dp, int64_t n);

/* Sparsemax: the nearest point of the simplex (Martins and Astudillo 2016).  p is not x. */
void heed__weights_sparsemax(float *p, const float *x, int64_t n);
void heed__weights_sparsemax_grad(float *dx, const float *p, const float *dp, int64_t n);

/* Entmax with alpha = 1.5 (Peters, Niculae and Martins 2019).  p is not x. */
void heed__weights_entmax15(float *p, const float *x, int64_t n);
void heed__weights_entmax15_grad(float *dx, const float *p, const float *dp, int64_t n);

/* 1/(1 + exp(-x)) of each visible key: gates that need not sum to 1.  p may be x. */
void heed__weights_sigmoid(const heed_kernels *k, float *p, const float *x, int64_t n);
void heed__weights_sigmoid_grad(float *dx, const float *p, const float *dp, int64_t n);

/* Exactly one 1, at the largest score; the first of equals.  Returns where, or -1: none visible,
 * or a score is NaN, then so is p. */
int64_t heed__weights_argmax(float *p, const float *x, int64_t n);

/* Exactly one 1, at a place drawn with probabilities p0 (which sum to 1 or are all 0) by u in
 * [0,1).  Returns where, or -1 as above. */
int64_t heed__weights_draw(float *p, const float *p0, int64_t n, float u);

/* Hides (x = -inf) all but the keep largest scores; of equals the first stay. A NaN is
 * canonical, and the largest. */
void heed__scores_keep_top(float *x, int64_t n, int64_t keep);

/* x = (x - mean) / standard deviation of the visible scores (n-1 in the denominator, as torch.std);
 * all 0 where the deviation is 0, all NaN where one is NaN or inf. A softmax does not see the
 * mean, and without it a row whose scores are large and close keeps its digits. Returns the
 * deviation. */
float heed__scores_by_std(float *x, int64_t n);
/* dx from the scaled row y and its deviation; dx may be dy. */
void heed__scores_by_std_grad(float *dx, const float *y, const float *dy, int64_t n, float std);

/* x += Gumbel noise -log(-log u) (Jang et al. 2017, Maddison et al. 2017); the noise of element i
 * depends on where = (seed, stream, first) and first + i alone; first is a multiple of 4.
 * scratch [n]. */
void heed__scores_add_gumbel(const heed_kernels *k, float *x, int64_t n, const uint64_t where[3],
                             float *scratch);

/* -sum p·log p in nats, and its gradient dp += scale·(-log p - 1) where p > 0.  scratch [n]. */
float heed__weights_entropy(const heed_kernels *k, const float *p, int64_t n, float *scratch);
void heed__weights_entropy_grad(const heed_kernels *k, float *dp, const float *p, int64_t n,
                                float scale, float *scratch);

#endif
