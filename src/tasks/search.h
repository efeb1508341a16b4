/* search.h: settings of a classifier found by trial: successive halving (Jamieson and Talwalkar
 * 2016) over recipe, rate, dropout, smoothing and width, judged on held-out data. */
#ifndef HEED_TASKS_SEARCH_H
#define HEED_TASKS_SEARCH_H

#include "tasks/classifier.h"

/* One training on a part of the data. */
typedef struct heed_trial {
    int64_t number;   /* from 1, in the order in which they were run */
    int64_t settings; /* which settings: 0 those that were given, then 1, 2, .. as the seed draws */
    const char *recipe;
    double lr, dropout, label_smoothing;
    int64_t embed;
    int64_t texts;         /* learnt from */
    double accuracy, loss; /* on the held-out data, which are the same for every trial */
    double seconds;
    bool best;   /* so far, of those that learnt from all texts */
    bool before; /* run by a process before this one, which the search goes on with */
} heed_trial;

typedef struct heed_search_cfg {
    double seconds; /* no trial begins after it; the first, with the given settings, always does */
    int64_t rounds; /* at most (1000) */
    void (*tell)(void *arg, const heed_trial *trial); /* after each; NULL: nobody */
    void *arg;
} heed_search_cfg;

/* Trains with the given settings on all texts, then round after round: nine settings drawn by the
 * seed learn from a ninth of the texts, the best three of them from a third, the best from all. The
 * seed alone fixes the trials and their order; the time only cuts their tail. base's own valid, or
 * base's valid_part (0.1) of data drawn by label, is what judges: other settings must be right
 * about more of it than those given by more than one standard error. Only for one label a text.
 * With a run, what is finished is kept (parts.h), and with resume, whose time counts too, gone on
 * with. The best classifier, as heed_classifier_train; NULL and *err on failure. */
heed_classifier *heed__classifier_search(const heed_examples *data, const heed_classify_cfg *base,
                                         const heed_search_cfg *cfg, heed_error *err);

#endif
