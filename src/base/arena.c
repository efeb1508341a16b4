/* arena.c: chunks in a list, the newest first; an allocation takes the next bytes of the newest.
 *
 *     chunk -> [ header | ......used...... | free ]  ->  older chunk  ->  older chunk
 */
#include "base/arena.h"

enum { ALIGN = 64, FIRST = 64 * 1024 };

struct heed_arena_chunk {
    heed_arena_chunk *older;
    size_t size, used; /* of data, which begins ALIGN bytes after this header */
};

void heed__arena_init(heed_arena *a, const heed_hooks *hooks) {
    *a = (heed_arena){ .hooks = hooks ? *hooks : (heed_hooks){ 0 } };
}

static heed_arena_chunk *add_chunk(heed_arena *a, size_t size) {
    _Static_assert(sizeof(heed_arena_chunk) <= ALIGN, "the header lies before the first data");
    heed_arena_chunk *c = heed__aligned(&a->hooks, size + ALIGN);
    if (!c) return NULL;
    *c = (heed_arena_chunk){ .older = a->chunk, .size = size };
    a->chunk = c;
    a->held += size;
    return c;
}

/* Bytes that an allocation of `size` takes. */
static size_t rounded(size_t size) {
    return size ? (size + ALIGN - 1) / ALIGN * ALIGN : ALIGN;
}

void *heed__arena_alloc(heed_arena *a, size_t size) {
    if (size > PTRDIFF_MAX - 4096) return NULL;
    size = rounded(size);
    heed_arena_chunk *c = a->chunk;
    if (!c || c->size - c->used < size) {
        /* As much again as is held already: doubling. Where that much is not to be had, what is
         * asked for will do. */
        size_t want = a->held < FIRST ? FIRST : a->held;
        if (want < size || want > PTRDIFF_MAX - 4096) want = size;
        c = add_chunk(a, want);
        if (!c && want > size) c = add_chunk(a, size);
        if (!c) return NULL;
    }
    void *memory = (char *)c + ALIGN + c->used;
    c->used += size;
    a->used += size;
    if (a->used > a->most) a->most = a->used;
    return memory;
}

void heed__arena_back(heed_arena *a, void *last, size_t size) {
    heed_arena_chunk *c = a->chunk;
    size = rounded(size);
    a->used -= size;
    if ((char *)last + size == (char *)c + ALIGN + c->used) c->used -= size;
}

void heed__arena_reset(heed_arena *a) {
    const size_t most = a->most;
    a->used = a->most = 0;
    if (!a->chunk) return;
    if (a->chunk->older) { /* one chunk of what was out at once, without left ends */
        heed__arena_free(a);
        add_chunk(a, most); /* failure leaves an empty arena, which is a good one */
    } else {
        a->chunk->used = 0;
    }
}

void heed__arena_widen(heed_arena *a) {
    if (!a->chunk || a->chunk->older || a->used) return;
    const size_t size = a->chunk->size;
    heed__arena_free(a);
    if (!add_chunk(a, size + size / 8)) add_chunk(a, size);
}

void heed__arena_free(heed_arena *a) {
    while (a->chunk) {
        heed_arena_chunk *older = a->chunk->older;
        heed__aligned_free(&a->hooks, a->chunk);
        a->chunk = older;
    }
    a->used = a->most = a->held = 0;
}
