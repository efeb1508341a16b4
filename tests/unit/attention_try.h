/* attention_try.h: attentions to try, with what they compute: the fused kernel's tests run them in
 * f32 and in bf16. */
#ifndef HEED_TESTS_ATTENTION_TRY_H
#define HEED_TESTS_ATTENTION_TRY_H

#include "heed/attention.h"

enum { TRY_GRADS = 8, TRY_LIST = 29 };

/* One attention to try; zeros are plain. */
typedef struct Try {
    int64_t B, T, S, H, Hk, D, Dv;
    heed_attention_cfg cfg;
    bool starts, lengths, segments, mask2, mask3, bias, alibi, t5, sinks, tau1, tauH;
    float size; /* of q and k; 0: 1 */
} Try;

typedef struct Result {
    float *out;
    float *grad[TRY_GRADS]; /* q k v bias t5 sinks temperature; NULL where there is none */
    int64_t len, grad_len[TRY_GRADS];
} Result;

/* The same as the formula has it, in double. */
typedef struct Exact {
    double *out, *grad[TRY_GRADS];
} Exact;

/* Forward and backward of a try on numbers drawn from `seed`. */
Result try_run(heed_ctx *cx, const Try *y, uint64_t seed);
void try_done(Result *r);
Exact try_reference(heed_ctx *cx, const Try *y, uint64_t seed);
void try_exact_done(Exact *e);
/* Fails where a bit differs. */
void try_same(const Result *a, const Result *b, const char *what);

extern const Try try_list[TRY_LIST];
/* One of any size and kind. */
Try try_chance(heed_rng *rng);

#endif
