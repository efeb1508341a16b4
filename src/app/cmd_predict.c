/* cmd_predict.c: `heed predict DIR [FILE]`: a line in, a line out. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/commands.h"
#include "app/context.h"
#include "app/data.h"
#include "app/features.h"
#include "app/kinds.h"
#include "app/messages.h"
#include "app/options.h"
#include "app/print.h"
#include "app/tag.h"
#include "app/terminal.h"
#include "base/alloc.h"
#include "base/input.h"
#include "base/text.h"
#include "heed/tasks.h"
#include "tasks/classifier.h"

enum { WORDS = 4096, MOST_SHOWN = 1000, TOGETHER = 1024, ANSWERS = 1 << 18 };

/* What is answered: lines of a file (NULL: standard input), or its columns `text` and `text2`, with
 * features (NULL: none). */
typedef struct predict_from {
    const char *dir, *file, *text, *text2, *features, *context;
    bool in_column; /* what the texts attend to is text2 */
} predict_from;

typedef struct predictor {
    heed_classifier *c;
    terminal term;
    bool json, explain, abstain, score;
    int64_t top;
    heed_input *in;            /* lines, or */
    heed_dataset_stream *data; /* columns of a data file */
    const char *name;          /* of what is read */
    int64_t number;            /* of the line in it */
    context passages;          /* of the lines; path NULL: they stand in them, behind a tab */
    features features;         /* of line `row` the next */
    int64_t row;
    heed_explanation x;
    /* lines that wait for their answers, where no words are asked for */
    char *line[TOGETHER];
    heed_explanation each[TOGETHER];
    int64_t lines, together; /* at most so many, fewer where each has many labels */
} predictor;

/* Bytes of a path's first parts. */
static int name_part(const char *name, int level) {
    const char *at = strchr(name, '/');
    for (; at && level > 0; level--) at = strchr(at + 1, '/');
    return at ? (int)(at - name) : (int)strlen(name);
}

/* An answer is given where the text is in scope and its set holds one label. */
static bool abstains(const heed_explanation *x) {
    return !x->in_scope || x->set_len != 1;
}

static int64_t least(int64_t a, int64_t b) {
    return a < b ? a : b;
}

static void json_labels(const predictor *p, const heed_explanation *x) {
    printf("\"label\": ");
    print_json_text(x->top[0].name, strlen(x->top[0].name));
    printf(", \"confidence\": %.9g, \"labels\": [", (double)x->top[0].score);
    for (int64_t i = 0; i < least(p->top, x->top_len); i++) {
        printf("%s{\"label\": ", i ? ", " : "");
        print_json_text(x->top[i].name, strlen(x->top[i].name));
        printf(", \"score\": %.9g}", (double)x->top[i].score);
    }
    printf("]");
}

static void json_promises(const predictor *p, const heed_explanation *x) {
    if (x->coverage > 0) {
        printf(", \"coverage\": %.9g, \"set\": [", x->coverage);
        for (int64_t i = 0; i < least(x->set_len, x->top_len); i++) {
            printf("%s", i ? ", " : "");
            print_json_text(x->top[i].name, strlen(x->top[i].name));
        }
        printf("], \"set_len\": %" PRId64, x->set_len);
    }
    if (x->scope > 0) printf(", \"in_scope\": %s", x->in_scope ? "true" : "false");
    if (p->abstain) printf(", \"abstained\": %s", abstains(x) ? "true" : "false");
}

static void json_attention(const predictor *p, const heed_explanation *x, const char *text) {
    if (p->explain) printf(", \"attention\": [");
    for (int64_t i = 0; p->explain && i < x->word_len; i++) {
        const heed_attended *w = &x->word[i];
        printf("%s{\"begin\": %zu, \"end\": %zu, \"text\": ", i ? ", " : "", w->begin, w->end);
        print_json_text(text + w->begin, w->end - w->begin);
        printf(", \"weight\": %.9g}", (double)w->weight);
    }
    printf("%s", p->explain ? "]" : "");
}

/* docs/schemas/predict.json, predict_score.json */
static void print_json(const predictor *p, const heed_explanation *x, const char *text) {
    printf("{");
    if (p->score)
        printf("\"value\": %.9g", (double)x->value);
    else
        json_labels(p, x);
    printf(", \"tokens_seen\": %" PRId64 ", \"tokens_total\": %" PRId64, x->seen, x->total);
    if (x->parents) printf(", \"parents\": [");
    for (int i = 0; i < x->parents; i++) {
        printf("%s{\"label\": ", i ? ", " : "");
        print_json_text(x->top[0].name, (size_t)name_part(x->top[0].name, i));
        printf(", \"score\": %.9g}", (double)x->parent[i]);
    }
    if (x->parents) printf("]");
    json_attention(p, x, text);
    json_promises(p, x);
    printf("}\n");
}

/* Where words are told apart those are marked that weigh half as much as the heaviest and more than
 * the mean: never all of several. */
static void print_shaded(const predictor *p, const char *text) {
    const int64_t words = p->x.word_len;
    const heed_words_weight all = heed__words_weight(p->x.word, words);
    if (all.alike) {
        printf("    ");
        print_text(stdout, text, strlen(text));
        printf("  (all words weigh about the same)\n");
        return;
    }
    size_t at = 0;
    printf("    ");
    for (int64_t i = 0; i < words; i++) {
        const heed_attended *w = &p->x.word[i];
        const float weight = all.most > 0 ? w->weight / all.most : 0;
        print_text(stdout, text + at, w->begin - at);
        terminal_shade(&p->term, text + w->begin, w->end - w->begin, weight,
                       weight >= 0.5f && (words == 1 || w->weight * (float)words > all.sum));
        at = w->end;
    }
    print_text(stdout, text + at, strlen(text + at));
    printf("\n");
}

static void print_plain(const predictor *p, const heed_explanation *x, const char *text) {
    const int64_t shown = x->coverage > 0 && !p->abstain ? x->set_len : p->top;
    if (p->score)
        printf("%.6g", (double)x->value);
    else if (p->abstain && abstains(x))
        printf("%s\t%.4f", x->in_scope ? "(unsure)" : "(out of scope)", (double)x->top[0].score);
    else
        for (int64_t i = 0; i < least(shown, x->top_len); i++)
            printf("%s%s\t%.4f", i ? "\t" : "", x->top[i].name, (double)x->top[i].score);
    for (int i = 0; i < x->parents; i++)
        printf("\t(%.*s %.4f)", name_part(x->top[0].name, i), x->top[0].name, (double)x->parent[i]);
    if (!p->abstain && !x->in_scope) printf("\t(out of scope)");
    if (x->seen < x->total) printf("\t(%" PRId64 " of %" PRId64 " tokens seen)", x->seen, x->total);
    printf("\n");
    if (p->explain) print_shaded(p, text);
}

static void print_several(const predictor *p, const heed_explanation *x, const char *text) {
    kinds_print_labels(x, p->json);
    if (p->json) json_attention(p, x, text);
    printf(p->json ? "}\n" : "\n");
    if (p->explain && !p->json) print_shaded(p, text);
}

static void print_answer(const predictor *p, const heed_explanation *x, const char *text) {
    if (heed_classifier_target(p->c) == HEED_TARGET_LABELS)
        print_several(p, x, text);
    else if (p->json)
        print_json(p, x, text);
    else
        print_plain(p, x, text);
}

/* A line of two texts with a tab between them: a copy, cut in two. NULL and *err where it is none.
 */
static char *split(predictor *p, const char *text, heed_error *err) {
    char *own = strdup(text), *tab = own ? strchr(own, '\t') : NULL;
    if (own && p->passages.path) {
        p->x.text2 = context_of(&p->passages, p->number - 1, err);
        if (p->x.text2) return own;
        free(own);
        return NULL;
    }
    if (tab) {
        *tab = 0;
        p->x.text2 = tab + 1;
        return own;
    }
    free(own);
    err->code = own ? HEED_EFORMAT : HEED_ENOMEM;
    snprintf(err->msg, sizeof err->msg, "%.300s:%" PRId64 ": %s", p->name, p->number,
             own ? "this model reads pairs: two texts with a tab between them" : "out of memory");
    return NULL;
}

static int check_line(const predictor *p, const char *text, size_t size, heed_error *err) {
    const bool zero = memchr(text, 0, size) != NULL;
    if (!zero && heed__utf8_check(text, size) == size) return 0;
    return heed__error(err, HEED_EFORMAT, "%.300s:%" PRId64 ": %s", p->name, p->number,
                       zero ? "a zero byte" : "not UTF-8");
}

/* The features of the next line, where there are any: its row. */
static int next_features(predictor *p, heed_array *to, heed_error *err) {
    if (!p->features.array.data) return 0;
    if (p->row == p->features.npy.len)
        return heed__error(err, HEED_EFORMAT,
                           "%.300s:%" PRId64 ": there are %" PRId64 " rows of features and no more",
                           p->name, p->number, p->row);
    *to = features_row(&p->features, p->row++);
    return 0;
}

/* The answer to one text, or to p->x.text2 and it, with its words. */
static int explain(predictor *p, const char *text, heed_error *err) {
    if (next_features(p, &p->x.array, err)) return err->code;
    const int rc = heed_classify_explain(p->c, text, &p->x, err);
    if (rc == 0) print_answer(p, &p->x, text);
    return rc;
}

/* The answer to one line. */
static int one_line(predictor *p, const char *text, heed_error *err) {
    char *own = NULL;
    if (heed_classifier_pairs(p->c) && !(own = split(p, text, err))) return err->code;
    const int rc = explain(p, own ? own : text, err);
    free(own);
    return rc;
}

/* Answers the lines that wait. */
static int answer_waiting(predictor *p, heed_error *err) {
    const int rc = p->lines ? heed_classify_explain_many(p->c, p->lines,
                                                         (const char *const *)p->line, p->each, err)
                            : 0;
    for (int64_t i = 0; i < p->lines; i++) {
        if (rc == 0) print_answer(p, &p->each[i], p->line[i]);
        free(p->line[i]);
    }
    p->lines = 0;
    return rc;
}

/* A text is answered at once where no other stands ready, so that who writes at the other end of a
 * pipe need not wait; else together with others. */
static int wait_or_answer(predictor *p, const char *text, bool others, heed_error *err) {
    heed_error own = { 0 };
    int rc = next_features(p, &p->each[p->lines].array, err);
    if (rc == 0 && !(p->line[p->lines] = strdup(text)))
        rc = heed__error(err, HEED_ENOMEM, "predict: out of memory");
    if (rc == 0 && ++p->lines < p->together && others) return 0;
    const int before = answer_waiting(p, rc ? &own : err);
    return rc ? rc : before;
}

static int line(predictor *p, const char *text, size_t size, heed_error *err) {
    heed_error own = { 0 };
    p->number = heed__input_line_number(p->in);
    int rc = check_line(p, text, size, err);
    if (rc) { /* those before it have their answers */
        answer_waiting(p, &own);
    } else if (p->explain || heed_classifier_pairs(p->c)) {
        rc = one_line(p, text, err);
    } else {
        rc = wait_or_answer(p, text, heed__input_line_ready(p->in), err);
        if (rc == 0 && p->lines) return 0;
    }
    const int out = print_flush(rc ? &own : err);
    return rc ? rc : out;
}

/* A row of a data file. */
static int example(predictor *p, const heed_example *x, int64_t nth, heed_error *err) {
    const bool pairs = heed_classifier_pairs(p->c);
    p->number = x->line;
    if (pairs) p->x.text2 = p->passages.path ? context_of(&p->passages, nth, err) : x->text2;
    if (pairs && !p->x.text2) return err->code;
    const int rc = pairs || p->explain
                       ? explain(p, x->text, err)
                       : wait_or_answer(p, x->text, heed__dataset_ready(p->data), err);
    return rc || p->lines ? rc : print_flush(err);
}

static int each_example(predictor *p, heed_error *err) {
    heed_example x;
    heed_error own = { 0 };
    int64_t nth = 0;
    int rc = 0, got = 0;
    while (rc == 0 && !command_cancelled(NULL) && (got = heed__dataset_next(p->data, &x, err)) > 0)
        rc = example(p, &x, nth++, err);
    if (rc == 0 && got < 0) rc = got;
    const int before = answer_waiting(p, rc ? &own : err);
    if (rc == 0) rc = before ? before : print_flush(err);
    if (rc == 0 && command_cancelled(NULL))
        rc = heed__error(err, HEED_ECANCELLED, "%.300s: stopped after line %" PRId64, p->name,
                         p->number);
    return rc;
}

/* Answers to features alone, which have no texts beside them. */
static int each_row(predictor *p, heed_error *err) {
    int rc = 0;
    while (rc == 0 && p->row < p->features.npy.len && !command_cancelled(NULL)) {
        if (p->explain) {
            rc = one_line(p, "", err);
            continue;
        }
        if (!(p->line[p->lines] = strdup("")))
            return heed__error(err, HEED_ENOMEM, "predict: out of memory");
        p->each[p->lines].array = features_row(&p->features, p->row++);
        if (++p->lines == p->together) rc = answer_waiting(p, err);
    }
    if (rc == 0) rc = answer_waiting(p, err);
    if (rc == 0 && command_cancelled(NULL))
        rc = heed__error(err, HEED_ECANCELLED, "stopped after row %" PRId64, p->row);
    return rc;
}

/* Every row of features has had its line. */
static int check_rows(const predictor *p, heed_error *err) {
    if (!p->features.array.data || p->row == p->features.npy.len) return 0;
    return heed__error(err, HEED_EFORMAT,
                       "%.300s: %" PRId64 " lines for %" PRId64 " rows of features", p->name,
                       p->row, p->features.npy.len);
}

static int each_line(predictor *p, heed_error *err) {
    char *text;
    size_t size;
    int rc = 0, got = 0;
    while (rc == 0 && !command_cancelled(NULL) &&
           (got = heed__input_line(p->in, &text, &size, err)) == HEED_LINE_ONE)
        rc = line(p, text, size, err);
    const int64_t number = heed__input_line_number(p->in);
    if (rc == 0) rc = answer_waiting(p, err);
    if (rc == 0 && got < 0) return got;
    if (rc == 0 && command_cancelled(NULL)) {
        rc = err->code = HEED_ECANCELLED;
        snprintf(err->msg, sizeof err->msg, "%.300s: stopped after line %" PRId64, p->name, number);
    } else if (rc == 0 && got == HEED_LINE_LONG) {
        rc = err->code = HEED_EFORMAT;
        snprintf(err->msg, sizeof err->msg, "%.300s:%" PRId64 ": a line of more than %d MB",
                 p->name, number, HEED_LINE_MOST >> 20);
    }
    return rc;
}

/* What --abstain promises where nothing else is said, as far as the model can. Sets that hold every
 * label promise nothing that one could use; their reason is said. */
static void settle_coverage(predictor *p) {
    const int64_t n = heed_classifier_calibrated(p->c);
    const bool said = p->x.coverage > 0;
    if (p->abstain && !said) p->x.coverage = 0.95;
    const int64_t needed = heed__coverage_needs(p->x.coverage);
    if (n == 0 || n >= needed) return;
    if (!said) {
        complain(tr("predict: of texts held out in training coverage %g needs %" PRId64
                    ", and this model had %" PRId64 ": it promises %.4g\n"),
                 p->x.coverage, needed, n, floor(1e4 * heed__coverage_most(n)) / 1e4);
        p->x.coverage = heed__coverage_most(n);
        return;
    }
    complain(tr("predict: of texts held out in training coverage %g needs %" PRId64
                ", and this model had %" PRId64 ": each set has all labels\n"),
             p->x.coverage, needed, n);
}

static int start(predictor *p, const char *dir, const heed_open_cfg *open, heed_error *err) {
    p->c = heed_classifier_open(dir, open, err);
    if (!p->c) return err->code;
    const int64_t labels = heed_classifier_labels(p->c);
    settle_coverage(p);
    p->score = heed_classifier_target(p->c) == HEED_TARGET_SCORE;
    if (p->top && heed_classifier_target(p->c) != HEED_TARGET_LABEL)
        return heed__error(err, HEED_EUNSUPPORTED,
                           p->score ? "predict: --top is for labels; this model gives a score"
                                    : "predict: --top is for one label a text; of several each is "
                                      "shown that is likelier than not");
    if (!p->top) p->top = 1;
    const bool sets = p->x.coverage > 0 || heed_classifier_target(p->c) == HEED_TARGET_LABELS;
    p->x.top_cap = (int)least(labels, sets && p->top < MOST_SHOWN ? MOST_SHOWN : p->top);
    p->together = ANSWERS / (p->x.top_cap + 1);
    p->together = p->together < 1 ? 1 : least(p->together, TOGETHER);
    p->x.top = calloc((size_t)p->x.top_cap + 1, sizeof *p->x.top);
    p->x.word = calloc(WORDS, sizeof *p->x.word);
    p->x.word_cap = WORDS;
    bool room = p->x.top && p->x.word;
    for (int i = 0; room && i < p->together; i++) {
        p->each[i] = (heed_explanation){ .top_cap = p->x.top_cap,
                                         .coverage = p->x.coverage,
                                         .scope = p->x.scope };
        p->each[i].top = calloc((size_t)p->x.top_cap + 1, sizeof *p->x.top);
        room = p->each[i].top != NULL;
    }
    if (room) return 0;
    snprintf(err->msg, sizeof err->msg, "predict: out of memory");
    return err->code = HEED_ENOMEM;
}

/* Opens what is answered: a file's lines or its columns. 0 or a status. */
static int open_texts(predictor *p, const predict_from *from, const char *file, heed_error *err) {
    static const heed_hooks hooks = { .cancel = command_cancelled };
    const heed_dataset_cfg table = { .text = from->text,
                                     .text2 = from->text2,
                                     .pairs = from->text2 != NULL,
                                     .context = from->in_column,
                                     .text_only = true,
                                     .hooks = &hooks };
    p->name = data_name(file);
    if (from->text || from->text2)
        p->data = heed__dataset_open(file, &table, err);
    else
        p->in = heed__input_open(file, &hooks, err);
    return p->in || p->data ? 0 : err->code;
}

/* 0, or a status: two texts for a model of one, or one for a model of two. */
static int check_texts(const predictor *p, const predict_from *from, heed_error *err) {
    const bool pairs = heed_classifier_pairs(p->c);
    if ((from->context || from->text2) && !pairs)
        return heed__error(err, HEED_EINVALID,
                           "classifier: this model reads single texts, not pairs");
    if (pairs && from->text && !from->text2 && !from->context)
        return heed__error(err, HEED_EINVALID,
                           "predict: this model reads pairs: --text2 COL or --context FILE is "
                           "needed beside --text");
    return 0;
}

/* A table whose lines, header and all, would be taken for texts, as its name tells. */
static void warn_of_table(const predictor *p, const predict_from *from) {
    if (!p->in || !from->file || heed_classifier_pairs(p->c) || !heed__dataset_named(from->file))
        return;
    complain(tr("heed predict: %s: each line is taken for a text; --text COL takes those of a "
                "column\n"),
             p->name);
}

static int answer(predictor *p, bool alone, heed_error *err) {
    if (alone) return each_row(p, err);
    const int rc = p->data ? each_example(p, err) : each_line(p, err);
    return rc ? rc : check_rows(p, err);
}

/* features: NULL: none; without a file they may stand alone. */
static int predict(predictor *p, const predict_from *from, const heed_open_cfg *open,
                   heed_error *err) {
    const char *file = from->file ? from->file : "-";
    const bool wait = from->features && !from->file && !from->text;
    int rc = wait ? 0 : open_texts(p, from, file, err);
    if (rc == 0) rc = start(p, from->dir, open, err);
    if (rc == 0) rc = features_read(&p->features, from->features, 0, NULL, err);
    if (rc == 0) rc = context_read(&p->passages, from->context, err);
    if (rc == 0) rc = check_texts(p, from, err);
    const bool alone = rc == 0 && wait && p->c->no_texts;
    if (rc == 0 && wait && !alone) rc = open_texts(p, from, file, err);
    if (rc == 0) warn_of_table(p, from);
    if (rc == 0) rc = answer(p, alone, err);
    features_free(&p->features);
    context_free(&p->passages);
    heed_classifier_close(p->c);
    heed__dataset_close(p->data);
    if (p->in) heed__input_close(p->in);
    for (int i = 0; i < TOGETHER; i++) free(p->each[i].top);
    free(p->x.top);
    free(p->x.word);
    return rc;
}

/* All that the options say beside the predictor's own. */
typedef struct asked_for {
    predict_from from;
    tag_predict_cfg tag;
    heed_open_cfg open;
    int64_t threads;
} asked_for;

/* What only a model of another kind can be asked is not passed over in silence. 0 or a status. */
static int check_asked(const predictor *p, const asked_for *a, bool tagger, heed_error *err) {
    const predict_from *from = &a->from;
    const heed_open_cfg *open = &a->open;
    const tag_predict_cfg *tag = &a->tag;
    const struct {
        const char *option;
        bool given, tagger; /* it is for taggers */
    } asked[] = {
        { "abstain", p->abstain, false },
        { "coverage", p->x.coverage > 0, false },
        { "scope", p->x.scope > 0, false },
        { "top", p->top, false },
        { "text", from->text, false },
        { "text2", from->text2 && !from->in_column, false },
        { "features", from->features, false },
        { "context", from->context || from->in_column, false },
        { "window", open->window, false },
        { "truncate", open->truncate, false },
        { "conll", tag->conll, true },
        { "columns", tag->columns, true },
        { "token", tag->token, true },
    };
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++)
        if (asked[i].given && asked[i].tagger != tagger)
            return heed__error(err, HEED_EUNSUPPORTED,
                               tagger ? "predict: --%s is for classifiers, not for taggers"
                                      : "predict: --%s is for taggers, not for classifiers",
                               asked[i].option);
    if (!tagger || !p->explain) return 0;
    return heed__error(err, HEED_EUNSUPPORTED,
                       "predict: --explain shows what a classifier attended to; a tagger weighs "
                       "whole sequences of tags, of which there is no such picture");
}

static int read_options(predictor *p, asked_for *a, int argc, char **argv) {
    const opt options[] = {
        { "json", 0, OPT_FLAG, &p->json, 0, 0, NULL,
          "a JSON object a line (docs/schemas/predict.json)" },
        { "top", 'n', OPT_INT, &p->top, 1, 1e6, "N",
          "labels shown, of a model that gives one (1)" },
        { "explain", 0, OPT_FLAG, &p->explain, 0, 0, NULL,
          "show the words attended to (on a terminal always)" },
        { "coverage", 0, OPT_REAL, &p->x.coverage, 0.01, 0.9999, "P",
          "a set of labels that holds the right one with this chance" },
        { "scope", 0, OPT_REAL, &p->x.scope, 0.01, 0.9999, "P",
          "tell texts such as none of the training's; this part of its own is let in" },
        { "abstain", 0, OPT_FLAG, &p->abstain, 0, 0, NULL,
          "answer only in scope and with a set of one label (both 0.95 unless said)" },
        { "text", 0, OPT_TEXT, &a->from.text, 0, 0, "COL",
          "FILE is a data file: answer this column's texts" },
        { "text2", 0, OPT_TEXT, &a->from.text2, 0, 0, "COL",
          "with --text, of pairs: the second texts" },
        { "features", 0, OPT_PATH, &a->from.features, 0, 0, "X.npy",
          "features beside the lines, a row each; without FILE alone, of a model learnt so" },
        { "context", 0, OPT_PATH, &a->from.context, 0, 0, "FILE",
          "what each line attends to: a line for each, or one for all, with --text a column too "
          "(else behind a tab)" },
        { "conll", 0, OPT_FLAG, &a->tag.conll, 0, 0, NULL,
          "tagger: columns of word, tag, confidence" },
        { "columns", 0, OPT_FLAG, &a->tag.columns, 0, 0, NULL,
          "tagger: FILE has columns, a word a line" },
        { "token", 0, OPT_INT, &a->tag.token, 1, 1000, "N", "tagger: column of the words (1)" },
        { "window", 0, OPT_INT, &a->open.window, 1, 1e6, "N",
          "words attend to as many on either side at most (as trained)" },
        { "truncate", 0, OPT_INT, &a->open.truncate, 1, 1e6, "N",
          "words attend to the last N at most (as trained)" },
        { "threads", 0, OPT_INT, &a->threads, 1, 1024, "N", "threads (1)" },
        { NULL, 0, OPT_FLAG, NULL, 0, 0, NULL, NULL },
    };
    const opt_command what = { "heed predict MODEL [FILE] [options]",
                               "Labels each line of FILE (standard input without it, or for "
                               "`-`): label, tab, confidence.",
                               options, 1, 2 };
    const char *operand[2] = { NULL, NULL };
    const int n = opt_read(&what, argc, argv, operand);
    a->from.dir = operand[0];
    a->from.file = operand[1];
    a->open.threads = (int)a->threads;
    a->tag.json = p->json;
    return n;
}

/* What texts of a column attend to may be a column, too, as in training. False: a sentence was
 * printed. */
static bool place_context(predict_from *from) {
    if (from->context && from->text2) {
        complain("%s", tr("heed predict: --context does not go with --text2\n"));
        return false;
    }
    from->in_column = from->context && from->text && !context_is_file(from->context);
    if (!from->in_column) return true;
    from->text2 = from->context;
    from->context = NULL;
    return true;
}

int cmd_predict(int argc, char **argv) {
    predictor p = { .top = 0 };
    asked_for a = { .threads = 1 };
    const int n = read_options(&p, &a, argc, argv);
    if (n < 0) return command_usage(n);
    if (!place_context(&a.from)) return EXIT_USAGE;
    command_catch_signals();
    heed_error err = { 0 };
    const bool tagger = tag_is_tagger(a.from.dir);
    int rc = check_asked(&p, &a, tagger, &err);
    p.term = terminal_open(stdout);
    if (p.abstain && p.x.scope <= 0) p.x.scope = 0.95;
    if (isatty(1)) p.explain = true;
    if (rc == 0)
        rc = tagger ? tag_predict(a.from.dir, a.from.file, &a.tag, &a.open, &err)
                    : predict(&p, &a.from, &a.open, &err);
    return rc ? command_error(&err) : 0;
}
