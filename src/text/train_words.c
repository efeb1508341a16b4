/* train_words.c: counting pieces in an open-addressed table over one block of bytes. */
#include "text/train_words.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "text/tok_vocab.h"

void heed__train_words_free(heed__train_words *w) {
    heed__free(&w->hooks, w->words);
    heed__free(&w->hooks, w->bytes);
    heed__free(&w->hooks, w->slots);
    *w = (heed__train_words){ .hooks = w->hooks, .most = w->most };
}

static void fill_slots(heed__train_words *w) {
    memset(w->slots, 0, (size_t)w->slot_cap * sizeof *w->slots);
    for (int64_t i = 0; i < w->len; i++) {
        int64_t at = (int64_t)w->words[i].hash & (w->slot_cap - 1);
        while (w->slots[at]) at = (at + 1) & (w->slot_cap - 1);
        w->slots[at] = (int32_t)(i + 1);
    }
}

static int widen(heed__train_words *w) {
    const int64_t cap = w->slot_cap ? 2 * w->slot_cap : 4096;
    int32_t *slots = heed__malloc(&w->hooks, (size_t)cap * sizeof *slots);
    if (!slots) return HEED_ENOMEM;
    heed__free(&w->hooks, w->slots);
    w->slots = slots;
    w->slot_cap = cap;
    fill_slots(w);
    return 0;
}

/* Lets the rarest go until half of the room is free. */
static void thin_out(heed__train_words *w, int64_t most) {
    while (w->len > most / 2) {
        w->dropped++;
        int64_t n = 0, size = 0;
        for (int64_t i = 0; i < w->len; i++) {
            struct heed__train_word word = w->words[i];
            if (word.count <= w->dropped) continue;
            memmove(w->bytes + size, w->bytes + word.at, word.size);
            word.at = size;
            size += word.size;
            w->words[n++] = word;
        }
        w->len = n;
        w->size = size;
    }
    fill_slots(w);
}

int heed__train_words_add(heed__train_words *w, const char *piece, size_t size, int64_t count) {
    const int64_t most = w->most ? w->most : 8000000,
                  most_bytes = w->most_bytes ? w->most_bytes : 1 << 28;
    if (size > UINT32_MAX) return HEED_ENOMEM;
    if (2 * (w->len + 1) > w->slot_cap && widen(w)) return HEED_ENOMEM;
    const uint32_t hash = heed__tok_hash(piece, size);
    int64_t at = (int64_t)hash & (w->slot_cap - 1);
    for (; w->slots[at]; at = (at + 1) & (w->slot_cap - 1)) {
        struct heed__train_word *word = &w->words[w->slots[at] - 1];
        if (word->hash != hash || word->size != size ||
            memcmp(w->bytes + word->at, piece, size) != 0)
            continue;
        word->count += count;
        return 0;
    }
    if (w->size + (int64_t)size > most_bytes) {
        w->full = true;
        return 0;
    }
    if (heed__grow(&w->hooks, &w->words, &w->cap, w->len + 1, sizeof *w->words) ||
        heed__grow(&w->hooks, &w->bytes, &w->byte_cap, w->size + (int64_t)size + 1, 1))
        return HEED_ENOMEM;
    if (size) memcpy(w->bytes + w->size, piece, size);
    w->words[w->len] = (struct heed__train_word){ w->size, count, (uint32_t)size, hash };
    w->size += (int64_t)size;
    w->slots[at] = (int32_t)++w->len;
    if (w->len == most) thin_out(w, most);
    return 0;
}

static int by_count(const void *a, const void *b, void *bytes) {
    const struct heed__train_word *x = a, *y = b;
    if (x->count != y->count) return x->count < y->count ? 1 : -1;
    const int order = memcmp((const char *)bytes + x->at, (const char *)bytes + y->at,
                             x->size < y->size ? x->size : y->size);
    return order ? order : x->size < y->size ? -1 : x->size > y->size;
}

int heed__train_words_sort(heed__train_words *w) {
    heed__free(&w->hooks, w->slots);
    w->slots = NULL;
    w->slot_cap = 0;
    if (w->len) qsort_r(w->words, (size_t)w->len, sizeof *w->words, by_count, w->bytes);
    return 0;
}
