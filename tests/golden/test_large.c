/* test_large.c: the articles' attention (8 heads, d=256, K=10) and nn.TransformerEncoder of 6
 * layers, 256, 8 heads, 2048, at their real size: samples and sums of the output and of all
 * gradients in layers.safetensors, weights by the formula of make/common.py. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "heed/io.h"
#include "heed/nn.h"

static float formula(const char *name, int64_t i, float scale) {
    uint32_t h = 2166136261u;
    for (const char *c = name; *c; c++) h = (h ^ (uint8_t)*c) * 16777619u;
    uint32_t x = h + (uint32_t)i * 0x9E3779B9u;
    x ^= x >> 16;
    x *= 0x7feb352du;
    x ^= x >> 15;
    x *= 0x846ca68bu;
    x ^= x >> 16;
    return ((float)(x >> 8) * 0x1p-24f - 0.5f) * 2 * scale;
}

static void fill(const char *name, heed_tensor *t) {
    const size_t n = strlen(name);
    const bool gain = t->ndim == 1 && strstr(name, "norm") && n > 6 &&
                      strcmp(name + n - 6, "weight") == 0;
    float scale = 0.0625f;
    if (t->ndim > 1)
        for (scale = 1; scale * scale * (float)(t->len / t->shape[0]) > 1;) scale /= 2;
    for (int64_t i = 0; i < t->len; i++)
        HEED_F32_DATA(t)[i] = formula(name, i, scale) + (gain ? 1.0f : 0.0f);
}

/* x against NAME.sample and the sum of squares in NAME.stats, within 1e-4. */
static void compare(const heed_safetensors *file, const char *name, const float *x, int64_t len) {
    char full[256];
    float stats[4], sample[64];
    snprintf(full, sizeof full, "%s.stats", name);
    const heed_entry *e = heed_safetensors_find(file, full);
    if (!e || heed_entry_f32(e, stats, NULL)) fail_msg("%s is not in the file", full);
    snprintf(full, sizeof full, "%s.sample", name);
    e = heed_safetensors_find(file, full);
    if (!e || e->len > 64 || heed_entry_f32(e, sample, NULL)) fail_msg("no %s", full);
    for (int64_t k = 0; k < e->len; k++)
        if (!(fabsf(x[k * len / e->len] - sample[k]) <= 1e-4f * stats[2]))
            fail_msg("%s: %g, not %g; largest %g", full, (double)x[k * len / e->len],
                     (double)sample[k], (double)stats[2]);
    double squares = 0;
    for (int64_t i = 0; i < len; i++) squares += (double)x[i] * (double)x[i];
    if (!(fabs(squares - (double)stats[1]) <= 2e-4 * (double)stats[1]))
        fail_msg("%s: squares %g, not %g", name, squares, (double)stats[1]);
}

static bool is_key_bias(const char *name) {
    const size_t n = strlen(name);
    return n > 7 && strcmp(name + n - 7, ".k.bias") == 0; /* its gradient is rounding alone */
}

static void check(const char *name, const heed_mha_cfg *mha, bool residual) {
    char text[256];
    heed_error err = { 0 };
    snprintf(text, sizeof text, "%s/tests/golden/layers.safetensors", HEED_SOURCE_DIR);
    heed_safetensors *file = heed_safetensors_open(text, NULL, &err);
    heed_ctx *cx = heed_ctx_new(&(heed_ctx_cfg){ .train = true, .threads = 2 }, &err);
    heed_params *ps = heed_params_new(NULL, &err);
    if (!file || !cx || !ps) fail_msg("%s", err.msg);
    heed_mha m;
    heed_encoder enc;
    const heed_encoder_cfg cfg = { .layers = 6, .block = { .dim = 256, .heads = 8, .ff = 2048 } };
    if (mha)
        heed_mha_init(&m, ps, "mha", mha);
    else
        heed_encoder_init(&enc, ps, "enc", &cfg);
    for (int64_t i = 0; i < heed_params_count(ps); i++) {
        snprintf(text, sizeof text, "%s/%s", name, heed_params_at(ps, i)->name);
        fill(text, heed_params_at(ps, i));
    }
    heed_tensor *x = heed_new(cx, HEED_F32, 3, (int64_t[]){ 2, 10, 256 });
    static float dy[2 * 10 * 256];
    for (int64_t i = 0; i < x->len; i++) {
        snprintf(text, sizeof text, "%s/x", name);
        HEED_F32_DATA(x)[i] = formula(text, i, 1);
        snprintf(text, sizeof text, "%s/dy", name);
        dy[i] = formula(text, i, 1);
    }
    heed_want_grad(cx, x);
    heed_tensor *y = mha ? heed_mha_apply(cx, &m, x, x, x, NULL)
                         : heed_encoder_apply(cx, &enc, x, NULL);
    if (residual) y = heed_add(cx, y, x);
    if (!y || heed_backward_from(cx, y, dy)) fail_msg("%s", heed_ctx_error(cx)->msg);
    snprintf(text, sizeof text, "%s/out", name);
    compare(file, text, y->data, y->len);
    snprintf(text, sizeof text, "%s/d.x", name);
    compare(file, text, x->grad, x->len);
    for (int64_t i = 0; i < heed_params_count(ps); i++) {
        const heed_tensor *p = heed_params_at(ps, i);
        snprintf(text, sizeof text, "%s/d.%s", name, p->name);
        if (!is_key_bias(p->name)) compare(file, text, p->grad, p->len);
    }
    heed_params_free(ps);
    heed_ctx_free(cx);
    heed_safetensors_close(file);
}

static void test_listing000(void **state) {
    (void)state;
    check("listing000", &(heed_mha_cfg){ .dim = 256, .heads = 8 }, false);
}

static void test_listing001(void **state) {
    (void)state;
    check("listing001", &(heed_mha_cfg){ .dim = 256, .heads = 8, .no_bias = true }, true);
}

static void test_encoder6(void **state) {
    (void)state;
    check("encoder6", NULL, false);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_listing000),
        cmocka_unit_test(test_listing001),
        cmocka_unit_test(test_encoder6),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
