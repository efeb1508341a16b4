/* test_kernel_accuracy.c: the elementary functions of the kernels against libm in double, over
 * every exponent and densely where they bend. Prints the table of docs/ACCURACY.md;
 * HEED_ACCURACY_STRIDE=1 visits all 2^32 arguments, the default every 4099th. */
#include "cmocka_all.h"
#include "isas.h"
#include "kernels/math.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static double ref_sigmoid(double x) {
    return 1 / (1 + exp(-x));
}
static double ref_relu(double x) {
    return x > 0 ? x : 0;
}
static double ref_gelu(double x) {
    return x * 0.5 * erfc(-x / sqrt(2));
}
static double ref_gelu_tanh(double x) {
    return x * ref_sigmoid(2 * sqrt(2 / acos(-1)) * (x + 0.044715 * x * x * x));
}
static double ref_silu(double x) {
    return x * ref_sigmoid(x);
}
static double ref_rsqrt(double x) {
    return 1 / sqrt(x);
}

typedef struct function {
    const char *name;
    size_t member; /* offset in heed_math_kernels */
    double (*ref)(double);
    double from, to; /* where the error in ulp is stated */
    double ulp;      /* at most this */
    double tail;     /* at most this absolute error outside [from,to]; negative: not looked at */
} function;

#define AT(name) #name, offsetof(heed_math_kernels, name)
static const function functions[] = {
    { AT(exp), exp, -87.3365, 88.7228, 1.0, 1.2e-38 },
    { AT(log), log, 1e-45, 3.5e38, 1.0, -1 },
    { AT(tanh), tanh, -3.5e38, 3.5e38, 2.0, 0 },
    { AT(sigmoid), ref_sigmoid, -87.3365, 3.5e38, 2.5, 1.2e-38 },
    { AT(erf), erf, -3.5e38, 3.5e38, 1.2, 0 },
    { AT(sin), sin, -1e6, 1e6, 2.0, -1 },
    { AT(cos), cos, -1e6, 1e6, 2.0, -1 },
    { AT(relu), ref_relu, -3.5e38, 3.5e38, 0, 0 },
    { AT(gelu), ref_gelu, -1, 3.4e38, 2.6, 7e-8 },
    { AT(gelu), ref_gelu, -13, -1, 6.0, -1 },
    { AT(gelu_tanh), ref_gelu_tanh, -1, 1e12, 4.0, 5e-7 },
    { AT(silu), ref_silu, -87.3365, 3.4e38, 3.5, 1.1e-36 },
    { AT(sqrt), sqrt, 0, 3.5e38, 0.5000001, -1 },
    { AT(rsqrt), ref_rsqrt, 1e-45, 3.5e38, 1.5, -1 },
};
enum { FUNCTIONS = sizeof functions / sizeof *functions, BATCH = 1024 };

typedef struct worst {
    double ulp, tail;
    float at;
} worst;

static heed_map1 map_of(const heed_kernels *k, const function *f) {
    heed_map1 map;
    memcpy(&map, (const char *)k->math + f->member, sizeof map);
    return map;
}

static void measure(const function *f, const float *x, const float *y, int n, worst *w) {
    for (int i = 0; i < n; i++) {
        if (!isfinite(x[i])) continue;
        const double want = f->ref((double)x[i]), error = fabs((double)y[i] - want);
        if ((double)x[i] < f->from || (double)x[i] > f->to) {
            if (f->tail >= 0 && !(error <= w->tail)) w->tail = error;
            continue;
        }
        int e;
        frexp(want, &e);
        const double ulp = error / ldexp(1, e < -125 ? -149 : e - 24);
        if (error > 0 && !(ulp <= w->ulp)) {
            w->ulp = ulp;
            w->at = x[i];
        }
    }
}

static void accuracy(void **state) {
    (void)state;
    int isas;
    const heed_kernels *const *k = isas_here(&isas);
    const char *text = getenv("HEED_ACCURACY_STRIDE");
    const uint64_t stride = text && atoll(text) > 0 ? (uint64_t)atoll(text) : 4099;
    print_message(
        "| function | stated for x in | measured | at x | bound | elsewhere, absolute |\n");
    for (int j = 0; j < FUNCTIONS; j++) {
        const function *f = &functions[j];
        const heed_map1 map = map_of(k[isas - 1], f);
        float x[BATCH], y[BATCH];
        worst w = { 0, 0, 0 };
        uint64_t bits = 0;
        while (bits < 1ull << 32) {
            for (int i = 0; i < BATCH; i++, bits += stride) {
                const uint32_t b = (uint32_t)bits;
                memcpy(x + i, &b, sizeof b);
            }
            map(y, x, BATCH);
            measure(f, x, y, BATCH, &w);
        }
        for (int block = 0; block < 200;
             block++) { /* evenly over [-20,20], off the grid of powers */
            for (int i = 0; i < BATCH; i++)
                x[i] = -20.0f + 40.0f * ((float)(block * BATCH + i) + 0.37f) / (200.0f * BATCH);
            map(y, x, BATCH);
            measure(f, x, y, BATCH, &w);
        }
        print_message("| %s | [%.6g, %.6g] | %.3f ulp | %.9g | %.3g ulp | %.2g |\n", f->name,
                      f->from, f->to, w.ulp, (double)w.at, f->ulp, w.tail);
        if (!(w.ulp <= f->ulp))
            fail_msg("%s is off by %g ulp at %.9g", f->name, w.ulp, (double)w.at);
        if (f->tail >= 0 && !(w.tail <= f->tail)) fail_msg("%s: tail off by %g", f->name, w.tail);
    }
}

static void edge(const heed_kernels *k, heed_map1 map, float x, float want) {
    float y;
    map(&y, &x, 1);
    if (memcmp(&y, &want, sizeof y))
        fail_msg("%s: of %g came %g, %g expected", k->name, (double)x, (double)y, (double)want);
}

static void edges(void **state) {
    (void)state;
    int isas;
    const heed_kernels *const *k = isas_here(&isas);
    const float inf = INFINITY, tiny = 1e-45f;
    for (int i = 0; i < isas; i++) {
        const heed_math_kernels *m = k[i]->math;
        edge(k[i], m->exp, 0, 1);
        edge(k[i], m->exp, inf, inf);
        edge(k[i], m->exp, -inf, 0);
        edge(k[i], m->exp, 88.8f, inf);
        edge(k[i], m->exp, -87.34f, 0);
        edge(k[i], m->exp, 1e38f, inf);
        edge(k[i], m->exp, -1e38f, 0);
        edge(k[i], m->log, 1, 0);
        edge(k[i], m->log, 0, -inf);
        edge(k[i], m->log, -0.0f, -inf);
        edge(k[i], m->log, inf, inf);
        edge(k[i], m->log, -1, NAN);
        edge(k[i], m->log, -inf, NAN);
        edge(k[i], m->tanh, -0.0f, -0.0f);
        edge(k[i], m->tanh, tiny, tiny);
        edge(k[i], m->tanh, inf, 1);
        edge(k[i], m->tanh, -inf, -1);
        edge(k[i], m->sigmoid, 0, 0.5f);
        edge(k[i], m->sigmoid, inf, 1);
        edge(k[i], m->sigmoid, -inf, 0);
        edge(k[i], m->erf, -inf, -1);
        edge(k[i], m->erf, inf, 1);
        edge(k[i], m->erf, -0.0f, -0.0f);
        edge(k[i], m->sin, -0.0f, -0.0f);
        edge(k[i], m->sin, tiny, tiny);
        edge(k[i], m->sin, inf, NAN);
        edge(k[i], m->cos, -inf, NAN);
        edge(k[i], m->cos, 0, 1);
        edge(k[i], m->relu, -inf, 0);
        edge(k[i], m->relu, inf, inf);
        edge(k[i], m->relu, -tiny, 0);
        edge(k[i], m->gelu, -inf, -0.0f);
        edge(k[i], m->gelu, inf, inf);
        edge(k[i], m->gelu_tanh, -inf, -0.0f);
        edge(k[i], m->gelu_tanh, inf, inf);
        edge(k[i], m->silu, -inf, -0.0f);
        edge(k[i], m->silu, inf, inf);
        edge(k[i], m->sqrt, -1, NAN);
        edge(k[i], m->rsqrt, 0, inf);
        edge(k[i], m->rsqrt, inf, 0);
    }
}

/* slopes against central differences of the reference */
static void slopes(void **state) {
    (void)state;
    int isas;
    const heed_kernels *const *k = isas_here(&isas);
    const heed_math_kernels *m = k[isas - 1]->math;
    const struct {
        heed_map1_grad grad;
        double (*ref)(double);
    } pairs[] = { { m->gelu_grad, ref_gelu },
                  { m->gelu_tanh_grad, ref_gelu_tanh },
                  { m->silu_grad, ref_silu } };
    for (size_t p = 0; p < sizeof pairs / sizeof *pairs; p++)
        for (int j = -1200; j <= 1200; j++) {
            const float x = (float)j / 60.0f, dy = 1.0f;
            float dx = 0.0f;
            pairs[p].grad(&dx, &x, &dy, 1);
            const double h = 1e-5, f1 = pairs[p].ref((double)x + h),
                         f0 = pairs[p].ref((double)x - h);
            if (!(fabs((double)dx - (f1 - f0) / (2 * h)) < 3e-7))
                fail_msg("slope %d at %g is %.9g, %.9g expected", (int)p, (double)x, (double)dx,
                         (f1 - f0) / (2 * h));
        }
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(accuracy), cmocka_unit_test(edges),
                                        cmocka_unit_test(slopes) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
