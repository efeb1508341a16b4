/* gather.h: what embedding and embedding_bag share: lists of ids, checked, and the gradient of the
 * rows that they name. */
#ifndef HEED_OPS_GATHER_H
#define HEED_OPS_GATHER_H

#include "tensor/ctx.h"

typedef struct heed__ids {
    const int32_t *id;
    int64_t count;
    int32_t padding; /* names no row: zeros and no gradient; -1: none */
} heed__ids;

/* True when every id is a row of table [V,C] or the padding; else the error is set. */
bool heed__ids_ok(heed_ctx *cx, const char *op, const heed_tensor *table, const heed__ids *ids);
/* Adds dy [count,C] to the gradient of table, dense or sparse, in the order of ids; 0 or
 * HEED_ENOMEM. */
int heed__scatter_rows(heed_ctx *cx, heed_tensor *table, const heed__ids *ids, const float *dy);

#endif
