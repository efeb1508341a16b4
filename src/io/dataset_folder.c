/* dataset_folder.c: a folder per label with a file per text. Folders within folders give labels
 * `a/b`; what lies beside the topmost folders, and names that begin with a point, are left out. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"
#include "io/dataset_impl.h"

enum { DEEPEST = 16, PIECE = 64 << 10 };

/* A file of a text: path within the top folder; its folder's path is the label. */
typedef struct listing {
    char **path;
    int64_t len, cap, at;
    int64_t labels, beside;
    char *label;
} listing;

static int compare(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* dir/name, or name alone where dir is empty; in s->kept. */
static char *path_of(heed_dataset_stream *s, const char *dir, const char *name) {
    const size_t size = strlen(dir) + strlen(name) + 2;
    char *path = heed__arena_alloc(&s->kept, size);
    if (path) heed__format(path, size, "%s%s%s", dir, *dir ? "/" : "", name);
    return path;
}

static int system_error(const char *path, heed_error *err) {
    return heed__error(err, errno == ENOENT ? HEED_ENOTFOUND : HEED_EIO, "%.400s: %s", path,
                       heed__errno_text(errno));
}

/* Names of a folder, sorted by their bytes, in *names; the caller frees them. */
static int names_of(heed_dataset_stream *s, const char *path, char ***names, int64_t *len,
                    heed_error *err) {
    int64_t cap = 0;
    *names = NULL;
    *len = 0;
    DIR *dir = opendir(path);
    if (!dir) return system_error(path, err);
    int rc = 0;
    for (struct dirent *d; rc == 0 && (d = readdir(dir));) {
        if (d->d_name[0] == '.') continue;
        char *copy = path_of(s, "", d->d_name);
        if (!copy || heed__grow(&s->hooks, names, &cap, *len + 1, sizeof **names))
            rc = heed__dataset_no_memory(s, err);
        else
            (*names)[(*len)++] = copy;
    }
    closedir(dir);
    if (*len) qsort(*names, (size_t)*len, sizeof **names, compare);
    return rc;
}

static int add_file(heed_dataset_stream *s, listing *l, char *path, heed_error *err) {
    if (heed__grow(&s->hooks, &l->path, &l->cap, l->len + 1, sizeof *l->path))
        return heed__dataset_no_memory(s, err);
    l->path[l->len++] = path;
    return 0;
}

/* Lists the files under `within` the top folder, one level after another. */
static int walk(heed_dataset_stream *s, listing *l, const char *within, int depth,
                heed_error *err) {
    char **names, *whole = *within ? path_of(s, s->name, within) : s->name;
    int64_t len;
    if (!whole) return heed__dataset_no_memory(s, err);
    if (depth > DEEPEST)
        return heed__error(err, HEED_EFORMAT, "%.400s: more than %d folders within each other",
                           whole, DEEPEST);
    int rc = names_of(s, whole, &names, &len, err);
    const int64_t before = l->len;
    for (int64_t i = 0; rc == 0 && i < len; i++) {
        struct stat st;
        char *path = path_of(s, within, names[i]), *file = path_of(s, whole, names[i]);
        if (!path || !file)
            rc = heed__dataset_no_memory(s, err);
        else if (stat(file, &st) != 0)
            rc = system_error(file, err);
        else if (S_ISDIR(st.st_mode))
            rc = walk(s, l, path, depth + 1, err);
        else if (!S_ISREG(st.st_mode) || !*within)
            l->beside++;
        else
            rc = add_file(s, l, path, err);
    }
    if (l->len > before && *within) l->labels++;
    heed__free(&s->hooks, names);
    return rc;
}

int heed__folder_open(heed_dataset_stream *s, heed_error *err) {
    listing *l = heed__calloc(&s->hooks, 1, sizeof *l);
    if (!l) return heed__dataset_no_memory(s, err);
    s->own = l;
    for (size_t n = strlen(s->name); n > 1 && s->name[n - 1] == '/';) s->name[--n] = 0;
    const int rc = walk(s, l, "", 0, err);
    if (rc) return rc;
    if (l->len == 0)
        return heed__error(err, HEED_EFORMAT, "%.400s: is a folder without a folder of texts in it",
                           s->name);
    qsort(l->path, (size_t)l->len, sizeof *l->path, compare);
    heed__format(s->how, sizeof s->how, "a folder per label: %lld with %lld files",
                 (long long)l->labels, (long long)l->len);
    const size_t len = strlen(s->how);
    if (l->beside)
        heed__format(s->how + len, sizeof s->how - len, "; %lld beside them left out",
                     (long long)l->beside);
    return 0;
}

/* Reads a whole file into s->record. HEED_STEP_* or a status. */
static int read_text(heed_dataset_stream *s, const char *path, heed_error *err) {
    heed_input *in = heed__input_open(path, &s->hooks, err);
    if (!in) return err ? err->code : HEED_EIO;
    int64_t n;
    s->record.len = 0;
    do {
        if (heed__grow(&s->hooks, &s->record.bytes, &s->record.cap, s->record.len + PIECE + 1, 1))
            n = heed__dataset_no_memory(s, err);
        else
            n = heed__input_read(in, s->record.bytes + s->record.len, PIECE, err);
        if (n > 0) s->record.len += n;
    } while (n > 0 && s->record.len <= HEED_LINE_MOST);
    heed__input_close(in);
    return n < 0 ? (int)n : HEED_STEP_ONE;
}

/* A problem in a file of its own: its path stands where the folder's would. */
static int wrong_file(heed_dataset_stream *s, const char *path, int64_t line, const char *what) {
    heed_problems *p = s->problems;
    if (p->count == HEED_PROBLEMS) return HEED_STEP_WRONG;
    char *to = p->text[p->count++];
    heed__format(to, HEED_PROBLEM_SIZE, "%.200s:%lld: %s", path, (long long)line, what);
    heed__text_tidy(to);
    return HEED_STEP_WRONG;
}

/* Checks the text in s->record, which came from path, and makes the example of it. */
static int take(heed_dataset_stream *s, const char *path, heed_error *err) {
    char *text = s->record.bytes, room[96];
    size_t size = (size_t)s->record.len;
    const listing *l = s->own;
    if (size > HEED_LINE_MOST) {
        heed__format(room, sizeof room, "a text of more than %d MB", HEED_LINE_MOST >> 20);
        return wrong_file(s, path, 1, room);
    }
    if (size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) text += 3, size -= 3;
    while (size && (text[size - 1] == '\n' || text[size - 1] == '\r')) size--;
    text[size] = 0;
    int64_t line = 1;
    for (char *at = text, *end; at <= text + size; at = end + 1, line++) {
        end = memchr(at, '\n', size - (size_t)(at - text));
        if (!end) end = text + size;
        const char *wrong = heed__text_wrong(at, (size_t)(end - at), room, sizeof room);
        if (wrong) return wrong_file(s, path, line, wrong);
    }
    s->e.text = text;
    s->e.line = l->at;
    return heed__dataset_label(s, l->label, l->at, err);
}

static int next_file(heed_dataset_stream *s, heed_error *err) {
    listing *l = s->own;
    if (l->at == l->len) return HEED_STEP_END;
    const char *within = l->path[l->at++];
    const size_t size = strlen(s->name) + strlen(within) + 2;
    const size_t label = (size_t)(strrchr(within, '/') - within);
    heed__free(&s->hooks, l->label);
    l->label = heed__malloc(&s->hooks, size + label + 1);
    if (!l->label) return heed__dataset_no_memory(s, err);
    memcpy(l->label, within, label);
    l->label[label] = 0;
    char *path = l->label + label + 1;
    heed__format(path, size, "%s/%s", s->name, within);
    if (heed__control_at(l->label, label) < label)
        return wrong_file(s, "(folder)", l->at, "a folder's name is no label: not plain UTF-8");
    const int rc = read_text(s, path, err);
    return rc == HEED_STEP_ONE ? take(s, path, err) : rc;
}

static void close_folder(heed_dataset_stream *s) {
    listing *l = s->own;
    if (!l) return;
    heed__free(&s->hooks, l->path);
    heed__free(&s->hooks, l->label);
    heed__free(&s->hooks, l);
}

const heed_dataset_reader heed__reader_folder = { .name = "a folder per label",
                                                  .next = next_file,
                                                  .close = close_folder };
