/* train_report.c: the page about a run, from its log.jsonl and the answers to held-out data. */
#include "app/train_report.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/report.h"
#include "base/alloc.h"
#include "base/file.h"
#include "base/json.h"

enum { MOST_EPOCHS = 100000, PATH = 4200 };

static const size_t MOST_LOG = (size_t)1 << 28;

/* What the log says of each epoch; NAN where it says nothing. */
typedef struct course {
    double *train_loss, *held_loss, *held_score; /* [cap] */
    int64_t len, best, cap;
    char score_name[16];
} course;

static double number(const json_t *e, const char *key) {
    const json_t *value = json_object_get(e, key);
    return json_is_number(value) ? json_number_value(value) : (double)NAN;
}

static void take(course *k, const json_t *e) {
    const char *event = json_string_value(json_object_get(e, "event"));
    const int64_t epoch = json_integer_value(json_object_get(e, "epoch"));
    if (event && strcmp(event, "end") == 0)
        k->best = json_integer_value(json_object_get(e, "best_epoch"));
    if (!event || strcmp(event, "epoch") != 0 || epoch < 1 || epoch > k->cap) return;
    const char *name = json_string_value(json_object_get(e, "score"));
    snprintf(k->score_name, sizeof k->score_name, "%s", name ? name : "score");
    k->train_loss[epoch - 1] = number(e, "loss");
    k->held_loss[epoch - 1] = number(e, "held_loss");
    k->held_score[epoch - 1] = name ? number(e, "value") : (double)NAN;
    if (epoch > k->len) k->len = epoch;
}

/* Every line of the log, a later one about an epoch in place of an earlier one. */
static void read_log(course *k, char *text, const char *name) {
    for (char *line = text, *end; *line; line = end) {
        end = line + strcspn(line, "\n");
        json_t *e = heed__json_parse(line, (size_t)(end - line), name, NULL);
        if (e) take(k, e);
        json_decref(e);
        end += *end == '\n';
    }
}

static int read_course(course *k, const char *path, heed_error *err) {
    char *text;
    size_t size;
    const int rc = heed__file_read(NULL, path, MOST_LOG, &text, &size, err);
    if (rc) return rc;
    for (size_t i = 0; i < size && k->cap < MOST_EPOCHS; i++) k->cap += text[i] == '\n';
    k->train_loss = calloc((size_t)(3 * k->cap + 1), sizeof *k->train_loss);
    if (!k->train_loss) {
        heed__free(NULL, text);
        return heed__error(err, HEED_ENOMEM, "%s: out of memory", path);
    }
    k->held_loss = k->train_loss + k->cap;
    k->held_score = k->held_loss + k->cap;
    for (int64_t i = 0; i < 3 * k->cap; i++) k->train_loss[i] = (double)NAN;
    read_log(k, text, path);
    heed__free(NULL, text);
    return 0;
}

static const char *label_name(void *c, int64_t i) {
    return heed_classifier_label(c, i);
}

static int measure(const heed_classifier *c, heed_metrics *m, heed_error *err) {
    const heed_held *h = &c->held;
    *m = (heed_metrics){ 0 };
    if (!h->len) return 0;
    const int rc = heed__metrics(m, h->outcome, NULL, h->len, c->labels, NULL);
    return rc ? heed__error(err, rc, "report: out of memory") : 0;
}

int train_report(heed_classifier *c, const char *run, const char *file, double seconds,
                 heed_error *err) {
    char log[PATH], page[PATH], title[PATH], text[5][64];
    course k = { .cap = 0 };
    heed_metrics m;
    snprintf(log, sizeof log, "%s/log.jsonl", run);
    snprintf(page, sizeof page, "%s/report.html", run);
    snprintf(title, sizeof title, "%s, learnt by %s", file, heed_classifier_recipe(c));
    snprintf(text[0], sizeof *text, "%" PRId64, heed_classifier_labels(c));
    snprintf(text[1], sizeof *text, "%" PRId64, heed_classifier_parameters(c));
    snprintf(text[2], sizeof *text, "%.1f s", seconds);
    snprintf(text[3], sizeof *text, "%" PRIu64, c->seed);
    snprintf(text[4], sizeof *text, "%s", heed_version());
    const report_fact facts[] = { { "recipe", heed_classifier_recipe(c) },
                                  { "labels", text[0] },
                                  { "parameters", text[1] },
                                  { "trained in", text[2] },
                                  { "seed", text[3] },
                                  { "heed", text[4] },
                                  { NULL, NULL } };
    int rc = read_course(&k, log, err);
    if (rc == 0) rc = measure(c, &m, err);
    const report r = { .title = title,
                       .fact = facts,
                       .epochs = k.len,
                       .best = k.best,
                       .train_loss = k.train_loss,
                       .held_loss = k.held_loss,
                       .held_score = k.held_score,
                       .score_name = k.score_name,
                       .n = c->held.len,
                       .labels = c->labels,
                       .o = c->held.outcome,
                       .text = c->held.text,
                       .label = label_name,
                       .arg = c,
                       .m = &m,
                       .calibration = &c->calibration };
    if (rc == 0) rc = report_write(&r, page, err);
    if (rc == 0) printf("report: %s\n", page);
    free(k.train_loss);
    return rc;
}
