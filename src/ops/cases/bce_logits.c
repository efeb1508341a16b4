/* bce_logits.c: cases of heed_bce_logits. */
#include "ops/cases/cases.h"

#include <math.h>

static heed_tensor *apply(heed_ctx *cx, const heed_case *c, heed_tensor *const *in) {
    return heed_bce_logits(cx, in[0], in[1], c->cfg);
}

static void reference(const heed_case *c, const double *const *in, double *out) {
    const int64_t n = heed_case_len(c, 0);
    const heed_bce_cfg *cfg = c->cfg;
    *out = 0;
    for (int64_t i = 0; i < n; i++) {
        const double x = in[0][i], t = in[1][i], more = log1p(exp(-fabs(x)));
        const double w = cfg ? (double)cfg->weight[i % heed_case_cols(c, 0)] : 1;
        *out += (w * t * (fmax(-x, 0) + more) + (1 - t) * (fmax(x, 0) + more)) / (double)n;
    }
}

static void add(heed_case_list *l, heed_case_input x, const heed_bce_cfg *cfg) {
    heed_case c = {
        .apply = apply, .reference = reference, .count = 2, .in = { x, x }, .cfg = cfg
    };
    c.in[0].lo = -4;
    c.in[0].hi = 4;
    c.in[1].hi = 1;
    heed_case_add(l, &c);
}

void heed_cases_bce_logits(heed_case_list *l) {
    static const float sure[] = { 30, -30, 1e4F, -1e4F }, right[] = { 1, 0, 1, 0 };
    static const float weights[17] = { 1, 0, 0.25F, 3, 1, 40, 1, 1, 2, 1, 1, 0.5F, 1, 7, 1, 1, 5 };
    static const float wrong[3] = { 1, -1, 1 };
    static const heed_bce_cfg weighted = { weights }, negative = { wrong };
    add(l, (heed_case_input){ HEED_DIMS(3, 17) }, NULL);
    add(l, (heed_case_input){ 0 }, NULL);
    add(l, (heed_case_input){ HEED_DIMS(0, 4) }, NULL);
    add(l, (heed_case_input){ HEED_DIMS(201, 101) }, NULL);
    add(l, (heed_case_input){ HEED_DIMS(3, 17) }, &weighted);
    add(l, (heed_case_input){ HEED_DIMS(301, 11) }, &weighted);
    add(l, (heed_case_input){ HEED_DIMS(0, 4) }, &weighted);
    heed_case c = { .name = "sure and right", .apply = apply, .reference = reference, .count = 2 };
    c.in[0] = (heed_case_input){ HEED_DIMS(4), .values = sure, .constant = true };
    c.in[1] = (heed_case_input){ HEED_DIMS(4), .values = right, .constant = true };
    heed_case_add(l, &c);
    heed_case bad = { .apply = apply, .count = 2, .refuse = "[2,3] and [3] differ in shape" };
    bad.in[0] = (heed_case_input){ HEED_DIMS(2, 3) };
    bad.in[1] = (heed_case_input){ HEED_DIMS(3) };
    heed_case_add(l, &bad);
    bad = (heed_case){ .apply = apply, .count = 2, .cfg = &negative, .code = HEED_EINVALID };
    bad.refuse = "weight -1 of class 1 is no weight";
    bad.in[0] = bad.in[1] = (heed_case_input){ HEED_DIMS(2, 3) };
    heed_case_add(l, &bad);
    bad = (heed_case){ .apply = apply, .count = 2, .cfg = &weighted };
    bad.refuse = "logits [] have no classes to weigh";
    heed_case_add(l, &bad);
    heed_case_add(
        l, &(heed_case){ .apply = apply,
                         .bench = true,
                         .count = 2,
                         .in = { { HEED_DIMS(1024, 1024) }, { HEED_DIMS(1024, 1024), .hi = 1 } },
                         .bytes = 8e6 });
}
