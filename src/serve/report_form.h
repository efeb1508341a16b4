/* report_form.h: the parts that a report has in every form, walked once; a form says by patterns
 * how each is written:
 *
 *     {name}     a text, made plain        {!name}    the same as it stands
 *     {#name}    a whole number            {@name}    a time's first 19 letters
 *     {^name}    milliseconds in words     {a.b}      b within a
 *     {} {#}     what is told itself, a text or number
 */
#ifndef HEED_SERVE_REPORT_FORM_H
#define HEED_SERVE_REPORT_FORM_H

#include <jansson.h>

#include "base/buffer.h"

typedef struct heed_report_form {
    void (*plain)(heed_text *b, const char *text); /* no markup */
    const char *alerts, *no_alerts, *alert, *alert_says, *alert_end;
    const char *stories, *story, *story_again, *story_end;
    const char *quotes, *quote, *quote_label, *quote_more, *quote_end; /* label: the first */
    /* a table of counts; rule: below the columns, then rule_each for each of them */
    const char *crossed, *column, *rule, *rule_each, *row, *count, *row_end, *crossed_end;
} heed_report_form;

/* One thing by one pattern. */
void heed__report_put(const heed_report_form *f, heed_text *b, const char *pattern,
                      const json_t *told);
/* Members of a report; nothing where there is nothing to tell, but for alerts. */
void heed__report_alerts(const heed_report_form *f, heed_text *b, const json_t *list);
void heed__report_stories(const heed_report_form *f, heed_text *b, const json_t *list);
void heed__report_quotes(const heed_report_form *f, heed_text *b, const json_t *list);
void heed__report_crossed(const heed_report_form *f, heed_text *b, const json_t *table);

#endif
