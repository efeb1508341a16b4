/* desk_bench.h: a desk beside two others on the same messages in the same run: `attend`, the same
 * without attention (a bag of words and their pieces under a linear head, as the sparse features of
 * Rasa's classifiers are), and no model at all (the question learnt that is nearest by words). */
#ifndef HEED_SERVE_DESK_BENCH_H
#define HEED_SERVE_DESK_BENCH_H

#include "serve/desk_test.h"

enum { HEED_DESK_BENCHED = 3 };

typedef struct heed_desk_bench_cfg {
    const char *train, *test; /* labelled texts of any form (io/dataset.h) */
    const char *valid;        /* held-out texts; NULL: a tenth of train, by label */
    const char *none;         /* the label of messages that no intent is for */
    double scope, least;      /* as heed_desk_cfg's */
    int threads;              /* of training */
    /* hears of each row when it is done; NULL: nobody */
    void (*tell)(void *user, int row, const char *what, double trained,
                 const heed_desk_tested *tested);
    void *user;
    const heed_hooks *hooks;
} heed_desk_bench_cfg;

/* Trains in a temporary folder, which is gone afterwards. 0 or a status. */
int heed_desk_bench(const heed_desk_bench_cfg *cfg, heed_error *err);

#endif
