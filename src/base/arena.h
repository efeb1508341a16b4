/* arena.h: memory that is all given back at once. Chunks grow by doubling; a reset joins them into
 * one of the size that was out at once, so that a loop of equal steps allocates nothing after its
 * first. Used as a stack, blocks go back before that, the last one first. */
#ifndef HEED_BASE_ARENA_H
#define HEED_BASE_ARENA_H

#include "base/alloc.h"

typedef struct heed_arena_chunk heed_arena_chunk;

typedef struct heed_arena {
    heed_hooks hooks;
    heed_arena_chunk *chunk; /* the newest */
    size_t used;             /* bytes handed out since the last reset and not given back */
    size_t most;             /* the most of them at once */
    size_t held;             /* bytes taken from the system */
} heed_arena;

void heed__arena_init(heed_arena *a, const heed_hooks *hooks);
/* Aligned to 64, not filled; NULL: out of memory. */
void *heed__arena_alloc(heed_arena *a, size_t size);
/* Gives back the block that was handed out last of those still out; size as it was asked for. */
void heed__arena_back(heed_arena *a, void *last, size_t size);
void heed__arena_reset(heed_arena *a);
/* An eighth more room in an arena that was reset: what goes a little beyond the size that was known
 * has its place behind the rest, not in a second chunk beside a half-empty first. Room that nobody
 * touches takes address space, and no memory. */
void heed__arena_widen(heed_arena *a);
void heed__arena_free(heed_arena *a);

#endif
