/* bins.c: blocks of a step that are used again before the step ends.
 *
 * Gradients lie in bins, which are blocks of the step's arena. Which bin a gradient takes is a plan
 * that the first step makes: a free one of its class (sizes are rounded up to one of eight classes
 * to each power of two), else a new one. Later steps take the same bins in the same order, each of
 * the size of the largest gradient that it ever held. So a step that is no larger than one of its
 * kind before it needs no more memory, whichever sizes it has: bins chosen by size alone would be
 * shared by gradients that are alike in one shape and not in another. Steps are of one kind when
 * their tapes hold the same operations; a few kinds have a plan each.
 *
 * Scratch is a stack beside the arena: a block goes when it and all above it have come to their
 * end. Its height too grows with the sizes alone.
 */
#include "tensor/bins.h"

#include <string.h>

#include "base/hash.h"

enum { UNIT = 64, HEADER = 64, LEAST_BINS = 128, LEAST_TAKES = 256, NOBODY = -1 };

struct heed_bin {
    void *block;                  /* NULL: not in this step, so far */
    size_t size;                  /* with its header */
    size_t want;                  /* what it should have been in this step */
    int64_t next_free, next_idle; /* in ctx's chains; next_idle among the spare ones too */
    int kind;                     /* of the step that it serves; NOBODY: none any more */
    bool taken, listed;           /* listed: in a chain of free ones, which it may have left */
};

/* -- gradients -------------------------------------------------------------------------------- */

/* What stands before a gradient. */
typedef struct head {
    int64_t bin;
} head;

/* The least size of a class that holds `size`. */
static size_t class_size(size_t size) {
    const size_t u = (size + UNIT - 1) / UNIT;
    if (u < 8) return u * UNIT;
    int top = 0;
    while (u >> (top + 1)) top++;
    const int shift = top - 3; /* three bits below the leading one are kept */
    return ((u + ((size_t)1 << shift) - 1) >> shift << shift) * UNIT;
}

/* The number of a class: eight to each power of two of units. */
static int class_of(size_t size) {
    const size_t u = (size - HEADER) / UNIT;
    if (u < 8) return (int)u;
    int top = 0;
    while (u >> (top + 1)) top++;
    return 8 * top + (int)(u >> (top - 3)) - 8;
}

/* A bin that was in this step and is free; -1: none of that size. Those that the plan has taken
 * meanwhile leave their chain here. */
static int64_t pop_free(heed_ctx *cx, size_t size) {
    int64_t *first = &cx->bin_free[class_of(size)];
    while (*first) {
        const int64_t i = *first - 1;
        heed_bin *b = &cx->bin[i];
        *first = b->next_free;
        b->listed = false;
        if (!b->taken && b->size == size) return i;
    }
    return -1;
}

/* A bin of the step's kind that is not in it so far; -1: none of that size. */
static int64_t pop_idle(heed_ctx *cx, size_t size) {
    for (int64_t i = 0; !cx->idle_known && i < cx->bin_count; i++) {
        heed_bin *b = &cx->bin[i];
        if (b->kind != cx->kind || b->block) continue;
        int64_t *first = &cx->bin_idle[class_of(b->size)];
        b->next_idle = *first;
        *first = i + 1;
    }
    cx->idle_known = true;
    int64_t *first = &cx->bin_idle[class_of(size)];
    while (*first) {
        const int64_t i = *first - 1;
        *first = cx->bin[i].next_idle;
        if (!cx->bin[i].block && cx->bin[i].size == size) return i;
    }
    return -1;
}

/* A bin that serves nobody, or a new one; -1: no memory. */
static int64_t new_bin(heed_ctx *cx) {
    const int64_t spare = cx->bin_spare - 1;
    if (spare >= 0) {
        cx->bin_spare = cx->bin[spare].next_idle;
        return spare;
    }
    const int64_t need = cx->bin_count < LEAST_BINS ? LEAST_BINS : cx->bin_count + 1;
    if (heed__grow(&cx->hooks, &cx->bin, &cx->bin_cap, need, sizeof *cx->bin)) return -1;
    return cx->bin_count++;
}

/* A free bin of the step's kind for `size`: of its class, rather one that this step has in use
 * already; or a new one. -1: no memory. */
static int64_t choose(heed_ctx *cx, size_t size) {
    int64_t i = pop_free(cx, size);
    if (i < 0) i = pop_idle(cx, size);
    if (i >= 0) return i;
    i = new_bin(cx);
    if (i >= 0) cx->bin[i] = (heed_bin){ .size = size, .kind = cx->kind };
    return i;
}

/* The operations of a tape, and whether each goes on from the one before it. */
static uint64_t tape_of(const heed_ctx *cx) {
    uint64_t h = HEED_HASH_BEGIN;
    for (int64_t i = 0; i < cx->node_count; i++) {
        const heed_node *n = &cx->nodes[i];
        if (n->op->name) h = heed__hash_text(h, n->op->name);
        for (int s = 0; s < n->count; s++) {
            const bool next = i > 0 && n->src[s] == cx->nodes[i - 1].out;
            h = heed__hash_one(h, next ? 3 : !n->src[s] ? 0 : n->src[s]->needs_grad ? 2 : 1);
        }
    }
    return heed__hash_spread(h);
}

/* The kind of a step by its tape: one that is known, or one that takes the place of the oldest. */
static void know(heed_ctx *cx) {
    const uint64_t tape = tape_of(cx);
    cx->known = true;
    for (cx->kind = 0; cx->kind < HEED_STEP_KINDS; cx->kind++)
        if (cx->plan[cx->kind].takes && cx->plan[cx->kind].tape == tape) return;
    cx->kind = cx->next_kind;
    cx->next_kind = (cx->next_kind + 1) % HEED_STEP_KINDS;
    cx->plan[cx->kind] = (heed_bin_plan){ .tape = tape };
    for (int64_t i = 0; i < cx->bin_count; i++) {
        heed_bin *b = &cx->bin[i];
        if (b->kind != cx->kind) continue;
        b->kind = NOBODY;
        b->next_idle = cx->bin_spare;
        cx->bin_spare = i + 1;
    }
}

/* The bin of the step's next gradient, by the plan where it has one that will do. -1: no memory. */
static int64_t next_bin(heed_ctx *cx, size_t size) {
    if (!cx->known) know(cx);
    heed_bin_plan *plan = &cx->plan[cx->kind];
    const int64_t k = cx->takes, at = k * HEED_STEP_KINDS + cx->kind;
    if (k == plan->takes) {
        const int64_t need = (k < LEAST_TAKES ? LEAST_TAKES : k + 1) * HEED_STEP_KINDS;
        if (heed__grow(&cx->hooks, &cx->order, &cx->order_cap, need, sizeof *cx->order)) return -1;
        cx->order[at] = choose(cx, size);
        if (cx->order[at] >= 0) plan->takes++;
        return cx->order[at];
    }
    heed_bin *b = &cx->bin[cx->order[at]];
    if (b->taken) return choose(cx, size); /* a step of another kind after all */
    if (b->size < size && b->block) {
        if (b->want < size) b->want = size; /* from the next step on */
        return choose(cx, size);
    }
    if (b->size < size) b->size = size;
    return cx->order[at];
}

static void no_memory(heed_ctx *cx, size_t size) {
    heed_fail(cx, HEED_ENOMEM, "out of memory for %zu bytes of a step", size);
}

void *heed__bin_take(heed_ctx *cx, size_t size) {
    if (size > PTRDIFF_MAX / 2) {
        heed_fail(cx, HEED_ENOMEM, "a block of %zu bytes is more than memory can hold", size);
        return NULL;
    }
    size = class_size(size) + HEADER;
    const int64_t i = next_bin(cx, size);
    if (i >= 0 && !cx->bin[i].block)
        cx->bin[i].block = heed__arena_alloc(&cx->arena, cx->bin[i].size);
    if (i < 0 || !cx->bin[i].block) {
        no_memory(cx, size);
        return NULL;
    }
    cx->takes++;
    cx->bin[i].taken = true;
    *(head *)cx->bin[i].block = (head){ i };
    return (char *)cx->bin[i].block + HEADER;
}

void heed__bin_give(heed_ctx *cx, void *block) {
    if (!block) return;
    const int64_t i = ((head *)((char *)block - HEADER))->bin;
    heed_bin *b = &cx->bin[i];
    b->taken = false;
    if (b->listed) return;
    int64_t *first = &cx->bin_free[class_of(b->size)];
    b->next_free = *first;
    b->listed = true;
    *first = i + 1;
}

/* -- scratch ---------------------------------------------------------------------------------- */

/* What stands before a block of scratch. */
struct heed_temp {
    heed_temp *below;
    heed_temp *next; /* of the same backward */
    size_t size;
    bool ended;
};

void *heed__temp(heed_ctx *cx, int64_t count, size_t size) {
    _Static_assert(sizeof(heed_temp) <= HEADER, "the header lies before the block");
    if (!cx) return NULL;
    if (count < 0 || (size && (uint64_t)count > (PTRDIFF_MAX / 2 - HEADER) / size)) {
        heed_fail(cx, HEED_ENOMEM, "%lld items of %zu bytes are more than memory can hold",
                  (long long)count, size);
        return NULL;
    }
    const size_t bytes = (size_t)count * size + HEADER;
    heed_temp *t = heed__arena_alloc(&cx->scratch, bytes);
    if (!t) {
        no_memory(cx, bytes);
        return NULL;
    }
    *t = (heed_temp){ .below = cx->top, .size = bytes };
    cx->top = t;
    return (char *)t + HEADER;
}

/* Blocks at the top that have come to their end. */
static void sink(heed_ctx *cx) {
    while (cx->top && cx->top->ended) {
        heed_temp *t = cx->top;
        cx->top = t->below;
        heed__arena_back(&cx->scratch, t, t->size);
    }
}

static heed_temp *temp_of(void *block) {
    return (heed_temp *)((char *)block - HEADER);
}

void heed__temp_end(heed_ctx *cx, void *block) {
    if (!block) return;
    temp_of(block)->ended = true;
    sink(cx);
}

void *heed__temp_of_backward(heed_ctx *cx, int64_t count, size_t size) {
    void *p = heed__temp(cx, count, size);
    if (!p) return NULL;
    temp_of(p)->next = cx->temps;
    cx->temps = temp_of(p);
    return p;
}

void heed__temps_end(heed_ctx *cx) {
    for (heed_temp *t = cx->temps; t; t = t->next) t->ended = true;
    cx->temps = NULL;
    sink(cx);
}

/* -- the step --------------------------------------------------------------------------------- */

void heed__bins_reset(heed_ctx *cx, bool forget) {
    for (int64_t i = 0; i < cx->bin_count; i++) {
        heed_bin *b = &cx->bin[i];
        const size_t size = b->want > b->size ? b->want : b->size;
        *b = (heed_bin){ .size = size, .kind = b->kind, .next_idle = b->next_idle };
    }
    memset(cx->bin_free, 0, sizeof cx->bin_free);
    memset(cx->bin_idle, 0, sizeof cx->bin_idle);
    cx->idle_known = false;
    if (forget) {
        cx->bin_count = cx->bin_spare = 0;
        memset(cx->plan, 0, sizeof cx->plan);
    }
    cx->takes = 0;
    cx->known = false;
    cx->top = cx->temps = NULL;
    heed__arena_reset(&cx->scratch);
}

size_t heed__bins_size(const heed_ctx *cx) {
    return (size_t)cx->bin_cap * sizeof *cx->bin + (size_t)cx->order_cap * sizeof *cx->order;
}
