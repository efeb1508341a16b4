/* tok_model.c: what the models have in common: how a file's object becomes one of them, and the
 * cache of short pieces that stands before each. */
#include "text/tok_model.h"

#include <string.h>

#include "base/alloc.h"
#include "text/tok_cache.h"
#include "text/tok_models.h"

/* -- loading ---------------------------------------------------------------------------------- */

static const struct {
    const char *type;
    heed__tok_model *(*load)(const json_t *object, const char *name, const heed_hooks *hooks,
                             heed_error *err);
} kinds[] = {
    { "BPE", heed__tok_load_bpe },
    { "WordPiece", heed__tok_load_wordpiece },
    { "WordLevel", heed__tok_load_wordlevel },
    { "Unigram", heed__tok_load_unigram },
};

/* Old files do not say the type: merges make BPE, a prefix WordPiece, a list of scores Unigram. */
static const char *guess(const json_t *object) {
    if (json_object_get(object, "merges")) return "BPE";
    if (json_object_get(object, "continuing_subword_prefix")) return "WordPiece";
    if (json_is_array(json_object_get(object, "vocab"))) return "Unigram";
    return "WordLevel";
}

heed__tok_model *heed__tok_model_load(const json_t *object, const char *name,
                                      const heed_hooks *hooks, heed_error *err) {
    const json_t *field = json_object_get(object, "type");
    const char *type = field ? json_string_value(field) : guess(object);
    if (!json_is_object(object) || !type) {
        heed__error(err, HEED_EFORMAT, "%s: %s", name,
                    type ? "is not an object" : "type is not a text");
        return NULL;
    }
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kinds[i].type, type) == 0) return kinds[i].load(object, name, hooks, err);
    heed__error(err, HEED_EUNSUPPORTED,
                "%s: no model of type '%.80s'; there are: WordPiece, BPE, Unigram, WordLevel", name,
                type);
    return NULL;
}

json_t *heed__tok_model_save(const heed__tok_model *m) {
    return m->ops->save(m);
}

void heed__tok_model_free(heed__tok_model *m) {
    if (m) m->ops->free(m);
}

int32_t heed__tok_find(const heed__tok_model *m, const char *token, size_t size) {
    return m->ops->find(m, token, size);
}

const char *heed__tok_token(const heed__tok_model *m, int32_t id, size_t *size) {
    return m->ops->token(m, id, size);
}

int64_t heed__tok_len(const heed__tok_model *m) {
    return m->ops->len(m);
}

int32_t heed__tok_spelled(const heed__tok_model *m) {
    return m->ops->spelled ? m->ops->spelled(m) : -1;
}

bool heed__tok_model_raw(heed__tok_model *m) {
    return heed__tok_bpe_raw(m);
}

/* -- encoding --------------------------------------------------------------------------------- */

static heed__tok_cache *cache_new(const heed_hooks *hooks, int bits) {
    const size_t size = sizeof(heed__tok_cache) + (sizeof(heed__cache_line) << bits);
    heed__tok_cache *c = heed__aligned(hooks, size);
    if (!c) return NULL;
    memset(c, 0, size);
    c->bits = bits;
    return c;
}

/* A cache that is full of what was met makes room for more, and forgets; without memory for that it
 * stays as it is. */
static void cache_grow(heed__tok_scratch *s) {
    s->cache->puts = 0;
    if (s->cache->bits == HEED_CACHE_MOST) return;
    heed__tok_cache *c = cache_new(&s->model->hooks, s->cache->bits + HEED_CACHE_STEP);
    if (!c) return;
    heed__aligned_free(&s->model->hooks, s->cache);
    s->cache = c;
}

heed__tok_scratch *heed__tok_scratch_new(const heed__tok_model *m, heed_error *err) {
    heed__tok_scratch *s = m->ops->scratch(m);
    if (s) {
        s->model = m;
        s->cache = cache_new(&m->hooks, HEED_CACHE_LEAST);
        if (s->cache) return s;
        m->ops->scratch_free(s);
    }
    heed__error(err, HEED_ENOMEM, "tokenizer: out of memory");
    return NULL;
}

void heed__tok_scratch_free(heed__tok_scratch *s) {
    if (!s) return;
    heed__aligned_free(&s->model->hooks, s->cache);
    s->model->ops->scratch_free(s);
}

int heed__tok_no_memory(heed_error *err) {
    return heed__error(err, HEED_ENOMEM, "tokenizer: out of memory");
}

int heed__tok_room(const heed__tok_model *m, heed__tok_pieces *out, int64_t more, heed_error *err) {
    if (out->cap - out->len >= more) return 0;
    if (heed__grow(&m->hooks, &out->item, &out->cap, out->len + more, sizeof *out->item))
        return heed__tok_no_memory(err);
    return 0;
}

int heed__tok_encode(const heed__tok_model *m, heed__tok_scratch *s, const char *piece, size_t size,
                     heed__tok_pieces *out, heed_error *err) {
    if (size == 0) return 0;
    if (size > HEED_CACHE_BYTES) {
        if (size >= INT32_MAX)
            return heed__error(err, HEED_EINVALID, "tokenizer: a piece of 2 GiB or more");
        const int64_t before = out->len;
        const int rc = m->ops->encode(m, s, piece, size, out, err);
        if (rc) out->len = before;
        return rc;
    }
    const heed__cache_key key = heed__cache_key_of(piece, size);
    heed__cache_line *line = heed__cache_find(s->cache, &key);
    if (heed__cache_holds(line, &key)) {
        if (out->cap - out->len < HEED_CACHE_TOKENS &&
            heed__tok_room(m, out, HEED_CACHE_TOKENS, err))
            return HEED_ENOMEM;
        heed__tok_piece *to = out->item + out->len;
        for (int i = 0; i < line->len; i++)
            to[i] = (heed__tok_piece){ line->id[i], line->begin[i], line->end[i] };
        out->len += line->len;
        return 0;
    }
    const int64_t before = out->len;
    const int rc = m->ops->encode(m, s, piece, size, out, err);
    if (rc) {
        out->len = before;
        return rc;
    }
    if (!out->item) return 0;
    heed__cache_put(line, &key, out->item + before, out->len - before);
    if (++s->cache->puts >> s->cache->bits) cache_grow(s);
    return 0;
}

void heed__tok_pieces_free(const heed__tok_model *m, heed__tok_pieces *out) {
    heed__free(&m->hooks, out->item);
    *out = (heed__tok_pieces){ 0 };
}
