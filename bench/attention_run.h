/* attention_run.h: one attention as a program has it (tensors, context, tape), for the
 * benchmarks. */
#ifndef HEED_BENCH_ATTENTION_RUN_H
#define HEED_BENCH_ATTENTION_RUN_H

#include <stdlib.h>

#include "heed/attention.h"
#include "heed/ops.h"

typedef struct attention_run {
    heed_ctx *cx;
    heed_params *ps;
    heed_tensor *q, *k, *v; /* [B,T,H*D] */
    float *dout;
    int64_t heads;
} attention_run;

static inline void attention_close(attention_run *r) {
    if (!r) return;
    heed_params_free(r->ps);
    heed_ctx_free(r->cx);
    free(r->dout);
    free(r);
}

/* NULL where memory is short. */
static inline attention_run *attention_open(int64_t B, int64_t T, int64_t H, int64_t D,
                                            int threads) {
    heed_error err;
    attention_run *r = calloc(1, sizeof *r);
    if (!r) return NULL;
    const heed_init normal = { HEED_INIT_NORMAL, 1.0f };
    const int64_t shape[] = { B, T, H * D };
    r->heads = H;
    r->cx = heed_ctx_new(&(heed_ctx_cfg){ .train = true, .threads = threads }, &err);
    r->ps = heed_params_new(&(heed_params_cfg){ .seed = 1 }, &err);
    r->dout = malloc((size_t)(B * T * H * D) * sizeof(float));
    if (r->cx && r->ps && r->dout) {
        r->q = heed_param(r->ps, "q", normal, 3, shape);
        r->k = heed_param(r->ps, "k", normal, 3, shape);
        r->v = heed_param(r->ps, "v", normal, 3, shape);
    }
    if (!r->v) return attention_close(r), NULL;
    for (int64_t i = 0; i < B * T * H * D; i++) r->dout[i] = 1;
    return r;
}

/* One forward, and one backward if asked. 0, or -1 for an error. */
static inline int attention_step(attention_run *r, int causal, float dropout, int backward) {
    const heed_attention_cfg cfg = { .heads = r->heads, .causal = causal != 0, .dropout = dropout };
    heed_ctx_set_record(r->cx, backward != 0);
    heed_tensor *y = heed_attention(r->cx, r->q, r->k, r->v, &cfg);
    const int rc = !y || (backward && heed_backward_from(r->cx, y, r->dout)) ? -1 : 0;
    heed_ctx_reset(r->cx);
    return rc;
}

#endif
