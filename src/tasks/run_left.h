/* run_left.h: what a training that came to its end leaves in its run's folder, so that a process
 * that is killed before the model is saved can still go on with it. It is noted at the end of the
 * training, travels with the model, and goes when the model is saved; what another training has put
 * in its place meanwhile stays. */
#ifndef HEED_TASKS_RUN_LEFT_H
#define HEED_TASKS_RUN_LEFT_H

#include "base/folder.h"

enum { HEED_RUN_LEFT = 3 };

/* A training that shares its run's folder with what an earlier one left there. Nothing is written
 * before it begins, which is once it has passed its rehearsal: one that is refused, or stopped
 * until then, takes nothing of an earlier one with it. */
typedef struct heed_run_begin {
    const char *run; /* NULL: nothing is written at all */
    bool resume;
    /* Of a training that is made of several: it makes the folder that run lies in, and tells itself
     * when all of it has ended. 0 or a status. NULL: it is one of its own. */
    int (*whole)(void *arg, heed_error *err);
    void *arg;
    const heed_hooks *hooks;
    bool begun;
} heed_run_begin;

typedef struct heed_run_left {
    char run[HEED_PATH_SIZE - 64];    /* "": nothing was left */
    heed_folder_id id[HEED_RUN_LEFT]; /* of its folders, in the order of run_left.c */
} heed_run_left;

/* Notes what lies in the run's folder; run NULL: nothing. */
void heed__run_note(heed_run_left *left, const char *run);
/* Removes what was noted, as far as it is still the same. */
void heed__run_forget(const heed_run_left *left);
/* Names of the files of a checkpoint, state.json first; NULL ends them. */
const char *const *heed__checkpoint_files(void);
/* Removes the checkpoint in a run's folder, whosever it is. */
void heed__run_drop_checkpoint(const char *run);
bool heed__run_has_checkpoint(const char *run);
/* Whether there is anything to go on with: of a training, of the language before it, or of those
 * that it is made of. */
bool heed__run_is_left(const char *run);

/* From now on the folder is there and this training's, as the log hook is told where another one
 * could have been gone on with. At the second call nothing happens. 0 or a status. */
int heed__run_begin(heed_run_begin *b, heed_error *err);
/* HEED_ECANCELLED of a training that was stopped before its first step, and what there is in its
 * run's folder: of an earlier one, unless it has begun or goes on. */
int heed__run_halted(const heed_run_begin *b, heed_error *err);
/* Says that what is left in the run's folder is not gone on with. */
void heed__run_tell_anew(const char *run, const heed_hooks *hooks);

#endif
