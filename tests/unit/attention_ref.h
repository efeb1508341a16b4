/* attention_ref.h: attention as its formula says, in double, with a [T,S] matrix and no tricks:
 * what the kernels are compared with. Forward and all gradients. */
#ifndef HEED_TESTS_ATTENTION_REF_H
#define HEED_TESTS_ATTENTION_REF_H

#include "heed/attention.h"

/* Inputs and results of one call; gradients are NULL where not wanted. */
typedef struct ref_call {
    int64_t B, T, S, H, Hk, D, Dv;
    const float *q, *k, *v, *dout;
    const heed_attention_cfg *cfg;
    double *out, *dq, *dk, *dv, *dbias, *dt5, *dsinks, *dtau; /* zeroed by the caller */
} ref_call;

void ref_attention(const ref_call *c);
/* What query t of row b sees of key s. */
bool ref_visible(const ref_call *c, int64_t b, int64_t t, int64_t s);

#endif
