/* part.h: names of a layer's parts, and how its parameters are declared. For the files of nn. */
#ifndef HEED_NN_PART_H
#define HEED_NN_PART_H

#include "heed/nn.h"

enum { HEED_PART_SIZE = 256 };

/* Writes "<name>.<part>" with part a printf format; a name without room is kept in ps as an error.
 * Returns text. */
char *heed__part(heed_params *ps, char text[HEED_PART_SIZE], const char *name, const char *part,
                 ...) HEED_PRINTF(4, 5);
/* heed_param of "<name>.<part>". */
heed_tensor *heed__part_param(heed_params *ps, const char *name, const char *part, heed_init init,
                              int ndim, const int64_t *shape);
/* 0, or the status that ps keeps. */
int heed__part_status(const heed_params *ps);
/* What a layer's kind of attention does not have together is refused; 0 or a status. */
int heed__mha_kind_check(heed_params *ps, const char *name, const heed_mha_cfg *c);
/* Declares the parameters that the kind of attention needs and was not given. */
void heed__mha_kind_params(heed_mha *m, heed_params *ps, const char *name);
/* What a call attends by: cfg, or the layer's kind where it is NULL, with what is learnt. q is the
 * source of the queries, keys how many each meets. False: an error is set. */
bool heed__mha_kind(heed_ctx *cx, const heed_mha *m, const heed_attention_cfg *cfg, heed_tensor *q,
                    int64_t keys, heed_attention_cfg *kind);
/* Attention with its projections of {q, k, v} but without the output's. */
heed_tensor *heed__mha_heads(heed_ctx *cx, const heed_mha *m, heed_tensor *const qkv[3],
                             const heed_attention_cfg *cfg);
heed_tensor *heed__mha_step_heads(heed_ctx *cx, const heed_mha *m, heed_tensor *x,
                                  heed_kv_cache *cache, const heed_attention_cfg *cfg);
heed_tensor *heed__mha_recall_heads(heed_ctx *cx, const heed_mha *m, heed_tensor *x,
                                    heed_kv_cache *cache, const heed_attention_cfg *cfg);
/* residual + dropout(feed-forward of x), p of that dropout; residual may be NULL. */
heed_tensor *heed__ff_join(heed_ctx *cx, const heed_ff *f, heed_tensor *x, heed_tensor *residual,
                           float p);
/* What one layer of a decoder keeps between steps. */
typedef struct heed__block_cache {
    heed_kv_cache *self, *cross; /* cross NULL: none */
} heed__block_cache;
/* heed_block_apply; with a cache x are the newest steps. */
heed_tensor *heed__block_step(heed_ctx *cx, const heed_block *b, heed__block_cache *cache,
                              heed_tensor *x, const heed_block_call *call);
/* True for 1..2^31: widths whose small multiples, and products with a count of heads, fit in
 * int64_t. */
bool heed__width_ok(int64_t n);
/* 1 / sqrt(n), the bound of PyTorch's uniform first values; 0 for n <= 0. */
float heed__bound(int64_t n);

#endif
