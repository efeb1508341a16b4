/* kinds.h: classifiers of several labels, of scores and of pairs, as commands show them. */
#ifndef HEED_APP_KINDS_H
#define HEED_APP_KINDS_H

#include "app/features.h"
#include "heed/tasks.h"
#include "io/dataset.h"

/* Data to test on: a file; NULL or features beside its texts, a file of what they attend to. */
typedef struct kinds_files {
    const char *data, *features, *context;
} kinds_files;

/* What a data file holds. */
typedef struct kinds_data {
    heed_dataset d;
    double *score;
    heed_examples x;
    features features;
    bool cut; /* fields were cut into labels (--label-sep) */
} kinds_data;

/* Labels of one text that are as likely as not or more: a line, or an object
 * (docs/schemas/predict_labels.json), without its end. */
void kinds_print_labels(const heed_explanation *x, bool json);
/* `heed test` of such a model; table is how its data is read. 0 or a status. */
int kinds_test(heed_classifier *c, const kinds_files *files, const heed_dataset_cfg *table,
               bool json, heed_error *err);
/* The same of data that were read already; file: their name. */
int kinds_test_data(heed_classifier *c, const kinds_data *k, const char *file, bool json,
                    heed_error *err);
/* Accuracy at the levels above the labels, where they are paths; len 0 where they are not. 0 or a
 * status. */
enum { KINDS_LEVELS = 8 };
typedef struct kinds_accuracies {
    double at[KINDS_LEVELS];
    int len;
} kinds_accuracies;
int kinds_levels(heed_classifier *c, const heed_examples *data, kinds_accuracies *of,
                 heed_error *err);

/* A data file as a model of this kind wants it: into k, freed with kinds_free. 0 or a status. */
int kinds_read(kinds_data *k, const char *file, const heed_dataset_cfg *table, heed_target target,
               heed_error *err);
/* Data with several labels a text is refused for models that give one. 0 or a status. */
int kinds_fit(const heed_dataset *d, const char *file, heed_target target, heed_error *err);
/* Reads features beside its texts, where path is not NULL. 0 or a status. */
int kinds_features(kinds_data *k, const char *path, const char *file, heed_error *err);
void kinds_free(kinds_data *k); /* a zeroed one is fine */

#endif
