/* run_course.c: how a training went, read from its log. */
#include "tasks/run_course.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"

enum { MOST_EPOCHS = 100000 };

static const size_t MOST_LOG = (size_t)1 << 28;

static double number(const json_t *e, const char *key) {
    const json_t *value = json_object_get(e, key);
    return json_is_number(value) ? json_number_value(value) : (double)NAN;
}

/* What a line says, as one line: a log may be a stranger's. */
static void say(char *to, size_t size, const char *text) {
    heed__format(to, size, "%s", text);
    heed__text_tidy(to);
}

static void take(heed_run_course *k, const json_t *e) {
    const char *event = json_string_value(json_object_get(e, "event"));
    const int64_t epoch = json_integer_value(json_object_get(e, "epoch"));
    const bool end = event && strcmp(event, "end") == 0;
    if (end || (event && strcmp(event, "part") == 0)) { /* a training, or one of several */
        const json_t *best = json_object_get(e, "best_epoch");
        if (best) k->best = json_integer_value(best);
        k->seconds = number(e, "seconds");
    }
    if (end) {
        const char *why = json_string_value(json_object_get(e, "why"));
        say(k->end, sizeof k->end, why ? why : "");
    }
    if (event && strcmp(event, "start") == 0) k->end[0] = 0; /* anew, or it goes on */
    if (event && strcmp(event, "start") == 0 && !json_is_true(json_object_get(e, "resumed"))) {
        const char *settings = json_string_value(json_object_get(e, "settings"));
        k->len = k->best = 0; /* what an earlier run here told is over */
        k->examples = json_integer_value(json_object_get(e, "examples"));
        k->parameters = json_integer_value(json_object_get(e, "parameters"));
        say(k->settings, sizeof k->settings, settings ? settings : "");
    }
    if (!event || strcmp(event, "epoch") != 0 || epoch < 1 || epoch > k->cap) return;
    const char *name = json_string_value(json_object_get(e, "score"));
    say(k->score_name, sizeof k->score_name, name ? name : "score");
    k->train_loss[epoch - 1] = number(e, "loss");
    k->held_loss[epoch - 1] = number(e, "held_loss");
    k->held_score[epoch - 1] = name ? number(e, "value") : (double)NAN;
    k->seconds = number(e, "seconds");
    if (json_is_true(json_object_get(e, "better")) || json_is_true(json_object_get(e, "best")))
        k->best = epoch;
    if (epoch > k->len) k->len = epoch;
}

/* Room for the epoch of a line: a run that goes on from a checkpoint whose log was begun anew has
 * more epochs than its log has lines. */
static void make_room(heed_run_course *k, const json_t *e) {
    const int64_t epoch = json_integer_value(json_object_get(e, "epoch"));
    if (epoch > k->cap && epoch <= MOST_EPOCHS) k->cap = epoch;
}

/* Every line of the log, a later one about an epoch in place of an earlier one. */
static void read_log(heed_run_course *k, const char *text, const char *name,
                     void (*see)(heed_run_course *k, const json_t *e)) {
    for (const char *line = text, *end; *line; line = end) {
        end = line + strcspn(line, "\n");
        json_t *e = heed__json_parse(line, (size_t)(end - line), name, NULL);
        if (e) see(k, e);
        json_decref(e);
        end += *end == '\n';
    }
}

int heed__run_course_read(heed_run_course *k, const char *path, heed_error *err) {
    char *text;
    size_t size;
    *k = (heed_run_course){ .cap = 0 };
    const int rc = heed__file_read(NULL, path, MOST_LOG, &text, &size, err);
    if (rc) return rc;
    read_log(k, text, path, make_room);
    k->train_loss = heed__calloc(NULL, (size_t)(3 * k->cap + 1), sizeof *k->train_loss);
    if (!k->train_loss) {
        heed__free(NULL, text);
        return heed__error(err, HEED_ENOMEM, "%s: out of memory", path);
    }
    k->held_loss = k->train_loss + k->cap;
    k->held_score = k->held_loss + k->cap;
    for (int64_t i = 0; i < 3 * k->cap; i++) k->train_loss[i] = (double)NAN;
    read_log(k, text, path, take);
    heed__free(NULL, text);
    if (k->best < 1 || k->best > k->len) k->best = 0; /* of no epoch that the log tells of */
    return 0;
}

void heed__run_course_free(heed_run_course *k) {
    heed__free(NULL, k->train_loss);
    *k = (heed_run_course){ .cap = 0 };
}
