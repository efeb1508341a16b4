/* alloc.c: every allocation of the library, through the caller's hooks where there are any. */
#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { ALIGN = 64, LARGE = 4 << 20 };

void *heed__malloc(const heed_hooks *hooks, size_t size) {
    if (size == 0) size = 1;
    if (size > PTRDIFF_MAX) return NULL;
    return hooks && hooks->alloc ? hooks->alloc(hooks->user, size) : malloc(size);
}

void heed__free(const heed_hooks *hooks, void *memory) {
    if (!memory) return;
    if (hooks && hooks->alloc)
        hooks->release(hooks->user, memory);
    else
        free(memory);
}

void *heed__calloc(const heed_hooks *hooks, size_t count, size_t size) {
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) return NULL;
    if (!hooks || !hooks->alloc) return calloc(bytes ? bytes : 1, 1);
    void *memory = heed__malloc(hooks, bytes);
    if (memory) memset(memory, 0, bytes);
    return memory;
}

/* Asks the system for large pages under a block of many: fewer faults when it is first written, and
 * rows that lie pages apart, as in every product, find their addresses sooner. A wish only. */
static void wish_large_pages(char *memory, size_t size) {
#ifdef MADV_HUGEPAGE
    const size_t page = (size_t)sysconf(_SC_PAGESIZE),
                 skip = (page - (uintptr_t)memory % page) % page;
    (void)madvise(memory + skip, (size - skip) / page * page, MADV_HUGEPAGE);
#else
    (void)memory, (void)size;
#endif
}

/* The pointer that was allocated lies just before the aligned one. */
void *heed__aligned(const heed_hooks *hooks, size_t size) {
    if (size > PTRDIFF_MAX - (ALIGN + sizeof(void *))) return NULL;
    char *base = heed__malloc(hooks, size + ALIGN + sizeof(void *));
    if (!base) return NULL;
    char *memory = base + sizeof(void *);
    memory += (ALIGN - (uintptr_t)memory % ALIGN) % ALIGN;
    memcpy(memory - sizeof(void *), &base, sizeof base);
    if (size >= LARGE && !(hooks && hooks->alloc)) wish_large_pages(memory, size);
    return memory;
}

void heed__aligned_free(const heed_hooks *hooks, void *memory) {
    if (!memory) return;
    void *base;
    memcpy(&base, (char *)memory - sizeof(void *), sizeof base);
    heed__free(hooks, base);
}

int heed__grow(const heed_hooks *hooks, void *items, int64_t *cap, int64_t need, size_t size) {
    if (need <= *cap) return HEED_OK;
    int64_t room = *cap < 8 ? 8 : *cap;
    while (room < need) {
        if (__builtin_mul_overflow(room, (int64_t)2, &room)) return HEED_ENOMEM;
    }
    size_t bytes;
    if (__builtin_mul_overflow((size_t)room, size, &bytes)) return HEED_ENOMEM;
    void *old, *grown = heed__malloc(hooks, bytes);
    if (!grown) return HEED_ENOMEM;
    memcpy(&old, items, sizeof old);
    if (old && *cap > 0) memcpy(grown, old, (size_t)*cap * size);
    heed__free(hooks, old);
    memcpy(items, &grown, sizeof grown);
    *cap = room;
    return HEED_OK;
}

char *heed__strdup(const heed_hooks *hooks, const char *text) {
    const size_t size = strlen(text) + 1;
    char *copy = heed__malloc(hooks, size);
    if (copy) memcpy(copy, text, size);
    return copy;
}
