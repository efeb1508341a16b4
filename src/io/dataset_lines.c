/* dataset_lines.c: records of a line each: objects of JSON, and fastText's words that begin with
 * __label__. */
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "io/dataset_impl.h"

/* -- JSON lines ------------------------------------------------------------------------------- */

static const char *kind_of(const json_t *value) {
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return "an object";
    case JSON_ARRAY:
        return "a list";
    case JSON_STRING:
        return "a text";
    case JSON_INTEGER:
    case JSON_REAL:
        return "a number";
    case JSON_NULL:
        return "null";
    default:
        return "true or false";
    }
}

/* The first object's keys decide which of them is what. */
static int choose(heed_dataset_stream *s, json_t *object, heed_error *err) {
    s->fields = 0;
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value) {
        if (s->fields == HEED_COLUMNS_MOST) break;
        if (heed__grow(&s->hooks, &s->field, &s->field_cap, s->fields + 1, sizeof *s->field))
            return heed__dataset_no_memory(s, err);
        s->field[s->fields++] = (char *)(uintptr_t)key; /* only read */
    }
    if (s->fields == 0)
        return heed__error(err, HEED_EFORMAT, "%s:%lld: an object without keys", s->name,
                           (long long)heed__input_line_number(s->in));
    const int rc = heed__columns_choose(s, s->field, s->fields, true, err);
    s->begun = rc > 0;
    return rc < 0 ? rc : 0;
}

/* Joins the values of the columns' keys in `to`. */
static int json_text(heed_dataset_stream *s, const json_t *object, const heed_columns *columns,
                     heed_buffer *to, heed_error *err) {
    const int64_t line = heed__input_line_number(s->in);
    to->len = 0;
    for (int i = 0; i < columns->n; i++) {
        const char *name = columns->name[i];
        const json_t *value = json_object_get(object, name);
        if (!value) return heed__dataset_wrong(s, line, "the object has no '%.80s'", name);
        if (!json_is_string(value))
            return heed__dataset_wrong(s, line, "'%.80s' is %s, not a text", name, kind_of(value));
        if ((i && heed__buffer_add(&s->hooks, to, " ", 1)) ||
            heed__buffer_add(&s->hooks, to, json_string_value(value), json_string_length(value)))
            return heed__dataset_no_memory(s, err);
    }
    return HEED_STEP_ONE;
}

/* Appends the text of a label to s->record and ends it with a zero byte. */
static int json_label(heed_dataset_stream *s, const json_t *value, heed_error *err) {
    char number[HEED_NUMBER_SIZE];
    const char *text = number;
    if (json_is_string(value))
        text = json_string_value(value);
    else if (json_is_integer(value))
        heed__format(number, sizeof number, "%lld", (long long)json_integer_value(value));
    else if (json_is_real(value))
        heed__double_text(json_real_value(value), number);
    else if (json_is_boolean(value))
        text = json_is_true(value) ? "true" : "false";
    else
        return heed__dataset_wrong(s, heed__input_line_number(s->in), "a label is %s",
                                   kind_of(value));
    if (heed__buffer_add(&s->hooks, &s->record, text, strlen(text) + 1))
        return heed__dataset_no_memory(s, err);
    return HEED_STEP_ONE;
}

static int json_labels(heed_dataset_stream *s, const json_t *object, heed_error *err) {
    const int64_t line = heed__input_line_number(s->in);
    const json_t *value = s->label.n ? json_object_get(object, s->label.name[0]) : NULL;
    int rc = HEED_STEP_ONE;
    s->record.len = 0;
    if (!value || json_is_null(value)) return heed__dataset_labelled(s, line);
    if (!json_is_array(value)) rc = json_label(s, value, err);
    for (size_t i = 0; rc == HEED_STEP_ONE && i < json_array_size(value); i++)
        rc = json_label(s, json_array_get(value, i), err);
    if (rc != HEED_STEP_ONE) return rc;
    if (s->record.len == 0) return heed__dataset_emptied(s, line);
    for (char *at = s->record.bytes; rc == HEED_STEP_ONE && at < s->record.bytes + s->record.len;) {
        char *next = at + strlen(at) + 1;
        rc = heed__dataset_label(s, at, line, err);
        at = next;
    }
    return rc;
}

static int take(heed_dataset_stream *s, json_t *object, heed_error *err) {
    const int64_t line = heed__input_line_number(s->in);
    if (!json_is_object(object))
        return heed__dataset_wrong(s, line, "%s, not an object", kind_of(object));
    int rc = s->begun ? 0 : choose(s, object, err);
    if (rc) return rc;
    rc = json_text(s, object, &s->text, &s->joined, err);
    if (rc == HEED_STEP_ONE && s->text2.n) rc = json_text(s, object, &s->text2, &s->joined2, err);
    if (rc == HEED_STEP_ONE) rc = json_labels(s, object, err);
    s->e.text = s->joined.bytes;
    s->e.text2 = s->text2.n ? s->joined2.bytes : NULL;
    s->e.line = line;
    return rc;
}

static int next_object(heed_dataset_stream *s, heed_error *err) {
    char *line;
    size_t size;
    int rc;
    do rc = heed__dataset_line(s, &line, &size, err);
    while (rc == HEED_STEP_ONE && strspn(line, " \t") == size);
    if (rc != HEED_STEP_ONE) return rc;
    heed_error e;
    json_t *tree = heed__json_parse(line, size, "", &e);
    if (tree) {
        rc = take(s, tree, err);
        json_decref(tree);
        return rc;
    }
    if (e.code == HEED_ENOMEM) return heed__dataset_no_memory(s, err);
    const char *place = strchr(e.msg + 1, ':'); /* ":1:COLUMN: what" */
    const char *why = place ? strchr(place + 1, ' ') : NULL;
    if (!why) why = e.msg;
    const int digits = place ? (int)strspn(place + 1, "0123456789") : 0;
    return heed__dataset_wrong(s, heed__input_line_number(s->in), "column %.*s: %.200s", digits,
                               place ? place + 1 : "", *why == ' ' ? why + 1 : why);
}

const heed_dataset_reader heed__reader_jsonl = { .name = "JSON lines", .next = next_object };

/* -- fastText --------------------------------------------------------------------------------- */

static const char prefix[] = "__label__";

static bool is_space(char c) {
    return c == ' ' || c == '\t' || c == '\v' || c == '\f' || c == '\r';
}

/* Takes the words with the prefix out of the line, wherever they stand; the rest is the text. */
static int next_words(heed_dataset_stream *s, heed_error *err) {
    char *line;
    size_t size;
    int rc;
    do rc = heed__dataset_line(s, &line, &size, err);
    while (rc == HEED_STEP_ONE && size == 0);
    if (rc != HEED_STEP_ONE) return rc;
    const int64_t number = heed__input_line_number(s->in);
    const size_t skip = sizeof prefix - 1;
    s->record.len = 0;
    if (heed__buffer_add(&s->hooks, &s->record, line, size)) return heed__dataset_no_memory(s, err);
    char *text = s->record.bytes, *to = text; /* text holds what is not a label, line the labels */
    for (char *at = line; *at;) {
        size_t gap = 0, word;
        while (is_space(at[gap])) gap++;
        for (word = 0; at[gap + word] && !is_space(at[gap + word]);) word++;
        const bool label = word >= skip && memcmp(at + gap, prefix, skip) == 0;
        if (!label) memcpy(to, at, gap + word), to += gap + word;
        char *const next = at + gap + word + (at[gap + word] ? 1 : 0);
        if (label) {
            at[gap + word] = 0;
            rc = heed__dataset_label(s, at + gap + skip, number, err);
            if (rc != HEED_STEP_ONE) return rc;
        } else if (next > at + gap + word) {
            *to++ = at[gap + word];
        }
        at = next;
    }
    while (to > text && is_space(to[-1])) to--;
    *to = 0;
    while (is_space(*text)) text++;
    s->e.text = text;
    s->e.line = number;
    return heed__dataset_emptied(s, number);
}

const heed_dataset_reader heed__reader_fasttext = { .name = "fastText's __label__ lines",
                                                    .next = next_words };
