/* dataset.c: a stream of labelled texts: opened, its form guessed, walked, its problems gathered.
 */
#include "io/dataset.h"

#include <string.h>
#include <sys/stat.h>

#include "base/text.h"
#include "io/dataset_impl.h"

/* -- problems --------------------------------------------------------------------------------- */

int heed__dataset_wrong(heed_dataset_stream *s, int64_t line, const char *format, ...) {
    heed_problems *p = s->problems;
    if (p->count == HEED_PROBLEMS) return HEED_STEP_WRONG;
    char *to = p->text[p->count++];
    const size_t len = heed__format(to, HEED_PROBLEM_SIZE, "%.200s:%lld: ", s->name,
                                    (long long)line);
    va_list args;
    va_start(args, format);
    heed__vformat(to + len, HEED_PROBLEM_SIZE - len, format, args);
    va_end(args);
    heed__text_tidy(to);
    return HEED_STEP_WRONG;
}

int heed__dataset_no_memory(const heed_dataset_stream *s, heed_error *err) {
    return heed__error(err, HEED_ENOMEM, "%s: out of memory", s->name);
}

int heed__dataset_problems(const heed_problems *p, heed_error *err) {
    const int64_t more = p->count - 1;
    if (p->count == 0) return 0;
    if (more == 0) return heed__error(err, HEED_EFORMAT, "%s", p->text[0]);
    return heed__error(err, HEED_EFORMAT, "%s (and %s%lld more %s wrong)", p->text[0],
                       p->count == HEED_PROBLEMS ? "at least " : "", (long long)more,
                       more == 1 ? "line is" : "lines are");
}

/* -- what the forms share --------------------------------------------------------------------- */

int heed__buffer_add(const heed_hooks *hooks, heed_buffer *b, const char *bytes, size_t size) {
    const int rc = heed__grow(hooks, &b->bytes, &b->cap, b->len + (int64_t)size + 1, 1);
    if (rc) return rc;
    memcpy(b->bytes + b->len, bytes, size);
    b->len += (int64_t)size;
    b->bytes[b->len] = 0;
    return 0;
}

/* Whether text looks like Chinese in GB18030: all but ASCII are pairs of its commonest bytes. */
static bool looks_like_gb18030(const char *text, size_t size) {
    size_t pairs = 0;
    for (size_t i = 0; i < size; i++) {
        if ((unsigned char)text[i] < 0x80) continue;
        if (i + 1 == size || (unsigned char)text[i] < 0xa1 || (unsigned char)text[i + 1] < 0xa1)
            return false;
        pairs++;
        i++;
    }
    return pairs >= 2;
}

const char *heed__text_wrong(const char *text, size_t size, char *room, size_t room_size) {
    if (memchr(text, 0, size)) return "a zero byte";
    const size_t at = heed__utf8_check(text, size);
    if (at == size) return NULL;
    const bool chinese = looks_like_gb18030(text, size);
    heed__format(room, room_size,
                 chinese ? "not UTF-8 (byte %zu is 0x%02x); `iconv -f GB18030 -t UTF-8` may help"
                         : "not UTF-8 (byte %zu is 0x%02x)",
                 at + 1, (unsigned char)text[at]);
    return room;
}

int heed__dataset_line(heed_dataset_stream *s, char **line, size_t *size, heed_error *err) {
    const int got = heed__input_line(s->in, line, size, err);
    if (got < 0 || got == HEED_LINE_NONE) return got;
    const int64_t number = heed__input_line_number(s->in);
    if (got == HEED_LINE_LONG)
        return heed__dataset_wrong(s, number, "a line of more than %d MB", HEED_LINE_MOST >> 20);
    char room[96];
    const char *wrong = heed__text_wrong(*line, *size, room, sizeof room);
    return wrong ? heed__dataset_wrong(s, number, "%s", wrong) : HEED_STEP_ONE;
}

static int add_label(heed_dataset_stream *s, char *label, int64_t line, heed_error *err) {
    if (!label[0]) return heed__dataset_wrong(s, line, "the label is empty");
    if (heed__control_at(label, strlen(label)) < strlen(label))
        return heed__dataset_wrong(s, line, "the label holds a control character");
    const int64_t n = s->e.labels;
    if (heed__grow(&s->hooks, &s->labels, &s->label_cap, n + 1, sizeof *s->labels))
        return heed__dataset_no_memory(s, err);
    s->labels[s->e.labels++] = label;
    s->e.label = s->labels;
    return HEED_STEP_ONE;
}

int heed__dataset_label(heed_dataset_stream *s, char *label, int64_t line, heed_error *err) {
    const char *sep = s->cfg.label_sep;
    if (!sep || !*label) {
        if (*label || !s->cfg.text_only) return add_label(s, label, line, err);
        return HEED_STEP_ONE;
    }
    for (char *at = label; at;) {
        char *next = strstr(at, sep);
        if (next) *next = 0, next += strlen(sep);
        while (*at == ' ') at++;
        for (size_t n = strlen(at); n && at[n - 1] == ' ';) at[--n] = 0;
        const int rc = add_label(s, at, line, err);
        if (rc != HEED_STEP_ONE) return rc;
        at = next;
    }
    return HEED_STEP_ONE;
}

int heed__dataset_labelled(heed_dataset_stream *s, int64_t line) {
    if (s->e.labels || s->cfg.text_only) return HEED_STEP_ONE;
    return heed__dataset_wrong(s, line, "no label");
}

int heed__dataset_emptied(heed_dataset_stream *s, int64_t line) {
    if (s->e.labels || s->cfg.text_only || s->cfg.no_labels) return HEED_STEP_ONE;
    return heed__dataset_wrong(
        s, line, "no label; a text may have none only where texts have several (train --several)");
}

/* -- the form --------------------------------------------------------------------------------- */

static bool ends_with(const char *text, size_t size, const char *end) {
    const size_t n = strlen(end);
    return size >= n && memcmp(text + size - n, end, n) == 0;
}

/* Whether a line is a CSV header: a column of a well-known name or the one that was asked for. */
static bool csv_header(const char *line, size_t size, const char *column) {
    size_t begin = 0, parts = 0;
    bool known = false;
    for (size_t i = 0; i <= size; i++) {
        if (i < size && line[i] != ',' && line[i] != ';') continue;
        size_t a = begin, b = i;
        if (b - a >= 2 && line[a] == '"' && line[b - 1] == '"') a++, b--;
        known |= heed__is_text_name(line + a, b - a) ||
                 (column && strlen(column) == b - a && memcmp(column, line + a, b - a) == 0);
        begin = i + 1;
        parts++;
    }
    return known && parts > 1;
}

/* Whether a line has a comma or semicolon outside of quotes. */
static bool has_fields(const char *line, size_t size) {
    bool quoted = false;
    for (size_t i = 0; i < size; i++) {
        if (line[i] == '"') quoted = !quoted;
        if (!quoted && (line[i] == ',' || line[i] == ';')) return true;
    }
    return false;
}

/* A name's size without the end that tells how the file is packed. */
static size_t unpacked(const char *name) {
    size_t n = strlen(name);
    if (ends_with(name, n, ".gz")) n -= 3;
    if (ends_with(name, n, ".zst")) n -= 4;
    return n;
}

/* The form that a name tells, or NULL. */
static const heed_dataset_reader *named(const char *name) {
    const size_t n = unpacked(name);
    if (ends_with(name, n, ".csv")) return &heed__reader_csv;
    if (ends_with(name, n, ".jsonl") || ends_with(name, n, ".ndjson") ||
        ends_with(name, n, ".json"))
        return &heed__reader_jsonl;
    if (ends_with(name, n, ".tsv") || ends_with(name, n, ".tab")) return &heed__reader_tsv;
    return NULL;
}

bool heed__dataset_named(const char *name) {
    return named(name) != NULL;
}

const heed_dataset_reader *heed__dataset_guess(const char *name, const char *line, size_t size,
                                               const char *text_column, bool text_only) {
    const heed_dataset_reader *told = named(name);
    if (told && told != &heed__reader_tsv) return told;
    if (size >= 9 && memcmp(line, "__label__", 9) == 0) return &heed__reader_fasttext;
    if (told) return told;
    if (size >= 2 && line[0] == '{' && memchr(line, '"', size)) return &heed__reader_jsonl;
    if (memchr(line, '\t', size)) return &heed__reader_tsv;
    if (csv_header(line, size, text_column)) return &heed__reader_csv;
    /* where a label is needed, a line without a tab is no tab-separated one */
    return !text_only && has_fields(line, size) ? &heed__reader_csv : &heed__reader_tsv;
}

bool heed__conll_named(const char *name) {
    const size_t n = unpacked(name);
    return ends_with(name, n, ".conll") || ends_with(name, n, ".iob") ||
           ends_with(name, n, ".bio") || ends_with(name, n, ".bioes");
}

/* Sets the form from cfg or from the first line that is not empty. */
static int choose_form(heed_dataset_stream *s, heed_error *err) {
    static const heed_dataset_reader *const forms[] = {
        [HEED_DATASET_TSV] = &heed__reader_tsv,
        [HEED_DATASET_CSV] = &heed__reader_csv,
        [HEED_DATASET_JSONL] = &heed__reader_jsonl,
        [HEED_DATASET_FASTTEXT] = &heed__reader_fasttext,
    };
    const char *bytes;
    size_t size, begin = 0;
    const int rc = heed__input_peek(s->in, &bytes, &size, err);
    if (rc) return rc;
    if (size >= 4 &&
        (memcmp(bytes, "\xff\xfe\0\0", 4) == 0 || memcmp(bytes, "\0\0\xfe\xff", 4) == 0))
        return heed__error(err, HEED_EFORMAT,
                           "%.300s:1: UTF-32, not UTF-8; `iconv -f UTF-32 -t UTF-8` converts it",
                           s->name);
    if (size >= 2 && (memcmp(bytes, "\xff\xfe", 2) == 0 || memcmp(bytes, "\xfe\xff", 2) == 0))
        return heed__error(err, HEED_EFORMAT,
                           "%.300s:1: UTF-16, not UTF-8; `iconv -f UTF-16 -t UTF-8` converts it",
                           s->name);
    if (size >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0) begin = 3;
    while (begin < size && (bytes[begin] == '\n' || bytes[begin] == '\r')) begin++;
    const char *end = size > begin ? memchr(bytes + begin, '\n', size - begin) : NULL;
    size_t len = end ? (size_t)(end - bytes) - begin : size - begin;
    if (len && bytes[begin + len - 1] == '\r') len--;
    s->reader = s->cfg.form ? forms[s->cfg.form]
                            : heed__dataset_guess(s->name, bytes + begin, len, s->cfg.text,
                                                  s->cfg.text_only || s->cfg.label_only);
    if (s->cfg.label_only && s->reader != &heed__reader_tsv && s->reader != &heed__reader_csv)
        return heed__error(err, HEED_EUNSUPPORTED,
                           "%.300s: labels without texts are read from tables", s->name);
    if (!s->cfg.form && heed__conll_named(s->name))
        return heed__error(err, HEED_EFORMAT,
                           "%.300s: columns of tagged tokens by its name, not labelled texts",
                           s->name);
    if (s->reader == &heed__reader_jsonl && begin < size && bytes[begin] == '[')
        return heed__error(err, HEED_EFORMAT,
                           "%.300s:1: one JSON list; JSON lines are read, an object a line "
                           "(`jq -c '.[]'` makes them)",
                           s->name);
    heed__format(s->how, sizeof s->how, "%s", s->reader->name);
    return 0;
}

/* -- open, next, close ------------------------------------------------------------------------ */

static heed_dataset_stream *make(const char *name, const heed_dataset_cfg *cfg, heed_error *err) {
    if (cfg->label_sep && !*cfg->label_sep) {
        heed__error(err, HEED_EINVALID, "labels cannot be cut at an empty text");
        return NULL;
    }
    heed_dataset_stream *s = heed__calloc(cfg->hooks, 1, sizeof *s);
    if (s) {
        s->cfg = *cfg;
        if (cfg->hooks) s->hooks = *cfg->hooks;
        s->cfg.hooks = &s->hooks;
        heed__arena_init(&s->kept, &s->hooks);
        s->problems = cfg->problems ? cfg->problems : &s->mine;
        s->problems->count = 0;
        s->name = heed__strdup(&s->hooks, strcmp(name, "-") == 0 ? "standard input" : name);
    }
    if (s && s->name) return s;
    heed__dataset_close(s);
    heed__error(err, HEED_ENOMEM, "%s: out of memory", name);
    return NULL;
}

static bool is_folder(const char *path) {
    struct stat st;
    return strcmp(path, "-") != 0 && stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

heed_dataset_stream *heed__dataset_open(const char *path, const heed_dataset_cfg *cfg,
                                        heed_error *err) {
    heed_dataset_stream *s = make(path, cfg, err);
    if (!s) return NULL;
    int rc = 0;
    if (cfg->form == HEED_DATASET_FOLDER || (!cfg->form && is_folder(path))) {
        s->reader = &heed__reader_folder;
        rc = heed__folder_open(s, err);
    } else {
        s->in = heed__input_open(path, &s->hooks, err);
        rc = s->in ? choose_form(s, err) : -1;
    }
    if (rc == 0) return s;
    heed__dataset_close(s);
    return NULL;
}

heed_dataset_stream *heed__dataset_from(const char *bytes, size_t size, const char *name,
                                        const heed_dataset_cfg *cfg, heed_error *err) {
    heed_dataset_stream *s = make(name, cfg, err);
    if (!s) return NULL;
    s->in = heed__input_from(bytes, size, name, &s->hooks, err);
    if (s->in && choose_form(s, err) == 0) return s;
    heed__dataset_close(s);
    return NULL;
}

int heed__dataset_next(heed_dataset_stream *s, heed_example *e, heed_error *err) {
    for (;;) {
        s->e = (heed_example){ 0 };
        const int rc = s->reader->next(s, err);
        if (rc < 0) return rc;
        if (s->problems->count && (rc == HEED_STEP_END || s->problems->count == HEED_PROBLEMS))
            return heed__dataset_problems(s->problems, err);
        if (rc == HEED_STEP_END) return 0;
        if (s->problems->count) continue;
        *e = s->e;
        return 1;
    }
}

void heed__dataset_close(heed_dataset_stream *s) {
    if (!s) return;
    if (s->reader && s->reader->close) s->reader->close(s);
    heed__input_close(s->in);
    heed__arena_free(&s->kept);
    heed__free(&s->hooks, s->record.bytes);
    heed__free(&s->hooks, s->joined.bytes);
    heed__free(&s->hooks, s->joined2.bytes);
    heed__free(&s->hooks, s->field);
    heed__free(&s->hooks, s->labels);
    heed__free(&s->hooks, s->name);
    const heed_hooks hooks = s->hooks;
    heed__free(&hooks, s);
}

bool heed__dataset_ready(const heed_dataset_stream *s) {
    return !s->in || heed__input_line_ready(s->in);
}

const char *heed__dataset_how(const heed_dataset_stream *s) {
    return s->how;
}

bool heed__dataset_placed(const heed_dataset_stream *s) {
    return (s->reader == &heed__reader_tsv || s->reader == &heed__reader_csv) && s->columns == 2 &&
           s->text.n && s->label.n && !s->text.name[0] && !s->cfg.text && !s->cfg.label;
}
