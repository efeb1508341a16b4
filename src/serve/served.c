/* served.c: copies of a model for several callers, and its answers. */
#include "serve/served.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/elementary.h"
#include "base/json.h"
#include "base/text.h"
#include "base/thread.h"
#include "kernels/math.h"
#include "serve/served_impl.h"
#include "tasks/classifier.h"
#include "tasks/embedder.h"
#include "tasks/tagger.h"

/* -- copies ----------------------------------------------------------------------------------- */

static heed_served_copy *copy_take(heed_served *m) {
    heed__lock_enter(m->lock);
    while (m->idle_len == 0) heed__lock_wait(m->lock, -1);
    heed_served_copy *copy = m->idle[--m->idle_len];
    heed__lock_leave(m->lock);
    return copy;
}

static void copy_give(heed_served *m, heed_served_copy *copy) {
    heed__lock_enter(m->lock);
    m->idle[m->idle_len++] = copy;
    if (m->idle_len == 1) heed__lock_wake(m->lock);
    heed__lock_leave(m->lock);
}

/* -- answers ---------------------------------------------------------------------------------- */

void heed_said_free(heed_said *said) {
    const heed_hooks hooks = said->hooks;
    heed__free(&hooks, said->probs);
    heed__free(&hooks, said->logits);
    heed__free(&hooks, said->seen);
    heed__free(&hooks, said->total);
    heed__free(&hooks, said->known);
    heed__free(&hooks, said->vector);
    *said = (heed_said){ .want_vectors = said->want_vectors };
}

/* Room for n answers. 0 or a status. */
static int said_room(const heed_served *m, heed_said *said, int64_t n, heed_error *err) {
    const size_t rows = (size_t)(n ? n : 1);
    const bool classify = m->task == HEED_SERVED_CLASSIFY;
    *said = (heed_said){ .want_vectors = said->want_vectors, .n = n, .hooks = m->hooks };
    said->labels = classify ? m->width : 0;
    said->dim = !classify || said->want_vectors ? m->dim : 0;
    said->seen = heed__calloc(&m->hooks, rows, sizeof *said->seen);
    said->total = heed__calloc(&m->hooks, rows, sizeof *said->total);
    said->known = heed__calloc(&m->hooks, rows, sizeof *said->known);
    bool ok = said->seen && said->total && said->known;
    if (ok && classify) {
        const size_t size = (size_t)m->width * sizeof *said->probs;
        said->probs = heed__calloc(&m->hooks, rows, size);
        if (heed_served_calibrated(m)) said->logits = heed__calloc(&m->hooks, rows, size);
        ok = said->probs && (said->logits || !heed_served_calibrated(m));
    }
    if (ok && said->dim) {
        said->vector = heed__calloc(&m->hooks, rows, (size_t)m->dim * sizeof *said->vector);
        ok = said->vector != NULL;
    }
    if (ok) return 0;
    heed_said_free(said);
    return heed__error(err, HEED_ENOMEM, "%s: out of memory for %lld answers", m->id, (long long)n);
}

static void count_units(const heed_classifier *c, const heed_rows *rows, heed_said *said) {
    for (int64_t i = 0; i < rows->len; i++) {
        for (int64_t u = rows->start[i]; u < rows->start[i + 1]; u++)
            said->known[i] += rows->known[u];
        const heed_span s = heed__window(c, rows, i, 0);
        said->total[i] = rows->total[i];
        said->seen[i] = heed__windows(c, rows, i) > 1 ? rows->total[i] : s.end - s.begin;
        if (said->seen[i] > said->total[i]) said->seen[i] = said->total[i];
    }
}

/* Encoded once for labels and vectors. */
static int classify(heed_served *m, heed_classifier *c, const heed_examples *x, heed_said *said,
                    heed_error *err) {
    heed_pairs p = { .rows2 = { .len = 0 } };
    const heed_rows_cfg how = {
        .max_len = c->windows ? 0 : c->max_len, .keep = c->keep, .places = true, .memo = c->memo
    };
    int rc = heed__body_encode(c->body, &(heed_texts){ .len = x->len, .text = x->text }, &how,
                               &p.rows, err);
    if (rc) return rc;
    count_units(c, &p.rows, said);
    rc = heed__classifier_answers(c, &p, true, said->probs, err);
    if (rc == 0 && said->logits)
        memcpy(said->logits, said->probs, (size_t)(x->len * m->width) * sizeof *said->logits);
    if (rc == 0) rc = heed__classifier_finish(c, x->len, said->probs, err);
    if (rc == 0 && said->dim) rc = heed__classifier_vectors(c, &p.rows, said->vector, err);
    if (rc == 0 && said->dim) heed__unit_rows(said->vector, x->len, said->dim);
    heed__pairs_free(&p);
    return rc;
}

static int answer(heed_served *m, int64_t n, const char *const *text, heed_said *said,
                  heed_error *err) {
    const heed_examples x = { .len = n, .text = text };
    int rc = said_room(m, said, n, err);
    if (rc || n == 0) return rc;
    heed_served_copy *copy = copy_take(m);
    rc = m->task == HEED_SERVED_CLASSIFY ? classify(m, copy->c, &x, said, err)
                                         : heed_embedder_apply(copy->e, n, text, said->vector, err);
    copy_give(m, copy);
    if (rc) heed_said_free(said);
    return rc;
}

int heed_served_ask(heed_served *m, int64_t n, const char *const *text, heed_said *said,
                    heed_error *err) {
    if (m->task == HEED_SERVED_TAG)
        return heed__error(err, HEED_EINVALID, "%s is a tagger: it gives no label", m->id);
    return answer(m, n, text, said, err);
}

/* -- promises --------------------------------------------------------------------------------- */

bool heed_served_in_scope(const heed_served *m, const float *logits, double limit) {
    enum { STEP = 256 };
    static const double near = 1e-3; /* far more than single precision can be wrong */
    if (isinf(limit)) return limit < 0;
    float most = logits[0], part[STEP];
    double sum = 0;
    for (int64_t k = 1; k < m->width; k++) most = logits[k] > most ? logits[k] : most;
    for (int64_t at = 0; at < m->width; at += STEP) {
        const int64_t n = m->width - at < STEP ? m->width - at : STEP;
        for (int64_t i = 0; i < n; i++) part[i] = logits[at + i] - most;
        m->k->math->exp(part, part, n);
        for (int64_t i = 0; i < n; i++) sum += (double)part[i];
    }
    const double score = (double)most + heed__ln(sum);
    if (score > limit + near || score < limit - near) return score > limit;
    return heed__scope_score(logits, m->width) >= limit;
}

bool heed_served_is_sure(const heed_served *m, const float *probs, double limit) {
    if (isinf(limit)) return m->width == 1;
    const double about = heed__exp(-limit);
    int64_t set = 0;
    for (int64_t k = 0; k < m->width && set < 2; k++) {
        const double p = (double)probs[k];
        if (p > 2 * about)
            set++;
        else if (p > about / 2)
            set += heed__covered(probs[k], limit);
    }
    return set == 1;
}

/* -- batches ---------------------------------------------------------------------------------- */

static heed_question *question(heed_job *job) {
    return (heed_question *)(void *)job;
}

/* The part of all that belongs to one job. 0 or a status. */
static int share(const heed_served *m, const heed_said *all, int64_t at, heed_question *q,
                 heed_error *err) {
    heed_said *own = &q->said;
    const int64_t n = q->job.n;
    const int rc = said_room(m, own, n, err);
    if (rc) return rc;
    memcpy(own->seen, all->seen + at, (size_t)n * sizeof *own->seen);
    memcpy(own->total, all->total + at, (size_t)n * sizeof *own->total);
    memcpy(own->known, all->known + at, (size_t)n * sizeof *own->known);
    const size_t size = (size_t)(n * m->width) * sizeof *own->probs;
    if (own->logits) memcpy(own->logits, all->logits + at * m->width, size);
    if (own->probs) memcpy(own->probs, all->probs + at * m->width, size);
    if (own->vector)
        memcpy(own->vector, all->vector + at * m->dim, (size_t)(n * m->dim) * sizeof *own->vector);
    return 0;
}

int heed__served_batch(void *user, heed_job *job, int64_t n, heed_error *err) {
    heed_served *m = user;
    heed_said all = { 0 };
    if (!job->next) {
        all.want_vectors = question(job)->said.want_vectors;
        return answer(m, job->n, job->text, &question(job)->said, err);
    }
    const char **text = heed__calloc(&m->hooks, (size_t)n, sizeof *text);
    if (!text) return heed__error(err, HEED_ENOMEM, "%s: out of memory for a batch", m->id);
    int64_t at = 0;
    for (heed_job *j = job; j; at += j->n, j = j->next) {
        memcpy(text + at, j->text, (size_t)j->n * sizeof *text);
        all.want_vectors = all.want_vectors || question(j)->said.want_vectors;
    }
    int rc = answer(m, n, text, &all, err);
    at = 0;
    for (heed_job *j = job; rc == 0 && j; at += j->n, j = j->next)
        rc = share(m, &all, at, question(j), err);
    for (heed_job *j = job; rc && j; j = j->next) heed_said_free(&question(j)->said);
    heed_said_free(&all);
    heed__free(&m->hooks, text);
    return rc;
}

bool heed_served_ask_later(heed_served *m, heed_question *q) {
    if (m->batch) return heed_batcher_put(m->batch, &q->job);
    heed_error err = { 0 };
    const int rc = heed_served_ask(m, q->job.n, q->job.text, &q->said, &err);
    q->job.done(&q->job, rc, &err);
    return true;
}

/* -- one text --------------------------------------------------------------------------------- */

int heed_served_explain(heed_served *m, const char *text, heed_explanation *x, heed_error *err) {
    if (m->task != HEED_SERVED_CLASSIFY)
        return heed__error(err, HEED_EINVALID, "%s is no classifier: it explains no label", m->id);
    heed_served_copy *copy = copy_take(m);
    const int rc = heed_classify_explain(copy->c, text, x, err);
    copy_give(m, copy);
    /* names of this copy, which every copy has alike, are as long as the model */
    return rc;
}

int64_t heed_served_entities(heed_served *m, const char *text, heed_entity *entity, int64_t n,
                             heed_error *err) {
    if (m->task != HEED_SERVED_TAG)
        return heed__error(err, HEED_EINVALID, "%s is no tagger: it finds no entities", m->id);
    heed_served_copy *copy = copy_take(m);
    const int64_t found = heed_tagger_find(copy->t, text, entity, n, err);
    copy_give(m, copy);
    return found;
}
