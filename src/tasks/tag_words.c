/* tag_words.c: features of words; see tag_words.h. */
#include "tasks/tag_words.h"

#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "base/text.h"
#include "text/letters.h"

enum { LETTERS = 48, GRAM_LEAST = 2, GRAM_MOST = 4, AFFIX_MOST = 4, SHAPE_MOST = 12 };

/* A word as code points: its first and last ones where there are more than LETTERS. */
typedef struct letters {
    uint32_t as_is[LETTERS + 2]; /* between '<' and '>' */
    uint32_t low[LETTERS];
    char shape[LETTERS]; /* X capital, x other letter, d digit, c ideograph, else the mark itself */
    int64_t n;
} letters;

size_t heed__tag_form(const char *word, size_t size, char form[HEED_TAG_FORM]) {
    size_t at = 0;
    for (size_t i = 0; i < size;) {
        uint32_t c = 0;
        char bytes[4];
        const size_t n = heed__utf8_next(word + i, size - i, &c);
        if (n == 0) c = 0xfffd;
        const uint32_t low = c >= '0' && c <= '9' ? '0' : heed__lower(c);
        const size_t m = heed__utf8_put(low, bytes);
        if (at + m > HEED_TAG_FORM) break;
        memcpy(form + at, bytes, m);
        at += m;
        i += n ? n : 1;
    }
    return at;
}

static bool ideograph(uint32_t c) {
    return (c >= 0x2e80 && c <= 0x2fdf) || (c >= 0x3040 && c <= 0x30ff) ||
           (c >= 0x3400 && c <= 0x4dbf) || (c >= 0x4e00 && c <= 0x9fff) ||
           (c >= 0xf900 && c <= 0xfaff) || (c >= 0x20000 && c <= 0x3134f);
}

static char shape_of(uint32_t c) {
    if (c >= '0' && c <= '9') return 'd';
    if (heed__lower(c) != c) return 'X';
    if (c >= 'a' && c <= 'z') return 'x';
    if (c < 0x80) return (char)c;
    return ideograph(c) ? 'c' : 'x';
}

static void put_letter(letters *l, int64_t at, uint32_t c) {
    l->as_is[at + 1] = c;
    l->low[at] = heed__lower(c);
    l->shape[at] = shape_of(c);
}

static void read_letters(letters *l, const char *word) {
    const size_t size = strlen(word);
    l->n = 0;
    for (size_t i = 0; i < size;) {
        uint32_t c = 0;
        const size_t n = heed__utf8_next(word + i, size - i, &c);
        if (l->n == LETTERS) { /* the last third is a window that moves on */
            const int64_t from = LETTERS - LETTERS / 3;
            memmove(l->as_is + 1 + from, l->as_is + 2 + from, (LETTERS / 3 - 1) * sizeof *l->as_is);
            memmove(l->low + from, l->low + from + 1, (LETTERS / 3 - 1) * sizeof *l->low);
            memmove(l->shape + from, l->shape + from + 1, LETTERS / 3 - 1);
            l->n--;
        }
        put_letter(l, l->n++, n ? c : 0xfffd);
        i += n ? n : 1;
    }
    l->as_is[0] = '<';
    l->as_is[l->n + 1] = '>';
}

/* -- hashing: over kind and code points. Models depend on where it begins, which is not where
 * others do. */

static const uint64_t BEGIN = 1469598103934665603u;

static uint64_t hash_points(char kind, const uint32_t *c, int64_t n) {
    uint64_t h = heed__hash_one(BEGIN, (unsigned char)kind);
    for (int64_t i = 0; i < n; i++) h = heed__hash_one(h, c[i]);
    return heed__hash_spread(h);
}

static uint64_t hash_bytes(char kind, const char *c, int64_t n) {
    const uint64_t h = heed__hash_one(BEGIN, (unsigned char)kind);
    return heed__hash_spread(heed__hash_more(h, c, (size_t)n));
}

static int add(heed_tag_rows *r, int64_t *count, uint64_t hash, int64_t buckets) {
    if (heed__grow(&r->hooks, &r->feature, &r->feature_cap, *count + 1, sizeof *r->feature))
        return HEED_ENOMEM;
    r->feature[(*count)++] = (int32_t)(hash % (uint64_t)buckets);
    return 0;
}

/* A shape whose runs of one sign are one sign. */
static int64_t shorten(const letters *l, char out[LETTERS]) {
    int64_t n = 0;
    for (int64_t i = 0; i < l->n; i++)
        if (n == 0 || out[n - 1] != l->shape[i]) out[n++] = l->shape[i];
    return n;
}

static int64_t least(int64_t a, int64_t b) {
    return a < b ? a : b;
}

static int word_features(heed_tag_rows *r, const heed_tag_tables *t, const letters *l, int64_t w,
                         int64_t *count) {
    char brief[LETTERS];
    const int64_t n = l->n, brief_n = shorten(l, brief), shape_n = least(n, SHAPE_MOST);
    int rc = add(r, count, hash_points('w', l->as_is + 1, n), t->buckets);
    if (rc == 0) rc = add(r, count, hash_bytes('s', l->shape, shape_n), t->buckets);
    if (rc == 0) rc = add(r, count, hash_bytes('t', brief, brief_n), t->buckets);
    for (int64_t k = 1; rc == 0 && k <= AFFIX_MOST && k <= n; k++) {
        rc = add(r, count, hash_points('p', l->low, k), t->buckets);
        if (rc == 0) rc = add(r, count, hash_points('f', l->low + n - k, k), t->buckets);
    }
    for (int64_t k = GRAM_LEAST; k <= GRAM_MOST; k++)
        for (int64_t i = 0; rc == 0 && i + k <= n + 2; i++)
            rc = add(r, count, hash_points('g', l->as_is + i, k), t->buckets);
    const uint64_t rows = (uint64_t)t->field_buckets - 1; /* row 0 is padding */
    const int64_t affix = least(n, 3);
    int32_t *field = r->field + w * HEED_TAG_FIELDS;
    field[0] = (int32_t)(1 + hash_bytes('0', l->shape, shape_n) % rows);
    field[1] = (int32_t)(1 + hash_bytes('1', brief, brief_n) % rows);
    field[2] = (int32_t)(1 + hash_points('2', l->low, affix) % rows);
    field[3] = (int32_t)(1 + hash_points('3', l->low + n - affix, affix) % rows);
    return rc;
}

/* The first code point of a neighbour, or '#' past the sentence's ends. */
static uint32_t sign_of(const heed_sentences *s, int64_t w, const int64_t range[2]) {
    uint32_t c = '#';
    if (w < range[0] || w >= range[1]) return c;
    const size_t size = strlen(s->word[w]);
    return size && heed__utf8_next(s->word[w], size, &c) ? c : 0xfffd;
}

static int sign_features(heed_tag_rows *r, const heed_tag_tables *t, const heed_sentences *s,
                         int64_t w, const int64_t range[2], int64_t *count) {
    uint32_t c[5]; /* two before, itself, two after */
    for (int64_t i = 0; i < 5; i++) c[i] = sign_of(s, w + i - 2, range);
    const struct {
        char kind;
        int64_t from, n;
    } parts[] = { { 'B', 1, 2 }, { 'A', 2, 2 }, { 'T', 1, 3 },
                  { 'L', 0, 2 }, { 'R', 3, 2 }, { 'C', 2, 1 } };
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < sizeof parts / sizeof *parts; i++)
        rc = add(r, count, hash_points(parts[i].kind, c + parts[i].from, parts[i].n), t->buckets);
    const uint64_t rows = (uint64_t)t->field_buckets - 1; /* row 0 is padding */
    int32_t *field = r->field + w * HEED_TAG_FIELDS;
    field[0] = (int32_t)(1 + hash_bytes('0', "c", 1) % rows);
    field[1] = (int32_t)(1 + hash_points('4', c + 1, 3) % rows);
    field[2] = (int32_t)(1 + hash_points('5', c + 1, 2) % rows);
    field[3] = (int32_t)(1 + hash_points('6', c + 2, 2) % rows);
    return rc;
}

static int encode(heed_tag_rows *r, const heed_tag_tables *t, const heed_sentences *s) {
    int64_t count = 0;
    letters l;
    char form[HEED_TAG_FORM];
    for (int64_t i = 0; i < s->len; i++) {
        const int64_t range[2] = { s->start[i], s->start[i + 1] };
        for (int64_t w = range[0]; w < range[1]; w++) {
            const char *word = s->word[w];
            r->id[w] = heed__vocab_find(t->vocab, form, heed__tag_form(word, strlen(word), form));
            r->bag[w] = count;
            read_letters(&l, word);
            const int rc = l.n == 1 && l.shape[0] == 'c' ? sign_features(r, t, s, w, range, &count)
                                                         : word_features(r, t, &l, w, &count);
            if (rc) return rc;
        }
        r->start[i + 1] = range[1];
    }
    r->bag[s->start[s->len]] = count;
    return 0;
}

int heed__tag_encode(heed_tag_rows *r, const heed_tag_tables *t, const heed_sentences *s,
                     const heed_hooks *hooks, heed_error *err) {
    *r = (heed_tag_rows){ .len = s->len };
    if (hooks) r->hooks = *hooks;
    const int64_t words = s->start[s->len];
    r->start = heed__calloc(&r->hooks, (size_t)s->len + 1, sizeof *r->start);
    r->id = heed__calloc(&r->hooks, (size_t)words + 1, sizeof *r->id);
    r->field = heed__calloc(&r->hooks, (size_t)words + 1, HEED_TAG_FIELDS * sizeof *r->field);
    r->bag = heed__calloc(&r->hooks, (size_t)words + 1, sizeof *r->bag);
    int rc = r->start && r->id && r->field && r->bag ? encode(r, t, s) : HEED_ENOMEM;
    if (rc == 0) return 0;
    heed__tag_rows_free(r);
    return heed__error(err, rc, "sentences: out of memory");
}

void heed__tag_rows_free(heed_tag_rows *r) {
    heed__free(&r->hooks, r->start);
    heed__free(&r->hooks, r->id);
    heed__free(&r->hooks, r->field);
    heed__free(&r->hooks, r->bag);
    heed__free(&r->hooks, r->feature);
    *r = (heed_tag_rows){ 0 };
}

heed_vocab *heed__tag_vocab(const heed_sentences *s, int64_t keep, const heed_hooks *hooks,
                            heed_error *err) {
    heed_vocab *v = heed__vocab_new(hooks, err);
    if (!v) return NULL;
    char form[HEED_TAG_FORM];
    int rc = 0;
    for (int64_t w = s->start[0]; rc == 0 && w < s->start[s->len]; w++) {
        const size_t n = heed__tag_form(s->word[w], strlen(s->word[w]), form);
        if (n && heed__control_at(form, n) == n) rc = heed__vocab_count(v, form, n);
    }
    if (rc == 0) rc = heed__vocab_finish(v, keep);
    if (rc == 0) return v;
    heed__vocab_free(v);
    heed__error(err, rc, "vocabulary: out of memory");
    return NULL;
}
