/* tok_added.c: added tokens: tries over bytes find the leftmost longest of them. */
#include "text/tok_added.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "text/unicode.h"

typedef struct token {
    char *text, *normal; /* normal: NULL where it is the same */
    size_t size, normal_size;
    int32_t id;
    bool word, left, right, normalized, special;
    bool in_model; /* not to be found here: the model does it (ours alone; sentencepiece.c) */
} token;

typedef struct node {
    int32_t child, next; /* 0: none */
    int32_t value;       /* -1: none */
    unsigned char byte;
} node;

typedef struct trie {
    node *node; /* node[0] is the root */
    int64_t len, cap;
    bool first[256]; /* bytes that something begins with */
} trie;

struct heed__added {
    heed_hooks hooks;
    token *token;
    int64_t len, cap;
    struct by_id {
        int32_t id;
        int64_t place; /* in token */
    } * by_id;         /* sorted; of equal ids the last counts */
    int64_t ids;
    trie all, special, plain, normal; /* by text; special ones; to be found as they stand; and
                                         normalized */
};

static int no_memory(heed_error *err) {
    return heed__error(err, HEED_ENOMEM, "tokenizer: out of memory");
}

/* -- tries ------------------------------------------------------------------------------------ */

static int32_t child_of(const trie *t, int32_t at, unsigned char byte) {
    for (int32_t c = t->node[at].child; c; c = t->node[c].next)
        if (t->node[c].byte == byte) return c;
    return 0;
}

static int trie_add(heed__added *a, trie *t, const char *text, size_t size, int32_t value) {
    if (size == 0) return 0;
    if (t->len + (int64_t)size + 1 > INT32_MAX) return HEED_ENOMEM;
    if (heed__grow(&a->hooks, &t->node, &t->cap, t->len + (int64_t)size + 1, sizeof *t->node))
        return HEED_ENOMEM;
    if (t->len == 0) t->node[t->len++] = (node){ .value = -1 };
    int32_t at = 0;
    for (size_t i = 0; i < size; i++) {
        const unsigned char byte = (unsigned char)text[i];
        int32_t next = child_of(t, at, byte);
        if (!next) {
            next = (int32_t)t->len++;
            t->node[next] = (node){ .next = t->node[at].child, .value = -1, .byte = byte };
            t->node[at].child = next;
        }
        at = next;
    }
    t->node[at].value = value;
    t->first[(unsigned char)text[0]] = true;
    return 0;
}

/* The value of the longest entry that text begins with, and its bytes; -1: none. */
static int32_t trie_longest(const trie *t, const char *text, size_t size, size_t *len) {
    int32_t at = 0, value = -1;
    for (size_t i = 0; i < size; i++) {
        at = child_of(t, at, (unsigned char)text[i]);
        if (!at) break;
        if (t->node[at].value < 0) continue;
        value = t->node[at].value;
        *len = i + 1;
    }
    return value;
}

static int32_t trie_find(const trie *t, const char *text, size_t size) {
    size_t len = 0;
    if (t->len == 0 || size == 0) return -1;
    const int32_t value = trie_longest(t, text, size, &len);
    return len == size ? value : -1;
}

/* -- making ----------------------------------------------------------------------------------- */

void heed__added_free(heed__added *a) {
    if (!a) return;
    const heed_hooks hooks = a->hooks;
    for (int64_t i = 0; i < a->len; i++) {
        heed__free(&hooks, a->token[i].text);
        heed__free(&hooks, a->token[i].normal);
    }
    heed__free(&hooks, a->token);
    heed__free(&hooks, a->by_id);
    heed__free(&hooks, a->all.node);
    heed__free(&hooks, a->special.node);
    heed__free(&hooks, a->plain.node);
    heed__free(&hooks, a->normal.node);
    heed__free(&hooks, a);
}

static bool flag(heed_fields *f, const char *key, bool otherwise) {
    return heed__field_has(f, key) ? heed__field_bool(f, key) : otherwise;
}

/* What normalization makes of the token's text, if it makes anything of it. */
static int normalize(heed__added *a, token *t, const heed__norm *norm, heed_error *err) {
    if (!t->normalized || !norm) return 0;
    heed__tok_work w;
    heed__tok_work_init(&w, &a->hooks);
    heed__span s = { .text = t->text, .size = (uint32_t)t->size };
    int rc = heed__norm_apply(norm, &w, &s, err);
    if (rc == 0 && (s.size != t->size || memcmp(s.text, t->text, t->size) != 0)) {
        t->normal = heed__malloc(&a->hooks, s.size + 1);
        if (t->normal) {
            memcpy(t->normal, s.text, s.size);
            t->normal[s.size] = 0;
            t->normal_size = s.size;
        } else {
            rc = no_memory(err);
        }
    }
    heed__tok_work_free(&w);
    return rc;
}

static int read_token(heed__added *a, const json_t *object, const char *name, token *t,
                      heed_error *err) {
    heed_fields f = { .object = object, .name = name, .err = err };
    const char *text = heed__field_text(&f, "content");
    t->word = flag(&f, "single_word", false);
    t->left = flag(&f, "lstrip", false);
    t->right = flag(&f, "rstrip", false);
    t->special = flag(&f, "special", false);
    t->normalized = flag(&f, "normalized", !t->special);
    t->in_model = flag(&f, "in_model", false);
    if (f.status) return f.status;
    t->size = json_string_length(json_object_get(object, "content"));
    if (t->size > UINT16_MAX)
        return heed__error(err, HEED_EUNSUPPORTED, "%s: content is longer than 65535 bytes", name);
    t->text = heed__malloc(&a->hooks, t->size + 1);
    if (!t->text) return no_memory(err);
    memcpy(t->text, text, t->size + 1);
    return 0;
}

static int add(heed__added *a, const token *t, heed_error *err) {
    if (heed__grow(&a->hooks, &a->token, &a->cap, a->len + 1, sizeof *a->token)) {
        heed__free(&a->hooks, t->text);
        heed__free(&a->hooks, t->normal);
        return no_memory(err);
    }
    a->token[a->len++] = *t;
    int rc = trie_add(a, &a->all, t->text, t->size, (int32_t)(a->len - 1));
    if (rc == 0 && t->special)
        rc = trie_add(a, &a->special, t->text, t->size, (int32_t)(a->len - 1));
    return rc ? no_memory(err) : 0;
}

static int by_id(const void *x, const void *y) {
    const struct by_id *a = x, *b = y;
    if (a->id != b->id) return a->id < b->id ? -1 : 1;
    return (a->place > b->place) - (a->place < b->place);
}

/* Of tokens with one id the last counts. */
static int index_ids(heed__added *a, heed_error *err) {
    a->by_id = heed__malloc(&a->hooks, (size_t)(a->len ? a->len : 1) * sizeof *a->by_id);
    if (!a->by_id) return no_memory(err);
    int64_t most = -1;
    for (int64_t i = 0; i < a->len; i++)
        if (a->token[i].id > most) most = a->token[i].id;
    a->ids = most + 1;
    for (int64_t i = 0; i < a->len; i++) a->by_id[i] = (struct by_id){ a->token[i].id, i };
    if (a->len > 0) qsort(a->by_id, (size_t)a->len, sizeof *a->by_id, by_id);
    return 0;
}

/* The place of the token of an id; -1: none. */
static int64_t place_of(const heed__added *a, int32_t id) {
    int64_t low = 0, high = a->len;
    while (low < high) {
        const int64_t mid = (low + high) / 2;
        if (a->by_id[mid].id <= id)
            low = mid + 1;
        else
            high = mid;
    }
    return low > 0 && a->by_id[low - 1].id == id ? a->by_id[low - 1].place : -1;
}

static int index_texts(heed__added *a, heed_error *err) {
    for (int64_t i = 0; i < a->len; i++) {
        const token *t = &a->token[i];
        if (t->in_model || place_of(a, t->id) != i) continue;
        trie *to = t->normalized ? &a->normal : &a->plain;
        const char *text = t->normal ? t->normal : t->text;
        if (trie_add(a, to, text, t->normal ? t->normal_size : t->size, t->id))
            return no_memory(err);
    }
    return 0;
}

static int64_t count_model(const heed__tok_model *m) {
    int64_t n = 0;
    for (int64_t i = 0; m && i < heed__tok_len(m); i++)
        n += heed__tok_token(m, (int32_t)i, NULL) != NULL;
    return n;
}

static bool same(const token *a, const token *b) {
    return a->word == b->word && a->left == b->left && a->right == b->right &&
           a->normalized == b->normalized && a->special == b->special && a->in_model == b->in_model;
}

static int read_all(heed__added *a, const json_t *list, const heed__tok_model *model,
                    const heed__norm *norm, const char *name, heed_error *err) {
    int64_t next = count_model(model);
    for (size_t i = 0; i < json_array_size(list); i++) {
        char place[240];
        token t = { 0 };
        heed__format(place, sizeof place, "%.200s: added_tokens[%zu]", name, i);
        int rc = read_token(a, json_array_get(list, i), place, &t, err);
        if (rc) return rc;
        const int32_t known = trie_find(&a->all, t.text, t.size);
        if (t.size == 0 || (known >= 0 && same(&a->token[known], &t))) {
            heed__free(&a->hooks, t.text);
            continue;
        }
        t.id = known >= 0 ? a->token[known].id : model ? heed__tok_find(model, t.text, t.size) : -1;
        if (t.id < 0) {
            if (next >= INT32_MAX) rc = heed__error(err, HEED_EUNSUPPORTED, "%s: too many", place);
            t.id = (int32_t)next++;
        }
        if (rc == 0) rc = normalize(a, &t, norm, err);
        if (rc) {
            heed__free(&a->hooks, t.text);
            heed__free(&a->hooks, t.normal);
            return rc;
        }
        if (add(a, &t, err)) return HEED_ENOMEM;
    }
    const int rc = index_ids(a, err);
    return rc ? rc : index_texts(a, err);
}

heed__added *heed__added_new(const json_t *list, const heed__tok_model *model,
                             const heed__norm *norm, const char *name, const heed_hooks *hooks,
                             heed_error *err) {
    if (list && !json_is_null(list) && !json_is_array(list)) {
        heed__error(err, HEED_EFORMAT, "%s: added_tokens is no list", name);
        return NULL;
    }
    heed__added *a = heed__calloc(hooks, 1, sizeof *a);
    if (!a) {
        no_memory(err);
        return NULL;
    }
    if (hooks) a->hooks = *hooks;
    if (read_all(a, list, model, norm, name, err) == 0) return a;
    heed__added_free(a);
    return NULL;
}

/* -- asking ----------------------------------------------------------------------------------- */

int64_t heed__added_len(const heed__added *a) {
    return a->ids;
}

int32_t heed__added_find(const heed__added *a, const char *text, size_t size) {
    const int32_t i = trie_find(&a->all, text, size);
    return i < 0 ? -1 : a->token[i].id;
}

const char *heed__added_token(const heed__added *a, int32_t id, size_t *size) {
    const int64_t i = place_of(a, id);
    if (i < 0) return NULL;
    const token *t = &a->token[i];
    if (size) *size = t->normal ? t->normal_size : t->size;
    return t->normal ? t->normal : t->text;
}

bool heed__added_is_special(const heed__added *a, const char *text, size_t size) {
    return trie_find(&a->special, text, size) >= 0;
}

json_t *heed__added_save(const heed__added *a) {
    json_t *list = json_array();
    for (int64_t i = 0; list && i < a->len; i++) {
        const token *t = &a->token[a->by_id[i].place];
        if (place_of(a, t->id) != a->by_id[i].place) continue;
        json_t *o = json_pack("{s:i, s:s%, s:b, s:b, s:b, s:b, s:b}", "id", t->id, "content",
                              t->text, t->size, "single_word", t->word, "lstrip", t->left, "rstrip",
                              t->right, "normalized", t->normalized, "special", t->special);
        const int failed = t->in_model && json_object_set_new(o, "in_model", json_true());
        if (!o || json_array_append_new(list, o) || failed) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

/* -- finding ---------------------------------------------------------------------------------- */

static bool word_before(const char *text, uint32_t at) {
    uint32_t n = 0;
    if (at == 0) return false;
    for (at--; at > 0 && ((unsigned char)text[at] & 0xC0u) == 0x80u;) at--;
    return heed__uni_is(heed__char_at(text + at, &n), HEED_UNI_WORD);
}

static bool word_after(const char *text, uint32_t size, uint32_t at) {
    uint32_t n = 0;
    return at < size && heed__uni_is(heed__char_at(text + at, &n), HEED_UNI_WORD);
}

static uint32_t spaces_before(const char *text, uint32_t at) {
    while (at > 0) {
        uint32_t last = at - 1, n = 0;
        while (last > 0 && ((unsigned char)text[last] & 0xC0u) == 0x80u) last--;
        if (!heed__uni_is(heed__char_at(text + last, &n), HEED_UNI_WHITE)) break;
        at = last;
    }
    return at;
}

static uint32_t spaces_after(const char *text, uint32_t size, uint32_t at) {
    uint32_t n = 0;
    while (at < size && heed__uni_is(heed__char_at(text + at, &n), HEED_UNI_WHITE)) at += n;
    return at;
}

static int put(heed__tok_work *w, const heed__span *a, uint32_t begin, uint32_t end, int32_t id,
               heed_error *err) {
    const heed__span s = heed__span_slice(a, begin, end);
    return heed__split_add(w, &s, id, err);
}

static int cut(const heed__added *added, const trie *t, heed__tok_work *w, const heed__span *a,
               heed_error *err) {
    uint32_t before = 0; /* the end of the token before */
    for (uint32_t at = 0; at < a->size;) {
        size_t len = 0;
        int32_t id = -1;
        if (t->first[(unsigned char)a->text[at]])
            id = trie_longest(t, a->text + at, a->size - at, &len);
        if (id < 0) {
            at++;
            continue;
        }
        const token *tok = &added->token[place_of(added, id)];
        uint32_t begin = at, end = at + (uint32_t)len;
        at = end;
        if (tok->word && (word_before(a->text, begin) || word_after(a->text, a->size, end)))
            continue;
        if (tok->left) {
            begin = spaces_before(a->text, begin);
            if (begin < before) begin = before;
        }
        if (tok->right) end = spaces_after(a->text, a->size, end);
        if (before < begin && put(w, a, before, begin, -1, err)) return HEED_ENOMEM;
        if (put(w, a, begin, end, id, err)) return HEED_ENOMEM;
        before = end;
    }
    return before < a->size ? put(w, a, before, a->size, -1, err) : 0;
}

int heed__added_cut(const heed__added *a, heed__tok_work *w, bool normalized, heed_error *err) {
    const trie *t = normalized ? &a->normal : &a->plain;
    w->next.len = 0;
    for (int64_t i = 0; i < w->split.len; i++) {
        const heed__split s = w->split.item[i];
        int rc;
        if (s.token >= 0)
            rc = heed__split_add(w, &s.a, s.token, err);
        else if (t->len == 0) /* still a slice, which begins where its first byte comes from */
            rc = put(w, &s.a, 0, s.a.size, -1, err);
        else
            rc = cut(a, t, w, &s.a, err);
        if (rc) return rc;
    }
    const heed__splits now = w->split;
    w->split = w->next;
    w->next = now;
    w->next.len = 0;
    return 0;
}
