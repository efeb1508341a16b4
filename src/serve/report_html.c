/* report_html.c: a report as one HTML file: its style is in it, it has no script, and its policy
 * lets the browser load nothing. */
#include <string.h>

#include "base/buffer.h"
#include "base/text.h"
#include "serve/report.h"
#include "serve/report_impl.h"

static const char head[] =
    "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
    "style-src 'unsafe-inline'\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>";
static const char style[] =
    "</title>\n<style>\n"
    ":root{--ink:#1a2027;--soft:#5c6773;--line:#e2e6ea;--back:#fff;--card:#f7f8fa;--mark:#2563c9;"
    "--up:#b4361f;--down:#2c7a4b}\n"
    "@media(prefers-color-scheme:dark){:root{--ink:#e6e9ed;--soft:#9aa5b1;--line:#2c343d;"
    "--back:#12161b;--card:#1a2027;--mark:#6ea3f7;--up:#f08b74;--down:#72c893}}\n"
    "body{margin:0;background:var(--back);color:var(--ink);font:15px/1.5 system-ui,sans-serif}\n"
    "main{max-width:62rem;margin:0 auto;padding:2rem 1.25rem}\n"
    "h1{font-size:1.6rem;margin:0}h2{font-size:1.1rem;margin:2.2rem 0 .6rem}\n"
    ".soft{color:var(--soft)}.grid{display:grid;gap:0 2rem;"
    "grid-template-columns:repeat(auto-fit,minmax(25rem,1fr))}\n"
    "table{border-collapse:collapse;width:100%}th{font-weight:600;text-align:left;"
    "color:var(--soft)}\n"
    "td,th{padding:.25rem .5rem .25rem 0;border-bottom:1px solid var(--line);"
    "overflow-wrap:break-word}td:first-child{min-width:7rem;overflow-wrap:anywhere}section{min-"
    "width:0}\n"
    ".n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}\n"
    ".bar{display:block;width:5rem;height:.6rem;background:var(--line);border-radius:.3rem}"
    ".bar i{display:block;height:100%;background:var(--mark);border-radius:.3rem}\n"
    ".up{color:var(--up)}.down{color:var(--down)}\n"
    ".card{background:var(--card);border:1px solid var(--line);border-radius:.5rem;"
    "padding:.7rem 1rem;margin:.6rem 0}\n"
    ".critical{border-left:4px solid var(--up)}.warning{border-left:4px solid #d69a1c}"
    ".info{border-left:4px solid var(--mark)}\n"
    "blockquote{margin:0 0 .3rem;white-space:pre-wrap;overflow-wrap:anywhere}"
    "ul{margin:.3rem 0;padding-left:1.2rem}\n"
    "svg{width:100%;height:auto}rect{fill:var(--mark)}text{fill:var(--soft);font-size:9px}\n"
    "@media print{body{background:#fff;color:#000}}\n"
    "</style>\n</head>\n<body>\n<main>\n";

static void add_plain(heed_text *b, const char *text) {
    for (; *text; text++) {
        switch (*text) {
        case '&':
            heed__text_puts(b, "&amp;");
            break;
        case '<':
            heed__text_puts(b, "&lt;");
            break;
        case '>':
            heed__text_puts(b, "&gt;");
            break;
        case '"':
            heed__text_puts(b, "&quot;");
            break;
        case '\'':
            heed__text_puts(b, "&#39;");
            break;
        default:
            heed__text_put(b, *text);
            break;
        }
    }
}

/* A label may be broken after its underscores. */
static void add_name(heed_text *b, const char *text) {
    char part[64];
    while (*text) {
        const size_t word = strcspn(text, "_"), len = word + (text[word] == '_');
        const bool fits = len < sizeof part;
        heed__format(part, sizeof part, "%.*s", fits ? (int)len : 0, text);
        add_plain(b, fits ? part : text);
        if (!fits) return;
        if (text[word] == '_') heed__text_puts(b, "<wbr>");
        text += len;
    }
}

static void add_counts(heed_text *b, const json_t *row) {
    const int64_t n = heed__report_int(row, "count"), before = heed__report_int(row, "before");
    heed__text_format(b, "<td class=\"n\">%lld</td><td class=\"n soft\">%lld</td><td class=\"n\">",
                      (long long)n, (long long)before);
    if (json_is_true(json_object_get(row, "changed")))
        heed__text_puts(b, n > before ? "<span class=\"up\">▲ more</span>"
                                      : "<span class=\"down\">▼ fewer</span>");
    heed__text_puts(b, "</td></tr>\n");
}

static int64_t largest(const json_t *list) {
    int64_t most = 1;
    size_t i;
    json_t *row;
    json_array_foreach(list, i, row) if (heed__report_int(row, "count") > most)
        most = heed__report_int(row, "count");
    return most;
}

static void add_list(heed_text *b, const char *title, const char *key, const json_t *list) {
    const int64_t most = largest(list);
    size_t i;
    json_t *row;
    if (json_array_size(list) == 0) return;
    heed__text_puts(b, "<section><h2>");
    add_plain(b, title);
    heed__text_puts(b, "</h2>\n<table><tr><th>");
    add_plain(b, key);
    heed__text_puts(b, "</th><th></th><th class=\"n\">events</th><th class=\"n\">before</th>"
                       "<th></th></tr>\n");
    json_array_foreach(list, i, row) {
        heed__text_puts(b, "<tr><td>");
        add_name(b, heed__report_text(row, key));
        if (json_object_get(row, "type")) {
            heed__text_puts(b, " <span class=\"soft\">");
            add_plain(b, heed__report_text(row, "type"));
            heed__text_puts(b, "</span>");
        }
        heed__text_format(b,
                          "</td><td><span class=\"bar\"><i style=\"width:%lld%%\"></i></span></td>",
                          (long long)(100 * heed__report_int(row, "count") / most));
        add_counts(b, row);
    }
    heed__text_puts(b, "</table></section>\n");
}

static void add_hours(heed_text *b, const json_t *hours) {
    int64_t most = 1;
    size_t h;
    json_t *n;
    json_array_foreach(hours, h, n) if (json_integer_value(n) > most) most = json_integer_value(n);
    heed__text_puts(b, "<svg viewBox=\"0 0 480 64\" role=\"img\" aria-label=\"Events by hour\">\n");
    json_array_foreach(hours, h, n) {
        const long long count = json_integer_value(n), tall = 48 * count / most;
        heed__text_format(b,
                          "<rect x=\"%zu\" y=\"%lld\" width=\"16\" height=\"%lld\" rx=\"2\">"
                          "<title>%02zu:00: %lld</title></rect>",
                          h * 20 + 2, 50 - tall, tall, h, count);
        if (h % 6 == 0)
            heed__text_format(b, "<text x=\"%zu\" y=\"61\">%02zu</text>", h * 20 + 2, h);
    }
    heed__text_puts(b, "\n</svg>\n");
}

static void add_crossed(heed_text *b, const json_t *table) {
    size_t r, c;
    json_t *name, *line, *n;
    if (json_array_size(json_object_get(table, "row")) == 0) return;
    heed__text_puts(b, "<section><h2>");
    add_plain(b, heed__report_text(table, "rows"));
    heed__text_puts(b, " by ");
    add_plain(b, heed__report_text(table, "columns"));
    heed__text_puts(b, "</h2>\n<table><tr><th></th>");
    json_array_foreach(json_object_get(table, "column"), c, name) {
        heed__text_puts(b, "<th class=\"n\">");
        add_plain(b, json_string_value(name));
        heed__text_puts(b, "</th>");
    }
    heed__text_puts(b, "</tr>\n");
    json_array_foreach(json_object_get(table, "count"), r, line) {
        heed__text_puts(b, "<tr><td>");
        add_plain(b, json_string_value(json_array_get(json_object_get(table, "row"), r)));
        heed__text_puts(b, "</td>");
        json_array_foreach(line, c, n)
            heed__text_format(b, "<td class=\"n\">%lld</td>", (long long)json_integer_value(n));
        heed__text_puts(b, "</tr>\n");
    }
    heed__text_puts(b, "</table></section>\n");
}

static void add_alerts(heed_text *b, const json_t *list) {
    size_t i, j;
    json_t *a, *says;
    heed__text_puts(b, "<h2>Alerts</h2>\n");
    if (json_array_size(list) == 0) heed__text_puts(b, "<p class=\"soft\">None.</p>\n");
    json_array_foreach(list, i, a) {
        heed__text_puts(b, "<div class=\"card ");
        add_plain(b, heed__report_text(a, "grade"));
        heed__text_puts(b, "\"><strong>");
        add_plain(b, heed__report_text(a, "title"));
        heed__text_puts(b, "</strong><br><span class=\"soft\">");
        add_plain(b, heed__report_text(a, "grade"));
        heed__text_puts(b, ", ");
        add_plain(b, heed__report_text(a, "state"));
        heed__text_puts(b, ", rule ");
        add_plain(b, heed__report_text(a, "rule"));
        heed__text_format(b, ", opened %.19s, %lld events</span><ul>",
                          heed__report_text(a, "opened"), (long long)heed__report_int(a, "events"));
        json_array_foreach(json_object_get(a, "says"), j, says) {
            heed__text_puts(b, "<li>");
            add_plain(b, json_string_value(says));
            heed__text_puts(b, "</li>");
        }
        heed__text_puts(b, "</ul></div>\n");
    }
}

static void add_stories(heed_text *b, const json_t *list) {
    size_t i, j;
    json_t *s, *e;
    if (json_array_size(list) == 0) return;
    heed__text_puts(b, "<h2>Stories told more than once</h2>\n");
    json_array_foreach(list, i, s) {
        const json_t *first = json_object_get(s, "first");
        heed__text_puts(b, "<div class=\"card\"><strong>");
        add_plain(b, heed__report_text(s, "title"));
        heed__text_format(b,
                          "</strong><br><span class=\"soft\">told %lld times; sources: %lld"
                          "</span><ul><li>first: ",
                          (long long)heed__report_int(s, "told"),
                          (long long)heed__report_int(s, "sources"));
        add_plain(b, heed__report_text(first, "source"));
        heed__text_format(b, ", %.19s <span class=\"soft\">event %lld</span></li>",
                          heed__report_text(first, "time"),
                          (long long)heed__report_int(first, "seq"));
        json_array_foreach(json_object_get(s, "again"), j, e) {
            char after[HEED_REPORT_SPAN];
            heed__text_format(
                b, "<li>after %s: ", heed__report_span(heed__report_int(e, "after_ms"), after));
            add_plain(b, heed__report_text(e, "source"));
            heed__text_format(b, ", %lld times <span class=\"soft\">event %lld</span></li>",
                              (long long)heed__report_int(e, "times"),
                              (long long)heed__report_int(e, "seq"));
        }
        heed__text_puts(b, "</ul></div>\n");
    }
}

static void add_quotes(heed_text *b, const json_t *list) {
    size_t i, j;
    json_t *q, *label;
    if (json_array_size(list) == 0) return;
    heed__text_puts(b, "<h2>Quotes</h2>\n");
    json_array_foreach(list, i, q) {
        heed__text_puts(b, "<div class=\"card\"><blockquote>");
        add_plain(b, heed__report_text(q, "text"));
        heed__text_format(
            b, "</blockquote><span class=\"soft\">event %lld, %s, bytes %lld to %lld, ",
            (long long)heed__report_int(q, "seq"), heed__report_text(q, "field"),
            (long long)heed__report_int(q, "begin"), (long long)heed__report_int(q, "end"));
        add_plain(b, heed__report_text(q, "source"));
        heed__text_format(b, ", %.19s", heed__report_text(q, "time"));
        json_array_foreach(json_object_get(q, "labels"), j, label) {
            heed__text_puts(b, j ? ", " : "<br>");
            add_plain(b, json_string_value(label));
        }
        heed__text_puts(b, "</span></div>\n");
    }
}

char *heed__report_html(const json_t *report, size_t *size, heed_error *err) {
    heed_text b = { 0 };
    size_t i;
    json_t *a;
    const json_t *events = json_object_get(report, "events");
    const char *name = heed__report_text(report, "name"), *day = heed__report_text(report, "day");
    heed__text_puts(&b, head);
    add_plain(&b, name);
    heed__text_format(&b, ", %s", day);
    heed__text_puts(&b, style);
    heed__text_puts(&b, "<h1>");
    add_plain(&b, name);
    heed__text_format(&b, "</h1>\n<p class=\"soft\">%s (%s)</p>\n", day,
                      heed__report_text(report, "zone"));
    heed__text_format(&b,
                      "<p><strong>%lld</strong> events, %lld on the day before, %lld judged by a "
                      "person. ▲ and ▼ stand where the difference is beyond three standard "
                      "deviations.</p>\n",
                      (long long)heed__report_int(events, "count"),
                      (long long)heed__report_int(events, "before"),
                      (long long)heed__report_int(report, "judged"));
    add_hours(&b, json_object_get(report, "hours"));
    add_alerts(&b, json_object_get(report, "alerts"));
    heed__text_puts(&b, "<div class=\"grid\">\n");
    json_array_foreach(json_object_get(report, "analyses"), i, a)
        add_list(&b, heed__report_text(a, "analysis"), "label", json_object_get(a, "labels"));
    add_crossed(&b, json_object_get(report, "crossed"));
    add_list(&b, "Entities", "text", json_object_get(report, "entities"));
    add_list(&b, "Sources", "source", json_object_get(report, "sources"));
    heed__text_puts(&b, "</div>\n");
    add_stories(&b, json_object_get(report, "stories"));
    add_quotes(&b, json_object_get(report, "quotes"));
    heed__text_puts(&b, "</main>\n</body>\n</html>\n");
    char *text = heed__text_take(&b, size);
    if (!text) heed__error(err, HEED_ENOMEM, "out of memory for a report");
    return text;
}
