/* imdb.c: film reviews as ids. */
#include "imdb.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SLOTS = 1 << 19 }; /* of an open hash table; the training texts have about 75,000 words */

typedef struct word {
    const char *text; /* in the training file */
    uint32_t len, count;
    int32_t id;
} word;

static word *slot(word *table, const char *text, size_t len) {
    uint32_t h = 2166136261u; /* FNV-1a */
    for (size_t i = 0; i < len; i++) h = (h ^ (unsigned char)text[i]) * 16777619u;
    word *w = table + h % SLOTS;
    while (w->text && (w->len != len || memcmp(w->text, text, len) != 0))
        w = w + 1 < table + SLOTS ? w + 1 : table;
    return w;
}

static bool in_word(int c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '\'' || c >= 128;
}

/* The next word from *at on, made lower case in place; 0 at the line's end. */
static size_t next_word(char **at, const char *end) {
    for (char *c = *at; c < end; c++)
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c + 32);
        else if (in_word((unsigned char)*c))
            continue;
        else if (c > *at)
            return (size_t)(c - *at);
        else
            *at = c + 1;
    return (size_t)(end - *at);
}

/* The text of the line that begins at `line`: its last column. *end is the newline. */
static char *text_of(char *line, char **end) {
    *end = line + strcspn(line, "\n");
    char *tab = line;
    for (char *c = line; c < *end; c++)
        if (*c == '\t') tab = c + 1;
    return tab;
}

static int by_count(const void *a, const void *b) {
    const word *x = *(word *const *)a, *y = *(word *const *)b;
    if (x->count != y->count) return x->count < y->count ? 1 : -1;
    const uint32_t n = x->len < y->len ? x->len : y->len;
    const int order = memcmp(x->text, y->text, n);
    return order ? order : (x->len > y->len) - (x->len < y->len);
}

static void number_words(word *table, char *file) {
    for (char *line = strchr(file, '\n') + 1, *end; *line; line = end + (*end != 0)) {
        char *at = text_of(line, &end);
        for (size_t n; (n = next_word(&at, end)) > 0; at += n) {
            word *w = slot(table, at, n);
            if (!w->text) *w = (word){ at, (uint32_t)n, 0, REVIEW_UNKNOWN };
            w->count++;
        }
    }
    word **all = malloc(SLOTS * sizeof(word *));
    size_t n = 0;
    for (word *w = table; w < table + SLOTS; w++)
        if (w->text) all[n++] = w;
    qsort(all, n, sizeof *all, by_count);
    for (size_t i = 0; i < n && i + 2 < REVIEW_VOCAB; i++) all[i]->id = (int32_t)i + 2;
    free(all);
}

static void read_reviews(reviews *r, word *table, char *file) {
    *r = (reviews){ 0 };
    for (const char *c = file; *c; c++) r->count += *c == '\n';
    r->ids = calloc((size_t)r->count * REVIEW_LEN, sizeof *r->ids);
    r->lengths = calloc((size_t)r->count, sizeof *r->lengths);
    r->labels = calloc((size_t)r->count, sizeof *r->labels);
    r->count = 0;
    for (char *line = strchr(file, '\n') + 1, *end; *line; line = end + (*end != 0)) {
        char *at = text_of(line, &end);
        static int32_t ids[1 << 14];
        size_t n = 0;
        for (size_t len; n < 1 << 14 && (len = next_word(&at, end)) > 0; at += len) {
            const word *w = slot(table, at, len);
            ids[n++] = w->text ? w->id : REVIEW_UNKNOWN;
        }
        if (n == 0) ids[n++] = REVIEW_UNKNOWN;
        const size_t keep = n < REVIEW_LEN ? n : REVIEW_LEN;
        memcpy(r->ids + r->count * REVIEW_LEN, ids + n - keep, keep * sizeof *ids);
        r->lengths[r->count] = (int32_t)keep;
        r->labels[r->count++] = *line == '1';
    }
}

bool reviews_load(reviews *train, reviews *test) {
    size_t len;
    char *a = data_unpack("imdb", "train.tsv.zst", &len);
    char *b = a ? data_unpack("imdb", "test.tsv.zst", &len) : NULL;
    word *table = calloc(SLOTS, sizeof *table);
    if (b && table) {
        number_words(table, a);
        read_reviews(train, table, a);
        read_reviews(test, table, b);
    }
    free(table), free(a), free(b);
    return b != NULL && train->labels && test->labels;
}

void reviews_free(reviews *r) {
    free(r->ids), free(r->lengths), free(r->labels);
}

review_batch reviews_batch(heed_ctx *cx, const reviews *r, const int64_t *items, int64_t n) {
    int64_t T = 1;
    for (int64_t i = 0; i < n; i++)
        if (r->lengths[items[i]] > T) T = r->lengths[items[i]];
    review_batch b = { heed_new(cx, HEED_I32, 2, (int64_t[]){ n, T }),
                       heed_new(cx, HEED_I32, 1, &n), heed_new(cx, HEED_I32, 1, &n) };
    if (!b.ids || !b.lengths || !b.labels) fail_msg("%s", heed_ctx_error(cx)->msg);
    for (int64_t i = 0; i < n; i++) {
        memcpy(HEED_I32_DATA(b.ids) + i * T, r->ids + items[i] * REVIEW_LEN,
               (size_t)T * sizeof(int32_t));
        HEED_I32_DATA(b.lengths)[i] = r->lengths[items[i]];
        HEED_I32_DATA(b.labels)[i] = r->labels[items[i]];
    }
    return b;
}
