/* hash.h: FNV-1a (Fowler, Noll and Vo), 64 bits: for tables and for noticing that data is another;
 * not against somebody who means harm (base/sha256.h). What a table needs besides, so that every
 * bit depends on all, is heed__hash_spread. */
#ifndef HEED_BASE_HASH_H
#define HEED_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

#define HEED_HASH_BEGIN 0xcbf29ce484222325u

static inline uint64_t heed__hash_one(uint64_t h, uint64_t value) {
    return (h ^ value) * 0x100000001b3u;
}

static inline uint64_t heed__hash_more(uint64_t h, const void *data, size_t size) {
    const unsigned char *at = data;
    for (size_t i = 0; i < size; i++) h = heed__hash_one(h, at[i]);
    return h;
}

/* Of a text, without its last 0 byte. */
static inline uint64_t heed__hash_text(uint64_t h, const char *text) {
    for (; *text; text++) h = heed__hash_one(h, (unsigned char)*text);
    return h;
}

/* The last steps of MurmurHash3 (Appleby). */
static inline uint64_t heed__hash_spread(uint64_t h) {
    h = (h ^ h >> 33) * 0xff51afd7ed558ccdu;
    h = (h ^ h >> 33) * 0xc4ceb9fe1a85ec53u;
    return h ^ h >> 33;
}

#endif
