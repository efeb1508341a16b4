/* embedding.c: rows of a table by ids.   table [V,C], ids I32 [..] -> y [..,C]
 *
 *   forward    y_i  = table[ids_i]   (0 where ids_i is the padding id)
 *   backward   dtable[ids_i] += dy_i, in the order of i
 *
 * Where the table is sparse, its gradient is one of the rows touched.
 */
#include "tensor/ctx.h"
#include "kernels/math.h"
#include "ops/gather.h"
#include "ops/op.h"

#include <string.h>

typedef struct copy_job {
    const float *table;
    const int32_t *ids;
    float *y;
    int64_t dim;
    int32_t padding;
} copy_job;

static void copy_rows(void *arg, int64_t begin, int64_t end, int worker) {
    const copy_job *j = arg;
    (void)worker;
    for (int64_t i = begin; i < end; i++) {
        float *y = j->y + i * j->dim;
        if (j->ids[i] == j->padding)
            memset(y, 0, (size_t)j->dim * sizeof *y);
        else
            memcpy(y, j->table + j->ids[i] * j->dim, (size_t)j->dim * sizeof *y);
    }
}

typedef struct scatter_job {
    const heed_ctx *cx;
    float *dtable;
    const int32_t *ids;
    const float *dy;
    int64_t count, dim;
    int32_t padding;
    bool fresh; /* dtable is not set yet */
} scatter_job;

/* One range of the table's rows: every worker reads all ids, so the order of sums is that of i. */
static void scatter_rows(void *arg, int64_t begin, int64_t end, int worker) {
    const scatter_job *j = arg;
    (void)worker;
    if (j->fresh)
        memset(j->dtable + begin * j->dim, 0, (size_t)((end - begin) * j->dim) * sizeof(float));
    for (int64_t i = 0; i < j->count; i++) {
        const int32_t id = j->ids[i];
        if (id == j->padding || id < begin || id >= end) continue;
        j->cx->k->math->axpy(j->dtable + id * j->dim, 1.0f, j->dy + i * j->dim, j->dim);
    }
}

int heed__scatter_rows(heed_ctx *cx, heed_tensor *table, const heed__ids *ids, const float *dy) {
    if (table->sparse)
        return heed__sparse_add(table->sparse, ids->count, ids->id, dy, ids->padding);
    float beta, *dtable = heed__grad_beta(cx, table, &beta);
    if (!dtable) return 0;
    scatter_job j = { .cx = cx,
                      .dtable = dtable,
                      .ids = ids->id,
                      .dy = dy,
                      .count = ids->count,
                      .dim = heed__cols(table),
                      .padding = ids->padding,
                      .fresh = beta == 0 };
    const int64_t rows = table->shape[0], threads = heed_pool_threads(cx->pool);
    const int64_t work = (ids->count + (j.fresh ? rows : 0)) * j.dim;
    const int64_t grain = work < 65536 ? rows : (rows + threads - 1) / threads;
    heed_pool_run(cx->pool, rows, grain > 0 ? grain : 1, scatter_rows, &j);
    return 0;
}

bool heed__ids_ok(heed_ctx *cx, const char *op, const heed_tensor *table, const heed__ids *ids) {
    for (int64_t i = 0; i < ids->count; i++) {
        const int32_t id = ids->id[i];
        if (id < 0 || (id >= table->shape[0] && id != ids->padding))
            return heed_fail(cx, HEED_EINVALID, "%s: id %d at position %lld is outside 0..%lld", op,
                             id, (long long)i, (long long)table->shape[0] - 1),
                   false;
    }
    return true;
}

static void embedding_backward(heed_ctx *cx, const heed_node *n) {
    heed__ids ids = { HEED_I32_DATA(n->src[1]), n->src[1]->len, *(const int32_t *)n->saved };
    if (!n->src[0]->needs_grad) return;
    if (heed__scatter_rows(cx, n->src[0], &ids, n->out->grad) != 0)
        heed_fail(cx, HEED_ENOMEM, "embedding: no memory for the gradient of %lld rows",
                  (long long)ids.count);
}

static const heed_op op = { .name = "embedding", .backward = embedding_backward };

heed_tensor *heed_embedding(heed_ctx *cx, heed_tensor *table, heed_tensor *ids, int32_t padding) {
    if (!table || !ids) return NULL;
    char a[96], b[96];
    if (table->dtype != HEED_F32 || ids->dtype != HEED_I32)
        return heed_fail(cx, HEED_EINVALID,
                         "embedding: the table is f32 and ids are i32, not %s, %s",
                         heed_dtype_name(table->dtype), heed_dtype_name(ids->dtype));
    if (table->ndim != 2 || ids->ndim >= HEED_MAX_NDIM)
        return heed_fail(cx, HEED_ESHAPE, "embedding: table %s is not [V,C] or ids %s have no room",
                         heed_shape_text(table, a), heed_shape_text(ids, b));
    const heed__ids list = { HEED_I32_DATA(ids), ids->len, padding };
    if (!heed__ids_ok(cx, "embedding", table, &list)) return NULL;
    int64_t shape[HEED_MAX_NDIM];
    memcpy(shape, ids->shape, sizeof shape);
    shape[ids->ndim] = table->shape[1];
    heed_tensor *y = heed__out(cx, &op, ids->ndim + 1, shape);
    int32_t *saved = heed_scratch(cx, sizeof *saved);
    if (!y || !saved) return NULL;
    *saved = padding;
    copy_job j = { table->data, list.id, y->data, table->shape[1], padding };
    heed__parallel(cx, ids->len, table->shape[1], copy_rows, &j);
    return heed__record2(cx, &op, y, table, ids, saved);
}
