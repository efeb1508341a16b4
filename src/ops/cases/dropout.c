/* dropout.c: cases of heed_dropout, and the mask that references of other operations use too. */
#include "ops/cases/cases.h"

#include "tensor/ctx.h"

uint64_t heed_case_stream(int call) {
    uint64_t stream = 0;
    heed_ctx *cx = heed_ctx_new(&(heed_ctx_cfg){ .seed = HEED_CASE_SEED, .threads = 1 }, NULL);
    for (int i = 0; cx && i <= call; i++) stream = heed__stream(cx);
    heed_ctx_free(cx);
    return stream;
}

bool heed_case_kept(uint64_t stream, int64_t e, double p) {
    if (p == 0 || p == 1) return p == 0;
    uint32_t word[4];
    heed_philox(HEED_CASE_SEED, stream, (uint64_t)(e / 128 * 16 + e % 16), word);
    const uint32_t pair = word[e / 32 % 4], bits = e / 16 % 2 ? pair >> 16 : pair & 0xffff;
    return bits >= (uint32_t)(p * 65536 + 0.5);
}

static heed_tensor *apply(heed_ctx *cx, const heed_case *c, heed_tensor *const *in) {
    return heed_dropout(cx, in[0], (float)c->f[0]);
}

static void reference(const heed_case *c, const double *const *in, double *out) {
    const double p = (double)(float)c->f[0];
    const uint64_t stream = heed_case_stream(0);
    for (int64_t e = 0; e < heed_case_len(c, 0); e++)
        out[e] = heed_case_kept(stream, e, p) ? in[0][e] / (1 - p) : 0;
}

void heed_cases_dropout(heed_case_list *l) {
    heed_case c = { .apply = apply, .reference = reference, .count = 1, .random = true };
    c.f[0] = 0.3;
    heed_cases_each(l, &c, -2, 2);
    c.in[0] = (heed_case_input){ HEED_DIMS(5, 33) };
    c.out = (heed_case_shape){ HEED_DIMS(5, 33) };
    for (int k = 0; k < 2; k++) {
        c.f[0] = k;
        heed_case_add(l, &c);
    }
    c.code = HEED_EINVALID;
    c.refuse = "p = 1.5 is not within 0..1";
    c.f[0] = 1.5;
    heed_case_add(l, &c);
}
