/* model_bpe.c: byte pair encoding (Sennrich et al. 2016): a piece begins as its characters; of all
 * neighbours that a merge joins, the pair of the lowest rank (the leftmost of equal ones) becomes
 * one token, until no merge applies. Short pieces are scanned for the lowest rank, long ones keep
 * their pairs in a heap, so that n letters cost n·log n. */
#include "text/aligned.h"
#include "text/model_bpe.h"

#include <string.h>

#include "base/alloc.h"
#include "base/text.h"

enum { SCAN_MOST = 96 }; /* symbols up to which scanning is quicker than a heap */

/* One part of the piece; parts that were joined to their left neighbour have len 0. */
typedef struct symbol {
    int32_t id, prev, next;
    uint32_t len;
} symbol;

/* A merge that may apply at a symbol. */
typedef struct candidate {
    uint64_t order; /* rank, then place */
    int32_t id;
} candidate;

typedef struct bpe_scratch {
    heed__tok_scratch head;
    symbol *symbols;
    int64_t len, cap;
    candidate *heap;
    int64_t heap_len, heap_cap;
    char *letter; /* a character with its prefix and suffix, or a piece in GPT-2's alphabet */
    int64_t letter_cap;
} bpe_scratch;

static heed__tok_scratch *bpe_scratch_new(const heed__tok_model *m) {
    bpe_scratch *s = heed__calloc(&m->hooks, 1, sizeof *s);
    if (!s) return NULL;
    s->head.model = m;
    return &s->head;
}

static void bpe_scratch_free(heed__tok_scratch *scratch) {
    bpe_scratch *s = (bpe_scratch *)scratch;
    const heed_hooks hooks = scratch->model->hooks;
    heed__free(&hooks, s->symbols);
    heed__free(&hooks, s->heap);
    heed__free(&hooks, s->letter);
    heed__free(&hooks, s);
}

/* -- from a piece to its first symbols -------------------------------------------------------- */

static inline void add(bpe_scratch *s, int32_t id, uint32_t len) {
    s->symbols[s->len++] = (symbol){ id, 0, 0, len };
}

/* A symbol that waits because the unknown one may grow. */
typedef struct unknown {
    bool waits;
    uint32_t len;
} unknown;

static int add_unknown(const heed__bpe *m, bpe_scratch *s, unknown *u, uint32_t len,
                       heed_error *err) {
    if (!m->unk.text) return 0; /* it is dropped, and offsets run on as if it were not there */
    if (m->unk_id < 0)
        return heed__error(err, HEED_EINVALID,
                           "BPE: a character is not known and the unknown token '%.80s' is not in "
                           "the vocabulary",
                           m->unk.text);
    if (u->waits && m->fuse_unk) {
        u->len += len;
        return 0;
    }
    if (u->waits) add(s, m->unk_id, u->len);
    *u = (unknown){ true, len };
    return 0;
}

/* The bytes of a character as tokens <0x00> to <0xFF>; false: not all of them are there. */
static bool add_bytes(const heed__bpe *m, bpe_scratch *s, const char *text, size_t size) {
    for (size_t i = 0; i < size; i++)
        if (m->fallback[(unsigned char)text[i]] < 0) return false;
    for (size_t i = 0; i < size; i++) add(s, m->fallback[(unsigned char)text[i]], 1);
    return true;
}

/* The bytes of the longest frozen token that text begins with, *id its id; 0: none. */
static size_t frozen_at(const heed__bpe *m, const char *text, size_t size, int32_t *id) {
    const heed__tok_trie *t = &m->frozen;
    size_t found = 0;
    int32_t node = 0;
    for (size_t i = 0; i < size; i++) {
        node = heed__trie_step(t, node, (unsigned char)text[i]);
        if (node < 0) break;
        if (t->units[node].value < 0) continue;
        *id = t->units[node].value;
        found = i + 1;
    }
    return found;
}

static int first_symbols(const heed__bpe *m, bpe_scratch *s, const char *piece, size_t size,
                         heed_error *err) {
    const heed__tok_vocab *v = &m->words.vocab;
    const size_t affix = m->prefix.size + m->suffix.size;
    if (heed__grow(&m->words.head.hooks, &s->letter, &s->letter_cap, (int64_t)affix + 4, 1))
        return heed__tok_no_memory(err);
    unknown u = { 0 };
    for (size_t at = 0; at < size;) {
        uint32_t code;
        int32_t id = -1;
        size_t len = m->frozen.len ? frozen_at(m, piece + at, size - at, &id) : 0;
        const bool frozen = len > 0;
        if (!frozen) len = heed__utf8_next(piece + at, size - at, &code);
        if (!len) len = 1;
        const char *text = piece + at;
        size_t n = len;
        if (affix && !frozen) {
            n = 0;
            if (at && m->prefix.size)
                memcpy(s->letter, m->prefix.text, m->prefix.size), n = m->prefix.size;
            memcpy(s->letter + n, text, len), n += len;
            if (at + len == size && m->suffix.size)
                memcpy(s->letter + n, m->suffix.text, m->suffix.size), n += m->suffix.size;
            text = s->letter;
        }
        if (!frozen)
            id = n == 1 && (unsigned char)*text < 128 ? m->ascii[(unsigned char)*text]
                                                      : heed__tok_vocab_find(v, text, n);
        at += len;
        if (id >= 0) {
            if (u.waits) add(s, m->unk_id, u.len);
            u.waits = false;
            add(s, id, (uint32_t)len);
            continue;
        }
        if (m->byte_fallback && add_bytes(m, s, text, n)) continue;
        const int rc = add_unknown(m, s, &u, (uint32_t)len, err);
        if (rc) return rc;
    }
    if (u.waits) add(s, m->unk_id, u.len);
    return 0;
}

/* -- merging ---------------------------------------------------------------------------------- */

/* Parts that were joined to their left neighbour go. */
static void close_up(bpe_scratch *s) {
    int64_t n = 0;
    for (int64_t i = 0; i < s->len; i++)
        if (s->symbols[i].len) s->symbols[n++] = s->symbols[i];
    s->len = n;
}

static inline uint64_t order_of(const heed__bpe *m, const symbol *x, int left, int right,
                                int32_t *to) {
    const uint32_t rank = heed__bpe_pair(m, x[left].id, x[right].id, to);
    return rank == HEED_BPE_NONE ? UINT64_MAX : (uint64_t)rank << 32 | (uint32_t)left;
}

/* The lowest rank by looking at all pairs, again and again: four chains without a branch. */
static void merge_by_scan(const heed__bpe *m, bpe_scratch *s) {
    uint64_t order[SCAN_MOST + 4]; /* of the pair that begins here: rank, then place */
    int32_t to[SCAN_MOST + 4];
    int next[SCAN_MOST + 4], prev[SCAN_MOST + 4];
    symbol *x = s->symbols;
    const int n = (int)s->len;
    for (int i = 0; i < n; i++) {
        next[i] = i + 1, prev[i] = i - 1;
        order[i] = i + 1 < n ? order_of(m, x, i, i + 1, &to[i]) : UINT64_MAX;
    }
    for (int i = n; i < n + 4; i++) order[i] = UINT64_MAX;
    for (;;) {
        uint64_t a = order[0], b = order[1], c = order[2], d = order[3];
        for (int i = 4; i < n; i += 4) {
            a = order[i] < a ? order[i] : a;
            b = order[i + 1] < b ? order[i + 1] : b;
            c = order[i + 2] < c ? order[i + 2] : c;
            d = order[i + 3] < d ? order[i + 3] : d;
        }
        a = b < a ? b : a;
        c = d < c ? d : c;
        a = c < a ? c : a;
        if (a == UINT64_MAX) break;
        const int at = (int)(uint32_t)a, right = next[at], after = next[right];
        x[at].id = to[at];
        x[at].len += x[right].len;
        x[right].len = 0;
        order[right] = UINT64_MAX;
        next[at] = after;
        order[at] = after < n ? order_of(m, x, at, after, &to[at]) : UINT64_MAX;
        if (after < n) prev[after] = at;
        if (prev[at] >= 0) order[prev[at]] = order_of(m, x, prev[at], at, &to[prev[at]]);
    }
    close_up(s);
}

static void sift_down(candidate *heap, int64_t n, int64_t at) {
    const candidate moved = heap[at];
    for (int64_t child; (child = 2 * at + 1) < n; at = child) {
        if (child + 1 < n && heap[child + 1].order < heap[child].order) child++;
        if (heap[child].order >= moved.order) break;
        heap[at] = heap[child];
    }
    heap[at] = moved;
}

static int push(const heed__bpe *m, bpe_scratch *s, int32_t left, int32_t right) {
    int32_t id;
    const uint32_t rank = heed__bpe_pair(m, s->symbols[left].id, s->symbols[right].id, &id);
    if (rank == HEED_BPE_NONE) return 0;
    if (heed__grow(&m->words.head.hooks, &s->heap, &s->heap_cap, s->heap_len + 1, sizeof *s->heap))
        return HEED_ENOMEM;
    const candidate c = { (uint64_t)rank << 32 | (uint32_t)left, id };
    int64_t at = s->heap_len++;
    for (; at && s->heap[(at - 1) / 2].order > c.order; at = (at - 1) / 2)
        s->heap[at] = s->heap[(at - 1) / 2];
    s->heap[at] = c;
    return 0;
}

/* Joins the pair at a candidate unless something else has happened there meanwhile: like the
 * reference, a candidate stands as long as the pair at its place gives the same token. */
static int join(const heed__bpe *m, bpe_scratch *s, candidate c) {
    symbol *x = s->symbols;
    const int32_t at = (int32_t)(uint32_t)c.order, right = x[at].next;
    int32_t id;
    if (x[at].len == 0 || right < 0) return 0;
    if (heed__bpe_pair(m, x[at].id, x[right].id, &id) == HEED_BPE_NONE || id != c.id) return 0;
    x[at].id = id;
    x[at].len += x[right].len;
    x[at].next = x[right].next;
    x[right].len = 0;
    if (x[at].next >= 0) x[x[at].next].prev = at;
    if (x[at].prev >= 0 && push(m, s, x[at].prev, at)) return HEED_ENOMEM;
    if (x[at].next >= 0 && push(m, s, at, x[at].next)) return HEED_ENOMEM;
    return 0;
}

static int merge_by_heap(const heed__bpe *m, bpe_scratch *s) {
    s->heap_len = 0;
    for (int32_t i = 0; i < s->len; i++) {
        s->symbols[i].prev = i - 1;
        s->symbols[i].next = i + 1 < s->len ? i + 1 : -1;
    }
    for (int32_t i = 0; i + 1 < s->len; i++)
        if (push(m, s, i, i + 1)) return HEED_ENOMEM;
    while (s->heap_len) {
        const candidate c = s->heap[0];
        s->heap[0] = s->heap[--s->heap_len];
        if (s->heap_len) sift_down(s->heap, s->heap_len, 0);
        if (join(m, s, c)) return HEED_ENOMEM;
    }
    close_up(s);
    return 0;
}

/* -- encoding --------------------------------------------------------------------------------- */

/* The piece as one token, if it is one. */
static int32_t whole(const heed__bpe *m, bpe_scratch *s, const char *piece, size_t size) {
    if (size > m->longest) return -1;
    if (!m->raw) return heed__tok_vocab_find(&m->words.vocab, piece, size);
    if (heed__grow(&m->words.head.hooks, &s->letter, &s->letter_cap, 2 * (int64_t)size, 1))
        return HEED_ENOMEM - 1;
    size_t n = 0;
    for (size_t i = 0; i < size; i++)
        n += heed__utf8_put(heed__byte_char((unsigned char)piece[i]), s->letter + n);
    return heed__tok_vocab_find(&m->words.vocab, s->letter, n);
}

static int bpe_encode(const heed__tok_model *model, heed__tok_scratch *scratch, const char *piece,
                      size_t size, heed__tok_pieces *out, heed_error *err) {
    const heed__bpe *m = (const heed__bpe *)model;
    bpe_scratch *s = (bpe_scratch *)scratch;
    if (m->ignore_merges) {
        const int32_t id = whole(m, s, piece, size);
        if (id < -1 || heed__tok_room(model, out, 1, err)) return heed__tok_no_memory(err);
        if (id >= 0) {
            out->item[out->len++] = (heed__tok_piece){ id, 0, (uint32_t)size };
            return 0;
        }
    }
    const int64_t most = (int64_t)(size + m->suffix.size + size * m->prefix.size);
    if (heed__grow(&model->hooks, &s->symbols, &s->cap, most, sizeof *s->symbols))
        return heed__tok_no_memory(err);
    s->len = 0;
    if (m->raw) {
        for (size_t i = 0; i < size; i++) add(s, m->byte_id[(unsigned char)piece[i]], 1);
    } else {
        const int rc = first_symbols(m, s, piece, size, err);
        if (rc) return rc;
    }
    if (s->len <= SCAN_MOST && !m->prefix.size)
        merge_by_scan(m, s);
    else if (merge_by_heap(m, s))
        return heed__tok_no_memory(err);
    if (heed__tok_room(model, out, s->len, err)) return HEED_ENOMEM;
    uint64_t at = 0;
    for (int64_t i = 0; i < s->len; i++) {
        const uint64_t end = at + s->symbols[i].len;
        out->item[out->len++] = (heed__tok_piece){ s->symbols[i].id,
                                                   (uint32_t)(at < size ? at : size),
                                                   (uint32_t)(end < size ? end : size) };
        at = end;
    }
    return 0;
}

static int32_t bpe_spelled(const heed__tok_model *m) {
    const heed__bpe *b = (const heed__bpe *)m;
    return b->ranks ? b->unk_id : -1; /* SentencePiece's */
}

const heed__tok_ops heed__bpe_ops = {
    .type = "BPE",
    .free = heed__bpe_free,
    .scratch = bpe_scratch_new,
    .scratch_free = bpe_scratch_free,
    .encode = bpe_encode,
    .find = heed__tok_words_find,
    .token = heed__tok_words_token,
    .len = heed__tok_words_len,
    .save = heed__bpe_save,
    .spelled = bpe_spelled,
};
