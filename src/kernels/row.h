/* row.h: kernels that reduce. The row rule: 16 lanes (element i goes to lane i % 16, in order; a
 * tail's missing elements leave their lane as it is), then one fixed tree (vf_hsum). Sums over very
 * many: blocks of 4096 elements by the row rule, then heed__tree_sum over the blocks. */
#ifndef HEED_KERNELS_ROW_H
#define HEED_KERNELS_ROW_H

#include "kernels/kernels.h"

enum { HEED_SUM_BLOCK = 4096 };

struct heed_row_kernels {
    float (*sum)(const float *x, int64_t n);
    float (*dot)(const float *x, const float *y, int64_t n);
    float (*sum_sq)(const float *x, int64_t n);
    float (*max)(const float *x,
                 int64_t n); /* -inf for n = 0; NaN elements are passed over unless all are */
    /* y = softmax(x); x all -inf gives zeros, a NaN in it NaN alone. Returns max + log(sum) of the
     * row (-inf where all are). */
    float (*softmax)(float *y, const float *x, int64_t n);
    float (*log_softmax)(float *y, const float *x, int64_t n); /* the same return value */
    float (*log_sum_exp)(const float *x, int64_t n);           /* that value alone */
    /* log(sum exp(x - max)), the second part of that value: both apart say more of large numbers.
     * max as above, not -inf */
    float (*log_sum)(const float *x, float max, int64_t n);
    void (*softmax_grad)(float *dx, const float *y, const float *dy,
                         int64_t n); /* dx += y·(dy - sum dy·y) */
    void (*log_softmax_grad)(float *dx, const float *y, const float *dy,
                             int64_t n); /* dx += dy - exp(y)·sum dy */
    /* layer norm of one row; stat[0] = mean, stat[1] = 1/sqrt(var + eps). gain, bias may be NULL.
     */
    void (*layer_norm)(float *y, const float *x, const float *gain, const float *bias, float eps,
                       float stat[2], int64_t n);
    void (*layer_norm_grad)(float *dx, const float *x, const float *gain, const float *dy,
                            const float stat[2], int64_t n); /* += */
    void (*rms_norm)(float *y, const float *x, const float *gain, float eps, float stat[1],
                     int64_t n);
    void (*rms_norm_grad)(float *dx, const float *x, const float *gain, const float *dy,
                          const float stat[1], int64_t n); /* += */
    /* softmax(x)·scale of one row from its two parts: y = exp((x - top) - log_sum)·scale */
    void (*exp_sub_scale)(float *y, const float *x, float top, float log_sum, float scale,
                          int64_t n);
    /* Attention's ends over rows x [rows,n], without products of matrices. scores: y [len,rows] of
     * q [len,n], y[k][i] = dot(q[k], x[i]). means: y [len+1,n] of w [len,rows], y[k] = Σ_i
     * w[k][i]·x[i], one chain in the order of i, and y[len] the largest of each column, -inf where
     * there is no number. */
    void (*scores)(float *y, const float *q, int64_t len, const float *x, int64_t rows, int64_t n);
    void (*means)(float *y, const float *w, int64_t len, const float *x, int64_t rows, int64_t n);
    /* Column sums: sum[j] += x[i][j], i = 0..rows-1 one chain in order; rows ld apart. */
    void (*add_rows)(float *sum, const float *x, int64_t ld, int64_t rows, int64_t n);
    /* The same of dy·(x - mean)·rstd and of dy: gradients of a layer norm's gain and bias (either
     * may be NULL). stat [rows,2]; a NULL mean (rms) is told by rms = true, stat [rows,1]. */
    void (*norm_param_grad)(float *dgain, float *dbias, const float *x, const float *dy, int64_t ld,
                            const float *stat, bool rms, int64_t rows, int64_t n);
};

/* Sum of n numbers as a balanced tree (left half: the largest power of two smaller than n); 0 for n
 * = 0. */
float heed__tree_sum(const float *x, int64_t n);
/* Sum, and sum of squares, over very many, in a pool; scratch holds (n + 4095) / 4096 floats. */
float heed__sum_many(const heed_kernels *k, heed_pool *pool, const float *x, int64_t n,
                     float *scratch);
float heed__sum_sq_many(const heed_kernels *k, heed_pool *pool, const float *x, int64_t n,
                        float *scratch);

#endif
