/* bins.h: blocks of a step that are used again before the step ends: gradients, and scratch. */
#ifndef HEED_TENSOR_BINS_H
#define HEED_TENSOR_BINS_H

#include "tensor/ctx.h"

/* Room of at least size bytes for a gradient of the step, aligned to 64, not filled; NULL and the
 * error set when memory is short. */
void *heed__bin_take(heed_ctx *cx, size_t size);
void heed__bin_give(heed_ctx *cx, void *block);
/* heed__temp whose end is heed__temps_end: all scratch of the backward that runs now. */
void *heed__temp_of_backward(heed_ctx *cx, int64_t count, size_t size);
void heed__temps_end(heed_ctx *cx);
/* The step is over: all blocks with it. forget: the plans of bins too. */
void heed__bins_reset(heed_ctx *cx, bool forget);
/* Bytes of tables. */
size_t heed__bins_size(const heed_ctx *cx);

#endif
