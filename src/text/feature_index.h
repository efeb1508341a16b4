/* feature_index.h: the features that training texts have in common, numbered: those of words first,
 * then of pieces, then of runs, then of pairs, each by key. Rare ones, which teach nothing, have no
 * number, so a model holds no row that no text touched. */
#ifndef HEED_TEXT_FEATURE_INDEX_H
#define HEED_TEXT_FEATURE_INDEX_H

#include "text/features.h"

typedef struct heed_feature_index {
    int64_t len;
    int64_t kinds[4]; /* numbers kinds[k] .. kinds[k+1] are of kind k */
    uint32_t *key;    /* [len] rising */
    float *idf;       /* [len] ln(texts / texts that have it) + 1, until evidence weighs it anew */
    uint32_t *slot;   /* [slots] hash table of numbers + 1 */
    uint32_t mask;
    heed_hooks hooks;
} heed_feature_index;

typedef struct heed_index_cfg {
    heed_feature_cfg features;
    int64_t least; /* texts that a feature is in at least */
    int64_t most;  /* features kept; those that more texts have come first */
} heed_index_cfg;

/* Reads all texts twice. 0 or HEED_ENOMEM, with nothing held. */
int heed__index_learn(heed_feature_index *x, const heed_index_cfg *cfg, const char *const *text,
                      int64_t len, const heed_hooks *hooks);
/* From keys and idf, which become the index's own also on failure. HEED_EINVALID: the keys do not
 * rise. */
int heed__index_from(heed_feature_index *x, uint32_t *key, float *idf, int64_t len,
                     const heed_hooks *hooks);
/* The number of a key, or -1. */
static inline int32_t heed__index_find(const heed_feature_index *x, uint32_t key) {
    for (uint32_t at = key * 0x9e3779b1u >> 7 & x->mask;; at = (at + 1) & x->mask) {
        const uint32_t n = x->slot[at];
        if (!n) return -1;
        if (x->key[n - 1] == key) return (int32_t)(n - 1);
    }
}
/* Says that these keys will be looked for. */
static inline void heed__index_ask(const heed_feature_index *x, const uint32_t *key, int64_t len) {
    for (int64_t k = 0; k < len; k++)
        __builtin_prefetch(x->slot + (key[k] * 0x9e3779b1u >> 7 & x->mask));
}
int64_t heed__index_size(const heed_feature_index *x); /* bytes */
void heed__index_free(heed_feature_index *x);          /* a zeroed one is fine */

#endif
