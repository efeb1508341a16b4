/* desk_nouns.c: words that name things, by what stands before them. */
#include "serve/desk_nouns.h"

#include <string.h>

#include "base/alloc.h"

enum { WORDS_MOST = 512 };
static const double least_part = 0.4; /* of a thing's name that stands behind such a word */

static bool points(const heed_term *t) {
    static const char *const words[] = { "a",   "an",    "the",   "my",    "your",
                                         "our", "this",  "that",  "these", "his",
                                         "her", "those", "their", "some",  "any" };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (heed__term_is(t, words[i])) return true;
    return false;
}

/* Bytes of the word without the plural's s; with all other endings, for "ordered" names nothing. */
static int name_len(const heed_term *t) {
    const bool many = t->whole > 3 && t->form[t->whole - 1] == 's' && t->form[t->whole - 2] != 's';
    return t->whole - many;
}

static bool digit(char c) {
    return c >= '0' && c <= '9';
}

/* -- learning --------------------------------------------------------------------------------- */

static int count_words(heed_nouns *w, const char *text) {
    heed_terms t;
    heed_term term;
    heed__terms_begin(&t, text, strlen(text));
    while (heed__terms_next(&t, &term))
        if (heed__vocab_count(w->vocab, term.form, (size_t)name_len(&term))) return HEED_ENOMEM;
    return 0;
}

static void count_places(heed_nouns *w, const char *text) {
    heed_terms t;
    heed_term term;
    bool before = false, two_before = false; /* words that point */
    heed__terms_begin(&t, text, strlen(text));
    while (heed__terms_next(&t, &term)) {
        const int32_t id = heed__vocab_find(w->vocab, term.form, (size_t)name_len(&term));
        const bool common = term.common;
        w->seen[id]++;
        w->behind[id] += before || two_before;
        two_before = before && !common;
        before = points(&term);
    }
}

static int fill(heed_nouns *w, int n, const char *const *const *text, const int64_t *len,
                heed_error *err) {
    w->vocab = heed__vocab_new(&w->hooks, err);
    if (!w->vocab) return HEED_ENOMEM;
    for (int i = 0; i < n; i++)
        for (int64_t k = 0; k < len[i]; k++)
            if (text[i][k] && count_words(w, text[i][k])) return HEED_ENOMEM;
    if (heed__vocab_finish(w->vocab, INT32_MAX)) return HEED_ENOMEM;
    const size_t words = (size_t)heed__vocab_len(w->vocab);
    w->seen = heed__calloc(&w->hooks, words, sizeof *w->seen);
    w->behind = heed__calloc(&w->hooks, words, sizeof *w->behind);
    if (!w->seen || !w->behind) return HEED_ENOMEM;
    for (int i = 0; i < n; i++)
        for (int64_t k = 0; k < len[i]; k++)
            if (text[i][k]) count_places(w, text[i][k]);
    return 0;
}

int heed__nouns_fill(heed_nouns *w, int n, const char *const *const *text, const int64_t *len,
                     const heed_hooks *hooks, heed_error *err) {
    *w = (heed_nouns){ 0 };
    if (hooks) w->hooks = *hooks;
    if (fill(w, n, text, len, err) == 0) return 0;
    heed__nouns_free(w);
    return heed__error(err, HEED_ENOMEM, "desk: out of memory");
}

void heed__nouns_free(heed_nouns *w) {
    heed__vocab_free(w->vocab);
    heed__free(&w->hooks, w->seen);
    heed__free(&w->hooks, w->behind);
    *w = (heed_nouns){ 0 };
}

/* -- finding ---------------------------------------------------------------------------------- */

typedef struct token {
    size_t begin, end;
    double weight; /* of a thing's name; 0: none */
    bool common, points, number;
    bool joined; /* nothing but a space between it and the one before */
} token;

static bool only_space(const char *text, size_t begin, size_t end) {
    for (size_t at = begin; at < end; at++)
        if (text[at] != ' ' && text[at] != '#' && text[at] != '-') return false;
    return true;
}

static int cut(const heed_nouns *w, const char *text, token *t) {
    heed_terms terms;
    heed_term term;
    int n = 0;
    size_t last = 0;
    heed__terms_begin(&terms, text, strlen(text));
    for (; n < WORDS_MOST && heed__terms_next(&terms, &term); n++) {
        const int32_t id = heed__vocab_find(w->vocab, term.form, (size_t)name_len(&term));
        const double seen = (double)w->seen[id], behind = (double)w->behind[id];
        const bool common = term.common;
        const bool thing = !common && (behind + 0.1) / (seen + 1) >= least_part;
        t[n] = (token){ .begin = term.begin,
                        .end = term.end,
                        .weight = thing ? behind + 1 : 0,
                        .common = common,
                        .points = points(&term),
                        .number = digit(term.form[0]),
                        .joined = n && only_space(text, last, term.begin) };
        last = term.end;
    }
    return n;
}

static int add(heed_thing *thing, int n, int most, heed_thing new) {
    for (int i = 0; i < n; i++)
        if (thing[i].begin == new.begin && thing[i].end == new.end) return n;
    if (n == most) return n;
    thing[n] = new;
    return n + 1;
}

int heed__nouns_find(const heed_nouns *w, const char *text, heed_thing *thing, int most) {
    token t[WORDS_MOST];
    const int len = cut(w, text, t);
    int n = 0;
    for (int j = 0; j < len; j++) {
        if (t[j].weight <= 0) continue;
        if (j + 1 < len && t[j + 1].joined && t[j + 1].weight > 0) continue; /* not its last word */
        int first = j, end = j + 1;
        while (first > 0 && t[first].joined && !t[first - 1].common &&
               (t[first - 1].weight > 0 || (first > 1 && t[first - 2].points)))
            first--;
        while (end < len && t[end].joined && t[end].number) end++;
        const int from[3] = { first, j, first < j ? j - 1 : j };
        for (int k = 0; k < 3; k++)
            n = add(thing, n, most, (heed_thing){ t[from[k]].begin, t[end - 1].end, t[j].weight });
    }
    return n;
}
