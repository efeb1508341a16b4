/* test_attention_cached.c: decoding over a cache, in all kinds: each is either refused in one
 * sentence, or gives, step by step and in pieces, the bits of the full causal forward. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <string.h>

#include "attention_problem.h"

static const sizes z = { 2, 21, 21, 4, 2, 5, 3 };

/* Appends n steps and attends with their queries; NULL: refused. */
static heed_tensor *step(heed_ctx *cx, problem *p, heed_kv_cache *cache, int64_t t, int64_t n) {
    heed_tensor *part[3];
    for (int i = 0; i < 3; i++) part[i] = heed_slice(cx, p->in[i], 1, t, t + n);
    assert_int_equal(heed_kv_cache_append(cx, cache, part[REF_K], part[REF_V]), 0);
    return heed_attention_cached(cx, part[REF_Q], cache, &p->cfg);
}

/* Whether the kind exists; where it does all bits are compared. */
static bool decode(heed_ctx *cx, problem *p, int64_t pace) {
    heed_error err;
    heed_kv_cache *cache = heed_kv_cache_new(
        &(heed_kv_cache_cfg){ .batch = z.B,
                              .kv_heads = z.Hk,
                              .dim = p->ref.Dk,
                              .value_dim = z.Dv,
                              .unit_keys = p->cfg.score == HEED_SCORE_COSINE },
        &err);
    assert_non_null(cache);
    const heed_tensor *full = heed_attention(cx, p->in[REF_Q], p->in[REF_K], p->in[REF_V], &p->cfg);
    assert_non_null(full);
    bool exists = true;
    for (int64_t t = 0; t < z.T && exists; t += pace) {
        const int64_t n = z.T - t < pace ? z.T - t : pace, C = z.H * z.Dv;
        const heed_tensor *y = step(cx, p, cache, t, n);
        exists = y != NULL;
        for (int64_t b = 0; y && b < z.B; b++)
            if (memcmp(HEED_F32_DATA(y) + b * n * C, HEED_F32_DATA(full) + (b * z.T + t) * C,
                       (size_t)(n * C) * sizeof(float)) != 0)
                fail_msg("%s: step %lld has other bits", problem_text(p), (long long)t);
    }
    const heed_error *why = heed_ctx_error(cx);
    if (!exists)
        if (!why || strncmp(why->msg, "attention", 9) != 0)
            fail_msg("%s: refused by \"%s\"", problem_text(p), why ? why->msg : "");
    heed_kv_cache_free(cache);
    return exists;
}

static void test_kinds(void **state) {
    (void)state;
    heed_error err;
    heed_ctx *cx = heed_ctx_new(&(heed_ctx_cfg){ .threads = 1 }, &err);
    assert_non_null(cx);
    const int visible[] = { 0, 1, 4, 5, 6, 7, 9, 11, 12 };
    int64_t equal = 0, refused = 0, plain = 0;
    for (int64_t n = 0; n < 5 * KIND_WEIGHTS * 9 * KIND_POSITIONS * KIND_EXTRAS; n++) {
        kind k = { .extra = (int)(n % KIND_EXTRAS) };
        k.positions = (int)(n / KIND_EXTRAS % KIND_POSITIONS);
        k.visible = visible[n / KIND_EXTRAS / KIND_POSITIONS % 9];
        k.weights = (int)(n / KIND_EXTRAS / KIND_POSITIONS / 9 % KIND_WEIGHTS);
        k.score = (int)(n / KIND_EXTRAS / KIND_POSITIONS / 9 / KIND_WEIGHTS);
        if ((k.weights || k.score > HEED_SCORE_COSINE) && n % 37) continue;
        problem p;
        problem_init(&p, cx, &k, &z);
        p.cfg.causal = true;
        if (k.visible == 0) { /* rows that begin later */
            p.cfg.key_starts = heed_zeros(cx, HEED_I32, 1, &z.B);
            HEED_I32_DATA(p.cfg.key_starts)[1] = 1 + (int32_t)(n % 20);
        }
        if (!problem_refused(&p)) {
            const bool exists = decode(cx, &p, n % 2 ? 1 : 8);
            *(exists ? &equal : &refused) += 1;
            plain += exists && k.extra == 0 && k.positions == 0 && k.weights == 0 && k.score == 0;
        }
        problem_free(&p);
        heed_ctx_reset(cx);
    }
    print_message("%lld kinds decode with equal bits, %lld are refused\n", (long long)equal,
                  (long long)refused);
    assert_true(plain >= 4 && equal > 400 && refused > 0);
    heed_ctx_free(cx);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_kinds) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
