/* tok_vocab.c: tokens and ids: an open-addressed table over one block of bytes. */
#include "text/tok_vocab.h"

#include "base/alloc.h"
#include "text/tok_json.h"

static uint64_t load64(const char *p) {
    uint64_t x;
    memcpy(&x, p, 8);
    return x;
}

/* Multiply and fold, eight bytes at a time; the rest comes zero-padded, the size is mixed in. */
uint32_t heed__tok_hash(const char *bytes, size_t size) {
    uint64_t h = 0x9e3779b97f4a7c15u ^ size * 0xff51afd7ed558ccdu;
    size_t left = size;
    for (; left >= 8; left -= 8, bytes += 8) {
        h = (h ^ load64(bytes)) * 0xd6e8feb86659fd93u;
        h ^= h >> 32;
    }
    uint64_t tail = 0;
    for (size_t i = 0; i < left; i++) tail |= (uint64_t)(unsigned char)bytes[i] << 8 * i;
    h = (h ^ tail) * 0xd6e8feb86659fd93u;
    h ^= h >> 32;
    h *= 0xd6e8feb86659fd93u;
    return (uint32_t)(h >> 32);
}

void heed__tok_vocab_free(heed__tok_vocab *v) {
    heed__free(&v->hooks, v->bytes);
    heed__free(&v->hooks, v->entries);
    heed__free(&v->hooks, v->by_id);
    heed__free(&v->hooks, v->slots);
    *v = (heed__tok_vocab){ .hooks = v->hooks };
}

/* The slot that holds the token, or the empty one where it would go. */
static int64_t slot_of(const heed__tok_vocab *v, const char *token, size_t size, uint32_t hash) {
    const int64_t mask = v->slot_cap - 1;
    int64_t i = (int64_t)hash & mask;
    for (; v->slots[i]; i = (i + 1) & mask) {
        const struct heed__tok_entry *e = &v->entries[v->slots[i] - 1];
        if (e->hash == hash && e->len == size && memcmp(v->bytes + e->at, token, size) == 0) break;
    }
    return i;
}

static int widen(heed__tok_vocab *v) {
    const int64_t cap = v->slot_cap ? 2 * v->slot_cap : 512;
    int32_t *slots = heed__calloc(&v->hooks, (size_t)cap, sizeof *slots);
    if (!slots) return HEED_ENOMEM;
    heed__free(&v->hooks, v->slots);
    v->slots = slots;
    v->slot_cap = cap;
    for (int64_t i = 0; i < v->len; i++) {
        const struct heed__tok_entry *e = &v->entries[i];
        v->slots[slot_of(v, v->bytes + e->at, e->len, e->hash)] = (int32_t)(i + 1);
    }
    return 0;
}

int heed__tok_vocab_add(heed__tok_vocab *v, const char *token, size_t size, int64_t id) {
    if (id < 0 || id > HEED_TOK_MAX_ID || size >= UINT32_MAX - (uint64_t)v->size)
        return HEED_EFORMAT;
    if (id < v->ids && v->by_id[id].at != UINT32_MAX) return HEED_EFORMAT;
    if (2 * (v->len + 1) > v->slot_cap && widen(v)) return HEED_ENOMEM;
    if (heed__grow(&v->hooks, &v->entries, &v->entry_cap, v->len + 1, sizeof *v->entries) ||
        heed__grow(&v->hooks, &v->bytes, &v->byte_cap, v->size + (int64_t)size + 1, 1) ||
        heed__grow(&v->hooks, &v->by_id, &v->id_cap, id + 1, sizeof *v->by_id))
        return HEED_ENOMEM;
    for (; v->ids <= id; v->ids++) v->by_id[v->ids].at = UINT32_MAX;
    const uint32_t hash = heed__tok_hash(token, size);
    v->slots[slot_of(v, token, size, hash)] = (int32_t)v->len + 1;
    v->entries[v->len] = (struct heed__tok_entry){ (uint32_t)v->size, (uint32_t)size, (int32_t)id,
                                                   hash };
    if (size) memcpy(v->bytes + v->size, token, size);
    v->bytes[v->size + (int64_t)size] = 0;
    v->size += (int64_t)size + 1;
    v->by_id[id] = (struct heed__tok_place){ v->entries[v->len].at, (uint32_t)size };
    v->len++;
    return 0;
}

int32_t heed__tok_vocab_find(const heed__tok_vocab *v, const char *token, size_t size) {
    if (!v->slot_cap) return -1;
    const int32_t slot = v->slots[slot_of(v, token, size, heed__tok_hash(token, size))];
    return slot ? v->entries[slot - 1].id : -1;
}

const char *heed__tok_vocab_token(const heed__tok_vocab *v, int32_t id, size_t *size) {
    if (id < 0 || id >= v->ids || v->by_id[id].at == UINT32_MAX) {
        if (size) *size = 0;
        return NULL;
    }
    if (size) *size = v->by_id[id].len;
    return v->bytes + v->by_id[id].at;
}

int heed__tok_vocab_load(heed__tok_vocab *v, const json_t *object, const char *name,
                         heed_error *err) {
    if (!json_is_object(object))
        return heed__error(err, HEED_EFORMAT, "%s: vocab is not an object of tokens and ids", name);
    char *token = NULL;
    int64_t cap = 0;
    int rc = 0;
    /* jansson's own order is that of the file */
    for (void *at = json_object_iter((json_t *)object); at && !rc;
         at = json_object_iter_next((json_t *)object, at)) {
        const char *key = json_object_iter_key(at);
        const size_t len = json_object_iter_key_len(at);
        const json_t *value = json_object_iter_value(at);
        rc = heed__grow(&v->hooks, &token, &cap, (int64_t)len + 1, 1);
        if (rc) break;
        const size_t size = heed__tok_json_key(key, len, token);
        const int64_t id = json_is_integer(value) ? json_integer_value(value) : -1;
        rc = heed__tok_vocab_add(v, token, size, id);
        if (rc == HEED_EFORMAT && id >= 0 && id <= HEED_TOK_MAX_ID && id < v->ids)
            heed__error(err, rc, "%s: id %lld belongs to two tokens, '%.80s' and '%.80s'", name,
                        (long long)id, heed__tok_vocab_token(v, (int32_t)id, NULL), key);
        else if (rc == HEED_EFORMAT)
            heed__error(err, rc, "%s: the id of token '%.80s' is not a whole number from 0 to %d",
                        name, key, HEED_TOK_MAX_ID);
    }
    heed__free(&v->hooks, token);
    if (rc == HEED_ENOMEM) heed__error(err, rc, "%s: out of memory", name);
    return rc;
}

json_t *heed__tok_vocab_save(const heed__tok_vocab *v) {
    json_t *object = json_object();
    char *key = NULL;
    int64_t cap = 0;
    int rc = object ? 0 : HEED_ENOMEM;
    for (int32_t id = 0; id < v->ids && !rc; id++) {
        size_t size;
        const char *token = heed__tok_vocab_token(v, id, &size);
        if (!token || heed__tok_vocab_find(v, token, size) != id) continue;
        rc = heed__grow(&v->hooks, &key, &cap, HEED_TOK_KEY_MOST * (int64_t)size + 1, 1);
        if (rc) break;
        const size_t len = heed__tok_json_key_put(token, size, key);
        if (json_object_setn_new(object, key, len, json_integer(id))) rc = HEED_ENOMEM;
    }
    heed__free(&v->hooks, key);
    if (!rc) return object;
    json_decref(object);
    return NULL;
}

void heed__tok_fallback(const heed__tok_vocab *v, int32_t id[256]) {
    static const char digit[] = "0123456789ABCDEF";
    for (int i = 0; i < 256; i++) {
        const char token[] = { '<', '0', 'x', digit[i >> 4], digit[i & 15], '>' };
        id[i] = heed__tok_vocab_find(v, token, sizeof token);
    }
}
