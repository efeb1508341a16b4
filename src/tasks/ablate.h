/* ablate.h: what each part of a recipe brings: trainings with one thing changed, beside the recipe
 * as it is, on the same texts with the same seeds. */
#ifndef HEED_TASKS_ABLATE_H
#define HEED_TASKS_ABLATE_H

#include "tasks/classifier.h"

enum { HEED_ABLATED_MOST = 12 };

/* One row of the table. */
typedef struct heed_ablated {
    const char *what;  /* "as it is", "no attention", "1 head", "positions: learned" */
    double accuracy;   /* on the held-out texts, mean over the seeds */
    double difference; /* to the first row */
    /* 95 %, by the spread over texts of the mean over seeds, and of the difference text by text:
     * what other texts of the kind would give; not how much other seeds would. */
    heed_interval accuracy_95, difference_95;
    double spread; /* over seeds: largest minus smallest accuracy */
    int64_t parameters;
    double seconds; /* of training, mean over the seeds */
} heed_ablated;

typedef struct heed_ablation {
    heed_ablated row[HEED_ABLATED_MOST];
    int64_t len, texts; /* rows; held-out texts that judge */
} heed_ablation;

/* Trains every form of base's recipe (attend, classic or encoder) with seeds 1 to `seeds` on data,
 * and judges on base->valid, or on base->valid_part (0.1) held out by label, the same for all. tell
 * (may be NULL) hears of each row when it is done. Only for one label a text. 0 or a status. */
int heed__ablate(const heed_examples *data, const heed_classify_cfg *base, int64_t seeds,
                 heed_ablation *table, void (*tell)(const heed_ablation *), heed_error *err);

#endif
