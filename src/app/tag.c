/* tag.c: what commands do with taggers: their data, `heed test` and `heed predict`. */
#include "app/messages.h"
#include "app/tag.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/commands.h"
#include "app/data.h"
#include "app/print.h"
#include "base/alloc.h"
#include "base/text.h"
#include "io/config.h"
#include "io/dataset.h"
#include "base/input.h"
#include "tasks/tags.h"

bool tag_is_tagger(const char *dir) {
    json_t *tree = heed__config_load(NULL, dir, INT32_MAX, NULL);
    const char *task = json_string_value(json_object_get(tree, "task"));
    const bool yes = task && strcmp(task, "tag") == 0;
    json_decref(tree);
    return yes;
}

/* -- data */

/* As with what is wrong in a file else, ten lines are told at once. */
static int wrong_tags(const heed_conll *c, const char *file, heed_error *err) {
    int64_t wrong = 0;
    char said[MESSAGE_SIZE];
    heed_tag tag;
    for (int64_t w = 0; w < c->tokens && wrong < HEED_PROBLEMS; w++) {
        if (heed__tag_parse(c->tag[w], &tag)) continue;
        if (wrong == 1) complain("%s\n", tr_made(err->msg, said));
        heed__error(err, HEED_EFORMAT,
                    "%.300s:%" PRId64 ": '%.60s' is no tag: O, or one of B I E S M L U with '-' "
                    "and a type",
                    data_name(file), c->line[w], c->tag[w]);
        if (wrong++ >= 1) complain("%s\n", tr_made(err->msg, said));
    }
    if (wrong < 2) return wrong ? err->code : 0;
    return heed__error(err, HEED_EFORMAT,
                       "%.300s: %s%" PRId64
                       " lines are wrong; a tagger reads a word and its tag in each line",
                       data_name(file), wrong == HEED_PROBLEMS ? "at least " : "", wrong);
}

int tag_read(heed_conll *c, const char *file, const heed_conll_cfg *cfg, heed_error *err) {
    heed_problems problems = { 0 };
    const heed_hooks hooks = { .cancel = command_cancelled };
    heed_conll_cfg own = *cfg;
    own.problems = &problems;
    own.hooks = &hooks;
    const int rc = heed__conll_read(c, file, &own, err);
    if (rc == 0) return cfg->token_only ? 0 : wrong_tags(c, file, err);
    if (rc != HEED_EFORMAT || problems.count < 2) return rc;
    char text[MESSAGE_SIZE];
    for (int64_t i = 0; i < problems.count; i++) complain("%s\n", tr_made(problems.text[i], text));
    return heed__error(err, rc, "%.300s: %s%" PRId64 " lines are wrong", data_name(file),
                       problems.count == HEED_PROBLEMS ? "at least " : "", problems.count);
}

void tag_describe(const heed_conll *c, const char *file) {
    heed_scheme_guess guess = { 0 };
    char how[MESSAGE_SIZE];
    for (int64_t i = 0; i < c->len; i++)
        for (int64_t w = c->first[i]; w < c->first[i + 1]; w++) {
            heed_tag tag = { 0 }, before = { 0 };
            heed__tag_parse(c->tag[w], &tag);
            const bool first = w == c->first[i];
            if (!first) heed__tag_parse(c->tag[w - 1], &before);
            heed__scheme_see_next(&guess, first ? NULL : &before, &tag);
        }
    printf(tr("%s: %" PRId64 " sentences, %" PRId64 " words; %s; tags are %s\n"), data_name(file),
           c->len, c->tokens, tr_made(c->how, how), heed__scheme_name(heed__scheme_of(&guess)));
    fflush(stdout);
}

/* -- test */

static void print_test(const heed_tag_metrics *m, const char *file) {
    printf(tr("%s: %" PRId64 " sentences, %" PRId64 " words; tags are %s\n"), data_name(file), m->n,
           m->words, m->scheme);
    printf(tr("F1: %.4f (95 %%: %.4f to %.4f)\n"), m->f1, m->f1_low, m->f1_high);
    if (isfinite(m->loss)) printf(tr("Test Loss: %.4f\n"), m->loss);
    printf(tr("Precision: %.4f\nRecall: %.4f\n"), m->precision, m->recall);
    printf(tr("Word Accuracy: %.4f\n"), m->accuracy);
    printf(tr("Calibration error of entities: %.4f\n"), m->ece);
    printf(tr("Entities: %" PRId64 ", found %" PRId64 ", right %" PRId64 "\n"), m->gold, m->found,
           m->right);
    for (int64_t i = 0; i < m->type_len; i++) {
        const heed_type_metrics *t = &m->type[i];
        printf(tr("  %-16s F1 %.4f  precision %.4f  recall %.4f  of %" PRId64 "\n"),
               *t->type ? t->type : tr("(no type)"), t->f1, t->precision, t->recall, t->gold);
    }
    if (m->unknown_types)
        printf(tr("%" PRId64 " entities have a type that the model does not: counted as missed\n"),
               m->unknown_types);
}

static void number(const char *name, double value, const char *after) {
    printf("\"%s\": ", name);
    print_json_number(value);
    printf("%s", after);
}

/* docs/schemas/test_tag.json */
static void print_test_json(const heed_tag_metrics *m) {
    printf("{\"n\": %" PRId64 ", ", m->n);
    number("loss", m->loss, ", ");
    number("f1", m->f1, ", ");
    number("precision", m->precision, ", ");
    number("recall", m->recall, ", ");
    number("ece", m->ece, ", ");
    number("accuracy", m->accuracy, ", \"intervals\": {\"f1\": [");
    print_json_number(m->f1_low);
    printf(", ");
    print_json_number(m->f1_high);
    printf("]}, \"words\": %" PRId64 ", \"scheme\": \"%s\", \"entities\": %" PRId64
           ", \"found\": %" PRId64 ", \"right\": %" PRId64 ", \"unknown_types\": %" PRId64
           ", \"types\": [",
           m->words, m->scheme, m->gold, m->found, m->right, m->unknown_types);
    for (int64_t i = 0; i < m->type_len; i++) {
        const heed_type_metrics *t = &m->type[i];
        printf("%s{\"type\": ", i ? ", " : "");
        print_json_text(t->type, strlen(t->type));
        printf(", \"n\": %" PRId64 ", \"found\": %" PRId64 ", \"right\": %" PRId64 ", ", t->gold,
               t->found, t->right);
        number("precision", t->precision, ", ");
        number("recall", t->recall, ", ");
        number("f1", t->f1, "}");
    }
    printf("]}\n");
}

int tag_test(const char *dir, const char *file, const heed_conll_cfg *cfg,
             const heed_open_cfg *open, bool json, heed_error *err) {
    heed_tagger *t = heed_tagger_open(dir, open, err);
    if (!t) return err->code;
    heed_conll c = { 0 };
    int rc = tag_read(&c, file, cfg, err);
    heed_tag_metrics m = { .type_cap = heed_tagger_types(t) };
    m.type = rc ? NULL : heed__calloc(NULL, (size_t)m.type_cap, sizeof *m.type);
    if (rc == 0 && !m.type) rc = heed__error(err, HEED_ENOMEM, "test: out of memory");
    if (rc == 0) {
        const heed_tagged data = { c.len, c.first, c.token, c.tag };
        rc = heed_tagger_test(t, &data, &m, err);
    }
    if (rc == 0 && json)
        print_test_json(&m);
    else if (rc == 0)
        print_test(&m, file);
    heed__free(NULL, m.type);
    heed__conll_free(&c);
    heed_tagger_close(t);
    return rc;
}

/* -- predict */

typedef struct finder {
    heed_tagger *t;
    const tag_predict_cfg *cfg;
    heed_entity *entity;
    heed_cut *cut;
    const char **word;
    char *bytes; /* the words of a line, each with a zero byte */
    int64_t entity_cap, cut_cap, word_cap, byte_cap;
    int64_t number; /* of the line or sentence */
} finder;

/* A place in a text, in bytes and in code points; it only goes on. */
typedef struct spot {
    const char *text;
    size_t byte;
    int64_t point;
} spot;

static int64_t point_at(spot *p, size_t byte) {
    for (; p->byte < byte; p->byte++) p->point += ((unsigned char)p->text[p->byte] & 0xc0) != 0x80;
    return p->point;
}

static void print_entities(const finder *f, const char *text, int64_t count) {
    spot at = { .text = text };
    for (int64_t i = 0; i < count; i++) {
        const heed_entity *e = &f->entity[i];
        const int64_t begin = point_at(&at, e->begin), end = point_at(&at, e->end);
        printf("%" PRId64 "\t%s\t%.4f\t%" PRId64 "\t%" PRId64 "\t%.*s\n", f->number, e->type,
               (double)e->confidence, begin, end, (int)(e->end - e->begin), text + e->begin);
    }
}

/* docs/schemas/predict_tag.json */
static void print_entities_json(const finder *f, const char *text, int64_t count, int64_t words) {
    spot at = { .text = text };
    printf("{\"text\": ");
    print_json_text(text, strlen(text));
    printf(", \"words\": %" PRId64 ", \"entities\": [", words);
    for (int64_t i = 0; i < count; i++) {
        const heed_entity *e = &f->entity[i];
        const int64_t begin = point_at(&at, e->begin), end = point_at(&at, e->end);
        printf("%s{\"type\": ", i ? ", " : "");
        print_json_text(e->type, strlen(e->type));
        printf(", \"text\": ");
        print_json_text(text + e->begin, e->end - e->begin);
        printf(", \"start\": %" PRId64 ", \"end\": %" PRId64
               ", \"bytes\": [%zu, %zu], \"words\": [%" PRId64 ", %" PRId64 "], ",
               begin, end, e->begin, e->end, e->word, e->word + e->words);
        number("confidence", (double)e->confidence, "}");
    }
    printf("]}\n");
}

static void print_columns(const finder *f, const char *const *word, int64_t words, int64_t count) {
    heed_tag_scheme scheme = HEED_TAGS_BIO;
    heed__scheme_find(heed_tagger_scheme(f->t), &scheme);
    heed_types one = { 0 };
    int64_t next = 0;
    for (int64_t w = 0; w < words; w++) {
        const heed_entity *e = next < count ? &f->entity[next] : NULL;
        if (!e || w < e->word) {
            printf("%s\tO\t1\n", word[w]);
            continue;
        }
        heed_place place = { 'I', 0 };
        const bool ends = scheme != HEED_TAGS_BIO && scheme != HEED_TAGS_IOB1;
        const heed_entity *before = next ? &f->entity[next - 1] : NULL;
        const bool touches = before && before->word + before->words == e->word &&
                             strcmp(before->type, e->type) == 0;
        if (w == e->word && (scheme != HEED_TAGS_IOB1 || touches)) place.place = 'B';
        if (ends && w + 1 == e->word + e->words) place.place = e->words == 1 ? 'S' : 'E';
        char text[512], *name = (char *)(uintptr_t)e->type;
        one.name = &name;
        one.len = 1;
        printf("%s\t%s\t%.4f\n", word[w], heed__tag_text(place, scheme, &one, text, sizeof text),
               (double)e->confidence);
        if (w + 1 == e->word + e->words) next++;
    }
    printf("\n");
}

static int grow_entities(finder *f, int64_t words) {
    return heed__grow(NULL, &f->entity, &f->entity_cap, words + 1, sizeof *f->entity);
}

/* The words of a line into f->word. Their number, or a negative status. */
static int64_t cut(finder *f, const char *text, heed_error *err) {
    const size_t size = strlen(text);
    int64_t n = heed_tagger_cut(f->t, text, f->cut, f->cut_cap, err);
    if (n < 0) return n;
    int rc = grow_entities(f, n);
    if (rc == 0 && n > f->cut_cap) {
        rc = heed__grow(NULL, &f->cut, &f->cut_cap, n, sizeof *f->cut);
        if (rc == 0) n = heed_tagger_cut(f->t, text, f->cut, f->cut_cap, err);
    }
    if (rc == 0) rc = heed__grow(NULL, &f->word, &f->word_cap, n + 1, sizeof *f->word);
    if (rc == 0) rc = heed__grow(NULL, &f->bytes, &f->byte_cap, (int64_t)size + n + 1, 1);
    if (rc) return heed__error(err, rc, "predict: out of memory");
    char *to = f->bytes;
    for (int64_t i = 0; i < n; i++) {
        const size_t len = f->cut[i].end - f->cut[i].begin;
        memcpy(to, text + f->cut[i].begin, len);
        to[len] = 0;
        f->word[i] = to;
        to += len + 1;
    }
    return n;
}

/* Prints the entities of a text, whose words are at f->cut. */
static int answer(finder *f, const char *text, const char *const *word, int64_t words,
                  heed_error *err) {
    const int64_t count =
        words ? heed_tagger_find_words(f->t, words, word, f->entity, f->entity_cap, err) : 0;
    if (count < 0) return (int)count;
    for (int64_t i = 0; i < count; i++) {
        heed_entity *e = &f->entity[i];
        e->begin = f->cut[e->word].begin;
        e->end = f->cut[e->word + e->words - 1].end;
    }
    if (f->cfg->json)
        print_entities_json(f, text, count, words);
    else if (f->cfg->conll)
        print_columns(f, word, words, count);
    else
        print_entities(f, text, count);
    return print_flush(err); /* who waits at the other end of a pipe gets each at once */
}

static int find_line(finder *f, const char *text, heed_error *err) {
    const int64_t words = cut(f, text, err);
    return words < 0 ? (int)words : answer(f, text, f->word, words, err);
}

/* A stop within a sentence is told with the sentence's place. */
static int placed(int rc, const char *name, int64_t line, heed_error *err) {
    const heed_error why = *err;
    return rc == HEED_ECANCELLED
               ? heed__error(err, rc, "%.300s:%" PRId64 ": %s", name, line, why.msg)
               : rc;
}

static int each_line(finder *f, heed_input *in, heed_error *err) {
    char *text;
    size_t size;
    int rc = 0, got = 0;
    while (rc == 0 && (got = heed__input_line(in, &text, &size, err)) == HEED_LINE_ONE) {
        f->number = heed__input_line_number(in);
        if (command_cancelled(NULL))
            rc = heed__error(err, HEED_ECANCELLED, "%.300s: stopped before line %" PRId64,
                             heed__input_name(in), f->number);
        else if (memchr(text, 0, size) || heed__utf8_check(text, size) < size)
            rc = heed__error(err, HEED_EFORMAT, "%.300s:%" PRId64 ": %s", heed__input_name(in),
                             f->number, memchr(text, 0, size) ? "a zero byte" : "not UTF-8");
        else
            rc = placed(find_line(f, text, err), heed__input_name(in), f->number, err);
    }
    if (rc == 0 && got == HEED_LINE_LONG)
        rc = heed__error(err, HEED_EFORMAT, "%.300s:%" PRId64 ": a line of more than %d MB",
                         heed__input_name(in), heed__input_line_number(in), HEED_LINE_MOST >> 20);
    return rc ? rc : got < 0 ? got : 0;
}

/* A sentence of columns as a text with a space between words, in f->bytes. */
static int join_words(finder *f, const char *const *word, int64_t words) {
    int64_t size = 1;
    for (int64_t w = 0; w < words; w++) size += (int64_t)strlen(word[w]) + 1;
    if (heed__grow(NULL, &f->bytes, &f->byte_cap, size, 1) ||
        heed__grow(NULL, &f->cut, &f->cut_cap, words, sizeof *f->cut))
        return HEED_ENOMEM;
    size_t at = 0;
    for (int64_t w = 0; w < words; w++) {
        const size_t n = strlen(word[w]);
        if (w) f->bytes[at++] = ' ';
        memcpy(f->bytes + at, word[w], n);
        f->cut[w] = (heed_cut){ at, at + n };
        at += n;
    }
    f->bytes[at] = 0;
    return 0;
}

static int find_sentence(finder *f, const char *const *word, int64_t words, heed_error *err) {
    if (grow_entities(f, words) || join_words(f, word, words))
        return heed__error(err, HEED_ENOMEM, "predict: out of memory");
    return answer(f, f->bytes, word, words, err);
}

static int each_sentence(finder *f, const char *file, heed_error *err) {
    heed_conll c = { 0 };
    const heed_conll_cfg cfg = { .token = f->cfg->token, .token_only = true };
    int rc = tag_read(&c, file ? file : "-", &cfg, err);
    for (int64_t i = 0; rc == 0 && i < c.len; i++) {
        f->number = i + 1;
        rc = find_sentence(f, c.token + c.first[i], c.first[i + 1] - c.first[i], err);
        rc = placed(rc, data_name(file ? file : "-"), c.line[c.first[i]], err);
        if (rc == 0 && command_cancelled(NULL))
            rc = heed__error(err, HEED_ECANCELLED, "%.300s: stopped after sentence %" PRId64,
                             data_name(file ? file : "-"), f->number);
    }
    heed__conll_free(&c);
    return rc;
}

int tag_predict(const char *dir, const char *file, const tag_predict_cfg *cfg,
                const heed_open_cfg *open, heed_error *err) {
    finder f = { .cfg = cfg };
    heed_input *in = NULL;
    const heed_hooks hooks = { .cancel = command_cancelled };
    heed_open_cfg stoppable = *open;
    stoppable.hooks = &hooks;
    if (!cfg->columns && !(in = heed__input_open(file ? file : "-", &hooks, err))) return err->code;
    f.t = heed_tagger_open(dir, &stoppable, err);
    int rc = f.t ? 0 : err->code;
    if (rc == 0 && in && file && heed__conll_named(file))
        complain(tr("heed predict: %s: each line is taken for a sentence; --columns reads a word a "
                    "line\n"),
                 file);
    if (rc == 0) rc = in ? each_line(&f, in, err) : each_sentence(&f, file, err);
    heed__free(NULL, f.entity);
    heed__free(NULL, f.cut);
    heed__free(NULL, f.word);
    heed__free(NULL, f.bytes);
    heed_tagger_close(f.t);
    heed__input_close(in);
    return rc;
}
