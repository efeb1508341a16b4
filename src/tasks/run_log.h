/* run_log.h: what a training run tells of itself in its folder: log.jsonl, one JSON object a line,
 * and a file of events that TensorBoard reads. */
#ifndef HEED_TASKS_RUN_LOG_H
#define HEED_TASKS_RUN_LOG_H

#include "tasks/trainer.h"

typedef struct heed_run_log heed_run_log;

/* Opens both files in folder, which is made where it is not there. Of a run that goes on the first
 * size[0] and size[1] bytes stay, what came after its checkpoint is told anew; size NULL: nothing
 * stays. NULL and *err on failure. */
heed_run_log *heed__run_log_open(const char *folder, const int64_t size[2], const heed_hooks *hooks,
                                 heed_error *err);
/* How long both files are; as long as can be without a log. */
void heed__run_log_sizes(const heed_run_log *log, int64_t size[2]);
void heed__run_log_close(heed_run_log *log); /* NULL is fine here and below */
/* Lines of log.jsonl, and points of TensorBoard's curves. What cannot be written is told once to
 * the log hook, and training goes on. */
void heed__run_log_start(heed_run_log *log, const heed_learner *l, const heed_fit_cfg *cfg,
                         bool resumed);
void heed__run_log_step(heed_run_log *log, int64_t step, double loss, double rate);
void heed__run_log_epoch(heed_run_log *log, const heed_epoch *e, int64_t step);
/* part: of a training of several, whose own end heed__run_log_whole tells. */
void heed__run_log_end(heed_run_log *log, const heed_fitted *done, bool part);
/* A training of several that has ended: "done", "time", "stopped"; or, NULL, that goes on. */
void heed__run_log_whole(heed_run_log *log, const char *why, int64_t parts, double seconds);

/* CRC-32C (Castagnoli), as TFRecord files mask it with their own rotation. */
uint32_t heed__crc32c(const void *data, size_t size);
/* A record of TensorFlow's form around size bytes: length, masked CRC of it, data, masked CRC of
 * it. Writes size + 16 bytes to out and returns how many. */
size_t heed__tfrecord(const void *data, size_t size, unsigned char *out);
/* An event as TensorFlow's event.proto has it: a scalar at a step, or, tag NULL, the file's
 * version. Returns the bytes written to out, of which there must be 64 and twice the tag. */
size_t heed__tf_event(double wall_time, int64_t step, const char *tag, float value,
                      unsigned char *out);

#endif
