/* test_layers.c: layers beside PyTorch in float64 (make/layers.py), outputs and all gradients.
 * Large ones, whose weights come by the formula of make/common.py and whose tensors are compared in
 * samples and sums: the articles' attention (8 heads, d=256, K=10) and nn.TransformerEncoder of 6
 * layers, 256, 8 heads, 2048. Small ones: causal attention with lengths, and two scores of the
 * articles put together from operations: the additive one and the one over its own deviation. */
#include "cmocka_all.h"

#include <stdio.h>
#include <string.h>

#include "golden.h"
#include "heed/nn.h"

typedef struct bench {
    heed_safetensors *file;
    heed_ctx *cx;
    heed_params *ps;
    char key[32]; /* "CASE/" */
    heed_tensor *input[6];
    const char *name[6];
    int count;
} bench;

static bench *begin(const char *name) {
    static bench b;
    heed_error err = { 0 };
    b = (bench){ .file = golden_open("layers"),
                 .cx = heed_ctx_new(&(heed_ctx_cfg){ .train = true, .threads = 2 }, &err),
                 .ps = heed_params_new(NULL, &err) };
    if (!b.cx || !b.ps) fail_msg("%s", err.msg);
    snprintf(b.key, sizeof b.key, "%s/", name);
    return &b;
}

static void end(bench *b) {
    heed_params_free(b->ps);
    heed_ctx_free(b->cx);
    heed_safetensors_close(b->file);
}

/* "CASE/<before><name>" */
static const char *full(const bench *b, const char *before, const char *name) {
    static char text[256];
    snprintf(text, sizeof text, "%s%s%s", b->key, before, name);
    return text;
}

static void fill_params(bench *b) {
    if (heed_params_error(b->ps)) fail_msg("%s", heed_params_error(b->ps)->msg);
    for (int64_t i = 0; i < heed_params_count(b->ps); i++) {
        heed_tensor *p = heed_params_at(b->ps, i);
        golden_fill_param(full(b, "", p->name), p);
    }
}

/* A stored tensor whose gradient is wanted. */
static heed_tensor *wanted(bench *b, const char *name) {
    heed_tensor *t = golden_tensor(b->cx, golden_find(b->file, b->key, name));
    b->name[b->count] = name;
    b->input[b->count++] = heed_want_grad(b->cx, t);
    return t;
}

/* The output, the gradients of what was wanted and of the parameters; of small cases. */
static void check_small(bench *b, heed_tensor *y) {
    if (!y || heed_backward_from(b->cx, y, golden_find(b->file, b->key, "dy")->data))
        fail_msg("%s", heed_ctx_error(b->cx)->msg);
    const heed_entry *out = golden_find(b->file, b->key, "out");
    assert_int_equal(y->len, out->len);
    golden_compare(out, y->data, 1e-5);
    for (int i = 0; i < b->count; i++)
        golden_compare(golden_find(b->file, full(b, "d.", b->name[i]), ""), b->input[i]->grad,
                       1e-5);
    for (int64_t i = 0; i < heed_params_count(b->ps); i++) {
        const heed_tensor *p = heed_params_at(b->ps, i);
        golden_compare_grad(b->file, full(b, "d.", ""), p->name, p->grad, p->len, 1e-5);
    }
}

/* A layer of width 256 over [2,10,256], in samples and sums. */
static void check_large(bench *b, const heed_mha *m, const heed_encoder *enc, bool residual) {
    fill_params(b);
    heed_tensor *x = heed_new(b->cx, HEED_F32, 3, (int64_t[]){ 2, 10, 256 });
    heed_tensor *dy = heed_new(b->cx, HEED_F32, 3, x->shape);
    golden_fill(full(b, "", "x"), x, 1);
    golden_fill(full(b, "", "dy"), dy, 1);
    heed_want_grad(b->cx, x);
    heed_tensor *y = enc ? heed_encoder_apply(b->cx, enc, x, NULL)
                         : heed_mha_apply(b->cx, m, x, x, x, NULL);
    if (residual) y = heed_add(b->cx, y, x);
    if (!y || heed_backward_from(b->cx, y, dy->data)) fail_msg("%s", heed_ctx_error(b->cx)->msg);
    const double tol = enc ? 1e-4 : 1e-5;
    golden_compare_summary(b->file, full(b, "", "out"), y->data, y->len, tol);
    golden_compare_summary(b->file, full(b, "", "d.x"), x->grad, x->len, tol);
    for (int64_t i = 0; i < heed_params_count(b->ps); i++) {
        const heed_tensor *p = heed_params_at(b->ps, i);
        golden_compare_grad(b->file, full(b, "d.", ""), p->name, p->grad, p->len, tol);
    }
}

static void test_listing000(void **state) {
    (void)state;
    bench *b = begin("listing000");
    heed_mha m;
    heed_mha_init(&m, b->ps, "mha", &(heed_mha_cfg){ .dim = 256, .heads = 8 });
    check_large(b, &m, NULL, false);
    end(b);
}

static void test_listing001(void **state) {
    (void)state;
    bench *b = begin("listing001");
    heed_mha m;
    heed_mha_init(&m, b->ps, "mha", &(heed_mha_cfg){ .dim = 256, .heads = 8, .no_bias = true });
    check_large(b, &m, NULL, true);
    end(b);
}

static void test_encoder6(void **state) {
    (void)state;
    bench *b = begin("encoder6");
    heed_encoder enc;
    const heed_block_cfg block = { .dim = 256, .self.heads = 8, .ff = 2048 };
    heed_encoder_init(&enc, b->ps, "enc", &(heed_encoder_cfg){ .layers = 6, .block = block });
    check_large(b, NULL, &enc, false);
    end(b);
}

static void test_causal_lengths(void **state) {
    (void)state;
    bench *b = begin("mha_causal_lengths");
    heed_mha m;
    heed_mha_init(&m, b->ps, "mha", &(heed_mha_cfg){ .dim = 12, .heads = 3 });
    fill_params(b);
    heed_tensor *x = wanted(b, "x");
    heed_attention_cfg cfg = m.cfg.kind;
    cfg.causal = true;
    cfg.key_lengths = golden_tensor(b->cx, golden_find(b->file, b->key, "lengths"));
    check_small(b, heed_mha_apply(b->cx, &m, x, x, x, &cfg));
    end(b);
}

/* score_t = v · tanh(Wq h + b + Wk e_t); weights over T; the output is [context, weights], here as
 * one sum over values that carry a unit vector behind each e_t. */
static void test_additive002(void **state) {
    (void)state;
    enum { B = 2, T = 5, C = 8 };
    bench *b = begin("additive002");
    heed_ctx *cx = b->cx;
    heed_tensor *h = wanted(b, "h"), *e = wanted(b, "e"), *v = wanted(b, "score_v");
    heed_tensor *wq = wanted(b, "w_q.weight"), *bq = wanted(b, "w_q.bias");
    heed_tensor *wk = wanted(b, "w_k.weight");
    heed_tensor *unit = heed_zeros(cx, HEED_F32, 3, (int64_t[]){ B, T, T });
    for (int i = 0; i < B * T; i++) HEED_F32_DATA(unit)[i * T + i % T] = 1;
    heed_tensor *values = heed_concat(cx, (heed_tensor *[]){ e, unit }, 2, 2);
    const heed_attention_cfg cfg = {
        .score = HEED_SCORE_ADDITIVE,
        .score_wk = heed_reshape(cx, wk, 3, (int64_t[]){ 1, C, C }),
        .score_v = heed_reshape(cx, v, 2, (int64_t[]){ 1, C }),
    };
    heed_tensor *q = heed_reshape(cx, heed_affine(cx, h, wq, bq), 3, (int64_t[]){ B, 1, C });
    check_small(b, heed_attention(cx, q, e, values, &cfg));
    end(b);
}

/* Scores over their row's standard deviation; W is [in,out], as the article has it. */
static void test_self_std004(void **state) {
    (void)state;
    bench *b = begin("self_std004");
    heed_ctx *cx = b->cx;
    heed_tensor *x = wanted(b, "x"), *part[3];
    static const char *const names[3] = { "w_q", "w_k", "w_v" };
    for (int i = 0; i < 3; i++) {
        part[i] = heed_matmul(cx, x, wanted(b, names[i]), false, false);
        part[i] = heed_reshape(cx, part[i], 3, (int64_t[]){ 1, 3, 3 });
    }
    const heed_attention_cfg cfg = { .score = HEED_SCORE_DOT, .score_std = true };
    check_small(b, heed_attention(cx, part[0], part[1], part[2], &cfg));
    end(b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_listing000),  cmocka_unit_test(test_listing001),
        cmocka_unit_test(test_encoder6),    cmocka_unit_test(test_causal_lengths),
        cmocka_unit_test(test_additive002), cmocka_unit_test(test_self_std004),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
