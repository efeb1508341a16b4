/* test_mean.c: self-attention pooled by its mean without making its outputs (heed_mha_mean),
 * beside heed_mha_apply and heed_mean_pool: results and gradients, with lengths and dropout; and
 * what may not change a bit of it. */
#include "cmocka_all.h"

#include <math.h>
#include <string.h>

#include <heed/nn.h>

enum { B = 4, T = 21, C = 12, H = 3 };

typedef struct setup {
    heed_ctx *cx;
    heed_params *ps;
    heed_mha m;
} setup;

static void begin(setup *s, const heed_mha_cfg *cfg) {
    heed_error err = { 0 };
    s->cx = heed_ctx_new(&(heed_ctx_cfg){ .train = true, .seed = 3, .threads = 2 }, &err);
    s->ps = heed_params_new(&(heed_params_cfg){ .seed = 5 }, &err);
    assert_int_equal(heed_mha_init(&s->m, s->ps, "mha", cfg), 0);
    heed_rng rng = { .seed = 9 };
    heed_tensor *const bias[] = { s->m.q.b, s->m.k.b, s->m.v.b, s->m.o.b };
    for (int i = 0; i < 4; i++)
        for (int64_t j = 0; bias[i] && j < bias[i]->len; j++)
            HEED_F32_DATA(bias[i])[j] = (float)heed_rng_normal(&rng);
}

static void end(setup *s) {
    heed_params_free(s->ps);
    heed_ctx_free(s->cx);
}

/* Numbers of steps that count; the rest is other numbers, or zeros. */
static heed_tensor *input(setup *s, const int32_t *lengths, int64_t steps, bool zeros) {
    heed_tensor *x = heed_zeros(s->cx, HEED_F32, 3, (int64_t[]){ B, steps, C });
    heed_rng rng = { .seed = 4 };
    for (int64_t b = 0; b < B; b++)
        for (int64_t i = 0; i < T * C; i++) {
            const float value = (float)heed_rng_normal(&rng);
            if (i < steps * C && (!zeros || i / C < lengths[b]))
                HEED_F32_DATA(x)[b * steps * C + i] = value;
        }
    x->needs_grad = x->keep_grad = true;
    return x;
}

static float loss_of(setup *s, heed_tensor *y) {
    heed_tensor *w = heed_new(s->cx, HEED_F32, 2, y->shape);
    for (int64_t i = 0; i < w->len; i++) HEED_F32_DATA(w)[i] = (float)(i % 7) - 2.5f;
    heed_tensor *loss = heed_sum(s->cx, heed_mul(s->cx, y, w));
    assert_int_equal(heed_backward(s->cx, loss), 0);
    return heed_item(loss);
}

static void close_to(const float *a, const float *b, int64_t n) {
    float most = 1e-3f;
    for (int64_t i = 0; i < n; i++) most = fmaxf(most, fabsf(b[i]));
    for (int64_t i = 0; i < n; i++) assert_true(fabsf(a[i] - b[i]) <= 2e-5f * most);
}

/* Result, gradient of x and of every parameter of one way, in a row. */
static int64_t one_way(const heed_mha_cfg *cfg, bool mean, const int32_t *lengths, float dropout,
                       float *out) {
    setup own, *s = &own;
    begin(s, cfg);
    heed_tensor *x = input(s, lengths, T, true);
    heed_tensor *len = heed_from_i32(s->cx, 1, (int64_t[]){ B }, lengths);
    heed_attention_cfg kind = s->m.cfg.kind;
    kind.key_lengths = len;
    kind.dropout = dropout;
    heed_tensor *y = mean
                         ? heed_mha_mean(s->cx, &s->m, x, len, &kind)
                         : heed_mean_pool(s->cx, heed_mha_apply(s->cx, &s->m, x, x, x, &kind), len);
    if (!y) fail_msg("%s", heed_ctx_error(s->cx)->msg);
    loss_of(s, y);
    int64_t n = 0;
    heed_tensor *const all[] = { s->m.q.w, s->m.q.b, s->m.k.w, s->m.v.w,
                                 s->m.v.b, s->m.o.w, s->m.o.b };
    memcpy(out, y->data, (size_t)y->len * sizeof *out), n += y->len;
    memcpy(out + n, x->grad, (size_t)x->len * sizeof *out), n += x->len;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (!all[i]) continue;
        memcpy(out + n, all[i]->grad, (size_t)all[i]->len * sizeof *out), n += all[i]->len;
    }
    end(s);
    return n;
}

static void test_same(void **state) {
    static const int32_t lengths[] = { T, 5, 0, 17 };
    static const heed_mha_cfg cfgs[] = {
        { .dim = C, .heads = H },
        { .dim = C, .heads = H, .kind.causal = true },
        { .dim = C,
          .heads = H,
          .kind.score = HEED_SCORE_COSINE,
          .kind.scale = 5 }, /* the long way */
        { .dim = C, .heads = H, .kv_heads = 1 },
    };
    enum { MOST = 4096 };
    static float a[MOST], b[MOST];
    (void)state;
    for (size_t i = 0; i < sizeof cfgs / sizeof *cfgs; i++)
        for (int p = 0; p < 2; p++) {
            const int64_t n = one_way(&cfgs[i], true, lengths, 0.4f * (float)p, a);
            assert_int_equal(n, one_way(&cfgs[i], false, lengths, 0.4f * (float)p, b));
            assert_true(n <= MOST);
            const int64_t parts[] = { 0, B * C, B * C + B * T * C, n };
            for (int j = 0; j < 3; j++)
                close_to(a + parts[j], b + parts[j], parts[j + 1] - parts[j]);
            for (int64_t c = 0; c < C; c++) assert_true(a[2 * C + c] == 0);
        }
}

/* A tap, padding and what lies in it change nothing. */
static void test_bits(void **state) {
    static const int32_t lengths[] = { 5, 9, 0, 7 };
    (void)state;
    setup s;
    begin(&s, &(heed_mha_cfg){ .dim = C, .heads = H });
    float want[B * C];
    for (int i = 0; i < 3; i++) {
        heed_tensor *x = input(&s, lengths, i == 1 ? 9 : T, true);
        heed_tensor *len = heed_from_i32(s.cx, 1, (int64_t[]){ B }, lengths);
        heed_attention_tap tap = { .column_mass = true };
        heed_attention_cfg kind = s.m.cfg.kind;
        kind.key_lengths = len;
        if (i == 2) kind.tap = &tap;
        heed_tensor *y = heed_mha_mean(s.cx, &s.m, x, len, &kind);
        if (i == 0)
            memcpy(want, y->data, sizeof want);
        else
            assert_memory_equal(want, y->data, sizeof want);
        for (int64_t b = 0; i == 2 && b < B; b++) {
            float sum = 0;
            for (int64_t j = 0; j < H * T; j++) sum += HEED_F32_DATA(tap.column)[b * H * T + j];
            assert_true(fabsf(sum - (float)(H * lengths[b])) < 1e-3f);
        }
        heed_ctx_reset(s.cx);
    }
    end(&s);
}

/* The mean and what a tap sees of it are f32, whatever the context's precision is. */
static void test_precision(void **state) {
    (void)state;
    float want[B * T];
    for (int bf16 = 0; bf16 < 2; bf16++) {
        setup s;
        begin(&s, &(heed_mha_cfg){ .dim = C });
        heed_ctx_set_precision(s.cx, bf16 ? HEED_PRECISION_BF16 : HEED_PRECISION_F32);
        heed_tensor *x = input(&s, NULL, T, false);
        heed_attention_tap tap = { .column_mass = true };
        const heed_tensor *m = heed_attention_mean(s.cx, x, x, NULL,
                                                   &(heed_attention_cfg){ .tap = &tap });
        assert_non_null(m);
        for (int64_t i = 0; i < m->len; i++)
            assert_true(fabsf(HEED_F32_DATA(m)[i] * T - HEED_F32_DATA(tap.column)[i]) < 1e-5f);
        if (!bf16) memcpy(want, m->data, sizeof want);
        assert_memory_equal(want, m->data, sizeof want);
        end(&s);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_same), cmocka_unit_test(test_bits),
                                        cmocka_unit_test(test_precision) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
