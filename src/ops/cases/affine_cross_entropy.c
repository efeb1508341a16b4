/* affine_cross_entropy.c: cases of heed_affine_cross_entropy; what labels and options do is told by
 * those of cross_entropy. */
#include "ops/cases/cases.h"

static heed_tensor *apply(heed_ctx *cx, const heed_case *c, heed_tensor *const *in) {
    return heed_affine_cross_entropy(cx, in[0], in[1], in[2], in[3], c->cfg);
}

static void reference(const heed_case *c, const double *const *in, double *out) {
    enum { MOST = 700 };
    const heed_cross_entropy_cfg none = { 0 }, *cfg = c->cfg ? c->cfg : &none;
    const int64_t I = heed_case_cols(c, 0), K = heed_case_rows(c, 1);
    const double eps = (double)cfg->smoothing;
    double loss = 0, norm = 0, z[MOST];
    for (int64_t r = 0; r < heed_case_rows(c, 0); r++) {
        double sum = 0;
        const int64_t y = (int64_t)in[3][r];
        if (cfg->use_ignore && y == cfg->ignore) continue;
        for (int64_t k = 0; k < K; k++) {
            z[k] = in[2] ? in[2][k] : 0;
            for (int64_t i = 0; i < I; i++) z[k] += in[0][r * I + i] * in[1][k * I + i];
            sum += z[k];
        }
        const double lse = heed_case_log_sum(z, K);
        loss += (1 - eps) * (lse - z[y]) + eps * (lse - sum / (double)K);
        norm++;
    }
    *out = norm > 0 ? loss / norm : 0;
}

static heed_case sized(int64_t rows, int64_t in, int64_t classes,
                       const heed_cross_entropy_cfg *cfg) {
    heed_case c = { .apply = apply, .reference = reference, .count = 4, .cfg = cfg };
    c.in[0] = (heed_case_input){ HEED_DIMS(rows, in) };
    c.in[1] = (heed_case_input){ HEED_DIMS(classes, in), .lo = -0.5, .hi = 0.5 };
    c.in[2] = (heed_case_input){ HEED_DIMS(classes), .optional = true };
    c.in[3] = (heed_case_input){ HEED_DIMS(rows), .dtype = HEED_I32, .hi = (double)classes - 1 };
    c.flops = 2.0 * (double)rows * (double)in * (double)classes;
    c.bench = c.flops > 1e8;
    c.tolerance = 4e-6;
    c.grad_tolerance = 2e-5;
    return c;
}

static void refuse(heed_case_list *l, heed_case c, const char *what, int code) {
    c.refuse = what;
    c.code = code;
    heed_case_add(l, &c);
}

void heed_cases_affine_cross_entropy(heed_case_list *l) {
    static const heed_cross_entropy_cfg smooth = { .smoothing = 0.1F };
    static const heed_cross_entropy_cfg some = { .use_ignore = true, .ignore = 3 };
    static const heed_cross_entropy_cfg wrong = { .smoothing = 2 };
    static const int32_t outside[] = { 1, 5 };
    heed_case c = sized(9, 7, 19, NULL);
    heed_case_add(l, &c);
    c.in[2].absent = true;
    heed_case_add(l, &c);
    c = sized(9, 7, 19, &smooth);
    heed_case_add(l, &c);
    c = sized(40, 5, 600, &smooth);
    heed_case_add(l, &c);
    c = sized(30, 7, 9, &some);
    heed_case_add(l, &c);
    c = sized(1100, 3, 5, NULL);
    heed_case_add(l, &c);
    c = sized(0, 4, 3, NULL);
    heed_case_add(l, &c);
    c = sized(3, 0, 4, NULL);
    heed_case_add(l, &c);
    c = sized(2, 3, 5, NULL);
    c.in[1].shape[1] = 4;
    refuse(l, c, "x [2,3] and w [5,4] do not chain", 0);
    c = sized(2, 3, 5, NULL);
    c.in[3].shape[0] = 3;
    refuse(l, c, "labels [3] are not one for each row of logits [2,5]", 0);
    c = sized(2, 3, 5, NULL);
    c.in[3].ids = outside;
    refuse(l, c, "label 5 of row 1 is not within 0..4", HEED_EINVALID);
    refuse(l, sized(2, 3, 5, &wrong), "smoothing = 2 is not within 0..1", HEED_EINVALID);
    c = sized(1024, 256, 10000, NULL);
    heed_case_add(l, &c);
}
