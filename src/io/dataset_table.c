/* dataset_table.c: records of a table: tab-separated lines without quoting, and CSV as RFC 4180 has
 * it. A quote that is not the first of its field is text, as everywhere; line ends within quotes
 * become \n. */
#include <string.h>

#include "io/dataset_impl.h"

static int add_field(heed_dataset_stream *s, char *field) {
    if (heed__grow(&s->hooks, &s->field, &s->field_cap, s->fields + 1, sizeof *s->field))
        return HEED_ENOMEM;
    s->field[s->fields++] = field;
    return 0;
}

/* What the fields of a record make, the first deciding which column is what. */
static int record(heed_dataset_stream *s, int64_t line, heed_error *err) {
    if (s->fields > HEED_COLUMNS_MOST)
        return heed__dataset_wrong(s, line, "more than %d columns", HEED_COLUMNS_MOST);
    if (!s->begun) {
        const int is_header = heed__columns_choose(s, s->field, s->fields, false, err);
        if (is_header < 0) return is_header;
        s->begun = true;
        if (is_header) return s->reader->next(s, err);
    }
    return heed__columns_take(s, line, err);
}

/* -- tabs ------------------------------------------------------------------------------------- */

static int next_line(heed_dataset_stream *s, heed_error *err) {
    char *line;
    size_t size;
    int rc;
    do rc = heed__dataset_line(s, &line, &size, err);
    while (rc == HEED_STEP_ONE && size == 0);
    if (rc != HEED_STEP_ONE) return rc;
    s->fields = 0;
    for (char *at = line; at && s->fields <= HEED_COLUMNS_MOST;) {
        if (add_field(s, at)) return heed__dataset_no_memory(s, err);
        at = strchr(at, '\t');
        if (at) *at++ = 0;
    }
    return record(s, heed__input_line_number(s->in), err);
}

const heed_dataset_reader heed__reader_tsv = { .name = "tab-separated", .next = next_line };

/* -- commas ----------------------------------------------------------------------------------- */

/* The separator of a first line: a comma, unless there is none but a semicolon or a tab. */
static char separator(const char *line) {
    return strchr(line, ',') ? ',' : strchr(line, ';') ? ';' : strchr(line, '\t') ? '\t' : ',';
}

typedef struct csv {
    int64_t line;  /* where the record began */
    bool quoted;   /* within quotes */
    bool wrong;    /* the record is, and was noted */
    int64_t start; /* of the field, in s->record */
} csv;

/* Ends a field: its bytes lie in s->record, their place is kept as long as the record grows. */
static int end_field(heed_dataset_stream *s, csv *c) {
    if (heed__buffer_add(&s->hooks, &s->record, "", 1)) return HEED_ENOMEM;
    const int64_t start = c->start;
    c->start = s->record.len;
    if (s->fields > HEED_COLUMNS_MOST) return 0;
    return add_field(s, (char *)(intptr_t)start); /* an offset until the record is whole */
}

/* One line of a record. 0 or HEED_ENOMEM. */
static int csv_line(heed_dataset_stream *s, csv *c, const char *line, size_t size) {
    const char *at = line, *const end = line + size;
    bool open = c->quoted; /* a field has begun that can only end or go on */
    for (;;) {
        if (c->quoted) {
            const char *quote = memchr(at, '"', (size_t)(end - at));
            const char *stop = quote ? quote : end;
            if (heed__buffer_add(&s->hooks, &s->record, at, (size_t)(stop - at)))
                return HEED_ENOMEM;
            if (!quote) return heed__buffer_add(&s->hooks, &s->record, "\n", 1);
            at = quote + 1;
            if (at < end && *at == '"') {
                if (heed__buffer_add(&s->hooks, &s->record, at++, 1)) return HEED_ENOMEM;
                continue;
            }
            c->quoted = false;
            if (at < end && *at != s->delimiter && !c->wrong) {
                c->wrong = true;
                heed__dataset_wrong(s, heed__input_line_number(s->in),
                                    "'%c' where a quoted field has ended, in column %d",
                                    *at >= ' ' && *at <= '~' ? *at : '?', s->fields + 1);
            }
        } else if (!open && at < end && *at == '"') {
            c->quoted = true;
            at++;
            open = true;
            continue;
        }
        const char *stop = memchr(at, s->delimiter, (size_t)(end - at));
        const size_t n = (size_t)((stop ? stop : end) - at);
        if (heed__buffer_add(&s->hooks, &s->record, at, n) || end_field(s, c)) return HEED_ENOMEM;
        if (!stop) return 0;
        at = stop + 1;
        open = false;
    }
}

static int next_record(heed_dataset_stream *s, heed_error *err) {
    csv c = { 0 };
    char *line;
    size_t size;
    s->fields = 0;
    s->record.len = 0;
    do {
        const int rc = heed__dataset_line(s, &line, &size, err);
        if (rc < 0) return rc;
        if (rc == HEED_STEP_END && !c.quoted) return rc;
        if (rc == HEED_STEP_END || s->record.len > HEED_LINE_MOST)
            return heed__dataset_wrong(s, c.line, "a quote that is not closed%s",
                                       rc == HEED_STEP_END ? "" : " within 64 MB");
        if (rc == HEED_STEP_WRONG && !c.quoted) return rc;
        c.wrong |= rc == HEED_STEP_WRONG;
        if (rc == HEED_STEP_WRONG || (size == 0 && !c.quoted)) continue;
        if (!c.line) c.line = heed__input_line_number(s->in);
        if (!s->delimiter) s->delimiter = separator(line);
        if (csv_line(s, &c, line, size)) return heed__dataset_no_memory(s, err);
    } while (c.quoted || !c.line);
    if (c.wrong) return HEED_STEP_WRONG;
    for (int i = 0; i < s->fields; i++) s->field[i] = s->record.bytes + (intptr_t)s->field[i];
    return record(s, c.line, err);
}

const heed_dataset_reader heed__reader_csv = { .name = "CSV", .next = next_record };
