/* Cases of crf: every path's score summed out by brute force, lengths, edges, long rows. */
#include "ops/cases/cases.h"

#include <math.h>
#include <stdlib.h>

/* in: x, transitions, edges, tags, lengths */
static heed_tensor *apply(heed_ctx *cx, const heed_case *c, heed_tensor *const *in) {
    (void)c;
    return heed_crf(cx, in[0], in[1], in[2], in[3], in[4]);
}

static double score(const double *const *row, int64_t K, int64_t n, const int64_t *y) {
    const double *x = row[0], *trans = row[1], *edges = row[2];
    double s = edges ? edges[y[0]] + edges[K + y[n - 1]] : 0;
    for (int64_t t = 0; t < n; t++) s += x[t * K + y[t]] + (t ? trans[y[t - 1] * K + y[t]] : 0);
    return s;
}

/* log Σ exp of the scores of all Kⁿ paths, one after the other. */
static double log_z_by_paths(const double *const *row, int64_t K, int64_t n) {
    int64_t y[16] = { 0 };
    double sum = 0;
    for (;;) {
        int64_t t = 0;
        sum += exp(score(row, K, n, y));
        while (t < n && ++y[t] == K) y[t++] = 0;
        if (t == n) return log(sum);
    }
}

/* The same by sums over the tags of each step, where paths are too many to be walked. */
static double log_z_by_steps(const double *const *row, int64_t K, int64_t n) {
    double *a = malloc((size_t)(2 * K) * sizeof *a), *b = a + K, z = 0;
    for (int64_t t = 0; t < n; t++) {
        double sum = 0;
        for (int64_t j = 0; j < K; j++) {
            b[j] = t ? 0 : exp(row[2] ? row[2][j] : 0);
            for (int64_t i = 0; t && i < K; i++) b[j] += a[i] * exp(row[1][i * K + j]);
            b[j] *= exp(row[0][t * K + j]);
            sum += b[j];
        }
        for (int64_t j = 0; j < K; j++) a[j] = b[j] / sum;
        z += log(sum);
    }
    double last = 0;
    for (int64_t j = 0; j < K; j++) last += a[j] * exp(row[2] ? row[2][K + j] : 0);
    free(a);
    return z + log(last);
}

static void reference(const heed_case *c, const double *const *in, double *out) {
    const int64_t B = c->in[0].shape[0], T = c->in[0].shape[1], K = c->in[0].shape[2];
    for (int64_t b = 0; b < B; b++) {
        const int64_t n = in[4] ? (int64_t)in[4][b] : T;
        const double *row[3] = { in[0] + b * T * K, in[1], in[2] };
        int64_t y[1024] = { 0 };
        for (int64_t t = 0; t < n; t++) y[t] = (int64_t)in[3][b * T + t];
        out[b] = 0;
        if (n == 0) continue;
        const double z = n <= 4 && K <= 5 ? log_z_by_paths(row, K, n) : log_z_by_steps(row, K, n);
        out[b] = z - score(row, K, n, y);
    }
}

static heed_case of(const int64_t size[3], const int32_t *lengths, bool edges) {
    const int64_t B = size[0], T = size[1], K = size[2];
    heed_case c = { .apply = apply,
                    .reference = reference,
                    .count = 5,
                    .in = { { HEED_DIMS(B, T, K) },
                            { HEED_DIMS(K, K) },
                            { HEED_DIMS(2, K), .optional = true, .absent = !edges },
                            { HEED_DIMS(B, T), .dtype = HEED_I32, .hi = (double)(K ? K - 1 : 0) },
                            { HEED_DIMS(B), .dtype = HEED_I32, .ids = lengths, .hi = (double)T,
                              .optional = true, .absent = !lengths } },
                    .out = { HEED_DIMS(B) } };
    c.grad_tolerance = 4e-5;
    return c;
}

static void add(heed_case_list *l, const int64_t size[3], const int32_t *lengths, bool edges) {
    const heed_case c = of(size, lengths, edges);
    heed_case_add(l, &c);
}

static void refuse(heed_case_list *l) {
    static const int32_t tags[] = { 0, 1, 5, 0, 2, 4 }, below[] = { 0, 1, 2, -1, 2, 4 };
    heed_case c = of((int64_t[]){ 2, 3, 5 }, NULL, true);
    c.reference = NULL;
    c.in[1].shape[1] = 4;
    c.refuse = "x [2,3,5] and transitions [5,4] are not [B,T,K] and [K,K]";
    heed_case_add(l, &c);
    c = of((int64_t[]){ 2, 3, 5 }, NULL, true);
    c.reference = NULL;
    c.in[2].shape[0] = 1;
    c.refuse = "edges [1,5] are not f32 [2,5]";
    heed_case_add(l, &c);
    c.in[2].shape[0] = 2;
    c.in[3].shape[1] = 2;
    c.refuse = "tags [2,2] are not one for each step of x [2,3,5]";
    heed_case_add(l, &c);
    c.in[3].shape[1] = 3;
    c.in[3].ids = tags;
    c.code = HEED_EINVALID;
    c.refuse = "tag 5 of row 0, step 2 is not within 0..4";
    heed_case_add(l, &c);
    c.in[3].ids = below;
    c.refuse = "tag -1 of row 1, step 0 is not within 0..4";
    heed_case_add(l, &c);
}

/* Scores so far apart that products of their exponentials vanish; transitions that never are. */
static void apart(heed_case_list *l) {
    static const float never[9] = { 0.5F, -1e30F, 1, -1e30F, 0.25F, -0.5F, 2, 0, -1e30F };
    static const int32_t allowed[8] = { 0, 2, 0, 2, 1, 1, 2, 0 };
    heed_case c = of((int64_t[]){ 3, 4, 5 }, NULL, true);
    c.in[0].lo = -90;
    c.in[0].hi = 90;
    c.in[1].lo = -70;
    c.in[1].hi = 70;
    heed_case_add(l, &c);
    c.in[0].lo = -0.5;
    c.in[0].hi = 0.5;
    c.in[1].lo = -200;
    c.in[1].hi = 200;
    heed_case_add(l, &c);
    c = of((int64_t[]){ 2, 4, 3 }, NULL, false);
    c.in[1].values = never;
    c.in[3].ids = allowed;
    heed_case_add(l, &c);
}

void heed_cases_crf(heed_case_list *l) {
    static const int32_t some[3] = { 4, 0, 2 }, ones[2] = { 1, 1 }, none[2] = { 0, 0 };
    add(l, (int64_t[]){ 1, 1, 2 }, NULL, true);
    add(l, (int64_t[]){ 2, 3, 5 }, NULL, false);
    add(l, (int64_t[]){ 3, 4, 5 }, some, true);
    add(l, (int64_t[]){ 2, 4, 3 }, ones, true);
    add(l, (int64_t[]){ 2, 4, 3 }, none, true);
    add(l, (int64_t[]){ 3, 6, 17 }, NULL, true);
    add(l, (int64_t[]){ 2, 5, 33 }, NULL, false);
    add(l, (int64_t[]){ 130, 7, 9 }, NULL, true);
    add(l, (int64_t[]){ 1, 1000, 4 }, NULL, true);
    add(l, (int64_t[]){ 0, 3, 4 }, NULL, true);
    add(l, (int64_t[]){ 2, 0, 4 }, NULL, true);
    add(l, (int64_t[]){ 2, 0, 0 }, NULL, true);
    apart(l);
    refuse(l);
    heed_case big = of((int64_t[]){ 64, 64, 17 }, NULL, true);
    big.bench = true;
    big.bytes = 4.0 * 64 * 64 * 17;
    heed_case_add(l, &big);
}
