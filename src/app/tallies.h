/* tallies.h: how well each label is found, for people and for programs. */
#ifndef HEED_APP_TALLIES_H
#define HEED_APP_TALLIES_H

#include "heed/tasks.h"
#include "tasks/metrics.h"

double tally_f1(const heed_tally *t);
/* A table of c's labels: those found worst first, at most ten. tally [labels]. */
void tallies_print(const heed_classifier *c, const heed_tally *tally);
/* `"labels": [..]`, all of them. */
void tallies_print_json(const heed_classifier *c, const heed_tally *tally);

#endif
