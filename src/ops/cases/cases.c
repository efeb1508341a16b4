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
