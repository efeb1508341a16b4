/* golden.c: entries of golden files and the formula behind those that are not stored. */
#include "golden.h"

#include "cmocka_all.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

heed_safetensors *golden_open(const char *name) {
    char path[512];
    heed_error err = { 0 };
    snprintf(path, sizeof path, "%s/tests/golden/%s.safetensors", HEED_SOURCE_DIR, name);
    heed_safetensors *file = heed_safetensors_open(path, NULL, &err);
    if (!file) fail_msg("%s", err.msg);
    return file;
}

const heed_entry *golden_has(const heed_safetensors *file, const char *prefix, const char *name) {
    char full[256];
    snprintf(full, sizeof full, "%s%s", prefix, name);
    return heed_safetensors_find(file, full);
}

const heed_entry *golden_find(const heed_safetensors *file, const char *prefix, const char *name) {
    const heed_entry *e = golden_has(file, prefix, name);
    if (!e) fail_msg("%s%s is not in %s", prefix, name, heed_safetensors_name(file));
    return e;
}

heed_tensor *golden_tensor(heed_ctx *cx, const heed_entry *e) {
    const heed_dtype dtype = e->dtype == HEED_FILE_F32 ? HEED_F32 : HEED_I32;
    assert_true(e->dtype == HEED_FILE_F32 || e->dtype == HEED_FILE_I32);
    heed_tensor *t = heed_new(cx, dtype, e->ndim, e->shape);
    if (!t) fail_msg("%s", heed_ctx_error(cx)->msg);
    memcpy(t->data, e->data, e->size);
    return t;
}

void golden_compare(const heed_entry *e, const float *x, double tol) {
    float *want = malloc((size_t)e->len * sizeof *want + 4);
    assert_non_null(want);
    assert_int_equal(heed_entry_f32(e, want, NULL), 0);
    double largest = 0, worst = 0;
    for (int64_t i = 0; i < e->len; i++) largest = fmax(largest, fabs((double)want[i]));
    for (int64_t i = 0; i < e->len; i++) {
        const double d = fabs((double)x[i] - (double)want[i]);
        if (!(d <= worst)) worst = d;
    }
    free(want);
    if (!(worst <= tol * largest + 1e-9))
        fail_msg("%s: off by %g, its largest is %g", e->name, worst, largest);
}

void golden_compare_summary(const heed_safetensors *file, const char *name, const float *x,
                            int64_t len, double tol) {
    float stats[4], sample[64];
    const heed_entry *e = golden_find(file, name, ".stats");
    assert_int_equal(e->len, 4);
    assert_int_equal(heed_entry_f32(e, stats, NULL), 0);
    e = golden_find(file, name, ".sample");
    assert_int_equal(e->len, len < 64 ? len : 64);
    assert_int_equal(heed_entry_f32(e, sample, NULL), 0);
    for (int64_t k = 0; k < e->len; k++) {
        const double got = (double)x[k * len / e->len], want = (double)sample[k];
        if (!(fabs(got - want) <= tol * (double)stats[2]))
            fail_msg("%s: %g, not %g; largest %g", e->name, got, want, (double)stats[2]);
    }
    char probe[256];
    snprintf(probe, sizeof probe, "%s.probe", name);
    double squares = 0, sum = 0, product = 0, against = 0;
    for (int64_t i = 0; i < len; i++) {
        const double v = (double)x[i], p = (double)golden_formula(probe, i, 1);
        squares += v * v;
        sum += v;
        product += v * p;
        against += p * p;
    }
    if (!(fabs(squares - (double)stats[1]) <= 2 * tol * (double)stats[1]))
        fail_msg("%s: squares %g, not %g", name, squares, (double)stats[1]);
    /* Cauchy and Schwarz: x off by tol of its length moves a product by no more than that */
    const double off = tol * sqrt((double)stats[1]);
    if (!(fabs(sum - (double)stats[0]) <= off * sqrt((double)len)))
        fail_msg("%s: sum %g, not %g", name, sum, (double)stats[0]);
    if (!(fabs(product - (double)stats[3]) <= off * sqrt(against)))
        fail_msg("%s: product with the probe %g, not %g", name, product, (double)stats[3]);
}

float golden_formula(const char *name, int64_t i, float scale) {
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

static bool ends_in(const char *name, const char *end) {
    const size_t n = strlen(name), m = strlen(end);
    return n >= m && strcmp(name + n - m, end) == 0;
}

void golden_fill_param(const char *name, heed_tensor *t) {
    const bool gain = t->ndim == 1 && strstr(name, "norm") && ends_in(name, "weight");
    float scale = 0.0625f;
    if (t->ndim > 1)
        for (scale = 1; scale * scale * (float)(t->len / t->shape[0]) > 1;) scale /= 2;
    golden_fill(name, t, scale);
    for (int64_t i = 0; gain && i < t->len; i++) HEED_F32_DATA(t)[i] += 1;
}

void golden_fill(const char *name, heed_tensor *t, float scale) {
    for (int64_t i = 0; i < t->len; i++) HEED_F32_DATA(t)[i] = golden_formula(name, i, scale);
}

bool golden_is_key_bias(const char *name) {
    return ends_in(name, ".k.bias");
}

/* The largest magnitude of a tensor of the reference, stored whole or as a summary. */
static double largest_of(const heed_safetensors *file, const char *name) {
    const heed_entry *e = golden_has(file, name, "");
    float stats[4], *all = stats;
    double largest = 0;
    if (!e) {
        e = golden_find(file, name, ".stats");
        assert_int_equal(e->len, 4);
        assert_int_equal(heed_entry_f32(e, stats, NULL), 0);
        return (double)stats[2];
    }
    all = malloc((size_t)e->len * sizeof *all + 4);
    assert_non_null(all);
    assert_int_equal(heed_entry_f32(e, all, NULL), 0);
    for (int64_t i = 0; i < e->len; i++) largest = fmax(largest, fabs((double)all[i]));
    free(all);
    return largest;
}

void golden_compare_grad(const heed_safetensors *file, const char *prefix, const char *name,
                         const float *x, int64_t len, double tol) {
    char full[256], weight[256];
    snprintf(full, sizeof full, "%s%s", prefix, name);
    const heed_entry *e = golden_has(file, full, "");
    if (e) assert_int_equal(e->len, len);
    if (golden_is_key_bias(name)) {
        snprintf(weight, sizeof weight, "%.*sweight", (int)strlen(full) - 4, full);
        const double beside = largest_of(file, weight);
        if (!(largest_of(file, full) <= 1e-12 * beside))
            fail_msg("%s: the reference has %g", full, largest_of(file, full));
        for (int64_t i = 0; i < len; i++)
            if (!(fabs((double)x[i]) <= tol * beside))
                fail_msg("%s: %g, not 0; its weight's largest is %g", full, (double)x[i], beside);
    } else if (e) {
        golden_compare(e, x, tol);
    } else {
        golden_compare_summary(file, full, x, len, tol);
    }
}
