/* desk_load.c: what the desk can answer with, read from files: replies from TSV or JSONL, passages
 * from a folder of texts. */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "base/input.h"
#include "serve/desk_impl.h"

enum {
    EMBED_BATCH = 64,
    PASSAGE_MOST = 700, /* bytes; a longer paragraph is cut between sentences */
    DEPTH_MOST = 8,     /* folders within folders */
    ENTRIES_MOST = 1 << 20,
    PATH_SIZE = 4096
};

static int no_memory(heed_error *err) {
    return heed__error(err, HEED_ENOMEM, "desk: out of memory");
}

static int add(heed_desk *d, desk_entries *e, desk_entry entry, heed_error *err) {
    const char **kept[] = { &entry.intent, &entry.question, &entry.text };
    for (int i = 0; i < 3; i++)
        if (*kept[i] && !(*kept[i] = heed__strings_keep(&d->strings, *kept[i])))
            return no_memory(err);
    if (e->len == ENTRIES_MOST)
        return heed__error(err, HEED_EFORMAT, "%s: more than %d replies or passages", entry.file,
                           ENTRIES_MOST);
    if (heed__grow(&d->hooks, &e->entry, &e->cap, e->len + 1, sizeof *e->entry))
        return no_memory(err);
    e->entry[e->len++] = entry;
    return 0;
}

static const char *base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* -- replies ---------------------------------------------------------------------------------- */

typedef struct replies {
    heed_input *in;
    const char *file; /* for sources */
    int column[3];    /* of intent, question, reply in TSV; -1: none */
    bool jsonl;
} replies;

static int wrong(const replies *r, const char *what, heed_error *err) {
    return heed__error(err, HEED_EFORMAT, "%s:%lld: %s", heed__input_name(r->in),
                       (long long)heed__input_line_number(r->in), what);
}

static const char *const names[] = { "intent", "question", "reply" };

/* Columns by their names, or intent and reply where there is no header. True: it was one. */
static bool read_header(replies *r, char *line) {
    int n = 0;
    r->column[0] = r->column[1] = r->column[2] = -1;
    for (char *at = line; at; n++) {
        char *tab = strchr(at, '\t');
        if (tab) *tab = 0;
        for (int k = 0; k < 3; k++)
            if (strcmp(at, names[k]) == 0) r->column[k] = n;
        if (tab) *tab = '\t';
        at = tab ? tab + 1 : NULL;
    }
    if (r->column[2] >= 0) return true;
    r->column[0] = n > 1 ? 0 : -1;
    r->column[1] = -1;
    r->column[2] = n > 1 ? 1 : 0;
    return false;
}

static const char *or_null(const char *text) {
    return text && *text ? text : NULL;
}

static int read_tsv(heed_desk *d, const replies *r, char *line, heed_error *err) {
    const char *field[3] = { NULL, NULL, NULL };
    int n = 0;
    for (char *at = line; at; n++) {
        char *tab = strchr(at, '\t');
        if (tab) *tab = 0;
        for (int k = 0; k < 3; k++)
            if (r->column[k] == n) field[k] = at;
        at = tab ? tab + 1 : NULL;
    }
    if (!field[2] || !*field[2]) return wrong(r, "no reply", err);
    if (strlen(field[2]) > DESK_REPLY_MOST) return wrong(r, "a reply of more than 64 KiB", err);
    return add(d, &d->replies,
               (desk_entry){ .intent = or_null(field[0]),
                             .question = or_null(field[1]),
                             .text = field[2],
                             .file = r->file,
                             .line = heed__input_line_number(r->in) },
               err);
}

static int read_object(heed_desk *d, const replies *r, const char *line, size_t size,
                       heed_error *err) {
    char place[PATH_SIZE];
    heed__format(place, sizeof place, "%s:%lld", heed__input_name(r->in),
                 (long long)heed__input_line_number(r->in));
    json_t *tree = heed__json_parse(line, size, place, err);
    if (!tree) return err->code;
    const char *field[3];
    int rc = 0;
    for (int k = 0; k < 3; k++) {
        const json_t *v = json_object_get(tree, names[k]);
        field[k] = or_null(json_string_value(v));
        if (v && !json_is_null(v) && !json_is_string(v)) rc = wrong(r, "not a text", err);
        if (field[k] && strlen(field[k]) > DESK_REPLY_MOST)
            rc = wrong(r, "a text of more than 64 KiB", err);
    }
    if (rc == 0 && !field[2]) rc = wrong(r, "no \"reply\"", err);
    if (rc == 0)
        rc = add(d, &d->replies,
                 (desk_entry){ .intent = field[0],
                               .question = field[1],
                               .text = field[2],
                               .file = r->file,
                               .line = heed__input_line_number(r->in) },
                 err);
    json_decref(tree);
    return rc;
}

static int read_lines(heed_desk *d, replies *r, heed_error *err) {
    char *line;
    size_t size;
    int got, rc = 0;
    bool first = true;
    while (rc == 0 && (got = heed__input_line(r->in, &line, &size, err)) != HEED_LINE_NONE) {
        if (got < 0) return got;
        if (got == HEED_LINE_LONG) return wrong(r, "a line of more than 64 MB", err);
        if (memchr(line, 0, size) || heed__utf8_check(line, size) < size)
            return wrong(r, "not UTF-8", err);
        if (size == 0) continue;
        if (first) r->jsonl = line[0] == '{';
        const bool header = first && !r->jsonl && read_header(r, line);
        first = false;
        if (header) continue;
        rc = r->jsonl ? read_object(d, r, line, size, err) : read_tsv(d, r, line, err);
    }
    if (rc == 0 && first)
        rc = heed__error(err, HEED_EFORMAT, "%s: no reply in it", heed__input_name(r->in));
    return rc;
}

int heed__desk_load_replies(heed_desk *d, const char *path, heed_error *err) {
    replies r = { .in = heed__input_open(path, &d->hooks, err) };
    if (!r.in) return err->code;
    r.file = heed__strings_keep(&d->strings, base_name(path));
    const int rc = r.file ? read_lines(d, &r, err) : no_memory(err);
    heed__input_close(r.in);
    return rc;
}

/* -- passages --------------------------------------------------------------------------------- */

static bool blank(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static int add_passage(heed_desk *d, const char *file, const char *text, size_t begin, size_t end,
                       heed_error *err) {
    while (begin < end && blank(text[begin])) begin++;
    while (end > begin && blank(text[end - 1])) end--;
    if (begin == end || text[begin] == '#') return 0; /* a heading answers nothing */
    char *own = heed__malloc(&d->hooks, end - begin + 1);
    if (!own) return no_memory(err);
    memcpy(own, text + begin, end - begin);
    own[end - begin] = 0;
    const int rc = add(d, &d->passages,
                       (desk_entry){ .text = own, .file = file, .begin = begin, .end = end }, err);
    heed__free(&d->hooks, own);
    return rc;
}

/* Where a paragraph that begins at `at` ends: before an empty line or a heading, or after a
 * heading's own line. */
static size_t paragraph_end(const char *text, size_t size, size_t at) {
    const bool heading = text[at] == '#';
    for (;;) {
        const char *nl = memchr(text + at, '\n', size - at);
        if (!nl) return size;
        at = (size_t)(nl - text) + 1;
        size_t next = at;
        while (next < size && (text[next] == ' ' || text[next] == '\r' || text[next] == '\t'))
            next++;
        if (heading || next >= size || text[next] == '\n' || text[next] == '#') return at;
    }
}

static int cut_paragraph(heed_desk *d, const char *file, const char *text, size_t begin, size_t end,
                         heed_error *err) {
    int rc = 0;
    while (rc == 0 && end - begin > PASSAGE_MOST) {
        size_t at = begin, cut = 0;
        while (at < end && at - begin <= PASSAGE_MOST) {
            at = heed__sentence_end(text, end, at);
            if (at - begin <= PASSAGE_MOST) cut = at;
        }
        if (!cut) cut = at; /* one long sentence */
        rc = add_passage(d, file, text, begin, cut, err);
        begin = cut;
    }
    return rc || begin >= end ? rc : add_passage(d, file, text, begin, end, err);
}

static int load_file(heed_desk *d, const char *path, const char *name, heed_error *err) {
    char *text;
    size_t size;
    int rc = heed__file_read(&d->hooks, path, DESK_FILE_MOST, &text, &size, err);
    if (rc) return rc;
    const char *file = heed__strings_keep(&d->strings, name);
    if (!file) rc = no_memory(err);
    if (rc == 0 && (memchr(text, 0, size) || heed__utf8_check(text, size) < size))
        rc = heed__error(err, HEED_EFORMAT, "%s: not UTF-8", path);
    for (size_t at = 0; rc == 0 && at < size;) {
        const size_t end = paragraph_end(text, size, at);
        rc = cut_paragraph(d, file, text, at, end, err);
        at = end;
    }
    heed__free(&d->hooks, text);
    return rc;
}

static bool is_text(const char *name) {
    const char *dot = strrchr(name, '.');
    return dot && (strcmp(dot, ".md") == 0 || strcmp(dot, ".txt") == 0);
}

static int by_name(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Names in a folder in the order of their bytes; the caller's (each, and the list). */
static int list_folder(heed_desk *d, const char *path, char ***list, int64_t *len,
                       heed_error *err) {
    DIR *dir = opendir(path);
    int64_t cap = 0;
    int rc = 0;
    *list = NULL;
    *len = 0;
    if (!dir) return heed__error(err, HEED_ENOTFOUND, "%s: no folder that can be read", path);
    for (struct dirent *e; rc == 0 && (e = readdir(dir));) {
        if (e->d_name[0] == '.') continue;
        char *own = heed__strdup(&d->hooks, e->d_name);
        if (!own || heed__grow(&d->hooks, list, &cap, *len + 1, sizeof **list)) {
            heed__free(&d->hooks, own);
            rc = no_memory(err);
        } else {
            (*list)[(*len)++] = own;
        }
    }
    closedir(dir);
    if (*len) qsort(*list, (size_t)*len, sizeof **list, by_name);
    return rc;
}

/* root: bytes of the path that sources do not name. */
static int load_folder(heed_desk *d, const char *path, size_t root, int depth, heed_error *err) {
    char **list, *under = heed__malloc(&d->hooks, PATH_SIZE);
    int64_t len = 0;
    int rc = under ? list_folder(d, path, &list, &len, err) : no_memory(err);
    if (!under) return rc;
    for (int64_t i = 0; i < len; i++) {
        struct stat st;
        const size_t size = heed__format(under, PATH_SIZE, "%s/%s", path, list[i]);
        if (rc == 0 && size + 1 >= PATH_SIZE)
            rc = heed__error(err, HEED_EINVALID, "%s: too long a path", path);
        if (rc == 0 && stat(under, &st) == 0) {
            if (S_ISDIR(st.st_mode) && depth < DEPTH_MOST)
                rc = load_folder(d, under, root, depth + 1, err);
            else if (S_ISREG(st.st_mode) && is_text(list[i]))
                rc = load_file(d, under, under + root, err);
        }
        heed__free(&d->hooks, list[i]);
    }
    heed__free(&d->hooks, list);
    heed__free(&d->hooks, under);
    return rc;
}

int heed__desk_load_folder(heed_desk *d, const char *path, heed_error *err) {
    const int rc = load_folder(d, path, strlen(path) + 1, 0, err);
    if (rc == 0 && d->passages.len == 0)
        return heed__error(err, HEED_EFORMAT, "%s: no .md or .txt file with text in it", path);
    return rc;
}

/* -- shelves ---------------------------------------------------------------------------------- */

static int add_vectors(heed_desk *d, heed_shelf *s, const char *const *text, heed_error *err) {
    if (!d->mind.embedder || s->len == 0) return 0;
    s->dim = d->mind.dim;
    s->vector = heed__calloc(&d->hooks, (size_t)(s->len * s->dim), sizeof *s->vector);
    if (!s->vector) return no_memory(err);
    for (int64_t i = 0; i < s->len; i += EMBED_BATCH) {
        const int64_t n = s->len - i < EMBED_BATCH ? s->len - i : EMBED_BATCH;
        const int rc = heed__mind_embed(&d->mind, n, text + i, s->vector + i * s->dim, err);
        if (rc) return rc;
    }
    return 0;
}

int heed__desk_shelve(heed_desk *d, desk_entries *e, heed_error *err) {
    const char **text = heed__calloc(&d->hooks, (size_t)e->len, sizeof *text);
    bool asked = false;
    if (!text) return no_memory(err);
    for (int64_t i = 0; i < e->len; i++) {
        text[i] = e->entry[i].text;
        asked |= e->entry[i].question != NULL;
    }
    int rc = heed__shelf_fill(&e->texts, e->len, text, &d->hooks, err);
    if (rc == 0) rc = add_vectors(d, &e->texts, text, err);
    for (int64_t i = 0; i < e->len; i++) text[i] = e->entry[i].question ? e->entry[i].question : "";
    if (rc == 0 && asked) rc = heed__shelf_fill(&e->questions, e->len, text, &d->hooks, err);
    if (rc == 0 && asked) rc = add_vectors(d, &e->questions, text, err);
    heed__free(&d->hooks, text);
    return rc;
}

int heed__desk_learn(heed_desk *d, heed_error *err) {
    const int64_t n = d->replies.len, m = d->passages.len;
    const char **text = heed__calloc(&d->hooks, (size_t)(2 * n + m), sizeof *text);
    if (!text) return no_memory(err);
    for (int64_t i = 0; i < n; i++) {
        text[i] = d->replies.entry[i].question;
        text[n + i] = d->replies.entry[i].text;
    }
    for (int64_t i = 0; i < m; i++) text[2 * n + i] = d->passages.entry[i].text;
    const char *const *const list[] = { text };
    const int64_t len[] = { 2 * n + m };
    const int rc = heed__nouns_fill(&d->nouns, 1, list, len, &d->hooks, err);
    heed__free(&d->hooks, text);
    return rc;
}

void heed__desk_unload(const heed_hooks *hooks, desk_entries *e) {
    heed__free(hooks, e->entry);
    heed__shelf_free(&e->texts);
    heed__shelf_free(&e->questions);
    *e = (desk_entries){ 0 };
}
