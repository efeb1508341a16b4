/* run_log.c: log.jsonl and TensorBoard's events of a run. */
#include "tasks/run_log.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/folder.h"
#include "base/json.h"
#include "base/log.h"
#include "base/text.h"

struct heed_run_log {
    heed_hooks hooks;
    FILE *lines, *events;
    bool broken; /* a write failed and was told */
    char folder[HEED_PATH_SIZE];
};

static double wall_time(void) {
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void put(heed_run_log *log, FILE *to, const void *data, size_t size) {
    if (log->broken || !to) return;
    if (fwrite(data, 1, size, to) == size && fflush(to) == 0) return;
    log->broken = true;
    heed__log(&log->hooks, HEED_LOG_WARN, "%s: the run's log cannot be written: %s", log->folder,
              heed__errno_text(errno));
}

static void event(heed_run_log *log, int64_t step, const char *tag, double value) {
    unsigned char data[256], record[sizeof data + 16];
    const size_t size = heed__tf_event(wall_time(), step, tag, (float)value, data);
    put(log, log->events, record, heed__tfrecord(data, size, record));
}

/* Opened behind its first size bytes, as far as it has them. */
static FILE *open_one(heed_run_log *log, const char *name, int64_t size, heed_error *err) {
    char path[HEED_PATH_SIZE + 64];
    struct stat s;
    heed__format(path, sizeof path, "%s/%s", log->folder, name);
    if (size && stat(path, &s) == 0 && s.st_size > size && truncate(path, size) != 0) size = 0;
    FILE *f = fopen(path, size ? "ab" : "wb");
    if (!f) heed__error(err, HEED_EIO, "%s: %s", path, heed__errno_text(errno));
    return f;
}

heed_run_log *heed__run_log_open(const char *folder, const int64_t size[2], const heed_hooks *hooks,
                                 heed_error *err) {
    if (strlen(folder) > HEED_PATH_SIZE - 64) {
        heed__error(err, HEED_EINVALID, "%.100s...: too long a name", folder);
        return NULL;
    }
    if (heed__folder_make(folder, err)) return NULL;
    heed_run_log *log = heed__calloc(hooks, 1, sizeof *log);
    if (!log) {
        heed__error(err, HEED_ENOMEM, "%s: out of memory", folder);
        return NULL;
    }
    if (hooks) log->hooks = *hooks;
    heed__format(log->folder, sizeof log->folder, "%s", folder);
    log->lines = open_one(log, "log.jsonl", size ? size[0] : 0, err);
    if (log->lines)
        log->events = open_one(log, "events.out.tfevents.heed", size ? size[1] : 0, err);
    if (!log->events) {
        heed__run_log_close(log);
        return NULL;
    }
    if (!size || ftell(log->events) == 0) event(log, 0, NULL, 0);
    return log;
}

void heed__run_log_sizes(const heed_run_log *log, int64_t size[2]) {
    size[0] = log ? ftell(log->lines) : INT64_MAX;
    size[1] = log ? ftell(log->events) : INT64_MAX;
}

void heed__run_log_close(heed_run_log *log) {
    if (!log) return;
    const heed_hooks hooks = log->hooks;
    if (log->lines) fclose(log->lines);
    if (log->events) fclose(log->events);
    heed__free(&hooks, log);
}

/* Writes an object as a line and gives it up; NULL: out of memory, and the line is left out. */
static void line(heed_run_log *log, json_t *o) {
    size_t size = 0;
    char *text = o ? heed__json_text(&log->hooks, o, false, &size, NULL) : NULL;
    json_decref(o);
    if (!text) return;
    text[size] = '\n'; /* in place of the zero byte */
    put(log, log->lines, text, size + 1);
    heed__free(&log->hooks, text);
}

static json_t *number(double value) {
    return isfinite(value) ? json_real(value) : json_null();
}

void heed__run_log_start(heed_run_log *log, const heed_learner *l, const heed_fit_cfg *cfg,
                         bool resumed) {
    if (!log) return;
    line(log, json_pack("{s:s, s:f, s:I, s:I, s:I, s:I, s:I, s:s, s:b}", "event", "start", "time",
                        wall_time(), "examples", (json_int_t)l->items, "epochs",
                        (json_int_t)cfg->epochs, "batch", (json_int_t)cfg->batch, "seed",
                        (json_int_t)cfg->seed, "parameters", (json_int_t)heed_params_len(l->ps),
                        "settings", cfg->settings ? cfg->settings : "", "resumed", (int)resumed));
}

void heed__run_log_step(heed_run_log *log, int64_t step, double loss, double rate) {
    if (!log) return;
    event(log, step, "loss/step", loss);
    event(log, step, "rate", rate);
}

void heed__run_log_epoch(heed_run_log *log, const heed_epoch *e, int64_t step) {
    if (!log) return;
    char tag[48];
    json_t *o = json_pack("{s:s, s:I, s:I, s:o, s:f, s:f}", "event", "epoch", "epoch",
                          (json_int_t)e->epoch, "step", (json_int_t)step, "loss", number(e->loss),
                          "rate", e->rate, "seconds", e->seconds);
    event(log, step, "loss/train", e->loss);
    if (o && e->scored) {
        json_object_set_new(o, "held_loss", number(e->score.loss));
        json_object_set_new(o, "score", json_string(e->score.name));
        json_object_set_new(o, "value", number(e->score.value));
        json_object_set_new(o, "best", json_boolean(e->better));
        event(log, step, "loss/held_out", e->score.loss);
        heed__format(tag, sizeof tag, "%s/held_out", e->score.name);
        event(log, step, tag, e->score.value);
    }
    line(log, o);
}

void heed__run_log_end(heed_run_log *log, const heed_fitted *d, bool part) {
    static const char *const ends[] = { "done", "patience", "time", "stopped" };
    if (!log) return;
    line(log, json_pack("{s:s, s:s, s:I, s:I, s:I, s:f}", "event", part ? "part" : "end", "why",
                        ends[d->end], "epochs", (json_int_t)d->epochs, "best_epoch",
                        (json_int_t)d->best, "steps", (json_int_t)d->steps, "seconds", d->seconds));
}

void heed__run_log_whole(heed_run_log *log, const char *why, int64_t parts, double seconds) {
    if (!log) return;
    json_t *o = json_pack("{s:s, s:f, s:I, s:f}", "event", why ? "end" : "start", "time",
                          wall_time(), "parts", (json_int_t)parts, "seconds", seconds);
    if (o) json_object_set_new(o, why ? "why" : "resumed", why ? json_string(why) : json_true());
    line(log, o);
}
