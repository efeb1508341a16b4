/* test_refuse.c: bad input of every op: NULL, wrong shapes and types, sizes of 0 and sizes whose
 * product does not fit. Each call ends in a result or in one sentence that begins with the op's
 * name; run under the sanitizers this also says that nothing was read or written out of place. */
#include "harness.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void check_null(const heed_case *c) {
    for (int i = 0; i < c->count; i++) {
        if (c->in[i].optional || c->in[i].absent) continue;
        heed_ctx *cx = harness_ctx(NULL, NULL);
        heed_tensor *in[HEED_CASE_INPUTS];
        assert_true(heed__case_inputs(cx, c, ~0U, in));
        in[i] = NULL;
        if (c->apply(cx, c, in)) fail_msg("%s %s: NULL as input %d: a result", c->op, c->name, i);
        if (heed_ctx_error(cx))
            fail_msg("%s %s: NULL as input %d: %s", c->op, c->name, i, heed_ctx_error(cx)->msg);
        heed_fail(cx, HEED_EIO, "the first");
        (void)c->apply(cx, c, in);
        assert_string_equal(heed_ctx_error(cx)->msg, "the first");
        heed_ctx_free(cx);
    }
}

/* No context, though the inputs are there: parameters, or of another context. */
static void check_no_context(const heed_case *c) {
    heed_ctx *cx = harness_ctx(NULL, NULL);
    heed_tensor *in[HEED_CASE_INPUTS];
    assert_true(heed__case_inputs(cx, c, ~0U, in));
    if (c->apply(NULL, c, in)) fail_msg("%s %s: a result without a context", c->op, c->name);
    heed_ctx_free(cx);
}

static void check_message(const heed_case *c, const heed_ctx *cx) {
    char prefix[64];
    const int n = snprintf(prefix, sizeof prefix, "%s: ", c->op);
    const heed_error *err = heed_ctx_error(cx);
    if (!err) fail_msg("%s %s: NULL and no error", c->op, c->name);
    if (err->code == HEED_ENOMEM) return; /* the size was right, but too large */
    if (strncmp(err->msg, prefix, (size_t)n) != 0)
        fail_msg("%s %s: message does not begin with the op: %s", c->op, c->name, err->msg);
}

static void check_refusal(const heed_case *c) {
    heed_ctx *cx = harness_ctx(NULL, NULL);
    heed_tensor *in[HEED_CASE_INPUTS];
    if (!heed__case_inputs(cx, c, ~0U, in)) fail_msg("%s %s: inputs", c->op, c->name);
    if (c->apply(cx, c, in)) fail_msg("%s %s: accepted", c->op, c->name);
    check_message(c, cx);
    const heed_error *err = heed_ctx_error(cx);
    if (err->code != (c->code ? c->code : HEED_ESHAPE))
        fail_msg("%s %s: %s for: %s", c->op, c->name, heed_status_name(err->code), err->msg);
    if (!strstr(err->msg, c->refuse))
        fail_msg("%s %s: '%s' not in: %s", c->op, c->name, c->refuse, err->msg);
    heed_ctx_free(cx);
}

/* Whatever a spoilt case asks for, there is a result (and then backward runs) or a message. */
static void check_spoilt(heed_case *c) {
    for (int i = 0; i < c->count; i++) { /* given numbers no longer fit the shape */
        c->in[i].values = NULL;
        if (c->in[i].ids && c->in[i].dtype != HEED_F32) c->in[i].lo = c->in[i].hi = 0;
        c->in[i].ids = NULL;
    }
    heed_ctx *cx = harness_ctx(NULL, NULL);
    heed_tensor *in[HEED_CASE_INPUTS];
    if (heed__case_inputs(cx, c, ~0U, in)) {
        heed_tensor *y = c->apply(cx, c, in);
        if (!y) check_message(c, cx);
        if (y && heed_ctx_error(cx)) fail_msg("%s: a result and an error", c->op);
        if (y && y->needs_grad && y->len == 1) heed_backward(cx, y);
        if (y && y->needs_grad && y->len > 1) heed_backward(cx, heed_sum(cx, y));
    }
    heed_ctx_free(cx);
}

static void check_spoilt_sizes(const heed_case *c, int i) {
    static const int64_t sizes[] = { 0, 1, -1, INT64_C(1) << 31, INT64_MAX };
    for (int d = 0; d < c->in[i].ndim; d++) {
        for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
            heed_case bad = *c;
            bad.in[i].shape[d] = sizes[s] == -1 ? c->in[i].shape[d] + 1 : sizes[s];
            if (sizes[s] > 1 && bad.in[i].ndim > 1) bad.in[i].shape[d ? 0 : 1] = 0;
            if (sizes[s] > 1 && bad.in[i].ndim < 2) continue;
            snprintf(bad.name, sizeof bad.name, "input %d, dimension %d is %lld", i, d,
                     (long long)bad.in[i].shape[d]);
            check_spoilt(&bad);
        }
    }
}

static void check_spoilt_kinds(const heed_case *c, int i) {
    static const heed_dtype dtypes[] = { HEED_F32, HEED_I32, HEED_U8 };
    for (int k = 0; k < 3; k++) {
        heed_case bad = *c;
        bad.in[i].dtype = dtypes[k];
        if (dtypes[k] != c->in[i].dtype) bad.in[i].lo = bad.in[i].hi = 0;
        snprintf(bad.name, sizeof bad.name, "input %d is %s", i, heed_dtype_name(dtypes[k]));
        check_spoilt(&bad);
    }
    for (int ndim = 0; ndim <= HEED_MAX_NDIM; ndim++) {
        heed_case bad = *c;
        for (int d = bad.in[i].ndim; d < ndim; d++) bad.in[i].shape[d] = 2;
        bad.in[i].ndim = ndim;
        snprintf(bad.name, sizeof bad.name, "input %d has %d axes", i, ndim);
        check_spoilt(&bad);
    }
}

/* All inputs lose an axis, gain one, or have no elements in one. */
static void check_spoilt_together(const heed_case *c) {
    for (int d = 0; d < HEED_MAX_NDIM; d++) {
        heed_case bad = *c;
        for (int i = 0; i < c->count; i++)
            if (d < bad.in[i].ndim) bad.in[i].shape[d] = 0;
        snprintf(bad.name, sizeof bad.name, "dimension %d of all is 0", d);
        check_spoilt(&bad);
    }
}

static void check(const heed_case *c) {
    if (c->bench) return;
    check_no_context(c);
    if (c->refuse) {
        check_refusal(c);
        return;
    }
    check_null(c);
    int64_t largest = 0;
    for (int i = 0; i < c->count; i++)
        if (heed_case_len(c, i) > largest) largest = heed_case_len(c, i);
    if (largest > 4096) return;
    check_spoilt_together(c);
    for (int i = 0; i < c->count; i++) {
        if (c->in[i].absent) continue;
        check_spoilt_sizes(c, i);
        check_spoilt_kinds(c, i);
    }
}

int main(int argc, char **argv) {
    return harness_main("ops refuse", check, argc, argv);
}
