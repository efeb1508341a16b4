/* features.c: hashed features of the words of a text. A key depends on the bytes of the words
 * alone, so that models can be carried between machines. */
#include "text/features.h"

#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "text/words.h"

enum { MOST_PIECES = HEED_WORD_BYTES + 2 };

static const uint64_t EDGE = 0x9e3779b97f4a7c15u, GAP = 0xc2b2ae3d27d4eb4fu,
                      PAIR = 0xd6e8feb86659fd93u;

static uint64_t word_hash(const heed_word *w) {
    return heed__hash_spread(heed__hash_more(HEED_HASH_BEGIN, w->form, (size_t)w->len));
}

static uint32_t key_of(heed_text_feature kind, uint64_t hash) {
    return (uint32_t)kind << 30 | (uint32_t)(hash >> 34);
}

/* A growing list of keys: a text's or that of the known words. */
typedef struct list {
    const heed_hooks *hooks;
    uint32_t **key;
    int64_t *cap, *len;
} list;

static int put(const list *to, heed_text_feature kind, uint64_t hash) {
    if (*to->len == *to->cap &&
        heed__grow(to->hooks, to->key, to->cap, *to->len + 1, sizeof **to->key))
        return HEED_ENOMEM;
    (*to->key)[(*to->len)++] = key_of(kind, hash);
    return 0;
}

static bool is_first_byte(char c) {
    return ((unsigned char)c & 0xc0) != 0x80;
}

/* Every run of least to most characters of "<word>" but the whole of it. */
static int put_pieces(const list *to, const heed_feature_cfg *c, const heed_word *w) {
    char form[MOST_PIECES];
    const int size = w->len + 2;
    form[0] = '<';
    for (int i = 0; i < w->len; i++) form[i + 1] = w->form[i];
    form[size - 1] = '>';
    for (int begin = 0; begin < size; begin++) {
        if (!is_first_byte(form[begin])) continue;
        uint64_t h = EDGE;
        int n = 0;
        for (int end = begin; end < size && n < c->most;) {
            do h = heed__hash_one(h, (unsigned char)form[end++]);
            while (end < size && !is_first_byte(form[end]));
            n++;
            if (n < c->least || (begin == 0 && end == size)) continue;
            if (put(to, HEED_FEATURE_PIECE, heed__hash_spread(h))) return HEED_ENOMEM;
        }
    }
    return 0;
}

/* Whether n words, the last of them word t, are a run; the edge of the text is a word before the
 * first, and makes runs longer by one. */
static bool is_run(int most, int n, int64_t t) {
    const int64_t first = t - n + 1;
    return first >= -1 && (n <= most || (n == most + 1 && most >= 2 && first < 0));
}

int64_t heed__features_runs(const heed_feature_cfg *c, int64_t words) {
    int64_t runs = 0;
    for (int64_t t = 0; t < words; t++) {
        for (int n = 2; is_run(c->run, n, t); n++) runs++;
        runs += c->gaps && t >= 2;
    }
    return runs;
}

/* Runs of words that end at word t. */
static int put_runs(const heed_features *f, const list *to, const heed_feature_cfg *c, int most,
                    int64_t t) {
    uint64_t h = f->hash[t];
    for (int n = 2; is_run(most, n, t); n++) {
        const int64_t first = t - n + 1;
        h = heed__hash_spread(h * 3 + (first < 0 ? EDGE : f->hash[first]) + (uint64_t)n);
        if (put(to, HEED_FEATURE_RUN, h)) return HEED_ENOMEM;
    }
    if (!c->gaps || t < 2) return 0;
    return put(to, HEED_FEATURE_RUN, heed__hash_spread(f->hash[t] * 5 + f->hash[t - 2] * 7 + GAP));
}

/* Pairs of the last sign and one before it: words that no run has, and whatever has a number. */
static int put_pairs(const list *to, const heed_signs *s, int far) {
    enum { NEAR = 2 };
    const int64_t last = s->len - 1;
    for (int64_t n = 1; n <= far && n <= last; n++) {
        const heed_sign *a = &s->sign[last - n], *b = &s->sign[last];
        if (n <= NEAR && !a->number && !b->number) continue;
        if (put(to, HEED_FEATURE_PAIR, heed__hash_spread(a->hash * 11 + b->hash * 13 + PAIR)))
            return HEED_ENOMEM;
    }
    return 0;
}

/* A unit of one ideograph or kana, which has no pieces. */
static bool ideogram(const heed_word *w) {
    const unsigned char first = (unsigned char)w->form[0];
    return w->len >= 3 && first >= 0xe2 && w->end - w->begin == (size_t)w->len &&
           w->len == (first >= 0xf0 ? 4 : 3);
}

/* A word's own features: itself and its pieces. */
static int put_own(const list *to, const heed_feature_cfg *c, const heed_word *w, uint64_t hash) {
    const int rc = put(to, HEED_FEATURE_WORD, hash);
    return rc || c->most <= 0 || ideogram(w) ? rc : put_pieces(to, c, w);
}

/* -- words seen before ------------------------------------------------------------------------ */

enum { KNOWN = 1 << 15, SLOTS = 1 << 16 };

/* The slot of a word, or the free one where it would stand. */
static int32_t *slot_of(const heed_known_words *k, const heed_word *w, uint64_t hash) {
    for (size_t at = hash & (SLOTS - 1);; at = (at + 1) & (SLOTS - 1)) {
        const int32_t i = k->slot[at] - 1;
        if (i < 0) return k->slot + at;
        if (k->hash[i] == hash && k->form_start[i + 1] - k->form_start[i] == w->len &&
            memcmp(k->form + k->form_start[i], w->form, (size_t)w->len) == 0)
            return k->slot + at;
    }
}

static int make_room(heed_known_words *k, int len, const heed_hooks *hooks) {
    const int64_t n = k->len;
    if (heed__grow(hooks, &k->start, &k->start_cap, n + 2, sizeof *k->start) ||
        heed__grow(hooks, &k->form_start, &k->form_start_cap, n + 2, sizeof *k->form_start) ||
        heed__grow(hooks, &k->hash, &k->hash_cap, n + 1, sizeof *k->hash))
        return HEED_ENOMEM;
    if (n == 0) k->start[0] = k->form_start[0] = 0;
    return heed__grow(hooks, &k->form, &k->form_cap, k->form_start[n] + len, 1);
}

/* The number of a word, which is learnt where there is room; -1: none. 0 or HEED_ENOMEM. */
static int remember(heed_features *f, const heed_feature_cfg *c, const heed_word *w, uint64_t hash,
                    int32_t *number) {
    heed_known_words *k = &f->known;
    if (!k->slot) k->slot = heed__calloc(&f->hooks, SLOTS, sizeof *k->slot);
    if (!k->slot) return HEED_ENOMEM;
    int32_t *slot = slot_of(k, w, hash);
    *number = *slot - 1;
    if (*slot || k->len >= (f->most && f->most < KNOWN ? f->most : KNOWN)) return 0;
    if (make_room(k, w->len, &f->hooks)) return HEED_ENOMEM;
    int64_t len = k->start[k->len];
    if (put_own(&(list){ &f->hooks, &k->key, &k->key_cap, &len }, c, w, hash)) return HEED_ENOMEM;
    memcpy(k->form + k->form_start[k->len], w->form, (size_t)w->len);
    k->form_start[k->len + 1] = k->form_start[k->len] + w->len;
    k->hash[k->len] = hash;
    k->start[k->len + 1] = len;
    *number = (int32_t)k->len++;
    *slot = *number + 1;
    return 0;
}

static void forget(heed_known_words *k, const heed_hooks *hooks) {
    heed__free(hooks, k->start);
    heed__free(hooks, k->form_start);
    heed__free(hooks, k->key);
    heed__free(hooks, k->form);
    heed__free(hooks, k->hash);
    heed__free(hooks, k->slot);
}

/* -- texts ------------------------------------------------------------------------------------ */

static int put_word(heed_features *f, int64_t *len, const heed_feature_cfg *c, const heed_word *w,
                    int64_t t) {
    const list to = { &f->hooks, &f->key, &f->key_cap, len };
    int32_t number = -1;
    if (t == f->hash_cap && heed__grow(&f->hooks, &f->hash, &f->hash_cap, t + 1, sizeof *f->hash))
        return HEED_ENOMEM;
    f->hash[t] = word_hash(w);
    if (f->remember && remember(f, c, w, f->hash[t], &number)) return HEED_ENOMEM;
    if (f->remember) f->word[f->units] = number;
    if (number < 0 && put_own(&to, c, w, f->hash[t])) return HEED_ENOMEM;
    return put_runs(f, &to, c, ideogram(w) ? c->ideograms : c->run, t);
}

static int widen(heed_features *f) {
    const int64_t need = f->room ? 2 * f->room : 64;
    if (heed__grow(&f->hooks, &f->bag, &f->bag_cap, need + 1, sizeof *f->bag) ||
        heed__grow(&f->hooks, &f->begin, &f->begin_cap, need, sizeof *f->begin) ||
        heed__grow(&f->hooks, &f->end, &f->end_cap, need, sizeof *f->end) ||
        heed__grow(&f->hooks, &f->word, &f->word_cap, need, sizeof *f->word))
        return HEED_ENOMEM;
    if (!f->room) f->bag[0] = 0;
    f->room = need;
    return 0;
}

int heed__features_add(heed_features *f, const heed_feature_cfg *cfg, const char *text,
                       size_t size) {
    if (!f->room && widen(f)) return HEED_ENOMEM;
    heed_word word;
    int64_t len = f->bag[f->units], t = 0;
    heed__signs_begin(&f->signs);
    for (size_t at = 0; heed__word_next(text, size, &at, &word); t++) {
        const int64_t u = f->units;
        if ((u == f->room && widen(f)) || put_word(f, &len, cfg, &word, t)) return HEED_ENOMEM;
        if (cfg->far > 0) {
            const int64_t before = f->signs.len;
            const list to = { &f->hooks, &f->key, &f->key_cap, &len };
            if (heed__signs_add(&f->signs, text, size, &word, f->hash[t], &f->hooks) ||
                (f->signs.len > before && put_pairs(&to, &f->signs, cfg->far)))
                return HEED_ENOMEM;
        }
        f->begin[u] = word.begin;
        f->end[u] = word.end;
        f->bag[u + 1] = len;
        f->units++;
    }
    return 0;
}

int64_t heed__features_spell(heed_features *f, const heed_feature_cfg *cfg, const char *word,
                             size_t size) {
    if (heed__features_add(f, cfg, word, size)) return HEED_ENOMEM;
    int64_t n = 0;
    for (int64_t k = 0; f->units && k < f->bag[f->units]; k++)
        if (heed__feature_kind_of(f->key[k]) <= HEED_FEATURE_PIECE) f->key[n++] = f->key[k];
    return n;
}

void heed__features_forget(heed_features *f) {
    f->units = 0;
    if (f->known.slot) memset(f->known.slot, 0, SLOTS * sizeof *f->known.slot);
    f->known.len = 0;
}

void heed__features_clear(heed_features *f) {
    f->units = 0;
}

void heed__features_free(heed_features *f) {
    heed__free(&f->hooks, f->key);
    heed__free(&f->hooks, f->bag);
    heed__free(&f->hooks, f->begin);
    heed__free(&f->hooks, f->end);
    heed__free(&f->hooks, f->hash);
    heed__free(&f->hooks, f->word);
    forget(&f->known, &f->hooks);
    heed__signs_free(&f->signs, &f->hooks);
    *f = (heed_features){ .hooks = f->hooks };
}
