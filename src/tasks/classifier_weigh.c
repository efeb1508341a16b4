/* classifier_weigh.c: how much the evidence of n-grams counts beside the head, which has read the
 * words in their order. On texts that neither has learnt from, of
 *
 *     b · (head + g · evidence)
 *
 * the b and g are taken that make the right labels likeliest: stacking (Wolpert 1992, "Stacked
 * generalization") with two weights. b goes into the head's own. */
#include <math.h>

#include "base/alloc.h"
#include "tasks/classifier_data.h"

static const float gains[] = { 0.5f, 1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64 };

enum { GAINS = sizeof gains / sizeof *gains };

/* Answers of the part with a gain of 0 and of 1: head and evidence [n,K]. 0 or a status. */
static int apart(heed_classifier *c, const heed_part *p, float *gain, float *head, float *evidence,
                 heed_error *err) {
    const int64_t len = p->x.len * heed__classifier_width(c);
    *gain = 0;
    int rc = heed__classifier_answers(c, &p->in, true, head, err);
    *gain = 1;
    if (rc == 0) rc = heed__classifier_answers(c, &p->in, true, evidence, err);
    for (int64_t i = 0; i < len; i++) evidence[i] -= head[i];
    return rc;
}

static void scale(heed_tensor *t, double by) {
    for (int64_t i = 0; t && i < t->len; i++)
        HEED_F32_DATA(t)[i] = (float)(by * (double)HEED_F32_DATA(t)[i]);
}

int heed__part_weigh(heed_classifier *c, heed_part *p, heed_error *err) {
    const int64_t K = heed__classifier_width(c), len = p->x.len * K;
    float *gain = c->body->kind->gain ? c->body->kind->gain(c->body) : NULL;
    bool any = false;
    for (int64_t i = 0; i < p->x.len; i++) any = any || p->label[i] >= 0;
    if (!gain || !any) return 0;
    const size_t size = (size_t)K * sizeof(float), n = (size_t)p->x.len;
    float *head = heed__calloc(&c->hooks, n, size), *evidence = heed__calloc(&c->hooks, n, size);
    float *sum = heed__calloc(&c->hooks, n, size);
    const float had = *gain;
    float best = had;
    double least = (double)INFINITY, inverse = 1;
    int rc = head && evidence && sum ? 0 : heed__error(err, HEED_ENOMEM, "train: out of memory");
    if (rc == 0) rc = apart(c, p, gain, head, evidence, err);
    for (int g = 0; rc == 0 && g < GAINS; g++) {
        double loss;
        for (int64_t i = 0; i < len; i++) sum[i] = head[i] + gains[g] * evidence[i];
        const double b = heed__inverse_temperature(sum, p->label, p->x.len, K, &loss);
        if (!(loss < least)) break; /* convex in b and b·g: it has one least */
        least = loss;
        best = gains[g];
        inverse = b;
    }
    *gain = rc ? had : (float)((double)best * inverse);
    if (rc == 0) scale(c->head.out.w, inverse);
    if (rc == 0) scale(c->head.out.b, inverse);
    heed__free(&c->hooks, head);
    heed__free(&c->hooks, evidence);
    heed__free(&c->hooks, sum);
    return rc;
}
