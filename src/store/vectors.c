/* vectors.c: blocks of vectors of eight bits a number, the oldest dropped whole. A search takes the
 * blocks that are there, counted, and reads them without the lock. */
#include "store/vectors.h"

#include <math.h>
#include <stdatomic.h>
#include <string.h>

#include "store/impl.h"

enum { BLOCK = 1024, STEP = 32, MOST_DIM = 65536, PIECE = 8192 };

/* Written once; seq of one that was removed is 0. */
typedef struct block {
    _Atomic int64_t users;
    _Atomic int64_t len;
    int64_t first; /* seq of the first that was put in; seqs rise within a block and from one on */
    _Atomic int64_t seq[BLOCK];
    float inverse[BLOCK]; /* 1 / length of what is stored */
    int8_t value[];       /* [BLOCK, dim rounded up to STEP] */
} block;

struct heed_vectors {
    heed_hooks hooks;
    int64_t most, dim, wide;
    heed_lock *lock; /* of what follows */
    bool loaded;
    int64_t next; /* loading: the seq to go on with; 0: at the beginning */
    int64_t stored_dim;
    int64_t upto;  /* the last seq that was loaded */
    block **block; /* the oldest first */
    int64_t blocks, cap;
};

heed_vectors *heed__vectors_new(const heed_hooks *hooks, int64_t most, heed_error *err) {
    heed_vectors *v = heed__calloc(hooks, 1, sizeof *v);
    if (!v) {
        heed__error(err, HEED_ENOMEM, "out of memory for vectors");
        return NULL;
    }
    if (hooks) v->hooks = *hooks;
    v->most = most;
    v->lock = heed__lock_new(hooks, err);
    if (v->lock) return v;
    heed__free(hooks, v);
    return NULL;
}

static void drop(const heed_hooks *hooks, block *b) {
    if (atomic_fetch_sub(&b->users, 1) == 1) heed__free(hooks, b);
}

void heed__vectors_clear(heed_vectors *v) {
    heed__lock_enter(v->lock);
    for (int64_t i = 0; i < v->blocks; i++) drop(&v->hooks, v->block[i]);
    v->blocks = 0;
    v->dim = v->wide = v->next = v->upto = 0;
    v->loaded = false;
    heed__lock_leave(v->lock);
}

void heed__vectors_free(heed_vectors *v) {
    if (!v) return;
    heed__vectors_clear(v);
    heed__free(&v->hooks, v->block);
    heed__lock_free(v->lock);
    const heed_hooks hooks = v->hooks;
    heed__free(&hooks, v);
}

/* A vector in whole numbers of which the largest is 127; what is stored has length 1 / *inverse. */
static bool shrink(const float *from, int64_t dim, int8_t *to, float *inverse) {
    float most = 0;
    for (int64_t i = 0; i < dim; i++) {
        if (!isfinite(from[i])) return false;
        most = fmaxf(most, fabsf(from[i]));
    }
    if (most <= 0) return false;
    const float scale = 127 / most;
    int64_t sum = 0;
    for (int64_t i = 0; i < dim; i++) {
        const float x = from[i] * scale;
        to[i] = (int8_t)(x < 0 ? x - 0.5f : x + 0.5f);
        sum += to[i] * to[i];
    }
    *inverse = 1 / sqrtf((float)sum);
    return true;
}

static size_t block_size(const heed_vectors *v) {
    return sizeof(block) + (size_t)BLOCK * (size_t)v->wide;
}

/* Under the lock: the block that has room, or NULL. */
static block *last_block(heed_vectors *v) {
    if (v->blocks && atomic_load(&v->block[v->blocks - 1]->len) < BLOCK)
        return v->block[v->blocks - 1];
    if (heed__grow(&v->hooks, &v->block, &v->cap, v->blocks + 1, sizeof *v->block)) return NULL;
    block *b = heed__calloc(&v->hooks, 1, block_size(v));
    if (!b) return NULL;
    atomic_store(&b->users, 1);
    v->block[v->blocks++] = b;
    while (v->blocks > 1 && (int64_t)block_size(v) * v->blocks > v->most) {
        drop(&v->hooks, v->block[0]);
        memmove(v->block, v->block + 1, (size_t)--v->blocks * sizeof *v->block);
    }
    return b;
}

static void forget(heed_vectors *v, int64_t seq) {
    int64_t low = 0, high = v->blocks; /* blocks before low begin at seq or before it */
    while (low < high) {
        const int64_t middle = low + (high - low) / 2;
        if (v->block[middle]->first <= seq)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0) return;
    block *b = v->block[low - 1];
    const int64_t len = atomic_load(&b->len);
    for (int64_t k = 0; k < len; k++)
        if (atomic_load_explicit(&b->seq[k], memory_order_relaxed) == seq)
            atomic_store_explicit(&b->seq[k], 0, memory_order_relaxed);
}

void heed__vectors_remove_before(heed_vectors *v, int64_t limit) {
    heed__lock_enter(v->lock);
    int64_t gone = 0; /* blocks, all of which is older */
    while (gone + 1 < v->blocks && v->block[gone + 1]->first <= limit)
        drop(&v->hooks, v->block[gone++]);
    if (gone) memmove(v->block, v->block + gone, (size_t)(v->blocks -= gone) * sizeof *v->block);
    block *b = v->blocks ? v->block[0] : NULL;
    const int64_t len = b ? atomic_load(&b->len) : 0;
    for (int64_t k = 0; k < len; k++)
        if (atomic_load_explicit(&b->seq[k], memory_order_relaxed) < limit)
            atomic_store_explicit(&b->seq[k], 0, memory_order_relaxed);
    heed__lock_leave(v->lock);
}

/* Under the lock. */
static int add(heed_vectors *v, int64_t seq, const float *vector, int64_t dim) {
    if (!v->blocks) v->dim = dim, v->wide = (dim + STEP - 1) / STEP * STEP;
    if (v->dim != dim) return HEED_ESHAPE;
    block *b = last_block(v);
    if (!b) return HEED_ENOMEM;
    const int64_t at = atomic_load(&b->len);
    if (!shrink(vector, dim, b->value + at * v->wide, &b->inverse[at])) return HEED_OK;
    if (at == 0) b->first = seq;
    atomic_store_explicit(&b->seq[at], seq, memory_order_relaxed);
    atomic_store(&b->len, at + 1);
    return HEED_OK;
}

int heed__vectors_add(heed_vectors *v, int64_t seq, const float *vector, int64_t dim) {
    if (dim <= 0 || dim > MOST_DIM) return HEED_EINVALID;
    heed__lock_enter(v->lock);
    const int status = v->loaded && seq > v->upto ? add(v, seq, vector, dim) : HEED_OK;
    heed__lock_leave(v->lock);
    return status;
}

/* Under the lock: where to begin so that what follows fits, and how wide the newest is. */
static int find_range(heed_vectors *v, heed_db *db, heed_error *err) {
    int64_t size = 0;
    int status = heed__db_number(db, "SELECT length(value) FROM vector ORDER BY seq DESC LIMIT 1",
                                 0, &size, err);
    v->stored_dim = size / 2;
    v->next = 1;
    if (status || size < 2) return status;
    sqlite3_stmt *q = heed__db_sql(db, "SELECT seq FROM vector ORDER BY seq DESC LIMIT 1 OFFSET ?1",
                                   err);
    if (!q) return heed__db_error(db, err);
    sqlite3_bind_int64(q, 1, v->most / (v->stored_dim + STEP));
    const int row = heed__db_step(db, q, err);
    if (row == 1) v->next = sqlite3_column_int64(q, 0);
    heed__db_done(q);
    return row < 0 ? row : HEED_OK;
}

/* The next PIECE of them; loaded where that were the last. */
static int load_rows(heed_vectors *v, heed_db *db, float *vector, heed_error *err) {
    const int64_t dim = v->stored_dim;
    sqlite3_stmt *q = heed__db_sql(
        db, "SELECT seq, value FROM vector WHERE seq >= ?1 ORDER BY seq LIMIT ?2", err);
    if (!q) return heed__db_error(db, err);
    sqlite3_bind_int64(q, 1, v->next);
    sqlite3_bind_int64(q, 2, PIECE);
    int status = HEED_OK;
    int64_t rows = 0;
    while (status >= 0 && (status = heed__db_step(db, q, err)) == 1) {
        const unsigned char *half = sqlite3_column_blob(q, 1);
        v->upto = sqlite3_column_int64(q, 0);
        v->next = v->upto + 1;
        rows++;
        if (!half || sqlite3_column_bytes(q, 1) != dim * 2) continue;
        for (int64_t i = 0; i < dim; i++)
            vector[i] = heed__half_float((uint16_t)(half[2 * i] | half[2 * i + 1] << 8));
        if (add(v, v->upto, vector, dim))
            status = heed__error(err, HEED_ENOMEM, "out of memory for vectors");
    }
    heed__db_done(q);
    v->loaded = !status && rows < PIECE;
    return status;
}

static int load_piece(heed_vectors *v, heed_db *db, heed_error *err) {
    const int status = v->next ? HEED_OK : find_range(v, db, err);
    if (status) return status;
    if (v->stored_dim < 1 || v->stored_dim > MOST_DIM) {
        v->loaded = true;
        return HEED_OK;
    }
    float *vector = heed__malloc(&v->hooks, (size_t)v->stored_dim * sizeof *vector);
    if (!vector) return heed__error(err, HEED_ENOMEM, "out of memory for vectors");
    const int loaded = load_rows(v, db, vector, err);
    heed__free(&v->hooks, vector);
    return loaded;
}

/* A piece at a time, so that those who commit wait for no more than that; what they add meanwhile
 * is read with the pieces that follow. The connection begins to read under the lock: the last piece
 * has all that was committed before, and what is added later waits. */
int heed__vectors_load(heed_vectors *v, heed_store *store, heed_error *err) {
    int status = HEED_OK;
    for (bool loaded = false; !loaded && !status;) {
        heed__lock_enter(v->lock);
        heed_db *db = v->loaded ? NULL : heed__store_reader(store, err);
        if (!v->loaded) status = db ? load_piece(v, db, err) : heed__code_of(err);
        loaded = v->loaded;
        heed__lock_leave(v->lock);
        if (db) heed__store_return(store, db);
        if (!loaded && !status) heed__sleep_ms(1); /* others' turn */
    }
    if (status) heed__vectors_clear(v);
    return status;
}

void heed__vectors_remove(heed_vectors *v, int64_t seq) {
    heed__lock_enter(v->lock);
    forget(v, seq);
    heed__lock_leave(v->lock);
}

/* -- searching -------------------------------------------------------------------------------- */

/* Sums of a fixed length inside, which compilers turn into vectors. */
static int32_t dot(const int8_t *a, const int8_t *b, int64_t wide) {
    int32_t all = 0;
    for (int64_t i = 0; i < wide; i += STEP) {
        int32_t sum = 0;
        for (int k = 0; k < STEP; k++) sum += a[i + k] * b[i + k];
        all += sum;
    }
    return all;
}

static bool nearer(const heed_near *a, const heed_near *b) {
    return a->cosine != b->cosine ? a->cosine > b->cosine : a->seq > b->seq;
}

/* A heap whose top is the farthest. */
static void sink(heed_near *heap, int64_t n, int64_t at) {
    for (;;) {
        int64_t child = 2 * at + 1;
        if (child >= n) return;
        if (child + 1 < n && nearer(&heap[child], &heap[child + 1])) child++;
        if (!nearer(&heap[at], &heap[child])) return;
        const heed_near swap = heap[at];
        heap[at] = heap[child], heap[child] = swap;
        at = child;
    }
}

static int64_t offer(heed_near *heap, int64_t len, int64_t n, heed_near item) {
    if (len < n) {
        heap[len++] = item;
        if (len == n)
            for (int64_t i = n / 2; i-- > 0;) sink(heap, n, i);
    } else if (nearer(&item, &heap[0])) {
        heap[0] = item;
        sink(heap, n, 0);
    }
    return len;
}

static void sort(heed_near *near, int64_t n) {
    for (int64_t i = n / 2; i-- > 0;) sink(near, n, i);
    for (int64_t end = n; end-- > 1;) {
        const heed_near swap = near[0];
        near[0] = near[end], near[end] = swap;
        sink(near, end, 0);
    }
}

/* Blocks that are there now, each with one user more; NULL: none, or out of memory. */
static block **hold(heed_vectors *v, int64_t dim, int64_t *n, int64_t *wide) {
    heed__lock_enter(v->lock);
    *n = v->dim == dim ? v->blocks : 0;
    *wide = v->wide;
    block **held = *n ? heed__malloc(&v->hooks, (size_t)*n * sizeof *held) : NULL;
    for (int64_t i = 0; held && i < *n; i++) {
        held[i] = v->block[i];
        atomic_fetch_add(&held[i]->users, 1);
    }
    heed__lock_leave(v->lock);
    return held;
}

int64_t heed__vectors_near(heed_vectors *v, const float *vector, int64_t dim, heed_near *near,
                           int64_t n) {
    if (n <= 0 || dim <= 0 || dim > MOST_DIM) return 0;
    int64_t blocks, wide, found = 0;
    float inverse;
    block **held = hold(v, dim, &blocks, &wide);
    if (!held) return blocks ? HEED_ENOMEM : 0;
    int8_t *query = heed__calloc(&v->hooks, (size_t)wide, 1);
    const bool failed = !query;
    if (query && shrink(vector, dim, query, &inverse)) {
        for (int64_t i = 0; i < blocks; i++) {
            const block *b = held[i];
            const int64_t len = atomic_load(&b->len);
            for (int64_t k = 0; k < len; k++) {
                const int64_t seq = atomic_load_explicit(&b->seq[k], memory_order_relaxed);
                if (!seq) continue;
                const float product = (float)dot(query, b->value + k * wide, wide);
                const heed_near item = { seq, (double)(product * inverse * b->inverse[k]) };
                found = offer(near, found, n, item);
            }
        }
    }
    sort(near, found);
    heed__free(&v->hooks, query);
    for (int64_t i = 0; i < blocks; i++) drop(&v->hooks, held[i]);
    heed__free(&v->hooks, held);
    return failed ? HEED_ENOMEM : found;
}

/* -- half precision --------------------------------------------------------------------------- */

uint16_t heed__half(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    const uint16_t sign = (uint16_t)(bits >> 16 & 0x8000);
    const uint32_t rest = bits & 0x7fffffff;
    if (rest >= 0x7f800000) return (uint16_t)(sign | (rest > 0x7f800000 ? 0x7e00 : 0x7c00));
    if (rest >= 0x477ff000) return (uint16_t)(sign | 0x7c00); /* rounds beyond the largest */
    if (rest < 0x33000001) return sign;                       /* rounds to zero */
    const int exponent = (int)(rest >> 23) - 127;
    const uint32_t fraction = (rest & 0x7fffff) | 0x800000;
    const int shift = exponent >= -14 ? 13 : -1 - exponent; /* 14 to 24 for a denormal */
    uint32_t half = fraction >> shift;
    const uint32_t left = fraction & ((1u << shift) - 1), tie = 1u << (shift - 1);
    if (left > tie || (left == tie && (half & 1))) half++;
    if (exponent >= -14) half += (uint32_t)(exponent + 14) << 10;
    return (uint16_t)(sign | half);
}

float heed__half_float(uint16_t half) {
    const uint32_t sign = (uint32_t)(half & 0x8000) << 16, exponent = half >> 10 & 31;
    uint32_t fraction = half & 0x3ff, bits;
    if (exponent == 31) {
        bits = 0x7f800000 | fraction << 13;
    } else if (exponent) {
        bits = (exponent + 112) << 23 | fraction << 13;
    } else if (!fraction) {
        bits = 0;
    } else {
        uint32_t e = 113;
        while (!(fraction & 0x400)) fraction <<= 1, e--;
        bits = e << 23 | (fraction & 0x3ff) << 13;
    }
    bits |= sign;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}
