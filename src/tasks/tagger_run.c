/* tagger_run.c: a tagger's answers: tags of many sentences, entities of a text, and tests. */
#include "tasks/tagger.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "tasks/bootstrap.h"
#include "tasks/metrics_impl.h"
#include "tasks/tag_score.h"
#include "text/words.h"

enum {
    BATCH = 64,
    UNITS = 16384,  /* words of a batch, padding included */
    LONGEST = 4096, /* words that are read at once */
    BESIDE = 256,   /* of them, those before and after whose states are only context */
    JOIN = 12,
    BINS = HEED_ECE_BINS
};

/* -- many sentences */

typedef struct sized {
    int64_t words, item;
} sized;

static int by_words(const void *a, const void *b) {
    const sized *x = a, *y = b;
    if (x->words != y->words) return x->words < y->words ? -1 : 1;
    return (x->item > y->item) - (x->item < y->item);
}

/* The confidence of each entity of y[0..n), at all of its words. */
static void confidence(const heed_lattice *l, const float *x, const int32_t *y, int64_t n,
                       float *sure) {
    for (int64_t begin = 0; begin < n;) {
        int64_t end = begin + 1;
        const char place = heed__inner_place(y[begin]).place;
        sure[begin] = 1;
        if (place == 'B')
            while (end < n && heed__inner_place(y[end - 1]).place != 'E') end++;
        if (place != 'O') {
            const float p = heed__lattice_part(l, x, y, begin, end);
            for (int64_t w = begin; w < end; w++) sure[w] = p;
        }
        begin = end;
    }
}

/* One sentence of words at `at`, whose scores are x. 0 or a status. */
static int decode_one(heed_tagger *t, const float *x, int64_t at, int64_t words,
                      heed_tag_answer *a) {
    heed_lattice *l = &t->lattice;
    for (int64_t k = 0; k < words * l->tags; k++)
        if (!isfinite(x[k])) {
            heed_fail(t->cx, HEED_ENONFINITE,
                      "tagger: a score is not a finite number, so the model's weights are not or "
                      "are far too large");
            return HEED_ENONFINITE;
        }
    if (a->scores) memcpy(a->scores + at * l->tags, x, (size_t)(words * l->tags) * sizeof *x);
    int rc = heed__lattice_best(l, x, words, a->tag + at);
    if (rc == 0 && (a->sure || a->gold)) rc = heed__lattice_sum(l, x, words);
    if (rc || words == 0) return rc;
    if (a->sure) confidence(l, x, a->tag + at, words, a->sure + at);
    bool known = a->gold != NULL;
    for (int64_t w = 0; known && w < words; w++) known = a->gold[at + w] >= 0;
    if (known) {
        const double own = heed__lattice_loss(l, x, a->gold + at, words);
        a->loss += own < 0 ? 0 : own; /* by rounding */
        a->told++;
    }
    return 0;
}

/* Scores [words,K] of a sentence that is too long to be read at once: of pieces that overlap. */
static int score_long(heed_tagger *t, const heed_tag_rows *rows, int64_t item, float *x) {
    const int64_t first = rows->start[item], words = rows->start[item + 1] - first;
    const int64_t K = t->lattice.tags, step = LONGEST - 2 * BESIDE;
    for (int64_t at = 0; at < words; at += step) {
        const int64_t end = at + step < words ? at + step : words;
        const int64_t from = at < BESIDE ? 0 : at - BESIDE;
        const int64_t to = end + BESIDE < words ? end + BESIDE : words;
        int64_t start[2] = { first + from, first + to }, only = 0;
        heed_tag_rows piece = *rows;
        piece.start = start;
        piece.len = 1;
        heed_tensor *lengths;
        heed_tensor *z = heed__tagger_scores(t, &piece, &only, 1, NULL, &lengths);
        if (!z) return HEED_ENOMEM;
        memcpy(x + at * K, HEED_F32_DATA(z) + (at - from) * K,
               (size_t)((end - at) * K) * sizeof *x);
        heed_ctx_reset(t->cx);
        if (end < words && t->hooks.cancel && t->hooks.cancel(t->hooks.user)) {
            heed_fail(t->cx, HEED_ECANCELLED, "stopped after %lld of %lld words", (long long)end,
                      (long long)words);
            return HEED_ECANCELLED;
        }
    }
    return 0;
}

static int decode_long(heed_tagger *t, const heed_tag_rows *rows, int64_t item,
                       heed_tag_answer *a) {
    const int64_t at = rows->start[item], words = rows->start[item + 1] - at;
    float *x = heed__calloc(&t->hooks, (size_t)words, (size_t)t->lattice.tags * sizeof *x);
    int rc = x ? score_long(t, rows, item, x) : HEED_ENOMEM;
    if (rc == 0) rc = decode_one(t, x, at, words, a);
    heed__free(&t->hooks, x);
    return rc;
}

static int decode(heed_tagger *t, const heed_tag_rows *rows, const int64_t *item, int64_t n,
                  heed_tag_answer *a) {
    heed_tensor *lengths;
    if (n == 1 && rows->start[*item + 1] - rows->start[*item] > LONGEST)
        return decode_long(t, rows, *item, a);
    heed_tensor *x = heed__tagger_scores(t, rows, item, n, NULL, &lengths);
    if (!x) return HEED_ENOMEM;
    const int64_t T = x->shape[1], K = x->shape[2];
    int rc = 0;
    for (int64_t i = 0; rc == 0 && i < n; i++) {
        const int64_t at = rows->start[item[i]], words = rows->start[item[i] + 1] - at;
        rc = decode_one(t, HEED_F32_DATA(x) + i * T * K, at, words, a);
    }
    return rc;
}

int heed__tagger_answer(heed_tagger *t, const heed_tag_rows *rows, heed_tag_answer *a,
                        heed_error *err) {
    a->loss = 0;
    a->told = 0;
    sized *order = heed__calloc(&t->hooks, (size_t)rows->len, sizeof *order);
    if (!order) return heed__error(err, HEED_ENOMEM, "tagger: out of memory");
    for (int64_t i = 0; i < rows->len; i++)
        order[i] = (sized){ rows->start[i + 1] - rows->start[i], i };
    qsort(order, (size_t)rows->len, sizeof *order, by_words);
    int rc = 0;
    for (int64_t at = 0, done; rc == 0 && at < rows->len; at = done) {
        int64_t item[BATCH], n = 0;
        for (; n < BATCH && at + n < rows->len; n++) {
            const sized *next = &order[at + n];
            if (n > 0 && (next->words > LONGEST || (n + 1) * next->words > UNITS)) break;
            item[n] = next->item;
        }
        done = at + n;
        if (decode(t, rows, item, n, a)) rc = heed__tagger_failed(t, err);
        heed_ctx_reset(t->cx);
        if (rc == 0 && done < rows->len && t->hooks.cancel && t->hooks.cancel(t->hooks.user))
            rc = heed__error(err, HEED_ECANCELLED, "stopped after %lld of %lld sentences",
                             (long long)done, (long long)rows->len);
    }
    heed__free(&t->hooks, order);
    return rc;
}

/* -- one sentence */

static int64_t entities(const heed_tagger *t, const int32_t *tag, const float *sure, int64_t words,
                        heed_entity *entity, int64_t room) {
    int64_t count = 0;
    for (int64_t w = 0; w < words;) {
        const heed_place p = heed__inner_place(tag[w]);
        int64_t n = 1;
        if (p.place == 'B')
            while (w + n < words && heed__inner_place(tag[w + n - 1]).place != 'E') n++;
        if (p.place != 'O' && count < room)
            entity[count] = (heed_entity){
                .word = w, .words = n, .type = t->types.name[p.type], .confidence = sure[w]
            };
        count += p.place != 'O';
        w += n;
    }
    return count;
}

int64_t heed_tagger_find_words(heed_tagger *t, int64_t words, const char *const *word,
                               heed_entity *entity, int64_t room, heed_error *err) {
    if (heed__lacks(t, "tag", "tagger", err) ||
        heed__lacks_list(word, words, "tag", "words", err) ||
        heed__lacks_room(entity, room, "tag", "entities", err))
        return HEED_EINVALID;
    const int64_t start[2] = { 0, words };
    const heed_tagged data = { 1, start, word, NULL };
    if (words == 0) return 0;
    const int rc = heed__tagger_check(&data, false, "tag", err);
    if (rc) return rc;
    const heed_sentences s = { 1, start, word };
    const heed_tag_tables tables = heed__tagger_tables(t);
    heed_tag_rows rows;
    int64_t got = heed__tag_encode(&rows, &tables, &s, &t->hooks, err);
    if (got) return got;
    heed_tag_answer a = { .tag = heed__calloc(&t->hooks, (size_t)words, sizeof *a.tag),
                          .sure = heed__calloc(&t->hooks, (size_t)words, sizeof *a.sure) };
    got = a.tag && a.sure ? heed__tagger_answer(t, &rows, &a, err)
                          : heed__error(err, HEED_ENOMEM, "tagger: out of memory");
    if (got == 0) got = entities(t, a.tag, a.sure, words, entity, room);
    heed__free(&t->hooks, a.tag);
    heed__free(&t->hooks, a.sure);
    heed__tag_rows_free(&rows);
    return got;
}

/* -- a text */

typedef struct cut {
    heed_cut *piece;
    char *bytes;       /* the words, each with a zero byte */
    const char **word; /* [len] into bytes */
    int64_t len, cap;
} cut;

/* Joins neighbours that touch to the longest known word: "U.S.", "1996-08-22". */
static void join(const heed_tagger *t, const char *text, cut *c) {
    char form[HEED_TAG_FORM];
    int64_t to = 0;
    for (int64_t i = 0; i < c->len;) {
        int64_t most = i + 1, best = i + 1;
        while (most < c->len && most - i < JOIN && c->piece[most].begin == c->piece[most - 1].end)
            most++;
        for (; most > i + 1 && best == i + 1; most--) {
            const size_t begin = c->piece[i].begin, size = c->piece[most - 1].end - begin;
            const size_t n = heed__tag_form(text + begin, size, form);
            if (size <= HEED_TAG_FORM && heed__vocab_find(t->vocab, form, n) != HEED_VOCAB_UNKNOWN)
                best = most;
        }
        c->piece[to++] = (heed_cut){ c->piece[i].begin, c->piece[best - 1].end };
        i = best;
    }
    c->len = to;
}

static int cut_pieces(const heed_tagger *t, const char *text, cut *c) {
    const size_t size = strlen(text);
    heed_word word;
    for (size_t at = 0; heed__word_next(text, size, &at, &word);) {
        if (heed__grow(&t->hooks, &c->piece, &c->cap, c->len + 1, sizeof *c->piece))
            return HEED_ENOMEM;
        c->piece[c->len++] = (heed_cut){ word.begin, word.end };
    }
    join(t, text, c);
    return 0;
}

int64_t heed_tagger_cut(const heed_tagger *t, const char *text, heed_cut *word, int64_t room,
                        heed_error *err) {
    if (heed__lacks(t, "tag", "tagger", err) || heed__lacks(text, "tag", "text", err) ||
        heed__lacks_room(word, room, "tag", "words", err))
        return HEED_EINVALID;
    cut c = { 0 };
    if (cut_pieces(t, text, &c)) c.len = heed__error(err, HEED_ENOMEM, "tagger: out of memory");
    for (int64_t i = 0; i < c.len && i < room; i++) word[i] = c.piece[i];
    heed__free(&t->hooks, c.piece);
    return c.len;
}

static int cut_text(const heed_tagger *t, const char *text, cut *c) {
    const int rc = cut_pieces(t, text, c);
    if (rc || c->len == 0) return rc;
    c->word = heed__calloc(&t->hooks, (size_t)c->len, sizeof *c->word);
    c->bytes = heed__calloc(&t->hooks, 1, strlen(text) + (size_t)c->len + 1);
    if (!c->word || !c->bytes) return HEED_ENOMEM;
    char *to = c->bytes;
    for (int64_t i = 0; i < c->len; i++) {
        const size_t n = c->piece[i].end - c->piece[i].begin;
        memcpy(to, text + c->piece[i].begin, n);
        c->word[i] = to;
        to += n + 1;
    }
    return 0;
}

int64_t heed_tagger_find(heed_tagger *t, const char *text, heed_entity *entity, int64_t room,
                         heed_error *err) {
    if (heed__lacks(t, "tag", "tagger", err) || heed__lacks(text, "tag", "text", err) ||
        heed__lacks_room(entity, room, "tag", "entities", err))
        return HEED_EINVALID;
    cut c = { 0 };
    int64_t count = cut_text(t, text, &c);
    if (count)
        heed__error(err, HEED_ENOMEM, "tagger: out of memory");
    else if (c.len)
        count = heed_tagger_find_words(t, c.len, c.word, entity, room, err);
    for (int64_t i = 0; i < count && i < room; i++) {
        entity[i].begin = c.piece[entity[i].word].begin;
        entity[i].end = c.piece[entity[i].word + entity[i].words - 1].end;
    }
    heed__free(&t->hooks, c.piece);
    heed__free(&t->hooks, c.word);
    heed__free(&t->hooks, c.bytes);
    return count;
}

/* -- tests */

typedef struct test {
    heed_tagger *t;
    const heed_tagged *data;
    bool interval;
    heed_types types; /* the model's and the data's */
    heed_place *gold; /* [words] */
    heed_tag_answer answer;
    heed_tag_scheme scheme;
    heed_tag_score score;
    heed_tag_count *each;           /* [sentences] */
    double sure[BINS], right[BINS]; /* of entities found: sums of confidence and of being right */
} test;

/* Confidence beside truth, of the entities found in the sentence that begins at word `begin`. */
static void add_confidence(test *x, int64_t begin) {
    for (int64_t i = 0; x->answer.sure && i < x->score.len[1]; i++) {
        const float sure = x->answer.sure[begin + x->score.chunk[1][i].begin];
        int bin = (int)(sure * (float)BINS);
        if (bin > BINS - 1) bin = BINS - 1;
        x->sure[bin] += (double)sure;
        x->right[bin] += heed__tag_score_right(&x->score, i);
    }
}

/* Counts sentence by sentence, answers written in the data's scheme. */
static int count(test *x) {
    const heed_hooks *h = &x->t->hooks;
    heed_chunk *chunk = NULL;
    heed_place *found = NULL;
    int64_t chunk_cap = 0, found_cap = 0;
    int rc = heed__tag_score_init(&x->score, x->types.len, h);
    for (int64_t i = 0; rc == 0 && i < x->data->len; i++) {
        const int64_t begin = x->data->start[i], n = x->data->start[i + 1] - begin;
        const heed_tag_count before = x->score.all;
        rc = heed__grow(h, &chunk, &chunk_cap, n + 1, sizeof *chunk);
        if (rc == 0) rc = heed__grow(h, &found, &found_cap, n + 1, sizeof *found);
        if (rc) break;
        for (int64_t w = 0; w < n; w++) {
            found[w] = heed__inner_place(x->answer.tag[begin + w]);
            if (found[w].type >= 0)
                found[w].type = heed__types_find(&x->types, x->t->types.name[found[w].type]);
        }
        const int64_t chunks = heed__chunks(found, n, chunk);
        heed__chunk_tags(chunk, chunks, n, x->scheme, found);
        rc = heed__tag_score_add(&x->score, x->gold + begin, found, n);
        if (rc == 0) add_confidence(x, begin);
        x->each[i] = (heed_tag_count){ x->score.all.gold - before.gold,
                                       x->score.all.found - before.found,
                                       x->score.all.right - before.right };
    }
    heed__free(h, chunk);
    heed__free(h, found);
    return rc;
}

static void measure_f1(const void *answers, const int32_t *times, double *out) {
    const test *x = answers;
    heed_tag_count sum = { 0 };
    for (int64_t i = 0; i < x->data->len; i++) {
        const int32_t weight = times ? times[i] : 1;
        sum.gold += weight * x->each[i].gold;
        sum.found += weight * x->each[i].found;
        sum.right += weight * x->each[i].right;
    }
    out[0] = heed__f1(&sum);
}

/* Over sentences. 0 or HEED_ENOMEM. */
static int interval_of_f1(const test *x, heed_tag_metrics *m) {
    static const heed_measures f1 = { measure_f1, 1, -1 };
    const double value = heed__f1(&x->score.all);
    heed_interval i;
    const int rc = heed__bootstrap(&f1, x, x->data->len, &value, &i, &x->t->hooks);
    if (rc == 0) m->f1_low = i.low, m->f1_high = i.high;
    return rc;
}

static void tell(const test *x, heed_tag_metrics *m) {
    const heed_tag_score *s = &x->score;
    m->n = x->data->len;
    m->words = s->words;
    m->precision = heed__precision(&s->all);
    m->recall = heed__recall(&s->all);
    m->f1 = heed__f1(&s->all);
    m->loss = x->answer.told ? x->answer.loss / (double)x->answer.told : (double)NAN;
    m->accuracy = s->words ? (double)s->right_words / (double)s->words : 0;
    m->ece = 0;
    for (int k = 0; k < BINS && s->all.found; k++)
        m->ece += fabs(x->sure[k] - x->right[k]) / (double)s->all.found;
    m->gold = s->all.gold;
    m->found = s->all.found;
    m->right = s->all.right;
    m->scheme = heed__scheme_name(x->scheme);
    m->unknown_types = m->type_len = 0;
    for (int64_t i = 0; i < s->types; i++) {
        const heed_tag_count *c = &s->type[i];
        const int32_t own = heed__types_find(&x->t->types, x->types.name[i]);
        if (own < 0) {
            m->unknown_types += c->gold;
            continue;
        }
        if (m->type_len == m->type_cap || c->gold + c->found == 0) continue;
        m->type[m->type_len++] = (heed_type_metrics){ .type = x->t->types.name[own],
                                                      .precision = heed__precision(c),
                                                      .recall = heed__recall(c),
                                                      .f1 = heed__f1(c),
                                                      .gold = c->gold,
                                                      .found = c->found,
                                                      .right = c->right };
    }
}

static int run_test(test *x, heed_tag_metrics *m, heed_error *err) {
    heed_tagger *t = x->t;
    const heed_hooks *h = &t->hooks;
    const size_t words = (size_t)x->data->start[x->data->len];
    const heed_sentences s = { x->data->len, x->data->start, x->data->word };
    const heed_tag_tables tables = heed__tagger_tables(t);
    heed_tag_rows rows = { 0 };
    int rc = 0;
    for (int64_t i = 0; rc == 0 && i < t->types.len; i++)
        rc = heed__types_add(&x->types, t->types.name[i]);
    x->gold = heed__calloc(h, words + 1, sizeof *x->gold);
    x->answer.tag = heed__calloc(h, words + 1, sizeof *x->answer.tag);
    x->answer.gold = heed__calloc(h, words + 1, sizeof *x->answer.gold);
    x->each = heed__calloc(h, (size_t)x->data->len, sizeof *x->each);
    if (x->interval) x->answer.sure = heed__calloc(h, words + 1, sizeof *x->answer.sure);
    if (rc || (x->interval && !x->answer.sure) || !x->gold || !x->answer.tag || !x->answer.gold ||
        !x->each)
        return heed__error(err, HEED_ENOMEM, "test: out of memory");
    rc = heed__tagger_places(x->data, &x->types, x->gold, &x->scheme, err);
    if (rc == 0) rc = heed__tag_encode(&rows, &tables, &s, h, err);
    if (rc == 0) rc = heed__tagger_gold(t, x->data, x->answer.gold, err);
    if (rc == 0) rc = heed__tagger_answer(t, &rows, &x->answer, err);
    heed__tag_rows_free(&rows);
    if (rc) return rc;
    rc = count(x);
    if (rc == 0 && x->interval) rc = interval_of_f1(x, m);
    if (rc) return heed__error(err, rc, "test: out of memory");
    tell(x, m);
    return 0;
}

int heed_tagger_test(heed_tagger *t, const heed_tagged *data, heed_tag_metrics *m,
                     heed_error *err) {
    if (heed__lacks(t, "test", "tagger", err) ||
        heed__lacks(data, "test", "list of sentences", err) ||
        heed__lacks(m, "test", "room for measures", err) ||
        heed__lacks_room(m->type, m->type_cap, "test", "types", err))
        return HEED_EINVALID;
    const int rc = heed__tagger_check(data, true, "test", err);
    return rc ? rc : heed__tagger_measure(t, data, m, true, err);
}

int heed__tagger_measure(heed_tagger *t, const heed_tagged *data, heed_tag_metrics *m,
                         bool interval, heed_error *err) {
    test x = { .t = t, .data = data, .interval = interval, .types.hooks = t->hooks };
    int rc;
    rc = run_test(&x, m, err);
    heed__types_free(&x.types);
    heed__tag_score_free(&x.score);
    heed__free(&t->hooks, x.gold);
    heed__free(&t->hooks, x.answer.tag);
    heed__free(&t->hooks, x.answer.gold);
    heed__free(&t->hooks, x.answer.sure);
    heed__free(&t->hooks, x.each);
    return rc;
}
