/* train_search.h: `heed train classify … --search 20m`: trials told one by one, and kept in the
 * run's folder. */
#ifndef HEED_APP_TRAIN_SEARCH_H
#define HEED_APP_TRAIN_SEARCH_H

#include "heed/tasks.h"

/* Reads "90s", "20m", "1.5h", or a number of minutes; false for what is none of them. */
bool train_search_time(const char *text, double *seconds);

/* The best classifier of a search of so many seconds; RUN/trials.jsonl and RUN/extra.html (a table
 * for the report) where the cfg has a run. NULL and *err on failure. */
heed_classifier *train_search(const heed_examples *data, const heed_classify_cfg *cfg,
                              double seconds, heed_error *err);

#endif
