/* cases.c: the table of all cases, made from ops/list.h, and the numbers that fill their inputs. */
#include "ops/cases/cases.h"

#include "base/alloc.h"

#include <stdio.h>
#include <string.h>

static void name_by_shapes(heed_case *c) {
    size_t at = 0;
    for (int i = 0; i < c->count && at < sizeof c->name - 24; i++) {
        const heed_case_input *in = &c->in[i];
        if (in->absent) continue;
        at += (size_t)snprintf(c->name + at, sizeof c->name - at, at ? " [" : "[");
        for (int d = 0; d < in->ndim && at < sizeof c->name - 24; d++)
            at += (size_t)snprintf(c->name + at, sizeof c->name - at, d ? ",%lld" : "%lld",
                                   (long long)in->shape[d]);
        at += (size_t)snprintf(c->name + at, sizeof c->name - at, "]");
    }
}

void heed_case_add(heed_case_list *list, const heed_case *c) {
    if (list->failed) return;
    list->failed = heed__grow(NULL, &list->items, &list->cap, list->count + 1, sizeof *c) != 0;
    if (list->failed) return;
    heed_case *copy = &list->items[list->count++];
    *copy = *c;
    copy->op = list->op;
    if (!copy->name[0]) name_by_shapes(copy);
}

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

int heed__cases_all(heed_case_list *list) {
    memset(list, 0, sizeof *list);
#define X(name)                                                                                    \
    list->op = #name;                                                                              \
    heed_cases_##name(list);
#include "ops/list.h"
#undef X
    if (list->failed) heed__cases_free(list);
    return list->failed ? HEED_ENOMEM : 0;
}

void heed__cases_free(heed_case_list *list) {
    heed__free(NULL, list->items);
    list->items = NULL;
    list->count = list->cap = 0;
}

int64_t heed_case_len(const heed_case *c, int i) {
    int64_t len = 1;
    for (int d = 0; d < c->in[i].ndim; d++) len *= c->in[i].shape[d];
    return len;
}

int64_t heed_case_cols(const heed_case *c, int i) {
    return c->in[i].ndim ? c->in[i].shape[c->in[i].ndim - 1] : 1;
}

int64_t heed_case_rows(const heed_case *c, int i) {
    int64_t rows = 1;
    for (int d = 0; d + 1 < c->in[i].ndim; d++) rows *= c->in[i].shape[d];
    return rows;
}

bool heed__case_differentiable(const heed_case *c, int i) {
    return c->in[i].dtype == HEED_F32 && !c->in[i].constant && !c->in[i].absent;
}

static float draw(heed_rng *rng, const heed_case_input *in) {
    if (in->lo >= in->hi) return heed_rng_normal(rng);
    return (float)(in->lo + (in->hi - in->lo) * (double)heed_rng_uniform(rng));
}

static void fill(heed_tensor *t, const heed_case_input *in, int index) {
    heed_rng rng = { .seed = HEED_CASE_SEED, .stream = (uint64_t)index };
    const uint64_t span = (uint64_t)((int64_t)in->hi - (int64_t)in->lo + 1);
    for (int64_t e = 0; e < t->len; e++) {
        if (t->dtype == HEED_F32) {
            HEED_F32_DATA(t)[e] = in->values ? in->values[e] : draw(&rng, in);
            continue;
        }
        const int64_t id = in->ids ? in->ids[e]
                                   : (int64_t)in->lo + (int64_t)heed_rng_below(&rng, span);
        if (t->dtype == HEED_I32) HEED_I32_DATA(t)[e] = (int32_t)id;
        if (t->dtype == HEED_U8) HEED_U8_DATA(t)[e] = (uint8_t)id;
    }
}

bool heed__case_inputs(heed_ctx *cx, const heed_case *c, unsigned want,
                       heed_tensor *in[HEED_CASE_INPUTS]) {
    for (int i = 0; i < HEED_CASE_INPUTS; i++) in[i] = NULL;
    for (int i = 0; i < c->count; i++) {
        if (c->in[i].absent) continue;
        in[i] = heed_new(cx, c->in[i].dtype, c->in[i].ndim, c->in[i].shape);
        if (!in[i]) return false;
        fill(in[i], &c->in[i], i);
        if ((want >> i & 1) && heed__case_differentiable(c, i)) heed_want_grad(cx, in[i]);
    }
    return true;
}
