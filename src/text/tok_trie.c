/* tok_trie.c: making a double-array trie from sorted keys: each node looks for the first base at
 * which all of its children find free units; where units are nearly all taken, later searches begin
 * behind them. */
#include "text/tok_trie.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

enum { FREE = -1, BYTES = 256 };

/* A node whose children are still to be placed: keys [lo,hi) share the first `depth` bytes. */
typedef struct task {
    int32_t node;
    uint32_t depth;
    int64_t lo, hi;
} task;

typedef struct builder {
    heed__tok_trie *t;
    const heed__trie_key *keys;
    task *stack;
    int64_t top, stack_cap;
    int64_t search_from;
    unsigned char byte[BYTES]; /* of the children of the node at hand, rising */
    int64_t first[BYTES + 1];  /* and the first key of each */
    int children;
} builder;

static int by_bytes(const void *a, const void *b) {
    const heed__trie_key *x = a, *y = b;
    const int order = memcmp(x->key, y->key, x->size < y->size ? x->size : y->size);
    return order ? order : x->size < y->size ? -1 : x->size > y->size;
}

static int ensure(heed__tok_trie *t, int64_t need) {
    if (need > INT32_MAX - BYTES) return HEED_ENOMEM;
    if (heed__grow(&t->hooks, &t->units, &t->cap, need, sizeof *t->units)) return HEED_ENOMEM;
    for (; t->len < need; t->len++) t->units[t->len] = (struct heed__trie_unit){ 0, FREE, -1 };
    return 0;
}

/* The first base where every child finds a free unit; negative: out of memory. */
static int64_t find_base(builder *b) {
    heed__tok_trie *t = b->t;
    int64_t at = b->search_from, taken = 0, looked = 0;
    if (at <= b->byte[0]) at = b->byte[0] + 1;
    for (;; at++) {
        if (ensure(t, at + BYTES + 1)) return -1;
        looked++;
        if (t->units[at].check != FREE) {
            taken++;
            continue;
        }
        const int64_t base = at - b->byte[0];
        int i = 1;
        while (i < b->children && t->units[base + b->byte[i]].check == FREE) i++;
        if (i < b->children) continue;
        if (looked > 64 && taken * 20 >= looked * 19) b->search_from = at;
        return ensure(t, base + BYTES) ? -1 : base;
    }
}

/* Groups keys [lo,hi) by the byte at depth; a key that ends there has given its value before. */
static void group(builder *b, const task *k) {
    b->children = 0;
    for (int64_t i = k->lo; i < k->hi; i++) {
        const unsigned char byte = (unsigned char)b->keys[i].key[k->depth];
        if (b->children && b->byte[b->children - 1] == byte) continue;
        b->byte[b->children] = byte;
        b->first[b->children++] = i;
    }
    b->first[b->children] = k->hi;
}

static int place(builder *b, task k) {
    heed__tok_trie *t = b->t;
    if (k.lo < k.hi && b->keys[k.lo].size == k.depth)
        t->units[k.node].value = b->keys[k.lo++].value; /* the shortest comes first */
    if (k.lo == k.hi) return 0;
    group(b, &k);
    const int64_t base = find_base(b);
    if (base < 0 ||
        heed__grow(&t->hooks, &b->stack, &b->stack_cap, b->top + b->children, sizeof *b->stack))
        return HEED_ENOMEM;
    t->units[k.node].base = (int32_t)base;
    for (int i = 0; i < b->children; i++) t->units[base + b->byte[i]].check = k.node;
    for (int i = b->children; i-- > 0;)
        b->stack[b->top++] = (task){ (int32_t)base + b->byte[i], k.depth + 1, b->first[i],
                                     b->first[i + 1] };
    return 0;
}

int heed__trie_build(heed__tok_trie *t, heed__trie_key *keys, int64_t n) {
    if (n) qsort(keys, (size_t)n, sizeof *keys, by_bytes);
    builder b = { .t = t, .keys = keys, .search_from = 1 };
    int rc = ensure(t, 2 * BYTES);
    if (!rc) {
        t->units[0].check = INT32_MAX; /* the root is nobody's child */
        rc = place(&b, (task){ 0, 0, 0, n });
    }
    while (!rc && b.top) {
        const task k = b.stack[--b.top];
        rc = place(&b, k);
    }
    heed__free(&t->hooks, b.stack);
    return rc;
}

void heed__trie_free(heed__tok_trie *t) {
    heed__free(&t->hooks, t->units);
    *t = (heed__tok_trie){ .hooks = t->hooks };
}
