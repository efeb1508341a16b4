/* train_search.c: a search's trials as they come, and as files. */
#include "app/charts.h"
#include "app/messages.h"
#include "app/train_search.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/train_report.h"
#include "base/text.h"
#include "tasks/search.h"

typedef struct notes {
    FILE *lines, *table; /* in memory */
    char *lines_text, *table_text;
    size_t lines_size, table_size;
    int64_t kept, settings; /* the best trial's number, and its settings */
} notes;

bool train_search_time(const char *text, double *seconds) {
    const size_t len = strlen(text);
    const char unit = len ? text[len - 1] : 0;
    const bool named = unit == 's' || unit == 'm' || unit == 'h';
    if (!heed__parse_double(text, len - (named ? 1 : 0), seconds) || !(*seconds > 0) ||
        *seconds > 1e7)
        return false;
    *seconds *= unit == 's' ? 1 : unit == 'h' ? 3600 : 60;
    return true;
}

static void tell(void *arg, const heed_trial *t) {
    notes *n = arg;
    if (t->best) n->kept = t->number, n->settings = t->settings;
    printf(tr("trial %" PRId64 ": settings %" PRId64 ", %s, lr %.2g, dropout %.2f, smoothing %.2f, "
              "width %" PRId64 ", %" PRId64 " texts: accuracy %.4f, loss %.4f, %.1f s%s%s\n"),
           t->number, t->settings, t->recipe, t->lr, t->dropout, t->label_smoothing, t->embed,
           t->texts, t->accuracy, t->loss, t->seconds, t->best ? tr(", the best so far") : "",
           t->before ? tr(", done before") : "");
    fflush(stdout);
    if (n->lines)
        fprintf(n->lines,
                "{\"trial\": %" PRId64 ", \"settings\": %" PRId64 ", \"recipe\": \"%s\", \"lr\": "
                "%.9g, \"dropout\": %.9g, \"label_smoothing\": %.9g, \"embed\": %" PRId64
                ", \"texts\": %" PRId64 ", \"accuracy\": %.9g, \"loss\": %.9g, \"seconds\": %.3f, "
                "\"best\": %s}\n",
                t->number, t->settings, t->recipe, t->lr, t->dropout, t->label_smoothing, t->embed,
                t->texts, t->accuracy, t->loss, t->seconds, t->best ? "true" : "false");
    if (n->table)
        fprintf(n->table,
                "<tr><td>%" PRId64 "%s</td><td>%s</td><td class=\"n\">%.2g</td><td class=\"n\">%.2f"
                "</td><td class=\"n\">%.2f</td><td class=\"n\">%" PRId64 "</td><td class=\"n\">"
                "%" PRId64 "</td><td class=\"n\">%.4f</td><td class=\"n\">%.4f</td></tr>\n",
                t->number, t->best ? tr(", the best so far") : "", t->recipe, t->lr, t->dropout,
                t->label_smoothing, t->embed, t->texts, t->accuracy, t->loss);
}

static void table_begin(FILE *to) {
    static const page_column columns[] = { { "trial", false },    { "recipe", false },
                                           { "rate", true },      { "dropout", true },
                                           { "smoothing", true }, { "width", true },
                                           { "texts", true },     { "accuracy", true },
                                           { "loss", true },      { NULL, false } };
    fprintf(to, "<h2>%s</h2>\n<table>", tr("Trials"));
    page_columns(to, columns);
}

heed_classifier *train_search(const heed_examples *data, const heed_classify_cfg *cfg,
                              double seconds, heed_error *err) {
    notes n = { .lines = NULL };
    n.lines = open_memstream(&n.lines_text, &n.lines_size);
    n.table = open_memstream(&n.table_text, &n.table_size);
    if (n.table) table_begin(n.table);
    const heed_search_cfg search = { .seconds = seconds, .tell = tell, .arg = &n };
    heed_classifier *c = heed__classifier_search(data, cfg, &search, err);
    if (c && n.settings)
        printf(tr("kept: settings %" PRId64 ", as trial %" PRId64 " learnt them\n"), n.settings,
               n.kept);
    else if (c)
        printf("%s", tr("kept: settings 0, those given: none is right more often by more than one "
                        "standard error\n"));
    if (n.table) fprintf(n.table, "</table>\n");
    const bool whole = n.lines && n.table && fclose(n.lines) == 0 && fclose(n.table) == 0;
    int rc = 0;
    heed_error own = { 0 };
    if (c && cfg->run && whole)
        rc = train_extra(cfg->run, "trials.jsonl", n.lines_text, n.lines_size, &own);
    if (c && cfg->run && whole && rc == 0)
        rc = train_extra(cfg->run, "extra.html", n.table_text, n.table_size, &own);
    if (rc) {
        *err = own;
        heed_classifier_close(c);
        c = NULL;
    }
    free(n.lines_text);
    free(n.table_text);
    return c;
}
