/* noise.c: texts changed a little. */
#include "text/noise.h"

#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "text/words.h"

/* Bytes [begin,end) of the text. */
typedef struct place {
    size_t begin, end;
} place;

typedef struct words {
    place *at; /* [len] */
    int64_t len, cap;
    const heed_hooks *hooks;
} words;

static int find_words(words *w, const char *text, size_t size) {
    heed_word one;
    for (size_t at = 0; heed__word_next(text, size, &at, &one);) {
        if (heed__grow(w->hooks, &w->at, &w->cap, w->len + 1, sizeof *w->at)) return HEED_ENOMEM;
        w->at[w->len++] = (place){ one.begin, one.end };
    }
    return 0;
}

/* Characters of a word: place of number k of them. */
static place character(const char *text, place word, int64_t k) {
    size_t at = word.begin;
    uint32_t code;
    while (k-- > 0 && at < word.end) {
        const size_t n = heed__utf8_next(text + at, word.end - at, &code);
        at += n ? n : 1;
    }
    const size_t n = heed__utf8_next(text + at, word.end - at, &code);
    return (place){ at, at + (n ? n : 1) };
}

static int64_t characters(const char *text, place word) {
    int64_t n = 0;
    for (place c = { 0, word.begin }; c.end < word.end; n++)
        c = character(text, (place){ c.end, word.end }, 0);
    return n;
}

static char *put(char *to, const char *text, size_t begin, size_t end) {
    memcpy(to, text + begin, end - begin);
    return to + (end - begin);
}

/* A word of at least three characters with one error after its first: two change places, one goes,
 * one comes twice. */
static char *mistype(char *to, const char *text, place word, heed_rng *rng) {
    const int64_t n = characters(text, word);
    const int64_t k = 1 + (int64_t)heed_rng_below(rng, (uint64_t)(n - 2));
    const place a = character(text, word, k), b = character(text, word, k + 1);
    to = put(to, text, word.begin, a.begin);
    switch (heed_rng_below(rng, 3)) {
    case 0:
        to = put(put(to, text, b.begin, b.end), text, a.begin, a.end);
        return put(to, text, b.end, word.end);
    case 1:
        return put(to, text, a.end, word.end);
    default:
        return put(put(to, text, a.begin, a.end), text, a.begin, word.end);
    }
}

/* Words i and i+1 with what stands between them, in the other order. */
static char *exchange(char *to, const char *text, const words *w, int64_t i) {
    const place a = w->at[i], b = w->at[i + 1];
    to = put(to, text, b.begin, b.end);
    to = put(to, text, a.end, b.begin);
    return put(to, text, a.begin, a.end);
}

/* Whether the change is due at word i; it is where nothing has been changed and the last chance
 * for it has come. */
static bool due(heed_rng *rng, uint64_t of, bool last_chance) {
    return heed_rng_below(rng, of) == 0 || last_chance;
}

/* out has room for twice the text. */
static char *change(heed_noise kind, char *out, const char *text, const words *w, heed_rng *rng) {
    const size_t size = strlen(text);
    const int64_t forced = w->len ? (int64_t)heed_rng_below(rng, (uint64_t)w->len) : 0;
    int64_t left = 0;
    bool changed = false;
    size_t at = 0;
    for (int64_t i = 0; i < w->len; i++) {
        const place word = w->at[i];
        const bool must = !changed && i >= forced, long_word = characters(text, word) >= 3;
        out = put(out, text, at, word.begin);
        at = word.end;
        if (kind == HEED_NOISE_DROP) {
            const bool goes = due(rng, 10, must) && left + 1 < w->len;
            left += goes;
            changed = changed || goes;
            if (!goes) out = put(out, text, word.begin, word.end);
        } else if (kind == HEED_NOISE_TYPO && long_word && due(rng, 6, must)) {
            out = mistype(out, text, word, rng);
            changed = true;
        } else if (i + 1 < w->len &&
                   (kind == HEED_NOISE_SWAP || (word.end - word.begin > 1 && !long_word)) &&
                   due(rng, 6, must && kind == HEED_NOISE_SWAP)) {
            out = exchange(out, text, w, i);
            at = w->at[++i].end;
            changed = true;
        } else {
            out = put(out, text, word.begin, word.end);
        }
    }
    return put(out, text, at, size);
}

/* The same with typing errors in chosen words. */
static char *mistype_chosen(char *out, const char *text, const words *w, const size_t *aim,
                            int64_t n, heed_rng *rng) {
    size_t at = 0;
    int64_t next = 0;
    for (int64_t i = 0; i < w->len; i++) {
        const place word = w->at[i];
        while (next < n && aim[next] < word.begin) next++;
        const bool hit = next < n && aim[next] < word.end;
        out = put(out, text, at, word.begin);
        at = word.end;
        if (hit && characters(text, word) >= 3) {
            out = mistype(out, text, word, rng);
        } else if (hit && i + 1 < w->len && word.end - word.begin > 1) {
            out = exchange(out, text, w, i);
            at = w->at[++i].end;
        } else {
            out = put(out, text, word.begin, word.end);
        }
    }
    return put(out, text, at, strlen(text));
}

/* Room for a changed copy, with the text's words in w. NULL: out of memory. */
static char *begin_copy(const char *text, words *w) {
    const size_t size = strlen(text);
    char *out = size < SIZE_MAX / 4 ? heed__malloc(w->hooks, 2 * size + 1) : NULL;
    if (out && find_words(w, text, size)) {
        heed__free(w->hooks, out);
        out = NULL;
    }
    return out;
}

char *heed__noise(heed_noise kind, const char *text, heed_rng *rng, const heed_hooks *hooks) {
    words w = { .hooks = hooks };
    char *out = begin_copy(text, &w);
    if (out) *change(kind, out, text, &w, rng) = 0;
    heed__free(hooks, w.at);
    return out;
}

char *heed__noise_aimed(const char *text, const size_t *aim, int64_t n, heed_rng *rng,
                        const heed_hooks *hooks) {
    words w = { .hooks = hooks };
    char *out = begin_copy(text, &w);
    if (out) *mistype_chosen(out, text, &w, aim, n, rng) = 0;
    heed__free(hooks, w.at);
    return out;
}
