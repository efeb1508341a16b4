/* model_bpe.h: the BPE model between the file that loads it and the one that encodes. */
#ifndef HEED_TEXT_MODEL_BPE_H
#define HEED_TEXT_MODEL_BPE_H

#include "text/letters.h"
#include "text/tok_models.h"
#include "text/tok_trie.h"

#define HEED_BPE_NONE UINT32_MAX /* the rank of a pair that no merge joins */

typedef struct heed__bpe {
    heed__tok_words words;
    struct heed__bpe_slot {
        uint64_t pair; /* left id << 32 | right id; UINT64_MAX: empty */
        uint32_t rank;
        int32_t id; /* of what the pair becomes */
    } * slots;      /* [1 << slot_bits], at most half full */
    int slot_bits;
    uint64_t *filter; /* eight bits a slot: whether a pair may be there */
    uint64_t *merges; /* [merge_len] pairs by rank */
    int64_t merge_len, merge_cap;
    uint32_t *ranks; /* [merge_len] where merges share ranks; NULL: their order is their rank */
    heed__tok_trie frozen; /* tokens found before all others and never joined; len 0: none */
    heed__tok_text unk, prefix, suffix;
    int32_t unk_id;        /* -1: not in the vocabulary */
    int32_t ascii[128];    /* the tokens of single characters, -1: none */
    int32_t byte_id[256];  /* raw: the token of a byte's letter */
    int32_t fallback[256]; /* <0x00> to <0xFF>, -1: none */
    size_t longest;        /* bytes of the longest token */
    bool fuse_unk, byte_fallback, ignore_merges, raw;
    bool has_dropout;
    double dropout; /* kept for saving; encoding is always the same */
} heed__bpe;

extern const heed__tok_ops heed__bpe_ops;
void heed__bpe_free(heed__tok_model *m);
json_t *heed__bpe_save(const heed__tok_model *m);

/* Most pairs that no merge joins are told by one bit. */
static inline uint64_t heed__bpe_bit(const heed__bpe *m, uint64_t hash) {
    return hash >> (61 - m->slot_bits); /* eight bits a slot */
}
static inline bool heed__bpe_may(const heed__bpe *m, uint64_t hash) {
    const uint64_t bit = heed__bpe_bit(m, hash);
    return m->filter[bit / 64] >> bit % 64 & 1;
}

/* The rank of a pair, and what it becomes. */
static inline uint32_t heed__bpe_pair(const heed__bpe *m, int32_t left, int32_t right,
                                      int32_t *id) {
    const uint64_t pair = (uint64_t)(uint32_t)left << 32 | (uint32_t)right;
    const uint64_t mask = ((uint64_t)1 << m->slot_bits) - 1;
    const uint64_t hash = pair * 0x9e3779b97f4a7c15u;
    if (!heed__bpe_may(m, hash)) return HEED_BPE_NONE;
    for (uint64_t i = hash >> (64 - m->slot_bits);; i = (i + 1) & mask) {
        const struct heed__bpe_slot *slot = &m->slots[i];
        if (slot->pair == pair) {
            *id = slot->id;
            return slot->rank;
        }
        if (slot->pair == UINT64_MAX) return HEED_BPE_NONE;
    }
}

#endif
