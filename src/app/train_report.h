/* train_report.h: a run's report: RUN/report.html of its log and the answers to held-out data. */
#ifndef HEED_APP_TRAIN_REPORT_H
#define HEED_APP_TRAIN_REPORT_H

#include "tasks/classifier.h"
#include "tasks/tagger.h"

/* What the page is of. */
typedef struct report_of {
    const char *run, *file; /* the training data */
    double seconds;         /* how long it took */
    bool extra;             /* RUN/extra.html, of a search or a curve, is put in */
} report_of;

/* Says on standard output where the page is. 0 or a status. */
int train_report(heed_classifier *c, const report_of *of, heed_error *err);
/* The same for a tagger; held: sentences that it did not learn from, len 0: none. */
int train_report_tags(heed_tagger *t, const heed_tagged *held, const report_of *of,
                      heed_error *err);
struct report; /* app/report.h */
/* Puts the course of the run and what a search left into *r, writes its page and says where. 0 or a
 * status. */
int train_report_write(struct report *r, const report_of *of, heed_error *err);
/* Writes RUN/name, making the folder. 0 or a status. */
int train_extra(const char *run, const char *name, const char *text, size_t size, heed_error *err);

#endif
