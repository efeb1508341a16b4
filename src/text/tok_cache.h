/* tok_cache.h: the tokens of short pieces met before: one table of lines of 64 bytes, each place
 * holding the last piece that fell on it. Most words of a text are found here, in one miss at most.
 * It begins small, so that a short text does not pay for a long one's, and grows as it fills. */
#ifndef HEED_TEXT_TOK_CACHE_H
#define HEED_TEXT_TOK_CACHE_H

#include <string.h>

#include "text/tok_model.h"

enum { HEED_CACHE_BYTES = 24, HEED_CACHE_TOKENS = 6 };
enum { HEED_CACHE_LEAST = 9, HEED_CACHE_STEP = 3, HEED_CACHE_MOST = 15 }; /* log2 of its lines */

/* A piece of 1 to 24 bytes and its size: words that together determine it. */
typedef struct heed__cache_key {
    uint64_t word[3];
    uint64_t size;
} heed__cache_key;

typedef struct heed__cache_line {
    uint64_t word[3];
    int32_t id[HEED_CACHE_TOKENS];
    uint8_t begin[HEED_CACHE_TOKENS], end[HEED_CACHE_TOKENS];
    uint8_t size; /* 0: an empty line */
    uint8_t len;
} heed__cache_line;

typedef struct heed__tok_cache {
    int bits;
    int64_t puts;                         /* since it has this size */
    _Alignas(64) heed__cache_line line[]; /* [1 << bits] */
} heed__tok_cache;

/* Bytes are read twice rather than past the end of the piece. */
static inline heed__cache_key heed__cache_key_of(const char *p, size_t n) {
    heed__cache_key k = { { 0, 0, 0 }, n };
    if (n >= 8) {
        memcpy(&k.word[0], p, 8);
        memcpy(&k.word[1], p + n - 8, 8);
        if (n > 16) memcpy(&k.word[2], p + 8, 8);
    } else if (n >= 4) {
        uint32_t a, b;
        memcpy(&a, p, 4);
        memcpy(&b, p + n - 4, 4);
        k.word[0] = a | (uint64_t)b << 32;
    } else {
        k.word[0] = (uint64_t)(unsigned char)p[0] | (uint64_t)(unsigned char)p[n / 2] << 8 |
                    (uint64_t)(unsigned char)p[n - 1] << 16;
    }
    return k;
}

static inline heed__cache_line *heed__cache_find(heed__tok_cache *c, const heed__cache_key *k) {
    uint64_t h = (k->word[0] ^ k->size << 56) * 0x9e3779b97f4a7c15u;
    h = (h ^ h >> 29 ^ k->word[1]) * 0xbf58476d1ce4e5b9u;
    h = (h ^ h >> 32 ^ k->word[2]) * 0x94d049bb133111ebu;
    return &c->line[h >> (64 - c->bits)];
}

static inline bool heed__cache_holds(const heed__cache_line *l, const heed__cache_key *k) {
    return l->size == k->size && l->word[0] == k->word[0] && l->word[1] == k->word[1] &&
           l->word[2] == k->word[2];
}

static inline void heed__cache_put(heed__cache_line *l, const heed__cache_key *k,
                                   const heed__tok_piece *item, int64_t n) {
    if (n > HEED_CACHE_TOKENS) return;
    memcpy(l->word, k->word, sizeof l->word);
    l->size = (uint8_t)k->size;
    l->len = (uint8_t)n;
    for (int64_t i = 0; i < n; i++) {
        l->id[i] = item[i].id;
        l->begin[i] = (uint8_t)item[i].begin;
        l->end[i] = (uint8_t)item[i].end;
    }
}

#endif
