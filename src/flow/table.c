/* table.c: records of a table. */
#include "flow/table.h"

#include <string.h>

#include "base/text.h"
#include "flow/charset.h"

enum { RECORD_MOST = 64 << 20 };

static bool ends_in(const char *name, size_t len, const char *end) {
    const size_t n = strlen(end);
    return len >= n && strncmp(name + len - n, end, n) == 0;
}

/* By the end of the name, without that of an archive; else by what the first line looks like. */
static int guess(heed_table *t, const char *path, heed_error *err) {
    size_t len = strlen(path), size;
    const char *bytes;
    if (ends_in(path, len, ".gz")) len -= 3;
    if (ends_in(path, len, ".zst")) len -= 4;
    t->form = HEED_TABLE_CSV;
    if (ends_in(path, len, ".csv")) return 0;
    if (ends_in(path, len, ".tsv")) return t->form = HEED_TABLE_TSV, 0;
    if (ends_in(path, len, ".jsonl") || ends_in(path, len, ".ndjson"))
        return t->form = HEED_TABLE_JSON, 0;
    const int status = heed__input_peek(t->in, &bytes, &size, err);
    if (status) return status;
    const char *line_end = memchr(bytes, '\n', size);
    if (line_end) size = (size_t)(line_end - bytes);
    if (size > 0 && bytes[0] == '{')
        t->form = HEED_TABLE_JSON;
    else if (memchr(bytes, '\t', size))
        t->form = HEED_TABLE_TSV;
    return 0;
}

int heed__table_open(heed_table *t, const char *path, const char *format, const heed_hooks *hooks,
                     heed_error *err) {
    *t = (heed_table){ .hooks = hooks, .record = { .hooks = hooks } };
    t->in = heed__input_open(path, hooks, err);
    if (!t->in) return err->code;
    if (!format) return guess(t, path, err);
    t->form = strcmp(format, "tsv") == 0     ? HEED_TABLE_TSV
              : strcmp(format, "jsonl") == 0 ? HEED_TABLE_JSON
                                             : HEED_TABLE_CSV;
    return 0;
}

static bool odd_quotes(const char *line, size_t size) {
    bool odd = false;
    for (size_t i = 0; i < size; i++) odd ^= line[i] == '"';
    return odd;
}

/* Bytes that are no UTF-8 become U+FFFD. */
static int tidy(heed_table *t, heed_error *err) {
    heed_text *r = &t->record;
    if (heed__utf8_check(r->bytes, (size_t)r->len) == (size_t)r->len) return 1;
    heed_text utf8 = { .hooks = t->hooks };
    heed__charset_add(&utf8, "utf-8", r->bytes, (size_t)r->len);
    heed__text_free(r);
    *r = utf8;
    if (!r->failed) return 1;
    return heed__error(err, HEED_ENOMEM, "%s: out of memory", heed__input_name(t->in));
}

int heed__table_next(heed_table *t, heed_error *err) {
    char *line;
    size_t size;
    bool open = false;
    heed__text_reset(&t->record);
    for (;;) {
        const int got = heed__input_line(t->in, &line, &size, err);
        if (got < 0) return got;
        if (got == HEED_LINE_NONE) break;
        if (got == HEED_LINE_LONG || (size == 0 && !open)) continue;
        if (open) heed__text_put(&t->record, '\n');
        heed__text_add(&t->record, line, size);
        if (t->form == HEED_TABLE_CSV) open ^= odd_quotes(line, size);
        if (t->record.failed)
            return heed__error(err, HEED_ENOMEM, "%s: out of memory", heed__input_name(t->in));
        if (t->record.len > RECORD_MOST)
            return heed__error(err, HEED_EFORMAT, "%s:%lld: a quote that is not closed",
                               heed__input_name(t->in), (long long)heed__input_line_number(t->in));
        if (!open) return tidy(t, err);
    }
    if (!open) return 0;
    return heed__error(err, HEED_EFORMAT, "%s: a quote that is not closed",
                       heed__input_name(t->in));
}

static int add_field(heed_table *t, char *field, heed_error *err) {
    if (heed__grow(t->hooks, &t->field, &t->cap, t->fields + 1, sizeof *t->field))
        return heed__error(err, HEED_ENOMEM, "%s: out of memory", heed__input_name(t->in));
    t->field[t->fields++] = field;
    return 0;
}

/* The field at `from` without its quotes, and behind it. */
static char *unquote(char *from, char delimiter, char **next) {
    char *to = from, *at = from + 1;
    for (; *at; at++) {
        if (*at == '"' && at[1] == '"')
            at++;
        else if (*at == '"')
            break;
        *to++ = *at;
    }
    if (*at == '"') at++;
    while (*at && *at != delimiter) *to++ = *at++; /* behind a closed quote: text, as it stands */
    *next = *at ? at + 1 : NULL;
    *to = 0;
    return from;
}

int heed__table_cut(heed_table *t, char *record, heed_error *err) {
    t->fields = 0;
    if (t->form == HEED_TABLE_JSON) return add_field(t, record, err);
    if (!t->delimiter)
        t->delimiter = t->form == HEED_TABLE_TSV ? '\t'
                       : strchr(record, ',')     ? ','
                       : strchr(record, ';')     ? ';'
                       : strchr(record, '\t')    ? '\t'
                                                 : ',';
    for (char *at = record; at;) {
        char *next;
        if (t->form == HEED_TABLE_CSV && *at == '"') {
            at = unquote(at, t->delimiter, &next);
        } else {
            next = strchr(at, t->delimiter);
            if (next) *next++ = 0;
        }
        if (add_field(t, at, err)) return HEED_ENOMEM;
        at = next;
    }
    return 0;
}

void heed__table_close(heed_table *t) {
    heed__input_close(t->in);
    heed__text_free(&t->record);
    heed__free(t->hooks, t->field);
    *t = (heed_table){ 0 };
}
