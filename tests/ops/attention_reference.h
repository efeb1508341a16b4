/* attention_reference.h: attention of every kind in double, one row after the other, written from
 * the formulas of heed/attention.h and independent of the library's code; what the library's
 * numbers and gradients are compared with.
 *
 * Gradients come from central differences: change one number of t[...], call again. */
#ifndef HEED_TESTS_ATTENTION_REFERENCE_H
#define HEED_TESTS_ATTENTION_REFERENCE_H

#include "heed/attention.h"

/* The tensors that numbers are read from; NULL where the cfg has none. */
enum {
    REF_Q,
    REF_K,
    REF_V,
    REF_TEMPERATURE,
    REF_SCORE_W,
    REF_SCORE_WQ,
    REF_SCORE_WK,
    REF_SCORE_V,
    REF_CENTER,
    REF_BIAS,
    REF_T5,
    REF_RELATIVE,
    REF_U,
    REF_RV,
    REF_SPAN,
    REF_SINKS,
    REF_TENSORS
};

typedef struct ref_attention {
    const heed_attention_cfg *cfg; /* kinds, numbers and integer tensors */
    int64_t B, T, S, H, Hk, D, Dk, Dv, A, temperatures;
    double *t[REF_TENSORS];
    /* [B,H,T,S] or NULL: the weights that multiply values are p + shift (a one-hot's distance from
     * its p, which straight-through holds fixed). */
    const double *shift;
} ref_attention;

/* weights [B,H,T,S] and out [B,T,H*Dv]; either may be NULL. For weights that choose one key: the p
 * behind them (plus shift); without noise or dropout. */
void ref_attend(const ref_attention *r, double *weights, double *out);
/* Whether query t of row b sees key s in head h (span's ramp aside). */
bool ref_sees(const ref_attention *r, int64_t b, int64_t t, int64_t s);
/* The penalty of cfg, from weights. */
double ref_penalty(const ref_attention *r, const double *weights);

/* -- rows of scores, -inf where hidden (reference_weights.c) */
void ref_softmax(double *p, const double *x, int64_t n, const double *sink);
void ref_sparsemax(double *p, const double *x, int64_t n);
void ref_entmax15(double *p, const double *x, int64_t n);
void ref_sigmoid(double *p, const double *x, int64_t n);
void ref_argmax(double *p, const double *x, int64_t n);
void ref_keep_top(double *x, int64_t n, int64_t keep);
void ref_by_std(double *x, int64_t n);

#endif
