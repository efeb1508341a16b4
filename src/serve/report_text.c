/* report_text.c: a report as Markdown (CommonMark with tables). */
#include <string.h>

#include "base/buffer.h"
#include "base/text.h"
#include "serve/report.h"
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

static void add_crossed(heed_text *b, const json_t *table) {
    size_t r, c;
    json_t *name, *line, *n;
    if (json_array_size(json_object_get(table, "row")) == 0) return;
    heed__text_puts(b, "\n## ");
    add_plain(b, heed__report_text(table, "rows"));
    heed__text_puts(b, " by ");
    add_plain(b, heed__report_text(table, "columns"));
    heed__text_puts(b, "\n\n| |");
    json_array_foreach(json_object_get(table, "column"), c, name) {
        heed__text_puts(b, " ");
        add_plain(b, json_string_value(name));
        heed__text_puts(b, " |");
    }
    heed__text_puts(b, "\n|---|");
    for (size_t i = 0; i < c; i++) heed__text_puts(b, "---:|");
    json_array_foreach(json_object_get(table, "count"), r, line) {
        heed__text_puts(b, "\n");
        add_cell(b, json_string_value(json_array_get(json_object_get(table, "row"), r)));
        heed__text_puts(b, "|");
        json_array_foreach(line, c, n)
            heed__text_format(b, " %lld |", (long long)json_integer_value(n));
    }
    heed__text_puts(b, "\n");
}

static void add_alerts(heed_text *b, const json_t *list) {
    size_t i, j;
    json_t *a, *says;
    heed__text_puts(b, "\n## Alerts\n\n");
    if (json_array_size(list) == 0) heed__text_puts(b, "None.\n");
    json_array_foreach(list, i, a) {
        heed__text_puts(b, "- **");
        add_plain(b, heed__report_text(a, "title"));
        heed__text_format(b, "** (%s, %s, rule ", heed__report_text(a, "grade"),
                          heed__report_text(a, "state"));
        add_plain(b, heed__report_text(a, "rule"));
        heed__text_format(b, ", opened %.19s, %lld events)\n", heed__report_text(a, "opened"),
                          (long long)heed__report_int(a, "events"));
        json_array_foreach(json_object_get(a, "says"), j, says) {
            heed__text_puts(b, "  - ");
            add_plain(b, json_string_value(says));
            heed__text_puts(b, "\n");
        }
    }
}

static void add_stories(heed_text *b, const json_t *list) {
    size_t i, j;
    json_t *s, *e;
    if (json_array_size(list) == 0) return;
    heed__text_puts(b, "\n## Stories told more than once\n");
    json_array_foreach(list, i, s) {
        const json_t *first = json_object_get(s, "first");
        heed__text_puts(b, "\n- **");
        add_plain(b, heed__report_text(s, "title"));
        heed__text_format(b, "**: told %lld times; sources: %lld\n  - first: ",
                          (long long)heed__report_int(s, "told"),
                          (long long)heed__report_int(s, "sources"));
        add_plain(b, heed__report_text(first, "source"));
        heed__text_format(b, ", %.19s (event %lld)\n", heed__report_text(first, "time"),
                          (long long)heed__report_int(first, "seq"));
        json_array_foreach(json_object_get(s, "again"), j, e) {
            char after[HEED_REPORT_SPAN];
            heed__text_puts(b, "  - after ");
            heed__text_puts(b, heed__report_span(heed__report_int(e, "after_ms"), after));
            heed__text_puts(b, ": ");
            add_plain(b, heed__report_text(e, "source"));
            heed__text_format(b, ", %lld times (event %lld)\n",
                              (long long)heed__report_int(e, "times"),
                              (long long)heed__report_int(e, "seq"));
        }
    }
}

static void add_quotes(heed_text *b, const json_t *list) {
    size_t i, j;
    json_t *q, *label;
    if (json_array_size(list) == 0) return;
    heed__text_puts(b, "\n## Quotes\n");
    json_array_foreach(list, i, q) {
        heed__text_puts(b, "\n> ");
        add_plain(b, heed__report_text(q, "text"));
        heed__text_format(b, "\n>\n> event %lld, %s, bytes %lld to %lld; ",
                          (long long)heed__report_int(q, "seq"), heed__report_text(q, "field"),
                          (long long)heed__report_int(q, "begin"),
                          (long long)heed__report_int(q, "end"));
        add_plain(b, heed__report_text(q, "source"));
        heed__text_format(b, ", %.19s", heed__report_text(q, "time"));
        json_array_foreach(json_object_get(q, "labels"), j, label) {
            heed__text_puts(b, j ? ", " : "; ");
            add_plain(b, json_string_value(label));
        }
        heed__text_puts(b, "\n");
    }
}

char *heed__report_markdown(const json_t *report, size_t *size, heed_error *err) {
    heed_text b = { 0 };
    size_t i;
    json_t *a;
    const json_t *events = json_object_get(report, "events");
    heed__text_puts(&b, "# ");
    add_plain(&b, heed__report_text(report, "name"));
    heed__text_format(&b, ", %s (%s)\n\n", heed__report_text(report, "day"),
                      heed__report_text(report, "zone"));
    heed__text_format(&b,
                      "%lld events; %lld on the day before; %lld judged by a person. \"More\" and "
                      "\"fewer\" stand where the difference is beyond three standard deviations.\n",
                      (long long)heed__report_int(events, "count"),
                      (long long)heed__report_int(events, "before"),
                      (long long)heed__report_int(report, "judged"));
    add_alerts(&b, json_object_get(report, "alerts"));
    json_array_foreach(json_object_get(report, "analyses"), i, a)
        add_list(&b, heed__report_text(a, "analysis"), "label", json_object_get(a, "labels"));
    add_crossed(&b, json_object_get(report, "crossed"));
    add_entities(&b, json_object_get(report, "entities"));
    add_stories(&b, json_object_get(report, "stories"));
    add_quotes(&b, json_object_get(report, "quotes"));
    add_list(&b, "Sources", "source", json_object_get(report, "sources"));
    char *text = heed__text_take(&b, size);
    if (!text) heed__error(err, HEED_ENOMEM, "out of memory for a report");
    return text;
}
