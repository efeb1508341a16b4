/* features.h: a text as units (words, as words.h cuts them) and each unit as hashed features: the
 * word itself, pieces of it (runs of characters, with its edges marked), and runs of words that end
 * at it, the edge of the text among them. fastText's n-grams (Bojanowski et al. 2017), and runs of
 * two words with one left out between them. For few texts also pairs of words that stand further
 * apart, numbers among them as signs.h has them. */
#ifndef HEED_TEXT_FEATURES_H
#define HEED_TEXT_FEATURES_H

#include "text/signs.h"

/* What a key is of: its two highest bits. */
typedef enum heed_text_feature {
    HEED_FEATURE_WORD,
    HEED_FEATURE_PIECE,
    HEED_FEATURE_RUN,
    HEED_FEATURE_PAIR
} heed_text_feature;

static inline heed_text_feature heed__feature_kind_of(uint32_t key) {
    return (heed_text_feature)(key >> 30);
}

typedef struct heed_feature_cfg {
    int run;         /* words of the longest run; 1: none */
    int ideograms;   /* the same where a unit is one ideograph or kana */
    bool gaps;       /* runs of two words with one between them left out */
    int least, most; /* characters of a piece; most 0: none */
    int far;         /* words from one of a pair to the other, at most; 0: no pairs */
} heed_feature_cfg;

/* Words seen before, each with its own keys (its word first, then its pieces): hashed once. A word
 * that finds no room is not remembered. */
typedef struct heed_known_words {
    int64_t len;
    int64_t *start, *form_start; /* [len+1] of key, of form */
    uint32_t *key;
    char *form;
    uint64_t *hash; /* [len] */
    int32_t *slot;  /* hash table of numbers + 1 */
    int64_t start_cap, form_start_cap, key_cap, form_cap, hash_cap;
} heed_known_words;

/* Texts appended one after another. Unit u has features key[bag[u] .. bag[u+1]), the word first.
 * begin, end: the bytes that it stands for. With `remember` a unit's word and pieces stand in
 * known's keys where word[u], its number there, is not -1, and in its bag only its runs and pairs.
 * Pairs stand last in a bag. */
typedef struct heed_features {
    uint32_t *key;
    int64_t *bag; /* [units+1] */
    size_t *begin, *end;
    int64_t units;
    int64_t room; /* units that there is room for in bag, begin, end and word */
    int64_t key_cap, bag_cap, begin_cap, end_cap;
    uint64_t *hash; /* of the words of the last text */
    int64_t hash_cap;
    bool remember; /* set before the first text, for one cfg */
    int64_t most;  /* words remembered, likewise; 0: as many as it can be, 32768 */
    int32_t *word; /* [units] */
    int64_t word_cap;
    heed_known_words known;
    heed_signs signs; /* of the last text */
    heed_hooks hooks;
} heed_features;

/* Of an empty f: the keys of a word and its pieces (of what is cut into several words those of
 * all), runs and pairs left out: f->key[0 .. returned), or HEED_ENOMEM. */
int64_t heed__features_spell(heed_features *f, const heed_feature_cfg *cfg, const char *word,
                             size_t size);

/* Appends a text. 0 or HEED_ENOMEM. */
int heed__features_add(heed_features *f, const heed_feature_cfg *cfg, const char *text,
                       size_t size);
/* The runs of a text of so many words, none of them an ideograph. */
int64_t heed__features_runs(const heed_feature_cfg *cfg, int64_t words);
void heed__features_clear(heed_features *f);  /* no texts; keeps memory and known words */
void heed__features_forget(heed_features *f); /* and no known words */
void heed__features_free(heed_features *f);   /* a zeroed one is fine */

#endif
