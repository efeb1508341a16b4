/* bins.h: blocks of a step's arena that are used again before the step ends. */
#ifndef HEED_TENSOR_BINS_H
#define HEED_TENSOR_BINS_H

#include "tensor/ctx.h"

/* A block of at least size bytes, aligned to 64, not filled; NULL and the error set when memory is
 * short. */
void *heed__bin_take(heed_ctx *cx, size_t size);
/* Gives such a block back; size as it was asked for. */
void heed__bin_give(heed_ctx *cx, void *block, size_t size);
/* heed__temp whose end is heed__temps_end: all scratch of the backward that runs now. */
void *heed__temp_of_backward(heed_ctx *cx, int64_t count, size_t size);
void heed__temps_end(heed_ctx *cx);

#endif
