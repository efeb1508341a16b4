/* cmd_predict.c: `heed predict DIR [FILE]`: a line in, a line out. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/context.h"
#include "app/commands.h"
#include "app/features.h"
#include "app/kinds.h"
#include "app/options.h"
#include "app/print.h"
#include "app/tag.h"
#include "app/terminal.h"
#include "base/alloc.h"
#include "base/text.h"
#include "heed/tasks.h"
#include "tasks/classifier.h"
#include "base/input.h"

enum { WORDS = 4096, MOST_SHOWN = 1000, TOGETHER = 1024, ANSWERS = 1 << 18 };

/* What is answered: lines of a file (NULL: standard input), with features (NULL: none). */
typedef struct predict_from {
    const char *dir, *file, *features, *context;
} predict_from;

typedef struct predictor {
    heed_classifier *c;
    terminal term;
    bool json, explain, abstain, score;
    int64_t top;
    heed_input *in;
    context passages;  /* of the lines; path NULL: they stand in them, behind a tab */
    features features; /* of line `row` the next */
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

static void print_shaded(const predictor *p, const char *text) {
    float most = 0;
    for (int64_t i = 0; i < p->x.word_len; i++)
        if (p->x.word[i].weight > most) most = p->x.word[i].weight;
    size_t at = 0;
    printf("    ");
    for (int64_t i = 0; i < p->x.word_len; i++) {
        const heed_attended *w = &p->x.word[i];
        printf("%.*s", (int)(w->begin - at), text + at);
        terminal_shade(&p->term, text + w->begin, w->end - w->begin,
                       most > 0 ? w->weight / most : 0);
        at = w->end;
    }
    printf("%s\n", text + at);
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
static char *split(predictor *p, const char *text, int64_t number, heed_error *err) {
    char *own = strdup(text), *tab = own ? strchr(own, '\t') : NULL;
    if (own && p->passages.path) {
        p->x.text2 = context_of(&p->passages, number - 1, err);
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
    snprintf(err->msg, sizeof err->msg, "%.300s:%" PRId64 ": %s", heed__input_name(p->in), number,
             own ? "this model reads pairs: two texts with a tab between them" : "out of memory");
    return NULL;
}

static int check_line(const predictor *p, const char *text, size_t size, heed_error *err) {
    const bool zero = memchr(text, 0, size) != NULL;
    if (!zero && heed__utf8_check(text, size) == size) return 0;
    return heed__error(err, HEED_EFORMAT, "%.300s:%" PRId64 ": %s", heed__input_name(p->in),
                       heed__input_line_number(p->in), zero ? "a zero byte" : "not UTF-8");
}

/* The features of the next line, where there are any: its row. */
static int next_features(predictor *p, heed_array *to, heed_error *err) {
    if (!p->features.array.data) return 0;
    if (p->row == p->features.npy.len)
        return heed__error(err, HEED_EFORMAT,
                           "%.300s:%" PRId64 ": there are %" PRId64 " rows of features and no more",
                           heed__input_name(p->in), heed__input_line_number(p->in), p->row);
    *to = features_row(&p->features, p->row++);
    return 0;
}

/* The answer to one line, with its words. */
static int one_line(predictor *p, const char *text, heed_error *err) {
    char *own = NULL;
    if (next_features(p, &p->x.array, err)) return err->code;
    if (heed_classifier_pairs(p->c) && !(own = split(p, text, heed__input_line_number(p->in), err)))
        return err->code;
    const int rc = heed_classify_explain(p->c, own ? own : text, &p->x, err);
    if (rc == 0) print_answer(p, &p->x, own ? own : text);
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

/* A line is answered at once where no other stands ready, so that who writes at the other end of a
 * pipe need not wait; else together with others. */
static int line(predictor *p, const char *text, size_t size, heed_error *err) {
    int rc = check_line(p, text, size, err);
    if (rc == 0 && (p->explain || heed_classifier_pairs(p->c))) {
        rc = one_line(p, text, err);
    } else {
        heed_error own = { 0 };
        if (rc == 0) rc = next_features(p, &p->each[p->lines].array, err);
        if (rc == 0 && !(p->line[p->lines] = strdup(text)))
            rc = heed__error(err, HEED_ENOMEM, "predict: out of memory");
        if (rc == 0 && ++p->lines < p->together && heed__input_line_ready(p->in)) return 0;
        const int before = answer_waiting(p, rc ? &own : err);
        if (rc == 0) rc = before;
    }
    fflush(stdout);
    if (rc == 0 && ferror(stdout)) return HEED_EIO;
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
                       "%.300s: %" PRId64 " lines for %" PRId64 " rows of features",
                       heed__input_name(p->in), p->row, p->features.npy.len);
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
        snprintf(err->msg, sizeof err->msg, "%.300s: stopped after line %" PRId64,
                 heed__input_name(p->in), number);
    } else if (rc == 0 && got == HEED_LINE_LONG) {
        rc = err->code = HEED_EFORMAT;
        snprintf(err->msg, sizeof err->msg, "%.300s:%" PRId64 ": a line of more than %d MB",
                 heed__input_name(p->in), number, HEED_LINE_MOST >> 20);
    }
    if (rc == HEED_EIO && !err->code) {
        err->code = rc;
        snprintf(err->msg, sizeof err->msg, "standard output could not be written");
    }
    return rc;
}

static int start(predictor *p, const char *dir, const heed_open_cfg *open, heed_error *err) {
    p->c = heed_classifier_open(dir, open, err);
    if (!p->c) return err->code;
    const int64_t labels = heed_classifier_labels(p->c);
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

/* features: NULL: none; without a file they may stand alone. */
static int predict(predictor *p, const predict_from *from, const heed_open_cfg *open,
                   heed_error *err) {
    const heed_hooks hooks = { .cancel = command_cancelled };
    const char *file = from->file ? from->file : "-";
    if (!(from->features && !from->file) && !(p->in = heed__input_open(file, &hooks, err)))
        return err->code;
    int rc = start(p, from->dir, open, err);
    if (rc == 0) rc = features_read(&p->features, from->features, 0, NULL, err);
    if (rc == 0) rc = context_read(&p->passages, from->context, err);
    if (rc == 0 && from->context && !heed_classifier_pairs(p->c))
        rc = heed__error(err, HEED_EINVALID,
                         "classifier: this model reads single texts, not pairs");
    const bool alone = rc == 0 && !p->in && p->c->no_texts;
    if (rc == 0 && !p->in && !alone && !(p->in = heed__input_open(file, &hooks, err)))
        rc = err->code;
    if (rc == 0) rc = alone ? each_row(p, err) : each_line(p, err);
    if (rc == 0 && !alone) rc = check_rows(p, err);
    features_free(&p->features);
    context_free(&p->passages);
    heed_classifier_close(p->c);
    if (p->in) heed__input_close(p->in);
    for (int i = 0; i < TOGETHER; i++) free(p->each[i].top);
    free(p->x.top);
    free(p->x.word);
    return rc;
}

/* What only a model of another kind can be asked is not passed over in silence. 0 or a status. */
static int check_asked(const predictor *p, const predict_from *from, const heed_open_cfg *open,
                       const tag_predict_cfg *tag, bool tagger, heed_error *err) {
    const struct {
        const char *option;
        bool given, tagger; /* it is for taggers */
    } asked[] = {
        { "abstain", p->abstain, false },      { "coverage", p->x.coverage > 0, false },
        { "scope", p->x.scope > 0, false },    { "top", p->top, false },
        { "features", from->features, false }, { "context", from->context, false },
        { "window", open->window, false },     { "truncate", open->truncate, false },
        { "conll", tag->conll, true },         { "columns", tag->columns, true },
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

int cmd_predict(int argc, char **argv) {
    predictor p = { .top = 0 };
    int64_t threads = 1;
    const char *beside = NULL, *passages = NULL;
    tag_predict_cfg tag = { 0 };
    heed_open_cfg open = { .threads = 1 };
    const opt options[] = {
        { "json", 0, OPT_FLAG, &p.json, 0, 0, NULL,
          "a JSON object a line (docs/schemas/predict.json)" },
        { "top", 'n', OPT_INT, &p.top, 1, 1e6, "N", "labels shown (1)" },
        { "explain", 0, OPT_FLAG, &p.explain, 0, 0, NULL,
          "show the words attended to (on a terminal always)" },
        { "coverage", 0, OPT_REAL, &p.x.coverage, 0.01, 0.9999, "P",
          "a set of labels that holds the right one with this chance" },
        { "scope", 0, OPT_REAL, &p.x.scope, 0.01, 0.9999, "P",
          "tell texts such as none of the training's; this part of its own is let in" },
        { "abstain", 0, OPT_FLAG, &p.abstain, 0, 0, NULL,
          "answer only in scope and with a set of one label (both 0.95 unless said)" },
        { "features", 0, OPT_TEXT, &beside, 0, 0, "X.npy",
          "features beside the lines, a row each; without FILE alone, of a model learnt so" },
        { "context", 0, OPT_TEXT, &passages, 0, 0, "FILE",
          "what each line attends to: a line for each, or one for all (else behind a tab)" },
        { "conll", 0, OPT_FLAG, &tag.conll, 0, 0, NULL,
          "tagger: columns of word, tag, confidence" },
        { "columns", 0, OPT_FLAG, &tag.columns, 0, 0, NULL,
          "tagger: FILE has columns, a word a line" },
        { "token", 0, OPT_INT, &tag.token, 1, 1000, "N", "tagger: column of the words (1)" },
        { "window", 0, OPT_INT, &open.window, 1, 1e6, "N",
          "words attend to as many on either side at most (as trained)" },
        { "truncate", 0, OPT_INT, &open.truncate, 1, 1e6, "N",
          "words attend to the last N at most (as trained)" },
        { "threads", 0, OPT_INT, &threads, 1, 1024, "N", "threads (1)" },
        { NULL, 0, OPT_FLAG, NULL, 0, 0, NULL, NULL },
    };
    const opt_command what = { "heed predict MODEL [FILE] [options]",
                               "Labels each line of FILE (standard input without it, or for "
                               "`-`): label, tab, confidence.",
                               options, 1, 2 };
    const char *operand[2] = { NULL, NULL };
    const int n = opt_read(&what, argc, argv, operand);
    if (n < 0) return command_usage(n);
    command_catch_signals();
    heed_error err = { 0 };
    open.threads = (int)threads;
    tag.json = p.json;
    const predict_from from = { operand[0], operand[1], beside, passages };
    const bool tagger = tag_is_tagger(operand[0]);
    int rc = check_asked(&p, &from, &open, &tag, tagger, &err);
    p.term = terminal_open(stdout);
    if (p.abstain && p.x.coverage <= 0) p.x.coverage = 0.95;
    if (p.abstain && p.x.scope <= 0) p.x.scope = 0.95;
    if (isatty(1)) p.explain = true;
    if (rc == 0)
        rc = tagger ? tag_predict(operand[0], operand[1], &tag, &open, &err)
                    : predict(&p, &from, &open, &err);
    return rc ? command_error(&err) : 0;
}
