/* choose.c: which texts of a pool to label next. */
#include "tasks/choose.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

enum { AT_ONCE = 4096, CANDIDATES = 20 };

static const float LEAST =
    1e-4f; /* doubt of an answer without any: texts unlike each other count */

static heed_choice doubt(const float *p, int64_t K, int64_t item) {
    heed_choice x = { .item = item, .first = 0, .second = -1 };
    for (int32_t k = 1; k < (int32_t)K; k++)
        if (p[k] > p[x.first]) {
            x.second = x.first;
            x.first = k;
        } else if (x.second < 0 || p[k] > p[x.second]) {
            x.second = k;
        }
    x.p_first = p[x.first];
    x.p_second = p[x.second];
    x.unsure = 1 - (x.p_first - x.p_second);
    return x;
}

static int by_doubt(const void *a, const void *b) {
    const heed_choice *x = a, *y = b;
    if (x->unsure < y->unsure || x->unsure > y->unsure) return x->unsure > y->unsure ? -1 : 1;
    return (x->item > y->item) - (x->item < y->item);
}

/* How sure the model is of every text; all [len]. */
static int weigh(heed_classifier *c, const char *const *text, int64_t len, heed_choice *all,
                 heed_error *err) {
    const int64_t K = c->labels, most = len < AT_ONCE ? len : AT_ONCE;
    float *p = heed__calloc(&c->hooks, (size_t)most, (size_t)K * sizeof *p);
    int rc = p ? 0 : heed__error(err, HEED_ENOMEM, "label: out of memory");
    for (int64_t at = 0; rc == 0 && at < len; at += most) {
        const int64_t n = len - at < most ? len - at : most;
        rc = heed_classify_many(c, n, text + at, p, err);
        for (int64_t i = 0; rc == 0 && i < n; i++) all[at + i] = doubt(p + i * K, K, at + i);
    }
    heed__free(&c->hooks, p);
    return rc;
}

/* Vectors [n,dim] of the candidates, each of length 1. */
static int look(heed_classifier *c, const char *const *text, const heed_choice *of, int64_t n,
                float *vector, heed_error *err) {
    const int64_t dim = c->body->dim;
    const char **own = heed__calloc(&c->hooks, (size_t)n, sizeof *own);
    if (!own) return heed__error(err, HEED_ENOMEM, "label: out of memory");
    for (int64_t i = 0; i < n; i++) own[i] = text[of[i].item];
    heed_pairs p = { .rows = { .len = 0 } };
    int rc = heed__classifier_encode(c, &(heed_examples){ .len = n, .text = own }, c->windows, &p,
                                     err);
    if (rc == 0) rc = heed__classifier_vectors(c, &p.rows, vector, err);
    heed__pairs_free(&p);
    heed__free(&c->hooks, own);
    for (int64_t i = 0; rc == 0 && i < n; i++) {
        float sum = 0, *v = vector + i * dim;
        for (int64_t k = 0; k < dim; k++) sum = fmaf(v[k], v[k], sum);
        for (int64_t k = 0; sum > 0 && k < dim; k++) v[k] /= sqrtf(sum);
    }
    return rc;
}

static float distance(const float *a, const float *b, int64_t dim) {
    float sum = 0;
    for (int64_t k = 0; k < dim; k++) sum = fmaf(a[k] - b[k], a[k] - b[k], sum);
    return sum;
}

/* The candidates, their vectors, and of each the squared distance to the nearest one taken. */
typedef struct field {
    int64_t len, dim;
    const heed_choice *of; /* [len] */
    float *vector;         /* [len,dim] */
    float *near;           /* [len] */
} field;

static int64_t spread(field *f, int64_t want, heed_choice *choice) {
    int64_t taken = 0;
    for (int64_t i = 0; i < f->len; i++) f->near[i] = 4; /* the farthest that two of length 1 are */
    while (taken < want) {
        float most = 0;
        int64_t at = -1;
        for (int64_t i = 0; i < f->len; i++)
            if ((f->of[i].unsure + LEAST) * f->near[i] > most) {
                most = (f->of[i].unsure + LEAST) * f->near[i];
                at = i;
            }
        if (at < 0) break;
        choice[taken++] = f->of[at];
        const float *centre = f->vector + at * f->dim;
        for (int64_t i = 0; i < f->len; i++)
            f->near[i] = fminf(f->near[i], distance(f->vector + i * f->dim, centre, f->dim));
    }
    return taken;
}

int64_t heed__choose(heed_classifier *c, const heed_texts *x, int64_t want, heed_choice *choice,
                     heed_error *err) {
    if (c->head.cfg.target != HEED_TARGET_LABEL || c->head.cfg.pairs)
        return heed__error(err, HEED_EUNSUPPORTED,
                           "label: only for models that give one label to single texts");
    const int64_t n = want > x->len / CANDIDATES ? x->len : want * CANDIDATES;
    heed_choice *all = heed__calloc(&c->hooks, (size_t)x->len, sizeof *all);
    field f = { .len = n, .dim = c->body->dim, .of = all };
    f.vector = heed__calloc(&c->hooks, (size_t)n, (size_t)f.dim * sizeof *f.vector);
    f.near = heed__calloc(&c->hooks, (size_t)n, sizeof *f.near);
    int rc = all && f.vector && f.near ? weigh(c, x->text, x->len, all, err)
                                       : heed__error(err, HEED_ENOMEM, "label: out of memory");
    if (rc == 0) {
        qsort(all, (size_t)x->len, sizeof *all, by_doubt);
        rc = look(c, x->text, all, n, f.vector, err);
    }
    const int64_t chosen = rc ? rc : spread(&f, want, choice);
    heed__free(&c->hooks, all);
    heed__free(&c->hooks, f.vector);
    heed__free(&c->hooks, f.near);
    return chosen;
}
