/* tagger_calibrate.c: one number by which a tagger's scores are divided, so that its confidence is
 * what it says. The best sequence does not depend on it. */
#include <math.h>

#include "base/alloc.h"
#include "base/elementary.h"
#include "tasks/tagger.h"

enum { STEPS = 24, LEAST_ENTITIES = 50 };
static const double COLDEST = 0.25, HOTTEST = 8, SURE = 1e-6;

typedef struct calibration {
    heed_tagger *t;
    const heed_tagged *data;
    heed_tag_answer answer; /* tags, scores and right tags */
    int64_t entities;       /* found */
    float *room;            /* [longest,K] a sentence's scores, scaled */
} calibration;

/* Sum over the entities found in y[0..n) of -log of the confidence that was due: p where the entity
 * is right, 1 - p where it is not. A tag of the inner scheme says both ends, so that an entity is
 * right where all of its tags are. */
static double loss_of(calibration *c, const int32_t *y, const int32_t *gold, int64_t n) {
    double loss = 0;
    for (int64_t begin = 0, end; begin < n; begin = end) {
        end = begin + 1;
        const char place = heed__inner_place(y[begin]).place;
        if (place == 'O') continue;
        while (place == 'B' && end < n && heed__inner_place(y[end - 1]).place != 'E') end++;
        double p = (double)heed__lattice_part(&c->t->lattice, c->room, y, begin, end);
        p = p < SURE ? SURE : p > 1 - SURE ? 1 - SURE : p;
        bool right = true;
        for (int64_t w = begin; right && w < end; w++) right = y[w] == gold[w];
        loss -= heed__ln(right ? p : 1 - p);
        c->entities++;
    }
    return loss;
}

/* The same of all sentences at a temperature; NaN where memory is short. */
static double loss_at(calibration *c, double temperature) {
    heed_tagger *t = c->t;
    const int64_t K = t->lattice.tags;
    const float scale = (float)(1 / temperature);
    double loss = 0;
    heed_error err;
    c->entities = 0;
    if (heed__tagger_ready(t, &err)) return (double)NAN;
    heed__lattice_scale(&t->lattice, scale);
    for (int64_t i = 0; i < c->data->len; i++) {
        const int64_t at = c->data->start[i], n = c->data->start[i + 1] - at;
        for (int64_t k = 0; k < n * K; k++) c->room[k] = c->answer.scores[at * K + k] * scale;
        if (heed__lattice_sum(&t->lattice, c->room, n)) return (double)NAN;
        loss += loss_of(c, c->answer.tag + at, c->answer.gold + at, n);
    }
    return loss;
}

/* The least of a function with one valley, over the logarithm: golden section (Kiefer 1953). */
static double best_temperature(calibration *c) {
    const double part = 0.6180339887498949;
    double low = heed__ln(COLDEST), high = heed__ln(HOTTEST);
    double a = high - part * (high - low), b = low + part * (high - low);
    double at_a = loss_at(c, heed__exp(a)), at_b = loss_at(c, heed__exp(b));
    for (int i = 0; i < STEPS; i++) {
        if (at_a <= at_b) {
            high = b, b = a, at_b = at_a;
            a = high - part * (high - low);
            at_a = loss_at(c, heed__exp(a));
        } else {
            low = a, a = b, at_a = at_b;
            b = low + part * (high - low);
            at_b = loss_at(c, heed__exp(b));
        }
    }
    return isnan(at_a) || isnan(at_b) ? (double)NAN : heed__exp((low + high) / 2);
}

static int score_held_out(calibration *c, heed_error *err) {
    heed_tagger *t = c->t;
    const heed_hooks *h = &t->hooks;
    const size_t words = (size_t)c->data->start[c->data->len];
    const size_t K = (size_t)heed__inner_tags(t->types.len);
    const heed_sentences s = { c->data->len, c->data->start, c->data->word };
    const heed_tag_tables tables = heed__tagger_tables(t);
    int64_t longest = 0;
    for (int64_t i = 0; i < c->data->len; i++)
        if (c->data->start[i + 1] - c->data->start[i] > longest)
            longest = c->data->start[i + 1] - c->data->start[i];
    c->answer.tag = heed__calloc(h, words + 1, sizeof *c->answer.tag);
    c->answer.gold = heed__calloc(h, words + 1, sizeof *c->answer.gold);
    c->answer.scores = heed__calloc(h, words + 1, K * sizeof *c->answer.scores);
    c->room = heed__calloc(h, (size_t)longest + 1, K * sizeof *c->room);
    if (!c->answer.tag || !c->answer.gold || !c->answer.scores || !c->room)
        return heed__error(err, HEED_ENOMEM, "calibration: out of memory");
    heed_tag_rows rows;
    int rc = heed__tagger_gold(t, c->data, c->answer.gold, err);
    if (rc == 0) rc = heed__tag_encode(&rows, &tables, &s, h, err);
    if (rc) return rc;
    rc = heed__tagger_answer(t, &rows, &c->answer, err);
    heed__tag_rows_free(&rows);
    return rc;
}

static int measure(calibration *c, double *ece, heed_error *err) {
    heed_tag_metrics m = { 0 };
    int rc = heed__tagger_ready(c->t, err);
    if (rc == 0) rc = heed__tagger_measure(c->t, c->data, &m, true, err);
    *ece = m.ece;
    return rc;
}

int heed__tagger_calibrate(heed_tagger *t, const heed_tagged *data, heed_error *err) {
    calibration c = { .t = t, .data = data };
    t->temperature = 1;
    int rc = measure(&c, &t->ece[0], err);
    if (rc == 0) rc = score_held_out(&c, err);
    if (rc == 0) {
        double best = best_temperature(&c);
        if (c.entities < LEAST_ENTITIES) best = 1;
        if (isnan(best)) rc = heed__error(err, HEED_ENOMEM, "calibration: out of memory");
        if (rc == 0) t->temperature = best;
    }
    if (rc == 0) rc = measure(&c, &t->ece[1], err);
    heed__free(&t->hooks, c.answer.tag);
    heed__free(&t->hooks, c.answer.gold);
    heed__free(&t->hooks, c.answer.scores);
    heed__free(&t->hooks, c.room);
    return rc;
}
