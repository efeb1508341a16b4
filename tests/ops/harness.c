/* harness.c: see harness.h. */
#include "harness.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void *alloc_nan(void *user, size_t size) {
    (void)user;
    void *memory = size < (size_t)1 << 28 ? malloc(size) : NULL; /* a spoilt size is no request */
    if (memory) memset(memory, 0xff, size);
    return memory;
}

static void release(void *user, void *memory) {
    (void)user;
    free(memory);
}

heed_ctx *harness_ctx(const char *isa, heed_pool *pool) {
    static const heed_hooks hooks = { .alloc = alloc_nan, .release = release };
    heed_error err = { 0 };
    heed_ctx *cx = heed_ctx_new(&(heed_ctx_cfg){ .train = true,
                                                 .seed = HEED_CASE_SEED,
                                                 .threads = 1,
                                                 .pool = pool,
                                                 .isa = isa,
                                                 .hooks = &hooks },
                                &err);
    if (!cx) fail_msg("context: %s", err.msg);
    return cx;
}

double harness_weight(int64_t e) {
    uint32_t bits[4];
    heed_philox(11, 0, (uint64_t)e, bits);
    return (double)(bits[0] >> 8) / 8388608.0 - 1.0;
}

static void *copy_of(const void *data, int64_t len, size_t size) {
    void *copy = malloc((size_t)len * size + 1);
    assert_non_null(copy);
    if (len) memcpy(copy, data, (size_t)len * size);
    return copy;
}

static double *as_double(const heed_tensor *t) {
    double *d = malloc((size_t)t->len * sizeof *d + 1);
    assert_non_null(d);
    for (int64_t e = 0; e < t->len; e++)
        d[e] = t->dtype == HEED_F32   ? (double)HEED_F32_DATA(t)[e]
               : t->dtype == HEED_I32 ? (double)HEED_I32_DATA(t)[e]
                                      : (double)HEED_U8_DATA(t)[e];
    return d;
}

static void backward(heed_ctx *cx, const heed_case *c, heed_tensor *out) {
    float *w = malloc((size_t)out->len * sizeof *w + 1);
    assert_non_null(w);
    for (int64_t e = 0; e < out->len; e++) w[e] = (float)harness_weight(e);
    const int status = heed_backward_from(cx, out, w);
    free(w);
    if (status) fail_msg("%s %s: backward: %s", c->op, c->name, heed_ctx_error(cx)->msg);
}

harness_result harness_run(heed_ctx *cx, const heed_case *c, unsigned want, int times) {
    harness_result r = { 0 };
    heed_tensor *in[HEED_CASE_INPUTS], *out = NULL;
    if (!heed__case_inputs(cx, c, want, in))
        fail_msg("%s %s: inputs: %s", c->op, c->name, heed_ctx_error(cx)->msg);
    for (int k = 0; k < times; k++) {
        heed_tensor *y = c->apply(cx, c, in);
        if (!y || heed_ctx_error(cx))
            fail_msg("%s %s: %s", c->op, c->name,
                     heed_ctx_error(cx) ? heed_ctx_error(cx)->msg : "NULL and no error");
        out = out ? heed_add(cx, out, y) : y;
        assert_non_null(out);
    }
    r.ndim = out->ndim;
    r.len = out->len;
    memcpy(r.shape, out->shape, sizeof r.shape);
    r.out = copy_of(out->data, out->len, sizeof(float));
    if (out->needs_grad) backward(cx, c, out);
    for (int i = 0; i < c->count; i++) {
        if (!in[i]) continue;
        r.in[i] = as_double(in[i]);
        r.in_len[i] = in[i]->len;
        if (!(want >> i & 1) || !heed__case_differentiable(c, i)) {
            if (in[i]->grad) fail_msg("%s %s: input %d has a gradient", c->op, c->name, i);
            continue;
        }
        const float *g = heed_grad(cx, in[i]); /* zeros where nothing flowed */
        assert_non_null(g);
        r.grad[i] = copy_of(g, in[i]->len, sizeof(float));
    }
    return r;
}

void harness_free(harness_result *r) {
    free(r->out);
    for (int i = 0; i < HEED_CASE_INPUTS; i++) {
        free(r->grad[i]);
        free(r->in[i]);
    }
}

double *harness_reference(const heed_case *c, double *const *in, int64_t len) {
    double *out = malloc((size_t)len * sizeof *out + 1);
    assert_non_null(out);
    for (int64_t e = 0; e < len; e++) out[e] = NAN;
    c->reference(c, (const double *const *)in, out);
    return out;
}

void harness_close(const heed_case *c, const harness_compare *h) {
    double largest = fmax(1e-30, h->floor);
    for (int64_t e = 0; e < h->len; e++)
        if (fabs(h->want[e]) > largest && isfinite(h->want[e])) largest = fabs(h->want[e]);
    for (int64_t e = 0; e < h->len; e++) {
        const double got = (double)h->got[e];
        if (got == h->want[e]) continue; /* infinities too */
        if (!(fabs(got - h->want[e]) <= h->tolerance * largest))
            fail_msg("%s %s: %s at %lld of %lld: %.9g, reference %.9g (largest %.9g)", c->op,
                     c->name, h->what, (long long)e, (long long)h->len, got, h->want[e], largest);
    }
}

void harness_same_bits(const heed_case *c, const char *what, const float *a, const float *b,
                       int64_t len) {
    if (!len || !memcmp(a, b, (size_t)len * sizeof *a)) return;
    for (int64_t e = 0; e < len; e++)
        if (memcmp(a + e, b + e, sizeof *a) != 0)
            fail_msg("%s %s: %s: bits differ at %lld of %lld: %.9g and %.9g", c->op, c->name, what,
                     (long long)e, (long long)len, (double)a[e], (double)b[e]);
}

/* -- one cmocka test per op */

typedef struct op_cases {
    const heed_case *first;
    int64_t count;
    harness_check check;
} op_cases;

static void check_op(void **state) {
    const op_cases *o = *state;
    for (int64_t i = 0; i < o->count; i++) o->check(&o->first[i]);
}

static bool chosen(const char *op, int argc, char **argv) {
    for (int i = 1; i < argc; i++)
        if (!strcmp(op, argv[i])) return true;
    return argc < 2;
}

int harness_main(const char *group, harness_check check, int argc, char **argv) {
    enum { MAX_OPS = 256 };
    static op_cases state[MAX_OPS];
    static struct CMUnitTest tests[MAX_OPS];
    heed_case_list list;
    if (heed__cases_all(&list)) return 1;
    size_t ops = 0;
    for (int64_t i = 0, end; i < list.count && ops < MAX_OPS; i = end) {
        for (end = i; end < list.count && !strcmp(list.items[end].op, list.items[i].op);) end++;
        if (!chosen(list.items[i].op, argc, argv)) continue;
        state[ops] = (op_cases){ &list.items[i], end - i, check };
        tests[ops] = (struct CMUnitTest){ list.items[i].op, check_op, NULL, NULL, &state[ops] };
        ops++;
    }
    const int failed = _cmocka_run_group_tests(group, tests, ops, NULL, NULL);
    heed__cases_free(&list);
    return failed || (!ops && argc > 1);
}
