/* feature_index.c: counts features over texts in two passes: the first counts in a small table that
 * keys share, so that the second need only hold those that can be common. */
#include "text/feature_index.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/elementary.h"

enum { SHARED_BITS = 22, SHARED = 1 << SHARED_BITS };

typedef struct count {
    uint32_t key, texts;
    int64_t last; /* the last text that had it, from 1; 0: free */
} count;

typedef struct counting {
    const heed_index_cfg *cfg;
    const char *const *text;
    int64_t len;
    uint8_t *shared; /* [SHARED] */
    count *entry;    /* [cap] a hash table */
    int64_t cap, used;
    heed_features f;
} counting;

static size_t home(uint32_t key) {
    return (size_t)(key * 0x9e3779b1u);
}

static count *find(const counting *c, uint32_t key) {
    size_t at = home(key) & (size_t)(c->cap - 1);
    while (c->entry[at].last && c->entry[at].key != key) at = (at + 1) & (size_t)(c->cap - 1);
    return c->entry + at;
}

static int widen(counting *c) {
    counting wide = *c;
    wide.cap = c->cap ? 2 * c->cap : 1 << 16;
    wide.entry = heed__calloc(&c->f.hooks, (size_t)wide.cap, sizeof *wide.entry);
    if (!wide.entry) return HEED_ENOMEM;
    for (int64_t i = 0; i < c->cap; i++)
        if (c->entry[i].last) *find(&wide, c->entry[i].key) = c->entry[i];
    heed__free(&c->f.hooks, c->entry);
    *c = wide;
    return 0;
}

static int read_text(counting *c, int64_t i) {
    heed__features_clear(&c->f);
    return heed__features_add(&c->f, &c->cfg->features, c->text[i], strlen(c->text[i]));
}

/* One more of each key. */
static void add_shared(counting *c, const uint32_t *key, int64_t len) {
    for (int64_t k = 0; k < len; k++) {
        uint8_t *n = c->shared + (home(key[k]) >> (32 - SHARED_BITS));
        *n = (uint8_t)(*n + (*n < UINT8_MAX));
    }
}

static int count_shared(counting *c) {
    const heed_features *f = &c->f;
    const heed_known_words *known = &f->known;
    for (int64_t i = 0; i < c->len; i++) {
        if (read_text(c, i)) return HEED_ENOMEM;
        for (int64_t u = 0; u < f->units; u++) {
            const int32_t w = f->word[u];
            if (w >= 0)
                add_shared(c, known->key + known->start[w], known->start[w + 1] - known->start[w]);
        }
        if (f->units) add_shared(c, f->key, f->bag[f->units]);
    }
    return 0;
}

/* Text i, from 1, has these keys. */
static int add_keys(counting *c, int64_t i, const uint32_t *key, int64_t len) {
    const int64_t least = c->cfg->least < UINT8_MAX ? c->cfg->least : UINT8_MAX;
    for (int64_t k = 0; k < len; k++) {
        if (c->shared[home(key[k]) >> (32 - SHARED_BITS)] < least) continue;
        if (2 * c->used >= c->cap && widen(c)) return HEED_ENOMEM;
        count *e = find(c, key[k]);
        if (!e->last) c->used++;
        e->key = key[k];
        e->texts += e->last != i;
        e->last = i;
    }
    return 0;
}

static int count_texts(counting *c) {
    const heed_features *f = &c->f;
    const heed_known_words *known = &f->known;
    for (int64_t i = 0; i < c->len; i++) {
        if (read_text(c, i)) return HEED_ENOMEM;
        for (int64_t u = 0; u < f->units; u++) {
            const int32_t w = f->word[u];
            if (w >= 0 && add_keys(c, i + 1, known->key + known->start[w],
                                   known->start[w + 1] - known->start[w]))
                return HEED_ENOMEM;
        }
        if (f->units && add_keys(c, i + 1, f->key, f->bag[f->units])) return HEED_ENOMEM;
    }
    return 0;
}

/* The fewest texts that a feature must be in so that no more than most are kept. */
static uint32_t threshold(const counting *c) {
    enum { MOST = 4096 };
    int64_t have[MOST + 1] = { 0 };
    for (int64_t i = 0; i < c->cap; i++)
        if (c->entry[i].last) have[c->entry[i].texts < MOST ? c->entry[i].texts : MOST]++;
    int64_t kept = 0;
    for (int64_t n = MOST; n > c->cfg->least; n--) {
        kept += have[n];
        if (kept + have[n - 1] > c->cfg->most) return (uint32_t)n;
    }
    return (uint32_t)c->cfg->least;
}

static int by_key(const void *a, const void *b) {
    const count *x = a, *y = b;
    return x->key < y->key ? -1 : x->key > y->key;
}

static int take(counting *c, heed_feature_index *x) {
    const uint32_t least = threshold(c);
    int64_t n = 0;
    for (int64_t i = 0; i < c->cap; i++)
        if (c->entry[i].last && c->entry[i].texts >= least) c->entry[n++] = c->entry[i];
    if (n > INT32_MAX) return HEED_ENOMEM;
    if (n) qsort(c->entry, (size_t)n, sizeof *c->entry, by_key);
    uint32_t *key = heed__calloc(&c->f.hooks, (size_t)n, sizeof *key);
    float *idf = heed__calloc(&c->f.hooks, (size_t)n, sizeof *idf);
    if (!key || !idf) {
        heed__free(&c->f.hooks, key);
        heed__free(&c->f.hooks, idf);
        return HEED_ENOMEM;
    }
    for (int64_t i = 0; i < n; i++) {
        key[i] = c->entry[i].key;
        idf[i] = (float)(heed__ln((double)c->len / (double)c->entry[i].texts) + 1);
    }
    return heed__index_from(x, key, idf, n, &c->f.hooks);
}

int heed__index_learn(heed_feature_index *x, const heed_index_cfg *cfg, const char *const *text,
                      int64_t len, const heed_hooks *hooks) {
    counting c = { .cfg = cfg, .text = text, .len = len, .f.remember = true };
    *x = (heed_feature_index){ .len = 0 };
    if (hooks) c.f.hooks = *hooks;
    c.shared = heed__calloc(hooks, SHARED, sizeof *c.shared);
    int rc = c.shared ? count_shared(&c) : HEED_ENOMEM;
    if (rc == 0) rc = count_texts(&c);
    heed__free(hooks, c.shared);
    if (rc == 0) rc = take(&c, x);
    heed__free(hooks, c.entry);
    heed__features_free(&c.f);
    return rc;
}

int heed__index_from(heed_feature_index *x, uint32_t *key, float *idf, int64_t len,
                     const heed_hooks *hooks) {
    *x = (heed_feature_index){ .len = len, .key = key, .idf = idf };
    if (hooks) x->hooks = *hooks;
    int64_t slots = 64;
    while (slots < 2 * len) slots *= 2;
    for (int k = 0, i = 0; k < 4; k++) {
        while (i < len && (int)heed__feature_kind_of(key[i]) < k) i++;
        x->kinds[k] = i;
    }
    x->slot = heed__calloc(hooks, (size_t)slots, sizeof *x->slot);
    x->mask = (uint32_t)(slots - 1);
    int rc = x->slot ? 0 : HEED_ENOMEM;
    for (int64_t i = 0; rc == 0 && i < len; i++) {
        if (i && key[i] <= key[i - 1]) rc = HEED_EINVALID;
        uint32_t at = key[i] * 0x9e3779b1u >> 7 & x->mask;
        while (x->slot[at]) at = (at + 1) & x->mask;
        x->slot[at] = (uint32_t)i + 1;
    }
    if (rc) heed__index_free(x);
    return rc;
}

int64_t heed__index_size(const heed_feature_index *x) {
    return x->len * (int64_t)(sizeof *x->key + sizeof *x->idf) +
           ((int64_t)x->mask + 1) * (int64_t)sizeof *x->slot;
}

void heed__index_free(heed_feature_index *x) {
    heed__free(&x->hooks, x->key);
    heed__free(&x->hooks, x->idf);
    heed__free(&x->hooks, x->slot);
    *x = (heed_feature_index){ .hooks = x->hooks };
}
