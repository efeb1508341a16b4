/* trainer_run.h: a training under way, for the files of the trainer. */
#ifndef HEED_TASKS_TRAINER_RUN_H
#define HEED_TASKS_TRAINER_RUN_H

#include "tasks/adversary.h"
#include "tasks/run_log.h"
#include "tasks/trainer.h"

typedef struct heed_fit_run {
    const heed_learner *l;
    heed_fit_cfg cfg; /* with the defaults filled in */
    heed_optim *opt;
    heed_adversary *adversary; /* NULL: none */
    int64_t *order;            /* [items] of this epoch */
    float *best; /* all weights of the best epoch, one after another; NULL: none is kept */
    heed_run_log *log;
    heed_error *err;
    heed_fitted *done;

    /* where it is; all of this is in a checkpoint */
    int64_t epoch, at; /* 1-based; examples of it that are learnt */
    double sum;        /* of this epoch's losses, by examples */
    int64_t bad;       /* epochs since the best one */
    bool has_best;     /* best and done->score, done->best hold */
    double before;     /* seconds of the runs before this one */
    bool ended;        /* nothing is left to be learnt: done->end says why */

    int64_t log_at[2]; /* of a run that goes on: how much of its log's files is of before */

    double start, told, shown; /* for the eye: clocks, and a running mean of the loss */
    double save_at, saved;     /* by the same clock: the next checkpoint on the way, the last one */
    int64_t steps_here;
} heed_fit_run;

double heed__fit_seconds(const heed_fit_run *r); /* of training, those before included */
void heed__fit_keep(heed_fit_run *r);            /* the weights become the best ones */
void heed__fit_restore(heed_fit_run *r);         /* the best ones become the weights */
/* cfg.run/checkpoint, written as a whole. 0 or a status. */
int heed__fit_save(heed_fit_run *r);
/* Goes to where such a checkpoint is. 0 or a status; nothing has changed then. */
int heed__fit_resume(heed_fit_run *r);

#endif
