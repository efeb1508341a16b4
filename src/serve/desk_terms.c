/* desk_terms.c: words and pairs of ideographs. Endings are cut off rather than replaced, somewhat
 * more than in Harman, "How effective is suffixing?" (1991), and less well than by Porter's rules,
 * which matters little where both sides are treated alike. */
#include "serve/desk_terms.h"

#include <string.h>

#include "base/text.h"

enum { FIRST_IDEOGRAPH = 0x2e80 };

void heed__terms_begin(heed_terms *t, const char *text, size_t size) {
    *t = (heed_terms){ .text = text, .size = size };
}

static bool ideograph(const heed_word *w) {
    uint32_t code = 0;
    const size_t n = heed__utf8_next(w->form, (size_t)w->len, &code);
    return n == (size_t)w->len && code >= FIRST_IDEOGRAPH;
}

static bool ends(const heed_term *t, const char *with) {
    const int n = (int)strlen(with);
    return t->len > n && memcmp(t->form + t->len - n, with, (size_t)n) == 0;
}

/* Takes endings away one after the other, so that "cancellations", "cancelling" and "cancels" meet;
 * three letters stay. */
static void stem(heed_term *t) {
    static const char *const endings[] = {
        "ies", "ing", "ed", "ly", "er", "y", "ation", "ion", "e"
    };
    for (int i = 0; i < t->len; i++)
        if (t->form[i] < 'a' || t->form[i] > 'z') return;
    if (t->len > 3 && ends(t, "s") && !ends(t, "us") && !ends(t, "ss") && !ends(t, "is") &&
        !ends(t, "ies"))
        t->len--;
    for (bool again = true; again;) {
        again = false;
        for (size_t i = 0; !again && i < sizeof endings / sizeof *endings; i++) {
            const int n = (int)strlen(endings[i]);
            again = t->len - n >= 3 && ends(t, endings[i]);
            if (again) t->len -= n;
        }
    }
    if (t->len > 3 && t->form[t->len - 1] == t->form[t->len - 2]) t->len--;
}

static const char *const common[] = {
    "a",    "about",  "am",    "an",    "and",  "any",  "are",  "as",     "at",    "be",   "been",
    "but",  "by",     "can",   "could", "did",  "do",   "does", "long",   "many",  "much", "for",
    "from", "get",    "had",   "has",   "have", "he",   "help", "her",    "his",   "how",  "i",
    "if",   "in",     "is",    "it",    "its",  "know", "ll",   "m",      "may",   "me",   "my",
    "need", "no",     "not",   "of",    "on",   "or",   "our",  "please", "re",    "s",    "shall",
    "she",  "should", "so",    "some",  "t",    "tell", "that", "the",    "their", "them", "there",
    "they", "this",   "to",    "u",     "us",   "ve",   "want", "was",    "we",    "were", "what",
    "when", "where",  "which", "who",   "why",  "will", "with", "would",  "you",   "your", "一下",
    "什么", "怎么",   "怎样",  "如何",  "可以", "请问", "是不", "不是",   "我想",  "我要", "你们",
    "我们", "哪里",   "多少",  "多久",  "需要", "要多", NULL
};

bool heed__term_is(const heed_term *term, const char *word) {
    return strlen(word) == (size_t)term->whole &&
           memcmp(word, term->form, (size_t)term->whole) == 0;
}

bool heed__term_is_any(const heed_term *term, const char *const *words) {
    for (; *words; words++)
        if (heed__term_is(term, *words)) return true;
    return false;
}

static bool give(heed_term *term, const heed_word *first, const heed_word *second) {
    term->begin = first->begin;
    term->end = second ? second->end : first->end;
    term->len = first->len;
    memcpy(term->form, first->form, (size_t)first->len);
    if (second) {
        memcpy(term->form + term->len, second->form, (size_t)second->len);
        term->len += second->len;
    }
    term->whole = term->len;
    term->common = heed__term_is_any(term, common);
    if (!second) stem(term);
    return true;
}

bool heed__terms_next(heed_terms *t, heed_term *term) {
    heed_word w;
    for (;;) {
        const bool held = t->has_held;
        if (held) w = t->held;
        t->has_held = false;
        const bool any = held || heed__word_next(t->text, t->size, &t->at, &w);
        const bool one = any && ideograph(&w) && !heed__word_is_mark(&w);
        if (t->has_ideograph && !(one && t->ideograph.end == w.begin)) {
            t->has_ideograph = false; /* its run is over */
            t->has_held = any;
            if (any) t->held = w;
            if (!t->paired) return give(term, &t->ideograph, NULL);
            if (!any) return false;
            continue;
        }
        if (!any) return false;
        if (!one) {
            if (heed__word_is_mark(&w)) continue;
            return give(term, &w, NULL);
        }
        const heed_word last = t->ideograph;
        const bool pair = t->has_ideograph;
        t->ideograph = w;
        t->has_ideograph = true;
        t->paired = pair;
        if (pair) return give(term, &last, &w);
    }
}
