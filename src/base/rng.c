/* rng.c: counter-based random numbers, the same on every machine.
 *
 * Philox4x32-10: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", 2011.
 * The 128-bit counter is (counter, stream), the key is the seed. Normals are Box and Muller's
 * (1958)
 *
 *     z = sqrt(-2 ln u) · cos(2π v)         u in (0,1], v in [0,1), 32 bits each
 *
 * in double, by the series of elementary.h: +, -, ·, / and sqrt alone, so no bit depends on a libm.
 * Their errors are far under the rounding to float that follows. */
#include "heed/base.h"

#include <math.h>
#include <string.h>

#include "base/elementary.h"

void heed_philox(uint64_t seed, uint64_t stream, uint64_t counter, uint32_t out[4]) {
    uint32_t c0 = (uint32_t)counter, c1 = (uint32_t)(counter >> 32);
    uint32_t c2 = (uint32_t)stream, c3 = (uint32_t)(stream >> 32);
    uint32_t k0 = (uint32_t)seed, k1 = (uint32_t)(seed >> 32);
    for (int round = 0; round < 10; round++) {
        const uint64_t a = (uint64_t)0xD2511F53u * c0, b = (uint64_t)0xCD9E8D57u * c2;
        c0 = (uint32_t)(b >> 32) ^ c1 ^ k0;
        c2 = (uint32_t)(a >> 32) ^ c3 ^ k1;
        c1 = (uint32_t)b;
        c3 = (uint32_t)a;
        k0 += 0x9E3779B9u; /* the golden ratio */
        k1 += 0xBB67AE85u; /* sqrt(3) - 1 */
    }
    out[0] = c0;
    out[1] = c1;
    out[2] = c2;
    out[3] = c3;
}

uint32_t heed_rng_u32(heed_rng *rng) {
    uint32_t out[4];
    heed_philox(rng->seed, rng->stream, rng->drawn / 4, out);
    return out[rng->drawn++ % 4];
}

/* Two numbers at an even place of the sequence: one call of the generator serves both. */
static void draw_pair(heed_rng *rng, uint32_t pair[2]) {
    uint32_t out[4];
    rng->drawn += rng->drawn % 2;
    heed_philox(rng->seed, rng->stream, rng->drawn / 4, out);
    memcpy(pair, out + rng->drawn % 4, 2 * sizeof *pair);
    rng->drawn += 2;
}

uint64_t heed_rng_below(heed_rng *rng, uint64_t n) {
    if (n == 0) return 0;
    /* 2^64 mod n: values below it would make small results likelier, so they are drawn again */
    const uint64_t reject = (0 - n) % n;
    uint64_t x;
    do {
        uint32_t pair[2];
        draw_pair(rng, pair);
        x = (uint64_t)pair[0] << 32 | pair[1];
    } while (x < reject);
    return x % n;
}

float heed_rng_uniform(heed_rng *rng) {
    return (float)(heed_rng_u32(rng) >> 8) * 0x1p-24f;
}

float heed_rng_normal(heed_rng *rng) {
    uint32_t pair[2];
    draw_pair(rng, pair);
    const double u = (pair[0] + 1.0) * 0x1p-32, v = pair[1] * 0x1p-32;
    return (float)(sqrt(-2 * heed__ln(u)) * heed__cos_turn(v));
}

void heed_rng_shuffle(heed_rng *rng, int64_t *items, int64_t n) {
    for (int64_t i = n - 1; i > 0; i--) {
        const int64_t j = (int64_t)heed_rng_below(rng, (uint64_t)i + 1);
        const int64_t t = items[i];
        items[i] = items[j];
        items[j] = t;
    }
}
