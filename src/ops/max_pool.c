/* max_pool.c: the largest of each column over a row's valid steps.
 *   x [B,T,C], lengths I32 [B] -> y [B,C]
 *
 *   forward    y_bc = max_t<n x_btc;  0 for n = 0; NaN steps are passed over unless all are
 *   backward   dx_btc += dy_bc at the first t that holds the maximum
 */
#include "ops/op.h"
#include "ops/sequence.h"

typedef struct max_job {
    const heed_math_kernels *k;
    const float *x;
    float *y;
    int32_t *at; /* [B,C] the step of the maximum, -1 for none */
    const int32_t *lengths;
    int64_t steps, dim;
} max_job;

static void max_rows(void *arg, int64_t begin, int64_t end, int worker) {
    const max_job *j = arg;
    const int64_t C = j->dim;
    (void)worker;
    for (int64_t b = begin; b < end; b++) {
        const int64_t n = j->lengths ? j->lengths[b] : j->steps;
        float *y = j->y + b * C;
        int32_t *at = j->at + b * C;
        for (int64_t c = 0; c < C; c++) {
            y[c] = n > 0 ? j->x[b * j->steps * C + c] : 0.0f;
            at[c] = n > 0 ? 0 : -1;
        }
        for (int64_t t = 1; t < n; t++) {
            const float *x = j->x + (b * j->steps + t) * C;
            j->k->keep_max(y, at, x, (int32_t)t, C);
        }
    }
}

static void max_pool_backward(heed_ctx *cx, const heed_node *n) {
    const heed_tensor *x = n->src[0];
    const int32_t *at = n->saved;
    float *dx = heed_grad(cx, n->src[0]);
    const int64_t B = x->shape[0], T = x->shape[1], C = x->shape[2];
    for (int64_t b = 0; dx && b < B; b++)
        for (int64_t c = 0; c < C; c++)
            if (at[b * C + c] >= 0) dx[(b * T + at[b * C + c]) * C + c] += n->out->grad[b * C + c];
}

static const heed_op op = { .name = "max_pool", .backward = max_pool_backward };

heed_tensor *heed_max_pool(heed_ctx *cx, heed_tensor *x, heed_tensor *lengths) {
    char text[96];
    if (!x) return NULL;
    if (x->dtype != HEED_F32 || x->ndim != 3 || x->shape[1] > INT32_MAX)
        return heed_fail(cx, HEED_ESHAPE, "max_pool: x %s %s is not f32 [B,T,C]",
                         heed_dtype_name(x->dtype), heed_shape_text(x, text));
    const int64_t B = x->shape[0], T = x->shape[1], C = x->shape[2];
    if (!heed__lengths_ok(cx, "max_pool", lengths, B, T)) return NULL;
    heed_tensor *y = heed__out(cx, &op, 2, (int64_t[]){ B, C });
    int32_t *at = heed__alloc(cx, B * C, sizeof *at);
    if (!y || !at) return NULL;
    max_job j = {
        cx->k->math, x->data, y->data, at, lengths ? HEED_I32_DATA(lengths) : NULL, T, C
    };
    heed__parallel(cx, B, T * C, max_rows, &j);
    return heed__record2(cx, &op, y, x, lengths, at);
}
