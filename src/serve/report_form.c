/* report_form.c: patterns filled, and the parts that every form of a report has. */
#include "serve/report_form.h"

#include <string.h>

#include "base/text.h"
#include "serve/report_impl.h"

enum { PATH_MOST = 64 };

/* "first.time" within what is told; "" is that itself. */
static const json_t *member(const json_t *told, const char *path, size_t len) {
    while (len) {
        char name[PATH_MOST];
        size_t n = 0;
        while (n < len && path[n] != '.') n++;
        heed__format(name, sizeof name, "%.*s", (int)n, path);
        told = json_object_get(told, name);
        n += n < len;
        path += n, len -= n;
    }
    return told;
}

static void put_member(const heed_report_form *f, heed_text *b, const char *at, size_t len,
                       const json_t *told) {
    const char kind = len && strchr("#!@^", *at) ? *at : 0;
    char span[HEED_REPORT_SPAN];
    const json_t *value = member(told, at + (kind != 0), len - (kind != 0));
    const char *text = json_is_string(value) ? json_string_value(value) : "";
    if (kind == '#')
        heed__text_format(b, "%lld", (long long)json_integer_value(value));
    else if (kind == '^')
        heed__text_puts(b, heed__report_span(json_integer_value(value), span));
    else if (kind == '@')
        heed__text_format(b, "%.19s", text);
    else if (kind == '!')
        heed__text_puts(b, text);
    else
        f->plain(b, text);
}

void heed__report_put(const heed_report_form *f, heed_text *b, const char *pattern,
                      const json_t *told) {
    while (*pattern) {
        const size_t bare = strcspn(pattern, "{");
        heed__text_add(b, pattern, bare);
        pattern += bare;
        if (!*pattern) break;
        const size_t len = strcspn(++pattern, "}");
        put_member(f, b, pattern, len, told);
        pattern += len + (pattern[len] == '}');
    }
}

static void put_each(const heed_report_form *f, heed_text *b, const char *pattern,
                     const json_t *list) {
    for (size_t i = 0; i < json_array_size(list); i++)
        heed__report_put(f, b, pattern, json_array_get(list, i));
}

void heed__report_alerts(const heed_report_form *f, heed_text *b, const json_t *list) {
    size_t i;
    json_t *a;
    heed__text_puts(b, f->alerts);
    if (json_array_size(list) == 0) heed__text_puts(b, f->no_alerts);
    json_array_foreach(list, i, a) {
        heed__report_put(f, b, f->alert, a);
        put_each(f, b, f->alert_says, json_object_get(a, "says"));
        heed__text_puts(b, f->alert_end);
    }
}

void heed__report_stories(const heed_report_form *f, heed_text *b, const json_t *list) {
    size_t i;
    json_t *s;
    if (json_array_size(list) == 0) return;
    heed__text_puts(b, f->stories);
    json_array_foreach(list, i, s) {
        heed__report_put(f, b, f->story, s);
        put_each(f, b, f->story_again, json_object_get(s, "again"));
        heed__text_puts(b, f->story_end);
    }
}

void heed__report_quotes(const heed_report_form *f, heed_text *b, const json_t *list) {
    size_t i, j;
    json_t *q, *label;
    if (json_array_size(list) == 0) return;
    heed__text_puts(b, f->quotes);
    json_array_foreach(list, i, q) {
        heed__report_put(f, b, f->quote, q);
        json_array_foreach(json_object_get(q, "labels"), j, label)
            heed__report_put(f, b, j ? f->quote_more : f->quote_label, label);
        heed__text_puts(b, f->quote_end);
    }
}

void heed__report_crossed(const heed_report_form *f, heed_text *b, const json_t *table) {
    const json_t *rows = json_object_get(table, "row"), *columns = json_object_get(table, "column");
    size_t r;
    json_t *line;
    if (json_array_size(rows) == 0) return;
    heed__report_put(f, b, f->crossed, table);
    put_each(f, b, f->column, columns);
    heed__text_puts(b, f->rule);
    for (size_t i = 0; i < json_array_size(columns); i++) heed__text_puts(b, f->rule_each);
    json_array_foreach(json_object_get(table, "count"), r, line) {
        heed__report_put(f, b, f->row, json_array_get(rows, r));
        put_each(f, b, f->count, line);
        heed__text_puts(b, f->row_end);
    }
    heed__text_puts(b, f->crossed_end);
}
