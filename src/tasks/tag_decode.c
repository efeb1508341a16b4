/* tag_decode.c: the best sequence of tags, and probabilities of parts of it. */
#include "tasks/tag_decode.h"

#include <string.h>

#include "base/alloc.h"
#include "base/elementary.h"
#include "tasks/tags.h"

/* The score of what must not be: finite, so that no inf - inf arises, and beyond every other. */
static const float NEVER = -1e30F;

void heed__tag_laws(float *trans, float *edges, int64_t K) {
    for (int64_t i = 0; i < K; i++)
        for (int64_t j = 0; j < K; j++)
            if (!heed__inner_follows((int32_t)i, (int32_t)j)) trans[i * K + j] = NEVER;
    for (int64_t j = 0; j < K; j++) {
        if (!heed__inner_follows(-1, (int32_t)j)) edges[j] = NEVER;
        if (!heed__inner_follows((int32_t)j, -1)) edges[K + j] = NEVER;
    }
}

int heed__lattice_init(heed_lattice *l, heed_ctx *cx, int64_t K, const float *trans,
                       const float *edges, bool laws) {
    *l = (heed_lattice){ .cx = cx, .tags = K, .hooks = cx->hooks };
    if (K < 1 || K > 1 << 20) return HEED_ENOMEM;
    const int64_t rows = (1 + HEED_CRF_FORMS) * K + 2 + HEED_CRF_ROOM;
    l->weights = heed__calloc(&l->hooks, (size_t)rows * (size_t)K, sizeof *l->weights);
    if (!l->weights) return HEED_ENOMEM;
    l->trans = l->weights;
    l->first = l->trans + (1 + HEED_CRF_FORMS) * K * K;
    l->end = l->first + K;
    l->room = l->end + K;
    if (trans) memcpy(l->trans, trans, (size_t)(K * K) * sizeof *trans);
    if (edges) memcpy(l->first, edges, (size_t)(2 * K) * sizeof *edges);
    if (laws) heed__tag_laws(l->trans, l->first, K);
    heed__lattice_scale(l, 1);
    return 0;
}

void heed__lattice_scale(heed_lattice *l, float scale) {
    const int64_t K = l->tags;
    for (int64_t i = 0; i < K * K; i++) l->trans[i] *= scale;
    for (int64_t i = 0; i < 2 * K; i++) l->first[i] *= scale;
    heed__crf_prepare(l->cx->k, &l->forms, l->trans, K, l->trans + K * K);
}

void heed__lattice_free(heed_lattice *l) {
    heed__free(&l->hooks, l->weights);
    heed__free(&l->hooks, l->a);
    heed__free(&l->hooks, l->b);
    heed__free(&l->hooks, l->c);
    heed__free(&l->hooks, l->back);
    *l = (heed_lattice){ 0 };
}

static int reserve(heed_lattice *l, int64_t n) {
    if (n > INT64_MAX / 64 / l->tags) return HEED_ENOMEM;
    int rc = heed__grow(&l->hooks, &l->a, &l->a_cap, n * l->tags, sizeof *l->a);
    if (rc == 0) rc = heed__grow(&l->hooks, &l->b, &l->b_cap, n * l->tags, sizeof *l->b);
    if (rc == 0) rc = heed__grow(&l->hooks, &l->c, &l->c_cap, n, sizeof *l->c);
    if (rc == 0) rc = heed__grow(&l->hooks, &l->back, &l->back_cap, n * l->tags, sizeof *l->back);
    return rc;
}

static int32_t largest(const float *x, const float *more, int64_t K, float *value) {
    int32_t best = 0;
    *value = x[0] + more[0];
    for (int64_t k = 1; k < K; k++)
        if (x[k] + more[k] > *value) {
            *value = x[k] + more[k];
            best = (int32_t)k;
        }
    return best;
}

int heed__lattice_best(heed_lattice *l, const float *x, int64_t n, int32_t *y) {
    const int64_t K = l->tags;
    float most;
    if (n < 1) return 0;
    const int rc = reserve(l, n);
    if (rc) return rc;
    for (int64_t k = 0; k < K; k++) l->a[k] = x[k] + l->first[k];
    for (int64_t t = 1; t < n; t++) {
        const float *before = l->a + (t - 1) * K;
        for (int64_t k = 0; k < K; k++) {
            l->back[t * K + k] = largest(before, l->forms.to + k * K, K, &most);
            l->a[t * K + k] = most + x[t * K + k];
        }
    }
    y[n - 1] = largest(l->a + (n - 1) * K, l->end, K, &most);
    for (int64_t t = n - 1; t > 0; t--) y[t - 1] = l->back[t * K + y[t]];
    return 0;
}

int heed__lattice_sum(heed_lattice *l, const float *x, int64_t n) {
    if (n < 1) return 0;
    const int rc = reserve(l, n);
    if (rc) return rc;
    heed__crf f = { .k = l->cx->k, .steps = n, .tags = l->tags, .x = x };
    f.trans = l->forms;
    f.first = l->first;
    f.end = l->end;
    f.a = l->a;
    f.c = l->c;
    f.room = l->room;
    l->log_z = heed__crf_forward(&f);
    heed__crf_backward(&f, l->b);
    l->last = f.last;
    return 0;
}

double heed__lattice_loss(const heed_lattice *l, const float *x, const int32_t *y, int64_t n) {
    double score = (double)l->first[y[0]] + (double)l->end[y[n - 1]];
    for (int64_t t = 0; t < n; t++) {
        score += (double)x[t * l->tags + y[t]];
        if (t > 0) score += (double)l->trans[y[t - 1] * l->tags + y[t]];
    }
    return l->log_z - score;
}

static float probability(double log_p) {
    return log_p >= 0 ? 1 : log_p < -700 ? 0 : (float)heed__exp(log_p);
}

float heed__lattice_marginal(const heed_lattice *l, int64_t t, int32_t k) {
    return probability((double)l->a[t * l->tags + k] + (double)l->b[t * l->tags + k]);
}

float heed__lattice_part(const heed_lattice *l, const float *x, const int32_t *y, int64_t begin,
                         int64_t end) {
    const int64_t K = l->tags;
    double p = (double)l->a[begin * K + y[begin]];
    for (int64_t t = begin + 1; t < end; t++)
        p += (double)l->trans[y[t - 1] * K + y[t]] + (double)x[t * K + y[t]] - (double)l->c[t];
    return probability(p + (double)l->b[(end - 1) * K + y[end - 1]]);
}
