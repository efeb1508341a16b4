/* run_left.h: what a training that came to its end leaves in its run's folder, so that a process
 * that is killed before the model is saved can still go on with it. It is noted at the end of the
 * training, travels with the model, and goes when the model is saved; what another training has put
 * in its place meanwhile stays. */
#ifndef HEED_TASKS_RUN_LEFT_H
#define HEED_TASKS_RUN_LEFT_H

#include "base/folder.h"

enum { HEED_RUN_LEFT = 3 };

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

#endif
