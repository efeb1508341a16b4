/* arena.h: memory that is all given back at once. Chunks grow by doubling; a reset joins them into
 * one of the size that was handed out, so that a loop of equal steps allocates nothing after its
 * first. */
#ifndef HEED_BASE_ARENA_H
#define HEED_BASE_ARENA_H

#include "base/alloc.h"

typedef struct heed_arena_chunk heed_arena_chunk;

typedef struct heed_arena {
    heed_hooks hooks;
    heed_arena_chunk *chunk; /* the newest */
    size_t used;             /* bytes handed out since the last reset */
    size_t held;             /* bytes taken from the system */
} heed_arena;

void heed__arena_init(heed_arena *a, const heed_hooks *hooks);
/* Aligned to 64, not filled; NULL: out of memory. */
void *heed__arena_alloc(heed_arena *a, size_t size);
void heed__arena_reset(heed_arena *a);
void heed__arena_free(heed_arena *a);

#endif
