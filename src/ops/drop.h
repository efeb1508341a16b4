/* drop.h: dropout as a part of other operations: the mask of heed_dropout, made where the numbers
 * are in the caches anyway, and made again in backward. */
#ifndef HEED_OPS_DROP_H
#define HEED_OPS_DROP_H

#include "ops/op.h"

typedef struct heed__drop {
    const heed_math_kernels *k;
    bool on; /* false: everything is kept as it is */
    uint64_t seed, stream;
    uint32_t limit; /* an element is dropped where its 16 random bits are below */
    float scale;
} heed__drop;

/* True for p in 0..1; else the error is set. Takes a stream number of the step where it is on. */
bool heed__drop_begin(heed_ctx *cx, const heed_op *op, float p, heed__drop *d);
/* y (+)= x·m/(1-p) for n elements, of which the first is element `first` of the masked tensor; y
 * may be x. For d->on alone. */
void heed__drop_apply(const heed__drop *d, float *y, const float *x, int64_t n, int64_t first,
                      bool accumulate);

/* y = drop(y) + residual [rows,cols] for parts of a product's y: heed_gemm's `after`. */
typedef struct heed__join {
    const heed__drop *drop;
    float *y;
    const float *residual; /* or NULL */
    int64_t cols;
} heed__join;
void heed__join_part(const void *arg, const int64_t range[4]);

/* dz = dy·m/(1-p) [rows,cols] in room that ends with this backward, dy itself where d is off; and
 * bias's gradient from it in the same pass. NULL when memory is short. */
const float *heed__drop_back(heed_ctx *cx, const heed__drop *d, heed_tensor *bias,
                             const heed_tensor *out);

#endif
