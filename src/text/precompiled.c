/* precompiled.c: SentencePiece's precompiled_charsmap: the size of a trie in bytes, the trie, an
 * array of 32-bit units as Darts-clone lays them out, and the texts that its leaves point to, each
 * ended by a zero. All little-endian. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/base64.h"
#include "text/tok_norm.h"
#include "text/tok_trie.h"
#include "text/unicode.h"

enum { GRAPHEME_LIMIT = 6 }; /* bytes; longer graphemes are looked up character by character */

struct heed__charsmap {
    heed_hooks hooks;
    unsigned char *bytes;
    uint32_t units; /* of the trie */
    const char *text;
    size_t size;
    heed__tok_trie keep; /* len 0: everything is looked up */
};

/* The alphabet for URLs is not meant. */
static int digit(char c) {
    return c == '-' || c == '_' ? -1 : heed__base64_value(c);
}

/* Decodes into out, which has room; false: it is no base64. */
static bool decode(const char *text, size_t len, unsigned char *out, size_t *size) {
    uint32_t bits = 0;
    size_t n = 0;
    if (len % 4 != 0) return false;
    const size_t pad = len == 0 ? 0 : (size_t)(text[len - 1] == '=') + (text[len - 2] == '=');
    for (size_t i = 0; i < len - pad; i++) {
        const int d = digit(text[i]);
        if (d < 0) return false;
        bits = bits << 6 | (uint32_t)d;
        if (i % 4 == 3) {
            out[n++] = (unsigned char)(bits >> 16);
            out[n++] = (unsigned char)(bits >> 8);
            out[n++] = (unsigned char)bits;
            bits = 0;
        }
    }
    if (pad == 1) {
        out[n++] = (unsigned char)(bits >> 10);
        out[n++] = (unsigned char)(bits >> 2);
    } else if (pad == 2) {
        out[n++] = (unsigned char)(bits >> 4);
    }
    *size = n;
    return true;
}

static uint32_t unit(const heed__charsmap *m, uint32_t i) {
    const unsigned char *b = m->bytes + 4 + (size_t)i * 4;
    return b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

heed__charsmap *heed__charsmap_new(const char *base64, const char *name, const heed_hooks *hooks,
                                   heed_error *err) {
    const size_t len = strlen(base64);
    heed__charsmap *m = heed__calloc(hooks, 1, sizeof *m);
    if (m && hooks) m->hooks = *hooks;
    if (m) m->bytes = heed__malloc(hooks, len / 4 * 3 + 4);
    if (!m || !m->bytes) {
        heed__charsmap_free(m);
        heed__error(err, HEED_ENOMEM, "tokenizer: out of memory");
        return NULL;
    }
    size_t size = 0;
    const char *wrong = NULL;
    if (!decode(base64, len, m->bytes, &size)) {
        wrong = "is not base64";
    } else if (size < 4) {
        wrong = "is cut short";
    } else {
        const uint32_t trie = m->bytes[0] | (uint32_t)m->bytes[1] << 8 |
                              (uint32_t)m->bytes[2] << 16 | (uint32_t)m->bytes[3] << 24;
        m->units = trie / 4;
        if (m->units == 0 || trie / 4 * 4 > size - 4) {
            wrong = "is cut short";
        } else {
            m->text = (const char *)m->bytes + 4 + (size_t)m->units * 4;
            m->size = size - 4 - (size_t)m->units * 4;
            if (heed__utf8_check(m->text, m->size) < m->size) wrong = "holds texts not in UTF-8";
        }
    }
    if (!wrong) return m;
    heed__error(err, HEED_EFORMAT, "%s: precompiled_charsmap %s", name, wrong);
    heed__charsmap_free(m);
    return NULL;
}

void heed__charsmap_free(heed__charsmap *m) {
    if (!m) return;
    const heed_hooks hooks = m->hooks;
    heed__trie_free(&m->keep);
    heed__free(&hooks, m->bytes);
    heed__free(&hooks, m);
}

/* What stands for the shortest beginning of the key that the trie knows; NULL: nothing. That the
 * rest of the key is then lost is how the reference does it. */
static const char *look_up(const heed__charsmap *m, const char *key, uint32_t size, uint32_t *len) {
    uint32_t at = 0, u = unit(m, 0);
    at ^= (u >> 10) << ((u & 1u << 9) >> 6);
    for (uint32_t i = 0; i < size; i++) {
        const unsigned char c = (unsigned char)key[i];
        if (c == 0) return NULL;
        at ^= c;
        if (at >= m->units) return NULL;
        u = unit(m, at);
        if ((u & (1u << 31 | 0xFF)) != c) return NULL;
        at ^= (u >> 10) << ((u & 1u << 9) >> 6);
        if (!(u >> 8 & 1)) continue;
        if (at >= m->units) return NULL;
        const uint32_t place = unit(m, at) & 0x7FFFFFFF;
        if (place > m->size) return NULL;
        if (place < m->size && ((unsigned char)m->text[place] & 0xC0u) == 0x80u) return NULL;
        const char *end = memchr(m->text + place, 0, m->size - place);
        *len = (uint32_t)((end ? (size_t)(end - m->text) : m->size) - place);
        return m->text + place;
    }
    return NULL;
}

/* Edits that put new in the place of old. */
static int swap(heed__tok_work *w, const char *old, uint32_t old_size, const char *new,
                uint32_t new_size, heed_error *err) {
    const int64_t before = heed__char_count(old, old_size);
    const int64_t after = heed__char_count(new, new_size);
    for (uint32_t i = 0, n = 0, k = 0; i < new_size; i += n, k++)
        if (heed__edit_add(w, heed__char_at(new + i, &n), k >= before, err)) return HEED_ENOMEM;
    if (after < before && w->edit_len > 0)
        w->edit[w->edit_len - 1].change -= (int32_t)(before - after);
    return 0;
}

int heed__charsmap_apply(const heed__charsmap *m, heed__tok_work *w, heed__span *a,
                         heed_error *err) {
    bool changed = false;
    uint32_t new_size = 0, n = 0;
    w->edit_len = 0;
    for (uint32_t at = 0, size; at < a->size; at += size) {
        const char *text = a->text + at;
        size = (uint32_t)heed__uni_grapheme(text, a->size - at);
        const char *new = size < GRAPHEME_LIMIT ? look_up(m, text, size, &new_size) : NULL;
        if (new) {
            changed = true;
            if (swap(w, text, size, new, new_size, err)) return HEED_ENOMEM;
            continue;
        }
        for (uint32_t i = 0; i < size; i += n) {
            const uint32_t code = heed__char_at(text + i, &n);
            new = look_up(m, text + i, n, &new_size);
            changed |= new != NULL;
            const int rc = new ? swap(w, text + i, n, new, new_size, err)
                               : heed__edit_add(w, code, 0, err);
            if (rc) return rc;
        }
    }
    return changed ? heed__span_edit(w, a, 0, err) : 0;
}

/* The same, each new character standing for all of the old ones. */
static int swap_whole(heed__tok_work *w, const char *old, uint32_t old_size, const char *new,
                      uint32_t new_size, heed_error *err) {
    const int32_t before = (int32_t)heed__char_count(old, old_size);
    for (uint32_t i = 0, n = 0; i < new_size; i += n) {
        const uint32_t code = heed__char_at(new + i, &n);
        if (heed__edit_add(w, i ? code | HEED_EDIT_SAME : code, i ? 0 : 1 - before, err))
            return HEED_ENOMEM;
    }
    if (new_size == 0 && w->edit_len > 0) w->edit[w->edit_len - 1].change -= before;
    return 0;
}

/* What stands for the longest beginning of the text that the trie knows, *used its bytes. */
static const char *look_up_longest(const heed__charsmap *m, const char *text, uint32_t size,
                                   uint32_t *used, uint32_t *len) {
    const char *found = NULL;
    for (uint32_t at = 0, u = unit(m, 0), i = 0; i < size; i++) {
        const unsigned char c = (unsigned char)text[i];
        at ^= (u >> 10) << ((u & 1u << 9) >> 6) ^ c;
        if (c == 0 || at >= m->units) break;
        u = unit(m, at);
        if ((u & (1u << 31 | 0xFF)) != c) break;
        if (!(u >> 8 & 1)) continue;
        const uint32_t leaf = at ^ (u >> 10) << ((u & 1u << 9) >> 6);
        const uint32_t place = leaf < m->units ? unit(m, leaf) & 0x7FFFFFFF : UINT32_MAX;
        const bool inside = i + 1 < size && ((unsigned char)text[i + 1] & 0xC0u) == 0x80u;
        if (inside || place > m->size) continue;
        if (place < m->size && ((unsigned char)m->text[place] & 0xC0u) == 0x80u) continue;
        const char *end = memchr(m->text + place, 0, m->size - place);
        found = m->text + place;
        *len = (uint32_t)((end ? (size_t)(end - m->text) : m->size) - place);
        *used = i + 1;
    }
    return found;
}

static int by_bytes(const void *a, const void *b) {
    const heed__trie_key *x = a, *y = b;
    const int order = memcmp(x->key, y->key, x->size < y->size ? x->size : y->size);
    return order ? order : (x->size > y->size) - (x->size < y->size);
}

int heed__charsmap_keep(heed__charsmap *m, const heed_fields *f, const char *key) {
    const json_t *texts = json_object_get(f->object, key);
    const size_t n = json_array_size(texts);
    heed__trie_key *keys = n ? heed__calloc(&m->hooks, n, sizeof *keys) : NULL;
    int rc = texts && !json_is_array(texts) ? HEED_EFORMAT : keys || !n ? 0 : HEED_ENOMEM;
    m->keep.hooks = m->hooks;
    for (size_t i = 0; rc == 0 && i < n; i++) {
        const json_t *one = json_array_get(texts, i);
        const size_t size = json_string_length(one);
        if (size == 0 || size > UINT16_MAX) rc = HEED_EFORMAT;
        keys[i] = (heed__trie_key){ json_string_value(one), (uint32_t)size, (int32_t)i };
    }
    if (rc == 0 && n) qsort(keys, n, sizeof *keys, by_bytes);
    for (size_t i = 1; rc == 0 && i < n; i++)
        if (by_bytes(&keys[i - 1], &keys[i]) == 0) rc = HEED_EFORMAT;
    if (rc == 0 && n) rc = heed__trie_build(&m->keep, keys, (int64_t)n);
    heed__free(&m->hooks, keys);
    if (rc == HEED_EFORMAT)
        return heed__error(f->err, rc, "%s: %s is not a list of texts, none empty or there twice",
                           f->name, key);
    return rc ? heed__error(f->err, rc, "tokenizer: out of memory") : 0;
}

/* Bytes of the longest text to be kept that this one begins with; 0: none. */
static uint32_t kept_at(const heed__charsmap *m, const char *text, uint32_t size) {
    uint32_t found = 0;
    for (uint32_t i = 0, node = 0; m->keep.len && i < size; i++) {
        const int32_t next = heed__trie_step(&m->keep, (int32_t)node, (unsigned char)text[i]);
        if (next < 0) break;
        node = (uint32_t)next;
        if (m->keep.units[node].value >= 0) found = i + 1;
    }
    return found;
}

heed__charsmap *heed__charsmap_kept(const heed_fields *f, const char *key,
                                    const heed_hooks *hooks) {
    heed__charsmap *m = heed__calloc(hooks, 1, sizeof *m);
    if (!m) {
        heed__error(f->err, HEED_ENOMEM, "tokenizer: out of memory");
        return NULL;
    }
    if (hooks) m->hooks = *hooks;
    if (heed__charsmap_keep(m, f, key) == 0) return m;
    heed__charsmap_free(m);
    return NULL;
}

int heed__charsmap_group(const heed__charsmap *m, heed__tok_work *w, heed__span *a,
                         heed_error *err) {
    heed__place *at = heed__tok_work_alloc(w, a->size * sizeof *at, err);
    if (!at) return HEED_ENOMEM;
    for (uint32_t i = 0, n = 0; i < a->size; i += n) {
        n = kept_at(m, a->text + i, a->size - i);
        if (!n) heed__char_at(a->text + i, &n);
        const heed__place p = heed__span_place(a, i, i + n);
        for (uint32_t k = 0; k < n; k++) at[i + k] = p;
    }
    a->at = at;
    return 0;
}

int heed__charsmap_apply_longest(const heed__charsmap *m, heed__tok_work *w, heed__span *a,
                                 heed_error *err) {
    bool changed = false;
    int64_t skipped = 0; /* characters that go before the first that stays */
    w->edit_len = 0;
    for (uint32_t at = 0, size = 0, new_size = 0; at < a->size; at += size) {
        const char *text = a->text + at, *new = NULL;
        const uint32_t kept = kept_at(m, text, a->size - at);
        for (uint32_t i = 0, n = 0; i < kept; i += n)
            if (heed__edit_add(w, heed__char_at(text + i, &n), 0, err)) return HEED_ENOMEM;
        size = kept;
        if (kept) continue;
        new = look_up_longest(m, text, a->size - at, &size, &new_size);
        if (!new) {
            const uint32_t code = heed__char_at(text, &size);
            if (heed__edit_add(w, code, 0, err)) return HEED_ENOMEM;
            continue;
        }
        changed = true;
        if (w->edit_len == 0 && new_size == 0)
            skipped += heed__char_count(text, size);
        else if (swap_whole(w, text, size, new, new_size, err))
            return HEED_ENOMEM;
    }
    if (!changed) return 0;
    const uint32_t end = heed__span_at(a, a->size - 1).end;
    const int rc = heed__span_edit(w, a, skipped, err);
    return rc ? rc : heed__span_touch(w, a, end, err);
}
