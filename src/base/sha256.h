/* sha256.h: SHA-256 (FIPS 180-4), HMAC over it (RFC 2104), and comparison in constant time.
 *
 *     unsigned char sum[HEED_SHA256_SIZE];
 *     char text[2 * HEED_SHA256_SIZE + 1];
 *     heed__sha256(data, size, sum);
 *     heed__hex(sum, sizeof sum, text);                   // 64 digits and a 0 byte
 */
#ifndef HEED_BASE_SHA256_H
#define HEED_BASE_SHA256_H

#include "heed/base.h"

enum { HEED_SHA256_SIZE = 32 };

void heed__sha256(const void *data, size_t size, unsigned char out[HEED_SHA256_SIZE]);

/* In pieces: init, add any number of times, end. */
typedef struct heed_sha256 {
    uint32_t state[8];
    uint64_t size; /* bytes added */
    unsigned char block[64];
} heed_sha256;
void heed__sha256_init(heed_sha256 *s);
void heed__sha256_add(heed_sha256 *s, const void *data, size_t size);
void heed__sha256_end(heed_sha256 *s, unsigned char out[HEED_SHA256_SIZE]);

/* A keyed sum, in pieces like the above or at once. */
typedef struct heed_hmac {
    heed_sha256 inner, outer;
} heed_hmac;
void heed__hmac_init(heed_hmac *h, const void *key, size_t key_size);
void heed__hmac_add(heed_hmac *h, const void *data, size_t size);
void heed__hmac_end(heed_hmac *h, unsigned char out[HEED_SHA256_SIZE]);
void heed__hmac(const void *key, size_t key_size, const void *data, size_t size,
                unsigned char out[HEED_SHA256_SIZE]);

/* Lowercase hexadecimal digits and a 0 byte: 2 * size + 1 bytes. Returns text. */
char *heed__hex(const unsigned char *data, size_t size, char *text);

/* Whether size bytes are equal, in a time that does not depend on where they differ. */
bool heed__equal_secret(const void *a, const void *b, size_t size);

/* Bytes from the system's source for keys. 0 or HEED_EIO. */
int heed__random_bytes(void *to, size_t size, heed_error *err);

#endif
