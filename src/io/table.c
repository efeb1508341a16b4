/* table.c: labelled texts from a tab-separated file. The file is held whole and cut in place. */
#include "io/table.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/text.h"

static const char *const text_names[] = { "text",    "sentence", "message", "review", "question",
                                          "comment", "title",    "content", "body" };
static const char *const label_names[] = { "label",     "intent", "category", "class",
                                           "sentiment", "topic",  "polarity", "target" };

typedef struct reader {
    heed_table *t;
    const heed_table_cfg *cfg;
    const char *name;
    int64_t cap;
    int text_at, label_at; /* column numbers, label_at -1: none */
    int columns;           /* that the header has; 0: no header */
    int64_t wrong;         /* lines with an error */
    heed_error first;
} reader;

enum { MAX_COLUMNS = 256 };

/* Cuts a line at its tabs; how many columns, MAX_COLUMNS + 1 if there are more. */
static int cut(char *line, char *column[MAX_COLUMNS]) {
    int n = 0;
    for (char *at = line; at; n++) {
        if (n == MAX_COLUMNS) return n + 1;
        column[n] = at;
        at = strchr(at, '\t');
        if (at) *at++ = 0;
    }
    return n;
}

static int find(char *const *column, int n, const char *name) {
    for (int i = 0; i < n; i++)
        if (strcmp(column[i], name) == 0) return i;
    return -1;
}

static int guess(char *const *column, int n, const char *const *names, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const int at = find(column, n, names[i]);
        if (at >= 0) return at;
    }
    return -1;
}

static int missing(const reader *r, const char *what, const char *name, heed_error *err) {
    return heed__error(err, HEED_ENOTFOUND, "%s:1: the header has no column '%s' for the %s",
                       r->name, name, what);
}

/* Decides from the first line which column is what. 1: a header; 0: data; negative: a status. */
static int header(reader *r, char *const *column, int n, heed_error *err) {
    const heed_table_cfg *cfg = r->cfg;
    const size_t texts = sizeof text_names / sizeof *text_names;
    const size_t labels = sizeof label_names / sizeof *label_names;
    r->text_at = cfg->text ? find(column, n, cfg->text) : guess(column, n, text_names, texts);
    r->label_at = cfg->label ? find(column, n, cfg->label) : guess(column, n, label_names, labels);
    if (cfg->text && r->text_at < 0) return missing(r, "text", cfg->text, err);
    if (cfg->label && r->label_at < 0) return missing(r, "label", cfg->label, err);
    const bool named = r->text_at >= 0 && (r->label_at >= 0 || cfg->text_only);
    if (!named && cfg->text) return missing(r, "label", "label", err);
    if (!named && cfg->label) return missing(r, "text", "text", err);
    if (named) {
        r->columns = n;
        const char *label = r->label_at >= 0 ? column[r->label_at] : NULL;
        snprintf(r->t->how, sizeof r->t->how, "text from column '%.48s'%s%.48s%s",
                 column[r->text_at], label ? ", label from column '" : "", label ? label : "",
                 label ? "'" : "");
        return 1;
    }
    r->text_at = n > 1 ? 1 : 0;
    r->label_at = n > 1 ? 0 : -1;
    snprintf(r->t->how, sizeof r->t->how, "%s",
             n > 1 ? "no header: label, then text" : "no header: each line a text");
    return 0;
}

static void wrong(reader *r, int64_t line, const char *what) {
    if (r->wrong++ == 0)
        heed__error(&r->first, HEED_EFORMAT, "%.200s:%lld: %s", r->name, (long long)line, what);
}

static int row(reader *r, char *const *column, int n, int64_t line) {
    heed_table *t = r->t;
    const int need = r->columns ? r->columns : r->label_at >= 0 ? 2 : 1;
    if (n != need) {
        char what[96];
        snprintf(what, sizeof what, "%d column%s where there should be %d", n, n == 1 ? "" : "s",
                 need);
        wrong(r, line, what);
        return 0;
    }
    if (!r->cfg->text_only && (r->label_at < 0 || !column[r->label_at][0])) {
        wrong(r, line, r->label_at < 0 ? "no label: one column only" : "the label is empty");
        return 0;
    }
    const char *label = r->label_at >= 0 ? column[r->label_at] : NULL;
    if (label && heed__control_at(label, strlen(label)) < strlen(label)) {
        wrong(r, line, "the label holds a control character");
        return 0;
    }
    if (t->len == r->cap) {
        int64_t cap[3] = { r->cap, r->cap, r->cap };
        if (heed__grow(&t->hooks, &t->text, &cap[0], t->len + 1, sizeof *t->text) ||
            heed__grow(&t->hooks, &t->label, &cap[1], t->len + 1, sizeof *t->label) ||
            heed__grow(&t->hooks, &t->line, &cap[2], t->len + 1, sizeof *t->line))
            return HEED_ENOMEM;
        r->cap = cap[0];
    }
    t->text[t->len] = column[r->text_at];
    t->label[t->len] = label;
    t->line[t->len++] = line;
    return 0;
}

/* One line, ended by a zero byte. */
static int one_line(reader *r, char *start, size_t len, int64_t line, bool first, heed_error *err) {
    char *column[MAX_COLUMNS];
    const size_t bad = heed__utf8_check(start, len);
    if (bad < len || memchr(start, 0, len)) {
        wrong(r, line, bad < len ? "not UTF-8" : "a zero byte");
        return 0;
    }
    const int n = cut(start, column);
    if (n > MAX_COLUMNS) {
        wrong(r, line, "more than 256 columns");
        return 0;
    }
    const int is_header = first ? header(r, column, n, err) : 0;
    if (is_header < 0) return is_header;
    if (!is_header && row(r, column, n, line))
        return heed__error(err, HEED_ENOMEM, "%s:%lld: out of memory", r->name, (long long)line);
    return 0;
}

static int each_line(reader *r, size_t size, heed_error *err) {
    char *bytes = r->t->bytes;
    size_t at = size >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    bool first = true;
    for (int64_t line = 1; at < size; line++) {
        char *const start = bytes + at, *const end = memchr(start, '\n', size - at);
        size_t len = end ? (size_t)(end - start) : size - at;
        at += len + 1;
        if (len && start[len - 1] == '\r') len--;
        start[len] = 0;
        if (len == 0) continue;
        const int rc = one_line(r, start, len, line, first, err);
        if (rc) return rc;
        first = false;
    }
    return 0;
}

static int parse(heed_table *t, size_t size, const char *name, const heed_table_cfg *cfg,
                 heed_error *err) {
    reader r = { .t = t, .cfg = cfg, .name = name, .label_at = -1 };
    int rc = each_line(&r, size, err);
    if (rc == 0 && r.wrong > 1)
        rc = heed__error(err, HEED_EFORMAT, "%.400s (and %lld more lines are wrong)", r.first.msg,
                         (long long)(r.wrong - 1));
    else if (rc == 0 && r.wrong)
        rc = heed__error(err, HEED_EFORMAT, "%s", r.first.msg);
    else if (rc == 0 && t->len == 0)
        rc = heed__error(err, HEED_EFORMAT, "%s: no line of data", name);
    if (rc) heed__table_free(t);
    return rc;
}

int heed__table_parse(heed_table *t, const char *bytes, size_t size, const char *name,
                      const heed_table_cfg *cfg, heed_error *err) {
    *t = (heed_table){ 0 };
    if (cfg->hooks) t->hooks = *cfg->hooks;
    t->bytes = heed__malloc(&t->hooks, size + 1);
    if (!t->bytes) return heed__error(err, HEED_ENOMEM, "%s: out of memory", name);
    if (size) memcpy(t->bytes, bytes, size);
    t->bytes[size] = 0;
    return parse(t, size, name, cfg, err);
}

int heed__table_read(heed_table *t, const char *path, const heed_table_cfg *cfg, heed_error *err) {
    *t = (heed_table){ 0 };
    if (cfg->hooks) t->hooks = *cfg->hooks;
    size_t size = 0;
    const int rc = heed__file_read(&t->hooks, path, SIZE_MAX, &t->bytes, &size, err);
    return rc ? rc : parse(t, size, path, cfg, err);
}

void heed__table_free(heed_table *t) {
    heed__free(&t->hooks, t->text);
    heed__free(&t->hooks, t->label);
    heed__free(&t->hooks, t->line);
    heed__free(&t->hooks, t->bytes);
    *t = (heed_table){ .hooks = t->hooks };
}
