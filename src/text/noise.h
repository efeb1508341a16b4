/* noise.h: texts changed a little, as people change them: typing errors, words out of order, words
 * left out. To learn from more than was written, and to see what an answer hangs on. */
#ifndef HEED_TEXT_NOISE_H
#define HEED_TEXT_NOISE_H

#include "heed/base.h"

typedef enum heed_noise {
    HEED_NOISE_TYPO, /* in one word of six two letters change places, one goes or comes twice */
    HEED_NOISE_SWAP, /* one word of six changes places with the next */
    HEED_NOISE_DROP  /* one word of ten is left out, but never all */
} heed_noise;

/* A changed copy, to be freed with heed__free; at least one change where the text has room for one.
 * Ideographs count as words, and change places where a letter would be mistyped. NULL: out of
 * memory. */
char *heed__noise(heed_noise kind, const char *text, heed_rng *rng, const heed_hooks *hooks);

/* A copy with a typing error in each of the words that hold the bytes aim[0..n), rising; what has
 * no room for one stays. As heed__noise. */
char *heed__noise_aimed(const char *text, const size_t *aim, int64_t n, heed_rng *rng,
                        const heed_hooks *hooks);

#endif
