/* attention_impl.h: what the files of attention share: the sizes of a call, its checks, and the two
 * ways to compute it. */
#ifndef HEED_OPS_ATTENTION_IMPL_H
#define HEED_OPS_ATTENTION_IMPL_H

#include "heed/attention.h"
#include "kernels/attn.h"
#include "tensor/ctx.h"

/* The largest query_start: sums and products of positions and distances stay within int64_t. */
#define HEED_ATTENTION_FARTHEST (INT64_C(1) << 40)

/* The sizes of one call, as checked: every product of them fits in int64_t. */
typedef struct heed_attention_dims {
    const char *op; /* what messages begin with; set before the check, NULL: "attention" */
    int64_t B, T, S, H, Hk;
    int64_t D;  /* width of a query head */
    int64_t Dk; /* width of a key head; D but for bilinear and additive scores */
    int64_t Dv; /* width of a value head */
    bool fused; /* the fused kernel computes this combination */
} heed_attention_dims;

/* Every rule of the header's table and every shape, for any cfg. 0 with *d filled and limits of cfg
 * that are beyond every distance brought down to what can be counted, or the error in cx and its
 * status. */
int heed__attention_check(heed_ctx *cx, const heed_tensor *q, const heed_tensor *k,
                          const heed_tensor *v, heed_attention_cfg *cfg, heed_attention_dims *d);

/* One call, after the checks. */
typedef struct heed_attention_call {
    heed_tensor *q, *k, *v;
    heed_attention_cfg cfg; /* a copy */
    heed_attention_dims d;
} heed_attention_call;

/* Tells the context's counter what the call costs. */
void heed__attention_count(const heed_ctx *cx, const heed_attention_call *c);
heed_tensor *heed__attention_fused(heed_ctx *cx, const heed_attention_call *c);
heed_tensor *heed__attention_general(heed_ctx *cx, const heed_attention_call *c);

/* The call as the kernel's problem, but for keys, values and out; room of the step. False: an error
 * is set. */
bool heed__attention_problem(heed_ctx *cx, const heed_attention_call *c, heed_attn *a);
/* Runs its forward; fills the tap from it. False: an error is set. */
bool heed__attention_run(heed_ctx *cx, const heed_attn *a);
bool heed__attention_run_tap(heed_ctx *cx, const heed_attn *a, heed_attention_tap *tap);

/* Whether heed_attention_mean computes what cfg says. */
bool heed__attention_mean_exists(const heed_attention_cfg *cfg);

/* The relative table of one head: out[i] is what alibi and t5 add to the score of distance
 * s - p_t = first + i, for i in 0..n-1. */
void heed__attention_relative(const heed_attention_cfg *cfg, int64_t head, int64_t first, int64_t n,
                              float *out);
/* T5's buckets of distances s - p_t, 0..t5->shape[0]-1. */
typedef struct heed_t5 {
    int64_t buckets; /* of one direction */
    int64_t exact;   /* distances below it have a bucket of their own */
    int64_t farthest;
    bool one_way;
    double ratio; /* of the edges of the others */
} heed_t5;
heed_t5 heed__t5_buckets(const heed_attention_cfg *cfg);
int64_t heed__t5_bucket(const heed_t5 *t, int64_t distance);

/* Makes the tensors that the tap asks for, filled with zeros (top_keys with -1). False: an error is
 * set. */
bool heed__attention_tap_make(heed_ctx *cx, heed_attention_tap *tap, const heed_attention_dims *d);

#endif
