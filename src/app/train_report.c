/* train_report.c: the page about a run, from its log.jsonl and the answers to held-out data. */
#include "app/messages.h"
#include "app/train_report.h"

#include <inttypes.h>
#include <stdio.h>

#include "app/report.h"
#include "base/alloc.h"
#include "base/file.h"
#include "tasks/run_course.h"

enum { PATH = 4200, MOST_EXTRA = 1 << 24 };

int train_extra(const char *run, const char *name, const char *text, size_t size, heed_error *err) {
    char path[PATH];
    snprintf(path, sizeof path, "%s/%s", run, name);
    const int rc = heed__folder_make(run, err);
    return rc ? rc : heed__file_write(NULL, path, text, size, err);
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

int train_report_write(report *r, const report_of *of, heed_error *err) {
    char log[PATH], table[PATH], page[PATH];
    heed_run_course k;
    snprintf(log, sizeof log, "%s/log.jsonl", of->run);
    snprintf(table, sizeof table, "%s/extra.html", of->run);
    snprintf(page, sizeof page, "%s/report.html", of->run);
    int rc = heed__run_course_read(&k, log, err);
    char *extra = NULL;
    size_t size;
    heed_error none;
    if (of->extra) (void)heed__file_read(NULL, table, MOST_EXTRA, &extra, &size, &none);
    r->epochs = k.len;
    r->best = k.best;
    r->train_loss = k.train_loss;
    r->held_loss = k.held_loss;
    r->held_score = k.held_score;
    r->score_name = k.score_name;
    r->extra = extra;
    if (rc == 0) rc = report_write(r, page, err);
    if (rc == 0) printf(tr("report: %s\n"), page);
    heed__run_course_free(&k);
    heed__free(NULL, extra);
    return rc;
}

int train_report(heed_classifier *c, const report_of *of, heed_error *err) {
    char title[PATH], text[5][64];
    heed_metrics m;
    snprintf(title, sizeof title, tr("%s, learnt by %s"), of->file, heed_classifier_recipe(c));
    snprintf(text[0], sizeof *text, "%" PRId64, heed_classifier_labels(c));
    snprintf(text[1], sizeof *text, "%" PRId64, heed_classifier_parameters(c));
    snprintf(text[2], sizeof *text, "%.1f s", of->seconds);
    snprintf(text[3], sizeof *text, "%" PRIu64, c->seed);
    snprintf(text[4], sizeof *text, "%s", heed_version());
    const report_fact facts[] = { { "recipe", heed_classifier_recipe(c) },
                                  { "labels", text[0] },
                                  { "parameters", text[1] },
                                  { "trained in", text[2] },
                                  { "seed", text[3] },
                                  { "heed", text[4] },
                                  { NULL, NULL } };
    report r = { .title = title,
                 .fact = facts,
                 .n = c->held.len,
                 .labels = c->labels,
                 .o = c->held.outcome,
                 .text = c->held.text,
                 .label = label_name,
                 .arg = c,
                 .m = &m,
                 .calibration = &c->calibration };
    const int rc = measure(c, &m, err);
    return rc ? rc : train_report_write(&r, of, err);
}
