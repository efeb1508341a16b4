/* desk_passage.c: passages as answers to questions. Those that hold most of the question's words
 * are looked at again: whether its words are neighbours there too, and whether there is a number
 * where one is asked for. */
#include <string.h>

#include "serve/desk_impl.h"

enum { CANDIDATES = 64, TERMS = 64 };

/* What each counts; learnt on wikiqa's training part by logistic regression (recipes/desk.sh names
 * what comes of it). */
static const double weight_words = 1, weight_whole = 3, weight_pairs = 1.1, weight_number = 0.5,
                    weight_no_number = -1.7, weight_cosine = 2;

typedef struct asked_terms {
    heed_term term[TERMS];
    int len;
    bool number; /* a number is asked for */
} asked_terms;

static bool asks_for_number(const asked_terms *a) {
    static const char *const alone[] = { "when", "多少", "多久", "几天", "几个",
                                         "何时", "多长", "多大", NULL };
    static const char *const measures[] = {
        "many", "much", "long", "old",   "tall", "big",   "far",
        "high", "deep", "fast", "large", "soon", "often", NULL
    };
    static const char *const things[] = { "year", "date",   "time",  "day", "age",
                                          "size", "number", "price", NULL };
    for (int i = 0; i < a->len; i++) {
        if (heed__term_is_any(&a->term[i], alone)) return true;
        if (i + 1 == a->len) continue;
        if (heed__term_is(&a->term[i], "how") && heed__term_is_any(&a->term[i + 1], measures))
            return true;
        if ((heed__term_is(&a->term[i], "what") || heed__term_is(&a->term[i], "which")) &&
            heed__term_is_any(&a->term[i + 1], things))
            return true;
    }
    return false;
}

static void take(asked_terms *a, const char *text) {
    heed_terms t;
    a->len = 0;
    heed__terms_begin(&t, text, strlen(text));
    while (a->len < TERMS && heed__terms_next(&t, &a->term[a->len])) a->len++;
    a->number = asks_for_number(a);
}

static bool same(const heed_term *a, const heed_term *b) {
    return a->len == b->len && memcmp(a->form, b->form, (size_t)a->len) == 0;
}

static const char *const number_words[] = { "two",     "three", "four",    "five",     "six",
                                            "seven",   "eight", "nine",    "ten",      "eleven",
                                            "twelve",  "dozen", "hundred", "thousand", "million",
                                            "billion", NULL };
static const char *const numerals[] = { "一", "二", "两", "三", "四", "五", "六",
                                        "七", "八", "九", "十", "百", "千", NULL };

/* Part of the question's neighbours that are neighbours in text; *number: there is one in it. */
static double look(const asked_terms *a, const char *text, bool *number) {
    heed_terms t;
    heed_term last = { .len = 0 }, term;
    bool seen[TERMS] = { false };
    int pairs = 0;
    *number = text[strcspn(text, "0123456789")] != 0;
    for (int i = 0; !*number && numerals[i]; i++) *number = strstr(text, numerals[i]) != NULL;
    heed__terms_begin(&t, text, strlen(text));
    for (; heed__terms_next(&t, &term); last = term) {
        *number |= heed__term_is_any(&term, number_words);
        for (int i = 0; last.len && i + 1 < a->len; i++) {
            if (seen[i] || !same(&a->term[i], &last) || !same(&a->term[i + 1], &term)) continue;
            seen[i] = true;
            pairs++;
        }
    }
    return a->len > 1 ? (double)pairs / (double)(a->len - 1) : 0;
}

int64_t heed__desk_rank_passages(heed_desk *d, const desk_entries *e, const desk_ask *ask,
                                 desk_hit *hit, int64_t most, heed_error *err) {
    desk_hit first[CANDIDATES];
    asked_terms a;
    const int64_t n = heed__desk_rank(d, e, ask, first, CANDIDATES, err);
    int64_t len = 0;
    take(&a, ask->text);
    for (int64_t i = 0; i < n; i++) {
        bool number;
        desk_hit h = first[i];
        const double pairs = look(&a, e->entry[h.entry].text, &number);
        h.score = weight_words * h.near.words + weight_whole * h.near.whole + weight_pairs * pairs +
                  weight_cosine * h.near.cosine;
        if (a.number) h.score += number ? weight_number : weight_no_number;
        int64_t at = len < most ? len++ : most;
        if (at == most && (most == 0 || !(h.score > hit[most - 1].score))) continue;
        if (at == most) at--;
        for (; at > 0 && h.score > hit[at - 1].score; at--) hit[at] = hit[at - 1];
        hit[at] = h;
    }
    return n < 0 ? n : len;
}
