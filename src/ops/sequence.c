/* sequence.c: plans for batches of sequences, and the two products of recurrence; see sequence.h.
 */
#include "ops/sequence.h"
#include "kernels/gemm.h"

#include <string.h>

bool heed__lengths_ok(heed_ctx *cx, const char *op, const heed_tensor *lengths, int64_t batch,
                      int64_t steps) {
    char text[96];
    if (!lengths) return true;
    if (lengths->dtype != HEED_I32 || lengths->ndim != 1 || lengths->shape[0] != batch) {
        heed_fail(cx, HEED_ESHAPE, "%s: lengths are %s %s, not i32 [%lld]", op,
                  heed_dtype_name(lengths->dtype), heed_shape_text(lengths, text),
                  (long long)batch);
        return false;
    }
    for (int64_t b = 0; b < batch; b++) {
        const int32_t n = HEED_I32_DATA(lengths)[b];
        if (n >= 0 && n <= steps) continue;
        heed_fail(cx, HEED_EINVALID, "%s: length %d of row %lld is outside 0..%lld", op, n,
                  (long long)b, (long long)steps);
        return false;
    }
    return true;
}

/* Places rows by length, longest first, as a counting sort. */
static bool sort_rows(heed_ctx *cx, heed__seq *s, const heed_tensor *lengths) {
    const int64_t B = s->batch, T = s->steps;
    int64_t *place = heed__temp(cx, T + 2, sizeof *place);
    if (!place) return false;
    for (int64_t t = 0; t < T + 2; t++) place[t] = 0;
    for (int64_t b = 0; b < B; b++) place[T - (lengths ? HEED_I32_DATA(lengths)[b] : T) + 1]++;
    for (int64_t t = 0; t < T; t++) place[t + 1] += place[t];
    for (int64_t b = 0; b < B; b++) {
        const int64_t n = lengths ? HEED_I32_DATA(lengths)[b] : T;
        const int64_t r = place[T - n]++;
        s->row[r] = b;
        s->length[r] = n;
    }
    heed__temp_end(cx, place);
    return true;
}

bool heed__seq_plan(heed_ctx *cx, heed__seq *s, const int64_t shape[2],
                    const heed_tensor *lengths) {
    s->batch = shape[0];
    s->steps = shape[1];
    s->groups = (s->batch + HEED_SEQ_GROUP - 1) / HEED_SEQ_GROUP;
    s->row = heed__alloc(cx, s->batch + 1, sizeof(int64_t));
    s->length = heed__alloc(cx, s->batch + 1, sizeof(int64_t));
    s->first = heed__alloc(cx, s->groups + 1, sizeof(int64_t));
    if (!s->row || !s->length || !s->first || !sort_rows(cx, s, lengths)) return false;
    s->total = 0;
    for (int64_t r = 0; r < s->batch; r++) {
        if (r % HEED_SEQ_GROUP == 0) s->first[r / HEED_SEQ_GROUP] = s->total;
        s->total += s->length[r];
    }
    s->first[s->groups] = s->total;
    return true;
}

void heed__seq_clear_tails(const heed__seq *s, float *x, int64_t g, int64_t width) {
    const int64_t r0 = g * HEED_SEQ_GROUP;
    for (int64_t r = r0; r < s->batch && r < r0 + HEED_SEQ_GROUP; r++)
        memset(x + (s->row[r] * s->steps + s->length[r]) * width, 0,
               (size_t)((s->steps - s->length[r]) * width) * sizeof *x);
}

int64_t heed__seq_scratch(const heed_kernels *k, int64_t n, int64_t k_len) {
    const heed_gemm g = { .m = HEED_SEQ_GROUP, .n = n, .k = k_len, .lda = k_len, .ldc = n };
    return heed__gemm_scratch(k, &g, 1) + 16;
}

void heed__seq_multiply(const heed__seq_product *p, float *c, const float *a, int64_t rows,
                        const float *bias, bool accumulate) {
    const heed_gemm g = { .m = rows,
                          .n = p->n,
                          .k = p->k_len,
                          .a = a,
                          .lda = p->lda,
                          .packed = p->packed,
                          .c = c,
                          .ldc = p->n,
                          .bias = bias,
                          .accumulate = accumulate };
    heed__gemm(p->k, NULL, &g, p->scratch);
}

bool heed__seq_weight_grad(heed_ctx *cx, heed_tensor *w, const float *dg, const float *h,
                           int64_t total) {
    float beta;
    if (!w || !w->needs_grad) return true;
    float *dw = heed__grad_beta(cx, w, &beta);
    if (!dw) return false;
    const heed_gemm g = { .m = w->shape[0],
                          .n = w->shape[1],
                          .k = total,
                          .a = dg,
                          .lda = w->shape[0],
                          .ta = true,
                          .b = h,
                          .ldb = w->shape[1],
                          .c = dw,
                          .ldc = w->shape[1],
                          .accumulate = beta != 0,
                          .shard = HEED_GEMM_SHARD };
    float *scratch = heed__temp(cx, heed__gemm_scratch(cx->k, &g, heed_pool_threads(cx->pool)) + 16,
                                sizeof(float));
    if (!scratch) return false;
    heed__gemm(cx->k, cx->pool, &g, scratch);
    heed__temp_end(cx, scratch);
    return true;
}
