/* classifier_data.c: examples checked, numbered, split, encoded and scored. */
#include "tasks/classifier_data.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/elementary.h"
#include "base/hash.h"
#include "tasks/metrics_kinds.h"

bool heed__is_head(const char *name) {
    return strncmp(name, "head.", 5) == 0 || strncmp(name, "dense.", 6) == 0;
}

bool heed__position_of(const char *name, heed_position_kind *kind) {
    static const char *const names[] = { "",      "sinusoidal", "learned", "rotary",
                                         "alibi", "t5",         "none" };
    *kind = HEED_POSITION_NONE;
    for (int i = 1; name && i <= HEED_POSITION_OFF; i++)
        if (strcmp(names[i], name) == 0) *kind = (heed_position_kind)i;
    return !name || *kind != HEED_POSITION_NONE;
}

bool heed__pooling_of(const char *name, heed_pooling_kind *kind) {
    static const char *const names[] = { "mean", "max", "cls", "attention" };
    *kind = HEED_POOLING_MEAN;
    for (int i = 0; name && i <= HEED_POOLING_ATTENTION; i++)
        if (strcmp(names[i], name) == 0) {
            *kind = (heed_pooling_kind)i;
            return true;
        }
    return !name;
}

/* -- checks and numbers ----------------------------------------------------------------------- */

/* Text i has labels [begin,end) of x->label. */
static int64_t begin_of(const heed_examples *x, int64_t i) {
    return x->label_start ? x->label_start[i] : i;
}

static int64_t labels_len(const heed_examples *x) {
    return x->label_start ? x->label_start[x->len] : x->len;
}

int heed__label_start_check(const heed_examples *x, const char *call, heed_error *err) {
    for (int64_t i = 0, before = 0; x->label_start && i <= x->len; i++) {
        if (x->label_start[i] < before)
            return heed__error(err, HEED_EINVALID,
                               "%s: label_start %lld is %lld, after one of %lld", call,
                               (long long)i, (long long)x->label_start[i], (long long)before);
        before = x->label_start[i];
    }
    return 0;
}

int heed__score_check(const heed_examples *x, const char *call, heed_error *err) {
    if (heed__lacks_list(x->score, x->len, call, "scores", err)) return HEED_EINVALID;
    for (int64_t i = 0; i < x->len; i++) {
        if (!isfinite(x->score[i]))
            return heed__error(err, HEED_EINVALID, "%s: score %lld is not a finite number", call,
                               (long long)i);
        if (fabs(x->score[i]) > HEED_SCORE_MOST)
            return heed__error(err, HEED_EINVALID, "%s: score %lld is %g, beyond 1e30", call,
                               (long long)i, x->score[i]);
    }
    return 0;
}

int heed__label_one_check(const heed_examples *x, const char *call, heed_error *err) {
    if (!x->label_start) return 0;
    return heed__error(err, HEED_EINVALID, "%s: one label a text, but several are given", call);
}

int heed__data_check(const heed_examples *x, heed_target target, const char *what,
                     heed_error *err) {
    const bool number = target == HEED_TARGET_SCORE;
    if ((unsigned)target > HEED_TARGET_SCORE)
        return heed__error(err, HEED_EINVALID, "train: there is no target %d", (int)target);
    if (x->len < 1) return heed__error(err, HEED_EINVALID, "train: there are no %ss", what);
    if (!x->text || (number ? !x->score : !x->label))
        return heed__error(err, HEED_EINVALID, "train: texts and %s are both needed",
                           number ? "scores" : "labels");
    if (target == HEED_TARGET_LABEL && heed__label_one_check(x, "train", err)) return HEED_EINVALID;
    if (heed__label_start_check(x, "train", err)) return HEED_EINVALID;
    if (number && heed__score_check(x, "train", err)) return HEED_EINVALID;
    if (x->array && heed__array_check(x->array, x->len, err)) return HEED_EINVALID;
    for (int64_t i = 0; i < x->len; i++) {
        bool hole = !x->text[i] || (x->text2 && !x->text2[i]);
        for (int64_t at = begin_of(x, i); !number && at < begin_of(x, i + 1); at++)
            hole = hole || !x->label[at];
        if (hole)
            return heed__error(err, HEED_EINVALID, "train: %s %lld or its label is NULL", what,
                               (long long)i);
        for (int64_t at = begin_of(x, i); !number && at < begin_of(x, i + 1); at++)
            if (!heed__label_is_plain(x->label[at]))
                return heed__error(err, HEED_EINVALID,
                                   "train: label %lld is not UTF-8, or holds a control character",
                                   (long long)i);
    }
    return 0;
}

static int by_bytes(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

int heed__data_labels(heed_classifier *c, const heed_examples *x, heed_error *err) {
    const int64_t n = labels_len(x);
    const char **all = heed__calloc(&c->hooks, (size_t)n, sizeof *all);
    c->label = heed__calloc(&c->hooks, (size_t)n, sizeof *c->label);
    int rc = all && c->label ? 0 : HEED_ENOMEM;
    if (rc == 0) {
        memcpy(all, x->label, (size_t)n * sizeof *all);
        qsort(all, (size_t)n, sizeof *all, by_bytes);
    }
    for (int64_t i = 0; rc == 0 && i < n; i++) {
        if (i && strcmp(all[i], all[i - 1]) == 0) continue;
        c->label[c->labels] = heed__strdup(&c->hooks, all[i]);
        rc = c->label[c->labels] ? 0 : HEED_ENOMEM;
        if (rc == 0) c->labels++;
    }
    heed__free(&c->hooks, all);
    if (rc) return heed__error(err, rc, "labels: out of memory");
    if (c->labels == 0) return heed__error(err, HEED_EINVALID, "train: no text has a label");
    if (c->labels < 2)
        return heed__error(err, HEED_EFORMAT,
                           "train: all texts have the label '%.60s'; a second one is needed",
                           c->label[0]);
    if (c->labels > HEED_CLASSIFIER_MAX_LABELS)
        return heed__error(err, HEED_EINVALID, "train: %lld labels, but %d are possible",
                           (long long)c->labels, HEED_CLASSIFIER_MAX_LABELS);
    return 0;
}

/* -- splitting -------------------------------------------------------------------------------- */

static bool is_among(const int32_t *label, int64_t n, int32_t k) {
    for (int64_t i = 0; i < n; i++)
        if (label[i] == k) return true;
    return false;
}

/* The examples whose held[] is `want` (NULL: all); of several labels one that a text has twice it
 * has once. 0 or HEED_ENOMEM. */
static int take(const heed_classifier *c, const heed_examples *x, bool several, const bool *held,
                bool want, heed_part *p) {
    int64_t n = 0, labels = 0;
    for (int64_t i = 0; i < x->len; i++) {
        if (held && held[i] != want) continue;
        n++;
        labels += x->label ? begin_of(x, i + 1) - begin_of(x, i) : 0;
    }
    const size_t size = (size_t)n;
    const heed_hooks *h = &c->hooks;
    const char **text = heed__calloc(h, size, sizeof *text), **text2 = NULL;
    p->x = (heed_examples){ .len = n, .text = text };
    if (x->text2) p->x.text2 = text2 = heed__calloc(h, size, sizeof *text2);
    if (x->label && c->labels) p->label = heed__calloc(h, (size_t)labels, sizeof *p->label);
    if (several) p->label_start = heed__calloc(h, size + 1, sizeof *p->label_start);
    if (x->score) p->score = heed__calloc(h, size, sizeof *p->score);
    if (!text || (x->text2 && !text2) || (x->label && c->labels && !p->label) ||
        (several && !p->label_start) || (x->score && !p->score))
        return HEED_ENOMEM;
    int64_t at = 0, to = 0;
    for (int64_t i = 0; i < x->len; i++) {
        if (held && held[i] != want) continue;
        text[at] = x->text[i];
        if (text2) text2[at] = x->text2[i];
        if (p->score) p->score[at] = x->score[i];
        const int64_t first = to;
        for (int64_t l = begin_of(x, i); p->label && l < begin_of(x, i + 1); l++) {
            const int32_t k = heed__classifier_find(c, x->label[l]);
            if (!is_among(p->label + first, to - first, k)) p->label[to++] = k;
        }
        at++;
        if (p->label_start) p->label_start[at] = to;
    }
    return 0;
}

/* The numbers of the examples that take chose. 0 or HEED_ENOMEM. */
static int take_array(const heed_classifier *c, const heed_examples *x, const bool *held, bool want,
                      heed_part *p) {
    if (!x->array) return 0;
    const int64_t each = x->array->steps * x->array->dim;
    p->numbers = heed__calloc(&c->hooks, (size_t)p->x.len, (size_t)each * sizeof *p->numbers);
    if (!p->numbers) return HEED_ENOMEM;
    for (int64_t i = 0, at = 0; i < x->len; i++)
        if (!held || held[i] == want)
            memcpy(p->numbers + at++ * each, x->array->data + i * each,
                   (size_t)each * sizeof *p->numbers);
    p->array = *x->array;
    p->array.data = p->numbers;
    p->x.array = &p->array;
    return 0;
}

/* Each text's first label, by which what is held out keeps the shares. */
static int32_t *first_labels(const heed_classifier *c, const heed_examples *x) {
    int32_t *first = heed__calloc(&c->hooks, (size_t)x->len, sizeof *first);
    for (int64_t i = 0; first && c->labels && i < x->len; i++)
        if (begin_of(x, i) < begin_of(x, i + 1))
            first[i] = heed__classifier_find(c, x->label[begin_of(x, i)]);
    return first;
}

int heed__data_split(const heed_classifier *c, const heed_examples *x, const heed_classify_cfg *cfg,
                     heed_part *learn, heed_part *held, heed_error *err) {
    const bool several = cfg->target == HEED_TARGET_LABELS;
    bool *out = NULL;
    int32_t *label = NULL;
    int64_t count = 0;
    int rc = 0;
    if (cfg->valid_part > 0 && !cfg->valid) {
        out = heed__calloc(&c->hooks, (size_t)x->len, sizeof *out);
        label = first_labels(c, x);
        rc = out && label ? 0 : HEED_ENOMEM;
        if (rc == 0)
            count = heed__hold_out(label, x->len, cfg->valid_part, cfg->seed, out, &c->hooks);
        if (count < 0) rc = HEED_ENOMEM;
    }
    if (rc == 0) rc = take(c, x, several, count ? out : NULL, false, learn);
    if (rc == 0) rc = take_array(c, x, count ? out : NULL, false, learn);
    if (rc == 0 && count) rc = take(c, x, several, out, true, held);
    if (rc == 0 && count) rc = take_array(c, x, out, true, held);
    if (rc == 0 && cfg->valid) rc = take(c, cfg->valid, several, NULL, true, held);
    if (rc == 0 && cfg->valid) rc = take_array(c, cfg->valid, NULL, true, held);
    heed__free(&c->hooks, out);
    heed__free(&c->hooks, label);
    return rc ? heed__error(err, rc, "train: out of memory") : 0;
}

void heed__part_free(heed_part *p, const heed_hooks *h) {
    heed__free(h, (void *)p->x.text);
    heed__free(h, (void *)p->x.text2);
    heed__free(h, p->label);
    heed__free(h, p->label_start);
    heed__free(h, p->score);
    heed__free(h, p->numbers);
    heed__free(h, p->length);
    heed__free(h, p->out);
    heed__free(h, p->outcome);
    heed__pairs_free(&p->in);
    *p = (heed_part){ 0 };
}

/* -- encoding --------------------------------------------------------------------------------- */

int heed__part_encode(heed_classifier *c, heed_part *p, heed_error *err) {
    const int rc = heed__classifier_encode(c, &p->x, c->windows, &p->in, err);
    if (rc) return rc;
    p->length = heed__calloc(&c->hooks, (size_t)p->x.len, sizeof *p->length);
    if (!p->length) return heed__error(err, HEED_ENOMEM, "train: out of memory");
    for (int64_t i = 0; i < p->x.len; i++) {
        const heed_span s = heed__window(c, &p->in.rows, i, 0);
        p->length[i] = s.end - s.begin;
        if (!c->head.cfg.pairs) continue;
        const heed_span s2 = heed__window(c, &p->in.rows2, i, 0);
        if (s2.end - s2.begin > p->length[i]) p->length[i] = s2.end - s2.begin;
    }
    return 0;
}

int64_t heed__part_size(const heed_part *p) {
    const int64_t n = p->x.len;
    int64_t each = 3 * 8;
    if (p->x.text2) each += 8;
    if (p->score) each += 8;
    if (p->numbers) each += p->array.steps * p->array.dim * (int64_t)sizeof *p->numbers;
    int64_t size = n * each + heed__rows_size(&p->in.rows) + heed__rows_size(&p->in.rows2);
    if (p->label) size += (p->label_start ? p->label_start[n] : n) * (int64_t)sizeof *p->label;
    return size;
}

uint64_t heed__part_hash(const heed_part *p) {
    uint64_t h = HEED_HASH_BEGIN;
    const int64_t n = p->x.len;
    for (int64_t i = 0; i < n; i++) {
        h = heed__hash_more(h, p->x.text[i], strlen(p->x.text[i]) + 1);
        if (p->x.text2) h = heed__hash_more(h, p->x.text2[i], strlen(p->x.text2[i]) + 1);
    }
    if (p->label)
        h = heed__hash_more(h, p->label,
                            (size_t)(p->label_start ? p->label_start[n] : n) * sizeof *p->label);
    if (p->label_start)
        h = heed__hash_more(h, p->label_start, (size_t)(n + 1) * sizeof *p->label_start);
    if (p->numbers)
        h = heed__hash_more(h, p->numbers,
                            (size_t)(n * p->array.steps * p->array.dim) * sizeof *p->numbers);
    return p->score ? heed__hash_more(h, p->score, (size_t)n * sizeof *p->score) : h;
}

/* -- scoring ---------------------------------------------------------------------------------- */

static void score_label(heed_part *p, int64_t K, heed_score *s) {
    const int64_t n = p->x.len;
    int64_t right = 0, known = 0;
    heed__outcomes(p->outcome, p->out, p->label, n, K);
    for (int64_t i = 0; i < n; i++) {
        right += p->outcome[i].right == p->outcome[i].said;
        if (p->outcome[i].right < 0) continue;
        s->loss += (double)p->outcome[i].loss;
        known++;
    }
    *s = (heed_score){ "Acc", (double)right / (double)n, known ? s->loss / (double)known : 0 };
}

static void score_labels(const heed_part *p, int64_t K, heed_score *s) {
    int64_t hit = 0, said = 0, real = 0;
    double loss = 0;
    for (int64_t i = 0; i < p->x.len; i++) {
        const float *prob = p->out + i * K;
        const int64_t begin = p->label_start ? p->label_start[i] : i;
        const int64_t end = p->label_start ? p->label_start[i + 1] : i + 1;
        real += end - begin;
        for (int64_t k = 0; k < K; k++) {
            bool has = false;
            for (int64_t at = begin; at < end; at++) has = has || p->label[at] == k;
            const double q = (double)(has ? prob[k] : 1 - prob[k]);
            loss -= heed__ln(q > 1e-30 ? q : 1e-30);
            said += prob[k] >= 0.5f;
            hit += prob[k] >= 0.5f && has;
        }
    }
    *s = (heed_score){ "F1", said + real ? 2.0 * (double)hit / (double)(said + real) : 0,
                       loss / (double)(p->x.len * K) };
}

/* What gross errors do not decide: the part of all distance from the centre that is explained
 * (Koenker and Machado 1999), and Huber's loss. */
static void score_robustly(const heed_part *p, const heed_head_cfg *head, heed_score *s) {
    double all = 0, left = 0, loss = 0;
    for (int64_t i = 0; i < p->x.len; i++) {
        const double r = fabs(p->score[i] - (double)p->out[i]), z = r / head->spread;
        const double m = z < head->huber ? z : head->huber;
        left += r;
        all += fabs(p->score[i] - head->mean);
        loss += m * (2 * z - m) / (double)p->x.len;
    }
    const bool differ = heed__scores_differ(all / (double)p->x.len, head->mean);
    *s = (heed_score){ "R1", differ ? 1 - left / all : 0, loss };
}

static void score_score(const heed_part *p, const heed_head_cfg *head, heed_score *s) {
    double mean = 0, all = 0, left = 0;
    const double n = (double)p->x.len;
    for (int64_t i = 0; i < p->x.len; i++) mean += p->score[i] / n;
    for (int64_t i = 0; i < p->x.len; i++) {
        const double d = p->score[i] - (double)p->out[i], m = p->score[i] - mean;
        left += d * d / n;
        all += m * m / n;
    }
    const bool differ = heed__scores_differ(sqrt(all), mean);
    *s = (heed_score){ "R2", differ ? 1 - left / all : 0, left / (head->spread * head->spread) };
}

int heed__part_score(heed_classifier *c, heed_part *p, heed_score *s, heed_error *err) {
    const int64_t K = heed__classifier_width(c);
    const size_t n = (size_t)p->x.len;
    if (!p->out) p->out = heed__calloc(&c->hooks, n, (size_t)K * sizeof *p->out);
    if (!p->outcome) p->outcome = heed__calloc(&c->hooks, n, sizeof *p->outcome);
    *s = (heed_score){ 0 };
    if (!p->out || !p->outcome) return heed__error(err, HEED_ENOMEM, "train: out of memory");
    const int rc = heed__classifier_answers(c, &p->in, false, p->out, err);
    if (rc) return rc;
    switch (c->head.cfg.target) {
    case HEED_TARGET_LABEL:
        score_label(p, K, s);
        break;
    case HEED_TARGET_LABELS:
        score_labels(p, K, s);
        break;
    case HEED_TARGET_SCORE:
        if (c->head.cfg.huber > 0)
            score_robustly(p, &c->head.cfg, s);
        else
            score_score(p, &c->head.cfg, s);
        break;
    }
    return 0;
}

int heed__part_calibrate(heed_classifier *c, heed_part *p, heed_error *err) {
    const int64_t K = heed__classifier_width(c), n = p->x.len;
    heed_held *h = &c->held;
    heed_score s;
    h->text = heed__calloc(&c->hooks, (size_t)n, sizeof *h->text);
    if (!h->text) return heed__error(err, HEED_ENOMEM, "calibrate: out of memory");
    int rc = heed__part_score(c, p, &s, err); /* makes room for answers */
    if (rc == 0) rc = heed__classifier_answers(c, &p->in, true, p->out, err);
    if (rc == 0) rc = heed__calibrate(&c->calibration, p->out, p->label, n, K, err);
    if (rc == 0) rc = heed__classifier_finish(c, n, p->out, err);
    if (rc) return rc;
    heed__outcomes(p->outcome, p->out, p->label, n, K);
    memcpy(h->text, p->x.text, (size_t)n * sizeof *h->text);
    h->outcome = p->outcome;
    p->outcome = NULL;
    h->len = n;
    return 0;
}
