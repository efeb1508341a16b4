/* tok_vocab.h: the vocabulary of a tokenizer: tokens, which are any bytes, and their ids, found
 * both ways. One growing block of bytes, one hash table. */
#ifndef HEED_TEXT_TOK_VOCAB_H
#define HEED_TEXT_TOK_VOCAB_H

#include <jansson.h>
#include <string.h>

#include "heed/base.h"

enum { HEED_TOK_MAX_ID = (1 << 24) - 1 }; /* the highest id that a file may name */

typedef struct heed__tok_vocab {
    heed_hooks hooks;
    char *bytes; /* all tokens, each ended by a zero byte */
    int64_t size, byte_cap;
    struct heed__tok_entry {
        uint32_t at, len;
        int32_t id;
        uint32_t hash;
    } * entries; /* [len] in the order in which they were added */
    int64_t len, entry_cap;
    struct heed__tok_place {
        uint32_t at, len;
    } * by_id; /* [ids] the token of an id; at UINT32_MAX: none */
    int64_t ids, id_cap;
    int32_t *slots; /* [slot_cap] entry + 1, 0: empty; a power of two, at least 2·len */
    int64_t slot_cap;
} heed__tok_vocab;

/* A good and quick hash of bytes; the same on every machine. */
uint32_t heed__tok_hash(const char *bytes, size_t size);

/* v->hooks is the caller's to set; the rest zero. */
void heed__tok_vocab_free(heed__tok_vocab *v);
/* Adds a token. 0; HEED_ENOMEM; HEED_EFORMAT: the id is out of range or has a token already.
 * A token that is there already takes the new id as well as keeping the old one: ids find both,
 * the token finds the new one. */
int heed__tok_vocab_add(heed__tok_vocab *v, const char *token, size_t size, int64_t id);
int32_t heed__tok_vocab_find(const heed__tok_vocab *v, const char *token, size_t size);
const char *heed__tok_vocab_token(const heed__tok_vocab *v, int32_t id, size_t *size);
/* The ids of <0x00> to <0xFF>, -1 where there is none. */
void heed__tok_fallback(const heed__tok_vocab *v, int32_t id[256]);

/* The tokens and ids of a JSON object {"token": id}, as tok_json.h reads it; and the object again,
 * in the order of ids (NULL: out of memory). */
int heed__tok_vocab_load(heed__tok_vocab *v, const json_t *object, const char *name,
                         heed_error *err);
json_t *heed__tok_vocab_save(const heed__tok_vocab *v);

#endif
