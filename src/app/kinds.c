/* kinds.c: classifiers of several labels, of scores and of pairs, as commands show them. */
#include "app/kinds.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/context.h"
#include "app/data.h"
#include "app/messages.h"
#include "app/print.h"
#include "app/tallies.h"
#include "base/alloc.h"
#include "base/text.h"
#include "tasks/classifier.h"

/* -- data ------------------------------------------------------------------------------------- */

void kinds_free(kinds_data *k) {
    heed__dataset_free(&k->d);
    features_free(&k->features);
    free(k->score);
    *k = (kinds_data){ .score = NULL };
}

/* The scores of all texts; as with what is wrong in a file else, ten lines are told at once. */
static int read_scores(kinds_data *k, const char *file, heed_error *err) {
    k->score = malloc(((size_t)k->d.len + 1) * sizeof *k->score);
    k->x.score = k->score;
    if (!k->score) {
        err->code = HEED_ENOMEM;
        snprintf(err->msg, sizeof err->msg, "%.300s: out of memory", file);
        return err->code;
    }
    char said[MESSAGE_SIZE];
    int64_t wrong = 0;
    for (int64_t i = 0; i < k->d.len && wrong < HEED_PROBLEMS; i++) {
        const char *text = k->d.label[i];
        const bool number = heed__parse_double(text, strlen(text), &k->score[i]);
        if (number && fabs(k->score[i]) <= HEED_SCORE_MOST) continue;
        if (wrong == 1) complain("%s\n", tr_made(err->msg, said));
        wrong++;
        err->code = HEED_EFORMAT;
        snprintf(err->msg, sizeof err->msg,
                 number ? "%.300s:%" PRId64 ": '%.40s' is beyond 1e30, the largest score"
                        : "%.300s:%" PRId64 ": '%.40s' is no number",
                 data_name(file), k->d.line[i], text);
        if (wrong > 1) complain("%s\n", tr_made(err->msg, said));
    }
    if (wrong < 2) return wrong ? err->code : 0;
    snprintf(err->msg, sizeof err->msg, "%.300s: %s%" PRId64 " lines are wrong", data_name(file),
             wrong == HEED_PROBLEMS ? "at least " : "", wrong);
    return err->code;
}

int kinds_read(kinds_data *k, const char *file, const heed_dataset_cfg *table, heed_target target,
               heed_error *err) {
    *k = (kinds_data){ .cut = table->label_sep != NULL };
    const int rc = data_read(&k->d, file, table, err);
    if (rc) return rc;
    const bool several = target == HEED_TARGET_LABELS;
    k->x = (heed_examples){ .len = k->d.len,
                            .text = k->d.text,
                            .text2 = k->d.text2,
                            .label = several ? k->d.all : k->d.label,
                            .label_start = several ? k->d.first : NULL };
    return target == HEED_TARGET_SCORE ? read_scores(k, file, err) : 0;
}

int kinds_fit(const heed_dataset *d, const char *file, heed_target target, heed_error *err) {
    if (target != HEED_TARGET_LABEL || !d->several) return 0;
    int64_t i = 0;
    while (d->first[i + 1] - d->first[i] < 2) i++;
    return heed__error(err, HEED_EFORMAT,
                       "%.300s:%" PRId64 ": several labels, where the model gives one "
                       "(train --several makes one that gives several)",
                       data_name(file), d->line[i]);
}

/* -- answers ---------------------------------------------------------------------------------- */

void kinds_print_labels(const heed_explanation *x, bool json) {
    int said = 0;
    while (said < x->top_len && x->top[said].score >= 0.5f) said++;
    if (json) printf("{\"labels\": [");
    for (int i = 0; i < said; i++) {
        if (json) {
            printf("%s{\"label\": ", i ? ", " : "");
            print_json_text(x->top[i].name, strlen(x->top[i].name));
            printf(", \"score\": %.9g}", (double)x->top[i].score);
        } else {
            printf("%s%s\t%.4f", i ? "\t" : "", x->top[i].name, (double)x->top[i].score);
        }
    }
    if (json)
        printf("], \"tokens_seen\": %" PRId64 ", \"tokens_total\": %" PRId64, x->seen, x->total);
    else if (x->seen < x->total)
        printf("\t(%" PRId64 " of %" PRId64 " tokens seen)", x->seen, x->total);
}

/* -- tests ------------------------------------------------------------------------------------ */

/* A measure, and where it would lie in other texts of the same kind. */
typedef struct measured {
    const char *name, *said; /* in JSON; to people, NULL: not told */
    double value;
    heed_interval interval;
} measured;

static void print_measures(int64_t n, const measured *of, int len) {
    printf("{\"n\": %" PRId64, n);
    for (int i = 0; i < len; i++) print_json_field(of[i].name, of[i].value);
    for (int i = 0; i < len; i++)
        print_json_interval(i ? ", " : ", \"intervals\": {", of[i].name, of[i].interval);
    printf("}");
}

/* The same for people. */
static void print_lines(const char *format, const measured *of, int len) {
    for (int i = 0; i < len; i++)
        if (of[i].said)
            printf(format, tr(of[i].said), of[i].value, of[i].interval.low, of[i].interval.high);
}

/* No text was read with more than one label, of a field that may hold several. */
static bool uncut(const kinds_data *k) {
    const int64_t *start = k->x.label_start;
    int64_t i = 0;
    while (!k->cut && i < k->x.len && (!start || start[i + 1] - start[i] < 2)) i++;
    return !k->cut && i == k->x.len;
}

/* docs/schemas/test_labels.json. uncut: as above. */
static void print_labels(const heed_labels_metrics *m, bool uncut, bool json) {
    const measured of[] = { { "loss", "Test Loss", m->loss, m->loss_95 },
                            { "accuracy", NULL, m->exact, m->exact_95 },
                            { "exact", "All labels right", m->exact, m->exact_95 },
                            { "precision", "Precision", m->precision, m->precision_95 },
                            { "recall", "Recall", m->recall, m->recall_95 },
                            { "f1", "F1", m->f1, m->f1_95 },
                            { "macro_f1", "Macro F1", m->macro_f1, m->macro_f1_95 },
                            { "ece", "Calibration error", m->ece, m->ece_95 } };
    const int len = sizeof of / sizeof *of;
    if (json)
        print_measures(m->n, of, len);
    else
        print_lines(tr("%s: %.4f (95 %%: %.4f to %.4f)\n"), of, len);
    if (json)
        printf(", \"unknown_labels\": %" PRId64, m->unknown_labels);
    else if (m->unknown_labels)
        printf(tr("%" PRId64 " labels of the texts are none of the model's: missed\n"),
               m->unknown_labels);
    if (!json && m->unknown_labels && uncut)
        printf("%s", tr("no text was read with more than one label; several in a field are cut by "
                        "--label-sep, as in training\n"));
}

static int test_labels(heed_classifier *c, const kinds_data *k, bool json, heed_error *err) {
    const heed_examples *x = &k->x;
    heed_labels_metrics m;
    heed_tally *tally = calloc((size_t)heed_classifier_labels(c), sizeof *tally);
    if (!tally) return heed__error(err, HEED_ENOMEM, "test: out of memory");
    const int rc = heed__classifier_test_labels(c, x, &m, tally, err);
    if (rc == 0) print_labels(&m, uncut(k), json);
    if (rc == 0 && json) {
        printf(", ");
        tallies_print_json(c, tally);
        printf("}\n");
    } else if (rc == 0) {
        tallies_print(c, tally);
    }
    free(tally);
    return rc;
}

static int test_score(heed_classifier *c, const heed_examples *x, bool json, heed_error *err) {
    heed_score_metrics m;
    const int rc = heed_classifier_test_score(c, x, &m, err);
    if (rc) return rc;
    const measured of[] = { { "mse", "Mean squared error", m.mse, m.mse_95 },
                            { "mae", "Mean absolute error", m.mae, m.mae_95 },
                            { "r2", "R2", m.r2, m.r2_95 },
                            { "pearson", "Correlation", m.pearson, m.pearson_95 } };
    const int len = sizeof of / sizeof *of;
    if (json) {
        print_measures(m.n, of, len); /* docs/schemas/test_score.json */
        printf("}\n");
    } else {
        print_lines(tr("%s: %.6g (95 %%: %.6g to %.6g)\n"), of, len);
    }
    return 0;
}

int kinds_features(kinds_data *k, const char *path, const char *file, heed_error *err) {
    const int rc = features_read(&k->features, path, k->d.len, file, err);
    k->x.array = features_array(&k->features);
    return rc;
}

int kinds_test_data(heed_classifier *c, const kinds_data *k, const char *file, bool json,
                    heed_error *err) {
    char how[MESSAGE_SIZE];
    if (!json)
        printf(tr("%s: %" PRId64 " texts; %s\n"), data_name(file), k->d.len,
               tr_made(k->d.how, how));
    return heed_classifier_target(c) == HEED_TARGET_LABELS ? test_labels(c, k, json, err)
                                                           : test_score(c, &k->x, json, err);
}

int kinds_test(heed_classifier *c, const kinds_files *files, const heed_dataset_cfg *table,
               bool json, heed_error *err) {
    const heed_target target = heed_classifier_target(c);
    heed_dataset_cfg own = *table;
    own.no_labels = target == HEED_TARGET_LABELS;
    own.pairs = heed_classifier_pairs(c) && !files->context;
    kinds_data k = { .score = NULL };
    context passages;
    int rc = context_read(&passages, files->context, err);
    if (rc == 0) rc = kinds_read(&k, files->data, &own, target, err);
    if (rc == 0) rc = context_put(&passages, &k.d, files->data, err);
    k.x.text2 = k.d.text2;
    if (rc == 0) rc = kinds_features(&k, files->features, files->data, err);
    if (rc == 0) rc = kinds_test_data(c, &k, files->data, json, err);
    kinds_free(&k);
    context_free(&passages);
    return rc;
}

int kinds_levels(heed_classifier *c, const heed_examples *data, kinds_accuracies *of,
                 heed_error *err) {
    const int levels = heed_classifier_levels(c);
    of->len = levels < KINDS_LEVELS ? levels : KINDS_LEVELS;
    return levels ? heed_classifier_test_levels(c, data, of->at, KINDS_LEVELS, err) : 0;
}
