/* train_report_tags.c: the page about a tagger's run. An answer is an entity, found or missed; the
 * label of what is none stands after the types. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "app/messages.h"
#include "app/report.h"
#include "app/train_report.h"
#include "base/alloc.h"
#include "base/buffer.h"

enum { AROUND = 12 }; /* words shown on either side of an entity */

typedef struct entities {
    heed_tagger *t;
    const heed_tagged *data;
    heed_outcome *o;
    const char **text; /* [len] each to be freed */
    int64_t len, cap, text_cap;
    /* of the sentence at hand */
    heed_place *gold;
    heed_chunk *chunk;
    heed_entity *found;
    bool *met; /* of the chunks */
    int64_t gold_cap, chunk_cap, found_cap, met_cap;
} entities;

static void free_entities(entities *e) {
    for (int64_t i = 0; i < e->len; i++) heed__free(NULL, (char *)e->text[i]);
    heed__free(NULL, e->text);
    heed__free(NULL, e->o);
    heed__free(NULL, e->gold);
    heed__free(NULL, e->chunk);
    heed__free(NULL, e->found);
    heed__free(NULL, e->met);
}

static const char *label_name(void *t, int64_t i) {
    const char *type = heed_tagger_type(t, i);
    return !type ? tr("(none)") : *type ? type : tr("(no type)");
}

/* Words [begin,end) of sentence i in brackets, among those around. */
static char *shown(const heed_tagged *data, int64_t i, int64_t begin, int64_t end) {
    heed_text b = { 0 };
    const char *const *word = data->word + data->start[i];
    const int64_t n = data->start[i + 1] - data->start[i];
    const int64_t from = begin > AROUND ? begin - AROUND : 0, rest = n - end;
    const int64_t to = rest > AROUND ? end + AROUND : n;
    if (from) heed__text_format(&b, "\xe2\x80\xa6 ");
    for (int64_t w = from; w < to; w++)
        heed__text_format(&b, "%s%s%s%s", w > from ? " " : "", w == begin ? "[" : "", word[w],
                          w + 1 == end ? "]" : "");
    if (to < n) heed__text_format(&b, " \xe2\x80\xa6");
    return heed__text_take(&b, NULL);
}

static int add(entities *e, int64_t i, int64_t begin, int64_t end, heed_outcome o) {
    if (heed__grow(NULL, &e->o, &e->cap, e->len + 1, sizeof *e->o) ||
        heed__grow(NULL, &e->text, &e->text_cap, e->len + 1, sizeof *e->text))
        return HEED_ENOMEM;
    e->text[e->len] = shown(e->data, i, begin, end);
    if (!e->text[e->len]) return HEED_ENOMEM;
    e->o[e->len++] = o;
    return 0;
}

static int32_t type_of(const heed_tagger *t, const char *name) {
    const int64_t types = heed_tagger_types(t);
    for (int64_t k = 0; k < types; k++)
        if (strcmp(heed_tagger_type(t, k), name) == 0) return (int32_t)k;
    return (int32_t)types; /* one that it does not have: never found */
}

/* The entities that the data have in sentence i, into chunk. How many. */
static int64_t right_ones(entities *e, int64_t i, int64_t n) {
    for (int64_t w = 0; w < n; w++) {
        heed_tag tag;
        const bool is = heed__tag_parse(e->data->tag[e->data->start[i] + w], &tag);
        const bool out = !is || tag.place == 'O';
        e->gold[w] = (heed_place){ out ? 'O' : tag.place, out ? -1 : type_of(e->t, tag.type) };
    }
    const int64_t chunks = heed__chunks(e->gold, n, e->chunk);
    memset(e->met, 0, (size_t)n * sizeof *e->met);
    return chunks;
}

static int sentence(entities *e, int64_t i, heed_error *err) {
    const int64_t n = e->data->start[i + 1] - e->data->start[i];
    const int32_t none = (int32_t)heed_tagger_types(e->t);
    int rc = heed__grow(NULL, &e->gold, &e->gold_cap, n, sizeof *e->gold);
    if (!rc) rc = heed__grow(NULL, &e->chunk, &e->chunk_cap, n, sizeof *e->chunk);
    if (!rc) rc = heed__grow(NULL, &e->found, &e->found_cap, n, sizeof *e->found);
    if (!rc) rc = heed__grow(NULL, &e->met, &e->met_cap, n, sizeof *e->met);
    if (rc) return heed__error(err, rc, "report: out of memory");
    const int64_t chunks = right_ones(e, i, n);
    const int64_t found = heed_tagger_find_words(e->t, n, e->data->word + e->data->start[i],
                                                 e->found, n, err);
    if (found < 0) return (int)found;
    for (int64_t k = 0; rc == 0 && k < found; k++) {
        const heed_entity *x = &e->found[k];
        heed_outcome o = { none, type_of(e->t, x->type), x->confidence, 0 };
        for (int64_t c = 0; c < chunks; c++) {
            if (e->chunk[c].begin != x->word || e->chunk[c].end != x->word + x->words) continue;
            o.right = e->chunk[c].type == none ? -1 : e->chunk[c].type;
            e->met[c] = true;
        }
        rc = add(e, i, x->word, x->word + x->words, o);
    }
    for (int64_t c = 0; rc == 0 && c < chunks; c++) {
        const heed_chunk *x = &e->chunk[c];
        const heed_outcome o = { x->type == none ? -1 : x->type, none, 0, 0 };
        if (!e->met[c]) rc = add(e, i, x->begin, x->end, o);
    }
    return rc ? heed__error(err, rc, "report: out of memory") : 0;
}

int train_report_tags(heed_tagger *t, const heed_tagged *held, const report_of *of,
                      heed_error *err) {
    char title[4200], text[9][80];
    double ece[2] = { 0 };
    heed_tag_metrics m = { .type = NULL };
    entities e = { .t = t, .data = held };
    int rc = held->len ? heed_tagger_test(t, held, &m, err) : 0;
    for (int64_t i = 0; rc == 0 && i < held->len; i++) rc = sentence(&e, i, err);
    snprintf(title, sizeof title, tr("%s, learnt by a tagger"), of->file);
    snprintf(text[0], sizeof *text, "%" PRId64, heed_tagger_types(t));
    snprintf(text[1], sizeof *text, "%" PRId64, heed_tagger_parameters(t));
    snprintf(text[2], sizeof *text, "%.1f s", of->seconds);
    snprintf(text[3], sizeof *text, "%" PRIu64, t->seed);
    snprintf(text[4], sizeof *text, "%" PRId64, m.n);
    snprintf(text[5], sizeof *text, tr("%.4f (95 %%: %.4f to %.4f)"), m.f1, m.f1_low, m.f1_high);
    snprintf(text[6], sizeof *text, "%.4f, %.4f", m.precision, m.recall);
    snprintf(text[7], sizeof *text, "%.4f", m.accuracy);
    const double temperature = heed_tagger_temperature(t, ece);
    snprintf(text[8], sizeof *text, tr("%.4f; temperature %.3g, before %.4f"), m.ece, temperature,
             ece[0]);
    const report_fact facts[] = { { "heed", heed_version() },
                                  { "types", text[0] },
                                  { "parameters", text[1] },
                                  { "trained in", text[2] },
                                  { "seed", text[3] },
                                  { held->len ? "sentences held out" : NULL, text[4] },
                                  { "F1 of entities", text[5] },
                                  { "precision, recall", text[6] },
                                  { "accuracy of words", text[7] },
                                  { "calibration error of entities found", text[8] },
                                  { NULL, NULL } };
    report r = { .title = title,
                 .fact = facts,
                 .n = e.len,
                 .labels = heed_tagger_types(t) + 1,
                 .o = e.o,
                 .text = e.text,
                 .label = label_name,
                 .arg = t };
    if (rc == 0) rc = train_report_write(&r, of, err);
    free_entities(&e);
    return rc;
}
