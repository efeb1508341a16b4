/* sparse.c: row-sparse gradients of tables.
 *
 * A batch touches few rows of a large table, so its gradient is a sorted list of rows with their
 * sums. What a row receives is summed in the order in which it was given, whatever the order of the
 * ids, so the bits are those of the dense gradient. */
#include "tensor/params.h"

#include <string.h>

heed_sparse *heed__sparse_new(const heed_hooks *hooks, int64_t rows, int64_t dim) {
    heed_sparse *s = heed__calloc(hooks, 1, sizeof *s);
    if (!s) return NULL;
    s->rows = rows;
    s->dim = dim;
    if (hooks) s->hooks = *hooks;
    return s;
}

void heed__sparse_free(heed_sparse *s) {
    if (!s) return;
    const heed_hooks hooks = s->hooks;
    heed__free(&hooks, s->row);
    heed__aligned_free(&hooks, s->val);
    heed__free(&hooks, s->work);
    heed__free(&hooks, s);
}

void heed__sparse_clear(heed_sparse *s) {
    s->len = s->given = 0;
    s->expected = false;
}

/* Sorts keys by their upper 32 bits, equal ones staying in order; `other` is as much room. Returns
 * which of the two holds the result. */
static uint64_t *sort_by_id(uint64_t *keys, uint64_t *other, int64_t n) {
    enum { BITS = 11, BUCKETS = 1 << BITS };
    int64_t begin[BUCKETS];
    for (int shift = 32; shift < 64; shift += BITS) {
        memset(begin, 0, sizeof begin);
        for (int64_t i = 0; i < n; i++) begin[(keys[i] >> shift) & (BUCKETS - 1)]++;
        if (begin[(keys[0] >> shift) & (BUCKETS - 1)] == n) continue; /* all alike in these bits */
        for (int64_t b = 0, sum = 0; b < BUCKETS; b++) {
            const int64_t here = begin[b];
            begin[b] = sum;
            sum += here;
        }
        for (int64_t i = 0; i < n; i++)
            other[begin[(keys[i] >> shift) & (BUCKETS - 1)]++] = keys[i];
        uint64_t *swap = keys;
        keys = other;
        other = swap;
    }
    return keys;
}

/* Room for `rows` rows, keeping what is held. */
static int grow(heed_sparse *s, int64_t rows) {
    int64_t cap = s->cap < 64 ? 64 : s->cap;
    while (cap < rows) cap *= 2;
    if (cap <= s->cap) return 0;
    if (s->dim && cap > PTRDIFF_MAX / 8 / s->dim) return HEED_ENOMEM;
    int64_t *row = heed__malloc(&s->hooks, (size_t)cap * sizeof *row);
    float *val = heed__aligned(&s->hooks, (size_t)(cap * s->dim) * sizeof *val);
    if (!row || !val) {
        heed__free(&s->hooks, row);
        heed__aligned_free(&s->hooks, val);
        return HEED_ENOMEM;
    }
    if (s->len) {
        memcpy(row, s->row, (size_t)s->len * sizeof *row);
        memcpy(val, s->val, (size_t)(s->len * s->dim) * sizeof *val);
    }
    heed__free(&s->hooks, s->row);
    heed__aligned_free(&s->hooks, s->val);
    s->row = row;
    s->val = val;
    s->cap = cap;
    return 0;
}

/* Room for `len` rows; where nobody said what to expect, for as many as what was given could have
 * touched, so that it depends on how much that was and not on which rows they were. */
static int reserve(heed_sparse *s, int64_t len) {
    const int64_t touched = s->given < s->rows ? s->given : s->rows;
    return grow(s, len > touched || s->expected ? len : touched);
}

/* Moves the rows held, from the last on, to where they stand once the sorted ids of keys are among
 * them, and puts zero rows for new ids into the gaps. */
static void open_gaps(heed_sparse *s, const uint64_t *keys, int64_t n, int64_t len) {
    const size_t size = (size_t)s->dim * sizeof(float);
    int64_t old = s->len - 1;
    for (int64_t at = len - 1, k = n - 1; at >= 0; at--) {
        const int64_t id = k >= 0 ? (int64_t)(keys[k] >> 32) : -1;
        if (old >= 0 && s->row[old] >= id) {
            s->row[at] = s->row[old];
            if (at != old) memcpy(s->val + at * s->dim, s->val + old * s->dim, size);
            old--;
        } else {
            s->row[at] = id;
            memset(s->val + at * s->dim, 0, size);
        }
        while (k >= 0 && (int64_t)(keys[k] >> 32) == s->row[at]) k--;
    }
    s->len = len;
}

/* Rows held once the sorted ids of keys are added. */
static int64_t merged_len(const heed_sparse *s, const uint64_t *keys, int64_t n) {
    int64_t len = s->len, old = 0;
    for (int64_t i = 0; i < n; i++) {
        const int64_t id = (int64_t)(keys[i] >> 32);
        if (i && (int64_t)(keys[i - 1] >> 32) == id) continue;
        while (old < s->len && s->row[old] < id) old++;
        len += old == s->len || s->row[old] != id;
    }
    return len;
}

/* The ids that name rows, sorted, as keys: *n of them. NULL: no memory. */
static const uint64_t *sorted(heed_sparse *s, int64_t count, const int32_t *ids, int32_t skip,
                              int64_t *n) {
    *n = 0;
    if (count < 0 || count > UINT32_MAX) return NULL;
    if (heed__grow(&s->hooks, &s->work, &s->work_cap, 2 * count + 1, sizeof *s->work)) return NULL;
    for (int64_t i = 0; i < count; i++)
        if (ids[i] != skip && ids[i] >= 0) s->work[(*n)++] = (uint64_t)ids[i] << 32 | (uint64_t)i;
    return *n ? sort_by_id(s->work, s->work + *n, *n) : s->work;
}

int heed__sparse_expect(heed_sparse *s, int64_t count, const int32_t *ids) {
    int64_t n;
    const uint64_t *keys = sorted(s, count, ids, -1, &n);
    s->expected = true;
    return keys ? grow(s, merged_len(s, keys, n)) : HEED_ENOMEM;
}

int heed__sparse_add(heed_sparse *s, int64_t count, const int32_t *ids, const float *rows,
                     int32_t skip) {
    int64_t n;
    const uint64_t *keys = sorted(s, count, ids, skip, &n);
    if (!keys) return HEED_ENOMEM;
    s->given += count;
    if (!n) return 0;
    const int64_t len = merged_len(s, keys, n);
    if (reserve(s, len)) return HEED_ENOMEM;
    if (len > s->len) open_gaps(s, keys, n, len);
    int64_t at = 0;
    for (int64_t i = 0; i < n; i++) {
        const int64_t id = (int64_t)(keys[i] >> 32);
        while (s->row[at] < id) at++;
        float *sum = s->val + at * s->dim;
        const float *x = rows + (int64_t)(keys[i] & 0xffffffff) * s->dim;
        for (int64_t c = 0; c < s->dim; c++) sum[c] += x[c];
    }
    return 0;
}
