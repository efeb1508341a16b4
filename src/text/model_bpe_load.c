/* model_bpe_load.c: a BPE model from tokenizer.json or from vocab.json and merges.txt, and its
 * object again. */
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "text/aligned.h"
#include "text/model_bpe.h"

/* -- making ----------------------------------------------------------------------------------- */

void heed__bpe_free(heed__tok_model *model) {
    heed__bpe *m = (heed__bpe *)model;
    const heed_hooks hooks = model->hooks;
    heed__tok_vocab_free(&m->words.vocab);
    heed__free(&hooks, m->slots);
    heed__free(&hooks, m->filter);
    heed__free(&hooks, m->merges);
    heed__free(&hooks, m->ranks);
    heed__trie_free(&m->frozen);
    heed__free(&hooks, m->unk.text);
    heed__free(&hooks, m->prefix.text);
    heed__free(&hooks, m->suffix.text);
    heed__free(&hooks, m);
}

static heed__bpe *bpe_new(const heed_hooks *hooks, const char *name, heed_error *err) {
    heed__bpe *m = heed__calloc(hooks, 1, sizeof *m);
    if (!m) {
        heed__error(err, HEED_ENOMEM, "%s: out of memory", name);
        return NULL;
    }
    m->words.head.ops = &heed__bpe_ops;
    if (hooks) m->words.head.hooks = *hooks;
    m->words.vocab.hooks = m->words.head.hooks;
    return m;
}

/* One merge, of two tokens of the file; where stands for its place in messages. */
typedef struct merge_place {
    const char *name;
    const char *form; /* "%s: merges[%lld]" or "%s:%lld" */
    int64_t number;
} merge_place;

static int bad_merge(const merge_place *p, const char *what, const char *token, heed_error *err) {
    char where[300];
    if (*p->form == '[')
        heed__format(where, sizeof where, "%.200s: merges[%lld]", p->name, (long long)p->number);
    else
        heed__format(where, sizeof where, "%.200s:%lld", p->name, (long long)p->number);
    return heed__error(err, HEED_EFORMAT, "%s: %s '%.80s'", where, what, token);
}

static int add_merge(heed__bpe *m, heed__tok_text a, heed__tok_text b, const merge_place *p,
                     heed_error *err) {
    const heed__tok_vocab *v = &m->words.vocab;
    const int32_t left = heed__tok_vocab_find(v, a.text, a.size),
                  right = heed__tok_vocab_find(v, b.text, b.size);
    if (left < 0) return bad_merge(p, "the vocabulary has no token", a.text, err);
    if (right < 0) return bad_merge(p, "the vocabulary has no token", b.text, err);
    if (heed__grow(&m->words.head.hooks, &m->merges, &m->merge_cap, m->merge_len + 1,
                   sizeof *m->merges))
        return heed__error(err, HEED_ENOMEM, "%s: out of memory", p->name);
    m->merges[m->merge_len++] = (uint64_t)(uint32_t)left << 32 | (uint32_t)right;
    return 0;
}

/* "left right", exactly one space between two texts without spaces. */
static int add_merge_line(heed__bpe *m, char *line, size_t size, const merge_place *p,
                          heed_error *err) {
    char *space = memchr(line, ' ', size);
    if (!space || memchr(space + 1, ' ', size - (size_t)(space + 1 - line)))
        return bad_merge(p, "no two tokens with one space between them:", line, err);
    *space = 0;
    const size_t left = (size_t)(space - line);
    return add_merge(m, (heed__tok_text){ line, left },
                     (heed__tok_text){ space + 1, size - left - 1 }, p, err);
}

static int read_merges(heed__bpe *m, const json_t *merges, const char *name, heed_error *err) {
    if (!json_is_array(merges))
        return heed__error(err, HEED_EFORMAT, "%s: merges is not a list", name);
    char *line = NULL;
    int64_t cap = 0;
    int rc = 0;
    for (size_t i = 0; i < json_array_size(merges) && !rc; i++) {
        const json_t *one = json_array_get(merges, i);
        const merge_place p = { name, "[", (int64_t)i };
        const json_t *a = json_array_get(one, 0), *b = json_array_get(one, 1);
        if (json_is_string(one)) {
            const size_t size = json_string_length(one);
            if (strncmp(json_string_value(one), "#version", 8) == 0) continue;
            rc = heed__grow(&m->words.head.hooks, &line, &cap, (int64_t)size + 1, 1);
            if (rc) {
                heed__error(err, rc, "%s: out of memory", name);
                break;
            }
            memcpy(line, json_string_value(one), size + 1);
            rc = add_merge_line(m, line, size, &p, err);
        } else if (json_array_size(one) == 2 && json_is_string(a) && json_is_string(b)) {
            const heed__tok_text left = { (char *)json_string_value(a), json_string_length(a) },
                                 right = { (char *)json_string_value(b), json_string_length(b) };
            rc = add_merge(m, left, right, &p, err);
        } else {
            rc = bad_merge(&p, "is neither a text nor a list of two", "", err);
        }
    }
    heed__free(&m->words.head.hooks, line);
    return rc;
}

/* Merges that share ranks, and tokens found before all others (sentencepiece.c). */
static int read_ranks(heed__bpe *m, const json_t *list, const char *name, heed_error *err) {
    if (!list) return 0;
    if (json_array_size(list) != (size_t)m->merge_len)
        return heed__error(err, HEED_EFORMAT, "%s: ranks is not a list of one for each merge",
                           name);
    m->ranks = heed__calloc(&m->words.head.hooks, (size_t)m->merge_len + 1, sizeof *m->ranks);
    if (!m->ranks) return heed__error(err, HEED_ENOMEM, "%s: out of memory", name);
    for (int64_t i = 0; i < m->merge_len; i++) {
        const json_t *rank = json_array_get(list, (size_t)i);
        if (!json_is_integer(rank) || json_integer_value(rank) < 0 ||
            json_integer_value(rank) > INT32_MAX)
            return heed__error(err, HEED_EFORMAT, "%s: ranks[%lld] is not a whole number", name,
                               (long long)i);
        m->ranks[i] = (uint32_t)json_integer_value(rank);
    }
    return 0;
}

static int read_frozen(heed__bpe *m, const json_t *list, const char *name, heed_error *err) {
    const size_t n = json_array_size(list);
    if (!n) return 0;
    heed__trie_key *keys = heed__calloc(&m->words.head.hooks, n, sizeof *keys);
    if (!keys) return heed__error(err, HEED_ENOMEM, "%s: out of memory", name);
    int64_t len = 0;
    int rc = 0;
    for (size_t i = 0; i < n && !rc; i++) {
        const json_t *id = json_array_get(list, i);
        size_t size = 0;
        const char *token = NULL;
        if (json_is_integer(id) && json_integer_value(id) >= 0 &&
            json_integer_value(id) <= HEED_TOK_MAX_ID)
            token = heed__tok_vocab_token(&m->words.vocab, (int32_t)json_integer_value(id), &size);
        if (size)
            keys[len++] = (heed__trie_key){ token, (uint32_t)size,
                                            (int32_t)json_integer_value(id) };
        else
            rc = heed__error(err, HEED_EFORMAT, "%s: frozen[%zu] is no token's id", name, i);
    }
    m->frozen.hooks = m->words.head.hooks;
    if (!rc && heed__trie_build(&m->frozen, keys, len))
        rc = heed__error(err, HEED_ENOMEM, "%s: out of memory", name);
    heed__free(&m->words.head.hooks, keys);
    return rc;
}

/* The table of pairs, from the list of merges; each gives the token that its two spell together. */
static int make_pairs(heed__bpe *m, const char *name, heed_error *err) {
    const heed__tok_vocab *v = &m->words.vocab;
    m->slot_bits = 4;
    while ((int64_t)1 << m->slot_bits < 2 * m->merge_len) m->slot_bits++;
    const size_t count = (size_t)1 << m->slot_bits;
    m->slots = heed__calloc(&v->hooks, count, sizeof *m->slots);
    char *both = heed__malloc(&v->hooks, 2 * m->longest + 1);
    m->filter = heed__calloc(&v->hooks, count / 8, sizeof *m->filter);
    int rc = m->slots && m->filter && both
                 ? 0
                 : heed__error(err, HEED_ENOMEM, "%s: out of memory", name);
    for (size_t i = 0; i < count && m->slots; i++) m->slots[i].pair = UINT64_MAX;
    for (int64_t rank = 0; rank < m->merge_len && !rc; rank++) {
        const uint64_t pair = m->merges[rank];
        size_t a, b;
        const char *left = heed__tok_vocab_token(v, (int32_t)(pair >> 32), &a),
                   *right = heed__tok_vocab_token(v, (int32_t)(uint32_t)pair, &b);
        const size_t skip = m->prefix.size < b ? m->prefix.size : b;
        memcpy(both, left, a);
        memcpy(both + a, right + skip, b - skip);
        both[a + b - skip] = 0;
        const int32_t id = heed__tok_vocab_find(v, both, a + b - skip);
        const merge_place p = { name, "[", rank };
        if (id < 0) {
            rc = bad_merge(&p, "the vocabulary has no token", both, err);
            break;
        }
        const uint64_t hash = pair * 0x9e3779b97f4a7c15u, bit = heed__bpe_bit(m, hash);
        m->filter[bit / 64] |= (uint64_t)1 << bit % 64;
        size_t i = (size_t)(hash >> (64 - m->slot_bits));
        while (m->slots[i].pair != UINT64_MAX && m->slots[i].pair != pair)
            i = (i + 1) & (count - 1);
        m->slots[i] = (struct heed__bpe_slot){ pair, m->ranks ? m->ranks[rank] : (uint32_t)rank,
                                               id };
    }
    heed__free(&v->hooks, both);
    return rc;
}

static int finish(heed__bpe *m, const char *name, heed_error *err) {
    const heed__tok_vocab *v = &m->words.vocab;
    const int rc = make_pairs(m, name, err);
    if (rc) return rc;
    m->unk_id = m->unk.text ? heed__tok_vocab_find(v, m->unk.text, m->unk.size) : -1;
    for (int i = 0; i < 128; i++) m->ascii[i] = heed__tok_vocab_find(v, (char[]){ (char)i }, 1);
    heed__tok_fallback(v, m->fallback);
    for (int i = 0; i < 256; i++) {
        char letter[4];
        const size_t size = heed__utf8_put(heed__byte_char((unsigned char)i), letter);
        m->byte_id[i] = heed__tok_vocab_find(v, letter, size);
    }
    return 0;
}

static void measure(heed__bpe *m) {
    for (int64_t i = 0; i < m->words.vocab.len; i++)
        if (m->words.vocab.entries[i].len > m->longest) m->longest = m->words.vocab.entries[i].len;
}

static int read_fields(heed__bpe *m, const json_t *object, const char *name, heed_error *err) {
    const heed_hooks *hooks = &m->words.head.hooks;
    const json_t *dropout = json_object_get(object, "dropout");
    int rc = heed__tok_field_text(object, "unk_token", name, hooks, &m->unk, err);
    if (!rc)
        rc = heed__tok_field_text(object, "continuing_subword_prefix", name, hooks, &m->prefix,
                                  err);
    if (!rc) rc = heed__tok_field_text(object, "end_of_word_suffix", name, hooks, &m->suffix, err);
    if (!rc) rc = heed__tok_field_bool(object, "fuse_unk", name, &m->fuse_unk, err);
    if (!rc) rc = heed__tok_field_bool(object, "byte_fallback", name, &m->byte_fallback, err);
    if (!rc) rc = heed__tok_field_bool(object, "ignore_merges", name, &m->ignore_merges, err);
    if (rc) return rc;
    if (m->prefix.size > 64 || m->suffix.size > 64)
        return heed__error(err, HEED_EFORMAT, "%s: %s is longer than 64 bytes", name,
                           m->prefix.size > 64 ? "continuing_subword_prefix"
                                               : "end_of_word_suffix");
    if (dropout && !json_is_null(dropout)) {
        m->dropout = json_number_value(dropout);
        m->has_dropout = true;
        if (!json_is_number(dropout) || m->dropout < 0 || m->dropout > 1)
            return heed__error(err, HEED_EFORMAT, "%s: dropout is not a number from 0 to 1", name);
    }
    return 0;
}

heed__tok_model *heed__tok_load_bpe(const json_t *object, const char *name, const heed_hooks *hooks,
                                    heed_error *err) {
    heed__bpe *m = bpe_new(hooks, name, err);
    if (!m) return NULL;
    int rc = read_fields(m, object, name, err);
    if (!rc)
        rc = heed__tok_vocab_load(&m->words.vocab, json_object_get(object, "vocab"), name, err);
    measure(m);
    if (!rc) rc = read_merges(m, json_object_get(object, "merges"), name, err);
    if (!rc) rc = read_ranks(m, json_object_get(object, "ranks"), name, err);
    if (!rc) rc = read_frozen(m, json_object_get(object, "frozen"), name, err);
    if (!rc) rc = finish(m, name, err);
    if (!rc) return &m->words.head;
    heed__bpe_free(&m->words.head);
    return NULL;
}

static int read_merges_txt(heed__bpe *m, char *text, size_t size, const char *name,
                           heed_error *err) {
    int64_t line = 1;
    for (size_t at = 0; at < size; line++) {
        char *nl = memchr(text + at, '\n', size - at);
        const size_t whole = nl ? (size_t)(nl - text) - at : size - at;
        size_t len = whole;
        if (len && text[at + len - 1] == '\r') len--;
        text[at + len] = 0;
        const merge_place p = { name, ":", line };
        if (len && strncmp(text + at, "#version", 8) != 0) {
            const int rc = add_merge_line(m, text + at, len, &p, err);
            if (rc) return rc;
        }
        at += whole + 1;
    }
    return 0;
}

heed__tok_model *heed__tok_model_merges_txt(const json_t *vocab, const char *merges, size_t size,
                                            const char *name, const heed_hooks *hooks,
                                            heed_error *err) {
    heed__bpe *m = bpe_new(hooks, name, err);
    if (!m) return NULL;
    char *text = heed__malloc(hooks, size + 1);
    int rc = text ? 0 : heed__error(err, HEED_ENOMEM, "%s: out of memory", name);
    if (!rc) rc = heed__tok_vocab_load(&m->words.vocab, vocab, name, err);
    measure(m);
    if (!rc) {
        if (size) memcpy(text, merges, size);
        text[size] = 0;
        rc = read_merges_txt(m, text, size, name, err);
    }
    heed__free(hooks, text);
    if (!rc) rc = finish(m, name, err);
    if (!rc) return &m->words.head;
    heed__bpe_free(&m->words.head);
    return NULL;
}

bool heed__tok_bpe_raw(heed__tok_model *model) {
    heed__bpe *m = (heed__bpe *)model;
    if (model->ops != &heed__bpe_ops || m->prefix.size || m->suffix.size) return false;
    for (int i = 0; i < 256; i++)
        if (m->byte_id[i] < 0) return false;
    return m->raw = true;
}

/* -- saving ----------------------------------------------------------------------------------- */

static json_t *token_json(const heed__tok_vocab *v, uint64_t id) {
    size_t size;
    const char *token = heed__tok_vocab_token(v, (int32_t)id, &size);
    return json_stringn(token, size);
}

static json_t *merges_json(const heed__bpe *m) {
    json_t *list = json_array();
    for (int64_t rank = 0; rank < m->merge_len && list; rank++) {
        const uint64_t pair = m->merges[rank];
        int32_t id;
        if (heed__bpe_pair(m, (int32_t)(pair >> 32), (int32_t)(uint32_t)pair, &id) != rank &&
            !m->ranks)
            continue; /* said again later */
        json_t *both = json_array();
        if (!both || json_array_append_new(both, token_json(&m->words.vocab, pair >> 32)) ||
            json_array_append_new(both, token_json(&m->words.vocab, pair & UINT32_MAX)) ||
            json_array_append(list, both)) {
            json_decref(list);
            list = NULL;
        }
        json_decref(both);
    }
    return list;
}

/* Fields that are ours alone, where there are any. 0, or something failed. */
static int save_own(const heed__bpe *m, json_t *model) {
    int bad = 0;
    json_t *ranks = m->ranks ? json_array() : NULL;
    for (int64_t i = 0; i < m->merge_len && ranks; i++)
        bad |= json_array_append_new(ranks, json_integer(m->ranks[i]));
    if (m->ranks) bad |= json_object_set_new(model, "ranks", ranks);
    json_t *frozen = m->frozen.len ? json_array() : NULL;
    for (int64_t i = 0; i < m->frozen.len && frozen; i++)
        if (m->frozen.units[i].value >= 0)
            bad |= json_array_append_new(frozen, json_integer(m->frozen.units[i].value));
    if (m->frozen.len) bad |= json_object_set_new(model, "frozen", frozen);
    return bad;
}

json_t *heed__bpe_save(const heed__tok_model *head) {
    const heed__bpe *m = (const heed__bpe *)head;
    json_t *model = json_pack(
        "{s:s, s:o, s:o, s:o, s:o, s:b, s:b, s:b, s:o, s:o}", "type", "BPE", "dropout",
        m->has_dropout ? json_real(m->dropout) : json_null(), "unk_token",
        heed__tok_text_json(&m->unk), "continuing_subword_prefix", heed__tok_text_json(&m->prefix),
        "end_of_word_suffix", heed__tok_text_json(&m->suffix), "fuse_unk", m->fuse_unk,
        "byte_fallback", m->byte_fallback, "ignore_merges", m->ignore_merges, "vocab",
        heed__tok_vocab_save(&m->words.vocab), "merges", merges_json(m));
    if (model && !save_own(m, model)) return model;
    json_decref(model);
    return NULL;
}
