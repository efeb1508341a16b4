/* dataset_columns.c: which column of a table, or value of an object, is text and which is label: as
 * the caller says, by well-known names, or since no other is left. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "io/dataset_impl.h"

static const char *const text_names[] = {
    "text",    "sentence", "message",   "review", "question", "comment",      "title",
    "content", "body",     "utterance", "tweet",  "query",    "comment_text", "headline",
    "文本",    "句子",     "评论",      "内容",   "标题",     "正文",         "问题",
};
static const char *const label_names[] = {
    "label",  "intent", "category", "class",  "sentiment", "topic", "polarity",
    "target", "labels", "score",    "rating", "stars",     "标签",  "类别",
    "分类",   "意图",   "情感",     "评分",   "分数",
};
static const char *const pair_names[][2] = {
    { "question", "answer" },    { "question", "reply" },       { "prompt", "reply" },
    { "prompt", "response" },    { "instruction", "response" }, { "query", "document" },
    { "query", "passage" },      { "query", "text" },           { "sentence1", "sentence2" },
    { "premise", "hypothesis" }, { "text1", "text2" },          { "text_a", "text_b" },
    { "text", "text2" },         { "anchor", "positive" },      { "source", "target" },
};

#define COUNT(list) (sizeof(list) / sizeof *(list))

static char lower(char c) {
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static bool same(const char *a, size_t size, const char *name) {
    size_t i = 0;
    while (i < size && name[i] && lower(a[i]) == name[i]) i++;
    return i == size && !name[i];
}

bool heed__is_text_name(const char *name, size_t size) {
    for (size_t i = 0; i < COUNT(text_names); i++)
        if (same(name, size, text_names[i])) return true;
    return false;
}

/* -- finding ---------------------------------------------------------------------------------- */

typedef struct chooser {
    heed_dataset_stream *s;
    char *const *field;
    int n;
    bool names;   /* of an object: no numbers, no headerless reading */
    bool numbers; /* a column was chosen by its number: there is no header */
    bool taken[HEED_COLUMNS_MOST];
    heed_error *err;
} chooser;

static int find_guess(const chooser *c, const char *name) {
    for (int i = 0; i < c->n; i++)
        if (!c->taken[i] && same(c->field[i], strlen(c->field[i]), name)) return i;
    return -1;
}

static int guess(const chooser *c, const char *const *names, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const int at = find_guess(c, names[i]);
        if (at >= 0) return at;
    }
    return -1;
}

static void add(chooser *c, heed_columns *to, int at) {
    to->at[to->n++] = at;
    c->taken[at] = true;
}

/* "a, b, c" of the columns, as far as there is room: "a, b, ..." */
static const char *list(const chooser *c, char *room, size_t size) {
    enum { REST = sizeof ", ..." };
    size_t len = 0;
    room[0] = 0;
    for (int i = 0; i < c->n; i++) {
        char each[64];
        const size_t more = heed__format(each, sizeof each, "%s%.40s", i ? ", " : "", c->field[i]);
        const size_t need = len + more + (i + 1 < c->n ? REST : 1);
        if (need > size) {
            heed__format(room + len, size - len, "%s...", i ? ", " : "");
            break;
        }
        len += heed__format(room + len, size - len, "%s", each);
    }
    return room;
}

static int missing(const chooser *c, const char *what, const char *name, size_t size) {
    char room[160];
    return heed__error(c->err, HEED_ENOTFOUND, "%.160s:%lld: %s '%.*s' for the %s; it has: %s",
                       c->s->name, (long long)heed__input_line_number(c->s->in),
                       c->names ? "the object has no" : "the header has no column",
                       (int)(size < 80 ? size : 80), name, what, list(c, room, sizeof room));
}

static int unclear(const chooser *c, const char *what) {
    char room[160];
    return heed__error(c->err, HEED_ENOTFOUND,
                       "%.160s:%lld: which of %d columns (%s) is the %s? Say --%s", c->s->name,
                       (long long)heed__input_line_number(c->s->in), c->n,
                       list(c, room, sizeof room), what, what);
}

/* The column with that very name; -1: none; a status: two of them. */
static int find(const chooser *c, const char *name, size_t size) {
    int found = -1;
    for (int i = 0; i < c->n; i++) {
        if (strlen(c->field[i]) != size || memcmp(c->field[i], name, size) != 0) continue;
        if (found >= 0)
            return heed__error(
                c->err, HEED_EFORMAT, "%.160s:%lld: two columns have the name '%.*s'", c->s->name,
                (long long)heed__input_line_number(c->s->in), (int)(size < 80 ? size : 80), name);
        found = i;
    }
    return found;
}

/* One of the names or numbers that the caller chose. */
static int named(chooser *c, heed_columns *to, const char *what, const char *name, size_t size) {
    int64_t number;
    int at = find(c, name, size);
    if (at < -1) return at;
    if (at < 0 && !c->names && heed__parse_int(name, size, &number) && number >= 1 &&
        number <= c->n) {
        at = (int)number - 1;
        c->numbers = true;
    }
    if (at < 0 && c->s->cfg.lines_too && !c->names && c->n == 1) at = 0, c->numbers = true;
    if (at < 0) return missing(c, what, name, size);
    if (to->n == HEED_JOINED_MOST)
        return heed__error(c->err, HEED_EINVALID, "more than %d columns for the %s",
                           HEED_JOINED_MOST, what);
    add(c, to, at);
    return 0;
}

/* Columns chosen by the caller: one name, or several with commas between. */
static int chosen(chooser *c, heed_columns *to, const char *what, const char *names) {
    if (!names) return 0;
    const int whole = find(c, names, strlen(names));
    if (whole < -1) return whole;
    if (whole >= 0 || !strchr(names, ',')) return named(c, to, what, names, strlen(names));
    for (const char *at = names;; at++) {
        const size_t size = strcspn(at, ",");
        const int rc = named(c, to, what, at, size);
        if (rc || !at[size]) return rc;
        at += size;
    }
}

/* -- choosing --------------------------------------------------------------------------------- */

static void guess_pair(chooser *c, heed_columns *text, heed_columns *text2) {
    for (size_t i = 0; i < COUNT(pair_names); i++) {
        const int a = text->n ? text->at[0] : find_guess(c, pair_names[i][0]);
        const int b = find_guess(c, pair_names[i][1]);
        if (a < 0 || b < 0 || a == b) continue;
        if (!text->n) add(c, text, a);
        add(c, text2, b);
        return;
    }
}

/* The one column that is not taken yet, -1: none or several. */
static int last_left(const chooser *c) {
    int left = -1, count = 0;
    for (int i = 0; i < c->n; i++)
        if (!c->taken[i]) left = i, count++;
    return count == 1 ? left : -1;
}

/* Fills what the caller left open, once it is clear that the first record is a header. */
static int complete(chooser *c) {
    heed_dataset_stream *s = c->s;
    if (!s->text.n && !s->cfg.label_only) {
        int at = guess(c, text_names, COUNT(text_names));
        if (at < 0) at = last_left(c);
        if (at < 0) return c->n == 1 ? missing(c, "text", "text", 4) : unclear(c, "text");
        add(c, &s->text, at);
    }
    if (s->cfg.pairs && !s->text2.n) {
        const int at = last_left(c);
        if (at < 0) return unclear(c, "text2");
        add(c, &s->text2, at);
    }
    if (!s->label.n) {
        int at = guess(c, label_names, COUNT(label_names));
        if (at < 0 && !s->cfg.text_only) at = last_left(c);
        if (at < 0 && !s->cfg.text_only)
            return c->n == 1 ? missing(c, "label", "label", 5) : unclear(c, "label");
        if (at >= 0) add(c, &s->label, at);
    }
    return 0;
}

/* Whether the first record can only be names, seen from them alone. */
static bool looks_like_names(chooser *c) {
    const heed_dataset_stream *s = c->s;
    const int text = s->text.n ? s->text.at[0] : guess(c, text_names, COUNT(text_names));
    const int label = guess(c, label_names, COUNT(label_names));
    if (s->text2.n || (s->cfg.label_only && label >= 0)) return true;
    if (text >= 0 && (label >= 0 || s->cfg.text_only)) return true;
    if (c->n >= 3 && (text >= 0 || label >= 0)) return true;
    return c->n == 2 && (find_guess(c, "text") >= 0 || find_guess(c, "label") >= 0);
}

/* Records without names: label, text and text2 as far as they are needed. */
static int by_place(chooser *c) {
    heed_dataset_stream *s = c->s;
    if (s->cfg.label_only && c->n > 1) return unclear(c, "label");
    if (s->cfg.label_only) return add(c, &s->label, 0), 0;
    const int texts = s->cfg.pairs ? 2 : 1;
    if (c->n > texts + 1 || c->n < texts) return unclear(c, "text");
    const int first = c->n - texts;
    if (first) add(c, &s->label, 0);
    add(c, &s->text, first);
    if (texts == 2) add(c, &s->text2, first + 1);
    return 0;
}

/* With numbers for some columns: the others only where they are clear. */
static int by_number(chooser *c) {
    heed_dataset_stream *s = c->s;
    const bool texts = !s->cfg.label_only;
    if (texts && !s->text.n && last_left(c) >= 0) add(c, &s->text, last_left(c));
    if (texts && !s->text.n) return unclear(c, "text");
    if (s->cfg.pairs && !s->text2.n && last_left(c) >= 0) add(c, &s->text2, last_left(c));
    if (s->cfg.pairs && !s->text2.n) return unclear(c, "text2");
    if (!s->label.n && !s->cfg.text_only && last_left(c) >= 0) add(c, &s->label, last_left(c));
    return s->label.n || s->cfg.text_only ? 0 : unclear(c, "label");
}

/* -- telling ---------------------------------------------------------------------------------- */

static int keep_names(chooser *c, heed_columns *columns) {
    for (int i = 0; i < columns->n; i++) {
        const char *name = c->field[columns->at[i]];
        const size_t size = strlen(name) + 1;
        const int alone = find(c, name, size - 1);
        if (alone < -1) return alone; /* which of the two was meant? */
        char *copy = heed__arena_alloc(&c->s->kept, size);
        if (!copy) return heed__dataset_no_memory(c->s, c->err);
        columns->name[i] = memcpy(copy, name, size);
    }
    return 0;
}

/* Adds "; text from columns 'title' and 'body'" to how. */
static void tell(heed_dataset_stream *s, const char *what, const heed_columns *columns) {
    if (!columns->n) return;
    size_t len = strlen(s->how);
    len += heed__format(s->how + len, sizeof s->how - len, "%s%s from %s%s",
                        strcmp(what, "text") == 0 ? "; " : ", ", what,
                        s->reader == &heed__reader_jsonl ? "key" : "column",
                        columns->n > 1 ? "s" : "");
    for (int i = 0; i < columns->n; i++) {
        const char *before = i == 0 ? " " : i + 1 == columns->n ? " and " : ", ";
        if (columns->name[i])
            len += heed__format(s->how + len, sizeof s->how - len, "%s'%.32s'", before,
                                columns->name[i]);
        else
            len += heed__format(s->how + len, sizeof s->how - len, "%s%d", before,
                                columns->at[i] + 1);
    }
}

/* What two parts of an example are both taken from tells nothing, or all. 0 or a status. */
static int check_apart(const heed_dataset_stream *s, heed_error *err) {
    const char *second = s->cfg.context ? "context" : "text2";
    const struct {
        const heed_columns *a, *b;
        const char *a_name, *b_name;
    } parts[] = { { &s->text, &s->label, "text", "label" },
                  { &s->text2, &s->label, second, "label" },
                  { &s->text, &s->text2, "text", second } };
    for (size_t k = 0; k < COUNT(parts); k++)
        for (int i = 0; i < parts[k].a->n; i++)
            for (int j = 0; j < parts[k].b->n; j++)
                if (parts[k].a->at[i] == parts[k].b->at[j])
                    return heed__error(err, HEED_EINVALID, "%.300s: column %d is both %s and %s",
                                       s->name, parts[k].a->at[i] + 1, parts[k].a_name,
                                       parts[k].b_name);
    return 0;
}

static int choose(heed_dataset_stream *s, char *const *field, int n, bool names, heed_error *err) {
    chooser c = { .s = s, .field = field, .n = n, .names = names, .err = err };
    s->columns = n;
    int rc = chosen(&c, &s->text, "text", s->cfg.text);
    if (!rc) rc = chosen(&c, &s->text2, s->cfg.context ? "context" : "text2", s->cfg.text2);
    if (!rc) rc = chosen(&c, &s->label, "label", s->cfg.label);
    if (rc) return rc;
    if (s->label.n > 1)
        return heed__error(err, HEED_EINVALID, "the label comes from one column, not from '%.80s'",
                           s->cfg.label);
    const bool any = s->text.n || s->text2.n || s->label.n;
    if (s->cfg.pairs && !s->text2.n && !c.numbers) guess_pair(&c, &s->text, &s->text2);
    const bool header = names || (!c.numbers && (any || looks_like_names(&c)));
    if (header)
        rc = complete(&c);
    else
        rc = c.numbers ? by_number(&c) : by_place(&c);
    if (!rc && header) rc = keep_names(&c, &s->text);
    if (!rc && header) rc = keep_names(&c, &s->text2);
    if (!rc && header) rc = keep_names(&c, &s->label);
    if (!rc) rc = check_apart(s, err);
    if (rc) return rc;
    heed__format(s->how, sizeof s->how, "%s", s->reader->name);
    const size_t len = strlen(s->how);
    if (header || c.numbers) {
        tell(s, "text", &s->text);
        tell(s, "text2", &s->text2);
        tell(s, "label", &s->label);
    } else {
        heed__format(s->how + len, sizeof s->how - len, "; no header: %s%s",
                     s->cfg.label_only ? "labels alone"
                     : s->label.n      ? "label, then text"
                                       : "each line a text",
                     s->text2.n ? " and second text" : "");
    }
    return header ? HEED_STEP_ONE : HEED_STEP_END;
}

/* Where the record that should have decided was wrong itself, that is what is wrong. */
int heed__columns_choose(heed_dataset_stream *s, char *const *field, int n, bool names,
                         heed_error *err) {
    const int rc = choose(s, field, n, names, err);
    if (rc >= 0 || rc == HEED_ENOMEM || !s->problems->count) return rc;
    return heed__dataset_problems(s->problems, err);
}

/* -- taking ----------------------------------------------------------------------------------- */

static const char *joined(heed_dataset_stream *s, const heed_columns *columns, heed_buffer *to) {
    if (columns->n == 1) return s->field[columns->at[0]];
    to->len = 0;
    for (int i = 0; i < columns->n; i++) {
        const char *part = s->field[columns->at[i]];
        if (i && heed__buffer_add(&s->hooks, to, " ", 1)) return NULL;
        if (heed__buffer_add(&s->hooks, to, part, strlen(part))) return NULL;
    }
    return to->bytes;
}

/* A record as wide as none before it; what it was cut at tells who did not think of columns. */
static int wrong_width(heed_dataset_stream *s, int64_t line) {
    const char *more = s->fields == 1 ? "" : "s";
    if (!s->delimiter)
        return heed__dataset_wrong(s, line, "%d column%s where there should be %d", s->fields, more,
                                   s->columns);
    return heed__dataset_wrong(s, line, "%d column%s where there should be %d, cut at each '%c'",
                               s->fields, more, s->columns, s->delimiter);
}

static int take_label(heed_dataset_stream *s, int64_t line, heed_error *err) {
    char *label = s->field[s->label.at[0]];
    return label[0] || !s->cfg.no_labels ? heed__dataset_label(s, label, line, err)
                                         : HEED_STEP_ONE;
}

int heed__columns_take(heed_dataset_stream *s, int64_t line, heed_error *err) {
    if (s->fields != s->columns) return wrong_width(s, line);
    s->e = (heed_example){ .line = line, .text = "" };
    if (s->cfg.label_only) return take_label(s, line, err);
    s->e.text = joined(s, &s->text, &s->joined);
    if (s->text2.n) s->e.text2 = joined(s, &s->text2, &s->joined2);
    if (!s->e.text || (s->text2.n && !s->e.text2)) return heed__dataset_no_memory(s, err);
    if (!s->label.n && !s->cfg.text_only)
        return heed__dataset_wrong(s, line,
                                   s->text2.n ? "no label: the two columns are the pair's texts"
                                              : "no label: one column only");
    if (!s->label.n) return HEED_STEP_ONE;
    return take_label(s, line, err);
}
