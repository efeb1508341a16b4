/* train_words.h: pieces of the training text and how often each was seen, in bounded memory: when
 * there are too many different ones, the rarest go; when their bytes are too many (long pieces,
 * seen once each), no new ones are taken. */
#ifndef HEED_TEXT_TRAIN_WORDS_H
#define HEED_TEXT_TRAIN_WORDS_H

#include "heed/base.h"

typedef struct heed__train_words {
    heed_hooks hooks;
    int64_t most;       /* different pieces kept; 0: 8 million */
    int64_t most_bytes; /* of different pieces; 0: 256 MiB */
    bool full;          /* a new piece was not taken */
    struct heed__train_word {
        int64_t at; /* of its bytes */
        int64_t count;
        uint32_t size, hash;
    } * words; /* [len] */
    int64_t len, cap;
    char *bytes;
    int64_t size, byte_cap;
    int32_t *slots; /* word + 1, 0: empty */
    int64_t slot_cap;
    int64_t dropped; /* the highest count of a piece that was let go; 0: none was */
} heed__train_words;

/* Counts a piece `count` times more. 0 or HEED_ENOMEM. */
int heed__train_words_add(heed__train_words *w, const char *piece, size_t size, int64_t count);
/* The commonest first, equal ones in the order of their bytes; nothing may be added after. */
int heed__train_words_sort(heed__train_words *w);
void heed__train_words_free(heed__train_words *w);

#endif
