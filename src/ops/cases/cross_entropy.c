/* cross_entropy.c: cases of heed_cross_entropy. */
#include "ops/cases/cases.h"

#include <math.h>

enum { CLASSES = 17 }; /* weights are given for so many */

static heed_tensor *apply(heed_ctx *cx, const heed_case *c, heed_tensor *const *in) {
    heed_cross_entropy_cfg cfg = { 0 };
    if (c->cfg) cfg = *(const heed_cross_entropy_cfg *)c->cfg;
    if (in[0] && heed_case_cols(c, 0) > CLASSES) cfg.class_weight = NULL; /* has no more */
    return heed_cross_entropy(cx, in[0], in[1], c->cfg ? &cfg : NULL);
}

static double row_loss(const heed_cross_entropy_cfg *cfg, const double *x, int64_t K, int64_t y) {
    const float *w = cfg->class_weight;
    const double lse = heed_case_log_sum(x, K), nll = lse - x[y], wy = w ? (double)w[y] : 1;
    const double eps = (double)cfg->smoothing;
    double smooth = 0;
    if (cfg->focal_gamma > 0) return wy * pow(1 - exp(-nll), (double)cfg->focal_gamma) * nll;
    for (int64_t j = 0; j < K; j++) smooth += (w ? (double)w[j] : 1) * (lse - x[j]);
    return (1 - eps) * wy * nll + eps / (double)K * smooth;
}

static void reference(const heed_case *c, const double *const *in, double *out) {
    const heed_cross_entropy_cfg none = { 0 }, *cfg = c->cfg ? c->cfg : &none;
    const int64_t K = heed_case_cols(c, 0);
    double loss = 0, norm = 0;
    for (int64_t r = 0; r < heed_case_rows(c, 0); r++) {
        const int64_t y = (int64_t)in[1][r];
        if (cfg->use_ignore && y == cfg->ignore) continue;
        loss += row_loss(cfg, in[0] + r * K, K, y);
        norm += cfg->class_weight ? (double)cfg->class_weight[y] : 1;
    }
    *out = norm > 0 ? loss / norm : 0;
}

static void add(heed_case_list *l, int64_t rows, int64_t classes,
                const heed_cross_entropy_cfg *cfg) {
    heed_case c = { .apply = apply, .reference = reference, .count = 2, .cfg = cfg };
    c.in[0] = (heed_case_input){ HEED_DIMS(rows, classes) };
    c.in[1] = (heed_case_input){ HEED_DIMS(rows), .dtype = HEED_I32 };
    c.in[1].hi = (double)classes - 1;
    if (!classes) c.in[1].hi = 0;
    c.bench = rows * classes > 1000000;
    c.bytes = 4.0 * (double)(rows * classes);
    c.grad_tolerance = 2e-5;
    c.tolerance = 4e-6;
    heed_case_add(l, &c);
}

static heed_case refusal(const heed_cross_entropy_cfg *cfg, int code, const char *message) {
    return (heed_case){ .apply = apply,
                        .count = 2,
                        .in = { { HEED_DIMS(2, 5) }, { HEED_DIMS(2), .dtype = HEED_I32 } },
                        .cfg = cfg,
                        .code = code,
                        .refuse = message };
}

static void refuse(heed_case_list *l) {
    static const int32_t outside[] = { 4, 5 };
    static const float weights[CLASSES] = { 1, -1, 1, 1, 1 };
    static const heed_cross_entropy_cfg smooth = { .smoothing = 1.5F };
    static const heed_cross_entropy_cfg both = { .smoothing = 0.1F, .focal_gamma = 2 };
    static const heed_cross_entropy_cfg below = { .focal_gamma = -1 };
    static const heed_cross_entropy_cfg negative = { .class_weight = weights };
    heed_case c = refusal(NULL, 0, "labels [3] are not one for each row of logits [2,5]");
    c.in[1].shape[0] = 3;
    heed_case_add(l, &c);
    c = refusal(NULL, 0, "labels must be i32, not f32 [2]");
    c.in[1].dtype = HEED_F32;
    heed_case_add(l, &c);
    c = refusal(NULL, HEED_EINVALID, "label 5 of row 1 is not within 0..4");
    c.in[1].ids = outside;
    heed_case_add(l, &c);
    c = refusal(NULL, HEED_EINVALID, "label 0 of row 0 is not within 0..-1");
    c.in[0].shape[1] = 0;
    heed_case_add(l, &c);
    c = refusal(&smooth, HEED_EINVALID, "smoothing = 1.5 is not within 0..1");
    heed_case_add(l, &c);
    c = refusal(&both, HEED_EUNSUPPORTED, "do not go together");
    heed_case_add(l, &c);
    c = refusal(&below, HEED_EINVALID, "focal_gamma = -1 is negative");
    heed_case_add(l, &c);
    c = refusal(&negative, HEED_EINVALID, "weight -1 of class 1 is no weight");
    heed_case_add(l, &c);
}

void heed_cases_cross_entropy(heed_case_list *l) {
    static const float weights[CLASSES] = {
        1, 0.5F, 2, 0, 3, 1, 1, 0.25F, 1, 1, 4, 1, 1, 1, 2, 1, 1
    };
    static const heed_cross_entropy_cfg cfg[] = {
        { .smoothing = 0.1F },
        { .use_ignore = true, .ignore = 3 },
        { .class_weight = weights },
        { .class_weight = weights, .smoothing = 0.2F, .use_ignore = true, .ignore = 1 },
        { .focal_gamma = 2 },
        { .focal_gamma = 0.5F, .class_weight = weights, .use_ignore = true, .ignore = 2 },
    };
    static const heed_cross_entropy_cfg all_ignored = { .use_ignore = true };
    add(l, 5, 17, NULL);
    for (int k = 0; k < 6; k++) add(l, 9, 17, &cfg[k]);
    add(l, 7, 1, NULL);
    add(l, 0, 5, NULL);
    add(l, 0, 0, NULL);
    add(l, 3, 1, &all_ignored); /* every label is 0 */
    add(l, 300, 401, &cfg[0]);
    add(l, 5000, 3, NULL);
    heed_case deep = { .apply = apply, .reference = reference, .count = 2 };
    deep.in[0] = (heed_case_input){ HEED_DIMS(2, 3, 5) };
    deep.in[1] = (heed_case_input){ HEED_DIMS(2, 3), .dtype = HEED_I32, .hi = 4 };
    heed_case_add(l, &deep);
    refuse(l);
    add(l, 1024, 10000, NULL);
    add(l, 1024, 10000, &cfg[0]);
}
