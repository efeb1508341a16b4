/* encode.c: texts as rows of word numbers, and batches of rows. */
#include "tasks/encode.h"

#include <string.h>

#include "base/alloc.h"
#include "text/words.h"

heed_vocab *heed__vocab_of(int64_t len, const char *const *text, int64_t keep,
                           const heed_hooks *hooks, heed_error *err) {
    heed_vocab *v = heed__vocab_new(hooks, err);
    if (!v) return NULL;
    heed_word word;
    int rc = 0;
    for (int64_t i = 0; i < len && rc == 0; i++) {
        const size_t size = strlen(text[i]);
        for (size_t at = 0; rc == 0 && heed__word_next(text[i], size, &at, &word);)
            rc = heed__vocab_count(v, word.form, (size_t)word.len);
    }
    if (rc == 0) rc = heed__vocab_finish(v, keep);
    if (rc == 0) return v;
    heed__error(err, rc, "vocabulary: out of memory");
    heed__vocab_free(v);
    return NULL;
}

/* Appends the numbers of one text, then keeps its last max_len. */
static int encode_one(heed_encoded *e, int64_t *cap, const heed_vocab *v, const char *text,
                      int64_t max_len) {
    const int64_t begin = e->start[e->len];
    const size_t size = strlen(text);
    int64_t n = 0;
    heed_word word;
    for (size_t at = 0; heed__word_next(text, size, &at, &word); n++) {
        if (heed__grow(&e->hooks, &e->ids, cap, begin + n + 1, sizeof *e->ids)) return HEED_ENOMEM;
        e->ids[begin + n] = heed__vocab_find(v, word.form, (size_t)word.len);
    }
    if (n == 0) {
        if (heed__grow(&e->hooks, &e->ids, cap, begin + 1, sizeof *e->ids)) return HEED_ENOMEM;
        e->ids[begin] = HEED_VOCAB_UNKNOWN;
        n = 1;
    }
    if (n > max_len) {
        memmove(e->ids + begin, e->ids + begin + n - max_len, (size_t)max_len * sizeof *e->ids);
        n = max_len;
    }
    e->start[++e->len] = begin + n;
    return 0;
}

int heed__encode(heed_encoded *e, const heed_vocab *v, const heed_examples *x, int64_t max_len,
                 const heed_hooks *hooks, heed_error *err) {
    *e = (heed_encoded){ 0 };
    if (hooks) e->hooks = *hooks;
    int64_t cap = 0;
    e->start = heed__calloc(hooks, (size_t)x->len + 1, sizeof *e->start);
    int rc = e->start ? 0 : HEED_ENOMEM;
    for (int64_t i = 0; i < x->len && rc == 0; i++)
        rc = encode_one(e, &cap, v, x->text[i], max_len);
    if (rc) {
        heed__encoded_free(e);
        return heed__error(err, rc, "texts: out of memory");
    }
    return 0;
}

void heed__encoded_free(heed_encoded *e) {
    heed__free(&e->hooks, e->ids);
    heed__free(&e->hooks, e->start);
    *e = (heed_encoded){ .hooks = e->hooks };
}

static int64_t row_len(const heed_encoded *e, int64_t row) {
    return e->start[row + 1] - e->start[row];
}

void heed__batch(heed_ctx *cx, const heed_encoded *e, const int64_t *order, int64_t n,
                 heed_tensor **ids, heed_tensor **lengths) {
    int64_t longest = 1;
    for (int64_t i = 0; i < n; i++)
        if (row_len(e, order[i]) > longest) longest = row_len(e, order[i]);
    *ids = heed_new(cx, HEED_I32, 2, (int64_t[]){ n, longest });
    *lengths = *ids ? heed_new(cx, HEED_I32, 1, &n) : NULL;
    if (!*lengths) {
        *ids = NULL;
        return;
    }
    for (int64_t i = 0; i < n; i++) {
        const int64_t len = row_len(e, order[i]);
        int32_t *row = HEED_I32_DATA(*ids) + i * longest;
        memcpy(row, e->ids + e->start[order[i]], (size_t)len * sizeof *row);
        for (int64_t t = len; t < longest; t++) row[t] = HEED_VOCAB_PAD;
        HEED_I32_DATA(*lengths)[i] = (int32_t)len;
    }
}

/* Sorts order[0..n) by length; rows of one length keep their order. Insertion with a binary search:
 * windows are a few thousand rows and moves are memmoves. */
static void by_length(const heed_encoded *e, int64_t *order, int64_t n) {
    for (int64_t i = 1; i < n; i++) {
        const int64_t row = order[i], len = row_len(e, row);
        int64_t low = 0, high = i;
        while (low < high) {
            const int64_t mid = (low + high) / 2;
            if (row_len(e, order[mid]) <= len)
                low = mid + 1;
            else
                high = mid;
        }
        memmove(order + low + 1, order + low, (size_t)(i - low) * sizeof *order);
        order[low] = row;
    }
}

void heed__length_order(const heed_encoded *e, int64_t *order) {
    for (int64_t i = 0; i < e->len; i++) order[i] = i;
    for (int64_t at = 0; at < e->len; at += 4096)
        by_length(e, order + at, e->len - at < 4096 ? e->len - at : 4096);
}

/* Swaps whole batches of a window at random; a short last batch stays last. */
static void shuffle_batches(heed_rng *rng, int64_t *order, int64_t n, int64_t batch) {
    for (int64_t i = n / batch - 1; i > 0; i--) {
        const int64_t j = (int64_t)heed_rng_below(rng, (uint64_t)i + 1);
        for (int64_t k = 0; i != j && k < batch; k++) {
            const int64_t was = order[i * batch + k];
            order[i * batch + k] = order[j * batch + k];
            order[j * batch + k] = was;
        }
    }
}

void heed__epoch_order(const heed_encoded *e, uint64_t seed, int64_t epoch, int64_t batch,
                       int64_t *order) {
    heed_rng rng = { .seed = seed, .stream = 0x65706f6368u + (uint64_t)epoch };
    for (int64_t i = 0; i < e->len; i++) order[i] = i;
    heed_rng_shuffle(&rng, order, e->len);
    const int64_t window = 32 * batch;
    for (int64_t at = 0; at < e->len; at += window) {
        const int64_t n = e->len - at < window ? e->len - at : window;
        by_length(e, order + at, n);
        shuffle_batches(&rng, order + at, n, batch);
    }
}
