/* parts.h: a training that is made of several, one after another: a search's trials, the points of
 * a curve, the rounds of self-training. What is finished is kept in RUN/parts, so that a process
 * that stops or is killed goes on where it was:
 *
 *     state.json       settings, and a note of each part that is finished
 *     best.0, best.1   the best model of these parts: that one which state.json counts, with a
 *                      hash of its files; where it cannot be read its part is trained anew
 *     1, 2, ..         runs of the parts, with log and checkpoint
 *
 *     heed_parts p;
 *     int rc = heed__parts_begin(&p, &cfg, "search", hash, err);
 *     for (int64_t i = 0; i < heed__parts_len(&p); i++) ...heed__parts_note(&p, i)...   // was done
 *     c = heed__parts_train(&p, &x, &cfg, false, err);               // part number len, 0-based
 *     rc = heed__parts_add(&p, note, c is the best ? c : NULL, err);
 *     heed__parts_end(&p, false, err);
 *
 * Without a run all of this trains and keeps nothing. A new training removes the log that an
 * earlier one left and what it has in RUN/parts, once its first part has passed its rehearsal and
 * not before; one that came to its end leaves its own until its model is saved (run_left.h). */
#ifndef HEED_TASKS_PARTS_H
#define HEED_TASKS_PARTS_H

#include <jansson.h>

#include "tasks/classifier.h"

typedef struct heed_parts {
    heed_hooks hooks;
    char run[HEED_PATH_SIZE - 64]; /* "": there is none */
    char settings[128];
    bool settled;         /* what is in the run's folder is theirs */
    json_t *note;         /* array: an object of each finished part */
    int64_t kept;         /* how often a model was kept, in best.0 and best.1 by turns */
    char sum[20];         /* hash of that one's files; "": not known */
    double before, start; /* seconds of the processes before this one; this one's clock */
} heed_parts;

/* cfg: run, resume, seed and hooks are read. what: "search"; hash: of data and settings, which must
 * be the same for a resume (HEED_EINVALID; HEED_ENOTFOUND: there is none). 0 or a status; to be
 * ended either way. */
int heed__parts_begin(heed_parts *p, const heed_classify_cfg *cfg, const char *what, uint64_t hash,
                      heed_error *err);
/* err: how they ended, whose sentence of a stop then tells what there is to go on with. The run's
 * log is told too: done, over for lack of time, stopped. */
void heed__parts_end(heed_parts *p, bool time_over, heed_error *err);
/* What an earlier training left in the run's folder goes, and these parts are kept there from now
 * on: the first one to pass its rehearsal asks for it. Once; 0 or a status. */
int heed__parts_settle(heed_parts *p, heed_error *err);
/* Seconds of all processes so far. */
double heed__parts_seconds(const heed_parts *p);
int64_t heed__parts_len(const heed_parts *p);
/* Of part i, the parts' own until they end. */
const json_t *heed__parts_note(const heed_parts *p, int64_t i);
/* Trains the part that comes next, goes on with it where it was begun; from a checkpoint that
 * cannot be gone on with it begins anew, as the log hook is told. last: in the run's own
 * folder, which then tells of it. As heed_classifier_train. */
heed_classifier *heed__parts_train(heed_parts *p, const heed_examples *x,
                                   const heed_classify_cfg *cfg, bool last, heed_error *err);
/* The next part is finished: its note, which is given up (NULL: HEED_ENOMEM), and, where it is the
 * best so far, its model, whose log becomes the run's. 0 or a status. */
int heed__parts_add(heed_parts *p, json_t *note, const heed_classifier *best, heed_error *err);
/* Opens the best model, with held's answers in c->held as after its training. held may be NULL.
 * NULL on failure: with err->code 0 where no such model can be read, as the log hook is told, and
 * its part is to be trained again, else with *err. */
heed_classifier *heed__parts_best(const heed_parts *p, const heed_classify_cfg *cfg,
                                  const heed_examples *held, heed_error *err);
/* Trains part number `part` (0-based) once more, whose model was the best and is lost, and keeps
 * it. As heed_classifier_train. */
heed_classifier *heed__parts_again(heed_parts *p, int64_t part, const heed_examples *x,
                                   const heed_classify_cfg *cfg, heed_error *err);
/* Removes RUN/parts. */
void heed__parts_drop(const char *run);

/* Of texts, second texts and labels, one each, and numbers beside them; x NULL or without labels
 * is fine. */
uint64_t heed__examples_hash(uint64_t h, const heed_examples *x);
/* Of all that decides a training's result but its data. */
uint64_t heed__settings_hash(uint64_t h, const heed_classify_cfg *cfg);
/* A number, null for one that is not finite; and back. */
json_t *heed__note_number(double value);
double heed__noted_number(const json_t *note, const char *key);

#endif
