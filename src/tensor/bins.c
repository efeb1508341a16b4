/* bins.c: blocks of a step's arena that can be used again before the step ends.
 *
 * Sizes are rounded up to one of eight classes to each power of two (at most an eighth is lost). A
 * block that has come to its end goes to the list of its class, and the next block of that class is
 * taken from there. Gradients of a step and scratch go through here, so that a backward pass needs
 * little more memory than the activations. */
#include "tensor/bins.h"

enum { UNIT = 64, HEADER = 64 };

/* What stands before every scratch block; gradient blocks carry none, their size is known. */
typedef struct temp {
    struct temp *next;
    size_t size;
} temp;

/* The class of a block of `units` 64-byte units and, in *units, what that class holds. */
static int class_of(size_t *units) {
    size_t u = *units;
    if (u < 8) return (int)u;
    int top = 0;
    while (u >> (top + 1)) top++;
    const int shift = top - 3; /* three bits below the leading one are kept */
    size_t kept = (u >> shift) + ((u & (((size_t)1 << shift) - 1)) != 0);
    *units = kept << shift; /* kept may be 16, the first class of the next octave */
    return kept == 16 ? (shift + 2) * 8 : (shift + 1) * 8 + (int)(kept - 8);
}

void *heed__bin_take(heed_ctx *cx, size_t size) {
    if (size > PTRDIFF_MAX / 2) {
        heed_fail(cx, HEED_ENOMEM, "a block of %zu bytes is more than memory can hold", size);
        return NULL;
    }
    size_t units = size / UNIT + (size % UNIT != 0 || size == 0);
    const int c = class_of(&units);
    void *p = cx->bin[c];
    if (p) {
        cx->bin[c] = *(void **)p;
        return p;
    }
    p = heed__arena_alloc(&cx->arena, units * UNIT);
    if (!p) heed_fail(cx, HEED_ENOMEM, "out of memory for %zu bytes of a step", units * UNIT);
    return p;
}

void heed__bin_give(heed_ctx *cx, void *block, size_t size) {
    if (!block) return;
    size_t units = size / UNIT + (size % UNIT != 0 || size == 0);
    const int c = class_of(&units);
    *(void **)block = cx->bin[c];
    cx->bin[c] = block;
}

void *heed__temp(heed_ctx *cx, int64_t count, size_t size) {
    if (!cx) return NULL;
    if (count < 0 || (size && (uint64_t)count > (PTRDIFF_MAX / 2 - HEADER) / size)) {
        heed_fail(cx, HEED_ENOMEM, "%lld items of %zu bytes are more than memory can hold",
                  (long long)count, size);
        return NULL;
    }
    const size_t bytes = (size_t)count * size + HEADER;
    temp *t = heed__bin_take(cx, bytes);
    if (!t) return NULL;
    t->next = NULL;
    t->size = bytes;
    return (char *)t + HEADER;
}

void heed__temp_end(heed_ctx *cx, void *block) {
    if (!block) return;
    temp *t = (temp *)((char *)block - HEADER);
    heed__bin_give(cx, t, t->size);
}

void *heed__temp_of_backward(heed_ctx *cx, int64_t count, size_t size) {
    void *p = heed__temp(cx, count, size);
    if (!p) return NULL;
    temp *t = (temp *)((char *)p - HEADER);
    t->next = cx->temps;
    cx->temps = t;
    return p;
}

void heed__temps_end(heed_ctx *cx) {
    for (temp *t = cx->temps, *next; t; t = next) {
        next = t->next;
        heed__bin_give(cx, t, t->size);
    }
    cx->temps = NULL;
}
