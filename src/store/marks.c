/* marks.c: a text's hits, mapped from places of words to bytes, and the part of it worth showing.
 */
#include "store/marks.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/json.h"

enum { HITS = 64, BEFORE = 48, WINDOW = 200 };

/* A hit: words [from, to) and, once they have been found in the text, bytes [begin, end). */
typedef struct hit {
    int from, to, begin, end;
} hit;

typedef struct finder {
    hit hit[HITS];
    int hits, place;
} finder;

static int place_word(void *user, int flags, const char *word, int len, int begin, int end) {
    (void)flags, (void)word, (void)len;
    finder *f = user;
    f->place++;
    for (int i = 0; i < f->hits; i++) {
        hit *h = &f->hit[i];
        if (f->place < h->from || f->place >= h->to) continue;
        if (h->begin < 0) h->begin = begin;
        if (end > h->end) h->end = end;
    }
    return SQLITE_OK;
}

static int by_begin(const void *a, const void *b) {
    const hit *x = a, *y = b;
    return (x->begin > y->begin) - (x->begin < y->begin);
}

/* Overlapping hits become one; those not found in the text are dropped. */
static void merge(finder *f) {
    qsort(f->hit, (size_t)f->hits, sizeof f->hit[0], by_begin);
    int n = 0;
    for (int i = 0; i < f->hits; i++) {
        const hit h = f->hit[i];
        if (h.begin < 0 || h.end <= h.begin) continue;
        if (n && h.begin <= f->hit[n - 1].end) {
            if (h.end > f->hit[n - 1].end) f->hit[n - 1].end = h.end;
        } else {
            f->hit[n++] = h;
        }
    }
    f->hits = n;
}

/* The hits of one column. */
static int find(const Fts5ExtensionApi *api, Fts5Context *fts, int column, finder *f) {
    int n = 0;
    int code = api->xInstCount(fts, &n);
    f->hits = 0, f->place = -1;
    for (int i = 0; i < n && code == SQLITE_OK && f->hits < HITS; i++) {
        int phrase, where, at;
        code = api->xInst(fts, i, &phrase, &where, &at);
        if (code == SQLITE_OK && where == column)
            f->hit[f->hits++] = (hit){ at, at + api->xPhraseSize(fts, phrase), -1, -1 };
    }
    return code;
}

static bool inside_character(const char *text, int size, int at) {
    return at > 0 && at < size && ((unsigned char)text[at] & 0xC0) == 0x80;
}

/* Where to begin: with the hit that has the most others in its window after it. */
static int best_hit(const finder *f) {
    int best = 0, most = 0;
    for (int i = 0; i < f->hits; i++) {
        int n = 0;
        while (i + n < f->hits && f->hit[i + n].end <= f->hit[i].begin + WINDOW - BEFORE) n++;
        if (n > most) most = n, best = i;
    }
    return best;
}

/* A span that cannot be added takes the others with it, so that the answer is none. */
static void add_span(json_t **spans, const char *text, int begin, int end, bool is_hit) {
    if (end <= begin || !*spans) return;
    json_t *span = json_pack("{s:s#,s:b}", "text", text + begin, end - begin, "hit", is_hit);
    if (json_array_append_new(*spans, span) == 0) return;
    json_decref(*spans);
    *spans = NULL;
}

static json_t *cut(const finder *f, const char *text, int size) {
    json_t *spans = json_array();
    const int first = f->hits ? best_hit(f) : 0;
    int begin = f->hits && size > WINDOW ? f->hit[first].begin - BEFORE : 0;
    if (begin < 0) begin = 0;
    if (begin > 0 && f->hits) { /* at a blank, where there is one on the way */
        for (int at = begin; at < f->hit[first].begin; at++)
            if (text[at] == ' ') {
                begin = at + 1;
                break;
            }
    }
    int end = size - begin > WINDOW ? begin + WINDOW : size;
    if (f->hits && end < f->hit[first].end) end = f->hit[first].end;
    while (inside_character(text, size, begin)) begin++;
    while (inside_character(text, size, end)) end++;
    if (begin > 0) add_span(&spans, "…", 0, 3, false);
    int at = begin;
    for (int i = 0; i < f->hits; i++) {
        const hit h = f->hit[i];
        if (h.begin < at || h.end > end) continue;
        add_span(&spans, text, at, h.begin, false);
        add_span(&spans, text, h.begin, h.end, true);
        at = h.end;
    }
    add_span(&spans, text, at, end, false);
    if (end < size) add_span(&spans, "…", 0, 3, false);
    return spans;
}

static void marks(const Fts5ExtensionApi *api, Fts5Context *fts, sqlite3_context *result, int n,
                  sqlite3_value **value) {
    (void)n, (void)value;
    finder f, title;
    const char *text = NULL;
    int size = 0, column = 1;
    int code = find(api, fts, 1, &f);
    if (code == SQLITE_OK) code = find(api, fts, 0, &title);
    if (code == SQLITE_OK && title.hits > f.hits) f = title, column = 0;
    if (code == SQLITE_OK) code = api->xColumnText(fts, column, &text, &size);
    if (code == SQLITE_OK && text) code = api->xTokenize(fts, text, size, &f, place_word);
    if (code != SQLITE_OK) {
        sqlite3_result_error_code(result, code);
        return;
    }
    merge(&f);
    json_t *spans = cut(&f, text ? text : "", text ? size : 0);
    char *json = spans ? heed__json_text(NULL, spans, false, NULL, NULL) : NULL;
    json_decref(spans);
    if (json)
        sqlite3_result_text(result, json, -1, SQLITE_TRANSIENT);
    else
        sqlite3_result_error_nomem(result);
    heed__free(NULL, json);
}

int heed__marks_register(fts5_api *api) {
    return api->xCreateFunction(api, "marks", NULL, marks, NULL);
}
