/* families.c: cases that several operations share: functions of each element, arithmetic of two
 * inputs, rows, sums of everything, pooling. */
#include "ops/cases/cases.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

void heed_cases_each(heed_case_list *list, const heed_case *c, double lo, double hi) {
    static const heed_case_input shapes[] = {
        { HEED_DIMS(3, 17) },   { HEED_DIMS(1) },       { 0 },
        { HEED_DIMS(2, 0, 3) }, { HEED_DIMS(7, 5, 2) }, { HEED_DIMS(301, 333) }
    };
    heed_case copy = *c;
    copy.in[0].lo = lo;
    copy.in[0].hi = hi;
    for (size_t s = 0; s < sizeof shapes / sizeof shapes[0]; s++) {
        copy.in[0].ndim = copy.out.ndim = shapes[s].ndim;
        memcpy(copy.in[0].shape, shapes[s].shape, sizeof shapes[s].shape);
        memcpy(copy.out.shape, shapes[s].shape, sizeof shapes[s].shape);
        heed_case_add(list, &copy);
    }
    copy.bench = true;
    copy.in[0] = (heed_case_input){ HEED_DIMS(1024, 1024), .lo = lo, .hi = hi };
    copy.bytes = 2 * 4.0 * 1024 * 1024;
    heed_case_add(list, &copy);
    copy = *c;
    copy.in[0] = (heed_case_input){ HEED_DIMS(3), .dtype = HEED_I32 };
    copy.refuse = "must be f32, not i32 [3]";
    heed_case_add(list, &copy);
}

void heed_cases_rows(heed_case_list *list, const heed_case *c) {
    static const heed_case_input shapes[] = { { HEED_DIMS(3, 17) },   { HEED_DIMS(1) },
                                              { HEED_DIMS(5, 1) },    { HEED_DIMS(2, 0, 3) },
                                              { HEED_DIMS(4, 0) },    { HEED_DIMS(2, 3, 16) },
                                              { HEED_DIMS(2, 4099) }, { HEED_DIMS(400, 301) } };
    heed_case copy = *c;
    for (size_t s = 0; s < sizeof shapes / sizeof shapes[0]; s++) {
        copy.in[0] = shapes[s];
        copy.out.ndim = shapes[s].ndim;
        memcpy(copy.out.shape, shapes[s].shape, sizeof shapes[s].shape);
        heed_case_add(list, &copy);
    }
    copy.bench = true;
    copy.in[0] = (heed_case_input){ HEED_DIMS(1024, 1024) };
    copy.bytes = 2 * 4.0 * 1024 * 1024;
    heed_case_add(list, &copy);
    copy = *c;
    copy.in[0] = (heed_case_input){ 0 };
    copy.refuse = "a scalar has no last axis";
    heed_case_add(list, &copy);
    copy.in[0] = (heed_case_input){ HEED_DIMS(3), .dtype = HEED_I32 };
    copy.refuse = "must be f32, not i32 [3]";
    heed_case_add(list, &copy);
}

static void refuse_pair(heed_case_list *list, const heed_case *c, const heed_case_input *b,
                        const char *refuse) {
    heed_case copy = *c;
    copy.count = 2;
    copy.in[0] = (heed_case_input){ HEED_DIMS(2, 3) };
    copy.in[1] = *b;
    copy.refuse = refuse;
    heed_case_add(list, &copy);
}

void heed_cases_broadcast(heed_case_list *list, const heed_case *c, double lo, double hi) {
    static const heed_case_input a[] = {
        { HEED_DIMS(3, 17) },    { 0 },
        { HEED_DIMS(5, 17) },    { HEED_DIMS(4, 3, 17) },
        { HEED_DIMS(2, 3, 5) },  { HEED_DIMS(4, 3) },
        { HEED_DIMS(0, 5) },     { HEED_DIMS(4, 0) },
        { HEED_DIMS(301, 333) }, { HEED_DIMS(2100, 48) },
        { HEED_DIMS(40, 2600) }, { HEED_DIMS(9, 301, 37) },
    };
    static const heed_case_input b[] = {
        { HEED_DIMS(3, 17) },
        { 0 },
        { HEED_DIMS(17) },
        { HEED_DIMS(3, 17) },
        { 0 },
        { HEED_DIMS(1, 1) },
        { HEED_DIMS(5) },
        { HEED_DIMS(0) },
        { HEED_DIMS(301, 333) },
        { HEED_DIMS(48) },
        { HEED_DIMS(2600) },
        { HEED_DIMS(1) },
    };
    heed_case copy = *c;
    copy.count = 2;
    for (size_t s = 0; s < sizeof a / sizeof a[0]; s++) {
        copy.in[0] = a[s];
        copy.in[1] = b[s];
        copy.in[0].lo = copy.in[1].lo = lo;
        copy.in[0].hi = copy.in[1].hi = hi;
        copy.out.ndim = a[s].ndim;
        memcpy(copy.out.shape, a[s].shape, sizeof a[s].shape);
        heed_case_add(list, &copy);
    }
    refuse_pair(list, c, &(heed_case_input){ HEED_DIMS(2) }, "[2,3] and [2] do not fit together");
    refuse_pair(list, c, &(heed_case_input){ HEED_DIMS(4, 2, 3) }, "[2,3] and [4,2,3] do not fit");
    refuse_pair(list, c, &(heed_case_input){ HEED_DIMS(3), .dtype = HEED_I32 }, "must be f32");
    copy.bench = true;
    copy.in[0] = (heed_case_input){ HEED_DIMS(1024, 1024), .lo = lo, .hi = hi };
    copy.in[1] = (heed_case_input){ HEED_DIMS(1024, 1024), .lo = lo, .hi = hi };
    copy.bytes = 3 * 4.0 * 1024 * 1024;
    heed_case_add(list, &copy);
    copy.in[1] = (heed_case_input){ HEED_DIMS(1024), .lo = lo, .hi = hi };
    copy.bytes = 2 * 4.0 * 1024 * 1024;
    heed_case_add(list, &copy);
}

/* -- a function of each element, or of two */

static heed_tensor *apply_unary(heed_ctx *cx, const heed_case *c, heed_tensor *const *in) {
    return ((const heed_unary *)c->cfg)->op(cx, in[0]);
}

static void reference_unary(const heed_case *c, const double *const *in, double *out) {
    for (int64_t i = 0; i < heed_case_len(c, 0); i++)
        out[i] = ((const heed_unary *)c->cfg)->formula(in[0][i]);
}

void heed_cases_unary(heed_case_list *list, const heed_unary *u) {
    const heed_case c = { .apply = apply_unary,
                          .reference = reference_unary,
                          .count = 1,
                          .cfg = u,
                          .grad_floor = u->grad_floor };
    heed_cases_each(list, &c, u->lo, u->hi);
}

static heed_tensor *apply_binary(heed_ctx *cx, const heed_case *c, heed_tensor *const *in) {
    return ((const heed_binary *)c->cfg)->op(cx, in[0], in[c->count - 1]);
}

static void reference_binary(const heed_case *c, const double *const *in, double *out) {
    const int second = c->count - 1; /* the input with itself, where there is no other */
    const int64_t period = heed_case_len(c, second);
    for (int64_t i = 0; i < heed_case_len(c, 0); i++)
        out[i] = ((const heed_binary *)c->cfg)->formula(in[0][i], in[second][i % period]);
}

void heed_cases_binary(heed_case_list *list, const heed_binary *b) {
    heed_case c = { .apply = apply_binary, .reference = reference_binary, .cfg = b };
    heed_cases_broadcast(list, &c, b->lo, b->hi);
    c.count = 1;
    snprintf(c.name, sizeof c.name, "with itself");
    c.in[0] = (heed_case_input){ HEED_DIMS(3, 17), .lo = b->lo, .hi = b->hi };
    c.out = (heed_case_shape){ HEED_DIMS(3, 17) };
    heed_case_add(list, &c);
}

/* -- rows and wholes */

double heed_case_log_sum(const double *x, int64_t n) {
    double largest = -INFINITY, sum = 0;
    for (int64_t i = 0; i < n; i++) largest = fmax(largest, x[i]);
    if (!(largest > -INFINITY)) return INFINITY;
    for (int64_t i = 0; i < n; i++) sum += exp(x[i] - largest);
    return largest + log(sum);
}

void heed_cases_whole(heed_case_list *list, const heed_case *c) {
    static const heed_case_input shapes[] = { { HEED_DIMS(3, 17), .lo = -1, .hi = 2 },
                                              { 0 },
                                              { HEED_DIMS(4, 0) },
                                              { HEED_DIMS(5000), .lo = -1, .hi = 2 },
                                              { HEED_DIMS(301, 333), .lo = -1, .hi = 2 } };
    heed_case copy = *c;
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
        copy.in[0] = shapes[s];
        heed_case_add(list, &copy);
    }
    copy.bench = true;
    copy.in[0] = (heed_case_input){ HEED_DIMS(1024, 1024) };
    copy.bytes = 4.0 * 1024 * 1024;
    heed_case_add(list, &copy);
    copy = *c;
    copy.in[0] = (heed_case_input){ HEED_DIMS(3), .dtype = HEED_I32 };
    copy.refuse = "must be f32, not i32 [3]";
    heed_case_add(list, &copy);
}

void heed_cases_pool(heed_case_list *list, const heed_case *c) {
    static const int32_t lengths[3] = { 2, 0, 5 }, long_one[3] = { 2, 6, 5 },
                         negative[3] = { 2, 5, -1 };
    heed_case copy = *c;
    copy.count = 2;
    copy.in[0] = (heed_case_input){ HEED_DIMS(3, 5, 17) };
    copy.in[1] = (heed_case_input){ HEED_DIMS(3), .dtype = HEED_I32, .ids = lengths };
    copy.in[1].optional = true;
    copy.out = (heed_case_shape){ HEED_DIMS(3, 17) };
    heed_case_add(list, &copy);
    heed_case wrong = copy;
    wrong.in[0].shape[2] = 2;
    wrong.code = HEED_EINVALID;
    wrong.in[1].ids = long_one;
    wrong.refuse = "length 6 of row 1";
    heed_case_add(list, &wrong);
    wrong.in[1].ids = negative;
    wrong.refuse = "length -1 of row 2";
    heed_case_add(list, &wrong);
    copy.in[1].absent = true;
    static const int64_t sizes[][3] = {
        { 3, 5, 17 }, { 40, 100, 33 }, { 40, 10, 333 }, { 2, 0, 3 }
    };
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        memcpy(copy.in[0].shape, sizes[s], sizeof sizes[s]);
        copy.out.shape[0] = sizes[s][0], copy.out.shape[1] = sizes[s][2];
        heed_case_add(list, &copy);
    }
    copy.bench = true;
    copy.in[0] = (heed_case_input){ HEED_DIMS(64, 128, 128) };
    copy.bytes = 4.0 * 64 * 128 * 128;
    heed_case_add(list, &copy);
    copy.bench = false;
    copy.count = 1;
    copy.in[0] = (heed_case_input){ HEED_DIMS(3, 5) };
    copy.refuse = "[B,T,C]";
    heed_case_add(list, &copy);
}
