/* vectors.c: vectors of words in text form. A word may hold spaces (some files have such): the
 * numbers are the last fields of a line. */
#include "io/vectors.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "base/input.h"

enum { MOST_WIDTH = 65536 };

struct heed_vectors {
    heed_hooks hooks;
    heed_input *in;
    int64_t dim;
    float *numbers; /* [dim] */
    char *line;     /* the first vector, until it is asked for */
    size_t size;
    bool waits;
};

static int wrong(const heed_vectors *v, heed_error *err, const char *what) {
    return heed__error(err, HEED_EFORMAT, "%.300s:%lld: %s", heed__input_name(v->in),
                       (long long)heed__input_line_number(v->in), what);
}

static bool is_space(char c) {
    return c == ' ' || c == '\t';
}

/* The next line without spaces at its end; HEED_LINE_ONE, HEED_LINE_NONE or a status. */
static int next_line(heed_vectors *v, heed_error *err) {
    if (v->waits) {
        v->waits = false;
        return HEED_LINE_ONE;
    }
    const int got = heed__input_line(v->in, &v->line, &v->size, err);
    if (got == HEED_LINE_LONG) return wrong(v, err, "a line of more than 64 MB");
    if (got != HEED_LINE_ONE) return got;
    while (v->size && is_space(v->line[v->size - 1])) v->line[--v->size] = 0;
    return got;
}

/* Bytes at the end of line[0..size) that are no space. */
static size_t last_field(const char *line, size_t size) {
    size_t n = 0;
    while (n < size && !is_space(line[size - n - 1])) n++;
    return n;
}

static int64_t count_fields(const char *line, size_t size) {
    int64_t n = 0;
    for (size_t i = 0; i < size; i++) n += !is_space(line[i]) && (i == 0 || is_space(line[i - 1]));
    return n;
}

/* Finds the width: from the line of two whole numbers, or from the first vector. */
static int begin(heed_vectors *v, heed_error *err) {
    int got = next_line(v, err);
    if (got < 0) return got;
    if (got == HEED_LINE_NONE)
        return heed__error(err, HEED_EFORMAT, "%s: no vectors", heed__input_name(v->in));
    const size_t n = last_field(v->line, v->size);
    const size_t before = strcspn(v->line, " \t");
    int64_t words = 0;
    if (count_fields(v->line, v->size) == 2 && heed__parse_int(v->line, before, &words) &&
        heed__parse_int(v->line + v->size - n, n, &v->dim)) {
        if (words < 1) v->dim = 0;
    } else {
        v->dim = count_fields(v->line, v->size) - 1;
        v->waits = true;
    }
    if (v->dim < 1 || v->dim > MOST_WIDTH) return wrong(v, err, "no word with its numbers");
    v->numbers = heed__calloc(&v->hooks, (size_t)v->dim, sizeof *v->numbers);
    return v->numbers ? 0 : heed__error(err, HEED_ENOMEM, "vectors: out of memory");
}

static heed_vectors *make(heed_input *in, const heed_hooks *hooks, heed_error *err) {
    heed_vectors *v = in ? heed__calloc(hooks, 1, sizeof *v) : NULL;
    if (!v) {
        if (in) heed__error(err, HEED_ENOMEM, "vectors: out of memory");
        heed__input_close(in);
        return NULL;
    }
    if (hooks) v->hooks = *hooks;
    v->in = in;
    if (begin(v, err) == 0) return v;
    heed__vectors_close(v);
    return NULL;
}

heed_vectors *heed__vectors_open(const char *path, const heed_hooks *hooks, heed_error *err) {
    return make(heed__input_open(path, hooks, err), hooks, err);
}

heed_vectors *heed__vectors_from(const char *bytes, size_t size, const char *name,
                                 const heed_hooks *hooks, heed_error *err) {
    return make(heed__input_from(bytes, size, name, hooks, err), hooks, err);
}

int64_t heed__vectors_dim(const heed_vectors *v) {
    return v->dim;
}

int heed__vectors_next(heed_vectors *v, const char **word, size_t *size, const float **numbers,
                       heed_error *err) {
    int got;
    do got = next_line(v, err);
    while (got == HEED_LINE_ONE && v->size == 0);
    if (got <= 0) return got;
    size_t end = v->size;
    for (int64_t k = v->dim - 1; k >= 0; k--) {
        const size_t n = last_field(v->line, end);
        double x = 0;
        char what[160];
        if (n == end) {
            heed__format(what, sizeof what, "%lld numbers where there should be %lld",
                         (long long)(v->dim - 1 - k), (long long)v->dim);
            return wrong(v, err, what);
        }
        if (!heed__parse_double(v->line + end - n, n, &x) || !(fabs(x) <= 3e38)) {
            heed__format(what, sizeof what, "'%.*s' is no number, %lld are wanted",
                         (int)(n < 40 ? n : 40), v->line + end - n, (long long)v->dim);
            return wrong(v, err, what);
        }
        v->numbers[k] = (float)x;
        end -= n;
        while (end && is_space(v->line[end - 1])) end--;
    }
    if (end == 0) return wrong(v, err, "no word before its numbers");
    if (memchr(v->line, 0, end) || heed__utf8_check(v->line, end) < end)
        return wrong(v, err, "the word is not UTF-8");
    *word = v->line;
    *size = end;
    *numbers = v->numbers;
    return 1;
}

void heed__vectors_close(heed_vectors *v) {
    if (!v) return;
    const heed_hooks hooks = v->hooks;
    heed__input_close(v->in);
    heed__free(&hooks, v->numbers);
    heed__free(&hooks, v);
}
