/* desk_shelf.c: an inverted index in memory, and vectors beside it. */
#include "serve/desk_shelf.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/elementary.h"

#define K1     1.2
#define B      0.75
#define COMMON 0.1  /* what words of every question count in one */
#define ACROSS 0.25 /* what a pair of ideographs counts that no text holds: many are no word */
enum { LANES = 16, MOST_TERMS = 4096 };

/* -- filling ---------------------------------------------------------------------------------- */

static int count_terms(heed_shelf *s, int64_t n, const char *const *text, double *len) {
    double sum = 0;
    for (int64_t i = 0; i < n; i++) {
        heed_terms t;
        heed_term term;
        int64_t terms = 0;
        heed__terms_begin(&t, text[i], strlen(text[i]));
        for (; heed__terms_next(&t, &term); terms++)
            if (heed__vocab_count(s->vocab, term.form, (size_t)term.len)) return HEED_ENOMEM;
        s->norm[i] = (double)terms;
        sum += (double)terms;
    }
    *len = sum > 0 ? sum / (double)n : 1;
    return heed__vocab_finish(s->vocab, INT32_MAX);
}

/* Goes through all terms text by text. seen [terms]: 1 + the last text that held each; at [terms]:
 * where its last entry stands, or, without `text`, how many there are. */
static void each_entry(heed_shelf *s, const char *const *text, int64_t *seen, int64_t *at) {
    for (int64_t i = 0; i < s->len; i++) {
        heed_terms t;
        heed_term term;
        heed__terms_begin(&t, text[i], strlen(text[i]));
        while (heed__terms_next(&t, &term)) {
            const int32_t id = heed__vocab_find(s->vocab, term.form, (size_t)term.len);
            const bool again = seen[id] == i + 1;
            seen[id] = i + 1;
            if (!again) at[id]++;
            if (!s->text) continue;
            s->text[at[id] - 1] = (int32_t)i;
            s->count[at[id] - 1]++;
        }
    }
}

static int make_lists(heed_shelf *s, const char *const *text, int64_t *seen, int64_t *at) {
    each_entry(s, text, seen, at);
    for (int64_t k = 0; k < s->terms; k++) s->start[k + 1] = s->start[k] + at[k];
    const size_t all = (size_t)s->start[s->terms];
    int32_t *held = heed__calloc(&s->hooks, all, sizeof *held);
    s->count = heed__calloc(&s->hooks, all, sizeof *s->count);
    s->text = held;
    if (!held || !s->count) return HEED_ENOMEM;
    memset(seen, 0, (size_t)s->terms * sizeof *seen);
    memcpy(at, s->start, (size_t)s->terms * sizeof *at);
    each_entry(s, text, seen, at);
    return 0;
}

static double rarity(int64_t n, int64_t held) {
    return heed__ln(1 + ((double)n - (double)held + 0.5) / ((double)held + 0.5));
}

static int fill(heed_shelf *s, const char *const *text, heed_error *err) {
    double mean;
    s->norm = heed__calloc(&s->hooks, (size_t)s->len, sizeof *s->norm);
    s->vocab = heed__vocab_new(&s->hooks, err);
    if (!s->norm || !s->vocab || count_terms(s, s->len, text, &mean)) return HEED_ENOMEM;
    s->terms = heed__vocab_len(s->vocab);
    int64_t *seen = heed__calloc(&s->hooks, (size_t)s->terms, sizeof *seen);
    int64_t *at = heed__calloc(&s->hooks, (size_t)s->terms, sizeof *at);
    s->start = heed__calloc(&s->hooks, (size_t)s->terms + 1, sizeof *s->start);
    s->idf = heed__calloc(&s->hooks, (size_t)s->terms, sizeof *s->idf);
    int rc = seen && at && s->start && s->idf ? make_lists(s, text, seen, at) : HEED_ENOMEM;
    heed__free(&s->hooks, seen);
    heed__free(&s->hooks, at);
    if (rc) return rc;
    for (int64_t k = 0; k < s->terms; k++)
        s->idf[k] = rarity(s->len, s->start[k + 1] - s->start[k]);
    for (int64_t i = 0; i < s->len; i++) s->norm[i] = K1 * (1 - B + B * s->norm[i] / mean);
    s->rare = rarity(s->len, s->len > 0); /* as one that a single text holds */
    return 0;
}

int heed__shelf_fill(heed_shelf *s, int64_t n, const char *const *text, const heed_hooks *hooks,
                     heed_error *err) {
    *s = (heed_shelf){ .len = n };
    if (hooks) s->hooks = *hooks;
    const int rc = n > INT32_MAX ? HEED_ENOMEM : fill(s, text, err);
    if (rc == 0) return 0;
    heed__shelf_free(s);
    return heed__error(err, rc, "desk: out of memory");
}

void heed__shelf_free(heed_shelf *s) {
    heed__vocab_free(s->vocab);
    heed__free(&s->hooks, s->start);
    heed__free(&s->hooks, s->text);
    heed__free(&s->hooks, s->count);
    heed__free(&s->hooks, s->norm);
    heed__free(&s->hooks, s->idf);
    heed__free(&s->hooks, s->vector);
    *s = (heed_shelf){ 0 };
}

/* -- asking ----------------------------------------------------------------------------------- */

typedef struct terms_asked {
    struct asked {
        int32_t term;
        double plain; /* weight of the term where common ones count little */
    } * term;         /* [MOST_TERMS] */
    int64_t len;
    double unknown, unknown_plain; /* terms that no text holds */
} terms_asked;

static int by_term(const void *a, const void *b) {
    const int32_t x = ((const struct asked *)a)->term, y = ((const struct asked *)b)->term;
    return (x > y) - (x < y);
}

/* The question's terms, each once: a word said twice asks for no more. */
static bool ask_terms(const heed_shelf *s, const heed_query *q, terms_asked *a) {
    heed_terms t;
    heed_term term;
    *a = (terms_asked){ .term = heed__calloc(&s->hooks, MOST_TERMS, sizeof *a->term) };
    if (!a->term) return false;
    heed__terms_begin(&t, q->text, strlen(q->text));
    while (a->len < MOST_TERMS && heed__terms_next(&t, &term)) {
        const int32_t id = heed__vocab_find(s->vocab, term.form, (size_t)term.len);
        const double plain = term.common ? COMMON : 1;
        if (id == HEED_VOCAB_UNKNOWN) {
            const double part = (unsigned char)term.form[0] < 0x80 ? 1 : ACROSS;
            a->unknown += part * s->rare;
            a->unknown_plain += part * plain * s->rare;
        } else {
            a->term[a->len++] = (struct asked){ id, plain };
        }
    }
    qsort(a->term, (size_t)a->len, sizeof *a->term, by_term);
    int64_t n = 0;
    for (int64_t i = 0; i < a->len; i++)
        if (!n || a->term[n - 1].term != a->term[i].term) a->term[n++] = a->term[i];
    a->len = n;
    return true;
}

static double dot(const float *a, const float *b, int64_t n) {
    float lane[LANES] = { 0 };
    double sum = 0;
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (int k = 0; k < LANES; k++) lane[k] += a[i + k] * b[i + k];
    for (; i < n; i++) lane[i % LANES] += a[i] * b[i];
    for (int k = 0; k < LANES; k++) sum += (double)lane[k];
    return sum;
}

double heed__shelf_cover(const heed_shelf *s, const heed_query *q, const char *text, size_t size) {
    terms_asked a;
    heed_terms t;
    heed_term term;
    double held = 0;
    if (!ask_terms(s, q, &a)) return -1;
    double most = a.unknown_plain;
    for (int64_t k = 0; k < a.len; k++) most += a.term[k].plain * s->idf[a.term[k].term];
    heed__terms_begin(&t, text, size);
    while (heed__terms_next(&t, &term)) {
        const int32_t id = heed__vocab_find(s->vocab, term.form, (size_t)term.len);
        for (int64_t k = 0; k < a.len; k++) {
            if (a.term[k].term != id) continue;
            held += a.term[k].plain * s->idf[id];
            a.term[k].term = -1; /* once */
        }
    }
    heed__free(&s->hooks, a.term);
    return most > 0 ? held / most : 0;
}

int heed__shelf_ask(const heed_shelf *s, const heed_query *q, heed_near *near, heed_error *err) {
    terms_asked a;
    if (!ask_terms(s, q, &a)) return heed__error(err, HEED_ENOMEM, "desk: out of memory");
    double most = a.unknown, plain = a.unknown_plain;
    memset(near, 0, (size_t)s->len * sizeof *near);
    for (int64_t k = 0; k < a.len; k++) {
        const int32_t term = a.term[k].term;
        const double idf = s->idf[term];
        most += idf;
        plain += a.term[k].plain * idf;
        for (int64_t i = s->start[term]; i < s->start[term + 1]; i++) {
            heed_near *of = &near[s->text[i]];
            const double tf = (double)s->count[i];
            of->words += idf * tf / (tf + s->norm[s->text[i]]);
            of->whole += idf;
            of->cover += a.term[k].plain * idf;
        }
    }
    for (int64_t i = 0; i < s->len; i++) {
        near[i].words /= most > 0 ? most : 1;
        near[i].whole /= most > 0 ? most : 1;
        near[i].cover /= plain > 0 ? plain : 1;
        if (s->vector && q->vector) near[i].cosine = dot(s->vector + i * s->dim, q->vector, s->dim);
    }
    heed__free(&s->hooks, a.term);
    return 0;
}
