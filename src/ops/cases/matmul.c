/* matmul.c: cases of heed_matmul. */
#include "ops/cases/cases.h"

static heed_tensor *apply(heed_ctx *cx, const heed_case *c, heed_tensor *const *in) {
    return heed_matmul(cx, in[0], in[1], c->i[0], c->i[1]);
}

/* i: ta, tb, batch, M, N, K; b is shared when it has two axes */
static void reference(const heed_case *c, const double *const *in, double *out) {
    const int64_t batch = c->i[2], M = c->i[3], N = c->i[4], K = c->i[5];
    for (int64_t b = 0; b < batch; b++)
        for (int64_t m = 0; m < M; m++)
            for (int64_t n = 0; n < N; n++) {
                const double *A = in[0] + b * M * K, *B = in[1];
                if (c->in[1].ndim > 2) B += b * K * N;
                double sum = 0;
                for (int64_t k = 0; k < K; k++)
                    sum += (c->i[0] ? A[k * M + m] : A[m * K + k]) *
                           (c->i[1] ? B[n * K + k] : B[k * N + n]);
                out[(b * M + m) * N + n] = sum;
            }
}

/* size: batch (0: no leading axis), M, N, K */
static void add(heed_case_list *l, const int64_t size[4], int turned, bool shared) {
    const int64_t B = size[0], M = size[1], N = size[2], K = size[3];
    const bool ta = turned & 1, tb = turned & 2;
    heed_case c = { .apply = apply, .reference = reference, .count = 2 };
    c.in[0] = (heed_case_input){ HEED_DIMS(B, ta ? K : M, ta ? M : K) };
    c.in[1] = (heed_case_input){ HEED_DIMS(B, tb ? N : K, tb ? K : N) };
    c.out = (heed_case_shape){ HEED_DIMS(B, M, N) };
    if (!B) {
        c.in[0] = (heed_case_input){ HEED_DIMS(ta ? K : M, ta ? M : K) };
        c.out = (heed_case_shape){ HEED_DIMS(M, N) };
    }
    if (!B || shared) c.in[1] = (heed_case_input){ HEED_DIMS(tb ? N : K, tb ? K : N) };
    const int64_t numbers[6] = { ta, tb, B ? B : 1, M, N, K };
    for (int k = 0; k < 6; k++) c.i[k] = numbers[k];
    c.flops = 2.0 * (double)numbers[2] * (double)M * (double)N * (double)K;
    c.bench = c.flops > 1e8;
    c.tolerance = 4e-6;
    c.grad_tolerance = 2e-5;
    heed_case_add(l, &c);
}

static void refuse(heed_case_list *l, heed_case_input a, heed_case_input b, int64_t ta,
                   const char *message) {
    heed_case_add(
        l,
        &(heed_case){ .apply = apply, .count = 2, .in = { a, b }, .i = { ta }, .refuse = message });
}

void heed_cases_matmul(heed_case_list *l) {
    for (int turned = 0; turned < 4; turned++) {
        add(l, (int64_t[]){ 0, 3, 5, 7 }, turned, false);
        add(l, (int64_t[]){ 3, 9, 17, 5 }, turned, false);
        add(l, (int64_t[]){ 4, 7, 18, 6 }, turned, true);
        add(l, (int64_t[]){ 2, 33, 20, 0 }, turned, turned & 1);
        add(l, (int64_t[]){ 2, 0, 3, 4 }, turned, turned & 1);
        add(l, (int64_t[]){ 5, 70, 33, 48 }, turned, turned & 1);
    }
    add(l, (int64_t[]){ 3, 700, 9, 5 }, 0, true); /* b's gradient: shards of 2100 rows */
    heed_case none = { .apply = apply, .reference = reference, .count = 2 };
    none.in[0] = (heed_case_input){ HEED_DIMS(0, 4, 3) };
    none.in[1] = (heed_case_input){ HEED_DIMS(3, 5) };
    none.out = (heed_case_shape){ HEED_DIMS(0, 4, 5) };
    heed_case_add(l, &none);
    none.i[0] = 1;
    none.in[0] = (heed_case_input){ HEED_DIMS(0, 3, 4) };
    heed_case_add(l, &none);
    refuse(l, (heed_case_input){ HEED_DIMS(2, 8) }, (heed_case_input){ HEED_DIMS(5, 4) }, 0,
           "[2,8] x [5,4] do not chain");
    refuse(l, (heed_case_input){ HEED_DIMS(2, 8) }, (heed_case_input){ HEED_DIMS(8, 4) }, 1,
           "[2,8]ᵀ x [8,4] do not chain");
    refuse(l, (heed_case_input){ HEED_DIMS(8) }, (heed_case_input){ HEED_DIMS(8, 4) }, 0,
           "do not chain");
    refuse(l, (heed_case_input){ HEED_DIMS(2, 3, 8) }, (heed_case_input){ HEED_DIMS(3, 8, 4) }, 0,
           "do not chain");
    refuse(l, (heed_case_input){ HEED_DIMS(INT64_C(1) << 40, 0) },
           (heed_case_input){ HEED_DIMS(0, INT64_C(1) << 40) }, 0, "would be too large");
    add(l, (int64_t[]){ 0, 512, 512, 512 }, 0, false);
    add(l, (int64_t[]){ 64, 128, 128, 64 }, 2, false);
}
