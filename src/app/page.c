/* page.c: the frame of an HTML page that needs no network: its style, light and dark. */
#include "app/charts.h"

#include "app/messages.h"

static const char STYLE[] =
    ":root{color-scheme:light dark;--ink:#1c2330;--soft:#5c6675;--paper:#fff;--edge:#dfe3ea;"
    "--a:#2563eb;--b:#d9480f;--c:#2b8a3e;--d:#9c36b5;--e:#b08900;--f:#0b7285}"
    "@media(prefers-color-scheme:dark){:root{--ink:#e6e9ef;--soft:#9aa4b2;--paper:#12161d;"
    "--edge:#2b323d;--a:#74a7ff;--b:#ff9d6c;--c:#6fcf85;--d:#d68ff0;--e:#f2c94c;--f:#66d9e8}}"
    "body{font:15px/1.55 system-ui,sans-serif;color:var(--ink);background:var(--paper);"
    "max-width:1020px;margin:2.5rem auto;padding:0 1.2rem}"
    "h1{font-size:1.7rem;margin:0 0 1rem}h2{font-size:1.15rem;margin:2.4rem 0 .6rem}"
    "dl{display:grid;grid-template-columns:repeat(auto-fill,minmax(210px,1fr));gap:.7rem;margin:0}"
    "dl div{border:1px solid var(--edge);border-radius:8px;padding:.5rem .8rem}"
    "dt{color:var(--soft);font-size:.85rem}dd{margin:0;font-size:1.1rem;overflow-wrap:anywhere}"
    "dd small{color:var(--soft);font-size:.8rem}"
    ".row{display:grid;grid-template-columns:repeat(auto-fit,minmax(320px,1fr));gap:1.2rem}"
    "figure{margin:0;max-width:560px}"
    "svg{width:100%;height:auto}svg text{fill:var(--soft);font-size:11px}"
    "svg text.n{fill:var(--ink);text-anchor:middle}"
    ".grid{stroke:var(--edge)}.thin{stroke:var(--soft);stroke-dasharray:4 4}"
    ".line{fill:none;stroke-width:2}"
    "rect.right{fill:var(--c)}rect.wrong{fill:var(--b)}"
    "figcaption{color:var(--soft);font-size:.85rem}.key::before{content:'';display:inline-block;"
    "width:.9em;height:.25em;vertical-align:middle;margin-right:.4em}"
    ".key{margin-right:1em}"
    "table{border-collapse:collapse;width:100%;font-size:.9rem}"
    "th,td{text-align:left;min-width:7em;padding:.3rem .6rem;border-bottom:1px solid var(--edge);"
    "vertical-align:top;overflow-wrap:anywhere}td.n,th.n{text-align:right;white-space:nowrap;"
    "font-variant-numeric:tabular-nums}";

void page_begin(FILE *to, const char *title) {
    fprintf(to,
            "<!doctype html>\n<html lang=\"%s\"><head><meta charset=\"utf-8\"><meta "
            "name=\"viewport\" content=\"width=device-width\"><title>",
            messages_language());
    chart_text(to, title);
    fprintf(to, "</title><style>%s", STYLE);
    for (const char *c = "abcdef"; *c; c++)
        fprintf(to,
                ".line.%c{stroke:var(--%c)}.dot.%c{fill:var(--%c)}.key.%c::before{background:"
                "var(--%c)}",
                *c, *c, *c, *c, *c, *c);
    fprintf(to, "</style></head><body>\n<h1>");
    chart_text(to, title);
    fprintf(to, "</h1>\n");
}

void page_columns(FILE *to, const page_column *column) {
    fprintf(to, "<tr>");
    for (; column->name; column++) {
        fprintf(to, "<th%s>", column->number ? " class=\"n\"" : "");
        chart_text(to, tr(column->name));
        fprintf(to, "</th>");
    }
    fprintf(to, "</tr>\n");
}
