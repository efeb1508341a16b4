/* attention_problem.h: one small attention of a chosen kind, as tensors for the library and as
 * doubles for the reference, with the same numbers in both. */
#ifndef HEED_TESTS_ATTENTION_PROBLEM_H
#define HEED_TESTS_ATTENTION_PROBLEM_H

#include "attention_reference.h"
#include "ops/attention_impl.h"

/* The axes that are walked; `visible`, `positions` and `extra` index the lists of
 * attention_problem.c. */
typedef struct kind {
    int score, weights, visible, positions, extra;
} kind;

enum {
    KIND_SCORES = HEED_SCORE_ADDITIVE + 1,
    KIND_WEIGHTS = HEED_WEIGHTS_SIGMOID + 2, /* the last: Gumbel, hard */
    KIND_VISIBLE = 16,
    KIND_POSITIONS = 7,
    KIND_EXTRAS = 17
};

typedef struct sizes {
    int64_t B, T, S, H, Hk, D, Dv;
} sizes;

typedef struct problem {
    kind kind;
    heed_attention_cfg cfg;
    heed_attention_more more;
    ref_attention ref;
    heed_tensor *in[REF_TENSORS];
    double *numbers; /* behind ref.t */
    int64_t len[REF_TENSORS];
    double *shift, *w; /* one-hot's distance; the loss weights of the output */
    double *onehot;    /* [B,H,T,S], for weights that choose */
    uint64_t seed;
} problem;

/* Tensors are made in cx and want gradients. */
void problem_init(problem *p, heed_ctx *cx, const kind *k, const sizes *z);
void problem_free(problem *p);
/* One sentence's worth of what it is, static storage. */
const char *problem_text(const problem *p);
/* True where the header says that this combination does not exist. */
bool problem_refused(const problem *p);
/* By the general path whatever path the operation would choose (general), or by heed_attention. */
heed_tensor *problem_run(problem *p, heed_ctx *cx, bool general);
/* sum(out·w) + 0.7·penalty + sum(log_prob·(0.3 + b)), for the library and for the reference. */
heed_tensor *problem_loss(problem *p, heed_ctx *cx, heed_tensor *out);
double problem_ref_loss(problem *p, double *out); /* out [B,T,H*Dv] or NULL is filled */
/* Fixes the choices of hard weights as the reference's argmax. */
void problem_choose(problem *p);
bool problem_one_hot(const problem *p);

/* A repeatable number in (-1,1). */
double problem_random(uint64_t *state);

#endif
