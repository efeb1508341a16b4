/* train_curve.c: accuracy by number of labels, told and drawn. */
#include "app/messages.h"
#include "app/train_curve.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "app/charts.h"
#include "app/train_report.h"
#include "tasks/curve.h"

static void tell(const heed_curve *k) {
    const int64_t at = k->len - 1;
    printf(tr("curve: %" PRId64 " texts: accuracy %.4f, loss %.4f\n"), k->texts[at],
           k->accuracy[at], k->loss[at]);
    fflush(stdout);
}

static void tell_more(const heed_curve *k) {
    const int64_t all = k->texts[k->len - 1];
    if (k->power > 0)
        printf(tr("curve: the error falls as texts^-%.2f: about %.4f with %" PRId64
                  " texts, %.4f with %" PRId64 "\n"),
               k->power, heed__curve_expect(k, 2.0 * (double)all), 2 * all,
               heed__curve_expect(k, 4.0 * (double)all), 4 * all);
    else
        printf(tr("curve: no law is seen that would tell what more texts bring\n"));
}

static int draw(const heed_curve *k, const char *run, heed_error *err) {
    double x[HEED_CURVE_MOST], law_x[40], law_y[40];
    char *text = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&text, &size);
    if (!to) return err->code = HEED_ENOMEM;
    const double low = log2((double)k->texts[0]), high = log2((double)k->texts[k->len - 1]) + 2;
    for (int64_t i = 0; i < k->len; i++) x[i] = log2((double)k->texts[i]);
    for (int i = 0; i < 40; i++) {
        law_x[i] = low + (high - low) * i / 39;
        law_y[i] = heed__curve_expect(k, exp2(law_x[i]));
    }
    const chart_line line[] = { { tr("measured"), "a", x, k->accuracy, k->len },
                                { tr("expected: a power law of the error"), "b", law_x, law_y,
                                  40 } };
    fprintf(to, "<h2>%s</h2>\n<div class=\"row\">\n", tr("What more labels would bring"));
    chart_lines(to, &(chart){ .x_name = tr("labelled texts, as a power of two"),
                              .y_name = tr("accuracy"),
                              .line = line,
                              .lines = k->power > 0 ? 2 : 1,
                              .mark_x = x[k->len - 1] });
    fprintf(to, "</div>\n");
    int rc = fclose(to) == 0 ? train_extra(run, "extra.html", text, size, err) : HEED_ENOMEM;
    free(text);
    return rc;
}

heed_classifier *train_curve(const heed_examples *data, const heed_classify_cfg *cfg,
                             heed_error *err) {
    heed_curve k;
    heed_classifier *c = heed__classifier_curve(data, cfg, &k, tell, err);
    if (!c || err->code) return c;
    tell_more(&k);
    if (!cfg->run || draw(&k, cfg->run, err) == 0) return c;
    heed_classifier_close(c);
    return NULL;
}
