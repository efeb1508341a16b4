/* rows.h: operations that turn each row of x [..,N] into a row of y [..,N] by itself. */
#ifndef HEED_OPS_ROWS_H
#define HEED_OPS_ROWS_H

#include "ops/op.h"

/* Forward: fn(y, x, n) on each row; returns the recorded result. */
heed_tensor *heed__row_map(heed_ctx *cx, const heed_op *op, heed_tensor *x,
                           float (*fn)(float *y, const float *x, int64_t n));
/* Backward: dx += fn(y, dy) on each row; each is cleared just before where there is no old value.
 */
void heed__row_map_backward(heed_ctx *cx, const heed_node *n, heed_map1_grad fn);
/* x is f32 with at least one axis, or a sentence in cx. */
bool heed__has_rows(heed_ctx *cx, const heed_op *op, const heed_tensor *x);
/* gain or bias (NULL is fine) is f32 [N], or a sentence in cx. */
bool heed__is_row_of(heed_ctx *cx, const heed_op *op, const char *what, const heed_tensor *x,
                     const heed_tensor *row);

#endif
