/* classifier_weigh.c: how much the evidence of n-grams counts beside the head, which has read the
 * words in their order. On texts that neither has learnt from, of
 *
 *     b · (head + g · evidence)
 *
 * b and g are taken by the loss of the right labels: stacking (Wolpert 1992, "Stacked
 * generalization") with two weights; of each g the best b, and of all g not the one of the least
 * loss but the largest whose loss is within a standard error of that: what is not seen to help does
 * not count (Breiman et al. 1984, "Classification and regression trees"). b goes into the head's
 * own weights. */
#include <math.h>

#include "base/alloc.h"
#include "base/elementary.h"
#include "tasks/classifier_data.h"

static const float gains[] = { 0.5f, 1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128 };

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

/* The mean of a - b over n examples, in standard errors of it. */
static double beyond(const double *a, const double *b, int64_t n) {
    double sum = 0, squares = 0;
    for (int64_t i = 0; i < n; i++) {
        sum += a[i] - b[i];
        squares += (a[i] - b[i]) * (a[i] - b[i]);
    }
    const double mean = sum / (double)n, spread = squares / (double)n - mean * mean;
    return spread > 0 ? mean / sqrt(spread / (double)n) : 0;
}

/* The gain and what both are scaled by, from head and evidence [n,K]. 0 or HEED_ENOMEM. */
static int choose(const heed_classifier *c, const heed_part *p, const float *head,
                  const float *evidence, double chosen[2]) {
    const int64_t K = heed__classifier_width(c), n = p->x.len;
    float *sum = heed__calloc(&c->hooks, (size_t)n, (size_t)K * sizeof *sum);
    double *loss = heed__calloc(&c->hooks, (size_t)n, 2 * sizeof *loss), *best = loss, all;
    double least = (double)INFINITY;
    const int rc = sum && loss ? 0 : HEED_ENOMEM;
    for (int g = 0; rc == 0 && g < GAINS; g++) {
        double *each = best == loss ? loss + n : loss;
        for (int64_t i = 0; i < n * K; i++) sum[i] = head[i] + gains[g] * evidence[i];
        const double b = heed__inverse_temperature(sum, p->label, n, K, &all, each);
        const bool better = all < least;
        if (!better && beyond(each, best, n) > 1) break; /* convex in b and b·g: no other least */
        if (better) least = all, best = each;
        chosen[0] = (double)gains[g] * b;
        chosen[1] = b;
    }
    heed__free(&c->hooks, sum);
    heed__free(&c->hooks, loss);
    return rc;
}

int heed__part_weigh(heed_classifier *c, heed_part *p, heed_error *err) {
    const int64_t K = heed__classifier_width(c);
    float *gain = c->body->kind->gain ? c->body->kind->gain(c->body) : NULL;
    bool any = false;
    for (int64_t i = 0; i < p->x.len; i++) any = any || p->label[i] >= 0;
    if (!gain || !any) return 0;
    const size_t size = (size_t)K * sizeof(float), n = (size_t)p->x.len;
    float *head = heed__calloc(&c->hooks, n, size), *evidence = heed__calloc(&c->hooks, n, size);
    const float had = *gain;
    double chosen[2] = { 0, 1 };
    int rc = head && evidence ? 0 : HEED_ENOMEM;
    if (rc == 0) rc = apart(c, p, gain, head, evidence, err);
    if (rc == 0) rc = choose(c, p, head, evidence, chosen);
    *gain = rc ? had : (float)chosen[0];
    if (rc == 0) scale(c->head.out.w, chosen[1]);
    if (rc == 0) scale(c->head.out.b, chosen[1]);
    heed__free(&c->hooks, head);
    heed__free(&c->hooks, evidence);
    return rc == HEED_ENOMEM ? heed__error(err, rc, "train: out of memory") : rc;
}

void heed__classifier_cool(heed_classifier *c, double usual) {
    float *gain = c->body->kind->gain ? c->body->kind->gain(c->body) : NULL;
    if (!gain || c->labels < 2) return;
    const double temperature = 1 + 5 * heed__ln(2) / heed__ln((double)c->labels);
    *gain = (float)(usual / temperature * (double)*gain);
    scale(c->head.out.w, usual / temperature);
    scale(c->head.out.b, usual / temperature);
}
