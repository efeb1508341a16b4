/* test_attention_bits.c: what must not change a bit of attention on the general path: the machine's
 * instruction set, the number of threads, batch mates, padding on either side, keys that are
 * hidden, decoding step by step, and ways of saying the same thing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "isas.h"
#include "attention_problem.h"

static heed_ctx *context(const char *isa, int threads) {
    heed_error err;
    heed_ctx *cx = heed_ctx_new(&(heed_ctx_cfg){ .threads = threads, .isa = isa }, &err);
    if (!cx) fail_msg("%s", err.msg);
    heed_ctx_set_record(cx, true);
    return cx;
}

static heed_tensor *numbers(heed_ctx *cx, int64_t B, int64_t T, int64_t C, uint64_t seed) {
    heed_tensor *t = heed_new(cx, HEED_F32, 3, (int64_t[]){ B, T, C });
    for (int64_t i = 0; i < t->len; i++) HEED_F32_DATA(t)[i] = (float)(2 * problem_random(&seed));
    return t;
}

static heed_tensor *attend(heed_ctx *cx, heed_tensor *const in[3], const heed_attention_cfg *cfg) {
    heed_attention_call c = { in[0], in[1], in[2], *cfg, { 0 } };
    heed_tensor *y = NULL;
    if (!heed__attention_check(cx, c.q, c.k, c.v, &c.cfg, &c.d))
        y = heed__attention_general(cx, &c);
    if (!y) fail_msg("%s", heed_ctx_error(cx)->msg);
    return y;
}

static void same_bits(const heed_tensor *a, int64_t at, const heed_tensor *b, int64_t from,
                      int64_t len) {
    assert_memory_equal(HEED_F32_DATA(a) + at, HEED_F32_DATA(b) + from,
                        (size_t)len * sizeof(float));
}

/* Every weights function in turn, Gumbel's without noise since the contexts do not train. */
static heed_attention_cfg with_weights(int n, heed_attention_more *more) {
    heed_attention_cfg c = { .weights = (heed_weights_kind)n, .topk = 3, .more = more };
    if (n > HEED_WEIGHTS_SIGMOID) c.weights = HEED_WEIGHTS_GUMBEL, c.gumbel_hard = true;
    return c;
}

/* -- instruction sets and threads */

typedef struct result {
    float *at;
    int64_t len, cap;
} result;

static void keep(result *r, const float *x, int64_t n) {
    if (r->len + n > r->cap) {
        r->cap = 2 * (r->len + n);
        r->at = realloc(r->at, (size_t)r->cap * sizeof *r->at);
    }
    if (n) memcpy(r->at + r->len, x, (size_t)n * sizeof *x);
    r->len += n;
}

static void compute_kind(heed_ctx *cx, const kind *k, const sizes *z, result *r) {
    problem p;
    problem_init(&p, cx, k, z);
    if (!problem_refused(&p)) {
        heed_tensor *out = problem_run(&p, cx, true);
        heed_tensor *loss = problem_loss(&p, cx, out);
        if (!loss || heed_backward(cx, loss)) fail_msg("%s", heed_ctx_error(cx)->msg);
        keep(r, out->data, out->len);
        keep(r, loss->data, 1);
        for (int i = 0; i < REF_TENSORS; i++)
            if (p.in[i] && p.in[i]->grad) keep(r, p.in[i]->grad, p.len[i]);
    }
    problem_free(&p);
    heed_ctx_reset(cx);
}

static const sizes wide = { 2, 35, 133, 4, 2, 5, 3 };

/* A walk that meets every value of every axis with many others. */
static void compute_many(heed_ctx *cx, result *r) {
    for (int n = 0; n < 80; n++) {
        const kind k = { n % KIND_SCORES, n % 16 < 9 ? 0 : n % KIND_WEIGHTS, n % KIND_VISIBLE,
                         n * 3 % KIND_POSITIONS, n * 5 % KIND_EXTRAS };
        compute_kind(cx, &k, &wide, r);
    }
    for (int n = 0; n < KIND_WEIGHTS; n++)
        compute_kind(cx, &(kind){ n % KIND_SCORES, n, n + 3, n % 6, n % 4 }, &wide, r);
    compute_kind(cx, &(kind){ 0, 0, 1, 6, 9 }, &wide, r);
    compute_kind(cx, &(kind){ 1, 0, 5, 6, 10 }, &wide, r);
    compute_kind(cx, &(kind){ 0, 6, 1, 6, 3 }, &wide, r);
}

static void test_machines(void **state) {
    (void)state;
    int count;
    const heed_kernels *const *all = isas_here(&count);
    const int threads[] = { 1, 2, 3, 7 };
    result first = { 0 };
    for (int i = 0; i < count; i++)
        for (int n = 0; n < 4; n++) {
            if (i && n && n != 1 + i % 3) continue;
            heed_ctx *cx = context(all[i]->name, threads[n]);
            result r = { 0 };
            compute_many(cx, &r);
            if (!first.at) first = r;
            assert_int_equal(r.len, first.len);
            for (int64_t e = 0; e < r.len; e++)
                if (memcmp(r.at + e, first.at + e, sizeof *r.at) != 0)
                    fail_msg("%s with %d threads: number %lld is %a, not %a", all[i]->name,
                             threads[n], (long long)e, (double)r.at[e], (double)first.at[e]);
            if (first.at != r.at) free(r.at);
            heed_ctx_free(cx);
        }
    print_message("%lld numbers equal on %d instruction sets\n", (long long)first.len, count);
    free(first.at);
}

/* -- batch mates */

static void test_batch(void **state) {
    (void)state;
    heed_ctx *cx = context(NULL, 2);
    heed_attention_more more;
    for (int n = 0; n < KIND_WEIGHTS; n++) {
        heed_attention_cfg c = with_weights(n, &more);
        c.heads = 2;
        heed_tensor *in[3] = { numbers(cx, 3, 9, 8, 1), numbers(cx, 3, 21, 8, 2),
                               numbers(cx, 3, 21, 6, 3) };
        heed_tensor *all = attend(cx, in, &c);
        for (int64_t b = 0; b < 3; b++) {
            heed_tensor *one[3];
            for (int i = 0; i < 3; i++) one[i] = heed_slice(cx, in[i], 0, b, b + 1);
            same_bits(attend(cx, one, &c), 0, all, b * 9 * 6, 9 * 6);
        }
        heed_ctx_reset(cx);
    }
    heed_ctx_free(cx);
}

/* -- padding: rows of NaN on both sides, told by key_starts and key_lengths */

static heed_tensor *padded(heed_ctx *cx, const heed_tensor *x, int64_t left, int64_t right) {
    const int64_t C = x->shape[2], shape[] = { 1, left + x->shape[1] + right, C };
    heed_tensor *y = heed_new(cx, HEED_F32, 3, shape);
    for (int64_t i = 0; i < y->len; i++) HEED_F32_DATA(y)[i] = NAN;
    memcpy(HEED_F32_DATA(y) + left * C, x->data, (size_t)x->len * sizeof(float));
    return y;
}

static void pattern(heed_attention_cfg *c, int n) {
    c->causal = n % 2;
    if (n == 2 || n == 3) c->window = true, c->left = 4, c->right = 2;
    if (n == 4 || n == 5) c->block = 3, c->globals = 2;
    if (n == 6) c->truncate = 5;
    if (n == 7) c->dilation = 2, c->stride = 5, c->window = true, c->left = 6;
}

static void test_padding(void **state) {
    (void)state;
    enum { T = 37, LEFT = 19, RIGHT = 6 };
    heed_ctx *cx = context(NULL, 1);
    heed_attention_more more;
    for (int n = 0; n < KIND_WEIGHTS * 8; n++) {
        heed_attention_cfg c = with_weights(n % KIND_WEIGHTS, &more);
        c.heads = 2;
        pattern(&c, n / KIND_WEIGHTS);
        heed_tensor *in[3] = { numbers(cx, 1, T, 8, 1), numbers(cx, 1, T, 8, 2),
                               numbers(cx, 1, T, 6, 3) },
                    *wider[3];
        heed_tensor *plain = attend(cx, in, &c);
        for (int i = 0; i < 3; i++) wider[i] = padded(cx, in[i], LEFT, RIGHT);
        c.key_starts = heed_from_i32(cx, 1, (int64_t[]){ 1 }, (int32_t[]){ LEFT });
        c.key_lengths = heed_from_i32(cx, 1, (int64_t[]){ 1 }, (int32_t[]){ T });
        same_bits(attend(cx, wider, &c), LEFT * 6, plain, 0, T * 6);
        heed_ctx_reset(cx);
    }
    heed_ctx_free(cx);
}

/* -- what comes later, or is out of reach, whatever it holds */

static void test_hidden(void **state) {
    (void)state;
    enum { T = 40, SEEN = 29 };
    heed_ctx *cx = context(NULL, 1);
    heed_attention_more more;
    for (int n = 0; n < KIND_WEIGHTS; n++) {
        heed_attention_cfg c = with_weights(n, &more);
        c.causal = true;
        heed_tensor *in[3] = { numbers(cx, 1, T, 8, 1), numbers(cx, 1, T, 8, 2),
                               numbers(cx, 1, T, 6, 3) };
        heed_tensor *before = attend(cx, in, &c);
        for (int i = 1; i < 3; i++)
            for (int64_t e = SEEN * in[i]->shape[2]; e < in[i]->len; e++)
                HEED_F32_DATA(in[i])[e] = e % 2 ? NAN : INFINITY;
        same_bits(attend(cx, in, &c), 0, before, 0, SEEN * 6);
        heed_ctx_reset(cx);
    }
    heed_attention_cfg c = { .span_ramp = 2, .query_start = 290 };
    heed_tensor *in[3] = { numbers(cx, 1, 1, 8, 1), numbers(cx, 1, 300, 8, 2),
                           numbers(cx, 1, 300, 6, 3) };
    c.span = heed_from_f32(cx, 1, (int64_t[]){ 1 }, (float[]){ 3 });
    heed_tensor *before = attend(cx, in, &c);
    /* at distance ramp + span = 5 the factor is 0 */
    for (int64_t e = 0; e < 286 * 8; e++) HEED_F32_DATA(in[1])[e] = NAN;
    for (int64_t e = 0; e < 286 * 6; e++) HEED_F32_DATA(in[2])[e] = NAN;
    same_bits(attend(cx, in, &c), 0, before, 0, 6);
    heed_ctx_free(cx);
}

/* -- segments with memory, and one step at a time: both are the full causal forward */

static void in_pieces(heed_ctx *cx, heed_tensor *const in[3], heed_attention_cfg *c, int64_t step) {
    const int64_t T = in[0]->shape[1], C = in[2]->shape[2];
    c->query_start = 0;
    heed_tensor *full = attend(cx, in, c);
    for (int64_t t = 0; t < T; t += step) {
        const int64_t end = t + step < T ? t + step : T;
        heed_tensor *part[3] = { heed_slice(cx, in[0], 1, t, end), heed_slice(cx, in[1], 1, 0, end),
                                 heed_slice(cx, in[2], 1, 0, end) };
        c->query_start = t;
        same_bits(attend(cx, part, c), 0, full, t * C, (end - t) * C);
    }
}

static void test_pieces(void **state) {
    (void)state;
    heed_ctx *cx = context(NULL, 1);
    heed_attention_more more;
    for (int n = 0; n < KIND_WEIGHTS * 2; n++) {
        heed_attention_cfg c = with_weights(n % KIND_WEIGHTS, &more);
        c.heads = 2, c.causal = true;
        heed_tensor *in[3] = { numbers(cx, 1, 53, 8, 1), numbers(cx, 1, 53, 8, 2),
                               numbers(cx, 1, 53, 6, 3) };
        heed_tensor *r = numbers(cx, 1, 53, 8, 4), *u = numbers(cx, 1, 2, 4, 5);
        if (n >= KIND_WEIGHTS) { /* Transformer-XL */
            c.relative = heed_reshape(cx, r, 2, (int64_t[]){ 53, 8 });
            c.relative_u = c.relative_v = heed_reshape(cx, u, 2, (int64_t[]){ 2, 4 });
        }
        in_pieces(cx, in, &c, 1);
        in_pieces(cx, in, &c, 10);
        heed_ctx_reset(cx);
    }
    heed_ctx_free(cx);
}

/* -- ways of saying the same thing */

static void test_same_thing(void **state) {
    (void)state;
    heed_ctx *cx = context(NULL, 1);
    heed_attention_more more;
    enum { T = 150, H = 4 };
    heed_tensor *in[3] = { numbers(cx, 2, T, H * 4, 1), numbers(cx, 2, T, H * 4, 2),
                           numbers(cx, 2, T, H * 3, 3) };
    heed_attention_cfg c = { .heads = H };
    heed_tensor *full = attend(cx, in, &c);
    c.window = true, c.left = T, c.right = T;
    same_bits(attend(cx, in, &c), 0, full, 0, full->len);
    c = (heed_attention_cfg){ .heads = H, .truncate = T, .block = T, .globals = 3 };
    same_bits(attend(cx, in, &c), 0, full, 0, full->len);
    c = (heed_attention_cfg){ .heads = H, .weights = HEED_WEIGHTS_TOPK, .topk = T };
    same_bits(attend(cx, in, &c), 0, full, 0, full->len);
    c = (heed_attention_cfg){ .heads = H, .weights = HEED_WEIGHTS_GUMBEL };
    same_bits(attend(cx, in, &c), 0, full, 0, full->len);
    for (int n = 0; n < KIND_WEIGHTS; n++) { /* groups are repeated keys and values */
        c = with_weights(n, &more);
        c.heads = H, c.kv_heads = 2;
        heed_tensor *few[3] = { in[0], numbers(cx, 2, T, 8, 5), numbers(cx, 2, T, 6, 6) };
        heed_tensor *grouped = attend(cx, few, &c), *many[3] = { in[0], NULL, NULL };
        for (int i = 1; i < 3; i++) {
            const int64_t w = few[i]->shape[2] / 2;
            heed_tensor *a = heed_slice(cx, few[i], 2, 0, w),
                        *b = heed_slice(cx, few[i], 2, w, 2 * w);
            many[i] = heed_concat(cx, (heed_tensor *const[]){ a, a, b, b }, 4, 2);
        }
        c.kv_heads = 0;
        same_bits(attend(cx, many, &c), 0, grouped, 0, grouped->len);
    }
    heed_ctx_free(cx);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_machines), cmocka_unit_test(test_batch),
        cmocka_unit_test(test_padding),  cmocka_unit_test(test_hidden),
        cmocka_unit_test(test_pieces),   cmocka_unit_test(test_same_thing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
