/* embedding_bag.c: the sum or mean of bags of rows.
 *   table [V,C], ids I32 [N], offsets I32 [B+1] -> y [B,C]
 *
 *   forward    y_b = s_b · Σ_i table[ids_i],  i = offsets_b .. offsets_b+1 - 1, in order
 *   backward   dtable[ids_i] += s_b · dy_b
 *   s_b is 1, or 1 / the bag's length where the mean is asked for; an empty bag gives 0.
 */
#include "tensor/ctx.h"
#include "kernels/math.h"
#include "ops/gather.h"
#include "ops/op.h"

#include <string.h>

typedef struct bag_job {
    const heed_ctx *cx;
    const float *table;
    const int32_t *ids, *offsets;
    float *y;  /* forward [B,C]; backward [N,C]: dy of each id */
    float *dy; /* [B,C] */
    int64_t dim;
    bool mean;
} bag_job;

static float bag_scale(const bag_job *j, int64_t b) {
    const int32_t n = j->offsets[b + 1] - j->offsets[b];
    return j->mean && n > 0 ? 1.0f / (float)n : 1.0f;
}

static void bag_forward(void *arg, int64_t begin, int64_t end, int worker) {
    const bag_job *j = arg;
    (void)worker;
    for (int64_t b = begin; b < end; b++) {
        float *y = j->y + b * j->dim;
        memset(y, 0, (size_t)j->dim * sizeof *y);
        j->cx->k->math->gather(y, NULL, j->table, j->ids + j->offsets[b],
                               j->offsets[b + 1] - j->offsets[b], j->dim);
        if (j->mean) j->cx->k->math->axpby(y, bag_scale(j, b), y, 0.0f, j->dim);
    }
}

static void bag_spread(void *arg, int64_t begin, int64_t end, int worker) {
    const bag_job *j = arg;
    (void)worker;
    for (int64_t b = begin; b < end; b++)
        for (int32_t i = j->offsets[b]; i < j->offsets[b + 1]; i++)
            j->cx->k->math->axpby(j->y + i * j->dim, bag_scale(j, b), j->dy + b * j->dim, 0.0f,
                                  j->dim);
}

static void embedding_bag_backward(heed_ctx *cx, const heed_node *n) {
    heed_tensor *table = n->src[0], *ids = n->src[1], *offsets = n->src[2];
    if (!table->needs_grad) return;
    const int64_t dim = table->shape[1];
    bag_job j = { .cx = cx,
                  .offsets = HEED_I32_DATA(offsets),
                  .dy = n->out->grad,
                  .dim = dim,
                  .mean = *(const bool *)n->saved };
    j.y = heed__alloc(cx, ids->len * dim, sizeof(float));
    if (!j.y) return;
    heed__parallel(cx, offsets->len - 1, dim, bag_spread, &j);
    const heed__ids list = { HEED_I32_DATA(ids), ids->len, -1 };
    if (heed__scatter_rows(cx, table, &list, j.y) != 0)
        heed_fail(cx, HEED_ENOMEM, "embedding_bag: no memory for the gradient of %lld rows",
                  (long long)ids->len);
}

static const heed_op op = { .name = "embedding_bag", .backward = embedding_bag_backward };

static bool offsets_ok(heed_ctx *cx, const heed_tensor *ids, const heed_tensor *offsets) {
    const int32_t *o = HEED_I32_DATA(offsets);
    bool ok = offsets->len >= 1 && o[0] == 0 && o[offsets->len - 1] == ids->len;
    for (int64_t b = 1; ok && b < offsets->len; b++) ok = o[b] >= o[b - 1];
    if (!ok)
        heed_fail(cx, HEED_EINVALID,
                  "embedding_bag: offsets do not increase from 0 to %lld, the "
                  "number of ids",
                  (long long)ids->len);
    return ok;
}

heed_tensor *heed_embedding_bag(heed_ctx *cx, heed_tensor *table, heed_tensor *ids,
                                heed_tensor *offsets, bool mean) {
    if (!table || !ids || !offsets) return NULL;
    char a[96], b[96], c[96];
    if (table->dtype != HEED_F32 || ids->dtype != HEED_I32 || offsets->dtype != HEED_I32)
        return heed_fail(cx, HEED_EINVALID,
                         "embedding_bag: the table is f32, ids and offsets are i32, not %s, %s, %s",
                         heed_dtype_name(table->dtype), heed_dtype_name(ids->dtype),
                         heed_dtype_name(offsets->dtype));
    if (table->ndim != 2 || ids->ndim != 1 || offsets->ndim != 1 || offsets->len < 1)
        return heed_fail(cx, HEED_ESHAPE,
                         "embedding_bag: table %s, ids %s, offsets %s are not [V,C], [N], [B+1]",
                         heed_shape_text(table, a), heed_shape_text(ids, b),
                         heed_shape_text(offsets, c));
    const heed__ids list = { HEED_I32_DATA(ids), ids->len, -1 };
    if (!offsets_ok(cx, ids, offsets) || !heed__ids_ok(cx, "embedding_bag", table, &list))
        return NULL;
    const int64_t B = offsets->len - 1, C = table->shape[1];
    heed_tensor *y = heed__out(cx, &op, 2, (int64_t[]){ B, C });
    bool *saved = heed_scratch(cx, sizeof *saved);
    if (!y || !saved) return NULL;
    *saved = mean;
    bag_job j = { .cx = cx,
                  .table = table->data,
                  .ids = list.id,
                  .offsets = HEED_I32_DATA(offsets),
                  .y = y->data,
                  .dim = C,
                  .mean = mean };
    heed__parallel(cx, B, C * (B > 0 ? list.count / B + 1 : 1), bag_forward, &j);
    return heed__record3(cx, &op, y, table, ids, offsets, saved);
}
