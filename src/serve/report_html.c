/* report_html.c: a report as one HTML file: its style is in it, it has no script, and its policy
 * lets the browser load nothing. */
#include <string.h>

#include "base/buffer.h"
#include "base/text.h"
#include "serve/report.h"
#include "serve/report_form.h"
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

static const heed_report_form form = {
    .plain = add_plain,
    .alerts = "<h2>Alerts</h2>\n",
    .no_alerts = "<p class=\"soft\">None.</p>\n",
    .alert =
        "<div class=\"card {grade}\"><strong>{title}</strong><br><span class=\"soft\">{grade}, "
        "{state}, rule {rule}, opened {@opened}, {#events} events</span><ul>",
    .alert_says = "<li>{}</li>",
    .alert_end = "</ul></div>\n",
    .stories = "<h2>Stories told more than once</h2>\n",
    .story = "<div class=\"card\"><strong>{title}</strong><br><span class=\"soft\">told {#told} "
             "times; sources: {#sources}</span><ul><li>first: {first.source}, {@first.time} <span "
             "class=\"soft\">event {#first.seq}</span></li>",
    .story_again = "<li>after {^after_ms}: {source}, {#times} times <span class=\"soft\">event "
                   "{#seq}</span></li>",
    .story_end = "</ul></div>\n",
    .quotes = "<h2>Quotes</h2>\n",
    .quote =
        "<div class=\"card\"><blockquote>{text}</blockquote><span class=\"soft\">event {#seq}, "
        "{!field}, bytes {#begin} to {#end}, {source}, {@time}",
    .quote_label = "<br>{}",
    .quote_more = ", {}",
    .quote_end = "</span></div>\n",
    .crossed = "<section><h2>{rows} by {columns}</h2>\n<table><tr><th></th>",
    .column = "<th class=\"n\">{}</th>",
    .rule = "</tr>\n",
    .rule_each = "",
    .row = "<tr><td>{}</td>",
    .count = "<td class=\"n\">{#}</td>",
    .row_end = "</tr>\n",
    .crossed_end = "</table></section>\n",
};

char *heed__report_html(const json_t *report, size_t *size, heed_error *err) {
    heed_text b = { 0 };
    size_t i;
    json_t *a;
    heed__text_puts(&b, head);
    heed__report_put(&form, &b, "{name}, {!day}", report);
    heed__text_puts(&b, style);
    heed__report_put(&form, &b,
                     "<h1>{name}</h1>\n<p class=\"soft\">{!day} ({!zone})</p>\n"
                     "<p><strong>{#events.count}</strong> events, {#events.before} on the day "
                     "before, {#judged} judged by a person. ▲ and ▼ stand where the difference is "
                     "beyond three standard deviations.</p>\n",
                     report);
    add_hours(&b, json_object_get(report, "hours"));
    heed__report_alerts(&form, &b, json_object_get(report, "alerts"));
    heed__text_puts(&b, "<div class=\"grid\">\n");
    json_array_foreach(json_object_get(report, "analyses"), i, a)
        add_list(&b, heed__report_text(a, "analysis"), "label", json_object_get(a, "labels"));
    heed__report_crossed(&form, &b, json_object_get(report, "crossed"));
    add_list(&b, "Entities", "text", json_object_get(report, "entities"));
    add_list(&b, "Sources", "source", json_object_get(report, "sources"));
    heed__text_puts(&b, "</div>\n");
    heed__report_stories(&form, &b, json_object_get(report, "stories"));
    heed__report_quotes(&form, &b, json_object_get(report, "quotes"));
    heed__text_puts(&b, "</main>\n</body>\n</html>\n");
    char *text = heed__text_take(&b, size);
    if (!text) heed__error(err, HEED_ENOMEM, "out of memory for a report");
    return text;
}
