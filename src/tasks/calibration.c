/* calibration.c: a temperature, conformal limits and a limit of scope from held-out examples. */
#include "tasks/calibration.h"

#include <math.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/elementary.h"
#include "base/json.h"
#include "tasks/metrics.h"

enum { STEPS = 100 };

static const double COLDEST = 0.05, HOTTEST = 20;
/* What is believed of ln T before any example was seen: its mean and deviation. A few examples that
 * are all right say nothing of how sure to be, and their least loss is at the coldest of all. */
static const double USUAL = 1, SPREAD = 0.7;

static double largest(const float *z, int64_t classes) {
    double most = (double)z[0];
    for (int64_t k = 1; k < classes; k++) most = fmax(most, (double)z[k]);
    return most;
}

/* ln Σ exp(b·z) */
static double ln_sum(const float *z, int64_t classes, double b) {
    const double most = largest(z, classes);
    double sum = 0;
    for (int64_t k = 0; k < classes; k++) sum += heed__exp(b * ((double)z[k] - most));
    return b * most + heed__ln(sum);
}

double heed__scope_score(const float *logits, int64_t classes) {
    return ln_sum(logits, classes, 1);
}

/* First and second derivative by b of Σ ln Σ exp(b·z) - b·z[right]: mean less right, variance. */
static void slope(const float *z, int32_t right, int64_t classes, double b, double out[2]) {
    const double most = largest(z, classes);
    double sum = 0, mean = 0, square = 0;
    for (int64_t k = 0; k < classes; k++) {
        const double d = (double)z[k] - most, e = heed__exp(b * d);
        sum += e;
        mean += e * d;
        square += e * d * d;
    }
    mean /= sum;
    out[0] += mean - ((double)z[right] - most);
    out[1] += square / sum - mean * mean;
}

/* The b = 1/T of the least loss and (ln T - USUAL)² / 2 SPREAD²: Newton's steps in a bracket that
 * every step narrows. */
static double fit_inverse(const float *logits, const int32_t *right, int64_t n, int64_t classes) {
    double low = 1 / HOTTEST, high = 1 / COLDEST, b = 1;
    for (int step = 0; step < STEPS && high - low > 1e-10 * high; step++) {
        const double away = (heed__ln(b) + USUAL) / (SPREAD * SPREAD * b);
        double d[2] = { away, (1 / (SPREAD * SPREAD * b) - away) / b };
        for (int64_t i = 0; i < n; i++)
            if (right[i] >= 0) slope(logits + i * classes, right[i], classes, b, d);
        if (d[0] > 0)
            high = b;
        else
            low = b;
        const double next = d[1] > 0 ? b - d[0] / d[1] : low;
        if (fabs(next - b) <= 1e-12 * b) break; /* b is an end of the bracket then */
        b = next > low && next < high ? next : (low + high) / 2;
    }
    return b;
}

double heed__inverse_temperature(const float *logits, const int32_t *right, int64_t n,
                                 int64_t classes, double *loss, double *each) {
    const double b = fit_inverse(logits, right, n, classes);
    int64_t known = 0;
    *loss = 0;
    for (int64_t i = 0; i < n; i++) {
        const float *z = logits + i * classes;
        const double one = right[i] < 0 ? 0 : ln_sum(z, classes, b) - b * (double)z[right[i]];
        known += right[i] >= 0;
        *loss += one;
        if (each) each[i] = one;
    }
    *loss /= (double)known;
    return b;
}

void heed__calibrated(const heed_calibration *c, const float *logits, float *probs,
                      int64_t classes) {
    const double b = 1 / c->temperature, ln = ln_sum(logits, classes, b);
    for (int64_t k = 0; k < classes; k++) probs[k] = (float)heed__exp(b * (double)logits[k] - ln);
}

static int by_value(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Which examples' scores are kept: item[0..return), those with a known label, at most so many. */
static int64_t choose(const int32_t *right, int64_t n, int64_t *item) {
    int64_t known = 0;
    for (int64_t i = 0; i < n; i++)
        if (right[i] >= 0) item[known++] = i;
    if (known <= HEED_CALIBRATION_MOST) return known;
    heed_rng rng = { .seed = (uint64_t)known };
    heed_rng_shuffle(&rng, item, known);
    return HEED_CALIBRATION_MOST;
}

static int keep_scores(heed_calibration *c, const float *logits, const int32_t *right, int64_t n,
                       int64_t classes) {
    int64_t *item = heed__calloc(&c->hooks, (size_t)n, sizeof *item);
    if (!item) return HEED_ENOMEM;
    const int64_t kept = choose(right, n, item);
    c->score = heed__calloc(&c->hooks, (size_t)kept, sizeof *c->score);
    c->scope = heed__calloc(&c->hooks, (size_t)kept, sizeof *c->scope);
    const int rc = c->score && c->scope ? 0 : HEED_ENOMEM;
    for (int64_t i = 0; rc == 0 && i < kept; i++) {
        const float *z = logits + item[i] * classes;
        float probs = 0;
        const double b = 1 / c->temperature, ln = ln_sum(z, classes, b);
        probs = (float)heed__exp(b * (double)z[right[item[i]]] - ln);
        c->score[i] = -heed__ln(fmax((double)probs, 1e-45));
        c->scope[i] = heed__scope_score(z, classes);
    }
    heed__free(&c->hooks, item);
    if (rc) return rc;
    c->len = kept;
    qsort(c->score, (size_t)kept, sizeof *c->score, by_value);
    qsort(c->scope, (size_t)kept, sizeof *c->scope, by_value);
    return 0;
}

/* The calibration error of softmax(z/T). */
static int measure_ece(const heed_calibration *c, const float *logits, const int32_t *right,
                       int64_t n, int64_t classes, double *ece) {
    heed_outcome *o = heed__calloc(&c->hooks, (size_t)n, sizeof *o);
    float *probs = heed__calloc(&c->hooks, (size_t)classes, sizeof *probs);
    int64_t known = 0;
    for (int64_t i = 0; o && probs && i < n; i++) {
        if (right[i] < 0) continue;
        heed__calibrated(c, logits + i * classes, probs, classes);
        heed__outcomes(o + known++, probs, right + i, 1, classes);
    }
    if (o && probs) *ece = heed__ece(o, NULL, known);
    const int rc = o && probs ? 0 : HEED_ENOMEM;
    heed__free(&c->hooks, o);
    heed__free(&c->hooks, probs);
    return rc;
}

int heed__calibrate(heed_calibration *c, const float *logits, const int32_t *right, int64_t n,
                    int64_t classes, heed_error *err) {
    const heed_hooks hooks = c->hooks;
    heed__calibration_free(c);
    *c = (heed_calibration){ .temperature = 1, .hooks = hooks };
    int64_t known = 0;
    for (int64_t i = 0; i < n; i++) {
        known += right[i] >= 0;
        for (int64_t k = 0; k < classes; k++)
            if (!isfinite(logits[i * classes + k]))
                return heed__error(err, HEED_EINVALID,
                                   "calibrate: the logit of label %lld of example %lld is not "
                                   "finite",
                                   (long long)k, (long long)i);
    }
    if (known == 0) return heed__error(err, HEED_EINVALID, "calibrate: there is no example");
    int rc = measure_ece(c, logits, right, n, classes, &c->ece_before);
    if (rc == 0) {
        c->temperature = 1 / fit_inverse(logits, right, n, classes);
        rc = measure_ece(c, logits, right, n, classes, &c->ece_after);
    }
    if (rc == 0) rc = keep_scores(c, logits, right, n, classes);
    return rc ? heed__error(err, rc, "calibrate: out of memory") : 0;
}

void heed__calibration_free(heed_calibration *c) {
    heed__free(&c->hooks, c->score);
    heed__free(&c->hooks, c->scope);
    c->score = c->scope = NULL;
    c->len = 0;
}

double heed__coverage_limit(const heed_calibration *c, double coverage) {
    /* the least k with k / (len + 1) >= coverage; the product may come out a hair too large */
    const double exact = coverage * (double)(c->len + 1);
    const double k = ceil(exact - 1e-9);
    if (c->len == 0 || k > (double)c->len) return (double)INFINITY;
    return c->score[k < 1 ? 0 : (int64_t)k - 1];
}

int64_t heed__coverage_needs(double coverage) {
    const double n = ceil(coverage / (1 - coverage) - 1e-6);
    return coverage < 1 && n < 1e18 ? (int64_t)n : INT64_MAX;
}

double heed__coverage_most(int64_t examples) {
    return examples > 0 ? (double)examples / (double)(examples + 1) : 0;
}

bool heed__covered(float prob, double limit) {
    return -heed__ln(fmax((double)prob, 1e-45)) <= limit;
}

double heed__scope_limit(const heed_calibration *c, double kept) {
    if (c->len == 0) return (double)-INFINITY;
    int64_t out = (int64_t)((1 - kept) * (double)c->len + 1e-9);
    if (out > c->len - 1) out = c->len - 1;
    return c->scope[out < 0 ? 0 : out];
}

/* -- with the model ------------------------------------------------------------------------- */

static json_t *numbers(const double *value, int64_t len) {
    json_t *list = json_array();
    for (int64_t i = 0; list && i < len; i++)
        if (json_array_append_new(list, json_real(value[i]))) {
            json_decref(list);
            return NULL;
        }
    return list;
}

json_t *heed__calibration_to_json(const heed_calibration *c) {
    json_t *o = json_object();
    bool ok = o && json_object_set_new(o, "temperature", json_real(c->temperature)) == 0;
    ok = ok && json_object_set_new(o, "ece_before", json_real(c->ece_before)) == 0;
    ok = ok && json_object_set_new(o, "ece_after", json_real(c->ece_after)) == 0;
    ok = ok && json_object_set_new(o, "scores", numbers(c->score, c->len)) == 0;
    ok = ok && json_object_set_new(o, "scope", numbers(c->scope, c->len)) == 0;
    if (ok) return o;
    json_decref(o);
    return NULL;
}

/* A rising list of numbers, allocated; the second one read is as long as the first. */
static double *read_numbers(heed_calibration *c, heed_fields *f, const char *key) {
    const json_t *list = json_object_get(f->object, key);
    const size_t len = json_array_size(list);
    double *value = NULL;
    if (f->status) return NULL;
    if (!json_is_array(list) || len > HEED_CALIBRATION_MOST ||
        (c->score && (int64_t)len != c->len)) {
        f->status = heed__error(f->err, HEED_EFORMAT,
                                "%s: %s is not a list of %d numbers at most, or not as long as the "
                                "scores",
                                f->name, key, HEED_CALIBRATION_MOST);
        return NULL;
    }
    value = heed__calloc(&c->hooks, len, sizeof *value);
    if (!value) f->status = heed__error(f->err, HEED_ENOMEM, "%s: out of memory", f->name);
    for (size_t i = 0; value && f->status == 0 && i < len; i++) {
        const json_t *number = json_array_get(list, i);
        value[i] = json_number_value(number);
        if (!json_is_number(number) || (i && value[i] < value[i - 1]))
            f->status = heed__error(f->err, HEED_EFORMAT,
                                    "%s: number %zu of %s is none, or smaller than the one before",
                                    f->name, i, key);
    }
    c->len = (int64_t)len;
    return value;
}

int heed__calibration_from_json(heed_calibration *c, const json_t *object, const char *name,
                                heed_error *err) {
    static const char *const keys[] = { "temperature", "ece_before", "ece_after",
                                        "scores",      "scope",      NULL };
    const heed_hooks hooks = c->hooks;
    heed__calibration_free(c);
    heed_fields f = { .object = object, .name = name, .err = err };
    *c = (heed_calibration){ .hooks = hooks };
    c->temperature = heed__field_number(&f, "temperature");
    c->ece_before = heed__field_number(&f, "ece_before");
    c->ece_after = heed__field_number(&f, "ece_after");
    heed__fields_only(&f, keys);
    if (f.status == 0 && !(c->temperature >= COLDEST / 2 && c->temperature <= HOTTEST * 2))
        f.status = heed__error(err, HEED_EFORMAT, "%s: temperature is not %g to %g", name, COLDEST,
                               HOTTEST);
    c->score = read_numbers(c, &f, "scores");
    c->scope = read_numbers(c, &f, "scope");
    if (f.status) heed__calibration_free(c);
    return f.status;
}
