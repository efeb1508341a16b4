/* report_text.c: a report as Markdown (CommonMark with tables). */
#include <string.h>

#include "base/buffer.h"
#include "base/text.h"
#include "serve/report.h"
#include "serve/report_form.h"
#include "serve/report_impl.h"

/* A text that is no markup: in one line, with what Markdown reads escaped. */
static void add_plain(heed_text *b, const char *text) {
    for (; *text; text++) {
        const char c = (unsigned char)*text <= ' ' ? ' ' : *text;
        if (c == '<' || c == '>' || c == '&') {
            heed__text_puts(b, c == '<' ? "&lt;" : c == '>' ? "&gt;" : "&amp;");
            continue;
        }
        if (strchr("\\`*_{}[]()#+!|~$", c)) heed__text_put(b, '\\');
        heed__text_put(b, c);
    }
}

static void add_cell(heed_text *b, const char *text) {
    heed__text_puts(b, "| ");
    add_plain(b, text);
    heed__text_puts(b, " ");
}

/* count, before and whether that differs, as the last cells of a row. */
static void add_counts(heed_text *b, const json_t *row) {
    const int64_t n = heed__report_int(row, "count"), before = heed__report_int(row, "before");
    heed__text_format(b, "| %lld | %lld |", (long long)n, (long long)before);
    if (json_is_true(json_object_get(row, "changed")))
        heed__text_puts(b, n > before ? " **more**" : " **fewer**");
    heed__text_puts(b, " |\n");
}

static void add_list(heed_text *b, const char *title, const char *key, const json_t *list) {
    size_t i;
    json_t *row;
    if (json_array_size(list) == 0) return;
    heed__text_puts(b, "\n## ");
    add_plain(b, title);
    heed__text_puts(b, "\n\n| ");
    add_plain(b, key);
    heed__text_puts(b, " | events | day before | |\n|---|---:|---:|---|\n");
    json_array_foreach(list, i, row) {
        add_cell(b, heed__report_text(row, key));
        add_counts(b, row);
    }
}

static void add_entities(heed_text *b, const json_t *list) {
    size_t i;
    json_t *row;
    if (json_array_size(list) == 0) return;
    heed__text_puts(b, "\n## Entities\n\n| entity | type | events | day before | |\n"
                       "|---|---|---:|---:|---|\n");
    json_array_foreach(list, i, row) {
        add_cell(b, heed__report_text(row, "text"));
        add_cell(b, heed__report_text(row, "type"));
        add_counts(b, row);
    }
}

static const heed_report_form form = {
    .plain = add_plain,
    .alerts = "\n## Alerts\n\n",
    .no_alerts = "None.\n",
    .alert =
        "- **{title}** ({!grade}, {!state}, rule {rule}, opened {@opened}, {#events} events)\n",
    .alert_says = "  - {}\n",
    .alert_end = "",
    .stories = "\n## Stories told more than once\n",
    .story = "\n- **{title}**: told {#told} times; sources: {#sources}\n  - first: {first.source}, "
             "{@first.time} (event {#first.seq})\n",
    .story_again = "  - after {^after_ms}: {source}, {#times} times (event {#seq})\n",
    .story_end = "",
    .quotes = "\n## Quotes\n",
    .quote = "\n> {text}\n>\n> event {#seq}, {!field}, bytes {#begin} to {#end}; {source}, {@time}",
    .quote_label = "; {}",
    .quote_more = ", {}",
    .quote_end = "\n",
    .crossed = "\n## {rows} by {columns}\n\n| |",
    .column = " {} |",
    .rule = "\n|---|",
    .rule_each = "---:|",
    .row = "\n| {} |",
    .count = " {#} |",
    .row_end = "",
    .crossed_end = "\n",
};

char *heed__report_markdown(const json_t *report, size_t *size, heed_error *err) {
    heed_text b = { 0 };
    size_t i;
    json_t *a;
    heed__report_put(
        &form, &b,
        "# {name}, {!day} ({!zone})\n\n{#events.count} events; {#events.before} on the "
        "day before; {#judged} judged by a person. \"More\" and \"fewer\" stand where "
        "the difference is beyond three standard deviations.\n",
        report);
    heed__report_alerts(&form, &b, json_object_get(report, "alerts"));
    json_array_foreach(json_object_get(report, "analyses"), i, a)
        add_list(&b, heed__report_text(a, "analysis"), "label", json_object_get(a, "labels"));
    heed__report_crossed(&form, &b, json_object_get(report, "crossed"));
    add_entities(&b, json_object_get(report, "entities"));
    heed__report_stories(&form, &b, json_object_get(report, "stories"));
    heed__report_quotes(&form, &b, json_object_get(report, "quotes"));
    add_list(&b, "Sources", "source", json_object_get(report, "sources"));
    char *text = heed__text_take(&b, size);
    if (!text) heed__error(err, HEED_ENOMEM, "out of memory for a report");
    return text;
}
