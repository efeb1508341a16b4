/* vocab.c: an open-addressed table from words to numbers. The forms lie in one growing block of
 * bytes. */
#include "text/vocab.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "base/text.h"

typedef struct entry {
    int64_t at; /* of its form in bytes */
    int64_t count;
    int32_t len;
} entry;

struct heed_vocab {
    heed_hooks hooks;
    entry *entries; /* [len] number = index + HEED_VOCAB_SPECIAL */
    int64_t len, entry_cap;
    char *bytes;
    int64_t size, byte_cap;
    int32_t *slots; /* [slot_cap] index + 1, 0: empty; slot_cap a power of two, at least 2·len */
    int64_t slot_cap;
};

static uint64_t hash(const char *form, size_t len) {
    const uint64_t h = heed__hash_more(HEED_HASH_BEGIN, form, len);
    return h ^ h >> 29;
}

heed_vocab *heed__vocab_new(const heed_hooks *hooks, heed_error *err) {
    heed_vocab *v = heed__calloc(hooks, 1, sizeof *v);
    if (!v) {
        heed__error(err, HEED_ENOMEM, "vocabulary: out of memory");
        return NULL;
    }
    if (hooks) v->hooks = *hooks;
    return v;
}

void heed__vocab_free(heed_vocab *v) {
    if (!v) return;
    const heed_hooks hooks = v->hooks;
    heed__free(&hooks, v->entries);
    heed__free(&hooks, v->bytes);
    heed__free(&hooks, v->slots);
    heed__free(&hooks, v);
}

/* The slot that holds the word, or the empty one where it would go. */
static int64_t slot_of(const heed_vocab *v, const char *form, size_t len) {
    const int64_t mask = v->slot_cap - 1;
    int64_t i = (int64_t)(hash(form, len) & (uint64_t)mask);
    while (v->slots[i]) {
        const entry *e = &v->entries[v->slots[i] - 1];
        if ((size_t)e->len == len && memcmp(v->bytes + e->at, form, len) == 0) break;
        i = (i + 1) & mask;
    }
    return i;
}

static int fill_slots(heed_vocab *v, int64_t cap) {
    int32_t *slots = heed__calloc(&v->hooks, (size_t)cap, sizeof *slots);
    if (!slots) return HEED_ENOMEM;
    heed__free(&v->hooks, v->slots);
    v->slots = slots;
    v->slot_cap = cap;
    for (int64_t i = 0; i < v->len; i++) {
        const entry *e = &v->entries[i];
        v->slots[slot_of(v, v->bytes + e->at, (size_t)e->len)] = (int32_t)(i + 1);
    }
    return 0;
}

int heed__vocab_count(heed_vocab *v, const char *form, size_t len) {
    if (2 * (v->len + 1) > v->slot_cap && fill_slots(v, v->slot_cap ? 2 * v->slot_cap : 1024))
        return HEED_ENOMEM;
    const int64_t slot = slot_of(v, form, len);
    if (v->slots[slot]) {
        v->entries[v->slots[slot] - 1].count++;
        return 0;
    }
    if (heed__grow(&v->hooks, &v->entries, &v->entry_cap, v->len + 1, sizeof *v->entries) ||
        heed__grow(&v->hooks, &v->bytes, &v->byte_cap, v->size + (int64_t)len, 1))
        return HEED_ENOMEM;
    memcpy(v->bytes + v->size, form, len);
    v->entries[v->len] = (entry){ .at = v->size, .count = 1, .len = (int32_t)len };
    v->size += (int64_t)len;
    v->slots[slot] = (int32_t)++v->len;
    return 0;
}

typedef struct ranked {
    entry e;
    const char *form;
} ranked;

static int by_count(const void *a, const void *b) {
    const ranked *x = a, *y = b;
    if (x->e.count != y->e.count) return x->e.count < y->e.count ? 1 : -1;
    const int32_t n = x->e.len < y->e.len ? x->e.len : y->e.len;
    const int order = memcmp(x->form, y->form, (size_t)n);
    return order ? order : x->e.len - y->e.len;
}

int heed__vocab_finish(heed_vocab *v, int64_t keep) {
    if (v->len == 0) return 0;
    ranked *r = heed__calloc(&v->hooks, (size_t)v->len, sizeof *r);
    if (!r) return HEED_ENOMEM;
    for (int64_t i = 0; i < v->len; i++)
        r[i] = (ranked){ v->entries[i], v->bytes + v->entries[i].at };
    qsort(r, (size_t)v->len, sizeof *r, by_count);
    for (int64_t i = 0; i < v->len; i++) v->entries[i] = r[i].e;
    heed__free(&v->hooks, r);
    const int64_t most = keep > HEED_VOCAB_SPECIAL ? keep - HEED_VOCAB_SPECIAL : 0;
    if (v->len > most) v->len = most;
    return fill_slots(v, v->slot_cap);
}

int64_t heed__vocab_len(const heed_vocab *v) {
    return v->len + HEED_VOCAB_SPECIAL;
}

int32_t heed__vocab_find(const heed_vocab *v, const char *form, size_t len) {
    if (v->slot_cap == 0) return HEED_VOCAB_UNKNOWN;
    const int32_t found = v->slots[slot_of(v, form, len)];
    return found ? found - 1 + HEED_VOCAB_SPECIAL : HEED_VOCAB_UNKNOWN;
}

char *heed__vocab_text(const heed_vocab *v, size_t *size) {
    *size = 0;
    char *text = heed__malloc(&v->hooks, (size_t)(v->size + v->len + 1));
    if (!text) return NULL;
    for (int64_t i = 0; i < v->len; i++) {
        memcpy(text + *size, v->bytes + v->entries[i].at, (size_t)v->entries[i].len);
        *size += (size_t)v->entries[i].len;
        text[(*size)++] = '\n';
    }
    return text;
}

heed_vocab *heed__vocab_parse(const char *text, size_t size, const char *name,
                              const heed_hooks *hooks, heed_error *err) {
    heed_vocab *v = heed__vocab_new(hooks, err);
    if (!v) return NULL;
    int64_t line = 1;
    for (size_t at = 0; at < size; line++) {
        const char *end = memchr(text + at, '\n', size - at);
        const size_t len = end ? (size_t)(end - text) - at : size - at;
        const int64_t before = v->len;
        const bool is_word = len > 0 && len <= INT32_MAX && heed__control_at(text + at, len) == len;
        int rc = is_word ? heed__vocab_count(v, text + at, len) : HEED_EFORMAT;
        if (rc == 0 && v->len == before) rc = HEED_EFORMAT;
        if (rc) {
            if (rc == HEED_ENOMEM)
                heed__error(err, rc, "%s: out of memory", name);
            else
                heed__error(err, rc, "%s:%lld: %s", name, (long long)line,
                            !len      ? "an empty line"
                            : is_word ? "a repeated word"
                                      : "not UTF-8, or a control character");
            heed__vocab_free(v);
            return NULL;
        }
        at += len + 1;
    }
    return v;
}
