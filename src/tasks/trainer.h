/* trainer.h: one training loop for every task: epochs over shuffled batches, a score on held-out
 * data after each, the best weights kept, early stop, time limit, exact resume, logs. A task says
 * what its examples and its loss are:
 *
 *     heed_learner l = { .self = &mine, .cx = cx, .ps = ps, .items = n, .length = lengths,
 *                        .loss = my_loss, .score = my_score };
 *     heed_fitted done;
 *     int rc = heed__fit(&l, &cfg, &done, err);      // the best weights are in ps now
 *
 * The weights depend on data, settings and seed alone; stopped and resumed, they are the same bits
 * (but for a time limit, which only cuts the tail of the run). */
#ifndef HEED_TASKS_TRAINER_H
#define HEED_TASKS_TRAINER_H

#include "heed/train.h"
#include "tasks/adversary.h"
#include "tasks/run_left.h"

enum { HEED_FIT_MAX_EPOCHS = 1 << 30 };

/* What a model is worth on held-out data. */
typedef struct heed_score {
    const char *name; /* "Acc", "F1": as it is printed */
    double value;     /* the larger the better; of equal ones the smaller loss */
    double loss;
} heed_score;

typedef struct heed_learner {
    void *self;
    heed_ctx *cx;
    heed_params *ps;       /* all declared */
    int64_t items;         /* examples, numbered from 0 */
    const int64_t *length; /* [items] units of each, so that like ones share a batch; NULL: alike */
    /* The loss [] of n examples, a tensor of the step; NULL: the context has the error. */
    heed_tensor *(*loss)(void *self, const int64_t *item, int64_t n);
    /* After each epoch, with the context not training. NULL: nothing is held out, and the last
     * weights count. 0 or a status. */
    int (*score)(void *self, heed_score *score, heed_error *err);
    /* Before the first step, with the context not training: goes once through what takes most of
     * what follows the steps, such as answers to held-out data, so that memory that is short for
     * them is short before the work. NULL: nothing does. 0 or a status. */
    int (*rehearse)(void *self, heed_error *err);
    int64_t memory;   /* bytes that the task itself holds while it trains, to be told */
    const char *unit; /* of its examples, for the progress hook: "texts" */
    bool beforehand;  /* the language first: progress is "pretrain" and "pretrain epoch" */
} heed_learner;

/* A setting and its bounds, both inclusive. A NULL name ends a list. */
typedef struct heed_bound {
    const char *name;
    int64_t value, least, most;
} heed_bound;
/* 0, or HEED_EINVALID with the first setting outside its bounds: "train: NAME is 0, not 1 to 9". */
int heed__bounds_check(const heed_bound *list, heed_error *err);

typedef struct heed_fit_cfg {
    int64_t epochs, batch;
    const char *optimizer; /* "adam", "adamw", "sgd", "adagrad", "adafactor"; NULL: "adam" */
    const char
        *schedule; /* "constant", "linear", "cosine", "inv_sqrt", "plateau"; NULL: "cosine" */
    heed_optim_cfg optim; /* rates, decay, groups ...; its kind and schedule come from the names
                             above; clip 0: 1, negative: none */
    double warmup;        /* part of all steps over which the rate grows; 0: none */
    int64_t patience;     /* epochs without a better score before it stops; 0: never stops */
    double seconds;       /* time for the whole training; 0: no limit */
    heed_adversary_kind adversary;
    double adversary_size; /* ε; 0: 1 */
    uint64_t seed;         /* of the order of examples */
    /* Folder of this run: log.jsonl, TensorBoard's events, and, on its way and where it was
     * stopped, checkpoint/. Made where it is not there. NULL: nothing is written, and what is
     * stopped is lost. */
    const char *run;
    double save_every;     /* seconds between checkpoints on the way, for what is killed and cannot
                             stop; more where saving takes long. 0: as long as the training has
                             run, 5 at least and 60 at most */
    const char *settings;  /* one line that must be the same for a resume: data and options */
    bool resume;           /* go on from run/checkpoint; HEED_ENOTFOUND where there is none */
    heed_run_begin *begin; /* of the training that this is a part of; NULL: it is one of its own */
    const heed_hooks *hooks;
} heed_fit_cfg;

typedef struct heed_epoch {
    int64_t epoch, epochs; /* 1-based */
    double loss;           /* mean over this epoch's batches, while they were learnt */
    double rate;           /* learning rate of its last step */
    double seconds;        /* since the beginning */
    bool scored, better;   /* held-out data, and the best so far */
    heed_score score;
} heed_epoch;

typedef enum heed_fit_end {
    HEED_FIT_DONE,
    HEED_FIT_PATIENCE,
    HEED_FIT_TIME,
    HEED_FIT_STOPPED
} heed_fit_end;

/* How it went. */
typedef struct heed_fitted {
    int64_t epochs, best; /* run; the one whose weights are kept */
    int64_t steps;
    heed_score score; /* of the best, where there is held-out data */
    double seconds;
    heed_fit_end end;
} heed_fitted;

/* Trains. Tells hooks->progress "memory" once before the first step, then "train", and "epoch"
 * after each epoch (its score in the progress). HEED_ECANCELLED where the cancel hook asked: then
 * ps has the best weights so far and run/checkpoint what a resume needs. A training that came to
 * its end leaves its checkpoint too, for what may happen before its model is saved: see
 * run_left.h. 0 or a status. */
int heed__fit(const heed_learner *l, const heed_fit_cfg *cfg, heed_fitted *done, heed_error *err);

/* order[0..items) for one epoch: shuffled by (seed, epoch), then examples of like length brought
 * together within windows of 32 batches, whose batches are shuffled again, so that little is padded
 * and every epoch differs. length NULL: shuffled alone. */
void heed__epoch_order(const int64_t *length, int64_t items, uint64_t seed, int64_t epoch,
                       int64_t batch, int64_t *order);
/* order[0..items): within windows of 4096 by length, shortest first; equal lengths stay in order.
 */
void heed__length_order(const int64_t *length, int64_t items, int64_t *order);

/* Splits off `part` of all examples by label, so that each label keeps its share (at least one
 * stays in training; a label with one example only is not held out), in runs of at most 16
 * neighbours of one label, which often have one source. held[i]: example i is held out. Depends on
 * (labels, part, seed). Returns how many. */
int64_t heed__hold_out(const int32_t *label, int64_t len, double part, uint64_t seed, bool *held,
                       const heed_hooks *hooks);
/* Says so to the progress hook; unit: "texts", ... */
void heed__tell_held_out(const heed_hooks *hooks, int64_t held, int64_t len, const char *unit);

#endif
