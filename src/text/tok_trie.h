/* tok_trie.h: a double-array trie (Aoe 1989) over bytes: from a node and a byte to the next node in
 * one look, so that all tokens that begin at a place of a text are found in one walk. */
#ifndef HEED_TEXT_TOK_TRIE_H
#define HEED_TEXT_TOK_TRIE_H

#include "heed/base.h"

typedef struct heed__tok_trie {
    heed_hooks hooks;
    struct heed__trie_unit {
        int32_t base;  /* the child by byte c is unit base + c, if its check says so */
        int32_t check; /* the parent; -1: free */
        int32_t value; /* of the key that ends here; -1: none does */
    } * units;         /* [len] unit 0 is the root; base + 255 < len for every base */
    int64_t len, cap;
} heed__tok_trie;

typedef struct heed__trie_key {
    const char *key;
    uint32_t size;
    int32_t value; /* not negative */
} heed__trie_key;

/* Makes the trie of n keys, no two alike, none empty; sorts them. t->hooks is set, the rest zero.
 * 0 or HEED_ENOMEM. */
int heed__trie_build(heed__tok_trie *t, heed__trie_key *keys, int64_t n);
void heed__trie_free(heed__tok_trie *t);

/* The child of a node by a byte, or -1. The trie must have been built. */
static inline int32_t heed__trie_step(const heed__tok_trie *t, int32_t node, unsigned char byte) {
    const int32_t child = t->units[node].base + byte;
    return t->units[child].check == node ? child : -1;
}

#endif
