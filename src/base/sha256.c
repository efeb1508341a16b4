/* sha256.c: SHA-256 as FIPS 180-4 writes it, HMAC, and what keys and signatures need besides. */
#include "base/sha256.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "base/alloc.h"
#include "base/text.h"

/* The first 32 bits of the fractional parts of the cube roots of the first 64 primes. */
static const uint32_t round_constant[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static uint32_t turn(uint32_t x, int n) {
    return x >> n | x << (32 - n);
}

static uint32_t load(const unsigned char *p) {
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void store(unsigned char *p, uint32_t x) {
    for (int i = 0; i < 4; i++) p[i] = (unsigned char)(x >> (24 - 8 * i));
}

static void add_block(uint32_t state[8], const unsigned char *block) {
    uint32_t w[64];
    for (int t = 0; t < 16; t++) w[t] = load(block + 4 * t);
    for (int t = 16; t < 64; t++) {
        const uint32_t a = w[t - 15], b = w[t - 2];
        w[t] = w[t - 16] + (turn(a, 7) ^ turn(a, 18) ^ a >> 3) + w[t - 7] +
               (turn(b, 17) ^ turn(b, 19) ^ b >> 10);
    }
    uint32_t v[8]; /* a to h */
    memcpy(v, state, sizeof v);
    for (int t = 0; t < 64; t++) {
        const uint32_t e = v[4], a = v[0];
        const uint32_t one = v[7] + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) +
                             ((e & v[5]) ^ (~e & v[6])) + round_constant[t] + w[t];
        const uint32_t two = (turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) +
                             ((a & v[1]) ^ (a & v[2]) ^ (v[1] & v[2]));
        memmove(v + 1, v, 7 * sizeof *v);
        v[4] += one;
        v[0] = one + two;
    }
    for (int i = 0; i < 8; i++) state[i] += v[i];
}

void heed__sha256_init(heed_sha256 *s) {
    static const uint32_t first[8] = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                       0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19 };
    memcpy(s->state, first, sizeof first);
    s->size = 0;
}

void heed__sha256_add(heed_sha256 *s, const void *data, size_t size) {
    const unsigned char *p = data;
    const size_t held = (size_t)(s->size % 64);
    if (size == 0) return;
    s->size += size;
    if (held > 0) {
        const size_t n = size < 64 - held ? size : 64 - held;
        if (n > 0) memcpy(s->block + held, p, n);
        p += n;
        size -= n;
        if (held + n < 64) return;
        add_block(s->state, s->block);
    }
    for (; size >= 64; p += 64, size -= 64) add_block(s->state, p);
    if (size > 0) memcpy(s->block, p, size);
}

void heed__sha256_end(heed_sha256 *s, unsigned char out[HEED_SHA256_SIZE]) {
    static const unsigned char padding[64] = { 0x80 };
    const uint64_t bits = s->size * 8;
    const size_t held = (size_t)(s->size % 64);
    unsigned char length[8];
    store(length, (uint32_t)(bits >> 32));
    store(length + 4, (uint32_t)bits);
    heed__sha256_add(s, padding, held < 56 ? 56 - held : 120 - held);
    heed__sha256_add(s, length, sizeof length);
    for (int i = 0; i < 8; i++) store(out + 4 * i, s->state[i]);
}

void heed__sha256(const void *data, size_t size, unsigned char out[HEED_SHA256_SIZE]) {
    heed_sha256 s;
    heed__sha256_init(&s);
    heed__sha256_add(&s, data, size);
    heed__sha256_end(&s, out);
}

void heed__hmac_init(heed_hmac *h, const void *key, size_t key_size) {
    unsigned char block[64] = { 0 };
    if (key_size > sizeof block)
        heed__sha256(key, key_size, block);
    else if (key_size > 0)
        memcpy(block, key, key_size);
    for (size_t i = 0; i < sizeof block; i++) block[i] ^= 0x36;
    heed__sha256_init(&h->inner);
    heed__sha256_add(&h->inner, block, sizeof block);
    for (size_t i = 0; i < sizeof block; i++) block[i] ^= 0x36 ^ 0x5c;
    heed__sha256_init(&h->outer);
    heed__sha256_add(&h->outer, block, sizeof block);
}

void heed__hmac_add(heed_hmac *h, const void *data, size_t size) {
    heed__sha256_add(&h->inner, data, size);
}

void heed__hmac_end(heed_hmac *h, unsigned char out[HEED_SHA256_SIZE]) {
    unsigned char inner[HEED_SHA256_SIZE];
    heed__sha256_end(&h->inner, inner);
    heed__sha256_add(&h->outer, inner, sizeof inner);
    heed__sha256_end(&h->outer, out);
}

void heed__hmac(const void *key, size_t key_size, const void *data, size_t size,
                unsigned char out[HEED_SHA256_SIZE]) {
    heed_hmac h;
    heed__hmac_init(&h, key, key_size);
    heed__hmac_add(&h, data, size);
    heed__hmac_end(&h, out);
}

char *heed__hex(const unsigned char *data, size_t size, char *text) {
    for (size_t i = 0; i < size; i++) {
        text[2 * i] = "0123456789abcdef"[data[i] >> 4];
        text[2 * i + 1] = "0123456789abcdef"[data[i] & 15];
    }
    text[2 * size] = 0;
    return text;
}

bool heed__equal_secret(const void *a, const void *b, size_t size) {
    const volatile unsigned char *x = a, *y = b;
    unsigned differ = 0;
    for (size_t i = 0; i < size; i++) differ |= (unsigned)x[i] ^ y[i];
    return differ == 0;
}

int heed__random_bytes(void *to, size_t size, heed_error *err) {
    unsigned char *p = to;
    while (size > 0) {
        const ssize_t n = getrandom(p, size, 0);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0)
            return heed__error(err, HEED_EIO, "the system gives no random bytes: %s",
                               heed__errno_text(errno));
        p += n;
        size -= (size_t)n;
    }
    return HEED_OK;
}
