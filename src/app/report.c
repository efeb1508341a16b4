/* report.c: a training and what came of it as one HTML file. */
#include "app/report.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "app/charts.h"
#include "app/messages.h"
#include "base/alloc.h"
#include "base/file.h"

enum { BINS = 15, WORST = 30, SQUARES = 40, LABELS = 200, RISK_POINTS = 100 };

static void tile(FILE *to, const char *name, double value, heed_interval i) {
    fprintf(to, "<div><dt>%s</dt><dd>%.4f <small>", name, value);
    fprintf(to, tr("%.4f to %.4f"), i.low, i.high);
    fprintf(to, "</small></dd></div>\n");
}

static void print_facts(FILE *to, const report *r) {
    fprintf(to, "<dl>\n");
    for (const report_fact *f = r->fact; f && f->name; f++) {
        fprintf(to, "<div><dt>");
        chart_text(to, tr(f->name));
        fprintf(to, "</dt><dd>");
        chart_text(to, f->value);
        fprintf(to, "</dd></div>\n");
    }
    fprintf(to, "</dl>\n");
    if (!r->n || !r->m) return;
    fprintf(to, "<h2>");
    fprintf(to, tr("On %" PRId64 " held-out examples"), r->n);
    fprintf(to, "</h2>\n<dl>\n");
    tile(to, tr("accuracy"), r->m->accuracy, r->m->accuracy_95);
    tile(to, tr("macro F1"), r->m->macro_f1, r->m->macro_f1_95);
    if (isfinite(r->m->loss)) tile(to, tr("loss"), r->m->loss, r->m->loss_95);
    tile(to, tr("calibration error"), r->m->ece, r->m->ece_95);
    if (isfinite(r->m->auc)) tile(to, tr("area under the curve"), r->m->auc, r->m->auc_95);
    if (r->calibration && r->calibration->len) {
        fprintf(to, "<div><dt>%s</dt><dd>%.3f <small>", tr("temperature"),
                r->calibration->temperature);
        fprintf(to, tr("calibration error %.4f before, %.4f after"), r->calibration->ece_before,
                r->calibration->ece_after);
        fprintf(to, "</small></dd></div>\n");
    }
    fprintf(to, "</dl>\n<p><small>%s</small></p>\n",
            tr("Small figures: 95 % intervals, bootstrapped over the examples."));
}

static int print_curves(FILE *to, const report *r) {
    if (!r->epochs) return 0;
    double *x = heed__calloc(NULL, (size_t)r->epochs, sizeof *x);
    if (!x) return HEED_ENOMEM;
    for (int64_t i = 0; i < r->epochs; i++) x[i] = (double)(i + 1);
    const chart_line losses[] = { { tr("while learning"), "a", x, r->train_loss, r->epochs },
                                  { tr("on held-out data"), "b", x, r->held_loss, r->epochs } };
    const chart_line score = { tr("on held-out data"), "b", x, r->held_score, r->epochs };
    const double mark = r->best ? (double)r->best : (double)NAN;
    fprintf(to, "<h2>%s</h2>\n<div class=\"row\">\n", tr("Learning"));
    chart_lines(to, &(chart){ .x_name = tr("epoch"),
                              .y_name = tr("loss"),
                              .line = losses,
                              .lines = 2,
                              .mark_x = mark });
    chart_lines(to, &(chart){ .x_name = tr("epoch"),
                              .y_name = r->score_name ? tr(r->score_name) : NULL,
                              .line = &score,
                              .lines = 1,
                              .mark_x = mark });
    fprintf(to, "</div>\n");
    if (r->best && r->best < r->epochs) {
        fprintf(to, "<p>");
        fprintf(to,
                tr("Held-out examples say that it turned after epoch %" PRId64
                   ", whose weights were kept."),
                r->best);
        fprintf(to, "</p>\n");
    }
    heed__free(NULL, x);
    return 0;
}

static void print_reliability(FILE *to, const report *r) {
    double conf[BINS] = { 0 }, hits[BINS] = { 0 }, count[BINS] = { 0 };
    for (int64_t i = 0; i < r->n; i++) {
        const float c = r->o[i].confidence;
        const int bin = c >= 1 ? BINS - 1 : c <= 0 ? 0 : (int)(c * BINS);
        conf[bin] += (double)c;
        hits[bin] += r->o[i].said == r->o[i].right;
        count[bin]++;
    }
    int n = 0;
    for (int b = 0; b < BINS; b++) {
        if (count[b] <= 0) continue;
        conf[n] = conf[b] / count[b];
        hits[n++] = hits[b] / count[b];
    }
    const chart_line line = { tr("answers, in 15 bins of confidence"), "a", conf, hits, n };
    chart_lines(to, &(chart){ .x_name = tr("confidence"),
                              .y_name = tr("how often right"),
                              .line = &line,
                              .lines = 1,
                              .high_x = 1,
                              .high_y = 1,
                              .mark_x = (double)NAN,
                              .diagonal = true });
}

static int by_confidence(const void *a, const void *b) {
    const heed_outcome *x = *(const heed_outcome *const *)a, *y = *(const heed_outcome *const *)b;
    if (x->confidence > y->confidence || x->confidence < y->confidence)
        return x->confidence > y->confidence ? -1 : 1;
    return (x > y) - (x < y);
}

/* Errors among the answers that are given when only the surest part of all is answered. */
static void print_risk(FILE *to, const report *r, const heed_outcome *const *surest) {
    double x[RISK_POINTS], y[RISK_POINTS];
    int64_t wrong = 0, at = 0;
    for (int p = 0; p < RISK_POINTS; p++) {
        const int64_t upto = (r->n * (p + 1) + RISK_POINTS - 1) / RISK_POINTS;
        for (; at < upto; at++) wrong += surest[at]->said != surest[at]->right;
        x[p] = (double)upto / (double)r->n;
        y[p] = (double)wrong / (double)upto;
    }
    const chart_line line = { tr("of the surest answers"), "b", x, y, RISK_POINTS };
    chart_lines(to, &(chart){ .x_name = tr("part answered"),
                              .y_name = tr("part wrong"),
                              .line = &line,
                              .lines = 1,
                              .high_x = 1,
                              .mark_x = (double)NAN });
}

static int print_confusions(FILE *to, const report *r) {
    if (r->labels > SQUARES) return 0;
    int64_t *count = heed__calloc(NULL, (size_t)(r->labels * r->labels), sizeof *count);
    if (!count) return HEED_ENOMEM;
    for (int64_t i = 0; i < r->n; i++)
        if (r->o[i].right >= 0) count[r->o[i].right * r->labels + r->o[i].said]++;
    chart_squares(to, &(chart_matrix){ count, r->labels, r->label, r->arg });
    heed__free(NULL, count);
    return 0;
}

static double ratio(int64_t part, int64_t whole) {
    return whole ? (double)part / (double)whole : 0;
}

static int print_labels(FILE *to, const report *r) {
    heed_tally *t = heed__calloc(NULL, (size_t)r->labels, sizeof *t);
    if (!t) return HEED_ENOMEM;
    heed__tallies(t, r->o, r->n, r->labels);
    static const page_column columns[] = { { "label", false },   { "precision", true },
                                           { "recall", true },   { "F1", true },
                                           { "examples", true }, { NULL, false } };
    fprintf(to, "<h2>%s</h2>\n<table>", tr("Labels"));
    page_columns(to, columns);
    for (int64_t k = 0; k < r->labels && k < LABELS; k++) {
        fprintf(to, "<tr><td>");
        chart_text(to, r->label(r->arg, k));
        fprintf(to,
                "</td><td class=\"n\">%.3f</td><td class=\"n\">%.3f</td><td class=\"n\">%.3f</td>"
                "<td class=\"n\">%" PRId64 "</td></tr>\n",
                ratio(t[k].hit, t[k].said), ratio(t[k].hit, t[k].real),
                ratio(2 * t[k].hit, t[k].said + t[k].real), t[k].real);
    }
    fprintf(to, "</table>\n");
    if (r->labels > LABELS) {
        fprintf(to, "<p>");
        fprintf(to, tr("and %" PRId64 " more labels."), r->labels - LABELS);
        fprintf(to, "</p>\n");
    }
    heed__free(NULL, t);
    return 0;
}

static void print_mistakes(FILE *to, const report *r, const heed_outcome *const *surest) {
    static const page_column columns[] = { { "text", false },
                                           { "right label", false },
                                           { "answered", false },
                                           { "confidence", true },
                                           { NULL, false } };
    fprintf(to, "<h2>%s</h2>\n<table>", tr("The surest mistakes"));
    page_columns(to, columns);
    for (int64_t i = 0, shown = 0; i < r->n && shown < WORST; i++) {
        if (surest[i]->said == surest[i]->right) continue;
        const int64_t at = surest[i] - r->o;
        char part[600];
        size_t len = strlen(r->text[at]);
        if (len >= sizeof part) len = sizeof part - 1;
        while (len < strlen(r->text[at]) && len && (r->text[at][len] & 0xC0) == 0x80) len--;
        memcpy(part, r->text[at], len);
        part[len] = 0;
        fprintf(to, "<tr><td>");
        chart_text(to, part);
        fprintf(to, "%s</td><td>", len < strlen(r->text[at]) ? " …" : "");
        chart_text(to, surest[i]->right < 0 ? tr("(a label not learnt)")
                                            : r->label(r->arg, surest[i]->right));
        fprintf(to, "</td><td>");
        chart_text(to, r->label(r->arg, surest[i]->said));
        fprintf(to, "</td><td class=\"n\">%.3f</td></tr>\n", (double)surest[i]->confidence);
        shown++;
    }
    fprintf(to, "</table>\n");
}

static int print_answers(FILE *to, const report *r) {
    if (!r->n) return 0;
    const heed_outcome **surest = heed__calloc(NULL, (size_t)r->n, sizeof *surest);
    if (!surest) return HEED_ENOMEM;
    for (int64_t i = 0; i < r->n; i++) surest[i] = &r->o[i];
    qsort(surest, (size_t)r->n, sizeof *surest, by_confidence);
    fprintf(to, "<h2>%s</h2>\n<div class=\"row\">\n", tr("Confidence"));
    print_reliability(to, r);
    print_risk(to, r, surest);
    fprintf(to, "</div>\n<h2>%s</h2>\n<div class=\"row\">\n", tr("Confusions"));
    int rc = print_confusions(to, r);
    if (r->labels > SQUARES)
        fprintf(to, "<p>%s</p>\n", tr("Too many labels to draw; see the table below."));
    fprintf(to, "</div>\n");
    print_mistakes(to, r, surest);
    if (rc == 0) rc = print_labels(to, r);
    heed__free(NULL, surest);
    return rc;
}

int report_write(const report *r, const char *path, heed_error *err) {
    char *page = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&page, &size);
    if (!to) return heed__error(err, HEED_ENOMEM, "%s: out of memory", path);
    page_begin(to, r->title);
    print_facts(to, r);
    int rc = print_curves(to, r);
    if (r->extra) fputs(r->extra, to);
    if (rc == 0) rc = print_answers(to, r);
    fprintf(to, "</body></html>\n");
    if (fclose(to) != 0) rc = HEED_ENOMEM;
    rc = rc ? heed__error(err, rc, "%s: out of memory", path)
            : heed__file_write(NULL, path, page, size, err);
    free(page);
    return rc;
}
