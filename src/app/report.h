/* report.h: a training and what came of it as one HTML file that needs no network: curves,
 * measures, confusions, reliability, risk against coverage, the worst mistakes. */
#ifndef HEED_APP_REPORT_H
#define HEED_APP_REPORT_H

#include "tasks/calibration.h"
#include "tasks/metrics.h"

/* A name and what is said of it: "recipe", "attend". */
typedef struct report_fact {
    const char *name, *value;
} report_fact;

typedef struct report {
    const char *title;
    const report_fact *fact; /* its name NULL ends them */
    /* epochs: loss while learning, loss and score on held-out data (NAN: none); 0: no curves */
    int64_t epochs, best; /* best: 1-based, 0: none */
    const double *train_loss, *held_loss, *held_score;
    const char *score_name;
    const char *extra; /* HTML of a search or a curve; NULL: none */
    /* held-out examples and the answers to them; n 0: none */
    int64_t n, labels;
    const heed_outcome *o;   /* [n] */
    const char *const *text; /* [n] */
    const char *(*label)(void *arg, int64_t i);
    void *arg;
    const heed_metrics *m;               /* NULL: the facts tell */
    const heed_calibration *calibration; /* NULL: none */
} report;

/* Writes the file whole or not at all. 0 or a status. */
int report_write(const report *r, const char *path, heed_error *err);

#endif
