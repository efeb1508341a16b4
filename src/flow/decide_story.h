/* decide_story.h: what stories are remembered by. Two rings and a table of chains; numbers of ring
 * places count since the beginning, so that what was overwritten is known by its number. */
#ifndef HEED_FLOW_DECIDE_STORY_H
#define HEED_FLOW_DECIDE_STORY_H

#include "flow/decide_impl.h"

enum {
    MOST_SHINGLES = 64,
    SKETCH = 8,
    POOL = 1 << 20,     /* shingles */
    POSTINGS = 1 << 18, /* sketches' entries */
    CHAINS = 1 << 18,
    DFS = 1 << 16, /* how many stories had a shingle, by its hash */
    LNS = 4096,
    MOST_DIM = 4096,
    VECTOR_BYTES = 1 << 22
};

typedef struct heed_posting {
    int64_t event;
    uint32_t shingle, back; /* back: to the one before it in its chain; 0: none */
} heed_posting;

struct heed_stories {
    uint32_t *pool;
    int64_t pooled;
    heed_posting *posting;
    int64_t postings;
    int64_t *newest; /* [CHAINS] number of the newest posting + 1 */
    uint16_t *df;
    int64_t stories; /* that df counts */
    int8_t *vector;  /* [vectors, dim] */
    int64_t vectors, dim, vector_from;
    double *ln; /* [LNS] ln(i + 1) */
    /* of the event under way */
    uint32_t mine[MOST_SHINGLES], rarest[SKETCH];
    int mine_n, mine_sketch;
};

#endif
