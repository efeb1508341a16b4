/* Cases of heed_linear_attention: the formula as a double loop over queries and keys. */
#include "ops/cases/cases.h"

#include "heed/attention.h"

#include <math.h>
#include <string.h>

/* i: heads, kv_heads, causal, feature */
static heed_tensor *apply(heed_ctx *cx, const heed_case *c, heed_tensor *const *in) {
    const heed_linear_attention_cfg cfg = { .heads = c->i[0],
                                            .kv_heads = c->i[1],
                                            .causal = c->i[2] != 0,
                                            .feature = (heed_feature_kind)c->i[3],
                                            .key_lengths = in[3],
                                            .key_starts = in[4] };
    return heed_linear_attention(cx, in[0], in[1], in[2], &cfg);
}

static double feature(const heed_case *c, double x) {
    if (c->i[3] == HEED_FEATURE_RELU) return x > 0 ? x : 0;
    return x > 0 ? x + 1 : exp(x);
}

static double product(const heed_case *c, const double *q, const double *k, int64_t D) {
    double sum = 0;
    for (int64_t i = 0; i < D; i++) sum += feature(c, q[i]) * feature(c, k[i]);
    return sum;
}

static void reference(const heed_case *c, const double *const *in, double *out) {
    const int64_t B = c->in[0].shape[0], T = c->in[0].shape[1], S = c->in[1].shape[1];
    const int64_t H = c->i[0], Hk = c->i[1] ? c->i[1] : H;
    const int64_t D = c->in[0].shape[2] / H, Dv = c->in[2].shape[2] / Hk;
    for (int64_t r = 0; r < B * T * H; r++) {
        const int64_t b = r / H / T, t = r / H % T, hk = r % H / (H / Hk);
        const int64_t begin = in[4] ? (int64_t)in[4][b] : 0,
                      end = in[3] ? begin + (int64_t)in[3][b] : S;
        double sum = 0;
        for (int64_t j = 0; j < Dv; j++) out[r * Dv + j] = 0;
        for (int64_t s = begin; s < end && !(c->i[2] && s > t); s++) {
            const double a = product(c, in[0] + r * D, in[1] + ((b * S + s) * Hk + hk) * D, D);
            sum += a;
            for (int64_t j = 0; j < Dv; j++)
                out[r * Dv + j] += a * in[2][((b * S + s) * Hk + hk) * Dv + j];
        }
        for (int64_t j = 0; j < Dv; j++) out[r * Dv + j] /= sum + (double)1e-6f;
    }
}

typedef struct form {
    int64_t B, T, S, H, Hk, D, Dv;
    bool causal;
    const int32_t *lengths, *starts;
} form;

static heed_case case_of(const form *f) {
    heed_case c = { .apply = apply, .reference = reference, .count = 5 };
    c.in[0] = (heed_case_input){ HEED_DIMS(f->B, f->T, f->H * f->D) };
    c.in[1] = (heed_case_input){ HEED_DIMS(f->B, f->S, f->Hk * f->D) };
    c.in[2] = (heed_case_input){ HEED_DIMS(f->B, f->S, f->Hk * f->Dv) };
    c.in[3] = (heed_case_input){ HEED_DIMS(f->B), .dtype = HEED_I32, .optional = true };
    c.in[4] = c.in[3];
    c.in[3].ids = f->lengths;
    c.in[4].ids = f->starts;
    c.in[3].absent = !f->lengths;
    c.in[4].absent = !f->starts;
    c.out = (heed_case_shape){ HEED_DIMS(f->B, f->T, f->H * f->Dv) };
    c.i[0] = f->H;
    c.i[1] = f->Hk;
    c.i[2] = f->causal;
    c.grad_tolerance = 2e-5;
    return c;
}

void heed_cases_linear_attention(heed_case_list *l) {
    static const int32_t lengths[] = { 5, 0, 67 }, starts[] = { 2, 0, 3 };
    static const int32_t shorter[] = { 5, 0, 37 };
    const form forms[] = {
        { 1, 1, 2, 1, 1, 1, 1, false, NULL, NULL },
        { 2, 3, 5, 2, 2, 7, 3, false, NULL, NULL },
        { 2, 130, 130, 2, 1, 5, 9, true, NULL, NULL },
        { 1, 64, 64, 1, 1, 4, 4, true, NULL, NULL },
        { 3, 70, 70, 4, 2, 3, 2, true, lengths, NULL },
        { 3, 70, 70, 2, 2, 3, 2, true, shorter, starts },
        { 3, 9, 70, 2, 2, 3, 5, false, lengths, starts },
        { 0, 3, 3, 1, 1, 2, 2, false, NULL, NULL },
        { 1, 4, 0, 1, 1, 2, 2, false, NULL, NULL },
    };
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        const heed_case c = case_of(&forms[i]);
        heed_case_add(l, &c);
    }
    heed_case relu = case_of(&(form){ 2, 66, 66, 2, 1, 6, 3, true, NULL, NULL });
    relu.i[3] = HEED_FEATURE_RELU;
    relu.in[0].lo = relu.in[1].lo = -0.5; /* some features are 0, no denominator nearly */
    relu.in[0].hi = relu.in[1].hi = 2;
    heed_case_add(l, &relu);
    heed_case bad = case_of(&(form){ 1, 4, 5, 1, 1, 2, 2, true, NULL, NULL });
    bad.refuse = "as many keys as queries";
    heed_case_add(l, &bad);
    heed_case bench = case_of(&(form){ 1, 1024, 1024, 8, 8, 64, 64, true, NULL, NULL });
    bench.bench = true;
    bench.flops = 2.0 * 8 * 1024 * (2 * 64 * 65 + 64 * 128);
    heed_case_add(l, &bench);
}
