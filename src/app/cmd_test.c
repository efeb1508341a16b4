/* cmd_test.c: `heed test DIR FILE`. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/context.h"
#include "app/commands.h"
#include "app/data.h"
#include "app/features.h"
#include "app/kinds.h"
#include "app/messages.h"
#include "app/options.h"
#include "app/pairs.h"
#include "app/print.h"
#include "app/tag.h"
#include "app/tallies.h"
#include "base/alloc.h"
#include "tasks/attack.h"

enum { SHOWN = 10, CONFUSIONS = 100, ATTACKS = HEED_ATTACKS };

static const char *const attacks[ATTACKS] = { "typo", "swap", "drop", "gradient" };

/* An answer of one label where another was right, and how often. */
typedef struct confusion {
    int32_t right, said;
    int64_t count;
} confusion;

/* What is told of one model. */
typedef struct result {
    heed_classifier *c;
    const char *dir, *file;
    const heed_dataset *table;
    const heed_array *array;
    heed_metrics m;
    heed_outcome *o;   /* [n] */
    float *score;      /* [n], two labels */
    heed_tally *tally; /* [labels] */
    confusion *wrong;  /* [wrong_len], the commonest first */
    int64_t wrong_len;
    const char *train; /* NULL: not asked */
    bool attack[ATTACKS];
    double attacked[ATTACKS];
    int64_t same[2]; /* texts that are there too; those of them with another label */
    kinds_accuracies levels;
} result;

static int by_pair(const void *a, const void *b) {
    const confusion *x = a, *y = b;
    if (x->right != y->right) return x->right < y->right ? -1 : 1;
    return (x->said > y->said) - (x->said < y->said);
}

static int by_count(const void *a, const void *b) {
    const confusion *x = a, *y = b;
    if (x->count != y->count) return x->count > y->count ? -1 : 1;
    return by_pair(a, b);
}

static void find_confusions(result *r) {
    int64_t n = 0, kinds = 0;
    for (int64_t i = 0; i < r->m.n; i++)
        if (r->o[i].right >= 0 && r->o[i].right != r->o[i].said)
            r->wrong[n++] = (confusion){ r->o[i].right, r->o[i].said, 1 };
    qsort(r->wrong, (size_t)n, sizeof *r->wrong, by_pair);
    for (int64_t i = 0; i < n; i++)
        if (kinds && by_pair(&r->wrong[kinds - 1], &r->wrong[i]) == 0)
            r->wrong[kinds - 1].count++;
        else
            r->wrong[kinds++] = r->wrong[i];
    qsort(r->wrong, (size_t)kinds, sizeof *r->wrong, by_count);
    r->wrong_len = kinds;
}

/* Answers that no text has count as labels found with an F1 of 0: where a model knows more labels
 * than the data has, that says little, and the mean of the data's own labels is told too. */
static void print_own_labels(const result *r) {
    double sum = 0;
    int64_t own = 0, other = 0;
    for (int64_t k = 0; k < heed_classifier_labels(r->c); k++) {
        own += r->tally[k].real > 0;
        other += r->tally[k].real == 0 && r->tally[k].said > 0;
        if (r->tally[k].real) sum += tally_f1(&r->tally[k]);
    }
    if (own && other)
        printf(tr("Macro F1 of the %" PRId64 " labels that these texts have: %.4f (%" PRId64
                  " others were answered)\n"),
               own, sum / (double)own, other);
}

/* The labels that are found worst, and what they are taken for. */
static void print_worst(const result *r) {
    tallies_print(r->c, r->tally);
    for (int64_t i = 0; i < r->wrong_len && i < SHOWN; i++)
        printf(tr("%4" PRId64 " x %s taken for %s\n"), r->wrong[i].count,
               heed_classifier_label(r->c, r->wrong[i].right),
               heed_classifier_label(r->c, r->wrong[i].said));
}

static void print(const result *r) {
    const heed_metrics *m = &r->m;
    char how[MESSAGE_SIZE];
    printf(tr("%s: %" PRId64 " texts; %s\n"), data_name(r->file), m->n,
           tr_made(r->table->how, how));
    if (r->train)
        printf(tr("%" PRId64 " of them are in %s too, %" PRId64 " of these with another label\n"),
               r->same[0], r->train, r->same[1]);
    if (isfinite(m->loss)) print_measure("Test Loss", m->loss, m->loss_95);
    print_measure("Test Accuracy", m->accuracy, m->accuracy_95);
    print_measure("Macro F1", m->macro_f1, m->macro_f1_95);
    print_own_labels(r);
    print_measure("Calibration error", m->ece, m->ece_95);
    if (isfinite(m->auc)) print_measure("Area under the curve", m->auc, m->auc_95);
    print_unknown(m);
    for (int k = 0; k < ATTACKS; k++)
        if (r->attack[k])
            printf(tr("Worst of %d changed copies (%s): accuracy %.4f\n"),
                   k == HEED_ATTACK_GRADIENT ? 2 * HEED_ATTACK_TRIES : HEED_ATTACK_TRIES,
                   attacks[k], r->attacked[k]);
    print_worst(r);
}

static void json_label(const result *r, const char *before, const char *key, int64_t label) {
    const char *name = heed_classifier_label(r->c, label);
    printf("%s\"%s\": ", before, key);
    print_json_text(name, strlen(name));
}

static void json_tables(const result *r) {
    printf(", ");
    tallies_print_json(r->c, r->tally);
    printf(", \"confusions\": [");
    for (int64_t i = 0; i < r->wrong_len && i < CONFUSIONS; i++) {
        json_label(r, i ? ", {" : "{", "right", r->wrong[i].right);
        json_label(r, ", ", "said", r->wrong[i].said);
        printf(", \"count\": %" PRId64 "}", r->wrong[i].count);
    }
    printf("]");
}

/* docs/schemas/test.json */
static void print_json(const result *r, const result *other, const heed_comparison *c) {
    const heed_metrics *m = &r->m;
    printf("{\"n\": %" PRId64, m->n);
    print_json_field("loss", m->loss);
    print_json_field("accuracy", m->accuracy);
    print_json_field("macro_f1", m->macro_f1);
    print_json_field("ece", m->ece);
    if (isfinite(m->auc)) print_json_field("auc", m->auc);
    print_json_interval(", \"intervals\": {", "loss", m->loss_95);
    print_json_interval(", ", "accuracy", m->accuracy_95);
    print_json_interval(", ", "macro_f1", m->macro_f1_95);
    print_json_interval(", ", "ece", m->ece_95);
    if (isfinite(m->auc)) print_json_interval(", ", "auc", m->auc_95);
    printf("}, \"unknown_labels\": %" PRId64, m->unknown_labels);
    if (r->train)
        printf(", \"in_training\": {\"n\": %" PRId64 ", \"other_label\": %" PRId64 "}", r->same[0],
               r->same[1]);
    for (int k = 0, any = 0; k < ATTACKS; k++)
        if (r->attack[k]) {
            printf("%s\"%s\": ", any++ ? ", " : ", \"attacked\": {", attacks[k]);
            print_json_number(r->attacked[k]);
        }
    for (int k = 0, any = 0; k < ATTACKS; k++)
        if (r->attack[k] && !any++) printf("}");
    for (int i = 0; i < r->levels.len; i++) {
        printf("%s", i ? ", " : ", \"levels\": [");
        print_json_number(r->levels.at[i]);
        if (i + 1 == r->levels.len) printf("]");
    }
    json_tables(r);
    if (other) {
        printf(", \"compared\": {\"model\": ");
        print_json_text(other->dir, strlen(other->dir));
        print_json_field("accuracy", other->m.accuracy);
        print_json_field("difference", c->difference);
        print_json_interval(", ", "difference_95", c->difference_95);
        printf(", \"only_this\": %" PRId64 ", \"only_other\": %" PRId64, c->only_first,
               c->only_second);
        print_json_field("p", c->p);
        printf("}");
    }
    printf("}\n");
}

static void print_comparison(const result *other, const heed_comparison *c) {
    printf(tr("%s: accuracy %.4f; the difference is %+.4f (95 %%: %+.4f to %+.4f)\n"), other->dir,
           other->m.accuracy, c->difference, c->difference_95.low, c->difference_95.high);
    printf(tr("right where the other is wrong: %" PRId64 " against %" PRId64
              " texts; McNemar's exact test: p = %.3g%s\n"),
           c->only_first, c->only_second, c->p,
           c->p < 0.05 ? "" : tr(", which is no evidence that either is better"));
}

static void result_free(result *r) {
    heed_classifier_close(r->c);
    free(r->o);
    free(r->score);
    free(r->tally);
    free(r->wrong);
}

static int test(result *r, const heed_open_cfg *open, heed_error *err) {
    const heed_dataset *t = r->table;
    const heed_examples data = {
        .len = t->len, .text = t->text, .label = t->label, .text2 = t->text2, .array = r->array
    };
    r->c = heed_classifier_open(r->dir, open, err);
    if (!r->c) return err->code;
    const int64_t labels = heed_classifier_labels(r->c);
    const size_t n = (size_t)t->len;
    r->o = calloc(n, sizeof *r->o);
    r->wrong = calloc(n, sizeof *r->wrong);
    r->tally = calloc((size_t)labels, sizeof *r->tally);
    r->score = labels == 2 ? calloc(n, sizeof *r->score) : NULL;
    const bool room = r->o && r->wrong && r->tally && (r->score || labels != 2);
    int rc = room ? heed__classifier_judge(r->c, &data, r->o, r->score, err) : HEED_ENOMEM;
    if (rc == 0) rc = heed__metrics(&r->m, r->o, r->score, t->len, labels, open->hooks);
    if (rc == HEED_ENOMEM) return heed__error(err, rc, "%s: out of memory", r->file);
    if (rc) return rc;
    heed__tallies(r->tally, r->o, t->len, labels);
    find_confusions(r);
    for (int k = 0; rc == 0 && k < ATTACKS; k++)
        if (r->attack[k])
            rc = heed__attack(r->c, &data, r->o, (heed_attack_kind)k, &r->attacked[k], err);
    return rc;
}

typedef struct test_options {
    const char *context; /* a file, where it is no column */
    heed_dataset_cfg table;
    bool json;
    int64_t threads;
    const char *compare, *train, *attack, *features;
    int64_t window, truncate;
    heed_conll_cfg columns; /* of a tagger's data */
} test_options;

/* How many of the texts are among those of the training, and how many of these have another
 * label there. */
static int overlap(const test_options *o, const heed_dataset *table, int64_t same[2],
                   heed_error *err) {
    heed_dataset seen;
    int rc = data_read(&seen, o->train, &o->table, err);
    if (rc) return rc;
    same[0] = heed__dataset_overlap(&seen, table, &same[1], err);
    rc = same[0] < 0 ? (int)same[0] : 0;
    heed__dataset_free(&seen);
    return rc;
}

/* Reads "typo,swap". 0 or a status. */
static int read_attacks(const char *list, bool attack[ATTACKS], heed_error *err) {
    for (const char *at = list; at;) {
        const size_t size = strcspn(at, ",");
        int k = 0;
        while (k < ATTACKS && (strlen(attacks[k]) != size || strncmp(at, attacks[k], size) != 0))
            k++;
        if (k == ATTACKS)
            return heed__error(
                err, HEED_EINVALID,
                "--attack: there is no attack '%.*s'; there are typo, swap, drop, gradient",
                (int)(size < 40 ? size : 40), at);
        attack[k] = true;
        at = at[size] ? at + size + 1 : NULL;
    }
    return 0;
}

typedef enum model_kind {
    ONE_LABEL = 1,
    OTHER_ANSWER = 2, /* several labels, or a score */
    CLASSIFIER = ONE_LABEL | OTHER_ANSWER,
    TAGGER = 4,
    EMBEDDER = 8
} model_kind;

/* What only models of another kind can be asked is not passed over in silence. 0 or a status. */
static int check_asked(const test_options *o, model_kind kind, heed_error *err) {
    const struct {
        const char *option;
        bool given;
        unsigned of;
        const char *whose;
    } asked[] = {
        { "compare", o->compare, ONE_LABEL, "classifiers of one label" },
        { "attack", o->attack, ONE_LABEL, "classifiers of one label" },
        { "train", o->train, ONE_LABEL, "classifiers of one label" },
        { "window", o->window, ONE_LABEL, "classifiers of one label" },
        { "truncate", o->truncate, ONE_LABEL, "classifiers of one label" },
        { "features", o->features, CLASSIFIER, "classifiers" },
        { "context", o->context || o->table.context, CLASSIFIER, "classifiers" },
        { "label-sep", o->table.label_sep, CLASSIFIER, "classifiers" },
        { "text2", o->table.text2, CLASSIFIER | EMBEDDER, "classifiers and embedders" },
        { "text", o->table.text, CLASSIFIER | EMBEDDER, "classifiers and embedders" },
        { "label", o->table.label, CLASSIFIER | EMBEDDER, "classifiers and embedders" },
        { "token", o->columns.token, TAGGER, "taggers" },
        { "tag", o->columns.tag, TAGGER, "taggers" },
    };
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++)
        if (asked[i].given && !(asked[i].of & kind))
            return heed__error(err, HEED_EUNSUPPORTED, "test: --%s is for %s, not for %s",
                               asked[i].option, asked[i].whose,
                               kind == ONE_LABEL      ? "classifiers"
                               : kind == OTHER_ANSWER ? "several labels or scores"
                               : kind == TAGGER       ? "taggers"
                                                      : "embedders");
    return 0;
}

/* Tests one model, or two on the same texts. */
static int run(const test_options *o, const char *dir, const char *file, heed_error *err) {
    const heed_hooks hooks = { .cancel = command_cancelled };
    const heed_open_cfg open = { .threads = (int)o->threads, .hooks = &hooks }, narrow = {
        .threads = open.threads, .hooks = &hooks, .window = o->window, .truncate = o->truncate
    };
    heed_dataset_cfg table_cfg = o->table;
    heed_dataset table = { 0 };
    result r = { .dir = dir, .file = file, .table = &table, .train = o->train }, other = r;
    features f = { .array = { .data = NULL } };
    heed_comparison c;
    context passages = { .path = NULL };
    other.dir = o->compare;
    if (read_attacks(o->attack, r.attack, err)) return err->code;
    heed_classifier *first = heed_classifier_open(dir, &narrow,
                                                  err); /* a wrong folder, told first */
    if (!first) return err->code;
    if (heed_classifier_target(first) != HEED_TARGET_LABEL) {
        int other_kind = check_asked(o, OTHER_ANSWER, err);
        if (other_kind == 0)
            other_kind = kinds_test(first, &(kinds_files){ file, o->features, o->context },
                                    &o->table, o->json, err);
        heed_classifier_close(first);
        return other_kind;
    }
    table_cfg.pairs = heed_classifier_pairs(first) && !o->context;
    heed_classifier_close(first);
    int rc = check_asked(o, ONE_LABEL, err);
    if (rc == 0) rc = context_read(&passages, o->context, err);
    if (rc == 0) rc = data_read(&table, file, &table_cfg, err);
    if (rc == 0) rc = kinds_fit(&table, file, HEED_TARGET_LABEL, err);
    if (rc == 0) rc = context_put(&passages, &table, file, err);
    if (rc == 0) rc = features_read(&f, o->features, table.len, file, err);
    r.array = other.array = features_array(&f);
    if (rc == 0 && o->train) rc = overlap(o, &table, r.same, err);
    if (rc == 0) rc = test(&r, &narrow, err);
    if (rc == 0 && o->compare) rc = test(&other, &open, err);
    if (rc == 0 && o->compare && heed__compare(&c, r.o, other.o, table.len, &hooks))
        rc = heed__error(err, HEED_ENOMEM, "%s: out of memory", file);
    if (rc == 0)
        rc = kinds_levels(r.c,
                          &(heed_examples){ .len = table.len,
                                            .text = table.text,
                                            .text2 = table.text2,
                                            .label = table.label,
                                            .array = r.array },
                          &r.levels, err);
    if (rc == 0 && o->json) print_json(&r, o->compare ? &other : NULL, &c);
    if (rc == 0 && !o->json) {
        print(&r);
        if (o->compare) print_comparison(&other, &c);
        for (int i = 0; i < r.levels.len; i++)
            printf(tr("Accuracy at level %d: %.4f\n"), i + 1, r.levels.at[i]);
    }
    result_free(&r);
    result_free(&other);
    heed__dataset_free(&table);
    context_free(&passages);
    features_free(&f);
    return rc;
}

static int test_any(const test_options *o, const char *dir, const char *file,
                    const heed_open_cfg *open, heed_error *err) {
    if (tag_is_tagger(dir)) {
        const int rc = check_asked(o, TAGGER, err);
        return rc ? rc : tag_test(dir, file, &o->columns, open, o->json, err);
    }
    if (pairs_is_embedder(dir)) {
        const int rc = check_asked(o, EMBEDDER, err);
        return rc ? rc : pairs_test(dir, file, &o->table, open, o->json, err);
    }
    return run(o, dir, file, err);
}

int cmd_test(int argc, char **argv) {
    test_options o = { 0 };
    const opt options[] = {
        { "json", 0, OPT_FLAG, &o.json, 0, 0, NULL, "one JSON object (docs/schemas/test.json)" },
        { "compare", 0, OPT_PATH, &o.compare, 0, 0, "MODEL",
          "another model on the same texts, with a paired test" },
        { "train", 0, OPT_PATH, &o.train, 0, 0, "FILE",
          "the training data: texts that are in both are counted" },
        { "label", 0, OPT_TEXT, &o.table.label, 0, 0, "COL", "column of the labels (guessed)" },
        { "text", 0, OPT_TEXT, &o.table.text, 0, 0, "COL", "column of the texts (guessed)" },
        { "features", 0, OPT_PATH, &o.features, 0, 0, "X.npy",
          "features beside the texts, a row each (--text none: instead of them)" },
        { "attack", 0, OPT_TEXT, &o.attack, 0, 0, "KINDS",
          "worst-case accuracy under typo, swap (of words), drop, gradient (typing errors where "
          "they "
          "hurt); several with commas" },
        { "context", 0, OPT_TEXT, &o.context, 0, 0, "COL|FILE",
          "what each text attends to: a column, or a file with a line for each or one for all" },
        { "text2", 0, OPT_TEXT, &o.table.text2, 0, 0, "COL", "pairs: column of the second texts" },
        { "label-sep", 0, OPT_TEXT, &o.table.label_sep, 0, 0, "S",
          "cuts a field into several labels" },
        { "token", 0, OPT_INT, &o.columns.token, 1, 1000, "N", "tagger: column of the words (1)" },
        { "tag", 0, OPT_INT, &o.columns.tag, 1, 1000, "N",
          "tagger: column of the tags (the last)" },
        { "window", 0, OPT_INT, &o.window, 1, 1e6, "N",
          "words attend to as many on either side at most (as trained); --compare is as trained" },
        { "truncate", 0, OPT_INT, &o.truncate, 1, 1e6, "N",
          "words attend to the last N at most (as trained); likewise" },
        { "threads", 0, OPT_INT, &o.threads, 1, 1024, "N", "threads (as many as there are)" },
        { NULL, 0, OPT_FLAG, NULL, 0, 0, NULL, NULL },
    };
    const opt_command what = { "heed test MODEL FILE [options]",
                               "Tests a model on labelled data: loss, accuracy, macro-F1, "
                               "calibration error with 95 % intervals, labels, confusions.",
                               options, 2, 2 };
    const char *operand[2];
    const int n = opt_read(&what, argc, argv, operand);
    if (n < 0) return command_usage(n);
    o.table.label_only = features_alone(o.features, o.table.text);
    if (o.table.label_only) o.table.text = NULL;
    if (o.context && o.table.text2) {
        complain("%s", tr("heed test: --context does not go with --text2\n"));
        return EXIT_USAGE;
    }
    if (o.context && !context_is_file(o.context)) {
        o.table.text2 = o.context;
        o.table.context = true;
        o.context = NULL;
    }
    command_catch_signals();
    heed_error err = { 0 };
    const heed_hooks hooks = { .cancel = command_cancelled };
    const heed_open_cfg open = { .threads = (int)o.threads, .hooks = &hooks };
    return test_any(&o, operand[0], operand[1], &open, &err) ? command_error(&err) : 0;
}
