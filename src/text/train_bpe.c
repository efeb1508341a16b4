/* train_bpe.c: byte pair encoding learnt from counted pieces (Sennrich et al. 2016): the commonest
 * pair of neighbours becomes a token, until there are enough. Every pair knows its count and the
 * pieces that it may be in; a heap hands out the commonest, its counts put right when they come up.
 * Of equally common pairs the one with the lower ids goes first. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "text/aligned.h"
#include "text/letters.h"
#include "text/tok_models.h"
#include "text/train_model.h"
#include "text/train_progress.h"

typedef struct pair_entry {
    uint64_t pair;
    int64_t count;
    int32_t where; /* first of its places, -1: none */
    int32_t fresh; /* the last merge that made it commoner */
} pair_entry;

/* One piece that a pair may be in. */
typedef struct place {
    int32_t word, next;
} place;

typedef struct ranked {
    int64_t count;
    uint64_t pair;
    int32_t entry;
} ranked;

typedef struct trainer {
    const heed__train_words *words;
    const heed__train_cfg *cfg;
    heed_hooks hooks;
    heed__tok_vocab vocab;
    int32_t *symbols; /* of all pieces, one after the other */
    int64_t *start;   /* [words] */
    int32_t *len;     /* [words] symbols left */
    pair_entry *pairs;
    int64_t pair_len, pair_cap;
    int32_t *slots; /* pair + 1, 0: empty */
    int64_t slot_cap;
    place *places;
    int64_t place_len, place_cap;
    ranked *heap;
    int64_t heap_len, heap_cap;
    int32_t *fresh; /* pairs that the merge at hand made */
    int64_t fresh_len, fresh_cap;
    uint64_t *merges;
    int64_t merge_len, merge_cap;
    char *text; /* a token being spelt */
    int64_t text_cap;
    size_t prefix_size;
} trainer;

static void trainer_free(trainer *t) {
    heed__tok_vocab_free(&t->vocab);
    void *const all[] = { t->symbols, t->start, t->len,   t->pairs,  t->slots,
                          t->places,  t->heap,  t->fresh, t->merges, t->text };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) heed__free(&t->hooks, all[i]);
}

/* -- tokens ----------------------------------------------------------------------------------- */

/* The id of a token, which is made if it is new; negative: HEED_ENOMEM. */
static int32_t token_id(trainer *t, const char *token, size_t size) {
    const int32_t id = heed__tok_vocab_find(&t->vocab, token, size);
    if (id >= 0) return id;
    const int64_t next = t->vocab.ids;
    return heed__tok_vocab_add(&t->vocab, token, size, next) ? HEED_ENOMEM : (int32_t)next;
}

typedef struct letter {
    uint32_t code;
    int64_t count;
} letter;

static int by_letter_count(const void *a, const void *b) {
    const letter *x = a, *y = b;
    if (x->count != y->count) return x->count < y->count ? 1 : -1;
    return x->code < y->code ? -1 : x->code > y->code;
}

static int by_code(const void *a, const void *b) {
    const letter *x = a, *y = b;
    return x->code < y->code ? -1 : x->code > y->code;
}

enum { CODES = 0x110000 };

/* Adds the characters of the pieces in the order of their code points, the commonest alone where
 * there is a limit. */
static int add_alphabet(trainer *t) {
    letter *letters = heed__calloc(&t->hooks, CODES, sizeof *letters);
    if (!letters) return HEED_ENOMEM;
    const heed__train_words *w = t->words;
    for (int64_t i = 0; i < w->len; i++) {
        const char *text = w->bytes + w->words[i].at;
        uint32_t code;
        for (size_t at = 0, n; at < w->words[i].size; at += n ? n : 1) {
            n = heed__utf8_next(text + at, w->words[i].size - at, &code);
            if (n) letters[code].count += w->words[i].count;
        }
    }
    int64_t n = 0;
    for (uint32_t c = 0; c < CODES; c++)
        if (letters[c].count) letters[n++] = (letter){ c, letters[c].count };
    if (t->cfg->alphabet && n > t->cfg->alphabet) {
        qsort(letters, (size_t)n, sizeof *letters, by_letter_count);
        n = t->cfg->alphabet;
        qsort(letters, (size_t)n, sizeof *letters, by_code);
    }
    int rc = 0;
    for (int64_t i = 0; i < n && !rc; i++) {
        char text[4];
        const size_t size = heed__utf8_put(letters[i].code, text);
        if (token_id(t, text, size) < 0) rc = HEED_ENOMEM;
    }
    heed__free(&t->hooks, letters);
    return rc;
}

/* The letters of all bytes, in the order of their code points. */
static int add_bytes(trainer *t) {
    for (uint32_t code = 0; code <= 0x143; code++) {
        if (heed__char_byte(code) < 0) continue;
        char text[4];
        const size_t size = heed__utf8_put(code, text);
        if (token_id(t, text, size) < 0) return HEED_ENOMEM;
    }
    return 0;
}

static int first_tokens(trainer *t) {
    for (const char *const *s = t->cfg->special; s && *s; s++)
        if (token_id(t, *s, strlen(*s)) < 0) return HEED_ENOMEM;
    return t->cfg->raw ? add_bytes(t) : add_alphabet(t);
}

/* The symbols of one piece at to; how many, or HEED_ENOMEM. Characters outside the alphabet go. */
static int64_t spell(trainer *t, const char *text, size_t size, int32_t *to, const int32_t *byte) {
    int64_t n = 0;
    if (t->cfg->raw) {
        for (size_t i = 0; i < size; i++) to[n++] = byte[(unsigned char)text[i]];
        return n;
    }
    uint32_t code;
    for (size_t at = 0, len; at < size; at += len) {
        len = heed__utf8_next(text + at, size - at, &code);
        if (!len) {
            len = 1;
            continue;
        }
        int32_t id = heed__tok_vocab_find(&t->vocab, text + at, len);
        if (id < 0) continue;
        if (at && t->prefix_size) {
            memcpy(t->text, t->cfg->prefix, t->prefix_size);
            memcpy(t->text + t->prefix_size, text + at, len);
            id = token_id(t, t->text, t->prefix_size + len);
            if (id < 0) return HEED_ENOMEM;
        }
        to[n++] = id;
    }
    return n;
}

static int spell_all(trainer *t) {
    const heed__train_words *w = t->words;
    int32_t byte[256];
    for (int i = 0; i < 256; i++) {
        char text[4];
        const size_t size = heed__utf8_put(heed__byte_char((unsigned char)i), text);
        byte[i] = heed__tok_vocab_find(&t->vocab, text, size);
    }
    t->symbols = heed__calloc(&t->hooks, (size_t)w->size + 1, sizeof *t->symbols);
    t->start = heed__calloc(&t->hooks, (size_t)w->len + 1, sizeof *t->start);
    t->len = heed__calloc(&t->hooks, (size_t)w->len + 1, sizeof *t->len);
    if (!t->symbols || !t->start || !t->len ||
        heed__grow(&t->hooks, &t->text, &t->text_cap, (int64_t)t->prefix_size + 8, 1))
        return HEED_ENOMEM;
    int64_t at = 0;
    for (int64_t i = 0; i < w->len; i++) {
        const int64_t n = spell(t, w->bytes + w->words[i].at, w->words[i].size, t->symbols + at,
                                byte);
        if (n < 0) return HEED_ENOMEM;
        t->start[i] = at;
        t->len[i] = (int32_t)n;
        at += n;
    }
    return 0;
}

/* -- pairs ------------------------------------------------------------------------------------ */

static int widen(trainer *t) {
    const int64_t cap = t->slot_cap ? 2 * t->slot_cap : 1 << 16;
    int32_t *slots = heed__calloc(&t->hooks, (size_t)cap, sizeof *slots);
    if (!slots) return HEED_ENOMEM;
    heed__free(&t->hooks, t->slots);
    t->slots = slots;
    t->slot_cap = cap;
    for (int64_t i = 0; i < t->pair_len; i++) {
        uint64_t at = t->pairs[i].pair * 0x9e3779b97f4a7c15u >> 32;
        while (slots[at & (uint64_t)(cap - 1)]) at++;
        slots[at & (uint64_t)(cap - 1)] = (int32_t)(i + 1);
    }
    return 0;
}

/* The entry of a pair, made if it is new; negative: HEED_ENOMEM. */
static int32_t pair_of(trainer *t, int32_t left, int32_t right) {
    const uint64_t pair = (uint64_t)(uint32_t)left << 32 | (uint32_t)right;
    if (2 * (t->pair_len + 1) > t->slot_cap && widen(t)) return HEED_ENOMEM;
    const uint64_t mask = (uint64_t)(t->slot_cap - 1);
    uint64_t at = (pair * 0x9e3779b97f4a7c15u >> 32) & mask;
    for (; t->slots[at]; at = (at + 1) & mask)
        if (t->pairs[t->slots[at] - 1].pair == pair) return t->slots[at] - 1;
    if (t->pair_len >= INT32_MAX - 1 ||
        heed__grow(&t->hooks, &t->pairs, &t->pair_cap, t->pair_len + 1, sizeof *t->pairs))
        return HEED_ENOMEM;
    t->pairs[t->pair_len] = (pair_entry){ .pair = pair, .where = -1 };
    t->slots[at] = (int32_t)++t->pair_len;
    return (int32_t)(t->pair_len - 1);
}

/* Counts a pair of one piece more or less often; more: remembers the piece. Its entry, or
 * HEED_ENOMEM. */
static int32_t count_pair(trainer *t, int32_t left, int32_t right, int64_t by, int32_t word) {
    const int32_t e = pair_of(t, left, right);
    if (e < 0) return HEED_ENOMEM;
    pair_entry *p = &t->pairs[e];
    p->count += by;
    if (by < 0 || (p->where >= 0 && t->places[p->where].word == word)) return e;
    if (t->place_len >= INT32_MAX ||
        heed__grow(&t->hooks, &t->places, &t->place_cap, t->place_len + 1, sizeof *t->places))
        return HEED_ENOMEM;
    t->places[t->place_len] = (place){ word, p->where };
    p->where = (int32_t)t->place_len++;
    return e;
}

static bool before(const ranked *a, const ranked *b) {
    return a->count != b->count ? a->count > b->count : a->pair < b->pair;
}

static int push(trainer *t, ranked r) {
    if (heed__grow(&t->hooks, &t->heap, &t->heap_cap, t->heap_len + 1, sizeof *t->heap))
        return HEED_ENOMEM;
    int64_t at = t->heap_len++;
    for (; at && before(&r, &t->heap[(at - 1) / 2]); at = (at - 1) / 2)
        t->heap[at] = t->heap[(at - 1) / 2];
    t->heap[at] = r;
    return 0;
}

static ranked pop(trainer *t) {
    const ranked top = t->heap[0], moved = t->heap[--t->heap_len];
    int64_t at = 0;
    for (int64_t child; (child = 2 * at + 1) < t->heap_len; at = child) {
        if (child + 1 < t->heap_len && before(&t->heap[child + 1], &t->heap[child])) child++;
        if (!before(&t->heap[child], &moved)) break;
        t->heap[at] = t->heap[child];
    }
    if (t->heap_len) t->heap[at] = moved;
    return top;
}

static int count_all(trainer *t) {
    for (int64_t i = 0; i < t->words->len; i++) {
        const int32_t *s = t->symbols + t->start[i];
        for (int32_t k = 0; k + 1 < t->len[i]; k++)
            if (count_pair(t, s[k], s[k + 1], t->words->words[i].count, (int32_t)i) < 0)
                return HEED_ENOMEM;
    }
    for (int64_t i = 0; i < t->pair_len; i++)
        if (push(t, (ranked){ t->pairs[i].count, t->pairs[i].pair, (int32_t)i }))
            return HEED_ENOMEM;
    return 0;
}

/* -- merging ---------------------------------------------------------------------------------- */

/* The token that a pair becomes: its left part and its right one without prefix. */
static int32_t joined(trainer *t, int32_t left, int32_t right) {
    size_t a, b;
    const char *x = heed__tok_vocab_token(&t->vocab, left, &a),
               *y = heed__tok_vocab_token(&t->vocab, right, &b);
    const size_t skip = b > t->prefix_size ? t->prefix_size : 0;
    if (heed__grow(&t->hooks, &t->text, &t->text_cap, (int64_t)(a + b + 1), 1)) return HEED_ENOMEM;
    memcpy(t->text, x, a);
    memcpy(t->text + a, y + skip, b - skip);
    return token_id(t, t->text, a + b - skip);
}

static int made(trainer *t, int32_t left, int32_t right, int64_t count, int32_t word) {
    const int32_t e = count_pair(t, left, right, count, word);
    if (e < 0) return HEED_ENOMEM;
    if (t->pairs[e].fresh == t->merge_len) return 0;
    t->pairs[e].fresh = (int32_t)t->merge_len;
    if (heed__grow(&t->hooks, &t->fresh, &t->fresh_cap, t->fresh_len + 1, sizeof *t->fresh))
        return HEED_ENOMEM;
    t->fresh[t->fresh_len++] = e;
    return 0;
}

static int merge_word(trainer *t, int32_t word, int32_t a, int32_t b, int32_t c) {
    int32_t *s = t->symbols + t->start[word];
    const int32_t n = t->len[word];
    const int64_t count = t->words->words[word].count;
    int32_t out = 0;
    for (int32_t i = 0; i < n;) {
        if (s[i] != a || i + 1 == n || s[i + 1] != b) {
            s[out++] = s[i++];
            continue;
        }
        i += 2;
        if (out &&
            (count_pair(t, s[out - 1], a, -count, word) < 0 || made(t, s[out - 1], c, count, word)))
            return HEED_ENOMEM;
        if (i < n && (count_pair(t, b, s[i], -count, word) < 0 || made(t, c, s[i], count, word)))
            return HEED_ENOMEM;
        s[out++] = c;
    }
    t->len[word] = out;
    return 0;
}

/* Joins a pair wherever it stands and queues the pairs that this made. */
static int merge_pair(trainer *t, int32_t entry) {
    const uint64_t pair = t->pairs[entry].pair;
    const int32_t a = (int32_t)(pair >> 32), b = (int32_t)(uint32_t)pair, c = joined(t, a, b);
    if (c < 0 ||
        heed__grow(&t->hooks, &t->merges, &t->merge_cap, t->merge_len + 1, sizeof *t->merges))
        return HEED_ENOMEM;
    t->merges[t->merge_len++] = pair;
    int32_t at = t->pairs[entry].where;
    t->pairs[entry].where = -1;
    t->fresh_len = 0;
    for (; at >= 0; at = t->places[at].next)
        if (merge_word(t, t->places[at].word, a, b, c)) return HEED_ENOMEM;
    t->pairs[entry].count = 0;
    for (int64_t i = 0; i < t->fresh_len; i++) {
        const pair_entry *p = &t->pairs[t->fresh[i]];
        if (p->count > 0 && p->where >= 0 && push(t, (ranked){ p->count, p->pair, t->fresh[i] }))
            return HEED_ENOMEM;
    }
    return 0;
}

static int merge_all(trainer *t, heed_error *err) {
    heed__train_progress progress = { .hooks = t->cfg->hooks };
    while (t->vocab.ids < t->cfg->vocab && t->heap_len) {
        const ranked top = pop(t);
        const pair_entry *p = &t->pairs[top.entry];
        if (p->where < 0) continue; /* joined already */
        if (p->count != top.count) {
            if (p->count > 0 && p->count < top.count &&
                push(t, (ranked){ p->count, top.pair, top.entry }))
                return heed__tok_no_memory(err);
            continue;
        }
        if (top.count < 1 || top.count < t->cfg->min_count) break;
        if (merge_pair(t, top.entry)) return heed__tok_no_memory(err);
        if (t->merge_len % 64) continue;
        const heed_progress now = {
            .what = "merge", .done = t->vocab.ids, .total = t->cfg->vocab, .unit = "tokens"
        };
        const int rc = heed__train_tell(&progress, &now, err);
        if (rc) return rc;
    }
    return 0;
}

/* -- the model -------------------------------------------------------------------------------- */

static json_t *token_json(const trainer *t, uint64_t id) {
    size_t size;
    const char *token = heed__tok_vocab_token(&t->vocab, (int32_t)id, &size);
    return json_stringn(token, size);
}

static json_t *merges_json(const trainer *t) {
    json_t *list = json_array();
    for (int64_t i = 0; i < t->merge_len && list; i++)
        if (json_array_append_new(list, json_pack("[o, o]", token_json(t, t->merges[i] >> 32),
                                                  token_json(t, t->merges[i] & UINT32_MAX)))) {
            json_decref(list);
            list = NULL;
        }
    return list;
}

static json_t *model_json(const trainer *t, bool wordpiece) {
    const char *unk = t->cfg->unk, *prefix = t->cfg->prefix;
    if (wordpiece)
        return json_pack("{s:s, s:s, s:s, s:i, s:o}", "type", "WordPiece", "unk_token",
                         unk ? unk : "[UNK]", "continuing_subword_prefix", prefix ? prefix : "",
                         "max_input_chars_per_word", 100, "vocab", heed__tok_vocab_save(&t->vocab));
    return json_pack("{s:s, s:n, s:s?, s:s?, s:n, s:b, s:b, s:b, s:o, s:o}", "type", "BPE",
                     "dropout", "unk_token", unk, "continuing_subword_prefix", prefix,
                     "end_of_word_suffix", "fuse_unk", false, "byte_fallback", false,
                     "ignore_merges", false, "vocab", heed__tok_vocab_save(&t->vocab), "merges",
                     merges_json(t));
}

json_t *heed__train_bpe(const heed__train_words *words, const heed__train_cfg *cfg, bool wordpiece,
                        heed_error *err) {
    trainer t = { .words = words, .cfg = cfg };
    if (cfg->hooks) t.hooks = *cfg->hooks;
    t.vocab.hooks = t.hooks;
    t.prefix_size = cfg->prefix ? strlen(cfg->prefix) : 0;
    int rc = 0;
    if (!words->len || words->len >= INT32_MAX)
        rc = heed__error(err, words->len ? HEED_EINVALID : HEED_EFORMAT, "training a tokenizer: %s",
                         words->len ? "too many pieces" : "the text holds no piece at all");
    if (!rc && (first_tokens(&t) || spell_all(&t) || count_all(&t))) rc = heed__tok_no_memory(err);
    if (!rc) rc = merge_all(&t, err);
    json_t *model = rc ? NULL : model_json(&t, wordpiece);
    if (!rc && !model) heed__tok_no_memory(err);
    trainer_free(&t);
    return model;
}
