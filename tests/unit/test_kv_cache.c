/* test_kv_cache.c: attention decoded step by step over a cache has the bits of the full forward
 * pass: plain, grouped, windowed with eviction, left-padded, cosine; and packed documents, which
 * have the bits of each alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <math.h>
#include <cmocka.h>

#include "heed/attention.h"
#include "heed/ops.h"
#include "isas.h"

#define DIMS(...)                                                                                  \
    (int)(sizeof((int64_t[]){ __VA_ARGS__ }) / sizeof(int64_t)), (int64_t[]) {                     \
        __VA_ARGS__                                                                                \
    }

static heed_ctx *context(const char *isa, int threads) {
    heed_error err;
    heed_ctx *cx = heed_ctx_new(&(heed_ctx_cfg){ .seed = 5, .threads = threads, .isa = isa }, &err);
    if (!cx) fail_msg("%s", err.msg);
    return cx;
}

static heed_tensor *normal(heed_ctx *cx, heed_rng *rng, int ndim, const int64_t *shape) {
    heed_tensor *t = heed_new(cx, HEED_F32, ndim, shape);
    for (int64_t i = 0; i < t->len; i++) HEED_F32_DATA(t)[i] = heed_rng_normal(rng);
    return t;
}

static const char *why(heed_ctx *cx) {
    return heed_ctx_error(cx) ? heed_ctx_error(cx)->msg : "no error";
}

typedef struct Shape {
    int64_t B, T, H, Hk, D, Dv;
} Shape;

static void compare(const heed_tensor *full, const heed_tensor *part, int64_t t, int64_t n) {
    const int64_t B = full->shape[0], T = full->shape[1], C = full->shape[2];
    for (int64_t b = 0; b < B; b++) {
        const float *x = HEED_F32_DATA(full) + (b * T + t) * C;
        const float *y = HEED_F32_DATA(part) + b * n * C;
        for (int64_t i = 0; i < n * C; i++)
            if (memcmp(x + i, y + i, sizeof *x))
                fail_msg("row %lld, step %lld: %a, not %a", (long long)b, (long long)(t + i / C),
                         (double)y[i], (double)x[i]);
    }
}

/* Decodes in pieces of 1, then 5, 1, 40, ... and compares each with the full pass. */
static void decode(const char *isa, Shape z, heed_attention_cfg cfg, heed_kv_cache_cfg room,
                   bool padded) {
    heed_ctx *cx = context(isa, 2);
    heed_rng rng = { .seed = 11 };
    heed_tensor *q = normal(cx, &rng, DIMS(z.B, z.T, z.H * z.D));
    heed_tensor *k = normal(cx, &rng, DIMS(z.B, z.T, z.Hk * z.D));
    heed_tensor *v = normal(cx, &rng, DIMS(z.B, z.T, z.Hk * z.Dv));
    cfg.heads = z.H, cfg.kv_heads = z.Hk, cfg.causal = true;
    if (padded) {
        cfg.key_starts = heed_zeros(cx, HEED_I32, DIMS(z.B));
        for (int64_t b = 0; b < z.B; b++) HEED_I32_DATA(cfg.key_starts)[b] = (int32_t)(7 * b);
    }
    heed_tensor *full = heed_attention(cx, q, k, v, &cfg);
    if (!full) fail_msg("%s", why(cx));
    room.batch = z.B, room.kv_heads = z.Hk, room.dim = z.D, room.value_dim = z.Dv;
    heed_error err;
    heed_kv_cache *cache = heed_kv_cache_new(&room, &err);
    if (!cache) fail_msg("%s", err.msg);
    static const int64_t pieces[] = { 1, 5, 1, 40, 1, 1, 17 };
    for (int64_t t = 0, i = 0, n; t < z.T; t += n, i++) {
        n = pieces[i % 7] < z.T - t ? pieces[i % 7] : z.T - t;
        heed_tensor *k1 = heed_slice(cx, k, 1, t, t + n), *v1 = heed_slice(cx, v, 1, t, t + n);
        if (heed_kv_cache_append(cx, cache, k1, v1)) fail_msg("%s", why(cx));
        heed_attention_cfg step = cfg;
        heed_tensor *y = NULL;
        if (padded) { /* rows that have not begun: their start is the length so far */
            step.key_starts = heed_zeros(cx, HEED_I32, DIMS(z.B));
            for (int64_t b = 0; b < z.B; b++) {
                const int64_t start = 7 * b < t + n ? 7 * b : t + n;
                HEED_I32_DATA(step.key_starts)[b] = (int32_t)start;
            }
        }
        y = heed_attention_cached(cx, heed_slice(cx, q, 1, t, t + n), cache, &step);
        if (!y) fail_msg("%s", why(cx));
        compare(full, y, t, n);
    }
    assert_int_equal(heed_kv_cache_len(cache), z.T);
    heed_kv_cache_free(cache);
    heed_ctx_free(cx);
}

static void test_decode(void **state) {
    (void)state;
    int count;
    const heed_kernels *const *all = isas_here(&count);
    for (int i = 0; i < count; i++) {
        const char *isa = all[i]->name;
        const heed_kv_cache_cfg plain = { 0 }, keep = { .keep = 70, .capacity = 100 };
        decode(isa, (Shape){ 1, 300, 2, 2, 16, 16 }, (heed_attention_cfg){ 0 }, plain, false);
        decode(isa, (Shape){ 2, 70, 4, 2, 9, 21 }, (heed_attention_cfg){ .softcap = 3 }, plain,
               false);
        decode(isa, (Shape){ 3, 90, 2, 1, 8, 8 }, (heed_attention_cfg){ 0 }, plain, true);
        decode(isa, (Shape){ 2, 60, 2, 2, 8, 8 },
               (heed_attention_cfg){ .score = HEED_SCORE_COSINE, .scale = 5 },
               (heed_kv_cache_cfg){ .unit_keys = true }, true);
        const heed_attention_cfg window = { .window = true, .left = 69 };
        decode(isa, (Shape){ 1, 1500, 1, 1, 8, 8 }, window, keep, false);
        decode(isa, (Shape){ 2, 1500, 1, 1, 8, 8 }, window, keep, true);
    }
}

/* Documents packed into one row have the bits of each alone, forward and backward. */
static void test_packed(void **state) {
    (void)state;
    enum { H = 2, D = 16, C = H * D, A = 290, Z = 33, T = A + Z };
    heed_ctx *cx = context(NULL, 1);
    heed_ctx_set_train(cx, true);
    heed_rng rng = { .seed = 3 };
    heed_tensor *x[3], *dy = normal(cx, &rng, DIMS(1, T, C));
    for (int i = 0; i < 3; i++) x[i] = heed_want_grad(cx, normal(cx, &rng, DIMS(1, T, C)));
    heed_tensor *ids = heed_zeros(cx, HEED_I32, DIMS(1, T));
    for (int t = A; t < T; t++) HEED_I32_DATA(ids)[t] = 4;
    heed_tensor *both = heed_attention(
        cx, x[0], x[1], x[2],
        &(heed_attention_cfg){ .heads = H, .causal = true, .q_segments = ids });
    if (!both || heed_backward_from(cx, both, dy->data)) fail_msg("%s", why(cx));
    for (int part = 0; part < 2; part++) {
        const int64_t at = (part ? A : 0) * C, n = part ? Z : A;
        heed_tensor *own[3];
        for (int i = 0; i < 3; i++)
            own[i] = heed_want_grad(cx, heed_from_f32(cx, DIMS(1, n, C), HEED_F32_DATA(x[i]) + at));
        heed_tensor *y = heed_attention(cx, own[0], own[1], own[2],
                                        &(heed_attention_cfg){ .heads = H, .causal = true });
        if (!y || heed_backward_from(cx, y, HEED_F32_DATA(dy) + at)) fail_msg("%s", why(cx));
        assert_memory_equal(y->data, HEED_F32_DATA(both) + at, (size_t)(n * C) * sizeof(float));
        for (int i = 0; i < 3; i++)
            assert_memory_equal(own[i]->grad, x[i]->grad + at, (size_t)(n * C) * sizeof(float));
    }
    heed_ctx_free(cx);
}

static void test_beam(void **state) {
    (void)state;
    heed_ctx *cx = context(NULL, 1);
    heed_rng rng = { .seed = 3 };
    heed_error err;
    heed_kv_cache *c = heed_kv_cache_new(&(heed_kv_cache_cfg){ .batch = 3, .dim = 4 }, &err);
    heed_tensor *k = normal(cx, &rng, DIMS(3, 20, 4)), *one = normal(cx, &rng, DIMS(1, 1, 4));
    float same_query[3 * 4];
    for (int b = 0; b < 3; b++) memcpy(same_query + 4 * b, one->data, 4 * sizeof(float));
    heed_tensor *q = heed_from_f32(cx, DIMS(3, 1, 4), same_query);
    assert_int_equal(heed_kv_cache_append(cx, c, k, k), 0);
    heed_tensor *before = heed_attention_cached(cx, q, c, NULL);
    assert_int_equal(heed_kv_cache_reorder(c, (int32_t[]){ 2, 2, 0 }), 0);
    heed_tensor *after = heed_attention_cached(cx, q, c, NULL);
    const float *x = before->data, *y = after->data;
    assert_memory_equal(y, x + 8, 16);
    assert_memory_equal(y + 4, x + 8, 16);
    assert_memory_equal(y + 8, x, 16);
    assert_int_equal(heed_kv_cache_reorder(c, (int32_t[]){ 0, 3, 0 }), HEED_EINVALID);
    assert_int_equal(heed_kv_cache_truncate(c, 21), HEED_EINVALID);
    assert_int_equal(heed_kv_cache_truncate(c, 5), 0);
    assert_int_equal(heed_kv_cache_len(c), 5);
    heed_kv_cache_reset(c);
    assert_int_equal(heed_kv_cache_len(c), 0);
    heed_tensor *wrong = normal(cx, &rng, DIMS(3, 1, 5));
    assert_int_equal(heed_kv_cache_append(cx, c, wrong, wrong), HEED_ESHAPE);
    assert_non_null(strstr(why(cx), "[3,1,5]"));
    heed_kv_cache_free(c);
    assert_null(heed_kv_cache_new(&(heed_kv_cache_cfg){ .dim = -1 }, &err));
    assert_int_equal(err.code, HEED_EINVALID);
    heed_ctx_free(cx);
}

/* Every way in which five rows can take each other's place: chains, circles, copies. Each row
 * has a key of its own that stands out, and values that tell row and key. */
static void test_reorder(void **state) {
    (void)state;
    enum { B = 5, H = 2, D = 3, T = 19, ALL = B * B * B * B * B };
    heed_ctx *cx = context(NULL, 1);
    heed_error err;
    heed_kv_cache *c = heed_kv_cache_new(
        &(heed_kv_cache_cfg){ .batch = B, .kv_heads = H, .dim = D, .capacity = 64 }, &err);
    for (int way = 0; way < ALL; way++) {
        int32_t from[B];
        for (int b = 0, rest = way; b < B; b++, rest /= B) from[b] = rest % B;
        heed_kv_cache_reset(c);
        heed_tensor *k = heed_new(cx, HEED_F32, DIMS(B, T, H * D));
        heed_tensor *v = heed_new(cx, HEED_F32, DIMS(B, T, H * D));
        heed_tensor *q = heed_new(cx, HEED_F32, DIMS(B, 1, H * D));
        for (int i = 0; i < k->len; i++) {
            const int b = i / (T * H * D), t = i / (H * D) % T;
            HEED_F32_DATA(k)[i] = t == b ? 50 : 0;
            HEED_F32_DATA(v)[i] = (float)(b * 100 + t);
        }
        for (int i = 0; i < q->len; i++) HEED_F32_DATA(q)[i] = 1;
        assert_int_equal(heed_kv_cache_append(cx, c, k, v), 0);
        assert_int_equal(heed_kv_cache_reorder(c, from), 0);
        heed_tensor *y = heed_attention_cached(cx, q, c, &(heed_attention_cfg){ .heads = H });
        if (!y) fail_msg("%s", why(cx));
        for (int i = 0; i < y->len; i++)
            assert_true(fabsf(HEED_F32_DATA(y)[i] - 101 * (float)from[i / (H * D)]) < 1e-3f);
        heed_ctx_reset(cx);
    }
    heed_kv_cache_free(c);
    heed_ctx_free(cx);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_decode),
        cmocka_unit_test(test_packed),
        cmocka_unit_test(test_beam),
        cmocka_unit_test(test_reorder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
