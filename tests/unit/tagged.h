/* tagged.h: small tagged sentences of our own making, drawn by a formula: people, places and firms
 * in a few patterns, so that a small tagger learns them in a second. */
#ifndef HEED_TESTS_TAGGED_H
#define HEED_TESTS_TAGGED_H

#include "heed/tasks.h"

enum { TAGGED_MOST = 400, TAGGED_WORDS = 12 };

typedef struct tagged {
    int64_t start[TAGGED_MOST + 1];
    const char *word[TAGGED_MOST * TAGGED_WORDS], *tag[TAGGED_MOST * TAGGED_WORDS];
    heed_tagged data;
} tagged;

/* len sentences from number `from` on. */
static inline void tagged_make(tagged *t, int64_t from, int64_t len) {
    static const char *const first[] = { "Anna", "Bernd", "Clara", "David", "Edith", "Franz" };
    static const char *const last[] = { "Ahlmann", "Brugger", "Carlsen", "Dorner", "Ekman" };
    static const char *const city[] = { "Basel", "Graz", "Lille", "Turin", "U.S." };
    static const char *const firm[] = { "Acme", "Borealis", "Cobalt", "Delta" };
    static const char *const pattern[][TAGGED_WORDS] = {
        { "f", "l", "lives", "in", "c", ".", NULL },
        { "yesterday", "f", "met", "f", "l", "in", "c", ".", NULL },
        { "o", "Ltd", "opened", "a", "shop", "in", "c", NULL },
        { "the", "rain", "did", "not", "stop", ".", NULL },
        { "f", "works", "for", "o", "Ltd", ".", NULL },
    };
    t->start[0] = 0;
    for (int64_t i = 0; i < len; i++) {
        uint32_t random[4];
        heed_philox(11, 0, (uint64_t)(from + i), random);
        const char *const *p = pattern[random[0] % 5];
        const char *before = "";
        int64_t at = t->start[i];
        for (int k = 0; p[k]; k++, at++) {
            const uint32_t r = random[1 + k % 3] >> (3 * k);
            const char kind = p[k][1] ? 0 : p[k][0];
            t->word[at] = kind == 'f'   ? first[r % 6]
                          : kind == 'l' ? last[r % 5]
                          : kind == 'c' ? city[r % 5]
                          : kind == 'o' ? firm[r % 4]
                                        : p[k];
            const int inside = kind == 'l' || (before[0] == 'o' && !before[1]);
            t->tag[at] = kind == 'c'   ? "B-place"
                         : kind == 'o' ? "B-firm"
                         : kind == 'f' ? "B-person"
                         : inside      ? (kind == 'l' ? "I-person" : "I-firm")
                                       : "O";
            before = p[k];
        }
        t->start[i + 1] = at;
    }
    t->data = (heed_tagged){ len, t->start, t->word, t->tag };
}

/* Settings of a tagger that learns them. */
static inline heed_tag_cfg tagged_cfg(void) {
    return (heed_tag_cfg){ .embed = 8,
                           .features = 8,
                           .field = 4,
                           .buckets = 256,
                           .hidden = 8,
                           .heads = 2,
                           .epochs = 8,
                           .batch = 8,
                           .lr = 0.02,
                           .dropout = -1,
                           .seed = 3,
                           .threads = 1 };
}

#endif
