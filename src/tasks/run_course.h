/* run_course.h: how a training went, epoch by epoch, as RUN/log.jsonl tells it. */
#ifndef HEED_TASKS_RUN_COURSE_H
#define HEED_TASKS_RUN_COURSE_H

#include "heed/base.h"

/* Numbers that the log does not tell are NAN. */
typedef struct heed_run_course {
    double *train_loss, *held_loss, *held_score; /* [cap] */
    int64_t len, best, cap;                      /* epochs run; the best, 1-based; room */
    double seconds;
    int64_t examples, parameters;
    char settings[256];
    char score_name[16];
    char end[16]; /* why it ended: "done"; "" while it runs, or killed */
} heed_run_course;

/* Lines that are no JSON are passed over: the last may be cut. 0 or a status. */
int heed__run_course_read(heed_run_course *k, const char *path, heed_error *err);
void heed__run_course_free(heed_run_course *k); /* a zeroed one is fine */

#endif
